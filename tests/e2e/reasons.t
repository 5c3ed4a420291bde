#!/bin/sh
# reasons.t - J-1: for each reason, what smtp-in and lmtp-in decided about a
# message is what the commands say of the same message by hand before, and of
# the stored copy afterwards
. "$(dirname "$0")/../tap.sh"
need python3 openssl
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/dns-fixture"
tab=$(printf '\t')

for n in author list fwd; do dkim-key -b 1024 -o $n.pem || exit 111; done
record() { dkim-key -p "$1" | tr -d '()" \n' | sed 's/;/; /g'; }
cat >stub.json <<END
{ "sel._domainkey.author.example": { "TXT": ["$(record author.pem)"] },
  "sel._domainkey.sub.author.example": { "TXT": ["$(record author.pem)"] },
  "sel._domainkey.list.example": { "TXT": ["$(record list.pem)"] },
  "sel._domainkey.fwd.example": { "TXT": ["$(record fwd.pem)"] },
  "author.example": { "TXT": ["v=spf1 ip4:192.0.2.1 ip4:192.0.2.64/26 -all"], "MX": ["10 mail.author.example"] },
  "mail.author.example": { "A": ["192.0.2.1"] },
  "soft.example": { "TXT": ["v=spf1 ~all"], "A": ["192.0.2.9"] },
  "list.example": { "TXT": ["v=spf1 ip4:192.0.2.2 -all"], "A": ["192.0.2.2"] },
  "fwd.example": { "TXT": ["v=spf1 ip4:192.0.2.3 -all"], "A": ["192.0.2.3"] },
  "plain.example": { "A": ["192.0.2.9"] },
  "_dmarc.author.example": { "TXT": ["v=DMARC1; p=reject"] },
  "_dmarc.strict.example": { "TXT": ["v=DMARC1; p=reject"] },
  "strict.example": { "A": ["192.0.2.9"] },
  "1.2.0.192.in-addr.arpa": { "PTR": ["mail.author.example"] },
  "2.2.0.192.in-addr.arpa": { "PTR": ["list.example"] },
  "3.2.0.192.in-addr.arpa": { "PTR": ["fwd.example"] },
  "9.2.0.192.in-addr.arpa": { "PTR": ["plain.example"] },
  "13.2.0.192.in-addr.arpa": { "PTR": ["listed.example"] },
  "listed.example": { "A": ["192.0.2.13"] },
  "2.0.0.127.bl.example": { "A": ["127.0.0.2"] },
  "13.2.0.192.bl.example": { "A": ["127.0.0.2"], "TXT": ["seen sending junk"] } }
END
dns_stub_start stub.json
main_conf '' 'arc-trusted = list.example
dnsbl = bl.example'
cat >etc/domains/example.org.conf <<'END'
[domain]
[alias "team"]
member = alice@example.org
member = bob@example.org
[alias "pair"]
member = alice@example.org
member = alice2@example.org
END
cat >etc/accounts/alice.conf <<'END'
[account]
address = alice@example.org
address = alice2@example.org Second
rejects = Rejects
[rule "no"]
msg-from = ^no@
reject = 550 5.7.1 not you
[rule "list"]
header = ^list-id$ .
mailbox = Lists
list-allow-domain = list.example
[rule "forwards"]
verified-domain = fwd.example
mail-from = ^fwd@
forward = yes
mailbox = Forwards
[rule "keep"]
msg-from = ^keep@
mailbox = Keep
accept-rejects-to = Kept
[address "alice2@example.org"]
auth-required = sign your mail
END
printf '[account]\naddress = bob@example.org\nrejects = Rejects\nsubjectpass = 12h\nintrobox = Introbox\n' >etc/accounts/bob.conf
config-compile || exit 111
start_lmtp

