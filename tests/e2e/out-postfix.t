#!/bin/sh
# out-postfix.t - queue-add, queue-run and smtp-out send to Postfix: in clear,
# with STARTTLS, DANE (nsd signs, unbound validates), MTA-STS, REQUIRETLS;
# Postfix sends to smtp-in
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/postfix.sh"
. "$TOP/tests/signed-dns.sh"
need openssl python3 nc
need smtp-out queue-run queue-add lmtp-in smtp-in unix-bind tcp-bind mtasts-serve dane-record
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/pki.sh"

# ---- hosts: Postfix at one port of several loopback addresses ----
# 2 no TLS; 3 STARTTLS for mx.tls, mx.dane, mx.sts; 4 the same for what must
# stay empty: a TLSA record or a certificate that is wrong
port=$(free_port)
incoming=$(free_port)
pki_ca root
pki_cert good root 10 DNS:mx.tls.test,DNS:mx.dane.test,DNS:mx.sts.test
pki_cert other root 10 DNS:mx.elsewhere.test
pki_cert web root 10 DNS:mta-sts.sts.test,DNS:mta-sts.badsts.test
users='one@plain.test two@plain.test late@plain.test one@tls.test one@dane.test one@wrong.test one@sts.test one@badsts.test gone@plain.test'
mkdir mail
chown nobody mail
printf '#!/bin/sh\necho gone away\nexit 67\n' >refuse
chmod 755 refuse
postfix_new pf <<C
mydestination =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = plain.test, tls.test, dane.test, wrong.test, sts.test, badsts.test
virtual_mailbox_base = $TMP/mail
virtual_mailbox_maps = inline:{ $(for u in $users; do printf '%s=%s/, ' $u $u; done) }
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
transport_maps = inline:{ example.org=smtp:[127.0.0.1]:$incoming, gone@plain.test=refuse: }
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access texthash:$TMP/pf/access
smtpd_tls_cert_file = $TMP/good.pem
smtpd_tls_key_file = $TMP/good.key
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
max_use = 1
C
cat >>pf/master.cf <<C
refuse unix - n n - - pipe
  user=nobody argv=$TMP/refuse
C
postfix_listen pf 127.0.0.2 $port syslog_name=pm-clear
postfix_listen pf 127.0.0.3 $port smtpd_tls_security_level=may syslog_name=pm-tls
postfix_listen pf 127.0.0.4 $port smtpd_tls_security_level=may syslog_name=pm-trap \
    smtpd_tls_cert_file=$TMP/other.pem smtpd_tls_key_file=$TMP/other.key
printf 'late@plain.test 450 4.2.0 come later\n' >pf/access
postfix_start pf || skip_all "Postfix does not start here"

# ---- DNS: dane.test and wrong.test are signed, the others are not ----
tlsa=$(dane-record good.pem)
zone plain.test 127.0.0.2
zone tls.test 127.0.0.3
zone dane.test 127.0.0.3 "_$port._tcp.mx IN TLSA $tlsa"
zone wrong.test 127.0.0.4 "_$port._tcp.mx IN TLSA $tlsa"
zone sts.test 127.0.0.3 'mta-sts IN A 127.0.0.1' '_mta-sts IN TXT "v=STSv1; id=1"'
zone badsts.test 127.0.0.4 'mta-sts IN A 127.0.0.1' '_mta-sts IN TXT "v=STSv1; id=1"'
zone_sign dane.test wrong.test
zones_serve

