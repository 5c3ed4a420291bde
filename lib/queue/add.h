/*
 * add.h - handing a message to run/queue-add (pipemail-queue(5))
 *
 * One frame there, with the text as a descriptor (or inline, when small), one
 * frame back. queue-add checks rights, adds what is missing, signs, stores;
 * the reply comes when that is on disk. Who may speak for an account is known
 * from the socket: smtp-in (pm-net) says which account logged in; any other
 * user of the system is the account that main.conf's local-users maps it to
 * (SO_PEERCRED), whatever the frame says.
 */
#ifndef QUEUE_ADD_H
#define QUEUE_ADD_H

#include "queue/queue.h"

/* Bytes of lines in one reply to list: a frame holds it well. */
#define ADD_LIST_MAX ((size_t)1024 * 1024)

struct add_rcpt {
	struct bytes address;	/* without <>, as given */
	struct bytes orcpt;	/* decoded */
	uint64_t notify;
};

struct add_request {
	struct bytes account, login;
	struct bytes sender;		/* without <>; empty: null */
	struct add_rcpt *rcpts;
	size_t count;
	struct bytes text;		/* inline, LF form; or a descriptor */
	struct bytes envid;
	uint64_t ret_full, ret_headers;
	uint64_t body_8bit, body_binary, smtputf8;
	uint64_t requiretls;
	int64_t release;		/* HOLDFOR, HOLDUNTIL; 0: now */
	int64_t deliver_by;		/* absolute; 0: none */
	uint64_t by_return, by_trace;
	/* for the Received field; empty: none of it is added */
	struct bytes received_id, helo, with, remote_host, tls;
	struct bytes remote_ip;		/* as text */
	uint64_t kind;			/* enum queue_kind; from pm-net
					 * QUEUE_MESSAGE, or QUEUE_DSN of the
					 * null sender to one recipient; from
					 * pm-mail QUEUE_FORWARD, whose login is
					 * the alias */
	/*
	 * Instead: nothing is sent, and the reply's text is what queue-list
	 * prints of the account, for a user of the system and root; not for
	 * pm-net. after is the reply's next before this, or empty.
	 */
	uint64_t list;
	struct bytes after;
};

struct add_reply {
	uint64_t code;			/* 250, 4xx, 5xx */
	struct bytes status, text;	/* "5.7.1"; one line */
	uint64_t id;			/* of the queued message */
	struct bytes next;		/* list: more follow behind this */
};

/* Append a whole frame; parse its fields. 0, -1 EMSGSIZE; -1 EBADMSG. */
int add_format_request(struct buf *out, const struct add_request *r);
int add_parse_request(struct arena *a, struct bytes fields,
    struct add_request *r);
int add_format_reply(struct buf *out, const struct add_reply *r);
int add_parse_reply(struct bytes fields, struct add_reply *r);
/*
 * Ask queue-add at a socket path: text_fd (-1: request->text) is sent along
 * and stays open. Reply text in the arena. -1 with errno when there is no
 * answer: then nothing is known to be stored.
 */
int add_send(struct arena *a, const char *path,
    const struct add_request *request, int text_fd, struct add_reply *reply,
    int64_t deadline);

#endif
