#!/bin/sh
# lmtp-in - members of an alias elsewhere, by way of run/queue-add
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
mkdir -p etc/dkim && dkim-key -t ed25519 -o etc/dkim/k.pem || exit 111
main_conf
cat >>etc/main.conf <<E
[static-dns "sel._domainkey.example.org"]
txt = $(dkim-key -p etc/dkim/k.pem)
E
alias_conf() {
	cat >etc/domains/example.org.conf <<E
[domain]
${1:-}
[alias "team"]
member = bob@example.org
external-member = carol@else.example
external-member = dave@else.example
bounces-to = alice@example.org
[alias "out"]
external-member = carol@else.example
bounces-to = alice@example.org
[alias "cased"]
external-member = dave@else.example
external-member = Ünal@xn--bcher-kva.example
bounces-to = alice@example.org
[alias "some"]
member = bob@example.org
member = lost@example.org
[alias "all"]
member = small@example.org
external-member = carol@else.example
bounces-to = alice@example.org
[alias "most"]
member = bob@example.org
member = small@example.org
[alias "refuses"]
member = alice@example.org
member = bob@example.org
E
	config-compile
}
printf '[account]\naddress = lost@example.org\n' >etc/accounts/lost.conf
alias_conf
cat >>etc/accounts/alice.conf <<'E'
[rule "no"]
header = ^subject$ cheap
reject = 550 5.7.1 not to us
E
config-compile
# put ALIAS RESULTS [SENDER] [FROM]: a message that came with these results
put() {
	{ printf 'LHLO c\nMAIL FROM:<%s>\nRCPT TO:<%s@example.org>\nDATA\n' "${3-s@net.example}" "$1"
	printf 'Authentication-Results: mx.example.org;\n\t%s\n' "$2"
	printf 'Received: from a by mx.example.org with ESMTPS\n\tid 1; Fri, 20 Nov 2026 12:00:00 +0000\n'
	printf 'From: %s\nPipemail-Extra-X: y\n%s\n\ntext\n.\nQUIT\n' "${4-a@b.example}" "${subject-Subject: hello}"; } | dialogue lmtp-in 2>>err | sed '1,/^354/d;/^221/d'
}
queued() { find var/queue/message -type f 2>/dev/null | wc -l | tr -d ' '; }
DKIM='arc=none; dkim=pass header.d=b.example header.s=s'

like "$(put team "$DKIM")" '^451 4.3.0 cannot pass it on now' "B-4 queue-add is not there: 451"
like "$(cat err)" 'm=refused .*alias=team@example.org rcpts=2 code=451 .*err=' "the log says why"
is "$(messages bob)" 0 "B-4 and no member has it: none will have it twice"
start_queue_add
n=$(messages bob)
is "$(put team "$DKIM")" "250 2.0.0 delivered" "B-4 a valid signature"
is "$(messages bob)" $((n + 1)) "the member here has it"
is "$(queued)" 1 "B-4 and it is queued once"
id=$(queue-list | cut -f1 | cut -d. -f1 | sort -u)
is "$(queue-list | wc -l | tr -d ' ')" 2 "for two recipients"
queue-show "$id" >shown
like "$(cat shown)" 'forward' "as a message of others"
like "$(queue-list)" 'alice@example.org.*carol@else.example' "B-4 its sender is ours, for the bounces"
newest_queued >m
is "$(head -1 m)" "Authentication-Results: mx.example.org;" "nothing was added: the domain has no key"
is "$(grep -c '^Delivered-To: team@example.org$' m)" 1 "but what it was delivered to"
is "$(sed -n '/^From:/,$p' m)" "From: a@b.example
Pipemail-Extra-X: y
Subject: hello

text" "B-4 the message is as it came"
like "$(put team "arc=none; spf=pass smtp.mailfrom=b.example; dkim=fail header.d=b.example")" '^250' "B-4 no valid signature, no key"
is "$(queued)" 1 "B-4 nothing goes out"
like "$(cat err)" 'm=refused .*alias=team@example.org rcpts=2 code=550 reply="nothing would vouch' "and the log says so"
like "$(put out "arc=none; dkim=none")" '^550 5.7.20 nothing would vouch' "B-4 with no member here that is the reply"
is "$(put team "$DKIM" s@x.example CAROL@else.example)" "250 2.0.0 delivered" "B-4 D-10 the author is a member elsewhere"
is "$(queue-list | wc -l | tr -d ' ')" 3 "and gets no copy"
is "$(put cased "$DKIM" s@x.example üNAL@bücher.example)" "250 2.0.0 delivered" "B-4 D-10 nor where case and domain are written otherwise"
is "$(queue-list | wc -l | tr -d ' ')" 4 "in any script"

