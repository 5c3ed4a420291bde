#!/bin/sh
# queue-rest.t - queue-run: a connection rests for a moment when there is no
# further message for its destination
. "$(dirname "$0")/../tap.sh"
need python3
. "$TOP/tests/queue.sh"

conf 'connections = 3' 'connections-per-destination = 2'
fake_start
run_start
# facts EXPRESSION: of jobs.log, as lists of begin, end and close
facts() {
	"$PYTHON" -c "import json
L = [json.loads(l) for l in open('jobs.log')]
B, E, C = ([j for j in L if j['event'] == e] for e in ('begin', 'end', 'close'))
conns = lambda d: sorted(set(j['conn'] for j in B if j['domain'] == d))
ended = lambda d: max(j['t'] for j in E if j['domain'] == d)
# how long the connections of a domain rested; 99: they still do
rested = lambda d: min([j['t'] - ended(d) for j in C if j['conn'] in conns(d)] or [99])
print($1)"
}
fact() { [ "$(facts "$1")" = True ]; }
# sent ADDRESS: a message there, until it is delivered
sent() { add rest "$1" >id && empty 20 "$(cat id)"; }
# early DOMAIN: it rested less than it may. On a machine so slow that it would
# have ended anyway that tells nothing: then it is tried again.
early() { fact "rested('$1') < 1.9"; }

ok "Q-5 a message" sent a@one.example
ok "Q-5 another one a moment later" sent b@one.example
ok "Q-5 and one more" sent c@one.example
i=0
while fact "len(conns('one.example')) != 1" && [ $i -lt 5 ]; do
	i=$((i + 1)); : >jobs.log	# too slow: it has rested between
	sent a@one.example; sent b@one.example
done
ok "Q-5 they went over one connection" fact "len(conns('one.example')) == 1"
ok "Q-5 which is closed then" wait_for 20 fact "rested('one.example') < 99"
ok "Q-5 after two seconds" fact "rested('one.example') > 1.9"
ok "and the next message has its own" sent d@one.example
is "$(facts "len(conns('one.example'))")" 2 "Q-5 a new connection"

# those that rest count: the one that rests longest gives way
try_room() {
	: >jobs.log
	for d in $1a $1b $1c $1d; do sent x@$d.example || return 1; done
	wait_for 20 fact "rested('$1a.example') < 99"
}
i=0
while try_room r$i; ! early r${i}a.example && [ $i -lt 5 ]; do i=$((i + 1)); done
ok "Q-3 at the limit of connections the one that rests longest is closed" early r${i}a.example
ok "Q-3 not the latest" wait_for 20 fact "99 > rested('r${i}d.example') > 1.9"

# a host that refused something is left
try_refusal() {
	: >jobs.log
	sent x@$1.example && add later later@$1.example >id &&
	    wait_for 20 tried "$(cat id)" && wait_for 20 fact "rested('$1.example') < 99"
}
i=0
while try_refusal l$i; ! early l$i.example && [ $i -lt 5 ]; do i=$((i + 1)); done
ok "Q-21 after a refusal it does not rest" early l$i.example

# settings are read again
try_reload() {
	: >jobs.log
	sent x@$1.example && kill -HUP "$run_pid" &&
	    wait_for 20 fact "rested('$1.example') < 99"
}
i=0
while try_reload h$i; ! early h$i.example && [ $i -lt 5 ]; do i=$((i + 1)); done
ok "after SIGHUP none is used any more" early h$i.example

# smtp-out is started anew while a connection rests
sent x@gone.example
kill "$fake_pid"; wait "$fake_pid" 2>/dev/null; rm run/smtp-out
fake_start
ok "a connection that ends while it rests does no harm" sent y@gone.example
sent x@last.example
ok "queue-run ends at once while one rests" run_stop
is "$(grep "warning\|fatal\|error" run.err)" "" "without a complaint"
done_testing
