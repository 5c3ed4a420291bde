/*
 * psl.h - public suffixes: which domains are registries, which
 * organisational
 *
 * The list is the one libpsl has built in (publicsuffix.org), compared
 * without case in A-label form; an unlisted top-level domain is a suffix
 * (the list's "*" rule). "localhost" is never delegated (RFC 6761 6.3) and
 * counts as an ordinary domain, so that a local set-up can be tested.
 */
#ifndef PSL_H
#define PSL_H

#include "base/base.h"

/* Names longer than DNS allows are no suffix. */
#define PSL_DOMAIN_MAX 255

/*
 * True if nobody can register exactly this domain (A-3: no signature by a
 * public suffix). A trailing dot is ignored; the empty domain is one.
 */
bool psl_domain_is_suffix(struct bytes domain);

/*
 * The organisational domain (RFC 7489 3.2): the public suffix and one label
 * more, lower case, owned by the arena; the domain itself where it is a
 * suffix or malformed.
 */
struct bytes psl_organisational_domain(struct arena *a, struct bytes domain);

#endif
