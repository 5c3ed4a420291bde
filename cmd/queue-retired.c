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

/* Records looked at, and bytes printed, between two writes to whoever reads;
 * and what they come to at most, one record with all its attempts. */
#define WALK_MAX 10000
#define WALK_BYTES 65536
#define PAGE_MAX ((size_t)64 << 20)

struct options {
	struct qcmd q;
	struct qcmd_times ended;
	struct qcmd_out out;
	struct buf page;	/* what is written next */
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
	return qcmd_out_take(out, &o->page);
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
	if (qcmd_out_take(&o->out, &o->page) == -1)
		return -1;
	qcmd_out_time(&o->out, "ended", r->ended);
	qcmd_out_time(&o->out, "keep-until", r->keep_until);
	qcmd_out_text(&o->out, "outcome",
	    bytes_str(queue_outcome_text(r->rcpt.result.outcome)));
	qcmd_put_rcpt(&o->out, &r->rcpt, true);
	if (qcmd_out_take(&o->out, &o->page) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		qcmd_put_attempt(&o->out, &list[i]);
		if (qcmd_out_take(&o->out, &o->page) == -1)
			return -1;
	}
	return 0;
}

/* Where a listing is. */
struct walk {
	uint64_t id, n, found;
};

static int
put_one(struct options *o, struct queue_txn *t, struct arena *a,
    const struct queue_retired *r, struct walk *w)
{
	if (!is_chosen(o, r))
		return 0;
	w->found++;
	return o->show ? put_full(o, t, a, r) : put_line(o, r);
}

/*
 * Some of them, in a transaction of their own: who reads may take his time,
 * and as long as it is open no page of the database is used again. 1 there
 * may be more, 0 that was all, -1.
 */
static int
put_some(struct options *o, struct walk *w)
{
	struct queue_txn *t = queue_begin(o->q.queue, false);
	struct queue_retired r = { .ended = 0 };
	struct arena a = ARENA_INIT;
	int got = t == NULL ? -1 : 1, n = 0;

	while (got == 1 && n++ < WALK_MAX && o->page.n < WALK_BYTES) {
		if (w->found >= o->q.filter.max) {
			got = 0;
			break;
		}
		r.rcpt.id = w->id;
		r.rcpt.n = w->n;
		got = queue_next_retired(t, &a, w->id, w->n, &r);
		if (got == 1 && put_one(o, t, &a, &r, w) == -1)
			got = -1;
		else if (got == -1 && errno == EBADMSG &&
		    (r.rcpt.id != w->id || r.rcpt.n != w->n)) {
			qcmd_damaged(&o->q, r.rcpt.id, r.rcpt.n);
			got = 1;
		}
		w->id = r.rcpt.id;
		w->n = r.rcpt.n;
		arena_reset(&a);
	}
	arena_free(&a);
	queue_abort(t);
	return got;
}

/* 1 some, 0 none, -1. */
static int
run(struct options *o)
{
	struct walk w = { 0, 0, 0 };
	int got;

	o->page = BUF_INIT(PAGE_MAX);
	qcmd_out_init(&o->out, o->json ? QCMD_JSON : o->show ? QCMD_NAMED
	    : QCMD_COLUMNS, STDOUT_FILENO);
	do {
		o->q.problem = "list retired messages";
		buf_reset(&o->page);
		if ((got = put_some(o, &w)) == -1)
			break;
		o->q.problem = "write list";
		if (io_write_all(STDOUT_FILENO, buf_bytes(&o->page),
		    DEADLINE_NONE) == -1)
			got = -1;
	} while (got == 1);
	buf_free(&o->page);
	if (qcmd_out_close(&o->out) == -1 || got == -1)
		return -1;
	return w.found > 0;
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
	if (qcmd_damage(&o.q) != NULL)
		msg_warn("%s", qcmd_damage(&o.q));
	qcmd_close(&o.q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
