/*
 * store.h - an account: its Maildir++ tree, index, changes and listeners
 *
 * The Maildir is the truth, the index (one LMDB environment per account) an
 * accelerator: whatever the two disagree about is mended from the Maildir.
 * Every change is one write transaction, so counts, quota, modseq and change
 * feed always agree. doc/store.md has the states on disk and the locks;
 * pipemail-store(5) the names and record layouts.
 *
 * Open after fork, never across it. One struct store serves one process; a
 * view (read transaction) may be open while a writing function is called.
 * Writing functions return after the change is durable, and have woken the
 * listeners. Mailbox names are UTF-8, NFC, with "/" between levels; "INBOX"
 * in any case is the inbox. All sizes are bytes, all dates seconds since 1970.
 *
 * The index is mapped with 16 GiB of address space (STORE_MAP_BYTES): a
 * process with RLIMIT_AS needs that much more.
 *
 * errno: ENOENT no such account, mailbox or message; EEXIST; EINVAL a name or
 * argument no mailbox can have; EDQUOT over quota; ENOTEMPTY has children;
 * EPERM not for the inbox; EOVERFLOW no UID, keyword or mailbox id left;
 * EPROTONOSUPPORT a newer format; ESTALE store_stale. Others: the kernel's.
 */
#ifndef STORE_H
#define STORE_H

#include "base/base.h"
#include "gram/gram.h"
#include "store/desk.h"
#include "store/training.h"

#define STORE_FORMAT 5
#define STORE_PARSE_VERSION 2	/* of what is read out of messages */
#define STORE_MAP_BYTES ((size_t)16 << 30)
#define STORE_ACCOUNT_MAX 64	/* bytes of an account name */
#define STORE_NAME_MAX 240	/* bytes of a mailbox name as a folder name */
#define STORE_KEYWORDS_MAX 256	/* different keywords in a mailbox */
#define STORE_KEYWORD_MAX 100	/* bytes of one keyword */
#define STORE_MAILBOXES_MAX 131072	/* in an account: 100,000 and room */
#define STORE_TEXT_MAX ((size_t)8 << 20)	/* text of a message that is
					searched, bytes of UTF-8 */
/* Message files up to this are read, larger ones mapped: reading a small one
 * is faster, and only of a map can another program take bytes away. */
#define STORE_READ_MAX (1 << 20)
/* RFC 5464, feature row S-23: annotations of an account and its mailboxes, and
 * the bytes of their names and values together. */
#define STORE_ANNOTATIONS_MAX 1000
#define STORE_ANNOTATION_BYTES_MAX ((size_t)1024 * 1024)
#define STORE_ANNOTATION_NAME_MAX 400	/* bytes; part of a key of the index */
#define STORE_LETTERS 26	/* keywords with a letter in file names */

/* Flags of a message. Those from STORE_JUNK on are keywords to IMAP and
 * letters of dovecot-keywords in the Maildir. */
enum {
	STORE_SEEN = 1 << 0,		/* S \Seen */
	STORE_ANSWERED = 1 << 1,	/* R \Answered */
	STORE_FLAGGED = 1 << 2,		/* F \Flagged */
	STORE_DELETED = 1 << 3,		/* T \Deleted */
	STORE_DRAFT = 1 << 4,		/* D \Draft */
	STORE_FORWARDED = 1 << 5,	/* P $Forwarded */
	STORE_JUNK = 1 << 6,		/* $Junk */
	STORE_NOTJUNK = 1 << 7,		/* $NotJunk */
	STORE_PHISHING = 1 << 8,	/* $Phishing */
	STORE_MDNSENT = 1 << 9,		/* $MDNSent */
	STORE_FLAGS_ALL = (1 << 10) - 1,
};

/*
 * The IMAP name of a single flag ("\\Seen", "$Junk"), or NULL; and back, in
 * any case: the flag, or 0 when it is another keyword. "$Forwarded" and
 * "Forwarded", "NonJunk" and the like are taken for their flag.
 */
