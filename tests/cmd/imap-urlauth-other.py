# imap-urlauth-other.py - RFC 4467, two accounts; results for python_tests of
# imap.sh
import os, re, socket, struct, sys

from imap_talk import check

PORT = int(os.environ["PORT"])
RUN = os.environ["PIPEMAIL_RUN"]
VAR = os.environ["PIPEMAIL_VAR"]


class Client:
    def __init__(self, account):
        self.s = socket.create_connection(("127.0.0.1", PORT))
        self.f = self.s.makefile("rb")
        self.line()
        self.account = account
        self.do('LOGIN %s "password of %s"' % (account, account))

    def line(self):
        self.s.settimeout(60)
        return self.f.readline().decode("latin-1").rstrip("\r\n")

    def do(self, command):
        """Lines, a literal with the line it is in; up to the tagged one."""
        self.s.sendall(("x %s\r\n" % command).encode("latin-1"))
        lines = [self.whole()]
        while not lines[-1].startswith("x "):
            if lines[-1] == "":
                return lines + ["(end)"]
            lines.append(self.whole())
        return lines

    def whole(self):
        one = self.line()
        while (m := re.search(r"\{(\d+)\}$", one)):
            one += "\r\n" + self.f.read(int(m[1])).decode("latin-1")
            one += self.line()
        return one

    def append(self, text, box="INBOX"):
        self.s.sendall(("x APPEND %s {%d+}\r\n" % (box, len(text)))
                       .encode() + text + b"\r\n")
        return self.whole()

    def sign(self, url):
        lines = self.do('GENURLAUTH "%s" INTERNAL' % url)
        return lines[0].split()[-1].strip('"')

    def fetch(self, url, what=""):
        """What there is: text; None for NIL."""
        asked = '("%s" %s)' % (url, what) if what else '"%s"' % url
        lines = self.do("URLFETCH " + asked)
        if lines[-1] != "x OK URLFETCH done" or len(lines) != 2:
            return lines
        # quoted in the answer where it has to be
        rest = re.sub(r'^\* URLFETCH ("?)%s\1 ' % re.escape(url), "",
                      lines[0])
        return None if rest == "NIL" else rest


def url(uid=1, access="authuser", box="Box", user="bob", rest=""):
    return "imap://%s@example.org/%s/;UID=%d%s;URLAUTH=%s" % (
        user, box, uid, rest, access)


def literal(text):
    return "{%d}\r\n%s" % (len(text), text)


TEXT = ("Subject: u\r\nContent-Type: application/octet-stream\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n")
NIL = None


