/*
 * internal.h - what the files of the IMAP module share
 */
#ifndef IMAP_INTERNAL_H
#define IMAP_INTERNAL_H

#include "imap/imap.h"
#include "imap/input.h"
#include "mime/mime.h"
#include "store/store.h"

/* Output beyond this is written before more is made. */
#define OUT_SOFT 65536
/* The most one step can add: cached structures of monstrous messages. */
#define OUT_MAX (64 * 1024 * 1024)

/* ---- capability.c ---- */

/* In the order they are announced in. */
enum cap { CAP_IMAP4REV1, CAP_IMAP4REV2, CAP_LITERAL_PLUS,
	CAP_LITERAL_MINUS, CAP_SASL_IR, CAP_ID, CAP_ENABLE, CAP_IDLE,
	CAP_NAMESPACE, CAP_UIDPLUS, CAP_UNSELECT, CAP_MOVE,
	CAP_CHILDREN, CAP_SPECIAL_USE, CAP_CONDSTORE, CAP_QRESYNC,
	CAP_ESEARCH, CAP_SEARCHRES, CAP_WITHIN, CAP_PARTIAL, CAP_STATUS_SIZE,
	CAP_SAVEDATE, CAP_PREVIEW, CAP_OBJECTID,
	CAP_SORT, CAP_SORT_DISPLAY, CAP_ESORT, CAP_THREAD_REFERENCES,
	CAP_THREAD_REFS, CAP_THREAD_ORDEREDSUBJECT, CAP_CONTEXT_SEARCH,
	CAP_CONTEXT_SORT, CAP_MULTISEARCH, CAP_INPROGRESS, CAP_UIDONLY,
	CAP_LIST_EXTENDED, CAP_LIST_STATUS, CAP_LIST_METADATA,
	CAP_CREATE_SPECIAL_USE, CAP_METADATA, CAP_QUOTA, CAP_QUOTA_STORAGE,
	CAP_BINARY, CAP_UTF8_ACCEPT, CAP_MULTIAPPEND, CAP_CATENATE,
	CAP_REPLACE, CAP_URLAUTH, CAP_URLAUTH_BINARY, CAP_COMPRESS,
	CAP_UNAUTHENTICATE, CAP_NOTIFY, CAP_FILTERS, CAP_APPENDLIMIT,
	CAP_MESSAGELIMIT,
	CAPS };
/* Sets of them. */
#define CAP_BIT(cap) ((uint64_t)1 << (cap))

/* Their names with blanks between, without those of off. */
void caps_add(struct buf *out, bool after_login, uint64_t off);
/* All of this session's, with the values of APPENDLIMIT (RFC 7889) and
 * MESSAGELIMIT (RFC 9738). */
struct imap;
void session_capabilities(struct imap *im);
/* A set from names with blanks between; unknown ones and IMAP4rev1, which
 * cannot be switched off, are passed over. */
uint64_t caps_parse(const char *names);
/* All that ENABLE name turns on; 0: nothing, or the name is unknown. */
uint64_t caps_enable(struct bytes name);
/* " NAME" for each of a set. */
void caps_add_enabled(struct buf *out, uint64_t set);

/* ---- parse.c: RFC 3501 9 ---- */

/*
 * What is left to parse. Each function takes its element off the front, or
 * returns false with why set. Results are views into the input or live in
 * the arena.
 */
struct parser {
	struct bytes s;
	struct arena *a;
	const char *why;
	const char *code;		/* response code to it, or NULL */
	bool refused;			/* what is wrong is no syntax: NO */
	bool utf8_names;		/* mailbox names are not in UTF-7 */
	bool uid_only;			/* message numbers are refused */
	struct store *store;		/* of filters (RFC 5466); may be NULL */
	struct search_filter *filters;	/* those looked up */
	bool no_charset;		/* SEARCH may not name one */
};

