/*
 * eight.h - eight bytes at a time, as one number
 *
 * For what goes over whole messages. The first byte is the lowest one of the
 * number on every machine. A question is answered by the top bit of each byte
 * that is so; all other bits are 0.
 */
#ifndef BASE_EIGHT_H
#define BASE_EIGHT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Eight times the byte c. */
#define EIGHT(c) (UINT64_C(0x0101010101010101) * (c))
#define EIGHT_TOP EIGHT(0x80U)

static inline uint64_t
eight_get(const unsigned char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	return x;
}

static inline void
eight_put(unsigned char *p, uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	memcpy(p, &x, sizeof(x));
}

/* Which are c. */
static inline uint64_t
eight_is(uint64_t x, unsigned char c)
{
	x ^= EIGHT(c);
	return ~(((x & ~EIGHT_TOP) + ~EIGHT_TOP) | x) & EIGHT_TOP;
}

/* Which are below c, which is at most 0x80. */
static inline uint64_t
eight_below(uint64_t x, unsigned char c)
{
	return ~(((x & ~EIGHT_TOP) + EIGHT(0x80U - c)) | x) & EIGHT_TOP;
}

/* Which are from first to last, both of ASCII. */
static inline uint64_t
eight_within(uint64_t x, unsigned char first, unsigned char last)
{
	return eight_below(x, (unsigned char)(last + 1)) &
	    ~eight_below(x, first);
}

/* An answer as eight bits, the first byte's being the lowest. */
static inline uint64_t
eight_gather(uint64_t answer)
{
	return (answer >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* The first byte of which it is so; 8: none. */
static inline size_t
eight_first(uint64_t answer)
{
	return answer == 0 ? 8 : (size_t)__builtin_ctzll(answer) / 8;
}

/*
 * Copy n bytes up to the first CR, LF or NUL; how many these are. Behind them
 * out is written to, too, within n.
 */
static inline size_t
eight_copy_line(unsigned char *out, const unsigned char *p, size_t n)
{
	uint64_t v, w, found;
	size_t i = 0, k;

	for (; n - i >= 16; i += 16) {
		v = eight_get(p + i);
		w = eight_get(p + i + 8);
		eight_put(out + i, v);
		eight_put(out + i + 8, w);
		v = eight_below(v, '\r' + 1);
		w = eight_below(w, '\r' + 1);
		if ((v | w) == 0)
			continue;
		/* few bytes are below 0x0e, and most of them it is */
		found = eight_gather(v) | eight_gather(w) << 8;
		for (; found != 0; found &= found - 1) {
			k = i + (size_t)__builtin_ctzll(found);
			if (p[k] == '\n' || p[k] == '\r' || p[k] == '\0')
				return k;
		}
	}
	for (; i < n && p[i] != '\n' && p[i] != '\r' && p[i] != '\0'; i++)
		out[i] = p[i];
	return i;
}

#endif
