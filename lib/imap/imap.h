/*
 * imap.h - IMAP4rev1 and IMAP4rev2 server machines (RFC 3501, RFC 9051),
 * before and after login
 *
 * Bytes go in, bytes and a wish come out; sockets, time-outs and the auth
 * dialogue are the programs'. Two machines: struct imap_login speaks until
 * a client is authenticated (imap-login), struct imap from there on
 * (imap-serve). What the first read beyond the last command is handed to
 * the second.
 *
 * Extensions: IDLE (2177), NAMESPACE (2342), ID (2971), UNSELECT (3691),
 * UIDPLUS (4315), SASL-IR (4959), ENABLE (5161), CHILDREN (3348),
 * SPECIAL-USE attributes (6154), MOVE (6851), LITERAL+ and LITERAL- (7888),
 * ESEARCH (4731), WITHIN (5032), SEARCHRES (5182), SORT and THREAD (5256),
 * CONTEXT and ESORT (5267), SORT=DISPLAY (5957), MULTISEARCH (7377),
 * INPROGRESS (9585), CONDSTORE and QRESYNC
 * (7162), STATUS=SIZE (8438), OBJECTID (8474), SAVEDATE (8514), PREVIEW
 * (8970), PARTIAL (9394), UIDONLY (9586), LIST-EXTENDED (5258), LIST-STATUS
 * (5819), METADATA (5464), LIST-METADATA (9590), CREATE-SPECIAL-USE (6154),
 * QUOTA (9208), BINARY (3516), UTF8=ACCEPT (6855), APPENDLIMIT (7889),
 * MULTIAPPEND (3502), CATENATE (4469), REPLACE (8508), URLAUTH (4467),
 * URLAUTH=BINARY (5524), COMPRESS=DEFLATE (4978), UNAUTHENTICATE (8437),
 * NOTIFY (5465), FILTERS (5466), MESSAGELIMIT (9738).
 * capability.c has the table.
 */
#ifndef IMAP_H
#define IMAP_H

#include "base/base.h"

/* ---- limits (feature row I-13) ---- */

/* A line without its literals: ids of a few thousand messages. */
#define IMAP_LINE_MAX 16384
/* ID's: thirty fields of 30 and values of 1024 bytes (RFC 2971 3.3), each
 * byte quoted. */
#define IMAP_ID_LINE_MAX 65536
/* A literal other than APPEND's message. */
#define IMAP_LITERAL_MAX (100 * 1024)
/* One sent without asking where LITERAL+ is switched off (RFC 7888 5). */
#define IMAP_LITERAL_MINUS_MAX 4096
/* One command: lines and literals together, and the number of literals. */
#define IMAP_COMMAND_MAX (1024 * 1024)
#define IMAP_LITERALS_MAX 1000
/* Messages and parts of them in one APPEND: one literal each. */
#define IMAP_APPEND_PARTS_MAX IMAP_LITERALS_MAX
/* Its messages together, as a multiple of the limit of one: they are on the
 * disk a second time until all are there. */
#define IMAP_APPEND_TOTAL 10
/* URLs in one command about them. */
#define IMAP_URLS_MAX 1000
/* Nested parentheses, NOT and OR of SEARCH: people stay below 10. */
#define IMAP_SEARCH_DEPTH_MAX 50
/* Patterns of one LIST (RFC 5258 6): clients send one to five. */
#define IMAP_LIST_PATTERNS_MAX 50
/* Search keys in one command: each may cost a look at each message. */
#define IMAP_SEARCH_KEYS_MAX 1000
/* Filters (RFC 5466) in each other: it asks for three at least. What is put in
 * their places together: as much as a command may be. */
#define IMAP_FILTER_DEPTH_MAX 10
#define IMAP_FILTER_BYTES_MAX IMAP_COMMAND_MAX
/* Decoded text of one message that SEARCH BODY and TEXT look at. */
#define IMAP_SEARCH_TEXT_MAX STORE_TEXT_MAX
/* Bad commands in a row before the connection is closed. */
#define IMAP_BAD_MAX 20
/* Messages one command may be about (RFC 9738): what COPY answers about so
 * many, at worst 22 bytes for each, is made in memory, and so long others wait
 * to write. */
