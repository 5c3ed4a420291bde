# tap.sh - what every .t script sources: TAP lines, a directory of its own,
# processes that are ended by id, free ports. POSIX sh.
#
#   . "$(dirname "$0")/../tap.sh"
#   ok "R-11 bare CR refused" test "$code" = 500
#   is "$got" "$want" "store-list prints one line"
#   done_testing
#
# BIN is put in front of PATH; TMP is the test's own directory, the current
# one; TOP is the source tree. Everything in TMP and every process started
# with bg is gone at the end.

set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BIN=${BIN:-${BUILD:-build}/bin}
case $BIN in /*) ;; *) BIN=$TOP/$BIN ;; esac
PATH=$BIN:/usr/sbin:/sbin:$PATH
SHARED=${PIPEMAIL_TEST_DATA:-$TOP/../shared/data}
export PATH BIN TOP LC_ALL=C TZ=UTC
unset PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_DNS SENDER RECIPIENT HELO
unset PROTO TCPREMOTEIP TCPREMOTEHOST TCPREMOTEPORT TCPLOCALIP TCPLOCALPORT
TMP=$(mktemp -d "${TMPDIR:-/tmp}/pmtest.XXXXXX") || exit 111
chmod 755 "$TMP"
cd "$TMP" || exit 111
tap_n=0
tap_bad=0
tap_pids=

tap_cleanup() {
	for tap_p in $tap_pids; do kill "$tap_p" 2>/dev/null; done
	for tap_p in $tap_pids; do
		tap_i=0
		while kill -0 "$tap_p" 2>/dev/null && [ $tap_i -lt 50 ]; do
			sleep 0.1; tap_i=$((tap_i + 1))
		done
		kill -9 "$tap_p" 2>/dev/null
		wait "$tap_p" 2>/dev/null
	done
	cd /
	chmod -R u+rwx "$TMP" 2>/dev/null
	[ -n "${KEEP:-}" ] || rm -rf "$TMP"
}
trap tap_cleanup EXIT
trap 'exit 111' INT TERM HUP

# ok NAME COMMAND...: passes when the command exits 0
ok() {
	tap_name=$1; shift
	tap_n=$((tap_n + 1))
	if "$@" >"$TMP/.ok.out" 2>&1; then
		echo "ok $tap_n - $tap_name"
	else
		echo "not ok $tap_n - $tap_name"
		echo "#   command: $*"
		sed 's/^/#   /' "$TMP/.ok.out" | head -20
		tap_bad=$((tap_bad + 1))
	fi
}
# is GOT WANT NAME
is() {
	tap_n=$((tap_n + 1))
	if [ "x$1" = "x$2" ]; then
		echo "ok $tap_n - $3"
	else
		echo "not ok $tap_n - $3"
		printf '%s\n' "$1" | sed 's/^/#   got:  /' | head -20
		printf '%s\n' "$2" | sed 's/^/#   want: /' | head -20
		tap_bad=$((tap_bad + 1))
	fi
}
# like TEXT ERE NAME: some line matches
like() {
	tap_n=$((tap_n + 1))
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then
		echo "ok $tap_n - $3"
	else
		echo "not ok $tap_n - $3"
		printf '%s\n' "$1" | sed 's/^/#   got:  /' | head -20
		echo "#   want: /$2/"
		tap_bad=$((tap_bad + 1))
	fi
}
# exits CODE NAME COMMAND...: the command's exit code is CODE
exits() {
	tap_want=$1; tap_name=$2; shift 2
	"$@" >"$TMP/.out" 2>"$TMP/.err"
	is "$?" "$tap_want" "$tap_name"
}
skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}
# need PROGRAM...: skip the whole test, saying so, when one is missing
need() {
	for tap_p in "$@"; do
		command -v "$tap_p" >/dev/null 2>&1 || skip_all "$tap_p is not installed"
	done
}
done_testing() {
	echo "1..$tap_n"
	[ "$tap_bad" = 0 ]
	exit $?
}
# bg COMMAND...: in the background, ended at exit; its pid is in $bg_pid
bg() {
	"$@" &
	bg_pid=$!
	tap_pids="$tap_pids $bg_pid"
}
# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
	tap_end=$(($(date +%s) + $1)); shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -ge "$tap_end" ] && return 1
		sleep 0.05
	done
}
# free_port: a TCP and UDP port of 127.0.0.1 that nothing uses now, below those
# that the kernel gives to clients, which may take one before a server does
free_port() {
	/usr/bin/python3 -c 'import random, socket
while True:
    p = random.randrange(20000, 32000)
    try:
        for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
            socket.socket(socket.AF_INET, kind).bind(("127.0.0.1", p))
    except OSError: continue
    print(p); break'
}
# port_open PORT: something accepts there
port_open() {
	nc -z 127.0.0.1 "$1"
}