const char *store_flag_name(uint32_t flag);
uint32_t store_flag_find(struct bytes name);
/* Flags as Maildir letters "DFPRST" (those that have one). */
#define STORE_FLAG_LETTERS_MAX 7	/* with NUL */
void store_flag_letters(uint32_t flags, char out[STORE_FLAG_LETTERS_MAX]);

/* Special uses (RFC 6154). */
enum {
	STORE_USE_SENT = 1 << 0,
	STORE_USE_ARCHIVE = 1 << 1,
	STORE_USE_TRASH = 1 << 2,
	STORE_USE_DRAFTS = 1 << 3,
	STORE_USE_JUNK = 1 << 4,
	STORE_USE_ALL = (1 << 5) - 1,
};
/* "\\Sent" for a single use, or NULL; and back in any case, or 0. */
const char *store_use_name(uint32_t use);
uint32_t store_use_find(struct bytes name);

/* ---- opening ---- */

/* A mailbox made when the account is created (use 0: a regular one). */
struct store_initial {
	const char *name;
	uint32_t use;
};
/* Sent Archive Trash Drafts Junk, by those names: STORE_INITIALS of them. */
#define STORE_INITIALS 5
extern const struct store_initial STORE_INITIAL_DEFAULT[STORE_INITIALS];

/* What the store found or mended without being asked, for logs. */
struct store_report {
	const char *event;	/* "adopted", "missing", "foreign", ... */
	const char *folder;	/* "", ".Sent"; may be "" for the account */
	const char *name;	/* file name or other detail, may be "" */
	uint32_t uid;		/* 0: none */
};

struct store_options {
	const char *account;	/* [a-z0-9][a-z0-9._-]{0,63}, no ".." */
	const char *dir;	/* account directory; NULL: var/accounts/NAME */
	const char *run;	/* NULL: dir_run() */
	const char *host;	/* in file names; NULL: the system's */
	const char *hostname;	/* whose trusted block counts; NULL: none */
	uint64_t quota_bytes;	/* 0: no limit */
	bool no_text;		/* keep nothing for searches of texts */
	/* $Junk and $NotJunk by the name of the mailbox that mail comes into,
	 * other than from other programs; the use \Junk sets $Junk anyway. */
	bool junk_flags;
	struct store_junk junk;	/* store/training.h */
	bool create;		/* make the account when it is not there */
	/* Mailboxes made with the account; NULL: STORE_INITIAL_DEFAULT. */
	const struct store_initial *initial;
	size_t initials;
	/* Called for each thing mended or tolerated; may be NULL. The strings
	 * hold until it returns and may contain any byte but NUL. */
	void (*report)(void *ctx, const struct store_report *r);
	/* Called before a lock is waited for that another process may hold,
	 * and after it, errno kept; may be NULL. The process may end while it
	 * waits: nothing is begun, save that what it put on a desk others may
	 * deliver. */
	void (*wait)(void *ctx, const char *account, bool waiting);
	void *ctx;
	struct store_desk *desk;	/* desk.h; NULL: none */
};

struct store;

/* Whether a C string can be an account name. */
bool store_account_valid(const char *name);
/*
 * Open an account. A missing index is built from the Maildir, a damaged one
 * is moved aside (index.broken-TIME) and rebuilt, an older format upgraded;
 * after an unclean boot everything is compared with the Maildir and uidnext
 * and modseq jump ahead. NULL: ENOENT no account and !create, EINVAL bad
 * account name, EPROTONOSUPPORT newer format (reported as "newer-format").
 */
struct store *store_open(const struct store_options *o);
void store_close(struct store *s);
const char *store_account(const struct store *s);
/* Whether the index, the Maildir or the account's folder was deleted or
 * replaced: nothing is written then (ESTALE), what is read is what was. Open
 * the account again. */
