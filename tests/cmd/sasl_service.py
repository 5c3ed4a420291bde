# sasl_service.py - AUTH of SMTP and AUTHENTICATE of IMAP behind TLS, with the
# mechanisms of auth_client
import base64, hashlib, os, re, socket, ssl
from auth_client import Client, b64, check


class Service(Client):
    """One connection; "CONT\\tbase64", "OK", or "FAIL" and the reply."""

    def __init__(self, proto, port, cert=None, version=None, resume=None):
        self.imap = proto == "imap"
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
        if cert:
            c.load_cert_chain(cert)
        if version:
            c.minimum_version = c.maximum_version = version
        if resume:
            c = resume.context
        self.context = c
        self.s = c.wrap_socket(socket.create_connection(
            ("127.0.0.1", int(port))), server_hostname="mx.example.org",
            session=resume.s.session if resume else None)
        self.s.settimeout(30)
        self.f = self.s.makefile("rb")
        self.n = 0
        self.greeting = self.raw_line()
        self.mechs = re.findall("AUTH=([^ \\]]*)", self.greeting)
        if not self.imap:
            self.command("EHLO me")
            for l in self.lines:
                if l.startswith("250-AUTH"):
                    self.mechs = l.split()[1:]

    def send(self, text):
        if isinstance(text, str):
            text = text.encode()
        try:
            self.s.sendall(text + b"\r\n")
        except OSError:
            pass                # the answer tells why

    def raw_line(self):
        try:
            return self.f.readline().decode().rstrip("\r\n")
        except OSError:
            return ""

    # The reply of SMTP, or the tagged one of IMAP; "" the connection ended
    def answer(self):
        self.lines = []
        while True:
            l = self.raw_line()
            self.lines.append(l)
            if l == "":
                return ""
            if self.imap and (l[:2] == "+ " or l.startswith("t%d " % self.n)):
                return l
            if not self.imap and l[3:4] == " ":
                return l

    def command(self, text):
        self.n += 1
        self.send(("t%d " % self.n if self.imap else "") + text)
        return self.answer()

    def outcome(self):
        l = self.answer()
        if l[:2] == "+ " and self.imap or l[:4] == "334 ":
            return "CONT\t" + l.split(" ", 1)[1]
        if self.imap:
            l = l.split(" ", 1)[-1]
        return "OK" if l[:3] in ("OK ", "235") else "FAIL " + l

    # the response as it is
    def auth_raw(self, mech, text=None):
        self.n += 1
        self.send(("t%d AUTHENTICATE " % self.n if self.imap else "AUTH ") +
                  mech + ("" if text is None else " " + text))
        return self.outcome()

    def cont_raw(self, text):
        self.send(text)
        return self.outcome()

    def auth(self, mech, response=None, fields=None):
        return self.auth_raw(mech, None if response is None else
                             b64(response) or "=")

    def cont(self, response):
        return self.cont_raw(b64(response))

    # It goes on as if nothing had been
    def usable(self, user="alice", password="password of alice"):
        l = self.command("NOOP")
        if not l.startswith("t%d OK" % self.n if self.imap else "250"):
            return "NOOP: %r" % l
        return self.plain(user, password)

    def end_point(self):
        return hashlib.sha256(self.s.getpeercert(True)).digest()

    def unique(self):
        return self.s.get_channel_binding("tls-unique")

    def close(self):
        self.f.close()
        self.s.close()


REPLIES = {
    # the exchange was right in form, and failed
    "no": ("FAIL NO [AUTHENTICATIONFAILED] ", "FAIL 535 5.7.8 "),
    # it was not
    "bad": ("FAIL BAD ", "FAIL 501 5."),
    "not offered": ("FAIL NO [CANNOT] ", "FAIL 504 5.5.4 "),
    "ok": ("OK", "OK"),
}
MITM = "channel binding does not match: possible man in the middle"


def is_kind(got, kind, imap):
    return got.startswith(REPLIES[kind][0 if imap else 1])
