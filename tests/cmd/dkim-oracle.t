#!/bin/sh
# dkim-oracle.t - A-3, A-4: libopendkim and we verify each other's signatures
# and agree on changed messages. The messages have more than two fields, no
# rsa-sha1 and no l=: there the library is known to be wrong.
. "$(dirname "$0")/../tap.sh"
[ -e /usr/include/opendkim/dkim.h ] || skip_all "libopendkim is not installed"
need cc python3
cc -Wall -Wno-unused-function -o oracle "$TOP/tests/oracle/opendkim_oracle.c" \
    $(pkg-config --cflags --libs opendkim) 2>cc.err ||
    { sed 's/^/# /' cc.err; skip_all "the oracle does not build"; }
. "$TOP/tests/dns-fixture"

dkim-key -b 1024 -o rsa.pem && dkim-key -t ed25519 -o ed.pem || exit 111
# strings of a record are joined without the blank between them
record() {
	python3 -c 'import re, sys; print("".join(re.findall("\"([^\"]*)\"", sys.stdin.read())))' <<E
$(dkim-key -p "$1")
E
}
{
	echo "rsa._domainkey.example.org $(record rsa.pem)"
	echo "ed._domainkey.example.org $(record ed.pem)"
} >records
python3 -c 'import json, sys
print(json.dumps({l.split(" ", 1)[0]: {"TXT": [l.rstrip("\n").split(" ", 1)[1]]} for l in open("records")}))' >dns.json
dns_stub_start dns.json

# ---- messages, CRLF, from a fixed seed ----
cat >gen.py <<'E'
import random
r = random.Random(6376)
words = ["tea", "Caf\u00e9", "=", ";", "a:b", "x" * 70, "\t", " ", "  ", "(c)", "<a@b>", "\"q\""]
def text(n):
    return "".join(r.choice(words) + r.choice(["", " ", "  ", "\t"]) for _ in range(n))
def value():
    lines = [text(r.randint(1, 5)).strip() or "v" for _ in range(r.randint(1, 3))]
    return r.choice(["", " ", "  ", "\t"]) + (r.choice(["", " "]) + "\r\n" + r.choice([" ", "\t", "  "])).join(lines) + r.choice(["", "", " "])
for i in range(60):
    fields = [("From", " a%d@example.org" % i), ("To", " b@example.net"), ("Subject", value()),
              ("Date", " Fri, 20 Nov 2026 12:00:00 +0000"), ("Message-ID", " <%d@example.org>" % i)]
    for _ in range(r.randint(0, 4)):
        fields.append((r.choice(["Cc", "X-Any", "MIME-Version", "Reply-To", "X-Any", "list-id"]), value()))
    r.shuffle(fields)
    header = "".join(r.choice([n, n.lower(), n.upper()]) + ":" + v + "\r\n" for n, v in fields)
    kind = r.randint(0, 9)
    if kind == 0: body = ""
    elif kind == 1: body = "\r\n" * r.randint(1, 4)
    elif kind == 2: body = " \t\r\n \r\n"
    else: body = "".join(text(r.randint(0, 8)) + r.choice(["\r\n", "\r\n", "\r\n\r\n", " \r\n"]) for _ in range(r.randint(1, 30)))
    if kind == 3: body += "\r\n \r\n\r\n"
    open("m%02d" % i, "wb").write((header + "\r\n" + body).encode("utf-8"))
E
python3 gen.py
# options N: canonical forms and key number N of eight
options() {
	case $(($1 % 4)) in
	0) header=simple body=simple ;; 1) header=simple body=relaxed ;;
	2) header=relaxed body=simple ;; 3) header=relaxed body=relaxed ;;
	esac
	case $(($1 / 4 % 2)) in 0) k=rsa ;; 1) k=ed ;; esac
}

# ---- we sign, the library verifies ----
: >failed
n=0
for m in m[0-9][0-9]; do
	options $n
	n=$((n + 1))
	seal=; [ $((n % 3)) = 0 ] && seal=-n
	dkim-sign $seal -c $header/$body -d example.org -s $k -k $k.pem <$m >$m.ours ||
	    echo "$m" >>failed
done
is "$(cat failed)" "" "A-4 all $n messages are signed"
./oracle verify records m??.ours >said
is "$(grep -v 'pass$' said)" "" "A-4 libopendkim verifies our signatures"
is "$(wc -l <said)" "$n" "all were looked at"

# ---- the library signs, we verify ----
# Its Ed25519 signatures with simple header fields do not verify, by itself
# either: there both must say so.
n=0
: >may-fail
for m in m[0-9][0-9]; do
	options $n
	n=$((n + 1))
	alg=rsa; [ $k = ed ] && alg=ed25519
	./oracle sign example.org $k $k.pem $header $body $alg $m || echo "$m" >>failed
	[ $k$header = edsimple ] && echo "$m.oracle fail" >>may-fail
done
is "$(cat failed)" "" "libopendkim signs"
./oracle verify records m??.oracle >said
for m in m??.oracle; do
	if dkim-verify -q <$m >line; then echo "$m pass"; else echo "$m fail"; fi
done >mine
is "$(diff said mine)" "" "A-3 we agree on libopendkim's signatures"
is "$(grep -v 'pass$' mine | grep -vxFf may-fail)" "" "A-3 we verify libopendkim's signatures"

# ---- changed: both say the same ----
cat >change.py <<'E'
import glob, random, re
r = random.Random(8463)
for f in sorted(glob.glob("m??.ours") + glob.glob("m??.oracle")):
    m = open(f, "rb").read()
    for i in range(4):
        header, _, body = m.partition(b"\r\n\r\n")
        kind = r.randint(0, 9)
        if kind == 0: body += b"\r\n" * r.randint(1, 3)
        elif kind == 1: body = body.replace(b" ", b"  ", 1)
        elif kind == 2: body = re.sub(rb"\r\n", b" \r\n", body, count=1)
        elif kind == 3 and body:
            at = r.randrange(len(body))
            if body[at:at + 1] not in b"\r\n": body = body[:at] + b"Z" + body[at + 1:]
        elif kind == 4: header = re.sub(rb"(?i)\r\nsubject:", b"\r\nSUBJECT:", header, count=1)
        elif kind == 5: header = re.sub(rb"(?i)\r\nto: ", b"\r\nTo:\t ", header, count=1)
        elif kind == 6: header = re.sub(rb"(?i)\r\n(date:[^\r]*)", b"", header, count=1)
        elif kind == 7: header += b"\r\nX-Any: added"
        elif kind == 8: header += b"\r\nCc: added@example.org"
        else:
            # the signature's own field
            sig, sep, rest = header.partition(b"\r\nFrom") if b"\r\nFrom" in header else (header, b"", b"")
            header = re.sub(rb"; ([a-z]+)=", rb";\r\n\t\1=", header, count=1)
        open("%s.%d" % (f, i), "wb").write(header + b"\r\n\r\n" + body)
E
python3 change.py
./oracle verify records m??.*.[0-9] | sort >theirs
for m in m??.*.[0-9]; do
	if dkim-verify -q <$m >line; then echo "$m pass"; else echo "$m fail"; fi
done | sort >mine
is "$(diff theirs mine)" "" "A-3 we agree on $(wc -l <mine) changed messages"
ok "some of them pass" test "$(grep -c pass mine)" -gt 50
ok "some of them do not" test "$(grep -c fail mine)" -gt 50
done_testing
