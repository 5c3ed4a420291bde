/*
 * junk.h - which words junk has: messages taken apart, counted and judged
 *
 * A message becomes a set of words: words of its text and of some fields, and
 * traits such as types, hosts of URLs and field names (doc/judging.md). A
 * table counts for each word the wanted and unwanted messages that had it;
 * from these comes the probability that a message is junk. Everything is
 * exact: untraining a message leaves the counts as if it had never been
 * trained, in whatever order.
 *
 * Words are keys by a hash of 64 bits. The table is one of a kv environment:
 * an account's index, or a file of its own (junk_file_open).
 */
#ifndef JUNK_H
#define JUNK_H

#include "base/base.h"
#include "kv/kv.h"

/* ---- limits: a stranger's message costs no more ---- */

/* Decoded text that is looked at; what people read is in the front. */
#define JUNK_TEXT_MAX ((size_t)1024 * 1024)
/* Different words of one message. */
#define JUNK_WORDS_MAX 20000
/* Bytes of one word, and a word of fewer means nothing. */
#define JUNK_WORD_MAX 40
#define JUNK_WORD_MIN 2
/* Bytes of one field body that is looked at. */
#define JUNK_FIELD_MAX 4096
/* Header fields of the message, and parts, that are looked at. */
#define JUNK_FIELDS_MAX 1000
#define JUNK_PARTS_MAX 1000
/* URLs of a message whose host is looked at. */
#define JUNK_URLS_MAX 1000
/* n-grams: words in one, at most. */
#define JUNK_GRAMS_MAX 3

/* ---- words of a message ---- */

/*
 * What junk_words_read makes of a message: one more with every change that
 * gives some message other words. Words trained by another version cannot be
 * taken out exactly, so an account's are counted anew (store/training.h).
 */
#define JUNK_WORDS_VERSION 2

struct junk_word {
	uint64_t hash;
	uint32_t at;		/* junk_word_text */
	uint16_t n;
	bool is_head;		/* of a field or a trait, not of the text */
};

struct junk_words {
	struct junk_word *word;
	size_t n;
	/* Private. */
	size_t size, slots, slots_size;
	size_t urls;
	uint32_t *slot;
	struct buf text;
	struct buf scratch;
	struct arena arena;
	unsigned int grams;	/* bit 0: words, 1: pairs, 2: triples */
	bool keep_text;
};

/*
 * An empty set. grams: a sum of 1 (words), 2 (pairs), 4 (triples), 0 means 1.
 * With keep_text the words themselves are kept for junk_word_text.
 */
void junk_words_init(struct junk_words *w, unsigned int grams,
    bool keep_text);
void junk_words_free(struct junk_words *w);
/*
 * The words of a message in place of what was there. Never fails: what cannot
 * be decoded is read as it stands; past a limit nothing is added. Time and
 * memory are bounded by the message's size and the limits.
 */
void junk_words_read(struct junk_words *w, struct bytes message);
/* Add the words of a text (UTF-8), each with prefix in front; for tests and
 * for who has text that is no message. */
void junk_words_add(struct junk_words *w, struct bytes prefix,
    struct bytes text);
/* A word as it is shown: "subject:offer", "free". Empty without keep_text. */
struct bytes junk_word_text(const struct junk_words *w,
    const struct junk_word *word);
/* Whether the set has that word; for tests. */
bool junk_words_has(const struct junk_words *w, struct bytes text);

/* ---- training ---- */

enum junk_class { JUNK_HAM, JUNK_SPAM };

/* Counts that changed and are not in the table yet. */
struct junk_batch;
/* More different words than this: write the batch first (about 100 MB while
 * that is done). */
#define JUNK_BATCH_MAX ((size_t)1 << 20)
struct junk_batch *junk_batch_new(void);
void junk_batch_free(struct junk_batch *b);	/* NULL: nothing */
/* Count a message in (sign 1) or out again (sign -1). */
void junk_batch_add(struct junk_batch *b, const struct junk_words *w,
    enum junk_class class, int sign);
/* Whether junk_batch_write is due. */
bool junk_batch_is_full(const struct junk_batch *b);
/*
 * Bring the batch into a table, within the caller's transaction, and empty
 * it. Counts do not go below 0 (a message untrained that never was trained);
 * words of count 0 are removed. 0, -1 with errno of kv, EBADMSG: an entry of
 * the table has the wrong form.
 */
int junk_batch_write(struct junk_batch *b, struct kv_txn *t,
    unsigned int table);

/* Messages counted: 0, -1. */
int junk_totals(struct kv_txn *t, unsigned int table, uint32_t *ham,
    uint32_t *spam);

/* ---- judging ---- */

