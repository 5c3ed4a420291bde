#!/bin/sh
# smtp-relay.t - how smtp-in hands a message to run/lmtp: with DATA, or by BDAT
# to a peer that is known to take it
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
need python3
main_conf
from_net() { env PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPLOCALIP=198.51.100.2 "$@"; }

# message SIZE [RECIPIENT...]: one more for the session; its text begins with
# dots, and has SIZE bytes of lines besides
message() {
	size=$1; shift
	echo 'MAIL FROM:<a@example.net>'
	for r in "${@:-alice@example.org}"; do echo "RCPT TO:<$r>"; done
	printf 'DATA\nSubject: dots\n\n..\n.. x\n...\nx.\n'
	yes 'a line of this message, and no end' | head -c "$size" | sed 's/^\./../'
	[ "$size" = 0 ] || echo
	echo .
}
# session: its replies to texts
session() { { echo 'EHLO c'; cat; echo QUIT; } | sed -u 's/$/\r/' | from_net smtp-in 2>>err | tr -d '\r' | grep -A1 '^354' | grep -v '^354\|^--'; }

# ---- with lmtp-in ----
start_lmtp
is "$({ message 0; message 0; message 200000; message 200000; message 400000; message 400000; } | session | cut -c1-9)" \
    "$(yes '250 2.0.0' | head -6)" "all are taken"
for i in 1 2 3 4 5 6; do
	f=$(ls var/accounts/alice/Maildir/new/* | sort -t= -k4n | sed -n ${i}p)
	sed '1,/^Subject: dots/d' "$f" >"text.$i"
done
printf '\n.\n. x\n..\nx.\n' >want
ok "a small one, with DATA" cmp -s text.1 want
ok "by BDAT" cmp -s text.2 want
is "$(wc -c <text.3 | tr -d ' ')" $((200000 + 1 + $(wc -c <want))) "a longer one"
ok "each time" cmp -s text.3 text.4
ok "one for which a chunk is too long" cmp -s text.5 text.6
stop "$lmtp_pid"
rm -f run/lmtp

# ---- with one that tells what it is told ----
cat >peer.py <<'END'
"""peer.py FATE...: what becomes of each message: ok, close (the connection,
after its reply), old (the same, and no CHUNKING from then on), gone (no
reply), none (no recipient is taken), odd (bob is not)"""
import socket, sys
fates, chunking = sys.argv[1:], True
s = socket.socket(socket.AF_UNIX); s.bind("run/lmtp"); s.listen(5)
said = open("said", "ab", 0)

def message(c, f, verb, line, taken):
    """its text, and the reply; False: the connection ends"""
    global chunking
    said.write(verb + b" ")
    if verb == b"DATA":
        c.sendall(b"354 go\r\n" if taken else b"554 5.5.1 nobody\r\n")
        while taken and f.readline() not in (b".\r\n", b""): pass
    else:
        assert line.split()[2] == b"LAST"
        text = f.read(int(line.split()[1]))
        assert text.endswith(b"\r\n") and b"\n..\r\n" in text, text
        if not taken: c.sendall(b"554 5.5.1 nobody\r\n")
    fate = fates.pop(0)
    if fate != "gone": c.sendall(b"250 2.0.0 ok\r\n" * taken)
    if fate == "old": chunking = False
    return fate not in ("close", "old", "gone")

def serve(c, f):
    taken = 0
    for line in f:
        verb = line[:4]
        if verb == b"LHLO":
            c.sendall(b"250-x\r\n" + (b"250-CHUNKING\r\n" if chunking else b"") + b"250 PIPELINING\r\n")
        elif verb == b"RCPT":
            no = fates[0] == "none" or (fates[0] == "odd" and b"<bob" in line)
            taken += not no
            c.sendall(b"452 4.2.2 full\r\n" if no else b"250 2.1.5 ok\r\n")
        elif verb == b"BDAT" and not chunking: return
        elif verb in (b"DATA", b"BDAT"):
            if not message(c, f, verb, line, taken): return
            taken = 0
        else: c.sendall(b"250 2.0.0 ok\r\n")

while True:
    c, _ = s.accept(); f = c.makefile("rb"); c.sendall(b"220 x\r\n")
    said.write(b"LHLO ")
    try: serve(c, f)
    except OSError: pass
    f.close(); c.close()
    said.write(b"end ")
END
# peer FATE...: the messages of standard input to it; their replies, and what it
# was told
peer() {
	rm -f run/lmtp said; : >said
	bg /usr/bin/python3 peer.py "$@"
	wait_for 5 test -S run/lmtp
	session | cut -c1-9 | tr '\n' ' '
	kill "$bg_pid"; wait "$bg_pid" 2>/dev/null
	printf '/ '; sed 's/end $//' said
}
is "$({ message 0; message 0; message 1; } | peer ok ok ok)" "250 2.0.0 250 2.0.0 250 2.0.0 / LHLO DATA BDAT BDAT " "the first with DATA, then by BDAT, and one connection"
is "$({ message 0; message 261000; message 262144; message 0; } | peer ok ok ok ok)" "250 2.0.0 250 2.0.0 250 2.0.0 250 2.0.0 / LHLO DATA BDAT DATA BDAT " "up to 256 kB"
many() { i=0; while [ $i -lt "$1" ]; do echo "alice+$i@example.org"; i=$((i + 1)); done; }
is "$({ message 0; message 0 $(many 32); message 0 $(many 33); } | peer ok ok ok)" "250 2.0.0 250 2.0.0 250 2.0.0 / LHLO DATA BDAT DATA " "for 32 recipients"
ended() { wait_for 5 sh -c "[ \$(grep -o end said | wc -l) = $1 ]"; }
is "$({ message 0; ended 1; message 0; ended 2; message 0; } | peer close close ok)" "250 2.0.0 250 2.0.0 250 2.0.0 / LHLO DATA end LHLO BDAT end LHLO BDAT " "a connection that was closed since: another, and each message once"
is "$({ message 0; message 0; message 0; } | peer ok gone ok)" "250 2.0.0 451 4.3.0 250 2.0.0 / LHLO DATA BDAT end LHLO BDAT " "R-34 no reply to the text: 451, and it is not sent again"
is "$({ message 0; message 0; message 0; } | peer ok none ok)" "250 2.0.0 452 4.2.2 250 2.0.0 / LHLO DATA BDAT BDAT " "nobody is taken: one reply to the text, and the next message is in step"
is "$({ message 0; message 0 alice@example.org bob@example.org; message 0; } | peer ok odd ok)" "250 2.0.0 451-4.3.0 250 2.0.0 / LHLO DATA BDAT BDAT " "some are: a reply for each of them"
is "$({ message 0; ended 1; message 0; ended 2; message 0; message 0; } | peer old ok ok)" "250 2.0.0 451 4.3.0 250 2.0.0 250 2.0.0 / LHLO DATA end LHLO end LHLO DATA DATA " "a peer that takes it no more: 451, then DATA"
done_testing
