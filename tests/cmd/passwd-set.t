#!/bin/sh
# passwd-set.t - passwords set from a pipe, a terminal, or generated
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
imap_setup

set_to() { printf "$1" | passwd-set -a "${2:-alice}"; }
# works ACCOUNT PASSWORD: does auth-serve take it?
works() {
	resp=$(/usr/bin/python3 -c 'import base64,sys
print(base64.b64encode(b"\0"+sys.argv[1].encode()+b"\0"+sys.argv[2].encode()).decode())' "$1" "$2")
	printf 'VERSION\t1\t2\nCPID\t1\nAUTH\t1\tPLAIN\tservice=test\tresp=%s\n' \
	    "$resp" | auth-serve 2>/dev/null | grep -q '^OK'
}
fails() { ! works "$@"; }

exits 100 "without an account" passwd-set
exits 100 "an account that is not there" passwd-set -a nobody </dev/null
like "$(cat .err)" 'passwd-set: fatal: no such account: nobody' "is named"
exits 100 "an operand is refused: never a password in the arguments" \
    passwd-set -a alice secret-password
ok "a password from a pipe" set_to 'wonderland\nsecond line\n'
ok "it is the first line" works alice wonderland
ok "nothing else is" fails alice 'second line'
like "$(printf 'wonderland\n' | passwd-set -a alice 2>&1)" 'warning: the password is the one it was before' "X-9 the same again is warned of"
is "$(printf 'wonderland 2\n' | passwd-set -a alice 2>&1; printf 'wonderland\n' | passwd-set -a alice 2>&1)" "" "X-9 another is not"
ok "by address too" set_to 'other wonderland' bob@example.org
ok "which was bob's" works bob 'other wonderland'
ok "and not alice's" fails alice 'other wonderland'
exits 100 "U-6 seven characters are refused" sh -c 'printf "sevench\n" | passwd-set -a alice'
ok "eight are enough, counted as characters" set_to '\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\n'
exits 100 "seven characters of two bytes are not" sh -c 'printf "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\n" | passwd-set -a alice'
like "$(cat .err)" 'shorter than 8 characters' "and it says so"
exits 100 "not UTF-8" sh -c 'printf "\377\376password\n" | passwd-set -a alice'
exits 100 "a control character" sh -c 'printf "pass\001word\n" | passwd-set -a alice'
exits 100 "no input" passwd-set -a alice </dev/null
exits 100 "over 1024 bytes" sh -c 'head -c 2000 /dev/zero | tr "\0" x | passwd-set -a alice'
# e and combining acute, set; e-acute, used
ok "N-3 a password in another normal form" set_to 'cafe\314\201-au-lait\n'
ok "is the same password" works alice "$(printf 'caf\303\251-au-lait')"
g=$(passwd-set -g -a alice)
like "$g" '^[A-Za-z2-9]{16}$' "-g prints a password of 16 characters"
ok "which works" works alice "$g"
is "$(grep -c "$g" var/auth/data.mdb)" 0 "U-6 the table does not hold it"
is "$(stat -c %a var/auth)" 700 "the table is for its owner alone"

echo 'from a file' >password
sed -n 's/^\.Dl //p' "$TOP/man/passwd-set.1" >examples
while read -r line; do
	ok "the example works: $line" sh -c "$line"
done <examples
is "$(wc -l <examples)" 2 "both examples of the page"

cat >ask.py <<'E'
import os, pty, sys, time, select
def run(answers):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp("passwd-set", ["passwd-set", "-a", "alice"])
    said = b""
    for prompt, answer in answers:
        end = time.time() + 10
        while not said.endswith(prompt) and time.time() < end:
            if select.select([fd], [], [], 0.1)[0]:
                said += os.read(fd, 1000)
        os.write(fd, answer + b"\n")
    while True:
        try:
            more = os.read(fd, 1000)
        except OSError:
            break
        if not more:
            break
        said += more
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said
def check(name, good):
    print("%s\t%s" % (name, "ok" if good else "no"))
code, said = run([(b"Password: ", b"from a terminal"), (b"Once more: ", b"from a terminal")])
check("a terminal is asked twice", code == 0)
check("without echo", b"from a terminal" not in said)
code, said = run([(b"Password: ", b"from a terminal"), (b"Once more: ", b"from a terminus")])
check("two answers that differ exit 100", code == 100 and b"differ" in said)
E
python_tests ask.py
ok "the first of them works" works alice 'from a terminal'
exits 111 "no table can be made" sh -c 'rm -rf var/auth; : >var/auth; echo long-enough | passwd-set -a alice'
done_testing
