# sasl-services.py - SASL through imap-login and smtp-in: right exchanges, and
# each way a client can get one wrong
import ssl, sys, time
from sasl_service import *

PROTO, PORT = sys.argv[1:3]
IMAP = PROTO == "imap"
RIGHT = "password of alice"
bad_cases = []


def new(**k):
    return Service(PROTO, PORT, **k)


def say(name, got, want=True):
    check("%s: %s" % (PROTO, name), got, want)


# Responses in turn: bytes are encoded, str goes as it is, a function makes
# one of the challenge. Then the connection must be as good as new.
def wrong(name, kind, mech, *responses, text=""):
    c = new()
    r = None
    for i, x in enumerate(responses):
        if callable(x):
            x = x(base64.b64decode(r[5:]))
        if isinstance(x, bytes):
            x = b64(x) or ("=" if i == 0 else "")
        r = c.auth_raw(mech, x) if i == 0 else c.cont_raw(x)
        if not r.startswith("CONT\t") and i < len(responses) - 1:
            break
    good = is_kind(r, kind, IMAP) and text in r
    say(name, [good or r, i, c.usable()], [True, len(responses) - 1, "OK"])
    c.close()


# ---- right ones ----

c = new()
order = [m for m in c.mechs]
say("U-2 the mechanisms, -PLUS too since there is TLS", order, [
    "SCRAM-SHA-512-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN",
    "LOGIN"])
for m in order:
    if m.startswith("SCRAM"):
        c = new()
        plus = m.endswith("-PLUS")
        login = lambda password: c.scram(
            m, "alice", password, None,
            "p=tls-server-end-point,," if plus else "n,,",
            c.end_point() if plus else b"")
        r = login("wrong")
        say("U-2 %s, wrong password" % m, is_kind(r, "no", IMAP) or r)
        say("U-2 %s" % m, login(RIGHT), "OK")
c = new()
r = c.cram("alice", "wrong")
say("U-2 CRAM-MD5, wrong password", is_kind(r, "no", IMAP) or r)
say("U-2 CRAM-MD5", c.cram("alice", RIGHT), "OK")
c = new()
r = c.plain("alice", "wrong")
say("U-2 PLAIN, wrong password", is_kind(r, "no", IMAP) or r)
say("U-2 PLAIN", c.plain("alice@example.org", RIGHT), "OK")
c = new()
say("U-4 LOGIN", [c.auth("LOGIN"), c.cont("alice"), c.cont(RIGHT)],
    ["CONT\t" + b64("Username:"), "CONT\t" + b64("Password:"), "OK"])

# ---- channel binding ----

old = ssl.TLSVersion.TLSv1_2
c = new(version=old)
say("U-3 tls-unique, TLS 1.2", c.scram(
    "SCRAM-SHA-256-PLUS", "alice", RIGHT, None, "p=tls-unique,,",
    c.unique()), "OK")
again = new(resume=c)
say("U-3 tls-unique, TLS 1.2, a session that is resumed", [
    again.s.session_reused, again.scram(
        "SCRAM-SHA-256-PLUS", "alice", RIGHT, None, "p=tls-unique,,",
        again.unique())], [True, "OK"])
for name, k, gs2, binding in (
        ("tls-unique of another connection", {"version": old},
         "p=tls-unique,,", b"x" * 12),
        ("tls-server-end-point of another server", {},
         "p=tls-server-end-point,,", b"x" * 32),
        ("tls-exporter of another connection", {}, "p=tls-exporter,,",
         b"x" * 32)):
    c = new(**k)
    r = c.scram("SCRAM-SHA-256-PLUS", "alice", RIGHT, None, gs2, binding)
    say("U-3 %s: possible man in the middle" % name,
        (is_kind(r, "no", IMAP) and MITM in r) or r)
    say("U-3 and the session goes on", c.usable(), "OK")
