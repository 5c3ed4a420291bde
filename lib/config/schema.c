/*
 * schema.c - every section and key of the configuration, in one table
 *
 * A new key is one line here and one paragraph in its man page; a test
 * compares the two.
 */
#include "config/internal.h"

#define KB ((uint64_t)1024)
#define MB (1024 * KB)
#define GB (1024 * MB)
#define MINUTE ((uint64_t)60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define ONE ((uint64_t)CONFIG_DECIMAL_ONE)

const struct config_section config_sections[] = {
	{ CONFIG_FILE_MAIN, "server", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "smtp-in", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "submission", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "lmtp-in", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "imap", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "auth", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "oauth", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "mailboxes", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "junk", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "tls", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "static-dns", CONFIG_NAME_DNS },
	{ CONFIG_FILE_MAIN, "queue", CONFIG_NAME_NONE },
	{ CONFIG_FILE_MAIN, "transport", CONFIG_NAME_WORD },
	{ CONFIG_FILE_DOMAIN, "domain", CONFIG_NAME_NONE },
	{ CONFIG_FILE_DOMAIN, "alias", CONFIG_NAME_ALIAS },
	{ CONFIG_FILE_ACCOUNT, "account", CONFIG_NAME_NONE },
	{ CONFIG_FILE_ACCOUNT, "mailboxes", CONFIG_NAME_NONE },
	{ CONFIG_FILE_ACCOUNT, "junk", CONFIG_NAME_NONE },
	{ CONFIG_FILE_ACCOUNT, "address", CONFIG_NAME_ADDRESS },
	{ CONFIG_FILE_ACCOUNT, "rule", CONFIG_NAME_RULE },
	{ CONFIG_FILE_MAIN, NULL, CONFIG_NAME_NONE },
};

/*
 * Rows: section, key, type, repeatable, required, min, max, default, words.
 * A default is in the form values are stored in: bytes, seconds.
 */
#define BOOL(s, k, d) { s, k, CONFIG_BOOL, false, false, 0, 0, d, NULL }
#define PLAIN(s, k, t, d) { s, k, t, false, false, 0, 0, d, NULL }
#define MANY(s, k, t, d) { s, k, t, true, false, 0, 0, d, NULL }
#define NEEDED(s, k, t) { s, k, t, false, true, 0, 0, NULL, NULL }
#define RANGE(s, k, t, min, max, d) { s, k, t, false, false, min, max, d, NULL }
#define CHOICE(s, k, w, d) { s, k, CONFIG_CHOICE, false, false, 0, 0, d, w }
#define STAGES(s, k, w, d) { s, k, CONFIG_STAGE, true, false, 0, 0, d, w }

