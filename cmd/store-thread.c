/* store-thread - list, mute and collapse threads. See store-thread(1) */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"
#include "json/json.h"

#define LINE_MAX_BYTES (1024 * 1024)	/* names and subjects are shorter */

static const char usage[] =
    "usage: store-thread [-0CjMu] -a account [-m mailbox] [uid ...]";

struct request {
	struct account a;
	const char *name, *mailbox;
	uint32_t id;		/* of the mailbox */
	uint32_t marks;		/* 0: list */
	bool clear, json;
	int end;		/* LF or NUL */
	struct account_lines out;
	struct buf line;
	struct arena arena;	/* one message */
};

static void
note(const char *line)
{
	msg_info("%s", line);
}

/* ---- one line ---- */

static void
format_marks(struct buf *out, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ STORE_THREAD_MISSING, "missing" },
		{ STORE_THREAD_MUTED, "muted" },
		{ STORE_THREAD_COLLAPSED, "collapsed" },
		{ STORE_THREAD_DSN, "dsn" },
	};
	size_t i, before = out->n;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((flags & names[i].flag) == 0)
			continue;
		(void)buf_adds(out, out->n > before ? "," : "");
		(void)buf_adds(out, names[i].name);	/* full tells */
	}
	if (out->n == before)
		(void)buf_addc(out, '-');
}

static void
format_columns(struct request *q, const struct store_thread *t,
    struct bytes mailbox, struct bytes date, struct bytes from,
    struct bytes subject)
{
	struct buf *b = &q->line;

	(void)buf_printf(b, "%016llx\t%u\t", (unsigned long long)t->id,
	    t->parent_count);	/* full tells, here and below */
	(void)msg_escape(b, mailbox);
	(void)buf_printf(b, "\t%lu\t", (unsigned long)t->uid);
	format_marks(b, t->flags);
	(void)buf_printf(b, "\t%.*s\t", BYTES_ARG(date));
	(void)msg_escape(b, from);
	(void)buf_addc(b, '\t');
	(void)msg_escape(b, subject);
}

static void
format_object(struct request *q, const struct store_thread *t,
    struct bytes mailbox, struct bytes date, struct bytes from,
    struct bytes subject)
{
	struct buf *b = &q->line;

	(void)buf_printf(b, "{\"thread\":\"%016llx\",\"depth\":%u,"
	    "\"mailbox\":", (unsigned long long)t->id, t->parent_count);
	(void)json_quote(b, mailbox);	/* full tells, here and below */
	(void)buf_printf(b, ",\"uid\":%lu,\"marks\":\"",
	    (unsigned long)t->uid);
	format_marks(b, t->flags);
	(void)buf_printf(b, "\",\"date\":\"%.*s\",\"from\":",
	    BYTES_ARG(date));
	(void)json_quote(b, from);
	(void)buf_adds(b, ",\"subject\":");
	(void)json_quote(b, subject);
	(void)buf_addc(b, '}');
}

static void
print_member(struct request *q, const struct store_thread *t)
{
	struct store_view *v = q->out.view;
	struct buf date = BUF_INIT(64);
	struct bytes from, subject;
	struct store_mailbox box = { .name = BYTES_EMPTY };
	struct store_message m;
	int r = store_message_get(v, t->mailbox, t->uid, &m);

	if (r == 1)
		r = store_mailbox_get(v, t->mailbox, &box);
	if (r == -1)
		msg_diesys(account_exit(errno), "cannot read the index");
	if (r == 0)
		return;		/* verifydata tells of it */
	arena_reset(&q->arena);
	buf_reset(&q->line);
	account_envelope(&q->arena, m.envelope, &from, &subject);
	(void)account_format_time(&date, m.internal_date);	/* fits */
	if (q->json)
		format_object(q, t, box.name, buf_bytes(&date), from,
		    subject);
	else
		format_columns(q, t, box.name, buf_bytes(&date), from,
		    subject);
	buf_free(&date);
	if (buf_addc(&q->line, q->end) == -1)
		msg_die(EXIT_PERM, "cannot list UID %lu: too long a line",
		    (unsigned long)t->uid);
	account_lines_add(&q->out, buf_bytes(&q->line));
}

/* ---- threads ---- */

