#!/bin/sh
# out-opensmtpd.t - queue-add, queue-run and smtp-out send to OpenSMTPD: in
# clear, with STARTTLS, DANE (nsd signs, unbound validates), MTA-STS, REQUIRETLS
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/opensmtpd.sh"
. "$TOP/tests/signed-dns.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/pki.sh"
need openssl python3 nc smtp-out queue-run queue-add lmtp-in unix-bind mtasts-serve dane-record

# ---- hosts: one port of several loopback addresses ----
# 21 no TLS; 22 STARTTLS for mx.tls, mx.dane, mx.sts; 23 the same for what
# must stay empty: a TLSA record or a certificate that is wrong; 24 fails in
# every handshake
port=$(free_port)
pki_ca root
pki_rsa good; pki_rsa other
pki_cert good root 10 DNS:mx.tls.test,DNS:mx.dane.test,DNS:mx.sts.test
pki_cert other root 10 DNS:mx.elsewhere.test
pki_cert web root 10 DNS:mta-sts.sts.test,DNS:mta-sts.badsts.test
mkdir os failing mail policies
chown nobody mail
chmod 600 good.key other.key
domains='{ "plain.test", "tls.test", "dane.test", "wrong.test", "sts.test", "badsts.test", "failing.test", "faildane.test" }'
conf() { # LINE...: smtpd.conf with these listeners
	cat <<-C
	pki good cert "$TMP/good.pem"
	pki good key "$TMP/good.key"
	pki other cert "$TMP/other.pem"
	pki other key "$TMP/other.key"
	table users { "one" = "nobody", "two" = "nobody" }
	action store maildir "$TMP/mail/%{rcpt.domain}/%{rcpt.user}" virtual <users>
	match from any for domain $domains action store
	C
	for l; do echo "listen on $l"; done
}
conf "127.0.0.21 port $port hostname mx.opensmtpd.test" \
    "127.0.0.22 port $port hostname mx.opensmtpd.test tls pki good" \
    "127.0.0.23 port $port hostname mx.opensmtpd.test tls pki other" >os/smtpd.conf
conf "127.0.0.24 port $port hostname failing.test tls pki good" >failing/smtpd.conf
opensmtpd_mend || skip_all "no compiler"
opensmtpd_start os "$TMP/mend.so" && opensmtpd_start failing ||
    skip_all "OpenSMTPD does not start here"

# ---- DNS: dane.test, wrong.test and faildane.test are signed ----
tlsa=$(dane-record good.pem)
zone plain.test 127.0.0.21
zone tls.test 127.0.0.22
zone dane.test 127.0.0.22 "_$port._tcp.mx IN TLSA $tlsa"
zone wrong.test 127.0.0.23 "_$port._tcp.mx IN TLSA $tlsa"
zone sts.test 127.0.0.22 'mta-sts IN A 127.0.0.1' '_mta-sts IN TXT "v=STSv1; id=1"'
zone badsts.test 127.0.0.23 'mta-sts IN A 127.0.0.1' '_mta-sts IN TXT "v=STSv1; id=1"'
zone failing.test 127.0.0.24
zone faildane.test 127.0.0.24 "_$port._tcp.mx IN TLSA $tlsa"
zone_sign dane.test wrong.test faildane.test
zones_serve
bg /usr/bin/python3 "$TOP/tests/mtasts-server.py" -c web.all.pem -r web.port -l web.log policies
wait_for 20 test -s web.port || { echo "Bail out! no policy host"; exit 111; }
for z in sts.test badsts.test; do mtasts-policy -a 7d mx.$z >policies/mta-sts.$z; done
PIPEMAIL_MTASTS_PORT=$(cat web.port) PIPEMAIL_CA_FILE=$TMP/root.pem
export PIPEMAIL_MTASTS_PORT PIPEMAIL_CA_FILE

