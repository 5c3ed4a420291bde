/*
 * record.c - policy records (RFC 7489 6.3, 6.4)
 */
#include "dmarc/dmarc.h"

#include <errno.h>

#define INTERVAL_SECONDS 86400	/* ri= if absent, 6.3 */

static const char *const policies[] = {
	[DMARC_POLICY_NONE] = "none",
	[DMARC_POLICY_QUARANTINE] = "quarantine",
	[DMARC_POLICY_REJECT] = "reject",
};

const char *
dmarc_policy_name(enum dmarc_policy p)
{
	return policies[p];
}

/* ---- tags ---- */

struct tags {
	struct bytes name[DMARC_TAGS_MAX], value[DMARC_TAGS_MAX];
	size_t n;
};

static int
fail(const char **why, int err, const char *text)
{
	*why = text;
	errno = err;
	return -1;
}

/* name *WSP "=" *WSP value; blanks around are dropped. */
static bool
tag_split(struct bytes part, struct bytes *name, struct bytes *value)
{
	size_t i;

	*value = part;
	if (!bytes_split(value, '=', name))
		return false;
	*name = bytes_trim(*name);
	*value = bytes_trim(*value);
	for (i = 0; i < name->n; i++) {
		if (!ascii_is_alnum(bytes_at(*name, i)) &&
		    bytes_at(*name, i) != '_')
			return false;
	}
	return name->n > 0;
}

static bool
find(const struct tags *t, const char *name, struct bytes *value)
{
	for (size_t i = 0; i < t->n; i++) {
		if (bytes_caseeq(t->name[i], bytes_str(name))) {
			*value = t->value[i];
			return true;
		}
	}
	return false;
}

static bool
find_again(const struct tags *t, struct bytes name)
{
	for (size_t i = 0; i < t->n; i++) {
		if (bytes_caseeq(t->name[i], name))
			return true;
	}
	return false;
}

/* The first tag is the version, with its case: no WSP in front of it. */
bool
dmarc_is_record(struct bytes text)
{
	struct bytes part, name, value;

	(void)bytes_split(&text, ';', &part);	/* without ";" all is it */
	return !ascii_is_space(bytes_at(part, 0)) &&
	    tag_split(part, &name, &value) && bytes_eq(name, BYTES("v")) &&
	    bytes_eq(value, BYTES("DMARC1"));
}

static int
read_tags(struct bytes text, struct tags *t, const char **why)
{
	struct bytes part, name, value;
	bool more = true;

	t->n = 0;
	while (more) {
		more = bytes_split(&text, ';', &part);
		if (bytes_trim(part).n == 0)
			continue;
		if (!tag_split(part, &name, &value))
			return fail(why, EBADMSG, "a part is no tag");
		if (t->n == DMARC_TAGS_MAX)
			return fail(why, EMSGSIZE, "too many tags");
		if (find_again(t, name))
			return fail(why, EBADMSG, "a tag is there twice");
		t->name[t->n] = name;
		t->value[t->n++] = value;
	}
	return 0;
}

/* ---- values ---- */

/* 1, 0: absent, -1: no policy. */
static int
read_policy(const struct tags *t, const char *name, enum dmarc_policy *out)
{
	struct bytes value;

	if (!find(t, name, &value))
		return 0;
	for (unsigned int i = 0; i <= DMARC_POLICY_REJECT; i++) {
		if (bytes_caseeq(value, bytes_str(policies[i]))) {
			*out = (enum dmarc_policy)i;
			return 1;
		}
	}
	return -1;
}

static bool
is_strict(const struct tags *t, const char *name)
{
	struct bytes value;

	return find(t, name, &value) && bytes_caseeq(value, BYTES("s"));
}

static uint64_t
read_number(const struct tags *t, const char *name, uint64_t max,
    uint64_t absent)
{
	struct bytes value;
	uint64_t n;

	return find(t, name, &value) && num_parse(value, 0, max, &n) == 0
	    ? n : absent;
}

static unsigned int
read_failure_options(const struct tags *t)
{
	static const char letters[] = "01ds";
	struct bytes value = BYTES_EMPTY, word;
	unsigned int set = 0;
	bool more = find(t, "fo", &value);
	size_t at;

	while (more) {
		more = bytes_split(&value, ':', &word);
		word = bytes_trim(word);
		if (word.n == 1 && bytes_chr(bytes_str(letters),
		    ascii_lower(word.p[0]), &at))
			set |= 1U << at;
	}
	return set == 0 ? DMARC_FO_ALL : set;
}

/* scheme ":" something, of printable ASCII (RFC 3986 3). */
static bool
is_uri(struct bytes s)
{
	size_t colon, i;

	if (!bytes_chr(s, ':', &colon) || colon + 1 == s.n ||
	    !ascii_is_alpha(bytes_at(s, 0)))
		return false;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
		if (i < colon && !ascii_is_alnum(s.p[i]) && s.p[i] != '+' &&
		    s.p[i] != '-' && s.p[i] != '.')
			return false;
	}
	return true;
}

