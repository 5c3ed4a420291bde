/*
 * lsub.c - LSUB (RFC 3501 6.3.9)
 */
#include "imap/list.h"

#include <errno.h>
#include <stdlib.h>

/* Of the answer, which is made at once, and a NO past it: more than 131072
 * mailboxes with the longest names need. The rest of what a step may add has
 * room for one name with all its levels. */
#define LSUB_OUT_MAX (OUT_MAX / 2)

static int
by_name(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

static void
add_lsub(struct imap *im, const char *attribute, struct bytes name)
{
	buf_printf(&im->out, "* LSUB (%s) \"/\" ", attribute);
	add_mailbox(im, name);
	buf_adds(&im->out, "\r\n");
}

/*
 * RFC 3501 6.3.9: a level above a name that matches and is not subscribed.
 * The names are in byte order, so those below one level follow each other.
 */
static void
lsub_levels(struct imap *im, const struct list_args *args,
    const struct bytes *names, size_t count, size_t at)
{
	struct bytes name = names[at], level;
	size_t i;

	for (i = 0; i < name.n; i++) {
		level = bytes_first(name, i);
		if (name.p[i] == '/' && list_matches(args, level) &&
		    (at == 0 || !bytes_starts(names[at - 1],
		    bytes_first(name, i + 1))) &&
		    bsearch(&level, names, count, sizeof(*names),
		    by_name) == NULL)
			add_lsub(im, "\\Noselect", level);
	}
}

/* In byte order, in the arena. */
static struct bytes *
sorted_names(struct imap *im, struct bytes list, size_t *count)
{
	struct bytes rest = list, name, *names;
	size_t n = 0;

	while (bytes_split(&rest, '\0', &name))
		n++;
	names = arena_zalloc(&im->arena, n + 1, sizeof(*names));
	for (*count = 0; bytes_split(&list, '\0', &name);)
		names[(*count)++] = name;
	if (n > 0)
		qsort(names, n, sizeof(*names), by_name);
	return names;
}

void
command_lsub(struct imap *im, struct parser *p)
{
	struct buf list = BUF_INIT(STORE_SUBSCRIPTIONS_MAX);
	struct list_args args;
	struct bytes *names;
	size_t count, i;

	if (!parse_list(im, p, true, &args))
		return;
	if (!args.root && store_subscriptions(im->o.store, &list) == -1) {
		reply_errno(im, errno, false);
		buf_free(&list);
		return;
	}
	names = sorted_names(im, buf_bytes(&list), &count);
	for (i = 0; i < count && im->out.n < LSUB_OUT_MAX; i++) {
		if (list_matches(&args, names[i]))
			add_lsub(im, "", names[i]);
	}
	for (i = 0; bytes_ends(args.patterns[0], BYTES("%")) && i < count &&
	    im->out.n < LSUB_OUT_MAX; i++)
		lsub_levels(im, &args, names, count, i);
	buf_free(&list);
	if (im->out.n < LSUB_OUT_MAX)
		reply_done(im);
	else
		reply_no(im, "LIMIT", "too many subscriptions for LSUB");
}
