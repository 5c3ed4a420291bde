# imap-uidonly.py - what other sessions do is told by UID (RFC 9586); results
# for python_tests of imap.sh
from imap_talk import Session, append, check

a, b = Session(), Session()
a.do("CREATE U")
for i in range(3):
    append(a, "Subject: m\r\n\r\nx\r\n", "U")
b.do("ENABLE UIDONLY")
a.do("SELECT U")
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
b.do("SELECT U")
a.do("STORE 1 +FLAGS.SILENT (\\Flagged)")
check("I-8 UIDONLY: another's flags are a UIDFETCH", b.do("NOOP"),
      ["* 2 UIDFETCH (FLAGS (\\Flagged))", "x OK NOOP done"])
append(a, "Subject: m\r\n\r\nx\r\n", "U")
a.do("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
b.say("i IDLE\r\n")
check("I-8 UIDONLY: another's EXPUNGE is VANISHED, EXISTS a count",
      b.until("* N RECENT"),
      ["+ idling", "* VANISHED 2:3", "* 1 EXISTS", "* N RECENT"])
