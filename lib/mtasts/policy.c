/*
 * policy.c - the text of a policy (RFC 8461 3.2) and its patterns (4.1)
 *
 * Read as strictly as the ABNF, with one exception: empty lines are passed
 * over. Calling such a policy invalid would leave the domain without one.
 */
#include "mtasts/internal.h"

#include <errno.h>

#include "unicode/unicode.h"

#define AGE_DIGITS_MAX 10	/* ABNF sts-policy-max-age */
#define LABEL_MAX 63
#define NAME_MAX_TEXT 253
#define LINES_MAX 2000		/* twice the patterns; a policy has five;
				 * also the final, empty one counts */

static const char *const mode_names[] = { "none", "testing", "enforce" };

const char *
mtasts_mode_name(enum mtasts_mode m)
{
	return mode_names[m];
}

static int
bad(const char **why, const char *text)
{
	*why = text;
	errno = EBADMSG;
	return -1;
}

static int
too_many(const char **why, const char *text)
{
	*why = text;
	errno = EMSGSIZE;
	return -1;
}

/* ---- values ---- */

static bool
is_label(struct bytes s)
{
	size_t i;

	if (s.n == 0 || s.n > LABEL_MAX || s.p[0] == '-' ||
	    s.p[s.n - 1] == '-')
		return false;
	for (i = 0; i < s.n; i++) {
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	}
	return true;
}

/* ["*."] Domain of RFC 5321 4.1.2, so in A-labels. */
static bool
is_pattern(struct bytes s)
{
	struct bytes label;
	bool more = true;

	if (s.n > NAME_MAX_TEXT)
		return false;
	(void)bytes_skip(&s, BYTES("*."));	/* may be there */
	while (more) {
		more = bytes_split(&s, '.', &label);
		if (!is_label(label))
			return false;
	}
	return true;
}

/* sts-policy-ext-value, where UTF-8 may stand. */
static bool
is_value(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (ascii_is_ctl(s.p[i]) && s.p[i] != '\t')
			return false;
	}
	return s.n > 0 && unicode_valid_utf8(s);
}

struct parser {
	struct arena *arena;
	const char **why;
	struct mtasts_policy p;
	struct bytes *mx;
	struct mtasts_field *fields;
	bool has_version, has_mode, has_age;
};

static int
take_version(struct parser *r, struct bytes value)
{
	if (r->has_version)
		return 0;
	if (!bytes_eq(value, BYTES("STSv1")))
		return bad(r->why, "the version is not STSv1");
	r->has_version = true;
	return 0;
}

static int
take_mode(struct parser *r, struct bytes value)
{
	int i;

	if (r->has_mode)
		return 0;
	for (i = MTASTS_NONE; i <= MTASTS_ENFORCE; i++) {
		if (bytes_eq(value, bytes_str(mode_names[i]))) {
			r->p.mode = (enum mtasts_mode)i;
			r->has_mode = true;
			return 0;
		}
	}
	return bad(r->why, "the mode is not one of enforce, testing, none");
}

static int
take_age(struct parser *r, struct bytes value)
{
	uint64_t v;

	if (r->has_age)
		return 0;
	if (value.n > AGE_DIGITS_MAX ||
	    num_parse(value, 0, UINT64_MAX, &v) == -1)
		return bad(r->why, "max_age is not 1 to 10 digits");
	r->p.max_age_seconds = v > MTASTS_AGE_MAX ? MTASTS_AGE_MAX
	    : (uint32_t)v;
	r->has_age = true;
	return 0;
}

static int
take_mx(struct parser *r, struct bytes value)
{
	if (!is_pattern(value))
		return bad(r->why, "an mx is not a host name or \"*.\" and "
		    "one");
	if (r->p.nmx == MTASTS_MX_MAX)
		return too_many(r->why, "there are more than 1000 mx");
	r->mx[r->p.nmx++] = arena_lower(r->arena, value);
	return 0;
}

static int
take_field(struct parser *r, struct bytes name, struct bytes value)
{
	if (!mtasts_is_field_name(name))
		return bad(r->why, "the name of a field is malformed");
	if (!is_value(value))
		return bad(r->why, "the value of a field is malformed");
	r->fields[r->p.nfields++] = mtasts_field_copy(r->arena, name, value);
	return 0;
}

