/*
 * sent.c - what an account sent (U-18), what recipient domains can do (S-18)
 */
#include "queue/internal.h"

#include <errno.h>

#include "frame/frame.h"

#define DAY_S (24 * 3600)
#define ENTRY_SIZE 16
#define STAMP_SIZE 8

/* One entry for each second in which something was sent: account NUL time. */
static int
sent_key(struct buf *out, struct bytes account, int64_t time)
{
	unsigned char stamp[STAMP_SIZE];

	be64_put(stamp, time < 0 ? 0 : (uint64_t)time);
	if (queue_key_pair(out, account, BYTES_EMPTY) == -1)
		return -1;
	if (buf_add(out, bytes_of(stamp, STAMP_SIZE)) == -1)
		return queue_fail(EINVAL);
	return 0;
}

static bool
is_of(struct bytes key, struct bytes account)
{
	return key.n == account.n + 1 + STAMP_SIZE &&
	    bytes_starts(key, account) && key.p[account.n] == '\0';
}

/* Sum the entries of the last 24 h. */
static int
sum_sent(struct queue_txn *t, struct bytes account, int64_t now,
    struct queue_sent *sent)
{
	struct buf from = BUF_INIT(KV_KEY_MAX);
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_SENT);
	struct bytes key, value;
	int got;

	*sent = (struct queue_sent){ 0, 0 };
	if (c == NULL || sent_key(&from, account, now - DAY_S + 1) == -1) {
		buf_free(&from);
		kv_cursor_close(c);
		return -1;
	}
	key = buf_bytes(&from);
	for (got = kv_seek(c, &key, &value); got == 1 && is_of(key, account);
	    got = kv_next(c, &key, &value)) {
		if (value.n != ENTRY_SIZE) {
			got = queue_fail(EBADMSG);
			break;
		}
		sent->day += be64_get(value.p);
		sent->first_time += be64_get(value.p + 8);
	}
	kv_cursor_close(c);
	buf_free(&from);
	return got == -1 ? -1 : 0;
}

static int
is_fresh(struct queue_txn *t, struct buf *key, struct bytes account,
    struct bytes address)
{
	struct bytes value;
	int r;

	if (queue_key_pair(key, account, address) == -1)
		return -1;
	r = kv_get(t->kv, TABLE_FIRST, buf_bytes(key), &value);
	return r == -1 ? -1 : r == 0;
}

int
queue_sent_count(struct queue_txn *t, struct bytes account,
    const struct bytes *addresses, size_t count, int64_t now,
    struct queue_sent *sent, uint64_t *fresh)
{
	struct buf key = BUF_INIT(KV_KEY_MAX);
	uint64_t n = 0;
	int r = sum_sent(t, account, now, sent);

	for (size_t i = 0; r != -1 && i < count; i++) {
		if ((r = is_fresh(t, &key, account, addresses[i])) == 1)
			n++;
	}
	buf_free(&key);
	if (r == -1)
		return -1;
	*fresh = n;
	return 0;
}

static int
remove_old(struct queue_txn *t, struct bytes account, int64_t now)
{
	struct buf from = BUF_INIT(KV_KEY_MAX);
	unsigned char old[KV_KEY_MAX];
	struct kv_cursor *c;
	struct bytes key, value;
	int r = sent_key(&from, account, 0);

	while (r == 0) {
		if ((c = kv_cursor_open(t->kv, TABLE_SENT)) == NULL) {
			r = -1;
			break;
		}
		key = buf_bytes(&from);
		r = kv_seek(c, &key, &value) == 1 && is_of(key, account) &&
		    (int64_t)be64_get(key.p + account.n + 1) <= now - DAY_S;
		for (size_t i = 0; r == 1 && i < key.n; i++)
			old[i] = key.p[i];
		kv_cursor_close(c);
		if (r != 1)
			break;
		r = kv_delete(t->kv, TABLE_SENT, bytes_of(old, key.n)) == -1
		    ? -1 : 0;
	}
	buf_free(&from);
	return r;
}

/* Note each new address; how many were new, or -1. */
static int64_t
note_first(struct queue_txn *t, struct buf *key, struct bytes account,
    const struct bytes *addresses, size_t count, int64_t now)
{
	unsigned char when[8];
	int64_t fresh = 0;
	int r;

	be64_put(when, (uint64_t)now);
	for (size_t i = 0; i < count; i++) {
		if ((r = is_fresh(t, key, account, addresses[i])) == -1)
			return -1;
		if (r == 0)
			continue;
		if (kv_put(t->kv, TABLE_FIRST, buf_bytes(key),
		    bytes_of(when, 8)) == -1)
			return -1;
		fresh++;
	}
	return fresh;
}

