# imap-compress.py - RFC 4978; results for python_tests of imap.sh
import os, zlib

from imap_talk import Session, append, check


class Packed(Session):
    """A session that compresses after COMPRESS, its client flushing so."""
    flush = zlib.Z_SYNC_FLUSH

    def begin(self):
        reply = self.do("COMPRESS DEFLATE")
        self.out = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.into = zlib.decompressobj(-15)
        self.got = self.put = self.wire = 0
        return reply

    def raw(self, data):
        self.p.stdin.write(data)
        self.p.stdin.flush()

    def pack(self, text):
        return self.out.compress(text.encode()) + self.out.flush(self.flush)

    def say(self, text):
        if not hasattr(self, "out"):
            return Session.say(self, text)
        self.raw(self.pack(text))

    def more(self):
        data = os.read(self.p.stdout.fileno(), 65536)
        if not data or not hasattr(self, "into"):
            return data or None
        self.wire += len(data)
        data = self.into.decompress(data)
        self.got += len(data)
        return data


def memory(s):
    with open("/proc/%d/status" % s.p.pid) as f:
        return [int(l.split()[1]) for l in f if l.startswith("VmHWM")][0]


s = Packed()
check("RFC 4978 COMPRESS=DEFLATE is announced (I-9)",
      " COMPRESS=DEFLATE" in s.do("CAPABILITY")[0], True)
check("RFC 4978 an unknown algorithm", s.do("COMPRESS LZ4"),
      ["x NO [CANNOT] unknown compression"])
check("RFC 4978 COMPRESS without one", s.do("COMPRESS")[0].split()[1], "BAD")
check("RFC 4978 a session goes on uncompressed after these",
      s.do("NOOP"), ["x OK NOOP done"])
check("RFC 4978 COMPRESS=DEFLATE: its OK is in clear", s.begin(),
      ["x OK compression begins"])
check("RFC 4978 COMPRESS=DEFLATE: then all is compressed", s.do("NOOP"),
      ["x OK NOOP done"])
check("RFC 4978 COMPRESSIONACTIVE", s.do("COMPRESS DEFLATE"),
      ["x NO [COMPRESSIONACTIVE] compressed already"])
text = "Subject: c\r\n\r\n" + "the same line again and again\r\n" * 10000
check("RFC 4978 APPEND compressed", "APPENDUID" in append(s, text), True)
check("RFC 4978 SELECT", s.do("SELECT INBOX")[-1].split()[1], "OK")
at = s.got, s.wire
body = s.do("FETCH 1 BODY.PEEK[TEXT]")
check("RFC 4978 FETCH compressed: whole",
      "\r\n".join(body).count("the same line again"), 10000)
check("RFC 4978 and a twentieth on the wire",
      (s.wire - at[1]) * 20 < s.got - at[0], True)
s.say("i IDLE\r\n")
check("RFC 4978 each response is flushed", s.until("+ ")[-1], "+ idling")
t = Session()
t.do("SELECT INBOX")
t.do("STORE 1 +FLAGS (\\Flagged)")
check("RFC 4978 IDLE tells at once", s.until("* 1 FETCH")[-1],
      "* 1 FETCH (UID 1 FLAGS (\\Flagged))")
s.say("DONE\r\n")
check("RFC 4978 DONE", s.until("i ")[-1], "i OK IDLE done")
check("RFC 4978 LOGOUT is compressed", s.do("LOGOUT"),
      ["* BYE bye", "x OK LOGOUT done"])

# clients flush as they like; a partial one does not end on a byte
for name, flush in (("partial", zlib.Z_PARTIAL_FLUSH),
                    ("full", zlib.Z_FULL_FLUSH)):
    s = Packed()
    s.begin()
    s.flush = flush
    check("RFC 4978 a client with %s flushes" % name,
          [s.do("NOOP")[-1] for i in range(3)], ["x OK NOOP done"] * 3)
s = Packed()
s.begin()
for c in s.pack("x NOOP\r\n"):
    s.raw(bytes([c]))
check("RFC 4978 byte by byte", s.until("x "), ["x OK NOOP done"])
s.raw(s.pack("".join("p%d NOOP\r\n" % i for i in range(5000))))
check("RFC 4978 5000 commands in one piece", s.until("p4999 ")[-1],
      "p4999 OK NOOP done")

# what is not DEFLATE, and what is behind COMPRESS in clear
s = Packed()
s.begin()
s.raw(b"x NOOP\r\n")
check("RFC 4978 a client that does not compress", s.until("* BYE")[-1],
      "* BYE what came is not DEFLATE")
check("RFC 4978 its session ends", s.p.wait(10), 0)
s = Session()
s.do("NOOP")
s.say("x COMPRESS DEFLATE\r\ny NOOP\r\n")
check("RFC 4978 bytes in clear behind COMPRESS", s.until("* BYE"),
      ["x BAD nothing may follow COMPRESS", "* BYE bytes behind COMPRESS"])

# much that was little on the wire: the limits of the parser hold
s = Packed()
s.begin()
bomb = s.pack("x NOOP " + "a" * (64 << 20))
check("RFC 4978 64 MB in less than 100 kB", len(bomb) < 100000, True)
try:
    s.raw(bomb)
except BrokenPipeError:
    pass        # it was refused before it was all written
check("RFC 4978 a bomb is a line that is too long", s.until("* BYE")[-1],
      "* BYE line over 16384 bytes")
s, t = Packed(), Session()
s.begin()
text = "Subject: b\r\n\r\n" + ("b" * 76 + "\r\n") * 13000
s.raw(s.pack("x APPEND INBOX {%d+}\r\n%s\r\n" % (len(text), text)))
check("RFC 4978 a megabyte in one piece is appended",
      ["APPENDUID" in s.until("x ")[-1], "APPENDUID" in append(t, text)],
      [True, True])
check("RFC 4978 with what a session in clear needs, and the streams",
      memory(s) - memory(t) < 512, True)
