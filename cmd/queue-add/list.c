/*
 * list.c - a user's own part of the queue (sendmail -bp)
 */
#include "queue_add.h"

#include <errno.h>

#include "qcmd/qcmd.h"

struct list {
	struct queue_txn *t;
	struct qcmd_out out;
	struct buf text;
	struct bytes account;
	struct queue_message m;
	struct arena message;		/* m */
	struct arena rcpt;
	uint64_t id, n;			/* the last line's */
};

/* The message of id is in l->m, if it is the account's: 1, 0, -1. */
static int
read_message(struct list *l, uint64_t id)
{
	int got = 1;

	if (l->m.id != id) {
		arena_reset(&l->message);
		got = queue_get_message(l->t, &l->message, id, &l->m);
	}
	return got == 1 ? bytes_eq(l->m.account, l->account) : got;
}

/* Lines up to ADD_LIST_MAX. 1 more follow; 0 that was all; -1. */
static int
add_lines(struct list *l)
{
	struct queue_rcpt r;
	uint64_t id = l->id, n = l->n;
	int got;

	while ((got = queue_next_rcpt(l->t, &l->rcpt, id, n, &r)) == 1) {
		if ((got = read_message(l, r.id)) == -1)
			break;
		if (got == 1) {
			qcmd_put_line(&l->out, &l->m, &r);
			/* the first is there, however long it is */
			if (qcmd_out_take(&l->out, &l->text) == -1)
				return l->text.n > 0 ? 1 : -1;
			l->id = r.id;
			l->n = r.n;
		}
		id = r.id;
		n = got == 1 ? r.n : UINT64_MAX;	/* the next message */
		arena_reset(&l->rcpt);
	}
	return got;
}

void
list_request(struct program *p, struct arena *a,
    const struct add_request *request, struct add_reply *reply)
{
	struct queue *q = program_queue(p);
	struct list l = { .text = BUF_INIT(ADD_LIST_MAX),
	    .account = request->account, .message = ARENA_INIT,
	    .rcpt = ARENA_INIT };
	char place[QUEUE_ID_TEXT];
	int got = -1;

	*reply = (struct add_reply){ .code = 451, .status = BYTES("4.3.0"),
	    .text = BYTES("the queue cannot be read now"),
	    .next = BYTES_EMPTY };
	(void)queue_id_parse(request->after, &l.id, &l.n);	/* or 0 */
	qcmd_out_init(&l.out, QCMD_COLUMNS, -1);
	if (q != NULL && (l.t = queue_begin(q, false)) != NULL)
		got = add_lines(&l);
	if (got != -1) {
		reply->code = 250;
		reply->status = BYTES("2.0.0");
		reply->text = arena_bytes(a, buf_bytes(&l.text));
	}
	if (got == 1) {
		queue_id_format(place, l.id, l.n);
		reply->next = arena_bytes(a, bytes_str(place));
	}
	queue_abort(l.t);
	(void)qcmd_out_close(&l.out);	/* nothing was written there */
	buf_free(&l.text);
	arena_free(&l.message);
	arena_free(&l.rcpt);
}
