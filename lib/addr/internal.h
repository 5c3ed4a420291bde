/*
 * internal.h - shared by the files of lib/addr only
 */
#ifndef ADDR_INTERNAL_H
#define ADDR_INTERNAL_H

#include "addr/addr.h"

/* RFC 5322 3.2.3 atext, and every byte beyond ASCII (RFC 6532 3.2). */
static inline bool
addr_is_atext(int c)
{
	return ascii_is_alnum(c) || c >= 0x80 ||
	    (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

#endif
