#!/bin/sh
# smtp-out-job.t - the job protocol: what result frames and done say
. "$(dirname "$0")/../tap.sh"
need python3 openssl smtp-out unix-bind mtasts-serve
. "$TOP/tests/dns-fixture"
. "$TOP/tests/pki.sh"
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
mkdir -p etc var run
printf '[server]\nhostname = mx.own.example\n[queue]\nprivate-addresses = yes\n' >etc/main.conf
config-compile || { echo "Bail out! configuration"; exit 111; }
pki_ca root
pki_cert server root 10 DNS:mx.test.example
PIPEMAIL_CA_FILE=$TMP/root.pem; export PIPEMAIL_CA_FILE
printf 'Subject: x\n\ntext\n' >m
n=0
server() {
	n=$((n + 1))
	bg /usr/bin/python3 "$TOP/tests/cmd/smtp-out-server.py" -p "port.$n" -l "log.$n" "$@"
	wait_for 10 test -s "port.$n"
	port=$(cat "port.$n") log=log.$n
}
# out: smtp-out with the DNS and port of now
out() {
	rm -f run/out	# the one before still listens there
	bg unix-bind run/out smtp-out -p "$port" "$@" 2>out.err
	wait_for 10 test -S run/out
}
job() { got=$(/usr/bin/python3 "$TOP/tests/cmd/smtp-out-job.py" run/out m "$@"); }

server -c server.all.pem offer2=PIPELINING,DSN,REQUIRETLS,8BITMIME
cat >zone.json <<'Z'
{ "test.example": { "MX": ["10 mx.test.example"] }, "mx.test.example": { "A": ["127.0.0.1"] } }
Z
dns_stub_start zone.json
bg unix-bind run/mtasts mtasts-serve 2>sts.err
wait_for 10 test -S run/mtasts
out
job
like "$got" '^n=1 attempt\{code=250 status=2.0.0 .*host=mx.test.example ip=127.0.0.1 tls=TLSv1.3 .*outcome=1\}' "B-17 delivered, to a server with DSN"
like "$got" 'dialled=mx.test.example 127.0.0.1;' "Q-11 what was dialled"
like "$got" '^done=1 reusable=1 no-host=0 known\{starttls=1 requiretls=1' "S-18 what is known of the domain; the connection stays"
like "$got" 'tls\{policy-type=no-policy-found policy-domain=test.example mx-host=mx.test.example ip=127.0.0.1' "T-9 the TLS result of the domain"
like "$got" 'tls\{policy-type=no-policy-found policy-domain=mx.test.example .*is-host=1' "T-9 and of the host"
: >"$log"
job jobs=3
wait_for 10 grep -q '^> QUIT' "$log"
is "$(grep -c '^connect' "$log") $(grep -c '^message' "$log") $(grep -c '^> QUIT' "$log")" "1 3 1" "Q-5 three jobs, one connection, QUIT at the end"
job "rcpt=b@test.example,c@test.example" m.envid=x+y r.notify=1 "r.orcpt=rfc822;b+b@test.example" m.ret-headers=1
like "$(grep RET= "$log")" '^> MAIL FROM:<a@own.example>.* RET=HDRS ENVID=x\+2By' "B-17 DSN parameters of the message"
like "$(grep NOTIFY "$log")" '^> RCPT TO:<c@test.example> NOTIFY=NEVER ORCPT=rfc822;b\+2Bb@test.example' "B-17 and of recipients"
job jobs=2 m.kind=2
like "$got" 'outcome=1' "T-7 a DMARC report over TLS"

# ---- 8-bit text and a server without 8BITMIME (Q-26) ----
server -c server.all.pem offer2=PIPELINING
printf 'Subject: x\n\n\303\274\n' >m
out
job
like "$got" 'outcome=2' "Q-26 8-bit text goes to a server without 8BITMIME"
sed -i 's/^hostname.*/&\npedantic = yes/' etc/main.conf; config-compile
out
job
like "$got" 'status=5.6.3 .*outcome=4' "Q-26 pedantic: it does not"
sed -i /pedantic/d etc/main.conf; config-compile
printf 'Subject: x\n\ntext\n' >m

server -c server.all.pem tls=FAIL
out
job m.kind=2
like "$got" 'status=4.7.5 .*outcome=3' "T-7 a DMARC report does not go in clear when TLS fails"
is "$(grep -c '^connect' "$log")" 1 "T-7 there is no second try"
job
like "$got" 'outcome=2' "T-1 other mail does"
like "$got" 'tls\{.*policy-domain=test.example .*result-type=validation-failure' "T-9 the failure is recorded"

