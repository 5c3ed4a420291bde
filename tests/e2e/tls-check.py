"""tls-check.py PART BASE PASSWORD DIRECTORY: lines for python_tests"""
import base64, hashlib, json, os, re, signal, socket, ssl, struct, subprocess, sys, time
sys.path.insert(0, os.environ["TOP"] + "/tests")
from tls_wire import *

part, base, pw, ls = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
mail = Mail(base)
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
GCM = [0xc02c, 0xc030, 0xc02b, 0xc02f, 0xcca9, 0xcca8]
CBC_SHA1 = [0xc00a, 0xc014, 0xc009, 0xc013]

def show(name, value, want=True): print("%s\t%s" % (name, "ok" if value == want else repr(value)), flush=True)
def pid(service): return int(subprocess.check_output(["s6-svstat", "-o", "pid", ls + "/run/service/" + service]))
def children(p): return [int(x) for x in open("/proc/%d/task/%d/children" % (p, p)).read().split()]
def workers(): return sorted(children(pid("tls-serve")))
def log(service="tls-serve"): return open("%s/log/%s/current" % (ls, service), errors="replace").read()

def reload(what="m=reload"):
    """SIGHUP, until each worker has said that it is done"""
    n, w = log().count(what), len(workers())
    os.kill(pid("tls-serve"), signal.SIGHUP)
    end = time.time() + 10
    while log().count(what) < n + w and time.time() < end: time.sleep(0.05)

def names(der):
    out = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-ext", "subjectAltName"], input=der, capture_output=True).stdout.decode()
    return out.split("DNS:")[1].strip()

def secure(name, host="localhost", ctx=None, session=None, version=None):
    s = mail.open(name)
    return (ctx or context(version)).wrap_socket(s, server_hostname=host or None, session=session)

def capabilities(s, name):
    """what a server says behind TLS, as one line"""
    f = s.makefile("rwb")
    if name == "imap": f.write(b"b CAPABILITY\r\n"); f.flush()
    elif name != "imaps":
        if name == "submissions": f.readline()
        f.write(b"EHLO me\r\n"); f.flush()
    out = b""
    while True:
        line = f.readline()
        out += line
        if not line or (name.startswith("imap") and b"CAPABILITY" in line) or line[3:4] == b" ": return out.decode()

def works(name="imaps"):
    s = secure(name); s.settimeout(20)
    c = capabilities(s, name); s.close()
    return "STARTTLS" not in c and ("IMAP4rev1" in c or "PIPELINING" in c)

# ---- what is spoken ----

