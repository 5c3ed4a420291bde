# valgrind-tls.py - connections of all kinds to tls-serve, for valgrind.t
#   valgrind-tls.py COUNT PORT SOCKET
import os, socket, ssl, subprocess, sys
sys.path.insert(0, os.environ["TOP"] + "/tests")
from tls_wire import *

count, port, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
bad = []


def plain():
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(50)
    return s


def talk(ctx, name="mail.example", session=None, n=30000):
    s = ctx.wrap_socket(plain(), server_hostname=name, session=session)
    f = s.makefile("rb")
    f.readline()
    s.sendall(b"bulk %d\n" % n)
    if len(f.read(n)) != n:
        bad.append("bytes are missing")
    return s


def resumed(version):
    """with a client certificate, then again by its ticket"""
    c = context(version)
    c.load_cert_chain("client.pem")
    s = talk(c)
    session = s.session
    s.unwrap()
    t = talk(c, session=session)
    if not t.session_reused:
        bad.append("not resumed")
    t.close()


def unknown():
    try:
        talk(context(), "nobody.example")
        bad.append("an unknown name is served")
    except ssl.SSLError:
        pass


def noise(data):
    s = plain()
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    try:
        while s.recv(4096):
            pass
    except ConnectionResetError:
        pass


def broken(version, what):
    w = Wire(plain(), version, "mail.example")
    w.read()
    what(w)
    w.ending()


def updated(w):
    w.s.sendall(w.key_update(1))
    w.send(23, b"x")
    w.read(1)
    w.s.shutdown(socket.SHUT_WR)


def request(data, n):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(50)
    s.connect(path)
    r, w = os.pipe()
    socket.send_fds(s, [data], [r] * n)
    s.recv(100)
    os.close(r)
    os.close(w)


hello = client_hello(ciphers=[0xc02b])
good = b"\0\x0elistener=imap\0"
kinds = [
    lambda: resumed(V13), lambda: resumed(V12), unknown,
    lambda: talk(context(V12)).close(),
    lambda: noise(b"EHLO x\r\n"), lambda: noise(hello[:100]),
    lambda: noise(hello), lambda: noise(hello + records(21, b"\2\x2a")),
    lambda: broken(V12, lambda w: w.send(22, hello[5:])),
    lambda: broken(V13, updated),
    lambda: broken(V13, lambda w: w.send(23, b"x", broken=True)),
    lambda: broken(V12, lambda w: w.s.shutdown(socket.SHUT_WR)),
    lambda: request(good, 1), lambda: request(b"\0\1", 1),
    lambda: request(good, 0), lambda: request(good, 6),
]
for i in range(count):
    kinds[i % len(kinds)]()
print("%d connections\t%s" % (count, "; ".join(bad) or "ok"))
