/*
 * conf.c - relay.conf, and the secrets that it names
 */
#include "relay_submit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "config/config.h"
#include "os/os.h"
#include "saslc/saslc.h"
#include "unicode/unicode.h"

#define PORT_TLS 465		/* RFC 8314 7.3 */
#define PORT_STARTTLS 587	/* RFC 6409 3.1 */
#define HOSTNAME_MAX 256

struct setting {
	struct relay *r;
	const struct config_item *item;
	const char *why;		/* set when it is refused */
	char *password_file, *client_file;
};

static bool
refuse(struct setting *s, const char *why)
{
	s->why = why;
	return false;
}

/* ---- the keys; each takes s->item->value ---- */

static bool
set_host(struct setting *s)
{
	struct bytes ascii;
	struct ip ip;

	s->r->host = s->item->value;
	if (ip_parse(s->r->host, &ip) == 0)
		return true;
	if (idna_to_ascii(&s->r->arena, s->item->value, &ascii, NULL) == -1)
		return refuse(s, "a host name or an address");
	s->r->host = ascii;
	return true;
}

static bool
set_port(struct setting *s)
{
	uint64_t port;

	if (num_parse(s->item->value, 1, 65535, &port) == -1)
		return refuse(s, "a port, 1 to 65535");
	s->r->port = (int)port;
	return true;
}

static bool
set_tls(struct setting *s)
{
	s->r->starttls = bytes_eq(s->item->value, BYTES("starttls"));
	if (s->r->starttls || bytes_eq(s->item->value, BYTES("implicit")))
		return true;
	return refuse(s, "implicit or starttls");
}

static bool
set_path(struct setting *s, char **path)
{
	*path = arena_str(&s->r->arena, s->item->value);
	if (*path != NULL && *path[0] == '/')
		return true;
	return refuse(s, "the full path of a file");
}

static bool
set_ca_file(struct setting *s)
{
	char *path;
	bool ok = set_path(s, &path);

	s->r->ca_file = path;
	return ok;
}

static bool
set_user(struct setting *s)
{
	s->r->user = s->item->value;
	return s->r->user.n > 0 || refuse(s, "a user's name");
}

static bool
set_password_file(struct setting *s)
{
	return set_path(s, &s->password_file);
}

static bool
set_client_file(struct setting *s)
{
	return set_path(s, &s->client_file);
}

static bool
set_mechanisms(struct setting *s)
{
	struct bytes rest = s->item->value, word;
	size_t n = 0;

	for (; bytes_word(&rest, &word); n++) {
		if (!saslc_known(word))
			return refuse(s, "names of SASL mechanisms, best "
			    "first");
	}
	s->r->mechanisms = arena_str(&s->r->arena, s->item->value);
	return n > 0 || refuse(s, "names of SASL mechanisms, best first");
}

static bool
is_address(struct setting *s, struct bytes value)
{
	struct path path;
	const char *why;

	return addr_parse_mailbox(&s->r->arena, value, ADDR_SMTPUTF8, &path,
	    &why) == 0;
}

static bool
set_from(struct setting *s)
{
	s->r->from = s->item->value;
	return is_address(s, s->r->from) || refuse(s, "an address");
}

static bool
set_local_recipient(struct setting *s)
{
	s->r->local_recipient = s->item->value;
	return is_address(s, s->item->value) || refuse(s, "an address");
}

static bool
set_allow(struct setting *s)
{
	struct bytes value = s->item->value, domain, ascii;
	const char *why;

	if (s->r->nallow == RELAY_LIST_MAX)
		return refuse(s, "at most 1000 of them");
	s->r->allow[s->r->nallow++] = value;
	if (bytes_skip(&value, BYTES("@")) ? addr_parse_domain(&s->r->arena,
	    value, ADDR_SMTPUTF8, &domain, &ascii, &why) == 0
	    : is_address(s, value))
		return true;
	return refuse(s, "an address, or a domain as @example.org");
}

static bool
set_local_user(struct setting *s)
{
	struct bytes rest = s->item->value, name;
	uid_t uid;
	gid_t gid;

	if (s->r->nusers == RELAY_LIST_MAX)
		return refuse(s, "at most 1000 of them");
	if (!bytes_word(&rest, &name) || !is_address(s, bytes_trim(rest)))
		return refuse(s, "a user of the system and an address");
	if (os_user(arena_str(&s->r->arena, name), &uid, &gid) == -1)
		return refuse(s, "there is no such user");
	s->r->users[s->r->nusers++] = (struct relay_user){ name,
	    bytes_trim(rest), uid };
	return true;
}

static bool
set_hostname(struct setting *s)
{
	s->r->hostname = s->item->value;
	return dns_name_valid(s->r->hostname) ||
	    refuse(s, "a host name");
}

static bool
set_resolver(struct setting *s)
{
	struct dns_options *d = &s->r->dns;

	if (d->nservers == DNS_SERVERS_MAX)
		return refuse(s, "at most 8 of them");
	if (dns_server_parse(s->item->value, &d->servers[d->nservers]) == -1)
		return refuse(s, "an address, and a port after a colon");
	d->nservers++;
	return true;
}

