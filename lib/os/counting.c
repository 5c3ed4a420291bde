/*
 * counting.c - what happens to the entries of directories (dnotify)
 *
 * dnotify, not inotify: it knows no names, but has no limit of 128 instances
 * for a user, and to stop it costs nothing, where to close an inotify
 * descriptor waits 20 ms for the kernel to tidy up. One realtime signal tells
 * of each change; it is kept blocked, and taken one by one in the end. It is
 * sent to the thread that counts: another one may not block it, and would end
 * the process.
 */
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* Not the first ones, which others like to use. */
#define SIGNAL (SIGRTMIN + 9)

/* File systems that only this kernel writes to. */
static bool
is_local(int dir)
{
	struct statfs st;

	return fstatfs(dir, &st) == 0 && (st.f_type == EXT4_SUPER_MAGIC ||
	    st.f_type == XFS_SUPER_MAGIC || st.f_type == TMPFS_MAGIC ||
	    st.f_type == BTRFS_SUPER_MAGIC || st.f_type == F2FS_SUPER_MAGIC);
}

/* Which signals are ours; the second one says that there were too many. */
static void
signals(sigset_t *set)
{
	(void)sigemptyset(set);		/* valid */
	(void)sigaddset(set, SIGNAL);
	(void)sigaddset(set, SIGIO);
}

static int
count_one(int dir)
{
	struct f_owner_ex me = { F_OWNER_TID, gettid() };

	if (!is_local(dir)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	/* First the owner: F_NOTIFY leaves one that is there. */
	return fcntl(dir, F_SETOWN_EX, &me) == -1 ||
	    fcntl(dir, F_SETSIG, SIGNAL) == -1 ? -1 : fcntl(dir, F_NOTIFY,
	    DN_CREATE | DN_DELETE | DN_MULTISHOT);
}

int
os_counting_begin(struct os_counting *c, const int *dirs, size_t n)
{
	uint32_t counts[OS_COUNTED_MAX];
	sigset_t set;
	int err;

	if (n > OS_COUNTED_MAX) {
		errno = EINVAL;
		return -1;
	}
	*c = (struct os_counting){ .n = 0 };
	signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, &c->before);	/* valid */
	while (c->n < n && count_one(dirs[c->n]) == 0) {
		c->dirs[c->n] = dirs[c->n];
		c->n++;
	}
	if (c->n == n)
		return 0;
	err = errno;
	(void)os_counting_end(c, counts);	/* nobody asks */
	errno = err;
	return -1;
}

int
os_counting_end(struct os_counting *c, uint32_t *counts)
{
	const struct timespec now = { 0, 0 };
	int r, err = errno;
	bool lost = false;
	sigset_t set;
	siginfo_t si;
	size_t i;

	/* When this returns the kernel sends none any more. */
	for (i = 0; i < c->n; i++) {
		lost |= fcntl(c->dirs[i], F_NOTIFY, 0) == -1;
		counts[i] = 0;
	}
	signals(&set);
	while ((r = sigtimedwait(&set, &si, &now)) > 0 ||
	    (r == -1 && errno == EINTR)) {
		lost |= r == SIGIO;
		for (i = 0; r == SIGNAL && si.si_code == POLL_MSG &&
		    i < c->n; i++)
			counts[i] += si.si_fd == c->dirs[i];
	}
	(void)sigprocmask(SIG_SETMASK, &c->before, NULL);	/* valid */
	errno = lost ? EOVERFLOW : err;
	return lost ? -1 : 0;
}
