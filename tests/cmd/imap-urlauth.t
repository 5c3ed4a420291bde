#!/bin/sh
# imap-urlauth.t - URLAUTH (RFC 4467)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need /usr/bin/python3
imap_setup
python_tests "$TOP/tests/cmd/imap-urlauth.py"
verifydata >out 2>&1
is "$?" 0 "verifydata finds nothing"
done_testing
