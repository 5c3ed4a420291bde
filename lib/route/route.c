/*
 * route.c - by which transport a recipient's mail goes
 */
#include "route/route.h"

#include <errno.h>
#include <fcntl.h>

#define SECRET_MAX 65536

static const char *const types[] = { "direct", "relay", "submissions", "lmtp",
    "command", "bsmtp", "fail" };

/* ".example.org" is it and what is below it. */
static bool
domain_matches(struct bytes pattern, struct bytes domain)
{
	struct bytes name = pattern;

	if (!bytes_skip(&name, BYTES(".")))
		return bytes_caseeq(pattern, domain);
	return bytes_caseeq(name, domain) || bytes_caseends(domain, pattern);
}

enum place { IN_NONE, IN_FROM, IN_TO, IN_ATTEMPTS };

/* The conditions of one route, all of which must hold. */
struct conditions {
	bool from, to;			/* given */
	bool from_fits, to_fits, attempts_fit;
};

static void
check_word(struct bytes word, enum place *place, const struct route_query *q,
    struct conditions *c)
{
	uint64_t n;

	if (bytes_eq(word, BYTES("from"))) {
		*place = IN_FROM;
		c->from = true;
	} else if (bytes_eq(word, BYTES("to"))) {
		*place = IN_TO;
		c->to = true;
	} else if (bytes_eq(word, BYTES("attempts")))
		*place = IN_ATTEMPTS;
	else if (*place == IN_FROM)
		c->from_fits |= domain_matches(word, q->sender_domain);
	else if (*place == IN_TO)
		c->to_fits |= domain_matches(word, q->rcpt_domain);
	else if (*place == IN_ATTEMPTS)
		c->attempts_fit = num_parse(word, 0, UINT64_MAX, &n) == 0 &&
		    q->attempts >= n;
}

/* local: the recipient is ours, only a route to its domain may take it. */
static bool
route_fits(struct bytes route, const struct route_query *q, bool local,
    struct bytes *transport)
{
	struct conditions c = { .attempts_fit = true };
	enum place place = IN_NONE;
	struct bytes word, name;

	if (!bytes_word(&route, &name))
		return false;
	while (bytes_word(&route, &word))
		check_word(word, &place, q, &c);
	if ((c.from && !c.from_fits) || (c.to && !c.to_fits) ||
	    !c.attempts_fit || (local && !c.to))
		return false;
	*transport = name;
	return true;
}

static bool
list_fits(struct config_list list, const struct route_query *q, bool local,
    struct bytes *transport)
{
	struct bytes route;

	while (config_list_next(&list, &route)) {
		if (route_fits(route, q, local, transport))
			return true;
	}
	return false;
}

static struct bytes
plain_name(struct bytes name)
{
	return bytes_eq(name, BYTES("direct")) ? BYTES_EMPTY : name;
}

struct bytes
route_find(const struct config *c, const struct route_query *q)
{
	struct arena a = ARENA_INIT;
	struct config_list list;
	struct bytes name, found;
	bool local, got = false;

	if (q->chosen.n > 0)
		return plain_name(q->chosen);
	local = config_domain_find(c, q->rcpt_domain, &name) &&
	    !config_get_bool(c, "domain", (const char *)name.p,
	    "reports-only");
	if (q->account.n > 0 && config_account_exists(c, q->account)) {
		config_list(c, "account", arena_str(&a, q->account), "route",
		    &list);
		got = list_fits(list, q, local, &found);
	}
	if (!got && config_domain_find(c, q->sender_domain, &name)) {
		config_list(c, "domain", (const char *)name.p, "route",
		    &list);
		got = list_fits(list, q, local, &found);
	}
	if (!got) {
		config_list(c, "queue", NULL, "route", &list);
		got = list_fits(list, q, local, &found);
	}
	arena_free(&a);
	if (got)
		return plain_name(found);
	return local ? BYTES("local") : BYTES_EMPTY;
}

/* ---- settings ---- */

/* A whole file below the configuration, or at an absolute path. */
static int
read_secret(struct arena *a, const struct config *c, const char *name,
    const char *key, bool first_line, struct bytes *out, const char **why)
{
	struct bytes path = config_get_text(c, "transport", name, key), line;
	struct buf b = BUF_INIT(SECRET_MAX);
	const char *full;
	int r;

	if (path.n == 0)
		return 0;
	full = path.p[0] == '/' ? (const char *)path.p
	    : arena_printf(a, "%s/%.*s", dir_etc(), BYTES_ARG(path));
	if ((r = io_read_file(AT_FDCWD, full, &b)) == -1)
		*why = full;
	else if (first_line) {
		line = buf_bytes(&b);
		(void)bytes_line(&line, out);	/* none: empty */
		*out = arena_bytes(a, bytes_trim(*out));
	} else
		*out = arena_bytes(a, buf_bytes(&b));
	secret_wipe(b.p, b.n);
	buf_free(&b);
	return r;
}

