#!/bin/sh
# imap-metadata.t - METADATA (RFC 5464)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

is "$(session '0 NOOP\r\na SETMETADATA INBOX (/shared/comment "shared" /Private/Comment {3+}\r\none /private/comment/a x)\r\nb SETMETADATA INBOX (/shared/comment "shared" /Private/Comment {3+}\r\none /private/comment/a "2" /private/comment/a/b "3")\r\nc GETMETADATA INBOX /private/comment\r\nd GETMETADATA inbox (/SHARED/comment "/private/comment/a/b" /private/none)\r\ne GETMETADATA INBOX /private/none\r\nf GETMETADATA Nope /private/x\r\ng GETMETADATA "" /private/comment\r\n')" \
'0 OK NOOP done
a BAD expected a string
b OK SETMETADATA done
* METADATA INBOX (/private/comment "one")
c OK GETMETADATA done
* METADATA INBOX (/private/comment/a/b "3" /shared/comment "shared" /private/none NIL)
d OK GETMETADATA done
* METADATA INBOX (/private/none NIL)
e OK GETMETADATA done
f NO [NONEXISTENT] no such mailbox
* METADATA "" (/private/comment NIL)
g OK GETMETADATA done' "I-6 METADATA (RFC 5464): set and got, names in any case"
is "$(session 'a GETMETADATA (DEPTH 0) INBOX /private/comment\r\nb GETMETADATA (DEPTH 1) INBOX /private/comment\r\nc GETMETADATA (DEPTH infinity) INBOX (/private)\r\nd GETMETADATA INBOX (DEPTH 1) /private\r\ne GETMETADATA (MAXSIZE 3) INBOX (/private/comment /shared/comment)\r\nf GETMETADATA INBOX (MAXSIZE 2 DEPTH INFINITY) (/private /shared)\r\ng GETMETADATA (MAXSIZE 6) INBOX /shared/comment\r\n')" \
'* METADATA INBOX (/private/comment "one")
a OK GETMETADATA done
* METADATA INBOX (/private/comment "one" /private/comment/a "2")
b OK GETMETADATA done
* METADATA INBOX (/private/comment "one" /private/comment/a "2" /private/comment/a/b "3")
c OK GETMETADATA done
* METADATA INBOX (/private/comment "one")
d OK GETMETADATA done
* METADATA INBOX (/private/comment "one")
e OK [METADATA LONGENTRIES 6] GETMETADATA done, some are longer
* METADATA INBOX (/private/comment/a "2" /private/comment/a/b "3")
f OK [METADATA LONGENTRIES 6] GETMETADATA done, some are longer
* METADATA INBOX (/shared/comment "shared")
g OK GETMETADATA done' "I-6 METADATA (RFC 5464): DEPTH and MAXSIZE, in front and behind"
is "$(session 'a SETMETADATA "" (/shared/comment "me" /private/bin ~{3+}\r\na\000b)\r\nb GETMETADATA "" (/shared/comment /private/bin)\r\nc SETMETADATA "" (/private/bin NIL)\r\nd GETMETADATA (DEPTH infinity) "" (/private /shared)\r\n' | tr '\0' '!')" \
'a OK SETMETADATA done
* METADATA "" (/private/bin ~{3}
a!b /shared/comment "me")
b OK GETMETADATA done
c OK SETMETADATA done
* METADATA "" (/shared/comment "me")
d OK GETMETADATA done' "I-6 METADATA (RFC 5464): of the account; any bytes; NIL removes"
is "$(session 'a SETMETADATA "" (/private/k "1" /shared/Admin "mailto:me")\r\nb GETMETADATA "" (/shared/admin /private/k)\r\nc SETMETADATA Trash (/shared/admin "x")\r\nd SETMETADATA Trash (/shared/admin NIL)\r\n')" \
'a NO [CANNOT] /shared/admin is read-only
* METADATA "" (/shared/admin NIL /private/k NIL)
b OK GETMETADATA done
c OK SETMETADATA done
d OK SETMETADATA done' "I-6 METADATA (RFC 5464 3.2.1.1): /shared/admin of the account is read-only, nothing is set by halves"
is "$(session 'a NOOP\r\nb SETMETADATA INBOX (/wrong "x")\r\nc SETMETADATA INBOX (/private "x")\r\nd SETMETADATA INBOX ("/private/a*" "x")\r\ne SETMETADATA INBOX ()\r\nf SETMETADATA INBOX (/private/a)\r\ng SETMETADATA INBOX /private/a "x"\r\nh GETMETADATA (DEPTH 2) INBOX /private/a\r\ni GETMETADATA (WIDTH 2) INBOX /private/a\r\nj GETMETADATA INBOX ()\r\nk GETMETADATA INBOX comment\r\nl SETMETADATA INBOX (/private/a ~"x")\r\nm SETMETADATA Nope (/private/a "x")\r\nn GETMETADATA INBOX ("/private/a%%")\r\n')" \
'a OK NOOP done
b BAD annotations begin with /private/ or /shared/
c BAD annotations begin with /private/ or /shared/
d BAD wrong byte in name of annotation
e BAD expected a string
f BAD syntax error
g BAD syntax error
h BAD DEPTH is 0, 1 or infinity
i BAD unknown GETMETADATA option
j BAD unknown GETMETADATA option
k BAD annotations begin with /private/ or /shared/
l BAD expected a literal
m NO [NONEXISTENT] no such mailbox
n BAD wrong byte in name of annotation' "I-6 METADATA (RFC 5464): what is wrong"
is "$(session 'a NOOP\r\nb GETMETADATA INBOX /private//a\r\nc GETMETADATA INBOX (/private/a /shared/a/)\r\nd GETMETADATA INBOX "/private/\303\251"\r\ne SETMETADATA INBOX (/private/vendor "x")\r\nf SETMETADATA INBOX (/shared/vendor/acme "x")\r\ng SETMETADATA INBOX (/shared/vendor/acme/k "x" /shared/vendors "y")\r\nh GETMETADATA (DEPTH infinity) INBOX /shared/vendor/acme\r\ni SETMETADATA INBOX (/shared/vendor/acme/k NIL /shared/vendors NIL)\r\nj SETMETADATA INBOX (/shared/vendor/acme/ "x")\r\n')" \
'a OK NOOP done
b BAD empty element in name of annotation
c BAD empty element in name of annotation
d BAD wrong byte in name of annotation
e BAD name of annotation is not whole
f BAD name of annotation is not whole
g OK SETMETADATA done
* METADATA INBOX (/shared/vendor/acme/k "x")
h OK GETMETADATA done
i OK SETMETADATA done
j BAD empty element in name of annotation' "I-6 METADATA (RFC 5464 3.2): names that are invalid are BAD in GETMETADATA too; names of vendors"

