#!/bin/sh
# dane-check.t - records, chains and servers on loopback
. "$(dirname "$0")/../tap.sh"
need openssl python3 nc dane-check dane-record
. "$TOP/tests/dns-fixture"
. "$TOP/tests/pki.sh"
tab=$(printf '\t')

pki_ca root
pki_ca middle root
pki_cert leaf middle 10 DNS:mx1.example
cp leaf.key expired.key; cp leaf.key other.key
pki_cert expired middle -1 DNS:mx1.example
pki_cert other middle 10 DNS:other.example
pki_ca stranger

# ---- dane-record ----
spki=$(openssl x509 -in leaf.one -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1)
is "$(dane-record leaf.pem)" "3 1 1 $spki" "T-10 dane-record: 3 1 1 of a certificate, as openssl computes it"
is "$(dane-record leaf.key)" "3 1 1 $spki" "of its private key"
openssl pkey -in leaf.key -pubout -out leaf.pub
is "$(dane-record leaf.pub)" "3 1 1 $spki" "of its public key"
is "$(dane-record -u 2 -s 0 -m 1 root.pem)" "2 0 1 $(openssl x509 -in root.pem -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1)" "2 0 1"
is "$(dane-record -m 2 leaf.pem)" "3 1 2 $(openssl pkey -in leaf.key -pubout -outform DER | openssl dgst -sha512 -r | cut -d' ' -f1)" "3 1 2"
openssl x509 -in leaf.one -outform DER -out leaf.der
is "$(dane-record -s 0 -m 0 leaf.der)" "3 0 0 $(od -An -tx1 -v leaf.der | tr -d ' \n')" "the whole of a certificate in DER"
is "$(dane-record -n _25._tcp.mx1.example. leaf.pem)" "_25._tcp.mx1.example. IN TLSA 3 1 1 $spki" "with an owner, for a zone"
is "$(dane-record leaf.pem leaf.key | wc -l | tr -d ' ')" 2 "a line for each file"
cp leaf.pem mx.example.org.pem; cp middle.pem authority.pem
exits 0 "EXAMPLES: a server" dane-record -n _25._tcp.mx.example.org. mx.example.org.pem
exits 0 "EXAMPLES: its authority" dane-record -u 2 authority.pem
exits 100 "usages 0 and 1 are refused" dane-record -u 1 leaf.pem
like "$(cat .err)" "not for SMTP" "and why"
exits 100 "a whole certificate cannot be had from a key" dane-record -s 0 leaf.key
echo nonsense >nonsense
exits 100 "a file that is neither" dane-record nonsense
exits 100 "a usage that does not exist" dane-record -u 4 leaf.pem
exits 111 "a file that is not there" dane-record none.pem
exits 100 "no file" dane-record
openssl genrsa -aes128 -passout pass:x -out locked.key 2048 2>/dev/null
exits 100 "an encrypted key asks for no passphrase" dane-record locked.key

# ---- zones ----
# zone JSON: on top of mx1.example at 127.0.0.1, secure
zone() {
	printf '%s' "$1" >zone.change
	python3 - >zone.json <<'P'
import json
zone = {"mx1.example": {"A": ["127.0.0.1"], "options": ["ad"]}}
zone.update(json.load(open("zone.change")))
print(json.dumps(zone))
P
	dns_stub_start zone.json
}
# tlsa NAME RECORD...: an entry of a zone, secure
tlsa() {
	t_name=$1; shift; t_list=
	for t_r; do t_list="$t_list${t_list:+,}\"$t_r\""; done
	printf '"%s":{"TLSA":[%s],"options":["ad"]}' "$t_name" "$t_list"
}
ee=$(dane-record leaf.pem)
ta=$(dane-record -u 2 middle.pem)
root=$(dane-record -u 2 -s 0 root.pem)
wrong=$(dane-record stranger.pem)
wrong_ta=$(dane-record -u 2 stranger.pem)
whole=$(dane-record -u 2 -s 0 -m 0 root.pem)
# verdict CHAIN: the word for mx1.example
verdict() { dane-check -qh -f "$1" mx1.example 2>&1 | cut -f1; }
# with_records RECORD...
with_records() { zone "{$(tlsa _25._tcp.mx1.example "$@")}"; }

