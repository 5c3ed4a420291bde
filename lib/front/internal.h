/* internal.h - shared by the files of lib/front */
#ifndef FRONT_INTERNAL_H
#define FRONT_INTERNAL_H

#include "front/front.h"

/* tls-serve ends handshakes by a time-out of its own; this is for when it
 * does not answer at all. */
#define FRONT_HANDSHAKE_SLACK_MS 5000

void front_log_failure(const struct front *f, const char *event,
    const char *why);
void front_log_secured(const struct front *f);
/* What the client may name by ALPN. */
void front_alpn(const struct front_options *o, struct tlsreq *req);
/* In a child: what the parent did. As front_begin. */
int front_resume(struct front *f);

#endif
