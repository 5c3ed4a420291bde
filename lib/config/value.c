/*
 * value.c - is one value of its type, and the form it is stored in
 */
#include "config/internal.h"

#include "addr/addr.h"
#include "unicode/unicode.h"

#include <sys/socket.h>

#define SEPARATOR_MAX 16	/* bytes of one separator */
#define MAILBOX_MAX 255		/* bytes: a mailbox is one file name */

static int
wrong(const char **why, const char *what)
{
	*why = what;
	errno = EBADMSG;
	return -1;
}

static bool
has_control(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (ascii_is_ctl(s.p[i]))
			return true;
	}
	return false;
}

bool
config_account_valid(struct bytes name)
{
	size_t i, dots;

	if (name.n == 0 || name.n > CONFIG_ACCOUNT_MAX)
		return false;
	for (i = 0; i < name.n; i++) {
		if (ascii_is_lower(name.p[i]) || ascii_is_digit(name.p[i]))
			continue;
		if (i == 0 || (name.p[i] != '.' && name.p[i] != '_'
		    && name.p[i] != '-'))
			return false;
	}
	return !bytes_find(name, BYTES(".."), &dots);
}

int
config_parse_ip_port(struct bytes s, struct ip *ip, int *port)
{
	struct bytes host, digits;
	struct ip parsed;
	uint64_t n;
	size_t at;

	if (!bytes_rchr(s, ':', &at)) {
		errno = EBADMSG;
		return -1;
	}
	host = bytes_first(s, at);
	digits = bytes_from(s, at + 1);
	if (bytes_starts(host, BYTES("[")) && bytes_ends(host, BYTES("]"))) {
		host = bytes_from(bytes_first(host, host.n - 1), 1);
	} else if (bytes_chr(host, ':', &at)) {
		errno = EBADMSG;
		return -1;
	}
	if (num_parse(digits, 1, 65535, &n) == -1
	    || ip_parse(host, &parsed) == -1) {
		errno = EBADMSG;
		return -1;
	}
	*ip = parsed;
	*port = (int)n;
	return 0;
}

/* "1", "0.95": a whole number, or up to six digits behind a point. */
static int
parse_decimal(struct bytes s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t n, rest = 0;
	size_t digits;

	if (num_cut(&s, max / CONFIG_DECIMAL_ONE, &n) == -1)
		return -1;
	if (bytes_skip(&s, BYTES("."))) {
		digits = s.n;
		if (digits > 6 || num_parse(s, 0, CONFIG_DECIMAL_ONE, &rest)
		    == -1) {
			errno = EBADMSG;
			return -1;
		}
		for (; digits < 6; digits++)
			rest *= 10;
	} else if (s.n > 0) {
		errno = EBADMSG;
		return -1;
	}
	n = n * CONFIG_DECIMAL_ONE + rest;
	if (n < min || n > max) {
		errno = ERANGE;
		return -1;
	}
	*out = n;
	return 0;
}

int
config_value_number(const struct config_key *key, struct bytes value,
    uint64_t *out)
{
	switch (key->type) {
	case CONFIG_DECIMAL:
		return parse_decimal(value, key->min, key->max, out);
	case CONFIG_SIZE:
		return num_parse_size(value, key->min, key->max, out);
	case CONFIG_DURATION:
		return num_parse_duration(value, key->min, key->max, out);
	default:
		return num_parse(value, key->min, key->max, out);
	}
}

int
config_value_three(const struct config_key *key, struct bytes value,
    uint64_t out[3])
{
	uint64_t n[3];
	struct bytes word;
	size_t i;

	for (i = 0; i < 3; i++) {
		if (!bytes_word(&value, &word)) {
			errno = EBADMSG;
			return -1;
		}
		if (num_parse(word, key->min, key->max, &n[i]) == -1)
			return -1;
	}
	if (bytes_word(&value, &word)) {
		errno = EBADMSG;
		return -1;
	}
	for (i = 0; i < 3; i++)
		out[i] = n[i];
	return 0;
}

