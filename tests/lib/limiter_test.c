/* limiter_test - counts by masked address, in memory and shared */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limiter/internal.h"
#include "server/server.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FILE_NAME "limits/t/one"

static struct ip
ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(bytes_str(text), &ip), 0);
	return ip;
}

static struct ip
numbered(const char *net, unsigned int byte, unsigned int value)
{
	struct ip ip = ip_of(net);

	ip.a[byte] = (unsigned char)(value & 0xff);
	return ip;
}

static bool
add(struct limiter *l, const char *text, int64_t now)
{
	struct ip ip = ip_of(text);
	uint64_t ticket;

	return limiter_add(l, &ip, now, &ticket);
}

/* ---- a directory of its own, as run ---- */

static int
make_run(void **state)
{
	char *dir = mem_strdup("/tmp/pmlimit.XXXXXX");

	if (mkdtemp(dir) == NULL || setenv("PIPEMAIL_RUN", dir, 1) == -1 ||
	    chdir(dir) == -1)
		return -1;
	*state = dir;
	return 0;
}

static int
remove_run(void **state)
{
	char *dir = *state;

	(void)unlink(FILE_NAME);
	(void)rmdir("limits/t");
	(void)unlink("limits");
	(void)rmdir("limits");
	if (chdir("/") == -1 || rmdir(dir) == -1)
		return -1;
	free(dir);
	return 0;
}

/* ---- in memory ---- */

static void
test_masks(void **state)
{
	static const struct {
		const char *ip;
		bool counted;
	} t[] = {
		{ "10.0.0.1", true }, { "10.0.0.1", true },
		{ "10.0.0.1", false },			/* /32 */
		{ "10.0.0.2", true }, { "10.0.0.63", true },
		{ "10.0.0.3", false },			/* /26 */
		{ "10.0.0.64", true }, { "10.0.7.255", true },
		{ "10.0.1.1", false },			/* /21 */
		{ "10.0.8.1", true },
		{ "2001:db8::1", true }, { "2001:db8::2", true },
		{ "2001:db8::3", false },		/* /64 */
		{ "2001:db8:0:1::1", true }, { "2001:db8:0:ffff::1", true },
		{ "2001:db8:0:2::1", false },		/* /48 */
		{ "2001:db8:1::1", true }, { "2001:db8:ffff::1", true },
		{ "2001:db8:2::1", false },		/* /32 */
		{ "2001:db9::1", true },
	};
	struct limiter_window w = { 60, { 2, 4, 6 }, 1000 };
	struct limiter *l = limiter_new(&w, 1);
	struct ip ip;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		ip = ip_of(t[i].ip);
		assert_int_equal(limiter_allows(l, &ip, 100), t[i].counted);
		if (limiter_add(l, &ip, 100, NULL) != t[i].counted)
			fail_msg("row %zu: %s", i, t[i].ip);
	}
	/* A new window begins with nothing counted. */
	assert_false(add(l, "10.0.0.1", 119));
	assert_true(add(l, "10.0.0.1", 120));
	/* A process that looked at the clock a moment before. */
	assert_true(add(l, "10.0.0.1", 119));
	assert_false(add(l, "10.0.0.1", 179));
	/* The clock was set back. */
	assert_true(add(l, "10.0.0.1", 30));
	limiter_free(l);
}

static void
test_windows(void **state)
{
	static const struct limiter_window w[2] = {
		{ 60, { 10, 30, 90 }, 1000 }, { 86400, { 50, 150, 450 }, 1000 },
	};
	struct limiter *l = limiter_new(w, 2);
	unsigned int i, k;

	(void)state;
	/* BEHAVIOUR 8: 10 a minute, and the 51st of the day not at all */
	for (k = 0; k < 5; k++) {
		for (i = 0; i < 10; i++)
			assert_true(add(l, "192.0.2.1", 60 * k));
		assert_false(add(l, "192.0.2.1", 60 * k));
	}
	assert_false(add(l, "192.0.2.1", 60 * 5));
	assert_true(add(l, "192.0.2.2", 60 * 5));
	assert_true(add(l, "192.0.2.1", 86400));
	limiter_free(l);
}

