/*
 * limits-show - counts of the limits by address
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "limiter/limiter.h"

static const char usage[] =
    "usage: limits-show [-bjr] [-a address] [limiter ...]";

#define LINE_MAX_BYTES 512

struct line {
	const char *limiter;
	struct limiter_count c;
};

struct listing {
	struct arena arena;
	struct line *line;
	size_t n, size;
	const char *limiter;	/* the one that is being read */
	const struct ip *ip;	/* counts of its networks; NULL: all */
	bool blocked, json, clear;
	char **names;		/* of limiters; none: all */
	size_t nnames, nfound;
	bool changed, failed;
};

/* ---- output ---- */

static void
format_text(struct buf *b, const struct line *l)
{
	char net[IP_TEXT_MAX], window[16] = "open";

	if (l->c.seconds > 0)
		(void)snprintf(window, sizeof(window), "%u",
		    l->c.seconds);	/* ten digits at most */
	buf_printf(b, "%s\t%s/%u\t%s\t%lu\t%lu\n", l->limiter,
	    ip_format(&l->c.net, net), l->c.bits, window,
	    (unsigned long)l->c.value, (unsigned long)l->c.limit);
}

static void
format_json(struct buf *b, const struct line *l)
{
	char net[IP_TEXT_MAX];

	buf_printf(b, "{\"limiter\":\"%s\",\"network\":\"%s/%u\","
	    "\"window\":%u,\"value\":%lu,\"limit\":%lu}\n", l->limiter,
	    ip_format(&l->c.net, net), l->c.bits, l->c.seconds,
	    (unsigned long)l->c.value, (unsigned long)l->c.limit);
}

static int
by_value(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int r = strcmp(x->limiter, y->limiter);

	if (r != 0)
		return r;
	if (x->c.seconds != y->c.seconds)
		return x->c.seconds < y->c.seconds ? -1 : 1;
	if (x->c.value != y->c.value)
		return x->c.value > y->c.value ? -1 : 1;
	r = memcmp(x->c.net.a, y->c.net.a, sizeof(x->c.net.a));
	if (r != 0)
		return r;
	return x->c.bits < y->c.bits ? -1 : x->c.bits > y->c.bits;
}

static void
print(struct listing *l)
{
	struct buf b = BUF_INIT(LINE_MAX_BYTES);
	unsigned char space[16384];
	struct writer w;
	size_t i;

	if (l->n > 0)
		qsort(l->line, l->n, sizeof(*l->line), by_value);
	writer_init(&w, STDOUT_FILENO, space, sizeof(space));
	for (i = 0; i < l->n; i++) {
		buf_reset(&b);
		if (l->json)
			format_json(&b, &l->line[i]);
		else
			format_text(&b, &l->line[i]);
		/* a failure is kept and told by writer_flush */
		(void)writer_add(&w, buf_bytes(&b));
	}
	if (writer_flush(&w) == -1)
		msg_diesys(EXIT_TEMP, "cannot write counts");
	buf_free(&b);
}

/* ---- limiters ---- */

static void
keep(void *ctx, const struct limiter_count *c)
{
	struct listing *l = ctx;

	if (l->ip != NULL && !ip_in_net(l->ip, &c->net, c->bits))
		return;
	if (l->blocked && (c->limit == 0 || c->value < c->limit))
		return;
	if (l->n == l->size) {
		l->size = l->size * 2 + 64;
		l->line = mem_realloc(l->line, l->size * sizeof(*l->line));
	}
	l->line[l->n++] = (struct line){ l->limiter, *c };
}

static bool
is_wanted(struct listing *l, const char *name)
{
	size_t i;

	/* Names of ours; what else may lie there is not printed. */
	for (i = 0; name[i] != '\0'; i++) {
		if (!ascii_is_alnum((unsigned char)name[i]) &&
		    name[i] != '-')
			return false;
	}
	for (i = 0; i < l->nnames; i++) {
		if (strcmp(name, l->names[i]) == 0)
			break;
	}
	return l->nnames == 0 || i < l->nnames;
}

static void
take_file(struct listing *l, int dir, const char *name)
{
	struct buf b = BUF_INIT(LIMITER_FILE_MAX);
	int r;

	if (!is_wanted(l, name))
		return;
	l->nfound++;
	l->limiter = arena_printf(&l->arena, "%s", name);
	if (l->clear) {
		r = limiter_clear(dir, name, l->ip);
		l->changed = l->changed || r == 1;
	} else {
		r = limiter_read(dir, name, &b);
		if (r == 0)
			r = limiter_parse(buf_bytes(&b), time_wall_us() /
			    1000000, keep, l);
	}
	if (r == -1) {
		msg_warnsys("cannot %s limiter %s", l->clear ? "change"
		    : "read", name);
		l->failed = true;
	}
	buf_free(&b);
}

/* Each entry of the folder fd, which is closed. */
static void
each_entry(struct listing *l, int fd, const char *path,
    void (*take)(struct listing *l, int dir, const char *name))
{
	DIR *d = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL) {
		msg_warnsys("cannot read %s", path);
		l->failed = true;
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] != '.')
			take(l, dirfd(d), e->d_name);
	}
	(void)closedir(d);	/* was only read */
}

static void
take_folder(struct listing *l, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);

	each_entry(l, fd, name, take_file);
}

static void
take_all(struct listing *l)
{
	const char *path = arena_printf(&l->arena, "%s/limits", dir_run());
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* else no server has run */
	if (fd != -1 || errno != ENOENT)
		each_entry(l, fd, path, take_folder);
	if (!l->failed && l->nfound < l->nnames)
		msg_die(EXIT_PERM, "there is no such limiter");
}

static void
set_options(struct listing *l, int argc, char *argv[], struct ip *ip)
{
	int c;

	while ((c = getopt(argc, argv, "a:bjr")) != -1) {
		switch (c) {
		case 'a':
			if (ip_parse(bytes_str(optarg), ip) == -1)
				msg_die(EXIT_PERM, "not an IP address");
			l->ip = ip;
			break;
		case 'b':
			l->blocked = true;
			break;
		case 'j':
			l->json = true;
			break;
		case 'r':
			l->clear = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (l->clear && (l->ip == NULL || l->blocked || l->json))
		msg_die(EXIT_PERM, "%s", usage);
	l->names = argv + optind;
	l->nnames = (size_t)(argc - optind);
}

int
main(int argc, char *argv[])
{
	struct listing l = { .arena = ARENA_INIT };
	struct ip ip;
	bool any;

	msg_init("limits-show");
	set_options(&l, argc, argv, &ip);
	take_all(&l);
	if (!l.clear)
		print(&l);
	any = l.clear ? l.changed : l.n > 0;
	free(l.line);
	arena_free(&l.arena);
	return l.failed ? EXIT_TEMP : any ? EXIT_YES : EXIT_NO;
}
