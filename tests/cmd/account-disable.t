#!/bin/sh
# account-disable.t - logins stopped and allowed, the file kept as it is
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
cat >etc/accounts/alice.conf <<'C'
# Alice, since 2019

[account]	# the account
address = alice@example.org	# first
# login-disabled = not this one
full-name = "A # B"

[mailboxes]
sent = Gesendet
C
cp etc/accounts/alice.conf before
chmod 640 etc/accounts/alice.conf
config-compile
exits 100 "no account" account-disable
exits 100 "an operand" account-disable -a alice x
exits 100 "both options" account-disable -a alice -e -m x
exits 100 "no such account" account-disable -a nobody
exits 100 "no name at all" account-disable -a ../main
exits 100 "an empty text" account-disable -a alice -m ''
exits 0 "U-13 disable" account-disable -a alice -m 'ask # the "admin"'
is "$(config-get account alice login-disabled)" 'ask # the "admin"' "U-13 it is compiled"
sed 's/^\[account\].*/&\nlogin-disabled = "ask # the \\"admin\\""/' before >want
is "$(cat etc/accounts/alice.conf)" "$(cat want)" "all other lines and comments are kept"
is "$(stat -c %a etc/accounts/alice.conf)" 640 "and the mode"
exits 0 "another text" account-disable -a alice
like "$(cat etc/accounts/alice.conf)" '^login-disabled = login is disabled$' "in the same place"
is "$(grep -c '^login-disabled' etc/accounts/alice.conf)" 1 "once"
sed -i 's/^login-disabled.*/&	# by Eve/' etc/accounts/alice.conf
exits 0 "the text again, beside a comment" account-disable -a alice -m 'other'
like "$(cat etc/accounts/alice.conf)" '^login-disabled = other	# by Eve$' "which stays"
exits 0 "U-13 enable" account-disable -a alice -e
is "$(cat etc/accounts/alice.conf)" "$(sed 's/^\[account\].*/&\n# by Eve/' before)" "only the line is gone"
exits 0 "enabled again is no error" account-disable -a alice -e
: >etc/accounts/alice.conf
exits 0 "an empty file" account-disable -a alice -m x
is "$(cat etc/accounts/alice.conf)" "[account]
login-disabled = x" "gets its section"
cp etc/accounts/alice.conf before
exits 100 "a text that no line holds" account-disable -a alice -m 'a
b'
exits 100 "a line that is too long" account-disable -a alice -m "$(head -c 5000 /dev/zero | tr '\0' x)"
is "$(cat etc/accounts/alice.conf)" "$(cat before)" "nothing was changed"
echo nonsense >>etc/main.conf
exits 100 "a configuration with errors" account-disable -a alice -e
like "$(cat .err)" 'main.conf:' "is told"
is "$(cat etc/accounts/alice.conf)" "$(cat before)" "and nothing was changed"
sed -i '$d' etc/main.conf
is "$(ls -A etc/accounts)" "alice.conf
bob.conf" "nothing is left beside"
sed -n 's/^\.Dl //p' "$TOP/man/account-disable.1" | sed 's/\\(dq/"/g' >examples
while read -r line; do
	ok "the example works: $line" sh -c "$line"
done <examples
done_testing
