#include "dkim/internal.h"

#include <errno.h>

#include "unicode/unicode.h"

/*
 * RFC 6376 2.8, 3.2: a value is VALCHARs and FWS. Bytes from 0x80 are allowed
 * as well (RFC 8616). A line end must be followed by WSP, or be the last: that
 * of the field.
 */
static bool
value_ok(struct bytes s)
{
	size_t i;
	int c;

	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (c == '\r' && bytes_at(s, i + 1) == '\n')
			continue;
		if (c == '\n') {
			if (i + 1 < s.n && !ascii_is_wsp(s.p[i + 1]))
				return false;
			continue;
		}
		if (ascii_is_ctl(c) && c != '\t')
			return false;
	}
	return true;
}

/*
 * tag-name = ALPHA *( ALPHA / DIGIT / "_" ), and "-" too: records with x-...
 * tags exist, and what is not known is to be ignored.
 */
static bool
name_ok(struct bytes s)
{
	size_t i;

	if (!ascii_is_alpha(bytes_at(s, 0)))
		return false;
	for (i = 1; i < s.n; i++) {
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-')
			return false;
	}
	return true;
}

static int
bad(const char **why, int err, const char *text)
{
	*why = text;
	errno = err;
	return -1;
}

static int
add_tag(struct dkim_tags *out, struct bytes spec, const char **why)
{
	struct dkim_tag t;
	size_t i;

	if (!value_ok(spec))
		return bad(why, EBADMSG, "control character in a tag");
	if (!bytes_split(&spec, '=', &t.name))
		return bad(why, EBADMSG, "tag without =");
	t.name = bytes_trim(t.name);
	t.value = bytes_trim(spec);
	if (!name_ok(t.name))
		return bad(why, EBADMSG, "bad tag name");
	for (i = 0; i < out->n; i++) {
		if (bytes_eq(out->tag[i].name, t.name))
			return bad(why, EBADMSG, "tag stands twice");
	}
	if (out->n == DKIM_TAGS_MAX)
		return bad(why, EMSGSIZE, "too many tags");
	out->tag[out->n++] = t;
	return 0;
}

int
dkim_tags_parse(struct bytes s, struct dkim_tags *out, const char **why)
{
	struct bytes spec;
	bool more = true;

	out->n = 0;
	while (more) {
		more = bytes_split(&s, ';', &spec);
		/* One ";" may end the list; nothing may stand after it. */
		if (!more && out->n > 0 && bytes_trim(spec).n == 0)
			break;
		if (add_tag(out, spec, why) == -1)
			return -1;
	}
	return 0;
}

bool
dkim_tags_find(const struct dkim_tags *t, const char *name,
    struct bytes *value)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (bytes_eq(t->tag[i].name, bytes_str(name))) {
			*value = t->tag[i].value;
			return true;
		}
	}
	return false;
}

/* ---- names ---- */

/* Labels of 1 to 63 letters, digits, "-", "_": what can be asked for. */
static bool
labels_ok(struct bytes s)
{
	struct bytes label;
	bool more = true;
	size_t i;

	if (s.n > IDNA_DOMAIN_MAX)
		return false;
	while (more) {
		more = bytes_split(&s, '.', &label);
		if (label.n == 0 || label.n > IDNA_LABEL_MAX)
			return false;
		for (i = 0; i < label.n; i++) {
			if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-' &&
			    label.p[i] != '_')
				return false;
		}
	}
	return true;
}

int
dkim_name_parse(struct arena *a, struct bytes s, struct bytes *out)
{
	const char *why;

	if (bytes_is_ascii(s))
		s = arena_lower(a, s);
	else if (idna_to_ascii(a, s, &s, &why) == -1)
		return -1;
	if (!labels_ok(s)) {
		errno = EBADMSG;
		return -1;
	}
	*out = s;
	return 0;
}

bool
dkim_name_within(struct bytes name, struct bytes parent)
{
	if (!bytes_ends(name, parent))
		return false;
	return name.n == parent.n || name.p[name.n - parent.n - 1] == '.';
}
