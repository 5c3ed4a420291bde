#!/bin/sh
# mbsync-many.t - mbsync(1) by IMAP keeps 10,000 messages in step, both ways:
# changes at both sides, with each message, its bytes and its flags compared.
# MESSAGES makes it more or fewer.
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need mbsync
imap_setup
HOME=$TMP
PYTHONPATH=$TOP/tests/cmd
export HOME PYTHONPATH

mkdir -p near/INBOX/cur near/INBOX/new near/INBOX/tmp
printf 'Subject: first\n\nx\n' | store-deliver -a alice
cat >mbsyncrc <<END
FSync no

IMAPStore far
Tunnel "exec imap-serve -a alice"

MaildirStore near
Path $TMP/near/
Inbox $TMP/near/INBOX

Channel c
Far :far:
Near :near:
Patterns INBOX
Create Both
Expunge Both
SyncState *
END
/usr/bin/python3 "$TOP/tests/e2e/mbsync-many.py" "${MESSAGES:-10000}" \
    >many.out 2>many.err
code=$?
while IFS="$(printf '\t')" read -r name result; do
	is "$result" ok "$name"
done <many.out
is "$code $(cat many.err)" "0 " "mbsync-many.py ran to its end"
exits 0 "verifydata is content" verifydata -a alice
done_testing
