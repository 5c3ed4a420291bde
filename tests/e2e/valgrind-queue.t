#!/bin/sh
# valgrind-queue.t - queue-add, queue-run and smtp-out under memcheck: no
# invalid access, and nothing of a long-lived process left at its end, after
# few deliveries and after dozens
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/memcheck.sh"
[ "${SAN:-}" != 1 ] || skip_all "sanitizers and valgrind do not mix"
need valgrind cc objcopy python3
. "$TOP/tests/queue.sh"
memcheck_prepare queue-add queue-run smtp-out
bg "$PYTHON" "$TOP/tests/cmd/smtp-out-server.py" -p sink.port -l sink.log
wait_for 10 test -s sink.port || exit 111
conf 'route = smart to smart.example' 'route = never to never.example' \
    '[transport "smart"]' 'type = relay' 'host = 127.0.0.1' "port = $(cat sink.port)" 'verify = no' \
    '[transport "never"]' 'type = fail' '[queue]' 'private-addresses = yes'

memcheck() { # SOCKET PROGRAM: its reports are vg.ROUND.PROGRAM.PID
	bg unix-bind -m 600 "run/$1" env LD_PRELOAD="$TMP/free.so" valgrind --vgdb=no --leak-check=full \
	    --show-leak-kinds=definite,indirect --log-file="$TMP/vg.$round.$2.%p" "$2" 2>>"$2.log"
	wait_for 30 test -S "run/$1"
}
ask() { text v | "$PYTHON" "$TOP/tests/queue-add-client.py" run/queue-add account=alice sender=alice@own.example "$@"; }
faults() {
	faults_none=0
	for f in vg."$round".*; do
		# children of one connection do not free what they have
		grep -q 'ERROR SUMMARY: 0 errors' "$f" && continue
		grep -qE 'Invalid |uninitialised|overlap' "$f" || continue
		sed 's/^==[0-9]*== //' "$f" | grep -v '^$' | sed -n '5,16p'
		faults_none=1
	done
	return $faults_none
}
# deliveries ROUND COUNT
deliveries() {
	round=$1
	rm -f run/queue-add run/queue run/smtp-out
	memcheck smtp-out smtp-out; out_pid=$bg_pid
	memcheck queue queue-run; run_pid=$bg_pid
	memcheck queue-add queue-add; add_pid=$bg_pid
	: >sink.log
	i=0
	while [ $i -lt "$2" ]; do
		i=$((i + 1))
		ask "rcpt=a$i@smart.example" "rcpt=b$i@smart.example" >>asked 2>&1
		[ $((i % 4)) != 0 ] || ask "rcpt=c$i@never.example" >>asked 2>&1
	done
	ok "$round: $2 messages are delivered" wait_for 120 sh -c "[ \$(grep -c '^message' sink.log) -ge $2 ]"
	ok "$round: others fail" wait_for 60 sh -c "! queue-list -t '*.example' -T smart && ! queue-list -t '*@never.example' && ! queue-list -t '*@smart.example'"
	codes=
	for p in $add_pid $run_pid $out_pid; do kill "$p"; wait "$p"; codes="$codes $?"; done
	is "$codes" " 0 0 0" "$round: SIGTERM ends each with 0"
	ok "$round: no invalid access, in parents and children" faults
	: >left
	for p in queue-add:$add_pid queue-run:$run_pid smtp-out:$out_pid; do
		f=vg.$round.${p%:*}.${p#*:}
		sed -n "s/.*in use at exit: /${p%:*} /p" "$f" >>left
		sed 's/^==[0-9]*== //' "$f" | grep -A12 'definitely lost in' >>left
	done
	is "$(cat left)" "queue-add 0 bytes in 0 blocks
queue-run 0 bytes in 0 blocks
smtp-out 0 bytes in 0 blocks" "$round: nothing of a long-lived process is left at its end"
	queue-drop -A >/dev/null
}
deliveries few 4
deliveries dozens 40
done_testing
