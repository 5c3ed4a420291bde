# imap-places.py - who may have how many sessions; results for imap-places.t
import os, socket, sys, time

from imap_client import PORT, Client, check, children, resting, wait

IDLE = int(os.environ.get("IDLE_PID", "0"))
FULL = "too many sessions, try later"


class From(Client):
    """A login from an address of this host."""

    def __init__(self, account, ip):
        self.s = socket.create_connection(("127.0.0.1", PORT),
                                          source_address=(ip, 0))
        self.rest = b""
        self.line()
        self.said = self.do('LOGIN %s "password of %s"' % (account, account))

    def is_in(self):
        return self.said[-1].startswith("x OK")


def end(clients):
    for c in clients:
        c.s.close()
    check("all have ended", wait(lambda: children() == 0), True)


def limits():
    """open-limits = 6 9 12, sessions-max = 4"""
    alice = [From("alice", "127.0.0.%d" % i) for i in (1, 1, 70, 70)]
    check("I-13 as many sessions of an account as it may have",
          [c.is_in() for c in alice], [True] * 4)
    c = From("alice", "127.0.0.130")
    check("I-13 one more is told so", c.said, ["x NO [LIMIT] " + FULL])
    check("and that it is the end", [c.line(), c.line()],
          ["* BYE [LIMIT] " + FULL, None])
    bob = [From("bob", "127.0.0.1") for _ in range(4)]
    check("R-28 those of others are not concerned",
          [c.is_in() for c in bob], [True] * 4)
    c = From("carl", "127.0.0.1")
    check("R-28 nor more of one address", c.said, ["x NO [LIMIT] " + FULL])
    carl = [From("carl", "127.0.0.%d" % i) for i in (2, 3, 4)]
    check("R-28 and of its network", [c.is_in() for c in carl],
          [True, True, True])
    check("R-28 past the limit of the network",
          From("carl", "127.0.0.5").is_in(), False)
    check("R-28 another one is not concerned",
          From("dora", "127.0.0.130").is_in(), True)
    alice[0].do("LOGOUT")
    check("a session that ends leaves its place",
          wait(lambda: From("alice", "127.0.0.71").is_in()), True)
    end(alice + bob + carl)


def strangers():
    """Who has not logged in takes no place of who has."""
    crowd = []
    for i in range(12):
        s = socket.create_connection(("127.0.0.1", PORT), source_address=(
            "127.0.64.%d" % (i // 6 * 70 + 1), 0))
        s.sendall(b"a CAPABILITY\r\n")
        crowd.append(s)
    for s in crowd:
        s.settimeout(10)
        got = b""
        while b"a OK" not in got:
            got += s.recv(4096)
    check("R-28 before a login there is no session", children(), 0)
    c = From("alice", "127.0.0.1")
    check("R-28 and a login from elsewhere has its place", c.is_in(), True)
    for s in crowd:
        s.close()
    end([c])


def rest():
    """What rests has no place, and waits for one to come back."""
    asleep = [From("alice", "127.0.0.%d" % i) for i in (1, 70)]
    bob = From("bob", "127.0.0.2")
    for c in asleep + [bob]:
        c.do("SELECT INBOX")
        c.idle()
    check("I-2 they rest", resting(), True)
    awake = [From("alice", "127.0.0.%d" % i) for i in (3, 71, 72, 130)]
    check("I-13 who rests has no place", [c.is_in() for c in awake],
          [True] * 4)
    for c in asleep:
        c.say("DONE\r\n")
    check("I-13 no place is left: it waits", asleep[0].line(3), None)
    check("R-28 in no process", wait(lambda: children() == 4), True)
    check("R-28 others come back meanwhile", bob.done()[-1],
          "i OK IDLE done")
    awake[0].do("NOOP")
    awake[0].append("while they wait")
    for c in awake[1:3]:
        c.do("LOGOUT")
    check("I-2 and is there again when others have left",
          [c.until("i ", 10)[-1] for c in asleep], ["i OK IDLE done"] * 2)
    check("with all that came", asleep[0].do("UID SEARCH ALL"),
          ["* SEARCH 1", "x OK UID SEARCH done"])
    end(asleep + awake + [bob])


def each():
    """imap-idle -e 2"""
    clients = [From("alice", "127.0.0.%d" % i) for i in (1, 70, 1)]
    for c in clients:
        c.idle()
    check("imap-idle -e: so many of an account", wait(
        lambda: children() == 1), True)
    time.sleep(3)
    check("and not one more", children(), 1)
    end(clients)
    clients = [From(who, "127.0.0.1") for who in ("alice", "bob", "carl")]
    for c in clients:
        c.idle()
    check("imap-idle -e: so many of an address", wait(
        lambda: children() == 1), True)
    time.sleep(3)
    check("nor there", children(), 1)
    clients[0].s.close()
    clients[1].s.close()
    other = From("dora", "127.0.0.130")
    other.idle()
    check("another one rests", wait(lambda: children() == 1), True)
    end(clients + [other])


globals()[sys.argv[1]]()
