#!/bin/sh
# auth-serve.t - the auth protocol on a socket, as Postfix and we use it
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup '
[auth]
failures-per-minute = 1000 1000 1000
failures-per-day = 1000 1000 1000'
printf '[account]\naddress = carol@example.org\nlogin-disabled = ask the admin, please\n' \
    >etc/accounts/carol.conf
config-compile
for a in alice bob carol; do
	echo "password of $a" | passwd-set -a $a || exit 111
done
exits 100 "an operand is refused" auth-serve x
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 test -S run/auth
python_tests "$TOP/tests/cmd/auth-serve.py"
like "$(cat auth.log)" 'm=login-failed service=smtp ip=192\.0\.2\.7 user=alice mech=PLAIN cid=s1 why="wrong password"' \
    "a failure is logged with its address"
like "$(cat auth.log)" 'm=login-failed .*why="unknown user"' \
    "the log knows the unknown user; the client was not told"
like "$(cat auth.log)" 'm=login service=smtp .*account=alice' "a login is logged"
is "$(grep -c 'password of' auth.log)" 0 "no password is logged"
kill -TERM $bg_pid
wait $bg_pid
is $? 0 "SIGTERM ends it with 0"
# by hand, on descriptors 0 and 1
is "$(printf 'VERSION\t1\t2\nCPID\t1\nAUTH\t1\tLOGIN\tservice=t\nCONT\t1\tYm9i\nCONT\t1\tcGFzc3dvcmQgb2YgYm9i\n' | auth-serve 2>/dev/null | sed '1,/^DONE/d')" \
"CONT	1	VXNlcm5hbWU6
CONT	1	UGFzc3dvcmQ6
OK	1	user=bob" "U-4 LOGIN asks for Username: and Password:"
rm -f var/config.cdb
like "$(printf 'VERSION\t1\t2\nCPID\t1\nAUTH\t1\tPLAIN\tservice=t\tresp=AGEAYg==\n' | auth-serve 2>/dev/null)" \
    '^FAIL	1	.*temp$' "without configuration every login fails for now"
done_testing
