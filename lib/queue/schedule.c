/*
 * schedule.c - records of messages and recipients, and who is due when
 *
 * The schedule is a table ordered by destination, then time: all that is due
 * at one destination stands together, oldest first, and passing from one
 * destination to the next is one seek however much waits there.
 */
#include "queue/internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define PLACE_SIZE 24
#define DUE_KEY_MAX (QUEUE_DEST_MAX + 1 + PLACE_SIZE)

/* ---- the schedule's keys ---- */

static size_t
due_key(unsigned char out[DUE_KEY_MAX], struct bytes dest,
    const struct queue_place *p)
{
	assert(dest.n <= QUEUE_DEST_MAX);
	memcpy(out, dest.p, dest.n);
	out[dest.n] = '\0';
	be64_put(out + dest.n + 1, (uint64_t)p->time);
	be64_put(out + dest.n + 9, p->id);
	be64_put(out + dest.n + 17, p->n);
	return dest.n + 1 + PLACE_SIZE;
}

/* -1 EBADMSG. */
static int
parse_due_key(struct bytes key, struct bytes *dest, struct queue_place *p)
{
	struct bytes place;

	if (key.n <= PLACE_SIZE + 1)
		return queue_fail(EBADMSG);
	*dest = bytes_first(key, key.n - PLACE_SIZE - 1);
	place = bytes_last(key, PLACE_SIZE);
	*p = (struct queue_place){ (int64_t)be64_get(place.p),
	    be64_get(place.p + 8), be64_get(place.p + 16) };
	return 0;
}

static struct queue_place
place_of(const struct queue_rcpt *r)
{
	return (struct queue_place){ r->next < 0 ? 0 : r->next, r->id, r->n };
}

int
queue_schedule_add(struct queue_txn *t, const struct queue_rcpt *r)
{
	unsigned char key[DUE_KEY_MAX];
	struct queue_place place = place_of(r);

	if (r->held)
		return 0;
	return kv_put(t->kv, TABLE_DUE,
	    bytes_of(key, due_key(key, r->dest, &place)), BYTES_EMPTY);
}

int
queue_schedule_remove(struct queue_txn *t, const struct queue_rcpt *r)
{
	unsigned char key[DUE_KEY_MAX];
	struct queue_place place = place_of(r);

	if (r->held)
		return 0;
	return kv_delete(t->kv, TABLE_DUE,
	    bytes_of(key, due_key(key, r->dest, &place))) == -1 ? -1 : 0;
}

/* ---- records ---- */

static int
put_message(struct queue_txn *t, const struct queue_message *m)
{
	unsigned char key[8];

	be64_put(key, m->id);
	if (queue_message_format(queue_record(t), m) == -1)
		return -1;
	return queue_put_record(t, TABLE_MESSAGE, bytes_of(key, 8));
}

static int
put_rcpt(struct queue_txn *t, const struct queue_rcpt *r)
{
	unsigned char key[KEY_RCPT];

	queue_key(key, r->id, r->n);
	if (queue_rcpt_format(queue_record(t), r) == -1)
		return -1;
	return queue_put_record(t, TABLE_RCPT, bytes_of(key, KEY_RCPT));
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

int
queue_put(struct queue_txn *t, struct queue_message *m,
    struct queue_rcpt *rcpts, size_t count)
{
	struct queue_rcpt *r;
	int held;

	if (count == 0)
		return queue_fail(EINVAL);
	m->left = count;
	if (put_message(t, m) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		r = &rcpts[i];
		r->id = m->id;
		r->n = i + 1;
		if (r->dest.n == 0 || r->dest.n > QUEUE_DEST_MAX ||
		    bytes_has_nul(r->dest))
			return queue_fail(EINVAL);
		if ((held = queue_is_held(t, m, r)) == -1)
			return -1;
		r->held |= (uint64_t)held;
		if (put_fromid(t, r) == -1 || put_rcpt(t, r) == -1 ||
		    queue_schedule_add(t, r) == -1)
			return -1;
	}
	return 0;
}

int
queue_get_message(struct queue_txn *t, struct arena *a, uint64_t id,
    struct queue_message *m)
{
	unsigned char key[8];
	struct bytes value;
	int r;

	be64_put(key, id);
	r = queue_get(t, a, TABLE_MESSAGE, bytes_of(key, 8), &value);
	if (r == 1 && queue_message_parse(value, m) == -1)
		return -1;
	return r;
}

int
queue_get_rcpt(struct queue_txn *t, struct arena *a, uint64_t id, uint64_t n,
    struct queue_rcpt *r)
{
	unsigned char key[KEY_RCPT];
	struct bytes value;
	int got;

	queue_key(key, id, n);
	got = queue_get(t, a, TABLE_RCPT, bytes_of(key, KEY_RCPT), &value);
	if (got == 1 && queue_rcpt_parse(value, r) == -1)
		return -1;
	return got;
}

int
queue_set_rcpt(struct queue_txn *t, const struct queue_rcpt *r)
{
	struct arena a = ARENA_INIT;
	struct queue_rcpt old;
	int got;

	if ((got = queue_get_rcpt(t, &a, r->id, r->n, &old)) == 1)
		got = queue_schedule_remove(t, &old) == -1 ? -1 : 1;
	arena_free(&a);
	if (got != 1)
		return got == 0 ? queue_fail(ENOENT) : -1;
	if (put_rcpt(t, r) == -1)
		return -1;
	return queue_schedule_add(t, r);
}

int
queue_next_rcpt(struct queue_txn *t, struct arena *a, uint64_t id, uint64_t n,
    struct queue_rcpt *r)
{
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_RCPT);
	unsigned char at[KEY_RCPT];
	struct bytes key, value;
	int got;

	if (c == NULL)
		return -1;
	if (n == UINT64_MAX)
		queue_key(at, id + 1, 0);
	else
		queue_key(at, id, n + 1);
	key = bytes_of(at, KEY_RCPT);
	if ((got = kv_seek(c, &key, &value)) == 1)
		value = arena_bytes(a, value);
	kv_cursor_close(c);
	if (got == 1 && queue_rcpt_parse(value, r) == -1)
		return -1;
	return got;
}

