"""TLS as bytes, for the tests: ClientHellos of any content and what a server
answers, and connections that Python's ssl opens but whose records are then
written here, so that they can be wrong. From RFC 5246, 8446 and 5705."""
import ctypes, hashlib, hmac, os, socket, ssl, struct, subprocess, time

HELLO_RETRY = hashlib.sha256(b"HelloRetryRequest").digest()
GREEN = list(range(0x0001, 0x00c6)) + list(range(0xc001, 0xc0b4)) + list(range(0xcca8, 0xccaf)) + list(range(0xd001, 0xd006))
TLS13 = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305]
SIGALGS = [0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201]
GROUPS = [29, 23, 24, 25, 30, 26, 27, 28, 256, 257, 22, 21, 19, 1, 14]

# ---- connections ----

class Mail:
    """ports of an instance, and what is said before TLS"""
    def __init__(self, base):
        self.smtp, self.imap, self.submissions, self.submission, self.imaps = (base + n for n in (25, 143, 465, 587, 993))
        self.all = [("smtp", self.smtp), ("submission", self.submission), ("submissions", self.submissions), ("imap", self.imap), ("imaps", self.imaps)]
        self.base = base

    def open(self, name, timeout=20):
        """a socket on which the server waits for a ClientHello"""
        s = socket.create_connection(("127.0.0.1", getattr(self, name)))
        s.settimeout(timeout)
        if name in ("smtp", "submission"): said = (None, b"EHLO me\r\n", b"STARTTLS\r\n")
        elif name == "imap": said = (None, b"a STARTTLS\r\n")
        else: said = ()
        for line in said:
            if line: s.sendall(line)
            self.reply(s, name)
        return s

    def reply(self, s, name):
        """up to the last line of a reply, byte by byte: nothing of what follows"""
        line = b""
        while True:
            b = s.recv(1)
            if not b: raise EOFError(line)
            line += b
            if line.endswith(b"\n"):
                if name.startswith("imap") or line[3:4] == b" ": return line
                line = b""

def context(version=None, **more):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    if version: c.minimum_version = c.maximum_version = version
    return c

# ---- ClientHello and its answer ----

def ext(kind, body): return struct.pack(">HH", kind, len(body)) + body
def vec(body, size=2): return len(body).to_bytes(size, "big") + body

def client_hello(legacy=0x0303, ciphers=(), versions=None, host=None, alpn=None, groups=(29, 23, 24), sigalgs=SIGALGS,
        compression=(0,), shares=(), more=b"", record=0x0301, session=b""):
    e = ext(10, vec(b"".join(struct.pack(">H", g) for g in groups))) + ext(11, b"\1\0")
    e += ext(13, vec(b"".join(struct.pack(">H", x) for x in sigalgs))) + ext(23, b"") + ext(0xff01, b"\0")
    if host: e += ext(0, vec(b"\0" + vec(host.encode())))
    if alpn: e += ext(16, vec(b"".join(vec(a.encode(), 1) for a in alpn)))
    if versions:
        e += ext(43, vec(b"".join(struct.pack(">H", v) for v in versions), 1))
        e += ext(51, vec(b"".join(struct.pack(">H", g) + vec(k) for g, k in shares))) + ext(45, b"\1\1")
    e += more
    body = struct.pack(">H", legacy) + os.urandom(32) + vec(session, 1)
    body += vec(b"".join(struct.pack(">H", c) for c in ciphers)) + vec(bytes(compression), 1) + vec(e)
    return records(22, b"\1" + vec(body, 3), record)

def records(kind, body, version=0x0303, size=16384):
    return b"".join(struct.pack(">BHH", kind, version, len(body[i:i + size])) + body[i:i + size] for i in range(0, len(body), size))

def exactly(s, n):
    b = b""
    while len(b) < n:
        got = s.recv(n - len(b))
        if not got: raise EOFError
        b += got
    return b

def record(s):
    head = exactly(s, 5)
    return head[0], exactly(s, struct.unpack(">H", head[3:])[0])

