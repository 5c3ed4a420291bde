/* store-index - bring an account's index up to date. See store-index(8) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"

static const char usage[] = "usage: store-index [-nrt] -a account";

/* What is done goes to standard output here: it is the result asked for. */
static void
note(const char *line)
{
	struct buf b = BUF_INIT(8192);

	if (msg_escape(&b, bytes_str(line)) == -1 ||
	    printf("%.*s\n", BYTES_ARG(buf_bytes(&b))) < 0)
		account_die_write();
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
		account_die_write();
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

static void
show_progress(void *ctx, const struct store_text_fill *ask)
{
	(void)ctx;		/* nothing to carry */
	(void)fprintf(stderr, "\r%llu of %llu", (unsigned long long)ask->seen,
	    (unsigned long long)ask->all);
}

/* Filters for searches: as the configuration wants them. */
static int
fill_texts(struct account *a, const char *name, bool anew)
{
	struct store_text_fill ask = { .anew = anew };
	int r;

	if (a->config != NULL && !config_get_bool(a->config, "account", name,
	    "search-index"))
		return store_text_drop(a->store);
	if (isatty(STDERR_FILENO))
		ask.progress = show_progress;
	r = store_text_fill(a->store, &ask);
	if (ask.progress != NULL)
		(void)fputc('\n', stderr);	/* for a person only */
	if (r == 0 && printf("texts\t%llu\n",
	    (unsigned long long)ask.made) < 0)
		account_die_write();
	return r;
}

int
main(int argc, char *argv[])
{
	struct account a = { .note = note, .note_each = true };
	bool rebuild = false, report = false, texts = false;
	const char *name = NULL;
	int c, code = EXIT_YES;

	msg_init("store-index");
	while ((c = getopt(argc, argv, "nrta:")) != -1) {
		switch (c) {
		case 'n':
			report = true;
			break;
		case 'r':
			rebuild = true;
			break;
		case 't':
			texts = true;
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
	else if ((rebuild ? store_rebuild(a.store)
	    : store_sync(a.store, 0, false)) == -1 ||
	    (texts && fill_texts(&a, name, rebuild) == -1))
		msg_diesys(account_exit(errno), "cannot index account %s",
		    name);
	if (fflush(stdout) == EOF)
		account_die_write();
	account_close(&a);
	return code;
}
