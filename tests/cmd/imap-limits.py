# imap-limits.py - what is read at each limit and one past it; results for
# python_tests of imap.sh
from imap_talk import Session, append, check

LINE, ID_LINE, LITERAL, COMMAND = 16384, 65536, 102400, 1 << 20
SIZE = 1 << 20          # size-limit of imap.sh

s = Session()
append(s, "Subject: x\r\n\r\nbody\r\n")
s.do("SELECT INBOX")


def last(command, session=None):
    return (session or s).do(command)[-1]


def limit(name, make, n, past, fine="x OK"):
    """make(n) is taken, make(n + 1) answered with past, and s goes on."""
    check("I-13 %s: %d are taken" % (name, n), last(make(n))[:len(fine)], fine)
    check("I-13 %s: not one more" % name, last(make(n + 1)), past)


# ---- lines and literals ----
def line(n, start="x SEARCH SUBJECT ", end=" ALL"):
    return start + '"' + "y" * (n - len(start) - len(end) - 2) + '"' + end


def ending(text):
    """The last line a session of its own says to text."""
    one = Session()
    try:
        one.say(text)
        one.p.stdin.close()
    except BrokenPipeError:
        pass            # it has heard enough
    said = []
    while True:
        got = one.line()
        if got is None:
            one.p.wait(10)
            return said[-1]
        said.append(got)


login = "s SELECT INBOX\r\n"
check("I-13 a line of 16,384 bytes",
      ending(login + line(LINE) + "\r\n"), "x OK SEARCH done")
check("I-13 not one more", ending(login + line(LINE + 1) + "\r\n"),
      "* BYE line over 16384 bytes")
check("I-13 nor one that does not end", ending(login + line(LINE + 2)),
      "* BYE line over 16384 bytes")
# what follows a message is of its APPEND, whatever it looks like
more = "n NOOP\r\nm APPEND INBOX {3+}\r\na\r\n"
check("I-13 the rest of an APPEND may be 16,384 bytes",
      ending(more + line(LINE, "x ID ") + "\r\n")[:6], "m BAD ")
check("I-13 not more because it begins as ID does",
      ending(more + line(LINE + 1, "x ID ") + "\r\n"),
      "* BYE line over 16384 bytes")
check("I-13 after it ID has its longer line again",
      ending("m APPEND INBOX {3+}\r\na\r\n\r\n" +
             'x ID ("name" "' + "y" * 60000 + '")\r\n'), "x OK ID done")
check("I-13 also after a refused one",
      ending("m APPEND None {3}\r\n" +
             'x ID ("name" "' + "y" * 60000 + '")\r\n'), "x OK ID done")


def literal(n, plus="+"):
    return "SEARCH SUBJECT {%d%s}\r\n%s" % (n, plus, "y" * n)


check("I-13 a literal of 102,400 bytes", last(literal(LITERAL)),
      "x OK SEARCH done")
s.say("x SEARCH SUBJECT {%d}\r\n" % LITERAL)
check("I-13 one asked for", s.line()[:2], "+ ")
s.say("y" * LITERAL + "\r\n")
check("I-13 and sent then", s.until("x ")[-1], "x OK SEARCH done")
s.say("x SEARCH SUBJECT {%d}\r\n" % (LITERAL + 1))
check("I-13 not one of one byte more", s.line(),
      "x NO [TOOBIG] literal over 102400 bytes")
check("I-13 sent without asking it ends the session",
      ending(login + "x " + literal(LITERAL + 1) + "\r\n"),
      "* BYE [TOOBIG] literal over 102400 bytes")
for digits in ("4294967295", "4294967296", "99999999999999999999", "-1", "",
               "1+1", "0x10"):
    got = ending(login + "x SEARCH SUBJECT {%s}\r\n" % digits)
    check("I-13 a literal of {%s} bytes is none" % digits,
          got.startswith("x BAD ") or
          got == "x NO [TOOBIG] literal over 102400 bytes", True)


def command(n):
    """A command of n bytes with 11 literals, without its line end."""
    text = "x SEARCH"
    for i in range(10):
        text += " SUBJECT {%d+}\r\n%s" % (LITERAL, "y" * LITERAL)
    rest = n - len(text) - len(" SUBJECT {00000+}\r\n")
    return text + " SUBJECT {%05d+}\r\n%s" % (rest, "y" * rest)


check("I-13 a command of a MiB", ending(login + command(COMMAND) + "\r\n"),
      "x OK SEARCH done")
check("I-13 not one more", ending(login + command(COMMAND + 1) + "\r\n"),
      "* BYE [TOOBIG] command over 1048576 bytes")

# ---- words ----
s.say("%s NOOP\r\n" % ("t" * 256))
check("I-13 a tag of 256 bytes", s.line()[256:], " OK NOOP done")
s.say("%s NOOP\r\n" % ("t" * 257))
check("I-13 not one more", s.line(), "* BAD tag too long")
limit("patterns of LIST", lambda n: 'LIST "" (%s)' % " ".join(["a"] * n), 50,
      "x BAD too many patterns")
