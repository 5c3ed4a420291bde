#!/bin/sh
# lmtp-in - a reply per recipient; what is stored, and what is not
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
main_conf

exits 100 "an operand is a usage error" lmtp-in x
is "$(cat .err)" "lmtp-in: fatal: usage: lmtp-in" "the usage line"

# lmtp: dialogue by hand without the replies to LHLO
lmtp() { dialogue lmtp-in | sed '1,10d'; }
is "$(printf 'LHLO c\nQUIT\n' | dialogue lmtp-in)" "220 mx.example.org LMTP pipemail
250-mx.example.org
250-PIPELINING
250-SIZE 105906176
250-ENHANCEDSTATUSCODES
250-8BITMIME
250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE MARKS
250-REQUIRETLS
250-LIMITS RCPTMAX=1000
250 SMTPUTF8
221 2.0.0 bye" "R-3 what LHLO offers"

out=$(lmtp <<'END'
LHLO c
XFORWARD NAME=n.example ADDR=192.0.2.7 HELO=h.example IDENT=abc PROTO=ESMTP
MAIL FROM:<a@example.net>
RCPT TO:<alice@example.org>
RCPT TO:<nobody@example.org>
RCPT TO:<x@foreign.example>
RCPT TO:<x@off.example>
RCPT TO:<Bob+tag@all.example>
DATA
Subject: one

..text
.
QUIT
END
)
is "$out" "250 2.0.0 ok
250 2.1.0 sender ok
250 2.1.5 recipient ok
550 5.1.1 no such user
550 5.7.1 not a domain of this server
450 4.2.1 domain is disabled for now
250 2.1.5 recipient ok
354 send the message, end with <CRLF>.<CRLF>
250 2.0.0 delivered
250 2.0.0 delivered
221 2.0.0 bye" "R-18 R-19 X-8 a reply per recipient"
is "$(newest alice)" "Delivered-To: alice@example.org
Return-Path: <a@example.net>
Subject: one

.text" "R-35 D-15 the copy of one"
is "$(newest bob | head -1)" "Delivered-To: Bob+tag@all.example" "D-2 D-3 D-15 the copy of the other"
is "$(find var/spool-mail -type f | wc -l | tr -d ' ')" 0 "nothing is left in the spool"

# ---- writes: a record of this kind of socket each ----
cat >writes.py <<'END'
import socket, subprocess, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
ours.settimeout(30)
early = sys.argv[1].encode()
if early:
    ours.send(early)
p = subprocess.Popen(["lmtp-in"], stdin=theirs, stdout=theirs)
theirs.close()
print(ours.recv(65536).count(b"\r\n"))
if not early:
    ours.send(b"QUIT\r\n")
    print(ours.recv(65536).count(b"\r\n"))
ours.close()
p.wait(30)
END
is "$(/usr/bin/python3 writes.py "")" "1
1" "who says nothing is greeted"
is "$(/usr/bin/python3 writes.py "$(printf 'LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n')
")" 14 "who speaks first reads the greeting with the replies"

# text RECIPIENT: deliver standard input; the reply
text() { { printf 'LHLO c\nMAIL FROM:<>\nRCPT TO:<%s>\nDATA\n' "$1"; cat; printf '.\nQUIT\n'; } | lmtp | sed -n 4p; }
is "$(text alice@example.org <<'END'
Authentication-Results: mx.example.org; spf=pass
Subject: forged

END
)" "250 2.0.0 delivered" "forged results are taken"
is "$(newest alice)" "Delivered-To: alice@example.org
Return-Path: <>
Subject: forged" "R-35 and removed"
# what a front server writes
cat >block <<'END'
Authentication-Results: mx.example.org;
	spf=pass
Received: from a by mx.example.org with ESMTPS
	(TLSv1.3 TLS_FACT) id 1; Fri, 20 Nov 2026 12:00:00 +0000
Authentication-Results: mx.example.org; dkim=pass
END
is "$({ cat block; echo; } | text alice@example.org)" "250 2.0.0 delivered" "results above our Received field"
is "$(newest alice | sed '1,2d')" "Authentication-Results: mx.example.org;
	spf=pass
Received: from a by mx.example.org with ESMTPS
	(TLSv1.3 TLS_FACT) id 1
	for <alice@example.org>; Fri, 20 Nov 2026 12:00:00 +0000
Authentication-Results: mx.example.org; dkim=pass" "are kept: the front server wrote them"
ok "S-3 the index has how it came: TLS" grep -aq 'TLSv1.3 TLS_FACT' var/accounts/alice/index/data.mdb
hash=$(newest alice | sed '1,/^	for /d' | sha256sum | cut -d ' ' -f 1)
is "$(grep -ac "$hash" var/accounts/alice/index/data.mdb)" 0 "J-10 no hash of what is not refused"

