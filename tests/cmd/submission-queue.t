#!/bin/sh
# submission-queue.t - smtp-in -s: what it hands to run/queue-add, and what it
# tells the client before
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
need swaks msmtp
main_conf 'size-limit = 10M'
pw=secret-of-alice
echo $pw | passwd-set -a alice || exit 111
plain=$(printf '\0alice\0%s' $pw | base64 -w0)
by_address=$(printf '\0alice@example.org\0%s' $pw | base64 -w0)
front_setup mx.example.org
listen sub smtp-in -s; sub=$port
# fake [CODE STATUS TEXT]: a queue-add that answers so; the request in got
fake() {
	[ -z "${fake_pid:-}" ] || stop "$fake_pid"
	rm -f run/queue-add got got.text
	bg /usr/bin/python3 "$TOP/tests/fake-queue-add.py" run/queue-add "$TMP/got" "$@" 2>>fake.log
	fake_pid=$bg_pid
	wait_for 5 test -S run/queue-add
}
tls() { client smtp starttls $sub STARTTLS 'EHLO me.example' "$@"; }
# mail PARAMETERS RCPT...: log in, send a small message; the replies to both
mail() {
	p=$1; shift
	rm -f got got.text
	tls "AUTH PLAIN ${auth:-$plain}" "MAIL FROM:<${from-alice@example.org}>$p" "$@" DATA "$(printf 'From: alice@example.org\r\nSubject: x\r\n\r\ntext\r\n.')" QUIT | sed '1,/^235/d'
}
got() { grep -E "^($1)[ =]" got | sort | tr '\n' ';'; }
B='RCPT TO:<bob@example.org>'
fake

# EHLO
like "$(tls)" '^250-REQUIRETLS$' "R-3 R-4 REQUIRETLS is announced on submission"
like "$(tls)" '^250-DSN$' "B-17 DSN"
like "$(tls)" '^250-CHUNKING$' "B-17 CHUNKING"
like "$(tls)" '^250-DELIVERBY$' "B-17 DELIVERBY"
line=$(tls | grep '^250-FUTURERELEASE 5184000 ' | tail -1)
until=$(date -u -d "$(echo "$line" | cut -d' ' -f3 | tr -d '\r')" +%s)
ok "U-21 FUTURERELEASE: 60 days and until when" test $((until - $(date +%s) - 5184000)) -ge -10 -a $((until - $(date +%s) - 5184000)) -le 0
like "$(tls)" '^250-BINARYMIME$' "B-17 BINARYMIME"
out=$(printf 'EHLO c\r\nQUIT\r\n' | smtp-in 2>/dev/null)
is "$(echo "$out" | grep -Ec 'DSN|FUTURERELEASE|DELIVERBY|REQUIRETLS')" 0 "R-3 port 25 without TLS offers none of them"
like "$out" '^250-CHUNKING' "B-17 but CHUNKING"
is "$(echo "$out" | grep -c BINARYMIME)" 0 "B-17 and not BINARYMIME: signatures of others would break"

# what is handed over
like "$(mail '' "$B")" '^250 2.0.0 queued as fake' "the reply is queue-add's"
is "$(got 'account|login|sender|rcpt|text|with|helo|remote-ip')" "account=alice;helo=me.example;login=alice;rcpt bob@example.org;remote-ip=127.0.0.1;sender=alice@example.org;text inline;with=ESMTPSA;" "U-19 account, envelope and client"
like "$(cat got)" '^tls=TLSv1.3 TLS_' "R-6 version and cipher"
like "$(cat got)" '^received-id=[A-Za-z0-9_-]{22}$' "received-id"
is "$(cat got.text)" "$(printf 'From: alice@example.org\nSubject: x\n\ntext')" "the text as it came, in LF form"
is "$(got 'release|deliver-by|kind|requiretls|smtputf8|ret-full|envid')" "" "and nothing that was not said"
auth=$by_address mail '' "$B" >/dev/null
is "$(got 'account|login')" "account=alice;login=alice@example.org;" "U-23 the address that logged in"
mail ' RET=HDRS ENVID=a+2Bb REQUIRETLS SMTPUTF8 BODY=8BITMIME' "$B NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2B@example.org" 'RCPT TO:<x@elsewhere.example> NOTIFY=NEVER' >/dev/null
is "$(got 'ret-full|ret-headers|envid|requiretls|smtputf8|body-8bit|rcpt')" "body-8bit=1;envid=a+b;rcpt bob@example.org orcpt=rfc822;Bob+@example.org notify=10;rcpt x@elsewhere.example notify=1;requiretls=1;ret-headers=1;smtputf8=1;" "R-4 R-15 B-17 the parameters"
near() { n=$(sed -n "s/^$1=//p" got); test $((n - $(date +%s) - $2)) -ge -20 -a $((n - $(date +%s) - $2)) -le 1; }
mail ' HOLDFOR=3600' "$B" >/dev/null
ok "U-21 HOLDFOR becomes a time" near release 3600
mail " HOLDUNTIL=$(date -u -d '+2 hours' +%Y-%m-%dT%H:%M:%SZ)" "$B" >/dev/null
ok "U-21 HOLDUNTIL" near release 7200
mail ' BY=600;RT' "$B" >/dev/null
ok "B-17 BY becomes a time" near deliver-by 600
is "$(got 'by-return|by-trace')" "by-return=1;by-trace=1;" "B-17 with its modes"
out=$(mail ' HOLDFOR=5184001' "$B")
like "$out" '^501 5.5.4 bad HOLDFOR' "U-21 more than 60 days: 501"
out=$(mail " HOLDFOR=1 HOLDUNTIL=$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$B")
like "$out" '^501 5.5.4 HOLDFOR or HOLDUNTIL, once' "R-15 U-21 not both"
is "$(from= mail '' "$B" >/dev/null; got sender)" "" "U-17 the null sender is anybody's: MDNs"
# BDAT
out=$(rm -f got; { printf 'EHLO c\r\nAUTH PLAIN %s\r\nMAIL FROM:<alice@example.org>\r\n%s\r\nBDAT 28\r\nFrom: alice@example.org\r\n\r\n\rBDAT 6 LAST\r\n\n.x\r\nyQUIT\r\n' "$plain" "$B"; } >in
cat >bdat.py <<'P'
import socket, ssl, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); f = s.makefile("rb"); f.readline()
s.sendall(b"EHLO c\r\nSTARTTLS\r\n")
while not f.readline().startswith(b"220"): pass
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
s = c.wrap_socket(s); s.sendall(open("in", "rb").read())
sys.stdout.write(s.makefile("r").read())
P
timeout 60 /usr/bin/python3 bdat.py $sub)
like "$out" '^250 2.0.0 queued as fake' "B-17 a message by BDAT"
is "$(cat got.text)" "$(printf 'From: alice@example.org\n\n\n.x\ny')" "B-17 is the sum of its chunks"

