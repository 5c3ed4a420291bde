#!/bin/sh
# bad-servers.t - queue-add, queue-run and smtp-out, and servers and DNS that
# do what they should not: what the sender sees, when, and that nothing is lost
. "$(dirname "$0")/../tap.sh"
need python3 openssl smtp-out queue-run queue-add lmtp-in unix-bind mtasts-serve
. "$TOP/tests/queue.sh"
. "$TOP/tests/dns-fixture"
. "$TOP/tests/pki.sh"
tab=$(printf '\t')
port=$(free_port)
pki_ca root
pki_cert good root 10 DNS:mx.example
pki_cert wrong root 10 DNS:elsewhere.example
PIPEMAIL_CA_FILE=$TMP/root.pem; export PIPEMAIL_CA_FILE
tlsa="3 1 1 $(openssl x509 -in good.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1)"

# ---- the table: a server of its own for each row, at an address of its own ----
# row NAME OUTCOME STATUS TEXT [BEHAVIOUR...]: mail for NAME.test; what is
# recorded of the first attempt, TEXT being an ERE
n=0
: >rows; : >servers; : >zone
row() {
	n=$((n + 1))
	printf '%s~%s~%s~%s~127.0.1.%s\n' "$1" "$2" "$3" "$4" $n >>rows
	case $1 in
	dane*) row_ad='"options":["ad"],' row_tlsa=",\"_$port._tcp.mx.$1.test\":{\"TLSA\":[\"$tlsa\"],\"options\":[\"ad\"]}" ;;
	*) row_ad= row_tlsa= ;;
	esac
	printf '"%s.test":{%s"MX":["10 mx.%s.test"]},"mx.%s.test":{%s"A":["127.0.1.%s"]}%s,\n' \
	    $1 "$row_ad" $1 $1 "$row_ad" $n "$row_tlsa" >>zone
	shift 4
	printf '127.0.1.%s' $n >>servers
	for row_b; do printf '\t%s' "$row_b" >>servers; done
	echo >>servers
}
# once: the first connection only; what waits is taken at the second attempt
once() { row "$@" only=1; }
closed='the server closed the connection|the connection broke'
# closing, at every step
once c-greeting delayed 4.4.2 "$closed" greeting=CLOSE
once c-ehlo delayed 4.4.2 "$closed" ehlo=CLOSE
once c-mail delayed 4.4.2 "$closed" mail=CLOSE
once c-rcpt delayed 4.4.2 "$closed" rcpt=CLOSE
once c-data delayed 4.4.2 "$closed" data=CLOSE
once c-text delayed 4.4.2 "$closed" text=CLOSE
once c-end unknown 4.4.2 'closed the connection; the whole message was sent, it may arrive twice' end=CLOSE
row c-quit relayed 2.0.0 taken quit=CLOSE
# slow, silent, endless
once s-drip delayed 4.4.2 'time-out' mail=DRIP
once s-silent delayed 4.4.2 'time-out' greeting=HANG
once s-end unknown 4.4.2 'time-out; the whole message was sent, it may arrive twice' end=HANG
row s-bytes relayed 2.0.0 'at last' 'greeting=SLOW:220 slow' 'mail=SLOW:250 2.1.0 slow' 'end=SLOW:250 2.0.0 at last'
once e-lines delayed 4.5.0 'too many lines in a reply|reply too long' ehlo=FLOOD
once e-line delayed 4.5.0 'reply line too long' mail=LONG
row e-quit relayed 2.0.0 taken quit=FLOOD
# malformed
once m-word delayed 4.5.0 'reply line without a code' 'mail=RAW:hello\r\n'
once m-codes delayed 4.5.0 'different codes in one reply' 'mail=RAW:250-a\r\n550 b\r\n'
once m-blank delayed 4.5.0 'no blank after a reply code' 'mail=RAW:250x\r\n'
once m-nul delayed 4.5.0 'NUL in a reply' 'mail=RAW:250 a\x00b\r\n'
once m-lf delayed 4.5.0 'bare LF in a reply' 'mail=RAW:250 ok\n'
once m-ahead delayed 4.5.0 'a reply to nothing' 'greeting=RAW:220 a\r\n250 b\r\n'
once m-greeting delayed 4.5.0 'greeting is neither 220 nor a refusal' 'greeting=250 hello'
once m-data delayed 4.5.0 'wrong code in the reply to DATA' 'data=250 go on'
once m-end unknown 4.5.0 'wrong code after the end mark; the whole message was sent, it may arrive twice' 'end=354 more'
# not now, and then not ever
once t-greeting delayed 4.3.2 busy 'greeting=421 4.3.2 busy'
once t-ehlo delayed 4.0.0 'not you' 'ehlo=450 not you'
once t-mail delayed 4.3.1 'disk full' 'mail=452 4.3.1 disk full'
once t-rcpt delayed 4.2.0 grey 'rcpt=450 4.2.0 grey'
once t-data delayed 4.3.0 later 'data=451 4.3.0 later'
once t-end delayed 4.3.0 later 'end=451 4.3.0 later'
row t-never delayed 4.3.0 'perhaps' 'end=451 4.3.0 perhaps||550 5.1.1 never'
row p-greeting failed 5.3.2 'no mail' 'greeting=554 5.3.2 no mail here'
row p-mail failed 5.7.1 'not from you' 'mail=550 5.7.1 not from you'
row p-data failed 5.5.1 'no' 'data=554 5.5.1 no'
row p-end failed 5.7.1 'spam' 'end=550 5.7.1 this is spam'
row five relayed 2.0.0 taken 'rcpt3=550 5.1.1 nobody'
row five-later relayed 2.0.0 taken 'rcpt3=450 4.2.1 grey||250 2.1.5 ok'
# TLS
row x-fail relayed 2.0.0 taken cert=good.all.pem tls=FAIL
row x-wrong relayed 2.0.0 taken cert=wrong.all.pem
row x-offer failed 5.3.4 'larger than the server takes' cert=good.all.pem offer2=SIZE_5
once x-inject delayed 4.5.0 'bytes after the reply to STARTTLS' cert=good.all.pem 'starttls=RAW:220 go\r\n250 injected\r\n'
once dane-fail delayed 4.7.5 'TLS failed' cert=good.all.pem tls=FAIL
row dane-wrong delayed 4.7.5 'TLS failed' cert=wrong.all.pem
row dane-clear delayed 4.7.4 'the server does not offer STARTTLS'