# the client thinks we cannot do -PLUS: somebody cut it off the list
c = new()
r = c.scram("SCRAM-SHA-256", "alice", RIGHT, None, "y,,")
say("U-3 gs2 flag y where -PLUS was announced: possible man in the middle",
    (is_kind(r, "no", IMAP) and MITM in r) or r)
say("U-3 and the session goes on", c.usable(), "OK")
bad = "malformed response"
wrong("U-3 -PLUS without binding", "no", "SCRAM-SHA-256-PLUS",
      b"n,,n=alice,r=x", text=bad)
wrong("U-3 a binding without -PLUS", "no", "SCRAM-SHA-256",
      b"p=tls-exporter,,n=alice,r=x", text=bad)
wrong("U-3 a binding of an unknown type", "no", "SCRAM-SHA-256-PLUS",
      b"p=tls-foo,,n=alice,r=x", text=bad)
wrong("U-3 tls-unique, TLS 1.3", "no", "SCRAM-SHA-256-PLUS",
      b"p=tls-unique,,n=alice,r=x", text=bad)

# ---- SCRAM gone wrong (U-5) ----

S = "SCRAM-SHA-256"
FIRST = b"n,,n=alice,r=abcdef"
final = lambda change: lambda server: change(
    b"c=biws,r=" + server.split(b",")[0][2:] + b",p=" +
    base64.b64encode(b"p" * 32))
same = lambda m: m
wrong("U-5 a wrong proof", "no", S, FIRST, final(same),
      text="wrong user name or password")
for i in range(len(b"n,,n=alice,r=") + 1):
    wrong("U-5 first message cut after %d bytes" % i, "no", S, FIRST[:i],
          text=bad)
full = len(b"c=biws,r=abcdef,p=") + 24 + 44
for i in list(range(0, 12)) + list(range(12, full, 9)) + [full - 1]:
    wrong("U-5 final message cut after %d bytes" % i, "no", S, FIRST,
          final(lambda m: m[:i]), text=bad)
wrong("U-5 first message repeated", "no", S, FIRST, FIRST, text=bad)
wrong("U-5 final message first", "no", S, b"c=biws,r=abcdef,p=AAAA", text=bad)
wrong("U-5 another mechanism's message", "no", S, b"\0alice\0" + b"x" * 8,
      text=bad)
wrong("U-5 a nonce that is ours alone", "no", S, FIRST,
      final(lambda m: m.replace(b"r=abcdef", b"r=")), text=bad)
wrong("U-5 a wrong nonce", "no", S, FIRST,
      final(lambda m: m.replace(b"r=abcdef", b"r=abcdeg")), text=bad)
wrong("U-5 the client's nonce alone", "no", S, FIRST,
      lambda server: b"c=biws,r=abcdef,p=" + b64(b"p" * 32).encode(),
      text=bad)
wrong("U-5 another gs2 header than before", "no", S, FIRST,
      final(lambda m: m.replace(b"biws", b"eSws")))
wrong("U-5 c= that is not base64", "no", S, FIRST,
      final(lambda m: m.replace(b"biws", b"bi!s")), text=bad)
wrong("U-5 a proof of 31 bytes", "no", S, FIRST,
      final(lambda m: m[:-44] + base64.b64encode(b"p" * 31)))
wrong("U-5 a mandatory extension", "no", S, b"n,,m=x,n=alice,r=abc", text=bad)
wrong("U-5 attributes in another order", "no", S, b"n,,r=abc,n=alice",
      text=bad)
wrong("U-5 = in a name that is no escape", "no", S, b"n,,n=al=ice,r=abc",
      text=bad)
wrong("U-5 NUL in a name", "no", S, b"n,,n=al\0ice,r=abc", text=bad)
wrong("U-5 a name that is no UTF-8", "no", S, b"n,,n=al\xff\xfe,r=abc",
      text=bad)
wrong("U-5 an empty name", "no", S, b"n,,n=,r=abc", text=bad)
wrong("U-5 a name of 255 bytes", "no", S, b"n,,n=" + b"a" * 255 + b",r=abc",
      final(same), text="wrong user name or password")
