#include "dkim/internal.h"

static const char *const words[] = {
	[DKIM_NONE] = "none", [DKIM_PASS] = "pass", [DKIM_FAIL] = "fail",
	[DKIM_NEUTRAL] = "neutral", [DKIM_POLICY] = "policy",
	[DKIM_TEMPERROR] = "temperror", [DKIM_PERMERROR] = "permerror",
};

const char *
dkim_result_text(enum dkim_result r)
{
	return words[r];
}

/* A value that needs no quotes: token (RFC 2045 5.1). */
static bool
is_token(struct bytes s)
{
	size_t i, at;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f ||
		    bytes_chr(BYTES("()<>@,;:\\\"/[]?="), s.p[i], &at))
			return false;
	}
	return s.n > 0;
}

/* [local-part]@domain that can stand as it is (RFC 8601 2.2 pvalue). */
static bool
is_plain_address(struct bytes s)
{
	struct bytes local, domain;
	size_t at;

	if (!bytes_rchr(s, '@', &at))
		return false;
	domain = bytes_from(s, at + 1);
	local = bytes_first(s, at);
	return is_token(domain) && (local.n == 0 || is_token(local));
}

/* Bytes that could end the field, or are no ASCII, become "?". */
static void
add_quoted(struct buf *out, struct bytes s)
{
	size_t i;
	int c;

	(void)buf_addc(out, '"');
	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (c < ' ' || c >= 0x7f)
			c = '?';
		if (c == '"' || c == '\\')
			(void)buf_addc(out, '\\');
		(void)buf_addc(out, c);
	}
	(void)buf_addc(out, '"');
}

/* A full buffer stays marked: the callers look at the end. */
static void
add_property(struct buf *out, const char *name, struct bytes value)
{
	if (value.n == 0)
		return;
	(void)buf_printf(out, " header.%s=", name);
	if (is_token(value) || is_plain_address(value))
		(void)buf_add(out, value);
	else
		add_quoted(out, value);
}

int
dkim_format_resinfo(struct buf *out, const struct dkim_verdict *v)
{
	(void)buf_printf(out, "dkim=%s", dkim_result_text(v->result));
	if (v->key_bits > 0)
		(void)buf_printf(out, " (%u-bit key%s)", v->key_bits,
		    v->authentic ? " with dnssec" : "");
	if (v->reason[0] != '\0') {
		(void)buf_adds(out, " reason=");
		add_quoted(out, bytes_str(v->reason));
	}
	add_property(out, "d", v->domain);
	add_property(out, "s", v->selector);
	add_property(out, "i", v->identity);
	add_property(out, "a", v->algorithm);
	add_property(out, "b", v->b_prefix);
	return out->full ? -1 : 0;
}

int
dkim_format_line(struct buf *out, const struct dkim_verdict *v)
{
	(void)buf_adds(out, dkim_result_text(v->result));
	(void)msg_column(out, v->domain);
	(void)msg_column(out, v->selector);
	(void)msg_column(out, v->algorithm);
	(void)msg_column(out, v->identity);
	(void)buf_printf(out, "\t%u", v->key_bits);
	(void)msg_column(out, v->b_prefix);
	(void)msg_column(out, bytes_str(v->reason));
	return out->full ? -1 : 0;
}
