#!/bin/sh
# queue-cmd.t - the administrator's commands over the queue (Q-16 to Q-23)
. "$(dirname "$0")/../tap.sh"
need python3
. "$TOP/tests/queue.sh"

exits 1 "no queue yet: nothing matches" queue-list
ok "and none is made" test ! -e var/queue
queue-holdrule add -t none.example >/dev/null
ok "adding something makes one" test -d var/queue/db
queue-holdrule remove 1

# ---- choosing (Q-18, Q-19): no queue-run, so all is still ----
a=$(add first a@one.example b@two.example c@one.example)
b=$(text second | sed s/alice/bob/g | queue-add -a bob -f bob@own.example A@One.example 2>>add.err)
c=$(text third | queue-add -a alice d@hub.example 2>>add.err)
short() { queue-list "$@" 2>&1 | cut -f 1 | sed "s/$a/a/; s/$b/b/; s/$c/c/" | tr '\n' ' '; }
while IFS='|' read -r want args; do
	is "$(eval "short $args")" "$want" "Q-18 Q-19 queue-list $args"
done <<'R'
a.1 a.2 a.3 b.1 c.1 |
a.1 a.2 a.3 b.1 c.1 |-A
a.2 |"$a.2"
a.1 a.2 a.3 |"$a"
a.1 a.2 a.3 c.1 |"$c" "$a.2" "$a"
b.1 |-a bob
a.1 a.2 a.3 c.1 |-a alice
c.1 |-f '<>'
b.1 |-f 'bob@*'
a.1 a.3 b.1 |-t '*@ONE.example'
b.1 a.1 |-t '?@one.example' -S to -N 2 -n ..+1h
a.1 |-a alice -t 'a@*'
|-a bob -t 'b@*'
a.1 a.2 |-N 2
c.1 b.1 |-S -submitted -N 2
b.1 a.1 a.2 a.3 c.1 |-S to
c.1 a.1 a.2 a.3 b.1 |-S from
c.1 a.1 a.3 b.1 a.2 |-S destination
|-s ..-1h
a.1 a.2 a.3 b.1 c.1 |-s -1h..
a.1 a.2 a.3 b.1 c.1 |-n ..now
|-n +1m..
|-H yes
a.1 a.2 a.3 b.1 c.1 |-H no
|-T hub
a.1 a.2 a.3 b.1 c.1 |-T direct
|ffff
R
exits 1 "nothing matches: 1" queue-list -t nobody@example.org
exits 0 "something matches: 0" queue-list
for bad in '-s yesterday' '-s now' '-s ..' '-n 2026-13-01..' '-H maybe' '-N 0' '-N x' '-S colour' '-a ""' 'x.y' "$a.0" "$a.99999999999" '-Q'; do
	eval "exits 100 'queue-list $bad is refused' queue-list $bad"
done
for cmd in hold release fail drop; do
	exits 100 "queue-$cmd without a choice is refused" queue-$cmd
	exits 100 "queue-$cmd -A with an id too" queue-$cmd -A "$a"
done
is "$(queued)" 5 "and nothing has changed"
is "$(queue-list -j "$a.2" | $PYTHON -c 'import json, sys
j = json.load(sys.stdin); print(j["id"][-2:], j["state"], j["to"], j["attempts"], j["account"], j["destination"])')" ".2 waiting b@two.example 0 alice two.example" "Q-19 JSON"
is "$(queue-list | awk -F '\t' '{ print NF }' | uniq)" 12 "twelve columns"
now=$(date +%s)
is "$(short -s "@$((now - 60))..@$((now + 60))")" "a.1 a.2 a.3 b.1 c.1 " "Q-19 seconds since 1970"
is "$(short -s "$(date -u +%Y-%m-%d)..")" "a.1 a.2 a.3 b.1 c.1 " "Q-19 a date"
is "$(short -s "..$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%SZ)")" "" "Q-19 a time"

# ---- show ----
is "$(queue-show "$a.2" | grep -c '^record')" 2 "queue-show: message and one recipient"
is "$(queue-show -j "$a" | $PYTHON -c 'import json, sys
print([json.loads(l)["record"] for l in sys.stdin])')" "['message', 'recipient', 'recipient', 'recipient']" "queue-show -j"
text first >first.msg
ok "queue-show -m prints the text" sh -c "queue-show -m $a | cmp - first.msg"
exits 1 "queue-show: none of that id" queue-show ffff
exits 1 "queue-show -m: none of that id" queue-show -m ffff

