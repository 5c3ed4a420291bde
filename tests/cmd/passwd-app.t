#!/bin/sh
# passwd-app.t - app passwords; one-time passwords; generated ones only
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup
printf '[account]\naddress = carol@example.org\nno-custom-password = yes\n' >etc/accounts/carol.conf
config-compile
echo "password of alice" | passwd-set -a alice
exits 100 "no verb" passwd-app
exits 100 "add needs a name" passwd-app add -a alice
exits 100 "list takes none" passwd-app list -a alice -n x
exits 100 "no such account" passwd-app add -a nobody -n x
exits 100 "a name with a line feed" passwd-app add -a alice -n 'a
b'
exits 100 "services that are none" passwd-app add -a alice -n x -p 'imap, smtp'
exits 100 "no service" passwd-app add -a alice -n x -p ''
phone=$(passwd-app add -a alice -n phone -p imap,smtp)
like "$phone" '^[A-Za-z2-9]{16}$' "B-6 add prints a password of 16 characters"
exits 100 "a name in use" passwd-app add -a alice -n phone
any=$(passwd-app add -a alice@example.org -n 'any thing')
like "$(passwd-app list -a alice)" '^phone	imap,smtp	20' "list: services"
like "$(passwd-app list -a alice)" '^any thing	all	20' "list: all of them"
is "$(grep -c "$phone" var/auth/data.mdb)" 0 "U-6 the table does not hold it"
cat >apps.py <<'P'
import sys
from auth_client import *
phone, any = sys.argv[1:]
c = Client()
S = lambda s: "service=" + s
for m in ("SCRAM-SHA-256", "SCRAM-SHA-1", "SCRAM-SHA-512"):
    check("B-6 app password by " + m, c.scram(m, "alice", phone), "OK\tuser=alice")
check("the account's own too", c.scram("SCRAM-SHA-256", "alice", "password of alice"), "OK\tuser=alice")
check("by CRAM-MD5", c.cram("alice", any), "OK\tuser=alice")
check("by PLAIN", c.plain("alice", phone), "OK\tuser=alice")
check("for submission, which is smtp", c.plain("alice", phone, S("submission")), "OK\tuser=alice")
check("not for http", c.plain("alice", phone, S("http")), "FAIL\tuser=alice")
check("nor by SCRAM", c.scram("SCRAM-SHA-256", "alice", phone, S("http")), "FAIL\tuser=alice")
check("the other is", c.plain("alice", any, S("http")), "OK\tuser=alice")
P
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 test -S run/auth
export PYTHONPATH="$TOP/tests/cmd" PYTHONDONTWRITEBYTECODE=1
python_tests apps.py "$phone" "$any"
like "$(cat auth.log)" 'm=login .*mech=PLAIN .*label=phone' "the log names it"
# the own password changes: app passwords go on, with each mechanism
echo "another of alice" | passwd-set -a alice
cat >after.py <<'P'
import sys
from auth_client import *
phone, any = sys.argv[1:]
c = Client()
check("after passwd-set the app password is good by SCRAM", c.scram("SCRAM-SHA-256", "alice", phone), "OK\tuser=alice")
check("and the new one", c.scram("SCRAM-SHA-256", "alice", "another of alice"), "OK\tuser=alice")
check("not the old one", c.plain("alice", "password of alice"), "FAIL\tuser=alice")
P
python_tests after.py "$phone" "$any"
exits 0 "remove" passwd-app remove -a alice -n phone
exits 1 "remove: gone" passwd-app remove -a alice -n phone
cat >gone.py <<'P'
import sys
from auth_client import *
phone, any = sys.argv[1:]
c = Client()
check("a removed one is refused, cached or not", c.plain("alice", phone), "FAIL\tuser=alice")
check("the others go on", c.plain("alice", any), "OK\tuser=alice")
P
python_tests gone.py "$phone" "$any"

exits 100 "U-26 no custom password" sh -c 'echo long-enough-one | passwd-set -a carol'
like "$(cat .err)" 'takes generated passwords only: use -g' "is told"
like "$(passwd-set -g -a carol)" '^[A-Za-z2-9]{16}$' "U-26 a generated one"
for p in ' leading blank' 'trailing blank ' 'two  blanks' 'soft\302\255hyphen' 'zero\342\200\213width' 'tab\there-it-is'; do
	exits 100 "N-3 confusing: $p" sh -c "printf '$p\n' | passwd-set -a alice"
done

exits 100 "auth-totp without a verb" auth-totp
exits 100 "with an unknown one" auth-totp print -a alice
exits 1 "nothing to show" auth-totp show -a alice
exits 100 "nothing to check against" sh -c 'echo 123456 | auth-totp check -a alice'
uri=$(auth-totp set -a alice)
like "$uri" '^otpauth://totp/mail\.example\.org:alice\?secret=[A-Z2-7]{32}&issuer=mail\.example\.org$' "B-6 set prints the URI"
is "$(auth-totp show -a alice)" "$uri" "show too"
cat >code.py <<'P'
import base64, hmac, struct, sys, time
s = base64.b32decode(sys.argv[1].split("secret=")[1].split("&")[0])
d = hmac.new(s, struct.pack(">Q", int(time.time()) // 30), "sha1").digest()
o = d[19] & 15
print("%06d" % ((struct.unpack(">I", d[o:o + 4])[0] & 0x7fffffff) % 1000000))
P
code=$(/usr/bin/python3 code.py "$uri")
exits 0 "B-6 the code is right" sh -c "echo $code | auth-totp check -a alice"
exits 1 "once" sh -c "echo $code | auth-totp check -a alice"
exits 1 "another is not" sh -c "echo 000000x | auth-totp check -a alice"
exits 1 "nothing is not" auth-totp check -a alice </dev/null
exits 0 "remove" auth-totp remove -a alice
exits 1 "gone" auth-totp remove -a alice

sed -n 's/^\.Dl //p' "$TOP/man/passwd-app.1" >examples
while read -r line; do
	ok "the example works: $line" sh -c "$line"
done <examples
is "$(wc -l <examples)" 3 "the examples of passwd-app(1)"
# nobody has the code 123456 but by chance: the example runs, and says so
sed -n 's/^\.Dl //p' "$TOP/man/auth-totp.1" >examples
while read -r line; do
	ok "the example runs: $line" sh -c "$line; test \$? -le 1"
done <examples
done_testing
