#!/bin/sh
# imap-filters.t - FILTERS: named searches (RFC 5466; I-23)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

for subject in one two three four; do
	printf 'Subject: %s\nFrom: %s@example.org\n\ntext\n' $subject $subject >m
	append_line a INBOX '' m
done >in
{ cat in; printf 's SELECT INBOX\r\nb STORE 1:2 +FLAGS.SILENT (\\Seen)\r\nc STORE 2:3 +FLAGS.SILENT (\\Flagged)\r\n'; } |
    imap-serve -a alice >/dev/null

# filters NAME VALUE ...: private ones; values in which " is \"
filters() {
	while [ $# -gt 1 ]; do
		printf 'f SETMETADATA "" (/private/filters/values/%s "%s")\r\n' "$1" "$2"
		shift 2
	done | imap-serve -a alice | tr -d '\r' | grep '^f' | grep -v ' OK ' 
	true
}

is "$(filters seen SEEN flagged flagged both 'FILTER seen FILTER flagged' \
    either 'OR FILTER seen FILTER flagged' from 'OR SMALLER 5 FROM \"two@example.org\"')" \
    '' "I-23 FILTERS (RFC 5466): stored by SETMETADATA"
while IFS='|' read -r search want; do
	is "$(examine "a $search\\r\\n" | head -1)" "$want" \
	    "I-23 FILTERS (RFC 5466): $search"
done <<-'END'
	SEARCH FILTER seen|* SEARCH 1 2
	UID SEARCH filter SEEN|* SEARCH 1 2
	SEARCH UID 2:3 FILTER seen|* SEARCH 2
	SEARCH FILTER seen FLAGGED|* SEARCH 2
	SEARCH FILTER both|* SEARCH 2
	SEARCH FILTER either|* SEARCH 1 2 3
	SEARCH NOT FILTER seen|* SEARCH 3 4
	SEARCH NOT FILTER both|* SEARCH 3
	SEARCH NOT (FILTER both)|* SEARCH 1 3 4
	SEARCH OR FILTER both ALL|* SEARCH 1 2 3
	SEARCH (FILTER from)|* SEARCH 2
	SEARCH CHARSET UTF-8 FILTER from|* SEARCH 2
	SEARCH CHARSET us-ascii FILTER from|* SEARCH 2
	SEARCH RETURN (COUNT) FILTER either|* ESEARCH (TAG "a") COUNT 3
	SORT (REVERSE SUBJECT) UTF-8 FILTER seen|* SORT 2 1
	THREAD ORDEREDSUBJECT UTF-8 FILTER seen|* THREAD (1)(2)
	ESEARCH IN (personal) RETURN (COUNT) FILTER flagged|* ESEARCH (TAG "a" MAILBOX INBOX UIDVALIDITY V) UID COUNT 2
	SEARCH CHARSET latin1 FILTER seen|a BAD [BADCHARSET (US-ASCII UTF-8)] FILTER is in UTF-8
	SEARCH CHARSET latin1 NOT (SEEN FILTER seen)|a BAD [BADCHARSET (US-ASCII UTF-8)] FILTER is in UTF-8
	SEARCH CHARSET latin1 SEEN|a NO [BADCHARSET (US-ASCII UTF-8)] charset is not supported
	SEARCH CHARSET latin1 SUBJECT FILTER|a NO [BADCHARSET (US-ASCII UTF-8)] charset is not supported
	SEARCH FILTER nope|a NO [UNDEFINED-FILTER nope] no such filter, or it is no search
	SEARCH OR SEEN FILTER nope|a NO [UNDEFINED-FILTER nope] no such filter, or it is no search
	SEARCH FILTER|a BAD missing argument
	SEARCH FILTER a/b|a BAD no filter has this name
	SEARCH FILTER (a)|a BAD expected an atom
	SEARCH FILTER seen SEEN SEEN)|a BAD too many arguments
END
is "$(session '0 NOOP\r\na SETMETADATA "" (/private/filters/values/x "OR SMALLER")\r\nb SETMETADATA "" (/shared/filters/values/x "NOPE")\r\nc SETMETADATA "" (/private/filters/values/x "")\r\nd SETMETADATA "" (/private/filters/values/x "SEEN)")\r\ne SETMETADATA INBOX (/private/filters/values/x "NOPE")\r\nf SETMETADATA "" (/private/filters/descriptions/x "NOPE" /private/filters/values/a/b "NOPE")\r\ng SETMETADATA "" (/private/filters/values/later "FILTER not-yet")\r\nh GETMETADATA "" /private/filters/values/later\r\n')" \
'0 OK NOOP done
a NO the filter is no search
b NO the filter is no search
c NO the filter is no search
d NO the filter is no search
e OK SETMETADATA done
f OK SETMETADATA done
g OK SETMETADATA done
* METADATA "" (/private/filters/values/later "FILTER not-yet")
h OK GETMETADATA done' "I-23 FILTERS (RFC 5466): what is stored is a whole search"
is "$(examine 'a SEARCH FILTER later\r\nb SETMETADATA "" (/shared/filters/values/not-yet "FLAGGED")\r\nc SEARCH FILTER later\r\nd SETMETADATA "" (/private/filters/values/not-yet "UNSEEN")\r\ne SEARCH FILTER later\r\nf SETMETADATA "" (/private/filters/values/not-yet NIL)\r\ng SEARCH FILTER later\r\nh SETMETADATA "" (/shared/filters/values/not-yet NIL)\r\ni SEARCH FILTER later\r\n')" \
'a NO [UNDEFINED-FILTER not-yet] no such filter, or it is no search
b OK SETMETADATA done
* SEARCH 2 3
c OK SEARCH done
d OK SETMETADATA done
* SEARCH 3 4
e OK SEARCH done
f OK SETMETADATA done
* SEARCH 2 3
g OK SEARCH done
h OK SETMETADATA done
i NO [UNDEFINED-FILTER not-yet] no such filter, or it is no search' \
    "I-23 FILTERS (RFC 5466): private before shared; NIL deletes"

