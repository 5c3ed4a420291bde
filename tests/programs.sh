# programs.sh - programs of others that use an account's Maildir; sourced after
# tap.sh
# programs_setup MAILDIR: mbsyncrc, whose channel c copies its INBOX to mirror
# and back, and muttrc
programs_setup() {
	mkdir mirror
	cat >mbsyncrc <<END
MaildirStore near
Inbox $1
SubFolders Maildir++

MaildirStore far
Inbox $TMP/mirror/
Path $TMP/mirror/
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns INBOX
Create Far
Sync All
Expunge Both
SyncState $TMP/state-
END
	cat >muttrc <<END
set mbox_type=Maildir
set folder=$1
set spoolfile=$1
set header_cache=
set confirmappend=no
set delete=yes
set quit=yes
set wait_key=no
END
}
