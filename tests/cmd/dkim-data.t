#!/bin/sh
# dkim-data.t - dkim-verify on the messages of others: pass or not pass agrees
# in every case. Only the top signature of each message is looked at.
. "$(dirname "$0")/../tap.sh"
D=$SHARED/dkim
[ -d "$D" ] || skip_all "no test data in $D"
need python3
. "$TOP/tests/dns-fixture"

# first FILE [OPTION...]: the verdict line of the top signature
first() {
	f_=$1; shift
	dkim-verify -q "$@" <"$f_" 2>&1 | head -1
}
word() { first "$@" | cut -f1; }

# ---- generated: l= and t=y are judged as the RFC says ----
dns_stub_start "$D/generated/dns.json"
python3 - "$D/generated" >cases <<'E'
import json, sys
for c in json.load(open(sys.argv[1] + "/cases.json")):
    print(c["id"], c["kind"], c["expect"], int(c["soft"]), c["file"])
E
: >wrong; : >words; : >policy
n=0 same=0
while read -r id kind expect soft file; do
	n=$((n + 1))
	full=$(first "$D/generated/$file")
	got=${full%%	*}
	[ "$got" = "$expect" ] && same=$((same + 1)) ||
	    echo "$id $kind: $got, expected $expect" >>words
	case $soft,$expect,$got in
	0,pass,pass|1,*) ;;
	0,pass,*|0,*,pass) echo "$id $kind: $got, expected $expect" >>wrong ;;
	esac
	# by the server's policy l= and t=y do not pass, and nothing else changes
	default=$(first "$D/generated/$file" -p)
	case $kind,$default in
	l-*,pass*|key-testing,pass*) echo "$id $kind: $default" >>policy ;;
	l-*|key-testing,*) ;;
	*) [ "$default" = "$full" ] || echo "$id $kind: $default" >>policy ;;
	esac
done <cases
ok "A-3 generated: there are cases" test "$n" -gt 0
is "$(cat wrong)" "" "A-3 generated: pass or not pass in every hard case of $n"
echo "# the same word in $same of $n"
sed 's/^/#   /' words
ok "A-3 generated: 19 in 20 have the same word" test $((same * 20)) -ge $((n * 19))
is "$(cat policy)" "" "A-3 with -p only the l= and t=y cases differ"

# CRLF and LF form give the same line
: >differ
for f in "$D"/generated/msgs/00[0-4]*.eml; do
	tr -d '\r' <"$f" >lf
	[ "$(first "$f")" = "$(first lf)" ] || echo "$f" >>differ
done
is "$(cat differ)" "" "CRLF and LF form of a message agree"

# ---- stalwart: "NAME RECORD" lines, blank line, message ----
for n in 001 002 003; do
	python3 - "$D/stalwart/$n.txt" >"zone.$n" <<'E'
import json, sys
records, _, message = open(sys.argv[1], encoding="latin-1").read().partition("\n\n")
print(json.dumps({l.split(" ", 1)[0]: {"TXT": [l.split(" ", 1)[1]]}
    for l in records.split("\n") if l}))
open("message", "w", encoding="latin-1").write(message)
E
	dns_stub_start "zone.$n"
	dkim-verify -q -T 1500000000 <message >lines
	is "$(cut -f1 lines | sort -u)" "pass" "stalwart $n: every signature passes"
done

# ---- dkimpy: examples, and records that are wrong, for our own signatures ----
python3 - "$D/dkimpy" >zone.dkimpy <<'E'
import json, sys
zone = {}
for name, file in [("test", "test.txt"), ("test2", "test2.txt"),
        ("badk", "badk.txt"), ("badversion", "badversion.txt"),
        ("bad", "test_bad.txt"), ("tlsrpt", "test_tlsrpt.txt")]:
    text = open(sys.argv[1] + "/" + file).read().strip()
    zone[name + "._domainkey.example.com"] = {"TXT": [text]}
zone["test._domainkey.football.example.com"] = zone["test._domainkey.example.com"]
zone["brisbane._domainkey.football.example.com"] = {"TXT": [
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]}
print(json.dumps(zone))
E
dns_stub_start zone.dkimpy
is "$(word "$D/dkimpy/test.message")" "none" "dkimpy: an unsigned message"
for s in badk badversion bad tlsrpt; do
	sed "s/s=brisbane/s=$s/;s/d=football.example.com/d=example.com/;s/i=@football.example.com;//" \
	    "$D/dkimpy/rfc6376.signed.msg" >m
	is "$(word m)" "permerror" "dkimpy: record $s cannot be used"
done
for k in rfc8032_7_1.key ed25519test.key; do
	ok "dkimpy: $k is read" dkim-key -p "$D/dkimpy/$k"
done
is "$(dkim-key -p "$D/dkimpy/ed25519test.key")" \
    '"v=DKIM1; k=ed25519; p=yi50DjK5O9pqbFpNHklsv9lqaS0ArSYu02qp1S0DW1Y="' \
    "dkimpy: the Ed25519 seed gives the published key"

# ---- mimekit ----
python3 - "$D/mimekit" >zone.mimekit <<'E'
import json, re, sys
d = sys.argv[1]
pem = open(d + "/gmail.pub").read()
gmail = open(d + "/gmail.msg", "rb").read().decode("latin-1")
sig = re.search(r"(?ims)^dkim-signature:(.*?)^\S", gmail).group(1)
tag = lambda n: re.search(r"[;\s]%s=\s*([^;\s]+)" % n, sig).group(1)
key = "".join(l for l in pem.split("\n") if l and not l.startswith("--"))
print(json.dumps({
    "%s._domainkey.%s" % (tag("s"), tag("d")): {"TXT": ["v=DKIM1; k=rsa; p=" + key]},
    "brisbane._domainkey.football.example.com": {"TXT": [
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]}}))
E
dns_stub_start zone.mimekit
is "$(word "$D/mimekit/gmail.msg")" "pass" "mimekit: gmail.msg"
is "$(word "$D/mimekit/rfc8463-example.msg")" "pass" "mimekit: the example of RFC 8463"
done_testing
