# postfix.sh - a Postfix of a test's own: its files below $TMP, its listeners
# where the test says; source it after tap.sh. Skips the test without root.
#
# postfix_new DIR			DIR/main.cf from settings that fit every test and
#	then those on standard input; DIR/master.cf without a listener
# postfix_listen DIR ADDRESS PORT [NAME=VALUE]...	smtpd there, with settings
# postfix_start DIR	false: it does not start here; why is shown
# postfix_resolver ADDRESS	prints a command for postfix_start, after which
#	Postfix asks the nameserver there at port 53
# The log is DIR.log; the master's process $postfix_pid.
need postfix postconf
[ "$(id -u)" = 0 ] || skip_all "Postfix is started by root only"

postfix_new() {
	mkdir -p "$1" "$1.spool" "$1.data"
	chown postfix "$1.data"
	{
		cat <<-C
		compatibility_level = 3.6
		queue_directory = $TMP/$1.spool
		data_directory = $TMP/$1.data
		maillog_file = $TMP/$1.log
		maillog_file_prefixes = $TMP
		syslog_name = pm
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		myhostname = postfix.test
		alias_maps =
		alias_database =
		smtpd_soft_error_limit = 1000
		smtpd_hard_error_limit = 1000
		smtpd_error_sleep_time = 0s
		C
		cat
	} >"$1/main.cf"
	cat >"$1/master.cf" <<-C
	postlog unix-dgram n - n - 1 postlogd
	pickup unix n - n 60 1 pickup
	cleanup unix n - n - 0 cleanup
	qmgr unix n - n 300 1 qmgr
	rewrite unix - - n - - trivial-rewrite
	anvil unix - - n - 1 anvil
	bounce unix - - n - 0 bounce
	defer unix - - n - 0 bounce
	trace unix - - n - 0 bounce
	error unix - - n - - error
	retry unix - - n - - error
	discard unix - - n - - discard
	smtp unix - - n - - smtp
	  -o syslog_name=pm-smtp
	virtual unix - n n - - virtual
	proxymap unix - - n - - proxymap
	scache unix - - n - 1 scache
	tlsmgr unix - - n 1000 1 tlsmgr
	C
}
postfix_listen() {
	echo "$2:$3 inet n - n - - smtpd" >>"$1/master.cf"
	echo "$2 $3" >>"$1/listeners"
	postfix_d=$1
	shift 3
	for postfix_o; do echo "  -o $postfix_o" >>"$postfix_d/master.cf"; done
}
# postfix_start DIR [COMMAND...]: by way of the command
postfix_start() {
	postfix_d=$1
	shift
	postfix -c "$TMP/$postfix_d" check >"$postfix_d/check.out" 2>&1
	bg "$@" /usr/lib/postfix/sbin/master -c "$TMP/$postfix_d" -d >"$postfix_d/master.out" 2>&1
	postfix_pid=$bg_pid
	while read -r postfix_a postfix_p; do
		wait_for 20 nc -z "$postfix_a" "$postfix_p" || {
			sed 's/^/# /' "$postfix_d/check.out" "$postfix_d/master.out" "$postfix_d.log"
			return 1
		}
	done <"$postfix_d/listeners"
}
postfix_resolver() {
	echo "nameserver $1" >resolv.conf
	cat >resolver <<-'R'
	#!/bin/sh -e
	mount --make-rprivate /
	mount --bind "${0%/*}/resolv.conf" "$(readlink -f /etc/resolv.conf)"
	exec "$@"
	R
	chmod 755 resolver
	echo "unshare -m $TMP/resolver"
}
