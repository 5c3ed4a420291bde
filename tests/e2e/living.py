# living.py - a randomized run for living.t: what clients in IDLE know is
# compared with the files after each change; results for python_tests
import hashlib, os, random, re, select, shutil, subprocess, threading, time

from imap_client import Client, check

SEED = int(os.environ.get("SEED", "1"))
STEPS = int(os.environ.get("STEPS", "60"))
SECOND = float(os.environ.get("SEEN_WITHIN", "1"))
ALICE = os.environ["PIPEMAIL_VAR"] + "/accounts/alice"
BOXES = {"INBOX": ALICE + "/Maildir", "Other": ALICE + "/Maildir/.Other"}
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen",
           "T": "\\Deleted"}
rng = random.Random(SEED)
names = {}      # (box, UIDVALIDITY, UID): hash of the message it ever named
faults = []
made = 0


def fault(text):
    faults.append("%s (step %d)" % (text, step))


def message():
    global made
    made += 1
    return "From: a@example.org\nSubject: m%d\nDate: Fri, 20 Nov 2026 " \
        "12:00:00 +0000\n\nbody of %d\n" % (made, made)


def digest(text):
    return hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()[:12]


# ---- what is there ----

def keywords(path):
    try:
        with open(path + "/dovecot-keywords") as f:
            return {chr(97 + int(n)): w for n, w in
                    (l.split() for l in f.read().splitlines())}
    except FileNotFoundError:
        return {}


def files(box):
    """Path and flags of each message. A keyword's letter means nothing, or
    another one, in a folder it was moved to by other programs."""
    words = {**LETTERS, **keywords(BOXES[box])}
    out = []
    for side in "new", "cur":
        for name in os.listdir(BOXES[box] + "/" + side):
            info = name.partition(":2,")[2]
            out.append(("%s/%s/%s" % (BOXES[box], side, name),
                        frozenset(words[c] for c in info if c in words)))
    return out


def truth(box):
    while True:
        try:
            out = []
            for path, flags in files(box):
                with open(path, "rb") as f:
                    out.append((digest(f.read()), flags))
            return sorted(out, key=str)
        except FileNotFoundError:
            continue        # renamed meanwhile


# ---- who looks ----

class Watcher:
    """A client in IDLE that knows what it was told."""
    def __init__(self, box):
        self.box, self.gone = box, 0
        self.connect()

    def connect(self):
        for _ in range(20):
            self.c = Client()
            lines = self.c.do("SELECT " + self.box)
            if lines[-1].startswith("x OK"):
                break
            self.c.s.close()
            time.sleep(0.1)         # replaced at this moment
        self.validity = re.search(r"UIDVALIDITY (\d+)",
                                  "\n".join(lines)).group(1)
        self.view = []              # [UID, flags, hash]
        self.n = int(re.search(r"\* (\d+) EXISTS", "\n".join(lines)).group(1))
        self.fetch()
        self.c.idle()

    def fetch(self):
        """What it does not know yet."""
        if self.n <= len(self.view):
            return
        one = text = None
        for line in self.c.do("FETCH %d:* (UID FLAGS BODY.PEEK[])" %
                              (len(self.view) + 1)):
            m = re.match(r"\* (\d+) FETCH \(UID (\d+) FLAGS \(([^)]*)\) "
                         r"BODY\[\] \{(\d+)\}", line)
            if m:
                one, text, size = m, b"", int(m.group(4))
            elif one is not None and len(text) < size:
                text += line.encode() + b"\r\n"
                if len(text) >= size:
                    self.learn(one, digest(text[:size]))
                    one = None
            elif not line.startswith(")"):
                self.heard(line)

    def learn(self, m, what):
        at, uid = int(m.group(1)), int(m.group(2))
        if at != len(self.view) + 1:
            fault("message %d after %d" % (at, len(self.view)))
        if self.view and uid <= self.view[-1][0]:
            fault("UID %d after %d" % (uid, self.view[-1][0]))
        was = names.setdefault((self.box, self.validity, uid), what)
        if was != what:
            fault("%s: UID %d was another message" % (self.box, uid))
        self.view.append([uid, self.flags(m.group(3)), what])

    @staticmethod
    def flags(text):
        return frozenset(text.split()) - {"\\Recent"}

    def heard(self, line):
        if line.startswith("* BYE"):
            raise EOFError
        m = re.match(r"\* (\d+) (EXISTS|EXPUNGE|FETCH)(?: \((?:UID (\d+) )?"
                     r"FLAGS \(([^)]*)\))?", line)
        if not m:
            return
        n = int(m.group(1))
        if m.group(2) == "EXISTS":
            self.n = n
        elif m.group(2) == "EXPUNGE":
            self.n -= 1
            if n <= len(self.view):
                self.view.pop(n - 1)
        elif m.group(4) is not None and n <= len(self.view):
            self.view[n - 1][1] = self.flags(m.group(4))

    def pump(self):
        """Take what it is told by now."""
        try:
            self.take()
        except (ConnectionError, EOFError):
            self.again()            # told BYE, or its account is gone

    def take(self):
        while True:
            while b"\r\n" in self.c.rest:
                line = self.c.line()
                self.heard(line)
            if not select.select([self.c.s], [], [], 0)[0]:
                break
            more = self.c.s.recv(65536)
            if not more:
                raise EOFError
            self.c.rest += more
        if self.n > len(self.view):
            for line in self.c.done():
                self.heard(line)
            self.fetch()
            if self.c.idle()[-1] != "+ idling":
                raise EOFError

    def again(self):
        self.gone += 1
        self.c.s.close()
        self.connect()

    def known(self):
        return sorted(((h, f) for _, f, h in self.view), key=str)