# ---- in each other ----

filters self 'FILTER self' ping 'SEEN FILTER pong' pong 'OR FILTER ping SEEN'
is "$(examine 'a SEARCH FILTER self\r\nb SEARCH FILTER ping\r\n')" \
'a NO [UNDEFINED-FILTER self] no such filter, or it is no search
b NO [UNDEFINED-FILTER ping] no such filter, or it is no search' \
    "I-23 FILTERS (RFC 5466): loops are refused"
set -- d1 SEEN
for i in 2 3 4 5 6 7 8 9 10 11; do
	set -- "$@" d$i "FILTER d$((i - 1))"
done
filters "$@"
is "$(examine 'a SEARCH FILTER d10\r\nb SEARCH FILTER d11\r\n')" \
'* SEARCH 1 2
a OK SEARCH done
b NO [UNDEFINED-FILTER d1] no such filter, or it is no search' \
    "I-23 FILTERS: 10 in each other, and one more"

# Each of eight takes the one before it eight times: 8^8 keys
set -- w0 SEEN
for i in 1 2 3 4 5 6 7 8; do
	f="FILTER w$((i - 1))"
	set -- "$@" w$i "$f $f $f $f $f $f $f $f"
done
filters "$@"
is "$(timeout 20 sh -c '. "$TOP/tests/cmd/imap.sh"; examine "a SEARCH FILTER w2\r\nb SEARCH FILTER w8\r\nc NOOP\r\n"')" \
'* SEARCH 1 2
a OK SEARCH done
b NO [UNDEFINED-FILTER w4] no such filter, or it is no search
c OK NOOP done' "I-23 FILTERS: a filter of more than 1000 keys is none"

# Eleven times 95267 bytes, 12, and what is behind each: 1048576
{ printf 'f SETMETADATA "" (/private/filters/values/b {95267+}\r\nSUBJECT "%s")\r\n' \
      "$(head -c 95257 /dev/zero | tr '\0' a)"
  printf 'f SETMETADATA "" (/private/filters/values/last "SUBJECT aaaa" /private/filters/values/more "SUBJECT aaaaa")\r\n'
} | imap-serve -a alice >/dev/null
f='FILTER b FILTER b FILTER b FILTER b FILTER b FILTER b FILTER b FILTER b FILTER b FILTER b FILTER b'
is "$(examine "a SEARCH $f FILTER last\r\nb SEARCH $f FILTER more\r\n")" \
'* SEARCH
a OK SEARCH done
b NO [LIMIT] filters are too long' \
    "I-23 FILTERS: 1 MB of filters in one search and one byte more"

# ---- with others ----

is "$(examine 'a SEARCH RETURN (SAVE) ALL\r\nb SEARCH RETURN (SAVE) FILTER nope\r\nc SEARCH $\r\nd SEARCH RETURN (UPDATE COUNT) FILTER flagged\r\ne SEARCH RETURN (SAVE) FILTER flagged\r\nf SEARCH $\r\n')" \
'a OK SEARCH done
b NO [UNDEFINED-FILTER nope] no such filter, or it is no search
* SEARCH
c OK SEARCH done
* ESEARCH (TAG "d") COUNT 2
d OK SEARCH done
e OK SEARCH done
* SEARCH 2 3
f OK SEARCH done' "I-23 FILTERS with SEARCHRES and CONTEXT"
filters numbers 1:2
is "$(session 'e ENABLE UIDONLY\r\ns EXAMINE INBOX\r\na UID SEARCH FILTER seen\r\nb UID SEARCH FILTER numbers\r\n' | sed '1,/^s OK/d')" \
'* SEARCH 1 2
a OK UID SEARCH done
b BAD [UIDREQUIRED] no message numbers with UIDONLY' \
    "I-23 FILTERS with UIDONLY"
is "$(store-search -a alice -m INBOX filter flagged 2>&1)" '2
3' \
    "I-23 store-search knows filters"
done_testing
