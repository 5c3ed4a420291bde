#!/bin/sh
# junk - J-7, J-8, J-9, J-20: training and judging with a file of words
. "$(dirname "$0")/../tap.sh"
tab=$(printf '\t')

# wanted and unwanted letters of our own; $1 of the number and some words
ham() {
	printf 'From: friend%s <f@example.org>\nSubject: meeting notes\n\n' "$1"
	printf 'The project meeting about the garden and the house, %s.\n' "$2"
}
spam() {
	printf 'From: seller <s@shop.example>\nSubject: FREE offer\n'
	printf 'Content-Type: text/html\n\n<p>Buy V<b></b>iagra now!!! '
	printf '<a href="http://www.shop.example/buy">click</a> %s</p>\n' "$1"
}
mkdir -p Maildir/cur Maildir/new Maildir/tmp Maildir/.Junk/cur \
    Maildir/.Junk/new Maildir/.Junk/tmp
i=0
while [ $i -lt 60 ]; do
	ham $i "weather$((i % 7))" >Maildir/cur/$i:2,S
	spam "cheap$((i % 5))" >Maildir/.Junk/new/$i
	i=$((i + 1))
done
echo "not of the folder: unread" >Maildir/tmp/x
cp Maildir/tmp/x Maildir/dovecot-keywords

out=$(junk-train -v -d words.mdb -h Maildir -s Maildir/.Junk)
is "$out" "ham${tab}60${tab}60
spam${tab}60${tab}60" "EXAMPLES, J-20 folders are trained: cur and new, nothing else"
ham 1 sunshine >wanted
spam today >message

# ---- the line ----
line=$(junk-score -q -d words.mdb <message); code=$?
is "$(printf '%s' "$line" | cut -f1,3,4)" "fail${tab}threshold=0.95${tab}trained=60/60" \
    "EXAMPLES, J-8 junk is told"
is $code 1 "-q exits 1 for junk"
like "$line" "${tab}0\.999[0-9]{7}${tab}" "the probability"
like "$(printf 'Content-Type: text/html\n\nV<b></b>iagra\n' | junk-score -q -d words.mdb)" \
    "spam=.*viagra\(0\.990\)" "words with their say, tags within them gone"
like "$line" "url:www.shop.example" "hosts of links are words"
like "$line" "subject:offer" "words of fields have its name"
line=$(junk-score -q -d words.mdb <wanted); code=$?
is "$(printf '%s' "$line" | cut -f1)" pass "J-8 wanted mail passes"
is $code 0 "-q exits 0 for wanted mail"
like "$line" "ham=.*meeting\(0\.010\)" "words that speak for it"
line=$(junk-score -q -o top-words=10 -o norm=0 -o ignore-words=0.1 -d words.mdb <message)
is "$(printf '%s' "$line" | cut -f1)" fail "EXAMPLES, J-20 parameters are options"
is "$(junk-score -q -o threshold=1 -d words.mdb <message | cut -f1,3)" \
    "pass${tab}threshold=1.00" "J-8 threshold is a parameter"
is "$(junk-score -q -o significant=61 -d words.mdb <message | cut -f1)" neutral \
    "J-7 with fewer wanted messages than are significant: neutral"
is "$(junk-score -q -o significant=60 -d words.mdb <message | cut -f1)" fail \
    "J-7 as many as are significant"

# ---- the filter ----
{ printf 'Pipemail-Junk: pass;\n\tforged\n'; cat message; } >forged
junk-score -d words.mdb <forged >out
is $? 0 "the filter exits 0"
is "$(grep -c '^Pipemail-Junk:' out)" 1 "a forged field is gone"
is "$(head -1 out)" "Pipemail-Junk: fail;" "the field is in front"
is "$(sed -n '/^From/,$p' out)" "$(cat message)" "the message is whole"
ok "EXAMPLES, the field can be asked for" sh -c \
    "junk-score -d words.mdb < message | grep -q '^Pipemail-Junk: fail'"
