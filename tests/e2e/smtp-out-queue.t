#!/bin/sh
# smtp-out-queue.t - queue-add, queue-run and smtp-out together: to a smart
# host, to the hosts of a domain, and to local mailboxes
. "$(dirname "$0")/../tap.sh"
need python3 smtp-out queue-run queue-add lmtp-in unix-bind
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/dns-fixture"
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
mkdir -p run var
SERVER=$TOP/tests/cmd/smtp-out-server.py
bg /usr/bin/python3 "$SERVER" -p sink.port -l sink.log
wait_for 10 test -s sink.port || { echo "Bail out! no SMTP server"; exit 111; }
port=$(cat sink.port)
cat >zone.json <<'Z'
{ "far.example": { "MX": ["10 mx.far.example"] }, "mx.far.example": { "A": ["127.0.0.1"] },
  "gone.example": { "MX": ["0 ."] }, "localhost": { "A": ["127.0.0.1"] } }
Z
dns_stub_start zone.json
main_conf
cat >>"$PIPEMAIL_ETC/main.conf" <<M

[queue]
private-addresses = yes
connections-per-destination = 1
route = smart to smart.example

[transport "smart"]
type = relay
host = 127.0.0.1
port = $port
verify = no
M
config-compile || { echo "Bail out! the configuration is wrong"; exit 111; }
bg unix-bind -m 0600 run/lmtp lmtp-in
bg unix-bind -m 0600 run/mtasts mtasts-serve
bg unix-bind -m 0600 run/smtp-out smtp-out -p "$port"
bg unix-bind -m 0600 run/queue queue-run 2>queue-run.log
wait_for 10 test -S run/queue

printf 'From: alice@example.org\nSubject: one\n\ntext\n' >m
add() { queue-add -a alice -f alice@example.org "$@" <m; }
results() { grep -c "m=$1" queue-run.log; }

ok "a message for a smart host is taken" add a@smart.example b@smart.example
ok "U-19 it is given to the smart host" wait_for 10 grep -q 'm=relayed.*to=b@smart.example' queue-run.log
is "$(grep -c '^message' sink.log)" 1 "two recipients, one transaction"
ok "a message for a domain is taken" add c@far.example
ok "Q-10 it goes to the domain's MX" wait_for 10 grep -q 'm=relayed.*to=c@far.example.*host=mx.far.example' queue-run.log
ok "a message for a local address is taken" add alice@example.org
ok "U-19 it is delivered through the queue and LMTP" wait_for 10 grep -q 'm=delivered.*to=alice@example.org' queue-run.log
ok "and is in the mailbox" test "$(store-list -a alice 2>/dev/null | wc -l)" -ge 1
ok "a message for a domain without mail is taken" add d@gone.example
ok "Q-10 null MX fails at once" wait_for 10 grep -q 'm=failed.*to=d@gone.example.*status=5.1.10' queue-run.log
ok "the failure comes back to the sender's mailbox" wait_for 10 sh -c '[ "$(store-list -a alice 2>/dev/null | wc -l)" -ge 2 ]'

# one connection at a time: what waits goes over the one that is open
for i in 1 2 3 4 5 6; do add r$i@smart.example & done >/dev/null
wait_for 10 test "$(grep -c '^connect' sink.log)" -ge 1
wait_for 10 sh -c 'for i in 1 2 3 4 5 6; do grep -q "m=relayed.*to=r$i@smart" queue-run.log || exit 1; done'
ok "Q-5 six messages arrive" test "$(grep -c '^message' sink.log)" = 8
ok "Q-5 over fewer connections than messages" test "$(grep -c '^connect' sink.log)" -lt 8
done_testing
