#!/bin/sh
# in-postfix.t - Postfix sends to smtp-in: in clear, with TLS, and with DANE
# by the record of dane-record in a signed zone (nsd, unbound); with a record
# of another key it sends nothing
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/postfix.sh"
. "$TOP/tests/signed-dns.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
need openssl nc smtp-in lmtp-in tcp-bind tls-serve tls-cert dane-record
unshare -m true 2>/dev/null || skip_all "mount namespaces cannot be made here"

# ---- ours: one smtp-in for each domain, all with the same certificate ----
printf '[account]\naddress = @dane.test\naddress = @wrong.test\naddress = @plain.test\naddress = @must.test\n' >etc/accounts/alice.conf
for d in dane.test wrong.test plain.test must.test; do echo '[domain]' >etc/domains/$d.conf; done
main_conf
start_lmtp
tls-cert mx.example.org && tls-cert -o elsewhere.pem elsewhere.example || exit 111
front_tls
port=$(free_port)
for n in 2 3 4; do
	bg tcp-bind 127.0.0.$n "$port" smtp-in 2>smtp.log.$n
	wait_for 20 nc -z 127.0.0.$n "$port"
done

# ---- DNS ----
cert=$(find etc -name "*mx.example.org*.pem" | head -1)
tlsa=$(dane-record "$cert") wrong=$(dane-record elsewhere.pem)
zone plain.test 127.0.0.2
zone must.test 127.0.0.2
zone dane.test 127.0.0.3 "_$port._tcp.mx IN TLSA $tlsa"
zone wrong.test 127.0.0.4 "_$port._tcp.mx IN TLSA $wrong"
zone_sign dane.test wrong.test
ns=127.$((1 + $$ % 200)).$((1 + $$ / 200 % 200)).53
zones_serve $ns

# ---- Postfix: what it takes at its port it sends to the domain's MX ----
from=$(free_port)
postfix_new pf <<C
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
transport_maps = inline:{ plain.test=clear:plain.test:$port, must.test=smtp:must.test:$port, dane.test=dane:dane.test:$port, wrong.test=dane:wrong.test:$port }
smtp_tls_loglevel = 1
smtp_dns_support_level = dnssec
smtp_tls_security_level = encrypt
C
cat >>pf/master.cf <<C
clear unix - - n - - smtp
  -o smtp_tls_security_level=none -o syslog_name=pm-clear
dane unix - - n - - smtp
  -o smtp_tls_security_level=dane -o syslog_name=pm-dane
C
postfix_listen pf 127.0.0.1 $from
# shellcheck disable=SC2046 # a command and its arguments
postfix_start pf $(postfix_resolver $ns) || skip_all "Postfix does not start here"
send() {
	printf 'From: one@far.test\nSubject: to %s\n\n.dot\nf\303\274r\n' "$1" |
	    smtp-out -f one@far.test "127.0.0.1:$from" "one@$1"
}
inbox() { find var/accounts/alice/Maildir -name '*,*' -exec grep -l "^Subject: to $1" {} + 2>/dev/null | head -1; }
here() { [ -n "$(inbox "$1")" ]; }
logged() { wait_for 60 grep -qE "$1" pf.log; }

ok "Postfix takes a message in clear for us" send plain.test
ok "without TLS it arrives" wait_for 60 here plain.test
m=$(cat "$(inbox plain.test)")
like "$m" 'with ESMTP$' "R-3 by ESMTP in clear"
like "$m" '^\.dot$' "dots as they were"
like "$m" "^f$(printf '\303\274')r$" "and bytes"
send must.test >/dev/null
ok "with TLS required it arrives" wait_for 60 here must.test
like "$(cat "$(inbox must.test)")" 'with ESMTPS$' "R-3 by STARTTLS"
like "$(cat pf.log)" 'Untrusted TLS connection established to mx.must.test' "Postfix has verified nothing"
send dane.test >/dev/null
ok "with dane-record's record in the signed zone it arrives" wait_for 60 here dane.test
like "$(cat "$(inbox dane.test)")" 'with ESMTPS$' "R-3 by STARTTLS"
like "$(cat pf.log)" 'pm-dane.*Verified TLS connection established to mx.dane.test' "Postfix has verified it by DANE"
send wrong.test >/dev/null
ok "a record of another key: Postfix keeps the message" logged 'pm-dane.*to=<one@wrong.test>.*dsn=4.7.5.*status=deferred'
ok "and nothing arrives" test -z "$(inbox wrong.test)"
ok "though it dialled" grep -q 'ip=127' smtp.log.4
done_testing
