/*
 * receive.c - what smtp-in does with recipients and messages
 *
 * A message to nobody we know is refused whole, after DATA and a wait
 * (BEHAVIOUR 1). Delivery can fail for a part of the recipients, unknown ones
 * among them: a sender with several is vouched for, so a DSN tells it
 * if none can be queued, the message is not accepted.
 */
#include "smtp_in.h"

#include <errno.h>
#include <poll.h>

#include "dsn/dsn.h"
#include "recipient/recipient.h"
#include "trace/trace.h"

/* Fields above the message, as stages make them. */
#define PREFIX_MAX STAGE_PREFIX_MAX
/* BEHAVIOUR 17: what "timeout" waits. */
#define SIMULATED_WAIT_MS (3600 * 1000)
/* Methods named in the log line. */
#define RESULTS_MAX 256

static const char simulated_text[] =
    "simulated: the local part asks for this failure";

static struct receiver *
receiver_of(struct smtp_session *s)
{
	return s->ctx;
}

void
receive_envelope(struct smtp_session *s, struct trace_envelope *t)
{
	struct receiver *r = receiver_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	const struct preface *p = &r->front.preface;
	struct bytes *list;

	*t = (struct trace_envelope){ .sender = e->sender_text,
	    .helo = e->helo, .with = bytes_str(e->with),
	    .requiretls = e->requiretls,
	    .id = bytes_str(s->id), .remote = r->conn->remote,
	    .local = r->conn->local, .remote_port = r->conn->remote_port,
	    .local_port = r->conn->local_port,
	    .remote_host = r->remote_host,
	    .time = time_wall_us() / 1000000 };
	if (r->front.tls)
		t->tls = bytes_str(arena_printf(&r->job, "%.*s %.*s",
		    BYTES_ARG(p->version), BYTES_ARG(p->cipher)));
	list = arena_zalloc(&r->job, e->nrecipients, sizeof(*list));
	for (size_t i = 0; i < e->nrecipients; i++)
		list[i] = e->recipients[i].text;
	t->recipients = list;
	t->nrecipients = e->nrecipients;
}

static bool
is_authenticated(const struct receiver *r)
{
	return r->account[0] != '\0';
}

/* ---- recipients ---- */

void
receive_log_refused(struct smtp_session *s, struct bytes to, int code,
    const char *why)
{
	struct receiver *r = receiver_of(s);
	struct logline l;
	char ip[IP_TEXT_MAX];

	log_begin(&l, LOG_INFO, "refused");
	log_num(&l, "cid", (int64_t)r->conn->id);
	log_str(&l, "ip", ip_format(&r->conn->remote, ip));
	log_bytes(&l, "from", smtp_envelope(s->smtp)->sender_text);
	if (is_authenticated(r))
		log_str(&l, "account", r->account);
	if (to.n > 0)
		log_bytes(&l, "to", to);
	log_num(&l, "code", code);
	log_str(&l, "why", why);
	log_end(&l);
}

void
receive_refuse_rcpt(struct smtp_session *s, int code, const char *status,
    const char *why)
{
	receive_log_refused(s, smtp_asked(s->smtp)->text, code, why);
	smtp_rcpt_refuse(s->smtp, code, status, bytes_str(why));
}

/*
 * an unknown one is taken like others, so that nobody can find out who
 * is here without sending a message.
 */
static void
take_rcpt(struct smtp_session *s, bool is_known)
{
	if (smtp_envelope(s->smtp)->nrecipients > 0 && !sender_several(s)) {
		receive_refuse_rcpt(s, 452, "4.5.3",
		    "one recipient at a time without an SPF pass");
		return;
	}
	/* anything but NULL marks a known one */
	smtp_asked(s->smtp)->user = is_known ? s : NULL;
	smtp_rcpt_accept(s->smtp);
}

/*
 * [server] simulate: a failure that the local part asks for. *status holds
 * its enhanced code. 0: none.
 */
static int
simulated(struct smtp_session *s, struct bytes local_part,
    enum recipient_step step, const char **status)
{
	int code = recipient_simulated(receiver_of(s)->settings->config,
	    local_part, step);

	if (code == RECIPIENT_TIMEOUT) {
		(void)poll(NULL, 0, SIMULATED_WAIT_MS);
		code = 451;
	}
	*status = code >= 500 ? "5.0.0" : "4.0.0";
	return code;
}

void
receive_mail(struct smtp_session *s)
{
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	const char *status;
	int code = simulated(s, e->sender.local_part, RECIPIENT_MAIL,
	    &status);

	if (code != 0)
		smtp_mail_refuse(s->smtp, code, status,
		    bytes_str(simulated_text));
	else if (s->options.submission)
		submit_mail(s);
	else if (sender_allowed(s))
		smtp_mail_accept(s->smtp);
}

