/*
 * Opening an account: directories, environment, format, and what a new boot
 * or a damaged index asks for.
 */
#include "store/lock.h"
#include "store/mark.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define HOST_MAX 256

const struct store_initial STORE_INITIAL_DEFAULT[STORE_INITIALS] = {
	{ "Sent", STORE_USE_SENT }, { "Archive", STORE_USE_ARCHIVE },
	{ "Trash", STORE_USE_TRASH }, { "Drafts", STORE_USE_DRAFTS },
	{ "Junk", STORE_USE_JUNK },
};

static const char *const table_names[] = {
	"meta", "mailbox", "mailbox_name", "keyword", "message", "change",
	"message_id", "annotation", "setting", "text", "thread",
	"thread_member", "thread_subject", "sent_to", "uid", "naming",
	"left", "word", "origin", "history", "unsettled", "rate",
	"sent_domain", "train", "untrain", NULL,
};

const char *
store_account(const struct store *s)
{
	return s->account;
}

/* ---- directories ---- */

static int
make_parents(const char *path)
{
	char *p = mem_strdup(path), *slash;
	int r = 0, err;

	for (slash = strchr(p + 1, '/'); slash != NULL && r == 0;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(p, 0700) == -1 && errno != EEXIST)
			r = -1;
		*slash = '/';
	}
	err = errno;
	free(p);
	errno = err;
	return r;
}

static int
open_account_dir(struct store *s, bool create)
{
	s->dir = open(s->path, DIR_FLAGS);
	if (s->dir != -1 || errno != ENOENT || !create)
		return s->dir == -1 ? -1 : 0;
	if (make_parents(s->path) == -1 ||
	    (mkdir(s->path, 0700) == -1 && errno != EEXIST))
		return -1;
	s->dir = open(s->path, DIR_FLAGS);
	return s->dir == -1 ? -1 : 0;
}

static bool
has_index(struct store *s)
{
	return faccessat(s->dir, "index/data.mdb", F_OK, 0) == 0;
}

/*
 * The Maildir is made for a new account only: next to an index its absence
 * means that something is wrong (a file system not mounted, a bad restore),
 * and an empty one would empty the index.
 */
static int
open_maildir(struct store *s, bool *made)
{
	*made = false;
	s->maildir = openat(s->dir, "Maildir", DIR_FLAGS);
	if (s->maildir == -1 && errno == ENOENT) {
		if (has_index(s)) {
			report(s, "no-maildir", BYTES_EMPTY, s->path, 0);
			errno = ENOENT;
			return -1;
		}
		if (mkdirat(s->dir, "Maildir", 0700) == -1 &&
		    errno != EEXIST)
			return -1;
		s->maildir = openat(s->dir, "Maildir", DIR_FLAGS);
		if (s->maildir != -1 && maildir_make(s->maildir) == -1)
			return -1;
		*made = true;
	}
	if (s->maildir == -1 || fstat(s->maildir, &s->maildir_file) == -1 ||
	    fstat(s->dir, &s->dir_file) == -1)
		return -1;
	if (mkdirat(s->dir, "expunged", 0700) == -1 && errno != EEXIST)
		return -1;
	return 0;
}

/* ---- the environment ---- */

static bool
same_boot(struct store *s, const char *boot)
{
	struct buf b = BUF_INIT(128);
	bool r = io_read_file(s->dir, "index/boot", &b) == 0 &&
	    bytes_eq(bytes_trim(buf_bytes(&b)), bytes_str(boot));

	buf_free(&b);
	return r;
}

static int
write_boot(struct store *s, const char *boot)
{
	int fd = openat(s->dir, "index", DIR_FLAGS | O_NOFOLLOW), r, err;

	if (fd == -1)
		return -1;
	r = maildir_replace(fd, "boot", bytes_str(boot));
	err = errno;
	(void)close(fd);	/* a directory */
	errno = err;
	return r;
}

