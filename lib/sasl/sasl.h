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
#include "clientkey/clientkey.h"
#include "totp/totp.h"

/* ---- limits ---- */

/* RFC 4616 asks for at least 255 octets each; longer ones are refused. */
#define SASL_NAME_MAX 255
#define SASL_PASSWORD_MAX 1024
/* A bearer token: the largest issuers stay below 4 kB. */
#define SASL_TOKEN_MAX 4800
/* The longest decoded response: an OAuth one with its host and port. */
#define SASL_RESPONSE_MAX (SASL_TOKEN_MAX + 1000)
/* The same in base64. */
#define SASL_RESPONSE64_MAX ((SASL_RESPONSE_MAX + 2) / 3 * 4)
#define SASL_ACCOUNT_MAX 64
#define SASL_REASON_MAX 255
/* The name of an app password or of a client key. */
#define SASL_LABEL_MAX 64

/* ---- where a login comes from ---- */

#define SASL_PARAM_MAX 63

/* What a TLS connection can be recognised by on both sides. */
enum sasl_binding_type {
	SASL_TLS_EXPORTER,		/* RFC 9266 */
	SASL_TLS_SERVER_END_POINT,	/* RFC 5929 4 */
	SASL_TLS_UNIQUE,		/* RFC 5929 3, up to TLS 1.2 */
	SASL_BINDINGS
};
/* "tls-exporter", ... */
const char *sasl_binding_name(enum sasl_binding_type type);
/* A SHA-512 hash is the longest. */
#define SASL_BINDING_MAX 64
struct sasl_binding {
	size_t n;			/* 0: the service gave none */
	unsigned char p[SASL_BINDING_MAX];
};

/* What the service tells of the connection; see pipemail-auth(5). */
struct sasl_origin {
	char service[SASL_PARAM_MAX + 1];	/* "imap", "smtp", ... */
	char remote_ip[SASL_PARAM_MAX + 1];
	struct ip remote;			/* family 0: unknown */
	char session[SASL_PARAM_MAX + 1];
	char agent[SASL_PARAM_MAX + 1];		/* the client's program */
	char tls[SASL_PARAM_MAX + 1];		/* "TLSv1.3"; "" none */
	bool secured;
	bool preauth;		/* the client did not ask: its key logs in */
	bool has_client_key;
	unsigned char client_key[CLIENTKEY_ID_BYTES];
	struct sasl_binding binding[SASL_BINDINGS];
};

/* ---- mechanisms ---- */

enum sasl_action {
	SASL_CHALLENGE,		/* send the challenge, then sasl_continue */
	SASL_SECRETS,		/* authcid is set: go on by sasl_know */
	SASL_PASSWORD,		/* authcid and password are set: check them */
	SASL_CLIENT_KEY,	/* the origin's client key says who it is */
	SASL_TOKEN,		/* token is set: check it */
	SASL_PROVEN,		/* the proof is right, by secrets[matched] */
	SASL_REFUSED,		/* the proof is wrong, why says how */
	SASL_MALFORMED,		/* the client broke the mechanism's rules */
	SASL_ENDED,		/* the last challenge was answered */
};

struct sasl_text {
	size_t n;
	unsigned char p[SASL_PASSWORD_MAX];
};

enum sasl_hash { SASL_SHA256, SASL_SHA1, SASL_SHA512, SASL_HASHES };
#define SASL_HASH_MAX 64
#define SASL_SALT_BYTES 16
/* HMAC-MD5 after the inner and the outer pad: two MD5 states. */
#define SASL_CRAM_BYTES 32

/* What proves one password of an account, for one mechanism. */
struct sasl_secret {
	char label[SASL_LABEL_MAX + 1];	/* of an app password; "" */
	unsigned char stored_key[SASL_HASH_MAX];	/* SCRAM */
	unsigned char server_key[SASL_HASH_MAX];
	unsigned char cram[SASL_CRAM_BYTES];		/* CRAM-MD5 */
};

