#!/bin/sh
# client-cert.t - client certificates: PREAUTH, mail without AUTH, EXTERNAL
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
need openssl
strict='
[auth]
failures-per-minute = 3 9 27
failures-per-day = 3 9 27'	# a minute may end meanwhile
main_conf
for a in alice bob small; do echo "password of $a" | passwd-set -a $a || exit 111; done
plain() { printf '\0%s\0password of %s' "$1" "$1" | base64 -w0; }

# keys: three kinds for alice, one of bob's that is not for PREAUTH
for t in ecdsa rsa ed25519; do
	auth-key gen -t $t -n $t $t >/dev/null || exit 111
	auth-key add -a alice -l alice@example.org -n $t <$t.cert.pem >$t.id || exit 111
done
for a in bob small other; do auth-key gen $a >/dev/null || exit 111; done
auth-key add -P -a bob <bob.cert.pem >bob.id && auth-key add -a small <small.cert.pem >small.id || exit 111
for k in ecdsa rsa ed25519 bob small other; do cat $k.cert.pem $k.key.pem >$k.pem; done

start_queue_add
front_setup mx.example.org
bg unix-bind -m 600 run/imap imap-serve 2>imap.log
imap_pid=$bg_pid
wait_for 10 test -S run/imap
listen imap imap-login; imap=$port
listen imaps imap-login -t; imaps=$port
listen sub smtp-in -s; sub=$port
listen subt smtp-in -s -t; subt=$port
listen smtp smtp-in; smtp=$port
# imaps CERT LINE..., and so on: with the certificate CERT.pem
imaps() { i_cert=$1; shift; CERT=$i_cert.pem client imap implicit $imaps mx.example.org "$@"; }
imap() { i_cert=$1; shift; CERT=$i_cert.pem client imap starttls $imap 'a0 STARTTLS' "$@"; }
subt() { i_cert=$1; shift; CERT=$i_cert.pem client smtp implicit $subt mx.example.org "$@"; }
sub() { i_cert=$1; shift; CERT=$i_cert.pem client smtp starttls $sub STARTTLS "$@"; }
MAIL='MAIL FROM:<alice@example.org>'
ACCOUNT='the client certificate is of another account'

# IMAP
for t in ecdsa rsa ed25519; do
	for v in 3 2; do
		out=$(TLS=$v imaps $t 'a SELECT INBOX' 'b LOGIN alice x' 'c LOGOUT')
		like "$(printf '%s\n' "$out" | head -1)" '^\* PREAUTH \[CAPABILITY IMAP4rev1 .*\] logged in as alice$' "I-11 U-10 PREAUTH by $t, TLS 1.$v"
		is "$(printf '%s\n' "$out" | grep -Ec '^(a OK|b NO|c OK)')" 3 "I-11 and a session as after a login"
	done
done
is "$(printf '%s\n' "$out" | head -1 | grep -Ec '[[ ]AUTH=|STARTTLS')" 0 "nothing is offered that is for before"
wait_for 5 sh -c 'test "$(grep -c account=alice imap.log)" = 6'
like "$(cat imap.log)" 'ip=127.0.0.1 tls=TLSv1.2 .*account=alice' "imap-serve logs it as any session"
like "$(cat auth.log)" 'm=login service=imap .*account=alice mech=client-certificate .*label=ed25519 tls=TLSv1.3' "auth-serve logs which key it was"
out=$(imap ecdsa 'a CAPABILITY' 'b AUTHENTICATE EXTERNAL =' 'c SELECT INBOX')
is "$(printf '%s\n' "$out" | grep -c PREAUTH)" 0 "U-10 after STARTTLS there is no PREAUTH"
like "$out" '^\* CAPABILITY .*AUTH=EXTERNAL' "U-2 but EXTERNAL is announced"
like "$out" '^b OK' "U-8 and logs in"
like "$out" '^c OK' "U-8 to a session"
like "$(imap ecdsa 'b AUTHENTICATE EXTERNAL' '')" '^b OK' "U-8 without initial response"
like "$(imap ecdsa "b AUTHENTICATE EXTERNAL $(printf alice@example.org | base64)")" '^b OK' "U-8 as an address of the account"
like "$(imap ecdsa "b AUTHENTICATE EXTERNAL $(printf bob@example.org | base64)")" '^b NO \[AUTHENTICATIONFAILED\]' "U-8 not as another"
like "$(imap ecdsa "b AUTHENTICATE PLAIN $(plain alice)")" '^b OK' "U-11 a password of the same account"
like "$(imap ecdsa 'b LOGIN alice "password of alice"')" '^b OK' "U-11 by LOGIN too"
out=$(imap ecdsa "b AUTHENTICATE PLAIN $(plain bob)" 'c LOGIN bob "password of bob"' 'd NOOP')
like "$out" "^b NO \[AUTHENTICATIONFAILED\] $ACCOUNT" "U-11 another account's password: refused, saying why"
like "$out" "^c NO \[AUTHENTICATIONFAILED\] $ACCOUNT" "U-11 by LOGIN too"
like "$out" '^d OK' "and the session goes on"
is "$(grep -c 'm=login-failed service=imap .*user=bob .*why="client key of another account"' auth.log)" 2 "U-11 each counts as a failed login"

