#!/bin/sh
# stage-fault - a stage that crashes or hangs: 451, nothing is delivered, and
# the log says which stage it was
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/dns-fixture"

echo '{ "_dmarc.slow.example": { "*": "TIMEOUT" }, "1.2.0.192.bl.example": { "*": "TIMEOUT" },
  "1.0.0.127.bl.example": { "*": "TIMEOUT" }, "2.0.0.127.bl.example": { "*": "TIMEOUT" } }' >stub.json
dns_stub_start -l "$TMP/asked" stub.json
main_conf '' 'stages-in ='
start_lmtp
printf '#!/bin/sh\ncat >/dev/null\nkill -SEGV $$\n' >"$TMP/crash"
printf '#!/bin/sh\ncat >/dev/null\nexec sleep 100\n' >"$TMP/hang"
printf '#!/bin/sh\ncat >/dev/null\nexit 7\n' >"$TMP/odd"
printf '#!/bin/sh\ncat >/dev/null\nexit 111\n' >"$TMP/later"
printf '#!/bin/sh\ncat >/dev/null\n' >"$TMP/empty"
chmod +x "$TMP/crash" "$TMP/hang" "$TMP/odd" "$TMP/later" "$TMP/empty"

dialogue() {
	printf 'EHLO mail.example.net\r\nMAIL FROM:<a@slow.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n'
	printf 'From: a@slow.example\r\nSubject: one\r\n\r\nHello\r\n.\r\nQUIT\r\n'
}
stored() { find var/accounts/alice/Maildir -type f -path '*/new/*' 2>/dev/null | wc -l; }
# fault STAGE WHY: its reply and its log line
fault() {
	main_conf '' "stages-in = $TMP/$1
stage-timeout = 2s"
	dialogue | timeout 30 smtp-in 2>err | grep -a '^[45]5' | tail -1 >reply
	like "$(cat reply)" '^451 4\.3\.0 a filter ' "$1: the client is told to come again"
	like "$(cat err)" "m=refused .*stage=$TMP/$1( |$)" "$1: the log says which stage"
	like "$(cat err)" "$2" "$1: and why"
}
fault crash 'why="it was killed by a signal"'
fault hang 'why="it did not end in time"'
fault odd 'why="its exit code is none of a filter"'
fault later 'why="it asked for a later try"'
fault empty 'a filter printed no message'
is "$(stored)" 0 "nothing of it is delivered"

# a builtin one, hit while it waits for DNS
main_conf '' 'stages-in = spf-check dmarc-check'
sed -i 's/^\(dns-[a-z-]*\) = 1s/\1 = 30s/' etc/main.conf
config-compile || exit 111
: >asked
mkfifo in; exec 9<>in
bg sh -c 'exec smtp-in <in >replies 2>err'
session=$bg_pid

dialogue | sed '/^QUIT/d' >&9
wait_for 20 grep -q _dmarc.slow.example asked
wait_for 20 grep -q '^354' replies
kill -SEGV "$session"
wait "$session"
is "$?" 111 "A-13 a builtin stage crashes: exit 111"
exec 9>&-
is "$(tail -1 replies | sed 's/received-id .*/received-id ID/; s/\r//')" "451 4.3.0 a check could not be made, received-id ID" "and 451 before that"
like "$(cat err)" 'l=error m=failed id=[^ ]+ what="stage crashed" stage="dmarc-check"' "and the log has the stage"
id=$(sed -n 's/.*received-id \([A-Za-z0-9_-]*\).*/\1/p' replies | tail -1)
like "$(cat err)" "id=$id " "under the id that the client was told"
is "$(stored)" 0 "nothing is delivered"

# what judges for a recipient, hit while it waits for a list of bad senders
main_conf '' 'stages-in = iprev-check spf-check
dnsbl = bl.example' 'first-time-delay = 0s'
sed -i 's/^\(dns-[a-z-]*\) = 1s/\1 = 30s/' etc/main.conf
config-compile || exit 111
: >asked
dialogue | sed 's/slow.example/example.net/' >text
bg sh -c 'TCPREMOTEIP=192.0.2.1 PROTO=TCP exec smtp-in <text >replies 2>err'
session=$bg_pid
wait_for 20 grep -q bl.example asked
kill -SEGV "$(pgrep -P "$lmtp_pid" | head -1)"
wait "$session"
like "$(cat replies)" '^451 4\.3\.0 a check could not be made, received-id ' "J-1 who judges crashes: 451"
like "$(cat lmtp.log)" 'what="stage crashed" stage="judge"' "and the log says it"
is "$(stored)" 0 "nothing is delivered"

# and one that does not come back: stopped in the middle of it
sed -i '/^\[lmtp-in\]/a stage-timeout = 1s' etc/main.conf
config-compile || exit 111
: >asked
bg sh -c 'TCPREMOTEIP=192.0.2.1 PROTO=TCP exec smtp-in <text >replies 2>err'
session=$bg_pid
wait_for 20 grep -q bl.example asked
child=$(pgrep -P "$lmtp_pid" | tail -1)
kill -STOP "$child"
sleep 4		# its time, and the grace behind it
kill -CONT "$child"
wait "$session"
like "$(cat replies)" '^451 4\.3\.0 a check could not be made, received-id ' "J-1 who judges does not come back: 451"
like "$(cat lmtp.log)" 'what="stage did not end" stage="judge"' "and the log says it"
is "$(stored)" 0 "nothing is delivered"

# somebody else holds the account and does not come back
is_stopped() { grep -q '^State:.[Tt]' "/proc/$(pgrep -P "$1" | head -1)/status"; }
main_conf '' 'stages-in = arc-verify' 'stage-timeout = 1s
first-time-delay = 0s'
# held WHAT: no message is taken, and the log has the lock
held() {
	lines=$(grep -c . lmtp.log)
	dialogue | timeout 60 smtp-in 2>err >replies
	like "$(cat replies)" '^451 4\.3\.0 a check could not be made, received-id ' "$1 is held: 451"
	like "$(sed "1,${lines}d" lmtp.log)" 'what="stage did not end" stage="lock of account alice"' "and the log says what was waited for"
	is "$(stored)" 0 "nothing is delivered"
}
if strace -o /dev/null true 2>/dev/null && [ -z "${SAN:-}" ]; then
	bg strace -f -qq -o trace -e trace=fdatasync -e inject=fdatasync:signal=STOP store-mailbox -c -a alice Elsewhere
	strace_pid=$bg_pid
	wait_for 20 is_stopped "$strace_pid"
	held "J-1 the index, in the middle of a change,"
	kill -KILL "$(pgrep -P "$strace_pid" | head -1)"
	wait "$strace_pid" 2>/dev/null
fi
rm -rf var/accounts/alice/index
bg flock -x var/accounts/alice sleep 60
flock_pid=$bg_pid
wait_for 10 pgrep -P "$flock_pid"
held "J-1 the account, while an index would be built,"
kill "$(pgrep -P "$flock_pid" | head -1)"
wait "$flock_pid" 2>/dev/null

# and the next message goes through
main_conf '' 'stages-in = arc-verify'
dialogue | timeout 30 smtp-in 2>err >replies
like "$(cat replies)" '250 2.0.0 ok' "another message is taken"
wait_for 10 test "$(stored)" = 1
is "$(stored)" 1 "and delivered"
done_testing
