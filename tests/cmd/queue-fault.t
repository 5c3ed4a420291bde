#!/bin/sh
# queue-fault.t - the disk is full, at each system call that may find it so
# and for a while: nothing is lost or left behind, senders hear 452 4.3.1
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
suppress-remove -a alice bad@one.example >/dev/null

# ---- a disk that is full for a while ----
if [ -n "${PIPEMAIL_OWN_MOUNTS:-}" ]; then
	rm -rf var/queue; mkdir var/queue
	mount -t tmpfs -o size=1m none var/queue || exit 111
	conf 'connections = 20'
	fill() { cat /dev/zero >var/queue/filler 2>/dev/null; }
	taken=
	i=0
	while [ $i -lt 8 ]; do i=$((i + 1)); taken="$taken $(add "held$i" "good$i@x$i.example" "bad$i@x$i.example")"; done
	is "$(echo "$taken" | wc -w) $(queued)" "8 16" "(eight messages on a small disk)"
	fill
	before=$(files)
	add_one env >out 2>err
	is "$? $(cat out)$(grep -c 'fatal: 452 4.3.1 no space' err) $(queued) $(files)" "111 1 16 $before" "a full disk: queue-add says 452 4.3.1, and leaves nothing"
	big() { { cat msg; head -c 600000 /dev/zero | tr '\0' x | fold -w 70; } | queue-add -a alice -f alice@own.example a@one.example >out 2>err; }
	rm var/queue/filler; head -c 100000 /dev/zero >var/queue/filler
	big
	is "$? $(grep -c 'fatal: 452 4.3.1 no space' err) $(files)" "111 1 $before" "a message that has no room while others would: the same"
	fill
	: >jobs.log; rm -f texts/*; : >run.err
	run_start
	# it may be that there is room for the first commits
	ok "a full disk: queue-run says so" wait_for 20 grep -q 'cannot write' run.err
	wait_for 3 false
	ok "and goes on" kill -0 "$run_pid"
	rm var/queue/filler
	ok "with room again all that was taken goes" empty 30
	bad=
	for m in $taken; do
		got=$(queue-retired list "$m" | cut -f 1,2 | tr '\t\n' ' ;')
		[ "$got" = "$m.1 delivered;$m.2 failed;" ] || bad="$bad $m:$got"
	done
	is "$bad" "" "each recipient has the one end that is its own"
	is "$(grep -l 'multipart/report' texts/* | wc -l)" 8 "and each sender the one DSN"
	is "$(jobs begin x)" 8 "nothing was sent twice"
	run_stop
	umount var/queue
	conf
else
	skip "a disk that is full for a while" "no mounts here"
fi

done_testing
