#!/bin/sh
# tls-serve.t - descriptors in, plaintext out: OpenSSL and Python as clients
. "$(dirname "$0")/../tap.sh"
need openssl unix-bind tls-serve tls-cert config-compile
py=/usr/bin/python3
peer=$TOP/tests/tls-peer.py
client() { timeout 60 $py "$TOP/tests/tls-client.py" "$@" 2>&1 | tail -1; }

PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
mkdir -p etc/domains etc/accounts var run
configure() {
	{ printf '[server]\nhostname = mail.example\n[tls]\nhandshake-timeout = 2s\nhandshake-limits = 0 0 0\nhandshake-rate-limits = 0 0 0\n'
	cat; } >etc/main.conf
	config-compile || echo "# config-compile failed"
}
configure </dev/null
tls-cert mail.example; tls-cert -r mail.example; tls-cert other.example
tls-cert -o 'etc/tls/*.wild.example.pem' '*.wild.example'
tls-cert -o client.pem client

bg unix-bind run/tls tls-serve -w 2 2>log
serve=$bg_pid
wait_for 5 test -S run/tls
start_peer() { # NAME LISTENER OPTION...: sets port
	port=$(free_port); sp_name=$1; shift
	bg $py "$peer" serve run/tls "$port" "$@" >"$sp_name.out"
	wait_for 10 grep -q ready "$sp_name.out"
}
start_peer imap imap client-cert; imap=$port
start_peer smtp smtp starttls; smtp=$port
start_peer smtps smtp; smtps=$port
start_peer http http alpn=h2 alpn=http/1.1; http=$port
start_peer stall imap stall; stall=$port
last() { tail -1 "$1.out"; }	# the last outcome
reload() {	# and wait until both workers have it
	n=$(grep -c m=reload log); kill -HUP $serve
	wait_for 5 sh -c "[ \$(grep -c m=reload log) -ge $((n + 2)) ]"
}

# ---- certificates by name ----
is "$(client name $imap mail.example)" mail.example "the certificate of the name asked for"
is "$(client name $imap OTHER.example)" other.example "another one, in any case"
is "$(client name $imap a.wild.example)" "*.wild.example" "a wildcard for one label"
is "$(client name $imap '')" mail.example "L-7 no name: the host name's certificate"
like "$(client name $imap nobody.example)" 'UNRECOGNIZED_NAME' "L-7 unknown name: imap fails with unrecognized_name"
like "$(last imap)" '"P", "reason": "unknown-name"' "L-7 and the server is told why"
like "$(client name $imap a.b.wild.example)" 'UNRECOGNIZED_NAME' "a wildcard is not for two labels"
like "$(client name $http nobody.example)" 'UNRECOGNIZED_NAME' "L-7 unknown name: http fails too"
is "$(client name $smtps nobody.example)" mail.example "R-31 unknown name: smtp gets the host name's certificate"

