/* tls-cert - make a certificate that is signed by itself */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "tls/tls.h"

static const char usage[] =
    "usage: tls-cert [-r] [-d days] [-o file] name";

#define TEXT_MAX 65536
#define DAYS 1461		/* four years */

static const char *
default_path(struct arena *a, const char *name, bool rsa)
{
	const char *dir = arena_printf(a, "%s/tls", dir_etc());

	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		msg_diesys(exit_for(errno), "cannot create %s", dir);
	return arena_printf(a, "%s/%s%s.pem", dir, name, rsa ? ".rsa" : "");
}

int
main(int argc, char *argv[])
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct arena a = ARENA_INIT;
	const char *path = NULL, *why;
	uint64_t days = DAYS;
	bool rsa = false;
	int c, r;

	msg_init("tls-cert");
	while ((c = getopt(argc, argv, "d:o:r")) != -1) {
		switch (c) {
		case 'd':
			if (num_parse(bytes_str(optarg), 1,
			    TLS_SELF_SIGNED_DAYS_MAX, &days) == -1)
				msg_die(EXIT_PERM, "%s", usage);
			break;
		case 'o':
			path = optarg;
			break;
		case 'r':
			rsa = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc - optind != 1)
		msg_die(EXIT_PERM, "%s", usage);
	if (tls_self_signed(&text, bytes_str(argv[optind]), rsa,
	    (unsigned int)days, &why) == -1)
		msg_die(exit_for(errno), "cannot make a certificate for %s: "
		    "%s", argv[optind], why);
	if (path == NULL)
		path = default_path(&a, argv[optind], rsa);
	r = io_write_new(path, buf_bytes(&text));
	secret_wipe(text.p, text.size);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot create %s", path);
	buf_free(&text);
	arena_free(&a);
	return EXIT_YES;
}
