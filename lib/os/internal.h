/* internal.h - seccomp programs (filter.c), for sandbox.c; the sanitizer */
#ifndef OS_INTERNAL_H
#define OS_INTERNAL_H

#include "base/base.h"

#include <linux/filter.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

/* What becomes of a system call. */
enum filter_leaf {
	FILTER_KILL,		/* SIGSYS for the whole process */
	FILTER_TRAP,		/* SIGSYS that can be caught; not made */
	FILTER_ALLOW,
	FILTER_EPERM,
	FILTER_EACCES,
	FILTER_LEAVES
};

/* Numbers of calls are below that; the kernel has not 500 of them. */
#define FILTER_CALLS_MAX 512
#define FILTER_CHECKS_MAX 12
#define FILTER_VALUES_MAX 4
/* Instructions: jumps reach 255. */
#define FILTER_MAX 255

/* Argument arg (the lower 32 bits) and mask is one of values? */
struct filter_check {
	unsigned int arg;
	uint32_t mask;
	const uint32_t *values;	/* FILTER_VALUES_MAX at most, static */
	size_t n;
	enum filter_leaf yes, no;
};

struct filter_plan {
	uint32_t words[FILTER_CALLS_MAX / 32];	/* a bit for each listed */
	enum filter_leaf other, listed;
	uint32_t calls[FILTER_CHECKS_MAX];
	struct filter_check checks[FILTER_CHECKS_MAX];
	size_t nchecks;
};

/* Nothing is listed. */
void filter_init(struct filter_plan *p, enum filter_leaf other,
    enum filter_leaf listed);
/* One call; below 0: this machine does not have it, nothing is done. */
void filter_list(struct filter_plan *p, int call);
/* The same; its arguments decide, listed or not. */
void filter_check(struct filter_plan *p, int call,
    const struct filter_check *check);
/* The program, at most FILTER_MAX instructions; its length. Calls of another
 * machine type than ours are FILTER_KILL. */
size_t filter_build(const struct filter_plan *p, struct sock_filter *out);

#endif
