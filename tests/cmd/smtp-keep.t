#!/bin/sh
# smtp-keep.t - one process of smtp-in for several connections of an address,
# and after which sessions it is not used again
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
need openssl python3
# With one process at a time who comes waits until the last is idle or gone.
one='connections-max = 1
unknown-recipient-delay = 0s'
main_conf "$one"
start_lmtp
front_setup mx.example.org

cat >keep.py <<'END'
"""keep.py PARENT PORT VISIT...: each visit is ADDRESS:WHAT; prints the number
of the process that served it, counted as they appear"""
import socket, ssl, sys, time
parent, port = sys.argv[1], int(sys.argv[2])
seen = []

def running():
    with open(f"/proc/{parent}/task/{parent}/children") as f: pids = f.read().split()
    live = []
    for pid in pids:
        try: state = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0]
        except OSError: continue
        if state not in "ZX": live.append(pid)
    return live

def serving():
    """the only one, as soon as the one before it is gone"""
    end = time.monotonic() + 20
    while len(running()) != 1 and time.monotonic() < end: time.sleep(0.005)
    pid, = running()
    if pid not in seen: seen.append(pid)
    return pid

class Visit:
    def __init__(self, address):
        self.s = socket.create_connection(("127.0.0.1", port), 30, (address, 0))
        self.f = self.s.makefile("rb")
        assert self.reply() == "220"
    def reply(self):
        while True:
            line = self.f.readline().decode()
            if line[3:4] != "-": return line[:3]
    def say(self, line, want="250"):
        self.s.sendall(line.encode() + b"\r\n")
        got = self.reply()
        assert got == want, (line, got)
    def message(self, size=0, to="alice", domain="nospf.example"):
        self.say(f"MAIL FROM:<a@{domain}>")
        self.say(f"RCPT TO:<{to}@example.org>")
        self.say("DATA", "354")
        self.say("Subject: kept\r\n\r\n" + ("y" * 70 + "\r\n") * (size // 72) + ".")

def play(v, what):
    if what == "greet": v.s.close(); v.f.close(); return
    v.say("EHLO me.example")
    if what == "mail": v.message()
    elif what == "asks": v.message(domain="asked.example")
    elif what == "big": v.message(300000)
    elif what == "small": v.message(200000)
    elif what == "gone": v.s.close(); v.f.close(); return
    elif what == "syntax": v.say("NOSUCH", "500")
    elif what == "relay": v.say("MAIL FROM:<a@nospf.example>"); v.say("RCPT TO:<x@elsewhere.example>", "550")
    elif what == "helo": v.say("HELO", "501")
    elif what == "late": assert v.reply() == "421"; v.s.close(); return
    elif what == "after": v.s.sendall(b"QUIT\r\nNOOP\r\n"); v.reply(); v.s.close(); return
    elif what == "lf": v.s.sendall(b"NOOP\n"); v.reply(); v.s.close(); return
    elif what == "tls":
        v.say("STARTTLS", "220")
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
        v.f.close(); v.s = c.wrap_socket(v.s); v.f = v.s.makefile("rb"); v.say("EHLO me.example")
    v.say("QUIT", "221")
    assert v.s.recv(1) == b""
    v.s.close(); v.f.close()

out = []
for visit in sys.argv[3:]:
    address, what = visit.split(":")
    v = Visit("127.0.0." + address)
    pid = serving()
    out.append(str(seen.index(pid) + 1))
    play(v, what)
print(" ".join(out))
END
visits() { timeout 60 /usr/bin/python3 keep.py "$smtp_pid" "$port" "$@"; }
start_smtp
n=$(messages alice)
is "$(visits 1:mail 1:quit 1:mail 1:mail)" "1 1 1 1" "an address that comes again is served by the same process"
is "$(messages alice)" $((n + 3)) "each of its messages is delivered"
is "$(sed -n 's/^.* m=accepted cid=\([0-9]*\) .*/\1/p' smtp.log | sort -u | wc -l | tr -d ' ')" 3 "each connection has its own id"
main_conf "$one" 'stages-in ='	# 127.0.0.2 has no name
is "$(visits 1:mail 2:mail 1:mail 2:quit 2:mail 1:quit)" "1 2 3 4 4 5" "no process serves two addresses"
is "$(sed -n 's/^.* m=accepted .* ip=\([0-9.]*\) .*/\1/p' smtp.log | tail -3 | tr '\n' ' ')" "127.0.0.2 127.0.0.1 127.0.0.2 " "the log has the address of each"
main_conf "$one"
is "$(visits $(yes 1:quit | head -21))" "$(yes 1 | head -20 | tr '\n' ' ')2" "20 connections, and another process for the next"
main_conf "$one" 'connections-per-process = 2'
is "$(visits 1:quit 1:quit 1:quit 1:quit 1:quit)" "1 1 2 2 3" "connections-per-process = 2"
main_conf "$one" 'connections-per-process = 1'
is "$(visits 1:mail 1:mail 1:quit)" "1 2 3" "connections-per-process = 1"

# ---- after which sessions ----
main_conf "$one
line-timeout = 1s"
for what in greet gone syntax relay helo late after lf big tls; do
	is "$(visits 1:quit "1:$what" 1:quit)" "1 1 2" "a new process after: $what"
done
is "$(visits 1:small 1:quit)" "1 1" "the same after a message below 256 kB"
main_conf "$one" 'require-starttls = yes'
is "$(visits 1:quit 1:tls 1:tls)" "1 1 2" "none that spoke TLS serves another"

# ---- what is left behind ----
main_conf "$one"
cat >fds.py <<'END'
import os
exec(open("keep.py").read().split("out = []")[0])
counts = []
for i in range(20):
    v = Visit("127.0.0.1"); pid = serving()
    v.say("EHLO me.example"); v.message()
    counts.append((sorted(os.listdir(f"/proc/{pid}/fd")), [l.split()[1] for l in open(f"/proc/{pid}/status") if l.startswith("VmData")][0]))
    v.say("QUIT", "221"); v.s.close(); v.f.close()
first = counts[1]
print(len(seen), all(c[0] == first[0] for c in counts[1:]), all(int(c[1]) <= int(first[1]) + 256 for c in counts[1:]))
END
left=$(timeout 60 /usr/bin/python3 fds.py "$smtp_pid" "$port")
# a sanitizer keeps what was freed
[ "${SAN:-}" != 1 ] || left="${left% *} True"
is "$left" "1 True True" "after 20 messages: no descriptor more, no memory"

# ---- what DNS said ----
stop "$smtp_pid"
echo '{"asked.example": {"TXT": ["v=spf1 ip4:127.0.0.0/8 -all"]},
"2.0.0.127.in-addr.arpa": {"PTR": ["two.example"]}, "two.example": {"A": ["127.0.0.2"]}}' >zone.json
dns_port=$(free_port)
bg /usr/bin/python3 "$TOP/tests/dns-stub.py" -p "$dns_port" -r dns.ready -l dns.log zone.json
wait_for 5 test -e dns.ready
main_conf "$one"
PIPEMAIL_DNS=127.0.0.1:$dns_port
export PIPEMAIL_DNS
start_smtp
asked() { grep -c " TXT asked.example " dns.log; }
is "$(visits 1:asks 1:asks 1:asks)/$(asked)" "1 1 1/1" "an answer of DNS serves the process's next connections"
is "$(sed -n 's/.* m=accepted .* from=a@asked.example .*results="[^"]*\(spf=[a-z]*\).*/\1/p' smtp.log | tr '\n' ' ')" "spf=pass spf=pass spf=pass " "with the same result"
is "$(visits 2:asks)/$(asked)" "1/2" "those of another address are asked for"
main_conf "$one"
is "$(visits 2:asks)/$(asked)" "1/3" "and after a new configuration"
unset PIPEMAIL_DNS

# ---- servers that keep none ----
stop "$smtp_pid"
main_conf "$one" 'stages-in = |cat'
start_smtp
is "$(visits 1:mail 1:mail)" "1 2" "not with filters"
stop "$smtp_pid"
main_conf "$one"
port=$(free_port)
bg tcp-bind 127.0.0.1 "$port" smtp-in -s 2>>smtp.log
smtp_pid=$bg_pid
wait_for 5 port_open "$port"
is "$(visits 1:quit 1:quit)" "1 2" "not for submission"
stop "$smtp_pid"
cat >proxied.py <<'END'
header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 1, 192, 0, 2, 2, 4, 4, 0, 25])
exec(open("keep.py").read().split("out = []")[0].replace('        self.f = self', '        self.s.sendall(header); self.f = self'))
for i in range(2):
    v = Visit("127.0.0.1"); serving(); play(v, "quit")
print(len(seen))
END
port=$(free_port)
bg tcp-bind 127.0.0.1 "$port" smtp-in -P 2>>smtp.log
smtp_pid=$bg_pid
wait_for 5 port_open "$port"
is "$(timeout 60 /usr/bin/python3 proxied.py "$smtp_pid" "$port")" 2 "not behind a proxy"
done_testing