def scan():
    for name, _ in mail.all:
        for word, version, alert in ("SSL 3.0", 0x0300, 40), ("TLS 1.0", 0x0301, 70), ("TLS 1.1", 0x0302, 70):
            show("L-8 %s: %s is refused" % (name, word), ask(mail, name, legacy=version, ciphers=GREEN, record=version).alert, alert)
        a = ask(mail, name, ciphers=GREEN)
        show("L-8 %s: TLS 1.2, forward secrecy, no compression" % name, (a.version, a.cipher in GCM, a.compression), (0x0303, True, 0))
        show("%s: secure renegotiation (RFC 5746), extended master secret, no heartbeat" % name,
            [x in ask(mail, name, ciphers=GREEN, more=ext(15, b"\1")).extensions for x in (0xff01, 23, 15)], [True, True, False])
        a = ask(mail, name, ciphers=GREEN, compression=(1, 64, 0))
        show("%s: compression is off though it is offered" % name, (a.alert, a.compression), (None, 0))
        want = GCM + (CBC_SHA1 if name == "smtp" else [])
        got = accepted(mail, name, GREEN)
        show("%s: of all suites of TLS 1.2 these and no other: no RSA key exchange, DH, CBC, 3DES, RC4, NULL, export" % name if name != "smtp" else
            "smtp: these and no other; CBC only last, so that old servers need not send in clear", got, want)
        show("%s: the server's order counts" % name, ask(mail, name, ciphers=[c for c in reversed(GREEN) if c >> 8 != 0xcc]).cipher, got[0])
        show("%s: ECDSA alone, and RSA alone (both certificates are there)" % name,
            [ask(mail, name, ciphers=[c]).cipher for c in (0xc02b, 0xc02f)], [0xc02b, 0xc02f])
        show("%s: CHACHA20 for those who have it first" % name, ask(mail, name, ciphers=[0xcca9, 0xc02b, 0xc02c]).cipher, 0xcca9)
        show("%s: a fallback from TLS 1.3 is noticed (RFC 7507)" % name, ask(mail, name, ciphers=GCM + [0x5600]).alert, 86)
        show("L-8 %s: TLS 1.3 by its extension, three suites" % name, sorted(accepted(mail, name, TLS13, versions=[0x0304], session=b"s" * 32)), TLS13[:3])
        show("L-8 %s: of several versions the best" % name, ask(mail, name, ciphers=GREEN + TLS13, versions=[0x0301, 0x0302, 0x0303, 0x0304]).version, 0x0304)
        groups, left = [], list(GROUPS)
        while left:
            a = ask(mail, name, ciphers=TLS13, versions=[0x0304], groups=left)
            if a.alert is not None: break
            groups.append(int.from_bytes(a.extensions[51], "big")); left.remove(groups[-1])
        show("%s: groups X25519, P-256, P-384 (a retry asks for the share)" % name, groups, [29, 23, 24])
        show("%s: no suite in common: handshake_failure" % name, ask(mail, name, ciphers=[0x002f, 0x0035, 0x000a, 0x0004]).alert, 40)

def page():
    """the page's list is what is served"""
    text = open(os.environ["TOP"] + "/man/tls-serve.8").read()
    code = {0xc02c: "ECDHE-ECDSA-AES256-GCM-SHA384", 0xc030: "ECDHE-RSA-AES256-GCM-SHA384", 0xc02b: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02f: "ECDHE-RSA-AES128-GCM-SHA256",
        0xcca9: "ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca8: "ECDHE-RSA-CHACHA20-POLY1305", 0xc00a: "ECDHE-ECDSA-AES256-SHA", 0xc014: "ECDHE-RSA-AES256-SHA",
        0xc009: "ECDHE-ECDSA-AES128-SHA", 0xc013: "ECDHE-RSA-AES128-SHA", 0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256"}
    got = [code[c] for c in accepted(mail, "smtp", TLS13, versions=[0x0304])] + [code[c] for c in accepted(mail, "smtp", GREEN)]
    show("tls-serve(8) has the list that is served", re.findall(r"^(?:TLS_|ECDHE-)\S+$", text, re.M), got)

def offers():
    """server names, ALPN, client certificates, bindings"""
    for name, _ in mail.all:
        show("%s: the certificate for the name" % name, names(secure(name, "other.example").getpeercert(True)), "other.example")
        show("L-7 %s: no name: the listener's host name" % name, names(secure(name, "").getpeercert(True)), "localhost")
        try: got = names(secure(name, "nobody.example").getpeercert(True))
        except ssl.SSLError as e: got = e.reason
        if name == "smtp": show("R-31 smtp: unknown name: the listener's host name", got, "localhost")
        else: show("L-7 %s: unknown name: alert unrecognized_name" % name, got, "TLSV1_UNRECOGNIZED_NAME")
        right, wrong = ("imap", "smtp") if name.startswith("imap") else ("smtp", "imap")
        def alpn(*l):
            c = context(); c.set_alpn_protocols(l)
            return secure(name, ctx=c).selected_alpn_protocol()
        show("%s: ALPN %s is chosen, also behind others" % (name, right), [alpn(right), alpn("h2", right)], [right, right])
        show("%s: other protocols by ALPN: alert no_application_protocol" % name,
            [ask(mail, name, ciphers=GCM, alpn=l).alert for l in ((wrong,), ("http/1.1", "h2"))], [120, 120])
        c = context(); c.load_cert_chain("client.pem")
        asked = name != "smtp"
        show("%s: a client certificate %s" % (name, "is taken, for EXTERNAL" if asked else "is not asked for"), "EXTERNAL" in capabilities(secure(name, ctx=c), name), asked)
        show("%s: and nobody needs one" % name, "EXTERNAL" in capabilities(secure(name), name), False)

def peer(port, host, version=None, ctx=None, session=None):
    """through tests/tls-peer.py: the connection and the preface as the server got it"""
    s = (ctx or context(version)).wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=host, session=session)
    s.settimeout(20)
    return s, json.loads(s.makefile("rb").readline())

