/*
 * path.c - SMTP paths: strict (RFC 5321 4.1.2 and 4.1.3, RFC 6531 3.3)
 *
 * The limit of 64 octets holds for the local part as written and for the
 * form we would write, so that what was accepted can be passed on.
 */
#include "addr/addr.h"

#include <errno.h>
#include <sys/socket.h>

#include "addr/internal.h"
#include "unicode/unicode.h"

static int
fail(const char **why, int err, const char *reason)
{
	if (why != NULL)
		*why = reason;
	errno = err;
	return -1;
}

int
addr_cut_path(struct bytes *args, struct bytes *content)
{
	struct bytes s = *args;
	bool quoted = false;
	int c;

	if (bytes_next(&s) != '<')
		return fail(NULL, EBADMSG, NULL);
	struct bytes inner = s;
	while ((c = bytes_next(&s)) != -1) {
		if (c == '"') {
			quoted = !quoted;
		} else if (c == '\\' && quoted) {
			(void)bytes_next(&s);	/* the end shows next time */
		} else if (c == '>' && !quoted) {
			*content = bytes_first(inner, inner.n - s.n - 1);
			*args = s;
			return 0;
		}
	}
	return fail(NULL, EBADMSG, NULL);
}

/* ---- local part ---- */

static bool
is_dot_string(struct bytes s)
{
	bool after_dot = true;
	int c;

	while ((c = bytes_next(&s)) != -1) {
		if (c == '.' && after_dot)
			return false;
		if (c != '.' && !addr_is_atext(c))
			return false;
		after_dot = c == '.';
	}
	return !after_dot;
}

static int
cut_quoted(struct bytes *s, struct buf *out, const char **why)
{
	int c;

	(void)bytes_next(s);		/* the quote that brought us here */
	while ((c = bytes_next(s)) != '"') {
		if (c == -1)
			return fail(why, EBADMSG, "quoted string has no end");
		if (c == '\\') {
			c = bytes_next(s);
			if (c >= 0x80)
				return fail(why, EBADMSG,
				    "8-bit character after backslash");
		}
		if (c < 0x20 || c == 0x7f)
			return fail(why, EBADMSG,
			    "control character in local part");
		if (buf_addc(out, c) == -1)
			return fail(why, EMSGSIZE, "local part too long");
	}
	return 0;
}

static int
cut_dot_string(struct bytes *s, struct buf *out, const char **why)
{
	struct bytes text = *s;
	size_t n = 0;

	while (n < text.n && bytes_at(text, n) != '@')
		n++;
	if (n > ADDR_LOCAL_PART_MAX)
		return fail(why, EMSGSIZE, "local part too long");
	text = bytes_first(text, n);
	if (n == 0)
		return fail(why, EBADMSG, "local part missing");
	if (!is_dot_string(text))
		return fail(why, EBADMSG, "local part is not valid");
	*s = bytes_from(*s, n);
	return buf_add(out, text);
}

/* Quoting and escapes counted: what addr_format_local_part will write. */
static size_t
written_size(struct bytes local_part)
{
	size_t n = local_part.n + 2;
	int c;

	if (is_dot_string(local_part))
		return local_part.n;
	while ((c = bytes_next(&local_part)) != -1)
		n += c == '"' || c == '\\';
	return n;
}

/* Take the local part off *s. */
static int
cut_local_part(struct arena *a, struct bytes *s, struct bytes *out,
    const char **why)
{
	struct buf b = BUF_INIT(ADDR_LOCAL_PART_MAX);
	struct bytes before = *s, text;
	int r = bytes_at(*s, 0) == '"' ? cut_quoted(s, &b, why)
	    : cut_dot_string(s, &b, why);

	text = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	if (r == -1)
		return -1;
	if (unicode_nfc(a, text, &text) == -1)
		return fail(why, EBADMSG, "local part is not UTF-8");
	if (before.n - s->n > ADDR_LOCAL_PART_MAX ||
	    written_size(text) > ADDR_LOCAL_PART_MAX)
		return fail(why, EMSGSIZE, "local part too long");
	*out = text;
	return 0;
}

/* ---- domain ---- */