/* After the message: the first recipient that asks for one. */
static bool
is_simulated(struct smtp_session *s, struct smtp_answer *out)
{
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	const char *status;
	int code = 0;

	for (size_t i = 0; code == 0 && i < e->nrecipients; i++)
		code = simulated(s, e->recipients[i].path.local_part,
		    RECIPIENT_MESSAGE, &status);
	if (code != 0)
		*out = (struct smtp_answer){ code, bytes_str(status),
		    bytes_str(simulated_text) };
	return code != 0;
}

/* what the address's smtp-error says. */
static void
refuse_as_configured(struct smtp_session *s, struct bytes reply)
{
	struct receiver *r = receiver_of(s);
	struct bytes status = BYTES("5.1.1"), text = BYTES("refused");
	int code = 550;

	(void)config_split_reply(reply, &code, &status, &text);	/* checked */
	receive_refuse_rcpt(s, code, arena_str(&r->job, status),
	    arena_str(&r->job, text));
}

void
receive_rcpt(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);
	struct recipient found;
	const char *status;
	int n = simulated(s, smtp_asked(s->smtp)->path.local_part,
	    RECIPIENT_RCPT, &status);

	if (n != 0) {
		receive_refuse_rcpt(s, n, status, simulated_text);
		return;
	}
	if (s->options.submission) {
		submit_rcpt(s);
		return;
	}
	if (smtp_envelope(s->smtp)->nrecipients == 0)
		r->spf = SPF_NOT_ASKED;		/* another transaction */
	n = recipient_find(r->settings->config, &r->job,
	    &smtp_asked(s->smtp)->path, &found);
	if (r->tls_at_rcpt && !s->options.tls && !(n == 1 &&
	    found.reports & RECIPIENT_TLS_REPORTS))
		receive_refuse_rcpt(s, 530, "5.7.0", "say STARTTLS first");
	else if (n == 1 && found.error.n > 0)
		refuse_as_configured(s, found.error);
	else if (n != -1)
		take_rcpt(s, n == 1);
	else if (errno == EACCES)
		receive_refuse_rcpt(s, 550, "5.7.1",
		    "relay denied: not a domain of this server");
	else
		receive_refuse_rcpt(s, 450, "4.2.1",
		    "domain is disabled for now");
	arena_reset(&r->job);
}

/* ---- the log line of a message ---- */

/* "iprev=pass spf=pass dkim=none": the first words of each resinfo. */
static void
log_results(struct logline *l, const struct stage_job *job)
{
	struct buf b = BUF_INIT(RESULTS_MAX);
	struct bytes info, word;

	for (size_t i = 0; i < job->block.nresinfo; i++) {
		info = job->block.resinfo[i];
		if (!bytes_word(&info, &word))
			continue;
		if ((b.n > 0 && buf_addc(&b, ' ') == -1) ||
		    buf_add(&b, word) == -1)
			break;
	}
	if (b.n > 0)
		log_bytes(l, "results", buf_bytes(&b));
	buf_free(&b);
}

static void
log_message(struct smtp_session *s, const struct stage_job *job,
    const struct smtp_answer *answer, size_t size, int64_t started)
{
	struct receiver *r = receiver_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	struct logline l;
	char ip[IP_TEXT_MAX];

	log_begin(&l, LOG_INFO, answer->code < 300 ? "accepted"
	    : "refused");
	log_num(&l, "cid", (int64_t)r->conn->id);
	log_str(&l, "id", s->id);
	log_str(&l, "ip", ip_format(&r->conn->remote, ip));
	log_bytes(&l, "helo", e->helo);
	log_bytes(&l, "from", e->sender_text);
	if (e->nrecipients > 0)
		log_bytes(&l, "to", e->recipients[0].text);
	log_num(&l, "rcpts", (int64_t)e->nrecipients);
	if (r->front.tls)
		log_str(&l, "tls", r->front.version);
	if (is_authenticated(r))
		log_str(&l, "account", r->account);
	log_num(&l, "size", (int64_t)size);
	if (job != NULL)
		log_results(&l, job);
	if (job != NULL && job->verdict != STAGE_PASS)
		log_bytes(&l, "stage", job->at);
	if (job != NULL && job->why[0] != '\0')
		log_str(&l, "why", job->why);
	log_num(&l, "code", answer->code);
	log_bytes(&l, "reply", answer->text);
	log_num(&l, "ms", time_mono_ms() - started);
	log_end(&l);
}

