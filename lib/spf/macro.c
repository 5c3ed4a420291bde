/* macro.c - macro-strings, RFC 7208 7 */
#include "spf/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
	PARTS_MAX = 512,	/* of one value; a domain has up to 127 */
};

static const char delimiters[] = ".-+,/_=";

/* One piece of a macro-string. */
struct token {
	enum { LITERAL, PERCENT, SPACE, URL_SPACE, MACRO } kind;
	struct bytes text;	/* LITERAL: a run of them */
	int letter;		/* MACRO: as written */
	size_t keep;		/* right-hand parts; 0: all */
	bool reverse;
	struct bytes delimiters;	/* "." if none are written */
};

/* What stands between "%{" and "}". */
static bool
parse_macro(struct bytes s, struct token *t)
{
	uint64_t keep;
	size_t i;

	t->kind = MACRO;
	t->letter = bytes_next(&s);
	if (!ascii_is_alpha(t->letter) ||
	    strchr("slodiphcrtv", ascii_lower(t->letter)) == NULL)
		return false;
	t->keep = 0;
	if (ascii_is_digit(bytes_at(s, 0))) {
		if (num_cut(&s, UINT32_MAX, &keep) == -1 || keep == 0)
			return false;
		t->keep = (size_t)keep;
	}
	t->reverse = bytes_caseskip(&s, BYTES("r"));
	for (i = 0; i < s.n; i++) {
		if (bytes_at(s, i) == '\0' ||
		    strchr(delimiters, bytes_at(s, i)) == NULL)
			return false;
	}
	t->delimiters = s.n > 0 ? s : BYTES(".");
	return true;
}

/* The next piece: 1, 0 at the end, -1 malformed. */
static int
next_token(struct bytes *s, struct token *t)
{
	struct bytes inner;
	size_t n = 0;

	if (s->n == 0)
		return 0;
	while (n < s->n && bytes_at(*s, n) != '%')
		n++;
	if (n > 0) {
		t->kind = LITERAL;
		return bytes_cut(s, n, &t->text) ? 1 : -1;
	}
	(void)bytes_next(s);
	switch (bytes_next(s)) {
	case '%':
		t->kind = PERCENT;
		return 1;
	case '_':
		t->kind = SPACE;
		return 1;
	case '-':
		t->kind = URL_SPACE;
		return 1;
	case '{':
		return bytes_split(s, '}', &inner) &&
		    parse_macro(inner, t) ? 1 : -1;
	}
	return -1;
}

static bool
literal_valid(struct bytes s, enum spf_text in)
{
	int c;

	while ((c = bytes_next(&s)) != -1) {
		if (c > 0x7e || c < (in == SPF_IN_EXPLANATION ? 0x20 : 0x21))
			return false;
	}
	return true;
}

bool
spf_macro_valid(struct bytes s, enum spf_text in)
{
	struct token t;
	int r;

	while ((r = next_token(&s, &t)) == 1) {
		if (t.kind == LITERAL && !literal_valid(t.text, in))
			return false;
		if (t.kind == MACRO && in == SPF_IN_DOMAIN &&
		    strchr("crt", ascii_lower(t.letter)) != NULL)
			return false;
	}
	return r == 0;
}

bool
spf_macro_uses(struct bytes s, const char *letters)
{
	struct token t;

	while (next_token(&s, &t) == 1) {
		if (t.kind == MACRO &&
		    strchr(letters, ascii_lower(t.letter)) != NULL)
			return true;
	}
	return false;
}

/* Letters, digits and inner hyphens, not digits alone: 7.1. */
static bool
toplabel_valid(struct bytes s)
{
	bool other = false;
	size_t i;
	int c;

	if (!ascii_is_alnum(bytes_at(s, 0)) ||
	    !ascii_is_alnum(bytes_at(s, s.n - 1)))
		return false;
	for (i = 0; i < s.n; i++) {
		c = bytes_at(s, i);
		if (!ascii_is_alnum(c) && c != '-')
			return false;
		other = other || !ascii_is_digit(c);
	}
	return other;
}

bool
spf_domain_spec_valid(struct bytes s)
{
	struct token t = { .kind = LITERAL };
	struct bytes rest = s;
	size_t dot;

	if (s.n == 0 || !spf_macro_valid(s, SPF_IN_DOMAIN))
		return false;
	while (next_token(&rest, &t) == 1)
		;
	if (t.kind != LITERAL)
		return true;
	if (bytes_ends(t.text, BYTES(".")))
		t.text = bytes_first(t.text, t.text.n - 1);
	return bytes_rchr(t.text, '.', &dot) &&
	    toplabel_valid(bytes_from(t.text, dot + 1));
}

/* ---- expansion ---- */

