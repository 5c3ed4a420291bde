/*
 * search.h - SEARCH, SORT and THREAD: keys, the machine that runs them over
 * one mailbox, and what is done with what it finds
 */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "imap/internal.h"

enum key_kind {
	KEY_ALL,
	KEY_NONE,
	KEY_RECENT,		/* turned by want, without any of flags */
	KEY_AND, KEY_OR, KEY_NOT,
	KEY_FLAG,		/* (flags & mask) == mask, turned by want */
	KEY_KEYWORD,		/* by name, turned by want */
	KEY_NUMBERS, KEY_UIDS,
	KEY_BEFORE, KEY_ON, KEY_SINCE,			/* internal date */
	KEY_SENT_BEFORE, KEY_SENT_ON, KEY_SENT_SINCE,	/* Date field */
	KEY_SAVED_BEFORE, KEY_SAVED_ON, KEY_SAVED_SINCE, /* save date */
	KEY_LARGER, KEY_SMALLER,
	KEY_OLDER, KEY_YOUNGER,	/* RFC 5032: seconds */
	KEY_MODSEQ,		/* this one or greater */
	KEY_EMAILID, KEY_THREADID,
	KEY_HEADER,		/* field and text */
	KEY_BODY, KEY_TEXT,
};

/* What a key costs per message: cheap ones are asked first. */
enum key_cost { COST_RECORD, COST_ENVELOPE, COST_HEADER, COST_BODY };

struct search_key {
	enum key_kind kind;
	enum key_cost cost;
	struct search_key *next;	/* brothers in AND, OR */
	struct search_key *children;
	uint32_t flags;
	bool want;
	struct bytes field;		/* HEADER */
	struct bytes text;		/* folded; "" is in every text */
	bool text_ascii;
	struct gram_query grams;	/* of text; not for ENVELOPE fields */
	uint64_t number;
	int64_t day;			/* since 1970 */
	struct imap_set set;
	/* KEY_KEYWORD: its number in the mailbox, when it is known there. */
	bool known;
	unsigned int keyword;
};

/* RETURN options (RFC 4731, 5182, 5267, 9394). */
struct search_return {
	bool given;		/* answer ESEARCH */
	bool min, max, all, count, save, partial;
	bool update;		/* tell of changes from now on */
	struct bytes items;	/* "(UID FLAGS)" of new ones, or empty */
	struct window window;	/* of PARTIAL */
};

struct search_args {
	struct search_return ret;
	struct search_key *root;	/* AND of all keys */
	bool modseq;			/* MODSEQ is among them */
	bool numbers;			/* message numbers are */
	bool bad_charset;		/* not supported: NO */
	struct bytes text;		/* the keys as they were given */
	struct search_filter *filters;	/* as they were (RFC 5466) */
};

/* A message that was found. */
struct search_hit {
	uint32_t uid;
	uint32_t index;		/* into the view, if there is one */
	uint64_t modseq;
};

struct search_result {
	struct search_hit *hits;
	size_t n, size;
};

/* ---- searchparse.c ---- */

/* Parse to the end of the command. False with p->why or bad_charset. */
bool parse_search(struct parser *p, struct search_args *out);
/* "(MIN COUNT)" */
bool parse_search_return(struct parser *p, struct search_return *out);
/* The keys alone, up to the end; what is parsed lives in the arena. */
bool parse_search_keys(struct parser *p, struct search_args *out);
/* A charset; false with *bad: one that is not supported. */
bool parse_search_charset(struct parser *p, bool *bad);
/* The charset is bad: whether FILTER is among the keys behind it. */
bool parse_search_filter(const struct parser *p);

/* ---- searchfilter.c (RFC 5466) ---- */

struct search_filter {
	struct search_filter *next;
	struct bytes name, value;
};
/* The value of a filter, in the parser's arena. 1, 0 there is none, -1. */
int search_filter_get(struct parser *p, struct bytes name, struct bytes *value);

/* ---- search.c: the machine ---- */

/*
 * A search in one mailbox, in steps between which no view is open. With a
 * box the messages are those a client knows, otherwise all of the mailbox.
 */
