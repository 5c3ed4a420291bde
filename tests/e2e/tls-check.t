#!/bin/sh
# tls-check.t - what a running server speaks and does not speak, on each of its
# ports; and what it makes of clients that know no manners
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
. "$TOP/tests/cmd/imap.sh"
need s6-svscan execlineb openssl
/usr/bin/python3 -c 'import ctypes; ctypes.CDLL("libssl.so.3")' 2>/dev/null || skip_all "no libssl.so.3"
export TOP
instance_start
instance_stop
# short times for the slow, and certificates of all kinds
sed -i 's/^\[server\]/&\nline-timeout = 4s/' ls/etc/main.conf
printf '[imap]\nlogin-timeout = 4s\n[tls]\nhandshake-timeout = 3s\nhandshake-limits = 0 0 0\n' >>ls/etc/main.conf
ok "the configuration" config-compile
tls-cert other.example; tls-cert -o client.pem client
cert() { # NAME OPTION...: signed with a hash of its own
	cert_name=$1; shift
	openssl req -x509 -nodes -days 30 -subj "/CN=$cert_name" -addext "subjectAltName=DNS:$cert_name" -keyout k.pem -out c.pem "$@" >cert.out 2>&1 || cat cert.out
	(umask 077; cat k.pem c.pem >"$PIPEMAIL_ETC/tls/$cert_name.pem")
}
ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256'
# shellcheck disable=SC2086 # options
{
cert sha384.example $ec -sha384
cert sha512.example $ec -sha512
cert sha1.example $ec -sha1
cert pss.example -newkey rsa:2048 -sha384 -sigopt rsa_padding_mode:pss
cert ed25519.example -newkey ed25519
}
instance_again
check() { part=$1; shift; python_tests "$TOP/tests/e2e/tls-check.py" "$part" $B "$PW" "$TMP/ls" "$@"; }
check scan
check page
check offers
port=$(free_port)
bg /usr/bin/python3 "$TOP/tests/tls-peer.py" serve "$PIPEMAIL_RUN/tls" "$port" imap client-cert >peer.out
wait_for 10 grep -q ready peer.out
check bindings "$port"
check instead
check slow
check wrong "$port"
check flood "$port"
check tickets
check early
instance_stop
done_testing
