#!/usr/bin/python3
"""arc-set - put one ARC set in front of a message, for tests of arc-verify.

arc-set -k KEY.pem -d DOMAIN -s SELECTOR [-v CV] [-r RESULTS] < message

Written from RFC 8617 5.1 alone and signing by openssl(1), so that it does not
share mistakes with what it tests. LF messages; relaxed/relaxed; RSA.
"""
import argparse
import base64
import hashlib
import re
import subprocess
import sys

p = argparse.ArgumentParser()
for letter in "kds":
    p.add_argument("-" + letter, required=True)
p.add_argument("-v", help="cv=, instead of what fits")
p.add_argument("-r", default="mx.example.org; dmarc=pass header.from=example.org")
o = p.parse_args()
text = sys.stdin.buffer.read().decode("latin-1")
head, _, body = text.partition("\n\n")
fields = re.findall(r"[^\n]+(?:\n[ \t][^\n]*)*", head)


def relaxed(field):
    name, _, value = field.partition(":")
    return name.strip().lower() + ":" + re.sub(r"[ \t]+", " ", value.replace("\n", "")).strip(" ")


def sign(lines):
    out = subprocess.run(["openssl", "dgst", "-sha256", "-sign", o.k],
                         input="\r\n".join(lines).encode("latin-1"),
                         stdout=subprocess.PIPE, check=True).stdout
    return base64.b64encode(out).decode()


def named(name):
    return [f for f in fields if f.lower().startswith(name.lower() + ":")]


def instance(field):
    return int(re.search(r"\bi=(\d+)", field).group(1))


n = max([0] + [instance(f) for f in named("ARC-Seal")]) + 1
lines = [re.sub(r"[ \t]+", " ", l).rstrip(" ") for l in body.split("\n")]
while lines and not lines[-1]:
    lines.pop()
bh = hashlib.sha256("".join(l + "\r\n" for l in lines).encode("latin-1")).digest()
aar = "ARC-Authentication-Results: i=%d; %s" % (n, o.r)
ams = ("ARC-Message-Signature: i=%d; a=rsa-sha256; c=relaxed/relaxed;\n\td=%s; s=%s;"
       " h=from:to:subject; bh=%s;\n\tb=" % (n, o.d, o.s, base64.b64encode(bh).decode()))
ams += sign([relaxed(named(f)[-1]) for f in ("From", "To", "Subject") if named(f)] + [relaxed(ams)])
seal = "ARC-Seal: i=%d; a=rsa-sha256; cv=%s;\n\td=%s; s=%s; t=1700000000; b=" % (
    n, o.v or ("none" if n == 1 else "pass"), o.d, o.s)
chain = []
for i in range(1, n):
    for name in ("ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"):
        chain += [relaxed(f) for f in named(name) if instance(f) == i]
seal += sign(chain + [relaxed(aar), relaxed(ams), relaxed(seal)])
sys.stdout.buffer.write("\n".join([seal, ams, aar, text]).encode("latin-1"))
