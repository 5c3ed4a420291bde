#!/bin/sh
# security.t - services under users of their own; each claim of
# doc/security.md is tried. The users are numbers: none is made.
. "$(dirname "$0")/../tap.sh"
[ "$(id -u)" = 0 ] || skip_all "needs root, to start services under several users"
need execlineb setpriv python3
py=/usr/bin/python3
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
PIPEMAIL_USER_NET=61001 PIPEMAIL_USER_TLS=61002 PIPEMAIL_USER_AUTH=61003
PIPEMAIL_USER_MAIL=61004 PIPEMAIL_GROUP_NET=61001 PIPEMAIL_USER_JWKS=61006
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_USER_NET PIPEMAIL_USER_TLS
export PIPEMAIL_USER_AUTH PIPEMAIL_USER_MAIL PIPEMAIL_GROUP_NET PIPEMAIL_USER_JWKS
PIPEMAIL_USER_QUEUE=61005 PIPEMAIL_GROUP_QUEUE=61005 PIPEMAIL_USER_STS=61007
export PIPEMAIL_USER_QUEUE PIPEMAIL_GROUP_QUEUE PIPEMAIL_USER_STS
uids="pm-net=61001 pm-tls=61002 pm-auth=61003 pm-mail=61004 pm-queue=61005 pm-jwks=61006 pm-sts=61007"

