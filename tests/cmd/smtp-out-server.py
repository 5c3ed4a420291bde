"""smtp-out-server.py - an SMTP or LMTP server that does what it is told.

usage: smtp-out-server.py -p PORTFILE [-a ADDRESS] [-P PORT] [-u SOCKET]
           [-l LOG] [-c CERTIFICATE] [-i] [-m FILE] [BEHAVIOUR ...]

With -m a server at the same port of each address in FILE, whose lines are an
ADDRESS and its BEHAVIOURs, tabs between; the log then has the address and a
tab in front of each line, and PORT (-P) must be given.

Serves every connection in a thread, until it is ended. LOG gets "connect",
each command, "tls", and "message SIZE" lines. A BEHAVIOUR is WORD=VALUE:

  offer=WORD,...    what EHLO offers, "_" for blanks
  offer2=WORD,...   what EHLO offers after STARTTLS
  greeting|ehlo|mail|rcpt|data|end|rset|noop|quit|starttls|auth=REPLY
                    the reply there; "CLOSE" closes instead; "SLOW:REPLY" says
                    it byte by byte; "RAW:TEXT" sends bytes (\\r\\n escapes);
                    "FLOOD" never ends; "HANG" says nothing; "DRIP" is a
                    reply whose bytes come slowly, without end; "A||B" is A
                    for the first connection, B for others
  cert=FILE         this certificate instead of -c
  text=CLOSE        closes when it has read a little of the message
  rcptN=REPLY       of the Nth recipient of a mail
  mails=N           closes after N mails with 421
  tls=FAIL          closes instead of a handshake; tls=INJECT sends text first
  only=N            behaviours but for offers are for the first N connections
  lmtp=1            a reply for each recipient at the end
"""
import getopt, os, socket, ssl, sys, threading, time

opts, args = getopt.getopt(sys.argv[1:], "p:a:P:u:l:c:iC:m:")
opts = dict(opts)
log = open(opts["-l"], "a", buffering=1) if "-l" in opts else sys.stderr
lock = threading.Lock()


def behaviours(words):
    return dict(a.split("=", 1) for a in words)


class Gone(Exception):
    pass


