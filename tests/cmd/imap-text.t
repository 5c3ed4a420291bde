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
grep '^\* SEARCH' with >with.found
is "$(grep -c '^a OK' with)" "$(wc -l <words)" "every search is answered"
is "$(sed -n "$(grep -n '^TEXT melon' words | cut -d: -f1)p" with.found | cut -c 1-15)" "* SEARCH 3 8 13" "RFC 9051 6.4.4: TEXT is in headers of parts, too"
is "$(sed -n "$(grep -n '^BODY melon' words | cut -d: -f1)p" with.found)" "* SEARCH" "and BODY in none"
is "$(sed -n '1p;3p;5p' with)" "* SEARCH 2 7 12 17 22 27 32 37 42 47
* SEARCH 12
* SEARCH" "I-1 words in decoded text parts; attachments are no text"
is "$(grep -c '^\* SEARCH [0-9]' with)" 20 "the other words"
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
# ---- store-index -t: progress, killed and gone on with, switched off ----

# more messages than a step, put there by another program
mkdir -p var/accounts/carl/Maildir/cur var/accounts/carl/Maildir/new var/accounts/carl/Maildir/tmp
i=0
while [ $i -lt 450 ]; do
	i=$((i + 1))
	printf 'Subject: old %d\n\nsome words\n' $i >"var/accounts/carl/Maildir/new/1700000000.M${i}.h"
done
printf '[account]\nsearch-index = no\n' >etc/accounts/carl.conf
config-compile
is "$(store-index -a carl >/dev/null; store-list -a carl | wc -l)" 450 "mail of another program, without filters"
is "$(store-index -t -a carl)" "" "store-index -t makes none for an account that wants none"
rm etc/accounts/carl.conf
config-compile
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null && [ -z "${SAN:-}" ]; then
	# the second word of progress is its last
	script -qec "strace -o /dev/null -e trace=write -e inject=write:signal=KILL:when=2 store-index -t -a carl" /dev/null >said 2>&1
	is "$(tr '\r' '\n' <said | grep -c '^200 of 450')" 1 "store-index -t shows on a terminal how far it is"
	is "$(store-index -t -a carl)" "texts	50" "killed, it goes on where it was"
else
	skip "killed, store-index -t goes on" "strace cannot be used"
	store-index -t -a carl >said
fi
is "$(store-index -t -a carl 2>err; cat err)" "texts	0" "then there is nothing to do, and no progress where there is no terminal"
exits 0 "verifydata is content" verifydata -a carl
printf '[account]\nsearch-index = no\n' >etc/accounts/alice.conf
config-compile
store-index -t -a alice
search >without
ok "the same answers as without filters" cmp with without
done_testing
