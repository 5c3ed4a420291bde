#!/bin/sh
# queue-gone.t - queued mail of an account that is removed
. "$(dirname "$0")/../tap.sh"
need python3
. "$TOP/tests/queue.sh"

fake_start
run_start
: >jobs.log
sed -i 's/^hostname.*/&\npostmaster = alice/' etc/main.conf; config-compile >/dev/null
queue-holdrule add -a bob | cut -f 1 >rule
id=$(text gone | sed s/alice/bob/ | queue-add -a bob -f bob@own.example bad9@m.example)
queue-holdrule remove "$(cat rule)"
mv etc/accounts/bob.conf bob.conf.gone; config-compile >/dev/null
queue-release "$id" >/dev/null
ok "Q-13 mail of an account that is gone ends" empty 10
is "$(grep -o 'postmaster@mx.own.example"\]' jobs.log | sort -u) $(grep -c bob@own jobs.log)" 'postmaster@mx.own.example"] 2' "Q-13 its DSN goes to the postmaster"
like "$(cat $(grep -l 'Action: failed' texts/*))" '^Final-Recipient: rfc822; bad9@m.example' "Q-13 and tells of the failure"
kept=$(queue-retired show -j "$id" | sed -n 's/.*"keep_until":"\([^"]*\)".*/\1/p' | head -1)
ok "Q-22 its retired record is kept for a week" test $(($(date -d "$kept" +%s) - $(date +%s) - 604800)) -gt -60
ok "it ends" run_stop
done_testing
