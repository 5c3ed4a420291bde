#!/bin/sh
# dnsbl-check - A-10, A-13, J-18: lists of bad senders in DNS
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/dns-fixture"
tab=$(printf '\t')

cat >bl.example.org.zone <<'E'
$ORIGIN bl.example.org.
2.0.0.127	A 127.0.0.2
2.0.0.127	TXT "test entry"
9.2.0.192	A 127.0.0.4
9.2.0.192	TXT "sends spam, see https://bl.example.org/192.0.2.9"
2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0	A 127.0.0.2
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2	A 127.0.0.2
E
cat >all.example.zone <<'E'
$ORIGIN all.example.
*	A 127.0.0.2
E
cat >old.example.zone <<'E'
$ORIGIN old.example.
9.2.0.192	A 127.0.0.2
E
dns_start bl.example.org.zone all.example.zone old.example.zone

is "$(dnsbl-check -q -i 192.0.2.9 bl.example.org; echo $?)" "fail${tab}192.0.2.9${tab}bl.example.org${tab}127.0.0.4${tab}sends spam, see https://bl.example.org/192.0.2.9
1" "A-10 listed: fail with the explanation, exit 1, no message is read"
is "$(dnsbl-check -q -i 192.0.2.8 bl.example.org; echo $?)" "pass${tab}192.0.2.8${tab}bl.example.org${tab}-${tab}-
0" "A-10 not listed: pass, exit 0"
is "$(dnsbl-check -q -i 2001:db8::1 bl.example.org | cut -f1-4)" "fail${tab}2001:db8::1${tab}bl.example.org${tab}127.0.0.2" "A-10 IPv6"
is "$(dnsbl-check -q -i 127.0.0.2 bl.example.org | cut -f1,5)" "fail${tab}test entry" "A-10 the test entry by hand"
is "$(dnsbl-check -q -i 192.0.2.9 all.example old.example; echo $?)" "policy${tab}192.0.2.9${tab}all.example${tab}127.0.0.2${tab}the zone lists everything
policy${tab}192.0.2.9${tab}old.example${tab}127.0.0.2${tab}the zone lists nothing it must
1" "A-10 zones that fail their test do not count"
is "$(dnsbl-check -q -i 192.0.2.9 none.example bl.example.org all.example | cut -f1,3)" "pass${tab}none.example
fail${tab}bl.example.org" "J-18 one after the other, up to the first that lists"
is "$(dnsbl-check -H bl.example.org all.example old.example; echo $?)" "healthy${tab}bl.example.org${tab}ipv4
healthy${tab}bl.example.org${tab}ipv6
lists all${tab}all.example${tab}ipv4
lists all${tab}all.example${tab}ipv6
lists nothing${tab}old.example${tab}ipv4
lists nothing${tab}old.example${tab}ipv6
1" "A-10 health of zones, exit 1 if one fails"
exits 0 "A-10 all in order: exit 0" dnsbl-check -H bl.example.org

# ---- as a filter, and what is configured ----
printf 'From: a@example.org\n\nbody\n' >message
export TCPREMOTEIP=192.0.2.9
dnsbl-check bl.example.org <message >out
is "$?" 0 "A-13 the filter exits 0"
like "$(tr -d '\n' <out)" 'dnsbl=fail dns.zone=bl.example.org policy.ip=127.0.0.4' "A-8 A-10 Authentication-Results"
is "$(tail -3 out)" "$(cat message)" "A-13 the message is whole"
is "$(dnsbl-check <message | tr -d '\n' | grep -c 'dnsbl=none')" 1 "no zones configured: none"
is "$(dnsbl-check -q -i 192.0.2.9; echo $?)" "none${tab}192.0.2.9${tab}-${tab}-${tab}no zone, or no address
1" "and none with -q"

PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var
export PIPEMAIL_ETC PIPEMAIL_VAR
mkdir -p etc/domains etc/accounts var
cat >etc/main.conf <<'E'
[server]
hostname = mx.example.org
dns-timeout = 1s
dns-try-timeout = 1s
[smtp-in]
dnsbl = all.example
dnsbl = bl.example.org
E
config-compile
is "$(dnsbl-check -q -i 192.0.2.9 | cut -f1,3)" "policy${tab}all.example
fail${tab}bl.example.org" "J-18 the zones of main.conf"
is "$(dnsbl-check -H | cut -f1,2 | head -3)" "lists all${tab}all.example
lists all${tab}all.example
healthy${tab}bl.example.org" "A-10 and their health"

# ---- the manual's examples ----
mandoc -T ascii -O width=300 "$TOP/man/dnsbl-check.1" | col -bx | sed -n '/^EXAMPLES/,/^SEE/p' | grep '^ *dnsbl-check' >example.sh
is "$(sh example.sh | cut -f1 | tr '\n' ' ')" "fail lists all lists all healthy healthy " "dnsbl-check(1): its examples"

# ---- zones that do not answer ----
cat >stub.json <<'E'
{ "9.2.0.192.dead.example": { "*": "SERVFAIL" },
  "9.2.0.192.silent.example": { "*": "TIMEOUT" },
  "1.0.0.127.half.example": { "*": "SERVFAIL" },
  "2.0.0.127.half.example": { "*": "SERVFAIL" },
  "9.2.0.192.half.example": { "A": ["127.0.0.2"], "TXT": "SERVFAIL" },
  "9.2.0.192.junk.example": { "A": "GARBAGE" },
  "9.2.0.192.loop.example": { "A": "LOOP" },
  "9.2.0.192.many.example": { "A": "MANY" },
  "9.2.0.192.park.example": { "A": ["192.0.2.80"] },
  "9.2.0.192.full.example": { "A": ["127.255.255.255"] } }
E
dns_stub_start stub.json
exits 111 "A-10 no answer: temperror, exit 111" dnsbl-check -q -i 192.0.2.9 dead.example
is "$(dnsbl-check -q -i 192.0.2.9 half.example)" "fail${tab}192.0.2.9${tab}half.example${tab}127.0.0.2${tab}-" "A-10 DNS fails in the test of the zone: it counts as healthy"
exits 111 "A-10 and -H tells: exit 111" dnsbl-check -H half.example
for z in junk loop many park full; do
	is "$(dnsbl-check -q -i 192.0.2.9 $z.example | cut -f1)" temperror "A-10 an answer that is no listing: $z"
done
start=$(date +%s%N)
is "$(dnsbl-check -q -i 192.0.2.9 silent.example dead.example half.example | cut -f1 | tr '\n' ' ')" "temperror temperror fail " "A-10 silence: the next zone is asked"
took=$((($(date +%s%N) - start) / 1000000))
ok "A-10 within the time for a look-up ($took ms)" test "$took" -lt 10000

exits 100 "unknown option is a usage error" dnsbl-check -x
is "$(tail -1 .err)" "dnsbl-check: fatal: usage: dnsbl-check [-Hq] [-i ip] [zone ...] < message" "usage line"
exits 100 "-H goes with nothing" dnsbl-check -H -q
exits 100 "a zone is a name" dnsbl-check -q -i 192.0.2.9 'a b'
exits 100 "sixteen zones, no more" dnsbl-check -q -i 192.0.2.9 a b c d e f g h i j k l m n o p q
done_testing
