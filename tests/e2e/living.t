#!/bin/sh
# living.t - S-7, S-12, S-20: a randomized run. mblaze, neomutt, mbsync, rm and
# IMAP change one tree, its index is deleted, backups of all or of parts are
# put back, while IMAP clients wait in IDLE, in imap-serve and in imap-idle.
# They see each change, and no UID ever names two messages. SEED repeats a run,
# STEPS makes it longer.
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/programs.sh"
need mdeliver mflag mrefile neomutt mbsync script
imap_setup 'open-limits = 1000 1000 1000
rate-limits = 100000 100000 100000'
echo "password of alice" | passwd-set -a alice || exit 111
HOME=$TMP
PYTHONPATH=$TOP/tests/cmd
export HOME PYTHONPATH

answers() {
	/usr/bin/python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$1"
}
for s in auth:auth-serve imap:imap-serve imap-idle:imap-idle; do
	bg unix-bind -m 600 "run/${s%:*}" "${s#*:}" 2>"${s#*:}.log"
	[ "${s#*:}" != imap-serve ] || SERVE_PID=$bg_pid
	wait_for 10 answers "run/${s%:*}"
done
PORT=$(free_port)
export PORT SERVE_PID
bg tcp-bind 127.0.0.1 "$PORT" imap-login 2>login.log
wait_for 10 port_open "$PORT"

store-mailbox -c -a alice Other
programs_setup "$TMP/var/accounts/alice/Maildir"
python_tests "$TOP/tests/e2e/living.py"
grep '^#' living.log
exits 0 "verifydata is content" verifydata
is "$(cat .out)" "" "and prints nothing"
is "$(cat imap-idle.log)" "" "imap-idle had nothing to say"
done_testing
