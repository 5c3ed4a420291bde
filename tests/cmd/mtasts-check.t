#!/bin/sh
# mtasts-check.t - record, policy, cache, refresh and service, against DNS and
# a policy host on loopback
. "$(dirname "$0")/../tap.sh"
need openssl python3 nc mtasts-check mtasts-fetch mtasts-serve mtasts-refresh
. "$TOP/tests/dns-fixture"
. "$TOP/tests/pki.sh"
tab=$(printf '\t')
PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC
mkdir var run etc policies
# the policy hosts of this test are on loopback
printf '[server]\nhostname = mx.example.net\n[queue]\nprivate-addresses = yes\n' >etc/main.conf
config-compile >/dev/null || exit 111

# ---- the world ----
names="enforce testing none broken missing redirect huge full slow badid two gone moved cached
noweb wild limits"
san=
for n in $names; do
	[ $n = noweb ] || san="$san${san:+,}DNS:mta-sts.$n.example"
done
pki_ca root
pki_cert web root 10 "$san,DNS:mta-sts.example.org"
bg /usr/bin/python3 "$TOP/tests/mtasts-server.py" -c web.all.pem -r web.port -l web.log policies
wait_for 10 test -s web.port || { echo "Bail out! no policy host"; exit 111; }
PIPEMAIL_MTASTS_PORT=$(cat web.port)
PIPEMAIL_CA_FILE=$TMP/root.pem
export PIPEMAIL_MTASTS_PORT PIPEMAIL_CA_FILE

# policy NAME MODE MAX_AGE MX...
policy() {
	p_file=policies/mta-sts.$1.example; p_mode=$2; p_age=$3; shift 3
	{
		printf 'version: STSv1\r\nmode: %s\r\n' "$p_mode"
		for p_mx; do printf 'mx: %s\r\n' "$p_mx"; done
		printf 'max_age: %s\r\n' "$p_age"
	} >"$p_file"
}
policy enforce enforce 604800 mx1.example.net '*.example.org'
policy testing testing 86400 mx1.example.net
policy none none 86400
policy cached enforce 86400 mx1.example.net
policy moved enforce 86400 mx1.example.net
policy gone none 86400
policy noweb enforce 86400 mx1.example.net
policy badid enforce 86400 mx1.example.net
policy two enforce 86400 mx1.example.net
printf 'version: STSv1\nmode: strict\nmx: a.example\nmax_age: 1\n' >policies/mta-sts.broken.example
echo '!redirect https://mta-sts.enforce.example/.well-known/mta-sts.txt' >policies/mta-sts.redirect.example
echo '!huge 65537' >policies/mta-sts.huge.example
echo '!huge 65536' >policies/mta-sts.full.example

# zone: domain -> record text; "" none
cat >zone.py <<'P'
import json, os
zone = {}
for name in os.environ["NAMES"].split():
    zone["mta-sts.%s.example" % name] = {"A": ["127.0.0.1"]}
    zone["_mta-sts.%s.example" % name] = {"TXT": ["v=STSv1; id=%s1;" % name]}
    zone["%s.example" % name] = {"MX": ["10 mx1.example.net"]}
zone["_mta-sts.badid.example"] = {"TXT": ["v=STSv1; id=a b;"]}
zone["_mta-sts.two.example"] = {"TXT": ["v=STSv1; id=1;", "v=STSv1; id=2;", "other"]}
zone["enforce.example"] = {"MX": ["10 mx1.example.net", "20 a.example.org"]}
zone["wild.example"] = {"MX": ["10 a.b.example.org"]}
zone["_mta-sts.fails.example"] = {"TXT": "SERVFAIL", "ede": [6, "signature crypto failed"]}
zone["plain.example"] = {"MX": ["10 mx1.example.net"]}
zone["mta-sts.example.org"] = {"A": ["127.0.0.1"]}
zone["_mta-sts.example.org"] = {"TXT": ["v=STSv1; id=20261121T0900;"]}
zone["example.org"] = {"MX": ["10 mx1.example.org"]}
for change in os.environ.get("CHANGE", "").split(","):
    if change:
        name, text = change.split("=", 1)
        if text:
            zone["_mta-sts.%s.example" % name] = json.loads(text)
        else:
            del zone["_mta-sts.%s.example" % name]
json.dump(zone, open("zone.json", "w"))
P
zone() {	# CHANGE: NAME=JSON,...
	NAMES="$names" CHANGE="${1:-}" python3 zone.py
	dns_stub_start zone.json
}
cp policies/mta-sts.enforce.example policies/mta-sts.wild.example

