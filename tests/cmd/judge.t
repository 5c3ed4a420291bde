#!/bin/sh
# judge - the decision in lmtp-in and by hand: replies, mailboxes, reasons,
# copies of what is refused
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
tab=$(printf '\t')
cat >etc/accounts/alice.conf <<'E2'
[account]
address = alice@example.org
rejects = Rejects
introbox = Introbox
subjectpass = 12h
E2
main_conf '' '' 'first-time-delay = 0'

# message [SPF [DMARC [IPREV [FROM [SUBJECT [ID]]]]]]: with a trusted block
message() {
	cat <<E2
Authentication-Results: mx.example.org;
	iprev=${3:-pass} policy.iprev=192.0.2.7;
	spf=${1:-pass} smtp.mailfrom=b@example.net;
	dmarc=${2:-none} header.from=example.net policy.dmarc=$([ "${2:-}" = fail ] && echo quarantine || echo none) policy.alignment=none
Received: from h.example (h.example [192.0.2.7]) by mx.example.org with ESMTPS
	(TLSv1.3 TLS_AES_128_GCM_SHA256) id abc; Fri, 20 Nov 2026 12:00:00 +0000
From: ${4:-a@example.net}
To: alice@example.org
Subject: ${5:-hello}
Message-ID: <${6:-1}@example.net>

some text
E2
}
# give RECIPIENT: standard input by LMTP; the reply
give() {
	{ printf 'LHLO c\nXFORWARD ADDR=192.0.2.7 HELO=h.example IDENT=abc PROTO=ESMTPS\nMAIL FROM:<b@example.net>\nRCPT TO:<%s>\nDATA\n' "$1"; sed 's/^\./../'; printf '.\nQUIT\n'; } |
	    dialogue lmtp-in | sed '1,10d' | sed -n 5p
}
# count MAILBOX, uids MAILBOX; reason MAILBOX: keyword of the newest
uids() { store-list -a alice -m "$1" 2>/dev/null | cut -f2; }
count() { uids "$1" | wc -l | tr -d ' '; }
show() { store-show -a alice -m "$1" "$(uids "$1" | tail -1)"; }
reason() { show "$1" | sed -n '1s/^Pipemail-Reason: \([a-z0-9-]*\).*/\1/p'; }

exits 100 "an operand is a usage error" judge -a alice x
exits 100 "an account is needed" judge
like "$(cat .err)" 'usage: judge \[-q\]' "the usage line"
exits 100 "an account that is not there" judge -a nobody </dev/null

# ---- accepted ----
is "$(message | give alice@example.org)" "250 2.0.0 delivered" "J-1 nothing bad: accepted"
is "$(reason Introbox)" no-bad-signals "J-17 mail of somebody unknown goes to the Introbox"
is "$(count INBOX)" 0 "J-17 and not to the inbox"
show Introbox >stored
is "$(sed -n 's/^\([A-Za-z-]*\):.*/\1/p' stored | tr '\n' ' ')" "Pipemail-Reason Pipemail-Destined Delivered-To Return-Path Authentication-Results Received From To Subject Message-ID " "R-35 J-4 the reason stands on top"
flat() { tr '\n\t' '  ' | tr -s ' '; }
like "$(flat <stored)" 'nothing is known of the sender; content 0\.500000, threshold 0\.9[0-9]*, few messages learnt; trained=0/0' "J-4 J-7 score and threshold in the reason"
is "$(message | give bob@example.org)" "250 2.0.0 delivered" "J-17 an account without an Introbox"
is "$(store-list -a bob -m INBOX | wc -l | tr -d ' ')" 1 "has it in the inbox"

