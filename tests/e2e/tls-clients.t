#!/bin/sh
# tls-clients.t - the mail clients of others log in behind TLS: each mechanism
# they have, right and wrong passwords, client certificates
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
. "$TOP/tests/cmd/imap.sh"
need s6-svscan execlineb openssl
instance_start
imap=$((B + 143)) submissions=$((B + 465)) submission=$((B + 587)) imaps=$((B + 993))
ca=$TMP/ls/etc/tls/localhost.pem
export HOME="$TMP" TERM=screen
for k in laptop other; do
	auth-key gen $k >/dev/null && cat $k.cert.pem $k.key.pem >$k.pem || exit 111
done
auth-key add -a mail -n laptop <laptop.cert.pem >/dev/null || exit 111
printf 'From: mail@localhost\nTo: mail@localhost\nSubject: by a client\n\ntext\n' >m1
store-deliver -a mail <m1 || exit 111
has() {
	command -v "$1" >/dev/null 2>&1 && return
	skip "$1" "$1 is not installed"
	return 1
}
# both NAME WANT COMMAND: what it prints with a wrong password is not WANT, with
# the right one it is; COMMAND reads $pw
both() {
	b_name=$1 b_want=$2; shift 2
	pw=wrong-password
	b_got=$("$@" 2>&1 | tail -1)
	ok "$b_name, wrong password ($(printf '%s' "$b_got" | tr -d '\r' | cut -c1-60))" test "x$b_got" != "x$b_want"
	pw=$PW
	is "$("$@" 2>&1 | tail -1)" "$b_want" "$b_name"
}

# openssl
s_client() { # INPUT ARGUMENT...
	s_input=$1; shift
	(sleep 0.7; printf "$s_input"; sleep 0.7) | timeout 20 openssl s_client -quiet -CAfile "$ca" "$@" 2>/dev/null | tr -d '\r'
}
k='-cert laptop.pem -key laptop.pem'
o='-cert other.pem -key other.pem'
like "$(s_client 'a LOGOUT\r\n' -connect localhost:$imaps $k)" '^\* PREAUTH .* as mail$' "I-11 openssl, client certificate: PREAUTH"
like "$(s_client 'a LOGOUT\r\n' -connect localhost:$imaps $o)" '^\* OK' "openssl, one that nobody registered"
like "$(s_client 'a AUTHENTICATE EXTERNAL =\r\nb LOGOUT\r\n' -connect localhost:$imap -starttls imap $k)" '^a OK' "U-8 openssl -starttls imap, EXTERNAL"
like "$(s_client 'a AUTHENTICATE EXTERNAL =\r\nb LOGOUT\r\n' -connect localhost:$imap -starttls imap $o)" '^a NO' "with the other: NO"
mail='EHLO me\r\nMAIL FROM:<mail@localhost>\r\nQUIT\r\n'
like "$(s_client "$mail" -connect localhost:$submissions $k)" '^250 2.1.0' "U-10 openssl, client certificate: mail without AUTH"
like "$(s_client "$mail" -connect localhost:$submission -starttls smtp $k)" '^250 2.1.0' "U-10 openssl -starttls smtp"
like "$(s_client 'EHLO me\r\nAUTH EXTERNAL =\r\nQUIT\r\n' -connect localhost:$submission -starttls smtp $o)" '^535' "with the other: 535"

# swaks
by_swaks() { swaks --server localhost --helo localhost --from mail@localhost --to mail@localhost --data @m1 "$@" >swaks.out 2>&1; echo $?; }
swaks_auth() { by_swaks "$@" --auth-user mail@localhost --auth-password $pw; }
if has swaks; then
	for m in PLAIN LOGIN CRAM-MD5; do
		both "swaks STARTTLS $m" 0 swaks_auth --port $submission --tls --auth $m
		both "swaks TLS $m" 0 swaks_auth --port $submissions --tlsc --auth $m
	done
	is "$(by_swaks --port $submission --tls --tls-cert laptop.cert.pem --tls-key laptop.key.pem)" 0 "U-10 swaks STARTTLS, client certificate"
	is "$(by_swaks --port $submissions --tlsc --tls-cert laptop.cert.pem --tls-key laptop.key.pem)" 0 "U-10 swaks TLS, client certificate"
	is "$(by_swaks --port $submissions --tlsc --tls-cert other.cert.pem --tls-key other.key.pem)" 23 "another certificate: MAIL is refused"
fi

