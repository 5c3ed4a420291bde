#!/bin/sh
# dane-data.t - the DANE cases of the shared data: chain files against records
. "$(dirname "$0")/../tap.sh"
need dane-check python3 nc
[ -e "$SHARED/dane/cases.json" ] || skip_all "no ../shared/data/dane"
. "$TOP/tests/dns-fixture"

# Each case is a run with a zone of its own.
cat >zones.py <<'P'
import json, sys
for case in json.load(open(sys.argv[1])):
    mx = case["mx"]
    zone = {mx: {"A": ["127.0.0.1"], "options": ["ad"]}}
    tlsa = {"TLSA": case["tlsa"]}
    if case.get("ad", 1):
        tlsa["options"] = ["ad"]
    zone["_25._tcp." + mx] = tlsa
    json.dump(zone, open("zone.%d" % case["id"], "w"))
    print(case["id"], mx, case["chain"], case["expect"], case["why"])
P
python3 zones.py "$SHARED/dane/cases.json" >list
while read -r id mx chain expect why; do
	dns_stub_start "zone.$id"
	got=$(dane-check -q -h -f "$SHARED/dane/$chain" "$mx" 2>&1 | cut -f1)
	is "$got" "$expect" "T-2 case $id: $expect ($why)"
	kill "$bg_pid"
done <list
done_testing
