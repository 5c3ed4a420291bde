#!/bin/sh
# imap-serve.t - sessions of the protocol after login, by hand (I-19)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

flags='\Seen \Answered \Flagged \Deleted \Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent'

# ---- starting ----

is "$(printf 'a LOGOUT\r\n' | imap-serve -a alice | tr -d '\r')" \
    "* PREAUTH [CAPABILITY $imap_capabilities] logged in as alice
* BYE bye
a OK LOGOUT done" "I-19 PREAUTH session on standard input and output"
exits 100 "an account that is not configured" imap-serve -a nobody
like "$(cat .err)" '^imap-serve: fatal: cannot open account nobody: ' \
    "is named in the message"
exits 100 "an account name that is none" imap-serve -a ../alice
exits 100 "an operand is refused" imap-serve alice
exits 111 "without -a a hand-over is needed" imap-serve </dev/null
is "$(session 'EHLO x\r\na NOOP\r\n')" "EHLO BAD unknown command
* BYE please speak IMAP" "I-12 first invalid command ends the connection"
is "$(session 'a NOOP\r\nb XYZ\r\nc NOOP\r\n')" "a OK NOOP done
b BAD unknown command
c OK NOOP done" "I-12 a later one does not"
is "$(session 'a ID ("name" "t")\r\nb NAMESPACE\r\nc ENABLE X-NONE\r\nd STARTTLS\r\ne CAPABILITY\r\n' | sed 's/"version" "[0-9.]*"/V/')" \
'* ID ("name" "pipemail" V)
a OK ID done
* NAMESPACE (("" "/")) NIL NIL
b OK NAMESPACE done
* ENABLED
c OK ENABLE done
d NO already logged in
* CAPABILITY '"$imap_capabilities"'
e OK CAPABILITY done' "I-2 ID with version, NAMESPACE, ENABLE, CAPABILITY"

# ---- mailboxes ----

is "$(session 'a LIST "" *\r\nb LIST "" ""\r\nc LIST "" inbox\r\nd LIST IN BO%%\r\n')" \
'* LIST (\HasNoChildren \Archive) "/" Archive
* LIST (\HasNoChildren \Drafts) "/" Drafts
* LIST (\HasNoChildren) "/" INBOX
* LIST (\HasNoChildren \Junk) "/" Junk
* LIST (\HasNoChildren \Sent) "/" Sent
* LIST (\HasNoChildren \Trash) "/" Trash
a OK LIST done
* LIST (\Noselect) "/" ""
b OK LIST done
* LIST (\HasNoChildren) "/" INBOX
c OK LIST done
* LIST (\HasNoChildren) "/" INBOX
d OK LIST done' "I-16 LIST with special uses, I-1 patterns and reference"
is "$(session 'a CREATE A/B/C\r\nb CREATE A/B/C\r\nc CREATE X/\r\nd LIST "" A%%\r\ne LIST "" A/*\r\nf LIST A/ %%\r\ng DELETE A/B\r\nh DELETE A/B/C\r\ni DELETE A/B\r\nj LIST "" A*\r\nk DELETE Nope\r\nl DELETE INBOX\r\nm DELETE X\r\n')" \
'a OK [MAILBOXID (F)] CREATE done
b NO [ALREADYEXISTS] mailbox exists
c OK [MAILBOXID (F)] CREATE done
* LIST (\HasChildren) "/" A
* LIST (\HasNoChildren \Archive) "/" Archive
d OK LIST done
* LIST (\HasChildren) "/" A/B
* LIST (\HasNoChildren) "/" A/B/C
e OK LIST done
* LIST (\HasChildren) "/" A/B
f OK LIST done
g NO [HASCHILDREN] mailbox has children
h OK DELETE done
i OK DELETE done
* LIST (\HasNoChildren) "/" A
* LIST (\HasNoChildren \Archive) "/" Archive
j OK LIST done
k NO [NONEXISTENT] no such mailbox
l NO [CANNOT] not possible for INBOX
m OK DELETE done' "I-14 CREATE, DELETE, children"
is "$(session 'a CREATE "Entw&APw-rfe"\r\nb LIST "" E*\r\nc CREATE "Entw\303\274rfe"\r\nd CREATE "&Jjo!"\r\ne CREATE "&AGE-"\r\nf CREATE {9+}\r\nEntw\303\274rfe\r\ng CREATE a//b\r\nh CREATE ../x\r\ni CREATE Inbox\r\nj CREATE iNbOx/sub\r\nk LIST "" INBOX%%*\r\nl DELETE inbox/SUB\r\nm DELETE INBOX/sub\r\n' | sed -E 's/(CANNOT\]).*/\1/')" \
'a OK [MAILBOXID (F)] CREATE done
* LIST (\HasNoChildren) "/" Entw&APw-rfe
b OK LIST done
c BAD mailbox name with 8-bit bytes, not modified UTF-7
d NO [CANNOT]
e NO [CANNOT]
f BAD mailbox name with 8-bit bytes, not modified UTF-7
g NO [CANNOT]
h NO [CANNOT]
i NO [ALREADYEXISTS] mailbox exists
j OK [MAILBOXID (F)] CREATE done
* LIST (\HasChildren) "/" INBOX
* LIST (\HasNoChildren) "/" INBOX/sub
k OK LIST done
l NO [NONEXISTENT] no such mailbox
m OK DELETE done' "I-16 modified UTF-7 names; 8-bit names refused"
is "$(session 'a CREATE Q/R\r\nb SUBSCRIBE Q/R\r\nc LSUB "" Q%%\r\nd LSUB "" Q/*\r\ne SUBSCRIBE Gone/Away\r\nf LSUB "" G*\r\ng UNSUBSCRIBE Gone/Away\r\nh LSUB "" G*\r\ni LSUB "" ""\r\n')" \
'a OK [MAILBOXID (F)] CREATE done
b OK SUBSCRIBE done
* LSUB (\Noselect) "/" Q
c OK LSUB done
* LSUB () "/" Q/R
d OK LSUB done
e OK SUBSCRIBE done
* LSUB () "/" Gone/Away
f OK LSUB done
g OK UNSUBSCRIBE done
h OK LSUB done
i OK LSUB done' "I-1 LSUB and subscriptions"

