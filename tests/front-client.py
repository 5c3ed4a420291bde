#!/usr/bin/python3
"""Clients before and behind TLS: each prints what it saw. CERT names a PEM
file with certificate and key to show, TLS a version to speak."""
import os, socket, ssl, struct, sys

def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    if os.environ.get("CERT"): c.load_cert_chain(os.environ["CERT"])
    if os.environ.get("TLS"):
        c.minimum_version = c.maximum_version = ssl.TLSVersion["TLSv1_" + os.environ["TLS"]]
    return c

def plain(port):
    s = socket.create_connection(("127.0.0.1", int(port)))
    s.settimeout(20)
    return s

def show(f, n=None):
    """lines until the end, or n"""
    while n is None or n > 0:
        try: line = f.readline()
        except OSError as e: return print(type(e).__name__)
        if not line: return print("END")
        print(line.decode().rstrip("\r\n"))
        n = n and n - 1

def text(s):
    return s.encode().decode("unicode_escape").encode("latin-1")

def reply(f, tag):
    """lines up to the answer: a tagged one, or the last line of a reply; the
    first byte of the answer"""
    while True:
        line = f.readline()
        if not line: return print("END")
        print(line.decode().rstrip("\r\n"))
        if tag is None and (line[3:4] == b" " or line[:2] == b"* "): return line[:1]
        if tag and (line.startswith(tag + b" ") or line[:1] == b"+"): return line[:1]

def say(s, f, lines):
    got = tag = None
    for l in lines:
        s.sendall(l.encode() + b"\r\n")
        if imap and got != b"+": tag = l.split()[0].encode()
        got = reply(f, tag)

def secure(s, host=""):
    t = context().wrap_socket(s, server_hostname=host or None)
    return t, t.makefile("rb")

def starttls(port, command, *lines):
    """STARTTLS, then lines behind it"""
    s = plain(port); f = s.makefile("rb")
    reply(f, None)
    say(s, f, (["EHLO me", command] if not imap else [command]))
    s, f = secure(s)
    print("--", s.version())
    say(s, f, lines)

def implicit(port, host, *lines):
    s, f = secure(plain(port), host)
    reply(f, None)
    say(s, f, lines)

def clear(port, *lines):
    s = plain(port); f = s.makefile("rb")
    reply(f, None)
    say(s, f, lines)

def inject(port, data, more=""):
    """everything at once, then TLS is tried if the server wants it"""
    s = plain(port); f = s.makefile("rb")
    reply(f, None)
    if not imap: say(s, f, ["EHLO me"])
    s.sendall(text(data))
    if more:
        reply(f, b"a" if imap else None)
        s.sendall(text(more))
        try: s, f = secure(s)
        except OSError as e: return print("no TLS")
    s.settimeout(5)
    show(f)

def proxy(port, family, remote, tls, *lines):
    """behind a PROXY header; tls: what the proxy tells of TLS"""
    s = plain(port); f = s.makefile("rb")
    body = b""
    if family != "local":
        body += socket.inet_pton(socket.AF_INET, remote) + socket.inet_aton("192.0.2.99")
        body += struct.pack(">HH", 4321, 143)
    if tls:
        v = tls.encode()
        sub = b"\x21" + struct.pack(">H", len(v)) + v
        body += b"\x20" + struct.pack(">H", 5 + len(sub)) + b"\x01\0\0\0\0" + sub
    head = b"\r\n\r\n\0\r\nQUIT\n" + (b"\x20\0" if family == "local" else b"\x21\x11")
    s.sendall(head + struct.pack(">H", len(body)) + body)
    reply(f, None)
    say(s, f, lines)

def hold(port, command, seconds, *lines):
    """a session with TLS that says lines, waits for standard input, goes on"""
    s = plain(port); f = s.makefile("rb")
    reply(f, None)
    say(s, f, (["EHLO me", command] if not imap else [command]))
    s, f = secure(s)
    say(s, f, lines[:1])
    print("HELD", flush=True)
    sys.stdin.readline()
    say(s, f, lines[1:])

imap = sys.argv[1] == "imap"
globals()[sys.argv[2]](*sys.argv[3:])