# ---- mtasts-policy ----
exits 0 "EXAMPLES: a policy" mtasts-policy -m testing -a 7d mx1.example.org '*.mx.example.net'
is "$(tr -d '\r' <.out)" "version: STSv1
mode: testing
mx: mx1.example.org
mx: *.mx.example.net
max_age: 604800" "is written as it is to be served"
cp .out policies/mta-sts.example.org
is "$(mtasts-policy -c <.out | cksum)" "$(cksum <policies/mta-sts.example.org)" "and is understood so"
is "$(mtasts-policy münchen.example | tr -d '\r' | sed -n 3p)" "mx: xn--mnchen-3ya.example" "A-labels"
is "$(mtasts-policy -m none | tr -d '\r' | sed -n 2p)" "mode: none" "mode none has no hosts"
exits 100 "no hosts" mtasts-policy
exits 100 "a mode that is none" mtasts-policy -m strict a.example
exits 100 "a host that is none" mtasts-policy 'a..b'
exits 100 "a line of one's own" mtasts-policy "a
mode: none"
exits 100 "an age that is none" mtasts-policy -a 2y a.example
echo "mode: enforce" >bad
exits 100 "no policy" sh -c 'mtasts-policy -c <bad'
like "$(cat .err)" "there is no version" "and why"
zone

# ---- mtasts-fetch ----
exits 0 "T-3 a policy is fetched" mtasts-fetch enforce.example
ok "as it is served" cmp .out policies/mta-sts.enforce.example
exits 1 "T-3 a status other than 200 is no policy" mtasts-fetch missing.example
is "$(cat .out)" "sts-policy-fetch-error${tab}the policy host answers with status 404" "and is told"
exits 1 "T-3 redirects are not followed" mtasts-fetch redirect.example
is "$(cat .out)" "sts-policy-fetch-error${tab}the policy host answers with status 302" "a redirect is its status"
exits 0 "a policy of 64 KiB" mtasts-fetch full.example
is "$(wc -c <.out | tr -d ' ')" 65536 "comes whole"
exits 1 "one byte more" mtasts-fetch huge.example
like "$(cat .out)" "^sts-policy-fetch-error${tab}.*too large" "is too large"
exits 1 "T-3 a certificate for other names" mtasts-fetch noweb.example
like "$(cat .out)" "^sts-webpki-invalid${tab}" "is sts-webpki-invalid"
exits 1 "T-3 a root that is not known" env PIPEMAIL_CA_FILE=/etc/ssl/certs/ca-certificates.crt mtasts-fetch enforce.example
like "$(cat .out)" "^sts-webpki-invalid${tab}" "is sts-webpki-invalid too"
exits 1 "no policy host" mtasts-fetch plain.example
like "$(cat .out)" "^sts-policy-fetch-error${tab}the policy host has no address" "is a fetch error"
exits 1 "nobody at the port" mtasts-fetch -p 1 enforce.example
like "$(cat .out)" "^sts-policy-fetch-error${tab}" "is one as well"
exits 100 "no domain name" mtasts-fetch 'a b'
exits 100 "no port" mtasts-fetch -p 0 enforce.example

exits 0 "EXAMPLES: mtasts-fetch" mtasts-fetch example.org

