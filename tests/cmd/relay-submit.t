#!/bin/sh
# relay-submit.t - a machine without a server: sendmail, relay-submit and a
# smart host: smtp-in -s, scripted ones, Postfix
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/front.sh"
. "$TOP/tests/cmd/imap.sh"
need openssl
HOME=$TMP/home; export HOME
mkdir -p home relay/run relay/etc relay/var
main_conf
sed -i 's/^\[account\]/&\naddress = alice2@example.org/' etc/accounts/alice.conf
sed -i '/^\[server\]/a line-timeout = 20s' etc/main.conf
printf '\n[auth]\nfailures-per-minute = 1000 1000 1000\n' >>etc/main.conf
config-compile || exit 111
pw=secret-of-alice
echo $pw | passwd-set -a alice || exit 111
start_lmtp
start_queue_add
bg unix-bind -m 600 run/smtp-out smtp-out 2>>queue.log
bg unix-bind -m 600 run/queue queue-run 2>>queue.log
for s in smtp-out queue; do wait_for 5 test -S run/$s; done
# what the smart host took is delivered by its queue
newest() {
	wait_for 10 sh -c '[ "$(queue-list | wc -l)" = 0 ]'
	cat "var/accounts/$1/Maildir/new/$(ls "var/accounts/$1/Maildir/new" | sort -t= -k4n | tail -1)"
}
front_setup mx.example.org
tls-cert localhost; kill -HUP $tls_pid
listen sub smtp-in -s; sub=$port
listen subt smtp-in -s -t; subt=$port
echo $pw >password; chmod 600 password
me=$(id -un)

# conf LINES: relay.conf with what is common
conf() {
	printf '[relay]\nhost = localhost\nca-file = %s\nuser = alice\npassword-file = %s\nfrom = alice@example.org\nhostname = tiny.example\n' \
	    "$TMP/etc/tls/localhost.pem" "$TMP/password" >relay/etc/relay.conf
	printf '%s\n' "$@" >>relay/etc/relay.conf
}
relay() { env PIPEMAIL_ETC="$TMP/relay/etc" PIPEMAIL_VAR="$TMP/relay/var" PIPEMAIL_RUN="$TMP/relay/run" "$@"; }
relay_exits() { # CODE NAME: of relay-submit -c
	relay relay-submit -c >out 2>&1
	is "$?" "$1" "$2"
}
start_relay() {
	relay_pid=
	bg env PIPEMAIL_ETC="$TMP/relay/etc" PIPEMAIL_VAR="$TMP/relay/var" PIPEMAIL_RUN="$TMP/relay/run" unix-bind -m 666 -p '*' relay/run/relay-submit relay-submit 2>>relay.log
	relay_pid=$bg_pid
	wait_for 5 test -S relay/run/relay-submit
}
# a signal that comes before the service waits for it may be lost: say it again
stop_relay() {
	i=0
	while kill $relay_pid 2>/dev/null && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
	wait $relay_pid
	rm -f relay/run/relay-submit
}
# again EDIT LINES: another relay.conf, changed by a sed script
edited() { sed_script=$1; shift; conf "$@"; sed -i "$sed_script" relay/etc/relay.conf; stop_relay; start_relay; }
again() { edited '' "$@"; }

