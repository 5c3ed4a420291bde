#!/bin/sh
# rules-test.t - which rule matches, and why
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
main_conf "" "" "user-filters = yes"
cat >etc/domains/example.org.conf <<'E'
[alias "team"]
member = alice@example.org
member = bob@example.org
post-public = no
E
cat >etc/accounts/alice.conf <<'E'
[account]
address = alice@example.org
address = gone@example.org
[address "alice@example.org"]
auth-required = say who you are
[address "gone@example.org"]
smtp-error = 550 5.1.1 gone
[rule "ads"]
msg-from = @ads\.example$
reject = 554 5.7.1 no advertisements
[rule "forward"]
verified-domain = fwd.example
mail-from = ^srs
mailbox = Forwarded
forward = yes
[rule "list"]
header = ^list-id$ <dev\.
list-allow-domain = list.example
mailbox = Lists/Dev
accept-rejects-to = Lists/Doubt
comment = the developers
command = |tr a-z A-Z
[rule "slow"]
header = ^x-slow$ ^(a|a)*$
mailbox = Slow
E
ok "it compiles" config-compile
usage=$(rules-test 2>&1)
like "$usage" '^rules-test: fatal: usage: rules-test \[-h helo\] ' "usage"
exits 100 "two recipients" rules-test a b
exits 100 "no address" rules-test alice
exits 100 "no such user" rules-test nobody@example.org
exits 100 "not of ours" rules-test x@else.example
tab=$(printf '\t')

printf 'From: A@ads.example\n\n' >in
exits 0 "B-20 a rule matches" rules-test alice@example.org <in
is "$(cat .out)" "rule${tab}alice@example.org${tab}ads${tab}match
reject${tab}alice@example.org${tab}554 5.7.1 no advertisements" "B-20 it refuses"
cat >list <<'E'
Return-Path: <bounce@list.example>
Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=bounce@list.example;
	dkim=pass header.d=sub.list.example header.s=s
Received: from a by mx.example.org id 1; Fri, 20 Nov 2026 12:00:00 +0000
From: a@b.example
List-Id: Dev <DEV.list.example>

E
exits 0 "D-4 a list" rules-test alice+x@EXAMPLE.org <list
is "$(cat .out)" "rule${tab}alice@example.org${tab}ads${tab}msg-from
rule${tab}alice@example.org${tab}forward${tab}verified-domain
rule${tab}alice@example.org${tab}list${tab}match
comment${tab}alice@example.org${tab}the developers
mailbox${tab}alice@example.org${tab}alice${tab}Lists/Dev
list-allow-domain${tab}alice@example.org${tab}list.example${tab}yes
accept-rejects-to${tab}alice@example.org${tab}Lists/Doubt
auth-required${tab}alice@example.org${tab}say who you are
command${tab}alice@example.org${tab}|tr a-z A-Z" "D-4 D-6 D-7 D-8 what is told of it"
sed 's/spf=pass/spf=fail/' list >in
exits 0 "D-6 a list nothing vouches for" rules-test alice@example.org <in
like "$(cat .out)" "list-allow-domain${tab}alice@example.org${tab}list.example${tab}no" "D-6 a subdomain is not enough"
sed 's/mx.example.org;/other.example;/; s/by mx.example.org/by other.example/' list >in
exits 0 "D-4 a block of another server" rules-test alice@example.org <in
like "$(cat .out)" "list-allow-domain${tab}alice@example.org${tab}list.example${tab}no" "vouches for nothing"
sed 's/list\.example/fwd.example/g; s/DEV.//' list >fwd
exits 1 "D-5 no rule matches" rules-test alice@example.org <fwd
like "$(cat .out)" "^rule${tab}alice@example.org${tab}forward${tab}mail-from$" "D-5 for its sender"
exits 1 "D-5 another sender" rules-test -s SRS0@fwd.example alice@example.org <fwd
exits 0 "D-5 one that matches" rules-test -s srs0@fwd.example alice@example.org <fwd
like "$(cat .out)" "^forward${tab}alice@example.org${tab}fwd.example$" "D-5 it is a forward"
{ printf 'From: a@b.example\n'; for i in 1 2 3 4; do printf 'X-Slow: %s!\n' "$(head -c 8000 /dev/zero | tr '\0' a)"; done; echo; } >slow
start=$(date +%s%N)
exits 1 "D-4 an expression that takes for ever" rules-test alice@example.org <slow
ms=$((($(date +%s%N) - start) / 1000000))
like "$(cat .out)" "^too-slow${tab}alice@example.org$" "D-4 does not match"
echo "# it took $ms ms"
ok "and takes no second" test "$ms" -lt 5000
like "$(cat .out)" "^rule${tab}alice@example.org${tab}slow${tab}too-slow$" "D-4 which one it was"
cat >etc/accounts/carol.conf <<'E'
[account]
address = carol@example.org
[rule "blocks"]
header = ^x-slow$ ^(a|a)*$
reject = 550 5.7.1 no
[rule "plain"]
mailbox = Plain
E
config-compile
exits 0 "B-20 one that would refuse takes for ever" rules-test carol@example.org <slow
is "$(cat .out)" "rule${tab}carol@example.org${tab}blocks${tab}too-slow
too-slow${tab}carol@example.org
reject${tab}carol@example.org${tab}451 4.3.0 error processing" "B-20 nobody gets past it: refused for now"
exits 1 "D-1 an address that is refused" rules-test gone@example.org <slow
like "$(cat .err)" 'gone@example.org is refused before the message: 550 5.1.1 gone' "is told"
exits 1 "D-11 an alias" rules-test team@example.org <fwd
is "$(cat .out)" "alias${tab}team@example.org${tab}may-not-post" "D-11 who may not post"
sed 's/From: .*/From: bob@example.org/' list >in
exits 0 "D-9 a member posts" rules-test team@example.org <in
like "$(cat .out)" "^mailbox${tab}bob@example.org${tab}bob${tab}Inbox$" "D-9 each member is looked at"
cp list message
sed -n 's/^\.Dl //p' "$TOP/man/rules-test.1" >examples
while read -r line; do
	ok "the example works: $line" sh -c "$line"
done <examples
done_testing
