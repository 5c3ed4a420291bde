#!/bin/sh
# queue-readers.t - listings that somebody reads slowly keep no transaction
# open: the database could not use its pages again
. "$(dirname "$0")/../tap.sh"
need python3 mdb_stat
. "$TOP/tests/queue.sh"

many=$(seq 1 300 | sed 's/.*/u&@slow.example/')
queue-holdrule add -t slow.example | cut -f 1 >rule
# shellcheck disable=SC2086
id=$(add many $many)
cat >slow.py <<'P'
import fcntl, os, select, struct, subprocess, sys, termios
r, w = os.pipe()
fcntl.fcntl(w, 1031, 4096)	# F_SETPIPE_SZ
p = subprocess.Popen(sys.argv[1:], stdout=w)
os.close(w)
while struct.unpack("i", fcntl.ioctl(r, termios.FIONREAD, b"\0" * 4))[0] < 4096:
    select.select([], [], [], 0.01)
out = subprocess.run(["mdb_stat", "-r", "var/queue/db"], capture_output=True, text=True).stdout
print(sum(1 for l in out.splitlines() if l.split()[:1] == [str(p.pid)] and l.split()[-1] != "-"))
n = len(os.fdopen(r, "rb").read().splitlines())
print(n, p.wait())
P
is "$($PYTHON slow.py queue-list "$id" | tr '\n' ' ')" "0 300 0 " "Q-18 queue-list waits for whoever reads without a transaction"
is "$($PYTHON slow.py queue-show "$id" | sed 's/ .*//' | tr '\n' ' ')" "0 $(queue-show "$id" | wc -l) " "Q-18 queue-show too"
queue-drop "$id" >/dev/null
is "$($PYTHON slow.py queue-retired list "$id" | tr '\n' ' ')" "0 300 0 " "Q-22 queue-retired too"
queue-holdrule remove "$(cat rule)"
# shellcheck disable=SC2086
suppress-add -a alice $many
is "$($PYTHON slow.py suppress-list | tr '\n' ' ')" "0 300 0 " "Q-13 suppress-list too"
# shellcheck disable=SC2086
is "$($PYTHON slow.py suppress-check -a alice $many | tr '\n' ' ')" "0 300 0 " "Q-13 suppress-check too"
for i in $(seq 300); do echo "-t d$i.example"; done | xargs -n 2 queue-holdrule add >/dev/null
is "$($PYTHON slow.py queue-holdrule list | tr '\n' ' ')" "0 300 0 " "Q-19 queue-holdrule too"
done_testing
