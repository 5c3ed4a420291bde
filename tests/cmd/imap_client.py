# imap_client.py - IMAP clients at $PORT, whose sessions imap-serve ($SERVE_PID)
# may give to imap-idle; results for python_tests of imap.sh
import os, select, socket, sys, time

PORT = int(os.environ.get("PORT", "0"))
SERVE = int(os.environ.get("SERVE_PID", "0"))
BOX = os.environ["PIPEMAIL_VAR"] + "/accounts/alice/Maildir"


def check(name, got, want):
    print("%s\t%s" % (name, "ok" if got == want else
                      "got %r, want %r" % (got, want)))
    sys.stdout.flush()


def children():
    with open("/proc/%d/task/%d/children" % (SERVE, SERVE)) as f:
        return len(f.read().split())


def wait(what, seconds=20):
    end = time.time() + seconds
    while not what():
        if time.time() > end:
            return False
        time.sleep(0.02)
    return True


def resting():
    """True once no session has a process."""
    return wait(lambda: children() == 0)


class Client:
    def __init__(self, account="alice"):
        self.s = socket.create_connection(("127.0.0.1", PORT))
        self.rest = b""
        self.line()
        self.do('LOGIN %s "password of %s"' % (account, account))

    def say(self, text):
        self.s.sendall(text.encode())

    def more(self):
        return self.s.recv(65536)

    def line(self, seconds=15):
        end = time.time() + seconds
        while b"\r\n" not in self.rest:
            left = end - time.time()
            if left <= 0 or not select.select([self.s], [], [], left)[0]:
                return None
            more = self.more()
            if not more:
                return None
            self.rest += more
        one, self.rest = self.rest.split(b"\r\n", 1)
        return one.decode()

    def until(self, start, seconds=15):
        lines = []
        while True:
            one = self.line(seconds)
            if one is None:
                return lines + ["(silence)"]
            lines.append(one)
            if one.startswith(start):
                return lines

    def do(self, command, tag="x"):
        self.say("%s %s\r\n" % (tag, command))
        return self.until(tag + " ")

    def idle(self, tag="i"):
        self.say(tag + " IDLE\r\n")
        return self.until("+")

    def done(self, tag="i"):
        self.say("DONE\r\n")
        return self.until(tag + " ")

    def append(self, subject):
        text = "Subject: %s\r\n\r\nx\r\n" % subject
        return self.do("APPEND INBOX {%d+}\r\n%s" % (len(text), text))[-1]


def drop(name, text="Subject: dropped\n\nx\n", how="new", box=BOX):
    """As another mail program delivers."""
    path = "%s/tmp/%s" % (box, name)
    with open(path, "w") as f:
        f.write(text)
    os.rename(path, "%s/%s/%s" % (box, how, name))
