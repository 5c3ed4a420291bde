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
# one script wants a second user
printf '[account]\naddress = mail2@localhost\n' >"$PIPEMAIL_ETC/accounts/mail2.conf"
config-compile && echo "$PW" | passwd-set -a mail2 && store-mailbox -c -a mail2 neutral || exit 111
# and does not say that it wants two messages
cp -R "$IMAPTEST/src/tests" scripts
grep -q '^messages:' scripts/urlauth2 || sed -i '/^connections:/a messages: 2' scripts/urlauth2
# a mailbox where mail gets no $NotJunk: the scripts know of no such flag
talk() { timeout 300 "$IMAPTEST/src/imaptest" box=neutral host=127.0.0.1 port=$((B + 143)) user=mail@localhost user2=mail2@localhost pass="$PW" "$@" >out 2>&1; }
talk test=scripts
is "$?" 0 "I-25 the scripts of imaptest: none fails"
like "$(cat out)" 'groups: 0 failed, 0 skipped' "I-25 none is skipped, and it says so"
tail -3 out | sed 's/^/# /'
printf 'From a@example.org Fri Nov 20 12:00:00 2026\nFrom: a@example.org\nSubject: one\n\none\n\nFrom b@example.org Fri Nov 20 12:00:00 2026\nFrom: b@example.org\nSubject: two\n\ntwo\n\n' >mbox
talk mbox=mbox clients=5 secs=5
is "$? $(grep -cE 'BUG|Error|Fatal' out)" "0 0" "I-25 five clients for five seconds: nothing to complain of"
instance_stop
is "$(verifydata)" "" "I-25 and verifydata is content"
done_testing
