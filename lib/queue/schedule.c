/*
 * schedule.c - records of messages and recipients, and who is due when
 *
 * The schedule is ordered by destination, then time: all that is due at one
 * destination stands together, oldest first, and passing from one destination
 * to the next is one seek however much waits there.
 */
#include "queue/internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define KEY_TIME 24
#define KEY_DUE_MAX (QUEUE_DEST_MAX + 1 + KEY_TIME)

/* Who is due when, at a destination. */
struct due {
	int64_t time;
	uint64_t id, n;
};

/* ---- the schedule's keys ---- */

static struct bytes
due_key(unsigned char out[KEY_DUE_MAX], struct bytes dest,
    const struct due *d)
{
	assert(dest.n <= QUEUE_DEST_MAX);
	memcpy(out, dest.p, dest.n);
	out[dest.n] = '\0';
	be64_put(out + dest.n + 1, (uint64_t)d->time);
	be64_put(out + dest.n + 9, d->id);
	be64_put(out + dest.n + 17, d->n);
	return bytes_of(out, dest.n + 1 + KEY_TIME);
}

/* -1 EBADMSG. */
static int
parse_due_key(struct bytes key, struct bytes *dest, struct due *d)
{
	struct bytes numbers;

	if (key.n <= KEY_TIME + 1 || key.n > KEY_DUE_MAX)
		return queue_fail(EBADMSG);
	*dest = bytes_first(key, key.n - KEY_TIME - 1);
	numbers = bytes_last(key, KEY_TIME);
	*d = (struct due){ (int64_t)be64_get(numbers.p),
	    be64_get(numbers.p + 8), be64_get(numbers.p + 16) };
	return 0;
}

static struct bytes
rcpt_due_key(unsigned char out[KEY_DUE_MAX], const struct queue_rcpt *r)
{
	struct due d = { r->next < 0 ? 0 : r->next, r->id, r->n };

	return due_key(out, r->dest, &d);
}

int
queue_schedule_remove(struct queue_txn *t, const struct queue_rcpt *r,
    bool fresh)
{
	unsigned char key[KEY_DUE_MAX];

	if (r->held || queue_place_delete(t, TABLE_DUE, rcpt_due_key(key, r),
	    fresh) == 0)
		return 0;
	return errno == ENOENT ? 0 : -1;	/* queue_take set it aside */
}

/* ---- records ---- */

/* The record, and its place in the schedule. */
static int
put_rcpt(struct queue_txn *t, const struct queue_rcpt *r, bool fresh)
{
	struct buf *out = queue_record(t);
	unsigned char key[KEY_RCPT], due[KEY_DUE_MAX];

	queue_key(key, r->id, r->n);
	if (queue_rcpt_format(out, r) == -1 || out->full)
		return queue_fail(EMSGSIZE);
	if (queue_place_put(t, TABLE_RCPT, bytes_of(key, KEY_RCPT),
	    buf_bytes(out), fresh) == -1)
		return -1;
	if (r->held)
		return 0;
	return queue_place_put(t, TABLE_DUE, rcpt_due_key(due, r),
	    BYTES_EMPTY, fresh);
}

/* Whether it may stand among the fresh. */
static bool
is_new(const struct queue_rcpt *r)
{
	return r->result.outcome == 0 && !r->held;
}

static int
put_fromid(struct queue_txn *t, const struct queue_rcpt *r)
{
	unsigned char value[KEY_RCPT];
	struct bytes old;
	int found;

	if (r->fromid.n == 0)
		return 0;
	if (r->fromid.n > KV_KEY_MAX)
		return queue_fail(EINVAL);
	if ((found = kv_get(t->kv, TABLE_FROMID, r->fromid, &old)) != 0)
		return found == 1 ? queue_fail(EEXIST) : -1;
	queue_key(value, r->id, r->n);
	return kv_put(t->kv, TABLE_FROMID, r->fromid,
	    bytes_of(value, KEY_RCPT));
}

/* Number it, and see who holds it. */
static int
prepare(struct queue_txn *t, const struct queue_message *m,
    struct queue_rcpt *r, uint64_t n)
{
	int held;

	r->id = m->id;
	r->n = n;
	if (r->dest.n == 0 || r->dest.n > QUEUE_DEST_MAX ||
	    bytes_has_nul(r->dest))
		return queue_fail(EINVAL);
	if ((held = queue_is_held(t, m, r)) == -1)
		return -1;
	r->held |= (uint64_t)held;
	return 0;
}

int
queue_put(struct queue_txn *t, struct queue_message *m,
    struct queue_rcpt *rcpts, size_t count)
{
	bool fresh = true;

