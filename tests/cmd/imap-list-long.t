#!/bin/sh
# imap-list-long.t - LIST and LSUB with long answers (S-11, I-13)
. "$(dirname "$0")/../tap.sh"
need python3 mdb_stat
. "$TOP/tests/cmd/imap.sh"
PYTHONPATH=$TOP/tests/cmd
export PYTHONPATH
imap_setup
python_tests "$TOP/tests/cmd/imap-list-long.py"
done_testing
