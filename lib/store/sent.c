/*
 * sent.c - whom mail was sent to (S-17): the addresses in To, Cc and Bcc of
 * what comes into a mailbox with the use \Sent
 *
 * Keys begin with the labels of the domain from the last one on, so that a
 * domain and those below it stand together. A record stays when its message
 * goes: that somebody was written to remains so. The table sent_domain has the
 * latest time of each domain, and of each organisational domain: one record
 * answers for any number of people.
 */
#include "store/internal.h"
#include "addr/addr.h"
#include "mime/mime.h"
#include "psl/psl.h"

#include <errno.h>

#define FIXED 16
#define NAME_MAX_BYTES 255
/* Of one message: who writes to more writes to a list of his own. */
#define ADDRESSES_MAX 1000
#define KEY_MAX 511

/* "org.example" NUL "local-part", lower case; -1 no such address. */
static int
sent_key(struct arena *a, struct buf *out, struct bytes local,
    struct bytes domain)
{
	struct bytes shown, rest, label;
	const char *why;
	size_t at;

	if (local.n == 0 || local.n > ADDR_MAILBOX_MAX ||
	    bytes_has_nul(local) || addr_parse_domain(a, domain,
	    ADDR_SMTPUTF8, &shown, &rest, &why) == -1)
		return -1;
	buf_reset(out);
	for (;;) {
		bool more = bytes_rchr(rest, '.', &at);

		label = more ? bytes_from(rest, at + 1) : rest;
		(void)buf_add(out, label);	/* full tells */
		if (!more)
			break;
		(void)buf_addc(out, '.');
		rest = bytes_first(rest, at);
	}
	(void)buf_addc(out, '\0');
	(void)buf_add(out, arena_lower(a, local));
	return out->full ? -1 : 0;
}

static int
decode(struct arena *a, struct bytes key, struct bytes value,
    struct store_sent *out)
{
	struct buf domain = BUF_INIT(KEY_MAX);
	struct bytes rest = key, reversed;
	size_t at;
	bool more = true;

	if (value.n < FIXED || value.p[0] != 1 ||
	    !bytes_split(&rest, '\0', &reversed)) {
		errno = EBADMSG;
		return -1;
	}
	*out = (struct store_sent){ .local_part = rest,
	    .count = be32_get(value.p + 4),
	    .last = (int64_t)be64_get(value.p + 8),
	    .name = bytes_from(value, FIXED) };
	while (more) {
		more = bytes_rchr(reversed, '.', &at);
		(void)buf_add(&domain, more ? bytes_from(reversed, at + 1)
		    : reversed);	/* not longer than the key */
		if (more) {
			(void)buf_addc(&domain, '.');
			reversed = bytes_first(reversed, at);
		}
	}
	out->domain = arena_bytes(a, buf_bytes(&domain));
	buf_free(&domain);
	return 0;
}

/* ---- domains ---- */

/* "d" and a domain, "o" and an organisational one. */
static int
domain_key(struct arena *a, struct buf *out, struct bytes domain, bool org)
{
	struct bytes shown, ascii;
	const char *why;

	buf_reset(out);
	if (addr_parse_domain(a, domain, ADDR_SMTPUTF8, &shown, &ascii, &why)
	    == -1)
		return -1;
	(void)buf_addc(out, org ? 'o' : 'd');	/* full tells */
	(void)buf_add(out, org ? psl_organisational_domain(a, ascii) : ascii);
	return out->full ? -1 : 0;
}

static int
put_domain(struct work *w, struct arena *a, struct bytes domain, bool org,
    int64_t date)
{
	struct buf key = BUF_INIT(KEY_MAX);
	unsigned char last[8];
	struct bytes old;
	int r = domain_key(a, &key, domain, org);

	if (r == 0) {
		r = kv_get(w->t, TABLE_SENT_DOMAIN, buf_bytes(&key), &old);
		be64_put(last, (uint64_t)date);
		if (r != -1 && (r == 0 || old.n != 8 ||
		    (int64_t)be64_get(old.p) < date))
			r = kv_put(w->t, TABLE_SENT_DOMAIN, buf_bytes(&key),
			    bytes_of(last, 8));
	} else {
		r = 0;		/* put_field has let it pass: cannot be */
	}
	buf_free(&key);
	return r == -1 ? -1 : 0;
}

static int
put_domains(struct work *w, struct arena *a, struct bytes domain,
    int64_t date)
{
	return put_domain(w, a, domain, false, date) == -1 ? -1
	    : put_domain(w, a, domain, true, date);
}