bool parse_fail(struct parser *p, const char *why);
/* With a response code; of several failures the first one counts. */
bool parse_fail_code(struct parser *p, const char *code, const char *why);
bool parse_end(struct parser *p);
bool parse_char(struct parser *p, int c);
/* No error when it is not there. */
bool parse_optional(struct parser *p, int c);
bool parse_space(struct parser *p);
bool parse_tag(struct parser *p, struct bytes *out);
bool parse_atom(struct parser *p, struct bytes *out);
bool parse_string(struct parser *p, struct bytes *out);
bool parse_astring(struct parser *p, struct bytes *out);
/* "~{n}" and n bytes that may be NUL (RFC 3516 4.4). */
bool parse_literal8(struct parser *p, struct bytes *out);
/* NIL gives false in *there. */
bool parse_nstring(struct parser *p, struct bytes *out, bool *there);
bool parse_number(struct parser *p, uint64_t max, uint64_t *out);
bool parse_set(struct parser *p, struct imap_set *out);
/* Without "*": what a client knows. Not resolved. */
bool parse_known_set(struct parser *p, struct imap_set *out);
/* RFC 7162 7: 0 to 2^63-1. */
bool parse_modseq(struct parser *p, uint64_t *out);
/* A mailbox name as UTF-8 (modified UTF-7 decoded unless utf8_names), not
 * checked further. */
bool parse_mailbox(struct parser *p, struct bytes *out);
/* A pattern of LIST, as UTF-8. */
bool parse_pattern(struct parser *p, struct bytes *out);
/* Days since 1970. */
bool parse_date(struct parser *p, int64_t *day);
bool parse_date_time(struct parser *p, int64_t *seconds);

/* A window on an ordered result (RFC 9394): "1:100" or "-1:-100". */
struct window {
	struct bytes text;		/* as given */
	bool from_end;
	uint32_t first, last;		/* 1 is the first, or the last one */
};
bool parse_window(struct parser *p, struct window *out);
/* Of n results those from *from up to below *to. */
void window_cut(const struct window *w, size_t n, size_t *from, size_t *to);

struct flag_list {
	uint32_t flags;
	struct bytes *keywords;
	size_t keyword_count;
};
/* "(...)", or without parentheses if bare is allowed (STORE). */
bool parse_flags(struct parser *p, bool bare, struct flag_list *out);
/* The word up to a character that cannot be in an atom: may be empty. */
struct bytes parse_word(struct parser *p);

/* ---- format.c ---- */

int add_internal_date(struct buf *out, int64_t seconds);

/* ---- session ---- */

/* ENTRY_SEARCH: a context has to look at it again. ENTRY_OWN: this client
 * added it or expunged it. */
enum { ENTRY_GONE = 1, ENTRY_CHANGED = 2, ENTRY_SEEN = 4,
	ENTRY_SEARCH = 8, ENTRY_OWN = 16 };
#define OWN_MAX 8

/* UIDs as the store has them, of the messages up to covered (uids.c). */
struct box_block;
struct box_blocks {
	size_t n, size;
	size_t left;			/* not written to uids yet */
	size_t covered;
	struct box_block *at;
};

/* The selected mailbox as this client sees it. Its UIDs are read by box_uid
 * and box_find, or after box_fill. */
struct box {
	uint32_t id;			/* 0: none */
	bool read_only;
	uint32_t *uids;			/* ascending; index + 1 is the number */
	unsigned char *state;		/* ENTRY_* of each; NULL: all 0 */
	bool marked;			/* some state may not be 0 */
	struct box_blocks *blocks;	/* NULL: all uids are written */
	size_t n, size;
	size_t announced;		/* EXISTS as the client knows it */
	uint64_t modseq;		/* changes up to it are in the view */
	uint64_t highest;		/* HIGHESTMODSEQ, of the mailbox */
	uint64_t delayed;		/* modseq of the first EXPUNGE that is
					 * not told yet; 0: none */
	bool delay_told;		/* a lower HIGHESTMODSEQ was */
	uint64_t own[OWN_MAX];		/* flag changes of our own */
	size_t own_at;
	bool keywords_changed;
	struct imap_set recent;		/* UIDs that are (recent.c) */
	uint32_t *saved;		/* "$" of SEARCH (RFC 5182), UIDs */
	size_t saved_count;
	struct arena names;		/* keyword names */
	struct bytes keyword[STORE_KEYWORDS_MAX];
	struct store_keywords told;	/* those in FLAGS so far */
};

/* A message being looked at: record and file, each read when asked for. */
struct message {
	uint32_t uid;
	uint32_t mailbox;		/* 0: the selected one */
	bool has_record;
	struct store_message record;	/* ends with the view it came from */
	bool mapped;
	struct bytes file;
	struct mime_tree *tree;
	struct arena arena;
};

/* Messages of one mailbox by ascending UID, through one store view. */
struct walk {
	struct store_view *view;
	uint32_t mailbox;
	bool started, ended;
	struct store_message at;
};

enum section_what { SECTION_ALL, SECTION_HEADER, SECTION_FIELDS,
	SECTION_FIELDS_NOT, SECTION_TEXT, SECTION_MIME };

