/*
 * urlfetch.c - URLFETCH (RFC 4467), also of parts without their transfer
 * encoding and of their structure (RFC 5524)
 *
 * A URL is answered on a line of its own. Its data comes last on it, so that
 * it can be streamed when all else is said.
 */
#include "imap/url.h"

#include <errno.h>

/* ---- the command ---- */

/* "(url BINARY BODYPARTSTRUCTURE)": each once, and not BINARY with BODY
 * (RFC 5524 3.1). */
static bool
parse_wanted(struct imap *im, struct parser *p, struct url_wanted *w)
{
	struct bytes name;
	bool *what;

	if ((im->off & CAP_BIT(CAP_URLAUTH_BINARY)) != 0 ||
	    !parse_optional(p, '('))
		return parse_astring(p, &w->url);
	if (!parse_astring(p, &w->url))
		return false;
	while (!parse_optional(p, ')')) {
		if (!parse_space(p) || !parse_atom(p, &name))
			return false;
		what = bytes_caseeq(name, BYTES("BODYPARTSTRUCTURE"))
		    ? &w->structure : bytes_caseeq(name, BYTES("BINARY"))
		    ? &w->binary : bytes_caseeq(name, BYTES("BODY"))
		    ? &w->body : NULL;
		if (what == NULL)
			return parse_fail(p, "unknown parameter of a URL");
		if (*what)
			return parse_fail(p, "parameter given twice");
		*what = true;
	}
	if (w->binary && w->body)
		return parse_fail(p, "BINARY and BODY of one URL");
	return true;
}

void
command_urlfetch(struct imap *im, struct parser *p)
{
	struct url_fetch *f = &im->url_fetch;
	struct url_wanted w;

	*f = (struct url_fetch){ .urls = arena_zalloc(&im->arena,
	    IMAP_URLS_MAX, sizeof(*f->urls)) };
	do {
		w = (struct url_wanted){ .url = BYTES_EMPTY };
		if (!parse_space(p) || !parse_wanted(im, p, &w))
			return;
		if (f->n == IMAP_URLS_MAX) {
			(void)parse_fail(p, "too many URLs");
			return;
		}
		/* It goes on when the command's bytes are gone. */
		w.url = arena_bytes(&im->arena, w.url);
		f->urls[f->n++] = w;
	} while (p->s.n > 0);
	im->mode = MODE_URLFETCH;
}

/* ---- answers ---- */

/* The data of BINARY; NIL if there is no such thing. */
static void
begin_binary(struct imap *im, const struct fetch_item *item)
{
	struct url_fetch *f = &im->url_fetch;
	bool has_nul = false;
	int r = 1;	/* a header has no encoding: as it is */

	if (item->what == SECTION_TEXT)
		r = 0;	/* no part that could be decoded */
	else if (item->what == SECTION_ALL)
		r = binary_stream(im, &im->message, item, &f->stream,
		    &has_nul);
	buf_adds(&im->out, " (BINARY ");
	f->streaming = r == 1;
	if (r == 1)
		buf_printf(&im->out, "%s{%llu}\r\n", has_nul ? "~" : "",
		    (unsigned long long)f->stream.left);
	else
		buf_adds(&im->out, "NIL)");
}

static void
begin_body(struct imap *im, bool named)
{
	struct url_fetch *f = &im->url_fetch;

	buf_printf(&im->out, "%s{%llu}\r\n", named ? " (BODY " : " ",
	    (unsigned long long)f->stream.left);
	f->streaming = true;
}

/* What was asked for of an authorized URL. 1, 0 there is nothing, -1. */
static int
answer_url(struct imap *im, const struct imap_url *u,
    const struct url_wanted *w)
{
	struct url_fetch *f = &im->url_fetch;
	struct fetch_item item;
	struct buf structure = BUF_INIT(OUT_MAX);
	int r;

	/* The section is looked for in any case. */
	if ((r = url_item(im, u, &im->message, &item)) != 1 ||
	    (r = url_stream(im, &im->message, &item, &f->stream)) != 1)
		return r;
	if (w->structure && binary_structure(im, &im->message, &item,
	    w->binary, &structure) == -1) {
		buf_free(&structure);
		return errno == ENOMSG || errno == ENOENT ? 0 : -1;
	}
	imap_add_astring(&im->out, w->url);
	if (w->structure) {
		buf_adds(&im->out, " (BODYPARTSTRUCTURE (");
		buf_add(&im->out, buf_bytes(&structure));
		buf_adds(&im->out, "))");
	}
	if (w->binary)
		begin_binary(im, &item);
	else if (w->body || !w->structure)
		begin_body(im, w->body);
	buf_free(&structure);
	return 1;
}

static void
end_url(struct imap *im)
{
	struct url_fetch *f = &im->url_fetch;
	const struct url_wanted *w = &f->urls[f->at];

	buf_adds(&im->out, f->streaming && (w->binary || w->body) ? ")\r\n"
	    : "\r\n");
	f->streaming = false;
	f->at++;
}

static void
begin_url(struct imap *im)
{
	struct url_fetch *f = &im->url_fetch;
	const struct url_wanted *w = &f->urls[f->at];
	struct imap_url u;
	int r = url_parse(&im->arena, w->url, &u) == -1 ? 0
	    : url_authorized(im, &u);

	buf_adds(&im->out, "* URLFETCH ");
	if (r == 1)
		r = answer_url(im, &u, w);
	if (r != 1) {
		imap_add_astring(&im->out, w->url);
		buf_adds(&im->out, " NIL");
	}
	if (!f->streaming)
		end_url(im);
}

void
url_fetch_step(struct imap *im)
{
	struct url_fetch *f = &im->url_fetch;

	while (f->at < f->n && im->out.n < OUT_SOFT) {
		if (!f->streaming) {
			begin_url(im);
			continue;
		}
		if (!stream_add(&f->stream, &im->out, OUT_SOFT))
			return;
		end_url(im);
	}
	if (f->at < f->n)
		return;
	message_reset(&im->message);
	im->mode = MODE_COMMAND;
	reply_done(im);
	arena_reset(&im->arena);
}