# ---- several of one message: what is put in front of each is of it alone ----
long=$(head -c 60 /dev/zero | tr '\0' l)@all.example
# copy_of ADDRESS BLOCK REST: as it is to be stored
copy_of() {
	printf 'Delivered-To: %s\nReturn-Path: <a@example.net>\n' "$1"
	sed "s/^\(	(TLS.* id 1\);/\1\n	for <$1>;/" "$2"
	cat "$3"
}
# several BLOCK REST RECIPIENT...: the replies; the addresses whose account's
# last message is as it is to be
several() {
	block=$1 rest=$2; shift 2
	{
		printf 'LHLO c\nMAIL FROM:<a@example.net>\n'
		printf 'RCPT TO:<%s>\n' "$@"
		echo DATA; cat "$block" "$rest"; printf '.\nQUIT\n'
	} | lmtp | sed '1,/^354/d;/^221/d;s/^\(...\).*/\1/' | tr '\n' ' '
	for a; do
		case $a in
		*@all.example) newest bob >got ;;
		small@*) continue ;;
		*) newest alice >got ;;
		esac
		copy_of "$a" "$block" "$rest" >want
		cmp want got >>err && printf '%s ' "$a"
	done
}
: >none
printf 'Subject: small\n\nbody\n' >rest.small
{ printf 'Subject: quota\n\n'; yes "a line of the body, and of no header" | head -200; } >rest.quota
{ printf 'Subject: file\n\n'; yes "a line that lies in a file of the spool" | head -60000; } >rest.file
for row in "block small" "none small" "block quota" "none quota" "block file"; do
	b=${row% *} r=rest.${row#* }
	is "$(several "$b" "$r" alice@example.org "$long")" "250 250 alice@example.org $long " "R-35 D-15 $row: each of two has its own in front, and all of the message"
	is "$(several "$b" "$r" "$long" alice@example.org)" "250 250 $long alice@example.org " "R-35 D-15 $row: and the longer first"
done
is "$(several block rest.quota alice@example.org small@example.org "$long")" "250 452 250 alice@example.org $long " "R-35 D-15 and after one whose mailbox is full"
is "$(several block rest.small alice@example.org Alice@example.org b@all.example)" "250 250 250 Alice@example.org b@all.example " "R-35 D-15 and after two of one account"

# ---- failures ----
head -c 3000 /dev/zero | tr '\0' x >big; echo >>big
is "$(text small@example.org <big)" "452 4.2.2 mailbox is full" "BEHAVIOUR 1.2 over quota"
is "$(messages small)" 0 "nothing is stored"
is "$(echo | text small@example.org)" "250 2.0.0 delivered" "a small one fits"
rm -rf var/accounts/bob
echo "in the way" >var/accounts/bob
like "$(echo | text bob@example.org)" '^451 4\.3\.0 internal error, received-id [A-Za-z0-9_-]{22}$' "R-34 a store that cannot be opened"
id=$(echo | text bob@example.org); id=${id##* }
like "$(cat err)" "m=failed .*id=$id account=bob what=store err=" "R-34 the log says why"
xid() { { printf 'LHLO c\nXFORWARD IDENT=ourOwn-id\nMAIL FROM:<>\nRCPT TO:<bob@example.org>\nDATA\nx: y\n\n.\nQUIT\n'; } | dialogue lmtp-in 2>err | sed '1,/^354/d;/^221/d'; }
is "$(xid)" "451 4.3.0 internal error, received-id ourOwn-id" "R-34 the id is that of the server in front, whose client is told"
is "$(grep -c '^l=[a-z]* m=[a-z]* .*id=ourOwn-id' err)" 2 "R-34 in both lines of the log"
rm var/accounts/bob
is "$(printf 'LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\n.\r\n' | lmtp-in 2>>err | tail -1 | tr -d '\r')" \
    "500 5.5.2 bad syntax: bare LF in the message, smtp smuggling is refused" "R-11 smuggling"

# a disk that is full: a tmpfs in a mount namespace of its own
cat >full.sh <<'END'
mount -t tmpfs -o size=2m none var/accounts || exit 99
cat big1 | lmtp-in 2>>err | tail -2 | tr -d '\r'
ls var/accounts/alice/Maildir/new 2>/dev/null | wc -l
END
{ printf 'LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n'; yes "$(head -c 76 /dev/zero | tr '\0' y)" | head -60000 | sed 's/$/\r/'; printf '.\r\nQUIT\r\n'; } >big1
if unshare -m true 2>/dev/null && unshare -m sh -c 'mount -t tmpfs none var/accounts' 2>/dev/null; then
	out=$(unshare -m sh full.sh)
elif unshare -rm sh -c 'mount -t tmpfs none var/accounts' 2>/dev/null; then
	out=$(unshare -rm sh full.sh)
else
	out=
fi
if [ -n "$out" ]; then
	like "$(echo "$out" | head -1)" '^452 4\.3\.1 no space for the message now, received-id ' "disk full: 452"
	is "$(echo "$out" | tail -1 | tr -d ' ')" 0 "and nothing half stored"
else
	skip "disk full: 452" "no mount namespaces here"
	skip "and nothing half stored" "no mount namespaces here"
fi

# ---- stages per recipient ----
main_conf '' '' 'stages-deliver = |case $RECIPIENT in bob*) echo not for bob >&2; exit 100;; *) echo "X-For: $RECIPIENT $TCPREMOTEIP $HELO"; cat;; esac'
out=$(lmtp <<'END'
LHLO c
XFORWARD ADDR=192.0.2.7 HELO=h.example
MAIL FROM:<a@example.net>
RCPT TO:<alice@example.org>
RCPT TO:<bob@example.org>
DATA
Subject: one

.
QUIT
END
)
is "$(echo "$out" | sed -n '6,7p')" "250 2.0.0 delivered
550 5.7.1 not for bob" "a filter judges for each recipient"
is "$(newest alice | sed -n 3p)" "X-For: alice@example.org 192.0.2.7 h.example" "and adds to each copy"

# ---- on a socket, many at once ----
main_conf
start_lmtp
cat >many.py <<'END'
import smtplib, sys, threading
def run(n):
    for i in range(5):
        c = smtplib.LMTP(sys.argv[1])
        c.sendmail("a@example.net", ["alice@example.org"], "Subject: %d.%d\r\n\r\nx\r\n" % (n, i))
        c.quit()
t = [threading.Thread(target=run, args=(n,)) for n in range(8)]
[x.start() for x in t]; [x.join() for x in t]
END
n=$(messages alice)
ok "eight clients at once" timeout 60 /usr/bin/python3 many.py "$TMP/run/lmtp"
is "$(messages alice)" $((n + 40)) "each message is there once"

cat >one.py <<'END'
import smtplib, sys
c = smtplib.LMTP(sys.argv[1])
try:
    c.sendmail("a@example.net", ["alice@example.org"], "Subject: restored\r\n\r\nx\r\n")
    print(250)
except smtplib.SMTPDataError as e:
    print(e.smtp_code)
except smtplib.SMTPRecipientsRefused as e:
    print(list(e.recipients.values())[0][0])
END
# ---- a child serves further connections, with the accounts it has open ----
# (one that is not asked for some seconds ends)
for i in 1 2 3 4 5 6 7 8 9; do /usr/bin/python3 one.py "$TMP/run/lmtp"; done >replies
is "$(sort -u replies)" 250 "further connections"
like "$(pgrep -P "$lmtp_pid")" '[0-9]' "there are children without a connection"
mv var/accounts/alice var/accounts/alice.moved && cp -a var/accounts/alice.moved var/accounts/alice
for i in 1 2 3 4 5 6 7 8 9; do /usr/bin/python3 one.py "$TMP/run/lmtp"; done >replies
is "$(sort -u replies)" 250 "an account that was replaced is opened anew"
is "$(messages alice)" $((n + 58)) "and gets what comes"
rm -rf var/accounts/alice.moved

# ---- what is in reach is the folder that was there ----
mv var/accounts var/moved && cp -a var/moved var/accounts
got=$(/usr/bin/python3 one.py "$TMP/run/lmtp")
if [ "${SAN:-}" = 1 ] || /usr/bin/python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) > 1)'; then
	skip "X-1 accounts put back from a copy are not in reach: a temporary failure" "no Landlock here"
