#!/bin/sh
# dmarc-check - A-5, A-6, A-8, A-9, A-12: verdict line, exit codes, the filter, -l
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/dns-fixture"
tab=$(printf '\t')

cat >example.org.zone <<'E2'
$ORIGIN example.org.
@	TXT "v=spf1 ip4:192.0.2.1 -all"
news	TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc	TXT "v=DMARC1; p=reject; sp=quarantine; pct=100; " "rua=mailto:r@example.org!1m; fo=d:s"
_dmarc.alias	CNAME _dmarc
_dmarc.soft	TXT "v=DMARC1; p=reject; pct=0"
E2
cat >co.uk.zone <<'E2'
$ORIGIN co.uk.
corp	TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc	TXT "v=DMARC1; p=reject"
E2
cat >reports.example.zone <<'E2'
$ORIGIN reports.example.
*._report._dmarc.all	TXT "v=DMARC1"
org.example._report._dmarc.some	TXT "v=DMARC1; rua=mailto:b@some.reports.example"
org.example._report._dmarc.other	TXT "v=DMARC10"
E2
cat >org.example.zone <<'E2'
$ORIGIN org.example.
_dmarc	TXT "v=DMARC1; p=none; rua=mailto:a@org.example,mailto:a@x.org.example!10m,mailto:a@ALL.reports.example,mailto:a@some.reports.example?subject=x,mailto:a@other.reports.example,mailto:a@none.reports.example,https://x.example/; ruf=mailto:f@all.reports.example"
_dmarc.good	TXT "v=DMARC1; p=none; rua=mailto:a@org.example,mailto:a@all.reports.example"
E2
dns_start example.org.zone co.uk.zone reports.example.zone org.example.zone

# message FROM
message() { printf 'From: %s\nSubject: x\n\nbody\n' "$1"; }
# judge FROM SENDER [IP]: the first four columns
judge() {
	message "$1" | TCPREMOTEIP=${3:-192.0.2.1} HELO=x SENDER=$2 spf-check |
	    dmarc-check -q | cut -f1-4
}
is "$(judge a@example.org b@example.org)" "pass${tab}example.org${tab}none${tab}strict" "A-5 A-6 the same domain"
is "$(judge a@example.org b@news.example.org)" "pass${tab}example.org${tab}none${tab}dmarc" "A-5 A-6 the same organisational domain"
is "$(judge a@example.org b@example.org 192.0.2.2)" "fail${tab}example.org${tab}reject${tab}none" "A-5 SPF fails: the owner asks to reject"
is "$(judge a@x.example.org b@example.org 192.0.2.2)" "fail${tab}x.example.org${tab}quarantine${tab}none" "A-5 sp= for a domain below"
is "$(judge a@alias.example.org b@alias.example.org)" "fail${tab}alias.example.org${tab}reject${tab}none" "A-5 an alias at _dmarc is followed"
is "$(judge a@soft.example.org b@x.example)" "fail${tab}soft.example.org${tab}none${tab}none" "A-5 pct=0 leaves all out"
is "$(judge a@corp.co.uk b@corp.co.uk)" "none${tab}corp.co.uk${tab}none${tab}strict" "A-9 a public suffix has no say; A-6 the class needs no record"
is "$(judge 'a@example.org, b@example.org' b@example.org)" "none${tab}-${tab}none${tab}none" "A-5 several addresses in From"
is "$(judge 'a@example.org <boss@soft.example.org>' b@example.org)" "none${tab}-${tab}none${tab}none" "A-5 R-37 one in front of the one that is shown vouches for nothing"

message a@example.org >m
dmarc-check -q <m >out
is "$?:$(cut -f1 out)" "1:fail" "exit 1 for a fail; results that nobody made are not there"
TCPREMOTEIP=192.0.2.1 SENDER=a@example.org HELO=x spf-check <m >m1
dmarc-check -q <m1 >out
is "$?:$(cut -f1,5,6 out)" "0:pass${tab}example.org${tab}v=DMARC1; p=reject; sp=quarantine; pct=100; rua=mailto:r@example.org!1m; fo=d:s" "exit 0 for a pass; the record"
{ echo 'Authentication-Results: mx.example; spf=pass smtp.mailfrom=a@example.org'; cat m; } >forged
is "$(dmarc-check -q <forged | cut -f1)" fail "A-5 results of strangers count for nothing"

