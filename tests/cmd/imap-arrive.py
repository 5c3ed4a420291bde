# imap-arrive.py - I-15; results for python_tests of imap.sh
import re, sys

from imap_talk import Session, append, check

s = Session()


def text(subject, more=""):
    return "From: a@example.org\r\nSubject: %s\r\n%s\r\nx\r\n" % (subject,
                                                                 more)


def flags(box):
    """Of the last message there, \\Recent apart."""
    s.do("SELECT " + box)
    got = s.do("FETCH * FLAGS")[0]
    return sorted(f for f in re.search(r"FLAGS \(([^)]*)\)",
                                       got).group(1).split()
                  if f != "\\Recent")


def flags_of_first():
    got = s.do("FETCH 1 FLAGS")[0]
    return sorted(f for f in re.search(r"FLAGS \(([^)]*)\)",
                                       got).group(1).split()
                  if f not in ("\\Recent", "\\Seen"))


def uid(reply):
    return int(re.search(r"(?:APPENDUID \d+|COPYUID \d+ \S+) (\d+)",
                         reply).group(1))


WANT = {"Junk": ["$Junk"], "Spam/old": ["$Junk"], "Archive": ["$NotJunk"],
        "INBOX": [], "Neutral": []}
for box in WANT:
    s.do("CREATE " + box)
s.do("CREATE Source")
for box, want in WANT.items():
    append(s, text("one"), box)
    check("I-15 J-13 APPEND to %s" % box, flags(box), want)
    m = "\r\n".join(("", text("two")))
    one, two = text("one"), text("two")
    s.do("APPEND %s ($Junk $NotJunk) {%d+}\r\n%s (\\Seen) {%d+}\r\n%s" % (
        box, len(one), one, len(two), two))
    check("I-15 APPEND of several with flags to %s" % box, flags(box),
          sorted(want + ["\\Seen"]))
    append(s, text("copied"), "Source ($Junk \\Flagged)")
    s.do("SELECT Source")
    s.do("COPY * " + box)
    check("I-15 COPY to %s: as the mailbox has it" % box, flags(box),
          sorted(want + ["\\Flagged"]))
    check("I-15 COPY to %s: the source keeps its own" % box, flags("Source"),
          ["$NotJunk", "\\Flagged"])
    s.do("MOVE * " + box)
    check("I-15 MOVE to %s" % box, flags(box), sorted(want + ["\\Flagged"]))
    append(s, text("replaced"), "Source")
    s.do("SELECT Source")
    new = text("replacing")
    s.do("REPLACE * %s (\\Seen) {%d+}\r\n%s" % (box, len(new), new))
    check("I-15 REPLACE into %s" % box, flags(box), sorted(want + ["\\Seen"]))
s.do("SELECT Archive")
s.do("STORE 1 +FLAGS ($Junk)")
s.do("STORE 1 -FLAGS ($Junk $NotJunk)")
s.do("STORE 1 +FLAGS (\\Answered $Forwarded)")
check("J-21 an answer or forwarding by IMAP is noted, and says nothing else",
      flags_of_first(), ["$Forwarded", "\\Answered"])
s.do("STORE 1 -FLAGS (\\Answered $Forwarded)")
s.do("STORE 1 +FLAGS ($Junk)")
check("I-15 what the user says afterwards stays",
      "$Junk" in flags("Archive") or "$Junk" in
      s.do("FETCH 1 FLAGS")[0], True)
s.do("COPY 1 Archive")
check("I-15 COPY within a mailbox changes nothing",
      "$Junk" in s.do("FETCH * FLAGS")[0], True)

# threads: whatever way the answer comes, it is in the thread
first = text("thread", "Message-ID: <root@example.org>\r\n")
s.do("SELECT INBOX")
root = uid(append(s, first))
thread = s.do("UID FETCH %d THREADID" % root)[0].split("THREADID ")[1]


def thread_of(box, one):
    s.do("SELECT " + box)
    return s.do("UID FETCH %d THREADID" % one)[0].split("THREADID ")[1]


def answer(n):
    return text("Re: thread", "Message-ID: <%s@example.org>\r\n"
                "In-Reply-To: <root@example.org>\r\n" % n)


got = uid(append(s, answer("append"), "Source"))
check("I-15 APPEND: its thread", thread_of("Source", got), thread)
check("I-15 COPY: its thread", thread_of("Archive", uid(
    s.do("UID COPY %d Archive" % got)[-1])), thread)
s.do("SELECT Source")
check("I-15 MOVE: its thread", thread_of("Archive", uid("".join(
    s.do("UID MOVE %d Archive" % got)))), thread)
append(s, text("else"), "Source")
s.do("SELECT Source")
new = answer("replace")
check("I-15 REPLACE: its thread", thread_of("Archive", uid("".join(s.do(
    "REPLACE * Archive {%d+}\r\n%s" % (len(new), new))))), thread)

# recipients of sent mail


def to(who):
    return text("sent", "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n"
                "To: %s@example.com\r\n" % who)


append(s, to("by-draft"), "Drafts")
append(s, to("by-append"), "Sent")
for way in ("copy", "move"):
    append(s, to("by-" + way), "Drafts")
    s.do("SELECT Drafts")
    s.do("%s * Sent" % way.upper())
append(s, text("draft"), "Drafts")
s.do("SELECT Drafts")
new = to("by-replace")
s.do("REPLACE * Sent {%d+}\r\n%s" % (len(new), new))

# quota: bob has 20 kB
b = Session("bob")
big = text("big") + "y" * 7000 + "\r\n"
check("I-15 APPEND within quota", "APPENDUID" in append(b, big), True)
b.do("SELECT INBOX")
check("I-15 COPY within quota", b.do("COPY 1 Drafts")[-1].split()[1], "OK")
check("I-15 COPY over quota", b.do("COPY 1 Archive")[-1][:17],
      "x NO [OVERQUOTA] ")
check("I-15 APPEND over quota", append(b, big)[:17], "x NO [OVERQUOTA] ")
check("I-15 MOVE takes no quota", b.do("MOVE 1 Drafts")[-1].split()[1], "OK")
b.do("SELECT Drafts")
check("I-15 REPLACE counts both until it is done",
      b.do("REPLACE 1 Drafts {%d+}\r\n%s" % (len(big), big))[-1][:17],
      "x NO [OVERQUOTA] ")
