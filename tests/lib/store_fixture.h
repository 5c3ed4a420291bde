/*
 * store_fixture.h - an account in a directory of its own, for tests
 */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "store/internal.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct account_dir {
	char top[64];
	char dir[96], run[96];
	struct store_options o;
	struct store *s;
	char events[4096];	/* names of reports, a blank after each */
};

static inline void
note_event(void *ctx, const struct store_report *r)
{
	struct account_dir *d = ctx;
	size_t n = strlen(d->events);

	(void)snprintf(d->events + n, sizeof(d->events) - n, "%s ", r->event);
}

static inline void
reopen(struct account_dir *d)
{
	store_close(d->s);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
}

static inline int
account_setup(void **state)
{
	struct account_dir *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	(void)snprintf(d->top, sizeof(d->top), "/tmp/store_test.XXXXXX");
	assert_non_null(mkdtemp(d->top));
	(void)snprintf(d->dir, sizeof(d->dir), "%s/alice", d->top);
	(void)snprintf(d->run, sizeof(d->run), "%s/run", d->top);
	assert_int_equal(mkdir(d->run, 0700), 0);
	d->o = (struct store_options){ .account = "alice", .dir = d->dir,
	    .run = d->run, .host = "test.example", .create = true,
	    .report = note_event, .ctx = d };
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	*state = d;
	return 0;
}

static inline void
remove_tree(const char *path)
{
	struct arena a = ARENA_INIT;
	struct dirent *e;
	const char *name;
	DIR *dir;

	(void)chmod(path, 0700);
	if ((dir = opendir(path)) == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		name = arena_printf(&a, "%s/%s", path, e->d_name);
		if (unlink(name) == -1)
			remove_tree(name);
	}
	(void)closedir(dir);
	(void)rmdir(path);
	arena_free(&a);
}

static inline int
account_teardown(void **state)
{
	struct account_dir *d = *state;

	store_close(d->s);
	remove_tree(d->top);
	free(d);
	return 0;
}

/* ---- messages ---- */

static inline struct bytes
text_message(char out[256], const char *subject)
{
	int n = snprintf(out, 256, "From: a@example.org\nSubject: %s\n"
	    "Message-ID: <%s@example.org>\n\nbody of %s\n", subject, subject,
	    subject);

	return bytes_of(out, (size_t)n);
}

static inline uint32_t
deliver_flags(struct account_dir *d, const char *mailbox,
    const char *subject, uint32_t flags)
{
	char text[256];
	struct bytes piece = text_message(text, subject);
	struct store_incoming in = { .pieces = &piece, .count = 1,
	    .flags = flags };
	struct store_delivered out;

	assert_int_equal(store_deliver(d->s, bytes_str(mailbox), &in, &out),
	    0);
	return out.uid;
}

static inline uint32_t
deliver(struct account_dir *d, const char *mailbox, const char *subject)
{
	return deliver_flags(d, mailbox, subject, 0);
}

static inline bool
find_box(struct account_dir *d, const char *name, struct store_mailbox *out)
{
	struct store_view *v = store_view_open(d->s);
	int r;

	assert_non_null(v);
	r = store_mailbox_find(v, bytes_str(name), out);
	assert_int_not_equal(r, -1);
	store_view_close(v);
	return r == 1;
}

static inline struct store_mailbox
box_of(struct account_dir *d, const char *name)
{
	struct store_mailbox m;

	assert_true(find_box(d, name, &m));
	m.name = BYTES_EMPTY;	/* the view is closed */
	return m;
}

static inline uint32_t
id_of(struct account_dir *d, const char *name)
{
	return box_of(d, name).id;
}

/* The flags of a message; asserts that it is there. */
static inline uint32_t
flags_of(struct account_dir *d, uint32_t mailbox, uint32_t uid)
{
	struct store_view *v = store_view_open(d->s);
	struct store_message m;

	assert_non_null(v);
	assert_int_equal(store_message_get(v, mailbox, uid, &m), 1);
	store_view_close(v);
	return m.flags;
}

static inline bool
is_there(struct account_dir *d, uint32_t mailbox, uint32_t uid)
{
	struct store_view *v = store_view_open(d->s);
	struct store_message m;
	int r;

	assert_non_null(v);
	r = store_message_get(v, mailbox, uid, &m);
	assert_int_not_equal(r, -1);
	store_view_close(v);
	return r == 1;
}

/* "uid:subject" of all messages with blanks between. */
static inline const char *
listing(struct account_dir *d, const char *mailbox, char out[4096])
{
	struct store_mailbox box;
	struct store_view *v = store_view_open(d->s);
	struct store_message m;
	size_t n = 0;
	int r;

	out[0] = '\0';
	assert_int_equal(store_mailbox_find(v, bytes_str(mailbox), &box), 1);
	for (r = store_message_first(v, box.id, 1, &m); r == 1;
	    r = store_message_next(v, &m)) {
		struct bytes s = m.envelope, subject;
		int c;

		/* NIL "subject" ... */
		bytes_skip(&s, BYTES("NIL \""));
		bytes_split(&s, '"', &subject);
		c = snprintf(out + n, 4096 - n, "%s%u:%.*s",
		    n == 0 ? "" : " ", m.uid, BYTES_ARG(subject));
		n += (size_t)c;
	}
	assert_int_equal(r, 0);
	store_view_close(v);
	return out;
}

/* ---- proof ---- */

static inline void
print_contradiction(void *ctx, const struct store_contradiction *c)
{
	(void)ctx;
	print_message("# %s %.*s %u %s\n", c->kind, BYTES_ARG(c->mailbox),
	    c->uid, c->detail);
}

static inline void
assert_content(struct account_dir *d)
{
	struct store_verify v = { .found = print_contradiction };
	uint64_t count = 99;

	assert_int_equal(store_verify(d->s, &v, &count), 0);
	assert_int_equal(count, 0);
}

/* ---- files behind the store's back ---- */

static inline const char *
path_of(struct account_dir *d, char out[1024], const char *format, ...)
{
	va_list ap;
	int n = snprintf(out, 1024, "%s/", d->dir);

	va_start(ap, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)vsnprintf(out + n, (size_t)(1024 - n), format, ap);
#pragma GCC diagnostic pop
	va_end(ap);
	return out;
}

/* How many there are in a folder, but for hidden ones. */
static inline unsigned int
files_in(struct account_dir *d, const char *name)
{
	char path[1024];
	DIR *dir = opendir(path_of(d, path, "%s", name));
	struct dirent *e;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

/* The path of a message file. */
static inline const char *
file_of(struct account_dir *d, char out[1024], uint32_t mailbox,
    uint32_t uid)
{
	struct buf b = BUF_INIT(1024);

	assert_int_equal(store_message_path(d->s, mailbox, uid, &b), 0);
	path_of(d, out, "%.*s", BYTES_ARG(buf_bytes(&b)));
	buf_free(&b);
	return out;
}

static inline void
put_file(struct account_dir *d, const char *name, const char *text)
{
	char path[1024];
	int fd = open(path_of(d, path, "%s", name),
	    O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

/* Long enough for a directory time to differ and to settle. */
static inline void
settle(void)
{
	struct timespec t = { 0, 40 * 1000 * 1000 };

	(void)nanosleep(&t, NULL);
}

#define TEST(name, fn) { name, fn, account_setup, account_teardown, NULL }

#endif
