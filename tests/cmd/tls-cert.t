#!/bin/sh
# tls-cert.t - self-signed certificates, as OpenSSL sees them
. "$(dirname "$0")/../tap.sh"
need openssl tls-cert
PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_ETC
mkdir etc
umask 022

exits 0 "a certificate" tls-cert mail.example.org
f=etc/tls/mail.example.org.pem
is "$(stat -c '%a %a' $f | cut -d' ' -f1) $(stat -c %a etc/tls)" "600 700" "L-6 nobody else may read it, nor its directory"
text=$(openssl x509 -in $f -noout -text)
like "$text" 'NIST CURVE: P-256' "P-256 is the default"
like "$text" 'DNS:mail.example.org' "it is for the name"
like "$text" 'CA:FALSE' "it signs nothing else"
like "$text" 'ecdsa-with-SHA256' "signed with SHA-256"
ok "it is signed by itself" openssl verify -CAfile $f $f
ok "key and certificate belong together" sh -c "[ \"\$(openssl pkey -in $f -pubout)\" = \"\$(openssl x509 -in $f -noout -pubkey)\" ]"
ok "good for four years" openssl x509 -in $f -noout -checkend $((1459 * 86400))
ok "and not longer" sh -c "! openssl x509 -in $f -noout -checkend $((1462 * 86400))"
before=$(cat $f)
exits 111 "never over a file" tls-cert mail.example.org
is "$(cat $f)" "$before" "which is as it was"
ln -s /nonexistent link.pem
exits 111 "nor through a link" tls-cert -o link.pem a.example
exits 0 "with RSA" tls-cert -r mail.example.org
like "$(openssl x509 -in etc/tls/mail.example.org.rsa.pem -noout -text)" 'Public-Key: \(2048 bit\)' "2048 bits"
exits 0 "for a year" tls-cert -d 365 -o laptop.pem laptop
ok "no longer" sh -c "! openssl x509 -in laptop.pem -noout -checkend $((366 * 86400))"
exits 0 "an address" tls-cert -o ip.pem 127.0.0.1
like "$(openssl x509 -in ip.pem -noout -ext subjectAltName)" 'IP Address:127.0.0.1' "is an address in it"
exits 0 "a wildcard" tls-cert -o w.pem '*.example.org'
like "$(openssl x509 -in w.pem -noout -ext subjectAltName)" 'DNS:\*\.example\.org' "is one in it"
serial() { openssl x509 -in "$1" -noout -serial; }
ok "no two have one serial number" test "$(serial w.pem)" != "$(serial ip.pem)"
for bad in 'a b' 'a,DNS:b' '' '../x' 'a/b' '-'; do
	exits 100 "no certificate for \"$bad\"" tls-cert -o bad.pem -- "$bad"
done
exits 100 "days are a number" tls-cert -d x a
exits 100 "at least one" tls-cert -d 0 a
exits 100 "one name" tls-cert
exits 111 "a directory that is not there" tls-cert -o none/x.pem a
ok "and nothing is left" test ! -e bad.pem
done_testing
