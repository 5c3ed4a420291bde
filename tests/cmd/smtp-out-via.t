#!/bin/sh
# smtp-out-via.t - transports: SOCKS5, IPv6 only, client certificates; hosts
# that split a message; REQUIRETLS by MTA-STS
. "$(dirname "$0")/../tap.sh"
need python3 openssl smtp-out config-compile unix-bind mtasts-serve
. "$TOP/tests/dns-fixture"
. "$TOP/tests/pki.sh"
tab=$(printf '\t')
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
mkdir -p etc var run
pki_ca root
pki_cert server root 10 DNS:mx.test.example,DNS:mta-sts.test.example,DNS:mta-sts.other.example
pki_cert me root 10 DNS:mx.own.example
PIPEMAIL_CA_FILE=$TMP/root.pem; export PIPEMAIL_CA_FILE
printf 'Subject: x\n\ntext\n' >m
# main_conf LINE...: of a transport t
main_conf() {
	{
		printf '[server]\nhostname = mx.own.example\n[queue]\nprivate-addresses = yes\nreply-timeout = 5s\n[transport "t"]\n'
		for l; do printf '%s\n' "$l"; done
	} >etc/main.conf
	config-compile || { echo "Bail out! configuration"; exit 111; }
}
n=0
server() {
	n=$((n + 1))
	bg /usr/bin/python3 "$TOP/tests/cmd/smtp-out-server.py" -p "port.$n" -l "log.$n" "$@"
	wait_for 10 test -s "port.$n" || { echo "Bail out! no server"; exit 111; }
	port=$(cat "port.$n") log=log.$n
}
proxy() {
	n=$((n + 1))
	bg /usr/bin/python3 "$TOP/tests/cmd/socks-server.py" -p "port.$n" -l "log.$n" "$@"
	wait_for 10 test -s "port.$n" || { echo "Bail out! no proxy"; exit 111; }
	proxy=127.0.0.1:$(cat "port.$n") plog=log.$n
}
# send PLACE RCPT...: what the results say in $got, texts in $text
send() {
	smtp-out ${opt:-} -p "$port" -t t -f a@own.example "$@" <m >.out 2>.err
	code=$?
	got="$(cut -f 2-4 .out | tr "$tab\n" ' ;')$code"
	text=$(cut -f 5 .out)
}
zone() { printf '%s\n' "$1" >zone.json; dns_stub_start zone.json; }

# ---- times ----
queue_key() { printf '[server]\nhostname = mx.own.example\n[queue]\n%s\n' "$1" >etc/main.conf; config-compile 2>key.err; }
for k in 'reply-timeout = 1s' 'reply-timeout = 10m' 'session-timeout = 1s' 'session-timeout = 30m'; do
	ok "$k" queue_key "$k"
done
for k in 'reply-timeout = 0s' 'reply-timeout = 601s' 'session-timeout = 0s' 'session-timeout = 1801s'; do
	queue_key "$k"; is "$? $(grep -c "${k%% *}" key.err)" "100 1" "$k is refused"
done

