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

def secure(name, host="localhost", ctx=None, session=None, version=None):
    s = mail.open(name)
    return (ctx or context(version)).wrap_socket(s, server_hostname=host or None, session=session)

def capabilities(s, name):
    """what a server says behind TLS, as one line"""
    f = s.makefile("rwb")
    if name == "imaps": f.readline()
    if name.startswith("imap"): f.write(b"b CAPABILITY\r\n"); f.flush()
    else:
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
            s.sendall(b"x"); s.settimeout(1)     # tickets come to those that speak
            try: s.recv(1)
            except OSError: pass
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
        if name == "imaps" and not session: ssl_.SSL_read(o, buf, 4096); ssl_.SSL_write(o, b"c NOOP\r\n", 8)
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
    t = time.time()     # the log is another process's
    while log().count("reason=timeout") < len(open_) and time.time() - t < 5: time.sleep(0.1)
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
    show("nor is there more than 16 MB more in use", resident() - kb < 16384 or os.environ.get("SAN") == "1")
# ---- the socket of tls-serve ----

def requests():
    import importlib.machinery, importlib.util, tempfile
    loader = importlib.machinery.SourceFileLoader("tls_peer", os.environ["TOP"] + "/tests/tls-peer.py")
    peer_ = importlib.util.module_from_spec(importlib.util.spec_from_loader("tls_peer", loader)); loader.exec_module(peer_)
    path, good = ls + "/run/tls", peer_.message("imap")
    def raw(fds, msg=good):
        status, text, got = peer_.ask(path, msg, fds, 20)
        assert not got
        return status, text if isinstance(text, str) else text.decode()
    def descriptors():	# of processes that must not be looked into, but by root
        return sum(len(os.listdir("/proc/%d/fd" % w)) for w in workers()) if os.geteuid() == 0 else 0
    time.sleep(0.5); works(); time.sleep(0.5)
    before = descriptors()
    l = socket.create_server(("127.0.0.1", 0)); a = socket.create_connection(l.getsockname()); b, _ = l.accept()
    u = socket.socket(type=socket.SOCK_DGRAM); u.connect(("127.0.0.1", 9))
    r, w = os.pipe(); x, y = socket.socketpair(); bound = socket.socket(socket.AF_UNIX)
    kinds = [("a file", os.open("client.pem", os.O_RDONLY)), ("a directory", os.open(".", os.O_RDONLY)), ("/dev/null", os.open("/dev/null", os.O_RDWR)), ("/dev/zero", os.open("/dev/zero", os.O_RDWR)),
        ("the end of a pipe that is read", r), ("the other end", w), ("a path only", os.open(".", os.O_PATH)), ("memory", os.memfd_create("x")), ("an event set", __import__("select").epoll().fileno()),
        ("a datagram socket", u.fileno()), ("a listening socket", l.fileno()), ("a socket that is not connected", socket.socket().fileno()), ("a Unix socket that is not connected", bound.fileno()),
        ("a Unix datagram socket", socket.socketpair(type=socket.SOCK_DGRAM)[0].detach())]
    for word, fd in kinds: show("instead of a connection: %s" % word, raw([fd]), ("R", "not-a-socket"))
    y.sendall(b"EHLO x\r\n")
    show("a Unix socket is a connection, but what comes must be TLS", raw([x.fileno()]), ("P", "not-tls"))
    x, y = socket.socketpair(); y.close()
    show("and its end an end", raw([x.fileno()]), ("P", "eof"))
    c = socket.socket(socket.AF_UNIX); c.connect(path)
    show("a connection to tls-serve itself is one where nobody speaks", raw([c.fileno()]), ("P", "timeout"))
    c.close()
    for n in 0, 2, 4, 5, 16, 253: show("%d descriptors" % n, raw([a.fileno()] * n), ("R", "bad-request"))
    def field(text): return struct.pack(">H", len(text)) + text
    for word, msg in [("empty", b"\0\0"), ("no listener", field(b"implicit=yes\0")), ("an unknown listener", field(b"listener=pop3\0")), ("two listeners", field(b"listener=imap\0listener=smtp\0")), ("an unknown field", field(b"listener=imap\0x=y\0")),
            ("no value", field(b"listener\0")), ("no NUL at its end", field(b"listener=imap")), ("implicit=no", field(b"listener=imap\0implicit=no\0")), ("an address that is none", field(b"listener=imap\0remote=1.2.3\0")),
            ("five protocols", field(b"listener=imap\0" + b"alpn=x\0" * 5)), ("a protocol of 33 bytes", field(b"listener=imap\0alpn=" + b"x" * 33 + b"\0")), ("a length too long", b"\0\x20listener=imap\0"), ("a length too short", b"\0\4listener=imap\0"),
            ("513 bytes", field(b"listener=imap\0" + b"remote=" + b"1" * 490)), ("60000 bytes", field(b"x" * 60000)), ("noise", os.urandom(100)), ("half of it", good[:5]), ("one byte", b"\0")]:
        show("a request with %s" % word, raw([a.fileno()], msg), ("R", "bad-request"))
    # without an end, and without a beginning
    c = socket.socket(socket.AF_UNIX); c.connect(path); c.settimeout(5); n = 0
    try:
        for n in range(10000): c.sendall(b"listener=imap\0" * 1000)
    except OSError: pass
    show("a request without end is cut off", n < 1000)
    c = socket.socket(socket.AF_UNIX); c.connect(path); c.settimeout(10); t = time.time()
    got = c.recv(100)
    show("who asks nothing is told so after 5 s", (got[2:], 4 < time.time() - t < 8), (b"Rbad-request", True))
    many = [socket.socket(socket.AF_UNIX) for _ in range(300)]
    for c in many: c.connect(path)
    show("300 who ask nothing are in nobody's way", works())
    for c in many: c.close()
    # gone while it is made
    c = socket.socket(socket.AF_UNIX); c.connect(path); socket.send_fds(c, [good], [b.fileno()]); time.sleep(0.3); c.close()
    a.settimeout(5); b.close(); l.close()
    try: got = a.recv(10)
    except ConnectionResetError: got = b""
    show("the server goes away in the handshake: its end for the client", got, b"")
    time.sleep(0.7)
    show("no descriptor is left in a worker" + ("" if os.geteuid() == 0 else " # SKIP not root"), descriptors() <= before or descriptors(), True)

