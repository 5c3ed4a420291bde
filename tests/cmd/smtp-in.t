#!/bin/sh
# smtp-in - by hand, connected, listening; what it refuses and how
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
main_conf 'unknown-recipient-delay = 1s
size-limit = 20M'
start_lmtp

from_net() { env PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPLOCALIP=198.51.100.2 "$@"; }
from_other() { env PROTO=TCP TCPREMOTEIP=192.0.2.99 "$@"; }

# ---- by hand ----
exits 100 "an operand is a usage error" smtp-in x
is "$(cat .err)" "smtp-in: fatal: usage: smtp-in [-Pst]" "the usage line"

out=$(dialogue from_net smtp-in <<'END'
EHLO c.example
MAIL FROM:<a@example.net> BODY=8BITMIME
RCPT TO:<alice@example.org>
DATA
Subject: one

..dot
.
QUIT
END
)
is "$(echo "$out" | head -9)" "220 mx.example.org ESMTP pipemail
250-mx.example.org
250-PIPELINING
250-SIZE 20971520
250-ENHANCEDSTATUSCODES
250-8BITMIME
250-CHUNKING
250-LIMITS RCPTMAX=1000
250 SMTPUTF8" "R-1 R-3 banner and extensions"
like "$out" '^250 2\.0\.0 ok, received-id [A-Za-z0-9_-]{22}$' "a message is accepted"
is "$(messages alice)" 1 "it is delivered"
is "$(newest alice | steady)" "Delivered-To: alice@example.org
Return-Path: <a@example.net>
Authentication-Results: mx.example.org;
	iprev=pass policy.iprev=192.0.2.1 (mail.example.net);
	spf=pass smtp.mailfrom=a@example.net;
	dkim=none;
	arc=none;
	dmarc=none reason=\"no From field\" policy.dmarc=none
	 policy.alignment=none
Received-SPF: pass (mx.example.org: domain of a@example.net permits 192.0.2.1)
	receiver=mx.example.org; client-ip=192.0.2.1;
	envelope-from=\"a@example.net\"; helo=c.example;
	mechanism=\"ip4:192.0.2.1\"; identity=mailfrom
Received: from c.example (mail.example.net [192.0.2.1])
	by mx.example.org ([198.51.100.2]) via tcp with ESMTP
	id ID
	for <alice@example.org>;
	DATE
Subject: one

.dot" "R-6 R-35 its fields, in their order"
like "$(cat err)" 'm=accepted .*from=a@example.net to=alice@example.org .*results="iprev=pass spf=pass dkim=none arc=none dmarc=none" code=250' "O-14 one log line says it all"

# send [MAIL-PARAMETERS]: from a@example.net to $to, standard input as text; replies
to=alice@example.org
send() {
	{
		printf 'EHLO c.example\nMAIL FROM:<a@example.net>%s\n' "${1:-}"
		for r in $to; do printf 'RCPT TO:<%s>\n' "$r"; done
		printf 'DATA\n'; cat; printf '.\nQUIT\n'
	} | dialogue from_net smtp-in | sed '1,9d'
}
is "$(to=x@foreign.example send </dev/null | sed -n 2p)" "550 5.7.1 relay denied: not a domain of this server" "X-8 no relaying"
is "$(to=x@off.example send </dev/null | sed -n 2p)" "450 4.2.1 domain is disabled for now" "R-19 disabled domain"
like "$(to='""@example.org' send </dev/null | sed -n 4p)" '^250 ' "R-12 empty quoted local part"
like "$(to=postmaster send </dev/null | sed -n 4p)" '^250 ' "R-24 postmaster without domain"
like "$(to=anything@all.example send </dev/null | sed -n 4p)" '^250 ' "D-2 catch-all"
like "$(to=alice+tag@example.org send </dev/null | sed -n 4p)" '^250 ' "D-3 separator"

start=$(date +%s%N)
out=$(to=nobody@example.org send <<'END'
Subject: x

END
)
took=$((($(date +%s%N) - start) / 1000000))
is "$(echo "$out" | sed -n 2p)" "250 2.1.5 recipient ok" "R-18 an unknown recipient is accepted at RCPT"
is "$(echo "$out" | sed -n 4p)" "550 5.1.1 no such user" "R-18 and refused after DATA"
ok "R-18 after the configured wait" test "$took" -ge 1000
out=$(to='alice@example.org nobody@example.org bob@example.org' send </dev/null)
is "$(echo "$out" | sed -n 3p)" "250 2.1.5 recipient ok" "R-18 an unknown recipient beside a known one is accepted at RCPT"

