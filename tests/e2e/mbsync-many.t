#!/bin/sh
# mbsync-many.t - mbsync(1) by IMAP keeps 10,000 messages in step, both ways
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need mbsync
imap_setup
HOME=$TMP
export HOME

mkdir -p near/INBOX/cur near/INBOX/new near/INBOX/tmp
printf 'Subject: first\n\nx\n' | store-deliver -a alice
ALICE=$TMP/var/accounts/alice
cat >make.py <<'E2'
# make.py DIRECTORY NAME COUNT: so many messages
import sys
for i in range(int(sys.argv[3])):
    with open("%s/%d.%s%d.elsewhere" % (sys.argv[1], 1795000000 + i, sys.argv[2], i), "w") as f:
        f.write("From: a@example.org\nMessage-ID: <%s%d@example.org>\nSubject: %s%d\n\nbody %d\n" % (sys.argv[2], i, sys.argv[2], i, i))
E2
/usr/bin/python3 make.py "$ALICE/Maildir/new" far 7999
/usr/bin/python3 make.py near/INBOX/new near 2000
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
sync() { mbsync -c mbsyncrc c >mbsync.out 2>&1 || { tail -5 mbsync.out; return 1; }; }
here() { find near/INBOX/cur near/INBOX/new -type f "$@" | wc -l; }
there() { store-list -a alice -m INBOX | awk -F '\t' -v "f=$1" 'index($3, f)' | wc -l; }
ok "mbsync makes 8,000 and 2,000 messages the same 10,000" sync
is "$(here) $(store-list -a alice -m INBOX | wc -l)" "10000 10000" "both sides have all"
store-list -a alice -m INBOX | cut -f 2,7 | sort >uids
is "$(cut -f 2 uids | sort -u | wc -l) $(cut -f 1 uids | sort -u | wc -l)" "10000 10000" "each once, under a UID of its own"
store-flag -a alice +flagged 1:500
store-expunge -f -a alice 501:600
for f in $(find near/INBOX/cur near/INBOX/new -name '*.near1[0-9][0-9].*' -o -path '*INBOX*' -name '*,U=97[0-9][0-9]*' | head -100); do
	mv "$f" "near/INBOX/cur/$(basename "${f%%:2,*}"):2,RS"
done
answered=$(here -name '*:2,RS')
ok "some are answered at the near side" test "$answered" -gt 50
ok "mbsync after changes at both sides" sync
is "$(here) $(here -name '*F*') $(store-list -a alice -m INBOX | wc -l) $(there Answered)" "9900 500 9900 $answered" "flags and expunges are the same at both"
is "$(store-list -a alice -m INBOX | cut -f 2,7 | sort | comm -23 - uids | wc -l)" 0 "no UID names another message"
sync
is "$(here) $(store-list -a alice -m INBOX | wc -l)" "9900 9900" "nothing is left to do"
exits 0 "verifydata is content" verifydata -a alice
done_testing
