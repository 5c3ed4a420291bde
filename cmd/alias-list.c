/*
 * alias-list - list addresses that stand for several
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"
#include "recipient/recipient.h"

static const char usage[] = "usage: alias-list [-j] [domain ...]";

/* Is its domain among the operands? */
static bool
is_wanted(const struct config *c, struct bytes name, char *const args[],
    int n)
{
	struct bytes domain = name, hosted;
	size_t at;

	if (bytes_rchr(name, '@', &at))
		domain = bytes_from(name, at + 1);
	for (int i = 0; i < n; i++) {
		if (config_domain_find(c, bytes_str(args[i]), &hosted) &&
		    bytes_eq(hosted, domain))
			return true;
	}
	return n == 0;
}

static int
put(struct qcmd_out *o, const struct recipient_alias *alias)
{
	qcmd_out_text(o, "alias", alias->name);
	qcmd_out_num(o, "members", (int64_t)alias->nmembers);
	qcmd_out_num(o, "external_members", (int64_t)alias->nexternals);
	qcmd_out_bool(o, "post_public", alias->post_public);
	qcmd_out_bool(o, "list_members", alias->list_members);
	qcmd_out_bool(o, "allow_msg_from", alias->allow_msg_from);
	return qcmd_out_end(o);
}

/* 1 some, 0 none, -1. */
static int
list(const struct config *c, struct qcmd_out *o, char *const args[], int n)
{
	struct recipient_alias alias;
	struct arena a = ARENA_INIT;
	struct config_list names;
	struct bytes name;
	int found = 0;

	config_names(c, "alias", &names);
	while (found != -1 && config_list_next(&names, &name)) {
		if (!is_wanted(c, name, args, n))
			continue;
		recipient_alias_read(c, &a, name, &alias);
		found = put(o, &alias) == -1 ? -1 : 1;
		arena_reset(&a);
	}
	arena_free(&a);
	return qcmd_out_close(o) == -1 ? -1 : found;
}

int
main(int argc, char *argv[])
{
	enum qcmd_form form = QCMD_COLUMNS;
	struct qcmd_out out;
	struct config *c;
	int o, r;

	msg_init("alias-list");
	while ((o = getopt(argc, argv, "j")) != -1) {
		if (o != 'j')
			msg_die(EXIT_PERM, "%s", usage);
		form = QCMD_JSON;
	}
	if ((c = config_open()) == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	qcmd_out_init(&out, form, STDOUT_FILENO);
	r = list(c, &out, argv + optind, argc - optind);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot write");
	config_close(c);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