out=$(dialogue from_other smtp-in <<'END'
EHLO c.example
MAIL FROM:<a@nospf.example>
RCPT TO:<alice@example.org>
RCPT TO:<bob@example.org>
QUIT
END
)
is "$(echo "$out" | tail -2 | head -1)" "452 4.5.3 one recipient at a time without an SPF pass" "R-17 no second recipient without an SPF pass"
before=$(messages bob)
out=$(to='alice@example.org bob@example.org' send </dev/null)
like "$(echo "$out" | sed -n 5p)" '^250 2.0.0 ' "R-17 two recipients with an SPF pass"
is "$(messages bob)" $((before + 1)) "both have it"
is "$(newest bob | sed -n 's/^	for \(<.*>\);.*/\1/p')" "<bob@example.org>" "D-15 \"for\" in the copy of each of two recipients names it"
is "$(newest alice | sed -n 's/^	for \(<.*>\);.*/\1/p')" "<alice@example.org>" "D-15 and not the other"

out=$(dialogue from_net smtp-in <<'END'
EHLO c.example
MAIL FROM:<jörg@example.net> SMTPUTF8
RCPT TO:<alice@example.org>
DATA
Subject: grüß dich

.
QUIT
END
)
like "$(echo "$out" | tail -2 | head -1)" '^250 2.0.0 ok' "R-3 SMTPUTF8"
like "$(newest alice)" '^Return-Path: <jörg@example\.net>$' "R-3 with its sender"
like "$(newest alice)" 'by mx\.example\.org \(\[198\.51\.100\.2\]\) via tcp with UTF8SMTP$' "R-6 and protocol"
is "$(env PIPEMAIL_VAR="$TMP/none" smtp-in </dev/null 2>&1)" "smtp-in: warning: cannot load configuration: config.cdb: No such file or directory" "no configuration: one line"
exits 111 "and exit 111" env PIPEMAIL_VAR="$TMP/none" smtp-in </dev/null

# ---- refused messages ----
two='From: a@example.net
From: b@example.net
'
is "$(echo "$two" | send | sed -n 4p)" "550 5.6.0 more than one From field" "R-37 two From fields"
received() { i=0; while [ $i -lt "$1" ]; do echo "Received: by x$i; Fri, 20 Nov 2026 12:00:00 +0000"; i=$((i + 1)); done; echo; }
like "$(received 100 | send | sed -n 4p)" '^250 ' "R-22 a hundred Received fields"
is "$(received 101 | send | sed -n 4p)" "550 5.4.6 too many Received fields, mail loop" "R-22 one more"
like "$(seq 1 10000 | sed 's/$/: x/; s/^/X-/' | send | sed -n 4p)" '^250 ' "ten thousand header fields"
like "$({ head -c 100000 /dev/zero | tr '\0' a; echo; } | send | sed -n 4p)" '^250 ' "a line of 100000 bytes"
is "$(send ' SIZE=20971521' </dev/null | sed -n 1p)" "552 5.3.4 message over the size limit" "R-15 declared size"
is "$(printf 'EHLO c\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\n.\r\nMAIL' | from_net smtp-in 2>>err | tail -1 | tr -d '\r')" \
    "500 5.5.2 bad syntax: bare LF in the message, smtp smuggling is refused" "R-11 smuggling"
is "$(printf 'GET / HTTP/1.0\r\n\r\n' | smtp-in 2>>err | tail -1 | tr -d '\r')" "500 5.5.2 please speak SMTP" "R-8 another protocol"
is "$(printf 'NOOP %2042s\r\n' x | smtp-in 2>>err | tail -1 | tr -d '\r')" "500 5.5.2 line too long" "R-7 line of 2049 octets"
n=$(messages alice)
printf 'EHLO c\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nSubject: cut off\r\n' | from_net smtp-in >out 2>>err
is "$(messages alice)" "$n" "a message that is cut off is not delivered"

