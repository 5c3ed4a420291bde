#!/bin/sh
# first-time.t - what first-time senders wait: who goes meanwhile, and how many
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/smtp-fixture.sh"
need python3
conf() { main_conf '' 'stages-in =' "first-time-delay = ${1}s
first-time-waits = $2"; }
conf 60 2
printf '[account]\naddress = known@example.org\nno-first-time-delay = yes\n' >etc/accounts/known.conf
config-compile || exit 111
start_lmtp
# A client that is not of this machine, as a proxy says (PROXY protocol, version
# 2); what it does after the message is its first argument.
cat >client.py <<'E'
import os, socket, subprocess, sys, time
what, to = sys.argv[1], sys.argv[2]
ours, its = socket.socketpair()
p = subprocess.Popen(["smtp-in", "-P"], stdin=its, stdout=its, stderr=open("err", "a"))
its.close()
f = ours.makefile("rb")
def say(s): ours.sendall(s.encode())
def hear():
    while True:
        line = f.readline().decode()
        if line[3:4] != "-":
            return line.strip()
ours.sendall(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 1, 192, 0, 2, 2, 99, 99, 0, 25]))
hear(); say("EHLO mail.example.net\r\n"); hear()
say("MAIL FROM:<a@example.net>\r\n"); hear()
say("RCPT TO:<%s@example.org>\r\n" % to); hear()
say("DATA\r\n"); hear()
say("From: a@example.net\r\nSubject: x\r\n\r\nx\r\n.\r\n" + ("QUIT\r\n" if what == "quit" else ""))
if what in ("quit", "half"):
    ours.shutdown(socket.SHUT_WR)
if what == "leave":
    while not os.path.exists("leave"): time.sleep(0.05)
    f.close(); ours.close()
else:
    print(hear())
sys.exit(p.wait() if what == "leave" else 0)
E
client() { timeout 100 /usr/bin/python3 client.py "$@"; }
# waiting N: so many do; the lock of another file is none of a wait. The list is
# read in pieces, and may lack one while others come and go.
waiting() { [ "$(slots)" -eq "$1" ]; }
slots() { n=0; for p in $(pgrep -P "$lmtp_pid"); do grep -q "^[0-9]*: POSIX  *ADVISORY  *WRITE $p [^ ]*:$slots " /proc/locks && n=$((n + 1)); done; echo $n; }
# the socket is there before lmtp-in is
find_slots() { slots=$(for f in "/proc/$lmtp_pid"/fd/*; do case $(readlink "$f") in *memfd:*) stat -Lc %i "$f" ;; esac; done); [ -n "$slots" ]; }
wait_for 20 find_slots

bg client leave alice; first=$bg_pid
ok "R-27 a message of somebody unknown waits" wait_for 20 waiting 1
bg client leave bob; second=$bg_pid
wait_for 20 waiting 2
t=$(date +%s)
like "$(client stay alice)" '^250 ' "R-27 with two waiting, which is the limit here, a third is delivered"
like "$(client stay known)" '^250 ' "R-27 and mail for those who want no delay"
ok "R-27 at once" test $(($(date +%s) - t)) -lt 50
is "$(messages alice) $(messages bob)" "1 0" "R-27 those that wait are not delivered"
: >leave
wait "$first"
wait "$second"
wait_for 20 waiting 0
is "$(slots)" 0 "R-27 their clients leave: nobody waits any more"
ok "R-27 long before the time" test $(($(date +%s) - t)) -lt 55
is "$(messages alice) $(messages bob)" "1 0" "R-27 and nothing of theirs is stored"
like "$(cat lmtp.log)" 'm=refused .*code=451 reply="the client is gone"' "the log of lmtp-in says so"
like "$(cat err)" 'm=failed .*what=client ' "and that of smtp-in"
rm leave
conf 1 1
like "$(client quit bob)" '^250 ' "R-27 a client that sent QUIT ahead and no more is not gone"
is "$(messages bob)" 1 "R-27 its message is delivered"
# one that shuts down its side behind the dot, as nc -N does
conf 0 1
like "$(client half bob)" '^250 ' "R-27 a client that sends no more, without QUIT, has its reply"
is "$(messages bob)" 2 "R-27 its message is delivered, once"
conf 60 2
t=$(date +%s)
like "$(client half bob)" '^451 ' "R-27 but not after a long wait: most that end so are gone"
took=$(($(date +%s) - t))
ok "R-27 it has that reply in time, but not at once" test "$took" -ge 4 -a "$took" -lt 50
wait_for 20 waiting 0
is "$(messages bob)" 2 "R-27 and nothing is stored"
conf 60 0
like "$(client stay bob)" '^250 ' "R-27 first-time-waits = 0: nobody waits"
sed -i 's/^first-time-waits = .*/first-time-waits = 501/' etc/main.conf
exits 100 "first-time-waits = 501: that is more than half" config-compile
done_testing
