#!/bin/sh
# kill.t - delivering processes are killed at random while mail comes in by
# SMTP: every message answered 250 is there once, none is half there
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
need s6-svscan

instance_start
cat >feed.py <<'PY'
# four senders, until the file enough is there; the ids answered 250 and those
# not
import os, smtplib, sys, threading, time
port, seconds = int(sys.argv[1]), float(sys.argv[2])
end = time.time() + seconds
out = open("answers", "w"); lock = threading.Lock()
def run(k):
    n = 0
    while not os.path.exists("enough") and time.time() < end:
        n += 1; ident = "k%d-%d" % (k, n)
        body = "From: mail@localhost\r\nTo: mail@localhost\r\nSubject: %s\r\n\r\n%s\r\nlast line of %s\r\n" % (ident, "x" * 60 + "\r\n" * 1 + "y" * (37 * (n % 50)), ident)
        ok = False
        try:
            s = smtplib.SMTP("127.0.0.1", port, local_hostname="localhost", timeout=10)
            s.sendmail("mail@localhost", ["mail@localhost"], body); ok = True
            s.close()
        except Exception:
            pass
        with lock: out.write("%s %s\n" % ("ok" if ok else "no", ident))
t = [threading.Thread(target=run, args=(k,)) for k in range(4)]
[x.start() for x in t]; [x.join() for x in t]
PY
/usr/bin/python3 feed.py $((B + 25)) 120 &
feeder=$!
kills=0 end=$(($(date +%s) + ${KILL_SECONDS:-6}))
lmtp=$(s6-svstat -o pid ls/run/service/lmtp-in) smtp=$(s6-svstat -o pid ls/run/service/smtp-in)
while kill -0 $feeder 2>/dev/null; do
	# a child of lmtp-in or smtp-in, not the accepting parents
	for parent in $lmtp $smtp; do
		read -r child _ <"/proc/$parent/task/$parent/children"
		[ -n "$child" ] && kill -9 "$child" 2>/dev/null && kills=$((kills + 1))
	done
	[ $kills -ge 20 ] && [ "$(date +%s)" -ge $end ] && : >enough
	sleep "0.0$(shuf -i 1-9 -n1)"
done
wait $feeder
echo "# $kills kills, $(grep -c ^ok answers) answered 250, $(grep -c ^no answers) not"
ok "processes were killed and mail was accepted" test "$kills" -ge 20 -a "$(grep -c ^ok answers)" -gt 20
sleep 0.3
/usr/bin/python3 - "$TMP/ls/var/accounts/mail/Maildir" >bad <<'PY'
import os, sys, collections
seen = collections.Counter()
for d in ("new", "cur"):
    for f in os.listdir(os.path.join(sys.argv[1], d)):
        b = open(os.path.join(sys.argv[1], d, f)).read()
        ident = [l for l in b.split("\n\n")[0].split("\n") if l.startswith("Subject: ")][0][9:]
        if not b.endswith("last line of %s\n" % ident): print("half:", f)
        seen[ident] += 1
for line in open("answers"):
    w, i = line.split()
    if w == "ok" and seen[i] != 1: print("answered 250, there %d times: %s" % (seen[i], i))
    if w == "no" and seen[i] > 1: print("not answered, there %d times: %s" % (seen[i], i))
PY
is "$(cat bad)" "" "S-2 each accepted message is there once and whole"
ok "the account can be read" sh -c 'store-list -a mail -m INBOX >/dev/null'
is "$(verifydata -a mail)" "" "verifydata is content after the kills"
n=$(store-list -a mail -m INBOX | wc -l)
is "$n" "$(ls ls/var/accounts/mail/Maildir/new ls/var/accounts/mail/Maildir/cur | grep -c U=)" "index and Maildir hold the same number"
instance_stop
done_testing
