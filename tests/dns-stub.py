#!/usr/bin/python3
"""dns-stub.py - a small DNS server for tests, honest or not.

usage: dns-stub.py [-d MS] [-p PORT] [-r READYFILE] [-l LOGFILE] FILE

FILE is JSON (or "-": standard input):

  { "name": { "TYPE": [value, ...] | "BEHAVIOUR",
              "*": "BEHAVIOUR",         for the types not named
              "error": "BEHAVIOUR",     the same as "*"
              "ede": [CODE, "text"],    an extended error (RFC 8914)
              "options": ["OPTION", ...] } }

Types are A AAAA MX TXT PTR CNAME TLSA. Values are text as in a zone file
without quotes; MX also [10, "name"]; TXT also ["string", ...] for a record of
several strings; bytes above 0x7f are the code points U+0080..U+00FF. Names
compare without case. A CNAME is followed. Names that are not there do not
exist; types that are not there have no data.

Behaviours: TIMEOUT (silence), SERVFAIL, REFUSED, NXDOMAIN, NODATA, FORMERR,
  WRONGID, WRONGQUESTION, WRONGTYPE, SHORT (cut in the middle), GARBAGE,
  LOOP (compression pointers in a circle), MANY (thousands of records),
  RDLENGTH (a record longer than the message), NOQUESTION, EMPTY (a datagram
  of no bytes), LATE (silent the first time, then answers).
Options: ad (authentic data: each name of a CNAME chain must have it), tc (UDP answers are truncated), toobig (UDP
  answers of 4000 bytes, whatever was offered), tcpclose (TCP connections are
  closed without an answer), tcpslow (TCP answers byte by byte), noedns
  (FORMERR when the query has an OPT record), upper (names in answers in upper
  case), shuffle (records in another order each time), norest (a CNAME alone,
  without what it leads to).
With -d each UDP answer comes MS milliseconds late, many at the same time.
Both UDP and TCP; UDP answers over 512 bytes, or what EDNS0 offers, are
truncated.
"""
import getopt
import json
import os
import random
import socket
import struct
import sys
import threading
import time

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15,
         "TXT": 16, "AAAA": 28, "OPT": 41, "TLSA": 52, "SPF": 99}
NUMBERS = {v: k for k, v in TYPES.items()}
RCODES = {"FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4,
          "REFUSED": 5}


def name_wire(name):
    out = b""
    for label in name.rstrip(".").split("."):
        raw = label.encode("latin-1")
        if raw:
            out += bytes([len(raw)]) + raw
    return out + b"\0"


def name_read(msg, at):
    labels = []
    while msg[at]:
        n = msg[at]
        labels.append(msg[at + 1:at + 1 + n].decode("latin-1"))
        at += 1 + n
    return ".".join(labels), at + 1


