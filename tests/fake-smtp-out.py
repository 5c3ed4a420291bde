# fake-smtp-out.py SOCKET LOG [TEXTS] - takes the jobs of queue-run and answers
# as the addresses say:
#
#   domain dead*      no host was reached, unless the file "alive" is there
#   domain deadslow*  the same, after 0.2 seconds
#   domain slow*      each job takes a second; slowN...: N tenths of a second
#   domain single*    each job takes half a second, and no host is reached
#                     while another connection is served
#   domain null*      no host, for good
#   domain sts*       tells of a session of MTA-STS and DANE; with a local part
#                     of exp* of one whose certificate has expired
#   local part bad*   550 5.1.1        later*   450 4.2.0
#              relay* handed on        maybe*   cut off after the end mark
#              die*   the connection ends before the result
#              after* the connection ends after the first result
#              trash* bytes that are no frame
#              wrong* a result for a recipient that is not of the job
#              twice* the same result twice
#              huge*  a frame longer than any may be
#   anything else     250
#
# LOG gets a line for each beginning and end of a job, and the close of a
# connection (by itself): event, connection, time, message kind, domain, sender, recipients. TEXTS is a directory: the
# text of each message by its id.
import array, json, os, socket, struct, sys, threading, time

path, log = sys.argv[1], open(sys.argv[2], "a", buffering=1)
texts = sys.argv[3] if len(sys.argv) > 3 else None
lock = threading.Lock()


def field(name, value):
    value = value if isinstance(value, bytes) else str(value).encode()
    return bytes([len(name)]) + name.encode() + struct.pack(">I", len(value)) + value


def frame(*fields):
    body = b"".join(fields)
    return struct.pack(">I", len(body)) + body


def parse(b):
    out, i = [], 0
    while i < len(b):
        n = b[i]
        name = b[i + 1:i + 1 + n].decode()
        i += 1 + n
        size = struct.unpack(">I", b[i:i + 4])[0]
        out.append((name, b[i + 4:i + 4 + size]))
        i += 4 + size
    return out


def note(event, conn, job):
    with lock:
        log.write(json.dumps(dict(job, event=event, conn=conn, t=time.monotonic())) + "\n")


def attempt(outcome, code=0, status="", text="", host=""):
    pairs = [("outcome", outcome), ("code", code), ("status", status), ("text", text), ("host", host)]
    return b"".join(field(k, v) for k, v in pairs if v)


serving = {}


def result_of(address, domain, alone=True):
    if not alone:
        return attempt(3, 0, "4.4.1", "connect: refused"), 1
    if domain.startswith("dead") and not os.path.exists("alive"):
        return attempt(3, 0, "4.4.1", "connect: timed out"), 1
    if domain.startswith("null"):
        return attempt(4, 0, "5.1.10", "the domain takes no mail"), 1
    local = address.split("@")[0]
    if local.startswith("bad"):
        return attempt(4, 550, "5.1.1", "no such user", "mx." + domain), 0
    if local.startswith("later"):
        return attempt(3, 450, "4.2.0", "come again", "mx." + domain), 0
    if local.startswith("relay"):
        return attempt(2, 250, "2.0.0", "relayed", "mx." + domain), 0
    if local.startswith("maybe"):
        return attempt(8, 0, "4.4.2", "cut off after the end mark", "mx." + domain), 0
    return attempt(1, 250, "2.0.0", "taken", "mx." + domain), 0


def receive(c):
    size = socket.CMSG_SPACE(16)
    head, anc, _, _ = c.recvmsg(65536, size)
    if not head:
        return None, -1
    fd = array.array("i", anc[0][2])[0] if anc else -1
    while len(head) < 4 or len(head) < struct.unpack(">I", head[:4])[0] + 4:
        more = c.recv(262144)
        if not more:
            return None, fd
        head += more
    return parse(head[4:]), fd


def delay_of(domain):
    digits = domain.split(".")[0][4:]
    return int(digits) / 10 if digits.isdigit() else 1


def tls_of(address, domain):
    """What the done frame tells of TLS."""
    if not domain.startswith("sts"):
        return b""
    host = {"mx-host": "mx." + domain, "ip": "192.0.2.1"}
    bad = {"result-type": "certificate-expired", "detail": "X509_V_ERR_CERT_HAS_EXPIRED"} if address.startswith("exp") else {}
    lines = [dict(host, **{"policy-type": "sts", "policy-domain": domain}, **bad),
             dict(host, **{"policy-type": "tlsa", "policy-domain": "mx." + domain, "is-host": 1})]
    out = b"".join(field("tls", b"".join(field(k, v) for k, v in l.items())) for l in lines)
    known = {"when": int(time.time()), "starttls": 1, "mta-sts": 1, "dnssec": 1, "dane": 1}
    return out + field("known", b"".join(field(k, v) for k, v in known.items()))


def answer(c, fields, conn):
    one = dict(fields)
    message = dict(parse(one["message"]))
    domain = one.get("domain", b"").decode()
    rcpts = [dict(parse(v)) for k, v in fields if k == "rcpt"]
    job = {"domain": domain, "id": "%x" % int(message["id"]), "kind": int(message.get("kind", b"0")),
           "sender": one.get("sender", b"").decode(), "rcpts": [r["address"].decode() for r in rcpts]}
    note("begin", conn, job)
    alone = True
    if domain.startswith("single"):
        with lock:
            alone = serving.setdefault(domain, conn) == conn
        if alone:
            time.sleep(0.5)
    if domain.startswith("slow"):
        time.sleep(delay_of(domain))
    if domain.startswith("deadslow"):
        time.sleep(0.2)
    no_host = 0
    for i, r in enumerate(rcpts):
        address = r["address"].decode()
        a, gone = result_of(address, domain, alone)
        no_host |= gone
        reply = frame(field("n", r["n"].decode()), field("attempt", a))
        if address.startswith("die"):
            return False
        if address.startswith("trash"):
            reply = frame(b"\xff garbage that is no field at all")
        if address.startswith("huge"):
            reply = b"\xff\xff\xff\xff" + b"x" * 100
        if address.startswith("wrong"):
            reply = frame(field("n", 999), field("attempt", a))
        c.sendall(reply * (2 if address.startswith("twice") else 1))
        if address.startswith("after") and i == 0:
            return False
    note("end", conn, job)
    c.sendall(frame(field("done", 1), field("reusable", 0 if no_host else 1), field("no-host", no_host),
                    tls_of(rcpts[0]["address"].decode(), domain)))
    return True


def keep_text(fields, fd):
    if fd == -1:
        return
    if texts:
        ident = "%x" % int(dict(parse(dict(fields)["message"]))["id"])
        with open(os.path.join(texts, ident), "wb") as f:
            offset = 0
            while True:
                b = os.pread(fd, 1 << 20, offset)
                if not b:
                    break
                f.write(b)
                offset += len(b)
    os.close(fd)


def serve(c, conn):
    try:
        while True:
            fields, fd = receive(c)
            if fields is None:
                return
            keep_text(fields, fd)
            if not answer(c, fields, conn):
                return
    except OSError:
        pass
    finally:
        with lock:
            for d in [d for d, at in serving.items() if at == conn]:
                del serving[d]
        note("close", conn, {})
        c.close()


s = socket.socket(socket.AF_UNIX)
try:
    os.unlink(path)
except OSError:
    pass
s.bind(path)
s.listen(1000)
conn = 0
while True:
    c, _ = s.accept()
    conn += 1
    threading.Thread(target=serve, args=(c, conn), daemon=True).start()
