/*
 * cram.c - CRAM-MD5 (RFC 2195) from HMAC-MD5 pad states
 *
 * HMAC needs the password only to hash one block for each pad; the two MD5
 * states after that are what is stored (U-6). No library goes on from a
 * stored state, so MD5 (RFC 1321) is here; nothing else may use it.
 */
#include "sasl/internal.h"

#include "os/os.h"

/* RFC 1321 3.4: floor(2^32 * abs(sin(i + 1))). */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee,
	0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
	0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
	0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
	0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
	0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
	0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const unsigned char turns[4][4] = {
	{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 },
	{ 6, 10, 15, 21 },
};

static uint32_t
le32_get(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static void
le32_put(unsigned char *p, uint32_t v)
{
	p[0] = v & 0xff;
	p[1] = v >> 8 & 0xff;
	p[2] = v >> 16 & 0xff;
	p[3] = v >> 24 & 0xff;
}

/* Sums are modulo 2^32 by the definition of unsigned arithmetic. */
static uint32_t
sum(uint32_t a, uint32_t b)
{
	return (uint32_t)(((uint64_t)a + b) & UINT32_MAX);
}

static uint32_t
rotate(uint32_t v, unsigned int n)
{
	return (uint32_t)(((uint64_t)v << n | v >> (32 - n)) & UINT32_MAX);
}

static void
md5_block(uint32_t h[4], const unsigned char block[64])
{
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], f, t;
	unsigned int i, k;

	for (i = 0; i < 64; i++) {
		switch (i / 16) {
		case 0:
			f = (b & c) | (~b & d);
			k = i;
			break;
		case 1:
			f = (d & b) | (~d & c);
			k = (5 * i + 1) % 16;
			break;
		case 2:
			f = b ^ c ^ d;
			k = (3 * i + 5) % 16;
			break;
		default:
			f = c ^ (b | ~d);
			k = 7 * i % 16;
			break;
		}
		t = sum(sum(a, f), sum(sines[i], le32_get(block + 4 * k)));
		a = d;
		d = c;
		c = b;
		b = sum(b, rotate(t, turns[i / 16][i % 4]));
	}
	h[0] = sum(h[0], a);
	h[1] = sum(h[1], b);
	h[2] = sum(h[2], c);
	h[3] = sum(h[3], d);
}

static const uint32_t md5_start[4] = {
	0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
};

/* Go on with s after before bytes (a multiple of 64) and end. */
static void
md5_end(uint32_t h[4], uint64_t before, struct bytes s, unsigned char out[16])
{
	unsigned char block[64];
	uint64_t bits = (before + s.n) * 8;
	struct bytes part;
	size_t i;

	while (bytes_cut(&s, sizeof(block), &part))
		md5_block(h, part.p);
	memset(block, 0, sizeof(block));
	memcpy(block, s.p, s.n);
	block[s.n] = 0x80;
	if (s.n >= 56) {
		md5_block(h, block);
		memset(block, 0, sizeof(block));
	}
	le32_put(block + 56, (uint32_t)(bits & UINT32_MAX));
	le32_put(block + 60, (uint32_t)(bits >> 32));
	md5_block(h, block);
	for (i = 0; i < 4; i++)
		le32_put(out + 4 * i, h[i]);
	secret_wipe(block, sizeof(block));
}

void
sasl_cram_pads(struct bytes password, unsigned char out[SASL_CRAM_BYTES])
{
	static const unsigned char pad[2] = { 0x36, 0x5c };
	unsigned char key[64] = { 0 }, block[64];
	uint32_t h[4];
	size_t i, j;

	if (password.n > sizeof(key)) {
		memcpy(h, md5_start, sizeof(h));
		md5_end(h, 0, password, key);
	} else {
		memcpy(key, password.p, password.n);
	}
	for (i = 0; i < 2; i++) {
		for (j = 0; j < sizeof(block); j++)
			block[j] = key[j] ^ pad[i];
		memcpy(h, md5_start, sizeof(h));
		md5_block(h, block);
		for (j = 0; j < 4; j++)
			le32_put(out + 16 * i + 4 * j, h[j]);
	}
	secret_wipe(key, sizeof(key));
	secret_wipe(block, sizeof(block));
	secret_wipe(h, sizeof(h));
}

void
sasl_cram_digest(const unsigned char pads[SASL_CRAM_BYTES], struct bytes text,
    unsigned char out[16])
{
	unsigned char inner[16];
	uint32_t h[2][4];
	size_t i;

	for (i = 0; i < 4; i++) {
		h[0][i] = le32_get(pads + 4 * i);
		h[1][i] = le32_get(pads + 16 + 4 * i);
	}
	md5_end(h[0], 64, text, inner);
	md5_end(h[1], 64, bytes_of(inner, sizeof(inner)), out);
	secret_wipe(h, sizeof(h));
}

/* ---- the mechanism ---- */

void
sasl_cram_greet(struct sasl *s, struct buf *challenge)
{
	unsigned char random[16];
	struct buf hex = BUF_INIT(2 * sizeof(random));

	if (s->nonce[0] == '\0') {
		/* RFC 2195 2: the form of a message id, never the same. */
		os_random(random, sizeof(random));
		(void)hex_encode(&hex, bytes_of(random, sizeof(random)));
		s->nonce[0] = '<';
		memcpy(s->nonce + 1, hex.p, hex.n);
		memcpy(s->nonce + 1 + hex.n, "@pipemail>", 11);
		buf_free(&hex);
	}
	buf_adds(challenge, s->nonce);
}

enum sasl_action
sasl_cram_step(struct sasl *s, struct bytes response, struct buf *challenge)
{
	size_t at;

	(void)challenge;	/* there is one only */
	if (s->nonce[0] == '\0' || s->step++ > 0)
		return sasl_malformed(s, "response out of turn");
	/* A name may hold blanks; the digest is 32 lower-case hex digits. */
	if (!bytes_rchr(response, ' ', &at) || at == 0 ||
	    response.n - at - 1 != 32 || bytes_has_nul(response))
		return sasl_malformed(s, "not a name and a digest");
	if (!sasl_text_set(&s->authcid, bytes_first(response, at),
	    SASL_NAME_MAX))
		return sasl_malformed(s, "name too long");
	(void)sasl_text_set(&s->password, bytes_from(response, at + 1), 32);
	return SASL_SECRETS;
}

enum sasl_action
sasl_cram_know(struct sasl *s, struct buf *challenge)
{
	unsigned char digest[16];
	struct buf hex = BUF_INIT(32);
	bool found = false;
	size_t i;

	(void)challenge;
	for (i = 0; i < s->secrets.count; i++) {
		sasl_cram_digest(s->secrets.secret[i].cram,
		    bytes_str(s->nonce), digest);
		buf_reset(&hex);
		(void)hex_encode(&hex, bytes_of(digest, sizeof(digest)));
		if (bytes_equal_secret(buf_bytes(&hex),
		    sasl_text_bytes(&s->password))) {
			s->matched = i;
			found = true;
		}
	}
	buf_free(&hex);
	if (found)
		return SASL_PROVEN;
	s->why = s->secrets.why != NULL ? s->secrets.why : "wrong password";
	return SASL_REFUSED;
}
