/*
 * submit.c - rights, what is added, limits
 */
#include "submit/internal.h"

#include <errno.h>

#include "os/os.h"
#include "recipient/recipient.h"
#include "trace/trace.h"

int
submit_fail(struct submit_reply *r, uint64_t code, const char *status,
    const char *text)
{
	*r = (struct submit_reply){ code, status, bytes_str(text) };
	return -1;
}

bool
submit_may_use(const struct config *c, struct arena *a, struct bytes account,
    const struct path *path)
{
	struct recipient found;

	if (account.n == 0 || recipient_find(c, a, path, &found) != 1 ||
	    found.unknown)
		return false;
	return found.alias.n > 0 ? recipient_alias_may_use(c, a, found.alias,
	    account) : bytes_eq(found.account, account);
}

/* ---- the envelope ---- */

static int
read_sender(struct submit *s, struct submit_reply *reply)
{
	const struct add_request *q = s->request;
	struct path path;
	const char *why = "";

	s->message.sender = q->sender;
	if (q->sender.n == 0)
		return 0;	/* MDNs have none */
	if (addr_parse_mailbox(s->a, q->sender, ADDR_SMTPUTF8, &path,
	    &why) == -1)
		return submit_fail(reply, 553, "5.1.7", arena_printf(s->a,
		    "bad sender address: %s", why));
	s->message.sender = addr_path_text(s->a, &path, false);
	s->message.smtputf8 |= addr_needs_smtputf8(&path);
	if ((q->kind == QUEUE_MESSAGE || q->kind == QUEUE_FORWARD) &&
	    !submit_may_use(s->config, s->a, q->account, &path))
		return submit_fail(reply, 550, "5.7.1", arena_printf(s->a,
		    "<%.*s> is no address of this account",
		    BYTES_ARG(s->message.sender)));
	return 0;
}

static int
read_envelope(struct submit *s, struct submit_reply *reply)
{
	const struct add_request *q = s->request;
	struct queue_message *m = &s->message;

	(void)queue_message_parse(BYTES_EMPTY, m);	/* all zero */
	if (q->release > s->now + SUBMIT_HOLD_MAX_S)
		return submit_fail(reply, 501, "5.5.4",
		    "held for more than 60 days");
	if (q->body_binary)	/* the queue has lines in LF form */
		return submit_fail(reply, 554, "5.6.3",
		    "binary content is to be converted before");
	m->account = q->account;
	m->login = q->login;
	m->envid = q->envid;
	m->received_id = q->received_id;
	m->submitted = s->now;
	m->release = q->release > s->now ? q->release : s->now;
	m->expires = m->release + (int64_t)config_get_duration(s->config,
	    "queue", NULL, "lifetime");
	m->deliver_by = q->deliver_by;
	m->by_return = q->by_return;
	m->by_trace = q->by_trace;
	m->kind = q->kind;
	if (q->kind == QUEUE_DMARC_REPORT || q->kind == QUEUE_TLS_REPORT)
		m->max_attempts = SUBMIT_REPORT_ATTEMPTS;
	m->ret_full = q->ret_full;
	m->ret_headers = q->ret_headers;
	return read_sender(s, reply);
}

/* ---- what is put in front ---- */

/* Of a client; "tls" and the rest are its. */
static void
add_trace(struct submit *s, struct buf *out)
{
	const struct add_request *q = s->request;
	struct bytes hostname = config_get_text(s->config, "server", NULL,
	    "hostname");
	struct trace_envelope e = { .sender = s->message.sender,
	    .helo = q->helo, .with = q->with, .tls = q->tls,
	    .requiretls = q->requiretls != 0,
	    .id = q->received_id, .remote_host = q->remote_host,
	    .time = s->now, .recipients = &s->rcpts[0].address,
	    .nrecipients = s->count };
	struct bytes info;

	if (q->received_id.n == 0)
		return;
	(void)ip_parse(q->remote_ip, &e.remote);	/* or not known */
	info = bytes_str(arena_printf(s->a, "auth=pass smtp.auth=%.*s",
	    BYTES_ARG(q->account)));
	trace_results(out, hostname, &info, 1);
	trace_received(out, &e, hostname);
}

static void
add_missing(struct submit *s, struct header *h, struct buf *out)
{
	struct buf id = BUF_INIT(1024);
	unsigned char random[12];

	if (!h->has_message_id) {
		os_random(random, sizeof(random));
		buf_addc(&id, '<');
		base64url_encode(&id, bytes_of(random, sizeof(random)));
		buf_printf(&id, "@%.*s>", BYTES_ARG(h->from.domain_ascii));
		h->message_id = arena_bytes(s->a, buf_bytes(&id));
		buf_printf(out, "Message-ID: %.*s\n",
		    BYTES_ARG(h->message_id));
	}
	buf_free(&id);
	if (!h->has_date) {
		buf_adds(out, "Date: ");
		date_format(out, s->now, date_local_zone(s->now));
		buf_addc(out, '\n');
	}
}

/* A signature covers the fields that were added; it stands above them. */
static int
sign(struct submit *s, const struct header *h, struct bytes added,
    struct buf *out, struct submit_reply *reply)
{
	struct buf whole = BUF_INIT(SIZE_MAX);
	struct bytes domain, message = s->body;
	const char *why = "";
	int r;