# ---- messages ----

cat >one.eml <<'E'
From: =?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@example.net>
To: alice@example.org, "Bob B." <bob@example.org>
Subject: =?iso-8859-1?q?Gr=FC=DFe?= from here
Date: Fri, 20 Nov 2026 00:30:00 +0100
Message-ID: <one@example.net>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=xx

pre
--xx
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

SGVsbG8gV8O2cmxkIQo=
--xx
Content-Type: message/rfc822

Subject: inner
From: x@example.net

inner body
--xx--
E
printf 'Subject: two\n\nbody two\n' >two.eml
{
	append_line a INBOX '(\Flagged Work) "20-Nov-2026 10:00:00 +0000" ' one.eml
	append_line b INBOX '' two.eml
	append_line c Nope '' two.eml
} >in
is "$(imap-serve -a alice <in | imap_steady | sed 1d)" \
'a OK [APPENDUID V 1] APPEND done
b OK [APPENDUID V 2] APPEND done
c NO [TRYCREATE] no such mailbox' "I-2 APPEND with flags and date; APPENDUID, TRYCREATE"
ok "messages are stored with LF" cmp one.eml var/accounts/alice/Maildir/cur/*U=1:*
is "$(session 'a SELECT INBOX\r\nb EXAMINE inbox\r\nc UNSELECT\r\nd SELECT Nope\r\ne FETCH 1 UID\r\nf STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)\r\n')" \
"* FLAGS ($flags work)
* OK [PERMANENTFLAGS ($flags work \\*)] flags that are kept
* 2 EXISTS
* N RECENT
* OK [UNSEEN 1] first unseen
* OK [UIDVALIDITY V] UIDs are valid
* OK [UIDNEXT 3] predicted next UID
* OK [HIGHESTMODSEQ N] changes are numbered
* OK [MAILBOXID (F)] mailbox has this id
a OK [READ-WRITE] SELECT done
* OK [CLOSED] mailbox is closed
* FLAGS ($flags work)
* OK [PERMANENTFLAGS ()] flags that are kept
* 2 EXISTS
* N RECENT
* OK [UNSEEN 1] first unseen
* OK [UIDVALIDITY V] UIDs are valid
* OK [UIDNEXT 3] predicted next UID
* OK [HIGHESTMODSEQ N] changes are numbered
* OK [MAILBOXID (F)] mailbox has this id
b OK [READ-ONLY] EXAMINE done
c OK UNSELECT done
d NO [NONEXISTENT] no such mailbox
e BAD select a mailbox first
* STATUS INBOX (MESSAGES 2 RECENT 0 UIDNEXT 3 UIDVALIDITY V UNSEEN 2)
f OK STATUS done" "I-1 SELECT, EXAMINE, UNSELECT, STATUS; STATUS RECENT"

is "$(examine 'a FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)\r\nb UID FETCH 2:* FAST\r\n')" \
'* 1 FETCH (UID 1 FLAGS (\Flagged work) INTERNALDATE D RFC822.SIZE 502)
* 2 FETCH (UID 2 FLAGS () INTERNALDATE D RFC822.SIZE 26)
a OK FETCH done
* 2 FETCH (UID 2 FLAGS () INTERNALDATE D RFC822.SIZE 26)
b OK UID FETCH done' "I-1 FETCH of what the index has"
is "$(examine 'a FETCH 1 INTERNALDATE\r\n' 2>&1)" "* 1 FETCH (INTERNALDATE D)
a OK FETCH done" "INTERNALDATE"
is "$(printf 's EXAMINE INBOX\r\na FETCH 1 INTERNALDATE\r\n' | imap-serve -a alice | grep -a FETCH | head -1 | tr -d '\r')" \
    '* 1 FETCH (INTERNALDATE "20-Nov-2026 10:00:00 +0000")' "is that of APPEND"
joerg='(("=?utf-8?q?J=C3=B6rg_M=C3=BCller?=" NIL "joerg" "example.net"))'
is "$(examine 'a FETCH 1 ENVELOPE\r\nb FETCH 2 ALL\r\n')" \
"* 1 FETCH (ENVELOPE (\"Fri, 20 Nov 2026 00:30:00 +0100\" \"=?iso-8859-1?q?Gr=FC=DFe?= from here\" $joerg $joerg $joerg ((NIL NIL \"alice\" \"example.org\")(\"Bob B.\" NIL \"bob\" \"example.org\")) NIL NIL NIL \"<one@example.net>\"))
a OK FETCH done
* 2 FETCH (FLAGS () INTERNALDATE D RFC822.SIZE 26 ENVELOPE (NIL \"two\" NIL NIL NIL NIL NIL NIL NIL NIL))
b OK FETCH done" "I-1 ENVELOPE, ALL"
is "$(examine 'a FETCH 2 (BODY BODYSTRUCTURE)\r\nb FETCH 1 BODYSTRUCTURE\r\n' | tr '[:upper:]' '[:lower:]')" \
'* 2 fetch (body ("text" "plain" ("charset" "us-ascii") nil nil "7bit" 10 1) bodystructure ("text" "plain" ("charset" "us-ascii") nil nil "7bit" 10 1 nil nil nil nil))
a ok fetch done
* 1 fetch (bodystructure (("text" "plain" ("charset" "utf-8") nil nil "base64" 20 0 nil nil nil nil)("message" "rfc822" nil nil nil "7bit" 49 (nil "inner" ((nil nil "x" "example.net")) ((nil nil "x" "example.net")) ((nil nil "x" "example.net")) nil nil nil nil nil) ("text" "plain" ("charset" "us-ascii") nil nil "7bit" 10 0 nil nil nil nil) 3 nil nil nil nil) "mixed" ("boundary" "xx") nil nil nil))
b ok fetch done' "I-24 BODY and BODYSTRUCTURE with extension data"
is "$(examine 'a FETCH 1 (BODY[HEADER.FIELDS (Message-ID "to")] BODY[1] BODY[1.MIME] BODY[2] BODY[2.HEADER] BODY[2.TEXT] BODY[2.1] BODY[2.HEADER.FIELDS.NOT (From)] BODY[3] BODY[1.HEADER])\r\n')" \
'* 1 FETCH (BODY[HEADER.FIELDS (Message-ID to)] {84}
To: alice@example.org, "Bob B." <bob@example.org>
Message-ID: <one@example.net>

 BODY[1] {20}
SGVsbG8gV8O2cmxkIQo= BODY[1.MIME] {78}
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

 BODY[2] {49}
Subject: inner
From: x@example.net

inner body BODY[2.HEADER] {39}
Subject: inner
From: x@example.net

 BODY[2.TEXT] {10}
inner body BODY[2.1] {10}
inner body BODY[2.HEADER.FIELDS.NOT (From)] {18}
Subject: inner

 BODY[3] NIL BODY[1.HEADER] NIL)
a OK FETCH done' "I-24 FETCH of sections, nested ones too"
is "$(examine 'a FETCH 2 (RFC822 RFC822.HEADER RFC822.TEXT BODY[TEXT]<5.3> BODY[HEADER] BODY[]<26.5>)\r\n')" \
'* 2 FETCH (RFC822 {26}
Subject: two

body two
 RFC822.HEADER {16}
Subject: two

 RFC822.TEXT {10}
body two
 BODY[TEXT]<5> {3}
two BODY[HEADER] {16}
Subject: two

 BODY[]<26> {0}
)
a OK FETCH done' "I-24 RFC822 forms and partials"

# ---- SEARCH ----

n=0
while IFS='|' read -r keys want; do
	n=$((n + 1))
	got=$(printf 's EXAMINE INBOX\r\na SEARCH %s\r\n' "$keys" | imap-serve -a alice | tr -d '\r' | sed -n 's/^\* SEARCH *//p; s/^a \([NB].*\)/\1/p')
	is "$got" "$want" "I-1 SEARCH $keys"