else
	is "$got" 451 "X-1 accounts put back from a copy are not in reach: a temporary failure"
fi
kill -HUP "$lmtp_pid"
restored() { [ "$(/usr/bin/python3 one.py "$TMP/run/lmtp")" = 250 ]; }
ok "until SIGHUP" wait_for 10 restored

# ---- a configuration that was changed by something else ----
cp var/config.cdb config.good
sed 's/org/orX/' config.good >var/config.cdb.new && mv var/config.cdb.new var/config.cdb
kill -HUP "$lmtp_pid"
refused() { grep -q 'cannot load configuration: config.cdb is damaged' "$1"; }
ok "its checksum is wrong" wait_for 10 refused lmtp.log
is "$(/usr/bin/python3 one.py "$TMP/run/lmtp")" 250 "the one there was stays in use"
mv config.good var/config.cdb

# ---- what a child keeps is of the configuration there is ----
in_folder() { find "var/accounts/alice/Maildir/$1" -name '*,S=*' -type f 2>/dev/null | wc -l | tr -d ' '; }
# a message for each child, and more
some() { for i in 1 2 3 4 5 6; do /usr/bin/python3 one.py "$TMP/run/lmtp"; done | sort -u; }
cp etc/accounts/alice.conf alice.conf
ruled() { { cat alice.conf; printf '[rule "r"]\nheader = ^subject$ ^restored\nmailbox = %s\n' "$1"; } >etc/accounts/alice.conf && config-compile; }
ok "there is a rule" ruled One
is "$(some) $(in_folder .One)" "250 6" "D-4 the first message after it follows it"
ok "another rule" ruled Two
is "$(some) $(in_folder .One) $(in_folder .Two)" "250 6 6" "D-4 and the first after another one that one"
cp alice.conf etc/accounts/alice.conf
config-compile
is "$(some) $(in_folder .One) $(in_folder .Two)" "250 6 6" "D-4 and after the last is gone, none"

# ---- the manual's example ----
mandoc -T ascii -O width=300 "$TOP/man/lmtp-in.8" | col -b | grep "printf 'LHLO" >example.sh
like "$(sh example.sh 2>>err | tail -1)" '^221 ' "lmtp-in(8): by hand"
done_testing
