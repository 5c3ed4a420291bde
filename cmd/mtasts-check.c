/* mtasts-check - what MTA-STS says about a domain; see mtasts-check(1) */
#include <errno.h>
#include <unistd.h>

#include "addr/addr.h"
#include "base/base.h"
#include "config/config.h"
#include "dns/dns.h"
#include "mtasts/mtasts.h"
#include "stage/stage.h"

static const char usage[] = "usage: mtasts-check [-Cqs] domain [host ...]";

#define OUTPUT_MAX (4 * MTASTS_POLICY_MAX)

struct check {
	struct arena arena;
	struct buf out;
	struct dns *dns;
	struct mtasts_cache *cache;
	struct bytes domain;
	bool quiet, ask;
};

/* Columns with tabs. Results are not looked at: out.full tells. */
static void
line(struct check *k, const char *what, struct bytes a, const char *b)
{
	if (k->quiet)
		return;
	(void)buf_printf(&k->out, "%s\t", what);
	(void)msg_escape(&k->out, a);
	(void)buf_printf(&k->out, "\t%s\n", b);
}

static void
show_record(struct check *k)
{
	struct mtasts_record r;
	const char *why;
	enum mtasts_txt t;

	t = mtasts_record_find(k->dns, &k->arena, k->domain, &r, &why);
	if (t == MTASTS_TXT_FOUND)
		line(k, "record", r.id, "found");
	else
		line(k, "record", bytes_str(why), mtasts_txt_name(t));
}

static void
show_policy(struct check *k, const struct mtasts_decision *d)
{
	char *age = arena_printf(&k->arena, "%u", d->policy.max_age_seconds);
	size_t i;

	if (d->verdict != MTASTS_POLICY)
		return;
	line(k, "policy", bytes_str(mtasts_mode_name(d->policy.mode)),
	    d->fetched ? "fetched" : "cached");
	line(k, "max_age", bytes_str(age), "seconds");
	for (i = 0; i < d->policy.nmx; i++)
		line(k, "pattern", d->policy.mx[i], "-");
}

/* Whether it matches. */
static bool
show_host(struct check *k, const struct mtasts_policy *p, struct bytes host)
{
	bool match = mtasts_policy_match(p, host);

	line(k, "mx", host, match ? "match" : "no-match");
	return match;
}

static bool
show_given(struct check *k, const struct mtasts_policy *p, char *hosts[])
{
	bool all = true;

	for (; *hosts != NULL; hosts++)
		all = show_host(k, p, bytes_str(*hosts)) && all;
	return all;
}

static bool
show_mx(struct check *k, const struct mtasts_policy *p)
{
	const struct dns_answer *mx = dns_lookup(k->dns, &k->arena, DNS_MX,
	    k->domain);
	bool all = true;
	size_t i;

	if (mx->status == DNS_TEMP || mx->status == DNS_BAD)
		msg_die(EXIT_TEMP, "cannot look up the MX records of %.*s: "
		    "%s", BYTES_ARG(k->domain),
		    dns_describe(mx, &k->arena));
	if (mx->nrecords == 0)
		return show_host(k, p, k->domain);	/* RFC 5321 5.1 */
	for (i = 0; i < mx->nrecords; i++)
		all = show_host(k, p, mx->records[i].name) && all;
	return all;
}

/* The word that sums it up, and the exit code. */
static int
conclude(struct check *k, const struct mtasts_decision *d, bool all)
{
	const char *word = mtasts_mode_name(d->policy.mode);
	int code = EXIT_YES;

	if (d->verdict == MTASTS_DEFER) {
		word = "defer";
		code = EXIT_TEMP;
	} else if (d->verdict == MTASTS_ABSENT) {
		word = "absent";
		code = EXIT_NO;
	} else if (!all && d->policy.mode != MTASTS_NONE) {
		word = "mismatch";
		code = EXIT_NO;
	}
	(void)buf_printf(&k->out, "%s\t", word);
	(void)msg_escape(&k->out, k->domain);
	(void)buf_printf(&k->out, "\t%s", tlsresult_name(d->result));
	if (d->why[0] != '\0') {
		(void)buf_addc(&k->out, '\t');
		(void)msg_escape(&k->out, bytes_str(d->why));
	}
	(void)buf_addc(&k->out, '\n');
	return code;
}

static int
check(struct check *k, char *hosts[])
{
	struct mtasts_decision d;
	bool all = true;

	if (!k->quiet)
		show_record(k);
	if (!k->ask)
		mtasts_look(k->dns, k->cache, &k->arena, k->domain, &d);
	else if (mtasts_ask(&k->arena, k->domain,
	    deadline_in(MTASTS_ASK_MS), &d) == -1)
		msg_diesys(exit_for(errno), "cannot ask mtasts-serve");
	show_policy(k, &d);
	if (d.verdict == MTASTS_POLICY)
		all = *hosts != NULL ? show_given(k, &d.policy, hosts)
		    : show_mx(k, &d.policy);
	return conclude(k, &d, all);
}

static void
open_all(struct check *k, bool cached)
{
	const struct dns_options *options = stage_dns_configured(&k->arena);

	if (options == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	if ((k->dns = dns_new(options)) == NULL)
		msg_diesys(exit_for(errno), "cannot set up DNS look-ups");
	if (cached && (k->cache = mtasts_cache_open(dir_var())) == NULL)
		msg_diesys(exit_for(errno), "cannot open the cache below %s",
		    dir_var());
}

int
main(int argc, char *argv[])
{
	struct check k = { .out = BUF_INIT(OUTPUT_MAX) };
	bool cached = false;
	struct bytes text;
	const char *why;
	int c, code;

	msg_init("mtasts-check");
	while ((c = getopt(argc, argv, "Cqs")) != -1) {
		switch (c) {
		case 'C':
			cached = true;
			break;
		case 'q':
			k.quiet = true;
			break;
		case 's':
			k.ask = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind == argc || (cached && k.ask))
		msg_die(EXIT_PERM, "%s", usage);
	if (addr_parse_domain(&k.arena, bytes_str(argv[optind]),
	    ADDR_SMTPUTF8, &text, &k.domain, &why) == -1)
		msg_die(EXIT_PERM, "cannot use %s: %s", argv[optind], why);
	open_all(&k, cached);
	code = check(&k, argv + optind + 1);
	if (k.out.full)
		msg_die(EXIT_PERM, "cannot print the result: it is too long");
	if (io_write_all(STDOUT_FILENO, buf_bytes(&k.out),
	    DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot write the result");
	mtasts_cache_close(k.cache);
	dns_free(k.dns);
	buf_free(&k.out);
	arena_free(&k.arena);
	return code;
}
