#!/bin/sh
# imap-notify.t - NOTIFY (RFC 5465; I-7)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

# ---- syntax ----

all="MessageNew MessageExpunge FlagChange AnnotationChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange"
while IFS='|' read -r rest want; do
	is "$(session "a NOOP\\r\\nb NOTIFY $rest\\r\\n" | tail -1)" \
	    "b $want" "I-7 NOTIFY (RFC 5465): NOTIFY $rest"
done <<-END
	NONE|OK NOTIFY done
	NONE x|BAD too many arguments
	GET|BAD expected SET or NONE
	SET|BAD missing argument
	SET (selected NONE)|OK NOTIFY done
	set status (SELECTED-delayed (messagenew MESSAGEexpunge))|OK NOTIFY done
	SET (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange AnnotationChange))|OK NOTIFY done
	SET (selected NONE) (selected-delayed NONE)|BAD the selected mailbox twice
	SET (selected (MailboxName))|BAD only of other mailboxes
	SET (personal (MessageNew))|BAD MessageNew and MessageExpunge go together
	SET (personal (MessageExpunge FlagChange))|BAD MessageNew and MessageExpunge go together
	SET (personal (AnnotationChange))|BAD MessageNew and MessageExpunge go together
	SET (personal (MessageNew (UID) MessageExpunge))|BAD attributes of the selected mailbox only
	SET (selected (MessageNew () MessageExpunge))|BAD unknown FETCH item
	SET (selected (MessageNew (UID NOPE) MessageExpunge))|BAD unknown FETCH item
	SET (personal ())|BAD expected an atom
	SET (personal MailboxName)|BAD syntax error
	SET (mailboxes (MailboxName))|BAD syntax error
	SET (mailboxes (a "b") (MailboxName)) (subtree x NONE) (inboxes (ServerMetadataChange)) (subscribed (SubscriptionChange MailboxMetadataChange))|OK NOTIFY done
	SET (everything (MailboxName))|BAD unknown selector of mailboxes
	SET (personal (MailboxName)|BAD syntax error
	SET (personal (MailboxName NewMail))|NO [BADEVENT ($all)] unknown event
	SET (personal (NewMail FlagChange)) (selected (MailboxName|BAD syntax error
END
{ printf 'a NOTIFY SET (mailboxes ('
  for i in $(seq 999); do printf 'b%d ' "$i"; done
  printf 'c) (MailboxName))\r\nb NOTIFY SET (mailboxes ('
  for i in $(seq 1000); do printf 'b%d ' "$i"; done
  printf 'c) (MailboxName))\r\n'
} >in
is "$(imap-serve -a alice <in | tr -d '\r' | sed 1d)" \
'a OK NOTIFY done
b NO [NOTIFICATIONOVERFLOW] too many names' "I-7 NOTIFY (RFC 5465): 1000 names and one more"

# ---- what is told ----

python_tests "$TOP/tests/cmd/imap-notify.py"
is "$(verifydata -a alice >v.out 2>&1; echo $?)" 0 "I-7 verifydata is content"
done_testing
