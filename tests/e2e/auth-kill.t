#!/bin/sh
# auth-kill.t - auth-serve killed under a supervisor: a temporary error, back
# within a second or two, sessions that are logged in live
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
need s6-svscan
instance_start
cat >kill.py <<'P'
import os, signal, subprocess, sys, time
sys.path.insert(0, os.environ["TOP"] + "/tests/cmd")
import imaplib
from auth_client import check, Client
port, password, ls = int(sys.argv[1]), sys.argv[2], sys.argv[3]
sock = ls + "/run/auth"
def svc(*a): return subprocess.run(["s6-svstat", "-o", "pid"] + [ls + "/run/service/auth-serve"], capture_output=True, text=True).stdout.strip()
def login():
    m = imaplib.IMAP4("127.0.0.1", port)
    try:
        m.login("mail@localhost", password)
        return "OK", m
    except imaplib.IMAP4.error as e:
        return str(e), m
r, old = login()
check("a session before the kill", r, "OK")
waiting = imaplib.IMAP4("127.0.0.1", port)
c = Client(sock)
check("a client of the protocol", c.plain("mail", password), "OK\tuser=mail")
# stopped by the supervisor: nobody is there
subprocess.run(["s6-svc", "-wd", "-d", ls + "/run/service/auth-serve"], check=True, timeout=20)
r, m = login()
check("without auth-serve: NO [UNAVAILABLE]", "[UNAVAILABLE]" in r, True)
check("and the connection stays", m.noop()[0], "OK")
check("a session that is logged in lives", old.select()[0], "OK")
subprocess.run(["s6-svc", "-wu", "-u", ls + "/run/service/auth-serve"], check=True, timeout=20)
end = time.time() + 10
while time.time() < end:
    try: m.login("mail@localhost", password); break
    except imaplib.IMAP4.error: time.sleep(0.05)
check("the same connection logs in when it is back", m.state, "AUTH")
# killed in the middle of an exchange
c = Client(sock)
c.auth("LOGIN", None)
pid = int(svc())
os.kill(pid, signal.SIGKILL)
t = time.time()
check("a client in the middle sees the end", c.line(), "")
while time.time() < t + 10:
    r, m2 = login()
    if r == "OK": break
    if "[UNAVAILABLE]" not in r: break
    time.sleep(0.02)
check("logins go on after a kill", r, "OK")
check("within two seconds", time.time() - t < 2.5, True)
check("by a new process", int(svc()) != pid, True)
try: waiting.login("mail@localhost", password); r = "OK"
except imaplib.IMAP4.error as e: r = str(e)
check("a connection made before the kill logs in", r, "OK")
P
. "$TOP/tests/cmd/imap.sh"
export PYTHONDONTWRITEBYTECODE=1
python_tests kill.py $((B + 143)) "$PW" "$TMP/ls"
done_testing