class Conn:
    def __init__(self, s, n, B, address):
        self.s, self.n, self.tls, self.mails = s, n, False, 0
        self.buf, self.B, self.address = b"", B, address
        self.cert = B.get("cert", opts.get("-c"))

    def note(self, text):
        with lock:
            log.write((self.address + "\t" if "-m" in opts else "") + text + "\n")

    def told(self, key, default=None):
        B = self.B
        if "only" in B and self.n > int(B["only"]) and not key.startswith("offer"):
            return default
        told = B.get(key, default)
        if told is not None and "||" in told:
            told = told.split("||")[0 if self.n == 1 else 1]
        return told

    def send(self, data):
        self.s.sendall(data)

    def reply(self, key, default):
        text = self.told(key, default)
        if text == "CLOSE":
            raise Gone()
        if text == "HANG":
            time.sleep(3600)
        if text == "FLOOD":
            while True:
                self.send(b"250-more of it\r\n" * 100)
        if text == "DRIP":
            while True:
                self.send(b"2")
                time.sleep(0.2)
        if text == "LONG":
            while True:
                self.send(b"2" * 1000)
        if text.startswith("RAW:"):
            self.send(text[4:].encode().decode("unicode_escape").encode("latin-1"))
        elif text.startswith("SLOW:"):
            for b in text[5:].encode() + b"\r\n":
                self.send(bytes([b]))
                time.sleep(0.005)
        else:
            self.send(text.encode() + b"\r\n")
        return text[:1] not in "45"

    def line(self):
        while b"\n" not in self.buf:
            d = self.s.recv(65536)
            if not d:
                raise Gone()
            self.buf += d
        line, self.buf = self.buf.split(b"\n", 1)
        return line.rstrip(b"\r")

    def text(self):
        """The message up to its end mark, LF line ends."""
        got = bytearray(b"\r\n" + self.buf)
        start = 0
        while True:
            end = got.find(b"\r\n.\r\n", start)
            if end != -1:
                break
            start = max(0, len(got) - 4)
            d = self.s.recv(65536)
            if not d:
                raise Gone()
            got += d
        self.buf = bytes(got[end + 5:])
        return bytes(got[2:end + 2]).replace(b"\r\n.", b"\r\n").replace(b"\r\n", b"\n")

    def ehlo(self):
        words = self.told("offer2", None) if self.tls else None
        if words is None:
            words = self.told("offer", "PIPELINING,8BITMIME,ENHANCEDSTATUSCODES" +
                              (",STARTTLS" if self.cert and not self.tls else ""))
        if self.told("ehlo"):
            return self.reply("ehlo", "")
        lines = ["server.example"] + [w.replace("_", " ") for w in words.split(",") if w]
        for w in lines[:-1]:
            self.send(b"250-" + w.encode() + b"\r\n")
        self.send(b"250 " + lines[-1].encode() + b"\r\n")

    def starttls(self):
        if not self.reply("starttls", "220 go on"):
            return
        how = self.told("tls")
        if how == "FAIL":
            raise Gone()
        if how == "INJECT":
            return
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(self.cert)
        if "-C" in opts:
            ctx.load_verify_locations(opts["-C"])
            ctx.verify_mode = ssl.CERT_OPTIONAL
        ctx.sni_callback = lambda s, name, c: self.note("sni %s" % name)
        self.s = ctx.wrap_socket(self.s, server_side=True)
        self.tls = True
        self.note("tls %s" % self.s.version())
        if self.s.getpeercert():
            self.note("client-cert")

    def data(self, text, rcpts):
        self.note("message %d" % len(text))
        if self.B.get("dump"):
            with open(self.B["dump"], "wb") as f:
                f.write(text)
        self.mails += 1
        if "lmtp" in self.B:
            for i, r in enumerate(rcpts):
                self.reply("end%d" % (i + 1), self.B.get("end", "250 2.0.0 taken"))
        else:
            self.reply("end", "250 2.0.0 taken")

    def serve(self):
        rcpts, bdat = [], b""
        self.reply("greeting", "220 server.example ESMTP")
        nrcpt = 0
        while True:
            if self.B.get("idle") and self.mails:
                self.s.settimeout(float(self.B["idle"]))
            line = self.line()
            self.note("> " + line.decode("utf-8", "replace"))
            verb = line.split(b" ")[0].upper()
            if verb in (b"EHLO", b"LHLO", b"HELO"):
                self.ehlo()
            elif verb == b"STARTTLS":
                self.starttls()
            elif verb == b"AUTH":
                self.reply("auth", "235 2.7.0 in")
            elif verb == b"MAIL":
                if "mails" in self.B and self.mails >= int(self.B["mails"]):
                    self.send(b"421 4.3.2 enough\r\n")
                    raise Gone()
                rcpts, nrcpt = [], 0
                self.reply("mail", "250 2.1.0 sender ok")
            elif verb == b"RCPT":
                nrcpt += 1
                if self.reply("rcpt%d" % nrcpt if "rcpt%d" % nrcpt in self.B else "rcpt", "250 2.1.5 ok"):
                    rcpts.append(line)
            elif verb == b"DATA":
                if not rcpts:
                    self.send(b"554 5.5.1 no recipients\r\n")
                    continue
                if not self.reply("data", "354 go on"):
                    continue
                if self.told("text") == "CLOSE":
                    self.s.recv(1000)
                    raise Gone()
                self.data(self.text(), rcpts)
            elif verb == b"BDAT":
                n = int(line.split()[1])
                while len(self.buf) < n:
                    d = self.s.recv(65536)
                    if not d:
                        raise Gone()
                    self.buf += d
                bdat += self.buf[:n]
                self.buf = self.buf[n:]
                if line.upper().endswith(b"LAST"):
                    self.data(bdat, rcpts)
                    bdat = b""
                else:
                    self.send(b"250 2.0.0 more\r\n")
            elif verb == b"RSET":
                rcpts, nrcpt = [], 0
                self.reply("rset", "250 2.0.0 ok")
            elif verb == b"NOOP":
                self.reply("noop", "250 2.0.0 ok")
            elif verb == b"QUIT":
                self.reply("quit", "221 2.0.0 bye")
                raise Gone()
            else:
                self.send(b"250 2.0.0 ok\r\n")


def run(c):
    s = c.s
    try:
        if "-i" in opts:
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ctx.load_cert_chain(opts["-c"])
            c.s = ctx.wrap_socket(s, server_side=True)
            c.tls = True
            c.note("tls %s" % c.s.version())
        c.serve()
    except (Gone, OSError, ssl.SSLError) as e:
        c.note("end %s" % (e or "closed"))
    finally:
        try:
            c.s.close()
        except OSError:
            pass


def listen(address, B):
    if "-u" in opts:
        server = socket.socket(socket.AF_UNIX)
        server.bind(opts["-u"])
    else:
        server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, int(opts.get("-P", "0"))))
    server.listen(50)
    threading.Thread(target=serve, args=(server, address, B), daemon=True).start()
    return 0 if "-u" in opts else server.getsockname()[1]


def serve(server, address, B):
    count = 0
    while True:
        s, _ = server.accept()
        count += 1
        if "-u" not in opts:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        c = Conn(s, count, B, address)
        c.note("connect %s" % s.getsockname()[0] if "-u" not in opts else "connect")
        threading.Thread(target=run, args=(c,), daemon=True).start()


if "-m" in opts:
    for line in open(opts["-m"]):
        words = line.rstrip("\n").split("\t")
        port = listen(words[0], behaviours(words[1:]))
else:
    port = listen(opts.get("-a", "127.0.0.1"), behaviours(args))
with open(opts["-p"] + ".new", "w") as f:
    f.write("%s\n" % port)
os.rename(opts["-p"] + ".new", opts["-p"])
threading.Event().wait()