/* For errors of ours: what failed, beside the reply with the same id. */
static void
log_failure(struct smtp_session *s, const char *what, int err)
{
	struct receiver *r = receiver_of(s);
	struct logline l;

	log_begin(&l, LOG_ERROR, "failed");
	log_num(&l, "cid", (int64_t)r->conn->id);
	log_str(&l, "id", s->id);
	log_str(&l, "what", what);
	log_err(&l, err);
	log_end(&l);
}

void
receive_log_dsn(struct smtp_session *s, bool taken,
    const struct smtp_answer *reply)
{
	struct receiver *r = receiver_of(s);
	struct logline l;

	log_begin(&l, taken ? LOG_INFO : LOG_WARN, taken ? "dsn"
	    : "dsn-not-queued");
	log_num(&l, "cid", (int64_t)r->conn->id);
	log_str(&l, "id", s->id);
	log_bytes(&l, "to", smtp_envelope(s->smtp)->sender_text);
	if (reply->code != 0)
		log_num(&l, "code", reply->code);
	log_bytes(&l, "reply", reply->text);
	log_end(&l);
}

void
receive_refused(struct smtp_session *s, const char *why)
{
	struct smtp_answer answer = { 500, BYTES_EMPTY, bytes_str(why) };

	log_message(s, NULL, &answer, 0, time_mono_ms());
}

/* ---- messages ---- */

static void
set_answer(struct smtp_answer *out, int code, const char *status,
    struct bytes text)
{
	out->code = code;
	out->status = bytes_str(status);
	out->text = text;
}

/* How many recipients are known. */
static size_t
count_known(const struct smtp_envelope *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->nrecipients; i++)
		n += e->recipients[i].user != NULL;
	return n;
}

/* Is the message one we take, before any check? */
static bool
is_acceptable(struct smtp_session *s, struct bytes text,
    struct smtp_answer *out)
{
	struct receiver *r = receiver_of(s);
	size_t max = r->settings->received_max;

	if (count_known(smtp_envelope(s->smtp)) == 0) {
		(void)poll(NULL, 0, (int)r->settings->unknown_delay_ms);
		set_answer(out, 550, "5.1.1", BYTES("no such user"));
		return false;
	}
	if (trace_count_fields(text, BYTES("Received"), max) > max) {
		set_answer(out, 550, "5.4.6",
		    BYTES("too many Received fields, mail loop"));
		return false;
	}
	if (trace_count_fields(text, BYTES("From"), 1) > 1) {
		set_answer(out, 550, "5.6.0",
		    BYTES("more than one From field"));
		return false;
	}
	return true;
}

void
receive_fail(struct smtp_session *s, struct smtp_answer *out,
    const char *what, int err)
{
	char text[SMTP_FAIL_TEXT];
	const char *status;
	int code = smtp_fail_reply(err, s->id, text, &status);

	log_failure(s, what, err);
	set_answer(out, code, status, arena_bytes(&receiver_of(s)->job,
	    bytes_str(text)));
}

static struct bytes
ok_text(struct smtp_session *s)
{
	return bytes_str(arena_printf(&receiver_of(s)->job,
	    "ok, received-id %s", s->id));
}

/*
 * its mail was refused for what it is. A relay on this machine carries
 * the mail of many, and is not held up for one.
 */
static void
slow_down(struct smtp_session *s)
{
	if (!sender_is_local(receiver_of(s)))
		s->slow = true;
}

/* What the checks told the SMTP client, with the id for a later question. */
static void
set_verdict(struct smtp_session *s, struct stage_job *job,
    struct smtp_answer *out)
{
	struct bytes text = job->reply;

	switch (job->verdict) {
	case STAGE_REJECT:
		set_answer(out, 550, "5.7.1", text);
		slow_down(s);
		break;
	case STAGE_TEMP:
		set_answer(out, 451, "4.3.0", bytes_str(arena_printf(
		    &receiver_of(s)->job, "%.*s, received-id %s",
		    BYTES_ARG(text), s->id)));
		break;
	default:
		set_answer(out, 250, "2.0.0", ok_text(s));
	}
}

static void
set_xforward(struct smtp_session *s, const struct stage_job *job,
    struct smtp_xforward *x)
{
	const struct trace_envelope *e = &job->envelope;

	*x = (struct smtp_xforward){ .name = e->remote_host,
	    .helo = e->helo, .proto = e->with, .ident = bytes_str(s->id),
	    .source = BYTES("REMOTE"), .addr = e->remote,
	    .port = e->remote_port, .marks = true };
}

/* some have it and some do not. */
static bool
is_partial(const struct smtp_answer *answers, size_t n)
{
	size_t good = 0;

	for (size_t i = 0; i < n; i++)
		good += answers[i].code < 300;
	return good > 0 && good < n;
}

