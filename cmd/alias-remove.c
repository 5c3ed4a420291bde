/*
 * alias-remove - remove an alias
 */
#include <unistd.h>

#include "confcmd/confcmd.h"

static const char usage[] = "usage: alias-remove alias";

int
main(int argc, char *argv[])
{
	struct config_change change = { .kind = CONFIG_SECTION_REMOVE,
	    .section = "alias" };
	struct confcmd_alias alias;
	struct confcmd c;

	msg_init("alias-remove");
	if (getopt(argc, argv, "") != -1 || argc - optind != 1)
		msg_die(EXIT_PERM, "%s", usage);
	confcmd_alias_open(&c, argv[optind], &alias);
	change.name = alias.section;
	if (alias.section.n == 0 || confcmd_change(&c, &change) == -1)
		msg_die(EXIT_PERM, "no such alias: %s", argv[optind]);
	confcmd_apply(&c);
	confcmd_close(&c);
	return EXIT_YES;
}