#define IMAP_MESSAGE_LIMIT 1000000
/* Between words to a client whose search takes long (RFC 9585). */
#define IMAP_PROGRESS_SECONDS 10
/* Idle time-outs, seconds (RFC 3501 5.4: at least 30 minutes after login). */
#define IMAP_UNAUTH_SECONDS 30
#define IMAP_AUTH_SECONDS (30 * 60)
/* A tag: anything sensible is shorter. */
#define IMAP_TAG_MAX 256

/* ---- before login ---- */

struct imap_login_options {
	bool plain_login;	/* passwords may pass this connection */
	const char *mechanisms;	/* "PLAIN LOGIN", offered if plain_login */
	bool tls;		/* the connection is protected already */
	bool starttls;		/* STARTTLS is offered; not with tls */
};

enum imap_login_action {
	IMAP_LOGIN_READ,	/* write the output, then give more input */
	IMAP_LOGIN_AUTH,	/* begin: mechanism and response64 are set */
	IMAP_LOGIN_CONTINUE,	/* the client's answer is in response64 */
	IMAP_LOGIN_CANCEL,	/* it gave up a challenge */
	IMAP_LOGIN_STARTTLS,	/* it asks: imap_login_starttls */
	IMAP_LOGIN_CLOSE,	/* write the output and close */
};

struct imap_login;

/* The greeting is in the output at once. */
struct imap_login *imap_login_new(const struct imap_login_options *o);
/* Wipes what was read. */
void imap_login_free(struct imap_login *l);
/* Take bytes of the client; all are kept up to the limits. */
void imap_login_input(struct imap_login *l, struct bytes s);
/* Handle what was read up to the next wish. */
enum imap_login_action imap_login_step(struct imap_login *l);
/* To be written; the caller drops what it wrote. */
struct buf *imap_login_output(struct imap_login *l);

/* Of IMAP_LOGIN_AUTH, _CONTINUE: valid until the next step. */
struct bytes imap_login_mechanism(const struct imap_login *l);
struct bytes imap_login_response64(const struct imap_login *l);
/* False: the client sent no initial response. */
bool imap_login_has_response(const struct imap_login *l);

/* Answers to these actions; each is followed by imap_login_step. */
void imap_login_challenge(struct imap_login *l, struct bytes challenge64);
/* reason may be ""; code is "AUTHENTICATIONFAILED", "UNAVAILABLE", ... */
void imap_login_failed(struct imap_login *l, const char *code,
    const char *reason);
/* The last failure is none of the client's: do not count it. */
void imap_login_uncharge(struct imap_login *l);
/*
 * To IMAP_LOGIN_STARTTLS: OK, to be written before TLS begins, or NO. After
 * the OK comes imap_login_secured once there is TLS, with new options: what
 * was said in clear is forgotten (RFC 3501 6.2.1), save failures.
 */
void imap_login_starttls(struct imap_login *l, bool begins);
void imap_login_secured(struct imap_login *l,
    const struct imap_login_options *o);
/* On success: the tag that imap-serve answers, and the unread input. */
struct bytes imap_login_tag(const struct imap_login *l);
struct bytes imap_login_pending(const struct imap_login *l);
/* Valid commands so far. */
size_t imap_login_commands(const struct imap_login *l);
/* Failed attempts so far (BEHAVIOUR 9 delays). */
unsigned int imap_login_failures(const struct imap_login *l);
/* "* BYE reason" into the output; the next step says CLOSE. */
void imap_login_bye(struct imap_login *l, const char *code,
    const char *reason);

/* ---- handing a connection over ---- */

/*
 * What imap-login sends to run/imap with the client's descriptor:
 * pipemail-auth(5) has the layout.
 */
#define IMAP_HANDOVER_MAX (2 * 1024 * 1024)
/* To imap-login instead of a tag, which it cannot be: the client is new, and
 * is to be greeted. */
