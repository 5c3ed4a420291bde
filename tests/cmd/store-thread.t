#!/bin/sh
# store-thread.t - threads listed, muted and collapsed; the page's examples
. "$(dirname "$0")/../tap.sh"

PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC
mkdir -p var/accounts/alice run
# id references subject
m() { printf 'From: <%s@example.org>\nMessage-ID: <%s@x>\n%sSubject: %s\n\nbody\n' "$1" "$1" "${2:+References: $2
}" "$3"; }
m a '' 'Plan' | store-deliver -a alice
m z '' 'Other' | store-deliver -a alice
m b '<a@x>' 'Re: Plan' | store-deliver -a alice -m Sent
m c '<a@x> <b@x>' 'Re: [list] Plan' | store-deliver -a alice

store-thread -a alice >out
is "$(cut -f 2-5,8 out)" "0	INBOX	1	-	Plan
1	Sent	1	-	Re: Plan
2	INBOX	3	-	Re: [list] Plan
0	INBOX	2	-	Other" "S-14 threads over all mailboxes, each once, with depth"
is "$(cut -f 1 out | sort -u | wc -l)" 2 "S-14 one number for a thread"
is "$(store-thread -a alice -m Sent | cut -f 3,4 | tr '\t\n' ':,')" "INBOX:1,Sent:1,INBOX:3," "the threads of a mailbox's messages"
is "$(store-thread -a alice 2 | cut -f 8)" "Other" "of one message"
is "$(store-thread -0 -a alice 1 | tr -dc '\0' | wc -c)" 3 "-0 ends records with NUL"
is "$(store-thread -j -a alice 3 | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    t = json.loads(line); print(t["depth"], t["mailbox"], t["uid"], t["marks"], t["subject"])' | head -1)" "0 INBOX 1 - Plan" "-j prints JSON"

exits 0 "mute" store-thread -M -a alice -m Sent 1
is "$(store-thread -a alice 1 | cut -f 5)" "-
muted
muted" "S-14 what answers it is muted too"
m d '<b@x>' 'Re: Plan' | store-deliver -a alice
is "$(store-list -a alice | tail -1 | cut -f 1-3)" "Sent	1	" "mail that was there stays unseen"
is "$(store-list -a alice -m INBOX | tail -1 | cut -f 2,3)" '4	\Seen' "S-14 new mail in a muted thread arrives seen"
m e '<a@x>' 'Re: Plan' | store-deliver -a alice
is "$(store-list -a alice -m INBOX | tail -1 | cut -f 2,3)" '5	' "but not beside it"
exits 0 "unmute and collapse" sh -c 'store-thread -uM -a alice 1 && store-thread -C -a alice 1'
is "$(store-thread -a alice 1 | cut -f 5 | sort -u)" "collapsed" "S-14 all of it is collapsed"
store-move -a alice Archive 3
is "$(store-thread -a alice 1 | cut -f 3 | sort | uniq -c | awk '{ print $2 $1 }' | tr '\n' ' ')" "Archive1 INBOX3 Sent1 " "messages stay in their threads when moved"
printf 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\nReferences: <a@x>\nSubject: Undelivered\n\n--b--\n' | store-deliver -a alice
like "$(store-thread -a alice 1 | grep Undelivered | cut -f 2,5)" '^1	collapsed,dsn$' "S-16 a DSN joins its original's thread, whatever its subject"

exits 1 "no message: 1" store-thread -a alice 99
exits 100 "no uid to mark is a usage error" store-thread -M -a alice
exits 100 "nor is -u alone" store-thread -u -a alice 1
exits 100 "no such mailbox" store-thread -a alice -m None
exits 0 "verifydata is content" verifydata
is "$(cat .out)" "" "and prints nothing"
sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\.Dl //p' "$TOP/man/store-thread.1" >examples
while read -r line; do
	ok "store-thread(1) example: $line" sh -c "$line"
done <examples
done_testing
