/*
 * store_killed_test.c - S-20: processes killed one after the other, within
 * ticks of the clock: what they left is found by the next look
 *
 * The system calls that change folders are defined here: a process ends
 * itself after any of them, and directories get the times of a kernel with a
 * tick of 20 ms, whatever kernel this is.
 */
#include "store_fixture.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#define TICK_NS 20000000	/* less than SETTLE_US */
/* Times with no fraction mean something else. */
#define TICK_OFFSET_NS 3000000

static struct {
	bool on;
	unsigned int calls, last;	/* ends itself after the last; 0: not */
} hook;

/* ---- the system calls ---- */

/* The time of the last tick, if it is new/ or cur/ of a folder. */
static void
stamp(int fd)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, 0 } }, now;
	char path[64], name[1024];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((n = readlink(path, name, sizeof(name))) < 4 ||
	    (memcmp(name + n - 4, "/new", 4) != 0 &&
	    memcmp(name + n - 4, "/cur", 4) != 0))
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	times[1].tv_sec = now.tv_sec;
	times[1].tv_nsec = now.tv_nsec - now.tv_nsec % TICK_NS +
	    TICK_OFFSET_NS;
	if (times[1].tv_nsec > now.tv_nsec)
		times[1].tv_nsec -= TICK_NS;
	if (times[1].tv_nsec < 0) {
		times[1].tv_nsec += 1000000000;
		times[1].tv_sec--;
	}
	if (syscall(SYS_utimensat, fd, NULL, times, 0) == -1)
		abort();
}

static int
done(int r, int a, int b)
{
	int err = errno;

	if (!hook.on)
		return r;
	if (r == 0 && a != -1)
		stamp(a);
	if (r == 0 && b != -1)
		stamp(b);
	if (++hook.calls == hook.last)
		(void)kill(getpid(), SIGKILL);
	errno = err;
	return r;
}

int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return done((int)syscall(SYS_linkat, from_dir, from, to_dir, to,
	    flags), to_dir, -1);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return done((int)syscall(SYS_renameat2, from_dir, from, to_dir, to,
	    0), from_dir, to_dir);
}

int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
    unsigned int flags)
{
	return done((int)syscall(SYS_renameat2, from_dir, from, to_dir, to,
	    flags), from_dir, to_dir);
}

int
unlinkat(int dir, const char *name, int flags)
{
	return done((int)syscall(SYS_unlinkat, dir, name, flags), dir, -1);
}

int
futimens(int fd, const struct timespec times[2])
{
	return done((int)syscall(SYS_utimensat, fd, NULL, times, 0), -1, -1);
}

/* A kill needs no disk: so more of them come in one tick. */
int
fdatasync(int fd)
{
	return done(fcntl(fd, F_GETFD) == -1 ? -1 : 0, -1, -1);
}

int
fsync(int fd)
{
	return done(fcntl(fd, F_GETFD) == -1 ? -1 : 0, -1, -1);
}

/* ---- what a process of ours does ---- */

