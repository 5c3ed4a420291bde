/*
 * internal.h - what the files of lib/store share
 *
 * record.c  records to bytes and back      folder.c  directories, descriptors
 * open.c    opening (doubt.c), recovery    work.c    the write transaction
 * view.c    reading                        keyword.c flags, keywords, suffixes
 * message.c finding and parsing files      deliver.c deliver, append
 * flag.c    flags                          copy.c    copy, move
 * expunge.c messages that go       renew.c   files written to in place
 * mailbox.c create, delete, subscribe      rename.c  rename
 * sync.c    outside changes to a mailbox   adopt.c   files without a record
 * list.c    outside changes to folders     recover.c all of it, rebuilding
 * watch.c   waking, sweeping               name.c    mailbox names
 * verify.c  proof (verify_box.c)            text.c    searching texts
 * thread.c  threads (threads.c reading, assign.c old mail)
 * sent.c    whom mail was sent to             feed.c    cutting changes
 * junk.c    junk flags by mailbox           learn.c, train.c  words of mail
 * upgrade.c older formats, old mail in pieces   repair.c  single repairs
 * annotate.c annotations   key.c keys of mailboxes   uids.c UIDs in blocks
 * naming.c  file names that follow   look.c folders touched   recent.c unseen
 * origin.c  who sent messages   history.c what became of them   rate.c rates
 * settle.c  around changes of ours            claim.c   new/ to cur/
 * batch.c   deliveries together   pack.c drafts as bytes   desk.c their place
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "store/doubt.h"
#include "kv/kv.h"
#include "maildir/maildir.h"

#include <sys/stat.h>

enum {
	TABLE_META, TABLE_MAILBOX, TABLE_MAILBOX_NAME, TABLE_KEYWORD,
	TABLE_MESSAGE, TABLE_CHANGE, TABLE_MESSAGE_ID, TABLE_ANNOTATION,
	TABLE_SETTING, TABLE_TEXT, TABLE_THREAD, TABLE_THREAD_MEMBER,
	TABLE_THREAD_SUBJECT, TABLE_SENT_TO, TABLE_UID, TABLE_NAMING,
	TABLE_LEFT, TABLE_WORD, TABLE_ORIGIN, TABLE_HISTORY, TABLE_UNSETTLED,
	TABLE_RATE, TABLE_SENT_DOMAIN, TABLE_TRAIN, TABLE_UNTRAIN,
};

/* UIDs promised ahead in .uidvalidity, so that it is not written for each
 * message: mbsync(1) refuses UIDs above what stands there. */
#define UID_AHEAD 128
/* What an unclean boot may have taken back is stepped over. */
#define UID_JUMP 1000
#define MODSEQ_JUMP 100000
/* A copy is of a moment nobody knows, after its last sweep: as many UIDs may
 * have been given since, and some a second; a month of them at most, so that
 * there are UIDs enough for eight copies as old as that, and 200 of a day. */
#define UID_JUMP_COPY 100000
#define UID_JUMP_COPY_SECOND 100
#define UID_JUMP_COPY_SECONDS_MAX (30 * 86400)
/* The mark of what an index was last in order under: of the boot, then of the
 * file it is in. */
#define MARK_FILE 24
#define MARK_SIZE 36
/* Odd, with its bits spread: so are those of what it multiplies. */
#define MARK_SPREAD 0x9e3779b97f4a7c15ull
/* mbsync(1) keeps UIDs in an int on some versions. */
#define UID_MAX ((uint32_t)INT32_MAX)
/* Cached texts beyond this are not kept: 10,000 parts make about that. */
#define TEXT_MAX (1024 * 1024)
#define PREVIEW_CHARS 256		/* RFC 8970 */
/* Messages adopted, removed or rewritten in one write transaction. */
#define SYNC_BATCH 500
/* A directory time is trusted once it is that old: kernel tick 1-10 ms. */
#define SETTLE_US 25000
/* The same where the file system has no fractions of a second. */
#define SETTLE_COARSE_US 2100000
#define FOLDERS_OPEN 8
#define EXPUNGED_SECONDS (24 * 3600)	/* kept for slow sessions */
#define EXPUNGED_FRESH_SECONDS 60	/* not swept so soon in any case */
#define TMP_SECONDS (36 * 3600)		/* maildir(5) */
#define SWEEP_SECONDS 3600
/* Changes kept but for expunges, which all are: 6 MB. A client that was away
 * for longer than these looks at all messages instead. */