# where every user may run them
mkdir bin && cp "$BIN"/* bin/ && chmod 755 bin bin/*
PATH=$TMP/bin:$PATH
SMTP=$(free_port); IMAP=$(free_port)
SUBMISSION=$(free_port); SUBMISSIONS=$(free_port); IMAPS=$(free_port); HTTPS=$(free_port)
PIPEMAIL_LISTEN_SUBMISSION="127.0.0.1 $SUBMISSION" PIPEMAIL_LISTEN_SUBMISSIONS="127.0.0.1 $SUBMISSIONS"
PIPEMAIL_LISTEN_IMAPS="127.0.0.1 $IMAPS" PIPEMAIL_LISTEN_HTTPS="127.0.0.1 $HTTPS"
export PIPEMAIL_LISTEN_HTTPS
export PIPEMAIL_LISTEN_SUBMISSION PIPEMAIL_LISTEN_SUBMISSIONS PIPEMAIL_LISTEN_IMAPS
PIPEMAIL_LISTEN_SMTP="127.0.0.1 $SMTP" PIPEMAIL_LISTEN_IMAP="127.0.0.1 $IMAP"
export PIPEMAIL_LISTEN_SMTP PIPEMAIL_LISTEN_IMAP

config-check -p -f >/dev/null
cat >etc/main.conf <<'CONF'
[server]
hostname = mx.example.org
postmaster = alice
[static-dns "example.org"]
txt = "v=spf1 ip4:127.0.0.1 -all"
[static-dns "1.0.0.127.in-addr.arpa"]
ptr = localhost
[static-dns "localhost"]
a = 127.0.0.1
CONF
printf '[domain]\nseparators = +\ndkim = sel dkim/local.pem\n' >etc/domains/example.org.conf
printf '[account]\naddress = alice@example.org\n' >etc/accounts/alice.conf
printf '[account]\naddress = bob@example.org\n' >etc/accounts/bob.conf
ok "the configuration compiles" config-compile
tls-cert mx.example.org
dkim-key -t ed25519 -o etc/dkim/local.pem
printf 'secret-password\n' | passwd-set -a alice
exits 0 "config-check -p -f gives the services what is theirs" config-check -p -f
exits 0 "after which all is right" config-check -p

# as after a start of the system, and after somebody's hand
rm -rf run
chmod 755 var/auth; chmod 644 etc/tls/*.pem; chown 0:0 var/spool
pids=
for s in tls-serve auth-serve queue-add queue-run lmtp-in imap-serve imap-idle imap-login imaps imap-again https smtp-in submission submissions mtasts-serve; do
	bg "$TOP/service/$s/run" 2>>"$s.log" >>"$s.log"
	pids="$pids $s=$bg_pid"
done
for s in tls auth lmtp imap imap-idle imap-login mtasts queue queue-add; do wait_for 10 test -S "run/$s"; done
wait_for 10 port_open "$SMTP"
for p in "$IMAP" "$IMAPS" "$HTTPS" "$SUBMISSION" "$SUBMISSIONS"; do wait_for 10 port_open "$p"; done
tls=${pids#*tls-serve=}; tls=${tls%% *}
wait_for 10 grep -q . "/proc/$tls/task/$tls/children"
uid_of() { awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$1/status"; }
for w in $pids; do
	case $w in
	tls-serve=*)
		kid=$(cut -d' ' -f1 "/proc/$tls/task/$tls/children")
		is "$(uid_of "$kid")" "61002 61002 61002" "the worker of tls-serve is pm-tls"
		continue ;;
	queue-add=*) continue ;;	# root: its children are looked at below
	queue-run=*) u=61005 ;;
	auth-serve=*) u=61003 ;;
	lmtp-in=* | imap-serve=* | imap-idle=*) u=61004 ;;
	mtasts-serve=*) u=61007 ;;
	*) u=61001 ;;
	esac
	is "$(uid_of "${w#*=}")" "$u $u $u" "${w%%=*} runs as its user"
	is "$(awk '/^Groups:/ { print NF }' "/proc/${w#*=}/status")" 1 "${w%%=*} is in no other group"
done
exits 0 "O-1 what was wrong before the services started is right: the sockets have the owners and modes of the table" config-check -p
is "$(cat .out)" "" "nothing to mend"

# ---- what must work ----
cat >through.py <<'PY'
import imaplib, smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="localhost", timeout=30)
for n in (10, 400000):      # in memory, and through the spools
    s.sendmail("bob@example.org", ["alice@example.org"],
        "From: bob@example.org\r\nTo: alice@example.org\r\nSubject: through\r\n"
        "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <%d@example.org>\r\n\r\n" % n
        + "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * (n // 72))
s.sendmail("carol@example.org", ["bob@example.org"], "From: carol@example.org\r\nSubject: other\r\n\r\nx\r\n")
s.quit()
import ssl
context = ssl._create_unverified_context()
for port in sys.argv[3:5]:   # TLS from the start
    t = context.wrap_socket(__import__("socket").create_connection(("127.0.0.1", int(port)), 20))
    print(t.recv(100)[:4].decode())
c = imaplib.IMAP4("127.0.0.1", int(sys.argv[2]), timeout=30)
c.login("alice@example.org", "secret-password")
print(c.select("INBOX")[1][0].decode())
print(c.search(None, "SUBJECT", "through")[1][0].decode())
print(c.store("1", "+FLAGS", r"\Seen")[0])
# UNAUTHENTICATE: from pm-mail back to pm-net (RFC 8437)
c.send(b"u1 UNAUTHENTICATE\r\n")
print(c.readline()[3:5].decode())
c.send(b"u2 LOGIN alice@example.org secret-password\r\n")
print(c.readline()[3:5].decode())
c.send(b"u3 LOGOUT\r\n")
c.readline()
# and IMAP by ALPN, from another program of pm-net (I-18)
context.set_alpn_protocols(["imap"])
t = context.wrap_socket(__import__("socket").create_connection(("127.0.0.1", int(sys.argv[5])), 20))
print(t.recv(100)[:4].decode())
PY
is "$($py through.py "$SMTP" "$IMAP" "$SUBMISSIONS" "$IMAPS" "$HTTPS" 2>&1 | tail -8 | tr '\n' ' ')" "220  * OK 2 1 2 OK OK OK * OK " \
    "messages go in by SMTP and are read by IMAP through five users, with a key only root can read (L-6)"
is "$(find etc/tls etc/dkim -name '*.pem' | wc -l) $(find etc/tls etc/dkim -name '*.pem' ! -user 0 -o -name '*.pem' -perm /077)" "2 " \
    "L-6 the keys are files only root can read"

# certificates change while it runs: the parent opens them, workers stay
workers=$(cat "/proc/$tls/task/$tls/children")
tls-cert other.example.org
kill -HUP "$tls"
cat >certificate.py <<'PY'
import socket, ssl, sys
c = ssl._create_unverified_context()
t = c.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20), server_hostname=sys.argv[2])
print(sys.argv[2].encode() in t.getpeercert(True))
PY
ok "L-6 SIGHUP brings a new key that only root can read" \
    wait_for 10 sh -c "$py certificate.py $IMAPS other.example.org | grep True"
is "$(cat "/proc/$tls/task/$tls/children")" "$workers" "to the same workers"

cat >submit.py <<'PY'
import smtplib, socket, ssl, struct, os, sys
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), "me", timeout=30)
s.starttls(context=c)
s.login("alice@example.org", "secret-password")
for n in (10, 400000):      # inline, and from the spool as a descriptor
    s.sendmail("alice@example.org", ["alice@example.org", "x@elsewhere.example"],
        "From: alice@example.org\r\nSubject: out\r\n\r\n" + ("y" * 70 + "\r\n") * (n // 72 + 1))
s.quit()
PY
is "$($py submit.py "$SUBMISSION" 2>&1)" "" "U-19 messages of who logged in are taken by pm-net and pm-queue"
is "$(find var/queue/message -type f -user 61005 -perm 600 | wc -l)" 2 "the queue has them, and none but pm-queue can read them"
is "$(cat "$(find var/queue/message -type f -size -100k)" | grep -c '^DKIM-Signature:')" 1 "U-16 signed, with a key that pm-queue cannot read"

# ---- what must not ----
grep -Ec '^\| pm-[a-z]+ \| can(not)? \|' "$TOP/doc/security.md" >claims
$py "$TOP/tests/security-probe.py" "$uids" "$pids" <"$TOP/doc/security.md" >probed 2>&1
while read -r r text; do
	case $r in
	ok | bad) is "$r" ok "$text" ;;
	*) echo "# $r $text" ;;
	esac
done <probed
is "$(grep -cE '^(ok|bad) ' probed)" "$(cat claims)" "each claim of doc/security.md was tried"

# ---- from the inside ----
reason=
[ "$(uname -m)" = x86_64 ] || reason="calls are put into processes on x86-64 only"
[ "${SAN:-}" != 1 ] || reason="under the sanitizer"
$py -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 2)' ||
	reason="the kernel has no Landlock"
if [ -n "$reason" ]; then
	skip "X-1 each claim about the inside of a process" "$reason"
else
	$py "$TOP/tests/sandbox-probe.py" "$pids" "$SMTP" "$IMAP" "$SUBMISSION" <"$TOP/doc/security.md" >probed 2>&1
	while read -r r text; do
		case $r in
		ok | bad) is "$r" ok "$text" ;;
		*) echo "# $r $text" ;;
		esac
	done <probed
	is "$(grep -cE '^(ok|bad) in ' probed)" "$(grep -Ec '^\| in [a-z-]+ \| can(not)? \|' "$TOP/doc/security.md")" \
	    "each claim about the inside of a process was tried"
	like "$(cat smtp-in.log)" '^smtp-in: fatal: cannot make system call 101: the sandbox does not allow it$' \
	    "X-1 the call is named in the log"
	like "$(cat smtp-in.log)" 'm=child-died pid=[0-9]+ signal=31' "X-1 and the parent tells"
	like "$(cat tls-serve.log)" 'm=worker-died pid=[0-9]+ signal=31' "so does that of workers"
fi
exits 0 "all is still right" config-check -p
printf '| %s |\n' 'pm-net | can | read | var/auth/*' 'pm-mail | cannot | connect | run/auth' \
	'pm-mail | cannot | trace | lmtp-in' 'pm-net | cannot | read | var/nothing' |
	$py "$TOP/tests/security-probe.py" "$uids" "$pids" >probed 2>&1
is "$(grep -c '^bad' probed)" 4 "false claims are found"

# the second check alone: the mode lets everybody in
chmod 666 run/lmtp run/auth run/imap run/imap-idle run/tls run/mtasts run/queue
sed -n 's/^| pm-[a-z]* | can | connect .*/&/p' "$TOP/doc/security.md" >allowed
for s in lmtp imap imap-idle auth tls queue; do
	[ $s = queue ] || echo "| pm-queue | cannot | connect | run/$s |"
	[ $s = tls ] || echo "| pm-tls | cannot | connect | run/$s |"
done >>allowed
echo "| pm-queue | cannot | connect | run/mtasts |" >>allowed
$py "$TOP/tests/security-probe.py" "$uids" "$pids" <allowed >probed 2>&1
while read -r r text; do is "$r" ok "X-1 SO_PEERCRED with mode 666: $text"; done <probed
like "$(cat ./*.log)" 'm=peer-refused uid=61005' "a refused peer is logged"
done_testing
