#!/bin/sh
# queue-run.t - the scheduler: when, how many at once, and what results mean
. "$(dirname "$0")/../tap.sh"
need python3
. "$TOP/tests/queue.sh"

conf 'connections = 6' 'connections-per-destination = 2'
fake_start

# ---- grouping (Q-1, Q-4) ----
rcpts=$(awk 'BEGIN { for (i = 0; i < 1000; i++) printf "u%d@d%d.example ", i, i % 10 }')
# shellcheck disable=SC2086
id=$(add thousand $rcpts)
is "$(queued)" 1000 "Q-1 a record for each recipient" 2>/dev/null
run_start
ok "Q-4 1,000 recipients are delivered" empty 20
is "$(jobs begin)" 10 "Q-4 1,000 recipients at 10 domains are 10 jobs"
is "$(queue-retired list "$id" | cut -f 2 | sort | uniq -c | tr -s ' ')" " 1000 delivered" "each with its own result"
is "$(find var/queue/message -type f | wc -l)" 0 "the text goes with the last recipient"

# ---- how many at once (Q-3) ----
: >jobs.log
i=0
while [ $i -lt 6 ]; do i=$((i + 1)); add "same$i" "a@slow3.example" >/dev/null; done
i=0
while [ $i -lt 10 ]; do i=$((i + 1)); add "other$i" "a@slow3.x$i.example" >/dev/null; done
ok "Q-3 all are delivered" empty 30
cat >most.py <<'P'
import json, sys
all_, per, now, most = 0, 0, {}, 0
for l in open("jobs.log"):
    j = json.loads(l)
    if j["event"] == "close":
        continue
    d = j["domain"]
    now[d] = now.get(d, 0) + (1 if j["event"] == "begin" else -1)
    all_ = max(all_, sum(now.values()))
    per = max(per, max(now.values()))
print(all_, per)
P
is "$($PYTHON most.py)" "6 2" "Q-3 at most 6 connections at once, 2 to one destination, and that many"

