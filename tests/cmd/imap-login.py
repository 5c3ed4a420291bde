# imap-login.py - clients over TCP; results for python_tests of imap.sh
import array, imaplib, os, socket, struct, threading, time

PORT = int(os.environ["PORT"])


def check(name, got, want):
    print("%s\t%s" % (name, "ok" if got == want else
                      "got %r, want %r" % (got, want)))


def connect():
    s = socket.create_connection(("127.0.0.1", PORT))
    s.settimeout(10)
    return s, s.makefile("rb")


def refused(c, user, password):
    started = time.time()
    try:
        c.login(user, password)
    except imaplib.IMAP4.error as e:
        return str(e), time.time() - started
    return "logged in", 0


# imaplib
c = imaplib.IMAP4("127.0.0.1", PORT)
check("I-1 imaplib logs in", c.login("alice@example.org",
                                     "password of alice")[0], "OK")
text = b"Subject: over TCP\r\n\r\nhello\r\n"
check("APPEND", c.append("INBOX", r"\Seen", None, text)[0], "OK")
check("SELECT", c.select(), ("OK", [b"1"]))
check("FETCH", c.fetch("1", "(FLAGS RFC822)"),
      ("OK", [(b"1 (FLAGS (\\Recent \\Seen) RFC822 {%d}" % len(text), text), b")"]))
check("SEARCH", c.search(None, "SUBJECT", "tcp"), ("OK", [b"1"]))
check("LIST", len(c.list()[1]), 6)
check("STORE", c.store("1", "+FLAGS", r"\Deleted")[0], "OK")
check("EXPUNGE", c.expunge(), ("OK", [b"1"]))
check("LOGOUT", c.logout()[0], "BYE")

c = imaplib.IMAP4("127.0.0.1", PORT)
check("I-2 AUTHENTICATE PLAIN", c.authenticate(
    "PLAIN", lambda x: b"\0bob\0password of bob")[0], "OK")
c.logout()
c = imaplib.IMAP4("127.0.0.1", PORT)
asked = []


def answer(challenge):
    asked.append(challenge)
    return [b"alice", b"password of alice"][len(asked) - 1]


check("U-4 AUTHENTICATE LOGIN", c.authenticate("LOGIN", answer)[0], "OK")
check("U-4 asks for Username: and Password:", asked,
      [b"Username:", b"Password:"])
c.logout()

# SASL-IR, commands sent along, literals
s, f = connect()
greeting = f.readline()
check("I-2 greeting with capabilities",
      greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 "), True)
s.sendall(b"a AUTHENTICATE PLAIN AGFsaWNlAHBhc3N3b3JkIG9mIGFsaWNl\r\n"
          b"b NOOP\r\nc SELECT INBOX\r\nd LOGOUT\r\n")
lines = f.read().split(b"\r\n")
check("I-2 RFC 4959 SASL-IR; commands sent along are handed over",
      [l.split()[:2] for l in lines if l[:1] in b"abcd" and l],
      [[t, b"OK"] for t in (b"a", b"b", b"c", b"d")])
s, f = connect()
f.readline()
s.sendall(b"a LOGIN {5}\r\n")
check("a literal is waited for", f.readline(), b"+ go on\r\n")
s.sendall(b"alice {17+}\r\npassword of alice\r\n")
check("I-2 LOGIN with literals", f.readline()[:4], b"a OK")
s.close()

# UTF-8 names
s, f = connect()
f.readline()
s.sendall('a LOGIN "bo\u0308b@example.org" "password of bob"\r\n'.encode())
check("N-2 login name in another normal form", f.readline()[:4], b"a OK")
s.close()

# failures slow down: BEHAVIOUR 9
c = imaplib.IMAP4("127.0.0.1", PORT)
times = [refused(c, "alice", "wrong password") for i in range(4)]
check("wrong password", times[0][0],
      "b'[AUTHENTICATIONFAILED] wrong user name or password'")
check("U-12 the fourth failure waits a second, and one for slow mode",
      [round(t) for e, t in times], [0, 0, 0, 2])
c.logout()

# I-12, I-13
s, f = connect()
f.readline()
s.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
check("I-12 another protocol gets BYE", f.read(),
      b"GET BAD unknown command, or login first\r\n"
      b"* BYE please speak IMAP\r\n")
s, f = connect()
f.readline()
s.sendall(b"a NOOP\r\n")
f.readline()
s.sendall(b"b " + b"x" * 20000)
check("I-13 a line over 16 KiB", f.readline(),
      b"* BYE line over 16384 bytes\r\n")
s, f = connect()
f.readline()
started = time.time()
check("I-13 time-out before login", f.read(), b"* BYE time-out\r\n")
check("after the time configured", 1.5 < time.time() - started < 5, True)
s, f = connect()
f.readline()
s.sendall(b"a SELECT INBOX\r\nb STARTTLS\r\nc ID NIL\r\n")
check("commands before login", [f.readline() for i in range(4)],
      [b"a BAD log in first\r\n", b"b NO STARTTLS is not offered\r\n",
       b'* ID ("name" "pipemail")\r\n', b"c OK ID done\r\n"])
s.close()

# a hand-over with a ticket that is none: refused, told to the client
mine, theirs = socket.socketpair()
fields = b"\0".join([b"0" * 64, b"t1", b"77", b"192.0.2.1", b""]) + b"\0" + bytes(4)
u = socket.socket(socket.AF_UNIX)
u.connect(os.environ["PIPEMAIL_RUN"] + "/imap")
u.sendmsg([b"PMH2" + struct.pack(">I", len(fields)) + fields],
          [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
            array.array("i", [theirs.fileno()]))])
theirs.close()
mine.settimeout(10)
check("imap-serve refuses a wrong ticket", mine.makefile("rb").read(),
      b"t1 NO [UNAVAILABLE] mail is unavailable\r\n"
      b"* BYE [UNAVAILABLE] mail is unavailable\r\n")

# several at once
done = []


def one(i):
    c = imaplib.IMAP4("127.0.0.1", PORT)
    c.login("alice", "password of alice")
    c.select()
    c.append("INBOX", None, None, b"Subject: %d\r\n\r\nx\r\n" % i)
    c.noop()
    c.logout()
    done.append(i)


threads = [threading.Thread(target=one, args=(i,)) for i in range(10)]
for t in threads:
    t.start()
for t in threads:
    t.join(30)
check("ten clients at once", sorted(done), list(range(10)))
c = imaplib.IMAP4("127.0.0.1", PORT)
c.login("alice", "password of alice")
check("each message once", c.select()[1], [b"10"])

# IDLE over TCP (I-26)
c.send(b"i IDLE\r\n")
c.readline()
d = imaplib.IMAP4("127.0.0.1", PORT)
d.login("alice", "password of alice")
d.append("INBOX", None, None, b"Subject: x\r\n\r\nx\r\n")
check("I-26 IDLE over TCP", c.readline(), b"* 11 EXISTS\r\n")
