#!/usr/bin/python3
"""spf-suite.py - run an SPF test suite in the format of the openspf project.

usage: spf-suite.py FILE.yml

For each document a DNS stub serves its zone data, and each case is one
`spf-check -q -i IP -h HELO -s SENDER`. Prints TAP. Needs nothing beyond
Python's own library: the YAML of these suites is a small part of YAML, read
here.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\", '"': '"', "r": "\r"}


# ---- YAML, as far as these suites use it ----

def unquote(text):
    """A scalar as written on one line."""
    text = text.strip()
    if text.startswith('"'):
        return re.sub(r'\\(x[0-9A-Fa-f]{2}|.)', lambda m: chr(
            int(m[1][1:], 16)) if m[1][0] == "x" else ESCAPES[m[1]],
            text[1:text.rindex('"')])
    if text.startswith("'"):
        return text[1:text.rindex("'")].replace("''", "'")
    return re.split(r"\s#", text)[0].rstrip()


def value(text):
    """A scalar or a flow sequence of scalars."""
    text = text.strip()
    if not text.startswith("["):
        return unquote(text)
    items, rest = [], text[1:text.rindex("]")].strip()
    while rest:
        m = re.match(r'"(?:\\.|[^"\\])*"|\'(?:\'\'|[^\'])*\'|[^,]+', rest)
        items.append(unquote(m[0]))
        rest = rest[m.end():].lstrip().lstrip(",").lstrip()
    return items


class Reader:
    def __init__(self, text):
        self.lines = [line for line in text.split("\n")]
        self.at = 0

    def peek(self):
        """(indent, text) of the next line that is not empty or a comment."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            stripped = line.strip()
            if stripped and not stripped.startswith("#"):
                return len(line) - len(line.lstrip()), stripped
            self.at += 1
        return -1, ""

    def block_text(self, indent):
        """Lines deeper than indent: a block or a folded plain scalar."""
        out = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip() and len(line) - len(line.lstrip()) <= indent:
                break
            out.append(line.strip())
            self.at += 1
        return " ".join(out).strip()

    def scalar(self, text, indent):
        if re.fullmatch(r"[>|][-+]?", text):
            return self.block_text(indent)
        got = value(text)
        if isinstance(got, str) and text[0] not in "\"'[":
            more = self.block_text(indent)
            return (got + " " + more).strip()
        return got

    def node(self, indent):
        """A mapping or a sequence whose lines start at indent."""
        if self.peek()[1].startswith("- "):
            return self.sequence(indent)
        out = {}
        while True:
            at, text = self.peek()
            if at != indent or text.startswith("- "):
                return out
            m = re.match(r"('(?:''|[^'])*'|\"(?:\\.|[^\"\\])*\"|"
                         r"\S(?:.*?\S)?):(?:\s+(.*))?$", text)
            self.at += 1
            key = unquote(m[1])
            if m[2]:
                out[key] = self.scalar(m[2].strip(), at)
                continue
            deeper, text = self.peek()
            if deeper > indent or (deeper == indent and text[:2] == "- "):
                out[key] = self.node(deeper)
            else:
                out[key] = ""

    def sequence(self, indent):
        out = []
        while True:
            at, text = self.peek()
            if at != indent or not text.startswith("- "):
                return out
            self.at += 1
            text = text[2:].strip()
            m = re.match(r"([A-Z]+):(?:\s+(.*))?$", text)
            out.append({m[1]: value(m[2] or "")} if m else value(text))


def documents(text):
    for part in re.split(r"^---\s*$", text, flags=re.M):
        reader = Reader(part)
        if reader.peek()[0] >= 0:
            yield reader.node(0)


# ---- zone data to what dns-stub.py reads ----

def zone_json(zonedata):
    zone = {}
    for name, entries in zonedata.items():
        out, spf, has_txt = {}, [], False
        for entry in entries:
            if entry == "TIMEOUT":
                out["*"] = "TIMEOUT"
                continue
            (kind, data), = entry.items()
            has_txt = has_txt or kind == "TXT"
            if kind == "SPF":
                spf.append(data)
            elif data != "NONE":
                out.setdefault(kind, []).append(data)
        if spf and not has_txt:
            out["TXT"] = spf
        zone[name.rstrip(".")] = out
    return zone


# ---- running ----

class Suite:
    def __init__(self, path, directory):
        with open(path, encoding="latin-1") as f:
            self.documents = list(documents(f.read()))
        self.directory = directory

    def stub(self, number, zonedata):
        base = os.path.join(self.directory, str(number))
        with open(base + ".json", "w") as f:
            json.dump(zone_json(zonedata), f)
        script = os.path.join(os.path.dirname(__file__), "dns-stub.py")
        process = subprocess.Popen(
            ["/usr/bin/python3", script, "-r", base + ".port",
             base + ".json"])
        for _ in range(500):
            if os.path.exists(base + ".port"):
                with open(base + ".port") as f:
                    return process, "127.0.0.1:" + f.read().strip()
            time.sleep(0.02)
        raise SystemExit("Bail out! dns-stub does not start")

    def run_case(self, server, case):
        process = subprocess.run(
            ["spf-check", "-q", "-i", case["host"], "-h", case["helo"],
             "-s", case["mailfrom"]], capture_output=True,
            env=dict(os.environ, PIPEMAIL_DNS=server))
        line = process.stdout.decode("utf-8", "replace").rstrip("\n")
        fields = line.split("\t") + [""] * 6
        wanted = case["result"]
        wanted = wanted if isinstance(wanted, list) else [wanted]
        good = fields[0] in wanted
        explanation = case.get("explanation")
        if good and explanation and fields[0] == "fail":
            if explanation == "DEFAULT":
                explanation = "-"
            good = fields[6] == explanation
        code = {"pass": 0, "temperror": 111}.get(fields[0], 1)
        if process.returncode != code:
            good = False
        return good, "%r exit %d stderr %r, wanted %s %r" % (
            line, process.returncode, process.stderr.decode(),
            "/".join(wanted), explanation)

    def run(self):
        """Cases side by side: those that time out wait together."""
        stubs = [self.stub(n, d["zonedata"])
                 for n, d in enumerate(self.documents)]
        cases = [("%s: %s" % (d["description"], name), stubs[n][1], case)
                 for n, d in enumerate(self.documents)
                 for name, case in d["tests"].items()]
        try:
            with ThreadPoolExecutor(12) as pool:
                done = list(pool.map(lambda c: self.run_case(*c[1:]), cases))
        finally:
            for process, _ in stubs:
                process.kill()
                process.wait()
        return [(good, name, detail) for (name, _, _), (good, detail)
                in zip(cases, done)]


def main():
    with tempfile.TemporaryDirectory() as directory:
        suite = Suite(sys.argv[1], directory)
        cases = sum(len(d["tests"]) for d in suite.documents)
        results = suite.run()
    for number, (good, name, detail) in enumerate(results, 1):
        print("%s %d - A-1 RFC 7208 suite: %s" % (
            "ok" if good else "not ok", number, name))
        if not good:
            print("#   got " + detail)
    print("1..%d" % cases)
    bad = sum(not good for good, _, _ in results)
    print("# %d of %d cases right" % (len(results) - bad, cases))
    sys.exit(bad > 0 or len(results) != cases)


if __name__ == "__main__":
    main()