static uint32_t
roll(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static size_t
some_of(struct store *s, uint32_t box, uint32_t *seed, uint32_t *uids,
    size_t max)
{
	struct store_view *v = store_view_open(s);
	struct store_message m;
	size_t n = 0;
	int r;

	assert_non_null(v);
	for (r = store_message_first(v, box, 1, &m); r == 1 && n < max;
	    r = store_message_next(v, &m)) {
		if (roll(seed, 2) == 0)
			uids[n++] = m.uid;
	}
	store_view_close(v);
	return n;
}

static void
add(struct store *s, uint32_t box, uint32_t flags)
{
	struct bytes piece = BYTES("Subject: x\n\nbody\n");
	struct store_incoming in = { .pieces = &piece, .count = 1,
	    .flags = flags };

	(void)store_append(s, box, &in, 1, NULL);
}

static void
flag(struct store *s, uint32_t box, const uint32_t *uids, size_t n,
    uint32_t flags)
{
	struct store_flag_change c = { .how = STORE_REPLACE, .flags = flags,
	    .unchanged_since = UINT64_MAX };

	(void)store_flags(s, box, uids, n, &c, NULL, NULL);
}

/* Anything; it may fail, for others did the same. */
static void
act_once(struct store *s, const uint32_t box[2], uint32_t *seed)
{
	static const uint32_t flags[] = { 0, STORE_SEEN, STORE_FLAGGED };
	uint32_t uids[8], new[8], from = roll(seed, 2);
	size_t n = some_of(s, box[from], seed, uids, 1 + roll(seed, 8));

	switch (roll(seed, 9)) {
	case 0:
	case 1:
		add(s, box[from], 0);
		break;
	case 2:
		add(s, box[from], STORE_SEEN);
		break;
	case 3:
		flag(s, box[from], uids, n, flags[roll(seed, 3)]);
		break;
	case 4:
	case 5:
		(void)store_copy(s, box[from], uids, n, box[roll(seed, 2)],
		    false, new);
		break;
	case 6:
		(void)store_copy(s, box[from], uids, n, box[1 - from], true,
		    new);
		break;
	case 7:
		(void)store_expunge(s, box[from], uids, n < 2 ? n : 2, true,
		    NULL);
		break;
	default:
		(void)store_sync(s, box[from], roll(seed, 2) == 0);
	}
}

static void
act(struct store *s, const uint32_t box[2], uint32_t *seed)
{
	uint32_t n = 1 + roll(seed, 4);

	while (n-- > 0)
		act_once(s, box, seed);
}

/* ---- processes that end ---- */

/* A process that does something and ends itself after that many calls. */
static void
killed_after(struct account_dir *d, unsigned int last,
    void (*run)(struct store *, const uint32_t *, uint32_t *),
    const uint32_t box[2], uint32_t *seed)
{
	struct store *s;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		d->o.report = NULL;
		if ((s = store_open(&d->o)) == NULL)
			_exit(1);
		hook.on = true;
		hook.calls = 0;
		hook.last = last;
		run(s, box, seed);
		hook.on = false;
		store_close(s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	if (WIFSIGNALED(status))
		assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* What other programs do meanwhile, in the same ticks. */
static void
act_as_others(struct account_dir *d, uint32_t *seed)
{
	static const char *const dirs[] = { "Maildir/new", "Maildir/cur" };
	static unsigned int count;
	const char *where = dirs[roll(seed, 2)];
	char name[64], path[1024];
	struct dirent *e;
	DIR *dir;

	dir = opendir(path_of(d, path, "%s", where));
	assert_non_null(dir);
	if (roll(seed, 2) == 0) {
		(void)snprintf(name, sizeof(name), "%s/%u.other", where,
		    ++count);
		put_file(d, name, "Subject: other\n\nbody\n");
	} else {
		while ((e = readdir(dir)) != NULL && e->d_name[0] == '.')
			continue;
		if (e != NULL)
			assert_int_equal(unlink(path_of(d, path, "%s/%s",
			    where, e->d_name)), 0);
	}
	stamp(dirfd(dir));
	(void)closedir(dir);
}

/* One look finds all. */
static void
assert_found(struct account_dir *d)
{
	settle();
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	while (store_names(d->s) == 1)
		continue;
	assert_content(d);
}

static void
in_any_order(void **state)
{
	struct account_dir *d = *state;
	uint32_t box[2], seed = (uint32_t)time(NULL) ^ (uint32_t)getpid();
	int i, j;

	print_message("# seed %u\n", seed);
	(void)deliver(d, "Other", "y");
	box[0] = id_of(d, "INBOX");
	box[1] = id_of(d, "Other");
	for (i = 0; i < 30; i++) {
		for (j = 0; j < 2; j++)
			assert_int_equal(store_expunge(d->s, box[j], NULL, 0,
			    true, NULL), 0);
		store_close(d->s);
		d->s = NULL;
		for (j = 0; j < 10; j++) {
			if (roll(&seed, 8) == 0)
				act_as_others(d, &seed);
			(void)roll(&seed, 2);
			killed_after(d, roll(&seed, 20), act, box, &seed);
		}
		assert_found(d);
	}
}

/* ---- a copy again ---- */

static void
copy(struct store *s, const uint32_t box[2], uint32_t *uid)
{
	uint32_t new;

	(void)store_copy(s, box[0], uid, 1, box[1], false, &new);
}

/*
 * The one that was killed left a file whose UID the next one gets. They must
 * not have one name: not the same, which would be refused, nor one that
 * differs in flags alone, which would be taken for a file on its way.
 */
static void
a_copy_after_one_that_was_killed(void **state)
{
	static const uint32_t flags[] = { 0, STORE_FLAGGED };
	struct account_dir *d = *state;
	uint32_t box[2], uid, new;
	size_t i;

	(void)deliver(d, "Other", "y");
	box[0] = id_of(d, "INBOX");
	box[1] = id_of(d, "Other");
	for (i = 0; i < COUNT(flags); i++) {
		uid = deliver_flags(d, "INBOX", "x", STORE_SEEN);
		store_close(d->s);
		killed_after(d, 1, copy, box, &uid);
		d->s = store_open(&d->o);
		assert_non_null(d->s);
		if (flags[i] != 0)
			flag(d->s, box[0], &uid, 1, flags[i]);
		assert_int_equal(store_copy(d->s, box[0], &uid, 1, box[1],
		    false, &new), 0);
		store_close(d->s);
		assert_found(d);
		assert_int_equal(box_of(d, "Other").total, 1 + 2 * (i + 1));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-20 a copy after one that was killed",
		    a_copy_after_one_that_was_killed),
		TEST("S-20 S-9 killed one after the other, in any order",
		    in_any_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
