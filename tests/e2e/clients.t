#!/bin/sh
# clients.t - real clients send and read: msmtp, swaks, neomutt, mbsync, curl,
# Python; what one changes the others see
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
need s6-svscan swaks neomutt mbsync msmtp curl tmux

instance_start
IMAP=$((B + 143)) SMTP=$((B + 25))

cat >msmtprc <<EOF2
account default
host 127.0.0.1
port $SMTP
from mail@localhost
EOF2
chmod 600 msmtprc
printf 'From: mail@localhost\nTo: mail@localhost\nSubject: by msmtp\n\n.leading dot\n..two\nf\303\274r\n' |
    msmtp -C msmtprc mail@localhost 2>msmtp.err
is $? 0 "msmtp sends a message with dots and 8-bit text"
ok "swaks sends" swaks --silent 2 --server 127.0.0.1:$SMTP --from mail@localhost --to mail@localhost --helo localhost \
    --header 'Subject: by swaks' --attach-type text/plain --attach @msmtprc --body 'see attachment'
ok "swaks pipelines" swaks --silent 2 --pipeline --server 127.0.0.1:$SMTP --from mail@localhost --to mail@localhost \
    --helo localhost --header 'Subject: pipelined'

# neomutt in batch mode reads the Maildir itself, and IMAP in a terminal
cat >muttrc <<EOF2
set folder = "imap://mail%40localhost@127.0.0.1:$IMAP/"
set imap_user = "mail@localhost"
set imap_pass = "$PW"
set spoolfile = "imap://127.0.0.1:$IMAP/INBOX"
set ssl_starttls = no
set ssl_force_tls = no
set header_cache = ""
set mail_check = 1
set timeout = 1
set sort = date
set from = mail@localhost
set realname = Local
set sendmail = "msmtp -C $TMP/msmtprc"
set record = ""
set wait_key = no
set imap_check_subscribed = no
EOF2
T="tmux -S $TMP/tmux.sock -f /dev/null"
export TERM=screen HOME="$TMP"
$T new-session -d -x 120 -y 30 "neomutt -F $TMP/muttrc 2>$TMP/mutt.err"
screen() { $T capture-pane -p; }
shows() { screen | grep -q "$1"; }
ok "neomutt lists by IMAP" wait_for 15 shows "by swaks"
is "$(screen | grep -cE 'by msmtp|by swaks|pipelined')" 3 "neomutt shows all three messages"
$T send-keys = Enter
ok "neomutt opens a message" wait_for 10 shows "leading dot"
like "$(screen)" '^\.leading dot' "dots arrive as they were sent"
$T send-keys i
ok "new mail is noticed while neomutt is open" sh -c "
    swaks --silent 2 --server 127.0.0.1:$SMTP --from mail@localhost --to mail@localhost --helo localhost --header 'Subject: while open'"
ok "S-12 neomutt shows it by itself" wait_for 20 shows "while open"
$T send-keys F
sleep 1
$T send-keys q
sleep 1
$T kill-server 2>/dev/null
grep -c '' mutt.err >/dev/null

cat >uids.py <<'PY'
import imaplib, sys
c = imaplib.IMAP4("127.0.0.1", int(sys.argv[1])); c.login("mail@localhost", sys.argv[2])
c.select("INBOX"); t, d = c.search(None, *sys.argv[3].split())
print(len(d[0].split())); c.logout()
PY
count() { /usr/bin/python3 uids.py $IMAP "$PW" "$1"; }
is "$(count FLAGGED)" 1 "the flag neomutt set is seen by imaplib"
is "$(count SEEN)" 1 "so is the message it read"

# mbsync both ways
mkdir -p sync/INBOX
cat >mbsyncrc <<EOF2
IMAPAccount local
Host 127.0.0.1
Port $IMAP
User mail@localhost
Pass $PW
SSLType None
AuthMechs LOGIN

IMAPStore far
Account local