# client IP HELO SENDER; message FROM TO [FIELDS]: in file m
client() { ip=$1 helo=$2 sender=$3; }
client 192.0.2.9 plain.example x@plain.example
n=0
text='some text'
message() {
	n=$((n + 1))
	{ printf 'From: %s\nTo: %s\n' "$1" "$2"; [ -z "${3:-}" ] || printf '%s\n' "$3"; printf 'Subject: hello\nMessage-ID: <%s@reasons>\nDate: Fri, 20 Nov 2026 12:00:00 +0000\n\n%s\n' $n "$text"; } >m
}
surrounded() { env PROTO=TCP TCPREMOTEIP=$ip TCPLOCALIP=198.51.100.2 "$@"; }
# by_hand ACCOUNT RCPT: the line of judge -q for m
by_hand() {
	SENDER=$sender HELO=$helo RECIPIENT=$2 surrounded sh -c "
	    iprev-check <m | spf-check | dkim-verify | arc-verify | dmarc-check | junk-score -a $1 | judge -q -a $1" | tee hand.out | cut -f2,3
}
# serve COUNT RCPT...: m by SMTP until the log has the lines of so many copies,
# in lines: who is refused gets the reply slowly
serve() {
	wanted=$1; shift
	at=$(wc -l <lmtp.log)
	{
		printf 'EHLO %s\nMAIL FROM:<%s>\n' "$helo" "$sender"
		for r; do printf 'RCPT TO:<%s>\n' "$r"; done
		printf 'DATA\n'; cat m; printf '.\nQUIT\n'
	} | sed 's/$/\r/' >dialogue
	surrounded smtp-in <dialogue >served 2>>smtp.err &
	serving=$!
	wait_for 20 copies
	kill $serving 2>/dev/null
	wait $serving 2>/dev/null
}
copies() {
	tail -n +$((at + 1)) lmtp.log | grep ' reason=' >lines
	test "$(wc -l <lines)" -ge "$wanted"
}
# said ACCOUNT: reason and mailbox of the log
said() { sed -n "s/.* account=$1 mailbox=\([^ ]*\) .*reason=\([a-z0-9-]*\) .*/\2$tab\1/p" lines; }
# again ACCOUNT MAILBOX [UID]: what judge says of a stored copy
newest_uid() { store-list -a "$1" -m "$2" 2>/dev/null | cut -f2 | tail -1; }
again() {
	store-show -a "$1" -m "$2" "${3:-$(newest_uid "$1" "$2")}" >copy
	judge -q -a "$1" <copy >again.out
	cut -f2,3 again.out
	# and all that can be asked again, without a word of who the client was
	spf-check <copy | dkim-verify | arc-verify | dmarc-check | junk-score -a "$1" | judge -q -a "$1" >whole.out
	[ "$(cut -f2- whole.out)" = "$(cut -f2- again.out)" ] || cut -f2- whole.out
}
# one REASON MAILBOX ACCOUNT RCPT WHAT: by hand, served, and the copy; in $2
# where judge puts it
one() {
	h=$(by_hand "$3" "$4")
	serve 1 "$4"
	is "$h" "$1$tab$2" "J-1 $5: $1 by hand"
	is "$(said "$3")" "$h" "J-1 $5: $1 in the server"
}
signed() { dkim-sign -d "$1" -s sel -k "$2.pem" <m >m2 && mv m2 m; }

# ---- known to nobody ----
message a@plain.example alice@example.org
one no-bad-signals Inbox alice alice@example.org "nothing bad"
is "$(again alice INBOX)" "no-bad-signals${tab}Inbox" "J-1 and its copy"
message a@plain.example bob@example.org
one no-bad-signals Introbox bob bob@example.org "J-17 an Introbox"
is "$(again bob Introbox)" "no-bad-signals${tab}Introbox" "J-1 and its copy"
client 192.0.2.9 plain.example x@soft.example
message a@plain.example alice@example.org
one spf-policy Inbox alice alice@example.org "J-19 SPF"
is "$(again alice Rejects)" "spf-policy${tab}Inbox" "J-1 and its copy"
client 192.0.2.9 plain.example x@plain.example
message a@strict.example alice@example.org
one dmarc-policy Inbox alice alice@example.org "A-5 DMARC"
is "$(again alice Rejects)" "dmarc-policy${tab}Inbox" "J-1 and its copy"
message a@plain.example alice2@example.org
one msg-auth-required Second alice alice2@example.org "D-8 a From that must be vouched for"
is "$(again alice Rejects)" "msg-auth-required${tab}Second" "J-1 and its copy"
client 192.0.2.13 listed.example x@plain.example
message a@plain.example alice@example.org
one dns-blocklisted Inbox alice alice@example.org "J-18 a list"
is "$(again alice Rejects)" "dns-blocklisted${tab}Inbox" "J-1 and its copy"

# ---- subjectpass ----
message a@author.example bob@example.org
signed author.example author
one give-subjectpass Introbox bob bob@example.org "J-16 a word is given"
token=$(store-show -a bob -m Rejects "$(newest_uid bob Rejects)" | judge -a bob 2>&1 >/dev/null | grep -o '(pass:[^)]*)')
message a@author.example bob@example.org
sed "s/^Subject: hello/Subject: Re: $token/" m >m2; mv m2 m
signed author.example author
one subjectpass Introbox bob bob@example.org "J-16 a word is brought, that judge gave"
is "$(again bob Introbox)" "subjectpass${tab}Introbox" "J-1 and its copy"