struct junk_options {
	double threshold;	/* of the probability; above: junk */
	double max_power;	/* no word says more than 1 - this */
	double ignore_words;	/* words within this of 0.5 say nothing */
	unsigned int rare_words;	/* of up to this count they say less */
	double prior;		/* of a message each class has of any word */
	unsigned int top_words;	/* of each side; 0: all */
	double norm;	/* sum by the weight of words to this power */
	double body;	/* say of the text, that of the header being 1 */
	double scale;	/* factor of the sum */
	unsigned int significant;	/* ham needed for a verdict */
};
extern const struct junk_options JUNK_DEFAULT;

/* Words with the most say, for the reason. */
#define JUNK_REASONS 10
struct junk_reason {
	const struct junk_word *word;
	double probability;	/* that a message with it is junk */
};

struct junk_score {
	double probability;
	bool significant;
	uint32_t ham, spam;	/* messages trained */
	uint32_t known;		/* words that counted */
	struct junk_reason hammy[JUNK_REASONS], spammy[JUNK_REASONS];
	size_t hammy_n, spammy_n;
};

/* Where counts come from: a transaction, or all of a table in memory. */
struct junk_counts;
/* The transaction must stay open as long. */
struct junk_counts *junk_counts_open(struct kv_txn *t, unsigned int table);
void junk_counts_close(struct junk_counts *c);	/* NULL: nothing */
/* junk_totals of it. */
int junk_counts_totals(struct junk_counts *c, uint32_t *ham,
    uint32_t *spam);
/*
 * Read all of the table into memory: worth it for many messages. Nothing is
 * done for one of more than JUNK_LOAD_MAX words. 0, -1.
 */
#define JUNK_LOAD_MAX ((int64_t)8 << 20)
int junk_counts_load(struct junk_counts *c);
/*
 * Counts looked up before, for a process that judges one message after another
 * by one table. JUNK_CACHE_WORDS of 16 bytes: of real mail four of five
 * look-ups are answered; eight times as many would answer five of six.
 */
#define JUNK_CACHE_WORDS 16384
struct junk_cache;
struct junk_cache *junk_cache_new(void);
void junk_cache_free(struct junk_cache *k);	/* NULL: nothing */
/*
 * Look up words there first, and keep there what is found. changes is read in
 * the transaction of c: a number that every change of the table's counts makes
 * another one, in the same transaction, never to be the same again. Each cache
 * is for one table. Without effect after junk_counts_load.
 */
void junk_counts_use(struct junk_counts *c, struct junk_cache *k,
    uint64_t changes);
/* Judge a set of words. 0, -1 EBADMSG and errno of kv. */
int junk_score(struct junk_counts *c, const struct junk_words *w,
    const struct junk_options *o, struct junk_score *out);

/*
 * Result word, tab, details, for -q: "fail" above the threshold, "pass", or
 * "neutral" when too few wanted messages are trained. 0, -1 EMSGSIZE.
 */
int junk_format_line(struct buf *out, const struct junk_words *w,
    const struct junk_options *o, const struct junk_score *s);

/* ---- a file of its own ---- */

struct junk_file {
	struct kv *kv;
	struct kv_txn *txn;
	unsigned int table;
};
/* Words of a file: 64 bytes of address space each, at most. */
#define JUNK_FILE_BYTES ((size_t)4 << 30)
/*
 * Open a word file and begin a transaction; a file that is not there is made
 * if it is for writing. A damaged one: EBADMSG with *why. -1 with errno.
 */
int junk_file_open(struct junk_file *f, const char *path, bool write,
    const char **why);
/* End it: with commit what was written holds. 0, -1. */
int junk_file_close(struct junk_file *f, bool commit);

/* ---- messages in files ---- */

/* A message file that is larger is cut there; text is in its front. */
#define JUNK_MESSAGE_MAX ((size_t)64 * 1024 * 1024)
/* Folders within folders. */
#define JUNK_DEPTH_MAX 20
/*
 * Called with each message and the name of its file; -1 with errno ends the
 * walk. name and message hold until it returns.
 */
typedef int (*junk_message_fn)(void *ctx, const char *name,
    struct bytes message);
/*
 * Each message of a path: a file that is one, an mbox (its first line begins
 * with "From ": a message begins at each such line after an empty one), or
 * all files of a folder and those in it, by name; names that begin with a dot
 * and, of a Maildir, tmp and what is beside cur and new, are left out, and what
 * is gone when its turn comes. 0, -1 with errno, *where then the name (in the
 * arena).
 */
int junk_walk(struct arena *a, const char *path, junk_message_fn f,
    void *ctx, const char **where);

#endif
