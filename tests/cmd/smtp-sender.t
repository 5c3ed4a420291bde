#!/bin/sh
# smtp-in - what is asked about clients and senders, unknown recipients, and
# what becomes of a client whose mail was refused for what it is
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/dns-fixture"
need nsd
names='[static-dns "null.example"]
mx = 0 .
[static-dns "onlymx.example"]
mx = 10 gone.example
[static-dns "only6.example"]
aaaa = 2001:db8::1
[static-dns "onlytxt.example"]
txt = nothing else
[static-dns "helo.example"]
txt = v=spf1 ip4:192.0.2.99 -all'
conf() { main_conf "unknown-recipient-delay = 1s
${1:-}" "stages-in = spf-check
${2:-}" "${3:-}
$names"; }
cat >nothing.zone <<'E'
$ORIGIN nothing.example.
a	A 192.0.2.1
E
conf
start_lmtp
from_other() { env PROTO=TCP TCPREMOTEIP=192.0.2.99 TCPLOCALIP=198.51.100.2 "$@"; }
from_net() { env PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPLOCALIP=198.51.100.2 "$@"; }
from_here() { env PROTO=TCP TCPREMOTEIP=127.0.0.1 TCPLOCALIP=127.0.0.1 "$@"; }
# say WHO LINE...: the replies, without the greeting
say() { who=$1; shift; printf '%s\n' "$@" | dialogue "$who" smtp-in | sed 1d; }

# ---- a resolver that fails: the fixture's ----
is "$(say from_other 'HELO unknown.example' | cut -c1-3)" 250 "R-13 DNS does not answer: the name may be right"
is "$(say from_other 'EHLO c' 'MAIL FROM:<a@unknown.example>' | tail -1)" "451 4.4.3 the sender's domain cannot be looked up now" "R-14 DNS does not answer: 451"
# ---- and one that knows nothing ----
dns_start nothing.zone
is "$(say from_other 'HELO unknown.example' | tail -1)" "550 the name you gave has no address" "R-13 a HELO name without an address: 550"
is "$(say from_other 'HELO unknown.example' 'MAIL FROM:<a@example.net>' | tail -1)" "503 5.5.1 say EHLO first" "R-13 nothing goes on after it"
is "$(say from_other 'HELO a..b' | tail -1)" "550 the name you gave has no address" "R-13 nor with a name that none can have"
for name in mail.example.net only6.example '[192.0.2.99]'; do
	is "$(say from_other "HELO $name" | tail -1)" "250 mx.example.org" "R-13 HELO $name"
done
is "$(say from_other 'EHLO unknown.example' | tail -1)" "250 SMTPUTF8" "R-13 an EHLO name is not looked up"
is "$(say from_here 'HELO unknown.example' | tail -1)" "250 mx.example.org" "R-13 nor that of a client on this machine"

mail() { say "$1" 'EHLO c' "MAIL FROM:<$2>" | tail -1; }
ok_reply="250 2.1.0 sender ok"
is "$(mail from_other a@null.example)" "550 5.7.27 the sender's domain takes no mail (null MX)" "R-14 null MX"
is "$(mail from_other a@onlytxt.example)" "550 5.7.27 the sender's domain takes no mail (neither MX nor address)" "R-14 neither MX nor A nor AAAA"
is "$(mail from_other a@unknown.example)" "550 5.7.27 the sender's domain takes no mail (neither MX nor address)" "R-14 no such domain"
for from in a@onlymx.example a@nospf.example a@only6.example a@off.example ''; do
	is "$(mail from_other "$from")" "$ok_reply" "R-14 MX, A, AAAA, a domain of ours, no sender: <$from>"
done
is "$(mail from_other 'a@[192.0.2.99]')" "550 5.1.8 the sender's domain is no name" "R-14 an address literal"
is "$(mail from_here 'a@[127.0.0.1]')" "550 5.1.8 the sender's domain is no name" "R-14 an address literal from this machine"
is "$(mail from_here a@unknown.example)" "$ok_reply" "R-14 nothing else is asked about clients on this machine"
like "$(grep 'from=a@unknown.example code=550' err)" "why=\"the sender's domain takes no mail" "R-14 the log says why"

# ---- R-17: for MAIL FROM alone ----
out=$(say from_other 'EHLO helo.example' 'MAIL FROM:<a@nospf.example>' 'RCPT TO:<alice@example.org>' 'RCPT TO:<bob@example.org>')
is "$(echo "$out" | tail -1)" "452 4.5.3 one recipient at a time without an SPF pass" "R-17 an SPF pass of the HELO name is none"
out=$(say from_net 'EHLO c' 'MAIL FROM:<a@example.net>' 'RCPT TO:<alice@example.org>' 'RCPT TO:<bob@example.org>' RSET 'MAIL FROM:<a@nospf.example>' 'RCPT TO:<alice@example.org>' 'RCPT TO:<bob@example.org>' RSET 'MAIL FROM:<a@example.net>' 'RCPT TO:<bob@example.org>' 'RCPT TO:<alice@example.org>')
is "$(echo "$out" | sed '/^250-/d' | cut -c1-9 | sed -n '4p;8p;12p' | tr '\n' ' ')" "250 2.1.5 452 4.5.3 250 2.1.5 " "R-17 each transaction is asked about by itself"
is "$(mail from_other a@helo.example)" "550 5.7.27 the sender's domain takes no mail (neither MX nor address)" "R-14 SPF alone does not make a domain"

# ---- R-18 ----
start_queue_add
send() {
	{
		printf 'EHLO c.example\nMAIL FROM:<a@example.net>\n'
		for r in $to; do printf 'RCPT TO:<%s>\n' "$r"; done
		printf 'DATA\nSubject: %s\n\n.\nQUIT\n' "$to"
	} | dialogue from_net smtp-in | sed '1,9d'
}
out=$(to='alice@example.org nobody@example.org bob@example.org' send)
is "$(echo "$out" | sed -n '2,4p' | sort | uniq -c | tr -s ' ')" " 3 250 2.1.5 recipient ok" "R-18 unknown ones are accepted beside known ones"
like "$(echo "$out" | sed -n 6p)" '^250 2.0.0 ok' "R-18 R-33 the message is accepted"
is "$(messages alice) $(messages bob)" "1 1" "R-18 the known ones have it"
like "$(newest_queued)" '^Final-Recipient:.*nobody@example.org' "R-18 R-33 a DSN tells about the other"
is "$(newest_queued | grep -c '^Final-Recipient:')" 1 "R-33 and about no one else"
out=$(to='nobody@example.org alice@example.org' send)
like "$(echo "$out" | sed -n 5p)" '^250 2.0.0 ok' "R-18 whichever comes first"
start=$(date +%s%N)
out=$(to='nobody@example.org noone@example.org' send)
took=$((($(date +%s%N) - start) / 1000000))
is "$(echo "$out" | sed -n 5p)" "550 5.1.1 no such user" "R-18 all unknown: 550 after DATA"
ok "R-18 after the wait" test "$took" -ge 1000
is "$(config-get -s server unknown-recipient-delay 2>/dev/null || config-get server unknown-recipient-delay)" 1 "R-18 the wait is configured"

# ---- R-20: replies of the configuration ----
printf '[account]\naddress = bob@example.org\naddress = @all.example\n[address "bob@example.org"]\nsmtp-error = 551 5.1.6 bob has gone to bob@else.example\n[address "@all.example"]\nsmtp-error = 421 4.2.1 not now\n' >etc/accounts/bob.conf
conf
out=$(say from_net 'EHLO c' 'MAIL FROM:<a@example.net>' 'RCPT TO:<bob+x@example.org>' 'RCPT TO:<alice@example.org>' | tail -2)
is "$out" "551 5.1.6 bob has gone to bob@else.example
250 2.1.5 recipient ok" "R-20 smtp-error of an address: at RCPT, for it alone"
is "$(say from_net 'EHLO c' 'MAIL FROM:<a@example.net>' 'RCPT TO:<any@all.example>' 'NOOP' | tail -1)" "421 4.2.1 not now" "R-20 that of a catch-all; 421 ends the session"
printf '[account]\naddress = bob@example.org\n' >etc/accounts/bob.conf

# ---- R-21: too many bad transactions ----
bad() { for n in $(seq "$1"); do printf 'MAIL FROM:<a@null.example>\n'; done; }
is "$({ echo 'EHLO c'; bad 11; } | dialogue from_other smtp-in | tail -1 | cut -c1-10)" "550 5.7.27" "R-21 eleven refused senders"
is "$({ echo 'EHLO c'; bad 12; echo NOOP; } | dialogue from_other smtp-in | tail -1)" "550 5.7.0 too many failures" "R-21 the twelfth is not looked at"
is "$({ printf 'EHLO c\nMAIL FROM:<a@example.net>\nRCPT TO:<alice@example.org>\nDATA\nx: y\n\n.\n'; bad 12; echo NOOP; } | dialogue from_net smtp-in | tail -1)" "250 2.0.0 ok" "R-21 after a good one they are borne"

# ---- R-25, R-26: slow mode ----
cat >slow.py <<'END'
import os, subprocess, sys, time
env = dict(os.environ, PROTO="TCP", TCPREMOTEIP=sys.argv[1], TCPLOCALIP="198.51.100.2")
p = subprocess.Popen(["smtp-in"], env=env, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open("err", "ab"))
def get(n=4096): return os.read(p.stdout.fileno(), n)
def reply():
    got = b""
    while not (got.endswith(b"\n") and got.splitlines()[-1][3:4] != b"-"): got += get()
reply()
for l in (b"EHLO c", b"MAIL FROM:<a@example.net>", b"RCPT TO:<alice@example.org>", b"DATA"):
    p.stdin.write(l + b"\r\n"); reply()
start = time.time()
p.stdin.write(b"Subject: x\r\n\r\n.\r\n")
first = get(1)
rest = b""
sizes = []
while not rest.endswith(b"\n"):
    d = get()
    if not d: break
    sizes.append(len(d)); rest += d
total = time.time() - start
start = time.time()
p.stdin.write(b"NOOP\r\n"); d = get(1); wait = time.time() - start
print((first + rest).decode().rstrip())
print("slow" if total >= 1.9 and sizes[0] == 1 else "fast", "in-time" if total < 7 else "late %.1f" % total, "waits" if wait >= 0.9 else "at-once")
END
slow() { timeout 60 /usr/bin/python3 slow.py "${1:-192.0.2.1}"; }
conf 'line-timeout = 7s'
like "$(slow)" '^250 2.0.0 ok.*
fast in-time at-once' "R-25 mail that is taken slows nobody down"
conf 'line-timeout = 7s' '' 'stages-deliver = |echo unwanted >&2; exit 100'
is "$(slow)" "550 5.7.1 unwanted
slow in-time waits" "R-25 R-26 BEHAVIOUR 1.5 refused by lmtp-in: a byte a second, a pause before each read, the rest before the time-out"
conf 'line-timeout = 7s' 'stages-in = |echo unwanted >&2; exit 100'
is "$(slow)" "550 5.7.1 unwanted
slow in-time waits" "R-25 refused by a stage of smtp-in"
is "$(slow 127.0.0.1 | tail -1)" "fast in-time at-once" "R-25 a relay on this machine is not slowed down"
conf 'line-timeout = 7s' '' 'stages-deliver = |exit 111'
like "$(slow)" '^451 4.3.0 .*
fast in-time at-once' "R-25 what went wrong here is not the client's fault"

# ---- A-10: what is known of a zone ----
cat >stub.json <<'E'
{ "1.2.0.192.bl.example": { "A": ["127.0.0.2"], "TXT": ["sends spam"] },
  "2.0.0.127.bl.example": { "A": ["127.0.0.2"] } }
E
dns_stub_start -l "$TMP/asked" stub.json
conf '' 'stages-in = dnsbl-check
dnsbl = bl.example'
cat >proxied.py <<'END'
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); s.settimeout(60)
s.sendall(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + socket.inet_aton("192.0.2.1") + socket.inet_aton("198.51.100.2") + b"\x10\0\0\x19")
f = s.makefile("rb")
for l in (b"EHLO c", b"MAIL FROM:<a@example.net>", b"RCPT TO:<alice@example.org>", b"DATA", b"Subject: x\r\n\r\n.", b"QUIT"):
    s.sendall(l + b"\r\n")
print(f.read().decode().splitlines()[-2][:9])
END
port=$(free_port)
bg tcp-bind 127.0.0.1 "$port" smtp-in -P 2>>smtp.log
wait_for 5 port_open "$port"
for n in 1 2 3; do
	is "$(timeout 60 /usr/bin/python3 proxied.py "$port")" "250 2.0.0" "message $n of a listed client, by a process of its own"
done
newest alice | tr -d '\n\t' >flat
like "$(cat flat)" 'dnsbl=fail dns.zone=bl.example policy.ip=127.0.0.2 policy.txt="sends spam"' "A-10 a stage tells, and refuses nothing"
is "$(grep -c ' A 1.2.0.192.bl.example' asked) $(grep -c ' A [12].0.0.127.bl.example' asked)" "3 2" "A-10 three processes asked for the client, one for the health of the zone"
done_testing
