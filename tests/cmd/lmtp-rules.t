#!/bin/sh
# lmtp-in - rules of accounts, and addresses that stand for several
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
main_conf
cat >etc/domains/example.org.conf <<'E'
[domain]
separators = +
dmarc-reports = dmarc+reports@example.org
[alias "team"]
member = alice@example.org
member = bob@example.org
[alias "closed"]
member = alice@example.org
member = bob@example.org
post-public = no
poster = @club.example
[alias "both"]
member = bob@example.org
member = small@example.org
[alias "shut"]
member = bob@example.org
member = away@off.example
[alias "full"]
member = small@example.org
[alias "mixed"]
member = never@example.org
member = small@example.org
[alias "choosy"]
member = never@example.org
member = alice@example.org
[alias "nobody"]
member = never@example.org
member = nor@example.org
member = gone@example.org
E
cat >etc/accounts/alice.conf <<'E'
[account]
address = alice@example.org
address = sales@example.org Sales
address = @all.example
address = gone@example.org
address = dmarc+reports@example.org DMARC
address = away@off.example Away
[address "gone@example.org"]
smtp-error = 551 5.1.6 try carol@else.example
[rule "sales"]
address = sales@example.org
msg-from = @ads\.example$
reject = 554 5.7.1 no advertisements, please
[rule "list"]
header = ^list-id$ <dev\.
mailbox = Lists/Dev
comment = first of the two
[rule "second"]
header = ^list-id$ .
mailbox = Lists/Other
[rule "known"]
verified-domain = known.example
mailbox = Known
[rule "bounces"]
mail-from = ^$
mailbox = Bounces
E
cat >etc/accounts/bob.conf <<'E'
[account]
address = bob@example.org
E
cat >etc/accounts/never.conf <<'E'
[account]
address = never@example.org
[rule "no"]
reject = 550 5.7.1 never
E
cat >etc/accounts/nor.conf <<'E'
[account]
address = nor@example.org
[rule "no"]
reject = 553 5.7.2 nor me
E
ok "it compiles" config-compile

lmtp() { dialogue lmtp-in 2>>err | sed '1,10d'; }
# put FROM-FIELD RECIPIENTS [SENDER] <fields: the replies after the message
put() {
	{ printf 'LHLO c\nMAIL FROM:<%s>\n' "${3-s@net.example}"
	for r in $2; do printf 'RCPT TO:<%s>\n' "$r"; done
	printf 'DATA\n'
	cat
	printf 'From: %s\nTo: x@y.example\n\ntext\n.\nQUIT\n' "$1"; } | lmtp | sed -n '/^354/,$p' | sed '1d;$d'
}
# in ACCOUNT FOLDER: how many messages
in_box() { find "var/accounts/$1/Maildir/$2/new" "var/accounts/$1/Maildir/$2/cur" -type f 2>/dev/null | wc -l | tr -d ' '; }

# ---- addresses ----
is "$(printf 'LHLO c\nMAIL FROM:<>\nRCPT TO:<GONE+x@example.org>\nQUIT\n' | lmtp | sed -n 2p)" \
    "551 5.1.6 try carol@else.example" "D-1 R-20 an address is refused with its own reply"
is "$(put a@b.example any@ALL.example </dev/null)" "250 2.0.0 delivered" "D-2 the catch-all takes what nobody has"
is "$(put a@b.example DMARC+Reports+x@example.org </dev/null)" "250 2.0.0 delivered" "D-16 an address for reports holds a separator"
is "$(in_box alice .DMARC)" 1 "D-16 and is in its mailbox"

# ---- reports: stored by the rules of all mail, and read by nobody yet ----
rcpt() { printf 'LHLO c\nMAIL FROM:<>\nRCPT TO:<%s>\nQUIT\n' "$1" | lmtp | sed -n 2p | cut -c1-9; }
is "$(rcpt tls-reports@mx.example.org)" "550 5.7.1" "D-16 nobody takes reports about the host"
main_conf 'tls-reports = bob'
is "$(put a@b.example TLS-Reports@MX.example.org </dev/null)" "250 2.0.0 delivered" "D-16 one does: a local part at the host name, in any case"
is "$(in_box bob .TLSRPT)" 1 "D-16 and they are in its mailbox"
is "$(rcpt postmaster@mx.example.org) $(rcpt postmaster@example.org) $(rcpt postmaster)" "250 2.1.5 250 2.1.5 250 2.1.5" "R-24 postmaster at the host name, a domain, and alone"
is "$(rcpt x@mx.example.org) $(rcpt tls-reportsx@mx.example.org) $(rcpt tls-reports@[192.0.2.1])" "550 5.7.1 550 5.7.1 550 5.7.1" "D-16 no other address at the host name"
is "$(rcpt tls-reports@example.org)" "550 5.1.1" "D-16 nor that local part of a domain"
main_conf 'tls-reports = bob
tls-reports-local-part = tls
tls-reports-mailbox = Reports/TLS'
is "$(put a@b.example tls@mx.example.org </dev/null)" "250 2.0.0 delivered" "D-16 another local part"
is "$(in_box bob .Reports.TLS) $(rcpt tls-reports@mx.example.org)" "1 550 5.7.1" "D-16 another mailbox"
put a@b.example dmarc+reports@example.org >/dev/null <<'E'
Authentication-Results: mx.example.org; dmarc=pass header.from=b.example policy.dmarc=none policy.alignment=strict
Received: from a by mx.example.org id 1; Fri, 20 Nov 2026 12:00:00 +0000
Content-Type: application/gzip; name="b.example!example.org!1!2.xml.gz"
E
is "$(in_box alice .DMARC)" 2 "D-16 a DMARC report is stored in the address's mailbox"
is "$(store-list -a alice -m DMARC | grep -c Seen)" 0 "D-16 nobody has read it: it is not Seen"
main_conf

