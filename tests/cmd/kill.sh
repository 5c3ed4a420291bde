# kill.sh - what the tests that kill store commands share: the account bob,
# and strace(1) that kills a command, or fails it, at one of its system calls
need strace
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
[ -z "${SAN:-}" ] || skip_all "sanitizers and strace do not mix"

PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC
mkdir -p var/accounts/bob run etc/accounts etc/domains
printf '[server]\nhostname = mx.test\n' >etc/main.conf
# flags stay as they are set
printf '[account]\njunk-flags = no\n' >etc/accounts/bob.conf
config-compile || exit 111
# received from somebody: the tables of senders change, too
m() {
	printf 'Authentication-Results: mx.test; dkim=pass header.d=example.org\n'
	printf 'Received: from h.test (unknown [192.0.2.1]) by mx.test; x\n'
	printf 'From: a@example.org\nSubject: %s\nMessage-ID: <%s@example.org>\n\nbody of %s\n' "$1" "$1" "$1"
}
BOB=$TMP/var/accounts/bob

# content: what the index and the files say agrees
content() { verifydata -a bob >verify.out 2>verify.err; }
# at CALL N COMMAND...: run it, killed when it enters its Nth CALL; false if it
# was not killed
also=
at() {
	call=$1 n=$2; shift 2
	# shellcheck disable=SC2086 # $also is an option and its value, or nothing
	strace -f -qq -o trace -e trace="$call,openat" $also -e "inject=$call:signal=KILL:when=$n" "$@" >out 2>err
	[ $? = 137 ]
}
# points COMMAND...: each system call a run of it makes that can leave
# something behind, with its number, one a line
points() {
	# shellcheck disable=SC2086
	strace -f -qq -o trace $also "$@" >/dev/null 2>&1
	sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' trace |
	    grep -E '^(openat|writev?|pwrite64|pwritev|fsync|fdatasync|close|linkat|rename(at2?)?|unlinkat|mkdirat|ftruncate|utimensat|fcntl|flock|lseek)$' |
	    awk '{ n[$1]++; print $1, n[$1] }'
}
# some N: every Nth of the points of a long step, from another one each run; all
# of them with KILL_EVERY=1
some() { awk -v n="${KILL_EVERY:-$1}" -v from=$$ 'NR % n == from % n'; }
