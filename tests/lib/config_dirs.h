/*
 * config_dirs.h - a configuration to write and compile, for tests
 */
#ifndef CONFIG_DIRS_H
#define CONFIG_DIRS_H

#include "config/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- a directory with etc and var ---- */

struct dirs {
	char top[64], etc[80], var[80];
	struct arena a;
	struct config_problems problems;
};

static inline void
write_file(const struct dirs *d, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	assert_in_range(snprintf(path, sizeof(path), "%s/%s", d->etc, name),
	    1, sizeof(path) - 1);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static inline void
make_dir(const struct dirs *d, const char *name)
{
	char path[256];

	assert_in_range(snprintf(path, sizeof(path), "%s/%s", d->top, name),
	    1, sizeof(path) - 1);
	assert_int_equal(mkdir(path, 0700), 0);
}

static inline void
dirs_init(struct dirs *d)
{
	memset(d, 0, sizeof(*d));
	(void)snprintf(d->top, sizeof(d->top), "/tmp/config_test.XXXXXX");
	assert_non_null(mkdtemp(d->top));
	(void)snprintf(d->etc, sizeof(d->etc), "%s/etc", d->top);
	(void)snprintf(d->var, sizeof(d->var), "%s/var", d->top);
	make_dir(d, "etc");
	make_dir(d, "etc/domains");
	make_dir(d, "etc/accounts");
	make_dir(d, "var");
	d->a = ARENA_INIT;
}

static inline void
dirs_free(struct dirs *d)
{
	char *argv[] = { "rm", "-rf", d->top, NULL };
	struct spawn s = { .argv = argv, .fd = { -1, -1, -1 } };
	pid_t pid = spawn_start(&s);

	assert_int_equal(spawn_wait(pid, false, DEADLINE_NONE, NULL), 0);
	arena_free(&d->a);
}

static inline int
compile(struct dirs *d)
{
	memset(&d->problems, 0, sizeof(d->problems));
	return config_compile(&d->a, d->etc, d->var, false, &d->problems,
	    NULL);
}

/* "file:line: text" of all problems, a line each. */
static inline const char *
problems_text(struct dirs *d)
{
	const struct config_problem *p;
	const char *text = "";

	for (p = d->problems.first; p != NULL; p = p->next)
		text = arena_printf(&d->a, "%s%s:%u: %s%s\n", text, p->file,
		    p->line, p->warning ? "warning: " : "", p->text);
	return text;
}

static inline struct config *
compiled(struct dirs *d)
{
	struct config *c;

	if (compile(d) == -1)
		fail_msg("%s", problems_text(d));
	c = config_open_at(d->var);
	assert_non_null(c);
	return c;
}

#define MAIN "[server]\nhostname = mx.example.org\n"

#endif
