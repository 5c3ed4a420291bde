#!/bin/sh
# imap-uidonly.t - RFC 9586: UIDONLY (I-8)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

i=0
while [ $i -lt 5 ]; do
	i=$((i + 1))
	printf 'Subject: m%d\n\ntext\n' $i >m
	append_line a INBOX '' m
done >in
{ cat in; printf 's SELECT INBOX\r\nb STORE 1:2 +FLAGS (\\Deleted)\r\nc EXPUNGE\r\n'; } |
    imap-serve -a alice >/dev/null	# UIDs 3:5

# uidonly COMMANDS: with UIDONLY, INBOX selected
uidonly() {
	session "e ENABLE UIDONLY\\r\\ns SELECT INBOX\\r\\n$1" | sed '1,/^s OK/d'
}

is "$(session 'a ENABLE UIDONLY\r\nb SELECT INBOX\r\n' | grep -v 'FLAGS')" \
'* ENABLED UIDONLY
a OK ENABLE done
* 3 EXISTS
* N RECENT
* OK [UIDVALIDITY V] UIDs are valid
* OK [UIDNEXT 6] predicted next UID
* OK [HIGHESTMODSEQ N] changes are numbered
* OK [MAILBOXID (F)] mailbox has this id
b OK [READ-WRITE] SELECT done' "I-8 UIDONLY: SELECT tells no message number (UNSEEN)"
for command in 'FETCH 1 FLAGS' 'STORE 1 +FLAGS (x)' 'SEARCH ALL' \
    'COPY 1 Trash' 'MOVE 1 Trash' 'UID SEARCH 1:2' 'UID SEARCH NOT *' \
    'UID SEARCH OR (SEEN 2) 1'; do
	is "$(uidonly "a NOOP\\r\\nb $command\\r\\n" | tail -1)" \
	    "b BAD [UIDREQUIRED] no message numbers with UIDONLY" \
	    "I-8 UIDONLY: $command is refused"
done
is "$(uidonly 'a UID FETCH 1:* (FLAGS)\r\nb UID FETCH 4 (UID RFC822.SIZE)\r\nc UID SEARCH ALL\r\nd UID SEARCH RETURN (SAVE COUNT) UID 4:9\r\ne UID FETCH $ (BODY[TEXT])\r\n')" \
'* 3 UIDFETCH (FLAGS ())
* 4 UIDFETCH (FLAGS ())
* 5 UIDFETCH (FLAGS ())
a OK UID FETCH done
* 4 UIDFETCH (UID 4 RFC822.SIZE 21)
b OK UID FETCH done
* SEARCH 3 4 5
c OK UID SEARCH done
* ESEARCH (TAG "d") UID COUNT 2
d OK UID SEARCH done
* 4 UIDFETCH (FLAGS (\Seen) BODY[TEXT] {6}
text
)
* 5 UIDFETCH (FLAGS (\Seen) BODY[TEXT] {6}
text
)
e OK UID FETCH done' "I-8 UIDONLY: UIDFETCH, with UID only if asked"
is "$(uidonly 'a UID STORE 3,5 +FLAGS (\\Deleted)\r\nb EXPUNGE\r\nc UID MOVE 4 Trash\r\nd UID COPY 4 Trash\r\n')" \
'* 3 UIDFETCH (FLAGS (\Deleted))
* 5 UIDFETCH (FLAGS (\Seen \Deleted))
a OK UID STORE done
* VANISHED 3,5
b OK EXPUNGE done
* OK [COPYUID V 4 1] moved
* VANISHED 4
c OK UID MOVE done
d OK UID COPY done' "I-8 UIDONLY: VANISHED for EXPUNGE and MOVE, without QRESYNC"
is "$(session 'e ENABLE UIDONLY QRESYNC\r\na SELECT INBOX (QRESYNC (1 1 1:9 (1 1)))\r\nb SELECT Trash\r\nc UID STORE 1 +FLAGS.SILENT (x)\r\n' |
    sed 's/MODSEQ ([0-9]*)/MODSEQ (N)/' | grep -v '^\* [OFNL]' | grep -v '^\* 0 EX')" \
'* ENABLED CONDSTORE QRESYNC UIDONLY
e OK ENABLE done
a BAD [UIDREQUIRED] no message numbers with UIDONLY
* 1 EXISTS
b OK [READ-WRITE] SELECT done
* 1 UIDFETCH (MODSEQ (N))
c OK UID STORE done' "I-8 UIDONLY: with QRESYNC; no numbers in its parameter"
python_tests "$TOP/tests/cmd/imap-uidonly.py"
done_testing