/* All of them; none: the proof fails, after the same messages. */
struct sasl_secrets {
	char account[SASL_ACCOUNT_MAX + 1];	/* "": unknown user */
	uint32_t iterations;
	size_t salt_bytes;
	unsigned char salt[SASL_SALT_BYTES];
	size_t count;
	struct sasl_secret *secret;	/* from mem_alloc; owned */
	const char *why;	/* what the log says if the proof fails */
	bool missing;		/* U-7: none for this mechanism */
	bool temporary;		/* they could not be read */
};
void sasl_secrets_wipe(struct sasl_secrets *s);

struct sasl_mech;

#define SASL_NONCE_CHARS 24		/* 144 bits */

/* One authentication. It holds secrets: end it with sasl_wipe. */
struct sasl {
	const struct sasl_mech *mech;
	unsigned int step;
	const char *why;	/* SASL_MALFORMED, _REFUSED; constant text */
	bool mismatch;		/* another's TLS connection (U-3) */
	struct sasl_text authzid;	/* empty: same as authcid */
	struct sasl_text authcid;
	struct sasl_text password;
	struct buf token;
	/* The origin's bindings, SASL_BINDINGS of them; NULL: none. */
	const struct sasl_binding *binding;
	/* The server's nonce (SCRAM) or challenge (CRAM-MD5); "": random. */
	char nonce[128];
	struct sasl_secrets secrets;
	size_t matched;
	struct buf gs2, text;		/* SCRAM: header, AuthMessage */
	size_t server_first;		/* its place in text */
};

enum sasl_kind {		/* what a mechanism does */
	SASL_KIND_SCRAM, SASL_KIND_CRAM, SASL_KIND_OAUTHBEARER,
	SASL_KIND_XOAUTH2, SASL_KIND_PLAIN, SASL_KIND_LOGIN,
	SASL_KIND_EXTERNAL, SASL_KINDS,
};
struct sasl_mech {
	const char *name;
	const char *flags;	/* of its MECH line, each after a TAB */
	bool plaintext;		/* shows a password or token to the server */
	bool plus;		/* binds to the TLS connection */
	enum sasl_hash hash;
	enum sasl_kind kind;
};

/* By name, in any case; NULL: there is none. */
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
/* Go on after SASL_SECRETS; takes over what *secrets owns. */
enum sasl_action sasl_know(struct sasl *s, struct sasl_secrets *secrets,
    struct buf *challenge);
/*
 * The decision is made. True: *challenge holds one more message (the
 * server's proof of SCRAM, the error of OAUTHBEARER); the response to it goes
 * to sasl_continue, which says SASL_ENDED.
 */
bool sasl_last(struct sasl *s, bool good, struct buf *challenge);
/* Forget everything. */
void sasl_wipe(struct sasl *s);

/* ---- verifiers ---- */

/* U-6: iteration counts of the stored keys. */
#define SASL_ITERATIONS_SHA256 4096
#define SASL_ITERATIONS_SHA1 8192
#define SASL_ITERATIONS_SHA512 10000
/* A record that asks for more is refused: it would stop the server. */
#define SASL_ITERATIONS_MAX 1000000
#define SASL_PASSWORD_MIN 8

/* The keys of one SCRAM hash (RFC 5802 3). */
struct sasl_keys {
	uint32_t iterations;		/* 0: there are none */
	unsigned char salt[SASL_SALT_BYTES];
	unsigned char stored_key[SASL_HASH_MAX];
	unsigned char server_key[SASL_HASH_MAX];
};

/* All that is kept of a password; SHA-256 keys are always there. */
struct sasl_verifier {
	struct sasl_keys keys[SASL_HASHES];
	bool has_cram;
	unsigned char cram[SASL_CRAM_BYTES];
	int64_t changed;		/* seconds since 1970 */
};

size_t sasl_hash_bytes(enum sasl_hash hash);
uint32_t sasl_hash_iterations(enum sasl_hash hash);