# relay.conf
conf "port = $subt"
relay_exits 0 "Q-28 relay.conf is right"
bad() { # LINE WHY
	conf "$1"
	relay relay-submit -c >bad.out 2>&1
	is "$? $(grep -c . bad.out)" "100 1" "refused: $1"
	like "$(cat bad.out)" "$2" "and told: $2"
}
bad 'port = 0' 'relay.conf:8: port is not what it is to be: a port, 1 to 65535'
bad 'port = 65536' 'a port, 1 to 65535'
bad 'tls = no' 'tls is not what .*: implicit or starttls'
bad 'allow-from = x' 'an address, or a domain as @example.org'
bad 'allow-from = @a..b' 'an address, or a domain'
bad 'local-user = root' 'a user of the system and an address'
bad 'local-user = no-such-user-here a@b.example' 'there is no such user'
bad 'mechanisms = FOO' 'names of SASL mechanisms'
bad 'resolver = here' 'an address, and a port after a colon'
bad 'host = other.example' 'relay.conf:8: host is there twice'
bad 'colour = red' 'unknown key colour'
bad 'client-key = key.pem' 'the full path of a file'
bad "client-key = $TMP/none" "cannot read $TMP/none: No such file"
bad "client-key = $TMP/password" 'cannot set up TLS'
bad 'local-recipient = root' 'local-recipient is not .*: an address'
conf; sed -i '/^host = /d' relay/etc/relay.conf
relay relay-submit -c 2>bad.out; like "$? $(cat bad.out)" '^100 .*host is missing' "host is needed"
conf; sed -i '/^from = /d' relay/etc/relay.conf
relay relay-submit -c 2>bad.out; like "$? $(cat bad.out)" '^100 .*from is missing' "from is needed"
conf; sed -i '/^user = /d' relay/etc/relay.conf
relay relay-submit -c 2>bad.out; like "$? $(cat bad.out)" '^100 .*user and password-file belong' "a password needs its user"
lines() { i=0; while [ $i -lt "$1" ]; do echo "allow-from = a$i@b.example"; i=$((i + 1)); done; }
conf "$(lines 1000)"; relay_exits 0 "1000 allow-from"
conf "$(lines 1001)"; relay_exits 100 "1001 are refused"
head -c 1023 /dev/zero | tr '\0' p >long; echo >>long
conf; sed -i "s,^password-file.*,password-file = $TMP/long," relay/etc/relay.conf
relay_exits 0 "a password file of 1024 bytes"
head -c 1024 /dev/zero | tr '\0' p >long; echo >>long
relay_exits 100 "one more is refused"

# TLS from the start
conf "port = $subt"
start_relay
printf 'To: bob@example.org\nSubject: one\n\ntext\n.\nmore\n' | relay sendmail -v -i -t 2>out
is "$?" 0 "Q-27 sendmail to the smart host over TLS"
like "$(cat out)" '^sendmail: info: sent: 250 2.0.0 ' "with the smart host's reply"
n=$(newest bob)
like "$n" '^From: .*alice@example.org' "Q-28 From is the configured address"
like "$n" '^Return-Path: <alice@example.org>' "and so is the envelope's"
like "$n" '^Message-ID: <.*@example.org>' "Message-ID is added"
like "$n" '^Date: ' "and Date"
is "$(printf '%s\n' "$n" | sed '1,/^$/d')" "text
.
more" "the text as it is"
like "$n" '\(TLSv1\.3 ' "over TLS"
like "$(tail -1 auth.log)" 'mech=SCRAM-SHA-512-PLUS' "Q-27 by the safest mechanism, bound to the connection"
printf 'From: Me Myself <x@elsewhere.example>\nTo: bob@example.org\nSubject: two\n\nt\n' | relay sendmail -t -f y@elsewhere.example
is "$?" 0 "another From"
like "$(newest bob)" '^From: Me Myself <alice@example.org>$' "Q-28 is rewritten, its name kept"
printf 'From: alice2@example.org\nTo: bob@example.org\n\nt\n' | relay sendmail -t
like "$(newest bob)" '^From: alice@example.org$' "what is not allowed, too"
again "port = $subt" 'allow-from = alice2@example.org'
printf 'From: alice2@example.org\nTo: bob@example.org\nSubject: three\n\nt\n' | relay sendmail -t -f alice2@example.org
like "$(newest bob)" '^From: alice2@example.org$' "Q-28 an allowed From stays"
like "$(newest bob)" '^Return-Path: <alice2@example.org>' "and an allowed sender"
again "port = $subt" 'allow-from = @example.org'
printf 'From: alice2@example.org\nTo: bob@example.org\nSubject: three\n\nt\n' | relay sendmail -t
like "$(newest bob)" '^From: alice2@example.org$' "all of a domain"
again "port = $subt" "local-user = $me alice2@example.org"
echo hello | relay sendmail bob@example.org
like "$(newest bob)" '^From: .*alice2@example.org' "Q-28 the address of the local user"
echo hello | relay sendmail "$me"
like "$(newest alice)" '^Delivered-To: alice2@example.org' "mail for a user of this machine goes to the user's address"
again "port = $subt" 'local-recipient = bob@example.org'
printf 'Subject: to-daemon\n\nt\n' | relay sendmail daemon
like "$(newest bob)" '^Subject: to-daemon' "or to local-recipient"
head -c 3000000 /dev/zero | tr '\0' x | fold -w 70 >big; echo >>big
{ printf 'To: bob@example.org\nSubject: big\n\n'; cat big; } | relay sendmail -t
is "$?" 0 "3 MB through a descriptor"
newest bob | sed '1,/^$/d' >got
ok "arrive as they are" cmp got big

