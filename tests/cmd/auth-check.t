#!/bin/sh
# auth-check.t - passwords checked by another program (B-7)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
cat >check.sh <<'C'
#!/bin/sh
# a checkpassword program: users and passwords in a file
input=$(tr '\0' '\n' <&3)
user=$(echo "$input" | sed -n 1p); pass=$(echo "$input" | sed -n 2p); time=$(echo "$input" | sed -n 3p)
echo "$user $time $PIPEMAIL_LOGIN $PIPEMAIL_SERVICE $TCPREMOTEIP" >>"$PIPEMAIL_VAR/asked"
echo "said on standard output"
case $pass in
slow) sleep 20 ;;
broken) exit 111 ;;
misuse) exit 2 ;;
killed) kill -9 $$ ;;
esac
[ "$user:$pass" = "alice:from elsewhere" ] && exec "$@"
[ "$user:$pass" = "carol:from elsewhere" ] && exec "$@"
[ "$user:$pass" = "ghost:from elsewhere" ] && exec "$@"
exit 1
C
chmod +x check.sh
imap_setup "
[auth]
checkpassword = $TMP/check.sh
checkpassword-timeout = 2s
failures-per-minute = 1000 1000 1000"
printf '[account]\naddress = carol@example.org\nlogin-disabled = ask the admin\n' >etc/accounts/carol.conf
config-compile
echo "password of alice" | passwd-set -a alice
cat >check.py <<'P'
import time
from auth_client import *
c, d = Client(), Client()
A = "service=imap\trip=192.0.2.9"
check("B-7 the program's password", c.plain("alice@example.org", "from elsewhere", A), "OK\tuser=alice")
check("by LOGIN", (c.auth("LOGIN", None, A), c.cont("alice"), c.cont("from elsewhere"))[2], "OK\tuser=alice")
check("the account's own, without asking", c.plain("alice", "password of alice", A), "OK\tuser=alice")
check("B-7 wrong everywhere", c.plain("alice", "nonsense", A), "FAIL\tuser=alice")
check("an account without a password here", c.plain("bob", "from elsewhere", A), "FAIL\tuser=bob")
check("who is known there but not here", c.plain("ghost", "from elsewhere", A), "FAIL\tuser=ghost")
check("U-13 disabled here", c.plain("carol", "from elsewhere", A), "FAIL\tuser=carol\treason=ask the admin\tuser_disabled")
check("not as another", c.plain("alice", "from elsewhere", A, "bob"), "FAIL\tuser=alice")
T = "FAIL\tuser=alice\treason=authentication is unavailable\ttemp"
check("B-7 it cannot tell: temporary", c.plain("alice", "broken", A), T)
check("misused: temporary", c.plain("alice", "misuse", A), T)
check("killed: temporary", c.plain("alice", "killed", A), T)
t = time.time()
c.n += 1
c.say("AUTH\t%d\tPLAIN\t%s\tresp=%s\n" % (c.n, A, b64("\0alice\0slow")))
time.sleep(0.2)
check("others are served while it runs", d.plain("alice", "password of alice", A), "OK\tuser=alice")
check("in no time", time.time() - t < 1, True)
check("B-7 over its time: temporary", c.reply(), T)
check("and not later", 1.5 < time.time() - t < 6, True)
# more at a time than allowed, then all gone
e = Client()
for i in range(20):
    e.say("AUTH\t%d\tPLAIN\t%s\tresp=%s\n" % (100 + i, A, b64("\0alice\0slow")))
got = [e.line() for i in range(4)]
check("the seventeenth at a time is told to come later", [g.split("\t", 2)[2] for g in got],
      ["user=alice\treason=authentication is unavailable\ttemp"] * 4)
e.s.shutdown(2); e.s.close()
check("a client that hangs up leaves no trace", d.plain("alice", "password of alice", A), "OK\tuser=alice")
P
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 test -S run/auth
export PYTHONPATH="$TOP/tests/cmd" PYTHONDONTWRITEBYTECODE=1
python_tests check.py
like "$(cat var/asked)" '^alice [0-9]{10} alice@example\.org imap 192\.0\.2\.9$' "it is told account, time, name, service, address"
like "$(cat var/asked)" '^ghost ' "unknown users are asked about all the same"
starter=$(pgrep -P "$bg_pid")
is "$(echo "$starter" | wc -w)" 1 "X-1 auth-serve has one process, which starts the program"
ok "nothing runs on after its time" wait_for 5 sh -c "! pgrep -P $starter"
state() { awk -v n="$2:" '$1 == n { print $2 }' "/proc/$1/status"; }
if [ "${SAN:-}" != 1 ] && [ -n "$(state $$ Seccomp)" ]; then
	is "$(state "$bg_pid" Seccomp) $(state "$bg_pid" NoNewPrivs)" "2 1" "X-1 auth-serve is in a sandbox"
	is "$(state "$starter" Seccomp) $(state "$starter" NoNewPrivs)" "0 0" "the program need not bear it: it may change user"
else
	skip "X-1 auth-serve is in a sandbox" "no seccomp here"
fi
is "$(grep -c 'from elsewhere' auth.log)" 0 "no password is logged"
# by hand, where the input ends before the answer is there
is "$(printf 'VERSION\t1\t2\nCPID\t1\nAUTH\t1\tPLAIN\tservice=t\tresp=%s\n' "$(printf '\0alice\0from elsewhere' | base64)" | auth-serve 2>/dev/null | tail -1)" \
    "OK	1	user=alice" "by hand too"
sed -i 's,^checkpassword =.*,checkpassword = /nonexistent/program,' etc/main.conf
config-compile
cat >none.py <<'P'
from auth_client import *
check("B-7 a program that is not there: temporary", Client().plain("alice", "from elsewhere"),
      "FAIL\tuser=alice\treason=authentication is unavailable\ttemp")
P
python_tests none.py
done_testing