#define CHANGES_MAX 100000
#define CHANGES_AGE_SECONDS ((int64_t)30 * 24 * 3600)	/* to twice that */

struct stamp {
	int64_t sec;
	uint32_t nsec;
	bool settled;		/* no change can hide behind it */
};

/* What is still to be done for old mail (upgrade.c), in this order. */
enum phase { PHASE_DONE, PHASE_REPARSE, PHASE_ASSIGN };

struct state {
	enum phase phase;
	uint32_t at_mailbox, at_uid;	/* where it stands */
	uint64_t modseq, floor, quota_bytes;
	uint32_t next_mailbox, last_uidvalidity;
	/* Changes up to mark_modseq are as old as mark_time; 0: no mark. */
	uint64_t mark_modseq;
	int64_t mark_time;
	struct stamp list, subscriptions;
	int64_t swept;
	char boot[37];
};

struct mbox {
	uint32_t id, uidvalidity, uidnext, reserved;
	uint64_t createseq, modseq, size_bytes;
	uint32_t total, unseen, unread, deleted;
	uint32_t use;
	uint32_t recent_from;
	bool subscribed;
	bool new_empty;		/* nothing was in new/ at stamp_new */
	struct stamp stamp_new, stamp_cur, stamp_keywords;
	struct bytes name;
};

struct folder {
	uint32_t mailbox;	/* 0: unused */
	int dir, tmp, new, cur;
	dev_t dev;		/* of dir, and its inode */
	ino_t inode;
	uint32_t changes[2];	/* of ours, to entries of new and cur */
	uint64_t used;
};

struct store {
	char *account, *path, *run, *host, *hostname;
	int dir, maildir;
	struct kv *kv;
	struct stat index_file, dir_file, maildir_file;	/* as opened */
	uint64_t quota_bytes;
	bool no_text, junk_flags, training;
	struct junk_patterns *junk_patterns;
	struct junk_cache *junk_cache;	/* store_junk_counts; NULL: none yet */
	unsigned int grams;
	struct gram_set *text_set;	/* of what is delivered, or NULL */
	void (*report)(void *, const struct store_report *);
	void (*wait)(void *, const char *, bool);
	void *ctx;
	uint64_t seq;
	struct folder folders[FOLDERS_OPEN];
	uint64_t folder_clock;
	int fifo;
	char *fifo_name;
	int watch;		/* run/watch/ACCOUNT, -1: not opened */
	int readers;		/* expunged/, for its locks; -1: not open */
	uint32_t held;		/* mailbox of store_hold, 0: none */
	int64_t swept;		/* seconds; as the state had it */
	struct store_desk *desk;	/* NULL: none */
	bool named_only;	/* no files without name here */
	bool behind;		/* the phase was not PHASE_DONE at opening */
	uint64_t own[STORE_OWN_MAX];	/* modseqs, store_change_own */
	size_t own_at;
	bool names_behind, names_ours;	/* as far as known; by this process */
	bool train_behind, train_ours;	/* the same of messages to be trained */
};

struct store_view {
	struct store *s;
	struct kv_txn *t;
	struct state state;
	struct kv_cursor *messages;
	uint32_t walk_mailbox;
	struct kv_cursor *changes;
	struct kv_cursor *uids;
	uint32_t uids_mailbox, uids_number;	/* the block that is next */
	struct bytes uids_group;
	struct kv_cursor *texts;	/* at text_key, if that is not empty */
	struct bytes text_key, text;
};

/* ---- record.c ---- */

#define KEY_MESSAGE 8
#define KEY_CHANGE 12
void key_message(unsigned char out[KEY_MESSAGE], uint32_t mailbox,
    uint32_t uid);
void key_change(unsigned char out[KEY_CHANGE], uint64_t modseq, uint32_t n);
/* decode: 0, or -1 EBADMSG. encode: -1 EMSGSIZE. */
int state_decode(struct bytes s, struct state *out);
int state_encode(struct buf *out, const struct state *st);
int mbox_decode(uint32_t id, struct bytes s, struct mbox *out);
int mbox_encode(struct buf *out, const struct mbox *m);
int message_decode(struct bytes key, struct bytes value,
    struct store_message *out);
