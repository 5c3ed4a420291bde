#!/bin/sh
# judge-out.t - J-10, J-17: what is moved out of Rejects and the Introbox, by
# IMAP and by commands; killed at each system call of that
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/cmd/kill.sh"
main_conf '' '' "first-time-delay = 0"
printf '[account]\naddress = bob@example.org\nintrobox = Introbox\nrejects = Rejects\n' >etc/accounts/bob.conf
config-compile || exit 111

# message FROM [POLICY]: DKIM and DMARC vouch for it, or DMARC refuses it
n=0
message() {
	n=$((n + 1))
	d=pass; [ -z "${2:-}" ] || d=fail
	printf 'Authentication-Results: mx.example.org;\n\tiprev=pass policy.iprev=192.0.2.7; spf=pass smtp.mailfrom=b@known.example;\n'
	printf '\tdkim=pass header.d=known.example; dmarc=%s header.from=known.example policy.dmarc=%s policy.alignment=strict\n' $d "${2:-none}"
	printf 'Received: from h.example (h.example [192.0.2.7]) by mx.example.org with ESMTPS\n\tid abc; Fri, 20 Nov 2026 12:00:00 +0000\n'
	printf 'From: %s@known.example\nTo: bob@example.org\nSubject: %s\nMessage-ID: <%s.%s@known.example>\n\nsome text\n' "$1" "$1" "$1" "$n"
}
give() { # to bob by LMTP
	{ printf 'LHLO c\nXFORWARD ADDR=192.0.2.7 HELO=h.example IDENT=abc PROTO=ESMTPS\nMAIL FROM:<b@known.example>\nRCPT TO:<bob@example.org>\nDATA\n'; cat; printf '.\nQUIT\n'; } |
	    dialogue lmtp-in >reply
}
list() { store-list -a bob -m "$1" 2>/dev/null | cut -f "${2:-7}" | sort | tr '\n' ' '; }
imap() { printf 'a SELECT %s\r\nb UID MOVE 1:* %s\r\nc LOGOUT\r\n' "$1" "$2" | imap-serve -a bob >out; }
# for FROM: how judge explains a further message of that author
history() { message "$1" | judge -q -a bob -r bob@example.org | cut -f 2,3 | tr '\t' ' '; }

# ---- IMAP MOVE ----
store-mailbox -c -a bob Elsewhere
message intro | give
is "$(list Introbox) $(list Introbox 3)" "intro   " "J-17 somebody unknown: Introbox, without flags"
is "$(history intro)" "no-bad-signals Introbox" "J-17 and unknown still"
imap Introbox INBOX
like "$(cat out)" "COPYUID" "J-17 IMAP MOVE to the inbox"
is "$(list INBOX) $(list INBOX 3)" 'intro  $NotJunk ' "J-17 so it is wanted"
is "$(history intro)" "msgfromfull Inbox" "J-17 and counts for the inbox"
message other | give
imap Introbox Elsewhere
is "$(list Elsewhere 3)" '$NotJunk ' "J-17 IMAP MOVE to another mailbox: its flags"
is "$(history other)" "msgfromfull Inbox" "J-17 what counts for the inbox"
message refused reject | give
is "$(list Rejects) $(list Rejects 3)" 'refused  \Seen ' "J-10 a copy of what was refused: Seen"
imap Rejects INBOX
is "$(store-list -a bob -m INBOX | awk -F '\t' '$7 == "refused" { print $3 }')" "" "J-10 IMAP MOVE out of Rejects: not Seen"
ok "verifydata finds nothing" content

