/*
 * ask.h - the decision for a recipient of an account: judge.h with its facts
 * and its questions answered by configuration, index and DNS
 *
 * lmtp-in and judge(1) call the same function.
 */
#ifndef JUDGE_ASK_H
#define JUDGE_ASK_H

#include "config/config.h"
#include "judge/judge.h"
#include "recipient/recipient.h"
#include "rules/rules.h"
#include "stage/stage.h"
#include "store/store.h"

struct judge_case {
	/* Set by the caller. */
	const struct config *config;	/* NULL: the defaults */
	struct store *store;		/* of the recipient's account */
	struct stage_job *job;		/* the message below its trusted
					   block; its arena and resolver */
	const struct recipient *recipient;	/* NULL: none is known */
	struct bytes address;		/* of RCPT TO; may be empty */
	const struct rules_result *rules;	/* NULL: they are looked at
						   for the recipient */

	/* Filled: what the decision rests on. */
	struct judge_facts facts;
	struct judge_rule rule;
	struct judge_settings settings;
};

/*
 * Judge. Never fails: see judge_decide. Opens views of the store one after the
 * other, and none while it waits for DNS.
 */
void judge_recipient(struct judge_case *c, struct judge_result *out);

/*
 * Append what is to be remembered of it where it lies aside, in the mailbox of
 * that name: that it was refused, and where it would have gone. To extension
 * for the index (store_field_add), to field for the file
 * (store_destined_format). Both mailboxes are made if they are not there.
 * Nothing of what is where it belongs. 0, -1.
 */
int judge_add_marks(struct buf *extension, struct buf *field,
    struct store *s, const struct judge_result *r, struct bytes aside);

/* ---- Rejects: copies of what was refused, to look through ---- */

/* Copies are removed that are there for so long. */
#define JUDGE_REJECTS_SECONDS ((int64_t)14 * 24 * 3600)
/* With so many there is no further one, where they are removed; and so many
 * of the newest are compared with a new one. */
#define JUDGE_REJECTS_MAX 1000

struct judge_rejects {
	struct bytes mailbox;	/* empty: there is none */
	bool keep;		/* all of them, for good */
};
void judge_rejects_read(const struct config *c, const char *account,
    struct judge_rejects *out);
/*
 * Keep a copy: 1 it is there; 0 it is not needed (one with the same Message-ID
 * or the same text is there), not wanted, or there are too many; -1. message:
 * without the prefix. Removes copies that are too old; of other mail in that
 * mailbox nothing is ever removed.
 */
int judge_rejects_add(struct store *s, const struct judge_rejects *r,
    const struct store_incoming *m, struct bytes message, int64_t now);
/* A message was accepted: its copies, by Message-ID, are removed. 0, -1. */
int judge_rejects_forget(struct store *s, const struct judge_rejects *r,
    struct bytes message);

#endif