const struct config_key config_schema[] = {
	NEEDED("server", "hostname", CONFIG_HOST),
	PLAIN("server", "postmaster", CONFIG_ACCOUNT, NULL),
	PLAIN("server", "postmaster-mailbox", CONFIG_MAILBOX, "Inbox"),
	PLAIN("server", "tls-reports", CONFIG_ACCOUNT, NULL),
	PLAIN("server", "tls-reports-local-part", CONFIG_TEXT, "tls-reports"),
	PLAIN("server", "tls-reports-mailbox", CONFIG_MAILBOX, "TLSRPT"),
	PLAIN("server", "unknown-recipients-to", CONFIG_ADDRESS, NULL),
	RANGE("server", "unknown-recipient-delay", CONFIG_DURATION,
	    0, 5 * MINUTE, "5"),
	MANY("server", "resolver", CONFIG_IP_PORT, NULL),
	RANGE("server", "dns-timeout", CONFIG_DURATION, 1, 5 * MINUTE, "30"),
	RANGE("server", "dns-try-timeout", CONFIG_DURATION, 1, MINUTE, "5"),
	RANGE("server", "size-limit", CONFIG_SIZE, 1 * KB, 4 * GB, "104857600"),
	BOOL("server", "no-fix-permissions", "no"),
	CHOICE("server", "log-level", "error warn info debug", "info"),
	BOOL("server", "pedantic", "no"),
	BOOL("server", "no-requiretls", "no"),
	BOOL("server", "simulate", "no"),
	RANGE("server", "recipients-max", CONFIG_NUMBER, 100, 100000, "1000"),
	RANGE("server", "received-max", CONFIG_NUMBER, 10, 10000, "100"),
	RANGE("server", "line-timeout", CONFIG_DURATION, 1, HOUR, "30"),
	RANGE("server", "data-timeout", CONFIG_DURATION, 1, DAY, "1800"),
	RANGE("server", "connections-max", CONFIG_NUMBER, 1, 100000, "1000"),
	RANGE("server", "open-limits", CONFIG_THREE, 0, 1000000, "30 90 270"),
	RANGE("server", "rate-limits", CONFIG_THREE,
	    0, 1000000, "300 900 2700"),

	PLAIN("smtp-in", "banner", CONFIG_TEXT, NULL),
	BOOL("smtp-in", "require-starttls", "no"),
	STAGES("smtp-in", "stages-in", "iprev-check spf-check dkim-verify "
	    "arc-verify dmarc-check dnsbl-check",
	    "iprev-check\0spf-check\0dkim-verify\0arc-verify\0dmarc-check\0"),
	MANY("smtp-in", "arc-trusted", CONFIG_DNS_NAME, NULL),
	MANY("smtp-in", "dnsbl", CONFIG_DNS_NAME, NULL),
	RANGE("smtp-in", "stage-timeout", CONFIG_DURATION, 1, HOUR, "60"),
	RANGE("smtp-in", "connections-per-process", CONFIG_NUMBER, 1, 1000,
	    "20"),

	BOOL("submission", "no-require-starttls", "no"),

	STAGES("lmtp-in", "stages-deliver", NULL, NULL),
	BOOL("lmtp-in", "judge", "yes"),
	RANGE("lmtp-in", "first-time-delay", CONFIG_DURATION,
	    0, 5 * MINUTE, "15"),
	/* half of the sessions there can be */
	RANGE("lmtp-in", "first-time-waits", CONFIG_NUMBER, 0, 500, "500"),
	BOOL("lmtp-in", "user-filters", "no"),
	RANGE("lmtp-in", "stage-timeout", CONFIG_DURATION, 1, HOUR, "60"),

	CHOICE("imap", "plain-login", "yes no loopback", "loopback"),
	RANGE("imap", "login-timeout", CONFIG_DURATION, 1, HOUR, "30"),
	RANGE("imap", "idle-timeout", CONFIG_DURATION,
	    30 * MINUTE, 7 * DAY, "1800"),
	RANGE("imap", "message-limit", CONFIG_NUMBER,
	    1000, 2500000, "1000000"),
	RANGE("imap", "sessions-max", CONFIG_NUMBER, 0, 100000, "100"),

	RANGE("auth", "failures-per-minute", CONFIG_THREE,
	    0, 1000000, "10 30 90"),
	RANGE("auth", "failures-per-day", CONFIG_THREE,
	    0, 1000000, "50 150 450"),
	BOOL("auth", "cram-md5", "yes"),
	PLAIN("auth", "checkpassword", CONFIG_TEXT, NULL),
	RANGE("auth", "checkpassword-timeout", CONFIG_DURATION,
	    1, 5 * MINUTE, "10"),

	PLAIN("oauth", "issuer", CONFIG_TEXT, NULL),
	PLAIN("oauth", "audience", CONFIG_TEXT, NULL),
	PLAIN("oauth", "keys", CONFIG_TEXT, NULL),
	PLAIN("oauth", "keys-url", CONFIG_TEXT, NULL),
	PLAIN("oauth", "ca-file", CONFIG_TEXT, NULL),
	BOOL("oauth", "allow-http", "no"),
	RANGE("oauth", "refresh", CONFIG_DURATION, 5 * MINUTE, DAY, "3600"),
	RANGE("oauth", "fetch-timeout", CONFIG_DURATION, 1, 5 * MINUTE, "30"),
	PLAIN("oauth", "claim", CONFIG_TEXT, "email"),

	PLAIN("mailboxes", "sent", CONFIG_MAILBOX, "Sent"),
	PLAIN("mailboxes", "archive", CONFIG_MAILBOX, "Archive"),
	PLAIN("mailboxes", "trash", CONFIG_MAILBOX, "Trash"),
	PLAIN("mailboxes", "drafts", CONFIG_MAILBOX, "Drafts"),
	PLAIN("mailboxes", "junk", CONFIG_MAILBOX, "Junk"),
	MANY("mailboxes", "more", CONFIG_MAILBOX, NULL),

	PLAIN("junk", "junk-mailboxes", CONFIG_REGEX, NULL),
	PLAIN("junk", "neutral-mailboxes", CONFIG_REGEX, NULL),
	PLAIN("junk", "notjunk-mailboxes", CONFIG_REGEX, NULL),
	BOOL("junk", "filter", "yes"),
	RANGE("junk", "threshold", CONFIG_DECIMAL, 0, 1 * ONE, "0.95"),
	RANGE("junk", "max-power", CONFIG_DECIMAL, 0, ONE / 2, "0.01"),
	RANGE("junk", "ignore-words", CONFIG_DECIMAL, 0, ONE / 2, "0.1"),
	RANGE("junk", "rare-words", CONFIG_NUMBER, 0, 9, "0"),
	RANGE("junk", "prior", CONFIG_DECIMAL, 0, 100 * ONE, "0.1"),
	RANGE("junk", "top-words", CONFIG_NUMBER, 0, 20000, "0"),
	RANGE("junk", "norm", CONFIG_DECIMAL, 0, 1 * ONE, "0.9"),
	RANGE("junk", "body", CONFIG_DECIMAL, 0, 100 * ONE, "1.5"),
	RANGE("junk", "scale", CONFIG_DECIMAL, 0, 100 * ONE, "0.85"),
	RANGE("junk", "significant", CONFIG_NUMBER, 0, 1000000, "50"),
	RANGE("junk", "grams", CONFIG_NUMBER, 1, 7, "1"),

	CHOICE("tls", "min-version", "1.0 1.1 1.2 1.3", "1.2"),
	RANGE("tls", "handshake-timeout", CONFIG_DURATION, 1, HOUR, "60"),
	RANGE("tls", "handshake-limits", CONFIG_THREE, 0, 1000000,
	    "30 90 270"),
	RANGE("tls", "handshake-rate-limits", CONFIG_THREE, 0, 1000000,
	    "300 900 2700"),
	RANGE("tls", "handshakes-max", CONFIG_NUMBER, 1, 100000, "2000"),
	BOOL("tls", "client-certificates", "yes"),
	BOOL("tls", "kernel-tls", "yes"),
	BOOL("tls", "smtp-tickets", "no"),
	BOOL("tls", "submission-tickets", "yes"),
	BOOL("tls", "imap-tickets", "yes"),

	MANY("static-dns", "txt", CONFIG_TEXT, NULL),
	MANY("static-dns", "a", CONFIG_IPV4, NULL),
	MANY("static-dns", "aaaa", CONFIG_IPV6, NULL),
	MANY("static-dns", "mx", CONFIG_DNS_MX, NULL),
	MANY("static-dns", "ptr", CONFIG_DNS_NAME, NULL),
	PLAIN("static-dns", "cname", CONFIG_DNS_NAME, NULL),

	RANGE("queue", "lifetime", CONFIG_DURATION, HOUR, 30 * DAY, "432000"),
	RANGE("queue", "delay-notice-after", CONFIG_DURATION,
	    MINUTE, 30 * DAY, "14400"),
	RANGE("queue", "connections", CONFIG_NUMBER, 1, 10000, "50"),
	RANGE("queue", "connections-per-destination", CONFIG_NUMBER,
	    1, 1000, "5"),
	/* RFC 5321 4.5.3.2: the longest wait of all is 10 min. */
	RANGE("queue", "reply-timeout", CONFIG_DURATION,
	    1, 10 * MINUTE, "600"),
	RANGE("queue", "session-timeout", CONFIG_DURATION,
	    1, 30 * MINUTE, "1800"),
	BOOL("queue", "private-addresses", "no"),
	PLAIN("queue", "ca-file", CONFIG_TEXT, NULL),
	BOOL("queue", "system-ca", "yes"),
	MANY("queue", "route", CONFIG_ROUTE, NULL),
	MANY("queue", "local-user", CONFIG_TEXT, NULL),

	CHOICE("transport", "type",
	    "direct relay submissions lmtp command bsmtp fail", "direct"),
	PLAIN("transport", "host", CONFIG_TEXT, NULL),
	RANGE("transport", "port", CONFIG_NUMBER, 1, 65535, NULL),
	PLAIN("transport", "user", CONFIG_TEXT, NULL),
	PLAIN("transport", "password-file", CONFIG_TEXT, NULL),
	PLAIN("transport", "mechanisms", CONFIG_TEXT, NULL),
	PLAIN("transport", "client-key-file", CONFIG_TEXT, NULL),
	PLAIN("transport", "client-certificate-file", CONFIG_TEXT, NULL),
	PLAIN("transport", "helo", CONFIG_HOST, NULL),
	PLAIN("transport", "socks", CONFIG_IP_PORT, NULL),
	PLAIN("transport", "socks-user", CONFIG_TEXT, NULL),
	PLAIN("transport", "socks-password-file", CONFIG_TEXT, NULL),
	PLAIN("transport", "source-ipv4", CONFIG_IPV4, NULL),
	PLAIN("transport", "source-ipv6", CONFIG_IPV6, NULL),
	BOOL("transport", "ipv4", "yes"),
	BOOL("transport", "ipv6", "yes"),
	BOOL("transport", "verify", "yes"),
	PLAIN("transport", "command", CONFIG_TEXT, NULL),
	RANGE("transport", "code", CONFIG_NUMBER, 400, 599, "550"),
	PLAIN("transport", "text", CONFIG_TEXT,
	    "mail to this destination is not sent"),

	BOOL("domain", "case-sensitive", "no"),
	MANY("domain", "separators", CONFIG_SEPARATORS, "+\0"),
	BOOL("domain", "disabled", "no"),
	BOOL("domain", "reports-only", "no"),
	MANY("domain", "route", CONFIG_ROUTE, NULL),
	MANY("domain", "dkim", CONFIG_TEXT, NULL),
	RANGE("domain", "dkim-lifetime", CONFIG_DURATION,
	    0, 365 * DAY, "259200"),
	PLAIN("domain", "dmarc-reports", CONFIG_ADDRESS, NULL),
	PLAIN("domain", "tls-reports", CONFIG_ADDRESS, NULL),

	MANY("alias", "member", CONFIG_ADDRESS, NULL),
	MANY("alias", "external-member", CONFIG_ANY_ADDRESS, NULL),
	PLAIN("alias", "bounces-to", CONFIG_ADDRESS, NULL),
	BOOL("alias", "post-public", "yes"),
	MANY("alias", "poster", CONFIG_ANY_ADDRESS, NULL),
	BOOL("alias", "list-members", "no"),
	BOOL("alias", "allow-msg-from", "no"),

	PLAIN("account", "full-name", CONFIG_TEXT, NULL),
	MANY("account", "address", CONFIG_DESTINATION, NULL),
	RANGE("account", "quota", CONFIG_SIZE, 0, 1024 * 1024 * GB, "0"),
	BOOL("account", "search-index", "yes"),
	BOOL("account", "junk-flags", "yes"),
	PLAIN("account", "rejects", CONFIG_MAILBOX, NULL),
	BOOL("account", "keep-rejects", "no"),
	PLAIN("account", "introbox", CONFIG_MAILBOX, NULL),
	RANGE("account", "subjectpass", CONFIG_DURATION, 0, 30 * DAY, "0"),
	BOOL("account", "no-first-time-delay", "no"),
	PLAIN("account", "imap-capabilities-off", CONFIG_TEXT, NULL),
	PLAIN("account", "login-disabled", CONFIG_TEXT, NULL),
	BOOL("account", "no-custom-password", "no"),
	MANY("account", "route", CONFIG_ROUTE, NULL),
	RANGE("account", "max-messages-per-day", CONFIG_NUMBER,
	    0, 100000000, "1000"),
	RANGE("account", "max-first-time-recipients-per-day", CONFIG_NUMBER,
	    0, 100000000, "200"),
	MANY("account", "fromid-login-address", CONFIG_ADDRESS, NULL),
	RANGE("account", "keep-retired", CONFIG_DURATION,
	    0, 3650 * DAY, "0"),

	STAGES("account", "filter", NULL, NULL),

	PLAIN("address", "mailbox", CONFIG_MAILBOX, NULL),
	PLAIN("address", "full-name", CONFIG_TEXT, NULL),
	PLAIN("address", "smtp-error", CONFIG_REPLY, NULL),
	PLAIN("address", "auth-required", CONFIG_TEXT, NULL),

	MANY("rule", "address", CONFIG_OWN_ADDRESS, NULL),
	PLAIN("rule", "mail-from", CONFIG_REGEX, NULL),
	PLAIN("rule", "msg-from", CONFIG_REGEX, NULL),
	PLAIN("rule", "verified-domain", CONFIG_DNS_NAME, NULL),
	MANY("rule", "header", CONFIG_REGEX_PAIR, NULL),
	PLAIN("rule", "mailbox", CONFIG_MAILBOX, NULL),
	PLAIN("rule", "comment", CONFIG_TEXT, NULL),
	BOOL("rule", "forward", "no"),
	PLAIN("rule", "list-allow-domain", CONFIG_DNS_NAME, NULL),
	PLAIN("rule", "accept-rejects-to", CONFIG_MAILBOX, NULL),
	PLAIN("rule", "reject", CONFIG_REPLY, NULL),
	MANY("rule", "command", CONFIG_STAGE, NULL),
	PLAIN(NULL, NULL, CONFIG_TEXT, NULL),
};

