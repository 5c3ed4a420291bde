/*
 * store_settle_test.c - S-9: our own changes need no listing of the folder,
 * and hide no other program's, whenever it comes and in the same tick too
 *
 * The other program is in the system calls of the store, which are defined
 * here: so its moment is exact. The tick is that of the test, which sets the
 * time of the directory back to what it was.
 */
#include "store_fixture.h"
#include "store/settle.h"

#include <sys/syscall.h>

#define BODY "Subject: out\n\nbody\n"
#define MANY (STORE_NAMES_NOW + 2)

enum moment { NEVER, EARLIER, BEFORE, BETWEEN, AFTER };

/* The other program: what it does to INBOX, and whether that was seen. */
struct foreign {
	const char *what;
	void (*act)(struct account_dir *d);
	bool (*is_seen)(struct account_dir *d, uint32_t total);
};

static struct {
	struct account_dir *d;
	const struct foreign *foreign;
	enum moment when;
	ino_t new, cur;		/* of INBOX */
	unsigned int acted, listed_new, listed_cur;
	struct timespec tick;	/* if not 0: of all links to new/ */
} hook;

static bool
is_dir(int fd, ino_t which)
{
	struct stat st;

	return fd >= 0 && which != 0 && fstat(fd, &st) == 0 &&
	    st.st_ino == which;
}

static void
moment(enum moment now, int a, int b)
{
	if (hook.when != now || (!is_dir(a, hook.new) && !is_dir(a, hook.cur)
	    && !is_dir(b, hook.new) && !is_dir(b, hook.cur)))
		return;
	hook.when = NEVER;
	hook.acted++;
	hook.foreign->act(hook.d);
}

/* ---- the system calls ---- */

