/*
 * job.c - the recipients of a job and what comes of them
 *
 * A result for good is told at once. A temporary one is kept while another
 * host may still take the message, and told in the end.
 */
#include "smtp_out.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

static bool
is_permanent_class(const char *status)
{
	return status[0] == '5';
}

/* ---- set-up ---- */

static int
map_message(struct job *j)
{
	struct stat st;
	void *p;

	j->text = BYTES_EMPTY;
	if (fstat(j->file, &st) == -1)
		return -1;
	if (st.st_size == 0)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, j->file,
	    0);
	if (p == MAP_FAILED)
		return -1;
	j->text = bytes_of(p, (size_t)st.st_size);
	return 0;
}

static struct bytes
xtext(struct arena *a, struct bytes s, size_t max)
{
	struct buf b = BUF_INIT(max);
	struct bytes out = BYTES_EMPTY;

	if (s.n > 0 && smtpc_add_xtext(&b, s) == 0)
		out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return out;
}

/* "rfc822;a@b": the part after the type is xtext, RFC 3461 4.2. */
static struct bytes
orcpt(struct arena *a, struct bytes s)
{
	struct bytes type, text;

	if (!bytes_split(&s, ';', &type) || !bytes_is_ascii(s))
		return BYTES_EMPTY;
	text = xtext(a, s, SMTPC_ORCPT_MAX - type.n);
	return text.n == 0 ? text : bytes_str(arena_printf(a, "%.*s;%.*s",
	    BYTES_ARG(type), BYTES_ARG(text)));
}

static unsigned int
notify(uint64_t n)
{
	return ((n & QUEUE_NOTIFY_NEVER) ? SMTPC_NOTIFY_NEVER : 0) |
	    ((n & QUEUE_NOTIFY_SUCCESS) ? SMTPC_NOTIFY_SUCCESS : 0) |
	    ((n & QUEUE_NOTIFY_FAILURE) ? SMTPC_NOTIFY_FAILURE : 0) |
	    ((n & QUEUE_NOTIFY_DELAY) ? SMTPC_NOTIFY_DELAY : 0);
}

static int
parse_rcpt(struct job *j, size_t i, const char **why)
{
	const struct queue_rcpt *r = &j->request->rcpts[i];

	j->rcpts[i].record = r;
	j->to[i] = (struct smtpc_recipient){ .notify = notify(r->notify),
	    .orcpt = orcpt(j->a, r->orcpt), .user = &j->rcpts[i] };
	return addr_parse_mailbox(j->a, r->address, ADDR_SMTPUTF8,
	    &j->to[i].path, why);
}

static void
set_deliver_by(struct job *j)
{
	const struct queue_message *m = &j->request->message;

	if (m->deliver_by == 0)
		return;
	j->mail.by_mode = m->by_return ? 'R' : 'N';
	j->mail.by_trace = m->by_trace != 0;
	j->mail.by_seconds = m->deliver_by - time_wall_us() / 1000000;
	if (m->by_return && j->mail.by_seconds <= 0)
		j->mail.by_seconds = 1;	/* queue-run sends it no later */
}

static int
set_mail(struct job *j, const char **why)
{
	const struct queue_message *m = &j->request->message;
	static const struct smtpc_parts none = { NULL, 0 };
	struct smtpc_parts *parts = arena_alloc(j->a, sizeof(*parts));
	struct bytes sender = j->request->sender;

	*parts = none;
	parts->part = &j->text;
	parts->n = 1;
	j->mail = (struct smtpc_mail){ .recipients = j->to,
	    .nrecipients = j->request->count, .arena = j->a,
	    .source = smtpc_source_parts(parts),
	    .smtputf8 = m->smtputf8 != 0, .binary = m->body_binary != 0,
	    .requiretls = j->tls == QUEUE_TLS_REQUIRED,
	    .ret = m->ret_full ? SMTPC_RET_FULL
	    : m->ret_headers ? SMTPC_RET_HDRS : SMTPC_RET_NONE,
	    .envid = xtext(j->a, m->envid, SMTPC_ENVID_MAX),
	    .auth = BYTES_EMPTY, .hold_until = BYTES_EMPTY };
	set_deliver_by(j);
	*why = "the message cannot be read";
	if (smtpc_scan(&j->mail.source, &j->mail.facts) == -1)
		return -1;
	if (j->mail.binary)
		j->mail.facts.wire_size = j->text.n;
	j->mail.sender = (struct path){ .is_null = true,
	    .local_part = BYTES_EMPTY, .domain = BYTES_EMPTY,
	    .domain_ascii = BYTES_EMPTY };
	return sender.n == 0 ? 0 : addr_parse_mailbox(j->a, sender,
	    ADDR_SMTPUTF8, &j->mail.sender, why);
}

