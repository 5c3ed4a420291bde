/*
 * queue-retired - what became of messages that left the queue
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: queue-retired list [-j] [-a account] [-f sender] [-t recipient]\n"
    "           [-s times] [-e times] [-T transport] [-N max] [id ...]\n"
    "       queue-retired show [-j] id ...";

struct options {
	struct qcmd q;
	struct qcmd_times ended;
	struct qcmd_out out;
	bool show, json;
};

static bool
is_chosen(const struct options *o, const struct queue_retired *r)
{
	const struct qcmd_filter *f = &o->q.filter;
	bool named = f->nids == 0;

	for (size_t i = 0; i < f->nids && !named; i++)
		named = f->ids[i].id == r->rcpt.id &&
		    (f->ids[i].n == 0 || f->ids[i].n == r->rcpt.n);
	return named && r->ended >= o->ended.from &&
	    r->ended <= o->ended.to &&
	    qcmd_matches(f, &r->message, &r->rcpt);
}

static int
put_line(struct options *o, const struct queue_retired *r)
{
	const struct queue_message *m = &r->message;
	struct qcmd_out *out = &o->out;

	qcmd_out_id(out, r->rcpt.id, r->rcpt.n);
	qcmd_out_text(out, "outcome",
	    bytes_str(queue_outcome_text(r->rcpt.result.outcome)));
	qcmd_out_time(out, "submitted", m->submitted);
	qcmd_out_time(out, "ended", r->ended);
	qcmd_out_num(out, "attempts", (int64_t)r->rcpt.attempts);
	qcmd_out_num(out, "size", (int64_t)m->size);
	qcmd_out_text(out, "account", m->account);
	qcmd_out_text(out, "from", r->rcpt.sender.n > 0 ? r->rcpt.sender
	    : m->sender);
	qcmd_out_text(out, "to", r->rcpt.address);
	qcmd_out_text(out, "destination", r->rcpt.dest);
	qcmd_out_text(out, "status", r->rcpt.result.status);
	qcmd_out_text(out, "result", r->rcpt.result.text);
	return qcmd_out_end(out);
}

static int
put_full(struct options *o, struct queue_txn *t, struct arena *a,
    const struct queue_retired *r)
{
	struct queue_attempt *list;
	size_t count;

	if (queue_attempts(t, a, r->rcpt.id, r->rcpt.n, &list, &count) == -1)
		return -1;
	qcmd_put_message(&o->out, &r->message);
	if (qcmd_out_end(&o->out) == -1)
		return -1;
	qcmd_out_time(&o->out, "ended", r->ended);
	qcmd_out_time(&o->out, "keep-until", r->keep_until);
	qcmd_out_text(&o->out, "outcome",
	    bytes_str(queue_outcome_text(r->rcpt.result.outcome)));
	qcmd_put_rcpt(&o->out, &r->rcpt, true);
	if (qcmd_out_end(&o->out) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		qcmd_put_attempt(&o->out, &list[i]);
		if (qcmd_out_end(&o->out) == -1)
			return -1;
	}
	return 0;
}

/* 1 some, 0 none, -1. */
static int
put_all(struct options *o, struct queue_txn *t)
{
	struct arena a = ARENA_INIT;
	struct queue_retired r = { .rcpt = { .id = 0 } };
	uint64_t found = 0;
	int got = 0;

	while (found < o->q.filter.max && (got = queue_next_retired(t, &a,
	    r.rcpt.id, r.rcpt.n, &r)) == 1) {
		if (is_chosen(o, &r)) {
			found++;
			got = o->show ? put_full(o, t, &a, &r)
			    : put_line(o, &r);
			if (got == -1)
				break;
		}
		arena_reset(&a);
	}
	arena_free(&a);
	return got == -1 ? -1 : found > 0;
}

static int
run(struct options *o)
{
	struct queue_txn *t = queue_begin(o->q.queue, false);
	int r;

	o->q.problem = "list retired messages";
	if (t == NULL)
		return -1;
	qcmd_out_init(&o->out, o->json ? QCMD_JSON : o->show ? QCMD_NAMED
	    : QCMD_COLUMNS, STDOUT_FILENO);
	r = put_all(o, t);
	queue_abort(t);
	return qcmd_out_close(&o->out) == -1 ? -1 : r;
}

static void
read_options(struct options *o, int argc, char *argv[])
{
	const char *why = "not of the form FROM..TO, see queue-select(7)";
	int c;

	while ((c = getopt(argc, argv, o->show ? "j"
	    : "ja:f:t:s:e:T:N:")) != -1) {
		if (c == '?')
			msg_usage(usage);
		if (c == 'j')
			o->json = true;
		else if (c == 'e' ? qcmd_times_parse(bytes_str(optarg),
		    o->q.now, &o->ended) == -1
		    : qcmd_filter_option(&o->q.filter, c, optarg, o->q.now,
		    &why) == -1)
			msg_die(EXIT_PERM, "cannot use -%c %s: %s", c,
			    optarg, why);
	}
	if (o->show && argc == optind)
		msg_usage(usage);
	if (qcmd_filter_ids(&o->q.filter, &o->q.arena, argv + optind,
	    (size_t)(argc - optind), &why) == -1)
		msg_die(EXIT_PERM, "no id of the queue: %s", why);
}

int
main(int argc, char *argv[])
{
	struct options o = { .q = { .arena = ARENA_INIT },
	    .ended = { INT64_MIN, INT64_MAX } };
	struct bytes verb = bytes_str(argc > 1 ? argv[1] : "");
	int r;

	msg_init("queue-retired");
	qcmd_filter_init(&o.q.filter);
	o.q.now = time_wall_us() / 1000000;
	o.show = bytes_eq(verb, BYTES("show"));
	if (!o.show && !bytes_eq(verb, BYTES("list")))
		msg_usage(usage);
	optind = 2;
	read_options(&o, argc, argv);
	if ((r = qcmd_open(&o.q, false)) == 1)
		r = run(&o);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", o.q.problem);
	qcmd_close(&o.q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
