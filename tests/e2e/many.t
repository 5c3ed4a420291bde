#!/bin/sh
# many.t - one message to 1,000 recipients at 10 domains, from queue-add to a
# server that takes 40 of them at once
. "$(dirname "$0")/../tap.sh"
need python3 smtp-out queue-run queue-add unix-bind
. "$TOP/tests/smtp-fixture.sh"
. "$TOP/tests/dns-fixture"
bg /usr/bin/python3 "$TOP/tests/cmd/smtp-out-server.py" -p sink.port -l sink.log \
    offer=PIPELINING,LIMITS_RCPTMAX=40
wait_for 10 test -s sink.port || { echo "Bail out! no SMTP server"; exit 111; }
/usr/bin/python3 - >zone.json <<'P'
import json
z = {"d%d.example" % i: {"MX": ["10 mx.example"]} for i in range(10)}
z["mx.example"] = {"A": ["127.0.0.1"]}
z["localhost"] = {"A": ["127.0.0.1"]}
print(json.dumps(z))
P
dns_stub_start zone.json
main_conf
printf '[queue]\nprivate-addresses = yes\n' >>etc/main.conf
printf 'max-messages-per-day = 0\nmax-first-time-recipients-per-day = 0\n' >>etc/accounts/alice.conf
config-compile || { echo "Bail out! the configuration is wrong"; exit 111; }
bg unix-bind -m 0600 run/mtasts mtasts-serve
bg unix-bind -m 0600 run/smtp-out smtp-out -p "$(cat sink.port)"
bg unix-bind -m 0600 run/queue queue-run 2>queue-run.log
wait_for 10 test -S run/queue

rcpts=$(awk 'BEGIN { for (i = 0; i < 1000; i++) printf "u%d@d%d.example ", i, i % 10 }')
# shellcheck disable=SC2086 # a list
ok "a message for 1,000 recipients is taken" sh -c \
    'printf "From: alice@example.org\nSubject: many\n\ntext\n" | queue-add -a alice -f alice@example.org "$@"' sh $rcpts
ok "Q-4 all have it" wait_for 60 sh -c '! queue-list >/dev/null'
is "$(grep -c 'm=relayed' queue-run.log)" 1000 "Q-4 each has its result"
is "$(grep -c '^connect' sink.log)" 10 "Q-4 10 domains, 10 sessions"
is "$(grep -c '^message' sink.log)" 30 "Q-5 RCPTMAX 40, 100 recipients a domain: the text is sent three times to each"
is "$(grep -c '^> RCPT' sink.log) $(grep '^> RCPT' sink.log | sort -u | wc -l)" "1000 1000" "Q-4 each recipient is named once"
done_testing
