/*
 * Annotations (RFC 5464): key mailbox id (4 bytes, 0 for the account) and
 * name in lower case; value version (1), modseq (8), bytes. The index alone
 * holds them, so their commits are durable.
 */
#include "store/internal.h"

#include <errno.h>

#define VALUE_HEAD 9

static struct bytes
annotation_key(struct arena *a, uint32_t mailbox, struct bytes name)
{
	unsigned char *key = arena_alloc(a, 4 + name.n);
	size_t i;

	be32_put(key, mailbox);
	for (i = 0; i < name.n; i++)
		key[4 + i] = (unsigned char)ascii_lower(name.p[i]);
	return bytes_of(key, 4 + name.n);
}

static int
decode(struct bytes key, struct bytes value, struct store_annotation *out)
{
	if (key.n <= 4 || value.n < VALUE_HEAD || value.p[0] != 1) {
		errno = EBADMSG;
		return -1;
	}
	*out = (struct store_annotation){ .mailbox = be32_get(key.p),
	    .name = bytes_from(key, 4), .modseq = be64_get(value.p + 1),
	    .value = bytes_from(value, VALUE_HEAD) };
	return 0;
}

const char *
store_annotation_name_check(struct bytes name)
{
	struct bytes rest = name, element;
	bool more;
	size_t i;

	if (name.n > STORE_ANNOTATION_NAME_MAX)
		return "name of annotation is too long";
	if (!bytes_caseskip(&rest, BYTES("/private/")) &&
	    !bytes_caseskip(&rest, BYTES("/shared/")))
		return "annotations begin with /private/ or /shared/";
	do {
		more = bytes_split(&rest, '/', &element);
		if (element.n == 0)
			return "empty element in name of annotation";
		for (i = 0; i < element.n; i++) {
			int c = element.p[i];

			if (c < 0x20 || c >= 0x7f || c == '*' || c == '%')
				return "wrong byte in name of annotation";
		}
	} while (more);
	return NULL;
}

/* ---- reading ---- */

int
store_annotation_get(struct store_view *v, uint32_t mailbox,
    struct bytes name, struct store_annotation *out)
{
	struct arena a = ARENA_INIT;
	struct bytes key, value;
	struct kv_cursor *c;
	int r = 0;

	if (store_annotation_name_check(name) != NULL)
		return 0;
	if ((c = kv_cursor_open(v->t, TABLE_ANNOTATION)) == NULL)
		return -1;
	/* The cursor's key lies in the map, as the value does. */
	key = annotation_key(&a, mailbox, name);
	name = key;
	r = kv_seek(c, &key, &value);
	if (r == 1)
		r = bytes_eq(key, name);
	if (r == 1 && decode(key, value, out) == -1)
		r = -1;
	kv_cursor_close(c);
	arena_free(&a);
	return r;
}

int
store_annotation_next(struct store_view *v, uint32_t mailbox,
    struct bytes *at, struct store_annotation *out)
{
	struct arena a = ARENA_INIT;
	struct bytes start = annotation_key(&a, mailbox, *at), key = start;
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_ANNOTATION);
	struct bytes value;
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	if (r == 1 && bytes_eq(key, start))
		r = kv_next(c, &key, &value);
	if (r == 1 && (r = decode(key, value, out)) == 0) {
		r = out->mailbox == mailbox;
		if (r == 1)
			*at = out->name;
	}
	kv_cursor_close(c);
	arena_free(&a);
	return r;
}

/* ---- writing ---- */

/* Whether all of them together are within the limits. 0, -1. */
static int
check_room(struct work *w)
{
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_ANNOTATION);
	struct bytes key = BYTES_EMPTY, value;
	size_t n = 0, size = 0;
	int r;

	if (c == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		n++;
		size += key.n - 4 + value.n - VALUE_HEAD;
	}
	kv_cursor_close(c);
	if (r == 0 && n > STORE_ANNOTATIONS_MAX) {
		errno = EOVERFLOW;
		r = -1;
	} else if (r == 0 && size > STORE_ANNOTATION_BYTES_MAX) {
		errno = EMSGSIZE;
		r = -1;
	}
	return r;
}

static int
change_one(struct work *w, struct box *b,
    const struct store_annotation_change *c)
{
	struct bytes key;
	unsigned char *to;

	if (store_annotation_name_check(c->name) != NULL) {
		errno = EINVAL;
		return -1;
	}
	key = annotation_key(&w->arena, b == NULL ? 0 : b->rec.id, c->name);
	if (c->remove) {
		int r = kv_delete(w->t, TABLE_ANNOTATION, key);

		if (r != 1)
			return r;
	} else {
		if (c->value.n > STORE_ANNOTATION_BYTES_MAX) {
			errno = EMSGSIZE;
			return -1;
		}
		to = kv_put_room(w->t, TABLE_ANNOTATION, key,
		    VALUE_HEAD + c->value.n);
		if (to == NULL)
			return -1;
		to[0] = 1;
		be64_put(to + 1, w->modseq);
		memcpy(to + VALUE_HEAD, c->value.p, c->value.n);
	}
	return work_change_name(w, STORE_CHANGE_ANNOTATION, b,
	    bytes_from(key, 4), BYTES_EMPTY);
}

int
store_annotate(struct store *s, uint32_t mailbox,
    const struct store_annotation_change *c, size_t count, uint64_t *modseq)
{
	struct box *b = NULL;
	uint64_t given;
	struct work w;
	size_t i;
	int r = 0;

	if (work_begin(s, &w) == -1)
		return -1;
	if (mailbox != 0 && (b = work_box(&w, mailbox)) == NULL)
		r = -1;
	for (i = 0; i < count && r == 0; i++)
		r = change_one(&w, b, &c[i]);
	if (r == 0)
		r = check_room(&w);
	if (r == -1) {
		work_abort(&w);
		return -1;
	}
	given = w.changes > 0 ? w.modseq : 0;
	w.durable = true;
	if (work_commit(&w) == -1)
		return -1;
	if (modseq != NULL)
		*modseq = given;
	return 0;
}

int
annotations_forget(struct work *w, uint32_t mailbox)
{
	unsigned char from[4];
	struct bytes key, value;
	struct kv_cursor *c;
	int r = 1;

	be32_put(from, mailbox);
	/* The cursor ends before each removal: that would disturb it. */
	while (r == 1) {
		if ((c = kv_cursor_open(w->t, TABLE_ANNOTATION)) == NULL)
			return -1;
		key = key_of(from, sizeof(from));
		r = kv_seek(c, &key, &value);
		if (r == 1 && be32_get(key.p) != mailbox)
			r = 0;
		if (r == 1)
			key = arena_bytes(&w->arena, key);
		kv_cursor_close(c);
		if (r == 1)
			r = kv_delete(w->t, TABLE_ANNOTATION, key);
	}
	return r;
}
