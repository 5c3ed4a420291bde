/* destined.c - messages that lay aside, and are put where they belong */
#include "store/destined.h"

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

static int
apply(struct work *w, struct box *to, struct arena *a, const struct note *n,
    struct store_message *m, uint32_t *original)
{
	bool there = to->rec.id == n->destined;

	if (n->refused)
		m->flags &= ~(uint32_t)STORE_SEEN;
	else if (there && (m->flags & BOTH) == 0 && like(w, to, m) == -1)
		return -1;
	if (n->refused || there || (m->flags & BOTH) != 0) {
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