/* Most differ in their first bytes: none is measured before. */
static bool
is_name(const char *name, struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (name[i] == '\0' || (unsigned char)name[i] != s.p[i])
			return false;
	}
	return name[s.n] == '\0';
}

const struct config_key *
config_key_find(struct bytes section, struct bytes key)
{
	const struct config_key *k;
	const char *other = NULL;	/* section that it is not */

	for (k = config_schema; k->section != NULL; k++) {
		if (k->section == other)
			continue;
		if (!is_name(k->section, section))
			other = k->section;
		else if (is_name(k->key, key))
			return k;
	}
	return NULL;
}

/* A number of units in the largest one that divides it. */
static int
format_units(struct buf *out, uint64_t n, const char *letters,
    const uint64_t *units, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (n != 0 && n % units[i] == 0)
			return buf_printf(out, "%llu%c",
			    (unsigned long long)(n / units[i]), letters[i]);
	}
	return buf_printf(out, "%llu", (unsigned long long)n);
}

static int
format_bound(struct buf *out, enum config_type type, uint64_t n)
{
	static const uint64_t sizes[] = { GB, MB, KB };
	static const uint64_t durations[] = { DAY, HOUR, MINUTE, 1 };

	switch (type) {
	case CONFIG_SIZE:
		return format_units(out, n, "GMK", sizes, 3);
	case CONFIG_DURATION:
		return format_units(out, n, "dhms", durations, 4);
	case CONFIG_DECIMAL:
		return buf_printf(out, "%g", (double)n / CONFIG_DECIMAL_ONE);
	default:
		return format_units(out, n, "", NULL, 0);
	}
}

