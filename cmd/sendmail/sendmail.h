/*
 * sendmail.h - the parts of sendmail
 *
 * main.c     options               message.c  standard input as a message
 * local.c    who calls, and names  session.c  -bs
 * hand.c     to a service          save.c     dead.letter
 */
#ifndef SENDMAIL_H
#define SENDMAIL_H

#include <sysexits.h>

#include "compose/compose.h"
#include "config/config.h"
#include "queue/add.h"

/* Texts up to this size go within the frame, others as a file. */
#define INLINE_MAX ((size_t)256 * 1024)
/* relay-submit answers when the smart host has: 60 s and more with size. */
#define ANSWER_TIMEOUT_MS (15 * 60 * 1000)

/* Who calls, and what a name without a domain means here. */
struct local {
	struct arena arena;
	struct config *config;		/* NULL: no server on this machine */
	struct bytes hostname;		/* of the system */
	struct bytes user;
	struct bytes account;		/* local-user's; empty: none */
	struct bytes address;		/* of the account, or user@hostname */
	struct bytes full_name;
	const char *home;
};
/* Ends the program when the caller has no name. */
void local_open(struct local *l);
void local_close(struct local *l);
/*
 * "root" and "root@thishost" become the address of the account that root
 * sends for, else root@thishost; other addresses stay as they are.
 */
struct bytes local_complete(struct local *l, struct bytes address);
/* For struct compose: an address that is not a name of this machine. */
bool local_may_use(void *ctx, struct arena *a, struct bytes address);

/* What the options say. */
struct options {
	bool from_fields;	/* -t */
	bool ignore_dots;	/* -i */
	bool verbose;		/* -v */
	const char *full_name;	/* -F */
	const char *sender;	/* -f; NULL: the caller */
	uint64_t notify;	/* -N */
	struct add_request request;	/* -B, -R, -V */
};

/*
 * Standard input to the recipients of the operands, and of the fields with
 * -t. The exit code, of sysexits(3); errors are reported.
 */
int message_send(struct local *l, const struct options *o,
    char *const operands[], size_t count);
/* SMTP on standard input and output. */
int session_run(struct local *l, const struct options *o);

/*
 * Header and body to queue-add, or to relay-submit where that is missing. 0;
 * -1 with errno and *why: nothing is known to be taken.
 */
int hand_over(struct arena *a, const struct add_request *r,
    struct bytes header, struct bytes body, struct add_reply *reply,
    const char **why);
/* The header section as compose.h makes it. -1 EMSGSIZE. */
int hand_compose(struct local *l, const char *full_name, bool keep_bcc,
    struct arena *a, struct bytes text, struct bytes *header,
    struct bytes *body);

/* Append text to dead.letter, as a mailbox of the mbox form, and say so. */
void save_letter(const struct local *l, struct bytes text);

#endif
