#!/bin/sh
# imap-condstore.t - RFC 7162: CONDSTORE and QRESYNC (I-4)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
python_tests "$TOP/tests/cmd/imap-condstore.py"
done_testing
