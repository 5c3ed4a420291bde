/*
 * maildir.h - names and small files of a Maildir++ tree
 *
 * Nothing here knows the index. Directories are given as descriptors; names
 * are below them. pipemail-store(5) has the formats.
 */
#ifndef MAILDIR_H
#define MAILDIR_H

#include "base/base.h"

#define MAILDIR_FILE_MAX 255	/* bytes of a file name, NAME_MAX */
/* Bytes of a file name up to ":"; leaves room for ":2," and all letters. */
#define MAILDIR_BASE_MAX 196
#define MAILDIR_KEYWORDS 26	/* letters a-z */

/* ---- message file names: BASE[:2,LETTERS] ---- */

struct maildir_name {
	struct bytes base;	/* up to ":", with ,S= ,W= ,U= */
	struct bytes suffix;	/* from ":" on; may be empty */
	struct bytes letters;	/* after ":2,"; empty for other infos */
	uint64_t size, size_crlf;	/* S= and W=; UINT64_MAX: not given */
	uint32_t uid;		/* U=; 0: not given or not a UID */
	int64_t time;		/* leading number; 0: none */
};
/* Read any file name; fields that are not there or unusable are unset. */
void maildir_name_parse(struct bytes file, struct maildir_name *out);
/* base without its U= field and with ",U=uid" at the end. -1 EMSGSIZE. */
int maildir_name_with_uid(struct buf *out, struct bytes base, uint32_t uid);
/*
 * A new unique name TIME.MusecPpidQseq.HOST (no further fields). The caller
 * counts seq; HOST is escaped (slash, colon, comma as \ooo).
 */
int maildir_name_new(struct buf *out, int64_t now_us, pid_t pid,
    uint64_t seq, const char *host);

/* ---- folders: ".A.B" for the mailbox A/B, "" for the inbox ---- */

/*
 * The folder of a mailbox name (valid, NFC, "/" between levels). "INBOX"
 * becomes "". Modified UTF-7, in which also "." and "&" are never themselves.
 * -1 EBADMSG not UTF-8, EMSGSIZE.
 */
int maildir_folder_format(struct buf *out, struct bytes mailbox);
/* The mailbox of a folder name; -1 EBADMSG when it is no folder name or not
 * as maildir_folder_format would write it. */
int maildir_folder_parse(struct buf *out, struct bytes folder);

/* ---- .uidvalidity: "UIDVALIDITY\nHIGHEST UID\n", as mbsync writes it ---- */

struct maildir_uids {
	uint32_t uidvalidity;
	uint32_t highest;	/* no greater UID was ever given out */
};
/* 1, 0 no such file or empty, -1 (EBADMSG not of that form). */
int maildir_uids_read(int folder, struct maildir_uids *out);
/* Written in place, since mbsync(1) locks the file itself. */
int maildir_uids_write(int folder, const struct maildir_uids *u);
/*
 * Lock the file as mbsync does, waiting at most timeout_ms. The descriptor
 * holds the lock until it is closed; -1 (ETIMEDOUT, ENOENT: no file yet).
 */
int maildir_uids_lock(int folder, int timeout_ms);

/* ---- dovecot-keywords: "INDEX NAME\n" ---- */

struct maildir_keywords {
	char *name[MAILDIR_KEYWORDS];	/* NULL: none; malloc'ed */
};
/* 1, 0 no such file, -1. Lines that cannot be read are passed over. */
int maildir_keywords_read(int folder, struct maildir_keywords *out);
/* Replaced durably. */
int maildir_keywords_write(int folder, const struct maildir_keywords *k);
void maildir_keywords_free(struct maildir_keywords *k);

/* ---- subscriptions: a folder name without its first dot on each line ---- */

/* Bytes of the file, and of its names: some 200,000 of the longest. */
#define MAILDIR_SUBSCRIPTIONS_MAX ((size_t)64 << 20)

/* Mailbox names, each followed by a NUL, added to out. 1, 0 no file, -1. */
int maildir_subscriptions_read(int maildir, struct buf *out);
/* The same list written durably. */
int maildir_subscriptions_write(int maildir, struct bytes names);

/* ---- directories ---- */

/* cur, new and tmp below folder, with mode 0700; those there are kept. */
int maildir_make(int folder);
/*
 * Write the pieces to a new file, mode 0600, with modification time mtime (0:
 * now) and fsync it: first of the three disk commits. The file is closed; on
 * failure it is gone. EEXIST: pick another name.
 */
int maildir_write(int dir, const char *name, const struct bytes *pieces,
    size_t count, int64_t mtime);
/*
 * The same without a name: a crash leaves nothing, and the fsync is cheaper.
 * A descriptor to be given to maildir_publish; -1 (EOPNOTSUPP: the file
 * system has no such files, or may forget their content: use maildir_write).
 */
int maildir_write_unnamed(int dir, const struct bytes *pieces, size_t count,
    int64_t mtime);
/* Give such a file a name; it must not be there yet (EEXIST). */
int maildir_publish(int fd, int dir, const char *name);
/* rename(2) that must not replace; EEXIST. */
int maildir_move(int from_dir, const char *from, int to_dir, const char *to);
/* Replace a small file durably: temporary file, fsync, rename, fsync dir. */
int maildir_replace(int dir, const char *name, struct bytes content);

/* An entry of cur/ or new/. */
struct maildir_entry {
	char *name;
	unsigned char type;	/* DT_REG, DT_UNKNOWN, ... */
};
/*
 * All entries of a directory save those that begin with a dot, in no order,
 * in the arena. 0, -1.
 */
int maildir_scan(struct arena *a, int dir, struct maildir_entry **out,
    size_t *count);
/* Remove a directory and what is in it, two levels deep (a folder). */
int maildir_remove(int dir, const char *name);

#endif