def bindings():
    port = int(sys.argv[5])
    for host, hash in ("localhost", "sha256"), ("sha384.example", "sha384"), ("sha512.example", "sha512"), ("pss.example", "sha384"), ("sha1.example", "sha256"), ("ed25519.example", None):
        for version in V12, V13:
            c = context(version)
            s, p = peer(port, host, ctx=c)
            der = s.getpeercert(True)
            show("tls-server-end-point %s, %s" % (host, s.version()), p.get("end_point"), hash and hashlib.new(hash, der).hexdigest())
    for version in V12, V13:
        s = Wire(socket.create_connection(("127.0.0.1", port)), version, "localhost")
        show("tls-exporter as RFC 5705 makes it, %s" % s.o.version(), json.loads(s.read())["exporter"], s.exporter.hex())
    c = context(V12); c.options |= 1	# SSL_OP_NO_EXTENDED_MASTER_SECRET
    s, p = peer(port, "localhost", ctx=c)
    show("RFC 9266: no tls-exporter without extended master secret", "exporter" in p, False)
    # a session that is resumed: the first one's certificate and client key, whatever is served by then
    for version in V12, V13:
        for kind, ciphers in ("ECDSA", "ECDHE+ECDSA"), ("RSA", "ECDHE+aRSA"):
            c = context(version); c.load_cert_chain("client.pem")
            if version == V12: c.set_ciphers(ciphers)
            elif kind == "RSA": continue
            s, p = peer(port, "localhost", ctx=c)
            t, q = peer(port, "localhost", ctx=c, session=s.session)
            show("resumed: the end point of the %s certificate shown, %s" % (kind, t.version()),
                (t.session_reused, q.get("end_point")), (True, hashlib.sha256(s.getpeercert(True)).hexdigest()))
            show("resumed: the client's key is known, %s" % t.version(), (p["key"] == q.get("key"), q["exporter"] != p["exporter"]), (True, True))

def tickets():
    sessions = {}
    for name, _ in mail.all:
        for version in V12, V13:
            c = context(version); c.load_cert_chain("client.pem")
            s = secure(name, ctx=c); capabilities(s, name)
            have = s.session is not None and s.session.has_ticket
            word = "%s, %s" % (name, s.version())
            show("R-32 %s: %s" % (word, "no tickets by default" if name == "smtp" else "a ticket"), have, name != "smtp")
            if not have: continue
            t = secure(name, ctx=c, session=s.session)
            show("R-32 %s: resumed, and the client key is kept" % word, (t.session_reused, "EXTERNAL" in capabilities(t, name)), (True, True))
            sessions[name, version] = c, s.session
    for (name, version), (c, session) in sessions.items():
        if name not in ("imaps", "submission"): continue
        def again(): t = secure(name, ctx=c, session=session); capabilities(t, name); return t.session_reused
        word = "%s, %s" % (name, version.name)
        show("R-32 %s: whichever of %d workers has it" % (word, len(workers())), all(again() for _ in range(8)))
        reload()
        show("R-32 %s: also after SIGHUP" % word, again())
        old = workers()
        for w in old: os.kill(w, signal.SIGKILL)
        end = time.time() + 10
        while time.time() < end:
            try:
                if len(workers()) == len(old) and works(name): break
            except (OSError, EOFError, ssl.SSLError): pass
            time.sleep(0.1)
        show("R-32 %s: and at new workers" % word, again())
        # a name of its own: a session is for the name it began with (RFC 6066 3)
        t = secure(name, "other.example", ctx=c, session=session)
        show("%s: with another name the certificate is not mixed up" % word, t.session_reused and version == V12, False)

