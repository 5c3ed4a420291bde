#!/bin/sh
# jwks-fetch.t - the keys of an issuer of tokens, fetched (B-6, U-2)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/jwks.sh"
need openssl python3
# a proxy of the surroundings must not count
https_proxy=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1
export https_proxy HTTPS_PROXY ALL_PROXY
imap_setup
exits 100 "without an issuer there is nothing to fetch" jwks-fetch
like "$(cat .err)" 'no issuer is configured' "and that is said"
exits 100 "two operands" jwks-fetch a b
exits 100 "-l takes no operand" jwks-fetch -l a
exits 100 "a user that is not there" jwks-fetch -u no-such-user
jwks_start
# configure LINE...: in [oauth], after the issuer and audience
configure() {
	printf '[server]\nhostname = mail.example.org\n[oauth]\nissuer = %s\naudience = pipemail\n' "$ISSUER" >etc/main.conf
	printf '%s\n' "$@" >>etc/main.conf
	config-compile || echo "# the configuration does not compile"
}
cp ca.pem etc/ca.pem
FILE=$TMP/var/jwks/$(printf %s "$ISSUER" | sha256sum | cut -d' ' -f1).json

# ---- by hand ----
configure 'keys = jwks.json'
exits 100 "keys in a file that is configured are not fetched" jwks-fetch
configure 'ca-file = ca.pem' 'fetch-timeout = 1s'
exits 0 "B-6 keys are fetched, found by OpenID discovery" jwks-fetch
is "$(cat .out)" "$ISSUER	replaced	1	$FILE" "one line says which, how many, where"
ok "B-6 the file holds what the issuer sent" cmp keys.json "$FILE"
is "$(cat requests)" "/.well-known/openid-configuration 200
/keys 200" "with two requests"
is "$(stat -c %a var/jwks "$FILE" | tr '\n' ' ')" "750 640 " "modes of folder and file"
exits 0 "EXAMPLES: once more, the issuer named" jwks-fetch "$ISSUER"
like "$(cat .out)" '	unchanged	1	' "nothing is replaced by the same"
exits 100 "another issuer is none of ours" jwks-fetch https://other.example
publish one two
exits 0 "changed keys" jwks-fetch
like "$(cat .out)" '	replaced	2	' "replace the file"
ok "no temporary file stays" test "$(ls var/jwks)" = "${FILE##*/}"
: >"$FILE.new"
publish two
exits 0 "a temporary file of a crash is no obstacle" jwks-fetch
ok "the new keys are there" cmp keys.json "$FILE"
configure "keys-url = $ISSUER/mine" 'ca-file = ca.pem' 'fetch-timeout = 1s'
: >requests
exits 0 "keys-url needs no discovery" jwks-fetch
is "$(cat requests)" "/mine 200" "one request"
mode moved
configure "keys-url = $ISSUER/keys" 'ca-file = ca.pem' 'fetch-timeout = 1s'
exits 0 "a redirection to https is followed" jwks-fetch

