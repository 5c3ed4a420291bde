/* verify.h - shared by verify.c, verify_box.c and verify_thread.c */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "store/internal.h"

struct verifying {
	struct store_view *v;
	struct store_verify *ask;
	bool quiet;		/* only count */
	uint64_t count;
	uint64_t quota;
	struct arena arena;	/* one mailbox */
	struct arena scratch;	/* one message */
};

/* Note a contradiction. */
void verify_found(struct verifying *y, const char *kind,
    struct bytes mailbox, uint32_t uid, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Everything about one mailbox and its folder. */
int verify_box(struct verifying *y, const struct mbox *m);
/* A message's thread: its record; against the message; entries of tables. */
int verify_thread(struct verifying *y, struct bytes mailbox,
    const struct store_message *m);
void verify_thread_text(struct verifying *y, struct bytes mailbox,
    const struct store_message *m, struct bytes content);
int verify_thread_record(struct verifying *y, struct bytes key,
    struct bytes value);
int verify_thread_member(struct verifying *y, struct bytes key,
    struct bytes value);
int verify_thread_subject(struct verifying *y, struct bytes key,
    struct bytes value);
/* Who sent it: a row; an entry of the table history. */
int verify_origin(struct verifying *y, struct bytes key, struct bytes value);
int verify_history(struct verifying *y, struct bytes key, struct bytes value);

#endif
