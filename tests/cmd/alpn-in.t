#!/bin/sh
# alpn-in.t - IMAP on the port of HTTPS, chosen by ALPN (I-18, L-13)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/front.sh"
need openssl /usr/bin/python3 curl
imap_setup '[imap]
plain-login = no'
pw="password of alice"
echo "$pw" | passwd-set -a alice || exit 111
exits 100 "an operand is refused" alpn-in x
exits 100 "an unknown option" alpn-in -t
tls-cert localhost
front_setup mail.example.org
bg unix-bind -m 600 run/imap imap-serve 2>imap.log
wait_for 10 test -S run/imap
listen https alpn-in; https=$port

# talk [OPTION...]: openssl s_client speaks what is on standard input
talk() { timeout 20 openssl s_client -connect 127.0.0.1:$https -servername mail.example.org "$@" 2>&1; }
# imap LINE...: each after the answer to the one before
cat >imap.py <<'P'
import socket, ssl, sys
c = ssl.create_default_context()
c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
c.set_alpn_protocols(sys.argv[2].split(","))
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.settimeout(20)
try:
    f = c.wrap_socket(s).makefile("rwb")
    for line in [""] + sys.argv[3:]:
        if line:
            f.write(line.encode() + b"\r\n"); f.flush()
        while True:
            got = f.readline()
            if not got:
                sys.exit()
            print(got.decode().rstrip())
            if not line or got.startswith(line.split()[0].encode() + b" "):
                break
except OSError as e:
    print("closed")
P
imap() { timeout 60 /usr/bin/python3 imap.py $https imap "$@"; }

out=$(imap 'a NOOP')
like "$(cat https.log)" 'm=alpn-refused .*why=no-service' "I-18 nothing is there: closed, and logged"
bg unix-bind -m 600 run/imap-login imap-login -u 2>again.log
wait_for 10 test -S run/imap-login
out=$(imap 'a CAPABILITY' "b LOGIN alice \"$pw\"" 'c SELECT INBOX' 'd UNAUTHENTICATE' 'e NOOP' 'f LOGOUT')
like "$out" '^\* OK \[CAPABILITY IMAP4rev1 .*\] pipemail ready' "I-18 ALPN imap on the HTTPS port: a greeting"
like "$out" '^\* CAPABILITY .*AUTH=SCRAM-SHA-256-PLUS' "I-18 TLS is known: logins, channel bindings"
is "$(printf '%s\n' "$out" | grep -Ec 'STARTTLS|LOGINDISABLED')" 0 "I-18 and no STARTTLS"
like "$out" '^b OK ' "I-18 LOGIN"
like "$out" '^c OK ' "I-18 SELECT"
like "$out" '^d OK not logged in' "I-18 RFC 8437 there too"
like "$out" '^f OK LOGOUT done' "I-18 LOGOUT"
is "$(printf '%s\n' "$out" | grep -c '^\* OK .CAP')" 1 "one greeting"
like "$(cat imap.log)" 'm=imap-session .*ip=127.0.0.1 tls=TLSv1.3 cipher=[A-Z0-9_]+ account=alice' "the session's log has address and TLS"
like "$(: | talk -alpn imap)" 'ALPN protocol: imap' "I-18 the client is told: imap"
mkfifo in0
timeout 30 openssl s_client -quiet -alpn imap -connect 127.0.0.1:$https <in0 >held0 2>/dev/null &
held_pid=$!
exec 4>in0
ok "I-18 openssl s_client -alpn imap is greeted" wait_for 20 grep -q 'OK .*ready' held0
printf 'a LOGIN alice "%s"\r\nb LOGOUT\r\n' "$pw" >&4
ok "I-18 and logs in" wait_for 20 grep -q '^b OK' held0
exec 4>&-
kill $held_pid 2>/dev/null; wait $held_pid 2>/dev/null
like "$(: | talk -alpn h2,imap)" 'ALPN protocol: imap' "I-18 among others"

# what is not there
like "$(: | talk -alpn http/1.1)" 'no application protocol' "I-18 http/1.1 without a web server: alert"
like "$(: | talk -alpn smtp)" 'no application protocol' "I-18 a protocol nobody has: alert"
is "$(curl -sk --max-time 20 --no-alpn "https://127.0.0.1:$https/" 2>&1; echo $?)" 52 "I-18 without ALPN: closed without a word"
like "$(cat https.log)" 'm=alpn-refused .*why=no-http' "I-18 refused, and logged"

# and with a web server: it gets the descriptor and the preface
cat >web.py <<'P'
import array, os, socket
s = socket.socket(socket.AF_UNIX)
s.bind("run/http"); s.listen(9)
while True:
    c, _ = s.accept()
    data, anc, _, _ = c.recvmsg(65536, 4096)
    fd = array.array("i", anc[0][2])[0]
    open("preface", "wb").write(data)
    w = socket.socket(fileno=fd); w.setblocking(True)
    w.recv(4096)
    w.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nweb")
    w.close(); c.close()
P
bg /usr/bin/python3 web.py 2>web.log
wait_for 10 test -S run/http
is "$(curl -sk --max-time 20 --http1.1 "https://127.0.0.1:$https/")" web "I-18 http/1.1 gets the web server"
is "$(head -c 12 preface | od -An -c | tr -d ' \n')" '\r\n\r\n\0\r\nQUIT\n' "with a preface in front"
is "$(curl -sk --max-time 20 --no-alpn "https://127.0.0.1:$https/")" web "I-18 and so does a client without ALPN"
like "$(imap 'a LOGOUT')" '^\* OK ' "I-18 imap is still IMAP"

# clients that are not logged in count for their address: three at a time
sed -i 's/^size-limit.*/&\nopen-limits = 3 30 90/' etc/main.conf
config-compile
listen https alpn-in; https=$port
for i in 1 2 3; do
	mkfifo in$i
	timeout 30 openssl s_client -quiet -alpn imap -connect 127.0.0.1:$https <in$i >held$i 2>/dev/null &
	eval "exec $((i + 3))>in$i; held_pid$i=\$!"
	wait_for 10 grep -q ready held$i
done
is "$(imap 'a NOOP' | grep -c ready)" 0 "I-18 a fourth client of an address is refused"
printf 'a LOGIN alice "%s"\r\n' "$pw" >&4
wait_for 10 grep -q '^a OK' held1
again() { imap 'a LOGOUT' | grep -q ready; }
ok "I-18 one that is logged in counts no more" wait_for 10 again
exec 4>&- 5>&- 6>&-
kill $held_pid1 $held_pid2 $held_pid3 2>/dev/null
wait $held_pid1 $held_pid2 $held_pid3 2>/dev/null
is "$(grep -v m=reload again.log)" "" "imap-login -u had nothing to say"
done_testing
