# imap-urlauth-binary.py - RFC 5524; results for python_tests of imap.sh
import os, re

from imap_talk import Session, append, check

s = Session()
TEXT = """Subject: parts\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
caf=C3=A9\r
--b\r
Content-Type: application/octet-stream\r
Content-Transfer-Encoding: base64\r
\r
AAEC\r
--b\r
Content-Type: text/plain\r
\r
plain\r
two lines\r
--b\r
Content-Type: text/plain\r
Content-Transfer-Encoding: x-nobody-knows\r
\r
what\r
--b--\r
"""
check("a message", "APPENDUID" in append(s, TEXT), True)


def url(section=None, more=""):
    base = "imap://alice@example.org/INBOX/;UID=1%s%s;URLAUTH=authuser" % (
        "/;SECTION=" + section if section else "", more)
    return s.do("GENURLAUTH %s INTERNAL" % base)[0].split()[-1]


def fetch(u, what):
    """The reply without the URL and the tagged line."""
    s.say("x URLFETCH (%s %s)\r\n" % (u, what) if what is not None
          else "x URLFETCH (%s)\r\n" % u)
    lines = s.until("x ")
    if lines[-1] != "x OK URLFETCH done":
        return lines[-1]
    return "|".join(lines[:-1]).replace("* URLFETCH " + u, "")


check("RFC 5524 URLAUTH=BINARY is announced",
      " URLAUTH=BINARY " in s.do("CAPABILITY")[0], True)
check("RFC 5524 BINARY of quoted-printable", fetch(url("1"), "BINARY"),
      " (BINARY {5}|caf\u00e9)")
check("RFC 5524 BODY is as URLFETCH without parameters",
      (fetch(url("1"), "BODY"), fetch(url("1"), None),
       "|".join(s.do("URLFETCH " + url("1"))[:-1]).split()[-1]),
      (" (BODY {9}|caf=C3=A9)", " {9}|caf=C3=A9", "{9}|caf=C3=A9"))
check("RFC 5524 a NUL needs a literal8", fetch(url("2"), "BINARY"),
      " (BINARY ~{3}|\0\1\2)")
check("RFC 5524 PARTIAL counts decoded octets",
      fetch(url("2", "/;PARTIAL=1.1"), "BINARY"), " (BINARY ~{1}|\1)")
check("RFC 5524 a part without an encoding", fetch(url("3"), "BINARY"),
      " (BINARY {16}|plain|two lines)")
check("RFC 5524 an unknown encoding: NIL", fetch(url("4"), "BINARY"),
      " (BINARY NIL)")
check("RFC 5524 BINARY of a header, which is not encoded, and of TEXT",
      (fetch(url("3.MIME"), "BINARY"), fetch(url("TEXT"), "BINARY")),
      (" (BINARY {28}|Content-Type: text/plain||)", " (BINARY NIL)"))
check("RFC 5524 BODYPARTSTRUCTURE", fetch(url("1"), "BODYPARTSTRUCTURE"),
      ' (BODYPARTSTRUCTURE ("text" "plain" ("charset" "utf-8") NIL NIL '
      '"quoted-printable" 9 0 NIL NIL NIL NIL))')
check("RFC 5524 BODYPARTSTRUCTURE with BINARY tells what is sent",
      fetch(url("1"), "bodypartstructure binary"),
      ' (BODYPARTSTRUCTURE ("text" "plain" ("charset" "utf-8") NIL NIL '
      '"8bit" 5 0 NIL NIL NIL NIL)) (BINARY {5}|caf\u00e9)')
check("RFC 5524 of NUL bytes", fetch(url("2"), "BINARY BODYPARTSTRUCTURE"),
      ' (BODYPARTSTRUCTURE ("application" "octet-stream" NIL NIL NIL '
      '"binary" 3 NIL NIL NIL NIL)) (BINARY ~{3}|\0\1\2)')
check("RFC 5524 of an unknown encoding: as it is",
      fetch(url("4"), "BINARY BODYPARTSTRUCTURE"),
      ' (BODYPARTSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL '
      '"x-nobody-knows" 4 0 NIL NIL NIL NIL)) (BINARY NIL)')
check("RFC 5524 of a whole message, with BODY",
      re.sub(r"\{\d+\}.*", "B", fetch(url(), "BODY BODYPARTSTRUCTURE"))
      .count("("), 11)
check("RFC 5524 a part that is not there", fetch(url("9"), "BINARY"), " NIL")
check("RFC 5524 a token that is none",
      fetch(url("1")[:-1] + "x", "BINARY BODYPARTSTRUCTURE"), " NIL")
check("RFC 5524 several, with and without parameters",
      [l for l in s.do("URLFETCH (%s BINARY) %s (%s BODYPARTSTRUCTURE)" % (
          url("1"), url("3"), url("2")))
       if "URLFETCH" in l and "NIL NIL" not in l][0].split("INTERNAL")[1][-4:],
      " {5}")
check("RFC 5524 each parameter once, and not BINARY with BODY",
      (fetch(url("1"), "BINARY BINARY"), fetch(url("1"), "BINARY BODY"),
       fetch(url("1"), "CONVERT"), fetch(url("1"), "BINARY) (")),
      ("x BAD parameter given twice", "x BAD BINARY and BODY of one URL",
       "x BAD unknown parameter of a URL", fetch("(", "BINARY")))
big = "Subject: big\r\nContent-Transfer-Encoding: base64\r\n\r\n" + \
      ("QUFB" * 19 + "\r\n") * 5000
append(s, big)
u = url().replace("UID=1", "UID=2").split(":INTERNAL")[0]
u = s.do("GENURLAUTH %s INTERNAL" % u.replace("UID=2", "UID=2/;SECTION=1"))[0]
got = fetch(u.split()[-1], "BINARY")
check("RFC 5524 BINARY of a quarter of a megabyte",
      (got[:18], len(got), got[-2:]), (" (BINARY {285000}|", 285019, "A)"))
