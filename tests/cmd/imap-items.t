#!/bin/sh
# imap-items.t - facts of messages and mailboxes: STATUS=SIZE (RFC 8438),
# SAVEDATE (8514), PREVIEW (8970), OBJECTID (8474)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

printf 'Subject: one\n\nHello  there,\n\nw\303\266rld\n' >one.eml
printf 'Subject: two\n\n' >two.eml
{
	append_line a INBOX '"20-Nov-2020 10:00:00 +0000" ' one.eml
	append_line b INBOX '(\Deleted) ' two.eml
} | imap-serve -a alice >/dev/null

# ---- RFC 8438 ----

size=$(($(sed 's/$/\r/' one.eml | wc -c) + $(sed 's/$/\r/' two.eml | wc -c)))
is "$(session 'a STATUS INBOX (SIZE)\r\nb STATUS Trash (SIZE MESSAGES)\r\nc STATUS INBOX (DELETED UNSEEN)\r\n')" \
"* STATUS INBOX (SIZE $size)
a OK STATUS done
* STATUS Trash (MESSAGES 0 SIZE 0)
b OK STATUS done
* STATUS INBOX (UNSEEN 2 DELETED 1)
c OK STATUS done" "I-3 RFC 8438 STATUS=SIZE: the sum of RFC822.SIZE; DELETED"

# ---- RFC 8514 ----

before=$(date -u -d '-1 minute' +%s)
saved=$(examine 'a FETCH 1 SAVEDATE\r\n' |
    sed -n 's/^\* 1 FETCH (SAVEDATE "\(.*\)")$/\1/p')
at=$(date -u -d "$(echo "$saved" | tr - ' ' | sed 's/ \(+0000\|0000\)$//') UTC" +%s)
ok "I-5 RFC 8514 SAVEDATE: when it was put here, not INTERNALDATE" \
    test "$at" -gt "$before"
is "$(examine 'a UID FETCH 1 (SAVEDATE FLAGS)\r\n' | sed 's/SAVEDATE "[^"]*"/SAVEDATE D/')" \
'* 1 FETCH (UID 1 SAVEDATE D FLAGS ())
a OK UID FETCH done' "I-5 RFC 8514 SAVEDATE: among other items"

# ---- RFC 8970 ----

is "$(examine 'a FETCH 1:2 (PREVIEW)\r\nb FETCH 2 PREVIEW (LAZY)\r\nc FETCH 2 (PREVIEW (LAZY) UID)\r\n')" \
'* 1 FETCH (PREVIEW {19}
Hello there, wörld)
* 2 FETCH (PREVIEW "")
a OK FETCH done
* 2 FETCH (PREVIEW "")
b OK FETCH done
* 2 FETCH (PREVIEW "" UID 2)
c OK FETCH done' "I-5 S-25 RFC 8970 PREVIEW, with and without LAZY; empty when there is none"

# ---- RFC 8474 ----

raw() {
	printf "$1" | imap-serve -a alice | tr -d '\r' | sed 1d
}
id=$(raw 'a STATUS INBOX (MAILBOXID)\r\n' | sed -n 's/^\* STATUS INBOX (MAILBOXID (\(F[0-9a-f]*\)))$/\1/p')
like "$id" '^F[0-9a-f]+$' "I-23 RFC 8474 OBJECTID: STATUS MAILBOXID"
like "$(raw 'a SELECT INBOX\r\n')" "^\* OK \[MAILBOXID \($id\)\]" "I-23 RFC 8474 OBJECTID: SELECT tells it"
made=$(raw 'a CREATE N\r\n' | sed -n 's/^a OK \[MAILBOXID (\(F[0-9a-f]*\))\] CREATE done$/\1/p')
like "$made" '^F[0-9a-f]+$' "I-23 RFC 8474 OBJECTID: CREATE tells it"
is "$(raw 'a RENAME N M\r\nb STATUS M (MAILBOXID)\r\n' | sed -n 2p)" \
    "* STATUS M (MAILBOXID ($made))" "I-23 RFC 8474 OBJECTID: RENAME keeps it"
raw 'a DELETE M\r\nb CREATE M\r\n' >out
ok "I-23 RFC 8474 OBJECTID: a new mailbox of the same name has another" \
    test "$(grep -c "($made)" out)" = 0