# ---- mtasts-check ----
exits 0 "EXAMPLES: mtasts-check" mtasts-check example.org
exits 1 "EXAMPLES: with hosts" mtasts-check -q example.org mx1.example.net mx2.example.net
exits 0 "T-10 a domain in mode enforce" mtasts-check enforce.example
is "$(cat .out)" "record${tab}enforce1${tab}found
policy${tab}enforce${tab}fetched
max_age${tab}604800${tab}seconds
pattern${tab}mx1.example.net${tab}-
pattern${tab}*.example.org${tab}-
mx${tab}mx1.example.net${tab}match
mx${tab}a.example.org${tab}match
enforce${tab}enforce.example${tab}success" "T-10 shows record, policy and each MX"
is "$(mtasts-check -q enforce.example)" "enforce${tab}enforce.example${tab}success" "the verdict alone with -q"
exits 1 "T-3 an MX two labels below a wildcard" mtasts-check -q wild.example
is "$(cut -f1 .out)" mismatch "does not match"
exits 1 "T-3 hosts given by hand" mtasts-check enforce.example MX1.example.net b.example.net
like "$(cat .out)" "^mx${tab}b.example.net${tab}no-match" "are matched in place of the MX"
exits 0 "T-3 mode testing" mtasts-check -q testing.example
is "$(cut -f1 .out)" testing "is told"
exits 0 "T-3 mode none" mtasts-check -q none.example
is "$(cut -f1 .out)" none "is told"
exits 1 "T-3 a policy that is malformed" mtasts-check -q broken.example
is "$(cat .out)" "absent${tab}broken.example${tab}sts-policy-invalid${tab}the mode is not one of enforce, testing, none" "is as none, and reported"
exits 1 "T-3 a policy that cannot be fetched" mtasts-check -q missing.example
is "$(cut -f1-3 .out)" "absent${tab}missing.example${tab}sts-policy-fetch-error" "is as none, and reported"
exits 1 "T-3 a record that is malformed" mtasts-check badid.example
is "$(tail -1 .out | cut -f1-3)" "absent${tab}badid.example${tab}sts-policy-invalid" "is as none"
exits 1 "T-3 two records" mtasts-check -q two.example
is "$(cat .out)" "absent${tab}two.example${tab}success${tab}there are several MTA-STS records" "are as none"
exits 1 "T-3 no record" mtasts-check -q plain.example
is "$(cut -f1-3 .out)" "absent${tab}plain.example${tab}success" "is nothing to report"
exits 111 "T-3 a record that cannot be looked up" mtasts-check -q fails.example
is "$(cat .out)" "defer${tab}fails.example${tab}success${tab}server failure: DNSSEC Bogus (6): signature crypto failed" "T-12 defers, with what DNS says (RFC 8914)"
exits 100 "no operand" mtasts-check
exits 100 "the cache is the service's with -s" mtasts-check -Cs enforce.example
exits 100 "no domain name" mtasts-check 'a b'

# ---- the cache ----
requests() { grep -c "mta-sts.$1.example" web.log; }
: >web.log
exits 0 "T-3 with -C the cache is used" mtasts-check -C cached.example
like "$(cat .out)" "^policy${tab}enforce${tab}fetched" "the first time it is fetched"
exits 0 "the second time" mtasts-check -C cached.example
like "$(cat .out)" "^policy${tab}enforce${tab}cached" "T-3 it is not, while the id is the same"
is "$(requests cached)" 1 "one request in all"
exits 1 "a fetch that fails" mtasts-check -C missing.example
exits 1 "and again at once" mtasts-check -C -q missing.example
is "$(requests missing)" 1 "T-3 is not tried again for five minutes"
like "$(cat .out)" "a short while ago" "and says so"
for d in moved gone; do mtasts-check -C -q $d.example >/dev/null; done
zone 'cached=,moved={"TXT":["v=STSv1; id=moved2"]}'
exits 0 "T-3 the record is gone" mtasts-check -C -q cached.example
is "$(cut -f1-3 .out)" "enforce${tab}cached.example${tab}sts-policy-fetch-error" "the cached policy counts, and it is reported"
policy moved testing 86400 mx1.example.net
exits 0 "T-3 another id" mtasts-check -C -q moved.example
is "$(cut -f1 .out)" testing "has the policy fetched again"
zone 'cached={"TXT":"SERVFAIL"},moved={"TXT":["v=STSv1; id=moved3"]}'
exits 0 "T-3 DNS fails" mtasts-check -C -q cached.example
is "$(cut -f1-3 .out)" "enforce${tab}cached.example${tab}sts-policy-fetch-error" "the cached policy counts"
rm policies/mta-sts.moved.example
exits 0 "T-3 a new id, and no policy" mtasts-check -C -q moved.example
is "$(cut -f1-3 .out)" "testing${tab}moved.example${tab}sts-policy-fetch-error" "the cached policy counts"

# ---- mtasts-refresh ----
zone 'gone='
exits 0 "T-3 a refresh" mtasts-refresh
is "$(cat .err)" "" "leaves alone what is fresh"
# age SECONDS: all entries become older
cat >age.py <<'P'
import sys
for line in sys.stdin:
    if line.startswith(" 01"):
        value = bytes.fromhex(line.strip())
        times = [int.from_bytes(value[i:i + 8], "big") for i in (2, 10, 18, 26)]
        out = b"".join((t - int(sys.argv[1]) if t else 0).to_bytes(8, "big") for t in times)
        line = " " + (value[:2] + out + value[34:]).hex() + "\n"
    sys.stdout.write(line)
