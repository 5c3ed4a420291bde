#!/bin/sh
# imap-boxes.t - an account with very many mailboxes (S-11): what one more
# costs, lists of all, a new index; 100,000 of them with BOXES=100000
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
BOXES=${BOXES:-8000}
python_tests "$TOP/tests/cmd/imap-boxes.py" "$BOXES"
sed 's/^/# /' times
exits 0 "verifydata is content with $BOXES mailboxes" verifydata -a alice
rm -rf var/accounts/alice/index
exits 0 "the index is built anew" store-mailbox -a alice
is "$(cut -f 1 .out | sort | cksum)" "$(sort names | cksum)" "S-11 S-20 with the same mailboxes"
exits 0 "verifydata is content with it" verifydata -a alice
done_testing
