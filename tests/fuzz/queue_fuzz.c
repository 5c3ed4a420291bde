/*
 * queue_fuzz - records of the queue and frames with them: what parses is
 * formatted and parsed to the same again. The first byte chooses which.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "frame/frame.h"
#include "qcmd/qcmd.h"
#include "queue/add.h"
#include "queue/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROUND(name, type, parse, format) \
static void \
name(struct bytes s) \
{ \
	struct buf one = BUF_INIT(SIZE_MAX), two = BUF_INIT(SIZE_MAX); \
	type v; \
	if (parse(s, &v) == 0) { \
		assert(format(&one, &v) == 0); \
		assert(parse(buf_bytes(&one), &v) == 0); \
		assert(format(&two, &v) == 0); \
		assert(bytes_eq(buf_bytes(&one), buf_bytes(&two))); \
	} \
	buf_free(&one); \
	buf_free(&two); \
}
ROUND(message, struct queue_message, queue_message_parse,
    queue_message_format)
ROUND(rcpt, struct queue_rcpt, queue_rcpt_parse, queue_rcpt_format)
ROUND(attempt, struct queue_attempt, queue_attempt_parse,
    queue_attempt_format)

/* A frame's fields. */
static struct bytes
fields_of(const struct buf *b)
{
	struct bytes in = buf_bytes(b), fields = BYTES_EMPTY;

	assert(frame_cut(&in, &fields) == 1 && in.n == 0);
	return fields;
}

static void
add(struct bytes s)
{
	struct buf one = BUF_INIT(FRAME_MAX), two = BUF_INIT(FRAME_MAX);
	struct arena a = ARENA_INIT;
	struct add_request r;

	if (add_parse_request(&a, s, &r) == 0 &&
	    add_format_request(&one, &r) == 0) {
		assert(add_parse_request(&a, fields_of(&one), &r) == 0);
		assert(add_format_request(&two, &r) == 0);
		assert(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
	}
	arena_free(&a);
	buf_free(&one);
	buf_free(&two);
}

static void
job(struct bytes s)
{
	struct buf one = BUF_INIT(FRAME_MAX), two = BUF_INIT(FRAME_MAX);
	struct arena a = ARENA_INIT;
	struct job_request r;

	if (job_parse_request(&a, s, &r) == 0 &&
	    job_format_request(&one, &r) == 0) {
		assert(job_parse_request(&a, fields_of(&one), &r) == 0);
		assert(job_format_request(&two, &r) == 0);
		assert(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
	}
	arena_free(&a);
	buf_free(&one);
	buf_free(&two);
}

static void
reply(struct bytes s)
{
	struct buf one = BUF_INIT(FRAME_MAX);
	struct arena a = ARENA_INIT;
	struct job_result r, again;
	struct job_done d;
	enum job_kind kind;

	if (job_parse_reply(&a, s, &kind, &r, &d) == 0) {
		if (kind == JOB_RESULT &&
		    job_format_result(&one, &r) == 0) {
			assert(job_parse_reply(&a, fields_of(&one), &kind,
			    &again, &d) == 0);
			assert(kind == JOB_RESULT && again.n == r.n);
			assert(again.attempt.outcome == r.attempt.outcome);
			assert(bytes_eq(again.dialled, r.dialled));
		} else if (kind == JOB_DONE &&
		    job_format_done(&one, &d) == 0)
			assert(job_parse_reply(&a, fields_of(&one), &kind,
			    &r, &d) == 0 && kind == JOB_DONE);
	}
	arena_free(&a);
	buf_free(&one);
}

static void
id(struct bytes s)
{
	char text[QUEUE_ID_TEXT];
	uint64_t value, n, again, m;

	if (queue_id_parse(s, &value, &n) == -1)
		return;
	queue_id_format(text, value, n);
	assert(queue_id_parse(bytes_str(text), &again, &m) == 0);
	assert(again == value && m == n);
}

/* Operands of the commands. */
static void
select_text(struct bytes s)
{
	struct qcmd_times t;
	struct bytes pattern;
	int64_t at;

	if (qcmd_time_parse(s, 1000000000, &at) == 0)
		assert(s.n > 0);
	if (qcmd_times_parse(s, 1000000000, &t) == 0)
		assert(t.from != INT64_MIN || t.to != INT64_MAX);
	(void)bytes_split(&s, '\n', &pattern);	/* any pattern will do */
	assert(qcmd_glob(s, s) || bytes_chr(s, '*', &(size_t){ 0 }) ||
	    bytes_chr(s, '?', &(size_t){ 0 }));
	(void)qcmd_glob(pattern, s);		/* survives */
	assert(qcmd_glob(BYTES("*"), s));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tests[])(struct bytes) = { message, rcpt,
	    attempt, add, job, reply, id, select_text };
	struct bytes in = bytes_of(data, size);
	int which = bytes_next(&in);

	if (which != -1)
		tests[(size_t)which % 8](in);
	return 0;
}
