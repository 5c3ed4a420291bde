#!/bin/sh
# smtp-tls.t - smtp-in with STARTTLS, implicit TLS and behind a proxy
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
need openssl swaks
main_conf
c() { client smtp "$@"; }
start_lmtp

# R-9: not offered
listen smtp smtp-in; none=$port
out=$(c clear $none 'EHLO me' 'STARTTLS' 'NOOP')
is "$(printf '%s\n' "$out" | grep -c '^250.STARTTLS')" 0 "R-3 no certificate: STARTTLS is not announced"
like "$out" '^502 5.5.1 command not offered' "R-9 STARTTLS while not offered is refused"
like "$(printf '%s\n' "$out" | tail -1)" '^250 2.0.0' "R-9 and the session goes on"
out=$(printf 'EHLO me\r\nSTARTTLS\r\nQUIT\r\n' | smtp-in 2>/dev/null | tr -d '\r')
like "$out" '^502 5.5.1' "R-9 on pipes too"

front_setup mx.example.org
listen smtp smtp-in; smtp=$port
listen smtpt smtp-in -t; smtps=$port
listen smtpp smtp-in -P; proxied=$port
tls() { c starttls $smtp STARTTLS "$@"; }
mail() { echo 'MAIL FROM:<a@nospf.example>' 'RCPT TO:<alice@example.org>'; }

out=$(tls 'EHLO me' 'STARTTLS' 'QUIT')
like "$out" '^250-STARTTLS' "R-3 STARTTLS is announced"
like "$out" '^220 2.0.0 begin TLS now' "and taken"
after=$(printf '%s\n' "$out" | sed '1,/^--/d')
like "$out" '^-- TLSv1.3' "TLS 1.3"
is "$(printf '%s\n' "$after" | grep -c '^250.STARTTLS')" 0 "R-3 not announced with TLS"
like "$after" '^503 5.5.1 TLS is active already' "a second STARTTLS is refused"
like "$(tls 'MAIL FROM:<a@nospf.example>')" '^503 5.5.1 say EHLO first' "the session is new behind TLS"
like "$(c clear $smtp STARTTLS)" '^503 5.5.1 say EHLO' "no STARTTLS before EHLO"
like "$(c clear $smtp 'EHLO me' 'STARTTLS x')" '^501 5.5.4' "no parameter"
like "$(c clear $smtp 'EHLO me' 'MAIL FROM:<a@nospf.example>' STARTTLS)" '^503 5.5.1 not within' "not within a transaction"
is "$(c clear $smtp 'EHLO me' | grep -c AUTH)" 0 "no AUTH on this listener"
like "$(c clear $smtp 'EHLO me' 'AUTH PLAIN AGEAYg==')" '^502 5.5.1' "and AUTH is refused"

# messages
printf 'From: a@nospf.example\nSubject: by-tls\n\ntext\n' >m1
swaks --server 127.0.0.1:$smtp --tls --from a@nospf.example --to alice@example.org --helo me --data @m1 >swaks.out 2>&1
is $? 0 "swaks --tls sends" || cat swaks.out
n=$(newest alice)
like "$n" ' with ESMTPS$' "R-6 Received with ESMTPS"
like "$n" '^	\(TLSv1\.3 TLS_[A-Z0-9_]+\)$' "R-6 version and cipher in a comment"
like "$n" '^Authentication-Results: mx.example.org;' "and the checks are made"
c starttls $smtp STARTTLS 'EHLO me' 'MAIL FROM:<ä@nospf.example> SMTPUTF8' 'RCPT TO:<alice@example.org>' DATA 'From: a@nospf.example

text
.' >/dev/null
cat >utf8.py <<'P'
import smtplib, ssl, sys
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.load_verify_locations("etc/tls/mx.example.org.pem")
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), "me"); s.starttls(context=c); s.ehlo()
s.sendmail("\u00e4@nospf.example", ["alice@example.org"], b"From: a@nospf.example\r\nSubject: u\r\n\r\ntext\r\n", ["SMTPUTF8"])
print("smtplib starttls, SMTPUTF8\tok"); s.quit()
s = smtplib.SMTP_SSL("127.0.0.1", int(sys.argv[2]), "me", context=c); s.sendmail("a@nospf.example", ["alice@example.org"], b"From: a@nospf.example\r\nSubject: i\r\n\r\ntext\r\n")
print("smtplib SMTP_SSL on a listener with -t\tok"); s.quit()
P
. "$TOP/tests/cmd/imap.sh"
python_tests utf8.py $smtp $smtps
like "$(cat var/accounts/alice/Maildir/new/*)" ' with UTF8SMTPS$' "R-6 UTF8SMTPS"
like "$(cat smtp.log)" 'm=accepted .*tls=TLSv1.3' "the log names TLS"
swaks --server 127.0.0.1:$smtp --from a@nospf.example --to alice@example.org --helo me --data @m1 >swaks.out 2>&1
is "$(grep -l 'with ESMTP$' var/accounts/alice/Maildir/new/* | wc -l | tr -d ' ') $(grep -L '(TLSv1' var/accounts/alice/Maildir/new/* | wc -l | tr -d ' ')" "1 1" "without TLS: ESMTP and no comment"
(sleep 0.5; printf 'EHLO me\r\n'; sleep 0.5; printf 'QUIT\r\n'; sleep 0.5) |
    timeout 20 openssl s_client -quiet -connect 127.0.0.1:$smtp -starttls smtp -servername nobody.example 2>/dev/null | tr -d '\r' >s.out
