/* smtp-check - dial the hosts of a domain and show what they offer */
#include <errno.h>
#include <unistd.h>

#include "config/config.h"
#include "dial/dial.h"
#include "mtasts/mtasts.h"
#include "stage/stage.h"
#include "unicode/unicode.h"

static const char usage[] = "usage: smtp-check [-hv] [-p port] name";

#define SMTP_PORT 25
#define OUTPUT_MAX (1024 * 1024)

struct check {
	struct arena arena;
	struct buf out;
	struct dns *dns;
	struct tlsc_ctx *tls;
	const struct stage_options *options;
	struct dial_domain domain;
	struct mtasts_decision sts;
	struct bytes name;
	int port;
	bool host_only, verbose, reached;
	struct dial_conn conn;
};

/* Columns with tabs. Results are not looked at: out.full tells. */
static void
line(struct check *k, const char *what, struct bytes a, const char *b)
{
	(void)buf_printf(&k->out, "%s\t", what);
	(void)msg_escape(&k->out, a);
	(void)buf_addc(&k->out, '\t');
	(void)msg_escape(&k->out, bytes_str(b));
	(void)buf_addc(&k->out, '\n');
}

static void
trace(void *ctx, int who, struct bytes text)
{
	struct check *k = ctx;
	char word[2] = { (char)who, '\0' };

	line(k, "said", bytes_str(word), arena_printf(&k->arena, "%.*s",
	    BYTES_ARG(text)));
}

/* ---- one address ---- */

static void
show_offer(struct check *k, const char *ip)
{
	static const struct {
		unsigned int ext;
		const char *name;
	} names[] = {
		{ SMTPC_EXT_PIPELINING, "PIPELINING" },
		{ SMTPC_EXT_SIZE, "SIZE" }, { SMTPC_EXT_8BITMIME, "8BITMIME" },
		{ SMTPC_EXT_SMTPUTF8, "SMTPUTF8" },
		{ SMTPC_EXT_STARTTLS, "STARTTLS" },
		{ SMTPC_EXT_REQUIRETLS, "REQUIRETLS" },
		{ SMTPC_EXT_DSN, "DSN" }, { SMTPC_EXT_CHUNKING, "CHUNKING" },
		{ SMTPC_EXT_BINARYMIME, "BINARYMIME" },
		{ SMTPC_EXT_DELIVERBY, "DELIVERBY" },
		{ SMTPC_EXT_LIMITS, "LIMITS" }, { SMTPC_EXT_AUTH, "AUTH" },
		{ SMTPC_EXT_STATUS, "ENHANCEDSTATUSCODES" },
	};
	const struct smtpc_offer *o = smtpc_offer(k->conn.smtp);
	const char *all = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (o->ext & names[i].ext)
			all = arena_printf(&k->arena, "%s%s%s", all,
			    all[0] == '\0' ? "" : " ", names[i].name);
	}
	line(k, "offers", bytes_str(ip), all);
}

/* Both checks are made and none is enforced: what they find is shown. */
static bool
secure(struct check *k, struct bytes host, const struct dane *dane,
    const char *ip)
{
	struct tlsc_options o = { .sni = dane->state == DANE_USABLE
	    ? dane->names[0] : host, .name = host, .dane = dane,
	    .check = TLSC_WEBPKI | (dane->state == DANE_USABLE ? TLSC_DANE
	    : 0) };
	const struct tlsc_finding *f;
	struct tlsc_facts facts;

	if (dial_secure(&k->conn, k->tls, &o, DIAL_HOST_MS) == -1) {
		line(k, "tls", bytes_str(ip), k->conn.tls == NULL
		    ? "cannot be set up" : tlsc_finding(k->conn.tls)->why);
		smtpc_secured_not(k->conn.smtp, "TLS failed");
		return false;
	}
	f = tlsc_finding(k->conn.tls);
	tlsc_describe(k->conn.tls, &k->arena, &facts);
	line(k, "tls", bytes_str(ip), arena_printf(&k->arena, "%s %s%s%s%s%s",
	    tls_version_name(facts.version), facts.cipher,
	    facts.verified & TLSC_DANE ? " dane" : "",
	    facts.verified & TLSC_WEBPKI ? " webpki" : "",
	    f->why[0] == '\0' ? "" : ": ", f->why));
	smtpc_secured(k->conn.smtp, NULL);
	return true;
}

static void
dial(struct check *k, struct bytes host, const struct ip *ip,
    const struct dane *dane)
{
	static const struct dial_via via = { .socks_port = 0 };
	struct smtpc_options o = { .hostname = k->options->hostname,
	    .tls = SMTPC_TLS_OFFERED };
	const struct smtpc_result *f;
	char text[IP_TEXT_MAX];
	enum smtpc_event e;
	const char *why;
	int fd = dial_connect(&via, &k->arena, ip, k->port,
	    deadline_in(DIAL_HOST_MS), &why);

	(void)ip_format(ip, text);	/* fills text */
	if (fd == -1) {
		line(k, "connect", bytes_str(text), why);
		return;
	}
	k->conn.trace = k->verbose ? trace : NULL;
	k->conn.trace_ctx = k;
	dial_open(&k->conn, fd, deadline_in(DIAL_SESSION_MS));
	k->conn.smtp = smtpc_new(&o);
	e = dial_run(&k->conn);
	if (e == SMTPC_STARTTLS && secure(k, host, dane, text))
		e = dial_run(&k->conn);
	if (e == SMTPC_READY) {
		k->reached = true;
		show_offer(k, text);
	} else {
		f = smtpc_failure(k->conn.smtp);
		line(k, "failed", bytes_str(text), f->why != NULL ? f->why
		    : arena_printf(&k->arena, "%d %.*s", f->code,
		    BYTES_ARG(f->text)));
	}
	dial_close(&k->conn);
}

