/* Proof, one mailbox: its records against its folder. */
#include "store/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct file {
	char *name;
	struct maildir_name n;
	bool in_new, claimed;
};

struct boxing {
	struct verifying *y;
	const struct mbox *m;
	struct folder *folder;
	struct file *files;
	size_t count;
	struct keywords *keywords;
	struct mbox sum;		/* counts from the records */
};

static int
by_base(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int r = bytes_cmp(x->n.base, y->n.base);

	return r != 0 ? r : bytes_cmp(bytes_str(x->name), bytes_str(y->name));
}

static int
read_dir(struct boxing *b, int dir, bool in_new)
{
	struct maildir_entry *e;
	struct file *f;
	size_t count, i;
	struct stat st;

	if (maildir_scan(&b->y->arena, dir, &e, &count) == -1)
		return -1;
	f = arena_zalloc(&b->y->arena, b->count + count + 1, sizeof(*f));
	if (b->count > 0)
		memcpy(f, b->files, b->count * sizeof(*f));
	b->files = f;
	for (i = 0; i < count; i++) {
		/* What is no file is no message. */
		if (e[i].type != DT_REG && (e[i].type != DT_UNKNOWN ||
		    fstatat(dir, e[i].name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
		    !S_ISREG(st.st_mode)))
			continue;
		f = &b->files[b->count++];
		f->name = e[i].name;
		f->in_new = in_new;
		maildir_name_parse(bytes_str(e[i].name), &f->n);
	}
	return 0;
}

/* The file with that base; one name, else a contradiction. */
static struct file *
find(struct boxing *b, const struct store_message *m)
{
	size_t low = 0, high = b->count, mid;
	struct file *f = NULL, *best = NULL;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (bytes_cmp(b->files[mid].n.base, m->base) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < b->count; low++) {
		f = &b->files[low];
		if (!bytes_eq(f->n.base, m->base))
			break;
		if (best == NULL || bytes_eq(f->n.suffix, m->suffix))
			best = f;
	}
	if (best != NULL)
		best->claimed = true;
	return best;
}

static int
load_keywords(struct boxing *b)
{
	struct verifying *y = b->y;
	struct work w = { .s = y->v->s, .t = y->v->t, .arena = ARENA_INIT };
	struct box box = { .rec = *b->m };
	unsigned int i;

	if (keywords_load(&w, &box) == -1) {
		free(box.keywords);
		arena_free(&w.arena);
		return -1;
	}
	for (i = 0; i < box.keywords->count; i++)
		box.keywords->name[i] = arena_bytes(&y->arena,
		    box.keywords->name[i]);
	arena_free(&w.arena);
	b->keywords = box.keywords;
	return 0;
}

/* ---- a record and its file ---- */

/* The name says what the record knew of it, or what that has become; what is
 * changed since is on the list of names that are to follow. */
static int
check_flags(struct boxing *b, const struct store_message *m,
    const struct file *f)
{
	struct store_message named = *m;
	int listed = 0;

	if (name_is_behind(b->keywords, m) && (listed =
	    naming_has(b->y->v->t, m->mailbox, m->uid)) == -1)
		return -1;
	name_merge(b->keywords, listed == 1 ? b->keywords : NULL,
	    f->n.letters, &named);
	if (named.flags != m->flags ||
	    !keywords_same(&named.keywords, &m->keywords))
		verify_found(b->y, "flags", b->m->name, m->uid,
		    "index flags 0x%lx keywords 0x%llx%s, file name %.*s",
		    (unsigned long)m->flags,
		    (unsigned long long)m->keywords.bits[0],
		    listed == 1 ? " to come" : "",
		    BYTES_ARG(f->n.suffix));
	return 0;
}

static void
check_numbers(struct boxing *b, const struct store_message *m)
{
	struct maildir_name n;

	maildir_name_parse(m->base, &n);
	if (n.uid != m->uid)
		verify_found(b->y, "uid", b->m->name, m->uid,
		    "the file name has U=%lu", (unsigned long)n.uid);
	if (m->uid >= b->m->uidnext || m->uid == 0)
		verify_found(b->y, "uidnext", b->m->name, m->uid,
		    "not below uidnext %lu", (unsigned long)b->m->uidnext);
	if ((n.size != UINT64_MAX && n.size != m->size) ||
	    (n.size_crlf != UINT64_MAX && n.size_crlf != m->size_crlf))
		verify_found(b->y, "size-name", b->m->name, m->uid,
		    "index %llu and %llu, file name S=%llu W=%llu",
		    (unsigned long long)m->size,
		    (unsigned long long)m->size_crlf,
		    (unsigned long long)n.size,
		    (unsigned long long)n.size_crlf);
	if (m->createseq > m->modseq || m->modseq > b->m->modseq ||
	    m->createseq == 0)
		verify_found(b->y, "modseq", b->m->name, m->uid,
		    "createseq %llu modseq %llu, mailbox %llu",
		    (unsigned long long)m->createseq,
		    (unsigned long long)m->modseq,
		    (unsigned long long)b->m->modseq);
}

static void
check_text(struct boxing *b, const struct store_message *m,
    struct bytes content)
{
	struct store_message fresh = { 0 };
	unsigned char key[KEY_MESSAGE];
	struct bytes text, kept;

	message_parse(&b->y->scratch, content, &fresh, &text, NULL);
	key_message(key, m->mailbox, m->uid);
	/* none, or one of an older format, is no contradiction */
	if (kv_get(b->y->v->t, TABLE_TEXT, key_of(key, sizeof(key)),
	    &kept) == 1 && text_differs(kept, text))
		verify_found(b->y, "text", b->m->name, m->uid,
		    "not what the message says");
	if (fresh.size_crlf != m->size_crlf)
		verify_found(b->y, "size", b->m->name, m->uid,
		    "index %llu with CRLF, file %llu",
		    (unsigned long long)m->size_crlf,
		    (unsigned long long)fresh.size_crlf);
	if (m->parse_version != STORE_PARSE_VERSION &&
	    b->y->v->state.phase == PHASE_REPARSE)
		return;		/* still to be read again */
	if (!bytes_eq(fresh.envelope, m->envelope))
		verify_found(b->y, "envelope", b->m->name, m->uid,
		    "not what the message says");
	if (!bytes_eq(fresh.bodystructure, m->bodystructure))
		verify_found(b->y, "bodystructure", b->m->name, m->uid,
		    "not what the message says");
	if (!bytes_eq(fresh.preview, m->preview))
		verify_found(b->y, "preview", b->m->name, m->uid,
		    "not what the message says");
	if (fresh.message_id_hash != m->message_id_hash)
		verify_found(b->y, "message-id", b->m->name, m->uid,
		    "not what the message says");
}

static int
check_file(struct boxing *b, const struct store_message *m,
    const struct file *f)
{
	int fd = openat(f->in_new ? b->folder->new : b->folder->cur, f->name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct bytes content;
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1 || map_fd(fd, &content) == -1) {
		verify_found(b->y, "unreadable", b->m->name, m->uid, "%s",
		    f->name);
		if (fd != -1)
			(void)close(fd);	/* nothing was written */
		return 0;
	}
	if ((uint64_t)st.st_size != m->size)
		verify_found(b->y, "size", b->m->name, m->uid,
		    "index %llu, file %lld", (unsigned long long)m->size,
		    (long long)st.st_size);
	check_text(b, m, content);
	verify_thread_text(b->y, b->m->name, m, content);
	store_unmap(content);
	(void)close(fd);	/* nothing was written through it */
	return 0;
}

/* The feed has what made the message what it is. */
static int
check_feed(struct boxing *b, const struct store_message *m, uint64_t modseq,
    bool created)
{
	struct store_change c;
	int r;

	if (modseq <= b->y->v->state.floor)
		return 0;
	for (r = store_change_first(b->y->v, modseq - 1, &c);
	    r == 1 && c.modseq == modseq;
	    r = store_change_next(b->y->v, &c)) {
		if (c.mailbox == m->mailbox && c.uid_first <= m->uid &&
		    m->uid <= c.uid_last &&
		    (c.kind == STORE_CHANGE_ADDED ||
		    (!created && c.kind == STORE_CHANGE_FLAGS)))
			return 0;
	}
	if (r == -1 && errno != EBADMSG)
		return -1;
	verify_found(b->y, "change", b->m->name, m->uid,
	    "nothing in the change feed at modseq %llu",
	    (unsigned long long)modseq);
	return 0;
}

static int
check_message_id(struct boxing *b, const struct store_message *m)
{
	unsigned char key[16];
	struct bytes value;
	int r;

	if (m->message_id_hash == 0)
		return 0;
	be64_put(key, m->message_id_hash);
	key_message(key + 8, m->mailbox, m->uid);
	r = kv_get(b->y->v->t, TABLE_MESSAGE_ID, key_of(key, 16), &value);
	if (r == 0)
		verify_found(b->y, "message-id", b->m->name, m->uid,
		    "not in the table of Message-IDs");
	return r == -1 ? -1 : 0;
}

static int
check_record(struct boxing *b, const struct store_message *m)
{
	struct file *f = find(b, m);

	arena_reset(&b->y->scratch);
	b->y->ask->messages++;
	b->y->quota += m->size;
	b->sum.total++;
	b->sum.unseen += (m->flags & STORE_SEEN) == 0;
	b->sum.unread += (m->flags & (STORE_SEEN | STORE_DELETED)) == 0;
	b->sum.deleted += (m->flags & STORE_DELETED) != 0;
	b->sum.size_bytes += m->size_crlf;
	check_numbers(b, m);
	if (check_message_id(b, m) == -1 ||
	    verify_thread(b->y, b->m->name, m) == -1 ||
	    check_feed(b, m, m->createseq, true) == -1 ||
	    check_feed(b, m, m->modseq, false) == -1)
		return -1;
	if (f == NULL) {
		verify_found(b->y, "missing-file", b->m->name, m->uid,
		    "%.*s", BYTES_ARG(m->base));
		return 0;
	}
	if (check_flags(b, m, f) == -1)
		return -1;
	return b->y->ask->skip_parse ? 0 : check_file(b, m, f);
}

static int
check_records(struct boxing *b)
{
	struct store_message m;
	struct store_view *v = b->y->v;
	uint32_t uid = 1;
	int r;

	for (r = store_message_first(v, b->m->id, 1, &m); r == 1;
	    r = store_message_next(v, &m)) {
		uid = m.uid;
		if (check_record(b, &m) == -1)
			return -1;
	}
	if (r == -1 && errno == EBADMSG) {
		verify_found(b->y, "record", b->m->name, uid,
		    "the record after this cannot be read");
		return 0;
	}
	return r;
}

/* ---- the mailbox ---- */

static void
check_sums(struct boxing *b)
{
	const struct mbox *m = b->m, *s = &b->sum;

	if (m->total != s->total || m->unseen != s->unseen ||
	    m->unread != s->unread || m->deleted != s->deleted ||
	    m->size_bytes != s->size_bytes)
		verify_found(b->y, "counts", m->name, 0,
		    "total %lu unseen %lu unread %lu deleted %lu size %llu, "
		    "records give %lu %lu %lu %lu %llu",
		    (unsigned long)m->total, (unsigned long)m->unseen,
		    (unsigned long)m->unread, (unsigned long)m->deleted,
		    (unsigned long long)m->size_bytes,
		    (unsigned long)s->total, (unsigned long)s->unseen,
		    (unsigned long)s->unread, (unsigned long)s->deleted,
		    (unsigned long long)s->size_bytes);
}

static void
check_uids_file(struct boxing *b)
{
	struct maildir_uids u;

	if (maildir_uids_read(b->folder->dir, &u) != 1)
		verify_found(b->y, "uidvalidity", b->m->name, 0,
		    "no usable .uidvalidity");
	else if (u.uidvalidity != b->m->uidvalidity)
		verify_found(b->y, "uidvalidity", b->m->name, 0,
		    "index %lu, .uidvalidity %lu",
		    (unsigned long)b->m->uidvalidity,
		    (unsigned long)u.uidvalidity);
}

static int
check_all(struct boxing *b)
{
	size_t i;

	if (read_dir(b, b->folder->new, true) == -1 ||
	    read_dir(b, b->folder->cur, false) == -1 ||
	    load_keywords(b) == -1)
		return -1;
	if (b->count > 0)
		qsort(b->files, b->count, sizeof(*b->files), by_base);
	if (check_records(b) == -1)
		return -1;
	for (i = 0; i < b->count; i++) {
		if (!b->files[i].claimed)
			verify_found(b->y, "stray-file", b->m->name,
			    b->files[i].n.uid, "%s", b->files[i].name);
	}
	check_sums(b);
	check_uids_file(b);
	return 0;
}

int
verify_box(struct verifying *y, const struct mbox *m)
{
	struct boxing b = { .y = y, .m = m };
	int r;

	arena_reset(&y->arena);
	b.folder = folder_open(y->v->s, m->id, m->name);
	if (b.folder == NULL) {
		verify_found(y, "folder", m->name, 0,
		    "the folder cannot be opened");
		return 0;
	}
	r = check_all(&b);
	free(b.keywords);
	return r;
}
