#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "dkim/dkim.h"

static const char usage[] =
    "usage: dkim-key [-b bits] [-t rsa | ed25519] -o file\n"
    "       dkim-key -p [-d domain -s selector] file";

#define TEXT_MAX 65536

struct options {
	bool print, ed25519, has_bits;
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
	while ((c = getopt(argc, argv, "b:d:o:ps:t:")) != -1) {
		switch (c) {
		case 'b':
			set_bits(&o, optarg);
			break;
		case 'd':
			o.domain = optarg;
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
	return o.print ? print(&o, argv[optind]) : generate(&o);
}
