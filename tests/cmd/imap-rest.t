#!/bin/sh
# imap-rest.t - imap-idle's limits and what it does when others fail: with
# stand-ins for imap-serve, with accounts that are replaced under it, killed,
# and where inotify is not to be had
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need cc
imap_setup 'open-limits = 1000 1000 1000
rate-limits = 10000 10000 10000
[imap]
sessions-max = 1000'
echo "password of alice" | passwd-set -a alice || exit 111
py=$TOP/tests/cmd/imap-rest.py

answers() {
	/usr/bin/python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$1"
}
start_idle() {
	bg "$@" unix-bind -m 600 run/imap-idle imap-idle 2>>idle.log
	IDLE_PID=$bg_pid
	export IDLE_PID
	wait_for 10 answers run/imap-idle
}
start_serve() {
	bg "$@" unix-bind -m 600 run/imap imap-serve 2>>imap.log
	SERVE_PID=$bg_pid
	export SERVE_PID
	wait_for 10 answers run/imap
}
stop() { kill "$1"; wait "$1"; }
PYTHONPATH=$TOP/tests/cmd
export PYTHONPATH
# lines of its own are what was measured, and no fault
rest_tests() {
	/usr/bin/python3 "$py" "$@" >rest.out 2>rest.err
	code=$?
	grep '^#' rest.err
	while IFS="$(printf '\t')" read -r name result; do
		is "$result" ok "$name"
	done <rest.out
	is "$code $(grep -v '^#' rest.err)" "0 " "imap-rest.py $1 ran to its end"
}

# ---- alone: imap-rest.py is imap-serve ----
printf 'Subject: first\n\nx\n' | store-deliver -a alice
start_idle
rest_tests offers
rest_tests returns
rest_tests refused
rest_tests pace
stop "$IDLE_PID"
is "$(cat idle.log)" "" "imap-idle had nothing to say"

# ---- among the others ----
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 answers run/auth
start_serve
PORT=$(free_port)
export PORT
bg tcp-bind 127.0.0.1 "$PORT" imap-login 2>login.log
wait_for 10 port_open "$PORT"
start_idle
rest_tests replaced
rest_tests moved
rest_tests flood
rest_tests killed
wait "$IDLE_PID" 2>/dev/null
is $? 137 "imap-idle was killed"
start_idle
rest_tests after
stop "$IDLE_PID"
stop "$SERVE_PID"

# ---- without inotify: no instance is left, no watch is left ----
cat >none.c <<'C'
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int inotify_init1(int flags);
int inotify_add_watch(int fd, const char *path, unsigned int mask);
int inotify_init1(int flags)
{
	if (getenv("NO_INSTANCE") != NULL) {
		errno = EMFILE;
		return -1;
	}
	return (int)syscall(SYS_inotify_init1, flags);
}
int inotify_add_watch(int fd, const char *path, unsigned int mask)
{
	(void)fd; (void)path; (void)mask;
	errno = ENOSPC;
	return -1;
}
C
cc -shared -fPIC -o none.so none.c || exit 111
preload=$TMP/none.so
[ "${SAN:-}" != 1 ] || preload="$(cc -print-file-name=libasan.so) $preload"
for how in NO_INSTANCE=1 NO_WATCH=1; do
	start_serve env LD_PRELOAD="$preload" $how
	start_idle env LD_PRELOAD="$preload" $how
	rest_tests polled $how
	rest_tests moved $how
	rest_tests replaced $how
	stop "$IDLE_PID"
	stop "$SERVE_PID"
done
exits 0 "verifydata is content" verifydata
done_testing
