#!/bin/sh
# queue-kill.t - kill -9 at the system calls of queue-add, queue-fail and
# queue-run: what was answered is delivered or told of, once or (cut off
# behind the peer's answer) twice, never lost; orphan files are swept
. "$(dirname "$0")/../tap.sh"
need strace python3
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
[ -z "${SAN:-}" ] || skip_all "sanitizers and strace do not mix"
. "$TOP/tests/queue.sh"

CALLS='^(openat|write|writev|pwrite64|pwritev|fsync|fdatasync|close|linkat|unlinkat|mkdirat|ftruncate|connect|sendmsg|epoll_ctl)$'
# points TRACE: each call that matters with its number
points() { sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$1" | grep -E "$CALLS" | awk '{ n[$1]++; print $1, n[$1] }'; }
at() {
	at_call=$1 at_n=$2; shift 2
	strace -f -qq -o trace -e trace="$at_call" -e "inject=$at_call:signal=KILL:when=$at_n" "$@" 2>err
}
files() { find var/queue/message -type f | wc -l; }
messages() { queue-list 2>/dev/null | cut -f 1 | cut -d . -f 1 | sort -u; }

# ---- queue-add ----
text probe >msg
# the queue as it is later: once made, and with its directories
i=0
while [ $i -lt 3 ]; do i=$((i + 1)); queue-add -a alice -f alice@own.example a@one.example b@two.example <msg >/dev/null 2>&1; done
strace -f -qq -o probe queue-add -a alice -f alice@own.example a@one.example b@two.example <msg >/dev/null 2>&1
points probe >list
bad= answered=0 absent=0 whole=0
while read -r call n <&3; do
	queue-list >/dev/null && queue-drop -A >/dev/null
	at "$call" "$n" queue-add -a alice -f alice@own.example a@one.example b@two.example <msg >out
	code=$?
	ids=$(messages)
	case $code:$(cat out):$(queued) in
	0:?*:2) answered=$((answered + 1)); [ "$(cat out)" = "$ids" ] || bad="$bad id:$call:$n" ;;
	*::0) absent=$((absent + 1)) ;;
	*:*:2) whole=$((whole + 1)) ;;
	*) bad="$bad half:$call:$n:$code:$(queued)" ;;
	esac
	for m in $ids; do queue-show -m "$m" | cmp -s - msg || bad="$bad text:$call:$n"; done
done 3<list
is "$bad" "" "queue-add killed at each of $(wc -l <list) points: answered $answered, absent $absent, there unanswered $whole"
ok "both happened" test $absent -gt 5 -a $((answered + whole)) -gt 0
queue-list >/dev/null && queue-drop -A >/dev/null
orphans=$(files)
ok "kills left $orphans orphan files" test "$orphans" -gt 0
find var/queue/message -type f -exec touch -d '2 days ago' {} +
bg queue-run </dev/null 2>>run.err
ok "queue-run sweeps them" wait_for 5 sh -c '[ $(find var/queue/message -type f | wc -l) = 0 ]'
kill "$bg_pid"; wait "$bg_pid" 2>/dev/null

# ---- queue-fail: the end and its DSN are one ----
fail_one() { add failing a@one.example; }
id=$(fail_one)
strace -f -qq -o probe queue-fail "$id" >/dev/null
points probe >list
bad= before=0 after=0
while read -r call n <&3; do
	queue-list >/dev/null && queue-drop -A >/dev/null
	id=$(fail_one)
	at "$call" "$n" queue-fail "$id" >out
	case $(queued "$id"):$(queued -f '<>') in
	1:0) before=$((before + 1)); [ ! -s out ] || bad="$bad said:$call:$n" ;;
	0:1) after=$((after + 1)) ;;
	*) bad="$bad state:$call:$n:$(queued "$id"):$(queued -f '<>')" ;;
	esac
done 3<list
is "$bad" "" "queue-fail killed at each of $(wc -l <list) points: as before $before times, failed with its DSN $after times"
queue-list >/dev/null && queue-drop -A >/dev/null

# ---- queue-run: one good, one bad recipient; then it goes on ----
fake_start
one_run() { timeout 20 "$@" queue-run </dev/null 2>>run.err; }
# until nothing is queued, or it was killed
until_done() {
	until_pid=$1; until_end=$(($(date +%s) + 10))
	while kill -0 "$until_pid" 2>/dev/null && queue-list >/dev/null; do
		[ "$(date +%s)" -ge $until_end ] && return 1
		sleep 0.03
	done
}
run_at() {
	# strace ends with its tracee
	strace -f -qq -o trace ${1:+-e trace="$1" -e "inject=$1:signal=KILL:when=$2"} queue-run </dev/null 2>>run.err &
	tracer=$!
	until_done $tracer
	kill -TERM "$(pgrep -P $tracer)" 2>/dev/null
	wait $tracer 2>/dev/null
}
add probe good@one.example bad@one.example >/dev/null
run_at "" ""
cp trace probe
# before there is a job, only what changes something
awk '{ print } / connect\(/ { exit }' probe | wc -l >begun
{ points probe | grep -E '^(pwrite64|write|fsync|fdatasync|linkat|unlinkat|sendmsg|connect|epoll_ctl) '
    sed "1,$(cat begun)s/^\([0-9]* *\)\(openat\|close\)(/\1before_\2(/" probe >rest
    b=$(sed -n "1,$(cat begun)p" probe | grep -cE '^[0-9]+ +openat\('); points rest | awk -v b="$b" '$1 == "openat" { print $1, $2 + b }'
    b=$(sed -n "1,$(cat begun)p" probe | grep -cE '^[0-9]+ +close\('); points rest | awk -v b="$b" '$1 == "close" { print $1, $2 + b }'
    points rest | grep -E '^(mkdirat|ftruncate|writev|pwritev) '; } >list
bad= twice=0 killed=0
while read -r call n <&3; do
	suppress-remove -a alice bad@one.example >/dev/null
	rm -f texts/*; : >jobs.log
	id=$(add "run-$call-$n" good@one.example bad@one.example)
	run_at "$call" "$n"
	if queue-list >/dev/null; then
		killed=$((killed + 1))
		queue-schedule -w now -A >/dev/null
		queue-run </dev/null 2>>run.err &
		again=$!
		until_done $again || bad="$bad stuck:$call:$n"
		kill $again; wait $again 2>/dev/null
	fi
	got=$(queue-retired list "$id" | cut -f 1,2 | tr '\t\n' ' ;')
	[ "$got" = "$id.1 delivered;$id.2 failed;" ] || bad="$bad end:$call:$n:$got"
	d=$(grep -l 'multipart/report' texts/* | wc -l)
	[ "$d" = 1 ] || bad="$bad dsn:$call:$n:$d"
	[ "$(jobs begin one.example)" -le 2 ] || bad="$bad often:$call:$n"
	[ "$(jobs begin one.example)" -le 1 ] || twice=$((twice + 1))
done 3<list
is "$bad" "" "queue-run killed at each of $(wc -l <list) points ($killed times with work left): nothing lost, one DSN each, sent twice $twice times"
ok "kills met it at work" test $killed -gt 3
done_testing
