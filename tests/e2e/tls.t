#!/bin/sh
# tls.t - a whole server with TLS: clients, and a tls-serve or auth-serve that
# is killed under them
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
need s6-svscan execlineb swaks curl openssl msmtp mbsync
instance_start
py=/usr/bin/python3
smtp=$((B + 25)) imap=$((B + 143)) submissions=$((B + 465)) submission=$((B + 587)) imaps=$((B + 993))
send() { swaks --server 127.0.0.1 --helo localhost --from mail@localhost --to mail@localhost --body text "$@" >swaks.out 2>&1; }
count() { # SUBJECT: how many there are, over imaps
	curl -sk --url "imaps://127.0.0.1:$imaps/INBOX" -u "mail@localhost:$PW" -X "SEARCH SUBJECT $1" | tr -d '\r' | wc -w | awk '{print $1 - 2}'
}
arrived() { [ "$(count "$1")" -gt 0 ]; }
# search SUBJECT: the same, once there is one; submitted mail comes by the queue
search() {
	wait_for 10 arrived "$1"
	count "$1"
}
send --port $smtp --tls --header 'Subject: by-starttls'
is "$? $(search by-starttls)" "0 1" "R-3 port 25 with STARTTLS, read over imaps"
send --port $submission --tls --auth PLAIN --auth-user mail@localhost --auth-password $PW --header 'Subject: by-587'
is "$? $(search by-587)" "0 1" "U-1 port 587 with STARTTLS"
send --port $submissions --tlsc --auth CRAM-MD5 --auth-user mail@localhost --auth-password $PW --header 'Subject: by-465'
is "$? $(search by-465)" "0 1" "U-1 port 465 with TLS from the start"
send --port $submission --auth PLAIN --auth-user mail@localhost --auth-password $PW --header 'Subject: in-clear'
is "$? $(search in-clear)" "0 1" "localserve takes logins without TLS on the submission port"
printf 'Subject: by-msmtp\nFrom: mail@localhost\n\ntext\n' >m
msmtp -C /dev/null --host=localhost --port=$submissions --auth=on --user=mail@localhost --passwordeval="echo $PW" --tls=on --tls-starttls=off --tls-trust-file="$TMP/ls/etc/tls/localhost.pem" --from=mail@localhost mail@localhost <m >msmtp.out 2>&1
is "$? $(cat msmtp.out) $(search by-msmtp)" "0  1" "msmtp, the certificate verified by name"
cat >rc <<M
IMAPAccount a
Host localhost
Port $imap
User mail@localhost
Pass "$PW"
SSLType STARTTLS
CertificateFile $TMP/ls/etc/tls/localhost.pem

IMAPStore r
Account a

MaildirStore l
Path $TMP/mb/
Inbox $TMP/mb/INBOX

Channel c
Far :r:
Near :l:
Patterns INBOX
Create Near
SyncState *
M
mkdir mb
timeout 60 mbsync -c rc c >mbsync.out 2>&1
is "$(ls mb/INBOX/new mb/INBOX/cur | grep -c ,U=)" 5 "mbsync with STARTTLS"

# a server under the clients dies
cat >killed.py <<'P'
import imaplib, os, signal, smtplib, ssl, subprocess, sys, time
base, pw, ls = int(sys.argv[1]), sys.argv[2], sys.argv[3]
ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); ctx.load_verify_locations(ls + "/etc/tls/localhost.pem")
def show(name, value, want=True): print("%s\t%s" % (name, "ok" if value == want else value))
def pid(service): return int(subprocess.check_output(["s6-svstat", "-o", "pid", ls + "/run/service/" + service]))
def children(p): return [int(x) for x in open("/proc/%d/task/%d/children" % (p, p)).read().split()]
def imap():
    c = imaplib.IMAP4("localhost", base + 143, timeout=20); c.starttls(ctx); c.login("mail@localhost", pw); return c
clear = imaplib.IMAP4("localhost", base + 143, timeout=20); clear.login("mail@localhost", pw); clear.select()
s = smtplib.SMTP("localhost", base + 25, timeout=20); s.ehlo(); smtp_tls = "starttls" in s.esmtp_features
show("R-3 STARTTLS is announced", smtp_tls)
waiting = imaplib.IMAP4("localhost", base + 143, timeout=20)
# stopped parent and killed workers: nobody answers
p = pid("tls-serve"); os.kill(p, signal.SIGSTOP)
for w in children(p): os.kill(w, signal.SIGKILL)
os.kill(p, signal.SIGKILL); t0 = time.time()
while True:
    try: smtplib.SMTP("localhost", base + 25, timeout=20).starttls(context=ctx); break
    except (smtplib.SMTPException, OSError):
        if time.time() - t0 > 10: break
        time.sleep(0.05)
show("tls-serve is killed: STARTTLS works again within 2 s", time.time() - t0 < 2)
show("an SMTP session in clear lives", s.docmd("NOOP")[0], 250)
show("an IMAP session in clear lives", clear.noop()[0], "OK")
try: waiting.starttls(ctx); show("who connected before gets TLS after", waiting.login("mail@localhost", pw)[0], "OK")
except Exception as e: show("who connected before gets TLS after", repr(e))
tls = imap(); tls.select()
p = pid("auth-serve"); t0 = time.time(); os.kill(p, signal.SIGKILL)
show("auth-serve is killed: a session with TLS lives", tls.noop()[0], "OK")
while True:
    try: imap().logout(); break
    except (imaplib.IMAP4.error, OSError) as e:
        if "UNAVAILABLE" not in str(e) and not isinstance(e, OSError): show("meanwhile logins fail for now", str(e)); break
        if time.time() - t0 > 10: break
        time.sleep(0.05)
show("logins work again within 2 s", time.time() - t0 < 2)
# a worker of tls-serve dies: its connections go, the rest stays
p = pid("tls-serve")
for w in children(p): os.kill(w, signal.SIGKILL)
try: tls.noop(); gone = False
except (imaplib.IMAP4.abort, OSError): gone = True
show("a killed worker takes its connections with it", gone)
t0 = time.time(); ok = False
while not ok and time.time() - t0 < 5:
    try: imap().logout(); ok = True
    except (imaplib.IMAP4.error, OSError): time.sleep(0.05)
show("and is replaced within a second", ok and time.time() - t0 < 1.5)
show("the session in clear lives on", clear.noop()[0], "OK")
P
. "$TOP/tests/cmd/imap.sh"
python_tests killed.py $B "$PW" "$TMP/ls"
instance_stop
done_testing
