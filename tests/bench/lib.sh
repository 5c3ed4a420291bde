# lib.sh - what the benchmarks share. Each works in $W, on its own ports, and
# prints "name: figure unit (limit)"; nothing is decided by wall time alone.
set -u
TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
BIN=$TOP/${BUILD:-build}/bin
case ${BUILD:-build} in /*) BIN=$BUILD/bin ;; esac
# ext4 is slow in a block group where much was deleted a moment ago; with T on
# the parent each run gets another group (where chattr cannot, no harm)
PARENT=$(mktemp -d "${BENCH_DIR:-/var/tmp}/pmbench.XXXXXX") || exit 111
chattr +T "$PARENT" 2>/dev/null
chmod 755 "$PARENT"
W=$PARENT/w
mkdir "$W" || exit 111
PATH=$BIN:/usr/sbin:$PATH
export PATH PIPEMAIL_ETC=$W/etc PIPEMAIL_VAR=$W/var PIPEMAIL_RUN=$W/run
bench_pids=
bench_end() {
	# strace holds on until its child is gone
	for p in $bench_pids; do pkill -P "$p"; kill "$p" 2>/dev/null; done
	sleep 0.5
	for p in $bench_pids; do pkill -9 -P "$p"; kill -9 "$p" 2>/dev/null; done
	for p in $bench_pids; do wait "$p" 2>/dev/null; done
	rm -rf "$PARENT"
}
trap bench_end EXIT
trap 'exit 111' INT TERM PIPE
bg() { "$@" & bg_pid=$!; bench_pids="$bench_pids $bg_pid"; }
wait_for() { i=0; while ! "$@" >/dev/null 2>&1; do i=$((i + 1)); [ $i -gt 200 ] && return 1; sleep 0.05; done; }
cc -O2 -std=gnu11 -Wall -o "$W/load" "$TOP/tests/bench/load.c" || exit 111

# configure HOSTNAME: one domain "peer.test" and localhost, account mail
configure() {
	mkdir -p "$W/etc/domains" "$W/etc/accounts" "$W/var" "$W/run"
	printf '[server]\nhostname = %s\npostmaster = mail\nopen-limits = 30000 30000 30000\nrate-limits = 1000000 1000000 1000000\n%s\n[imap]\nsessions-max = 0\n' "$1" "${EXTRA_SERVER:-}" >"$W/etc/main.conf"
	printf '[domain]\n' >"$W/etc/domains/peer.test.conf"
	printf '[domain]\n' >"$W/etc/domains/localhost.conf"
	printf '[account]\naddress = mail@localhost\naddress = u1@peer.test\n' >"$W/etc/accounts/mail.conf"
	config-compile || exit 111
	printf 'bench-password\n' | passwd-set -a mail || exit 111
}
start_lmtp() {
	bg unix-bind "$W/run/lmtp" lmtp-in 2>"$W/lmtp.log"
	wait_for test -S "$W/run/lmtp"
	LMTP_PID=$bg_pid
}
# CPU seconds used so far by a process and the children it has reaped
cpu() {
	for p in "$@"; do cat "/proc/$p/stat"; done |
	    awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /,""); split($0,a," "); t+=a[12]+a[13]+a[14]+a[15]} END{printf "%.2f", t/hz}'
}
