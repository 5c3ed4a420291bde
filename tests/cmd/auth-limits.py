# auth-limits.py - failures counted by address, over all connections
import time
from auth_client import *

LIMITED = "FAIL\treason=too many failed logins, try again later\ttemp\tlimited"


def at(ip, service="imap"):
    return "service=%s\trip=%s" % (service, ip)


# The windows are those of the clock: do not begin at the end of one.
if time.time() % 60 > 40:
    time.sleep(61 - time.time() % 60)

c, d = Client(), Client()
a = "198.51.100.1"
got = [(c if i % 2 else d).plain("alice", "wrong password", at(a, s))
       for i, s in zip(range(10), ["imap", "smtp", "http"] * 4)]
check("U-12 ten failures of an address, whatever the service",
      got, ["FAIL\tuser=alice"] * 10)
check("U-12 the eleventh is refused, even with the right password",
      d.plain("alice", "password of alice", at(a)), LIMITED)
check("and so is the question for that address",
      (c.say("ALLOWED\t77\tservice=smtp\trip=%s\n" % a), c.line())[1],
      LIMITED.replace("FAIL", "FAIL\t77"))
check("its neighbour is not", d.plain("alice", "password of alice",
                                      at("198.51.100.2")),
      "OK\tuser=alice")
check("nor who has no address", d.plain("alice", "password of alice"),
      "OK\tuser=alice")

# /26: 30 in all
net = "203.0.113."
for k in range(3):
    for i in range(10):
        c.plain("alice", "wrong password", at(net + str(k)))
check("U-12 thirty failures of a network", c.plain(
    "alice", "password of alice", at(net + "60")), LIMITED)
check("the next network is not its fault", c.plain(
    "alice", "password of alice", at(net + "64")), "OK\tuser=alice")
v6 = "2001:db8:1:1::"
for i in range(10):
    c.plain("alice", "wrong password", at(v6 + "%x" % i))
check("IPv6: an address is its /64", c.plain(
    "alice", "password of alice", at(v6 + "ffff")), LIMITED)

# a success takes back
b = "192.0.2.1"
for i in range(9):
    c.plain("alice", "wrong password", at(b))
check("U-12 nine failures, then a success", c.plain(
    "alice", "password of alice", at(b)), "OK\tuser=alice")
got = [c.plain("alice", "wrong password", at(b)) for i in range(10)]
check("and all ten are there again", got, ["FAIL\tuser=alice"] * 10)
check("the eleventh is refused again",
      c.plain("alice", "wrong password", at(b)), LIMITED)

# what counts as well
e = "192.0.2.65"
for i in range(3):
    c.auth("LOGIN", None, at(e))
    c.say("CANCEL\t%d\n" % c.n)
for i in range(3):
    c.auth("SCRAM-SHA-256", "nonsense", at(e))
x = Client()
x.auth("LOGIN", None, at(e))
x.s.shutdown(2)
time.sleep(0.3)
check("an aborted login counts, and protocol errors do",
      c.plain("carol", "password of carol", at(e)),
      "FAIL\tuser=carol\treason=ask the admin\tuser_disabled")
check("a client key that is not known counts",
      c.auth("EXTERNAL", "", at(e) + "\tclient-key=" + "A" * 43), "FAIL")
check("a disabled login counted too", c.plain("alice", "wrong", at(e)),
      "FAIL\tuser=alice")
check("these were ten", c.plain("alice", "wrong", at(e)), LIMITED)

# what does not
f = "192.0.2.129"
for i in range(15):
    r = c.cram("bob", "whatever", at(f))
check("U-7 a missing secret is not counted", r, "FAIL\tuser=bob\tuncharged")
check("so that a login goes on", c.plain("bob", "password of bob", at(f)),
      "OK\tuser=bob")

# many in flight at once do not get past the limit
g = "192.0.2.193"
text = b64("\0alice\0wrong password")
c.say("".join("AUTH\t%d\tPLAIN\t%s\n" % (9000 + i, at(g))
              for i in range(30)))
for i in range(30):
    c.line()
c.say("".join("CONT\t%d\t%s\n" % (9000 + i, text) for i in range(30)))
got = [c.line() for i in range(30)]
check("U-12 thirty at once: ten are looked at",
      sum("limited" not in l for l in got), 10)
