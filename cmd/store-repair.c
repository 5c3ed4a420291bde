/* store-repair - single repairs of an account's index. See store-repair(8) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"

static const char usage[] =
    "usage: store-repair [-a account] [-m mailbox] repair";

static const struct repair {
	const char *name;
	enum store_repair what;
	bool whole;		/* of the account, not of a mailbox */
} repairs[] = {
	{ "bumpuidvalidity", STORE_REPAIR_UIDVALIDITY, false },
	{ "reassignuids", STORE_REPAIR_UIDS, false },
	{ "fixuidmeta", STORE_REPAIR_UID_META, false },
	{ "fixmsgsize", STORE_REPAIR_SIZES, false },
	{ "reparse", STORE_REPAIR_REPARSE, false },
	{ "ensureparsed", STORE_REPAIR_PARSED, false },
	{ "recalculatemailboxcounts", STORE_REPAIR_COUNTS, true },
	{ "reassignthreads", STORE_REPAIR_THREADS, true },
	{ NULL, STORE_REPAIR_COUNTS, false },
};

struct request {
	const char *account, *mailbox;
	const struct repair *repair;	/* NULL: openaccounts */
	int code;
};

static void
note(const char *line)
{
	msg_info("%s", line);
}

/* What is found and mended, or with openaccounts how it went: one line. */
static int
repair(const struct request *q, struct account *a, uint64_t *count)
{
	uint32_t id = 0;

	*count = 0;
	if (q->repair == NULL)
		return store_finish(a->store) == -1 ? -1
		    : store_training_finish(a->store);
	/* No look for outside changes: it might hide what is to be mended. */
	if (q->mailbox != NULL) {
		struct store_view *v = store_view_open(a->store);
		struct store_mailbox box;
		int r = v == NULL ? -1 : store_mailbox_find(v,
		    bytes_str(q->mailbox), &box);

		store_view_close(v);
		if (r == 0)
			errno = ENOENT;
		if (r != 1)
			return -1;
		id = box.id;
	}
	return store_repair(a->store, q->repair->what, id, count);
}

static void
do_account(void *ctx, const char *name)
{
	struct request *q = ctx;
	struct account a = { .note = note };
	uint64_t count;

	if (account_open(&a, name) == -1) {
		msg_warn("cannot open account %s: %s", name, a.problem);
		q->code = q->code == EXIT_TEMP ? EXIT_TEMP
		    : account_exit(errno);
		return;
	}
	if (repair(q, &a, &count) == -1) {
		msg_warnsys("cannot repair account %s", name);
		q->code = q->code == EXIT_TEMP ? EXIT_TEMP
		    : account_exit(errno);
	} else if (printf("%s\t%llu\n", name, (unsigned long long)count) < 0) {
		account_die_write();
	}
	account_close(&a);
}

static void
parse_repair(struct request *q, const char *word)
{
	const struct repair *r;

	if (strcmp(word, "openaccounts") == 0) {
		if (q->mailbox != NULL)
			msg_die(EXIT_PERM, "%s", usage);
		return;
	}
	for (r = repairs; r->name != NULL && strcmp(r->name, word) != 0; r++)
		;
	if (r->name == NULL)
		msg_die(EXIT_PERM, "no repair is called %s", word);
	if (q->account == NULL || (r->whole && q->mailbox != NULL))
		msg_die(EXIT_PERM, "%s", usage);
	q->repair = r;
}

int
main(int argc, char *argv[])
{
	struct request q = { .code = EXIT_YES };
	int c;

	msg_init("store-repair");
	while ((c = getopt(argc, argv, "a:m:")) != -1) {
		switch (c) {
		case 'a':
			q.account = optarg;
			break;
		case 'm':
			q.mailbox = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc - optind != 1)
		msg_die(EXIT_PERM, "%s", usage);
	parse_repair(&q, argv[optind]);
	if (q.account != NULL)
		do_account(&q, q.account);
	else
		account_each(do_account, &q);
	if (fflush(stdout) == EOF)
		account_die_write();
	return q.code;
}
