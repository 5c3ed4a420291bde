#!/bin/sh
# judge-known - what the account's history, lists and rules have to say
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
tab=$(printf '\t')
lists='	[static-dns "7.2.0.192.bl.example"]
	a = 127.0.0.2
	txt = open relay since Friday
	[static-dns "2.0.0.127.bl.example"]
	a = 127.0.0.2'
main_conf '' '' "first-time-delay = 0"

# message [FROM [SUBJECT]]: of somebody DKIM and DMARC vouch for
n=0
message() {
	n=$((n + 1))
	cat <<E2
Authentication-Results: mx.example.org;
	iprev=${IPREV:-pass} policy.iprev=192.0.2.7; spf=${SPF:-pass} smtp.mailfrom=b@known.example;
	dkim=pass header.d=known.example; dkim=pass header.d=forwarder.example;
	dmarc=${DMARC:-pass} header.from=known.example policy.dmarc=${POLICY:-none} policy.alignment=${ALIGN:-strict}
Received: from h.example (h.example [192.0.2.7]) by mx.example.org with ESMTPS
	(TLSv1.3 TLS_AES_128_GCM_SHA256) id abc; Fri, 20 Nov 2026 12:00:00 +0000
From: ${1:-a@known.example}
To: bob@example.org, alice@example.org, small@example.org
Subject: ${2:-hello}
Message-ID: <$n@known.example>

some text
E2
}
# give RECIPIENT [IP]: standard input by LMTP; the reply
give() {
	{ printf 'LHLO c\nXFORWARD ADDR=%s HELO=h.example IDENT=abc PROTO=ESMTPS\nMAIL FROM:<b@known.example>\nRCPT TO:<%s>\nDATA\n' "${2:-192.0.2.7}" "$1"; sed 's/^\./../'; printf '.\nQUIT\n'; } |
	    dialogue lmtp-in | sed '1,10d' | sed -n 5p
}
reason() { store-show -a "$1" -m "$2" "$(store-list -a "$1" -m "$2" | cut -f2 | tail -1)" | sed -n '1s/^Pipemail-Reason: \([a-z0-9-]*\).*/\1/p'; }
last() { store-list -a "$1" -m "$2" | cut -f2 | tail -1; }
where() { store-list -a "$1" -m "$2" 2>/dev/null | wc -l | tr -d ' '; }

# ---- reputation ----
is "$(message | give bob@example.org)" "250 2.0.0 delivered" "J-2 a first message"
is "$(reason bob INBOX)" no-bad-signals "J-2 of somebody unknown"
ok "the owner likes it" store-flag -a bob '+$NotJunk' 1
SPF=softfail IPREV=fail message >m
is "$(give bob@example.org <m)" "250 2.0.0 delivered" "J-2 J-19 an author who is liked comes in whatever the host"
is "$(reason bob INBOX)" msgfromfull "J-2 J-4 the method is the reason"
judge -q -a bob -r bob@example.org <m >out
is "$(cut -f1,2 out)" "pass${tab}msgfromfull" "J-2 by hand the same"
like "$(cat out)" '0 of 1 messages with this From address' "J-4 and what it rests on"
message c@known.example | give bob@example.org >/dev/null
is "$(reason bob INBOX)" msgfromdomain "J-2 another of the domain"
ok "the owner dislikes the first" store-flag -a bob '=$Junk' 1
ok "and the second" store-flag -a bob '=$Junk' 2
is "$(message | give bob@example.org)" "451 4.3.0 error processing" "J-5 J-2 known for junk"
like "$(tail -1 err)" 'm=disconnected|reason=msgfromfull' "J-4 the log has the reason"

# ---- whom the account wrote to ----
printf 'From: bob@example.org\nTo: New <n@known.example>\n\nx\n' | store-deliver -a bob -m Sent
IPREV=fail SPF=fail DMARC=none message n@known.example | sed 's/dkim=pass[^;]*;//g; s/=strict/=none/' >m
is "$(give bob@example.org <m):$(reason bob INBOX)" "250 2.0.0 delivered:msgtofull" "J-3 who was written to may answer"