# ---- rules ----
client 192.0.2.9 plain.example x@plain.example
message no@plain.example alice@example.org
one rule Inbox alice alice@example.org "B-20 a rule refuses"
message a@list.example dev@list.example "List-Id: <dev.list.example>"
signed list.example list
one list-allow Lists alice alice@example.org "D-6 a list, by its signature"
client 192.0.2.2 list.example dev@list.example
message a@plain.example dev@list.example "List-Id: <dev.list.example>"
one list-allow Lists alice alice@example.org "D-6 a list, by SPF"
is "$(again alice Lists)" "list-allow${tab}Lists" "J-1 and its copy"
client 192.0.2.3 fwd.example fwd@fwd.example
message a@strict.example alice@example.org
signed fwd.example fwd
one no-bad-signals Forwards alice alice@example.org "D-5 forwarded"
is "$(again alice Forwards)" "no-bad-signals${tab}Forwards" "J-1 and its copy"
client 192.0.2.9 plain.example x@soft.example
message keep@plain.example alice@example.org
one spf-policy Kept alice alice@example.org "D-7 kept all the same"
is "$(again alice Kept)" "spf-policy${tab}Kept" "J-1 and its copy"
client 192.0.2.2 list.example bounce@list.example
printf 'From: a@strict.example\nTo: alice@example.org\nSubject: one\nMessage-ID: <arc@reasons>\n\ntulips\n--\nthe list\n' |
    "$TOP/tests/arc-set.py" -k list.pem -d list.example -s sel -r 'mx.list.example; dmarc=pass header.from=strict.example' >m
one no-bad-signals Inbox alice alice@example.org "B-3 a chain that counts"
is "$(again alice INBOX)" "no-bad-signals${tab}Inbox" "J-1 and its copy"

# ---- several recipients ----
client 192.0.2.1 mail.author.example x@author.example
message a@plain.example "alice@example.org, bob@example.org"
h="$(by_hand alice alice@example.org)|$(by_hand bob bob@example.org)"
serve 2 alice@example.org bob@example.org
is "$h" "no-bad-signals${tab}Inbox|no-bad-signals${tab}Introbox" "J-1 for two, by hand"
is "$(said alice)|$(said bob)" "$h" "J-1 for two, in the server"
client 192.0.2.9 plain.example x@plain.example
message no@plain.example team@example.org
h="$(by_hand alice team@example.org)|$(by_hand bob team@example.org)"
serve 2 team@example.org
is "$h" "rule${tab}Inbox|no-bad-signals${tab}Introbox" "J-1 D-9 for the members of an alias, by hand: their own rules"
is "$(said alice)|$(said bob)" "$h" "J-1 D-9 in the server"
message a@plain.example pair@example.org
serve 2 pair@example.org
is "$(said alice | sort | tr '\t\n' '  ')" "msg-auth-required Second no-bad-signals Inbox " "D-9 D-8 two members with one account"
is "$(again alice INBOX)" "no-bad-signals${tab}Inbox" "J-1 D-9 of two members with one account the one it was for"
# over TLS, that nothing else is a bad sign
{
	printf 'Authentication-Results: mx.example.org; iprev=pass policy.iprev=192.0.2.7\n'
	printf 'Received: from h.example (h.example [192.0.2.7]) by mx.example.org with ESMTPS\n\t(TLSv1.3 TLS_AES_128_GCM_SHA256) id abc; Fri, 20 Nov 2026 12:00:00 +0000\n'
	printf 'From: a@plain.example\nTo: team@example.org\nMessage-ID: <tls@reasons>\n\nx\n'
} >m
{ printf 'LHLO c\nXFORWARD ADDR=192.0.2.7 HELO=h.example IDENT=abc PROTO=ESMTPS\nMAIL FROM:<>\nRCPT TO:<team@example.org>\nDATA\n'; cat m; printf '.\nQUIT\n'; } | dialogue lmtp-in >served
store-show -a alice -m INBOX "$(newest_uid alice INBOX)" >stored
is "$(grep -c '^Delivered-To:' stored)" 2 "D-9 R-35 the member and the alias"
judge -q -a alice <stored >again.out
is "$(cut -f2,3 again.out | tr '\t' ' ')$(grep -o 'recipient not in' again.out stored)" "no-bad-signals Inbox" "J-6 D-9 To names the alias: no bad sign, in the server and of the copy"
is "$(judge -q -a alice <m | grep -o 'recipient not in')" "" "J-6 by hand, where nobody says whom it is for: none either"
is "$(sed 's/^From: a/From: no/' m | judge -q -a alice | cut -f2)" rule "B-20 and the rules of the account hold"

