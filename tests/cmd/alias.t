#!/bin/sh
# alias.t - addresses that stand for several, made and changed
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
main_conf
cat >etc/domains/example.org.conf <<'E'
# ours
[domain]
separators = +	# as it was

[alias "Old"]	# the first
# kept
member = alice@example.org	# a
# of bob
member = bob@example.org
post-public = no

# the last
[alias "z"]
member = bob@example.org
E
cp etc/domains/example.org.conf before
config-compile
conf=etc/domains/example.org.conf
tab=$(printf '\t')
for c in alias-add alias-update alias-remove alias-print; do
	exits 100 "$c without operands" $c
	exits 100 "$c -x" $c -x a b
done
exits 100 "no address" alias-add team alice@example.org
exits 100 "no domain of this server" alias-add team@else.example alice@example.org
like "$(cat .err)" 'else.example is no domain of this server' "is told"
exits 100 "it is there" alias-add OLD@example.org alice@example.org
exits 100 "no such member" alias-add team@example.org nobody@example.org
like "$(cat .err)" 'example.org.conf:[0-9]*: no account has the address "nobody@example.org"' "is told by the compiler"
exits 100 "external members need bounces-to" alias-add team@example.org x@else.example
exits 100 "an address of an account" alias-add alice@example.org bob@example.org
exits 100 "no such setting" alias-add -o member=x team@example.org alice@example.org
exits 100 "nor is this" alias-add -o post-public team@example.org alice@example.org
exits 100 "no alias to update" alias-update -o post-public=no nobody@example.org
exits 100 "nothing to update" alias-update old@example.org
exits 100 "none to remove" alias-remove nobody@example.org
exits 100 "none to print" alias-print alice@example.org
exits 100 "no member to remove" alias-update -r carol@example.org old@example.org
is "$(cat $conf)" "$(cat before)" "nothing was changed"

exits 0 "D-12 alias-add" alias-add -o bounces-to=alice@example.org -o poster=@club.example -o poster=X@club2.example Team@Example.org ALICE@example.org x@else.example
is "$(sed '1,/^\[alias "z"/d' $conf)" 'member = bob@example.org

[alias "team"]
bounces-to = alice@example.org
poster = @club.example
poster = X@club2.example
member = ALICE@example.org
external-member = x@else.example' "D-12 is written at the end"
is "$(sed '/^\[alias "z"/,$d' $conf)" "$(sed '/^\[alias "z"/,$d' before)" "all other lines and comments are kept"
is "$(alias-print TEAM@example.org)" "post-public${tab}yes${tab}-
list-members${tab}no${tab}-
allow-msg-from${tab}no${tab}-
bounces-to${tab}alice@example.org${tab}-
member${tab}alice@example.org${tab}alice
external-member${tab}x@else.example${tab}-
poster${tab}@club.example${tab}-
poster${tab}X@club2.example${tab}-" "D-12 alias-print; public unless it is said otherwise"
is "$(alias-list)" "old@example.org${tab}2${tab}0${tab}no${tab}no${tab}no
team@example.org${tab}1${tab}1${tab}yes${tab}no${tab}no
z@example.org${tab}1${tab}0${tab}yes${tab}no${tab}no" "D-12 alias-list"
is "$(alias-list -j example.org | sed -n 3p)" '{"alias":"z@example.org","members":1,"external_members":0,"post_public":true,"list_members":false,"allow_msg_from":false}' "in JSON"
exits 1 "alias-list of another domain" alias-list all.example
exits 0 "D-12 alias-remove" alias-remove team@EXAMPLE.org
is "$(cat $conf)" "$(cat before; echo)" "only its section is gone"

exits 0 "D-12 alias-update" alias-update -o post-public=yes -o list-members=yes -r BOB@example.org old@example.org small@example.org alice@example.org
is "$(sed -n '/Old/,/^# the last/p' $conf)" '[alias "Old"]	# the first
# kept
member = alice@example.org	# a
member = small@example.org
# of bob
post-public = yes
list-members = yes

# the last' "D-12 members and settings are changed"
exits 0 "a setting removed" alias-update -o post-public= old@example.org
is "$(grep -c post-public $conf)" 0 "is the default again"
exits 100 "the last member stays" alias-update -r bob@example.org z@example.org
like "$(cat .err)" 'has no member' "as the compiler says"
exits 0 "alias-remove in the middle" alias-remove old@example.org
is "$(cat $conf)" '# ours
[domain]
separators = +	# as it was


# the last
[alias "z"]
member = bob@example.org' "what stands above the next one stays"
exits 0 "a quoted local part" alias-add '"a b"@example.org' bob@example.org
is "$(alias-list | head -1 | cut -f1)" '"a b"@example.org' "is listed"
exits 0 "and removed" alias-remove '"A b"@example.org'

cp $conf before
echo nonsense >>etc/main.conf
exits 100 "a configuration with errors" alias-remove z@example.org
like "$(cat .err)" 'main.conf:' "is told"
is "$(cat $conf)" "$(cat before)" "and nothing was changed"
sed -i '$d' etc/main.conf
is "$(ls -A etc/domains | grep -v conf$)" "" "nothing is left beside"
printf '[account]\naddress = carol@example.org\n' >etc/accounts/carol.conf
for p in alias-add alias-update alias-list alias-print alias-remove; do
	sed -n 's/^\.Dl //p' "$TOP/man/$p.1"
done >examples
while read -r line; do
	ok "the example works: $line" sh -c "$line"
done <examples
done_testing
