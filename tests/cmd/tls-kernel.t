#!/bin/sh
# tls-kernel.t - encryption by the kernel (kTLS): where it can it is asked for
# on each connection unless the configuration says no, and the counter must
# tell.
. "$(dirname "$0")/../tap.sh"
need strace openssl
[ "${SAN:-}" != 1 ] || skip_all "sanitizers and strace do not mix"
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
mkdir -p etc/domains etc/accounts var run
configure() {
	printf '[server]\nhostname = mail.example\n[tls]\n%s\n' "$1" >etc/main.conf
	config-compile || exit 111
}
configure ''
tls-cert mail.example
strace -o probe.out true 2>/dev/null || skip_all "strace may trace nothing here"
bg unix-bind run/tls strace -f -e trace=setsockopt -o calls tls-serve -w 1 2>log
strace_pid=$bg_pid
wait_for 10 test -S run/tls
port=$(free_port)
bg /usr/bin/python3 "$TOP/tests/tls-peer.py" serve run/tls "$port" imap >peer.out
wait_for 10 grep -q ready peer.out
client() { timeout 30 /usr/bin/python3 "$TOP/tests/tls-client.py" "$@" 2>&1 | tail -1; }
asked() { grep -c 'TCP_ULP' calls; }
serve() { pgrep -P "$strace_pid" -x tls-serve | head -1; }

for v in 2 3; do
	before=$(asked)
	is "$(client echo "$port" $v)" "TLSv1.$v" "TLS 1.$v works, with the kernel or without"
	if grep -qw tls /proc/sys/net/ipv4/tcp_available_ulp 2>/dev/null; then
		ok "TLS 1.$v: the kernel is asked, by default" test $(($(asked) - before)) -ge 1
	else
		is "$(($(asked) - before))" 0 "TLS 1.$v: a kernel that cannot is not asked"
	fi
	is "$(client bulk "$port" 3000000)" 3000000 "and 3 MB arrive"
done
able=$(grep -c 'TCP_ULP.* = 0' calls)
kill -USR1 "$(serve)"
wait_for 5 grep -q 'listener=imap.*done' log
counted=$(sed -n 's/.*listener=imap .*kernel-tls=\([0-9]*\).*/\1/p' log | tail -1)
if [ "$able" = 0 ]; then
	is "${counted:-0}" 0 "a kernel that cannot: none counted"
else
	ok "a kernel that can: $counted counted" test "${counted:-0}" -gt 0
fi
configure 'kernel-tls = no'
kill -HUP "$(serve)"
wait_for 5 grep -q m=reload log
before=$(asked)
is "$(client echo "$port" 3)" TLSv1.3 "kernel-tls = no: it works"
is "$(($(asked) - before))" 0 "kernel-tls = no: the kernel is not asked"
kill -TERM "$(serve)"
done_testing
