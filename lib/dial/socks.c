/*
 * socks.c - what a SOCKS5 proxy says (RFC 1928, 1929)
 *
 * After its last answer the words of the host begin, which speaks first: so
 * never a byte more is read than an answer has.
 */
#include "dial/dial.h"

#include <errno.h>

enum {
	SOCKS_VERSION = 5,
	SOCKS_LOGIN_VERSION = 1,
	SOCKS_IPV4 = 1,
	SOCKS_NAME = 3,
	SOCKS_IPV6 = 4,
};

static ssize_t
malformed(const char **why, const char *text)
{
	*why = text;
	errno = EPROTO;
	return -1;
}

/* Octets of a reply whose first n there are; as many as are sure by now. */
static ssize_t
reply_size(struct bytes got, const char **why)
{
	if (got.n < 4)
		return 4;
	if (got.p[1] != 0)	/* refused: nothing else counts */
		return 4;
	switch (got.p[3]) {
	case SOCKS_IPV4:
		return 4 + 4 + 2;
	case SOCKS_IPV6:
		return 4 + 16 + 2;
	case SOCKS_NAME:
		return got.n < 5 ? 5 : 5 + got.p[4] + 2;
	default:
		return malformed(why, "the proxy's answer is malformed");
	}
}

ssize_t
dial_socks_need(enum dial_socks step, struct bytes got, const char **why)
{
	ssize_t size = 2;

	if (got.n > 0 && got.p[0] != (step == DIAL_SOCKS_LOGIN
	    ? SOCKS_LOGIN_VERSION : SOCKS_VERSION))
		return malformed(why, "it is no SOCKS5 proxy");
	if (step == DIAL_SOCKS_REPLY && (size = reply_size(got, why)) == -1)
		return -1;
	return size > (ssize_t)got.n ? size - (ssize_t)got.n : 0;
}

const char *
dial_socks_refusal(int code)
{
	static const char *const texts[] = {
		[0] = "the proxy refuses, with an unknown code",
		[1] = "the proxy failed",
		[2] = "the proxy's rules do not allow it",
		[3] = "the proxy cannot reach the network",
		[4] = "the proxy cannot reach the host",
		[5] = "the host refuses the proxy's connection",
		[6] = "the host does not answer the proxy",
		[7] = "the proxy does not know the command",
		[8] = "the proxy does not know this kind of address",
	};

	size_t n = code < 0 ? 0 : (size_t)code;

	return texts[n < sizeof(texts) / sizeof(texts[0]) ? n : 0];
}