# ---- hold, release, schedule, transport, requiretls ----
is "$(queue-hold "$a.2" -A 2>/dev/null; queue-hold "$a.2")" "$a.2" "Q-16 queue-hold prints what it changed"
is "$(col "$a.2" 2) $(short -H yes)" "held a.2 " "Q-16 held"
is "$(queue-hold "$a.2"; echo $?)" 0 "held already: nothing to print"
exits 1 "Q-16 nothing to release" queue-release -H yes -a bob
is "$(queue-release -H yes)" "$a.2" "Q-16 queue-release"
queue-schedule -w 2030-01-02T03:04 "$a.1" >/dev/null
is "$(col "$a.1" 4)" "2030-01-02T03:04:00Z" "Q-19 queue-schedule at a time"
queue-schedule -w +2h -t 'b@*' >/dev/null
is "$(($(date -d "$(col "$a.2" 4)" +%s) - $(date +%s) >= 7195))" 1 "Q-19 queue-schedule after a duration"
is "$(short -S next -N 3; short -S -next -N 1)" "a.3 b.1 c.1 a.1 " "Q-19 in order of the next attempt"
exits 100 "queue-schedule: no time" queue-schedule -w soon -A
is "$(queue-transport -w hub "$a")" "$(printf '%s\n' "$a.1" "$a.2" "$a.3")" "Q-19 queue-transport"
is "$(col "$a" 10 | uniq) $(short -T hub)" "transport:hub a.1 a.2 a.3 " "Q-19 to another transport"
queue-transport -w routes "$a" >/dev/null
is "$(col "$a.2" 10)" "two.example" "Q-19 back to the routes"
exits 100 "queue-transport: one that is not configured" queue-transport -w nosuch "$a"
queue-requiretls -w yes "$a.1" >/dev/null; queue-requiretls -w no "$a.3" >/dev/null
is "$(queue-show "$a" | grep '^requiretls' | cut -f 2 | tr '\n' ' ')" "default yes default no " "Q-20 queue-requiretls"
is "$(queue-requiretls -w default "$a" | wc -l)" 2 "Q-20 back to default"
exits 100 "queue-requiretls: another word" queue-requiretls -w always "$a"

# ---- fail and drop (Q-17) ----
is "$(queue-fail -m 'the company is closed' "$a.1" "$a.3")" "$(printf '%s\n' "$a.1" "$a.3")" "Q-17 queue-fail prints the ids"
dsn=$(queue-list -f '<>' -t alice@own.example | cut -f 1)
is "$(queue-show -m "${dsn%.*}" | dsn-make -p | cut -f 1-3 | tr '\t\n' '|;')" "a@one.example|failed|5.7.0;c@one.example|failed|5.7.0;" "Q-17 one DSN tells of both"
is "$(queue-show -m "${dsn%.*}" | grep -c 'the company is closed')" 2 "Q-17 and why"
is "$(queue-retired list "$a" | cut -f 1,2,12 | tr '\t\n' ' ;')" "$a.1 failed the company is closed;$a.3 failed the company is closed;" "Q-22 queue-retired list"
is "$(queue-retired show -j "$a.1" | grep -c '"outcome":"failed"')" 2 "Q-21, Q-22 queue-retired show: the attempt too"
is "$(queue-retired show "$a.1" | grep -E '^(state|next)	')" "state	ended" "Q-22 queue-retired show: it has ended, and does not wait"
is "$(queue-fail "$c")" "$c.1" "Q-17 of a null sender"
is "$(queued -f '<>')" 1 "Q-17 tells nobody"
queue-drop "${dsn%.*}" >/dev/null
is "$(queue-drop "$a" "$b")" "$(printf '%s\n' "$a.2" "$b.1")" "Q-19 queue-drop"
is "$(queued) $(find var/queue/message -type f | wc -l)" "0 0" "nothing is left, and no file"
is "$(queue-retired list | cut -f 2 | sort | uniq -c | tr -s ' ' | tr '\n' ' ')" " 2 dropped  3 failed " "Q-22 what became of them" 
is "$(queue-retired list -e -1m.. -N 1 | wc -l)$(queue-retired list -e ..-1m | wc -l)" "10" "queue-retired by the time of the end"

# ---- hold rules (Q-16) ----
a=$(add h1 x@one.example y@two.example)
is "$(queue-holdrule add -a alice -t one.example)" "$(printf '1\t1')" "Q-16 a rule holds what is there and matches"
b=$(add h2 x@one.example y@two.example)
is "$(short -H yes)" "a.1 b.1 " "Q-16 and what comes; all of it must match"
is "$(queue-holdrule add -A)" "$(printf '2\t2')" "Q-16 a rule for all"
is "$(queue-holdrule list)" "$(printf '1\talice\t-\tone.example\n2\t-\t-\t-')" "Q-16 queue-holdrule list"
is "$(queue-holdrule list -j | head -1)" '{"number":1,"account":"alice","from":"","to":"one.example"}' "in JSON"
queue-holdrule remove 1; queue-holdrule remove 2
exits 1 "Q-16 queue-holdrule remove: none of that number" queue-holdrule remove 2
exits 1 "Q-16 no rule" queue-holdrule list
exits 100 "queue-holdrule add wants something" queue-holdrule add
is "$(queue-drop -A | wc -l)" 4 "-A: all"

