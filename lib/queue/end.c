/*
 * end.c - attempts, leaving the queue, and what is kept of it
 */
#include "queue/internal.h"

#include <errno.h>
#include <string.h>

#include "frame/frame.h"

#define KEY_ATTEMPT 24

static void
attempt_key(unsigned char out[KEY_ATTEMPT], uint64_t id, uint64_t n,
    uint64_t number)
{
	queue_key(out, id, n);
	be64_put(out + KEY_RCPT, number);
}

/* The first attempt of (id, n) at or after number: its number. 1, 0, -1. */
static int
seek_attempt(struct queue_txn *t, struct arena *a, uint64_t id, uint64_t n,
    uint64_t *number, struct bytes *value)
{
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_ATTEMPT);
	unsigned char from[KEY_ATTEMPT];
	struct bytes key, v;
	int got;

	if (c == NULL)
		return -1;
	attempt_key(from, id, n, *number);
	key = bytes_of(from, KEY_ATTEMPT);
	got = kv_seek(c, &key, &v);
	if (got == 1 && (key.n != KEY_ATTEMPT ||
	    !bytes_eq(bytes_first(key, KEY_RCPT), bytes_of(from, KEY_RCPT))))
		got = 0;
	if (got == 1) {
		*number = be64_get(key.p + KEY_RCPT);
		*value = a == NULL ? BYTES_EMPTY : arena_bytes(a, v);
	}
	kv_cursor_close(c);
	return got;
}

/* How many there are, and the number of the last; the second, to be dropped
 * when there are too many: the first one tells why it began. */
static int
count_attempts(struct queue_txn *t, uint64_t id, uint64_t n, size_t *count,
    uint64_t *second, uint64_t *last)
{
	uint64_t number = 0;
	struct bytes value;
	int got;

	*count = 0;
	*last = 0;
	while ((got = seek_attempt(t, NULL, id, n, &number, &value)) == 1) {
		if (++*count == 2)
			*second = number;
		*last = number++;
	}
	return got;
}

int
queue_add_attempt(struct queue_txn *t, uint64_t id, uint64_t n,
    const struct queue_attempt *attempt)
{
	unsigned char key[KEY_ATTEMPT];
	uint64_t second = 0, last;
	size_t count;

	if (count_attempts(t, id, n, &count, &second, &last) == -1)
		return -1;
	if (count >= QUEUE_ATTEMPTS_MAX) {
		attempt_key(key, id, n, second);
		if (kv_delete(t->kv, TABLE_ATTEMPT,
		    bytes_of(key, KEY_ATTEMPT)) == -1)
			return -1;
	}
	attempt_key(key, id, n, last + 1);
	if (queue_attempt_format(queue_record(t), attempt) == -1)
		return -1;
	return queue_put_record(t, TABLE_ATTEMPT, bytes_of(key, KEY_ATTEMPT));
}

int
queue_attempts(struct queue_txn *t, struct arena *a, uint64_t id, uint64_t n,
    struct queue_attempt **list, size_t *count)
{
	struct queue_attempt *out = arena_zalloc(a, QUEUE_ATTEMPTS_MAX,
	    sizeof(*out));
	uint64_t number = 0;
	struct bytes value;
	size_t k = 0;
	int got = 0;

	while (k < QUEUE_ATTEMPTS_MAX &&
	    (got = seek_attempt(t, a, id, n, &number, &value)) == 1) {
		if (queue_attempt_parse(value, &out[k++]) == -1)
			return -1;
		number++;
	}
	if (got == -1)
		return -1;
	*list = out;
	*count = k;
	return 0;
}

int
queue_drop_attempts(struct queue_txn *t, uint64_t id, uint64_t n)
{
	unsigned char key[KEY_ATTEMPT];
	uint64_t number = 0;
	struct bytes value;
	int got;

	while ((got = seek_attempt(t, NULL, id, n, &number, &value)) == 1) {
		attempt_key(key, id, n, number);
		if (kv_delete(t->kv, TABLE_ATTEMPT,
		    bytes_of(key, KEY_ATTEMPT)) == -1)
			return -1;
	}
	return got;
}

