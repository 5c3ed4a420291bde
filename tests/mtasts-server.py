#!/usr/bin/python3
"""mtasts-server.py - policy hosts for tests, on 127.0.0.1.

usage: mtasts-server.py -c CERT.PEM -r READYFILE [-l LOG] DIR

Serves /.well-known/mta-sts.txt by the name in Host from DIR/NAME. A file
that begins with "!" is an order: "!status N", "!redirect URL", "!slow" (byte
by byte, without end), "!huge N" (N bytes), "!close". CERT.PEM has key and
chain. Each request is a line in LOG: "HOST PATH".
"""
import getopt
import http.server
import os
import ssl
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def reply(self, status, body, *fields):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def order(self, words):
        if words[0] == "!status":
            self.reply(int(words[1]), b"version: STSv1\nmode: none\n"
                       b"max_age: 1\n")
        elif words[0] == "!redirect":
            self.reply(302, b"", ("Location", words[1]))
        elif words[0] == "!huge":
            self.reply(200, b"version: STSv1\nmode: none\nmax_age: 1\nx: "
                       + b"y" * (int(words[1]) - 41) + b"\n")
        elif words[0] == "!slow":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"x")
                time.sleep(0.5)
        self.close_connection = True

    def do_GET(self):
        host = self.headers.get("Host", "").split(":")[0]
        if LOG:
            LOG.write("%s %s\n" % (host, self.path))
            LOG.flush()
        path = os.path.join(ROOT, os.path.basename(host))
        if self.path != "/.well-known/mta-sts.txt" or not os.path.exists(path):
            self.reply(404, b"not here\n")
            return
        with open(path, "rb") as f:
            body = f.read()
        if body.startswith(b"!"):
            self.order(body.decode().split())
        else:
            self.reply(200, body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


opts, args = getopt.getopt(sys.argv[1:], "c:l:r:")
opts = dict(opts)
ROOT = args[0]
LOG = open(opts["-l"], "a") if "-l" in opts else None
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(opts["-c"])
server = Server(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True,
                                    do_handshake_on_connect=False)
with open(opts["-r"] + ".new", "w") as f:
    f.write("%d\n" % server.server_address[1])
os.rename(opts["-r"] + ".new", opts["-r"])
server.serve_forever()
