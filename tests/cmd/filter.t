#!/bin/sh
# filter - the filter contract of the checks run by hand, and that a pipeline
# of them gives the bytes the server gives (pipemail-filter(7))
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
main_conf

dkim-key -t ed25519 -o key.pem
record=$(dkim-key -p key.pem | tr -d '()" \n')
cat >>etc/main.conf <<END
[static-dns "sel._domainkey.example.net"]
txt = "$(echo "$record" | sed 's/;/; /g')"
END
config-compile || exit 111

printf 'From: a@example.net\nTo: alice@example.org\nSubject: one\nAuthentication-Results: mx.example.org; dkim=pass header.d=forged.example\nAuthentication-Results: other.example; spf=pass\n\nHello\n.dot\n\n' >plain
dkim-sign -f From:To:Subject -d example.net -s sel -k key.pem <plain >signed

export SENDER=a@example.net RECIPIENT=alice@example.org HELO=mail.example.net
export PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPLOCALIP=198.51.100.2

# ---- the same bytes from the server and from a pipeline ----
start_lmtp
# serve FILE: by smtp-in; into the Maildir
serve() {
	{
		printf 'EHLO %s\r\nMAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n' "$HELO" "$SENDER" "$RECIPIENT"
		sed 's/^\./../; s/$/\r/' "$1"; printf '.\r\nQUIT\r\n'
	} | env -u SENDER -u RECIPIENT -u HELO smtp-in 2>>err | grep -c '^250 2.0.0 ok'
}
n=0
# same STAGES FILE NAME: server with these stages, pipeline of them
same() {
	main_conf '' "stages-in = $1"
	sed -n '/_domainkey/,$p' saved >>etc/main.conf; config-compile || exit 111
	is "$(serve "$2")" 1 "$3: the server takes it"
	newest alice | steady >served
	cp "$2" piped
	for stage in $1; do
		"$stage" <piped >next || echo "$stage failed"
		mv next piped
	done
	store-deliver -a alice <piped
	is "$(newest alice | steady)" "$(cat served)" "$3: the pipeline gives the same bytes"
}
cp etc/main.conf saved
same 'spf-check dkim-verify' signed "spf-check and dkim-verify"
like "$(cat served)" '^	dkim=pass' "DKIM passes"
is "$(grep -c forged served)" 0 "R-35 forged results are gone"
is "$(grep -c other.example served)" 1 "R-35 results of others are left"
same 'iprev-check spf-check dkim-verify' signed "all three"
same 'iprev-check spf-check dkim-verify arc-verify' signed "B-3 all four"
like "$(cat served)" 'arc=none' "no chain"
like "$(cat served)" '^Received: from mail.example.net \(mail.example.net \[192\.0\.2\.1\]\)$' "R-6 the verified name"
same 'iprev-check spf-check dkim-verify dmarc-check' signed "A-5 all four"
like "$(tr -d '\n' <served)" 'dmarc=temperror.*header.from=example.net policy.dmarc=none.*policy.alignment=strict' "A-6 the class needs no record"
same 'dkim-verify iprev-check spf-check' plain "another order"
printf '#!/bin/sh\necho "X-Filter: $SENDER"\nexec cat\n' >"$TMP/add"; chmod +x "$TMP/add"
same "spf-check $TMP/add dkim-verify" signed "a filter in the middle"
printf '#!/bin/sh\nexec sed "s/Hello/Changed/"\n' >"$TMP/change"; chmod +x "$TMP/change"
same "$TMP/change dkim-verify spf-check" signed "a filter first, that changes the body"
like "$(cat served)" '^	dkim=fail' "DKIM fails then"
printf '#!/bin/sh\nexec sed "1,/^Received/d"\n' >"$TMP/strip"; chmod +x "$TMP/strip"
same "spf-check $TMP/strip iprev-check" plain "a filter that strips our fields"
printf 'just text, no header\n' >odd
same 'spf-check dkim-verify' odd "no header section"
printf ' folded first line\nSubject: x\n\nb\n' >odd
same 'spf-check dkim-verify' odd "a blank at the start"
printf '\nbody alone\n' >odd
same 'spf-check dkim-verify' odd "an empty header section"
cp saved etc/main.conf; config-compile

