#!/bin/sh
# imap-search.t - SEARCH beyond RFC 3501: ESEARCH, SEARCHRES, WITHIN,
# PARTIAL, SAVEDATE, MODSEQ
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

i=0
while [ $i -lt 6 ]; do
	i=$((i + 1))
	printf 'Subject: m%d\n\ntext\n' $i >m
	append_line a INBOX "$([ $i = 2 ] || [ $i = 5 ] && echo '(\Flagged) ')" m
done >in
printf 'b STORE 1 +FLAGS (\\Deleted)\r\n' >>in
{ printf 's SELECT INBOX\r\n'; cat in; printf 'c EXPUNGE\r\n'; } >in2
imap-serve -a alice <in2 >/dev/null	# numbers 1:5 are UIDs 2:6

# table ROW: lines "command|replies with / between", in an examined INBOX
table() {
	while IFS='|' read -r command want; do
		got=$(printf 's EXAMINE INBOX\r\na %s\r\n' "$command" |
		    imap-serve -a alice | tr -d '\r' |
		    sed '1,/^s OK/d; s/MODSEQ [0-9]*/MODSEQ N/' | tr '\n' /)
		is "$got" "$want/" "$1 $command"
	done
}

# ---- RFC 4731 ESEARCH ----

table "I-3 RFC 4731 ESEARCH:" <<'E'
SEARCH RETURN (MIN) ALL|* ESEARCH (TAG "a") MIN 1/a OK SEARCH done
SEARCH RETURN (MAX) ALL|* ESEARCH (TAG "a") MAX 5/a OK SEARCH done
SEARCH RETURN (ALL) NOT FLAGGED|* ESEARCH (TAG "a") ALL 2:3,5/a OK SEARCH done
SEARCH RETURN () FLAGGED|* ESEARCH (TAG "a") ALL 1,4/a OK SEARCH done
SEARCH RETURN (COUNT) FLAGGED|* ESEARCH (TAG "a") COUNT 2/a OK SEARCH done
SEARCH RETURN (COUNT MAX MIN ALL) ALL|* ESEARCH (TAG "a") MIN 1 MAX 5 ALL 1:5 COUNT 5/a OK SEARCH done
UID SEARCH RETURN (MIN MAX ALL) FLAGGED|* ESEARCH (TAG "a") UID MIN 2 MAX 5 ALL 2,5/a OK UID SEARCH done
SEARCH RETURN (MIN MAX ALL COUNT) SEEN|* ESEARCH (TAG "a") COUNT 0/a OK SEARCH done
SEARCH RETURN (MIN) SEEN|* ESEARCH (TAG "a")/a OK SEARCH done
SEARCH RETURN () 1000|* ESEARCH (TAG "a")/a OK SEARCH done
UID SEARCH UID 7:4294967295|* SEARCH/a OK UID SEARCH done
SEARCH return (min) CHARSET utf-8 subject M5|* ESEARCH (TAG "a") MIN 4/a OK SEARCH done
E
is "$(printf 's EXAMINE INBOX\r\n%s SEARCH RETURN (MIN) ALL\r\n' 'a]&b' | imap-serve -a alice | tr -d '\r' | tail -2)" \
'* ESEARCH (TAG "a]&b") MIN 1
a]&b OK SEARCH done' "I-3 RFC 4731 ESEARCH: the tag is a string"

# ---- RFC 5182 SEARCHRES ----

