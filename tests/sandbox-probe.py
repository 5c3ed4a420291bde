# sandbox-probe.py PID-TABLE SMTP-PORT IMAP-PORT SUBMISSION-PORT < doc/security.md
# Tries each claim "| in PROCESS | can or cannot | does | object |" from the
# inside: the process itself is made to open the object. Then what becomes of
# a process that makes a call its sandbox does not allow. TAP-like lines.
import errno, glob, os, re, socket, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import ctypes
from inject import BIND, CONNECT, Process

pids = {k: int(v) for k, v in (w.split("=") for w in sys.argv[1].split())}
smtp, imap, submission = map(int, sys.argv[2:5])
O_TMPFILE = 0o20200000


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(w) for w in f.read().split()]


def line(s):
    out = b""
    while not out.endswith(b"\n"):
        b = s.recv(1)
        if not b:
            return out.decode() or None
        out += b
    return out.decode()


def talk(s, text):
    s.sendall(text.encode())
    return line(s)


def session(server, where):
    """a connection that was greeted, and the process that serves it"""
    before = set(children(pids[server]))
    s = socket.create_connection(("127.0.0.1", where), timeout=20) \
        if isinstance(where, int) else socket.socket(socket.AF_UNIX)
    if not isinstance(where, int):
        s.settimeout(20)
        s.connect(where)
    line(s)
    if server == "imap-login":      # no process before the first words
        talk(s, "x noop\r\n")
    return s, (set(children(pids[server])) - before).pop()


def result(good, *what):
    print("ok" if good else "bad", *what, flush=True)


held = {}
inside = {}
held["smtp"], inside["smtp-in"] = session("smtp-in", smtp)
held["submission"], inside["submission"] = session("submission", submission)
held["imap"], inside["imap-login"] = session("imap-login", imap)
held["lmtp"], inside["lmtp-in"] = session("lmtp-in", "run/lmtp")
s = socket.create_connection(("127.0.0.1", imap), timeout=20)
line(s)
before = set(children(pids["imap-serve"]))
talk(s, "a login alice@example.org secret-password\r\n")
held["mail"] = s
inside["imap-serve"] = (set(children(pids["imap-serve"])) - before).pop()
inside["auth-serve"] = pids["auth-serve"]
inside["tls-serve"] = pids["tls-serve"]
inside["imap-idle"] = pids["imap-idle"]
inside["tls-worker"] = children(pids["tls-serve"])[0]


landlock = ctypes.CDLL(None).syscall(444, None, 0, 1)      # version


def flags(verb, path):
    if verb == "read":
        return os.O_RDONLY
    if os.path.isdir(path):
        return O_TMPFILE | os.O_RDWR
    return os.O_WRONLY


for text in sys.stdin:
    cells = [c.strip() for c in text.split("|")]
    if len(cells) != 6 or cells[2] not in ("can", "cannot") or \
            not cells[1].startswith("in "):
        continue
    name, can, verb, what = cells[1][3:], cells[2], cells[3], cells[4]
    if what.startswith("tcp "):
        if landlock < 4:
            result(True, "in", name, can, verb, what, "# SKIP no Landlock of TCP")
            continue
        p = Process(inside[name])
        e = p.tcp(CONNECT if verb == "connect" else BIND, int(what[4:]))
        p.leave()
        result((e == errno.EACCES) == (can == "cannot"), "in", name, can, verb, what, os.strerror(e))
        continue
    paths = [os.path.abspath(p) for p in sorted(glob.glob(what))]
    want = (0,) if can == "can" else (errno.EACCES,)
    p = Process(inside[name])
    got = [p.opens(path, flags(verb, path)) for path in paths]
    p.leave()
    result(got and all(e in want for e in got), "in", name, can, verb, what,
           " ".join(os.strerror(e) for e in got if e not in want))

# ptrace(2), which no server needs
PTRACE, EXECVE = 101, 59
second, other = session("smtp-in", smtp)
Process(inside["smtp-in"]).violates(PTRACE)
result(line(held["smtp"]) is None, "X-1 a process that makes a call not allowed ends")
result("250" in (talk(second, "NOOP\r\n") or ""), "and that process only")
s, pid = session("smtp-in", smtp)
result("250" in (talk(s, "NOOP\r\n") or ""), "the server goes on")
worker = inside["tls-worker"]
Process(worker).violates(EXECVE)
for i in range(100):
    if worker not in children(pids["tls-serve"]) and children(pids["tls-serve"]):
        break
    time.sleep(0.1)
else:
    worker = 0
result(worker != 0, "X-1 so does a worker of tls-serve, and another takes its place")