static void
test_default_limits(void **state)
{
	const struct server_limits *d = &SERVER_LIMITS_MAIL;
	struct limiter_window w[2] = { { 0, { 0 }, 1000 },
	    { 60, { 0 }, 10000 } };
	struct limiter *l, *r;
	struct ip ip;
	unsigned int i, host;
	uint64_t ticket;

	(void)state;
	memcpy(w[0].limits, d->open, sizeof(d->open));
	memcpy(w[1].limits, d->per_minute, sizeof(d->per_minute));
	l = limiter_new(&w[0], 1);
	r = limiter_new(&w[1], 1);
	for (i = 0; i < 30; i++)
		assert_true(add(l, "192.0.2.1", 0));
	assert_false(add(l, "192.0.2.1", 0));
	for (host = 2; host < 4; host++) {
		ip = numbered("192.0.2.0", 3, host);
		for (i = 0; i < 30; i++)
			assert_true(limiter_add(l, &ip, 0, &ticket));
	}
	assert_false(add(l, "192.0.2.9", 0));		/* 90 of the /26 */
	for (host = 64; host < 70; host++) {
		ip = numbered("192.0.1.0", 3, host);
		for (i = 0; i < 30; i++)
			assert_int_equal(limiter_add(l, &ip, 0, &ticket),
			    host < 67);
	}
	for (host = 64; host < 67; host++) {
		ip = numbered("192.0.3.0", 3, host);
		for (i = 0; i < 30; i++)
			assert_true(limiter_add(l, &ip, 0, &ticket));
	}
	assert_false(add(l, "192.0.7.1", 0));		/* 270 of the /21 */
	assert_true(add(l, "192.0.8.1", 0));
	for (i = 0; i < 300; i++)
		assert_true(add(r, "192.0.2.1", 7));
	assert_false(add(r, "192.0.2.1", 7));
	limiter_free(l);
	limiter_free(r);
}

static void
test_open_counts(void **state)
{
	static const struct limiter_window w = { 0, { 3, 0, 0 }, 2000 };
	struct limiter *l = limiter_new(&w, 1);
	struct ip ip[100];
	uint64_t ticket[300], more;
	unsigned int i, round;

	(void)state;
	/* In and out in every order: no count is lost or left over. */
	for (i = 0; i < 100; i++)
		ip[i] = numbered("10.1.0.0", i % 2 == 0 ? 1 : 3, i);
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 300; i++)
			assert_true(limiter_add(l, &ip[i % 100], 0,
			    &ticket[i]));
		for (i = 0; i < 100; i++)
			assert_false(limiter_add(l, &ip[i], 0, &more));
		assert_int_equal(limiter_open_total(l), 300);
		for (i = 0; i < 300; i++)
			limiter_remove(l, ticket[(i * 37 + round) % 300]);
		assert_int_equal(limiter_open_total(l), 0);
	}
	limiter_remove(l, ticket[0]);	/* it is gone already */
	limiter_remove(l, 0);
	limiter_remove(l, UINT64_MAX);
	for (i = 0; i < 3; i++)
		assert_true(limiter_add(l, &ip[0], 0, &more));
	assert_false(limiter_add(l, &ip[0], 0, &more));
	limiter_free(l);
}

static void
test_open_max(void **state)
{
	static const struct limiter_window w = { 0, { 0, 0, 0 }, 1000 };
	struct limiter *l = limiter_new(&w, 1);
	struct ip ip = ip_of("10.0.0.1");
	uint64_t ticket, first;
	unsigned int i;

	(void)state;
	assert_true(limiter_add(l, &ip, 0, &first));
	for (i = 1; i < LIMITER_OPEN_MAX; i++)
		assert_true(limiter_add(l, &ip, 0, &ticket));
	assert_false(limiter_add(l, &ip, 0, &ticket));
	limiter_remove(l, first);
	assert_true(limiter_add(l, &ip, 0, &ticket));
	assert_false(limiter_add(l, &ip, 0, &ticket));
	limiter_free(l);
}

static void
test_forget(void **state)
{
	static const struct limiter_window w = { 60, { 10, 12, 0 }, 300 };
	struct limiter *l = limiter_new(&w, 1);
	struct ip a = ip_of("10.0.0.1");
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_true(add(l, "10.0.0.1", 0));
	assert_true(add(l, "10.0.0.2", 0));
	assert_true(add(l, "10.0.0.2", 0));
	assert_false(add(l, "10.0.0.2", 0));	/* 12 of the /26 */
	limiter_forget(l, &a, 0);
	for (i = 0; i < 8; i++)
		assert_true(add(l, "10.0.0.2", 0));
	assert_false(add(l, "10.0.0.2", 0));
	assert_true(add(l, "10.0.0.1", 0));
	limiter_free(l);
}

