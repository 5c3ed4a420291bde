#!/bin/sh
# imap-list.t - extended LIST: LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC
# 5819), SPECIAL-USE and CREATE-SPECIAL-USE (RFC 6154), LIST-METADATA (RFC 9590)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

printf 'Subject: one\n\nx\n' >m
append_line a Trash '(\Seen) ' m >in
session "a CREATE A/B/C\\r\\nb CREATE A-x\\r\\nc SUBSCRIBE A/B/C\\r\\nd SUBSCRIBE Gone/Away\\r\\ne UNSUBSCRIBE Junk\\r\\n" >/dev/null
imap-serve -a alice <in >/dev/null

# ---- RFC 5258 ----

is "$(session 'a LIST "" A%%\r\nb LIST () "" A* RETURN ()\r\nc LIST "" (A Tr* inbox)\r\n')" \
'* LIST (\HasChildren) "/" A
* LIST (\HasNoChildren) "/" A-x
* LIST (\HasNoChildren \Archive) "/" Archive
a OK LIST done
* LIST (\HasChildren) "/" A
* LIST (\HasChildren) "/" A/B
* LIST (\HasNoChildren) "/" A/B/C
* LIST (\HasNoChildren) "/" A-x
* LIST (\HasNoChildren \Archive) "/" Archive
b OK LIST done
* LIST (\HasChildren) "/" A
* LIST (\HasNoChildren) "/" INBOX
* LIST (\HasNoChildren \Trash) "/" Trash
c OK LIST done' "I-3 LIST-EXTENDED (RFC 5258): several patterns, children behind parents"
is "$(session 'a LIST (SUBSCRIBED) "" *\r\nb LIST "" (A* G* Junk) RETURN (SUBSCRIBED CHILDREN)\r\n')" \
'* LIST (\HasNoChildren \Subscribed) "/" A/B/C
* LIST (\HasNoChildren \Subscribed \Archive) "/" Archive
* LIST (\HasNoChildren \Subscribed \Drafts) "/" Drafts
* LIST (\NonExistent \Subscribed) "/" Gone/Away
* LIST (\HasNoChildren \Subscribed) "/" INBOX
* LIST (\HasNoChildren \Subscribed \Sent) "/" Sent
* LIST (\HasNoChildren \Subscribed \Trash) "/" Trash
a OK LIST done
* LIST (\HasChildren) "/" A
* LIST (\HasChildren) "/" A/B
* LIST (\HasNoChildren \Subscribed) "/" A/B/C
* LIST (\HasNoChildren) "/" A-x
* LIST (\HasNoChildren \Subscribed \Archive) "/" Archive
* LIST (\HasNoChildren \Junk) "/" Junk
b OK LIST done' "I-3 LIST-EXTENDED (RFC 5258): SUBSCRIBED as selection and as return option"
is "$(session 'a LIST (RECURSIVEMATCH SUBSCRIBED) "" %%\r\nb LIST (SUBSCRIBED RECURSIVEMATCH) "" (A A/B/C)\r\nc LIST (REMOTE SUBSCRIBED RECURSIVEMATCH) A/ %%\r\nd LIST (SPECIAL-USE RECURSIVEMATCH SUBSCRIBED) "" (A T*)\r\n')" \
'* LIST (\HasChildren) "/" A ("CHILDINFO" ("SUBSCRIBED"))
* LIST (\HasNoChildren \Subscribed \Archive) "/" Archive
* LIST (\HasNoChildren \Subscribed \Drafts) "/" Drafts
* LIST (\NonExistent) "/" Gone ("CHILDINFO" ("SUBSCRIBED"))
* LIST (\HasNoChildren \Subscribed) "/" INBOX
* LIST (\HasNoChildren \Subscribed \Sent) "/" Sent
* LIST (\HasNoChildren \Subscribed \Trash) "/" Trash
a OK LIST done
* LIST (\HasNoChildren \Subscribed) "/" A/B/C
b OK LIST done
* LIST (\HasChildren) "/" A/B ("CHILDINFO" ("SUBSCRIBED"))
c OK LIST done
* LIST (\HasNoChildren \Subscribed \Trash) "/" Trash
d OK LIST done' "I-3 LIST-EXTENDED (RFC 5258): RECURSIVEMATCH"
is "$(session 'a NOOP\r\nb LIST (RECURSIVEMATCH) "" *\r\nc LIST (REMOTE RECURSIVEMATCH) "" *\r\nd LIST (NONE) "" *\r\ne LIST "" * RETURN (NONE)\r\nf LIST "" * RETURN\r\ng LIST "" * (SUBSCRIBED)\r\nh LIST "" ()\r\ni LIST (SUBSCRIBED\r\nj LIST "" (""x)\r\nk LIST () "" ""\r\nl LIST "" ""\r\n')" \
'a OK NOOP done
b BAD RECURSIVEMATCH needs another selection option
c BAD RECURSIVEMATCH needs another selection option
d BAD unknown LIST selection option
e BAD unknown LIST return option
f BAD missing argument
g BAD expected RETURN
h BAD expected a pattern
i BAD syntax error
j BAD syntax error
k OK LIST done
* LIST (\Noselect) "/" ""
l OK LIST done' "I-3 LIST-EXTENDED (RFC 5258): what is wrong; no name is no delimiter"
pats=$(printf 'x%.0s ' $(seq 49))
is "$(session "a LIST \"\" (${pats}Trash)\\r\\nb LIST \"\" (${pats}y Trash)\\r\\n")" \
'* LIST (\HasNoChildren \Trash) "/" Trash
a OK LIST done
b BAD too many patterns' "I-3 50 patterns in a LIST and one more"
stars=$(printf '*%.0s' $(seq 3000))
is "$(session "a LIST \"\" Tr${stars}sh\\r\\nb LIST \"\" Trash$(printf 'x%.0s' $(seq 1100))\\r\\nc LIST \"\" %%%%*as%%%%\\r\\n")" \
'* LIST (\HasNoChildren \Trash) "/" Trash
a OK LIST done
b OK LIST done
* LIST (\HasNoChildren \Trash) "/" Trash
c OK LIST done' "I-3 runs of wildcards are one; no name is as long as the longest pattern"
is "$(session 'a SELECT "R&D"\r\nb LIST "" R&D*\r\nc NOOP x\r\n')" \
'a NO [CANNOT] mailbox name is no modified UTF-7
b OK LIST done
c BAD too many arguments' "I-16 what is no modified UTF-7 names no mailbox, and is no bad command"

