#!/bin/sh
# store-readers.t - listings that somebody reads slowly, or not at all, keep no
# view open: the index could not use its pages again
. "$(dirname "$0")/../tap.sh"
need python3 mdb_stat
. "$TOP/tests/cmd/imap.sh"
imap_setup
store-mailbox -a alice >/dev/null

# 3000 messages, 1500 mailboxes with long names: more than is kept for one view
cat >make.py <<'P'
import os
top = "var/accounts/alice/Maildir/"
for i in range(3000):
    with open(top + "cur/1700000000.M%dP1Q%d.host:2,S" % (i, i), "w") as f:
        f.write("From: a@example.org\nSubject: subject number %d %s\n"
                "Message-ID: <%d@example.org>\n\ntext\n" % (i, "x" * 60, i))
for i in range(1500):
    box = top + ".Box%04d%s" % (i, "y" * 200)
    for d in "", "/cur", "/new", "/tmp":
        os.mkdir(box + d)
P
python3 make.py && store-mailbox -a alice >/dev/null 2>&1
cat >slow.py <<'P'
# What a command holds while its output is not read, and after command CHANGE:
# its views, lines, exit code
import fcntl, os, select, struct, subprocess, sys, termios
r, w = os.pipe()
fcntl.fcntl(w, 1031, 4096)	# F_SETPIPE_SZ
p = subprocess.Popen(sys.argv[2:], stdout=w)
os.close(w)
while struct.unpack("i", fcntl.ioctl(r, termios.FIONREAD, b"\0" * 4))[0] < 4096:
    select.select([], [], [], 0.01)
out = subprocess.run(["mdb_stat", "-r", "var/accounts/alice/index"], capture_output=True, text=True).stdout
held = sum(1 for l in out.splitlines() if l.split()[:1] == [str(p.pid)] and l.split()[-1] != "-")
subprocess.run(sys.argv[1], shell=True, check=True)
lines = os.fdopen(r, "rb").read().splitlines()
print(held, len(lines), len(set(lines)), p.wait())
P
is "$(store-list -a alice | wc -lc | awk '{ print $1, ($2 > 2 * 262144) }')" "3000 1" \
    "a listing that is of more than one view"
is "$(store-list -a alice -m INBOX | cut -f 2 | sort -n | uniq | wc -l)" 3000 "store-list: each once"
is "$(python3 slow.py : store-list -a alice)" "0 3000 3000 0" "store-list waits for whoever reads without a view"
is "$(python3 slow.py 'store-expunge -f -a alice 2999' store-list -a alice)" "0 2999 2999 0" \
    "and lists what is there when its turn comes"
is "$(python3 slow.py 'store-mailbox -r -a alice INBOX Old' store-list -j -a alice -m INBOX |
    awk '{ print $1, $2 == $3, $4 }')" "0 1 0" "also when the mailbox is renamed meanwhile"
store-mailbox -a alice >boxes
is "$(wc -l <boxes | awk '{ print ($1 >= 1500) }')" 1 "store-mailbox: all mailboxes"
n=$(wc -l <boxes | tr -d ' ')
is "$(python3 slow.py : store-mailbox -a alice)" "0 $n $n 0" "store-mailbox too"
is "$(python3 slow.py : store-thread -a alice -m Old)" "0 2999 2999 0" "store-thread too"
n=$(store-watch -a alice -s 0 -t 0 | wc -l)
is "$(python3 slow.py : store-watch -a alice -s 0 -t 0)" "0 $n $n 1" "store-watch too"
for c in "store-list" "store-thread -m Old" "store-mailbox" "store-watch -s 0"; do
	# shellcheck disable=SC2086 # a command and its options
	{ timeout 60 $c -a alice 2>err; echo $? >code; } | head -1 >/dev/null
	is "$(cat code) $(cat err)" "111 " "${c%% *}: a reader that has gone ends it"
done
exits 0 "verifydata is content" verifydata
done_testing
