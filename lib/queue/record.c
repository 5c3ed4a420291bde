/*
 * record.c - records as named fields, and back
 *
 * One table per record names each member once. Zero and empty members are not
 * written; members added later read as zero from older records.
 */
#include "queue/internal.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "frame/frame.h"

#define MESSAGE(n, t, m) { n, t, offsetof(struct queue_message, m) }
static const struct member message_members[] = {
	MESSAGE("id", MEMBER_COUNT, id),
	MESSAGE("account", MEMBER_TEXT, account),
	MESSAGE("login", MEMBER_TEXT, login),
	MESSAGE("sender", MEMBER_TEXT, sender),
	MESSAGE("from", MEMBER_TEXT, from),
	MESSAGE("message-id", MEMBER_TEXT, message_id),
	MESSAGE("subject", MEMBER_TEXT, subject),
	MESSAGE("envid", MEMBER_TEXT, envid),
	MESSAGE("extra", MEMBER_TEXT, extra),
	MESSAGE("received-id", MEMBER_TEXT, received_id),
	MESSAGE("size", MEMBER_COUNT, size),
	MESSAGE("submitted", MEMBER_TIME, submitted),
	MESSAGE("release", MEMBER_TIME, release),
	MESSAGE("expires", MEMBER_TIME, expires),
	MESSAGE("deliver-by", MEMBER_TIME, deliver_by),
	MESSAGE("by-return", MEMBER_COUNT, by_return),
	MESSAGE("by-trace", MEMBER_COUNT, by_trace),
	MESSAGE("kind", MEMBER_COUNT, kind),
	MESSAGE("tls", MEMBER_COUNT, tls),
	MESSAGE("ret-full", MEMBER_COUNT, ret_full),
	MESSAGE("ret-headers", MEMBER_COUNT, ret_headers),
	MESSAGE("body-8bit", MEMBER_COUNT, body_8bit),
	MESSAGE("body-binary", MEMBER_COUNT, body_binary),
	MESSAGE("smtputf8", MEMBER_COUNT, smtputf8),
	MESSAGE("max-attempts", MEMBER_COUNT, max_attempts),
	MESSAGE("left", MEMBER_COUNT, left),
	{ NULL, MEMBER_TEXT, 0 },
};

#define RCPT(n, t, m) { n, t, offsetof(struct queue_rcpt, m) }
static const struct member rcpt_members[] = {
	RCPT("id", MEMBER_COUNT, id),
	RCPT("n", MEMBER_COUNT, n),
	RCPT("address", MEMBER_TEXT, address),
	RCPT("domain", MEMBER_TEXT, domain),
	RCPT("sender", MEMBER_TEXT, sender),
	RCPT("fromid", MEMBER_TEXT, fromid),
	RCPT("orcpt", MEMBER_TEXT, orcpt),
	RCPT("transport", MEMBER_TEXT, transport),
	RCPT("dest", MEMBER_TEXT, dest),
	RCPT("dialled", MEMBER_TEXT, dialled),
	RCPT("notify", MEMBER_COUNT, notify),
	RCPT("tls", MEMBER_COUNT, tls),
	RCPT("attempts", MEMBER_COUNT, attempts),
	RCPT("next", MEMBER_TIME, next),
	RCPT("last", MEMBER_TIME, last),
	RCPT("held", MEMBER_COUNT, held),
	RCPT("delay-told", MEMBER_COUNT, delay_told),
	RCPT("result", MEMBER_ATTEMPT, result),
	{ NULL, MEMBER_TEXT, 0 },
};

#define RESULT(n, t, m) { n, t, offsetof(struct queue_attempt, m) }
static const struct member attempt_members[] = {
	RESULT("start-ms", MEMBER_TIME, start_ms),
	RESULT("duration-ms", MEMBER_TIME, duration_ms),
	RESULT("code", MEMBER_COUNT, code),
	RESULT("status", MEMBER_TEXT, status),
	RESULT("text", MEMBER_TEXT, text),
	RESULT("host", MEMBER_TEXT, host),
	RESULT("ip", MEMBER_TEXT, ip),
	RESULT("tls", MEMBER_TEXT, tls),
	RESULT("transport", MEMBER_TEXT, transport),
	RESULT("outcome", MEMBER_COUNT, outcome),
	{ NULL, MEMBER_TEXT, 0 },
};

int
queue_fail(int err)
{
	errno = err;
	return -1;
}

/* MEMBER_ATTEMPT stands inside a recipient, and holds no further record. */
static int
format_attempt(struct buf *out, const char *name, const void *record)
{
	struct buf b = BUF_INIT(RECORD_MAX);
	int r = queue_members_format(&b, attempt_members, record);

	if (r == 0 && b.n > 0)
		r = frame_add(out, name, buf_bytes(&b));
	buf_free(&b);
	return r;
}

static int
format_member(struct buf *out, const struct member *m, const void *record)
{
	const char *p = (const char *)record + m->offset;
	struct bytes text;
	uint64_t count;
	int64_t n;

	switch (m->type) {
	case MEMBER_TEXT:
		memcpy(&text, p, sizeof(text));
		return text.n == 0 ? 0 : frame_add(out, m->name, text);
	case MEMBER_COUNT:
		memcpy(&count, p, sizeof(count));
		n = (int64_t)count;
		break;
	case MEMBER_TIME:
		memcpy(&n, p, sizeof(n));
		break;
	default:
		return format_attempt(out, m->name, p);
	}
	return n == 0 ? 0 : frame_add_num(out, m->name, n);
}

