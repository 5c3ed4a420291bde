#!/bin/sh
# submission.t - smtp-in -s: AUTH, and mail of who has logged in
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
. "$TOP/tests/cmd/imap.sh"
need openssl swaks msmtp gsasl
main_conf
pw=secret-of-alice
echo $pw | passwd-set -a alice || exit 111
c() { client smtp "$@"; }
b64() { printf "$@" | base64 -w0; }
plain=$(b64 '\0alice\0%s' $pw)
wrong=$(b64 '\0alice\0wrong-password')
start_queue_add
front_setup mx.example.org
listen sub smtp-in -s; sub=$port
listen subt smtp-in -s -t; subt=$port
tls() { c starttls $sub STARTTLS "$@"; }
login="AUTH PLAIN $plain"

# before and without login
out=$(c clear $sub 'EHLO me' "$login" 'MAIL FROM:<alice@example.org>')
is "$(printf '%s\n' "$out" | grep -c '^250.AUTH')" 0 "U-1 AUTH is not announced without TLS"
like "$out" '^250-STARTTLS' "STARTTLS is"
like "$out" '^538 5.7.11 say STARTTLS first' "U-1 AUTH without TLS is refused"
like "$out" '^530 5.7.0 authentication is required' "MAIL before AUTH: 530"
out=$(tls 'EHLO me' 'MAIL FROM:<alice@example.org>' "$login" "$login" 'MAIL FROM:<alice@example.org>' 'RCPT TO:<bob@example.org>' 'RCPT TO:<alice@example.org>' 'RCPT TO:<x@elsewhere.example>' 'RCPT TO:<nobody@example.org>' "$login" 'QUIT')
like "$out" '^250-AUTH SCRAM-SHA-(256|512)-PLUS .* PLAIN' "U-2 the mechanisms of auth-serve are announced with TLS"
like "$out" '^530 5.7.0 authentication is required' "MAIL before AUTH with TLS: 530 too"
like "$out" '^235 2.7.0' "AUTH PLAIN with initial response"
like "$out" '^503 5.5.1 authenticated already' "no AUTH twice"
is "$(printf '%s\n' "$out" | grep -c '^250 2.1.5')" 3 "U-25 recipients here and elsewhere are taken"
like "$out" '^550 5.1.1 no such user' "U-25 and unknown ones of ours refused at once"
like "$(c implicit $subt mx.example.org 'EHLO me' "$login" 'MAIL FROM:<alice@example.org>')" '^250 2.1.0' "U-1 implicit TLS"
like "$(c implicit $subt nobody.example 'NOOP')" 'UNRECOGNIZED_NAME' "L-7 unknown name: submission fails with unrecognized_name"
like "$(tls "$login")" '^503 5.5.1 say EHLO first' "AUTH before EHLO"
like "$(tls 'HELO me' "$login")" '^503 5.5.1 say EHLO first' "AUTH after HELO"

# the dialogue of AUTH
out=$(tls 'EHLO me' 'AUTH PLAIN' "$plain")
like "$out" '^334 $' "AUTH PLAIN without initial response: an empty challenge"
like "$out" '^235' "and the response in a line of its own"
out=$(tls 'EHLO me' 'AUTH LOGIN' "$(b64 alice)" "$(b64 $pw)")
is "$(printf '%s\n' "$out" | grep -E '^(334|235)' | cut -c1-16 | tr '\n' ' ')" "334 VXNlcm5hbWU6 334 UGFzc3dvcmQ6 235 2.7.0 authen " "AUTH LOGIN"
out=$(tls 'EHLO me' 'AUTH PLAIN' '*' 'NOOP' "$login")
like "$out" '^501 5.7.0 authentication cancelled' "cancelled by *"
like "$out" '^235' "and begun again"
out=$(tls 'EHLO me' 'AUTH PLAIN' 'a!b' 'AUTH PLAIN a	b' 'AUTH PLAIN =' 'AUTH FOO' 'AUTH' "AUTH PLAIN x$plain" 'NOOP')
is "$(printf '%s\n' "$out" | sed '1,/^334/d' | cut -c1-9 | tr '\n' ' ')" "501 5.5.2 501 5.5.2 535 5.7.8 504 5.5.4 501 5.5.4 501 5.5.2 250 2.0.0 " "what is no base64, an empty response, unknown mechanisms"
out=$(tls 'EHLO me' "AUTH PLAIN $(head -c 6000 /dev/zero | base64 -w0)" 'NOOP')
like "$out" '^535 5.7.8' "a response of 8000 octets is a wrong one"
out=$(tls 'EHLO me' "AUTH PLAIN $(head -c 10000 /dev/zero | base64 -w0)" 'NOOP')
like "$out" '^500 5.5.2 line too long' "one of 13336 ends the connection"
out=$(c inject $sub "STARTTLS\r\n$login\r\n")
like "$out" '^503 5.5.1 nothing may follow STARTTLS' "I-21 AUTH behind STARTTLS in clear is refused"

