/* internal.h - shared by the files of lib/dnsbl */
#ifndef DNSBL_INTERNAL_H
#define DNSBL_INTERNAL_H

#include "dnsbl/dnsbl.h"

/* health.c. h may be NULL: nothing is known, nothing is kept. UNKNOWN is not
 * kept either. now is time_mono_ms. */
bool dnsbl_health_get(struct dnsbl_health *h, struct bytes zone, int family,
    int64_t now, enum dnsbl_state *state);
void dnsbl_health_put(struct dnsbl_health *h, struct bytes zone, int family,
    int64_t now, enum dnsbl_state state);

#endif
