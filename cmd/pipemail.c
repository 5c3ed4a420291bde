/*
 * pipemail - front command: runs the others, finds their pages
 *
 * Everything is found from the place of this program, so that a build tree
 * and an installed one work alike:
 *   PREFIX/bin/pipemail   ../lib/pipemail/bin/NAME, ../share/man
 *   build/bin/pipemail    the same folder, ../../man
 */
#include "base/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE_MAX_BYTES (256 * 1024)	/* of a page, to find its .Nd line */
#define NAMES_MAX 512			/* commands listed by help */

static const char usage[] = "usage: pipemail command [argument ...]";

struct places {
	char *bin;	/* folder of the commands */
	char *man;	/* folder of man1, man5, ... or of the pages */
};

static char *
self_dir(struct arena *a)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
	struct bytes dir;
	size_t at;

	if (n <= 0 || (size_t)n >= sizeof(path))
		return NULL;
	dir = bytes_of(path, (size_t)n);
	if (!bytes_rchr(dir, '/', &at))
		return NULL;
	return arena_str(a, bytes_first(dir, at));
}

static int
find_places(struct arena *a, struct places *p)
{
	char *dir = self_dir(a);

	if (dir == NULL) {
		errno = ENOENT;
		return -1;
	}
	p->bin = arena_printf(a, "%s/../lib/pipemail/bin", dir);
	p->man = arena_printf(a, "%s/../share/man", dir);
	if (access(p->bin, X_OK) == 0)
		return 0;
	p->bin = dir;
	p->man = arena_printf(a, "%s/../../man", dir);
	return 0;
}

/* The page of a name in one of its possible places, opened; -1: none. */
static int
open_page(struct arena *a, const struct places *p, const char *name,
    char **path)
{
	int fd, section;

	for (section = 1; section <= 8; section++) {
		*path = arena_printf(a, "%s/man%d/%s.%d", p->man, section,
		    name, section);
		if ((fd = open(*path, O_RDONLY | O_CLOEXEC)) != -1)
			return fd;
		*path = arena_printf(a, "%s/%s.%d", p->man, name, section);
		if ((fd = open(*path, O_RDONLY | O_CLOEXEC)) != -1)
			return fd;
	}
	errno = ENOENT;
	return -1;
}

/* What the page says the command does: its .Nd line. */
static struct bytes
describe(struct arena *a, const struct places *p, const char *name)
{
	struct buf text = BUF_INIT(PAGE_MAX_BYTES);
	struct bytes rest, line, out = BYTES_EMPTY;
	char *path;
	int fd = open_page(a, p, name, &path);

	if (fd == -1)
		return out;
	if (io_read_all(fd, &text, DEADLINE_NONE) == 0) {
		rest = buf_bytes(&text);
		while (bytes_line(&rest, &line)) {
			if (bytes_skip(&line, BYTES(".Nd "))) {
				out = arena_bytes(a, line);
				break;
			}
		}
	}
	buf_free(&text);
	(void)close(fd);	/* read only */
	return out;
}

static int
by_name(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static int
list_commands(struct arena *a, const struct places *p)
{
	DIR *dir = opendir(p->bin);
	struct dirent *e;
	char *names[NAMES_MAX] = { NULL };
	size_t i, n = 0;

	if (dir == NULL)
		msg_diesys(exit_for(errno), "cannot read %s", p->bin);
	while ((e = readdir(dir)) != NULL && n < NAMES_MAX) {
		if (e->d_name[0] != '.')
			names[n++] = arena_str(a, bytes_str(e->d_name));
	}
	(void)closedir(dir);	/* read only */
	qsort(names, n, sizeof(names[0]), by_name);
	for (i = 0; i < n; i++) {
		struct bytes nd = describe(a, p, names[i]);

		printf("%-16s %.*s\n", names[i], BYTES_ARG(nd));
	}
	return fflush(stdout) == 0 ? EXIT_YES : EXIT_TEMP;
}

static int
show_page(struct arena *a, const struct places *p, const char *name)
{
	char *path;
	int fd = open_page(a, p, name, &path);

	if (fd == -1)
		msg_die(EXIT_PERM, "cannot find a page for %s: see pipemail "
		    "help", name);
	execlp("man", "man", "-l", path, (char *)NULL);
	execlp("mandoc", "mandoc", "-a", path, (char *)NULL);
	msg_diesys(EXIT_NOTFOUND, "cannot show %s with man(1) or mandoc(1)",
	    path);
}

static bool
plain_name(const char *s)
{
	struct bytes b = bytes_str(s);
	size_t i;

	for (i = 0; i < b.n; i++) {
		if (!ascii_is_alnum(b.p[i]) && b.p[i] != '-')
			return false;
	}
	return b.n > 0 && b.p[0] != '-';
}

int
main(int argc, char *argv[])
{
	struct arena a = ARENA_INIT;
	struct places p;
	const char *path;

	msg_init("pipemail");
	if (argc < 2 || !plain_name(argv[1]))
		msg_die(EXIT_PERM, "%s", usage);
	if (find_places(&a, &p) == -1)
		msg_diesys(EXIT_TEMP,
		    "cannot find where pipemail is installed");
	if (strcmp(argv[1], "version") == 0 && argc == 2) {
		printf("pipemail %s\n", VERSION);
		return fflush(stdout) == 0 ? EXIT_YES : EXIT_TEMP;
	}
	if (strcmp(argv[1], "help") == 0) {
		if (argc == 2)
			return list_commands(&a, &p);
		if (argc != 3 || !plain_name(argv[2]))
			msg_die(EXIT_PERM, "%s", usage);
		return show_page(&a, &p, argv[2]);
	}
	path = env_get("PATH");
	if (setenv("PATH", arena_printf(&a, "%s:%s", p.bin,
	    path != NULL ? path : "/usr/bin:/bin"), 1) == -1)
		msg_diesys(EXIT_TEMP, "cannot set PATH");
	execv(arena_printf(&a, "%s/%s", p.bin, argv[1]), argv + 1);
	if (errno == ENOENT)
		msg_die(EXIT_NOTFOUND, "cannot run %s: no such command; see "
		    "pipemail help", argv[1]);
	msg_diesys(EXIT_NOEXEC, "cannot run %s", argv[1]);
}
