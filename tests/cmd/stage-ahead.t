#!/bin/sh
# stage-ahead - the first look-ups of all checks are in flight together, up to
# the next filter; the results are those of one check after the other
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/dns-fixture"
late=${STAGE_AHEAD_MS:-50}

dkim-key -t ed25519 -o key.pem
dkim-key -b 1024 -o seal.pem
sealed=$(dkim-key -p seal.pem | tr -d '()" \n' | sed 's/;/; /g')
record=$(dkim-key -p key.pem | tr -d '()" \n' | sed 's/;/; /g')
cat >stub.json <<END
{ "7.2.0.192.in-addr.arpa": { "PTR": ["mail.late.example"] },
  "mail.late.example": { "A": ["192.0.2.7"] },
  "late.example": { "MX": ["10 mail.late.example"], "TXT": ["v=spf1 a:mail.late.example -all"] },
  "sel._domainkey.late.example": { "TXT": ["$record"] },
  "seal._domainkey.list.example": { "TXT": ["$sealed"] },
  "_dmarc.late.example": { "TXT": ["v=DMARC1; p=reject"] } }
END
dns_stub_start -d "$late" -l "$TMP/asked" stub.json
printf 'From: a@late.example\nTo: alice@example.org\nSubject: one\n\nHello\n' >plain
dkim-sign -d late.example -s sel -k key.pem <plain |
    "$TOP/tests/arc-set.py" -k seal.pem -d list.example -s seal >signed
export SENDER=a@late.example RECIPIENT=alice@example.org HELO=mail.late.example
export PROTO=TCP TCPREMOTEIP=192.0.2.7 TCPLOCALIP=198.51.100.2
main_conf
start_lmtp

# serve STAGES-LINES: the message by smtp-in; names asked for in ./asked
dns_time=1s	# of one look-up
serve() {
	main_conf 'line-timeout = 5s' "$1" 'judge = no'
	sed -i "s/^\\(dns-[a-z-]*\\) = 1s/\\1 = $dns_time/" etc/main.conf
	config-compile || exit 111
	: >asked; : >err
	{
		printf 'EHLO %s\r\nMAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n' "$HELO" "$SENDER" "$RECIPIENT"
		sed 's/$/\r/' signed; printf '.\r\nQUIT\r\n'
	} | env -u SENDER -u RECIPIENT -u HELO smtp-in >replies 2>err
	newest alice | steady >served
}
# all but what was asked at MAIL (R-14)
names() { grep -vE '^udp (MX|15) ' asked | cut -d' ' -f3 | tr '\n' ' '; }
taken() { sed -n 's/.*m=accepted.* ms=\([0-9]*\).*/\1/p' err; }

serve "stages-in ="	# the account is made
serve "stages-in = iprev-check spf-check dkim-verify arc-verify dmarc-check"
is "$(names)" "7.2.0.192.in-addr.arpa late.example sel._domainkey.late.example seal._domainkey.list.example _dmarc.late.example mail.late.example mail.late.example " \
    "A-13 B-3 all first questions are asked before the second ones"
cp served ahead
echo "# together, answers $late ms late: $(taken) ms"
flat=$(tr -d '\n' <ahead)
like "$flat" 'iprev=pass.*spf=pass.*dkim=pass.*arc=pass.*dmarc=pass.*policy.alignment=strict' "A-8 all pass"

serve "stages-in = iprev-check
stages-in = |cat
stages-in = spf-check
stages-in = |cat
stages-in = dkim-verify
stages-in = |cat
stages-in = arc-verify
stages-in = |cat
stages-in = dmarc-check"
is "$(names)" "7.2.0.192.in-addr.arpa mail.late.example late.example sel._domainkey.late.example seal._domainkey.list.example _dmarc.late.example " \
    "A-13 nothing is asked ahead of a filter: it may change the message"
echo "# one after the other: $(taken) ms"
is "$(cat served)" "$(cat ahead)" "A-13 the same bytes"

iprev-check <signed | spf-check | dkim-verify | arc-verify | dmarc-check | store-deliver -a alice
is "$(newest alice | steady)" "$(cat ahead)" "A-13 and the pipeline's"

printf '#!/bin/sh\nexec sed s/a@late.example/a@other.example/\n' >"$TMP/change"; chmod +x "$TMP/change"
serve "stages-in = spf-check $TMP/change dmarc-check"
is "$(names)" "late.example mail.late.example _dmarc.other.example " "A-13 a filter changes From: its new domain is asked"
like "$(tr -d '\n' <served)" 'header.from=other.example' "A-13 and told"

# servers that never answer: one deadline for all
python3 - <<'P'
import json
z = {n: {"*": "TIMEOUT"} for n in ("7.2.0.192.in-addr.arpa", "m1.late.example", "m2.late.example",
    "sel._domainkey.late.example", "seal._domainkey.list.example", "_dmarc.late.example")}
z["mail.late.example"] = {"A": ["192.0.2.7"]}
z["late.example"] = {"MX": ["10 mail.late.example"], "TXT": ["v=spf1 a:m1.late.example include:m2.late.example -all"]}
json.dump(z, open("mute.json", "w"))
P
dns_stub_start -l "$TMP/asked" mute.json
serve "stages-in = iprev-check spf-check dkim-verify arc-verify dmarc-check"
like "$(tr -d '\n' <served)" 'iprev=temperror.*spf=temperror.*dkim=temperror.*arc=fail.*dmarc=temperror' "A-13 nobody answers: a temporary error each"
echo "# nobody answers, a look-up may take 1 s: $(taken) ms"
ok "A-13 in the time of two look-ups, not of six ($(taken) ms)" test "$(taken)" -lt 5000
dns_time=30s
serve "stages-in = iprev-check spf-check dkim-verify arc-verify dmarc-check
stage-timeout = 2s"
dns_time=1s
like "$(tr -d '\n' <served)" 'iprev=temperror.*spf=temperror.*dkim=temperror.*arc=fail.*dmarc=temperror' "A-13 the deadline of all stages ends them: a temporary error each"
echo "# nobody answers, all stages may take 2 s: $(taken) ms"
ok "A-13 one deadline for all ($(taken) ms)" test "$(taken)" -lt 5000

# a filter that refuses: what was asked ahead is given up
serve "stages-in = |echo no >&2; exit 100
stages-in = iprev-check spf-check dkim-verify arc-verify dmarc-check"
is "$(names)" "" "a refused message asks nothing"
like "$(cat replies)" '^550 ' "and is refused"
done_testing
