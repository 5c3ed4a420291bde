# imap-kill.py EVERY - imap-serve killed, or told that the disk is full, at
# every EVERYth system call of a command; results for python_tests of imap.sh
import os, re, shutil, subprocess, sys

from imap_talk import Session, append, check

EVERY = int(sys.argv[1])
HOME = os.environ["PIPEMAIL_VAR"] + "/accounts/alice"
CALLS = re.compile(r"^\d+ +(openat|writev?|pwrite64|pwritev|fsync|fdatasync|"
                   r"close|linkat|rename(?:at2?)?|unlinkat|mkdirat|ftruncate|"
                   r"utimensat|fcntl|flock|lseek)\(")
MAY_FILL = ("openat writev write pwrite64 pwritev fsync fdatasync linkat "
            "rename renameat renameat2 mkdirat ftruncate").split()
STAYS_FULL = "writev write pwrite64 pwritev fdatasync linkat".split()


def text(subject):
    return "From: a@example.org\r\nSubject: %s\r\n\r\nbody of %s\r\n" % (
        subject, subject)


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)


def state():
    """{mailbox: [subject and flags, ...]}"""
    out = run("store-list", "-a", "alice").stdout.decode()
    found = {}
    for line in out.splitlines():
        part = line.split("\t")
        found.setdefault(part[0], []).append(
            part[6] + (" " + part[2] if part[2] else ""))
    return {box: sorted(found[box]) for box in found}


def restore(before=None):
    """The account as it was; opened once, since a copy is recovered."""
    shutil.rmtree(HOME)
    run("cp", "-a", "kept", HOME)
    run(*(before or ("store-mailbox", "-a", "alice")))


