#!/usr/bin/python3
"""fake-queue-add SOCKET FILE [CODE STATUS TEXT]: answer what comes over
run/queue-add, and write each request to FILE: "name=value" lines, recipients
"rcpt ADDRESS name=value ...", where the text came ("text inline" or "text
file") and, to FILE.text, the text itself. CODE close: hang up unanswered."""
import array, os, socket, struct, sys

def fields(b):
    i = 0
    while i < len(b):
        n = b[i]; name = b[i + 1:i + 1 + n].decode(); i += 1 + n
        size = struct.unpack(">I", b[i:i + 4])[0]
        yield name, b[i + 4:i + 4 + size]; i += 4 + size

def field(name, value):
    return bytes([len(name)]) + name.encode() + struct.pack(">I", len(value)) + value.encode()

def read_frame(c):
    b, anc, _, _ = c.recvmsg(65536, socket.CMSG_SPACE(16))
    if not b: return None, -1
    fd = array.array("i", anc[0][2][:4])[0] if anc else -1
    while len(b) < 4 or len(b) < 4 + struct.unpack(">I", b[:4])[0]:
        more = c.recv(65536)
        if not more: return None, fd
        b += more
    return b[4:], fd

def record(path, b, fd):
    lines, text = [], b""
    for name, value in fields(b):
        if name == "rcpt":
            r = dict(fields(value))
            lines.append("rcpt %s%s" % (r.pop("address").decode(), "".join(" %s=%s" % (k, v.decode()) for k, v in r.items())))
        elif name == "text": text = value
        else: lines.append("%s=%s" % (name, value.decode()))
    if fd != -1:
        with open(fd, "rb") as f: f.seek(0); text = f.read()
    lines.append("text " + ("inline" if fd == -1 else "file"))
    with open(path + ".text", "wb") as f: f.write(text)
    with open(path + ".new", "w") as f: f.write("\n".join(lines) + "\n")
    os.rename(path + ".new", path)

listener, path = socket.socket(socket.AF_UNIX), sys.argv[2]
answer = sys.argv[3:6] or ["250", "2.0.0", "queued as fake"]
listener.bind(sys.argv[1]); listener.listen(10)
while True:
    c, _ = listener.accept()
    b, fd = read_frame(c)
    if b is not None: record(path, b, fd)
    if b is not None and answer[0] != "close":
        f = field("code", answer[0]) + field("status", answer[1]) + field("text", answer[2])
        c.sendall(struct.pack(">I", len(f)) + f)
    c.close()
