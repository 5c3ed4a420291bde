#!/bin/sh
# imap-early.t - imap-login before a client has said anything: greeted by the
# accepting parent, without a process
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/front.sh"
need openssl
imap_setup 'open-limits = 0 0 0
rate-limits = 0 0 0
connections-max = 12
[tls]
handshake-timeout = 2s
handshake-limits = 0 0 0
[imap]
login-timeout = 3s
plain-login = yes'
tls-cert localhost
front_setup mail.example.org
listen login imap-login; imap=$port login=$listen_pid
listen logins imap-login -t; imaps=$port logins=$listen_pid
cat >early.py <<'P'
import os, socket, ssl, sys, time
imap, imaps, login, logins = map(int, sys.argv[1:5])
ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ctx.check_hostname = False
ctx.verify_mode = ssl.CERT_NONE
def children(pid):
    return open("/proc/%d/task/%d/children" % (pid, pid)).read().split()
def plain():
    return socket.create_connection(("127.0.0.1", imap), 10)
def tls():
    return ctx.wrap_socket(socket.create_connection(("127.0.0.1", imaps), 10))
def line(s):
    b = b""
    while not b.endswith(b"\r\n"):
        d = s.recv(1)
        if not d: return b + b"(end)"
        b += d
    return b
def until(f):
    for i in range(100):
        if f(): return True
        time.sleep(0.05)
    return False
def result(name, good):
    print("%s\t%s" % (name, "ok" if good is True else good))
def fds(pid): return len(os.listdir("/proc/%s/fd" % pid))
for kind, connect, pid in (("143", plain, login), ("993", tls, logins)):
    base = fds(pid)
    many = [connect() for i in range(5)]
    result("%s: all are greeted" % kind, all(line(s).startswith(b"* OK [CAPABILITY ") for s in many))
    result("%s: who says nothing has no process" % kind, children(pid) == [] or str(children(pid)))
    many[0].sendall(b"a CAPA")
    result("%s: one is started with the first bytes" % kind, until(lambda: len(children(pid)) == 1))
    child = children(pid)[0]
    # descriptor 0, standard output and error, the sandbox's rules; the others' are closed
    result("%s: it has its own connection only" % kind, until(lambda: fds(child) <= 4) or str(fds(child)))
    many[0].sendall(b"BILITY\r\n")
    result("%s: the bytes are answered, with what was announced" % kind,
           line(many[0]).startswith(b"* CAPABILITY IMAP4rev1 ") and line(many[0]).startswith(b"a OK"))
    many[1].sendall(b"b NOOP\r\nc LOGOUT\r\n")
    result("%s: no greeting twice" % kind, line(many[1]).startswith(b"b OK") and line(many[1]).startswith(b"* BYE"))
    many[2].close()
    result("%s: the time-out of a silent client is told" % kind, line(many[3]) == b"* BYE time-out\r\n")
    result("%s: and then it is closed" % kind, line(many[3]) == b"(end)")
    for s in many: s.close()
    result("%s: nothing is left of them" % kind, until(lambda: children(pid) == [] and fds(pid) == base) or "%d %d" % (fds(pid), base))
# a peer that never finishes its handshake
s = socket.create_connection(("127.0.0.1", imaps), 10)
t = time.monotonic()
result("993: a silent peer has no process", children(logins) == [])
s.settimeout(10)
result("993: its handshake times out", s.recv(10) == b"" and 1 < time.monotonic() - t < 6)
# connections-max counts those without a process
many = [plain() for i in range(12)]
result("connections-max: twelve are greeted", all(line(s).startswith(b"* OK") for s in many))
s = plain(); s.settimeout(0.7)
try: got = s.recv(1)
except OSError: got = b"none"
result("connections-max: the next one waits", got == b"none")
s.settimeout(10)
many[0].close()
result("connections-max: until one has gone", line(s).startswith(b"* OK"))
P
python_tests early.py $imap $imaps $login $logins
like "$(cat logins.log)" 'm=tls-failed .*why=timeout' "and that is logged"
like "$(cat logins.log)" 'm=tls .*listener=imap tls=TLSv1.3' "a handshake is logged when the client speaks"

# without tls-serve
kill $tls_pid; wait $tls_pid 2>/dev/null
is "$(timeout 10 /usr/bin/python3 -c 'import socket,sys; print(socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(1))' $imaps)" "b''" "without tls-serve the connection is closed"
like "$(cat logins.log)" 'imap-login: warning: cannot ask .*run/tls' "and the log says why"

# SERVER_EARLY_CONNS without a process; who comes then gets one at once
if [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 4400 ]; then
	sed -i 's/^connections-max.*/connections-max = 5000/' etc/main.conf
	config-compile
	/usr/bin/python3 - $imap $login >out <<'P'
import resource, socket, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
def children(): return len(open("/proc/%s/task/%s/children" % (sys.argv[2], sys.argv[2])).read().split())
many = []
for i in range(4096):
    many.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    many[-1].recv(1)
print(children())
many.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
many[-1].recv(1)
print(children())
P
	is "$(cat out)" "0
1" "4096 connections have no process, the next one has"
else
	skip "the limit of connections without a process" "few descriptors"
fi

# limits by address
sed -i 's/^open-limits.*/open-limits = 2 2 2/' etc/main.conf
config-compile
/usr/bin/python3 - $imap >out <<'P'
import socket, sys
c = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for i in range(3)]
print([s.recv(9).decode().split()[1] for s in c])
c[0].close(); c[1].close(); c[2].close()
import time; time.sleep(0.5)
print(socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(4).decode())
P
is "$(cat out)" "['OK', 'OK', 'BYE']
* OK" "open-limits counts those without a process, and forgets them"
done_testing