# ---- as a filter ----
dmarc-check <m1 >out
is "$?" 0 "A-13 the filter exits 0"
is "$(tail -4 out)" "$(cat m)" "A-13 the message is whole"
flat=$(tr -d '\n' <out | tr -s '\t ' '  ')
like "$flat" "spf=pass smtp.mailfrom=a@example.org; dmarc=pass \(p=reject sp=quarantine\) header.from=example.org policy.dmarc=none policy.alignment=strict" "A-8 dmarc= in Authentication-Results"
is "$(dmarc-check <out | grep -cE '(^|[ 	])dmarc=')" 1 "a second run replaces the first"
like "$(message a@soft.example.org | dmarc-check | tr -d '\n' | tr -s '\t ' '  ')" "dmarc=fail \(p=reject pct=0 override sampled_out\) header.from=soft.example.org policy.dmarc=none" "A-8 override sampled_out"

# ---- -l ----
dmarc-check -l x.example.org >out
is "$?" 0 "A-12 -l exits 0 where there is a record"
is "$(cat out)" "domain${tab}example.org
record${tab}v=DMARC1; p=reject; sp=quarantine; pct=100; rua=mailto:r@example.org!1m; fo=d:s
p${tab}reject
sp${tab}quarantine
np${tab}quarantine
adkim${tab}r
aspf${tab}r
pct${tab}100
ri${tab}86400
fo${tab}d
fo${tab}s
rua${tab}mailto:r@example.org!1m
psd${tab}u
t${tab}n
dnssec${tab}n" "A-12 -l shows the record taken apart"
exits 1 "A-12 -l exits 1 where there is none" dmarc-check -l absent.example
is "$(cat .out)" "problem${tab}no record
dnssec${tab}n" "A-12 -l and says so"
exits 100 "A-12 -l with what is no domain" dmarc-check -l 'a b'
# ---- -r ----
out=$(dmarc-check -r sub.org.example; echo $?)
why='it does not say that it wants these reports'
is "$out" "pass${tab}rua${tab}mailto:a@org.example${tab}-${tab}-
pass${tab}rua${tab}mailto:a@x.org.example!10m${tab}-${tab}-
pass${tab}rua${tab}mailto:a@ALL.reports.example${tab}org.example._report._dmarc.all.reports.example${tab}-
pass${tab}rua${tab}mailto:a@some.reports.example?subject=x${tab}org.example._report._dmarc.some.reports.example${tab}-
fail${tab}rua${tab}mailto:a@other.reports.example${tab}org.example._report._dmarc.other.reports.example${tab}$why
fail${tab}rua${tab}mailto:a@none.reports.example${tab}org.example._report._dmarc.none.reports.example${tab}$why
fail${tab}rua${tab}https://x.example/${tab}-${tab}no mailto address
pass${tab}ruf${tab}mailto:f@all.reports.example${tab}org.example._report._dmarc.all.reports.example${tab}-
1" "A-12 -r who wants reports: within the organisation, and who says so"
exits 0 "A-12 -r all do" dmarc-check -r good.org.example
exits 1 "A-12 -r no record" dmarc-check -r absent.example
is "$(cat .out)" "none${tab}no record" "A-12 -r and says so"
exits 100 "A-12 -r and -l" dmarc-check -r org.example -l org.example
exits 100 "A-12 -r and -q" dmarc-check -q -r org.example

# ---- usage ----
exits 100 "unknown option is a usage error" dmarc-check -x
exits 100 "-l and -q" dmarc-check -q -l example.org
exits 100 "an operand" dmarc-check message

