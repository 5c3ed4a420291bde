#!/bin/sh
# bad-input.t - what goes wrong in the world: each case gets its reply, and
# nothing accepted is lost
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
need s6-svscan

# a name server that never answers
cat >silent.py <<'PY'
import socket, sys, time
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", int(sys.argv[1])))
t = socket.socket(); t.bind(("127.0.0.1", int(sys.argv[1]))); t.listen(50)
time.sleep(600)
PY
D=$(free_port)
bg /usr/bin/python3 silent.py "$D"
PIPEMAIL_DNS=127.0.0.1:$D
export PIPEMAIL_DNS
instance_start
unset PIPEMAIL_DNS
cat >talk.py <<'PY'
# talk.py PORT: runs the Python lines on standard input with a session helper
import socket, sys, time
class S:
    def __init__(self):
        self.s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=40); self.f = self.s.makefile("rb"); self.greeting = self.reply()
    def reply(self):
        out = []
        while True:
            l = self.f.readline()
            if not l: return "closed"
            l = l.decode("latin1").rstrip("\r\n"); out.append(l)
            if l[3:4] != "-": return "\n".join(out)
    def raw(self, b):
        try: self.s.sendall(b)
        except OSError: pass
        return self
    def cmd(self, c):
        self.raw(c.encode("latin1") + b"\r\n"); return self.reply()
    def start(self, frm="a@sender.example", to="mail@localhost"):
        self.cmd("EHLO client.example"); self.cmd("MAIL FROM:<%s>" % frm); self.cmd("RCPT TO:<%s>" % to); return self.cmd("DATA")
H = b"From: a@sender.example\r\nSubject: %s\r\n\r\n"
exec(sys.stdin.read())
PY
talk() { /usr/bin/python3 talk.py $((B + 25)); }
inbox() { store-list -a mail -m INBOX 2>/dev/null | grep -c .; }

r=$(talk <<'PY'
s = S(); s.start(); t = time.time()
s.raw(H % b"silent dns" + b"x\r\n.\r\n"); print(s.reply()); print("seconds", int(time.time() - t))
PY
)
like "$r" '^250 ' "a silent name server does not stop mail"
s=$(printf '%s\n' "$r" | sed -n 's/^seconds //p')
ok "and delays it by dns-timeout, not more (${s} s)" test "${s:-99}" -le 12
like "$(store-show -a mail -m INBOX 1)" 'spf=temperror' "the result says temperror"

r=$(talk <<'PY'
s = S(); s.start()
s.raw(H % b"big")
chunk = (b"x" * 998 + b"\r\n") * 1000
for i in range(200): s.raw(chunk)
s.raw(b".\r\n"); print(s.reply())
PY
)
like "$r" '^552 5\.3\.4' "a 200 MB message over the limit is refused with 552 5.3.4"
is "$(talk <<'PY'
s = S(); s.cmd("EHLO x"); print(s.cmd("MAIL FROM:<a@b.example> SIZE=209715200")[:9])
PY
)" "552 5.3.4" "and at MAIL already when its size is declared"
is "$(inbox)" 1 "nothing of it is stored"

r=$(talk <<'PY'
s = S(); s.start()
s.raw(H % b"fields" + b""); 
s2 = S(); s2.start()
s2.raw(b"From: a@sender.example\r\nSubject: ten thousand\r\n" + b"".join(b"X-F%d: v\r\n" % i for i in range(10000)) + b"\r\nbody\r\n.\r\n"); print(s2.reply()[:3])
s3 = S(); s3.start(); n = 1000
b = b"From: a@sender.example\r\nSubject: nested\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n"
for i in range(1, n): b += b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (i - 1, i)
s3.raw(b + b"--b%d\r\n\r\ndeep\r\n.\r\n" % (n - 1)); print(s3.reply()[:3])
PY
)
is "$r" "250
250" "10,000 header fields and 1,000 nested parts are taken"
is "$(inbox)" 3 "and stored"
r=$(printf 'a FETCH 2:3 (ENVELOPE BODYSTRUCTURE)\r\nb LOGOUT\r\n' | { printf 's SELECT INBOX\r\n'; cat; } | imap-serve -a mail | grep -c 'BODYSTRUCTURE (')
is "$r" 2 "and IMAP describes both"

is "$(talk <<'PY'
for bad in (b"a\rb\r\n.\r\n", b"a\nb\r\n.\r\n", b"x\n.\n", b"x\r\n.\n", b"x\n.\r\n", b"x\r.\r"):
    s = S(); s.start(); s.raw(H % b"smuggled" + bad + b"QUIT\r\n"); print(s.reply()[:3])