done <<'E'
ALL|1 2
FLAGGED|1
UNFLAGGED|2
NOT FLAGGED|2
KEYWORD work|1
UNKEYWORD WORK|2
KEYWORD nowhere|
SEEN|
UNSEEN UNDELETED UNDRAFT UNANSWERED|1 2
OR FLAGGED KEYWORD nowhere|1
OLD|1 2
NEW|
RECENT|
2|2
1:*|1 2
*|2
UID 2:9|2
NOT 1|2
(1 FLAGGED)|1
OR (1 UNFLAGGED) (2 UNFLAGGED)|2
NOT (NOT (1))|1
SUBJECT two|2
SUBJECT "FROM HERE"|1
FROM joerg@EXAMPLE|1
TO "bob b"|1
CC x|
BCC x|
HEADER Message-ID one@|1
HEADER MIME-Version ""|1
HEADER X-None ""|
HEADER Subject ""|1 2
BODY "body two"|2
BODY subject|
TEXT subject|1 2
TEXT "inner body"|1
LARGER 100|1
SMALLER 100|2
LARGER 26|1
SMALLER 26|
ON 20-Nov-2026 FLAGGED|1
BEFORE 20-Nov-2026|
SINCE 20-Nov-2026 FLAGGED|1
BEFORE "21-Nov-2026" FLAGGED|1
SENTON 20-Nov-2026|1
SENTON 19-Nov-2026|
SENTBEFORE 21-Nov-2026|1
SENTSINCE 21-Nov-2026|
CHARSET US-ASCII TEXT two|2
CHARSET KOI8-R ALL|NO [BADCHARSET (US-ASCII UTF-8)] charset is not supported
3|
1:9|1 2
NOT 3:9|1 2
E
is "$(printf 's EXAMINE INBOX\r\na SEARCH CHARSET UTF-8 SUBJECT {7+}\r\nGR\303\234\303\237E BODY {6+}\r\nw\303\226rld FROM "j\303\226rg m"\r\nb UID SEARCH SUBJECT grUSSE\r\n' | imap-serve -a alice | tr -d '\r' | tail -4)" \
    "* SEARCH 1