# a key that is not for PREAUTH
n=$(wc -l <auth.log)
out=$(imaps bob 'a AUTHENTICATE EXTERNAL =' 'b NOOP')
like "$(printf '%s\n' "$out" | head -1)" '^\* OK .*AUTH=EXTERNAL' "U-10 a key with no-preauth: an ordinary greeting"
like "$out" '^a OK' "U-10 and EXTERNAL logs in"
is "$(tail -n +$((n + 1)) auth.log | grep -c m=login)" 1 "U-10 that is one login, not a failed one before it"
like "$(imaps bob "a AUTHENTICATE PLAIN $(plain bob)")" '^a OK' "U-11 or a password"
like "$(imaps bob "a AUTHENTICATE PLAIN $(plain alice)")" "^a NO .*$ACCOUNT" "U-11 of the same account only"

# a certificate nobody registered
out=$(imaps other 'a AUTHENTICATE EXTERNAL =' "b AUTHENTICATE PLAIN $(plain bob)")
like "$(printf '%s\n' "$out" | head -1)" '^\* OK' "U-8 an unknown certificate: an ordinary greeting"
like "$out" '^a NO \[AUTHENTICATIONFAILED\]' "U-8 EXTERNAL fails"
like "$out" '^b OK' "U-8 any password is good"
like "$(cat auth.log)" 'm=login-refused .*mech=client-certificate .*why="unknown client key"' "that it was shown counts as no failure"
like "$(cat auth.log)" 'm=login-failed .*mech=EXTERNAL .*why="unknown client key"' "EXTERNAL with it does"

# RSA of 1024 bits: cannot be registered, and OpenSSL takes no such certificate
openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=small -keyout rsa1024.key -out rsa1024.crt 2>/dev/null
exits 100 "U-8 RSA of 1024 bits is not registered" sh -c 'auth-key add -a alice <rsa1024.crt'
out=$( (sleep 1; printf 'a AUTHENTICATE EXTERNAL =\r\n'; sleep 1) | timeout 20 openssl s_client -cipher DEFAULT@SECLEVEL=0 -quiet -connect 127.0.0.1:$imaps -cert rsa1024.crt -key rsa1024.key 2>&1)
is "$(printf '%s\n' "$out" | grep -Ec 'PREAUTH|^a OK')" 0 "U-8 nor does it log in"

# sessions that are resumed: the certificate is the first one's
resume() { # PORT VERSION COMMAND
	rm -f sess
	(sleep 0.6; printf '%s\r\n' "$3"; sleep 0.4) | timeout 10 openssl s_client -connect 127.0.0.1:$1 -$2 -servername mx.example.org -cert rsa.pem -key rsa.pem -sess_out sess >/dev/null 2>&1
	again "$@"
}
again() {
	(sleep 0.6; printf '%s\r\n' "$3"; sleep 0.4) | timeout 10 openssl s_client -ign_eof -connect 127.0.0.1:$1 -$2 -servername mx.example.org -sess_in sess 2>&1 | tr -d '\r' >resumed
	grep -Eo '^(Reused|New)' resumed | head -1
}
for v in tls1_3 tls1_2; do
	is "$(resume $imaps $v 'a LOGOUT')" Reused "$v: a session is resumed"
	like "$(cat resumed)" '\* PREAUTH .*alice' "U-8 PREAUTH in a resumed session, $v"
	is "$(resume $subt $v "$(printf 'EHLO me\r\n%s\r\nQUIT' "$MAIL")")" Reused "$v: submission too"
	like "$(cat resumed)" '250 2.1.0 ' "U-8 mail in a resumed session, $v"