# ---- chains in a file: RFC 7671, 7672 ----
with_records "$ee"
is "$(verdict leaf.pem)" verified "T-2 DANE-EE: the leaf's key matches"
is "$(verdict expired.pem)" verified "T-2 DANE-EE: dates are not looked at"
is "$(verdict other.pem)" verified "T-2 DANE-EE: names are not looked at"
is "$(verdict stranger.pem)" fail "T-2 DANE-EE: another key"
is "$(dane-check -qh -f leaf.pem mx1.example)" "verified${tab}mx1.example${tab}record 3 1 1 matches certificate 0" "which record and certificate is told"
like "$(dane-check -qh -f stranger.pem mx1.example)" "tlsa-invalid" "a mismatch is tlsa-invalid"
with_records "$ta"
is "$(verdict leaf.pem)" verified "T-2 DANE-TA: the intermediate"
is "$(verdict expired.pem)" fail "T-2 DANE-TA: an expired leaf"
like "$(dane-check -qh -f expired.pem mx1.example)" "certificate-expired" "is certificate-expired"
is "$(verdict other.pem)" fail "T-2 DANE-TA: a leaf for another name"
like "$(dane-check -qh -f other.pem mx1.example)" "certificate-host-mismatch" "is certificate-host-mismatch"
is "$(verdict leaf.one)" fail "T-2 DANE-TA: the anchor is not presented"
with_records "$root"
is "$(verdict leaf.pem)" verified "T-2 DANE-TA: the root"
cat leaf.one middle.one >noroot.pem
is "$(verdict noroot.pem)" fail "T-2 DANE-TA: a hash of a root that is not presented"
with_records "$whole"
is "$(verdict noroot.pem)" verified "T-2 DANE-TA: the root is in the record"
is "$(verdict leaf.one)" fail "T-2 DANE-TA: what is between is missing"
with_records "$wrong_ta"
cat leaf.pem stranger.pem >stuffed.pem
is "$(verdict stuffed.pem)" fail "T-2 DANE-TA: a certificate that is merely presented signs nothing"
with_records "$wrong" "$ta"
is "$(verdict leaf.pem)" verified "T-2 one of several records is enough"
with_records "0 0 1 ${root#2 0 1 }"
is "$(verdict leaf.pem)" unusable "T-2 usage 0 is not usable"
with_records "1 1 1 $spki"
is "$(verdict leaf.pem)" unusable "T-2 usage 1 is not usable"
with_records "1 1 1 $spki" "$ee"
is "$(verdict leaf.pem)" verified "T-2 unusable ones are set aside"
with_records "3 1 1 00" "3 1 2 $spki" "3 2 1 $spki" "3 1 9 $spki" "3 1 0 $spki" "3 0 0 $spki"
is "$(verdict leaf.pem)" unusable "T-2 lengths, selectors, matching types and data that cannot be"

