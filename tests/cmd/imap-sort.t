#!/bin/sh
# imap-sort.t - SORT, THREAD, ESORT, CONTEXT, MULTISEARCH and store-search
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

# message N FROM TO CC SUBJECT DATE REFERENCES
message() {
	printf 'Message-ID: <%s@x>\nFrom: %s\nTo: %s\nCc: %s\nSubject: %s\nDate: Fri, %s Nov 2026 12:00:00 +0000\n%s\nbody %s\n' \
	    "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$1" | store-deliver -a alice
}
message 1 'Zoe <b@x>' 'm <q@x>' 'k@x' 'pear' 05 ''
message 2 'c@x' '=?utf-8?q?=C3=84rmel?= <z@x>' 'j@x' 'Re: pear' 06 'References: <1@x>
'
message 3 'alf <d@x>' 'a@x' 'i@x' '_apple' 04 ''
message 4 'Alf <a@x>' 'group: g@x, h@x;' 'h@x' 'Fwd: PEAR' 07 'References: <1@x> <2@x>
'
message 5 '=?utf-8?q?B=C3=B6b?= <e@x>' '' '' '[list] apple' 03 'In-Reply-To: <lost@x>
'
store-flag -a alice +flagged 2 4

# table ROW: lines "command|replies with / between"
table() {
	while IFS='|' read -r command want; do
		got=$(printf 's EXAMINE INBOX\r\na %s\r\n' "$command" |
		    imap-serve -a alice | tr -d '\r' |
		    sed '1,/^s OK/d; s/UIDVALIDITY [0-9]*/UIDVALIDITY V/;
		    s/MODSEQ [0-9]*/MODSEQ N/' | tr '\n' /)
		is "$got" "$want/" "$1 $command"
	done
}
table "I-23 RFC 5256 SORT:" <<'E'
SORT (DATE) US-ASCII ALL|* SORT 5 3 1 2 4/a OK SORT done
SORT (REVERSE DATE) US-ASCII FLAGGED|* SORT 4 2/a OK SORT done
SORT (FROM) US-ASCII ALL|* SORT 4 1 2 3 5/a OK SORT done
SORT (CC) US-ASCII ALL|* SORT 5 4 3 2 1/a OK SORT done
SORT (TO) US-ASCII ALL|* SORT 5 3 4 1 2/a OK SORT done
SORT (SUBJECT) US-ASCII ALL|* SORT 5 1 2 4 3/a OK SORT done
SORT (SUBJECT REVERSE DATE) US-ASCII ALL|* SORT 5 4 2 1 3/a OK SORT done
UID SORT (REVERSE SUBJECT) US-ASCII UID 1:3|* SORT 3 1 2/a OK UID SORT done
SORT (SIZE REVERSE ARRIVAL) US-ASCII SEEN|* SORT/a OK SORT done
SORT (DATE) ISO-8859-7 ALL|a NO [BADCHARSET (US-ASCII UTF-8)] charset is not supported
SORT (COLOUR) US-ASCII ALL|a BAD unknown sort key
SORT () US-ASCII ALL|a BAD unknown sort key
E
# texts of all lengths with much in common, more than are sorted by comparing,
# against the same order made otherwise
cat >many.py <<'P'
import random, sys
random.seed(5)
parts = ["pear", "pear tree", "a much longer subject that goes on", "p", "9"]
out = []
for i in range(700):
    s = " ".join(random.choice(parts) for _ in range(random.choice([0, 1, 2, 6])))
    out.append((s.upper().encode(), random.randrange(3)))
    m = b"From: f%d@x\nSubject: %s\n\nx\n" % (out[-1][1], s.encode())
    sys.stdout.buffer.write(b"%d APPEND Many {%d+}\r\n%s\r\n" % (i, len(m), m))
n = range(700)
with open("want", "w") as f:
    for key in (lambda i: (out[i][0], i),
            lambda i: (bytes(255 - c for c in out[i][0]) + b"\xff" * 300, i),
            lambda i: (out[i][1], out[i][0], i)):
        f.write("* SORT " + " ".join(str(i + 1) for i in sorted(n, key=key)) + "\n")
P
{
	printf 'm CREATE Many\r\n'
	/usr/bin/python3 many.py
	printf 's EXAMINE Many\r\na SORT (SUBJECT) UTF-8 ALL\r\nb SORT (REVERSE SUBJECT) UTF-8 ALL\r\nc SORT (FROM SUBJECT) UTF-8 ALL\r\n'
} | imap-serve -a alice | tr -d '\r' | grep '^. SORT' >got
is "$(wc -w <want) $(cmp want got)" "2106 " "I-23 SORT of many with texts of all lengths"
printf '\n' >m
{
	append_line a Archive '"05-Nov-2026 12:00:00 +0000" ' m
	append_line b Archive '"03-Nov-2026 12:00:00 +0000" ' m
	append_line c Archive '"04-Nov-2026 12:00:00 +0000" ' m
	printf 's SELECT Archive\r\nd SORT (ARRIVAL) UTF-8 ALL\r\ne SORT (REVERSE ARRIVAL) UTF-8 ALL\r\nf SORT (REVERSE DATE) UTF-8 ALL\r\n'
} | imap-serve -a alice | tr -d '\r' | grep '^. SORT' >got
is "$(cat got)" "* SORT 2 3 1
* SORT 1 3 2
* SORT 1 3 2" "I-23 RFC 5256 SORT by arrival; it stands in for a Date that is not there"
table "I-23 RFC 5957 SORT=DISPLAY:" <<'E'
SORT (DISPLAYFROM) US-ASCII ALL|* SORT 3 4 5 2 1/a OK SORT done
SORT (REVERSE DISPLAYTO) US-ASCII ALL|* SORT 1 4 2 3 5/a OK SORT done
E
keys=$(i=0; while [ $i -lt 17 ]; do printf 'SIZE '; i=$((i + 1)); done)
table "I-13 a limit:" <<E
SORT (${keys}DATE) US-ASCII UID 1|* SORT 1/a OK SORT done
SORT (${keys}SIZE DATE) US-ASCII UID 1|a BAD too many sort keys
E
table "I-23 RFC 5267 ESORT, CONTEXT=SORT:" <<'E'
SORT RETURN (MIN MAX COUNT) (DATE) US-ASCII ALL|* ESEARCH (TAG "a") MIN 5 MAX 4 COUNT 5/a OK SORT done
SORT RETURN () (DATE) US-ASCII ALL|* ESEARCH (TAG "a") ALL 5,3,1:2,4/a OK SORT done
UID SORT RETURN (PARTIAL 2:3) (DATE) US-ASCII ALL|* ESEARCH (TAG "a") UID PARTIAL (2:3 3,1)/a OK UID SORT done
SORT RETURN (CONTEXT PARTIAL 9:8) (DATE) US-ASCII ALL|* ESEARCH (TAG "a") PARTIAL (8:9 NIL)/a OK SORT done
E
table "I-23 RFC 5256 THREAD:" <<'E'
THREAD ORDEREDSUBJECT US-ASCII ALL|* THREAD (5)(3)(1 (2)(4))/a OK THREAD done
THREAD REFERENCES US-ASCII ALL|* THREAD (5)(3)(1 2 4)/a OK THREAD done
THREAD REFERENCES UTF-8 NOT 2|* THREAD (5)(3)(1 4)/a OK THREAD done
UID THREAD REFS US-ASCII NOT 1|* THREAD (5)(3)(2 4)/a OK UID THREAD done
THREAD REFERENCES US-ASCII SEEN|* THREAD/a OK THREAD done
THREAD GUESSING US-ASCII ALL|a BAD unknown threading algorithm
E

# thread SUBJECT DAY FIELDS: into the mailbox Threads
thread() {
	printf 'Subject: %s\nDate: Fri, %s Nov 2026 12:00:00 +0000\n%b\nx\n' \
	    "$1" "$2" "$3" | store-deliver -a alice -m Threads
}
thread plum 09 'Message-ID: <c@y>\nReferences: <a@y> <gone@y>\n'
thread plum 02 'Message-ID: <b@y>\nReferences: <a@y>\n'
thread plum 01 'Message-ID: <a@y>\n'
thread fig 05 'References: <nowhere@y>\n'
thread fig 04 'References: <nowhere@y>\n'
thread 'Re: kiwi' 07 ''
thread kiwi 08 ''
thread lime 10 ''
thread lime 11 ''
thread loop 12 'Message-ID: <l1@y>\nReferences: <l2@y>\n'
thread loop 13 'Message-ID: <l2@y>\nReferences: <l1@y>\n'
printf 's EXAMINE Threads\r\na THREAD REFERENCES UTF-8 ALL\r\nb THREAD REFS UTF-8 ALL\r\n' |
    imap-serve -a alice | tr -d '\r' | grep '^\* THREAD' >got
is "$(cat got)" "* THREAD (3 (2)(1))((5)(4))(7 6)((8)(9))(11 10)
* THREAD ((5)(4))(6)(7)(3 (2)(1))(8)(9)(11 10)" \
    "I-23 RFC 5256 THREAD: order, parents that are missing, subjects, loops"

# ---- RFC 5267 CONTEXT: what changes ----

is "$(selected INBOX 'c SEARCH RETURN (UPDATE COUNT) FLAGGED\r\nd STORE 1,5 +FLAGS.SILENT (\\Flagged)\r\ne STORE 2 -FLAGS.SILENT (\\Flagged)\r\nf CANCELUPDATE "c"\r\ng STORE 2 +FLAGS.SILENT (\\Flagged)\r\nh CANCELUPDATE "c"\r\n')" \
'* ESEARCH (TAG "c") COUNT 2
c OK SEARCH done
* ESEARCH (TAG "c") ADDTO (0 1,5)
d OK STORE done
* ESEARCH (TAG "c") REMOVEFROM (0 2)
e OK STORE done
f OK CANCELUPDATE done
g OK STORE done
h BAD no such search' "I-23 RFC 5267 CONTEXT=SEARCH: UPDATE, ADDTO, REMOVEFROM, CANCELUPDATE"
store-flag -a alice -- -flagged 1 5
is "$(selected INBOX 'c UID SORT RETURN (UPDATE ALL) (DATE) US-ASCII FLAGGED\r\nd STORE 3 +FLAGS.SILENT (\\Flagged)\r\ne STORE 2,5 +FLAGS.SILENT (\\Flagged)\r\nf STORE 2,4 -FLAGS.SILENT (\\Flagged)\r\n')" \
'* ESEARCH (TAG "c") UID ALL 2,4
c OK UID SORT done
* ESEARCH (TAG "c") UID ADDTO (1 3)
d OK STORE done
* ESEARCH (TAG "c") UID ADDTO (1 5)
e OK STORE done
* ESEARCH (TAG "c") UID REMOVEFROM (3 2,4)
f OK STORE done' "I-23 RFC 5267 CONTEXT=SORT: positions"
store-flag -a alice -- -flagged 1:5
store-flag -a alice +flagged 2 4
is "$(selected INBOX 'c SEARCH RETURN (UPDATE COUNT) FLAGGED\r\nc UID SORT RETURN (UPDATE) (DATE) US-ASCII ALL\r\nc SEARCH RETURN (COUNT) ALL\r\nd SEARCH RETURN (UPDATE COUNT) 1:* NOT SEEN\r\ne SEARCH RETURN (UPDATE COUNT) UID 1:* NOT SEEN\r\n' >got; cat got)" \
'* ESEARCH (TAG "c") COUNT 2
c OK SEARCH done
c BAD a search with this tag is kept up to date
* ESEARCH (TAG "c") COUNT 5
c OK SEARCH done
* ESEARCH (TAG "d") COUNT 5
d OK SEARCH done
* ESEARCH (TAG "e") COUNT 5
e OK SEARCH done' "I-23 RFC 5267 CONTEXT=SEARCH: a tag in use is BAD (4.3)"
{
	printf 's SELECT Archive\r\nd SEARCH RETURN (UPDATE COUNT) 1:*\r\ne UID SEARCH RETURN (UPDATE COUNT) UID 1:*\r\n'
	append_line f Archive '' m
	printf 'g STORE 4 +FLAGS.SILENT (\\Deleted)\r\nh EXPUNGE\r\n'
} | imap-serve -a alice | imap_steady | sed '1,/^s OK/d' >got
is "$(grep -v APPENDUID got)" '* ESEARCH (TAG "d") COUNT 3
d OK SEARCH done
* ESEARCH (TAG "e") UID COUNT 3
e OK UID SEARCH done
* 4 EXISTS
* ESEARCH (TAG "e") UID ADDTO (0 4)
* N RECENT
g OK STORE done
* ESEARCH (TAG "e") UID REMOVEFROM (0 4)
* 4 EXPUNGE
h OK EXPUNGE done' "I-23 RFC 5267 CONTEXT=SEARCH: numbers are those of the command, UIDs grow; ADDTO after EXISTS, REMOVEFROM before EXPUNGE"
i=0; updates=
while [ $i -lt 17 ]; do
	i=$((i + 1)); updates="${updates}u$i SEARCH RETURN (UPDATE COUNT) SEEN\r\n"
done
selected INBOX "$updates" >got
is "$(grep -c '^\* ESEARCH' got) $(grep NOUPDATE got)" \
    '17 * NO [NOUPDATE "u17"] changes will not be told' "I-13 I-23 sixteen searches are kept up to date"

# ---- RFC 7377 ----

store-mailbox -c -a alice Work/Sales
store-copy -a alice Work/Sales 1 3
is "$(session 'a ESEARCH IN (personal) RETURN (COUNT ALL) SUBJECT apple\r\nb ESEARCH IN (subtree Work) ALL\r\nc ESEARCH IN (subtree-one (Work nowhere) mailboxes INBOX) RETURN (MIN) FLAGGED\r\nd ESEARCH ALL\r\ne ESEARCH IN (mailboxes INBOX) RETURN (SAVE) ALL\r\nf ESEARCH IN (mailboxes INBOX) 1:2\r\ng ESEARCH IN (mailboxes (INBOX Work/Sales)) OR 4:9 (SUBJECT apple *)\r\nh ESEARCH IN (mailboxes INBOX) RETURN (UPDATE) ALL\r\n' | sed 's/UIDVALIDITY [0-9V]*/UIDVALIDITY V/')" \
'* ESEARCH (TAG "a" MAILBOX INBOX UIDVALIDITY V) UID ALL 3,5 COUNT 2
* ESEARCH (TAG "a" MAILBOX Work/Sales UIDVALIDITY V) UID ALL 2 COUNT 1
a OK ESEARCH done
* ESEARCH (TAG "b" MAILBOX Work/Sales UIDVALIDITY V) UID ALL 1:2
b OK ESEARCH done
* ESEARCH (TAG "c" MAILBOX INBOX UIDVALIDITY V) UID MIN 2
c OK ESEARCH done
d BAD no mailbox is selected
e BAD not for several mailboxes
* ESEARCH (TAG "f" MAILBOX INBOX UIDVALIDITY V) UID ALL 1:2
f OK ESEARCH done
* ESEARCH (TAG "g" MAILBOX INBOX UIDVALIDITY V) UID ALL 4:5
* ESEARCH (TAG "g" MAILBOX Work/Sales UIDVALIDITY V) UID ALL 2
g OK ESEARCH done
h BAD not for several mailboxes' "I-3 RFC 7377 MULTISEARCH"
store-mailbox -u -a alice Work/Sales
is "$(session 'a ESEARCH IN (inboxes) RETURN (COUNT) SUBJECT apple\r\nb ESEARCH IN (subscribed) RETURN (COUNT) SUBJECT apple\r\nc ESEARCH IN (mailboxes inbox) RETURN (MIN) UID 4:*\r\nd ESEARCH IN (everywhere) ALL\r\n' | sed 's/UIDVALIDITY [0-9V]*/UIDVALIDITY V/')" \
'* ESEARCH (TAG "a" MAILBOX INBOX UIDVALIDITY V) UID COUNT 2
* ESEARCH (TAG "a" MAILBOX Work/Sales UIDVALIDITY V) UID COUNT 1
a OK ESEARCH done
* ESEARCH (TAG "b" MAILBOX INBOX UIDVALIDITY V) UID COUNT 2
b OK ESEARCH done
* ESEARCH (TAG "c" MAILBOX INBOX UIDVALIDITY V) UID MIN 4
c OK ESEARCH done
d BAD unknown source of mailboxes' "I-3 RFC 7377 MULTISEARCH: inboxes (all mail may be delivered to), subscribed mailboxes"
is "$(selected INBOX 'a ESEARCH RETURN (SAVE COUNT) 2:3\r\nb FETCH $ UID\r\n' | sed 's/UIDVALIDITY [0-9V]*/UIDVALIDITY V/')" \
'* ESEARCH (TAG "a" MAILBOX INBOX UIDVALIDITY V) UID COUNT 2
a OK ESEARCH done
* 2 FETCH (UID 2)
* 3 FETCH (UID 3)
b OK FETCH done' "I-3 RFC 7377 MULTISEARCH of the selected mailbox"

is "$(selected INBOX 'a ESEARCH RETURN (UPDATE COUNT) FLAGGED\r\nb STORE 2 -FLAGS.SILENT (\\Flagged)\r\nc STORE 2 +FLAGS.SILENT (\\Flagged)\r\nd ESEARCH IN (selected) RETURN (UPDATE COUNT) SEEN\r\ne STORE 1 +FLAGS.SILENT (\\Seen)\r\nf STORE 1 -FLAGS.SILENT (\\Seen)\r\na ESEARCH RETURN (UPDATE) ALL\r\n' | sed 's/UIDVALIDITY [0-9V]*/UIDVALIDITY V/')" \
'* ESEARCH (TAG "a" MAILBOX INBOX UIDVALIDITY V) UID COUNT 2
a OK ESEARCH done
* ESEARCH (TAG "a" MAILBOX INBOX UIDVALIDITY V) UID REMOVEFROM (0 2)
b OK STORE done
* ESEARCH (TAG "a" MAILBOX INBOX UIDVALIDITY V) UID ADDTO (0 2)
c OK STORE done
d OK ESEARCH done
* ESEARCH (TAG "d" MAILBOX INBOX UIDVALIDITY V) UID ADDTO (0 1)
e OK STORE done
* ESEARCH (TAG "d" MAILBOX INBOX UIDVALIDITY V) UID REMOVEFROM (0 1)
f OK STORE done
a BAD a search with this tag is kept up to date' "I-3 RFC 7377 MULTISEARCH with UPDATE: of the selected mailbox (2.2)"

# ---- store-search ----

is "$(store-search -a alice subject pear)" "1
2
4" "I-3 store-search: UIDs, one per line"
is "$(store-search -j -a alice -m Work/Sales not flagged)" "[1,2]" "store-search -j"
store-search -a alice seen >got
is "$? $(cat got)" "1 " "nothing found is exit 1"
is "$(store-search -a alice 'from "alf <d" or uid 3:* all')" 3 "keys in one argument"
is "$(store-search -a alice uid '9:*')" 5 "* is the last UID"
store-search -a alice 1:3 2>err
is "$?" 100 "message numbers are refused"
store-search -a alice '$' 2>err
is "$? $(cat err)" "1 " '"$" holds nothing here'
store-search -a alice colour blue 2>err
is "$? $(cat err)" "100 store-search: fatal: cannot understand search: unknown search key" "what is no key is named"
store-search -a alice subject pear | store-flag -a alice +found -
is "$(store-search -j -a alice keyword found)" "[1,2,4]" "it composes with store-flag"

# ---- from the index ----

if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null && [ -z "${SAN:-}" ]; then
	printf 's EXAMINE INBOX\r\na SORT (ARRIVAL CC DATE FROM SIZE SUBJECT TO DISPLAYFROM DISPLAYTO) UTF-8 ALL\r\nb THREAD REFERENCES UTF-8 ALL\r\nc THREAD REFS UTF-8 ALL\r\nd THREAD ORDEREDSUBJECT UTF-8 ALL\r\ne SEARCH SUBJECT pear FROM b SENTSINCE 1-Nov-2026\r\n' >in
	strace -f -o trace -e trace=openat imap-serve -a alice <in >said 2>&1
	is "$(grep -c '^[a-e] OK' said) $(grep -c ',U=' trace)" "5 0" "I-23 SORT, THREAD and SEARCH of cached fields open no message"
else
	skip "files that are read" "strace cannot be used"
fi
done_testing