# ---- SOCKS5 ----
server
zone '{"test.example":{"MX":["10 mx.test.example"]},"mx.test.example":{"A":["192.0.2.7"]},"six.example":{"AAAA":["2001:db8::7"]}}'
via() { proxy "$@"; main_conf "socks = $proxy"; send test.example b@test.example; }
via
is "$got" "relayed 250 2.0.0;0" "Q-6 SOCKS5: a host behind a proxy"
is "$(cat $plog)" "connect 192.0.2.7 $port" "Q-6 by its address, which is not dialled from here"
send six.example b@six.example
is "$got $(tail -1 $plog)" "relayed 250 2.0.0;0 connect 2001:db8::7 $port" "Q-6 IPv6"
main_conf "socks = $proxy" 'type = relay' 'host = hub.nowhere.example' "port = $port" 'verify = no'
send test.example b@test.example
is "$got $(tail -1 $plog)" "relayed 250 2.0.0;0 connect hub.nowhere.example $port" "Q-6 the name of a relay is looked up by the proxy"
long=$(printf '%063d.%063d.%063d.%059d' 0 0 0 0 | tr 0 a)
main_conf "socks = $proxy" 'type = relay' "host = $long.ex" "port = $port" 'verify = no'
send test.example b@test.example
like "$(tail -1 $plog)" "^connect aaaa" "Q-6 as long as names are"
via slow=1
is "$got" "relayed 250 2.0.0;0" "Q-6 a proxy that answers octet by octet: the greeting behind it is the host's"
via bound=name
is "$got" "relayed 250 2.0.0;0" "Q-6 it is bound to a name"
via bound=ipv6
is "$got" "relayed 250 2.0.0;0" "Q-6 or to IPv6"
proxy user=me:secret
printf 'secret\n' >etc/pw; printf 'wrong\n' >etc/bad; printf '%0256d\n' 0 >etc/long; printf '%0255d\n' 0 >etc/most
login() { main_conf "socks = $proxy" "socks-user = $1" "socks-password-file = $2"; send test.example b@test.example; }
login me pw
is "$got $(head -1 $plog)" "relayed 250 2.0.0;0 login me secret" "Q-6 RFC 1929 a proxy that wants a login"
login me bad
is "$got$text" "delayed 0 4.4.1;111the proxy does not take the login" "Q-6 that does not take it"
login me most
is "$text" "the proxy does not take the login" "Q-6 a password of 255 octets is said"
like "$(tail -1 $plog)" '^login me 0{255}$' "Q-6 whole"
login me long
is "$text" "the login is too long for a proxy" "Q-6 one of 256 is not"
login me none
is "$code" 111 "Q-6 one that is not there"
main_conf "socks = $proxy"
send test.example b@test.example
is "$got$text" "delayed 0 4.4.1;111the proxy wants a login" "Q-6 a login that is not configured"
proxy
login me pw
is "$got$(grep -c login $plog)" "relayed 250 2.0.0;00" "Q-6 no login where none is wanted"
bad() { via "$1"; is "$got$text" "delayed 0 4.4.1;111$2" "Q-6 ${3:-$2}"; }
bad 'method=\x05\xff' 'the proxy wants a login' 'no method'
bad 'method=HTTP/1.1 400 no' 'it is no SOCKS5 proxy'
bad 'method=CLOSE' 'the proxy does not answer' 'closes at once'
bad 'reply=CLOSE' 'the proxy does not answer' 'closes before its reply'
bad 'reply=\x05\x00\x00\x02\x00\x00' "the proxy's answer is malformed"
bad 'reply=\x04\x00\x00\x01\x00\x00' 'it is no SOCKS5 proxy' 'another version in its reply'
for r in '1 the proxy failed' "2 the proxy's rules do not allow it" '3 the proxy cannot reach the network' \
    '4 the proxy cannot reach the host' "5 the host refuses the proxy's connection" '6 the host does not answer the proxy' \
    '7 the proxy does not know the command' '8 the proxy does not know this kind of address' \
    '9 the proxy refuses, with an unknown code'; do
	bad "reply=\\x05\\x0${r%% *}\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00" "${r#* }"
done
main_conf "socks = 127.0.0.1:$(free_port)"
send test.example b@test.example
is "$got$text" "delayed 0 4.4.1;111the proxy: cannot connect: Connection refused" "Q-6 no proxy is there"

# ---- IPv6 alone ----
if grep -q . /proc/net/if_inet6 2>/dev/null; then
	server -a ::1
	zone '{"test.example":{"MX":["10 mx.test.example"]},"mx.test.example":{"AAAA":["::1"]}}'
	main_conf
	send test.example b@test.example
	is "$got $(head -1 $log)" "relayed 250 2.0.0;0 connect ::1" "Q-10 a host with IPv6 alone"
	main_conf 'ipv6 = no'
	send test.example b@test.example
	is "$got$text" "delayed 0 4.4.4;111mx.test.example: it has no address of the families that are used" "Q-6 which is off: nobody is there"
	main_conf 'source-ipv6 = 2001:db8::77'
	send test.example b@test.example
	like "$got$text" '^delayed 0 4.4.1;111cannot send from 2001:db8::77' "Q-12 from an address of its own"
else
	skip "Q-10 a host with IPv6 alone" "this machine has no IPv6"
fi

# ---- hosts that split a message ----
zone '{"test.example":{"MX":["10 mx.test.example"]},"mx.test.example":{"A":["127.0.0.1"]}}'
main_conf
three='a@test.example b@test.example c@test.example'
server 'rcpt2=552 5.5.3 too many' 'rcpt3=552 5.5.3 too many'
send test.example $three
is "$got" "relayed 250 2.0.0;relayed 250 2.0.0;relayed 250 2.0.0;0" "Q-5 552 for all but the first: again at once, until nobody is left"
is "$(grep -c '^message' $log) $(grep -c '^connect' $log)" "3 1" "Q-5 over the same connection"
server 'rcpt2=552 5.5.3 too many'
send test.example a@test.example b@test.example
is "$got $(grep '^> RCPT' $log | cut -d'<' -f2 | tr '\n' ' ')" "relayed 250 2.0.0;relayed 250 2.0.0;0 a@test.example> b@test.example> b@test.example> " "Q-5 one recipient, 552: he gets it in a transaction of his own"
server 'rcpt1=552 5.2.2 full'
send test.example b@test.example
is "$got" "failed 552 5.2.2;100" "Q-5 552 for the first recipient is no split"
server
send test.example a@test.example 'bjørn@test.example' c@test.example
is "$got" "relayed 250 2.0.0;failed 0 5.6.7;relayed 250 2.0.0;100" "Q-5 a host without SMTPUTF8: one recipient fails, the others have it"
is "$(grep -c '^> RCPT' $log) $(grep -c '^message' $log)" "2 1" "Q-5 and they were asked for in one transaction"
server offer=PIPELINING,8BITMIME,SMTPUTF8
send test.example a@test.example 'bjørn@test.example'
is "$got" "relayed 250 2.0.0;relayed 250 2.0.0;0" "Q-5 a host with it: both"
like "$(cat $log)" '^> MAIL FROM:<a@own.example>.* SMTPUTF8' "Q-5 MAIL says so"