P
age() {
	mdb_dump -s policies var/cache/mtasts | python3 age.py "$1" >dump &&
	    mdb_load -f dump -s policies var/cache/mtasts 2>&1 | grep -v pagesize
}
if command -v mdb_load >/dev/null 2>&1; then
	zone 'gone=,cached={"TXT":["v=STSv1; id=cached1"]},moved={"TXT":["v=STSv1; id=moved4"]}'
	policy moved none 86400
	age 46800
	exits 0 "T-3 thirteen hours later" mtasts-refresh -n
	like "$(cat .err)" 'domain=gone.example action=delete ' "-n tells"
	exits 0 "T-3 and does nothing" mtasts-refresh
	like "$(cat .err)" 'domain=cached.example action=stored record=found$' "T-3 the same id is good for longer"
	like "$(cat .err)" 'domain=gone.example action=deleted record=none why="mode none' "T-3 mode none without a record is forgotten"
	like "$(cat .err)" 'domain=moved.example action=stored record=found$' "T-3 another id is fetched"
	exits 0 "T-3 at once again" mtasts-refresh
	is "$(cat .err)" "" "nothing is left to do"
	age 40000
	exits 0 "T-3 eleven hours later" mtasts-check -C cached.example
	like "$(cat .out)" "^policy${tab}enforce${tab}cached" "the refreshed one still counts"
	age 60000
	exits 0 "past its end" mtasts-check -C cached.example
	like "$(cat .out)" "^policy${tab}enforce${tab}fetched" "T-3 it is fetched again"
	age 15552001
	exits 0 "T-3 180 days later" mtasts-refresh
	is "$(grep -c 'action=deleted .*why="not used for 180 days"' .err)" "$(grep -c m=mtasts-refresh .err)" "all are forgotten"
	like "$(cat .err)" "domain=cached.example" "this one too"
else
	skip "T-3 refreshing what is old" "mdb_load is not installed"
fi
zone
exits 0 "EXAMPLES: mtasts-refresh" mtasts-refresh -n
exits 100 "an operand too many" mtasts-refresh x
exits 100 "no such user" mtasts-refresh -u no-such-user
exits 100 "a time too long" mtasts-refresh -w 13h

# ---- a policy host in networks of our own ----
sed -i s/private-addresses.*/private-addresses=no/ etc/main.conf; config-compile >/dev/null
before=$(wc -l <web.log)
exits 1 "T-3 a policy host on loopback is not asked" mtasts-fetch enforce.example
like "$(cat .out)" 'sts-policy-fetch-error.*its addresses are in private networks' "it has no address then"
is "$(wc -l <web.log)" "$before" "and nobody connects"
sed -i s/private-addresses.*/private-addresses=yes/ etc/main.conf; config-compile >/dev/null

# ---- mtasts-serve ----
exits 111 "T-3 no service" mtasts-check -qs enforce.example
is "$(cat .out)" "defer${tab}enforce.example${tab}success${tab}mtasts-serve does not answer" "is no absence of policies"
bg unix-bind run/mtasts mtasts-serve 2>serve.log	# EXAMPLES
wait_for 10 test -S run/mtasts
ask() { printf '%s\n' "$1" | nc -U -N run/mtasts; }
is "$(ask enforce.example | tr -d '\r')" "policy success 88

version: STSv1
mode: enforce
mx: mx1.example.net
mx: *.example.org
max_age: 604800" "T-3 the service answers with the policy"
is "$(mtasts-check -qs enforce.example)" "enforce${tab}enforce.example${tab}success" "T-3 senders are told the policy"
is "$(mtasts-check -qs broken.example)" "$(mtasts-check -q broken.example)" "and what is to be reported"
exits 1 "and that there is none" mtasts-check -qs plain.example
exits 111 "and that nobody knows" mtasts-check -qs fails.example
is "$(ask plain.example)" "absent success 0
there is no MTA-STS record" "without one"
is "$(ask fails.example | head -1)" "defer success 0" "and that it cannot tell"
is "$(ask 'a..b')" "" "what is no domain gets no answer"
ok "T-3 cache files are not for everyone" sh -c '[ "$(stat -c %a var/cache/mtasts)" = 700 ]'
# a configuration that is replaced: static records count at once
serve_pid=$bg_pid
for i in 1 2 3; do
	printf '[server]\nhostname = mx.own.example\n[static-dns "_mta-sts.static.example"]\ntxt = v=STSv1; id=%s\n[static-dns "mta-sts.static.example"]\na = 127.0.0.9\n' $i >etc/main.conf
	config-compile || { echo "Bail out! configuration"; exit 111; }
	static=$(ask static.example | head -1)
done
is "$static" "absent sts-policy-fetch-error 0" "T-3 a record of the new configuration is seen"
is "$(grep -c m=reload serve.log) $(grep -c 'config\.cdb' "/proc/$serve_pid/maps")" "3 0" "and the old ones are not kept"
done_testing
