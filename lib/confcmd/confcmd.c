/*
 * confcmd.c - a file changed and compiled
 */
#include "confcmd/confcmd.h"

#include <errno.h>
#include <fcntl.h>

int
confcmd_open(struct confcmd *c, const char *dir, const char *file)
{
	struct buf b = BUF_INIT(CONFIG_FILE_MAX);
	const char *path;
	int r;

	*c = (struct confcmd){ .a = ARENA_INIT, .dir = dir, .file = file };
	path = arena_printf(&c->a, "%s/%s/%s", dir_etc(), dir, file);
	r = io_read_file(AT_FDCWD, path, &b);
	if (r == -1 && errno != ENOENT)
		msg_diesys(exit_for(errno), "cannot read %s", path);
	c->old = c->text = arena_bytes(&c->a, buf_bytes(&b));
	buf_free(&b);
	return r == 0 ? 1 : 0;
}

int
confcmd_change(struct confcmd *c, const struct config_change *change)
{
	struct buf b = BUF_INIT(CONFIG_FILE_MAX);
	int r = config_change(&c->a, &b, c->text, change), err = errno;

	if (r == 0)
		c->text = arena_bytes(&c->a, buf_bytes(&b));
	buf_free(&b);
	errno = err;
	if (r == 0 || err == ENOENT || err == EEXIST)
		return r;
	msg_die(exit_for(err), "cannot change %s/%s/%s: %s", dir_etc(),
	    c->dir, c->file, err == EBADMSG ? "it has errors"
	    : err == EMSGSIZE ? "it would be too long"
	    : "no line holds such a value");
}

void
confcmd_apply(struct confcmd *c)
{
	struct config_problems problems = { .first = NULL };
	const struct config_problem *p;
	const char *failed = dir_etc();

	if (bytes_eq(c->old, c->text) || config_apply(&c->a, c->dir, c->file,
	    c->old, c->text, &problems, &failed) == 0)
		return;
	if (errno != EBADMSG)
		msg_diesys(exit_for(errno), "cannot change %s", failed);
	for (p = problems.first; p != NULL; p = p->next) {
		if (!p->warning)
			msg_warn("%s/%s:%u: %s", dir_etc(), p->file, p->line,
			    p->text);
	}
	msg_die(EXIT_PERM, "cannot go on: the configuration has errors, "
	    "nothing was changed");
}

void
confcmd_close(struct confcmd *c)
{
	arena_free(&c->a);
}