bool store_stale(const struct store *s);
/* Whether nothing speaks against the index: no process ended by a fault while
 * it read it, and no record of it could not be read. Else whoever opens the
 * account checks and mends it; who keeps it open does so anew. */
bool store_trusted(const struct store *s);

/* ---- reading: a view is one consistent snapshot ---- */

struct store_view;
/*
 * Close it soon, and never wait for the network with one open: pages freed
 * meanwhile cannot be used again. All struct bytes read through a view point
 * into it and end with it. NULL with errno.
 */
struct store_view *store_view_open(struct store *s);
void store_view_close(struct store_view *v);	/* NULL: nothing */
/* The modseq of the last change in the account. */
uint64_t store_view_modseq(const struct store_view *v);
/* Bytes of all messages, and the limit (0: none). */
void store_view_quota(const struct store_view *v, uint64_t *used,
    uint64_t *limit);

struct store_mailbox {
	uint32_t id;		/* never used twice in an account */
	struct bytes name;	/* "INBOX", "Work/Sales" */
	uint32_t uidvalidity, uidnext;
	uint64_t createseq;
	uint64_t modseq;	/* HIGHESTMODSEQ */
	uint32_t total, unseen, unread, deleted;	/* unread: neither
						Seen nor Deleted */
	uint64_t size_bytes;	/* sum of size_crlf */
	uint32_t use;		/* special uses */
	bool subscribed;
	uint32_t recent_from;	/* messages from this UID on were seen by no
				session yet: store_recent_take */
};
/* 1 found, 0 no such mailbox, -1. */
int store_mailbox_find(struct store_view *v, struct bytes name,
    struct store_mailbox *out);
int store_mailbox_get(struct store_view *v, uint32_t id,
    struct store_mailbox *out);
/* The first mailbox with this special use. */
int store_mailbox_use(struct store_view *v, uint32_t use,
    struct store_mailbox *out);
/* All by name, in byte order. *at starts as BYTES_EMPTY; 1, 0 end, -1. */
int store_mailbox_next(struct store_view *v, struct bytes *at,
    struct store_mailbox *out);
/* Names in the subscriptions file, also of mailboxes that are not there (RFC
 * 9051 6.3.7), appended to out with a NUL after each. */
#define STORE_SUBSCRIPTIONS_MAX ((size_t)64 << 20)	/* bytes of all */
int store_subscriptions(struct store *s, struct buf *out);

/*
 * Annotations of a mailbox (0: of the account) by name, in byte order. *at
 * starts as BYTES_EMPTY, or as a name: then from the first one after it on.
 * 1, 0 end, -1.
 */
struct store_annotation {
	uint32_t mailbox;
	struct bytes name;	/* "/shared/comment", lower case */
	struct bytes value;	/* any bytes */
	uint64_t modseq;
};
int store_annotation_next(struct store_view *v, uint32_t mailbox,
    struct bytes *at, struct store_annotation *out);
/* One by name, in any case; 1, 0 not there, -1. */
int store_annotation_get(struct store_view *v, uint32_t mailbox,
    struct bytes name, struct store_annotation *out);

/* Keywords of a message: bit i is the mailbox's keyword i. */
struct store_keywords {
	uint64_t bits[STORE_KEYWORDS_MAX / 64];
};
static inline bool
store_keyword_has(const struct store_keywords *k, unsigned int i)
{
	return i < STORE_KEYWORDS_MAX &&
	    ((k->bits[i / 64] >> (i % 64)) & 1) != 0;
}
/*
 * The name of keyword i of a mailbox, lower case; 1, 0 no keyword i (there
 * may be further ones: gaps are possible), -1. Names that are flags
 * (store_flag_find) take a number but never occur in store_keywords.
 */
int store_keyword_name(struct store_view *v, uint32_t mailbox, unsigned int i,
    struct bytes *name);
/* The number of a keyword in any case; 1, 0 none, -1. */
int store_keyword_find(struct store_view *v, uint32_t mailbox,
    struct bytes name, unsigned int *i);

