/*
 * urlfetch.c - URLFETCH (RFC 4467), also of parts without their transfer
 * encoding and of their structure (RFC 5524)
 *
 * A URL is answered on a line of its own. Its data comes last on it, so that
 * it can be streamed when all else is said. What another account has is in
 * a file, whole, before the line begins.
 */
#include "imap/url.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

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

	*f = (struct url_fetch){ .answer = BYTES_EMPTY,
	    .urls = arena_zalloc(&im->arena,
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

/* ---- what there is ---- */

/* The data of BINARY; NIL if there is no such thing. */
static int
find_binary(struct imap *im, const struct fetch_item *item,
    struct url_found *out)
{
	bool has_nul = false;
	int r = 1;	/* a header has no encoding: as it is */

	if (item->what == SECTION_TEXT)
		r = 0;	/* no part that could be decoded */
	else if (item->what == SECTION_ALL)
		r = binary_stream(im, &im->message, item, &out->stream,
		    &has_nul);
	out->data = r != 1 ? IMAP_DATA_NIL : has_nul ? IMAP_DATA_BINARY
	    : IMAP_DATA_TEXT;
	return 1;
}

static int
find_structure(struct imap *im, const struct fetch_item *item, bool decoded,
    struct bytes *out)
{
	struct buf b = BUF_INIT(OUT_MAX);
	int r = 1;

	if (binary_structure(im, &im->message, item, decoded, &b) == -1)
		r = errno == ENOMSG || errno == ENOENT ? 0 : -1;
	else
		*out = arena_bytes(&im->arena, buf_bytes(&b));
	buf_free(&b);
	return r;
}

int
url_find(struct imap *im, const struct imap_url *u,
    const struct url_wanted *w, struct url_found *out)
{
	struct fetch_item item;
	int r;

	*out = (struct url_found){ .structure = BYTES_EMPTY };
	/* The section is looked for in any case. */
	if ((r = url_item(im, u, &im->message, &item)) == 1)
		r = url_stream(im, &im->message, &item, &out->stream);
	if (r == 1 && w->structure)
		r = find_structure(im, &item, w->binary, &out->structure);
	if (r != 1)
		return r;
	if (w->binary)
		return find_binary(im, &item, out);
	if (w->body || !w->structure)
		out->data = IMAP_DATA_TEXT;
	return 1;
}

/* ---- saying it ---- */

static void
end_url(struct imap *im)
{
	struct url_fetch *f = &im->url_fetch;
	const struct url_wanted *w = &f->urls[f->at];

	buf_adds(&im->out, f->streaming && (w->binary || w->body) ? ")\r\n"
	    : "\r\n");
	f->streaming = false;
	f->at++;
	if (f->answer.n > 0)
		(void)munmap((void *)(uintptr_t)f->answer.p, f->answer.n);
		/* our own map */
	f->answer = BYTES_EMPTY;
}

static void
say_found(struct imap *im, const struct url_found *found)
{
	struct url_fetch *f = &im->url_fetch;
	const struct url_wanted *w = &f->urls[f->at];

	buf_adds(&im->out, "* URLFETCH ");
	imap_add_astring(&im->out, w->url);
	if (w->structure) {
		buf_adds(&im->out, " (BODYPARTSTRUCTURE (");
		buf_add(&im->out, found->structure);
		buf_adds(&im->out, "))");
	}
	f->streaming = found->data == IMAP_DATA_TEXT ||
	    found->data == IMAP_DATA_BINARY;
	f->stream = found->stream;
	if (f->streaming)
		buf_printf(&im->out, "%s%s{%llu}\r\n", w->binary
		    ? " (BINARY " : w->body ? " (BODY " : " ",
		    found->data == IMAP_DATA_BINARY ? "~" : "",
		    (unsigned long long)f->stream.left);
	else if (found->data == IMAP_DATA_NIL)
		buf_adds(&im->out, " (BINARY NIL)");
	if (!f->streaming)
		end_url(im);
}

static void
say_nothing(struct imap *im)
{
	buf_adds(&im->out, "* URLFETCH ");
	imap_add_astring(&im->out, im->url_fetch.urls[im->url_fetch.at].url);
	buf_adds(&im->out, " NIL");
	end_url(im);
}

static void
begin_url(struct imap *im)
{
	struct url_fetch *f = &im->url_fetch;
	const struct url_wanted *w = &f->urls[f->at];
	struct url_found found;
	struct imap_url u;
	int r = url_parse(&im->arena, w->url, &u) == 0 &&
	    url_in_force(im, &u, im->o.account);

	if (r == 1 && !url_is_of(im, u.user, im->o.account)) {
		f->asking = im->o.asks && im->asked < IMAP_ASKS_MAX;
		f->user = u.user;
		im->asked += f->asking ? 1 : 0;
		if (f->asking)
			return;
		r = 0;
	}
	if (r == 1)
		r = url_authorized(im, &u, im->o.account);
	if (r == 1)
		r = url_find(im, &u, w, &found);
	if (r == 1)
		say_found(im, &found);
	else
		say_nothing(im);
}

void
url_fetch_step(struct imap *im)
{
	struct url_fetch *f = &im->url_fetch;

	while (f->at < f->n && im->out.n < OUT_SOFT && !f->asking) {
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

void
url_fetch_drop(struct imap *im)
{
	struct bytes s = im->url_fetch.answer;

	if (s.n > 0)
		(void)munmap((void *)(uintptr_t)s.p, s.n);  /* our own map */
}

/* ---- of other accounts ---- */

void
imap_asked(const struct imap *im, struct imap_ask *out)
{
	const struct url_fetch *f = &im->url_fetch;
	const struct url_wanted *w = &f->urls[f->at];

	*out = (struct imap_ask){ .account = bytes_str(im->o.account),
	    .user = f->user, .url = w->url, .seal = BYTES_EMPTY,
	    .session = BYTES_EMPTY, .remote_ip = BYTES_EMPTY,
	    .want = (w->structure ? IMAP_ASK_STRUCTURE : 0) |
	    (w->binary ? IMAP_ASK_BINARY : 0) |
	    (w->body ? IMAP_ASK_BODY : 0) };
}

/* Whether the answer is one to that. */
static bool
is_answer_to(const struct imap_answer *a, const struct url_wanted *w)
{
	if ((a->structure_bytes > 0) != w->structure)
		return false;
	if (w->binary)
		return a->data != IMAP_DATA_NONE;
	return a->data == (w->body || !w->structure ? IMAP_DATA_TEXT
	    : IMAP_DATA_NONE);
}

/* False: it cannot be. */
static bool
map_answer(struct url_fetch *f, const struct imap_answer *a, int file)
{
	size_t n = (size_t)a->data_bytes + a->structure_bytes;
	void *map;

	if (n == 0)
		return true;
	map = mmap(NULL, n, PROT_READ, MAP_SHARED, file, 0);
	if (map != MAP_FAILED)
		f->answer = bytes_of(map, n);
	return map != MAP_FAILED;
}

void
imap_answered(struct imap *im, const struct imap_answer *a, int file)
{
	struct url_fetch *f = &im->url_fetch;
	struct url_found found = { .structure = BYTES_EMPTY };

	f->asking = false;
	if (a != NULL && a->found && is_answer_to(a, &f->urls[f->at]) &&
	    map_answer(f, a, file)) {
		found.structure = bytes_first(f->answer, a->structure_bytes);
		found.data = a->data;
		stream_init(&found.stream, bytes_from(f->answer,
		    a->structure_bytes), 0, a->data_bytes);
		found.stream.raw = true;
		say_found(im, &found);
	} else {
		say_nothing(im);
	}
	if (file != -1)
		(void)close(file);	/* it is mapped */
}
