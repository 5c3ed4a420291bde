/*
 * sent.c - whom mail was sent to (S-17): the addresses in To, Cc and Bcc of
 * what comes into a mailbox with the use \Sent
 *
 * Keys begin with the labels of the domain from the last one on, so that a
 * domain and those below it stand together. A record stays when its message
 * goes: that somebody was written to remains so.
 */
#include "store/internal.h"
#include "addr/addr.h"
#include "mime/mime.h"

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
store_sent_domain(struct store_view *v, struct bytes domain, bool below,
    int64_t *last)
{
	struct buf prefix = BUF_INIT(KEY_MAX);
	struct arena a = ARENA_INIT;
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_SENT_TO);
	struct bytes key, value;
	int r = 0, found = 0;
	size_t n;

	if (c == NULL)
		return -1;
	if (sent_key(&a, &prefix, BYTES("x"), domain) == 0) {
		n = prefix.n - 2;	/* without NUL and x */
		key = bytes_first(buf_bytes(&prefix), n);
		for (r = kv_seek(c, &key, &value); r == 1;
		    r = kv_next(c, &key, &value)) {
			if (!bytes_starts(key, bytes_first(buf_bytes(&prefix),
			    n)))
				break;
			if (value.n < FIXED || (bytes_at(key, n) != '\0' &&
			    (!below || bytes_at(key, n) != '.')))
				continue;
			if (!found || (int64_t)be64_get(value.p + 8) > *last)
				*last = (int64_t)be64_get(value.p + 8);
			found = 1;
		}
	}
	kv_cursor_close(c);
	buf_free(&prefix);
	arena_free(&a);
	return r == -1 ? -1 : found;
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
