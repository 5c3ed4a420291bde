#!/bin/sh
# bad-mail.t - records, signatures and texts made to break who reads them: each
# has its stated result, by hand and in the server, in bounded time
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
. "$TOP/tests/dns-fixture"
need s6-svscan bash python3
tool="/usr/bin/python3 $TOP/tests/e2e/bad-mail.py"
# One look-up may take that long; a case waits for three, one after the other
# (a record, what it names, and what that does); the rest is a loaded machine.
dns_ms=3000
try_ms=1000	# and one try of it
limit_ms=$((3 * dns_ms + 20000))

dkim-key -b 1024 -o key.pem || exit 111
$tool zone key.pem >stub.json || exit 111
dns_stub_start stub.json
instance_start
sed -i 's/^dns-timeout .*/dns-timeout = 3s/; s/^dns-try-timeout .*//; s/^\[server\]$/&\ndns-try-timeout = 1s/' ls/etc/main.conf
config-compile || exit 111
mkdir cases ham spam
$tool messages cases
printf 'Subject: tea\n\nwe drink tea at noon\n' >ham/1
printf 'Subject: win\n\nwin money now\n' >spam/1
junk-train -d words.mdb -h ham -s spam || exit 111

# case|results by hand|reply of the server
cat >want <<'END'
arc-50|spf=pass dkim=none arc=fail dmarc=pass|250
arc-50-silent|spf=pass dkim=none arc=fail dmarc=pass|250
arc-51|spf=pass dkim=none arc=fail dmarc=pass|250
arc-comments|spf=pass dkim=none arc=fail dmarc=pass|250
arc-garbage|spf=pass dkim=none arc=fail dmarc=pass|250
arc-long|spf=pass dkim=none arc=fail dmarc=pass|250
arc-loop|spf=pass dkim=none arc=fail dmarc=pass|250
arc-many|spf=pass dkim=none arc=fail dmarc=pass|250
arc-silent|spf=pass dkim=none arc=fail dmarc=pass|250
arc-slow|spf=pass dkim=none arc=fail dmarc=pass|250
arc-syntax|spf=pass dkim=none arc=fail dmarc=pass|250
base64-endless|spf=pass dkim=none arc=none dmarc=pass|250
base64-nonsense|spf=pass dkim=none arc=none dmarc=pass|250
charset-gb18030|spf=pass dkim=none arc=none dmarc=pass|250
charset-iso-2022-jp|spf=pass dkim=none arc=none dmarc=pass|250
charset-long-8ut|spf=pass dkim=none arc=none dmarc=pass|250
charset-utf-16|spf=pass dkim=none arc=none dmarc=pass|250
charset-utf-32be|spf=pass dkim=none arc=none dmarc=pass|250
charset-utf-7|spf=pass dkim=none arc=none dmarc=pass|250
charset-utf-8|spf=pass dkim=none arc=none dmarc=pass|250
charset-x-none|spf=pass dkim=none arc=none dmarc=pass|250
dkim-100|spf=pass dkim=fail*8 dkim=policy arc=none dmarc=pass|250
dkim-100-silent|spf=pass dkim=temperror*8 dkim=policy arc=none dmarc=pass|250
dkim-garbage|spf=pass dkim=temperror arc=none dmarc=pass|250
dkim-long|spf=pass dkim=permerror arc=none dmarc=pass|250
dkim-loop|spf=pass dkim=permerror arc=none dmarc=pass|250
dkim-many|spf=pass dkim=permerror arc=none dmarc=pass|250
dkim-silent|spf=pass dkim=temperror arc=none dmarc=pass|250
dkim-slow|spf=pass dkim=fail arc=none dmarc=pass|250
dkim-syntax|spf=pass dkim=permerror arc=none dmarc=pass|250
dkim-tags|spf=pass dkim=permerror arc=none dmarc=pass|250
dmarc-bytes|spf=pass dkim=none arc=none dmarc=none|250
dmarc-garbage|spf=pass dkim=none arc=none dmarc=temperror|250
dmarc-long|spf=pass dkim=none arc=none dmarc=permerror|250
dmarc-loop|spf=pass dkim=none arc=none dmarc=temperror|250
dmarc-silent|spf=pass dkim=none arc=none dmarc=temperror|250
dmarc-syntax|spf=pass dkim=none arc=none dmarc=permerror|250
dmarc-two|spf=pass dkim=none arc=none dmarc=none|250
field-1MB|spf=pass dkim=none arc=none dmarc=pass|250
fields-90000|spf=pass dkim=none arc=none dmarc=pass|250
from-10000|spf=pass dkim=none arc=none dmarc=none|250
from-comments|spf=pass dkim=none arc=none dmarc=none|250
from-fields|spf=pass dkim=none arc=none dmarc=none|550 5.6.0 more than one From field
html-comments|spf=pass dkim=none arc=none dmarc=pass|250
html-deep|spf=pass dkim=none arc=none dmarc=pass|250
html-entities|spf=pass dkim=none arc=none dmarc=pass|250
html-unended|spf=pass dkim=none arc=none dmarc=pass|250
no-header|spf=pass dkim=none arc=none dmarc=none|250
nul|spf=pass dkim=none arc=none dmarc=pass|550 5.6.0 message has NUL bytes
only-header|spf=pass dkim=none arc=none dmarc=pass|250
parts-deep|spf=pass dkim=none arc=none dmarc=pass|250
qp-endless|spf=pass dkim=none arc=none dmarc=pass|250
results-1MB|spf=pass dkim=none arc=none dmarc=pass|250
spf-all|spf=temperror dkim=temperror*8 arc=fail dmarc=temperror|250
spf-garbage|spf=temperror dkim=none arc=none dmarc=none|250
spf-long|spf=permerror dkim=none arc=none dmarc=none|250
spf-loop|spf=permerror dkim=none arc=none dmarc=none|250
spf-many|spf=permerror dkim=none arc=none dmarc=none|250
spf-redirect|spf=permerror dkim=none arc=none dmarc=none|250
spf-silent|spf=temperror dkim=none arc=none dmarc=none|250
spf-syntax|spf=permerror dkim=none arc=none dmarc=none|250
spf-two|spf=permerror dkim=none arc=none dmarc=none|250
subject-1MB|spf=pass dkim=none arc=none dmarc=pass|250
token-1MB|spf=pass dkim=none arc=none dmarc=pass|250
urls|spf=pass dkim=none arc=none dmarc=pass|250
words-100000|spf=pass dkim=none arc=none dmarc=pass|250
END

