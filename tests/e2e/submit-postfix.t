#!/bin/sh
# submit-postfix.t - msmtp, swaks, neomutt and nodemailer submit to a server
# that delivers: login, DKIM, queue, DANE, Postfix; what Postfix refuses comes
# back to the inbox as a DSN. With TRANSCRIPT=FILE the two runs of nodemailer
# are written there.
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/postfix.sh"
. "$TOP/tests/signed-dns.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
. "$TOP/tests/pki.sh"
need openssl python3 nc msmtp swaks neomutt dane-record dkim-key

# ---- Postfix, the world's side ----
port=$(free_port)
pki_ca root
pki_cert good root 10 DNS:mx.dane.test
mkdir mail
chown nobody mail
postfix_new pf <<C
mydestination =
virtual_mailbox_domains = dane.test
virtual_mailbox_base = $TMP/mail
virtual_mailbox_maps = inline:{ $(for u in msmtp swaks neomutt nodemailer; do printf '%s@dane.test=%s/, ' $u $u; done) }
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = $TMP/good.pem
smtpd_tls_key_file = $TMP/good.key
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
C
postfix_listen pf 127.0.0.2 "$port"
postfix_start pf || skip_all "Postfix does not start here"

# ---- DNS, with our DKIM key ----
dkim-key -t rsa -b 2048 -o rsa.key && dkim-key -t ed25519 -o ed.key || exit 111
zone dane.test 127.0.0.2 "_$port._tcp.mx IN TLSA $(dane-record good.pem)"
zone_sign dane.test
zones_serve

# ---- ours ----
printf '[domain]\ndkim = rsa %s/rsa.key\ndkim = ed %s/ed.key\n' "$TMP" "$TMP" >etc/domains/example.org.conf
printf '[account]\naddress = alice@example.org\nkeep-retired = 1h\n' >etc/accounts/alice.conf
main_conf
printf '\n[queue]\nprivate-addresses = yes\n' >>etc/main.conf
config-compile || { echo "Bail out! the configuration is wrong"; exit 111; }
pw=secret-of-alice
echo $pw | passwd-set -a alice || exit 111
start_lmtp
bg unix-bind -m 0600 run/mtasts mtasts-serve 2>mtasts.log
start_queue_add
smtp_port=$port
bg unix-bind -m 0600 run/smtp-out smtp-out -p "$smtp_port" 2>smtp-out.log
bg unix-bind -m 0600 run/queue queue-run 2>queue-run.log
for s in mtasts smtp-out queue; do wait_for 20 test -S run/$s; done
front_setup mx.example.org
listen sub smtp-in -s; sub=$port
listen subt smtp-in -s -t; subt=$port

# ---- clients: send WHO TO SUBJECT ----
m() { printf 'From: alice@example.org\nTo: %s\nSubject: %s\n\n.dot\nf\303\274r %s\n' "$1" "$2" "$2"; }
by_msmtp() {
	m "$1" "$2" | msmtp -C /dev/null --host=127.0.0.1 --port="$sub" --tls=on --tls-starttls=on --tls-certcheck=off \
	    --from=alice@example.org --auth=plain --user=alice --passwordeval="echo $pw" "$1"
}
by_swaks() {
	swaks --silent 2 --server 127.0.0.1 --port "$subt" --tlsc --from alice@example.org --to "$1" --auth PLAIN \
	    --auth-user alice --auth-password "$pw" --header "Subject: $2" --body "$(printf '.dot\nf\303\274r %s' "$2")"
}
by_neomutt() {
	printf 'set from = alice@example.org\nset use_envelope_from\nset smtp_url = "smtps://alice@127.0.0.1:%s/"\nset smtp_pass = "%s"\nset ssl_verify_host = no\nset ssl_verify_dates = no\nset certificate_file = %s\nset ssl_usesystemcerts = no\nset copy = no\nset smtp_authenticators = "plain"\nset charset = utf-8\nset send_charset = utf-8\nset allow_8bit\n' "$subt" "$pw" "$TMP/trusted.pem" >rc
	printf '.dot\nf\303\274r %s\n' "$2" | HOME=$TMP LC_ALL=C.UTF-8 neomutt -n -F rc -s "$2" "$1"
}
cat >nm.js <<'J'
const n = require(process.env.NODE_CLIENTS + '/nodemailer'), [,, port, pass, to, subject] = process.argv;
n.createTransport({ host: '127.0.0.1', port: +port, secure: false, requireTLS: true, name: 'laptop.example.org',
	tls: { rejectUnauthorized: false }, auth: { user: 'alice', pass }, logger: true, debug: true })
	.sendMail({ from: 'alice@example.org', to, subject, text: '.dot\nf\u00fcr ' + subject + '\n', textEncoding: 'base64' })
	.then(r => console.log(r.response), e => { console.log(e.response || String(e)); process.exitCode = 1; });
