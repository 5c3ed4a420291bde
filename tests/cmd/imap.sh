# imap.sh - what the tests of the IMAP programs share: an instance in $TMP
# with the accounts alice and bob, and results of Python scripts as TAP
imap_setup() {
	mkdir -p etc/domains etc/accounts var run
	PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run
	export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN
	printf '[server]\nhostname = mail.example.org\nsize-limit = 1M\n%s\n' \
	    "${1:-}" >etc/main.conf
	echo '[domain]' >etc/domains/example.org.conf
	# what is asked here is of IMAP: nobody else sets flags
	printf '[account]\njunk-flags = no\naddress = alice@example.org\naddress = @example.org\n' \
	    >etc/accounts/alice.conf
	printf '[account]\njunk-flags = no\naddress = b\303\266b@example.org\naddress = bob@example.org\nquota = 20K\n' \
	    >etc/accounts/bob.conf
	config-compile || exit 111
}

# Lines "NAME<TAB>ok", "NAME<TAB>skip why" or "NAME<TAB>what was wrong" of a
# Python script
python_tests() {
	if /usr/bin/python3 "$@" >py.out 2>py.err; then
		py_code=0
	else
		py_code=$?
	fi
	while IFS="$(printf '\t')" read -r py_name py_result; do
		case $py_result in
		skip\ *) skip "$py_name" "${py_result#skip }" ;;
		*) is "$py_result" ok "$py_name" ;;
		esac
	done <py.out
	is "$py_code $(cat py.err)" "0 " "${1##*/} ran to its end"
}

# What imap-serve announces (RFC 9051 7.2.2)
imap_capabilities="IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN SPECIAL-USE CONDSTORE QRESYNC ESEARCH SEARCHRES WITHIN PARTIAL STATUS=SIZE SAVEDATE PREVIEW OBJECTID SORT SORT=DISPLAY ESORT THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT CONTEXT=SEARCH CONTEXT=SORT MULTISEARCH INPROGRESS UIDONLY LIST-EXTENDED LIST-STATUS LIST-METADATA CREATE-SPECIAL-USE METADATA QUOTA QUOTA=RES-STORAGE BINARY UTF8=ACCEPT MULTIAPPEND CATENATE REPLACE URLAUTH URLAUTH=BINARY COMPRESS=DEFLATE NOTIFY FILTERS APPENDLIMIT=1048576 MESSAGELIMIT=1000000"

# What differs from run to run out of a transcript; \Recent, which depends on
# who looked before, has imap-recent.t
imap_steady() {
	sed -E 's/^\* [0-9]+ RECENT/* N RECENT/
	    s/FLAGS \(\\Recent ?/FLAGS (/
	    s/(UIDVALIDITY|APPENDUID|COPYUID) [0-9]{9,}/\1 V/
	    s/MAILBOXID \(F[0-9a-f]+\)/MAILBOXID (F)/
	    s/HIGHESTMODSEQ [0-9]+/HIGHESTMODSEQ N/
	    s/INTERNALDATE "[^"]*"/INTERNALDATE D/' | tr -d '\r'
}

# session COMMANDS [ACCOUNT]: what imap-serve says after its greeting
session() {
	printf "$1" | imap-serve -a "${2:-alice}" 2>session.err | imap_steady |
	    sed 1d
}
# selected MAILBOX COMMANDS: after SELECT, without its replies
selected() {
	session "s SELECT $1\r\n$2" | sed '1,/^s OK/d'
}
# examine COMMANDS: replies in an examined INBOX, without those of EXAMINE
examine() {
	session "s EXAMINE INBOX\r\n$1" | sed '1,/^s OK/d'
}
# append_line TAG MAILBOX REST FILE: APPEND with the file in CRLF form
append_line() {
	sed 's/$/\r/' "$4" >lit
	printf '%s APPEND %s %s{%s+}\r\n' "$1" "$2" "$3" "$(wc -c <lit)"
	cat lit
	printf '\r\n'
}
