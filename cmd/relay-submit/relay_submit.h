/*
 * relay_submit.h - the parts of relay-submit
 *
 * main.c  the service       conf.c  relay.conf
 * send.c  to the smart host take.c  what the caller may say, and is told
 */
#ifndef RELAY_SUBMIT_H
#define RELAY_SUBMIT_H

#include "dial/dial.h"
#include "queue/add.h"

/* ---- relay.conf(5) ---- */

/* Of one key; more is a job for a server. */
#define RELAY_LIST_MAX 1000
/* A password with its line end. RFC 4616 has no limit; SASLprep'd ones of
 * people are below 100. */
#define RELAY_PASSWORD_MAX 1024

struct relay_user {
	struct bytes name, address;
	uid_t uid;
};
struct relay {
	struct arena arena;
	const char *file;
	struct bytes host;
	int port;
	bool starttls;			/* else TLS from the first byte */
	const char *ca_file;		/* NULL: the system's */
	struct bytes user, password;	/* user empty: none */
	const char *mechanisms;		/* NULL: the safest in common */
	bool client_cert;
	struct bytes hostname;		/* ours, for EHLO */
	struct bytes machine;		/* what the system is called */
	struct bytes from;
	struct bytes local_recipient;
	struct bytes allow[RELAY_LIST_MAX];	/* address, or @domain */
	size_t nallow;
	struct relay_user users[RELAY_LIST_MAX];
	size_t nusers;
	struct dns_options dns;
	struct tlsc_ctx *tls;
};
/*
 * Read etc/relay.conf and the files that it names. NULL: every problem is
 * reported, as file:line.
 */
struct relay *relay_open(void);
/* NULL: nothing. Secrets are wiped. */
void relay_close(struct relay *r);

/* ---- take.c ---- */

/*
 * A request of the user uid: addresses that this machine may not use become
 * its own, the message is completed and sent; *reply is for the caller, its
 * text in the arena.
 */
void relay_take(const struct relay *r, struct arena *a, uid_t uid,
    struct add_request *request, struct bytes text, struct add_reply *reply);

/* ---- send.c ---- */

struct relay_mail {
	struct path sender;
	struct smtpc_recipient *rcpts;	/* results come here */
	size_t count;
	struct bytes parts[2];		/* header, body; LF form */
	const struct add_request *request;	/* for DSN and the rest */
};
/* At once; every recipient has a result afterwards. */
void relay_send(const struct relay *r, struct arena *a,
    struct relay_mail *m);

#endif
