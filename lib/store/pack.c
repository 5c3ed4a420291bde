/*
 * Drafts as bytes: structures as they are in memory, since only children of
 * one process read them, then the name of the file, the record as in the index,
 * and the text.
 */
#include "store/draft.h"

#include <errno.h>

struct head {
	struct store_thread thread;
	struct origin_row origin;
	uint32_t flags;
	uint32_t tmp, message, text;	/* bytes */
};

int
draft_pack(struct buf *out, const struct draft *d)
{
	struct head h = { .thread = d->thread, .origin = d->origin,
	    .flags = d->flags, .tmp = (uint32_t)strlen(d->tmp),
	    .text = (uint32_t)d->text.n };
	size_t at = out->n, from = at + sizeof(h) + h.tmp;

	if (d->text.n > UINT32_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (buf_add(out, bytes_of(&h, sizeof(h))) == -1 ||
	    buf_add(out, bytes_of(d->tmp, h.tmp)) == -1 ||
	    message_encode(out, &d->m) == -1)
		return -1;
	/* below DESK_BYTES, or not used */
	h.message = (uint32_t)(out->n - from);
	memcpy(out->p + at, &h, sizeof(h));
	return buf_add(out, d->text);
}

static bool
is_sane_origin(const struct origin_row *o)
{
	unsigned char validated, counted;
	size_t i;

	/* as a bool it may be read only if it is one */
	memcpy(&validated, &o->from_validated, 1);
	memcpy(&counted, &o->counted, 1);
	if (o->n > ORIGIN_ENTRIES_MAX || validated > 1 || counted > 1 ||
	    (unsigned int)o->listed > JUDGED_JUNK)
		return false;
	for (i = 0; i < o->n; i++) {
		if ((unsigned int)o->entry[i].key >= STORE_ORIGIN_KEYS)
			return false;
	}
	return true;
}

static bool
is_sane(const struct head *h)
{
	return h->thread.parent_count <= STORE_PARENTS_MAX &&
	    h->thread.reference_count <= STORE_REFERENCES_MAX &&
	    is_sane_origin(&h->origin) &&
	    h->tmp > 0 && h->tmp <= MAILDIR_FILE_MAX;
}

int
draft_unpack(struct arena *a, struct bytes s, struct draft *out)
{
	unsigned char key[KEY_MESSAGE];
	struct bytes rest = arena_bytes(a, s), part, tmp;
	struct head h;

	*out = (struct draft){ .fd = -1, .written = true,
	    .text = BYTES_EMPTY, .content = BYTES_EMPTY };
	if (!bytes_cut(&rest, sizeof(h), &part))
		goto bad;
	memcpy(&h, part.p, sizeof(h));
	if (!is_sane(&h) || !bytes_cut(&rest, h.tmp, &tmp) ||
	    tmp.p[0] == '.' || memchr(tmp.p, 0, tmp.n) != NULL ||
	    memchr(tmp.p, '/', tmp.n) != NULL ||
	    !bytes_cut(&rest, h.message, &part) || rest.n != h.text)
		goto bad;
	memcpy(out->tmp, tmp.p, tmp.n);
	out->thread = h.thread;
	out->origin = h.origin;
	out->flags = h.flags & STORE_FLAGS_ALL;
	out->text = rest;
	key_message(key, 0, 0);
	return message_decode(key_of(key, sizeof(key)), part, &out->m);
bad:
	errno = EBADMSG;
	return -1;
}
