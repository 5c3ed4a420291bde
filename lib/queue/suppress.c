/*
 * suppress.c - addresses that an account does not write to any more
 * (BEHAVIOUR 10; 19: failures count per account and are kept here)
 */
#include "queue/internal.h"

#include <errno.h>

#include "frame/frame.h"

struct bytes
queue_suppress_base(struct arena *a, struct bytes address)
{
	struct bytes local = address, domain = BYTES_EMPTY, lower;
	unsigned char *out = arena_alloc(a, address.n);
	size_t at, n = 0;
	int c;

	if (bytes_rchr(address, '@', &at)) {
		local = bytes_first(address, at);
		domain = bytes_from(address, at);
	}
	if (bytes_chr(local, '+', &at))
		local = bytes_first(local, at);
	if (bytes_chr(local, '-', &at))
		local = bytes_first(local, at);
	while ((c = bytes_next(&local)) != -1) {
		if (c != '.')
			out[n++] = (unsigned char)ascii_lower(c);
	}
	lower = arena_lower(a, domain);
	for (size_t i = 0; i < lower.n; i++)
		out[n++] = lower.p[i];
	return bytes_of(out, n);
}

static int
parse_entry(struct bytes key, struct bytes value, struct queue_suppressed *s)
{
	struct frame_field f;
	int64_t n;
	int r;

	*s = (struct queue_suppressed){ BYTES_EMPTY, BYTES_EMPTY, BYTES_EMPTY,
	    BYTES_EMPTY, 0, 0 };
	if (!bytes_split(&key, '\0', &s->account))
		return queue_fail(EBADMSG);
	s->base = key;
	while ((r = frame_next(&value, &f)) == 1) {
		if (frame_is(&f, "address"))
			s->address = f.value;
		else if (frame_is(&f, "reason"))
			s->reason = f.value;
		else if (frame_num(&f, 0, INT64_MAX, &n) == -1)
			return -1;
		else if (frame_is(&f, "added"))
			s->added = n;
		else if (frame_is(&f, "by-hand"))
			s->by_hand = (uint64_t)n;
	}
	return r;
}

static int
with_key(struct queue_txn *t, struct bytes account, struct bytes base,
    int (*what)(struct queue_txn *t, struct bytes key, void *ctx), void *ctx)
{
	struct buf key = BUF_INIT(KV_KEY_MAX);
	int r = queue_key_pair(&key, account, base);

	if (r == 0)
		r = what(t, buf_bytes(&key), ctx);
	buf_free(&key);
	return r;
}

static int
add_entry(struct queue_txn *t, struct bytes key, void *ctx)
{
	const struct queue_suppressed *s = ctx;
	struct buf *out;
	struct bytes old;
	int r;

	if ((r = kv_get(t->kv, TABLE_SUPPRESS, key, &old)) != 0)
		return r == 1 ? 0 : -1;
	out = queue_record(t);
	frame_add(out, "address", s->address);
	frame_add(out, "reason", s->reason);
	frame_add_num(out, "added", s->added);
	frame_add_num(out, "by-hand", (int64_t)s->by_hand);
	return queue_put_record(t, TABLE_SUPPRESS, key) == -1 ? -1 : 1;
}

int
queue_suppress_add(struct queue_txn *t, const struct queue_suppressed *s)
{
	struct queue_suppressed copy = *s;

	return with_key(t, s->account, s->base, add_entry, &copy);
}

static int
remove_entry(struct queue_txn *t, struct bytes key, void *ctx)
{
	(void)ctx;	/* with_key's form */
	return kv_delete(t->kv, TABLE_SUPPRESS, key);
}

int
queue_suppress_remove(struct queue_txn *t, struct bytes account,
    struct bytes base)
{
	return with_key(t, account, base, remove_entry, NULL);
}

/* The first entry with a key >= key. 1, 0, -1. */
static int
seek_entry(struct queue_txn *t, struct arena *a, struct bytes from,
    struct queue_suppressed *s)
{
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_SUPPRESS);
	struct bytes key = from, value;
	int got;

	if (c == NULL)
		return -1;
	if ((got = kv_seek(c, &key, &value)) == 1) {
		key = arena_bytes(a, key);
		value = arena_bytes(a, value);
	}
	kv_cursor_close(c);
	if (got == 1 && parse_entry(key, value, s) == -1)
		return -1;
	return got;
}

int
queue_suppress_get(struct queue_txn *t, struct arena *a, struct bytes account,
    struct bytes base, struct queue_suppressed *s)
{
	struct buf key = BUF_INIT(KV_KEY_MAX);
	struct queue_suppressed found;
	int r = queue_key_pair(&key, account, base);

	if (r == 0 && (r = seek_entry(t, a, buf_bytes(&key), &found)) == 1) {
		r = bytes_eq(found.account, account) &&
		    bytes_eq(found.base, base);
		if (r == 1)
			*s = found;
	}
	buf_free(&key);
	return r;
}

int
queue_suppress_next(struct queue_txn *t, struct arena *a,
    struct bytes account, struct bytes base, struct queue_suppressed *s)
{
	struct buf key = BUF_INIT(KV_KEY_MAX + 1);
	int r = queue_key_pair(&key, account, base);

	/* the smallest key behind this one */
	if (r == 0 && (r = buf_addc(&key, '\0')) == 0)
		r = seek_entry(t, a, buf_bytes(&key), s);
	buf_free(&key);
	return r;
}

/* ---- failures ---- */

/* A code that tells at once that the address is no good. */
static bool
is_conclusive(const struct queue_attempt *r)
{
	static const uint64_t codes[] = { 521, 550, 551, 553, 556 };
	static const char *const ends[] = { ".1.1", ".1.2", ".1.3", ".1.6",
	    ".2.1", ".7.1" };
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (r->code == codes[i])
			return true;
	}
	if (r->code < 500)
		return false;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (bytes_eq(bytes_from(r->status, 1), bytes_str(ends[i])))
			return true;
	}
	return false;
}

/* Keeps whether each of the last two deliveries failed. *twice: the two
 * before this one both did. */
struct history {
	bool failed, twice;
};

static int
note_outcome(struct queue_txn *t, struct bytes key, void *ctx)
{
	struct history *h = ctx;
	unsigned char two[2] = { 0, 0 };
	struct bytes old;
	int r;

	if ((r = kv_get(t->kv, TABLE_FAILURE, key, &old)) == -1)
		return -1;
	if (r == 1 && old.n == 2) {
		two[0] = old.p[0];
		two[1] = old.p[1];
	}
	h->twice = two[0] && two[1];
	if (!h->failed)		/* good again: nothing to remember */
		return r == 1 ? kv_delete(t->kv, TABLE_FAILURE, key) : 0;
	two[1] = two[0];
	two[0] = 1;
	return kv_put(t->kv, TABLE_FAILURE, key, bytes_of(two, 2));
}

int
queue_suppress_consider(struct queue_txn *t, struct arena *a,
    struct bytes account, struct bytes address,
    const struct queue_attempt *result, int64_t now)
{
	struct history h = { result->outcome == QUEUE_FAILED, false };
	struct queue_suppressed s = { .account = account,
	    .address = address, .reason = result->text, .added = now };

	if (account.n == 0 || (h.failed && result->code == 0))
		return 0;
	if (with_key(t, account, address, note_outcome, &h) == -1)
		return -1;
	if (!h.failed || !(is_conclusive(result) || h.twice))
		return 0;
	s.base = queue_suppress_base(a, address);
	return queue_suppress_add(t, &s);
}
