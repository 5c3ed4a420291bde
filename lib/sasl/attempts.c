/*
 * attempts.c - the record of login attempts (U-14)
 *
 * The key is the account, a NUL and SHA-256 of the tuple, so that a thousand
 * equal attempts are one record with a count. Under the account's name and a
 * NUL alone stands the number of its failed records; when it reaches the
 * limit the older half of them goes. Records are not worth a disk barrier
 * each: callers add many at a time.
 */
#include "sasl/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "kv/kv.h"

#define RECORD_VERSION 1
#define HASH_BYTES 32
#define HEAD_BYTES (3 + 3 * 8)
#define TEXTS 7
#define VALUE_MAX (HEAD_BYTES + TEXTS * (SASL_NAME_MAX + 1))
#define KEY_MAX (SASL_ACCOUNT_MAX + 1 + HASH_BYTES)

static void
add_texts(struct buf *b, const struct sasl_attempt *a)
{
	const char *const text[TEXTS] = {
		a->user, a->ip, a->tls, a->agent, a->service, a->mech,
		a->result,
	};
	size_t i;

	for (i = 0; i < TEXTS; i++)
		buf_add(b, bytes_of(text[i], strlen(text[i]) + 1));
}

static bool
take_texts(struct bytes *s, struct sasl_attempt *a)
{
	char *const to[TEXTS] = {
		a->user, a->ip, a->tls, a->agent, a->service, a->mech,
		a->result,
	};
	struct bytes text;
	size_t i;

	for (i = 0; i < TEXTS; i++) {
		size_t max = i == 0 ? SASL_NAME_MAX : SASL_PARAM_MAX;

		if (!bytes_split(s, '\0', &text) || text.n > max)
			return false;
		memcpy(to[i], text.p, text.n);
		to[i][text.n] = '\0';
	}
	return s->n == 0;
}

static void
format_value(struct buf *b, const struct sasl_attempt *a)
{
	unsigned char head[HEAD_BYTES] = { 0, RECORD_VERSION };

	head[2] = a->good;
	be64_put(head + 3, (uint64_t)a->first);
	be64_put(head + 11, (uint64_t)a->last);
	be64_put(head + 19, a->count);
	buf_add(b, bytes_of(head, sizeof(head)));
	add_texts(b, a);
}

static bool
parse_value(struct bytes s, struct sasl_attempt *a)
{
	struct bytes head;

	if (!bytes_cut(&s, HEAD_BYTES, &head) || head.p[0] != 0 ||
	    head.p[1] != RECORD_VERSION || head.p[2] > 1)
		return false;
	a->good = head.p[2] == 1;
	a->first = (int64_t)(be64_get(head.p + 3) & INT64_MAX);
	a->last = (int64_t)(be64_get(head.p + 11) & INT64_MAX);
	a->count = be64_get(head.p + 19);
	return take_texts(&s, a);
}

/* False: the counter of an account. */
static bool
parse_key(struct bytes key, struct sasl_attempt *a)
{
	struct bytes account;

	if (!bytes_split(&key, '\0', &account) || key.n != HASH_BYTES ||
	    account.n > SASL_ACCOUNT_MAX)
		return false;
	memcpy(a->account, account.p, account.n);
	a->account[account.n] = '\0';
	return true;
}

static void
prefix_of(struct buf *b, const char *account)
{
	buf_reset(b);
	buf_add(b, bytes_of(account, strlen(account) + 1));
}

static void
key_of(struct buf *b, const struct sasl_attempt *a)
{
	unsigned char hash[HASH_BYTES];
	struct buf texts = BUF_INIT(VALUE_MAX);

	add_texts(&texts, a);
	buf_addc(&texts, a->good);
	sha256_of(buf_bytes(&texts), hash);
	buf_free(&texts);
	prefix_of(b, a->account);
	buf_add(b, bytes_of(hash, sizeof(hash)));
}

/* ---- the number of failed records ---- */

static int
counter_get(struct kv_txn *t, const char *account, uint64_t *n)
{
	struct buf key = BUF_INIT(KEY_MAX);
	struct bytes v;
	int r;

	prefix_of(&key, account);
	r = kv_get(t, SASL_TABLE_ATTEMPT, buf_bytes(&key), &v);
	buf_free(&key);
	*n = r == 1 && v.n == 8 ? be64_get(v.p) : 0;
	return r == -1 ? -1 : 0;
}

