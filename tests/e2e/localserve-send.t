#!/bin/sh
# localserve-send.t - what a client sends, to whomever, comes in by the
# instance's own SMTP, or fails as the local part asks
. "$(dirname "$0")/../tap.sh"
need swaks
[ -x "$BIN/smtp-out" ] && [ -d "$TOP/service/smtp-out" ] || skip_all "needs smtp-out, which sends what is queued"
. "$TOP/tests/e2e/instance.sh"
instance_start
send() { # RECIPIENT [FROM]: what the server said last but for the goodbye
	swaks --server 127.0.0.1 --port $((B + 587)) --from "${2:-mail@localhost}" --to "$1" --auth PLAIN --auth-user mail@localhost --auth-password "$PW" --header "Subject: to $1" 2>&1 | grep -E '^<' | tail -2 | head -1 | sed 's/^<[^ ]* *//'
}
inbox() { find ls/var/accounts/mail/Maildir -name '*,*' -exec grep -l "^Subject: to $1" {} + 2>/dev/null | wc -l | tr -d ' '; }
arrived() { [ "$(inbox $1)" != 0 ]; }
for to in mail@localhost someone@localhost anyone@elsewhere.example; do
	like "$(send $to)" '^250 2.0.0 queued as ' "O-4 $to: taken"
	wait_for 20 arrived $to
	is "$(inbox $to)" 1 "Q-32 and delivered here"
done
f=$(find ls/var/accounts/mail/Maildir -name '*,*' -exec grep -l '^Subject: to anyone@' {} +)
like "$(cat "$f")" '^Delivered-To: anyone@elsewhere.example' "D-15 it says for whom"
like "$(cat "$f")" '^	spf=pass ' "O-5 SPF passes"
like "$(cat "$f")" '^	dkim=pass ' "O-5 DKIM too"
is "$(send x-permerror@localhost | cut -c1-3)" 550 "O-4 permerror: 550"
is "$(send x-temperror@elsewhere.example | cut -c1-3)" 451 "O-4 temperror: 451"
is "$(send x452@localhost | cut -c1-3)" 452 "O-4 three digits"
is "$(send rcptto-permerror@localhost | cut -c1-3)" 550 "O-4 rcptto"
is "$(send mail@localhost mailfrom-temperror@localhost | cut -c1-3)" 451 "O-4 mailfrom"
send queue-it@localhost >/dev/null
is "$(queue-list -H yes | cut -f9)" "queue-it@localhost" "O-4 queue: on hold"
is "$(queue-list -H no | wc -l | tr -d ' ')" 0 "nothing else is left in the queue"
instance_stop
done_testing