/*
 * Derive a verifier. password must be normalised already. With like, the
 * salts are its: the passwords of an account share them, so that one
 * challenge and one derivation serve them all. With cram, CRAM-MD5 too.
 * 0, or -1 with errno (EBADMSG: empty or longer than SASL_PASSWORD_MAX).
 */
int sasl_verifier_make(struct bytes password,
    const struct sasl_verifier *like, bool cram, struct sasl_verifier *out);
/*
 * The SHA-256 StoredKey of a password for the salt and iterations of *k
 * (NULL: some others, at the same cost: for users that do not exist).
 */
int sasl_stored_key(const struct sasl_keys *k, struct bytes password,
    unsigned char stored_key[32]);
/* 1 the password is right, 0 it is not, -1 errno. v NULL: costs the same. */
int sasl_verifier_check(const struct sasl_verifier *v, struct bytes password);
/* The stored form, versioned; parse refuses anything else with EBADMSG. */
#define SASL_VERIFIER_BYTES_MAX 512
int sasl_verifier_format(const struct sasl_verifier *v, struct buf *out);
int sasl_verifier_parse(struct bytes s, struct sasl_verifier *out);

/* HMAC-MD5 (RFC 2104) in two parts: the pads, then a text. */
void sasl_cram_pads(struct bytes password, unsigned char out[SASL_CRAM_BYTES]);
void sasl_cram_digest(const unsigned char pads[SASL_CRAM_BYTES],
    struct bytes text, unsigned char out[16]);

/*
 * sasl_password_normal - the one form in which a password is derived (N-3)
 * UTF-8 in NFC. -1 with EBADMSG and a *why: not UTF-8, a control
 * character, longer than SASL_PASSWORD_MAX. No minimum is applied here.
 */
int sasl_password_normal(struct bytes password, struct buf *out,
    const char **why);
/*
 * Whether a normalised password may be set: at least SASL_PASSWORD_MIN
 * characters, nothing that is typed differently than it looks. NULL: yes.
 */
const char *sasl_password_problem(struct bytes normal);
/* A random password of 16 characters (82 bits) that are easy to tell apart. */
void sasl_password_generate(char out[17]);

/* ---- the table: var/auth/, an LMDB environment ---- */

struct sasl_db;
/*
 * Open var_dir/auth, created if absent when for_writing. NULL with errno
 * (ENOENT: no table yet). Not across fork. For the superuser: os_be_owner.
 */
struct sasl_db *sasl_db_open(const char *var_dir, bool for_writing);
void sasl_db_close(struct sasl_db *db);
/* 0; -1 with ENOENT (no password set), EBADMSG (record damaged), ... */
int sasl_db_get(struct sasl_db *db, const char *account,
    struct sasl_verifier *out);
/* Durable when it returns 0, as all that change the table. */
int sasl_db_put(struct sasl_db *db, const char *account,
    const struct sasl_verifier *v);
/* 1 removed, 0 there was none, -1. */
int sasl_db_remove(struct sasl_db *db, const char *account);
/* 32 random bytes, made once: challenges for users that do not exist. */
int sasl_db_server_secret(struct sasl_db *db, unsigned char out[32]);

/* App passwords of one account. */
#define SASL_APPS_MAX 32

/* A password of an account: its own (label "") or an app password. */
struct sasl_credential {
	char label[SASL_LABEL_MAX + 1];
	char services[SASL_PARAM_MAX + 1];	/* "imap,smtp"; "" all */
	struct sasl_verifier verifier;
};
/* The account's own first; *list from mem_alloc. 0 (also none), -1. */
int sasl_db_credentials(struct sasl_db *db, const char *account,
    struct sasl_credential **list, size_t *count);
void sasl_credentials_wipe(struct sasl_credential *list, size_t count);
/* -1 with EEXIST (label in use), EMSGSIZE (SASL_APPS_MAX), ... */
int sasl_db_app_add(struct sasl_db *db, const char *account,
    const struct sasl_credential *c);
