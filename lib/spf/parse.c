/* parse.c - SPF records, by the grammar of RFC 7208 12 */
#include "spf/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const struct mechanism {
	const char *name;
	enum spf_kind kind;
	bool needs_spec, may_spec, may_cidr;
} mechanisms[] = {
	{ "all", SPF_ALL, false, false, false },
	{ "include", SPF_INCLUDE, true, true, false },
	{ "a", SPF_A, false, true, true },
	{ "mx", SPF_MX, false, true, true },
	{ "ptr", SPF_PTR, false, true, false },
	{ "ip4", SPF_IP4, false, false, false },
	{ "ip6", SPF_IP6, false, false, false },
	{ "exists", SPF_EXISTS, true, true, false },
};

bool
spf_is_record(struct bytes text)
{
	if (!bytes_caseskip(&text, BYTES("v=spf1")))
		return false;
	return text.n == 0 || bytes_at(text, 0) == ' ';
}

static int
malformed(const char **why, const char *text)
{
	*why = text;
	errno = EBADMSG;
	return -1;
}

/* ---- prefix lengths ---- */

/* Take mark and the digits after it off the end of *s. False: not there. */
static bool
cut_digits(struct bytes *s, struct bytes mark, struct bytes *digits)
{
	size_t n = s->n;

	while (n > 0 && ascii_is_digit(bytes_at(*s, n - 1)))
		n--;
	if (n == s->n || !bytes_ends(bytes_first(*s, n), mark))
		return false;
	*digits = bytes_from(*s, n);
	*s = bytes_first(*s, n - mark.n);
	return true;
}

/* 0, or digits without leading zero, at most max. */
static bool
parse_bits(struct bytes digits, unsigned int max, unsigned int *bits)
{
	uint64_t v;

	if (digits.n > 1 && bytes_at(digits, 0) == '0')
		return false;
	if (num_parse(digits, 0, max, &v) == -1)
		return false;
	*bits = (unsigned int)v;
	return true;
}

/* dual-cidr-length at the end of *s, 5.3. */
static int
cut_cidr(struct bytes *s, struct spf_term *t, const char **why)
{
	struct bytes digits;

	if (cut_digits(s, BYTES("//"), &digits) &&
	    !parse_bits(digits, 128, &t->bits6))
		return malformed(why, "IPv6 prefix length is not 0 to 128");
	if (cut_digits(s, BYTES("/"), &digits) &&
	    !parse_bits(digits, 32, &t->bits4))
		return malformed(why, "IPv4 prefix length is not 0 to 32");
	return 0;
}

/* Address and prefix length of ip4 and ip6, 5.6. */
static int
parse_net(struct bytes s, struct spf_term *t, const char **why)
{
	bool v6 = t->kind == SPF_IP6;
	char text[INET6_ADDRSTRLEN];
	struct bytes digits;

	if (!bytes_skip(&s, BYTES(":")))
		return malformed(why, "address is missing");
	if (cut_digits(&s, BYTES("/"), &digits) && !(v6
	    ? parse_bits(digits, 128, &t->bits6)
	    : parse_bits(digits, 32, &t->bits4)))
		return malformed(why, "prefix length is out of range");
	if (s.n >= sizeof(text) || bytes_has_nul(s))
		return malformed(why, "address is malformed");
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	t->net = (struct ip){ .family = v6 ? AF_INET6 : AF_INET };
	if (inet_pton(t->net.family, text, t->net.a) != 1)
		return malformed(why, "address is malformed");
	return 0;
}

/* ---- terms ---- */

static int
parse_spec(const struct mechanism *m, struct bytes rest, struct spf_term *t,
    const char **why)
{
	if (m->may_cidr && cut_cidr(&rest, t, why) == -1)
		return -1;
	if (rest.n == 0 && !m->needs_spec)
		return 0;
	if (!m->may_spec || !bytes_skip(&rest, BYTES(":")))
		return malformed(why, "mechanism is malformed");
	if (!spf_domain_spec_valid(rest))
		return malformed(why, "domain of mechanism is malformed");
	t->spec = rest;
	return 0;
}

static int
parse_mechanism(struct bytes s, struct spf_term *t, const char **why)
{
	const struct mechanism *m = NULL;
	size_t i, n = 0;

	if (s.n > 0 && strchr("+-?~", bytes_at(s, 0)) != NULL)
		t->qualifier = (char)bytes_next(&s);
	while (ascii_is_alnum(bytes_at(s, n)))
		n++;
	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (bytes_caseeq(bytes_first(s, n),
		    bytes_str(mechanisms[i].name)))
			m = &mechanisms[i];
	}
	if (m == NULL)
		return malformed(why, "unknown mechanism");
	t->kind = m->kind;
	if (m->kind == SPF_IP4 || m->kind == SPF_IP6)
		return parse_net(bytes_from(s, n), t, why);
	return parse_spec(m, bytes_from(s, n), t, why);
}

/* name "=" at the start of s, 4.6.1. */
static bool
cut_modifier_name(struct bytes *s, struct bytes *name)
{
	size_t n = 0;
	int c;

	if (!ascii_is_alpha(bytes_at(*s, 0)))
		return false;
	while ((c = bytes_at(*s, n)) != -1 && (ascii_is_alnum(c) ||
	    c == '-' || c == '_' || c == '.'))
		n++;
	if (c != '=')
		return false;
	*name = bytes_first(*s, n);
	*s = bytes_from(*s, n + 1);
	return true;
}

