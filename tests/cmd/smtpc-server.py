"""A server that says what it is told, for smtpc.t.

smtpc-server.py PORT SCRIPT: one connection. Lines of SCRIPT:
    S text      say text and CRLF
    B text      the same, byte by byte with pauses
    W regex     wait for a line that matches; print lines that do not
    T           read the message to its end mark; print its size
    P n         read n bytes of the message, then go on
    C           close
"""
import re, socket, sys, time

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(1)
s, _ = server.accept()
s.settimeout(20)
f = s.makefile("rb")
for step in open(sys.argv[2]):
    kind, _, text = step.rstrip("\n").partition(" ")
    if kind == "S":
        s.sendall(text.encode() + b"\r\n")
    elif kind == "B":
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for b in text.encode() + b"\r\n":
            s.sendall(bytes([b])); time.sleep(0.01)
    elif kind == "W":
        line = f.readline()
        if not re.fullmatch(text, line.decode().rstrip("\r\n")) or not line.endswith(b"\r\n"):
            print("wanted %s got %r" % (text, line))
    elif kind == "T":
        n = 0
        for line in f:
            if line == b".\r\n": break
            n += len(line)
        else: print("no end mark")
        print("size %d" % n)
    elif kind == "P":
        f.read(int(text))
    elif kind == "C":
        break
rest = b""
if kind != "C":
    rest = f.read()
if rest: print("then %r" % rest[:80])
