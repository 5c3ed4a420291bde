# imap-append.py - RFC 3502, 4469, 6855, 7889, 8508; results for python_tests
# of imap.sh, where a message has 1 MiB at most and bob a quota of 20 KB
import re, resource, signal

from imap_talk import Session, append, check

LIMIT = 1048576


def lit(text, plus="+"):
    return "{%d%s}\r\n%s" % (len(text.encode()), plus, text)


def steady(lines):
    return [re.sub(r"(APPENDUID) \d+", r"\1 V", l) for l in lines]


def count(session, box):
    return session.do("STATUS %s (MESSAGES)" % box)[0].split()[-1][:-1]


def texts(session, box):
    session.do("EXAMINE %s" % box)
    lines = session.do("FETCH 1:* BODY.PEEK[]")
    session.do("UNSELECT")
    return "\n".join(lines)


a = Session()
for name in ("M", "C", "R", "L"):
    a.do("CREATE " + name)

# ---- MULTIAPPEND ----
check("RFC 3502 MULTIAPPEND I-5 two messages in one command",
      steady(a.do("APPEND M (\\Seen) " + lit("Subject: 1\r\n\r\none\r\n") +
                  " (\\Flagged kw) \"05-Feb-2026 03:05:06 +0100\" " +
                  lit("Subject: 2\r\n\r\ntwo\r\n"))[-1:]),
      ["x OK [APPENDUID V 1:2] APPEND done"])
a.do("SELECT M")
check("RFC 3502 MULTIAPPEND each with its flags and date",
      [l.replace("() ", "") for l in
       a.do("FETCH 1:2 (FLAGS BODY.PEEK[TEXT])")[:6]] +
      a.do("FETCH 2 INTERNALDATE")[:1],
      ["* 1 FETCH (FLAGS (\\Seen) BODY[TEXT] {5}", "one", ")",
       "* 2 FETCH (FLAGS (\\Flagged kw) BODY[TEXT] {5}", "two", ")",
       "* 2 FETCH (INTERNALDATE \"05-Feb-2026 02:05:06 +0000\")"])
a.do("UNSELECT")
one = lit("Subject: 3\r\n\r\nx")
for name, command, want in (
        ("a second one over the size limit",
         "APPEND M %s {%d}" % (one, LIMIT + 1),
         "x NO [TOOBIG] message over the size limit"),
        ("a mistake after the first",
         "APPEND M %s (\\Nope) %s" % (one, one),
         "x BAD unknown system flag"),
        ("a mistake at the end",
         "APPEND M %s %s trailing" % (one, one),
         "x BAD expected a message"),
        ("no such mailbox",
         "APPEND Nope %s %s" % (one, one),
         "x NO [TRYCREATE] no such mailbox")):
    check("RFC 3502 MULTIAPPEND %s: nothing is appended" % name,
          (a.do(command)[-1], count(a, "M")), (want, "2"))
check("APPEND without a message is BAD",
      [a.do(c)[-1] for c in ("APPEND M", "APPEND M (\\Seen)", "APPEND M x")],
      ["x BAD missing argument", "x BAD missing argument",
       "x BAD expected a message"])
a = Session()
check("I-13 1000 messages in one APPEND",
      (steady(a.do("APPEND L" + (" " + lit("z")) * 1000))[-1],
       count(a, "L")), ("x OK [APPENDUID V 1:1000] APPEND done", "1000"))
check("I-13 and one more: none of them",
      (a.do("APPEND L" + (" " + lit("z")) * 1001)[-1], count(a, "L")),
      ("x NO [MESSAGELIMIT 1000] more than 1000 messages and parts", "1000"))
big = "y" * LIMIT
check("I-13 RFC 7889 a message of the append limit",
      steady(a.do("APPEND C " + lit(big)))[-1],
      "x OK [APPENDUID V 1] APPEND done")
check("I-13 RFC 7889 one octet more is refused before it is sent",
      a.do("APPEND C {%d}" % (LIMIT + 1)),
      ["x NO [TOOBIG] message over the size limit"])