# gsasl: channel binding tls-exporter where it has it
by_gsasl() { # PROTOCOL PORT ARGUMENT...
	g_proto=$1 g_port=$2; shift 2
	echo | timeout 20 gsasl --$g_proto --connect localhost:$g_port --x509-ca-file= "$@" >gsasl.out 2>&1
	grep -Eo 'Client authentication finished|^(535|. NO)' gsasl.out
}
gsasl_auth() { by_gsasl "$@" -a mail@localhost -p $pw; }
done_by_gsasl='Client authentication finished'
if has gsasl; then
	for m in PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS; do
		case $m in *-PLUS) cb= ;; *) cb=--no-cb ;; esac
		both "U-2 gsasl IMAP $m" "$done_by_gsasl" gsasl_auth imap $imap $cb --mechanism $m
		both "U-2 gsasl SMTP $m" "$done_by_gsasl" gsasl_auth smtp $submission $cb --mechanism $m
	done
	for k in laptop other; do
		[ $k = laptop ] && want=$done_by_gsasl || want=
		set -- --x509-cert-file=$k.cert.pem --x509-key-file=$k.key.pem --mechanism EXTERNAL -z ''
		like "$(by_gsasl imap $imap "$@")" "^${want:-. NO}$" "U-8 gsasl IMAP EXTERNAL: $k"
		like "$(by_gsasl smtp $submission "$@")" "^${want:-535}$" "U-8 gsasl SMTP EXTERNAL: $k"
	done
fi

# curl
imap_url() { curl -s --cacert "$ca" "$@" -X 'SEARCH SUBJECT "by a client"' | tr -d '\r' | grep -o '^\* SEARCH 1'; }
smtp_url() { curl -s --cacert "$ca" "$@" --mail-from mail@localhost --mail-rcpt mail@localhost --crlf -T m1; echo $?; }
curl_imaps() { imap_url --url "imaps://localhost:$imaps/INBOX" -u "mail@localhost:$pw" "$@"; }
curl_imap() { imap_url --ssl-reqd --url "imap://localhost:$imap/INBOX" -u "mail@localhost:$pw" "$@"; }
curl_smtps() { smtp_url --url "smtps://localhost:$submissions" -u "mail@localhost:$pw" "$@"; }
curl_smtp() { smtp_url --ssl-reqd --url "smtp://localhost:$submission" -u "mail@localhost:$pw" "$@"; }
if has curl; then
	for m in PLAIN LOGIN CRAM-MD5; do
		both "curl imaps $m" '* SEARCH 1' curl_imaps --login-options AUTH=$m
		both "curl smtps $m" 0 curl_smtps --login-options AUTH=$m
	done
	both "curl imap, STARTTLS" '* SEARCH 1' curl_imap
	both "curl smtp, STARTTLS" 0 curl_smtp
	key='--cert laptop.cert.pem --key laptop.key.pem'
	is "$(imap_url --url "imaps://localhost:$imaps/INBOX" $key)" '* SEARCH 1' "I-11 curl imaps --cert: PREAUTH"
	is "$(imap_url --ssl-reqd --url "imap://localhost:$imap/INBOX" $key -u mail@localhost: --login-options AUTH=EXTERNAL)" '* SEARCH 1' "U-8 curl imap --cert, STARTTLS: EXTERNAL"
	is "$(smtp_url --url "smtps://localhost:$submissions" $key)" 0 "U-10 curl smtps --cert"
	is "$(smtp_url --ssl-reqd --url "smtp://localhost:$submission" $key -u mail@localhost: --login-options AUTH=EXTERNAL)" 0 "U-8 curl smtp --cert, STARTTLS: EXTERNAL"
	is "$(imap_url --url "imaps://localhost:$imaps/INBOX" --cert other.cert.pem --key other.key.pem)" '' "curl with another certificate"
	is "$(smtp_url --url "smtps://localhost:$submissions" --cert other.cert.pem --key other.key.pem)" 55 "nor does it send"
fi

