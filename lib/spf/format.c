/*
 * format.c - results as text: Received-SPF, resinfo, lines
 *
 * What a stranger chose is made harmless here: control bytes, and bytes that
 * are not UTF-8, become "?".
 */
#include "spf/spf.h"

#include <string.h>
#include <sys/socket.h>

#include "unicode/unicode.h"

enum {
	COLUMNS = 78,		/* RFC 5322 2.1.1 */
	VALUE_MAX = 256,	/* bytes taken of one value */
	ITEM_MAX = 4096,	/* several of them, every byte quoted twice */
};

static bool
is_atext(int c)
{
	return ascii_is_alnum(c) || c >= 0x80 ||
	    (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_dot_atom(struct bytes s)
{
	struct bytes word;
	bool more = true;
	size_t i;

	while (more) {
		more = bytes_split(&s, '.', &word);
		if (word.n == 0)
			return false;
		for (i = 0; i < word.n; i++) {
			if (!is_atext(bytes_at(word, i)))
				return false;
		}
	}
	return true;
}

/* One byte of a quoted-string or, with comment, of a comment. */
static int
put_quoted(struct buf *out, int c, bool utf8, bool comment)
{
	if (ascii_is_ctl(c) || (c >= 0x80 && !utf8))
		c = '?';
	if ((c == '\\' || (comment ? c == '(' || c == ')' : c == '"')) &&
	    buf_addc(out, '\\') == -1)
		return -1;
	return buf_addc(out, c);
}

/* Long values are cut: they are for people. */
static struct bytes
cut(struct bytes s)
{
	return unicode_valid_utf8(s) ? unicode_first(s, VALUE_MAX)
	    : bytes_first(s, VALUE_MAX);
}

static int
put_text(struct buf *out, struct bytes s, bool comment)
{
	bool utf8 = unicode_valid_utf8(s);
	int c;

	s = cut(s);
	while ((c = bytes_next(&s)) != -1) {
		if (put_quoted(out, c, utf8, comment) == -1)
			return -1;
	}
	return 0;
}

/* As it is if it is a dot-atom, else quoted. */
static int
put_value(struct buf *out, struct bytes s)
{
	s = cut(s);
	if (is_dot_atom(s) && unicode_valid_utf8(s))
		return buf_add(out, s);
	if (buf_addc(out, '"') == -1 || put_text(out, s, false) == -1)
		return -1;
	return buf_addc(out, '"');
}

/* local-part "@" domain; a domain that is none is made harmless. */
static int
put_address(struct buf *out, const struct spf *r)
{
	if (put_value(out, r->local_part) == -1 || buf_addc(out, '@') == -1)
		return -1;
	return put_text(out, r->domain, false);
}

/* ---- Received-SPF ---- */

/* A field in the making: items that stay whole, folded between. */
struct folder {
	struct buf *out;
	size_t column;
};

static int
put_item(struct folder *f, struct bytes item)
{
	bool fold = f->column + 1 + item.n > COLUMNS;

	if (buf_adds(f->out, fold ? "\n\t" : " ") == -1 ||
	    buf_add(f->out, item) == -1)
		return -1;
	f->column = item.n + (fold ? 8 : f->column + 1);
	return 0;
}

static int
put_pair(struct folder *f, const char *key, struct bytes value,
    const char *end)
{
	struct buf b = BUF_INIT(ITEM_MAX);
	int r = -1;

	if (buf_printf(&b, "%s=", key) == 0 && put_value(&b, value) == 0 &&
	    buf_adds(&b, end) == 0)
		r = put_item(f, buf_bytes(&b));
	buf_free(&b);
	return r;
}

static const char *
verdict_text(enum spf_result result)
{
	switch (result) {
	case SPF_PASS:
		return "permits";
	case SPF_FAIL:
		return "does not permit";
	case SPF_SOFTFAIL:
		return "probably does not permit";
	case SPF_NEUTRAL:
		return "neither permits nor denies";
	case SPF_NONE:
		return "says nothing about";
	case SPF_TEMPERROR:
		return "could not be asked about";
	case SPF_PERMERROR:
		break;
	}
	return "has no usable rule for";
}

/* "(host: domain of a@example.org permits 192.0.2.1)", word by word. */
static int
put_comment(struct folder *f, const struct spf *r)
{
	struct buf b = BUF_INIT(ITEM_MAX), who = BUF_INIT(ITEM_MAX);
	struct bytes rest, word;
	char ip[IP_TEXT_MAX];
	int n = -1;

	if (buf_addc(&b, '(') == 0 && (r->receiver.n == 0 ||
	    (put_text(&b, r->receiver, true) == 0 &&
	    buf_adds(&b, ": ") == 0)) && put_address(&who, r) == 0 &&
	    buf_adds(&b, "domain of ") == 0 &&
	    put_text(&b, buf_bytes(&who), true) == 0 &&
	    buf_printf(&b, " %s %s)", verdict_text(r->result),
	    ip_format(&r->ip, ip)) == 0) {
		rest = buf_bytes(&b);
		n = 0;
		while (n == 0 && bytes_word(&rest, &word))
			n = put_item(f, word);
	}
	buf_free(&who);
	buf_free(&b);
	return n;
}

static int
put_pairs(struct folder *f, const struct spf *r)
{
	struct buf who = BUF_INIT(ITEM_MAX);
	char ip[IP_TEXT_MAX];
	bool helo = r->identity == SPF_HELO;
	int n = -1;

	if (r->receiver.n > 0 &&
	    put_pair(f, "receiver", r->receiver, ";") == -1)
		return -1;
	if (put_pair(f, "client-ip", bytes_str(ip_format(&r->ip, ip)),
	    ";") == -1)
		return -1;
	if (!helo && put_address(&who, r) == 0)
		n = put_pair(f, "envelope-from", buf_bytes(&who), ";");
	buf_free(&who);
	if (!helo && n == -1)
		return -1;
	if (r->helo.n > 0 && put_pair(f, "helo", r->helo, ";") == -1)
		return -1;
	if (r->mechanism.n > 0 &&
	    put_pair(f, "mechanism", r->mechanism, ";") == -1)
		return -1;
	if (r->problem[0] != '\0' &&
	    put_pair(f, "problem", bytes_str(r->problem), ";") == -1)
		return -1;
	return put_pair(f, "identity", helo ? BYTES("helo")
	    : BYTES("mailfrom"), "");
}

int
spf_format_field(struct buf *out, const struct spf *r)
{
	struct folder f = { out, 0 };
	const char *result = spf_result_name(r->result);

	if (buf_printf(out, "Received-SPF: %s", result) == -1)
		return -1;
	f.column = sizeof("Received-SPF: ") - 1 + strlen(result);
	if (put_comment(&f, r) == -1 || put_pairs(&f, r) == -1)
		return -1;
	return buf_addc(out, '\n');
}

/* ---- resinfo ---- */

/* pvalue of RFC 8601 2.2: [[local-part] "@"] domain-name, or a value. */
static int
put_pvalue(struct buf *out, const struct spf *r)
{
	if (!is_dot_atom(cut(r->domain)) || !unicode_valid_utf8(r->domain) ||
	    r->identity == SPF_HELO)
		return put_value(out, r->domain);
	return put_address(out, r);
}

int
spf_format_resinfo(struct buf *out, const struct spf *r)
{
	if (buf_printf(out, "spf=%s", spf_result_name(r->result)) == -1)
		return -1;
	if (r->authentic && buf_adds(out, " (with dnssec)") == -1)
		return -1;
	if (r->problem[0] != '\0' &&
	    buf_printf(out, " reason=\"%s\"", r->problem) == -1)
		return -1;
	if (buf_adds(out, r->identity == SPF_HELO ? " smtp.helo="
	    : " smtp.mailfrom=") == -1)
		return -1;
	return put_pvalue(out, r);
}

/* ---- lines ---- */

int
spf_format_line(struct buf *out, const struct spf *r)
{
	struct buf who = BUF_INIT(ITEM_MAX);
	bool helo = r->identity == SPF_HELO;
	int n = -1;

	if (buf_printf(out, "%s\t%s", spf_result_name(r->result),
	    helo ? "helo" : "mailfrom") == 0 &&
	    (helo ? buf_add(&who, r->domain) : put_address(&who, r)) == 0)
		n = msg_column(out, buf_bytes(&who));
	buf_free(&who);
	if (n == -1 || msg_column(out, r->domain) == -1 ||
	    msg_column(out, r->mechanism) == -1 ||
	    msg_column(out, bytes_str(r->problem)) == -1)
		return -1;
	return msg_column(out, r->explanation);
}