def basics():
    bob, alice, carol = Client("bob"), Client("alice"), Client("carol")
    bob.do("CREATE Box")
    bob.append(TEXT.encode(), "Box")
    bob.append(b"Subject: i\r\n\r\ninbox\r\n")
    good = bob.sign(url())
    check("RFC 4467 URLAUTH authuser: another account's mail",
          alice.fetch(good), literal(TEXT))
    check("RFC 4467 anonymous, and the own one",
          (alice.fetch(bob.sign(url(access="anonymous"))), bob.fetch(good)),
          (literal(TEXT),) * 2)
    check("RFC 4467 sections and partials of it",
          (alice.fetch(bob.sign(url(rest="/;SECTION=TEXT"))),
           alice.fetch(bob.sign(url(rest="/;SECTION=TEXT/;PARTIAL=1.3"))),
           alice.fetch(bob.sign(url(rest="/;PARTIAL=1000")))),
          (literal("AAEC\r\n"), literal("AEC"), literal("")))
    check("RFC 5524 BODY, BINARY with a NUL, and BODYPARTSTRUCTURE",
          [alice.fetch(bob.sign(url(rest="/;SECTION=" + s)), w) for s, w in
           (("1", "BODY"), ("1", "BINARY"), ("1", "BODYPARTSTRUCTURE"),
            ("1", "BINARY BODYPARTSTRUCTURE"), ("TEXT", "BINARY"))],
          ["(BODY " + literal("AAEC\r\n") + ")",
           "(BINARY ~" + literal("\0\1\2") + ")"] +
          [bob.fetch(bob.sign(url(rest="/;SECTION=1")), w) for w in
           ("BODYPARTSTRUCTURE", "BINARY BODYPARTSTRUCTURE")] +
          ["(BINARY NIL)"])
    check("RFC 4467 user+ is for that user, by name or address, only",
          [[c.fetch(bob.sign(url(access="user+" + u))) is not None
            for c in (alice, carol)] for u in
           ("alice", "alice%40example.org", "carol", "bob", "nobody")],
          [[True, False]] * 2 + [[False, True]] + [[False, False]] * 2)
    check("RFC 4467 the owner by an address of it, percent-encoded",
          [alice.fetch(bob.sign(url(user=u))) for u in
           ("bob%40example.org", "b%C3%B6b%40example.org")],
          [literal(TEXT)] * 2)
    check("RFC 4467 submit+ is not for URLFETCH",
          alice.fetch(bob.sign(url(access="submit+alice"))), NIL)
    check("RFC 4467 EXPIRE in the future, and in the past",
          [alice.fetch(bob.sign(url(rest=";EXPIRE=" + t))) for t in
           ("2999-12-31T23:59:59Z", "2001-01-01T00:00:00Z")],
          [literal(TEXT), NIL])
    digit = "1" if good[-1] == "0" else "0"
    for name, bad in (
            ("a changed token", good[:-1] + digit),
            ("a shorter token", good[:-1]),
            ("a changed UID", good.replace("UID=1", "UID=2")),
            ("another mailbox", good.replace("/Box/", "/INBOX/")),
            ("no such mailbox", good.replace("/Box/", "/Nope/")),
            ("another owner, who is there",
             good.replace("//bob@", "//carol@")),
            ("an owner who is not", good.replace("//bob@", "//nobody@")),
            ("an address that is not",
             good.replace("//bob@", "//no%40example.net@")),
            ("other access", good.replace("authuser", "anonymous")),
            ("a message that is not there", bob.sign(url(uid=7))),
            ("a section that is not there",
             bob.sign(url(rest="/;SECTION=9")))):
        check("RFC 4467 another account's, %s: NIL" % name,
              alice.fetch(bad), NIL)
    inbox = bob.sign(url(box="INBOX"))
    bob.do("RESETKEY Box INTERNAL")
    check("RFC 4467 RESETKEY of its owner voids it, of that mailbox only",
          (alice.fetch(good), alice.fetch(inbox)),
          (NIL, literal("Subject: i\r\n\r\ninbox\r\n")))
    check("RFC 4467 the asking one cannot void it",
          (alice.do("RESETKEY")[-1], alice.fetch(inbox) is not None),
          ("x OK RESETKEY done", True))
    good = bob.sign(url())
    lines = alice.do("URLFETCH %s /No %s %s" % (good, inbox, good))
    check("RFC 4467 several in one command, in their order",
          [l.split()[2] for l in lines[:-1]], [good, "/No", inbox, good])
    alice.s.sendall(b"a URLFETCH " + good.encode() + b"\r\nb NOOP\r\n")
    said = [alice.whole() for _ in range(3)]
    check("RFC 4467 commands behind it are answered",
          said[1:], ["a OK URLFETCH done", "b OK NOOP done"])
    bob.do("SELECT Box")
    bob.do("STORE 1 +FLAGS \\Deleted")
    bob.do("EXPUNGE")
    check("RFC 4467 of a message that went: NIL", alice.fetch(good), NIL)


def limits():
    bob, alice, again = Client("bob"), Client("alice"), Client("alice")
    bob.do("CREATE Limits")
    bob.append(b"Subject: i\r\n\r\n", "Limits")
    good = bob.sign(url(box="Limits"))
    lines = alice.do("URLFETCH" + (" " + good) * 101)
    check("RFC 4467 I-13 100 URLs of others in a session, not 101",
          [l.endswith(" NIL") for l in lines[:-1]], [False] * 100 + [True])
    check("RFC 4467 nor later, but in another session; own ones are not counted",
          (alice.fetch(good), again.fetch(good) is not None,
           [bob.fetch(good) is not None for _ in range(101)]),
          (NIL, True, [True] * 101))
    # size-limit is 1M; a client cannot append more, other programs can
    head = b"Subject: large\n\n"
    for n in (1048576, 1048577):
        # two octets more on the wire, for its two lines
        with open("%s/accounts/bob/Maildir/.Limits/new/1.%d.x" % (VAR, n),
                  "wb") as f:
            f.write(head + b"x" * (n - len(head) - 2))
        bob.do("SELECT Limits")
    got = [size_of(again, bob.sign(url(uid=u, box="Limits")))
           for u in (2, 3)]
    check("RFC 4467 as much as a message may have (size-limit), not a byte more",
          got, [1048576, NIL])
    check("RFC 4467 the owner gets it all the same",
          size_of(bob, bob.sign(url(uid=3, box="Limits"))), 1048577)


