#!/bin/sh
# tlsresult.t - queue-run keeps what TLS came to (T-9) and what domains can do
# (S-18); tlsresult-list and known-list show it
. "$(dirname "$0")/../tap.sh"
need python3
. "$TOP/tests/queue.sh"
tab=$(printf '\t')

exits 1 "tlsresult-list: no queue, no results" tlsresult-list
exits 1 "known-list: the same" known-list
can_clock=no
if clock_build; then
	can_clock=yes
	run_with="env LD_PRELOAD=$TMP/clock.so"
fi
fake_start
run_start

add one a@sts.example >/dev/null
add two b@sts.example >/dev/null
add three exp@sts.example >/dev/null
add four exp@sts2.example >/dev/null
add five c@plain.example >/dev/null
ok "all are delivered" empty 20
day=$(date -u +%Y-%m-%d)
is "$(tlsresult-list -d sts.example | sed "s/^....-..-../DAY/")" "DAY${tab}host${tab}mx.sts.example${tab}tlsa${tab}sts.example${tab}3${tab}0${tab}yes
DAY${tab}domain${tab}sts.example${tab}sts${tab}sts.example${tab}2${tab}1${tab}yes" "T-9 results are counted for each policy, of the host and of the domain"
is "$(tlsresult-list -v | cut -f 2- | tr '\t' ' ')" "domain sts.example sts sts.example certificate-expired mx.sts.example 192.0.2.1 1 X509_V_ERR_CERT_HAS_EXPIRED
domain sts2.example sts sts2.example certificate-expired mx.sts2.example 192.0.2.1 1 X509_V_ERR_CERT_HAS_EXPIRED" "T-9 each kind of failure with RFC 8460's name"
is "$(tlsresult-list | wc -l)" 4 "and nothing of a domain that told nothing"
is "$(tlsresult-list -j -d MX.sts2.example | $PYTHON -c 'import json, sys
j = json.load(sys.stdin); print(j["of"], j["policy_type"], j["successful"], j["failed"], j["report"], len(j["day"]))')" "host tlsa 1 0 True 10" "T-9 JSON"
is "$(tlsresult-list -y "$day" | wc -l)" 4 "T-9 of one day"
exits 1 "T-9 of a day without any" tlsresult-list -y 2026-01-01
exits 100 "no day" tlsresult-list -y someday
exits 100 "an operand" tlsresult-list x

is "$(known-list | cut -f 1,2,4- | tr '\t' ' ')" "alice sts.example yes yes yes yes no
alice sts2.example yes yes yes yes no" "S-18 what a domain's server can do is kept with the account"
is "$(known-list -j -a alice -d sts2.example | $PYTHON -c 'import json, sys
j = json.load(sys.stdin); print(j["domain"], j["starttls"], j["requiretls"])')" "sts2.example True False" "S-18 JSON"
exits 1 "S-18 of another account there is none" known-list -a bob
exits 100 "an operand" known-list x

# the pages' examples
is "$(tlsresult-list -v | sort -t "$(printf '\t')" -k 9nr | wc -l)" 2 "EXAMPLES of tlsresult-list"
is "$(known-list | awk '$4 == "no" { print $2 }')" "" "EXAMPLES of known-list"

# what smtp-out told is there after a restart; three days later it is gone
run_stop
is "$(tlsresult-list | wc -l)" 4 "T-9 results are on disk"
if [ $can_clock = yes ]; then
	clock_set $((3 * 86400 + 60))
	run_start
	ok "T-9 queue-run removes a day's results 48 hours after its end" wait_for 20 sh -c '! tlsresult-list'
	is "$(known-list | wc -l)" 2 "S-18 what is known stays"
	run_stop
else
	skip "no compiler, or sanitizers" 2
fi
done_testing