int message_encode(struct buf *out, const struct store_message *m);
int change_decode(struct bytes key, struct bytes value,
    struct store_change *out);
int change_encode(struct buf *out, const struct store_change *c);
void mbox_export(const struct mbox *m, struct store_mailbox *out);

/* ---- open.c ---- */

/* Set the index aside and build another from the Maildir alone. */
int replace_index(struct store *s, const char *why);
/* kv_check of the index: 0, -1. With no writer, or before it is opened. */
int check_pages(struct store *s, const char **why);

/* ---- folder.c ---- */

/* The folder's name ("", ".Sent") into out. */
int folder_name(struct buf *out, struct bytes mailbox);
/* Whether another program moved or removed the folder of a mailbox; what was
 * open of it is closed then. */
bool folder_moved(struct store *s, uint32_t mailbox, struct bytes name);
/* Open descriptors of a mailbox; kept by the store. NULL with errno. */
struct folder *folder_open(struct store *s, uint32_t mailbox,
    struct bytes name);
void folder_close(struct store *s, uint32_t mailbox);
void folder_close_all(struct store *s);
/* A new folder with .uidvalidity, made elsewhere and renamed into place. */
int folder_create(struct store *s, struct bytes name,
    const struct maildir_uids *uids);
struct stamp stamp_of(const struct stat *st);
bool stamp_same(const struct stamp *a, const struct stamp *b);
/* Whether a change could still hide behind the time of a directory. */
bool stamp_is_old(const struct stamp *a, int64_t now_us);
int stamp_read(int dir, struct stamp *out);
void report(struct store *s, const char *event, struct bytes mailbox,
    const char *name, uint32_t uid);

/* ---- work.c: one write transaction ---- */

struct keywords {
	struct bytes name[STORE_KEYWORDS_MAX];	/* empty: none */
	unsigned int count;			/* highest number + 1 */
	int flag_number[10];			/* of $Junk..., -1: none */
	bool dirty_file;	/* dovecot-keywords has to be written */
};

struct box {
	struct box *next, *beside;	/* of the transaction; of the bucket */
	struct mbox rec;
	struct folder *folder;
	struct keywords *keywords;	/* loaded on demand */
	bool dirty, gone;
	uint32_t behind_first, behind_last;	/* work_naming_add; 0: none */
	uint32_t train_first, train_last;	/* work_train; 0: none */
};

/* A block of the table of UIDs while it changes; mailbox 0: none. */
struct uid_block {
	uint32_t mailbox, number;
	uint16_t count, unseen;
	bool dirty;
	bool partial, mixed;	/* its bitmaps have an entry */
	unsigned char present[STORE_UID_BLOCK / 8];
	unsigned char not_seen[STORE_UID_BLOCK / 8];
};

struct work {
	struct store *s;
	struct kv_txn *t;
	struct state state;
	uint64_t modseq;	/* what this transaction's changes get */
	uint32_t changes;
	struct store_change pending;
	struct box *boxes, **buckets;
	size_t box_count, bucket_count;
	struct uid_block uids;
	struct arena arena;
	struct buf record;
	size_t settled;		/* work_origin_flags did at once */
	struct buf unsettled;	/* keys of messages, for later */
	bool dirty;		/* state has to be written */
	bool durable;		/* facts are in it that no file holds */
	bool no_subscribe;	/* what is made is not subscribed */
	bool foreign;		/* changes of other programs are among it */
	bool names_behind;	/* work_naming_add was called */
	bool train_behind, train_gap;	/* messages to train: noted; not */
	bool list_known;	/* state.list is the time of the Maildir */
};

/* ---- boxes.c: the mailboxes it has loaded ---- */

/* b, with its id, belongs to the transaction from now on. */
void boxes_add(struct work *w, struct box *b);
/* NULL: not loaded, or gone. */
struct box *boxes_find(const struct work *w, uint32_t id);
void boxes_free(struct work *w);

/* ---- work.c ---- */

int work_begin(struct store *s, struct work *w);
void work_abort(struct work *w);
/* Writes what is pending, commits, wakes the listeners. The work is gone in
 * every case. */
