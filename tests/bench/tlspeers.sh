# tlspeers.sh - sourced after lib.sh: the same host twice with IMAP over TLS,
# ours and, where it is installed, Dovecot; one P-256 certificate for both
cc -O2 -std=gnu11 -Wall -D_GNU_SOURCE -o "$W/tlsload" \
    "$TOP/tests/bench/tlsload.c" -lssl -lcrypto || exit 111
tlsload=$W/tlsload
cc -O2 -std=gnu11 -Wall -D_GNU_SOURCE -o "$W/tlsgreet" \
    "$TOP/tests/bench/tlsgreet.c" -lcrypto || exit 111
tlsgreet=$W/tlsgreet
cores=$(getconf _NPROCESSORS_ONLN)
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
answers() { /usr/bin/python3 -c 'import socket,sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])))' "$1"; }
load_average() { cut -d' ' -f1-3 /proc/loadavg; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN{printf "%.2f", (b > 0 ? a / b : 0)}'; }

# A process and all below it
tree_of() {
	echo "$1"
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		tree_of "$child"
	done
}
# CPU seconds of these trees, with what they have reaped
tree_cpu() { for p in "$@"; do tree_of "$p"; done | xargs sh -c '
	for p in "$@"; do cat /proc/$p/stat 2>/dev/null; done' sh |
    awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /,""); split($0,a," "); t+=a[12]+a[13]+a[14]+a[15]} END{printf "%.2f", t/hz}'; }
# kB of these trees: what only they have, and their share of what is common
tree_kb() { for p in "$@"; do tree_of "$p"; done | xargs sh -c '
	for p in "$@"; do cat /proc/$p/smaps_rollup 2>/dev/null; done' sh |
    awk '/^Private_(Clean|Dirty):/{p+=$2} /^Pss:/{s+=$2} END{print p+0, s+0}'; }

ours_start() {
	EXTRA_SERVER="connections-max = 20000" configure localhost
	printf '[tls]\nhandshake-limits = 0 0 0\nhandshake-rate-limits = 0 0 0\nhandshakes-max = 100000\n' \
	    >>"$W/etc/main.conf"
	config-compile || exit 111
	tls-cert localhost || exit 111
	# as the service does: without the superuser's rights
	drop=
	mkdir -p "$W/run/limits/tls"
	if [ "$(id -u)" = 0 ]; then
		drop="-u nobody"
		chown nobody "$W/run/limits/tls"
	fi
	# shellcheck disable=SC2086 # an option and its argument, or nothing
	bg unix-bind -m 600 "$W/run/tls" tls-serve $drop 2>"$W/tls.log"
	TLS_PID=$bg_pid
	bg unix-bind -m 600 "$W/run/auth" auth-serve 2>"$W/auth.log"
	AUTH_PID=$bg_pid
	bg unix-bind -m 600 "$W/run/imap" imap-serve 2>"$W/imap.log"
	IMAP_PID=$bg_pid
	for s in tls auth imap; do wait_for test -S "$W/run/$s"; done
	ours=$(free_port)
	bg tcp-bind 127.0.0.1 "$ours" imap-login -t 2>"$W/login.log"
	LOGIN_PID=$bg_pid
	wait_for answers "$ours"
	OURS="$LOGIN_PID $TLS_PID $AUTH_PID $IMAP_PID"
}

# Dovecot as its documentation has it fast: a login process on each core
# serves all ("high-performance mode"); one such process; or as it is by
# default, a process for each login ("secure mode"). dovecot_start fast|one|default
have_dovecot() {
	[ "$(id -u)" = 0 ] && command -v dovecot >/dev/null
}
dovecot_start() {
	D=$W/dovecot-$1
	dovecot=$(free_port)
	mkdir -p "$D/run" "$D/state" "$D/mail"
	chmod 755 "$D" "$D/mail" "$W"
	chown nobody "$D/mail"
	uid=$(id -u nobody) gid=$(id -g nobody)
	openssl x509 -in "$W/etc/tls/localhost.pem" -out "$D/cert.pem"
	openssl pkey -in "$W/etc/tls/localhost.pem" -out "$D/key.pem"
	login_mode='service_count = 1'
	case $1 in
	one) login_mode="service_count = 0
  process_min_avail = 1
  client_limit = 12000" ;;
	fast) login_mode="service_count = 0
  process_min_avail = $cores
  client_limit = 12000" ;;
	esac
	cat >"$D/dovecot.conf" <<C
base_dir = $D/run
state_dir = $D/state
log_path = $D/log
protocols = imap
listen = 127.0.0.1
instance_name = bench-$1
ssl = required
ssl_cert = <$D/cert.pem
ssl_key = <$D/key.pem
ssl_min_protocol = TLSv1.2
auth_mechanisms = plain login scram-sha-256
auth_cache_size = 1M
mail_max_userip_connections = 0
mail_location = maildir:~/Maildir
default_process_limit = 12000
default_client_limit = 24000
default_vsz_limit = 1G
first_valid_uid = 1
passdb {
  driver = static
  args = password=bench-password
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$D/mail/%n allow_all_users=yes
}
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = $dovecot
    ssl = yes
  }
  $login_mode
}
service anvil {
  client_limit = 40000
}
service auth {
  client_limit = 40000
}
service stats {
  client_limit = 40000
}
C
	(ulimit -n "$(ulimit -Hn)"; exec dovecot -F -c "$D/dovecot.conf") 2>"$D/err" &
	DOVECOT_PID=$!
	bench_pids="$bench_pids $DOVECOT_PID"
	wait_for answers "$dovecot" || {
		cat "$D/log"
		exit 111
	}
}
