/*
 * sasl.h - proving who a client is: mechanisms, verifiers, auth protocol
 *
 * Four parts, from the inside out:
 *  - server machines of the SASL mechanisms (RFC 4422): bytes in, a
 *    challenge or a decision out;
 *  - verifiers: what is stored of a password, and the LMDB table of them;
 *  - tickets: a login proven to auth-serve once, redeemed once elsewhere;
 *  - the auth protocol between auth-serve and its clients, both sides, as
 *    pipemail-auth(5) describes it.
 * Everything that held a secret is wiped before it is released.
 */
#ifndef SASL_H
#define SASL_H

#include "base/base.h"

/* ---- mechanisms ---- */

/* RFC 4616 asks for at least 255 octets each; longer ones are refused. */
#define SASL_NAME_MAX 255
#define SASL_PASSWORD_MAX 1024
/* The longest decoded response of a client: PLAIN at its limits. */
#define SASL_RESPONSE_MAX (SASL_NAME_MAX * 2 + SASL_PASSWORD_MAX + 2)
/* The same in base64. */
#define SASL_RESPONSE64_MAX ((SASL_RESPONSE_MAX + 2) / 3 * 4)

enum sasl_action {
	SASL_CHALLENGE,		/* send the challenge, call again */
	SASL_PASSWORD,		/* authcid and password are set: check them */
	SASL_MALFORMED,		/* the client broke the mechanism's rules */
};

struct sasl_text {
	size_t n;
	unsigned char p[SASL_PASSWORD_MAX];
};

struct sasl_mech;

/* One authentication. It holds secrets: end it with sasl_wipe. */
struct sasl {
	const struct sasl_mech *mech;
	unsigned int step;
	struct sasl_text authzid;	/* empty: same as authcid */
	struct sasl_text authcid;
	struct sasl_text password;
};

/*
 * A server side mechanism. step is called with each response of the client;
 * a mechanism with more to ask of the store than a password (SCRAM) adds an
 * action of its own.
 */
struct sasl_mech {
	const char *name;
	bool plaintext;		/* shows the password to the server */
	enum sasl_action (*step)(struct sasl *s, struct bytes response,
	    struct buf *challenge);
	bool client_first;	/* asks for a response before it challenges */
};

/* By name, in any case; NULL: not offered. */
const struct sasl_mech *sasl_mech_find(struct bytes name);
/* The i-th mechanism in order of preference; NULL past the last. */
const struct sasl_mech *sasl_mech_at(size_t i);

void sasl_init(struct sasl *s, const struct sasl_mech *mech);
/*
 * sasl_start - begin, with the initial response if have_response
 * Without one, a mechanism in which the client speaks first is given an
 * empty challenge (RFC 4422 5). LOGIN takes an initial response as the user
 * name. The challenge is added to *challenge, not encoded.
 */
enum sasl_action sasl_start(struct sasl *s, struct bytes response,
    bool have_response, struct buf *challenge);
/* Go on with the decoded response to the last challenge. */
enum sasl_action sasl_continue(struct sasl *s, struct bytes response,
    struct buf *challenge);
/* Forget everything. */
void sasl_wipe(struct sasl *s);

/* ---- verifiers ---- */

/* U-6: iteration counts of the stored keys. */
#define SASL_ITERATIONS_SHA256 4096
#define SASL_ITERATIONS_SHA1 8192
/* A record that asks for more is refused: it would stop the server. */
#define SASL_ITERATIONS_MAX 1000000
#define SASL_SALT_BYTES 16
#define SASL_PASSWORD_MIN 8

/* The keys of one SCRAM hash (RFC 5802 3); key_bytes 20 or 32. */
struct sasl_keys {
	uint32_t iterations;
	size_t key_bytes;
	unsigned char salt[SASL_SALT_BYTES];
	unsigned char stored_key[32];
	unsigned char server_key[32];
};

/* All that is kept of a password. */
struct sasl_verifier {
	struct sasl_keys sha256;
	struct sasl_keys sha1;
	int64_t changed;		/* seconds since 1970 */
};

/*
 * Derive a verifier with new salts. password must be normalised already.
 * 0, or -1 with errno (EBADMSG: empty or longer than SASL_PASSWORD_MAX).
 */
