/*
 * jwks-fetch - fetch the keys of the issuer of tokens (B-6)
 *
 * It reads what a server elsewhere sends and writes what auth-serve trusts,
 * and so has a user that owns nothing else.
 */
#include "jwks_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "os/os.h"

static const char usage[] = "usage: jwks-fetch [-l] [-u user] [issuer]";

static void
become(const char *user)
{
	uid_t uid;
	gid_t gid;

	if (user[0] == '\0')
		return;		/* stay who we are */
	if (os_user(user, &uid, &gid) == -1)
		msg_diesys(errno == ENOENT ? EXIT_PERM : EXIT_TEMP,
		    "cannot find user %s", user);
	if (os_drop(uid, gid) == -1)
		msg_diesys(EXIT_TEMP, "cannot become user %s", user);
}

static int
fetch_once(const char *name)
{
	struct arena a = ARENA_INIT;
	struct config *c = config_open();
	struct issuer is;
	struct fetched f;
	const char *why;
	int r;

	if (c == NULL)
		msg_die(exit_for(errno), "cannot open configuration in "
		    "%s: %s", dir_var(), config_reason(errno));
	if (issuer_load(&a, c, &is, &why) == 0)
		msg_die(EXIT_PERM, "cannot fetch keys: %s", why);
	if (name != NULL && strcmp(name, is.name) != 0)
		msg_die(EXIT_PERM, "cannot fetch keys: the issuer is %s",
		    is.name);
	r = keys_fetch(&is, "", &f);
	if (r == 0)
		printf("%s\t%s\t%zu\t%s\n", is.name, f.replaced ? "replaced"
		    : "unchanged", f.keys, f.path);
	config_close(c);
	arena_free(&a);
	if (r == 0 && fflush(stdout) == EOF)
		msg_diesys(EXIT_TEMP, "cannot print");
	return r == 0 ? EXIT_YES : EXIT_TEMP;
}

int
main(int argc, char *argv[])
{
	const char *user = "";
	bool loop = false;
	int c;

	msg_init("jwks-fetch");
	while ((c = getopt(argc, argv, "lu:")) != -1) {
		switch (c) {
		case 'l':
			loop = true;
			break;
		case 'u':
			user = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc - optind > (loop ? 0 : 1))
		msg_die(EXIT_PERM, "%s", usage);
	become(user);
	if (loop)
		loop_run();
	return fetch_once(argv[optind]);
}
