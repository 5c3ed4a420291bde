/*
 * rate.c - how many messages came from where, in the last minute and day
 * (R-29)
 *
 * One record for each masked address, of buckets in the order of time: of one
 * second each for a minute, of ten minutes before that. So a delivery reads
 * and writes three small records and nothing is ever counted, however much
 * mail there is. An address nobody heard of for a day is swept.
 */
#include "store/internal.h"

#define KEY_RATE 9
#define BUCKET_SIZE 20
#define MINUTE 60
#define COARSE 600
#define DAY ((int64_t)24 * 3600)
/* A second each of a minute, ten minutes each of a day, and the edges. */
#define BUCKETS_MAX 256
/* Records removed by one transaction of a sweep. */
#define SWEEP_PIECE 5000

struct bucket {
	int64_t start;
	uint32_t count;
	uint64_t bytes;
};

struct buckets {
	struct bucket b[BUCKETS_MAX];
	size_t n;
};

static int64_t
now_seconds(void)
{
	return time_wall_us() / 1000000;
}

static bool
is_old(int64_t start, int64_t now)
{
	return start + COARSE <= now - DAY;
}

bool
rate_is_recent(const struct origin_row *row)
{
	return !is_old(row->date, now_seconds());
}

/* Any bytes: what cannot be is left out. */
static void
decode(struct bytes value, struct buckets *out)
{
	struct bytes one;
	struct bucket *b;

	out->n = 0;
	while (out->n < BUCKETS_MAX - 1 &&
	    bytes_cut(&value, BUCKET_SIZE, &one)) {
		b = &out->b[out->n];
		*b = (struct bucket){ (int64_t)be64_get(one.p),
		    be32_get(one.p + 8), be64_get(one.p + 12) };
		out->n += out->n == 0 || b->start > b[-1].start;
	}
}

static int
put(struct work *w, struct bytes key, const struct buckets *s)
{
	unsigned char r[BUCKETS_MAX * BUCKET_SIZE], *p = r;

	if (s->n == 0)
		return kv_delete(w->t, TABLE_RATE, key) == -1 ? -1 : 0;
	for (size_t i = 0; i < s->n; i++, p += BUCKET_SIZE) {
		be64_put(p, (uint64_t)s->b[i].start);
		be32_put(p + 8, s->b[i].count);
		be64_put(p + 12, s->b[i].bytes);
	}
	return kv_put(w->t, TABLE_RATE, key, bytes_of(r, s->n * BUCKET_SIZE));
}

/* Where a message of that time belongs, seen from now. */
static int64_t
start_of(int64_t date, int64_t now)
{
	return date > now ? now : date > now - MINUTE ? date
	    : date - date % COARSE;
}

/* Old ones go, seconds that are no longer of the last minute become parts of
 * ten minutes. Their order stays. */
static void
compact(struct buckets *s, int64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct bucket b = s->b[i];

		b.start = start_of(b.start, now);
		if (is_old(b.start, now) || b.count == 0)
			continue;
		if (n > 0 && s->b[n - 1].start >= b.start) {
			s->b[n - 1].count += b.count;
			s->b[n - 1].bytes += b.bytes;
		} else {
			s->b[n++] = b;
		}
	}
	s->n = n;
}

static void
add(struct buckets *s, int64_t start, uint64_t size)
{
	size_t at = s->n;

	while (at > 0 && s->b[at - 1].start > start)
		at--;
	if (at > 0 && s->b[at - 1].start == start) {
		s->b[at - 1].count++;
		s->b[at - 1].bytes += size;
		return;
	}
	if (s->n == BUCKETS_MAX)
		return;		/* compact leaves fewer */
	memmove(&s->b[at + 1], &s->b[at], (s->n - at) * sizeof(s->b[0]));
	s->b[at] = (struct bucket){ start, 1, size };
	s->n++;
}

/* From the bucket it was put into: that of its second, or of what this has
 * become part of. */
static void
subtract(struct buckets *s, int64_t date, uint64_t size)
{
	struct bucket *b;

	for (size_t i = s->n; i > 0; i--) {
		b = &s->b[i - 1];
		if (b->start > date || b->count == 0)
			continue;
		b->count--;
		b->bytes -= size < b->bytes ? size : b->bytes;
		return;
	}
}

static void
rate_key(unsigned char out[KEY_RATE], enum store_origin_key key,
    uint64_t hash)
{
	out[0] = (unsigned char)(key - STORE_ORIGIN_IP1);
	be64_put(out + 1, hash);
}

