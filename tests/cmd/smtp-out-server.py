"""smtp-out-server.py - an SMTP or LMTP server that does what it is told.

usage: smtp-out-server.py -p PORTFILE [-a ADDRESS] [-P PORT] [-u SOCKET]
           [-l LOG] [-c CERTIFICATE] [-i] [BEHAVIOUR ...]

Serves every connection in a thread, until it is ended. LOG gets "connect",
each command, "tls", and "message SIZE" lines. A BEHAVIOUR is WORD=VALUE:

  offer=WORD,...    what EHLO offers, "_" for blanks
  offer2=WORD,...   what EHLO offers after STARTTLS
  greeting|ehlo|mail|rcpt|data|end|rset|noop|quit|starttls|auth=REPLY
                    the reply there; "CLOSE" closes instead; "SLOW:REPLY" says
                    it byte by byte; "RAW:TEXT" sends bytes (\\r\\n escapes);
                    "FLOOD" never ends; "HANG" says nothing
  rcptN=REPLY       of the Nth recipient of a mail
  mails=N           closes after N mails with 421
  tls=FAIL          closes instead of a handshake; tls=INJECT sends text first
  only=N            behaviours but for offers are for the first N connections
  lmtp=1            a reply for each recipient at the end
"""
import getopt, os, socket, ssl, sys, threading, time

opts, args = getopt.getopt(sys.argv[1:], "p:a:P:u:l:c:iC:")
opts = dict(opts)
B = dict(a.split("=", 1) for a in args)
log = open(opts["-l"], "a", buffering=1) if "-l" in opts else sys.stderr
lock = threading.Lock()
count = 0


def note(text):
    with lock:
        log.write(text + "\n")


class Gone(Exception):
    pass


class Conn:
    def __init__(self, s, n):
        self.s, self.n, self.tls, self.mails = s, n, False, 0
        self.buf = b""

    def told(self, key, default=None):
        if "only" in B and self.n > int(B["only"]) and not key.startswith("offer"):
            return default
        return B.get(key, default)

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

    def ehlo(self):
        words = self.told("offer2", None) if self.tls else None
        if words is None:
            words = self.told("offer", "PIPELINING,8BITMIME,ENHANCEDSTATUSCODES" +
                              (",STARTTLS" if "-c" in opts and not self.tls else ""))
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
        ctx.load_cert_chain(opts["-c"])
        if "-C" in opts:
            ctx.load_verify_locations(opts["-C"])
            ctx.verify_mode = ssl.CERT_OPTIONAL
        ctx.sni_callback = lambda s, name, c: note("sni %s" % name)
        self.s = ctx.wrap_socket(self.s, server_side=True)
        self.tls = True
        note("tls %s" % self.s.version())
        if self.s.getpeercert():
            note("client-cert")

    def data(self, text, rcpts):
        note("message %d" % len(text))
        if B.get("dump"):
            with open(B["dump"], "wb") as f:
                f.write(text)
        self.mails += 1
        if "lmtp" in B:
            for i, r in enumerate(rcpts):
                self.reply("end%d" % (i + 1), B.get("end", "250 2.0.0 taken"))
        else:
            self.reply("end", "250 2.0.0 taken")

    def serve(self):
        rcpts, bdat = [], b""
        self.reply("greeting", "220 server.example ESMTP")
        nrcpt = 0
        while True:
            if B.get("idle") and self.mails:
                self.s.settimeout(float(B["idle"]))
            line = self.line()
            note("> " + line.decode("utf-8", "replace"))
            verb = line.split(b" ")[0].upper()
            if verb in (b"EHLO", b"LHLO", b"HELO"):
                self.ehlo()
            elif verb == b"STARTTLS":
                self.starttls()
            elif verb == b"AUTH":
                self.reply("auth", "235 2.7.0 in")
            elif verb == b"MAIL":
                if "mails" in B and self.mails >= int(B["mails"]):
                    self.send(b"421 4.3.2 enough\r\n")
                    raise Gone()
                rcpts, nrcpt = [], 0
                self.reply("mail", "250 2.1.0 sender ok")
            elif verb == b"RCPT":
                nrcpt += 1
                if self.reply("rcpt%d" % nrcpt if "rcpt%d" % nrcpt in B else "rcpt", "250 2.1.5 ok"):
                    rcpts.append(line)
            elif verb == b"DATA":
                if not rcpts:
                    self.send(b"554 5.5.1 no recipients\r\n")
                    continue
                if not self.reply("data", "354 go on"):
                    continue
                text = b""
                while True:
                    l = self.line()
                    if l == b".":
                        break
                    text += l[1:] if l.startswith(b".") else l
                    text += b"\n"
                self.data(text, rcpts)
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


def run(s, n):
    c = Conn(s, n)
    try:
        if "-i" in opts:
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ctx.load_cert_chain(opts["-c"])
            c.s = ctx.wrap_socket(s, server_side=True)
            c.tls = True
            note("tls %s" % c.s.version())
        c.serve()
    except (Gone, OSError, ssl.SSLError) as e:
        note("end %s" % (e or "closed"))
    finally:
        try:
            c.s.close()
        except OSError:
            pass


if "-u" in opts:
    server = socket.socket(socket.AF_UNIX)
    server.bind(opts["-u"])
else:
    address = opts.get("-a", "127.0.0.1")
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, int(opts.get("-P", "0"))))
server.listen(50)
with open(opts["-p"] + ".new", "w") as f:
    f.write("%s\n" % (server.getsockname()[1] if "-u" not in opts else "0"))
os.rename(opts["-p"] + ".new", opts["-p"])
while True:
    s, _ = server.accept()
    count += 1
    if "-u" not in opts:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    note("connect %s" % s.getsockname()[0] if "-u" not in opts else "connect")
    threading.Thread(target=run, args=(s, count), daemon=True).start()