int sasl_verifier_make(struct bytes password, struct sasl_verifier *out);
/*
 * 1 the password is right, 0 it is not, -1 errno. The time depends on the
 * iteration count only. v NULL costs the same and gives 0: for users that
 * do not exist.
 */
int sasl_verifier_check(const struct sasl_verifier *v, struct bytes password);
/* The stored form, versioned; parse refuses anything else with EBADMSG. */
#define SASL_VERIFIER_BYTES \
	(2 + 8 + 2 * (4 + SASL_SALT_BYTES) + 2 * 32 + 2 * 20)
int sasl_verifier_format(const struct sasl_verifier *v, struct buf *out);
int sasl_verifier_parse(struct bytes s, struct sasl_verifier *out);

/*
 * sasl_password_normal - the one form in which a password is derived (N-3)
 * UTF-8 in NFC. -1 with EBADMSG and a *why: not UTF-8, a control
 * character, longer than SASL_PASSWORD_MAX. No minimum is applied here.
 */
int sasl_password_normal(struct bytes password, struct buf *out,
    const char **why);
/* A random password of 16 characters (82 bits) that are easy to tell apart. */
void sasl_password_generate(char out[17]);

/* The table of verifiers: var/auth/, an LMDB environment. */
struct sasl_db;
/*
 * Open var_dir/auth, created if absent when for_writing. NULL with errno
 * (ENOENT: no table yet). Not across fork.
 */
struct sasl_db *sasl_db_open(const char *var_dir, bool for_writing);
void sasl_db_close(struct sasl_db *db);
/* 0; -1 with ENOENT (no password set), EBADMSG (record damaged), ... */
int sasl_db_get(struct sasl_db *db, const char *account,
    struct sasl_verifier *out);
/* Durable when it returns 0. */
int sasl_db_put(struct sasl_db *db, const char *account,
    const struct sasl_verifier *v);
/* 1 removed, 0 there was none, -1. */
int sasl_db_remove(struct sasl_db *db, const char *account);

/* ---- logins ---- */

#define SASL_ACCOUNT_MAX 64
#define SASL_REASON_MAX 255

enum sasl_result {
	SASL_OK,
	SASL_WRONG,		/* unknown user, wrong password: the same */
	SASL_DISABLED,		/* right, but the account may not log in */
	SASL_TEMPORARY,		/* cannot tell now */
};

struct sasl_outcome {
	enum sasl_result result;
	char account[SASL_ACCOUNT_MAX + 1];	/* "" unless SASL_OK */
	char reason[SASL_REASON_MAX + 1];	/* for the user; may be "" */
	const char *why;		/* for the log only; constant text */
};

struct config;
/*
 * sasl_login - check authcid and password against configuration and table
 * authcid is an address of an account (N-2: brought to NFC, no separators)
 * or the account's name. An authzid other than "" must name the same
 * account. db may be NULL (no password set yet): every login is wrong.
 * The time is the same whether the user exists or not.
 */
void sasl_login(const struct config *config, struct sasl_db *db,
    struct bytes authzid, struct bytes authcid, struct bytes password,
    struct sasl_outcome *out);
/*
 * The account that logs in as name, into account. 1 yes, 0 no such login,
 * -1 errno. Also for passwd-set.
 */
int sasl_account_of(const struct config *config, struct bytes name,
    char account[SASL_ACCOUNT_MAX + 1]);

/* ---- tickets ---- */

#define SASL_TICKET_CHARS 64		/* 256 random bits in hex */
#define SASL_TICKET_SECONDS 60
/* Logins on their way from one process to the next at one time. */
#define SASL_TICKETS_MAX 1024

struct sasl_tickets;
struct sasl_tickets *sasl_tickets_new(void);
void sasl_tickets_free(struct sasl_tickets *t);
/* A new ticket for account; false when the table is full. */
bool sasl_tickets_issue(struct sasl_tickets *t, const char *account,
    int64_t now_ms, char ticket[SASL_TICKET_CHARS + 1]);
/*
 * Redeem: true once, within SASL_TICKET_SECONDS, with the account. The
 * search takes the same time for every ticket.
 */
bool sasl_tickets_redeem(struct sasl_tickets *t, struct bytes ticket,
    int64_t now_ms, char account[SASL_ACCOUNT_MAX + 1]);

