/*
 * urlanswer.c - URLs of an account for sessions of others (RFC 4467)
 *
 * The one who asks learns what the URL gives, or that it gives nothing: a
 * mailbox that is not there, a wrong token and a message that went are the
 * same to it.
 */
#include "imap/url.h"

#include <errno.h>

struct answering {
	struct imap *im;
	int (*write)(void *ctx, struct bytes s);
	void *ctx;
};

/* Whether the URL is good for who asks, and what it gives. */
static bool
look_up(struct imap *im, const struct imap_ask *q, struct url_found *out)
{
	struct url_wanted w = { .url = q->url,
	    .structure = (q->want & IMAP_ASK_STRUCTURE) != 0,
	    .binary = (q->want & IMAP_ASK_BINARY) != 0,
	    .body = (q->want & IMAP_ASK_BODY) != 0 };
	struct imap_url u;

	/* This store was chosen by q->user. */
	return url_parse(&im->arena, q->url, &u) == 0 &&
	    bytes_eq(u.user, q->user) &&
	    url_authorized(im, &u, arena_str(&im->arena, q->account)) == 1 &&
	    url_find(im, &u, &w, out) == 1 &&
	    out->structure.n <= IMAP_ANSWER_STRUCTURE_MAX &&
	    (out->data < IMAP_DATA_TEXT ||
	    out->stream.left <= im->o.append_max);
}

static int
write_out(const struct answering *x)
{
	int r = x->write(x->ctx, buf_bytes(&x->im->out));

	buf_reset(&x->im->out);
	return r;
}

static int
write_found(const struct answering *x, struct url_found *found)
{
	bool has_data = found->data >= IMAP_DATA_TEXT, ended;
	struct imap_answer a = { .found = true, .data = found->data,
	    .structure_bytes = (uint32_t)found->structure.n,
	    .data_bytes = has_data ? found->stream.left : 0 };
	unsigned char head[IMAP_ANSWER_HEAD];

	imap_answer_format(&a, head);
	buf_add(&x->im->out, bytes_of(head, sizeof(head)));
	buf_add(&x->im->out, found->structure);
	do {
		ended = !has_data || stream_add(&found->stream, &x->im->out,
		    x->im->out.n + OUT_SOFT);
		if (write_out(x) == -1)
			return -1;
	} while (!ended);
	return 1;
}

int
imap_answer(const struct imap_options *o, const struct imap_ask *q,
    int (*write)(void *ctx, struct bytes s), void *ctx)
{
	struct answering x = { session_new(o), write, ctx };
	struct imap_answer no = { .found = false };
	unsigned char head[IMAP_ANSWER_HEAD];
	struct url_found found;
	int r, saved;

	if (look_up(x.im, q, &found)) {
		r = write_found(&x, &found);
	} else {
		imap_answer_format(&no, head);
		r = write(ctx, bytes_of(head, sizeof(head)));
	}
	saved = errno;
	imap_free(x.im);
	errno = saved;
	return r;
}
