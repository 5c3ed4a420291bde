#!/bin/sh
# smtpc-postfix.t - lib/smtpc sends to Postfix: smtp-sink, and smtpd with AUTH
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
cd "$TOP" || exit 111
DRIVE=$(cd "${BUILD:-build}" 2>/dev/null && pwd)/tests/lib/smtpc_drive_test
cd "$TMP" || exit 111
[ -x "$DRIVE" ] || skip_all "smtpc_drive_test is not built"
need smtp-sink
i=0
while [ $i -lt 3000 ]; do echo ".line $i"; i=$((i + 1)); done | cat - >body
printf 'Subject: t\n\n' | cat - body >m

as=
[ "$(id -u)" = 0 ] && as='-u nobody'
# sink OPTIONS: smtp-sink on $sport, its messages in sink.d/out
sink() {
	sport=$(free_port)
	rm -rf sink.d
	mkdir -m 777 sink.d
	# shellcheck disable=SC2086 # -u and a name, or nothing
	bg smtp-sink $as "$@" -D sink.d/out "127.0.0.1:$sport" 10
	sink=$bg_pid
	wait_for 5 port_open "$sport"
}
send() { "$DRIVE" "$@" <m; }
stopped() { kill "$sink" 2>/dev/null; wait "$sink" 2>/dev/null; }
# the text of the message as it came: after the empty line of its header
text() { tr -d '\r' <sink.d/out | sed '1,/^Subject: t$/d' | sed 1d | sed '/^$/d'; }
taken='u ok 250
v ok 250
session ok at'

for o in "-v:with PIPELINING" "-p:without PIPELINING" "-e:HELO only" "-8:without 8BITMIME"; do
	# shellcheck disable=SC2086 # one option
	sink ${o%%:*}  >sink.log 2>&1
	is "$(send "$sport" a@x.example u@x.example v@x.example | cut -d' ' -f1-3)" "$taken" "Q-4 smtp-sink ${o#*:}"
	text >got
	ok "the message arrives as it is" cmp got body
	stopped
done
sink -L
is "$(send -l "$sport" a@x.example u@x.example v@x.example | cut -d' ' -f1-3)" "$taken" "LMTP to smtp-sink"
stopped
sink -f RCPT
is "$(send "$sport" a@x.example u@x.example | cut -d' ' -f1-6)" "u permanent 500 5.3.0 at RCPT
session ok at QUIT 0 " "RCPT refused for good"
stopped
sink -r DATA
like "$(send "$sport" a@x.example u@x.example)" '^u temporary 450 4.3.0 at DATA' "DATA put off"
stopped
sink -Q .
like "$(send "$sport" a@x.example u@x.example)" '^u temporary 421 .* at end ' "421 to the end mark"
stopped
sink -q .
like "$(send "$sport" a@x.example u@x.example)" '^u temporary 0 4.4.2 at end doubtful' "dropped at the end mark: may be sent twice"
stopped

[ "$(id -u)" = 0 ] || { skip "smtpd" "Postfix is started by root only"; done_testing; }
. "$TOP/tests/postfix.sh"
imap_setup '
[auth]
failures-per-minute = 1000 1000 1000'
echo "password of alice" | passwd-set -a alice || exit 111
bg unix-bind -m 666 -p postfix run/auth auth-serve 2>auth.log
wait_for 10 test -S run/auth
port=$(free_port)
postfix_new pf <<C
mydestination = postfix.test
local_transport = discard
local_recipient_maps = inline:{ u=x, v=x, w=x }
message_size_limit = 100000
smtpd_recipient_limit = 2
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $TMP/run/auth
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_client_restrictions =
C
postfix_listen pf 127.0.0.1 "$port"
postfix_start pf || { skip "smtpd" "Postfix does not start here"; done_testing; }
out=$(send "$port" a@x.example u@postfix.test nobody@postfix.test)
is "$(printf '%s\n' "$out" | cut -d' ' -f1-6)" "u ok 250 2.0.0 at end
nobody permanent 550 5.1.1 at RCPT
session ok at QUIT 0 " "Q-4 smtpd: each recipient has its result"
out=$(send "$port" a@x.example u@postfix.test v@postfix.test w@postfix.test)
is "$(printf '%s\n' "$out" | cut -d' ' -f1-7)" "u ok 250 2.0.0 at end 2.0.0
v ok 250 2.0.0 at end 2.0.0
w temporary 452 4.5.3 at RCPT again
u ok 250 2.0.0 at end 2.0.0
v ok 250 2.0.0 at end 2.0.0
w ok 250 2.0.0 at end 2.0.0
session ok at QUIT 0 " "Q-5 smtpd takes two at once: the third at once in a new transaction"
out=$(send -c "$port" a@x.example u@postfix.test)
like "$out" '^u ok 250 2.0.0 at end' "BDAT to smtpd"
cat body body body body >m
like "$(send "$port" a@x.example u@postfix.test)" '^u permanent 0 5.3.4 at check' "SIZE: refused before a word is said"
printf 'Subject: t\n\nx\n' >m
like "$(send "$port" a@x.example u@elsewhere.example)" '^u permanent 554 5.7.1 at RCPT' "no relaying without AUTH"
for mech in SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN; do
	out=$(send -u alice -w "password of alice" -m $mech "$port" alice@example.org u@postfix.test)
	like "$out" '^u ok 250' "Q-9 smtpd: $mech"
done
like "$(send -u alice -w wrong "$port" alice@example.org u@postfix.test)" '^session failed at AUTH 535' "a wrong password"
like "$(send -u alice -w 'password of alice' "$port" alice@example.org u@postfix.test)" '^u ok 250' "Q-9 the best mechanism that is offered"
like "$(tail -1 auth.log)" 'mech=SCRAM-SHA-512' "which is SCRAM-SHA-512"
done_testing
