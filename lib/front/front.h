/*
 * front.h - what stands in front of a client's protocol: PROXY header, TLS
 *
 * A server that talks to strangers keeps a struct front per connection:
 *
 *	front_init(&f, &options, conn);
 *	if (front_begin(&f) == -1)		-P and -t
 *		... close; it was logged ...
 *	if (front_offers_tls(&f))
 *		... announce STARTTLS ...
 *	if ((ctl = front_open(&f)) == -1)	STARTTLS came
 *		... 454 or NO: not now; the session goes on ...
 *	... say that TLS may begin, and flush ...
 *	if (front_secure(&f, ctl) == -1)
 *		... close; it was logged ...
 *
 * The descriptors of the connection keep their numbers: plaintext comes and
 * goes through them afterwards.
 */
#ifndef FRONT_H
#define FRONT_H

#include "base/base.h"
#include "preface/preface.h"
#include "sasl/sasl.h"
#include "server/server.h"

/* Of a listener; shared by its connections. */
struct front_options {
	struct bytes listener;	/* "smtp", "submission", "imap" */
	bool proxied;		/* each connection begins with a PROXY header */
	bool implicit;		/* TLS from the start */
	bool client_cert;	/* ask for client certificates */
	bool certificates;	/* tls-serve has some (front_certificates) */
	const char *tls_path;	/* its socket */
	int64_t timeout_ms;	/* for the PROXY header; and a handshake */
};

struct front {
	const struct front_options *o;
	struct server_conn *conn;
	struct preface preface;		/* all zero: nothing came */
	struct buf header;		/* of a proxy */
	struct arena arena;
	bool tls;
	char version[32];		/* "TLSv1.3" */
	bool has_bindings;
	struct sasl_binding binding[SASL_BINDINGS];
};

/* A NAME.pem is in the folder of certificates, or only others may look
 * there: then somebody has set it up. */
bool front_certificates(void);

/* conn and o are borrowed. */
void front_init(struct front *f, const struct front_options *o,
    struct server_conn *conn);
void front_free(struct front *f);
/*
 * Read what comes before the protocol. Addresses of conn become the
 * client's. 0; -1: the connection is of no use, and the log says why.
 */
int front_begin(struct front *f);
/* STARTTLS may be announced: not TLS yet, a socket, tls-serve's is there. */
bool front_offers_tls(const struct front *f);
/* The way to tls-serve, for front_secure; -1 is logged. */
int front_open(const struct front *f);
/* Have TLS spoken; ctl is closed. As front_begin. */
int front_secure(struct front *f, int ctl);
/* The preface as bytes, to be handed on; empty without TLS. -1 EMSGSIZE. */
int front_preface(const struct front *f, struct buf *out);
/* Fill in what auth-serve is told of the connection. */
void front_sasl(const struct front *f, struct sasl_params *out);
/* Before a login attempt: wait the longer the more have failed
 * (BEHAVIOUR 9, U-12). */
void front_throttle(unsigned int failures);
#define FRONT_SLOW_FAILURES 3	/* from then on the client is slowed */

/*
 * The mechanisms to announce on f, blanks between, in the arena. Those that
 * every auth-serve has if it cannot be asked: a login then fails for now.
 * *limited: it takes no logins from there now (BEHAVIOUR 8), whatever comes.
 */
const char *front_mechanisms(struct front *f, const char *auth_path,
    const char *service, bool *limited);

/*
 * Log in by the key of the client's certificate, which did not ask for it
 * (U-10). service, session and ticket of *params are the caller's, the rest
 * is filled in. 1 with *reply: it is logged in; 0: no certificate, or none
 * that is good for that: the client may log in as others do; -1: auth-serve
 * cannot be asked, which was logged.
 */
int front_key_login(const struct front *f, const char *auth_path,
    struct sasl_params *params, struct sasl_reply *reply);
/* How such a login is called in logs. */
#define FRONT_KEY_LOGIN "client-certificate"

#endif