/* ---- hosts ---- */

static void
check_host(struct check *k, struct bytes name)
{
	struct dial_limits limits = { .local = true };
	struct dane_host h = { .host = name, .port = k->port,
	    .authentic = k->host_only || k->domain.authentic,
	    .domain = BYTES_EMPTY, .expanded_domain = BYTES_EMPTY };
	struct dial_host host;
	struct dane dane;

	if (k->sts.verdict == MTASTS_POLICY)
		line(k, "mta-sts", name, mtasts_policy_match(&k->sts.policy,
		    name) ? "named by the policy" : "not named by the policy");
	dial_addresses(k->dns, &k->arena, name, &limits, &host);
	if (host.count == 0) {
		line(k, "address", name, host.why);
		return;
	}
	if (!k->host_only && !k->domain.implicit) {
		h.domain = k->name;
		h.expanded_domain = k->domain.expanded;
	}
	h.addresses = host.a->nrecords > 0 ? host.a : host.aaaa;
	dane_find(k->dns, &k->arena, &h, NULL, NULL, &dane);
	line(k, "dane", name, arena_printf(&k->arena, "%s%s%s",
	    dane_state_name(dane.state), dane.why[0] == '\0' ? "" : ": ",
	    dane.why));
	for (size_t i = 0; i < host.count; i++)
		dial(k, name, &host.ips[i], &dane);
}

static void
check_domain(struct check *k)
{
	dial_find(k->dns, &k->arena, k->name, &k->domain);
	if (k->domain.found != DIAL_FOUND) {
		line(k, "mx", k->name, k->domain.why);
		return;
	}
	mtasts_look(k->dns, NULL, &k->arena, k->name, &k->sts);
	line(k, "mta-sts", k->name, k->sts.verdict == MTASTS_POLICY
	    ? mtasts_mode_name(k->sts.policy.mode) : k->sts.why);
	for (size_t i = 0; i < k->domain.count && i < DIAL_HOSTS_MAX; i++) {
		line(k, "mx", k->domain.hosts[i].name, arena_printf(&k->arena,
		    "%u%s", k->domain.hosts[i].preference,
		    k->domain.authentic ? " authentic" : ""));
		check_host(k, k->domain.hosts[i].name);
	}
}

static void
open_all(struct check *k)
{
	struct tlsc_settings set = {
	    .ca_file = env_get("PIPEMAIL_CA_FILE") };
	const struct dns_options *dns = stage_dns_configured(&k->arena);
	const char *why;

	if (dns == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	k->options = stage_options_new(&k->arena, NULL, "smtp-in");
	if ((k->dns = dns_new(dns)) == NULL)
		msg_diesys(exit_for(errno), "cannot set up DNS look-ups");
	if ((k->tls = tlsc_ctx_new(&set, &why)) == NULL)
		msg_die(exit_for(errno), "cannot set up TLS: %s", why);
}

static int
finish(struct check *k)
{
	int code = k->reached ? EXIT_YES : EXIT_NO;

	if (k->out.full)
		msg_die(EXIT_PERM, "cannot print the result: it is too long");
	if (io_write_all(STDOUT_FILENO, buf_bytes(&k->out),
	    DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot write the result");
	tlsc_ctx_free(k->tls);
	dns_free(k->dns);
	buf_free(&k->out);
	arena_free(&k->arena);
	return code;
}

int
main(int argc, char *argv[])
{
	struct check k = { .out = BUF_INIT(OUTPUT_MAX), .port = SMTP_PORT,
	    .sts = { .verdict = MTASTS_ABSENT } };
	uint64_t port;
	int c;

	msg_init("smtp-check");
	while ((c = getopt(argc, argv, "hp:v")) != -1) {
		switch (c) {
		case 'h':
			k.host_only = true;
			break;
		case 'p':
			if (num_parse(bytes_str(optarg), 1, 65535,
			    &port) == -1)
				msg_die(EXIT_PERM, "cannot use port %s: not "
				    "within 1 and 65535", optarg);
			k.port = (int)port;
			break;
		case 'v':
			k.verbose = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc - optind != 1)
		msg_die(EXIT_PERM, "%s", usage);
	if (idna_to_ascii(&k.arena, bytes_str(argv[optind]), &k.name,
	    NULL) == -1 || !dns_name_valid(k.name))
		msg_die(EXIT_PERM, "cannot use name %s: not a domain name",
		    argv[optind]);
	open_all(&k);
	if (k.host_only)
		check_host(&k, k.name);
	else
		check_domain(&k);
	return finish(&k);
}
