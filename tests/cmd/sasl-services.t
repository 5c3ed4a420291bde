#!/bin/sh
# sasl-services.t - SASL exchanges through imap-login and smtp-in -s
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
. "$TOP/tests/cmd/imap.sh"
# bob's password is set while there is no CRAM-MD5
main_conf "" "" '
[auth]
cram-md5 = no'
echo "password of bob" | passwd-set -a bob || exit 111
main_conf "" "" '
[auth]
failures-per-minute = 10000 10000 10000
failures-per-day = 10000 10000 10000'
echo "password of alice" | passwd-set -a alice || exit 111
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
# an address reaches its limit in the middle of a session
main_conf "" "" '
[auth]
failures-per-minute = 1 9 27'
again() {
	stop $auth_pid
	bg unix-bind -m 600 run/auth auth-serve 2>>auth.log
	auth_pid=$bg_pid
	wait_for 5 test -S run/auth
}
again
out=$(client imap implicit $imaps mx.example.org 'a LOGIN alice wrong' 'b LOGIN alice "password of alice"' 'c NOOP')
like "$out" '^a NO \[AUTHENTICATIONFAILED\]' "one failure is allowed"
like "$out" '^b NO \[UNAVAILABLE\] too many failed logins' "U-12 imap: the next login is not looked at"
is "$(printf '%s\n' "$out" | tail -2 | cut -c1-19)" "* BYE [UNAVAILABLE]
END" "U-12 and the connection is closed"
again
wrong=$(printf '\0alice\0wrong' | base64) right=$(printf '\0alice\0password of alice' | base64)
out=$(client smtp implicit $subt mx.example.org 'EHLO me' "AUTH PLAIN $wrong" "AUTH PLAIN $right" 'NOOP')
like "$out" '^535' "one failure is allowed"
is "$(printf '%s\n' "$out" | tail -2 | cut -c1-9)" "421 4.7.0
END" "U-12 submission: 421, closed"
is "$(grep -Ec 'fatal|signal|assert|Sanitizer' imaps.log subt.log auth.log | grep -vc ':0$')" 0 "nothing crashed"
is "$(cat auth.log imaps.log subt.log imap.log | grep -c 'password of')" 0 "no password is logged"
done_testing