static const struct {
	const char *key;
	bool (*set)(struct setting *s);
	bool many;
} keys[] = {
	{ "host", set_host, false },
	{ "port", set_port, false },
	{ "tls", set_tls, false },
	{ "ca-file", set_ca_file, false },
	{ "user", set_user, false },
	{ "password-file", set_password_file, false },
	{ "client-key", set_client_file, false },
	{ "mechanisms", set_mechanisms, false },
	{ "from", set_from, false },
	{ "allow-from", set_allow, true },
	{ "local-user", set_local_user, true },
	{ "local-recipient", set_local_recipient, false },
	{ "hostname", set_hostname, false },
	{ "resolver", set_resolver, true },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* ---- the file ---- */

static int
fail(const struct setting *s, unsigned int line, const char *why)
{
	msg_warn("%s:%u: %s", s->r->file, line, why);
	return -1;
}

static int
set_item(struct setting *s, unsigned int *seen)
{
	const struct config_item *item = s->item;

	if (!bytes_eq(item->section, BYTES("relay")) || item->has_name)
		return fail(s, item->line, "only section [relay] is known");
	if (item->header)
		return 0;
	for (size_t i = 0; i < KEYS; i++) {
		if (!bytes_eq(item->key, bytes_str(keys[i].key)))
			continue;
		if (!keys[i].many && (*seen & 1U << i) != 0)
			return fail(s, item->line, arena_printf(
			    &s->r->arena, "%s is there twice", keys[i].key));
		*seen |= 1U << i;
		if (keys[i].set(s))
			return 0;
		return fail(s, item->line, arena_printf(&s->r->arena,
		    "%s is not what it is to be: %s", keys[i].key, s->why));
	}
	return fail(s, item->line, arena_printf(&s->r->arena,
	    "unknown key %.*s", BYTES_ARG(item->key)));
}

static int
set_all(struct setting *s, struct bytes text)
{
	struct config_problems problems = { .first = NULL };
	struct config_item *items;
	size_t count;
	unsigned int seen = 0;
	int r = 0;

	config_parse(&s->r->arena, s->r->file, text, &items, &count,
	    &problems);
	for (struct config_problem *p = problems.first; p != NULL;
	    p = p->next)
		r = fail(s, p->line, p->text);
	for (size_t i = 0; i < count; i++) {
		s->item = &items[i];
		if (set_item(s, &seen) == -1)
			r = -1;
	}
	return r;
}

/* What belongs together, and what must be there. */
static int
check(struct setting *s)
{
	struct relay *r = s->r;
	char host[HOSTNAME_MAX];

	if (r->host.n == 0)
		return fail(s, 0, "host is missing");
	if (r->from.n == 0)
		return fail(s, 0, "from is missing");
	if ((r->user.n > 0) != (s->password_file != NULL))
		return fail(s, 0, "user and password-file belong together");
	if (r->port == 0)
		r->port = r->starttls ? PORT_STARTTLS : PORT_TLS;
	if (r->local_recipient.n == 0)
		r->local_recipient = r->from;
	if (os_hostname(host, sizeof(host)) == -1)
		return fail(s, 0, "the host has no name");
	r->machine = arena_bytes(&r->arena, bytes_str(host));
	if (r->hostname.n == 0)
		r->hostname = r->machine;
	return 0;
}

/* ---- what it names ---- */

static int
read_password(struct setting *s)
{
	struct buf b = BUF_INIT(RELAY_PASSWORD_MAX);
	struct bytes rest, line;

	if (s->password_file == NULL)
		return 0;
	if (io_read_file(AT_FDCWD, s->password_file, &b) == -1) {
		msg_warnsys("cannot read %s", s->password_file);
		buf_free(&b);
		return -1;
	}
	rest = buf_bytes(&b);
	if (bytes_line(&rest, &line) && line.n > 0)
		s->r->password = arena_bytes(&s->r->arena, line);
	secret_wipe(b.p, b.n);
	buf_free(&b);
	if (s->r->password.n > 0)
		return 0;
	msg_warn("%s: the first line is to be the password",
	    s->password_file);
	return -1;
}

static int
open_tls(struct setting *s)
{
	struct buf b = BUF_INIT(TLSC_CERT_MAX);
	struct tlsc_settings set = { .ca_file = s->r->ca_file,
	    .client = BYTES_EMPTY };
	const char *why = "";

	if (s->client_file != NULL) {
		if (io_read_file(AT_FDCWD, s->client_file, &b) == -1) {
			msg_warnsys("cannot read %s", s->client_file);
			buf_free(&b);
			return -1;
		}
		set.client = buf_bytes(&b);
		s->r->client_cert = true;
	}
	s->r->tls = tlsc_ctx_new(&set, &why);
	if (b.n > 0)
		secret_wipe(b.p, b.n);
	buf_free(&b);
	if (s->r->tls != NULL)
		return 0;
	msg_warn("%s: cannot set up TLS: %s", s->r->file, why);
	return -1;
}

static int
load(struct setting *s)
{
	struct buf b = BUF_INIT(CONFIG_FILE_MAX);
	struct bytes text;

	if (io_read_file(AT_FDCWD, s->r->file, &b) == -1) {
		msg_warnsys("cannot read %s", s->r->file);
		buf_free(&b);
		return -1;
	}
	text = arena_bytes(&s->r->arena, buf_bytes(&b));
	buf_free(&b);
	if (set_all(s, text) == -1 || check(s) == -1 ||
	    read_password(s) == -1)
		return -1;
	return open_tls(s);
}

struct relay *
relay_open(void)
{
	struct relay *r = mem_zalloc(1, sizeof(*r));
	struct setting s = { .r = r, .why = "" };

	r->arena = ARENA_INIT;
	r->host = r->user = r->password = r->hostname = r->from =
	    r->local_recipient = BYTES_EMPTY;
	r->file = arena_printf(&r->arena, "%s/relay.conf", dir_etc());
	if (load(&s) == 0)
		return r;
	relay_close(r);
	return NULL;
}

void
relay_close(struct relay *r)
{
	if (r == NULL)
		return;
	/* The arena's own copy, which nobody else has. */
	if (r->password.n > 0)
		secret_wipe((void *)(uintptr_t)r->password.p, r->password.n);
	tlsc_ctx_free(r->tls);
	arena_free(&r->arena);
	free(r);
}
