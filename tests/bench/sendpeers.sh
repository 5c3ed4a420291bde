# sendpeers.sh - sourced after lib.sh: submission services that sign and send,
# ours and Postfix with opendkim, and the sink both send into
cc -O2 -std=gnu11 -Wall -D_GNU_SOURCE -o "$W/sendload" \
    "$TOP/tests/bench/sendload.c" -lssl -lcrypto || exit 111
sendload=$W/sendload
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
answers() { /usr/bin/python3 -c 'import socket,sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])))' "$1"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'; }

# A process and all below it
tree_of() {
	echo "$1"
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		tree_of "$child"
	done
}
# CPU seconds of these trees, with what they have reaped. The kernel tells
# clock ticks, which hide what many short-lived processes did, and nanoseconds
# of threads that live: whichever is more.
tree_cpu() { for p in "$@"; do tree_of "$p"; done | xargs sh -c '
	for p in "$@"; do
		echo "$(cat /proc/$p/task/*/schedstat 2>/dev/null | cut -d" " -f1 | tr "\n" " ") : $(sed "s/.*) //" /proc/$p/stat 2>/dev/null)"
	done' sh | awk -v hz="$(getconf CLK_TCK)" '{
		split($0, half, ":"); n = split(half[1], ns, " "); split(half[2], a, " ")
		for (own = i = 0; i++ < n;) own += ns[i] / 1e9
		ticks = (a[12] + a[13]) / hz
		t += (own > ticks ? own : ticks) + (a[14] + a[15]) / hz
	} END { printf "%.2f", t }'; }

zones() {
	for d in 0 1 2 3 4 5 6 7 8 9; do
		printf '[static-dns "d%d.example"]\nmx = 10 mx%d.example\n' $d $d
		printf '[static-dns "mx%d.example"]\na = 127.0.1.%d\n' $d $d
		printf '[static-dns "_mta-sts.d%d.example"]\ntxt = none\n' $d
	done
}
serve() { # NAME PROGRAM...: on a socket in run, its process in $bg_pid
	serve_name=$1; shift
	# shellcheck disable=SC2086 # options of unix-bind
	bg unix-bind ${serve_with:--m 600} "$W/run/$serve_name" "$@" 2>"$W/$serve_name.log"
	wait_for test -S "$W/run/$serve_name"
}
ours_start() {
	chmod 755 "$W"
	EXTRA_SERVER="connections-max = 20000" configure mx.peer.test
	chmod 755 "$W/run"
	{
		printf '[tls]\nhandshake-limits = 0 0 0\nhandshake-rate-limits = 0 0 0\nhandshakes-max = 100000\n'
		printf '[queue]\nprivate-addresses = yes\n'
		zones
	} >>"$W/etc/main.conf"
	mkdir -p "$W/etc/dkim"
	dkim-key -t rsa -b 2048 -o "$W/etc/dkim/rsa" >/dev/null
	dkim-key -t ed25519 -o "$W/etc/dkim/ed" >/dev/null
	printf '[domain]\ndkim = rsa %s\ndkim = ed %s\n' "$W/etc/dkim/rsa" "$W/etc/dkim/ed" >"$W/etc/domains/peer.test.conf"
	printf 'max-messages-per-day = 0\nmax-first-time-recipients-per-day = 0\n' >>"$W/etc/accounts/mail.conf"
	config-compile || exit 111
	tls-cert mx.peer.test && tls-cert -o "$W/sink.pem" sink || exit 111
	sink_port=$(free_port)
	bg "$sendload" sink -l 100 "$sink_port" "$W/sink.pem" "$W/counts"
	wait_for answers "$sink_port"
	# as the service does: without the superuser's rights
	drop= with=
	mkdir -p "$W/run/limits/tls"
	if [ "$(id -u)" = 0 ]; then
		drop="-u nobody" with="-p postfix -m 666"
		chown nobody "$W/run/limits/tls"
		id postfix >/dev/null 2>&1 || with=
	fi
	# shellcheck disable=SC2086
	serve tls tls-serve $drop; OURS=$bg_pid
	serve_with=$with serve auth auth-serve; OURS="$OURS $bg_pid"; AUTH_PID=$bg_pid
	serve mtasts mtasts-serve; OURS="$OURS $bg_pid"
	serve smtp-out smtp-out -p "$sink_port"; OURS="$OURS $bg_pid"
	serve queue-add queue-add; OURS="$OURS $bg_pid"; QA_PID=$bg_pid
	serve queue queue-run; OURS="$OURS $bg_pid"; QR_PID=$bg_pid
	ours_port=$(free_port)
	bg tcp-bind 127.0.0.1 "$ours_port" smtp-in -s 2>"$W/smtp-in.log"
	OURS="$OURS $bg_pid"
	wait_for answers "$ours_port"
}

# postfix_with [LINE]...: as it was, with these lines
postfix_with() {
	{ cat "$W/pf/main.cf.default"; [ $# = 0 ] || printf '%s\n' "$@"; } >"$W/pf/conf/main.cf"
	postfix -c "$W/pf/conf" reload >/dev/null 2>&1
	sleep 1
}
# Postfix as Debian has it, apart from where it listens and what it must know.
postfix_start() {
	[ "$(id -u)" = 0 ] || { echo "send: no Postfix beside it: needs root"; return 1; }
	for c in postfix opendkim; do
		command -v $c >/dev/null || { echo "send: $c is not installed"; return 1; }
	done
	mkdir -p "$W/pf/conf" "$W/pf/queue" "$W/pf/data" "$W/dkim"
	chmod 755 "$W/pf" "$W/pf/queue"
	chown postfix "$W/pf/data"
	openssl x509 -in "$W/etc/tls/mx.peer.test.pem" -out "$W/pf/cert.pem" &&
	    openssl pkey -in "$W/etc/tls/mx.peer.test.pem" -out "$W/pf/key.pem" &&
	    openssl genrsa -traditional -out "$W/dkim/rsa.pem" 2048 2>/dev/null || return 1
	chown -R opendkim "$W/dkim"
	cat >"$W/dkim.conf" <<-C
	Syslog no
	UserID opendkim
	UMask 000
	Socket local:$W/dkim/sock
	Domain peer.test
	KeyFile $W/dkim/rsa.pem
	Selector rsa
	Mode s
	RequireSafeKeys no
	Canonicalization relaxed/relaxed
	SignatureAlgorithm rsa-sha256
	C
	opendkim -f -x "$W/dkim.conf" 2>"$W/opendkim.log" &
	OPENDKIM_PID=$!
	bench_pids="$bench_pids $OPENDKIM_PID"
	wait_for test -S "$W/dkim/sock" || { cat "$W/opendkim.log"; return 1; }
	postfix_port=$(free_port)
	cat >"$W/pf/conf/main.cf" <<-C
	compatibility_level = 3.6
	queue_directory = $W/pf/queue
	data_directory = $W/pf/data
	maillog_file = $W/pf/maillog
	maillog_file_prefixes = $W
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	myhostname = mx.peer.test
	mydestination =
	mynetworks =
	alias_maps =
	alias_database =
	smtpd_sasl_auth_enable = yes
	smtpd_sasl_type = dovecot
	smtpd_sasl_path = $W/run/auth
	smtpd_tls_security_level = may
	smtpd_tls_auth_only = yes
	smtpd_tls_cert_file = $W/pf/cert.pem
	smtpd_tls_key_file = $W/pf/key.pem
	smtpd_relay_restrictions = permit_sasl_authenticated, reject
	smtpd_milters = unix:$W/dkim/sock
	milter_default_action = tempfail
	transport_maps = inline:{ $(for d in 0 1 2 3 4 5 6 7 8 9; do printf '{ d%d.example = smtp:[127.0.1.%d]:%d } ' $d $d "$sink_port"; done)}
	smtp_tls_security_level = may
	C
	cat >"$W/pf/conf/master.cf" <<-C
	postlog unix-dgram n - n - 1 postlogd
	127.0.0.1:$postfix_port inet n - n - - smtpd
	pickup unix n - n 60 1 pickup
	cleanup unix n - n - 0 cleanup
	qmgr unix n - n 300 1 qmgr
	tlsmgr unix - - n 1000? 1 tlsmgr
	tlsproxy unix - - n - 0 tlsproxy
	rewrite unix - - n - - trivial-rewrite
	bounce unix - - n - 0 bounce
	defer unix - - n - 0 bounce
	trace unix - - n - 0 bounce
	verify unix - - n - 1 verify
	proxymap unix - - n - - proxymap
	smtp unix - - n - - smtp
	relay unix - - n - - smtp
	showq unix n - n - - showq
	error unix - - n - - error
	retry unix - - n - - error
	discard unix - - n - - discard
	anvil unix - - n - 1 anvil
	scache unix - - n - 1 scache
	C
	cp "$W/pf/conf/main.cf" "$W/pf/main.cf.default"
	postfix -c "$W/pf/conf" check >"$W/pf/check" 2>&1
	/usr/lib/postfix/sbin/master -c "$W/pf/conf" -d >"$W/pf/master" 2>&1 &
	POSTFIX="$! $OPENDKIM_PID $AUTH_PID"
	bench_pids="$bench_pids $!"
	wait_for answers "$postfix_port" && return 0
	cat "$W/pf/check" "$W/pf/master"
	return 1
}

taken() { "$sendload" counts "$W/counts" | cut -d' ' -f"$1"; }
# submit PORT ARGUMENT...: and wait for RECIPIENTS more in the sink; prints
# when it began, when all were accepted, when all were delivered
pass() { # RECIPIENTS PORT [OPTION]...
	pass_to=$(($(taken 5) + $1)) pass_port=$2
	shift 2
	pass_times=$("$sendload" submit -c "$C" "$@" "$pass_port" mail bench-password u1@peer.test) || exit 111
	pass_last=$("$sendload" wait "$W/counts" $pass_to 600) || { echo "send: not all messages came"; exit 1; }
	pass_times="$pass_times $pass_last"
}
# "NAME SECONDS" of each process with all below it
each_cpu() {
	for p in "$@"; do echo "$(cat "/proc/$p/comm") $(tree_cpu "$p")"; done
}
# round NAME PORT "PROCESSES": N messages; a line "RATE CPU" to NAME.rounds
round() {
	round_name=$1 round_of=$3
	pass 50 "$2" -n 50
	before=$("$sendload" counts "$W/counts")
	# shellcheck disable=SC2086 # lists
	cpu0=$(tree_cpu $round_of) each0=$(each_cpu $round_of)
	pass "$N" "$2" -n "$N"
	sleep 0.3
	# shellcheck disable=SC2086
	cpu1=$(tree_cpu $round_of) each1=$(each_cpu $round_of)
	# shellcheck disable=SC2046,SC2086
	set -- $pass_times $before $("$sendload" counts "$W/counts")
	awk -v name="$round_name" -v begin="$1" -v in_="$2" -v last="$3" -v c0="$4" -v c1="$9" -v h0="$5" -v h1="${10}" -v u0="$6" -v u1="${11}" -v n="$N" -v a="$cpu0" -v b="$cpu1" -v file="$W/$round_name.rounds" 'BEGIN {
		printf "send: %s: accepted %.0f/s, delivered %.0f messages/s, server CPU %.2f ms a message, %d sessions, %d handshakes of which %d resumed\n", name, n / (in_ - begin), n / (last - begin), (b - a) * 1000 / n, c1 - c0, h1 - h0, u1 - u0
		printf "%.2f %.3f\n", n / (last - begin), (b - a) * 1000 / n >>file
	}'
	printf '%s\n%s\n' "$each0" "$each1" | awk -v n="$N" -v name="$round_name" '
	    $1 in at { out = out sprintf(" %s %.2f", $1, ($2 - at[$1]) * 1000 / n) } { at[$1] = $2 }
	    END { printf "send: %s: of that%s\n", name, out }'
}
# many NAME PORT: one message to 1000 recipients at 10 domains; the sink
# takes 100 at once
many() {
	before=$("$sendload" counts "$W/counts")
	pass 1000 "$2" -c 1 -r 1000
	# shellcheck disable=SC2046,SC2086
	set -- "$1" $pass_times $before $("$sendload" counts "$W/counts")
	many_sessions=$((${10} - $5)) many_texts=$((${13} - $8))
	echo "send: $1: 1000 recipients at 10 domains in $(awk -v a="$2" -v b="$4" 'BEGIN { printf "%.2f", b - a }') s, $many_sessions sessions, the text sent $many_texts times"
}
# syncs PROCESS: disk commits a message, while 200 pass; in $commit_rate, and
# the calls in $sync_rate. LMDB syncs its pages, then its root: one commit, two
# calls.
syncs() {
	# shellcheck disable=SC2046 # a word for each
	strace -f -qq -o "$W/syncs" -e trace=fsync,fdatasync,sync_file_range,msync $(tree_of "$1" | sed 's/^/-p /') 2>/dev/null &
	sync_strace=$!
	sync_n=200
	sleep 1
	pass $sync_n "$ours_port" -n $sync_n
	sleep 1
	kill $sync_strace
	wait $sync_strace 2>/dev/null
	sync_rate=$(grep -c "sync(" "$W/syncs" | awk -v n=$sync_n '{ printf "%.2f", $1 / n }')
	commit_rate=$(awk -v n=$sync_n '/fdatasync\(/ { c += .5 } /fsync\(/ { c++ } END { printf "%.2f", c / n }' "$W/syncs")
}