def size_of(c, u):
    got = c.fetch(u)
    return got if got is None else int(re.match(r"\{(\d+)\}", got)[1])


def question(account, user, text, seal=b"s" * 32):
    body = bytes([0]) + seal + b"".join(
        f.encode() + b"\0" for f in (account, user, "1", "127.0.0.1"))
    body += text.encode()
    return b"PMU1" + struct.pack(">I", len(body)) + body


def ask(message):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(RUN + "/imap")
    s.sendall(message)
    try:
        return s.recv(100)
    except ConnectionResetError:
        return b""


def seals():
    bob = Client("bob")
    bob.append(b"Subject: s\r\n\r\n")
    good = bob.sign(url(box="INBOX"))
    check("RFC 4467 who has no seal of its account gets no answer at all",
          [ask(question(a, "bob", good)) for a in ("alice", "bob", "")],
          [b""] * 3)
    check("a question that is none gets none either",
          [ask(m) for m in
           (b"PMU1" + struct.pack(">I", 20473) + b"x" * 100,
            b"PMU1" + struct.pack(">I", 3) + b"xyz",
            b"PMU1" + struct.pack(">I", 0))], [b""] * 3)


def answers(said, again=True):
    """What alice gets when run/imap says that and closes; None: it says
    nothing and does not. Then what she gets for the next question."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(RUN + "/false")
    listener.listen(5)
    alice = Client("alice")
    os.rename(RUN + "/imap", RUN + "/true")
    os.rename(RUN + "/false", RUN + "/imap")
    try:
        alice.s.sendall(b"x URLFETCH " + GOOD.encode() + b"\r\n")
        link, _ = listener.accept()
        link.recv(65536)
        if said is not None:
            link.sendall(said)
            link.close()
        got = alice.whole().replace("* URLFETCH %s " % GOOD, "")
        return [got, alice.whole()] + \
            (alice.do("URLFETCH " + GOOD) if again else []) + alice.do("NOOP")
    finally:
        os.unlink(RUN + "/imap")
        os.rename(RUN + "/true", RUN + "/imap")


def faults():
    global GOOD
    bob = Client("bob")
    GOOD = bob.sign(url(box="INBOX"))
    done = "x OK URLFETCH done"
    lost = ["NIL", done, "* URLFETCH %s NIL" % GOOD, done, "x OK NOOP done"]

    def head(yes, data, n, size):
        return struct.pack(">cBIQ", yes, data, n, size)
    for name, said in (
            ("empty", b""), ("half a head", b"y\2"),
            ("cut short", head(b"y", 2, 0, 10) + b"12345"),
            ("no head", b"z" * 14), ("too much", head(b"y", 2, 0, 1048577)),
            ("never there", None)):
        check("RFC 4467 an answer that is %s: NIL, the session lives, and the "
              "next URL is not asked for at once" % name,
              answers(said), lost)
    for name, said in (
            ("with a structure nobody asked for",
             head(b"y", 2, 1, 1) + b"ab"),
            ("without the data", head(b"y", 0, 0, 0))):
        check("RFC 4467 an answer %s: NIL" % name, answers(said, False),
              lost[:2] + lost[-1:])
    check("RFC 4467 so many bytes as were said, and no more",
          answers(head(b"y", 2, 0, 5) + b"1234)\r\nx OK", False),
          ["{5}\r\n1234)", done, "x OK NOOP done"])


globals()[sys.argv[1]]()
