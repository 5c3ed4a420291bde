#!/bin/sh
# imap-tls.t - imap-login with TLS: STARTTLS, implicit, behind a proxy
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/front.sh"
need openssl curl mbsync
imap_setup '[imap]
plain-login = no'
pw="password of alice"
echo "$pw" | passwd-set -a alice || exit 111
c() { client imap "$@"; }

# no certificate: not offered
listen plain imap-login; none=$port
out=$(c clear "$none" 'a CAPABILITY' 'b STARTTLS' 'c NOOP')
is "$(printf '%s\n' "$out" | grep -Ec 'CAPABILITY .*STARTTLS')" 0 "R-9 no certificate: STARTTLS is not announced"
like "$out" '^b NO STARTTLS is not offered' "R-9 and refused"
like "$out" '^c OK' "the session goes on"
like "$out" 'LOGINDISABLED' "without TLS logins are disabled"

tls-cert localhost
front_setup mail.example.org
bg unix-bind -m 600 run/imap imap-serve 2>imap.log
wait_for 10 test -S run/imap
listen login imap-login; imap=$port
listen logins imap-login -t; imaps=$port
listen loginp imap-login -P; proxied=$port
listen loginpt imap-login -P -t

# STARTTLS
out=$(c starttls $imap 'a STARTTLS' 'b CAPABILITY' 'c STARTTLS' "d LOGIN alice \"$pw\"" 'e SELECT INBOX' 'f LOGOUT')
before=$(printf '%s\n' "$out" | sed '/^--/,$d')
after=$(printf '%s\n' "$out" | sed '1,/^--/d')
like "$before" '^\* OK .* STARTTLS LOGINDISABLED\]' "STARTTLS is announced, logins are disabled"
is "$(printf '%s\n' "$before" | grep -c AUTH=)" 0 "U-1 no mechanism without TLS"
like "$before" '^a OK begin TLS now' "STARTTLS is taken"
like "$out" '^-- TLSv1.3' "TLS 1.3 is spoken"
like "$after" '^\* CAPABILITY .*AUTH=SCRAM-SHA-256-PLUS .*AUTH=PLAIN' "capabilities again, with mechanisms"
is "$(printf '%s\n' "$after" | grep -Ec 'CAPABILITY.*(LOGINDISABLED|STARTTLS)')" 0 "no STARTTLS and no LOGINDISABLED any more"
like "$after" '^c BAD TLS is active already' "a second STARTTLS is BAD"
like "$after" '^d OK ' "U-1 LOGIN behind TLS"
like "$after" '^e OK ' "the session is handed over"
like "$(cat imap.log)" 'ip=127.0.0.1 tls=TLSv1.3 cipher=TLS_[A-Z0-9_]+ account=alice' "imap-serve logs TLS and cipher of the preface"
like "$(cat login.log)" 'm=tls .*listener=imap tls=TLSv1.3' "imap-login logs the handshake"
like "$(c clear $imap 'a LOGIN alice x')" '^a NO \[PRIVACYREQUIRED\]' "LOGIN without TLS is refused"
like "$(c clear $imap 'a AUTHENTICATE PLAIN AGEAYg==')" '^a NO \[PRIVACYREQUIRED\]' "and AUTHENTICATE"
like "$(c clear $imap 'a STARTTLS x' 'b NOOP')" '^a BAD' "STARTTLS with an argument is BAD"

# I-21
out=$(c inject $imap 'a STARTTLS\r\nb NOOP\r\n')
like "$out" '^a BAD nothing may follow STARTTLS' "I-21 bytes behind STARTTLS in one packet: BAD"
like "$out" '^\* BYE' "I-21 BYE"
is "$(printf '%s\n' "$out" | grep -c '^b ')" 0 "I-21 the command behind is not run"
out=$(c inject $imap 'a STARTTLS\r\n' 'b NOOP\r\n')
like "$out" '^no TLS' "I-21 clear bytes in a later packet make the handshake fail"
is "$(printf '%s\n' "$out" | grep -c '^b ')" 0 "I-21 nor are they run"
out=$(c inject $imap 'a STARTTLS\r\nb LOGIN alice {3+}\r\n')
like "$out" '^\* BYE' "I-21 half a command behind STARTTLS"

# implicit TLS
out=$(c implicit $imaps mail.example.org 'a CAPABILITY' "b LOGIN alice \"$pw\"" 'c LOGOUT')
like "$out" '^\* OK \[CAPABILITY .*AUTH=' "U-1 implicit TLS: greeting behind TLS"
like "$out" '^b OK' "and a login"
is "$(printf '%s\n' "$out" | grep -c STARTTLS)" 0 "STARTTLS is not announced there"
like "$(c implicit $imaps nobody.example 'a NOOP')" 'UNRECOGNIZED_NAME' "L-7 unknown name: imaps fails with unrecognized_name"
like "$(c implicit $imaps '' 'a NOOP' | head -1)" '^\* OK' "L-7 no name: the host name's certificate"
(sleep 0.5; printf 'a NOOP\r\n'; sleep 0.5; printf 'b LOGOUT\r\n'; sleep 0.5) |
    timeout 20 openssl s_client -quiet -connect 127.0.0.1:$imap -starttls imap 2>/dev/null | tr -d '\r' >s.out
