#!/bin/sh
# sasl-services.t - SASL exchanges through imap-login and smtp-in -s
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
. "$TOP/tests/cmd/imap.sh"
main_conf "" "" '
[auth]
failures-per-minute = 10000 10000 10000
failures-per-day = 10000 10000 10000'
for a in alice bob; do echo "password of $a" | passwd-set -a $a || exit 111; done
start_lmtp
front_setup mx.example.org
bg unix-bind -m 600 run/imap imap-serve 2>imap.log
wait_for 10 test -S run/imap
listen imaps imap-login -t; imaps=$port
listen subt smtp-in -s -t; subt=$port
export PYTHONPATH="$TOP/tests/cmd" PYTHONDONTWRITEBYTECODE=1
python_tests "$TOP/tests/cmd/sasl-services.py" imap $imaps
python_tests "$TOP/tests/cmd/sasl-services.py" smtp $subt
for s in imap submission; do
	is "$(grep -c "m=login-failed service=$s .*mech=SCRAM-SHA-256-PLUS .*why=\"channel binding does not match: possible man in the middle\"" auth.log)" 3 \
	    "U-3 $s: the log tells of three possible men in the middle"
	is "$(grep -c "m=login-failed service=$s .*mech=SCRAM-SHA-256 .*why=\"client sees no channel binding offered: possible man in the middle\"" auth.log)" 1 "U-3 $s: and of -PLUS that was hidden"
done
is "$(grep -Ec 'fatal|signal|assert|Sanitizer' imaps.log subt.log auth.log | grep -vc ':0$')" 0 "nothing crashed"
is "$(cat auth.log imaps.log subt.log imap.log | grep -c 'password of')" 0 "no password is logged"
done_testing
