/*
 * preface.c - PROXY protocol version 2: header, addresses, fields
 *
 * The one state of the parser is the slice that is left. A field ("TLV") is
 * a type, a length of two bytes and a value; the field for TLS holds fields
 * itself. Fields of no interest are skipped, their lengths are not.
 */
#include "preface/preface.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define UNIX_SIZE 216		/* two paths of 108 bytes */

enum {
	COMMAND_LOCAL = 0x20,	/* with the version, 2 */
	COMMAND_PROXY = 0x21,
	FAMILY_UNKNOWN = 0x00,
	FAMILY_TCP4 = 0x11,
	FAMILY_TCP6 = 0x21,
	FAMILY_UNIX = 0x31,
};

enum {
	FIELD_ALPN = 0x01,
	FIELD_AUTHORITY = 0x02,
	FIELD_CRC32C = 0x03,
	FIELD_TLS = 0x20,
	FIELD_TLS_VERSION = 0x21,
	FIELD_TLS_CIPHER = 0x23,
	/* ours, from the range for local use */
	FIELD_CLIENT_KEY = 0xe0,
	FIELD_EXPORTER = 0xe1,
	FIELD_END_POINT = 0xe2,
	FIELD_UNIQUE = 0xe3,
};

enum {
	CLIENT_TLS = 1,
	CLIENT_CERT_CONN = 2,
	CLIENT_CERT_SESSION = 4,
};

static const unsigned char signature[12] = {
	'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n',
};

static int
bad(const char **why, const char *text)
{
	*why = text;
	errno = EBADMSG;
	return -1;
}

static unsigned int
be16_get(const unsigned char *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

/* ---- fields ---- */

static bool
is_text(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	}
	return s.n > 0 && s.n <= PREFACE_NAME_MAX;
}

/* Where the value of a field goes and how long it may be; NULL: skipped. */
static struct bytes *
slot_of(struct preface *p, int type, bool in_tls, enum preface_from from,
    size_t *min, size_t *max)
{
	*min = 1;
	*max = PREFACE_NAME_MAX;
	if (in_tls)
		return type == FIELD_TLS_VERSION ? &p->version
		    : type == FIELD_TLS_CIPHER ? &p->cipher : NULL;
	if (type == FIELD_ALPN)
		return &p->alpn;
	if (type == FIELD_AUTHORITY)
		return &p->authority;
	if (from != PREFACE_TLS_SERVE)
		return NULL;
	*min = *max = PREFACE_HASH;
	if (type == FIELD_CLIENT_KEY)
		return &p->client_key;
	if (type == FIELD_EXPORTER)
		return &p->exporter;
	*min = *max = PREFACE_UNIQUE;
	if (type == FIELD_UNIQUE)
		return &p->unique;
	*min = PREFACE_END_POINT_MIN;
	*max = PREFACE_END_POINT_MAX;
	return type == FIELD_END_POINT ? &p->end_point : NULL;
}

static int
take_value(struct preface *p, int type, bool in_tls, enum preface_from from,
    struct bytes value, const char **why)
{
	size_t min, max;
	struct bytes *slot = slot_of(p, type, in_tls, from, &min, &max);

	if (slot == NULL)
		return 0;
	if (slot->n > 0)
		return bad(why, "a field is there twice");
	if (value.n < min || value.n > max)
		return bad(why, "a field has a wrong length");
	if ((in_tls || type == FIELD_AUTHORITY) && !is_text(value))
		return bad(why, "a name holds bytes that are not text");
	*slot = value;
	return 0;
}

/* Take a field off *s. */
static int
cut_field(struct bytes *s, int *type, struct bytes *value, const char **why)
{
	struct bytes head;

	if (!bytes_cut(s, 3, &head) ||
	    !bytes_cut(s, be16_get(head.p + 1), value))
		return bad(why, "a field is cut off");
	*type = head.p[0];
	return 0;
}

static int
parse_tls(struct preface *p, struct bytes s, enum preface_from from,
    const char **why)
{
	struct bytes head, value;
	int type;

	if (p->tls)
		return bad(why, "a field is there twice");
	if (!bytes_cut(&s, 5, &head))
		return bad(why, "the field for TLS is cut off");
	if ((head.p[0] & CLIENT_TLS) == 0)
		return 0;	/* it says: no TLS */
	p->tls = true;
	p->client_cert = (head.p[0] &
	    (CLIENT_CERT_CONN | CLIENT_CERT_SESSION)) != 0;
	p->client_verified = p->client_cert && be32_get(head.p + 1) == 0;
	while (s.n > 0) {
		if (cut_field(&s, &type, &value, why) == -1 ||
		    take_value(p, type, true, from, value, why) == -1)
			return -1;
	}
	return 0;
}

