#!/bin/sh
# lmtp-together.t - many deliver to one account at once, some are killed,
# and the index is built anew or replaced
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
need python3 verifydata store-list
main_conf
start_lmtp

# list: subject, UID, modseq of what is in INBOX, one a line
list() {
	store-list -j -a alice -m INBOX | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    print(m["subject"], m["uid"], m["modseq"])' | sort >list
}
# logged: subject and UID of what the log calls delivered
logged() { sed -n 's/.*delivered.* id=\([^ ]*\) .* uid=\([0-9]*\) .*code=250.*/\1 \2/p' lmtp.log | sort >logged; }
together() { timeout 120 /usr/bin/python3 "$TOP/tests/cmd/lmtp-together.py" run/lmtp "$@" >out 2>err; }

# ---- eight at once ----
together all 8 25
is "$(grep -vc '^250 ' out)" 0 "S-20 eight connections at once: all are answered 250"
list
is "$(cut -d ' ' -f 1 list | uniq -d)" "" "S-20 none is there twice"
is "$(cut -d ' ' -f 1 list)" "$(sed 's/^250 //' out | sort)" "S-20 each is there"
logged
is "$(cat logged)" "$(cut -d ' ' -f 1,2 list)" "S-20 the log has the UID of each"
n=$(cut -d ' ' -f 3 list | sort -u | wc -l)
ok "S-20 several are one change: $n of $(wc -l <list)" test "$n" -lt "$(wc -l <list)"
is "$(find var/accounts/alice/Maildir/tmp -type f | wc -l)" 0 "nothing is left in tmp/"
ok "S-20 the account is in order" verifydata -a alice

# ---- and children killed ----
together killed 8 40 "$lmtp_pid" 25
kills=$(sed -n 's/^killed //p' err)
ok "children were killed: $kills" test "$kills" -gt 5
is "$(grep -Ev '^(250|none) ' out)" "" "S-20 all are answered 250, but those of who was killed"
ok "S-20 of these there are $(grep -c '^none' out), not more than kills" test "$(grep -c '^none' out)" -le "$kills"
list
is "$(cut -d ' ' -f 1 list | uniq -d)" "" "S-20 S-2 none is there twice"
sed -n 's/^250 //p' out | sort >answered
cut -d ' ' -f 1 list >there
is "$(comm -23 answered there)" "" "S-20 S-2 what was answered is there"
logged
cut -d ' ' -f 1,2 list >uids
is "$(comm -23 logged uids)" "" "S-20 the log has the UID of each"
ok "S-20 the account is in order" verifydata -a alice

# ---- and the index built anew, or another one ----
# while_together COMMAND: again and again until all are answered; how often
while_together() {
	together "$1" 8 40 &
	deliverer=$!
	n=0
	while kill -0 $deliverer 2>/dev/null; do
		$2 >>index.log 2>&1 || return 1
		n=$((n + 1))
	done
	wait $deliverer
	echo "$n"
}
# those of PREFIX: answered and there, each once
once() {
	list
	grep "^$1-" list | cut -d ' ' -f 1 >there
	is "$(uniq -d there)" "" "S-20 $2: none is there twice"
	is "$(sed -n 's/^250 //p' out | sort | comm -23 - there)" "" "S-20 $2: what was answered 250 is there"
	is "$(in_tmp)" "$left" "S-20 $2: nothing is left in tmp/"
	ok "S-20 the account is in order" verifydata -a alice
}
in_tmp() { find var/accounts/alice/Maildir/tmp -type f | wc -l; }
left=$(in_tmp)	# of those that were killed
rebuilt() { store-index -r -a alice; }
n=$(while_together rebuilt rebuilt)
ok "the index was built anew ${n:-0} times" test "${n:-0}" -gt 0
is "$(grep -v '^250 ' out)" "" "S-20 all are answered 250 meanwhile"
once rebuilt "an index built anew"
# What opens the account next makes another one. Who had it open comes again.
moved() { mv var/accounts/alice/index "index.$(date +%s%N)" && store-list -a alice; }
n=$(while_together moved moved)
ok "the index was another one ${n:-0} times" test "${n:-0}" -gt 0
is "$(grep -Ev '^(250|451 4\.3\.0) ' out)" "" "S-20 answered 250, or 451: $(grep -c '^451' out)"
ok "S-20 451 to a connection once for each index at most" test "$(grep -c '^451' out)" -le $(((n + 1) * 8))
once moved "another index"
is "$(sed -n 's/^451 .* //p' out | sort | comm -12 - there)" "" "S-20 S-2 what was answered 451 is not: it comes again"
together after 8 5
is "$(grep -vc '^250 ' out)" 0 "S-20 and when it is over all are answered 250"
stop "$lmtp_pid"
done_testing
