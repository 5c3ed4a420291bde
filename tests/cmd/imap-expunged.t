#!/bin/sh
# imap-expunged.t - messages that are gone for one session and not for another
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need /usr/bin/python3
imap_setup
python_tests "$TOP/tests/cmd/imap-expunged.py"
verifydata >out 2>&1
is "$?" 0 "S-10 verifydata finds nothing"
done_testing