class Answer:
    """alert: a number; or version, cipher, compression, extensions, retry"""
    alert = version = cipher = None

    def __init__(self, s):
        try: kind, body = record(s)
        except (EOFError, ConnectionResetError): self.alert = "closed"; return
        if kind == 21: self.alert = body[1]; return
        assert kind == 22 and body[0] == 2, body[:4]
        b = body[4:4 + int.from_bytes(body[1:4], "big")]
        self.version, self.retry, n = b[0] << 8 | b[1], b[2:34] == HELLO_RETRY, 35 + b[34]
        self.cipher, self.compression, b = b[n] << 8 | b[n + 1], b[n + 2], b[n + 5:]
        self.extensions = {}
        while b:
            k, n = struct.unpack(">HH", b[:4])
            self.extensions[k], b = b[4:4 + n], b[4 + n:]
        if 43 in self.extensions: self.version = int.from_bytes(self.extensions[43], "big")

def ask(mail, name, **hello):
    s = mail.open(name)
    try:
        s.sendall(client_hello(**hello))
        return Answer(s)
    finally: s.close()

def accepted(mail, name, offer, **hello):
    """the suites of offer that the server takes, in the order it takes them"""
    out, offer = [], list(offer)
    while offer:
        a = ask(mail, name, ciphers=offer, **hello)
        if a.alert is not None:
            assert a.alert in (40, 71), (name, a.alert)
            break
        out.append(a.cipher)
        offer.remove(a.cipher)
    return out

# ---- what comes back, and sums ----

def names(der):
    out = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-ext", "subjectAltName"], input=der, capture_output=True).stdout.decode()
    return out.split("DNS:")[1].strip()

def crc32c(b):
    c = 0xffffffff
    for x in b:
        c ^= x
        for _ in range(8): c = c >> 1 ^ (0x82f63b78 if c & 1 else 0)
    return c ^ 0xffffffff

def ends(s, limit):
    """what comes until the end, and whether that was in time"""
    t, got = time.time(), b""
    s.settimeout(limit)
    try:
        while True:
            b = s.recv(65536)
            if not b: break
            got += b
    except TimeoutError: return got, False
    except ConnectionResetError: pass
    return got, time.time() - t < limit

def in_clear(got):
    """an alert in clear and nothing else, as its number; "" nothing"""
    if got == b"": return ""
    return got[6] if got[0] == 21 and len(got) == 7 else got

# ---- records of our own ----

crypto = ctypes.CDLL("libcrypto.so.3")
for f in ("EVP_CIPHER_CTX_new", "EVP_aes_128_gcm", "EVP_aes_256_gcm"): getattr(crypto, f).restype = ctypes.c_void_p

def seal(key, nonce, aad, text):
    n, out, tag = ctypes.c_int(), ctypes.create_string_buffer(len(text) + 16), ctypes.create_string_buffer(16)
    c = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    kind = ctypes.c_void_p(crypto.EVP_aes_256_gcm() if len(key) == 32 else crypto.EVP_aes_128_gcm())
    assert crypto.EVP_EncryptInit_ex(c, kind, None, key, nonce) == 1
    assert crypto.EVP_EncryptUpdate(c, None, ctypes.byref(n), aad, len(aad)) == 1
    assert crypto.EVP_EncryptUpdate(c, out, ctypes.byref(n), text, len(text)) == 1
    assert crypto.EVP_EncryptFinal_ex(c, tag, ctypes.byref(n)) == 1
    assert crypto.EVP_CIPHER_CTX_ctrl(c, 0x10, 16, tag) == 1	# GCM_GET_TAG
    crypto.EVP_CIPHER_CTX_free(c)
    return out.raw[:len(text)] + tag.raw

def prf(secret, label, seed, n, h):
    a = seed = label + seed; out = b""
    while len(out) < n:
        a = hmac.digest(secret, a, h)
        out += hmac.digest(secret, a + seed, h)
    return out[:n]

