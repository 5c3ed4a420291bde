/*
 * limiter.h - counts by masked IP address, shared by the processes of a
 * service (BEHAVIOUR 8)
 *
 * Three masks: IPv4 /32 /26 /21, IPv6 /64 /48 /32. A limiter has one or more
 * windows; one more is counted only if it is within every limit of every
 * window, and then in all of them.
 *
 * The counts are in a file below run/limits that all processes of one user
 * have mapped, so that several listeners or workers have one limit, counts
 * outlive a restart, and limits-show(1) can read them. Or, where that cannot
 * be, in memory of the process.
 */
#ifndef LIMITER_H
#define LIMITER_H

#include "base/base.h"
#include "os/os.h"

#define LIMITER_MASKS IP_NETS
#define LIMITER_WINDOWS 2
/* Open connections of a limiter: as many processes as Linux has by default. */
#define LIMITER_OPEN_MAX 32768
/* Processes that count in one file. */
#define LIMITER_HOLDERS_MAX 1000
/* Counts of a window: an upper bound for limiter_window.entries. */
#define LIMITER_ENTRIES_MAX ((size_t)1 << 20)

struct limiter_window {
	/*
	 * Counts belong to the window now / seconds, and all are zero when
	 * the next begins. 0: connections that are open, each taken off at
	 * its end (one such window at most).
	 */
	unsigned int seconds;
	unsigned int limits[LIMITER_MASKS];	/* 0: no limit */
	/*
	 * Counts it can hold, three for an address that shares no network
	 * with another. When there is no room a new count takes the place
	 * of the smallest one near it, of equal ones the oldest: memory stays
	 * bounded, nobody is refused for it, and addresses that come near
	 * their limits are the last to be forgotten.
	 */
	size_t entries;
};

struct limiter;

/* In memory of this process alone; children forked do not have it. */
struct limiter *limiter_new(const struct limiter_window *windows, size_t n);
/*
 * Shared, in the file run/limits/NAME; name is "FOLDER/FILE". Folders are
 * made where they are missing. If it cannot be used a warning is printed
 * and the limiter is one of limiter_new. Each process opens it for itself:
 * children forked have neither the mapping nor, after limiter_forked, the
 * descriptor.
 */
struct limiter *limiter_open(const char *name,
    const struct limiter_window *windows, size_t n);
/* Connections counted as open by this process are taken off. NULL: nothing. */
void limiter_free(struct limiter *l);
/* In a child: close what came with it; l is of no use there. */
void limiter_forked(const struct limiter *l);
bool limiter_is_shared(const struct limiter *l);

/* Other limits for window number i, counts kept. */
void limiter_set(struct limiter *l, size_t i,
    const unsigned int limits[LIMITER_MASKS]);

/*
 * now_seconds is the time of day, the same for all processes. An address of
 * family 0 is never counted nor refused.
 */
/* Whether limiter_add would count one more. */
bool limiter_allows(struct limiter *l, const struct ip *ip,
    int64_t now_seconds);
/*
 * Count one for ip; false when over (nothing counted). *ticket is for
 * limiter_remove; it may be NULL where no window is for open connections.
 */
bool limiter_add(struct limiter *l, const struct ip *ip, int64_t now_seconds,
    uint64_t *ticket);
/* That connection is closed. 0 is no ticket. What a process that dies did
 * not take off others do, when they start or when it would matter. */
void limiter_remove(struct limiter *l, uint64_t ticket);
/* Take what mask 1 counted off all three masks of the windows that end by
 * themselves (a success, BEHAVIOUR 8). */
void limiter_forget(struct limiter *l, const struct ip *ip,
    int64_t now_seconds);
/* Connections counted as open by all processes. */
size_t limiter_open_total(const struct limiter *l);

/* ---- for limits-show ---- */

struct limiter_count {
	struct ip net;
	unsigned int bits;
	unsigned int seconds;		/* of its window */
	uint32_t value, limit;
};
/*
 * All counts of a file's bytes that are not zero at now_seconds. 0; -1 with
 * EBADMSG: not a limiter, or of another version. Nothing in it is trusted.
 */
int limiter_parse(struct bytes file, int64_t now_seconds,
    void (*each)(void *ctx, const struct limiter_count *c), void *ctx);
/* Read it so that no change is under way in the middle; writers do not wait.
 * dirfd/name; -1 with errno (ENOENT, EACCES, EBADMSG, EFBIG). */
int limiter_read(int dirfd, const char *name, struct buf *out);
#define LIMITER_FILE_MAX ((size_t)128 * 1024 * 1024)
/*
 * Zero the counts of ip and of its networks, save those of open connections.
 * 1 something was counted, 0 nothing was, -1 with errno.
 */
int limiter_clear(int dirfd, const char *name, const struct ip *ip);

#endif
