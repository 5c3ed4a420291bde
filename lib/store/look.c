/*
 * look.c - whether another program touched a folder: by the times of its
 * directories and of dovecot-keywords
 */
#include "store/internal.h"

#include <stdio.h>
#include <sys/stat.h>

/* Of stamps read now. */
static bool
times_differ(const struct mbox *m, const struct stamp *at_new,
    const struct stamp *at_cur, const struct stamp *at_keywords)
{
	int64_t now = time_wall_us();

	return !stamp_same(at_new, &m->stamp_new) ||
	    !stamp_same(at_cur, &m->stamp_cur) ||
	    !stamp_same(at_keywords, &m->stamp_keywords) ||
	    (!m->stamp_new.settled && stamp_is_old(at_new, now)) ||
	    (!m->stamp_cur.settled && stamp_is_old(at_cur, now));
}

int
sync_needed(struct store *s, const struct mbox *m)
{
	struct folder *f = folder_open(s, m->id, m->name);
	struct stamp at_new, at_cur, at_keywords = { 0 };
	struct stat st;

	if (f == NULL || stamp_read(f->new, &at_new) == -1 ||
	    stamp_read(f->cur, &at_cur) == -1)
		return -1;
	if (fstatat(f->dir, "dovecot-keywords", &st, 0) == 0)
		at_keywords = stamp_of(&st);
	return times_differ(m, &at_new, &at_cur, &at_keywords);
}

int
sync_needed_at(struct store *s, const struct mbox *m, const char *folder)
{
	static const char *const part[] = { "new", "cur", "dovecot-keywords" };
	struct stamp at[3] = { { 0 } };
	char path[MAILDIR_FILE_MAX + 32];
	struct stat st;
	size_t i;
	int n;

	for (i = 0; i < 3; i++) {
		n = snprintf(path, sizeof(path), "%s%s%s", folder,
		    *folder == '\0' ? "" : "/", part[i]);
		if (n < 0 || (size_t)n >= sizeof(path))
			return 1;
		if (fstatat(s->maildir, path, &st, 0) == 0)
			at[i] = stamp_of(&st);
		else if (i < 2)
			return 1;
	}
	return times_differ(m, &at[0], &at[1], &at[2]);
}