# U-12
t0=$(date +%s)
out=$(tls 'EHLO me' "AUTH PLAIN $wrong" "AUTH PLAIN $wrong")
ok "U-12 two failures cost no time" test $(($(date +%s) - t0)) -le 2
like "$out" '^535 5.7.8' "wrong password: 535"
sed '/^\[server\]/a line-timeout = 4s' etc/main.conf >m && cat m >etc/main.conf && config-compile
t0=$(date +%s%N)
out=$(tls 'EHLO me' "AUTH PLAIN $wrong" "AUTH PLAIN $wrong" "AUTH PLAIN $wrong" "AUTH PLAIN $wrong" "$login" NOOP)
ms=$((($(date +%s%N) - t0) / 1000000))
# 1 s and 2 s before the fourth and fifth attempt, 1 s before each read
ok "U-12 R-25 the fourth waits 1 s, the fifth 2 s, and reads wait 1 s ($ms ms)" test $ms -ge 5000 -a $ms -le 8000
like "$out" '^235' "U-12 and the right one is taken"
main_conf

# disabled, auth-serve down
sed 's/^\[account\]/&\nlogin-disabled = gone fishing/' etc/accounts/alice.conf >a && cp etc/accounts/alice.conf keep && cp a etc/accounts/alice.conf && config-compile
like "$(tls 'EHLO me' "$login")" '^525 5.7.13 .*gone fishing' "a disabled login: 525 and the text"
cp keep etc/accounts/alice.conf && config-compile
stop $auth_pid
out=$(tls 'EHLO me' "$login" NOOP)
like "$out" '^454 4.7.0' "auth-serve down: 454"
like "$(printf '%s\n' "$out" | tail -1)" '^250' "and the session lives"
bg unix-bind -m 600 run/auth auth-serve 2>>auth.log
wait_for 5 test -S run/auth

# clients
printf 'From: alice@example.org\nTo: bob@example.org\nSubject: mine\nAuthentication-Results: mx.example.org; dkim=pass\n\ntext\n' >m1
send() { swaks --server 127.0.0.1 --from alice@example.org --to bob@example.org --helo me --data @m1 --auth-user alice --auth-password $pw "$@" >swaks.out 2>&1; }
for m in PLAIN LOGIN CRAM-MD5; do
	send --port $sub --tls --auth $m
	is $? 0 "U-2 swaks --tls --auth $m"
