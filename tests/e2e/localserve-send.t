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
# ---- other clients, STARTTLS at 587 and TLS at 465 ----
plain() { msmtp -C /dev/null --host=127.0.0.1 --tls=on --tls-certcheck=off --from=mail@localhost --auth=plain --user=mail@localhost --passwordeval="echo $PW" "$@"; }
if command -v msmtp >/dev/null 2>&1; then
	for p in 587:on 465:off; do
		printf 'From: mail@localhost\nSubject: to msmtp%s\n\nx\n' ${p%:*} >m
		ok "O-4 msmtp at ${p%:*}" plain --port=$((B + ${p%:*})) --tls-starttls=${p#*:} far@elsewhere.example <m
		wait_for 20 arrived msmtp${p%:*}
		is "$(inbox msmtp${p%:*})" 1 "Q-32 delivered here"
		plain --port=$((B + ${p%:*})) --tls-starttls=${p#*:} x-permerror@elsewhere.example <m >msmtp.out 2>&1
		like "$(cat msmtp.out)" 'server message: 550' "O-4 msmtp shows the simulated failure"
	done
else
	skip "O-4 msmtp" "it is not installed"
fi
swaks --silent 2 --server 127.0.0.1 --port $((B + 465)) --tlsc --from mail@localhost --to far@elsewhere.example --auth PLAIN --auth-user mail@localhost --auth-password "$PW" --header "Subject: to swaks465" >swaks.out 2>&1
wait_for 20 arrived swaks465
is "$(inbox swaks465)" 1 "Q-32 swaks at 465: delivered here"
if command -v neomutt >/dev/null 2>&1; then
	printf 'set from = mail@localhost\nset use_envelope_from\nset smtp_url = "smtp://mail%%40localhost@127.0.0.1:%s/"\nset smtp_pass = "%s"\nset ssl_starttls = no\nset ssl_force_tls = no\nset copy = no\nset smtp_authenticators = "plain"\n' $((B + 587)) "$PW" >rc
	echo x | HOME=$TMP neomutt -n -F rc -s "to neomutt" far@elsewhere.example >mutt.out 2>&1
	is $? 0 "O-4 neomutt in batch mode at 587"
	wait_for 20 arrived neomutt
	is "$(inbox neomutt)" 1 "Q-32 delivered here"
else
	skip "O-4 neomutt" "it is not installed"
fi
if [ -d "${NODE_CLIENTS:-/nonexistent}/nodemailer" ] && command -v node >/dev/null 2>&1; then
	cat >nm.js <<'J'
const n = require(process.env.NODE_CLIENTS + '/nodemailer'), [,, port, pass, to] = process.argv;
n.createTransport({ host: '127.0.0.1', port: +port, secure: process.env.TLS === '1', tls: { rejectUnauthorized: false },
	auth: { user: 'mail@localhost', pass } }).sendMail({ from: 'mail@localhost', to, subject: 'to nodemailer' + process.env.TLS, text: 'x' })
	.then(r => console.log(r.response), e => console.log(e.response || String(e)));
J
	for t in 0:587 1:465; do
		like "$(TLS=${t%:*} node nm.js $((B + ${t#*:})) "$PW" far@elsewhere.example)" '^250' "O-4 nodemailer at ${t#*:}"
		wait_for 20 arrived nodemailer${t%:*}
		is "$(inbox nodemailer${t%:*})" 1 "Q-32 delivered here"
		like "$(TLS=${t%:*} node nm.js $((B + ${t#*:})) "$PW" x-temperror@elsewhere.example)" '^451' "O-4 nodemailer is told of the simulated failure"
	done
else
	skip "O-4 nodemailer" "NODE_CLIENTS does not name a folder with nodemailer"
fi
printf 'From: mail@localhost\nSubject: to program\n\nx\n' | sendmail far@elsewhere.example 2>sm.err
is "$? $(cat sm.err)" "0 " "O-4 programs of the caller may use sendmail"
wait_for 20 arrived program
is "$(inbox program)" 1 "Q-32 delivered here"
wait_for 20 sh -c 'queue-list -t far@elsewhere.example; [ $? = 1 ]'
kept=$(queue-retired show -j "$(queue-retired list -t far@elsewhere.example | tail -1 | cut -f 1)" | sed -n 's/.*"ended":"\([^"]*\)","keep_until":"\([^"]*\)".*/\1 \2/p')
is "$(echo $(($(date -d "${kept#* }" +%s) - $(date -d "${kept% *}" +%s))))" 259200 "O-4 what was sent is kept for 72 h"
send queue-it@localhost >/dev/null
is "$(queue-list -H yes | cut -f9)" "queue-it@localhost" "O-4 queue: on hold"
is "$(queue-list -H no | wc -l | tr -d ' ')" 0 "nothing else is left in the queue"
instance_stop
done_testing
