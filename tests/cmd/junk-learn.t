#!/bin/sh
# junk-learn.t - words follow flags by themselves: in commands, IMAP sessions
# and LMTP; kill -9 at the system calls of each change, and of training
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/kill.sh"
need mdb_dump
tab=$(printf '\t')

# counts: what is trained, in one line; of others' doing, nothing is started
counts() { junk-train -v -a bob | paste -s - | sed 's/ham	[0-9]*/ham/; s/spam	[0-9]*/spam/'; }
words() { mdb_dump -s word "$BOB/index"; }
# exact: all counts are those of an account counted anew, to the byte
exact() {
	junk-train -a bob || return 1
	words >kept.words
	case $(counts) in *lost*) return 1 ;; esac
	junk-train -r -a bob || return 1
	words >anew.words
	cmp -s kept.words anew.words
}

# ---- kill -9 ----
m first | store-deliver -a bob || exit 111
m good | store-deliver -a bob -m Archive
store-flag -a bob -m Archive '+$NotJunk' '1:*'
ok "J-14 counts are exact to begin with" exact
is "$(counts)" "ham${tab}1${tab}spam${tab}0" "one is trained"
# kills N LABEL PREPARE COMMAND...: at every Nth point; PREPARE makes what the
# command then changes
kills() {
	each=$1 label=$2 prepare=$3; shift 3
	$prepare probe
	points "$@" <msg | some "$each" >points
	bad= n_killed=0
	while read -r call n <&3; do
		$prepare "$label-$call-$n" || bad="$bad prepare"
		at "$call" "$n" "$@" <msg && n_killed=$((n_killed + 1))
		content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
		exact || bad="$bad counts:$call:$n"
	done 3<points
	is "$bad" "" "J-14 $label: killed at $n_killed of $(wc -l <points) points, counts are exact"
	ok "$label: some were killed" test $n_killed -gt 3
}
# one message, the only one in Junk, trained
in_junk() {
	store-expunge -f -a bob -m Junk '1:*' >/dev/null 2>&1
	store-expunge -f -a bob -m Trash '1:*' >/dev/null 2>&1
	m "$1" >msg
	store-deliver -a bob -m Junk <msg
}
kills 5 "deliver" in_junk store-deliver -a bob -m Junk
kills 4 "flags" in_junk store-flag -a bob -m Junk '=$NotJunk' '1:*'
# of a message that its target cannot be known by
bare() { in_junk "$1"; store-expunge -f -a bob -m Junk '1:*'; grep -v ^Message-ID msg | store-deliver -a bob -m Junk; }
kills 4 "move" bare store-move -a bob -m Junk Trash '1:*'
kills 5 "copy" in_junk store-copy -a bob -m Junk Trash '1:*'
kills 3 "expunge" in_junk store-expunge -f -a bob -m Junk '1:*'
kills 5 "all anew" in_junk junk-train -r -a bob
box() { store-mailbox -c -a bob Old 2>/dev/null; m "$1" >msg; store-deliver -a bob -m Old <msg; store-flag -a bob -m Old '=$Junk' '1:*'; }
kills 5 "a mailbox removed" box store-mailbox -d -a bob Old

# ---- what another one left, more than a piece has, beside the one of above ----
store-mailbox -c -a bob Many
for i in $(seq 450); do printf 'Subject: x\n\nw\n' >"$BOB/Maildir/.Many/cur/$i.m:2,a"; done
printf '0 $Junk\n' >"$BOB/Maildir/.Many/dovecot-keywords"
# the lock of who trains
exits 137 "J-11 killed before it trains what it took in" strace -f -qq -o trace -e trace=flock -e inject=flock:signal=KILL:when=1 store-index -a bob
is "$(store-repair -a bob openaccounts)" "bob${tab}0" "openaccounts"
is "$(junk-train -v -a bob | tail -1)" "spam${tab}0${tab}451" "J-11 openaccounts counted the words of all of them"
store-mailbox -d -a bob Many
ok "J-14 counts are exact" exact

