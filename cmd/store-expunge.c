/* store-expunge - remove messages for good. See store-expunge(1) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"

static const char usage[] =
    "usage: store-expunge [-f] -a account [-m mailbox] [uid ...]";

static void
note(const char *line)
{
	msg_info("%s", line);
}

int
main(int argc, char *argv[])
{
	const char *name = NULL, *mailbox = "INBOX";
	struct account a = { .note = note };
	uint32_t id, *uids = NULL;
	uint64_t modseq = 0;
	size_t count = 0;
	bool force = false;
	int c;

	msg_init("store-expunge");
	while ((c = getopt(argc, argv, "fa:m:")) != -1) {
		switch (c) {
		case 'f':
			force = true;
			break;
		case 'a':
			name = optarg;
			break;
		case 'm':
			mailbox = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	/* All of a mailbox whatever its flags: that has to be spelt 1:*. */
	if (name == NULL || (force && optind == argc))
		msg_die(EXIT_PERM, "%s", usage);
	account_start(&a, name, mailbox, &id);
	if (optind < argc)
		account_start_uids(&a, id, argv + optind,
		    (size_t)(argc - optind), &uids, &count);
	if (store_expunge(a.store, id, uids, count, force, &modseq) == -1)
		msg_diesys(account_exit(errno), "cannot expunge from %s",
		    mailbox);
	account_close(&a);
	return modseq != 0 ? EXIT_YES : EXIT_NO;
}
