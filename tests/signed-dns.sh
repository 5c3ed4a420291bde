# signed-dns.sh - zones served by nsd, validated by unbound; source it after
# tap.sh. PIPEMAIL_DNS is the resolver in the end.
#
# zone NAME ADDRESS [RECORD]...	NAME.zone: its MX is mx.NAME at ADDRESS
# zone_sign NAME...	then it is signed, and the resolver trusts its key
# zones_serve [ADDRESS]	all of them; unbound answers at ADDRESS port 53, too
need nsd unbound ldns-keygen ldns-signzone
zones=
anchors=

zone() {
	zones="$zones $1"
	cat >"$1.zone" <<-Z
	\$ORIGIN $1.
	\$TTL 60
	@ IN SOA ns.$1. root.$1. 1 3600 600 86400 60
	@ IN NS ns
	ns IN A 127.0.0.1
	@ IN MX 10 mx
	mx IN A $2
	Z
	zone_file=$1.zone
	shift 2
	for zone_r; do printf '%s\n' "$zone_r" >>"$zone_file"; done
}
zone_sign() {
	for zone_n; do
		zone_key=$(ldns-keygen -a ECDSAP256SHA256 -k "$zone_n")
		ldns-signzone "$zone_n.zone" "$zone_key" || { echo "Bail out! not signed"; exit 111; }
		mv "$zone_n.zone.signed" "$zone_n.zone"
		anchors="$anchors
	trust-anchor-file: \"$TMP/$zone_key.key\""
	done
}
zones_serve() {
	zone_auth=$(free_port) zone_port=$(free_port)
	{
		cat <<-N
		server:
		  ip-address: 127.0.0.1@$zone_auth
		  server-count: 1
		  username: ""
		  chroot: ""
		  zonesdir: "$TMP"
		  database: ""
		  pidfile: ""
		  xfrdfile: ""
		  zonelistfile: "$TMP/nsd.list"
		remote-control:
		  control-enable: no
		N
		for zone_n in $zones; do
			printf 'zone:\n  name: %s\n  zonefile: %s.zone\n' "$zone_n" "$zone_n"
		done
	} >nsd.conf
	{
		cat <<-N
		server:
		  interface: 127.0.0.1@$zone_port
		  ${1:+interface: $1@53}
		  access-control: 127.0.0.0/8 allow
		  username: ""
		  chroot: ""
		  directory: "$TMP"
		  pidfile: ""
		  use-syslog: no
		  do-daemonize: no
		  do-not-query-localhost: no
		  module-config: "validator iterator"
		  local-zone: "test." nodefault$anchors
		N
		for zone_n in $zones; do
			printf 'stub-zone:\n  name: %s\n  stub-addr: 127.0.0.1@%s\n' "$zone_n" "$zone_auth"
		done
	} >unbound.conf
	bg nsd -d -c nsd.conf >nsd.log 2>&1
	bg unbound -c unbound.conf >unbound.log 2>&1
	PIPEMAIL_DNS=127.0.0.1:$zone_port
	export PIPEMAIL_DNS
	zone_n=${zones##* }
	wait_for 20 dns-query A "mx.$zone_n" || {
		sed 's/^/# /' nsd.log unbound.log; echo "Bail out! no DNS"; exit 111
	}
}