watchers = []
times = []


def settle(what, started):
    """Until each knows what is there."""
    late = 0
    for w in watchers:
        while True:
            w.pump()
            want = truth(w.box)
            if w.known() == want:
                break
            if time.time() > started + 20:
                fault("%s: %s knows %r, there is %r" % (
                    what, w.box, w.known(), want))
                w.again()
                break
            time.sleep(0.01)
    times.append((time.time() - started, what))


# ---- who changes ----

def run(*command, text=None):
    return subprocess.run(command, input=text, capture_output=True,
                          text=True, timeout=60)


def some(box=None):
    """One file that is there, or None."""
    there = files(box or rng.choice(list(BOXES)))
    return rng.choice(sorted(there))[0] if there else None


def deliver():
    run("mdeliver", rng.choice(list(BOXES.values())), text=message())


def store_deliver():
    run("store-deliver", "-a", "alice", text=message())


def flag():
    path = some()
    if path:
        run("mflag", rng.choice(["-F", "-f", "-S", "-s", "-R", "-T", "-t"]),
            path)


def refile():
    box = rng.choice(list(BOXES))
    path = some(box)
    if path:
        run("mrefile", path, BOXES["Other" if box == "INBOX" else "INBOX"])


def remove():
    path = some()
    if path:
        os.unlink(path)


def subject(path):
    with open(path) as f:
        return re.search("Subject: (.*)", f.read()).group(1)


def mutt():
    """It flags one message, deletes another and saves a third."""
    paths = [some("INBOX") for _ in range(3)]
    if None in paths:
        return
    a, b, c = [subject(p) for p in paths]
    with open("muttrc") as f:
        text = f.read()
    with open("muttrc.now", "w") as f:
        f.write(text + 'push "<tag-pattern>~s %s$<enter><tag-prefix><flag-mes'
                'sage><untag-pattern>~A<enter><delete-pattern>~s %s$<enter>'
                '<untag-pattern>~A<enter><tag-pattern>~s %s$<enter><tag-prefi'
                'x><save-message>=.Other<enter><sync-mailbox><exit>"\n' % (
                    a, b, c))
    subprocess.run(["script", "-qec", "timeout 20 neomutt -n -F muttrc.now",
                    "/dev/null"], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, timeout=60,
                   env={**os.environ, "TERM": "vt100"})


def mbsync():
    if rng.random() < 0.7 and os.path.isdir("mirror/new"):
        with open("mirror/new/%d.far" % time.time_ns(), "w") as f:
            f.write(message())
    # what was put back from a backup it may not like
    run("mbsync", "-c", "mbsyncrc", "c")