done
is "$(resume $imaps tls1_3 'a LOGOUT')" Reused "once more"
auth-key remove -a alice "$(cat rsa.id)" || exit 111
is "$(again $imaps tls1_3 'a LOGOUT')" Reused "and after the key was removed"
like "$(cat resumed)" '\* OK \[CAP' "U-8 a key that is removed is of no use in a resumed session"
auth-key add -a alice -l alice@example.org -n rsa <rsa.cert.pem >/dev/null || exit 111

# SMTP
for t in ecdsa rsa ed25519; do
	for v in 3 2; do
		out=$(TLS=$v subt $t "$MAIL" 'EHLO me' "$MAIL" 'RCPT TO:<bob@example.org>' 'RCPT TO:<x@elsewhere.example>')
		like "$out" '^503' "EHLO is needed"
		like "$out" '^250-AUTH .*-PLUS .*EXTERNAL' "U-10 EXTERNAL is announced: $t, TLS 1.$v"
		is "$(printf '%s\n' "$out" | grep -Ec '^250 2.1.[05]')" 3 "U-10 mail without AUTH: $t, TLS 1.$v"
	done
done
out=$(sub ecdsa 'EHLO me' "$MAIL" 'RCPT TO:<bob@example.org>' 'DATA')
like "$out" '^354' "U-10 after STARTTLS too"
printf 'From: alice@example.org\nSubject: by key\n\ntext\n' >m1
{ printf 'EHLO me\r\n%s\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n' "$MAIL"; sleep 1; sed 's/$/\r/' m1; printf '.\r\nQUIT\r\n'; sleep 1; } |
    timeout 20 openssl s_client -quiet -connect 127.0.0.1:$subt -cert ecdsa.pem -key ecdsa.pem >s.out 2>/dev/null
like "$(cat s.out)" '^250 2.0.0 queued as ' "a message is taken"
n=$(newest_queued)
like "$n" ' with ESMTPSA$' "U-10 Received with ESMTPSA"
like "$n" 'auth=pass smtp.auth=alice$' "U-10 in the name of the account"
like "$(cat subt.log)" 'm=auth .*mech=client-certificate account=alice result=ok' "the log says how"
out=$(subt ecdsa 'EHLO me' "AUTH PLAIN $(plain alice)" "AUTH PLAIN $(plain alice)" "$MAIL")
is "$(printf '%s\n' "$out" | grep -E '^(235|503|250 2)' | cut -c1-9 | tr '\n' ' ')" "235 2.7.0 503 5.5.1 250 2.1.0 " "U-11 AUTH of the same account, once"
like "$(subt ecdsa 'EHLO me' 'AUTH EXTERNAL =')" '^235' "EXTERNAL too"
out=$(subt ecdsa 'EHLO me' "AUTH PLAIN $(plain bob)" "$MAIL")
like "$out" "^535 5.7.8 $ACCOUNT" "U-11 not of another, saying why"
like "$out" '^250 2.1.0' "the certificate's login stands"
like "$(cat auth.log)" 'm=login-failed service=submission .*user=bob .*why="client key of another account"' "U-11 it counts as a failed login"
like "$(subt bob 'EHLO me' 'MAIL FROM:<bob@example.org>')" '^250 2.1.0' "U-10 no-preauth is for IMAP only"
out=$(subt other 'EHLO me' "$MAIL" 'AUTH EXTERNAL =' "AUTH PLAIN $(plain alice)" "$MAIL")
is "$(printf '%s\n' "$out" | grep -E '^[2-5].. [2-5]' | cut -c1-9 | tr '\n' ' ')" "530 5.7.0 535 5.7.8 235 2.7.0 250 2.1.0 " "U-8 an unknown certificate: as without one, and EXTERNAL fails"
out=$(CERT=ecdsa.pem client smtp starttls $smtp STARTTLS 'EHLO me')
is "$(printf '%s\n' "$out" | grep -c AUTH)" 0 "port 25 asks for no certificate"