#define IMAP_TAG_NEW "*"
struct imap_handover {
	struct bytes ticket;
	struct bytes tag;
	struct bytes session;		/* connection id for the logs */
	struct bytes remote_ip;
	struct bytes local_ip;
	struct bytes preface;		/* of the connection; empty: none */
	struct bytes pending;		/* read, not yet handled */
};
int imap_handover_format(const struct imap_handover *h, struct buf *out);
/* *need is the length of the whole once 8 bytes are there, else 8. */
int imap_handover_length(struct bytes s, size_t *need);
/* Views into s. -1 EBADMSG. */
int imap_handover_parse(struct bytes s, struct imap_handover *out);

/* ---- a session at rest: imap-serve to imap-idle, and back ---- */

/*
 * What goes with the client's descriptor. The seal proves that imap-serve had
 * the account open for that client: HMAC-SHA-256 (RFC 2104) of its name under
 * a key that the parent of imap-serve made when it started, and that a child
 * forgets before it parses anything of its client.
 */
#define IMAP_SEAL_SIZE 32
/* Some hundred bytes; with "$" some thousand. */
#define IMAP_REST_MAX 16384
/* Messages in "$" (RFC 5182) of a session that can rest: more is a result
 * someone is at work with. Likewise ranges of \Recent UIDs. */
#define IMAP_KEPT_SAVED_MAX 1000
#define IMAP_KEPT_RECENT_MAX 200
enum { IMAP_REST_WAIT = 'w', IMAP_REST_CHANGED = 'c', IMAP_REST_LATE = 'l' };
struct imap_rest {
	int why;			/* IMAP_REST_ */
	uint32_t seconds;		/* of silence until "late" */
	struct bytes seal;
	struct bytes account;
	struct bytes session;		/* connection id for the logs */
	struct bytes remote_ip;
	struct bytes folder;		/* of the selected mailbox: the path
					 * that has cur/ and new/; or empty */
	struct bytes preface;		/* of the connection; may be empty */
	struct bytes state;		/* imap_keep */
};
void imap_seal(const unsigned char key[IMAP_SEAL_SIZE], struct bytes account,
    unsigned char out[IMAP_SEAL_SIZE]);
/* -1 EMSGSIZE, EINVAL a NUL in a field. */
int imap_rest_format(const struct imap_rest *r, struct buf *out);
/* Whether s begins as one does, not as an imap_handover. */
bool imap_is_rest(struct bytes s);
/* As imap_handover_length and _parse. */
int imap_rest_length(struct bytes s, size_t *need);
int imap_rest_parse(struct bytes s, struct imap_rest *out);

/* ---- mail of another account by its URL (RFC 4467) ---- */

/*
 * A session has its own account in reach. For a URL of another one it asks
 * run/imap: the seal says which account asks, and a new imap-serve looks the
 * URL up in its owner's account. There is one answer: a head, the structure
 * and the data; or a head that says no, whatever the reason is.
 */
/* A URL of IMAP_LINE_MAX, and the rest. */
#define IMAP_ASK_MAX 20480
/* Questions of one session: each costs a process. A client that follows a
 * URL of others asks once for it. */
#define IMAP_ASKS_MAX 100
enum { IMAP_ASK_STRUCTURE = 1, IMAP_ASK_BINARY = 2, IMAP_ASK_BODY = 4 };
struct imap_ask {
	int want;			/* IMAP_ASK_, of RFC 5524; or 0 */
	struct bytes seal;
	struct bytes account;		/* who asks */
	struct bytes user;		/* whose mail it is, as in the URL */
	struct bytes session;		/* connection id for the logs */
	struct bytes remote_ip;
	struct bytes url;
};
/* -1 EMSGSIZE, EINVAL a NUL in a field. */
int imap_ask_format(const struct imap_ask *q, struct buf *out);
bool imap_is_ask(struct bytes s);
/* As imap_handover_length and _parse. */
int imap_ask_length(struct bytes s, size_t *need);
int imap_ask_parse(struct bytes s, struct imap_ask *out);

