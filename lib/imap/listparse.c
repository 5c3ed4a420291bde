/*
 * listparse.c - arguments of LIST and LSUB (RFC 3501 6.3.8, RFC 5258 6), and
 * patterns
 */
#include "imap/list.h"

/* ---- patterns ---- */

/* Runs of wildcards are one: "*%" is "*". */
static struct bytes
collapse(struct arena *a, struct bytes s)
{
	unsigned char *to = arena_alloc(a, s.n + 1);
	size_t n = 0, i;

	for (i = 0; i < s.n; i++) {
		int c = s.p[i], last = n > 0 ? to[n - 1] : 0;

		if ((c == '*' || c == '%') && (last == '*' || last == '%')) {
			if (c == '*')
				to[n - 1] = '*';
			continue;
		}
		to[n++] = (unsigned char)c;
	}
	return bytes_of(to, n);
}

/*
 * "*" is any bytes, "%" any but the delimiter. The state is the set of
 * pattern positions reached, so that no pattern takes more than pattern
 * times name steps.
 */
static bool
matches(struct bytes pattern, struct bytes name)
{
	bool set[2][LIST_PATTERN_MAX + 1] = { { false } };
	bool *at = set[0], *next = set[1], *swap;
	size_t i, j;

	if (pattern.n > LIST_PATTERN_MAX)
		return false;
	at[0] = true;
	for (i = 0; i <= name.n; i++) {
		for (j = 0; j < pattern.n; j++) {
			if (at[j] && (pattern.p[j] == '*' ||
			    pattern.p[j] == '%'))
				at[j + 1] = true;
		}
		if (i == name.n)
			break;
		memset(next, 0, pattern.n + 1);
		for (j = 0; j < pattern.n; j++) {
			int c = pattern.p[j];

			if (!at[j])
				continue;
			if (c == '*' || (c == '%' && name.p[i] != '/'))
				next[j] = true;
			else if (c == name.p[i] && c != '%')
				next[j + 1] = true;
		}
		swap = at;
		at = next;
		next = swap;
	}
	return at[pattern.n];
}

bool
list_matches(const struct list_args *args, struct bytes name)
{
	size_t i;

	for (i = 0; i < args->pattern_count; i++) {
		if (matches(args->patterns[i], name))
			return true;
	}
	return false;
}

/* The inbox is found by its name in any case. */
static struct bytes
inbox_upper(struct arena *a, struct bytes pattern)
{
	struct bytes rest = pattern;

	if (!bytes_caseskip(&rest, BYTES("INBOX")) ||
	    (rest.n > 0 && rest.p[0] != '/' && rest.p[0] != '*' &&
	    rest.p[0] != '%'))
		return pattern;
	return bytes_str(arena_printf(a, "INBOX%.*s", BYTES_ARG(rest)));
}

/* One pattern behind the reference. */
static bool
parse_one(struct imap *im, struct parser *p, struct bytes reference,
    struct list_args *out)
{
	struct bytes pattern;
	unsigned char *joined;

	if (out->pattern_count == IMAP_LIST_PATTERNS_MAX)
		return parse_fail(p, "too many patterns");
	if (!parse_pattern(p, &pattern))
		return false;
	joined = arena_alloc(&im->arena, reference.n + pattern.n + 1);
	memcpy(joined, reference.p, reference.n);
	memcpy(joined + reference.n, pattern.p, pattern.n);
	out->root = pattern.n == 0;
	out->patterns[out->pattern_count++] = collapse(&im->arena,
	    inbox_upper(&im->arena, bytes_of(joined,
	    reference.n + pattern.n)));
	return true;
}

/* ---- options ---- */

static bool
select_option(struct parser *p, struct list_args *out)
{
	struct bytes word = parse_word(p);

	if (bytes_caseeq(word, BYTES("SUBSCRIBED")))
		out->subscribed = true;
	else if (bytes_caseeq(word, BYTES("SPECIAL-USE")))
		out->special_use = true;
	else if (bytes_caseeq(word, BYTES("RECURSIVEMATCH")))
		out->recursive = true;
	else if (!bytes_caseeq(word, BYTES("REMOTE")))
		return parse_fail(p, "unknown LIST selection option");
	return true;
}

static bool
parse_select_options(struct parser *p, struct list_args *out)
{
	if (!parse_optional(p, ')')) {
		do {
			if (!select_option(p, out))
				return false;
		} while (parse_optional(p, ' '));
		if (!parse_char(p, ')'))
			return false;
	}
	/* RFC 5258 3.1: it says what of the children is to be matched. */
	if (out->recursive && !out->subscribed && !out->special_use)
		return parse_fail(p,
		    "RECURSIVEMATCH needs another selection option");
	return parse_space(p);
}

static bool
return_option(struct imap *im, struct parser *p, struct list_args *out)
{
	struct bytes word = parse_word(p);

	if (bytes_caseeq(word, BYTES("SUBSCRIBED"))) {
		out->return_subscribed = true;
		return true;
	}
	if (bytes_caseeq(word, BYTES("STATUS")))
		return parse_space(p) && parse_status_items(p, &out->status);
	if (bytes_caseeq(word, BYTES("METADATA")))
		return parse_space(p) && parse_entries(im, p, &out->entries,
		    &out->entry_count);
	/* These are always answered. */
	return bytes_caseeq(word, BYTES("CHILDREN")) ||
	    bytes_caseeq(word, BYTES("SPECIAL-USE")) ||
	    parse_fail(p, "unknown LIST return option");
}

static bool
parse_return_options(struct imap *im, struct parser *p,
    struct list_args *out)
{
	if (!bytes_caseeq(parse_word(p), BYTES("RETURN")))
		return parse_fail(p, "expected RETURN");
	if (!parse_space(p) || !parse_char(p, '('))
		return false;
	if (parse_optional(p, ')'))
		return true;
	do {
		if (!return_option(im, p, out))
			return false;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')');
}

static bool
parse_patterns(struct imap *im, struct parser *p, struct bytes reference,
    struct list_args *out)
{
	do {
		if (!parse_one(im, p, reference, out))
			return false;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')');
}

bool
parse_list(struct imap *im, struct parser *p, bool basic,
    struct list_args *out)
{
	struct bytes reference;
	bool extended = false;

	*out = (struct list_args){ .patterns = arena_zalloc(&im->arena,
	    IMAP_LIST_PATTERNS_MAX, sizeof(struct bytes)) };
	if (!parse_space(p))
		return false;
	if (!basic && parse_optional(p, '(')) {
		extended = true;
		if (!parse_select_options(p, out))
			return false;
	}
	if (!parse_mailbox(p, &reference) || !parse_space(p))
		return false;
	if (!basic && parse_optional(p, '(')) {
		extended = true;
		if (!parse_patterns(im, p, reference, out))
			return false;
	} else if (!parse_one(im, p, reference, out)) {
		return false;
	}
	if (!basic && parse_optional(p, ' ')) {
		extended = true;
		if (!parse_return_options(im, p, out))
			return false;
	}
	if (extended)
		out->root = false;	/* RFC 5258 3: an empty name */
	return parse_end(p);
}
