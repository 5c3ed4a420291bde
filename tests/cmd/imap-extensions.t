#!/bin/sh
# imap-extensions.t - extensions that have no file of their own, each by its
# RFC and capability; the other imap-*.t have the rest, rows.t the list
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
printf '[account]\naddress = d@example.org\nimap-capabilities-off = SORT SORT=DISPLAY ESORT CONTEXT=SORT THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT\n' \
    >etc/accounts/dora.conf
config-compile || exit 111
message() { # ID SUBJECT REFERENCES
	printf 'Message-ID: <%s@x>\nSubject: %s\nDate: Fri, 0%s Nov 2026 12:00:00 +0000\n%s\nx\n' \
	    "$1" "$2" "$1" "${3:+References: $3
}" | store-deliver -a alice
}
message 1 plan
message 2 lunch
message 3 'Re: plan' '<1@x>'

is "$(session 'a CREATE {3+}\r\nOne\r\nb CREATE "Two"\r\nc STATUS {3+}\r\nOne (MESSAGES)\r\n')" \
'a OK [MAILBOXID (F)] CREATE done
b OK [MAILBOXID (F)] CREATE done
* STATUS One (MESSAGES 0)
c OK STATUS done' "I-2 RFC 7888 LITERAL+: a literal is not waited for"
is "$(session 'a STATUS {3}\r\nOne (MESSAGES)\r\n')" \
'+ go on
* STATUS One (MESSAGES 0)
a OK STATUS done' "I-1 RFC 3501 IMAP4rev1: one without + is"
is "$(session 'a ID NIL\r\nb ID ("name" "x" "version" NIL)\r\nc ID ()\r\nd ID ("name")\r\n' | sed 's/"version" "[0-9.]*"/V/')" \
'* ID ("name" "pipemail" V)
a OK ID done
* ID ("name" "pipemail" V)
b OK ID done
* ID ("name" "pipemail" V)
c OK ID done
d BAD syntax error' "I-2 RFC 2971 ID"
is "$(session 'a ENABLE CONDSTORE X-NONE\r\nb ENABLE CONDSTORE\r\nc ENABLE SORT\r\nd ENABLE\r\ne ENABLE UTF8=ACCEPT UIDONLY\r\n')" \
'* ENABLED CONDSTORE
a OK ENABLE done
* ENABLED
b OK ENABLE done
* ENABLED
c OK ENABLE done
d BAD missing argument
* ENABLED UIDONLY UTF8=ACCEPT
e OK ENABLE done' "I-2 RFC 5161 ENABLE: what it enabled, not what is unknown or not to be enabled"
is "$(session 'a IDLE\r\nDONE\r\nb NOOP\r\nc IDLE\r\nstop\r\n')" \
'+ idling
a OK IDLE done
b OK NOOP done
+ idling
c BAD expected DONE' "I-2 RFC 2177 IDLE: ends with DONE, and with nothing else"
{
	printf 's SELECT INBOX\r\n'
	printf 'x\n' >m
	append_line a One '' m
	printf 'b COPY 1:2 One\r\nc STORE 1:3 +FLAGS.SILENT (\\Deleted)\r\nd UID EXPUNGE 2,9\r\ne FETCH 1:* UID\r\nf STORE 1:2 -FLAGS.SILENT (\\Deleted)\r\n'
} | imap-serve -a alice | imap_steady | sed '1,/^s OK/d' >got
is "$(cat got)" \
'a OK [APPENDUID V 1] APPEND done
b OK [COPYUID V 1:2 2:3] COPY done
c OK STORE done
* 2 EXPUNGE
d OK UID EXPUNGE done
* 1 FETCH (UID 1)
* 2 FETCH (UID 3)
e OK FETCH done
f OK STORE done' "I-2 RFC 4315 UIDPLUS: APPENDUID, COPYUID, UID EXPUNGE of those alone"
is "$(selected One 'a STORE 1 +FLAGS.SILENT (\\Deleted)\r\nb UNSELECT\r\nc FETCH 1 UID\r\nd STATUS One (MESSAGES DELETED)\r\n')" \
'a OK STORE done
b OK UNSELECT done
c BAD select a mailbox first
* STATUS One (MESSAGES 3 DELETED 1)
d OK STATUS done' "I-2 RFC 3691 UNSELECT: closes and expunges nothing"
is "$(selected One 'a MOVE 1,3 Two\r\nb UID MOVE 77 Two\r\nc MOVE 1 None\r\nd STATUS One (MESSAGES)\r\ne STATUS Two (MESSAGES)\r\nf EXAMINE One\r\ng MOVE 1 Two\r\n' | grep -Ev '^\* (OK \[([UPHM]|CL)|FLAGS|N |1 EXISTS)')" \
'* OK [COPYUID V 1,3 1:2] moved
* 1 EXPUNGE
* 2 EXPUNGE
a OK MOVE done
b OK UID MOVE done
c NO [TRYCREATE] no such mailbox
* STATUS One (MESSAGES 1)
d OK STATUS done
* STATUS Two (MESSAGES 2)
e OK STATUS done
f OK [READ-ONLY] EXAMINE done
g NO [READ-ONLY] mailbox is selected read-only' "I-2 RFC 6851 MOVE: COPYUID first, then EXPUNGE"
is "$(session 'a CREATE One/Below\r\nb LIST "" One*\r\n')" \
'a OK [MAILBOXID (F)] CREATE done
* LIST (\HasChildren) "/" One
* LIST (\HasNoChildren) "/" One/Below
b OK LIST done' "I-3 RFC 3348 CHILDREN: each name says whether it has some"
is "$(selected INBOX 'a UID THREAD ORDEREDSUBJECT US-ASCII ALL\r\n')" \
'* THREAD (1 3)
a OK UID THREAD done' "I-23 RFC 5256 THREAD=ORDEREDSUBJECT"
is "$(selected INBOX 'a UID THREAD REFERENCES US-ASCII ALL\r\n')" \
'* THREAD (1 3)
a OK UID THREAD done' "I-23 RFC 5256 THREAD=REFERENCES"
message 4 lunch '<none@x>'
is "$(selected INBOX 'a THREAD REFS UTF-8 ALL\r\nb THREAD REFERENCES UTF-8 ALL\r\n')" \
'* THREAD (1 2)(3)
a OK THREAD done
* THREAD (1 2)(3)
b OK THREAD done' "I-23 THREAD=REFS: no thread by subject alone"
is "$(session 'a CAPABILITY\r\n' | grep -oE 'SORT|THREAD=[A-Z]+' | sort -u | tr '\n' ' ')" \
    "SORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS " "I-22 SORT and THREAD are there for clients, which the reference has not"
