# front.sh - servers in front of strangers, with TLS and logins; sourced after
# tap.sh and a file that wrote etc/main.conf: certificates and tls-serve,
# auth-serve, and what TLS clients of the tests need
front_setup() {
	tls-cert "$1" && tls-cert -o client.pem client || exit 111
	front_tls
	bg unix-bind -m 600 run/auth auth-serve 2>>auth.log
	auth_pid=$bg_pid
	wait_for 10 test -S run/auth
}
front_tls() {
	bg unix-bind -m 600 run/tls tls-serve -w 1 2>>tls.log
	tls_pid=$bg_pid
	wait_for 10 test -S run/tls
}
# listen NAME COMMAND...: a server on a port of loopback, $port
listen() {
	listen_log=$1.log; shift
	port=$(free_port)
	bg tcp-bind 127.0.0.1 "$port" "$@" 2>>"$listen_log"
	listen_pid=$bg_pid
	wait_for 10 port_open "$port"
}
client() { timeout 60 /usr/bin/python3 "$TOP/tests/front-client.py" "$@" 2>&1; }
