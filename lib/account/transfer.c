/*
 * transfer.c - store-copy and store-move, which are one program
 */
#include "account/account.h"

#include <errno.h>
#include <unistd.h>

#define PAIR_MAX 22		/* two UIDs, tab, line end */

struct transfer {
	const char *usage, *name, *from;
	bool move, create, pairs;
	int end;
};

static void
note(const char *line)
{
	msg_info("%s", line);
}

static int
parse_options(struct transfer *t, int argc, char *argv[])
{
	int c;

	while ((c = getopt(argc, argv, "0a:cm:v")) != -1) {
		switch (c) {
		case '0':
			t->end = '\0';
			break;
		case 'a':
			t->name = optarg;
			break;
		case 'c':
			t->create = true;
			break;
		case 'm':
			t->from = optarg;
			break;
		case 'v':
			t->pairs = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", t->usage);
		}
	}
	if (t->name == NULL || argc - optind < 2)
		msg_die(EXIT_PERM, "%s", t->usage);
	return optind;
}

static uint32_t
target(struct account *a, const struct transfer *t, const char *name)
{
	uint32_t id;

	if (account_mailbox(a, name, &id) == 0)
		return id;
	if (errno != ENOENT || !t->create ||
	    store_mailbox_create(a->store, bytes_str(name), 0, &id) == -1)
		msg_diesys(account_exit(errno), "cannot open mailbox %s",
		    name);
	return id;
}

/* The new UIDs, for the next command; those that were gone have none. */
static size_t
write_uids(const struct transfer *t, const uint32_t *old,
    const uint32_t *new, size_t count)
{
	struct buf b = BUF_INIT(count * PAIR_MAX);
	size_t i, done = 0;

	for (i = 0; i < count; i++) {
		if (new[i] == 0)
			continue;
		done++;
		if (t->pairs)	/* they fit */
			(void)buf_printf(&b, "%lu\t", (unsigned long)old[i]);
		(void)buf_printf(&b, "%lu%c", (unsigned long)new[i], t->end);
	}
	if (io_write_all(STDOUT_FILENO, buf_bytes(&b), DEADLINE_NONE) == -1)
		account_die_write();
	buf_free(&b);
	return done;
}

int
account_transfer(int argc, char *argv[], bool move, const char *usage)
{
	struct transfer t = { .usage = usage, .from = "INBOX", .move = move,
	    .end = '\n' };
	struct account a = { .note = note };
	uint32_t from, to, *uids, *new_uids;
	size_t count, done;
	int at = parse_options(&t, argc, argv);

	account_start(&a, t.name, t.from, &from);
	account_start_uids(&a, from, argv + at + 1, (size_t)(argc - at - 1),
	    &uids, &count);
	to = target(&a, &t, argv[at]);
	new_uids = arena_zalloc(&a.arena, count + 1, sizeof(*new_uids));
	if (count > 0 && store_copy(a.store, from, uids, count, to, move,
	    new_uids) == -1)
		msg_diesys(account_exit(errno), "cannot %s to %s",
		    move ? "move" : "copy", argv[at]);
	done = write_uids(&t, uids, new_uids, count);
	account_close(&a);
	return done > 0 ? EXIT_YES : EXIT_NO;
}
