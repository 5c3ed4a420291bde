#!/bin/sh
# imap-urlauth-binary.t - URLAUTH=BINARY (RFC 5524)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need /usr/bin/python3
imap_setup
python_tests "$TOP/tests/cmd/imap-urlauth-binary.py"
verifydata >out 2>&1
is "$?" 0 "verifydata finds nothing"
done_testing
