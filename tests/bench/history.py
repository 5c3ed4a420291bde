"""history.py - files of an account with a past, for the benchmarks

history.py MAILDIR N TRAINED HOSTNAME: N received messages in cur/, each with
the fields HOSTNAME puts in front, from some 5000 senders of 1000 domains.
TRAINED of them are flagged, two of five $Junk, the others $NotJunk, and are
letters of 2 kB; the rest are short. known@sender.example and
sender@sender.example are among those whose mail was wanted. Whoever reads the
folder next takes them in.

history.py -l N SEED: N bytes of a letter as those, to be sent
"""
import os, random, sys, time

SYLLABLES = [a + b for a in "bcdfghklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er")]


class Words:
    """A vocabulary with a long tail, and lines of it for each kind of mail."""
    def __init__(self, seed):
        r = random.Random(7)
        self.all = ["".join(r.choice(SYLLABLES) for _ in range(r.randint(2, 4))) for _ in range(40000)]
        self.r = random.Random(seed)
        self.lines = {kind: [self.line(kind) for _ in range(4000)] for kind in ("ham", "spam")}

    def word(self):
        return self.all[int(len(self.all) * self.r.random() ** 4)]

    def line(self, kind):
        return " ".join(kind + self.word() if self.r.random() < .05 else self.word() for _ in range(10)) + "\n"

    def text(self, kind, size):
        out, n = [], 0
        while n < size:
            out.append(self.r.choice(self.lines[kind]))
            n += len(out[-1])
        return "".join(out)


def message(w, i, kind, flagged, host, now):
    r = w.r
    if kind == "ham" and i % 499 == 0:
        domain, local = "sender.example", "sender" if i % 998 else "known"
    else:
        domain, local = "%s%d.example" % (kind, i % 500), "p%d" % (i * 7919 % 5000 // 500)
    date = now - 86400 * 2 - (r.randrange(80 * 86400) if i % 3 == 0 else r.randrange(700 * 86400))
    ip = "198.%d.%d.%d" % (18 + i % 2, i % 251, i % 509 % 250 + 1)
    when = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(date))
    head = ("Return-Path: <%(from)s>\nAuthentication-Results: %(host)s;\n\tiprev=pass policy.iprev=%(ip)s;\n"
            "\tspf=pass smtp.mailfrom=%(from)s;\n\tdkim=pass header.d=%(domain)s header.s=s;\n"
            "\tdmarc=pass header.from=%(domain)s policy.dmarc=none policy.alignment=strict\n"
            "Received: from mail.%(domain)s (mail.%(domain)s [%(ip)s]) by %(host)s with ESMTP\n\tid i%(i)d; %(when)s\n"
            "From: %(local)s <%(from)s>\nTo: u1@peer.test\nSubject: %(subject)s\nDate: %(when)s\nMessage-ID: <h%(i)d@%(domain)s>\n"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n")
    fields = {"from": local + "@" + domain, "host": host, "ip": ip, "domain": domain, "i": i, "when": when,
              "local": local, "subject": "%s %s %s" % (w.word(), w.word(), w.word())}
    return date, head % fields + (w.text(kind, 1900) + "once%x of%x\n" % (i * 40503, i * 65599) if flagged else "short\n")


def main(cur, n, trained, host):
    w, now = Words(11), int(time.time())
    with open(cur + "/dovecot-keywords", "w") as f:
        f.write("0 $NotJunk\n1 $Junk\n")
    for i in range(n):
        flagged = (i + 1) * trained // n != i * trained // n
        kind = "spam" if (i * trained // n) % 5 < 2 else "ham"
        date, text = message(w, i, kind, flagged, host, now)
        path = "%s/cur/%d.M%dP1.past:2,S%s" % (cur, date, i, ("b" if kind == "spam" else "a") if flagged else "")
        with open(path, "w") as f:
            f.write(text)
        os.utime(path, (date, date))


if sys.argv[1] == "-l":
    sys.stdout.write(Words(int(sys.argv[3])).text("ham", int(sys.argv[2])))
else:
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
