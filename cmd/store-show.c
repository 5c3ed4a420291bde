/* store-show - print messages of an account. See store-show(1) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"

static const char usage[] =
    "usage: store-show [-p] -a account [-m mailbox] uid ...";

static void
note(const char *line)
{
	msg_info("%s", line);
}

static void
print_path(struct account *a, const char *name, uint32_t id, uint32_t uid)
{
	struct buf path = BUF_INIT(8192);

	if (buf_printf(&path, "%s/accounts/%s/", dir_var(), name) == -1 ||
	    store_message_path(a->store, id, uid, &path) == -1)
		msg_diesys(account_exit(errno), "cannot find UID %lu",
		    (unsigned long)uid);
	if (buf_addc(&path, '\n') == -1 || io_write_all(STDOUT_FILENO,
	    buf_bytes(&path), DEADLINE_NONE) == -1)
		account_die_write();
	buf_free(&path);
}

static void
print_message(struct account *a, uint32_t id, uint32_t uid)
{
	struct bytes m;

	if (store_message_map(a->store, id, uid, &m) == -1)
		msg_diesys(account_exit(errno), "cannot read UID %lu",
		    (unsigned long)uid);
	if (io_write_all(STDOUT_FILENO, m, DEADLINE_NONE) == -1)
		account_die_write();
	store_unmap(m);
}

int
main(int argc, char *argv[])
{
	const char *name = NULL, *mailbox = "INBOX";
	struct account a = { .note = note };
	bool paths = false;
	uint32_t id, *uids;
	size_t count, i;
	int c;

	msg_init("store-show");
	while ((c = getopt(argc, argv, "pa:m:")) != -1) {
		switch (c) {
		case 'p':
			paths = true;
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
	if (name == NULL || optind == argc)
		msg_die(EXIT_PERM, "%s", usage);
	account_start(&a, name, mailbox, &id);
	account_start_uids(&a, id, argv + optind, (size_t)(argc - optind),
	    &uids, &count);
	for (i = 0; i < count; i++) {
		if (paths)
			print_path(&a, name, id, uids[i]);
		else
			print_message(&a, id, uids[i]);
	}
	account_close(&a);
	return count > 0 ? EXIT_YES : EXIT_NO;
}
