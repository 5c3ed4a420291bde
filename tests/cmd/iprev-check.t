#!/bin/sh
# iprev-check - A-7, A-13
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/dns-fixture"
tab=$(printf '\t')

cat >example.org.zone <<'E'
$ORIGIN example.org.
mail	A 192.0.2.1
mail	AAAA 2001:db8::1
liar	A 192.0.2.99
E
cat >2.0.192.in-addr.arpa.zone <<'E'
$ORIGIN 2.0.192.in-addr.arpa.
1	PTR mail.example.org.
2	PTR liar.example.org.
3	PTR nowhere.example.org.
4	PTR liar.example.org.
4	PTR mail.example.org.
E
cat >ip6.zone <<'E'
$ORIGIN 8.b.d.0.1.0.0.2.ip6.arpa.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0	PTR mail.example.org.
E
dns_start example.org.zone 2.0.192.in-addr.arpa.zone ip6.zone

is "$(iprev-check -q -i 192.0.2.1; echo $?)" "pass${tab}192.0.2.1${tab}mail.example.org${tab}-
0" "A-7 pass, exit 0, no message is read"
is "$(iprev-check -q -i 2001:db8::1 | cut -f1-3)" "pass${tab}2001:db8::1${tab}mail.example.org" "A-7 IPv6"
is "$(iprev-check -q -i 192.0.2.2; echo $?)" "fail${tab}192.0.2.2${tab}liar.example.org${tab}name does not have this address
1" "A-7 name with another address: fail"
is "$(iprev-check -q -i 192.0.2.3 | cut -f1)" fail "A-7 name without address: fail"
is "$(iprev-check -q -i 192.0.2.4 | cut -f1)" fail "A-7 neither of two names"
is "$(iprev-check -q -i 192.0.2.5; echo $?)" "permerror${tab}192.0.2.5${tab}-${tab}no reverse name
1" "A-7 no name: permerror"
exits 100 "unknown option is a usage error" iprev-check -x
is "$(tail -1 .err)" "iprev-check: fatal: usage: iprev-check [-q] [-i ip] < message" "usage line"
exits 100 "-h is no option here" iprev-check -q -h x -i 192.0.2.1

printf 'From: a@example.org\n\nbody\n' >message
export TCPREMOTEIP=192.0.2.1
iprev-check <message >out
is "$?" 0 "A-13 the filter exits 0"
like "$(tr -d '\n' <out)" "iprev=pass policy.iprev=192.0.2.1 \(mail.example.org\)" "A-8 Authentication-Results"
is "$(tail -3 out)" "$(cat message)" "A-13 the message is whole"

cat >stub.json <<'E'
{ "1.2.0.192.in-addr.arpa": { "*": "SERVFAIL" },
  "2.2.0.192.in-addr.arpa": { "PTR": ["slow.example"] },
  "slow.example": { "*": "SERVFAIL" } }
E
dns_stub_start stub.json
exits 111 "A-7 no answer: temperror, exit 111" iprev-check -q -i 192.0.2.1
exits 111 "A-7 no answer for the name: temperror" iprev-check -q -i 192.0.2.2
done_testing
