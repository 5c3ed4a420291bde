#!/bin/sh
# imap-faults.t - sessions whose ground moves: mailboxes and accounts removed,
# files cut short or written to, clients that stop reading or writing, two that
# expunge the same, many keywords, odd names
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
sed -i 's/^size-limit = .*/size-limit = 16M/' etc/main.conf
config-compile || exit 111

python_tests "$TOP/tests/cmd/imap-faults.py"
exits 0 "verifydata is content after all that" verifydata -a alice
is "$(cat .out)" "" "and prints nothing"
done_testing