struct search {
	struct store *store;
	uint32_t mailbox;
	struct imap *im;	/* its view; NULL: none */
	struct search_key *root;
	/* Called for each message found, while it is s->message. */
	void (*hit)(struct search *s, void *ctx);
	void *ctx;
	bool filters;		/* they are asked before the record */
	bool lasting;		/* "*" stands for later messages too */
	int64_t now;		/* seconds, for OLDER and YOUNGER */
	size_t index;		/* with a box: the next message */
	uint32_t uid;		/* without: the last one that was seen */
	uint32_t ordinal;	/* and its place in the mailbox, from 1 */
	struct search_result found;	/* by ascending UID */
	bool some_gone;		/* with a box: expunged, and not told yet */
	struct store_view *view;	/* in a step */
	struct message message;
	struct arena arena;		/* for one message */
	struct buf text;		/* likewise */
};

/* After store, mailbox, im, root, hit and ctx were set. 0, -1. */
int search_begin(struct search *s);
/* With a box: look at the highest max messages only of those that the sets
 * among the keys name. True: there are more, *lowest is the lowest UID. */
bool search_limit(struct search *s, uint32_t max, uint32_t *lowest);
/* Search for about so many milliseconds. 1 there is more, 0 done, -1. */
int search_step(struct search *s, int64_t ms);
/* Whether one message of the view matches; s->view is open. 1, 0, -1. */
int search_one(struct search *s, struct walk *w, size_t index);
/* Call hit for messages found before; s->view is open. One that is gone has
 * an empty record. 0, -1. */
int search_values(struct search *s, const struct search_result *found,
    void (*hit)(struct search *s, void *ctx), void *ctx);
/* Look keywords up again; s->view is open. */
void search_keywords(struct search *s);
void search_end(struct search *s);

/* ---- envelope.c: ENVELOPE as the index keeps it ---- */

enum env_field { ENV_DATE, ENV_SUBJECT, ENV_FROM, ENV_SENDER, ENV_REPLY_TO,
	ENV_TO, ENV_CC, ENV_BCC, ENV_IN_REPLY_TO, ENV_MESSAGE_ID,
	ENV_FIELDS };
/* The field of that name; false: it is not there, or it is Date. */
bool envelope_number(struct bytes name, enum env_field *which);
/*
 * The text of one field, raw, addresses as "name <mailbox@host>, "; it is
 * in the envelope, in b or in a. False: there is no envelope, or one that
 * cannot be read so; ask the file.
 */
bool envelope_text(struct arena *a, struct buf *b, struct bytes envelope,
    enum env_field which, struct bytes *out);
/* The first address of a field: empty parts where there is none. For a group
 * the mailbox is its name and host is empty. */
struct env_address {
	struct bytes name, mailbox, host;
};
bool envelope_address(struct arena *a, struct bytes envelope,
    enum env_field which, struct env_address *out);
/* RFC 2047 decoded, without a copy where there is nothing to decode. */
struct bytes envelope_decode(struct arena *a, struct bytes text);

/* ---- searchtext.c ---- */

/* Does the key's text occur there? */
bool text_matches(struct arena *a, const struct search_key *k,
    struct bytes text);
/* One field of the message, through the cached ENVELOPE if it is there. 1,
 * 0, -1 no file. */
int header_matches(struct search *s, const struct search_key *k);
/* Days since 1970 of the Date field as its sender saw it; 1, 0 none, -1. */
int sent_day(struct search *s, int64_t *day);
/* The same in seconds, in UTC; the internal date where there is none (RFC
 * 5256 2.2). No file is opened for a message with an envelope. */
int64_t sent_seconds(struct search *s);
int body_matches(struct search *s, const struct search_key *k);

/* ---- sort.c (RFC 5256, RFC 5957) ---- */

/* Criteria of one SORT: there are nine, each may be reversed. */
#define SORT_CRITERIA_MAX 18

enum sort_key { SORT_ARRIVAL, SORT_CC, SORT_DATE, SORT_FROM, SORT_SIZE,
	SORT_SUBJECT, SORT_TO, SORT_DISPLAY_FROM, SORT_DISPLAY_TO };