some = len(s.do('LIST "" *'))
check("I-13 a pattern of 16,000 wildcards is one",
      len(s.do('LIST "" "%s"' % ("%*" * 8000))), some)
# no name has that many bytes between wildcards
for n in (1024, 1025, 16000):
    check("I-13 a pattern of %d bytes matches nothing" % n,
          len(s.do('LIST "" "%s"' % ("*x" * (n // 2) + "x" * (n % 2)))), 1)
limit("keys of SORT",
      lambda n: "SORT (%s) UTF-8 ALL" % " ".join(["SIZE"] * n), 18,
      "x BAD too many sort keys")
limit("items of FETCH",
      lambda n: "FETCH 1 (%s)" % " ".join(["FLAGS"] * n), 200,
      "x BAD too many items")
limit("levels of a section",
      lambda n: "FETCH 1 BODY.PEEK[%s]" % ".".join(["1"] * n), 100,
      "x BAD wrong section")
limit("URLs of URLFETCH",
      lambda n: "URLFETCH" + " x" * n, 1000, "x BAD too many URLs")
url = ("imap://alice@mail.example.org/INBOX/;uid=1;urlauth=anonymous",
       "INTERNAL")
literals = " ".join(["{%d+}\r\n%s %s" % ((len(url[0]),) + url)] * 999)
limit("URLs of GENURLAUTH", lambda n: "GENURLAUTH " + literals +
      (" %s %s" % url) * (n - 999), 1000, "x BAD too many URLs")

# ---- numbers ----
for numbers, want in (("1:4294967295", "x OK"), ("4294967295", "x OK"),
                      ("4294967296", "x BAD"), ("0", "x BAD"),
                      ("1:0", "x BAD"), ("18446744073709551617", "x BAD")):
    check("I-13 the set %s" % numbers,
          last("UID FETCH %s (UID)" % numbers).startswith(want), True)
for partial, want in (("0.1", "x OK"), ("4294967295.4294967295", "x OK"),
                      ("9223372036854775807.1", "x OK"),
                      ("0.0", "x BAD"), ("99999999999999999999.1", "x BAD"),
                      ("0.99999999999999999999", "x BAD")):
    check("I-13 the partial <%s>" % partial,
          last("FETCH 1 BODY.PEEK[]<%s>" % partial).startswith(want), True)
for modseq, want in (("9223372036854775807", "x OK"),
                     ("9223372036854775808", "x BAD")):
    check("I-13 the modseq %s" % modseq,
          last("FETCH 1 FLAGS (CHANGEDSINCE %s)" % modseq).startswith(want),
          True)

# ---- names ----
limit("bytes of a mailbox name",
      lambda n: "CREATE %s" % ("n" * n), 239,
      "x NO [CANNOT] too long")
limit("bytes of a keyword",
      lambda n: "STORE 1 +FLAGS.SILENT (%s)" % ("k" * n), 100,
      "x BAD keyword too long")

# ---- contexts and bad commands ----
contexts = Session()
contexts.do("SELECT INBOX")
got = [contexts.do("SEARCH RETURN (UPDATE COUNT) ALL", "c%d" % i)
       for i in range(17)]
check("I-13 contexts: 16 are kept",
      [i for i in range(17) if any("NOUPDATE" in l for l in got[i])], [16])
for n in (19, 20):
    check("I-13 %d bad commands in a row" % n,
          ending("n NOOP\r\n" + "x BOGUS\r\n" * n + "y NOOP\r\n")[:5],
          "y OK " if n == 19 else "* BYE")

# ---- messages ----
def message(n):
    return "Subject: x\r\n\r\n" + "y" * (n - 16) + "\r\n"


check("I-13 a message of the size limit", append(s, message(SIZE))[:4],
      "x OK")
s.say("x APPEND INBOX {%d}\r\n" % (SIZE + 1))
check("I-13 one byte more is refused unsent", s.line(),
      "x NO [TOOBIG] message over the size limit")
got = ending("x APPEND INBOX {%d+}\r\n%s\r\n" % (SIZE + 1, message(SIZE + 1)))
check("I-13 sent it ends the session", got,
      "* BYE [TOOBIG] message over the size limit")
s.do("CREATE Ten")
for n, want in ((10, "x OK"), (11, "* BYE [TOOBIG]")):
    text = "APPEND Ten"
    for i in range(n):
        text += " {%d+}\r\n%s" % (SIZE, message(SIZE))
    check("I-13 %d messages of the size limit in one APPEND" % n,
          ending("x " + text + "\r\n")[:len(want)], want)
check("I-13 and there are 10", s.do("STATUS Ten (MESSAGES)")[0],
      "* STATUS Ten (MESSAGES 10)")