# ---- DNS that does what it should not ----
server=$n
alias_chain() {	# NAME N
	i=0; printf '"%s.test":{"CNAME":["0.%s.test"]},' $1 $1
	while [ $i -lt $(($2 - 1)) ]; do printf '"%s.%s.test":{"CNAME":["%s.%s.test"]},' $i $1 $((i + 1)) $1; i=$((i + 1)); done
	printf '"%s.%s.test":{"MX":["10 mx.c-quit.test"]},\n' $i $1
}
hundred=$(i=0; while [ $i -lt 100 ]; do printf '"%s h%s.test",' $((i + 10)) $i; i=$((i + 1)); done)
{
	echo '{'; cat zone
	alias_chain a16 16
	alias_chain a17 17
	cat <<-Z
	"fails.test":{"MX":"SERVFAIL"}, "circle.test":{"CNAME":["ring.test"]}, "ring.test":{"CNAME":["circle.test"]},
	"null.test":{"MX":["0 ."]}, "names.test":{"MX":["10 127.0.0.1","20 -x.test"]},
	"best.test":{"MX":[$hundred"5 mx.c-quit.test"]}, "many.test":{"MX":[$hundred"500 mx.c-quit.test"]},
	"six.test":{"MX":["10 mx.six.test"]}, "mx.six.test":{"AAAA":["::1"]},
	"nobody.test":{"A":["127.0.2.1"]} }
	Z
} >zone.json
six=
if grep -q . /proc/net/if_inet6 2>/dev/null; then
	six=six
	printf '::1\n' >>servers
fi

bg $PYTHON "$TOP/tests/cmd/smtp-out-server.py" -p server.port -P "$port" -l server.log -m servers
wait_for 20 test -s server.port || { echo "Bail out! no servers"; exit 111; }
dns_stub_start zone.json
limits='connections = 100
delay-notice-after = 1m
reply-timeout = 6s
session-timeout = 12s'
conf 'private-addresses = yes' "$limits"
sed -i 's/^size-limit = 1M/size-limit = 20M/' etc/main.conf; config-compile
bg unix-bind -m 0600 run/lmtp lmtp-in 2>lmtp.log
bg unix-bind -m 0600 run/mtasts mtasts-serve 2>mtasts.log
bg unix-bind -m 0600 run/smtp-out smtp-out -p "$port" 2>out.log
has_clock=
if clock_build; then
	has_clock=yes
	run_with="env LD_PRELOAD=$TMP/clock.so"
fi
run_start
for s in lmtp mtasts smtp-out queue; do wait_for 10 test -S run/$s; done

# ids.NAME has the id
id() { cat "ids.$1"; }
for name in $(cut -d'~' -f1 rows) a16 a17 fails circle null names best many nobody none $six; do
	case $name in
	five*) add $name a@$name.test b@$name.test c@$name.test d@$name.test e@$name.test >ids.$name ;;
	c-text) { text c-text; head -c 8000000 /dev/zero | tr '\0' x | fold -w 70; echo; } |
	    queue-add -a alice -f alice@own.example u@c-text.test >ids.c-text ;;
	*) add $name "u@$name.test" >ids.$name ;;
	esac