# ---- Introbox ----
printf '[account]\naddress = small@example.org\nintrobox = Introbox\nrejects = Rejects\njunk-flags = yes\n' >etc/accounts/small.conf
ok "an account with an Introbox" config-compile
ok "and another mailbox" store-mailbox -c -a small Elsewhere
message d@known.example | give small@example.org >/dev/null
is "$(where small Introbox)" 1 "J-17 somebody unknown: Introbox"
is "$(store-list -a small -m Introbox | cut -f3)" "" "J-12 without junk flags"
ok "J-17 its owner moves it to the inbox" store-move -a small -m Introbox INBOX 1
like "$(store-list -a small -m INBOX | cut -f3)" 'NotJunk' "J-17 so it is wanted"
message d@known.example | give small@example.org >/dev/null
is "$(where small INBOX):$(reason small INBOX)" 2:msgfromfull "J-17 from now on: the inbox"
message e@known.example | give small@example.org >/dev/null
message e@known.example | give small@example.org >/dev/null
is "$(where small Introbox)" 2 "J-17 others: not, though their domain is known"
ok "J-17 to another mailbox than it was destined to" store-move -a small -m Introbox Elsewhere 2
like "$(store-list -a small -m Elsewhere | cut -f3)" 'NotJunk' "J-12 flags by its name"
message e@known.example | give small@example.org >/dev/null
is "$(reason small INBOX)" msgfromfull "J-17 it counts for the mailbox it was destined to"

# ---- Rejects and back ----
DMARC=fail POLICY=reject message f@known.example | give small@example.org >/dev/null
is "$(where small Rejects):$(reason small Rejects)" 1:dmarc-policy "J-10 a copy of what was refused"
like "$(store-list -a small -m Rejects | cut -f3)" 'Seen' "J-10 it is Seen"
ok "J-10 its owner moves it out" store-move -a small -m Rejects Elsewhere "$(last small Rejects)"
is "$(store-list -a small -m Elsewhere | tail -1 | cut -f3)" '$NotJunk' "J-10 it is not Seen any more"

# ---- Rejects is a mailbox that other mail comes to, too ----
printf '[account]\naddress = small@example.org\nrejects = Junk\n[rule "news"]\nmsg-from = ^news@\nmailbox = Junk\n[rule "kept"]\nmsg-from = ^kept@\nmailbox = Work\naccept-rejects-to = Junk\n' >etc/accounts/small.conf
ok "copies of what is refused go into Junk" config-compile
message news@known.example | grep -v ^Message-ID >m
is "$(give small@example.org <m):$(where small Junk)" "250 2.0.0 delivered:1" "J-10 D-4 what a rule puts there stays there"
is "$(sed 's/dmarc=pass/dmarc=fail/; s/dmarc=none/dmarc=reject/' m | give small@example.org | cut -c 1-3):$(where small Junk)" "550:1" "J-10 BEHAVIOUR 1.4 and is the copy of the same, if refused"
DMARC=fail POLICY=reject message g@known.example >m
is "$(give small@example.org <m | cut -c 1-3):$(where small Junk)" "550:2" "J-10 with a copy of what was refused"
sed 's/dmarc=fail/dmarc=pass/; s/reject/none/' m >m2
is "$(give small@example.org <m2):$(store-list -a small -m Junk | cut -f6)" "250 2.0.0 delivered:news@known.example" "J-10 which goes when that is accepted, it alone"
DMARC=fail POLICY=reject message kept@known.example >m
is "$(give small@example.org <m):$(where small Junk)" "250 2.0.0 delivered:2" "D-7 J-10 nor does what a rule accepts there all the same"

# ---- lists ----
main_conf '' 'dnsbl = bl.example' "first-time-delay = 0
$lists"
message g@known.example | sed 's/known\.example/other.example/g' >m
is "$(give alice@example.org <m)" "451 4.3.0 error processing" "J-18 A-10 the client is on a list"
like "$(cat err)" 'reason=dns-blocklisted' "J-18 its reason"
judge -q -a alice <m >out
is "$(cut -f2 out)" dns-blocklisted "J-18 by hand the same"
like "$(cat out)" "listed by bl\.example${tab}open relay since Friday" "J-18 J-4 the list and its text"
is "$(sed 's/192\.0\.2\.7/192.0.2.8/' m | give alice@example.org 192.0.2.8)" "250 2.0.0 delivered" "J-18 another client is not"
SPF=softfail message g@x.example | sed 's/known\.example/other.example/g' | judge -q -a alice >out
is "$(cut -f2 out)" spf-policy "J-18 what is refused before asks no list"

