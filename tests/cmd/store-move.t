#!/bin/sh
# store-move.t - store-copy store-move store-quota store-watch, UIDs of one
# command as operands of the next
. "$(dirname "$0")/../tap.sh"

PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC
mkdir -p var/accounts/alice run etc/accounts etc/domains
ALICE=$TMP/var/accounts/alice/Maildir
put() { printf 'Subject: %s\n\ntext %s\n' "$1" "$1" | store-deliver -a alice; }
subjects() { store-list -a alice -m "$1" | cut -f "2,${2:-7}" | tr '\t\n' ' ,'; }
for i in 1 2 3 4 5; do put "s$i"; done
store-flag -a alice +seen,blue 2:3

# ---- copy ----
exits 100 "a target that is not there is an error" store-copy -a alice Old 1
is "$(cat .err)" "store-copy: fatal: cannot open mailbox Old: No such file or directory" "and named"
is "$(store-copy -c -a alice Old 2:3 1 | tr '\n' ' ')" "1 2 3 " "store-copy -c makes it and prints the new UIDs"
is "$(subjects Old)" "1 s1,2 s2,3 s3," "in the order of the old ones"
is "$(store-list -a alice -m Old | cut -f 3 | tr '\n' ' ')" ' \Seen,blue \Seen,blue ' "flags and keywords go along"
is "$(subjects INBOX)" "1 s1,2 s2,3 s3,4 s4,5 s5," "and all stay where they were"
is "$(stat -c %h "$ALICE"/.Old/*/*,U=1* | sort -u)" 2 "a copy is a link to the same file"
is "$(store-copy -v -a alice INBOX '*')" "5	6" "-v prints pairs; into the same mailbox"
exits 1 "messages that are not there: 1" store-copy -a alice Old 77
is "$(store-copy -0 -a alice Old 1 2 | od -An -c | tr -s ' ')" " 4 \0 5 \0" "-0 ends them with NUL"

# ---- move, UIDs from standard input ----
is "$(printf '2\n3\n' | store-move -a alice Old -)" "6
7" "store-move - takes UIDs from standard input"
is "$(subjects INBOX)" "1 s1,4 s4,5 s5,6 s5," "they are gone there"
ok "no file is left behind" test "$(ls "$ALICE/cur" "$ALICE/new" | grep -c U=)" = 4
is "$(printf '1\0004\0' | store-move -0 -a alice Old - | tr '\0' ' ')" "8 9 " "with NULs between"
is "$(seq 5 -1 1 | store-flag -a alice -m Old +flagged - 7; store-list -a alice -m Old | grep -c Flagged)" 6 "in any order, and operands beside it"
exits 100 "standard input that holds no UID" sh -c 'echo 5 x | store-show -a alice -'
exits 100 "nor does 0" sh -c 'echo 0 | store-show -a alice -'
exits 1 "an empty one names no message" sh -c ': | store-show -a alice -'
exits 1 "overlapping ranges of nothing" store-show -a alice 100:200 150:300
is "$(store-show -a alice 4:6 5:5 1:5 '*' | grep -c Subject)" 2 "overlapping ranges print each message once"
exits 100 "no operand is a usage error" store-move -a alice Old
seq 1 400000 >many
is "$(store-show -a alice -p - <many | wc -l)" 2 "400,000 UIDs, of which two are there"
{ head -c 67108862 /dev/zero | tr '\0' ' '; printf '5\n'; } >limit
is "$(store-show -p -a alice - <limit | wc -l)" 1 "64 MiB of standard input are read"
printf ' ' >>limit
exits 100 "one byte more is refused" sh -c 'store-show -a alice - <limit'
is "$(cat .err)" "store-show: fatal: cannot understand the UIDs: Message too long" "and why"
rm limit many

# EXAMPLES of the pages
store-flag -a alice +seen 5
store-list -a alice -m INBOX | awk -F '\t' '$3 ~ /Seen/ { print $2 }' |
store-move -c -a alice Old - |
store-flag -a alice -m Old +done -
is "$(store-list -a alice -m Old | grep -c done)" 1 "the page's pipeline"
is "$(store-copy -c -a alice Archive 1:6)" "1" "the page's copy, of what is still there"

