# queue-add-client.py SOCKET [NAME=VALUE ...] < message - asks queue-add by its
# frames and prints "CODE STATUS TEXT" and the id. rcpt=ADDRESS may be repeated;
# rcpt-notify=N and rcpt-orcpt=TEXT belong to the recipient before; inline=1
# sends the text in the frame; empty=1 sends no fields at all; cut=1 closes
# after half a frame.
import array, socket, struct, sys


def field(name, value):
    value = value if isinstance(value, bytes) else value.encode()
    return bytes([len(name)]) + name.encode() + struct.pack(">I", len(value)) + value


def parse(b):
    out, i = {}, 0
    while i < len(b):
        n = b[i]
        name = b[i + 1:i + 1 + n].decode()
        i += 1 + n
        size = struct.unpack(">I", b[i:i + 4])[0]
        out[name] = b[i + 4:i + 4 + size]
        i += 4 + size
    return out


fields, rcpts, inline, cut = [], [], False, False
for arg in sys.argv[2:]:
    name, value = arg.split("=", 1)
    if name == "rcpt":
        rcpts.append([("address", value)])
    elif name.startswith("rcpt-"):
        rcpts[-1].append((name[5:], value))
    elif name == "rcpts":
        rcpts += [[("address", "r%d@%s" % (i, value.split(",")[1]))] for i in range(int(value.split(",")[0]))]
    elif name == "inline":
        inline = True
    elif name == "cut":
        cut = True
    else:
        fields.append((name, value))
body = b"".join(field(n, v) for n, v in fields)
body += b"".join(field("rcpt", b"".join(field(n, v) for n, v in r)) for r in rcpts)
if inline:
    body += field("text", sys.stdin.buffer.read())
s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(sys.argv[1])
frame = struct.pack(">I", len(body)) + body
if cut:
    s.sendall(frame[:len(frame) // 2])
    sys.exit(0)
anc = [] if inline else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))]
n = s.sendmsg([frame], anc)
s.sendall(frame[n:])
got = b""
while len(got) < 4 or len(got) < 4 + struct.unpack(">I", got[:4])[0]:
    more = s.recv(65536)
    if not more:
        print("no answer")
        sys.exit(111)
    got += more
r = parse(got[4:])
print(r.get("code", b"").decode(), r.get("status", b"").decode(), r.get("text", b"").decode())
if "id" in r:
    print("%x" % int(r["id"]))