static int
take_line(struct parser *r, struct bytes line)
{
	struct bytes value = line, name;

	if (!bytes_split(&value, ':', &name))
		return bad(r->why, "a line has no \":\"");
	value = bytes_trim(value);
	if (bytes_eq(name, BYTES("version")))
		return take_version(r, value);
	if (bytes_eq(name, BYTES("mode")))
		return take_mode(r, value);
	if (bytes_eq(name, BYTES("max_age")))
		return take_age(r, value);
	if (bytes_eq(name, BYTES("mx")))
		return take_mx(r, value);
	return take_field(r, name, value);
}

static int
check_whole(const struct parser *r)
{
	if (!r->has_version)
		return bad(r->why, "there is no version");
	if (!r->has_mode)
		return bad(r->why, "there is no mode");
	if (!r->has_age)
		return bad(r->why, "there is no max_age");
	if (r->p.nmx == 0 && r->p.mode != MTASTS_NONE)
		return bad(r->why, "there is no mx");
	return 0;
}

static size_t
count_lines(struct bytes text)
{
	size_t i, n = 1;

	for (i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

int
mtasts_policy_read(struct bytes text, struct arena *a,
    struct mtasts_policy *out, const char **why)
{
	struct parser r = { .arena = a, .why = why };
	size_t lines = count_lines(text);
	struct bytes line;

	if (lines > LINES_MAX)
		return too_many(why, "there are more than 2000 lines");
	r.mx = arena_zalloc(a, lines, sizeof(*r.mx));
	r.fields = arena_zalloc(a, lines, sizeof(*r.fields));
	while (bytes_line(&text, &line)) {
		line = bytes_rtrim(line);
		if (line.n > 0 && take_line(&r, line) == -1)
			return -1;
	}
	if (check_whole(&r) == -1)
		return -1;
	r.p.mx = r.mx;
	r.p.fields = r.fields;
	*out = r.p;
	return 0;
}

int
mtasts_policy_parse(struct bytes text, struct arena *a,
    struct mtasts_policy *out, const char **why)
{
	if (text.n > MTASTS_POLICY_MAX)
		return too_many(why, "it is larger than 64 KiB");
	return mtasts_policy_read(text, a, out, why);
}

int
mtasts_policy_format(const struct mtasts_policy *p, struct buf *out)
{
	size_t i;

	if (buf_printf(out, "version: STSv1\r\nmode: %s\r\n",
	    mode_names[p->mode]) == -1)
		return -1;
	for (i = 0; i < p->nmx; i++) {
		if (buf_printf(out, "mx: %.*s\r\n",
		    BYTES_ARG(p->mx[i])) == -1)
			return -1;
	}
	if (buf_printf(out, "max_age: %u\r\n", p->max_age_seconds) == -1)
		return -1;
	for (i = 0; i < p->nfields; i++) {
		if (buf_printf(out, "%.*s: %.*s\r\n",
		    BYTES_ARG(p->fields[i].name),
		    BYTES_ARG(p->fields[i].value)) == -1)
			return -1;
	}
	return 0;
}

/* ---- matching ---- */

static bool
match_ascii(struct bytes pattern, struct bytes host)
{
	struct bytes label;

	if (host.n > 0 && host.p[host.n - 1] == '.')
		host = bytes_first(host, host.n - 1);
	if (!bytes_skip(&pattern, BYTES("*.")))
		return host.n > 0 && bytes_caseeq(pattern, host);
	return bytes_split(&host, '.', &label) && label.n > 0 &&
	    host.n > 0 && bytes_caseeq(pattern, host);
}

bool
mtasts_pattern_match(struct bytes pattern, struct bytes host)
{
	struct arena a = ARENA_INIT;
	struct bytes ascii = host;
	bool r;

	r = (bytes_is_ascii(host) ||
	    idna_to_ascii(&a, host, &ascii, NULL) == 0) &&
	    match_ascii(pattern, ascii);
	arena_free(&a);
	return r;
}

bool
mtasts_policy_match(const struct mtasts_policy *p, struct bytes host)
{
	size_t i;

	for (i = 0; i < p->nmx; i++) {
		if (mtasts_pattern_match(p->mx[i], host))
			return true;
	}
	return false;
}
