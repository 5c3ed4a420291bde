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
printf "[imap]\nlogin-timeout = 4s\n[tls]\nhandshake-timeout = 3s\n" >>ls/etc/main.conf
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
# one that is over
: >index.txt
cat >ca.conf <<'C'
[ca]
default_ca = c
[c]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = p
[p]
commonName = supplied
C
# shellcheck disable=SC2086 # options
openssl req -new -nodes -subj /CN=old.example $ec -keyout k.pem -out r.pem >cert.out 2>&1
openssl ca -batch -selfsign -config ca.conf -in r.pem -keyfile k.pem -out c.pem -startdate 20200101000000Z -enddate 20200102000000Z >>cert.out 2>&1 || cat cert.out
(umask 077; cat k.pem c.pem >old.pem)
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
check requests
port=$(free_port); bg tcp-bind 127.0.0.1 "$port" imap-login -P 2>imap-p.log; wait_for 10 port_open "$port"; imap_p=$port
port=$(free_port); bg tcp-bind 127.0.0.1 "$port" smtp-in -P 2>smtp-p.log; wait_for 10 port_open "$port"
check prefaces "$imap_p" "$port"
for f in imap-p.log smtp-p.log; do
	like "$(cat $f)" 'm=proxy-header .*why="no PROXY protocol header' "$f names what is wrong"
	like "$(cat $f)" 'm=proxy-header .*why="the checksum is wrong"' "$f names a wrong CRC32c"
done
check renewal
check counters
check killed
instance_stop
done_testing
