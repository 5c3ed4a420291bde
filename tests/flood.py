#!/usr/bin/python3
"""Floods from loopback addresses.

connect PORT N: N connections from 127.8.8.8 as fast as they go; prints how
    many were greeted and refused, and how often one from 127.9.9.9 was
    greeted on the way.
tls SOCKET N MODE PORT: N connections that are silent, for which tls-serve is
    asked to make a handshake, from addresses of eight networks (few) or one
    network for each three (many); at every thousandth a login to PORT by IMAP
    with TLS from 127.0.0.1. Prints counts of the answers as JSON, and the
    same again when all have been answered.
"""
import collections, imaplib, json, os, resource, select, socket, ssl, sys, time

def from_address(address, port, timeout=20):
    s = socket.socket()
    s.bind((address, 0))
    s.settimeout(timeout)
    s.connect(("127.0.0.1", port))
    return s

def greeting(s):
    try:
        return s.makefile("rb").readline()
    except (ConnectionResetError, TimeoutError):
        return b"reset"

def connect(port, n):
    seen = collections.Counter()
    for i in range(int(n)):
        if i % 1000 == 500:
            s = from_address("127.9.9.9", int(port))
            seen["other"] += greeting(s)[:4] in (b"220 ", b"* OK")
            s.close()
        s = from_address("127.8.8.8", int(port))
        g = greeting(s)
        seen["greeted" if g[:4] in (b"220 ", b"* OK") else
             "refused" if g[:4] in (b"421 ", b"* BY") else "broken"] += 1
        s.close()
    print(json.dumps(seen))

def login(port):
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    try:
        i = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=c, timeout=20)
        i.login("alice", "password of alice")
        i.logout()
        return "login"
    except Exception as e:
        return "no-login %r" % e

def tls(path, n, mode, port):
    peer = __import__("tls-peer")
    n, port = int(n), int(port)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and n > (hard - 100) // 2:
        n = (hard - 100) // 2
        print("# %d only: a process may have %d descriptors" % (n, hard), file=sys.stderr)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    where = listener.getsockname()[1]
    waiting, held, seen = {}, [], collections.Counter()
    poll = select.epoll()
    def collect(seconds):
        end = time.monotonic() + seconds
        while waiting:
            for fd, _ in poll.poll(max(0, min(1, end - time.monotonic()))):
                s = waiting.pop(fd)
                poll.unregister(fd)
                try: seen[s.recv(100)[3:].decode() or "closed"] += 1
                except OSError as e: seen[str(e)] += 1
                s.close()
            if time.monotonic() >= end:
                break
    for i in range(n):
        if mode == "few":
            a = "127.1.%d.%d" % (i % 8 * 8 + i // 8 % 7, i // 64 % 250 + 1)
        else:
            a = "127.%d.%d.1" % (i // 3 // 32 + 2, i // 3 % 32 * 8)
        c = from_address(a, where)
        b, _ = listener.accept()
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        socket.send_fds(s, [peer.message("imap", remote=a)], [b.fileno()])
        b.close()
        held.append(c)
        waiting[s.fileno()] = s
        poll.register(s.fileno(), select.EPOLLIN)
        if i % 1000 == 999:
            collect(0)
            seen[login(port)] += 1
    collect(0.5)
    print(json.dumps(dict(seen, waiting=len(waiting), n=n)), flush=True)
    collect(30)
    print(json.dumps(dict(seen, waiting=len(waiting), n=n)), flush=True)

if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
