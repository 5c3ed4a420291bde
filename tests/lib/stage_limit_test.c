/*
 * stage_limit_test.c - what a filter may say and print, and what stands in
 * front of a message: at each limit and one past it
 */
#include "stage/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MESSAGE BYTES("Subject: x\n\nbody\n")
#define PRINTED_MAX 400000

static struct arena arena;

/* A message that goes through one filter, with a field in front or NULL. */
static void
run(struct stage_job *job, const char *command, struct bytes *top)
{
	static const struct bytes to[1] = { { (const unsigned char *)
	    "u@example.org", 13 } };
	struct trace_envelope *e = arena_zalloc(&arena, 1, sizeof(*e));
	struct stage_options *o = arena_zalloc(&arena, 1, sizeof(*o));
	struct stage_item item = { NULL, bytes_str(command) };
	struct stage_list list = { &item, 1, true };

	*e = (struct trace_envelope){ .sender = BYTES("a@example.net"),
	    .recipients = to, .nrecipients = 1, .helo = BYTES("c.example"),
	    .with = BYTES("ESMTP"), .id = BYTES("id-1"),
	    .remote_host = BYTES_EMPTY, .time = 1795176000 };
	assert_int_equal(ip_parse(BYTES("192.0.2.1"), &e->remote), 0);
	*o = (struct stage_options){ .hostname = BYTES("mx.example.org"),
	    .timeout_ms = 20000, .message_max_bytes = PRINTED_MAX };
	stage_job_init(job, &arena, o, e, MESSAGE);
	if (top != NULL) {
		job->block.top = top;
		job->block.ntop = 1;
	}
	stage_run(job, &list);
}

/* The first line it wrote to standard error is the reply. */
static void
replies(void **state)
{
	struct stage_job job;
	size_t n;

	(void)state;
	for (n = STAGE_REPLY_MAX - 1; n <= STAGE_REPLY_MAX + 1; n++) {
		run(&job, arena_printf(&arena, "|head -c %zu /dev/zero | tr "
		    "'\\0' x >&2; echo >&2; exit 100", n), NULL);
		assert_int_equal(job.verdict, STAGE_REJECT);
		assert_int_equal(job.reply.n, n < STAGE_REPLY_MAX ? n
		    : STAGE_REPLY_MAX);
		stage_job_end(&job);
	}
	/* one that is cut within a character */
	run(&job, arena_printf(&arena, "|head -c %d /dev/zero | tr '\\0' x "
	    ">&2; printf '\\303\\244\\n' >&2; exit 100", STAGE_REPLY_MAX - 1),
	    NULL);
	assert_int_equal(job.reply.n, STAGE_REPLY_MAX);
	assert_int_equal(bytes_at(job.reply, STAGE_REPLY_MAX - 1), '?');
	stage_job_end(&job);
	arena_reset(&arena);
}

static void
printed(void **state)
{
	struct stage_job job;
	size_t n;

	(void)state;
	for (n = PRINTED_MAX; n <= PRINTED_MAX + 1; n++) {
		run(&job, arena_printf(&arena, "|cat >/dev/null; (printf "
		    "'A: b\\n\\n'; yes) | head -c %zu", n), NULL);
		assert_int_equal(job.verdict, n == PRINTED_MAX ? STAGE_PASS
		    : STAGE_TEMP);
		if (n == PRINTED_MAX)
			assert_int_equal(job.message.n, PRINTED_MAX);
		else
			assert_true(bytes_eq(job.reply,
			    BYTES("a filter printed too much")));
		stage_job_end(&job);
	}
	arena_reset(&arena);
}

/* Fields that were put in front, with our Received field. */
static void
prefixes(void **state)
{
	unsigned char *p = arena_alloc(&arena, STAGE_PREFIX_MAX);
	struct bytes top = BYTES("X: y\n");
	struct stage_job job;
	size_t ours, n;
	struct buf b = BUF_INIT(STAGE_PREFIX_MAX);

	(void)state;
	run(&job, "|cat", &top);
	assert_int_equal(job.verdict, STAGE_PASS);
	assert_int_equal(stage_job_prefix(&job, &b), 0);
	assert_true(bytes_starts(buf_bytes(&b), top));
	ours = b.n - top.n;
	assert_true(ours > 0);
	buf_free(&b);
	stage_job_end(&job);
	memset(p, 'x', STAGE_PREFIX_MAX);
	p[0] = 'X';
	p[1] = ':';
	for (n = STAGE_PREFIX_MAX - ours; n <= STAGE_PREFIX_MAX - ours + 1;
	    n++) {
		top = bytes_of(p, n);
		p[n - 1] = '\n';
		run(&job, "|cat", &top);
		assert_int_equal(job.verdict, n == STAGE_PREFIX_MAX - ours
		    ? STAGE_PASS : STAGE_TEMP);
		if (job.verdict != STAGE_PASS)
			assert_true(bytes_eq(job.reply,
			    BYTES("too many trace fields")));
		stage_job_end(&job);
		p[n - 1] = 'x';
	}
	arena_reset(&arena);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "the longest reply of a filter, and one byte more",
		    replies, NULL, NULL, NULL },
		{ "as much as a filter may print, and one byte more",
		    printed, NULL, NULL, NULL },
		{ "as many trace fields as a filter may see, and one byte more",
		    prefixes, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
