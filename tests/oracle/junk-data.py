#!/usr/bin/env python3
"""junk-data.py - a set of wanted and unwanted mail in halves, and tables

    junk-data.py split CORPUS LABELS OUT    OUT/{1,2}/{ham,spam}/NAME
    junk-data.py table THRESHOLD... < "class probability" lines
    junk-data.py auc < the same

The halves are by name order.  What the collector or the reader of the mail
added after reception, or a receiving server does not judge by, is dropped.
"""
import os
import re
import sys

DROP = set("""received delivered-to return-path date delivery-date status
x-status x-keywords x-uid x-uidl lines x-pyzor x-apparently-to x-original-date
replied forwarded content-length x-mozilla-status x-mozilla-status2
x-originalarrivaltime resent-date""".split())


def clean(message):
    if message.startswith(b"From "):
        message = message.split(b"\n", 1)[1]
    head, end, body = message.partition(b"\n\n")
    out = []
    keep = True
    for line in head.split(b"\n"):
        if line[:1] not in (b" ", b"\t"):
            name = line.split(b":")[0].strip().lower().decode("latin1")
            keep = name not in DROP and not name.startswith("x-spam")
        if keep:
            out.append(line)
    return b"\n".join(out) + end + body


def split(corpus, labels, out):
    kinds = {}
    with open(labels) as f:
        for line in f:
            name, kind = line.split("\t")[:2]
            if kind in ("ham", "spam"):
                kinds[name] = kind
    names = sorted(kinds)
    for i, name in enumerate(names):
        half = "1" if i < len(names) // 2 else "2"
        where = os.path.join(out, half, kinds[name])
        os.makedirs(where, exist_ok=True)
        with open(os.path.join(corpus, name), "rb") as f:
            message = clean(f.read())
        with open(os.path.join(where, name), "wb") as f:
            f.write(message)


def read():
    scores = []
    for line in sys.stdin:
        kind, p = line.split()
        scores.append((float(p), kind == "spam"))
    return sorted(scores)


def auc(scores):
    """That a random spam has more than a random ham; ties are halves."""
    spam = sum(1 for _, is_spam in scores if is_spam)
    ham = len(scores) - spam
    rank_sum = at = 0
    while at < len(scores):
        end = at
        while end < len(scores) and scores[end][0] == scores[at][0]:
            end += 1
        tied = sum(1 for i in range(at, end) if scores[i][1])
        rank_sum += tied * (at + end + 1) / 2
        at = end
    return (rank_sum - spam * (spam + 1) / 2) / (spam * ham)


def missed(scores, lost):
    """Spam not caught at the threshold that loses so many ham."""
    ham = sorted((p for p, is_spam in scores if not is_spam), reverse=True)
    return sum(1 for p, is_spam in scores if is_spam and p <= ham[lost])


def table(scores, thresholds):
    spam = sum(1 for _, is_spam in scores if is_spam)
    ham = len(scores) - spam
    print("auc\t%.5f" % auc(scores))
    for t in thresholds:
        lost = sum(1 for p, s in scores if not s and p > float(t))
        caught = sum(1 for p, s in scores if s and p > float(t))
        print("above %s\tham lost %d of %d\tspam caught %d of %d"
              % (t, lost, ham, caught, spam))
    for n in (0, 1, 2):
        print("ham lost %d\tspam missed %d of %d"
              % (n, missed(scores, n), spam))


def main():
    if sys.argv[1] == "split":
        split(*sys.argv[2:5])
    elif sys.argv[1] == "table":
        table(read(), sys.argv[2:])
    else:
        print("%.5f" % auc(read()))


main()
