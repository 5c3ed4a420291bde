#!/bin/sh
# reputation-show.t - J-2, A-11, R-29 by hand: which step, which messages, why
. "$(dirname "$0")/../tap.sh"

PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC
mkdir -p var/accounts/alice run etc/accounts etc/domains
printf '[server]\nhostname = mx.test\n' >etc/main.conf
ok "a configuration" config-compile

# from alignment address results subject, as the stages leave a message
m() {
	printf 'Authentication-Results: mx.test; %s; dmarc=none header.from=%s policy.dmarc=none policy.alignment=%s\n' "$4" "${1#*@}" "$2"
	printf 'Received: from h.test (unknown [%s])\n\tby mx.test with ESMTP id x; Sat, 21 Nov 2026 10:00:00 +0000\n' "$3"
	printf 'From: <%s>\nSubject: %s\n\nbody\n' "$1" "$5"
}
passed='spf=pass smtp.mailfrom=bounce@example.org; dkim=pass header.d=example.org'
show() { reputation-show -a alice "$@"; }
head1() { show "$@" | head -1 | cut -f 1-4 | tr '\t' ' '; }

is "$(head1 friend@example.org)" "none unknown inconclusive g" "J-2 g nothing is known"
m friend@example.org strict 192.0.2.1 "$passed" one | store-deliver -a alice
is "$(head1 friend@example.org)" "none unknown inconclusive g" "J-2 mail nobody judged says nothing"
store-flag -a alice +notjunk 1
show friend@example.org >out
is "$(head -1 out)" "msgfromfull	ham	conclusive	a	0 of 1 messages with this From address, validated as here, were junk" \
    "J-2 EXAMPLES, a the From address, and why"
like "$(sed -n 2p out)" "^INBOX	1	20[0-9-]+T[0-9:]+Z	ham	friend@example.org	one$" "J-2 which message"
is "$(head1 -u friend@example.org)" "msgfromfull junk inconclusive b" "J-2 EXAMPLES, b the same address without proof"
is "$(head1 Other@example.org)" "msgfromdomain ham conclusive d" "J-2 d its domain"
is "$(head1 x@news.example.org)" "msgfromorgdomain ham conclusive d" "J-2 d the organisation's"
is "$(head1 -d example.org x@example.com)" "dkimspf ham conclusive e" "A-11 e a domain that signed"
is "$(head1 -d example.net -d example.org x@example.com)" "dkimspf ham conclusive e" "A-11 e one of several"
is "$(head1 -f bounce@example.org x@example.com)" "dkimspf ham conclusive e" "J-2 e MAIL FROM"
is "$(head1 -f other@example.org x@example.com)" "dkimspf ham conclusive e" "J-2 e its domain"
is "$(head1 -i 192.0.2.1 x@example.com)" "ip1 ham inconclusive f" "J-2 f the address"
is "$(head1 -i 192.0.2.60 x@example.com)" "ip2 ham inconclusive f" "J-2 f its net"
is "$(head1 -i 192.0.7.1 x@example.com)" "ip3 ham inconclusive f" "J-2 f the wider net"
is "$(head1 -i 192.0.8.1 x@example.com)" "none unknown inconclusive g" "J-2 f not beyond it"
is "$(head1 -m Sent friend@example.org)" "none unknown inconclusive g" "J-2 of one mailbox"
is "$(head1 -m Nowhere friend@example.org)" "none unknown inconclusive g" "J-2 a mailbox that is not there yet"
printf 'To: friend@example.net\n\n' | store-deliver -a alice -m Sent
is "$(head1 friend@example.net)" "msgtofull ham conclusive c" "J-2 c it was written to"
like "$(show friend@example.net)" "	20[0-9-]+T[0-9:]+Z$" "and when"
is "$(head1 x@example.net)" "msgtodomain ham conclusive d" "J-2 d its domain was"

# moved to Junk: the newest is junk now, and counts for INBOX
m friend@example.org strict 192.0.2.1 "$passed" two | store-deliver -a alice
store-move -a alice Junk 2
is "$(show friend@example.org | cut -f 1-4 | tr '\t\n' ' ;' | sed 's/20[0-9T:-]*Z/T/g')" \
    "msgfromfull ham conclusive a;Junk 1 T junk;INBOX 1 T ham;" "J-2 moved mail counts where it came to, newest first"
m friend@example.org strict 192.0.2.1 "$passed" three | store-deliver -a alice
store-flag -a alice +junk 3
is "$(head1 friend@example.org)" "msgfromfull junk conclusive a" "J-2 a two junk in a row"
is "$(store-show -a alice 3 | reputation-show -a alice | head -1)" "$(show friend@example.org | head -1)" \
    "J-2 EXAMPLES, of a message, as it lies there"
m stranger@example.org none 192.0.2.1 "$passed" x | reputation-show -a alice >out
is "$(cut -f 1 out | head -1)" "msgfromdomain" "J-2 of a message on its way"
store-expunge -f -a alice 1 3
is "$(show friend@example.org | wc -l)" 2 "J-2 expunged mail does not count"

# ---- rates ----
reputation-show -r -i 192.0.2.1 -a alice friend@example.org >out
is $? 0 "R-29 EXAMPLES, exits 0 below all limits"
is "$(cut -f 1-3 out | tr '\t\n' ' ;')" "minute 192.0.2.1 1;minute 192.0.2.0 1;minute 192.0.0.0 1;day 192.0.2.1 1;day 192.0.2.0 1;day 192.0.0.0 1;" \
    "R-29 under three masks, expunged mail taken out"
is "$(m a@example.org none 192.0.2.60 spf=none x | reputation-show -r -a alice | cut -f 2,3 | head -3 | tr '\t\n' ' ;')" \
    "192.0.2.60 0;192.0.2.0 1;192.0.0.0 1;" "R-29 of a message"

# ---- the index is built anew from the messages ----
m friend@example.com relaxed 2001:db8::1 "$passed" four | store-deliver -a alice
store-flag -a alice +junk 4
before=$(show friend@example.com)
like "$before" "^msgfromfull	junk	conclusive	a" "J-2 one junk message"
rm -r var/accounts/alice/index
is "$(show friend@example.com)" "$before" "J-2 the same with a new index"
is "$(verifydata -a alice 2>&1; echo $?)" 0 "verifydata finds nothing wrong"

# ---- errors ----
exits 100 "no such account" reputation-show -a nobody a@example.org
exits 100 "no address" reputation-show -i 192.0.2.1 -a alice
exits 100 "not an address" reputation-show -a alice example.org
exits 100 "not an IP address" reputation-show -i 192.0.2 -a alice a@example.org
exits 100 "not a domain" reputation-show -d 'a b' -a alice a@example.org
exits 100 "two addresses" reputation-show -a alice a@example.org b@example.org
exits 100 "R-29 rates of no IP address" reputation-show -r -a alice a@example.org
printf 'From: a@example.org\n\n' >strange
exits 100 "a message this server did not receive" sh -c 'reputation-show -a alice <strange'
exits 100 "no account" reputation-show a@example.org
set --; i=0
while [ $i -lt 20 ]; do set -- "$@" -d "d$i.example"; i=$((i + 1)); done
exits 0 "A-11 20 domains" reputation-show "$@" -a alice a@example.org
exits 100 "A-11 and one more" reputation-show "$@" -d x.example -a alice a@example.org
ok "a full disk is told" sh -c 'reputation-show -a alice a@example.org >/dev/full; test $? = 111'
done_testing
