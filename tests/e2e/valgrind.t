#!/bin/sh
# valgrind.t - the daemons under memcheck: no invalid access in the accepting
# parents nor in their children, and no memory that grows with connections,
# requests or reloads.
#
# memcheck needs calls and memory that the sandbox denies, so prctl(2) and
# setrlimit(2) do nothing here. Processes of one job do not free what they
# have; only the long-lived ones are asked for what is in use at their end.
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/memcheck.sh"
[ "${SAN:-}" != 1 ] || skip_all "sanitizers and valgrind do not mix"
need valgrind cc objcopy
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/smtp-fixture.sh"
main_conf
echo 'password of alice' | passwd-set -a alice || exit 111

memcheck_prepare auth-serve imap-idle imap-login imap-serve lmtp-in smtp-in tls-serve

# memcheck NAME: what stands before a command; its reports are vg.NAME.PID
memcheck() {
	echo "env LD_PRELOAD=$TMP/free.so valgrind --vgdb=no --leak-check=no --error-exitcode=99 --log-file=$TMP/vg.$1.%p"
}
# start ROUND: all six daemons
# shellcheck disable=SC2046 # words of a command
start() {
	rm -f run/auth run/imap run/imap-idle run/lmtp
	began=$(date +%s)
	smtp=$(free_port); imap=$(free_port)
	bg unix-bind -m 600 run/auth $(memcheck "$1.auth-serve") auth-serve 2>>auth.log
	auth_pid=$bg_pid
	bg unix-bind -m 600 run/imap $(memcheck "$1.imap-serve") imap-serve 2>>imap.log
	imap_pid=$bg_pid
	bg unix-bind -m 600 run/imap-idle $(memcheck "$1.imap-idle") imap-idle 2>>idle.log
	idle_pid=$bg_pid
	bg unix-bind -m 600 run/lmtp $(memcheck "$1.lmtp-in") lmtp-in 2>>lmtp.log
	lmtp_pid=$bg_pid
	bg tcp-bind 127.0.0.1 "$smtp" $(memcheck "$1.smtp-in") smtp-in 2>>smtp.log
	smtp_pid=$bg_pid
	bg tcp-bind 127.0.0.1 "$imap" $(memcheck "$1.imap-login") imap-login 2>>login.log
	login_pid=$bg_pid
	for s in auth imap imap-idle lmtp; do wait_for 10 test -S run/$s; done
	wait_for 20 port_open "$smtp"
	wait_for 20 port_open "$imap"
}
# A child of smtp-in that waits for another connection is killed: it has said
# what was wrong before, and has no summary.
killed_idle() {
	case $1 in
	*".smtp-in.$smtp_pid") return 1 ;;
	*.smtp-in.*) ! sed '1,/Parent PID:/d; s/^==[0-9]*==//' "$1" |
	    grep -q '[^ ]' ;;
	*) return 1 ;;
	esac
}
# The reports of a round that tell of an error, or have no end
faults() {
	faults_none=0
	for f in vg."$1".*; do
		grep -q 'ERROR SUMMARY: 0 errors' "$f" && continue
		killed_idle "$f" && continue
		echo "$f"; sed 's/^==[0-9]*== //' "$f" | grep -v '^$' | sed -n '5,16p'
		faults_none=1
	done
	return $faults_none
}
# end ROUND: stop them, and look at what they say
end() {
	codes=
	echo $(($(date +%s) - began + 1)) >"took.$1"
	for p in $smtp_pid $login_pid $lmtp_pid $idle_pid $imap_pid $auth_pid; do
		kill "$p"; wait "$p"; codes="$codes $?"
	done
	is "$codes" " 0 0 0 0 0 0" "$1: SIGTERM ends each with 0"
	ok "$1: no invalid access, in parents and children" faults "$1"
	: >left
	for p in smtp-in:$smtp_pid imap-login:$login_pid lmtp-in:$lmtp_pid \
	    imap-idle:$idle_pid imap-serve:$imap_pid auth-serve:$auth_pid; do
		f=vg.$1.${p%:*}.${p#*:}
		sed -n "s/.*in use at exit: /${p%:*} /p" "$f" >>left
		sed -n 's/.*total heap usage: \([0-9,]*\) allocs.*/\1/p' "$f" |
		    sed "s/,//g; s/^/${p%:*} /" >>"allocs.$1"
	done
	is "$(grep -c ' 0 bytes in 0 blocks' left) $(grep -v ' 0 bytes in 0' left)" "6 " \
	    "$1: nothing of an accepting parent, auth-serve or imap-idle is left at its end"
}

start ten
python_tests "$TOP/tests/e2e/valgrind.py" 10 "$smtp" "$imap"
end ten
start hundred
began=$(date +%s)
python_tests "$TOP/tests/e2e/valgrind.py" 100 "$smtp" "$imap"
seconds=$(($(date +%s) - began + 2))
end hundred
# auth-serve works itself, the others only accept
# imap-login makes its greetings anew once a second, some 70 allocations each
# time; imap-idle has what rests, which is the same in both, and on a slow
# machine one more or two: some 20 allocations each
more=$(paste -d' ' allocs.ten allocs.hundred | awk -v "s=$(cat took.hundred)" \
    '$1 != "auth-serve" && $4 - $2 > ($1 == "imap-login" ? 72 * s : $1 == "imap-idle" ? 45 : 9)')
is "$more" "" "an accepting parent allocates nothing for a connection"

start reload
for i in 1 2 3; do
	[ $i = 1 ] || main_conf "size-limit = ${i}0M"
	python_tests "$TOP/tests/e2e/valgrind.py" 1 "$smtp" "$imap"
done
end reload
like "$(grep -c m=reload smtp.log)" '^[2-9]' "a new configuration was loaded each time"

# tls-serve: a parent and a worker. The worker does not tear OpenSSL down, so
# what it has at its end must be as much after many connections as after few.
tls_round() { # NAME COUNT RELOADS
	rm -f run/tls
	# shellcheck disable=SC2046 # words of a command
	bg unix-bind -m 600 run/tls $(memcheck "$1.tls-serve") tls-serve -w 1 2>"$1.log"
	serve=$bg_pid
	wait_for 10 test -S run/tls
	port=$(free_port)
	bg /usr/bin/python3 "$TOP/tests/tls-peer.py" serve run/tls "$port" imap client-cert >peer.out
	peer_pid=$bg_pid
	wait_for 10 grep -q ready peer.out
	TOP=$TOP python_tests "$TOP/tests/e2e/valgrind-tls.py" 16 "$port" run/tls
	n=0
	while [ $n -lt "$3" ]; do
		n=$((n + 1))
		tls-cert -o etc/tls/mail.example.pem.new mail.example
		mv etc/tls/mail.example.pem.new etc/tls/mail.example.pem
		kill -HUP "$serve"
		wait_for 20 sh -c "[ \$(grep -c m=reload $1.log) -ge $n ]"
		TOP=$TOP python_tests "$TOP/tests/e2e/valgrind-tls.py" "$2" "$port" run/tls
	done
	kill "$peer_pid"
	kill "$serve"; wait "$serve"
	is "$?" 0 "$1: SIGTERM ends tls-serve with 0"
	ok "$1: no invalid access in tls-serve, parent and worker" faults "$1"
	is "$(sed -n 's/.*in use at exit: //p' "vg.$1.tls-serve.$serve")" "0 bytes in 0 blocks" "$1: nothing of its parent is left"
	for f in vg."$1".tls-serve.*; do
		[ "$f" = "vg.$1.tls-serve.$serve" ] || sed -n 's/.*in use at exit: \([0-9,]*\) bytes in \([0-9,]*\) blocks.*/\1 \2/p' "$f" | tr -d , >"left.$1"
	done
}
main_conf "
[tls]
handshake-limits = 0 0 0"
sed -i 's/^hostname = .*/hostname = mail.example/' etc/main.conf
config-compile
tls-cert mail.example; tls-cert -r mail.example; tls-cert -o client.pem client
tls_round tls-few 16 1
tls_round tls-many 32 2
read -r few few_blocks <left.tls-few
read -r many many_blocks <left.tls-many
echo "# a worker ends with $few bytes in $few_blocks blocks, and with $many in $many_blocks"
ok "48 connections and a reload more leave nothing in a worker" \
    test $((many - few)) -le 1024 -a $((many_blocks - few_blocks)) -le 4

# What is freed only at the end is no leak to memcheck, but grows all the same.
rm -f run/auth
bg unix-bind -m 600 run/auth auth-serve 2>>auth.log
wait_for 10 test -S run/auth
resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$bg_pid/status"; }
python_tests "$TOP/tests/e2e/valgrind.py" auth 50
before=$(resident)
python_tests "$TOP/tests/e2e/valgrind.py" auth 300
after=$(resident)
ok "300 clients of auth-serve leave nothing behind ($before kB, $after kB)" \
    test $((after - before)) -le 128
done_testing
