#!/bin/sh
# imap-arrive.t - what comes into a mailbox by IMAP is treated as what is
# delivered is: junk flags, threads, quota, recipients of sent mail (I-15,
# J-12), which are on unless the account says no (J-13)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need /usr/bin/python3 mdb_dump
imap_setup
printf '[account]\naddress = alice@example.org\n' >etc/accounts/alice.conf
config-compile
python_tests "$TOP/tests/cmd/imap-arrive.py"
# whom alice wrote to, as delivery and judging ask
sent() { mdb_dump -p -s sent_to var/accounts/alice/index | grep -o '[a-z]*@*example.com' | sort -u | tr '\n' ' '; }
mdb_dump -p -s sent_to var/accounts/alice/index >sent.dump
for w in append copy move replace; do
	is "$(grep -c "by-$w" sent.dump)" 1 "I-15 $w into Sent: its recipients are known"
done
is "$(grep -c by-draft sent.dump)" 0 "I-15 a draft is not sent"
printf 'junk-flags = no\n' >>etc/accounts/alice.conf
config-compile
printf 'a APPEND Archive {4+}\r\nx\r\n\r\n\r\nb LOGOUT\r\n' | imap-serve -a alice >out
is "$(store-list -a alice -m Archive | tail -1 | cut -f3)" "" "J-13 switched off: what it had"
verifydata >out 2>&1
is "$?" 0 "verifydata finds nothing"
done_testing
