#!/usr/bin/python3
"""starttls-server.py - an SMTP server for tests that knows EHLO and STARTTLS.

usage: starttls-server.py -c CERT.PEM -r READYFILE [-l LOG] [-m MODE] [-p PORT]

MODE: ok (the default); nostarttls (it is not offered); refuse (454 to
STARTTLS); inject (a reply in the clear behind the one to STARTTLS); garbage
(no TLS after STARTTLS); close (at STARTTLS); old (TLS 1.1 at most); tls12;
silent (no greeting); endless (a reply without
end); long (a line without end). LOG gets a line of JSON for each handshake:
SNI and version, or the error.
"""
import getopt
import json
import os
import socket
import ssl
import sys
import threading
import time
import warnings


def log(**facts):
    if LOG:
        LOG.write(json.dumps(facts) + "\n")
        LOG.flush()


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(opts["-c"])
    if MODE == "old":
        c.set_ciphers("DEFAULT:@SECLEVEL=0")
        c.minimum_version = ssl.TLSVersion.TLSv1
        c.maximum_version = ssl.TLSVersion.TLSv1_1
    if MODE == "tls12":
        c.maximum_version = ssl.TLSVersion.TLSv1_2

    def name(sock, asked, ctx):
        sock.asked = asked
    c.sni_callback = name
    return c


def read_line(f):
    return f.readline(1000).strip().upper()


def in_clear(conn):
    f = conn.makefile("rb")
    if MODE == "silent":
        time.sleep(30)
        return False
    conn.sendall(b"220 test ESMTP\r\n")
    while True:
        line = read_line(f)
        if not line:
            return False
        if line.startswith(b"EHLO"):
            if MODE == "endless":
                while True:
                    conn.sendall(b"250-test\r\n")
            if MODE == "long":
                while True:
                    conn.sendall(b"250-test" * 1000)
            conn.sendall(b"250-test\r\n" + (
                b"" if MODE == "nostarttls" else b"250-STARTTLS\r\n") +
                b"250 PIPELINING\r\n")
        elif line == b"STARTTLS":
            if MODE == "refuse":
                conn.sendall(b"454 not now\r\n")
            elif MODE == "close":
                return False
            else:
                conn.sendall(b"220 go\r\n" + (
                    b"250 injected\r\n" if MODE == "inject" else b"") + (
                    b"no TLS here\r\n" * 10 if MODE == "garbage" else b""))
                return MODE != "garbage"
        else:
            conn.sendall(b"500 what?\r\n")


def serve(conn):
    try:
        with conn:
            if not in_clear(conn):
                return
            tls = context().wrap_socket(conn, server_side=True)
            log(sni=getattr(tls, "asked", None), version=tls.version())
            while True:
                data = tls.recv(1000)
                if not data:
                    return
                tls.sendall(b"250 " + data)
    except OSError as e:
        log(error=str(e))


warnings.simplefilter("ignore")
opts, args = getopt.getopt(sys.argv[1:], "c:l:m:p:r:")
opts = dict(opts)
MODE = opts.get("-m", "ok")
LOG = open(opts["-l"], "a") if "-l" in opts else None
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(opts.get("-p", 0))))
listener.listen(50)
with open(opts["-r"] + ".new", "w") as f:
    f.write("%d\n" % listener.getsockname()[1])
os.rename(opts["-r"] + ".new", opts["-r"])
while True:
    c, _ = listener.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
