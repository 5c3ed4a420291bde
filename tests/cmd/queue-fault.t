#!/bin/sh
# queue-fault.t - the disk is full, at each system call that may find it so
# and for a while; the clock is set back and forward by a day: nothing is lost
# or left behind, senders are told 452 4.3.1, and what is due goes
. "$(dirname "$0")/../tap.sh"
need strace python3
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
[ -z "${SAN:-}" ] || skip_all "sanitizers and strace do not mix"
# a small disk of its own, which goes with the name space
if [ -z "${PIPEMAIL_OWN_MOUNTS:-}" ] && unshare -rm true 2>/dev/null; then
	export PIPEMAIL_OWN_MOUNTS=yes
	cd "$TOP" && rm -rf "$TMP"
	exec unshare -rm "$0"
fi
. "$TOP/tests/queue.sh"

# points TRACE: each call that may need space on the queue's disk, with its
# number among all of that name
points() {
	awk '{ sub(/^[0-9]+ +/, ""); c = $0; sub(/[(].*/, "", c); n[c]++ }
	    c ~ /^(write|writev|pwrite64|pwritev|fsync|fdatasync|linkat|mkdirat|ftruncate)$/ ||
	    c == "openat" && /queue|O_TMPFILE|O_CREAT/ { print c, n[c] }' "$1"
}
# full CALL N COMMAND...: its Nth CALL finds no space
full() {
	full_call=$1 full_n=$2; shift 2
	strace -f -qq -o trace -e trace="$full_call" -e "inject=$full_call:error=ENOSPC:when=$full_n" "$@"
}
files() { find var/queue/message -type f 2>/dev/null | wc -l; }
drop_all() { queue-drop -A >/dev/null 2>&1; }
add_one() { "$@" queue-add -a alice -f alice@own.example a@one.example b@two.example <msg; }

# ---- queue-add ----
text probe >msg
add_one strace -f -qq -o probe >/dev/null 2>&1
points probe >list
[ -s list ] || exit 111
first=$(wc -l <list)
i=0
while [ $i -lt 3 ]; do i=$((i + 1)); add_one env >/dev/null 2>&1; done
bad= refused=0 taken=0 doubt=0 orphans=0
# try CALL N NAME: what became of it
try() {
	add_one full "$1" "$2" >out 2>err
	case $?:$(queued):$(files) in
	0:2:1) taken=$((taken + 1)); [ -s out ] || bad="$bad mute:$3" ;;
	111:0:0)
		refused=$((refused + 1))
		grep -q 'fatal: 452 4.3.1 no space' err || bad="$bad said:$3:$(tail -1 err)" ;;
	# stored; its own output, or the very last sync, is what failed
	111:2:1) doubt=$((doubt + 1)); grep -qE 'cannot write: No space|452 4.3.1' err || bad="$bad whole:$3" ;;
	# the root page is in doubt: whether there are records, only who opens
	# the database anew can tell
	111:0:1) orphans=$((orphans + 1)); find var/queue/message -type f -delete ;;
	*) bad="$bad half:$3:$(queued):$(files)" ;;
	esac
}
# the first message makes all; a later one finds it made
while read -r call n <&3; do
	rm -rf var/queue
	try "$call" "$n" "first:$call:$n"
done 3<list
rm -rf var/queue
i=0
while [ $i -lt 3 ]; do i=$((i + 1)); add_one env >/dev/null 2>&1; done
add_one strace -f -qq -o probe >/dev/null 2>&1
points probe >list
while read -r call n <&3; do
	drop_all
	try "$call" "$n" "$call:$n"
done 3<list
is "$bad" "" "queue-add without space at each of $first + $(wc -l <list) points: refused $refused times with 452 4.3.1 and nothing left, taken $taken times, in doubt and there $doubt times"
ok "a file is left for the sweeper where the root page could not be written: $orphans" test $orphans -le 2
ok "both happened" test $refused -gt 20 -a $taken -gt 0
drop_all

# ---- queue-run: one good, one bad recipient ----
fake_start
rm -f texts/*
run_at() { # [CALL N]
	strace -f -qq -o trace ${1:+-e trace="$1" -e "inject=$1:error=ENOSPC:when=$2"} queue-run </dev/null 2>>run.err &
	tracer=$!
	wait_for 20 done_or_gone $tracer
	kill -TERM "$(pgrep -P $tracer)" 2>/dev/null
	wait $tracer 2>/dev/null
}
done_or_gone() { ! kill -0 "$1" || ! queue-list; }
add probe good@one.example bad@one.example >/dev/null
run_at
cp trace probe
# before this it has not begun, and ends with 111
begun=$(points probe | grep -n '^write' | head -1 | cut -d: -f 1)
points probe >list
ok "(queue-run has points to fail at)" test "$(wc -l <list)" -gt 10 -a -n "$begun"
bad= ended=0 sent2=0
while read -r call n <&3; do
	suppress-remove -a alice bad@one.example >/dev/null
	rm -f texts/*; : >jobs.log; : >run.err
	id=$(add "full-$call-$n" good@one.example bad@one.example)
	run_at "$call" "$n"
	if queue-list >/dev/null; then
		# it gave up: whoever starts it starts it again
		ended=$((ended + 1))
		queue-schedule -w now -A >/dev/null
		run_at
	fi
	got=$(queue-retired list "$id" | cut -f 1,2 | tr '\t\n' ' ;')
	[ "$got" = "$id.1 delivered;$id.2 failed;" ] || bad="$bad end:$call:$n:$got"
	d=$(grep -l 'multipart/report' texts/* | wc -l)
	[ "$d" = 1 ] || bad="$bad dsn:$call:$n:$d"
	[ "$(jobs begin one.example)" -le 1 ] || sent2=$((sent2 + 1))
	[ "$(jobs begin one.example)" -le 2 ] || bad="$bad often:$call:$n"
	[ "$(files)" -le 2 ] || bad="$bad files:$call:$n:$(files)"
	find var/queue/message -type f -delete
done 3<list
is "$bad" "" "queue-run without space at each of $(wc -l <list) points (it ended $ended times): nothing lost, one DSN each, sent twice $sent2 times"
done_testing