# ---- policies ----
mkdir policies
bg /usr/bin/python3 "$TOP/tests/mtasts-server.py" -c web.all.pem -r web.port -l web.log policies
wait_for 10 test -s web.port || { echo "Bail out! no policy host"; exit 111; }
for z in sts.test badsts.test; do mtasts-policy -a 7d mx.$z >policies/mta-sts.$z; done
PIPEMAIL_MTASTS_PORT=$(cat web.port)
PIPEMAIL_CA_FILE=$TMP/root.pem
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
wait_for 10 test -S run/queue || { echo "Bail out! no queue"; exit 111; }
wait_for 10 test -S run/mtasts
# add SUBJECT RECIPIENT...: queued; its id
add() {
	s=$1; shift
	printf 'From: alice@example.org\nSubject: %s\n\n.dot\nf\303\274r %s\n' "$s" "$s" |
	    queue-add -a alice -f alice@example.org "$@" 2>>add.log
}
logged() { wait_for 20 grep -qE "$1" queue-run.log; }
retired() { queue-retired show "$1" 2>/dev/null; }
tried() { [ "$(queue-list "$1" | cut -f 11)" != - ]; }
# got USER: the one message in the mailbox
got() { cat mail/"$1"/new/* 2>/dev/null; }
wait_got() { wait_for 10 sh -c "ls mail/$1/new/* >/dev/null 2>&1"; }
inbox() { find var/accounts/alice/Maildir -name '*,*' -exec grep -l "$1" {} + 2>/dev/null; }
comes() { wait_for 20 sh -c "find var/accounts/alice/Maildir -type f -exec grep -l '$1' {} + | grep -q ."; }
# trap_log: what the host that must get nothing has seen of mail
trap_log() { grep 'pm-trap/smtpd' pf.log | grep -E 'client=|from=|mail=|rcpt=|data='; }

# ---- in clear ----
id=$(add plain one@plain.test)
ok "Q-10 to the MX of a domain: Postfix takes it" logged 'm=relayed.*to=one@plain.test|m=delivered.*to=one@plain.test'
wait_got one@plain.test
like "$(got one@plain.test)" '^Subject: plain' "it is in the mailbox"
like "$(got one@plain.test)" '^\.dot$' "dots as they were"
like "$(got one@plain.test)" "^f$(printf '\303\274')r plain$" "and bytes"
is "$(got one@plain.test | grep -c 'using TLS')" 0 "T-1 a host without STARTTLS: in clear"
is "$(queue-list | wc -l | tr -d ' ')" 0 "the queue is empty"
is "$(queue-retired list "$id" | cut -f8,9)" "alice@example.org	one@plain.test" "Q-22 it is kept as retired"

# ---- several, one refused ----
id=$(add several one@plain.test nobody@plain.test two@plain.test)
ok "Q-5 several recipients: one is refused" logged 'm=failed.*to=nobody@plain.test.*status=5.1.1'
wait_got two@plain.test
like "$(got two@plain.test)" '^Subject: several' "the others have it"
is "$(got one@plain.test | grep -c '^Subject: several')" 1 "each once"
ok "Q-13 the sender has a DSN in the mailbox" comes '^Final-Recipient:.*nobody@plain.test'
dsn=$(cat $(inbox '^Final-Recipient:.*nobody@plain.test'))
like "$dsn" '^Action: failed' "it says failed"
like "$dsn" '^Status: 5.1.1' "with the peer's status"
like "$dsn" '^Diagnostic-Code: smtp; *550 ' "and what Postfix said"
is "$(printf '%s\n' "$dsn" | grep -c '^Final-Recipient:')" 1 "of this recipient alone"
ok "Q-23 the address is suppressed from now on" suppress-check -a alice nobody@plain.test

# ---- not now, then now ----
id=$(add late late@plain.test)
ok "Q-21 450 keeps it in the queue" wait_for 20 tried "$id"
is "$(queue-list "$id" | cut -f5)" 1 "after one attempt"
like "$(queue-list "$id" | cut -f11,12)" '^4.2.0.*come later' "with what Postfix said"
: >pf/access
ok "Q-19 queue-schedule -w now" queue-schedule -w now "$id"
ok "Q-21 the next attempt delivers" wait_got late@plain.test
wait_for 10 sh -c "! queue-list $id"
is "$(queue-retired list "$id" | cut -f5)" 2 "the second"

# ---- STARTTLS ----
id=$(add starttls one@tls.test)
ok "T-1 STARTTLS is offered" wait_got one@tls.test
wait_for 10 sh -c "! queue-list $id"
like "$(retired "$id")" '^tls	TLSv1\.[23]$' "T-1 without verification"
like "$(got one@tls.test)" 'using TLSv1\.[23]' "T-1 T-8 and used"

# ---- DANE ----
id=$(add dane one@dane.test)
ok "T-2 a TLSA record that fits: delivered" wait_got one@dane.test
like "$(got one@dane.test)" 'using TLSv1' "T-2 over TLS"
wait_for 10 sh -c "! queue-list $id"
like "$(retired "$id")" '^tls	TLSv1\.[23] dane$' "T-2 the attempt is recorded as DANE"
id=$(add wrong one@wrong.test)
ok "T-2 a TLSA record of another key: tried" wait_for 20 tried "$id"
is "$(queue-list "$id" | cut -f2,11)" "waiting	4.7.5" "T-2 the message stays in the queue"
like "$(queue-show "$id")" '^text	TLS failed: no TLSA record matches' "T-2 the attempt says why"
is "$(got one@wrong.test)" "" "T-2 nothing arrives"
is "$(trap_log)" "" "T-2 not even MAIL is said, by TLS or in clear"
like "$(grep pm-trap pf.log)" 'connect from' "though the host was dialled"

# ---- MTA-STS ----
id=$(add sts one@sts.test)
ok "T-3 an enforced policy and a certificate that fits: delivered" wait_got one@sts.test
like "$(got one@sts.test)" 'using TLSv1' "T-3 over TLS"
like "$(cat web.log)" 'mta-sts.sts.test' "T-3 the policy was fetched"
wait_for 10 sh -c "! queue-list $id"
like "$(retired "$id")" '^tls	TLSv1\.[23] webpki$' "T-3 the attempt is recorded so"
n=$(grep -c 'pm-trap.*: connect from' pf.log)
id=$(add badsts one@badsts.test)
ok "T-3 a certificate for another name: tried" wait_for 20 tried "$id"
is "$(queue-list "$id" | cut -f2,11)" "waiting	4.7.5" "T-3 the message stays in the queue"
like "$(queue-show "$id")" '^text	TLS failed: the certificate is for another name' "T-3 the attempt says why"
ok "T-3 the host was dialled" test "$(grep -c 'pm-trap.*: connect from' pf.log)" -gt "$n"
is "$(got one@badsts.test)$(trap_log)" "" "T-3 and got nothing"

# ---- TLS-Required: No, and REQUIRETLS ----
id=$(queue-list -t one@wrong.test | cut -f1 | cut -d. -f1)
ok "T-5 queue-requiretls -w no" queue-requiretls -w no "$id"
ok "and again, now" queue-schedule -w now "$id"
ok "T-5 TLS-Required: No: the wrong record does not matter" wait_got one@wrong.test
printf 'From: alice@example.org\nSubject: requiretls\n\nx\n' |
    /usr/bin/python3 "$TOP/tests/queue-add-client.py" run/queue-add account=alice sender=alice@example.org requiretls=1 rcpt=one@dane.test >rt.out
like "$(cat rt.out)" '^250 ' "U-19 a message with REQUIRETLS is taken"
ok "T-4 Postfix does not offer it: it fails for good" logged 'm=failed.*to=one@dane.test.*status=5.7.30'
ok "T-4 the sender has a DSN" comes '^Status: 5.7.30'
is "$(got one@dane.test | grep -c '^Subject: requiretls')" 0 "T-4 Postfix does not have it"

# ---- Postfix sends to us ----
tls-cert mx.example.org || exit 111
. "$TOP/tests/front.sh"
front_tls
bg tcp-bind 127.0.0.1 "$incoming" smtp-in 2>smtp.log
wait_for 5 port_open "$incoming"
id=$(add returned one@plain.test gone@plain.test)
ok "Postfix bounces later: its DSN comes in by smtp-in" comes '^From:.*MAILER-DAEMON@postfix.test'
dsn=$(cat $(inbox '^From:.*MAILER-DAEMON@postfix.test'))
like "$dsn" '^Final-Recipient: rfc822; gone@plain.test' "S-16 for the recipient"
like "$dsn" ' via tcp with ESMTPS$' "R-3 by STARTTLS"
like "$dsn" '^Return-Path: <>' "from the null sender"
like "$(grep pm-smtp pf.log)" 'to=<alice@example.org>.*dsn=2.*status=sent' "Postfix has our 250"
n=$(find var/accounts/alice/Maildir -type f | wc -l)
printf 'From: one@plain.test\nSubject: for nobody\n\nx\n' | smtp-out -f one@plain.test "127.0.0.2:$port" nosuch@example.org >relay.out
like "$(cat relay.out)" '^1	(relayed|delivered)	250' "Postfix relays"
ok "R-13 smtp-in refuses who is not here: Postfix bounces" wait_for 20 grep -qE 'pm-smtp.*to=<nosuch@example.org>.*dsn=5.*status=bounced' pf.log
printf 'From: one@plain.test\nSubject: by Postfix\n\n.dot\nf\303\274r\n' | smtp-out -f one@plain.test "127.0.0.2:$port" alice@example.org >relay.out
ok "Postfix sends: delivered" comes '^Subject: by Postfix'
mail=$(cat $(inbox '^Subject: by Postfix'))
like "$mail" '^\.dot$' "dots as they were"
like "$mail" "^f$(printf '\303\274')r$" "and bytes"
done_testing