static void
test_table_full(void **state)
{
	static const struct limiter_window w = { 60, { 20, 0, 0 }, 12 };
	struct limiter *l = limiter_new(&w, 1);
	struct ip ip, other = { .family = 0 };
	unsigned int i;
	size_t k, used = 0;

	(void)state;
	for (i = 0; i < 19; i++)
		assert_true(add(l, "192.0.2.1", i));
	/* Far more than it holds: none is refused, the busy one stays. */
	for (i = 0; i < 20000; i++) {
		ip = numbered("10.0.0.1", 1, i >> 8);
		ip.a[2] = (unsigned char)(i & 0xff);
		assert_true(limiter_add(l, &ip, 5, NULL));
	}
	for (k = 0; k < l->window[0].slots; k++)
		used += limiter_counts(l, &l->window[0],
		    &l->window[0].slot[k]);
	assert_true(used <= l->window[0].slots);
	assert_int_equal(l->window[0].slots, 16);
	assert_true(add(l, "192.0.2.1", 6));
	assert_false(add(l, "192.0.2.1", 6));
	for (i = 0; i < 100; i++)
		assert_true(limiter_add(l, &other, 60, NULL));
	limiter_free(l);
}

static void
test_oldest_goes(void **state)
{
	static const struct limiter_window w = { 60, { 0, 0, 0 }, 6 };
	struct limiter *l = limiter_new(&w, 1);
	struct slot *s = l->window[0].slot;
	struct ip ip;
	unsigned int i, k;
	bool old = true;

	(void)state;
	for (i = 0; i < 100; i++) {
		ip = numbered("10.0.0.1", 0, i);
		assert_true(limiter_add(l, &ip, i / 2, NULL));
	}
	/* Of equal counts those of the first addresses are gone. */
	for (i = 0; i < l->window[0].slots; i++) {
		if (limiter_counts(l, &l->window[0], &s[i]) &&
		    s[i].count == 1)
			old = old && s[i].seen < 25;
	}
	for (k = 0; k < 3; k++) {
		ip = numbered("10.0.0.1", 0, 99);
		assert_non_null(limiter_find(l, &l->window[0], &ip, k));
	}
	assert_false(old);
	limiter_free(l);
}

/* ---- shared ---- */

static const struct limiter_window both[2] = {
	{ 0, { 30, 90, 270 }, 3000 }, { 60, { 300, 900, 2700 }, 3000 },
};

static struct limiter *
open_shared(void)
{
	struct limiter *l = limiter_open("t/one", both, 2);

	assert_true(limiter_is_shared(l));
	return l;
}