email() {
	raw "s EXAMINE $1\\r\\na FETCH $2 EMAILID\\r\\n" |
	    sed -n "s/^\* $2 FETCH (EMAILID (\(M[0-9a-f]*\)))$/\1/p"
}
one=$(email INBOX 1)
like "$one" '^M[0-9a-f]{32}$' "I-23 RFC 8474 OBJECTID: EMAILID"
ok "I-23 RFC 8474 OBJECTID: another message, another id" \
    test "$(email INBOX 2)" != "$one"
raw 's SELECT INBOX\r\na COPY 2 M\r\nb COPY 1 M\r\nc MOVE 1 Trash\r\n' >/dev/null
is "$(email M 2) $(email Trash 1)" "$one $one" "I-23 RFC 8474 OBJECTID: COPY and MOVE keep it"
is "$(session "s EXAMINE M\\r\\na SEARCH EMAILID $one\\r\\nb SEARCH EMAILID M00\\r\\nc SEARCH THREADID T1\\r\\n" | sed '1,/^s OK/d')" \
'* SEARCH 2
a OK SEARCH done
* SEARCH
b OK SEARCH done
* SEARCH
c OK SEARCH done' "I-23 RFC 8474 OBJECTID: SEARCH EMAILID; THREADID of no thread"
printf 'Subject: talk\nMessage-ID: <t1@x>\n\n' >t1.eml
printf 'Subject: Re: talk\nMessage-ID: <t2@x>\nReferences: <t1@x>\n\n' >t2.eml
raw 'a CREATE Talk\r\n' >/dev/null
{
	append_line a Talk '' t1.eml
	append_line b Talk '' t2.eml
	append_line c Talk '' one.eml
} | imap-serve -a alice >/dev/null
threads() {
	raw 's EXAMINE Talk\r\na FETCH 1:3 THREADID\r\n' |
	    sed -n 's/^\* [123] FETCH (THREADID (\(T[0-9a-f]*\)))$/\1/p'
}
thread=$(threads | head -1)
like "$thread" '^T[0-9a-f]{16}$' "I-23 S-14 RFC 8474 OBJECTID: THREADID"
is "$(threads | uniq -c | tr -d ' ' | cut -c 1,2 | tr '\n' ' ')" "2T 1T " \
    "I-23 S-14 RFC 8474 OBJECTID: one for a message and its answer, another for others"
is "$(raw "s EXAMINE Talk\\r\\na SEARCH THREADID $thread\\r\\n" | grep SEARCH | head -1)" \
    "* SEARCH 1 2" "I-23 S-14 RFC 8474 OBJECTID: SEARCH THREADID"
raw 'a DELETE Talk\r\n' >/dev/null
rm -r var/accounts/alice/index
is "$(email M 2) $(raw 'b STATUS INBOX (MAILBOXID)\r\n' | head -1)" \
    "$one * STATUS INBOX (MAILBOXID ($id))" "I-23 RFC 8474 OBJECTID: both survive the loss of the index"

# ---- sections of a message that is a message (RFC 9051 6.4.5.1) ----

printf 'Subject: outer\nContent-Type: message/rfc822\n\nSubject: inner\n\nhello\n' >m
{ printf 'a CREATE R\r\n'; append_line b R '' m; append_line c R '' one.eml; } |
    imap-serve -a alice >/dev/null
is "$(session 's EXAMINE R\r\na FETCH 1 (BODY[1.HEADER] BODY[1.TEXT] BODY[1.MIME] BODY[1.1])\r\nb FETCH 2 (BODY[1.HEADER] BODY[1.TEXT])\r\n' | sed '1,/^s OK/d')" \
'* 1 FETCH (BODY[1.HEADER] {18}
Subject: inner

 BODY[1.TEXT] {7}
hello
 BODY[1.MIME] {48}
Subject: outer
Content-Type: message/rfc822

 BODY[1.1] {7}
hello
)
a OK FETCH done
* 2 FETCH (BODY[1.HEADER] NIL BODY[1.TEXT] NIL)
b OK FETCH done' "I-24 sections of a message/rfc822 that is all of a message"
done_testing
