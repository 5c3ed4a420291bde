#!/usr/bin/python3
"""bad-mail.py - messages and DNS data that strangers might send

    bad-mail.py messages DIR    one file per case in DIR (LF line ends)
    bad-mail.py zone KEYFILE    data for tests/dns-stub.py
    bad-mail.py chain DIR       each through the commands of the chain
    bad-mail.py smtp DIR PORT   each to a server

The last two print a line per case: name, milliseconds, what came of it.
"""
import base64
import hashlib
import json
import os
import re
import smtplib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

# of the body "Hello", so that keys are asked for
HASH = base64.b64encode(hashlib.sha256(b"Hello\r\n").digest()).decode()
FROM = "From: a@good.example\nTo: mail@localhost\nSubject: %s\n"
SIGNATURE = ("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s;\n\ts=%s; h=from:subject;\n"
             "\tbh=" + HASH + "; b=" + "A" * 172 + "\n")
SET = ("ARC-Seal: i=%d; a=rsa-sha256; cv=%s; d=%s; s=%s; b=" + "A" * 172 + "\n"
       "ARC-Message-Signature: i=%d; a=rsa-sha256; d=%s; s=%s; h=from:subject;\n"
       "\tbh=" + HASH + "; b=" + "A" * 172 + "\n"
       "ARC-Authentication-Results: i=%d; mx; dmarc=pass header.from=good.example\n")


def chain(n, name=lambda i: ("good.example", "sel")):
    out = ""
    for i in range(n, 0, -1):
        d, s = name(i)
        out += SET % (i, "pass" if i > 1 else "none", d, s, i, d, s, i)
    return out


def plain(case, head="", body="Hello\n", sender="good.example"):
    return (head + FROM % case + "\n" + body).replace("a@good.example", "a@" + sender).encode("latin-1")


def html(case, body):
    return (FROM % case + "Content-Type: text/html; charset=utf-8\n\n").encode() + body


def typed(case, content_type, body, encoding="8bit"):
    return (FROM % case + "Content-Type: %s\nContent-Transfer-Encoding: %s\n\n"
            % (content_type, encoding)).encode("latin-1") + body


