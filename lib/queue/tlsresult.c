/*
 * tlsresult.c - results of TLS, counted for reports
 */
#include "queue/tlsresult.h"

#include <errno.h>

#include "frame/frame.h"
#include "queue/internal.h"
#include "tlsresult/tlsresult.h"

#define DAY_S 86400
#define KEY_DAY 4
/* Of a domain or an address, as text. */
#define NAME_MAX_BYTES 255

/* The last byte of a key. */
static const char *const policy_types[] = { "no-policy-found", "sts",
    "tlsa" };
#define POLICY_TYPES (sizeof(policy_types) / sizeof(policy_types[0]))
#define HOST_BIT 0x80

static struct bytes
cut(struct bytes s, size_t max)
{
	return bytes_first(s, s.n < max ? s.n : max);
}

/* ---- keys: day, policy domain, NUL, recipient domain, NUL, a byte ---- */

static int
add_day(struct buf *key, int64_t day)
{
	unsigned char n[8];

	be64_put(n, (uint64_t)day);
	return buf_add(key, bytes_of(n + 8 - KEY_DAY, KEY_DAY));
}

/* 1; 0 it cannot be one. */
static int
make_key(struct buf *key, struct bytes rcpt_domain,
    const struct job_tls_result *r, int64_t day)
{
	unsigned char last = 0;

	if (bytes_has_nul(r->policy_domain) || bytes_has_nul(rcpt_domain) ||
	    r->policy_domain.n == 0)
		return 0;
	for (size_t i = 0; i < POLICY_TYPES; i++) {
		if (bytes_eq(r->policy_type, bytes_str(policy_types[i])))
			last = (unsigned char)i;
	}
	if (r->is_host)
		last |= HOST_BIT;
	(void)add_day(key, day);	/* full, as the others */
	buf_add(key, r->policy_domain);
	buf_addc(key, '\0');
	buf_add(key, rcpt_domain);
	buf_addc(key, '\0');
	return buf_addc(key, last) == 0;
}

static int
parse_key(struct bytes key, struct queue_tlsresult *r)
{
	struct bytes day;
	unsigned char n[8] = { 0 };

	if (!bytes_cut(&key, KEY_DAY, &day))
		return queue_fail(EBADMSG);
	for (size_t i = 0; i < KEY_DAY; i++)
		n[8 - KEY_DAY + i] = day.p[i];
	r->day = (int64_t)be64_get(n);
	if (!bytes_split(&key, '\0', &r->policy_domain) ||
	    !bytes_split(&key, '\0', &r->rcpt_domain) || key.n != 1 ||
	    (key.p[0] & ~HOST_BIT) >= (int)POLICY_TYPES)
		return queue_fail(EBADMSG);
	r->is_host = (key.p[0] & HOST_BIT) != 0;
	r->policy_type = bytes_str(policy_types[key.p[0] & ~HOST_BIT]);
	return 0;
}

/* ---- values ---- */

static int
parse_failure(struct bytes s, struct queue_tlsfailure *f)
{
	struct frame_field field;
	int64_t n;
	int r;

	*f = (struct queue_tlsfailure){ BYTES_EMPTY, BYTES_EMPTY,
	    BYTES_EMPTY, BYTES_EMPTY, 0 };
	while ((r = frame_next(&s, &field)) == 1) {
		if (frame_is(&field, "result-type"))
			f->result_type = field.value;
		else if (frame_is(&field, "mx-host"))
			f->mx_host = field.value;
		else if (frame_is(&field, "ip"))
			f->ip = field.value;
		else if (frame_is(&field, "detail"))
			f->detail = field.value;
		else if (frame_is(&field, "count")) {
			if (frame_num(&field, 0, INT64_MAX, &n) == -1)
				return -1;
			f->count = (uint64_t)n;
		}
	}
	return r;
}

static int
parse_count(const struct frame_field *f, struct queue_tlsresult *r)
{
	int64_t n;

	if (frame_num(f, 0, INT64_MAX, &n) == -1)
		return -1;
	if (frame_is(f, "good"))
		r->good = (uint64_t)n;
	else if (frame_is(f, "bad"))
		r->bad = (uint64_t)n;
	else if (frame_is(f, "report"))
		r->report = (uint64_t)n;
	else if (frame_is(f, "left-out"))
		r->left_out = (uint64_t)n;
	return 0;
}

/* r->failures has room. */
static int
parse_value(struct bytes value, struct queue_tlsresult *r)
{
	struct frame_field f;
	int got;

	while ((got = frame_next(&value, &f)) == 1) {
		if (!frame_is(&f, "failure")) {
			if (parse_count(&f, r) == -1)
				return -1;
			continue;
		}
		if (r->count == QUEUE_TLSRESULT_FAILURES_MAX ||
		    parse_failure(f.value, &r->failures[r->count++]) == -1)
			return queue_fail(EBADMSG);
	}
	return got;
}

static void
format_failure(struct buf *out, const struct queue_tlsfailure *f)
{
	struct buf b = BUF_INIT(RECORD_MAX);

	frame_add(&b, "result-type", f->result_type);
	frame_add(&b, "mx-host", f->mx_host);
	frame_add(&b, "ip", f->ip);
	frame_add(&b, "detail", f->detail);
	frame_add_num(&b, "count", (int64_t)f->count);
	frame_add(out, "failure", buf_bytes(&b));
	buf_free(&b);
}

static int
put(struct queue_txn *t, struct bytes key, const struct queue_tlsresult *r)
{
	struct buf *out = queue_record(t);

	frame_add_num(out, "good", (int64_t)r->good);
	frame_add_num(out, "bad", (int64_t)r->bad);
	frame_add_num(out, "report", (int64_t)r->report);
	frame_add_num(out, "left-out", (int64_t)r->left_out);
	for (size_t i = 0; i < r->count; i++)
		format_failure(out, &r->failures[i]);
	return queue_put_record(t, TABLE_TLSRESULT, key);
}

