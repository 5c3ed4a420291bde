/*
 * search.h - the tree of a SEARCH, between its parser and its evaluation
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
	KEY_EMAILID,
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

/* RETURN options (RFC 4731, 5182, 9394). */
struct search_return {
	bool given;		/* answer ESEARCH */
	bool min, max, all, count, save, partial;
	struct window window;	/* of PARTIAL */
};

struct search_args {
	struct search_return ret;
	struct search_key *root;	/* AND of all keys */
	bool modseq;			/* MODSEQ is among them */
	bool bad_charset;		/* not supported: NO */
};

/* Messages of the view, ascending. */
struct search_result {
	uint32_t *index;
	uint64_t *modseq;
	size_t n;
};

/* Parse to the end of the command. False with p->why or bad_charset. */
bool parse_search(struct parser *p, struct search_args *out);
/* "(MIN COUNT)" */
bool parse_search_return(struct parser *p, struct search_return *out);

/* search.c: the result, in the command's arena. 0, -1. */
int search_run(struct imap *im, struct search_key *root,
    struct search_result *out);
/* searchreply.c: the untagged response, and "$". */
void search_answer(struct imap *im, const struct search_args *args,
    const struct search_result *found);

/* searchtext.c: does the key's text occur there? */
bool text_matches(struct arena *a, const struct search_key *k,
    struct bytes text);
/* One field of the message, through the cached ENVELOPE if it is there. 1,
 * 0, -1 no file. */
int header_matches(struct imap *im, struct message *m, struct arena *a,
    const struct search_key *k);
/* Days since 1970 of the Date field as its sender saw it; 1, 0 none, -1. */
int sent_day(struct imap *im, struct message *m, struct arena *a,
    int64_t *day);
/* Whether the filters of the store let the message's file be passed by. */
bool text_ruled_out(struct store_view *v, const struct message *m,
    const struct search_key *k);
int body_matches(struct imap *im, struct message *m, struct arena *a,
    const struct search_key *k);

#endif
