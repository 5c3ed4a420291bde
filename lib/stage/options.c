/*
 * options.c - what configuration says to the stages
 */
#include "stage/stage.h"

#include <errno.h>

#include "config/config.h"
#include "dns/dns.h"
#include "dnsbl/dnsbl.h"
#include "os/os.h"

/* Records of static DNS tables in all: a table is read through for every
 * look-up. */
#define STATIC_MAX 10000

static const struct {
	const char *key;
	enum dns_type type;
} static_keys[] = {
	{ "a", DNS_A },
	{ "aaaa", DNS_AAAA },
	{ "cname", DNS_CNAME },
	{ "mx", DNS_MX },
	{ "ptr", DNS_PTR },
	{ "txt", DNS_TXT },
};
#define STATIC_KEYS (sizeof(static_keys) / sizeof(static_keys[0]))

/* Records of all names; copied to table unless it is NULL. */
static size_t
read_static(struct arena *a, const struct config *c,
    struct dns_static *table, size_t max)
{
	struct config_list names, values;
	struct bytes name, text;
	size_t n = 0;

	config_names(c, "static-dns", &names);
	while (config_list_next(&names, &name)) {
		for (size_t i = 0; i < STATIC_KEYS; i++) {
			config_list(c, "static-dns", (const char *)name.p,
			    static_keys[i].key, &values);
			while (n < max && config_list_next(&values, &text)) {
				if (table != NULL)
					table[n] = (struct dns_static){
					    arena_bytes(a, name),
					    static_keys[i].type,
					    arena_bytes(a, text) };
				n++;
			}
		}
	}
	return n;
}

static void
read_resolvers(const struct config *c, struct dns_options *o)
{
	struct config_list list;
	struct bytes value;
	struct dns_server server;

	config_list(c, "server", NULL, "resolver", &list);
	while (o->nservers < DNS_SERVERS_MAX &&
	    config_list_next(&list, &value)) {
		if (dns_server_parse(value, &server) == 0)
			o->servers[o->nservers++] = server;
	}
}

static unsigned int
milliseconds(const struct config *c, const char *section, const char *key)
{
	uint64_t s = config_get_duration(c, section, NULL, key);

	return s > UINT32_MAX / 1000 ? UINT32_MAX : (unsigned int)s * 1000;
}

static struct dns_options *
read_dns(struct arena *a, const struct config *c)
{
	struct dns_options *o = arena_zalloc(a, 1, sizeof(*o));
	struct dns_static *table;

	if (c == NULL)
		return o;
	read_resolvers(c, o);
	o->try_ms = milliseconds(c, "server", "dns-try-timeout");
	o->total_ms = milliseconds(c, "server", "dns-timeout");
	o->ntable = read_static(a, c, NULL, STATIC_MAX);
	table = arena_zalloc(a, o->ntable, sizeof(*table));
	o->ntable = read_static(a, c, table, o->ntable);
	o->table = table;
	return o;
}

static const struct dnsbl_options *
read_dnsbl(struct arena *a, const struct config *c)
{
	struct dnsbl_options *o = arena_zalloc(a, 1, sizeof(*o));
	struct config_list list;
	struct bytes *zones;

	if (c == NULL)
		return o;
	zones = arena_zalloc(a, DNSBL_ZONES_MAX, sizeof(*zones));
	config_list(c, "smtp-in", NULL, "dnsbl", &list);
	while (o->nzones < DNSBL_ZONES_MAX &&
	    config_list_next(&list, &zones[o->nzones]))
		o->nzones++;
	o->zones = zones;
	return o;
}

/* Of [smtp-in] whichever section is asked for: only mail that comes in from
 * strangers has a chain that counts. */
static void
read_trusted(struct arena *a, const struct config *c,
    struct stage_options *o)
{
	struct config_list list;
	struct bytes value, *to;
	size_t n = 0;

	config_list(c, "smtp-in", NULL, "arc-trusted", &list);
	while (config_list_next(&list, &value))
		n++;
	to = arena_zalloc(a, n, sizeof(*to));
	config_list(c, "smtp-in", NULL, "arc-trusted", &list);
	while (o->narc_trusted < n && config_list_next(&list, &value))
		to[o->narc_trusted++] = value;
	o->arc_trusted = to;
}

const struct stage_options *
stage_options_new(struct arena *a, const struct config *c,
    const char *section)
{
	struct stage_options *o = arena_zalloc(a, 1, sizeof(*o));
	uint64_t size = 100 * 1024 * 1024;
	char name[256];

	o->timeout_ms = STAGE_TIMEOUT_MS;
	if (c != NULL) {
		o->hostname = config_get_text(c, "server", NULL, "hostname");
		o->timeout_ms = milliseconds(c, section, "stage-timeout");
		size = config_get_size(c, "server", NULL, "size-limit");
		read_trusted(a, c, o);
	}
	o->message_max_bytes = (size_t)size + STAGE_GROWTH_MAX;
	if (o->hostname.n == 0) {
		if (os_hostname(name, sizeof(name)) == 0 && name[0] != '\0')
			o->hostname = arena_bytes(a, bytes_str(name));
		else
			o->hostname = BYTES("localhost");
	}
	o->dns = read_dns(a, c);
	o->dnsbl = read_dnsbl(a, c);
	return o;
}

const struct dns_options *
stage_dns_configured(struct arena *a)
{
	struct config *c = config_open();
	const struct dns_options *o;

	if (c == NULL && errno != ENOENT)
		return NULL;
	o = read_dns(a, c);
	config_close(c);
	return o;
}

int
stage_add_tag(struct buf *out, const char *name, struct bytes value)
{
	return buf_adds(out, name) == -1 || msg_column(out, value) == -1
	    ? -1 : buf_addc(out, '\n');
}
