#!/bin/sh
# arc-seal.t - B-3: sets in front, what they record, keys of the configuration
. "$(dirname "$0")/../tap.sh"
need python3
. "$TOP/tests/dns-fixture"

mkdir -p etc/domains
for n in a b; do dkim-key -b 1024 -o $n.pem || exit 111; done
dkim-key -t ed25519 -o ed.pem || exit 111
cp b.pem ed.pem etc
cat >zone.py <<'E'
import json, re, subprocess
def record(f):
    out = subprocess.run(["dkim-key", "-p", f], capture_output=True, text=True).stdout
    return re.findall('"([^"]*)"', out)
json.dump({"a._domainkey.example.org": {"TXT": [record("a.pem")]},
    "b._domainkey.example.net": {"TXT": [record("b.pem")]},
    "ed._domainkey.example.net": {"TXT": [record("ed.pem")]}}, open("zone.json", "w"))
E
python3 zone.py
dns_stub_start zone.json
export PIPEMAIL_ETC="$TMP/etc"
# Each hop is a host of its own: our results are known by the host's name, and
# what stands above them is ours as well.
printf '[domain]\ndkim = ed ed.pem\ndkim = b b.pem\n' >etc/domains/example.net.conf
for n in 1 2 3 4 5; do
	mkdir var$n
	printf '[server]\nhostname = mx%s.example.net\n' $n >etc/main.conf
	PIPEMAIL_VAR=$TMP/var$n config-compile || exit 111
done
at() { export PIPEMAIL_VAR="$TMP/var$1"; }
printf 'From: a@example.org\nTo: b@example.net\nSubject: tea\n\nHello\n' >message
line() { PIPEMAIL_VAR="$TMP/var5" arc-verify -q "$@" | tr '\t' ' '; }
seal_a() { arc-seal -d example.org -s a -k a.pem "$@"; }

at 1
arc-verify <message >checked
exits 0 "B-3 a message is sealed" arc-seal -d example.org -s a -k a.pem <checked
cp .out one
is "$(line <one)" "pass example.org a 1 0 - -" "B-3 and verifies"
is "$(tail -n "$(wc -l <checked)" one)" "$(cat checked)" "the message stands unchanged below"
is "$(grep -o '^ARC-[A-Za-z-]*: i=1' one | tr '\n' ' ')" \
    "ARC-Seal: i=1 ARC-Message-Signature: i=1 ARC-Authentication-Results: i=1 " "the fields, in their order"
like "$(tr -d '\n' <one)" 'ARC-Authentication-Results: i=1; mx1\.example\.net;	arc=none' "RFC 8617 4.1.1 the results of ours are recorded"
like "$(tr -d '\n\t ' <one)" 'cv=none' "cv=none on the first"
at 2
# changed below the results, then sealed by another
spf-check <one | dkim-verify | arc-verify | sed 's/^Subject: /&[list] /' | seal_a >two
is "$(line <two)" "pass example.org a 2 2 - -" "B-3 a list changes the message and seals it"
like "$(tr -d '\n\t' <two)" 'ARC-Authentication-Results: i=2; ?mx2\.example\.net;spf=[^;]*;dkim=none;arc=pass' "with what it found before"
# broken: said once, then no more
at 3
sed 's/^Hello/hello/' two | arc-verify | seal_a >broken
is "$(line <broken)" "fail - - 0 - 3 chain was broken before" "B-3 a broken chain is sealed with cv=fail"
at 4
arc-verify <broken >again
exits 100 "B-3 and not sealed again" arc-seal -d example.org -s a -k a.pem <again
like "$(cat .err)" '^arc-seal: fatal: cannot seal message: chain was broken before$' "it says so"
is "$(cat .out)" "" "and writes nothing"

# ---- what must be there ----
at 1
exits 100 "a message without results of ours" arc-seal -d example.org -s a -k a.pem <message
like "$(cat .err)" 'must come from arc-verify' "it says what is needed"
dkim-verify <message >nochain
exits 100 "results without arc=" arc-seal -d example.org -s a -k a.pem <nochain
arc-verify -q <message >/dev/null
exits 100 "the results of another" arc-seal -a other.example -d example.org -s a -k a.pem <checked
exits 100 "no domain" arc-seal <checked
exits 100 "-k without -s" arc-seal -d example.org -k a.pem <checked
exits 100 "an unknown option" arc-seal -z -d example.org <checked
exits 100 "a field that must not be signed" arc-seal -f From:ARC-Seal -d example.org -s a -k a.pem <checked
PIPEMAIL_VAR=$TMP/none exits 111 "no configuration and no key" arc-seal -a mx1.example.net -d example.net <checked
arc-seal -d example.org -s a -k a.pem <checked >/dev/full 2>err
is "$?" 111 "a full device is a temporary failure"
arc-seal -f From:Subject -T 12345 -d example.org -s a -k a.pem <checked >opts
like "$(tr -d '\n\t ' <opts)" 't=12345;h=From:From:Subject;' "-f and -T"
is "$(line <opts)" "pass example.org a 1 0 - -" "which verifies"

# ---- CRLF ----
sed 's/$/\r/' checked >crlf
is "$(seal_a -T 1 <crlf)" "$(seal_a -T 1 <checked)" "CRLF and LF form are sealed alike"

# ---- keys of the configuration ----
arc-seal -d example.net <checked >configured
is "$(line <configured)" "pass example.net b 1 0 - -" "B-3 the domain's RSA key seals"
arc-seal -d example.net -s ed <checked >configured
is "$(line <configured)" "pass example.net ed 1 0 - -" "-s chooses another"
exits 100 "no such selector" arc-seal -d example.net -s none <checked
exits 100 "no such domain" arc-seal -d example.com <checked

# EXAMPLES of the page
cp a.pem rsa1.pem
sed -n 's/^\.Dl \(.*arc-seal .*\)/\1/p' "$TOP/man/arc-seal.1" | sed 's/-d example.org -s rsa1/-d example.org -s a/' >lines
while read -r line; do sh -c "$line" || echo "$line"; line <sealed | grep -v ^pass; done <lines >wrong 2>&1
is "$(wc -l <lines):$(cat wrong)" "2:" "the examples of arc-seal(1) work"
done_testing
