# queue.py SOCKET LOG COUNT - COUNT messages over four connections to
# queue-add; prints the seconds until the last one was delivered
import array, json, os, socket, struct, sys, threading, time

path, log, count = sys.argv[1], sys.argv[2], int(sys.argv[3])


def field(name, value):
    return bytes([len(name)]) + name.encode() + struct.pack(">I", len(value)) + value


def send(k):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    for i in range(count // 4):
        text = b"From: mail@localhost\nSubject: live\n\n" + b"x" * 70 * 28 + b"\n"
        body = field("account", b"mail") + field("sender", b"mail@localhost") + field("text", text)
        body += field("rcpt", field("address", b"u%d@live%d.example" % (i, i % 10)))
        s.sendall(struct.pack(">I", len(body)) + body)
        got = b""
        while len(got) < 4 or len(got) < 4 + struct.unpack(">I", got[:4])[0]:
            more = s.recv(65536)
            if not more:
                os._exit(111)
            got += more
        if b"250" not in got:
            print(got)
            os._exit(111)


open(log, "a").close()
start = time.monotonic()
f = open(log)
f.seek(0, 2)
threads = [threading.Thread(target=send, args=(k,)) for k in range(4)]
[t.start() for t in threads]
done, part = 0, ""
while done < count // 4 * 4 and time.monotonic() < start + 120:
    part += f.readline()
    if not part.endswith("\n"):     # nothing, or a line half written
        time.sleep(0.005)
        continue
    j, part = json.loads(part), ""
    if j["event"] == "end" and j["domain"].startswith("live"):
        done += 1
[t.join() for t in threads]
print("%.3f" % (time.monotonic() - start) if done >= count // 4 * 4 else "not all were delivered: %d" % done)
