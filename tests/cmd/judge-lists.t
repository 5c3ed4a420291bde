#!/bin/sh
# judge-lists - lmtp-in as a server, confined, asks block lists, and says so to
# the server in front
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/dns-fixture"
main_conf '' 'dnsbl = bl.example' 'first-time-delay = 0'
cat >bl.zone <<'E2'
$ORIGIN bl.example.
7.2.0.192	A 127.0.0.2
7.2.0.192	TXT "listed for the test"
2.0.0.127	A 127.0.0.2
E2
dns_start bl.zone
start_lmtp
cat >one.py <<'E2'
import smtplib, sys
c = smtplib.LMTP(sys.argv[1]); c.ehlo("c"); c.docmd("XFORWARD ADDR=" + sys.argv[2]); c.docmd("XFORWARD MARKS=YES")
c.docmd("MAIL FROM:<>"); c.docmd("RCPT TO:<bob@example.org>"); c.docmd("DATA")
c.send(b"From: a@b.example\r\nTo: bob@example.org\r\n\r\nx\r\n.\r\n"); print(*c.getreply())
E2
one() { timeout 60 /usr/bin/python3 one.py "$TMP/run/lmtp" "$1"; }
is "$(one 192.0.2.7)" "451 b'4.3.0 XMARK slow\\n4.3.0 error processing'" "J-18 J-5 R-25 a listed client: refused, and to be slowed down"
like "$(cat lmtp.log)" 'm=refused .*account=bob .*reason=dns-blocklisted' "J-18 the log has the reason"
is "$(one 192.0.2.8)" "250 b'2.0.0 delivered'" "J-18 one that is not"
done_testing