	if (count == 0)
		return queue_fail(EINVAL);
	m->left = count;
	for (size_t i = 0; i < count; i++) {
		if (prepare(t, m, &rcpts[i], i + 1) == -1 ||
		    put_fromid(t, &rcpts[i]) == -1)
			return -1;
		fresh &= is_new(&rcpts[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (put_rcpt(t, &rcpts[i], is_new(&rcpts[i])) == -1)
			return -1;
	}
	return queue_put_message(t, m, fresh);
}

int
queue_get_message(struct queue_txn *t, struct arena *a, uint64_t id,
    struct queue_message *m)
{
	bool fresh;

	return queue_find_message(t, a, id, m, &fresh);
}

int
queue_get_rcpt(struct queue_txn *t, struct arena *a, uint64_t id, uint64_t n,
    struct queue_rcpt *r)
{
	bool fresh;

	return queue_find_rcpt(t, a, id, n, r, &fresh);
}

/* A recipient leaves the fresh: so does the message. */
static int
leave_fresh(struct queue_txn *t, struct arena *a, const struct queue_rcpt *r)
{
	unsigned char key[KEY_RCPT];
	struct queue_message m;
	bool fresh;
	int got;

	queue_key(key, r->id, r->n);
	if (queue_place_delete(t, TABLE_RCPT, bytes_of(key, KEY_RCPT), true)
	    == -1)
		return -1;
	if ((got = queue_find_message(t, a, r->id, &m, &fresh)) != 1)
		return got == 0 ? queue_fail(EBADMSG) : -1;
	if (!fresh)
		return 0;
	if (queue_place_delete(t, TABLE_MESSAGE, bytes_of(key, 8), true) == -1)
		return -1;
	return queue_put_message(t, &m, false);
}

int
queue_set_rcpt(struct queue_txn *t, const struct queue_rcpt *r)
{
	struct arena a = ARENA_INIT;
	struct queue_rcpt old;
	bool was, fresh;
	int got = queue_find_rcpt(t, &a, r->id, r->n, &old, &was);

	if (got != 1) {
		arena_free(&a);
		return got == 0 ? queue_fail(ENOENT) : -1;
	}
	fresh = was && is_new(r);
	got = queue_schedule_remove(t, &old, was);
	if (got == 0 && was && !fresh)
		got = leave_fresh(t, &a, r);
	arena_free(&a);
	return got == 0 ? put_rcpt(t, r, fresh) : -1;
}

int
queue_next_rcpt(struct queue_txn *t, struct arena *a, uint64_t id, uint64_t n,
    struct queue_rcpt *r)
{
	unsigned char from[KEY_RCPT];
	struct bytes key, value;
	int got;

	queue_key_behind(from, id, n);
	got = queue_place_seek(t, a, TABLE_RCPT, bytes_of(from, KEY_RCPT),
	    &key, &value);
	if (got == 1 && queue_rcpt_parse(value, r) == -1)
		return queue_fail_at(key, &r->id, &r->n);
	return got;
}

/* ---- destinations ---- */

/* The first at or behind from. */
static int
seek_due(struct queue_txn *t, struct arena *a, struct bytes from,
    struct bytes *dest, struct due *d)
{
	struct bytes key, value;
	int got = queue_place_seek(t, a, TABLE_DUE, from, &key, &value);

	if (got == 1 && parse_due_key(key, dest, d) == -1)
		return -1;
	return got;
}

/* The first at one destination, at or behind *d. 1, 0 none, -1. */
static int
seek_dest(struct queue_txn *t, struct arena *a, struct bytes dest,
    struct due *d)
{
	unsigned char key[KEY_DUE_MAX];
	struct bytes found = BYTES_EMPTY;
	int got = seek_due(t, a, due_key(key, dest, d), &found, d);

	/* else what stands behind it */
	return got == 1 ? bytes_eq(found, dest) : got;
}

int
queue_next_dest(struct queue_txn *t, struct arena *a, struct bytes dest,
    struct bytes *next, int64_t *earliest)
{
	unsigned char key[KEY_DUE_MAX];
	struct due d = { 0, 0, 0 };
	int got;

	if (dest.n > QUEUE_DEST_MAX)
		return queue_fail(EINVAL);
	memcpy(key, dest.p, dest.n);
	key[dest.n] = '\1';	/* behind all "dest NUL ..." */
	got = seek_due(t, a, bytes_of(key, dest.n + (dest.n > 0)), next, &d);
	if (got == 1)
		*earliest = d.time;
	return got;
}

int
queue_dest_time(struct queue_txn *t, struct bytes dest, int64_t *earliest)
{
	struct arena a = ARENA_INIT;
	struct due d = { 0, 0, 0 };
	int got;

	if (dest.n == 0 || dest.n > QUEUE_DEST_MAX)
		return queue_fail(EINVAL);
	if ((got = seek_dest(t, &a, dest, &d)) == 1)
		*earliest = d.time;
	arena_free(&a);
	return got;
}

/* ---- jobs ---- */

static bool
goes_with(const struct queue_rcpt *a, const struct queue_rcpt *b)
{
	return a->id == b->id && a->attempts == b->attempts &&
	    a->tls == b->tls && bytes_eq(a->transport, b->transport) &&
	    bytes_eq(a->sender, b->sender);
}

/* A place with no good record behind it leaves the schedule. */
static int
set_aside(struct queue_txn *t, struct bytes dest, const struct due *d,
    struct queue_job *job)
{
	unsigned char key[KEY_DUE_MAX];
	struct bytes value, at = due_key(key, dest, d);
	bool fresh;

	if (queue_place_get(t, TABLE_DUE, at, &value, &fresh) != 1 ||
	    queue_place_delete(t, TABLE_DUE, at, fresh) == -1)
		return -1;
	job->damaged++;
	job->damaged_id = d->id;
	job->damaged_n = d->n;
	return 0;
}

/* Whose place this is. 1; 0 nobody's, or of a damaged record; -1. */
static int
rcpt_at(struct queue_txn *t, struct arena *a, struct bytes dest,
    const struct due *d, struct queue_rcpt *r)
{
	unsigned char key[KEY_DUE_MAX], own[KEY_DUE_MAX];
	int got = queue_get_rcpt(t, a, d->id, d->n, r);

	if (got == -1 && errno == EBADMSG)
		return 0;
	if (got != 1)
		return got;
	if (r->held || r->id != d->id || r->n != d->n ||
	    r->dest.n > QUEUE_DEST_MAX)
		return 0;
	return bytes_eq(rcpt_due_key(own, r), due_key(key, dest, d));
}

/* Those at dest from *d on while due and of one message. */
static int
collect(struct queue_txn *t, struct arena *a, struct bytes dest, int64_t now,
    size_t max, struct due *d, struct queue_job *job)
{
	struct queue_rcpt r = { .id = 0 };
	uint64_t id = d->id;
	int got = 1, is_good;

	for (; got == 1 && d->id == id && d->time <= now && job->count < max;
	    got = seek_dest(t, a, dest, d)) {
		is_good = rcpt_at(t, a, dest, d, &r);
		if (is_good == -1 || (is_good == 0 &&
		    set_aside(t, dest, d, job) == -1))
			return -1;
		if (is_good == 1 && (job->count == 0 ||
		    goes_with(&r, &job->rcpts[0])))
			job->rcpts[job->count++] = r;
		d->n++;
	}
	return got == -1 ? -1 : 0;
}

/* Nothing can be sent without the message. */
static int
set_all_aside(struct queue_txn *t, struct queue_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct queue_rcpt *r = &job->rcpts[i];
		struct due d = { r->next < 0 ? 0 : r->next, r->id, r->n };

		if (set_aside(t, r->dest, &d, job) == -1)
			return -1;
	}
	job->count = 0;
	return 0;
}

/* As queue_take, of the first message that is due there; 1 with no recipient
 * if all of it was set aside. */
static int
take_first(struct queue_txn *t, struct arena *a, struct bytes dest,
    int64_t now, size_t max, struct queue_job *job)
{
	struct due d = { 0, 0, 0 };
	int r;

	if ((r = seek_dest(t, a, dest, &d)) != 1)
		return r;
	if (d.time > now)
		return 0;
	if (job->rcpts == NULL)
		job->rcpts = arena_alloc(a, max * sizeof(*job->rcpts));
	if (collect(t, a, dest, now, max, &d, job) == -1)
		return -1;
	if (job->count == 0)
		return 1;
	r = queue_get_message(t, a, job->rcpts[0].id, &job->message);
	if (r == 0 || (r == -1 && errno == EBADMSG))
		return set_all_aside(t, job) == -1 ? -1 : 1;
	return r;
}

int
queue_take(struct queue_txn *t, struct arena *a, struct bytes dest,
    int64_t now, size_t max, struct queue_job *job)
{
	int r;

	if (max == 0 || dest.n == 0 || dest.n > QUEUE_DEST_MAX)
		return queue_fail(EINVAL);
	*job = (struct queue_job){ .count = 0 };
	do
		r = take_first(t, a, dest, now, max, job);
	while (r == 1 && job->count == 0);
	return r;
}

/* What is wanted by a certain time is tried, or given up, or its delay told
 * of, at that time (RFC 2852 4.1.3). */
static int64_t
next_time(const struct queue_message *m, int64_t now, int64_t wait_s)
{
	int64_t next = now + wait_s;

	return m->deliver_by > now && next > m->deliver_by ? m->deliver_by
	    : next;
}

int
queue_start(struct queue_txn *t, struct queue_job *job, int64_t now,
    uint32_t jitter)
{
	struct queue_rcpt *r;

	for (size_t i = 0; i < job->count; i++) {
		r = &job->rcpts[i];
		r->next = next_time(&job->message, now,
		    queue_wait_s(r->attempts, jitter));
		r->last = now;
		r->attempts++;
		if (queue_set_rcpt(t, r) == -1)
			return -1;
	}
	return 0;
}
