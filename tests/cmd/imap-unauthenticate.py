# imap-unauthenticate.py - RFC 8437 over TCP; results for python_tests of
# imap.sh
import os, re, socket, ssl, sys, zlib

from imap_talk import check

PORT, PORTS = int(os.environ["PORT"]), int(os.environ["PORTS"])


class Client:
    def __init__(self, tls=False):
        self.s = socket.create_connection(("127.0.0.1",
                                           PORTS if tls else PORT))
        self.s.settimeout(20)
        if tls:
            c = ssl.create_default_context()
            c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
            self.s = c.wrap_socket(self.s, server_hostname="localhost")
        self.rest = b""
        self.out = self.into = None
        self.greeting = self.line()

    def say(self, text):
        data = text.encode()
        if self.out:
            data = self.out.compress(data) + self.out.flush(
                zlib.Z_SYNC_FLUSH)
        self.s.sendall(data)

    def line(self):
        while b"\r\n" not in self.rest:
            data = self.s.recv(65536)
            if not data:
                return None
            self.rest += self.into.decompress(data) if self.into else data
        one, self.rest = self.rest.split(b"\r\n", 1)
        return one.decode()

    def until(self, tag):
        lines = []
        while not lines or not lines[-1].startswith(tag + " "):
            lines.append(self.line())
            if lines[-1] is None:
                return lines
        return lines

    def do(self, command, tag="x"):
        self.say("%s %s\r\n" % (tag, command))
        return self.until(tag)

    def login(self, who):
        return self.do('LOGIN %s "password of %s"' % (who, who))[-1]

    def compress(self):
        self.do("COMPRESS DEFLATE")
        self.out = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.into = zlib.decompressobj(-15)


def add(c, box, subject):
    text = "Subject: %s\r\n\r\nx\r\n" % subject
    return "APPENDUID" in c.do("APPEND %s {%d+}\r\n%s" % (box, len(text),
                                                          text))[-1]


OK = "x OK not logged in any more"


def absent():
    c = Client()
    check("RFC 8437 without imap-login -u it is not announced",
          "UNAUTHENTICATE" in c.login("alice"), False)
    check("RFC 8437 and is BAD", c.do("UNAUTHENTICATE"),
          ["x BAD UNAUTHENTICATE is not offered"])
    check("RFC 8437 the session goes on", c.do("NOOP"), ["x OK NOOP done"])


def there():
    c = Client()
    check("RFC 8437 UNAUTHENTICATE is not announced before login",
          "UNAUTHENTICATE" in c.do("CAPABILITY")[0], False)
    check("RFC 8437 nor known", c.do("UNAUTHENTICATE")[0].split()[1], "BAD")
    check("RFC 8437 UNAUTHENTICATE is announced after it",
          " UNAUTHENTICATE " in c.login("alice"), True)
    check("RFC 8437 with an argument", c.do("UNAUTHENTICATE now")[0][:5],
          "x BAD")
    add(c, "INBOX", "of alice")
    c.do("ENABLE IMAP4rev2 CONDSTORE QRESYNC UTF8=ACCEPT")
    c.do("SELECT INBOX")
    c.do("SEARCH RETURN (SAVE) ALL")
    c.do("STORE 1 +FLAGS (\\Deleted)")
    check("RFC 8437 UNAUTHENTICATE with a mailbox selected: nothing is said "
          "of it", c.do("UNAUTHENTICATE"), [OK])
    check("RFC 8437 what needs a login", [c.do(w)[-1] for w in (
        "SELECT INBOX", "FETCH 1 BODY[]", "LIST \"\" *", "NAMESPACE",
        "IDLE")], ["x BAD log in first"] * 5)
    check("RFC 8437 capabilities are those before login",
          c.do("CAPABILITY")[0].replace("* CAPABILITY", "* OK [CAPABILITY"),
          c.greeting.split("]")[0])
    check("RFC 8437 a wrong password", c.do("LOGIN bob x")[-1][:27],
          "x NO [AUTHENTICATIONFAILED]")
    check("RFC 8437 another login", c.login("bob").split()[1], "OK")
    check("RFC 8437 no mailbox is selected", c.do("FETCH 1 FLAGS"),
          ["x BAD select a mailbox first"])
    check("RFC 8437 nothing is enabled", c.do(
        "ENABLE IMAP4rev2 CONDSTORE QRESYNC UTF8=ACCEPT")[0],
        "* ENABLED IMAP4rev2 CONDSTORE QRESYNC UTF8=ACCEPT")
    check("RFC 8437 and nothing of alice's there",
          [l for l in c.do("SELECT INBOX") if "EXISTS" in l],
          ["* 0 EXISTS"])
    check("RFC 8437 $ holds nothing", c.do("SEARCH RETURN (COUNT) $")[0],
          '* ESEARCH (TAG "x") COUNT 0')
    check("RFC 8437 again, and back", (c.do("UNAUTHENTICATE"),
                                       c.login("alice").split()[1]),
          ([OK], "OK"))
    check("RFC 8437 the message is there, not expunged",
          [l for l in c.do("SELECT INBOX") if "EXISTS" in l],
          ["* 1 EXISTS"])
    c.do("LOGOUT")
    pipelined()
    secured()
    compressed()


