#!/bin/sh
# dkim-verify.t - A-3, A-13: verdict lines, exit codes, the filter, bad input
. "$(dirname "$0")/../tap.sh"
need python3
. "$TOP/tests/dns-fixture"

dkim-key -b 1024 -o rsa.pem && dkim-key -t ed25519 -o ed.pem || exit 111
cat >zone.py <<'E'
import json, re, subprocess, sys
def record(f):
    out = subprocess.run(["dkim-key", "-p", f], capture_output=True, text=True).stdout
    return re.findall('"([^"]*)"', out)
rsa, ed = record("rsa.pem"), record("ed.pem")
zone = {"rsa": {"TXT": [rsa]}, "ed": {"TXT": [ed]},
    "test": {"TXT": ["t=y; " + "".join(rsa)[len("v=DKIM1; "):]]},
    "fail": "SERVFAIL", "auth": {"TXT": [ed], "options": ["ad"]}}
for i in range(4):
    zone["silent%d" % i] = "TIMEOUT"
json.dump({k + "._domainkey.example.org": {"*": v} if isinstance(v, str) else v
    for k, v in zone.items()}, open("zone.json", "w"))
E
python3 zone.py
dns_stub_start zone.json
printf 'From: a@example.org\nTo: b@example.net\nSubject: tea\n\nHello\n' >message
sign() { dkim-sign -d example.org "$@" <message; }
verdict() { dkim-verify -q "$@" | cut -f1 | tr '\n' ' '; }

# ---- verdict lines and exit codes ----
sign -s rsa -k rsa.pem -s ed -k ed.pem >both
dkim-verify -q <both >lines
is "$?" 0 "-q exits 0 when a signature passes"
is "$(cut -f1-6 lines)" "$(printf 'pass\texample.org\trsa\trsa-sha256\t-\t1024\npass\texample.org\ted\ted25519-sha256\t-\t256')" \
    "A-3 one line per signature, in their order"
is "$(awk -F '\t' '{ print NF }' lines | sort -u)" 8 "eight columns"
is "$(cut -f7 lines | head -1)" "$(tr -d '\n\t' <both | sed 's/.*[ ;]b=\(.\{8\}\).*DKIM-Sig.*/\1/')" "RFC 6008 the first 8 characters of b="
exits 1 "-q exits 1 without a signature" dkim-verify -q <message
is "$(cut -f1 .out)" "none" "and says none"
sed 's/Hello/hello/' both >changed
exits 1 "-q exits 1 when none passes" dkim-verify -q <changed
is "$(cut -f1 .out | tr '\n' ' ')" "fail fail " "both fail"
like "$(head -1 .out)" 'body hash did not verify$' "with the reason"
sign -s fail -k rsa.pem >fail
exits 111 "A-3 -q exits 111 when a key cannot be fetched" dkim-verify -q <fail
is "$(cut -f1 .out)" "temperror" "and says temperror"
sign -s fail -k rsa.pem -s rsa -k rsa.pem >one
exits 0 "one that passes counts more" dkim-verify -q <one
is "$(verdict <one)" "temperror pass " "than one that could not be fetched"
sign -s nosuch -k rsa.pem >nosuch
is "$(verdict <nosuch)" "permerror " "A-3 no key: permerror"
sign -s ed -k rsa.pem >mixed
is "$(verdict <mixed)" "permerror " "A-3 a key of another type: permerror"

# ---- options ----
sign -s test -k rsa.pem >testing
is "$(verdict -p <testing)" "none " "A-3 t=y in the key: none by the server's policy"
is "$(verdict -p -t <testing)" "pass " "-t: pass"
is "$(verdict <testing)" "pass " "the bare verdict: pass"
dkim-sign -T 1000 -x 1000 -d example.org -s rsa -k rsa.pem <message >expired
is "$(verdict <expired)" "permerror " "A-3 expired"
is "$(verdict -T 2000 <expired)" "pass " "-T: not yet"
is "$(verdict -T 2001 <expired)" "permerror " "-T: one second later"
exits 100 "an unknown option" dkim-verify -z <both
exits 100 "an operand" dkim-verify file <both
exits 100 "a bad time" dkim-verify -T now <both

# ---- line ends ----
sed 's/$/\r/' both >crlf
is "$(dkim-verify -q <crlf)" "$(dkim-verify -q <both)" "CRLF and LF form have the same verdicts"
sed 's/$/\r/' message | dkim-sign -c simple -d example.org -s rsa -k rsa.pem >crlf2
tr -d '\r' <crlf2 >lf2
is "$(verdict <crlf2)$(verdict <lf2)" "pass pass " "a message signed with CRLF, read with either"

