#!/bin/sh
# limits-show.t - what the servers count by address, seen from outside; the
# limits themselves; and the log lines of refusals, for fail2ban
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need unix-bind tcp-bind nc
py=/usr/bin/python3
imap_setup 'open-limits = 3 5 7
rate-limits = 20 0 0
[submission]
no-require-starttls = yes
[imap]
plain-login = yes
[auth]
failures-per-minute = 4 0 0
[tls]
handshake-limits = 4 0 0
handshake-rate-limits = 6 0 0'
echo "password of alice" | passwd-set -a alice || exit 111
tls-cert mail.example.org
exits 1 "no server has run: nothing" limits-show
is "$(cat .out .err)" "" "and no error"
exits 100 "no such limiter" limits-show smtp-in
for bad in -r "-r -a 192.0.2.1 -j" "-a here" "-a 192.0.2.0/26" -x; do
	exits 100 "usage: $bad" limits-show $bad
done

start() { # NAME COMMAND...: its log in NAME.log, its process in start_pid
	start_log=$1.log; shift
	bg "$@" 2>>"$start_log"
	start_pid=$bg_pid
}
SMTP=$(free_port); SUB=$(free_port); SUBS=$(free_port); IMAP=$(free_port)
export SMTP SUB SUBS IMAP
start smtp-in tcp-bind 127.0.0.1 "$SMTP" smtp-in; smtp_pid=$start_pid
start auth-serve unix-bind run/auth auth-serve
start tls-serve unix-bind run/tls tls-serve -w 2
start submission tcp-bind 127.0.0.1 "$SUB" smtp-in -s
start submission tcp-bind 127.0.0.1 "$SUBS" smtp-in -s
start imap-login tcp-bind 127.0.0.1 "$IMAP" imap-login
for s in auth tls; do wait_for 10 test -S run/$s; done
for p in $SMTP $SUB $SUBS $IMAP; do wait_for 10 port_open "$p"; done
wait_for 5 test -e run/limits/tls/tls-serve
# the probes came from here
limits-show -r -a 127.0.0.1
wait_for 5 sh -c '! limits-show | grep open'

cat >hold.py <<'P'
# hold.py PORT ADDRESS N [FILE]: N connections from there; their first lines,
# then waits until there is a FILE
import os, socket, sys, time
held = []
for i in range(int(sys.argv[3])):
    s = socket.socket()
    s.bind((sys.argv[2], 0))
    s.settimeout(20)
    s.connect(("127.0.0.1", int(sys.argv[1])))
    held.append(s)
    f = s.makefile("rb")
    line = f.readline().decode()
    if "WORD" in os.environ:        # it has no process before that
        s.sendall(b"a noop\r\n")
        line = f.readline().decode()
    print(line[:5 if line[:1] == "*" else 3].strip(), end=" ", flush=True)
print(flush=True)
while len(sys.argv) > 4 and not os.path.exists(sys.argv[4]):
    time.sleep(0.05)
