/*
 * lmtp_in.h - the parts of lmtp-in
 */
#ifndef LMTP_IN_H
#define LMTP_IN_H

#include "base/base.h"
#include "judge/ask.h"
#include "recipient/recipient.h"
#include "rules/rules.h"
#include "server/server.h"
#include "smtp/smtp.h"
#include "stage/stage.h"
#include "store/store.h"

/* ---- accounts.c: stores kept open ---- */

/* A message rarely has recipients in more accounts than these. */
#define ACCOUNTS_MAX 4
struct accounts {
	const struct config *config;
	const struct stage_job *job;	/* who waits for a lock; NULL: nobody */
	struct store_desk *desk;	/* NULL: none */
	uint64_t cid;
	struct {
		char name[STORE_ACCOUNT_MAX + 1];
		struct store *store;
		uint64_t used;		/* the longest unused goes first */
	} slot[ACCOUNTS_MAX];
	uint64_t clock;
};
/* A new session; all zero before the first. Those that were replaced since the
 * last are closed. */
void accounts_begin(struct accounts *a, const struct config *c, uint64_t cid);
/* The store of an account, made if it is not there; NULL with errno. */
struct store *accounts_open(struct accounts *a, struct bytes account);
/* After a failure: open it anew next time. */
void accounts_forget(struct accounts *a, struct bytes account);
void accounts_close(struct accounts *a);
/* Close those that leave something to be done after the answer. */
void accounts_settle(struct accounts *a);

/* ---- facts.c: what the index remembers of a reception ---- */

/* Append tagged fields (store_field_add). -1 EMSGSIZE. */
int facts_add(struct buf *out, const struct trace_envelope *e,
    struct bytes recipient, const struct trace_block *block);
/* What makes hashes of messages, from one to the next. All zero at first. */
struct hasher {
	struct evp_md_st *md;
	struct evp_md_ctx_st *ctx;
};
/*
 * A hash of the message, the same for each copy, whatever stands in front of
 * it: by it the same is known that is refused again (BEHAVIOUR 1.4). Nothing
 * else asks for it, and it takes time: only verdict_needs_hash has it made.
 */
int facts_add_hash(struct buf *out, struct hasher *hasher,
    struct bytes message);

/* ---- choose.c: rules ---- */

/* Rules of recipients, from one message to the next. All zero at first. */
struct chosen {
	struct {
		struct rules_set *rules;
		uint64_t used;		/* the longest unused goes first */
	} slot[ACCOUNTS_MAX];
	uint64_t clock;
};
/* Before the configuration they are of ends. */
void chosen_forget(struct chosen *c);
/*
 * What the rules of the recipient's account say of the message, in the job's
 * arena and, until the next is asked for, those kept. What is wrong with them
 * is in the log.
 */
void choose(struct smtp_session *s, const struct recipient *to,
    struct stage_job *job, struct rules_result *out);

/* ---- origin.c ---- */

/* Of a message that a rule says was forwarded, the author's alone (D-5); false
 * and no change for others, whose origin the store reads. */
bool origin_of_forward(const struct stage_job *job,
    const struct rules_result *rules, struct origin *out);

/* ---- filters.c: programs of accounts ---- */

/*
 * Those of the account, before its rules; those of the rule that matches, on
 * what was accepted. The verdict is in the job.
 */
void filters_before(struct smtp_session *s, const struct recipient *to,
    struct stage_job *job);
void filters_after(struct smtp_session *s, const struct recipient *to,
    const struct rules_result *rules, struct stage_job *job);

/* ---- deliver.c ---- */

/* A copy for one account. */
struct copy {
	const struct smtp_recipient *rcpt;	/* as it was addressed */
	const struct recipient *to;
	bool is_member;		/* of the alias that was addressed */
	bool judge_only;	/* it is not stored */
	/* Or NULL: asked when it is accepted and before it is stored; false,
	 * with the reply in *out: it is not. */
	bool (*before)(void *ctx, struct smtp_answer *out);
	void *ctx;
};

/* Why the copy at hand was not stored though nobody refused the message. */
enum missed {
	MISSED_NOT,
	MISSED_FULL,		/* the quota */
	MISSED_FAILED,		/* something is wrong, for now */
};

struct deliverer {
	const struct smtp_settings *settings;
	const struct server_conn *conn;
	struct accounts *accounts;
	struct chosen *chosen;
	struct hasher *hasher;
	struct arena transaction;	/* recipients */
	struct arena job;		/* one message */
	int slots;			/* who may wait (server.h) */
	bool waited;			/* the message had its delay */
	bool gone;			/* and its client left meanwhile */
	unsigned int delivered;
	/* Addresses that got the message through an alias, in transaction. */
	struct bytes *reached;
	size_t nreached, reached_size;
	/* Of the recipient at hand: its message was refused for what it is,
	 * and the client is to be slowed down (BEHAVIOUR 1.3). */
	bool slow;
	enum missed missed;
};

/* ---- verdict.c: what is decided about a recipient's copy ---- */

struct verdict {
	struct store *store;
	const struct rules_result *rules;
	struct judge_result r;
	bool judged;		/* false: but for rules all is accepted */
	struct judge_rejects rejects;
};
/* Judge; notes in the job's trusted block where DMARC was not followed. */
void verdict_make(struct smtp_session *s, const struct copy *c,
    struct stage_job *job, const struct rules_result *rules,
    struct store *store, struct verdict *v);
/* Whether it is stored as refused or beside copies of what was, among which
 * the same text is looked for (J-10). */
bool verdict_needs_hash(const struct verdict *v);
/* Fields with the reason and, if it is put aside, where it would have gone;
 * the index learns that by facts. 0, -1. */
int verdict_fields(const struct verdict *v, struct buf *out,
    struct buf *facts);
/* What first-time senders wait, once for a message; d->gone is set if
 * the client does not. */
void verdict_wait(struct deliverer *d, const struct verdict *v,
    const struct ip *client);
/* Store it where it was decided to go: accepted, or a copy of what is refused,
 * if copies are kept (where is then left alone). message is the last piece
 * of m. 0, -1. */
int verdict_store(const struct verdict *v, struct store_incoming *m,
    struct bytes message, struct store_delivered *where);

/* For struct smtp_session. */
void deliver_rcpt(struct smtp_session *s);
void deliver_message(struct smtp_session *s, struct bytes text);
void deliver_refused(struct smtp_session *s, const char *why);
/* The whole way of one copy; *out is the reply, its texts in d->job. */
void deliver_copy(struct smtp_session *s, const struct copy *c,
    struct bytes text, struct smtp_answer *out);
/* By what the logs know the message: the id of the server in front, which is
 * what the peer's own client is told; our own without one. In d->job. */
const char *deliver_id(struct smtp_session *s);
/* The envelope of its copies. */
void deliver_envelope(struct smtp_session *s,
    const struct smtp_recipient *rcpt, struct trace_envelope *out);

/* ---- forward.c ---- */

/*
 * Hand the message to queue-add for n members of the alias: elsewhere (B-4;
 * here is NULL), or one that is here and could not be delivered to now. *out is
 * its reply, or 451, in d->job.
 */
void forward_message(struct smtp_session *s,
    const struct smtp_recipient *rcpt, const struct recipient_alias *alias,
    const struct recipient *here, const struct bytes *members, size_t n,
    struct bytes text, struct smtp_answer *out);

/* ---- alias.c ---- */

/* To the members of the alias rcpt is (BEHAVIOUR 6). */
void alias_deliver(struct smtp_session *s, const struct smtp_recipient *rcpt,
    struct bytes text, struct smtp_answer *out);

#endif