/* The original as it would have been delivered; its headers go back. */
static bool
report_failures(struct smtp_session *s, struct bytes prefix,
    struct bytes message, const struct smtp_answer *answers)
{
	struct buf original = BUF_INIT(SIZE_MAX);
	bool taken;

	buf_add(&original, prefix);
	buf_add(&original, bytes_first(message, DSN_HEADERS_MAX));
	taken = submit_dsn(s, buf_bytes(&original), answers);
	buf_free(&original);
	return taken;
}

/*
 * To the known recipients; the others have the answer they would have got at
 * RCPT. As relay_send.
 */
static int
deliver(struct smtp_session *s, struct stage_job *job, struct bytes prefix,
    struct smtp_answer *answers)
{
	struct receiver *r = receiver_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	struct smtp_envelope known = *e;
	struct smtp_answer *got;
	struct smtp_xforward x;
	size_t n = 0;

	set_xforward(s, job, &x);
	known.nrecipients = count_known(e);
	known.recipients = arena_zalloc(&r->job, known.nrecipients,
	    sizeof(*known.recipients));
	got = arena_zalloc(&r->job, known.nrecipients, sizeof(*got));
	for (size_t i = 0; i < e->nrecipients; i++) {
		if (e->recipients[i].user != NULL)
			known.recipients[n++] = e->recipients[i];
	}
	r->relay.client = s->is_socket ? s->in : -1;
	r->relay.said_all = s->unread;
	if (relay_send(&r->relay, &r->job, &known, &x, prefix, job->message,
	    got) == -1)
		return -1;
	n = 0;
	for (size_t i = 0; i < e->nrecipients; i++) {
		if (e->recipients[i].user != NULL)
			answers[i] = got[n++];
		else
			set_answer(&answers[i], 550, "5.1.1",
			    BYTES("no such user"));
	}
	return 0;
}

static void
hand_over(struct smtp_session *s, struct stage_job *job,
    struct smtp_answer *out)
{
	struct receiver *r = receiver_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	struct buf prefix = BUF_INIT(PREFIX_MAX);
	struct smtp_answer *answers;

	answers = arena_zalloc(&r->job, e->nrecipients, sizeof(*answers));
	if (stage_job_prefix(job, &prefix) == -1)
		receive_fail(s, out, "trace fields", errno);
	else if (deliver(s, job, buf_bytes(&prefix), answers) == -1)
		receive_fail(s, out, errno == ECONNABORTED ? "client"
		    : r->relay.path, errno);
	else {
		if (r->relay.slow)
			slow_down(s);
		smtp_answer_combine(&r->job, e->recipients, answers,
		    e->nrecipients, out);
		if (is_partial(answers, e->nrecipients) &&
		    report_failures(s, buf_bytes(&prefix), job->message,
		    answers))
			out->code = 250;
		if (out->code < 300)
			set_answer(out, 250, "2.0.0", ok_text(s));
	}
	buf_free(&prefix);
}

static void
judge(struct smtp_session *s, struct bytes text, struct smtp_answer *out,
    int64_t started)
{
	struct receiver *r = receiver_of(s);
	struct trace_envelope e;
	struct stage_job job;

	receive_envelope(s, &e);
	stage_job_init(&job, &r->job, r->settings->stage, &e, text);
	stage_guard_begin(&job, s->out);
	stage_run(&job, &r->settings->stages);
	stage_guard_end(&job);
	if (job.verdict == STAGE_PASS)
		hand_over(s, &job, out);
	else
		set_verdict(s, &job, out);
	log_message(s, &job, out, text.n, started);
	stage_job_end(&job);
}

void
receive_message(struct smtp_session *s, struct bytes text)
{
	struct receiver *r = receiver_of(s);
	struct smtp_answer answer = { 451, BYTES_EMPTY, BYTES_EMPTY };
	int64_t started = time_mono_ms();
	char status[16] = "";

	r->messages++;
	r->big = r->big || s->text_fd != -1;
	if (is_simulated(s, &answer)) {
		log_message(s, NULL, &answer, text.n, started);
	} else if (s->options.submission) {
		submit_message(s, text, &answer);
		log_message(s, NULL, &answer, text.n, started);
	} else if (is_acceptable(s, text, &answer))
		judge(s, text, &answer, started);
	else
		log_message(s, NULL, &answer, text.n, started);
	if (answer.status.n < sizeof(status))
		memcpy(status, answer.status.p, answer.status.n);
	smtp_reply(s->smtp, answer.code, status, answer.text);
	arena_reset(&r->job);
}