# ---- ours ----
printf '[account]\naddress = alice@example.org\nkeep-retired = 1h\n' >etc/accounts/alice.conf
main_conf
printf '\n[queue]\nprivate-addresses = yes\n' >>etc/main.conf
config-compile || { echo "Bail out! the configuration is wrong"; exit 111; }
start_lmtp
bg unix-bind -m 0600 run/mtasts mtasts-serve 2>mtasts.log
start_queue_add
bg unix-bind -m 0600 run/smtp-out smtp-out -p "$port" 2>smtp-out.log
bg unix-bind -m 0600 run/queue queue-run 2>queue-run.log
for s in mtasts smtp-out queue; do wait_for 20 test -S run/$s; done
add() { # SUBJECT RECIPIENT...: queued; its id
	s=$1; shift
	printf 'From: alice@example.org\nSubject: %s\n\n.dot\nf\303\274r %s\n' "$s" "$s" |
	    queue-add -a alice -f alice@example.org "$@" 2>>add.log
}
logged() { wait_for 60 grep -qE "$1" queue-run.log; }
tried() { [ "$(queue-list "$1" | cut -f 11)" != - ]; }
got() { cat mail/"${1#*@}/${1%@*}"/new/* 2>/dev/null; }
wait_got() { wait_for 60 sh -c "ls mail/${1#*@}/${1%@*}/new/* >/dev/null 2>&1"; }
# retired ID: its record, once it is there
retired() { wait_for 60 queue-retired show "$1"; queue-retired show "$1"; }
inbox() { find var/accounts/alice/Maildir -name '*,*' -exec grep -l "$1" {} + 2>/dev/null; }
comes() { wait_for 60 sh -c "find var/accounts/alice/Maildir -type f -exec grep -l '$1' {} + | grep -q ."; }

# ---- in clear ----
id=$(add plain one@plain.test nobody@plain.test two@plain.test)
ok "Q-10 to the MX of a domain: OpenSMTPD takes it" logged 'm=(relayed|delivered).*to=one@plain.test'
ok "it is in the mailbox" wait_got one@plain.test
like "$(got one@plain.test)" '^Subject: plain' "with its header"
like "$(got one@plain.test)" '^\.dot$' "dots as they were"
like "$(got one@plain.test)" "^f$(printf '\303\274')r plain$" "and bytes"
is "$(got one@plain.test | grep -c 'TLS')" 0 "T-1 a host without STARTTLS: in clear"
ok "Q-5 another recipient has it" wait_got two@plain.test
ok "Q-13 the third is refused: a DSN" comes '^Final-Recipient:.*nobody@plain.test'
dsn=$(cat $(inbox '^Final-Recipient:.*nobody@plain.test'))
like "$dsn" '^Diagnostic-Code: smtp; *5[0-9][0-9] .*nobody@plain.test' "Q-13 with what OpenSMTPD said"
like "$(retired "$id")" '^attempt' "Q-22 it is kept as retired"

# ---- STARTTLS ----
id=$(add starttls one@tls.test)
ok "T-1 STARTTLS is offered: delivered" wait_got one@tls.test
like "$(retired "$id")" '^tls	TLSv1\.[23]$' "T-1 without verification"
like "$(got one@tls.test | tr -d '\n')" 'TLSv1\.[23]' "T-1 T-8 and used"

# ---- STARTTLS is offered, and fails ----
id=$(add failing one@failing.test)
ok "T-1 a server that offers STARTTLS and fails in it: delivered" wait_got one@failing.test
is "$(retired "$id" | grep '^tls')" "" "T-1 in clear"
like "$(cat failing.log)" 'smtp disconnected reason="io-error' "T-1 after the handshake failed"
id=$(add faildane one@faildane.test)
ok "T-2 the same with a TLSA record: tried" wait_for 60 tried "$id"
is "$(queue-list "$id" | cut -f2,11)" "waiting	4.7.5" "T-2 the message waits"
is "$(got one@faildane.test)" "" "T-2 and does not go in clear"

# ---- DANE ----
id=$(add dane one@dane.test)
ok "T-2 a TLSA record that fits: delivered" wait_got one@dane.test
like "$(retired "$id")" '^tls	TLSv1\.[23] dane$' "T-2 the attempt is recorded as DANE"
id=$(add wrong one@wrong.test)
ok "T-2 a TLSA record of another key: tried" wait_for 60 tried "$id"
is "$(queue-list "$id" | cut -f2,11)" "waiting	4.7.5" "T-2 the message stays in the queue"
like "$(queue-show "$id")" '^text	TLS failed: no TLSA record matches' "T-2 the attempt says why"
is "$(got one@wrong.test)" "" "T-2 nothing arrives"

# ---- MTA-STS ----
id=$(add sts one@sts.test)
ok "T-3 an enforced policy and a certificate that fits: delivered" wait_got one@sts.test
like "$(retired "$id")" '^tls	TLSv1\.[23] webpki$' "T-3 the attempt is recorded so"
id=$(add badsts one@badsts.test)
ok "T-3 a certificate for another name: tried" wait_for 60 tried "$id"
like "$(queue-show "$id")" '^text	TLS failed: the certificate is for another name' "T-3 the attempt says why"
is "$(got one@badsts.test)" "" "T-3 nothing arrives"

# ---- REQUIRETLS ----
printf 'From: alice@example.org\nSubject: requiretls\n\nx\n' |
    /usr/bin/python3 "$TOP/tests/queue-add-client.py" run/queue-add account=alice sender=alice@example.org requiretls=1 rcpt=one@dane.test >rt.out
like "$(cat rt.out)" '^250 ' "U-19 a message with REQUIRETLS is taken"
ok "T-4 OpenSMTPD does not offer it: it fails for good" logged 'm=failed.*to=one@dane.test.*status=5.7.30'
ok "T-4 the sender has a DSN" comes '^Status: 5.7.30'
is "$(got one@dane.test | grep -c '^Subject: requiretls')" 0 "T-4 OpenSMTPD does not have it"
done_testing