MaildirStore near
Path $TMP/sync/
Inbox $TMP/sync/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
EOF2
ok "mbsync fetches everything" mbsync -c mbsyncrc -a
is "$(find sync/INBOX/cur sync/INBOX/new -type f | wc -l)" 4 "all four messages are there"
ok "its mailboxes are the special-use ones too" test -d sync/Drafts
f=$(grep -l 'Subject: by msmtp' sync/INBOX/cur/* sync/INBOX/new/* 2>/dev/null | head -1)
ok "bytes are kept" grep -q "^f$(printf '\303\274')r" "$f"
# change here, new message here
mv "$f" "sync/INBOX/cur/$(basename "$f" | sed 's/:2,.*//'):2,RS" 2>/dev/null
printf 'From: me@localhost\nSubject: from the near side\n\nx\n' >sync/Drafts/new/1.2.3
ok "mbsync pushes changes" mbsync -c mbsyncrc -a
is "$(count ANSWERED)" 1 "an answered flag set in the local Maildir arrives"
is "$(store-list -a mail -m Drafts | wc -l)" 1 "a message put in the local Drafts arrives"
store-flag -a mail -m INBOX +Deleted "$(store-list -a mail -m INBOX | head -1 | cut -f2)" >/dev/null 2>&1
store-expunge -a mail -m INBOX >/dev/null 2>&1
ok "mbsync after an expunge by command" mbsync -c mbsyncrc -a
is "$(find sync/INBOX/cur sync/INBOX/new -type f | wc -l)" 3 "the expunged message is gone at the near side"
is "$(verifydata -a mail)" "" "verifydata finds nothing"

# curl: bytes there and back
/usr/bin/python3 - >up.eml <<'PY'
import random, sys
rand = random.Random(1)
out = sys.stdout.buffer
out.write(b"From: a@example.org\r\nSubject: by curl\r\nDate: Sat, 21 Nov 2026 09:00:00 +0000\r\n\r\n.\r\n..dots\r\n\r\n")
for i in range(3000):
    out.write(bytes(rand.choices(b"abc .\xfc\t", k=rand.randrange(70))) + b"\r\n")
PY
ask() { curl -sS -u "mail@localhost:$PW" "$@"; }
imap=imap://127.0.0.1:$IMAP
like "$(ask "$imap/")" '\* LIST \(.*\) "/" Drafts' "curl lists mailboxes"
ok "curl appends a message" ask -T up.eml "$imap/Drafts"
uid=$(store-list -a mail -m Drafts | tail -n 1 | cut -f 2)
like "$(ask -X 'UID SEARCH SUBJECT "by curl"' "$imap/Drafts")" "^\* SEARCH $uid" "curl finds it"
ask "$imap/Drafts;UID=$uid" >down.eml
ok "curl reads the same bytes" cmp up.eml down.eml
is "$(ask "$imap/Drafts;UID=$uid;SECTION=HEADER.FIELDS%20(Subject)" | tr -d '\r')" "Subject: by curl" "and a part of them"
ask -X "UID STORE $uid +FLAGS.SILENT (\\Deleted)" "$imap/Drafts" >/dev/null
ask -X EXPUNGE "$imap/Drafts" >/dev/null
is "$(store-list -a mail -m Drafts | grep -c 'by curl')" 0 "what curl expunges is gone"

# imaplib: what is said of each message, against its file
/usr/bin/python3 "$TOP/tests/e2e/clients.py" "$IMAP" "$PW" >py.out 2>py.err
code=$?
while IFS="$(printf '\t')" read -r name result; do
	is "$result" ok "$name"
done <py.out
is "$code $(cat py.err)" "0 " "clients.py ran to its end"
is "$(verifydata -a mail)" "" "verifydata finds nothing after that"

# a node client, where npm's imapflow is installed beside the tests
if [ -d "${NODE_CLIENTS:-/nonexistent}/imapflow" ]; then
	timeout 120 node "$TOP/tests/e2e/imapflow.js" "$IMAP" "$PW" >node.out 2>node.err
	node_code=$?
	while IFS="$(printf '\t')" read -r name result; do
		is "$result" ok "$name"
	done <node.out
	is "$node_code $(cat node.err)" "0 " "imapflow.js ran to its end"
else
	skip "imapflow: COMPRESS, IDLE, QRESYNC" "NODE_CLIENTS does not name a folder with imapflow"
fi
instance_stop
done_testing
