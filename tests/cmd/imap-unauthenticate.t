#!/bin/sh
# imap-unauthenticate.t - UNAUTHENTICATE (RFC 8437): from imap-serve back to a
# new imap-login
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/front.sh"
need /usr/bin/python3 openssl
imap_setup
for a in alice bob; do
	echo "password of $a" | passwd-set -a $a || exit 111
done
exits 100 "-u and -t" imap-login -u -t
exits 100 "-u and -P" imap-login -u -P
is "$(session 'a UNAUTHENTICATE\r\nb CAPABILITY\r\n' | grep -c UNAUTHENTICATE)" 1 \
    "RFC 8437 a PREAUTH session by hand has no login to go back to: BAD, not announced"

tls-cert localhost
front_setup mail.example.org
bg unix-bind -m 600 run/imap imap-serve 2>imap.log
wait_for 10 test -S run/imap
listen login imap-login; PORT=$port
listen logins imap-login -t; PORTS=$port
export PORT PORTS
python_tests "$TOP/tests/cmd/imap-unauthenticate.py" absent
bg unix-bind -m 600 run/imap-login imap-login -u 2>again.log
again_pid=$bg_pid
wait_for 10 test -S run/imap-login
python_tests "$TOP/tests/cmd/imap-unauthenticate.py" there
like "$(cat imap.log)" 'm=imap-session cid=[0-9]+ ip=127.0.0.1 account=alice .*why=unauthenticated' \
    "the session is logged with its end"
cid=$(sed -n 's/.*m=imap-session cid=\([0-9]*\) .*why=unauthenticated.*/\1/p' imap.log | head -1)
is "$(grep -c "cid=$cid .*account=bob" imap.log)" 1 "the next one has the same connection id"
# nothing waits behind: one that is killed in between costs its connection
kill "$again_pid"; wait "$again_pid" 2>/dev/null
python_tests "$TOP/tests/cmd/imap-unauthenticate.py" gone
is "$(cat again.log)" "" "imap-login -u had nothing to say"
verifydata >out 2>&1
is "$?" 0 "verifydata finds nothing"
done_testing
