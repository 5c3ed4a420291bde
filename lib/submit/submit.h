/*
 * submit.h - what a user may send, and what is done to it before it leaves
 *
 * RFC 6409 (submission), with the rights and limits of this server: From and
 * MAIL FROM belong to the account, missing fields are added, extra data is
 * taken out, every address of the From domain signs. One function for
 * smtp-in, queue-add and sendmail.
 */
#ifndef SUBMIT_H
#define SUBMIT_H

#include "addr/addr.h"
#include "base/base.h"
#include "config/config.h"
#include "dkim/dkim.h"
#include "queue/add.h"
#include "queue/queue.h"

/* Keys of all domains together; a domain has two or three. */
#define SUBMIT_KEYS_MAX 10000
/* Received fields: more is a loop. */
#define SUBMIT_RECEIVED_MAX 100
/* Fields put in front: trace fields and signatures. */
#define SUBMIT_PREFIX_MAX (256 * 1024)
/* HOLDFOR and HOLDUNTIL at most (U-21, RFC 4865 4). */
#define SUBMIT_HOLD_MAX_S 5184000
/* Attempts at reports, which nobody waits for. */
#define SUBMIT_REPORT_ATTEMPTS 5
/* "pipemail-extra-" NAME: its name's bytes. */
#define SUBMIT_EXTRA_NAME_MAX 100

/* A reply for the client. */
struct submit_reply {
	uint64_t code;
	const char *status;
	struct bytes text;
};

/* Private keys of the hosted domains, opened once in a parent. */
struct submit_keys;
/* What is wrong with a key is reported (it does not sign), the rest works. */
struct submit_keys *submit_keys_open(const struct config *c);
void submit_keys_close(struct submit_keys *k);

/* May the account use this as From or MAIL FROM? (U-17) */
bool submit_may_use(const struct config *c, struct arena *a,
    struct bytes account, const struct path *path);

/* One submission on its way. */
struct submit {
	/* set by the caller; arena and config must outlive it */
	struct arena *a;
	const struct config *config;
	const struct submit_keys *keys;	/* NULL: nothing is signed */
	const struct add_request *request;
	struct bytes text;		/* the message as it came, LF form */
	int64_t now;

	/* results */
	struct bytes prefix;		/* fields to stand in front */
	struct bytes body;		/* what follows them */
	struct queue_message message;	/* all but id, size, recipients */
	struct queue_rcpt *rcpts;	/* addressed and routed */
	size_t count;
	struct bytes *canonical;	/* their addresses for the limits */
};
/*
 * Check and prepare. 0; -1 with *reply what the client is told: it is not
 * accepted, nothing was stored.
 */
int submit_prepare(struct submit *s, struct submit_reply *reply);
/*
 * Within a writing transaction: outgoing limits (U-18), then note what is
 * sent and put the message, whose id and size are set, into the queue. -1
 * with *reply; the caller aborts.
 */
int submit_store(struct submit *s, struct queue_txn *t,
    struct submit_reply *reply);
struct arc_sealer;
/*
 * The three fields of arc_seal, appended, by a key of the domain: the first of
 * RSA, which all verifiers know, else the first; of that selector unless it is
 * empty. key, domain and selector of s are set here. -1 ENOENT: there is no
 * such key; else as arc_seal, with *why.
 */
int submit_seal(const struct submit_keys *k, struct arena *a,
    struct bytes domain, struct bytes selector, struct bytes message,
    struct arc_sealer *s, struct buf *out, const char **why);
/* The DKIM-Signature fields of all keys of the domain, appended. Nothing, if
 * it has none. -1 EBADMSG the message cannot be signed, with *why. */
int submit_sign(const struct submit_keys *k, struct arena *a,
    struct bytes domain, struct bytes message, int64_t now, struct buf *out,
    const char **why);

#endif
