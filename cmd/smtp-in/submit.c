/*
 * submit.c - mail of who has logged in, by way of run/queue-add
 *
 * What can be told at once is told at MAIL and RCPT; queue-add checks it all
 * again, and what only the message shows. Nothing goes to run/lmtp from here:
 * recipients of this server are delivered to through the queue like others
 * (U-19). DSNs for mail of strangers take the same way.
 */
#include "smtp_in.h"

#include <errno.h>
#include <stdio.h>

#include "dsn/dsn.h"
#include "mime/mime.h"
#include "queue/add.h"
#include "recipient/recipient.h"
#include "submit/submit.h"
#include "trace/trace.h"

/* Checks, signatures and three disk commits. */
#define ADD_TIMEOUT_MS (5 * 60 * 1000)
/* A DSN: report, diagnostics of the recipients, headers of the original. */
#define DSN_TEXT_MAX (4 * DSN_HEADERS_MAX + (size_t)DSN_RCPTS_MAX * 4096)

static struct receiver *
receiver_of(struct smtp_session *s)
{
	return s->ctx;
}

/* ---- MAIL (U-17) and RCPT (U-25) ---- */

void
submit_mail(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	bool may = e->sender.is_null || submit_may_use(r->settings->config,
	    &r->job, bytes_str(r->account), &e->sender);

	if (may)
		smtp_mail_accept(s->smtp);
	else {
		receive_log_refused(s, BYTES_EMPTY, 550,
		    "sender is no address of this account");
		smtp_mail_refuse(s->smtp, 550, "5.7.1",
		    BYTES("this is no address of your account"));
	}
	arena_reset(&r->job);
}

void
submit_rcpt(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);
	struct recipient found;
	int n = recipient_find(r->settings->config, &r->job,
	    &smtp_asked(s->smtp)->path, &found);

	/* not of this server: the queue finds who takes it, also at an
	 * address literal */
	if (n == 1 || (n == -1 && errno == EACCES))
		smtp_rcpt_accept(s->smtp);
	else if (n == 0)
		receive_refuse_rcpt(s, 550, "5.1.1", "no such user");
	else
		receive_refuse_rcpt(s, 450, "4.2.1",
		    "domain is disabled for now");
	arena_reset(&r->job);
}

/* ---- the message ---- */

static void
set_recipients(struct receiver *r, const struct smtp_envelope *e,
    struct add_request *q)
{
	q->rcpts = arena_zalloc(&r->job, e->nrecipients, sizeof(*q->rcpts));
	q->count = e->nrecipients;
	for (size_t i = 0; i < q->count; i++)
		q->rcpts[i] = (struct add_rcpt){ e->recipients[i].text,
		    e->recipients[i].orcpt, e->recipients[i].notify };
}

/* RFC 4865, 2852: what counts from now becomes a time. */
static void
set_times(const struct smtp_envelope *e, struct add_request *q, int64_t now)
{
	q->release = e->hold_s > 0 ? now + e->hold_s : e->hold_until;
	if (e->has_by) {
		q->deliver_by = now + e->by_s;
		q->by_return = e->by_return;
		q->by_trace = e->by_trace;
	}
}

static void
set_client(struct smtp_session *s, struct add_request *q)
{
	struct receiver *r = receiver_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	const struct preface *p = &r->front.preface;
	char ip[IP_TEXT_MAX];

	q->received_id = bytes_str(s->id);
	q->helo = e->helo;
	q->with = bytes_str(e->with);
	q->remote_host = r->remote_host;
	if (r->conn->remote.family != 0)
		q->remote_ip = arena_bytes(&r->job,
		    bytes_str(ip_format(&r->conn->remote, ip)));
	if (r->front.tls)
		q->tls = bytes_str(arena_printf(&r->job, "%.*s %.*s",
		    BYTES_ARG(p->version), BYTES_ARG(p->cipher)));
}

/* All empty; the arena holds what little there is. */
static void
start_request(struct receiver *r, struct add_request *q)
{
	(void)add_parse_request(&r->job, BYTES_EMPTY, q);
}

/* The reply for the client; -1 with errno: nothing is known to be stored. */
static int
add(struct smtp_session *s, const struct add_request *q, int text_fd,
    struct smtp_answer *out)
{
	struct receiver *r = receiver_of(s);
	struct add_reply reply;

	if (add_send(&r->job, r->queue_path, q, text_fd, &reply,
	    deadline_in(ADD_TIMEOUT_MS)) == -1)
		return -1;
	out->code = (int)reply.code;
	out->status = bytes_str(arena_str(&r->job, reply.status));
	out->text = reply.text;
	return 0;
}

static void
hand_on(struct smtp_session *s, struct bytes text, int text_fd,
    struct smtp_answer *out)
{
	struct receiver *r = receiver_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	struct add_request q;

	start_request(r, &q);
	q.account = q.login = bytes_str(r->account);
	if (r->login[0] != '\0')
		q.login = bytes_str(r->login);
	q.sender = e->sender_text;
	q.envid = e->envid;
	q.ret_full = e->ret_full;
	q.ret_headers = e->ret_headers;
	q.body_8bit = e->body_8bit;
	q.smtputf8 = e->smtputf8;
	q.requiretls = e->requiretls;
	set_recipients(r, e, &q);
	set_times(e, &q, time_wall_us() / 1000000);
	set_client(s, &q);
	if (text_fd == -1)
		q.text = text;
	if (add(s, &q, text_fd, out) == 0)
		return;
	if (errno == EMSGSIZE)
		*out = (struct smtp_answer){ 452, BYTES("4.5.3"),
		    BYTES("too many recipients at once") };
	else
		receive_fail(s, out, r->queue_path, errno);
}