#define IMAP_ANSWER_HEAD 14
/* A structure that is no longer fits a message of some ten thousand parts. */
#define IMAP_ANSWER_STRUCTURE_MAX (1024 * 1024)
enum imap_answer_data { IMAP_DATA_NONE, IMAP_DATA_NIL, IMAP_DATA_TEXT,
	IMAP_DATA_BINARY };	/* _BINARY: needs a literal8 */
struct imap_answer {
	bool found;
	enum imap_answer_data data;
	uint32_t structure_bytes;	/* of BODYPARTSTRUCTURE */
	uint64_t data_bytes;
};
void imap_answer_format(const struct imap_answer *a,
    unsigned char out[IMAP_ANSWER_HEAD]);
/* -1 with EBADMSG, or EMSGSIZE more than data_max bytes of data. */
int imap_answer_parse(const unsigned char head[IMAP_ANSWER_HEAD],
    uint64_t data_max, struct imap_answer *out);

/* ---- after login ---- */

struct store;

struct imap_options {
	struct store *store;		/* open for the account; not owned */
	const char *account;
	const char *tmp_dir;		/* for APPEND; same file system */
	uint64_t append_max;		/* bytes of one APPENDed message */
	/* Not announced and not to be enabled for this account, with blanks
	 * between (I-17); may be NULL. IMAP4rev1 stays. */
	const char *capabilities_off;
	int64_t progress_ms;		/* 0: IMAP_PROGRESS_SECONDS */
	uint32_t message_limit;		/* 0: IMAP_MESSAGE_LIMIT */
	bool unauthenticate;		/* there is who takes the connection
					 * (IMAP_UNAUTHENTICATE) */
	bool asks;			/* knows other accounts (IMAP_ASK) */
	/* Whether a user, as in a URL, logs in to that account; NULL: it is
	 * its name. */
	bool (*is_account)(const void *ctx, struct bytes user,
	    const char *account);
	const void *is_account_ctx;
};

enum imap_action {
	IMAP_READ,		/* write the output, then give more input */
	IMAP_WRITE,		/* write the output, then step again */
	IMAP_BUSY,		/* as WRITE; look for what came without
				 * waiting, since much is left to do */
	IMAP_IDLE,		/* as READ, and imap_changed when it did: in
				 * IDLE, and always with NOTIFY (RFC 5465) */
	IMAP_COMPRESS,		/* write the output; what is written and read
				 * from then on is compressed */
	IMAP_UNAUTHENTICATE,	/* imap_pending and imap_tag to a new login;
				 * no output is left. If there is none to take
				 * it: imap_bye, and step */
	IMAP_ASK,		/* imap_asked, and imap_answered with what
				 * comes of it; no output is left */
	IMAP_CLOSE,		/* write the output and close */
};

struct imap;

/*
 * A session in authenticated state. With tag empty the greeting is PREAUTH,
 * otherwise the login's "tag OK" with capabilities.
 */
struct imap *imap_new(const struct imap_options *o, struct bytes tag);
void imap_free(struct imap *im);
/* Take bytes of the client, at most imap_room of them. */
void imap_input(struct imap *im, struct bytes s);
/* How much input may be given now. 0: step first. */
size_t imap_room(const struct imap *im);
/* The client closed its side: the rest is handled, then CLOSE. */
void imap_input_end(struct imap *im);
/*
 * Go on until there is something to write, to read or to wait for. Output
 * is bounded: a long FETCH gives IMAP_WRITE again and again.
 */
enum imap_action imap_step(struct imap *im);
struct buf *imap_output(struct imap *im);
/*
 * Something happened to the store while IMAP_IDLE was the wish; outside: in
 * the folders themselves, by another program. Step afterwards.
 */
void imap_changed(struct imap *im, bool outside);
/* The id of the selected mailbox, 0 if none. */
uint32_t imap_mailbox(const struct imap *im);
/* Whether it wants to know of all mailboxes (NOTIFY): store_sync of them, now
 * and then, finds what other programs do. */