is "$(selected INBOX 'a SEARCH RETURN (SAVE) FLAGGED\r\nb FETCH $ UID\r\nc UID FETCH $ FLAGS\r\nd SEARCH RETURN (COUNT) $\r\ne SEARCH UID $ NOT 1\r\nf SEARCH NOT $\r\ng SEARCH OR $ 2\r\n')" \
'a OK SEARCH done
* 1 FETCH (UID 2)
* 4 FETCH (UID 5)
b OK FETCH done
* 1 FETCH (UID 2 FLAGS (\Flagged))
* 4 FETCH (UID 5 FLAGS (\Flagged))
c OK UID FETCH done
* ESEARCH (TAG "d") COUNT 2
d OK SEARCH done
* SEARCH 4
e OK SEARCH done
* SEARCH 2 3 5
f OK SEARCH done
* SEARCH 1 2 4
g OK SEARCH done' "I-3 RFC 5182 SEARCHRES: SAVE, and \$ in FETCH and SEARCH"
is "$(selected INBOX 'a FETCH $ UID\r\nb SEARCH RETURN (SAVE MIN) ALL\r\nc FETCH $ UID\r\nd SEARCH RETURN (SAVE MIN MAX) ALL\r\ne FETCH $ UID\r\nf SEARCH RETURN (SAVE MAX COUNT) 2:3\r\ng FETCH $ UID\r\nh SEARCH RETURN (SAVE) SEEN\r\ni FETCH $ UID\r\n')" \
'a OK FETCH done
* ESEARCH (TAG "b") MIN 1
b OK SEARCH done
* 1 FETCH (UID 2)
c OK FETCH done
* ESEARCH (TAG "d") MIN 1 MAX 5
d OK SEARCH done
* 1 FETCH (UID 2)
* 5 FETCH (UID 6)
e OK FETCH done
* ESEARCH (TAG "f") MAX 3 COUNT 2
f OK SEARCH done
* 2 FETCH (UID 3)
* 3 FETCH (UID 4)
g OK FETCH done
h OK SEARCH done
i OK FETCH done' "I-3 RFC 5182 SEARCHRES: empty at first; MIN and MAX alone are kept alone"
is "$(selected INBOX 'a SEARCH RETURN (SAVE) ALL\r\nb SEARCH RETURN (SAVE) XYZ\r\nc SEARCH RETURN (COUNT) $\r\nd SEARCH RETURN (SAVE) CHARSET KOI8-R ALL\r\ne SEARCH RETURN (COUNT) $\r\nf SEARCH RETURN (SAVE) ALL\r\ng SELECT INBOX\r\nh SEARCH RETURN (COUNT) $\r\n' | grep -v '^\* [OFN0-9]')" \
'a OK SEARCH done
b BAD unknown search key
* ESEARCH (TAG "c") COUNT 5
c OK SEARCH done
d NO [BADCHARSET (US-ASCII UTF-8)] charset is not supported
* ESEARCH (TAG "e") COUNT 0
e OK SEARCH done
f OK SEARCH done
g OK [READ-WRITE] SELECT done
* ESEARCH (TAG "h") COUNT 0
h OK SEARCH done' "I-3 RFC 5182 SEARCHRES: BAD keeps it, NO and SELECT empty it"
is "$(selected INBOX 'a CREATE T\r\nb COPY 1:5 T\r\nc SELECT T\r\nd SEARCH RETURN (SAVE) 2:4\r\ne STORE 3 +FLAGS.SILENT (\\Deleted)\r\nf EXPUNGE\r\ng FETCH $ UID\r\nh STORE $ +FLAGS.SILENT (\\Seen)\r\ni MOVE $ INBOX\r\nj COPY $ INBOX\r\n' | sed '1,/^c OK/d')" \
'd OK SEARCH done
e OK STORE done
* 3 EXPUNGE
f OK EXPUNGE done
* 2 FETCH (UID 2)
* 3 FETCH (UID 4)
g OK FETCH done
h OK STORE done
* OK [COPYUID V 2,4 7:8] moved
* 2 EXPUNGE
* 2 EXPUNGE
i OK MOVE done
j OK COPY done' "I-3 RFC 5182 SEARCHRES: what is expunged leaves \$"
selected INBOX 'a STORE 6:7 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\n' >/dev/null

is "$(session '0 ENABLE UTF8=ACCEPT\r\ns EXAMINE INBOX\r\na SEARCH CHARSET UTF-8 SUBJECT m5\r\nb SEARCH SUBJECT m5\r\nc SORT (DATE) UTF-8 SUBJECT m5\r\n' | sed '1,/^s OK/d')" \
'a BAD no CHARSET with UTF8=ACCEPT
* SEARCH 4
b OK SEARCH done
* SORT 4
c OK SORT done' "I-5 RFC 6855 UTF8=ACCEPT: SEARCH with CHARSET is BAD (3)"

# ---- RFC 9394 PARTIAL ----