wrong("U-5 one of 256 bytes", "no", S, b"n,,n=" + b"a" * 256 + b",r=abc",
      text=bad)
wrong("U-5 a first message of 5800 bytes", "no", S, b"n,,n=" + b"a" * 5789 +
      b",r=abc", text=bad)
wrong("U-5 one of 6144 bytes, 8192 in base64", "no", S, b"n" * 6144, text=bad)
wrong("U-5 one of 6145 bytes", "bad" if IMAP else "no", S, b"n" * 6145)
wrong("U-5 a response of 6145 bytes", "bad" if IMAP else "no", S, None,
      b"n" * 6145)
wrong("U-5 one of 5801 bytes", "no", S, b"n,,n=" + b"a" * 5790 + b",r=abc",
      text=bad)
# the server's proof has an answer too
for name, last, kind in (("cancelled", "*", "bad"),
                         ("answered by text", b64("text"), "no")):
    c = new()
    c.cont_was = c.cont
    c.cont = lambda x: c.cont_raw(last) if x == "" else c.cont_was(x)
    r = c.scram(S, "alice", RIGHT)
    say("U-5 the server's proof is %s" % name, is_kind(r, kind, IMAP) or r)
    c.cont = c.cont_was
    say("U-5 and the session goes on", c.usable(), "OK")

# ---- base64, cancelling, empty responses ----

for m, first in ((S, FIRST), ("CRAM-MD5", None), ("LOGIN", None),
                 ("PLAIN", None)):
    for name, x in (("no base64", "no base64"), ("one byte short", "Zm9"),
                    ("=", "="), ("padding in the middle", "Zg==Zg=="),
                    ("8 bit bytes", "Zm9\u00fc"), ("a NUL", "Zm9\0"),
                    ("a dash", "Zm9-")):
        wrong("U-5 %s: %s" % (m, name), "bad", m, first, x)
    wrong("U-5 %s: cancelled" % m, "bad", m, first, "*", text="cancelled")
wrong("U-5 LOGIN: cancelled at the password", "bad", "LOGIN", None, b"alice",
      "*", text="cancelled")
wrong("U-5 SCRAM: cancelled at its start", "bad", S, None, "*",
      text="cancelled")
wrong("an initial response that is not base64", "bad", "PLAIN", "Zm9")
wrong("* as the initial response", "bad", "PLAIN", "*")
wrong("an empty initial response", "no", "PLAIN", b"", text=bad)
wrong("an empty response", "no", "PLAIN", None, b"", text=bad)
wrong("an empty initial response of SCRAM", "no", S, b"", text=bad)
wrong("and of LOGIN, as a name", "no", "LOGIN", b"", text=bad)

# ---- PLAIN, LOGIN, CRAM-MD5, EXTERNAL ----

for name, x in (("one NUL", b"alice\0password of alice"), ("none", b"alice"),
                ("three", b"\0alice\0password of alice\0"),
                ("NUL in the password", b"\0alice\0password\0of alice"),
                ("no password", b"\0alice\0"), ("no name", b"\0\0password"),
                ("a name of 256 bytes", b"\0" + b"a" * 256 + b"\0password"),
                ("a password of 1025 bytes", b"\0alice\0" + b"p" * 1025)):
    wrong("PLAIN: " + name, "no", "PLAIN", x)
wrong("PLAIN: a name of 255 bytes", "no", "PLAIN", b"\0" + b"a" * 255 +
      b"\0password", text="wrong user name or password")
wrong("PLAIN: a password of 1024 bytes", "no", "PLAIN", b"\0alice\0" +
      b"p" * 1024, text="wrong user name or password")
wrong("PLAIN as another", "no", "PLAIN", b"bob\0alice\0password of alice")
wrong("LOGIN: NUL in the password", "no", "LOGIN", None, b"alice",
      b"password of alice\0")
wrong("LOGIN: no password", "no", "LOGIN", None, b"alice", b"")
wrong("LOGIN: name and password in one", "no", "LOGIN", None,
      b"alice\0password of alice", text=bad)
