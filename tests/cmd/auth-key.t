#!/bin/sh
# auth-key.t - client keys: made, added, used, removed
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need openssl
imap_setup
for a in alice bob; do echo "password of $a" | passwd-set -a $a || exit 111; done

exits 100 "no verb" auth-key
exits 100 "an unknown verb" auth-key make x
exits 100 "an option of another verb" auth-key gen -l x y
exits 100 "add needs an account" auth-key add
exits 100 "remove needs a key" auth-key remove -a alice
for t in ecdsa rsa ed25519; do
	ok "U-9 gen: $t" sh -c "auth-key gen -t $t -n 'my $t' $t >$t.out"
	ok "U-9 openssl reads the key" openssl pkey -in $t.key.pem -noout
	like "$(openssl x509 -in $t.cert.pem -noout -subject)" "CN = my $t" "and the certificate's name"
	p=$(sed -n '/password of/{n;p}' $t.out)
	ok "U-9 the p12 opens with the printed password" openssl pkcs12 -in $t.p12 -passin "pass:$p" -nodes -out $t.all
	is "$(openssl pkey -in $t.all -pubout)" "$(openssl x509 -in $t.cert.pem -noout -pubkey)" "key and certificate belong together"
	is "$(stat -c %a $t.key.pem $t.p12 | tr '\n' ' ')" "600 600 " "for their owner alone"
	# the printed commands do the same
	sed -n 's/^openssl /openssl /p' $t.out | sed "s/$t\./by-$t./g; s/-export/-export -passout pass:x/" >cmds
	ok "U-9 the printed commands work: $t" sh -ec ". ./cmds" 
	ok "and their certificate is taken" sh -c "auth-key add -a alice <by-$t.cert.pem"
done
exits 100 "gen overwrites nothing" auth-key gen ecdsa
exits 100 "gen: a name with quotes" auth-key gen -n 'a"b' other
id=$(auth-key add -n laptop -a alice@example.org <ecdsa.cert.pem)
is "$id" "$(openssl x509 -in ecdsa.cert.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d '=')" \
    "U-8 the id is SHA-256 of the SubjectPublicKeyInfo"
exits 100 "a key twice" sh -c 'auth-key add -a bob <ecdsa.cert.pem'
like "$(cat .err)" 'is there already' "is told"
exits 100 "an address of another account" sh -c 'auth-key add -a bob -l alice@example.org <rsa.cert.pem'
exits 100 "no PEM" sh -c 'echo nonsense | auth-key add -a bob'
openssl genrsa -out small.pem 1024 2>/dev/null
openssl rsa -in small.pem -pubout -out small.pub 2>/dev/null
exits 100 "U-8 RSA of 1024 bits" sh -c 'auth-key add -a bob <small.pub'
like "$(cat .err)" 'RSA key under 2048 bits' "is told"
exits 100 "no private key" sh -c 'auth-key add -a bob <rsa.key.pem'
openssl x509 -in ed25519.cert.pem -noout -pubkey >ed.pub
id2=$(auth-key add -P -n tablet -a bob -l bob@example.org <ed.pub)
like "$(auth-key list)" "^$id	alice	alice@example.org	[0-9-]{10}	laptop\$" "U-9 list: login and name"
like "$(auth-key list -a bob)" "^$id2	bob	bob@example.org	[0-9-]{10}	tablet	no-preauth\$" "U-10 and the flag"
is "$(auth-key list -a alice | wc -l)" 4 "each account its own"

cat >keys.py <<'P'
import sys
from auth_client import *
alice, bob = sys.argv[1:]
c = Client()
k = lambda id, more="": "service=imap\tclient-key=" + id + more
check("U-8 EXTERNAL", c.auth("EXTERNAL", "", k(alice)), "OK\tuser=alice\tlogin=alice@example.org")
check("without initial response", (c.auth("EXTERNAL", None, k(alice)), c.cont(""))[1], "OK\tuser=alice\tlogin=alice@example.org")
check("as an address of the account", c.auth("EXTERNAL", "alice@example.org", k(alice)), "OK\tuser=alice\tlogin=alice@example.org")
check("not as another", c.auth("EXTERNAL", "bob", k(alice)), "FAIL")
check("U-10 PREAUTH", c.auth("EXTERNAL", "", k(alice, "\tpreauth")), "OK\tuser=alice\tlogin=alice@example.org")
check("U-10 but not with this key", c.auth("EXTERNAL", "", k(bob, "\tpreauth")), "FAIL\tuncharged\tnopreauth")
check("which logs in when asked to", c.auth("EXTERNAL", "", k(bob)), "OK\tuser=bob\tlogin=bob@example.org")
OTHER = "FAIL\tuser=bob\treason=the client certificate is of another account"
check("U-11 a password of the same account", c.plain("alice", "password of alice", k(alice)), "OK\tuser=alice")
check("U-11 not of another", c.plain("bob", "password of bob", k(alice)), OTHER)
check("U-11 by SCRAM neither", c.scram("SCRAM-SHA-256", "bob", "password of bob", k(alice)), OTHER)
check("an unknown key says nothing", c.plain("bob", "password of bob", k("A" * 43)), "OK\tuser=bob")
P
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 test -S run/auth
export PYTHONPATH="$TOP/tests/cmd" PYTHONDONTWRITEBYTECODE=1
python_tests keys.py "$id" "$id2"
like "$(cat auth.log)" 'm=login service=imap .*account=alice mech=EXTERNAL .*label=laptop' "the log names the key"
exits 1 "remove: another's key" auth-key remove -a bob "$id"
exits 0 "remove" auth-key remove -a alice "$id"
exits 1 "remove: gone" auth-key remove -a alice "$id"
exits 100 "remove: no id" auth-key remove -a alice xyz
auth-key list -a alice | cut -f1 | while read -r k; do auth-key remove -a alice "$k"; done
rm -f laptop.*
sed -n 's/^\.Dl //p' "$TOP/man/auth-key.1" >examples
while read -r line; do
	ok "the example works: $line" sh -c "$line"
done <examples
is "$(wc -l <examples)" 3 "the examples of the page"
done_testing
