#!/bin/sh
# owners.t - what commands make when root runs them (O-1, X-2)
. "$(dirname "$0")/../tap.sh"
[ "$(id -u)" = 0 ] || skip_all "needs root, whose files are looked at"
PIPEMAIL_USER_NET=61001 PIPEMAIL_USER_TLS=61002 PIPEMAIL_USER_AUTH=61003
PIPEMAIL_USER_MAIL=61004 PIPEMAIL_USER_JWKS=61006
PIPEMAIL_USER_QUEUE=61005 PIPEMAIL_USER_STS=61007
export PIPEMAIL_USER_QUEUE PIPEMAIL_USER_STS
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
export PIPEMAIL_USER_NET PIPEMAIL_USER_TLS PIPEMAIL_USER_AUTH PIPEMAIL_USER_MAIL PIPEMAIL_USER_JWKS
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
umask 0
config-check -p -f >/dev/null
printf '[server]\nhostname = mx.example.org\npostmaster = alice\n' >etc/main.conf
printf '[domain]\n' >etc/domains/example.org.conf
for a in alice bob; do
	printf '[account]\naddress = %s@example.org\n' $a >etc/accounts/$a.conf
done
# owners N FOLDER: all below belongs to user and group N
owners() { is "$(find "$2" \( ! -uid "$1" -o ! -gid "$1" \) | sort)" "" "$3"; }
modes() { is "$(find "$1" ! -type l -perm /077 | sort)" "" "$2"; }

(umask 077; config-compile)
is "$(stat -c '%u:%g %a' var/config.cdb)" "0:0 644" "X-2 config.cdb can be read whatever the umask"
mkdir -m 755 elsewhere && chown 61009:61009 elsewhere
PIPEMAIL_VAR=$TMP/elsewhere ok "config-compile in a folder of another's" config-compile
is "$(stat -c '%u:%g %a' elsewhere/config.cdb)" "61009:61009 644" "O-1 it leaves its file to the folder's owner"

ok "passwd-set" sh -c 'echo secret-password | passwd-set -a alice'
owners 61003 var/auth "O-1 verifiers root set belong to auth-serve's user"
ok "passwd-app" passwd-app add -a alice -n phone
ok "auth-totp" sh -c 'auth-totp set alice || auth-totp set -a alice'
ok "auth-key gen, list" sh -c 'auth-key gen k && auth-key list -a alice'
ok "auth-log" auth-log -a alice
rm -rf var/auth/* && ok "passwd-app, where nothing is yet" passwd-app add -a alice -n phone
owners 61003 var/auth "O-1 of all commands"
modes var/auth "X-2 nobody else's, with umask 0"

m='From: a@example.org\nSubject: s\nMessage-ID: <1@example.org>\n\nx\n'
ok "store-deliver, into a new account" sh -c "printf '$m' | store-deliver -a alice"
owners 61004 var/accounts "O-1 mail root delivered belongs to imap-serve's user"
ok "store-mailbox" store-mailbox -c -a alice Work/2026
ok "store-flag" store-flag -a alice +seen 1
ok "store-index -r" store-index -a alice -r
ok "store-list" store-list -a alice
ok "store-show" store-show -a alice 1
ok "store-deliver to another" sh -c "printf '$m' | store-deliver -a bob"
ok "verifydata, of all accounts" verifydata
ok "store-expunge" store-expunge -f -a alice 1
owners 61004 var/accounts "O-1 of all commands, for all accounts"
modes var/accounts "X-2 nobody else's, with umask 0"
chown -R 61007:61007 var/accounts/bob
chmod 711 var/accounts
ok "verifydata, where accounts have two owners" verifydata
owners 61007 var/accounts/bob "each keeps its own"
chown -R 61004:61004 var/accounts/bob
chmod 700 var/accounts
chmod 644 etc/main.conf etc/*/*.conf
exits 0 "O-1 config-check has nothing to mend" config-check -p
is "$(cat .out)" "" "nothing at all"

# root is led into no trap: it works as the folder's owner
ln -s "$TMP/etc/main.conf" var/accounts/alice/Maildir/tmp/trap
mv var/auth var/auth.old; mkdir -m 755 target
ln -s "$TMP/target" var/auth; chown -h 61003 var/auth
chown 61003 target; chmod 555 target
ok "X-1 files are made by the owner, not by root" sh -c '! echo other-password | passwd-set -a alice'
rm var/auth; mv var/auth.old var/auth

# ---- at the start of services ----
chmod 777 var/auth
exits 0 "O-1 -a mends" config-check -p -a -s
like "$(cat .out)" '/var/auth: mode 0777, now 0700' "and says so"
sed -i 's/^hostname.*/&\nno-fix-permissions = yes/' etc/main.conf
config-compile
chmod 777 var/auth
chmod 644 var/accounts/alice/index/data.mdb
exits 1 "O-1 -a only tells, with no-fix-permissions" config-check -p -a -s
is "$(cat .out)" "$TMP/var/auth: mode 0777, should be 0700" "the same line; -s leaves accounts' folders alone"
is "$(stat -c %a var/auth)" 777 "and nothing is changed"
exits 0 "-f asks nobody" config-check -p -f
for s in "$TOP"/service/*/run; do
	case $s in */relay-submit/run) continue ;; esac	# no server is there
	grep -q '^foreground { pipemail config-check -p -a -s }$' "$s" || echo "$s"
done >bad
is "$(cat bad)" "" "O-1 each service does that when it starts"
done_testing
