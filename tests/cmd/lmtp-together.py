"""lmtp-together.py SOCKET PREFIX CONNECTIONS MESSAGES [PID KILLS]

Deliver to alice on several connections at once. Each message has a subject of
its own, which is also its received-id. A line for each: "250 SUBJECT", or
"none SUBJECT" if there was no answer, or the answer. Meanwhile children of PID,
which serve these connections, are killed.
"""
import os, signal, socket, sys, threading, time

path, prefix, connections, messages = sys.argv[1:3] + [int(a) for a in sys.argv[3:5]]
parent, kills = ([int(a) for a in sys.argv[5:7]] + [0, 0])[:2]
lines, lock, killed = [], threading.Lock(), 0


class Connection:
    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.settimeout(60)
        self.s.connect(path)
        self.f = self.s.makefile("rb")
        self.reply()
        self.say("LHLO c")

    def reply(self):
        while True:
            line = self.f.readline().decode()
            if not line.endswith("\r\n"):
                raise ConnectionError
            if line[3] == " ":
                return line.strip()

    def say(self, line):
        self.s.sendall(line.encode() + b"\r\n")
        return self.reply()

    def deliver(self, subject):
        self.say(f"XFORWARD IDENT={subject}")
        self.say("MAIL FROM:<a@example.net>")
        self.say("RCPT TO:<alice@example.org>")
        self.say("DATA")
        return self.say(f"Subject: {subject}\r\nMessage-ID: <{subject}@example.net>\r\n\r\nbody of {subject}\r\n.")


def deliver_all(n):
    c = None
    for i in range(messages):
        subject = f"{prefix}-{n}-{i}"
        try:
            # a connection that was given to a child that is killed
            c = c or Connection()
            answer = c.deliver(subject)
            answer = "250" if answer == "250 2.0.0 delivered" else answer
        except (ConnectionError, BrokenPipeError):
            answer, c = "none", None
        with lock:
            lines.append(f"{answer} {subject}")


threads = [threading.Thread(target=deliver_all, args=(n,)) for n in range(connections)]
for t in threads:
    t.start()
turn = 0
while any(t.is_alive() for t in threads):
    time.sleep(0.02)
    if killed < kills:
        with open(f"/proc/{parent}/task/{parent}/children") as f:
            children = [int(p) for p in f.read().split()]
        if children:
            turn += 1
            os.kill(children[turn * 5 % len(children)], signal.SIGKILL)
            killed += 1
for t in threads:
    t.join()
print("\n".join(lines))
print(f"killed {killed}", file=sys.stderr)
