# imap-urlauth.py - RFC 4467; results for python_tests of imap.sh
import re

from imap_talk import Session, append, check

s = Session()
s.do("CREATE Box")
append(s, "Subject: u\r\n\r\nbody\r\n", "Box")
append(s, "Subject: i\r\n\r\ninbox\r\n")


def base(rest, access="user+alice", box="Box", user="alice"):
    return "imap://%s@example.org/%s/;UID=1%s;URLAUTH=%s" % (user, box, rest,
                                                             access)


def sign(url, session=s):
    lines = session.do("GENURLAUTH \"%s\" INTERNAL" % url)
    return lines[0].split()[-1].strip('"') if len(lines) == 2 else lines[-1]


def fetch(url, session=s):
    lines = session.do("URLFETCH \"%s\"" % url)
    return [l.replace(url, "U").replace('"U"', "U") for l in lines]


whole = sign(base(""))
check("RFC 4467 URLAUTH GENURLAUTH INTERNAL",
      re.sub("[0-9a-f]{64}$", "H", whole), base("") + ":INTERNAL:01H")
check("RFC 4467 the same again: one key", sign(base("")), whole)
check("RFC 4467 several at once",
      s.do("GENURLAUTH %s INTERNAL %s internal" % (base(""), base("")))[0],
      "* GENURLAUTH %s %s" % (whole, whole))
got = ["* URLFETCH U {20}", "Subject: u", "", "body", "", "x OK URLFETCH done"]
check("RFC 4467 URLFETCH", fetch(whole), got)
check("RFC 4467 in another session of the account, without one selected",
      fetch(whole, Session()), got)
check("RFC 4467 sections and partials of it",
      (fetch(sign(base("/;SECTION=TEXT"))),
       fetch(sign(base("/;SECTION=TEXT/;PARTIAL=1.3"))),
       fetch(sign(base("/;PARTIAL=18")))),
      (["* URLFETCH U {6}", "body", "", "x OK URLFETCH done"],
       ["* URLFETCH U {3}", "ody", "x OK URLFETCH done"],
       ["* URLFETCH U {2}", "", "", "x OK URLFETCH done"]))
check("RFC 4467 several URLs in one URLFETCH",
      len([l for l in s.do("URLFETCH %s %s /Nope %s" % (whole, whole, whole))
           if "URLFETCH imap" in l]), 3)
nil = ["* URLFETCH U NIL", "x OK URLFETCH done"]
digit = "1" if whole[-1] == "0" else "0"
for name, url in (
        ("a changed token", whole[:-1] + digit),
        ("a changed UID", whole.replace("UID=1", "UID=2")),
        ("a changed user", whole.replace("user+alice", "user+bob")),
        ("another mailbox", whole.replace("/Box/", "/INBOX/")),
        ("no token", base("")),
        ("another mechanism", whole.replace(":INTERNAL:", ":OTHER:")),
        ("a shorter token", whole[:-1]),
        ("no URLAUTH", "/Box/;UID=1"),
        ("a version that is none", whole.replace(":01", ":02")),
        ("no URL", "/")):
    check("RFC 4467 URLFETCH, %s: NIL" % name, fetch(url), nil)
check("RFC 4467 submit+ is not for URLFETCH",
      fetch(sign(base("", "submit+alice"))), nil)
check("RFC 4467 authuser and anonymous are",
      [fetch(sign(base("", w)))[0] for w in ("authuser", "anonymous")],
      ["* URLFETCH U {20}"] * 2)
check("RFC 4467 EXPIRE in the future, and in the past",
      [fetch(sign(base(";EXPIRE=" + t)))[0] for t in
       ("2999-12-31T23:59:59Z", "2999-12-31T23:59:59.5+01:00",
        "2001-01-01T00:00:00Z")],
      ["* URLFETCH U {20}"] * 2 + ["* URLFETCH U NIL"])
check("RFC 4467 what cannot be authorized is BAD",
      [s.do("GENURLAUTH \"%s\" INTERNAL" % u)[-1] for u in
       ("/Box/;UID=1;URLAUTH=authuser", base("", "root"), whole,
        base(";EXPIRE=2001-13-01T00:00:00Z"),
        "imap://alice@example.org/Box/;UID=1")],
      ["x BAD not a URL to be authorized"] * 5)
check("RFC 4467 7 the user is whose key it is: another's is BAD",
      [sign(base("", user=u)) for u in
       ("bob", "nobody", "alic", "bob%40example.org", "x%40example.org")],
      ["x BAD not a URL to be authorized"] * 5)
check("RFC 4467 it may be an address of the account, as in a login",
      fetch(sign(base("", user="alice%40EXAMPLE.org")))[0], "* URLFETCH U {20}")
check("RFC 4467 3 user+ is for that user only, be it not the owner",
      [fetch(sign(base("", "user+" + u)))[0] for u in
       ("alice%40example.org", "bob", "nobody")],
      ["* URLFETCH U {20}"] + ["* URLFETCH U NIL"] * 2)
check("RFC 4467 an unknown mechanism is BAD",
      s.do("GENURLAUTH %s OTHER" % base(""))[-1], "x BAD unknown mechanism")
check("RFC 4467 no such mailbox",
      s.do("GENURLAUTH %s INTERNAL" % base("", box="No"))[-1],
      "x NO [NONEXISTENT] no such mailbox")
inbox = sign(base("", box="INBOX"))
check("RFC 4467 keys differ by mailbox", inbox[-64:] != whole[-64:], True)
check("RFC 4467 RESETKEY of one mailbox voids its URLs only",
      (s.do("RESETKEY Box INTERNAL"), fetch(whole), fetch(inbox)[0]),
      (["x OK [URLMECH INTERNAL] RESETKEY done"], nil, "* URLFETCH U {21}"))
again = sign(base(""))
check("RFC 4467 and gives it another key", again != whole, True)
check("RFC 4467 RESETKEY alone voids all",
      (s.do("RESETKEY")[-1], fetch(again), fetch(inbox)),
      ("x OK RESETKEY done", nil, nil))
check("RFC 4467 RESETKEY of no mailbox",
      s.do("RESETKEY Nope")[-1], "x NO [NONEXISTENT] no such mailbox")
bob = Session("bob")
append(bob, "Subject: b\r\n\r\nbob\r\n")
theirs = sign(base("", "authuser", "INBOX", "bob"), bob)
check("RFC 4467 mail of another account is out of reach by hand",
      (theirs[-66:-64], fetch(theirs)), ("01", nil))
check("I-13 1000 URLs, not 1001",
      [s.do("URLFETCH" + " x" * n)[-1] for n in (1000, 1001)],
      ["x OK URLFETCH done", "x BAD too many URLs"])
s.do("DELETE Box")
s.do("CREATE Box")
append(s, "Subject: u\r\n\r\nbody\r\n", "Box")
check("RFC 4467 a new mailbox of that name has another key",
      fetch(again), nil)