static int
check_number(struct arena *a, const struct config_key *key,
    struct bytes value, struct bytes *out, const char **why)
{
	uint64_t n;

	if (config_value_number(key, value, &n) == -1) {
		return wrong(why, errno == ERANGE ? "out of range"
		    : "cannot be read");
	}
	*out = key->type == CONFIG_DECIMAL ? value
	    : bytes_str(arena_printf(a, "%llu", (unsigned long long)n));
	return 0;
}

static int
check_three(struct arena *a, const struct config_key *key,
    struct bytes value, struct bytes *out, const char **why)
{
	uint64_t n[3];

	if (config_value_three(key, value, n) == -1) {
		return wrong(why, errno == ERANGE ? "out of range"
		    : "not three numbers");
	}
	*out = bytes_str(arena_printf(a, "%llu %llu %llu",
	    (unsigned long long)n[0], (unsigned long long)n[1],
	    (unsigned long long)n[2]));
	return 0;
}

/* One of the blank-separated words of allowed. */
static bool
is_one_of(struct bytes value, const char *allowed)
{
	struct bytes words = bytes_str(allowed), word;

	while (bytes_word(&words, &word)) {
		if (bytes_eq(word, value))
			return true;
	}
	return false;
}

int
config_dns_name(struct arena *a, struct bytes s, struct bytes *out,
    const char **why)
{
	struct bytes ascii, rest, label;
	size_t i;
	bool more;

	if (idna_to_ascii(a, s, &ascii, why) == -1)
		return -1;
	if (bytes_ends(ascii, BYTES(".")))
		ascii = bytes_first(ascii, ascii.n - 1);
	if (ascii.n == 0 || ascii.n > IDNA_DOMAIN_MAX)
		return wrong(why, "empty, or longer than 253 bytes");
	rest = ascii;
	do {
		more = bytes_split(&rest, '.', &label);
		if (label.n == 0 || label.n > IDNA_LABEL_MAX)
			return wrong(why, "a label is empty or longer than "
			    "63 bytes");
		for (i = 0; i < label.n; i++) {
			if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-'
			    && label.p[i] != '_')
				return wrong(why, "a label has other bytes "
				    "than letters, digits, - and _");
		}
	} while (more);
	*out = arena_lower(a, ascii);
	return 0;
}

static int
check_host(struct arena *a, struct bytes value, struct bytes *out,
    const char **why)
{
	struct bytes domain;

	return addr_parse_domain(a, value, ADDR_SMTPUTF8, &domain, out, why);
}

static int
check_mx(struct arena *a, struct bytes value, struct bytes *out,
    const char **why)
{
	struct bytes number, host;
	uint64_t preference;

	if (!bytes_word(&value, &number)
	    || num_parse(number, 0, 65535, &preference) == -1)
		return wrong(why, "no preference from 0 to 65535");
	host = bytes_trim(value);
	/* RFC 7505: a null MX. */
	if (!bytes_eq(host, BYTES("."))
	    && config_dns_name(a, host, &host, why) == -1)
		return -1;
	*out = bytes_str(arena_printf(a, "%llu %.*s",
	    (unsigned long long)preference, BYTES_ARG(host)));
	return 0;
}

static int
check_ip(struct arena *a, int family, struct bytes value, struct bytes *out,
    const char **why)
{
	char text[IP_TEXT_MAX];
	struct ip ip;

	if (ip_parse(value, &ip) == -1 || ip.family != family)
		return wrong(why, "not such an address");
	*out = arena_bytes(a, bytes_str(ip_format(&ip, text)));
	return 0;
}

static int
check_ip_port(struct arena *a, struct bytes value, struct bytes *out,
    const char **why)
{
	char text[IP_TEXT_MAX];
	struct ip ip;
	int port;

	if (config_parse_ip_port(value, &ip, &port) == -1)
		return wrong(why, "not an address and a port");
	ip_format(&ip, text);
	*out = bytes_str(arena_printf(a, ip.family == AF_INET ? "%s:%d"
	    : "[%s]:%d", text, port));
	return 0;
}