int
queue_members_format(struct buf *out, const struct member *m,
    const void *record)
{
	for (; m->name != NULL; m++) {
		if (format_member(out, m, record) == -1)
			return -1;
	}
	return 0;
}

static int
parse_member(const struct frame_field *f, const struct member *m,
    void *record)
{
	char *p = (char *)record + m->offset;
	int64_t n = 0;

	if (m->type == MEMBER_TEXT) {
		memcpy(p, &f->value, sizeof(f->value));
		return 0;
	}
	if (m->type == MEMBER_ATTEMPT)
		return queue_members_parse(f->value, attempt_members, p);
	if (frame_num(f, m->type == MEMBER_COUNT ? 0 : INT64_MIN, INT64_MAX,
	    &n) == -1)
		return -1;
	memcpy(p, &n, sizeof(n));
	return 0;
}

int
queue_members_parse(struct bytes s, const struct member *table, void *record)
{
	const struct member *m;
	struct frame_field f;
	int r;

	while ((r = frame_next(&s, &f)) == 1) {
		for (m = table; m->name != NULL && !frame_is(&f, m->name); m++)
			;
		if (m->name != NULL && parse_member(&f, m, record) == -1)
			return -1;
	}
	return r;
}

void
queue_members_clear(const struct member *m, void *record)
{
	struct bytes empty = BYTES_EMPTY;
	const uint64_t zero = 0;
	char *p = record;

	for (; m->name != NULL; m++) {
		if (m->type == MEMBER_TEXT)
			memcpy(p + m->offset, &empty, sizeof(empty));
		else if (m->type == MEMBER_ATTEMPT)
			queue_members_clear(attempt_members, p + m->offset);
		else
			memcpy(p + m->offset, &zero, sizeof(zero));
	}
}

int
queue_message_format(struct buf *out, const struct queue_message *m)
{
	return queue_members_format(out, message_members, m);
}

int
queue_message_parse(struct bytes s, struct queue_message *m)
{
	queue_members_clear(message_members, m);
	return queue_members_parse(s, message_members, m);
}

int
queue_rcpt_format(struct buf *out, const struct queue_rcpt *r)
{
	return queue_members_format(out, rcpt_members, r);
}

int
queue_rcpt_parse(struct bytes s, struct queue_rcpt *r)
{
	queue_members_clear(rcpt_members, r);
	return queue_members_parse(s, rcpt_members, r);
}

int
queue_attempt_format(struct buf *out, const struct queue_attempt *a)
{
	return queue_members_format(out, attempt_members, a);
}

int
queue_attempt_parse(struct bytes s, struct queue_attempt *a)
{
	queue_members_clear(attempt_members, a);
	return queue_members_parse(s, attempt_members, a);
}

/* ---- words and ids ---- */

const char *
queue_outcome_text(uint64_t outcome)
{
	static const char *const words[] = { "waiting", "delivered",
	    "relayed", "delayed", "failed", "suppressed", "dropped",
	    "expanded", "unknown" };

	return outcome < sizeof(words) / sizeof(words[0]) ? words[outcome]
	    : "unknown";
}

void
queue_id_format(char out[QUEUE_ID_TEXT], uint64_t id, uint64_t n)
{
	int r;

	if (n == 0)
		r = snprintf(out, QUEUE_ID_TEXT, "%llx",
		    (unsigned long long)id);
	else
		r = snprintf(out, QUEUE_ID_TEXT, "%llx.%u",
		    (unsigned long long)id, (unsigned int)n);
	assert(r > 0 && r < QUEUE_ID_TEXT);	/* 16 + 1 + 10 digits */
}

int
queue_id_parse(struct bytes s, uint64_t *id, uint64_t *n)
{
	struct bytes hex;
	uint64_t value = 0, number = 0;
	int c;

	if (bytes_chr(s, '.', &(size_t){ 0 })) {
		if (!bytes_split(&s, '.', &hex) ||
		    num_parse(s, 1, UINT32_MAX, &number) == -1)
			return queue_fail(EBADMSG);
	} else
		hex = s;
	if (hex.n == 0 || hex.n > 16)
		return queue_fail(EBADMSG);
	while ((c = bytes_next(&hex)) != -1) {
		if (ascii_hex_value(c) == -1)
			return queue_fail(EBADMSG);
		value = value << 4 | (uint64_t)ascii_hex_value(c);
	}
	*id = value;
	*n = number;
	return 0;
}

int64_t
queue_wait_s(uint64_t attempts, uint32_t jitter)
{
	int64_t wait = QUEUE_WAIT_MAX_S;
	/* -5 .. 4 for each first wait, so that what came together spreads */
	int64_t spread = (int64_t)(jitter % 10) - 5;

	if (attempts < 7 && (QUEUE_WAIT_S << attempts) < QUEUE_WAIT_MAX_S)
		wait = (QUEUE_WAIT_S + spread) << attempts;
	else
		wait += spread * 64;
	return wait;
}
