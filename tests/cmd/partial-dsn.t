#!/bin/sh
# partial-dsn.t - smtp-in: some recipients have the message, some do not: the
# sender gets a DSN by way of run/queue-add; REQUIRETLS on the way in
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
mkdir -p etc/dkim && dkim-key -t ed25519 -o etc/dkim/k.pem || exit 111
printf '[domain]\nseparators = +\ndkim = sel dkim/k.pem\n' >etc/domains/example.org.conf
main_conf
start_lmtp
from_net() { env PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPREMOTEHOST=mail.example.net TCPREMOTEPORT=4321 TCPLOCALIP=198.51.100.2 TCPLOCALPORT=25 "$@"; }
add() {
	[ -z "${add_pid:-}" ] || stop "$add_pid"
	rm -f run/queue-add got got.text
	bg "$@" 2>>add.log
	add_pid=$bg_pid
	wait_for 5 test -S run/queue-add
}
fake() { add /usr/bin/python3 "$TOP/tests/fake-queue-add.py" run/queue-add "$TMP/got" "$@"; }
# send RCPT...: a message that is too large for small@; the last reply
send() {
	{
		printf 'EHLO c.example\nMAIL FROM:<%s>\n' "${from-a@example.net}"
		for r in "$@"; do printf 'RCPT TO:<%s>\n' "$r"; done
		printf 'DATA\nMessage-ID: <orig@example.net>\nSubject: to several\nFrom: a@example.net\n\n'
		head -c 3000 /dev/zero | tr '\0' x | fold -w 70; printf '\n.\nQUIT\n'
	} | dialogue from_net smtp-in | sed '1,/^354/d;/^221/d'
}
got() { grep -E "^($1)[ =]" got | tr '\n' ';'; }

fake
like "$(send alice@example.org small@example.org)" '^250 2.0.0 ok, received-id ' "R-33 one recipient of two fails: 250"
is "$(messages alice)" 1 "R-33 the other has it"
is "$(got 'account|sender|rcpt|kind|received-id')" "account=alice;kind=1;rcpt a@example.net;" "R-33 Q-15 a DSN from the null sender, of the postmaster's account"
d=$(cat got.text)
like "$d" '^From: .*<?postmaster@example.org>?$' "R-33 from postmaster at the recipient's domain"
like "$d" '^To: .*a@example.net' "to the sender"
like "$d" '^Auto-Submitted: auto-replied' "RFC 3834"
like "$d" '^References: <orig@example.net>' "refers to the original"
is "$(printf '%s\n' "$d" | grep -c '^Final-Recipient:')" 1 "R-33 it reports on the one"
like "$d" '^Final-Recipient: rfc822; *small@example.org' "by name"
like "$d" '^Action: failed' "failed"
like "$d" '^Status: 5.2.2' "with a permanent status, for it is given up"
like "$d" '^Diagnostic-Code: smtp; *452 .*mailbox is full' "and what was said"
like "$d" '^Received: from c.example' "the headers of the original go back, with the trace of here"
is "$(printf '%s\n' "$d" | grep -c xxxxxx)" 0 "not its text"
like "$(cat err)" 'm=dsn .*to=a@example.net code=250' "the log tells of it"
rm -f got
like "$(send small@example.org small@example.org)" '^452' "R-33 all fail alike: that reply"
ok "R-33 and no DSN" test ! -e got
n=$(messages alice)
rm -f got
like "$(send alice@example.org bob@example.org)" '^250' "all have it"
ok "no DSN" test ! -e got
rm -f got
like "$(from= send small@example.org)" '^452' "a DSN that cannot be delivered begets none"
ok "no DSN for a DSN" test ! -e got
fake 451 4.3.0 'not now'
out=$(send alice@example.org small@example.org)
is "$(printf '%s\n' "$out" | cut -c1-9 | sort -u | tr '\n' ' ')" "451 4.3.0 451-4.3.0 " "R-33 the DSN is not taken: 451, a line for each"
like "$(cat err)" 'm=dsn-not-queued .*code=451' "the log says so"
stop $add_pid; rm -f run/queue-add; add_pid=
like "$(send alice@example.org small@example.org)" '^451' "R-33 queue-add is down: 451"
start_queue_add
like "$(send alice@example.org small@example.org)" '^250' "R-33 with queue-add itself"
f=$(find var/queue/message -type f)
like "$(cat $f)" '^DKIM-Signature: .*d=example.org' "R-33 the DSN is signed for the recipient's domain"
like "$(cat queue.log)" 'm=queued .*account=alice from="" to=a@example.net' "Q-15 it is the postmaster's"

