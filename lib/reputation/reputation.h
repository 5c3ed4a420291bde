/*
 * reputation.h - is a sender wanted, by what became of earlier mail? (J-2)
 *
 * The steps a to g of doc/judging.md, over the messages of one destination
 * mailbox that carry $Junk or $NotJunk: the first step that finds any message
 * answers. The decision is pure; what it asks for comes through a struct of
 * functions, one of which is the index (reputation_of_store).
 */
#ifndef REPUTATION_H
#define REPUTATION_H

#include "base/base.h"
#include "origin/origin.h"

/* ---- what is asked for ---- */

/* By what earlier messages are looked up. Where it says so, only those for
 * which it was validated then are meant. */
enum reputation_key {
	REPUTATION_FROM,		/* local part and domain */
	REPUTATION_FROM_DOMAIN,
	REPUTATION_FROM_ORG,		/* organisational domain */
	REPUTATION_DKIM,		/* one passing domain */
	REPUTATION_MAIL_FROM,		/* validated */
	REPUTATION_MAIL_FROM_DOMAIN,	/* validated */
	REPUTATION_HELO,		/* validated */
	REPUTATION_IP1,			/* masked address */
	REPUTATION_IP2,
	REPUTATION_IP3,
};

struct reputation_query {
	enum reputation_key key;
	struct bytes local_part;	/* FROM and MAIL_FROM only */
	struct bytes domain;		/* but for addresses */
	struct ip ip;			/* masked */
	bool validated;		/* of the three FROM keys: only messages whose
				   From was, or (false) was not, validated */
	int64_t since;		/* received at that time or later */
	size_t max;		/* so many at most, the newest */
};

/* A message of the past. */
struct reputation_message {
	uint32_t mailbox, uid;	/* where it is now */
	int64_t date;		/* of reception */
	bool junk;
	uint64_t local_part;	/* a number for the local part of its From */
};

struct reputation_source {
	void *ctx;
	/*
	 * Messages that came to the destination mailbox first, are still there
	 * or elsewhere, and carry one of $Junk and $NotJunk; newest first. The
	 * number of them (at most q->max) into out, or -1.
	 */
	int (*history)(void *ctx, const struct reputation_query *q,
	    struct reputation_message *out);
	/* When mail was last sent to the address; 1, 0 never, -1. */
	int (*sent_to)(void *ctx, struct bytes local_part,
	    struct bytes domain, int64_t *last);
	/* The same to any address of exactly that domain, or, with org, of
	 * any domain with that organisational domain. */
	int (*sent_to_domain)(void *ctx, struct bytes domain, bool org,
	    int64_t *last);
};

/* ---- the answer ---- */

/* Which step answered, in their order. */
enum reputation_method {
	REPUTATION_BY_MSGFROMFULL,	/* a, b */
	REPUTATION_BY_MSGTOFULL,	/* c */
	REPUTATION_BY_MSGFROMDOMAIN,	/* d, the From domain */
	REPUTATION_BY_MSGTO_DOMAIN,
	REPUTATION_BY_MSGFROMORGDOMAIN,	/* d, the organisational domain */
	REPUTATION_BY_MSGTO_ORGDOMAIN,
	REPUTATION_BY_DKIMSPF,		/* e */
	REPUTATION_BY_IP1,		/* f */
	REPUTATION_BY_IP2,
	REPUTATION_BY_IP3,
	REPUTATION_BY_NONE,		/* g */
};
/* "msgfromfull", "ip1", "none": the reasons of a decision. */
const char *reputation_method_name(enum reputation_method m);
/* dkimspf, ip1, ip2, ip3, none: other signs of junk are looked at, too. */
bool reputation_is_weak(enum reputation_method m);

enum reputation_junk { REPUTATION_UNKNOWN, REPUTATION_HAM, REPUTATION_JUNK };
/* "unknown", "ham", "junk". */
const char *reputation_junk_name(enum reputation_junk j);

/* Messages of all lists that one answer rests on: 20 signatures and SPF. */
#define REPUTATION_LIST_MAX 50
#define REPUTATION_MESSAGES_MAX ((ORIGIN_DKIM_MAX + 1) * REPUTATION_LIST_MAX)

struct reputation {
	enum reputation_junk junk;
	bool conclusive;
	enum reputation_method method;
	char step;		/* 'a' to 'g' of doc/judging.md */
	struct bytes why;	/* one sentence, in the arena: names of
				   strangers in it are domains, addresses */
	struct reputation_message *messages;	/* in the arena: what it rests
						   on, list by list */
	size_t nmessages;
	int64_t sent;		/* steps that ask whom was sent to: when */
};

/*
 * now is in seconds since 1970. 0, or -1 with errno: a source failed, the
 * message is to be deferred. Asks for nothing after the step that answers.
 */
int reputation_judge(struct arena *a, const struct reputation_source *source,
    const struct origin *o, int64_t now, struct reputation *out);

/* ---- rates (R-29) ---- */

/* Messages stored in an account from an address under its masks, in the
 * minute and the 24 hours before now; those expunged since do not count. */
enum { REPUTATION_MINUTE, REPUTATION_DAY, REPUTATION_WINDOWS };
struct reputation_rates {
	uint64_t count[REPUTATION_WINDOWS][ORIGIN_MASKS];
	uint64_t bytes[REPUTATION_WINDOWS][ORIGIN_MASKS];
};
/*
 * Whether a message of size bytes is one too many: NULL, or constant text that
 * names the limit ("500 messages a minute from one address"): 452 4.2.2.
 */
const char *reputation_rates_check(const struct reputation_rates *r,
    uint64_t size);

/* ---- the index as source ---- */

struct store_view;
/*
 * A source over a view, which must outlive it, for the mailbox of that id; 0:
 * there is none of that name (yet), so nobody has history. The struct is the
 * caller's.
 */
struct reputation_store {
	struct store_view *view;
	uint32_t mailbox;
	struct arena *arena;	/* scratch */
};
struct reputation_source reputation_of_store(struct reputation_store *s);
/* The rates of an address in the account of a view; nothing for family 0. */
int reputation_rates_of_store(struct store_view *v, const struct ip *ip,
    int64_t now, struct reputation_rates *out);

#endif
