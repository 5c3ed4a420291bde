#!/bin/sh
# smtp-out-kill.t - kill -9 at the system calls of smtp-out, of its parent and
# of the child that makes the attempt: the message waits, and goes when there
# is an smtp-out again; cut off behind the peer's answer it goes twice
. "$(dirname "$0")/../tap.sh"
need strace python3 pgrep
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
[ -z "${SAN:-}" ] || skip_all "sanitizers and strace do not mix"
. "$TOP/tests/queue.sh"
bg "$PYTHON" "$TOP/tests/cmd/smtp-out-server.py" -p sink.port -l sink.log
wait_for 10 test -s sink.port || exit 111
conf 'route = smart to smart.example' '[transport "smart"]' 'type = relay' \
    'host = 127.0.0.1' "port = $(cat sink.port)" 'verify = no' '[queue]' 'private-addresses = yes'
rm -f run/smtp-out
out_start() { # [STRACE OPTION...]
	rm -f run/smtp-out
	bg unix-bind -m 600 run/smtp-out strace -f -qq -o trace "$@" smtp-out 2>>out.err
	out_pid=$bg_pid
	wait_for 10 test -S run/smtp-out
}
# whatever is left of it: children outlive a parent that was killed
out_stop() {
	for p in $(pgrep -P "$out_pid"); do kill "$p" 2>/dev/null; done
	wait "$out_pid" 2>/dev/null
}
ended() { [ "$(queue-retired list "$1" | wc -l)" = 1 ]; }
run_start
out_start
id=$(add attempt a@smart.example)
ok "(a message goes to the smart host)" wait_for 10 ended "$id"
out_stop
cp trace probe
# numbers are each process's own: those of the longest, the child
points_of() { awk '{ c = $2; sub(/[(].*/, "", c); k = $1 " " c; n[k]++; if (n[k] > most[c]) most[c] = n[k] }
    END { for (c in most) for (i = 1; i <= most[c]; i++) print c, i }' "$1"; }
points_of probe | grep -E '^(read|write|writev|close|connect|sendto|sendmsg|recvmsg|recvfrom|poll|ppoll|socket|accept4|clone|epoll_ctl|pread64) ' | sort >list
bad= hit=0 twice=0
while read -r call n <&3; do
	: >sink.log
	out_start -e trace="$call" -e "inject=$call:signal=KILL:when=$n"
	id=$(add "attempt-$call-$n" a@smart.example)
	if ! wait_for 10 sh -c "queue-retired list $id | grep -q . || queue-list $id | cut -f 11 | grep -q '^[45]' || ! kill -0 $out_pid"; then
		bad="$bad stuck:$call:$n"
	fi
	if ! ended "$id"; then
		hit=$((hit + 1))
		out_stop
		out_start
		queue-schedule -w now "$id" >/dev/null
		wait_for 10 ended "$id" || bad="$bad lost:$call:$n"
	fi
	out_stop
	[ "$(queue-retired list "$id" | cut -f 2)" = relayed ] || bad="$bad end:$call:$n"
	case $(grep -c '^message' sink.log) in
	1) ;;
	2) twice=$((twice + 1)) ;;
	*) bad="$bad sent:$call:$n:$(grep -c '^message' sink.log)" ;;
	esac
done 3<list
is "$bad" "" "smtp-out killed at each of $(wc -l <list) points ($hit times with work left): nothing lost, sent twice $twice times"
ok "kills met it at work" test $hit -gt 10
run_stop
done_testing
