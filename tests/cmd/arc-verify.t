#!/bin/sh
# arc-verify.t - B-3, A-14: the verdict line, exit codes, the filter, bad input
. "$(dirname "$0")/../tap.sh"
need python3 openssl
. "$TOP/tests/dns-fixture"

for n in a b; do dkim-key -b 1024 -o $n.pem || exit 111; done
cat >zone.py <<'E'
import json, re, subprocess
def record(f):
    out = subprocess.run(["dkim-key", "-p", f], capture_output=True, text=True).stdout
    return re.findall('"([^"]*)"', out)
zone = {"a._domainkey.example.org": {"TXT": [record("a.pem")]},
    "b._domainkey.example.net": {"TXT": [record("b.pem")]},
    "fail._domainkey.example.org": {"*": "SERVFAIL"}}
for i in range(8):
    zone["silent%d._domainkey.example.org" % i] = {"*": "TIMEOUT"}
json.dump(zone, open("zone.json", "w"))
E
python3 zone.py
dns_stub_start zone.json
printf 'From: a@example.org\nTo: b@example.net\nSubject: tea\n\nHello\n' >message
set_a() { "$TOP/tests/arc-set.py" -k a.pem -d example.org -s a "$@"; }
set_b() { "$TOP/tests/arc-set.py" -k b.pem -d example.net -s b "$@"; }
line() { arc-verify -q "$@" | tr '\t' ' '; }

# ---- verdict lines and exit codes ----
set_a <message >one
exits 0 "-q exits 0 when the chain passes" arc-verify -q <one
is "$(line <one)" "pass example.org a 1 0 - -" "B-3 a chain of one that openssl signed"
set_b <one >two
is "$(line <two)" "pass example.net b 2 0 - -" "B-3 a chain of two, by two domains"
sed 's/^Hello/Hello list/' one | set_b >list
is "$(line <list)" "pass example.net b 2 2 - -" "B-3 RFC 8617 5.2 oldest-pass after a list changed the message"
set_a <list >three
is "$(line <three)" "pass example.org a 3 2 - -" "B-3 and after another that did not"
exits 1 "-q exits 1 without a chain" arc-verify -q <message
is "$(line <message)" "none - - 0 - - -" "and says none"
sed 's/^Hello/hello/' two >changed
exits 1 "-q exits 1 when it fails" arc-verify -q <changed
is "$(line <changed)" "fail example.net b 2 - 2 body hash did not verify" "B-3 changed after the newest set"
sed 's/dmarc=pass/dmarc=none/' one >recorded
is "$(line <recorded)" "fail example.org a 1 - 1 signature did not verify" "B-3 changed results"
set_a -v fail <message >broken
is "$(line <broken)" "fail - - 0 - 1 chain was broken before" "B-3 cv=fail"
set_b <broken >mended
is "$(line <mended)" "fail - - 0 - 1 chain was broken before" "B-3 cv=pass over cv=fail does not mend it"
"$TOP/tests/arc-set.py" -k a.pem -d example.org -s fail <message >temp
exits 1 "RFC 8617 5.2.1 a key that cannot be fetched is a failure" arc-verify -q <temp
is "$(line <temp)" "fail example.org fail 1 - 1 key could not be fetched" "with its reason"
sed 's/$/\r/' three >crlf
is "$(line <crlf)" "$(line <three)" "CRLF and LF form have the same verdict"
exits 100 "an unknown option" arc-verify -z <one
exits 100 "an operand" arc-verify file <one
exits 100 "a bad time" arc-verify -T now <one

# ---- the filter ----
export SENDER=a@example.org RECIPIENT=b@example.net HELO=h.example.org PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPLOCALIP=192.0.2.2
exits 0 "B-3 the filter exits 0 when the chain passes" arc-verify <list
is "$(tail -n "$(wc -l <list)" .out)" "$(cat list)" "the message stands unchanged below"
like "$(tr -d '\n' <.out)" 'arc=pass \(i=2 sealed by example\.net\)[ 	]*header\.oldest-pass=2[ 	]*smtp\.remote-ip=192\.0\.2\.1' "RFC 8617 10.1 header.oldest-pass and smtp.remote-ip"
exits 0 "the filter exits 0 when it fails" arc-verify <changed
like "$(tr -d '\n' <.out)" 'arc=fail[^;]*reason="body hash did not[ 	]+verify"' "and says fail"
cp .out again
arc-verify <again >twice
is "$(grep -c '[^m]arc=' twice)" 1 "a second run replaces the first"
exits 0 "A-14 the filter on a message without a chain" arc-verify <message
like "$(cat .out)" 'arc=none' "says none"
dkim-verify <list | arc-verify >both
is "$(tr -d '\n' <both | grep -o '\(dkim\|arc\)=[a-z]*' | head -2 | tr '\n' ' ')" "dkim=none arc=pass " "A-8 behind dkim-verify"
arc-verify <one >/dev/full 2>err
is "$?" 111 "a full device is a temporary failure"
unset SENDER RECIPIENT HELO PROTO TCPREMOTEIP TCPLOCALIP