# ---- what is read from block and message ----
# facts SED-SCRIPT: the line for a message that is changed so
facts() { message | sed "$1" | judge -q -a alice -r alice@example.org; }
helo='s/smtp.mailfrom=[^;]*/smtp.helo=h.example/'
like "$(facts '')" 'no-bad-signals' "J-1 the message as it is"
is "$(facts '' | grep -cE '(no TLS|recipient not in)')" 0 "J-6 TLS and To say nothing against it"
like "$(facts 's/^To:.*/To: x@example.net/')" 'recipient not in To or Cc' "J-6 step 17: somebody else in To"
is "$(facts 's/^To:.*/To: x@example.net\nCc: y@example.net, A <Alice@example.org>/' | grep -cE 'recipient not in')" 0 "J-6 step 17: found in Cc"
is "$(message | sed 's/^To:.*/To: a@xn--bcher-kva.example/' | judge -q -a alice -r 'a@bücher.example' | grep -c 'recipient not in')" 0 "J-6 step 17: a domain in To is the same in both its forms"
like "$(facts '/TLSv1.3/d; s/with ESMTPS/with ESMTP id abc; Fri, 20 Nov 2026 12:00:00 +0000/')" 'no TLS' "J-6 step 17: no TLS in our Received field"
is "$(facts '/^Auth/,/id abc/d' | grep -cE 'no TLS')" 0 "J-6 step 17: without a field of ours nobody knows"
is "$(facts "s/spf=pass/spf=softfail/; $helo" | cut -f2)" no-bad-signals "J-19 step 14: SPF of the HELO name is not asked"
is "$(facts 's/spf=pass.*/spf=softfail smtp.mailfrom=b@example.net; spf=pass smtp.helo=h.example;/' | cut -f2)" spf-policy "J-19 step 14: a pass of the HELO name excuses nothing"

# ---- the command says the same ----
judge -q -a alice <stored >out
is "$?" 0 "judge -q: 0 for what is accepted"
is "$(cut -f1-6 out)" "pass${tab}no-bad-signals${tab}Introbox${tab}250${tab}2.0.0${tab}Inbox" "J-1 by hand: the same reason, where to"
message | judge -q -a alice -r alice@example.org >out
is "$(cut -f2 out)" no-bad-signals "J-1 from the block alone"
judge -a alice <stored >again
is "$?" 0 "the filter: 0 for what is accepted"
is "$(cat again)" "$(cat stored)" "J-4 the filter makes the same message, its field once"
message softfail | judge -q -a alice >out
is "$?:$(cut -f1,2,4,5 out)" "111:temperror${tab}spf-policy${tab}451${tab}4.3.0" "J-19 -q: 111 for a temporary refusal"
message softfail | judge -a alice >out 2>err2
is "$?:$(cat out):$(cat err2)" "111::error processing" "J-5 the filter: 111 and the reply"
message pass fail | judge -q -a alice >out
is "$?:$(cut -f1,2,4,5 out)" "1:fail${tab}dmarc-policy${tab}550${tab}5.7.26" "A-5 -q: 1 for a refusal"
message pass fail | judge -a alice >out 2>err2
is "$?:$(cat out)" "100:" "A-5 the filter: 100 and no message"
like "$(cat err2)" '^refused by the DMARC policy' "A-5 and the reply"

