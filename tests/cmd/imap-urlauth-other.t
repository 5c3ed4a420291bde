#!/bin/sh
# imap-urlauth-other.t - URLAUTH (RFC 4467): mail of another account, which a
# session asks a new imap-serve for
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/front.sh"
need /usr/bin/python3
imap_setup
printf '[account]\naddress = carol@example.org\n' >etc/accounts/carol.conf
printf '[account]\naddress = b\303\266b@example.org\naddress = bob@example.org\n' \
    >etc/accounts/bob.conf
config-compile || exit 111
for a in alice bob carol; do
	echo "password of $a" | passwd-set -a $a || exit 111
done
front_setup mail.example.org
bg unix-bind -m 600 run/imap imap-serve 2>imap.log
SERVE_PID=$bg_pid
export SERVE_PID
wait_for 10 test -S run/imap
listen login imap-login; PORT=$port
export PORT
python_tests "$TOP/tests/cmd/imap-urlauth-other.py" basics
like "$(cat imap.log)" 'm=imap-url cid=[0-9]+ ip=127.0.0.1 account=bob for=alice given=1$' \
    "who was given what is logged"
like "$(cat imap.log)" 'm=imap-url .* account=bob for=alice given=0$' "and who was not"
is "$(grep -c 'cannot' imap.log)" 0 "no question was lost"
python_tests "$TOP/tests/cmd/imap-urlauth-other.py" limits
python_tests "$TOP/tests/cmd/imap-urlauth-other.py" seals
like "$(cat imap.log)" 'cannot take connection: Permission denied' \
    "a wrong seal is logged"
python_tests "$TOP/tests/cmd/imap-urlauth-other.py" faults
verifydata >out 2>&1
is "$?" 0 "verifydata finds nothing"
done_testing