done
send --port $subt --tls-on-connect --auth PLAIN
is $? 0 "swaks --tls-on-connect"
n=$(newest_queued)
like "$n" ' with ESMTPSA$' "R-6 Received with ESMTPSA"
like "$n" '^	\(TLSv1\.3 TLS_[A-Z0-9_]+\)$' "R-6 version and cipher"
like "$n" '^Authentication-Results: mx.example.org;' "Authentication-Results"
like "$n" 'auth=pass smtp.auth=alice$' "U-19 auth=pass smtp.auth=alice"
is "$(printf '%s\n' "$n" | grep -Ec 'spf=|iprev=|^Received-SPF')" 0 "no check was made"
is "$(messages bob)" 0 "U-19 no short cut to a local mailbox: it is in the queue"
is "$(grep -c 'm=queued .*account=alice .*to=bob@example.org' queue.log)" 4 "and so are the others"
like "$(cat swaks.out)" '<~  250 2.0.0 queued as ' "the reply is queue-add's"
like "$(cat subt.log)" 'm=accepted .*tls=TLSv1.3 account=alice' "the log names who sent it"
like "$(cat subt.log)" 'm=auth .*mech=PLAIN account=alice result=ok' "and the login"
for m in SCRAM-SHA-256 SCRAM-SHA-1 SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS; do
	echo | timeout 20 gsasl --smtp --connect 127.0.0.1:$sub --x509-ca-file=etc/tls/mx.example.org.pem --no-starttls --mechanism $m -a alice -p $pw >gsasl.out 2>&1
	like "$(cat gsasl.out)" '538|LOGINDISABLED|not' "no $m without TLS"
	case $m in *-PLUS) cb= ;; *) cb=--no-cb ;; esac
	echo | timeout 20 gsasl --smtp --connect 127.0.0.1:$sub --x509-ca-file= $cb --mechanism $m -a alice -p $pw >gsasl.out 2>&1
	like "$(cat gsasl.out)" '^235|authenticated' "U-2 gsasl $m"
done
cat >py.py <<'P'
import smtplib, ssl, sys
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.load_verify_locations("etc/tls/mx.example.org.pem")
m = b"From: alice@example.org\r\nSubject: py\r\n\r\ntext\r\n"
def go(name, s):
    s.login("alice", sys.argv[3]); s.sendmail("alice@example.org", ["alice@example.org", "bob@example.org"], m); s.quit()
    print(name + "\tok")
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), "me"); s.starttls(context=c); go("smtplib starttls, login", s)
go("smtplib SMTP_SSL, login", smtplib.SMTP_SSL("127.0.0.1", int(sys.argv[2]), "me", context=c))
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), "me"); s.starttls(context=c)
try: s.login("alice", "wrong"); print("wrong password\tit was taken")
except smtplib.SMTPAuthenticationError as e: print("wrong password\t%s" % ("ok" if e.smtp_code == 535 else e))
P
python_tests py.py $sub $subt $pw
fp=$(openssl x509 -in etc/tls/mx.example.org.pem -noout -fingerprint -sha256 | sed 's/.*=//')
msmtp -C /dev/null --host=127.0.0.1 --port=$sub --auth=on --user=alice --passwordeval="echo $pw" --tls=on --tls-starttls=on --tls-certcheck=off --tls-trust-file= --tls-fingerprint="$fp" --from=alice@example.org bob@example.org <m1 >msmtp.out 2>&1
is "$? $(cat msmtp.out)" "0 " "msmtp with STARTTLS"
curl -sk --ssl-reqd --url "smtp://127.0.0.1:$sub" -u "alice:$pw" --mail-from alice@example.org --mail-rcpt bob@example.org --crlf -T m1
is $? 0 "curl with STARTTLS"
curl -sk --url "smtps://127.0.0.1:$subt" -u "alice:$pw" --mail-from alice@example.org --mail-rcpt bob@example.org --crlf -T m1
is $? 0 "curl smtps"

# a port for tests: no TLS needed
sed '$a [submission]\nno-require-starttls = yes' etc/main.conf >m && cat m >etc/main.conf && config-compile
out=$(c clear $sub 'EHLO me' "$login" 'STARTTLS')
like "$out" '^250-AUTH ' "U-1 no-require-starttls: AUTH without TLS"
like "$out" '^235' "and it is taken"
is "$(printf '%s\n' "$out" | grep -c 'AUTH.*PLUS')" 0 "no -PLUS there"
out=$(c starttls $sub STARTTLS 'EHLO me' 'MAIL FROM:<alice@example.org>')
like "$out" '^530' "a new session behind TLS"
is "$(grep -c "$pw" sub.log subt.log auth.log | tr '\n' ' ')" "sub.log:0 subt.log:0 auth.log:0 " "no password is logged"
done_testing