def early():
    """0-RTT, which Python's ssl cannot do: OpenSSL itself"""
    ssl_ = ctypes.CDLL("libssl.so.3")
    P = ctypes.c_void_p
    for f in "TLS_client_method", "SSL_CTX_new", "SSL_new", "SSL_get1_session": getattr(ssl_, f).restype = P
    ctx = P(ssl_.SSL_CTX_new(P(ssl_.TLS_client_method())))
    def connect(name, session=None):
        s = mail.open(name)
        s.setblocking(True)
        o = P(ssl_.SSL_new(ctx)); ssl_.SSL_set_fd(o, s.fileno())
        early = None
        if session:
            ssl_.SSL_SESSION_set_max_early_data(session, 16384)
            ssl_.SSL_set_session(o, session)
            n, text = ctypes.c_size_t(), b"e NOOP\r\n"
            assert ssl_.SSL_write_early_data(o, text, len(text), ctypes.byref(n)) == 1
        assert ssl_.SSL_connect(o) == 1
        buf = ctypes.create_string_buffer(4096)
        if name == "submission": assert ssl_.SSL_write(o, b"EHLO me\r\n", 9) == 9
        n = ssl_.SSL_read(o, buf, 4096)
        s.settimeout(1)
        return s, o, buf.raw[:max(n, 0)]
    for name in "imaps", "submission":
        s, o, text = connect(name)
        session = P(ssl_.SSL_get1_session(o))
        show("%s: a ticket allows no early data" % name, ssl_.SSL_SESSION_get_max_early_data(session), 0)
        s, o, text = connect(name, session)
        show("%s: early data that is sent all the same is refused, and not read" % name, (ssl_.SSL_get_early_data_status(o), b"e OK" in text, len(text) > 0), (1, False, True))


# ---- no manners ----

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

