#!/bin/sh
# queue-damage.t - a record of the queue that cannot be read: all others go,
# and what can be read is listed
. "$(dirname "$0")/../tap.sh"
need python3 mdb_dump mdb_load
. "$TOP/tests/queue.sh"

# damage ID: the first recipient's record becomes two bytes of nonsense. The
# database is written anew: nothing may have it open.
damage() {
	mdb_dump -a var/queue/db >dump || exit 111
	"$PYTHON" - "$1" <<'P' >dump.bad || exit 111
import sys
key = " %016x%016x" % (int(sys.argv[1], 16), 1)
keys = (key, " 02" + key[1:])	# in a table of its own, or among the fresh
lines = open("dump").read().split("\n")
at = [i for i, l in enumerate(lines) if l in keys]
assert len(at) == 1, at
lines[at[0] + 1] = " ffff"
print("\n".join(lines), end="")
P
	rm var/queue/db/*
	mdb_load -f dump.bad var/queue/db || exit 111
}

fake_start
: >jobs.log; : >run.err
bad=$(add bad x@one.example y@one.example)
good=$(add good z@one.example)
damage "$bad"
is "$(queue-list 2>err | cut -f 1 | tr '\n' ' ')" "$bad.2 $good.1 " "Q-18 queue-list shows what can be read"
is "$(cat err)" "queue-list: warning: cannot read 1 damaged record of the queue, such as $bad.1" "and says what cannot"
is "$(queue-list "$bad" 2>/dev/null | cut -f 1)" "$bad.2" "of one message too"
run_start
ok "Q-2 queue-run sends all others" empty 20
is "$(jobs begin one.example)" 2 "(a job each)"
like "$(cat run.err)" "warning: cannot read 1 damaged record of the queue, such as $bad\\.1: not tried any more" "it says so"
is "$(grep -c 'cannot write queue' run.err)" 0 "and goes on"
later=$(add later w@one.example)
ok "Q-2 what comes later goes" empty 20 "$later"
is "$(grep -c 'not tried any more' run.err)" 1 "it is said once"
is "$(find var/queue/message -type f | wc -l)" 1 "the text is kept for whoever mends it"
run_stop

# ---- what has ended ----
mdb_dump -a var/queue/db >dump
"$PYTHON" - "$good" <<'P' >dump.bad || exit 111
import sys
key = " %016x%016x" % (int(sys.argv[1], 16), 1)
lines = open("dump").read().split("\n")
table = at = None
for i, l in enumerate(lines):
    if l.startswith("database="):
        table = l[9:]
    if table == "retired" and l == key:
        at = i
lines[at + 1] = " ff"
print("\n".join(lines), end="")
P
rm var/queue/db/*
mdb_load -f dump.bad var/queue/db || exit 111
is "$(queue-retired list 2>err | cut -f 1 | tr '\n' ' ')" "$bad.2 $later.1 " "Q-22 queue-retired shows what can be read"
like "$(cat err)" "such as $good\\.1" "and says what cannot"
done_testing