# ---- listening ----
start_smtp
swaks --server "127.0.0.1:$port" --from a@localhost --to alice@example.org --header 'Subject: swaks' --body hello >swaks.out 2>&1
is $? 0 "swaks delivers over loopback"
like "$(newest alice)" '^Received: from .* \(localhost \[127\.0\.0\.1\]\)$' "R-6 with the client's verified name"
cat >client.py <<'END'
import socket, sys, time
port, what = int(sys.argv[1]), sys.argv[2]
def connect():
    s = socket.create_connection(("127.0.0.1", port)); s.settimeout(60); return s
def reply(f):
    lines = []
    while True:
        l = f.readline()
        lines.append(l.rstrip(b"\r\n").decode())
        if not l or l[3:4] != b"-": return lines[-1]
head = b"EHLO c\r\nMAIL FROM:<a@nospf.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n"
s = connect(); f = s.makefile("rb")
if what == "pipelined":
    s.sendall(b"EHLO c\r\n" + (b"MAIL FROM:<a@nospf.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nSubject: p\r\n\r\nx\r\n.\r\n") * 5 + b"QUIT\r\n")
    data = b""
    while True:
        d = s.recv(65536)
        if not d: break
        data += d
    print(data.count(b"250 2.0.0 ok"), data.count(b"354"), data.endswith(b"221 2.0.0 bye\r\n"))
elif what == "bytes":
    text = head + b"Subject: slow\r\n\r\nx\r\n.\r\nQUIT\r\n"
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for b in text: s.sendall(bytes([b]))
    data = b""
    while True:
        d = s.recv(65536)
        if not d: break
        data += d
    print(data.count(b"250 2.0.0 ok"))
elif what == "huge":
    reply(f)
    for l in head.splitlines(True): s.sendall(l); last = reply(f)
    line = (b"x" * 78 + b"\r\n") * 13107
    for i in range(200): s.sendall(line)
    s.sendall(b".\r\n"); print(reply(f))
    s.sendall(b"NOOP\r\n"); print(reply(f))
elif what == "idle":
    print(reply(f)); start = time.time(); print(reply(f), f.read() == b"", 0.5 < time.time() - start < 10)
elif what == "chunk":       # silent in the middle of a chunk, and between two
    s.sendall(head.replace(b"DATA\r\n", b"BDAT 10\r\nab") + sys.argv[3].encode().decode("unicode_escape").encode())
    print(f.read().decode().splitlines()[-1])
elif what == "waits":
    reply(f)
    b = connect()
    b.settimeout(0.5)
    try:
        got = b.recv(1000)
    except TimeoutError:
        got = b"nothing"
    s.sendall(b"QUIT\r\n")
    b.settimeout(10)
    print(got.decode(), b.recv(1000)[:3].decode())
elif what == "flood":
    socks = [connect() for i in range(4)]
    print(sum(1 for x in socks if x.makefile("rb").readline().startswith(b"421 4.7.0 ")) > 0)
elif what == "rude":
    s.sendall(head + b"x\n.\r\n" + b"y" * 3000000); print("smuggling" in [l for l in f.read().decode().splitlines()][-1])
elif what == "kept":
    reply(f)
    for i in range(3):
        for l in (head if i == 0 else head[8:]).splitlines(True): s.sendall(l); reply(f)
        s.sendall(b"Subject: k%d\r\n\r\n.\r\n" % i); print(reply(f)[:9])
        time.sleep(0.1)
END
client() { timeout 120 /usr/bin/python3 client.py "$port" "$@"; }
n=$(messages alice)
is "$(client pipelined)" "5 5 True" "R-7 five messages in one write"
is "$(messages alice)" $((n + 5)) "all five are there"
is "$(client bytes)" 1 "byte by byte"
is "$(client huge)" "552 5.3.4 message over the size limit
250 2.0.0 ok" "a message of 200 MB over the limit is read and refused"
is "$(find var/spool -type f | wc -l | tr -d ' ')" 0 "nothing of it is kept"
is "$(client rude)" True "R-11 the reply reaches a client that goes on sending"

