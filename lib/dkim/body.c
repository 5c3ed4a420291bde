#include "dkim/internal.h"

#include <assert.h>
#include <errno.h>

size_t
dkim_body_wish(struct dkim_body_wishes *s, enum dkim_canon canon,
    bool has_length, uint64_t length)
{
	struct dkim_body_wish *w;
	size_t i;

	if (!has_length)
		length = 0;
	for (i = 0; i < s->n; i++) {
		w = &s->w[i];
		if (w->canon == canon && w->has_length == has_length &&
		    w->length == length)
			return i;
	}
	assert(s->n < DKIM_SIGNATURES_MAX);
	s->w[s->n] = (struct dkim_body_wish){ .canon = canon,
	    .has_length = has_length, .length = length };
	return s->n++;
}

/* One canonical form of the body, and the digests that want it. */
struct form {
	struct dkim_body_wishes *wishes;
	bool wanted;
	struct dkim_body body;
	struct dkim_digest *digest;	/* per wish */
	uint64_t seen;			/* octets so far */
};

static void
add_to_digests(void *ctx, struct bytes block)
{
	struct form *f = ctx;
	const struct dkim_body_wish *w;
	uint64_t part;
	size_t i;

	for (i = 0; i < f->wishes->n; i++) {
		w = &f->wishes->w[i];
		if (w->canon != f->body.canon)
			continue;
		part = block.n;
		if (w->has_length && w->length < f->seen + block.n)
			part = w->length > f->seen ? w->length - f->seen : 0;
		dkim_digest_add(&f->digest[i],
		    bytes_first(block, (size_t)part));
	}
	f->seen += block.n;
}

static void
form_init(struct form *f, enum dkim_canon canon, struct dkim_body_wishes *s,
    struct dkim_digest *digest)
{
	size_t i;

	*f = (struct form){ .wishes = s, .digest = digest };
	f->body.canon = canon;
	dkim_sink_init(&f->body.sink, add_to_digests, f);
	for (i = 0; i < s->n; i++)
		f->wanted = f->wanted || s->w[i].canon == canon;
}

int
dkim_body_hash(struct dkim_body_wishes *s, struct bytes body)
{
	struct dkim_digest digest[DKIM_SIGNATURES_MAX];
	struct form form[2];
	struct dkim_body_wish *w;
	int result = 0;
	size_t i;

	if (s->n == 0)
		return 0;
	form_init(&form[DKIM_SIMPLE], DKIM_SIMPLE, s, digest);
	form_init(&form[DKIM_RELAXED], DKIM_RELAXED, s, digest);
	for (i = 0; i < s->n; i++)
		dkim_digest_init(&digest[i]);
	for (i = 0; i < 2; i++) {
		if (form[i].wanted)
			dkim_body_add(&form[i].body, body);
		dkim_body_end(&form[i].body);
	}
	for (i = 0; i < s->n; i++) {
		w = &s->w[i];
		w->is_short = w->has_length && w->length > form[w->canon].seen;
		if (dkim_digest_end(&digest[i], w->hash) == -1)
			result = -1;
	}
	if (result == -1)
		errno = EIO;
	return result;
}
