#!/bin/sh
# store-suspect.t - bytes changed in an index under a running machine: a
# program may end by a signal, and the next opening mends the index
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"

if [ "${SAN:-}" = 1 ]; then
	skip "an index that crashes a program" "sanitizers have handlers of their own"
	done_testing
fi
main_conf '' ''
mkdir -p run
ALICE=$TMP/var/accounts/alice
i=0
while [ $i -lt 120 ]; do
	printf 'From: a@example.org\nSubject: message number %d\n\nbody\n' $i | store-deliver -a alice
	i=$((i + 1))
done
# but for dates: those of files can be a second later
listed() { cut -f 1-4,6- "$1"; }
store-list -a alice >list && listed list >right
verifydata -a alice >found
is "$(cat found)" "" "an account in order"
cp "$ALICE/index/data.mdb" whole.mdb
pages=$(($(stat -c %s whole.mdb) / 4096))

# spoil FIRST LAST: these pages, in the file that is there, have impossible
# bounds and nodes outside of them
spoil() {
	at=$1
	while [ "$at" -le "$2" ]; do
		printf '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377' |
		    dd of="$ALICE/index/data.mdb" bs=1 seek=$((at * 4096 + 12)) conv=notrunc status=none
		at=$((at + 1))
	done
}
: >odd
crashed=0 failed=0 page=2
while [ $page -lt $pages ] && [ $page -lt 120 ]; do
	spoil $page $((page + 2))
	timeout 20 store-list -a alice >out 2>err
	code=$?
	[ $code -lt 128 ] || crashed=$((crashed + 1))
	[ $code = 0 ] || failed=$((failed + 1))
	if [ $code != 0 ]; then
		timeout 20 store-list -a alice >out 2>err
		code=$?
		listed out | cmp -s - right || echo "page $page: $code" >>odd
	fi
	rm -rf "$ALICE"/index.broken-*
	# whole again, in the same file
	dd if=whole.mdb of="$ALICE/index/data.mdb" conv=notrunc status=none
	rm -f "$ALICE/index/boot"
	store-list -a alice >out 2>&1
	page=$((page + 3))
done
ok "some pages end store-list by a signal, or it says that they are damaged ($crashed, $failed)" test "$failed" -gt 0
ok "by a signal, too" test "$crashed" -gt 0
is "$(cat odd)" "" "the next one has built the index anew, and lists what there was"

# lmtp-in, where a guard has its own handlers, and in its sandbox
restore() {
	rm -rf "$ALICE/index" "$ALICE"/index.broken-*
	store-list -a alice >/dev/null 2>&1
}
restore
start_lmtp
cat >one.py <<'E'
import smtplib, sys
try:
    c = smtplib.LMTP(sys.argv[1])
    c.sendmail("a@example.net", ["alice@example.org"], "Subject: x\r\n\r\nx\r\n")
    print(250)
except Exception as e:
    print("failed")
E
is "$(/usr/bin/python3 one.py "$TMP/run/lmtp")" 250 "mail is delivered"
spoil 2 $(($(stat -c %s "$ALICE/index/data.mdb") / 4096 - 1))
is "$(/usr/bin/python3 one.py "$TMP/run/lmtp")" failed "but not into a damaged index"
again() { [ "$(/usr/bin/python3 one.py "$TMP/run/lmtp")" = 250 ]; }
ok "and then it is" wait_for 10 again
ok "into an index that was built anew" test -d "$(echo "$ALICE"/index.broken-*)"
like "$(cat lmtp.log)" 'm=damaged-index' "which the log tells"
exits 0 "verifydata is content" verifydata -a alice
done_testing