	if (s->keys == NULL ||
	    !config_domain_find(s->config, h->from.domain, &domain))
		return 0;
	if (added.n > 0) {
		buf_add(&whole, added);
		buf_add(&whole, s->body);
		message = buf_bytes(&whole);
	}
	r = submit_sign(s->keys, s->a, domain, message, s->now, out, &why);
	buf_free(&whole);
	if (r == -1 && errno == EBADMSG)
		return submit_fail(reply, 550, "5.6.0", arena_printf(s->a,
		    "the message cannot be signed: %s", why));
	if (r == -1)
		return submit_fail(reply, 451, "4.3.0",
		    "the message cannot be signed now");
	return 0;
}

static int
make_prefix(struct submit *s, struct header *h, struct submit_reply *reply)
{
	struct buf out = BUF_INIT(SUBMIT_PREFIX_MAX);
	struct buf added = BUF_INIT(SUBMIT_PREFIX_MAX);
	int r;

	if (s->request->kind == QUEUE_FORWARD)
		r = submit_vouch(s, &out, reply);
	else {
		add_missing(s, h, &added);
		add_trace(s, &out);
		r = sign(s, h, buf_bytes(&added), &out, reply);
	}
	if (r == 0) {
		buf_add(&out, buf_bytes(&added));
		s->prefix = arena_bytes(s->a, buf_bytes(&out));
		if (out.full)
			r = submit_fail(reply, 554, "5.3.4",
			    "the header grew too long");
	}
	buf_free(&added);
	buf_free(&out);
	return r;
}

int
submit_prepare(struct submit *s, struct submit_reply *reply)
{
	struct header h = { .has_date = false };
	struct queue_message *m = &s->message;

	s->prefix = s->body = BYTES_EMPTY;
	if (read_envelope(s, reply) == -1)
		return -1;
	if (submit_header(s, &h, reply) == -1)
		return -1;
	/* RFC 8689 4.1: the parameter is stronger than the field */
	m->tls = s->request->requiretls ? QUEUE_TLS_REQUIRED
	    : h.tls_optional ? QUEUE_TLS_OPTIONAL : QUEUE_TLS_DEFAULT;
	m->smtputf8 |= h.needs_utf8;
	m->body_8bit = !bytes_is_ascii(s->body);
	if (submit_rcpts(s, reply) == -1)
		return -1;
	if (m->smtputf8 && !s->request->smtputf8 &&
	    config_get_bool(s->config, "server", NULL, "pedantic"))
		return submit_fail(reply, 550, "5.6.7",
		    "the message needs SMTPUTF8, which was not asked for");
	if (make_prefix(s, &h, reply) == -1)
		return -1;
	m->from = addr_path_text(s->a, &h.from, false);
	m->message_id = h.message_id;
	m->subject = h.subject;
	m->size = s->prefix.n + s->body.n;
	return 0;
}

/* ---- limits (U-18, BEHAVIOUR 9) ---- */

static int
check_limits(struct submit *s, struct queue_txn *t,
    struct submit_reply *reply)
{
	const char *account = arena_str(s->a, s->request->account);
	uint64_t day = config_get_num(s->config, "account", account,
	    "max-messages-per-day"), fresh;
	uint64_t first = config_get_num(s->config, "account", account,
	    "max-first-time-recipients-per-day");
	struct queue_sent sent;

	if (day == 0 && first == 0)
		return 0;	/* a count takes longer the more was sent */
	if (queue_sent_count(t, s->request->account, s->canonical, s->count,
	    s->now, &sent, &fresh) == -1)
		return submit_fail(reply, 451, "4.3.0",
		    "cannot read the queue now");
	if (day > 0 && sent.day + s->count > day)
		return submit_fail(reply, 451, "4.7.1", arena_printf(s->a,
		    "more than %llu recipients in a day; the administrator "
		    "can change max-messages-per-day",
		    (unsigned long long)day));
	if (first > 0 && sent.first_time + fresh > first)
		return submit_fail(reply, 451, "4.7.1", arena_printf(s->a,
		    "more than %llu recipients in a day never written to "
		    "before; the administrator can change "
		    "max-first-time-recipients-per-day",
		    (unsigned long long)first));
	return 0;
}

int
submit_store(struct submit *s, struct queue_txn *t,
    struct submit_reply *reply)
{
	if (s->message.kind == QUEUE_MESSAGE && s->request->account.n > 0) {
		if (check_limits(s, t, reply) == -1)
			return -1;
		if (queue_sent_add(t, s->request->account, s->canonical,
		    s->count, s->now) == -1)
			return submit_fail(reply, 451, "4.3.0",
			    "cannot write the queue now");
	}
	if (queue_put(t, &s->message, s->rcpts, s->count) == 0)
		return 0;
	if (errno == EEXIST)
		return submit_fail(reply, 554, "5.7.1",
		    "this FromID was used before");
	return submit_fail(reply, errno == ENOSPC ? 452 : 451,
	    errno == ENOSPC ? "4.3.1" : "4.3.0",
	    "cannot write the queue now");
}