# ---- an index that is lost ----
lost() { rm -rf "$BOB"/index; store-list -a bob >/dev/null 2>&1; }
# flags FROM MAILBOX
flags() { store-list -a bob -m "$2" | awk -F '\t' -v s="$1" '$7 == s { print $3 }'; }
is "$(sed -n 2p "$(find "$BOB/Maildir" -type f -path '*Rejects*' -o -type f -exec grep -q '^Subject: refused' {} \; -print | head -1)" | sed 's/[0-9]\{3,\}/N/g')" "Pipemail-Destined: N; aside=N; refused" "J-10 the file says where it was destined to"
lost
is "$(history intro)" "msgfromfull Inbox" "J-17 a new index: what was moved to the inbox counts there"
is "$(history other)" "msgfromfull Inbox" "J-17 what was moved elsewhere counts for the inbox still"
message later | give
message dead reject | give
# a stranger's own
message forged | sed "/^From/s/^/$(grep -rh '^Pipemail-Destined.*refused' "$BOB/Maildir" | head -1)\\n/" | give
is "$(grep -rh -A 99 '^Received: from h.example' "$BOB/Maildir/.Introbox" | grep -c '^Pipemail-Destined')" 1 "a stranger writes such a field"
v=$(grep -rh '^Pipemail-Destined.*refused' "$BOB/Maildir" | head -1 | sed 's/.*aside=//')
message sly | sed "/^From/s/^/Pipemail-Destined: ${v%;*}; aside=$v\\n/" >"$BOB/Maildir/new/1.sly"
store-flag -a bob '+$NotJunk' "$(store-list -a bob | awk -F '\t' '$7 == "sly" { print $2 }')"
ok "the Introbox gets another name" store-mailbox -r -a bob Introbox Unknown
store-mailbox -c -a bob Third
lost
is "$(history later)" "msgfromdomain Introbox" "J-17 what lies aside does not count, after the index was lost"
is "$(grep -c '^Pipemail-Destined' "$BOB"/Maildir/*/*sly*):$(history sly)" "1:msgfromfull Inbox" "J-17 a stranger's own field moves nothing to another mailbox"
store-move -a bob -m Unknown INBOX '1:*' >/dev/null
is "$(flags later INBOX)" '$NotJunk' "J-17 and moved to where it was destined to, it is wanted"
is "$(history later)" "msgfromfull Inbox" "J-17 and counts"
is "$(flags forged INBOX)" '$NotJunk' "J-17 with its own field, not the stranger's"
is "$(flags dead Rejects)" '\Seen' "J-10 the copy of what was refused lies there"
store-move -a bob -m Rejects Third '1:*' >/dev/null
is "$(flags dead Third)" '$NotJunk' "J-10 moved out after the index was lost: not Seen"
is "$(history dead)" "msgfromfull Inbox" "J-10 it counts for the mailbox it was destined to"
lost
is "$(history dead):$(flags dead Third)" 'msgfromfull Inbox:$NotJunk' "J-10 lost once more: the same"
ok "verifydata finds nothing" content

# ---- killed at each point ----
# shellcheck disable=SC2016 # a flag's name
for box in Introbox Rejects; do
	store-expunge -f -a bob -m INBOX '1:*' >/dev/null 2>&1
	case $box in
	Introbox) message killed | give; want='$NotJunk' ;;
	Rejects) message dead reject | give; want= ;;
	esac
	name=$(list $box)
	content
	rm -rf kept; cp -a "$BOB" kept
	points store-move -a bob -m $box INBOX '1:*' >every
	some 3 <every >points
	bad= moved=0
	while read -r call k <&3; do
		rm -rf "$BOB"; cp -a kept "$BOB"; store-list -a bob >/dev/null 2>&1
		if at "$call" "$k" store-move -a bob -m $box INBOX '1:*'; then answered=; else answered=yes; fi
		content || bad="$bad verify:$call:$k:$(head -1 verify.out)"
		case "$(list $box)|$(list INBOX)" in
		"$name|") [ -z "$answered" ] || bad="$bad answered:$call:$k" ;;
		"|$name") moved=$((moved + 1))
			[ "$(store-list -a bob -m INBOX | cut -f 3)" = "$want" ] || bad="$bad flags:$call:$k:$(list INBOX 3)" ;;
		*) bad="$bad there:$call:$k:$(list $box)|$(list INBOX)" ;;
		esac
		# whatever was done: moved (again), it is as it is to be
		store-move -a bob -m $box INBOX '1:*' >/dev/null 2>&1
		[ "$(list INBOX)|$(list INBOX 3)" = "$name|$want " ] || bad="$bad after:$call:$k:$(list INBOX 3)"
	done 3<points
	is "$bad" "" "J-10 J-17 a move out of $box killed at $(wc -l <points) of $(wc -l <every) points: once, with its flags"
	ok "at some of them it was done" test $moved -gt 2
done
done_testing
