# imap.py BYTES BYTES [IMAP DIR COMMAND...] - the work of tests/bench/imap: the
# bytes of INBOX and Ten, then where Dovecot is and how it is started
import os, re, sys, threading, time
from imapload import Server, WORDS, median

n, rounds = int(os.environ["N"]), int(os.environ["R"])
ten = n // 10
bytes_inbox, bytes_ten = int(sys.argv[1]), int(sys.argv[2])
room = bytearray(os.urandom(4096)) * (n * 300 // 1024 + 1)	# touched now: 1.2 kB a message
servers = [Server("pipemail", ["imap-serve", "-a", "mail"], room)]
for f in ("maildir", "sdbox"):
    if len(sys.argv) > 3:
        servers.append(Server(f, sys.argv[5:] + [sys.argv[3], "-c", "%s/%s.conf" % (sys.argv[4], f)], room))
WORD = WORDS[77]
APPENDS = 800 if n >= 10000 else 80
text8k = b"From: a@example.org\r\nTo: mail@localhost\r\nSubject: append %04d\r\nMessage-ID: <append%04d@example.org>\r\n\r\n" + b"text of eight kilobytes\r\n" * 330
good, facts = True, {}


def check(s, what, got, want):
    if got != want:
        sys.exit("imapload: %s: %s: %s, not %s" % (s.name, what, got, want))


def lines(b, what):
    return len(re.findall(rb"(?m)^\* \d+ " + what, b))


# Each gives (ms, CPU ms) of one round at one server.

def select(s):
    s.start()
    b = s.command("SELECT INBOX")
    check(s, "SELECT", int(re.search(rb"\* (\d+) EXISTS", b).group(1)), n)
    return s.ms, s.cpu


def flags(s):
    b = s.command("FETCH 1:* (FLAGS)")
    check(s, "FETCH FLAGS", lines(b, rb"FETCH \(FLAGS "), n)
    return s.ms, s.cpu


def envelope(s):
    b = s.command("FETCH 1:* (ENVELOPE INTERNALDATE RFC822.SIZE BODYSTRUCTURE)")
    took = s.ms, s.cpu
    for item in (rb"ENVELOPE \(", rb"BODYSTRUCTURE \(", rb'INTERNALDATE "'):
        check(s, "FETCH ENVELOPE ...", len(re.findall(item, b)), n)
    check(s, "sum of RFC822.SIZE", sum(map(int, re.findall(rb"RFC822\.SIZE (\d+)", b))), bytes_inbox)
    return took


def body(s):
    s.command("SELECT Ten")
    b = s.command("FETCH 1:* BODY.PEEK[]")
    took = s.ms, s.cpu
    sizes = [int(x) for x in re.findall(rb"BODY\[\] \{(\d+)\}\r\n", b)]
    check(s, "FETCH BODY.PEEK[]", (len(sizes), sum(sizes)), (ten, bytes_ten))
    return took


def search(s):
    b = s.command("SEARCH SUBJECT " + WORD)
    found = sum(x.count(b" ") - 1 for x in bytes(b).split(b"\r\n") if x.startswith(b"* SEARCH"))
    check(s, "SEARCH SUBJECT", found, facts.setdefault("found", found))
    return s.ms, s.cpu


def store(s):
    b = s.command("STORE 1:* +FLAGS (\\Flagged)")
    took = s.ms, s.cpu
    check(s, "STORE", b.count(b"\\Flagged"), n)
    s.command("STORE 1:* -FLAGS.SILENT (\\Flagged)")
    facts.setdefault("unflag " + s.name, []).append(s.ms)
    return took


def copy(s):
    s.command("SELECT Ten")		# away from Copied
    s.command("DELETE Copied", True)
    s.command("CREATE Copied")
    s.command("COPY 1:* Copied")
    took = s.ms, s.cpu
    check(s, "COPY", s.count("Copied"), ten)
    return took


def expunge(s):
    s.command("SELECT Copied")
    s.command("STORE 1:* +FLAGS.SILENT (\\Deleted)")
    facts.setdefault("delete " + s.name, []).append(s.ms)
    b = s.command("EXPUNGE")
    took = s.ms, s.cpu
    check(s, "EXPUNGE", lines(b, rb"EXPUNGE"), ten)
    check(s, "left", s.count("Copied"), 0)
    return took


def copy_expunge(s):
    facts.setdefault("expunge " + s.name, [])
    took = copy(s)
    facts["expunge " + s.name].append(expunge(s))
    return took


def append(sessions):
    def run(s):
        s.command("SELECT Ten")
        s.command("DELETE Appended", True)
        s.command("CREATE Appended")
        others = [Server(s.name, s.cmd) for _ in range(sessions)]
        for o in others:
            o.start()
            o.command("NOOP")
        each = APPENDS // sessions
        work = lambda k, o: [o.append("Appended", text8k % (i, k * each + i)) for i in range(each)]
        threads = [threading.Thread(target=work, args=(k, o)) for k, o in enumerate(others)]
        start, cpu = time.perf_counter(), sum(o.cpu_ms() for o in others)
        for t in threads: t.start()
        for t in threads: t.join()
        took = (time.perf_counter() - start) * 1000, sum(o.cpu_ms() for o in others) - cpu
        check(s, "APPEND", s.count("Appended"), each * sessions)
        for o in others: o.stop()
        return took
    return run


def measure(f, times, before=0):
    """Medians by server; the servers take turns."""
    result = {s.name: [] for s in servers}
    for i in range(before + times):
        for s in servers:
            took = f(s)
            if i >= before:
                result[s.name].append(took)
    return {k: (median([x[0] for x in v]), median([x[1] for x in v])) for k, v in result.items()}


def show(name, r, against, limit):
    """One line; against: the peer of the limit, or several: the faster one."""
    global good
    line = "imap: %-34s %9.2f ms (CPU %.2f)" % (name, *r["pipemail"])
    for s in servers[1:]:
        line += ", %s %.2f (CPU %.2f)" % (s.name, *r[s.name])
    peers = [p for p in against if p in r]
    if peers:
        peer = min(peers, key=lambda p: r[p][0])
        ratio = r["pipemail"][0] / r[peer][0]
        line += "; ratio %.2f of %s, CPU %.2f" % (ratio, peer, r["pipemail"][1] / max(r[peer][1], 1e-6))
        if limit:
            line += " (at most %.2f)%s" % (limit, "" if ratio <= limit else ": misses")
            good = good and ratio <= limit
    print(line, flush=True)
    return r


only = os.environ.get("OPS", "").split()
wanted = lambda name: not only or any(name.startswith(o) for o in only)
both = ("maildir", "sdbox")
few = max(rounds // 2, 1)
for s in servers:
    select(s)
# the first FETCH after the mail was taken in, by a session that starts
first = measure(envelope, 1) if wanted("envelope") else None
if wanted("select"):
    show("SELECT %d" % n, measure(select, 2 * rounds), ("sdbox",), 1.0)
for s in servers:
    select(s)
if wanted("flags"):
    show("FETCH 1:* (FLAGS) %d" % n, measure(flags, rounds, 1), ("sdbox",), 0.8)
if wanted("envelope"):
    warm = show("FETCH 1:* (ENVELOPE ...) %d" % n, measure(envelope, rounds, 2), ("sdbox",), 0.5)
    ratio = first["pipemail"][0] / warm["pipemail"][0]
    print("imap: the same, first time               %9.2f ms%s; ratio %.2f of our later ones (at most 1.20)%s"
          % (first["pipemail"][0], "".join(", %s %.2f" % (s.name, first[s.name][0]) for s in servers[1:]), ratio, "" if ratio <= 1.2 else ": misses"))
    good = good and ratio <= 1.2
if wanted("search"):
    show("SEARCH SUBJECT %d" % n, measure(search, rounds, 1), both, 0.5)
if wanted("store"):
    show("STORE 1:* +FLAGS %d" % n, measure(store, few, 1), ("maildir",), 0.5)
    print("imap: STORE 1:* -FLAGS.SILENT            " + ", ".join("%s %.2f ms" % (s.name, median(facts["unflag " + s.name])) for s in servers))
if wanted("body"):
    show("FETCH 1:* BODY.PEEK[] %d" % ten, measure(body, rounds, 1), ("maildir",), 0.9)
if wanted("copy"):
    show("COPY 1:* %d" % ten, measure(copy_expunge, few, 1), ("maildir",), 0.8)
    print("imap: STORE 1:* +FLAGS.SILENT \\Deleted   " + ", ".join("%s %.2f ms" % (s.name, median(facts["delete " + s.name])) for s in servers))
    ex = {s.name: tuple(median([x[i] for x in facts["expunge " + s.name][1:]]) for i in (0, 1)) for s in servers}
    show("EXPUNGE %d" % ten, ex, ("maildir",), 0.8)
if wanted("append"):
    for k in (1, 8):
        show("APPEND 8 kB, %d session%s, %d" % (k, "s"[:k > 1], APPENDS), measure(append(k), few, 1), ("maildir",), 1 / 1.5)
for s in servers:
    s.stop()
sys.exit(not good)