def rdata(kind, value):
    if kind == "A":
        return socket.inet_pton(socket.AF_INET, value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind in ("PTR", "CNAME", "NS"):
        return name_wire(value)
    if kind == "MX":
        if isinstance(value, str):
            value = value.split(None, 1)
        return struct.pack(">H", int(value[0])) + name_wire(value[1])
    if kind == "TLSA":
        u, s, m, data = value.split(None, 3)
        return bytes([int(u), int(s), int(m)]) + bytes.fromhex(data)
    strings = [value] if isinstance(value, str) else value
    out = b""
    for s in strings:
        raw = s.encode("latin-1")
        while len(raw) > 255:
            out += b"\xff" + raw[:255]
            raw = raw[255:]
        out += bytes([len(raw)]) + raw
    return out or b"\0"


class Query:
    def __init__(self, msg):
        self.id, self.flags, qd, _, _, ar = struct.unpack(">6H", msg[:12])
        self.name, at = name_read(msg, 12)
        self.type, self.klass = struct.unpack(">HH", msg[at:at + 4])
        self.question = msg[12:at + 4]
        self.edns = ar > 0 and msg[at + 4:at + 7] == b"\0\0\x29"
        self.size = 512
        if self.edns:
            self.size = max(512, struct.unpack(">H", msg[at + 7:at + 9])[0])


class Stub:
    def __init__(self, zone):
        self.zone = {k.lower().rstrip("."): v for k, v in zone.items()}
        self.late = set()
        self.lock = threading.Lock()

    def exists(self, name):
        return name in self.zone or \
            any(k.endswith("." + name) for k in self.zone)

    def lookup(self, name, kind):
        """(rcode, records, behaviour, options)"""
        records, options = [], set()
        self.ede, secure = None, True
        for _ in range(40):
            entry = self.zone.get(name.lower())
            if entry is None:
                return (0 if self.exists(name.lower()) else 3), records, \
                    None, options
            secure = secure and "ad" in entry.get("options", [])
            options |= set(entry.get("options", []))
            if not secure:
                options.discard("ad")
            self.ede = entry.get("ede")
            found = entry.get(kind)
            if found is None and "CNAME" in entry:
                target = entry["CNAME"][0]
                records.append((name, "CNAME", target))
                name = target.rstrip(".")
                if "norest" in options:
                    return 0, records, None, options
                continue
            if found is None:
                found = entry.get("*", entry.get("error", []))
            if isinstance(found, str):
                return 0, records, found, options
            found = list(found)
            if "shuffle" in options:
                random.shuffle(found)
            return 0, records + [(name, kind, v) for v in found], None, \
                options
        return 0, records, None, options

    def message(self, q, rcode, records, options, change=None):
        ad = 0x20 if "ad" in options else 0
        ident, question = q.id, q.question
        if change == "WRONGID":
            ident ^= 0x5555
        if change == "WRONGQUESTION":
            question = name_wire("other." + q.name) + q.question[-4:]
        if change == "WRONGTYPE":
            question = q.question[:-4] + struct.pack(">HH", 33, 1)
        if change == "NOQUESTION":
            question = b""
        body = b""
        for name, kind, value in records:
            if "upper" in options:
                name = name.upper()
            data = rdata(kind, value)
            n = len(data) + (5000 if change == "RDLENGTH" else 0)
            body += name_wire(name) + struct.pack(
                ">HHIH", TYPES[kind], 1, 60, n) + data
        authority = b""
        if rcode in (0, 3) and "norest" not in options and \
                not any(k != "CNAME" for _, k, _ in records):
            authority = b"\0" + struct.pack(">HHIH", 6, 1, 60, 22) + \
                b"\0\0" + struct.pack(">5I", 1, 2, 3, 4, 5)
        opt = b""
        if self.ede:
            text = self.ede[1].encode()
            opt = struct.pack(">HHH", 15, 2 + len(text), self.ede[0]) + text
        extra = b"\0" + struct.pack(">HHIH", 41, 1232, 0, len(opt)) + opt \
            if q.edns else b""
        head = struct.pack(">6H", ident, 0x8180 | ad | rcode,
                           1 if question else 0, len(records),
                           1 if authority else 0, 1 if extra else 0)
        return head + question + body + authority + extra

    def odd(self, q, behaviour, options):
        sample = {"A": "192.0.2.1", "AAAA": "2001:db8::1", "TXT": "text",
                  "MX": "10 mx.example", "PTR": "ptr.example",
                  "CNAME": "c.example", "TLSA": "3 1 1 00"}
        kind = NUMBERS.get(q.type, "A")
        record = [(q.name, kind, sample.get(kind, "192.0.2.1"))]
        if behaviour in RCODES:
            return self.message(q, RCODES[behaviour], [], options)
        if behaviour == "NODATA":
            return self.message(q, 0, [], options)
        if behaviour == "LATE":
            with self.lock:
                if (q.name, q.type) not in self.late:
                    self.late.add((q.name, q.type))
                    return None
            return self.message(q, 0, record, options)
        if behaviour in ("WRONGID", "WRONGQUESTION", "WRONGTYPE",
                         "NOQUESTION", "RDLENGTH"):
            return self.message(q, 0, record, options, behaviour)
        if behaviour == "SHORT":
            return self.message(q, 0, record, options)[:-20]
        if behaviour == "GARBAGE":
            return struct.pack(">H", q.id) + b"\x81\x80" + b"\xff" * 40
        if behaviour == "EMPTY":
            return b""
        if behaviour == "MANY":
            return self.message(q, 0, [
                (q.name, "A", "192.0.%d.%d" % (i // 256, i % 256))
                for i in range(1200)], options)
        if behaviour == "LOOP":
            head = struct.pack(">6H", q.id, 0x8180, 1, 1, 0, 0)
            at = 12 + len(q.question)
            loop = struct.pack(">HH", 0xc000 | (at + 2), 0xc000 | at)
            return head + q.question + loop + \
                struct.pack(">HHIH", q.type, 1, 60, 4) + b"\xc0\0\x02\x01"
        return None                                     # TIMEOUT

    def answer(self, msg, tcp):
        q = Query(msg)
        kind = NUMBERS.get(q.type, "?")
        rcode, records, behaviour, options = self.lookup(q.name, kind)
        self.log(q, kind, tcp)
        if "noedns" in options and q.edns:
            return self.message(q, 1, [], options), options
        if behaviour:
            out = self.odd(q, behaviour, options)
        else:
            out = self.message(q, rcode, records, options)
        if out is None or tcp:
            return out, options
        if "tc" in options or (len(out) > q.size and "toobig" not in options):
            flags = struct.unpack(">H", out[2:4])[0] | 0x200
            return out[:2] + struct.pack(">4H", flags, 1, 0, 0) + \
                b"\0\0" + q.question, options
        if "toobig" in options and len(out) < 4000:
            out += b"\0" * (4000 - len(out))
        return out, options

    def log(self, q, kind, tcp):
        if LOG:
            with self.lock:
                LOG.write("%s %s %s ad=%d edns=%d\n" % (
                    "tcp" if tcp else "udp", kind, q.name,
                    q.flags >> 5 & 1, q.edns))
                LOG.flush()


def serve_tcp(stub, conn):
    with conn:
        try:
            while True:
                head = conn.recv(2, socket.MSG_WAITALL)
                if len(head) < 2:
                    return
                n = struct.unpack(">H", head)[0]
                msg = conn.recv(n, socket.MSG_WAITALL)
                out, options = stub.answer(msg, True)
                if "tcpclose" in options:
                    return
                if out is None:
                    time.sleep(60)
                    return
                out = struct.pack(">H", len(out)) + out
                if "tcpslow" in options:
                    for i in range(len(out)):
                        conn.sendall(out[i:i + 1])
                        time.sleep(0.001)
                else:
                    conn.sendall(out)
        except OSError:
            return


def accept_tcp(stub, sock):
    while True:
        conn, _ = sock.accept()
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve_tcp, args=(stub, conn),
                         daemon=True).start()


def bind(port):
    for _ in range(100):
        tcp = socket.socket()
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp.bind(("127.0.0.1", port))
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            if port:
                raise
            continue
        tcp.listen(50)
        return tcp, udp
    raise OSError("no free port")


def main():
    global LOG
    opts, args = getopt.getopt(sys.argv[1:], "d:p:r:l:")
    opts = dict(opts)
    LOG = open(opts["-l"], "a") if "-l" in opts else None
    with (sys.stdin if args[0] == "-" else open(args[0])) as f:
        stub = Stub(json.load(f))
    tcp, udp = bind(int(opts.get("-p", 0)))
    threading.Thread(target=accept_tcp, args=(stub, tcp), daemon=True).start()
    if "-r" in opts:
        with open(opts["-r"] + ".new", "w") as f:
            f.write("%d\n" % udp.getsockname()[1])
        os.rename(opts["-r"] + ".new", opts["-r"])
    while True:
        msg, peer = udp.recvfrom(65535)
        try:
            out, _ = stub.answer(msg, False)
        except (IndexError, struct.error):
            continue
        if out is None:
            continue
        if "-d" in opts:
            threading.Timer(int(opts["-d"]) / 1000, udp.sendto,
                            (out, peer)).start()
        else:
            udp.sendto(out, peer)


LOG = None
if __name__ == "__main__":
    main()
