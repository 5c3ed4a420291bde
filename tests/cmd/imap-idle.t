#!/bin/sh
# imap-idle.t - RFC 2177 IDLE (I-2): sessions handed to one process and back
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
PYTHONPATH=$TOP/tests/cmd
export PYTHONPATH
imap_setup
for a in alice bob; do
	echo "password of $a" | passwd-set -a $a || exit 111
done
exits 100 "an operand is refused" imap-idle x
exits 100 "an unknown option" imap-idle -x
exits 100 "no socket to listen on" imap-idle </dev/null
exits 100 "-c 0" imap-idle -c 0 </dev/null
like "$(imap-idle -c 16385 </dev/null 2>&1)" 'cannot hold 16385' "-c past the limit"
like "$(imap-idle -c 16384 </dev/null 2>&1)" 'not a listening' "-c at the limit"

start_serve() {
	bg unix-bind -m 600 run/imap imap-serve 2>>imap.log
	SERVE_PID=$bg_pid
	export SERVE_PID
	wait_for 10 answers run/imap
}
start_idle() {
	bg unix-bind -m 600 run/imap-idle imap-idle "$@" 2>>idle.log
	IDLE_PID=$bg_pid
	export IDLE_PID
	wait_for 10 answers run/imap-idle
}
answers() {
	/usr/bin/python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$1"
}
stop() { kill "$1"; wait "$1"; }
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 answers run/auth
start_serve
PORT=$(free_port)
export PORT
bg tcp-bind 127.0.0.1 "$PORT" imap-login 2>login.log
wait_for 10 port_open "$PORT"

start_idle
python_tests "$TOP/tests/cmd/imap-idle.py" basics
sleepers=$(ls run/watch/alice | wc -l)
is "$sleepers" 0 "nobody rests: no feed is left"
is "$(grep -c 'why="closed by client"' imap.log)" 5 \
    "each session is logged once, when it ends"
python_tests "$TOP/tests/cmd/imap-idle.py" bye
wait "$IDLE_PID"
is $? 0 "and ends with 0"
start_idle -c 2
python_tests "$TOP/tests/cmd/imap-idle.py" full
python_tests "$TOP/tests/cmd/imap-idle.py" packed
stop "$IDLE_PID"
rm -f run/imap-idle
python_tests "$TOP/tests/cmd/imap-idle.py" dead

# what imap-idle may do with mail: nothing
start_idle
ok "it has no mail open" sh -c "! ls -l /proc/$IDLE_PID/fd | grep -q accounts"
mkfifo go
python_tests "$TOP/tests/cmd/imap-idle.py" restarted <go >restarted.tap &
tap_pids="$tap_pids $!"
python_pid=$!
exec 8>go
wait_for 30 grep -q ready py.out
stop "$SERVE_PID"
start_serve
echo >&8
wait "$python_pid"
like "$(cat py.out)" 'opens nothing.ok$' "I-2 a seal of another imap-serve opens nothing"
like "$(cat imap.log)" 'm=imap-refused .*ermission denied' "it is logged"
exec 8>&-
is "$(cat idle.log)" "" "imap-idle had nothing to say"
stop "$IDLE_PID"
bg unix-bind -m 600 run/real imap-idle
wait_for 10 answers run/real
python_tests "$TOP/tests/cmd/imap-idle.py" late
# an imap-idle that never answers, or says no, costs nobody a session
python_tests "$TOP/tests/cmd/imap-idle.py" mute
done_testing
