/*
 * judge.h - is a message wanted, and where does it go
 *
 * The decision for one recipient as a function of facts: what the verifiers
 * found, what the recipient's rules say, and the answers to questions that
 * cost something (rates, reputation, content, block lists), which are asked
 * only when the decision comes to depend on them. doc/judging.md has the steps
 * as a table; their numbers there and here are the same.
 *
 * judge/ask.h joins this to an account, for lmtp-in and judge(1) alike.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "base/base.h"
#include "dmarc/dmarc.h"

/* ---- the message: the same for all its recipients ---- */

/* Results of a check as RFC 8601 2.7 names them. */
enum judge_check {
	JUDGE_NONE,		/* also: it was not made */
	JUDGE_PASS,
	JUDGE_FAIL,
	JUDGE_SOFTFAIL,
	JUDGE_NEUTRAL,
	JUDGE_TEMPERROR,
	JUDGE_PERMERROR,
};
/* "none", "pass", ...: and back, JUDGE_NONE for other words. */
const char *judge_check_name(enum judge_check c);
enum judge_check judge_check_find(struct bytes word);

/* Whom reputation is asked about. Domains are A-labels in lower case. */
struct judge_sender {
	struct bytes from_address;	/* of the one address in From, with its
					   domain in A-labels; empty: none */
	struct bytes from_domain;
	enum dmarc_alignment alignment;	/* validated: any but NONE */
	struct bytes mail_from;		/* empty: null, or blanked */
	struct bytes mail_from_domain;
	bool mail_from_validated;	/* SPF passed for it */
	struct bytes helo;
	bool helo_validated;
	const struct bytes *dkim;	/* domains of signatures that pass,
					   each once */
	size_t ndkim;
	struct ip remote;		/* family 0: not known, or blanked */
};

struct judge_facts {
	struct judge_sender sender;
	enum judge_check iprev;
	enum judge_check spf;		/* of MAIL FROM alone */
	enum dmarc_result dmarc;
	enum dmarc_policy disposition;	/* what the owner of From asks for */
	bool tls;			/* or nobody knows */
	const struct bytes *addressed;	/* To and Cc, addresses with domains
					   in A-labels */
	size_t naddressed;
	struct bytes subject;		/* decoded */
	struct bytes id;		/* received-id: what chance goes by */
	uint64_t size;			/* bytes to be stored */
	int64_t now;			/* seconds since 1970 */
};

/* Addresses in To and Cc that are looked at: who stands behind them was not
 * written to. */
#define JUDGE_ADDRESSED_MAX 1000

struct trace_block;
struct trace_envelope;
/*
 * The facts of a message and the trusted block that stood above it (lib/trace);
 * message is what follows the block. The envelope gives what the block's
 * Received field does not. Everything lies in the arena or points into the
 * arguments. Never fails: what nobody found out is NONE or empty.
 */
void judge_read_facts(struct arena *a, const struct trace_block *block,
    const struct trace_envelope *e, struct bytes message,
    struct judge_facts *out);

/* ---- the recipient ---- */

/* What rules and configuration say of this recipient and this message. */
struct judge_rule {
	struct bytes address;	/* of RCPT TO, domain in A-labels; empty:
				   nobody knows it */
	struct bytes canonical;	/* folded and cut: subjectpass goes by it */
	struct bytes mailbox;	/* by rule or destination; empty: "Inbox" */
	struct bytes name;	/* of the rule that matches; empty: none */
	/* What it says; empty: nothing. */
	struct bytes list_domain;	/* ListAllowDomain */
	struct bytes verified_domain;	/* with is_forward: the forwarder's */
	bool is_forward;
	struct bytes accept_rejects_to;
	struct bytes auth_required;	/* MessageAuthRequiredSMTPError */
	/* A rule refuses with this (B-20); code 0: none does. */
	int reply_code;
	struct bytes reply_status, reply_text;
	bool takes_reports;		/* step 7, 8: ask->report is asked */
};

/* Of the account. */
struct judge_settings {
	struct bytes introbox;		/* empty: it has none */
	int64_t subjectpass_seconds;	/* how long a token is good; 0: off */
	bool junk;			/* content is judged */
	double threshold;
	bool first_time_delay;
};

/* ---- questions, asked late ---- */

enum judge_junk { JUDGE_UNKNOWN, JUDGE_HAM, JUDGE_JUNK };

struct judge_reputation {
	enum judge_junk junk;
	bool conclusive;
	const char *method;	/* "msgfromfull" ... "none": constant text */
	struct bytes text;	/* for the reason; may be empty */
};
struct judge_content {
	double probability;
	bool significant;	/* enough wanted mail was learnt */
	struct bytes text;	/* words with their scores */
};
struct judge_listing {
	struct bytes zone;
	struct bytes text;	/* why, as the zone says; may be empty */
};
/* Secret of an address for its tokens. */
#define JUDGE_KEY_BYTES 32