like "$(cat s.out)" '^a OK' "openssl s_client -starttls imap"
(sleep 0.5; printf 'a AUTHENTICATE EXTERNAL =\r\n'; sleep 0.7; printf 'b LOGOUT\r\n'; sleep 0.3) |
    timeout 20 openssl s_client -quiet -connect 127.0.0.1:$imaps -cert client.pem -key client.pem 2>/dev/null | tr -d '\r' >s.out
like "$(cat s.out)" '^\* OK .*AUTH=EXTERNAL' "U-2 EXTERNAL is announced to a client with a certificate"
like "$(cat s.out)" '^a NO \[AUTHENTICATIONFAILED\]' "an unknown key does not log in"
is "$(c implicit $imaps mail.example.org 'a NOOP' | grep -c AUTH=EXTERNAL)" 0 "not to others"

# clients
cat >py.py <<'P'
import imaplib, ssl, sys
ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); ctx.check_hostname = False
ctx.load_verify_locations("etc/tls/mail.example.org.pem")
def go(c):
    c.login("alice", "password of alice"); r = c.select("INBOX")[0]; c.logout(); return r
c = imaplib.IMAP4("127.0.0.1", int(sys.argv[1])); c.starttls(ctx)
print("imaplib starttls\t%s" % go(c).lower())
print("imaplib IMAP4_SSL\t%s" % go(imaplib.IMAP4_SSL("127.0.0.1", int(sys.argv[2]), ssl_context=ctx)).lower())
P
python_tests py.py $imap $imaps
is "$(curl -sk --url "imaps://127.0.0.1:$imaps/INBOX" -u "alice:$pw" -X 'SEARCH ALL' | tr -d '\r')" "* SEARCH" "curl imaps"
is "$(curl -sk --ssl-reqd --url "imap://127.0.0.1:$imap/INBOX" -u "alice:$pw" -X 'SEARCH ALL' | tr -d '\r')" "* SEARCH" "curl with STARTTLS"
curl -sk --ssl-reqd --url "imap://127.0.0.1:$imap/INBOX" -u "alice:wrong" >/dev/null 2>&1
is $? 67 "curl: a wrong password"
mkdir -p mb
openssl x509 -in etc/tls/localhost.pem >cert.pem 2>/dev/null
cat >mbsyncrc <<M
IMAPAccount a
Host localhost
Port $imap
User alice
Pass "$pw"
SSLType STARTTLS
CertificateFile $TMP/cert.pem

IMAPStore r
Account a

MaildirStore l
Path $TMP/mb/
Inbox $TMP/mb/INBOX

Channel c
Far :r:
Near :l:
Patterns INBOX
Create Near
SyncState *
M
printf 'From: a@example.org\nSubject: one\n\ntext\n' >m1
ok "a message is there" sh -c "store-deliver -a alice <m1"
timeout 30 mbsync -c mbsyncrc c >mbsync.out 2>&1
is "$(cat mb/INBOX/new/* mb/INBOX/cur/* 2>/dev/null | grep -c '^Subject: one')" 1 \
    "mbsync with STARTTLS and the pinned certificate"

# behind a proxy
out=$(c proxy $proxied inet 192.0.2.7 '' 'a LOGIN alice x' 'b LOGOUT')
like "$out" '^\* OK .*STARTTLS LOGINDISABLED' "PROXY header: the client's address counts, not the proxy's"
out=$(c proxy $proxied inet 192.0.2.7 TLSv1.3 "a LOGIN alice \"$pw\"" 'b LOGOUT')
like "$out" '^a OK' "TLS ended by the proxy counts"
like "$(cat imap.log)" 'ip=192.0.2.7 tls=TLSv1.3' "address and TLS of the proxy are logged"
like "$(c proxy $proxied local - '' 'a NOOP')" '^a OK' "a connection of the proxy itself"
is "$(printf 'a NOOP\r\n' | timeout 5 nc -q1 127.0.0.1 $proxied)" "" "without a header the connection is closed"
like "$(cat loginp.log)" 'm=proxy-header .*why=' "with a line in the log"

# tls-serve is gone
mkfifo go
c hold $imap 'a STARTTLS' 1 'b NOOP' 'c NOOP' <go >held.out & held=$!
exec 9>go
wait_for 10 grep -q HELD held.out
kill -STOP $tls_pid; kill -KILL $(pgrep -P $tls_pid); kill -KILL $tls_pid; wait $tls_pid 2>/dev/null
out=$(c clear $imap 'a STARTTLS' 'b NOOP')
like "$out" '^a NO \[UNAVAILABLE\] TLS is not available now' "tls-serve down: STARTTLS fails for now"
like "$out" '^b OK' "and the session goes on in clear"
is "$(timeout 10 nc 127.0.0.1 $imaps </dev/null)" "" "tls-serve down: implicit TLS is closed"
like "$(cat logins.log)" 'cannot ask .*run/tls' "with a line in the log"
echo >&9; exec 9>&-; wait $held
front_tls
like "$(c starttls $imap 'a STARTTLS' 'b NOOP')" '^b OK' "tls-serve is back: STARTTLS works again"
is "$(timeout 10 sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc -q2 127.0.0.1 $imaps" | grep -c '\* OK')" 0 "no TLS on imaps: no greeting"
wait_for 5 grep -q not-tls logins.log
like "$(cat logins.log)" 'm=tls-failed .*why=not-tls' "R-30 the reason is logged"
is "$(grep -c 'password of' login.log logins.log loginp.log | tr '\n' ' ')" "login.log:0 logins.log:0 loginp.log:0 " "no password is logged"
done_testing