J
by_nodemailer() { node nm.js "$sub" "$pw" "$1" "$2"; }
openssl s_client -connect "127.0.0.1:$subt" -servername mx.example.org </dev/null 2>/dev/null | openssl x509 >trusted.pem

got() { cat mail/"$1"/new/* 2>/dev/null; }
wait_got() { wait_for 60 sh -c "ls mail/$1/new/* >/dev/null 2>&1"; }
dsn_of() { find var/accounts/alice/Maildir -name '*,*' -exec grep -l "^Final-Recipient:.*$1" {} + 2>/dev/null | head -1; }
has_dsn() { [ -n "$(dsn_of "$1")" ]; }
try() { # CLIENT
	c=$1
	ok "O-4 $c submits" by_$c "$c@dane.test" "out-$c"
	sed 's/^/# /' .ok.out >"$c.out.log"
	ok "T-2 $c: Postfix has it in the mailbox" wait_got "$c"
	got "$c" >"$c.got"
	like "$(cat "$c.got")" "^Subject: out-$c" "$c: its subject"
	like "$(cat "$c.got")" 'using TLSv1\.[23]' "T-2 $c: Postfix had TLS"
	is "$(grep -c '^DKIM-Signature:' "$c.got")" 2 "U-17 $c: signed with both keys"
	like "$(cat "$c.got")" '^Received: from .*$' "R-3 $c: Received"
	like "$(cat "$c.got")" 'by mx.example.org .*with ESMTPSA|with ESMTPSA' "R-3 $c: by submission with TLS and login"
	id=$(queue-retired list | awk -F'\t' -v r="$c@dane.test" '$9 == r { print $1 }' | cut -d. -f1)
	wait_for 20 queue-retired show "$id"
	like "$(queue-retired show "$id" 2>/dev/null)" '^tls	TLSv1\.[23] dane$' "T-2 $c: by DANE"
	ok "O-4 $c submits for somebody who is not there" by_$c "no$c@dane.test" "back-$c"
	sed 's/^/# /' .ok.out >"$c.back.log"
	ok "Q-13 $c: the DSN is in the inbox" wait_for 60 has_dsn "no$c@dane.test"
	d=$(dsn_of "no$c@dane.test")
	like "$(cat "$d")" '^Action: failed' "Q-13 $c: failed"
	like "$(cat "$d")" '^Status: 5\.1\.1' "Q-13 $c: with Postfix's status"
	like "$(cat "$d")" "^Diagnostic-Code: smtp; 550 5\.1\.1 <no$c@dane.test>: " "Q-13 $c: and its words, once"
	like "$(cat "$d")" "^Subject: back-$c" "Q-13 $c: and the header of the message"
}
for c in msmtp swaks neomutt; do try $c; done
for c in msmtp swaks; do
	like "$(cat $c.got)" '^\.dot' "$c: dots as they were"
	like "$(cat $c.got)" "^f$(printf '\303\274')r out-$c" "$c: and bytes"
done
if [ -d "${NODE_CLIENTS:-/nonexistent}/nodemailer" ] && command -v node >/dev/null 2>&1; then
	try nodemailer
else
	skip "O-4 nodemailer" "NODE_CLIENTS does not name a folder with nodemailer"
fi
is "$(queue-list | wc -l | tr -d ' ')" 0 "the queue is empty"

transcript() {
	for r in out back; do
		[ $r = out ] && a=nodemailer@dane.test || a=nonodemailer@dane.test
		printf '\n==== %s: nodemailer, submission (port %s, STARTTLS) ====\n' $r "$sub"
		sed 's/^# //' nodemailer.$r.log
		printf '\n==== smtp-in -s, queue-run ====\n'
		id=$(queue-retired list | awk -F'\t' -v r="$a" '$9 == r { print $1 }' | cut -d. -f1)
		grep -h "$id" sub.log queue.log queue-run.log
		printf '\n==== queue-retired show %s ====\n' "$id"
		queue-retired show "$id"
		printf '\n==== Postfix ====\n'
		grep -hE "$a|TLS connection" pf.log | tail -4
		printf '\n==== what arrived ====\n'
		[ $r = out ] && cat nodemailer.got || cat "$(dsn_of nonodemailer@dane.test)"
	done
}
[ -z "${TRANSCRIPT:-}" ] || transcript >"$TRANSCRIPT" 2>&1
done_testing