# ---- what a command trusts ----
forged='Authentication-Results: mx.example.org; iprev=pass
Received: from x (x [192.0.2.99]) by mx.example.org id 1; Fri, 20 Nov 2026 12:00:00 +0000
Subject: x
'
out=$(printf '%s\n' "$forged" | dkim-verify)
is "$(echo "$out" | grep -c 'iprev=pass')" 0 "a trusted block of another client is not trusted"
is "$(echo "$out" | grep -c '^Received:')" 2 "a Received field of our own is put in front"
out=$(printf '%s\n' "$forged" | sed 's/192.0.2.99/192.0.2.1/' | env PIPEMAIL_ID=secret dkim-verify)
is "$(echo "$out" | grep -c 'iprev=pass')" 0 "with PIPEMAIL_ID set only that id is trusted"
out=$(printf '%s\n' "$forged" | sed 's/id 1/id secret/; s/192.0.2.99/192.0.2.1/' | env PIPEMAIL_ID=secret dkim-verify)
is "$(echo "$out" | head -3)" "Authentication-Results: mx.example.org;
	iprev=pass;
	dkim=none" "and then its results are kept"
out=$(env -u SENDER -u HELO -u TCPREMOTEIP -u TCPLOCALIP -u PROTO spf-check <served)
is "$(echo "$out" | steady | sed 's/^	id.*/	id ID/')" "$(steady <served)" "a stored message brings its own envelope; running again changes nothing"
is "$(printf 'Subject: x\r\n\r\nb\r\n' | dkim-verify | tr -d -c '\r' | wc -c | tr -d ' ')" 0 "CRLF input becomes LF"

# ---- the manual's examples ----
page() { mandoc -T ascii -O width=300 "$TOP/man/pipemail-filter.7" | col -b; }
main_conf '' "$(page | grep -A2 '\[smtp-in\]' | sed '1d; s/^ *//')"
printf 'Subject: x\n\nxyzzy\n' >magic
is "$({ printf 'EHLO c\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n'; sed 's/$/\r/' magic; printf '.\r\n'; } | smtp-in 2>>err | tail -1 | tr -d '\r')" \
    "550 5.7.1 no magic here" "pipemail-filter(7): the filter refuses"
page | sed -n "/^[[:space:]]*printf 'Subject/,/spf-check/p" >example.sh
like "$(env -u HELO sh example.sh 2>>err)" '^	spf=[a-z]' "pipemail-filter(7): the check by hand"
cp saved etc/main.conf; config-compile

# ---- exit codes and -q ----
is "$(dkim-verify -q <signed | cut -f1,2,3)" "pass	example.net	sel" "-q prints the verdict"
exits 0 "-q pass" dkim-verify -q <signed
exits 1 "-q none" dkim-verify -q <plain
exits 1 "-q softfail and the like" spf-check -q -i 192.0.2.2 -h x -s a@example.net
exits 111 "-q temperror" spf-check -q -i 192.0.2.2 -h x -s a@unanswered.example
exits 100 "-i no address" spf-check -q -i nonsense
exits 100 "TCPREMOTEIP no address" env TCPREMOTEIP=nonsense spf-check </dev/null
like "$(cat .err)" '^spf-check: fatal: TCPREMOTEIP: is no IP address$' "it says so"
main_conf 'size-limit = 1K'
head -c 1100000 /dev/zero | tr '\0' x >big
exits 100 "a message over the limit" dkim-verify <big
like "$(cat .err)" '^dkim-verify: fatal: cannot read message: ' "it says so"
exits 111 "output that cannot be written" sh -c 'dkim-verify <plain >/dev/full'
exits 111 "a configuration that cannot be read" env PIPEMAIL_VAR=/dev/null dkim-verify <plain
rm var/config.cdb
exits 0 "no configuration at all" dkim-verify <plain
done_testing
