/*
 * route.h - by which transport a recipient's mail goes
 *
 * A route is one value of the key `route`, in account.conf, domain.conf or
 * main.conf's [queue], tried in that order, the first that matches wins:
 *
 *	route = TRANSPORT [from DOMAIN ...] [to DOMAIN ...] [attempts N]
 *
 * A DOMAIN with a dot in front means it and what is below it. TRANSPORT is a
 * section [transport "NAME"], or "direct". Recipients of our own domains go
 * to the transport "local" (U-19).
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "base/base.h"
#include "config/config.h"
#include "queue/job.h"

struct route_query {
	struct bytes account;
	struct bytes sender_domain, rcpt_domain;	/* A-labels, lower */
	struct bytes chosen;	/* a transport set by hand; empty: none */
	uint64_t attempts;
};
/*
 * The name of the transport ("": direct). Never fails; a name that is not
 * configured (any more) is returned as it is, route_transport tells.
 */
struct bytes route_find(const struct config *c, const struct route_query *q);
/*
 * The key it is scheduled under, in the arena: the domain for direct mail,
 * "transport:NAME/DOMAIN" for a transport that goes to the domain's hosts
 * itself (type direct), since another domain's mail has no business there;
 * else "transport:NAME".
 */
struct bytes route_dest(struct arena *a, const struct config *c,
    struct bytes transport, struct bytes rcpt_domain);
/* The transport in such a key; empty: none. */
struct bytes route_dest_transport(struct bytes dest);
/*
 * The settings of a transport, secrets read from their files, in the arena.
 * -1: ENOENT not configured, EACCES and others a file; *why names it.
 */
int route_transport(struct arena *a, const struct config *c,
    struct bytes name, struct transport *t, const char **why);

#endif
