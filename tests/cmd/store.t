#!/bin/sh
# store.t - store-deliver store-list store-show store-flag store-expunge
# store-mailbox: bytes, columns, exit codes, and the pages' examples
. "$(dirname "$0")/../tap.sh"

PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC
mkdir -p var/accounts/alice run etc/accounts etc/domains
ALICE=$TMP/var/accounts/alice
printf 'From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\nTo: a@example.org\nSubject: =?utf-8?b?w6TDtg==?=\n\tfolded\nMessage-ID: <1@example.org>\n\nhello\nthere\n' >m1
printf 'Subject: crlf\r\n\r\nbody\r\n' >m2

# ---- deliver ----
is "$(store-deliver -v -a alice <m1 | sed 's,new/.*\(U=\),new/\1,')" "INBOX	1	Maildir/new/U=1" "store-deliver -v prints mailbox, UID and path"
ok "the file has the message's bytes" cmp "$ALICE"/Maildir/new/*,U=1 m1
like "$(ls "$ALICE/Maildir/new")" "^[0-9]+\.M[0-9]+P[0-9]+Q[0-9]+\.[^,]+,S=$(wc -c <m1),W=$(($(wc -c <m1) + $(wc -l <m1))),U=1\$" "the file name has S=, W= and U="
store-deliver -a alice <m2
is "$(od -c "$ALICE"/Maildir/new/*,U=2 | grep -c '\\r')" 0 "CRLF becomes LF"
SENDER=s@example.org RECIPIENT=alice@example.org store-deliver -a alice <m1
is "$(store-show -a alice 3 | head -3)" "$(printf 'Delivered-To: alice@example.org\nReturn-Path: <s@example.org>\n'; head -1 m1)" "R-35 Delivered-To and Return-Path stand in front"
SENDER='' store-deliver -a alice <m1
is "$(store-show -a alice 4 | head -1)" "Return-Path: <>" "an empty SENDER is the null path"
store-show -a alice 3 | sed 1,2d | cmp - m1
is $? 0 "the rest is as it was"
store-deliver -a alice -m Work/Sub -f 'seen,$junk,Blue' <m1
is "$(store-list -a alice -m Work/Sub | cut -f 1-3)" 'Work/Sub	1	\Seen,$Junk,blue' "S-8 flags and keywords are given, keywords in lower case"
: | store-deliver -a alice -m Empty
is "$(store-list -a alice -m Empty | cut -f 2,4)" "1	0" "an empty message is a message"
exits 100 "no such account exits 100" store-deliver -a nobody <m1
is "$(cat .err)" "store-deliver: fatal: cannot open account nobody: no such account" "and says so"
exits 100 "a bad account name exits 100" store-deliver -a ../alice <m1
exits 100 "a bad mailbox name exits 100" store-deliver -a alice -m a//b <m1
exits 100 "a bad keyword exits 100" store-deliver -a alice -f 'a(b' <m1
exits 100 "no account is a usage error" store-deliver <m1
exits 100 "operands are a usage error" store-deliver -a alice m1 <m1
exits 111 "a message that cannot be read exits 111" store-deliver -a alice </
is "$(find "$ALICE/Maildir/tmp" -type f | wc -l)" 0 "nothing is left in tmp/"

# ---- with a configuration: quota, names, size limit ----
printf '[server]\nhostname = mx.example.org\nsize-limit = 65536\n' >etc/main.conf
: >etc/domains/example.org.conf
printf '[account]\nquota = 2000\n[mailboxes]\nsent = Gesendet\n' >etc/accounts/bob.conf
printf '[account]\n[mailboxes]\njunk = Spam\nmore = Lists\nmore = Work/Bills\n' >etc/accounts/dora.conf
printf '[account]\n' >etc/accounts/emil.conf
ok "configuration compiles" config-compile
exits 0 "a configured account is made" store-deliver -a bob <m1
is "$(store-mailbox -a bob | awk -F '\t' '$10 == "\\Sent" { print $1 }')" "Gesendet" "N-5 S-4 special-use mailboxes have the configured names"
names() { store-mailbox -a "$1" | cut -f 1,9,10 | tr '\t\n' ' ;'; }
store-deliver -a emil <m1
is "$(names emil)" 'Archive subscribed \Archive;Drafts subscribed \Drafts;INBOX subscribed -;Junk subscribed \Junk;Sent subscribed \Sent;Trash subscribed \Trash;' "D-14 a new account has a mailbox for each special use"
store-deliver -a dora <m1
is "$(names dora)" 'Archive subscribed \Archive;Drafts subscribed \Drafts;INBOX subscribed -;Lists subscribed -;Sent subscribed \Sent;Spam subscribed \Junk;Trash subscribed \Trash;Work subscribed -;Work/Bills subscribed -;' "D-14 by the names of its configuration, and regular ones"
store-mailbox -d -a dora Lists
is "$(names dora | grep -c Lists)" 0 "D-14 what was removed is not made again"
head -c 1500 /dev/zero | tr '\0' 'x' >big
exits 0 "S-13 below the quota" store-deliver -a bob <big
exits 111 "S-13 over the quota exits 111" store-deliver -a bob <big
is "$(store-list -a bob | wc -l)" 2 "and nothing was added"
head -c 65536 /dev/zero | tr '\0' 'x' >limit
exits 0 "a message of the size limit is taken" store-deliver -a alice -m Big <limit
echo x >>limit
exits 100 "one byte more is not" store-deliver -a alice -m Big <limit

# ---- list ----
is "$(store-list -a alice -m INBOX | head -1 | cut -f 1-4,6,7)" "INBOX	1		$(wc -c <m1)	Jörg <j@example.org>	äö folded" "store-list columns, encoded words decoded"
like "$(store-list -a alice -m INBOX | head -1 | cut -f 5)" '^20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$' "the date is ISO 8601"
ok "the path is the file" cmp "$(store-list -a alice -m INBOX | head -1 | cut -f 8)" m1
is "$(store-list -0 -a alice | tr -dc '\0' | wc -c)" "$(store-list -a alice | wc -l)" "-0 ends records with NUL"
store-list -j -a alice >json
is "$(/usr/bin/python3 -c '
import json
for line in open("json"):
    m = json.loads(line)
    if m["mailbox"] == "Work/Sub": print(m["uid"], m["flags"], m["subject"], m["preview"])')" "1 ['\\\\Seen', '\$Junk', 'blue'] äö folded hello there" "-j prints JSON"
exits 100 "no such mailbox exits 100" store-list -a alice -m None
printf 'Subject: a\001b\\c\n\n' | store-deliver -a alice -m Odd
is "$(store-list -a alice -m Odd | cut -f 7)" 'a\x01b\\c' "control characters are escaped"
mv "$ALICE/Maildir/new" "$ALICE/Maildir/aside"; mkdir "$ALICE/Maildir/new"
rmdir "$ALICE/Maildir/new"; mv "$ALICE/Maildir/aside" "$ALICE/Maildir/new"
is "$(store-list -a alice -m INBOX | wc -l)" 4 "a directory that was away and is back has the same messages"
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null && [ -z "${SAN:-}" ]; then
	strace -f -o trace -e trace=openat store-list -a alice >/dev/null 2>&1
	is "$(grep -c ',U=' trace)" 0 "store-list opens no message file"
else
	skip "store-list opens no message file" "strace cannot be used"
fi

# ---- show ----
ok "store-show prints the bytes" sh -c 'store-show -a alice 1 | cmp - m1'
is "$(store-show -p -a alice '2:*' 1 99 | wc -l)" 4 "ranges, * and numbers that are not there"
exits 1 "none of them there exits 1" store-show -a alice 99
exits 100 "not a UID exits 100" store-show -a alice 1x
exits 100 "UID 0 exits 100" store-show -a alice 0

# ---- flag ----
store-flag -a alice +seen,work 1:2
is "$(store-list -a alice -m INBOX | cut -f 2,3 | head -2)" "$(printf '1\t\\Seen,work\n2\t\\Seen,work')" "S-7 store-flag + adds"
store-flag -a alice -- -seen 1
is "$(store-list -a alice -m INBOX | head -1 | cut -f 3)" "work" "- takes away"
store-flag -a alice =flagged,draft 1
is "$(store-list -a alice -m INBOX | head -1 | cut -f 3)" '\Flagged,\Draft' "= replaces"
ok "the file is in cur/ with its letters" ls "$ALICE"/Maildir/cur/*,U=1:2,DF
exits 1 "no such UID exits 1" store-flag -a alice +seen 77
exits 100 "flags without + - = exit 100" store-flag -a alice seen 1
i=0; list=; while [ $i -lt 99 ]; do i=$((i + 1)); list="$list,k$i"; done
exits 0 "99 keywords at once" store-flag -a alice "+${list#,}" 1

# ---- expunge ----
store-flag -a alice +deleted 1:3
exits 0 "store-expunge with UIDs" store-expunge -a alice 1 4
is "$(store-list -a alice -m INBOX | cut -f 2 | tr '\n' ' ')" "2 3 4 " "removes only what is deleted among them"
exits 0 "store-expunge" store-expunge -a alice
is "$(store-list -a alice -m INBOX | cut -f 2 | tr '\n' ' ')" "4 " "removes what is deleted"
exits 1 "nothing to remove exits 1" store-expunge -a alice
exits 0 "-f removes whatever the flags" store-expunge -f -a alice 4
exits 100 "-f without UIDs is a usage error" store-expunge -f -a alice
is "$(ls "$ALICE/expunged")" "" "no session: the files are gone"

# ---- mailboxes ----
is "$(store-mailbox -a bob | cut -f 1,9,10 | tr '\n' ';')" 'Archive	subscribed	\Archive;Drafts	subscribed	\Drafts;Gesendet	subscribed	\Sent;INBOX	subscribed	-;Junk	subscribed	\Junk;Trash	subscribed	\Trash;' "store-mailbox lists"
exits 0 "-c makes" store-mailbox -c -a bob Ä/b.c
ok "S-11 folder names are modified UTF-7" test -d "$PIPEMAIL_VAR/accounts/bob/Maildir/.&AMQ-.b&AC4-c/cur"
exits 100 "-c of what is there exits 100" store-mailbox -c -a bob Ä
exits 100 "-d with children exits 100" store-mailbox -d -a bob Ä
exits 0 "-r renames children too" store-mailbox -r -a bob Ä New/Top
is "$(store-mailbox -a bob | cut -f 1 | grep New | tr '\n' ';')" "New;New/Top;New/Top/b.c;" "as a whole"
exits 0 "-u unsubscribes" store-mailbox -u -a bob New
is "$(store-mailbox -j -a bob | grep '"New"' | grep -c '"subscribed":false')" 1 "and -j shows it"
exits 0 "-S gives a special use" store-mailbox -S '\archive' -a bob New
is "$(store-mailbox -a bob | awk -F '\t' '$10 == "\\Archive" { print $1 }')" "New" "and takes it off the other"
exits 100 "an unknown use exits 100" store-mailbox -S '\nope' -a bob New
exits 100 "INBOX cannot be removed" store-mailbox -d -a bob inbox
for name in '' / a/ /a a//b . .. a/../b "$(printf 'a\tb')" "$(printf 'a\377')"; do
	store-mailbox -c -a bob "$name" 2>>err || echo 100
done >codes
is "$(sort codes | uniq -c | tr -s ' ')" " 10 100" "S-11 names that are no names are refused"

# ---- the account's directory ----
is "$(cd "$PIPEMAIL_VAR/accounts/dora" && find . -type d | sort | tr '\n' ' ')" \
    ". ./Maildir ./Maildir/.Archive ./Maildir/.Archive/cur ./Maildir/.Archive/new ./Maildir/.Archive/tmp ./Maildir/.Drafts ./Maildir/.Drafts/cur ./Maildir/.Drafts/new ./Maildir/.Drafts/tmp ./Maildir/.Sent ./Maildir/.Sent/cur ./Maildir/.Sent/new ./Maildir/.Sent/tmp ./Maildir/.Spam ./Maildir/.Spam/cur ./Maildir/.Spam/new ./Maildir/.Spam/tmp ./Maildir/.Trash ./Maildir/.Trash/cur ./Maildir/.Trash/new ./Maildir/.Trash/tmp ./Maildir/.Work ./Maildir/.Work.Bills ./Maildir/.Work.Bills/cur ./Maildir/.Work.Bills/new ./Maildir/.Work.Bills/tmp ./Maildir/.Work/cur ./Maildir/.Work/new ./Maildir/.Work/tmp ./Maildir/cur ./Maildir/new ./Maildir/tmp ./expunged ./index " \
    "S-1 an account is a Maildir++ and an index beside it"
is "$(ls -A "$PIPEMAIL_VAR/accounts/dora/index" | tr '\n' ' ')" "boot data.mdb lock.mdb " "S-1 the index is one LMDB environment"
store-flag -a dora +flagged,urgent 1
store-list -a dora >before; store-mailbox -a dora | cut -f 1-6,10 >>before
rm -r "$PIPEMAIL_VAR/accounts/dora/index"
store-list -a dora >after 2>/dev/null; store-mailbox -a dora | cut -f 1-6,10 >>after
ok "S-1 without its index the Maildir is the whole account: UIDs, flags, keywords, special uses" cmp before after

# ---- everything still agrees ----
exits 0 "verifydata is content" verifydata
is "$(cat .out)" "" "and prints nothing"

# ---- the examples of the pages work ----
rm -rf var/accounts/alice; mkdir -p var/accounts/alice; cp m1 message
for i in 1 2 3; do store-deliver -a alice <m1; done
for page in store-deliver store-list store-show store-flag store-expunge store-mailbox store-index verifydata; do
	f=$(ls "$TOP/man/$page".[18])
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\.Dl //p' "$f" | sed 's/\\e/\\/g' >examples
	while read -r line; do
		store-deliver -a alice -m Sent <m1
		ok "$page(1) example: $line" sh -c "$line"
	done <<END
$(cat examples)
END
done
done_testing
