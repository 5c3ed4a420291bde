# auth-mechs.py - each mechanism against auth-serve, right and wrong
import subprocess
from auth_client import *

c = Client()
OK = "OK\tuser=alice"
for m in ("SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"):
    check("U-2 " + m, c.scram(m, "alice@example.org", "wonder, land=1"), OK)
    check(m + ", wrong password", c.scram(m, "alice", "wonder, land"),
          "FAIL\tuser=alice")
    check(m + ", unknown user: the same", c.scram(m, "nobody", "x"),
          "FAIL\tuser=nobody")
    s1 = c.salt
    c.scram(m, "Nobody", "x")
    check("and the same salt again", c.salt, s1)
    check(m + "-PLUS", c.scram(
        m + "-PLUS", "alice", "wonder, land=1",
        "service=imap\tcb-tls-exporter=" + b64(b"E" * 32),
        "p=tls-exporter,,", b"E" * 32), OK)
check("U-3 tls-server-end-point", c.scram(
    "SCRAM-SHA-256-PLUS", "alice", "wonder, land=1",
    "service=imap\tcb-tls-server-end-point=" + b64(b"P" * 32),
    "p=tls-server-end-point,,", b"P" * 32), OK)
check("U-3 tls-unique", c.scram(
    "SCRAM-SHA-256-PLUS", "alice", "wonder, land=1",
    "service=imap\tcb-tls-unique=" + b64(b"U" * 12), "p=tls-unique,,",
    b"U" * 12), OK)
MITM = "FAIL\tuser=alice\treason=channel binding does not match: " \
       "possible man in the middle"
check("U-3 another connection's binding: possible man in the middle",
      c.scram("SCRAM-SHA-256-PLUS", "alice", "wonder, land=1",
              "service=imap\tcb-tls-exporter=" + b64(b"E" * 32),
              "p=tls-exporter,,", b"F" * 32), MITM)
check("U-3 a client that saw no -PLUS mechanism",
      c.scram("SCRAM-SHA-256", "alice", "wonder, land=1",
              "service=imap\tcb-tls-exporter=" + b64(b"E" * 32), "y,,"),
      MITM.replace("user=alice\t", ""))
check("-PLUS where the service gave no binding is the client's error",
      c.scram("SCRAM-SHA-256-PLUS", "alice", "x", "service=imap",
              "p=tls-exporter,,", b""), "FAIL\treason=malformed response")
check("SCRAM as another", c.scram("SCRAM-SHA-256", "alice", "wonder, land=1",
                                  gs2="n,a=bob,"), "FAIL\tuser=alice")
check("SCRAM as oneself", c.scram("SCRAM-SHA-256", "alice", "wonder, land=1",
                                  gs2="n,a=alice@example.org,"), OK)
check("U-13 SCRAM to a disabled account",
      c.scram("SCRAM-SHA-256", "carol", "password of carol"),
      "FAIL\tuser=carol\treason=ask the admin\tuser_disabled")

check("U-2 CRAM-MD5", c.cram("alice", "wonder, land=1"), OK)
check("CRAM-MD5, wrong password", c.cram("alice", "x"), "FAIL\tuser=alice")
check("CRAM-MD5, unknown user", c.cram("nobody", "x"), "FAIL\tuser=nobody")
check("U-7 an account without that secret fails, uncharged",
      c.cram("bob", "password of bob"), "FAIL\tuser=bob\tuncharged")

# U-5: whatever a client sends, an answer and the connection stays
def scripted(mech, *responses):
    r = c.auth(mech, responses[0])
    for x in responses[1:]:
        if not r.startswith("CONT"):
            return r
        r = c.cont(x)
    return r
BAD = "FAIL\treason=malformed response"
check("U-5 no message at all", scripted("SCRAM-SHA-256", b""), BAD)
check("U-5 first message cut", scripted("SCRAM-SHA-256", "n,,n=al"), BAD)
check("U-5 first message over-long",
      scripted("SCRAM-SHA-256", "n,,n=" + "a" * 3000 + ",r=x"), BAD)
check("U-5 first message repeated",
      scripted("SCRAM-SHA-256", "n,,n=alice,r=x", "n,,n=alice,r=x"),
      "FAIL\tuser=alice\treason=malformed response")
check("U-5 final message first",
      scripted("SCRAM-SHA-256", "c=biws,r=x,p=AAAA"), BAD)
check("U-5 wrong nonce",
      scripted("SCRAM-SHA-256", "n,,n=alice,r=x", "c=biws,r=y,p=AAAA"),
      "FAIL\tuser=alice\treason=malformed response")
check("U-5 no proof", scripted("SCRAM-SHA-256", "n,,n=alice,r=x", "c=biws"),
      "FAIL\tuser=alice\treason=malformed response")
check("U-5 NUL in a name", scripted("SCRAM-SHA-256", "n,,n=al\0ice,r=x"), BAD)
check("NUL in a password", c.auth("PLAIN", "\0alice\0a\0b"), BAD)
c.n += 1
c.say("AUTH\t%d\tSCRAM-SHA-256\tservice=imap\tresp=not base64!\n" % c.n)
check("U-5 wrong base64", c.reply(), BAD)
d = Client()
try:
    d.say("AUTH\t1\tPLAIN\tresp=" + "A" * 1000000)
except (BrokenPipeError, ConnectionResetError):
    pass
check("a user name of 1 MB ends that connection", d.line(), "")
check("and no other", c.plain("alice", "wonder, land=1"), OK)

# the last message in one with OK, for who says so
check("final-resp-ok saves a round trip", c.scram(
    "SCRAM-SHA-256", "alice", "wonder, land=1",
    "service=imap\tfinal-resp-ok").startswith("OK\tuser=alice\tresp="),
    True)

check("B-6 no OAUTHBEARER unless configured",
      c.auth("OAUTHBEARER", "n,,\x01auth=Bearer x\x01\x01"),
      "FAIL\treason=unsupported mechanism")
check("EXTERNAL without a client key", c.auth("EXTERNAL", ""), "FAIL")

# a record of version 1 has no SHA-512 keys (U-7)
check("U-7 no SHA-512 keys: fails, uncharged",
      c.scram("SCRAM-SHA-512", "bob", "password of bob"),
      "FAIL\tuser=bob\tuncharged")
check("but SHA-256", c.scram("SCRAM-SHA-256", "bob", "password of bob"),
      "OK\tuser=bob")