# ---- the look-up ----
zone "{$(tlsa _25._tcp.mx1.example "$ee" | sed 's/,"options".*/}/')}"
is "$(verdict leaf.pem)" no-dane "T-2 records that are not authentic are not used"
zone '{}'
is "$(verdict leaf.pem)" no-dane "T-2 no records"
zone "{\"mx1.example\":{\"A\":[\"127.0.0.1\"]},$(tlsa _25._tcp.mx1.example "$ee")}"
is "$(verdict leaf.pem)" no-dane "T-2 addresses that are not authentic: no records are asked for"
zone '{"_25._tcp.mx1.example":{"TLSA":"SERVFAIL","ede":[7,"expired on Tuesday"],"options":["ad"]}}'
exits 111 "T-2 a look-up that fails" dane-check -qh -f leaf.pem mx1.example
is "$(cat .out)" "defer${tab}mx1.example${tab}the TLSA records cannot be looked up: server failure: Signature Expired (7): expired on Tuesday" "T-12 defers, with the reason from DNS (RFC 8914)"
alias='"mx1.example":{"CNAME":["mx.host.example"],"options":["ad"]},"mx.host.example":{"A":["127.0.0.1"],"options":["ad"]}'
pki_cert hosted middle 10 DNS:mx.host.example
zone "{$alias,$(tlsa _25._tcp.mx.host.example "$ta"),$(tlsa _25._tcp.mx1.example "$wrong")}"
is "$(verdict hosted.pem)" verified "T-2 records at the end of the alias come first, and name the base domain"
is "$(verdict leaf.pem)" verified "T-2 the name before the alias is allowed too"
zone "{$alias,$(tlsa _25._tcp.mx1.example "$ta")}"
is "$(verdict leaf.pem)" verified "T-2 then those of the host"
is "$(verdict hosted.pem)" fail "T-2 whose base domain is the host"
zone "{$(echo "$alias" | sed 's/],"options":\["ad"\]}$/]}/'),$(tlsa _25._tcp.mx1.example "$ee"),$(tlsa _25._tcp.mx.host.example "$wrong")}"
is "$(verdict leaf.pem)" verified "T-2 a secure alias to insecure addresses: records of the host (RFC 7672 2.2.2)"
zone "{$(echo "$alias" | sed 's/,"options":\["ad"\]},/},/'),$(tlsa _25._tcp.mx1.example "$ee"),$(tlsa _25._tcp.mx.host.example "$ee")}"
is "$(verdict leaf.pem)" no-dane "T-2 an insecure alias"
zone "{\"_25._tcp.mx1.example\":{\"CNAME\":[\"tlsa.example\"],\"options\":[\"ad\"]},$(tlsa tlsa.example "$ee")}"
is "$(verdict leaf.pem)" verified "T-2 records by way of an alias"
zone "{\"_25._tcp.mx1.example\":{\"CNAME\":[\"tlsa.example\"]},$(tlsa tlsa.example "$ee")}"
is "$(verdict leaf.pem)" no-dane "T-2 by way of an alias that is not authentic"
chain() {	# N: aliases from the TLSA name, then the records
	c_out= c_i=1 c_from=_25._tcp.mx1.example
	while [ $c_i -le "$1" ]; do
		c_out="$c_out\"$c_from\":{\"CNAME\":[\"t$c_i.example\"],\"options\":[\"ad\",\"norest\"]},"
		c_from=t$c_i.example c_i=$((c_i + 1))
	done
	echo "{$c_out$(tlsa "$c_from" "$ee")}"
}
zone "$(chain 10)"
is "$(verdict leaf.pem)" verified "T-2 ten aliases"
zone "$(chain 11)"
is "$(verdict leaf.pem)" defer "T-2 eleven are an error"
zone "{\"dom.example\":{\"MX\":[\"10 mx1.example\"],\"options\":[\"ad\"]},\"loose.example\":{\"MX\":[\"10 mx1.example\"]},\"www.example\":{\"CNAME\":[\"dom.example\"],\"options\":[\"ad\"]},\"null.example\":{\"MX\":[\"0 .\"],\"options\":[\"ad\"]},$(tlsa _25._tcp.mx1.example "$ta")}"
is "$(dane-check -q -f leaf.pem dom.example | cut -f1,2)" "verified${tab}mx1.example" "T-2 the hosts of a domain"
is "$(dane-check -q -f leaf.pem loose.example | cut -f1,2)" "no-dane${tab}mx1.example" "T-2 MX records that are not authentic"
is "$(dane-check -q -f leaf.pem null.example | cut -f1,2)" "no-dane${tab}null.example" "null MX"
pki_cert domain middle 10 DNS:dom.example
is "$(dane-check -q -f domain.pem dom.example | cut -f1)" verified "T-2 a certificate for the domain, with MX"
is "$(dane-check -q -f domain.pem www.example | cut -f1)" verified "T-2 for what the domain is an alias of"
is "$(verdict domain.pem)" fail "T-2 but not for a host by itself"

