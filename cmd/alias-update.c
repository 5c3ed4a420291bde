/*
 * alias-update - members and settings of an alias
 */
#include <errno.h>
#include <unistd.h>

#include "confcmd/confcmd.h"

static const char usage[] = "usage: alias-update [-o key=value] ... "
    "[-r member] ... alias [member ...]";

static void
remove_member(struct confcmd *c, const struct confcmd_alias *alias,
    const char *address)
{
	struct config_change change = { .kind = CONFIG_VALUE_DROP,
	    .section = "alias", .name = alias->section };

	change.key = confcmd_member_find(c, alias, address, &change.value);
	if (change.key == NULL)
		msg_die(EXIT_PERM, "%s is no member of %.*s", address,
		    BYTES_ARG(alias->address));
	(void)confcmd_change(c, &change);	/* it was found */
}

/* One that is there already is left alone. */
static void
add_member(struct confcmd *c, const struct confcmd_alias *alias,
    const char *address)
{
	struct config_change change = { .kind = CONFIG_VALUE_ADD,
	    .section = "alias", .name = alias->section };

	if (confcmd_member_find(c, alias, address, &change.value) != NULL)
		return;
	change.key = confcmd_member_key(c, address, &change.value);
	(void)confcmd_change(c, &change);	/* the section is there */
}

int
main(int argc, char *argv[])
{
	const char **option = mem_zalloc((size_t)argc, sizeof(*option));
	const char **gone = mem_zalloc((size_t)argc, sizeof(*gone));
	struct confcmd_alias alias;
	size_t n = 0, ngone = 0;
	struct confcmd c;
	int o;

	msg_init("alias-update");
	while ((o = getopt(argc, argv, "o:r:")) != -1) {
		switch (o) {
		case 'o':
			option[n++] = optarg;
			break;
		case 'r':
			gone[ngone++] = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc == optind || (argc - optind == 1 && n + ngone == 0))
		msg_die(EXIT_PERM, "%s", usage);
	confcmd_alias_open(&c, argv[optind], &alias);
	if (alias.section.n == 0)
		msg_die(EXIT_PERM, "no such alias: %s", argv[optind]);
	for (size_t i = 0; i < n; i++)
		confcmd_alias_option(&c, &alias, option[i]);
	for (size_t i = 0; i < ngone; i++)
		remove_member(&c, &alias, gone[i]);
	for (int i = optind + 1; i < argc; i++)
		add_member(&c, &alias, argv[i]);
	confcmd_apply(&c);
	confcmd_close(&c);
	return EXIT_YES;
}
