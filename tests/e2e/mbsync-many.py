# mbsync-many.py - what both sides of a sync by mbsync hold, message for message,
# against what they should; results for mbsync-many.t
import glob, hashlib, imaplib, os, random, re, subprocess, sys, time

MANY = int(sys.argv[1])
MAILDIR = os.environ["PIPEMAIL_VAR"] + "/accounts/alice/Maildir"
NEAR = "near/INBOX"
LETTERS = {"\\Seen": "S", "\\Answered": "R", "\\Flagged": "F",
           "\\Draft": "D", "\\Deleted": "T"}
rand = random.Random(int(os.environ.get("SEED", "1")))
# What there should be: subject -> (digest, flags in file names)
model = {}


def check(name, got, want):
    print("%s\t%s" % (name, "ok" if got == want else
                      "got %r, want %r" % (got, want)))
    sys.stdout.flush()


def text_of(subject):
    """No two alike: sizes, long lines, dots, and bytes of no charset."""
    lines = [bytes(rand.choices(b"abc .\xfc\xe9\t", k=rand.randrange(70)))
             for _ in range(rand.randrange(12))]
    if rand.randrange(20) == 0:
        lines.append(b"x" * rand.randrange(2000))
    return b"From: a@example.org\nMessage-ID: <%s@example.org>\n" \
        b"Subject: %s\n\n" % (subject, subject) + \
        b"".join(line + b"\n" for line in lines)


def digest(text):
    """Without the header field that mbsync marks its copies with."""
    head, _, body = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    head = [l for l in head.split(b"\n") if not l.startswith(b"X-TUID: ")]
    return hashlib.sha256(b"\n".join(head) + b"\n\n" + body).hexdigest()


def subject_of(text):
    return re.search(rb"^Subject: (.*?)\r?$", text, re.M).group(1).decode()


def fill(folder, kind, count):
    for i in range(count):
        subject = "%s%d" % (kind, i)
        text = text_of(subject.encode())
        name = "%s/%d.%s.elsewhere" % (folder, 1795000000 + i, subject)
        with open(name, "wb") as f:
            f.write(text)
        model[subject] = (digest(text), "")


def near():
    """subject -> (digest, flags), and -> path."""
    found, paths = {}, {}
    for path in glob.glob(NEAR + "/*/*"):
        with open(path, "rb") as f:
            text = f.read()
        subject = subject_of(text)
        found[subject] = (digest(text), path.partition(":2,")[2]) \
            if subject not in found else "twice"
        paths[subject] = path
    return found, paths


def far():
    """subject -> (digest, flags), and -> UID, by IMAP."""
    c = imaplib.IMAP4_stream("imap-serve -a alice")
    c.state = "AUTH"
    c.select("INBOX", readonly=True)
    found, uids = {}, {}
    for one in c.fetch("1:*", "(UID FLAGS BODY.PEEK[])")[1]:
        if not isinstance(one, tuple):
            continue
        uid = re.search(rb"UID (\d+)", one[0]).group(1).decode()
        flags = imaplib.ParseFlags(one[0])
        flags = "".join(sorted(LETTERS[f.decode()] for f in flags
                               if f != b"\\Recent"))
        subject = subject_of(one[1])
        found[subject] = (digest(one[1]), flags) \
            if subject not in found else "twice"
        uids[subject] = uid
    c.logout()
    return found, uids