# BINARYMIME
bin() { # FILE: its message by BDAT; the reply
	rm -f got got.text
	{ printf 'EHLO c\r\nAUTH PLAIN %s\r\nMAIL FROM:<alice@example.org> BODY=BINARYMIME\r\n%s\r\nBDAT %s LAST\r\n' "$plain" "$B" "$(wc -c <"$1")"; cat "$1"; printf 'QUIT\r\n'; } >in
	timeout 60 /usr/bin/python3 bdat.py $sub | tail -2 | head -1
}
printf 'From: alice@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n.text\r\n--b\r\nContent-Type: application/x-bytes\r\nContent-Transfer-Encoding: binary\r\n\r\n' >head
head -c 1000000 /dev/urandom >bytes
{ cat head bytes; printf '\r\n--b--\r\n'; } >b.msg
like "$(bin b.msg)" '^250 2.0.0 queued as fake' "B-17 BODY=BINARYMIME is taken"
is "$(got 'text|body-binary')" "text file;" "B-17 and handed on as text"
is "$(sed '/^Content-Transfer/,$d' got.text)" "$(tr -d '\r' <head | sed '/^Content-Transfer/,$d')" "B-17 with all that is no part of bytes"
is "$(sed '1,/^Content-Transfer-Encoding: base64$/d; /^--b--$/d' got.text | base64 -d | cksum)" "$(cksum <bytes)" "B-17 its bytes in base64"
is "$(tr -d '\n' <got.text | LC_ALL=C grep -c '[^ -~]')" 0 "B-17 and nothing else of them"
printf 'From: alice@example.org\r\n\r\na\0b' >b.msg
like "$(bin b.msg)" '^250' "B-17 in memory"
is "$(tail -2 got.text | tr '\n' ' ')$(got text)" " YQBi text inline;" "B-17 the same"
printf 'From: alice@example.org\r\nSubject: a\rb\r\n\r\nx' >b.msg
like "$(bin b.msg)" '^550 5.6.0 bare CR, bare LF or NUL outside' "B-17 R-11 bytes where only lines may be: 550"
printf 'From: alice@example.org\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\0\r\n--b--\r\n' >b.msg
like "$(bin b.msg)" '^554 5.6.3 binary content in a signed part' "B-17 RFC 3030 3: what cannot be converted is returned"
ok "and nothing is handed on" test ! -e got

# size: in memory it goes inline, from the spool as a descriptor
{ printf 'From: alice@example.org\nSubject: large\n\n'; head -c 3000000 /dev/zero | tr '\0' a | fold -w 70; echo; } >large
sw() { swaks --server 127.0.0.1 --port $sub --tls --auth PLAIN --auth-user alice --auth-password $pw --from alice@example.org --to bob@example.org --helo me "$@" >swaks.out 2>&1; }
sw --data @large
is "$? $(got text)" "0 text file;" "a large message goes as a descriptor"
cmp got.text large >/dev/null 2>&1; is "$(tr -d '\n' <got.text | cksum)" "$(tr -d '\n' <large | cksum)" "and is whole"
printf 'From: alice@example.org\nSubject: m\n\ntext\n' >m1
fp=$(openssl x509 -in etc/tls/mx.example.org.pem -noout -fingerprint -sha256 | sed 's/.*=//')
msmtp -C /dev/null --host=127.0.0.1 --port=$sub --auth=on --user=alice --passwordeval="echo $pw" --tls=on --tls-starttls=on --tls-certcheck=off --tls-trust-file= --tls-fingerprint="$fp" --dsn-notify=delay,failure --dsn-return=hdrs --from=alice@example.org bob@example.org <m1 >msmtp.out 2>&1
is "$? $(got 'ret-headers|rcpt')" "0 rcpt bob@example.org notify=12;ret-headers=1;" "B-17 msmtp asks for a DSN"

