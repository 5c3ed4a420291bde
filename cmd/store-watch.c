/* store-watch - print what changes in an account. See store-watch(1) */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"
#include "json/json.h"
#include "os/os.h"

#define LINE_MAX_BYTES 65536
/* Changes of other programs are looked for that often where the kernel does
 * not tell of them. */
#define LOOK_MS 1000

static const char usage[] = "usage: store-watch [-0j] -a account "
    "[-k kind] [-m mailbox] [-n count] [-s modseq] [-t seconds]";

/* enum store_change_kind */
static const char *const kinds[] = { NULL, "added", "flags", "expunged",
    "mailbox-added", "mailbox-removed", "mailbox-renamed", "use",
    "subscribed", "unsubscribed", "keywords", "annotation" };
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

enum { FEED, CUR, NEW, OUT, WAITS };

struct watch {
	struct account a;
	const char *name, *mailbox;
	uint32_t id;		/* of mailbox, 0: all */
	size_t kind;		/* 0: all */
	uint64_t left;		/* changes until the end */
	bool from_now, json;
	int end;
	uint64_t since;
	int64_t deadline;
	struct pollfd fd[WAITS];
	struct account_lines out;
	struct buf line;
};

static void
note(const char *line)
{
	msg_info("%s", line);
}

static size_t
find_kind(const char *name)
{
	size_t i;

	for (i = 1; i < KINDS; i++) {
		if (strcmp(kinds[i], name) == 0)
			return i;
	}
	msg_die(EXIT_PERM, "cannot watch for %s: no such kind of change",
	    name);
}

/* ---- lines ---- */

static bool
has_uids(const struct store_change *c)
{
	return c->kind == STORE_CHANGE_ADDED ||
	    c->kind == STORE_CHANGE_FLAGS || c->kind == STORE_CHANGE_EXPUNGED;
}

/* The mailbox's name; empty when it was removed since. */
static struct bytes
box_name(struct store_view *v, const struct store_change *c)
{
	struct store_mailbox box;
	int r;

	if (c->name.n > 0)
		return c->name;
	r = store_mailbox_get(v, c->mailbox, &box);
	if (r == -1)
		msg_diesys(account_exit(errno), "cannot read the index");
	return r == 1 ? box.name : BYTES_EMPTY;
}

/* A full buffer is told by the caller's buf_addc. */
static void
format_columns(struct buf *b, struct bytes name, const struct store_change *c)
{
	(void)buf_printf(b, "%llu\t%s\t", (unsigned long long)c->modseq,
	    kinds[c->kind]);
	(void)msg_escape(b, name);
	(void)buf_addc(b, '\t');
	if (c->old_name.n > 0)
		(void)msg_escape(b, c->old_name);
	else if (has_uids(c))
		(void)buf_printf(b, "%lu\t%lu", (unsigned long)c->uid_first,
		    (unsigned long)c->uid_last);
}

static void
format_object(struct buf *b, struct bytes name, const struct store_change *c)
{
	(void)buf_printf(b, "{\"modseq\":%llu,\"change\":\"%s\",\"mailbox\":",
	    (unsigned long long)c->modseq, kinds[c->kind]);
	(void)json_quote(b, name);
	if (has_uids(c))
		(void)buf_printf(b, ",\"first\":%lu,\"last\":%lu",
		    (unsigned long)c->uid_first, (unsigned long)c->uid_last);
	if (c->old_name.n > 0) {
		(void)buf_adds(b, ",\"old\":");
		(void)json_quote(b, c->old_name);
	}
	(void)buf_addc(b, '}');
}

static void
print_change(struct watch *w, const struct store_change *c)
{
	struct store_view *v = w->out.view;

	if (c->kind >= KINDS || (w->kind != 0 && c->kind != w->kind) ||
	    (w->id != 0 && c->mailbox != w->id))
		return;
	buf_reset(&w->line);
	if (w->json)
		format_object(&w->line, box_name(v, c), c);
	else
		format_columns(&w->line, box_name(v, c), c);
	if (buf_addc(&w->line, w->end) == -1)
		msg_die(EXIT_PERM, "cannot print a change: too long a line");
	account_lines_add(&w->out, buf_bytes(&w->line));
	w->left--;
}

/* The records of one modseq are one change: they come out of one view. */
static void
print_changes(struct watch *w)
{
	uint64_t done = w->since;
	struct store_change c;
	int r;

	account_lines_begin(&w->out, w->a.store);
	r = store_change_first(w->out.view, done, &c);
	while (r == 1 && w->left > 0) {
		if (c.modseq != done && account_lines_turn(&w->out)) {
			r = store_change_first(w->out.view, done, &c);
			continue;
		}
		print_change(w, &c);
		done = c.modseq;
		r = store_change_next(w->out.view, &c);
	}
	if (r == -1)
		msg_diesys(account_exit(errno), "cannot read the changes");
	w->since = store_view_modseq(w->out.view);
	account_lines_end(&w->out);
}