enum item_kind { ITEM_UID, ITEM_FLAGS, ITEM_INTERNALDATE, ITEM_SIZE,
	ITEM_ENVELOPE, ITEM_BODY, ITEM_BODYSTRUCTURE, ITEM_MODSEQ,
	ITEM_SAVEDATE, ITEM_PREVIEW, ITEM_EMAILID, ITEM_THREADID,
	ITEM_SECTION, ITEM_BINARY, ITEM_BINARY_SIZE };
#define ITEMS (ITEM_BINARY_SIZE + 1)

struct fetch_item {
	struct fetch_item *next;
	enum item_kind kind;
	/* ITEM_SECTION, ITEM_BINARY, ITEM_BINARY_SIZE */
	struct bytes name;		/* as answered: "BODY[1.MIME]<0>" */
	struct bytes part;		/* "1.2", may be empty */
	enum section_what what;
	struct bytes *fields;
	size_t field_count;
	bool peek;
	bool partial;
	uint64_t offset, length;
};

/* Message bytes on their way out, LF becoming CRLF. */
struct stream {
	struct bytes rest;
	uint64_t skip, left;		/* octets on the wire */
	bool after_cr;
	bool raw;			/* they are what is there */
	bool no_nul;			/* known of the whole text */
};

struct fetch {
	struct fetch_item *items;
	struct imap_set set;		/* resolved, numbers or UIDs */
	bool set_open;			/* it was given with "*" */
	bool by_uid;
	bool wants_seen;
	bool has_item[ITEMS];
	bool some_gone;
	bool unknown_cte;	/* RFC 3516 4.3 */
	/* Of the modifiers (RFC 7162 3.1.4.1, 3.2.6). */
	bool changed, vanished, partial;
	uint64_t changed_since;
	struct window window;
	/* The tagged reply at the end, or IDLE goes on. */
	void (*done)(struct imap *im);
	bool idling;
	size_t index;			/* into the view: message at work */
	size_t range;			/* of the set */
	bool inside;			/* its response is begun */
	const struct fetch_item *item;	/* next to answer */
	bool first_item;
	bool streaming;
	struct stream stream;
};

/* What an APPEND says, in its order (append.c). */
enum append_op_kind { OP_MESSAGE, OP_URL };
struct append_op {
	struct append_op *next;
	enum append_op_kind kind;
	struct flag_list flags;
	int64_t internal_date;
	bool parts;			/* it is CATENATEd */
	struct bytes url;
};

/* Where its syntax stands. */
enum append_at { AT_MESSAGE, AT_DATA, AT_UTF8, AT_UTF8_END, AT_PART, AT_URL,
	AT_PART_DATA, AT_PART_END, AT_MESSAGE_END };

struct append_message {
	struct flag_list flags;
	int64_t internal_date;
	bool parts, binary;		/* as sent: to be converted */
	uint64_t octets;		/* as sent */
	uint64_t from, to;		/* in the file */
};

struct append {
	bool replace;			/* REPLACE (RFC 8508) ... */
	uint32_t replaced;		/* ... of this UID */
	uint32_t mailbox;
	enum append_at at;
	bool binary;			/* the literal at hand is literal8 */
	bool parts;			/* in the list of a CATENATE */
	struct append_op *ops, **end;	/* not yet done */
	size_t op_count;
	struct append_message *messages;
	size_t count, size;
	int fd;				/* -1: none yet */
	int refusal;			/* nothing more is kept (append.c) */
	int error;			/* errno of some refusals */
	const char *why;		/* text of others, in the arena */
	const char *code;
	uint64_t total;			/* octets of all messages */
	uint64_t left;			/* of the literal at hand */
	uint64_t written;		/* to the file */
	bool after_cr;
	struct buf block;		/* converted, not yet written */
};

/* URLFETCH at work (urlfetch.c). */
struct url_wanted {
	struct bytes url;
	bool structure, binary, body;	/* RFC 5524; none: as RFC 4467 */
};
struct url_fetch {
	struct url_wanted *urls;
	size_t n, at;
	bool streaming;
	struct stream stream;
	bool asking;			/* IMAP_ASK */
	struct bytes user, answer;	/* whose mail; what came, mapped */
};

enum mode { MODE_COMMAND, MODE_FETCH, MODE_APPEND, MODE_URLFETCH, MODE_SEARCH,
	MODE_LIST, MODE_IDLE, MODE_UNAUTHENTICATE,
	MODE_CLOSE };

