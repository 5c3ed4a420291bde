/* destined.c - messages that lay aside, and are put where they belong */
#include "store/destined.h"

#include <errno.h>

#include "trace/trace.h"

#define BOTH ((uint32_t)(STORE_JUNK | STORE_NOTJUNK))

struct note {
	uint32_t destined;	/* 0: nothing was noted */
	bool refused;
	struct buf rest;	/* the other facts */
};

static int
read_note(struct bytes extension, struct note *n)
{
	enum store_tag tag;
	struct bytes value;
	int r;

	while ((r = store_field_next(&extension, &tag, &value)) == 1) {
		if (tag == STORE_TAG_DESTINED_MAILBOX && value.n == 4)
			n->destined = be32_get(value.p);
		else if (tag == STORE_TAG_REJECT)
			n->refused = true;
		else if (store_field_add(&n->rest, tag, value) == -1)
			return -1;
	}
	return r;
}

/* Nobody says it is junk, and it goes where such mail should have gone. */
static int
like(struct work *w, struct box *to, struct store_message *m)
{
	const char *name = store_flag_name(STORE_NOTJUNK);
	unsigned int number;

	m->flags |= STORE_NOTJUNK;
	/* To the file it is a keyword, which needs a number. */
	if (keywords_number(w, to, bytes_str(name), &number) == -1)
		return -1;
	w->durable |= number >= STORE_LETTERS;
	return 0;
}

/* Whether its owner has said something by where it is now. */
static bool
is_told(const struct note *n, uint32_t mailbox, uint32_t flags)
{
	return n->refused || mailbox == n->destined || (flags & BOTH) != 0;
}

static int
apply(struct work *w, struct box *to, struct arena *a, const struct note *n,
    struct store_message *m, uint32_t *original)
{
	bool there = to->rec.id == n->destined;

	if (n->refused)
		m->flags &= ~(uint32_t)STORE_SEEN;
	else if (there && (m->flags & BOTH) == 0 && like(w, to, m) == -1)
		return -1;
	if (is_told(n, to->rec.id, m->flags)) {
		*original = n->destined;
		m->extension = arena_bytes(a, buf_bytes(&n->rest));
	}
	return 0;
}

int
destined_leave(struct work *w, struct box *to, struct arena *a,
    struct store_message *m, uint32_t *original)
{
	struct note n = { .rest = BUF_INIT(m->extension.n + 1) };
	int r = 0;

	*original = 0;
	/* facts that cannot be read say nothing */
	if (read_note(m->extension, &n) == 0 && n.destined != 0)
		r = apply(w, to, a, &n, m, original);
	buf_free(&n.rest);
	return r;
}

/* ---- in the file ---- */

int
store_destined_format(struct buf *out, const struct store_destined *d)
{
	return buf_printf(out, STORE_DESTINED_FIELD ": %lu; aside=%lu%s\n",
	    (unsigned long)d->mailbox, (unsigned long)d->aside,
	    d->refused ? "; refused" : "");
}

int
store_destined_parse(struct bytes field, struct store_destined *out)
{
	struct bytes s = field;
	uint64_t mailbox, aside;
	bool refused;

	errno = EBADMSG;
	if (!bytes_skip(&s, BYTES(STORE_DESTINED_FIELD ": ")) ||
	    num_cut(&s, UINT32_MAX, &mailbox) == -1 ||
	    !bytes_skip(&s, BYTES("; aside=")) ||
	    num_cut(&s, UINT32_MAX, &aside) == -1)
		return -1;
	refused = bytes_skip(&s, BYTES("; refused"));
	if (!bytes_eq(s, BYTES("\n")) || mailbox == 0 || aside == 0) {
		errno = EBADMSG;
		return -1;
	}
	*out = (struct store_destined){ (uint32_t)mailbox, (uint32_t)aside,
	    refused };
	return 0;
}

/* The field stands among the first: most mail has none, and is not taken
 * apart for it. Only our own block vouches for it. */
void
destined_read(struct arena *a, struct bytes content, const char *hostname,
    struct store_destined *out)
{
	const struct bytes name = BYTES(STORE_DESTINED_FIELD);
	struct bytes rest = content, field;
	struct trace_block block;
	bool found = false;

	*out = (struct store_destined){ 0, 0, false };
	while (!found && trace_field_cut(&rest, &field) &&
	    !trace_field_is(field, BYTES("Received")))
		found = trace_field_is(field, name);
	if (found && hostname != NULL && trace_block_parse(a, content,
	    bytes_str(hostname), BYTES_EMPTY, &block, &rest) == 1)
		(void)store_destined_parse(field, out);	/* or none */
}

/* The id of a mailbox, 0: there is none any more. 0, -1. */
static int
find_box(struct work *w, struct destined_known *known, size_t i,
    uint32_t uidvalidity, uint32_t *id)
{
	struct bytes key = BYTES_EMPTY, value;
	struct kv_cursor *c;
	struct mbox m;
	int r;

	*id = known->id[i];
	if (known->uidvalidity[i] == uidvalidity)
		return 0;
	*id = 0;
	if ((c = kv_cursor_open(w->t, TABLE_MAILBOX)) == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1 && *id == 0;
	    r = *id != 0 ? 1 : kv_next(c, &key, &value)) {
		if (mbox_decode(be32_get(key.p), value, &m) == -1) {
			r = -1;
			break;
		}
		if (m.uidvalidity == uidvalidity)
			*id = m.id;
	}
	kv_cursor_close(c);
	if (r == -1)
		return -1;
	known->uidvalidity[i] = uidvalidity;
	known->id[i] = *id;
	return 0;
}

static int
put_note(struct arena *a, const struct note *n, struct store_message *m)
{
	struct buf b = BUF_INIT(64);
	unsigned char id[4];
	int r;

	be32_put(id, n->destined);
	r = store_field_add(&b, STORE_TAG_DESTINED_MAILBOX, bytes_of(id, 4));
	if (r == 0 && n->refused)
		r = store_field_add(&b, STORE_TAG_REJECT, BYTES("1"));
	if (r == 0)
		m->extension = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return r;
}

int
destined_adopt(struct work *w, struct destined_known *known,
    struct arena *a, const struct store_destined *d,
    struct store_message *m, uint32_t *original)
{
	struct note n = { .refused = d->refused, .rest = BUF_INIT(0) };
	uint32_t aside;

	*original = 0;
	if (d->mailbox == 0)
		return 0;
	if (find_box(w, known, 0, d->mailbox, &n.destined) == -1 ||
	    find_box(w, known, 1, d->aside, &aside) == -1)
		return -1;
	if (n.destined == 0)	/* it was removed meanwhile */
		return 0;
	if (m->mailbox == aside || !is_told(&n, m->mailbox, m->flags))
		return put_note(a, &n, m);
	*original = n.destined;
	return 0;
}