/*
 * FEATURES S-11: NFC, elements neither empty nor "." nor "..", no control
 * characters; the first element "inbox" in any case is "Inbox".
 */
static int
check_mailbox(struct arena *a, struct bytes value, struct bytes *out,
    const char **why)
{
	struct bytes rest, element, first;
	bool more;

	if (unicode_nfc(a, value, &value) == -1 || has_control(value))
		return wrong(why, "control character or not UTF-8");
	if (value.n > MAILBOX_MAX)
		return wrong(why, "longer than 255 bytes");
	rest = value;
	do {
		more = bytes_split(&rest, '/', &element);
		if (element.n == 0 || bytes_eq(element, BYTES("."))
		    || bytes_eq(element, BYTES("..")))
			return wrong(why, "an element between slashes is "
			    "empty, \".\" or \"..\"");
	} while (more);
	rest = value;
	(void)bytes_split(&rest, '/', &first);	/* may be the whole */
	if (bytes_caseeq(first, BYTES("inbox"))) {
		value = bytes_str(arena_printf(a, "Inbox%.*s",
		    BYTES_ARG(bytes_from(value, first.n))));
	}
	*out = value;
	return 0;
}

/* Index of the first blank outside quotes, or the length. */
static size_t
end_of_address(struct bytes s)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted && s.p[i] == '\\')
			i++;
		else if (!quoted && ascii_is_wsp(s.p[i]))
			break;
	}
	return i < s.n ? i : s.n;
}

int
config_split_destination(struct arena *a, struct bytes s,
    struct bytes *address, struct bytes *mailbox, const char **why)
{
	size_t n = end_of_address(s);
	struct bytes given = bytes_trim(bytes_from(s, n)), box = BYTES_EMPTY;

	if (given.n > 0 && check_mailbox(a, given, &box, why) == -1)
		return -1;
	*address = bytes_first(s, n);
	*mailbox = box;
	return 0;
}

static int
check_address(struct arena *a, struct bytes value, const char **why)
{
	struct bytes address;

	return config_any_address(a, value, &address, why);
}

static int
check_destination(struct arena *a, struct bytes value, const char **why)
{
	struct bytes address, mailbox;

	if (config_split_destination(a, value, &address, &mailbox, why) == -1)
		return -1;
	return check_address(a, address, why);
}

static int
check_separator(struct bytes value, const char **why)
{
	size_t at;

	if (value.n > SEPARATOR_MAX)
		return wrong(why, "longer than 16 bytes");
	if (has_control(value) || bytes_chr(value, '@', &at)
	    || bytes_chr(value, '"', &at) || bytes_chr(value, '\\', &at))
		return wrong(why, "@, \" and \\ separate nothing");
	return 0;
}

static int
check_stage(const struct config_key *key, struct bytes value,
    const char **why)
{
	if (bytes_starts(value, BYTES("/")) && value.n > 1)
		return 0;
	if (bytes_starts(value, BYTES("|"))
	    && bytes_trim(bytes_from(value, 1)).n > 0)
		return 0;
	if (key->allowed != NULL && is_one_of(value, key->allowed))
		return 0;
	return wrong(why, "no such stage");
}

/*
 * "TRANSPORT [from DOMAIN ...] [to DOMAIN ...] [attempts N]"; stored with the
 * domains in A-label form, one blank between words.
 */
enum route_place { ROUTE_WORD, ROUTE_DOMAIN, ROUTE_NUMBER };

/* One word after the transport's name, added to b. -1 with *why. */
static int
add_route_word(struct arena *a, struct buf *b, struct bytes word,
    enum route_place *place, const char **why)
{
	struct bytes domain;
	uint64_t n;