/* ---- waiting ---- */

static int
watch_dir(struct watch *w, int which)
{
	struct buf path = BUF_INIT(LINE_MAX_BYTES);
	int fd = -1;

	if (w->id != 0 && store_mailbox_dir(w->a.store, w->id, which,
	    &path) == 0 && buf_addc(&path, '\0') == 0)
		fd = os_watch_dir((const char *)path.p);
	buf_free(&path);
	return fd;		/* -1: it is looked at every second */
}

static void
listen_all(struct watch *w)
{
	int i;

	w->fd[FEED].fd = store_listen(w->a.store);
	if (w->fd[FEED].fd == -1)
		msg_diesys(account_exit(errno), "cannot listen for changes");
	w->fd[CUR].fd = watch_dir(w, 0);
	w->fd[NEW].fd = watch_dir(w, 1);
	for (i = 0; i < WAITS; i++)
		w->fd[i].events = POLLIN;
	/* only whether somebody still reads */
	w->fd[OUT] = (struct pollfd){ .fd = STDOUT_FILENO };
}

/* False: the time is over. */
static bool
wait_for_change(struct watch *w)
{
	bool told = w->fd[CUR].fd != -1 && w->fd[NEW].fd != -1;
	int ms = deadline_left(w->deadline), i;

	if (ms == 0)
		return false;
	if (!told && (ms == -1 || ms > LOOK_MS))
		ms = LOOK_MS;
	if (poll(w->fd, WAITS, ms) == -1 && errno != EINTR)
		msg_diesys(EXIT_TEMP, "cannot wait");
	if ((w->fd[OUT].revents & POLLERR) != 0) {
		errno = EPIPE;
		account_die_write();
	}
	store_listen_drain(w->a.store);
	for (i = CUR; i <= NEW; i++) {
		if (w->fd[i].fd != -1)
			os_watch_drain(w->fd[i].fd);
	}
	return true;
}

/* The mailbox watched may be removed; that is a change, not a failure. */
static void
look_outside(struct watch *w)
{
	if (store_sync(w->a.store, w->id, false) == -1 && errno != ENOENT)
		msg_diesys(account_exit(errno), "cannot look at the Maildir");
}

static void
begin_now(struct watch *w)
{
	struct store_view *v = store_view_open(w->a.store);

	if (v == NULL)
		msg_diesys(account_exit(errno), "cannot open the index");
	w->since = store_view_modseq(v);
	store_view_close(v);
}

static int
run(struct watch *w)
{
	account_start(&w->a, w->name, w->mailbox, &w->id);
	/* What is there before the first look is no change; what comes once
	 * others see that somebody listens is. */
	look_outside(w);
	if (w->from_now)
		begin_now(w);
	listen_all(w);
	look_outside(w);
	for (;;) {
		print_changes(w);
		if (w->left == 0)
			return EXIT_YES;
		if (!wait_for_change(w))
			return EXIT_NO;
		look_outside(w);
	}
}

static uint64_t
number(const char *s)
{
	uint64_t n;

	if (num_parse(bytes_str(s), 0, INT64_MAX / 1000, &n) == -1)
		msg_die(EXIT_PERM, "cannot understand the number %s", s);
	return n;
}

static void
parse_options(struct watch *w, int argc, char *argv[])
{
	int c;

	while ((c = getopt(argc, argv, "0ja:k:m:n:s:t:")) != -1) {
		switch (c) {
		case '0':
			w->end = '\0';
			break;
		case 'j':
			w->json = true;
			break;
		case 'a':
			w->name = optarg;
			break;
		case 'k':
			w->kind = find_kind(optarg);
			break;
		case 'm':
			w->mailbox = optarg;
			break;
		case 'n':
			w->left = number(optarg);
			break;
		case 's':
			w->since = number(optarg);
			w->from_now = false;
			break;
		case 't':
			w->deadline = deadline_in((int64_t)number(optarg) *
			    1000);
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (w->name == NULL || optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
}

int
main(int argc, char *argv[])
{
	struct watch w = { .a = { .note = note }, .end = '\n',
	    .from_now = true, .left = UINT64_MAX, .deadline = DEADLINE_NONE,
	    .line = BUF_INIT(LINE_MAX_BYTES) };
	int code;

	msg_init("store-watch");
	parse_options(&w, argc, argv);
	code = run(&w);
	account_close(&w.a);
	buf_free(&w.line);
	return code;
}
