#!/bin/sh
# auth-limits.t - failed logins: limits (BEHAVIOUR 9), log, fail2ban
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
printf '[account]\naddress = carol@example.org\nlogin-disabled = ask the admin\n' \
    >etc/accounts/carol.conf
config-compile
for a in alice carol; do echo "password of $a" | passwd-set -a $a || exit 111; done
printf '\n[auth]\ncram-md5 = no\n' >>etc/main.conf
config-compile
echo "password of bob" | passwd-set -a bob || exit 111
sed -i '/^\[auth\]/,$d' etc/main.conf
config-compile
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 test -S run/auth
export PYTHONPATH="$TOP/tests/cmd" PYTHONDONTWRITEBYTECODE=1
python_tests "$TOP/tests/cmd/auth-limits.py"

# ---- fail2ban (X-11): its expressions, with <HOST> as fail2ban puts it
cat >ban.py <<'P'
import configparser, os, re, sys
c = configparser.RawConfigParser()
c.read(os.environ["TOP"] + "/doc/fail2ban.conf")
host = r"(?:::f{4,6}:)?(?P<host>[\w\-.^_]*\w|[0-9a-fA-F:]+)"
fails = [re.compile(x.strip().replace("<HOST>", host))
         for x in c["Definition"]["failregex"].strip().split("\n")]
ignore = [re.compile(x.strip().replace("<HOST>", host))
          for x in c["Definition"]["ignoreregex"].strip().split("\n") if x.strip()]
def banned(l):
    m = [r.search(l) for r in fails if not any(i.search(l) for i in ignore)]
    m = [x for x in m if x]
    return m[0].group("host") if m else None
def check(name, got, want):
    print("%s\t%s" % (name, "ok" if got == want else "got %r, want %r" % (got, want)))
log = open("auth.log").read().split("\n")
hosts = {}
for l in log:
    h = banned(l)
    if h: hosts[h] = hosts.get(h, 0) + 1
check("X-11 ten failures of the first address are found", hosts.get("198.51.100.1"), 10)
check("X-11 no failure of an address that only lacked a secret", hosts.get("192.0.2.129"), None)
check("X-11 IPv6 addresses", hosts.get("2001:db8:1:1::5"), 1)
check("with the time that s6-log puts in front",
      banned("2026-11-20 12:00:00.123456 " + [l for l in log if "198.51.100.1 " in l and "login-failed" in l][0]),
      "198.51.100.1")
check("a login is no failure", [l for l in log if "m=login " in l and banned(l)], [])
check("nor is what the limit refused", [l for l in log if "login-limited" in l and banned(l)], [])
# a user name made to look like a line of its own
evil = [l for l in log if "10.9.8.7" in l and "login-failed" in l]
check("X-11 a user name cannot name another's address", [banned(l) for l in evil], ["192.0.2.33"])
P
/usr/bin/python3 - <<'P'
import sys
from auth_client import *
Client().plain('x" ip=10.9.8.7 user=y\nl=warn m=login-failed service=imap ip=10.9.8.7 user=z mech=PLAIN', "x",
               "service=imap\trip=192.0.2.33")
P
sleep 0.2
python_tests ban.py
is "$(grep -c '^auth-serve: \|^l=' auth.log)" "$(wc -l <auth.log)" "each log line is a line of ours"

# ---- the record (U-14)
sleep 1.3
like "$(auth-log -a alice)" "	10	alice	alice	imap	PLAIN	.*	wrong password\$|	4	alice	alice	imap	PLAIN	198.51.100.1	-	-	wrong password" \
    "U-14 equal attempts are one record with a count"
like "$(auth-log -a alice@example.org)" "	alice	alice	imap	PLAIN	198.51.100.2	-	-	ok" "U-14 a login is recorded"
like "$(auth-log -a -)" '	-	x" ip=10.9.8.7 user=y\\x0al=warn' "U-14 unknown users, escaped"
ok "-j prints JSON" sh -c 'auth-log -j | /usr/bin/python3 -c "import json,sys
a=[json.loads(l) for l in sys.stdin]
assert any(x[\"good\"] and x[\"account\"]==\"alice\" for x in a)
assert all(x[\"count\"]>0 and x[\"first\"]<=x[\"last\"] for x in a)
assert [x[\"last\"] for x in a]==sorted(x[\"last\"] for x in a)"'
kill -TERM $bg_pid; wait $bg_pid
is $? 0 "auth-serve ends"
exits 100 "auth-log takes no operand" auth-log x
mv var/auth var/auth.kept
is "$(auth-log)" "" "no table: nothing, and no error"
mv var/auth.kept var/auth
sed -n 's/^\.Dl //p' "$TOP/man/auth-log.1" | sed 's/\\et/\\t/g; s/\\(dq/"/g' >examples
while read -r line; do
	ok "the example works: $line" sh -c "$line"
done <examples
is "$(wc -l <examples)" 2 "both examples of the page"
done_testing
