/*
 * message.c - the request to tls-serve and its reply as bytes
 *
 * Request: a length of two bytes, then fields "name=value" each ended by a
 * NUL. Reply: a length, a status letter, the preface or a reason.
 */
#include "tlsreq/tlsreq.h"

#include <errno.h>

static int
fail(int err)
{
	errno = err;
	return -1;
}

static bool
is_name(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	}
	return s.n > 0 && s.n <= TLSREQ_NAME_MAX;
}

static const char *const greeting_names[TLSREQ_GREETINGS] = {
	"greeting", "greeting-bound",
};

static bool
is_greeting(struct bytes s)
{
	return s.n > 0 && s.n <= TLSREQ_GREETING_MAX && !bytes_has_nul(s);
}

static void
put_field(struct buf *b, const char *name, struct bytes value)
{
	buf_adds(b, name);
	buf_addc(b, '=');
	buf_add(b, value);
	buf_addc(b, '\0');
}

/* Add a length of two bytes and the rest. */
static int
put_message(struct buf *out, struct bytes rest)
{
	unsigned char head[2] = { (unsigned char)(rest.n >> 8),
	    (unsigned char)(rest.n & 255) };

	if (rest.n > 65535 || buf_room(out, rest.n + 2) == -1)
		return fail(EMSGSIZE);
	if (buf_add(out, bytes_of(head, 2)) == -1)
		return -1;
	return buf_add(out, rest);
}

int
tlsreq_format(struct buf *out, const struct tlsreq *r)
{
	struct buf b = BUF_INIT(TLSREQ_MAX - 2);
	char ip[IP_TEXT_MAX];
	size_t i;
	int result;

	if (!is_name(r->listener) || r->nalpn > TLSREQ_ALPNS_MAX)
		return fail(EINVAL);
	put_field(&b, "listener", r->listener);
	for (i = 0; i < r->nalpn; i++) {
		if (!is_name(r->alpn[i])) {
			buf_free(&b);
			return fail(EINVAL);
		}
		put_field(&b, "alpn", r->alpn[i]);
	}
	if (r->implicit)
		put_field(&b, "implicit", BYTES("yes"));
	if (r->client_cert)
		put_field(&b, "client-cert", BYTES("yes"));
	if (r->remote.family != 0)
		put_field(&b, "remote", bytes_str(ip_format(&r->remote, ip)));
	for (i = 0; i < TLSREQ_GREETINGS && r->greeting[0].n > 0; i++) {
		if (!is_greeting(r->greeting[i])) {
			buf_free(&b);
			return fail(EINVAL);
		}
		put_field(&b, greeting_names[i], r->greeting[i]);
	}
	result = b.full ? fail(EMSGSIZE) : put_message(out, buf_bytes(&b));
	buf_free(&b);
	return result;
}

static int
parse_flag(struct bytes value, bool *flag)
{
	if (*flag || !bytes_eq(value, BYTES("yes")))
		return fail(EBADMSG);
	*flag = true;
	return 0;
}

static int
parse_greeting(struct tlsreq *r, size_t i, struct bytes value)
{
	if (r->greeting[i].n > 0 || !is_greeting(value))
		return fail(EBADMSG);
	r->greeting[i] = value;
	return 0;
}

static int
parse_field(struct tlsreq *r, struct bytes name, struct bytes value)
{
	size_t i;

	for (i = 0; i < TLSREQ_GREETINGS; i++) {
		if (bytes_eq(name, bytes_str(greeting_names[i])))
			return parse_greeting(r, i, value);
	}
	if (bytes_eq(name, BYTES("implicit")))
		return parse_flag(value, &r->implicit);
	if (bytes_eq(name, BYTES("client-cert")))
		return parse_flag(value, &r->client_cert);
	if (bytes_eq(name, BYTES("remote")) && r->remote.family == 0)
		return ip_parse(value, &r->remote);
	if (!is_name(value))
		return fail(EBADMSG);
	if (bytes_eq(name, BYTES("listener")) && r->listener.n == 0) {
		r->listener = value;
		return 0;
	}
	if (bytes_eq(name, BYTES("alpn")) && r->nalpn < TLSREQ_ALPNS_MAX) {
		r->alpn[r->nalpn++] = value;
		return 0;
	}
	return fail(EBADMSG);
}

int
tlsreq_parse(struct bytes message, struct tlsreq *out)
{
	struct tlsreq r = { .listener = BYTES_EMPTY };
	struct bytes head, field, name;
	size_t i;

	if (message.n > TLSREQ_MAX || !bytes_cut(&message, 2, &head) ||
	    message.n != ((size_t)head.p[0] << 8 | head.p[1]))
		return fail(EBADMSG);
	while (message.n > 0) {
		if (!bytes_split(&message, '\0', &field) ||
		    !bytes_split(&field, '=', &name) ||
		    parse_field(&r, name, field) == -1)
			return fail(EBADMSG);
	}
	for (i = 1; i < TLSREQ_GREETINGS; i++) {
		if ((r.greeting[i].n > 0) != (r.greeting[0].n > 0))
			return fail(EBADMSG);
	}
	if (r.listener.n == 0)
		return fail(EBADMSG);
	*out = r;
	return 0;
}

int
tlsreq_format_reply(struct buf *out, enum tlsreq_status status,
    struct bytes text)
{
	struct buf b = BUF_INIT(TLSREQ_REPLY_MAX - 2);
	int r;

	buf_addc(&b, (int)status);
	buf_add(&b, text);
	r = b.full ? fail(EMSGSIZE) : put_message(out, buf_bytes(&b));
	buf_free(&b);
	return r;
}

static bool
is_reason(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	}
	return s.n > 0 && s.n < TLSREQ_REASON_MAX;
}

int
tlsreq_parse_reply(struct bytes in, enum tlsreq_status *status,
    struct bytes *text, size_t *size)
{
	struct bytes head, body;
	size_t n;

	if (!bytes_cut(&in, 2, &head))
		return 0;
	n = (size_t)head.p[0] << 8 | head.p[1];
	if (n == 0 || n > TLSREQ_REPLY_MAX - 2)
		return fail(EBADMSG);
	if (!bytes_cut(&in, n, &body))
		return 0;
	switch (body.p[0]) {
	case TLSREQ_DONE:
		break;
	case TLSREQ_PEER:
	case TLSREQ_BUSY:
	case TLSREQ_REFUSED:
	case TLSREQ_GONE:
		if (is_reason(bytes_from(body, 1)))
			break;
		return fail(EBADMSG);
	default:
		return fail(EBADMSG);
	}
	*status = (enum tlsreq_status)body.p[0];
	*text = bytes_from(body, 1);
	*size = n + 2;
	return 1;
}