enum store_training { STORE_UNTRAINED, STORE_TRAINED_HAM, STORE_TRAINED_SPAM };

struct store_message {
	uint32_t mailbox, uid;
	uint32_t flags;
	struct store_keywords keywords;
	uint64_t size;		/* of the file, with LF */
	uint64_t size_crlf;	/* RFC822.SIZE */
	int64_t internal_date, save_date;
	uint64_t createseq, modseq;
	enum store_training training;
	uint64_t message_id_hash;	/* 0: no Message-ID */
	struct bytes base;	/* file name up to ":" */
	struct bytes suffix;	/* ":2,S"; empty: in new/ or not yet known */
	/* Finished IMAP text without the outer parentheses. Empty when longer
	 * than 1 MiB: the reader then makes its own from the message. */
	struct bytes envelope, bodystructure;
	struct bytes preview;	/* UTF-8, at most 256 characters (RFC 8970) */
	struct bytes extension;	/* tagged fields, store_field_next */
	unsigned int parse_version;	/* STORE_PARSE_VERSION it was read by */
};
/* One message; 1, 0 not there, -1. */
int store_message_get(struct store_view *v, uint32_t mailbox, uint32_t uid,
    struct store_message *out);
/*
 * The first message with UID >= uid of a mailbox, then the next ones of the
 * same walk (one walk at a time in a view; store_message_get and the mailbox
 * functions do not disturb it). 1, 0 end, -1.
 */
int store_message_first(struct store_view *v, uint32_t mailbox, uint32_t uid,
    struct store_message *out);
int store_message_next(struct store_view *v, struct store_message *out);
/*
 * The UIDs of a mailbox without its records, STORE_UID_BLOCK in one item;
 * those without messages are left out. One walk in a view. 1, 0 end, -1.
 */
#define STORE_UID_BLOCK 4096
struct store_uids {
	uint32_t first;		/* the UID 0 of the block, a multiple */
	uint32_t count, unseen;	/* messages; those without \Seen */
	struct bytes present;	/* UID first + i: bit i % 8 of byte i / 8; all
				are there if count is STORE_UID_BLOCK */
	struct bytes not_seen;	/* as present; empty: none, all, not asked */
};
int store_uids_first(struct store_view *v, uint32_t mailbox,
    struct store_uids *out);
int store_uids_next(struct store_view *v, struct store_uids *out);
/* Whether UID first + i is there; not \Seen, after want_unseen (0, -1). */
bool store_uids_has(const struct store_uids *u, uint32_t i);
int store_uids_want_unseen(struct store_view *v, struct store_uids *u);
bool store_uids_unseen(const struct store_uids *u, uint32_t i);
/*
 * The messages with a Message-ID hash; *at starts with 0 mailbox and uid.
 * 1, 0 end, -1. Different Message-IDs may share a hash.
 */
struct store_place {
	uint32_t mailbox, uid;
};
uint64_t store_message_id_hash(struct bytes message_id);
int store_message_id_next(struct store_view *v, uint64_t hash,
    struct store_place *at);

/*
 * Whether the word of q, folded (unicode_fold), may be in the headers (of
 * parts, too) or the text parts of a message: 1, 0 it is not there, -1. By
 * filters (lib/gram) that are kept with the records, of the fields decoded one
 * by one and of the first STORE_TEXT_MAX bytes that mime_next_text gives. No
 * file is opened; 1 for a message without filters.
 */
int store_text_maybe(struct store_view *v, uint32_t mailbox, uint32_t uid,
    const struct gram_query *q, bool header, bool body);

/*
 * The message file for reading, whatever other programs renamed it to; a
 * message expunged meanwhile is still found until the sweeper took it. >= 0
 * (owned by the caller), -1 ENOENT gone. A file whose size is not that of the
 * record was written to by another program: this UID is gone then, and what
 * the file holds now has got a new one (RFC 9051 2.3.1.1: what a UID names
 * never changes). Not inside a writing function.
 */
