/* format.c - a preface as bytes */
#include "preface/preface.h"

#include <errno.h>
#include <sys/socket.h>

static void
put16(struct buf *b, size_t v)
{
	buf_addc(b, (int)(v >> 8 & 255));
	buf_addc(b, (int)(v & 255));
}

static void
put_field(struct buf *b, int type, struct bytes value)
{
	if (value.n == 0)
		return;
	buf_addc(b, type);
	put16(b, value.n);
	buf_add(b, value);
}

static void
put_ip6(struct buf *b, const struct ip *ip)
{
	static const unsigned char mapped[12] = { [10] = 255, [11] = 255 };

	if (ip->family == AF_INET) {
		buf_add(b, bytes_of(mapped, sizeof(mapped)));
		buf_add(b, bytes_of(ip->a, 4));
	} else {
		buf_add(b, bytes_of(ip->a, 16));
	}
}

/* Both addresses of one family, else both as IPv6. */
static int
put_addresses(struct buf *b, const struct preface *p)
{
	bool v4 = p->remote.family == AF_INET && p->local.family == AF_INET;

	if (p->remote.family == 0 || p->local.family == 0)
		return 0x00;
	if (v4) {
		buf_add(b, bytes_of(p->remote.a, 4));
		buf_add(b, bytes_of(p->local.a, 4));
	} else {
		put_ip6(b, &p->remote);
		put_ip6(b, &p->local);
	}
	put16(b, (size_t)p->remote_port);
	put16(b, (size_t)p->local_port);
	return v4 ? 0x11 : 0x21;
}

static void
put_tls(struct buf *b, const struct preface *p)
{
	struct buf tls = BUF_INIT(PREFACE_MAX);
	unsigned char verify[4];

	buf_addc(&tls, p->client_cert ? 3 : 1);
	be32_put(verify, p->client_verified ? 0 : 1);
	buf_add(&tls, bytes_of(verify, sizeof(verify)));
	put_field(&tls, 0x21, p->version);
	put_field(&tls, 0x23, p->cipher);
	put_field(b, 0x20, buf_bytes(&tls));
	buf_free(&tls);
}

static bool
fits(struct bytes s, size_t min, size_t max)
{
	return s.n == 0 || (s.n >= min && s.n <= max);
}

/* The lengths and what belongs together; the parser sees to the rest. */
static bool
is_sound(const struct preface *p)
{
	if (!p->tls && (p->client_cert || p->version.n > 0 ||
	    p->cipher.n > 0))
		return false;
	return fits(p->authority, 1, PREFACE_NAME_MAX) &&
	    fits(p->alpn, 1, PREFACE_NAME_MAX) &&
	    fits(p->version, 1, PREFACE_NAME_MAX) &&
	    fits(p->cipher, 1, PREFACE_NAME_MAX) &&
	    fits(p->client_key, PREFACE_HASH, PREFACE_HASH) &&
	    fits(p->exporter, PREFACE_HASH, PREFACE_HASH) &&
	    fits(p->unique, PREFACE_UNIQUE, PREFACE_UNIQUE) &&
	    fits(p->end_point, PREFACE_END_POINT_MIN, PREFACE_END_POINT_MAX);
}

int
preface_format(struct buf *out, const struct preface *p)
{
	struct buf b = BUF_INIT(PREFACE_MAX);
	struct preface again;
	const char *why;
	size_t used;
	int family = 0, r;

	if (!is_sound(p)) {
		errno = EINVAL;
		return -1;
	}
	buf_add(&b, bytes_of("\r\n\r\n\0\r\nQUIT\n", 12));
	buf_add(&b, bytes_of(p->self ? "\x20\0\0\0" : "\x21\0\0\0", 4));
	if (!p->self) {
		family = put_addresses(&b, p);
		put_field(&b, 0x01, p->alpn);
		put_field(&b, 0x02, p->authority);
		if (p->tls)
			put_tls(&b, p);
		put_field(&b, 0xe0, p->client_key);
		put_field(&b, 0xe1, p->exporter);
		put_field(&b, 0xe2, p->end_point);
		put_field(&b, 0xe3, p->unique);
	}
	b.p[13] = (unsigned char)family;
	b.p[14] = (unsigned char)((b.n - PREFACE_HEAD) >> 8);
	b.p[15] = (unsigned char)((b.n - PREFACE_HEAD) & 255);
	if (b.full || preface_parse(buf_bytes(&b), PREFACE_TLS_SERVE, &again,
	    &used, &why) != 1) {
		buf_free(&b);
		errno = EINVAL;
		return -1;
	}
	r = buf_add(out, buf_bytes(&b));
	buf_free(&b);
	return r;
}