# ---- refused, with a copy ----
is "$(message softfail none pass a@example.net hello 2 | give alice@example.org)" "451 4.3.0 error processing" "J-5 J-19 SPF softfail of somebody unknown"
is "$(reason Rejects)" spf-policy "J-10 a copy with its reason"
is "$(store-list -a alice -m Rejects | grep -c Seen)" 1 "J-10 it is Seen"
is "$(message softfail none pass a@example.net hello 2 | give alice@example.org)" "451 4.3.0 error processing" "J-5 tried again"
is "$(count Rejects)" 1 "J-10 BEHAVIOUR 1.4 there is one copy"
is "$(message pass none pass a@example.net hello 2 | give alice@example.org)" "250 2.0.0 delivered" "J-10 accepted later"
is "$(count Rejects)" 0 "J-10 BEHAVIOUR 1.2 the copy goes"
message softfail none pass a@example.net hello 2 | grep -v ^Message-ID >same
is "$(give alice@example.org <same):$(count Rejects)" "451 4.3.0 error processing:1" "J-10 a copy of what has no Message-ID"
hash=$(sed '1,/^	(TLS/d' same | sha256sum | cut -d ' ' -f 1)
ok "S-3 J-10 the index has a hash of it without its prefix" grep -aq "$hash" var/accounts/alice/index/data.mdb
is "$(give alice@example.org <same):$(count Rejects)" "451 4.3.0 error processing:1" "J-10 BEHAVIOUR 1.4 by which it is known"
is "$(sed 's/some/other/' same | give alice@example.org):$(count Rejects)" "451 4.3.0 error processing:2" "J-10 another text is kept"
is "$(message pass fail pass a@example.net hello 3 | give alice@example.org)" "550 5.7.26 refused by the DMARC policy of the From domain" "A-5 DMARC's wish is followed, quarantine too"
is "$(reason Rejects)" dmarc-policy "J-10 a copy"
is "$(message softfail | give bob@example.org)" "451 4.3.0 error processing" "J-10 an account without Rejects"
is "$(store-mailbox -a bob -l 2>/dev/null | grep -c Rejects)" 0 "gets none"
like "$(tail -1 err)" 'm=disconnected|m=refused' "the log has a line"
like "$(cat err)" 'm=refused .*reason=spf-policy' "J-4 the log has the reason"

# ---- subjectpass ----
out=$(message pass pass fail a@example.net hello 4 | give alice@example.org)
like "$out" '^550 5\.7\.1 your message looks like junk; .* \(pass:[A-Za-z0-9_-]{22}\) in its subject$' "J-16 a word for who DMARC vouches for and looks a bit like junk"
is "$(reason Rejects)" give-subjectpass "J-16 the reason"
token=$(echo "$out" | grep -o '(pass:[^)]*)')
is "$(message pass pass fail a@example.net "hello $token" 5 | give alice@example.org)" "250 2.0.0 delivered" "J-16 with it the message comes in"
is "$(reason Introbox)" subjectpass "J-16 by that reason"
is "$(message pass pass fail a@example.net "hello $token" 19 | sed 's/^To: .*/To: Alice+x@example.org/' | judge -q -a alice -r Alice+x@example.org | cut -f2)" subjectpass "J-16 D-3 and for whatever of her addresses"
like "$(message pass pass fail c@example.net "hello $token" 6 | give alice@example.org)" '^550 5\.7\.1 ' "J-16 it is the word of one sender"
is "$(message pass none fail a@example.net hello 7 | give alice@example.org)" "451 4.3.0 error processing" "J-16 J-7 none without DMARC"
is "$(message pass pass fail | give bob@example.org)" "451 4.3.0 error processing" "J-16 none where it is off"

printf '[account]\naddress = bob@example.org\n[junk]\nfilter = no\n' >etc/accounts/bob.conf
ok "an account whose content is not judged" config-compile
is "$(message pass none fail | give bob@example.org)" "250 2.0.0 delivered" "J-8 it is not judged"

# ---- content ----
i=0
while [ $i -lt 4 ]; do
	i=$((i + 1))
	printf 'From: x@example.net\nSubject: garden meeting %s\n\nroses tulips garden\n' $i | store-deliver -a alice -m Archive
	printf 'From: x@example.net\nSubject: cheap pills %s\n\npills casino winner\n' $i | store-deliver -a alice -m Junk