# ---- suppression (Q-23) ----
is "$(suppress-add -a alice -m 'asked for it' J.Doe+news@one.example k@two.example)" "$(printf 'J.Doe+news@one.example\nk@two.example')" "Q-23 suppress-add"
exits 1 "Q-23 there already" suppress-add -a alice jdoe@one.example
is "$(suppress-check -a alice j.d.o.e-x@ONE.example | cut -f 1-3,5,6)" "$(printf 'alice\tJ.Doe+news@one.example\tjdoe@one.example\thand\tasked for it')" "Q-23 suppress-check by the base address"
exits 1 "Q-23 not of another account" suppress-check -a bob k@two.example
is "$(suppress-list | wc -l) $(suppress-list -a bob | wc -l)" "2 0" "Q-23 suppress-list"
is "$(suppress-remove -a alice k@two.example nobody@two.example)" "k@two.example" "Q-23 suppress-remove"
exits 1 "Q-23 not there" suppress-remove -a alice k@two.example
exits 100 "Q-23 no address" suppress-add -a alice notanaddress
exits 100 "Q-23 no account" suppress-add -a nobody x@one.example
suppress-remove -a alice jdoe@one.example >/dev/null

# ---- dsn-make ----
printf 'From: a@own.example\nSubject: tea\nMessage-ID: <t@own.example>\n\nx\n' >message
is "$(dsn-make -h mx.own.example -r a@own.example -s 5.1.1 -m 'no such user' -t x@one.example -t y@one.example <message | dsn-make -p | cut -f 1-3,9,10 | tr '\t\n' '|;')" \
    "x@one.example|failed|5.1.1|mx.own.example|<t@own.example>;y@one.example|failed|5.1.1|mx.own.example|<t@own.example>;" "Q-13 dsn-make composes what dsn-make -p reads"
for action in delayed delivered relayed expanded; do
	is "$(dsn-make -c $action -r a@own.example -t x@one.example <message | dsn-make -p -j | grep -c "\"action\":\"$action\"")" 1 "dsn-make -c $action"
done
a=$(add dsn x@one.example)
is "$(dsn-make -c delayed "$a" | dsn-make -p | cut -f 1,2,10)" "$(printf 'x@one.example\tdelayed\t<dsn@own.example>')" "dsn-make of a queued message"
exits 1 "dsn-make -p: not a notification" dsn-make -p <message
exits 1 "dsn-make: none of that id" dsn-make ffff
exits 100 "dsn-make: no recipient" dsn-make -r a@own.example <message
exits 100 "dsn-make: another action" dsn-make -c lost -r a@own.example -t x@one.example <message
queue-drop -A >/dev/null

# ---- batches: more than one transaction ----
rcpts=$(awk 'BEGIN { for (i = 0; i < 1000; i++) printf "u%d@d%d.example ", i, i % 300 }')
# shellcheck disable=SC2086
a=$(add big $rcpts)
b=$(add more x@one.example)
is "$(queue-hold -A | wc -l)" 1001 "more than a batch is held"
is "$(queue-fail "$a" | sort -u | wc -l) $(queued)" "1000 3" "more than a batch fails, with a DSN for each batch"
queue-drop -A >/dev/null

# ---- the examples of the pages ----
examples() { sed -n 's/^\.Dl //p' "$1" | sed "s/\\\\(aq/'/g; s/\\\\&//g; s/\\\\e/\\\\/g"; }
for page in queue-list.1 queue-show.1 queue-hold.1 queue-release.1 queue-schedule.1 queue-transport.1 queue-requiretls.1 queue-fail.1 queue-drop.1 queue-holdrule.1 queue-retired.1 suppress-add.1 suppress-list.1 suppress-check.1 suppress-remove.1 dsn-make.1 queue-select.7 queue-add.8; do
	queue-drop -A >/dev/null
	text ex | queue-add -a alice -f alice@own.example gone@dead.example >id 2>>add.err
	text ex | queue-add -a alice gone@dead.example >>id 2>>add.err
	clear=0
	case $page in queue-release.1) queue-hold -A >/dev/null ;; esac
	n=$(queue-holdrule list | tail -1 | cut -f 1)
	[ -z "$n" ] || queue-holdrule remove "$n"
	examples "$TOP/man/$page" | sed "s/6440d5e1b3a40/$(head -1 id)/" >lines
	while read -r line <&3; do
		printf 'From: alice@own.example\nDKIM-Signature: x\n\nx\n' >message
		case $line in
		*'-s ..-1d'*) want=1 ;;
		*DKIM-Signature*) want=1 ;;	# none is configured here
		*) want=0 ;;
		esac
		queue-list >/dev/null || add again gone@dead.example >/dev/null
		exits $want "$page: $line" sh -c "$line"
	done 3<lines
done

# ---- as root: files keep the owner of the queue ----
if [ "$(/usr/bin/id -u)" = 0 ]; then
	queue-drop -A >/dev/null
	chown -R nobody:nogroup var/queue
	chmod 755 "$TMP"; chmod -R a+rX etc var/config.cdb
	rm -f var/queue/db/lock.mdb
	a=$(text owner | setpriv --reuid nobody --regid nogroup --clear-groups -- "$BIN/queue-add" -a alice -f alice@own.example x@one.example 2>>add.err)
	queue-hold "$a" >/dev/null
	is "$(queue-fail "$a")" "$a.1" "root changes the queue of another user"
	is "$(find var/queue ! -user nobody | wc -l)" 0 "and leaves no file of its own"
else
	skip "root leaves no file of its own" "needs root"
fi
done_testing
