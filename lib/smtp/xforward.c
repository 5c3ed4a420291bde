/*
 * xforward.c - who the client really was: Postfix's XFORWARD, both ways
 *
 * XFORWARD NAME=value ... with values in xtext (RFC 3461 4); what is not
 * known is [UNAVAILABLE] or, for now, [TEMPUNAVAIL].
 */
#include "smtp/smtp.h"
#include "smtp/internal.h"

#include <errno.h>
#include <sys/socket.h>

/* One value, decoded. */
#define VALUE_MAX 255

static bool
is_xchar(int c)
{
	return c > 0x20 && c < 0x7f && c != '+' && c != '=';
}

static int
decode_xtext(struct arena *a, struct bytes s, struct bytes *out)
{
	unsigned char *p = arena_alloc(a, s.n);
	size_t n = 0;
	int c, high, low;

	while ((c = bytes_next(&s)) != -1) {
		if (c == '+') {
			high = ascii_hex_value(bytes_next(&s));
			low = ascii_hex_value(bytes_next(&s));
			if (high == -1 || low == -1)
				return -1;
			c = high * 16 + low;
		}
		if (ascii_is_ctl(c))
			return -1;
		p[n++] = (unsigned char)c;
	}
	*out = bytes_of(p, n);
	return n > VALUE_MAX ? -1 : 0;
}

/* Bytes that Postfix sends as they are although xtext would not. */
static bool
is_unavailable(struct bytes value)
{
	return bytes_caseeq(value, BYTES("[UNAVAILABLE]")) ||
	    bytes_caseeq(value, BYTES("[TEMPUNAVAIL]"));
}

static int
set_addr(struct smtp_xforward *x, struct bytes value)
{
	(void)bytes_caseskip(&value, BYTES("IPV6:"));	/* as it may be */
	return value.n == 0 ? 0 : ip_parse(value, &x->addr);
}

static int
set_port(struct smtp_xforward *x, struct bytes value)
{
	uint64_t port;

	if (value.n == 0)
		return 0;
	if (num_parse(value, 0, 65535, &port) == -1)
		return -1;
	x->port = (int)port;
	return 0;
}

static int
set_attribute(struct arena *a, struct bytes name, struct bytes value,
    struct smtp_xforward *x)
{
	struct bytes v = BYTES_EMPTY;

	if (!is_unavailable(value) && decode_xtext(a, value, &v) == -1)
		return -1;
	if (bytes_caseeq(name, BYTES("ADDR")))
		return set_addr(x, v);
	if (bytes_caseeq(name, BYTES("PORT")))
		return set_port(x, v);
	if (bytes_caseeq(name, BYTES("NAME")))
		x->name = v;
	else if (bytes_caseeq(name, BYTES("HELO")))
		x->helo = v;
	else if (bytes_caseeq(name, BYTES("PROTO")))
		x->proto = v;
	else if (bytes_caseeq(name, BYTES("IDENT")))
		x->ident = v;
	else if (bytes_caseeq(name, BYTES("SOURCE")))
		x->source = v;
	else if (bytes_caseeq(name, BYTES("MARKS")))
		x->marks = bytes_caseeq(v, BYTES("YES"));
	else
		return -1;
	return 0;
}

int
smtp_xforward_parse(struct arena *a, struct bytes args,
    struct smtp_xforward *x, const char **why)
{
	struct smtp_xforward got = *x;
	struct bytes word, name;
	bool any = false;

	while (bytes_word(&args, &word)) {
		any = true;
		if (!bytes_split(&word, '=', &name) ||
		    set_attribute(a, name, word, &got) == -1) {
			*why = "bad XFORWARD attribute";
			errno = EBADMSG;
			return -1;
		}
	}
	if (!any) {
		*why = "XFORWARD needs attributes";
		errno = EBADMSG;
		return -1;
	}
	*x = got;
	return 0;
}

static int
add_value(struct buf *out, const char *name, struct bytes value)
{
	int r, c;

	value = bytes_first(value, VALUE_MAX);
	if (value.n == 0)
		return buf_printf(out, " %s=[UNAVAILABLE]", name);
	r = buf_printf(out, " %s=", name);
	while (r == 0 && (c = bytes_next(&value)) != -1) {
		if (ascii_is_ctl(c))
			r = buf_addc(out, '?');
		else if (is_xchar(c))
			r = buf_addc(out, c);
		else
			r = buf_printf(out, "+%02X", (unsigned int)c);
	}
	return r;
}

int
smtp_add_xforward(struct buf *out, const struct smtp_xforward *x)
{
	char ip[IP_TEXT_MAX];
	size_t start = out->n;
	int r;

	r = buf_adds(out, "XFORWARD");
	if (r == 0)
		r = add_value(out, "NAME", x->name);
	if (r == 0 && x->addr.family != 0)
		r = buf_printf(out, " ADDR=%s%s",
		    x->addr.family == AF_INET6 ? "IPV6:" : "",
		    ip_format(&x->addr, ip));
	if (r == 0 && x->port > 0)
		r = buf_printf(out, " PORT=%d", x->port);
	if (r == 0)
		r = add_value(out, "PROTO", x->proto);
	/* a second line: both stay below 512 octets of XFORWARD hosts */
	if (r == 0)
		r = buf_adds(out, "\r\nXFORWARD");
	if (r == 0)
		r = add_value(out, "HELO", x->helo);
	if (r == 0)
		r = add_value(out, "IDENT", x->ident);
	if (r == 0)
		r = add_value(out, "SOURCE", x->source);
	/* a third, which others' servers refuse without harm to the rest */
	if (r == 0)
		r = buf_printf(out, "\r\nXFORWARD MARKS=%s\r\n",
		    x->marks ? "YES" : "NO");
	if (r == -1)
		out->n = start;
	return r;
}