int
sent_domains_build(struct work *w)
{
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_SENT_TO);
	struct bytes key = BYTES_EMPTY, value;
	struct arena a = ARENA_INIT;
	struct store_sent x;
	int r = c == NULL || kv_empty(w->t, TABLE_SENT_DOMAIN) == -1 ? -1
	    : kv_seek(c, &key, &value);

	while (r == 1) {
		if (decode(&a, key, value, &x) == 0 &&
		    put_domains(w, &a, x.domain, x.last) == -1)
			r = -1;
		else
			r = kv_next(c, &key, &value);
		arena_reset(&a);
	}
	kv_cursor_close(c);
	arena_free(&a);
	return r;
}

/* ---- writing ---- */

static int
put(struct work *w, struct bytes key, struct bytes name, int64_t date)
{
	struct buf b = BUF_INIT(FIXED + NAME_MAX_BYTES);
	unsigned char r[FIXED] = { 1 };
	struct bytes old;
	uint32_t count = 0;
	int64_t last = INT64_MIN;
	int got = kv_get(w->t, TABLE_SENT_TO, key, &old);

	if (got == -1)
		return -1;
	if (got == 1 && old.n >= FIXED && old.p[0] == 1) {
		count = be32_get(old.p + 4);
		last = (int64_t)be64_get(old.p + 8);
		if (name.n == 0 || last > date)
			name = bytes_from(old, FIXED);
	}
	be32_put(r + 4, count == UINT32_MAX ? count : count + 1);
	be64_put(r + 8, (uint64_t)(last > date ? last : date));
	(void)buf_add(&b, bytes_of(r, FIXED));	/* fits, as does the name */
	(void)buf_add(&b, name.n <= NAME_MAX_BYTES ? name : BYTES_EMPTY);
	w->dirty = true;	/* power loss: the file is taken in again */
	got = kv_put(w->t, TABLE_SENT_TO, key, buf_bytes(&b));
	buf_free(&b);
	return got;
}

static int
put_field(struct work *w, struct arena *a, struct bytes body, int64_t date,
    size_t *left)
{
	struct buf key = BUF_INIT(KEY_MAX);
	struct addr_list list;
	struct addr_member *m;
	int r = 0;

	addr_parse_list(a, body, &list);
	for (m = list.first; m != NULL && *left > 0 && r == 0; m = m->next) {
		if (m->kind != ADDR_MAILBOX ||
		    sent_key(a, &key, m->mailbox, m->domain) == -1)
			continue;
		(*left)--;
		r = put(w, buf_bytes(&key), m->has_name
		    ? mime_decode_words(a, m->display_name) : BYTES_EMPTY,
		    date);
		if (r == 0)
			r = put_domains(w, a, m->domain, date);
	}
	buf_free(&key);
	return r;
}

int
work_sent(struct work *w, struct bytes content, int64_t date)
{
	static const char *const names[] = { "To", "Cc", "Bcc" };
	struct arena a = ARENA_INIT;
	struct bytes header, body;
	struct mime_field f;
	size_t left = ADDRESSES_MAX, i, n;
	int r = 0;

	mime_split(content, &header, &body);
	header = bytes_first(header, MIME_HEADER_MAX);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (n = 0; r == 0 && left > 0 && mime_find_field(header,
		    bytes_str(names[i]), n, &f); n++)
			r = put_field(w, &a, mime_unfold(&a, f.body), date,
			    &left);
	}
	arena_free(&a);
	return r;
}

/* ---- reading ---- */

int
store_sent_get(struct store_view *v, struct arena *a, struct bytes local_part,
    struct bytes domain, struct store_sent *out)
{
	struct buf key = BUF_INIT(KEY_MAX);
	struct bytes value;
	int r = 0;

	if (sent_key(a, &key, local_part, domain) == 0)
		r = kv_get(v->t, TABLE_SENT_TO, buf_bytes(&key), &value);
	if (r == 1 && decode(a, arena_bytes(a, buf_bytes(&key)), value, out)
	    == -1)
		r = -1;
	buf_free(&key);
	return r;
}

int
store_sent_domain(struct store_view *v, struct bytes domain, bool org,
    int64_t *last)
{
	struct buf key = BUF_INIT(KEY_MAX);
	struct arena a = ARENA_INIT;
	struct bytes value;
	int r = 0;

	if (domain_key(&a, &key, domain, org) == 0)
		r = kv_get(v->t, TABLE_SENT_DOMAIN, buf_bytes(&key), &value);
	if (r == 1 && value.n == 8)
		*last = (int64_t)be64_get(value.p);
	buf_free(&key);
	arena_free(&a);
	return r;
}

int
store_sent_next(struct store_view *v, struct arena *a, struct bytes *at,
    struct store_sent *out)
{
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_SENT_TO);
	struct bytes key = *at, value;
	int r;

	if (c == NULL)
		return -1;
	r = kv_seek(c, &key, &value);
	if (r == 1 && at->n > 0 && bytes_eq(key, *at))
		r = kv_next(c, &key, &value);
	if (r == 1 && decode(a, key, value, out) == -1)
		r = -1;
	if (r == 1)
		*at = key;
	kv_cursor_close(c);
	return r;
}
