#!/bin/sh
# spf-ahead - the terms of an SPF record are asked for at the same time, those
# of included records as soon as they come; judging keeps their order and the
# limits of RFC 7208 4.6.4
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/dns-fixture"
late=${SPF_AHEAD_MS:-50}

python3 - <<'P'
import json
a = lambda n: {"A": ["192.0.2.%d" % n]}
zone = {
    "wide.example": {"TXT": ["v=spf1 a:h1.example mx:h2.example include:i1.example include:i2.example exists:none.example redirect=last.example"]},
    "i1.example": {"TXT": ["v=spf1 a:h4.example -all"]},
    "i2.example": {"TXT": ["v=spf1 a:h5.example a:h6.example -all"]},
    "last.example": {"TXT": ["v=spf1 a:h7.example -all"]},
    "h2.example": {"MX": ["10 h8.example"]},
    "sure.example": {"TXT": ["v=spf1 ip4:192.0.2.7 a:h1.example -all"]},
    "all.example": {"TXT": ["v=spf1 a:h7.example -all a:h1.example redirect=last.example"]},
    "many.example": {"TXT": ["v=spf1 " + " ".join("a:n%d.example" % i for i in range(1, 15)) + " -all"]},
    "nest.example": {"TXT": ["v=spf1 " + " ".join("include:s%d.example" % i for i in range(10)) + " -all"]},
    "loop.example": {"TXT": ["v=spf1 include:loop.example a:h1.example -all"]},
    "macro.example": {"TXT": ["v=spf1 exists:%{i}.%{p}.example a:h7.example -all"]},
    "mute.example": {"TXT": ["v=spf1 " + " ".join("a:m%d.example" % i for i in range(10)) + " -all"]},
    "first.example": {"TXT": ["v=spf1 a:h7.example include:m1.example -all"]},
}
for i in range(1, 9):
    zone.setdefault("h%d.example" % i, a(i))
for i in range(1, 15):
    zone["n%d.example" % i] = a(100 + i)
for i in range(10):
    zone["s%d.example" % i] = {"TXT": ["v=spf1 " + " ".join("a:n%d.example" % k for k in range(1, 10)) + " -all"]}
    zone["m%d.example" % i] = {"*": "TIMEOUT"}
json.dump(zone, open("stub.json", "w"))
P
dns_stub_start -d "$late" -l "$TMP/asked" stub.json

# spf DOMAIN IP: result, mechanism and problem; ./ms, and names asked for
spf() {
	: >asked
	start=$(date +%s%N)
	spf-check -q -i "$2" -h helo.example -s "a@$1" | cut -f1,5,6 | tr '\t' ' '
	echo $((($(date +%s%N) - start) / 1000000)) >ms
}
names() { cut -d' ' -f3 asked | sed 's/\.example$//' | tr '\n' ' '; }

is "$(spf wide.example 192.0.2.7)" "pass a:h7.example -" "A-2 a record with five terms and a redirect"
is "$(names | cut -d' ' -f1-7)" "wide h1 h2 i1 i2 none last" "A-2 A-13 its terms are asked for together, in their order"
is "$(names | tr ' ' '\n' | sort | uniq -d)" "" "A-2 none is asked twice"
echo "# 13 look-ups, each $late ms late: $(cat ms) ms"
ok "A-13 in the time of five, not of thirteen ($(cat ms) ms)" test "$(cat ms)" -lt $((late * 13))
is "$(spf wide.example 192.0.2.1)" "pass a:h1.example -" "A-2 a term that matches at once ends it"
is "$(spf wide.example 192.0.2.8)" "pass mx:h2.example -" "A-2 an mx in the middle"
is "$(spf wide.example 192.0.2.5)" "pass include:i2.example -" "A-2 an include behind the one that says fail"
is "$(spf sure.example 192.0.2.7)$(names)" "pass ip4:192.0.2.7 -sure " "A-2 nothing is asked behind an address that matches"
is "$(spf all.example 192.0.2.9)$(names)" "fail -all -all h7 " "A-2 nothing is asked behind all, nor a redirect beside it"

# limits
is "$(spf many.example 192.0.2.99)" "permerror - too many DNS look-ups" "RFC 7208 4.6.4 the eleventh term is an error"
is "$(names | wc -w)" 11 "RFC 7208 4.6.4 no more than ten terms are asked ahead"
is "$(spf many.example 192.0.2.110)" "pass a:n10.example -" "RFC 7208 4.6.4 the tenth term may match"
is "$(spf many.example 192.0.2.111)" "permerror - too many DNS look-ups" "RFC 7208 4.6.4 the eleventh does not"
is "$(spf nest.example 192.0.2.99)" "permerror - too many DNS look-ups" "RFC 7208 4.6.4 ten includes of nine terms"
ok "RFC 7208 4.6.4 at most twice the terms are asked ($(names | wc -w))" test "$(names | wc -w)" -le 21
is "$(spf loop.example 192.0.2.1)" "permerror - too many DNS look-ups" "A-2 a record that includes itself"
is "$(names)" "loop loop h1 " "A-2 and is asked for no more than twice"
is "$(spf macro.example 192.0.2.7)" "pass a:h7.example -" "A-2 a name that needs the client's"
is "$(names | cut -d' ' -f1-3)" "macro h7 7.2.0.192.in-addr.arpa" "A-2 is asked when it is its turn"

# silence
mkdir -p etc var
printf '[server]\nhostname = mx.example\ndns-timeout = 2s\ndns-try-timeout = 1s\n' >etc/main.conf
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var config-compile || exit 111
PIPEMAIL_VAR=$TMP/var; export PIPEMAIL_VAR
is "$(spf mute.example 192.0.2.1)" "temperror - no answer in time" "A-2 ten names that are silent"
echo "# ten silent names of 2 s each: $(cat ms) ms"
ok "A-13 take the time of one" test "$(cat ms)" -lt 8000
is "$(spf first.example 192.0.2.7)" "pass a:h7.example -" "A-2 one behind the term that matches"
ok "A-13 is not waited for ($(cat ms) ms)" test "$(cat ms)" -lt 2000
done_testing
