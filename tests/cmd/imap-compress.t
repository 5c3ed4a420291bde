#!/bin/sh
# imap-compress.t - COMPRESS=DEFLATE (RFC 4978, I-9)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need /usr/bin/python3
imap_setup
python_tests "$TOP/tests/cmd/imap-compress.py"
verifydata >out 2>&1
is "$?" 0 "verifydata finds nothing"

# switched off for an account
printf '[account]\naddress = bob@example.org\nimap-capabilities-off = COMPRESS=DEFLATE\n' >etc/accounts/bob.conf
config-compile
is "$(session 'a COMPRESS DEFLATE\r\nb NOOP\r\n' bob)" "a NO [CANNOT] unknown compression
b OK NOOP done" "RFC 4978 COMPRESS=DEFLATE switched off (I-17)"
is "$(session 'a CAPABILITY\r\n' bob | grep -c COMPRESS)" 0 "and not announced"
done_testing