# msmtp
by_msmtp() { msmtp -C /dev/null --host=localhost --tls=on --tls-trust-file="$ca" --from=mail@localhost "$@" mail@localhost <m1 >msmtp.out 2>&1; echo $?; }
msmtp_auth() { by_msmtp "$@" --user=mail@localhost --passwordeval="echo $pw"; }
if has msmtp; then
	for m in plain login cram-md5 scram-sha-1 scram-sha-256; do
		both "msmtp STARTTLS $m" 0 msmtp_auth --port=$submission --tls-starttls=on --auth=$m
		both "msmtp TLS $m" 0 msmtp_auth --port=$submissions --tls-starttls=off --auth=$m
	done
	key='--tls-cert-file=laptop.cert.pem --tls-key-file=laptop.key.pem'
	is "$(by_msmtp --port=$submissions --tls-starttls=off $key)" 0 "U-10 msmtp TLS, client certificate"
	is "$(by_msmtp --port=$submission --tls-starttls=on $key --auth=external --user=mail@localhost)" 0 "U-8 msmtp STARTTLS, client certificate, EXTERNAL"
fi

# mbsync
mbsync_rc() { # PORT SSLTYPE LINE...
	rm -rf mb; mkdir mb
	printf 'IMAPAccount a\nHost localhost\nPort %s\nSSLType %s\nCertificateFile %s\n' "$1" "$2" "$ca" >rc
	shift 2
	printf '%s\n' "$@" >>rc
	printf '\nIMAPStore r\nAccount a\n\nMaildirStore l\nPath %s/mb/\nInbox %s/mb/INBOX\n\nChannel c\nFar :r:\nNear :l:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n' "$TMP" "$TMP" >>rc
	timeout 60 mbsync -c rc c >mbsync.out 2>&1 || echo "$(tail -1 mbsync.out)"
	grep -lr '^Subject: by a client' mb | head -1 | grep -c .
}
mbsync_auth() { m_port=$1 m_type=$2; shift 2; mbsync_rc $m_port $m_type 'User mail@localhost' "Pass $pw" "$@"; }
if has mbsync; then
	both "mbsync TLS" 1 mbsync_auth $imaps IMAPS
	both "mbsync STARTTLS, LOGIN" 1 mbsync_auth $imap STARTTLS 'AuthMechs LOGIN'
	key="ClientCertificate $TMP/laptop.cert.pem
ClientKey $TMP/laptop.key.pem"
	is "$(mbsync_rc $imaps IMAPS "$key")" 1 "I-11 mbsync TLS, client certificate"
	is "$(mbsync_rc $imap STARTTLS "$key" 'AuthMechs EXTERNAL' 'User mail@localhost' | tail -1)" 1 "U-8 mbsync STARTTLS, client certificate, EXTERNAL"
fi

# neomutt
in_neomutt() { # PATTERN LINE...: is it on the screen?
	n_pattern=$1 n_count=$((n_count + 1)); shift
	# a socket each: the server of the last one may still be going down
	T="tmux -S $TMP/tmux$n_count.sock -f /dev/null"
	cat >muttrc <<-M
	set folder = "imaps://mail%40localhost@localhost:$imaps/"
	set imap_user = "mail@localhost"
	set spoolfile = "imaps://localhost:$imaps/INBOX"
	set certificate_file = "$ca"
	set header_cache = ""
	M
	printf '%s\n' "$@" >>muttrc
	$T new-session -d -x 100 -y 12 "neomutt -F $TMP/muttrc 2>mutt.err"
	wait_for 15 sh -c "$T capture-pane -p | grep -q '$n_pattern'"
	n_code=$?
	$T kill-server 2>/dev/null
	return $n_code
}
n_count=0
if has neomutt && has tmux; then
	ok "neomutt imaps, wrong password" in_neomutt 'Unable to open mailbox' 'set imap_pass = "wrong-password"'
	ok "neomutt imaps" in_neomutt 'by a client' "set imap_pass = \"$PW\""
	ok "I-11 neomutt imaps, client certificate" in_neomutt 'by a client' "set ssl_client_cert = \"$TMP/laptop.pem\""
fi

# Python and node
python_tests "$TOP/tests/e2e/tls-clients.py" $B "$PW" "$ca"
if [ -d "${NODE_CLIENTS:-/nonexistent}/imapflow" ] && [ -d "$NODE_CLIENTS/nodemailer" ]; then
	timeout 120 node "$TOP/tests/e2e/tls-clients.js" $B "$PW" "$ca" >node.out 2>node.err
	node_code=$?
	while IFS="$(printf '\t')" read -r name result; do
		is "$result" ok "$name"
	done <node.out
	is "$node_code $(cat node.err)" "0 " "tls-clients.js ran to its end"
else
	skip "imapflow and nodemailer" "NODE_CLIENTS does not name a folder with them"
fi
is "$(cat ls/log/*/current | grep -cF "$PW")" 0 "no password is logged"
instance_stop
done_testing