# ---- PROXY headers ----

def prefaces():
    ports = {"imap": int(sys.argv[5]), "smtp": int(sys.argv[6])}
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    inet = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.99") + struct.pack(">HH", 4321, 143)
    def field(kind, v): return struct.pack(">BH", kind, len(v)) + v
    def header(command=0x21, family=0x11, body=inet, size=None): return signature + struct.pack(">BBH", command, family, len(body) if size is None else size) + body
    tls = field(0x20, b"\x07\0\0\0\0" + field(0x21, b"TLSv1.3"))
    full = header(body=inet + field(1, b"imap") + field(2, b"localhost") + tls)
    def summed(wrong=0):
        h = header(body=inet + field(3, b"\0\0\0\0"))
        return h[:-4] + struct.pack(">I", crc32c(h) ^ wrong)
    def say(port, data, end=False):
        s = socket.create_connection(("127.0.0.1", port)); s.settimeout(8)
        try:
            s.sendall(data)
            if end: s.shutdown(socket.SHUT_WR)
        except OSError: pass	# it is closed at the first wrong byte
        try: return s.makefile("rb").readline()
        except ConnectionResetError: return b""
        except TimeoutError: return b"time-out"
    for name, port in ports.items():
        greeting = b"* OK" if name == "imap" else b"220 "
        good = [("the header", full), ("IPv6", header(family=0x21, body=bytes(15) + b"\1" + bytes(15) + b"\2" + b"\0\1\0\2")), ("Unix sockets", header(family=0x31, body=bytes(216))), ("an unknown family", header(family=0, body=b"")),
            ("unknown fields", header(body=inet + field(4, bytes(300)) + field(5, b"id") + field(0xee, b"x") + field(0xff, b""))), ("a right CRC32c", summed()), ("LOCAL", header(0x20, 0, b"")), ("LOCAL with things to skip", header(0x20, 0x11, os.urandom(50))),
            ("a header of 4096 bytes", header(body=inet + field(4, bytes(4096 - 16 - 12 - 3))))]
        bad = [("the header of version 1", b"PROXY TCP4 192.0.2.7 192.0.2.99 4321 143\r\n"), ("version 3", header(0x31)), ("an unknown command", header(0x22)), ("UDP", header(family=0x12)), ("an unknown family", header(family=0x41)),
            ("a wrong CRC32c", summed(1)), ("a CRC32c of 3 bytes", header(body=inet + field(3, b"abc"))), ("a field longer than the header", header(body=inet + b"\x04\xff\xff")), ("half a field", header(body=inet + b"\x04\0")),
            ("a field twice", header(body=inet + field(2, b"a") + field(2, b"b"))), ("addresses cut off", header(body=inet[:11])), ("TLS cut off", header(body=inet + field(0x20, b"\1\0\0"))), ("4097 bytes", header(body=inet + field(4, bytes(4097 - 16 - 12 - 3)))),
            ("65535 bytes announced", header(size=65535)), ("the second half of it", full[8:]), ("a ClientHello", client_hello(ciphers=GCM)), ("HTTP", b"GET / HTTP/1.0\r\n\r\n"), ("a command", b"EHLO me\r\n"), ("a blank line more", b"\r\n" + full)]
        show("%s -P: good headers" % name, [word for word, h in good if not say(port, h).startswith(greeting)], [])
        show("%s -P: bad headers get no greeting and an end" % name, [word for word, h in bad if say(port, h, word == "65535 bytes announced") != b""], [])
        show("%s -P: nor does one cut anywhere" % name, [n for n in range(len(full)) if say(port, full[:n], True) != b""], [])
        t = time.time()
        show("%s -P: one that stops ends by the time-out" % name, (say(port, full[:20]), 2 < time.time() - t < 6), (b"", True))
        s = socket.create_connection(("127.0.0.1", port)); s.settimeout(8)
        for i in range(len(full)): s.sendall(full[i:i + 1])
        show("%s -P: byte by byte it is one" % name, s.recv(4), greeting)
    # what only tls-serve may say, another says
    own = header(body=inet + field(0x20, b"\x07\0\0\0\0" + field(0x21, b"TLSv1.3")) + field(0xe0, bytes(32)) + field(0xe1, bytes(32)) + field(0xe2, bytes(32)))
    got = say(ports["imap"], own)
    show("a proxy cannot give a client key or channel bindings", (b"AUTH=PLAIN" in got, b"EXTERNAL" in got, b"-PLUS" in got), (True, False, False))

