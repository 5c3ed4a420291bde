#include "dns/internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static const struct {
	enum dns_type type;
	const char *name;
} types[] = {
	{ DNS_A, "A" },
	{ DNS_AAAA, "AAAA" },
	{ DNS_CNAME, "CNAME" },
	{ DNS_MX, "MX" },
	{ DNS_PTR, "PTR" },
	{ DNS_TLSA, "TLSA" },
	{ DNS_TXT, "TXT" },
};

int
dns_type_parse(struct bytes s, enum dns_type *out)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (bytes_caseeq(s, bytes_str(types[i].name))) {
			*out = types[i].type;
			return 0;
		}
	}
	errno = EINVAL;
	return -1;
}

const char *
dns_type_name(enum dns_type type)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == type)
			return types[i].name;
	}
	return "?";
}

const char *
dns_status_name(enum dns_status status)
{
	switch (status) {
	case DNS_OK:
		return "ok";
	case DNS_NODATA:
		return "nodata";
	case DNS_NXDOMAIN:
		return "nxdomain";
	case DNS_TEMP:
		return "temperror";
	case DNS_BAD:
		break;
	}
	return "malformed";
}

struct bytes
dns_name_trim(struct bytes name)
{
	if (name.n > 0 && bytes_at(name, name.n - 1) == '.')
		return bytes_first(name, name.n - 1);
	return name;
}

bool
dns_name_valid(struct bytes name)
{
	struct bytes rest = dns_name_trim(name), label;
	bool more = true;

	if (rest.n == 0 || rest.n > DNS_NAME_MAX || bytes_has_nul(rest))
		return false;
	while (more) {
		more = bytes_split(&rest, '.', &label);
		if (label.n == 0 || label.n > DNS_LABEL_MAX)
			return false;
	}
	return true;
}

bool
dns_name_eq(struct bytes a, struct bytes b)
{
	return bytes_caseeq(dns_name_trim(a), dns_name_trim(b));
}

bool
dns_name_below(struct bytes name, struct bytes domain)
{
	name = dns_name_trim(name);
	domain = dns_name_trim(domain);
	if (domain.n == 0 || name.n == domain.n)
		return domain.n == 0 || bytes_caseeq(name, domain);
	return name.n > domain.n && bytes_caseends(name, domain) &&
	    bytes_at(name, name.n - domain.n - 1) == '.';
}

struct bytes
dns_name_canonical(struct arena *a, struct bytes name)
{
	return arena_lower(a, dns_name_trim(name));
}

const char *
dns_reverse(const struct ip *ip, char out[DNS_REVERSE_MAX])
{
	const unsigned char *p = ip->a;
	static const char hex[] = "0123456789abcdef";
	int i, n = 0;

	if (ip->family == AF_INET) {
		n = snprintf(out, DNS_REVERSE_MAX, "%u.%u.%u.%u.in-addr.arpa",
		    p[3], p[2], p[1], p[0]);
		return n > 0 ? out : "";
	}
	for (i = 15; i >= 0; i--) {
		out[n++] = hex[p[i] & 15];
		out[n++] = '.';
		out[n++] = hex[p[i] >> 4];
		out[n++] = '.';
	}
	memcpy(out + n, "ip6.arpa", sizeof("ip6.arpa"));
	return out;
}

int
dns_name_put(struct buf *out, struct bytes name)
{
	struct bytes rest = dns_name_trim(name), label;
	bool more = rest.n > 0;

	while (more) {
		more = bytes_split(&rest, '.', &label);
		if (buf_addc(out, (int)label.n) == -1 ||
		    buf_add(out, label) == -1)
			return -1;
	}
	return buf_addc(out, 0);
}

/* Add one label to the text; false if it does not fit or cannot be told. */
static bool
label_add(struct bytes label, char text[DNS_NAME_MAX], size_t *n)
{
	int c;

	if (*n + (*n > 0) + label.n > DNS_NAME_MAX)
		return false;
	if (*n > 0)
		text[(*n)++] = '.';
	while ((c = bytes_next(&label)) != -1) {
		if (c == '\0' || c == '.')
			return false;
		text[(*n)++] = (char)ascii_lower(c);
	}
	return true;
}

/*
 * A compression pointer must lead before the piece it stands in, so that the
 * places visited go down only and no circle is possible (RFC 1035 4.1.4).
 */
bool
dns_name_get(struct bytes msg, struct bytes *rest, struct arena *a,
    struct bytes *name)
{
	struct bytes s = *rest, end = *rest, label;
	size_t limit = msg.n - rest->n, n = 0, to;
	char text[DNS_NAME_MAX];
	bool jumped = false;
	int c, d;

	while ((c = bytes_next(&s)) > 0) {
		if (c < 0xc0) {
			if (c > DNS_LABEL_MAX ||
			    !bytes_cut(&s, (size_t)c, &label) ||
			    !label_add(label, text, &n))
				return false;
			continue;
		}
		if ((d = bytes_next(&s)) == -1)
			return false;
		if (!jumped)
			end = s;
		jumped = true;
		to = ((size_t)c & 0x3f) << 8 | (size_t)d;
		if (to >= limit)
			return false;
		limit = to;
		s = bytes_from(msg, to);
	}
	if (c == -1)
		return false;
	*rest = jumped ? end : s;
	*name = arena_bytes(a, bytes_of(text, n));
	return true;
}