struct imap {
	struct imap_options o;
	uint64_t off;			/* capabilities not for this account */
	uint64_t enabled;		/* CAP_BITs, by ENABLE */
	struct imap_input in;
	struct buf out;
	struct arena arena;		/* of the command */
	enum mode mode;
	bool input_ended;
	bool changed, changed_outside;
	bool compressed, compress_begins;	/* IMAP_COMPRESS */
	bool is_uid;			/* the command came with UID */
	bool by_number;			/* it holds message numbers */
	bool set_had_gone;		/* box_uids left some out */
	uint32_t limited;		/* the lowest UID of the command
					 * (RFC 9738); 0: all were */
	unsigned int bad;		/* in a row */
	struct bytes tag;
	unsigned char tag_text[IMAP_TAG_MAX];
	const char *command;
	struct box box;
	struct message message;		/* kept for the next partial FETCH */
	struct fetch fetch;
	struct append append;
	struct search_job *search;	/* under way */
	struct list_job *list;		/* the same */
	struct context *contexts;	/* of the selected mailbox */
	struct notify *notify;		/* NULL: NOTIFY was never used */
	struct url_fetch url_fetch;
	unsigned int asked;		/* IMAP_ASKS_MAX of them */
	struct imap_stats stats;
};

static inline bool
enabled(const struct imap *im, enum cap cap)
{
	return (im->enabled & CAP_BIT(cap)) != 0;
}

/*
 * reply.c: tagged replies. reply_errno chooses code and text by errno; code
 * may be NULL.
 */
void reply_tagged(struct imap *im, const char *result, const char *code,
    const char *text);
void reply_ok(struct imap *im, const char *code, const char *text);
void reply_no(struct imap *im, const char *code, const char *text);
void reply_bad(struct imap *im, const char *text);
void reply_bad_code(struct imap *im, const char *code, const char *text);
void reply_errno(struct imap *im, int err, bool try_create);
/* "OK COMMAND done" after what changed meanwhile. */
void reply_done(struct imap *im);
/* With a response code, unless it is NULL. */
void reply_done_code(struct imap *im, const char *code);

/* view.c */
void box_close(struct imap *im);
int box_open(struct imap *im, struct store_view *v,
    const struct store_mailbox *m, bool read_only, size_t *first_unseen);
/* Announce changes up to now; expunges only if allowed. */
void box_sync(struct imap *im, bool expunges);
/* HIGHESTMODSEQ as far as a client was told of everything. */
uint64_t box_highest(const struct box *b);
/* RFC 7162 3.2: a client that was sent newer modseqs than that of an EXPUNGE
 * it waits for hears of it before the tagged reply, and when it is over. */
void box_tell_delay(struct imap *im);
/* A flag change of our own, not to be announced. */
void box_own(struct imap *im, uint64_t modseq);
/* Index of uid; false: not in the view, *at is where it would be. */
bool box_find(const struct box *b, uint32_t uid, size_t *at);
/* The UIDs of a mailbox as the store has them; *unseen is the number of the
 * first message without \Seen, or 0. 0, -1: box_close. */
int box_load(struct box *b, struct store_view *v, size_t *unseen);
/* Have the UID at an index written, or all of them. */
void box_write(const struct box *b, size_t index);
void box_fill(const struct box *b);
void box_blocks_free(struct box *b);
/* States are made when the first of them is set. */
void box_want_state(struct box *b);
static inline unsigned char
box_state(const struct box *b, size_t index)
{
	return b->state == NULL ? 0 : b->state[index];
}
static inline uint32_t
box_uid(const struct box *b, size_t index)
{
	if (b->blocks != NULL && b->blocks->left > 0)
		box_write(b, index);
	return b->uids[index];
}
/*
 * The UIDs of a set of numbers or UIDs, ascending, in the arena, messages
 * known to be gone left out. False: a number that is no message (BAD).
 */
bool box_uids(struct imap *im, struct imap_set *set, bool by_uid,
    uint32_t **uids, size_t *n);
/* Resolve a set; false as box_uids. */
bool box_resolve(struct imap *im, struct imap_set *set, bool by_uid);
#include "imap/limit.h"

/* searchreply.c: what "$" stands for from now on. */
void box_save(struct imap *im, const uint32_t *uids, size_t n);
#include "imap/flags.h"