# ---- what is known ----
client 192.0.2.9 plain.example x@plain.example
two="q@plain.example, r@plain.example"
for i in 1 2; do
	message "$two" alice@example.org
	one no-bad-signals Inbox alice alice@example.org "no author, $i of its address"
	last=$(newest_uid alice INBOX)
	store-flag -a alice '+$Junk' "$last"
done
message "$two" alice@example.org
one ip1 Inbox alice alice@example.org "J-2 the address is known"
is "$(again alice Rejects)" "ip1${tab}Inbox" "J-1 and its copy"
store-flag -a alice -- '-$Junk' "$last"
client 192.0.2.10 plain.example x@plain.example
message "$two" alice@example.org
one iprev Inbox alice alice@example.org "J-19 its net is, and it has no name"
is "$(again alice Rejects)" "iprev${tab}Inbox" "J-1 and its copy"
store-flag -a alice -- '-$Junk' 1:*
client 192.0.2.1 mail.author.example x@author.example
message a@author.example alice@example.org
one no-bad-signals Inbox alice alice@example.org "a first one of an author"
store-flag -a alice '+$NotJunk' "$(newest_uid alice INBOX)"
message a@author.example alice@example.org
one msgfromfull Inbox alice alice@example.org "J-2 the author is known"
is "$(again alice INBOX)" "msgfromfull${tab}Inbox" "J-1 and its copy"
message z@author.example alice@example.org
one msgfromdomain Inbox alice alice@example.org "J-2 the domain is"
message z@sub.author.example alice@example.org
one msgfromorgdomain Inbox alice alice@example.org "J-2 the organisation is"
message q@plain.example alice@example.org
one dkimspf Inbox alice alice@example.org "J-2 SPF's domain is"
is "$(again alice INBOX)" "dkimspf${tab}Inbox" "J-1 and its copy"
printf 'From: alice@example.org\nTo: n@plain.example, z@mail.other.example\n\nx\n' | store-deliver -a alice -m Sent
client 192.0.2.9 plain.example x@plain.example
message n@plain.example alice@example.org
one msgtofull Inbox alice alice@example.org "J-3 who was written to"
is "$(again alice INBOX)" "msgtofull${tab}Inbox" "J-1 and its copy"
message y@plain.example alice@example.org
one msgtodomain Inbox alice alice@example.org "J-3 whose domain was"
message y@x.other.example alice@example.org
one msgtoorgdomain Inbox alice alice@example.org "J-3 whose organisation was"

# ---- content ----
i=0
while [ $i -lt 60 ]; do
	i=$((i + 1))
	printf 'From: x%s@example.net\nSubject: garden meeting\n\nroses tulips garden\n' $i | store-deliver -a alice -m Archive
	printf 'From: y%s@example.net\nSubject: cheap pills\n\npills casino winner\n' $i | store-deliver -a alice -m Junk
done
junk-train -a alice
text='pills casino winner'
message a@content.example alice@example.org
one junk-content-strict Inbox alice alice@example.org "J-6 content, and no TLS"
is "$(again alice Rejects)" "junk-content-strict${tab}Inbox" "J-1 and its copy"
is "$(cut -f 7- again.out)" "$(cut -f 7- hand.out)" "J-4 score and words are the same"

# ---- too much ----
{
	printf 'LHLO c\n'
	i=0
	while [ $i -lt 500 ]; do
		i=$((i + 1))
		printf 'XFORWARD ADDR=192.0.2.77 HELO=x.example IDENT=abc PROTO=ESMTPS\nMAIL FROM:<>\nRCPT TO:<alice@example.org>\nDATA\nReceived: from x.example (x.example [192.0.2.77]) by mx.example.org with ESMTPS\n\tid abc; Fri, 20 Nov 2026 12:00:00 +0000\nFrom: r@r.example\nTo: alice@example.org\n\nx\n.\n'
	done
	printf 'QUIT\n'
} >dialogue.lmtp
dialogue lmtp-in <dialogue.lmtp >served
client 192.0.2.77 x.example ''
message r@r.example alice@example.org
h=$(by_hand alice alice@example.org)
serve 1 alice@example.org
is "$h" "high-rate${tab}-" "J-1 R-29 too much in a minute: by hand"
is "$(said alice | cut -f1)" high-rate "J-1 R-29 in the server"
is "$(verifydata -a alice)$(verifydata -a bob)" "" "verifydata finds nothing"
done_testing
