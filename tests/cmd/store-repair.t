#!/bin/sh
# store-repair.t - the command: repairs of one mailbox, of all, of all
# accounts; tests/lib/store_repair_test.c has each damage
. "$(dirname "$0")/../tap.sh"

PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC
mkdir -p var/accounts/alice var/accounts/bob run
INBOX=$TMP/var/accounts/alice/Maildir
m() { printf 'From: a@example.org\nSubject: %s\n\nbody\n' "$1"; }
for i in 1 2 3; do m "m$i" | store-deliver -a alice; done
m s | store-deliver -a alice -m Sent
m b | store-deliver -a bob
uidvalidity() { store-mailbox -a alice | awk -F '\t' -v m="$1" '$1 == m { print $6 }'; }

old=$(uidvalidity INBOX); sent=$(uidvalidity Sent)
printf '77\n128\n' >"$INBOX/.uidvalidity"
exits 1 "S-22 verifydata complains of .uidvalidity" verifydata -a alice
is "$(store-repair -a alice -m INBOX bumpuidvalidity)" "alice	1" "S-22 bumpuidvalidity of a mailbox"
exits 0 "verifydata is content" verifydata -a alice
ok "the UIDVALIDITY is a higher one" test "$(uidvalidity INBOX)" -gt "$old"
is "$(head -1 "$INBOX/.uidvalidity")" "$(uidvalidity INBOX)" "in the folder too"
is "$(uidvalidity Sent)" "$sent" "another mailbox keeps its own"
f=$(ls "$INBOX"/new/*,U=2)
echo more >>"$f"
exits 1 "S-22 verifydata complains of a size" verifydata -a alice
is "$(store-repair -a alice reparse)" "alice	4" "reparse leaves a file that was written to for later"
is "$(store-repair -a alice fixmsgsize)" "alice	1" "S-22 fixmsgsize"
exits 0 "verifydata is content" verifydata -a alice
exits 1 "what was written to has another UID" test -e "$f"
like "$(ls "$INBOX"/new/*,U=4)" ",S=$(wc -c <"$(ls "$INBOX"/new/*,U=4)")," "the file's name has its size"
is "$(store-repair -a alice -m INBOX reassignuids)" "alice	3" "S-22 reassignuids"
is "$(store-list -a alice -m INBOX | cut -f 2,7 | tr '\t\n' ': ')" "5:m1 6:m3 7:m2 " "UIDs above all that were used"
for r in fixuidmeta ensureparsed recalculatemailboxcounts; do
	is "$(store-repair -a alice $r)" "alice	0" "S-22 $r finds nothing to do"
done
is "$(store-repair -a alice reparse)" "alice	4" "S-22 reparse reads all"
is "$(store-repair -a alice reassignthreads)" "alice	4" "S-22 reassignthreads"
is "$(store-repair openaccounts | sort)" "alice	0
bob	0" "S-19 S-22 openaccounts opens all accounts"
is "$(store-repair -a bob openaccounts)" "bob	0" "or one"
exits 0 "verifydata is content with all" verifydata

exits 100 "no such repair" store-repair -a alice everything
exits 100 "no account" store-repair reparse
exits 100 "no such account" store-repair -a nobody reparse
exits 100 "no such mailbox" store-repair -a alice -m None reparse
exits 100 "counts are the account's" store-repair -a alice -m INBOX recalculatemailboxcounts
exits 100 "no repair" store-repair -a alice
sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\.Dl //p' "$TOP/man/store-repair.8" >examples
while read -r line; do
	ok "store-repair(8) example: $line" sh -c "$line"
done <examples
done_testing