/* vanished.c: "* VANISHED (EARLIER)" for those of known (resolved) that were
 * expunged since; UIDs up to known_from are taken for known anyway where the
 * feed does not reach back. 0, -1. */
int add_vanished_earlier(struct imap *im, struct store_view *v,
    const struct imap_set *known, uint64_t since, uint32_t known_from);

/* format.c: a mailbox name as this session writes them. */
void add_mailbox(struct imap *im, struct bytes name);

/* list.c: "* LIST (...) "/" name", with OLDNAME unless old is empty (RFC 9051
 * 6.3.9.7). */
void add_list(struct imap *im, struct store_view *v,
    const struct store_mailbox *m, struct bytes old);

/* As things are now, of a name that need not be a mailbox's; subscribed is
 * looked at for such a one. */
void add_list_name(struct imap *im, struct store_view *v, struct bytes name,
    struct bytes old, bool subscribed);

/* objectid.c (RFC 8474): "(F...)"; and the EMAILID of a message. */
#define EMAIL_ID_BYTES 16
#define EMAIL_ID_SIZE (1 + 2 * EMAIL_ID_BYTES + 1)
void add_mailbox_id(struct buf *out, const struct store_mailbox *m);
void email_id(const struct store_message *m, char out[EMAIL_ID_SIZE]);
/* THREADID of its thread; false, and nothing written: it has none. */
#define THREAD_ID_SIZE 18
bool thread_id(struct store_view *v, const struct store_message *m,
    char out[THREAD_ID_SIZE]);

/* status.c: "(...)" into a set of items, and what they enable. */
bool parse_status_items(struct parser *p, uint64_t *set);
/* The set of those named, with blanks between. */
uint64_t status_items(const char *names);
void status_enable(struct imap *im, uint64_t set);
/* "* STATUS name (...)" of a set of items. */
void add_status(struct imap *im, struct store_view *v,
    const struct store_mailbox *m, uint64_t set);

/* metadata.c: names of annotations, one or "(...)", in lower case. */
bool parse_entries(struct imap *im, struct parser *p, struct bytes **entries,
    size_t *n);
/* "* METADATA name (...)", NIL for what is not there (RFC 9590). 0, -1. */
int add_metadata(struct imap *im, struct store_view *v,
    const struct store_mailbox *m, const struct bytes *entries, size_t n);

/*
 * recent.c: \Recent (RFC 3501 2.3.2), of IMAP4rev1 alone. Look for messages
 * that are new to all, take them if the mailbox may be written to.
 */
void recent_look(struct imap *im);
bool is_recent(const struct box *b, uint32_t uid);
/* How many of the messages announced are. */
size_t recent_count(const struct box *b);
/* "* 3 RECENT", unless IMAP4rev2 was enabled. */
void add_recent(struct imap *im);

/* searchfilter.c: whether an annotation of the account with that name may have
 * that value: a filter (RFC 5466) must be a search. False: p says why. */
bool search_filter_check(struct parser *p, struct bytes entry,
    struct bytes value);

/* mailbox.c: a name as the store takes it; false: replied NO. */
bool check_name(struct imap *im, struct bytes *name);

/* message.c */
void walk_init(struct walk *w, struct store_view *v, uint32_t mailbox);
/* 1 found, into *m; 0 not there; -1. UIDs must ascend. walk_at leaves it in
 * w->at. */
int walk_at(struct walk *w, uint32_t uid);
int walk_to(struct walk *w, uint32_t uid, struct store_message *m);
void message_reset(struct message *m);
/* Start on another message; record NULL: it was expunged. */
void message_set(struct message *m, uint32_t uid,
    const struct store_message *record);
/* The file, and the tree over it. -1 errno: gone or unreadable. */
int message_file(struct imap *im, struct message *m);
int message_tree(struct imap *im, struct message *m);
int message_load(struct store *store, uint32_t mailbox, struct message *m);
int message_load_tree(struct store *store, uint32_t mailbox, struct message *m);

/* session.c: a parser over s for this session. */
struct parser session_parser(struct imap *im, struct bytes s);
/* Give the next command or announced literal of the input to one of these;
 * false: nothing whole is there. */
bool session_next(struct imap *im, void (*literal)(struct imap *im),
    void (*command)(struct imap *im));
/* Remember the tag that replies carry. */
void session_tag(struct imap *im, struct bytes tag);

