# imap-binary.py - RFC 3516; results for python_tests of imap.sh
import base64, os, re

from imap_talk import Session, append, check


def raw(session, command):
    """The reply as bytes, up to the tagged line"""
    session.say("x %s\r\n" % command)
    out = b""
    while True:
        line = session.line()
        if line is None:
            return out + b"(silence)"
        if line.startswith("x "):
            return out + line.encode()
        out += line.encode("utf-8", "surrogateescape") + b"\r\n"


octets = bytes(range(256))
parts = ("Subject: parts\r\nMIME-Version: 1.0\r\n"
         "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
         "--b\r\nContent-Type: text/plain\r\n\r\nplain\r\ntext\r\n"
         "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n"
         "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
         "a=3Db=\r\nc\r\nd=0Ae\r\n"
         "--b\r\nContent-Transfer-Encoding: x-secret\r\n\r\n???\r\n"
         "--b\r\nContent-Transfer-Encoding: BASE64\r\n\r\n%s\r\n"
         "--b--\r\n" % (base64.b64encode(b"one\ntwo\r\nthree\r").decode(),
                       base64.b64encode(b"a\0b").decode()))
s = Session()
append(s, parts)
s.do("SELECT INBOX")
check("RFC 3516 BINARY I-5 parts without their encoding",
      raw(s, "FETCH 1 (BINARY.PEEK[1] BINARY.PEEK[2] BINARY.PEEK[3])"),
      b"* 1 FETCH (BINARY[1] {11}\r\nplain\r\ntext BINARY[2] {15}\r\n"
      b"one\ntwo\r\nthree\r BINARY[3] {9}\r\na=bc\r\nd\ne)\r\n"
      b"x OK FETCH done")
check("RFC 3516 BINARY.SIZE is that of what is sent",
      s.do("FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.SIZE[3] "
           "BINARY.SIZE[5])")[0],
      "* 1 FETCH (BINARY.SIZE[1] 11 BINARY.SIZE[2] 15 BINARY.SIZE[3] 9 "
      "BINARY.SIZE[5] 3)")
check("RFC 3516 literal8 for NUL", raw(s, "FETCH 1 BINARY.PEEK[5]"),
      b"* 1 FETCH (BINARY[5] ~{3}\r\na\0b)\r\nx OK FETCH done")
check("RFC 3516 parts of parts, counted in decoded octets",
      raw(s, "FETCH 1 (BINARY.PEEK[2]<4.6> BINARY.PEEK[1]<5.2> "
          "BINARY.PEEK[5]<3.1>)"),
      b"* 1 FETCH (BINARY[2]<4> {6}\r\ntwo\r\nt BINARY[1]<5> {2}\r\n\r\n "
      b"BINARY[5]<3> ~{0}\r\n)\r\nx OK FETCH done")
check("RFC 3516 UNKNOWN-CTE",
      (s.do("FETCH 1 BINARY.PEEK[4]"), s.do("UID FETCH 1 BINARY.SIZE[4]")),
      (["* 1 FETCH (BINARY[4] NIL)",
        "x NO [UNKNOWN-CTE] unknown transfer encoding"],
       ["* 1 FETCH (UID 1 BINARY.SIZE[4] 0)",
        "x NO [UNKNOWN-CTE] unknown transfer encoding"]))
check("RFC 3516 a part that is not there", s.do("FETCH 1 BINARY.PEEK[9]"),
      ["* 1 FETCH (BINARY[9] NIL)", "x OK FETCH done"])
check("RFC 3516 BINARY[] is the message, and BINARY sets Seen",
      (s.do("FETCH 1 BINARY.SIZE[]")[0],
       s.do("FETCH 1 BINARY[1]")[0]),
      ("* 1 FETCH (BINARY.SIZE[] %d)" % len(parts),
       "* 1 FETCH (FLAGS (\\Seen) BINARY[1] {11}"))
check("RFC 3516 sections that are not numbers are BAD",
      [s.do("FETCH 1 " + i)[-1][:5] for i in
       ("BINARY[TEXT]", "BINARY[1.MIME]", "BINARY.SIZE[1]<0.1>",
        "BINARY.SIZE.PEEK[1]", "BINARY[1.]")], ["x BAD"] * 5)

# ---- literal8 in APPEND ----


def append8(session, box, data):
    session.say("x APPEND %s ~{%d+}\r\n" % (box, len(data)))
    session.p.stdin.write(data + b"\r\n")
    session.p.stdin.flush()
    return re.sub(r"APPENDUID \d+", "APPENDUID V",
                  session.until("x ")[-1])


s.do("CREATE B")
head = (b"Subject: raw\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: binary\r\n\r\n")
check("RFC 3516 APPEND of a literal8 with every octet",
      append8(s, "B", head + octets), "x OK [APPENDUID V 1] APPEND done")
s.do("SELECT B")
s.say("x FETCH 1 BINARY.PEEK[1]\r\n")
while len(s.rest) < 256 + 40:
    s.rest += os.read(s.p.stdout.fileno(), 65536)
check("RFC 3516 it comes back as it was", s.rest,
      b"* 1 FETCH (BINARY[1] ~{256}\r\n" + octets + b")\r\n"
      b"x OK FETCH done\r\n")
s.rest = b""
check("RFC 3516 and in an encoding for all others",
      (s.do("FETCH 1 BODY.PEEK[1]<0.16>")[1],
       [l for l in s.do("FETCH 1 BODY.PEEK[HEADER]") if "Encoding" in l]),
      ("AAECAwQFBgcICQoL)", ["Content-Transfer-Encoding: base64"]))
check("RFC 3516 what cannot be converted is refused, nothing appended",
      (append8(s, "B", b"Subject: a\0b\r\n\r\nx"),
       s.do("STATUS B (MESSAGES)")[0]),
      ("x NO [UNKNOWN-CTE] bare CR, bare LF or NUL outside of a part that "
       "can be encoded",
       "* STATUS B (MESSAGES 1)"))
check("RFC 3516 RFC 4469 literal8 as a part",
      re.sub(r"APPENDUID \d+", "APPENDUID V",
             s.do("APPEND B CATENATE (TEXT {%d+}\r\n%s TEXT ~{3+}\r\na\0b)"
                  % (len(head), head.decode()))[-1]),
      "x OK [APPENDUID V 2] APPEND done")
check("RFC 3516 and back", raw(s, "FETCH 2 BINARY.PEEK[1]"),
      b"* 2 FETCH (BINARY[1] ~{3}\r\na\0b)\r\nx OK FETCH done")