int store_message_fd(struct store *s, uint32_t mailbox, uint32_t uid);
/* The same as bytes in memory; release them with store_unmap. -1 also ESTALE:
 * cut short while it was read. Above STORE_READ_MAX it is a mapping: if
 * another program cuts the file short, touching the rest is SIGBUS. */
int store_message_map(struct store *s, uint32_t mailbox, uint32_t uid,
    struct bytes *out);
/*
 * The same for a message of a view, where its file has the name and the size
 * of the record, which is the usual case: 1. 0: ask store_message_map, which
 * looks further.
 */
int store_message_quick(struct store_view *v, const struct store_message *m,
    struct bytes *out);
void store_unmap(struct bytes m);
/*
 * While it is held, messages of a mailbox that others expunge or move stay
 * readable by their UIDs (S-10); one mailbox at a time, 0: none any more. Hold
 * it before the view that shows the messages is opened. Costs one lock, and
 * nobody is woken by it. 0, -1.
 */
int store_hold(struct store *s, uint32_t mailbox);
/* The path of the file, relative to the account directory, into out. */
int store_message_path(struct store *s, uint32_t mailbox, uint32_t uid,
    struct buf *out);

#include "store/threads.h"
#include "store/senders.h"

#include "store/fields.h"

/* ---- writing ---- */

/* A message to be added: LF (or CRLF) bytes in pieces, written as given. */
struct store_incoming {
	const struct bytes *pieces;
	size_t count;
	uint32_t flags;
	const struct bytes *keywords;	/* names; may include flag names */
	size_t keyword_count;
	int64_t internal_date;		/* 0: now */
	struct bytes extension;		/* store_field_add; may be empty */
	const struct origin *origin;	/* who sent it; NULL: store_deliver
					reads it from the trusted block */
};
struct store_delivered {
	uint32_t mailbox, uid, uidvalidity;
	uint64_t modseq;
};
/*
 * Deliver one message: 0 means it survives power loss, once. A mailbox that
 * is not there is made (with parents, subscribed); -1: nothing was added,
 * save that after EIO a copy may turn up later. EDQUOT, EINVAL (bad mailbox
 * name), ENOSPC...; out may be NULL. At most three disk commits.
 */
int store_deliver(struct store *s, struct bytes mailbox,
    const struct store_incoming *m, struct store_delivered *out);
/*
 * Add count messages to an existing mailbox, all or none (RFC 3502). The
 * UIDs ascend and go to uids[count] when it is not NULL.
 */
int store_append(struct store *s, uint32_t mailbox,
    const struct store_incoming *m, size_t count, uint32_t *uids);

enum store_how { STORE_REPLACE, STORE_ADD, STORE_REMOVE };
struct store_flag_change {
	enum store_how how;
	uint32_t flags;
	const struct bytes *keywords;	/* names; may include flag names */
	size_t keyword_count;
	/* Leave messages with a greater modseq alone (RFC 7162 3.1.3);
	 * UINT64_MAX: no condition. */
	uint64_t unchanged_since;
};
/*
 * Up to so many messages of one change have their file names changed before
 * it is done: what scripts and other programs do by hand. Of more, only the
 * index holds the change at first, durably; the names follow by store_names.
 */
#define STORE_NAMES_NOW 64
/*
 * Change flags of messages by ascending UID; those not there are passed
 * over. *modseq (may be NULL) gets the modseq given to the changed ones, 0
 * if nothing changed. failed (may be NULL) gets the UIDs refused by
 * unchanged_since, be32 each. EOVERFLOW: too many keywords in the mailbox;
 * EINVAL: not a keyword (RFC 9051 atom).
 */
int store_flags(struct store *s, uint32_t mailbox, const uint32_t *uids,
    size_t count, const struct store_flag_change *c, uint64_t *modseq,
    struct buf *failed);