# ---- RFC 5819 ----

is "$(session 'a LIST (SUBSCRIBED) "" (T* G*) RETURN (STATUS (MESSAGES UNSEEN) SUBSCRIBED)\r\nb LIST "" T* RETURN (STATUS ())\r\nc LIST "" T* RETURN (STATUS)\r\n')" \
'* LIST (\NonExistent \Subscribed) "/" Gone/Away
* LIST (\HasNoChildren \Subscribed \Trash) "/" Trash
* STATUS Trash (MESSAGES 1 UNSEEN 0)
a OK LIST done
b BAD expected an atom
c BAD syntax error' "I-3 LIST-STATUS (RFC 5819): STATUS of what is there"
is "$(session 's SELECT Trash\r\na LIST "" INBOX RETURN (STATUS (HIGHESTMODSEQ))\r\n' | sed '1,/^s OK/d; s/(HIGHESTMODSEQ N)/N/')" \
'* OK [HIGHESTMODSEQ N] changes are numbered
* LIST (\HasNoChildren) "/" INBOX
* STATUS INBOX N
a OK LIST done' "I-3 I-4 LIST-STATUS (RFC 5819): HIGHESTMODSEQ enables CONDSTORE"

# ---- RFC 6154 ----

is "$(session 'a LIST (SPECIAL-USE) "" *\r\nb LIST "" Sent RETURN (SPECIAL-USE)\r\n')" \
'* LIST (\HasNoChildren \Archive) "/" Archive
* LIST (\HasNoChildren \Drafts) "/" Drafts
* LIST (\HasNoChildren \Junk) "/" Junk
* LIST (\HasNoChildren \Sent) "/" Sent
* LIST (\HasNoChildren \Trash) "/" Trash
a OK LIST done
* LIST (\HasNoChildren \Sent) "/" Sent
b OK LIST done' "I-3 I-16 SPECIAL-USE (RFC 6154): as selection option; always answered"
is "$(session 'a CREATE Gesendet (USE (\\Sent \\Archive))\r\nb LIST "" (Sent Arch* Ges*)\r\nc CREATE All (USE (\\All))\r\nd CREATE N (USE ())\r\ne CREATE O (USE \\Sent)\r\nf CREATE O (NAME x)\r\ng CREATE O (USE (\\Sent)\r\nh LIST "" (All N O)\r\ni LIST (SPECIAL-USE) "" *\r\n')" \
'a OK [MAILBOXID (F)] CREATE done
* LIST (\HasNoChildren) "/" Archive
* LIST (\HasNoChildren \Sent \Archive) "/" Gesendet
* LIST (\HasNoChildren) "/" Sent
b OK LIST done
c NO [USEATTR] no such special use here
d OK [MAILBOXID (F)] CREATE done
e BAD syntax error
f BAD unknown CREATE parameter
g BAD syntax error
* LIST (\HasNoChildren) "/" N
h OK LIST done
* LIST (\HasNoChildren \Drafts) "/" Drafts
* LIST (\HasNoChildren \Sent \Archive) "/" Gesendet
* LIST (\HasNoChildren \Junk) "/" Junk
* LIST (\HasNoChildren \Trash) "/" Trash
i OK LIST done' "I-3 CREATE-SPECIAL-USE (RFC 6154): a use moves to the new mailbox"
is "$(session 'a GETMETADATA Gesendet /private/specialuse\r\nb SETMETADATA Gesendet (/private/specialuse "\\\\Sent")\r\nc SETMETADATA Archive (/private/specialuse "\\\\Archive" /private/x y)\r\nd SETMETADATA Archive (/private/specialuse "\\\\Flagged")\r\ne SETMETADATA "" (/private/specialuse "\\\\Junk")\r\nf LIST (SPECIAL-USE) "" (A* G*)\r\ng SETMETADATA Gesendet (/private/specialuse NIL)\r\nh SETMETADATA Sent (/private/specialuse "\\\\Sent")\r\ni LIST "" (Gesendet Sent) RETURN (METADATA (/private/specialuse))\r\n')" \
'* METADATA Gesendet (/private/specialuse "\\Sent \\Archive")
a OK GETMETADATA done
b OK SETMETADATA done
c BAD expected a string
d NO [USEATTR] no such special use here
e NO [USEATTR] no such special use here
* LIST (\HasNoChildren \Sent) "/" Gesendet
f OK LIST done
g OK SETMETADATA done
h OK SETMETADATA done
* LIST (\HasNoChildren) "/" Gesendet
* METADATA Gesendet (/private/specialuse NIL)
* LIST (\HasNoChildren \Sent) "/" Sent
* METADATA Sent (/private/specialuse "\\Sent")
i OK LIST done' "I-3 SPECIAL-USE (RFC 6154 4): uses as an annotation"