# ---- whatever goes wrong, the old file stays ----
cp "$FILE" kept
publish three
# fails MODE WHY NAME
fails() {
	mode "$1"
	exits 111 "B-6 $3: no keys" jwks-fetch
	like "$(cat .err)" "m=keys-not-fetched issuer=$ISSUER .*why=\"?$2" "$3: the log says why"
	ok "$3: the old file stays" cmp kept "$FILE"
}
fails broken 'JSON' "broken JSON"
fails no-keys 'no usable key' "a set without keys"
fails oversize 'reply too large' "a reply of one byte too many"
fails header 'header section larger than 64 kB' "a header section too large"
fails slow 'Timeout was reached' "a reply too slow"
fails cut 'Transferred a partial file' "a reply cut short"
fails missing 'HTTP status 404' "not found"
fails to-http 'scheme not allowed' "a redirection to http"
fails to-file 'scheme not allowed' "a redirection to a file"
fails loop 'Number of redirects' "a redirection in a circle"
configure 'ca-file = ca.pem' 'fetch-timeout = 1s'
fails other-issuer 'the document is of another issuer' "a document of another issuer"
fails no-uri 'no jwks_uri' "a document without jwks_uri"
fails http-uri 'scheme not allowed' "keys by http"
fails broken-document 'JSON ends too early' "a broken document"
configure
fails good 'SSL peer certificate' "B-6 a certificate of an unknown CA"
configure 'ca-file = missing.pem'
fails good 'Problem with the SSL CA cert' "a CA file that is not there"
configure "keys-url = http://127.0.0.1:$JWKS_PORT/keys"
fails good 'scheme not allowed' "http"
BAD=$(free_port)
jwks_cert bad DNS:other.example
bg env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$TOP/tests/jwks_server.py" serve "$BAD" bad.crt bad.key 2>/dev/null
wait_for 10 port_open "$BAD"
configure "keys-url = https://127.0.0.1:$BAD/keys" 'ca-file = ca.pem'
fails good 'SSL peer certificate' "a certificate of another name"
configure "keys-url = https://127.0.0.1:$(free_port)/keys" 'ca-file = ca.pem'
fails good "Couldn't connect" "nobody there"
configure 'ca-file = ca.pem' 'fetch-timeout = 1s'
mode at-limit
exits 0 "a reply of just the limit is taken" jwks-fetch
is "$(wc -c <"$FILE")" 262144 "whole"
PLAIN=$(free_port)
bg env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$TOP/tests/jwks_server.py" serve "$PLAIN" 2>/dev/null
wait_for 10 port_open "$PLAIN"
mode good
configure "keys-url = http://127.0.0.1:$PLAIN/keys" 'allow-http = yes'
exits 0 "http when that is allowed" jwks-fetch
mv var/jwks var/away; : >var/jwks
exits 111 "no folder to write to" jwks-fetch
like "$(cat .err)" 'm=keys-not-fetched .*err=' "is said"
rm var/jwks; mv var/away var/jwks

# ---- as a service, with auth-serve ----
rm -r var/jwks
mode etag
publish one
configure 'ca-file = ca.pem' 'fetch-timeout = 1s'
: >requests
bg jwks-fetch -l 2>fetch.log
LOOP=$bg_pid
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 test -S run/auth
wait_for 10 test -e "$FILE"
wait_for 10 grep -q keys-fetched fetch.log
like "$(cat fetch.log)" "m=keys-fetched issuer=$ISSUER replaced=yes next=(2[7-9][0-9]|300)" \
    "max-age=0 becomes five minutes, up to a tenth less"
is "$(stat -c '%a %F' var/jwks/poke)" "620 fifo" "the FIFO"
cat >login.py <<'P'
import sys
from auth_client import *
c = Client()
def xoauth2(t, user="alice@example.org"):
    r = c.auth("XOAUTH2", "user=%s\x01auth=Bearer %s\x01\x01" % (user, t))
    return c.cont("\x01").split("\t")[0] if r.startswith("CONT\t") else r
check(sys.argv[1], xoauth2(sys.argv[2]), sys.argv[3])
P
export PYTHONPATH="$TOP/tests/cmd" PYTHONDONTWRITEBYTECODE=1
# login NAME KID WANT
login() { python_tests login.py "$1" "$(jwks_py token "$2" "$ISSUER" alice@example.org)" "$3"; }
login "B-6 U-2 a token of a fetched key" one "OK	user=alice"
publish two
login "B-6 a token of a key not known yet" two "FAIL"
wait_for 10 grep -q '"two"' "$FILE"
login "B-6 makes the keys be fetched: the next login is good" two "OK	user=alice"
login "B-6 and the key taken back is good no more" one "FAIL"
publish three
n=$(grep -c keys requests)
login "a second unknown key" three "FAIL"
login "and a third" three "FAIL"
sleep 0.5
is "$(grep -c keys requests)" "$n" "B-6 unknown keys make it fetch once in five minutes only"
is "$(grep -c keys-fetched fetch.log)" 2 "so there were two"
kill -STOP $LOOP
i=0; while [ $i -lt 3 ]; do login "auth-serve does not wait for jwks-fetch" three FAIL; i=$((i + 1)); done
kill -CONT $LOOP
kill -TERM $LOOP; wait $LOOP 2>/dev/null
login "nor needs it" three "FAIL"
is "$(grep -c 'jwks/poke' auth.log)" 0 "without a word"