int sasl_db_app_remove(struct sasl_db *db, const char *account,
    const char *label);
/* 1 to SASL_LABEL_MAX bytes of UTF-8 without controls. */
bool sasl_label_valid(struct bytes s);
/* Whether a list of services ("" all) names service; submission is smtp. */
bool sasl_services_has(const char *services, const char *service);

/* Client keys (U-8, U-9). */
struct sasl_client_key {
	unsigned char id[CLIENTKEY_ID_BYTES];
	char account[SASL_ACCOUNT_MAX + 1];
	char login[SASL_NAME_MAX + 1];		/* address it logs in as */
	char label[SASL_LABEL_MAX + 1];
	bool no_preauth;			/* U-10 */
	int64_t added;				/* seconds since 1970 */
};
#define SASL_KEYS_MAX 100		/* of one account */
/* 1, 0 no such key, -1. */
int sasl_db_key_get(struct sasl_db *db,
    const unsigned char id[CLIENTKEY_ID_BYTES], struct sasl_client_key *out);
/* -1 with EEXIST, EMSGSIZE (SASL_KEYS_MAX). */
int sasl_db_key_add(struct sasl_db *db, const struct sasl_client_key *k);
/* 1, 0; only if it is the account's. */
int sasl_db_key_remove(struct sasl_db *db, const char *account,
    const unsigned char id[CLIENTKEY_ID_BYTES]);
/* All, or one account's; *list from mem_alloc. */
int sasl_db_key_list(struct sasl_db *db, const char *account,
    struct sasl_client_key **list, size_t *count);

/* Secrets of one-time passwords: 1, 0 none set, -1. put replaces. */
int sasl_db_totp_get(struct sasl_db *db, const char *account,
    struct totp *out);
int sasl_db_totp_put(struct sasl_db *db, const char *account,
    const struct totp *t);
int sasl_db_totp_remove(struct sasl_db *db, const char *account);
/* Check a code and note it as used: 1, 0, -1 (ENOENT: none set). */
int sasl_db_totp_check(struct sasl_db *db, const char *account,
    struct bytes digits, int64_t seconds);

/* ---- logins ---- */

enum sasl_result {
	SASL_OK,
	SASL_WRONG,		/* unknown user, wrong password: the same */
	SASL_DISABLED,		/* right, but the account may not log in */
	SASL_TEMPORARY,		/* cannot tell now */
	SASL_LIMITED,		/* too many failures there: not looked at */
	SASL_ABORTED,		/* the client gave up in the middle */
	SASL_LATER,		/* not decided yet: sasl_peer_decided */
};
/* "ok", "wrong", ... for records and logs. */
const char *sasl_result_name(enum sasl_result r);

struct sasl_outcome {
	enum sasl_result result;
	bool uncharged;		/* counts as no failure (U-7, preauth) */
	bool no_preauth;	/* the key is not for that (U-10) */
	bool unproven;		/* SASL_WRONG: another program may know it */
	bool key_unknown;	/* of a token: the issuer may have new ones */
	char account[SASL_ACCOUNT_MAX + 1];	/* "" if unknown */
	char login[SASL_NAME_MAX + 1];	/* of a client key; "" otherwise */
	char label[SASL_LABEL_MAX + 1];	/* app password, client key; "" */
	char reason[SASL_REASON_MAX + 1];	/* for the user; may be "" */
	const char *why;		/* for the log only; constant text */
};

/* U-15: right passwords, as a keyed hash, for at most 15 minutes. */
#define SASL_CACHE_SECONDS 900
#define SASL_CACHE_ENTRIES 4096
struct sasl_cache;
struct sasl_cache *sasl_cache_new(void);
void sasl_cache_free(struct sasl_cache *c);

