/*
 * origin_fuzz.c - facts of a sender, of any message
 *
 * What is told is well formed; and whatever stands below our own Received
 * field vouches for nothing.
 */
#include <stdint.h>
#include <stdlib.h>

#include "addr/addr.h"
#include "origin/origin.h"

static const char above[] = "Return-Path: <>\n"
    "Authentication-Results: mail.test; none\n"
    "Received: from h.org (unknown [192.0.2.1]) by mail.test with SMTP; x\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
check_domain(struct arena *a, struct bytes domain)
{
	struct bytes unicode, ascii;
	const char *why;

	if (domain.n == 0)
		return;
	must(addr_parse_domain(a, domain, 0, &unicode, &ascii, &why) == 0);
	must(bytes_eq(domain, ascii));
}

static void
check(struct arena *a, const struct origin *o)
{
	check_domain(a, o->from_domain);
	check_domain(a, o->mail_from_domain);
	check_domain(a, o->helo);
	must(o->ndkim <= ORIGIN_DKIM_MAX);
	for (size_t i = 0; i < o->ndkim; i++) {
		check_domain(a, o->dkim[i]);
		for (size_t k = 0; k < i; k++)
			must(!bytes_eq(o->dkim[i], o->dkim[k]));
	}
	must(!o->from_validated || o->from_domain.n > 0);
	must(!o->mail_from_validated || o->mail_from_domain.n > 0);
	must(!o->helo_validated || o->helo.n > 0);
	must(o->from_domain.n == 0 || bytes_ends(o->from_domain,
	    o->from_org));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	struct origin o;

	if (origin_of_stored(&a, in, BYTES("mail.test"), &o))
		check(&a, &o);
	else
		must(origin_is_empty(&o));
	(void)buf_adds(&b, above);	/* no bound, here and below */
	(void)buf_add(&b, in);
	must(origin_of_stored(&a, buf_bytes(&b), BYTES("mail.test"), &o));
	check(&a, &o);
	must(o.ndkim == 0 && !o.from_validated && !o.mail_from_validated &&
	    !o.helo_validated);
	buf_free(&b);
	arena_free(&a);
	return 0;
}