# ---- rules ----
main_conf '' '' "first-time-delay = 0
user-filters = yes"
cat >etc/accounts/alice.conf <<'E2'
[account]
address = alice@example.org
rejects = Rejects
[rule "kept"]
msg-from = ^k@
mailbox = Work
accept-rejects-to = Work/Kept
command = |sed 's/^some text/by command/'
[rule "dev"]
header = ^list-id$ .
mailbox = Lists/Dev
list-allow-domain = known.example
[rule "forwards"]
verified-domain = forwarder.example
forward = yes
mailbox = Forwards
[rule "no"]
msg-from = ^no@
reject = 550 5.7.1 not you
E2
by='by command'
if ! filter-run -a alice /bin/true 2>/dev/null; then	# no Landlock: user-filter.t
	sed -i '/^command = /d' etc/accounts/alice.conf
	by='some text'
fi
ok "rules" config-compile
is "$(SPF=softfail message k@known.example | sed '/dkim=pass/d' | give alice@example.org)" "250 2.0.0 delivered" "D-7 a rule keeps what would be refused"
is "$(reason alice Work/Kept)" spf-policy "D-7 with its reason"
like "$(store-list -a alice -m Work/Kept | cut -f3)" 'Seen' "D-7 Seen"
is "$(message k@known.example | sed '/dkim=pass/d' | give alice@example.org):$(where alice Work)" "250 2.0.0 delivered:1" "D-7 and what is not refused where the rule says"
is "$(store-show -a alice -m Work/Kept 1 | tail -1):$(store-show -a alice -m Work 1 | tail -1)" "some text:$by" "D-7 B-32 the rule's command is for what is not refused"
SPF=softfail DMARC=fail POLICY=reject message l@known.example | sed 's/^Subject/List-Id: <dev.known.example>\nSubject/' >m
is "$(give alice@example.org <m)" "250 2.0.0 delivered" "D-6 a list: nothing else is asked"
is "$(reason alice Lists/Dev)" list-allow "D-6 its reason"
like "$(store-show -a alice -m Lists/Dev 1)" 'override mailing_list' "A-8 D-6 the copy says that DMARC was not followed"
# list SED: how a message is judged that says it is of the list
list() { sed "s/^Subject/List-Id: <dev.known.example>\nSubject/; $1" | judge -q -a alice -r alice@example.org | cut -f2; }
is "$(SPF=none message | list 's/dkim=pass/dkim=fail/g')" msgfromdomain "D-6 step 3: neither SPF nor a signature vouches for the list"
is "$(message | list 's/dkim=pass/dkim=fail/g')" list-allow "D-6 step 3: SPF alone is enough"
is "$(SPF=none message | list '')" list-allow "D-6 step 3: so is a signature"
is "$(SPF=none message | list 's/header.d=known/header.d=sub.known/; s/mailfrom=b@/mailfrom=b@sub./')" msgfromdomain "D-6 step 3: not that of a domain below it"
DMARC=fail POLICY=reject ALIGN=none message o@author.example | sed 's/dkim=pass header.d=known.example;//' >m
is "$(give alice@example.org <m)" "250 2.0.0 delivered" "D-5 forwarded: DMARC does not refuse"
is "$(where alice Forwards):$(reason alice Forwards)" 1:no-bad-signals "D-5 its mailbox and reason"
like "$(store-show -a alice -m Forwards 1)" 'override forwarded' "A-8 D-5 the copy says so"
is "$(message no@known.example | sed '/dkim=pass/d' | give alice@example.org)" "550 5.7.1 not you" "B-20 a rule refuses"
is "$(where alice Rejects)" 0 "B-20 without a copy"
printf '[address "alice@example.org"]\nauth-required = sign your mail\n' >>etc/accounts/alice.conf
ok "an address that wants From vouched for" config-compile
ALIGN=none message p@known.example | sed '/dkim=pass/d' >m
is "$(give alice@example.org <m)" "550 5.7.26 sign your mail" "D-8 step 9: nobody vouches for From"
is "$(DMARC=temperror ALIGN=none message p@known.example | sed '/dkim=pass/d' | give alice@example.org)" "451 4.7.26 transient: sign your mail" "D-8 step 9: it may be vouched for later"
is "$(ALIGN=relaxed message p@known.example | sed '/dkim=pass/d' | give alice@example.org | cut -c1-3)" 250 "D-8 step 9: relaxed is enough"

