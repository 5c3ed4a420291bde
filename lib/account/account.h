/*
 * account.h - what the commands over an account share
 *
 * Opening by configuration, operands (mailboxes, UIDs, flags) and the
 * columns of listings. Above config and store.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "base/base.h"
#include "config/config.h"
#include "os/os.h"
#include "store/store.h"

struct account {
	struct store *store;
	struct config *config;	/* NULL: nothing was ever compiled */
	struct arena arena;	/* until account_close */
	/* Called with a line for each thing the store mended; may be NULL. */
	void (*note)(const char *line);
	bool note_each;		/* a line for each adopted message too */
	/* In place of config.cdb; stays the caller's. NULL: it is opened. */
	struct config *use;
	char problem[512];	/* after a failure: why, in words */
	size_t adopted;		/* messages of other programs taken in */
};

/*
 * Open an account with its quota and mailbox names from config.cdb. It is
 * made when it is configured and not there yet; one that is there but not
 * configured is opened with the defaults. a->note, note_each and use are set
 * by the caller, the rest here. -1 with errno; a->problem says why: ENOENT no
 * such account, EPROTONOSUPPORT newer index, EINVAL no account name, EBADMSG
 * config.cdb.
 * Run by the superuser, the process is the folder's owner from then on
 * (os_be_owner).
 */
int account_open(struct account *a, const char *name);
/* Notes in one line how many messages were adopted, if any. */
void account_close(struct account *a);
/*
 * Put into reach what a store needs to be opened and used: the folders of
 * one account and of those who listen to it (made where missing), or with
 * NULL of all accounts; libc's character sets, the kernel's boot id. 0, -1.
 */
int account_reach(struct arena *a, struct os_reach *r, const char *name);
/*
 * What the configuration says for store_open: quota, whether the account is
 * to be made, and the initial mailboxes in the arena (D-14), which must live
 * as long as *o; their names live as long as c.
 */
void account_options(const struct config *c, const char *name,
    struct arena *a, struct store_options *o);
/* Each account that has a folder, configured or not. A folder of accounts that
 * cannot be listed ends the program, with words. */
void account_each(void (*each)(void *ctx, const char *name), void *ctx);
/* Standard output cannot be written: 111, without a word where whoever reads
 * has seen enough and closed the pipe. */
_Noreturn void account_die_write(void);
/* The exit code for an errno of account_open and the store functions. */
int account_exit(int err);
/* "adopted FILE in FOLDER as UID 5" for a report. 0, -1 EMSGSIZE. */
int account_format_report(struct buf *out, const struct store_report *r);

/*
 * The id of a mailbox by name (NULL: the inbox), after a look for outside
 * changes. -1 ENOENT, EINVAL.
 */
int account_mailbox(struct account *a, const char *name, uint32_t *id);
/*
 * UIDs named by operands "7", "3:9", "5:*", "*", or "-": those on standard
 * input with blanks, line feeds or NULs between. Those that are there,
 * ascending, each once, in the arena. -1 EBADMSG not of that form, EMSGSIZE
 * more than ACCOUNT_STDIN_MAX on standard input (a UID has 10 digits: enough
 * for five million).
 */
#define ACCOUNT_STDIN_MAX (64 * 1024 * 1024)
int account_uids(struct account *a, uint32_t mailbox, char *const args[],
    size_t count, uint32_t **uids, size_t *found);
/*
 * The beginning of a command: account_open, account_mailbox (mailbox NULL:
 * none), account_uids; where one fails the program ends with the exit code
 * and the words for it.
 */
void account_start(struct account *a, const char *name, const char *mailbox,
    uint32_t *id);
void account_start_uids(struct account *a, uint32_t mailbox,
    char *const args[], size_t count, uint32_t **uids, size_t *found);
/*
 * store-copy (move: store-move) with its command line, of which usage is the
 * usage. The exit code.
 */
int account_transfer(int argc, char *argv[], bool move, const char *usage);
/*
 * Flag names with commas between: "\Seen" or "seen", "$Junk" or "junk", any
 * keyword. Flags to *flags, others to *names in the arena. -1 EBADMSG.
 */
int account_flags(struct arena *a, struct bytes text, uint32_t *flags,
    struct bytes **names, size_t *count);

/*
 * ---- listings ----
 * Lines are collected while a view is open and written when it is closed:
 * who reads them may take its time, and holds no pages of the index. The walk
 * is the caller's:
 *
 *	account_lines_begin(&l, store);
 *	for (r = first(l.view, from, &x); r == 1; r = account_lines_turn(&l) ?
 *	    first(l.view, behind x, &x) : next(l.view, &x))
 *		account_lines_add(&l, line of x);
 *	account_lines_end(&l);
 *
 * A long listing is of more than one view: what changes meanwhile is listed
 * as it is when its turn comes.
 */
#define ACCOUNT_LINES_BYTES (256 * 1024)	/* of text, for one view: some
					1000 lines, a millisecond's work */
struct account_lines {
	struct store *store;	/* borrowed */
	struct store_view *view;
	struct buf text;
};
/* A failure ends the program, with words, in all of these. */
void account_lines_begin(struct account_lines *l, struct store *s);
void account_lines_add(struct account_lines *l, struct bytes line);
/* Enough is collected: it was written, and l->view is another one now, so that
 * nothing read before may be used. False: go on. */
bool account_lines_turn(struct account_lines *l);
/* The rest is written and standard output flushed; no view is left. */
void account_lines_end(struct account_lines *l);

/* ---- columns ---- */

/* From and subject of a cached ENVELOPE, decoded, in the arena; empty where
 * there is none. */
void account_envelope(struct arena *a, struct bytes envelope,
    struct bytes *from, struct bytes *subject);
/* Flag and keyword names of a message with commas between. */
int account_format_flags(struct buf *out, struct store_view *v,
    const struct store_message *m);
/* "2026-11-20T22:00:00Z". */
int account_format_time(struct buf *out, int64_t seconds);

#endif