static uint64_t
type_of(struct bytes word)
{
	for (uint64_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (bytes_eq(word, bytes_str(types[i])))
			return i;
	}
	return TRANSPORT_DIRECT;
}

/* A copy: jobs under way outlive the configuration. */
static struct bytes
text_of(struct arena *a, const struct config *c, const char *name,
    const char *key)
{
	return arena_bytes(a, config_get_text(c, "transport", name, key));
}

static void
fill(struct arena *a, const struct config *c, const char *name,
    struct transport *t)
{
	const char *s = "transport";

	t->type = type_of(config_get_text(c, s, name, "type"));
	t->host = text_of(a, c, name, "host");
	t->port = config_get_num(c, s, name, "port");
	if (t->port == 0)
		t->port = t->type == TRANSPORT_SUBMISSIONS ? 465 : 25;
	t->user = text_of(a, c, name, "user");
	t->mechanisms = text_of(a, c, name, "mechanisms");
	if (config_get_text(c, s, name, "helo").n > 0)
		t->helo = text_of(a, c, name, "helo");
	t->socks = text_of(a, c, name, "socks");
	t->socks_user = text_of(a, c, name, "socks-user");
	t->source4 = text_of(a, c, name, "source-ipv4");
	t->source6 = text_of(a, c, name, "source-ipv6");
	t->no_ipv4 = !config_get_bool(c, s, name, "ipv4");
	t->no_ipv6 = !config_get_bool(c, s, name, "ipv6");
	t->tls_insecure = !config_get_bool(c, s, name, "verify");
	t->command = text_of(a, c, name, "command");
	t->code = config_get_num(c, s, name, "code");
	t->text = text_of(a, c, name, "text");
}

static bool
is_configured(const struct config *c, struct bytes name)
{
	struct config_list list;
	struct bytes n;

	config_names(c, "transport", &list);
	while (config_list_next(&list, &n)) {
		if (bytes_eq(n, name))
			return true;
	}
	return false;
}

/* ---- destinations ---- */

struct bytes
route_dest(struct arena *a, const struct config *c, struct bytes transport,
    struct bytes rcpt_domain)
{
	struct bytes domain = arena_lower(a, rcpt_domain);

	if (transport.n == 0)
		return domain;
	if (is_configured(c, transport) && type_of(config_get_text(c,
	    "transport", arena_str(a, transport), "type")) ==
	    TRANSPORT_DIRECT)
		return bytes_str(arena_printf(a, "transport:%.*s/%.*s",
		    BYTES_ARG(transport), BYTES_ARG(domain)));
	return bytes_str(arena_printf(a, "transport:%.*s",
	    BYTES_ARG(transport)));
}

struct bytes
route_dest_transport(struct bytes dest)
{
	size_t at;

	if (!bytes_skip(&dest, BYTES("transport:")))
		return BYTES_EMPTY;
	return bytes_chr(dest, '/', &at) ? bytes_first(dest, at) : dest;
}

int
route_transport(struct arena *a, const struct config *c, struct bytes name,
    struct transport *t, const char **why)
{
	struct bytes e = BYTES_EMPTY;
	struct transport got = { .name = arena_bytes(a, name),
	    .host = e, .user = e,
	    .password = e, .mechanisms = e, .key_pem = e, .cert_pem = e,
	    .socks = e, .socks_user = e, .socks_password = e,
	    .source4 = e, .source6 = e, .command = e, .text = e,
	    .helo = arena_bytes(a, config_get_text(c, "server", NULL,
	    "hostname")) };
	const char *n;

	if (bytes_eq(name, BYTES("local"))) {
		got.type = TRANSPORT_LMTP;
		got.host = bytes_str(arena_printf(a, "%s/lmtp", dir_run()));
	} else if (name.n > 0) {
		if (!is_configured(c, name)) {
			*why = arena_printf(a, "transport %.*s",
			    BYTES_ARG(name));
			errno = ENOENT;
			return -1;
		}
		n = arena_str(a, name);
		fill(a, c, n, &got);
		if (read_secret(a, c, n, "password-file", true, &got.password,
		    why) == -1 ||
		    read_secret(a, c, n, "socks-password-file", true,
		    &got.socks_password, why) == -1 ||
		    read_secret(a, c, n, "client-key-file", false,
		    &got.key_pem, why) == -1 ||
		    read_secret(a, c, n, "client-certificate-file", false,
		    &got.cert_pem, why) == -1)
			return -1;
	}
	*t = got;
	return 0;
}