/* Letters, digits, inner hyphens (RFC 5321 4.1.2 sub-domain). */
static int
check_ascii_domain(struct bytes s, const char **why)
{
	struct bytes label;
	bool more = true;
	size_t i;

	while (more) {
		more = bytes_split(&s, '.', &label);
		if (label.n == 0)
			return fail(why, EBADMSG, "empty label in domain");
		for (i = 0; i < label.n; i++) {
			int c = bytes_at(label, i);

			if (!ascii_is_alnum(c) && c != '-')
				return fail(why, EBADMSG,
				    "character not allowed in domain");
		}
		if (bytes_at(label, 0) == '-' ||
		    bytes_at(label, label.n - 1) == '-')
			return fail(why, EBADMSG,
			    "label of domain begins or ends with a hyphen");
	}
	return 0;
}

int
addr_parse_domain(struct arena *a, struct bytes s, unsigned int flags,
    struct bytes *domain, struct bytes *domain_ascii, const char **why)
{
	const char *problem = "domain is not valid";
	struct bytes ascii, text;

	if (s.n == 0)
		return fail(why, EBADMSG, "domain missing");
	if (bytes_is_ascii(s)) {
		if (s.n > ADDR_DOMAIN_MAX)
			return fail(why, EMSGSIZE, "domain too long");
		if (check_ascii_domain(s, why) == -1)
			return -1;
	} else if ((flags & ADDR_SMTPUTF8) == 0) {
		return fail(why, EBADMSG, "8-bit character without SMTPUTF8");
	}
	if (idna_to_ascii(a, s, &ascii, &problem) == -1)
		return fail(why, EBADMSG, problem);
	/* What IDNA mapped must be a host name too, without a final dot. */
	if (check_ascii_domain(ascii, why) == -1)
		return -1;
	if (idna_to_unicode(a, ascii, &text, &problem) == -1)
		return fail(why, EBADMSG, problem);
	*domain = text;
	*domain_ascii = ascii;
	return 0;
}

int
addr_parse_literal(struct bytes s, struct ip *out, const char **why)
{
	struct ip ip = { { 0 }, 0 };
	struct bytes tag;
	size_t i;

	if (s.n < 3 || bytes_at(s, 0) != '[' || bytes_at(s, s.n - 1) != ']')
		return fail(why, EBADMSG, "address literal has no end");
	s = bytes_first(bytes_from(s, 1), s.n - 2);
	if (bytes_caseskip(&s, BYTES("IPv6:"))) {
		size_t at;

		if (!bytes_chr(s, ':', &at) || ip_parse(s, &ip) == -1)
			return fail(why, EBADMSG, "IPv6 literal is not valid");
		*out = ip;
		return 0;
	}
	if (ip_parse(s, &ip) == 0 && ip.family == AF_INET &&
	    !bytes_chr(s, ':', &i)) {
		*out = ip;
		return 0;
	}
	/* General-address-literal: Ldh-str ":" 1*dcontent */
	if (!bytes_split(&s, ':', &tag) || tag.n == 0 || s.n == 0 ||
	    bytes_at(tag, tag.n - 1) == '-' || ascii_is_digit(bytes_at(tag, 0)))
		return fail(why, EBADMSG, "address literal is not valid");
	for (i = 0; i < tag.n; i++) {
		int c = bytes_at(tag, i);

		if (!ascii_is_alnum(c) && c != '-')
			return fail(why, EBADMSG,
			    "address literal is not valid");
	}
	/*
	 * An IPv6 address without its tag is a mistake, not a general form;
	 * quotes and brackets would blur where a path ends.
	 */
	for (i = 0; i < s.n; i++) {
		int c = bytes_at(s, i);

		if (c <= 0x20 || c >= 0x7f || strchr("[]\\:\"<>", c) != NULL)
			return fail(why, EBADMSG,
			    "address literal is not valid");
	}
	*out = (struct ip){ { 0 }, 0 };
	return 0;
}

/* What follows "@". */
static int
parse_host(struct arena *a, struct bytes s, unsigned int flags,
    struct path *p, const char **why)
{
	char text[IP_TEXT_MAX];

	if (bytes_at(s, 0) != '[')
		return addr_parse_domain(a, s, flags, &p->domain,
		    &p->domain_ascii, why);
	if (s.n > ADDR_DOMAIN_MAX)
		return fail(why, EMSGSIZE, "address literal too long");
	if (addr_parse_literal(s, &p->literal, why) == -1)
		return -1;
	p->is_literal = true;
	if (p->literal.family == AF_INET)
		p->domain = bytes_str(arena_printf(a, "[%s]",
		    ip_format(&p->literal, text)));
	else if (p->literal.family == AF_INET6)
		p->domain = bytes_str(arena_printf(a, "[IPv6:%s]",
		    ip_format(&p->literal, text)));
	else
		p->domain = arena_bytes(a, s);
	p->domain_ascii = p->domain;
	return 0;
}

