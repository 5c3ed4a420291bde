#!/bin/sh
# imap-kill.t - kill -9 and a full disk at the system calls of IMAP commands
# that change something: what was answered is there once, what was refused is
# not there at all, the rest is whole or absent. Every KILL_EVERY-th call (of
# which each run takes others), each with KILL_EVERY=1.
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/cmd/kill.sh"
imap_setup
python_tests "$TOP/tests/cmd/imap-kill.py" "${KILL_EVERY:-6}"
done_testing
