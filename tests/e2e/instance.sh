# instance.sh - a localserve instance in $TMP/ls for a test: base port in B,
# password in PW, its directories in the environment
instance_base() {
	while :; do
		p=$(free_port); p=$((p - 25))
		[ $p -gt 31000 ] && continue
		for q in 143 443 465 587 993; do
			port_open $((p + q)) && continue 2
		done
		echo $p
		return
	done
}
PW=test-password-1
instance_start() {
	B=$(instance_base)
	instance_again "$@"
	PIPEMAIL_ETC=$TMP/ls/etc PIPEMAIL_VAR=$TMP/ls/var PIPEMAIL_RUN=$TMP/ls/run
	export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
}
instance_again() {
	bg localserve -d "$TMP/ls" -b "$B" -w "$PW" >"$TMP/ls.line" 2>"$TMP/ls.err"
	INSTANCE=$bg_pid
	wait_for 30 test -e "$TMP/ls/ready" || { echo "# localserve did not start:"; sed 's/^/# /' "$TMP/ls.err"; tail -5 "$TMP"/ls/log/*/current | sed 's/^/# /'; }
}
instance_stop() {
	kill -TERM "$INSTANCE" 2>/dev/null
	wait "$INSTANCE" 2>/dev/null
}