printf '[account]\naddress = small@example.org\nrejects = Rejects\nquota = 1\n' >etc/accounts/small.conf
ok "an account that is full" config-compile
is "$(DMARC=fail POLICY=reject message r@known.example | give small@example.org | cut -c1-10)" "550 5.7.26" "J-10 no room for a copy: refused all the same"
is "$(message d@known.example | give small@example.org)" "452 4.2.2 mailbox is full" "BEHAVIOUR 1.2 what is accepted finds no room"

# ---- whose history counts, and in which mailbox ----
rules() {
	printf '[account]\naddress = carol@example.org\n[rule "f"]\nverified-domain = forwarder.example\n%s\n' "$1" >etc/accounts/carol.conf
	config-compile
}
# forwarded AUTHOR: his own mail, by the forwarder
forwarded() { ALIGN=none DMARC=none message "$1@author.example" | sed 's/dkim=pass header.d=known.example;//; s/known.example/author.example/'; }
ok "a rule" rules 'mailbox = Forwards'
forwarded a | give carol@example.org >/dev/null
forwarded b | give carol@example.org >/dev/null
is "$(where carol Forwards)" 2 "mail by a host of other people"
ok "all of it junk" store-flag -a carol -m Forwards '=$Junk' 1:2
forwarded c | sed 's/author/third/g' >m
judge -q -a carol -r carol@example.org <m >out
is "$(cut -f1,2 out)" "temperror${tab}dkimspf" "J-2 step e: who signed it is known for junk"
ok "the rule says it is a forwarder" rules 'mailbox = Forwards
forward = yes'
judge -q -a carol -r carol@example.org <m >out
is "$(cut -f1,2 out)" "pass${tab}no-bad-signals" "D-5 J-2 step 4 before 10: the forwarder's history does not count"
is "$(give carol@example.org <m):$(reason carol Forwards)" "250 2.0.0 delivered:no-bad-signals" "D-5 J-2 nor on delivery"
ok "another mailbox, not there yet" rules 'mailbox = New'
judge -q -a carol -r carol@example.org <m >out
is "$(cut -f1-3 out)" "pass${tab}no-bad-signals${tab}New" "J-2 step 10: history of another mailbox does not count"
message q@inbox.example | sed '/dkim=pass/d; s/known.example/inbox.example/g' >m
give carol@example.org <m >/dev/null
ok "somebody is known in the inbox" store-flag -a carol -m INBOX '=$Junk' 1
judge -q -a carol -r carol@example.org <m >out
is "$(cut -f1-3 out)" "temperror${tab}msgfromfull${tab}Inbox" "J-2 step a: in the inbox"
sed 's/spf=pass/dkim=pass header.d=forwarder.example; &/' m | judge -q -a carol -r carol@example.org >out
is "$(cut -f1-3 out)" "pass${tab}no-bad-signals${tab}New" "J-2 step 10: a mailbox that is not there has no history"

# ---- rates ----
cat >many.py <<'E2'
import smtplib, sys
c = smtplib.LMTP(sys.argv[1]); c.ehlo("c"); c.docmd("XFORWARD ADDR=198.51.100.9")
codes = []
for i in range(int(sys.argv[2])):
    c.docmd("MAIL FROM:<>"); c.docmd("RCPT TO:<bob@example.org>"); c.docmd("DATA")
    c.send(b"Received: from h.example (x.example [198.51.100.9]) by mx.example.org with ESMTP\r\n\tid abc; Fri, 20 Nov 2026 12:00:00 +0000\r\nSubject: %d\r\n\r\nx\r\n.\r\n" % i); codes.append(c.getreply())
print(sum(1 for x in codes if x[0] == 250), codes[-1][0], codes[-1][1].decode())
E2
start_lmtp
/usr/bin/python3 many.py "$TMP/run/lmtp" 501 >out
is "$(cat out)" "500 452 4.2.2 too much mail from your network for now" "R-29 J-1 500 messages a minute from one address, not one more"
like "$(cat lmtp.log)" 'reason=high-rate' "R-29 its reason"
for a in alice bob small carol; do is "$(verifydata -a $a)" "" "verifydata of $a finds nothing"; done
done_testing
