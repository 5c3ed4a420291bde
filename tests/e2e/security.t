#!/bin/sh
# security.t - services under users of their own; each claim of
# doc/security.md is tried. The users are numbers: none is made.
. "$(dirname "$0")/../tap.sh"
[ "$(id -u)" = 0 ] || skip_all "needs root, to start services under several users"
need execlineb setpriv python3
py=/usr/bin/python3
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
PIPEMAIL_USER_NET=61001 PIPEMAIL_USER_TLS=61002 PIPEMAIL_USER_AUTH=61003
PIPEMAIL_USER_MAIL=61004 PIPEMAIL_GROUP_NET=61001
PIPEMAIL_USER_QUEUE=61005 PIPEMAIL_GROUP_QUEUE=61005 PIPEMAIL_USER_STS=61006
export PIPEMAIL_USER_QUEUE PIPEMAIL_GROUP_QUEUE PIPEMAIL_USER_STS
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_USER_NET PIPEMAIL_USER_TLS
export PIPEMAIL_USER_AUTH PIPEMAIL_USER_MAIL PIPEMAIL_GROUP_NET
uids="pm-net=61001 pm-tls=61002 pm-auth=61003 pm-mail=61004 pm-queue=61005 pm-sts=61006"

# where every user may run them
mkdir bin && cp "$BIN"/* bin/ && chmod 755 bin bin/*
PATH=$TMP/bin:$PATH
SMTP=$(free_port); IMAP=$(free_port)
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
printf '[domain]\nseparators = +\n' >etc/domains/example.org.conf
printf '[account]\naddress = alice@example.org\n' >etc/accounts/alice.conf
ok "the configuration compiles" config-compile
tls-cert mx.example.org
dkim-key -t ed25519 -o etc/dkim/local.pem
printf 'secret-password\n' | passwd-set -a alice
exits 0 "config-check -p -f gives the services what is theirs" config-check -p -f
exits 0 "after which all is right" config-check -p

pids=
for s in tls-serve auth-serve lmtp-in imap-serve imap-login smtp-in mtasts-serve; do
	bg "$TOP/service/$s/run" 2>>"$s.log" >>"$s.log"
	pids="$pids $s=$bg_pid"
done
for s in tls auth lmtp imap mtasts; do wait_for 10 test -S "run/$s"; done
wait_for 10 port_open "$SMTP"
wait_for 10 port_open "$IMAP"
tls=${pids#*tls-serve=}; tls=${tls%% *}
wait_for 10 grep -q . "/proc/$tls/task/$tls/children"
uid_of() { awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$1/status"; }
for w in $pids; do
	case $w in
	tls-serve=*)
		kid=$(cut -d' ' -f1 "/proc/$tls/task/$tls/children")
		is "$(uid_of "$kid")" "61002 61002 61002" "the worker of tls-serve is pm-tls"
		continue ;;
	auth-serve=*) u=61003 ;;
	lmtp-in=* | imap-serve=*) u=61004 ;;
	mtasts-serve=*) u=61006 ;;
	*) u=61001 ;;
	esac
	is "$(uid_of "${w#*=}")" "$u $u $u" "${w%%=*} runs as its user"
	is "$(awk '/^Groups:/ { print NF }' "/proc/${w#*=}/status")" 1 "${w%%=*} is in no other group"
done
exits 0 "the sockets have the owners and modes of the table" config-check -p
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
s.quit()
c = imaplib.IMAP4("127.0.0.1", int(sys.argv[2]), timeout=30)
c.login("alice@example.org", "secret-password")
print(c.select("INBOX")[1][0].decode())
print(c.search(None, "SUBJECT", "through")[1][0].decode())
print(c.store("1", "+FLAGS", r"\Seen")[0])
c.logout()
PY
is "$($py through.py "$SMTP" "$IMAP" 2>&1 | tail -3 | tr '\n' ' ')" "2 1 2 OK " \
    "messages go in by SMTP and are read by IMAP through five users"

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
exits 0 "all is still right" config-check -p
printf '| %s |\n' 'pm-net | can | read | var/auth/*' 'pm-mail | cannot | connect | run/auth' \
	'pm-mail | cannot | trace | lmtp-in' 'pm-net | cannot | read | var/nothing' |
	$py "$TOP/tests/security-probe.py" "$uids" "$pids" >probed 2>&1
is "$(grep -c '^bad' probed)" 4 "false claims are found"

# the second check alone: the mode lets everybody in
chmod 666 run/lmtp run/auth run/imap run/tls run/mtasts
sed -n 's/^| pm-[a-z]* | can | connect .*/&/p' "$TOP/doc/security.md" >allowed
for s in lmtp imap auth tls; do
	echo "| pm-queue | cannot | connect | run/$s |"
	[ $s = tls ] || echo "| pm-tls | cannot | connect | run/$s |"
done >>allowed
echo "| pm-net | cannot | connect | run/mtasts |" >>allowed
$py "$TOP/tests/security-probe.py" "$uids" "$pids" <allowed >probed 2>&1
while read -r r text; do is "$r" ok "SO_PEERCRED with mode 666: $text"; done <probed
like "$(cat ./*.log)" 'm=peer-refused uid=61005' "a refused peer is logged"
done_testing