# U-17, U-25: told at once
is "$(from=bob@example.org mail '' "$B" | head -1)" "550 5.7.1 this is no address of your account" "U-17 another's address as sender: 550 at MAIL"
is "$(from=alice@elsewhere.example mail '' "$B" | head -1)" "550 5.7.1 this is no address of your account" "U-17 one of elsewhere"
like "$(from=Alice+tag@example.org mail '' "$B" | head -1)" '^250 2.1.0' "U-17 D-3 a tag of one's own is not another's"
is "$(mail '' 'RCPT TO:<nobody@example.org>' "$B" 'RCPT TO:<x@[192.0.2.7]>' 'RCPT TO:<x@off.example>' 'RCPT TO:<postmaster>' | sed -n 2,6p | cut -c1-9 | tr '\n' ' ')" "550 5.1.1 250 2.1.5 250 2.1.5 450 4.2.1 250 2.1.5 " "U-25 unknown 550, address literal taken, disabled 450"
like "$(got rcpt)" 'rcpt x@\[192.0.2.7\];' "U-25 the literal is handed over"

# queue-add's refusals, and none at all
fake 550 5.7.1 'the From address <x@y> is none of this account'
like "$(mail '' "$B")" '^550 5.7.1 the From address <x@y> is none of this account' "its refusal is passed on"
fake 452 4.3.1 'no space'
like "$(mail '' "$B")" '^452 4.3.1 no space' "its 4xx too"
fake close
like "$(mail '' "$B")" '^451 4.3.0 internal error, received-id ' "it hangs up: 451"
stop $fake_pid; fake_pid=
out=$(mail '' "$B")
like "$out" '^451 4.3.0 internal error, received-id ' "it is down: 451 4.3.0"
like "$out" '^221' "and the session lives"
like "$(cat sub.log)" 'm=failed .*what=.*/run/queue-add' "the log says what failed"

# R-4 off
main_conf 'no-requiretls = yes'
fake
is "$(tls | grep -c REQUIRETLS)" 0 "R-4 no-requiretls: not announced"
like "$(mail ' REQUIRETLS' "$B")" '^555 5.5.4 REQUIRETLS is not offered' "R-4 nor taken"
# O-4
main_conf 'simulate = yes
	unknown-recipients-to = bob@example.org'
fake
r() { mail '' "RCPT TO:<$1>" | cut -c1-9 | tr '\n' ' '; }
is "$(r x-permerror@example.org)" "250 2.1.0 250 2.1.5 354 send  550 5.0.0 221 2.0.0 " "O-4 permerror: 550 after the message"
is "$(r x-temperror@elsewhere.example)" "250 2.1.0 250 2.1.5 354 send  451 4.0.0 221 2.0.0 " "O-4 temperror: 451"
is "$(r x452@example.org)" "250 2.1.0 250 2.1.5 354 send  452 4.0.0 221 2.0.0 " "O-4 three digits"
is "$(r rcptto-permerror@example.org | cut -d' ' -f1-4)" "250 2.1.0 550 5.0.0" "O-4 rcptto: at RCPT"
is "$(from=mailfrom550@example.org r bob@example.org | cut -d' ' -f1-2)" "550 5.0.0" "O-4 mailfrom: at MAIL"
ok "O-4 none of them is queued" test ! -e got
is "$(r anyone@elsewhere.example)" "250 2.1.0 250 2.1.5 354 send  250 2.0.0 221 2.0.0 " "O-4 anyone anywhere gets the rest"
stop $fake_pid; fake_pid=; rm -f run/queue-add
start_queue_add
r queue-this@elsewhere.example >/dev/null
is "$(queue-list -H yes | wc -l | tr -d ' ')" 1 "O-4 queue: it stays in the queue, on hold"
r bob@example.org >/dev/null
is "$(queue-list -H yes | wc -l | tr -d ' ') $(queue-list | wc -l | tr -d ' ')" "1 2" "O-4 others are not held"
# port 25 takes what comes out of the queue again
out=$(printf 'EHLO c\r\nMAIL FROM:<mailfrom-temperror@b.example>\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<rcptto499@example.org>\r\nRCPT TO:<x@elsewhere.example>\r\nQUIT\r\n' | smtp-in 2>/dev/null | tr -d '\r' | sed '1,/SMTPUTF8/d' | cut -c1-9 | tr '\n' ' ')
is "$out" "451 4.0.0 250 2.1.0 499 4.0.0 250 2.1.5 221 2.0.0 " "O-4 so does port 25"
done_testing