/*
 * Give a piece of the files whose flags were changed the names that say so:
 * some milliseconds. To be called whenever there is nothing better to do;
 * store_open does one piece of what others left, store_close all of what this
 * process left. 1 there is more, 0 done, -1. After a failure there is nothing
 * behind until the next change: flags are right in the index all the time.
 */
#define STORE_NAMES_PAUSE_US 2000	/* to be left between two pieces: the
					lock goes to who gets it first */
int store_names(struct store *s);
bool store_names_behind(const struct store *s);
/*
 * Remove messages: those of uids (ascending) that carry \Deleted, or, with
 * any, whatever their flags. uids NULL: all of the mailbox. *modseq as above;
 * store_change_first tells which they were.
 */
int store_expunge(struct store *s, uint32_t mailbox, const uint32_t *uids,
    size_t count, bool any, uint64_t *modseq);
/*
 * Copy (link) or move (rename) messages by ascending UID to another mailbox,
 * all or none of those there. new_uids[count] gets the UID of each copy, 0
 * for a message not there; it must not overlap uids. Flags, keywords and
 * dates go along. Copying into the same mailbox is allowed; moving gives new
 * UIDs there.
 */
int store_copy(struct store *s, uint32_t from, const uint32_t *uids,
    size_t count, uint32_t to, bool move, uint32_t *new_uids);

/*
 * A mailbox name as users give it, checked (S-11) and put in order: NFC, the
 * inbox as "INBOX", also as first element; the copy lives in the arena. -1
 * EINVAL, *why (may be NULL) names the rule.
 */
int store_name_check(struct arena *a, struct bytes name, struct bytes *out,
    const char **why);
/* Parents are made too. EEXIST. New mailboxes are subscribed. */
int store_mailbox_create(struct store *s, struct bytes name, uint32_t use,
    uint32_t *id);
/* The same, without subscribing to anything. */
int store_mailbox_create_only(struct store *s, struct bytes name,
    uint32_t use, uint32_t *id);
/* ENOTEMPTY: it has children; EPERM: INBOX. Its messages are expunged. */
int store_mailbox_delete(struct store *s, struct bytes name);
/*
 * Children move along. INBOX: its messages move to a new mailbox, INBOX and
 * its children stay (I-14). EEXIST; EINVAL: into itself.
 */
int store_mailbox_rename(struct store *s, struct bytes from,
    struct bytes to);
/* Any valid name; the mailbox need not exist. */
int store_mailbox_subscribe(struct store *s, struct bytes name, bool on);
/* Replace its special uses; a use is taken off other mailboxes. */
int store_mailbox_set_use(struct store *s, struct bytes name, uint32_t use);

/*
 * Messages of a mailbox that no session was told of are recent (RFC 3501
 * 2.3.2). Take those there are: they are recent to no other caller from now
 * on. *from gets the first UID that was, *to the one after the last. One small
 * commit when there are any, else none. 0, -1 ENOENT.
 */
int store_recent_take(struct store *s, uint32_t mailbox, uint32_t *from,
    uint32_t *to);

/*
 * A name of an annotation (RFC 5464 3.2): "/private/..." or "/shared/...",
 * ASCII, no "*" or "%", no empty element. NULL, or the rule it breaks.
 */
const char *store_annotation_name_check(struct bytes name);
struct store_annotation_change {
	struct bytes name;	/* in any case */
	struct bytes value;
	bool remove;		/* value is not looked at */
};
/*
 * Change annotations of a mailbox (0: of the account), all or none. They stay
 * with a mailbox that is renamed and are removed with it. EINVAL: a name;
 * ENOENT: no such mailbox; EOVERFLOW: over STORE_ANNOTATIONS_MAX; EMSGSIZE:
 * over STORE_ANNOTATION_BYTES_MAX. *modseq (may be NULL) as store_flags.
 */
int store_annotate(struct store *s, uint32_t mailbox,
    const struct store_annotation_change *c, size_t count, uint64_t *modseq);

