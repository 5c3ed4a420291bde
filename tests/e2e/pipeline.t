#!/bin/sh
# pipeline.t - the commands in a shell pipeline leave the same bytes in the
# Maildir as the server did for the same message and client
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
need s6-svscan

instance_start
printf 'From: mail@localhost\nTo: mail@localhost\nSubject: same bytes\nDate: Fri, 20 Nov 2026 12:00:00 +0000\nMessage-ID: <p1@localhost>\n\n.dot\nsome text\n' >plain
dkim-sign -d localhost -s local -k ls/etc/dkim/local.pem <plain >m
{ cat m; printf '' ; } >/dev/null
# the forged field must go in both ways
{ printf 'Authentication-Results: localhost; spf=pass smtp.mailfrom=forged\n'; cat m; } >m2

send() {
	/usr/bin/python3 - "$1" $((B + 25)) <<'PY'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[2]), local_hostname="localhost")
s.sendmail("mail@localhost", ["mail@localhost"], open(sys.argv[1], "rb").read().replace(b"\n", b"\r\n"))
s.quit()
PY
}
# what differs from one run to the next: ids, ports, times, file names
clean() {
	sed -E 's/(id )[^ ;]+/\1ID/; s/; [A-Z][a-z]{2}, [0-9]+ [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} [+-][0-9]{4}/; DATE/' |
	    sed -E 's/^(	| +)[A-Z][a-z]{2}, [0-9]+ [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} [+-][0-9]{4}/\1DATE/'
}
for f in m m2; do
	ok "$f goes in by SMTP" send $f
	u=$(store-list -a mail -m INBOX | tail -1 | cut -f2)
	store-show -a mail -m INBOX "$u" >server.$f
	ok "$f goes in by the pipeline" sh -c "
	    export SENDER=mail@localhost RECIPIENT=mail@localhost HELO=localhost PROTO=TCP TCPREMOTEIP=127.0.0.1 TCPLOCALIP=127.0.0.1
	    iprev-check < $f | spf-check | dkim-verify | arc-verify | dmarc-check | junk-score -a mail | judge -a mail | store-deliver -a mail"
	u2=$(store-list -a mail -m INBOX | tail -1 | cut -f2)
	ok "$f is a new message" test "$u2" -gt "$u"
	store-show -a mail -m INBOX "$u2" >pipe.$f
	is "$(clean <pipe.$f)" "$(clean <server.$f)" "A-13 $f: the pipeline gives the same bytes as the server"
	is "$(judge -q -a mail <server.$f | cut -f2)" "$(sed -n '1s/^Pipemail-Reason: \([a-z0-9-]*\).*/\1/p' server.$f)" "J-1 $f: judged by hand, the reason of the server"
	like "$(cat server.$f)" 'spf=pass' "$f: SPF was checked"
	like "$(cat server.$f)" 'dkim=pass' "$f: DKIM was checked"
	like "$(tr -d '\n' <server.$f)" 'dmarc=none.*header.from=localhost.*policy.alignment=strict' "A-6 $f: DMARC was checked"
done
is "$(grep -c forged server.m2)" 0 "a forged Authentication-Results of ours is removed"
is "$(verifydata -a mail)" "" "verifydata finds nothing"
instance_stop
done_testing