static int
by_date(const void *a, const void *b)
{
	const struct store_thread *x = a, *y = b;

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	if (x->parent_count != y->parent_count)
		return x->parent_count < y->parent_count ? -1 : 1;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static void
list_thread(struct request *q, uint64_t id)
{
	struct store_view *v = q->out.view;
	struct store_place at = { 0, 0 };
	struct store_thread *list = NULL;
	size_t n = 0, size = 0, i;
	int r;

	while ((r = store_thread_next(v, id, &at)) == 1) {
		if (n == size) {
			size = size == 0 ? 16 : size * 2;
			list = mem_realloc(list, size * sizeof(*list));
		}
		r = store_thread_get(v, at.mailbox, at.uid, &list[n]);
		if (r == -1)
			break;
		n += r == 1;
	}
	if (r == -1)
		msg_diesys(account_exit(errno), "cannot read the index");
	if (n > 0)
		qsort(list, n, sizeof(*list), by_date);
	for (i = 0; i < n; i++) {
		print_member(q, &list[i]);
		(void)account_lines_turn(&q->out);	/* list is ours */
	}
	free(list);
}

struct first {
	uint64_t thread;
	size_t at;		/* where it came first */
};

static int
by_thread(const void *a, const void *b)
{
	const struct first *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int
by_place(const void *a, const void *b)
{
	const struct first *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* Each thread once, where its first message of those asked for stands. */
static void
list_all(struct request *q, const uint32_t *uids, size_t count)
{
	struct first *f = mem_zalloc(count + 1, sizeof(*f));
	struct store_thread t;
	size_t i, n = 0, kept = 0;
	int r;

	account_lines_begin(&q->out, q->a.store);
	for (i = 0; i < count; i++) {
		r = store_thread_get(q->out.view, q->id, uids[i], &t);
		if (r == -1)
			msg_diesys(account_exit(errno),
			    "cannot read the index");
		if (r == 1 && t.id != 0)
			f[n++] = (struct first){ t.id, i };
	}
	qsort(f, n, sizeof(*f), by_thread);
	for (i = 0; i < n; i++) {
		if (i == 0 || f[i].thread != f[i - 1].thread)
			f[kept++] = f[i];
	}
	qsort(f, kept, sizeof(*f), by_place);
	for (i = 0; i < kept; i++)
		list_thread(q, f[i].thread);
	account_lines_end(&q->out);
	free(f);
}

static void
parse_options(struct request *q, int argc, char *argv[])
{
	int c;

	while ((c = getopt(argc, argv, "0CjMua:m:")) != -1) {
		switch (c) {
		case '0':
			q->end = '\0';
			break;
		case 'C':
			q->marks |= STORE_THREAD_COLLAPSED;
			break;
		case 'M':
			q->marks |= STORE_THREAD_MUTED;
			break;
		case 'u':
			q->clear = true;
			break;
		case 'j':
			q->json = true;
			break;
		case 'a':
			q->name = optarg;
			break;
		case 'm':
			q->mailbox = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (q->name == NULL || (q->clear && q->marks == 0) ||
	    (q->marks != 0 && optind == argc))
		msg_die(EXIT_PERM, "%s", usage);
}

int
main(int argc, char *argv[])
{
	char all[] = "1:*";
	char *everything[] = { all };
	struct request q = { .a = { .note = note }, .mailbox = "INBOX",
	    .end = '\n', .line = BUF_INIT(LINE_MAX_BYTES),
	    .arena = ARENA_INIT };
	uint32_t *uids;
	size_t count;

	msg_init("store-thread");
	parse_options(&q, argc, argv);
	account_start(&q.a, q.name, q.mailbox, &q.id);
	if (optind < argc)
		account_start_uids(&q.a, q.id, argv + optind,
		    (size_t)(argc - optind), &uids, &count);
	else
		account_start_uids(&q.a, q.id, everything, 1, &uids, &count);
	if (q.marks == 0)
		list_all(&q, uids, count);
	else if (store_thread_mark(q.a.store, q.id, uids, count, q.marks,
	    !q.clear) == -1)
		msg_diesys(account_exit(errno), "cannot mark threads in %s",
		    q.mailbox);
	buf_free(&q.line);
	arena_free(&q.arena);
	account_close(&q.a);
	return count > 0 ? EXIT_YES : EXIT_NO;
}
