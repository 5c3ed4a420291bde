#!/bin/sh
# dkim-key.t - A-12: keys are made once, and printed as records
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/dns-fixture"
tab=$(printf '\t')

exits 0 "A-12 an RSA key is made" dkim-key -o rsa.pem
is "$(stat -c %a rsa.pem)" 600 "it has mode 0600"
is "$(head -1 rsa.pem)" "-----BEGIN PRIVATE KEY-----" "it is PKCS#8"
cp rsa.pem copy
exits 111 "a file that exists is not overwritten" dkim-key -o rsa.pem
like "$(cat .err)" '^dkim-key: fatal: cannot create rsa.pem: File exists$' "and named"
ok "nor changed" cmp rsa.pem copy
ln -s nowhere link
exits 111 "nor is a link followed" dkim-key -o link
ok "nothing is made behind it" test ! -e nowhere
exits 0 "A-12 an Ed25519 key is made" dkim-key -t ed25519 -o ed.pem
exits 0 "A-12 an RSA key of 1024 bits is made" dkim-key -b 1024 -t rsa -o small.pem
(umask 777; dkim-key -t ed25519 -o masked.pem)
is "$(stat -c %a masked.pem)" 0 "the umask counts"

dkim-key -p -d example.org -s sel rsa.pem >rsa.txt
like "$(head -1 rsa.txt)" '^sel\._domainkey\.example\.org\. IN TXT \( "v=DKIM1; k=rsa; p=[A-Za-z0-9+/]*"$' "A-12 the record of an RSA key"
is "$(sed 's/[^"]*"\([^"]*\)".*/\1/' rsa.txt | awk 'length > 255')" "" "in strings of at most 255 octets"
like "$(dkim-key -p ed.pem)" '^"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}="$' "A-12 the record of an Ed25519 key, strings only"
like "$(dkim-key -p -d Exämple.org -s A ed.pem)" '^a\._domainkey\.xn--exmple-cua\.org\. ' "names become A-labels"
is "$(dkim-key -p rsa.pem | tr -d '" \n')" "$(tr -d '"()\n\t ' <rsa.txt | sed 's/.*INTXT//')" "both forms hold the same record"

if command -v openssl >/dev/null 2>&1; then
	openssl pkey -in rsa.pem -pubout -outform DER 2>/dev/null | base64 -w0 >der
	like "$(dkim-key -p rsa.pem | tr -d '" \n')" "p=$(sed 's/[+]/[+]/g' der)\$" "p= is what openssl says"
	openssl pkey -in small.pem -traditional -out pkcs1.pem 2>/dev/null
	is "$(head -1 pkcs1.pem)" "-----BEGIN RSA PRIVATE KEY-----" "a key in PKCS#1"
	is "$(dkim-key -p pkcs1.pem)" "$(dkim-key -p small.pem)" "is read, too"
	openssl pkey -in small.pem -aes128 -passout pass:x -out locked.pem 2>/dev/null
	exits 100 "a key with a pass phrase is refused" dkim-key -p locked.pem
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:512 -out tiny.pem 2>/dev/null
	exits 100 "RFC 8301 an RSA key of 512 bits is refused" dkim-key -p tiny.pem
	like "$(cat .err)" 'RSA key under 1024 bits' "and the reason given"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem 2>/dev/null
	exits 100 "a key of another kind is refused" dkim-key -p ec.pem
	openssl pkey -in rsa.pem -pubout -out pub.pem 2>/dev/null
	exits 100 "a public key is refused" dkim-key -p pub.pem
else
	skip "key files of openssl" "openssl is not installed"
fi

exits 111 "no such file" dkim-key -p nosuch
like "$(cat .err)" '^dkim-key: fatal: cannot read key nosuch: No such file or directory$' "is named"
: >empty
exits 100 "an empty file is no key" dkim-key -p empty
head -c 70000 /dev/zero >big
exits 100 "a large file is no key" dkim-key -p big
exits 100 "1023 bits are refused" dkim-key -b 1023 -o x
exits 100 "8193 bits are refused" dkim-key -b 8193 -o x
exits 100 "bits that are no number" dkim-key -b many -o x
exits 100 "an unknown type" dkim-key -t dsa -o x
exits 100 "bits of an Ed25519 key" dkim-key -t ed25519 -b 2048 -o x
exits 100 "no operation" dkim-key
exits 100 "-d without -s" dkim-key -p -d example.org ed.pem
exits 100 "a bad domain" dkim-key -p -d 'a b' -s s ed.pem
exits 100 "an unknown option" dkim-key -z
ok "nothing was made" test ! -e x
exits 111 "a directory that is not there" dkim-key -t ed25519 -o no/such/dir