a OK SEARCH done
* SEARCH
b OK UID SEARCH done" "I-1 SEARCH decodes headers and bodies and ignores case beyond ASCII"

# ---- changing ----

is "$(session 's SELECT INBOX\r\na STORE 1:2 +FLAGS (\\Seen foo)\r\nb STORE 2 -FLAGS.SILENT (foo)\r\nc UID STORE 2 FLAGS \\Deleted\r\nd STORE 1 FLAGS ()\r\ne STORE 1 +FLAGS (\\Bogus)\r\nf UID STORE 77 +FLAGS (\\Seen)\r\n' | sed '1,/^s OK/d')" \
"* FLAGS ($flags work foo)
* 1 FETCH (FLAGS (\\Seen \\Flagged work foo))
* 2 FETCH (FLAGS (\\Seen foo))
a OK STORE done
b OK STORE done
* 2 FETCH (UID 2 FLAGS (\\Deleted))
c OK UID STORE done
* 1 FETCH (FLAGS ())
d OK STORE done
e BAD unknown system flag
f OK UID STORE done" "I-1 STORE in its forms"
is "$(session 's SELECT INBOX\r\na COPY 1:2 Trash\r\nb UID COPY 2 "Archive"\r\nc COPY 1 Nope\r\nd UID COPY 99 Trash\r\ne UID MOVE 1 Archive\r\nf EXPUNGE\r\ng UID EXPUNGE 1:*\r\n' | sed '1,/^s OK/d')" \
'a OK [COPYUID V 1:2 1:2] COPY done
b OK [COPYUID V 2 1] UID COPY done
c NO [TRYCREATE] no such mailbox
d OK UID COPY done
* OK [COPYUID V 1 2] moved
* 1 EXPUNGE
e OK UID MOVE done
* 1 EXPUNGE
f OK EXPUNGE done
g OK UID EXPUNGE done' "I-2 COPY and MOVE with COPYUID, EXPUNGE"
is "$(session 's SELECT Trash\r\na STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\nb UID EXPUNGE 1\r\nc CLOSE\r\nd EXAMINE Trash\r\n' | grep -v '^\* [FO]')" \
'* 2 EXISTS
* N RECENT
s OK [READ-WRITE] SELECT done
a OK STORE done
* 1 EXPUNGE
b OK UID EXPUNGE done
c OK CLOSE done
* 0 EXISTS
* N RECENT
d OK [READ-ONLY] EXAMINE done' "I-2 UID EXPUNGE takes its own; CLOSE the rest in silence"
append_line a INBOX '' two.eml >in
printf 'b RENAME INBOX Old/Mail\r\nc STATUS INBOX (MESSAGES)\r\nd STATUS Old/Mail (MESSAGES)\r\ne RENAME Old New\r\nf LIST "" New*\r\ng RENAME Nope X\r\nh RENAME New Archive\r\n' >>in
is "$(imap-serve -a alice <in | imap_steady | sed 1d)" \
'a OK [APPENDUID V 3] APPEND done
b OK RENAME done
* STATUS INBOX (MESSAGES 0)
c OK STATUS done
* STATUS Old/Mail (MESSAGES 1)
d OK STATUS done
e OK RENAME done
* LIST (\HasChildren) "/" New
* LIST (\HasNoChildren) "/" New/Mail
f OK LIST done
g NO [NONEXISTENT] no such mailbox
h NO [ALREADYEXISTS] mailbox exists' "I-14 RENAME INBOX moves its messages; RENAME takes children along"

