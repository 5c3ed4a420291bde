# queue.sh - for tests of the queue, after tap.sh: configuration, messages,
# a queue-run with tests/fake-smtp-out.py behind it, and a clock to be set
PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC
mkdir -p var run etc/domains etc/accounts texts
PYTHON=/usr/bin/python3

# conf LINE...: main.conf with these lines in [queue]
conf() {
	{
		printf '[server]\nhostname = mx.own.example\nsize-limit = 1M\n[queue]\n'
		for conf_line; do printf '%s\n' "$conf_line"; done
		printf '[transport "hub"]\ntype = relay\nhost = hub.example\n'
	} >etc/main.conf
	config-compile >/dev/null || exit 111
}
accounts() {
	printf '[domain]\nseparators = +\n' >etc/domains/own.example.conf
	printf '[domain]\n' >etc/domains/other.example.conf
	printf '[account]\naddress = alice@own.example\naddress = alice@other.example\nkeep-retired = 1h\nmax-messages-per-day = 0\nmax-first-time-recipients-per-day = 0\n' >etc/accounts/alice.conf
	printf '[account]\naddress = bob@own.example\n' >etc/accounts/bob.conf
}
accounts
conf

text() { printf 'From: alice@own.example\nTo: x@one.example\nSubject: %s\nMessage-ID: <%s@own.example>\nDate: Fri, 20 Nov 2026 12:00:00 +0000\n\nbody of %s\n' "$1" "$1" "$1"; }
# add SUBJECT RECIPIENT...: queued for alice; prints the id
add() {
	add_subject=$1; shift
	text "$add_subject" | queue-add -a alice -f alice@own.example "$@" 2>>add.err
}
fake_start() {
	bg "$PYTHON" "$TOP/tests/fake-smtp-out.py" run/smtp-out jobs.log texts
	fake_pid=$bg_pid
	wait_for 10 test -S run/smtp-out
}
run_start() {
	bg unix-bind -m 600 run/queue ${run_with:-} queue-run 2>>run.err
	run_pid=$bg_pid
	wait_for 10 test -S run/queue
}
run_stop() {
	kill -TERM "$run_pid" 2>/dev/null
	wait "$run_pid"
}
# jobs EVENT [DOMAIN]: how many
jobs() { grep "\"event\": \"$1\"" jobs.log 2>/dev/null | grep -c "\"domain\": \"${2:-}"; }
queued() { queue-list "$@" 2>/dev/null | wc -l; }
# empty SECONDS [FILTER...]: until nothing of that is queued
empty() {
	empty_s=$1; shift
	wait_for "$empty_s" sh -c '! queue-list "$@"' sh "$@"
}
# attempts ID: until one was made
tried() { [ "$(queue-list "$1" | cut -f 5)" -ge "${2:-1}" ] && [ "$(queue-list "$1" | cut -f 11)" != - ]; }
col() { queue-list "$1" | cut -f "$2"; }

# A clock that the test sets: a library in front of libc's, with an offset in
# seconds in the file "clock". False: no compiler, or sanitizers.
clock_build() {
	[ -z "${SAN:-}" ] || return 1
	cat >clock.c <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long offset(void)
{
	static const char *map;
	int fd;

	if (map == NULL && (fd = open(CLOCK_FILE, O_RDONLY)) != -1) {
		map = mmap(NULL, 32, PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	return map == NULL || map == MAP_FAILED ? 0 : strtol(map, NULL, 10);
}
int clock_gettime(clockid_t c, struct timespec *t)
{
	int r = (int)syscall(SYS_clock_gettime, c, t);

	if (c == CLOCK_REALTIME)
		t->tv_sec += offset();
	return r;
}
C
	cc -O -shared -fPIC -DCLOCK_FILE="\"$TMP/clock\"" -o clock.so clock.c 2>/dev/null || return 1
	clock_set 0
}
# In place: the file is mapped.
clock_set() { printf '%-31d' "$1" | dd of=clock conv=notrunc bs=32 2>/dev/null; }