bool imap_watches_all(const struct imap *im);
/* "* BYE reason" into the output; the next step says CLOSE. */
void imap_bye(struct imap *im, const char *code, const char *reason);
/* Give back memory before a long wait. */
void imap_trim(struct imap *im);
/* Of UNAUTHENTICATE: what was read behind it, and its tag. */
struct bytes imap_pending(const struct imap *im);
struct bytes imap_tag(const struct imap *im);

/*
 * Of IMAP_ASK: account, user, want and url; seal, session and remote_ip are
 * the program's. The answer: the file, which is taken over, holds structure
 * and data, one behind the other; a NULL: there is none. Then step.
 */
void imap_asked(const struct imap *im, struct imap_ask *out);
void imap_answered(struct imap *im, const struct imap_answer *a, int file);
/*
 * The other side: answer q out of the store of o, which is the URL's owner's,
 * in pieces to write (0, or -1 errno). 1 it was found, 0 not, -1 errno of
 * write. o->append_max bounds the data, as that of the session did which
 * asks; seal and account were checked.
 */
int imap_answer(const struct imap_options *o, const struct imap_ask *q,
    int (*write)(void *ctx, struct bytes s), void *ctx);

/*
 * A session in IDLE as bytes; false: not now, for it has input, output or
 * changes to announce, a search that is kept up to date (RFC 5267 4.3),
 * NOTIFY (RFC 5465), or more than can be kept. imap_restore makes the same
 * session of them, in IDLE, with all that happened since yet to be announced
 * by the next step. NULL: EBADMSG these bytes and the store do not agree.
 */
bool imap_keep(struct imap *im, struct buf *out);
struct imap *imap_restore(const struct imap_options *o, struct bytes state);

/* Counters for the log line at the end of a session. */
struct imap_stats {
	uint64_t commands;
	uint64_t fetched_messages;
	uint64_t appended_messages;
};
void imap_stats(const struct imap *im, struct imap_stats *out);

/* ---- searching without a session ---- */

struct imap_search_result {
	uint32_t *uids;			/* ascending, in the arena */
	size_t n;
};
/*
 * The messages of a mailbox that match search keys (RFC 9051 6.4.4, all that
 * SEARCH knows, without message numbers; "$" holds nothing), read in short
 * views one after the other. -1 with errno: EBADMSG no search keys, *why says
 * which rule; else of the store.
 */
int imap_search(struct arena *a, struct store *s, uint32_t mailbox,
    struct bytes keys, struct imap_search_result *out, const char **why);

/* ---- syntax, for the machines, their tests and the fuzz target ---- */

/* Quote s as an IMAP string: quoted if it can be, else a literal. */
int imap_add_string(struct buf *out, struct bytes s);
/* An astring: bare if it can be. */
int imap_add_astring(struct buf *out, struct bytes s);

/* A set of message numbers or UIDs; "*" is IMAP_STAR, which is none. */
#define IMAP_STAR 0
struct imap_range {
	uint32_t first, last;		/* first <= last once resolved */
};
struct imap_set {
	struct imap_range *ranges;
	size_t n;
	bool saved;			/* "$": a SEARCH that was saved */
};
/* RFC 3501 9 sequence-set, the whole of s. -1 EBADMSG. */
int imap_set_parse(struct arena *a, struct bytes s, struct imap_set *out);
/* Put star in for "*", order each range, sort and join them. */
void imap_set_resolve(struct imap_set *set, uint32_t star);
/* Whether "*" is in it, before it is resolved. */
bool imap_set_has_star(const struct imap_set *set);
/* Of a resolved set. */
bool imap_set_has(const struct imap_set *set, uint32_t n);
/* What is in both of two resolved sets, in the arena. */
void imap_set_both(struct arena *a, const struct imap_set *x,
    const struct imap_set *y, struct imap_set *out);
/* "1:3,5" of a resolved set. 0, -1 EMSGSIZE. */
int imap_add_ranges(struct buf *out, const struct imap_set *set);
/* "1:3,5" of ascending numbers, runs joined. 0, -1 EMSGSIZE. */
int imap_add_set(struct buf *out, const uint32_t *numbers, size_t n);

#endif