static int
counter_put(struct kv_txn *t, const char *account, uint64_t n)
{
	struct buf key = BUF_INIT(KEY_MAX);
	unsigned char v[8];
	int r;

	be64_put(v, n);
	prefix_of(&key, account);
	r = kv_put(t, SASL_TABLE_ATTEMPT, buf_bytes(&key), bytes_of(v, 8));
	buf_free(&key);
	return r;
}

static int
compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Walk the records of an account (NULL: all); stop when each says so. */
static int
walk(struct kv_txn *t, const char *account,
    void (*each)(void *ctx, struct bytes key, const struct sasl_attempt *a),
    void *ctx)
{
	struct kv_cursor *cursor = kv_cursor_open(t, SASL_TABLE_ATTEMPT);
	struct buf prefix = BUF_INIT(KEY_MAX);
	struct sasl_attempt *a = mem_zalloc(1, sizeof(*a));
	struct bytes key = BYTES("\0"), value;
	int r, saved;

	if (account != NULL) {
		prefix_of(&prefix, account);
		key = buf_bytes(&prefix);
	}
	r = cursor == NULL ? -1 : kv_seek(cursor, &key, &value);
	while (r == 1 && bytes_starts(key, buf_bytes(&prefix))) {
		if (parse_key(key, a) && parse_value(value, a))
			each(ctx, key, a);
		r = kv_next(cursor, &key, &value);
	}
	saved = errno;
	kv_cursor_close(cursor);
	buf_free(&prefix);
	free(a);
	errno = saved;
	return r == -1 ? -1 : 0;
}

/* Keys of records that are to go, collected before any is removed. */
struct victims {
	struct arena arena;
	struct bytes *key;
	bool *failed;
	int64_t *times;
	size_t n, size, ntimes;
	bool failed_only;
	int64_t before;		/* last seen earlier than that */
};

static void
note_time(void *ctx, struct bytes key, const struct sasl_attempt *a)
{
	struct victims *v = ctx;

	(void)key;
	if (!a->good && v->ntimes < 2 * SASL_ATTEMPTS_FAILED_MAX)
		v->times[v->ntimes++] = a->last;
}

static void
note_victim(void *ctx, struct bytes key, const struct sasl_attempt *a)
{
	struct victims *v = ctx;

	if (a->last >= v->before || (v->failed_only && a->good))
		return;
	if (v->n == v->size) {
		v->size = v->size * 2 + 64;
		v->key = mem_realloc(v->key, v->size * sizeof(*v->key));
		v->failed = mem_realloc(v->failed,
		    v->size * sizeof(*v->failed));
	}
	v->failed[v->n] = !a->good;
	v->key[v->n++] = arena_bytes(&v->arena, key);
}

/* Remove them and take the failed ones off their accounts' counters. */
static int
remove_victims(struct kv_txn *t, struct victims *v)
{
	struct sasl_attempt *a = mem_zalloc(1, sizeof(*a));
	uint64_t n;
	size_t i;
	int r = 0;

	for (i = 0; i < v->n && r != -1; i++) {
		r = kv_delete(t, SASL_TABLE_ATTEMPT, v->key[i]);
		if (r != 1 || !v->failed[i] || !parse_key(v->key[i], a))
			continue;
		r = counter_get(t, a->account, &n);
		if (r == 0 && n > 0)
			r = counter_put(t, a->account, n - 1);
	}
	free(a);
	return r == -1 ? -1 : 0;
}

static void
victims_free(struct victims *v)
{
	arena_free(&v->arena);
	free(v->key);
	free(v->failed);
	free(v->times);
}

/* The account has its limit of failed records: the older half goes. */
static int
make_room(struct kv_txn *t, const char *account)
{
	struct victims v = { .arena = ARENA_INIT, .failed_only = true };
	int r;

	v.times = mem_zalloc(2 * SASL_ATTEMPTS_FAILED_MAX,
	    sizeof(*v.times));
	r = walk(t, account, note_time, &v);
	if (r == 0 && v.ntimes > 0) {
		qsort(v.times, v.ntimes, sizeof(*v.times), compare_times);
		/* Of equal times all go: that is room too. */
		v.before = v.times[v.ntimes / 2] + 1;
		r = walk(t, account, note_victim, &v);
	}
	if (r == 0)
		r = remove_victims(t, &v);
	victims_free(&v);
	return r;
}