server mails=1
out
job jobs=2
is "$(grep -c '^message' "$log") $(grep -c '^connect' "$log")" "2 2" "Q-5 421 over the old connection: a new one"
asked() { echo "$(grep -c '^message' "$log") $(grep -c '^connect' "$log") $(grep -c '^> NOOP' "$log")"; }
server
out
job jobs=2 rest=0.3
is "$(asked)" "2 1 1" "Q-5 after a rest the old connection is asked first"
for how in CLOSE HANG '421 4.3.2 bye'; do
	server "noop=$how"
	out
	job jobs=2 rest=0.3
	is "$(asked)" "2 2 1" "Q-5 it says $how: a new connection"
done
server 'rcpt=550 5.7.1 your address'
echo '{"test.example":{"A":["127.0.0.1"],"AAAA":["::1"]}}' >zone.json
dns_stub_start zone.json
bg unix-bind run/mtasts mtasts-serve 2>sts.err
out
job 'r.dialled=test.example ::1'
like "$got" 'code=550 status=5.7.1 .*outcome=3' "Q-11 5.7.x of a host with both families, first attempt: temporary"
job 'r.dialled=test.example ::1' r.attempts=2
like "$got" 'code=550 status=5.7.1 .*outcome=4' "Q-11 and for good at the second"
job t.no-ipv6=1
like "$got" 'outcome=4' "Q-6 with IPv6 off it is no such host"

# nobody there
port=$(free_port)
out
job t.no-ipv6=1
like "$got" 'status=4.4.1 text=cannot connect: Connection refused' "nobody listens"
like "$got" 'done=1 reusable=0 no-host=1' "B-33 no host could be reached"
job t.no-ipv6=1
like "$got" 'text=the host did not answer a short time ago' "B-33 the next process knows"
job t.source4=192.0.2.77 t.no-ipv6=1 t.type=1 t.host=127.0.0.1 t.port="$port" t.tls-insecure=1
like "$got" 'text=cannot send from 192.0.2.77' "Q-12 the source address is used"
# from WANT NAME LISTENER...: what the first attempt at the host of the domain
# says; $more: what else is in the job
from() {
	f_want=$1 f_name=$2; shift 2
	for f_l; do set -- "$@" -l "$f_l"; shift; done
	stop_out
	out "$@"
	job t.no-ipv6=1 $more
	is "$(printf '%s\n' "$got" | grep -o 'text=cannot [^:]*')" "text=cannot $f_want" "Q-12 $f_name"
}
stop_out() { kill "$bg_pid" 2>/dev/null; wait "$bg_pid" 2>/dev/null; rm -f run/out; }
more=
from "send from 192.0.2.77" "hosts are dialled from the address of the SMTP listener" '192.0.2.77 25'
from "send from 192.0.2.77" "of that family, at whatever ports" '192.0.2.77 25' '192.0.2.77 2525' '2001:db8::1 25'
from "connect" "not with two in a family" '192.0.2.77 25' '192.0.2.78 25'
from "connect" "nor with one at all addresses" '192.0.2.77 25' '0.0.0.0 25'
from "connect" "whichever comes first" '0.0.0.0 25' '192.0.2.77 25'
from "connect" "nor from loopback" '127.0.0.1 25'
more=t.source4=192.0.2.78
from "send from 192.0.2.78" "the transport's address comes first" '192.0.2.77 25'
more="t.type=1 t.host=127.0.0.1 t.port=$port t.tls-insecure=1"
from "connect" "a relay is dialled from any address" '192.0.2.77 25'
exits 100 "Q-12 a listener without an address" smtp-out -l mx.example.org
# T-6: counters
count() { metrics-show | sed -n "s/^pipemail_smtp_out_$1 //p"; }
safe() { echo "{\"test.example\":{\"MX\":[\"10 mx.test.example\"],\"options\":[\"ad\"]},\"mx.test.example\":{\"A\":[\"127.0.0.1\"],\"options\":[\"ad\"]},\"_$port._tcp.mx.test.example\":{\"TLSA\":$1,\"options\":[\"ad\"]}}" >zone.json; dns_stub_start zone.json
	bg unix-bind run/mtasts mtasts-serve 2>sts.err
	out; }