# ---- with a key ----
kill "$queue_pid"
rm -f run/queue-add
alias_conf 'dkim = sel dkim/k.pem'
start_queue_add
is "$(put out "arc=none; dkim=none; spf=pass smtp.mailfrom=b.example")" "250 2.0.0 delivered" "B-4 no signature, but a seal of ours"
newest_queued >m
is "$(sed -n 's/^\(ARC-[A-Za-z-]*\): *i=\([0-9]*\).*/\1 \2/p' m | tr '\n' ' ')" "ARC-Seal 1 ARC-Message-Signature 1 ARC-Authentication-Results 1 " "B-4 it is sealed"
like "$(sed -n '/^ARC-Seal/,/^[A-BD-Z]/p' m)" 'cv=none' "as the first"
like "$(sed -n '/^ARC-Seal/,/^ARC-M/p' m | tr -d '\n\t ')" 'd=example.org' "by the alias's domain"
cp -r etc etc2; mkdir var2
sed -i 's/^hostname = .*/hostname = mx.else.example/' etc2/main.conf
is "$(export PIPEMAIL_ETC=$TMP/etc2 PIPEMAIL_VAR=$TMP/var2; config-compile; arc-verify -q <m | cut -f1)" pass "B-4 and the seal is right"
chain='ARC-Seal: i=1; a=rsa-sha256; cv=none; d=x.example; s=s; t=1; b=AAAA
ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=x.example; s=s; h=from; bh=AAAA; b=AAAA
ARC-Authentication-Results: i=1; x.example; none
Subject: hello'
is "$(subject=$chain put out "arc=pass; dkim=none")" "250 2.0.0 delivered" "B-4 a chain that is whole gets one more"
like "$(newest_queued | sed -n 's/^ARC-Seal: *//p' | head -1)" '^i=2' "of number 2"
like "$(subject=$chain put out "arc=fail; dkim=none")" '^550 5.7.20' "B-4 a chain that failed is not gone on with"
like "$(put out "arc=fail; dkim=pass header.d=b.example header.s=s")" '^250' "B-4 but a signature is enough"
n=$(queued)
like "$(subject='Subject: cheap' put out "$DKIM")" '^550 5.7.1 not to us' "B-4 with no member here the owner's rules judge"
is "$(queued)" "$n" "and nothing goes out"
is "$(put out "$DKIM" '')" "250 2.0.0 delivered" "B-4 a null sender"
like "$(queue-list | tail -1)" '	alice	-	carol@' "stays one"
is "$(messages alice)" 0 "who gets the bounces gets no copy"
ok "the queue is sound" verifydata

# ---- members whose copy cannot be stored ----
mkdir -p var/accounts/lost
echo damaged >var/accounts/lost/index
head -c 3000 /dev/zero | tr '\0' x | sed 's/^/X: /' >big
lost() { queue-list | grep -c 'lost@example.org'; }
n=$(messages bob)
is "$(put some "$DKIM")" "250 2.0.0 delivered" "D-9 one copy cannot be stored, another is"
is "$(messages bob) $(lost)" "$((n + 1)) 1" "D-9 that one is queued"
like "$(queue-list | grep lost@)" '	lost	-	lost@' "D-9 without a sender where none is named for bounces"
q=$(queued)
is "$(subject="$(cat big)" put all "$DKIM")" "250 2.0.0 delivered" "D-9 B-4 none can be stored here, but it goes elsewhere"
is "$(queued)" "$((q + 2))" "D-9 both are queued"
like "$(queue-list | grep small@ | tail -1)" '	alice	alice@example.org	small@' "with the address for bounces"
n=$(messages bob)
is "$(subject="$(cat big)" put most "$DKIM")" "250 2.0.0 delivered" "D-9 a member is full"
is "$(messages bob) $(queue-list | grep -c small@)" "$((n + 1)) 2" "D-9 its copy is queued, too"
q=$(queued)
is "$(subject='Subject: cheap' put refuses "$DKIM")" "250 2.0.0 delivered" "D-9 one that refuses"
is "$(queued)" "$q" "D-9 does not"
stop "$queue_pid"
rm -f run/queue-add
n=$(messages bob)
is "$(subject="$(cat big)" put most "$DKIM")" "250 2.0.0 delivered" "D-9 no queue: a full one goes without"
like "$(put some "$DKIM")" '^451 4.3.0 cannot pass it on' "D-9 for a damaged one the client comes again"
is "$(messages bob)" "$((n + 2))" "D-9 a copy too many is better than one lost"
rm -r var/accounts/lost
start_lmtp
bg unix-bind -m 600 run/smtp-out smtp-out 2>>out.log
wait_for 10 test -S run/smtp-out
bg unix-bind -m 600 run/queue queue-run 2>>run.log
wait_for 60 sh -c '[ "$(ls var/accounts/lost/Maildir/new 2>/dev/null | wc -l)" -eq 1 ]'
is "$(messages lost)" 1 "D-9 mended, its copy comes"
like "$(newest lost)" '^Delivered-To: lost@example.org' "D-9 for it"
like "$(newest lost)" 'Delivered-To: some@example.org' "D-9 by its alias"
done_testing
