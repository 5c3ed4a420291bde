/*
 * forward.c - a message for members elsewhere, to the queue (B-4)
 *
 * The sender of the envelope becomes the address that the alias names for
 * bounces: SPF then speaks of us, and its owner hears of members that are no
 * more. A null sender stays one. For a member of ours that cannot have it now
 * it is null, too, where no such address is named: whoever is in MAIL FROM
 * cannot mend that, and may not be the sender at all.
 */
#include "lmtp_in.h"

#include <errno.h>

#include "queue/add.h"
#include "trace/trace.h"

/* It signs, and waits for the disk. */
#define ADD_TIMEOUT_MS (60 * 1000)

static void
log_forward(struct smtp_session *s, const struct recipient_alias *alias,
    size_t n, const struct smtp_answer *answer, int err)
{
	struct deliverer *d = s->ctx;
	struct logline l;

	log_begin(&l, err != 0 ? LOG_ERROR : LOG_INFO, answer->code < 300
	    ? "forwarded" : "refused");
	log_num(&l, "cid", (int64_t)d->conn->id);
	log_str(&l, "id", deliver_id(s));
	log_bytes(&l, "alias", alias->name);
	log_num(&l, "rcpts", (int64_t)n);
	log_num(&l, "code", answer->code);
	log_bytes(&l, "reply", answer->text);
	if (err != 0)
		log_err(&l, err);
	log_end(&l);
}

static int
ask(struct smtp_session *s, const struct add_request *q, int fd,
    struct smtp_answer *out)
{
	struct deliverer *d = s->ctx;
	struct add_reply reply;
	const char *path = arena_printf(&d->job, "%s/queue-add", dir_run());

	if (add_send(&d->job, path, q, fd, &reply,
	    deadline_in(ADD_TIMEOUT_MS)) == -1)
		return -1;
	*out = (struct smtp_answer){ (int)reply.code, reply.status,
	    reply.text };
	return 0;
}

static void
fill_request(struct arena *a, const struct recipient_alias *alias,
    struct bytes account, const struct bytes *members, size_t n,
    struct add_request *q)
{
	(void)add_parse_request(a, BYTES_EMPTY, q);	/* all empty */
	q->kind = QUEUE_FORWARD;
	q->account = account;
	q->login = alias->name;
	q->rcpts = arena_zalloc(a, n, sizeof(*q->rcpts));
	q->count = n;
	for (size_t i = 0; i < n; i++)
		q->rcpts[i] = (struct add_rcpt){ .address = members[i],
		    .orcpt = BYTES_EMPTY };
}

/* What stands in front: whose mail it was, and what was found out here. */
static int
make_text(struct smtp_session *s, const struct smtp_recipient *rcpt,
    struct bytes text, struct spool *spool)
{
	struct deliverer *d = s->ctx;
	struct buf prefix = BUF_INIT(STAGE_PREFIX_MAX);
	struct trace_envelope e;
	struct stage_job job;
	int r;

	deliver_envelope(s, rcpt, &e);
	stage_job_init(&job, &d->job, d->settings->stage, &e, BYTES_EMPTY);
	stage_job_resume(&job, text);
	r = stage_job_prefix(&job, &prefix);
	if (r == 0)
		r = trace_delivered_to(&prefix, rcpt->text);
	if (r == 0)
		r = spool_add(spool, buf_bytes(&prefix));
	if (r == 0)
		r = spool_add(spool, job.message);
	stage_job_end(&job);
	buf_free(&prefix);
	return r;
}

static bool
find_owner(struct deliverer *d, const struct recipient_alias *alias,
    struct recipient *owner)
{
	struct path path;
	const char *why;

	return addr_parse_mailbox(&d->job, alias->bounces_to, ADDR_SMTPUTF8,
	    &path, &why) == 0 && recipient_find(d->settings->config, &d->job,
	    &path, owner) == 1;
}

void
forward_message(struct smtp_session *s, const struct smtp_recipient *rcpt,
    const struct recipient_alias *alias, const struct recipient *here,
    const struct bytes *members, size_t n, struct bytes text,
    struct smtp_answer *out)
{
	struct deliverer *d = s->ctx;
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	struct recipient owner = { .account = here == NULL ? BYTES_EMPTY
	    : here->account };
	bool owned = find_owner(d, alias, &owner);
	struct add_request q;
	struct spool spool;
	int err = 0;

	*out = (struct smtp_answer){ 451, BYTES("4.3.0"),
	    bytes_str(arena_printf(&d->job, "cannot pass it on now, "
	    "received-id %s", deliver_id(s))) };
	spool_init(&spool, s->spool_dir);
	if (!owned && here == NULL)
		err = ENOENT;
	else if (make_text(s, rcpt, text, &spool) == -1 ||
	    spool_view(&spool, &text) == -1)
		err = errno;
	else {
		fill_request(&d->job, alias, owner.account, members, n, &q);
		q.sender = e->sender_text.n == 0 || !owned ? BYTES_EMPTY
		    : alias->bounces_to;
		q.requiretls = e->requiretls;
		q.smtputf8 = e->smtputf8;
		if (spool.fd == -1)
			q.text = text;
		if (ask(s, &q, spool.fd, out) == -1)
			err = errno;
	}
	log_forward(s, alias, n, out, err);
	spool_free(&spool);
}
