/* dmarc-check - judge the From domain by DMARC; see dmarc-check(1) */
#include <stdio.h>
#include <unistd.h>

#include "addr/addr.h"
#include "dmarc/dmarc.h"
#include "stage/stage.h"

static const char usage[] = "usage: dmarc-check [-q] < message\n"
    "       dmarc-check -l domain\n"
    "       dmarc-check -r domain";

/* ---- -l: a record looked up ---- */

static void
print(const char *name, struct bytes value)
{
	struct buf b = BUF_INIT(4 * DMARC_RECORD_MAX + 64);

	if (stage_add_tag(&b, name, value) == -1 ||
	    fwrite(b.p, 1, b.n, stdout) != b.n)
		msg_diesys(EXIT_TEMP, "cannot write");
	buf_free(&b);
}

static void
print_uris(const char *name, const struct dmarc_uri *u, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print(name, u[i].text);
}

static void
print_record(struct arena *a, const struct dmarc_record *r)
{
	unsigned int fo = r->failure_options;

	print("p", bytes_str(dmarc_policy_name(r->p)));
	print("sp", bytes_str(dmarc_policy_name(r->sp)));
	print("np", bytes_str(dmarc_policy_name(r->np)));
	print("adkim", r->strict_dkim ? BYTES("s") : BYTES("r"));
	print("aspf", r->strict_spf ? BYTES("s") : BYTES("r"));
	print("pct", bytes_str(arena_printf(a, "%u", r->pct)));
	print("ri", bytes_str(arena_printf(a, "%lu",
	    (unsigned long)r->interval_seconds)));
	for (unsigned int i = 0; i < 4; i++) {
		if ((fo >> i & 1) != 0)
			print("fo", bytes_of(&"01ds"[i], 1));
	}
	print_uris("rua", r->rua, r->nrua);
	print_uris("ruf", r->ruf, r->nruf);
	print("psd", bytes_of(&r->psd, 1));
	print("t", r->testing ? BYTES("y") : BYTES("n"));
}

static struct bytes
problem_of(const struct dmarc_found *f)
{
	return f->why[0] == '\0' && f->status != DMARC_FOUND
	    ? BYTES("no record") : bytes_str(f->why);
}

static int
print_found(struct arena *a, const struct dmarc_found *f)
{
	if (f->domain.n > 0)
		print("domain", f->domain);
	if (f->text.n > 0)
		print("record", f->text);
	if (f->status == DMARC_FOUND)
		print_record(a, &f->record);
	if (problem_of(f).n > 0)
		print("problem", problem_of(f));
	print("dnssec", f->authentic ? BYTES("y") : BYTES("n"));
	return f->status == DMARC_FOUND ? EXIT_YES
	    : f->status == DMARC_UNKNOWN ? EXIT_TEMP : EXIT_NO;
}

/* ---- -r: who gets its reports ---- */

static const char *const accepts[] = { [DMARC_ACCEPTS] = "pass",
	[DMARC_REFUSES] = "fail", [DMARC_ACCEPT_UNKNOWN] = "temperror" };

/* The lines of one tag; how often each answer was given is added up. */
static void
print_acceptors(struct dns *d, const char *tag, const struct dmarc_uri *uri,
    struct dmarc_acceptor *c, size_t n, size_t count[3])
{
	struct buf b = BUF_INIT(SIZE_MAX);
	enum dmarc_accept r;

	for (size_t i = 0; i < n; i++) {
		r = dmarc_accept_finish(d, &c[i]);
		count[r]++;
		buf_reset(&b);
		(void)buf_printf(&b, "%s\t%s", accepts[r], tag);
		(void)msg_column(&b, uri[i].text);
		(void)msg_column(&b, c[i].name);
		(void)msg_column(&b, bytes_str(c[i].why));
		if (buf_addc(&b, '\n') == -1 ||
		    fwrite(b.p, 1, b.n, stdout) != b.n)
			msg_diesys(EXIT_TEMP, "cannot write");
	}
	buf_free(&b);
}

/* All are asked at the same time. */
static int
print_reports(struct dns *d, struct arena *a, const struct dmarc_found *f)
{
	const struct dmarc_record *r = &f->record;
	struct dmarc_acceptor rua[DMARC_URIS_MAX], ruf[DMARC_URIS_MAX];
	size_t count[3] = { 0 };

	if (f->status != DMARC_FOUND) {
		print(f->status == DMARC_UNKNOWN ? "temperror" : "none",
		    problem_of(f));
		return f->status == DMARC_UNKNOWN ? EXIT_TEMP : EXIT_NO;
	}
	for (size_t i = 0; i < r->nrua; i++)
		dmarc_accept_start(d, a, f->domain, r->rua[i].uri, &rua[i]);
	for (size_t i = 0; i < r->nruf; i++)
		dmarc_accept_start(d, a, f->domain, r->ruf[i].uri, &ruf[i]);
	print_acceptors(d, "rua", r->rua, rua, r->nrua, count);
	print_acceptors(d, "ruf", r->ruf, ruf, r->nruf, count);
	return count[DMARC_REFUSES] > 0 ? EXIT_NO
	    : count[DMARC_ACCEPT_UNKNOWN] > 0 ? EXIT_TEMP : EXIT_YES;
}

static int
look_up(const char *text, bool reports)
{
	struct arena a = ARENA_INIT;
	const struct dns_options *o;
	struct bytes domain, ascii;
	struct dmarc_found found;
	const char *why;
	struct dns *d;
	int code;

	if (addr_parse_domain(&a, bytes_str(text), ADDR_SMTPUTF8, &domain,
	    &ascii, &why) == -1)
		msg_die(EXIT_PERM, "%s: %s", text, why);
	if ((o = stage_dns_configured(&a)) == NULL || (d = dns_new(o)) == NULL)
		msg_diesys(EXIT_TEMP, "cannot ask DNS");
	dmarc_find_finish(dmarc_find_start(d, &a, ascii), &found);
	code = reports ? print_reports(d, &a, &found)
	    : print_found(&a, &found);
	if (fflush(stdout) == EOF)
		msg_diesys(EXIT_TEMP, "cannot write");
	dns_free(d);
	arena_free(&a);
	return code;
}

int
main(int argc, char *argv[])
{
	struct stage_filter f = STAGE_FILTER_INIT;
	const char *domain = NULL;
	bool reports = false;
	int c, code;

	msg_init("dmarc-check");
	while ((c = getopt(argc, argv, "ql:r:")) != -1) {
		if ((c == 'l' || c == 'r') && domain == NULL) {
			domain = optarg;
			reports = c == 'r';
		} else if (!stage_filter_option(&f, c, optarg))
			msg_usage(usage);
	}
	if (optind != argc || (domain != NULL && f.quiet))
		msg_usage(usage);
	if (domain != NULL)
		return look_up(domain, reports);
	code = stage_filter_main(&stage_dmarc, &f);
	if (f.why[0] != '\0')
		msg_die(code, "%s", f.why);
	return code;
}
