#!/bin/sh
# imap-append.t - MULTIAPPEND, CATENATE, REPLACE, APPENDLIMIT, UTF8=ACCEPT (I-5)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need /usr/bin/python3
imap_setup
python_tests "$TOP/tests/cmd/imap-append.py"
verifydata >out 2>&1
is "$?" 0 "verifydata finds nothing"
done_testing
