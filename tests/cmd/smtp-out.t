#!/bin/sh
# smtp-out.t - by hand, against servers and DNS that do what they should not
. "$(dirname "$0")/../tap.sh"
need python3 openssl smtp-out config-compile mandoc col
. "$TOP/tests/dns-fixture"
. "$TOP/tests/pki.sh"
tab=$(printf '\t')
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
mkdir -p etc var run
main_conf() {
	printf '[server]\nhostname = mx.own.example\n[queue]\nprivate-addresses = %s\n%s\n' "$1" "${2:-}" >etc/main.conf
	config-compile || { echo "Bail out! configuration"; exit 111; }
}
pki_ca root
pki_ca other
pki_cert server root 10 DNS:mx.test.example
pki_cert wrong other 10 DNS:mx.test.example
PIPEMAIL_CA_FILE=$TMP/root.pem
export PIPEMAIL_CA_FILE
printf 'Subject: x\n\ntext\n.dot\n' >m

# server [OPTION ...] BEHAVIOUR...: a new one on $port, its log in log.$n
n=0
server() {
	n=$((n + 1))
	bg /usr/bin/python3 "$TOP/tests/cmd/smtp-out-server.py" -p "port.$n" -l "log.$n" "$@"
	wait_for 10 test -s "port.$n" || { echo "Bail out! no server"; exit 111; }
	port=$(cat "port.$n") log=log.$n
}
# send PLACE RCPT...: what the results say, without texts; in full in .out
send() {
	smtp-out ${opt:-} -f a@own.example "$@" <m >.out 2>.err
	code=$?
	got="$(cut -f 2-4 .out | tr "$tab\n" ' ;')$code"
}
one() { server "$@"; send "127.0.0.1:$port" b@test.example; }
exits 100 "the usage" smtp-out -x
main_conf yes

# ---- a server in order ----
one
is "$got" "relayed 250 2.0.0;0" "S-18 taken by a server without DSN: relayed"
one offer=PIPELINING,DSN
is "$got" "delivered 250 2.0.0;0" "B-17 with DSN: delivered"
server dump=got; send "127.0.0.1:$port" b@test.example
is "$(cat got)" "$(cat m)" "the message arrives as it is"

# ---- servers that are not in order ----
one greeting=CLOSE
is "$got" "delayed 0 4.4.2;111" "closes at once"
one ehlo=CLOSE
is "$got" "delayed 0 4.4.2;111" "closes at EHLO"
one mail=CLOSE
is "$got" "delayed 0 4.4.2;111" "closes at MAIL"
one rcpt=CLOSE
is "$got" "delayed 0 4.4.2;111" "closes at RCPT"
one data=CLOSE
is "$got" "delayed 0 4.4.2;111" "closes at DATA"
one end=CLOSE
is "$got" "unknown 0 4.4.2;111" "takes the text, closes before the reply: unknown, to be sent again"
one quit=CLOSE
is "$got" "relayed 250 2.0.0;0" "closes at QUIT: all the same"
one 'greeting=SLOW:220 slow' 'end=SLOW:250 2.0.0 slowly'
is "$got" "relayed 250 2.0.0;0" "byte by byte"
one ehlo=FLOOD
is "$got" "delayed 0 4.5.0;111" "a reply without end"
one ehlo=LONG
is "$got" "delayed 0 4.5.0;111" "a line without end"
one 'mail=RAW:hello\r\n'
is "$got" "delayed 0 4.5.0;111" "no reply line"
one 'mail=RAW:250-a\r\n550 b\r\n'
is "$got" "delayed 0 4.5.0;111" "a reply with two codes"
one 'greeting=RAW:220 a\r\n250 b\r\n'
is "$got" "delayed 0 4.5.0;111" "a reply to nothing"
one 'greeting=421 4.3.2 later'
is "$got" "delayed 421 4.3.2;111" "421 as greeting"
one 'greeting=554 5.3.2 never'
is "$got" "failed 554 5.3.2;100" "554 as greeting"
one 'data=354 go' 'end=451 4.7.1 greylisted'
is "$got" "delayed 451 4.7.1;111" "451 after the text"
one 'end=550 no'
is "$got" "failed 550 5.0.0;100" "550 without an enhanced code"
server 'rcpt3=550 5.1.1 nobody'
send "127.0.0.1:$port" a@t.example b@t.example c@t.example d@t.example e@t.example
is "$got" \
    "relayed 250 2.0.0;relayed 250 2.0.0;failed 550 5.1.1;relayed 250 2.0.0;relayed 250 2.0.0;100" "Q-5 refuses recipient 3 of 5"