static int
set_aside(struct store *s, const char *why)
{
	char name[64];
	int n = snprintf(name, sizeof(name), "index.broken-%lld",
	    (long long)(time_wall_us() / 1000000));

	if (n < 0 || (size_t)n >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	report(s, "damaged-index", BYTES_EMPTY, why, 0);
	if (maildir_move(s->dir, "index", s->dir, name) == -1)
		return -1;
	return fsync(s->dir);
}

static int
open_kv(struct store *s)
{
	struct arena a = ARENA_INIT;

	if (mkdirat(s->dir, "index", 0700) == 0) {
		if (fsync(s->dir) == -1)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	tell_wait(s, true);
	s->kv = kv_open_proved(arena_printf(&a, "%s/index", s->path),
	    STORE_MAP_BYTES, table_names, s->dir, "index/boot");
	tell_wait(s, false);
	arena_free(&a);
	if (s->kv == NULL)
		return -1;
	return fstatat(s->dir, "index/data.mdb", &s->index_file, 0);
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* It is gone, or another one, at a path or a name in the account; what
 * cannot be looked at now may be the same. */
static bool
is_replaced(int dir, const char *name, const struct stat *ours)
{
	struct stat now;

	if (fstatat(dir, name, &now, 0) == -1)
		return errno == ENOENT || errno == ENOTDIR;
	return !same_file(&now, ours);
}

bool
store_stale(const struct store *s)
{
	return is_replaced(s->dir, "index/data.mdb", &s->index_file) ||
	    is_replaced(s->dir, "Maildir", &s->maildir_file) ||
	    is_replaced(AT_FDCWD, s->path, &s->dir_file);
}

int
check_pages(struct store *s, const char **why)
{
	struct arena a = ARENA_INIT;
	int r = kv_check(arena_printf(&a, "%s/index", s->path), why);

	arena_free(&a);
	return r;
}

/* Formats are looked at before anything else is believed; 0: there is none
 * yet. */
static int
check_format(struct store *s, uint32_t *format)
{
	struct kv_txn *t = kv_begin(s->kv, false);
	char text[80];
	struct bytes v;
	int r;

	if (t == NULL)
		return -1;
	r = kv_get(t, TABLE_META, BYTES("format"), &v);
	*format = r == 1 && v.n == 4 ? be32_get(v.p) : 0;
	if (r == 1 && v.n != 4) {
		kv_suspect();
		errno = EBADMSG;
		r = -1;
	} else if (r == 1 && be32_get(v.p) > STORE_FORMAT) {
		(void)snprintf(text, sizeof(text),
		    "index format %lu, this version knows up to %d",
		    (unsigned long)be32_get(v.p), STORE_FORMAT); /* fits */
		report(s, "newer-format", BYTES_EMPTY, text, 0);
		errno = EPROTONOSUPPORT;
		r = -1;
	}
	kv_abort(t);
	return r == -1 ? -1 : 0;
}

/* ---- a new index ---- */

static int
add_inbox(struct work *w)
{
	struct maildir_uids uids = { 0, 0 };
	struct box *b;
	uint32_t id, uidvalidity;

	if (work_new_ids(w, &id, &uidvalidity) == -1)
		return -1;
	if (maildir_uids_read(w->s->maildir, &uids) != 1)
		uids = (struct maildir_uids){ uidvalidity, 0 };
	if (uids.uidvalidity > w->state.last_uidvalidity)
		w->state.last_uidvalidity = uids.uidvalidity;
	if (box_add(w, BYTES("INBOX"), id, uids.uidvalidity, 0, &b) == -1 ||
	    work_box_open(w, id) == NULL)
		return -1;
	return maildir_uids_write(b->folder->dir, &uids);
}

static int
add_initial(struct work *w, const struct store_options *o)
{
	const struct store_initial *in = o->initial;
	size_t n = o->initials, i;
	struct bytes name;
	struct box *b;

	if (in == NULL) {
		in = STORE_INITIAL_DEFAULT;
		n = STORE_INITIALS;
	}
	for (i = 0; i < n; i++) {
		if (store_name_check(&w->arena, bytes_str(in[i].name), &name,
		    NULL) == -1)
			return -1;
		if (work_box_named(w, name) != NULL)
			continue;
		if (errno != ENOENT || box_create_path(w, name, &b) == -1)
			return -1;
		b->rec.use = in[i].use & STORE_USE_ALL;
		if (b->rec.use != 0 &&
		    use_write(b->folder->dir, b->rec.use) == -1)
			return -1;
		b->dirty = true;
	}
	return subscriptions_change(w, BYTES("INBOX"), true);
}

/* 1: another process did it meanwhile. */
static int
init_state(struct work *w, const char *boot, bool new_account)
{
	unsigned char format[4];
	struct bytes v;
	struct buf b = BUF_INIT(1024);
	int r = kv_get(w->t, TABLE_META, BYTES("format"), &v);

	if (r != 0)
		return r;
	/* What clients know of an index before it is not to be taken for
	 * this one's (RFC 7162). */
	w->modseq = new_account ? 1 : modseq_of_now();
	w->state = (struct state){ .next_mailbox = 1,
	    .modseq = w->modseq - 1, .phase = PHASE_ASSIGN };
	memcpy(w->state.boot, boot, sizeof(w->state.boot));
	be32_put(format, STORE_FORMAT);
	r = kv_put(w->t, TABLE_META, BYTES("format"), bytes_of(format, 4));
	if (r == 0)
		r = state_encode(&b, &w->state);
	if (r == 0)
		r = kv_put(w->t, TABLE_META, BYTES("state"), buf_bytes(&b));
	buf_free(&b);
	return r;
}

static int
fill_index(struct store *s, const struct store_options *o, const char *boot,
    bool with_initial)
{
	struct work w = { .s = s, .arena = ARENA_INIT,
	    .record = BUF_INIT(4 * 1024 * 1024) };
	bool changed;
	int r;

	if ((w.t = work_lock(s)) == NULL)
		return -1;
	r = init_state(&w, boot, with_initial);
	/* There is no index yet that an empty Maildir could empty. */
	if (r == 0 && maildir_make(s->maildir) == 0 &&
	    add_inbox(&w) == 0 && sync_list(&w, false, &changed) != -1 &&
	    (!with_initial || add_initial(&w, o) == 0)) {
		w.durable = true;
		return work_commit(&w);
	}
	work_abort(&w);
	return r == 1 ? 0 : -1;
}

/* Everything a Maildir says about messages goes into a new index. */
static int
build(struct store *s, const struct store_options *o, const char *boot,
    bool with_initial)
{
	bool changed;

	if (fill_index(s, o, boot, with_initial) == -1 ||
	    sync_everything(s, false, &changed) == -1 ||
	    store_finish(s) == -1)
		return -1;
	return write_boot(s, boot);
}

/* Who builds an index holds it for as long as that takes. */
static int
lock_account(struct store *s)
{
	int r;

	tell_wait(s, true);
	r = flock(s->dir, LOCK_EX);
	tell_wait(s, false);
	return r;
}

int
replace_index(struct store *s, const char *why)
{
	char boot[37];
	int r = -1, err;

	if (lock_account(s) == -1)
		return -1;
	kv_close(s->kv);
	s->kv = NULL;
	folder_close_all(s);
	if (set_aside(s, why) == 0 && open_kv(s) == 0 &&
	    mark_of(s, boot) == 0)
		r = build(s, NULL, boot, false);
	err = errno;
	(void)flock(s->dir, LOCK_UN);	/* closing would do it too */
	errno = err;
	return r;
}

/* Whether the index is of another boot, or a copy. 1, 0, -1. */
static int
needs_recovery(struct store *s, const char *boot)
{
	struct store_view *v = store_view_open(s);
	int r;

	if (v == NULL)
		return -1;
	r = memcmp(v->state.boot, boot, MARK_SIZE) != 0;
	s->swept = v->state.swept;
	s->behind = v->state.phase != PHASE_DONE;
	s->names_behind = kv_count(v->t, TABLE_NAMING) > 0 ||
	    kv_count(v->t, TABLE_LEFT) > 0;
	store_view_close(v);
	return r;
}

/* With all that is read in it, if it was suspected. */
static int
open_checked(struct store *s, uint32_t *format)
{
	const char *why = "cannot be opened";
	bool suspected = has_index(s) && !store_trusted(s);

	if (has_index(s) && check_pages(s, &why) == -1) {
		if (errno != EBADMSG || set_aside(s, why) == -1)
			return -1;
		suspected = false;
	}
	if (open_kv(s) == -1 && (errno != EBADMSG ||
	    set_aside(s, why) == -1 || open_kv(s) == -1))
		return -1;
	if (check_format(s, format) == 0 && (!suspected ||
	    *format != STORE_FORMAT || check_suspected(s) == 0))
		return 0;
	if (!suspected || errno != EBADMSG)
		return -1;
	kv_close(s->kv);
	s->kv = NULL;
	if (set_aside(s, "a record cannot be read") == -1 || open_kv(s) == -1)
		return -1;
	return check_format(s, format);
}

/* Under the account lock: nobody else builds or sets aside. */
static int
open_carefully(struct store *s, const struct store_options *o, bool made)
{
	char boot[37];
	uint32_t format;
	int r;

	if (open_checked(s, &format) == -1 || mark_of(s, boot) == -1)
		return -1;
	if (format == 0)
		return build(s, o, boot, made);
	if (format < STORE_FORMAT && (renew_mark(s, boot) == -1 ||
	    upgrade_format(s, format) == -1))
		return -1;
	if ((r = needs_recovery(s, boot)) == 1)
		r = recover(s, boot);
	if (r == 0 && !same_boot(s, boot))
		r = write_boot(s, boot);
	return r;
}

static int
open_index(struct store *s, const struct store_options *o, bool made)
{
	char boot[37];
	uint32_t format;
	int r, err;

	if (mark_of(s, boot) == -1)
		return -1;
	if (has_index(s) && same_boot(s, boot) && open_kv(s) == 0) {
		if (check_format(s, &format) == -1)
			return -1;
		if (format == STORE_FORMAT && needs_recovery(s, boot) == 0)
			return 0;
		kv_close(s->kv);
		s->kv = NULL;
	}
	if (lock_account(s) == -1)
		return -1;
	r = open_carefully(s, o, made);
	err = errno;
	(void)flock(s->dir, LOCK_UN);	/* closing would do it too */
	errno = err;
	return r;
}

/* ---- opening and closing ---- */

static void
sweep_sometimes(struct store *s)
{
	int64_t now = time_wall_us() / 1000000;
	struct work w;

	if (now - s->swept < SWEEP_SECONDS || work_begin(s, &w) == -1)
		return;
	if (now - w.state.swept < SWEEP_SECONDS) {
		work_abort(&w);
		return;
	}
	w.state.swept = now;
	w.dirty = true;
	if (work_commit(&w) == -1)
		return;
	(void)store_sweep(s);	/* tried again in an hour, as this */
	(void)changes_cut(s, CHANGES_MAX, now);
	(void)rates_sweep(s, now);	/* the same */
}

static struct store *
new_store(const struct store_options *o)
{
	struct store *s = mem_zalloc(1, sizeof(*s));
	struct arena a = ARENA_INIT;
	char host[HOST_MAX];
	size_t i;

	s->dir = s->maildir = s->fifo = s->watch = s->readers = -1;
	for (i = 0; i < FOLDERS_OPEN; i++)
		s->folders[i] = (struct folder){ .dir = -1, .tmp = -1,
		    .new = -1, .cur = -1 };
	s->account = mem_strdup(o->account);
	s->path = mem_strdup(o->dir != NULL ? o->dir
	    : arena_printf(&a, "%s/accounts/%s", dir_var(), o->account));
	s->run = mem_strdup(o->run != NULL ? o->run : dir_run());
	if (o->host == NULL && os_hostname(host, sizeof(host)) == -1)
		host[0] = '\0';
	s->host = mem_strdup(o->host != NULL ? o->host : host);
	s->hostname = o->hostname == NULL ? NULL : mem_strdup(o->hostname);
	s->quota_bytes = o->quota_bytes;
	s->no_text = o->no_text;
	s->junk_flags = o->junk_flags;
	s->junk_patterns = junk_patterns_new(o);
	s->training = o->junk.training;
	s->grams = o->junk.grams == 0 ? 1 : o->junk.grams;
	s->report = o->report;
	s->wait = o->wait;
	s->ctx = o->ctx;
	s->desk = o->desk;
	arena_free(&a);
	return s;
}

struct store *
store_open(const struct store_options *o)
{
	struct store *s;
	bool made;
	int err;

	if (!store_account_valid(o->account)) {
		errno = EINVAL;
		return NULL;
	}
	s = new_store(o);
	if (open_account_dir(s, o->create) == 0 &&
	    open_maildir(s, &made) == 0 && open_index(s, o, made) == 0 &&
	    training_begin(s) == 0) {
		if (s->behind || s->names_behind)
			(void)store_background(s);	/* tried again */
		sweep_sometimes(s);
		return s;
	}
	err = errno;
	store_close(s);
	errno = err;
	return NULL;
}

void
store_close(struct store *s)
{
	struct timespec pause = { 0, STORE_NAMES_PAUSE_US * 1000L };
	bool reader;

	if (s == NULL)
		return;
	while (s->names_ours && names_piece(s) == 1)
		(void)nanosleep(&pause, NULL);	/* cut short does no harm */
	if (s->train_behind)
		training_close(s);
	reader = s->readers != -1;
	watch_close(s);
	if (reader)
		sweep_expunged(s);	/* what was kept for us */
	watch_close(s);
	folder_close_all(s);
	kv_close(s->kv);
	if (s->maildir != -1)
		(void)close(s->maildir);	/* a directory */
	if (s->dir != -1)
		(void)close(s->dir);	/* a directory */
	junk_patterns_free(s->junk_patterns);
	gram_set_free(s->text_set);
	junk_cache_free(s->junk_cache);
	free(s->account);
	free(s->path);
	free(s->run);
	free(s->host);
	free(s->hostname);
	free(s);
}
