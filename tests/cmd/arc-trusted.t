#!/bin/sh
# arc-trusted - B-3, RFC 8617 7.2.1: a chain sealed by a domain we trust, which
# recorded that the message passed DMARC there, is followed in place of the
# owner's wish; in smtp-in, a pipeline and by hand alike
. "$(dirname "$0")/../tap.sh"
need python3 openssl
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/dns-fixture"

for n in author list; do dkim-key -b 1024 -o $n.pem || exit 111; done
record() { dkim-key -p "$1" | tr -d '()" \n' | sed 's/;/; /g'; }
cat >stub.json <<END
{ "sel._domainkey.author.example": { "TXT": ["$(record author.pem)"] },
  "sel._domainkey.list.example": { "TXT": ["$(record list.pem)"] },
  "_dmarc.author.example": { "TXT": ["v=DMARC1; p=reject"] },
  "_dmarc.third.example": { "TXT": ["v=DMARC1; p=reject; pct=0"] },
  "_dmarc.none.example": { "TXT": ["v=DMARC1; p=none"] } }
END
dns_stub_start stub.json
export SENDER=bounce@list.example RECIPIENT=alice@example.org HELO=list.example
export PROTO=TCP TCPREMOTEIP=192.0.2.7 TCPLOCALIP=198.51.100.2
main_conf ''
start_lmtp

# sent FROM-DOMAIN RESULTS: as the list host sends it on, its text changed
sent() {
	printf 'From: a@%s\nTo: alice@example.org\nSubject: one\n\nHello\n--\nthe list\n' "$1" |
	    "$TOP/tests/arc-set.py" -k list.pem -d list.example -s sel -r "$2"
}
pass='mx.list.example; dmarc=pass header.from=author.example'
check() { iprev-check | spf-check | dkim-verify | arc-verify | dmarc-check; }
dmarc() { check | tr -d '\n\t' | grep -o 'dmarc=[a-z]* [^;]*policy.alignment=[a-z]*\( *policy.arc=[0-9]*\)*' | tr -s ' ' | head -1; }
sent author.example "$pass" >m

is "$(dmarc <m)" "dmarc=fail (p=reject) header.from=author.example policy.dmarc=reject policy.alignment=none" "B-3 nobody is trusted unless named"
main_conf '' 'arc-trusted = other.example
arc-trusted = list.example'
is "$(dmarc <m)" "dmarc=fail (p=reject override local_policy) header.from=author.example policy.dmarc=none policy.alignment=none policy.arc=1" "B-3 RFC 8617 7.2.1 a trusted list says it passed"
exits 1 "B-3 -q still tells the failure" sh -c 'arc-verify <m | dmarc-check -q'
is "$(cut -f1,3,7 .out | tr '\t' ' ')" "fail none a trusted ARC set says pass" "B-3 and why nothing is asked for"
is "$(dmarc-check <m | tr -d '\n\t' | grep -o 'policy.dmarc=[a-z]*')" "policy.dmarc=reject" "B-3 without arc-verify before it there is no chain to follow"
printf 'Authentication-Results: mx.example.org; arc=pass\n' | cat - m >forged
is "$(dmarc-check <forged | tr -d '\n\t' | grep -o 'policy.dmarc=[a-z]*')" "policy.dmarc=reject" "B-3 nor where the message itself says so"

sed 's/^Hello/hello/' m >changed
is "$(dmarc <changed | grep -o 'policy.dmarc=[a-z]*')" "policy.dmarc=reject" "B-3 changed after the seal"
is "$(sent author.example 'mx.list.example; dmarc=fail header.from=author.example' | dmarc | grep -o 'policy.dmarc=[a-z]*')" "policy.dmarc=reject" "B-3 the list says it failed"
is "$(sent author.example 'mx.list.example; dmarc=pass header.from=other.example' | dmarc | grep -o 'policy.dmarc=[a-z]*')" "policy.dmarc=reject" "B-3 another From passed there"
is "$(sent third.example 'mx.list.example; dmarc=pass header.from=third.example' | dmarc)" "dmarc=fail (p=reject pct=0 override sampled_out) header.from=third.example policy.dmarc=none policy.alignment=none" "B-3 where pct= leaves it out that is the reason"
is "$(sent none.example 'mx.list.example; dmarc=pass header.from=none.example' | dmarc)" "dmarc=fail (p=none) header.from=none.example policy.dmarc=none policy.alignment=none" "B-3 where nothing is asked for there is nothing to override"
"$TOP/tests/arc-set.py" -k author.pem -d author.example -s sel <m >resent
is "$(dmarc <resent | grep -o 'policy.dmarc=[a-z]*')" "policy.dmarc=reject" "B-3 sealed again by one who is not trusted"
main_conf '' 'arc-trusted = example'
is "$(dmarc <m | grep -o 'policy.dmarc=[a-z]*')" "policy.dmarc=none" "B-3 domains below a trusted one are trusted"

# smtp-in and the pipeline
{
	printf 'EHLO %s\r\nMAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n' "$HELO" "$SENDER" "$RECIPIENT"
	sed 's/$/\r/' m; printf '.\r\nQUIT\r\n'
} | env -u SENDER -u RECIPIENT -u HELO smtp-in >replies 2>err
newest alice | steady >served
like "$(tr -d '\n\t' <served)" 'dmarc=fail \(p=reject override local_policy\).*policy.arc=1' "B-3 smtp-in follows it"
check <m | store-deliver -a alice
is "$(newest alice | steady)" "$(cat served)" "B-3 and the pipeline gives the same bytes"
done_testing
