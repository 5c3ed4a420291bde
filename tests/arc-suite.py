#!/usr/bin/python3
"""arc-suite - take the published validation tests for ARC apart.

arc-suite SUITE DIR writes DIR/N.json (names and keys of scenario N, for
dns-stub.py), the message of each case as DIR/NAME.eml, and lists the cases on
standard output: N, NAME, the expected result in our words. The suite is a few
shapes of YAML: read here, so that no module has to be installed.
"""
import json
import os
import sys


def block(lines, i, indent):
    """The literal block below line i - 1, and the line after it."""
    out = []
    while i < len(lines) and (not lines[i].strip() or
                              len(lines[i]) - len(lines[i].lstrip(" ")) >= indent):
        out.append(lines[i][indent:])
        i += 1
    while out and not out[-1].strip():
        out.pop()
    return out, i


def scenario(lines):
    """Tests as {name: {key: text}}, and the records."""
    part, name, tests, records = None, None, {}, {}
    i = 0
    while i < len(lines):
        line = lines[i]
        i += 1
        indent = len(line) - len(line.lstrip(" "))
        key, colon, value = line.strip().partition(":")
        value = value.strip()
        if not line.strip() or not colon:
            continue
        if value in ("|", "|-", ">-", ">"):
            text, i = block(lines, i, indent + 2)
            value = "\n".join(text)
            if part == "tests" or not value:
                value += "\n"
        if indent == 0:
            part = key
        elif part == "tests" and indent == 2:
            name = key
            tests[name] = {}
        elif part == "tests" and indent == 4:
            tests[name][key] = value
        elif part == "txt-records" and indent == 2:
            records[key] = value.replace("\n", "")
    return tests, records


def main():
    suite, out = sys.argv[1:]
    with open(suite, encoding="latin-1") as f:
        documents = [[]]
        for line in f.read().split("\n"):
            if line.startswith("---"):
                documents.append([])
            else:
                documents[-1].append(line)
    for n, lines in enumerate(documents):
        tests, records = scenario(lines)
        zone = {}
        for name, text in records.items():
            zone[name] = {"TXT": [[text[i:i + 255] for i in range(0, len(text), 255)]]}
        with open(os.path.join(out, "%d.json" % n), "w") as f:
            json.dump(zone, f)
        for name, test in tests.items():
            with open(os.path.join(out, name + ".eml"), "wb") as f:
                f.write(test["message"].replace("\n", "\r\n").encode("latin-1"))
            # nothing is expected where the newest seal says fail itself
            print(n, name, test.get("cv", "").strip().lower() or "fail")


main()