# ---- rules ----
is "$(put a@b.example sales@example.org </dev/null)" "250 2.0.0 delivered" "D-1 no rule matches"
is "$(in_box alice .Sales)" 1 "D-1 the address's mailbox"
is "$(put A@ads.example sales@example.org </dev/null)" "554 5.7.1 no advertisements, please" "B-20 a rule refuses with its reply"
is "$(put A@ads.example alice@example.org </dev/null)" "250 2.0.0 delivered" "B-20 but for its address only"
is "$(in_box alice .Sales)" 1 "B-20 nothing was stored"
is "$(printf 'List-ID: Dev <DEV.example>\n' | put a@b.example alice+tag@example.org)" "250 2.0.0 delivered" "D-4 two rules match"
is "$(in_box alice .Lists.Dev) $(in_box alice .Lists.Other)" "1 0" "D-4 the first one wins"
is "$(put a@b.example alice@example.org '' </dev/null)" "250 2.0.0 delivered" "D-4 the null sender"
is "$(in_box alice .Bounces)" 1 "D-4 has a rule"
printf '[account]\naddress = carol@example.org\n[rule "slow"]\nheader = ^x-slow$ ^(a|a)*$\nmailbox = Slow\n[rule "blocks"]\nheader = ^x-block$ ^(a|a)*$\nreject = 550 5.7.1 no\n' >etc/accounts/carol.conf
config-compile
long="$(head -c 8000 /dev/zero | tr '\0' a)!"
is "$(printf 'X-Slow: %s\n' "$long" | put a@b.example carol@example.org)" "250 2.0.0 delivered" "D-4 a rule that takes too long is passed over"
like "$(tail -2 err)" "rules-too-slow.* account=carol rule=slow code=0" "D-4 the log names it"
is "$(printf 'X-Block: %s\n' "$long" | put a@b.example carol@example.org)" "451 4.3.0 error processing" "B-20 one that refuses is not: nobody gets past it"
like "$(tail -2 err)" "rules-too-slow.* account=carol rule=blocks code=451" "B-20 the log names it"
like "$(tail -2 err)" "reason=rule( |$)" "B-20 the reason"
n=$(in_box alice .Known)
put a@b.example alice@example.org </dev/null >/dev/null <<'E'
Authentication-Results: mx.example.org; dkim=pass header.d=known.example
E
is "$(in_box alice .Known)" "$n" "D-4 what a stranger wrote verifies nothing"
put a@b.example alice@example.org >/dev/null <<'E'
Authentication-Results: mx.example.org; dkim=pass header.d=mail.known.example header.s=s
Received: from a by mx.example.org id 1; Fri, 20 Nov 2026 12:00:00 +0000
E
is "$(in_box alice .Known)" 1 "D-4 what the trusted block says does"
like "$(cat err)" 'm=delivered .*mailbox=Lists/Dev rule=list ' "the log names mailbox and rule"

# ---- forwards ----
cat >>etc/accounts/bob.conf <<'E'
[rule "forwards"]
verified-domain = forwarder.example
forward = yes
mailbox = INBOX
E
ok "it compiles with a rule for forwards" config-compile
for d in forwarder other; do
	put a@author.example bob@example.org >/dev/null <<E
Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=x@$d.example; dkim=pass header.d=$d.example; dkim=pass header.d=author.example; dmarc=pass header.from=author.example policy.alignment=strict
Received: from h.$d.example (unknown [192.0.2.7]) by mx.example.org id 1; Fri, 20 Nov 2026 12:00:00 +0000
E
done
rep() { reputation-show -a bob "$@" | sed -n '1!p' | cut -f 2 | tr '\n' ' '; }
store-flag -a bob +junk 1:2
is "$(rep a@author.example)" "2 1 " "D-5 J-2 the author of forwarded mail has history"
is "$(rep -d author.example x@no.example)" "2 1 " "D-5 A-11 and who signed for him"
is "$(rep -d forwarder.example x@no.example)" "" "D-5 A-11 the forwarder's signature has none"
is "$(rep -d other.example x@no.example)" "2 " "D-5 A-11 but for mail no rule says was forwarded"
is "$(rep -f x@forwarder.example x@no.example)" "" "D-5 J-2 nor his MAIL FROM"
is "$(rep -i 192.0.2.7 x@no.example)" "2 " "D-5 J-2 nor his address"
is "$(reputation-show -r -i 192.0.2.7 -a bob x@no.example | head -1 | cut -f 3)" 1 "D-5 R-29 which is not counted"
store-expunge -f -a bob 1 2