# ---- when delivery is not there ----
stop "$lmtp_pid"
rm -f run/lmtp
n=$(messages alice)
out=$(printf 'Subject: x\n\n' | send | sed -n 4p)
like "$out" '^451 4\.3\.0 internal error, received-id [A-Za-z0-9_-]{22}$' "R-34 without lmtp-in: 451 with the received-id"
id=${out##* }
like "$(cat err)" "m=failed .*id=$id .*err=" "R-34 the log has the id and the reason"
is "$(messages alice)" "$n" "nothing is delivered"
cat >closing.py <<'END'
import socket
s = socket.socket(socket.AF_UNIX); s.bind("run/lmtp"); s.listen(5)
while True:
    c, _ = s.accept(); f = c.makefile("rb"); c.sendall(b"220 x\r\n"); f.readline()
    c.sendall(b"250-x\r\n250 PIPELINING\r\n")
    for r in (b"250", b"250", b"501", b"250", b"250", b"354"): f.readline(); c.sendall(r + b" x\r\n")
    while f.readline() not in (b".\r\n", b""): pass
    c.sendall(open("end.said", "rb").read())
    c.close(); f.close()
END
bg /usr/bin/python3 closing.py
wait_for 5 test -S run/lmtp
# lmtp_says REPLY: what the client hears when that comes after the text
lmtp_says() { printf "$1" >end.said; printf 'Subject: x\n\n' | send | sed '1,3d;/^221/d'; }
like "$(lmtp_says '')" '^451 4\.3\.0 ' "a peer that dies before its reply: 451"
for bad in 'hello\r\n' '250 2.0.0 ok\n' '250-2.0.0 a\r\n550 5.1.1 b\r\n' '250 2.0.0 ok' '25 ok\r\n' '250 2.0.0 o\001k\r\n'; do
	like "$(lmtp_says "$bad")" '^451 4\.3\.0 ' "a peer that answers $bad: 451"
done
is "$(lmtp_says '550-5.2.2 no room\r\n550-5.2.2\r\n550 5.2.2 sorry\r\n')" "550-5.2.2 no room
550-5.2.2 
550 5.2.2 sorry" "R-33 lines of a reply, each with the enhanced code once"
is "$(lmtp_says '452 full\r\n')" "452 full" "and one without"
kill "$bg_pid"; wait "$bg_pid" 2>/dev/null
rm -f run/lmtp

# ---- texts in files: what the peer got, by which command ----
cat >textfile.py <<'END'
import hashlib, os, socket, sys
def says(c, *lines): c.sendall("".join(l + "\r\n" for l in lines).encode())
def unstuff(line): return line[1:] if line[:1] == b"." else line
def session(c):
    data, fds, got, takes = b"", [], [], sys.argv[1] == "takes"
    says(c, "220 x")
    while True:
        while b"\r\n" not in data:
            more, new, _, _ = socket.recv_fds(c, 65536, 4)
            fds += new
            if not more: return
            data += more
        line, data = data.split(b"\r\n", 1)
        verb, _, arg = line.decode().partition(" ")
        if verb == "LHLO": says(c, "250-x", "250-PIPELINING", "250 TEXTFILE")
        elif verb == "TEXTFILE" and not takes: open("textfile.asked", "a").write("asked"); says(c, "500 5.5.1 what")
        elif verb == "TEXTFILE":
            fd = fds.pop(0)
            keep(verb, os.pread(fd, int(arg), 0)); os.close(fd)
            says(c, *["250 2.0.0 ok"] * rcpts)
        elif verb == "DATA":
            says(c, "354 x")
            while not data.endswith(b"\r\n.\r\n"): data += c.recv(65536)
            lines = data[:-3].split(b"\r\n")
            keep(verb, b"\n".join(map(unstuff, lines))); data = b""
            says(c, *["250 2.0.0 ok"] * rcpts)
        else:
            if verb == "MAIL": rcpts = 0
            if verb == "RCPT": rcpts += 1
            says(c, "250 2.0.0 ok")
def keep(verb, text):
    body = text.split(b"\n\n", 1)[1]
    with open("textfile.got", "a") as f:
        print(verb, text.startswith(b"Authentication-Results:"), len(body), hashlib.sha256(body).hexdigest()[:8], file=f)
s = socket.socket(socket.AF_UNIX); s.bind("run/lmtp"); s.listen(5)
while True:
    c, _ = s.accept(); session(c); c.close()
END
cat >sizes.py <<'END'
import hashlib, smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
for n in map(int, sys.argv[2:]):
    body = ("." + "x" * 60 + "\n") * (n // 62) + "end\n"
    s.sendmail("a@c.example", ["alice@example.org"], "Subject: x\n\n" + body)
    print(len(body), hashlib.sha256(body.encode()).hexdigest()[:8])
s.quit()
END
# texts HOW SIZE...: the commands; then whether all of them came as they were
texts() {
	how=$1; shift
	rm -f textfile.got
	bg /usr/bin/python3 textfile.py "$how"
	wait_for 5 test -S run/lmtp
	timeout 60 /usr/bin/python3 sizes.py "$port" "$@" >sizes.sent
	kill "$bg_pid"; wait "$bg_pid" 2>/dev/null
	rm -f run/lmtp
	cut -d' ' -f1 textfile.got | tr '\n' ' '
	[ "$(cut -d' ' -f3- textfile.got)" = "$(cat sizes.sent)" ] && echo same
}
is "$(texts takes 100 20000 9000 100 250000 300000 20000)" \
    "DATA TEXTFILE TEXTFILE DATA TEXTFILE DATA TEXTFILE same" "who offers TEXTFILE gets longer texts so, short and very long ones by DATA"
is "$(cut -d' ' -f2 textfile.got | sort -u)" "$(cut -d' ' -f2 textfile.got | head -1)" "and the same in front of them"
is "$(texts refuses 20000 20000 20000)" "DATA DATA DATA same" "who does not know TEXTFILE after all gets DATA"
is "$(cat textfile.asked)" asked "and is not asked again"
start_lmtp
is "$(client kept)" "250 2.0.0
250 2.0.0
250 2.0.0" "three messages in a session"

# ---- limits and configuration changed while it runs ----
main_conf 'line-timeout = 1s
open-limits = 2 2 2' 'banner = Mail
stages-in ='
is "$(client idle)" "220 mx.example.org ESMTP Mail
421 4.4.2 time-out, closing True True" "R-7 time-out; a new configuration counts at once"
is "$(client chunk '')" "421 4.4.2 time-out, closing" "B-17 time-out within a chunk"
is "$(client chunk 'cdefgh\r\n')" "421 4.4.2 time-out, closing" "B-17 time-out between chunks"
is "$(find var/spool -type f | wc -l | tr -d ' ')" 0 "nothing of it is kept"
is "$(client flood)" True "R-28 too many connections at once: 421"
main_conf 'connections-max = 1' 'banner = Mail
stages-in ='
is "$(client waits)" "nothing 220" "R-28 past connections-max one waits for another to end"
printf 'Subject: x\n\n' | send >out
is "$(newest alice | sed -n 3p)" "Received: from c.example ([192.0.2.1])" "no stages: only Received"

# ---- external filters ----
filter() {
	# refused mail makes a client slow; with 5 s it is not
	main_conf 'unknown-recipient-delay = 0s
line-timeout = 5s' "stages-in = dkim-verify
stages-in = |$1"
}
filter 'printf "spam is not wanted\nmore\n" >&2; exit 100'
is "$(printf 'Subject: x\n\n' | send | sed -n 4p)" "550 5.7.1 spam is not wanted" "filter exit 100: refused with its words"
n=$(messages alice)
filter 'exit 99'
like "$(printf 'Subject: x\n\n' | send | sed -n 4p)" '^250 2.0.0 ok' "filter exit 99: accepted"
is "$(messages alice)" "$n" "and dropped"
filter 'exit 1'
like "$(printf 'Subject: x\n\n' | send | sed -n 4p)" '^451 4\.3\.0 a filter could not judge the message, received-id ' "filter of unknown exit: 451"
filter 'echo "X-Client: $TCPREMOTEIP $HELO $SENDER $RECIPIENT"; exec cat'
like "$(printf 'Subject: x\n\n' | send | sed -n 4p)" '^250 ' "a filter adds a field"
is "$(newest alice | sed -n 3,4p)" "X-Client: 192.0.2.1 c.example a@example.net alice@example.org
Authentication-Results: mx.example.org;" "it stands above ours"

# ---- the manual's example ----
mandoc -T ascii -O width=300 "$TOP/man/smtp-in.8" | col -b | grep "printf 'EHLO" >example.sh
like "$(sh example.sh 2>>err | tail -1)" '^221 ' "smtp-in(8): by hand"
done_testing
