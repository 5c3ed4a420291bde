/*
 * metrics-show - counters of programs, as Prometheus reads them
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "metric/metric.h"

static const char usage[] = "usage: metrics-show";

#define LINE_MAX_BYTES 512

struct show {
	struct writer writer;
	struct buf line;
	bool failed;
	int found;
};

static void
print(struct show *s, const struct metric_value *v)
{
	buf_reset(&s->line);
	(void)msg_escape(&s->line, v->name);	/* full: it is left out */
	buf_printf(&s->line, " %llu\n", (unsigned long long)v->value);
	if (s->line.full)
		return;
	/* a failure is kept and told by writer_flush */
	(void)writer_add(&s->writer, buf_bytes(&s->line));
	s->found++;
}

static void
show_file(struct show *s, int dir, const char *name)
{
	struct metric_value list[METRIC_MAX];
	struct buf b = BUF_INIT(METRIC_FILE_MAX);
	size_t count = 0;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);

	if (fd == -1 || io_read_all(fd, &b, DEADLINE_NONE) == -1 ||
	    metric_parse(buf_bytes(&b), list, &count) == -1) {
		msg_warnsys("cannot read counters of %s", name);
		s->failed = true;
		count = 0;
	}
	if (fd != -1)
		(void)close(fd);	/* read only */
	for (size_t i = 0; i < count; i++)
		print(s, &list[i]);
	buf_free(&b);
}

/* Each file of a folder, or each folder of run/metrics. */
static int
walk(struct show *s, int at, const char *name, bool folders)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	struct dirent *e;
	DIR *d;

	if (fd == -1 || (d = fdopendir(fd)) == NULL) {
		if (fd != -1)
			(void)close(fd);	/* nothing read from it */
		return -1;
	}
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;	/* also one that is being made */
		if (folders)
			r = walk(s, dirfd(d), e->d_name, false);
		else
			show_file(s, dirfd(d), e->d_name);
	}
	(void)closedir(d);	/* read only */
	return r;
}

int
main(int argc, char *argv[])
{
	struct show s = { .line = BUF_INIT(LINE_MAX_BYTES) };
	struct arena a = ARENA_INIT;
	const char *path = arena_printf(&a, "%s/metrics", dir_run());
	unsigned char space[16384];

	msg_init("metrics-show");
	if (getopt(argc, argv, "") != -1 || argc != optind)
		msg_usage(usage);
	writer_init(&s.writer, STDOUT_FILENO, space, sizeof(space));
	if (walk(&s, AT_FDCWD, path, true) == -1 && errno != ENOENT)
		msg_diesys(exit_for(errno), "cannot read %s", path);
	if (writer_flush(&s.writer) == -1)
		msg_diesys(EXIT_TEMP, "cannot write counters");
	buf_free(&s.line);
	arena_free(&a);
	return s.failed ? EXIT_TEMP : s.found > 0 ? EXIT_YES : EXIT_NO;
}