static void
clear(struct arena *a, struct queue_tlsresult *r)
{
	*r = (struct queue_tlsresult){ .policy_domain = BYTES_EMPTY,
	    .rcpt_domain = BYTES_EMPTY, .policy_type = BYTES_EMPTY };
	r->failures = arena_zalloc(a, QUEUE_TLSRESULT_FAILURES_MAX,
	    sizeof(*r->failures));
}

/* ---- counting ---- */

static void
count_failure(struct queue_tlsresult *r, const struct job_tls_result *from)
{
	struct queue_tlsfailure f = { .result_type = from->result_type,
	    .mx_host = cut(from->mx_host, NAME_MAX_BYTES),
	    .ip = cut(from->ip, NAME_MAX_BYTES),
	    .detail = cut(from->detail, QUEUE_TLSRESULT_DETAIL_MAX),
	    .count = 1 };
	enum tlsresult known;

	if (tlsresult_find(f.result_type, &known) == -1)
		f.result_type = bytes_str(tlsresult_name(
		    TLSRESULT_VALIDATION_FAILURE));
	r->bad++;
	for (size_t i = 0; i < r->count; i++) {
		if (bytes_eq(r->failures[i].result_type, f.result_type) &&
		    bytes_eq(r->failures[i].mx_host, f.mx_host) &&
		    bytes_eq(r->failures[i].ip, f.ip) &&
		    bytes_eq(r->failures[i].detail, f.detail)) {
			r->failures[i].count++;
			return;
		}
	}
	if (r->count < QUEUE_TLSRESULT_FAILURES_MAX)
		r->failures[r->count++] = f;
	else
		r->left_out++;
}

/* BEHAVIOUR 13: reports about reports would never end. */
static bool
is_reason(uint64_t kind, bool failed)
{
	return kind == QUEUE_DMARC_REPORT ? failed
	    : kind != QUEUE_TLS_REPORT;
}

static int
count(struct queue_txn *t, struct arena *a, struct bytes key, uint64_t kind,
    const struct job_tls_result *from)
{
	struct queue_tlsresult r;
	struct bytes old;
	int64_t all;
	int got;

	clear(a, &r);
	if ((got = queue_get(t, a, TABLE_TLSRESULT, key, &old)) == -1)
		return -1;
	if (got == 1 && parse_value(old, &r) == -1)
		clear(a, &r);	/* damaged: a count is worth less than mail */
	if (got == 0) {
		if ((all = kv_count(t->kv, TABLE_TLSRESULT)) == -1)
			return -1;
		if (all >= QUEUE_TLSRESULT_MAX)
			return 0;
	}
	if (from->result_type.n > 0)
		count_failure(&r, from);
	else
		r.good++;
	r.report |= is_reason(kind, from->result_type.n > 0);
	return put(t, key, &r) == -1 ? -1 : 1;
}

int
queue_tlsresult_add(struct queue_txn *t, struct arena *a,
    struct bytes rcpt_domain, uint64_t kind, const struct job_tls_result *r,
    int64_t now)
{
	struct buf key = BUF_INIT(KV_KEY_MAX);
	int got = make_key(&key, rcpt_domain, r, now / DAY_S);

	if (got == 1)
		got = count(t, a, buf_bytes(&key), kind, r);
	buf_free(&key);
	return got;
}

/* ---- reading, and going ---- */

/* The first record with a key behind after, in the arena. 1, 0, -1. */
static int
seek(struct queue_txn *t, struct arena *a, struct bytes after,
    struct bytes *key, struct bytes *value)
{
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_TLSRESULT);
	struct buf from = BUF_INIT(KV_KEY_MAX + 1);
	int got = -1;

	/* the smallest key behind this one, of LMDB's length */
	buf_add(&from, after);
	if (after.n < KV_KEY_MAX)
		buf_addc(&from, '\0');
	*key = buf_bytes(&from);
	if (c != NULL && (got = kv_seek(c, key, value)) == 1 &&
	    after.n == KV_KEY_MAX && bytes_eq(*key, after))
		got = kv_next(c, key, value);
	if (got == 1) {
		*key = arena_bytes(a, *key);
		*value = arena_bytes(a, *value);
	}
	kv_cursor_close(c);
	buf_free(&from);
	return got;
}

int
queue_tlsresult_next(struct queue_txn *t, struct arena *a,
    struct bytes *place, struct queue_tlsresult *r)
{
	struct queue_tlsresult found;
	struct bytes key, value;
	int got = seek(t, a, *place, &key, &value);

	if (got != 1)
		return got;
	clear(a, &found);
	if (parse_key(key, &found) == -1 || parse_value(value, &found) == -1)
		return -1;
	*place = key;
	*r = found;
	return 1;
}

int
queue_tlsresult_purge(struct queue_txn *t, int64_t now, size_t max)
{
	/* the first day that stays */
	int64_t day = (now - QUEUE_TLSRESULT_KEEP_S) / DAY_S;
	struct arena a = ARENA_INIT;
	struct bytes key, value;
	struct queue_tlsresult r = { .day = 0 };
	int removed = 0, got = 0;

	while ((size_t)removed < max &&
	    (got = seek(t, &a, BYTES_EMPTY, &key, &value)) == 1) {
		/* one that is no key is first in nobody's way */
		if (parse_key(key, &r) == 0 && r.day >= day)
			break;
		if ((got = kv_delete(t->kv, TABLE_TLSRESULT, key)) == -1)
			break;
		removed++;
		arena_reset(&a);
	}
	arena_free(&a);
	return got == -1 ? -1 : removed;
}