# ---- client certificates ----
cp me.key etc/key; cp me.pem etc/cert; cp server.pem etc/another
certificate() { main_conf 'type = relay' 'host = mx.test.example' "port = $port" "$@"; send test.example b@test.example; }
server -c server.all.pem -C root.pem offer2=PIPELINING,AUTH_EXTERNAL
certificate 'client-key-file = key' 'client-certificate-file = cert'
is "$got" "relayed 250 2.0.0;0" "Q-9 a client certificate"
is "$(grep -c '^client-cert' $log) $(grep -c '^> AUTH' $log)" "1 0" "Q-9 is shown; nobody logs in"
certificate 'client-key-file = key' 'client-certificate-file = cert' 'mechanisms = EXTERNAL'
is "$got $(grep '^> AUTH' $log)" "relayed 250 2.0.0;0 > AUTH EXTERNAL =" "Q-9 EXTERNAL by it"
certificate
is "$got $(grep -c '^client-cert' $log)" "relayed 250 2.0.0;0 2" "Q-9 without one none is shown"
certificate 'client-key-file = key' 'client-certificate-file = another'
like "$got$text" '^delayed 0 4.3.5;111the client certificate cannot be used' "Q-9 a certificate of another key"
is "$(grep -c '^connect' $log)" 3 "Q-9 nobody is dialled with it"
certificate 'client-key-file = nothing'
is "$code" 111 "Q-9 a key that is not there"

# ---- REQUIRETLS by a policy ----
mkdir sts
bg /usr/bin/python3 "$TOP/tests/mtasts-server.py" -c server.all.pem -r sts.port -l sts.log sts
wait_for 10 test -s sts.port
PIPEMAIL_MTASTS_PORT=$(cat sts.port); export PIPEMAIL_MTASTS_PORT
zone '{"test.example":{"MX":["10 mx.test.example"]},"mx.test.example":{"A":["127.0.0.1"]},
"_mta-sts.test.example":{"TXT":["v=STSv1; id=1"]},"mta-sts.test.example":{"A":["127.0.0.1"]}}'
main_conf
policy() { printf 'version: STSv1\nmode: %s\nmx: %s\nmax_age: 86400\n' "$1" "$2" >sts/mta-sts.test.example; }
require() { opt=-R; send test.example b@test.example; opt=; }
server -c server.all.pem offer=STARTTLS offer2=PIPELINING,REQUIRETLS
policy enforce mx.test.example
require
is "$got" "relayed 250 2.0.0;0" "T-4 REQUIRETLS: an enforced MTA-STS policy satisfies it"
like "$(cat $log)" '^> MAIL FROM:<a@own.example> .*REQUIRETLS' "T-4 MAIL says so"
policy testing mx.test.example
require
is "$got" "failed 0 5.7.30;100" "T-4 one that is being tested does not"
policy none mx.test.example
require
is "$got" "failed 0 5.7.30;100" "T-4 none does not"
policy enforce '*.elsewhere.example'
require
is "$got" "delayed 0 4.7.5;111" "T-4 one that does not name the host: later, perhaps it will"
policy enforce mx.test.example
server -c server.all.pem
require
is "$got" "failed 0 5.7.30;100" "T-4 a host of the policy that does not offer REQUIRETLS"
server -c me.all.pem offer=STARTTLS offer2=PIPELINING,REQUIRETLS
require
is "$got$text" "delayed 0 4.7.5;111TLS failed: the certificate is for another name" "T-3 T-4 a certificate for another name"
server offer=PIPELINING,REQUIRETLS
require
is "$got" "delayed 0 4.7.4;111" "T-4 no STARTTLS, whatever it offers"
is "$(grep -c '^> MAIL' $log)" 0 "T-4 nothing is said to it"
done_testing
