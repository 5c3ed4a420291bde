#!/bin/sh
# imap-rev2.t - RFC 9051: IMAP4rev2 and what it changes once enabled
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

printf 'Subject: one\n\nx\n' >m
{ append_line a INBOX '(\Flagged) ' m; append_line b INBOX '' m; } |
    imap-serve -a alice >/dev/null

# rev2 COMMANDS: after ENABLE IMAP4rev2
rev2() {
	session "e ENABLE IMAP4rev2\\r\\n$1" | sed '1,/^e OK/d'
}
flags='\Seen \Answered \Flagged \Deleted \Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent'

is "$(session 'a ENABLE imap4REV2 x\r\nb ENABLE IMAP4rev2\r\nc ENABLE IMAP4rev1 IDLE\r\n')" \
'* ENABLED IMAP4rev2
a OK ENABLE done
* ENABLED
b OK ENABLE done
* ENABLED
c OK ENABLE done' "I-1 I-2 RFC 9051 IMAP4rev2: ENABLE; what is no extension to enable is passed over"
is "$(rev2 'a SELECT INBOX\r\nb SELECT Trash\r\nc UNSELECT\r\n')" \
"* FLAGS ($flags)
* OK [PERMANENTFLAGS ($flags \\*)] flags that are kept
* 2 EXISTS
* OK [UIDVALIDITY V] UIDs are valid
* OK [UIDNEXT 3] predicted next UID
* OK [HIGHESTMODSEQ N] changes are numbered
* OK [MAILBOXID (F)] mailbox has this id
* LIST (\\HasNoChildren) \"/\" INBOX
a OK [READ-WRITE] SELECT done
* OK [CLOSED] mailbox is closed
* FLAGS ($flags)
* OK [PERMANENTFLAGS ($flags \\*)] flags that are kept
* 0 EXISTS
* OK [UIDVALIDITY V] UIDs are valid
* OK [UIDNEXT 1] predicted next UID
* OK [HIGHESTMODSEQ N] changes are numbered
* OK [MAILBOXID (F)] mailbox has this id
* LIST (\\HasNoChildren \\Trash) \"/\" Trash
b OK [READ-WRITE] SELECT done
c OK UNSELECT done" "I-1 I-24 SELECT: LIST and CLOSED, no RECENT, no UNSEEN"
is "$(rev2 's SELECT INBOX\r\na SEARCH FLAGGED\r\nb UID SEARCH UNFLAGGED\r\nc SEARCH SEEN\r\nd SEARCH RETURN (COUNT) ALL\r\n' | sed '1,/^s OK/d')" \
'* ESEARCH (TAG "a") ALL 1
a OK SEARCH done
* ESEARCH (TAG "b") UID ALL 2
b OK UID SEARCH done
* ESEARCH (TAG "c")
c OK SEARCH done
* ESEARCH (TAG "d") COUNT 2
d OK SEARCH done' "I-1 ESEARCH is the answer to every SEARCH"
append_line a Trash '' m >in
is "$(rev2 "s SELECT Trash\\r\\n$(sed 's/%/%%/g; s/$/\\n/' in | tr -d '\n')b NOOP\\r\\n" | sed '1,/^s OK/d')" \
'* 1 EXISTS
a OK [APPENDUID V 1] APPEND done
b OK NOOP done' "I-24 EXISTS without RECENT"
is "$(rev2 'a STATUS INBOX (MESSAGES DELETED SIZE UNSEEN UIDNEXT)\r\n')" \
"* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UNSEEN 2 SIZE $(($(sed 's/$/\r/' m | wc -c) * 2)) DELETED 0)
a OK STATUS done" "I-1 STATUS SIZE and DELETED"

# ---- I-16: names ----

