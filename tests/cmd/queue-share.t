#!/bin/sh
# queue-share.t - a host that is dead fails a message that was not tried: the
# DSN's file is gone when what it belongs to cannot be stored
. "$(dirname "$0")/../tap.sh"
need strace python3
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
[ -z "${SAN:-}" ] || skip_all "sanitizers and strace do not mix"
. "$TOP/tests/queue.sh"

fake_start
bg unix-bind -m 600 run/queue-add queue-add 2>qa.err
wait_for 5 test -S run/queue-add
ask() { text frame | $PYTHON "$TOP/tests/queue-add-client.py" run/queue-add account=alice sender=alice@own.example "$@" >/dev/null; }
queue-holdrule add -t own.example >/dev/null	# DSNs stay
# two for a dead host: the first is tried, the second is over
fill() {
	queue-drop -A >/dev/null; queue-drop -A >/dev/null
	find var/queue -path "*message*" -type f -delete
	queue-holdrule add -t dead.example | cut -f 1 >rule
	add first a@dead.example >/dev/null
	ask rcpt=b@dead.example deliver-by=$(($(date +%s) - 1)) by-return=1
	queue-holdrule remove "$(cat rule)"
	queue-release -A >/dev/null
	: >run.err
}
told() { [ "$(queue-list -f '<>' | wc -l)" = 1 ]; }
settled() { told || grep -q 'cannot write' run.err || ! kill -0 $tracer; }
# run_at [CALL N]: its Nth CALL finds no space
run_at() {
	strace -f -qq -o trace -e trace=pwrite64,pwritev,fdatasync,fsync,linkat ${1:+-e "inject=$1:error=ENOSPC:when=$2"} queue-run </dev/null 2>>run.err &
	tracer=$!
	wait_for 20 settled
	kill -TERM "$(pgrep -P $tracer)" 2>/dev/null
	wait $tracer 2>/dev/null
}
# what no record names
orphans() {
	find var/queue/message -type f | sed 's/.*\///' | sort >have
	queue-list | cut -f 1 | sed 's/\..*//' | sort -u >named
	comm -23 have named | wc -l
}
fill
run_at
ok "B-33 the failure of one that was not tried is told" told
is "$(orphans)" 0 "(every file has its record)"
sed 's/^[0-9]* *//; s/(.*//' trace | awk '{ print $1, ++n[$1] }' >points
# whether the last sync of a commit counts nobody knows: doc/queue.md
doubt=$(grep fdatasync points | tail -1)
bad= failed=0
while read -r call n <&3; do
	[ "$call $n" != "$doubt" ] || continue
	fill
	run_at "$call" "$n"
	grep -q 'cannot write' run.err && failed=$((failed + 1))
	[ "$(orphans)" = 0 ] || bad="$bad $call:$n"
done 3<points
is "$bad" "" "B-33 no space at each of $(wc -l <points) points ($failed times it is said): no file is left that nobody knows"
ok "(it happened)" test "$failed" -gt 2
done_testing
