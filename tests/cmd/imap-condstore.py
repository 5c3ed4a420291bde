# imap-condstore.py - RFC 7162; results for python_tests of imap.sh
import os, re, shutil, sys

from imap_talk import Session, append, check


def number(lines, word):
    found = [int(m) for l in lines
             for m in re.findall(word + r" \(?(\d+)", l)]
    return found[-1] if found else None


def select(s, arguments, verb="SELECT"):
    """HIGHESTMODSEQ, UIDVALIDITY, and what came with FETCH or VANISHED"""
    lines = s.do("%s %s" % (verb, arguments))
    return (number(lines, "HIGHESTMODSEQ"), number(lines, "UIDVALIDITY"),
            [re.sub(r"MODSEQ \(\d+\)", "MODSEQ (N)", l) for l in lines
             if " FETCH " in l or "VANISHED" in l], lines[-1])


def steady(lines):
    return [re.sub(r"MODSEQ (\(?)\d+", r"MODSEQ \1N", l) for l in lines]


a, b = Session(), Session()
a.do("CREATE C")
for i in range(1, 5):
    append(a, "Subject: m%d\r\n\r\ntext\r\n" % i, "C")

# ---- CONDSTORE: modseqs in FETCH and STORE ----
high, _, _, _ = select(a, "C")
check("I-4 RFC 7162 CONDSTORE SELECT tells HIGHESTMODSEQ", high is not None, True)
check("I-4 RFC 7162 CONDSTORE STATUS HIGHESTMODSEQ",
      number(b.do("STATUS C (HIGHESTMODSEQ)"), "HIGHESTMODSEQ"), high)
lines = b.do("SELECT C (CONDSTORE)")
check("I-4 RFC 7162 CONDSTORE SELECT (CONDSTORE) is taken", lines[-1],
      "x OK [READ-WRITE] SELECT done")
lines = b.do("FETCH 4 (MODSEQ)")
check("I-4 RFC 7162 CONDSTORE FETCH MODSEQ", lines[0],
      "* 4 FETCH (MODSEQ (%d))" % high)
check("I-4 RFC 7162 CONDSTORE without it no MODSEQ is told",
      a.do("STORE 1 +FLAGS (\\Seen)")[0], "* 1 FETCH (FLAGS (\\Seen))")
lines = b.do("NOOP")
check("I-4 RFC 7162 CONDSTORE others' changes carry MODSEQ",
      steady(lines)[0], "* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (N))")
now = number(lines, "MODSEQ")
check("I-4 RFC 7162 CONDSTORE modseq grew", now > high, True)
check("I-4 RFC 7162 CONDSTORE HIGHESTMODSEQ grew with it",
      number(b.do("STATUS C (HIGHESTMODSEQ)"), "HIGHESTMODSEQ"), now)
lines = b.do("STORE 2 +FLAGS.SILENT (\\Flagged)")
check("I-4 RFC 7162 CONDSTORE .SILENT still tells the modseq", steady(lines),
      ["* 2 FETCH (UID 2 MODSEQ (N))", "x OK STORE done"])
