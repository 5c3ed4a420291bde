#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "addr/addr.h"
#include "dkim/dkim.h"
#include "dns/dns.h"
#include "stage/stage.h"

static const char usage[] =
    "usage: dkim-key [-b bits] [-t rsa | ed25519] -o file\n"
    "       dkim-key -p [-d domain -s selector] file\n"
    "       dkim-key -l -d domain -s selector";

#define TEXT_MAX 65536

struct options {
	bool print, look_up, ed25519, has_bits;
	unsigned int bits;
	const char *out, *domain, *selector;
};

static int
generate(const struct options *o)
{
	struct dkim_key *k = dkim_key_generate(o->ed25519, o->bits);
	struct buf text = BUF_INIT(TEXT_MAX);
	int r;

	assert(o->out != NULL);		/* options_ok */
	if (k == NULL || dkim_key_format(&text, k) == -1)
		msg_diesys(EXIT_TEMP, "cannot generate key");
	r = io_write_new(o->out, buf_bytes(&text));
	secret_wipe(text.p, text.size);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot create %s", o->out);
	buf_free(&text);
	dkim_key_free(k);
	return EXIT_YES;
}

static int
print(const struct options *o, const char *path)
{
	struct buf record = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
	const char *why;
	struct dkim_key *k = dkim_key_open(path, &why);

	if (k == NULL)
		msg_die(exit_for(errno), "cannot read key %s: %s", path, why);
	if (dkim_key_format_record(&record, k) == -1)
		msg_diesys(EXIT_TEMP, "cannot print key record");
	if (dkim_record_format_zone(&text, bytes_str(o->selector),
	    bytes_str(o->domain), buf_bytes(&record)) == -1)
		msg_die(EXIT_PERM, "bad domain or selector");
	if (io_write_all(STDOUT_FILENO, buf_bytes(&text), DEADLINE_NONE) == -1)
		msg_diesys(EXIT_TEMP, "cannot write key record");
	dkim_key_free(k);
	buf_free(&record);
	buf_free(&text);
	return EXIT_YES;
}

/* ---- -l: the record that is published, taken apart ---- */

/* A full buffer stays marked and is looked at once, at the end. */
static void
add(struct buf *out, const char *name, struct bytes value)
{
	(void)stage_add_tag(out, name, value);
}

static void
add_flag(struct buf *out, const char *name, bool value)
{
	add(out, name, value ? BYTES("y") : BYTES("n"));
}

/* True: it can verify a signature. */
static bool
add_record(struct arena *a, struct buf *out, struct bytes text)
{
	struct dkim_record r;
	const char *why;
	unsigned int bits;

	add(out, "record", text);
	if (dkim_record_parse(a, text, &r, &why) == 0) {
		why = dkim_record_problem(&r, &bits);
		add(out, "type", r.is_ed25519 ? BYTES("ed25519")
		    : BYTES("rsa"));
		add(out, "bits", bytes_str(arena_printf(a, "%u", bits)));
		add_flag(out, "testing", r.testing);
		add_flag(out, "strict", r.strict);
	}
	if (why[0] != '\0')
		add(out, "problem", bytes_str(why));
	return why[0] == '\0';
}

/* In A-labels; a selector may have underscores, so it need be no host. */
static struct bytes
name_of(struct arena *a, const char *text, bool is_selector)
{
	struct bytes unicode, ascii;
	const char *why;

	if (addr_parse_domain(a, bytes_str(text), ADDR_SMTPUTF8, &unicode,
	    &ascii, &why) == 0)
		return ascii;
	if (!is_selector || !dns_name_valid(bytes_str(text)))
		msg_die(EXIT_PERM, "%s: %s", text, why);
	return bytes_str(text);
}

static struct bytes
record_name(struct arena *a, const struct options *o)
{
	struct bytes selector = name_of(a, o->selector, true);
	struct bytes domain = name_of(a, o->domain, false);

	return bytes_str(arena_printf(a, "%.*s._domainkey.%.*s",
	    BYTES_ARG(selector), BYTES_ARG(domain)));
}

static int
look_up(const struct options *o)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(SIZE_MAX);
	struct bytes name = record_name(&a, o);
	const struct dns_options *options = stage_dns_configured(&a);
	const struct dns_answer *answer;
	struct dns *d;
	int code = EXIT_NO;

	if (options == NULL || (d = dns_new(options)) == NULL)
		msg_diesys(EXIT_TEMP, "cannot ask DNS");
	answer = dns_lookup(d, &a, DNS_TXT, name);
	add(&out, "name", name);
	for (size_t i = 0; i < answer->nrecords; i++) {
		if (add_record(&a, &out, answer->records[i].data))
			code = EXIT_YES;
	}
	if (answer->status != DNS_OK)
		add(&out, "problem", bytes_str(dns_describe(answer, &a)));
	if (answer->status == DNS_TEMP || answer->status == DNS_BAD)
		code = EXIT_TEMP;
	add_flag(&out, "dnssec", answer->authentic);
	if (io_write_all(STDOUT_FILENO, buf_bytes(&out), DEADLINE_NONE) == -1)
		msg_diesys(EXIT_TEMP, "cannot write key record");
	dns_free(d);
	buf_free(&out);
	arena_free(&a);
	return code;
}

/* ---- options ---- */

static void
set_bits(struct options *o, const char *text)
{
	uint64_t n;

	if (num_parse(bytes_str(text), DKIM_RSA_BITS_MIN, DKIM_RSA_BITS_MAX,
	    &n) == -1)
		msg_die(EXIT_PERM, "bad number of bits: %s (%d to %d)", text,
		    DKIM_RSA_BITS_MIN, DKIM_RSA_BITS_MAX);
	o->bits = (unsigned int)n;
	o->has_bits = true;
}

static void
set_type(struct options *o, const char *text)
{
	o->ed25519 = strcmp(text, "ed25519") == 0;
	if (!o->ed25519 && strcmp(text, "rsa") != 0)
		msg_die(EXIT_PERM, "type is rsa or ed25519, not %s", text);
}

/* The options that belong together. */
static bool
options_ok(const struct options *o, int operands)
{
	if (o->look_up)
		return operands == 0 && o->out == NULL && !o->has_bits &&
		    !o->print && !o->ed25519 && o->domain != NULL &&
		    o->selector != NULL;
	if (o->print)
		return operands == 1 && o->out == NULL && !o->has_bits &&
		    !o->ed25519 && (o->domain == NULL) == (o->selector == NULL);
	return operands == 0 && o->out != NULL && o->domain == NULL &&
	    o->selector == NULL && !(o->ed25519 && o->has_bits);
}

int
main(int argc, char *argv[])
{
	struct options o = { .bits = 2048 };
	int c;

	msg_init("dkim-key");
	while ((c = getopt(argc, argv, "b:d:lo:ps:t:")) != -1) {
		switch (c) {
		case 'b':
			set_bits(&o, optarg);
			break;
		case 'd':
			o.domain = optarg;
			break;
		case 'l':
			o.look_up = true;
			break;
		case 'o':
			o.out = optarg;
			break;
		case 'p':
			o.print = true;
			break;
		case 's':
			o.selector = optarg;
			break;
		case 't':
			set_type(&o, optarg);
			break;
		default:
			msg_usage(usage);
		}
	}
	if (!options_ok(&o, argc - optind))
		msg_usage(usage);
	if (o.look_up)
		return look_up(&o);
	return o.print ? print(&o, argv[optind]) : generate(&o);
}
