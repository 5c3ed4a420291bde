#!/bin/sh
# queue-clock.t - the clock is set a day forward and back, while queue-run runs
# and while it does not, and nobody tells it: what is due goes all the same
. "$(dirname "$0")/../tap.sh"
need python3
. "$TOP/tests/queue.sh"
clock_build || skip_all "no compiler for the clock, or sanitizers"
fake_start
run_with="env LD_PRELOAD=$TMP/clock.so"
: >run.err; : >jobs.log
run_start
id=$(add later later@one.example)
wait_for 10 tried "$id"
due() { date -d "$(queue-list "$id" | cut -f 4)" +%s; }
ok "(it waits for minutes)" test "$(due)" -gt $(($(date +%s) + 300))
clock_set 86400
ok "Q-2 the clock is set a day forward: what is due by it goes within a minute" wait_for 75 tried "$id" 2
like "$(cat run.err)" 'the clock was set, by 86(399|400|401) s' "and it is said"
ok "(it waits for minutes, a day ahead)" test "$(due)" -gt $(($(date +%s) + 86400 + 300))
# not tried yet, and tried, as the clock of tomorrow says
queue-holdrule add -t two.example | cut -f 1 >rule
fresh=$(text fresh | env LD_PRELOAD="$TMP/clock.so" queue-add -a alice -f alice@own.example late@two.example 2>>add.err)
queue-holdrule remove "$(cat rule)"
run_stop
queue-release "$fresh" >/dev/null
far=$(add far later@three.example)
queue-schedule -w +3d "$far" >/dev/null
clock_set 0
run_start
ok "Q-2 it was set back by a day while queue-run was down: what was never tried goes at once" empty 15 "$fresh"
ok "Q-2 what was tried waits no longer than its wait" test "$(due)" -le $(($(date +%s) + 3600))
is "$(($(date -d "$(queue-list "$far" | cut -f 4)" +%s) > $(date +%s) + 2 * 86400))" 1 "what the administrator put off stays put off"
queue-drop -A >/dev/null
ok "it ends" run_stop
done_testing