static const char *
type_words(enum config_type type)
{
	switch (type) {
	case CONFIG_BOOL:
		return "yes or no";
	case CONFIG_NUMBER:
		return "a number";
	case CONFIG_SIZE:
		return "a size";
	case CONFIG_DURATION:
		return "a duration";
	case CONFIG_THREE:
		return "three numbers";
	case CONFIG_DECIMAL:
		return "a decimal number";
	case CONFIG_CHOICE:
		return "one of";
	case CONFIG_TEXT:
		return "text";
	case CONFIG_ADDRESS:
		return "an address of an account";
	case CONFIG_DESTINATION:
		return "local@domain or @domain, then a mailbox or nothing";
	case CONFIG_ACCOUNT:
		return "an account";
	case CONFIG_MAILBOX:
		return "a mailbox name";
	case CONFIG_HOST:
		return "a host name";
	case CONFIG_DNS_NAME:
		return "a DNS name";
	case CONFIG_IPV4:
		return "an IPv4 address";
	case CONFIG_IPV6:
		return "an IPv6 address";
	case CONFIG_IP_PORT:
		return "ADDRESS:PORT or [IPV6]:PORT";
	case CONFIG_STAGE:
		return "stages: an absolute path, |command";
	case CONFIG_SEPARATORS:
		return "separators between blanks";
	case CONFIG_DNS_MX:
		return "PREFERENCE HOST";
	case CONFIG_ROUTE:
		return "TRANSPORT [from DOMAIN ...] [to DOMAIN ...] "
		    "[attempts N]";
	case CONFIG_OWN_ADDRESS:
		return "an address of this account";
	case CONFIG_ANY_ADDRESS:
		return "local@domain or @domain";
	case CONFIG_REGEX:
		return "a regular expression";
	case CONFIG_REGEX_PAIR:
		return "two regular expressions, for name and value";
	case CONFIG_REPLY:
		return "CODE STATUS TEXT, as in 550 5.7.1 not here";
	}
	return "text";
}