/*
 * The key that signs URLs of a mailbox's messages (RFC 4467), random bits of
 * the kernel; with make it is made when there is none. It is none of the
 * backup's business and ends with the index. 1, 0 there is none, -1 (ENOENT
 * no such mailbox). drop: what it signed is void; mailbox 0: all of them.
 */
#define STORE_KEY_BYTES 32
int store_mailbox_key(struct store *s, uint32_t mailbox, bool make,
    unsigned char key[STORE_KEY_BYTES]);
int store_mailbox_key_drop(struct store *s, uint32_t mailbox);

/*
 * Look for changes other programs made to a mailbox (0: to the list of
 * mailboxes and all of them): four stat(2) when there are none. A mailbox
 * whose folder was moved or removed has the list looked at. With claim files
 * are moved from new/ to cur/, as a mail reader does. 1 something
 * changed (see the change feed), 0 nothing, -1.
 */
int store_sync(struct store *s, uint32_t mailbox, bool claim);
/* The list of mailboxes and subscriptions alone. 1 it changed, 0, -1. */
int store_sync_list(struct store *s);

/* ---- changes and waking ---- */

enum store_change_kind {
	STORE_CHANGE_ADDED = 1,		/* messages uid_first..uid_last */
	STORE_CHANGE_FLAGS,		/* flags or keywords of them */
	STORE_CHANGE_EXPUNGED,		/* they are gone */
	STORE_CHANGE_MAILBOX_ADDED,	/* name */
	STORE_CHANGE_MAILBOX_REMOVED,	/* name */
	STORE_CHANGE_MAILBOX_RENAMED,	/* name is the new one, old_name */
	STORE_CHANGE_MAILBOX_USE,	/* special use changed */
	STORE_CHANGE_SUBSCRIBED,	/* name */
	STORE_CHANGE_UNSUBSCRIBED,	/* name */
	STORE_CHANGE_KEYWORDS,		/* a keyword was added to the mailbox */
	STORE_CHANGE_ANNOTATION,	/* name is its name; mailbox 0: of the
					account */
};
struct store_change {
	uint64_t modseq;
	enum store_change_kind kind;
	uint32_t mailbox;
	uint32_t uid_first, uid_last;	/* all UIDs between, both included */
	struct bytes name, old_name;
};
/*
 * Changes with a modseq greater than since, in order; then the next one of
 * the same walk (one at a time in a view). A UID may appear that was expunged
 * since. 1, 0 end, -1. Expunges are kept forever; other kinds may have been
 * dropped below store_change_floor.
 */
int store_change_first(struct store_view *v, uint64_t since,
    struct store_change *out);
int store_change_next(struct store_view *v, struct store_change *out);
/* Below this modseq only expunges are complete. */
uint64_t store_change_floor(const struct store_view *v);
/*
 * Whether the changes with a modseq were made through this store, by no other
 * process, and are none of another program that store_sync found. It remembers
 * its last STORE_OWN_MAX writes: who asks after each command misses none.
 */
#define STORE_OWN_MAX 64
bool store_change_own(const struct store *s, uint64_t modseq);

/*
 * A descriptor that becomes readable after each change of the account by any
 * process (also our own); owned by the store, one per store. Empty it with
 * store_listen_drain before reading the changes. -1.
 */
int store_listen(struct store *s);
void store_listen_drain(struct store *s);
/*
 * The same without a store, for who waits for many accounts and reads no
 * mail: a listener of the account under a name of the caller's ([0-9a-z.],
 * not beginning with a dot; one of that name is replaced). >= 0, or -1 EINVAL
 * no account name. Closing takes the name away.
 */
int store_feed_open(const char *account, const char *name);
void store_feed_close(const char *account, const char *name, int fd);
/* Directories other programs may change, for os_watch_dir: the path of cur/
 * (which 0), new/ (which 1) or the folder (which 2) of a mailbox into out. */
int store_mailbox_dir(struct store *s, uint32_t mailbox, int which,
    struct buf *out);

#include "store/proof.h"

#endif