def by_imap():
    box = rng.choice(list(BOXES))
    c = Client()
    n = int(re.search(r"\* (\d+) EXISTS", "\n".join(
        c.do("SELECT " + box))).group(1))
    what = rng.choice([
        r"STORE %d +FLAGS.SILENT (work)", r"STORE %d -FLAGS (work)",
        r"STORE %d FLAGS (\Answered later)", "COPY %d Other",
        "MOVE %d Other", "MOVE %d INBOX"])
    if n > 0:
        c.do(what % rng.randint(1, n))
    if rng.random() < 0.3:
        c.do("EXPUNGE")
    c.do("LOGOUT")
    c.s.close()


def delete_index():
    shutil.rmtree(ALICE + "/index", ignore_errors=True)


def delete_while_appending():
    """What was answered OK is there once, the rest once or not at all."""
    text = message()
    wire = text.replace("\n", "\r\n")
    c = Client()
    said = []

    def append():
        said.extend(c.do("APPEND INBOX {%d+}\r\n%s" % (len(wire), wire)))

    t = threading.Thread(target=append)
    t.start()
    time.sleep(rng.random() * 0.01)
    delete_index()
    t.join()
    c.s.close()
    n = [h for h, _ in truth("INBOX")].count(digest(text.encode()))
    if n > 1 or (n == 0 and said[-1].startswith("x OK")):
        fault("appended and answered %r: there %d times" % (said[-1], n))


# ---- backups ----

def copy(old, new):
    shutil.rmtree(new, True)
    run("cp", "-a", old, new)


def back_up():
    copy(ALICE, ALICE + ".backup")


def swap(path):
    """path.new takes its place, as a careful person does it."""
    os.rename(path, path + ".old")
    os.rename(path + ".new", path)
    shutil.rmtree(path + ".old")


def put_back(part):
    if os.path.isdir(ALICE + ".backup"):
        copy(ALICE + ".backup" + part, ALICE + part + ".new")
        swap(ALICE + part)


ACTIONS = [(deliver, 14), (store_deliver, 4), (flag, 16), (refile, 8),
           (remove, 5), (by_imap, 14), (mutt, 2), (mbsync, 3),
           (delete_index, 2), (delete_while_appending, 3), (back_up, 4),
           ("Maildir", 2), ("index", 2), ("account", 2)]
PARTS = {"Maildir": "/Maildir", "index": "/index", "account": ""}


def step_of(action):
    if action in PARTS:
        put_back(PARTS[action])
    else:
        action()


def uids():
    return [{(w.box, u): (h, f) for u, f, h in w.view} for w in watchers]


step = 0
log = open("living.log", "w")
for _ in range(6):
    deliver()
watchers += [Watcher(box) for box in ("INBOX", "Other", "INBOX")]
settle("begin", time.time())
done = {}
for step in range(1, STEPS + 1):
    action = rng.choices([a for a, _ in ACTIONS], [n for _, n in ACTIONS])[0]
    what = action if action in PARTS else action.__name__
    done[what] = done.get(what, 0) + 1
    if rng.random() < 0.15:
        time.sleep(2.5)             # they go to rest
    before = uids()
    step_of(action)
    settle(what, time.time())
    log.write("%d %s %.3f %s\n" % (step, what, times[-1][0], faults[-1:]))
    log.flush()
    if action is delete_index and uids() != before:
        fault("index deleted: UIDs, flags or keywords changed")
times.sort()
late = [t for t in times if t[0] >= SECOND]
log.write("# seed %d: %d steps, %d names, %d connections ended, median %.3f s, "
          "slowest %s\n# %s\n" % (
              SEED, STEPS, len(names), sum(w.gone for w in watchers),
              times[len(times) // 2][0], times[-3:],
              " ".join("%s=%d" % x for x in sorted(done.items()))))
log.close()
check("seed %d: all clients know what is there after each of %d changes, and "
      "no UID named two messages" % (SEED, STEPS), faults, [])
check("S-12 nine of ten are seen within a second",
      len(late) * 10 <= len(times) or late, True)
check("UIDVALIDITY stayed",
      len({(b, v) for b, v, _ in names}), len(BOXES))