$tool chain cases >hand
$tool smtp cases $((B + 25)) >served
is "$(wc -l <hand) $(wc -l <served)" "$(wc -l <want) $(wc -l <want)" "every case went both ways"
tab=$(printf '\t')
while IFS='|' read -r name results reply; do
	ms=$(sed -n "s/^$name${tab}\([0-9]*\)${tab}.*/\1/p" hand)
	# A machine too busy to read a slow answer in time: then it says so.
	if [ "$name" = dkim-slow ] && [ "${ms:-0}" -ge $try_ms ] && grep -q "^$name$tab.*dkim=temperror" hand; then
		results=$(echo "$results" | sed 's/dkim=fail/dkim=temperror/')
	fi
	is "$(sed -n "s/^$name${tab}[0-9]*${tab}//p" hand)" "0 $results junk" "A-13 $name by hand: $results"
	got=$(sed -n "s/^$name${tab}[0-9]*${tab}//p" served)
	case $reply in
	250) like "$got" '^(250|45[012]|55[04]) ' "$name to the server: a reply" ;;
	*) is "$got" "$reply" "$name to the server: $reply" ;;
	esac
	case $got in
	250*)
		[ "$name" = no-header ] || [ "$name" = subject-1MB ] || grep -rqs "^Subject: $name\$" ls/var/accounts/mail/Maildir ||
		    echo "$name" >>lost ;;
	esac
done <want
is "$(cat lost 2>/dev/null)" "" "all that the server took is stored"
for way in hand served; do
	sort -t"$tab" -k2,2nr $way | head -3 | while IFS=$tab read -r name ms rest; do echo "# worst, $way: $ms ms, $name"; done
	worst=$(sort -t"$tab" -k2,2nr $way | head -1 | cut -f2)
	ok "A-13 the worst case $way ends in bounded time ($worst ms)" test "$worst" -le $limit_ms
done
all=$(sed -n "s/^spf-all$tab\([0-9]*\).*/\1/p" served)
ok "A-13 all checks silent at once take the time of the slowest ($all ms)" test "$all" -lt $((4 * dns_ms))
wait_for 10 sh -c "[ -z \"\$(verifydata -a mail)\" ]"
is "$(verifydata -a mail)" "" "the account is sound"

# ---- damaged tables ----
printf 'From: a@good.example\nSubject: tea\n\ntea\n' >m
size=$(wc -c <words.mdb)
for at in 0 100 4096 8192 $((size / 2)) cut; do
	cp words.mdb bad.mdb
	if [ $at = cut ]; then
		head -c 5000 words.mdb >bad.mdb
	else
		head -c 64 /dev/zero | tr '\0' '\377' | dd of=bad.mdb bs=1 seek=$at conv=notrunc 2>/dev/null
	fi
	timeout 20 junk-score -q -d bad.mdb <m >out 2>err
	code=$?
	case $code in
	0 | 1) ok "J-8 word table, $at: a page that is not used" test -s out ;;
	*) is "$code $(grep -c '^junk-score: fatal: .*bad.mdb' err)" "100 1" "J-8 word table damaged at $at: exit 100, and which" ;;
	esac
done
cp ls/var/config.cdb good.cdb
for damage in cut zero noise; do
	case $damage in
	cut) head -c 2100 good.cdb >ls/var/config.cdb ;;
	zero) head -c "$(wc -c <good.cdb)" /dev/zero >ls/var/config.cdb ;;
	noise) { head -c 2048 good.cdb; tail -c +2049 good.cdb | tr 'a-m' 'n-z'; } >ls/var/config.cdb ;;
	esac
	timeout 20 dmarc-check -q <m >out 2>err
	code=$?
	case $code in
	0 | 1 | 100 | 111) ok "configuration table, $damage: exit $code ($(head -c 80 err))" true ;;
	*) ok "configuration table, $damage: exit $code" false ;;
	esac
done
cp good.cdb ls/var/config.cdb
instance_stop
done_testing