int
queue_count(struct queue_txn *t, int64_t *messages, int64_t *rcpts)
{
	int64_t m = kv_count(t->kv, TABLE_MESSAGE);
	int64_t r = kv_count(t->kv, TABLE_RCPT);

	if (m == -1 || r == -1)
		return -1;
	*messages = m;
	*rcpts = r;
	return 0;
}

/* ---- destinations ---- */

static int
seek_due(struct queue_txn *t, struct arena *a, struct bytes from,
    struct bytes *dest, struct queue_place *place)
{
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_DUE);
	struct bytes key = from, value, copy = BYTES_EMPTY;
	int got;

	if (c == NULL)
		return -1;
	if ((got = kv_seek(c, &key, &value)) == 1)
		copy = arena_bytes(a, key);
	kv_cursor_close(c);
	if (got == 1 && parse_due_key(copy, dest, place) == -1)
		return -1;
	return got;
}

int
queue_next_dest(struct queue_txn *t, struct arena *a, struct bytes dest,
    struct bytes *next, int64_t *earliest)
{
	unsigned char key[DUE_KEY_MAX];
	struct queue_place place = { 0, 0, 0 };
	int got;

	if (dest.n > QUEUE_DEST_MAX)
		return queue_fail(EINVAL);
	memcpy(key, dest.p, dest.n);
	key[dest.n] = '\1';	/* behind all "dest NUL ..." */
	got = seek_due(t, a, bytes_of(key, dest.n + (dest.n > 0)), next,
	    &place);
	if (got == 1)
		*earliest = place.time;
	return got;
}

int
queue_dest_time(struct queue_txn *t, struct bytes dest, int64_t *earliest)
{
	struct arena a = ARENA_INIT;
	unsigned char key[DUE_KEY_MAX];
	struct queue_place place = { 0, 0, 0 };
	struct bytes got_dest = BYTES_EMPTY;
	int got;

	if (dest.n == 0 || dest.n > QUEUE_DEST_MAX)
		return queue_fail(EINVAL);
	got = seek_due(t, &a, bytes_of(key, due_key(key, dest, &place)),
	    &got_dest, &place);
	if (got == 1 && !bytes_eq(got_dest, dest))
		got = 0;	/* what stands behind it */
	if (got == 1)
		*earliest = place.time;
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

static int
rcpt_at(struct queue_txn *t, struct arena *a, const struct queue_place *p,
    struct queue_rcpt *r)
{
	int got = queue_get_rcpt(t, a, p->id, p->n, r);

	return got == 0 ? queue_fail(EBADMSG) : got;
}

/* Places at dest from *p on while due and of one message. */
static int
collect(struct queue_txn *t, struct arena *a, struct kv_cursor *c,
    struct bytes dest, int64_t now, size_t max, struct queue_place *p,
    struct queue_job *job)
{
	unsigned char from[DUE_KEY_MAX];
	struct bytes key = bytes_of(from, due_key(from, dest, p)), value;
	struct bytes d = BYTES_EMPTY;
	struct queue_place place = { 0, 0, 0 };
	struct queue_rcpt r = { .id = 0 };
	int got;

	for (got = kv_seek(c, &key, &value); got == 1;
	    got = kv_next(c, &key, &value)) {
		if (parse_due_key(key, &d, &place) == -1)
			return -1;
		if (!bytes_eq(d, dest) || place.time > now ||
		    job->count == max ||
		    (job->count > 0 && place.id != job->rcpts[0].id))
			break;
		if (rcpt_at(t, a, &place, &r) == -1)
			return -1;
		if (job->count == 0 || goes_with(&r, &job->rcpts[0]))
			job->rcpts[job->count++] = r;
	}
	return got == -1 ? -1 : 0;
}

int
queue_take(struct queue_txn *t, struct arena *a, struct bytes dest,
    int64_t now, size_t max, struct queue_place *after,
    struct queue_job *job)
{
	struct queue_place place = *after;
	struct kv_cursor *c;
	int r;

	if (max == 0 || dest.n == 0 || dest.n > QUEUE_DEST_MAX)
		return queue_fail(EINVAL);
	if (place.id != 0)
		place.n++;
	if ((c = kv_cursor_open(t->kv, TABLE_DUE)) == NULL)
		return -1;
	*job = (struct queue_job){
		.rcpts = arena_zalloc(a, max, sizeof(*job->rcpts)) };
	r = collect(t, a, c, dest, now, max, &place, job);
	kv_cursor_close(c);
	if (r == -1 || job->count == 0)
		return r;
	*after = place_of(&job->rcpts[job->count - 1]);
	r = queue_get_message(t, a, job->rcpts[0].id, &job->message);
	return r == 0 ? queue_fail(EBADMSG) : r;
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
		if (queue_schedule_remove(t, r) == -1)
			return -1;
		r->next = next_time(&job->message, now,
		    queue_wait_s(r->attempts, jitter));
		r->last = now;
		r->attempts++;
		if (put_rcpt(t, r) == -1 || queue_schedule_add(t, r) == -1)
			return -1;
	}
	return 0;
}
