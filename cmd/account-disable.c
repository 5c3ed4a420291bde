/*
 * account-disable - stop and allow logins to an account
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "config/config.h"

static const char usage[] =
    "usage: account-disable -a account [-e | -m text]";

/* Of every problem; -1 if there are errors. */
static int
compile(struct arena *a, bool check_only)
{
	struct config_problems problems = { .first = NULL };
	const struct config_problem *p;
	const char *failed = dir_etc();

	if (config_compile(a, dir_etc(), dir_var(), check_only, &problems,
	    &failed) == 0)
		return 0;
	if (errno != EBADMSG) {
		msg_warnsys("cannot compile configuration: %s", failed);
		return -1;
	}
	for (p = problems.first; p != NULL; p = p->next) {
		if (!p->warning)
			msg_warn("%s/%s:%u: %s", dir_etc(), p->file, p->line,
			    p->text);
	}
	return -1;
}

/* Put the new text in place and compile; the old one again if it fails. */
static void
apply(struct arena *a, const char *file, struct bytes old,
    struct bytes changed)
{
	if (compile(a, true) == -1)
		msg_die(EXIT_PERM, "cannot go on: the configuration has "
		    "errors, nothing was changed");
	if (config_replace(dir_etc(), "accounts", file, changed) == -1)
		msg_diesys(exit_for(errno), "cannot replace %s/accounts/%s",
		    dir_etc(), file);
	if (compile(a, false) == 0)
		return;
	if (config_replace(dir_etc(), "accounts", file, old) == -1)
		msg_diesys(exit_for(errno), "cannot restore %s/accounts/%s",
		    dir_etc(), file);
	msg_die(EXIT_PERM, "cannot compile the change, it was undone");
}

static void
edit(const char *account, const struct bytes *text)
{
	struct arena a = ARENA_INIT;
	struct buf old = BUF_INIT(CONFIG_FILE_MAX);
	struct buf changed = BUF_INIT(CONFIG_FILE_MAX);
	const char *file = arena_printf(&a, "%s.conf", account);
	const char *path = arena_printf(&a, "%s/accounts/%s", dir_etc(),
	    file);

	if (io_read_file(AT_FDCWD, path, &old) == -1) {
		if (errno == ENOENT)
			msg_die(EXIT_PERM, "no such account: %s", account);
		msg_diesys(exit_for(errno), "cannot read %s", path);
	}
	if (config_edit(&changed, buf_bytes(&old), "account",
	    "login-disabled", text) == -1)
		msg_die(EXIT_PERM, "cannot set login-disabled: the text is "
		    "too long or holds control characters");
	apply(&a, file, buf_bytes(&old), buf_bytes(&changed));
	buf_free(&old);
	buf_free(&changed);
	arena_free(&a);
}

int
main(int argc, char *argv[])
{
	const char *account = NULL, *text = NULL;
	struct bytes value;
	bool enable = false;
	int c;

	msg_init("account-disable");
	while ((c = getopt(argc, argv, "a:em:")) != -1) {
		switch (c) {
		case 'a':
			account = optarg;
			break;
		case 'e':
			enable = true;
			break;
		case 'm':
			text = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (account == NULL || argc != optind || (enable && text != NULL))
		msg_die(EXIT_PERM, "%s", usage);
	if (!config_account_valid(bytes_str(account)))
		msg_die(EXIT_PERM, "no such account: %s", account);
	value = bytes_str(text != NULL ? text : "login is disabled");
	if (value.n == 0)
		msg_die(EXIT_PERM, "cannot disable with an empty text");
	edit(account, enable ? NULL : &value);
	return EXIT_YES;
}
