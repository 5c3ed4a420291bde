/*
 * store_batch.h - processes that deliver at the same time, for tests of
 * lib/store/batch.c
 *
 * One process holds the write transaction while the others come, one after
 * the other: so the first of them leads, and what is for its mailbox is taken
 * in that order when the transaction ends. A system call of any of them fails,
 * or is its last. The clock stands still, so nobody waits for too long.
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store_fixture.h"

#include "os/os.h"
#include "store/slots.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#define JOBS_MAX 20
#define LONG_MS 30000	/* past it something is wrong */
#define LATE_MS 1000	/* after the end of the leader */

/* A text of so many bytes comes to so many: all in all, and as it is kept, it
 * is more than DESK_BYTES. */
#define LONG 200000
#define LONG_ADDRESSES 3000

struct job {
	const char *mailbox, *subject;
	size_t size;		/* of the text, beyond some bytes */
	const char *references;	/* a Message-ID or NULL */
	uint32_t flags;
	unsigned int group;	/* those of one have one modseq; 0: refused */
};

struct outcome {
	int r, err;
	struct store_delivered where;
	unsigned int calls;	/* of those that are counted */
	bool ended;		/* it came to its end */
};

static struct {
	_Atomic unsigned int holding, waiting, let_go, taken, paused, go_on;
	struct outcome out[JOBS_MAX];
} *shared;

/* ---- system calls ---- */

static struct {
	bool on, stopped_clock;
	int fail;		/* errno; 0: a kill */
	unsigned int calls, at;	/* 0: neither */
	bool dirs;		/* no directory can be synced */
	unsigned int renames, rename;	/* as calls and at */
	unsigned int pause;	/* at this one of renames; 0: none */
} hook;

static bool
fails(void)
{
	if (!hook.on || ++hook.calls != hook.at || hook.fail == 0)
		return false;
	errno = hook.fail;
	return true;
}

static long
done(long r)
{
	if (hook.on && hook.calls == hook.at && hook.fail == 0)
		(void)kill(getpid(), SIGKILL);
	return r;
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);

	if (clock == CLOCK_MONOTONIC && hook.stopped_clock)
		*ts = (struct timespec){ 1000000, 0 };
	return r;
}

/* Words that are waited for, and woken. More arguments than there may be are
 * read, as the kernel does. */
__attribute__((no_sanitize_address))
long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6], r;
	bool wake;
	va_list ap;
	int i;

	va_start(ap, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	wake = number == SYS_futex && a[1] == FUTEX_WAKE;
	if (wake && hook.on)
		hook.calls++;
	r = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	return wake ? done(r) : r;
}

/* ---- waiting ---- */

