# imap_talk.py - sessions with imap-serve, and results for python_tests of
# imap.sh; imported by the imap-*.py
import os, re, select, subprocess, sys, time


class Session:
    def __init__(self, account="alice", **how):
        self.p = subprocess.Popen(["imap-serve", "-a", account],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, **how)
        self.rest = b""
        self.line()

    def say(self, text):
        self.p.stdin.write(text.encode())
        self.p.stdin.flush()

    def more(self):
        """Some of what it says; None at the end."""
        return os.read(self.p.stdout.fileno(), 65536) or None

    def line(self, seconds=10):
        end = time.time() + seconds
        while b"\r\n" not in self.rest:
            left = end - time.time()
            if left <= 0 or not select.select([self.p.stdout], [], [],
                                              left)[0]:
                return None
            more = self.more()
            if more is None:
                return None
            self.rest += more
        one, self.rest = self.rest.split(b"\r\n", 1)
        # \Recent depends on who looked before; imap-recent.t has it
        one = re.sub(r"FLAGS \(\\Recent ?", "FLAGS (",
                     one.decode(errors="replace"))
        return re.sub(r"^\* \d+ RECENT", "* N RECENT", one)

    def until(self, start, seconds=10):
        lines = []
        while True:
            one = self.line(seconds)
            if one is None:
                return lines + ["(silence)"]
            lines.append(one)
            if one.startswith(start):
                return lines

    def ends(self):
        """Whether it says that the account is not what it was, and closes."""
        try:
            self.say("z NOOP\r\n")
        except BrokenPipeError:
            pass        # it was faster
        said = []
        while True:
            one = self.line()
            if one is None:
                return any(l.startswith("* BYE [UNAVAILABLE] ")
                           for l in said) and self.p.wait(10) == 0
            said.append(one)

    def do(self, command, tag="x"):
        self.say("%s %s\r\n" % (tag, command))
        return self.until(tag + " ")


def check(name, got, want):
    print("%s\t%s" % (name, "ok" if got == want else
                      "got %r, want %r" % (got, want)))
    sys.stdout.flush()


def check_memory(name, got, want):
    """As check, of what a process needs."""
    if os.environ.get("SAN") == "1":
        print("%s\tskip sanitizers need memory of their own" % name)
    else:
        check(name, got, want)


def append(session, text, box="INBOX"):
    return session.do("APPEND %s {%d+}\r\n%s" % (box, len(text), text))[-1]
