#!/bin/sh
# two-hosts.t - two hosts in network namespaces, a wire between them, each
# with its own DNS view: mail, a bounce made here and one made there, a
# firewall rule and a wire that is cut, and what they held back
. "$(dirname "$0")/../tap.sh"
need ip nft python3 nc openssl smtp-out queue-run queue-add lmtp-in smtp-in unix-bind tcp-bind tls-serve
[ "$(id -u)" = 0 ] || skip_all "network namespaces are made by root only"
NS=pmtest$$
ip netns add ${NS}a 2>/dev/null || skip_all "network namespaces cannot be made here"
remove() {
	tap_cleanup
	ip netns del ${NS}a 2>/dev/null
	ip netns del ${NS}b 2>/dev/null
}
trap remove EXIT
ip netns add ${NS}b || exit 111
ip link add name v0 netns ${NS}a type veth peer name v0 netns ${NS}b ||
    skip_all "no veth links here"

# at HOST COMMAND...: instead of this shell, there, with its directories and
# its DNS
at() {
	on_h=$1; shift
	exec ip netns exec $NS$on_h env PIPEMAIL_ETC="$TMP/$on_h/etc" PIPEMAIL_VAR="$TMP/$on_h/var" \
	    PIPEMAIL_RUN="$TMP/$on_h/run" PIPEMAIL_DNS=127.0.0.1:5353 "$@"
}
on() { (at "$@"); }
A=203.0.113.1 B=203.0.113.2
for h in a:$A b:$B; do
	ip -n $NS${h%%:*} link set lo up && ip -n $NS${h%%:*} addr add ${h#*:}/24 dev v0 &&
	    ip -n $NS${h%%:*} link set v0 up || exit 111
done

# ---- views: each host sees the other's address, and its own inside ----
mkdir -p a/etc/domains a/etc/accounts a/var/spool a/run b/etc/domains b/etc/accounts b/var/spool b/run
view() { # HOST OTHER ADDRESS NUMBER
	cat >"$1/zone.json" <<Z
{ "$2.example": { "MX": ["10 mx.$2.example"], "TXT": ["v=spf1 mx -all"] },
  "mx.$2.example": { "A": ["$3"], "TXT": ["v=spf1 a -all"] },
  "$4.113.0.203.in-addr.arpa": { "PTR": ["mx.$2.example"] },
  "$1.example": { "MX": ["10 mx.$1.example"] }, "mx.$1.example": { "A": ["127.0.0.1"] } }
Z
}
view a b $B 2
view b a $A 1
host() { # HOST
	mkdir -p -m 700 "$1/var/queue"
	printf '[server]\nhostname = mx.%s.example\npostmaster = root\ndns-try-timeout = 1s\n[smtp-in]\n[lmtp-in]\nfirst-time-delay = 0\n' "$1" >"$1/etc/main.conf"
	echo '[domain]' >"$1/etc/domains/$1.example.conf"
	printf '[account]\naddress = root@%s.example\n' "$1" >"$1/etc/accounts/root.conf"
}
host a
host b
printf '[account]\naddress = alice@a.example\nkeep-retired = 1h\n' >a/etc/accounts/alice.conf
printf '[account]\naddress = bob@b.example\n' >b/etc/accounts/bob.conf
printf '[account]\naddress = small@b.example\nquota = 2K\n' >b/etc/accounts/small.conf
printf '[queue]\nprivate-addresses = yes\n' >>a/etc/main.conf
printf '[queue]\nprivate-addresses = yes\n' >>b/etc/main.conf
for h in a b; do
	bg at $h /usr/bin/python3 "$TOP/tests/dns-stub.py" -p 5353 -r $h/dns.port $h/zone.json >$h/dns.log 2>&1
	on $h config-compile || { echo "Bail out! the configuration is wrong"; exit 111; }
	on $h tls-cert mx.$h.example || { echo "Bail out! no certificate"; exit 111; }
	bg at $h unix-bind -m 600 $h/run/tls tls-serve -w 1 2>$h/tls.log
	bg at $h unix-bind -m 600 $h/run/lmtp lmtp-in 2>$h/lmtp.log
	bg at $h unix-bind -m 600 $h/run/mtasts mtasts-serve 2>$h/mtasts.log
	bg at $h unix-bind -m 600 $h/run/queue-add queue-add 2>$h/add.log
	bg at $h unix-bind -m 600 $h/run/smtp-out smtp-out 2>$h/out.log
	bg at $h unix-bind -m 600 $h/run/queue queue-run 2>$h/queue.log
	bg at $h tcp-bind 0.0.0.0 25 smtp-in 2>$h/smtp.log
done
for h in a b; do
	for s in tls lmtp mtasts queue-add smtp-out queue; do
		wait_for 10 test -S $h/run/$s || { echo "Bail out! no $s"; exit 111; }
	done
	wait_for 10 test -s $h/dns.port
	wait_for 10 on $h nc -z 127.0.0.1 25 || { echo "Bail out! no smtp-in"; exit 111; }
done

# add SUBJECT RECIPIENT...: from alice@a.example; its id
add() {
	s=$1; shift
	{ printf 'From: alice@a.example\nSubject: %s\n\n' "$s"; cat; } |
	    on a queue-add -a alice -f alice@a.example "$@" 2>>a/added.log
}
# comes HOST ACCOUNT ERE [SECONDS]: a message with such a line is in the inbox
has() { grep -rlE "$3" $1/var/accounts/$2/Maildir --include='*,*' 2>/dev/null | head -1; }
there() { [ -n "$(has "$@")" ]; }
comes() { wait_for 60 there "$@"; }
# empty HOST: nothing is queued there (any more)
queued() { on "$1" queue-list 2>/dev/null | wc -l | tr -d ' '; }
empty() { wait_for 60 sh -c "! ip netns exec $NS$1 env PIPEMAIL_VAR=$TMP/$1/var PIPEMAIL_RUN=$TMP/$1/run queue-list"; }
tried() { [ "$(on a queue-list "$1" | cut -f 5)" -ge "${2:-1}" ] && [ "$(on a queue-list "$1" | cut -f 11)" != - ]; }

# ---- there ----
id=$(echo hello | add first bob@b.example)
ok "Q-10 A sends to the MX that its DNS names; B has it" comes b bob '^Subject: first'
m=$(cat "$(has b bob '^Subject: first')")
like "$m" '^	spf=pass ' "B's DNS says that A may send"
like "$m" "^Received: from mx.a.example \(mx.a.example \[$A\]\)" "B sees A's address and name"
like "$m" 'with ESMTPS$' "T-1 R-3 by STARTTLS"
ok "A's queue is empty" empty a
is "$(on a env PIPEMAIL_DNS=127.0.0.1:5353 dns-query A mx.b.example | cut -f3)$(on b dns-query A mx.b.example | cut -f3)" "${B}127.0.0.1" "the views differ"

# ---- and back ----
echo x | add refused nobody@b.example >/dev/null
ok "Q-13 B refuses an unknown recipient: A's DSN is in the mailbox" comes a alice '^Final-Recipient:.*nobody@b.example'
like "$(cat "$(has a alice '^Final-Recipient:.*nobody@b.example')")" '^Reporting-MTA: dns; *mx.a.example' "Q-13 by A"
echo x | add mixed bob@b.example noone@b.example >/dev/null
ok "R-18 B takes it for one of two: a DSN about the unknown one" comes a alice '^Final-Recipient:.*noone@b.example'
like "$(cat "$(has a alice '^Final-Recipient:.*noone@b.example')")" '^Reporting-MTA: dns; *mx.b.example' "R-18 by B"
ok "Q-5 the other recipient has it" comes b bob '^Subject: mixed'
{ head -c 3000 /dev/zero | tr '\0' x | fold -w 70; echo; } | add large bob@b.example small@b.example >/dev/null
ok "R-33 B takes it, and cannot deliver to one: its DSN comes back to A's mailbox" comes a alice '^Final-Recipient:.*small@b.example'
m=$(cat "$(has a alice '^Final-Recipient:.*small@b.example')")
like "$m" '^Reporting-MTA: dns; *mx.b.example' "R-33 by B"
like "$m" '^Return-Path: <>' "from the null sender"
like "$m" "^Received: from mx.b.example \(mx.b.example \[$B\]\)" "over the wire"
like "$(cat a/smtp.log)" '.' "A's smtp-in took it"
ok "the other recipient has it" comes b bob '^Subject: large'
ok "B's queue is empty" empty b

# ---- a rule, lifted ----
if on b nft 'add table ip pm; add chain ip pm in { type filter hook input priority 0; }; add rule ip pm in tcp dport 25 reject with tcp reset' 2>nft.err; then
	lift() { on b nft delete table ip pm; }
else
	sed 's/^/# /' nft.err
	ip -n ${NS}a route add prohibit $B/32
	lift() { ip -n ${NS}a route del prohibit $B/32; }
fi
id=$(echo x | add held1 bob@b.example)
ok "a rule forbids the way to B: an attempt fails" wait_for 90 tried "$id"
is "$(on a queue-list "$id" | cut -f2,5)" "waiting	1" "Q-21 the message waits after one attempt"
like "$(on a queue-list "$id" | cut -f11)" '^4\.' "for a failure that may pass"
id2=$(echo x | add held2 bob@b.example)
ok "a second message has its attempt recorded too" wait_for 90 tried "$id2"
is "$(queued a)" 2 "and waits"
ok "nothing has come to B" sh -c "! grep -rq 'Subject: held' b/var/accounts/bob/Maildir"
lift
ok "Q-19 the rule is lifted: queue-schedule -w now" on a queue-schedule -w now -t '*@b.example'
ok "B-33 B is dialled at once: the first is there" comes b bob '^Subject: held1'
ok "B-33 and the second" comes b bob '^Subject: held2'
ok "A's queue is empty" empty a
is "$(grep -rl 'Subject: held' b/var/accounts/bob/Maildir | wc -l | tr -d ' ')" 2 "each came once"
is "$(on a queue-retired list "$id" | cut -f2,5)" "relayed	2" "Q-22 by the second attempt"

# ---- the wire is cut ----
ip -n ${NS}b link set v0 down
id=$(echo x | add cut bob@b.example)
ok "the wire is cut: an attempt fails" wait_for 120 tried "$id"
like "$(on a queue-list "$id" | cut -f2,11)" '^waiting	4\.' "and the message waits"
ip -n ${NS}b link set v0 up
wait_for 60 on a nc -z -w 2 $B 25	# the link and who has the address take a moment
ok "Q-19 it is mended: queue-schedule -w now, once" on a queue-schedule -w now "$id"
ok "B-33 B is dialled at once" comes b bob '^Subject: cut'
ok "A's queue is empty" empty a
is "$(on a queue-retired list "$id" | cut -f2,5)" "relayed	2" "Q-22 by the second attempt"
done_testing
