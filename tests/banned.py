#!/usr/bin/python3
"""banned.py FILE ...: the address each line of FILE names for doc/fail2ban.conf
and how often, with Python's re in the place of fail2ban; and with
fail2ban-regex where it is installed, which must find as many."""
import collections, configparser, os, re, shutil, subprocess, sys

top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
conf = top + "/doc/fail2ban.conf"
c = configparser.RawConfigParser()
c.read(conf)
# as fail2ban puts it for <HOST>
HOST = r"(?:::f{4,6}:)?(?P<host>[\w\-.^_]*\w|[0-9a-fA-F:]+)"
fails = [re.compile(x.strip().replace("<HOST>", HOST))
         for x in c["Definition"]["failregex"].strip().split("\n")]

def banned(line):
    for r in fails:
        m = r.search(line)
        if m:
            return m.group("host")

if __name__ == "__main__":
    n = collections.Counter()
    for name in sys.argv[1:]:
        mine = [banned(l) for l in open(name, errors="replace").read().split("\n")]
        n.update(h for h in mine if h)
        if shutil.which("fail2ban-regex"):
            out = subprocess.run(["fail2ban-regex", "-o", "<ip>", name, conf], capture_output=True,
                text=True).stdout.split()
            assert len(out) == len([h for h in mine if h]), (name, len(out))
    for h in sorted(n):
        print(h, n[h])