# ---- quota ----
printf '[server]\nhostname = mx.example.org\n' >etc/main.conf
printf '[account]\nquota = 1000\n' >etc/accounts/alice.conf
config-compile
n=$(store-list -a alice | wc -l)
size=$(store-list -a alice | awk -F '\t' '{ n += $4 } END { print n }')
is "$(store-quota -a alice)" "alice	$size	1000	$(echo "$size" | awk '{ printf "%.1f", $1 / 10 }')	$n" "S-13 store-quota prints account, bytes, quota, percent, messages"
is "$(store-quota -j -a alice | /usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["account"], d["used"], d["limit"], d["messages"])')" "alice $size 1000 $n" "-j"
exits 0 "there is room: 0" store-quota -a alice
printf '[account]\nquota = 100\n' >etc/accounts/alice.conf
config-compile
exits 1 "S-13 there is none: 1" store-quota -a alice
exits 111 "S-13 and a copy is refused" store-copy -a alice Old 1:*
is "$(store-list -a alice | wc -l)" "$n" "nothing was added"
exits 0 "a move takes no room" store-move -a alice Old 6
printf '[account]\nquota = 0\n' >etc/accounts/alice.conf
config-compile
is "$(store-quota -a alice | cut -f 3,4)" "-	-" "without a quota"
like "$(store-quota -j -a alice)" '"limit":null,"percent":null' "-j has null there"
sh -c "store-quota -a alice || echo 'alice can get no more mail'" >out
ok "the page's example" test "$(wc -l <out)" = 1

# ---- watch ----
watching() { [ -n "$(ls run/watch/alice 2>/dev/null)" ]; }
watch() { # ARGUMENTS: in the background, into $out
	out=$TMP/out.$1; shift
	bg store-watch -t 30 -a alice "$@" >"$out" 2>watch.err
	wait_for 5 watching
}
put first
uid=$(store-list -a alice -m INBOX | tail -1 | cut -f 2)
watch 1 -n 6
put second
store-flag -a alice +seen "$uid"
store-mailbox -c -a alice 'Wörk'
store-mailbox -r -a alice 'Wörk' 'New'
wait_for 10 sh -c "[ \$(wc -l <$out) = 6 ]"
is "$(cut -f 2- "$out" | tr '\t\n' ' ,')" "added INBOX $((uid + 1)) $((uid + 1)),flags INBOX $uid $uid,mailbox-added Wörk ,subscribed Wörk ,unsubscribed Wörk ,mailbox-renamed New Wörk," "S-12 changes in order: kind, mailbox, UIDs or old name"
wait "$bg_pid"
is $? 0 "-n ends it with 0"
is "$(cut -f 1 "$out" | sort -n | head -1)" "$(head -1 "$out" | cut -f 1)" "modseq ascends"
since=$(head -1 "$out" | cut -f 1)
is "$(store-watch -a alice -s "$((since - 1))" -n 1)" "$(head -1 "$out")" "-s begins with what was"
exits 1 "-t: the time is over: 1" timeout 10 store-watch -a alice -t 1
watch 2 -m INBOX -k added -n 1
store-flag -a alice -- -seen "$uid"
printf 'Subject: elsewhere\n\nx\n' | store-deliver -a alice -m Old
printf 'Subject: by hand\n\nx\n' >"$ALICE/tmp/1.2.host" && mv "$ALICE/tmp/1.2.host" "$ALICE/new"
wait "$bg_pid"
is "$(cut -f 2,3 "$out")" "added	INBOX" "S-12 one mailbox and kind, a file another program put there"
watch 3 -n 1 -k added
printf 'Subject: by hand\n\nx\n' >"$ALICE/tmp/3.4.host" && mv "$ALICE/tmp/3.4.host" "$ALICE/.Old/new"
wait "$bg_pid"
is "$(cut -f 2,3 "$out")" "added	Old" "without -m it is found within a second"
watch 4 -j -n 1 -k expunged
store-expunge -f -a alice "$uid"
wait "$bg_pid"
is "$(/usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["change"], d["mailbox"], d["first"], d["last"])' <"$out")" "expunged INBOX $uid $uid" "-j"
store-watch -a alice -m INBOX -k added -n 1 -t 60 2>err | cut -f 4 |
store-show -a alice - >shown &
wait_for 5 watching
put waited
wait $!
like "$(cat shown)" '^Subject: waited$' "the page's example waits for mail and prints it"
{ store-watch -a alice -s 0 -t 60 2>watch.err; echo $? >watch.code; } | head -1 >/dev/null
is "$(cat watch.code) $(cat watch.err)" "111 " "it ends when nobody reads any more"
exits 100 "an unknown kind" store-watch -a alice -k new
is "$(cat .err)" "store-watch: fatal: cannot watch for new: no such kind of change" "is named"
exits 100 "no such mailbox" store-watch -a alice -m None
is "$(verifydata -a alice)" "" "verifydata is content"
done_testing