second = number(lines, "MODSEQ")
check("I-4 RFC 7162 CONDSTORE FETCH CHANGEDSINCE gives what changed",
      b.do("FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % high),
      ["* 1 FETCH (MODSEQ (%d) FLAGS (\\Seen))" % now,
       "* 2 FETCH (MODSEQ (%d) FLAGS (\\Flagged))" % second,
       "x OK FETCH done"])
check("I-4 RFC 7162 CONDSTORE nothing changed since",
      b.do("FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % second),
      ["x OK FETCH done"])
check("I-4 RFC 7162 CONDSTORE UNCHANGEDSINCE leaves changed ones alone",
      steady(b.do("STORE 1,2,3 (UNCHANGEDSINCE %d) +FLAGS (\\Draft)" % now)),
      ["* 1 FETCH (UID 1 FLAGS (\\Seen \\Draft) MODSEQ (N))",
       "* 3 FETCH (UID 3 FLAGS (\\Draft) MODSEQ (N))",
       "x OK [MODIFIED 2] some messages changed since"])
check("I-4 RFC 7162 CONDSTORE UID STORE answers MODIFIED with UIDs",
      b.do("UID STORE 4,2 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Draft)"),
      ["x OK [MODIFIED 2,4] some messages changed since"])
check("I-4 RFC 7162 CONDSTORE UNCHANGEDSINCE 0 fails for all",
      b.do("UID STORE 3 (UNCHANGEDSINCE 0) FLAGS ()")[-1],
      "x OK [MODIFIED 3] some messages changed since")
lines = b.do("FETCH 4 BODY[TEXT]")
check("I-4 RFC 7162 CONDSTORE \\Seen set by FETCH carries its modseq",
      steady(lines)[0],
      "* 4 FETCH (UID 4 FLAGS (\\Seen) MODSEQ (N) BODY[TEXT] {6}")

# each enabling command
for name, command in (("FETCH MODSEQ", "FETCH 1 MODSEQ"),
                      ("CHANGEDSINCE", "FETCH 1 UID (CHANGEDSINCE 1)"),
                      ("UNCHANGEDSINCE",
                       "STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Answered)"),
                      ("ENABLE", "ENABLE CONDSTORE"),
                      ("STATUS", "STATUS C (HIGHESTMODSEQ)")):
    s = Session()
    s.do("SELECT C")
    lines = s.do(command)
    check("I-4 RFC 7162 CONDSTORE %s enables, and says where it is" % name,
          number(lines, "OK .HIGHESTMODSEQ"), select(b, "C")[0])
    check("I-4 RFC 7162 CONDSTORE %s: from now on MODSEQ is told" % name,
          steady(s.do("STORE 1 +FLAGS.SILENT (\\Seen)"))[0],
          "* 1 FETCH (UID 1 MODSEQ (N))")
    s.do("LOGOUT")

# ---- QRESYNC ----
check("I-4 RFC 7162 QRESYNC must be enabled", b.do("SELECT C (QRESYNC (1 1))"),
      ["x BAD ENABLE QRESYNC first"])
q = Session()
check("I-4 RFC 7162 QRESYNC ENABLE", q.do("ENABLE QRESYNC"),
      ["* ENABLED CONDSTORE QRESYNC", "x OK ENABLE done"])
check("I-4 RFC 7162 QRESYNC again: nothing new", q.do("ENABLE QRESYNC"),
      ["* ENABLED", "x OK ENABLE done"])
a.do("CREATE Q")
for i in range(1, 11):
    append(a, "Subject: q%d\r\n\r\ntext\r\n" % i, "Q")
high, valid, _, _ = select(q, "Q")
a.do("SELECT Q")
a.do("STORE 2,5:6,9 +FLAGS.SILENT (\\Deleted)")
q.do("NOOP")
a.do("EXPUNGE")
check("I-4 RFC 7162 QRESYNC VANISHED instead of EXPUNGE", q.do("NOOP"),
      ["* VANISHED 2,5:6,9", "x OK NOOP done"])
a.do("STORE 1 +FLAGS (\\Flagged)")
q.do("NOOP")
q.do("STORE 3 +FLAGS.SILENT (\\Deleted)")
lines = q.do("EXPUNGE")
check("I-4 RFC 7162 QRESYNC EXPUNGE answers with HIGHESTMODSEQ", steady(lines),
      ["* VANISHED 4", "x OK [HIGHESTMODSEQ N] EXPUNGE done"])
last = number(lines, "HIGHESTMODSEQ")
check("I-4 RFC 7162 QRESYNC which is the mailbox's",
      number(q.do("STATUS Q (HIGHESTMODSEQ)"), "HIGHESTMODSEQ"), last)
check("I-4 RFC 7162 QRESYNC UID of flags changed by STORE",
      steady(q.do("STORE 2 +FLAGS (\\Draft)"))[0],
      "* 2 FETCH (UID 3 FLAGS (\\Draft) MODSEQ (N))")

r = Session()
r.do("ENABLE QRESYNC")
changed = ["* 1 FETCH (UID 1 FLAGS (\\Flagged) MODSEQ (N))",
           "* 2 FETCH (UID 3 FLAGS (\\Draft) MODSEQ (N))"]
ok = "x OK [READ-WRITE] SELECT done"
check("I-4 RFC 7162 QRESYNC SELECT: what vanished and changed",
      select(r, "Q (QRESYNC (%d %d))" % (valid, high))[2:],
      (["* VANISHED (EARLIER) 2,4:6,9"] + changed, ok))
check("I-4 RFC 7162 QRESYNC only of the UIDs that are known",
      select(r, "Q (QRESYNC (%d %d 1:2,6:7))" % (valid, high))[2:],
      (["* VANISHED (EARLIER) 2,6"] + changed[:1], ok))
check("I-4 RFC 7162 QRESYNC another UIDVALIDITY: as without",
      select(r, "Q (QRESYNC (%d %d))" % (valid + 1, high))[2:], ([], ok))
check("I-4 RFC 7162 QRESYNC nothing happened since",
      select(r, "Q (QRESYNC (%d %d))" % (
          valid, select(r, "Q")[0]))[2:], ([], ok))
check("I-4 RFC 7162 QRESYNC EXAMINE too",
      select(r, "Q (QRESYNC (%d %d))" % (valid, high), "EXAMINE")[2:],
      (["* VANISHED (EARLIER) 2,4:6,9"] + changed,
       "x OK [READ-ONLY] EXAMINE done"))
check("I-4 RFC 7162 QRESYNC what is before the mailbox: all UIDs not there",
      select(r, "Q (QRESYNC (%d 1 1:20))" % valid)[2][0],
      "* VANISHED (EARLIER) 2,4:6,9")
check("I-4 RFC 7162 QRESYNC a modseq of the future is one of another index",
      select(r, "Q (QRESYNC (%d 999999999999 1:20))" % valid)[2][0],
      "* VANISHED (EARLIER) 2,4:6,9")
check("I-4 RFC 7162 QRESYNC numbers that match their UIDs spare what is below",
      select(r, "Q (QRESYNC (%d 1 1:20 (1:3 1,3,7)))" % valid)[2][0],
      "* VANISHED (EARLIER) 9")
check("I-4 RFC 7162 QRESYNC numbers that do not match spare nothing",
      select(r, "Q (QRESYNC (%d 1 1:20 (1:3 2,4,8)))" % valid)[2][0],
      "* VANISHED (EARLIER) 2,4:6,9")
check("I-4 RFC 7162 QRESYNC the first wrong pair ends it",
      select(r, "Q (QRESYNC (%d 1 (1:3 1,3,8)))" % valid)[2][0],
      "* VANISHED (EARLIER) 4:6,9")
for wrong, why in (("(1)", "syntax error"), ("(1 1 *)", "* is not allowed "
                   "here"), ("(1 1 1:2 (1:2 1))", "not as many UIDs as "
                   "numbers"), ("(1 1 1:2 1:2)", "syntax error"),
                   ("(x 1)", "expected a number"),
                   ("(1 1 1:2 (1 *))", "* is not allowed here")):
    check("I-4 RFC 7162 QRESYNC %s is BAD" % wrong,
          r.do("SELECT Q (QRESYNC %s)" % wrong), ["x BAD " + why])
check("I-4 RFC 7162 QRESYNC the mailbox before is CLOSED",
      r.do("SELECT Q")[0], "* OK [CLOSED] mailbox is closed")

check("I-4 RFC 7162 QRESYNC UID FETCH VANISHED",
      steady(r.do("UID FETCH 1:5 (FLAGS) (CHANGEDSINCE %d VANISHED)" % high)),
      ["* VANISHED (EARLIER) 2,4:5",
       "* 1 FETCH (UID 1 MODSEQ (N) FLAGS (\\Flagged))",
       "* 2 FETCH (UID 3 MODSEQ (N) FLAGS (\\Draft))",
       "x OK UID FETCH done"])
check("I-4 RFC 7162 QRESYNC VANISHED is for UID FETCH",
      r.do("FETCH 1:2 (FLAGS) (CHANGEDSINCE 1 VANISHED)")[-1],
      "x BAD VANISHED needs QRESYNC, UID FETCH and CHANGEDSINCE")
# 3.2: expunges that wait, and modseqs that are sent before them
a.do("SELECT C")
for s in (q, r):
    s.do("SELECT C")
for i in range(3):
    append(a, "Subject: d\r\n\r\ntext\r\n", "C")
lines = q.do("NOOP")
n = a.do("SEARCH ALL")[0].split()
first, other = int(n[2]), int(n[-1])
a.do("STORE %d +FLAGS.SILENT (\\Deleted)" % first)
r.do("NOOP")
q.do("NOOP")
uid = a.do("FETCH %d UID" % first)[0].split()[-1].rstrip(")")
a.do("EXPUNGE")
lines = q.do("STORE %d +FLAGS (\\Answered)" % other)
told, sent = number(lines, "HIGHESTMODSEQ"), number(lines, "MODSEQ")
gone = number(a.do("STATUS C (HIGHESTMODSEQ)"), "HIGHESTMODSEQ")
check("I-4 RFC 7162 QRESYNC 3.2: while VANISHED waits HIGHESTMODSEQ is below it",
      [re.sub(r"\d+", "N", l) for l in lines],
      ["* N FETCH (UID N FLAGS (\\Answered) MODSEQ (N))",
       "* OK [HIGHESTMODSEQ N] expunges are told later", "x OK STORE done"])
modseq = int(re.findall(r"MODSEQ \((\d+)", lines[0])[0])
check("I-4 RFC 7162 QRESYNC 3.2: and below what was sent", told < modseq - 1,
      True)
lines = q.do("UID SEARCH %d" % other)
check("I-4 RFC 7162 3.2.10: UID SEARCH with message numbers tells no VANISHED",
      [l for l in lines if "VANISHED" in l], [])
lines = q.do("UID SEARCH UID 1:*")
check("I-4 RFC 7162 QRESYNC 3.2: VANISHED, and then HIGHESTMODSEQ is all",
      ([l for l in lines if "VANISHED" in l], number(lines, "HIGHESTMODSEQ")),
      (["* VANISHED " + uid],
       number(q.do("STATUS C (HIGHESTMODSEQ)"), "HIGHESTMODSEQ")))
check("I-4 RFC 7162 QRESYNC 3.2: once", q.do("NOOP"), ["x OK NOOP done"])
for s in (q, r):
    s.do("SELECT Q")
a.do("SELECT Q")
q.do("UID STORE 10 +FLAGS.SILENT (\\Deleted)")
r.do("NOOP")
q.do("EXPUNGE")
check("I-4 RFC 7162 QRESYNC what goes meanwhile is told once, then EARLIER",
      r.do("UID FETCH 9:10 (UID) (CHANGEDSINCE %d VANISHED)" % last),
      ["* VANISHED 10", "* VANISHED (EARLIER) 10", "x OK UID FETCH done"])
check("I-4 RFC 7162 QRESYNC UID FETCH VANISHED: * is beyond the last one here",
      r.do("UID FETCH 8:* (UID) (CHANGEDSINCE %d VANISHED)" % last),
      ["* VANISHED (EARLIER) 10", "x OK UID FETCH done"])
check("I-4 RFC 7162 QRESYNC MOVE tells VANISHED",
      [re.sub(r"COPYUID \d+", "COPYUID V", l)
       for l in r.do("UID MOVE 8 C")],
      ["* OK [COPYUID V 8 8] moved", "* VANISHED 8", "x OK UID MOVE done"])
check("I-4 RFC 7162 QRESYNC CLOSE tells no HIGHESTMODSEQ", r.do("CLOSE"),
      ["x OK CLOSE done"])

# the index is lost: what a client knew is not taken for this one's
for s in (a, b, q, r):
    s.do("LOGOUT")
    s.p.wait(10)
account = os.environ["PIPEMAIL_VAR"] + "/accounts/alice"
r = Session()
before, valid, _, _ = select(r, "Q")
r.do("UID STORE 7 +FLAGS.SILENT (\\Deleted)")
r.do("EXPUNGE")
r.do("LOGOUT")
r.p.wait(10)
shutil.rmtree(account + "/index")
r = Session()
r.do("ENABLE QRESYNC")
after, _, lines, _ = select(r, "Q (QRESYNC (%d %d 1:10))" % (valid, before))
check("I-4 S-9 a new index has modseqs above those of the old one",
      after > before, True)
check("I-4 S-9 after its loss all is told again", lines,
      ["* VANISHED (EARLIER) 2,4:10"] +
      [l.replace("\\Draft", "\\Draft") for l in changed])
