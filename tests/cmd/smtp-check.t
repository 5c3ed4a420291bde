#!/bin/sh
# smtp-check.t - what is shown of a domain's hosts
. "$(dirname "$0")/../tap.sh"
need python3 openssl smtp-check mandoc col
. "$TOP/tests/dns-fixture"
. "$TOP/tests/pki.sh"
tab=$(printf '\t')
PIPEMAIL_VAR=$TMP/var; export PIPEMAIL_VAR
pki_ca root
pki_cert server root 10 DNS:mx.example.org
PIPEMAIL_CA_FILE=$TMP/root.pem; export PIPEMAIL_CA_FILE
bg /usr/bin/python3 "$TOP/tests/cmd/smtp-out-server.py" -p port -l log -c server.all.pem offer2=PIPELINING,REQUIRETLS
wait_for 10 test -s port
port=$(cat port)
spki=$(openssl x509 -in server.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1)
cat >zone.json <<Z
{ "example.org": { "MX": ["10 mx.example.org"], "options": ["ad"] },
  "mx.example.org": { "A": ["127.0.0.1"], "options": ["ad"] },
  "null.example": { "MX": ["0 ."] },
  "_$port._tcp.mx.example.org": { "TLSA": ["3 1 1 $spki"], "options": ["ad"] } }
Z
dns_stub_start zone.json
exits 0 "T-10 a domain whose host answers" smtp-check -p "$port" example.org
out=$(cat .out)
like "$out" "^mx${tab}mx.example.org${tab}10 authentic" "T-10 the MX"
like "$out" "^dane${tab}mx.example.org${tab}usable" "T-10 DANE"
like "$out" "^tls${tab}127.0.0.1${tab}TLSv1.3 .* dane webpki$" "T-10 TLS and both checks"
like "$out" "^offers${tab}127.0.0.1${tab}PIPELINING REQUIRETLS" "T-10 what is offered after TLS"
is "$(grep -c '^> MAIL' log)" 0 "T-10 nothing is sent"
exits 0 "T-10 a host" smtp-check -hv -p "$port" mx.example.org
like "$(cat .out)" "^said${tab}<${tab}220 server.example" "T-10 what it says, with -v"
exits 1 "T-10 a domain without mail" smtp-check null.example
like "$(cat .out)" "null MX" "T-10 and why"
exits 100 "the usage" smtp-check

# ---- the manual's example: port 25 is not the test's ----
mandoc -T ascii -O width=300 "$TOP/man/smtp-check.1" | col -bx | sed -n '/^EXAMPLES/,/^SEE/s/^ *smtp-check /&-p '"$port"' /p' >example.sh
is "$(wc -l <example.sh | tr -d ' ')" 1 "smtp-check(1): there is an example"
exits 0 "smtp-check(1): it runs" sh example.sh
like "$(cat .out)" "^tls${tab}127.0.0.1${tab}TLSv1.3 .* dane webpki$" "smtp-check(1): and shows the hosts of the domain"
done_testing
