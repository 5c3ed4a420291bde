/*
 * alias-print - who is behind an alias
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"
#include "recipient/recipient.h"

static const char usage[] = "usage: alias-print [-j] alias";

static int
put(struct qcmd_out *o, const char *kind, struct bytes address,
    struct bytes account)
{
	qcmd_out_text(o, "kind", bytes_str(kind));
	qcmd_out_text(o, "value", address);
	qcmd_out_text(o, "account", account);
	return qcmd_out_end(o);
}

static int
put_flag(struct qcmd_out *o, const char *key, bool value)
{
	return put(o, key, value ? BYTES("yes") : BYTES("no"), BYTES_EMPTY);
}

static int
put_members(const struct config *c, struct qcmd_out *o,
    const struct recipient_alias *alias)
{
	struct config_list posters;
	struct bytes value;
	int r = 0;

	for (size_t i = 0; i < alias->nmembers && r == 0; i++)
		r = put(o, "member", alias->member[i].address,
		    alias->member[i].account);
	for (size_t i = 0; i < alias->nexternals && r == 0; i++)
		r = put(o, "external-member", alias->external[i],
		    BYTES_EMPTY);
	config_list(c, "alias", (const char *)alias->name.p, "poster",
	    &posters);
	while (r == 0 && config_list_next(&posters, &value))
		r = put(o, "poster", value, BYTES_EMPTY);
	return r;
}

static int
print(const struct config *c, struct qcmd_out *o, struct arena *a,
    struct bytes name)
{
	struct recipient_alias alias;

	recipient_alias_read(c, a, name, &alias);
	if (put_flag(o, "post-public", alias.post_public) == -1 ||
	    put_flag(o, "list-members", alias.list_members) == -1 ||
	    put_flag(o, "allow-msg-from", alias.allow_msg_from) == -1 ||
	    (alias.bounces_to.n > 0 && put(o, "bounces-to",
	    alias.bounces_to, BYTES_EMPTY) == -1) ||
	    put_members(c, o, &alias) == -1)
		return -1;
	return qcmd_out_close(o);
}

int
main(int argc, char *argv[])
{
	enum qcmd_form form = QCMD_COLUMNS;
	struct arena a = ARENA_INIT;
	struct recipient found;
	struct qcmd_out out;
	struct config *c;
	struct path path;
	const char *why;
	int o;

	msg_init("alias-print");
	while ((o = getopt(argc, argv, "j")) != -1) {
		if (o != 'j')
			msg_die(EXIT_PERM, "%s", usage);
		form = QCMD_JSON;
	}
	if (argc - optind != 1)
		msg_die(EXIT_PERM, "%s", usage);
	if ((c = config_open()) == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	if (addr_parse_mailbox(&a, bytes_str(argv[optind]), ADDR_SMTPUTF8,
	    &path, &why) == -1)
		msg_die(EXIT_PERM, "%s is no address: %s", argv[optind], why);
	if (recipient_find(c, &a, &path, &found) != 1 || found.alias.n == 0)
		msg_die(EXIT_PERM, "no such alias: %s", argv[optind]);
	qcmd_out_init(&out, form, STDOUT_FILENO);
	if (print(c, &out, &a, found.alias) == -1)
		msg_diesys(exit_for(errno), "cannot write");
	config_close(c);
	arena_free(&a);
	return EXIT_YES;
}