server offer=PIPELINING,LIMITS_RCPTMAX=2
send "127.0.0.1:$port" a@t.example b@t.example c@t.example
is "$got" "relayed 250 2.0.0;relayed 250 2.0.0;relayed 250 2.0.0;0" "Q-5 RCPTMAX 2, three recipients"
is "$(grep -c '^message' $log) $(grep -c connect $log)" "2 1" "Q-5 two transactions, one connection"
server 'rcpt2=452 4.5.3 too many'
send "127.0.0.1:$port" a@t.example b@t.example
is "$got" "relayed 250 2.0.0;relayed 250 2.0.0;0" "Q-5 452 for the second recipient: again at once"
is "$(grep -c '^message' $log) $(grep -c connect $log)" "2 1" "Q-5 in a transaction of its own"

# ---- the hosts of a domain ----
# direct ZONE DOMAIN: as send
direct() {
	printf '%s\n' "$1" >zone.json
	dns_stub_start zone.json
	send -p "$port" "$2" "b@$2"
}
host='"mx.test.example":{"A":["127.0.0.1"]}'
server
direct '{"test.example":{"MX":["10 mx.test.example"]},'"$host"'}' test.example
is "$got" "relayed 250 2.0.0;0" "Q-10 the MX of the domain"
direct '{"test.example":{"A":["127.0.0.1"]}}' test.example
is "$got" "relayed 250 2.0.0;0" "Q-10 no MX: the domain itself"
direct '{"test.example":{"MX":["0 ."]}}' test.example
is "$got" "failed 0 5.1.10;100" "Q-10 null MX"
direct '{}' test.example
is "$got" "failed 0 5.1.2;100" "Q-10 no such domain"
direct '{"test.example":{"MX":"SERVFAIL"}}' test.example
is "$got" "delayed 0 4.4.3;111" "Q-10 servfail"
direct '{"test.example":{"CNAME":["test.example"]}}' test.example
is "$got" "delayed 0 4.4.3;111" "Q-10 an alias in a circle"
direct '{"test.example":{"MX":["10 127.0.0.1","20 -x.example"]}}' test.example
is "$got" "failed 0 5.4.4;100" "Q-10 MX names that are no hosts"
direct '{"test.example":{"MX":["10 mx_1.test.example"]},"mx_1.test.example":{"A":["127.0.0.1"]}}' test.example
is "$got" "relayed 250 2.0.0;0" "Q-10 underscores"
direct '{"test.example":{"MX":["10 mx.own.example","20 mx.test.example"]},'"$host"'}' test.example
is "$got" "failed 0 5.4.6;100" "Q-10 this host is the best MX"
direct '{"test.example":{"MX":["5 mx.test.example","10 mx.own.example"]},'"$host"'}' test.example
is "$got" "relayed 250 2.0.0;0" "Q-10 a better one"
direct '{"test.example":{"MX":["10 none.example","20 mx.test.example"]},'"$host"'}' test.example
is "$got" "relayed 250 2.0.0;0" "Q-10 the next MX after one without address"
hundred=$(i=0; while [ $i -lt 100 ]; do printf '"%s h%s.example",' $((i + 10)) $i; i=$((i + 1)); done)
direct '{"test.example":{"MX":['"$hundred"'"5 mx.test.example"]},'"$host"'}' test.example
is "$got" "relayed 250 2.0.0;0" "Q-10 100 MX, the best one is there"
direct '{"test.example":{"MX":['"$hundred"'"500 mx.test.example"]},'"$host"'}' test.example
is "$got" "delayed 0 4.4.4;111" "Q-10 of 100 MX only the first ten are tried"
main_conf no
direct '{"test.example":{"MX":["10 mx.test.example"]},'"$host"'}' test.example
is "$got" "delayed 0 4.4.4;111" "Q-10 private addresses are not dialled"
direct '{"test.example":{"A":["127.0.0.1"]}}' test.example
is "$got" "failed 0 5.4.4;100" "Q-10 nor those of the domain itself"
direct '{"test.example":{"AAAA":["::ffff:127.0.0.1"]}}' test.example
is "$got" "failed 0 5.4.4;100" "Q-10 nor an IPv4 one dressed up as IPv6"
main_conf yes "[transport \"v6\"]
type = direct
ipv4 = no"
printf '%s' '{"test.example":{"A":["127.0.0.1"]}}' >zone.json; dns_stub_start zone.json; send -p "$port" -t v6 test.example b@test.example
is "$got" "failed 0 5.4.4;100" "Q-6 IPv4 is off and there is no IPv6"

