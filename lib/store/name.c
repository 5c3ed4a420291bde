/* Mailbox names (S-11). */
#include "store/internal.h"
#include "unicode/unicode.h"

#include <errno.h>

bool
store_account_valid(const char *name)
{
	struct bytes s = bytes_str(name);
	size_t i, at;

	if (s.n == 0 || s.n > STORE_ACCOUNT_MAX ||
	    bytes_find(s, BYTES(".."), &at))
		return false;
	for (i = 0; i < s.n; i++) {
		int c = s.p[i];
		bool mark = c == '.' || c == '_' || c == '-';

		if (!ascii_is_lower(c) && !ascii_is_digit(c) &&
		    !(mark && i > 0))
			return false;
	}
	return true;
}

static const char *
check_element(struct bytes e)
{
	if (e.n == 0)
		return "empty element, or slash at an end";
	if (bytes_eq(e, BYTES(".")) || bytes_eq(e, BYTES("..")))
		return "element is . or ..";
	return NULL;
}

static const char *
check_chars(struct bytes s)
{
	uint32_t c;

	while (unicode_next(&s, &c) == 1) {
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
		    c == 0x2029)
			return "control character";
	}
	return NULL;
}

static const char *
check(struct arena *a, struct bytes name, struct bytes *out)
{
	struct bytes rest, element, nfc;
	struct buf folder = BUF_INIT(4096);
	const char *why = NULL;
	bool more;

	if (name.n == 0 || name.n > 4096)
		return name.n == 0 ? "empty name" : "too long";
	if (unicode_nfc(a, name, &nfc) == -1)
		return "not UTF-8";
	if ((why = check_chars(nfc)) != NULL)
		return why;
	rest = nfc;
	more = bytes_split(&rest, '/', &element);
	if (bytes_caseeq(element, BYTES("INBOX")))
		nfc = arena_bytes(a, bytes_str(arena_printf(a, "INBOX%s%.*s",
		    more ? "/" : "", BYTES_ARG(rest))));
	rest = nfc;
	do {
		more = bytes_split(&rest, '/', &element);
		why = check_element(element);
	} while (more && why == NULL);
	if (why == NULL && folder_name(&folder, nfc) == -1)
		why = "too long";
	buf_free(&folder);
	if (why == NULL)
		*out = arena_bytes(a, nfc);
	return why;
}

int
store_name_check(struct arena *a, struct bytes name, struct bytes *out,
    const char **why)
{
	const char *rule = check(a, name, out);

	if (rule == NULL)
		return 0;
	if (why != NULL)
		*why = rule;
	errno = EINVAL;
	return -1;
}