PY
)" "$(for i in 1 2 3 4 5 6; do echo 500; done)" "R-11 bare CR, bare LF and near-misses of the end are refused with 500"
is "$(talk <<'PY'
s = S(); s.start(); s.raw(H % b"nul" + b"x\0y\r\n.\r\n"); print(s.reply()[:9])
PY
)" "550 5.6.0" "a NUL byte is refused"
is "$(inbox)" 3 "R-11 none of them is stored"
is "$(talk <<'PY'
s = S(); s.cmd("EHLO x"); print(s.cmd("NOOP " + "x" * 3000)[:3], s.reply()[:6])
s = S(); print(s.cmd("GET / HTTP/1.1")[:3], s.reply()[:6])
s = S(); print(s.cmd("MAIL FROM:<a@b.example>")[:3]); 
s = S(); s.cmd("EHLO x"); print(s.cmd("DATA")[:3]); print(s.cmd("RCPT TO:<mail@localhost>")[:3]); print(s.cmd("MAIL FROM:<a@b> FOO=1")[:3])
PY
)" "500 closed
500 closed
503
503
503
555" "R-7 R-8 long lines, no SMTP at all, commands out of order"

# a session cut in the middle stores nothing
talk <<'PY'
s = S(); s.start(); s.raw(H % b"cut" + b"half a mess"); s.s.close()
PY
sleep 0.3
is "$(inbox)" 3 "a connection that ends within a message stores nothing"

# disk full: the account on a small file system of its own
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	cat >full.sh <<'EOF2'
mkdir -p full/var
cp ls/var/config.cdb full/var/
mount -t tmpfs -o size=8m none full/var/ && cp ls/var/config.cdb full/var/
PIPEMAIL_VAR=$PWD/full/var; export PIPEMAIL_VAR
{ printf 'LHLO x\r\n'
  i=0; while [ $i -lt 40 ]; do
	printf 'MAIL FROM:<a@b.example>\r\nRCPT TO:<mail@localhost>\r\nDATA\r\nSubject: full %d\r\n\r\n' $i
	head -c 300000 /dev/zero | tr '\0' 'x' | fold -w 70 | sed 's/$/\r/' | tr -d '\n' | sed 's/\r/\r\n/g'
	printf '.\r\n'; i=$((i + 1)); done
  printf 'QUIT\r\n'; } | lmtp-in >full.out 2>full.err
grep -c '^250 2\.[0-9.]* ' full.out >full.250all
verifydata -a mail >full.verify 2>&1
store-list -a mail -m INBOX 2>/dev/null | grep -c . >full.count
ls full/var/accounts/mail/Maildir/tmp | wc -l >full.tmp
EOF2
	unshare -m sh full.sh
	like "$(cat full.out)" '^452 4\.3\.1' "disk full is answered 452 4.3.1"
	is "$(cat full.verify)" "" "verifydata is content on the full disk"
	is "$(cat full.count)" "$(grep -cE '^250 2\.(0|1|6)\.0 .*(deliver|accept|stored|saved)' full.out)" "each message answered 250 is in the mailbox, and no other"
	is "$(cat full.tmp)" 0 "no temporary file is left"
else
	skip "disk full" "needs root for a small tmpfs"
fi

# a Maildir other programs have been in
M=ls/var/accounts/mail/Maildir
printf 'Subject: by another program\n\nx\n' >$M/new/1700000000.1.elsewhere
printf 'Subject: unreadable\n\nx\n' >$M/new/1700000001.2.elsewhere
chmod 000 $M/new/1700000001.2.elsewhere
mkdir $M/new/a-directory; : >$M/cur/.hidden
first=$(ls $M/new | grep U=1: | head -1); [ -n "$first" ] || first=$(ls $M/new $M/cur | grep -m1 ',U=1')
f=$(find $M -name "*,U=1*" -type f | head -1)
cp "$f" "$M/cur/1700000002.3.copy,U=1:2,S"
before=$(inbox)
ok "a foreign, an unreadable and a duplicated file do not stop the account" test "$before" -ge 4
like "$(store-list -a mail -m INBOX)" 'by another program' "the foreign file is adopted"
is "$(store-list -a mail -m INBOX | cut -f2 | sort | uniq -d)" "" "no UID is there twice"
rm -f "$f"
store-list -a mail -m INBOX >/dev/null
chmod 600 $M/new/1700000001.2.elsewhere 2>/dev/null; find $M -name '1700000001.2*' -exec chmod 600 {} +
rmdir $M/new/a-directory; rm -f $M/cur/.hidden
store-list -a mail -m INBOX >/dev/null
is "$(verifydata -a mail)" "" "after a file is gone the index agrees again"
instance_stop
done_testing
