#!/bin/sh
# flood.t - ten thousand connections and half-open handshakes at once: limits
# hold, memory is bounded, and others are served meanwhile
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need unix-bind tcp-bind
py=/usr/bin/python3
imap_setup '[tls]
handshake-timeout = 8s
[imap]
plain-login = yes'
echo "password of alice" | passwd-set -a alice || exit 111
tls-cert mail.example.org
SMTP=$(free_port); IMAP=$(free_port); IMAPS=$(free_port)
bg unix-bind run/auth auth-serve 2>auth.log
bg unix-bind run/imap imap-serve 2>imap.log
bg unix-bind run/tls tls-serve -w 2 2>tls.log; tls=$bg_pid
bg tcp-bind 127.0.0.1 "$SMTP" smtp-in 2>smtp.log; smtp=$bg_pid
bg tcp-bind 127.0.0.1 "$IMAP" imap-login 2>imap-login.log; login=$bg_pid
bg tcp-bind 127.0.0.1 "$IMAPS" imap-login -t 2>imaps.log
for s in auth imap tls; do wait_for 10 test -S run/$s; done
for p in $SMTP $IMAP $IMAPS; do wait_for 10 port_open "$p"; done
wait_for 10 test -e run/limits/tls/tls-serve

rss() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }
cpu() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }	# hundredths
get() { $py -c 'import json,sys; print(json.loads(sys.argv[1]).get(sys.argv[2], 0))' "$1" "$2"; }
between() { [ "$2" -ge "$1" ] && [ "$2" -le "$3" ]; }
# The windows are those of the clock: do not begin at the end of one.
begin_minute() { s=$(date +%S); s=${s#0}; [ "$s" -lt 30 ] || sleep $((61 - s)); }

# ---- ten thousand connections of one address (R-28, I-13) ----
flood() { # ROW PORT PROCESS LOG NAME
	begin_minute
	before=$(rss "$3")
	start=$(date +%s)
	out=$($py "$TOP/tests/flood.py" connect "$2" 10000)
	echo "# $5: $out in $(($(date +%s) - start)) s, $before to $(rss "$3") kB"
	greeted=$(get "$out" greeted); refused=$(get "$out" refused)
	minutes=$(( $(date +%s) / 60 - start / 60 + 1 ))
	ok "$1 10,000 connections to $5: at most 300 a minute are served" between 20 "$greeted" $((300 * minutes))
	is "$((greeted + refused)) $(get "$out" broken)" "10000 0" "$1 all others are told so"
	is "$(get "$out" other)" 10 "$1 and another address is served all the time"
	ok "the parent keeps its size" between 0 $(($(rss "$3") - before)) 6000
	is "$($py "$TOP/tests/banned.py" "$4")" "127.8.8.8 $refused" "X-11 each refusal is a line of its address"
}
flood R-28 "$SMTP" "$smtp" smtp.log smtp-in
flood I-13 "$IMAP" "$login" imap-login.log imap-login

# ---- ten thousand half-open handshakes ----
kids=$(cat /proc/$tls/task/$tls/children)
sizes() { for k in $kids; do rss "$k"; done | awk '{ n += $1 } END { print n }'; }
half_open() { # MODE
	begin_minute
	limits-show -r -a 127.0.0.1 >/dev/null
	before=$(sizes)
	: >out	# of the last time
	$py "$TOP/tests/flood.py" tls run/tls 9900 "$1" "$IMAPS" >out 2>err &
	flood_pid=$!
	wait_for 60 grep -q waiting out
	grown=$(($(sizes) - before))
	first=$(sed -n 1p out)
	cat err
	n=$(get "$first" n)
	echo "# $1: $first, $grown kB"
}
half_open few
ok "R-28 handshakes under way: 270 of each of eight networks" between 1 "$(get "$first" waiting)" 2160
ok "R-28 the others are refused" between $((n - 2160)) "$(get "$first" handshake-limit)" "$n"
is "$(get "$first" login)" $((n / 1000)) "another address logs in all the time"
is "$(limits-show tls-serve | awk -F'\t' '$3 == "open" && $4 > $5')" "" "no count is over its limit"
[ "${SAN:-}" = 1 ] || ok "memory is bounded" between -100000 "$grown" 20000
wait "$flood_pid"
last=$(tail -1 out)
is "$(get "$last" waiting)" 0 "each of them is timed out"
is "$(($(get "$last" timeout) + $(get "$last" handshake-limit)))" "$n" "and told so"
is "$(limits-show tls-serve | grep -c open)" 0 "nothing stays counted"
half_open many
ok "handshakes-max: 2000 under way in each of two workers" between 1000 "$(get "$first" waiting)" 4000
is "$(get "$first" login)" $((n / 1000)) "and yet another address logs in all the time: the oldest make room"
[ "${SAN:-}" = 1 ] || ok "memory is bounded" between -100000 "$grown" 20000
wait "$flood_pid"
is "$(get "$(tail -1 out)" waiting)" 0 "each of them is timed out"
is "$(grep -c worker-died tls.log)" 0 "no worker died"

# ---- out of descriptors ----
mkdir few
cat >many.py <<'P'
import socket, sys, time
held = []
for i in range(200):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    held.append(s)
time.sleep(3)
P
scarce() { # NAME PROCESS: 200 connections to few/NAME, three seconds
	before=$(cpu "$2")
	$py many.py "few/$1" &
	holder=$!
	sleep 3
	spent=$(($(cpu "$2") - before))
	ok "$1: EMFILE: it waits and does not spin ($spent of 300 hundredths of a second)" between 0 "$spent" 60
	like "$(cat "few.$1")" 'cannot accept: Too many open files' "and says so"
	ok "not more than ten times a second" between 1 "$(grep -c 'cannot accept' "few.$1")" 40
	wait $holder
}
bg sh -c 'ulimit -n 40; exec unix-bind few/tls tls-serve -w 1' 2>few.tls; few=$bg_pid
bg sh -c 'ulimit -n 40; exec unix-bind few/auth auth-serve' 2>few.auth; auth=$bg_pid
for s in tls auth; do wait_for 10 test -S few/$s; done
sleep 0.5
scarce tls "$(cut -d' ' -f1 /proc/$few/task/$few/children)"
ok "then it serves again" wait_for 10 timeout 5 $py "$TOP/tests/tls-peer.py" raw few/tls 0000
scarce auth "$auth"
greets() { timeout 5 $py -c 'import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect("few/auth"); sys.exit(not s.recv(100).startswith(b"VERSION"))'; }
ok "then it serves again" wait_for 10 greets
done_testing
