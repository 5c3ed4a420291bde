"""socks-server.py - a SOCKS5 proxy (RFC 1928, 1929) that does what it is told.

usage: socks-server.py -p PORTFILE -l LOG [WORD=VALUE ...]

Connects to 127.0.0.1 at the port asked for, whatever the host. LOG gets
"login USER PASSWORD", "connect HOST PORT". Words:

  user=NAME:PASSWORD    logins that are taken; without it none is wanted
  method=BYTES login=BYTES reply=BYTES
                        instead of its answers there (\\x escapes); "CLOSE"
                        closes, "HANG" says nothing
  slow=1                answers octet by octet
  bound=name|ipv6       the kind of address in its reply
"""
import getopt, os, socket, sys, threading, time

opts, args = getopt.getopt(sys.argv[1:], "p:l:")
opts = dict(opts)
B = dict(a.split("=", 1) for a in args)
log = open(opts["-l"], "a", buffering=1)


class Gone(Exception):
    pass


def read(s, n):
    got = b""
    while len(got) < n:
        d = s.recv(n - len(got))
        if not d:
            raise Gone()
        got += d
    return got


def answer(s, key, data):
    told = B.get(key)
    if told == "CLOSE":
        raise Gone()
    if told == "HANG":
        time.sleep(3600)
    if told is not None:
        data = told.encode().decode("unicode_escape").encode("latin-1")
    if "slow" not in B:
        s.sendall(data)
        return
    for b in data:
        s.sendall(bytes([b]))
        time.sleep(0.01)


def copy(a, b):
    try:
        while True:
            d = a.recv(65536)
            if not d:
                break
            b.sendall(d)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def log_in(s):
    read(s, 1)
    user = read(s, read(s, 1)[0]).decode()
    password = read(s, read(s, 1)[0]).decode()
    log.write("login %s %s\n" % (user, password))
    right = B["user"] == "%s:%s" % (user, password)
    answer(s, "login", b"\1" + (b"\0" if right else b"\1"))
    if not right:
        raise Gone()


def where(s):
    version, command, _, kind = read(s, 4)
    if kind == 1:
        host = socket.inet_ntop(socket.AF_INET, read(s, 4))
    elif kind == 4:
        host = socket.inet_ntop(socket.AF_INET6, read(s, 16))
    else:
        host = read(s, read(s, 1)[0]).decode()
    port = int.from_bytes(read(s, 2), "big")
    log.write("connect %s %d\n" % (host, port))
    return port


def serve(s):
    try:
        methods = read(s, read(s, 2)[1])
        wanted = 2 if "user" in B else 0
        answer(s, "method", b"\5" + bytes([wanted if wanted in methods else 255]))
        if wanted == 2 and 2 in methods:
            log_in(s)
        port = where(s)
        bound = {"name": b"\3\6proxy.", "ipv6": b"\4" + b"\0" * 16}.get(B.get("bound"), b"\1\177\0\0\1")
        try:
            to = socket.create_connection(("127.0.0.1", port))
        except OSError:
            answer(s, "reply", b"\5\5\0\1\0\0\0\0\0\0")
            raise Gone()
        answer(s, "reply", b"\5\0\0" + bound + b"\0\31")
        threading.Thread(target=copy, args=(to, s), daemon=True).start()
        copy(s, to)
    except (Gone, OSError):
        s.close()


server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(50)
with open(opts["-p"] + ".new", "w") as f:
    f.write("%d\n" % server.getsockname()[1])
os.rename(opts["-p"] + ".new", opts["-p"])
while True:
    s, _ = server.accept()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threading.Thread(target=serve, args=(s,), daemon=True).start()