	buf_addc(b, ' ');
	if (*place == ROUTE_NUMBER) {
		if (num_parse(word, 0, 1000, &n) == -1)
			return wrong(why, "attempts needs 0 to 1000");
		*place = ROUTE_WORD;
	} else if (bytes_eq(word, BYTES("from")) ||
	    bytes_eq(word, BYTES("to")))
		*place = ROUTE_DOMAIN;
	else if (bytes_eq(word, BYTES("attempts")))
		*place = ROUTE_NUMBER;
	else if (*place == ROUTE_WORD)
		return wrong(why, "a word other than from, to and attempts");
	else {
		if (bytes_skip(&word, BYTES(".")))
			buf_addc(b, '.');
		if (addr_parse_domain(a, word, ADDR_SMTPUTF8, &domain, &word,
		    why) == -1)
			return -1;
	}
	buf_add(b, word);
	return 0;
}

static int
check_route(struct arena *a, struct bytes value, struct bytes *out,
    const char **why)
{
	struct buf b = BUF_INIT(CONFIG_FILE_MAX);
	enum route_place place = ROUTE_WORD;
	struct bytes word;
	int r = 0;

	if (!bytes_word(&value, &word) || !config_account_valid(word))
		return wrong(why, "no transport name");
	buf_add(&b, word);
	while (r == 0 && bytes_word(&value, &word))
		r = add_route_word(a, &b, word, &place, why);
	if (r == 0 && place == ROUTE_NUMBER)
		r = wrong(why, "attempts needs 0 to 1000");
	*out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return r;
}

static int
check_plain(const struct config_key *key, struct bytes value,
    const char **why)
{
	switch (key->type) {
	case CONFIG_BOOL:
		return is_one_of(value, "yes no") ? 0
		    : wrong(why, "neither");
	case CONFIG_CHOICE:
		return is_one_of(value, key->allowed) ? 0
		    : wrong(why, "none of these");
	case CONFIG_ACCOUNT:
		return config_account_valid(value) ? 0
		    : wrong(why, "not an account name");
	case CONFIG_SEPARATORS:
		return check_separator(value, why);
	case CONFIG_STAGE:
		return check_stage(key, value, why);
	default:
		return has_control(value) ? wrong(why, "control character")
		    : 0;
	}
}

int
config_value_check(struct arena *a, const struct config_key *key,
    struct bytes value, struct bytes *out, const char **why)
{
	if (value.n == 0 && key->type != CONFIG_TEXT)
		return wrong(why, "empty");
	switch (key->type) {
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
	case CONFIG_DECIMAL:
		return check_number(a, key, value, out, why);
	case CONFIG_THREE:
		return check_three(a, key, value, out, why);
	case CONFIG_MAILBOX:
		return check_mailbox(a, value, out, why);
	case CONFIG_HOST:
		return check_host(a, value, out, why);
	case CONFIG_DNS_NAME:
		return config_dns_name(a, value, out, why);
	case CONFIG_DNS_MX:
		return check_mx(a, value, out, why);
	case CONFIG_ROUTE:
		return check_route(a, value, out, why);
	case CONFIG_IPV4:
		return check_ip(a, AF_INET, value, out, why);
	case CONFIG_IPV6:
		return check_ip(a, AF_INET6, value, out, why);
	case CONFIG_IP_PORT:
		return check_ip_port(a, value, out, why);
	case CONFIG_ADDRESS:
		*out = value;
		return check_address(a, value, why);
	case CONFIG_DESTINATION:
		*out = value;
		return check_destination(a, value, why);
	case CONFIG_OWN_ADDRESS:
		*out = value;
		return check_address(a, value, why);
	case CONFIG_ANY_ADDRESS:
	case CONFIG_REGEX:
	case CONFIG_REGEX_PAIR:
	case CONFIG_REPLY:
		return config_value_check_rule(a, key, value, out, why);
	default:
		*out = value;
		return check_plain(key, value, why);
	}
}
