#!/bin/sh
# imap-messagelimit.t - MESSAGELIMIT (RFC 9738; I-23); the commands have
# tests/lib/imap_limit_test.c
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup "$(printf '[imap]\nmessage-limit = 1000')"

is "$(session 'a CAPABILITY\r\n' | grep -o ' MESSAGELIMIT=.*')" \
    ' MESSAGELIMIT=1000' "I-23 MESSAGELIMIT (RFC 9738): as it is configured"
printf 'Subject: m\n\nx\n' >m
{ append_line a INBOX '' m
  printf 'c CREATE To\r\ns SELECT INBOX\r\n'
  for i in 1 2 3 4 5 6 7 8 9; do printf 'c COPY 1:* INBOX\r\n'; done
  printf 'd COPY 1:488 INBOX\r\n'
} | imap-serve -a alice >/dev/null
# limited COMMANDS: tagged replies with INBOX selected
limited() {
	session "s SELECT INBOX\\r\\n$1" | sed '1,/^s OK/d' | grep '^[a-z]'
}
is "$(session 's SELECT INBOX\r\nb FETCH 1:* UID\r\nc UID SEARCH ALL\r\n' |
    sed '1,/^s OK/d' | awk '/FETCH \(/ { n++ } /^\* SEARCH/ { print NF - 2 } /^[a-z]/ { print } END { print n }')" \
'b OK FETCH done
1000
c OK UID SEARCH done
1000' "I-23 MESSAGELIMIT: 1000 messages are answered all"
printf 'd COPY 1 INBOX\r\n' | { printf 's SELECT INBOX\r\n'; cat; } |
    imap-serve -a alice >/dev/null
is "$(session 's SELECT INBOX\r\nb FETCH 1:* UID\r\nc UID SEARCH ALL\r\n' |
    sed '1,/^s OK/d' | awk '/FETCH \(/ { n++ } /^\* SEARCH/ { print NF - 2, $3 } /^[a-z]/ { print } END { print n }')" \
'b OK [MESSAGELIMIT 1000 2] FETCH done
1000 2
c OK [MESSAGELIMIT 1000 2] UID SEARCH done
1000' "I-23 MESSAGELIMIT: of 1001 messages all but the first"
is "$(limited 'a COPY 1:* To\r\nb UID COPY 2:* To\r\nc STORE 1:* +FLAGS.SILENT (\\Seen)\r\nd STATUS To (MESSAGES)\r\ne UID SEARCH UNSEEN UIDBEFORE 100\r\n' |
    sed 's/COPYUID [^]]*/COPYUID/')" \
'a NO [MESSAGELIMIT 1000 2] too many messages to copy at once
b OK [COPYUID] UID COPY done
c OK [MESSAGELIMIT 1000 2] STORE done
d OK STATUS done
e OK UID SEARCH done' "I-23 MESSAGELIMIT: COPY is refused, STORE is not whole"
for n in 1000 1001; do
	{ printf 'a APPEND To'
	  for i in $(seq $n); do printf ' {1+}\r\nx'; done
	  printf '\r\nb STATUS To (MESSAGES)\r\n'
	} | imap-serve -a alice | tr -d '\r' |
	    sed -e 1d -e 's/APPENDUID [^]]*/APPENDUID/'
done >out
is "$(cat out)" \
'a OK [APPENDUID] APPEND done
* STATUS To (MESSAGES 2000)
b OK STATUS done
a NO [MESSAGELIMIT 1000] more than 1000 messages and parts
* STATUS To (MESSAGES 2000)
b OK STATUS done' "I-23 MESSAGELIMIT: APPEND of 1000 messages, and of one more"
is "$(verifydata -a alice >v.out 2>&1; echo $?)" 0 "I-23 verifydata is content"
done_testing
