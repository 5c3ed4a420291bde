/*
 * queue_fixture.h - a queue in a directory of its own, and what goes into it
 */
#ifndef QUEUE_FIXTURE_H
#define QUEUE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "queue/queue.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW 1790000000
#define S(s) BYTES(s)

struct fixture {
	char dir[64];
	struct queue *q;
	struct arena a;
};

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/queue_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->q = queue_open(f->dir);
	assert_non_null(f->q);
	*state = f;
	return 0;
}

static inline void
run(const char *const argv[])
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	const char *const rm[] = { "rm", "-r", f->dir, NULL };

	queue_close(f->q);
	run(rm);
	arena_free(&f->a);
	free(f);
	return 0;
}

static inline struct queue_rcpt
rcpt(const char *address, const char *dest)
{
	struct queue_rcpt r;

	assert_int_equal(queue_rcpt_parse(BYTES_EMPTY, &r), 0);
	r.address = bytes_str(address);
	r.domain = bytes_str(dest);
	r.dest = bytes_str(dest);
	r.next = NOW;
	return r;
}

static inline struct queue_message
message(const char *account)
{
	struct queue_message m;

	assert_int_equal(queue_message_parse(BYTES_EMPTY, &m), 0);
	m.account = bytes_str(account);
	m.sender = S("alice@example.org");
	m.submitted = m.release = NOW;
	m.expires = NOW + 5 * 86400;
	return m;
}

/* Put in a message with a file; its id. */
static inline uint64_t
put(struct fixture *f, struct queue_message *m, struct queue_rcpt *r, size_t n)
{
	struct queue_txn *t;
	int fd = queue_file_make(f->q);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a: b\n\nc\n", 8), 8);
	assert_int_equal(queue_file_keep(f->q, fd, &m->id), 0);
	t = queue_begin(f->q, true);
	assert_non_null(t);
	assert_int_equal(queue_put(t, m, r, n), 0);
	assert_int_equal(queue_commit(t, true), 0);
	return m->id;
}

static inline void
end_one(struct fixture *f, uint64_t id, uint64_t n, int64_t keep, bool *last)
{
	struct queue_txn *t = queue_begin(f->q, true);
	struct queue_attempt done;
	struct queue_message m;
	struct queue_rcpt r;

	assert_int_equal(queue_attempt_parse(BYTES_EMPTY, &done), 0);
	done.outcome = QUEUE_DELIVERED;
	done.code = 250;
	assert_int_equal(queue_get_message(t, &f->a, id, &m), 1);
	assert_int_equal(queue_get_rcpt(t, &f->a, id, n, &r), 1);
	assert_int_equal(queue_end(t, &m, &r, &done, NOW, keep, last), 0);
	assert_int_equal(queue_commit(t, true), 0);
}

#endif
