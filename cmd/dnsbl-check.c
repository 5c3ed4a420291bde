/* dnsbl-check - is the client on a list of bad senders? See dnsbl-check(1) */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "dnsbl/dnsbl.h"
#include "stage/stage.h"

static const char usage[] =
    "usage: dnsbl-check [-Hq] [-i ip] [zone ...] < message";

static bool
is_zone(struct bytes s)
{
	int c;

	if (!dns_name_valid(s))
		return false;
	while ((c = bytes_next(&s)) != -1) {
		if (!ascii_is_alnum(c) && c != '-' && c != '_' && c != '.')
			return false;
	}
	return true;
}

/* Zones as operands, in place of the configured ones. */
static void
take_zones(struct arena *a, char *const *zones, size_t n,
    struct dnsbl_options *o)
{
	struct bytes *list = arena_zalloc(a, n, sizeof(*list));

	if (n > DNSBL_ZONES_MAX)
		msg_die(EXIT_PERM, "more than %d zones", DNSBL_ZONES_MAX);
	for (size_t i = 0; i < n; i++) {
		list[i] = bytes_str(zones[i]);
		if (!is_zone(list[i]))
			msg_die(EXIT_PERM, "no DNS name: %s", zones[i]);
	}
	*o = (struct dnsbl_options){ .zones = list, .nzones = n };
}

/* What was found out about a zone, as an exit code: that it has no IPv6
 * addresses is no fault. */
static int
code_of(enum dnsbl_state state, int family)
{
	switch (state) {
	case DNSBL_HEALTHY:
		return EXIT_YES;
	case DNSBL_UNKNOWN:
		return EXIT_TEMP;
	case DNSBL_LISTS_ALL:
		return EXIT_NO;
	case DNSBL_LISTS_NOTHING:
		break;
	}
	return family == AF_INET ? EXIT_NO : EXIT_YES;
}

/* A line for each zone and family: 1 if one is out of order, else 111 if DNS
 * failed for one. */
static int
show_health(struct arena *a, struct dns *d, const struct dnsbl_options *o)
{
	static const int families[2] = { AF_INET, AF_INET6 };
	struct buf b = BUF_INIT(DNSBL_ZONES_MAX * 1024);
	enum dnsbl_state state;
	int result = EXIT_YES, code;

	for (size_t i = 0; i < 2 * o->nzones; i++) {
		state = dnsbl_zone_state(d, a, o->zones[i / 2],
		    families[i % 2], o->zone_ms);
		/* a name and some words: it fits */
		(void)buf_printf(&b, "%s\t%.*s\t%s\n",
		    dnsbl_state_name(state), BYTES_ARG(o->zones[i / 2]),
		    i % 2 == 0 ? "ipv4" : "ipv6");
		code = code_of(state, families[i % 2]);
		if (code == EXIT_NO || result == EXIT_YES)
			result = code;
	}
	if (io_write_all(STDOUT_FILENO, buf_bytes(&b), DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot write");
	buf_free(&b);
	return result;
}

/* With -H: the zones given, else the configured ones. */
static int
health(const struct dnsbl_options *given)
{
	struct config *c = config_open();
	const struct stage_options *options;
	struct arena a = ARENA_INIT;
	struct dns *d;
	int code;

	if (c == NULL && errno != ENOENT)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	options = stage_options_new(&a, c, "smtp-in");
	if ((d = dns_new(options->dns)) == NULL)
		msg_diesys(exit_for(errno), "cannot look up names");
	code = show_health(&a, d, given->nzones > 0 ? given : options->dnsbl);
	dns_free(d);
	config_close(c);
	arena_free(&a);
	return code;
}

int
main(int argc, char *argv[])
{
	struct stage_filter f = STAGE_FILTER_INIT;
	struct arena a = ARENA_INIT;
	struct dnsbl_options given;
	bool show = false;
	int c;

	msg_init("dnsbl-check");
	while ((c = getopt(argc, argv, "Hqi:")) != -1) {
		if (c == 'H')
			show = true;
		else if (!stage_filter_option(&f, c, optarg))
			msg_die(EXIT_PERM, "%s", usage);
	}
	if (show && (f.quiet || f.ip != NULL))
		msg_die(EXIT_PERM, "%s", usage);
	take_zones(&a, argv + optind, (size_t)(argc - optind), &given);
	if (given.nzones > 0)
		f.check = &given;
	c = show ? health(&given) : stage_filter_main(&stage_dnsbl, &f);
	arena_free(&a);
	if (f.why[0] != '\0')
		msg_die(c, "%s", f.why);
	return c;
}
