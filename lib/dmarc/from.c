/*
 * from.c - the From domain (RFC 7489 6.6.1)
 */
#include "dmarc/dmarc.h"

#include <errno.h>

#include "addr/addr.h"
#include "mime/mime.h"

static int
fail(const char **why, const char *text)
{
	*why = text;
	errno = EBADMSG;
	return -1;
}

/* The one From field; a second one makes the message ambiguous. */
static int
find_field(struct bytes message, struct bytes *body, const char **why)
{
	struct bytes header, rest;
	struct mime_field f;
	size_t n = 0;

	mime_split(message, &header, &rest);
	while (n < 2 && mime_next_field(&header, &f)) {
		if (!bytes_caseeq(f.name, BYTES("From")))
			continue;
		if (n++ == 0)
			*body = f.body;
	}
	if (n == 0)
		return fail(why, "no From field");
	return n == 1 ? 0 : fail(why, "several From fields");
}

int
dmarc_from_domain(struct arena *a, struct bytes message,
    struct bytes *domain, const char **why)
{
	const struct addr_member *m;
	struct addr_list list;
	struct bytes body = BYTES_EMPTY, unicode, ascii;
	const char *ignored;

	if (find_field(message, &body, why) == -1)
		return -1;
	addr_parse_list(a, body, &list);
	m = addr_next_mailbox(list.first);
	if (m == NULL)
		return fail(why, "no address in From");
	if (!addr_is_only(&list, m))
		return fail(why, "several addresses in From");
	/* A local part that is none does not hide the domain. */
	if (addr_parse_domain(a, m->domain, ADDR_SMTPUTF8, &unicode, &ascii,
	    &ignored) == -1)
		return fail(why, "no domain name in From");
	*domain = ascii;
	return 0;
}
