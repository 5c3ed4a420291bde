# smtp-fixture.sh - a configured server directory for the tests of smtp-in,
# lmtp-in and the stages; sourced after tap.sh. Below $TMP: etc, var, run.
#
# Domains: example.org (alice, bob, catch-all none), all.example (catch-all
# to bob), off.example (disabled). SPF: example.net allows 192.0.2.1, whose
# reverse name is mail.example.net.

PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
mkdir -p etc/domains etc/accounts var/spool run

# main_conf: [server] lines from $1, [smtp-in] from $2, [lmtp-in] from $3; without
# these first-time senders do not wait
main_conf() {
	cat >etc/main.conf <<-END
	[server]
	hostname = mx.example.org
	postmaster = alice
	resolver = 127.0.0.1:9
	dns-try-timeout = 1s
	dns-timeout = 1s
	${1:-}
	[smtp-in]
	${2:-}
	[lmtp-in]
	${3:-first-time-delay = 0}
	[static-dns "example.net"]
	txt = v=spf1 ip4:192.0.2.1 -all
	mx = 10 mail.example.net
	[static-dns "1.2.0.192.in-addr.arpa"]
	ptr = mail.example.net
	[static-dns "mail.example.net"]
	a = 192.0.2.1
	[static-dns "1.0.0.127.in-addr.arpa"]
	ptr = localhost
	[static-dns "localhost"]
	a = 127.0.0.1
	[static-dns "nospf.example"]
	a = 192.0.2.9
	END
	config-compile || exit 111
}
echo '[domain]' >etc/domains/example.org.conf
echo '[domain]' >etc/domains/all.example.conf
printf '[domain]\ndisabled = yes\n' >etc/domains/off.example.conf
cat >etc/accounts/alice.conf <<'END'
[account]
address = alice@example.org
address = "\"\"@example.org"
END
printf '[account]\naddress = bob@example.org\naddress = @all.example\n' >etc/accounts/bob.conf
printf '[account]\naddress = small@example.org\nquota = 2K\n' >etc/accounts/small.conf

# start_lmtp: lmtp-in on run/lmtp, its log in lmtp.log
start_lmtp() {
	bg unix-bind "$TMP/run/lmtp" lmtp-in 2>>lmtp.log
	lmtp_pid=$bg_pid
	wait_for 5 test -S run/lmtp
}
# start_queue_add: queue-add on run/queue-add, its log in queue.log
start_queue_add() {
	mkdir -p -m 700 var/queue
	bg unix-bind -m 600 run/queue-add queue-add 2>>queue.log
	queue_pid=$bg_pid
	wait_for 5 test -S run/queue-add
}
# newest_queued: the text of the message that was queued last
newest_queued() { cat "$(find var/queue/message -type f -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)"; }
# start_smtp: smtp-in on a port of loopback, $port; its log in smtp.log
start_smtp() {
	port=$(free_port)
	bg tcp-bind 127.0.0.1 "$port" smtp-in 2>>smtp.log
	smtp_pid=$bg_pid
	wait_for 5 port_open "$port"
}
stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# dialogue: smtp-in by hand; lines of standard input get CRLF
dialogue() {
	sed 's/$/\r/' | "$@" 2>>err | tr -d '\r'
}
# messages ACCOUNT: how many are in the inbox
messages() {
	ls "var/accounts/$1/Maildir/new" 2>/dev/null | wc -l | tr -d ' '
}
# newest ACCOUNT: the text of the last message
newest_whole() {
	cat "var/accounts/$1/Maildir/new/$(ls "var/accounts/$1/Maildir/new" | sort -t= -k4n | tail -1)"
}
# without the reason, of which judge.t is
newest() { newest_whole "$1" | awk 'NR == 1 && /^Pipemail-Reason:/ { skip = 1; next } skip && /^[\t ]/ { next } { skip = 0; print }'; }
# without what differs from run to run: received-id, times
steady() {
	sed -E 's/^	id [A-Za-z0-9_-]{22}/	id ID/; s/^	[A-Z][a-z]{2}, [0-9]+ [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} [+-][0-9]{4}$/	DATE/'
}