struct config;
struct jwt_keys;
/* What decisions are made from; config must be there, the rest may be NULL. */
struct sasl_users {
	const struct config *config;
	struct sasl_db *db;		/* NULL: no password is set */
	struct sasl_cache *cache;
	const struct jwt_keys *keys;
	unsigned char server_secret[32];
	int64_t now;			/* seconds since 1970 */
};

/* Whether the configuration offers it at all. */
bool sasl_mech_offered(const struct config *config,
    const struct sasl_mech *mech);
/* The secrets for a SCRAM mechanism or CRAM-MD5; made up if need be. */
void sasl_secrets_find(const struct sasl_users *u,
    const struct sasl_origin *from, struct bytes authcid,
    const struct sasl_mech *mech, struct sasl_secrets *out);
/*
 * sasl_decide - the decision on what a mechanism came to
 * action is SASL_PASSWORD, _PROVEN, _REFUSED, _CLIENT_KEY, _TOKEN. A user is
 * an address of an account (N-2: brought to NFC, no separators) or the
 * account's name. An authzid other than "" must name the same account, and
 * so must a client key that is known (U-11). For passwords the time is the
 * same whether the user exists or not.
 */
void sasl_decide(const struct sasl_users *u, const struct sasl_origin *from,
    const struct sasl *s, enum sasl_action action, struct sasl_outcome *out);
/*
 * The rest of a decision on a password that another program found right or
 * wrong: *out is what sasl_decide said.
 */
void sasl_decide_foreign(const struct sasl_users *u,
    const struct sasl_origin *from, struct bytes authzid,
    struct bytes authcid, bool right, struct sasl_outcome *out);
/*
 * The account that logs in as name, into account. 1 yes, 0 no such login,
 * -1 errno. Also for passwd-set.
 */
int sasl_account_of(const struct config *config, struct bytes name,
    char account[SASL_ACCOUNT_MAX + 1]);

/* The same with the compiled configuration; for commands. */
int sasl_account_named(const char *name, char account[SASL_ACCOUNT_MAX + 1]);

/* ---- login attempts (U-14) ---- */

#define SASL_ATTEMPTS_FAILED_MAX 10000	/* records of one account */
#define SASL_ATTEMPTS_MAX 1000000	/* records of all */
#define SASL_ATTEMPTS_SECONDS (30 * 86400)

struct sasl_attempt {
	char account[SASL_ACCOUNT_MAX + 1];	/* "": unknown user */
	char user[SASL_NAME_MAX + 1];		/* as the client said it */
	char ip[SASL_PARAM_MAX + 1];
	char tls[SASL_PARAM_MAX + 1];
	char agent[SASL_PARAM_MAX + 1];
	char service[SASL_PARAM_MAX + 1];
	char mech[SASL_PARAM_MAX + 1];
	char result[SASL_PARAM_MAX + 1];	/* "ok", "wrong password"... */
	bool good;
	int64_t first, last;			/* seconds since 1970 */
	uint64_t count;
};
/* Add count attempts each; those of one tuple are one record. */
int sasl_db_attempts_add(struct sasl_db *db, const struct sasl_attempt *list,
    size_t n);
/* Records of an account, or (NULL) all; each goes to what(ctx). */
int sasl_db_attempts_each(struct sasl_db *db, const char *account,
    void (*what)(void *ctx, const struct sasl_attempt *a), void *ctx);
/* Remove what was last seen before that time; number removed or -1. */
int64_t sasl_db_attempts_expire(struct sasl_db *db, int64_t before);

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
#define SASL_LINE_MAX 12288
/* Authentications one client may have open at a time. */
#define SASL_PENDING_MAX 64
/* A client that does not read is dropped past this much output. */
#define SASL_OUTPUT_MAX 65536

struct sasl_peer;

/* A request, as the backend sees it. */
struct sasl_request {
	struct sasl_request *next;
	struct sasl_peer *peer;
	uint64_t id;
	bool ticket, final_ok;		/* parameters of AUTH */
	enum { SASL_REQ_OPEN, SASL_REQ_LATER, SASL_REQ_LAST } state;
	struct sasl_outcome outcome;	/* decided, one answer is to come */
	struct sasl_origin from;
	struct sasl sasl;
};

