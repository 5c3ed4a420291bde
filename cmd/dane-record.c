/* dane-record - the TLSA record of a certificate or key */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/base.h"
#include "dane/dane.h"

static const char usage[] = "usage: dane-record [-m matching] [-n owner] "
    "[-s selector] [-u usage] file ...";

#define FILE_MAX (256 * 1024)	/* of certificates in PEM */
#define LINE_MAX_BYTES (3 * DANE_DATA_MAX)

struct options {
	unsigned char usage, selector, matching;
	const char *owner;
};

static unsigned char
parse_number(const char *text, uint64_t max)
{
	uint64_t v;

	if (num_parse(bytes_str(text), 0, max, &v) == -1)
		msg_die(EXIT_PERM, "%s", usage);
	return (unsigned char)v;
}

static void
print_record(const struct options *o, const char *path, struct bytes file)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	struct arena a = ARENA_INIT;
	struct dane_record r;
	const char *why;

	if (dane_make(file, o->usage, o->selector, o->matching, &a, &r,
	    &why) == -1)
		msg_die(EXIT_PERM, "cannot make a record from %s: %s", path,
		    why);
	if (o->owner != NULL)
		(void)buf_printf(&line, "%s IN TLSA ", o->owner);
	/* Results are not looked at: line.full tells in the end. */
	(void)dane_format_text(&r, &line);
	(void)buf_addc(&line, '\n');
	if (line.full)
		msg_die(EXIT_PERM, "cannot print the record of %s: it is too "
		    "long", path);
	if (io_write_all(STDOUT_FILENO, buf_bytes(&line),
	    DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot write the record");
	buf_free(&line);
	arena_free(&a);
}

int
main(int argc, char *argv[])
{
	struct options o = { DANE_EE, DANE_SPKI, DANE_SHA256, NULL };
	struct buf file = BUF_INIT(FILE_MAX);
	int c;

	msg_init("dane-record");
	while ((c = getopt(argc, argv, "m:n:s:u:")) != -1) {
		switch (c) {
		case 'm':
			o.matching = parse_number(optarg, DANE_SHA512);
			break;
		case 'n':
			o.owner = optarg;
			break;
		case 's':
			o.selector = parse_number(optarg, DANE_SPKI);
			break;
		case 'u':
			o.usage = parse_number(optarg, DANE_EE);
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind == argc)
		msg_die(EXIT_PERM, "%s", usage);
	for (; optind < argc; optind++) {
		buf_reset(&file);
		if (io_read_file(AT_FDCWD, argv[optind], &file) == -1)
			msg_diesys(exit_for(errno), "cannot read %s",
			    argv[optind]);
		print_record(&o, argv[optind], buf_bytes(&file));
	}
	secret_wipe(file.p, file.size);
	buf_free(&file);
	return EXIT_YES;
}