/*
 * 0, or 1 and 0 for yes and no, and -1 with errno: it cannot be said now. Each
 * is called once at most. Texts lie in the arena of judge_decide, or longer.
 */
struct judge_ask {
	void *ctx;
	/* Step 1: does it exceed the rates of its addresses? *text says
	 * which. 1, 0, -1. */
	int (*rates)(void *ctx, struct bytes *text);
	/* Steps 7, 8: 1 it is a report, taken; 0 it is none, *text why. NULL:
	 * reports are not taken. */
	int (*report)(void *ctx, struct bytes *text);
	/* Step 10, over the history of the mailbox. 0, -1. */
	int (*reputation)(void *ctx, struct bytes mailbox,
	    const struct judge_sender *s, struct judge_reputation *out);
	/* Step 16. 0, -1. */
	int (*key)(void *ctx, unsigned char key[JUDGE_KEY_BYTES]);
	/* Step 17. 0, -1. */
	int (*content)(void *ctx, struct judge_content *out);
	/* Step 18; NULL: no lists. 1 listed, 0. A list that does not answer
	 * lists nothing. */
	int (*listed)(void *ctx, struct judge_listing *out);
};

/* ---- the decision ---- */

/* Texts of a reason; each step adds two at most. */
#define JUDGE_TEXTS_MAX 32

struct judge_result {
	bool accept;
	/* Else, for the reply; text is one line. */
	int code;
	struct bytes status, text;

	const char *reason;	/* keyword: doc/judging.md lists them */
	struct bytes texts[JUDGE_TEXTS_MAX];	/* more about it, for people */
	size_t ntexts;

	/* accept: where it goes. */
	struct bytes mailbox;
	/* Where it would have gone, had it not been refused or were its sender
	 * known; empty: nowhere else. */
	struct bytes destined;
	bool is_reject;		/* accepted all the same: Seen */
	bool is_forward, is_list;
	bool is_report;		/* Seen, no delay */
	const char *override;	/* DMARC was not followed, as
				   trace_block_override wants it; or NULL */
	struct bytes report_error;	/* for a field; empty: none */
	bool to_rejects;	/* refused: a copy belongs into Rejects */
	bool slow;		/* refused: the client is slowed down */
	bool first_time;	/* accepted after a delay */
	const char *method;	/* of reputation; NULL: it was not asked */
	struct judge_sender sender;	/* as history is to remember it */
	bool sender_blanked;	/* it is not what facts say: a forwarder's
				   marks were taken out */
};

/* Decide. Never fails: what cannot be found out is a temporary refusal. */
void judge_decide(struct arena *a, const struct judge_facts *f,
    const struct judge_rule *rule, const struct judge_settings *s,
    const struct judge_ask *ask, struct judge_result *out);

/*
 * Append the field "Pipemail-Reason: keyword; text; ...", folded, with its
 * LF; control bytes and what is not UTF-8 become "?". Texts past
 * JUDGE_FIELD_MAX are left out. 0, -1 EMSGSIZE.
 */
#define JUDGE_FIELD_MAX 4096
int judge_format_reason(struct buf *out, const struct judge_result *r);
/*
 * Append the line judge -q prints, without LF: pass, fail or temperror,
 * reason, mailbox, reply code and status, destined mailbox, texts; tab
 * separated, "-" for what is empty. 0, -1 EMSGSIZE.
 */
int judge_format_line(struct buf *out, const struct judge_result *r);

/* ---- subjectpass: a word for the subject that lets a message in ---- */

/* "(pass:" and 22 characters, ")". */
#define JUDGE_TOKEN_SIZE 30
/* Time is told in steps of so many seconds. */
#define JUDGE_TOKEN_STEP 256
/* The key of an address, out of the secret of its account. */
void judge_token_key(const unsigned char secret[JUDGE_KEY_BYTES],
    struct bytes address, unsigned char key[JUDGE_KEY_BYTES]);
/* The token for From at a time: HMAC-SHA-256 (RFC 2104) by the key, with
 * NUL. */
void judge_token_make(const unsigned char key[JUDGE_KEY_BYTES],
    struct bytes from_address, int64_t now, char out[JUDGE_TOKEN_SIZE]);
/* Tokens of a subject that are tried: who got a second one may leave the first,
 * which is too old, where it is. */
#define JUDGE_TOKENS_MAX 8
/*
 * Does the subject have a token for From that is at most max_age seconds old?
 * *why is constant text: "" or what is wrong with the last one that was tried;
 * "no token".
 */
bool judge_token_check(const unsigned char key[JUDGE_KEY_BYTES],
    struct bytes from_address, struct bytes subject, int64_t now,
    int64_t max_age, const char **why);

#endif