/* An empty session, nothing said; and one that goes into IDLE. */
struct imap *session_new(const struct imap_options *o);
void idle_begin(struct imap *im);
/* Names of mailboxes are UTF-8 (I-16). */
static inline bool
utf8_names(const struct imap *im)
{
	return enabled(im, CAP_IMAP4REV2) || enabled(im, CAP_UTF8_ACCEPT);
}

/* Turn on what ENABLE or an enabling command asked for: CAP_BITs. */
void session_enable(struct imap *im, uint64_t set);

/* command.c: the whole command that was read. */
void run_command(struct imap *im);

/* Commands: each parses the rest of its line from p and replies. */
typedef void command_fn(struct imap *im, struct parser *p);
command_fn command_select, command_examine, command_create, command_delete,
    command_rename, command_subscribe, command_unsubscribe, command_status,
    command_close, command_unselect, command_list, command_lsub,
    command_search, command_sort, command_thread, command_esearch,
    command_cancelupdate, command_fetch, command_store, command_copy,
    command_move, command_expunge, command_idle, command_getmetadata,
    command_setmetadata, command_getquota, command_getquotaroot,
    command_append, command_genurlauth, command_resetkey, command_urlfetch,
    command_compress, command_unauthenticate, command_notify;

/* fetchparse.c, fetch.c */
bool parse_fetch_items(struct parser *p, struct fetch_item **items);
/* Not one of them sets \Seen. */
void fetch_peek(struct fetch_item *items);
/* Put an item in front, unless it is among them. */
void fetch_add_item(struct arena *a, struct fetch_item **items,
    enum item_kind kind);
/* fetchitem.c: one that is no section. */
void fetch_item(struct imap *im, struct store_view *v, struct message *m,
    const struct fetch_item *item);
/* False: not of a message without a record; leave the item out. */
bool fetch_item_known(const struct message *m, const struct fetch_item *item);
/* section.c: name and head of its literal; the bytes follow by stream_add. */
int fetch_section(struct imap *im, struct message *m,
    const struct fetch_item *item);
/* The bytes of a section as the file has them, of text for partial ones the
 * whole. -1: ENOMSG no such section, else no file. */
int section_text(struct imap *im, struct message *m,
    const struct fetch_item *item, struct bytes *out);
/* Of what is size octets on the wire those of a partial item. */
uint64_t section_cut(const struct fetch_item *item, uint64_t size);
/* binary.c (RFC 3516): as fetch_section; BINARY.SIZE has no literal. */
int fetch_binary(struct imap *im, struct message *m,
    const struct fetch_item *item);
/* The octets of that part, ready to be sent; with a NUL they need a literal8.
 * 1, 0 an unknown encoding, -1: ENOMSG no such part, else no file. */
int binary_stream(struct imap *im, struct message *m,
    const struct fetch_item *item, struct stream *out, bool *has_nul);
/* BODYSTRUCTURE of a part, without the outer parentheses; decoded: as
 * binary_stream sends it. 0, -1 as there. */
int binary_structure(struct imap *im, struct message *m,
    const struct fetch_item *item, bool decoded, struct buf *out);
void fetch_step(struct imap *im);
/* list.c: LIST goes on; no more than OUT_SOFT and a line is held of it. */
void list_step(struct imap *im);
void list_drop(struct imap *im);
/* fetchparse.c: "1.2.TEXT", the whole of p, into item. */
bool parse_section_spec(struct parser *p, struct fetch_item *item);
/* Answer items of the messages of f->set that changed, then call f->done. */
void fetch_begin(struct imap *im);
/* searchjob.c: go on with SEARCH, SORT, THREAD or ESEARCH. */
void search_job_step(struct imap *im);
void search_job_drop(struct imap *im);
/* context.c: before EXPUNGE is said, after EXISTS was, and when the mailbox
 * is left. */
void contexts_gone(struct imap *im);
void contexts_changed(struct imap *im, struct store_view *v);
void contexts_drop(struct imap *im);
/* New messages in a context and what is to be FETCHed of them (RFC 5465 7),
 * once; false: none any more. */
bool contexts_fresh(struct imap *im, struct fetch_item **items,
    uint32_t **uids, size_t *n);
/* stream.c */
void stream_init(struct stream *s, struct bytes text, uint64_t offset,
    uint64_t length);
/* Add octets to out until it holds soft bytes; true at the end. */
bool stream_add(struct stream *s, struct buf *out, size_t soft);
/* append.c: 1 it is APPEND's message, 0 an ordinary literal. */
int append_begin(struct imap *im, struct bytes prefix);
void append_step(struct imap *im);
void append_drop(struct imap *im);

#endif