struct sort_criterion {
	enum sort_key key;
	bool reverse;
};
struct sort_value {
	int64_t number;
	struct bytes text;
};
struct sort {
	struct sort_criterion by[SORT_CRITERIA_MAX];
	size_t count;
	struct arena *a;
	struct sort_value *values;	/* count for each message found */
	size_t n, size;
};
/* "(REVERSE DATE SUBJECT)" */
bool parse_sort(struct parser *p, struct sort *out);
/* struct search's hit, with the sort as ctx. */
void sort_hit(struct search *s, void *ctx);
/* Put what was found in order. */
void sort_found(struct sort *sort, struct search_result *found);
void sort_free(struct sort *sort);

/* ---- thread.c (RFC 5256; REFS) ---- */

enum thread_how { THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS };
struct thread_node;
struct thread {
	enum thread_how how;
	struct arena *a;
	struct thread_node **nodes;	/* one for each message found */
	size_t n, size;
};
bool parse_thread(struct parser *p, enum thread_how *out);
void thread_hit(struct search *s, void *ctx);
/* " (1 2)(3)" of numbers, one for each message found. */
int thread_format(struct buf *out, struct thread *t,
    const uint32_t *numbers);
void thread_free(struct thread *t);

/* ---- searchreply.c ---- */

/* The untagged response (name: SEARCH or SORT), and "$". */
void search_answer(struct imap *im, const char *name,
    const struct search_args *args, const struct search_result *found);
/* "$" from what was found. */
void search_save(struct imap *im, const struct search_return *r,
    const struct search_result *found);
/* " MODSEQ 5" if MODSEQ was among the keys. */
void add_found_modseq(struct imap *im, const struct search_args *args,
    const struct search_result *found);
/* "* ESEARCH (TAG "a") UID" */
void add_esearch_head(struct imap *im, struct bytes tag, bool uid);
/* " MIN 1 MAX 5 ..." as asked for, of numbers in their order. */
void add_returned(struct buf *out, const struct search_return *r,
    const uint32_t *numbers, size_t n);

/* ---- multisearch.c (RFC 7377) ---- */

enum multi_kind { MULTI_SELECTED, MULTI_INBOXES, MULTI_PERSONAL,
	MULTI_SUBSCRIBED,
	/* These have a name. */
	MULTI_SUBTREE, MULTI_SUBTREE_ONE, MULTI_MAILBOXES };
struct multi_source {
	struct multi_source *next;
	enum multi_kind kind;
	struct bytes name;
};
struct multi {
	struct multi_source *sources;
	bool selected_only;
	uint32_t *ids;			/* the mailboxes */
	size_t count, at;
	bool begun;
	struct store_mailbox mailbox;	/* at work */
};
/* " IN (...)" or nothing: the selected mailbox. */
bool parse_multi(struct imap *im, struct parser *p, struct multi *m);
/* Find the mailboxes; those that are not there are none. 0, -1. */
int multi_find(struct imap *im, struct multi *m);
/* Go on to the next one: 1, 0 end, -1. */
int multi_next(struct imap *im, struct multi *m);
/* "* ESEARCH (TAG "a" MAILBOX m UIDVALIDITY 5) UID" */
void multi_head(struct imap *im, struct bytes tag,
    const struct store_mailbox *m);

/* ---- context.c (RFC 5267) ---- */

/* Searches of one session whose results are kept up to date: each costs a
 * look at every change. */
#define CONTEXTS_MAX 16
struct context;
/* Whether a search with the tag of this command is kept already. */
bool context_has_tag(struct imap *im);
/* Keep a search that has ended, sorted unless sort is NULL; args is what was
 * searched for, to be parsed again. Of ESEARCH the mailbox is given, which
 * is named in what is told. If it cannot be: "* NO [NOUPDATE]". */
void context_keep(struct imap *im, const struct search_args *args,
    const struct sort *sort, const struct store_mailbox *mailbox,
    const struct search_result *found);

#endif
