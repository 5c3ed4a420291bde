#!/bin/sh
# spf-check - A-1, A-2, A-13: verdict line, exit codes, the filter
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/dns-fixture"
tab=$(printf '\t')

cat >example.org.zone <<'E'
$ORIGIN example.org.
@	TXT "v=spf1 mx include:_spf.example.net -all exp=why.example.org"
@	MX 10 mail
mail	A 192.0.2.1
mail	AAAA 2001:db8::1
why	TXT "%{i} is no host of %{d}"
soft	TXT "v=spf1 ~all"
broken	TXT "v=spf1 foo"
helo	TXT "v=spf1 ip4:192.0.2.7 -all"
xn--bcher-kva	TXT "v=spf1 ip4:192.0.2.8 -all"
E
cat >example.net.zone <<'E'
$ORIGIN example.net.
_spf	TXT "v=spf1 ip4:198.51.100.0/24 -all"
E
dns_start example.org.zone example.net.zone

is "$(spf-check -q -i 192.0.2.1 -h mail.example.org -s a@example.org; echo $?)" \
    "pass${tab}mailfrom${tab}a@example.org${tab}example.org${tab}mx${tab}-${tab}-
0" "A-1 pass, exit 0, no message is read"
is "$(spf-check -q -i 2001:db8::1 -h x -s a@example.org | cut -f1,5)" "pass${tab}mx" "A-1 IPv6 client"
is "$(spf-check -q -i 198.51.100.9 -h x -s a@example.org | cut -f1,5)" "pass${tab}include:_spf.example.net" "A-1 include"
is "$(spf-check -q -i 203.0.113.1 -h x -s a@example.org; echo $?)" \
    "fail${tab}mailfrom${tab}a@example.org${tab}example.org${tab}-all${tab}-${tab}203.0.113.1 is no host of example.org
1" "A-2 fail with explanation, exit 1"
is "$(spf-check -q -i 203.0.113.1 -h x -s a@soft.example.org | cut -f1)" softfail "A-1 softfail"
is "$(spf-check -q -i 203.0.113.1 -h x -s a@broken.example.org | cut -f1,6)" "permerror${tab}unknown mechanism" "A-1 permerror names the problem"
is "$(spf-check -q -i 203.0.113.1 -h x -s a@absent.example.org | cut -f1)" none "A-1 none"
is "$(spf-check -q -i 192.0.2.7 -h helo.example.org -s '' | cut -f1-4)" \
    "pass${tab}helo${tab}helo.example.org${tab}helo.example.org" "A-1 null sender: the HELO identity"
is "$(spf-check -q -i 192.0.2.8 -h x -s 'a@bücher.example.org' | cut -f1,4)" "pass${tab}xn--bcher-kva.example.org" "A-1 a domain beyond ASCII is asked for in A-labels"
is "$(TCPREMOTEIP=192.0.2.1 HELO=x SENDER=a@example.org spf-check -q </dev/null | cut -f1)" pass "envelope from the environment"

exits 100 "unknown option is a usage error" spf-check -x
is "$(grep fatal .err)" "spf-check: fatal: usage: spf-check [-q] [-h helo] [-i ip] [-s sender] < message" "usage line"
exits 100 "operand is a usage error" spf-check -q -i 192.0.2.1 message
exits 100 "-i that is no address" spf-check -q -i 1.2.3 -h x -s a@example.org

