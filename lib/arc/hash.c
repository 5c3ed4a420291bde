/*
 * hash.c - what a seal signs (RFC 8617 5.1.1)
 *
 * All sets from i=1 up to its own, each as results, message signature, seal,
 * in the relaxed form; its own seal last, with empty b= and without line end.
 * The state before that last field serves the next seal, so a chain is hashed
 * once and not once for each seal.
 */
#include "arc/internal.h"

/* The three fields of a set: nothing grows in the relaxed form but a missing
 * line end. */
#define TEXT_MAX (3 * (ARC_FIELD_MAX + 128))

void
arc_sealing_init(struct arc_sealing *s)
{
	sha256_init(&s->state);
	s->text = BUF_INIT(TEXT_MAX);
}

void
arc_sealing_free(struct arc_sealing *s)
{
	buf_free(&s->text);
}

/* Add one field, or all but its line end; -1 EMSGSIZE. */
static int
add(struct arc_sealing *s, struct sha256 *state, struct bytes field,
    bool with_end)
{
	struct bytes text;

	buf_reset(&s->text);
	if (dkim_canon_field(&s->text, DKIM_RELAXED, field) == -1)
		return -1;
	text = buf_bytes(&s->text);
	sha256_add(state, with_end ? text : bytes_first(text, text.n - 2));
	return 0;
}

int
arc_sealing_next(struct arc_sealing *s, struct arena *a,
    struct bytes results, struct bytes message, struct bytes seal,
    unsigned char hash[DKIM_HASH_SIZE])
{
	struct sha256 last;

	if (add(s, &s->state, results, true) == -1 ||
	    add(s, &s->state, message, true) == -1)
		return -1;
	last = s->state;
	if (add(s, &last, dkim_without_b(a, seal), false) == -1)
		return -1;
	sha256_end(&last, hash);
	return add(s, &s->state, seal, true);
}
