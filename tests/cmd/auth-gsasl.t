#!/bin/sh
# auth-gsasl.t - GNU SASL as the client of each mechanism it has
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need gsasl
imap_setup
echo "wonder,land=1" | passwd-set -a alice || exit 111
cat >gsasl.py <<'P'
import subprocess
from auth_client import *
c = Client()
EXP, UNIQ = b"e" * 32, b"u" * 12
FIELDS = "service=imap\tcb-tls-exporter=%s\tcb-tls-unique=%s" % (b64(EXP), b64(UNIQ))
# Relay between gsasl, which talks like a terminal, and the auth protocol
def login(mech, password, fields=FIELDS, exporter=EXP):
    g = subprocess.Popen(["gsasl", "--client", "-m", mech, "-a", "alice", "-p", password],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    def say(s): g.stdin.write(s.encode() + b"\n"); g.stdin.flush()
    def started(): return r is not None
    r, seen = None, b""
    for steps in range(10000):
        x = g.stdout.read(1)
        if not x: break
        seen += x
        if seen.endswith(b"tls-exporter channel binding: "):
            say(b64(exporter) if exporter else "")
        elif seen.endswith(b"tls-unique channel binding: "):
            say(b64(UNIQ) if exporter else "")
        elif seen.endswith(b"press RET if none):\n"):
            if not started(): r = c.auth(mech, None, fields)
            if not r.startswith("CONT\t"): break
            say(r[5:])
        elif seen.endswith(b"Output from client:\n"):
            line = g.stdout.readline().decode().strip()
            seen = b""
            if not started() and line == "":
                r = c.auth(mech, None, fields)
                continue
            if not started():
                c.n += 1
                c.say("AUTH\t%d\t%s\t%s\tresp=%s\n" % (c.n, mech, fields, line))
            else:
                c.say("CONT\t%d\t%s\n" % (c.n, line))
            r = c.reply()
    g.kill(); g.wait()
    if r is not None and r.startswith("CONT\t"):	# it has all it wants
        r = c.cont("")
    return r
for m in ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"):
    f = "service=imap" if m.startswith("SCRAM") and not m.endswith("PLUS") else FIELDS
    e = EXP if f is FIELDS else None
    check("U-2 gsasl: " + m, login(m, "wonder,land=1", f, e), "OK\tuser=alice")
    check("gsasl: " + m + ", wrong password", login(m, "wrong", f, e).split("\t")[0], "FAIL")
for m in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"):
    check("U-3 gsasl: " + m, login(m, "wonder,land=1"), "OK\tuser=alice")
    check("U-3 gsasl: " + m + " on another connection", login(m, "wonder,land=1", FIELDS, b"x" * 32),
          "FAIL\tuser=alice\treason=channel binding does not match: possible man in the middle")
P
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 test -S run/auth
export PYTHONPATH="$TOP/tests/cmd" PYTHONDONTWRITEBYTECODE=1
python_tests gsasl.py
done_testing