int
work_rate(struct work *w, const struct origin_row *row, bool is_new)
{
	unsigned char k[KEY_RATE];
	struct bytes key = key_of(k, KEY_RATE), value;
	int64_t now = now_seconds();
	struct buckets s;
	int r;

	for (size_t i = 0; i < row->n; i++) {
		if (row->entry[i].key < STORE_ORIGIN_IP1)
			continue;
		rate_key(k, row->entry[i].key, row->entry[i].hash);
		if ((r = kv_get(w->t, TABLE_RATE, key, &value)) == -1)
			return -1;
		decode(r == 1 ? value : BYTES_EMPTY, &s);
		if (is_new)
			compact(&s, now);
		if (is_new)
			add(&s, start_of(row->date, now), row->size);
		else
			subtract(&s, row->date, row->size);
		compact(&s, now);
		if (put(w, key, &s) == -1)
			return -1;
	}
	return 0;
}

/* ---- reading ---- */

static void
sum(const struct buckets *s, int64_t now, int mask, struct store_rates *out)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct bucket *b = &s->b[i];

		if (is_old(b->start, now))
			continue;
		out->count[STORE_RATE_DAY][mask] += b->count;
		out->bytes[STORE_RATE_DAY][mask] += b->bytes;
		if (b->start <= now - MINUTE)
			continue;
		out->count[STORE_RATE_MINUTE][mask] += b->count;
		out->bytes[STORE_RATE_MINUTE][mask] += b->bytes;
	}
}

int
store_rates(struct store_view *v, const struct ip *ip, int64_t now,
    struct store_rates *out)
{
	struct store_rates rates = { 0 };
	unsigned char k[KEY_RATE];
	struct ip mask[ORIGIN_MASKS];
	char text[IP_TEXT_MAX];
	struct buckets s;
	struct bytes value;
	int r;

	origin_masks(ip, mask);
	for (int i = 0; ip->family != 0 && i < ORIGIN_MASKS; i++) {
		rate_key(k, (enum store_origin_key)(STORE_ORIGIN_IP1 + i),
		    hash_of(bytes_str(ip_format(&mask[i], text))));
		r = kv_get(v->t, TABLE_RATE, key_of(k, KEY_RATE), &value);
		if (r == -1)
			return -1;
		decode(r == 1 ? value : BYTES_EMPTY, &s);
		sum(&s, now, i, &rates);
	}
	*out = rates;
	return 0;
}

/* ---- sweeping ---- */

/* Keys of records without anything of the last day, ascending. */
static int
collect(struct store *s, int64_t now, struct buf *keys)
{
	struct store_view *v = store_view_open(s);
	struct bytes key = BYTES_EMPTY, value;
	struct kv_cursor *c;
	struct buckets b;
	int r;

	if (v == NULL)
		return -1;
	c = kv_cursor_open(v->t, TABLE_RATE);
	for (r = c == NULL ? -1 : kv_seek(c, &key, &value);
	    r == 1 && keys->n < SWEEP_PIECE * KEY_RATE;
	    r = kv_next(c, &key, &value)) {
		decode(value, &b);
		if (key.n == KEY_RATE && (b.n == 0 ||
		    is_old(b.b[b.n - 1].start, now)))
			(void)buf_add(keys, key);	/* has no bound */
	}
	kv_cursor_close(c);
	store_view_close(v);
	return r == -1 ? -1 : 0;
}

/* One of them came back meanwhile at worst: it is looked at again. */
static int
remove_old(struct store *s, int64_t now, struct bytes keys)
{
	struct bytes key, value;
	struct buckets b;
	struct work w;
	int r = 0;

	if (work_begin(s, &w) == -1)
		return -1;
	while (r != -1 && bytes_cut(&keys, KEY_RATE, &key)) {
		if ((r = kv_get(w.t, TABLE_RATE, key, &value)) != 1)
			continue;
		decode(value, &b);
		if (b.n == 0 || is_old(b.b[b.n - 1].start, now))
			r = kv_delete(w.t, TABLE_RATE, key);
	}
	if (r != -1)
		return work_commit(&w);
	work_abort(&w);
	return -1;
}

int
rates_sweep(struct store *s, int64_t now)
{
	struct buf keys = BUF_INIT(SIZE_MAX / 2);
	int r;

	do {
		buf_reset(&keys);
		r = collect(s, now, &keys);
		if (r == 0 && keys.n > 0)
			r = remove_old(s, now, buf_bytes(&keys));
	} while (r == 0 && keys.n >= SWEEP_PIECE * KEY_RATE);
	buf_free(&keys);
	return r;
}