class Traced(Session):
    def __init__(self, *options):
        trace = ["strace", "-f", "-qq", "-o", "trace"] + list(options)
        self.p = subprocess.Popen(trace + ["imap-serve", "-a", "alice"],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        self.rest = b""
        self.line()

    def all(self, command):
        """Its replies to SELECT and command, then it ends."""
        said = []
        try:
            self.say("s SELECT INBOX\r\n")
            said += self.until("s ")
            self.say("x %s\r\n" % command)
            said += self.until("x ")
            self.p.stdin.close()
        except BrokenPipeError:
            pass        # it was killed before
        while self.line() is not None:
            pass
        self.p.wait(20)
        return said


def points(command, before):
    """(call, number) of those after SELECT."""
    restore(before)
    Traced("-s", "100000").all(command)
    numbers, after, found = {}, False, []
    with open("trace") as f:
        for line in f:
            call = CALLS.match(line)
            if call:
                name = call.group(1)
                numbers[name] = numbers.get(name, 0) + 1
                if after:
                    found.append((name, numbers[name]))
            after = after or "s OK" in line
    return found


def one(command, want, fault, call, n, others, before):
    """Run with a fault; what happened, and what is wrong."""
    restore(before)
    reader = Session() if others else None
    if reader:
        reader.do("SELECT INBOX")
    s = Traced("-s", "9", "-e", "trace=" + call, "-e",
               "inject=%s:%s:when=%d%s" % (call, fault.rstrip("+"), n,
                                           "+" * fault.endswith("+")))
    said = s.all(command)
    last = said[-1] if said else ""
    end = ("yes" if last.startswith("x OK") else
           "no" if last.startswith("x NO") else "cut")
    if end == "no" and call == "fsync":
        end = "late"    # behind the commit: it is there, power may take it
    verify = run("verifydata", "-a", "alice")
    now = state()
    wrong = want(end, now)
    if reader:
        if reader.do("NOOP")[-1] != "x OK NOOP done":
            wrong = wrong or "the other session"
        reader.do("LOGOUT")
        reader.p.wait(10)
    if verify.returncode != 0 or verify.stdout:
        wrong = verify.stdout.decode().split("\n")[0] or "verifydata"
    return end, wrong and "%s %d (%s): %s %r" % (call, n, end, wrong, now)


def step(name, command, want, others=False, before=None):
    """want(end, state) is what is wrong, or nothing. end: "yes" answered,
    "no" refused, "cut" off; "late" refused since a directory could not be
    synced, maybe after the commit: all or nothing."""
    found = points(command, before)
    for label, fault, calls in (
            ("killed", "signal=KILL", found),
            ("a full disk", "error=ENOSPC",
             [p for p in found if p[0] in MAY_FILL]),
            ("a disk that stays full", "error=ENOSPC+",
             [p for p in found if p[0] in STAYS_FULL])):
        ends, bad = {"yes": 0, "no": 0, "cut": 0, "late": 0}, []
        some = calls[os.getpid() % EVERY % len(calls)::EVERY]
        for call, n in some:
            end, wrong = one(command, want, fault, call, n, others,
                             before)
            ends[end] += 1
            if wrong:
                bad.append(wrong)
        check("%s, %s at %d of %d calls: answered %d, refused %d, cut off %d"
              % (name, label, len(some), len(calls), ends["yes"],
                 ends["no"] + ends["late"], ends["cut"]), bad[:3], [])


# ---- the account ----
a = Session()
for subject in "m1", "m2", "m3":
    append(a, text(subject))
a.do("CREATE To")
append(a, text("t1"), "To")
a.do("SELECT INBOX")
a.do("STORE 2 +FLAGS.SILENT (\\Answered work)")
a.do("LOGOUT")
a.p.wait(10)
shutil.copytree(HOME, "kept", symlinks=True)
THREE = ["m1", "m2 \\Answered,work", "m3"]
restore()
check("the account is as it should be", state(), {"INBOX": THREE,
                                                  "To": ["t1"]})


def within(part, whole):
    """Each of part is in whole, and none twice."""
    return len(set(part)) == len(part) and set(part) <= set(whole)


# ---- each change ----
NEW = ["n1", "n2 \\Seen,blue", "n3 \\Flagged"]


def appended(end, now):
    new = [m for m in now["To"] if m != "t1"]
    if now["INBOX"] != THREE or "t1" not in now["To"]:
        return "others"
    return {"yes": new == NEW, "no": new == [], "late": new in ([], NEW),
            "cut": within(new, NEW)}[end] is False and "new %r" % new


def literal(subject):
    return "{%d+}\r\n%s" % (len(text(subject)), text(subject))


step("S-2 I-5 APPEND of three",
     "APPEND To %s (\\Seen blue) %s (\\Flagged) %s" %
     tuple(map(literal, ("n1", "n2", "n3"))), appended)


def copied(end, now):
    new = [m for m in now["To"] if m != "t1"]
    if now["INBOX"] != THREE or "t1" not in now["To"]:
        return "others"
    return {"yes": new == THREE, "no": new == [], "late": new in ([], THREE),
            "cut": within(new, THREE)}[end] is False and "copied %r" % new


step("S-2 COPY", "COPY 1:3 To", copied)


def moved(end, now):
    here, there = now.get("INBOX", []), now.get("To", [])
    if sorted(here + there) != sorted(THREE + ["t1"]) or "t1" not in there:
        return "lost or doubled"
    return {"yes": here == [], "no": here == THREE,
            "late": here in ([], THREE), "cut": True}[end] is False and "moved"


step("S-2 MOVE", "MOVE 1:3 To", moved)
step("S-2 MOVE beside a session that reads there", "MOVE 1:3 To", moved, True)


def expunged(end, now):
    here = [m.split()[0] for m in now.get("INBOX", [])]
    if now["To"] != ["t1"] or not within(here, ["m1", "m2", "m3"]):
        return "others"
    return {"yes": here == ["m3"], "no": here == ["m1", "m2", "m3"],
            "late": here in (["m3"], ["m1", "m2", "m3"]),
            "cut": "m3" in here}[end] is False and "expunged"


delete = ("store-flag", "-a", "alice", "+deleted", "1", "2")
step("S-2 EXPUNGE", "EXPUNGE", expunged, before=delete)
step("S-2 EXPUNGE beside a session that reads there", "EXPUNGE", expunged,
     True, delete)


def flagged(end, now):
    """A message at a time: RFC 9051 6.4.6 has no all or nothing."""
    new = ["m1 \\Seen,blue", "m2 \\Seen,\\Answered,blue,work",
           "m3 \\Seen,blue"]
    sets = [[set(m.replace(" ", ",").split(",")) for m in box]
            for box in (now["INBOX"], THREE, new)]
    if now["To"] != ["t1"] or len(sets[0]) != 3:
        return "others"
    return (sets[0] == sets[2] if end == "yes" else
            all(o <= h <= n for h, o, n in zip(*sets))) is False and "flags"


step("S-2 STORE", "STORE 1:3 +FLAGS (\\Seen blue)", flagged)


def renamed(end, now):
    here, there = now.get("INBOX", []), now.get("New/Box", [])
    if sorted(here + there) != THREE or now["To"] != ["t1"]:
        return "lost or doubled"
    return {"yes": there == THREE, "no": here == THREE,
            "late": here in ([], THREE), "cut": True}[end] is False and "renamed"


step("S-2 I-14 RENAME INBOX", "RENAME INBOX New/Box", renamed)


def replaced(end, now):
    here = now["INBOX"]
    old, new = THREE[1] in here, "r1 \\Flagged" in here
    if now["To"] != ["t1"] or not within(here, THREE + ["r1 \\Flagged"]) or \
            "m1" not in here or "m3" not in here:
        return "others"
    # refused by a disk that takes nothing more there may be both
    return {"yes": new and not old, "no": old, "late": old or new,
            "cut": old or new}[end] is False and "replaced"


step("S-2 REPLACE", "REPLACE 2 INBOX (\\Flagged) " + literal("r1"), replaced)


def deleted(end, now):
    there = now.get("To", [])
    if now["INBOX"] != THREE:
        return "others"
    return {"yes": there == [], "no": there == ["t1"],
            "late": there in ([], ["t1"]), "cut": there in ([], ["t1"])}[end] is False and "deleted"


step("S-2 DELETE", "DELETE To", deleted)