# ---- the filter ----
export SENDER=a@example.org RECIPIENT=b@example.net HELO=h.example.org PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPLOCALIP=192.0.2.2
exits 0 "A-13 the filter exits 0 when signatures pass" dkim-verify <both
is "$(tail -n "$(wc -l <both)" .out)" "$(cat both)" "A-13 the message stands unchanged below"
sed '/^DKIM-Signature/,$d' .out >block
like "$(tr -d '\n' <block)" 'dkim=pass \(1024-bit key\)[ 	]*header\.d=example\.org[ 	]*header\.s=rsa[ 	]*header\.a=rsa-sha256' "RFC 8601 header.d, .s, .a, and the size of the key"
like "$(tr -d '\n' <block)" 'header\.b="?[A-Za-z0-9+/]{8}"?' "RFC 6008 header.b"
is "$(grep -o 'dkim=' block | wc -l)" 2 "A-8 one result per signature"
exits 0 "A-13 the filter exits 0 when they fail" dkim-verify <changed
like "$(tr -d '\n' <.out)" 'dkim=fail[^;]*reason="body hash did not verify"' "and says fail"
exits 0 "A-13 the filter exits 0 for temperror" dkim-verify <fail
like "$(tr -d '\n' <.out)" 'dkim=temperror' "and says so"
exits 0 "A-13 the filter on an unsigned message" dkim-verify <message
like "$(cat .out)" 'dkim=none' "says none"
cp .out again
dkim-verify <again >twice
is "$(grep -c 'dkim=' twice)" 1 "a second run replaces the first"
dkim-verify <both >/dev/full 2>err
is "$?" 111 "a full device is a temporary failure"
unset SENDER RECIPIENT HELO PROTO TCPREMOTEIP TCPLOCALIP

# ---- bad input ----
python3 - <<'E'
sig = ("DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=rsa; h=from;\n"
    "\tbh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=%s\n")
m = "From: a@example.org\n\nHello\n"
w = lambda n, t: open("bad." + n, "wb").write(t.encode("latin-1"))
w("many", (sig % "AAAA") * 10000 + m)
w("hugetag", "DKIM-Signature: v=1; z=" + "z" * 1000000 + "; a=rsa-sha256\n" + m)
w("tags", "DKIM-Signature: " + "".join("t%d=1; " % i for i in range(10000)) + "\n" + m)
w("names", "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=rsa; b=AAAA;"
    " bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; h=" + ":".join(["from"] * 5000) + "\n" + m)
w("base64", (sig % "A*AA") + m)
w("short", (sig % "AAA") + m)
w("nul", (sig % "AA\0AA") + m)
w("cut", "DKIM-Signature: v=1; a=rsa-sha256; d=examp")
w("nofrom", (sig % "AAAA") + "To: x\n\nHello\n")
w("nobody", (sig % "AAAA") + "From: a@example.org\n")
w("blank", (sig % "AAAA") + "From: a@example.org\n\n\n\n\n")
w("fields", (sig % "AAAA") + "X-A: y\n" * 10000 + m)
w("empty", "")
w("tld", (sig % "AAAA").replace("example.org", "org") + m)
w("sha1", (sig % "AAAA").replace("rsa-sha256", "rsa-sha1") + m)
E
bad() { # FILE VERDICTS
	dkim-verify -q <"bad.$1" >line 2>err
	is "$?:$(cut -f1 line | uniq -c | awk '{ printf "%s %s ", $1, $2 }')$(cat err)" "1:$2 " "bad input, $1: $2"
}
bad many "8 fail 1 policy"
bad hugetag "1 permerror"
bad tags "1 permerror"
bad names "1 permerror"
bad base64 "1 permerror"
bad short "1 permerror"
bad nul "1 permerror"
bad cut "1 permerror"
bad nofrom "1 fail"
bad nobody "1 fail"
bad blank "1 fail"
bad fields "1 fail"
bad empty "1 none"
bad tld "1 policy"
bad sha1 "1 permerror"

# ---- keys are asked for at the same time ----
if command -v config-compile >/dev/null 2>&1; then
	mkdir -p etc var
	printf '[server]\nhostname = mx.example.net\ndns-timeout = 2s\n' >etc/main.conf
	PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var config-compile 2>err || sed 's/^/# /' err
	k="-k rsa.pem"
	sign -s silent0 $k -s silent1 $k -s silent2 $k -s silent3 $k >silent
	start=$(date +%s%N)
	PIPEMAIL_VAR=$TMP/var exits 111 "A-3 silence: temperror" dkim-verify -q <silent
	ms=$((($(date +%s%N) - start) / 1000000))
	is "$(cut -f1 .out | sort | uniq -c | tr -s ' ')" " 4 temperror" "for all four"
	ok "A-3 four silent servers take the time of one ($ms ms)" test $ms -lt 4000
else
	skip "A-3 silence: temperror" "config-compile is not built"
fi

# EXAMPLES of the page
cp both message
sed -n 's/^\.Dl \(dkim-verify .*\)/\1/p' "$TOP/man/dkim-verify.1" | sed 's/\\(dq/"/g' >lines
while read -r line; do sh -c "$line" >>out 2>&1 || echo "$line"; done <lines >bad
is "$(wc -l <lines):$(cat bad)" "2:" "the examples of dkim-verify(1) work"
is "$(tail -2 out)" "$(printf 'example.org\nexample.org')" "the domains of the second"
done_testing
