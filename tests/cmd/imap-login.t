#!/bin/sh
# imap-login.t - from greeting to mail over TCP, with auth-serve and imap-serve
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup '[imap]
login-timeout = 2s'
for a in alice bob; do
	echo "password of $a" | passwd-set -a $a || exit 111
done
exits 100 "an operand is refused" imap-login x

# by hand: no network, so passwords may pass
is "$(printf 'a CAPABILITY\r\nb STARTTLS\r\nc LOGIN alice x\r\nd LOGOUT\r\n' | imap-login 2>/dev/null | tr -d '\r')" \
'* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN SPECIAL-USE AUTH=PLAIN AUTH=LOGIN] pipemail ready
* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN SPECIAL-USE AUTH=PLAIN AUTH=LOGIN
a OK CAPABILITY done
b NO STARTTLS is not offered
c NO [UNAVAILABLE] authentication is unavailable
* BYE bye
d OK LOGOUT done' "by hand; without auth-serve a login fails for now"
greeting() {
	printf 'a LOGIN alice x\r\n' | env PROTO=TCP TCPREMOTEIP="$1" \
	    TCPREMOTEPORT=1 imap-login 2>/dev/null | tr -d '\r'
}
like "$(greeting 192.0.2.1)" 'LOGINDISABLED\] pipemail ready' \
    "I-10 LOGINDISABLED for the network"
like "$(greeting 192.0.2.1)" '^a NO \[PRIVACYREQUIRED\]' "and LOGIN is refused"
like "$(greeting 127.0.0.1)" 'AUTH=PLAIN AUTH=LOGIN\]' "not on loopback"

bg unix-bind -m 600 run/auth auth-serve 2>auth.log
auth_pid=$bg_pid
PORT=$(free_port)
export PORT
bg tcp-bind 127.0.0.1 "$PORT" imap-login 2>login.log
login_pid=$bg_pid
wait_for 10 test -S run/auth
wait_for 10 port_open "$PORT"
cat >early.py <<'E'
import imaplib, os
c = imaplib.IMAP4("127.0.0.1", int(os.environ["PORT"]))
try:
    c.login("alice", "password of alice")
    print("without imap-serve a login fails for now\tit did not")
except imaplib.IMAP4.error as e:
    print("without imap-serve a login fails for now\t%s"
          % ("ok" if "UNAVAILABLE" in str(e) else e))
c.logout()
E
python_tests early.py
bg unix-bind -m 600 run/imap imap-serve 2>imap.log
serve_pid=$bg_pid
wait_for 10 test -S run/imap
python_tests "$TOP/tests/cmd/imap-login.py"
like "$(printf 'a LOGIN alice "password of alice"\r\nb NOOP\r\nc LOGOUT\r\n' | imap-login 2>/dev/null)" \
    '^c OK LOGOUT done' "a client on two pipes is handed over too"
like "$(cat imap.log)" 'm=imap-session cid=[0-9]+ ip=127.0.0.1 account=alice ' \
    "a session is logged with connection id and address"
like "$(cat imap.log)" 'm=imap-refused .*why=' "a ticket that is wrong is logged"
is "$(grep -c 'password of' auth.log imap.log login.log | tr '\n' ' ')" \
    "auth.log:0 imap.log:0 login.log:0 " "no password is logged"
kill -TERM $login_pid; wait $login_pid
is $? 0 "SIGTERM ends imap-login with 0"
kill -TERM $serve_pid; wait $serve_pid
is $? 0 "and imap-serve"
done_testing
