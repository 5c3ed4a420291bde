/* internal.h - what the files of lib/saslc share */
#ifndef SASLC_INTERNAL_H
#define SASLC_INTERNAL_H

#include "saslc/saslc.h"

struct saslc_mech {
	const char *name;
	bool plus;		/* binds to the TLS connection */
	bool plaintext;		/* shows a password or token */
	enum sasl_hash hash;
	enum { NEEDS_PASSWORD, NEEDS_TOKEN, NEEDS_CERT } needs;
	/* NULL: the server speaks first. */
	int (*first)(struct saslc *s, struct buf *out, const char **why);
	int (*step)(struct saslc *s, struct bytes challenge, struct buf *out,
	    const char **why);
	/* The step at which the server may say that we are in. */
	int last_step;
};

enum {
	SASLC_BEGIN,
	/* SCRAM */
	SASLC_SERVER_FIRST, SASLC_SERVER_FINAL, SASLC_PROVEN,
	/* others */
	SASLC_SAID, SASLC_PASSWORD,
	SASLC_OVER,
};

struct saslc {
	struct saslc_login copy;		/* its slices never at NULL */
	const struct saslc_login *login;	/* that */
	const struct saslc_mech *mech;
	int step;
	bool plus_offered;
	/* SCRAM */
	const struct sasl_binding *binding;	/* NULL: none */
	enum sasl_binding_type binding_type;
	struct buf password;			/* in its normal form */
	struct buf nonce, gs2, auth;		/* auth: AuthMessage */
	unsigned char signature[SASL_HASH_MAX];
};

/* -1 with EPROTO, with EACCES. */
int saslc_broken(const char **why, const char *text);
int saslc_refused(const char **why, const char *text);

/* scram.c */
void saslc_add_name(struct buf *out, struct bytes name);
int saslc_scram_first(struct saslc *s, struct buf *out, const char **why);
int saslc_scram_step(struct saslc *s, struct bytes challenge,
    struct buf *out, const char **why);

#endif