check("I-13 messages of one APPEND together: ten times that",
      steady(a.do("APPEND C" + (" " + lit(big)) * 10))[-1],
      "x OK [APPENDUID V 2:11] APPEND done")
check("I-13 and one octet more",
      (a.do("APPEND C" + (" " + lit(big)) * 10 + " {1}")[-1],
       count(a, "C")),
      ("x NO [TOOBIG] message over the size limit", "11"))
check("RFC 7889 APPENDLIMIT is told for a mailbox too",
      a.do("STATUS M (APPENDLIMIT MESSAGES)")[0],
      "* STATUS M (MESSAGES 2 APPENDLIMIT %d)" % LIMIT)

bob = Session("bob")
half = lit("Subject: q\r\n\r\n" + "q" * 12000)
check("S-13 MULTIAPPEND over quota: all are counted, none is kept",
      (bob.do("APPEND INBOX %s %s" % (half, half))[-1],
       count(bob, "INBOX"), bob.do("APPEND INBOX " + half)[-1][:5],
       bob.do("APPEND INBOX {12000}")[-1]),
      ("x NO [OVERQUOTA] over quota", "0", "x OK ",
       "x NO [OVERQUOTA] over quota"))



def small():
    """A session that cannot write files beyond 4 MB: what is left of a disk;
    the index is smaller, five messages are not"""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * LIMIT, old[1]))
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        return Session(restore_signals=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


# ---- CATENATE ----
c = Session()
c.do("CREATE K")
c.do("CREATE \"K 2\"")
append(c, "Subject: base\r\n\r\nbody\r\nlines\r\n", "K")
valid = re.search(r"UIDVALIDITY (\d+)",
                  "".join(c.do("STATUS K (UIDVALIDITY)"))).group(1)
check("RFC 4469 CATENATE text and a URL",
      steady(c.do("APPEND \"K 2\" (\\Seen) CATENATE (TEXT %s URL \"/K;"
                  "UIDVALIDITY=%s/;UID=1/;SECTION=TEXT\" TEXT %s)"
                  % (lit("Subject: new\r\n\r\n"), valid, lit("end\r"))))[-1],
      "x OK [APPENDUID V 1] APPEND done")
check("RFC 4469 CATENATE URLs only, as literals too, and several messages",
      (steady(c.do("APPEND \"K 2\" CATENATE (URL /K/;UID=1) CATENATE (URL " +
                   lit("/K/;uid=1/;section=header") + " URL " +
                   lit("/%4b/;UID=1/;PARTIAL=17.4") + ")"))[-1],
       steady(c.do("APPEND \"K 2\" CATENATE (TEXT " + lit("X: ") + " URL " +
                   lit("/K%202/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)") +
                   ") " + lit("Subject: plain\r\n\r\n")))[-1]),
      ("x OK [APPENDUID V 2:3] APPEND done",
       "x OK [APPENDUID V 4:5] APPEND done"))
c.do("SELECT \"K 2\"")
check("RFC 4469 CATENATE is what the parts are",
      c.do("FETCH 1:4 BODY.PEEK[]")[:-1],
      ["* 1 FETCH (BODY[] {33}", "Subject: new", "", "body", "lines",
       "end\r)",
       "* 2 FETCH (BODY[] {30}", "Subject: base", "", "body", "lines", ")",
       "* 3 FETCH (BODY[] {21}", "Subject: base", "", "body)",
       "* 4 FETCH (BODY[] {19}", "X: Subject: new", "", ")"])
c.do("UNSELECT")
was = count(c, "\"K 2\"")
for name, url, code in (
        ("another UIDVALIDITY", "/K;UIDVALIDITY=7/;UID=1", True),
        ("no such message", "/K/;UID=9", True),
        ("no such part", "/K/;UID=1/;SECTION=1.2", True),
        ("no such mailbox", "/Nope/;UID=1", True),
        ("another server", "imap://joe@example.net/K/;UID=1", True),
        ("no URL", "K", True),
        ("a wrong escape", "/%4/;UID=1", True),
        ("a wrong section", "/K/;UID=1/;SECTION=1.Q", True),
        ("something after it", "/K/;UID=1/;X=1", True),
        ("UID 0", "/K/;UID=0", True)):
    check("RFC 4469 BADURL: " + name,
          c.do("APPEND \"K 2\" CATENATE (TEXT %s URL %s TEXT %s)"
               % (lit("a"), lit(url), lit("b")))[-1],
          "x NO [BADURL %s] no such message or part" % url)
check("RFC 4469 BADURL without a bracket in the code",
      c.do("APPEND \"K 2\" CATENATE (URL \"/K]/;UID=1\")"),
      ["x NO [BADURL] no such message or part"])
check("RFC 4469 TRYCREATE, also with URLs only",
      [c.do("APPEND Nope CATENATE (%s)" % p)[-1] for p in
       ("URL /K/;UID=1", "TEXT " + lit("x") + " URL /K/;UID=1")],
      ["x NO [TRYCREATE] no such mailbox"] * 2)
check("RFC 4469 TOOBIG for the parts together",
      c.do("APPEND \"K 2\" CATENATE (TEXT %s TEXT {1}" % lit(big)),
      ["x NO [TOOBIG] message over the size limit"])
check("I-13 1000 parts", steady(c.do("APPEND \"K 2\" CATENATE (" +
      " ".join(["TEXT " + lit("p")] * 999) + ")"))[-1][:24],
      "x OK [APPENDUID V 6] APP")
check("I-13 and one more", c.do("APPEND \"K 2\" CATENATE (" +
      " ".join(["TEXT " + lit("p")] * 1000) + ")")[-1],
      "x BAD more than 1000 messages and parts")
check("RFC 4469 mistakes are BAD",
      [c.do("APPEND K CATENATE " + p)[-1] for p in
       ("()", "(TEXT)", "(URL)", "(URL /K/;UID=1", "(NOTE x)")],
      ["x BAD expected TEXT or URL", "x BAD expected TEXT or URL",
       "x BAD expected TEXT or URL", "x BAD missing argument",
       "x BAD expected TEXT or URL"])
check("RFC 4469 nothing of all that was appended", count(c, "\"K 2\""),
      str(int(was) + 1))

many = "(" + " ".join("word%d" % i for i in range(300)) + ")"
check("MULTIAPPEND of a second message the store refuses: the first is "
      "taken back",
      (a.do("APPEND M %s %s %s" % (one, many, one))[-1], count(a, "M")),
      ("x NO [LIMIT] too many keywords or mailboxes", "2"))
full = small()
check("MULTIAPPEND with the disk full in the middle: nothing is appended",
      (full.do("APPEND M" + (" " + lit(big)) * 5)[-1][:4],
       count(full, "M")), ("x NO", "2"))
check("and the session goes on",
      append(full, "Subject: s\r\n\r\nsmall\r\n", "M")[:5], "x OK ")

check("APPEND to a name that is no modified UTF-7 is refused, not wrong",
      a.do("APPEND &x " + lit("x"))[-1],
      "x NO [CANNOT] mailbox name is no modified UTF-7")

# ---- REPLACE ----
r = Session()
append(r, "Subject: draft\r\n\r\n1\r\n", "R")
append(r, "Subject: draft\r\n\r\n2\r\n", "R")
check("RFC 8508 REPLACE needs a selected mailbox",
      r.do("REPLACE 1 R " + lit("x"))[-1], "x BAD select a mailbox first")
r.do("SELECT R")
check("RFC 8508 REPLACE by number",
      steady(r.do("REPLACE 1 R (\\Draft) " + lit("Subject: n\r\n\r\n3"))),
      ["* OK [APPENDUID V 3] replacement is there", "* 1 EXPUNGE",
       "* 2 EXISTS", "* N RECENT", "x OK REPLACE done"])
check("RFC 8508 UID REPLACE into another mailbox",
      steady(r.do("UID REPLACE 2 M " + lit("Subject: n\r\n\r\n4"))),
      ["* OK [APPENDUID V 4] replacement is there", "* 1 EXPUNGE",
       "x OK UID REPLACE done"])
check("RFC 8508 REPLACE with CATENATE of what is replaced",
      steady(r.do("UID REPLACE 3 R CATENATE (URL /R/;UID=3/;SECTION=HEADER "
                  "TEXT " + lit("5\r\n") + ")"))[-1],
      "x OK UID REPLACE done")
check("RFC 8508 the message is the new one",
      r.do("FETCH 1:* BODY.PEEK[]"),
      ["* 1 FETCH (BODY[] {17}", "Subject: n", "", "5", ")",
       "x OK FETCH done"])
for name, command, want in (
        ("no such number", "REPLACE 7 R " + lit("x"),
         "x BAD no such message number"),
        ("no such UID", "UID REPLACE 1 R " + lit("x"),
         "x NO [EXPUNGEISSUED] the message is gone"),
        ("no such mailbox", "REPLACE 1 Nope " + lit("x"),
         "x NO [TRYCREATE] no such mailbox"),
        ("two messages", "REPLACE 1 R %s %s" % (lit("x"), lit("x")),
         "x BAD one message only"),
        ("several are named", "REPLACE 1:2 R " + lit("x"),
         "x BAD expected one message"),
        ("too big", "REPLACE 1 R {%d}" % (LIMIT + 1),
         "x NO [TOOBIG] message over the size limit")):
    check("RFC 8508 REPLACE, %s: nothing happens" % name,
          (r.do(command)[-1], count(r, "R")), (want, "1"))
r.do("EXAMINE R")
check("RFC 8508 REPLACE in a mailbox selected read-only",
      r.do("REPLACE 1 R " + lit("x"))[-1],
      "x NO [READ-ONLY] mailbox is selected read-only")
u = Session()
u.do("ENABLE UIDONLY")
u.do("SELECT R")
check("RFC 8508 RFC 9586 REPLACE with UIDONLY",
      [u.do("REPLACE 1 R " + lit("x"))[-1]] +
      steady(u.do("UID REPLACE * R " + lit("Subject: u\r\n\r\n")))[1:2],
      ["x BAD [UIDREQUIRED] no message numbers with UIDONLY",
       "* VANISHED 4"])

# ---- UTF8=ACCEPT ----
s = Session()
check("RFC 6855 UTF8=ACCEPT is for ENABLE",
      s.do("ENABLE UTF8=ACCEPT"),
      ["* ENABLED UTF8=ACCEPT", "x OK ENABLE done"])
s.do("CREATE \"Entw\u00fcrfe\"")
check("RFC 6855 I-16 mailbox names are UTF-8 then, both ways",
      s.do("LIST \"\" \"Entw\u00fc*\"")[0],
      "* LIST (\\HasNoChildren) \"/\" \"Entw\u00fcrfe\"")
check("I-16 and modified UTF-7 for others", a.do("LIST \"\" Entw*")[0],
      "* LIST (\\HasNoChildren) \"/\" Entw&APw-rfe")
utf8 = "Subject: gr\u00fc\u00dfe\r\n\r\nx\r\n"
check("RFC 6855 APPEND of a UTF8 literal",
      steady(s.do("APPEND \"Entw\u00fcrfe\" (\\Seen) UTF8 (~%s)"
                  % lit(utf8)))[-1],
      "x OK [APPENDUID V 1] APPEND done")
s.do("SELECT \"Entw\u00fcrfe\"")
check("RFC 6855 it is as it was sent",
      s.do("FETCH 1 BODY[HEADER]")[1], "Subject: gr\u00fc\u00dfe")
check("RFC 6855 without its end it is BAD",
      s.do("APPEND INBOX UTF8 (~%s" % lit(utf8))[-1], "x BAD syntax error")
