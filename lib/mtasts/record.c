/* record.c - the TXT record of _mta-sts.DOMAIN (RFC 8461 3.1) */
#include "mtasts/internal.h"

#include <errno.h>

#define VERSION_FIELD "v=STSv1"

static int
bad(const char **why, const char *text)
{
	*why = text;
	errno = EBADMSG;
	return -1;
}

const char *
mtasts_txt_name(enum mtasts_txt t)
{
	static const char *const names[] = {
		"found", "none", "invalid", "temperror",
	};

	return names[t];
}

bool
mtasts_is_field_name(struct bytes s)
{
	size_t i;

	if (s.n == 0 || s.n > MTASTS_FIELD_NAME_MAX ||
	    !ascii_is_alnum(s.p[0]))
		return false;
	for (i = 1; i < s.n; i++) {
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '_' &&
		    s.p[i] != '-' && s.p[i] != '.')
			return false;
	}
	return true;
}

struct mtasts_field
mtasts_field_copy(struct arena *a, struct bytes name, struct bytes value)
{
	return (struct mtasts_field){ arena_bytes(a, name),
	    arena_bytes(a, value) };
}

/* sts-ext-value; it also keeps a record a line of printable text. */
static bool
is_value(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '=' ||
		    s.p[i] == ';')
			return false;
	}
	return s.n > 0;
}

static bool
is_id(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (!ascii_is_alnum(s.p[i]))
			return false;
	}
	return s.n > 0 && s.n <= MTASTS_ID_MAX;
}

static struct bytes
trim_wsp(struct bytes s)
{
	while (s.n > 0 && ascii_is_wsp(s.p[0]))
		s = bytes_from(s, 1);
	while (s.n > 0 && ascii_is_wsp(s.p[s.n - 1]))
		s = bytes_first(s, s.n - 1);
	return s;
}

/* Behind the version: a delimiter, or something that is no STS record. */
static bool
skip_version(struct bytes *s)
{
	struct bytes rest = *s;

	if (!bytes_skip(&rest, BYTES(VERSION_FIELD)))
		return false;
	while (rest.n > 0 && ascii_is_wsp(rest.p[0]))
		rest = bytes_from(rest, 1);
	if (rest.n == 0 || rest.p[0] != ';')
		return false;
	*s = bytes_from(rest, 1);
	return true;
}

static int
parse_field(struct bytes field, struct mtasts_record *r,
    struct mtasts_field *fields, const char **why)
{
	struct bytes value = field, name;

	if (!bytes_split(&value, '=', &name))
		return bad(why, "a field has no \"=\"");
	if (bytes_eq(name, BYTES("id"))) {
		if (r->id.n > 0)
			return bad(why, "there are two ids");
		if (!is_id(value))
			return bad(why,
			    "the id is not 1 to 32 letters and digits");
		r->id = value;
		return 0;
	}
	if (!mtasts_is_field_name(name))
		return bad(why, "the name of a field is malformed");
	if (!is_value(value))
		return bad(why, "the value of a field is malformed");
	fields[r->nfields++] = (struct mtasts_field){ name, value };
	return 0;
}

int
mtasts_record_parse(struct bytes text, struct arena *a,
    struct mtasts_record *out, const char **why)
{
	struct mtasts_record r = { .id = BYTES_EMPTY };
	struct mtasts_field *fields;
	struct bytes field;
	size_t i, n = 1;
	bool more = true;

	*why = "it does not begin with \"v=STSv1;\"";
	if (!skip_version(&text)) {
		errno = ENOENT;
		return -1;
	}
	for (i = 0; i < text.n; i++)
		n += text.p[i] == ';';
	fields = arena_zalloc(a, n, sizeof(*fields));
	while (more) {
		more = bytes_split(&text, ';', &field);
		field = trim_wsp(field);
		if (!more && field.n == 0)
			break;		/* a final delimiter is allowed */
		if (parse_field(field, &r, fields, why) == -1)
			return -1;
	}
	if (r.id.n == 0)
		return bad(why, "there is no id");
	r.fields = fields;
	*out = r;
	return 0;
}

int
mtasts_record_format(const struct mtasts_record *r, struct buf *out)
{
	size_t i;

	if (buf_printf(out, VERSION_FIELD "; id=%.*s;",
	    BYTES_ARG(r->id)) == -1)
		return -1;
	for (i = 0; i < r->nfields; i++) {
		if (buf_printf(out, " %.*s=%.*s;",
		    BYTES_ARG(r->fields[i].name),
		    BYTES_ARG(r->fields[i].value)) == -1)
			return -1;
	}
	return 0;
}

/* ---- among the records of a name ---- */

enum mtasts_txt
mtasts_record_choose(const struct dns_answer *answer, struct arena *a,
    struct mtasts_record *out, const char **why)
{
	const struct dns_record *found = NULL;
	struct bytes text;
	size_t i;

	if (answer->status == DNS_TEMP || answer->status == DNS_BAD) {
		*why = dns_describe(answer, a);
		return MTASTS_TXT_TEMP;
	}
	*why = "there is no MTA-STS record";
	for (i = 0; i < answer->nrecords; i++) {
		text = answer->records[i].data;
		if (!skip_version(&text))
			continue;
		if (found != NULL) {
			*why = "there are several MTA-STS records";
			return MTASTS_TXT_NONE;
		}
		found = &answer->records[i];
	}
	if (found == NULL)
		return MTASTS_TXT_NONE;
	if (mtasts_record_parse(found->data, a, out, why) == -1)
		return MTASTS_TXT_INVALID;
	return MTASTS_TXT_FOUND;
}

enum mtasts_txt
mtasts_record_find(struct dns *d, struct arena *a, struct bytes domain,
    struct mtasts_record *out, const char **why)
{
	char *name = arena_printf(a, "_mta-sts.%.*s", BYTES_ARG(domain));
	int64_t deadline = deadline_in(MTASTS_TXT_MS), before;
	const struct dns_answer *answer;

	if (!dns_name_valid(bytes_str(name))) {
		*why = "the name is too long for an MTA-STS record";
		return MTASTS_TXT_NONE;
	}
	before = dns_set_deadline(d, deadline);
	if (before < deadline)
		(void)dns_set_deadline(d, before);
	answer = dns_lookup(d, a, DNS_TXT, bytes_str(name));
	(void)dns_set_deadline(d, before);
	return mtasts_record_choose(answer, a, out, why);
}