def pipelined():
    c = Client()
    c.login("alice")
    c.say('a UNAUTHENTICATE\r\nb LOGIN bob "password of bob"\r\n'
          'c STATUS INBOX (MESSAGES)\r\n')
    check("RFC 8437 the next login sent along, and what comes then",
          [re.sub(r"\[CAP.*\]", "[]", l) for l in c.until("c")],
          ["a OK not logged in any more", "b OK [] logged in",
           "* STATUS INBOX (MESSAGES 0)", "c OK STATUS done"])
    c.say("a UNAUTHENTICATE\r\nb LOGIN {5+}\r\nalice {17}\r\n")
    check("RFC 8437 half a login sent along", c.until("+"),
          ["a OK not logged in any more", "+ go on"])
    c.say("password of alice\r\n")
    check("RFC 8437 and its end", c.until("b")[-1].split()[1], "OK")
    for i in range(30):
        c.do("UNAUTHENTICATE")
        if c.login("bob" if i % 2 else "alice").split()[1] != "OK":
            check("RFC 8437 thirty logins", i, 30)
            return
    check("RFC 8437 thirty logins on one connection", True, True)


def secured():
    c = Client(True)
    c.login("alice")
    check("RFC 8437 behind TLS", c.do("UNAUTHENTICATE"), [OK])
    check("RFC 8437 TLS stays: no STARTTLS, and channel bindings",
          [w in c.do("CAPABILITY")[0] for w in
           ("STARTTLS", "LOGINDISABLED", "AUTH=SCRAM-SHA-256-PLUS")],
          [False, False, True])
    check("RFC 8437 another login behind TLS", c.login("bob").split()[1],
          "OK")


def compressed():
    c = Client()
    c.login("alice")
    c.compress()
    check("RFC 8437 with COMPRESS=DEFLATE: its OK is the last that is "
          "compressed", c.do("UNAUTHENTICATE"), [OK])
    c.out = c.into = None
    check("RFC 8437 then all is in clear", c.do("NOOP"), ["x OK NOOP done"])
    check("RFC 8437 and so is the next session",
          (c.login("bob").split()[1], c.do("NOOP")),
          ("OK", ["x OK NOOP done"]))
    c.compress()
    check("RFC 8437 which may compress again", c.do("NOOP"),
          ["x OK NOOP done"])


def gone():
    c = Client()
    check("RFC 8437 the socket of one that is gone: announced",
          " UNAUTHENTICATE " in c.login("alice"), True)
    check("RFC 8437 there is no NO: BYE", c.do("UNAUTHENTICATE"),
          ["* BYE [UNAVAILABLE] no new login is possible", None])


{"absent": absent, "there": there, "gone": gone}[sys.argv[1]]()
