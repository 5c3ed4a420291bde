/* dane_check.h - shared by the files of dane-check */
#ifndef DANE_CHECK_H
#define DANE_CHECK_H

#include "base/base.h"
#include "dane/dane.h"
#include "dns/dns.h"
#include "tlsc/tlsc.h"

/* From best to worst, so that a domain is as good as its worst host. */
enum verdict { VERIFIED, NO_DANE, UNUSABLE, FAIL, DEFER, VERDICTS };

struct check {
	struct arena arena;
	struct buf out;
	struct dns *dns;
	struct tlsc_ctx *tls;
	struct bytes chain[DANE_CHAIN_MAX];	/* -f: not connected to */
	size_t nchain;
	int port;
	int64_t timeout_ms;
	bool quiet, no_mx;
};

/* A line of columns for what happened: c->quiet leaves it out. */
void show(struct check *c, const char *what, struct bytes subject,
    const char *detail);

/* A host by its name, or the hosts of a domain; each with its verdict. */
enum verdict check_name(struct check *c, struct bytes name);

/*
 * Connect to the address, say EHLO and STARTTLS, and make the handshake. The
 * deadline is for all of it. 0 with the finding (a check that failed is one,
 * since none is enforced) and facts; -1 with *why: no handshake was made.
 */
int dial(struct check *c, const struct ip *ip, const struct dane *dane,
    struct tlsc_finding *finding, struct tlsc_facts *facts,
    const char **why);

#endif