static int
parse_address(struct arena *a, struct bytes s, unsigned int flags,
    struct path *out, const char **why)
{
	struct path p = { .local_part = BYTES_EMPTY, .domain = BYTES_EMPTY,
	    .domain_ascii = BYTES_EMPTY };

	p.is_utf8 = !bytes_is_ascii(s);
	if (p.is_utf8 && (flags & ADDR_SMTPUTF8) == 0)
		return fail(why, EBADMSG, "8-bit character without SMTPUTF8");
	if (cut_local_part(a, &s, &p.local_part, why) == -1)
		return -1;
	if (bytes_next(&s) != '@')
		return fail(why, EBADMSG, "domain missing");
	if (parse_host(a, s, flags, &p, why) == -1)
		return -1;
	if (written_size(p.local_part) + 1 + p.domain_ascii.n >
	    ADDR_MAILBOX_MAX)
		return fail(why, EMSGSIZE, "path too long");
	*out = p;
	return 0;
}

/* Check and drop "@a,@b:". */
static int
skip_source_route(struct arena *a, struct bytes *s, unsigned int flags,
    const char **why)
{
	struct bytes route, hop, domain, ascii;
	bool more = true;

	if (bytes_at(*s, 0) != '@')
		return 0;
	if (!bytes_split(s, ':', &route))
		return fail(why, EBADMSG, "local part missing");
	while (more) {
		more = bytes_split(&route, ',', &hop);
		if (!bytes_skip(&hop, BYTES("@")))
			return fail(why, EBADMSG, "source route is not valid");
		if (addr_parse_domain(a, hop, flags, &domain, &ascii,
		    why) == -1)
			return -1;
	}
	return 0;
}

int
addr_parse_path(struct arena *a, struct bytes content, unsigned int flags,
    struct path *out, const char **why)
{
	if (content.n > ADDR_PATH_MAX)
		return fail(why, EMSGSIZE, "path too long");
	if (content.n == 0 || bytes_caseeq(content, BYTES("postmaster"))) {
		*out = (struct path){ .is_null = content.n == 0,
		    .is_postmaster = content.n != 0,
		    .local_part = content.n == 0 ? BYTES_EMPTY
		    : BYTES("postmaster"),
		    .domain = BYTES_EMPTY, .domain_ascii = BYTES_EMPTY };
		return 0;
	}
	if (skip_source_route(a, &content, flags, why) == -1)
		return -1;
	return parse_address(a, content, flags, out, why);
}

int
addr_parse_mailbox(struct arena *a, struct bytes s, unsigned int flags,
    struct path *out, const char **why)
{
	if (s.n > ADDR_PATH_MAX)
		return fail(why, EMSGSIZE, "address too long");
	return parse_address(a, s, flags, out, why);
}

/* ---- back to text ---- */

int
addr_format_local_part(struct buf *out, struct bytes local_part)
{
	int c;

	if (is_dot_string(local_part))
		return buf_add(out, local_part);
	(void)buf_addc(out, '"');		/* the last one tells */
	while ((c = bytes_next(&local_part)) != -1) {
		if (c == '"' || c == '\\')
			(void)buf_addc(out, '\\');
		(void)buf_addc(out, c);
	}
	return buf_addc(out, '"');
}

int
addr_format_path(struct buf *out, const struct path *p, bool ascii)
{
	if (p->is_null)
		return 0;
	if (p->is_postmaster)
		return buf_adds(out, "postmaster");
	if (addr_format_local_part(out, p->local_part) == -1 ||
	    buf_addc(out, '@') == -1)
		return -1;
	return buf_add(out, ascii ? p->domain_ascii : p->domain);
}

struct bytes
addr_path_text(struct arena *a, const struct path *p, bool ascii)
{
	struct buf b = BUF_INIT(2 * ADDR_PATH_MAX);
	struct bytes out;

	(void)addr_format_path(&b, p, ascii);	/* the limits make it fit */
	out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return out;
}

bool
addr_path_eq(const struct path *a, const struct path *b)
{
	return a->is_null == b->is_null &&
	    a->is_postmaster == b->is_postmaster &&
	    bytes_eq(a->local_part, b->local_part) &&
	    bytes_eq(a->domain_ascii, b->domain_ascii);
}

bool
addr_needs_smtputf8(const struct path *p)
{
	return !bytes_is_ascii(p->local_part);
}