# as delivery agents give it: behind a line of an mbox, with CRLF
{ echo "From x@example.net Sat Nov 21 08:00:00 2026"; cat message; } >marked
junk-score -d words.mdb <marked >out
is "$(sed -n '1p; 2s/;.*//p' out)" "$(head -1 marked)
Pipemail-Junk: fail" "J-20 the line of an mbox stays the first one"
is "$(sed -n '/^From:/,$p' out)" "$(cat message)" "J-20 and the message is whole"
sed 's/$/\r/' marked | junk-score -d words.mdb >out
is "$(grep -vc "$(printf '\r')\$" out)" 0 "J-20 a message with CRLF has CRLF in all lines"
printf 'From one line' | junk-score -d words.mdb >out
is "$(sed -n '1s/;.*//p; $p' out)" "Pipemail-Junk: pass
From one line" "J-20 what begins as that line but has no end is text"
host=$(printf 'long%.0s' 1 2 3 4 5 6 7 8 9 10).example
for i in 1 2 3 4 5; do host=$host.$host; [ ${#host} -gt 200 ] && break; done
printf 'From: a@example.net\n\n' >linked
for i in a b c d e f; do echo "http://$i$host/" >>linked; done
for i in 1 2 3; do junk-train -d linked.mdb -s linked; junk-train -d linked.mdb -h Maildir; done
junk-score -o significant=1 -d linked.mdb <linked | sed '/^From:/,$d' >out
like "$(cat out)" "url:[a-f]long" "J-4 a word as long as they come"
ok "RFC 5322 2.1.1 lines of the field are short" sh -c "awk 'length(\$0) > 998 { bad = 1 } END { exit bad }' out"
ok "and folded behind words" sh -c "tr -d '\t' <out | awk 'length(\$0) > 78 && /,./ { bad = 1 } END { exit bad }'"
junk-score -d words.mdb <message | junk-score -q -d words.mdb >again
is "$(cat again)" "$(junk-score -q -d words.mdb <message)" "J-8 our own field has no say"

# ---- many ----
junk-score -b -d words.mdb Maildir Maildir/.Junk wanted >many
is "$(wc -l <many)" 121 "-b a line for each message"
is "$(cut -f2 many | sort | uniq -c | tr -s ' ')" " 60 fail
 61 pass" "-b the same results"
is "$(grep '^wanted' many | cut -f2-)" "$(junk-score -q -d words.mdb <wanted)" \
    "-b the line of -q"
is "$(sort -t "$tab" -k3,3nr many | head -1 | cut -f2)" fail "EXAMPLES, sorted by probability"
for f in Maildir/cur/*; do
	echo "From x Sat Nov 21 08:00:00 2026"; cat "$f"; echo
done >mbox
is "$(junk-score -b -d words.mdb mbox | wc -l)" 60 "J-20 an mbox"

[ "${SAN:-}" = 1 ] ||	# which need more themselves
	ok "J-20 a filter runs with 100 MB of address space" sh -c 'ulimit -v 100000; junk-score -q -d words.mdb <wanted'
mkdir -p used/cur used/new && cp Maildir/cur/* used/cur && ln -s /nonexistent used/cur/gone
is "$(junk-score -b -d words.mdb used | wc -l)" 60 "J-20 a message that goes while a folder is read is passed over"
exits 100 "one that is named is not" junk-score -b -d words.mdb used/cur/gone

# ---- how good it is, as the man page has it ----
i=0
for m in Maildir/cur/*; do	# they came in turn
	touch -d "2026-11-20 12:$i:00" "$m"
	touch -d "2026-11-20 12:$i:30" "Maildir/.Junk/new/$(basename "${m%:*}")"
	i=$((i + 1))
done
sed -n '/^How good it would be/,/^\.Ed/p' "$TOP/man/junk-score.1" >half.page
sed -n '/^Play mail again/,/^\.Ed/p' "$TOP/man/junk-score.1" >play.page
sed -n '/^How many of folders/,/^\.Ed/p' "$TOP/man/junk-score.1" >test.page
# example NAME: run what NAME.page has between .Bd and .Ed
example() {
	sed '1,/^\.Bd/d; /^\.Ed/d; s/\\(aq/'"'"'/g; s/\\e/\\/g' "$1.page" >"$1.sh"
	sh "./$1.sh" 2>&1 | tr -s ' '
}
is "$(example test)" " 60 pass
 60 fail" "EXAMPLES, J-20 test: folders against a file of words"
is "$(example half)" " 30 pass
 30 fail" "EXAMPLES, J-20 analyze: one half trained, the other judged"
is "$(example play)" " 4 -h neutral
 55 -h pass
 56 -s fail
 4 -s neutral" "EXAMPLES, J-20 play: each judged, then trained, as they came"

# ---- training ----
junk-score -b -d words.mdb Maildir >before
junk-train -d words.mdb -h - <message
junk-score -b -d words.mdb Maildir >between
ok "J-20 one message is trained" test "$(cut -f5 before | head -1)" != "$(cut -f5 between | head -1)"
junk-train -u -d words.mdb -h - <message
junk-score -b -d words.mdb Maildir >after
ok "EXAMPLES, J-9 untraining restores the counts" cmp before after
junk-train -d words.mdb -s - <message
is "$(junk-score -q -d words.mdb <message | cut -f4)" "trained=60/61" "EXAMPLES, trained as unwanted"
rm -f one.mdb*
junk-train -d one.mdb -s message
is "$(junk-score -q -d one.mdb <message | cut -f5)" words=0 "J-9 a first sighting says nothing"
junk-train -d one.mdb -s message
ok "J-9 a second one does" test "$(junk-score -q -d one.mdb <message | cut -f5)" != words=0
junk-train -g 3 -d pairs.mdb -s message -s message
like "$(printf '\nbuy viagra\n' | junk-score -q -g 3 -d pairs.mdb)" "spam=.*buy viagra" "J-8 pairs of words"

# ---- an account ----
export PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
mkdir -p etc/domains etc/accounts var run
printf '[server]\nhostname = mail.example.org\npostmaster = alice\n' >etc/main.conf
echo '[domain]' >etc/domains/example.org.conf
printf '[account]\naddress = alice@example.org\n' >etc/accounts/alice.conf
config-compile || exit 111
i=0
while [ $i -lt 50 ]; do
	store-deliver -a alice -m Archive <Maildir/cur/$i:2,S
	store-deliver -a alice -m Junk <Maildir/.Junk/new/$i
	i=$((i + 1))
done
store-flag -a alice -m Archive '+$NotJunk' '1:*'
is "$(junk-train -v -a alice)" "ham${tab}0${tab}50
spam${tab}0${tab}50" "J-11 J-14 an account is trained by its flags, when they are set, once"
is "$(junk-score -q -a alice <message | cut -f1,4)" "fail${tab}trained=50/50" "J-8 judged by the account's words"
is "$(spf-check <message | dkim-verify | junk-score -a alice | head -1)" "Pipemail-Junk: fail;" \
    "EXAMPLES, the chain by hand"
is "$(junk-score -b -a alice wanted message | cut -f2)" "pass
fail" "-b with an account"
store-flag -a alice -m Junk '+$NotJunk' 1 2
store-flag -a alice -m Junk -- '-$Junk' 2
is "$(junk-train -v -a alice)" "ham${tab}0${tab}51
spam${tab}0${tab}48" "J-14 trained as the flags are now"
is "$(junk-train -r -v -a alice)" "ham${tab}51${tab}51
spam${tab}48${tab}48" "EXAMPLES, J-15 an account is counted anew"
is "$(junk-train -r -v -a alice -m Archive 3)" "ham${tab}1${tab}51
spam${tab}0${tab}48" "EXAMPLES, J-15 one message"
is "$(junk-train -r -v -a alice -m Archive)" "ham${tab}50${tab}51
spam${tab}0${tab}48" "EXAMPLES, J-15 a mailbox"
is "$(junk-train -v -a alice -m Archive 1:9)" "ham${tab}0${tab}51
spam${tab}0${tab}48" "without -r what is trained is left alone"
exits 100 "no such mailbox" junk-train -a alice -m Nowhere
exits 100 "usage: a UID without -m" junk-train -a alice 3
exits 100 "usage: -m without -a" junk-train -r -m Junk
exits 100 "no UID" junk-train -a alice -m Archive x
# the words of what is expunged go, also with the whole mailbox
store-expunge -f -a alice -m Junk 4 5
is "$(junk-train -v -a alice)" "ham${tab}0${tab}51
spam${tab}0${tab}46" "J-14 an expunge untrains"
ls var/accounts/alice/expunged >left
is "$(cat left)" "" "and leaves no file"
store-deliver -a alice -m Junk <Maildir/.Junk/new/1
store-deliver -a alice -m Junk <Maildir/.Junk/new/1
rm var/accounts/alice/Maildir/.Junk/cur/*,U=20:2,*
store-list -a alice -m Junk >/dev/null
is "$(junk-train -v -a alice)" "lost${tab}0${tab}1
ham${tab}0${tab}51
spam${tab}0${tab}48" "J-14 what rm took is told"
is "$(junk-train -r -v -a alice | tail -1)" "spam${tab}47${tab}47" "and counted out by -r"
store-deliver -a alice -m Junk <Maildir/.Junk/new/1
# parameters of the account
printf '[junk]\nthreshold = 0.6\n' >>etc/accounts/alice.conf
printf '[junk]\nthreshold = 0.7\nsignificant = 900\n' >>etc/main.conf
config-compile || exit 111
is "$(junk-score -q -a alice <message | cut -f1,3)" "neutral${tab}threshold=0.60" "J-8 the account's parameters, then the server's"
is "$(junk-score -q -o threshold=0.5 -o significant=1 -a alice <message | cut -f1,3)" "fail${tab}threshold=0.50" "arguments count more"
is "$(junk-score -q -d words.mdb <message | cut -f3)" "threshold=0.95" "a file has none of an account's"
# switched off, and on again
printf 'filter = no\n' >>etc/accounts/alice.conf
config-compile || exit 111
store-flag -a alice -m Junk -- '-$Junk' 12
is "$(junk-score -q -a alice <message | cut -f4)" "trained=51/48" "J-11 filter = no: flags do not train"
sed -i 's/^filter = no/filter = yes/' etc/accounts/alice.conf
config-compile || exit 111
store-list -a alice >/dev/null
is "$(junk-score -q -a alice <message | cut -f4)" "trained=51/47" "J-11 switched on it catches up"
store-flag -a alice -m Junk '+$Junk' 12
store-flag -a alice -m Junk '+$NotJunk' 3
printf '[account]\naddress = carol@example.org\n' >etc/accounts/carol.conf
config-compile || exit 111
store-deliver -a carol -m Junk <message
is "$(junk-train -r -v | paste - - - | sort | cut -f2,4,5,7,8)" "alice${tab}51${tab}51${tab}47${tab}47
carol${tab}0${tab}0${tab}1${tab}1" "J-15 all accounts are counted anew"
exits 100 "no such account" junk-train -a bob
exits 100 "no such account to judge by" junk-score -q -a bob
exits 100 "usage: account and file" junk-score -q -a alice -d words.mdb
exits 100 "usage: -r of a file" junk-train -r -d words.mdb -h message
exits 100 "usage: nothing to train" junk-train -v
exits 100 "usage: -u of an account" junk-train -u -a alice

# ---- failures ----
exits 100 "no file" junk-score -d words.mdb.not -q
exits 100 "no path to train" junk-train -d words.mdb -s absent
is "$(junk-score -q -d words.mdb <message | cut -f4)" "trained=60/61" "a failed training counts nothing"
exits 100 "usage: neither -h nor -s" junk-train -d words.mdb
exits 100 "usage: -b without a path" junk-score -b -d words.mdb
exits 100 "usage: a path without -b" junk-score -d words.mdb message
exits 100 "usage: no such parameter" junk-score -q -o power=1 -d words.mdb
exits 100 "usage: a value out of range" junk-score -q -o threshold=1.1 -d words.mdb
exits 100 "usage: a value that is no number" junk-score -q -o threshold=nan -d words.mdb

# damaged at each of its pages: a stated result, never a crash
junk-train -d words.mdb -h Maildir
size=$(stat -c %s words.mdb)
at=0
while [ $at -lt "$size" ]; do
	cp words.mdb broken.mdb
	printf '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377' |
	    dd of=broken.mdb bs=1 seek=$((at + 8)) conv=notrunc status=none
	timeout 20 junk-score -q -d broken.mdb <message >/dev/null 2>err
	case $? in 0|1|100|111) ;; *) echo "at $at: $?"; cat err ;; esac
	at=$((at + 4096))
done >crashed
is "$(cat crashed)" "" "a damaged file of words: an answer or a failure, no crash"
head -c 10000 words.mdb >broken.mdb
exits 100 "a file cut short" junk-score -q -d broken.mdb
like "$(tail -1 .err)" "^junk-score: fatal: cannot open broken.mdb: " "and why"
echo "no words" >broken.mdb
exits 100 "another file" junk-score -q -d broken.mdb

# ---- bad input ----
worst=0
time_of() {
	t=$(date +%s%N)
	timeout 60 junk-score -q -d words.mdb >/dev/null
	case $? in 0|1) ;; *) echo "$1: failed" ;; esac
	t=$((($(date +%s%N) - t) / 1000000))
	echo "# $1: $t ms"
	[ $t -le $worst ] || worst=$t
}
deep() { printf 'Content-Type: text/html\n\n'; yes '<div>' | head -100000; }
big() { head -c 4000000 /dev/zero | tr '\0' x; }
{
	deep | time_of "100,000 elements deep"
	{ printf 'Content-Type: text/html\n\n<p a="'; big; } | time_of "an attribute of 4 MB"
	{ echo; big; } | time_of "a word of 4 MB"
	{ printf 'Content-Transfer-Encoding: base64\n\n'; big; } | time_of "base64 that never ends"
	{ printf 'Content-Type: text/plain; charset=utf-16\n\n'; big; } | time_of "a charset that lies"
	{ printf 'Subject: '; big; } | time_of "a field of 4 MB"
	{ yes 'From: a@b' | head -100000; echo; } | time_of "100,000 fields"
} >times
cat times
is "$(grep -v '^#' times)" "" "bad input gets a result"
ok "in bounded time" test "$(sed 's/.*: \([0-9]*\) ms/\1/' times | sort -n | tail -1)" -lt 20000
done_testing
