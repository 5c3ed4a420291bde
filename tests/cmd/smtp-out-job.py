"""smtp-out-job.py - jobs to smtp-out as queue-run sends them.

usage: smtp-out-job.py SOCKET FILE [KEY=VALUE ...]

One connection; jobs=N (default 1) jobs of FILE, each to rcpt=ADDRESS[,...].
Keys "t.NAME" are members of the transport, "m.NAME" of the message, "r.NAME"
of every recipient, domain= the domain to look up, rest= seconds between jobs. Prints a line for each
result and for done; with quiet=1 only jobs per second.
"""
import array, os, socket, struct, sys, time

path, file = sys.argv[1:3]
keys = dict(a.split("=", 1) for a in sys.argv[3:])


def field(name, value):
    if not isinstance(value, bytes):
        value = str(value).encode()
    return bytes([len(name)]) + name.encode() + struct.pack(">I", len(value)) + value


def record(prefix, members):
    members = dict(members)
    members.update({k[2:]: v for k, v in keys.items() if k.startswith(prefix + ".")})
    return b"".join(field(k, v) for k, v in members.items())


def fields(data):
    while data:
        n = data[0]
        name, data = data[1:1 + n].decode(), data[1 + n:]
        (n,) = struct.unpack(">I", data[:4])
        yield name, data[4:4 + n]
        data = data[4 + n:]


rcpts = keys.get("rcpt", "b@test.example").split(",")
body = field("message", record("m", {"id": 7, "size": os.path.getsize(file)}))
for i, r in enumerate(rcpts):
    body += field("rcpt", record("r", {"id": 7, "n": i + 1, "address": r, "attempts": 1}))
body += field("sender", keys.get("sender", "a@own.example"))
body += field("domain", keys.get("domain", "test.example"))
body += field("transport", record("t", {"type": 0, "helo": "mx.own.example"}))
frame = struct.pack(">I", len(body)) + body

s = socket.socket(socket.AF_UNIX)
s.connect(path)
s.settimeout(60)
buf = b""
start = time.time()
for job in range(int(keys.get("jobs", "1"))):
    time.sleep(float(keys.get("rest", "0")) if job > 0 else 0)
    fd = os.open(file, os.O_RDONLY)
    s.sendmsg([frame], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
    os.close(fd)
    done = False
    while not done:
        while len(buf) < 4 or len(buf) < 4 + struct.unpack(">I", buf[:4])[0]:
            d = s.recv(65536)
            if not d:
                print("closed")
                sys.exit(1)
            buf += d
        (n,) = struct.unpack(">I", buf[:4])
        got, buf = list(fields(buf[4:4 + n])), buf[4 + n:]
        names = [k for k, v in got]
        done = "done" in names
        if keys.get("quiet"):
            continue
        out = []
        for k, v in got:
            if k in ("attempt", "known", "tls"):
                skip = ("start-ms", "duration-ms", "when")
                out.append("%s{%s}" % (k, " ".join("%s=%s" % (a, b.decode()) for a, b in fields(v) if a not in skip and b)))
            else:
                out.append("%s=%s" % (k, v.decode().replace("\n", ";")))
        print(" ".join(out))
if keys.get("quiet"):
    print("%.0f" % (int(keys["jobs"]) / (time.time() - start)))
