#!/bin/sh
# localserve.t - one command gives a working server; real clients use it
. "$(dirname "$0")/../tap.sh"
need s6-svscan execlineb swaks curl

. "$TOP/tests/e2e/instance.sh"
B=$(instance_base)
unset PW
start() {
	rm -f line
	bg localserve -d "$TMP/ls" -b "$B" "$@" >line 2>err
	LS=$bg_pid
	wait_for 30 test -e ls/ready
}
ok "O-4 localserve starts" start -w secret-pass-1
wait_for 5 test -s line
is "$(cat line)" "localserve: ready: smtp 127.0.0.1:$((B + 25)) imap 127.0.0.1:$((B + 143)) submission 127.0.0.1:$((B + 587)) submissions 127.0.0.1:$((B + 465)) imaps 127.0.0.1:$((B + 993)) account mail@localhost password secret-pass-1 directory $TMP/ls" \
    "O-4 it prints one line with addresses, account and password"

cat >imap.py <<'PY'
import imaplib, sys
c = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
c.login("mail@localhost", sys.argv[2])
print(c.select("INBOX")[1][0].decode())
typ, data = c.uid("SEARCH", "SUBJECT", sys.argv[3])
for u in data[0].split():
    typ, d = c.uid("FETCH", u, "(BODY.PEEK[])")
    sys.stdout.write(d[0][1].decode().replace("\r\n", "\n"))
c.logout()
PY
fetch() { /usr/bin/python3 imap.py $((B + 143)) "${PW:-secret-pass-1}" "$1"; }

swaks --server 127.0.0.1:$((B + 25)) --from mail@localhost --to mail@localhost \
    --helo localhost --header 'Subject: first-mail' --body 'hello there' >swaks.out 2>&1
is $? 0 "swaks sends to mail@localhost"
like "$(cat swaks.out)" '250 2\.[0-9.]+' "and hears 250 with an enhanced code"
is "$(/usr/bin/python3 -c 'import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
s.ehlo("localhost")
print(s.docmd("MAIL FROM: <mail@localhost>")[0])' $((B + 25)))" 501 "B-17 localserve is pedantic: a blank too many is told"
m=$(fetch first-mail)
like "$m" '^hello there' "imaplib reads the message"
like "$m" 'iprev=pass' "O-5 reverse look-up passes on loopback"
like "$m" 'spf=pass' "O-5 SPF passes for the local domain"
like "$m" 'dkim=none' "no signature is reported as none"
is "$(printf '%s\n' "$m" | grep -oE '^(Delivered-To|Return-Path|Authentication-Results|Received-SPF|Received|Subject):' | tr '\n' ' ')" \
    "Delivered-To: Return-Path: Authentication-Results: Received-SPF: Received: Subject: " "R-35 field order"

printf 'From: mail@localhost\nTo: mail@localhost\nSubject: signed-mail\nDate: Fri, 20 Nov 2026 12:00:00 +0000\nMessage-ID: <s1@localhost>\n\nsigned text\n' |
    dkim-sign -d localhost -s local -k ls/etc/dkim/local.pem >signed
ok "swaks sends a signed message" swaks --server 127.0.0.1:$((B + 25)) --from mail@localhost \
    --to someone-unknown@localhost --helo localhost --data @signed
m=$(fetch signed-mail)
like "$m" 'dkim=pass' "O-5 DKIM passes with the instance's own key"
like "$m" '^signed text' "O-5 an unknown recipient's mail goes to mail@localhost"

is "$(curl -s --url "imap://127.0.0.1:$((B + 143))/INBOX" -u mail@localhost:secret-pass-1 -X 'SEARCH SUBJECT first-mail' | tr -d '\r')" \
    "* SEARCH 1" "curl searches"
curl -s --url "imap://127.0.0.1:$((B + 143))/INBOX;UID=1" -u mail@localhost:secret-pass-1 | tr -d '\r' >curl.out
like "$(cat curl.out)" '^Subject: first-mail' "curl reads"
curl -s --url "imap://127.0.0.1:$((B + 143))/INBOX" -u mail@localhost:wrong-password >/dev/null 2>&1
is $? 67 "a wrong password is refused"

exits 111 "a second localserve in the same directory is refused" localserve -d "$TMP/ls" -b $((B + 1))
like "$(cat .err)" "another localserve" "and says why"

pids() { pgrep -f "$TMP/ls" ; pgrep -s "$(pgrep -P "$LS" s6-svscan)" 2>/dev/null; }
t0=$(date +%s%N)
kill -TERM "$LS"; wait "$LS"; code=$?
t1=$(date +%s%N)
is "$code" 0 "O-19 SIGTERM ends it with 0"
ok "O-19 within 3 s" test $(((t1 - t0) / 1000000)) -le 3000
ok "the ready file is gone" test ! -e ls/ready
is "$(for e in /proc/[0-9]*/environ; do cat "$e" 2>/dev/null | tr "\0" "\n" | grep -q "^PIPEMAIL_RUN=$TMP/ls/run" && echo "$e"; done)" "" "no process is left"
ok "no port is left open" sh -c "! nc -z 127.0.0.1 $((B + 25))"

ok "it starts again in the same directory" start
wait_for 5 test -s line
like "$(cat line)" 'password \(unchanged' "and does not print the password again"
like "$(fetch first-mail)" '^hello there' "mail and password are still there"
kill -INT "$LS"; wait "$LS"
is $? 0 "SIGINT ends it too"

# default password: generated, printed once
bg localserve -d "$TMP/ls2" -b "$B" >line2 2>err2
LS=$bg_pid
wait_for 30 test -e ls2/ready; wait_for 5 test -s line2
PW=$(sed -n 's/.* password \([^ ]*\) .*/\1/p' line2)
ok "a generated password has 16 characters" test ${#PW} = 16
like "$(fetch nothing)" '^0$' "and works"
# a busy port
exits 111 "ports in use are named" localserve -d "$TMP/ls3" -b "$B"
like "$(cat .err)" "port $((B + 25))" "the message names the port"
kill -TERM "$LS"; wait "$LS"
exits 100 "a port base over the limit is refused" localserve -d "$TMP/ls4" -b 60001
done_testing