/* ---- BODY=BINARYMIME ---- */

static int
add_converted(void *ctx, struct bytes piece)
{
	return spool_add(ctx, piece);
}

/* In LF form, in the spool. -1: out is the reply. */
static int
convert(struct smtp_session *s, struct bytes raw, struct spool *spool,
    struct bytes *text, struct smtp_answer *out)
{
	const char *why = "";

	if (mime_from_binary(&receiver_of(s)->job, raw, add_converted, spool,
	    &why) == 0 && spool_view(spool, text) == 0)
		return 0;
	if (errno == EBADMSG)
		*out = (struct smtp_answer){ 550, BYTES("5.6.0"),
		    bytes_str(why) };
	else if (errno == ENOTSUP)
		*out = (struct smtp_answer){ 554, BYTES("5.6.3"),
		    bytes_str(why) };
	else
		receive_fail(s, out, s->spool_dir, errno);
	return -1;
}

void
submit_message(struct smtp_session *s, struct bytes text,
    struct smtp_answer *out)
{
	struct spool spool;

	if (!smtp_envelope(s->smtp)->body_binary) {
		hand_on(s, text, s->text_fd, out);
		return;
	}
	spool_init(&spool, s->spool_dir);
	if (convert(s, text, &spool, &text, out) == 0)
		hand_on(s, text, spool.fd, out);
	spool_free(&spool);
}

/* ---- a DSN (R-33) ---- */

static struct dsn_rcpt
report_on(const struct smtp_recipient *rcpt, const struct smtp_answer *a)
{
	struct dsn_rcpt r = { .address = rcpt->text, .orcpt = rcpt->orcpt,
	    .action = DSN_FAILED, .status = a->status,
	    .code = (uint64_t)a->code, .text = a->text,
	    .host = BYTES_EMPTY, .ip = BYTES_EMPTY };

	/* it is given up: RFC 3464 2.3.4 wants a permanent status */
	r.status = bytes_starts(a->status, BYTES("5.")) ? a->status
	    : bytes_starts(a->status, BYTES("4.2.2")) ? BYTES("5.2.2")
	    : BYTES("5.0.0");
	return r;
}

/* -1 EMSGSIZE. */
static int
compose(struct smtp_session *s, struct bytes from, struct bytes original,
    const struct smtp_answer *answers, struct buf *out)
{
	struct receiver *r = receiver_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	struct dsn d = { .hostname = s->options.hostname, .from = from,
	    .to = e->sender_text, .envid = BYTES_EMPTY,
	    .message_id = BYTES_EMPTY, .subject = BYTES_EMPTY,
	    .id = bytes_str(s->id), .original = original,
	    .utf8 = e->smtputf8, .now = time_wall_us() / 1000000 };
	struct bytes header, body;
	struct dsn_rcpt *list;

	d.arrival = d.now;
	mime_split(original, &header, &body);
	d.message_id = bytes_trim(mime_field_value(&r->job, header,
	    BYTES("Message-ID")));
	d.subject = mime_field_text(&r->job, header, BYTES("Subject"));
	list = arena_zalloc(&r->job, e->nrecipients, sizeof(*list));
	for (size_t i = 0; i < e->nrecipients; i++) {
		if (answers[i].code >= 300)
			list[d.count++] = report_on(&e->recipients[i],
			    &answers[i]);
	}
	d.rcpts = list;
	return dsn_compose(out, &d);
}

/* postmaster at the recipient's domain, in A-labels where the sender's
 * server may know no others. */
static struct bytes
dsn_sender(struct smtp_session *s, const struct path *rcpt)
{
	struct bytes domain = smtp_envelope(s->smtp)->smtputf8
	    ? rcpt->domain : rcpt->domain_ascii;

	if (rcpt->is_postmaster)
		domain = s->options.hostname;
	return bytes_str(arena_printf(&receiver_of(s)->job,
	    "postmaster@%.*s", BYTES_ARG(domain)));
}

bool
submit_dsn(struct smtp_session *s, struct bytes original,
    const struct smtp_answer *answers)
{
	struct receiver *r = receiver_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	struct bytes account, from;
	struct smtp_answer reply = { 0, BYTES_EMPTY, BYTES_EMPTY };
	struct buf text = BUF_INIT(DSN_TEXT_MAX);
	struct add_rcpt to = { e->sender_text, BYTES_EMPTY, 0 };
	struct add_request q;
	bool taken = false;

	/* the postmaster's; without one there is nobody to sign for */
	if (e->sender.is_null || config_get(r->settings->config, "server",
	    NULL, "postmaster", &account) != 1)
		return false;
	from = dsn_sender(s, &e->recipients[0].path);
	start_request(r, &q);
	q.kind = QUEUE_DSN;
	q.account = account;
	q.smtputf8 = e->smtputf8;
	q.requiretls = e->requiretls;	/* RFC 8689 5 */
	q.rcpts = &to;
	q.count = 1;
	if (compose(s, from, original, answers, &text) == 0) {
		q.text = buf_bytes(&text);
		if (add(s, &q, -1, &reply) == 0)
			taken = reply.code < 300;
	}
	receive_log_dsn(s, taken, &reply);
	buf_free(&text);
	return taken;
}