zone "{\"example.org\":{\"MX\":[\"10 mx.example.org\"],\"options\":[\"ad\"]},\"mx.example.org\":{\"A\":[\"127.0.0.1\"],\"options\":[\"ad\"]},$(tlsa _25._tcp.mx.example.org "$ee")}"
cp leaf.pem new.pem
exits 0 "EXAMPLES: a new certificate" dane-check -h -f new.pem mx.example.org
dane-check -t 2 example.org >out 2>&1
like "$(cat out)" "^tlsa	_25._tcp.mx.example.org	3 1 1" "EXAMPLES: a domain"

# ---- servers ----
# serve CERT MODE: sets port
serve() {
	rm -f ready
	bg /usr/bin/python3 "$TOP/tests/starttls-server.py" -c "$1" -m "$2" -r ready -l tls.log
	wait_for 10 test -s ready || { echo "Bail out! no SMTP server"; exit 111; }
	port=$(cat ready)
}
live() { zone "{$(tlsa "_$port._tcp.mx1.example" "$@")}"; }
dial() { dane-check -qh -t 5 -p "$port" mx1.example 2>&1; }
: >tls.log
serve leaf.all.pem ok
live "$ee"
exits 0 "T-2 a server whose key matches" dane-check -h -p "$port" mx1.example
is "$(sed "s/$port/PORT/; s/TLS_[A-Z0-9_]*/CIPHER/" .out)" "address${tab}mx1.example${tab}127.0.0.1${tab}authentic
tlsa${tab}_PORT._tcp.mx1.example${tab}$ee${tab}authentic
tls${tab}127.0.0.1${tab}TLSv1.3 CIPHER
verified${tab}mx1.example${tab}record 3 1 1 matches certificate 0" "T-10 each step is shown"
like "$(cat tls.log)" '"sni": "mx1.example"' "T-8 SNI is the TLSA base domain"
live "$ta"
is "$(dial | cut -f1)" verified "T-2 a server below a trust anchor"
live "$wrong"
is "$(dial | cut -f1)" fail "T-2 a server with another key"
live "0 0 1 $spki"
is "$(dial | cut -f1)" unusable "T-2 unusable records: TLS, not verified"
serve leaf.all.pem tls12
live "$ee"
is "$(dial | cut -f1)" verified "T-8 TLS 1.2 is spoken"
serve leaf.all.pem old
live "$ee"
is "$(dial)" "defer${tab}mx1.example${tab}the server sent an alert (tls-remote-alert-70-protocol_version)" "T-8 TLS 1.1 is not"
for m in nostarttls:"STARTTLS is not offered" refuse:"the server refuses" inject:"sent more than its reply" \
    garbage:"the server (sent more|does not speak TLS)" close:"closed the connection" endless:"does not end" \
    long:"cannot be read"; do
	serve leaf.all.pem "${m%%:*}"
	live "$ee"
	like "$(dial)" "^defer${tab}mx1.example${tab}.*${m#*:}" "a server that misbehaves: ${m%%:*}"
done
serve leaf.all.pem silent
live "$ee"
like "$(dane-check -qh -t 1 -p "$port" mx1.example)" "did not answer in time" "-t is the limit"
port=$(free_port)
live "$ee"
like "$(dial)" "^defer.*cannot connect: Connection refused" "nobody there"
exits 100 "a port that is none" dane-check -p 0 mx1.example
exits 100 "a time that is none" dane-check -t 0 mx1.example
exits 100 "a name that is none" dane-check 'a..b'
exits 100 "a chain that is none" dane-check -f nonsense mx1.example
exits 100 "no name" dane-check
done_testing
