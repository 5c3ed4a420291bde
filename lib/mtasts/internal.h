/* internal.h - shared by the files of lib/mtasts */
#ifndef MTASTS_INTERNAL_H
#define MTASTS_INTERNAL_H

#include "mtasts/mtasts.h"

/* sts-ext-name of RFC 8461 3.1 and sts-policy-ext-name of 3.2. */
bool mtasts_is_field_name(struct bytes s);
/* Copies of name and value in the arena. */
struct mtasts_field mtasts_field_copy(struct arena *a, struct bytes name,
    struct bytes value);

/* As mtasts_policy_parse, for text of our own making, which may be longer
 * than what it was made from. */
int mtasts_policy_read(struct bytes text, struct arena *a,
    struct mtasts_policy *out, const char **why);

/* An entry as its value in the cache. -1 EMSGSIZE. */
int mtasts_entry_format(const struct mtasts_entry *e, struct buf *out);
/* Everything in the arena. -1 EBADMSG: not of this version, or damaged. */
int mtasts_entry_parse(struct bytes s, struct arena *a,
    struct mtasts_entry *out);
#define MTASTS_ENTRY_MAX (2 * MTASTS_POLICY_MAX + 128)

#endif