done
ok "some mail is learnt" junk-train -a alice
message pass none pass a@example.net 'cheap pills' 8 | sed 's/some text/pills casino winner/' >m
is "$(give alice@example.org <m)" "250 2.0.0 delivered" "J-7 little is learnt: content refuses nothing"
like "$(show Introbox | sed '/^Delivered-To/,$d' | tr -d '\n\t')" 'trained=4/4.*spam=.*(casino|pills)\(0\.9' "J-4 words and their scores in the reason"
sed 's/iprev=pass/iprev=fail/; s/<8@/<9@/' m >m2
is "$(give alice@example.org <m2)" "451 4.3.0 error processing" "J-6 J-7 but with a bad reverse name"
is "$(reason Rejects)" junk-content-strict "J-6 its reason"
sed 's/pills casino winner/roses tulips garden/; s/cheap pills/garden meeting/; s/<9@/<10@/' m2 >m3
is "$(give alice@example.org <m3)" "250 2.0.0 delivered" "J-6 wanted words pass with a bad reverse name"
judge -q -a alice <m2 >out
is "$(cut -f2 out)" junk-content-strict "J-1 by hand the same"
junk-score -a alice <m2 | judge -q -a alice >out
is "$(cut -f2 out)" junk-content-strict "J-1 behind junk-score, too"
junk-score -a alice <m3 | judge -a alice >out
is "$(grep -c '^Pipemail-Junk' out)" 0 "J-4 its field gives way to the reason"

# ---- BEHAVIOUR 1.3: who is refused is slowed down ----
# marked RECIPIENT: the marks in the reply to standard input
marked() {
	{ printf 'LHLO c\nXFORWARD ADDR=192.0.2.7 HELO=h.example IDENT=abc PROTO=ESMTPS MARKS=YES\nMAIL FROM:<b@example.net>\nRCPT TO:<%s>\nDATA\n' "$1"; cat; printf '.\nQUIT\n'; } |
	    dialogue lmtp-in | grep -o 'XMARK.*'
}
is "$(message softfail none pass a@example.net hello 20 | marked bob@example.org)" "XMARK slow" "R-25 BEHAVIOUR 1.3 refused by the decision: smtp-in hears of it"
is "$(message pass none pass a@example.net hello 21 | marked bob@example.org)" "" "R-25 BEHAVIOUR 1.3 accepted: it does not"

# ---- R-27, and no judging at all ----
main_conf '' '' 'first-time-delay = 1'
t=$(date +%s%N)
message pass none pass a@example.net hello 11 | give alice@example.org >/dev/null
ok "R-27 BEHAVIOUR 1.2 a first-time sender waits" test $(( ($(date +%s%N) - t) / 1000000 )) -ge 1000
main_conf '' '' 'first-time-delay = 4'
t=$(date +%s%N)
{ printf 'LHLO c\nXFORWARD ADDR=192.0.2.7 HELO=h.example IDENT=abc PROTO=ESMTPS\nMAIL FROM:<b@example.net>\nRCPT TO:<alice@example.org>\nRCPT TO:<bob@example.org>\nDATA\n'; message pass none pass a@other.example hello 13 | sed 's/^To: .*/&, bob@example.org/'; printf '.\nQUIT\n'; } |
    dialogue lmtp-in >out
t=$((($(date +%s%N) - t) / 1000000))
is "$(grep -c '^250 2.0.0 delivered' out)" 2 "R-27 a message for two"
ok "R-27 waits once ($t ms)" test $t -ge 4000 -a $t -lt 8000
main_conf '' '' 'judge = no'
is "$(message softfail fail fail a@example.net hello 12 | give alice@example.org)" "250 2.0.0 delivered" "judge = no: all is accepted"
is "$(show INBOX | head -1)" "Delivered-To: alice@example.org" "without a reason"

# ---- the manual's examples ----
main_conf '' '' 'first-time-delay = 0'
mandoc -T ascii -O width=300 "$TOP/man/judge.1" | col -bx | sed -n '/^EXAMPLES/,/^SEE/s/^  *//p' | grep -v ':$' >page
grep -v 'Why is' page | sed '/store-show/,$d' >first.sh
printf 'From: a@example.org\nTo: alice@example.org\nSubject: x\n\nx\n' >message
is "$(sh first.sh | cut -f1)" pass "judge(1): by hand, as the server does"
message softfail none pass a@example.net hello 20 | give alice@example.org >/dev/null
grep store-show page | sed "s/ 7 / $(uids Rejects | tail -1) /" >second.sh
is "$(sh second.sh | cut -f1,2)" "temperror${tab}spf-policy" "judge(1): why it is in Rejects"

is "$(verifydata -a alice)" "" "verifydata finds nothing"
done_testing