# ---- bad DNS, bad messages ----
long=$(printf '%0300d' 0 | tr 0 x)
cat >stub.json <<E2
{ "_dmarc.servfail.example": { "*": "SERVFAIL" },
  "_dmarc.loop.example": { "CNAME": ["_dmarc.loop.example"] },
  "_dmarc.tells.example": { "TXT": ["v=DMARC1; p=none; rua=mailto:a@servfail.example"] },
  "tells.example._report._dmarc.servfail.example": { "*": "SERVFAIL" },
  "_dmarc.silent.example": { "*": "TIMEOUT" },
  "_dmarc.bad.example": { "*": "LOOP" },
  "_dmarc.twice.example": { "TXT": ["v=DMARC1; p=none; p=reject"] },
  "_dmarc.long.example": { "TXT": [["v=DMARC1; p=reject; x="$(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40; do printf ', "%.250s"' "$long"; done)]] },
  "_dmarc.secure.example": { "TXT": ["v=DMARC1; p=reject"], "options": ["ad"] } }
E2
dns_stub_start stub.json
# told DOMAIN WORD WHAT: the result, and that nothing is asked for
told() {
	is "$(message "a@$1" | timeout 60 dmarc-check -q | cut -f1,3)" "$2${tab}none" "A-5 bad DNS: $3: $2, nothing is asked for"
}
told servfail.example temperror "server failure"
told bad.example temperror "a malformed answer"
told loop.example temperror "an alias loop"
told twice.example permerror "a tag twice"
told long.example permerror "a record that is too long"
exits 111 "A-12 -l exits 111 where DNS cannot say" dmarc-check -l servfail.example
exits 111 "A-12 -r exits 111 where it cannot" dmarc-check -r servfail.example
is "$(cat .out)" "temperror${tab}server failure" "and says so"
exits 111 "A-12 -r nor about an address" dmarc-check -r tells.example
is "$(cut -f 1-4 .out)" "temperror${tab}rua${tab}mailto:a@servfail.example${tab}tells.example._report._dmarc.servfail.example" "A-12 -r which one"
like "$(message a@secure.example | dmarc-check | tr -d '\n')" "dmarc=fail \(p=reject with dnssec\)" "A-8 DNSSEC is noted"

/usr/bin/python3 - <<'PY'
open("many", "w").write("From: " + ",\n ".join("a%d@secure.example" % i for i in range(10000)) + "\n\nx\n")
open("more", "w").write("".join("From: a%d@secure.example\n" % i for i in range(10000)) + "\nx\n")
open("huge", "w").write("From: " + "(" * (1 << 20) + "a@secure.example\n\nx\n")
open("name", "w").write("From: \"" + "x" * (1 << 20) + "\" <a@secure.example>\n\nx\n")
PY
is "$(timeout 20 dmarc-check -q <many | cut -f1,7)" "none${tab}several addresses in From" "A-5 10,000 From addresses"
is "$(timeout 20 dmarc-check -q <more | cut -f1,7)" "none${tab}several From fields" "A-5 10,000 From fields"
is "$(timeout 20 dmarc-check -q <huge | cut -f1,2)" "none${tab}-" "A-5 a From field of 1 MB of brackets"
is "$(timeout 20 dmarc-check -q <name | cut -f1,3)" "fail${tab}reject" "A-5 a display name of 1 MB"

# ---- silence: the time of one look-up, not of a message ----
mkdir -p etc var run
printf '[server]\nhostname = mx.example.org\npostmaster = x\ndns-try-timeout = 1s\ndns-timeout = 1s\n' >etc/main.conf
printf '[domain]\n' >etc/example.org.conf
mkdir -p etc/domains etc/accounts
mv etc/example.org.conf etc/domains/
printf '[account]\naddress = x@example.org\n' >etc/accounts/x.conf
export PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
ok "a short time for DNS is configured" config-compile
exits 111 "A-5 a server that is silent is temperror, exit 111" sh -c "printf 'From: a@silent.example\n\n' | timeout 20 dmarc-check -q"
is "$(cut -f1,3,7 .out)" "temperror${tab}none${tab}no answer in time" "A-5 and nothing is asked for"
done_testing