# ---- limits ----

printf 'b APPEND INBOX {30000}\r\nc NOOP\r\n' >in
is "$(imap-serve -a bob <in | imap_steady | sed 1d)" \
'b NO [OVERQUOTA] over quota
c OK NOOP done' "S-13 APPEND over quota is refused before it is sent"
{ printf 'a APPEND INBOX {1048576+}\r\n'; head -c 1048576 /dev/zero | tr '\0' x
printf '\r\nb APPEND INBOX {1048577}\r\nc NOOP\r\n'; } >in
is "$(imap-serve -a alice <in | imap_steady | sed 1d)" \
'a OK [APPENDUID V 4] APPEND done
b NO [TOOBIG] message over the size limit
c OK NOOP done' "I-13 APPEND literal up to the size limit, streamed"
{ printf 'a NOOP\r\nb NOOP '; head -c 20000 /dev/zero | tr '\0' x; printf '\r\nc NOOP\r\n'; } >in
is "$(imap-serve -a alice <in | imap_steady | sed 1d)" \
'a OK NOOP done
* BYE line over 16384 bytes' "I-13 a line over 16 KiB ends the connection"

# ---- examples of the pages ----

# example PAGE: its commands that begin with printf, as a person copies them
example() {
	sed -n 's/^\.Dl \(printf .*\)/\1/p' "$TOP/man/$1" |
	    sed 's/\\(dq/"/g; s/\\e/\\/g'
}
like "$(example imap-serve.8 | sh 2>&1)" '^a OK LIST done' "the example of imap-serve(8) works"
like "$(example imap-login.8 | sh 2>&1)" '^a OK CAPABILITY done' "that of imap-login(8)"
like "$(example pipemail-auth.5 | sh 2>&1)" '^FAIL.1.user=alice$' "that of pipemail-auth(5)"

# ---- two at a time, IDLE, other programs ----

python_tests "$TOP/tests/cmd/imap-serve.py"
done_testing