int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, hook.tick };
	int r;

	moment(BEFORE, from_dir, to_dir);
	r = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
	if (r == 0 && hook.tick.tv_sec != 0 && is_dir(to_dir, hook.new))
		assert_int_equal(syscall(SYS_utimensat, to_dir, NULL, times,
		    0), 0);
	return r;
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	moment(BEFORE, from_dir, to_dir);
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
    unsigned int flags)
{
	moment(BEFORE, from_dir, to_dir);
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int
unlinkat(int dir, const char *name, int flags)
{
	moment(BEFORE, dir, -1);
	return (int)syscall(SYS_unlinkat, dir, name, flags);
}

int
futimens(int fd, const struct timespec times[2])
{
	struct timespec tick[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	unsigned int acted = hook.acted;
	struct stat st;
	int r;

	moment(BETWEEN, fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	r = (int)syscall(SYS_utimensat, fd, NULL, times, 0);
	if (acted == hook.acted)
		moment(AFTER, fd, -1);
	else
		return r;
	if (acted != hook.acted) {
		/* As if it were still the tick of the change. */
		tick[1] = st.st_mtim;
		assert_int_equal(syscall(SYS_utimensat, fd, NULL, tick, 0), 0);
	}
	return r;
}

DIR *
fdopendir(int fd)
{
	int err;
	DIR *d;
	char path[64];

	hook.listed_new += is_dir(fd, hook.new);
	hook.listed_cur += is_dir(fd, hook.cur);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	d = opendir(path);
	err = errno;
	if (d != NULL)
		(void)close(fd);
	errno = err;
	return d;
}

/* ---- what the other program does ---- */

static void
put_new(struct account_dir *d)
{
	put_file(d, "Maildir/new/20.foreign", BODY);
}

static void
put_cur(struct account_dir *d)
{
	put_file(d, "Maildir/cur/20.foreign:2,S", BODY);
}

static bool
is_more(struct account_dir *d, uint32_t total)
{
	return box_of(d, "INBOX").total == total + 1;
}

/* Message 2 is in cur/, and no change of ours is about it. */
static void
remove_two(struct account_dir *d)
{
	char path[1024];

	assert_int_equal(unlink(file_of(d, path, 1, 2)), 0);
}

static bool
two_is_gone(struct account_dir *d, uint32_t total)
{
	(void)total;
	return !is_there(d, 1, 2);
}

static void
flag_two(struct account_dir *d)
{
	char from[1024], to[1100];

	file_of(d, from, 1, 2);
	(void)snprintf(to, sizeof(to), "%.*s:2,RS",
	    (int)(strrchr(from, ':') - from), from);
	assert_int_equal(rename(from, to), 0);
}

static bool
two_is_answered(struct account_dir *d, uint32_t total)
{
	(void)total;
	return (flags_of(d, 1, 2) & STORE_ANSWERED) != 0;
}

static const struct foreign foreigns[] = {
	{ "a delivery", put_new, is_more },
	{ "a file in cur/", put_cur, is_more },
	{ "a removal", remove_two, two_is_gone },
	{ "a flag", flag_two, two_is_answered },
};

/* ---- what we do ---- */

static void
set_flag(struct account_dir *d, const uint32_t *uids, size_t n)
{
	struct store_flag_change c = { .how = STORE_ADD,
	    .flags = STORE_FLAGGED, .unchanged_since = UINT64_MAX };

	assert_int_equal(store_flags(d->s, 1, uids, n, &c, NULL, NULL), 0);
}

static int
our_delivery(struct account_dir *d)
{
	deliver(d, "INBOX", "ours");
	return 1;
}

static int
our_append(struct account_dir *d)
{
	deliver_flags(d, "INBOX", "ours", STORE_SEEN);
	return 1;
}

static int
our_flag(struct account_dir *d)
{
	const uint32_t uid = 3;

	set_flag(d, &uid, 1);
	return 0;
}

static int
our_flag_of_new(struct account_dir *d)
{
	const uint32_t uid = 1;

	set_flag(d, &uid, 1);
	return 0;
}

static int
our_copy(struct account_dir *d)
{
	uint32_t uid = 1, copied;

	assert_int_equal(store_copy(d->s, id_of(d, "Other"), &uid, 1, 1,
	    false, &copied), 0);
	return 1;
}

static int
our_move(struct account_dir *d)
{
	uint32_t uid = 3, moved;

	assert_int_equal(store_copy(d->s, 1, &uid, 1, id_of(d, "Other"), true,
	    &moved), 0);
	return -1;
}

static int
our_expunge(struct account_dir *d)
{
	const uint32_t uid = 3;

	assert_int_equal(store_expunge(d->s, 1, &uid, 1, true, NULL), 0);
	return -1;
}

static int
our_claim(struct account_dir *d)
{
	assert_int_not_equal(store_sync(d->s, 1, true), -1);
	return 0;
}

static int
our_names(struct account_dir *d)
{
	uint32_t uids[MANY];
	size_t i;

	for (i = 0; i < MANY; i++)
		uids[i] = (uint32_t)(i + 3);
	set_flag(d, uids, MANY);
	assert_true(store_names_behind(d->s));
	while (store_names(d->s) == 1)
		continue;
	return 0;
}

static const struct ours {
	const char *what;
	int (*act)(struct account_dir *d);	/* messages more */
	size_t messages;
} ours[] = {
	{ "a delivery", our_delivery, 3 },
	{ "an append with flags", our_append, 3 },
	{ "a flag", our_flag, 3 },
	{ "a flag of what is new", our_flag_of_new, 3 },
	{ "a copy", our_copy, 3 },
	{ "a move", our_move, 3 },
	{ "an expunge", our_expunge, 3 },
	{ "what is new claimed", our_claim, 3 },
	{ "names that follow", our_names, MANY + 2 },
};

/* ---- the cases ---- */

static ino_t
inode_of(struct account_dir *d, const char *name)
{
	char path[1024];
	struct stat st;

	assert_int_equal(stat(path_of(d, path, "%s", name), &st), 0);
	return st.st_ino;
}

/* An account with messages in INBOX, the first of them new, one in Other;
 * all that times can tell is settled. */
static struct account_dir *
prepare(size_t messages)
{
	static const struct bytes text = { (const unsigned char *)BODY,
		sizeof(BODY) - 1 };
	struct store_incoming in[MANY + 1];
	struct account_dir *d;
	void *state;
	size_t i;

	hook.when = NEVER;
	hook.new = hook.cur = 0;
	account_setup(&state);
	d = state;
	deliver(d, "INBOX", "x");
	for (i = 0; i < messages - 1; i++)
		in[i] = (struct store_incoming){ .pieces = &text, .count = 1,
		    .flags = STORE_SEEN };
	assert_int_equal(store_append(d->s, 1, in, messages - 1, NULL), 0);
	deliver(d, "Other", "y");
	settle();
	assert_int_equal(store_sync(d->s, 0, false), 0);
	hook.d = d;
	hook.new = inode_of(d, "Maildir/new");
	hook.cur = inode_of(d, "Maildir/cur");
	hook.acted = hook.listed_new = hook.listed_cur = 0;
	hook.tick = (struct timespec){ 0, 0 };
	return d;
}

static void
finish(struct account_dir *d)
{
	void *state = d;

	hook.when = NEVER;
	hook.new = hook.cur = 0;
	assert_content(d);
	account_teardown(&state);
}

/* Where changes cannot be counted all is listed, and nothing hides. */
static bool
can_count(struct account_dir *d)
{
	struct os_counting c;
	uint32_t n;
	char path[1024];
	int dir = open(path_of(d, path, "Maildir/new"), O_RDONLY);
	int r = os_counting_begin(&c, &dir, 1);

	assert_int_not_equal(dir, -1);
	if (r == 0)
		assert_int_equal(os_counting_end(&c, &n), 0);
	assert_int_equal(close(dir), 0);
	return r == 0;
}

static void
ours_need_no_listing(void **state)
{
	struct account_dir *d;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ours); i++) {
		d = prepare(ours[i].messages);
		if (!can_count(d)) {
			finish(d);
			skip();
		}
		(void)ours[i].act(d);
		settle();
		assert_int_equal(store_sync(d->s, 0, false), 0);
		assert_int_equal(store_sync(d->s, 1, true), 0);
		settle();
		assert_int_equal(store_sync(d->s, 1, true), 0);
		if (hook.listed_cur != 0 || hook.listed_new > 2)
			fail_msg("%s: listed new/ %u times, cur/ %u times",
			    ours[i].what, hook.listed_new, hook.listed_cur);
		finish(d);
	}
}

/* Looked for as a session does, for a second. */
static bool
is_found(struct account_dir *d, const struct foreign *f, uint32_t total)
{
	const struct timespec pause = { 0, 20 * 1000 * 1000 };
	int64_t until = time_wall_us() + 1000000;

	do {
		assert_int_not_equal(store_sync(d->s, 1, false), -1);
		if (f->is_seen(d, total))
			return true;
		(void)nanosleep(&pause, NULL);
	} while (time_wall_us() < until);
	return false;
}

static void
one_case(const struct ours *o, const struct foreign *f, enum moment when)
{
	struct account_dir *d = prepare(o->messages);
	uint32_t total = (uint32_t)o->messages;

	hook.foreign = f;
	hook.when = when;
	if (when == EARLIER) {
		hook.when = NEVER;
		hook.acted++;
		f->act(d);
	}
	total += (uint32_t)o->act(d);
	hook.when = NEVER;
	if (can_count(d) && hook.acted != 1)
		fail_msg("%s, %s, %d: never came", o->what, f->what, when);
	if (hook.acted == 1 && !is_found(d, f, total))
		fail_msg("%s, %s, %d: not found", o->what, f->what, when);
	finish(d);
}

static void
each_case(enum moment when)
{
	size_t i, j;

	for (i = 0; i < COUNT(ours); i++) {
		for (j = 0; j < COUNT(foreigns); j++)
			one_case(&ours[i], &foreigns[j], when);
	}
}

static void
another_before_us(void **state)
{
	(void)state;
	each_case(EARLIER);
}

static void
another_just_before_us(void **state)
{
	(void)state;
	each_case(BEFORE);
}

static void
another_before_the_time_is_set(void **state)
{
	(void)state;
	each_case(BETWEEN);
}

static void
another_in_the_tick_after_us(void **state)
{
	(void)state;
	each_case(AFTER);
}

/*
 * What a listing could not tell before is not settled by what we do after. The
 * listing has to be in the 25 ms after the change: tried until it is.
 */
static void
another_in_an_unsettled_tick(void **state)
{
	struct timespec tick[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct account_dir *d;
	char path[1024];
	struct stamp at;
	struct stat st;
	int i;
	bool young;

	(void)state;
	for (i = 0, young = false; i < 50 && !young; i++) {
		d = prepare(3);
		remove_two(d);
		assert_int_equal(store_sync(d->s, 1, false), 1);
		assert_int_equal(stat(path_of(d, path, "Maildir/cur"), &st),
		    0);
		at = stamp_of(&st);
		young = !stamp_is_old(&at, time_wall_us());
		if (young) {
			put_cur(d);
			tick[1] = st.st_mtim;
			assert_int_equal(utimensat(AT_FDCWD, path, tick, 0),
			    0);
			(void)our_append(d);
			assert_true(is_found(d, &foreigns[1], 3));
		}
		finish(d);
	}
	if (!young)
		skip();
}

/* Who is killed before its change is in the index leaves a folder that
 * differs from it, though the change before was in the same tick. */
static void
each_change_has_its_time(void **state)
{
	struct account_dir *d = prepare(3);
	struct stamp last = { 0 }, at;
	char path[1024];
	struct stat st;
	int i;

	(void)state;
	if (!can_count(d)) {
		finish(d);
		skip();
	}
	path_of(d, path, "Maildir/new");
	hook.tick = (struct timespec){ time(NULL), 5000000 };
	for (i = 0; i < 20; i++) {
		(void)our_delivery(d);
		assert_int_equal(stat(path, &st), 0);
		at = stamp_of(&st);
		assert_int_equal(at.sec, hook.tick.tv_sec);
		assert_true(at.nsec < hook.tick.tv_nsec);
		assert_false(stamp_same(&at, &last));
		last = at;
	}
	assert_int_equal(hook.listed_cur, 0);
	finish(d);
}

/* ---- two programs at once, as fast as they can ---- */

#define RACE 150

static void
deliver_as_others_do(struct account_dir *d, const char *where)
{
	char tmp[1024], to[1024], name[64];
	int i;

	for (i = 0; i < RACE; i++) {
		(void)snprintf(name, sizeof(name), "Maildir/tmp/%d.race", i);
		put_file(d, name, BODY);
		path_of(d, tmp, "%s", name);
		if (rename(tmp, path_of(d, to, where, i)) == -1)
			_exit(1);
	}
	_exit(0);
}

static void
race(const char *where, uint32_t flags)
{
	struct account_dir *d = prepare(3);
	int i, status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		deliver_as_others_do(d, where);
	for (i = 0; i < RACE; i++)
		deliver_flags(d, "INBOX", "ours", flags);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(is_found(d, &foreigns[0], 3 + 2 * RACE - 1));
	settle();
	assert_int_equal(store_sync(d->s, 1, false), 0);
	finish(d);
}

static void
both_at_once(void **state)
{
	(void)state;
	race("Maildir/new/%d.race", 0);
	race("Maildir/cur/%d.race:2,", STORE_SEEN);
}

#define ALONE(name, fn) { name, fn, NULL, NULL, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE("S-9: what we do needs no listing of the folder",
		    ours_need_no_listing),
		ALONE("another program before us is found within a second",
		    another_before_us),
		ALONE("another program just before us is found within a "
		    "second", another_just_before_us),
		ALONE("the same before we set the time",
		    another_before_the_time_is_set),
		ALONE("the same after us, in our tick",
		    another_in_the_tick_after_us),
		ALONE("the same before us, in a tick that was not settled",
		    another_in_an_unsettled_tick),
		ALONE("each change in a tick leaves a time of its own",
		    each_change_has_its_time),
		ALONE("S-20: another program at the same time", both_at_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
