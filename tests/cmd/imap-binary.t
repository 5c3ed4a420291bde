#!/bin/sh
# imap-binary.t - BINARY (RFC 3516, I-5)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need /usr/bin/python3
imap_setup
python_tests "$TOP/tests/cmd/imap-binary.py"
verifydata >out 2>&1
is "$?" 0 "verifydata finds nothing"
done_testing