dkim-key -p rsa.pem >/dev/full 2>err
is "$?" 111 "a full device is a temporary failure"

# ---- what is published ----
{
	echo '$ORIGIN example.org.'
	dkim-key -p -d example.org -s rsa1 small.pem
	dkim-key -p -d bücher.example.org -s ed ed.pem
	echo 'revoked._domainkey TXT "v=DKIM1; p="'
	echo 'tlsrpt._domainkey TXT "v=DKIM1; k=ed25519; s=tlsrpt; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'
	echo 'test._domainkey TXT "k=ed25519; t=y:s; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'
	echo 'short._domainkey TXT "p=AAAA"'
	echo 'other._domainkey TXT "hello; world"'
	echo 'several._domainkey TXT "hello"'
	echo 'several._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'
	echo 'a_b._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'
} >example.org.zone
dns_start example.org.zone
# look SELECTOR [DOMAIN]: without the record
look() { dkim-key -l -d "${2:-example.org}" -s "$1" | grep -v "^record$tab" | cut -f 2- | tr '\n' ';'; }
out=$(dkim-key -l -d example.org -s rsa1; echo $?)
is "$out" "name${tab}rsa1._domainkey.example.org
record${tab}$(dkim-key -p small.pem | tr -d '" \n' | sed 's/;/; /g')
type${tab}rsa
bits${tab}1024
testing${tab}n
strict${tab}n
dnssec${tab}n
0" "A-12 -l looks up what is published"
is "$(look ed bücher.example.org)" "ed._domainkey.xn--bcher-kva.example.org;ed25519;256;n;n;n;" "A-12 -l names beyond ASCII"
is "$(look test)" "test._domainkey.example.org;ed25519;256;y;y;n;" "A-12 -l flags"
is "$(look a_b)" "a_b._domainkey.example.org;ed25519;256;n;n;n;" "A-12 -l an underscore in a selector"
is "$(look revoked)" "revoked._domainkey.example.org;rsa;0;n;n;key is revoked;n;" "A-12 -l a revoked key"
is "$(look tlsrpt)" "tlsrpt._domainkey.example.org;ed25519;256;n;n;key is not for email;n;" "A-12 -l a key of another service"
like "$(look short)" '^short._domainkey.example.org;rsa;0;n;n;[a-zA-Z].*;n;$' "A-12 -l what is no key"
is "$(look other)" "other._domainkey.example.org;key record is no tag list;n;" "A-12 -l what is no record"
is "$(look absent)" "absent._domainkey.example.org;no such name;n;" "A-12 -l nothing is there"
exits 1 "A-12 -l exits 1 for that" dkim-key -l -d example.org -s absent
exits 1 "A-12 -l exits 1 for a key that verifies nothing" dkim-key -l -d example.org -s revoked
exits 0 "A-12 -l one of several is a key" dkim-key -l -d example.org -s several
exits 100 "A-12 -l without -s" dkim-key -l -d example.org
exits 100 "A-12 -l and -p" dkim-key -l -p -d example.org -s rsa1
exits 100 "A-12 -l and a file" dkim-key -l -d example.org -s rsa1 rsa.pem
exits 100 "A-12 -l of what is no name" dkim-key -l -d 'a b' -s rsa1
exits 111 "A-12 -l exits 111 where DNS does not answer" env PIPEMAIL_DNS=127.0.0.1:9 dkim-key -l -d example.org -s rsa1

# EXAMPLES of the page
mkdir ex && cd ex || exit 111
sed -n 's/^\.Dl \(dkim-key .*\)/\1/p' "$TOP/man/dkim-key.1" >lines
while read -r line; do sh -c "$line" >>out 2>&1 || echo "$line"; done <lines >bad
is "$(wc -l <lines):$(cat bad)" "5:" "the examples of dkim-key(1) work"
done_testing