int work_commit(struct work *w);
/* The mailbox, loaded once; NULL ENOENT. Same with its folder opened. */
struct box *work_box(struct work *w, uint32_t id);
struct box *work_box_open(struct work *w, uint32_t id);
struct box *work_box_named(struct work *w, struct bytes name);
/* Takes effect now: names must be found by the calls that follow. */
int work_box_put(struct work *w, struct box *b);
/* Note a change in the feed (and the mailbox's modseq). */
int work_change(struct work *w, enum store_change_kind kind, struct box *b,
    uint32_t uid);
/* The same of many at once. */
int work_change_range(struct work *w, enum store_change_kind kind,
    struct box *b, uint32_t first, uint32_t last);
int work_change_name(struct work *w, enum store_change_kind kind,
    struct box *b, struct bytes name, struct bytes old_name);
/* Message records, with counts, quota and the Message-ID table. */
int work_put(struct work *w, struct box *b, const struct store_message *m,
    const struct store_message *old);
int work_remove(struct work *w, struct box *b, const struct store_message *m);
/*
 * The same of many: note each, by ascending UID, then remove what was noted,
 * table by table in the order of their keys, which is several times as fast.
 */
struct removal {
	struct buf message, message_id, member, subject;	/* keys */
};
#define REMOVAL_KEYS BUF_INIT(SIZE_MAX / 2)
#define REMOVAL_INIT { REMOVAL_KEYS, REMOVAL_KEYS, REMOVAL_KEYS, REMOVAL_KEYS }
int work_remove_note(struct work *w, struct box *b,
    const struct store_message *m, struct removal *r);
int work_remove_noted(struct work *w, struct removal *r);
/* What there is of them beside the records. */
int work_remove_rows(struct work *w, struct removal *r);
void removal_free(struct removal *r);
int work_get(struct work *w, uint32_t mailbox, uint32_t uid,
    struct store_message *out);
/* The next UID; -1 EOVERFLOW. The promise ahead is renewed if need be. */
int work_next_uid(struct box *b, uint32_t *uid);
/* Refuse if bytes more would go over the quota: EDQUOT. */
int work_room(struct work *w, uint64_t bytes);
/* A fresh mailbox id and uidvalidity. */
int work_new_ids(struct work *w, uint32_t *id, uint32_t *uidvalidity);
/* Whether the time of a directory is still the one we know. */
bool stamp_before(int dir, const struct stamp *known);

/* ---- uids.c ---- */

/* work_put and work_remove do the first, work_commit the second. */
int work_uid(struct work *w, uint32_t mailbox, uint32_t uid, bool present,
    bool seen);
int work_uids_flush(struct work *w);
/* All of the table from the records. */
int uids_build(struct work *w);
/* Whether the table says what the records do: 1; 0 not, with the mailbox and
 * first UID of a block that differs, or 0 and 0: there are too many; -1. */
int uids_verify(struct kv_txn *t, uint32_t *mailbox, uint32_t *first);

/* ---- text.c, thread.c, sent.c; learn.c ---- */

#include "store/facts.h"
#include "store/learn.h"
#include "store/origins.h"

/* ---- assign.c, upgrade.c ---- */

int thread_assign_some(struct work *w, size_t limit);
int upgrade_format(struct store *s, uint32_t from);
/* Have old mail looked at again from this phase on. */
void want_phase(struct work *w, enum phase phase);
/* The record of a message that was read again: its thread stays. */
int work_thread_renew(struct work *w, const struct store_message *m,
    struct store_thread *t);
/* 1 or 0 not there, -1. */
int reparse_one(struct work *w, struct arena *a, uint32_t mailbox,
    uint32_t uid);

/* ---- keyword.c ---- */

int keywords_load(struct work *w, struct box *b);
/* The number of a keyword, added if need be; EOVERFLOW, EINVAL. */
int keywords_number(struct work *w, struct box *b, struct bytes name,
    unsigned int *number);
/* Names to flags and bits; -1 EINVAL, EOVERFLOW. */
int keywords_of(struct work *w, struct box *b, const struct bytes *names,
    size_t count, uint32_t *flags, struct store_keywords *bits);
/* Write dovecot-keywords if it has to be. */
int keywords_flush(struct work *w, struct box *b);
/* Flags and keywords of file name letters. */
void letters_parse(const struct keywords *k, struct bytes letters,
    uint32_t *flags, struct store_keywords *bits);
/* ":2,LETTERS"; letters of old without a meaning are kept. */
int suffix_format(struct buf *out, const struct keywords *k, uint32_t flags,
    const struct store_keywords *bits, struct bytes old_letters);
