/* dane-check - what DANE says about a host or domain; see dane-check(1) */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "dane_check.h"
#include "config/config.h"
#include "stage/stage.h"
#include "unicode/unicode.h"

static const char usage[] = "usage: dane-check [-hq] [-f chain] [-p port] "
    "[-t time] name";

#define FILE_MAX (256 * 1024)	/* a chain is below 20 kB */
#define OUTPUT_MAX (4 * 1024 * 1024)
#define SMTP_PORT 25
#define SECONDS 30
#define SECONDS_MAX 3600

void
show(struct check *c, const char *what, struct bytes subject,
    const char *detail)
{
	if (c->quiet)
		return;
	/* Results are not looked at: out.full tells in the end. */
	(void)buf_printf(&c->out, "%s\t", what);
	(void)msg_escape(&c->out, subject);
	(void)buf_printf(&c->out, "\t%s\n", detail);
}

static void
read_chain(struct check *c, const char *path)
{
	struct buf file = BUF_INIT(FILE_MAX);
	int n;

	if (io_read_file(AT_FDCWD, path, &file) == -1)
		msg_diesys(exit_for(errno), "cannot read %s", path);
	n = dane_read_chain(buf_bytes(&file), &c->arena, c->chain);
	if (n == -1)
		msg_die(EXIT_PERM, "cannot use %s: it holds no certificates, "
		    "or too many", path);
	c->nchain = (size_t)n;
	buf_free(&file);
}

static uint64_t
parse_duration(const char *text)
{
	uint64_t seconds;

	if (num_parse_duration(bytes_str(text), 1, SECONDS_MAX,
	    &seconds) == -1)
		msg_die(EXIT_PERM, "cannot use time %s: not within 1 and "
		    "%d s", text, SECONDS_MAX);
	return seconds;
}

static int
parse_port(const char *text)
{
	uint64_t port;

	if (num_parse(bytes_str(text), 1, 65535, &port) == -1)
		msg_die(EXIT_PERM, "cannot use port %s: not within 1 and "
		    "65535", text);
	return (int)port;
}

static struct bytes
parse_name(struct check *c, const char *text)
{
	struct bytes name = bytes_str(text);

	if (idna_to_ascii(&c->arena, name, &name, NULL) == -1 ||
	    !dns_name_valid(name))
		msg_die(EXIT_PERM, "cannot use name %s: not a domain name",
		    text);
	if (name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

static void
open_all(struct check *c)
{
	static const struct tlsc_settings none = { .client = { NULL, 0 } };
	const struct dns_options *options = stage_dns_configured(&c->arena);
	const char *why;

	if (options == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	if ((c->dns = dns_new(options)) == NULL)
		msg_diesys(exit_for(errno), "cannot set up DNS look-ups");
	if ((c->tls = tlsc_ctx_new(&none, &why)) == NULL)
		msg_die(exit_for(errno), "cannot set up TLS: %s", why);
}

static int
finish(struct check *c, enum verdict v)
{
	if (c->out.full)
		msg_die(EXIT_PERM, "cannot print the result: it is too long");
	if (io_write_all(STDOUT_FILENO, buf_bytes(&c->out),
	    DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot write the result");
	tlsc_ctx_free(c->tls);
	dns_free(c->dns);
	buf_free(&c->out);
	arena_free(&c->arena);
	return v == VERIFIED ? EXIT_YES : v == DEFER ? EXIT_TEMP : EXIT_NO;
}

int
main(int argc, char *argv[])
{
	struct check c = { .out = BUF_INIT(OUTPUT_MAX), .port = SMTP_PORT,
	    .timeout_ms = SECONDS * 1000 };
	const char *chain = NULL;
	int option;

	msg_init("dane-check");
	while ((option = getopt(argc, argv, "f:hp:qt:")) != -1) {
		switch (option) {
		case 'f':
			chain = optarg;
			break;
		case 'h':
			c.no_mx = true;
			break;
		case 'p':
			c.port = parse_port(optarg);
			break;
		case 'q':
			c.quiet = true;
			break;
		case 't':
			c.timeout_ms = 1000 * (int64_t)parse_duration(optarg);
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc - optind != 1)
		msg_die(EXIT_PERM, "%s", usage);
	if (chain != NULL)
		read_chain(&c, chain);
	open_all(&c);
	return finish(&c, check_name(&c, parse_name(&c, argv[optind])));
}
