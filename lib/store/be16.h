/* be16.h - numbers of two bytes in records: a part of internal.h */
#ifndef STORE_BE16_H
#define STORE_BE16_H

#include "base/base.h"

static inline void
be16_put(unsigned char out[2], uint32_t v)
{
	out[0] = (unsigned char)(v >> 8 & 0xff);
	out[1] = (unsigned char)(v & 0xff);
}
static inline uint32_t
be16_get(const unsigned char in[2])
{
	return (uint32_t)in[0] << 8 | in[1];
}

#endif