static void
wait_ok(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_two_processes(void **state)
{
	struct limiter *l = open_shared(), *m;
	struct ip ip = ip_of("192.0.2.1");
	uint64_t ticket[30], more;
	struct stat st;
	unsigned int i;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {		/* the other half, in a process of its own */
		limiter_forked(l);
		m = limiter_open("t/one", both, 2);
		for (i = 0; i < 15; i++) {
			if (!limiter_add(m, &ip, 7, &more))
				_exit(1);
		}
		if (limiter_open_total(m) != 15)
			_exit(2);
		limiter_free(m);	/* and its connections are closed */
		_exit(0);
	}
	wait_ok(pid);
	assert_int_equal(limiter_open_total(l), 0);
	for (i = 0; i < 30; i++)
		assert_true(limiter_add(l, &ip, 7, &ticket[i]));
	assert_false(limiter_add(l, &ip, 7, &more));
	for (i = 0; i < 30; i++)
		limiter_remove(l, ticket[i]);
	/* 45 of 300 this minute. */
	for (i = 0; i < 255; i++) {
		assert_true(limiter_add(l, &ip, 8, &more));
		limiter_remove(l, more);
	}
	assert_false(limiter_add(l, &ip, 8, &more));
	limiter_free(l);
	/* And it outlives them. */
	l = open_shared();
	assert_false(limiter_add(l, &ip, 9, &more));
	assert_true(limiter_add(l, &ip, 60, &more));
	limiter_free(l);
	assert_int_equal(stat(FILE_NAME, &st), 0);
	assert_int_equal(st.st_mode & 07137, 0);	/* 0640 at most */
}

#define WORKERS 4
#define ROUNDS 4000
static void
hammer(unsigned int who)
{
	struct limiter *l = limiter_open("t/one", both, 2);
	struct ip ip, own = numbered("11.9.0.0", 1, who);
	uint64_t ticket, kept;
	unsigned int i;

	limiter_set(l, 0, (unsigned int[3]){ 0, 0, 0 });
	limiter_set(l, 1, (unsigned int[3]){ 0, 0, 0 });
	if (!limiter_is_shared(l) || !limiter_add(l, &own, 7, &kept))
		_exit(1);
	for (i = 0; i < ROUNDS; i++) {
		ip = numbered("10.1.1.0", 3, i * 7 + who);
		if (!limiter_add(l, &ip, 7, &ticket))
			_exit(2);
		limiter_remove(l, ticket);
	}
	limiter_remove(l, kept);
	_exit(0);
}

static void
test_concurrent(void **state)
{
	struct limiter *l = open_shared();
	struct ip ip = ip_of("10.1.1.0");
	const struct slot *s;
	pid_t pid[WORKERS];
	unsigned int i;

	(void)state;
	for (i = 0; i < WORKERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			hammer(i);
	}
	for (i = 0; i < WORKERS; i++)
		wait_ok(pid[i]);
	assert_int_equal(limiter_open_total(l), 0);
	assert_null(limiter_find(l, &l->window[0], &ip, 2));
	s = limiter_find(l, &l->window[1], &ip, 2);
	assert_non_null(s);
	assert_int_equal(s->count, WORKERS * ROUNDS);	/* none was lost */
	limiter_free(l);
}

/* Count n connections in another process; that holds them until killed. */
static pid_t
start_holder(const char *text, unsigned int n)
{
	struct ip ip = ip_of(text);
	uint64_t ticket;
	struct limiter *l;
	unsigned int i;
	int p[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		l = limiter_open("t/one", both, 2);
		for (i = 0; i < n; i++) {
			if (!limiter_add(l, &ip, 7, &ticket))
				_exit(1);
		}
		(void)!write(p[1], "x", 1);
		(void)alarm(60);	/* where the test failed before */
		for (;;)
			(void)pause();
	}
	(void)close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	(void)close(p[0]);
	return pid;
}

static void
stop_holder(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_killed_holder(void **state)
{
	struct limiter *l = open_shared();
	pid_t a = start_holder("192.0.2.1", 20);
	pid_t b = start_holder("192.0.2.1", 10);

	(void)state;
	assert_false(add(l, "192.0.2.1", 7));
	stop_holder(a);
	/* The living one's stay; the dead one's are found when it matters. */
	assert_true(add(l, "192.0.2.1", 8));
	assert_int_equal(limiter_open_total(l), 11);
	stop_holder(b);
	limiter_free(l);
	l = open_shared();		/* and at a start */
	assert_int_equal(limiter_open_total(l), 0);
	limiter_free(l);
}

static void
test_killed_in_a_change(void **state)
{
	struct limiter *l = open_shared(), *m;
	struct ip ip = ip_of("192.0.2.1");
	uint64_t ticket;
	pid_t pid;
	int status;

	(void)state;
	assert_true(add(l, "192.0.2.7", 7));
	pid = fork();
	if (pid == 0) {
		m = limiter_open("t/one", both, 2);
		if (limiter_begin(m) == -1)
			_exit(1);
		/* half of an addition, and half of a removal */
		m->record[1].holder = m->holder;
		m->record[1].family = 4;
		m->head->high = 2;
		memset(m->window[0].slot, 0x55, WAYS * sizeof(struct slot));
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(limiter_add(l, &ip, 8, &ticket));	/* not wedged */
	assert_int_equal(limiter_find(l, &l->window[0], &ip, 0)->count, 1);
	assert_int_equal(limiter_find(l, &l->window[0], &ip, 1)->count, 2);
	limiter_remove(l, ticket);
	assert_null(limiter_find(l, &l->window[0], &ip, 0));
	assert_int_equal(atomic_load(&l->head->sequence) & 1, 0);
	limiter_free(l);
}

/* Killed at any moment, again and again: no lock stays, no count. */
static void
test_killed_anywhere(void **state)
{
	struct limiter *l = open_shared();
	struct timespec ts = { 0, 0 };
	unsigned int i;
	pid_t pid;

	(void)state;
	for (i = 0; i < 60; i++) {
		pid = fork();
		if (pid == 0) {
			hammer(i);
		}
		ts.tv_nsec = (long)(i * 37 % 50) * 100000;
		(void)nanosleep(&ts, NULL);
		stop_holder(pid);
		assert_true(add(l, "192.0.2.1", 60 * i));
		limiter_free(l);
		l = open_shared();
		assert_int_equal(limiter_open_total(l), 0);
	}
	limiter_free(l);
}

static void
test_lock_kept(void **state)
{
	struct limiter *l = open_shared(), *m;
	struct ip ip = ip_of("192.0.2.1");
	uint64_t ticket;
	int p[2];
	pid_t pid;
	char c;

	(void)state;
	assert_true(limiter_add(l, &ip, 7, &ticket));
	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		m = limiter_open("t/one", both, 2);
		if (limiter_begin(m) == 0)
			(void)!write(p[1], "x", 1);
		(void)alarm(60);	/* where the test failed before */
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	/* It goes on in memory, and tickets of before mean nothing there. */
	assert_true(add(l, "192.0.2.1", 7));
	assert_false(limiter_is_shared(l));
	limiter_remove(l, ticket);
	assert_int_equal(limiter_open_total(l), 1);
	stop_holder(pid);
	limiter_free(l);
	(void)close(p[0]);
	(void)close(p[1]);
}

static void
overwrite(off_t at, const char *bytes, size_t n)
{
	int fd = open(FILE_NAME, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), (ssize_t)n);
	assert_int_equal(close(fd), 0);
}

static void
test_bad_files(void **state)
{
	struct limiter_window other = { 3600, { 1, 1, 1 }, 100 };
	struct limiter *l = open_shared(), *m;

	(void)state;
	assert_true(add(l, "192.0.2.1", 7));
	/* Another version or geometry: a new file, the old one is let go. */
	overwrite(8, "\377", 1);
	m = limiter_open("t/one", both, 2);
	assert_true(limiter_is_shared(m));
	assert_int_equal(limiter_open_total(m), 0);
	assert_int_equal(limiter_open_total(l), 1);
	limiter_free(m);
	m = limiter_open("t/one", &other, 1);
	assert_true(limiter_is_shared(m));
	limiter_free(m);
	limiter_free(l);
	/* Cut short. */
	assert_int_equal(truncate(FILE_NAME, 100), 0);
	limiter_free(open_shared());
	/* No file at all, nor a place for one. */
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_equal(mkfifo(FILE_NAME, 0600), 0);
	l = limiter_open("t/one", both, 2);
	assert_false(limiter_is_shared(l));
	assert_true(add(l, "192.0.2.1", 7));
	limiter_free(l);
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_equal(rmdir("limits/t"), 0);
	assert_int_equal(rmdir("limits"), 0);
	assert_int_equal(symlink("/tmp", "limits"), 0);
	l = limiter_open("t/one", both, 2);
	assert_false(limiter_is_shared(l));
	limiter_free(l);
}

static void
test_nonsense_inside(void **state)
{
	struct limiter *l = open_shared();
	struct ip ip;
	uint64_t ticket;
	unsigned int i;

	(void)state;
	/* What a process that was taken over may write there. */
	l->head->free = l->head->high = l->head->in_use = UINT32_MAX;
	memset(l->record, 0xff, 100 * sizeof(struct record));
	memset(l->window[0].slot, 0xff,
	    l->window[0].slots * sizeof(struct slot));
	for (i = 0; i < 300; i++) {
		ip = numbered("10.0.0.1", 1, i);
		if (limiter_add(l, &ip, i, &ticket))
			limiter_remove(l, ticket);
		l->head->free = i * 0x01010101;
		l->record[0].next = UINT32_MAX - i;
	}
	limiter_free(l);
	l = open_shared();
	assert_true(add(l, "192.0.2.1", 7));
	limiter_free(l);
}

/* ---- reading ---- */

struct seen {
	size_t n;
	uint32_t value[4], limit[4];
	char net[4][IP_TEXT_MAX];
	unsigned int bits[4], seconds[4];
};

static void
see(void *ctx, const struct limiter_count *c)
{
	struct seen *s = ctx;

	if (s->n < 4) {
		s->value[s->n] = c->value;
		s->limit[s->n] = c->limit;
		s->bits[s->n] = c->bits;
		s->seconds[s->n] = c->seconds;
		(void)ip_format(&c->net, s->net[s->n]);
	}
	s->n++;
}

static void
test_read(void **state)
{
	struct limiter *l = open_shared();
	struct buf b = BUF_INIT(LIMITER_FILE_MAX);
	struct seen s = { 0 };
	struct ip ip = ip_of("192.0.2.77");
	uint64_t ticket;
	size_t i, found = 0;

	(void)state;
	assert_true(limiter_add(l, &ip, 7, &ticket));
	limiter_remove(l, ticket);
	assert_int_equal(limiter_read(AT_FDCWD, FILE_NAME, &b), 0);
	assert_int_equal(limiter_parse(buf_bytes(&b), 59, see, &s), 0);
	assert_int_equal(s.n, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(s.value[i], 1);
		assert_int_equal(s.seconds[i], 60);
		if (s.bits[i] == 26 && strcmp(s.net[i], "192.0.2.64") == 0)
			found += s.limit[i] == 900;
		if (s.bits[i] == 21 && strcmp(s.net[i], "192.0.0.0") == 0)
			found += s.limit[i] == 2700;
		if (s.bits[i] == 32 && strcmp(s.net[i], "192.0.2.77") == 0)
			found += s.limit[i] == 300;
	}
	assert_int_equal(found, 3);
	s.n = 0;
	assert_int_equal(limiter_parse(buf_bytes(&b), 60, see, &s), 0);
	assert_int_equal(s.n, 0);	/* that minute is over */
	/* Not a limiter. */
	b.p[0] ^= 1;
	assert_int_equal(limiter_parse(buf_bytes(&b), 7, see, &s), -1);
	assert_int_equal(errno, EBADMSG);
	b.p[0] ^= 1;
	assert_int_equal(limiter_parse(bytes_first(buf_bytes(&b), b.n - 1), 7,
	    see, &s), -1);
	assert_int_equal(limiter_parse(BYTES_EMPTY, 7, see, &s), -1);
	assert_int_equal(limiter_read(AT_FDCWD, "limits/t/none", &b), -1);
	assert_int_equal(errno, ENOENT);
	/* Unblocking one. */
	for (i = 1; i < 300; i++) {
		assert_true(limiter_add(l, &ip, 7, &ticket));
		limiter_remove(l, ticket);
	}
	assert_false(limiter_allows(l, &ip, 7));
	assert_int_equal(limiter_clear(AT_FDCWD, FILE_NAME, &ip), 1);
	assert_true(limiter_allows(l, &ip, 7));
	assert_int_equal(limiter_clear(AT_FDCWD, FILE_NAME, &ip), 0);
	limiter_free(l);
	buf_free(&b);
}

#define IN(f, name) { name, f, make_run, remove_run, NULL }
int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "R-28 three masks, IPv4 and IPv6, at the limit and past it",
		    test_masks, NULL, NULL, NULL },
		{ "X-4 two windows: refused if one of them is full",
		    test_windows, NULL, NULL, NULL },
		{ "R-28 30/90/270 connections open, 300 new ones a minute",
		    test_default_limits, NULL, NULL, NULL },
		{ "R-28 open connections are counted and taken off",
		    test_open_counts, NULL, NULL, NULL },
		{ "32768 open connections, and one more", test_open_max,
		    NULL, NULL, NULL },
		{ "a success takes an address's count off all masks",
		    test_forget, NULL, NULL, NULL },
		{ "a full table: the smallest count makes room",
		    test_table_full, NULL, NULL, NULL },
		{ "of equal ones the oldest", test_oldest_goes, NULL, NULL,
		    NULL },
		IN(test_two_processes, "R-28 two processes have one limit, "
		    "which outlives them"),
		IN(test_concurrent, "no count is lost among four processes"),
		IN(test_killed_holder, "what a killed process had open is "
		    "taken off"),
		IN(test_killed_in_a_change, "killed within a change: no lock "
		    "is left, and open ones are counted anew"),
		IN(test_killed_anywhere, "killed at any moment"),
		IN(test_lock_kept, "a lock that is not given back"),
		IN(test_bad_files, "files of other versions, and none"),
		IN(test_nonsense_inside, "nonsense in the file"),
		IN(test_read, "reading, and unblocking an address"),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
