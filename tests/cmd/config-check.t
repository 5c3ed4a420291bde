#!/bin/sh
# config-check(8), make install-users, make install-dirs
. "$(dirname "$0")/../tap.sh"

exits 100 "nothing to check is wrong usage" config-check
like "$(cat .err)" '^config-check: fatal: usage: config-check -p' "usage line is given"
usage=$(sed -n 's/.*usage: //p' .err)
synopsis=$(mandoc -T utf8 "$TOP/man/config-check.8" | col -b |
    sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' | tr -s ' \t\n' ' ' |
    sed 's/^ //;s/ $//')
is "$usage" "$synopsis" "usage line is the manual's SYNOPSIS"
exits 100 "unknown option" config-check -p -x
exits 100 "operand" config-check -p x
PIPEMAIL_USER_MAIL=no-such-user exits 100 "no such user" config-check -p

# ---- as the calling user alone, as localserve does ----
mkdir -m 755 one one/etc one/var one/run one/var/auth one/var/accounts
mkdir -m 700 one/var/accounts/alice
: >one/var/auth/data.mdb
chmod 640 one/var/auth/data.mdb
single() {
	env PIPEMAIL_ETC="$TMP/one/etc" PIPEMAIL_VAR="$TMP/one/var" PIPEMAIL_RUN="$TMP/one/run" \
	    PIPEMAIL_USER_NET= PIPEMAIL_USER_TLS= PIPEMAIL_USER_AUTH= \
	    PIPEMAIL_USER_MAIL= PIPEMAIL_USER_JWKS= PIPEMAIL_USER_QUEUE= PIPEMAIL_USER_STS= config-check "$@"
}
exits 1 "O-1 what is open too far is found" single -p
is "$(sort .out)" "$TMP/one/var/accounts: mode 0755, should be 0700
$TMP/one/var/auth/data.mdb: mode 0640, should be 0600
$TMP/one/var/auth: mode 0755, should be 0700
$TMP/one/var: mode 0755, should be 0751" "one line for each"
is "$(stat -c %a one/var/auth)" 755 "nothing is changed"
exits 0 "O-1 -f mends it" single -p -f
like "$(cat .out)" '/one/var/auth: mode 0755, now 0700$' "and says so"
is "$(stat -c %a one/var one/var/auth one/var/auth/data.mdb | tr '\n' ' ')" "751 700 600 " \
	"the modes are right"
exits 0 "then all is right" single -p
is "$(cat .out)" "" "and nothing printed"
chmod 700 one/var one/etc
exits 0 "less than the table is right for one user" single -p
printf '[server]\nhostname = mx.example.org\n' >one/etc/main.conf
PIPEMAIL_ETC=$TMP/one/etc PIPEMAIL_VAR=$TMP/one/var config-compile
exits 0 "a configuration as it was written" single -p
sed -i 's/mx\.example/mx.exampla/' one/var/config.cdb
exits 1 "one with other bytes is not right" single -p
like "$(cat .err)" 'damaged or of another version: run config-compile$' "and what helps is told"

if [ "$(id -u)" != 0 ]; then
	skip "services under users of their own" "not run as root"
	done_testing
fi

# ---- services under their users ----
PIPEMAIL_USER_NET=61001 PIPEMAIL_USER_TLS=61002 PIPEMAIL_USER_AUTH=61003
PIPEMAIL_USER_MAIL=61004 PIPEMAIL_USER_JWKS=61006
PIPEMAIL_USER_QUEUE=61005 PIPEMAIL_USER_STS=61007
export PIPEMAIL_USER_QUEUE PIPEMAIL_USER_STS
PIPEMAIL_ETC=$TMP/m/etc PIPEMAIL_VAR=$TMP/m/var PIPEMAIL_RUN=$TMP/m/run
export PIPEMAIL_USER_NET PIPEMAIL_USER_TLS PIPEMAIL_USER_AUTH PIPEMAIL_USER_MAIL PIPEMAIL_USER_JWKS
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
mkdir m
exits 1 "folders that are missing" config-check -p
like "$(cat .out)" "/m/var: missing$" "are named"
exits 0 "-f makes them" config-check -p -f
exits 0 "EXAMPLES: a second time all is right" config-check -p -f
is "$(cat .out)" "" "and nothing is changed"
is "$(stat -c '%n %u:%g %a' m/etc m/etc/* m/var m/var/* m/run m/run/*)" \
"m/etc 0:0 755
m/etc/accounts 0:0 755
m/etc/dkim 0:0 700
m/etc/domains 0:0 755
m/etc/tls 0:0 700
m/var 0:0 751
m/var/accounts 61004:61004 700
m/var/auth 61003:61003 700
m/var/cache 0:0 751
m/var/jwks 61006:61003 2750
m/var/queue 61005:61005 700
m/var/spool 61001:61001 700
m/var/spool-mail 61004:61004 700
m/run 0:0 755
m/run/limits 0:0 755
m/run/metrics 0:0 755
m/run/watch 61004:61004 700" "owners and modes"

