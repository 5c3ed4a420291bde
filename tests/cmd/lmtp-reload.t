#!/bin/sh
# lmtp-reload.t - the configuration is changed while many deliver
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
need python3 verifydata store-list
main_conf
start_lmtp
CHANGES=12

timeout 300 /usr/bin/python3 "$TOP/tests/cmd/lmtp-reload.py" "$TMP/run/lmtp" "$lmtp_pid" $CHANGES >out 2>err
is "$(cat err)" "" "$(wc -l <out) messages on eight connections, $CHANGES changes"
is "$(grep -v '^250 ' out)" "" "R-18 all are answered 250"

# there: subject and number of the change whose mailbox it is in
for k in $(seq 0 $CHANGES); do
	box=G$k
	[ "$k" = 0 ] && box=INBOX
	store-list -j -a alice -m "$box" | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    print(json.loads(line)["subject"], sys.argv[1])' "$k"
done | sort >there
is "$(cut -d ' ' -f 1 there | uniq -d)" "" "S-20 none is there twice"
is "$(cut -d ' ' -f 1 there)" "$(cut -d ' ' -f 2 out | sort)" "S-20 each is there"
cut -d ' ' -f 2- out | sort | join - there >joined
is "$(awk '$4 < $2 || $4 > $3' joined)" "" "D-4 each follows what there was when its connection was made, or what came since"
ok "D-4 each change was followed by some: $(cut -d ' ' -f 2 there | sort | uniq -c | awk '{ printf "%s ", $1 }')" test "$(cut -d ' ' -f 2 there | sort -u | wc -l)" = $((CHANGES + 1))
ok "there were reloads: $(grep -c 'm=reload' lmtp.log)" test "$(grep -c 'm=reload' lmtp.log)" -ge $CHANGES
is "$(grep 'm=reload.* err=' lmtp.log)" "" "of which none failed"
is "$(find var/accounts/alice/Maildir -path '*/tmp/*' -type f | wc -l)" 0 "nothing is left in tmp/"
ok "S-20 the account is in order" verifydata -a alice
stop "$lmtp_pid"
done_testing
