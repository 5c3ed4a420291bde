/* extended.c - extended DNS errors (RFC 8914) */
#include "dns/internal.h"

static const char *const names[] = {	/* RFC 8914 4 */
	"Other Error",
	"Unsupported DNSKEY Algorithm",
	"Unsupported DS Digest Type",
	"Stale Answer",
	"Forged Answer",
	"DNSSEC Indeterminate",
	"DNSSEC Bogus",
	"Signature Expired",
	"Signature Not Yet Valid",
	"DNSKEY Missing",
	"RRSIGs Missing",
	"No Zone Key Bit Set",
	"NSEC Missing",
	"Cached Error",
	"Not Ready",
	"Blocked",
	"Censored",
	"Filtered",
	"Prohibited",
	"Stale NXDomain Answer",
	"Not Authoritative",
	"Not Supported",
	"No Reachable Authority",
	"Network Error",
	"Invalid Data",
};
#define NAMES (sizeof(names) / sizeof(names[0]))
#define OPTION_EDE 15			/* RFC 8914 2 */
#define ESCAPED_MAX (4 * DNS_EXTENDED_TEXT_MAX + 256)

const char *
dns_extended_name(unsigned int code)
{
	return code < NAMES ? names[code] : NULL;
}

static unsigned int
cut16(struct bytes *s)
{
	unsigned int high = (unsigned int)bytes_next(s) & 0xff;

	return high << 8 | ((unsigned int)bytes_next(s) & 0xff);
}

void
dns_extended_read(struct bytes options, struct arena *a,
    struct dns_extended *out)
{
	struct bytes value;
	unsigned int option;

	while (options.n >= 4) {
		option = cut16(&options);
		if (!bytes_cut(&options, cut16(&options), &value))
			return;
		if (option != OPTION_EDE || value.n < 2 || out->there)
			continue;
		out->there = true;
		out->code = cut16(&value);
		/* Some servers end it with a NUL, which RFC 8914 2 allows
		 * for. */
		if (value.n > 0 && value.p[value.n - 1] == '\0')
			value.n--;
		out->text = arena_bytes(a,
		    bytes_first(value, DNS_EXTENDED_TEXT_MAX));
	}
}

const char *
dns_describe(const struct dns_answer *answer, struct arena *a)
{
	const struct dns_extended *e = &answer->extended;
	const char *name = dns_extended_name(e->code);
	struct buf b = BUF_INIT(ESCAPED_MAX);
	const char *text;

	if (!e->there)
		return answer->why;
	/* It fits: each byte becomes four at most. */
	(void)msg_escape(&b, e->text);
	text = arena_printf(a, "%s: %s (%u)%s%.*s", answer->why,
	    name == NULL ? "extended error" : name, e->code,
	    b.n == 0 ? "" : ": ", (int)b.n,
	    b.n == 0 ? "" : (const char *)b.p);
	buf_free(&b);
	return text;
}