# ---- S-23 ----

{ for i in $(seq 994); do printf 'a SETMETADATA Sent (/private/%s "")\r\n' "$i"; done
  printf 'b SETMETADATA Sent (/private/995 "")\r\nc SETMETADATA Trash (/private/996 "")\r\nd SETMETADATA Sent (/private/1 "x")\r\n'
} | imap-serve -a alice | tr -d '\r' >out
is "$(grep -c '^a OK' out) $(tail -3 out)" '994 b OK SETMETADATA done
c NO [METADATA TOOMANY] too many annotations
d OK SETMETADATA done' "S-23 1000 annotations of an account and one more"
{ big=$(head -c 102400 /dev/zero | tr '\0' v)
  for i in $(seq 10); do printf 'a SETMETADATA "" (/private/big%02d {102400+}\r\n%s)\r\n' "$i" "$big"; done
  n=$((1048576 - 10 * (102400 + 14) - 14))
  printf 'b SETMETADATA "" (/private/big11 {%d+}\r\n%s)\r\n' $((n + 1)) "$(head -c $((n + 1)) /dev/zero | tr '\0' v)"
  printf 'c SETMETADATA "" (/private/big11 {%d+}\r\n%s)\r\n' $n "$(head -c $n /dev/zero | tr '\0' v)"
} | imap-serve -a bob | tr -d '\r' >out
is "$(grep -c '^a OK' out) $(tail -2 out)" '10 b NO [METADATA MAXSIZE 1048576] annotations are too long together
c OK SETMETADATA done' "S-23 1 MB of annotations and one byte more"
is "$(session 'a CREATE Box\r\nb SETMETADATA "" (/shared/comment NIL)\r\nc SETMETADATA Box (/private/k "v")\r\nd RENAME Box Other/Box\r\ne GETMETADATA Other/Box /private/k\r\nf DELETE Other/Box\r\ng CREATE Other/Box\r\nh GETMETADATA Other/Box /private/k\r\n')" \
'a OK [MAILBOXID (F)] CREATE done
b OK SETMETADATA done
c OK SETMETADATA done
d OK RENAME done
* METADATA Other/Box (/private/k "v")
e OK GETMETADATA done
f OK DELETE done
g OK [MAILBOXID (F)] CREATE done
* METADATA Other/Box (/private/k NIL)
h OK GETMETADATA done' "S-23 they stay with a mailbox that is renamed and go with it"
session 'a SETMETADATA "" (/private/big01 NIL)\r\n' bob >/dev/null
is "$(session 'a SETMETADATA INBOX (/private/k "of INBOX")\r\nb RENAME INBOX Old\r\nc GETMETADATA INBOX /private/k\r\nd GETMETADATA Old /private/k\r\n' bob)" \
'a OK SETMETADATA done
b OK RENAME done
* METADATA INBOX (/private/k "of INBOX")
c OK GETMETADATA done
* METADATA Old (/private/k "of INBOX")
d OK GETMETADATA done' "S-23 I-14 RENAME of INBOX copies its annotations (RFC 5464 4.1)"
is "$(verifydata -a alice >v.out 2>&1; echo $?)" 0 "S-23 verifydata is content"
done_testing