# 304: the copy at hand is still good. A new source makes it ask at once.
: >requests
bg jwks-fetch -l 2>fetch2.log
LOOP=$bg_pid
wait_for 10 grep -q keys-fetched fetch2.log
publish four
login "an unknown key again" four FAIL
wait_for 10 grep -q '"four"' "$FILE"
login "B-6 after a restart" four "OK	user=alice"
kill -TERM $LOOP; wait $LOOP 2>/dev/null
: >requests
bg jwks-fetch -l 2>fetch3.log
LOOP=$bg_pid
wait_for 10 grep -q keys-fetched fetch3.log
login "an unknown key that the issuer does not know either" one FAIL
# it may not have begun to listen: the next login asks again
wait_for 5 sh -c '[ $(grep -c keys-fetched fetch3.log) = 2 ]' ||
	login "and once more" one FAIL
wait_for 10 sh -c '[ $(grep -c keys-fetched fetch3.log) = 2 ]'
is "$(grep '^/keys' requests | tr '\n' ' ')" "/keys 200 /keys 304 " "B-6 304 with the ETag"
like "$(tail -1 fetch3.log)" 'replaced=no' "replaces nothing"
login "and the keys are still good" four "OK	user=alice"
kill -TERM $LOOP; wait $LOOP 2>/dev/null

# ---- under users of their own: numbers, none is made ----
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then
	skip "users of their own" "needs root and setpriv"
	done_testing
fi
rm -r var/jwks
mkdir bin && cp "$BIN/jwks-fetch" bin/ && chmod 755 bin bin/jwks-fetch
cp ca.pem etc/ca.pem && chmod 644 etc/ca.pem
PIPEMAIL_USER_NET=61001 PIPEMAIL_USER_TLS=61002 PIPEMAIL_USER_AUTH=61003 PIPEMAIL_USER_MAIL=61004 \
    PIPEMAIL_USER_JWKS=61006 PIPEMAIL_USER_QUEUE=61005 PIPEMAIL_USER_STS=61007 config-check -p -f >/dev/null
bg bin/jwks-fetch -l -u 61006 2>fetch4.log
LOOP=$bg_pid
wait_for 10 grep -q keys-fetched fetch4.log
is "$(awk '/^Uid:/ { print $2, $3, $4 }' /proc/$LOOP/status)" "61006 61006 61006" "-u: it is that user"
is "$(stat -c '%u:%g %a' "$FILE" var/jwks/poke | tr '\n' ' ')" "61006:61003 640 61006:61003 620 " \
    "what it makes has the group of auth-serve"
as() { u=$1; shift; setpriv --reuid "$u" --regid "$u" --clear-groups "$@"; }
ok "B-6 auth-serve reads the keys" as 61003 cat "$FILE"
ok "and asks for new ones" as 61003 sh -c "printf x >'$TMP/var/jwks/poke'"
ok "B-6 but cannot change them" sh -c "! setpriv --reuid 61003 --regid 61003 --clear-groups sh -c ': >>\"$FILE\"'"
wait_for 10 sh -c '[ $(grep -c keys-fetched fetch4.log) = 2 ]'
is "$(grep -c keys-fetched fetch4.log)" 2 "they are fetched"
exits 1 "others cannot ask" as 61004 sh -c "test -w '$TMP/var/jwks/poke'"
kill -TERM $LOOP; wait $LOOP 2>/dev/null
done_testing
