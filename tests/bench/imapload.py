# imapload.py - what the IMAP benchmarks share: mail to read, and servers that
# are spoken to over a pipe each, with the time and CPU time of each command
import fcntl, os, random, re, subprocess, sys, time

WORDS = ["w%dord" % i for i in range(5000)]
F_SETPIPE_SZ = 1031


def die(what):
    sys.exit("imapload: " + what)


def message(rng, i, big):
    """Message i, with LF. Of ten, six are plain, three have HTML too and one an
    attachment; big: sizes as people's mail has them, else about 2 kB."""
    text = lambda words: "\n".join(" ".join(rng.choice(WORDS) for _ in range(10)) for _ in range(words // 10))
    head = ("Return-Path: <a%d@example.org>\nReceived: from relay.example.org by mx.localhost with ESMTPS id %d;\n\tFri, 20 Nov 2026 12:00:%02d +0000\n"
            "From: Sender %d <a%d@example.org>\nTo: mail@localhost, \"Other, One\" <o@example.net>\nCc: c@example.com\nSubject: %s\n"
            "Date: Fri, 20 Nov 2026 12:00:%02d +0000\nMessage-ID: <m%d@example.org>\nIn-Reply-To: <m%d@example.org>\nMIME-Version: 1.0\n"
            % (i, i, i % 60, i, i % 977, " ".join(rng.choice(WORDS) for _ in range(6)), i % 60, i, i - i % 10))
    part = "Content-Type: text/%s; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n%s\n"
    if i % 10 < 6:
        return head + part % ("plain", text(400 if big else 120))
    two = "".join("--b\n" + part % (t, text(400 if big else 70)) for t in ("plain", "html")) + "--b--\n"
    if i % 10 < 9:
        return head + "Content-Type: multipart/alternative; boundary=b\n\n" + two
    line = "QUJD" * 19 + "\n"
    return (head + "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n" + two
            + "--a\nContent-Type: application/pdf; name=\"report %d.pdf\"\nContent-Disposition: attachment; filename=\"report %d.pdf\"\n"
            "Content-Transfer-Encoding: base64\n\n%s--a--\n" % (i, i, line * (600 if big else 10)))


def fill(folder, count, big, start=0):
    """Files into FOLDER/new, as another program delivers them; the bytes with CRLF."""
    rng = random.Random(7)
    total = 0
    for i in range(start, start + count):
        m = message(rng, i, big)
        total += len(m) + m.count("\n")
        with open("%s/new/%d.M%d.host" % (folder, 1700000000 + i, i), "w") as f:
            f.write(m)
    return total


class Server:
    def __init__(self, name, cmd, room=None):
        """room: where answers are read to; servers that take turns may share it."""
        self.name, self.cmd, self.p = name, cmd, None
        self.room = bytearray(1 << 16) if room is None else room

    def start(self):
        self.stop()
        self.p = subprocess.Popen(self.cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.out = self.p.stdout.fileno()
        fcntl.fcntl(self.out, F_SETPIPE_SZ, 1 << 20)
        self.until(b"* ")

    def stop(self):
        if self.p:
            self.p.stdin.write(b"z LOGOUT\r\n")
            while os.read(self.out, 1 << 20):
                pass
            self.p.wait()
            self.p = None

    def until(self, mark):
        """Read to a last line that begins with mark; the length of it all, which
        is in room, memory that was there before: the clock is for the server."""
        at, room = 0, self.room
        while True:
            if at == len(room):
                room.extend(bytes(len(room)))
            with memoryview(room) as whole, whole[at:at + (1 << 20)] as part:
                n = os.readv(self.out, [part])
            if n == 0:
                die("%s ended after %r" % (self.name, bytes(room[max(at - 200, 0):at])))
            at += n
            if room[at - 2:at] == b"\r\n":
                line = room.rfind(b"\r\n", 0, at - 2)
                if room.startswith(mark, 0 if line < 0 else line + 2):
                    return at

    def cpu_ms(self):
        return int(open("/proc/%d/schedstat" % self.p.pid).read().split()[0]) / 1e6

    def command(self, text, fails=False):
        """The answer; sets ms and cpu. Counting is the caller's, after the clock."""
        c, t = self.cpu_ms(), time.perf_counter()
        self.p.stdin.write(b"t1 " + text.encode() + b"\r\n")
        n = self.until(b"t1 ")
        self.ms = (time.perf_counter() - t) * 1000
        self.cpu = self.cpu_ms() - c
        b = bytes(memoryview(self.room)[:n])
        if not fails and b"t1 OK" not in b[-300:]:
            die("%s: %s: %r" % (self.name, text, bytes(b[-300:])))
        return b

    def append(self, mailbox, data):
        self.p.stdin.write(b"t2 APPEND %s (\\Seen) {%d+}\r\n%s\r\n" % (mailbox.encode(), len(data), data))
        if b"t2 OK" not in self.room[:self.until(b"t2 ")]:
            die(self.name + ": APPEND failed")

    def count(self, mailbox):
        return int(re.search(rb"MESSAGES (\d+)", self.command("STATUS %s (MESSAGES)" % mailbox)).group(1))


def median(values):
    return sorted(values)[len(values) // 2]