def sync():
    r = subprocess.run(["mbsync", "-c", "mbsyncrc", "c"],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return (r.returncode, b"rror" in r.stdout or b"arning" in r.stdout) \
        if r.returncode == 0 else (r.returncode, r.stdout[-500:])


def differs(got):
    """Some of what is not as it should be."""
    return [(s, got.get(s), model.get(s)) for s in
            sorted(set(got) | set(model)) if got.get(s) != model.get(s)][:5]


def both(when):
    """Paths of the near messages, UIDs of the far ones."""
    (here, paths), (there, uids) = near(), far()
    check(when + ": the near side has each message, bytes and flags",
          differs(here), [])
    check(when + ": the far side too", differs(there), [])
    return paths, uids


def flags(subject, letters):
    d, old = model[subject]
    model[subject] = (d, "".join(sorted(set(old) | set(letters))))


def near_flags(paths, subject, letters):
    base, _, old = paths[subject].partition(":2,")
    base = NEAR + "/cur/" + os.path.basename(base)
    new = base + ":2," + "".join(sorted(set(old) | set(letters)))
    os.rename(paths[subject], new)
    paths[subject] = new
    flags(subject, letters)


def tool(*args):
    subprocess.run(args, check=True)


def expunge(uids, subjects):
    """By another client."""
    c = imaplib.IMAP4_stream("imap-serve -a alice")
    c.state = "AUTH"
    c.select("INBOX")
    which = ",".join(uids[s] for s in subjects)
    c.uid("STORE", which, "+FLAGS.SILENT", "(\\Deleted)")
    c.uid("EXPUNGE", which)
    c.logout()


def append(subject, letters):
    c = imaplib.IMAP4_stream("imap-serve -a alice")
    c.state = "AUTH"
    text = text_of(subject.encode())
    names = " ".join(n for n, l in LETTERS.items() if l in letters)
    c.append("INBOX", "(%s)" % names, time.time(),
             text.replace(b"\n", b"\r\n"))
    c.logout()
    model[subject] = (digest(text), letters)


def change(paths, uids):
    """At both sides, some of it about the same messages."""
    chosen = rand.sample(sorted(model), MANY // 4)
    cut = lambda n: [chosen.pop() for _ in range(MANY * n // 1000)]
    seen, flagged, both_flagged = cut(50), cut(50), cut(20)
    for s in seen:
        near_flags(paths, s, "S")
    for s in both_flagged:
        near_flags(paths, s, "RS")
        flags(s, "F")
    for s in flagged:
        flags(s, "F")
    tool("store-flag", "-a", "alice", "+flagged",
         *[uids[s] for s in flagged + both_flagged])
    # gone there, gone here, gone at both, and gone there but flagged here
    there, here, twice, late = cut(10), cut(10), cut(5), cut(5)
    for s in here + twice:
        os.unlink(paths[s])
    for s in late:
        near_flags(paths, s, "F")
    expunge(uids, there + twice + late)
    for s in there + here + twice + late:
        del model[s]
    fill(NEAR + "/new", "later-near", MANY // 100)
    fill(MAILDIR + "/new", "later-far", MANY // 100)
    append("appended", "FS")


def listing():
    """Names at the near side; UIDs, flags and subjects at the far one, where
    files may still move from new to cur."""
    lines = subprocess.run(["store-list", "-a", "alice"], text=True,
                           stdout=subprocess.PIPE).stdout.split("\n")
    return sorted(glob.glob(NEAR + "/*/*")), \
        [l.rsplit("\t", 1)[0] for l in lines]


with open(glob.glob(MAILDIR + "/*/[0-9]*")[0], "rb") as f:
    model["first"] = (digest(f.read()), "")
# each of the near side is an APPEND, which waits for the disk
fill(MAILDIR + "/new", "far", MANY - MANY // 20 - 1)
fill(NEAR + "/new", "near", MANY // 20)
check("mbsync makes those of both sides the same %d" % MANY, sync(),
      (0, False))
check("there are so many", len(model), MANY)
paths, known = both("after the first sync")
change(paths, dict(known))
check("mbsync after changes at both sides", sync(), (0, False))
uids = both("after changes at both sides")[1]
check("S-7 no UID names another message",
      [s for s in known if s in uids and uids[s] != known[s]] +
      [s for s in uids if s not in known and uids[s] in known.values()], [])
before = listing()
check("mbsync once more", sync(), (0, False))
after = listing()
check("has nothing to do, here", sorted(set(before[0]) ^ set(after[0]))[:5],
      [])
check("nor there", sorted(set(before[1]) ^ set(after[1]))[:5], [])
