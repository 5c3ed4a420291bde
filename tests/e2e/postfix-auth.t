#!/bin/sh
# postfix-auth.t - Postfix asks auth-serve (smtpd_sasl_type = dovecot)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
. "$TOP/tests/postfix.sh"
imap_setup '
[auth]
failures-per-minute = 1000 1000 1000'
printf '[account]\naddress = carol@example.org\nlogin-disabled = ask the admin\n' >etc/accounts/carol.conf
config-compile
for a in alice carol; do echo "password of $a" | passwd-set -a $a || exit 111; done
bg unix-bind -m 666 -p postfix run/auth auth-serve 2>auth.log
auth=$bg_pid
wait_for 10 test -S run/auth

port=$(free_port)
postfix_new pf <<C
mydestination = postfix.test
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $TMP/run/auth
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_restrictions =
C
postfix_listen pf 127.0.0.1 "$port"
postfix_start pf || skip_all "Postfix does not start here"
cat >smtp.py <<'P'
import smtplib, sys
from auth_client import *
port = int(sys.argv[1])
def session():
    s = smtplib.SMTP("127.0.0.1", port, local_hostname="client.test", timeout=20)
    s.ehlo()
    return s
s = session()
offered = s.esmtp_features.get("auth", "").split()
check("Postfix offers what needs nothing it cannot give", sorted(set(offered)),
      ["CRAM-MD5", "LOGIN", "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def plain(user, password): return session().docmd("AUTH PLAIN " + b64("\0%s\0%s" % (user, password)))
check("U-2 Postfix: PLAIN", plain("alice@example.org", "password of alice")[0], 235)
check("wrong password", plain("alice", "x")[0], 535)
check("unknown user", plain("nobody", "x")[0], 535)
check("U-13 disabled account", plain("carol", "password of carol")[0] in (454, 535), True)
s = session(); s.user, s.password = "alice", "password of alice"
check("U-2 Postfix: LOGIN", s.auth("LOGIN", s.auth_login)[0], 235)
s = session(); s.user, s.password = "alice", "password of alice"
check("U-2 Postfix: CRAM-MD5", s.auth("CRAM-MD5", s.auth_cram_md5)[0], 235)
# SCRAM by the client of the tests, over SMTP
class Smtp(Client):
    def __init__(self): self.s = session()
    def convert(self, r):
        code, text = r
        return "CONT\t" + text.decode() if code == 334 else "OK" if code == 235 else "FAIL %d" % code
    def auth(self, mech, response=None, fields=""):
        return self.convert(self.s.docmd("AUTH " + mech + (" " + b64(response) if response else "")))
    def cont(self, response): return self.convert(self.s.docmd(b64(response)))
for m in ("SCRAM-SHA-256", "SCRAM-SHA-1", "SCRAM-SHA-512"):
    check("U-2 Postfix: " + m, Smtp().scram(m, "alice", "password of alice"), "OK")
    check("wrong password", Smtp().scram(m, "alice", "nonsense"), "FAIL 535")
s = session()
s.docmd("AUTH PLAIN " + b64("\0alice\0password of alice"))
s.docmd("MAIL FROM:<alice@example.org>")
check("and relays then", s.docmd("RCPT TO:<someone@example.com>")[0], 250)
s = session()
s.docmd("MAIL FROM:<alice@example.org>")
check("not before", s.docmd("RCPT TO:<someone@example.com>")[0], 554)
P
export PYTHONPATH="$TOP/tests/cmd" PYTHONDONTWRITEBYTECODE=1
python_tests smtp.py "$port"
like "$(cat auth.log)" 'm=login service=smtp ip=127\.0\.0\.1 .*mech=SCRAM-SHA-256' "the log has service and address"
# auth-serve killed: Postfix says later, and goes on with the next
kill -9 "$auth"; wait "$auth" 2>/dev/null
code() { /usr/bin/python3 -c 'import smtplib,sys,base64
s=smtplib.SMTP("127.0.0.1",int(sys.argv[1]),timeout=20);s.ehlo()
print(s.docmd("AUTH PLAIN "+base64.b64encode(b"\0alice\0password of alice").decode())[0])' "$port" 2>&1; }
gone=$(code)
ok "a killed auth-serve is no success ($gone)" test "$gone" != 235
rm -f run/auth
bg unix-bind -m 666 -p postfix run/auth auth-serve 2>>auth.log
wait_for 10 test -S run/auth
back() { [ "$(code)" = 235 ]; }
ok "the next one is asked" wait_for 10 back
done_testing