table "RFC 9394 PARTIAL:" <<'E'
SEARCH RETURN (PARTIAL 1:2) ALL|* ESEARCH (TAG "a") PARTIAL (1:2 1:2)/a OK SEARCH done
UID SEARCH RETURN (PARTIAL 2:3) NOT FLAGGED|* ESEARCH (TAG "a") UID PARTIAL (2:3 4,6)/a OK UID SEARCH done
SEARCH RETURN (PARTIAL -1:-2) ALL|* ESEARCH (TAG "a") PARTIAL (-1:-2 4:5)/a OK SEARCH done
SEARCH RETURN (PARTIAL -3:-2) ALL|* ESEARCH (TAG "a") PARTIAL (-3:-2 3:4)/a OK SEARCH done
SEARCH RETURN (PARTIAL 4:9 COUNT) ALL|* ESEARCH (TAG "a") COUNT 5 PARTIAL (4:9 4:5)/a OK SEARCH done
SEARCH RETURN (PARTIAL 5:5) ALL|* ESEARCH (TAG "a") PARTIAL (5:5 5)/a OK SEARCH done
SEARCH RETURN (PARTIAL 6:9) ALL|* ESEARCH (TAG "a") PARTIAL (6:9 NIL)/a OK SEARCH done
SEARCH RETURN (PARTIAL -6:-9) ALL|* ESEARCH (TAG "a") PARTIAL (-6:-9 NIL)/a OK SEARCH done
SEARCH RETURN (PARTIAL -4294967295:-1) 2|* ESEARCH (TAG "a") PARTIAL (-4294967295:-1 2)/a OK SEARCH done
SEARCH RETURN (PARTIAL 3:2) ALL|* ESEARCH (TAG "a") PARTIAL (2:3 2:3)/a OK SEARCH done
SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL|a BAD PARTIAL twice
SEARCH RETURN (PARTIAL 1:2 ALL) ALL|a BAD PARTIAL and ALL together
UID FETCH 1:* (UID) (PARTIAL 2:3)|* 2 FETCH (UID 3)/* 3 FETCH (UID 4)/a OK UID FETCH done
UID FETCH 1:* (UID) (PARTIAL -1:-2)|* 4 FETCH (UID 5)/* 5 FETCH (UID 6)/a OK UID FETCH done
UID FETCH 3:4 (UID) (PARTIAL -1:-1)|* 3 FETCH (UID 4)/a OK UID FETCH done
UID FETCH 1:* (UID) (PARTIAL 6:9)|a OK UID FETCH done
UID FETCH 1:* (UID) (PARTIAL -1:-1 CHANGEDSINCE 999999)|* OK [HIGHESTMODSEQ N] changes are numbered/a OK UID FETCH done
E
selected INBOX 'a STORE 4 +FLAGS.SILENT (x)\r\nb STORE 2 +FLAGS.SILENT (x)\r\nc FETCH 4 MODSEQ\r\n' >out
n=$(sed -n 's/^\* 4 FETCH (MODSEQ (\([0-9]*\)))$/\1/p' out)
is "$(examine "a UID FETCH 1:* (UID) (PARTIAL 1:3 CHANGEDSINCE $((n - 1)))\\r\\nb UID FETCH 1:* (UID) (CHANGEDSINCE $((n - 1)) PARTIAL -1:-3)\\r\\nc UID FETCH 1:* (UID) (PARTIAL 1:1 CHANGEDSINCE $((n - 1)))\\r\\n" | sed 's/(MODSEQ ([0-9]*) /(/; /^\* OK/d')" \
'* 2 FETCH (UID 3)
a OK UID FETCH done
* 4 FETCH (UID 5)
b OK UID FETCH done
c OK UID FETCH done' "RFC 9394 PARTIAL: a window of the set, and of it what changed since (3.4)"
is "$(selected INBOX 'a SEARCH RETURN (SAVE PARTIAL 2:3) ALL\r\nb FETCH $ UID\r\nc SEARCH RETURN (SAVE PARTIAL -1:-1 MIN) ALL\r\nd FETCH $ UID\r\ne SEARCH RETURN (SAVE PARTIAL 2:2 COUNT) 1:3\r\nf FETCH $ UID\r\n')" \
'* ESEARCH (TAG "a") PARTIAL (2:3 2:3)
a OK SEARCH done
* 2 FETCH (UID 3)
* 3 FETCH (UID 4)
b OK FETCH done
* ESEARCH (TAG "c") MIN 1 PARTIAL (-1:-1 5)
c OK SEARCH done
* 1 FETCH (UID 2)
* 5 FETCH (UID 6)
d OK FETCH done
* ESEARCH (TAG "e") COUNT 3 PARTIAL (2:2 2)
e OK SEARCH done
* 1 FETCH (UID 2)
* 2 FETCH (UID 3)
* 3 FETCH (UID 4)
f OK FETCH done' "RFC 9394 PARTIAL: SAVE keeps the window, with MIN its message, with COUNT all (3.2)"

# ---- RFC 7162 3.1.5 MODSEQ ----

table "I-4 SEARCH MODSEQ:" <<'E'
SEARCH MODSEQ 1 FLAGGED|* OK [HIGHESTMODSEQ N] changes are numbered/* SEARCH 1 4 (MODSEQ N)/a OK SEARCH done
SEARCH MODSEQ "/flags/\\draft" all 1 2|* OK [HIGHESTMODSEQ N] changes are numbered/* SEARCH 2 (MODSEQ N)/a OK SEARCH done
SEARCH OR MODSEQ 999999 1|* OK [HIGHESTMODSEQ N] changes are numbered/* SEARCH 1 (MODSEQ N)/a OK SEARCH done
SEARCH MODSEQ 999999|* OK [HIGHESTMODSEQ N] changes are numbered/* SEARCH/a OK SEARCH done
UID SEARCH RETURN (ALL) MODSEQ 1 FLAGGED|* OK [HIGHESTMODSEQ N] changes are numbered/* ESEARCH (TAG "a") UID ALL 2,5 MODSEQ N/a OK UID SEARCH done
E
selected INBOX 'b SEARCH RETURN (MIN) MODSEQ 1\r\nc SEARCH RETURN (MIN MAX) MODSEQ 1\r\nd SEARCH RETURN (COUNT) MODSEQ 1\r\ne FETCH 1:* MODSEQ\r\n' >out
m() { sed -n "s/^\* $1 FETCH (MODSEQ (\([0-9]*\)))$/\1/p" out; }
is "$(sed -n 's/^\* ESEARCH.* MODSEQ //p' out | tr '\n' ' ')" \
    "$(m 1) $(m 5) $(m 2) " "I-4 SEARCH MODSEQ: the greatest of what is answered"

# ---- RFC 5032 WITHIN ----

now=$(date +%s)
printf 'Subject: old\n\nx\n' >m
append_line a W "\"$(date -u -d "@$((now - 5000))" '+%d-%b-%Y %H:%M:%S +0000')\" " m >in
append_line b W "\"$(date -u -d "@$((now - 100))" '+%d-%b-%Y %H:%M:%S +0000')\" " m >>in
{ printf 'c CREATE W\r\n'; cat in; } | imap-serve -a alice >/dev/null
is "$(selected W 'a SEARCH YOUNGER 4000\r\nb SEARCH OLDER 4000\r\nc SEARCH YOUNGER 9000\r\nd SEARCH OLDER 9000\r\ne SEARCH NOT YOUNGER 4000 OLDER 100\r\n' | grep SEARCH)" \
'* SEARCH 2
a OK SEARCH done
* SEARCH 1
b OK SEARCH done
* SEARCH 1 2
c OK SEARCH done
* SEARCH
d OK SEARCH done
* SEARCH 1
e OK SEARCH done' "I-3 RFC 5032 WITHIN: OLDER and YOUNGER"

# ---- RFC 8514 SAVEDATE ----

today=$(date -u +%d-%b-%Y)
append_line a D '"20-Nov-2020 10:00:00 +0000" ' m >in
{ printf 'c CREATE D\r\n'; cat in; } | imap-serve -a alice >/dev/null
is "$(selected D 'a SEARCH SAVEDBEFORE 21-Nov-2020\r\nb SEARCH SAVEDSINCE 21-Nov-2020\r\nc SEARCH BEFORE 21-Nov-2020\r\nd SEARCH SAVEDATESUPPORTED\r\ne SEARCH SAVEDON 20-Nov-2020\r\n' | grep '^\*')" \
'* SEARCH
* SEARCH 1
* SEARCH 1
* SEARCH 1
* SEARCH' "I-5 RFC 8514 SAVEDATE: SAVEDBEFORE, SAVEDON, SAVEDSINCE go by the save date"
is "$(selected D "a SEARCH OR SAVEDON $today SAVEDSINCE $today\\r\\n" | head -1)" \
    "* SEARCH 1" "I-5 RFC 8514 SAVEDATE: today"
done_testing
