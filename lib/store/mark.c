/*
 * mark.c - the boot and the file an index was last in order under
 */
#include "store/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "os/os.h"

static int
mark_by(struct store *s, bool birth, char out[MARK_SIZE + 1])
{
	unsigned long long file;
	struct statx st;

	if (os_boot_id(out) == -1)
		return -1;
	if (statx(s->dir, "index/data.mdb", AT_SYMLINK_NOFOLLOW, STATX_INO |
	    STATX_BTIME, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	file = st.stx_ino;
	if (birth && (st.stx_mask & STATX_BTIME) != 0) {
		file += ((unsigned long long)st.stx_btime.tv_sec *
		    1000000000 + st.stx_btime.tv_nsec) * MARK_SPREAD;
		file ^= file >> 16;
	}
	return snprintf(out + MARK_FILE, MARK_SIZE + 1 - MARK_FILE,
	    "%012llx", file & 0xffffffffffff) == MARK_SIZE - MARK_FILE
	    ? 0 : -1;
}

int
mark_of(struct store *s, char out[MARK_SIZE + 1])
{
	return mark_by(s, true, out);
}

int
renew_mark(struct store *s, const char *boot)
{
	char before[37];
	struct work w;

	if (mark_by(s, false, before) == -1 || work_begin(s, &w) == -1)
		return -1;
	if (memcmp(w.state.boot, before, MARK_SIZE) == 0) {
		memcpy(w.state.boot, boot, MARK_SIZE);
		w.dirty = true;
	}
	return work_commit(&w);
}