/* ---- auth protocol, server side ---- */

/* A line of a client: the longest resp= with room for parameters. */
#define SASL_LINE_MAX 8192
/* Authentications one client may have open at a time. */
#define SASL_PENDING_MAX 64
/* A client that does not read is dropped past this much output. */
#define SASL_OUTPUT_MAX 65536

struct sasl_request;		/* one AUTH in progress */

/* What the protocol machine asks of its surroundings. */
struct sasl_backend {
	void *ctx;
	/* Decide a login. */
	void (*login)(void *ctx, struct bytes authzid, struct bytes authcid,
	    struct bytes password, struct sasl_outcome *out);
	/* A login ended; for the log. service and ip may be empty. */
	void (*ended)(void *ctx, const struct sasl_outcome *out,
	    struct bytes authcid, const char *mech, struct bytes service,
	    struct bytes remote_ip, struct bytes session);
	struct sasl_tickets *tickets;
	int64_t (*now_ms)(void);
};

/* One connection of a client. */
struct sasl_peer;
struct sasl_peer *sasl_peer_new(const struct sasl_backend *backend,
    uint32_t server_pid, uint64_t connection);
void sasl_peer_free(struct sasl_peer *p);
/* Room for more input: read(2) at most this much. 0: step first. */
size_t sasl_peer_room(const struct sasl_peer *p);
/* Take bytes the client sent (at most sasl_peer_room). */
void sasl_peer_input(struct sasl_peer *p, struct bytes s);
/*
 * Handle one line. 1 done, 0 no whole line there, -1 with errno: EPROTO, the
 * client broke the protocol, EMSGSIZE, it does not read or sends too long a
 * line; the connection is to be closed.
 */
int sasl_peer_step(struct sasl_peer *p);
/* What is to be written; the caller drops what it wrote. */
struct buf *sasl_peer_output(struct sasl_peer *p);

/* ---- auth protocol, client side ---- */

enum sasl_reply_kind { SASL_REPLY_OK, SASL_REPLY_CONT, SASL_REPLY_FAIL };

struct sasl_reply {
	enum sasl_reply_kind kind;
	char user[SASL_ACCOUNT_MAX + 1];	/* OK: the account */
	char ticket[SASL_TICKET_CHARS + 1];	/* OK, if asked for */
	char reason[SASL_REASON_MAX + 1];	/* FAIL: text for the user */
	bool temporary;				/* FAIL: try later */
	bool disabled;				/* FAIL: login is disabled */
	char challenge[1024];			/* CONT: base64 */
};

struct sasl_params {
	const char *mech;
	const char *service;		/* "imap", "smtp" */
	const struct ip *remote, *local;	/* may be NULL */
	const char *session;		/* connection id; may be NULL */
	bool ticket;			/* ask for one */
};

struct sasl_client;
/* Connect to the socket and shake hands. NULL with errno (EPROTO, ...). */
struct sasl_client *sasl_client_open(const char *path, int64_t deadline);
void sasl_client_close(struct sasl_client *c);
/*
 * Begin an authentication; response64 is base64, have_response false when
 * the client gave none. 0 with *reply set, or -1 errno.
 */
int sasl_client_auth(struct sasl_client *c, const struct sasl_params *params,
    struct bytes response64, bool have_response, int64_t deadline,
    struct sasl_reply *reply);
/* Answer a challenge. */
int sasl_client_continue(struct sasl_client *c, struct bytes response64,
    int64_t deadline, struct sasl_reply *reply);
/* Give up the authentication that waits for an answer. */
int sasl_client_cancel(struct sasl_client *c, int64_t deadline);
/* Redeem a ticket: OK with user, or FAIL. */
int sasl_client_redeem(struct sasl_client *c, const char *ticket,
    int64_t deadline, struct sasl_reply *reply);

/* ---- fields of the protocol, for both sides and for tests ---- */

/* Add s with NUL, 0x01, TAB, CR, LF escaped as 0x01 and a letter. */
int sasl_field_escape(struct buf *out, struct bytes s);
/* Undo it into the arena; false: a wrong escape. */
bool sasl_field_unescape(struct arena *a, struct bytes s, struct bytes *out);

#endif