: >m/etc/tls/a.pem; chmod 644 m/etc/tls/a.pem
: >m/var/auth/data.mdb; chmod 600 m/var/auth/data.mdb
exits 1 "L-6 a key others can read, verifiers of another owner" config-check -p
is "$(cat .out)" "$TMP/m/etc/tls/a.pem: mode 0644, should be 0600
$TMP/m/var/auth/data.mdb: owner root:root, should be 61003:61003" "are found"
exits 0 "and mended" config-check -p -f
is "$(stat -c '%u:%g %a' m/etc/tls/a.pem m/var/auth/data.mdb | tr '\n' ' ')" \
	"0:0 600 61003:61003 600 " "by owner and mode"
chmod 711 m/var
exits 1 "less than the services need is found" config-check -p
like "$(cat .out)" "/m/var: mode 0711, should be 0751$" "by name"
config-check -p -f >/dev/null

# ---- a service that was taken over sets traps ----
: >secret; chmod 644 secret
ln -s "$TMP/secret" m/var/accounts/link
ln secret m/var/accounts/second
ln -s "$TMP" m/var/accounts/dir
exits 1 "a second name of a file is not given away" config-check -p -f
like "$(cat .err)" 'accounts/second: it has 2 names' "it is named"
is "$(stat -c '%u:%g' secret)" "0:0" "the file keeps its owner"
ok "symbolic links are not followed" sh -c '! grep -q accounts/link .out && ! grep -q accounts/dir .out'
rm m/var/accounts/link m/var/accounts/second m/var/accounts/dir
d=m/var/accounts; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do d=$d/d; done
mkdir -p "$d"
config-check -p -f >/dev/null
exits 0 "a tree of sixteen levels" config-check -p
mkdir "$d/d"
exits 1 "one level more is refused" config-check -p -f
like "$(cat .err)" 'cannot read .*/d/d: Too many levels' "and said"

# ---- make install-users, install-dirs: below DESTDIR ----
mkdir -p r/etc
: >r/etc/passwd; : >r/etc/group; : >r/etc/shadow; : >r/etc/gshadow
users() { make -s -C "$TOP" BUILD="${BUILD:-build}" DESTDIR="$TMP/r" install-users; }
exits 0 "install-users" users
is "$(grep -c ': created$' .out)" 14 "says what it made: seven users, seven groups"
is "$(cut -d: -f1 r/etc/passwd | tr '\n' ' ')" "pm-net pm-tls pm-auth pm-mail pm-queue pm-jwks pm-sts " "users"
is "$(cut -d: -f1 r/etc/group | tr '\n' ' ')" "pm-net pm-tls pm-auth pm-mail pm-queue pm-jwks pm-sts " "groups"
ok "no one can log in as them" sh -c '! grep -v ":/nonexistent:/usr/sbin/nologin$" r/etc/passwd'
cp r/etc/passwd before
exits 0 "install-users once more" users
is "$(grep -c ': is there$' .out)" 14 "finds them all"
ok "and changes nothing" cmp before r/etc/passwd
exits 0 "install-dirs" env -u PIPEMAIL_ETC -u PIPEMAIL_VAR -u PIPEMAIL_RUN \
	make -s -C "$TOP" DESTDIR="$TMP/d" ETCDIR=/e VARDIR=/v RUNDIR=/r \
	-o all install-dirs BUILD="${BIN%/bin}"
is "$(stat -c '%u %a' d/v d/v/auth d/e/tls | tr '\n' ' ')" "0 751 61003 700 0 700 " \
	"makes the folders with their owners"
done_testing