P
hold() { # PORT ADDRESS N: the answers, nothing stays
	$py hold.py "$@"
}
hold_on() { # PORT ADDRESS N: until let_go
	rm -f go
	: >held
	bg $py hold.py "$@" go >held
	hold_pid=$bg_pid
	wait_for 20 grep -q ' $' held
}
let_go() { : >go; wait "$hold_pid"; }
# The windows are those of the clock: do not begin at the end of one.
begin_minute() { s=$(date +%S); s=${s#0}; [ "$s" -lt 30 ] || sleep $((61 - s)); }

# ---- what is shown ----
begin_minute
hold_on "$SMTP" 127.0.16.9 2
# (whoever asked whether the port is open may have done it in this minute)
is "$(limits-show smtp-in | grep -v "	127\.0\.0\.")" "smtp-in	127.0.16.0/21	open	2	7
smtp-in	127.0.16.0/26	open	2	5
smtp-in	127.0.16.9/32	open	2	3
smtp-in	127.0.16.0/21	60	2	0
smtp-in	127.0.16.0/26	60	2	0
smtp-in	127.0.16.9/32	60	2	20" "R-28 a line for each count: limiter, network, window, value, limit"
is "$(limits-show -j -a 127.0.16.9 smtp-in | head -1)" \
    '{"limiter":"smtp-in","network":"127.0.16.0/21","window":0,"value":2,"limit":7}' "-j"
ok "each line is JSON" sh -c 'limits-show -j | $0 -c "import json,sys; assert len([json.loads(l) for l in sys.stdin]) in (6, 9)"' $py
is "$(limits-show -a 127.0.16.70 | cut -f2 | sort -u)" "127.0.16.0/21" "-a: networks of that address only"
exits 1 "-a: of another address there are none" limits-show -a 192.0.2.1
exits 1 "-b: no limit is reached" limits-show -b -a 127.0.16.9
is "$(hold "$SMTP" 127.0.16.9 2)" "220 421 " "R-28 the third connection is taken, the fourth is not"
is "$(hold "$SMTP" 127.0.16.10 1) $(hold "$SMTP" 127.0.16.64 1)" "220  220 " "its neighbours are served"
let_go
hold_on "$SMTP" 127.0.16.9 3
is "$(limits-show -b)" "smtp-in	127.0.16.9/32	open	3	3" "EXAMPLES: -b shows what is at its limit"
exits 0 "EXAMPLES: blocked: exit 0" limits-show -b -a 127.0.16.9
let_go
wait_for 5 sh -c '! limits-show smtp-in | grep -q open'
is "$(limits-show smtp-in | grep -c open)" 0 "closed connections are taken off"
# 2 + 1 + 3 were counted; 14 more are allowed
hold "$SMTP" 127.0.16.9 3 >/dev/null
n=9
while [ $n -lt 20 ] && [ "$(hold "$SMTP" 127.0.16.9 1)" = "220 " ]; do n=$((n + 1)); done
is "$n $(hold "$SMTP" 127.0.16.9 1)" "20 421 " "R-28 twenty a minute, and no more"
is "$(limits-show -b smtp-in)" "smtp-in	127.0.16.9/32	60	20	20" "which is shown"
exits 0 "EXAMPLES: -r lets it try again" limits-show -r -a 127.0.16.9
is "$(cat .out)$(hold "$SMTP" 127.0.16.9 1)" "220 " "and it is served"
exits 0 "-r of one limiter" limits-show -r -a 127.0.16.9 smtp-in
exits 1 "-r: nothing to reset" limits-show -r -a 192.0.2.1

# ---- several processes ----
hold_on "$SUB" 127.0.24.1 2
is "$(hold "$SUBS" 127.0.24.1 2)" "220 421 " "X-4 two listeners of submission have one limit"
is "$(hold "$IMAP" 127.0.24.1 1)" "* OK " "I-13 IMAP has its own"
let_go
is "$(hold "$IMAP" 127.0.25.1 4)" "* OK * OK * OK * BYE " "I-13 three connections of an address, not four"
hold_on "$SMTP" 127.0.32.1 3
kids=$(cat /proc/$smtp_pid/task/$smtp_pid/children)
kill -9 $smtp_pid; wait $smtp_pid 2>/dev/null
for k in $kids; do kill -9 "$k"; done
is "$(limits-show -a 127.0.32.1 smtp-in | grep -c open)" 3 "a parent is killed: its counts are there"
start smtp-in tcp-bind 127.0.0.1 "$SMTP" smtp-in; smtp_pid=$start_pid
hold "$SMTP" 127.0.48.1 1 >/dev/null	# it is up
is "$(limits-show -a 127.0.32.1 smtp-in | cut -f3-)" "60	3	0
60	3	0
60	3	20" "until the next one starts; those of the minute stay"
let_go
is "$(hold "$SMTP" 127.0.32.1 3)" "220 220 220 " "and all three are to be had again"

cat >tls.py <<'P'
# handshakes asked of tls-serve: from ADDRESS, N that say nothing and stay
import json, os, socket, sys
sys.path.insert(0, os.environ["TOP"] + "/tests")
peer = __import__("tls-peer")
l = socket.create_server(("127.0.0.1", 0), backlog=100)
held, out = [], []
for i in range(int(sys.argv[2])):
    a = socket.create_connection(l.getsockname())
    b, _ = l.accept()
    c = socket.socket(socket.AF_UNIX)
    c.connect("run/tls")
    m = peer.message("imap", remote=sys.argv[1])
    socket.send_fds(c, [m], [b.fileno()])
    c.settimeout(0.5)
    try: out.append(c.recv(100)[2:].decode())
    except TimeoutError: out.append("wait")
    held.append((a, b, c))
print(" ".join(out))
P
begin_minute
is "$($py tls.py 198.51.100.1 5)" "wait wait wait wait Bhandshake-limit" "R-28 two workers of tls-serve have one limit: four handshakes, not five"
wait_for 5 sh -c '! limits-show tls-serve | grep -q open'
is "$($py tls.py 198.51.100.1 3)" "wait wait Bhandshake-limit" "R-30 and six a minute, not seven"
is "$(limits-show -b tls-serve)" "tls-serve	198.51.100.1/32	60	6	6" "shown, too"

# ---- failed logins ----
cat >fail.py <<'P'
import imaplib, os, sys
for i in range(int(sys.argv[2])):
    c = imaplib.IMAP4("127.0.0.1", int(os.environ["IMAP"]))
    try: c.login("alice", "wrong"); print("in")
    except imaplib.IMAP4.error: print("no", end=" ")
    c.shutdown()
print()
P
begin_minute
is "$($py fail.py x 4)" "no no no no " "four wrong passwords"
is "$(limits-show -b auth-serve)" "auth-serve	127.0.0.1/32	60	4	4" "X-4 failed logins are shown"
is "$(WORD=1 hold "$IMAP" 127.0.0.1 1)" "* BYE " "I-13 X-4 and new IMAP connections, at their first word (BEHAVIOUR 8)"
is "$(hold "$SUB" 127.0.0.1 1)" "421 " "X-4 as are those of submission"
is "$(hold "$SMTP" 127.0.0.1 1)" "220 " "mail from there is not"
is "$(hold "$IMAP" 127.0.40.1 1)" "* OK " "nor are others"
sed -n 's/^\.Dl //p' "$TOP/man/limits-show.1" | sed 's/192\.0\.2\.1/127.0.0.1/' >examples
while read -r line; do
	ok "the example works: $line" sh -c "$line"
done <examples
is "$(wc -l <examples)" 3 "all examples of the page"
is "$(hold "$IMAP" 127.0.0.1 1)" "* OK " "after -r the address may log in again"

# ---- the log (X-11) ----
$py "$TOP/tests/banned.py" smtp-in.log >banned
is "$(cat banned)" "127.0.16.9 2" "X-11 fail2ban finds refused SMTP connections"
is "$($py "$TOP/tests/banned.py" submission.log)" "127.0.0.1 1
127.0.24.1 1" "X-11 and submission's, of both reasons"
is "$($py "$TOP/tests/banned.py" imap-login.log)" "127.0.0.1 1
127.0.25.1 1" "X-11 and IMAP's"
is "$($py "$TOP/tests/banned.py" auth-serve.log)" "127.0.0.1 4" "X-11 failed logins"
is "$($py "$TOP/tests/banned.py" tls-serve.log)" "198.51.100.1 2" "X-11 refused handshakes"

# ---- no place for them ----
kill $smtp_pid; wait $smtp_pid
mkdir other; : >other/limits
start other env PIPEMAIL_RUN="$TMP/other" tcp-bind 127.0.0.1 "$SMTP" smtp-in
wait_for 10 port_open "$SMTP"
is "$(hold "$SMTP" 127.0.16.9 4)" "220 220 220 421 " "without run/limits the limits are there"
is "$(grep -c 'smtp-in: warning: cannot use .*/other/limits/net/smtp-in: limits by address are counted in memory' other.log)" 1 "and it is said once"
: >run/limits/tls/nonsense
PIPEMAIL_RUN=$TMP/run exits 111 "a file that is no limiter" limits-show
like "$(cat .err)" 'cannot read limiter nonsense: Bad message' "is named"
ok "the others are shown" grep -q tls-serve .out
done_testing
