/*
 * facts.h - what is recorded of a message beside its record: filters of its
 * text, its thread, recipients of what was sent. A part of internal.h.
 */
#ifndef STORE_FACTS_H
#define STORE_FACTS_H

#include "store/internal.h"

/* ---- message.c ---- */

/*
 * Fill sizes, Message-ID hash, envelope, bodystructure and preview from the
 * bytes of a message, and *text, unless it is NULL, as its record for searches;
 * all in the arena. What makes such records is left in *set, if there is one.
 */
void message_parse(struct arena *a, struct bytes content,
    struct store_message *m, struct bytes *text, struct gram_set **set);

/* ---- text.c: records for store_text_maybe ---- */

struct mime_tree;
/* The record of a message, in the arena; never empty. Nothing was added to
 * g before. */
struct bytes message_text(struct arena *a, const struct mime_tree *tree,
    struct gram_set *g);
/* Whether a word may be in the message of a record, which may be any bytes:
 * those of another format or cut short rule out nothing. */
bool text_maybe(struct bytes record, const struct gram_query *q, bool header,
    bool body);
/* Whether two records of this format differ. */
bool text_differs(struct bytes kept, struct bytes text);
/* Empty: none is kept. work_remove takes it away. */
int work_text_put(struct work *w, uint32_t mailbox, uint32_t uid,
    struct bytes text);
int work_text_copy(struct work *w, struct arena *a,
    const struct store_message *from, const struct store_message *to);

/* ---- thread.c ---- */

#define KEY_MEMBER 16
#define KEY_SUBJECT 28
uint64_t hash_of(struct bytes s);	/* never 0 */
int thread_decode(struct bytes key, struct bytes value,
    struct store_thread *out);
/* Into a buffer with room for THREAD_RECORD_MAX. */
#define THREAD_FIXED 48
#define THREAD_RECORD_MAX (THREAD_FIXED + 8 * (STORE_PARENTS_MAX + \
	STORE_REFERENCES_MAX))
void thread_encode(struct buf *out, const struct store_thread *t);
/* 1, 0 no record, -1. */
int thread_get(struct kv_txn *t, uint32_t mailbox, uint32_t uid,
    struct store_thread *out);
/* Whether the other tables lead to it. */
bool thread_has_entries(struct kv_txn *t, const struct store_thread *x);
/* The entries of the tables of threads that lead to a record. */
int thread_entries_put(struct work *w, const struct store_thread *t);
int work_thread_put(struct work *w, const struct store_thread *t,
    const struct store_thread *old);
/* Note what other tables have of the messages. */
int thread_leave(struct work *w, struct removal *r);
int work_thread_copy(struct work *w, const struct store_message *from,
    const struct store_message *to, uint32_t original);
/* What a message says about its thread; then its number and place. */
void thread_read(struct arena *a, struct bytes content,
    struct store_thread *t);
void thread_own(struct store_thread *t, const struct store_message *m);
bool thread_has_parent(const struct store_thread *t, uint64_t own);
enum thread_find {
	THREAD_SAME_ID,		/* with a thread, of any subject */
	THREAD_THREADED,	/* with a thread, of the same subject */
	THREAD_ANY,		/* of the same subject */
};
int thread_find_id(struct work *w, uint64_t id, const struct store_thread *t,
    enum thread_find how, struct store_thread *out);
int thread_find_subject(struct work *w, const struct store_thread *t,
    struct store_thread *out);
void thread_child(struct store_thread *t, const struct store_thread *parent);
/* A thread for a new message. */
int thread_match(struct work *w, struct store_thread *t);

/* ---- sent.c ---- */

/* The recipients of a message that comes into a mailbox of sent mail. */
int work_sent(struct work *w, struct bytes content, int64_t date);

#endif