# ---- RFC 9590 ----

is "$(session 'a SETMETADATA Trash (/shared/comment "old things" /private/x "")\r\nb LIST (SUBSCRIBED) "" (T* Dr* G*) RETURN (METADATA ("/Shared/Comment" /private/x) STATUS (MESSAGES))\r\nc LIST "" T* RETURN (METADATA /private/x)\r\nd LIST "" T* RETURN (METADATA)\r\ne LIST "" T* RETURN (METADATA (x))\r\nf LIST "" T* RETURN (METADATA ())\r\n')" \
'a OK SETMETADATA done
* LIST (\HasNoChildren \Subscribed \Drafts) "/" Drafts
* STATUS Drafts (MESSAGES 0)
* METADATA Drafts (/shared/comment NIL /private/x NIL)
* LIST (\NonExistent \Subscribed) "/" Gone/Away
* LIST (\HasNoChildren \Subscribed \Trash) "/" Trash
* STATUS Trash (MESSAGES 1)
* METADATA Trash (/shared/comment "old things" /private/x "")
b OK LIST done
* LIST (\HasNoChildren \Trash) "/" Trash
* METADATA Trash (/private/x "")
c OK LIST done
d BAD syntax error
e BAD annotations begin with /private/ or /shared/
f BAD expected a string' "I-3 LIST-METADATA (RFC 9590)"

# ---- S-11: subscriptions ----

is "$(session 'a CREATE New/Box/\r\nb LSUB "" New*\r\nc SUBSCRIBE New/Box\r\nd LSUB "" %%\r\ne DELETE New/Box\r\nf LIST (SUBSCRIBED) "" New*\r\n' | grep -v '/" [ADGIST]')" \
'a OK [MAILBOXID (F)] CREATE done
b OK LSUB done
c OK SUBSCRIBE done
* LSUB (\Noselect) "/" New
d OK LSUB done
e OK DELETE done
* LIST (\NonExistent \Subscribed) "/" New/Box
f OK LIST done' "S-11 CREATE does not subscribe, DELETE does not unsubscribe; LSUB with %"
subscribed() {
	{ echo INBOX; seq "$1" | sed 's/^/none/'; } >"$PIPEMAIL_VAR/accounts/bob/Maildir/subscriptions"
	session 'a NOOP\r\nb LIST (SUBSCRIBED) "" (none1 INBOX)\r\n' bob | sed 1d
}
session 'a NOOP\r\n' bob >/dev/null
is "$(subscribed 39993)" '* LIST (\HasNoChildren \Subscribed) "/" INBOX
* LIST (\NonExistent \Subscribed) "/" none1
b OK LIST done' "I-3 LIST looks at 40000 names, mailboxes and subscriptions"
is "$(subscribed 39994)" 'b NO [LIMIT] too many keywords or mailboxes' "I-3 and refuses one more"
done_testing