# ---- names beyond ASCII ----
echo '[domain]' >etc/domains/bücher.example.conf
printf '[account]\naddress = small@example.org\naddress = small@bücher.example\nquota = 2K\n' >etc/accounts/small.conf
config-compile
dsn_of() {
	{ printf 'EHLO c.example\nMAIL FROM:<%s>%s\nRCPT TO:<%s>\nRCPT TO:<bob@example.org>\nDATA\nSubject: gr\303\274n\n\n' "$1" "$2" "$3"
	head -c 3000 /dev/zero | tr '\0' x | fold -w 70; printf '\n.\nQUIT\n'; } | dialogue from_net smtp-in >said
	newest_queued
}
d=$(dsn_of a@example.net '' small@xn--bcher-kva.example)
like "$d" '^From: .*<postmaster@xn--bcher-kva.example>' "R-33 without SMTPUTF8: from a domain in A-labels"
is "$(printf '%s\n' "$d" | sed '/^--=.*/q' | LC_ALL=C grep -c '[^ -~	]')" 0 "R-33 its header is ASCII"
like "$d" '^Final-Recipient: rfc822; *small@xn--bcher-kva.example' "and what it says of the recipient"
d=$(dsn_of ä@example.net ' SMTPUTF8' small@bücher.example)
like "$d" '^From: .*<postmaster@bücher.example>' "R-33 with SMTPUTF8: from a domain in Unicode"
like "$d" '^Final-Recipient: utf-8; *small@bücher.example' "R-33 RFC 6533 the form for UTF-8"
like "$d" '^Content-Type: message/global-delivery-status' "R-33 by its type"

# ---- REQUIRETLS ----
front_setup mx.example.org
start_smtp
out=$(client smtp clear $port 'EHLO c' 'MAIL FROM:<a@nospf.example> REQUIRETLS')
like "$out" '^530 5.7.10 REQUIRETLS needs TLS' "R-4 port 25 without TLS: not taken"
out=$(client smtp starttls $port STARTTLS 'EHLO c' 'MAIL FROM:<a@nospf.example> REQUIRETLS' 'RCPT TO:<bob@example.org>' DATA "$(printf 'Subject: rt\r\n\r\n.')" QUIT)
like "$out" '^250-REQUIRETLS' "R-4 port 25 with TLS: announced"
like "$out" '^250 2.0.0 ok' "R-4 and taken, handed to lmtp-in"
like "$(newest bob)" ' with ESMTPS \(requiretls\)$' "R-5 Received has the comment behind \"with\""
is "$(newest bob | grep -n -E 'requiretls|^	id ' | cut -d: -f1 | sort -n | head -2 | wc -l | tr -d ' ')" 2 "R-5 before \"id\""
out=$(client smtp starttls $port STARTTLS 'EHLO c' 'MAIL FROM:<a@nospf.example>' 'RCPT TO:<bob@example.org>' DATA "$(printf 'Subject: rt\r\n\r\n.')" QUIT)
is "$(newest bob | grep -c requiretls)" 0 "R-5 without REQUIRETLS no comment"
# a peer on run/lmtp that does not know REQUIRETLS is not told
stop $lmtp_pid; rm -f run/lmtp
cat >lmtp.py <<'P'
import socket
s = socket.socket(socket.AF_UNIX); s.bind("run/lmtp"); s.listen(5)
while True:
    c, _ = s.accept(); f = c.makefile("rb"); c.sendall(b"220 x\r\n")
    for l in f:
        open("lmtp.said", "ab").write(l)
        v = l[:4]
        if v == b"DATA":
            c.sendall(b"354 x\r\n")
            while f.readline() not in (b".\r\n", b""): pass
            c.sendall(b"250 2.0.0 ok\r\n")
        else: c.sendall(b"250-x\r\n250 PIPELINING\r\n" if v == b"LHLO" else b"250 2.0.0 ok\r\n")
P
bg /usr/bin/python3 lmtp.py
wait_for 5 test -S run/lmtp
out=$(client smtp starttls $port STARTTLS 'EHLO c' 'MAIL FROM:<a@example.net> REQUIRETLS' 'RCPT TO:<bob@example.org>' DATA "$(printf 'Subject: rt\r\n\r\n.')" QUIT)
like "$out" '^250 2.0.0 ok' "R-4 another LMTP server, which does not offer it"
like "$(cat lmtp.said)" '^MAIL FROM:<a@example.net> BODY=8BITMIME.?$' "R-4 is not told"
done_testing
