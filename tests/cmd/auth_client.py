# auth_client.py - a client of the auth protocol, with SCRAM, for tests
import base64, hashlib, hmac, os, socket


def check(name, got, want):
    print("%s\t%s" % (name, "ok" if got == want else
                      "got %r, want %r" % (got, want)))


def b64(b):
    return base64.b64encode(b if isinstance(b, bytes) else b.encode()).decode()


class Client:
    def __init__(self, path=None):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(path or os.environ["PIPEMAIL_RUN"] + "/auth")
        self.s.settimeout(20)
        self.f = self.s.makefile("rb")
        self.n = 0
        self.mechs = []
        while True:
            l = self.line()
            if l.startswith("MECH"):
                self.mechs.append(l.split("\t")[1])
            if l == "DONE":
                break
        self.say("VERSION\t1\t1\nCPID\t%d\n" % os.getpid())

    def say(self, text):
        self.s.sendall(text.encode())

    def line(self):
        try:
            return self.f.readline().decode().rstrip("\n")
        except ConnectionResetError:
            return ""

    def reply(self):
        return self.line().replace("\t%d" % self.n, "", 1)

    # fields: "service=imap\trip=..."; response None: none
    def auth(self, mech, response=None, fields="service=imap"):
        self.n += 1
        self.say("AUTH\t%d\t%s\t%s%s\n" % (
            self.n, mech, fields,
            "" if response is None else "\tresp=" + b64(response)))
        return self.reply()

    def cont(self, response):
        self.say("CONT\t%d\t%s\n" % (self.n, b64(response)))
        return self.reply()

    def plain(self, user, password, fields="service=imap", authzid=""):
        return self.auth("PLAIN", "%s\0%s\0%s" % (authzid, user, password),
                         fields)

    # Up to the reply to the proof; then server-final is checked.
    def scram(self, mech, user, password, fields="service=imap", gs2="n,,",
              binding=b""):
        name = {"1": "sha1", "256": "sha256", "512": "sha512"}[
            mech.replace("-PLUS", "").split("-")[-1]]
        nonce = b64(os.urandom(18))
        bare = "n=%s,r=%s" % (user.replace("=", "=3D").replace(",", "=2C"),
                              nonce)
        r = self.auth(mech, gs2 + bare, fields)
        if not r.startswith("CONT\t"):
            return r
        first = base64.b64decode(r[5:]).decode()
        a = dict(x.split("=", 1) for x in first.split(","))
        assert a["r"].startswith(nonce) and len(a["r"]) > len(nonce)
        self.salt = a["s"]
        salted = hashlib.pbkdf2_hmac(name, password.encode(),
                                     base64.b64decode(a["s"]), int(a["i"]))
        h = lambda k, t: hmac.new(k, t, name).digest()
        key = h(salted, b"Client Key")
        final = "c=%s,r=%s" % (b64(gs2.encode() + binding), a["r"])
        text = ("%s,%s,%s" % (bare, first, final)).encode()
        proof = bytes(x ^ y for x, y in zip(
            key, h(hashlib.new(name, key).digest(), text)))
        r = self.cont(final + ",p=" + b64(proof))
        if not r.startswith("CONT\t"):
            return r
        want = "v=" + b64(h(h(salted, b"Server Key"), text))
        if base64.b64decode(r[5:]).decode() != want:
            return "wrong server signature"
        return self.cont("")

    def cram(self, user, password, fields="service=imap"):
        r = self.auth("CRAM-MD5", None, fields)
        if not r.startswith("CONT\t"):
            return r
        d = hmac.new(password.encode(), base64.b64decode(r[5:]), "md5")
        return self.cont(user + " " + d.hexdigest())
