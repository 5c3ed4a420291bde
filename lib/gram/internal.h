/*
 * internal.h - for the tests of lib/gram: both ways to hash
 */
#ifndef GRAM_INTERNAL_H
#define GRAM_INTERNAL_H

#include "gram/gram.h"

/* Whether this processor has the vectors that gram_set_new makes use of. */
bool gram_has_vectors(void);
/* gram_set_new, with them (they must be there) or as for any processor. */
struct gram_set *gram_set_new_as(bool by_vectors);

#endif
