# imap-expunged.py - S-10, I-20; results for python_tests of imap.sh
import os

from imap_talk import Session, append, check

kept = os.environ["PIPEMAIL_VAR"] + "/accounts/alice/expunged"


def files():
    return sorted(n for n in os.listdir(kept))


def body(session, number):
    lines = session.do("FETCH %d BODY.PEEK[TEXT]" % number)
    return lines[1:-1] + [lines[-1]]


a, b = Session(), Session()
for i in range(1, 9):
    append(a, "Subject: m%d\r\n\r\ntext %d" % (i, i))
a.do("SELECT INBOX")
check("S-10 alone: the file goes with the message",
      (a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")[-1],
       a.do("EXPUNGE")[-1], files()),
      ("x OK STORE done", "x OK EXPUNGE done", []))
b.do("EXAMINE INBOX")
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
check("S-10 its file stays while another session reads there", len(files()),
      1)
check("I-20 the other still reads the message", body(b, 1),
      ["text 2)", "x OK FETCH done"])
check("I-20 in pieces, and its structure",
      (b.do("FETCH 1 (BODY.PEEK[]<9.4>)")[1:],
       b.do("FETCH 1 (RFC822.SIZE)")),
      (["m2", ")", "x OK FETCH done"],
       ["* 1 FETCH (RFC822.SIZE 21)", "x OK FETCH done"]))
check("I-20 until it was told",
      (b.do("NOOP"), body(b, 1)),
      (["* 1 EXPUNGE", "x OK NOOP done"], ["text 3)", "x OK FETCH done"]))
a.do("MOVE 1 Trash")
check("I-20 one that was moved away is read too", body(b, 1),
      ["text 3)", "x OK FETCH done"])
check("I-20 and is whole where it went",
      Session().do("STATUS Trash (MESSAGES)")[0],
      "* STATUS Trash (MESSAGES 1)")
b.do("NOOP")
check("I-20 a reader of another mailbox keeps nothing",
      (b.do("SELECT Trash")[-1], len(files())),
      ("x OK [READ-WRITE] SELECT done", 2))
before = files()
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
check("S-10 files go again once nobody reads there", files(), before)
b.do("SELECT INBOX")
b.p.kill()
b.p.wait()
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
check("S-10 a killed session holds nothing", files(), before)
b = Session()
b.do("SELECT INBOX")
b.do("UNSELECT")
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
check("S-10 nor one that left the mailbox", files(), before)
b.do("SELECT INBOX")
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
check("S-10 CLOSE of one session", a.do("CLOSE")[-1], "x OK CLOSE done")
check("I-20 leaves the message to the other", body(b, 1),
      ["text 7)", "x OK FETCH done"])
