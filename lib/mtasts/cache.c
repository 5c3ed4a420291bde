/*
 * cache.c - policies by domain, in var/cache/mtasts
 *
 * A value: a byte of version, a byte of flags, four times as 64-bit numbers,
 * one byte of length and the id, the rest is the text of the policy.
 */
#include "mtasts/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <limits.h>
#include <sys/stat.h>

#include "kv/kv.h"

#define FORMAT 1
#define HAS_POLICY 1
#define TABLE 0
#define FIXED (2 + 4 * 8 + 1)

struct mtasts_cache {
	struct kv *kv;
};

static const char *const tables[] = { "policies", NULL };

/* ---- values ---- */

int
mtasts_entry_format(const struct mtasts_entry *e, struct buf *out)
{
	const int64_t times[] = { e->fetched, e->valid_end, e->last_used,
	    e->failed };
	unsigned char head[FIXED];
	size_t i;

	if (e->id.n > MTASTS_ID_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	head[0] = FORMAT;
	head[1] = e->has_policy ? HAS_POLICY : 0;
	for (i = 0; i < 4; i++)
		be64_put(head + 2 + 8 * i, (uint64_t)times[i]);
	head[FIXED - 1] = (unsigned char)e->id.n;
	if (buf_add(out, bytes_of(head, FIXED)) == -1 ||
	    buf_add(out, e->id) == -1)
		return -1;
	return buf_add(out, e->text);
}

int
mtasts_entry_parse(struct bytes s, struct arena *a, struct mtasts_entry *out)
{
	struct mtasts_entry e = { .has_policy = false };
	int64_t *const times[] = { &e.fetched, &e.valid_end, &e.last_used,
	    &e.failed };
	struct bytes head, id;
	size_t i;

	if (!bytes_cut(&s, FIXED, &head) || head.p[0] != FORMAT ||
	    head.p[1] > HAS_POLICY || head.p[FIXED - 1] > MTASTS_ID_MAX ||
	    !bytes_cut(&s, head.p[FIXED - 1], &id)) {
		errno = EBADMSG;
		return -1;
	}
	for (i = 0; i < 4; i++) {
		*times[i] = (int64_t)be64_get(head.p + 2 + 8 * i);
		if (*times[i] < 0) {
			errno = EBADMSG;
			return -1;
		}
	}
	e.has_policy = head.p[1] == HAS_POLICY;
	e.id = arena_bytes(a, id);
	e.text = arena_bytes(a, s);
	*out = e;
	return 0;
}

/* ---- the environment ---- */

static int
make_dir(const char *path, mode_t mode)
{
	return mkdir(path, mode) == -1 && errno != EEXIST ? -1 : 0;
}

struct mtasts_cache *
mtasts_cache_open(const char *var_dir)
{
	struct mtasts_cache *c;
	char path[PATH_MAX];
	struct kv *kv;
	int n = snprintf(path, sizeof(path), "%s/cache", var_dir);

	if (n < 0 || (size_t)n + sizeof("/mtasts") > sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if (make_dir(path, 0751) == -1)
		return NULL;
	memcpy(path + n, "/mtasts", sizeof("/mtasts"));
	if (make_dir(path, 0700) == -1 ||
	    (kv = kv_open(path, MTASTS_CACHE_BYTES, tables)) == NULL)
		return NULL;
	c = mem_zalloc(1, sizeof(*c));
	c->kv = kv;
	return c;
}

void
mtasts_cache_close(struct mtasts_cache *c)
{
	if (c == NULL)
		return;
	kv_close(c->kv);
	free(c);
}

/* ---- entries ---- */

int
mtasts_cache_get(struct mtasts_cache *c, struct arena *a,
    struct bytes domain, struct mtasts_entry *out)
{
	struct bytes key = dns_name_valid(domain) ? arena_lower(a, domain)
	    : BYTES_EMPTY, value;
	struct kv_txn *t;
	int r;

	if (key.n == 0)
		return 0;
	if ((t = kv_begin(c->kv, false)) == NULL)
		return -1;
	r = kv_get(t, TABLE, key, &value);
	if (r == 1 && mtasts_entry_parse(value, a, out) == -1)
		r = 0;
	kv_abort(t);
	return r;
}

/*
 * Not durable: power loss takes back the last commit, and the policy is
 * fetched again.
 */
int
mtasts_cache_put(struct mtasts_cache *c, struct bytes domain,
    const struct mtasts_entry *e)
{
	struct buf value = BUF_INIT(MTASTS_ENTRY_MAX);
	struct arena a = ARENA_INIT;
	struct kv_txn *t = NULL;
	int r = -1, err;

	if (!dns_name_valid(domain))
		errno = EINVAL;
	else if (mtasts_entry_format(e, &value) == 0 &&
	    (t = kv_begin(c->kv, true)) != NULL)
		r = kv_put(t, TABLE, arena_lower(&a, domain),
		    buf_bytes(&value));
	if (t != NULL && r == 0) {
		r = kv_commit(t, false);
	} else {
		err = errno;
		kv_abort(t);
		errno = err;
	}
	buf_free(&value);
	arena_free(&a);
	return r;
}

int
mtasts_cache_delete(struct mtasts_cache *c, struct bytes domain)
{
	struct arena a = ARENA_INIT;
	struct kv_txn *t = kv_begin(c->kv, true);
	int r;

	if (t == NULL)
		return -1;
	r = kv_delete(t, TABLE, arena_lower(&a, domain));
	arena_free(&a);
	if (r != 1) {
		kv_abort(t);
		return r;
	}
	return kv_commit(t, false) == -1 ? -1 : 1;
}

/*
 * The view is closed before the callback, which may take a minute: a reader
 * that stays keeps old pages from being used again.
 */
static int
next_entry(struct mtasts_cache *c, struct arena *a, struct bytes *key,
    bool after, struct mtasts_entry *out)
{
	struct kv_txn *t = kv_begin(c->kv, false);
	struct kv_cursor *cursor;
	struct bytes k = *key, value;
	int r = -1;

	if (t == NULL)
		return -1;
	if ((cursor = kv_cursor_open(t, TABLE)) != NULL) {
		r = kv_seek(cursor, &k, &value);
		if (r == 1 && after && bytes_eq(k, *key))
			r = kv_next(cursor, &k, &value);
		while (r == 1 && mtasts_entry_parse(value, a, out) == -1)
			r = kv_next(cursor, &k, &value);
		if (r == 1)
			*key = arena_bytes(a, k);
		kv_cursor_close(cursor);
	}
	kv_abort(t);
	return r;
}

int
mtasts_cache_walk(struct mtasts_cache *c, mtasts_visitor *visit, void *ctx)
{
	unsigned char last[KV_KEY_MAX];
	struct bytes key = bytes_of("\0", 1);
	struct arena a = ARENA_INIT;
	struct mtasts_entry e;
	bool after = false;
	int r, err;

	while ((r = next_entry(c, &a, &key, after, &e)) == 1) {
		if (visit(ctx, key, &e) == -1) {
			r = -1;
			break;
		}
		memcpy(last, key.p, key.n);
		key.p = last;
		after = true;
		arena_reset(&a);
	}
	err = errno;
	arena_free(&a);
	errno = err;
	return r;
}

/* ---- all of it ---- */

void
mtasts_look(struct dns *d, struct mtasts_cache *c, struct arena *a,
    struct bytes domain, struct mtasts_decision *out)
{
	struct mtasts_input in = { .domain = domain,
	    .now = time_wall_us() / 1000000, .id = BYTES_EMPTY };
	struct mtasts_record record;
	struct mtasts_entry e;

	if (c != NULL && mtasts_cache_get(c, a, domain, &e) == 1)
		in.cached = &e;
	in.txt = mtasts_record_find(d, a, domain, &record, &in.txt_why);
	if (in.txt == MTASTS_TXT_FOUND)
		in.id = record.id;
	mtasts_decide(&in, mtasts_fetch, NULL, a, out);
	/* A cache that cannot be written costs a fetch the next time. */
	if (out->store && c != NULL)
		(void)mtasts_cache_put(c, domain, &out->entry);
}
