/* store-flag - change flags of messages. See store-flag(1) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"

static const char usage[] =
    "usage: store-flag -a account [-m mailbox] [--] flags uid ...";

static void
note(const char *line)
{
	msg_info("%s", line);
}

/* "+a,b" adds, "-a,b" takes away, "=a,b" replaces. */
static void
parse_change(struct account *a, const char *text,
    struct store_flag_change *c)
{
	struct bytes s = bytes_str(text), *names;

	*c = (struct store_flag_change){ .unchanged_since = UINT64_MAX };
	switch (bytes_next(&s)) {
	case '+':
		c->how = STORE_ADD;
		break;
	case '-':
		c->how = STORE_REMOVE;
		break;
	case '=':
		c->how = STORE_REPLACE;
		break;
	default:
		msg_die(EXIT_PERM, "%s", usage);
	}
	/* = alone takes all away; + and - alone would do nothing */
	if ((s.n == 0 && c->how != STORE_REPLACE) ||
	    account_flags(&a->arena, s, &c->flags, &names,
	    &c->keyword_count) == -1)
		msg_die(EXIT_PERM, "cannot understand flags %s", text);
	c->keywords = names;
}

int
main(int argc, char *argv[])
{
	const char *name = NULL, *mailbox = "INBOX";
	struct store_flag_change change;
	struct account a = { .note = note };
	uint32_t id, *uids;
	size_t count;
	int c;

	msg_init("store-flag");
	while ((c = getopt(argc, argv, "a:m:")) != -1) {
		switch (c) {
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
	if (name == NULL || argc - optind < 2)
		msg_die(EXIT_PERM, "%s", usage);
	account_start(&a, name, mailbox, &id);
	parse_change(&a, argv[optind++], &change);
	account_start_uids(&a, id, argv + optind, (size_t)(argc - optind),
	    &uids, &count);
	if (store_flags(a.store, id, uids, count, &change, NULL, NULL) == -1) {
		if (errno == EINVAL)
			msg_die(EXIT_PERM, "cannot change flags in %s: no "
			    "keyword can have this name", mailbox);
		msg_diesys(account_exit(errno), "cannot change flags in %s",
		    mailbox);
	}
	account_close(&a);
	return count > 0 ? EXIT_YES : EXIT_NO;
}