/* What the protocol machine asks of its surroundings. */
struct sasl_backend {
	void *ctx;
	/* Whether a mechanism is offered; NULL: all. */
	bool (*offered)(void *ctx, const struct sasl_mech *mech);
	/* Whether logins from there are taken now; NULL: always. */
	bool (*allowed)(void *ctx, const struct sasl_origin *from);
	/* As sasl_secrets_find. */
	void (*secrets)(void *ctx, const struct sasl_request *r,
	    struct sasl_secrets *out);
	/*
	 * As sasl_decide. SASL_LATER: sasl_peer_decided will be called
	 * with the request, unless dropped was called with it before.
	 */
	void (*decide)(void *ctx, struct sasl_request *r,
	    enum sasl_action action, struct sasl_outcome *out);
	void (*dropped)(void *ctx, struct sasl_request *r);
	/* A login ended, one call for each. For limits, log, records. */
	void (*ended)(void *ctx, const struct sasl_request *r,
	    const struct sasl_outcome *out);
	struct sasl_tickets *tickets;
	int64_t (*now_ms)(void);
};

/* One connection of a client. */
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
/* The decision on a request that was SASL_LATER; it is gone then. */
void sasl_peer_decided(struct sasl_request *r, const struct sasl_outcome *o);
/* Whether some request is SASL_LATER. */
bool sasl_peer_waits(const struct sasl_peer *p);
/* What is to be written; the caller drops what it wrote. */
struct buf *sasl_peer_output(struct sasl_peer *p);

/* ---- auth protocol, client side ---- */

enum sasl_reply_kind { SASL_REPLY_OK, SASL_REPLY_CONT, SASL_REPLY_FAIL };

struct sasl_reply {
	enum sasl_reply_kind kind;
	char user[SASL_ACCOUNT_MAX + 1];	/* OK: the account */
	char login[SASL_NAME_MAX + 1];	/* OK: address used, as far as told */
	char ticket[SASL_TICKET_CHARS + 1];	/* OK, if asked for */
	char reason[SASL_REASON_MAX + 1];	/* FAIL: text for the user */
	bool temporary;				/* FAIL: try later */
	bool limited;				/* FAIL: too many failures */
	bool disabled;				/* FAIL: login is disabled */
	bool uncharged;				/* FAIL: do not count it */
	bool no_preauth;			/* FAIL: key not for PREAUTH */
	char challenge[1024];			/* CONT: base64 */
};

struct sasl_params {
	const char *mech;
	const char *service;		/* "imap", "smtp" */
	const struct ip *remote, *local;	/* may be NULL */
	const char *session;		/* connection id; may be NULL */
	const char *agent;		/* client program; may be NULL */
	const char *tls;		/* "TLSv1.3"; NULL: no TLS */
	/* SHA-256 of the client certificate's public key; NULL: none. */
	const unsigned char *client_key;
	/* SASL_BINDINGS of them; NULL: none. */
	const struct sasl_binding *binding;
	bool preauth;			/* EXTERNAL that nobody asked for */
	bool ticket;			/* ask for one */
};

struct sasl_client;
/* Connect to the socket and shake hands. NULL with errno (EPROTO, ...). */
struct sasl_client *sasl_client_open(const char *path, int64_t deadline);
void sasl_client_close(struct sasl_client *c);
/*
 * The mechanisms a service may announce, blanks between, in order of
 * preference: of those the server named, only those that show the password
 * if plaintext, -PLUS if there are bindings, EXTERNAL if a client key.
 */
int sasl_client_mechanisms(const struct sasl_client *c, bool plaintext,
    bool bindings, bool client_key, struct buf *out);
/* Whether logins from ip are taken now: 1, 0 too many failures, -1. */
int sasl_client_allowed(struct sasl_client *c, const char *service,
    const struct ip *remote, int64_t deadline);
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
