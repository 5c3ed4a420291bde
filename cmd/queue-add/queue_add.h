/*
 * queue_add.h - the parts of queue-add
 *
 * main.c  options, the service, by hand    store.c  a request into the queue
 * list.c  a user's own part of the queue
 */
#ifndef QUEUE_ADD_H_PARTS
#define QUEUE_ADD_H_PARTS

#include <sys/types.h>

#include "config/config.h"
#include "queue/add.h"
#include "queue/queue.h"
#include "submit/submit.h"

/* Users of the system who may speak for any account: the servers. */
#define TRUSTED_MAX 8

struct program {
	struct config *config;
	struct submit_keys *keys;
	struct arena arena;		/* what lasts as long as config */
	const char *config_file;
	const char *dir;		/* var/queue */
	const char *file;		/* its database */
	struct queue *queue;		/* of a child; NULL: not needed yet */
	dev_t device;			/* of its database, as it was opened */
	ino_t inode;
	const char *wake;		/* run/queue */
	uid_t trusted[TRUSTED_MAX];
	size_t ntrusted;
	bool forwards;			/* there is one who may: */
	uid_t forwarder;
};

/*
 * The queue, open until the process ends (LMDB: once in a process), or until
 * another was put in its place: what went into the old one would be lost.
 * NULL with errno.
 */
struct queue *program_queue(struct program *p);

/*
 * Check, sign, store: the reply for the client, also for errors, its text in
 * the arena. text is the message in LF form.
 */
void store_request(struct program *p, struct arena *a,
    const struct add_request *request, struct bytes text,
    struct add_reply *reply);

/* What queue-list prints of the request's account (add.h). */
void list_request(struct program *p, struct arena *a,
    const struct add_request *request, struct add_reply *reply);

#endif
