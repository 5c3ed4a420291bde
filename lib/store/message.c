/* Message files: finding, mapping, parsing. */
#include "store/internal.h"
#include "mime/mime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void
expunged_name(char out[EXPUNGED_NAME_MAX], uint32_t mailbox, uint32_t uid)
{
	/* Two numbers of at most ten digits always fit. */
	(void)snprintf(out, EXPUNGED_NAME_MAX, "expunged/%u.%u",
	    (unsigned int)mailbox, (unsigned int)uid);
}

int
message_name(char out[MAILDIR_FILE_MAX + 1], struct bytes base,
    struct bytes suffix)
{
	if (base.n + suffix.n > MAILDIR_FILE_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(out, base.p, base.n);
	memcpy(out + base.n, suffix.p, suffix.n);
	out[base.n + suffix.n] = '\0';
	return 0;
}

int
message_base_new(struct store *s, const struct store_message *m,
    struct buf *out)
{
	struct buf b = BUF_INIT(MAILDIR_FILE_MAX);
	int r = maildir_name_new(&b, time_wall_us(), getpid(), ++s->seq,
	    s->host);

	if (r == 0)
		r = buf_printf(&b, ",S=%llu,W=%llu",
		    (unsigned long long)m->size,
		    (unsigned long long)m->size_crlf);
	buf_reset(out);
	if (r == 0)
		r = maildir_name_with_uid(out, buf_bytes(&b), m->uid);
	buf_free(&b);
	return r;
}

struct store_message
message_copy(struct arena *a, const struct store_message *m)
{
	struct store_message c = *m;

	c.base = arena_bytes(a, m->base);
	c.suffix = arena_bytes(a, m->suffix);
	c.envelope = arena_bytes(a, m->envelope);
	c.bodystructure = arena_bytes(a, m->bodystructure);
	c.preview = arena_bytes(a, m->preview);
	c.extension = arena_bytes(a, m->extension);
	return c;
}

/* ---- finding ---- */

int
message_assume(const struct folder *f, const struct store_message *m,
    struct place *out)
{
	out->dir = m->suffix.n > 0 ? f->cur : f->new;
	return message_name(out->name, m->base, m->suffix);
}

static int
try_name(int dir, struct bytes base, struct bytes suffix, struct place *out)
{
	struct place p = { .dir = dir };
	struct stat st;

	if (message_name(p.name, base, suffix) == -1)
		return 0;
	if (fstatat(dir, p.name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	*out = p;
	return 1;
}

/* Another program changed its flags: the base stays. */
static int
search_dir(int dir, struct bytes base, struct place *out)
{
	struct arena a = ARENA_INIT;
	struct maildir_entry *e;
	struct maildir_name n;
	size_t count, i;
	int r = 0;

	if (maildir_scan(&a, dir, &e, &count) == -1)
		r = -1;
	for (i = 0; r == 0 && i < count; i++) {
		maildir_name_parse(bytes_str(e[i].name), &n);
		if (bytes_eq(n.base, base))
			r = try_name(dir, n.base, n.suffix, out);
	}
	arena_free(&a);
	return r;
}

int
message_find(struct folder *f, const struct store_message *m,
    struct place *out)
{
	struct bytes seen = BYTES(":2,");
	int r = 0;

	if (m->suffix.n > 0)
		r = try_name(f->cur, m->base, m->suffix, out);
	if (r == 0)
		r = try_name(f->new, m->base, BYTES_EMPTY, out);
	if (r == 0)
		r = try_name(f->cur, m->base, seen, out);
	if (r == 0)
		r = try_name(f->cur, m->base, BYTES_EMPTY, out);
	return r;
}

int
message_locate(struct folder *f, const struct store_message *m,
    struct place *out)
{
	int r = message_find(f, m, out), tries;

	/* Twice: it may be renamed while we read the directory. */
	for (tries = 0; r == 0 && tries < 2; tries++) {
		r = search_dir(f->cur, m->base, out);
		if (r == 0)
			r = search_dir(f->new, m->base, out);
	}
	return r;
}

/* ---- reading ---- */

static int
open_record(struct store_view *v, const struct store_message *m,
    struct place *where)
{
	struct store_mailbox box;
	struct folder *f;
	int r = store_mailbox_get(v, m->mailbox, &box);

	if (r == 1 && (f = folder_open(v->s, box.id, box.name)) != NULL) {
		r = message_locate(f, m, where);
		if (r == 1)
			return 0;
	}
	if (r == 0)
		errno = ENOENT;
	return -1;
}

static int
open_at(int dir, const char *name)
{
	return openat(dir, name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

/* As it stands in the index, or where an expunge put it. */
static int
locate_uid(struct store_view *v, uint32_t mailbox, uint32_t uid,
    struct place *where)
{
	struct store_message m;
	int r = store_message_get(v, mailbox, uid, &m);

	if (r == -1)
		return -1;
	if (r == 1 && (open_record(v, &m, where) == 0 || errno != ENOENT))
		return where->name[0] == '\0' ? -1 : 0;
	where->dir = v->s->dir;
	expunged_name(where->name, mailbox, uid);
	return 0;
}

/* Under the name the record has: the usual case in one call. -1: it may have
 * another one, or be expunged. */
static int
open_named(struct store_view *v, const struct store_message *m)
{
	char name[MAILDIR_FILE_MAX + 1];
	struct store_mailbox box;
	struct folder *f;

	if (store_mailbox_get(v, m->mailbox, &box) != 1 ||
	    (f = folder_open(v->s, box.id, box.name)) == NULL ||
	    message_name(name, m->base, m->suffix) == -1)
		return -1;
	return open_at(m->suffix.n > 0 ? f->cur : f->new, name);
}

static int
open_anywhere(struct store_view *v, uint32_t mailbox, uint32_t uid)
{
	struct place where = { .name = "" };
	int fd = -1, tries;

	for (tries = 0; fd == -1 && tries < 3; tries++) {
		if (locate_uid(v, mailbox, uid, &where) == -1)
			break;
		fd = open_at(where.dir, where.name);
		if (fd == -1 && errno != ENOENT)
			break;
	}
	return fd;
}

/* store_message_fd; *st is that of the file. */
static int
message_open(struct store *s, uint32_t mailbox, uint32_t uid,
    struct stat *st)
{
	struct store_view *v = store_view_open(s);
	struct store_message m;
	bool changed = false;
	int fd = -1, err, r;

	if (v == NULL)
		return -1;
	r = store_message_get(v, mailbox, uid, &m);
	if (r == 1)
		fd = open_named(v, &m);
	if (r != -1 && fd == -1)
		fd = open_anywhere(v, mailbox, uid);
	if (fd != -1 && fstat(fd, st) == -1) {
		err = errno;
		(void)close(fd);	/* nothing was written through it */
		errno = err;
		fd = -1;
	}
	/* Of another size than the record in v says. */
	if (fd != -1)
		changed = r == 1 && (uint64_t)st->st_size != m.size;
	store_view_close(v);
	if (changed) {
		(void)close(fd);	/* nothing was written through it */
		fd = -1;
		if (message_renew(s, mailbox, uid) == 0)
			errno = ENOENT;
	}
	return fd;
}

int
store_message_fd(struct store *s, uint32_t mailbox, uint32_t uid)
{
	struct stat st;

	return message_open(s, mailbox, uid, &st);
}

/* A copy in memory: nobody can cut it short under its reader. */
static int
read_fd(int fd, size_t n, struct bytes *out)
{
	unsigned char *p = malloc(n);
	size_t have = 0;
	ssize_t r = 1;

	while (p != NULL && have < n && r > 0) {
		r = pread(fd, p + have, n - have, (off_t)have);
		if (r == -1 && errno == EINTR)
			r = 1;
		else if (r > 0)
			have += (size_t)r;
		else if (r == 0)
			errno = ESTALE;
	}
	if (p == NULL || have < n) {
		free(p);	/* keeps errno */
		return -1;
	}
	*out = bytes_of(p, n);
	return 0;
}

static int
map_open(int fd, const struct stat *st, struct bytes *out)
{
	void *p;

	if (!S_ISREG(st->st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if (st->st_size == 0) {
		*out = BYTES_EMPTY;
		return 0;
	}
	if (st->st_size <= STORE_READ_MAX)
		return read_fd(fd, (size_t)st->st_size, out);
	p = mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	*out = bytes_of(p, (size_t)st->st_size);
	return 0;
}

int
map_fd(int fd, struct bytes *out)
{
	struct stat st;

	return fstat(fd, &st) == -1 ? -1 : map_open(fd, &st, out);
}

int
store_message_map(struct store *s, uint32_t mailbox, uint32_t uid,
    struct bytes *out)
{
	struct stat st;
	int fd = message_open(s, mailbox, uid, &st), r, err;

	if (fd == -1)
		return -1;
	r = map_open(fd, &st, out);
	err = errno;
	(void)close(fd);	/* nothing was written through it */
	errno = err;
	return r;
}

/* An open folder, even if it is none any more: no file is in it then. */
static struct folder *
folder_known(struct store_view *v, uint32_t mailbox)
{
	struct store_mailbox box;
	size_t i;

	for (i = 0; i < FOLDERS_OPEN; i++) {
		if (v->s->folders[i].mailbox == mailbox)
			return &v->s->folders[i];
	}
	return store_mailbox_get(v, mailbox, &box) == 1
	    ? folder_open(v->s, mailbox, box.name) : NULL;
}

/* Exactly n bytes, to be freed. */
static bool
read_whole(int fd, size_t n, struct bytes *out)
{
	unsigned char *p = mem_alloc(n + 1);	/* one more: it is longer */
	ssize_t r = read(fd, p, n + 1);

	if (r == -1 || (size_t)r != n) {
		free(p);
		return false;
	}
	*out = bytes_of(p, n);
	return true;
}

static int
open_name(int dir, struct bytes base, struct bytes suffix)
{
	char name[MAILDIR_FILE_MAX + 1];

	return message_name(name, base, suffix) == -1 ? -1
	    : open_at(dir, name);
}

int
store_message_quick(struct store_view *v, const struct store_message *m,
    struct bytes *out)
{
	struct folder *f = m->size == 0 || m->size > STORE_READ_MAX ? NULL
	    : folder_known(v, m->mailbox);
	int fd, r;

	if (f == NULL)
		return 0;
	/* Without a suffix it was not seen, or a session saw it. */
	fd = open_name(f->cur, m->base, m->suffix.n > 0 ? m->suffix
	    : BYTES(":2,"));
	if (fd == -1 && m->suffix.n == 0)
		fd = open_name(f->new, m->base, BYTES_EMPTY);
	if (fd == -1)
		return 0;
	r = read_whole(fd, (size_t)m->size, out);
	(void)close(fd);	/* nothing was written through it */
	return r;
}

void
store_unmap(struct bytes m)
{
	if (m.n > STORE_READ_MAX)
		(void)munmap((void *)(uintptr_t)m.p, m.n); /* our own map */
	else if (m.n > 0)
		free((void *)(uintptr_t)m.p);
}

int
store_message_path(struct store *s, uint32_t mailbox, uint32_t uid,
    struct buf *out)
{
	struct store_view *v = store_view_open(s);
	struct place where = { .name = "" };
	struct store_mailbox box;
	struct folder *f;
	int r = -1;

	if (v == NULL)
		return -1;
	if (locate_uid(v, mailbox, uid, &where) == 0) {
		if (where.dir == s->dir) {
			r = faccessat(s->dir, where.name, F_OK, 0);
		} else if (store_mailbox_get(v, mailbox, &box) == 1 &&
		    (f = folder_open(s, box.id, box.name)) != NULL) {
			(void)buf_adds(out, "Maildir/");  /* full tells */
			r = folder_name(out, box.name);
			if (box.name.n != 5 ||
			    !bytes_eq(box.name, BYTES("INBOX")))
				(void)buf_addc(out, '/');	/* full tells */
			(void)buf_adds(out, where.dir == f->new ? "new/"
			    : "cur/");		/* full tells */
		}
		(void)buf_adds(out, where.name);	/* full tells */
		if (r == 0 && out->full) {
			errno = EMSGSIZE;
			r = -1;
		}
	}
	store_view_close(v);
	return r;
}

/* ---- parsing ---- */

uint64_t
store_message_id_hash(struct bytes message_id)
{
	struct arena a = ARENA_INIT;
	unsigned char h[32];
	uint64_t n;

	sha256_of(arena_lower(&a, message_id), h);
	arena_free(&a);
	n = be64_get(h);
	return n == 0 ? 1 : n;
}

static struct bytes
kept(struct arena *a, struct buf *b)
{
	return b->full ? BYTES_EMPTY : arena_bytes(a, buf_bytes(b));
}

void
message_parse(struct arena *a, struct bytes content, struct store_message *m,
    struct bytes *text_record, struct gram_set **set)
{
	struct gram_set *own = NULL, **g = set != NULL ? set : &own;
	struct buf text = BUF_INIT(TEXT_MAX);
	struct bytes header, body, ids, id;
	struct mime_tree *tree = mime_parse(a, content);

	mime_split(content, &header, &body);
	m->parse_version = STORE_PARSE_VERSION;
	m->size = content.n;
	m->size_crlf = mime_crlf_size(content);
	/* Too long a text is left out (full tells): readers make their own. */
	(void)mime_format_envelope(a, &text, header);
	m->envelope = kept(a, &text);
	buf_reset(&text);
	(void)mime_format_bodystructure(a, &text, tree, true);
	m->bodystructure = kept(a, &text);
	buf_free(&text);
	m->preview = mime_preview(a, tree, PREVIEW_CHARS);
	if (text_record != NULL) {
		if (*g == NULL)
			*g = gram_set_new();
		*text_record = message_text(a, tree, *g);
	}
	gram_set_free(own);
	m->message_id_hash = 0;
	ids = mime_field_value(a, header, BYTES("Message-ID"));
	if (mime_next_msg_id(a, &ids, &id))
		m->message_id_hash = store_message_id_hash(id);
}
