/*
 * metric.h - counters of a program that others can read (T-6, O-15)
 *
 * A file below run/metrics, mapped by the processes of the program: a head,
 * and for each counter its name, as Prometheus has them, and its value. A
 * count costs one atomic addition; metrics-show(1) reads without a lock.
 * Values outlive a restart, not a boot.
 */
#ifndef METRIC_H
#define METRIC_H

#include "base/base.h"

/* Bytes of a name with its labels, and counters of a program: room for some
 * labels of the words of an RFC; a file of at most 32 KiB. */
#define METRIC_NAME_MAX 119
#define METRIC_MAX 256
#define METRIC_FILE_MAX ((size_t)128 * (METRIC_MAX + 1))

struct metric;

/*
 * The counters with these names (ending with NULL, at most METRIC_MAX, no
 * control bytes) in the file run/metrics/FOLDER/FILE, name being
 * "FOLDER/FILE"; folders are made where they are missing. Those that an
 * earlier file has by the same name go on from its values. The mapping is
 * shared with children forked later. NULL with errno: EINVAL a name cannot be
 * kept; the rest of open(2), mmap(2).
 */
struct metric *metric_open(const char *name, const char *const *names);
void metric_close(struct metric *m);		/* NULL: nothing */
/* Count n more; i is the place in names. NULL counts nothing. */
void metric_add(struct metric *m, size_t i, uint64_t n);

struct metric_value {
	struct bytes name;
	uint64_t value;
};
/*
 * The counters in a file's bytes, views into them, up to METRIC_MAX. 0; -1
 * EBADMSG: it is none, or of another version. Nothing in it is trusted.
 */
int metric_parse(struct bytes file, struct metric_value out[METRIC_MAX],
    size_t *count);

#endif