def expand(secret, label, context, n, h):
    info = struct.pack(">H", n) + vec(b"tls13 " + label, 1) + vec(context, 1)
    out = t = b""
    while len(out) < n:
        t = hmac.digest(secret, t + info + bytes([len(out) // hashlib.new(h).digest_size + 1]), h)
        out += t
    return out[:n]

class Wire:
    """A connection that is opened properly. send() writes a record of our own; read() reads through ssl."""
    def __init__(self, sock, version, name=None, ctx=None):
        self.s, self.log = sock, "keys.%d.%d" % (os.getpid(), sock.fileno())
        c = ctx or context(version)
        # a suite whose records are easily made
        if version == ssl.TLSVersion.TLSv1_2: c.set_ciphers("ECDHE+AES128+AESGCM")
        c.keylog_filename = self.log
        self.inb, self.outb, self.seen = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
        self.o = c.wrap_bio(self.inb, self.outb, server_hostname=name)
        while True:
            try: self.o.do_handshake(); break
            except ssl.SSLWantReadError: self.flush(); self.more()
        self.flush()
        self.v13 = self.o.version() == "TLSv1.3"
        self.keys()
        os.unlink(self.log)

    def flush(self):
        b = self.outb.read()
        if b: self.hello = getattr(self, "hello", b); self.s.sendall(b)

    def more(self):
        b = self.s.recv(65536)
        if not b: raise EOFError
        if len(self.seen) < 200: self.seen += b
        self.inb.write(b)

    def read(self, n=65536):
        """bytes; b"" at close_notify; EOFError and ssl.SSLError (an alert) else"""
        while True:
            try: return self.o.read(n)
            except ssl.SSLWantReadError: self.more()
            except ssl.SSLZeroReturnError: return b""

    def keys(self):
        words = dict((l.split()[0], l.split()) for l in open(self.log) if l[0] != "#")
        client_random, server_random = self.hello[11:43], self.seen[11:43]
        cipher = self.o.cipher()[0]
        self.h = "sha384" if cipher.endswith("384") else "sha256"
        label = b"EXPORTER-Channel-Binding"
        if self.v13:
            assert "AES_256_GCM" in cipher or "AES_128_GCM" in cipher, cipher
            self.size, empty = 32 if "256_GCM" in cipher else 16, hashlib.new(self.h, b"").digest()
            self.secret = bytes.fromhex(words["CLIENT_TRAFFIC_SECRET_0"][2])
            top = bytes.fromhex(words["EXPORTER_SECRET"][2])
            derived = expand(top, label, empty, len(top), self.h)
            self.exporter = expand(derived, b"exporter", empty, 32, self.h)
            self.next_key()
        else:
            master = bytes.fromhex(words["CLIENT_RANDOM"][2])
            block = prf(master, b"key expansion", server_random + client_random, 40, self.h)
            self.key, self.iv, self.seq = block[:16], block[32:36], 1
            self.exporter = prf(master, label, client_random + server_random + b"\0\0", 32, self.h)

    def next_key(self):
        self.key, self.iv, self.seq = expand(self.secret, b"key", b"", self.size, self.h), expand(self.secret, b"iv", b"", 12, self.h), 0

    def make(self, kind, body, broken=False):
        seq = struct.pack(">Q", self.seq)
        self.seq += 1
        if self.v13:
            text = body + bytes([kind])
            head = struct.pack(">BHH", 23, 0x0303, len(text) + 16)
            nonce = bytes(a ^ b for a, b in zip(self.iv, b"\0\0\0\0" + seq))
            sealed = seal(self.key, nonce, head, text)
        else:
            head = struct.pack(">BHH", kind, 0x0303, len(body) + 24)
            sealed = seq + seal(self.key, self.iv + seq, seq + head[:3] + struct.pack(">H", len(body)), body)
        if broken: sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        return head + sealed

    def send(self, kind, body, broken=False): self.s.sendall(self.make(kind, body, broken))

    def key_update(self, ask):
        b = self.make(22, b"\x18\0\0\1" + bytes([ask]))
        self.secret = expand(self.secret, b"traffic upd", b"", len(self.secret), self.h)
        self.next_key()
        return b

    def ending(self):
        """how it ends when nothing more is sent: what comes after the data"""
        n = 0
        try:
            while True:
                b = self.read()
                if b == b"": return "close_notify"
                n += len(b)
        except EOFError: return "eof"
        except ssl.SSLError as e: return (e.reason or str(e)).lower()
        except TimeoutError: return "timeout"
        except OSError: return "reset"