wrong("LOGIN: a name of 256 bytes", "no", "LOGIN", None, b"a" * 256)
for name, x in (("no digest", b"alice"), ("an empty one", b"alice "),
                ("one that is cut", b"alice " + b"0" * 31),
                ("one that is longer", b"alice " + b"0" * 33),
                ("a wrong one", b"alice " + b"0" * 32),
                ("no name", b" " + b"0" * 32),
                ("the challenge", lambda challenge: challenge)):
    wrong("CRAM-MD5: " + name, "no", "CRAM-MD5", None, x)
wrong("CRAM-MD5 with an initial response", "no", "CRAM-MD5",
      b"alice " + b"0" * 32)
wrong("EXTERNAL without a certificate", "not offered", "EXTERNAL", b"")
wrong("a mechanism that is not configured", "not offered", "OAUTHBEARER",
      b"n,,\x01auth=Bearer x\x01\x01")
wrong("a mechanism that is none", "not offered", "X" * 100, b"")

# ---- sizes ----

BIG = 1000000
for name, line in (("an initial response", "PLAIN " + "A" * BIG),
                   ("a mechanism", "A" * BIG)):
    c = new()
    c.n += 1
    c.send(("t1 AUTHENTICATE " if IMAP else "AUTH ") + line)
    r = c.raw_line()
    say("U-5 %s of 1 MB ends the connection, saying why" % name,
        r in ("* BYE line over 16384 bytes", "500 5.5.2 line too long") or r)
for m, first, name in (("LOGIN", None, "a user name"),
                       (S, b64(FIRST), "a final message")):
    c = new()
    c.auth_raw(m, first)
    c.send(b64(b"a" * BIG))
    r = c.raw_line()
    say("U-5 %s of 1 MB ends the connection, saying why" % name,
        r in ("* BYE line too long", "500 5.5.2 line too long") or r)
if IMAP:
    c = new()
    c.n = 1
    c.send("t1 LOGIN {%d+}\r\n%s" % (BIG, "a" * BIG))
    r = c.raw_line()
    say("U-5 LOGIN with a name of 1 MB: BYE", r[:14] == "* BYE [TOOBIG]" or r)
    c = new()
    r = c.command("LOGIN alice {%d}" % BIG) or c.lines[0]
    say("or is told so before it is sent", c.lines[0][:14], "* BYE [TOOBIG]")
    c = new()
    c.send("t1 LOGIN {5+}\r\nal\0ce password")
    say("NUL in a literal", c.raw_line()[:7] in ("t1 BAD ", "t1 NO [") or "?")

# ---- gone in the middle ----

for m, steps in (("LOGIN", [None, "alice"]), ("CRAM-MD5", [None]),
                 (S, [FIRST.decode()]), ("PLAIN", [None])):
    for n in range(1, len(steps) + 1):
        c = new()
        r = c.auth(m, steps[0])
        for x in steps[1:n]:
            r = c.cont(x)
        say("%s: gone after step %d" % (m, n), r[:5], "CONT\t")
        c.close()
say("others log in", new().usable(), "OK")

# ---- failures of all kinds count; U-7: a secret that is missing does not ----

c = new()
started = time.time()
r = [is_kind(c.cram("bob", "password of bob"), "no", IMAP)
     for i in range(6)]
say("U-7 an account without that mechanism's secret: fails, without delay",
    r + [time.time() - started < 1], [True] * 7)
say("U-7 and other mechanisms log in", c.usable("bob", "password of bob"),
    "OK")

c = new()
started = time.time()
c.auth_raw("PLAIN")
c.cont_raw("*")
c.auth_raw("PLAIN")
c.cont_raw("no base64")
say("U-12 a cancelled and a malformed login cost no time",
    time.time() - started < 1)
started = time.time()
c.n += 1
c.send(("t%d AUTHENTICATE" % c.n if IMAP else "AUTH") + " PLAIN eA==")
c.f.read(4)
say("U-12 the third is answered a byte a second", time.time() - started > 2)
c.s.close()