int
queue_sent_add(struct queue_txn *t, struct bytes account,
    const struct bytes *addresses, size_t count, int64_t now)
{
	struct buf key = BUF_INIT(KV_KEY_MAX);
	unsigned char entry[ENTRY_SIZE];
	uint64_t total = count, first;
	struct bytes old;
	int64_t fresh;
	int r = -1;

	fresh = note_first(t, &key, account, addresses, count, now);
	if (fresh != -1 && remove_old(t, account, now) != -1 &&
	    sent_key(&key, account, now) == 0)
		r = kv_get(t->kv, TABLE_SENT, buf_bytes(&key), &old);
	if (r != -1) {
		first = (uint64_t)fresh;
		if (r == 1 && old.n == ENTRY_SIZE) {
			total += be64_get(old.p);
			first += be64_get(old.p + 8);
		}
		be64_put(entry, total);
		be64_put(entry + 8, first);
		r = kv_put(t->kv, TABLE_SENT, buf_bytes(&key),
		    bytes_of(entry, ENTRY_SIZE));
	}
	buf_free(&key);
	return r;
}

/* ---- recipient domains ---- */

int
queue_known_set(struct queue_txn *t, struct bytes account,
    struct bytes domain, const struct queue_known *k)
{
	struct buf key = BUF_INIT(KV_KEY_MAX);
	struct buf *out = queue_record(t);
	int r = queue_key_pair(&key, account, domain);

	frame_add_num(out, "when", k->when);
	frame_add_num(out, "starttls", (int64_t)k->starttls);
	frame_add_num(out, "requiretls", (int64_t)k->requiretls);
	frame_add_num(out, "mta-sts", (int64_t)k->mta_sts);
	frame_add_num(out, "dnssec", (int64_t)k->dnssec);
	frame_add_num(out, "dane", (int64_t)k->dane);
	if (r == 0)
		r = queue_put_record(t, TABLE_KNOWN, buf_bytes(&key));
	buf_free(&key);
	return r;
}

static int
parse_known(struct bytes value, struct queue_known *k)
{
	struct frame_field f;
	int64_t n;
	int r;

	*k = (struct queue_known){ .when = 0 };
	while ((r = frame_next(&value, &f)) == 1) {
		if (frame_num(&f, 0, INT64_MAX, &n) == -1)
			return -1;
		if (frame_is(&f, "when"))
			k->when = n;
		else if (frame_is(&f, "starttls"))
			k->starttls = (uint64_t)n;
		else if (frame_is(&f, "requiretls"))
			k->requiretls = (uint64_t)n;
		else if (frame_is(&f, "mta-sts"))
			k->mta_sts = (uint64_t)n;
		else if (frame_is(&f, "dnssec"))
			k->dnssec = (uint64_t)n;
		else if (frame_is(&f, "dane"))
			k->dane = (uint64_t)n;
	}
	return r;
}

int
queue_known_get(struct queue_txn *t, struct bytes account,
    struct bytes domain, struct queue_known *k)
{
	struct buf key = BUF_INIT(KV_KEY_MAX);
	struct bytes value;
	int r = queue_key_pair(&key, account, domain);

	if (r == 0 &&
	    (r = kv_get(t->kv, TABLE_KNOWN, buf_bytes(&key), &value)) == 1 &&
	    parse_known(value, k) == -1)
		r = -1;
	buf_free(&key);
	return r;
}

/* The first key behind (account, domain), in the arena. 1, 0, -1. */
static int
seek_known(struct queue_txn *t, struct arena *a, struct buf *from,
    struct bytes *key, struct bytes *value)
{
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_KNOWN);
	int got = -1;

	*key = buf_bytes(from);
	if (c != NULL && (got = kv_seek(c, key, value)) == 1) {
		*key = arena_bytes(a, *key);
		*value = arena_bytes(a, *value);
	}
	kv_cursor_close(c);
	return got;
}

int
queue_known_next(struct queue_txn *t, struct arena *a, struct bytes *account,
    struct bytes *domain, struct queue_known *k)
{
	struct buf from = BUF_INIT(KV_KEY_MAX + 1);
	struct bytes key, value;
	int got = queue_key_pair(&from, *account, *domain);

	/* the smallest key behind this one */
	if (got == 0 && (got = buf_addc(&from, '\0')) == 0)
		got = seek_known(t, a, &from, &key, &value);
	buf_free(&from);
	if (got != 1)
		return got;
	if (!bytes_split(&key, '\0', account))
		return queue_fail(EBADMSG);
	*domain = key;
	return parse_known(value, k) == -1 ? -1 : 1;
}