int
job_init(struct job *j, const struct settings *s,
    const struct job_request *r, int file, const char **why)
{
	j->settings = s;
	j->request = r;
	j->file = file;
	j->tls = r->rcpts[0].tls;
	j->dialled = r->rcpts[0].dialled;
	j->start_ms = time_wall_us() / 1000;
	j->start_mono = time_mono_ms();
	j->rcpts = arena_zalloc(j->a, r->count, sizeof(*j->rcpts));
	j->to = arena_zalloc(j->a, r->count, sizeof(*j->to));
	j->done.tls = arena_zalloc(j->a, TLS_RESULTS_MAX,
	    sizeof(*j->done.tls));
	if (map_message(j) == -1) {
		*why = "the message cannot be read";
		return -1;
	}
	for (size_t i = 0; i < r->count; i++) {
		if (parse_rcpt(j, i, why) == -1)
			return -1;
	}
	return set_mail(j, why);
}

void
job_end(struct job *j)
{
	if (j->text.n > 0)
		(void)munmap((void *)(uintptr_t)j->text.p, j->text.n);
	j->text = BYTES_EMPTY;
	dns_free(j->dns);
	j->dns = NULL;
}

/* ---- results ---- */

static void
tell(struct job *j, struct rcpt *r)
{
	struct job_result result = { .n = r->record->n,
	    .attempt = r->attempt, .dialled = j->dialled };

	r->told = true;
	result.attempt.start_ms = j->start_ms;
	result.attempt.duration_ms = time_mono_ms() - j->start_mono;
	result.attempt.transport = j->request->transport.name;
	if (j->tell(j->ctx, &result) == -1)
		j->dropped = true;
}

static struct bytes
ip_text(struct job *j, const struct ip *ip)
{
	char *text = arena_alloc(j->a, IP_TEXT_MAX);

	return ip == NULL || ip->family == 0 ? BYTES_EMPTY
	    : bytes_str(ip_format(ip, text));
}

static struct queue_attempt
new_attempt(void)
{
	struct queue_attempt a;

	(void)queue_attempt_parse(BYTES_EMPTY, &a);	/* all zero */
	return a;
}

/* A reply says more than that nobody was there to give one. */
static bool
is_better(const struct rcpt *r, const struct queue_attempt *a)
{
	return !r->has_attempt || a->code != 0 || r->attempt.code == 0;
}

static void
keep(struct rcpt *r, const struct queue_attempt *a)
{
	if (is_better(r, a))
		r->attempt = *a;
	r->has_attempt = true;
}

size_t
job_pending(struct job *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->request->count; i++) {
		if (j->rcpts[i].told)
			continue;
		j->to[i].result = (struct smtpc_result){
		    .class = SMTPC_PENDING, .text = BYTES_EMPTY };
		n++;
	}
	return n;
}

void
job_note(struct job *j, const char *status, const char *text,
    struct bytes host, const struct ip *ip)
{
	struct queue_attempt a = new_attempt();

	a.outcome = QUEUE_DELAYED;
	a.status = bytes_str(status);
	a.text = bytes_str(text);
	a.host = host;
	a.ip = ip_text(j, ip);
	if (strcmp(status, "5.7.30") != 0)
		j->other = true;
	for (size_t i = 0; i < j->request->count; i++) {
		if (!j->rcpts[i].told)
			keep(&j->rcpts[i], &a);
	}
}

void
job_finish(struct job *j, uint64_t outcome, unsigned int code,
    const char *status, struct bytes text)
{
	struct queue_attempt a = new_attempt();

	a.outcome = outcome;
	a.code = code;
	a.status = bytes_str(status);
	a.text = text;
	for (size_t i = 0; i < j->request->count; i++) {
		if (j->rcpts[i].told)
			continue;
		j->rcpts[i].attempt = a;
		tell(j, &j->rcpts[i]);
	}
}

void
job_fail(struct job *j, const char *status, const char *text)
{
	job_finish(j, QUEUE_FAILED, 0, status, bytes_str(text));
}

static struct bytes
result_status(const struct smtpc_result *r)
{
	if (r->status[0] != '\0')
		return bytes_str(r->status);
	return r->class == SMTPC_OK ? BYTES("2.0.0")
	    : r->class == SMTPC_PERMANENT ? BYTES("5.0.0") : BYTES("4.0.0");
}

/* BEHAVIOUR 7.3: perhaps only one of the host's addresses of ours is
 * disliked; the next attempt uses the other family. */
static bool
is_spared(const struct job *j, const struct smtpc_result *r)
{
	return j->dual && strncmp(r->status, "5.7.", 4) == 0 &&
	    j->request->rcpts[0].attempts <= 1 && r->code != 0;
}

