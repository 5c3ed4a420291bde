#!/bin/sh
# imaptest.t - Dovecot's tester against an instance: its scripts, all of them,
# then many clients at once. IMAPTEST names its source tree, built.
. "$(dirname "$0")/../tap.sh"
need localserve verifydata
. "$TOP/tests/e2e/instance.sh"
if [ ! -x "${IMAPTEST:-}/src/imaptest" ]; then
	skip "I-25 imaptest" "IMAPTEST does not name a tree that is built"
	done_testing
	exit
fi
instance_start
# a mailbox where mail gets no $NotJunk: the scripts know of no such flag
talk() { timeout 300 "$IMAPTEST/src/imaptest" box=neutral host=127.0.0.1 port=$((B + 143)) user=mail@localhost pass="$PW" "$@" >out 2>&1; }
talk test="$IMAPTEST/src/tests"
is "$?" 0 "I-25 the scripts of imaptest: none fails"
like "$(cat out)" 'groups: 0 failed' "I-25 and it says so"
tail -3 out | sed 's/^/# /'
printf 'From a@example.org Fri Nov 20 12:00:00 2026\nFrom: a@example.org\nSubject: one\n\none\n\nFrom b@example.org Fri Nov 20 12:00:00 2026\nFrom: b@example.org\nSubject: two\n\ntwo\n\n' >mbox
talk mbox=mbox clients=5 secs=5
is "$? $(grep -cE 'BUG|Error|Fatal' out)" "0 0" "I-25 five clients for five seconds: nothing to complain of"
instance_stop
is "$(verifydata)" "" "I-25 and verifydata is content"
done_testing