is "$(metrics-show | cut -d ' ' -f 2 | sort -u) $(metrics-show | grep -c .)" "0 13" "T-6 nothing is counted yet: 11 findings, 2 refusals"
right=$(openssl x509 -in server.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r | cut -d ' ' -f 1)
server -c server.all.pem
safe "[\"3 1 1 $(printf '%064d' 0)\"]"
job r.tls=2
like "$got" 'outcome=2' "T-6 TLS-Required: No: sent in spite of DANE"
is "$(count 'tls_required_no_ignored_total{result="tlsa-invalid"}')" 1 "T-6 the finding is counted"
job
like "$got" 'outcome=3' "T-6 not sent without"
is "$(count 'tls_required_no_ignored_total{result="tlsa-invalid"}')" 1 "T-6 and not counted"
safe '"SERVFAIL"'
job r.tls=2
is "$(count 'tls_required_no_ignored_total{result="dnssec-invalid"}')" 1 "T-6 a look-up that failed is counted"
safe "[\"3 1 1 $right\"]"
job r.tls=1 rcpt=a@test.example,b@test.example
like "$got" 'status=5.7.30' "T-6 REQUIRETLS, and the server does not offer it"
is "$(count 'requiretls_refused_total{by="server"}') $(count 'requiretls_refused_total{by="policy"}')" "1 0" "T-6 the refusal is counted, once for a message"
safe '[]'
job r.tls=1
is "$(count 'requiretls_refused_total{by="server"}') $(count 'requiretls_refused_total{by="policy"}')" "1 1" "T-6 and one for the want of a policy; a restart keeps counts"
is "$(metrics-show | grep -v ' 0$' | wc -l)" 4 "EXAMPLES of metrics-show"
printf x >run/metrics/net/other
exits 111 "T-6 a damaged file: the others are shown" metrics-show
is "$(metrics-show 2>/dev/null | grep -c .)" 13 "all of them"
rm run/metrics/net/other
exits 1 "no counters" env PIPEMAIL_RUN="$TMP" metrics-show
exits 100 "an operand" metrics-show x

# without the service of policies nothing is assumed
rm run/mtasts
server
out
job t.no-ipv6=1
like "$got" 'status=4.7.5 text=MTA-STS' "T-3 no answer about the policy: later"
job t.no-ipv6=1 r.tls=2
like "$got" 'outcome=2' "T-5 but for TLS-Required: No"

# ---- a configuration that is replaced ----
pki_ca later
pki_cert local root 10 IP:127.0.0.1
pki_cert late later 10 IP:127.0.0.1
bg env -u PIPEMAIL_CA_FILE unix-bind run/reload smtp-out 2>reload.err
reload_pid=$bg_pid
wait_for 10 test -S run/reload
queue_conf() { printf '[server]\nhostname = %s\n[queue]\n%s\n' "$1" "$2" >etc/main.conf; config-compile; }
relay() { got=$(/usr/bin/python3 "$TOP/tests/cmd/smtp-out-job.py" run/reload m t.helo= t.type=1 t.host=127.0.0.1 t.port="$port"); }
maps() { grep -c 'config\.cdb' "/proc/$reload_pid/maps"; }
server -c local.all.pem
for i in 1 2 3 4 5 6; do queue_conf name$i.example "ca-file = $TMP/later.pem"; relay; done
is "$(grep -c m=reload reload.err) $(maps)" "6 1" "a new configuration six times: the old ones are not kept"
is "$(grep -c "^> EHLO name6.example" "$log")" 1 "what it says counts at once"
like "$got" 'status=4.7.5 text=TLS failed' "L-12 a host whose issuer is not in ca-file"
queue_conf own.example "ca-file = $TMP/root.pem"
relay
like "$got" 'outcome=2' "L-12 another ca-file: the same host is trusted"
queue_conf own.example ''
relay
like "$got" 'status=4.7.5 text=TLS failed' "L-12 none: by the system it is not"
queue_conf own.example "ca-file = $TMP/none.pem"
relay
like "$got" 'status=4.7.5 text=TLS failed' "L-12 one that is not there: what was before counts"
like "$(cat reload.err)" 'cannot set up TLS' "and the log says so"
is "$(maps)" 1 "the old configuration is still the only one"
cp root.pem none.pem
queue_conf own.example "ca-file = $TMP/none.pem"
relay
like "$got" 'outcome=2' "L-12 until it is there"
queue_conf mx.own.example 'private-addresses = yes'

# ---- a proxy ----
bg /usr/bin/python3 "$TOP/tests/cmd/socks-server.py" -p socks.port -l socks.log user=me:secret
wait_for 10 test -s socks.port
server
job t.socks="127.0.0.1:$(cat socks.port)" t.socks-user=me t.socks-password=secret t.type=1 t.host=hub.example t.port="$port" t.tls-insecure=1
like "$got" 'attempt\{code=250 .*host=hub.example .*outcome=2' "Q-6 a job by way of a proxy"
like "$(cat socks.log)" '^login me secret' "Q-6 which wants a login"

# garbage instead of a job
printf '\0\0\0\4abcd' | nc -U -N run/out >/dev/null 2>&1
server 'end=CLOSE'
out
job t.no-ipv6=1 r.tls=2
like "$got" 'outcome=8' "taken, and closed before the reply: unknown"
done_testing