bool keywords_same(const struct store_keywords *a,
    const struct store_keywords *b);
/* What file names cannot carry of a message's keywords. */
bool keywords_beyond(const struct keywords *k, uint32_t flags,
    const struct store_keywords *bits);

/* ---- message.c ---- */

/* Where a message file is. */
struct place {
	int dir;		/* new or cur of the folder */
	char name[MAILDIR_FILE_MAX + 1];
};
/* The file as the record has it, without looking. 0, -1 EMSGSIZE. */
int message_assume(const struct folder *f, const struct store_message *m,
    struct place *out);
/* Find the file of a record under a name it can have by what we did; 1, 0 it
 * is not there, -1. */
int message_find(struct folder *f, const struct store_message *m,
    struct place *out);
/* The same, whatever its suffix became: 0 is gone. */
int message_locate(struct folder *f, const struct store_message *m,
    struct place *out);
/* What store_message_map gives, of an open file; store_unmap. */
int map_fd(int fd, struct bytes *out);
/* A copy whose bytes live in the arena: a view ends with the next change. */
struct store_message message_copy(struct arena *a,
    const struct store_message *m);
/* base + suffix as a file name; -1 EMSGSIZE. */
int message_name(char out[MAILDIR_FILE_MAX + 1], struct bytes base,
    struct bytes suffix);
/* A base that no file had before, with size and UID of m. */
int message_base_new(struct store *s, const struct store_message *m,
    struct buf *out);
/* "expunged/MAILBOX.UID" below the account. */
#define EXPUNGED_NAME_MAX 40
void expunged_name(char out[EXPUNGED_NAME_MAX], uint32_t mailbox,
    uint32_t uid);

/* ---- naming.c ---- */

/* Whether the flags of a record are not those of its suffix. */
bool name_is_behind(const struct keywords *k, const struct store_message *m);
/*
 * The file of m has a name with these letters. Flags and keywords become what
 * they say; what names cannot carry stays, and unless before is NULL so does
 * what the index changed since it knew the suffix of m. before: what letters
 * meant when that was written. The suffix itself is the caller's to change.
 */
void name_merge(const struct keywords *k, const struct keywords *before,
    struct bytes letters, struct store_message *m);
/* Have the name of a message that is behind written later; for the process
 * this is a change that only the index holds. */
int work_naming_add(struct work *w, struct box *b, uint32_t uid);
int work_naming_flush(struct work *w, struct box *b);
/* Whether somebody will write it: 1, 0, -1. */
int naming_has(struct kv_txn *t, uint32_t mailbox, uint32_t uid);
/* store_names without training. */
int names_piece(struct store *s);

/* ---- left.c ---- */

/* More messages than this at once leave their other entries to left_some. */
#define LEFT_NOW 64
/* Note what messages leave, whose records go in this work; by UID. */
int left_put(struct work *w, const struct removal *r);
/* Remove a piece of it. EBADMSG: an entry is malformed. */
int left_some(struct work *w);
/* Whether a message is noted: 1, 0, -1. */
int left_has(struct kv_txn *t, uint32_t mailbox, uint32_t uid);
/* The thread of a message that has a record, by its key: 1, 0, -1. */
int left_thread(struct kv_txn *t, const unsigned char key[KEY_MESSAGE],
    struct store_thread *out);
/*
 * Go on with a cursor until what the key ends with is a message that has a
 * record, or the key does not begin with prefix. 1, 0, -1 as r.
 */
int left_skip(struct kv_txn *t, struct kv_cursor *c, int r, struct bytes *key,
    struct bytes prefix);

/* ---- flag.c ---- */

/* Which directories of a folder were changed and need fsync. */
struct touched {
	bool new, cur;
};
int touched_sync(struct folder *f, const struct touched *t);

/* ---- sync.c, list.c ---- */

/*
 * What a batch leaves to the next one, so that a folder is not listed for each
 * of many: the files that wait to be adopted. They hold while both directories
 * are as that batch left them.
 */
struct sync_kept {
	struct arena arena;
	struct found *files;		/* NULL: nothing */
	size_t count, from;
	bool unsure;
	struct stamp new, cur;
};

/* Compare one mailbox with its folder. *more: a batch was full, call again
 * with the same kept, which begins with an empty arena that the caller frees.
 * deep: read every file again. 1 changed, 0, -1. */
