/* sha256.c - SHA-256 of FIPS 180-4, for names and keys of our own */
#include "base/base.h"

static const uint32_t K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
	0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
	0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152,
	0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
	0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
	0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
	0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t
rotr(uint32_t v, unsigned int n)
{
	return v >> n | v << (32 - n);
}

/* Sums are meant to wrap; in 64 bits, so that no sanitizer asks. */
static uint32_t
sum(uint64_t v)
{
	return (uint32_t)(v & UINT32_MAX);
}

/* Round n of eight; after each the standard renames its a to h. */
static inline void
one_round(uint32_t v[8], unsigned int n, uint32_t kw)
{
	uint32_t a = v[(8 - n) % 8], b = v[(9 - n) % 8], c = v[(10 - n) % 8];
	uint32_t *d = &v[(11 - n) % 8], e = v[(12 - n) % 8];
	uint32_t f = v[(13 - n) % 8], g = v[(14 - n) % 8];
	uint32_t *h = &v[(15 - n) % 8];
	uint32_t s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
	uint32_t s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
	uint32_t t1 = sum((uint64_t)*h + s1 + (g ^ (e & (f ^ g))) + kw);

	*d = sum((uint64_t)*d + t1);
	*h = sum((uint64_t)t1 + s0 + ((a & b) | (c & (a | b))));
}

static void
compress(uint32_t h[8], const unsigned char block[64])
{
	uint32_t w[64], v[8], s0, s1;
	unsigned int i;

	for (i = 0; i < 16; i++)
		w[i] = be32_get(block + 4 * i);
	for (; i < 64; i++) {
		s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
		s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
		w[i] = sum((uint64_t)w[i - 16] + s0 + w[i - 7] + s1);
	}
	memcpy(v, h, sizeof(v));
	/* by eight: nothing moves, and v stays in registers */
	for (i = 0; i < 64; i += 8) {
		one_round(v, 0, sum((uint64_t)K[i] + w[i]));
		one_round(v, 1, sum((uint64_t)K[i + 1] + w[i + 1]));
		one_round(v, 2, sum((uint64_t)K[i + 2] + w[i + 2]));
		one_round(v, 3, sum((uint64_t)K[i + 3] + w[i + 3]));
		one_round(v, 4, sum((uint64_t)K[i + 4] + w[i + 4]));
		one_round(v, 5, sum((uint64_t)K[i + 5] + w[i + 5]));
		one_round(v, 6, sum((uint64_t)K[i + 6] + w[i + 6]));
		one_round(v, 7, sum((uint64_t)K[i + 7] + w[i + 7]));
	}
	for (i = 0; i < 8; i++)
		h[i] = sum((uint64_t)h[i] + v[i]);
}

void
sha256_init(struct sha256 *s)
{
	*s = (struct sha256){ .h = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	} };
}

void
sha256_add(struct sha256 *s, struct bytes b)
{
	size_t have = (size_t)(s->length_bytes % 64), take;

	s->length_bytes += b.n;
	if (have > 0) {
		take = b.n < 64 - have ? b.n : 64 - have;
		memcpy(s->block + have, b.p, take);
		b = bytes_from(b, take);
		if (have + take < 64)
			return;
		compress(s->h, s->block);
	}
	for (; b.n >= 64; b = bytes_from(b, 64))
		compress(s->h, b.p);
	memcpy(s->block, b.p, b.n);
}

void
sha256_end(struct sha256 *s, unsigned char out[32])
{
	static const unsigned char padding[64] = { 0x80 };
	unsigned char bits[8];
	size_t have = (size_t)(s->length_bytes % 64), i;

	be64_put(bits, s->length_bytes << 3);
	sha256_add(s, bytes_of(padding, have < 56 ? 56 - have : 120 - have));
	sha256_add(s, bytes_of(bits, sizeof(bits)));
	for (i = 0; i < 8; i++)
		be32_put(out + 4 * i, s->h[i]);
	secret_wipe(s, sizeof(*s));
}

void
sha256_of(struct bytes b, unsigned char out[32])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, b);
	sha256_end(&s, out);
}

void
hmac_sha256(const unsigned char key[32], const struct bytes *pieces,
    size_t n, unsigned char out[32])
{
	unsigned char pad[64];
	struct sha256 s;
	size_t i;

	for (i = 0; i < sizeof(pad); i++)
		pad[i] = (i < 32 ? key[i] : 0) ^ 0x36;
	sha256_init(&s);
	sha256_add(&s, bytes_of(pad, sizeof(pad)));
	for (i = 0; i < n; i++)
		sha256_add(&s, pieces[i]);
	sha256_end(&s, out);
	for (i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	sha256_init(&s);
	sha256_add(&s, bytes_of(pad, sizeof(pad)));
	sha256_add(&s, bytes_of(out, 32));
	sha256_end(&s, out);
	secret_wipe(pad, sizeof(pad));
	secret_wipe(&s, sizeof(s));
}
