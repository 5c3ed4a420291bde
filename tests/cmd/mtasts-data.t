#!/bin/sh
# mtasts-data.t - the MTA-STS cases of the shared data
. "$(dirname "$0")/../tap.sh"
need openssl python3 nc mtasts-check mtasts-policy
[ -e "$SHARED/mta-sts/cases.json" ] || skip_all "no ../shared/data/mta-sts"
. "$TOP/tests/dns-fixture"
. "$TOP/tests/pki.sh"

# Each record and each pattern is a domain of its own; the patterns have a
# policy host. A case whose outcome is left open may come out either way.
cat >make.py <<'P'
import json, sys
cases = json.load(open(sys.argv[1]))
zone = {}
with open("records", "w") as out:
    for i, c in enumerate(cases["txt_records"]):
        zone["_mta-sts.r%d.example" % i] = {"TXT": [c["txt"]]}
        print(i, {True: "found", False: "none|invalid",
                  None: "found|none|invalid"}[c["valid"]], c["txt"], file=out)
with open("policies.list", "w") as out:
    for i, c in enumerate(cases["policies"]):
        with open("policy.%d" % i, "wb") as f:
            f.write(c["policy"].encode())
        print(i, {True: "0", False: "100", None: "0|100"}[c["valid"]],
              c["note"] or "-", file=out)
with open("matches", "w") as out:
    for i, c in enumerate(cases["mx_match"]):
        name = "m%d.example" % i
        zone["_mta-sts." + name] = {"TXT": ["v=STSv1; id=1"]}
        zone["mta-sts." + name] = {"A": ["127.0.0.1"]}
        with open("web/mta-sts." + name, "w") as f:
            f.write("version: STSv1\nmode: enforce\nmx: %s\nmax_age: 1\n" %
                    c["pattern"])
        print(i, "enforce" if c["match"] else "mismatch", c["pattern"],
              c["host"], file=out)
json.dump(zone, open("zone.json", "w"))
print(",".join("DNS:mta-sts.m%d.example" % i
               for i in range(len(cases["mx_match"]))))
P
mkdir web var etc
PIPEMAIL_VAR=$TMP/var PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_ETC
printf '[server]\nhostname = mx.example.net\n[queue]\nprivate-addresses = yes\n' >etc/main.conf
config-compile >/dev/null || exit 111
san=$(python3 make.py "$SHARED/mta-sts/cases.json")
pki_ca root
pki_cert web root 10 "$san"
bg /usr/bin/python3 "$TOP/tests/mtasts-server.py" -c web.all.pem -r web.port web
wait_for 10 test -s web.port || { echo "Bail out! no policy host"; exit 111; }
PIPEMAIL_MTASTS_PORT=$(cat web.port)
PIPEMAIL_CA_FILE=$TMP/root.pem
export PIPEMAIL_MTASTS_PORT PIPEMAIL_CA_FILE
dns_stub_start zone.json

while read -r i want text; do
	got=$(mtasts-check "r$i.example" </dev/null 2>&1 | sed -n '1s/.*	//p')
	like "$got" "^($want)\$" "T-3 record $i: $want ($text)"
done <records
while read -r i want note; do
	mtasts-policy -c <"policy.$i" >out 2>&1
	like "$?" "^($want)\$" "T-3 policy $i: $want ($note)"
done <policies.list
is "$(mtasts-policy -c <policy.9 | tr -d '\r' | sed -n 2p)" "mode: enforce" "T-3 of two modes the first counts"
while read -r i want pattern host; do
	is "$(mtasts-check -q "m$i.example" "$host" </dev/null | cut -f1)" "$want" "T-3 $pattern and $host: $want"
done <matches
done_testing
