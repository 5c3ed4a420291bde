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
#include "config/config.h"
#include "preface/preface.h"
#include "sasl/sasl.h"
#include "server/server.h"
#include "tlsreq/tlsreq.h"

/* Of a listener; shared by its connections. */
struct front_options {
	struct bytes listener;	/* "smtp", "submission", "imap" */
	bool proxied;		/* each connection begins with a PROXY header */
	bool implicit;		/* TLS from the start */
	bool client_cert;	/* ask for client certificates */
	/* What the client may choose by ALPN, best first; none: the one
	 * protocol of the listener. */
	struct bytes alpn[TLSREQ_ALPNS_MAX];
	size_t nalpn;
	bool certificates;	/* tls-serve has some (front_certificates) */
	const char *tls_path;	/* its socket */
	int64_t timeout_ms;	/* for the PROXY header; and a handshake */
	int64_t login_ms;	/* from the greeting to the first word, for
				 * front_early */
};

struct front {
	const struct front_options *o;
	struct server_conn *conn;
	struct preface preface;		/* empty: nothing came */
	struct buf header;		/* of a proxy */
	struct arena arena;
	bool tls;
	char version[32];		/* "TLSv1.3" */
	bool has_bindings;
	struct sasl_binding binding[SASL_BINDINGS];
};

/*
 * What the configuration says of connections: in all (connections-max),
 * and of an address and its networks, open and a minute (open-limits,
 * rate-limits); not behind a proxy, which is one address for all its clients
 * and limits them itself. Other members stay.
 */
void front_limits(const struct config *c, bool proxied,
    struct server_limits *out);

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
/*
 * In place of front_begin, for a connection that another process of ours had
 * before: what tls-serve said of it. -1: it is malformed. The bytes are
 * borrowed.
 */
int front_take_preface(struct front *f, struct bytes preface);
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
 * For the early hook of a server whose greeting is the same for all: PROXY
 * headers are left to a child, TLS from the start is had, and a child
 * started when the client says something; its front_begin then knows what
 * went on. f is made by front_init for one call, in the parent.
 */
enum front_early {
	FRONT_EARLY_WAIT,
	FRONT_EARLY_GREET,	/* in clear: write it to e->fd, then wait */
	FRONT_EARLY_SERVE,
	FRONT_EARLY_CLOSE,	/* the log says why */
	FRONT_EARLY_EXPIRED,	/* it said nothing: write last words to
				 * e->wait_fd; then wait if front_early_ends
				 * says so, or close */
};
/* greetings: for TLS from the start, as in struct tlsreq. */
enum front_early front_early(struct front *f, struct server_early *e,
    const struct bytes greetings[TLSREQ_GREETINGS]);
/* tls-serve is to pass the last words on, and close; a moment is left to it. */
bool front_early_ends(const struct server_early *e);
/* In a child: the greeting was written by the parent. */
bool front_greeted(const struct front *f);

/*
 * The mechanisms to announce on f, blanks between, in the arena. Those that
 * every auth-serve has if it cannot be asked: a login then fails for now.
 * *limited: it takes no logins from there now (BEHAVIOUR 8), whatever comes;
 * that is logged.
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
/* The same in a parent, asked at most once a second, and anew after a moment
 * when it could not be asked: true if *m, zero at first, was filled anew. [0]
 * is the list without channel bindings, [1] that with them; clients with a key
 * are not greeted ahead. front_mechanisms_known: that for f. */
#define FRONT_MECHANISMS_MAX 512
struct front_mechanisms {
	int64_t until;
	char list[TLSREQ_GREETINGS][FRONT_MECHANISMS_MAX];
};
bool front_mechanisms_look(struct front_mechanisms *m, const char *auth_path);
const char *front_mechanisms_known(const struct front_mechanisms *m,
    const struct front *f);
/* Whether auth-serve takes no logins from there now (BEHAVIOUR 8). */
bool front_limited(const struct front *f, const char *auth_path,
    const char *service);

#endif
