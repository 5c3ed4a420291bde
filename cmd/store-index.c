/* store-index - bring an account's index up to date. See store-index(8) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"

static const char usage[] = "usage: store-index [-nr] -a account";

/* What is done goes to standard output here: it is the result asked for. */
static void
note(const char *line)
{
	struct buf b = BUF_INIT(8192);

	if (msg_escape(&b, bytes_str(line)) == -1 ||
	    printf("%.*s\n", BYTES_ARG(buf_bytes(&b))) < 0)
		msg_diesys(EXIT_TEMP, "cannot write");
	buf_free(&b);
}

static void
found(void *ctx, const struct store_contradiction *c)
{
	struct buf b = BUF_INIT(8192);

	(void)ctx;		/* nothing to carry */
	(void)buf_printf(&b, "%s\t", c->kind);	/* full tells */
	(void)msg_escape(&b, c->mailbox);
	(void)buf_printf(&b, "\t%lu\t", (unsigned long)c->uid);
	(void)msg_escape(&b, bytes_str(c->detail));
	if (buf_addc(&b, '\n') == -1 ||
	    fwrite(b.p, 1, b.n, stdout) != b.n)
		msg_diesys(EXIT_TEMP, "cannot write");
	buf_free(&b);
}

/* What would be done: the contradictions there are. */
static int
only_report(struct account *a)
{
	struct store_verify ask = { .found = found };
	uint64_t count;

	if (store_verify(a->store, &ask, &count) == -1)
		msg_diesys(account_exit(errno), "cannot read the index");
	return count == 0 ? EXIT_YES : EXIT_NO;
}

int
main(int argc, char *argv[])
{
	struct account a = { .note = note, .note_each = true };
	bool rebuild = false, report = false;
	const char *name = NULL;
	int c, code = EXIT_YES;

	msg_init("store-index");
	while ((c = getopt(argc, argv, "nra:")) != -1) {
		switch (c) {
		case 'n':
			report = true;
			break;
		case 'r':
			rebuild = true;
			break;
		case 'a':
			name = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (name == NULL || optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	if (account_open(&a, name) == -1)
		msg_die(account_exit(errno), "cannot open account %s: %s",
		    name, a.problem);
	if (report)
		code = only_report(&a);
	else if (rebuild ? store_rebuild(a.store) == -1
	    : store_sync(a.store, 0, false) == -1)
		msg_diesys(account_exit(errno), "cannot index account %s",
		    name);
	if (fflush(stdout) == EOF)
		msg_diesys(EXIT_TEMP, "cannot write");
	account_close(&a);
	return code;
}