static int
parse_modifier(struct bytes name, struct bytes value, struct spf_term *t,
    const char **why)
{
	t->spec = value;
	if (bytes_caseeq(name, BYTES("redirect"))) {
		t->kind = SPF_REDIRECT;
	} else if (bytes_caseeq(name, BYTES("exp"))) {
		t->kind = SPF_EXP;
	} else {
		t->kind = SPF_UNKNOWN;
		t->name = name;
		if (!spf_macro_valid(value, SPF_IN_MODIFIER))
			return malformed(why, "modifier is malformed");
		return 0;
	}
	if (!spf_domain_spec_valid(value))
		return malformed(why, "domain of modifier is malformed");
	return 0;
}

static int
parse_term(struct bytes s, struct spf_term *t, const char **why)
{
	struct bytes name, rest = s;

	*t = (struct spf_term){ .qualifier = '+', .text = s,
		.name = BYTES_EMPTY, .spec = BYTES_EMPTY, .bits4 = 32,
		.bits6 = 128 };
	if (cut_modifier_name(&rest, &name))
		return parse_modifier(name, rest, t, why);
	return parse_mechanism(s, t, why);
}

/* The next run of bytes other than space; control bytes are no separators. */
static bool
next_word(struct bytes *s, struct bytes *word)
{
	while (s->n > 0) {
		(void)bytes_split(s, ' ', word);	/* the last has none */
		if (word->n > 0)
			return true;
	}
	return false;
}

/* redirect and exp may stand once each, 6. */
static int
note_modifier(struct spf_record *r, const struct spf_term *t,
    const char **why)
{
	const struct spf_term **at = t->kind == SPF_EXP ? &r->exp
	    : &r->redirect;

	if (*at != NULL)
		return malformed(why, "modifier stands twice");
	*at = t;
	return 0;
}

int
spf_parse(struct bytes text, struct arena *a, struct spf_record *out,
    const char **why)
{
	struct spf_record r = { 0 };
	struct bytes rest = text, word;
	struct spf_term *t;

	if (!spf_is_record(text))
		return malformed(why, "version is missing");
	rest = bytes_from(text, sizeof("v=spf1") - 1);
	while (next_word(&rest, &word))
		r.nterms++;
	if (text.n > SPF_RECORD_MAX || r.nterms > SPF_TERMS_MAX) {
		*why = "record is too long";
		errno = EMSGSIZE;
		return -1;
	}
	r.terms = arena_zalloc(a, r.nterms, sizeof(*r.terms));
	rest = bytes_from(text, sizeof("v=spf1") - 1);
	for (t = r.terms; next_word(&rest, &word); t++) {
		if (parse_term(word, t, why) == -1)
			return -1;
		if (t->kind == SPF_ALL)
			r.has_all = true;
		if ((t->kind == SPF_EXP || t->kind == SPF_REDIRECT) &&
		    note_modifier(&r, t, why) == -1)
			return -1;
	}
	*out = r;
	return 0;
}

/* ---- and back ---- */

static int
format_cidr(struct buf *out, const struct spf_term *t)
{
	if (t->bits4 != 32 && buf_printf(out, "/%u", t->bits4) == -1)
		return -1;
	if (t->bits6 != 128 && buf_printf(out, "//%u", t->bits6) == -1)
		return -1;
	return 0;
}

static int
format_net(struct buf *out, const struct spf_term *t)
{
	unsigned int bits = t->kind == SPF_IP4 ? t->bits4 : t->bits6;
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(t->net.family, t->net.a, text, sizeof(text)) == NULL)
		return -1;
	return buf_printf(out, ":%s/%u", text, bits);
}

static int
format_mechanism(struct buf *out, const struct spf_term *t)
{
	size_t i;

	if (t->qualifier != '+' && buf_addc(out, t->qualifier) == -1)
		return -1;
	for (i = 0; mechanisms[i].kind != t->kind; i++)
		;
	if (buf_adds(out, mechanisms[i].name) == -1)
		return -1;
	if (t->kind == SPF_IP4 || t->kind == SPF_IP6)
		return format_net(out, t);
	if (t->spec.n > 0 && (buf_addc(out, ':') == -1 ||
	    buf_add(out, t->spec) == -1))
		return -1;
	return mechanisms[i].may_cidr ? format_cidr(out, t) : 0;
}

static int
format_modifier(struct buf *out, const struct spf_term *t)
{
	struct bytes name = t->name;

	if (t->kind == SPF_REDIRECT)
		name = BYTES("redirect");
	else if (t->kind == SPF_EXP)
		name = BYTES("exp");
	if (buf_add(out, name) == -1 || buf_addc(out, '=') == -1)
		return -1;
	return buf_add(out, t->spec);
}

int
spf_format(struct buf *out, const struct spf_record *r)
{
	const struct spf_term *t;

	if (buf_adds(out, "v=spf1") == -1)
		return -1;
	for (t = r->terms; t < r->terms + r->nterms; t++) {
		if (buf_addc(out, ' ') == -1)
			return -1;
		if ((t->kind >= SPF_REDIRECT ? format_modifier(out, t)
		    : format_mechanism(out, t)) == -1)
			return -1;
	}
	return 0;
}