# ---- what the preface tells ----
is "$(client echo $imap 3)" TLSv1.3 "TLS 1.3"
is "$(client echo $imap 2)" TLSv1.2 "TLS 1.2"
like "$(client echo $imap 1)" 'Error|alert' "L-8 TLS 1.1 is refused"
like "$(last imap)" 'no-common-version' "L-8 with its reason"
s_client() { # ARGUMENT...: a session that ends by itself
	(sleep 0.4; echo Q) | timeout 10 openssl s_client -connect 127.0.0.1:$imap -servername mail.example "$@" 2>&1
}
out=$(s_client -tls1_3 -cert client.pem -key client.pem -keymatexport EXPORTER-Channel-Binding -keymatexportlen 32)
seen=$(grep '"status": "D"' imap.out | tail -1)
exporter=$(printf '%s\n' "$out" | sed -n 's/.*Keying material: //p' | tr A-F a-f)
like "$seen" "\"exporter\": \"$exporter\"" "tls-exporter is equal on both sides"
ok "and there is one" test ${#exporter} = 64
hash=$(openssl x509 -in client.pem -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -r | cut -c1-64)
like "$seen" "\"key\": \"$hash\"" "any client certificate: SHA-256 of its public key"
print=$(openssl x509 -in etc/tls/mail.example.pem -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f)
like "$seen" "\"end_point\": \"$print\"" "tls-server-end-point is the hash of the certificate"
like "$seen" "\"name\": \"mail.example\"" "the name asked for"
like "$seen" '"remote": "127.0.0.1:[0-9]+", "local": "127.0.0.1:'$imap'"' "addresses and ports"
like "$(s_client -sigalgs RSA-PSS+SHA256 | grep 'Peer signature type')" RSA-PSS "RSA certificate for who wants RSA"
like "$(s_client | grep 'Peer signature type')" ECDSA "ECDSA for all others"
alpn() { (sleep 0.3; echo Q) | timeout 10 openssl s_client -connect 127.0.0.1:$http -servername mail.example -alpn "$1" 2>&1; }
like "$(alpn http/1.1,h2)" 'ALPN protocol: h2' "ALPN: the server's first choice"
like "$(last http; tail -2 http.out)" '"alpn": "h2"' "ALPN is told"
like "$(alpn foo)" 'no application protocol' "no ALPN in common: alert"
like "$(s_client -alpn foo)" 'No ALPN negotiated' "ALPN is ignored where nobody chose any"

# ---- tickets ----
resume() { # PORT VERSION
	rm -f sess	# with TLS 1.3 a client that says nothing gets none
	(sleep 0.4; echo hello; sleep 0.3; echo Q) | timeout 10 openssl s_client -connect 127.0.0.1:$1 -$2 -servername mail.example -sess_out sess >/dev/null 2>&1
	[ -s sess ] || { echo no session; return; }
	(sleep 0.4; echo Q) | timeout 10 openssl s_client -connect 127.0.0.1:$1 -$2 -servername mail.example -sess_in sess 2>&1 | grep -Eo '^(New|Reused)'
}
is "$(resume $imap tls1_3)" Reused "R-32 imap resumes by ticket, TLS 1.3"
is "$(resume $imap tls1_2)" Reused "R-32 imap resumes by ticket, TLS 1.2"
is "$(resume $http tls1_3)" Reused "R-32 http too"
is "$(resume $smtps tls1_3)" "no session" "R-32 smtp has no tickets, TLS 1.3"
is "$(resume $smtps tls1_2)" "no session" "R-32 smtp has no tickets, TLS 1.2"

# ---- STARTTLS ----
is "$(client starttls $smtp 'STARTTLS\r\n')" hello "STARTTLS"
like "$(client starttls $smtp 'STARTTLS\r\nNOOP\r\n')" 'Error|reset|EOF' "I-21 bytes after STARTTLS make the handshake fail"
like "$(last smtp)" '"reason": "not-tls"' "I-21 and never reach the plaintext"

# ---- the stream ----
is "$(client bulk $imap 20000000)" 20000000 "20 MB to the client"
is "$(client bulk $imap 8000000 slow)" 8000000 "8 MB to a slow client"
is "$(client upload $stall 3000000)" 3000000 "3 MB there and back, the server reading late"
is "$(client end $imap)" 200000 "what the server sent before it closed arrives"
is "$(client bye $imap)" ended "the server closes: close_notify"
is "$(client half $imap)" sent "the server ends its direction, the client's goes on"
ok "and all of it arrives" wait_for 5 grep -q '"end": 100005' imap.out

# ---- a greeting, and the plaintext when the client speaks ----
cat >greet.py <<'P'
import os, select, socket, ssl, struct, sys, threading
path = "run/tls"
def greet(version=ssl.TLSVersion.TLSv1_3, cert=None):
    """A client, and who asks for it."""
    l = socket.create_server(("127.0.0.1", 0))
    c = socket.create_connection(l.getsockname())
    n, _ = l.accept()
    s = socket.socket(socket.AF_UNIX); s.connect(path); s.settimeout(10)
    f = b"".join(x + b"\0" for x in (b"listener=imap", b"client-cert=yes", b"greeting=none\r\n",
        b"greeting-bound=bound\r\n"))
    socket.send_fds(s, [struct.pack(">H", len(f)) + f], [n.fileno()])
    n.close()
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False; ctx.verify_mode = ssl.CERT_NONE
    ctx.maximum_version = version
    if cert: ctx.load_cert_chain(cert)
    return ctx.wrap_socket(c), s
def quiet(s): return select.select([s], [], [], 0.3)[0] == []
def reply(s):
    b, f, _, _ = socket.recv_fds(s, 8192, 4)
    return b[2:3], b[3:], f
def result(name, good): print("%s\t%s" % (name, "ok" if good is True else good))
c, s = greet()
result("a greeting: [1] with bindings", c.recv(100) == b"bound\r\n")
result("the server hears nothing yet", quiet(s))
c.sendall(b"first words\r\n")
r = reply(s)
result("it gets the plaintext when the client speaks", r[0] == b"D" and r[1][:4] == b"\r\n\r\n" and len(r[2]) == 1)
p = socket.socket(fileno=r[2][0]); p.settimeout(10)
result("with the first words", p.recv(100) == b"first words\r\n")
p.sendall(b"answer\r\n")
result("and answers", c.recv(100) == b"answer\r\n")
p.close()
result("and ends", c.recv(100) == b"")
c, s = greet(cert="client.pem")
r = reply(s)
result("a client with a key is left to the server at once", r[0] == b"D" and len(r[2]) == 1 and quiet(c))
result("TLS 1.2 with the extended master secret is bound", greet(ssl.TLSVersion.TLSv1_2)[0].recv(100) == b"bound\r\n")
c, s = greet(); c.recv(100); c.close()
r = reply(s)
result("a client that goes without a word", r[0] == b"G" and r[1] == b"gone")
c, s = greet(); c.recv(100); s.sendall(b"* BYE\r\n"); s.close()
result("the server's last words", c.recv(100) == b"* BYE\r\n" and c.recv(100) == b"")
c, s = greet(); c.recv(100); s.close()
result("or none", c.recv(100) == b"")
P
/usr/bin/python3 greet.py >greet.out 2>greet.err
while IFS="$(printf '\t')" read -r name got; do is "$got" ok "greeting: $name"; done <greet.out
is "$(wc -l <greet.out) $(cat greet.err)" "11 " "greet.py ran to its end"

# ---- bad clients ----
n=$(grep -c . log)
like "$(client send $imap 474554202f20485454502f312e310d0a0d0a)" '^(eof|reset)' "an HTTP request gets an answer and an end"
like "$(last imap)" not-tls "R-30 not TLS"
is "$(client send $imap '' 5)" 'eof ' "a silent client is given up after the time-out"
like "$(last imap)" '"timeout"' "R-30 time-out"
client send $imap 160301 5 >/dev/null
like "$(last imap)" '"timeout"' "a record that stops is given up too"
client send $imap 16030100050100000100 >/dev/null
like "$(last imap)" '"protocol"' "R-30 malformed handshake"
$py -c 'import socket,sys; s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); s.sendall(b"\x16\x03\x01"); s.close()' $imap
ok "R-30 eof" wait_for 3 sh -c 'tail -1 imap.out | grep -q "\"eof\""'
echo Q | timeout 10 openssl s_client -connect 127.0.0.1:$imap -servername mail.example -verify_return_error >/dev/null 2>&1
wait_for 3 sh -c 'tail -1 imap.out | grep -q alert:'
like "$(last imap)" 'alert:unknown_ca' "R-30 the alert the client sent"
is "$(grep -c m=tls-failed log)" "$(cat imap.out http.out smtp.out | grep -c reason)" "each failure is logged"
out=$( (sleep 0.5; echo R; sleep 0.5; echo more; sleep 0.5; echo Q) | timeout 10 openssl s_client -connect 127.0.0.1:$imap -servername mail.example -tls1_2 2>&1)
like "$out" 'no renegotiation' "renegotiation is refused"
is "$(client silent $imap 200 0.3)" hello "200 silent clients are in nobody's way"

# ---- bad requests ----
raw() { timeout 30 $py "$peer" raw run/tls "$@"; }
good=000e6c697374656e65723d696d617000
like "$(raw $good pipe)" '"R", "reason": "not-a-socket"' "a pipe instead of a socket"
like "$(raw $good file)" not-a-socket "a file instead of a socket"
like "$(raw $good udp)" not-a-socket "a datagram socket"
like "$(raw $good listen)" not-a-socket "a listening socket"
like "$(raw $good none)" bad-request "no descriptor"
like "$(raw $good two)" bad-request "two descriptors"
like "$(raw 00)" bad-request "half a request"
like "$(raw 000e6c697374656e65723d706f703300)" bad-request "an unknown listener"
like "$(raw $(printf '%05200d' 0))" bad-request "a request that is too long"

# ---- limits ----
configure <<E
handshakes-max = 5
E
reload
client silent_only $imap 20 0.5 >/dev/null
like "$(cat imap.out)" '"B", "reason": "busy"' "handshakes in all are limited"
printf '[server]\nhostname = mail.example\n[tls]\nhandshake-timeout = 2s\nhandshake-limits = 3 0 0\nhandshake-rate-limits = 0 0 0\nmin-version = 1.3\n' >etc/main.conf
config-compile
sleep 2.2
reload
client silent_only $imap 20 0.5 >/dev/null
like "$(cat imap.out)" '"B", "reason": "handshake-limit"' "handshakes of an address are limited"
sleep 2.2
is "$(client echo $imap)" TLSv1.3 "and it is free again after their time-out"
like "$(client echo $imap 2)" 'Error|alert' "L-8 min-version = 1.3 refuses TLS 1.2"

# ---- reload, death, end ----
configure </dev/null
tls-cert -o new.pem renewed.example
is "$(client hold $imap "cp new.pem etc/tls/mail.example.pem; kill -HUP $serve; sleep 0.7")" "still there" "a reload drops no connection"
is "$(client name $imap mail.example)" renewed.example "and new ones get the new certificate"
echo broken >etc/tls/other.example.pem
chmod 644 etc/tls/other.example.pem
reload
like "$(cat log)" 'm=certificate-refused file=other.example.pem err="it holds no private key' "a broken file is named"
like "$(cat log)" 'm=certificate-exposed file=other.example.pem' "a file that everybody reads is named"
is "$(client name $imap other.example)" other.example "and the old certificates stay"
rm etc/tls/other.example.pem
reload
like "$(client name $imap other.example)" UNRECOGNIZED_NAME "a file that is removed is served no more"
is "$(client killed $imap $serve)" back "killed workers are back within a second"
is "$(resume $imap tls1_3)" Reused "with the same ticket keys"
like "$(cat log)" 'm=worker-died pid=[0-9]+ signal=9' "their death is logged"
kill -USR1 $serve
ok "SIGUSR1 prints counters" wait_for 3 grep -q 'm=tls-counters listener=http' log
counters=$(grep 'm=tls-counters listener=imap' log | tail -1)
for word in implicit done-TLSv1.2 done-TLSv1.3 resumed client-certs name-missing name-unknown failed-not-tls failed-timeout failed-eof failed-alert alert-unknown_ca failed-busy failed-handshake-limit; do
	like "$counters" " $word=[1-9]" "R-30 L-9 counter $word"
done
like "$(grep 'listener=smtp ' log | tail -1)" ' starttls=[1-9].* failed-not-tls=1' "R-30 STARTTLS handshakes by listener"

ok "no worker died but those that were killed" test "$(grep -c m=worker-died log)" = 2

kb=$(client idle $imap $serve 1000)
echo "# $kb kB of tls-serve for each of 1000 idle connections"
if [ -n "${SAN:-}" ]; then
	skip "an idle connection costs at most 30 kB" "sanitizers have memory of their own"
else
	ok "an idle connection costs at most 30 kB" $py -c "import sys; sys.exit(not 1 < float('$kb') <= 30)"
fi
if [ "$(id -u)" = 0 ] && [ -z "${SAN:-}" ]; then
	bg unix-bind run/root tls-serve -w 1 -u nobody 2>root.log
	wait_for 5 test -S run/root
	wait_for 5 sh -c "[ \"\$(ps -o user= --ppid $bg_pid)\" = nobody ]"
	is "$(ps -o user= --ppid $bg_pid)" nobody "L-6 the process that reads keys is not root"
	is "$(stat -c '%U %a' etc/tls/mail.example.pem)" "root 600" "L-6 though only root may open them"
	port=$(free_port)
	bg $py "$peer" serve run/root "$port" imap >root.out
	wait_for 10 grep -q ready root.out
	is "$(client echo $port)" TLSv1.3 "L-6 and it serves them"
else
	skip "L-6 keys opened by root, served by another user" "not root"
fi
is "$(client one run/tls)" 0 "on a connected socket it serves that one"
exits 100 "descriptor 0 must be a socket" sh -c 'tls-serve </dev/null'
exits 100 "no operands" tls-serve x
if [ "${SAN:-}" = 1 ]; then
	skip "SIGTERM lets connections end for a while" "sanitizers take their time"
	kill "$serve"
else
	is "$(client hold $imap "kill $serve; sleep 0.2" | grep -c .)" 1 "SIGTERM lets connections end for a while"
fi
ok "and then it is gone" wait_for 8 sh -c "! kill -0 $serve"
done_testing
