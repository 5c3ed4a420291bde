#!/bin/sh
# jwks.t - localserve with an issuer of tokens: fetched keys, changed keys,
# IMAP logins with tokens signed by them (B-6, U-2)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
. "$TOP/tests/jwks.sh"
need openssl python3 s6-svscan
jwks_start
instance_start
ok "B-6 without an issuer jwks-fetch is not started" test ! -e "$TMP/ls/run/service/jwks-fetch"
instance_stop
cp ca.pem ls/etc/ca.pem
printf '\n[oauth]\nissuer = %s\naudience = pipemail\nca-file = ca.pem\n' "$ISSUER" >>ls/etc/main.conf
instance_again
KEYS=$TMP/ls/var/jwks/$(printf %s "$ISSUER" | sha256sum | cut -d' ' -f1).json
wait_for 10 test -e "$KEYS"
ok "B-6 with an issuer it fetches its keys" cmp keys.json "$KEYS"
cat >login.py <<'P'
import imaplib, sys
c = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
try:
    c.authenticate("XOAUTH2", lambda x: (b"" if x else
        ("user=mail@localhost\x01auth=Bearer %s\x01\x01" % sys.argv[2]).encode()))
    print(c.select("INBOX")[0])
    c.logout()
except imaplib.IMAP4.error as e:
    print("NO", e)
P
login() {
	/usr/bin/python3 login.py $((B + 143)) "$(jwks_py token "$1" "$ISSUER" mail@localhost)"
}
is "$(login one)" "OK" "B-6 U-2 XOAUTH2 logs in to IMAP with a token of the issuer"
publish two
like "$(login two)" '^NO .*AUTHENTICATIONFAILED' "B-6 a token of a new key is refused at first"
wait_for 10 cmp keys.json "$KEYS"
is "$(login two)" "OK" "B-6 U-2 and good as soon as the key was fetched"
like "$(login one)" '^NO .*AUTHENTICATIONFAILED' "B-6 the old key is good no more"
like "$(cat ls/log/jwks-fetch/current)" 'm=keys-fetched' "its log is where the others are"
like "$(cat ls/log/auth-serve/current)" 'why="token of an unknown key"' "auth-serve says why it refused"
instance_stop
done_testing