static uint32_t
crc32c_add(uint32_t crc, struct bytes s)
{
	size_t i;
	int bit;

	for (i = 0; i < s.n; i++) {
		crc ^= s.p[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
	}
	return crc;
}

/* The sum is over the header with zeros in place of the sum itself. */
static bool
checksum_ok(struct bytes whole, struct bytes sum)
{
	static const unsigned char zeros[4] = { 0 };
	size_t at = (size_t)(sum.p - whole.p);
	uint32_t crc = 0xffffffff;

	crc = crc32c_add(crc, bytes_first(whole, at));
	crc = crc32c_add(crc, bytes_of(zeros, sizeof(zeros)));
	crc = crc32c_add(crc, bytes_from(whole, at + 4));
	return (crc ^ 0xffffffff) == be32_get(sum.p);
}

static int
parse_fields(struct preface *p, struct bytes whole, struct bytes s,
    enum preface_from from, const char **why)
{
	struct bytes value;
	int type, r;

	while (s.n > 0) {
		if (cut_field(&s, &type, &value, why) == -1)
			return -1;
		r = 0;
		if (type == FIELD_TLS)
			r = parse_tls(p, value, from, why);
		else if (type != FIELD_CRC32C)
			r = take_value(p, type, false, from, value, why);
		else if (value.n != 4 || !checksum_ok(whole, value))
			r = bad(why, "the checksum is wrong");
		if (r == -1)
			return -1;
	}
	/* Only TLS gives these. */
	if (!p->tls && (p->client_key.n > 0 || p->exporter.n > 0 ||
	    p->end_point.n > 0 || p->unique.n > 0))
		return bad(why, "a field of TLS without TLS");
	if (p->client_key.n > 0 && !p->client_cert)
		return bad(why, "a client key without its certificate");
	return 0;
}

/* ---- addresses ---- */

static void
take_ip6(const unsigned char *p, struct ip *ip)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
	int port;

	memcpy(&sa.sin6_addr, p, 16);
	ip_from_sockaddr((const struct sockaddr *)&sa, ip, &port);
}

/* Take the addresses off *s. */
static int
parse_addresses(struct preface *p, int family, struct bytes *s,
    const char **why)
{
	size_t size = family == FAMILY_TCP4 ? 12 : family == FAMILY_TCP6 ? 36
	    : family == FAMILY_UNIX ? UNIX_SIZE : 0;
	size_t n = size / 2 - 2;
	struct bytes a;

	if (size == 0 && family != FAMILY_UNKNOWN)
		return bad(why, "an unknown family or not a stream");
	if (!bytes_cut(s, size, &a))
		return bad(why, "the addresses are cut off");
	if (family == FAMILY_TCP4) {
		p->remote.family = p->local.family = AF_INET;
		memcpy(p->remote.a, a.p, n);
		memcpy(p->local.a, a.p + n, n);
	} else if (family == FAMILY_TCP6) {
		take_ip6(a.p, &p->remote);
		take_ip6(a.p + n, &p->local);
	} else {
		return 0;
	}
	p->remote_port = (int)be16_get(a.p + 2 * n);
	p->local_port = (int)be16_get(a.p + 2 * n + 2);
	return 0;
}

/* ---- the whole ---- */

int
preface_parse(struct bytes in, enum preface_from from, struct preface *out,
    size_t *used, const char **why)
{
	struct bytes rest = in, head, whole;
	struct preface p = { .authority = BYTES_EMPTY, .alpn = BYTES_EMPTY,
	    .version = BYTES_EMPTY, .cipher = BYTES_EMPTY,
	    .client_key = BYTES_EMPTY, .exporter = BYTES_EMPTY,
	    .end_point = BYTES_EMPTY, .unique = BYTES_EMPTY };
	size_t size;

	/* What cannot become a header is refused at its first wrong byte. */
	if (!bytes_starts(bytes_of(signature, sizeof(signature)),
	    bytes_first(in, sizeof(signature))))
		return bad(why, "no PROXY protocol header of version 2");
	if (!bytes_cut(&rest, PREFACE_HEAD, &head))
		return 0;
	if (head.p[12] != COMMAND_LOCAL && head.p[12] != COMMAND_PROXY)
		return bad(why, "an unknown version or command");
	size = PREFACE_HEAD + be16_get(head.p + 14);
	if (size > PREFACE_MAX) {
		*why = "the header is too long";
		errno = EMSGSIZE;
		return -1;
	}
	if (in.n < size)
		return 0;
	whole = bytes_first(in, size);
	rest = bytes_from(whole, PREFACE_HEAD);
	if (head.p[12] == COMMAND_LOCAL)
		p.self = true;
	else if (parse_addresses(&p, head.p[13], &rest, why) == -1 ||
	    parse_fields(&p, whole, rest, from, why) == -1)
		return -1;
	*out = p;
	*used = size;
	return 1;
}

int
preface_read(int fd, enum preface_from from, int64_t deadline,
    struct buf *storage, struct preface *out, const char **why)
{
	size_t used, more;
	int r;

	*why = "cannot read the header";
	if (buf_room(storage, PREFACE_MAX) == -1)
		return -1;
	r = io_read_full(fd, storage->p, PREFACE_HEAD, deadline);
	if (r <= 0)
		return r;
	storage->n = PREFACE_HEAD;
	r = preface_parse(buf_bytes(storage), from, out, &used, why);
	if (r != 0)
		return r;
	more = be16_get(storage->p + 14);
	if ((r = io_read_full(fd, storage->p + PREFACE_HEAD, more,
	    deadline)) <= 0) {
		if (r == 0)
			errno = EPROTO;
		*why = "the header is cut off";
		return -1;
	}
	storage->n += more;
	return preface_parse(buf_bytes(storage), from, out, &used, why);
}
