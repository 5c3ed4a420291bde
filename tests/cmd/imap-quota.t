#!/bin/sh
# imap-quota.t - QUOTA and QUOTA=RES-STORAGE (RFC 9208), NAMESPACE (RFC 2342),
# capabilities switched off for an account, long lines of ID
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
printf '[account]\naddress = c@example.org\nimap-capabilities-off = imap4rev2 METADATA X-NONE IMAP4rev1\n' \
    >etc/accounts/carol.conf
config-compile || exit 111

# bob has 20K
is "$(session 'a GETQUOTAROOT INBOX\r\nb GETQUOTA ""\r\nc GETQUOTA x\r\nd GETQUOTAROOT Nope\r\ne SETQUOTA "" (STORAGE 1)\r\nf GETQUOTAROOT inbox\r\n' bob)" \
'* QUOTAROOT INBOX ""
* QUOTA "" (STORAGE 0 20)
a OK GETQUOTAROOT done
* QUOTA "" (STORAGE 0 20)
b OK GETQUOTA done
c NO [NONEXISTENT] no such quota root
d NO [NONEXISTENT] no such mailbox
e BAD unknown command
* QUOTAROOT INBOX ""
* QUOTA "" (STORAGE 0 20)
f OK GETQUOTAROOT done' "I-5 QUOTA (RFC 9208): the root of an account with a limit"
is "$(session 'a GETQUOTAROOT INBOX\r\nb GETQUOTA ""\r\n')" \
'* QUOTAROOT INBOX
a OK GETQUOTAROOT done
b NO [NONEXISTENT] no such quota root' "I-5 QUOTA (RFC 9208): no limit, no root"
{ printf 'a APPEND INBOX {1025+}\r\n'; { printf 'Subject: x\r\n\r\n'; head -c 1011 /dev/zero | tr '\0' x; }
  printf '\r\nb GETQUOTA ""\r\n'
  printf 'c APPEND INBOX (\\Deleted) {16+}\r\nSubject: y\r\n\r\ny\n\r\nd GETQUOTA ""\r\ne STATUS INBOX (DELETED DELETED-STORAGE)\r\nf STATUS Sent (DELETED-STORAGE)\r\n'
} | imap-serve -a bob | imap_steady | sed 1d >out
is "$(cat out)" \
'a OK [APPENDUID V 1] APPEND done
* QUOTA "" (STORAGE 1 20)
b OK GETQUOTA done
c OK [APPENDUID V 2] APPEND done
* QUOTA "" (STORAGE 2 20)
d OK GETQUOTA done
* STATUS INBOX (DELETED 1 DELETED-STORAGE 17)
e OK STATUS done
* STATUS Sent (DELETED-STORAGE 0)
f OK STATUS done' "I-5 QUOTA=RES-STORAGE (RFC 9208): kilobytes, rounded up; DELETED-STORAGE"
is "$({ printf 'a APPEND INBOX {19500+}\r\n'; head -c 19500 /dev/zero | tr '\0' x; printf '\r\n'; } | imap-serve -a bob | sed 1d | tr -d '\r')" \
'a NO [OVERQUOTA] over quota' "I-5 S-13 QUOTA (RFC 9208): OVERQUOTA"
is "$(session 'a NAMESPACE\r\n')" '* NAMESPACE (("" "/")) NIL NIL
a OK NAMESPACE done' "I-2 NAMESPACE (RFC 2342)"

# ---- I-17 ----

imap-serve -a carol </dev/null | tr -d '\r' >out
is "$(grep -cE 'IMAP4rev2| METADATA' out) $(grep -c 'IMAP4rev1 LITERAL+ .* LIST-METADATA .* QUOTA=RES-STORAGE' out)" '0 1' \
    "I-17 imap-capabilities-off: not announced"
is "$(session 'a ENABLE IMAP4rev2 QRESYNC\r\n' carol)" '* ENABLED CONDSTORE QRESYNC
a OK ENABLE done' "I-17 imap-capabilities-off: not to be enabled"

# ---- I-13 ----

# id N: ID with N bytes in its line
id_line() {
	printf 'a ID ("k" "%s")\r\n' "$(head -c $(($1 - 13)) /dev/zero | tr '\0' v)"
}
is "$(id_line 65536 | imap-serve -a alice | tail -1 | tr -d '\r')" \
    'a OK ID done' "I-2 I-13 ID (RFC 2971): a line of 65536 bytes"
is "$(id_line 65537 | imap-serve -a alice | tail -1 | tr -d '\r')" \
    '* BYE line over 65536 bytes' "I-2 I-13 ID (RFC 2971): one byte more"
is "$(printf 'a NOOP\r\nb NOOP %s\r\n' "$(head -c 16377 /dev/zero | tr '\0' v)" | imap-serve -a alice | tail -1 | tr -d '\r')" \
    'b BAD too many arguments' "I-13 other commands: 16384 bytes"
is "$(printf 'a NOOP\r\nb NOOP %s\r\n' "$(head -c 16378 /dev/zero | tr '\0' v)" | imap-serve -a alice | tail -1 | tr -d '\r')" \
    '* BYE line over 16384 bytes' "I-13 other commands: one byte more"
done_testing
