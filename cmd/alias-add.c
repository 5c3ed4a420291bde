/*
 * alias-add - make an address that stands for several
 */
#include <errno.h>
#include <unistd.h>

#include "confcmd/confcmd.h"

static const char usage[] =
    "usage: alias-add [-o key=value] ... alias member ...";

static void
add_section(struct confcmd *c, struct confcmd_alias *alias)
{
	struct config_change change = { .kind = CONFIG_SECTION_NEW,
	    .section = "alias" };
	struct bytes name = alias->address, section;
	size_t at;

	/* quoted where an address has it quoted */
	section = bytes_rchr(name, '@', &at) ? bytes_first(name, at) : name;
	change.name = section;
	if (alias->section.n > 0 || confcmd_change(c, &change) == -1)
		msg_die(EXIT_PERM, "cannot add %.*s: it is there already",
		    BYTES_ARG(alias->address));
	alias->section = section;
}

static void
add_member(struct confcmd *c, const struct confcmd_alias *alias,
    const char *address)
{
	struct config_change change = { .kind = CONFIG_VALUE_ADD,
	    .section = "alias", .name = alias->section };

	change.key = confcmd_member_key(c, address, &change.value);
	(void)confcmd_change(c, &change);	/* the section is there */
}

int
main(int argc, char *argv[])
{
	const char **option = mem_zalloc((size_t)argc, sizeof(*option));
	struct confcmd_alias alias;
	struct confcmd c;
	size_t n = 0;
	int o;

	msg_init("alias-add");
	while ((o = getopt(argc, argv, "o:")) != -1) {
		if (o != 'o')
			msg_die(EXIT_PERM, "%s", usage);
		option[n++] = optarg;
	}
	if (argc - optind < 2)
		msg_die(EXIT_PERM, "%s", usage);
	confcmd_alias_open(&c, argv[optind], &alias);
	add_section(&c, &alias);
	for (size_t i = 0; i < n; i++)
		confcmd_alias_option(&c, &alias, option[i]);
	for (int i = optind + 1; i < argc; i++)
		add_member(&c, &alias, argv[i]);
	confcmd_apply(&c);
	confcmd_close(&c);
	return EXIT_YES;
}
