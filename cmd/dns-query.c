/* dns-query - ask DNS for one name; see dns-query(1) */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "dns/dns.h"
#include "stage/stage.h"
#include "unicode/unicode.h"

static const char usage[] = "usage: dns-query [-s server] [-t time] type name";

enum {
	OUTPUT_MAX = 4 * 1024 * 1024,	/* an answer of 64 kB, escaped */
	SECONDS_MAX = 3600,
};

static void
format_name(struct buf *b, struct bytes name)
{
	if (name.n == 0)
		(void)buf_addc(b, '.');	/* checked once, by b->full */
	(void)msg_escape(b, name);
}

static void
format_record(struct buf *b, const struct dns_record *r)
{
	char ip[IP_TEXT_MAX];

	/* Results are not looked at: b->full tells in the end. */
	switch (r->type) {
	case DNS_A:
	case DNS_AAAA:
		(void)buf_adds(b, ip_format(&r->ip, ip));
		break;
	case DNS_MX:
		(void)buf_printf(b, "%u ", r->preference);
		format_name(b, r->name);
		break;
	case DNS_PTR:
	case DNS_CNAME:
		format_name(b, r->name);
		break;
	case DNS_TXT:
		(void)msg_escape(b, r->data);
		break;
	case DNS_TLSA:
		(void)buf_printf(b, "%u %u %u ", r->usage, r->selector,
		    r->matching);
		(void)hex_encode(b, r->data);
		break;
	}
}

static int
print_answer(const struct dns_answer *answer, enum dns_type type)
{
	struct buf b = BUF_INIT(OUTPUT_MAX);
	size_t i;
	int r;

	for (i = 0; i < answer->nrecords; i++) {
		format_name(&b, answer->name);
		(void)buf_printf(&b, "\t%s\t", dns_type_name(type));
		format_record(&b, &answer->records[i]);
		(void)buf_adds(&b, answer->authentic ? "\tauthentic\n"
		    : "\t-\n");
	}
	if (b.full)
		msg_die(EXIT_PERM, "cannot print answer: it is too long");
	r = io_write_all(STDOUT_FILENO, buf_bytes(&b), DEADLINE_NONE);
	buf_free(&b);
	return r;
}

/* What the server itself would use, so that answers are the same. */
static struct dns_options
configured(struct arena *a)
{
	struct config *c = config_open();

	if (c == NULL && errno != ENOENT)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	return *stage_options_new(a, c, "smtp-in")->dns;
}

static int
query(struct arena *a, const struct dns_options *options, enum dns_type type,
    struct bytes name)
{
	struct dns *d = dns_new(options);
	const struct dns_answer *answer;
	int code = EXIT_YES;

	if (d == NULL)
		msg_diesys(exit_for(errno), "cannot set up DNS look-ups");
	answer = dns_lookup(d, a, type, name);
	if (answer->status != DNS_OK) {
		msg_info("cannot find %s record of %.*s: %s",
		    dns_type_name(type), BYTES_ARG(name), answer->why);
		code = answer->status == DNS_NODATA ||
		    answer->status == DNS_NXDOMAIN ? EXIT_NO : EXIT_TEMP;
	} else if (print_answer(answer, type) == -1) {
		msg_diesys(exit_for(errno), "cannot write answer");
	}
	dns_free(d);
	return code;
}

static void
set_server(struct dns_options *o, const char *text)
{
	*o = (struct dns_options){ .nservers = 1 };
	if (dns_server_parse(bytes_str(text), &o->servers[0]) == -1)
		msg_die(EXIT_PERM, "cannot use server %s: not an address",
		    text);
	(void)unsetenv("PIPEMAIL_DNS");		/* the name is valid */
}

static enum dns_type
parse_type(const char *text)
{
	enum dns_type type;

	if (dns_type_parse(bytes_str(text), &type) == -1)
		msg_die(EXIT_PERM, "cannot use type %s: not one of A AAAA "
		    "CNAME MX PTR TLSA TXT", text);
	return type;
}

/* In A-labels. */
static struct bytes
parse_name(struct arena *a, const char *text)
{
	struct bytes name = bytes_str(text);

	if ((!bytes_is_ascii(name) &&
	    idna_to_ascii(a, name, &name, NULL) == -1) ||
	    !dns_name_valid(name))
		msg_die(EXIT_PERM, "cannot use name %s: not a domain name",
		    text);
	return name;
}

int
main(int argc, char *argv[])
{
	struct arena a = ARENA_INIT;
	struct dns_options options;
	const char *server = NULL, *time = NULL;
	uint64_t seconds;
	enum dns_type type;
	int c, code;

	msg_init("dns-query");
	while ((c = getopt(argc, argv, "s:t:")) != -1) {
		switch (c) {
		case 's':
			server = optarg;
			break;
		case 't':
			time = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc - optind != 2)
		msg_die(EXIT_PERM, "%s", usage);
	type = parse_type(argv[optind]);
	if (server != NULL)
		set_server(&options, server);
	else
		options = configured(&a);
	if (time != NULL) {
		if (num_parse_duration(bytes_str(time), 1, SECONDS_MAX,
		    &seconds) == -1)
			msg_die(EXIT_PERM, "cannot use time %s: not within 1 "
			    "and %d s", time, SECONDS_MAX);
		options.total_ms = (unsigned int)seconds * 1000;
	}
	code = query(&a, &options, type, parse_name(&a, argv[optind + 1]));
	arena_free(&a);
	return code;
}
