/*
 * queue-holdrule - hold messages by account, sender domain, recipient domain
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: queue-holdrule add [-A] [-a account] [-f domain] [-t domain]\n"
    "       queue-holdrule list [-j]\n"
    "       queue-holdrule remove number";

static int
add(struct qcmd *q, struct queue_holdrule *rule)
{
	struct queue_txn *t = queue_begin(q->queue, true);
	size_t held = 0;

	q->problem = "add rule";
	if (t == NULL)
		return -1;
	if (queue_holdrule_add(t, rule, &held) == -1) {
		queue_abort(t);
		return -1;
	}
	if (queue_commit(t, true) == -1)
		return -1;
	if (printf("%llu\t%zu\n", (unsigned long long)rule->id, held) < 0 ||
	    fflush(stdout) == EOF)
		return -1;
	return 1;
}

struct listing {
	struct qcmd *q;
	struct qcmd_out out;
	struct queue_holdrule at;	/* the last one */
};

static int
next(void *ctx, struct queue_txn *t, struct buf *page)
{
	struct listing *l = ctx;
	int r = queue_holdrule_next(t, &l->q->arena, l->at.id, &l->at);

	if (r != 1)
		return r;
	qcmd_out_num(&l->out, "number", (int64_t)l->at.id);
	qcmd_out_text(&l->out, "account", l->at.account);
	qcmd_out_text(&l->out, "from", l->at.sender_domain);
	qcmd_out_text(&l->out, "to", l->at.rcpt_domain);
	return qcmd_out_take(&l->out, page) == -1 ? -1 : 1;
}

static int
list(struct qcmd *q, bool json)
{
	struct listing l = { .q = q };

	q->problem = "list rules";
	qcmd_out_init(&l.out, json ? QCMD_JSON : QCMD_COLUMNS, STDOUT_FILENO);
	if (qcmd_list(q, &l.out, next, &l) == -1)
		return -1;
	return l.at.id != 0;
}

static int
remove_rule(struct qcmd *q, const char *number)
{
	struct queue_txn *t;
	uint64_t id;
	int r;

	if (num_parse(bytes_str(number), 1, INT64_MAX, &id) == -1)
		msg_die(EXIT_PERM, "no number of a rule: %s", number);
	q->problem = "remove rule";
	if ((t = queue_begin(q->queue, true)) == NULL)
		return -1;
	if ((r = queue_holdrule_remove(t, id)) == -1) {
		queue_abort(t);
		return -1;
	}
	return queue_commit(t, true) == -1 ? -1 : r;
}

struct options {
	struct queue_holdrule rule;
	bool add, list, all, json, given;
};

static void
read_options(struct options *o, int argc, char *argv[])
{
	const char *letters = o->add ? "Aa:f:t:" : o->list ? "j" : "";
	int c;

	while ((c = getopt(argc, argv, letters)) != -1) {
		switch (c) {
		case 'A':
			o->all = true;
			break;
		case 'a':
			o->rule.account = bytes_str(optarg);
			break;
		case 'f':
			o->rule.sender_domain = bytes_str(optarg);
			break;
		case 't':
			o->rule.rcpt_domain = bytes_str(optarg);
			break;
		case 'j':
			o->json = true;
			break;
		default:
			msg_usage(usage);
		}
		if (c != 'A' && c != 'j' && optarg[0] == '\0')
			msg_die(EXIT_PERM, "cannot use -%c: it is empty", c);
		o->given |= c != 'A' && c != 'j';
	}
	if (argc - optind != (o->add || o->list ? 0 : 1) ||
	    (o->add && o->all == o->given))
		msg_usage(usage);
}

int
main(int argc, char *argv[])
{
	struct qcmd q = { .arena = ARENA_INIT };
	struct options o = { .rule = { 0, BYTES_EMPTY, BYTES_EMPTY,
	    BYTES_EMPTY } };
	struct bytes verb = bytes_str(argc > 1 ? argv[1] : "");
	int r;

	msg_init("queue-holdrule");
	o.add = bytes_eq(verb, BYTES("add"));
	o.list = bytes_eq(verb, BYTES("list"));
	if (!o.add && !o.list && !bytes_eq(verb, BYTES("remove")))
		msg_usage(usage);
	optind = 2;
	read_options(&o, argc, argv);
	if ((r = qcmd_open(&q, o.add)) == 1)
		r = o.add ? add(&q, &o.rule) : o.list ? list(&q, o.json)
		    : remove_rule(&q, argv[optind]);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