/* ---- the public functions ---- */

/* A tuple that was not there; *fits false: no room for it. */
static int
new_record(struct kv_txn *t, const struct sasl_attempt *a, bool *fits)
{
	uint64_t failed;

	if (kv_count(t, SASL_TABLE_ATTEMPT) >= SASL_ATTEMPTS_MAX) {
		*fits = false;
		return 0;
	}
	if (a->good)
		return 0;
	if (counter_get(t, a->account, &failed) == -1)
		return -1;
	if (failed >= SASL_ATTEMPTS_FAILED_MAX) {
		if (make_room(t, a->account) == -1 ||
		    counter_get(t, a->account, &failed) == -1)
			return -1;
	}
	return counter_put(t, a->account, failed + 1);
}

static int
add_one(struct kv_txn *t, const struct sasl_attempt *add,
    struct sasl_attempt *old)
{
	struct sasl_attempt a = *add;
	struct buf key = BUF_INIT(KEY_MAX), value = BUF_INIT(VALUE_MAX);
	struct bytes found;
	bool fits = true;
	int r;

	key_of(&key, add);
	r = kv_get(t, SASL_TABLE_ATTEMPT, buf_bytes(&key), &found);
	if (r == 1 && parse_value(found, old)) {
		a.first = old->first < a.first ? old->first : a.first;
		a.last = old->last > a.last ? old->last : a.last;
		a.count += old->count;
	} else if (r == 0) {
		r = new_record(t, add, &fits);
	}
	if (r != -1 && fits) {
		format_value(&value, &a);
		r = kv_put(t, SASL_TABLE_ATTEMPT, buf_bytes(&key),
		    buf_bytes(&value));
	}
	buf_free(&key);
	buf_free(&value);
	return r == -1 ? -1 : 0;
}

static int
end(struct kv_txn *t, int r)
{
	int saved = errno;

	if (r != -1)
		return kv_commit(t, false);
	kv_abort(t);
	errno = saved;
	return -1;
}

int
sasl_db_attempts_add(struct sasl_db *db, const struct sasl_attempt *list,
    size_t n)
{
	struct kv_txn *t = kv_begin(sasl_db_kv(db), true);
	struct sasl_attempt *old;
	size_t i;
	int r = 0;

	if (t == NULL)
		return -1;
	old = mem_zalloc(1, sizeof(*old));
	for (i = 0; i < n && r != -1; i++)
		r = add_one(t, &list[i], old);
	free(old);
	return end(t, r);
}

struct reader_ctx {
	void (*what)(void *ctx, const struct sasl_attempt *a);
	void *ctx;
};

static void
pass_on(void *ctx, struct bytes key, const struct sasl_attempt *a)
{
	struct reader_ctx *r = ctx;

	(void)key;
	r->what(r->ctx, a);
}

int
sasl_db_attempts_each(struct sasl_db *db, const char *account,
    void (*what)(void *ctx, const struct sasl_attempt *a), void *ctx)
{
	struct kv_txn *t = kv_begin(sasl_db_kv(db), false);
	struct reader_ctx pass = { what, ctx };
	int r, saved;

	if (t == NULL)
		return -1;
	r = walk(t, account, pass_on, &pass);
	saved = errno;
	kv_abort(t);
	errno = saved;
	return r;
}

int64_t
sasl_db_attempts_expire(struct sasl_db *db, int64_t before)
{
	struct victims v = { .arena = ARENA_INIT, .before = before };
	struct kv_txn *t = kv_begin(sasl_db_kv(db), true);
	int64_t n;
	int r;

	if (t == NULL)
		return -1;
	r = walk(t, NULL, note_victim, &v);
	if (r == 0)
		r = remove_victims(t, &v);
	n = (int64_t)v.n;
	victims_free(&v);
	return end(t, r) == -1 ? -1 : n;
}