# STARTTLS, mechanisms
again "port = $sub" 'tls = starttls' 'mechanisms = PLAIN'
echo hello | relay sendmail bob@example.org
is "$?" 0 "Q-27 STARTTLS, the configured mechanism"
like "$(tail -1 auth.log)" 'mech=PLAIN' "which is PLAIN"
# what may not pass: nothing is lost, the caller tries again
temp() { # NAME WHY
	printf 'To: bob@example.org\n\nt\n' | relay sendmail -t 2>out
	is "$?" 75 "$1: 75"
	like "$(cat out)" "$2" "and why"
}
newest bob >newest.before; before=$(messages bob)
echo wrong-password >password2
edited "s,^password-file.*,password-file = $TMP/password2," "port = $subt"
temp "Q-28 a wrong password" 'not sent: 451 4.* '
edited "s,^ca-file.*,ca-file = $TMP/etc/tls/mx.example.org.pem," "port = $subt"
temp "Q-27 a certificate that does not verify" 'TLS failed'
edited 's,^host = .*,host = 127.0.0.1,' "port = $subt"
temp "Q-27 a certificate for another name" 'TLS failed'
again "port = $(free_port)"
temp "Q-28 nobody there" 'not sent: 451 4.4.1 '
again "port = $sub"
temp "no TLS where it is to be" 'not sent: 451 4'
stop_relay
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("relay/run/relay-submit")'
temp "relay-submit is down" 'not sent: no answer from'
rm relay/run/relay-submit
temp "no service at all" 'neither queue-add nor relay-submit is in'
is "$(messages bob)" "$before" "nothing was sent by any of them"
ok "and nothing saved" test ! -e home/dead.letter

# refused for good
conf "port = $subt"; start_relay
printf 'To: nobody@example.org\nSubject: dead\n\nFrom here\n' | relay sendmail -t 2>out
is "$?" 67 "Q-28 a refused recipient: the smart host's answer"
like "$(cat out)" 'not sent: 550 5.1.1 no such user' "is told"
like "$(cat home/dead.letter)" '^>From here' "Q-28 and the message saved"
printf 'To: bob@example.org, nobody@example.org\nSubject: half\n\nt\n' | relay sendmail -t 2>out
is "$?" 67 "one of two recipients is refused"
like "$(cat out)" '<nobody@example.org>: no such user.* \(sent to 1 of 2 recipients\)' "which, and how many got it, is told"
like "$(newest bob)" '^Subject: half' "the other has it"
sed -i '/^\[server\]/a simulate = yes' etc/main.conf; config-compile
printf 'To: bob@example.org, rcpttotemperror@example.org\nSubject: later\n\nt\n' | relay sendmail -t 2>out
like "$(cat out)" 'not sent: 5[0-9]* 5.*temperror.*sent to 1 of 2 recipients' "Q-28 one of two is refused for now: said as if for good, so that nobody sends to both again"
like "$(newest bob)" '^Subject: later' "the other has it"
sed -i '/^simulate/d' etc/main.conf; config-compile
{ printf 'Subject: large\n\n'; head -c 106000000 /dev/zero | tr '\0' x | fold -w 900; } >large
relay sendmail bob@example.org <large 2>out
like "$(cat out)" 'not sent: 552 5.3.4 ' "Q-28 what is larger than servers take is refused here"
rm large
printf 'relay.conf is broken\n' >relay/etc/relay.conf; kill -HUP $relay_pid; sleep 0.5
echo hello | relay sendmail bob@example.org
is "$?" 0 "a relay.conf that is wrong does not stop the running service"
is "$(grep -c 'm=submitted' relay.log | tr -d ' ')" "$(grep -c 'm=submitted.* uid='"$(id -u)" relay.log)" "each message is logged with its user"
ok "no secret is logged" sh -c "! grep -q '$pw' relay.log"
done_testing
