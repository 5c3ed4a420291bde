/*
 * confcmd.h - what the commands that edit the configuration share
 *
 * A file of etc/ is read, changed in memory, put in place and compiled; if
 * that is not possible nothing is changed, and the program ends with the
 * words for it.
 */
#ifndef CONFCMD_H
#define CONFCMD_H

#include "base/base.h"
#include "config/config.h"

struct confcmd {
	struct arena a;
	const char *dir, *file;		/* "domains", "example.org.conf" */
	struct bytes old, text;		/* as read; as it is to be */
};

/* Read etc/dir/file; 1, 0 it is not there. Other failures end the program. */
int confcmd_open(struct confcmd *c, const char *dir, const char *file);
/* Change the text; -1 with errno ENOENT or EEXIST as config_change, others end
 * the program. */
int confcmd_change(struct confcmd *c, const struct config_change *change);
/* Put it in place. Ends the program if that fails. */
void confcmd_apply(struct confcmd *c);
void confcmd_close(struct confcmd *c);

/* ---- aliases ---- */

/* An alias as its commands name it, "local@domain": the domain's file, and
 * the name of its section as written there, empty if there is none. */
struct confcmd_alias {
	struct bytes address;		/* canonical */
	struct bytes domain;		/* in U-labels */
	struct bytes section;
	struct bytes local;		/* canonical */
};
/*
 * Open the file of its domain. Ends the program: 100 it is no address, or of
 * no domain with a file.
 */
void confcmd_alias_open(struct confcmd *c, const char *address,
    struct confcmd_alias *out);
/*
 * "member" or, for addresses of domains that have no file, "external-member"
 * with the address in the form it is stored in. Ends the program with 100 if
 * it is no address.
 */
const char *confcmd_member_key(struct confcmd *c, const char *address,
    struct bytes *value);
/*
 * The same for a member that the alias has already, its value as written in
 * the file; NULL: it has none of that address.
 */
const char *confcmd_member_find(struct confcmd *c,
    const struct confcmd_alias *alias, const char *address,
    struct bytes *value);
/*
 * "key=value" of an option -o for an alias: set, or of poster one more. Ends
 * the program with 100.
 */
void confcmd_alias_option(struct confcmd *c, const struct confcmd_alias *alias,
    const char *text);

#endif