done

# ---- the first attempt ----
# record NAME [N]: outcome, status and text of the first result, or the Nth,
# of its first recipient
record() {
	{ queue-show "$(id $1).1" 2>/dev/null || queue-retired show "$(id $1).1"; } |
	    awk -F'\t' -v n="${2:-1}" '/^record\t/ { i += $2 == "attempt"; on = $2 == "attempt" }
		on && i == n && /^(outcome|status|text)\t/ { v[$1] = $2 } END { print v["outcome"] "|" v["status"] "|" v["text"] }'
}
has_record() { [ "$(record "$@")" != '||' ]; }
first() {
	like "$(record "$1")" "^$2\\|$3\\|($4|.*($4))" "$5"
}
dns_rows='a16~relayed~2.0.0~taken~Q-10 DNS: 16 aliases
a17~delayed~4.4.3~too long~Q-10 DNS: 17 aliases
fails~delayed~4.4.3~server failure~Q-10 DNS: servfail
circle~delayed~4.4.3~circular~Q-10 DNS: aliases in a circle
null~failed~5.1.10~null MX~Q-10 DNS: null MX
names~failed~5.4.4~names a host~Q-10 DNS: MX names that are no hosts
none~failed~5.1.2~does not exist~Q-10 DNS: no such domain
best~relayed~2.0.0~taken~Q-10 DNS: 101 MX, the best one takes it
many~delayed~4.4.4~h9.test: it has no address~Q-10 DNS: 101 MX, the first ten are not there
nobody~delayed~4.4.1~Connection refused~nobody listens'
[ -z "$six" ] || dns_rows="$dns_rows
six~relayed~2.0.0~taken~Q-10 DNS: a host with IPv6 alone"
all_have() { for h in $(cut -d'~' -f1 rows) $(echo "$dns_rows" | cut -d'~' -f1); do has_record $h || return 1; done; }
ok "every message has a first result, within the time-outs" wait_for 60 all_have
while IFS='~' read -r name outcome status text address; do
	first $name $outcome $status "$text" "Q-21 $name: $outcome $status"
done <rows
# in this shell, not in that of a pipe
echo "$dns_rows" >dns.rows
while IFS='~' read -r name outcome status text what; do
	first $name $outcome $status "$text" "$what"
done <dns.rows
# within NAME MIN MAX: how long the first attempt took, in ms
within() { took=$(queue-show "$(id $1).1" | sed -n "s/^duration-ms$tab//p" | head -1); echo "$took"; [ "$took" -ge "$2" ] && [ "$took" -lt "$3" ]; }
ok "who says nothing is given up after reply-timeout" within s-silent 5900 11900
ok "who says something without end after session-timeout" within s-drip 11900 40000
address() { grep "^$1~" rows | cut -d'~' -f5; }
messages() { grep -c "^$(address $1)${tab}message [1-9]" server.log; }
said() { grep "^$(address $1)$tab" server.log | cut -f 2; }
is "$(queue-list "$(id five)" | wc -l; queue-retired list "$(id five)" | cut -f 2,11 | tr '\t\n' '  ')" "0
relayed 2.0.0 relayed 2.0.0 failed 5.1.1 relayed 2.0.0 relayed 2.0.0 " "Q-5 recipient 3 of 5 refused: the others have it"
is "$(queue-list "$(id five-later)" | cut -f 9,11)" "c@five-later.test${tab}4.2.1" "Q-5 recipient 3 of 5 not now: it alone waits"
is "$(messages five) $(messages five-later)" "1 1" "Q-5 in one transaction each"
is "$(said x-fail | grep -c '^connect') $(said x-fail | grep -c '^tls') $(messages x-fail)" "2 0 1" "T-1 STARTTLS fails: again, in clear"
is "$(said x-wrong | grep -c '^connect') $(said x-wrong | grep -c '^tls') $(messages x-wrong)" "1 1 1" "T-1 a wrong certificate, which nothing forbids"
is "$(said x-offer | grep -c '^> MAIL')" 0 "T-1 what is offered after TLS counts: nothing is sent"
is "$(said x-inject | grep -Ec '^> (EHLO|STARTTLS)') $(said x-inject | grep -c '^> MAIL')" "2 0" "T-1 text before TLS: nothing is said after it"
is "$(said dane-fail | grep -c '^connect') $(messages dane-fail)$(messages dane-wrong)$(messages dane-clear)" "1 000" "T-2 DANE: nothing goes in clear or to another"