/* ---- leaving ---- */

/* Both records, each with its length, and the times. */
static int
put_retired(struct queue_txn *t, const struct queue_message *m,
    const struct queue_rcpt *r, int64_t now, int64_t keep_until)
{
	unsigned char key[KEY_RCPT], due[8 + KEY_RCPT], head[16];
	struct buf *out = queue_record(t);
	size_t at;

	be64_put(head, (uint64_t)now);
	be64_put(head + 8, (uint64_t)keep_until);
	buf_add(out, bytes_of(head, sizeof(head)));
	at = frame_begin(out);
	if (queue_message_format(out, m) == -1 || frame_end(out, at) == -1 ||
	    queue_rcpt_format(out, r) == -1)
		return -1;
	queue_key(key, r->id, r->n);
	if (queue_put_record(t, TABLE_RETIRED, bytes_of(key, KEY_RCPT)) == -1)
		return -1;
	be64_put(due, (uint64_t)keep_until);
	memcpy(due + 8, key, KEY_RCPT);
	return kv_put(t->kv, TABLE_RETIRED_DUE, bytes_of(due, sizeof(due)),
	    BYTES_EMPTY);
}

static int
keep(struct queue_txn *t, const struct queue_message *m,
    const struct queue_rcpt *r, int64_t now, int64_t keep_until)
{
	if (queue_add_attempt(t, r->id, r->n, &r->result) == -1)
		return -1;
	return put_retired(t, m, r, now, keep_until);
}

static int
forget(struct queue_txn *t, const struct queue_rcpt *r)
{
	if (r->fromid.n > 0 &&
	    kv_delete(t->kv, TABLE_FROMID, r->fromid) == -1)
		return -1;
	return queue_drop_attempts(t, r->id, r->n);
}

/* One recipient less; the record goes with the last. */
static int
take_off(struct queue_txn *t, struct arena *a, uint64_t id, bool *last)
{
	struct queue_message m;
	unsigned char key[8];
	bool fresh;
	int r = queue_find_message(t, a, id, &m, &fresh);

	if (r != 1)
		return r == 0 ? queue_fail(EBADMSG) : -1;
	*last = m.left <= 1;
	m.left--;
	if (!*last)
		return queue_put_message(t, &m, fresh);
	be64_put(key, id);
	return queue_place_delete(t, TABLE_MESSAGE, bytes_of(key, 8), fresh);
}

static int
end_one(struct queue_txn *t, struct arena *a, const struct queue_message *m,
    struct queue_rcpt *done, bool fresh, int64_t now, int64_t keep_until,
    bool *last)
{
	unsigned char key[KEY_RCPT];

	queue_key(key, done->id, done->n);
	if (queue_place_delete(t, TABLE_RCPT, bytes_of(key, KEY_RCPT), fresh)
	    == -1)
		return -1;
	if (keep_until > now ? keep(t, m, done, now, keep_until) == -1
	    : forget(t, done) == -1)
		return -1;
	return take_off(t, a, done->id, last);
}

int
queue_end(struct queue_txn *t, const struct queue_message *m,
    const struct queue_rcpt *r, const struct queue_attempt *result,
    int64_t now, int64_t keep_until, bool *last)
{
	struct arena a = ARENA_INIT;
	struct queue_rcpt done = { .id = 0 };
	bool fresh;
	int got = queue_find_rcpt(t, &a, r->id, r->n, &done, &fresh);

	if (got == 0)
		got = queue_fail(ENOENT);
	else if (got == 1)
		got = queue_schedule_remove(t, &done, fresh);
	if (got == 0) {
		done.result = *result;
		got = end_one(t, &a, m, &done, fresh, now, keep_until, last);
	}
	arena_free(&a);
	return got;
}

