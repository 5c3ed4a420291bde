/*
 * idna.c - internationalised domain names, by libidn2
 */
#include "unicode/unicode.h"

#include <errno.h>
#include <idn2.h>
#include <stdlib.h>

#include "unicode/internal.h"

/* A U-label of 63 octets as A-label has at most 59 code points of 4 bytes. */
#define IDNA_INPUT_MAX 1024

static int
fail(const char **why, const char *reason)
{
	if (why != NULL)
		*why = reason;
	errno = EBADMSG;
	return -1;
}

/* Lengths of the labels and of the whole; a final dot does not count. */
static int
check_lengths(struct bytes s, const char **why)
{
	struct bytes label;
	bool more = true;

	if (bytes_at(s, s.n - 1) == '.')
		s.n--;
	if (s.n == 0)
		return fail(why, "empty domain name");
	if (s.n > IDNA_DOMAIN_MAX)
		return fail(why, "domain name too long");
	while (more) {
		more = bytes_split(&s, '.', &label);
		if (label.n == 0)
			return fail(why, "empty label in domain name");
		if (label.n > IDNA_LABEL_MAX)
			return fail(why, "label of domain name too long");
	}
	return 0;
}

static bool
has_a_label(struct bytes s)
{
	struct bytes label;
	bool more = true;

	while (more) {
		more = bytes_split(&s, '.', &label);
		if (bytes_casestarts(label, BYTES("xn--")))
			return true;
	}
	return false;
}

int
idna_to_ascii(struct arena *a, struct bytes domain, struct bytes *out,
    const char **why)
{
	uint8_t *p = NULL;
	struct bytes r;
	char *src;
	size_t at;
	int code, flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;

	if (bytes_is_ascii(domain) && !has_a_label(domain)) {
		if (check_lengths(domain, why) == -1)
			return -1;
		*out = arena_lower(a, domain);
		return 0;
	}
	if (domain.n > IDNA_INPUT_MAX)
		return fail(why, "domain name too long");
	src = arena_str(a, domain);
	if (src == NULL || !unicode_valid_utf8(domain))
		return fail(why, "domain name is not UTF-8");
	/* The STD3 rules also refuse symbols built of "=", "<" and ">". */
	if (!bytes_chr(domain, '_', &at))
		flags |= IDN2_USE_STD3_ASCII_RULES;
	code = idn2_lookup_u8((const uint8_t *)src, &p, flags);
	if (code == IDN2_MALLOC)
		(void)unicode_adopt(a, NULL, 0);
	if (code != IDN2_OK)
		return fail(why, "domain name is not valid IDNA");
	r = unicode_adopt(a, p, strlen((const char *)p));
	if (check_lengths(r, why) == -1)
		return -1;
	*out = arena_lower(a, r);
	return 0;
}

int
idna_to_unicode(struct arena *a, struct bytes domain, struct bytes *out,
    const char **why)
{
	struct bytes ascii, r;
	char *p = NULL;
	int code;

	/* By way of the A-labels: one U-label form per name. */
	if (idna_to_ascii(a, domain, &ascii, why) == -1)
		return -1;
	if (!has_a_label(ascii)) {
		*out = ascii;
		return 0;
	}
	code = idn2_to_unicode_8z8z(arena_str(a, ascii), &p, 0);
	if (code == IDN2_MALLOC)
		(void)unicode_adopt(a, NULL, 0);
	if (code != IDN2_OK)
		return fail(why, "domain name is not valid IDNA");
	r = unicode_adopt(a, p, strlen(p));
	return unicode_nfc(a, r, out);
}
