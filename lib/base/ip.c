/* ip.c - IP addresses: text, masks, socket addresses */
#include "base/base.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static const unsigned char v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static void
from_v6(const unsigned char a[16], struct ip *out)
{
	*out = (struct ip){ .family = AF_INET6 };
	if (memcmp(a, v4_mapped, sizeof(v4_mapped)) == 0) {
		out->family = AF_INET;
		memcpy(out->a, a + 12, 4);
	} else {
		memcpy(out->a, a, 16);
	}
}

int
ip_parse(struct bytes s, struct ip *out)
{
	char text[IP_TEXT_MAX];
	unsigned char a[16];

	if (s.n < sizeof(text) && !bytes_has_nul(s)) {
		memcpy(text, s.p, s.n);
		text[s.n] = '\0';
		if (inet_pton(AF_INET, text, a) == 1) {
			*out = (struct ip){ .family = AF_INET };
			memcpy(out->a, a, 4);
			return 0;
		}
		if (inet_pton(AF_INET6, text, a) == 1) {
			from_v6(a, out);
			return 0;
		}
	}
	errno = EBADMSG;
	return -1;
}

/* The first longest run of at least two zero groups; *n 0: none. */
static unsigned int
zero_run(const unsigned int group[8], unsigned int *n)
{
	unsigned int i, j, best = 0;

	*n = 0;
	for (i = 0; i < 8; i = j + 1) {
		for (j = i; j < 8 && group[j] == 0; j++)
			continue;
		if (j - i > *n && j - i >= 2) {
			*n = j - i;
			best = i;
		}
	}
	return best;
}

/* In decimal; how many bytes. inet_ntop, by way of printf, takes ten times as
 * long, and each message has its addresses written again and again. */
static size_t
put_octet(char *out, unsigned int v)
{
	size_t n = 0;

	if (v >= 100)
		out[n++] = (char)('0' + v / 100);
	if (v >= 10)
		out[n++] = (char)('0' + v / 10 % 10);
	out[n++] = (char)('0' + v % 10);
	return n;
}

const char *
ip_format(const struct ip *ip, char out[IP_TEXT_MAX])
{
	unsigned int group[8], i, at, n;
	size_t used = 0;
	int r;

	if (ip->family == AF_INET) {
		for (i = 0; i < 4; i++) {
			used += put_octet(out + used, ip->a[i]);
			out[used++] = i < 3 ? '.' : '\0';
		}
		return out;
	}
	if (ip->family != AF_INET6)
		return memcpy(out, "unknown", sizeof("unknown"));
	for (i = 0; i < 8; i++)
		group[i] = (unsigned int)ip->a[2 * i] << 8 | ip->a[2 * i + 1];
	at = zero_run(group, &n);
	for (i = 0; i < 8; i++) {
		if (n > 0 && i == at) {
			out[used++] = ':';
			if (at + n == 8)
				out[used++] = ':';
			i += n - 1;
			continue;
		}
		r = snprintf(out + used, IP_TEXT_MAX - used, "%s%x",
		    i == 0 ? "" : ":", group[i]);
		if (r > 0)	/* at most five bytes a group: always fits */
			used += (size_t)r;
	}
	out[used] = '\0';
	return out;
}

static unsigned int
width_bits(const struct ip *ip)
{
	return ip->family == AF_INET ? 32 : ip->family == AF_INET6 ? 128 : 0;
}

unsigned int
ip_net_bits(bool v6, unsigned int i)
{
	static const unsigned char bits[2][IP_NETS] = { { 32, 26, 21 },
	    { 64, 48, 32 } };

	return bits[v6][i];
}

struct ip
ip_mask(const struct ip *ip, unsigned int bits)
{
	struct ip r = { .family = ip->family };

	if (bits > width_bits(ip))
		bits = width_bits(ip);
	memcpy(r.a, ip->a, bits / 8);
	if (bits % 8 != 0) {
		r.a[bits / 8] = (unsigned char)(ip->a[bits / 8] &
		    (0xff00 >> bits % 8 & 0xff));
	}
	return r;
}

bool
ip_eq(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->a, b->a, 16) == 0;
}

bool
ip_in_net(const struct ip *ip, const struct ip *net, unsigned int bits)
{
	struct ip a = ip_mask(ip, bits), b = ip_mask(net, bits);

	return ip->family != 0 && ip_eq(&a, &b);
}

bool
ip_is_loopback(const struct ip *ip)
{
	static const struct ip one = { .a = { [15] = 1 }, .family = AF_INET6 };

	if (ip->family == AF_INET)
		return ip->a[0] == 127;
	return ip_eq(ip, &one);
}

void
ip_from_sockaddr(const struct sockaddr *sa, struct ip *out, int *port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	*out = (struct ip){ .family = 0 };
	*port = 0;
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		out->family = AF_INET;
		memcpy(out->a, &v4.sin_addr, 4);
		*port = ntohs(v4.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		from_v6(v6.sin6_addr.s6_addr, out);
		*port = ntohs(v6.sin6_port);
	}
}

size_t
ip_to_sockaddr(const struct ip *ip, int port, struct sockaddr_storage *sa)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memset(sa, 0, sizeof(*sa));
	if (ip->family == AF_INET) {
		v4.sin_port = htons((uint16_t)port);
		memcpy(&v4.sin_addr, ip->a, 4);
		memcpy(sa, &v4, sizeof(v4));
		return sizeof(v4);
	}
	v6.sin6_port = htons((uint16_t)port);
	memcpy(&v6.sin6_addr, ip->a, 16);
	memcpy(sa, &v6, sizeof(v6));
	return sizeof(v6);
}