# ---- dead destinations (B-33) ----
: >jobs.log
i=0
queue-holdrule add -t dead.example >rule
while [ $i -lt 30 ]; do i=$((i + 1)); add "dead$i" "a@dead.example" >/dev/null; done
queue-holdrule remove "$(cut -f 1 rule)"
is "$(queue-list -H yes | wc -l)" 30 "Q-16 a hold rule holds new messages"
queue-release -t '*@dead.example' >released
start=$(date +%s)
live=$(add live a@live.example)
ok "B-33 a dead destination does not delay a live one" empty 5 "$live"
ok "B-33 all that waits there has its attempt" wait_for 10 sh -c '[ "$(queue-list -t "*@dead.example" | cut -f 5,11 | sort -u)" = "1	4.4.1" ]'
is "$(jobs begin dead.example)" 1 "B-33 by one connection that was tried"
is "$(queue-show -j "$(queue-list -t '*@dead.example' | cut -f 1 | tail -1)" | grep -c '"record":"attempt"')" 1 "Q-21 the attempt is recorded for those that shared it"
touch alive
queue-schedule -w now -t '*@dead.example' >/dev/null
ok "B-33 when it is scheduled by hand a host counts as alive again" empty 10 -t '*@dead.example'
rm alive
: >jobs.log
add deada a@dead2.example >/dev/null
wait_for 5 sh -c 'queue-list -t "*@dead2.example" | grep -q 4.4.1'
second=$(add deadb b@dead2.example)
sleep 0.5
is "$(jobs begin dead2.example) $(queue-list "$second" | cut -f 5)" "1 0" "B-33 a new message for a host that was dead just now waits"
wake() { $PYTHON -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect("run/queue"); s.sendall(sys.argv[1].encode() + b"\n"); s.close()' "$1"; }
touch alive
wake "revive dead2.example"
ok "B-33 revive: it is tried at once" empty 5 "$second"
rm alive
queue-drop -A >/dev/null

: >jobs.log
i=0
while [ $i -lt 8 ]; do i=$((i + 1)); add "single$i" a@single.example >/dev/null; done
ok "B-33 a host that takes one connection at a time gets the mail" wait_for 15 sh -c '[ "$(queue-list -t "*@single.example" | wc -l)" -le 1 ]'
is "$(jobs begin single.example) $(queue-list -t '*@single.example' | cut -f 5,11)" "8 1	4.4.1" "B-33 what its refusal of a second one delays is one message, not all"
queue-drop -A >/dev/null

# ---- results and DSNs (Q-13 to Q-15) ----
: >jobs.log; rm -f texts/*
id=$(add mixed good@m.example bad1@m.example bad2@m.example)
ok "all have ended" empty 10
is "$(queue-retired list "$id" | cut -f 1,2,11 | tr '\t\n' ' ;')" "$id.1 delivered 2.0.0;$id.2 failed 5.1.1;$id.3 failed 5.1.1;" "Q-4 each recipient has its own result"
dsn=$(grep -l 'Action: failed' texts/* | head -1)
is "$(grep -l 'multipart/report' texts/* | wc -l) $(dsn-make -p <"$dsn" | cut -f 1-4 | tr '\t\n' ' ;')" \
    "1 bad1@m.example failed 5.1.1 550;bad2@m.example failed 5.1.1 550;" "Q-13 one DSN tells of both failures"
like "$(cat "$dsn")" '^References: <mixed@own.example>' "Q-14 with References to the message"
is "$(queue-retired list -f '<>' | cut -f 7,9,10 | tail -1)" "alice	alice@own.example	transport:local" "Q-13, Q-15 it goes to the sender, in the account's name"
rm -f texts/*
id=$(text nulls | queue-add -a alice bad3@m.example)
ok "a message of a null sender ends" empty 10
is "$(grep -l multipart/report texts/* | wc -l)" 0 "a null sender gets no DSN"

bg unix-bind -m 600 run/queue-add queue-add 2>qa.err
wait_for 5 test -S run/queue-add
ask() { text "${subject:-frame}" | $PYTHON "$TOP/tests/queue-add-client.py" run/queue-add account=alice sender=alice@own.example "$@"; }
rm -f texts/*
ask rcpt=bad5@m.example rcpt-notify=1 >/dev/null
ask rcpt=good5@m.example rcpt-notify=4 >/dev/null
ok "NOTIFY=NEVER and FAILURE" empty 10
is "$(grep -l multipart/report texts/* | wc -l)" 0 "B-17 NOTIFY=NEVER: no failure DSN; FAILURE: none of success"
ask rcpt=relay5@m.example rcpt-notify=2 "rcpt-orcpt=rfc822;first@m.example" envid=env-1 >/dev/null
ok "NOTIFY=SUCCESS" empty 10
is "$(cat texts/* | dsn-make -p | cut -f 1,2,3)" "" "B-17 several messages are no DSN" 2>/dev/null
dsn=$(grep -l 'Action: relayed' texts/* | head -1)
is "$(dsn-make -p <"${dsn:-/dev/null}" | cut -f 1-3,7,8)" "relay5@m.example	relayed	2.0.0	rfc822;first@m.example	env-1" \
    "B-17 NOTIFY=SUCCESS: a relayed DSN with ORCPT and ENVID"

# ---- RET (RFC 3461 4.3) ----
rm -f texts/*
subject=full; ask rcpt=relay8@m.example rcpt-notify=2 ret-full=1 >/dev/null
ask rcpt=bad8@m.example ret-full=1 >/dev/null
ok "RET=FULL" empty 10
is "$(grep -c '^body of full' $(grep -l 'Action: relayed' texts/*))" 0 "B-17 RET=FULL: a DSN of success has the header only"
is "$(grep -c '^body of full' $(grep -l 'Action: failed' texts/*))" 1 "B-17 one of failure has the message"
suppress-remove -a alice bad8@m.example >/dev/null
rm -f texts/*
ask rcpt=bad8@m.example requiretls=1 ret-full=1 >/dev/null
subject=
ok "REQUIRETLS" empty 10
is "$(grep -c '^body of full' $(grep -l 'Action: failed' texts/*))" 0 "T-4 RET=FULL does not count with REQUIRETLS (RFC 8689 5)"
is "$(queue-retired show -j "$(queue-retired list -f '<>' | tail -1 | cut -f 1)" | grep -o '"requiretls":"[a-z]*"' | sort -u)" '"requiretls":"yes"' "T-4 the DSN of a message with REQUIRETLS has it too"
suppress-remove -a alice bad8@m.example >/dev/null

# ---- DELIVERBY (RFC 2852) ----
: >jobs.log; rm -f texts/*
by=$(($(date +%s) - 1))
ask rcpt=good7@by.example deliver-by=$by by-return=1 >/dev/null
ok "B-17 BY with R, and the time is over" empty 10
is "$(jobs begin by.example) $(cat texts/* | dsn-make -p | cut -f 1-3)" "0 good7@by.example	failed	5.4.7" "B-17 it is returned, not delivered late"
ask rcpt=good7@by.example deliver-by=$by >/dev/null
ok "B-17 with N" empty 10
is "$(jobs begin by.example)" 1 "B-17 it is delivered late"
by=$(($(date +%s) + 300))
ask rcpt=later7@by.example deliver-by=$by by-return=1 >/dev/null
ok "B-17 a failure for now" wait_for 5 sh -c 'queue-list -t later7@by.example | grep -q 4.2.0'
is "$(date -d "$(queue-list -j -t later7@by.example | sed 's/.*"next":"\([^"]*\)".*/\1/')" +%s)" "$by" "B-17 it is returned when the time is over, not at the next attempt"
queue-drop -t later7@by.example >/dev/null
rm -f texts/*
subject='grüße' ask rcpt=badü@m.example smtputf8=1 >/dev/null
ok "a recipient beyond ASCII fails" empty 10
dsn=$(grep -l 'multipart/report' texts/* | head -1)
like "$(cat "$dsn")" '^Content-Type: message/global-delivery-status' "N-7 R-33 its DSN is of the UTF-8 form (RFC 6533)"
like "$(cat "$dsn")" '^Final-Recipient: utf-8; badü@m.example$' "N-7 with the address as it is"
is "$(sed '/^$/q' "$dsn" | LC_ALL=C grep -c '[^ -~]')" 0 "N-7 and a header that needs no SMTPUTF8"
suppress-remove -a alice badü@m.example >/dev/null

# ---- suppression (Q-23) ----
is "$(suppress-list -a alice | cut -f 2 | tr '\n' ' ')" "bad1@m.example bad2@m.example bad3@m.example bad5@m.example " "Q-23 addresses that failed with 550 are suppressed"
: >jobs.log; rm -f texts/*
id=$(add again bad1@m.example)
ok "Q-23 a message to one ends" empty 10
is "$(queue-retired list "$id" | cut -f 2) $(jobs begin m.example)" "suppressed 0" "Q-23 without an attempt"
is "$(cat texts/* | dsn-make -p | cut -f 1,2)" "bad1@m.example	failed" "Q-23 and the sender is told"
suppress-remove -a alice bad1@m.example >/dev/null
id=$(add again bad1@m.example)
ok "Q-23 removed from the list" empty 10
is "$(queue-retired list "$id" | cut -f 2) $(jobs begin m.example)" "failed 1" "Q-23 it is tried again"

# ---- disabled sender domain (Q-31) ----
: >jobs.log
printf '[domain]\ndisabled = yes\n' >etc/domains/other.example.conf
config-compile >/dev/null
printf 'From: alice@other.example\nSubject: d\n\nx\n' >d.msg
printf '[domain]\n' >etc/domains/other.example.conf; config-compile >/dev/null
queue-holdrule add -f other.example >rule
id=$(queue-add -a alice -f alice@other.example x@q.example <d.msg)
printf '[domain]\ndisabled = yes\n' >etc/domains/other.example.conf; config-compile >/dev/null
queue-holdrule remove "$(cut -f 1 rule)"
queue-release "$id" >/dev/null
ok "Q-31 a message of a disabled domain has an attempt" wait_for 5 tried "$id"
is "$(col "$id" 11) $(jobs begin q.example)" "4.2.1 0" "Q-31 that failed for now, without a connection"
printf '[domain]\n' >etc/domains/other.example.conf; config-compile >/dev/null
queue-schedule -w now "$id" >/dev/null
ok "Q-31 enabled, it goes" empty 5 "$id"

# ---- routes changed while queued (Q-7), configuration replaced, SIGHUP ----
: >jobs.log
text route >r.msg
queue-holdrule add -t r.example | cut -f 1 >rule
id=$(queue-add -a alice -f alice@own.example x@r.example <r.msg)
conf 'connections = 6' 'connections-per-destination = 2' 'route = hub to r.example'
queue-holdrule remove "$(cat rule)"
queue-release "$id" >/dev/null
ok "Q-7 a message whose route changed while it waited goes" empty 5 "$id"
is "$(queue-retired list "$id" | cut -f 10)" "transport:hub" "Q-7 by the new route"
# a transport of the type direct: hosts are those of each domain
: >jobs.log
v4_conf() {
	printf '[server]\nhostname = mx.own.example\n' >etc/main.conf
	printf '[transport "%s"]\ntype = relay\nhost = x.example\n' hub other >>etc/main.conf
	printf '[transport "v4"]\ntype = direct\nipv6 = no\n[queue]\n' >>etc/main.conf
	for conf_line; do printf '%s\n' "$conf_line"; done >>etc/main.conf
	config-compile >/dev/null || exit 111
}
v4_conf 'connections = 6' 'connections-per-destination = 2' 'route = v4 to t1.example t2.example dead.t3.example'
id=$(add domains a@t1.example b@t2.example c@dead.t3.example d@t1.example)
ok "Q-6 a direct transport, three domains" wait_for 5 sh -c '[ "$(queue-list "$1" | cut -f 11)" = 4.4.1 ]' sh "$id"
is "$($PYTHON -c 'import json
print(sorted((j["domain"], j["rcpts"]) for j in map(json.loads, open("jobs.log")) if j["event"] == "begin"))')" \
    "[('dead.t3.example', ['c@dead.t3.example']), ('t1.example', ['a@t1.example', 'd@t1.example']), ('t2.example', ['b@t2.example'])]" \
    "Q-6 each domain's mail goes to its own hosts"
is "$(queue-list -T v4 | cut -f 1,10)" "$id.3	transport:v4/dead.t3.example" "Q-19 what goes by it is found by its name"
id2=$(add domains a@t1.example)
ok "B-33 that one domain is dead does not delay another of the same transport" empty 5 "$id2"
queue-drop "$id" >/dev/null
# recipients of one message and transport whose routes part
: >jobs.log
v4_conf 'connections = 6' 'connections-per-destination = 2' 'route = hub to p1.example p2.example'
queue-holdrule add -t p1.example | cut -f 1 >rule
queue-holdrule add -t p2.example | cut -f 1 >>rule
id=$(add part a@p1.example b@p2.example)
v4_conf 'connections = 6' 'connections-per-destination = 2' 'route = other to p1.example' 'route = hub to p2.example'
while read -r one; do queue-holdrule remove "$one"; done <rule
queue-release "$id" >/dev/null
ok "Q-7 routes of one message's recipients part" empty 5 "$id"
is "$(queue-retired list "$id" | cut -f 1,10 | tr '\t\n' ' ;')" "$id.1 transport:other;$id.2 transport:hub;" "Q-7 each goes by its own"
conf 'connections = 1' 'connections-per-destination = 1'
kill -HUP "$run_pid"
sleep 0.3
: >jobs.log
for i in 1 2 3 4; do add "one$i" "a@slow2.y$i.example" >/dev/null; done
ok "SIGHUP" empty 20
is "$($PYTHON most.py)" "1 1" "SIGHUP: the new limits hold"
conf 'connections = 6' 'connections-per-destination = 2'
kill -HUP "$run_pid"

# ---- smtp-out misbehaves ----
for what in die trash huge wrong; do
	id=$(add "$what" "$what@$what.example")
	ok "smtp-out, $what: a temporary failure" wait_for 5 tried "$id"
	case $what in
	die) want='smtp-out ended' ;;
	*) want='smtp-out sent something unreadable' ;;
	esac
	is "$(col "$id" 11) $(col "$id" 12)" "4.3.0 $want" "smtp-out, $what: recorded as that"
done
id=$(add twice twice@twice.example)
ok "smtp-out says a result twice: the first counts" wait_for 5 sh -c "queue-retired list $id | grep -q delivered"
id=$(add after after@after.example b@after.example)
ok "smtp-out ends after one result" wait_for 5 tried "$id.2"
is "$(queue-retired list "$id" | cut -f 1,2) $(col "$id.2" 12)" "$id.1	delivered smtp-out ended" "the result it gave counts, the other waits"
id=$(add maybe maybe@cut.example)
ok "cut off after the end mark: it waits" wait_for 5 tried "$id"
like "$(queue-show -j "$id")" '"outcome":"unknown"' "cut off after the end mark: recorded as unknown"
queue-drop -A >/dev/null

# ---- not running ----
kill "$fake_pid"; wait "$fake_pid" 2>/dev/null
rm -f run/smtp-out
: >run.err
id=$(add gone a@gone.example)
sleep 2.5
is "$(grep -c 'cannot reach' run.err)" 1 "smtp-out is not there: said once"
is "$(col "$id" 5)" 0 "and no attempt is counted"
fake_start
ok "it is back: mail goes on" empty 5 "$id"

# ---- one scheduler ----
exits 111 "a second queue-run does not start" queue-run </dev/null
like "$(cat .err)" 'run.lock' "and says why"

# ---- SIGTERM with jobs under way ----
: >jobs.log
id=$(add quick a@slow5.example)
wait_for 5 test -s jobs.log
ok "SIGTERM: exits 0" run_stop
is "$(queued "$id")" 0 "SIGTERM: a result that comes at once is stored"
run_start
: >jobs.log
id=$(add slow a@slow60.example)
wait_for 5 test -s jobs.log
start=$(date +%s)
run_stop
ok "SIGTERM: a job that takes longer is left" test $(($(date +%s) - start)) -le 5
is "$(col "$id" 5)" 1 "the attempt stays counted, with a next time"
run_start
sleep 0.5
is "$(jobs begin slow60)" 1 "Q-3 after a start it is not sent again before its time"
queue-drop -A >/dev/null

# ---- under way while the administrator changes it ----
: >jobs.log; rm -f texts/*
# the first shows that a host is there: more connections are allowed then
add before a@slow9.example >/dev/null
id=$(add resched a@slow9.example)
wait_for 5 sh -c '[ "$(grep -c begin jobs.log)" = 2 ]'
queue-schedule -w now "$id" >/dev/null
ok "scheduled while it is under way" empty 5 "$id"
is "$(jobs begin slow9)" 2 "a job under way is not begun twice"
: >jobs.log
id=$(add dropped bad@slow9.example)
wait_for 5 test -s jobs.log
is "$(queue-drop "$id")" "$id.1" "dropped while it is under way"
wait_for 5 grep -q '"end"' jobs.log
sleep 1
is "$(queue-retired list "$id" | cut -f 2) $(grep -l multipart/report texts/* | wc -l)" "dropped 0" "it stays dropped, and its failure is not told"
rm -f texts/*
: >jobs.log
id=$(add failed bad@slow9.example)
wait_for 5 test -s jobs.log
queue-fail "$id" >/dev/null
wait_for 5 grep -q '"end"' jobs.log
ok "failed by hand while it is under way" empty 5
is "$(grep -l multipart/report texts/* | wc -l)" 1 "is told once"
: >jobs.log
id=$(add heldon later@slow9.example)
# it is under way once its attempt is counted
wait_for 10 sh -c "[ \"\$(queue-list $id | cut -f 5)\" = 1 ]"
queue-hold "$id" >/dev/null
wait_for 5 tried "$id"
wait_for 5 sh -c "queue-list $id | grep -q 4.2.0"
is "$(col "$id" 2) $(col "$id" 11)" "held 4.2.0" "held while it is under way: the result is stored, it stays held"
queue-drop -A >/dev/null
is "$(find var/queue/message -type f | wc -l)" 0 "no file is left behind"
run_stop

# ---- the clock ----
if ! clock_build; then
	skip "Q-2 waits" "no compiler for the clock, or sanitizers"
	done_testing
fi
run_with="env LD_PRELOAD=$TMP/clock.so"
now() { date +%s; }
at_of() { queue-show -j "$1" | sed -n "s/.*\"record\":\"recipient\".*\"$2\":\"\([^\"]*\)\".*/\1/p"; }
secs() { date -d "$1" +%s; }
clock_set 0
run_start
: >jobs.log; rm -f texts/*
id=$(add waits later@w.example)
wait_for 5 tried "$id"
gaps= n=1 seen=
while :; do
	next=$(secs "$(at_of "$id" next)"); last=$(secs "$(at_of "$id" last)")
	gaps="$gaps $((next - last))"
	[ $n -ge 25 ] && break
	clock_set $((next + 1 - $(now)))
	wake wake
	n=$((n + 1))
	wait_for 5 sh -c "! queue-list $id || [ \$(queue-list $id | cut -f 5) = $n ]" >/dev/null
	sleep 0.1
	seen="$seen $(grep -l 'Action: delayed' texts/* 2>/dev/null | wc -l)"
	queue-list "$id" >/dev/null || break
done
is "$(echo "$gaps" | tr ' ' '\n' | awk 'NF { w = n < 6 ? 450 * 2 ^ n : 28800; s = n < 6 ? 5 * 2 ^ n : 320
    if ($1 < w - s || $1 > w + s) printf "wait %d: %d ", n + 1, $1; n++ }')" "" "Q-2 waits of 7.5, 15, 30 min, 1, 2, 4, 8 h, then 8 h:$gaps"
is "$(queued "$id") $(queue-retired list "$id" | cut -f 2,11)" "0 failed	5.4.7" "Q-2 after five days it has failed ($n attempts)"
is "$(grep -l 'Action: delayed' texts/* | wc -l)" 1 "Q-13 the delay DSN came once:$seen"
is "$(echo "$seen" | tr ' ' '\n' | grep -n 1 | head -1)" "7:1" "Q-13 with the first failure after four hours"
is "$(grep -l 'Action: failed' texts/* | wc -l)" 1 "Q-13 the failure DSN came once"
is "$(sed -n '/^Action: failed/,/^$/p' texts/* | grep -E '^(Status|Diagnostic)')" "Status: 5.4.7
Diagnostic-Code: smtp; 450 come again" "Q-13 which quotes the server and does not put words into its mouth"
like "$(cat $(grep -l 'Action: failed' texts/*))" "^  given up after $n attempts; the last:" "Q-13 and says why it is the end"
like "$(cat $(grep -l 'Action: delayed' texts/*))" '^Will-Retry-Until:' "Q-13 the delay DSN says until when"
is "$(queue-show "$id" 2>/dev/null; queue-retired show -j "$id" | grep -c '"record":"attempt"')" "$n" "Q-21, Q-22 every attempt is kept, after the end too"

# ---- reports (Q-30) ----
clock_set 0; wake wake; sleep 0.2
rm -f texts/*
ask rcpt=later@rep.example kind=2 >rep.out
id=$(sed -n 2p rep.out)
wait_for 5 tried "$id"
n=1
while [ $n -lt 8 ] && queue-list "$id" >/dev/null; do
	clock_set $(($(secs "$(at_of "$id" next)") + 1 - $(now)))
	wake wake
	n=$((n + 1))
	wait_for 5 sh -c "! queue-list $id || [ \$(queue-list $id | cut -f 5) = $n ]" >/dev/null
	sleep 0.3	# its result
done
is "$n $(queue-retired list "$id" | cut -f 2)" "5 failed" "Q-30 a report is given up after 5 attempts"
is "$(grep -l 'Action: delayed' texts/* | wc -l)" 0 "Q-30 without a delay DSN"

# ---- what is kept (Q-22) ----
is "$(text none | sed s/alice/bob/ | queue-add -a bob -f bob@own.example x@q.example >bob.id; empty 5 "$(cat bob.id)"; queue-retired list -a bob | wc -l)" 0 "Q-22 keep-retired 0: nothing is kept"
run_stop
clock_set 7300
run_start
ok "Q-22 what was kept long enough goes" wait_for 5 sh -c "! queue-retired list -s ..@$(($(now) + 60)) -e ..@$(($(now) + 60))"
clock_set 0

# ---- the clock is set back ----
run_stop
clock_set 86400
run_start
id=$(add back later@back.example)
wait_for 5 tried "$id"
day=$(secs "$(at_of "$id" next)")
ok "(a day ahead)" test "$day" -gt $(($(now) + 86000))
far=$(add far later@far.example)
wait_for 5 tried "$far"
queue-schedule -w @$((day + 3 * 86400)) "$far" >/dev/null
clock_set 0
wake wake
ok "the clock is set back by a day: the next time comes down with it" wait_for 5 sh -c "[ \$(date -d \"\$(queue-list $id | cut -f 4)\" +%s) -lt $(($(now) + 2000)) ]"
is "$(secs "$(at_of "$far" next)")" $((day + 3 * 86400)) "Q-2 what the administrator put off stays put off"
like "$(cat run.err)" 'the clock was set, by -(86400|86399|86401) s' "and it is said"
queue-drop -A >/dev/null
ok "it ends" run_stop
done_testing
