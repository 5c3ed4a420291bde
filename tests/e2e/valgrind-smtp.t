#!/bin/sh
# valgrind-smtp.t - smtp-in under memcheck: a process that served 20 connections
# of an address has no more memory than one that served two, and no fault
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/memcheck.sh"
. "$TOP/tests/smtp-fixture.sh"
[ "${SAN:-}" != 1 ] || skip_all "sanitizers and valgrind do not mix"
need valgrind cc objcopy python3
memcheck_prepare smtp-in
cat >many.py <<'END'
import smtplib, sys
text = open(sys.argv[3], "rb").read()
for i in range(int(sys.argv[2])):
    s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), "me.example", 60)
    s.sendmail("a@nospf.example", ["alice@example.org"], text); s.quit()
END
{
	printf 'From: a@nospf.example\r\nTo: alice@example.org\r\nSubject: v\r\n'
	printf 'DKIM-Signature: v=1; a=rsa-sha256; d=nospf.example; s=x; h=from; bh=YQ==; b=YQ==\r\n\r\n'
	yes 'a line of text, one of many' | head -400 | sed 's/$/\r/'
} >text
# connections NUMBER: its process ends after it; what is left in vg.NUMBER
connections() {
	main_conf 'connections-max = 1' "connections-per-process = $1"
	port=$(free_port)
	bg tcp-bind 127.0.0.1 "$port" env LD_PRELOAD="$TMP/free.so" valgrind --vgdb=no --leak-check=full \
	    --show-leak-kinds=definite,indirect --log-file="$TMP/vg.$1.%p" smtp-in 2>>smtp.log
	wait_for 60 port_open "$port"
	is "$(timeout 250 "${PYTHON:-/usr/bin/python3}" many.py "$port" "$1" text 2>&1)" "" "$1: all are accepted"
	parent=$bg_pid
	# the one that looked whether the port is open has no heap summary worth it
	wait_for 20 sh -c "[ \$(grep -l 'in use at exit' vg.$1.* | wc -l) -ge 2 ]"
	kill "$parent"; wait "$parent" 2>/dev/null
	child=$(grep -H 'total heap usage' vg."$1".* | grep -v "vg.$1.$parent:" | sed 's/:.*usage: / /; s/,//g' | sort -k2n | tail -1 | cut -d' ' -f1)
	is "$(grep -E 'Invalid |uninitialised|overlap|definitely lost in' "$child")" "" "$1: no invalid access, nothing lost"
	sed -n 's/.*in use at exit: //p' "$child" >left."$1"
	ok "$1: memory was looked at" test -s "left.$1"
}
main_conf
start_lmtp
connections 2
connections 20
is "$(cat left.20)" "$(cat left.2)" "as much is in use after 20 connections as after 2"
is "$(messages alice)" 22 "each message is there"
done_testing