/* %{i}: dotted quad, or all nibbles with dots; 7.3. */
static int
put_dotted_ip(struct buf *out, const struct ip *ip)
{
	static const char hex[] = "0123456789ABCDEF";
	char text[IP_TEXT_MAX];
	int i;

	if (ip->family == AF_INET)
		return buf_adds(out, ip_format(ip, text));
	for (i = 0; i < 16; i++) {
		if (buf_printf(out, "%s%c.%c", i == 0 ? "" : ".",
		    hex[ip->a[i] >> 4], hex[ip->a[i] & 15]) == -1)
			return -1;
	}
	return 0;
}

/*
 * %{p}: the domain itself if it is a name of the client, else one below it,
 * else any, else "unknown"; 7.3.
 */
static struct bytes
client_name(struct spf_check *c, struct bytes domain)
{
	const struct spf_names *names = spf_client_names(c);
	size_t i;

	for (i = 0; i < names->n; i++) {
		if (dns_name_eq(names->name[i], domain))
			return names->name[i];
	}
	for (i = 0; i < names->n; i++) {
		if (dns_name_below(names->name[i], domain))
			return names->name[i];
	}
	return names->n > 0 ? names->name[0] : BYTES("unknown");
}

static int
put_value(struct spf_check *c, int letter, struct bytes domain,
    struct buf *out)
{
	bool v4 = c->args->ip.family == AF_INET;
	char text[IP_TEXT_MAX];

	switch (letter) {
	case 's':
		return buf_add(out, c->local_part) == -1 ||
		    buf_addc(out, '@') == -1 ? -1
		    : buf_add(out, c->sender_domain);
	case 'l':
		return buf_add(out, c->local_part);
	case 'o':
		return buf_add(out, c->sender_domain);
	case 'd':
		return buf_add(out, domain);
	case 'i':
		return put_dotted_ip(out, &c->args->ip);
	case 'p':
		return buf_add(out, client_name(c, domain));
	case 'h':
		return buf_add(out, c->args->helo);
	case 'c':
		return buf_adds(out, ip_format(&c->args->ip, text));
	case 'r':
		return buf_add(out, c->args->receiver.n > 0 ?
		    c->args->receiver : BYTES("unknown"));
	case 't':
		return buf_printf(out, "%lld",
		    (long long)c->args->now_seconds);
	case 'v':
		return buf_adds(out, v4 ? "in-addr" : "ip6");
	}
	errno = EBADMSG;
	return -1;
}

/* Upper case letters: all but unreserved bytes are escaped, 7.3. */
static int
put_escaped(struct buf *out, struct bytes s, bool escape)
{
	int c;

	if (!escape)
		return buf_add(out, s);
	while ((c = bytes_next(&s)) != -1) {
		if (ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' ||
		    c == '~') {
			if (buf_addc(out, c) == -1)
				return -1;
		} else if (buf_printf(out, "%%%02X", (unsigned int)c) == -1) {
			return -1;
		}
	}
	return 0;
}

/* Cut at the delimiters into at most PARTS_MAX parts. 0 or -1 EMSGSIZE. */
static int
split_parts(struct bytes s, struct bytes at, struct bytes *part, size_t *n)
{
	size_t i, start = 0, unused;

	*n = 0;
	for (i = 0; i <= s.n; i++) {
		if (i < s.n && !bytes_chr(at, bytes_at(s, i), &unused))
			continue;
		if (*n == PARTS_MAX) {
			errno = EMSGSIZE;
			return -1;
		}
		part[(*n)++] = bytes_first(bytes_from(s, start), i - start);
		start = i + 1;
	}
	return 0;
}

static int
put_macro(struct spf_check *c, const struct token *t, struct bytes domain,
    struct buf *out)
{
	struct buf value = BUF_INIT(SPF_EXPANSION_MAX);
	struct bytes part[PARTS_MAX], p;
	bool escape = ascii_is_upper(t->letter);
	size_t i, n, first = 0;
	int r;

	r = put_value(c, ascii_lower(t->letter), domain, &value);
	if (r == 0)
		r = split_parts(buf_bytes(&value), t->delimiters, part, &n);
	if (r == 0 && t->keep != 0 && t->keep < n)
		first = n - t->keep;
	for (i = first; r == 0 && i < n; i++) {
		p = part[t->reverse ? n - 1 - i : i];
		if (i > first)
			r = buf_addc(out, '.');
		if (r == 0)
			r = put_escaped(out, p, escape);
	}
	buf_free(&value);
	return r;
}

int
spf_expand(struct spf_check *c, struct bytes s, struct bytes domain,
    struct buf *out)
{
	struct token t;
	int r = 0, more;

	while (r == 0 && (more = next_token(&s, &t)) != 0) {
		if (more == -1) {
			errno = EBADMSG;
			return -1;
		}
		switch (t.kind) {
		case LITERAL:
			r = buf_add(out, t.text);
			break;
		case PERCENT:
			r = buf_addc(out, '%');
			break;
		case SPACE:
			r = buf_addc(out, ' ');
			break;
		case URL_SPACE:
			r = buf_adds(out, "%20");
			break;
		case MACRO:
			r = put_macro(c, &t, domain, out);
			break;
		}
	}
	return r;
}
