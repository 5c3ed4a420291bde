#!/bin/sh
# imap-text.t - SEARCH of texts by the filters of the store: the same answers
# as without them, and only files read that may hold the word
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

i=0
while [ $i -lt 50 ]; do
	i=$((i + 1))
	case $((i % 5)) in
	0) printf 'Subject: number %d\nX-Mark: apple%d\n\nnothing much\n' $i $i ;;
	1) printf 'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= %d\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nM=FCnchen word%d\n' $i $i ;;
	2) printf 'Subject: base\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n%s\n' "$(printf 'Encoded Pineapple %d text' $i | base64)" ;;
	3) printf 'Subject: parts\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nfirst pear\n--x\nContent-Type: application/pdf\n\nattached kiwi\n--x\nContent-Type: message/rfc822\n\nSubject: inner melon\n\ninner text %d\n--x--\n' $i ;;
	4) printf 'From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\nX-Beside:=?utf-8?q?c=C3=B6lon?=\n\n\n' ;;
	esac | store-deliver -a alice
done
cat >words <<'E'
BODY pineapple
BODY "PINEAPPLE 12 t"
BODY kiwi
BODY pear
BODY melon
BODY "inner text 3"
BODY "münchen"
BODY word11
BODY el
BODY "xt"
BODY ""
TEXT "grüße"
TEXT "GRÜSSE 1"
TEXT melon
TEXT "x-mark: apple"
TEXT "jörg"
TEXT "cölon"
TEXT nowhere
HEADER X-Mark apple3
HEADER X-Mark ""
HEADER X-Beside "cöl"
HEADER X-Mark nothing
NOT BODY pineapple
OR BODY pear HEADER X-Mark apple5
SUBJECT number BODY much
E
cat >search.py <<'P'
# strings as literals, which may hold any byte
import re, sys
out = sys.stdout.buffer
out.write(b"s SELECT INBOX\r\n")
for line in sys.stdin.buffer:
    line = re.sub(rb'"([^"]*)"', lambda m: b"{%d+}\r\n%s" % (len(m[1]), m[1]), line.rstrip())
    out.write(b"a SEARCH CHARSET UTF-8 " + line + b"\r\n")
P
search() {
	/usr/bin/python3 search.py <words | imap-serve -a alice | tr -d '\r' | grep -E '^(\* SEARCH|a )'
}
search >with
is "$(grep -c '^a OK' with)" "$(wc -l <words)" "every search is answered"
is "$(sed -n '1p;3p;5p' with)" "* SEARCH 2 7 12 17 22 27 32 37 42 47
* SEARCH 12
* SEARCH" "I-1 words in decoded text parts; attachments are no text"
is "$(grep -c '^\* SEARCH [0-9]' with)" 19 "the other words"
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null && [ -z "${SAN:-}" ]; then
	opened() {
		printf 's SELECT INBOX\r\na SEARCH %s\r\n' "$1" >in
		strace -f -o trace -e trace=openat imap-serve -a alice <in >/dev/null 2>&1
		grep -c ',U=' trace
	}
	is "$(opened 'BODY pineapple')" 10 "BODY reads the messages that hold the word"
	is "$(opened 'TEXT nowhere')" 0 "and none where no message does"
	is "$(opened 'HEADER X-Mark apple40')" 1 "other header fields likewise"
	is "$(opened 'BODY el')" 50 "a word of two letters is looked for in all"
else
	skip "files that are read" "strace cannot be used"
fi
printf '[account]\nsearch-index = no\n' >etc/accounts/alice.conf
config-compile
store-index -t -a alice
search >without
ok "the same answers as without filters" cmp with without
done_testing