/* "!" 1*DIGIT [ "k" / "m" / "g" / "t" ] off the end of a dmarc-uri. */
static bool
cut_size(struct dmarc_uri *u)
{
	static const char units[] = "kmgt";
	struct bytes digits;
	unsigned int shift = 0;
	size_t at, unit;

	if (!bytes_rchr(u->uri, '!', &at))
		return true;
	digits = bytes_from(u->uri, at + 1);
	if (digits.n > 0 && bytes_chr(bytes_str(units),
	    ascii_lower(digits.p[digits.n - 1]), &unit)) {
		shift = 10 * (unsigned int)(unit + 1);
		digits.n--;
	}
	if (num_parse(digits, 0, UINT64_MAX >> shift, &u->max_bytes) == -1)
		return false;
	u->max_bytes <<= shift;
	u->uri = bytes_first(u->uri, at);
	return true;
}

/* Those that are none are passed over, as are those past the limit. */
static size_t
read_uris(const struct tags *t, const char *name, struct arena *a,
    struct dmarc_uri **out)
{
	struct bytes value = BYTES_EMPTY, word;
	struct dmarc_uri u;
	bool more = find(t, name, &value);
	size_t n = 0;

	*out = more ? arena_zalloc(a, DMARC_URIS_MAX, sizeof(**out)) : NULL;
	while (more && n < DMARC_URIS_MAX) {
		more = bytes_split(&value, ',', &word);
		word = bytes_trim(word);
		u = (struct dmarc_uri){ .text = word, .uri = word };
		if (cut_size(&u) && is_uri(u.uri))
			(*out)[n++] = u;
	}
	return n;
}

static void
read_others(const struct tags *t, struct arena *a, struct dmarc_record *r)
{
	struct bytes value;

	r->strict_dkim = is_strict(t, "adkim");
	r->strict_spf = is_strict(t, "aspf");
	r->pct = (unsigned int)read_number(t, "pct", 100, 100);
	r->interval_seconds = (uint32_t)read_number(t, "ri", UINT32_MAX,
	    INTERVAL_SECONDS);
	r->failure_options = read_failure_options(t);
	r->nrua = read_uris(t, "rua", a, &r->rua);
	r->nruf = read_uris(t, "ruf", a, &r->ruf);
	r->testing = find(t, "t", &value) && bytes_caseeq(value, BYTES("y"));
	r->psd = 'u';
	if (find(t, "psd", &value) && (bytes_caseeq(value, BYTES("y")) ||
	    bytes_caseeq(value, BYTES("n"))))
		r->psd = (char)ascii_lower(value.p[0]);
}

int
dmarc_record_parse(struct bytes text, struct arena *a,
    struct dmarc_record *out, const char **why)
{
	struct dmarc_record r = { 0 };
	struct tags t;
	int p, sp;

	if (text.n > DMARC_RECORD_MAX)
		return fail(why, EMSGSIZE, "record is too long");
	if (!dmarc_is_record(text))
		return fail(why, EBADMSG, "does not begin with v=DMARC1");
	if (read_tags(text, &t, why) == -1)
		return -1;
	read_others(&t, a, &r);
	p = read_policy(&t, "p", &r.p);
	sp = read_policy(&t, "sp", &r.sp);
	if (p != 1 || sp == -1) {
		if (r.nrua == 0)
			return fail(why, ENOENT, p == 0 ? "p= is missing"
			    : p == -1 ? "p= is no policy"
			    : "sp= is no policy");
		r.p = r.sp = DMARC_POLICY_NONE;
		p = sp = 0;
	}
	r.has_p = p == 1;
	r.has_sp = sp == 1;
	if (!r.has_sp)
		r.sp = r.p;
	r.has_np = read_policy(&t, "np", &r.np) == 1;
	if (!r.has_np)
		r.np = r.sp;
	*out = r;
	return 0;
}

/* ---- canonical form ---- */

static void
put_uris(struct buf *out, const char *name, const struct dmarc_uri *u,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i == 0)
			(void)buf_printf(out, "; %s=", name);
		else
			(void)buf_addc(out, ',');
		(void)buf_add(out, u[i].text);
	}
}

static void
put_failure_options(struct buf *out, unsigned int set)
{
	static const char letters[] = "01ds";
	const char *before = "; fo=";

	for (unsigned int i = 0; set != DMARC_FO_ALL && i < 4; i++) {
		if ((set >> i & 1) == 0)
			continue;
		(void)buf_printf(out, "%s%c", before, letters[i]);
		before = ":";
	}
}

/* A full buffer stays marked and is looked at once, at the end. */
int
dmarc_record_format(struct buf *out, const struct dmarc_record *r)
{
	(void)buf_adds(out, "v=DMARC1");
	if (r->has_p)
		(void)buf_printf(out, "; p=%s", policies[r->p]);
	if (r->has_sp)
		(void)buf_printf(out, "; sp=%s", policies[r->sp]);
	if (r->has_np)
		(void)buf_printf(out, "; np=%s", policies[r->np]);
	if (r->strict_dkim)
		(void)buf_adds(out, "; adkim=s");
	if (r->strict_spf)
		(void)buf_adds(out, "; aspf=s");
	if (r->pct != 100)
		(void)buf_printf(out, "; pct=%u", r->pct);
	if (r->interval_seconds != INTERVAL_SECONDS)
		(void)buf_printf(out, "; ri=%lu",
		    (unsigned long)r->interval_seconds);
	put_failure_options(out, r->failure_options);
	put_uris(out, "rua", r->rua, r->nrua);
	put_uris(out, "ruf", r->ruf, r->nruf);
	if (r->psd != 'u')
		(void)buf_printf(out, "; psd=%c", r->psd);
	if (r->testing)
		(void)buf_adds(out, "; t=y");
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}
