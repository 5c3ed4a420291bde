/*
 * saslc.h - proving to a server who we are: the client side of SASL
 *
 * Machines of the mechanisms (RFC 4422): challenges in, responses out, not
 * encoded; base64 and the commands around them are the protocol's. SCRAM (RFC
 * 5802, 7677) with channel binding (RFC 5929, 9266), CRAM-MD5 (RFC 2195),
 * PLAIN (RFC 4616), LOGIN, EXTERNAL (RFC 4422 A), OAUTHBEARER (RFC 7628) and
 * XOAUTH2. What held a secret is wiped before it is released.
 *
 *	from = 0;
 *	name = saslc_choose(&login, offered, &from, &why);
 *	s = saslc_new(&login, name, offered);
 *	if (saslc_speaks_first(s)) saslc_first(s, &response, &why);
 *	... for each challenge: saslc_step(s, challenge, &response, &why);
 *	... the server says it is done: saslc_success(s, &why) must be 0
 *	saslc_free(s);
 */
#ifndef SASLC_H
#define SASLC_H

#include "base/base.h"
#include "sasl/sasl.h"

/* ---- limits ---- */

/* A challenge, decoded; SCRAM's are below 200, OAuth's JSON is for people. */
#define SASLC_CHALLENGE_MAX 4096
/* A response, not encoded. */
#define SASLC_RESPONSE_MAX (SASL_RESPONSE_MAX + SASLC_CHALLENGE_MAX)
/*
 * RFC 5802 5.1 and RFC 7677 4 ask servers for at least 4096 iterations: one
 * that names fewer wants a proof that is cheap to try passwords on.
 */
#define SASLC_ITERATIONS_MIN 4096
/* More than a second of work; a server may not stop its client. */
#define SASLC_ITERATIONS_MAX 1000000
/* Of SCRAM: servers use 12 to 64 bytes. */
#define SASLC_SALT_MAX 256
/* The nonce of both together; ours is SASL_NONCE_CHARS. */
#define SASLC_NONCE_MAX 512

/* ---- who we are ---- */

/*
 * What a login is made from; borrowed, it must outlive what is made with it.
 * A user and a password, or a user and a token, or a client certificate; what
 * is zero is not given.
 */
struct saslc_login {
	struct bytes user, password;
	struct bytes token;		/* OAuth bearer token; empty: none */
	struct bytes authzid;		/* act as; empty: as user */
	bool client_cert;		/* TLS showed one: EXTERNAL */
	/*
	 * Names of mechanisms in any case, blanks between, best first: only
	 * these are used. NULL: saslc_default().
	 */
	const char *mechanisms;
	bool secured;			/* TLS protects the connection */
	bool in_clear;			/* show password or token without TLS */
	/* SASL_BINDINGS of them for the TLS connection; NULL: none. */
	const struct sasl_binding *binding;
	struct bytes host;		/* of the server, for OAUTHBEARER */
	int port;			/* 0: not told */
	/* For tests: this client nonce instead of a random one. */
	const char *nonce;
};

/*
 * The mechanisms used without a list, best first: with a token OAUTHBEARER
 * and XOAUTH2; with a password those that do not show it, bound to the
 * connection before others, up to CRAM-MD5; with a client certificate and
 * neither of them EXTERNAL. PLAIN and LOGIN must be asked for.
 */
const char *saslc_default(const struct saslc_login *l);
/*
 * The first mechanism of the list, from word *from on, that offered (names,
 * blanks between, any case) has and that l can do; *from is moved past it, so
 * that the next call gives the next best. Constant text in upper case. NULL
 * with *why: nothing in common, or what stands in the way (no TLS for PLAIN,
 * no channel binding, ...).
 */
const char *saslc_choose(const struct saslc_login *l, struct bytes offered,
    size_t *from, const char **why);
/* Whether a mechanism of that name is known; for checks of configuration. */
bool saslc_known(struct bytes name);

/* ---- one authentication ---- */

struct saslc;
/*
 * offered tells whether the server has -PLUS mechanisms (RFC 5802 6: flag "y"
 * where we could bind and it seems that it cannot). NULL with EINVAL: no such
 * mechanism, or a user, password or token that it cannot carry.
 */
struct saslc *saslc_new(const struct saslc_login *l, const char *mechanism,
    struct bytes offered);
void saslc_free(struct saslc *s);
const char *saslc_mechanism(const struct saslc *s);
/* Whether it has an initial response; it may be empty (EXTERNAL). */
bool saslc_speaks_first(const struct saslc *s);
/*
 * The initial response, added to *out: instead of an answer to an empty
 * first challenge, where the protocol can send it at once. 0 or -1.
 */
int saslc_first(struct saslc *s, struct buf *out, const char **why);
/*
 * The response to a challenge, added to *out. An empty first challenge to a
 * mechanism that speaks first is answered by its initial response. 0; -1 with
 * EPROTO (the server broke the mechanism's rules or a limit), EACCES (it
 * does not know the password, or refused ours) and *why, constant text:
 * cancel the exchange then.
 */
int saslc_step(struct saslc *s, struct bytes challenge, struct buf *out,
    const char **why);
/*
 * The server says that we are in. 0, or -1 with EACCES and *why: it did not
 * prove that it knows the password (SCRAM), or the exchange was not at its
 * end: it is not to be trusted with anything.
 */
int saslc_success(const struct saslc *s, const char **why);

#endif