is "$(rev2 'a CREATE "Entw\303\274rfe"\r\nb LIST "" E*\r\nc STATUS {9+}\r\nEntw\303\274rfe (MESSAGES)\r\nd CREATE R&D\r\ne LIST "" R*\r\nf CREATE "\303"\r\ng CREATE {1+}\r\n\303\r\nh SUBSCRIBE "x\303\266\\"\\"y"\r\ni LSUB "" x*\r\n')" \
'a OK [MAILBOXID (F)] CREATE done
* LIST (\HasNoChildren) "/" "Entwürfe"
b OK LIST done
* STATUS "Entwürfe" (MESSAGES 0)
c OK STATUS done
d OK [MAILBOXID (F)] CREATE done
* LIST (\HasNoChildren) "/" R&D
e OK LIST done
f BAD string is not UTF-8
g BAD mailbox name is not UTF-8
h OK SUBSCRIBE done
* LSUB () "/" "xö\"\"y"
i OK LSUB done' "I-16 names are UTF-8 once it is enabled, both ways"
is "$(session 'a LIST "" E*\r\nb LIST "" R*\r\n')" \
'* LIST (\HasNoChildren) "/" Entw&APw-rfe
a OK LIST done
* LIST (\HasNoChildren) "/" R&-D
b OK LIST done' "I-16 and modified UTF-7 for others"
nfd=$(printf 'a\314\210') nfc=$(printf '\303\244')
is "$(rev2 'a CREATE "a\314\210"\r\nb SELECT "a\314\210"\r\nc SELECT "\303\244"\r\n' | grep -E 'LIST|OK.*done')" \
"* LIST (\\HasNoChildren) \"/\" \"$nfc\" (\"OLDNAME\" (\"$nfd\"))
a OK [MAILBOXID (F)] CREATE done
* LIST (\\HasNoChildren) \"/\" \"$nfc\" (\"OLDNAME\" (\"$nfd\"))
b OK [READ-WRITE] SELECT done
* LIST (\\HasNoChildren) \"/\" \"$nfc\"
c OK [READ-WRITE] SELECT done" "I-16 a name put in order is told with OLDNAME"

# ---- I-14: RENAME ----

is "$(rev2 'a CREATE P/Q/R\r\nb CREATE P-x\r\nc RENAME P "N\303\266"\r\nd RENAME "N\303\266/Q" Z\r\ne RENAME Z INBOX/Z\r\nf LIST "" "N*"\r\ng RENAME Nope X\r\n')" \
'a OK [MAILBOXID (F)] CREATE done
b OK [MAILBOXID (F)] CREATE done
* LIST (\HasChildren) "/" "Nö" ("OLDNAME" (P))
* LIST (\HasChildren) "/" "Nö/Q" ("OLDNAME" (P/Q))
* LIST (\HasNoChildren) "/" "Nö/Q/R" ("OLDNAME" (P/Q/R))
c OK RENAME done
* LIST (\HasChildren) "/" Z ("OLDNAME" ("Nö/Q"))
* LIST (\HasNoChildren) "/" Z/R ("OLDNAME" ("Nö/Q/R"))
d OK RENAME done
* LIST (\HasChildren) "/" INBOX/Z ("OLDNAME" (Z))
* LIST (\HasNoChildren) "/" INBOX/Z/R ("OLDNAME" (Z/R))
e OK RENAME done
* LIST (\HasNoChildren) "/" "Nö"
f OK LIST done
g NO [NONEXISTENT] no such mailbox' "I-14 RENAME takes children along and tells OLDNAME of each"
is "$(rev2 's SELECT INBOX\r\na RENAME INBOX Old\r\nb NOOP\r\nc STATUS INBOX (MESSAGES)\r\nd STATUS Old (MESSAGES)\r\ne LIST "" INBOX*\r\nf DELETE INBOX/Z\r\ng DELETE INBOX\r\n' | sed '1,/^s OK/d')" \
'* 1 EXPUNGE
* 1 EXPUNGE
a OK RENAME done
b OK NOOP done
* STATUS INBOX (MESSAGES 0)
c OK STATUS done
* STATUS Old (MESSAGES 2)
d OK STATUS done
* LIST (\HasChildren) "/" INBOX
* LIST (\HasChildren) "/" INBOX/Z
* LIST (\HasNoChildren) "/" INBOX/Z/R
e OK LIST done
f NO [HASCHILDREN] mailbox has children
g NO [CANNOT] not possible for INBOX' "I-14 RENAME INBOX moves its messages; it and its children stay"
is "$(session 'a RENAME Old Older\r\n')" 'a OK RENAME done' "I-14 without IMAP4rev2 no OLDNAME"

# ---- I-12 ----

for first in 'EHLO x' 'GET / HTTP/1.1' 'a' 'a XYZZY' 'a SELECT' \
    'a ENABLE' 'a FETCH 1 FLAGS' ''; do
	printf '%s\r\nb NOOP\r\n' "$first" | imap-serve -a alice |
	    tr -d '\r' | tail -1 >out
	is "$(cat out)" "* BYE please speak IMAP" "I-12 first command '$first' is no IMAP: BYE"
done
is "$(session 'a ENABLE IMAP4rev2\r\nb XYZZY\r\nc NOOP\r\n' | tail -2)" "b BAD unknown command
c OK NOOP done" "I-12 a later one is BAD only"
done_testing