def instead():
    """other things instead of a ClientHello"""
    hello = client_hello(ciphers=GCM)
    things = [("noise", b"\x9d" + os.urandom(3000)), ("HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), ("HTTP POST of SMTP", b"POST / HTTP/1.1\r\n\r\nEHLO x\r\nQUIT\r\n"),
        ("SMTP in clear", b"EHLO x\r\nQUIT\r\n"), ("IMAP in clear", b"a CAPABILITY\r\nb LOGOUT\r\n"), ("SSL 2.0", b"\x80\x2e\1\3\1" + os.urandom(43)), ("NULs", bytes(5000)),
        ("a stream of alerts", b"\x15\3\1\0\2\1\x5a" * 1000), ("a fatal alert", b"\x15\3\1\0\2\2\x28"), ("application data", records(23, b"x" * 100)), ("a record of 65535", b"\x16\3\1\xff\xff" + bytes(70000)),
        ("a record of 16641", b"\x16\3\1\x41\1" + bytes(17000)), ("empty records", b"\x16\3\1\0\0" * 200), ("a record of SSL 9.9", b"\x16\x09\x09" + hello[3:]),
        ("a ServerHello", records(22, b"\2\0\0\x26" + bytes(38))), ("a ChangeCipherSpec first", b"\x14\3\1\0\1\1" * 100), ("a message of 140000", records(22, b"\1" + (140000).to_bytes(3, "big") + bytes(140000))),
        ("a hello cut inside its record", b"\x16\3\1\0\x20" + hello[5:37] + bytes(200)), ("two lengths that differ", hello[:8] + b"\0" + hello[9:])]
    for word, data in things:
        got = []
        for name, _ in mail.all:
            s = mail.open(name)
            try: s.sendall(data)
            except OSError: pass
            text, in_time = ends(s, 2.5)
            s.close()
            if not in_time or not (in_clear(text) == "" or isinstance(in_clear(text), int)): got.append((name, text[:50], in_time))
        show("%s instead of a ClientHello: at once an alert or the end, nothing else" % word, got, [])
    for name, _ in mail.all:
        show("%s: a hello of 60 kB is one" % name, ask(mail, name, ciphers=GCM, more=ext(21, bytes(60000))).alert, None)
        s = mail.open(name)
        s.sendall(records(22, b"\1" + (140000).to_bytes(3, "big") + bytes(60000)))
        show("%s: one of 140 kB is refused by its length" % name, Answer(s).alert, 47)

def slow():
    """whatever stops half-way ends by the time-outs: 3 s for the handshake, 4 s for a command"""
    hello, open_ = client_hello(ciphers=GCM), []
    for name, _ in mail.all:
        for n in 0, 1, 4, 5, 6, 43, len(hello) - 1:
            s = mail.open(name); s.sendall(hello[:n]); open_.append(("%s: %d bytes of a hello" % (name, n), s))
        s = mail.open(name); s.sendall(hello); assert Answer(s).alert is None
        open_.append(("%s: a hello, and no more" % name, s))
        s = mail.open(name); s.sendall(client_hello(ciphers=TLS13, versions=[0x0304])); assert Answer(s).retry
        open_.append(("%s: no answer to a retry" % name, s))
    t, bad = time.time(), []
    for word, s in open_:
        text, in_time = ends(s, max(0.1, 6 - (time.time() - t)))
        if not in_time: bad.append(word)
        s.close()
    show("%d handshakes that stop are ended by their time-out" % len(open_), bad, [])
    show("R-30 with a line for each", log().count("reason=timeout") >= len(open_))
    for name in "submissions", "imaps":
        for version in V12, V13:
            w = Wire(mail.open(name), version, "localhost"); w.read()
            r = w.make(23, b"NOOP\r\n" if name == "submissions" else b"a NOOP\r\n")
            w.s.sendall(r[:-3])
            v = Wire(mail.open(name), version, "localhost"); v.read()
            v.s.sendall(v.make(23, b"a NOOP\r\n")[:9]); v.s.shutdown(socket.SHUT_WR)
            t = time.time()
            show("%s, %s: the end within a data record ends the session" % (name, w.o.version()), v.ending() in ("close_notify", "eof", "reset") and time.time() - t < 2)
            w.s.settimeout(8)
            show("%s, %s: a data record that stops ends by the command's time-out" % (name, w.o.version()), w.ending(), "close_notify")
            u = Wire(mail.open(name), version, "localhost"); u.read()
            r = u.make(23, b"NOOP\r\n" if name == "submissions" else b"a NOOP\r\n")
            for i in range(len(r)): u.s.sendall(r[i:i + 1])
            show("%s, %s: byte by byte it is a command" % (name, w.o.version()), b"250 " in u.read() if name == "submissions" else True)

def wire(port, version):
    w = Wire(socket.create_connection(("127.0.0.1", port)), version, "localhost")
    w.s.settimeout(20)
    w.read()
    return w

def echo(w, text):
    w.send(23, text)
    got = b""
    while len(got) < len(text):
        b = w.read()
        if not b: break
        got += b
    return got == text

def wrong():
    """records that are wrong, behind a handshake"""
    port = int(sys.argv[5])
    for version in V12, V13:
        w = wire(port, version); word = w.o.version()
        show("%s: a record of 16384 bytes" % word, echo(w, os.urandom(16384)))
        w.send(23, bytes(16385))
        show("%s: one more: record_overflow" % word, w.ending(), "tlsv1_alert_record_overflow")
        w = wire(port, version); w.s.sendall(b"\x17\3\3\xff\xff" + bytes(65535))
        show("%s: a record of 65535" % word, w.ending() in ("tlsv1_alert_record_overflow", "reset"))
        w = wire(port, version); w.send(23, b"hello", broken=True)
        show("%s: a broken record: bad_record_mac" % word, w.ending(), "sslv3_alert_bad_record_mac")
        w = wire(port, version); w.s.sendall(records(23, os.urandom(500)))
        show("%s: noise in a record" % word, w.ending(), "sslv3_alert_bad_record_mac")
        w = wire(port, version); w.s.sendall(b"hello in clear\r\n" * 2)
        show("%s: clear text behind the handshake" % word, w.ending() in ("tlsv1_alert_protocol_version", "sslv3_alert_unexpected_message", "tlsv1_alert_record_overflow", "wrong_version_number", "record_layer_failure", "reset", "eof"))
        w = wire(port, version)
        for _ in range(20): w.send(23, b"")
        show("%s: some empty records" % word, echo(w, b"hello"))
        try:
            for _ in range(40): w.send(23, b"")
        except OSError: pass
        show("%s: too many empty records" % word, w.ending() in ("sslv3_alert_unexpected_message", "reset"))
        w = wire(port, version); w.send(21, b"\1\0"); w.s.shutdown(socket.SHUT_WR)
        show("%s: close_notify is answered" % word, w.ending(), "close_notify")
        w = wire(port, version); w.send(21, b"\2\x50")
        show("%s: a fatal alert ends it" % word, w.ending() in ("eof", "reset", "close_notify"))
        w = wire(port, version); w.send(22, b"\4\0\0\0")
        show("%s: a message out of order" % word, w.ending(), "sslv3_alert_unexpected_message")
    w = wire(port, V12)
    for _ in range(4): w.send(21, b"\1\x29")
    show("TLSv1.2: some warnings", echo(w, b"hello"))
    try:
        for _ in range(20): w.send(21, b"\1\x29")
    except OSError: pass
    show("TLSv1.2: a stream of warnings is ended", w.ending() in ("sslv3_alert_unexpected_message", "reset"))
    w = wire(port, V12); w.send(22, client_hello(ciphers=GCM)[5:])
    show("renegotiation is refused: no_renegotiation", w.ending(), "no_renegotiation")
    w = wire(port, V13)
    for i in range(3): w.s.sendall(w.key_update(i % 2))
    show("TLSv1.3: keys are updated", echo(w, b"hello"))

def resident():
    return sum(int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % w).read()).group(1)) for w in workers())

