/*
 * url.h - IMAP URLs of messages (RFC 5092), for the files of the IMAP module
 */
#ifndef IMAP_URL_H
#define IMAP_URL_H

#include "imap/internal.h"

struct imap_url {
	struct bytes user, host;	/* empty: relative to this server */
	struct bytes mailbox;		/* UTF-8 */
	uint32_t uidvalidity;		/* 0: any */
	uint32_t uid;
	struct bytes section;		/* may be empty */
	bool partial;
	uint64_t offset, length;	/* UINT64_MAX: to the end */
	int64_t expire;			/* seconds; INT64_MAX: never */
	struct bytes access;		/* "user+joe"; empty: no URLAUTH */
	struct bytes rump;		/* of the URL, as it is signed */
	struct bytes mechanism, token;
};
/* 0, -1 EBADMSG. */
int url_parse(struct arena *a, struct bytes s, struct imap_url *out);
/* The mailbox it is about. 1, 0 there is none such, -1. */
int url_mailbox(struct imap *im, const struct imap_url *u,
    struct store_mailbox *out);
/* What it names: the section into *item, the message into *m, neither looked
 * at yet. 1, 0 there is none such, -1. */
int url_item(struct imap *im, const struct imap_url *u, struct message *m,
    struct fetch_item *item);
/* That, ready to be streamed; m holds the file. 1, 0 nothing, -1. */
int url_stream(struct imap *im, struct message *m,
    const struct fetch_item *item, struct stream *out);
/* What answers a URL. */
struct url_found {
	struct bytes structure;		/* in the arena */
	enum imap_answer_data data;
	struct stream stream;
};
/* urlfetch.c: what was asked for of an authorized URL; im->message holds the
 * file. 1, 0 there is nothing, -1. */
int url_find(struct imap *im, const struct imap_url *u,
    const struct url_wanted *w, struct url_found *out);
/* Go on with URLFETCH; forget what is left of it. */
void url_fetch_step(struct imap *im);
void url_fetch_drop(struct imap *im);
/* Both of url_item and url_stream. */
int url_text(struct imap *im, const struct imap_url *u, struct message *m,
    struct stream *out);
/* urlauth.c: whether the URL names that account as its user. */
bool url_is_of(struct imap *im, struct bytes user, const char *account);
/* Whether it may be valid, for the account who: all that can be said without
 * the mailbox it is about. */
bool url_in_force(struct imap *im, const struct imap_url *u,
    const char *who);
/* It is, by the key of its mailbox in this store. 1, 0, -1. */
int url_authorized(struct imap *im, const struct imap_url *u,
    const char *who);

#endif
