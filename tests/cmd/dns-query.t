#!/bin/sh
# dns-query and lib/dns against nsd, and against a server that misbehaves
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/dns-fixture"
tab=$(printf '\t')

cat >example.org.zone <<'E'
$ORIGIN example.org.
@	TXT "v=spf1 mx -all"
@	TXT ( "two " "strings" )
@	MX 20 mail2
@	MX 10 mail
mail	A 192.0.2.2
mail	A 192.0.2.1
mail	AAAA 2001:db8::1
www	CNAME mail
away	CNAME host.example.net.
_25._tcp.mail	TLSA 3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
_dmarc	TXT "v=DMARC1; p=none"
E
i=0
while [ $i -lt 60 ]; do
	echo "big TXT \"$i 0123456789012345678901234567890123456789012345678901234567890123456789\""
	i=$((i + 1))
done >>example.org.zone
cat >example.net.zone <<'E'
$ORIGIN example.net.
host	A 192.0.2.9
E
cat >2.0.192.in-addr.arpa.zone <<'E'
$ORIGIN 2.0.192.in-addr.arpa.
1	PTR mail.example.org.
E
dns_start example.org.zone example.net.zone 2.0.192.in-addr.arpa.zone

is "$(dns-query A mail.example.org)" "mail.example.org${tab}A${tab}192.0.2.1${tab}-
mail.example.org${tab}A${tab}192.0.2.2${tab}-" "C-4 A records, sorted, not authentic"
is "$(dns-query aaaa MAIL.example.org.)" "mail.example.org${tab}AAAA${tab}2001:db8::1${tab}-" "C-4 AAAA record, case and final dot do not matter"
is "$(dns-query MX example.org | cut -f3)" "10 mail.example.org
20 mail2.example.org" "C-4 MX records by preference"
is "$(dns-query TXT example.org | cut -f3)" "two strings
v=spf1 mx -all" "C-4 TXT records, strings joined"
is "$(dns-query TXT _dmarc.example.org | cut -f3)" "v=DMARC1; p=none" "C-4 underscore names"
is "$(dns-query PTR 1.2.0.192.in-addr.arpa | cut -f3)" "mail.example.org" "C-4 PTR record"
is "$(dns-query CNAME www.example.org | cut -f3)" "mail.example.org" "C-4 CNAME record"
is "$(dns-query TLSA _25._tcp.mail.example.org | cut -f3)" "3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" "C-4 TLSA record"
is "$(dns-query A www.example.org | cut -f1,3 | head -1)" "mail.example.org${tab}192.0.2.1" "C-4 CNAME followed within the answer"
is "$(dns-query A away.example.org | cut -f1,3)" "host.example.net${tab}192.0.2.9" "C-4 CNAME into another zone followed"
is "$(dns-query TXT big.example.org | wc -l)" 60 "C-4 truncated answer asked again over TCP"
exits 1 "C-4 no such name exits 1" dns-query A absent.example.org
like "$(cat .err)" "no such name" "no such name is told"
exits 1 "C-4 no such record exits 1" dns-query MX mail.example.org
like "$(cat .err)" "no such record" "no such record is told"
is "$(cat .out)" "" "nothing is printed then"

exits 100 "unknown type is a usage error" dns-query SOA example.org
exits 100 "name that is none" dns-query A a..example.org
exits 100 "missing operand" dns-query A
is "$(cat .err)" "dns-query: fatal: usage: dns-query [-s server] [-t time] type name" "usage line"
is "$(PIPEMAIL_DNS=nonsense dns-query A a.example 2>&1; echo $?)" "dns-query: fatal: cannot set up DNS look-ups: Invalid argument
100" "PIPEMAIL_DNS that is no address"
is "$(server=$PIPEMAIL_DNS; PIPEMAIL_DNS=127.0.0.1:1 dns-query -s "$server" A host.example.net | cut -f3)" "192.0.2.9" "-s is used in place of PIPEMAIL_DNS"
ok "a server that is not there is told at once" sh -c '
	PIPEMAIL_DNS=127.0.0.1:1 timeout 2 dns-query A a.example; test $? = 111'

# ---- the configuration's own answers, O-5 ----
mkdir etc etc/domains etc/accounts var
cat >etc/main.conf <<'E'
[server]
hostname = mail.example.org
[static-dns "static.example"]
txt = v=spf1 ip4:127.0.0.0/8 ~all
mx = 10 mail.example.org
cname = never.used.example
E
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var config-compile >/dev/null 2>compile.err
is "$(cat compile.err)" "" "configuration compiles"
is "$(PIPEMAIL_VAR=$TMP/var dns-query TXT static.example | cut -f3)" "v=spf1 ip4:127.0.0.0/8 ~all" "O-5 static answer of the configuration"
is "$(PIPEMAIL_VAR=$TMP/var dns-query A mail.example.org | head -1 | cut -f3)" "192.0.2.1" "O-5 other names are asked for"

