/*
 * value_rule.c - values that rules and aliases are made of
 */
#include "config/internal.h"

#include "addr/addr.h"
#include "regex/regex.h"

/* Of a reply, with its codes: one line of SMTP holds it well. */
#define REPLY_MAX 400

static int
wrong(const char **why, const char *what)
{
	*why = what;
	errno = EBADMSG;
	return -1;
}

int
config_any_address(struct arena *a, struct bytes value, struct bytes *out,
    const char **why)
{
	struct bytes domain, ascii;
	struct path path;

	if (bytes_starts(value, BYTES("@"))) {
		if (addr_parse_domain(a, bytes_from(value, 1), ADDR_SMTPUTF8,
		    &domain, &ascii, why) == -1)
			return -1;
		*out = bytes_str(arena_printf(a, "@%.*s", BYTES_ARG(domain)));
		return 0;
	}
	if (addr_parse_mailbox(a, value, ADDR_SMTPUTF8, &path, why) == -1)
		return -1;
	if (path.is_literal)
		return wrong(why, "an address literal is no domain");
	*out = addr_path_text(a, &path, false);
	return 0;
}

static int
check_regex(struct arena *a, struct bytes value, const char **why)
{
	return regex_compile(a, value, why) == NULL ? -1 : 0;
}

int
config_split_pair(struct bytes value, struct bytes *first,
    struct bytes *second)
{
	struct bytes one;

	if (!bytes_word(&value, &one) || bytes_trim(value).n == 0) {
		errno = EBADMSG;
		return -1;
	}
	*first = one;
	*second = bytes_trim(value);
	return 0;
}

static int
check_pair(struct arena *a, struct bytes value, struct bytes *out,
    const char **why)
{
	struct bytes name, body;

	if (config_split_pair(value, &name, &body) == -1)
		return wrong(why, "one expression only");
	if (check_regex(a, name, why) == -1 || check_regex(a, body, why) == -1)
		return -1;
	*out = bytes_str(arena_printf(a, "%.*s %.*s", BYTES_ARG(name),
	    BYTES_ARG(body)));
	return 0;
}

/* "5.7.1": its class is the code's (RFC 3463 2). */
static bool
is_status(struct bytes s, uint64_t code)
{
	uint64_t class, subject, detail;

	return num_cut(&s, 9, &class) == 0 && class == code / 100 &&
	    bytes_skip(&s, BYTES(".")) && num_cut(&s, 999, &subject) == 0 &&
	    bytes_skip(&s, BYTES(".")) && num_cut(&s, 999, &detail) == 0 &&
	    s.n == 0;
}

int
config_split_reply(struct bytes value, int *code, struct bytes *status,
    struct bytes *text)
{
	struct bytes word, second;
	uint64_t n;

	if (!bytes_word(&value, &word) || !bytes_word(&value, &second) ||
	    num_parse(word, 400, 599, &n) == -1 || !is_status(second, n) ||
	    bytes_trim(value).n == 0) {
		errno = EBADMSG;
		return -1;
	}
	*code = (int)n;
	*status = second;
	*text = bytes_trim(value);
	return 0;
}

static int
check_reply(struct bytes value, const char **why)
{
	struct bytes status, text;
	int code;

	if (value.n > REPLY_MAX)
		return wrong(why, "longer than 400 bytes");
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < ' ' || value.p[i] > '~')
			return wrong(why, "a reply is ASCII");
	}
	if (config_split_reply(value, &code, &status, &text) == -1)
		return wrong(why, "needed are a code of 400 to 599, an "
		    "enhanced code of the same class, and a text");
	return 0;
}

int
config_value_check_rule(struct arena *a, const struct config_key *key,
    struct bytes value, struct bytes *out, const char **why)
{
	switch (key->type) {
	case CONFIG_ANY_ADDRESS:
		return config_any_address(a, value, out, why);
	case CONFIG_REGEX_PAIR:
		return check_pair(a, value, out, why);
	case CONFIG_REPLY:
		*out = value;
		return check_reply(value, why);
	default:
		*out = value;
		return check_regex(a, value, why);
	}
}