is "$(session 'a CAPABILITY\r\n' dora | grep -oE '[A-Z=]*(SORT|THREAD)[A-Z=]*')" "" "I-22 I-17 unless the account has them switched off"

# ---- S-24: line ends ----

printf 'Subject: ends\n\nlf\ncrlf\r\na\rcr\nlast' >mixed
printf 'Subject: ends\r\n\r\nlf\r\ncrlf\r\na\rcr\r\nlast' >whole
{
	printf 'a APPEND One {%d+}\r\n' "$(wc -c <mixed)"
	cat mixed
	printf '\r\n'
} | imap-serve -a alice >/dev/null
store-deliver -a alice -m One <mixed
cp mixed "$PIPEMAIL_VAR/accounts/alice/Maildir/.One/new/1.by.hand"
printf 's SELECT One\r\na FETCH 2:4 (RFC822.SIZE BODY.PEEK[])\r\n' | imap-serve -a alice >got
/usr/bin/python3 - <<'P' >sizes
import re
said, whole = open("got", "rb").read(), open("whole", "rb").read()
for size, n, at in [(int(m[1]), int(m[2]), m.end()) for m in re.finditer(
        rb"RFC822.SIZE (\d+) BODY\[\] \{(\d+)\}\r\n", said)]:
    print(size == n == len(whole), said[at:at + n] == whole)
P
is "$(cat sizes)" "True True
True True
True True" "S-24 a bare LF of what is appended, delivered or put there by hand is sent as CRLF, and counted so"
is "$(verifydata -a alice)" "" "verifydata is content"
done_testing