static bool
needs_requiretls(const struct smtpc_result *r)
{
	return r->code == 0 && strcmp(r->status, "5.7.30") == 0;
}

static uint64_t
outcome_of(const struct job *j, const struct smtpc_result *r)
{
	switch (r->class) {
	case SMTPC_OK:
		return j->session->lmtp || j->mail.dsn_passed
		    ? QUEUE_DELIVERED : QUEUE_RELAYED;
	case SMTPC_PERMANENT:
		return needs_requiretls(r) || is_spared(j, r) ? QUEUE_DELAYED
		    : QUEUE_FAILED;
	default:
		return r->doubtful ? QUEUE_UNKNOWN : QUEUE_DELAYED;
	}
}

/* What was said, with the status if the server gave one; or why. */
static struct bytes
result_text(struct job *j, const struct smtpc_result *r)
{
	if (r->why == NULL)
		return arena_bytes(j->a, r->text);
	return !r->doubtful ? bytes_str(r->why)
	    : bytes_str(arena_printf(j->a, "%s; the whole message was sent, "
	    "it may arrive twice", r->why));
}

static void
take(struct job *j, struct rcpt *r, const struct smtpc_result *result)
{
	struct queue_attempt a = new_attempt();

	a.outcome = outcome_of(j, result);
	a.code = (uint64_t)result->code;
	a.status = arena_bytes(j->a, result_status(result));
	a.text = result_text(j, result);
	a.host = arena_bytes(j->a, j->session->host);
	a.ip = ip_text(j, &j->session->ip);
	a.tls = arena_bytes(j->a, j->session->tls);
	if (a.outcome == QUEUE_DELAYED) {
		if (!needs_requiretls(result))
			j->other = true;
		keep(r, &a);
		return;
	}
	r->attempt = a;
	tell(j, r);
}

void
job_take(struct job *j)
{
	bool refused = false;

	for (size_t i = 0; i < j->request->count; i++) {
		struct smtpc_result *r = &j->to[i].result;

		if (j->rcpts[i].told || r->class == SMTPC_PENDING || r->again)
			continue;
		refused |= needs_requiretls(r);
		take(j, &j->rcpts[i], r);
	}
	if (refused)
		count_refused(j, COUNT_SERVER);
}

/* ---- the way it goes ---- */

static void
answer(struct job *j)
{
	const struct transport *t = &j->request->transport;
	bool permanent = t->code < 400 || t->code >= 500;

	job_finish(j, permanent ? QUEUE_FAILED : QUEUE_DELAYED,
	    (unsigned int)t->code, permanent ? "5.0.0" : "4.0.0", t->text);
}

/* What nobody took. Every host lacking what REQUIRETLS needs is for good. */
static void
tell_rest(struct job *j)
{
	for (size_t i = 0; i < j->request->count; i++) {
		struct rcpt *r = &j->rcpts[i];

		if (r->told)
			continue;
		if (!r->has_attempt) {
			r->attempt = new_attempt();
			r->attempt.status = BYTES("4.3.0");
			r->attempt.text = BYTES("it was not sent");
		}
		r->attempt.outcome = QUEUE_DELAYED;
		if (!j->other && bytes_eq(r->attempt.status, BYTES("5.7.30")))
			r->attempt.outcome = QUEUE_FAILED;
		else if (r->attempt.code == 0 && is_permanent_class(
		    (const char *)r->attempt.status.p))
			r->attempt.status = BYTES("4.7.0");
		tell(j, r);
	}
}

static bool
is_network(const struct job *j)
{
	return j->request->transport.type <= TRANSPORT_LMTP;
}

void
job_run(struct job *j)
{
	/* What another host might take is tried there, unless the answer came
	 * over a connection that is still good. */
	if (is_network(j) && session_again(j) &&
	    (job_pending(j) == 0 || j->session->conn.fd != -1))
		goto done;
	switch (j->request->transport.type) {
	case TRANSPORT_DIRECT:
		direct_send(j);
		break;
	case TRANSPORT_RELAY:
	case TRANSPORT_SUBMISSIONS:
	case TRANSPORT_LMTP:
		relay_send(j);
		break;
	case TRANSPORT_COMMAND:
	case TRANSPORT_BSMTP:
		pipe_send(j);
		break;
	default:
		answer(j);
		break;
	}
done:
	j->done.no_host = is_network(j) && !j->reached && !j->held_back &&
	    job_pending(j) > 0;
	tell_rest(j);
	j->done.reusable = is_network(j) && j->session->conn.fd != -1 &&
	    !j->session->broken;
}
