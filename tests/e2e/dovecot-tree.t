#!/bin/sh
# dovecot-tree.t - a copy of the tree is given to Dovecot, changed there and
# swapped in under a connected IMAP client: UIDs, flags, keywords stay
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
DOVECOT=
if [ ! -x /usr/lib/dovecot/imap ]; then	# then what tests/deps unpacked
	DOVECOT=${BIN%/bin}
	DOVECOT=${DOVECOT%-san}/peers/dovecot
	[ -x "$DOVECOT/usr/lib/dovecot/imap" ] || skip_all "Dovecot is not there: make deps"
fi
imap_setup
PYTHONPATH=$TOP/tests/cmd
export PYTHONPATH

ALICE=$TMP/var/accounts/alice/Maildir
m() { printf 'From: a@example.org\nSubject: %s\nDate: Fri, 20 Nov 2026 12:00:00 +0000\n\nbody\n' "$1"; }
for i in 1 2 3 4 5 6; do m "m$i" | store-deliver -a alice || exit 111; done
store-flag -a alice +seen,work 1
store-flag -a alice +flagged 2
store-mailbox -c -a alice Other
session 's SELECT INBOX\r\n' | grep -o 'UIDVALIDITY.*' >validity

# it serves the tree as another user than root
mkdir -p dove/run
user=$(id -u) group=$(id -g)
[ "$user" != 0 ] || { user=65534; group=65534; }
cat >dove/conf <<END
base_dir = $TMP/dove/run
state_dir = $TMP/dove/run
log_path = $TMP/dove/log
mail_location = maildir:$TMP/dove/Maildir
mail_uid = $user
mail_gid = $group
ssl = no
namespace inbox {
  inbox = yes
}
END
cp -a "$ALICE" dove/Maildir
[ "$(id -u)" != 0 ] || chown -R "$user:$group" dove
dovecot_says() {
	printf "$1x LOGOUT\r\n" | HOME=$TMP/dove USER=alice LD_LIBRARY_PATH=$DOVECOT/usr/lib/dovecot timeout 20 \
	    "$DOVECOT/usr/bin/doveconf" -c "$TMP/dove/conf" -m imap -f service=imap \
	    -e "$DOVECOT/usr/lib/dovecot/imap" 2>>dove.err | tr -d '\r'
}
dovecot_says 'a SELECT INBOX\r\nb FETCH 1:* (FLAGS)\r\n' >out
[ -s out ] || cat dove.err dove/log
is "$(grep -c 'FETCH (' out)" 6 "Dovecot reads the tree"
like "$(cat out)" '^\* 1 FETCH \(FLAGS \(.*Seen.*work' "S-8 with our flags and keywords"
dovecot_says 'a SELECT INBOX\r\nb STORE 3 +FLAGS (\\Answered blue)\r\nc APPEND INBOX {26+}\r\nSubject: by dovecot\r\n\r\nx\r\n\r\n' >out
dovecot_says 'a SELECT INBOX\r\nd STORE 5 +FLAGS (\\Deleted)\r\n' >>out
dovecot_says 'a SELECT INBOX\r\ne EXPUNGE\r\n' >>out
dovecot_says 'a SELECT INBOX\r\nf MOVE 4 Other\r\n' >>out
is "$(grep -cE '^[b-f] OK' out)" 5 "it changes flags, adds, expunges and moves"

[ "$(id -u)" != 0 ] || chown -R root:root dove/Maildir
cat >back.py <<'E2'
# the tree is swapped under a client
import os, sys
from imap_talk import Session, check
a = Session()
a.do("SELECT INBOX")
os.rename(sys.argv[2], sys.argv[2] + ".before")
os.rename(sys.argv[1], sys.argv[2])
check("a session on the old tree ends", a.ends(), True)
a = Session()
a.do("SELECT INBOX")
check("UIDs stay, the new message has a new one", a.do("UID SEARCH ALL")[0], "* SEARCH 1 2 3 6 7")
E2
python_tests back.py dove/Maildir "$ALICE"
session 's SELECT INBOX\r\n' | grep -o 'UIDVALIDITY.*' | cmp -s - validity
is $? 0 "UIDVALIDITY is what it was"
is "$(store-list -a alice -m INBOX | cut -f 2,3,7 | tr '\t\n' ' ,')" '1 \Seen,work m1,2 \Flagged m2,3 \Answered,blue m3,6  m6,7  by dovecot,' "S-7 S-8 each message with its flags and keywords"
is "$(store-list -a alice -m Other | cut -f 7)" m4 "what it moved is where it put it"
exits 0 "verifydata is content" verifydata -a alice
ok "Dovecot's files are still in it" test -e "$ALICE/dovecot-uidlist"
is "$(store-mailbox -a alice | cut -f 1 | tr '\n' ' ')" "Archive Drafts INBOX Junk Other Sent Trash " "they are no mailboxes"
done_testing
