/* local.h - the parts of localserve */
#ifndef LOCAL_H
#define LOCAL_H

#include "base/base.h"

#define LOCAL_ACCOUNT "mail"
#define LOCAL_ADDRESS "mail@localhost"

struct local {
	struct arena arena;
	const char *dir;	/* absolute */
	const char *bin;	/* folder of this program */
	const char *templates;	/* service folders to copy */
	const char *password;	/* NULL: keep the one that is set */
	int port_base;
	bool created;		/* DIR was made in this run */
	char **env;		/* environment of every child */
};

/* A path below DIR, in the arena. */
char *local_path(struct local *l, const char *below);
/* Run a command of ours; input may be empty. Its output goes to *out if not
 * NULL. Ends the program with a message if it fails. */
void local_run(struct local *l, char *const argv[], struct bytes input,
    struct buf *out);

/* Create DIR with configuration, account, password and key where absent;
 * compile the configuration; copy the service folders. Dies on errors. */
void local_setup(struct local *l);

/* Everything below path, and path itself; missing is fine. */
int local_remove_tree(const char *path);

/*
 * Run s6-svscan until SIGTERM or SIGINT or until it ends. When every
 * service answers, print the line and create DIR/ready. Returns the exit
 * code of the program; every process started is gone by then.
 */
int local_supervise(struct local *l);

#endif
