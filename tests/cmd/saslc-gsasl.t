#!/bin/sh
# saslc-gsasl.t - GNU SASL as the server of our client mechanisms
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need gsasl
cd "$TOP" || exit 111
DRIVE=$(cd "${BUILD:-build}" 2>/dev/null && pwd)/tests/lib/smtpc_drive_test
cd "$TMP" || exit 111
[ -x "$DRIVE" ] || skip_all "smtpc_drive_test is not built"
cat >gsasl.py <<'P'
import re, subprocess, sys
DRIVE = sys.argv[1]
ASK = b"press RET if none):\n"
# gsasl asks on a terminal for what the client says; the driver answers lines
def login(mech, password):
    g = subprocess.Popen(["gsasl", "--server", "-m", mech, "-p", "pencil case"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    d = subprocess.Popen([DRIVE, "-s", mech, "user", password], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    seen, trusted, proven = b"", False, False
    while True:
        x = g.stdout.read(1)
        if not x: break
        seen += x
        if seen.endswith(b"client trusted"): trusted = True; break
        if not seen.endswith(ASK): continue
        said = re.findall(rb"Output from server:\n(.*)\n", seen)
        if mech == "CRAM-MD5" and proven: said = [b""]
        else:
            d.stdin.write((said[-1] if said else b"") + b"\n"); d.stdin.flush()
        answer = b"" if mech == "CRAM-MD5" and proven else d.stdout.readline().rstrip(b"\n")
        if answer.startswith(b"- "): break
        proven = proven or answer.endswith(b" proven")
        g.stdin.write(answer.split(b" ")[0] + b"\n"); g.stdin.flush()
        seen = b""
    for p in (g, d): p.kill(); p.wait()
    return trusted, proven
def check(name, got, want): print("%s\t%s" % (name, "ok" if got == want else "got %r" % (got,)))
for m in ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"):
    check("Q-9 gsasl serves: " + m, login(m, "pencil case"), (True, True))
    check("gsasl serves: %s, wrong password" % m, login(m, "other")[0], False)
check("Q-9 SCRAM believes no server that took a wrong password", login("SCRAM-SHA-256", "other")[1], False)
P
python_tests gsasl.py "$DRIVE"
done_testing
