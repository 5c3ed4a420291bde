#!/usr/bin/python3
"""A server that has tls-serve speak TLS for it, as pipemail-preface(7) and
tls-serve(8) tell: python client code of the tests, written from the pages.

serve SOCKET PORT LISTENER [alpn=NAME ...] [client-cert] [starttls] [stall]
    prints each outcome as a line of JSON; a client gets the preface as a line
    of JSON and then its own bytes back, until it ends.
    starttls: "STARTTLS" and "GO" lines in clear come first.
    A line "bulk N" is answered with N bytes; "half" ends the server's side,
    after which what comes is counted and printed; "bye" closes at once.
    stall: nothing is read for two seconds.
raw SOCKET HEX [tcp|pipe|file|udp|listen|none|two]
    sends bytes and a descriptor of that kind; prints the reply as JSON.
"""
import json, os, select, socket, struct, sys, threading, time

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

def message(listener, alpn=(), implicit=True, client_cert=False, remote=None):
    f = ["listener=" + listener] + ["alpn=" + a for a in alpn]
    if implicit: f.append("implicit=yes")
    if client_cert: f.append("client-cert=yes")
    if remote: f.append("remote=" + remote)
    body = b"".join(x.encode() + b"\0" for x in f)
    return struct.pack(">H", len(body)) + body

def fields(b):
    while b:
        kind, n = struct.unpack(">BH", b[:3])
        yield kind, b[3:3 + n]
        assert len(b) >= 3 + n
        b = b[3 + n:]

def preface(b):
    assert b[:12] == SIGNATURE and b[12] == 0x21
    family, n = b[13], struct.unpack(">H", b[14:16])[0]
    assert len(b) == 16 + n
    out, rest = {"family": family}, b[16:]
    if family == 0x11:
        out["remote"] = "%s:%d" % (socket.inet_ntoa(rest[:4]), struct.unpack(">H", rest[8:10])[0])
        out["local"] = "%s:%d" % (socket.inet_ntoa(rest[4:8]), struct.unpack(">H", rest[10:12])[0])
        rest = rest[12:]
    for kind, v in fields(rest):
        if kind == 0x01: out["alpn"] = v.decode()
        elif kind == 0x02: out["name"] = v.decode()
        elif kind == 0x20:
            out["client"] = v[0]
            for k, w in fields(v[5:]):
                out[{0x21: "version", 0x23: "cipher"}[k]] = w.decode()
        else:
            out[{0xe0: "key", 0xe1: "exporter", 0xe2: "end_point", 0xe3: "unique"}[kind]] = v.hex()
    return out

def ask(path, msg, fds, timeout=90):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(path)
    socket.send_fds(s, [msg], fds)
    data, got = b"", []
    while True:
        b, f, _, _ = socket.recv_fds(s, 8192, 4)
        got += f
        data += b
        if not b:
            return None, "closed", []
        if len(data) >= 2 and len(data) >= 2 + struct.unpack(">H", data[:2])[0]:
            break
    s.close()
    return data[2:3].decode(), data[3:], got

lock = threading.Lock()
def say(o):
    with lock:
        print(json.dumps(o), flush=True)

def one(c, path, msg, opts):
    if "starttls" in opts:
        c.sendall(b"220 hello\r\n")
        line = b""
        while not line.endswith(b"\n"):
            b = c.recv(1)
            if not b: return
            line += b
        c.sendall(b"220 go\r\n")
    status, text, fds = ask(path, msg, [c.fileno()])
    if status != "D":
        say({"status": status, "reason": text if isinstance(text, str) else text.decode()})
        try: c.shutdown(socket.SHUT_WR)
        except OSError: pass
        c.close()
        return
    c.close()
    p = preface(text)
    say(dict(p, status="D"))
    s = socket.socket(fileno=fds[0])
    s.setblocking(True)
    try:
        s.sendall(json.dumps(p).encode() + b"\n")
        talk(s, opts)
    except OSError as e:
        say({"error": str(e)})
    s.close()

def talk(s, opts):
    total = 0
    if "stall" in opts: time.sleep(2)
    while True:
        b = s.recv(65536)
        if not b: break
        total += len(b)
        if b.startswith(b"bulk "):
            n = int(b[5:])
            block = bytes(range(256)) * 256
            while n > 0:
                s.sendall(block[:n])
                n -= len(block)
        elif b == b"half\n":
            s.shutdown(socket.SHUT_WR)
        elif b == b"bye\n":
            s.sendall(b"see you\n")
            return
        elif b == b"bulk-bye\n":
            s.sendall(b"x" * 200000)
            return
        else:
            try: s.sendall(b)
            except BrokenPipeError: pass
    s.shutdown(socket.SHUT_WR)
    say({"end": total})

def serve(path, port, listener, *opts):
    msg = message(listener, [o[5:] for o in opts if o.startswith("alpn=")], "starttls" not in opts,
        "client-cert" in opts, next((o[7:] for o in opts if o.startswith("remote=")), None))
    l = socket.create_server(("127.0.0.1", int(port)), backlog=1024)
    say({"ready": True})
    threading.stack_size(256 * 1024)
    while True:
        c, _ = l.accept()
        threading.Thread(target=one, args=(c, path, msg, opts), daemon=True).start()

def raw(path, hexes, kind="tcp"):
    l = socket.create_server(("127.0.0.1", 0))
    a = socket.create_connection(l.getsockname())
    r, _ = os.pipe()
    fds = {"tcp": [a.fileno()], "pipe": [r], "file": [os.open("/dev/null", os.O_RDWR)], "none": [],
        "udp": [socket.socket(type=socket.SOCK_DGRAM).detach()], "listen": [l.fileno()],
        "two": [a.fileno(), r]}[kind]
    status, text, _ = ask(path, bytes.fromhex(hexes), fds, 20)
    say({"status": status, "reason": text if isinstance(text, str) else text.decode("latin1")})

if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
