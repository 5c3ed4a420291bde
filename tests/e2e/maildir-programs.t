#!/bin/sh
# maildir-programs.t - mblaze, rsync and rm work on the tree while an IMAP
# client is connected: it is told within a second, and no UID changes its
# message; the index is deleted under it; an older state comes back
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need mdeliver mflag mrefile rsync
imap_setup
PYTHONPATH=$TOP/tests/cmd
export PYTHONPATH

python_tests "$TOP/tests/e2e/maildir-programs.py"
exits 0 "verifydata is content" verifydata -a alice
is "$(cat .out)" "" "and prints nothing"
done_testing