def flood():
    """floods by one client each; others, also of the same worker, are served meanwhile"""
    port = int(sys.argv[5])
    hello = client_hello(ciphers=GCM)[5:]
    works(); before, kb = workers(), resident()
    others = [wire(port, V13) for _ in range(6)]
    def kinds():
        w = wire(port, V12); yield "renegotiations", w, b"".join(w.make(22, hello) for _ in range(60000))
        w = wire(port, V13); yield "key updates", w, b"".join(w.key_update(0) for _ in range(60000))
        w = wire(port, V13); yield "key updates that want an answer", w, b"".join(w.key_update(1) for _ in range(20000))
        w = wire(port, V12); yield "records of one byte", w, b"".join(w.make(23, b"x") for _ in range(60000))
    for word, w, data in kinds():
        child = os.fork()
        if child == 0:
            w.s.settimeout(10)
            try:
                w.s.sendall(data)
                if word == "key updates": echo(w, b"when all are done")
            except OSError: pass
            os._exit(0)
        worst, good, begin = 0, True, time.time()
        while good:
            for o in others:
                t = time.time(); good = good and echo(o, b"hello"); worst = max(worst, time.time() - t)
            if os.waitpid(child, os.WNOHANG)[0]: break
        good = good and works()
        # with a quick server the flood is over soon: who had to wait for its end, waited too long
        limit = (time.time() - begin) / 2 if word == "key updates" else 2
        show("%s: others are served meanwhile" % word, (good, worst < limit or (worst, limit)), (True, True))
        w.s.close()
    show("no worker died of it", workers(), before)
    show("nor is there more than 16 MB more in use", resident() - kb < 16384)
globals()[part]()