# ---- what the sender sees ----
# dsn ADDRESS ACTION: the text of it
dsn() {
	grep -rl "^Final-Recipient: rfc822; $1" var/accounts/alice/Maildir --include='*,*' 2>/dev/null |
	    while read -r dsn_f; do grep -q "^Action: $2" "$dsn_f" && cat "$dsn_f"; done
}
there() { [ -n "$(dsn "$@")" ]; }
for row in 'p-greeting|5.3.2|554 5.3.2 no mail here' 'p-mail|5.7.1|550 5.7.1 not from you' \
    'p-data|5.5.1|554 5.5.1 no' 'p-end|5.7.1|550 5.7.1 this is spam' \
    'x-offer|5.3.4|' 'null|5.1.10|' 'names|5.4.4|' 'none|5.1.2|'; do
	name=${row%%|*} row=${row#*|}
	ok "Q-13 $name: the sender has a notice of it" wait_for 20 there "u@$name.test" failed
	like "$(dsn "u@$name.test" failed)" "^Status: ${row%%|*}\$" "Q-13 $name: status ${row%%|*}"
	[ -z "${row#*|}" ] || is "$(dsn "u@$name.test" failed | sed -n 's/^Diagnostic-Code: //p')" "smtp; ${row#*|}" "Q-13 $name: the server's words, once"
done
ok "Q-13 recipient 3 of 5: a notice" wait_for 20 there c@five.test failed
is "$(dsn c@five.test failed | grep -c '^Final-Recipient:')" 1 "Q-13 of that one only"
is "$(grep -rl '^Action: delayed' var/accounts/alice/Maildir | wc -l)" 0 "nothing is said of what waits, yet"

# ---- the second attempt, by the clock ----
if [ -z "$has_clock" ]; then
	skip "the second attempt" "no compiler for the clock, or sanitizers"
	done_testing
fi
clock_set 480
$PYTHON -c 'import socket
s = socket.socket(socket.AF_UNIX); s.connect("run/queue"); s.sendall(b"wake\n"); s.close()'
twice() { has_record "$1" 2; }
all_twice() { for h in $again $stay t-never five-later; do [ $h = five-later ] || twice $h || return 1; done; }
again=$(awk -F'\t' '/only=1/ { print $1 }' servers | while read -r a; do grep "~$a\$" rows | cut -d'~' -f1; done)
stay='dane-wrong dane-clear a17 fails circle many nobody'
ok "Q-2 after 7.5 minutes all that waits is tried again" wait_for 90 all_twice
lost=
for name in $again; do
	case $(record $name 2) in relayed*) ;; *) lost="$lost $name" ;; esac
done
is "$lost" "" "nothing is lost: every server that is mended has its message"
for name in $again; do
	case $name in
	c-end|s-end|m-end|t-end) want=2 ;;
	*) want=1 ;;
	esac
	is "$(messages $name)" $want "$name: the text was given over $want times"
done
is "$(queue-retired list "$(id c-end)" | cut -f 2,5)" "relayed${tab}2" "Q-21 what is known of both attempts is kept"
is "$(queue-list "$(id five-later)"; messages five-later)" 2 "Q-5 recipient 3 of 5 has it too"
like "$(said five-later | grep RCPT | tail -1)" 'c@five-later' "Q-5 and he alone, the second time"
ok "Q-13 4xx, then 5xx: a notice of the latter" wait_for 20 there u@t-never.test failed
is "$(dsn u@t-never.test failed | sed -n 's/^Diagnostic-Code: //p')" "smtp; 550 5.1.1 never" "Q-13 with its words"
is "$(record t-never) $(record t-never 2)" "delayed|4.3.0|4.3.0 perhaps failed|5.1.1|5.1.1 never" "Q-21 and both are recorded"
for name in $stay; do
	ok "Q-13 $name: the sender hears of the delay" wait_for 20 there "u@$name.test" delayed
	like "$(dsn "u@$name.test" delayed)" '^Will-Retry-Until: ' "Q-13 $name: and until when it is tried"
done
is "$(queue-list | cut -f 2 | uniq -c | tr -s ' ')" " 7 waiting" "and they wait, nothing else"

# ---- private addresses, after a new configuration ----
before=$(said c-quit | grep -c '^connect')
conf 'private-addresses = no' "$limits"
add private v@c-quit.test >ids.private
ok "the message is tried" wait_for 20 has_record private
like "$(record private)" '^delayed\|4.4.4\|mx.c-quit.test: its addresses are in private networks' "Q-10 DNS: an address in a private network"
is "$(said c-quit | grep -c '^connect')" "$before" "Q-10 is not dialled"
done_testing