int
config_type_format(struct buf *out, const struct config_key *key)
{
	struct bytes words = bytes_str(key->allowed), word;
	const char *between = key->type == CONFIG_STAGE ? ", " : " ";

	buf_adds(out, type_words(key->type));
	while (bytes_word(&words, &word)) {
		buf_adds(out, between);
		buf_add(out, word);
		between = ", ";
	}
	if (key->max > 0) {
		buf_adds(out, key->type == CONFIG_THREE ? ", each " : ", ");
		format_bound(out, key->type, key->min);
		buf_adds(out, " to ");
		format_bound(out, key->type, key->max);
	}
	if (out->full) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

struct config_list
config_standard_list(const struct config_key *key)
{
	const char *p = key->standard;

	if (p == NULL)
		return (struct config_list){ BYTES_EMPTY };
	if (!config_type_is_words(key->type))
		return (struct config_list){ bytes_of(p, strlen(p) + 1) };
	while (*p != '\0')
		p += strlen(p) + 1;
	return (struct config_list){
		bytes_of(key->standard, (size_t)(p - key->standard))
	};
}

int
config_standard_format(struct buf *out, const struct config_key *key)
{
	struct config_list list = config_standard_list(key);
	struct bytes value;
	const char *between = "";
	uint64_t n;

	while (config_list_next(&list, &value)) {
		buf_adds(out, between);
		between = " ";
		if ((key->type == CONFIG_SIZE || key->type == CONFIG_DURATION)
		    && config_value_number(key, value, &n) == 0)
			format_bound(out, key->type, n);
		else
			buf_add(out, value);
	}
	if (out->full) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}