# ---- certificates change ----

def renewal():
    tls_dir = ls + "/etc/tls/"
    def served(host): return hashlib.sha256(secure("imaps", host).getpeercert(True)).hexdigest()[:8]
    def make(file, *what): subprocess.run(["tls-cert", "-o", file + ".new", *what], check=True); os.replace(file + ".new", file)
    held = [(name, secure(name)) for name, _ in mail.all]
    for name, s in held: s.settimeout(20); capabilities(s, name)
    before, names_ = served("other.example"), workers()
    make(tls_dir + "other.example.pem", "other.example"); reload()
    after = served("other.example")
    show("SIGHUP: the new certificate is served", after != before)
    for name, s in held:
        s.sendall(b"z NOOP\r\n" if name.startswith("imap") else b"NOOP\r\n")
        show("SIGHUP: %s: a connection of before goes on" % name, s.recv(100)[:4] in (b"z OK", b"250 "))
    show("SIGHUP: the workers are the same", workers(), names_)
    good = open(tls_dir + "other.example.pem").read()
    key, cert = good[:good.index("-----BEGIN CERT")], good[good.index("-----BEGIN CERT"):]
    foreign = open("client.pem").read()
    for word, text, why in [("empty", "", "no private key"), ("without its key", cert, "no private key"), ("without its certificate", key, "no certificate"), ("cut off", good[:-80], "certificate in it is damaged|no certificate"),
            ("with another's certificate", key + foreign[foreign.index("-----BEGIN CERT"):], "not for its private key"), ("of noise", "\x80\xff\0" * 500, "no private key"), ("of 300 kB", good + "#" * 300000, "too long")]:
        open(tls_dir + "other.example.pem", "w").write(text); n = len(log()); reload()
        show("a file %s: named, with its fault" % word, re.search("m=certificate-refused file=other.example.pem err=\"[^\"]*(%s)" % why, log()[n:]) is not None)
        show("a file %s: the old set stays" % word, served("other.example"), after)
    os.unlink(tls_dir + "other.example.pem")
    os.mkfifo(tls_dir + "other.example.pem"); n = len(log()); reload()
    show("a pipe instead of a file holds nobody up", ("it is not a regular file" in log()[n:], served("other.example")), (True, after))
    os.unlink(tls_dir + "other.example.pem")
    open(tls_dir + "other.example.pem", "w").write(good); os.chmod(tls_dir + "other.example.pem", 0o600)
    os.rename("old.pem", tls_dir + "old.example.pem"); n = len(log()); reload()
    show("an expired certificate is warned of", "m=certificate-warning file=old.example.pem err=\"a certificate in it has expired\"" in log()[n:])
    show("and served", len(served("old.example")), 8)
    os.unlink(tls_dir + "old.example.pem"); reload()
    show("and gone with its file", ask(mail, "imaps", ciphers=GCM, host="old.example").alert, 112)

