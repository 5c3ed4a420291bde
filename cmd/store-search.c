/* store-search - find messages of an account. See store-search(1) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"
#include "imap/imap.h"

static const char usage[] =
    "usage: store-search [-j] -a account [-m mailbox] key ...";

static void
note(const char *line)
{
	msg_info("%s", line);
}

/* The operands with blanks between are the keys. */
static struct bytes
join(struct arena *a, char *const args[], int count)
{
	struct buf b = BUF_INIT(IMAP_COMMAND_MAX);
	struct bytes keys;
	int i;

	for (i = 0; i < count; i++) {
		if (buf_adds(&b, i == 0 ? "" : " ") == -1 ||
		    buf_adds(&b, args[i]) == -1)
			msg_die(EXIT_PERM, "too long a search");
	}
	keys = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return keys;
}

/* Lines, or one array. */
static void
print(const uint32_t *uids, size_t count, bool json)
{
	size_t i;

	if (json)
		(void)putchar('[');	/* fflush tells */
	for (i = 0; i < count; i++)
		printf(!json ? "%lu\n" : i == 0 ? "%lu" : ",%lu",
		    (unsigned long)uids[i]);
	if (json)
		(void)puts("]");	/* fflush tells */
	if (fflush(stdout) == EOF || ferror(stdout))
		account_die_write();
}

int
main(int argc, char *argv[])
{
	const char *name = NULL, *mailbox = "INBOX", *why = NULL;
	struct account a = { .note = note };
	struct imap_search_result found;
	bool json = false;
	uint32_t id;
	int c;

	msg_init("store-search");
	while ((c = getopt(argc, argv, "ja:m:")) != -1) {
		switch (c) {
		case 'j':
			json = true;
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
	if (name == NULL || argc == optind)
		msg_die(EXIT_PERM, "%s", usage);
	account_start(&a, name, mailbox, &id);
	if (imap_search(&a.arena, a.store, id, join(&a.arena, argv + optind,
	    argc - optind), &found, &why) == -1) {
		if (errno == EBADMSG)
			msg_die(EXIT_PERM, "cannot understand search: %s",
			    why);
		msg_diesys(account_exit(errno), "cannot search in %s",
		    mailbox);
	}
	print(found.uids, found.n, json);
	account_close(&a);
	return found.n > 0 ? EXIT_YES : EXIT_NO;
}