int sync_box(struct work *w, struct box *b, bool claim, bool deep,
    struct sync_kept *kept, bool *more);
/* The file of a message was written to: its record goes as by an expunge, and
 * the file is taken in under a new UID. Unless its size is right again. */
int message_renew(struct store *s, uint32_t mailbox, uint32_t uid);
/* 1 a look is needed, 0 no, -1. */
int sync_needed(struct store *s, const struct mbox *m);
/* The same by the name of its folder, ending in NUL and maybe empty, without
 * opening it; 1 also if it cannot be told. */
int sync_needed_at(struct store *s, const struct mbox *m, const char *folder);
/* Folders and subscriptions that appeared, vanished or were renamed; with
 * force also when no time says so. */
int sync_list(struct work *w, bool force, bool *changed);
/* Before a change of ours to the list: that too, but not because of a time
 * that was not settled. A list of 100,000 is not read for each of many. */
int sync_list_before(struct work *w);
/* Of the subscriptions file; 0, -1. */
int subscriptions_stamp(struct store *s, struct stamp *out);
int sync_list_needed(struct store *s, const struct state *st);
/* The list, then each mailbox whether its directory times differ or not. */
int sync_everything(struct store *s, bool deep, bool *changed);
/* Every file of a mailbox read again. */
int sync_deep(struct store *s, uint32_t mailbox);
/* The ids of all mailboxes, to be freed. */
int all_ids(struct store *s, uint32_t **ids, size_t *count);
/*
 * For an index that cannot know what was given out before it: one modseq for
 * each microsecond since 1970, faster they are not given. Until 2255 they
 * stay below 2^53, which is all that some clients can count.
 */
uint64_t modseq_of_now(void);
/* After an unclean boot: everything compared, then the jump. */
int recover(struct store *s, const char *boot);
/* Counts and quota from the records; sets *wrong if they were not so. */
int recount(struct work *w, bool *wrong);

/* ---- mailbox.c ---- */

int box_create(struct work *w, struct bytes name, uint32_t use,
    struct box **out);
/* A record for a folder that is there. */
int box_add(struct work *w, struct bytes name, uint32_t id,
    uint32_t uidvalidity, uint32_t use, struct box **out);
/* The special-use file of a folder. */
int use_write(int folder, uint32_t use);
uint32_t use_read(int folder);
/* Give a box another name in the index; its folder has it already. */
int box_rename(struct work *w, struct box *b, struct bytes name);
bool name_list_has(struct bytes list, struct bytes name);
int box_forget(struct work *w, struct box *b);
/* name and its parents, as far as they are not there. */
int box_create_path(struct work *w, struct bytes name, struct box **out);
int subscriptions_change(struct work *w, struct bytes name, bool on);
/* The file as names, each with a NUL behind it, say. 0, -1. */
int subscriptions_write(struct work *w, struct bytes names);
/* Around changes of ours to the list of folders: after the first only what
 * others did makes the list be read again. */
int list_change_begin(struct work *w);
int list_change_commit(struct work *w);

/* ---- feed.c ---- */

/* Drop old changes, and all but the last max. */
int changes_cut(struct store *s, uint64_t max, int64_t now);

/* ---- annotate.c ---- */

/* Remove what is annotated to a mailbox. 0, -1. */
int annotations_forget(struct work *w, uint32_t mailbox);

/* ---- key.c ---- */

/* The key of a mailbox that is gone; 0: of all. */
int work_key_drop(struct work *w, uint32_t mailbox);

/* ---- watch.c ---- */

void wake(struct store *s);
/* Whether another session reads in a mailbox (store_hold); not our own,
 * which knows what it does. Where that cannot be known, true. */
bool has_readers(struct store *s, uint32_t mailbox);
/*
 * The same, and from now on until readers_let_in: true, nobody else reads
 * there, and who wants to waits (store_hold). Never waits itself; false if it
 * would have to.
 */
bool readers_shut_out(struct store *s, uint32_t mailbox);
void readers_let_in(struct store *s);
void watch_close(struct store *s);
/* Remove what nobody reads any more from expunged/. */
void sweep_expunged(struct store *s);

static inline struct bytes
key_of(const unsigned char *p, size_t n)
{
	return bytes_of(p, n);
}

#endif