# ---- counters ----

def counters():
    def read():
        n = log().count("m=tls-counters listener=http"); os.kill(pid("tls-serve"), signal.SIGUSR1)
        end = time.time() + 5
        while log().count("m=tls-counters listener=http") == n and time.time() < end: time.sleep(0.05)
        out = {}
        for l in log().splitlines():
            if "m=tls-counters" in l:
                w = dict(x.split("=", 1) for x in l.split(" ") if "=" in x)
                out[w["listener"]] = {k: int(v) for k, v in w.items() if v.isdigit()}
        return out
    for name, listener in ("smtp", "smtp"), ("submissions", "submission"), ("imap", "imap"), ("imaps", "imap"):
        a = read()[listener]
        ask(mail, name, legacy=0x0302, ciphers=GREEN); ask(mail, name, ciphers=[0x002f]); ask(mail, name, ciphers=GCM, alpn=["h2"])
        try: secure(name, "nobody.example").close()
        except ssl.SSLError: assert name != "smtp"
        for alert in 42, 48: s = mail.open(name); s.sendall(client_hello(ciphers=GCM)); Answer(s); s.sendall(records(21, bytes([2, alert]))); ends(s, 5); s.close()
        s = mail.open(name); s.sendall(client_hello(ciphers=GCM)); Answer(s); s.shutdown(socket.SHUT_WR); ends(s, 5)
        s = mail.open(name); s.sendall(b"EHLO x\r\n"); ends(s, 5)
        s = mail.open(name); s.sendall(client_hello(ciphers=GCM)[:-4]); ends(s, 6)
        works(name)
        b = read()[listener]
        d = {k: b[k] - a.get(k, 0) for k in b if b[k] != a.get(k, 0) and k.startswith(("failed", "alert", "done", "starttls", "implicit", "name-u"))}
        want = {"failed-no-common-version": 1, "failed-no-common-cipher": 1, "failed-no-common-alpn": 1, "failed-alert": 2, "alert-bad_certificate": 1, "alert-unknown_ca": 1, "failed-not-tls": 1, "failed-timeout": 1,
            "done-TLSv1.3": 1, "name-unknown": 1, "failed-eof": 1, ("starttls" if name in ("smtp", "imap") else "implicit"): 10}
        want.update({"done-TLSv1.3": 2} if name == "smtp" else {"failed-unknown-name": 1})
        show("R-30 L-9 %s: each handshake by its reason, the alert by its name" % name, d, want)
    show("R-30 the log of each has the alert", all(re.search("reason=alert:%s" % x, log()) for x in ("bad_certificate", "unknown_ca")))
    show("R-30 and the server's too", "why=alert:bad_certificate" in log("imaps"))

# ---- who dies ----

