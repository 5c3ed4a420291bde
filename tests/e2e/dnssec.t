#!/bin/sh
# dnssec.t - DANE and MTA-STS over DNSSEC as it is: nsd with signed zones,
# unbound that validates them
. "$(dirname "$0")/../tap.sh"
need nsd unbound ldns-keygen ldns-signzone openssl python3 nc dane-check
. "$TOP/tests/pki.sh"
tab=$(printf '\t')

# ---- a mail host ----
pki_ca root
pki_cert leaf root 10 DNS:mx.good.test
bg /usr/bin/python3 "$TOP/tests/starttls-server.py" -c leaf.all.pem -r smtp.port
wait_for 10 test -s smtp.port || { echo "Bail out! no SMTP server"; exit 111; }
port=$(cat smtp.port)
ee=$(dane-record leaf.pem)

# ---- zones: good.test, bad.test (its anchor is another key), old.test (its
# signatures have expired), plain.test (not signed) ----
auth=$(free_port); resolver=$(free_port)
for z in good bad old plain; do
	cat >$z.test.zone <<Z
\$ORIGIN $z.test.
\$TTL 60
@ IN SOA ns.$z.test. root.$z.test. 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
@ IN MX 10 mx
mx IN A 127.0.0.1
alias IN CNAME mx
_$port._tcp.mx IN TLSA $ee
_mta-sts IN TXT "v=STSv1; id=1"
Z
done
anchors=
for z in good bad old; do
	key=$(ldns-keygen -a ECDSAP256SHA256 -k $z.test)
	dates=
	[ $z = old ] && dates="-i 20240101000000 -e 20240201000000"
	# shellcheck disable=SC2086 # options
	ldns-signzone $dates $z.test.zone "$key" || { echo "Bail out! not signed"; exit 111; }
	mv $z.test.zone.signed $z.test.zone
	[ $z = bad ] && key=$(ldns-keygen -a ECDSAP256SHA256 -k $z.test)
	anchors="$anchors
	trust-anchor-file: \"$TMP/$key.key\""
done
{
	echo "server:
	ip-address: 127.0.0.1@$auth
	server-count: 1
	username: \"\"
	chroot: \"\"
	zonesdir: \"$TMP\"
	database: \"\"
	pidfile: \"\"
	xfrdfile: \"\"
	zonelistfile: \"$TMP/nsd.list\"
remote-control:
	control-enable: no"
	for z in good bad old plain; do
		echo "zone:
	name: $z.test
	zonefile: $z.test.zone"
	done
} >nsd.conf
{
	echo "server:
	interface: 127.0.0.1@$resolver
	username: \"\"
	chroot: \"\"
	directory: \"$TMP\"
	pidfile: \"\"
	use-syslog: no
	do-daemonize: no
	do-not-query-localhost: no
	module-config: \"validator iterator\"
	local-zone: \"test.\" nodefault
	ede: yes$anchors"
	for z in good bad old plain; do
		echo "stub-zone:
	name: $z.test
	stub-addr: 127.0.0.1@$auth"
	done
} >unbound.conf
bg nsd -d -c nsd.conf >nsd.log 2>&1
bg unbound -c unbound.conf >unbound.log 2>&1
PIPEMAIL_DNS=127.0.0.1:$resolver
export PIPEMAIL_DNS
wait_for 20 dns-query A mx.good.test || {
	sed 's/^/# /' nsd.log unbound.log; echo "Bail out! no DNS"; exit 111
}

# ---- what is signed, what is not, and what is forged ----
is "$(dns-query MX good.test)" "good.test${tab}MX${tab}10 mx.good.test${tab}authentic" "T-2 a signed zone is authentic"
is "$(dns-query MX plain.test)" "plain.test${tab}MX${tab}10 mx.plain.test${tab}-" "T-2 another is not"
exits 0 "T-2 a host in a signed zone" dane-check -p "$port" good.test
is "$(tail -1 .out | cut -f1,2)" "verified${tab}mx.good.test" "is verified"
like "$(cat .out)" "^mx${tab}good.test${tab}10 mx.good.test${tab}authentic" "by way of its MX"
exits 0 "T-2 through an alias" dane-check -h -p "$port" alias.good.test
like "$(cat .out)" "^tlsa${tab}_$port._tcp.mx.good.test${tab}" "records are found at its end"
exits 1 "T-2 a host in a zone that is not signed" dane-check -q -p "$port" plain.test
is "$(cut -f1,2 .out)" "no-dane${tab}mx.plain.test" "has no DANE, for all its records"
exits 111 "T-2 a zone with the wrong key" dane-check -q -p "$port" bad.test
like "$(cat .out)" "^defer${tab}bad.test${tab}.*server failure: (DNSSEC Bogus|DNSKEY Missing) \([0-9]+\)" "T-12 defers, and says why (RFC 8914)"
exits 111 "T-2 a zone whose signatures have expired" dane-check -qh -p "$port" mx.old.test
like "$(cat .out)" "^defer${tab}mx.old.test${tab}.*(Signature Expired|DNSSEC Bogus|DNSKEY Missing)" "T-12 defers, and says why"
exits 111 "T-3 an MTA-STS record in a forged zone" mtasts-check -q bad.test
like "$(cat .out)" "^defer${tab}bad.test${tab}success${tab}server failure: " "T-12 defers, and says why"
done_testing