# ---- records ----
out=$(spf-check -l example.org)
is "$?" 0 "A-12 -l exits 0 where there is a record"
is "$out" "domain${tab}example.org
record${tab}v=spf1 mx include:_spf.example.net -all exp=why.example.org
pass${tab}mx
pass${tab}include:_spf.example.net
fail${tab}all
exp${tab}why.example.org
dnssec${tab}n" "A-12 -l shows the record taken apart"
out=$(spf-check -r 'v=spf1 ?a/24//64 +ip4:192.0.2.0/24 ~exists:%{i}.x.example redirect=_spf.example.net new=x'; echo $?)
is "$out" "record${tab}v=spf1 ?a/24//64 +ip4:192.0.2.0/24 ~exists:%{i}.x.example redirect=_spf.example.net new=x
neutral${tab}a/24//64
pass${tab}ip4:192.0.2.0/24
softfail${tab}exists:%{i}.x.example
redirect${tab}_spf.example.net
new${tab}x
0" "A-12 -r shows a record that is given"
is "$(spf-check -l broken.example.org | tail -2; spf-check -l bücher.example.org | head -1)" "problem${tab}unknown mechanism
dnssec${tab}n
domain${tab}xn--bcher-kva.example.org" "A-12 -l says what is wrong with it"
exits 1 "A-12 -l exits 1 for one with an error" spf-check -l broken.example.org
exits 1 "A-12 -l exits 1 where there is none" spf-check -l mail.example.org
like "$(cat .out)" "^problem${tab}there is no SPF record" "and says so"
exits 1 "A-12 -r of what is no SPF record" spf-check -r 'v=spf10 -all'
exits 1 "A-12 -r of one with an error" spf-check -r 'v=spf1 ip4:1.2.3'
exits 100 "A-12 -l of what is no domain" spf-check -l 'a b'
exits 100 "A-12 -l and -r" spf-check -l example.org -r 'v=spf1 -all'
exits 100 "A-12 -l and -q" spf-check -q -l example.org

# ---- as a filter ----
printf 'From: a@example.org\nSubject: x\n\nbody\n' >message
export TCPREMOTEIP=192.0.2.1 HELO=mail.example.org SENDER=a@example.org
spf-check <message >out
is "$?" 0 "A-13 the filter exits 0"
is "$(tail -4 out)" "$(cat message)" "A-13 the message is whole"
like "$(cat out)" "^Received-SPF: pass \(" "A-1 Received-SPF"
like "$(tr -d '\n' <out)" "spf=pass smtp.mailfrom=a@example.org" "A-8 Authentication-Results"
is "$(spf-check <message | dkim-verify | grep -c '^Authentication-Results')" 1 "EXAMPLES: pipeline, one Authentication-Results"
like "$(spf-check <message | dkim-verify | tr -d '\n')" "spf=pass .*dkim=none" "EXAMPLES: pipeline, both results"
TCPREMOTEIP=203.0.113.1 spf-check <message >out
is "$?" 0 "A-13 a fail is told, not decided, by the filter"
like "$(cat out)" "^Received-SPF: fail " "A-1 Received-SPF of a fail"

# ---- bad DNS ----
cat >stub.json <<'E'
{ "servfail.example": { "*": "SERVFAIL" }, "loop.example": { "*": "LOOP" },
  "secure.example": { "TXT": ["v=spf1 +all"], "options": ["ad"] },
  "big.example": { "TXT": [["v=spf1 ",
    "ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 ip4:192.0.2.4 ", "-all"]],
    "options": ["tc"] } }
E
dns_stub_start stub.json
exits 111 "A-1 server failure is temperror, exit 111" spf-check -q -i 192.0.2.1 -h x -s a@servfail.example
is "$(cut -f1,6 .out)" "temperror${tab}server failure" "A-1 temperror names the problem"
exits 111 "bad DNS: a malformed answer is temperror" spf-check -q -i 192.0.2.1 -h x -s a@loop.example
is "$(cut -f1,6 .out)" "temperror${tab}malformed answer" "bad DNS: malformed answer is told"
is "$(spf-check -q -i 192.0.2.4 -h x -s a@big.example | cut -f1,5)" "pass${tab}ip4:192.0.2.4" "bad DNS: truncated record is had over TCP"
like "$(SENDER=a@secure.example spf-check <message | tr -d '\n')" "spf=pass \(with dnssec\)" "A-1 DNSSEC status in the result"
exits 111 "A-12 -l exits 111 where DNS cannot say" spf-check -l servfail.example
like "$(spf-check -l secure.example)" "^dnssec${tab}y" "A-12 -l tells that the answer was secure"
is "$(env -u TCPREMOTEIP SENDER=a@secure.example spf-check <message | grep -c dnssec)" 0 "A-1 without a client nothing is asked: no DNSSEC status"
PIPEMAIL_DNS=nonsense spf-check <message >out 2>err
is "$?" 111 "no DNS at all: exit 111, the message is kept"
done_testing