def killed():
    def service(word, name): subprocess.run(["s6-svc", word, ls + "/run/service/" + name], check=True)
    def clear(name, *lines):
        s = socket.create_connection(("127.0.0.1", getattr(mail, name))); s.settimeout(20); out = mail.reply(s, name)
        for l in lines: s.sendall(l + b"\r\n"); out = mail.reply(s, name)
        return s, out
    def timed(f):
        t = time.time(); r = f(); return r, time.time() - t < 1.5
    def again(name):
        end = time.time() + 5; t = time.time()
        while time.time() < end:
            try:
                if works(name): return time.time() - t < 2
            except (OSError, EOFError, ssl.SSLError): time.sleep(0.05)
        return False
    def first(name):
        s = socket.create_connection(("127.0.0.1", getattr(mail, name))); s.settimeout(20)
        try: return s.recv(100)
        except ConnectionResetError: return b""
    # the parent alone: its workers give what they have three seconds
    live = [(n, secure(n)) for n in ("imaps", "submissions")]
    plain_ = [(n, clear(n)[0]) for n in ("imap", "smtp")]
    for n, s in live: capabilities(s, n)
    p = pid("tls-serve"); os.kill(p, signal.SIGKILL)
    show("the parent is killed: TLS is back within 2 s", [again(n) for n in ("imaps", "smtp")], [True, True])
    for n, s in live:
        s.settimeout(10)
        try: got = s.recv(100)
        except (ssl.SSLError, OSError) as e: got = repr(e)
        show("%s: what it relayed ends, with close_notify" % n, got in (b"",) or got.startswith(b"* BYE") or got.startswith(b"421"))
    for n, s in plain_:
        s.sendall(b"a NOOP\r\n" if n == "imap" else b"NOOP\r\n")
        show("%s: sessions in clear live" % n, mail.reply(s, n)[:4] in (b"a OK", b"250 "))
    # down: told at once
    service("-d", "tls-serve"); time.sleep(0.3)
    end = time.time() + 10
    while pid("tls-serve") != -1 and time.time() < end: time.sleep(0.05)
    show("tls-serve is down: smtp STARTTLS: 454 or not offered, at once", timed(lambda: clear("smtp", b"EHLO me", b"STARTTLS")[1][:3] in (b"454", b"502")), (True, True))
    show("tls-serve is down: imap STARTTLS: NO, at once", timed(lambda: clear("imap", b"a STARTTLS")[1][:4]), (b"a NO", True))
    for n in "imaps", "submissions": show("tls-serve is down: %s is closed at once" % n, timed(lambda: first(n)), (b"", True))
    service("-u", "tls-serve")
    show("tls-serve is up: TLS is back", [again(n) for n in ("imaps", "submissions", "smtp", "imap")], [True] * 4)
    # it stands still: nobody hangs for ever
    w = [pid("tls-serve")] + workers()
    for x in w: os.kill(x, signal.SIGSTOP)
    s, _ = clear("imap", b"a STARTTLS"); t = time.time()
    i = socket.create_connection(("127.0.0.1", mail.imaps))
    show("tls-serve stands still: STARTTLS ends by the time-out", ends(s, 15)[1])
    show("tls-serve stands still: imaps ends by the time-out", ends(i, 15)[1])
    show("tls-serve stands still: sessions in clear go on", clear("imap", b"b NOOP")[1][:4], b"b OK")
    for x in w: os.kill(x, signal.SIGCONT)
    show("and it goes on", again("imaps"))
    # auth-serve
    login = b'a LOGIN mail@localhost "%s"' % pw.encode()
    plain_auth = b"AUTH PLAIN " + base64.b64encode(b"\0mail@localhost\0" + pw.encode())
    def tls_login():
        s = secure("imaps"); f = s.makefile("rwb"); f.readline(); f.write(login + b"\r\n"); f.flush(); return f.readline()
    def smtp_login():
        s = secure("submissions"); f = s.makefile("rwb"); f.readline(); f.write(b"EHLO me\r\n"); f.flush()
        while f.readline()[3:4] == b"-": pass
        f.write(plain_auth + b"\r\n"); f.flush(); return f.readline()[:3]
    show("logins work", (tls_login()[:4], smtp_login()), (b"a OK", b"235"))
    service("-d", "auth-serve"); time.sleep(0.5)
    show("auth-serve is down: IMAP: NO [UNAVAILABLE], at once", timed(lambda: tls_login()[:18]), (b"a NO [UNAVAILABLE]", True))
    show("auth-serve is down: SMTP: 454, at once", timed(smtp_login), (b"454", True))
    service("-u", "auth-serve"); t = time.time(); got = None
    while time.time() - t < 5 and got != (b"a OK", b"235"):
        got = (tls_login()[:4], smtp_login()); time.sleep(0.05)
    show("auth-serve is up: logins work within 2 s", (got, time.time() - t < 2), ((b"a OK", b"235"), True))

globals()[part]()