# ---- aliases ----
total() { echo "$(messages alice) $(messages bob) $(messages small)"; }
n=$(total)
is "$(put a@b.example team+x@example.org </dev/null)" "250 2.0.0 delivered" "D-9 an alias takes mail"
set -- $n
is "$(total)" "$(($1 + 1)) $(($2 + 1)) $3" "D-9 each member has it"
is "$(newest bob | head -3)" "Delivered-To: bob@example.org
Delivered-To: team+x@example.org
Return-Path: <s@net.example>" "D-15 with its own prefix"
is "$(newest alice | head -1)" "Delivered-To: alice@example.org" "D-15 and the other with its own"
n=$(total)
is "$(put a@b.example 'team@example.org bob@example.org' </dev/null)" "250 2.0.0 delivered
250 2.0.0 delivered" "D-10 a member is a recipient, too"
set -- $n
is "$(total)" "$(($1 + 1)) $(($2 + 1)) $3" "D-10 and has it once"
is "$(newest bob | head -1)" "Delivered-To: bob@example.org" "D-10 as the one that was addressed"
n=$(total)
put a@b.example 'both@example.org team@example.org' </dev/null >/dev/null
set -- $n
is "$(total)" "$(($1 + 1)) $(($2 + 1)) $(($3 + 1))" "D-10 a member of two aliases has it once"
n=$(total)
is "$(put 'Bob <BOB+me@example.org>' team@example.org </dev/null)" "250 2.0.0 delivered" "D-10 a member writes"
set -- $n
is "$(total)" "$(($1 + 1)) $2 $3" "D-10 and gets no copy"
n=$(messages bob)
is "$(put a@b.example shut@example.org </dev/null)" "250 2.0.0 delivered" "D-9 D-13 the domain of a member is disabled"
is "$(in_box alice .Away) $(messages bob)" "1 $((n + 1))" "D-9 D-13 who has it all the same: nobody would come again with it"
is "$(put away@off.example shut@example.org </dev/null)" "250 2.0.0 delivered" "D-10 D-13 such a member writes"
is "$(in_box alice .Away) $(messages bob)" "1 $((n + 2))" "D-10 D-13 and gets no copy"

n=$(total)
is "$(put a@b.example closed@example.org </dev/null)" "550 5.7.2 you may not send to this address" "D-11 not everybody may post"
is "$(put 'a@b.example, bob@example.org' closed@example.org </dev/null)" "550 5.7.2 you may not send to this address" "D-11 two authors are none"
is "$(put 'alice@example.org <a@b.example>' closed@example.org </dev/null)" "550 5.7.2 you may not send to this address" "D-11 nor a member's address in front of the one that is shown"
is "$(total)" "$n" "D-11 nobody has it"
like "$(cat err)" 'm=refused .*alias=closed@example.org code=550 why=' "D-11 the log says so"
is "$(put alice@example.org closed@example.org </dev/null)" "250 2.0.0 delivered" "D-11 a member may"
is "$(put x@club.example closed@example.org </dev/null)" "250 2.0.0 delivered" "B-4 a named poster may"

n=$(messages alice)
is "$(put a@b.example choosy@example.org </dev/null)" "250 2.0.0 delivered" "D-9 one member's rules refuse, the other's do not: accepted"
is "$(messages alice) $(messages never)" "$((n + 1)) 0" "D-9 and one has it"
is "$(put a@b.example nobody@example.org </dev/null)" "250 2.0.0 delivered" "D-9 smtp-error of an address does not bind its alias"
sed -i '/^member = gone/d' etc/domains/example.org.conf
config-compile
is "$(put a@b.example nobody@example.org </dev/null)" "550 5.7.1 never" "D-9 no member accepts: the first refusal"
head -c 3000 /dev/zero | tr '\0' x | sed 's/^/X: /' >big; echo >>big
is "$(put a@b.example full@example.org <big)" "452 4.2.2 mailbox is full" "D-9 all are full"
is "$(put a@b.example both@example.org <big)" "250 2.0.0 delivered" "D-9 one is full"
is "$(put a@b.example mixed@example.org <big)" "452 4.2.2 mailbox is full" "D-9 one refuses, one is full: it may come again"
is "$(put a@b.example nobody2@example.org </dev/null; put a@b.example x@off.example </dev/null)" "" "D-13 unknown and disabled ones are refused before"
ok "the trees are sound" verifydata
done_testing