/* ---- retired ones ---- */

static int
parse_retired(struct bytes value, struct queue_retired *r)
{
	struct bytes head, message;

	if (!bytes_cut(&value, 16, &head) ||
	    frame_cut(&value, &message) != 1)
		return queue_fail(EBADMSG);
	r->ended = (int64_t)be64_get(head.p);
	r->keep_until = (int64_t)be64_get(head.p + 8);
	if (queue_message_parse(message, &r->message) == -1)
		return -1;
	return queue_rcpt_parse(value, &r->rcpt);
}

int
queue_next_retired(struct queue_txn *t, struct arena *a, uint64_t id,
    uint64_t n, struct queue_retired *r)
{
	unsigned char from[KEY_RCPT];
	struct bytes key = bytes_of(from, KEY_RCPT), value;
	int got;

	queue_key_behind(from, id, n);
	got = queue_seek(t, a, TABLE_RETIRED, &key, &value);
	if (got == 1 && parse_retired(value, r) == -1)
		return queue_fail_at(key, &r->rcpt.id, &r->rcpt.n);
	return got;
}

int
queue_drop_retired(struct queue_txn *t, uint64_t id, uint64_t n)
{
	unsigned char key[KEY_RCPT];
	struct arena a = ARENA_INIT;
	struct queue_retired r = { .ended = 0 };
	struct bytes value;
	int got;

	queue_key(key, id, n);
	got = queue_get(t, &a, TABLE_RETIRED, bytes_of(key, KEY_RCPT), &value);
	if (got == 1) {
		/* a damaged one must not keep all others for ever */
		got = parse_retired(value, &r) == 0 ? forget(t, &r.rcpt)
		    : queue_drop_attempts(t, id, n);
	}
	if (got == 0)
		got = kv_delete(t->kv, TABLE_RETIRED,
		    bytes_of(key, KEY_RCPT)) == -1 ? -1 : 0;
	arena_free(&a);
	return got;
}

/* The first that may go: its key. 1, 0, -1. */
static int
first_purgeable(struct queue_txn *t, int64_t now,
    unsigned char out[8 + KEY_RCPT])
{
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_RETIRED_DUE);
	unsigned char zero[1] = { 0 };
	struct bytes key = bytes_of(zero, 1), value;
	int got;

	if (c == NULL)
		return -1;
	got = kv_seek(c, &key, &value);
	if (got == 1 && key.n != 8 + KEY_RCPT)
		got = queue_fail(EBADMSG);
	if (got == 1) {
		memcpy(out, key.p, 8 + KEY_RCPT);
		got = (int64_t)be64_get(out) <= now;
	}
	kv_cursor_close(c);
	return got;
}

int
queue_purge(struct queue_txn *t, int64_t now, size_t max)
{
	unsigned char key[8 + KEY_RCPT];
	int removed = 0, got = 0;

	while ((size_t)removed < max &&
	    (got = first_purgeable(t, now, key)) == 1) {
		if (queue_drop_retired(t, be64_get(key + 8),
		    be64_get(key + 16)) == -1 ||
		    kv_delete(t->kv, TABLE_RETIRED_DUE,
		    bytes_of(key, sizeof(key))) == -1)
			return -1;
		removed++;
	}
	return got == -1 ? -1 : removed;
}

int
queue_find_fromid(struct queue_txn *t, struct bytes fromid, uint64_t *id,
    uint64_t *n)
{
	struct bytes value;
	int r;

	if (fromid.n == 0 || fromid.n > KV_KEY_MAX)
		return 0;
	if ((r = kv_get(t->kv, TABLE_FROMID, fromid, &value)) != 1)
		return r;
	if (value.n != KEY_RCPT)
		return queue_fail(EBADMSG);
	*id = be64_get(value.p);
	*n = be64_get(value.p + 8);
	return 1;
}
