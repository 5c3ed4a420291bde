/*
 * account-disable - stop and allow logins to an account
 */
#include <unistd.h>

#include "confcmd/confcmd.h"

static const char usage[] =
    "usage: account-disable -a account [-e | -m text]";

static void
edit(const char *account, const struct bytes *text)
{
	struct buf changed = BUF_INIT(CONFIG_FILE_MAX);
	struct arena a = ARENA_INIT;
	struct confcmd c;

	if (confcmd_open(&c, "accounts", arena_printf(&a, "%s.conf",
	    account)) == 0)
		msg_die(EXIT_PERM, "no such account: %s", account);
	if (config_edit(&changed, c.old, "account", "login-disabled",
	    text) == -1)
		msg_die(EXIT_PERM, "cannot set login-disabled: the text is "
		    "too long or holds control characters");
	c.text = buf_bytes(&changed);
	confcmd_apply(&c);
	confcmd_close(&c);
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
