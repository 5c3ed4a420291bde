/*
 * mtasts-fetch - get the MTA-STS policy of a domain; see mtasts-fetch(1)
 *
 * The one program of the family that links an HTTP client: what strangers'
 * web servers send is met in a process that holds nothing.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr/addr.h"
#include "base/base.h"
#include "config/config.h"
#include "dial/dial.h"
#include "dns/dns.h"
#include "fetch/fetch.h"
#include "mtasts/mtasts.h"
#include "stage/stage.h"
#include "tlsresult/tlsresult.h"

static const char usage[] =
    "usage: mtasts-fetch [-c cafile] [-p port] domain";

#define ADDRESSES_MAX 4		/* tried, one after the other */
#define HTTPS_PORT 443

struct job {
	struct arena arena;
	const char *ca_file;
	uint64_t port;
	struct bytes domain;	/* A-labels */
	struct ip ip[ADDRESSES_MAX];
	size_t nips;
	bool local;		/* private addresses are dialled */
	bool left_out;		/* some were not */
	int64_t deadline;
};

/* The answer is no: a line that mtasts_fetch reads. */
static int
tell_failure(struct job *j, enum tlsresult result, const char *why)
{
	char *line = arena_printf(&j->arena, "%s\t%s\n",
	    tlsresult_name(result), why);

	if (io_write_all(STDOUT_FILENO, bytes_str(line),
	    DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot write");
	return EXIT_NO;
}

static void
take_addresses(struct job *j, const struct dns_answer *answer)
{
	size_t i;

	for (i = 0; i < answer->nrecords && j->nips < ADDRESSES_MAX; i++) {
		if (!j->local && dial_is_local(&answer->records[i].ip))
			j->left_out = true;
		else
			j->ip[j->nips++] = answer->records[i].ip;
	}
}

/* As for mail: who writes a stranger's DNS does not choose which machines of
 * our own network are talked to. */
static void
read_config(struct job *j)
{
	struct config *c = config_open();

	if (c == NULL && errno != ENOENT)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	if (c == NULL)
		return;
	j->local = config_get_bool(c, "queue", NULL, "private-addresses");
	config_close(c);
}

/* Both families are asked for at once. NULL, or why there is none. */
static const char *
look_up(struct job *j, struct bytes host)
{
	const struct dns_options *options = stage_dns_configured(&j->arena);
	const struct dns_answer *v4, *v6;
	struct dns_query *q4, *q6;
	struct dns *d;

	if (options == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	if ((d = dns_new(options)) == NULL)
		msg_diesys(exit_for(errno), "cannot set up DNS look-ups");
	q4 = dns_start(d, &j->arena, DNS_A, host);
	q6 = dns_start(d, &j->arena, DNS_AAAA, host);
	v4 = dns_wait(d, q4);
	v6 = dns_wait(d, q6);
	take_addresses(j, v4);
	take_addresses(j, v6);
	dns_free(d);
	if (j->nips == 0 && j->left_out)
		return "its addresses are in private networks";
	return j->nips > 0 ? NULL : dns_describe(
	    v4->status == DNS_TEMP ? v4 : v6, &j->arena);
}

static const char *
connect_to(struct job *j, const struct ip *ip)
{
	char text[IP_TEXT_MAX];
	bool v6 = ip->family == AF_INET6;

	return arena_printf(&j->arena, "::%s%s%s:%u", v6 ? "[" : "",
	    ip_format(ip, text), v6 ? "]" : "", (unsigned int)j->port);
}

static int
get(struct job *j, struct fetch_reply *r, const char **why)
{
	struct fetch_request q = {
		.url = arena_printf(&j->arena, "https://mta-sts.%.*s"
		    "/.well-known/mta-sts.txt", BYTES_ARG(j->domain)),
		.ca_file = j->ca_file,
		.body_max = MTASTS_POLICY_MAX,
		.no_redirects = true,
	};
	size_t i;
	int left;

	for (i = 0; i < j->nips; i++) {
		left = deadline_left(j->deadline);
		if (left == 0) {
			errno = ETIMEDOUT;
			*why = "no reply within a minute";
			return -1;
		}
		q.timeout_ms = (unsigned int)left;
		q.connect_to = connect_to(j, &j->ip[i]);
		if (fetch_get(&q, r, why) == 0)
			return 0;
		if (errno != EAGAIN && errno != ETIMEDOUT)
			return -1;
	}
	return -1;
}

static int
fetch(struct job *j)
{
	char *host = arena_printf(&j->arena, "mta-sts.%.*s",
	    BYTES_ARG(j->domain));
	struct fetch_reply r;
	const char *why;

	if (!dns_name_valid(bytes_str(host)))
		return tell_failure(j, TLSRESULT_STS_POLICY_FETCH_ERROR,
		    "the name of the policy host is too long");
	if ((why = look_up(j, bytes_str(host))) != NULL)
		return tell_failure(j, TLSRESULT_STS_POLICY_FETCH_ERROR,
		    arena_printf(&j->arena, "the policy host has no address: "
		    "%s", why));
	if (get(j, &r, &why) == -1) {
		if (errno == EINVAL && j->ca_file != NULL)
			msg_die(EXIT_PERM, "cannot use %s: %s", j->ca_file,
			    why);
		return tell_failure(j, errno == EKEYREJECTED
		    ? TLSRESULT_STS_WEBPKI_INVALID
		    : TLSRESULT_STS_POLICY_FETCH_ERROR, why);
	}
	if (r.status != 200)
		return tell_failure(j, TLSRESULT_STS_POLICY_FETCH_ERROR,
		    arena_printf(&j->arena, "the policy host answers with "
		    "status %u", r.status));
	if (io_write_all(STDOUT_FILENO, buf_bytes(&r.body),
	    DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot write policy");
	buf_free(&r.body);
	return EXIT_YES;
}

static uint64_t
parse_port(const char *text)
{
	uint64_t port;

	if (num_parse(bytes_str(text), 1, 65535, &port) == -1)
		msg_die(EXIT_PERM, "cannot use port %s: not within 1 and "
		    "65535", text);
	return port;
}

int
main(int argc, char *argv[])
{
	struct job j = { .port = HTTPS_PORT,
	    .deadline = deadline_in(MTASTS_FETCH_MS) };
	const char *port = env_get("PIPEMAIL_MTASTS_PORT");
	struct bytes text;
	const char *why;
	int c, code;

	msg_init("mtasts-fetch");
	j.ca_file = env_get("PIPEMAIL_CA_FILE");
	while ((c = getopt(argc, argv, "c:p:")) != -1) {
		switch (c) {
		case 'c':
			j.ca_file = optarg;
			break;
		case 'p':
			port = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc - optind != 1)
		msg_die(EXIT_PERM, "%s", usage);
	if (port != NULL)
		j.port = parse_port(port);
	if (addr_parse_domain(&j.arena, bytes_str(argv[optind]),
	    ADDR_SMTPUTF8, &text, &j.domain, &why) == -1)
		msg_die(EXIT_PERM, "cannot use %s: %s", argv[optind], why);
	read_config(&j);
	code = fetch(&j);
	arena_free(&j.arena);
	return code;
}
