# maildir-programs.py - what an IMAP client sees of other programs; results for
# python_tests of imap.sh
import glob, os, re, shutil, subprocess, time

from imap_talk import Session, append, check

ALICE = os.environ["PIPEMAIL_VAR"] + "/accounts/alice"
MAILDIR = ALICE + "/Maildir"
SECOND = float(os.environ.get("SEEN_WITHIN", "1"))
known = {}      # (UIDVALIDITY, UID): subject, of all that was ever seen


def run(*command, text=None):
    return subprocess.run(command, check=True, input=text,
                          capture_output=True).stdout.decode()


def file_of(subject, box=""):
    for name in glob.glob("%s/%s/[cn]*/*" % (MAILDIR, box)):
        if os.path.isfile(name) and \
                b"Subject: %s\n" % subject.encode() in open(name, "rb").read():
            return name


def seen():
    """UID, flags and subject of each message, by another client; a UID that
    named something else before is an error."""
    s = Session()
    validity = [re.search(r"UIDVALIDITY (\d+)", l).group(1)
                for l in s.do("SELECT INBOX") if "UIDVALIDITY" in l][0]
    out = {}
    lines = s.do("UID FETCH 1:* (FLAGS ENVELOPE)")
    for l in lines[:-1]:
        m = re.search(r'UID (\d+) FLAGS \(([^)]*)\) ENVELOPE \("[^"]*" "([^"]*)"'
                      r'|UID (\d+) FLAGS \(([^)]*)\) ENVELOPE \(NIL "([^"]*)"',
                      l)
        if not m:
            continue
        uid, flags, subject = [x for x in m.groups() if x is not None]
        if known.setdefault((validity, uid), subject) != subject:
            check("UID %s was %s" % (uid, known[(validity, uid)]), subject,
                  "the same")
        out[int(uid)] = (" ".join(sorted(flags.split())), subject)
    s.do("LOGOUT")
    s.p.wait(10)
    return out


def message(subject):
    return ("From: a@example.org\nDate: Fri, 20 Nov 2026 12:00:00 +0000\n"
            "Subject: %s\n\nbody of %s\n" % (subject, subject)).encode()


a = Session()
a.do("CREATE Other")
for i in range(1, 7):
    append(a, message("m%d" % i).decode().replace("\n", "\r\n"))
a.do("SELECT INBOX")
a.do("STORE 1 +FLAGS.SILENT (work)")
seen()
a.say("i IDLE\r\n")
a.until("+ ")


def told(what, want, do):
    """do() and the client in IDLE is told want, in time."""
    started = time.time()
    do()
    got = a.until(want, 10)
    took = time.time() - started
    check("IDLE tells " + what, got[-1].startswith(want), True)
    check("%s: within a second" % what, took < SECOND or "%.1f s" % took,
          True)


told("mflag sets a flag", "* 2 FETCH (UID 2 FLAGS (\\Flagged",
     lambda: run("mflag", "-F", file_of("m2")))
told("mflag marks as read", "* 3 FETCH (UID 3 FLAGS (\\Seen",
     lambda: run("mflag", "-S", file_of("m3")))
told("mflag takes a flag away", "* 2 FETCH (UID 2 FLAGS ())",
     lambda: run("mflag", "-f", file_of("m2")))
told("mdeliver delivers", "* 7 EXISTS",
     lambda: run("mdeliver", MAILDIR, text=message("new1")))
told("mrefile moves a message away", "* 4 EXPUNGE",
     lambda: run("mrefile", file_of("m4"), MAILDIR + "/.Other"))
told("rm removes one", "* 4 EXPUNGE", lambda: os.remove(file_of("m5")))
told("mrefile moves it back", "* 6 EXISTS",
     lambda: run("mrefile", file_of("m4", ".Other"), MAILDIR))
a.say("DONE\r\n")
a.until("i ")
state = seen()
check("S-7 what is there now", sorted(x[1] for x in state.values()),
      ["m1", "m2", "m3", "m4", "m6", "new1"])
check("what came back has a new UID", [u for u in state
                                       if state[u][1] == "m4"][0] > 7, True)
check("S-8 a keyword stays", state[1][0].split()[-1], "work")

# ---- the index is deleted, at any moment ----
shutil.rmtree(ALICE + "/index")
check("the index is deleted: same UIDs, flags, keywords", seen(), state)
check("a session that had it open ends, rather than write to what is gone",
      a.ends(), True)
a = Session()
for i in range(5):
    feed = [subprocess.Popen(["store-deliver", "-a", "alice"],
                             stdin=subprocess.PIPE,
                             stderr=subprocess.DEVNULL) for _ in range(3)]
    for k, p in enumerate(feed):
        p.stdin.write(message("w%d-%d" % (i, k)))
        p.stdin.close()
        if k == i % 3:
            shutil.rmtree(ALICE + "/index", ignore_errors=True)
    codes = [p.wait(20) for p in feed]
    subjects = [x[1] for x in seen().values()]
    for k, code in enumerate(codes):
        n = subjects.count("w%d-%d" % (i, k))
        if (code == 0 and n != 1) or n > 1:
            check("delivered while the index is deleted, %d-%d" % (i, k),
                  (code, n), (0, 1))
after = seen()
check("deleted while mail comes in: UIDs, flags, keywords stay",
      {u: after[u] for u in state}, state)

# ---- an older state comes back ----
backup = os.environ["PIPEMAIL_VAR"] + "/backup"
run("rsync", "-a", ALICE + "/", backup + "/")
a = Session()
a.do("SELECT INBOX")
append(a, message("since").decode().replace("\n", "\r\n"))
a.do("UID STORE 1 +FLAGS.SILENT (\\Answered)")
a.do("UID STORE 2 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
newest = max(seen())
run("rsync", "-a", "--delete", backup + "/Maildir/", MAILDIR + "/")
got = seen()
check("a restored Maildir is taken in", sorted(x[1] for x in got.values()),
      sorted(x[1] for x in after.values()))
check("what was expunged comes back under a new UID",
      [u > newest for u in got if got[u][1] == "m2"], [True])
check("flags are those of the backup", got[1], after[1])
append(a, message("later").decode().replace("\n", "\r\n"))
newest = max(seen())
a.do("LOGOUT")
a.p.wait(10)
# -I: the index of the same second and size is another one
run("rsync", "-aI", "--delete", backup + "/", ALICE + "/")
got = seen()
check("S-20 a restored account is taken in", got, after)
a = Session()
append(a, message("last").decode().replace("\n", "\r\n"))
check("and gives no UID again", max(seen()) > newest, True)
