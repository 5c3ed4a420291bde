#include "account/account.h"
#include "mime/mime.h"
#include "unicode/unicode.h"

#include <errno.h>
#include <stdlib.h>

#define FLAG_NAMES_MAX 100	/* in one operand */

/* ---- flags ---- */

int
account_flags(struct arena *a, struct bytes text, uint32_t *flags,
    struct bytes **names, size_t *count)
{
	struct bytes *list = arena_zalloc(a, FLAG_NAMES_MAX, sizeof(*list));
	struct bytes word, system;
	uint32_t set = 0, flag;
	size_t n = 0;
	bool more = text.n > 0;

	while (more) {
		more = bytes_split(&text, ',', &word);
		system = bytes_str(arena_printf(a, "\\%.*s",
		    BYTES_ARG(word)));
		flag = store_flag_find(word);
		if (flag == 0)
			flag = store_flag_find(system);
		set |= flag;
		if (flag != 0)
			continue;
		if (word.n == 0 || n == FLAG_NAMES_MAX) {
			errno = EBADMSG;
			return -1;
		}
		list[n++] = word;
	}
	*flags = set;
	*names = list;
	*count = n;
	return 0;
}

int
account_format_flags(struct buf *out, struct store_view *v,
    const struct store_message *m)
{
	struct bytes name;
	bool first = true;
	unsigned int i;
	uint32_t flag;
	int r;

	for (flag = 1; flag <= STORE_FLAGS_ALL; flag <<= 1) {
		if ((m->flags & flag) == 0)
			continue;
		(void)buf_printf(out, "%s%s", first ? "" : ",",
		    store_flag_name(flag));	/* full tells */
		first = false;
	}
	for (i = 0; i < STORE_KEYWORDS_MAX; i++) {
		if (!store_keyword_has(&m->keywords, i))
			continue;
		if ((r = store_keyword_name(v, m->mailbox, i, &name)) == -1)
			return -1;
		if (r == 0)
			continue;
		(void)buf_printf(out, "%s%.*s", first ? "" : ",",
		    BYTES_ARG(name));	/* full tells */
		first = false;
	}
	return 0;
}

/* ---- a cached ENVELOPE: nstrings, lists (RFC 9051 9) ---- */

static void
skip_blanks(struct bytes *s)
{
	while (bytes_at(*s, 0) == ' ')
		(void)bytes_next(s);
}

static struct bytes
quoted(struct arena *a, struct bytes *s)
{
	struct buf b = BUF_INIT(MIME_VALUE_MAX);
	struct bytes r;
	int c;

	while ((c = bytes_next(s)) != -1 && c != '"') {
		if (c == '\\')
			c = bytes_next(s);
		if (c != -1)
			(void)buf_addc(&b, c);	/* the rest is cut off */
	}
	r = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return r;
}

/* Take a string or NIL; anything else gives nothing and takes nothing. */
static struct bytes
next_string(struct arena *a, struct bytes *s)
{
	struct bytes line, text;
	uint64_t n;

	skip_blanks(s);
	if (bytes_caseskip(s, BYTES("NIL")))
		return BYTES_EMPTY;
	if (bytes_skip(s, BYTES("\"")))
		return quoted(a, s);
	if (bytes_skip(s, BYTES("{")) && bytes_line(s, &line) &&
	    bytes_ends(line, BYTES("}")) &&
	    num_parse(bytes_first(line, line.n - 1), 0, s->n, &n) == 0 &&
	    bytes_cut(s, (size_t)n, &text))
		return arena_bytes(a, text);
	return BYTES_EMPTY;
}

void
account_envelope(struct arena *a, struct bytes envelope, struct bytes *from,
    struct bytes *subject)
{
	struct bytes s = envelope, name, local, domain;

	*from = BYTES_EMPTY;
	(void)next_string(a, &s);	/* the date */
	*subject = mime_decode_words(a, next_string(a, &s));
	skip_blanks(&s);
	if (!bytes_skip(&s, BYTES("((")))
		return;
	name = mime_decode_words(a, next_string(a, &s));
	(void)next_string(a, &s);	/* the route */
	local = next_string(a, &s);
	domain = next_string(a, &s);
	*from = bytes_str(name.n > 0
	    ? arena_printf(a, "%.*s <%.*s@%.*s>", BYTES_ARG(name),
	    BYTES_ARG(local), BYTES_ARG(domain))
	    : arena_printf(a, "%.*s@%.*s", BYTES_ARG(local),
	    BYTES_ARG(domain)));
}

/* ---- formats ---- */

int
account_format_time(struct buf *out, int64_t seconds)
{
	struct date d = date_from_unix(seconds);

	return buf_printf(out, "%04lld-%02d-%02dT%02d:%02d:%02dZ",
	    (long long)d.year, d.month, d.day, d.hour, d.min, d.sec);
}