# recorded
wait_for 15 sh -c 'auth-log -a alice | grep client-certificate | grep -q submission'
ok "U-14 auth-log tells of PREAUTH" sh -c 'auth-log -a alice | grep client-certificate | grep -q imap'
ok "U-14 and of mail without AUTH" sh -c 'auth-log -a alice | grep client-certificate | grep -q submission'

# a login that is disabled; mail that is unavailable
printf '[account]\naddress = small@example.org\nlogin-disabled = gone fishing\n' >etc/accounts/small.conf
config-compile
out=$(imaps small 'a AUTHENTICATE EXTERNAL =')
like "$(printf '%s\n' "$out" | head -1)" '^\* OK' "U-13 login disabled: no PREAUTH"
like "$out" '^a NO \[CONTACTADMIN\] gone fishing' "U-13 and the text when it tries"
out=$(subt small 'EHLO me' 'MAIL FROM:<small@example.org>' 'AUTH EXTERNAL =')
like "$out" '^530 5.7.0' "U-13 no mail without AUTH"
like "$out" '^525 5.7.13 gone fishing' "U-13 and the text"
printf '[account]\naddress = small@example.org\n' >etc/accounts/small.conf
config-compile
rm -rf var/accounts/small; mkdir -p var/accounts; : >var/accounts/small
is "$(imaps small)" "* BYE [UNAVAILABLE] mail is unavailable" "an account that cannot be opened: BYE as the greeting"
rm -f var/accounts/small

# too many failed logins: nobody from there is served
main_conf "" "" "$strict"
for i in 1 2 3; do client imap implicit $imaps mx.example.org 'a LOGIN alice wrong' >/dev/null; done
is "$(imaps ecdsa)" "* BYE [UNAVAILABLE] too many failed logins, try again later" "U-12 limited: BYE, also with a certificate"
like "$(client imap clear $imap 'a NOOP')" '^\* BYE \[UNAVAILABLE\] too many' "U-12 without TLS: at the first word"
like "$(subt ecdsa)" '^421 4.7.0 mx.example.org too many failed logins' "U-12 submission: 421"
like "$(client smtp clear $sub)" '^421 4.7.0' "U-12 without TLS"
like "$(client smtp clear $smtp NOOP)" '^250' "mail from others is still taken"
main_conf
stop $auth_pid
bg unix-bind -m 600 run/auth auth-serve 2>>auth.log
auth_pid=$bg_pid
wait_for 5 test -S run/auth

# services that are gone
stop $imap_pid
out=$(imaps ecdsa "a AUTHENTICATE EXTERNAL =" 'b NOOP')
like "$(printf '%s\n' "$out" | head -1)" '^\* OK' "imap-serve down: an ordinary greeting"
like "$out" '^a NO \[UNAVAILABLE\]' "and logins fail for now"
like "$out" '^b OK' "the session goes on"
stop $auth_pid
out=$(imaps ecdsa 'a LOGIN alice x' 'b NOOP')
like "$(printf '%s\n' "$out" | head -1)" '^\* OK' "auth-serve down: an ordinary greeting"
like "$out" '^a NO \[UNAVAILABLE\]' "and logins fail for now"
out=$(subt ecdsa 'EHLO me' "$MAIL" "AUTH PLAIN $(plain alice)")
is "$(printf '%s\n' "$out" | grep -E '^[2-5].. [2-5]' | cut -c1-9 | tr '\n' ' ')" "530 5.7.0 454 4.7.0 " "auth-serve down: no mail, 454 to AUTH"
is "$(grep -c 'password of' imaps.log imap.log sub.log subt.log auth.log | grep -vc ':0$')" 0 "no password is logged"
done_testing