# ---- TLS ----
zone='{"test.example":{"MX":["10 mx.test.example"]},'"$host"'}'
server -c server.all.pem
direct "$zone" test.example
is "$got" "relayed 250 2.0.0;0" "T-1 STARTTLS"
like "$(cat $log)" '^tls TLSv1.3' "T-1 it was used"
like "$(cat $log)" '^sni mx.test.example' "T-8 SNI is the MX host"
server -c wrong.all.pem
direct "$zone" test.example
is "$got" "relayed 250 2.0.0;0" "T-1 a wrong certificate does not matter"
like "$(cat $log)" '^tls' "T-1 with TLS"
server -c server.all.pem tls=FAIL
direct "$zone" test.example
is "$got" "relayed 250 2.0.0;0" "T-1 STARTTLS fails: again in clear"
is "$(grep -c '^connect' $log)" 2 "T-1 by a second connection"
server -c server.all.pem 'starttls=RAW:220 go\r\n250 injected\r\n'
direct "$zone" test.example
is "$got" "delayed 0 4.5.0;111" "T-1 text before TLS: nothing is sent"
server -c server.all.pem offer2=PIPELINING,SIZE_5
direct "$zone" test.example
is "$got" "failed 0 5.3.4;100" "T-1 what counts is offered after TLS"
# DANE: the records of the server's key, authentic
spki() { openssl x509 -in "$1.pem" -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1; }
safe='"test.example":{"MX":["10 mx.test.example"],"options":["ad"]},"mx.test.example":{"A":["127.0.0.1"],"options":["ad"]}'
# dane RECORD: the zone with it at $port
dane() { echo "{$safe,\"_$port._tcp.mx.test.example\":{\"TLSA\":$1,\"options\":[\"ad\"]}}"; }
right="[\"3 1 1 $(spki server)\"]"
server -c wrong.all.pem
direct "$(dane "[\"3 1 1 $(spki wrong)\"]")" test.example
is "$got" "relayed 250 2.0.0;0" "T-2 a certificate that the TLSA record names"
direct "$(dane "$right")" test.example
is "$got" "delayed 0 4.7.5;111" "T-2 another one: not sent, not in clear either"
is "$(grep -c '^message' $log)" 1 "T-2 nothing was sent"
direct "$(dane '["1 1 1 00"]')" test.example
is "$got" "relayed 250 2.0.0;0" "T-2 no usable record: TLS without verification"
direct "$(dane '"SERVFAIL"')" test.example
is "$got" "delayed 0 4.7.5;111" "T-2 T-12 the look-up fails"
opt=-N
direct "$(dane "$right")" test.example
is "$got" "relayed 250 2.0.0;0" "T-5 T-6 TLS-Required: No goes through a wrong certificate"
like "$(cat .err)" 'm=tls-finding-ignored' "T-6 and the log says so"
direct "$(dane '"SERVFAIL"')" test.example
is "$got" "relayed 250 2.0.0;0" "T-5 and through a look-up that fails"
server
direct "$(dane "$right")" test.example
is "$got" "relayed 250 2.0.0;0" "T-5 and in clear where there is no STARTTLS"
opt=
direct "$(dane "$right")" test.example
is "$got" "delayed 0 4.7.4;111" "T-2 which waits otherwise"
opt=-R
server -c server.all.pem
direct "$zone" test.example
is "$got" "failed 0 5.7.30;100" "T-4 REQUIRETLS without DANE or policy"
like "$(cat .err)" 'm=requiretls-refused' "T-6 the log says so"
direct "$(dane "$right")" test.example
is "$got" "failed 0 5.7.30;100" "T-4 with DANE, and the server does not offer it"
server -c server.all.pem offer=STARTTLS offer2=PIPELINING,REQUIRETLS
direct "$(dane "$right")" test.example
is "$got" "relayed 250 2.0.0;0" "T-4 with DANE and REQUIRETLS offered"
like "$(cat $log)" '^> MAIL FROM:<a@own.example> .*REQUIRETLS' "T-4 MAIL says REQUIRETLS"
opt=
# relay NAME KEYS: a transport of this name to $port
relay() { main_conf yes "[transport \"r\"]
host = mx.test.example
port = $port
$1"; printf '%s' "{$host}" >zone.json; dns_stub_start zone.json; send -t r test.example b@test.example; }
server -c server.all.pem
relay 'type = relay'
is "$got" "relayed 250 2.0.0;0" "T-11 a relay with a right certificate"
unset PIPEMAIL_CA_FILE
server -c server.all.pem
relay 'type = relay'
is "$got" "delayed 0 4.7.5;111" "L-12 the system does not know its issuer"
cp root.pem etc/own-ca.pem
relay 'type = relay
[queue]
ca-file = own-ca.pem'
is "$got" "relayed 250 2.0.0;0" "L-12 trusted by ca-file, below the configuration directory"
server -c server.all.pem
relay "type = relay
[queue]
system-ca = no
ca-file = $TMP/other.pem"
is "$got" "delayed 0 4.7.5;111" "L-12 not by another"
export PIPEMAIL_CA_FILE="$TMP/root.pem"
server -c wrong.all.pem
relay 'type = relay'
is "$got" "delayed 0 4.7.5;111" "T-11 with a wrong one"
is "$(grep -c '> MAIL' $log)" 0 "T-11 nothing was said to it"
relay 'type = relay
verify = no'
is "$got" "relayed 250 2.0.0;0" "T-11 unless it is not to be verified"
server
relay 'type = relay'
is "$got" "delayed 0 4.7.4;111" "T-11 without STARTTLS"
server -i -c server.all.pem offer=PIPELINING,AUTH_PLAIN
printf 'secret\n' >etc/pw
relay 'type = submissions
user = me
password-file = pw
mechanisms = PLAIN'
is "$got" "relayed 250 2.0.0;0" "Q-6 Q-9 a submission with login"
like "$(cat $log)" "> AUTH PLAIN $(printf '\0me\0secret' | base64)" "Q-9 by PLAIN, since it was asked for"
server -i -c server.all.pem offer=PIPELINING,AUTH_PLAIN
relay 'type = submissions
user = me
password-file = pw'
is "$got" "delayed 0 4.7.0;111" "Q-9 PLAIN is not used unasked"

# ---- programs, LMTP, answers ----
printf '#!/bin/sh\nenv >%s/env\ncat >%s/got\nexit ${1:-0}\n' "$TMP" "$TMP" >prog
chmod 755 prog
kind() { main_conf yes "[transport \"k\"]
$1"; send -t k test.example b@test.example c@test.example; }
kind "type = command
command = $TMP/prog"
is "$got" "delivered 0 2.0.0;delivered 0 2.0.0;0" "B-14 a command takes it"
is "$(cat got)" "$(cat m)" "B-14 the message on standard input"
like "$(cat env)" '^SENDER=a@own.example' "B-14 the envelope in the environment"
kind "type = command
command = $TMP/prog 75"
is "$got" "delayed 0 4.3.0;delayed 0 4.3.0;111" "B-14 EX_TEMPFAIL"
kind "type = command
command = $TMP/prog 100"
is "$got" "failed 0 5.3.0;failed 0 5.3.0;100" "B-14 exit code 100"
kind "type = bsmtp
command = $TMP/prog"
is "$got" "delivered 0 2.0.0;delivered 0 2.0.0;0" "B-14 batch SMTP"
is "$(tr -d '\r' <got)" "EHLO mx.own.example
MAIL FROM:<a@own.example>
RCPT TO:<b@test.example>
RCPT TO:<c@test.example>
DATA
Subject: x

text
..dot
.
QUIT" "B-14 what the program reads"
kind "type = fail
code = 451
text = not today"
is "$got" "delayed 451 4.0.0;delayed 451 4.0.0;111" "Q-6 a transport that fails"
server -u sock lmtp=1 'end2=550 5.2.2 full'
send "$TMP/sock" b@t.example c@t.example
is "$got" "delivered 250 2.0.0;failed 550 5.2.2;100" "U-19 LMTP, a reply for each recipient"
server -u sock2 lmtp=1
send -R "$TMP/sock2" b@test.example
is "$got" "delivered 250 2.0.0;0" "T-4 REQUIRETLS asks nothing of a socket of this machine"

# ---- the manual's example: port 25 is not the test's ----
main_conf yes
server
printf '%s' '{"example.net":{"MX":["10 mx.example.net"]},"mx.example.net":{"A":["127.0.0.1"]}}' >zone.json
dns_stub_start zone.json
cp m message
mandoc -T ascii -O width=300 "$TOP/man/smtp-out.8" | col -bx | sed -n '/^EXAMPLES/,/^SEE/s/^ *smtp-out /&-p '"$port"' /p' >example.sh
is "$(wc -l <example.sh | tr -d ' ')" 1 "smtp-out(8): there is an example"
exits 0 "smtp-out(8): it runs" sh example.sh
like "$(cat .out)" "^1${tab}relayed${tab}250${tab}2.0.0${tab}2.0.0 taken" "smtp-out(8): a line for the recipient"
like "$(cat .err)" '^> RCPT TO:<you@example.net>' "smtp-out(8): and each step is shown"
done_testing