# ---- bad input ----
python3 - <<'E'
sets = ("ARC-Seal: i=%d; a=rsa-sha256; cv=%s; d=example.org; s=a; b=AAAA\n"
    "ARC-Message-Signature: i=%d; a=rsa-sha256; d=example.org; s=a; h=from;\n"
    "\tbh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA\n"
    "ARC-Authentication-Results: i=%d; x; dmarc=pass\n")
m = "From: a@example.org\n\nHello\n"
one = lambda i: sets % (i, "pass" if i > 1 else "none", i, i)
w = lambda n, t: open("bad." + n, "wb").write(t.encode("latin-1"))
w("50", "".join(one(i) for i in range(50, 0, -1)) + m)
w("51", "".join(one(i) for i in range(51, 0, -1)) + m)
w("100", "".join(one(i) for i in range(100, 0, -1)) + m)
w("same", one(1) * 10000 + m)
w("huge", one(1).replace("; x;", "; " + "x" * 1000000 + ";") + m)
w("comments", one(1).replace("Results: i", "Results: " + "(" * 60000 + " i") + m)
w("hugetag", one(1).replace("b=AAAA", "z=" + "z" * 1000000) + m)
w("tags", one(1).replace("b=AAAA", "; ".join("t%d=1" % i for i in range(5000))) + m)
w("names", one(1).replace("h=from", "h=" + ":".join(["from"] * 5000)) + m)
w("nul", one(1).replace("AAAA", "AA\0AA") + m)
w("number", one(1).replace("i=1", "i=99999999999999999999") + m)
w("minus", one(1).replace("i=1", "i=-1") + m)
w("cut", "ARC-Seal: i=1; cv=no")
w("fields", one(1) + "X-A: y\n" * 100000 + m)
w("empty", "")
E
bad() { # FILE RESULT
	timeout 20 arc-verify -q <"bad.$1" >got 2>err
	is "$?:$(cut -f1,7 got | tr '\t' ' ')$(cat err)" "1:$2" "bad input, $1: $2"
}
bad 50 "fail body hash did not verify"
bad 51 "fail ARC-Seal is no tag list with i="
bad 100 "fail ARC-Seal is no tag list with i="
bad same "fail two ARC-Seals of one instance"
bad huge "fail ARC field is too long"
bad comments "fail ARC-Authentication-Results without i="
bad hugetag "fail ARC field is too long"
bad tags "fail ARC-Seal is no tag list with i="
bad names "fail too many names in h="
bad nul "fail ARC-Seal is no tag list with i="
bad number "fail ARC-Seal is no tag list with i="
bad minus "fail ARC-Seal is no tag list with i="
bad cut "fail ARC set is not complete"
bad fields "fail body hash did not verify"
bad empty "none -"

# ---- keys are asked for at the same time ----
mkdir -p etc var
printf '[server]\nhostname = mx.example.net\ndns-timeout = 2s\n' >etc/main.conf
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var config-compile 2>err || sed 's/^/# /' err
cp message silent
for i in 0 1 2 3 4 5 6 7; do
	"$TOP/tests/arc-set.py" -k a.pem -d example.org -s silent$i <silent >next
	mv next silent
done
start=$(date +%s%N)
PIPEMAIL_VAR=$TMP/var exits 1 "B-3 silence is a failure" arc-verify -q <silent
ms=$((($(date +%s%N) - start) / 1000000))
ok "B-3 eight silent names take the time of one ($ms ms)" test $ms -lt 6000

# EXAMPLES of the page
cp two message
sed -n 's/^\.Dl \(arc-verify .*\)/\1/p' "$TOP/man/arc-verify.1" | sed 's/\\(dq/"/g' >lines
while read -r line; do sh -c "$line" >>out 2>&1 || echo "$line"; done <lines >wrong
is "$(wc -l <lines):$(cat wrong)" "2:" "the examples of arc-verify(1) work"
is "$(tail -1 out)" "example.net" "the domain of the second"
done_testing