like "$(cat s.out)" '^250 SMTPUTF8' "R-31 openssl s_client with an unknown name gets the host name's certificate"

# injection
out=$(c inject $smtp 'STARTTLS\r\nRSET\r\nNOOP\r\n')
like "$out" '^503 5.5.1 nothing may follow STARTTLS' "I-21 bytes behind STARTTLS in one packet are refused"
is "$(printf '%s\n' "$out" | grep -c '^250 2.0.0')" 0 "I-21 nothing of them is run"
like "$(printf '%s\n' "$out" | tail -1)" END "I-21 and the connection is closed"
out=$(c inject $smtp 'STARTTLS\r\n' 'MAIL FROM:<a@nospf.example>\r\n')
like "$out" '^no TLS' "I-21 clear bytes in a later packet make the handshake fail"
like "$(c inject $smtp 'STARTTLS\r\n\x16\x03\x01')" '^503' "I-21 a record with the command"

# R-23
main_conf '' 'require-starttls = yes'
out=$(c clear $smtp 'EHLO me' 'MAIL FROM:<a@nospf.example>' 'NOOP')
like "$out" '^530 5.7.0 say STARTTLS first' "R-23 RequireSTARTTLS: 530 before MAIL"
like "$(tls 'EHLO me' 'MAIL FROM:<a@nospf.example>')" '^250 2.1.0' "R-23 with TLS mail is taken"
printf '[domain]\ntls-reports = bob@example.org\n' >etc/domains/example.org.conf
main_conf '' 'require-starttls = yes'
out=$(c clear $smtp 'EHLO me' 'MAIL FROM:<a@nospf.example>' 'RCPT TO:<alice@example.org>' 'RCPT TO:<nobody@example.org>' 'RCPT TO:<bob@example.org>')
is "$(printf '%s\n' "$out" | sed -n '/^250 2/p;/^530/p' | cut -c1-9 | tr '\n' ' ')" "250 2.1.0 530 5.7.0 530 5.7.0 250 2.1.5 " "R-23 without TLS only reports about TLS are taken, where a domain wants them"
is "$(tls 'EHLO me' 'MAIL FROM:<a@nospf.example>' 'RCPT TO:<alice@example.org>' | grep -c '^250 2.1.5')" 1 "R-23 with TLS all mail is"
echo '[domain]' >etc/domains/example.org.conf
main_conf 'tls-reports = bob' 'require-starttls = yes'
out=$(c clear $smtp 'EHLO me' 'MAIL FROM:<a@nospf.example>' 'RCPT TO:<bob@example.org>' 'RCPT TO:<TLS-Reports@mx.example.org>')
is "$(printf '%s\n' "$out" | sed -n '/^250 2/p;/^530/p' | cut -c1-9 | tr '\n' ' ')" "250 2.1.0 530 5.7.0 250 2.1.5 " "R-23 and those about the host"
main_conf

# behind a proxy
out=$(c proxy $proxied inet 192.0.2.1 '' 'EHLO me' 'MAIL FROM:<a@example.net>' 'RCPT TO:<alice@example.org>' 'RCPT TO:<bob@example.org>')
like "$out" '^250 2.1.5' "PROXY header: the client's address is the one SPF sees"
is "$(printf '%s\n' "$out" | grep -c '^250 2.1.5')" 2 "which passes, so two recipients are taken"
is "$(c proxy $proxied inet 192.0.2.3 '' 'EHLO me' 'MAIL FROM:<a@example.net>' 'RCPT TO:<alice@example.org>' 'RCPT TO:<bob@example.org>' | grep -c '^250 2.1.5')" 1 "not from another address"
is "$(printf 'EHLO me\r\nQUIT\r\n' | timeout 5 nc -q1 127.0.0.1 $proxied)" "" "without a header the connection is closed"

# tls-serve is gone
mkfifo go
c hold $smtp STARTTLS 1 'EHLO me' 'NOOP' <go >held.out & held=$!
exec 9>go
wait_for 10 grep -q HELD held.out
stop $tls_pid
rm -f run/tls
out=$(c clear $smtp 'EHLO me' STARTTLS 'NOOP')
is "$(printf '%s\n' "$out" | grep -c '^250.STARTTLS')" 0 "R-3 without tls-serve's socket STARTTLS is not announced"
/usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("run/tls")'
out=$(c clear $smtp 'EHLO me' STARTTLS 'NOOP')
like "$out" '^454 4.7.0 TLS is not available now' "R-9 tls-serve down: 454"
like "$(printf '%s\n' "$out" | tail -1)" '^250 2.0.0' "and the session goes on"
is "$(timeout 10 nc 127.0.0.1 $smtps </dev/null)" "" "implicit TLS is closed"
echo >&9; exec 9>&-; wait $held
front_tls
like "$(tls 'EHLO me')" '^250 SMTPUTF8' "tls-serve is back"
done_testing