static int64_t
real_ms(void)
{
	struct timespec ts;

	(void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
reached(const _Atomic unsigned int *n, unsigned int value, pid_t pid)
{
	int64_t until = real_ms() + LONG_MS;
	siginfo_t si = { 0 };

	while (*n < value && real_ms() < until) {
		if (pid != 0 && waitid(P_PID, (id_t)pid, &si, WEXITED |
		    WNOHANG | WNOWAIT) == 0 && si.si_pid == pid)
			return false;
		(void)usleep(200);
	}
	return *n >= value;
}

/* ---- system calls again ---- */

int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
    unsigned int flags)
{
	if (hook.on && ++hook.renames == hook.rename) {
		errno = hook.fail;
		return -1;
	}
	if (hook.on && hook.renames == hook.pause) {
		shared->paused = 1;
		(void)reached(&shared->go_on, 1, 0);
	}
	return fails() ? -1 : (int)done(syscall(SYS_renameat2, from_dir, from,
	    to_dir, to, flags));
}

int
unlinkat(int dir, const char *name, int flags)
{
	return fails() ? -1 : (int)done(syscall(SYS_unlinkat, dir, name,
	    flags));
}

int
futimens(int fd, const struct timespec times[2])
{
	return fails() ? -1 : (int)done(syscall(SYS_utimensat, fd, NULL,
	    times, 0));
}

int
faccessat(int dir, const char *name, int mode, int flags)
{
	(void)flags;	/* no link is asked for */
	return fails() ? -1 : (int)done(syscall(SYS_faccessat, dir, name,
	    mode));
}

/* A kill needs no disk. */
int
fdatasync(int fd)
{
	return fails() ? -1 : (int)done(fcntl(fd, F_GETFD) == -1 ? -1 : 0);
}

int
fsync(int fd)
{
	struct stat st;

	if (hook.on && hook.dirs && fstat(fd, &st) == 0 &&
	    S_ISDIR(st.st_mode)) {
		errno = hook.fail;
		return -1;
	}
	return fails() ? -1 : (int)done(fcntl(fd, F_GETFD) == -1 ? -1 : 0);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	return fails() ? -1 : done(syscall(SYS_write, fd, p, n));
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	return fails() ? -1 : done(syscall(SYS_writev, fd, v, n));
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return fails() ? -1 : done(syscall(SYS_pwrite64, fd, p, n, at));
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return fails() ? -1 : done(syscall(SYS_pwrite64, fd, p, n, at));
}

/* ---- processes ---- */

static void
is_waiting(void *ctx, const char *account, bool waiting)
{
	(void)ctx;
	(void)account;
	if (waiting && hook.on)
		shared->waiting++;
}

static void
hold(const struct store_options *o)
{
	struct store *s = store_open(o);
	struct work w;

	if (s == NULL || work_begin(s, &w) == -1)
		_exit(1);
	shared->holding = 1;
	if (!reached(&shared->let_go, 1, 0))
		_exit(2);
	work_abort(&w);
	_exit(0);
}

static struct bytes
text_of(const struct job *j, struct buf *b)
{
	uint32_t seed = 1;
	size_t i;

	assert_int_equal(buf_printf(b, "Authentication-Results: mx.test; "
	    "dkim=pass header.d=example.org\nReceived: from h.test (unknown "
	    "[192.0.2.1]) by mx.test; x\nFrom: a@example.org\nSubject: %s\n"
	    "Message-ID: <%s@example.org>\n", j->subject, j->subject), 0);
	if (j->references != NULL)
		assert_int_equal(buf_printf(b, "References: <%s>\n",
		    j->references), 0);
	if (j->size == LONG) {
		assert_int_equal(buf_adds(b, "To: one@example.org"), 0);
		for (i = 0; i < LONG_ADDRESSES; i++)
			assert_int_equal(buf_printf(b,
			    ",\n %zu@long.example.org", i), 0);
		assert_int_equal(buf_adds(b, "\n"), 0);
	}
	assert_int_equal(buf_adds(b, "\n"), 0);
	for (i = 0; i < j->size; i++) {
		seed = seed * 1103515245 + 12345;
		assert_int_equal(buf_addc(b, i % 61 == 60 ? '\n' :
		    (unsigned char)('a' + (seed >> 16) % 26)), 0);
	}
	return buf_bytes(b);
}

struct wrong {
	size_t job;
	unsigned int at;
	int fail;
	bool dirs;		/* each sync of a directory fails */
	unsigned int rename;	/* so does one of these; 0: none */
	unsigned int pause;	/* or waits for go_on; 0: none */
};

static void
deliver_job(const struct store_options *o, const struct job *j, size_t i,
    const struct wrong *wrong)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	struct bytes piece = text_of(j, &b);
	struct store_incoming in = { .pieces = &piece, .count = 1,
	    .flags = j->flags };
	struct outcome *out = &shared->out[i];
	struct store *s = store_open(o);

	if (s == NULL)
		_exit(1);
	if (wrong != NULL && wrong->job == i) {
		hook.at = wrong->at;
		hook.fail = wrong->fail;
		hook.dirs = wrong->dirs;
		hook.rename = wrong->rename;
		hook.pause = wrong->pause;
	}
	hook.on = hook.stopped_clock = true;
	out->r = store_deliver(s, bytes_str(j->mailbox), &in, &out->where);
	out->err = errno;
	hook.on = false;
	out->calls = hook.calls;
	out->ended = true;
	store_close(s);
	buf_free(&b);
	_exit(0);
}

static pid_t
start(const struct store_options *o, const struct job *j, size_t i,
    const struct wrong *wrong)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid != 0)
		return pid;
	if (j == NULL)
		hold(o);
	deliver_job(o, j, i, wrong);
	_exit(9);
}

/* All jobs, as far as possible in one batch. Whether all came to their end. */
static bool
run_jobs(struct account_dir *d, const struct job *j, size_t n,
    const struct wrong *wrong)
{
	struct store_options o = d->o;
	int64_t killed = 0, began;
	pid_t pid[JOBS_MAX], holder;
	bool all = true;
	size_t i;
	int status;

	store_close(d->s);
	d->s = NULL;
	o.report = NULL;
	memset(shared, 0, sizeof(*shared));
	holder = start(&o, NULL, 0, NULL);
	assert_true(reached(&shared->holding, 1, 0));
	o.wait = is_waiting;
	for (i = 0; i < n; i++) {
		unsigned int before = shared->waiting;

		pid[i] = start(&o, &j[i], i, wrong);
		began = real_ms();
		/* before it waits it may end */
		(void)reached(&shared->waiting, before + 1, pid[i]);
		assert_true(real_ms() - began < LONG_MS);
	}
	shared->let_go = 1;
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(status, 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		if (i == 0)
			killed = real_ms();
		all &= shared->out[i].ended;
		if (!shared->out[i].ended)
			assert_true(WIFSIGNALED(status) &&
			    WTERMSIG(status) == SIGKILL);
		if (wrong == NULL || wrong->job != i || wrong->at == 0)
			assert_int_equal(status, 0);
	}
	if (real_ms() - killed >= LATE_MS)
		print_message("# late: %lld ms\n",
		    (long long)(real_ms() - killed));
	assert_true(real_ms() - killed < 5 * LATE_MS);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	return all;
}

/* ---- what is there ---- */