def messages():
    m = {}
    for name in ("spf-loop", "spf-redirect", "spf-silent", "spf-long", "spf-syntax", "spf-two", "spf-garbage", "spf-many",
                 "dmarc-loop", "dmarc-silent", "dmarc-long", "dmarc-syntax", "dmarc-two", "dmarc-garbage", "dmarc-bytes"):
        m[name] = plain(name, sender=name + ".example")
    for name in ("loop", "silent", "long", "syntax", "many", "garbage", "slow"):
        m["dkim-" + name] = plain("dkim-" + name, SIGNATURE % ("key.example", name))
        m["arc-" + name] = plain("arc-" + name, chain(1, lambda i, n=name: ("key.example", n)))
    m["dkim-100"] = plain("dkim-100", "".join(SIGNATURE % ("key.example", "s%d" % i) for i in range(100)))
    m["dkim-100-silent"] = plain("dkim-100-silent", "".join(SIGNATURE % ("mute.example", "s%d" % i) for i in range(100)))
    m["spf-all"] = plain("spf-all", "".join(SIGNATURE % ("mute.example", "s%d" % i) for i in range(8)) + chain(
        20, lambda i: ("mute.example", "s%d" % (20 + i))), sender="dmarc-silent.example")
    m["dkim-tags"] = plain("dkim-tags", (SIGNATURE % ("key.example", "s1")).replace("h=from", "h=" + ":".join(["from"] * 20000)))
    m["arc-50"] = plain("arc-50", chain(50))
    m["arc-51"] = plain("arc-51", chain(51))
    m["arc-50-silent"] = plain("arc-50-silent", chain(50, lambda i: ("mute.example", "s%d" % i)))
    m["arc-comments"] = plain("arc-comments", chain(1).replace("Results: i", "Results: " + "(" * 60000 + " i"))
    m["from-10000"] = plain("from-10000").replace(
        b"From: a@good.example", b"From: " + b",\n\t".join(b"a%d@d%d.example" % (i, i) for i in range(10000)))
    m["from-fields"] = plain("from-fields", "".join("From: a@d%d.example\n" % i for i in range(10000)))
    m["from-comments"] = plain("from-comments").replace(b"From: a", b"From: " + b"(" * 100000 + b" a")
    m["field-1MB"] = plain("field-1MB", "X-Long: " + "\n\t".join("x" * 900 for i in range(1200)) + "\n")
    m["subject-1MB"] = plain("subject-1MB").replace(
        b"Subject: ", b"Subject: " + b"\n ".join(b"=?utf-8?B?" + b"w6k" * 20 + b"?=" for i in range(14000)) + b"\n ")
    m["results-1MB"] = plain("results-1MB", "Authentication-Results: localhost; " + ";\n\t".join("spf=pass" for i in range(90000)) + "\n")
    m["html-deep"] = html("html-deep", b"".join(b"<div>\n" for i in range(100000)) + b"deep words here" + b"</div>\n" * 100000)
    m["html-unended"] = html("html-unended", b"<a href='" * 100000)
    m["html-comments"] = html("html-comments", b"<!--\n" * 200000)
    m["html-entities"] = html("html-entities", b"&#120;&amp&\n" * 100000)
    for charset in ("utf-7", "utf-16", "utf-32be", "iso-2022-jp", "gb18030", "x-none", "utf-8", "utf-8" * 50):
        case = "charset-" + charset[:12].replace("utf-8utf", "long")
        m[case] = typed(case, 'text/plain; charset="%s"' % charset,
                        b"".join(bytes([i & 255 or 1]) if i & 255 not in (10, 13) else b"?" for i in range(900)) + b"\n")
    m["base64-endless"] = typed("base64-endless", "text/plain", (b"QUJD" * 19 + b"\n") * 40000, "base64")
    m["base64-nonsense"] = typed("base64-nonsense", "text/html", b"=\n-_ ====\n" * 100000, "base64")
    m["qp-endless"] = typed("qp-endless", "text/plain", b"=3D=\n" * 300000, "quoted-printable")
    m["token-1MB"] = typed("token-1MB", "text/plain", b"a\xcc\x81" * 330 + b"\n" + (b"x" * 990 + b"=\n") * 1060, "quoted-printable")
    m["words-100000"] = typed("words-100000", "text/plain", b"".join(b"word%dx\n" % i for i in range(100000)))
    m["urls"] = html("urls", b"".join(b"<a href=http://h%d.example/p%d>\n" % (i, i) for i in range(30000)))
    m["parts-deep"] = ((FROM % "parts-deep") + "Content-Type: multipart/mixed; boundary=b0\n\n" + "".join(
        "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (i, i + 1) for i in range(2000))).encode()
    m["fields-90000"] = plain("fields-90000", "X-A: y\n" * 90000)
    m["no-header"] = b"\njust text\n"
    m["only-header"] = (FROM % "only-header").encode()
    m["nul"] = plain("nul").replace(b"Hello", b"He\0llo\0")
    return m


def key(name):
    out = subprocess.run(["dkim-key", "-p", name], capture_output=True, text=True, check=True).stdout
    return re.findall('"([^"]*)"', out)


def zone(keyfile):
    good = key(keyfile)
    z = {"good.example": {"TXT": ["v=spf1 ip4:127.0.0.1 -all"], "A": ["127.0.0.1"]},
         "sel._domainkey.good.example": {"TXT": [good]},
         "_dmarc.good.example": {"TXT": ["v=DMARC1; p=reject"]},
         "spf-loop.example": {"TXT": ["v=spf1 include:spf-loop.example a -all"]},
         "spf-redirect.example": {"TXT": ["v=spf1 redirect=b.spf-redirect.example"]},
         "b.spf-redirect.example": {"TXT": ["v=spf1 redirect=spf-redirect.example"]},
         "spf-silent.example": {"TXT": ["v=spf1 " + " ".join("include:s%d.mute.example" % i for i in range(10)) + " -all"]},
         "spf-all.example": {"TXT": "TIMEOUT"},
         "spf-long.example": {"TXT": [["v=spf1 "] + ["ip4:192.0.2.%d " % (i % 250) * 12 for i in range(60)] + ["-all"]]},
         "spf-syntax.example": {"TXT": ["v=spf1 ip4:300.1.1.1/99 include: %{z} -all"]},
         "spf-two.example": {"TXT": ["v=spf1 -all", "v=spf1 +all"]},
         "spf-garbage.example": {"TXT": "GARBAGE"},
         "spf-many.example": {"TXT": ["v=spf1 " + " ".join("include:m%d.spf-many.example" % i for i in range(10)) + " -all"]},
         "a.dmarc-loop.example": {"CNAME": ["_dmarc.dmarc-loop.example"]},
         "_dmarc.dmarc-loop.example": {"CNAME": ["a.dmarc-loop.example"]},
         "_dmarc.dmarc-silent.example": {"TXT": "TIMEOUT"},
         "_dmarc.dmarc-long.example": {"TXT": [["v=DMARC1; p=reject; rua="] + ["mailto:a%d@x.example," % i * 9 for i in range(99)]]},
         "_dmarc.dmarc-syntax.example": {"TXT": ["v=DMARC1; p=reject; p=none; ===;;;"]},
         "_dmarc.dmarc-two.example": {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]},
         "_dmarc.dmarc-garbage.example": {"TXT": "GARBAGE"},
         "_dmarc.dmarc-bytes.example": {"TXT": ["v=DMARC1; p=\xff\xfe\x01; rua=\x00"]}}
    for i in range(10):
        z["m%d.spf-many.example" % i] = {"TXT": ["v=spf1 " + " ".join("mx:x%d.spf-many.example" % k for k in range(10)) + " -all"]}
        z["x%d.spf-many.example" % i] = {"MX": ["%d h%d.spf-many.example" % (k, k) for k in range(10)]}
        z["h%d.spf-many.example" % i] = {"A": ["192.0.2.%d" % i]}
        z["s%d.mute.example" % i] = {"*": "TIMEOUT"}
    for i in range(100):
        z["s%d._domainkey.mute.example" % i] = {"*": "TIMEOUT"}
        z["s%d._domainkey.key.example" % i] = {"TXT": [good]}
    k = "%s._domainkey.key.example"
    z[k % "loop"] = {"CNAME": [k % "loop2"]}
    z[k % "loop2"] = {"CNAME": [k % "loop"]}
    z[k % "silent"] = {"*": "TIMEOUT"}
    z[k % "long"] = {"TXT": [["v=DKIM1; p="] + ["A" * 250] * 200]}
    z[k % "syntax"] = {"TXT": ["v=DKIM1; p=\x01\xff; =;;; k"]}
    z[k % "many"] = {"TXT": ["v=DKIM1; p=AAAA%d" % i for i in range(400)]}
    z[k % "garbage"] = {"TXT": "GARBAGE"}
    z[k % "slow"] = {"TXT": [good], "options": ["tc", "tcpslow"]}
    json.dump(z, sys.stdout)


CHAIN = "iprev-check | spf-check | dkim-verify | arc-verify | dmarc-check | junk-score -d words.mdb"
ENV = dict(os.environ, SENDER="a@good.example", RECIPIENT="mail@localhost", HELO="good.example", PROTO="TCP",
           TCPREMOTEIP="127.0.0.1", TCPLOCALIP="127.0.0.1")


def sender(case):
    return "a@%s.example" % case if case.startswith("spf-") else "a@good.example"


def words(text):
    """What our own results say, and how many there are of each."""
    end = text.find(b"\nReceived: ")
    field = b""
    for f in re.findall(rb"(?m)^Authentication-Results: localhost;(?:.|\n[ \t])*", text[:end]):
        field += f
    found = re.findall(rb"[;\t ](spf|dkim|arc|dmarc)=([a-z]+)", re.sub(rb'"[^"]*"|\([^)]*\)', b"", field))
    out = []
    for word in dict.fromkeys(found):
        n = found.count(word)
        out.append("%s=%s%s" % (word[0].decode(), word[1].decode(), "*%d" % n if n > 1 else ""))
    return " ".join(out)


def by_hand(path):
    env = dict(ENV, SENDER=sender(os.path.basename(path)))
    with open(path, "rb") as f:
        r = subprocess.run(["bash", "-o", "pipefail", "-c", CHAIN], stdin=f, env=env, capture_output=True, timeout=120)
    junk = b"Pipemail-Junk: " in r.stdout[:r.stdout.find(b"\nReceived: ")]
    return "%d %s %s" % (r.returncode, words(r.stdout), "junk" if junk else "nothing") + (
        " " + repr(r.stderr[:200]) if r.stderr else "")


def by_smtp(path):
    with open(path, "rb") as f:
        text = f.read().replace(b"\n", b"\r\n")
    s = smtplib.SMTP("127.0.0.1", int(sys.argv[3]), local_hostname="good.example", timeout=120)
    s.ehlo()
    for verb in (("mail", "FROM:<%s>" % sender(os.path.basename(path))), ("rcpt", "TO:<mail@localhost>")):
        code, reply = s.docmd(*verb)
        if code != 250:
            return "%d %s" % (code, reply.decode())
    try:
        code, reply = s.data(text)
    except smtplib.SMTPServerDisconnected:
        return "closed"
    s.close()
    return "%d %s" % (code, re.sub(r"received-id .*", "", reply.decode().split("\n")[0]))


def one(job):
    started = time.monotonic()
    what = job[0](job[1])
    return os.path.basename(job[1]), int((time.monotonic() - started) * 1000), what


def run(how, folder):
    names = sorted(os.listdir(folder))
    with ThreadPoolExecutor(4) as pool:
        for row in pool.map(one, [(how, os.path.join(folder, n)) for n in names]):
            print("%s\t%d\t%s" % row, flush=True)


if sys.argv[1] == "zone":
    zone(sys.argv[2])
elif sys.argv[1] == "chain":
    run(by_hand, sys.argv[2])
elif sys.argv[1] == "smtp":
    run(by_smtp, sys.argv[2])
else:
    for case, text in messages().items():
        with open(os.path.join(sys.argv[2], case), "wb") as f:
            f.write(text)
