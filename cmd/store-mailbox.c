/* store-mailbox - list and change mailboxes. See store-mailbox(1) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "json/json.h"
#include "base/base.h"

#define LINE_MAX_BYTES 65536

static const char usage[] = "usage: store-mailbox [-0cdjrsu] [-S use] "
    "-a account [mailbox [new-name]]";

struct request {
	struct account a;
	const char *name;
	int action;		/* c d r s u S, 0: list */
	uint32_t use;
	bool json;
	int end;
};

static void
note(const char *line)
{
	msg_info("%s", line);
}

static void
format_uses(struct buf *out, uint32_t use, bool json)
{
	bool first = true;
	uint32_t one;

	for (one = 1; one <= STORE_USE_ALL; one <<= 1) {
		if ((use & one) == 0)
			continue;
		(void)buf_adds(out, first ? "" : ",");	/* full tells */
		if (json)
			(void)json_quote(out,
			    bytes_str(store_use_name(one)));
		else
			(void)buf_adds(out, store_use_name(one));
		first = false;
	}
}

static void
format_columns(struct buf *b, const struct store_mailbox *m)
{
	(void)msg_escape(b, m->name);	/* full tells, here and below */
	(void)buf_printf(b, "\t%lu\t%lu\t%lu\t%llu\t%lu\t%lu\t%llu\t%s\t",
	    (unsigned long)m->total, (unsigned long)m->unseen,
	    (unsigned long)m->deleted, (unsigned long long)m->size_bytes,
	    (unsigned long)m->uidvalidity, (unsigned long)m->uidnext,
	    (unsigned long long)m->modseq, m->subscribed ? "subscribed" : "-");
	if (m->use == 0)
		(void)buf_addc(b, '-');
	format_uses(b, m->use, false);
}

static void
format_object(struct buf *b, const struct store_mailbox *m)
{
	(void)buf_adds(b, "{\"mailbox\":");	/* full tells, here and below */
	(void)json_quote(b, m->name);
	(void)buf_printf(b, ",\"total\":%lu,\"unseen\":%lu,\"deleted\":%lu,"
	    "\"size\":%llu,\"uidvalidity\":%lu,\"uidnext\":%lu,"
	    "\"modseq\":%llu,\"subscribed\":%s,\"use\":[",
	    (unsigned long)m->total, (unsigned long)m->unseen,
	    (unsigned long)m->deleted, (unsigned long long)m->size_bytes,
	    (unsigned long)m->uidvalidity, (unsigned long)m->uidnext,
	    (unsigned long long)m->modseq, m->subscribed ? "true" : "false");
	format_uses(b, m->use, true);
	(void)buf_adds(b, "]}");
}

static void
add_mailbox(const struct request *q, struct account_lines *out,
    const struct store_mailbox *m)
{
	struct buf b = BUF_INIT(LINE_MAX_BYTES);

	if (q->json)
		format_object(&b, m);
	else
		format_columns(&b, m);
	if (buf_addc(&b, q->end) == -1)
		msg_die(EXIT_PERM, "cannot list a mailbox: too long a line");
	account_lines_add(out, buf_bytes(&b));
	buf_free(&b);
}

static int
list(struct request *q)
{
	struct buf at = BUF_INIT(LINE_MAX_BYTES);
	struct bytes name = BYTES_EMPTY;
	struct account_lines out;
	struct store_mailbox m;
	int r;

	if (store_sync(q->a.store, 0, false) == -1)
		return -1;
	account_lines_begin(&out, q->a.store);
	while ((r = store_mailbox_next(out.view, &name, &m)) == 1) {
		add_mailbox(q, &out, &m);
		buf_reset(&at);
		if ((r = buf_add(&at, name)) == -1)
			break;
		if (account_lines_turn(&out))
			name = buf_bytes(&at);
	}
	account_lines_end(&out);
	buf_free(&at);
	return r;
}

static int
change(struct request *q, const char *mailbox, const char *new_name)
{
	struct store *s = q->a.store;
	struct bytes name = bytes_str(mailbox);

	switch (q->action) {
	case 'c':
		return store_mailbox_create(s, name, q->use, NULL);
	case 'd':
		return store_mailbox_delete(s, name);
	case 'r':
		return store_mailbox_rename(s, name, bytes_str(new_name));
	case 's':
		return store_mailbox_subscribe(s, name, true);
	case 'u':
		return store_mailbox_subscribe(s, name, false);
	default:
		return store_mailbox_set_use(s, name, q->use);
	}
}

static void
parse_option(struct request *q, int c, const char *arg)
{
	switch (c) {
	case '0':
		q->end = '\0';
		return;
	case 'j':
		q->json = true;
		return;
	case 'a':
		q->name = arg;
		return;
	case 'S':
		q->use = store_use_find(bytes_str(arg));
		if (q->use == 0 && arg[0] != '-')
			msg_die(EXIT_PERM, "cannot understand use %s", arg);
		if (q->action == 0)
			q->action = 'S';
		return;
	case '?':
		break;
	default:
		if (q->action == 0 || (q->action == 'S' && c == 'c')) {
			q->action = c;
			return;
		}
	}
	msg_die(EXIT_PERM, "%s", usage);
}

int
main(int argc, char *argv[])
{
	struct request q = { .a = { .note = note }, .end = '\n' };
	const char *why = NULL;
	struct bytes checked;
	int c, i, operands;

	msg_init("store-mailbox");
	while ((c = getopt(argc, argv, "0cdjrsuS:a:")) != -1)
		parse_option(&q, c, optarg);
	operands = q.action == 0 ? 0 : q.action == 'r' ? 2 : 1;
	if (q.name == NULL || argc - optind != operands)
		msg_die(EXIT_PERM, "%s", usage);
	if (account_open(&q.a, q.name) == -1)
		msg_die(account_exit(errno), "cannot open account %s: %s",
		    q.name, q.a.problem);
	for (i = optind; i < argc; i++) {
		if (store_name_check(&q.a.arena, bytes_str(argv[i]), &checked,
		    &why) == -1)
			msg_die(EXIT_PERM, "cannot use mailbox name %s: %s",
			    argv[i], why);
	}
	if (q.action == 0 ? list(&q) == -1
	    : change(&q, argv[optind], argv[argc - 1]) == -1)
		msg_diesys(account_exit(errno), "cannot %s %s",
		    q.action == 0 ? "list mailboxes of" : "change mailbox",
		    q.action == 0 ? q.name : argv[optind]);
	account_close(&q.a);
	return EXIT_YES;
}