# ---- bad DNS ----
# chain NAME N [OPTION]: N aliases from 0NAME.example to a host
chain() {
	chain_i=0
	while [ $chain_i -lt "$2" ]; do
		printf '"%s.example":{"CNAME":["%s.example"],"options":["%s"]}, ' $chain_i$1 $((chain_i + 1))$1 "${3:-}"
		chain_i=$((chain_i + 1))
	done
	printf '"%s.example":{"A":["192.0.2.16"],"TLSA":["3 1 1 00"]},' $2$1
}
cat >stub.json <<E
{ "ad.example": { "A": ["192.0.2.1"], "options": ["ad"] },
  "silent.example": { "*": "TIMEOUT" },
  "late.example": { "*": "LATE" },
  "servfail.example": { "error": "SERVFAIL" },
  "refused.example": { "*": "REFUSED" },
  "formerr.example": { "*": "FORMERR" },
  "noedns.example": { "A": ["192.0.2.2"], "options": ["noedns"] },
  "wrongid.example": { "*": "WRONGID" },
  "wrongquestion.example": { "*": "WRONGQUESTION" },
  "wrongtype.example": { "*": "WRONGTYPE" },
  "noquestion.example": { "*": "NOQUESTION" },
  "empty.example": { "*": "EMPTY" },
  "short.example": { "*": "SHORT" },
  "garbage.example": { "*": "GARBAGE" },
  "loop.example": { "*": "LOOP" },
  "many.example": { "*": "MANY" },
  "rdlength.example": { "*": "RDLENGTH" },
  "tc.example": { "A": ["192.0.2.3"], "options": ["tc"] },
  "tcpclose.example": { "A": ["192.0.2.3"], "options": ["tc", "tcpclose"] },
  "tcpslow.example": { "A": ["192.0.2.4"], "options": ["tc", "tcpslow"] },
  "toobig.example": { "A": ["192.0.2.5"], "options": ["toobig"] },
  "upper.example": { "CNAME": ["B.upper.Example"], "options": ["upper"] },
  "b.upper.example": { "A": ["192.0.2.6"] },
  "c1.example": { "CNAME": ["c2.example"] },
  "c2.example": { "CNAME": ["c1.example"] },
  $(chain a 16) $(chain b 17) $(chain s 16 norest) $(chain t 17 norest)
  $(chain d 10) $(chain e 11) $(chain u 10 norest) $(chain v 11 norest)
  $(chain l 16) "8l.example": { "CNAME": ["9l.example"], "options": ["norest"] },
  $(chain m 17) "8m.example": { "CNAME": ["9m.example"], "options": ["norest"] },
  "self.example": { "CNAME": ["self.example"], "options": ["norest"] },
  "shuffle.example": { "A": ["192.0.2.9", "192.0.2.7", "192.0.2.8", "192.0.2.7"],
     "options": ["shuffle"] } }
E
dns_stub_start -l stub.log stub.json
is "$(dns-query A ad.example | cut -f4)" authentic "C-4 DNSSEC: AD of a trusted server is authentic"
like "$(cat stub.log)" "^udp A ad.example ad=1 edns=1" "C-4 AD bit and EDNS0 are in the query"
exits 111 "C-4 SERVFAIL is temporary" dns-query A servfail.example
like "$(cat .err)" "server failure" "server failure is told"
exits 111 "C-4 REFUSED is temporary" dns-query A refused.example
exits 111 "C-4 FORMERR is temporary" dns-query A formerr.example
is "$(dns-query A noedns.example | cut -f3)" "192.0.2.2" "C-4 a server without EDNS0 is asked without"
for k in silent wrongid wrongquestion wrongtype noquestion empty garbage; do
	exits 111 "bad DNS: $k is waited past, then temporary" dns-query -t 1 A $k.example
	like "$(cat .err)" "no answer in time" "bad DNS: $k: time-out is told"
done
for k in short loop many rdlength; do
	exits 111 "bad DNS: $k is refused" timeout 4 dns-query A $k.example
	like "$(cat .err)" "malformed|too many records" "bad DNS: $k is told"
done
like "$(dns-query A loop.example 2>&1)" "malformed answer" "bad DNS: compression loop is malformed"
like "$(dns-query A many.example 2>&1)" "too many records" "bad DNS: answer with 1200 records is too big"
is "$(dns-query A tc.example | cut -f3)" "192.0.2.3" "bad DNS: truncated without records, TCP has them"
exits 111 "bad DNS: TCP closed without answer" dns-query A tcpclose.example
is "$(dns-query A tcpslow.example | cut -f3)" "192.0.2.4" "TCP byte by byte"
is "$(dns-query A toobig.example | cut -f3)" "192.0.2.5" "bad DNS: datagram larger than offered is asked for over TCP"
is "$(dns-query A upper.example | cut -f1,3)" "b.upper.example${tab}192.0.2.6" "case of names in the answer does not matter"
exits 111 "bad DNS: CNAME circle" dns-query A c1.example
like "$(cat .err)" "circular" "CNAME circle is told"
exits 111 "bad DNS: CNAME circle over several answers" dns-query A self.example
like "$(cat .err)" "circular" "CNAME circle over several answers is told"
for k in 'a one' 's sixteen' 'l two'; do
	is "$(dns-query A 0${k%% *}.example | cut -f3)" 192.0.2.16 "Q-10 16 CNAMEs in ${k#* } answer(s)"
done
for k in 'b one' 't seventeen' 'm two'; do
	exits 111 "Q-10 17 CNAMEs in ${k#* } answer(s) are too many" dns-query A 0${k%% *}.example
	like "$(cat .err)" "too long" "Q-10 and that is told"
done
for k in 'd one' 'u ten'; do
	is "$(dns-query TLSA 0${k%% *}.example | cut -f3)" "3 1 1 00" "T-2 10 CNAMEs to a TLSA record in ${k#* } answer(s)"
done
for k in 'e one' 'v eleven'; do
	exits 111 "T-2 11 CNAMEs to a TLSA record in ${k#* } answer(s)" dns-query TLSA 0${k%% *}.example
done
is "$(dns-query A 0d.example | cut -f3)" 192.0.2.16 "the limits count CNAMEs, not look-ups"
is "$(dns-query A shuffle.example | cut -f3 | tr '\n' ' ')" "192.0.2.7 192.0.2.8 192.0.2.9 " "answers are sorted, without duplicates"
done_testing
