#!/usr/bin/python3
"""fake-queue-add.py SOCKET DIR [CODE STATUS TEXT]: stands in for queue-add.
Each request is written to DIR/N: its fields, one to a line, then an empty line
and the text. What comes with a descriptor has a field "text-fd"."""
import array, os, socket, struct, sys

path, out = sys.argv[1:3]
code, status, text = (sys.argv[3:6] + ["250", "2.0.0", "taken"][len(sys.argv) - 3:])[:3]


def fields(data):
    at = 0
    while at < len(data):
        n = data[at]
        name = data[at + 1:at + 1 + n].decode()
        at += 1 + n
        size = struct.unpack(">I", data[at:at + 4])[0]
        yield name, data[at + 4:at + 4 + size]
        at += 4 + size


def field(name, value):
    return bytes([len(name)]) + name.encode() + struct.pack(">I", len(value)) + value


def receive(conn):
    data, fds = b"", []
    while len(data) < 4 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
        piece, ancillary, _, _ = conn.recvmsg(65536, socket.CMSG_SPACE(4 * 4))
        if not piece:
            return None, fds
        data += piece
        for level, kind, value in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds += array.array("i", value)
    return data[4:], fds


def serve(conn, n):
    data, fds = receive(conn)
    if data is None:
        return False
    body, lines = b"", []
    for name, value in fields(data):
        if name == "text":
            body = value
        elif name == "rcpt":
            lines.append("rcpt " + " ".join("%s=%s" % (k, v.decode()) for k, v in fields(value)))
        else:
            lines.append("%s %s" % (name, value.decode()))
    if fds:
        lines.append("text-fd %d" % os.fstat(fds[0]).st_size)
        with os.fdopen(fds[0], "rb") as f:
            f.seek(0)
            body = f.read()
    with open(os.path.join(out, ".new"), "wb") as f:
        f.write("".join(l + "\n" for l in lines).encode() + b"\n" + body)
    os.rename(os.path.join(out, ".new"), os.path.join(out, str(n)))
    if code != "none":
        reply = field("code", code.encode()) + field("status", status.encode()) + field("text", text.encode()) + field("id", b"7")
        conn.sendall(struct.pack(">I", len(reply)) + reply)
    return True


if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o666)
listener.listen(20)
n = 0
while True:
    conn, _ = listener.accept()
    with conn:
        if serve(conn, n + 1):
            n += 1
