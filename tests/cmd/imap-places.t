#!/bin/sh
# imap-places.t - R-28, I-13: how many sessions one account and one address may
# have, so that some cannot take the processes of all
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
PYTHONPATH=$TOP/tests/cmd
export PYTHONPATH
imap_setup 'open-limits = 6 9 12
[imap]
plain-login = yes
sessions-max = 4'
for a in carl dora; do
	printf '[account]\naddress = %s@example.org\n' $a >etc/accounts/$a.conf
done
config-compile || exit 111
for a in alice bob carl dora; do
	echo "password of $a" | passwd-set -a $a || exit 111
done

start_idle() {
	bg unix-bind -m 600 run/imap-idle imap-idle "$@" 2>>idle.log
	IDLE_PID=$bg_pid
	export IDLE_PID
	wait_for 10 nc -zU run/imap-idle
}
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
bg unix-bind -m 600 run/imap imap-serve 2>imap.log
SERVE_PID=$bg_pid
PORT=$(free_port)
export PORT SERVE_PID
wait_for 10 nc -zU run/auth
wait_for 10 nc -zU run/imap
bg tcp-bind 127.0.0.1 "$PORT" imap-login 2>login.log
wait_for 10 port_open "$PORT"

python_tests "$TOP/tests/cmd/imap-places.py" limits
# the last one may have been tried again
ok "each refusal is logged" test "$(grep -c 'imap-refused.*why="too many sessions' imap.log)" -ge 3
python_tests "$TOP/tests/cmd/imap-places.py" strangers
start_idle
python_tests "$TOP/tests/cmd/imap-places.py" rest
kill "$IDLE_PID"; wait "$IDLE_PID"
start_idle -e 2
python_tests "$TOP/tests/cmd/imap-places.py" each
is "$(cat idle.log)" "" "imap-idle had nothing to say"
exits 100 "imap-idle -e 0" imap-idle -e 0 </dev/null
like "$(imap-idle -e 16385 </dev/null 2>&1)" 'cannot hold 16385' "-e past the limit"
like "$(imap-idle -e 16384 </dev/null 2>&1)" 'not a listening' "-e at the limit"
done_testing
