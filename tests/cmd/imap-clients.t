#!/bin/sh
# imap-clients.t - what clients do that the standard does not have (I-17)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
# tagged COMMANDS: only how each ended
tagged() { session "$1" | grep -v '^\*' | sed 's/ \[.*\]//'; }
is "$(tagged 'a CREATE Archive/2026/\r\nb SELECT Archive/2026/\r\nc STATUS Archive/2026/ (MESSAGES)\r\nd SUBSCRIBE Archive/2026/\r\ne RENAME Archive/2026/ New/\r\nf DELETE New/\r\ng SELECT inbox/\r\nh SELECT Archive//\r\n')" \
"a OK CREATE done
b OK SELECT done
c OK STATUS done
d OK SUBSCRIBE done
e OK RENAME done
f OK DELETE done
g OK SELECT done
h NO $(tagged 'h SELECT a//b\r\n' | cut -d' ' -f3-)" \
    "I-17 a final delimiter in the name of a mailbox (Thunderbird and others); only one"
printf 'Subject: x\n\nx\n' >m
append_line a INBOX '' m | imap-serve -a alice >/dev/null 2>&1
printf '%s\r\n' 'a SELECT INBOX' 'b STORE 1 +FLAGS (\Seen) (UNCHANGEDSINCE 1)' \
    'c STORE 1 +FLAGS.SILENT (\Seen) (UNCHANGEDSINCE 999999)' 'd STORE 1 +FLAGS \Flagged' \
    'e STORE 1 (UNCHANGEDSINCE 1) FLAGS () (UNCHANGEDSINCE 1)' 'f STORE 1 FLAGS () (OTHER 1)' 'g STORE 1 FLAGS () ' >in
is "$(imap-serve -a alice <in 2>/dev/null | tr -d '\r' | grep '^[b-g] ' | cut -d' ' -f1-3)" \
"b OK [MODIFIED
c OK STORE
d OK STORE
e BAD too
f BAD unknown
g BAD too" "I-17 imapflow: the condition of STORE behind the flags (RFC 7162 has it in front)"
verifydata >out 2>&1
is "$?" 0 "verifydata finds nothing"
done_testing
