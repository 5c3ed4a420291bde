#!/bin/sh
# imap-limits.t - each limit of lib/imap/imap.h and its neighbours, at it and
# one past it (I-13); those of LITERAL-, metadata, nesting and APPEND's parts
# are in imap_session_test, imap-metadata.t and imap-append.t
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
python_tests "$TOP/tests/cmd/imap-limits.py"
exits 0 "verifydata is content after all that" verifydata -a alice
done_testing