# ---- IMAP ----
session() { printf '%b' "$1" | imap-serve -a bob >out 2>err; }
store-expunge -f -a bob -m Junk '1:*' >/dev/null 2>&1
store-expunge -f -a bob -m Trash '1:*' >/dev/null 2>&1
is "$(counts)" "ham${tab}1${tab}spam${tab}0" "as it was"
session 'a APPEND Junk {20+}\r\nSubject: x\r\n\r\nbody\r\n\r\na2 LOGOUT\r\n'
is "$(counts)" "ham${tab}1${tab}spam${tab}1" "J-11 J-12 APPEND trains"
session 'a SELECT Archive\r\nb COPY 1 Junk\r\nc LOGOUT\r\n'
is "$(counts)" "ham${tab}1${tab}spam${tab}2" "J-11 J-12 COPY trains"
session 'a SELECT Junk\r\nb STORE 1 FLAGS ($NotJunk)\r\nc LOGOUT\r\n'
is "$(counts)" "ham${tab}2${tab}spam${tab}1" "J-11 STORE trains"
session 'a SELECT Junk\r\nb STORE 1 FLAGS (NonJunk Junk)\r\nc LOGOUT\r\n'
is "$(counts)" "ham${tab}1${tab}spam${tab}1" "J-11 by other names; both flags are none"
session 'a SELECT Junk\r\nb STORE 1 FLAGS (NonJunk $Forwarded)\r\nc LOGOUT\r\n'
is "$(counts)" "ham${tab}2${tab}spam${tab}1" "J-11 \$Forwarded says nothing"
# a client that only adds what it means: both are as none (RFC 9051 2.3.2)
modseq() { sed -n 's/.*MODSEQ (\([0-9]*\)).*/\1/p' out; }
session 'a SELECT Junk (CONDSTORE)\r\nb STORE 1 +FLAGS ($Junk)\r\nc FETCH 1 (FLAGS)\r\nd LOGOUT\r\n'
like "$(grep '^\* 1 FETCH' out | tail -1)" 'FLAGS \(.*\$Junk \$NotJunk' "J-11 one is added to the other: FETCH tells both"
is "$(counts)" "ham${tab}1${tab}spam${tab}1" "J-11 its training is taken out"
one=$(modseq)
session 'a SELECT Junk (CONDSTORE)\r\nb STORE 1 -FLAGS ($NotJunk)\r\nd LOGOUT\r\n'
is "$(counts)" "ham${tab}1${tab}spam${tab}2" "J-11 the other is taken off: trained as what is left"
ok "J-11 with a modseq of its own each" test "$(modseq)" -gt "${one:-9999999999999999}"
session 'a SELECT Junk (CONDSTORE)\r\nb STORE 1 +FLAGS.SILENT ($Junk)\r\nc STORE 1 FLAGS.SILENT (NonJunk $Forwarded)\r\nd LOGOUT\r\n'
is "$(counts)" "ham${tab}2${tab}spam${tab}1" "J-11 one in place of the other"
session 'a SELECT Archive\r\nb MOVE 1 Junk\r\nc LOGOUT\r\n'
is "$(counts)" "ham${tab}1${tab}spam${tab}2" "J-11 J-12 MOVE trains"
ls "$BOB/expunged" >expunged.was
session 'a SELECT Junk\r\nb STORE 1:* +FLAGS.SILENT (\\Deleted)\r\nc EXPUNGE\r\nd LOGOUT\r\n'
is "$(counts)" "ham${tab}0${tab}spam${tab}0" "J-14 EXPUNGE untrains"
is "$(words | sed '1,/^HEADER=END/d' | tr -d '\n')" "DATA=END" "and nothing is left of any word"
ls "$BOB/expunged" >expunged.now
is "$(comm -13 expunged.was expunged.now)" "" "nor of a file"
# within a session: while the client says nothing
mkfifo client
imap-serve -a bob <client >out 2>err &
sub=$!
exec 9>client
printf 'a APPEND Junk {20+}\r\nSubject: x\r\n\r\nbody\r\n\r\n' >&9
trained() { words | grep -q '^ 2d$'; }
ok "J-11 a session trains while its client says nothing" wait_for 20 trained
# with another session in the mailbox, which may still read what goes
printf 'b SELECT Junk\r\n' >&9
selected() { grep -q '^b OK' out; }
wait_for 20 selected
store-expunge -f -a bob -m Junk 1:*
is "$(words | grep -c '^ 2d$')" 0 "J-14 an expunge is untrained"
printf 'c FETCH 1 BODY[]\r\n' >&9
fetched() { grep -q '^c OK' out; }
ok "S-10 and whoever was not told reads the message still" wait_for 20 fetched
ok "all of it" grep -q '^body' out
exec 9>&-
wait $sub
ok "counts are exact" exact

# ---- LMTP ----
mkdir -p etc/domains etc/accounts
printf '[server]\nhostname = mx.example.org\npostmaster = bob\n' >etc/main.conf
echo '[domain]' >etc/domains/example.org.conf
printf '[account]\njunk-flags = yes\naddress = bob@example.org\naddress = lists@example.org Lists\naddress = trap@example.org Bulk\n[junk]\njunk-mailboxes = ^bulk\nneutral-mailboxes = ^inbox\n' >etc/accounts/bob.conf
config-compile || exit 111
lmtp() { printf 'LHLO c\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<%s@example.org>\r\nDATA\r\nSubject: x\r\n\r\nwords\r\n.\r\nQUIT\r\n' "$1" | lmtp-in >out 2>err; }
lmtp bob
trained && echo yes >early
lmtp lists
lmtp trap
is "$(grep -c '^250 2.0.0 delivered' out)" 1 "delivered"
ok "neutral mailboxes train nothing" test ! -e early
ok "LMTP trains what it delivered" trained
is "$(counts)" "ham${tab}1${tab}spam${tab}1" "J-12 J-11 by expressions over the names of mailboxes"
ok "counts are exact" exact
ok "verifydata finds nothing" content
done_testing
