#!/bin/sh
# imap-recent.t - \Recent and RECENT (RFC 3501 2.3.2)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
imap_steady() {
	tr -d '\r' | grep -E '(RECENT|Recent|SEARCH|STATUS|FETCH|BYE)' | grep -v ' OK '
}
printf 'Subject: one\n\nx\n' >m
{ append_line a INBOX '' m; append_line b INBOX '(\Seen) ' m; } |
    imap-serve -a alice >/dev/null

is "$(session 'a STATUS INBOX (RECENT)\r\nb EXAMINE INBOX\r\nc FETCH 1 FLAGS\r\nd CLOSE\r\ne STATUS INBOX (RECENT)\r\n')" \
'* STATUS INBOX (RECENT 2)
* 2 RECENT
* 1 FETCH (FLAGS (\Recent))
* STATUS INBOX (RECENT 2)' "I-24 EXAMINE tells of recent messages and leaves them"
is "$(session 'e ENABLE IMAP4rev2\r\nb SELECT INBOX\r\nc FETCH 1 FLAGS\r\nd STATUS INBOX (RECENT)\r\n')" \
'* 1 FETCH (FLAGS ())
* STATUS INBOX (RECENT 2)' "I-24 IMAP4rev2 knows no \\Recent and takes none"
is "$(session 'a SELECT INBOX\r\nb FETCH 1:2 FLAGS\r\nc SEARCH RECENT\r\nd SEARCH NEW\r\ne SEARCH OLD\r\nf STATUS INBOX (RECENT)\r\ng STORE 1 FLAGS (\\Draft)\r\nh SELECT INBOX\r\n')" \
'* 2 RECENT
* 1 FETCH (FLAGS (\Recent))
* 2 FETCH (FLAGS (\Recent \Seen))
* SEARCH 1 2
* SEARCH 1
* SEARCH
* STATUS INBOX (RECENT 0)
* 1 FETCH (FLAGS (\Recent \Draft))
* 0 RECENT' "I-24 SELECT takes them: they are recent to this session alone"
append_line a INBOX '' m >in
is "$(session "a SELECT INBOX\\r\\n$(sed 's/%/%%/g; s/$/\\n/' in | tr -d '\n')b FETCH 2:3 FLAGS\\r\\nc SEARCH RECENT\\r\\nd SEARCH OLD\\r\\ne STATUS INBOX (RECENT)\\r\\nf COPY 3 INBOX\\r\\n")" \
'* 0 RECENT
* 1 RECENT
* 2 FETCH (FLAGS (\Seen))
* 3 FETCH (FLAGS (\Recent))
* SEARCH 3
* SEARCH 1 2
* STATUS INBOX (RECENT 0)
* 2 RECENT' "I-24 what comes while it is selected is recent too"
cat >two.py <<'E2'
import re, imap_talk
from imap_talk import Session, append, check
a, b, c = Session(), Session(), Session()
recent = lambda lines: [l for l in lines if "RECENT" in l or "Recent" in l]
re.sub = lambda pattern, to, s: s	# as it is told
a.do("SELECT Sent"), b.do("SELECT Sent")
append(c, "Subject: x\r\n\r\nx\r\n", "Sent")
check("I-24 the first to be told has it", recent(b.do("NOOP")), ["* 1 RECENT"])
check("I-24 the second has not", recent(a.do("NOOP")), ["* 0 RECENT"])
check("I-24 flags of the one", recent(b.do("FETCH 1 FLAGS")),
      ["* 1 FETCH (FLAGS (\\Recent))"])
check("I-24 flags of the other", recent(a.do("FETCH 1 FLAGS")), [])
E2
PYTHONPATH=$TOP/tests/cmd python_tests two.py
done_testing
