/*
 * threads.h - the part of store.h about messages that belong together, and
 * people who were written to
 */
#ifndef STORE_THREADS_H
#define STORE_THREADS_H

#include "base/base.h"

struct store;
struct store_view;
struct store_message;
struct store_place;

/* ---- threads ---- */

#define STORE_PARENTS_MAX 50	/* nearest parents that are kept */
#define STORE_REFERENCES_MAX 50	/* last references that are kept */
enum {
	STORE_THREAD_MISSING = 1 << 0,	/* a message between is not here */
	STORE_THREAD_MUTED = 1 << 1,	/* new answers arrive \Seen */
	STORE_THREAD_COLLAPSED = 1 << 2,	/* for mail readers */
	STORE_THREAD_RESPONSE = 1 << 3,	/* the subject says so */
	STORE_THREAD_DSN = 1 << 4,	/* a delivery status (RFC 3464) */
};
/*
 * A message's place in its thread. A thread has the number of its first
 * message; parents and references are numbers and Message-ID hashes, which
 * may be those of messages that are not there. Copies of a message share its
 * number.
 */
struct store_thread {
	uint32_t mailbox, uid;
	uint32_t flags;
	uint64_t own;		/* the message's number; never 0 */
	uint64_t id;		/* of the thread; 0: none yet */
	uint64_t message_id;	/* hash, or 0 */
	uint64_t subject;	/* hash of the base subject, or 0 */
	int64_t date;		/* of reception */
	uint32_t original_mailbox;	/* where it came first */
	unsigned int parent_count, reference_count;
	uint64_t parents[STORE_PARENTS_MAX];	/* nearest first */
	uint64_t references[STORE_REFERENCES_MAX];	/* nearest last */
};
/*
 * A new message joins the thread of a message of its Message-ID; else of the
 * last message it refers to that is here and has its base subject (RFC 5256
 * 2.1; a DSN: any subject); else, if it refers to none and its subject is a
 * response's, that of the latest message of its base subject and original
 * mailbox of the 4 weeks before it. 1, 0 not there, -1.
 */
int store_thread_get(struct store_view *v, uint32_t mailbox, uint32_t uid,
    struct store_thread *out);
/* The messages of a thread; *at starts with 0 mailbox. 1, 0 end, -1. */
int store_thread_next(struct store_view *v, uint64_t id,
    struct store_place *at);
/*
 * Set or clear STORE_THREAD_MUTED and STORE_THREAD_COLLAPSED on messages and
 * those below them. EINVAL: other flags.
 */
int store_thread_mark(struct store *s, uint32_t mailbox,
    const uint32_t *uids, size_t count, uint32_t flags, bool on);
/* Find the threads of all messages anew; marks stay. */
int store_threads_anew(struct store *s);
/*
 * Do a piece of what an upgrade or an import left to be done: messages read
 * by an older parse version are read again, those without a thread get one;
 * before that store_names.
 * store_open and store_sync do a piece each. 1 there is more, 0 done, -1.
 */
int store_background(struct store *s);
/* The same until it is done. 0, -1. */
int store_finish(struct store *s);

/* ---- whom mail was sent to ---- */

/*
 * Addresses in To, Cc and Bcc of messages that came into a mailbox with the
 * use \Sent (1000 of a message at most), and of how many and when last.
 */
struct store_sent {
	struct bytes local_part;	/* lower case */
	struct bytes domain;		/* A-labels, lower case */
	struct bytes name;		/* of the last one; may be empty */
	int64_t last;			/* time of reception */
	uint32_t count;
};
/* What is not a view lives in the arena. 1, 0 never, -1. */
int store_sent_get(struct store_view *v, struct arena *a,
    struct bytes local_part, struct bytes domain, struct store_sent *out);
/* When last to anybody of exactly the domain, or, with org, of any with its
 * organisational domain. 1, 0 never, -1. */
int store_sent_domain(struct store_view *v, struct bytes domain, bool org,
    int64_t *last);
/* All of them; *at starts as BYTES_EMPTY. 1, 0 end, -1. */
int store_sent_next(struct store_view *v, struct arena *a, struct bytes *at,
    struct store_sent *out);

#endif
