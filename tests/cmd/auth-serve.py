# auth-serve.py - clients of the auth protocol; results for python_tests
import base64, os, socket, subprocess, sys, time


def check(name, got, want):
    print("%s\t%s" % (name, "ok" if got == want else
                      "got %r, want %r" % (got, want)))


class Client:
    def __init__(self, hello=True):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(os.environ["PIPEMAIL_RUN"] + "/auth")
        self.s.settimeout(10)
        self.f = self.s.makefile("rb")
        self.n = 0
        self.greeting = []
        while not self.greeting or self.greeting[-1] != "DONE":
            self.greeting.append(self.line())
        if hello:
            self.say("VERSION\t1\t1\nCPID\t%d\n" % os.getpid())

    def say(self, text):
        self.s.sendall(text.encode())

    def line(self):
        try:
            return self.f.readline().decode().rstrip("\n")
        except ConnectionResetError:
            return ""

    def plain(self, user, password, authzid="", extra=""):
        self.n += 1
        text = "%s\0%s\0%s" % (authzid, user, password)
        self.say("AUTH\t%d\tPLAIN\tservice=smtp\trip=192.0.2.7\t"
                 "session=s1\t%sresp=%s\n" % (
                     self.n, extra,
                     base64.b64encode(text.encode()).decode()))
        return self.line().replace("\t%d" % self.n, "", 1)


c = Client()
check("handshake", [l.split("\t")[0] for l in c.greeting],
      ["VERSION"] + ["MECH"] * 10 + ["SPID", "CUID", "COOKIE", "DONE"])
check("U-2 mechanisms, the best first; OAUTHBEARER only where configured",
      [l.split("\t")[1] for l in c.greeting if l.startswith("MECH")],
      ["SCRAM-SHA-512-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256-PLUS",
       "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "CRAM-MD5",
       "PLAIN", "LOGIN", "EXTERNAL"])
check("U-2 PLAIN by account name", c.plain("alice", "password of alice"),
      "OK\tuser=alice")
check("PLAIN by address", c.plain("alice@example.org",
                                  "password of alice"), "OK\tuser=alice")
check("the domain in any case", c.plain("Alice@EXAMPLE.org",
                                        "password of alice"),
      "OK\tuser=alice")
check("N-2 an address in another normal form",
      c.plain("bo\u0308b@example.org", "password of bob"), "OK\tuser=bob")
check("no separators at login", c.plain("alice+x@example.org",
                                        "password of alice"),
      "FAIL\tuser=alice+x@example.org")
check("no catch-all at login", c.plain("any@example.org",
                                       "password of alice"),
      "FAIL\tuser=any@example.org")
check("wrong password", c.plain("alice", "password of bob"),
      "FAIL\tuser=alice")
check("unknown user: the same answer", c.plain("nobody", "x y z 1 2 3"),
      "FAIL\tuser=nobody")
check("authorization as oneself", c.plain("alice", "password of alice",
                                          "alice@example.org"),
      "OK\tuser=alice")
check("authorization as another", c.plain("alice", "password of alice",
                                          "bob"), "FAIL\tuser=alice")
check("U-13 login disabled: the admin's text",
      c.plain("carol", "password of carol"),
      "FAIL\tuser=carol\treason=ask the admin, please\tuser_disabled")
check("only with the right password", c.plain("carol", "wrong password"),
      "FAIL\tuser=carol")
check("N-3 password with a no-break space",
      c.plain("alice", "password\u00a0of alice"), "OK\tuser=alice")

# the same time for an unknown user
def spent(user):
    best = 9
    for i in range(8):
        t = time.time()
        c.plain(user, "some wrong password %d" % i)
        best = min(best, time.time() - t)
    return best
known, unknown = spent("alice"), spent("nobody")
if os.environ.get("SAN") != "1":	# which slows the rest, not OpenSSL
    check("unknown users cost what wrong passwords cost",
          0.4 < unknown / known < 2.5, True)

# tickets
reply = c.plain("bob", "password of bob", "", "ticket\t")
fields = dict(f.split("=", 1) for f in reply.split("\t")[1:])
check("a ticket on demand", len(fields.get("ticket", "")), 64)
d = Client()
d.say("TICKET\t1\t%s\n" % ("0" * 64))
check("a wrong ticket", d.line(), "FAIL\t1\treason=no such ticket")
d.say("TICKET\t2\t%s\n" % fields["ticket"])
check("redeemed by another client", d.line(), "OK\t2\tuser=bob")
d.say("TICKET\t3\t%s\n" % fields["ticket"])
check("once only", d.line(), "FAIL\t3\treason=no such ticket")

# many at once on one connection, answered in turn
text = base64.b64encode(b"\0alice\0password of alice").decode()
d.say("".join("AUTH\t%d\tPLAIN\tservice=imap\tresp=%s\n" % (i, text)
              for i in range(100, 120)))
check("pipelined requests", [d.line() for i in range(20)],
      ["OK\t%d\tuser=alice" % i for i in range(100, 120)])

# protocol errors close one connection only
e = Client()
e.say("AUTH\tnonsense\n")
check("a broken request ends the connection", e.line(), "")
e = Client(False)
e.say("VERSION\t2\t0\n")
check("so does another major version", e.line(), "")
e = Client()
e.say("X" * 13000)
check("and a line without end", e.line(), "")
check("the others go on", c.plain("alice", "password of alice"),
      "OK\tuser=alice")

# a new password at once, a new account after compiling
subprocess.run(["passwd-set", "-a", "alice"], input=b"brand-new-one\n",
               check=True)
check("a changed password at once", c.plain("alice", "brand-new-one"),
      "OK\tuser=alice")
with open(os.environ["PIPEMAIL_ETC"] + "/accounts/dave.conf", "w") as f:
    f.write("[account]\naddress = dave@example.org\n")
subprocess.run(["config-compile"], check=True)
subprocess.run(["passwd-set", "-a", "dave"], input=b"password of dave\n",
               check=True)
check("a new account without a restart",
      c.plain("dave@example.org", "password of dave"), "OK\tuser=dave")
