#!/bin/sh
# user-filter.t - programs of accounts, and what they cannot do
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
main_conf
exits 100 "filter-run without account" filter-run /bin/true
exits 100 "filter-run without program" filter-run -a alice
exits 100 "filter-run -x" filter-run -x -a alice /bin/true
exits 100 "filter-run for nobody" filter-run -a nobody /bin/true
exits 100 "filter-run for no name" filter-run -a ../x /bin/true
mkdir -p var/accounts/alice var/accounts/bob
if ! filter-run -a alice /bin/true 2>probe; then
	like "$(cat probe)" 'the kernel has no (Landlock|seccomp)' "B-32 what cannot be confined is not run"
	skip "filters of accounts" "no Landlock"
	done_testing
	exit 0
fi
echo secret >var/accounts/bob/secret
echo secret >var/accounts/alice/secret
mkdir -p home
# as ACCOUNT SCRIPT: run it confined; its output
as() { filter-run -a "$1" /bin/sh -c "$2" 2>&1; }
is "$(as alice 'echo kept >x; cat x; pwd')" "kept
$TMP/var/accounts/alice/filter" "B-32 its folder is its home"
is "$(as alice 'cat "$HOME/x"')" kept "and survives"
like "$(as alice "cat $TMP/var/accounts/bob/secret")" 'Permission denied' "B-32 mail of others is out of reach"
like "$(as alice "cat $TMP/var/accounts/alice/secret")" 'Permission denied' "B-32 its own as well"
like "$(as alice "cat $TMP/etc/main.conf")" 'Permission denied' "B-32 and the configuration"
like "$(as alice "echo x >$TMP/home/x")" '(Permission denied|cannot create)' "B-32 it writes nowhere else"
like "$(as alice "ln -s $TMP/var/accounts/bob/secret l; cat l")" 'Permission denied' "B-32 not by a link"
like "$(as alice "ln $TMP/var/accounts/bob/secret h; cat h")" '(denied|not permitted|cross-device)' "B-32 of either kind"
like "$(as alice 'kill -0 $PPID')" 'not permitted' "B-32 it signals nobody"
is "$(as alice "python3 -c 'import socket
try: socket.socket(socket.AF_UNIX)
except OSError as e: print(e.errno)
try: socket.create_connection((\"127.0.0.1\", 9))
except OSError as e: print(e.errno)
import os
try: os.setsid()
except OSError as e: print(e.errno)'")" "1
1
1" "B-32 it has no sockets and stays in its session"
like "$(as alice 'python3 -c "x = bytearray(2 << 30)"')" MemoryError "B-32 memory is limited"
is "$(as alice 'ulimit -c; ulimit -n; ulimit -t')" "0
256
60" "B-32 and more"
is "$(as alice 'echo ${PIPEMAIL_VAR:-unset}')" unset "the directories are not told"
# A fork bomb that counts; its children end with it. The superuser has no such
# limit, so filter-run becomes the owner of the folder.
mkdir -p var/accounts/bomb
bomb='import errno, os, sys
ends = os.pipe()
n = 0
while n < 1000:
    try: pid = os.fork()
    except OSError as e:
        print(errno.errorcode[e.errno])
        break
    if pid == 0:
        os.close(ends[1])
        os.read(ends[0], 1)
        os._exit(0)
    n += 1
print(n)'
if [ "$(id -u)" -eq 0 ]; then
	chown 54321:54321 var/accounts/bomb
	chmod 711 "$TMP" "$TMP/var" "$TMP/var/accounts"
fi
as bomb "exec python3 -c '$bomb'" >bombed
is "$(head -1 bombed)" EAGAIN "B-32 a fork bomb comes to an end"
n=$(tail -1 bombed)
ok "B-32 with 256 processes at most, itself among them" test "$n" -le 256
ok "B-32 of which it has most, whatever others run" test "$n" -ge 200
exits 7 "its exit code is that of the program" filter-run -a alice /bin/sh -c 'exit 7'
exits 127 "no such program" filter-run -a alice /bin/nothing
sed -n 's/^\.Dl //p' "$TOP/man/filter-run.1" | sed 's/\\(dq/"/g' >example
like "$(sh example 2>&1)" '/etc/hosts: Permission denied' "the example works"

# ---- by lmtp-in ----
put() {
	{ printf 'LHLO c\nMAIL FROM:<s@net.example>\nRCPT TO:<%s@example.org>\nDATA\n' "$1"
	printf 'From: a@b.example\nSubject: %s\n\ntext\n.\nQUIT\n' "${2:-hello}"; } | dialogue lmtp-in 2>>err | sed '1,/^354/d;/^221/d'
}
cat >etc/accounts/alice.conf <<'E'
[account]
address = alice@example.org
filter = |echo "X-First: $SENDER"; cat
[rule "marked"]
header = ^x-mark$ yes
mailbox = Marked
command = |echo "X-After: $RECIPIENT"; cat
[rule "no"]
header = ^subject$ ^cheap$
mailbox = Cheap
command = |echo "not this" >&2; exit 100
[rule "away"]
header = ^subject$ ^away$
mailbox = Away
command = |exit 99
E
exits 100 "B-32 they must be allowed" config-compile
like "$(cat .err)" 'alice.conf:3: "filter" is for programs of accounts; needed is user-filters = yes' "is told"
main_conf '' '' "user-filters = yes
stage-timeout = 2s"
is "$(put alice)" "250 2.0.0 delivered" "B-32 a filter of the account"
is "$(newest alice | grep '^X-')" "X-First: s@net.example" "has the envelope, and adds a field"
cat >var/accounts/alice/.pipemail <<'E'
# what alice wrote

|sed '1s/^/X-Mark: yes\n/'
/bin/cat
E
is "$(put alice)" "250 2.0.0 delivered" "B-32 a list of filters in .pipemail"
file=$(find var/accounts/alice/Maildir/.Marked -type f -name '*,*' | head -1)
is "$(grep '^X-' "$file")" "X-After: alice@example.org
X-Mark: yes
X-First: s@net.example" "B-32 in their order, then the rules, then the rule's command"
rm var/accounts/alice/.pipemail
is "$(put alice cheap)" "550 5.7.1 not this" "B-32 a command refuses"
marked() { { printf 'LHLO c\nXFORWARD MARKS=YES\nMAIL FROM:<s@net.example>\nRCPT TO:<alice@example.org>\nDATA\nSubject: %s\n\n.\nQUIT\n' "$1"; } | dialogue lmtp-in 2>>err | sed '1,/^354/d;/^221/d'; }
is "$(marked cheap)" "550 5.7.1 not this" "B-32 R-25 that one person refuses slows nobody down"
echo '|echo "nor me" >&2; exit 100' >var/accounts/alice/.pipemail
is "$(marked x)" "550 5.7.1 nor me" "B-32 R-25 nor by .pipemail"
rm var/accounts/alice/.pipemail
main_conf '' '' 'user-filters = yes
stages-deliver = |echo "nobody here" >&2; exit 100'
is "$(marked x)" "550-5.7.1 XMARK slow
550 5.7.1 nobody here" "R-25 a stage for all of them does"
main_conf '' '' "user-filters = yes
stage-timeout = 2s"
n=$(messages alice)
is "$(put alice away)" "250 2.0.0 ok" "B-32 another drops"
is "$(messages alice)" "$n" "and nothing is stored"
# bad .PIPEMAIL REPLY WHY LOG: the message is put off
bad() {
	like "$(put bob)" "^451 4.3.0 $1" "B-32 $2: put off"
	like "$(tail -3 err)" "$3" "the log says why"
}
echo 'spf-check' >var/accounts/bob/.pipemail
bad 'the filters of the recipient are wrong' "a line that is no filter" 'm=user-filters .*account=bob line=1 why=.a line is neither'
echo '|cat' >var/accounts/bob/.pipemail
chmod 666 var/accounts/bob/.pipemail
bad 'the filters of the recipient are wrong' "a file others can write" 'why=.others may write'
rm var/accounts/bob/.pipemail; ln -s ../alice/x var/accounts/bob/.pipemail
bad 'the filters of the recipient are wrong' "a link" 'why=.it cannot be read'
rm var/accounts/bob/.pipemail; mkfifo var/accounts/bob/.pipemail
bad 'the filters of the recipient are wrong' "a FIFO" 'why=.it is no plain file'
rm var/accounts/bob/.pipemail
for i in $(seq 64); do echo '|cat'; done >var/accounts/bob/.pipemail
main_conf '' '' "user-filters = yes"
is "$(put bob)" "250 2.0.0 delivered" "64 filters"
main_conf '' '' "user-filters = yes
stage-timeout = 2s"
echo '|cat' >>var/accounts/bob/.pipemail
bad 'the filters of the recipient are wrong' "one more" 'why=.too many'
{ echo '|cat'; head -c 65530 /dev/zero | tr '\0' '#'; echo; } >var/accounts/bob/.pipemail
is "$(put bob)" "250 2.0.0 delivered" "64 KiB"
echo >>var/accounts/bob/.pipemail
bad 'the filters of the recipient are wrong' "a byte more" 'why=.it is longer'
echo '|sleep 100' >var/accounts/bob/.pipemail
bad 'a filter could not judge' "a filter that takes too long" 'code=451'
echo '|sleep 33 & sleep 34' >var/accounts/bob/.pipemail
bad 'a filter could not judge' "one with children" 'code=451'
is "$(ps -eo args | grep -c '^sleep 3[34]$')" 0 "B-32 none of them is left"
cat >bomb.py <<'E'
import os, time
for i in range(300):
    try:
        if os.fork() == 0: break
    except OSError: pass
time.sleep(177)
E
mkdir -p var/accounts/bob/filter; cp bomb.py var/accounts/bob/filter/
echo '|exec python3 bomb.py' >var/accounts/bob/.pipemail
bad 'a filter could not judge' "a fork bomb" 'code=451'
# they are killed; that each of them has ended is seen a little later
left() { ps -eo args | grep -c '^python3 bomb.py'; }
none_left() { [ "$(left)" = 0 ]; }
wait_for 10 none_left
is "$(left)" 0 "B-32 and none of it is left"
echo "|cat $TMP/var/accounts/alice/secret" >var/accounts/bob/.pipemail
bad 'a filter could not judge' "one that looks at others" 'code=451'
echo '|cat; kill -9 $PPID' >var/accounts/bob/.pipemail
like "$(put bob)" '^(451|250)' "B-32 lmtp-in cannot be killed by one"
printf '[account]\naddress = alice@example.org\n' >etc/accounts/alice.conf
main_conf
is "$(put bob)" "250 2.0.0 delivered" "B-32 not allowed any more: .pipemail is not looked at"
ok "verifydata has nothing against the folder" verifydata
done_testing
