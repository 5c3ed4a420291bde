/* each.c - all accounts that have a folder */
#include "account/account.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "maildir/maildir.h"

void
account_each(void (*each)(void *ctx, const char *name), void *ctx)
{
	struct maildir_entry *e;
	struct arena a = ARENA_INIT;
	size_t count, i;
	int fd = open(arena_printf(&a, "%s/accounts", dir_var()),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 && errno == ENOENT)
		return;		/* no account yet */
	if (fd == -1 || maildir_scan(&a, fd, &e, &count) == -1)
		msg_diesys(EXIT_TEMP, "cannot list %s/accounts", dir_var());
	for (i = 0; i < count; i++) {
		if (store_account_valid(e[i].name))
			each(ctx, e[i].name);
	}
	(void)close(fd);	/* nothing was written through it */
	arena_free(&a);
}
