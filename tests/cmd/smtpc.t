#!/bin/sh
# smtpc.t - lib/smtpc over TCP: our own servers, and servers that misbehave
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
cd "$TOP" || exit 111
DRIVE=$(cd "${BUILD:-build}" 2>/dev/null && pwd)/tests/lib/smtpc_drive_test
cd "$TMP" || exit 111
[ -x "$DRIVE" ] || skip_all "smtpc_drive_test is not built"
main_conf
printf 'From: a@nospf.example\nSubject: t\n\n.dot\ntext\n' >m
start_lmtp
start_smtp

# our own servers
out=$("$DRIVE" "$port" a@nospf.example alice@example.org nobody@elsewhere.example bob@example.org <m)
is "$(printf '%s\n' "$out" | cut -d' ' -f1-6)" "alice ok 250 2.0.0 at end
nobody permanent 550 5.7.1 at RCPT
bob ok 250 2.0.0 at end
session ok at QUIT 0 " "Q-4 smtp-in: three recipients in one transaction, each with its result"
is "$(newest alice | sed -n '/^$/,$p')" "
.dot
text" "the message arrives as it is"
out=$("$DRIVE" -n 3 "$port" a@nospf.example alice@example.org <m)
is "$(printf '%s\n' "$out" | cut -d' ' -f1-3 | uniq -c | tr -s ' ')" " 3 alice ok 250
 1 session ok at" "several mails over one connection"
is "$(messages alice)" 4 "each was delivered"
out=$("$DRIVE" -l run/lmtp a@nospf.example alice@example.org small@example.org nobody@example.org <m)
is "$(printf '%s\n' "$out" | cut -d' ' -f1-3)" "alice ok 250
small ok 250
nobody permanent 550
session ok at" "LMTP to lmtp-in: a result for each"
head -c 3000 /dev/zero | tr '\0' x | fold -w 70 | cat m - >big
out=$("$DRIVE" -l run/lmtp a@nospf.example alice@example.org small@example.org <big)
is "$(printf '%s\n' "$out" | cut -d' ' -f1-6)" "alice ok 250 2.0.0 at end
small temporary 452 4.2.2 at end
session ok at QUIT 0 " "LMTP: one over quota, the other not"

# scripted: HELLO is what each begins with
HELLO='S 220 hi
W EHLO client.example
S 250-mx
S 250 PIPELINING
W MAIL FROM:<a@x>
W RCPT TO:<u@x>
W RCPT TO:<v@x>
W DATA'
scripted() {
	printf '%s\n' "$1" >script
	sport=$(free_port)
	bg /usr/bin/python3 "$TOP/tests/cmd/smtpc-server.py" "$sport" script >server.out 2>&1
	server=$bg_pid
	wait_listen() { grep -q "$(printf ':%04X ' "$sport")0*:0000 0A" /proc/net/tcp; }
	wait_for 10 wait_listen
	out=$("$DRIVE" "$sport" a@x u@x v@x <"${2:-m}")
	wait "$server"
	said=$(cat server.out)
}
scripted "$HELLO
S 250 ok
S 250 ok
S 452 4.5.3 too many
S 354 go
T
S 250 2.0.0 ok
W MAIL FROM:<a@x>
W RCPT TO:<v@x>
W DATA
S 250 ok
S 250 ok
S 354 go
T
S 250 2.0.0 ok
W QUIT
S 221 bye"
is "$(printf '%s\n' "$out" | cut -d' ' -f1-7)" "u ok 250 2.0.0 at end 2.0.0
v temporary 452 4.5.3 at RCPT again
u ok 250 2.0.0 at end 2.0.0
v ok 250 2.0.0 at end 2.0.0
session ok at QUIT 0 " "Q-5 452 on a later recipient: again at once on the same connection"
is "$said" "size 50
size 50" "the server saw two transactions and nothing else"
scripted "$HELLO
S 250 ok
S 550 no
S 550 no
S 354 go
T
S 250 ok
W QUIT
S 221 bye"
is "$said" "size 0" "Q-4 all refused and 354: not a byte of the message"
scripted "$HELLO
S 250 ok
S 250 ok
S 550 no
S 354 go
T
C"
is "$(printf '%s\n' "$out" | cut -d' ' -f1-8)" "u temporary 0 4.4.2 at end doubtful closed
v permanent 550 - at RCPT no
session failed at end 0 closed" "dropped before the reply to the end mark: may be sent twice, and says so"
scripted "$(printf '%s\n' "$HELLO
S 250-ok, this
S 250 takes time
S 250 ok
S 250 ok
S 354 go
T
S 250 ok
W QUIT
S 221 bye" | sed 's/^S/B/')"
is "$(printf '%s\n' "$out" | cut -d' ' -f1-3)" "u ok 250
v ok 250
session ok at" "a server that answers byte by byte"
head -c 8000000 /dev/zero | tr '\0' x | fold -w 70 | cat m - >huge
scripted "$HELLO
S 250 ok
S 250 ok
S 250 ok
S 354 go
P 100000
S 552 5.3.4 too big
C" huge
is "$(printf '%s\n' "$out" | cut -d' ' -f1-6)" "u permanent 552 5.3.4 at text
v permanent 552 5.3.4 at text
session failed at text 552 5.3.4" "a refusal in the middle of the text is what counts, not the broken connection"
is "$said" "" "no end mark was seen"
scripted "S 220 hi
W EHLO client.example
S 250-mx
S 550 PIPELINING
C"
like "$out" '^session failed at EHLO 0 different codes in one reply' "different codes in one reply"
scripted "S SSH-2.0-OpenSSH_9.2
C"
like "$out" '^session failed at greeting 0 reply line without a code' "no SMTP at all"

# without TLS, for AUTH
main_conf '' '' '
[submission]
no-require-starttls = yes'
echo "secret of alice" | passwd-set -a alice || exit 111
bg unix-bind "$TMP/run/auth" auth-serve 2>auth.log
wait_for 10 test -S run/auth
aport=$(free_port)
start_queue_add
bg tcp-bind 127.0.0.1 "$aport" smtp-in -s 2>sub.log
wait_for 10 port_open "$aport"
sed "s/a@nospf.example/alice@example.org/" m >mine
for mech in SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN; do
	out=$("$DRIVE" -u alice -w "secret of alice" -m $mech "$aport" alice@example.org bob@example.org <mine)
	like "$out" '^bob ok 250' "Q-9 smtp-in -s: $mech"
done
like "$(cat auth.log)" 'mech=SCRAM-SHA-1 ' "auth-serve saw them"
out=$("$DRIVE" -u alice -w "wrong" "$aport" alice@example.org bob@example.org <mine)
like "$out" '^session failed at AUTH 535' "a wrong password"
done_testing
