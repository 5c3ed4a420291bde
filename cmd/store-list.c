/* store-list - list the messages of an account. See store-list(1) */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "json/json.h"
#include "base/base.h"

#define LINE_MAX_BYTES (1024 * 1024)	/* names and subjects are shorter */

static const char usage[] =
    "usage: store-list [-0j] -a account [-m mailbox]";

struct listing {
	struct account a;
	const char *name;
	bool json;
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

/* A column: escaped, with a tab before it unless it is the first. */
static void
add_column(struct listing *l, struct bytes s)
{
	if (l->line.n > 0)
		(void)buf_addc(&l->line, '\t');	/* full tells */
	(void)msg_escape(&l->line, s);
}

static void
add_member(struct listing *l, const char *key, struct bytes s, bool string)
{
	(void)buf_printf(&l->line, "%s\"%s\":", l->line.n == 0 ? "{" : ",",
	    key);	/* full tells */
	if (string)
		(void)json_quote(&l->line, s);
	else
		(void)buf_add(&l->line, s);
}

static void
add(struct listing *l, const char *key, struct bytes s, bool string)
{
	if (l->json)
		add_member(l, key, s, string);
	else
		add_column(l, s);
}

static struct bytes
number(struct listing *l, uint64_t n)
{
	return bytes_str(arena_printf(&l->arena, "%llu",
	    (unsigned long long)n));
}

static void
add_flags(struct listing *l, const struct store_message *m)
{
	struct buf flags = BUF_INIT(LINE_MAX_BYTES);
	struct buf list = BUF_INIT(LINE_MAX_BYTES);
	struct bytes rest, word;
	bool more;

	if (account_format_flags(&flags, l->out.view, m) == -1)
		msg_diesys(EXIT_TEMP, "cannot read keywords");
	rest = buf_bytes(&flags);
	if (!l->json) {
		/* No control characters there, and \Seen stays readable. */
		(void)buf_addc(&l->line, '\t');	/* full tells */
		(void)buf_add(&l->line, rest);
	} else {
		(void)buf_addc(&list, '[');	/* full tells */
		for (more = rest.n > 0; more;) {
			more = bytes_split(&rest, ',', &word);
			(void)json_quote(&list, word);
			(void)buf_adds(&list, more ? "," : "");
		}
		(void)buf_addc(&list, ']');
		add_member(l, "flags", buf_bytes(&list), false);
	}
	buf_free(&flags);
	buf_free(&list);
}

static void
add_path(struct listing *l, const struct store_message *m)
{
	struct buf path = BUF_INIT(8192);

	(void)buf_printf(&path, "%s/accounts/%s/", dir_var(),
	    l->name);	/* full tells */
	/* Gone meanwhile: no path. */
	if (store_message_path(l->a.store, m->mailbox, m->uid, &path) == -1)
		buf_reset(&path);
	add(l, "path", buf_bytes(&path), true);
	buf_free(&path);
}

static void
list_message(struct listing *l, struct bytes mailbox,
    const struct store_message *m)
{
	struct buf date = BUF_INIT(64);
	struct bytes from, subject;

	arena_reset(&l->arena);
	buf_reset(&l->line);
	account_envelope(&l->arena, m->envelope, &from, &subject);
	(void)account_format_time(&date, m->internal_date);	/* fits */
	add(l, "mailbox", mailbox, true);
	add(l, "uid", number(l, m->uid), false);
	add_flags(l, m);
	add(l, "size", number(l, m->size), false);
	add(l, "date", buf_bytes(&date), true);
	add(l, "from", from, true);
	add(l, "subject", subject, true);
	add_path(l, m);
	if (l->json) {
		add_member(l, "modseq", number(l, m->modseq), false);
		add_member(l, "preview", m->preview, true);
		(void)buf_addc(&l->line, '}');	/* full tells */
	}
	buf_free(&date);
	if (buf_addc(&l->line, l->end) == -1)
		msg_die(EXIT_PERM, "cannot list UID %lu: too long a line",
		    (unsigned long)m->uid);
	account_lines_add(&l->out, buf_bytes(&l->line));
}

static _Noreturn void
die_read(void)
{
	msg_diesys(account_exit(errno), "cannot read the index");
}

/* What is there of it by then, should it be renamed or removed meanwhile. */
static void
list_mailbox(struct listing *l, uint32_t id, struct bytes name)
{
	struct store_mailbox box = { .name = name };
	struct store_message m;
	int r = store_message_first(l->out.view, id, 1, &m);

	while (r == 1) {
		list_message(l, box.name, &m);
		if (!account_lines_turn(&l->out)) {
			r = store_message_next(l->out.view, &m);
			continue;
		}
		r = m.uid == UINT32_MAX ? 0
		    : store_mailbox_get(l->out.view, id, &box);
		if (r == 1)
			r = store_message_first(l->out.view, id, m.uid + 1,
			    &m);
	}
	if (r == -1)
		die_read();
}

static void
list_all(struct listing *l)
{
	struct buf at = BUF_INIT(LINE_MAX_BYTES);
	struct store_mailbox box;
	struct bytes name = BYTES_EMPTY;
	int r;

	while ((r = store_mailbox_next(l->out.view, &name, &box)) == 1) {
		buf_reset(&at);
		if (buf_add(&at, name) == -1)
			die_read();
		list_mailbox(l, box.id, box.name);
		/* The view may be another one. */
		name = buf_bytes(&at);
	}
	if (r == -1)
		die_read();
	buf_free(&at);
}

/* mailbox NULL: all of them. */
static void
list(struct listing *l, const char *mailbox)
{
	struct store_mailbox box;
	uint32_t id = 0;
	int r = 0;

	if (mailbox != NULL ? account_mailbox(&l->a, mailbox, &id) == -1
	    : store_sync(l->a.store, 0, false) == -1)
		msg_diesys(account_exit(errno), "cannot look at %s",
		    mailbox != NULL ? mailbox : "the mailboxes");
	account_lines_begin(&l->out, l->a.store);
	if (mailbox == NULL)
		list_all(l);
	else if ((r = store_mailbox_get(l->out.view, id, &box)) == 1)
		list_mailbox(l, id, box.name);
	if (r == -1)
		die_read();
	account_lines_end(&l->out);
}

int
main(int argc, char *argv[])
{
	struct listing l = { .a = { .note = note }, .end = '\n',
	    .line = BUF_INIT(LINE_MAX_BYTES), .arena = ARENA_INIT };
	const char *mailbox = NULL;
	int c;

	msg_init("store-list");
	while ((c = getopt(argc, argv, "0ja:m:")) != -1) {
		switch (c) {
		case '0':
			l.end = '\0';
			break;
		case 'j':
			l.json = true;
			break;
		case 'a':
			l.name = optarg;
			break;
		case 'm':
			mailbox = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (l.name == NULL || optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	if (account_open(&l.a, l.name) == -1)
		msg_die(account_exit(errno), "cannot open account %s: %s",
		    l.name, l.a.problem);
	list(&l, mailbox);
	account_close(&l.a);
	buf_free(&l.line);
	arena_free(&l.arena);
	return EXIT_YES;
}
