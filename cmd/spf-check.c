/* spf-check - judge the sender of a message by SPF; see spf-check(1) */
#include <unistd.h>

#include "addr/addr.h"
#include "spf/spf.h"
#include "stage/stage.h"

static const char usage[] = "usage: spf-check [-q] [-h helo] [-i ip] "
    "[-s sender] < message\n"
    "       spf-check -l domain\n"
    "       spf-check -r record";

struct options {
	struct stage_filter filter;
	const char *domain, *record;	/* -l, -r */
	bool filters;			/* an option of the filter */
};

/* ---- -l, -r: a record taken apart ---- */

/* A full buffer stays marked and is looked at once, at the end. */
static void
add(struct buf *out, const char *name, struct bytes value)
{
	(void)stage_add_tag(out, name, value);
}

static const char *
result_of(char qualifier)
{
	return spf_result_name(qualifier == '-' ? SPF_FAIL
	    : qualifier == '~' ? SPF_SOFTFAIL
	    : qualifier == '?' ? SPF_NEUTRAL : SPF_PASS);
}

/* A mechanism behind the result it gives, a modifier behind its name. */
static void
add_term(struct arena *a, struct buf *out, const struct spf_term *t)
{
	struct bytes text = t->text, name;

	if (t->kind >= SPF_REDIRECT && bytes_split(&text, '=', &name)) {
		add(out, arena_str(a, name), text);
		return;
	}
	if (text.n > 0 && strchr("+-~?", bytes_at(text, 0)) != NULL)
		text = bytes_from(text, 1);
	add(out, result_of(t->qualifier), text);
}

/* Exits 0 for a record without an error. */
static int
add_record(struct arena *a, struct buf *out, struct bytes text)
{
	struct spf_record record;
	const char *why = "there is no \"v=spf1\" at its start";
	int r = -1;

	add(out, "record", text);
	if (spf_is_record(text))
		r = spf_parse(text, a, &record, &why);
	if (r == -1) {
		add(out, "problem", bytes_str(why));
		return EXIT_NO;
	}
	for (size_t i = 0; i < record.nterms; i++)
		add_term(a, out, &record.terms[i]);
	return EXIT_YES;
}

static int
look_up(struct arena *a, struct buf *out, const char *text)
{
	const struct dns_options *o;
	struct bytes domain, ascii;
	struct spf_found found;
	const char *why;
	struct dns *d;
	int code = EXIT_NO;

	if (addr_parse_domain(a, bytes_str(text), ADDR_SMTPUTF8, &domain,
	    &ascii, &why) == -1)
		msg_die(EXIT_PERM, "%s: %s", text, why);
	if ((o = stage_dns_configured(a)) == NULL || (d = dns_new(o)) == NULL)
		msg_diesys(EXIT_TEMP, "cannot ask DNS");
	spf_find(d, a, ascii, &found);
	add(out, "domain", ascii);
	if (found.status == SPF_FOUND)
		code = add_record(a, out, found.text);
	else
		add(out, "problem", bytes_str(found.why));
	add(out, "dnssec", found.authentic ? BYTES("y") : BYTES("n"));
	dns_free(d);
	return found.status == SPF_NO_ANSWER ? EXIT_TEMP : code;
}

static int
show(const struct options *o)
{
	struct buf out = BUF_INIT(SIZE_MAX);
	struct arena a = ARENA_INIT;
	int code = o->domain != NULL ? look_up(&a, &out, o->domain)
	    : add_record(&a, &out, bytes_str(o->record));

	if (io_write_all(STDOUT_FILENO, buf_bytes(&out), DEADLINE_NONE) == -1)
		msg_diesys(EXIT_TEMP, "cannot write");
	buf_free(&out);
	arena_free(&a);
	return code;
}

/* ---- options ---- */

static void
read_options(int argc, char *argv[], struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, "qh:i:l:r:s:")) != -1) {
		if (c == 'l')
			o->domain = optarg;
		else if (c == 'r')
			o->record = optarg;
		else if (stage_filter_option(&o->filter, c, optarg))
			o->filters = true;
		else
			msg_usage(usage);
	}
	if (optind != argc ||
	    (o->domain != NULL) + (o->record != NULL) + o->filters > 1)
		msg_usage(usage);
}

int
main(int argc, char *argv[])
{
	struct options o = { .filter = STAGE_FILTER_INIT };
	int code;

	msg_init("spf-check");
	read_options(argc, argv, &o);
	if (o.domain != NULL || o.record != NULL)
		return show(&o);
	code = stage_filter_main(&stage_spf, &o.filter);
	if (o.filter.why[0] != '\0')
		msg_die(code, "%s", o.filter.why);
	return code;
}