/* How often a subject is in the index; *m: the last one, *uid. */
static unsigned int
times_there(struct account_dir *d, const char *mailbox, const char *subject,
    uint32_t *uid, uint32_t *flags)
{
	struct store_view *v = store_view_open(d->s);
	struct store_mailbox box;
	struct store_message m;
	unsigned int n = 0;
	char want[300];
	int r;

	assert_non_null(v);
	(void)snprintf(want, sizeof(want), "NIL \"%s\" ", subject);
	assert_int_equal(store_mailbox_find(v, bytes_str(mailbox), &box), 1);
	for (r = store_message_first(v, box.id, 1, &m); r == 1;
	    r = store_message_next(v, &m)) {
		if (!bytes_starts(m.envelope, bytes_str(want)))
			continue;
		n++;
		*uid = m.uid;
		*flags = m.flags;
	}
	store_view_close(v);
	return n;
}

/* ---- three, of which one has trouble ---- */

#define SMALL 200
#define IN(subject, group) { "INBOX", subject, SMALL, NULL, 0, group }

static const struct job three[] = { IN("x0", 1), IN("x1", 1), IN("x2", 1) };

/* Told that it is stored: there once. Told that it is not: not there, but
 * after EIO perhaps. */
static inline void
check_after(struct account_dir *d, const struct job *j, size_t n,
    const struct wrong *wrong)
{
	uint32_t uid = 0, flags = 0;
	unsigned int times;
	size_t i;

	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	for (i = 0; i < n; i++) {
		const struct outcome *o = &shared->out[i];

		times = times_there(d, j[i].mailbox, j[i].subject, &uid,
		    &flags);
		if (times > 1 || (o->ended && o->r == 0 && times == 0) ||
		    (o->ended && o->r == -1 && o->err != EIO && times != 0) ||
		    (o->ended && o->r == 0 && o->where.uid != uid))
			fail_msg("%d at %u of %zu: %s: %d errno %d, %u times, "
			    "uid %u told %u", wrong->fail, wrong->at,
			    wrong->job, j[i].subject, o->r, o->err, times,
			    uid, o->where.uid);
		/* another's trouble is told to nobody but for the last sync */
		if (i != wrong->job && o->r == -1)
			assert_int_equal(o->err, EIO);
	}
	assert_content(d);
}

/* ---- a leader as a test makes it ---- */

static inline struct desk_key
key_in(struct account_dir *d, const char *mailbox)
{
	char path[1024];
	struct stat st;

	assert_int_equal(stat(path_of(d, path, "index/data.mdb"), &st), 0);
	return (struct desk_key){ st.st_dev, st.st_ino, id_of(d, mailbox) };
}

static const struct job one = { "Other", "one", SMALL, NULL, 0, 1 };

/* A process that waits; its message lies on the desk. */
static inline pid_t
offered_by(struct account_dir *d)
{
	struct store_options o = d->o;
	pid_t pid;

	o.report = NULL;
	o.wait = is_waiting;
	memset(shared, 0, sizeof(*shared));
	pid = start(&o, &one, 0, NULL);
	assert_true(reached(&shared->waiting, 1, pid));
	return pid;
}

/* The same, in the hands of the lead. */
static inline pid_t
taken_from(struct account_dir *d, const struct desk_key *k,
    struct desk_taken *t)
{
	pid_t pid = offered_by(d);

	assert_int_equal(desk_take(d->o.desk, k, t, 1), 1);
	return pid;
}

/* The lead of Other, and a process that waits. */
static inline pid_t
lead_and_offer(struct account_dir *d, struct desk_key *k)
{
	if (!find_box(d, "Other", &(struct store_mailbox){ 0 }))
		(void)deliver(d, "Other", "first");
	*k = key_in(d, "Other");
	assert_true(desk_lead(d->o.desk, k));
	return offered_by(d);
}

static inline pid_t
lead_and_take(struct account_dir *d, struct desk_key *k, struct desk_taken *t)
{
	pid_t pid = lead_and_offer(d, k);

	assert_int_equal(desk_take(d->o.desk, k, t, 1), 1);
	return pid;
}

static inline void
reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Its owner delivers it, and ends. */
static inline void
give_and_leave(struct account_dir *d, const struct desk_key *k,
    const struct desk_taken *t, pid_t pid)
{
	desk_give_back(d->o.desk, t);
	desk_leave(d->o.desk, k);
	reap(pid);
}

/* ---- set-up ---- */

static inline int
batch_setup(void **state)
{
	struct account_dir *d;

	shared = os_shared_memory(sizeof(*shared));
	assert_non_null(shared);
	assert_int_equal(account_setup(state), 0);
	d = *state;
	d->o.hostname = "mx.test";
	d->o.desk = store_desk_make();
	assert_non_null(d->o.desk);
	reopen(d);
	return 0;
}

static inline int
batch_teardown(void **state)
{
	struct account_dir *d = *state;
	struct store_desk *desk = d->o.desk;

	assert_int_equal(account_teardown(state), 0);
	store_desk_free(desk);
	os_shared_free(shared, sizeof(*shared));
	shared = NULL;
	return 0;
}

#define BATCH(name, fn) { name, fn, batch_setup, batch_teardown, NULL }

#endif
