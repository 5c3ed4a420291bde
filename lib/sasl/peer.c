/*
 * peer.c - the auth protocol as auth-serve speaks it, one client connection
 *
 * Dovecot's auth-client protocol 1.2, so that Postfix and Exim can ask us
 * too; pipemail-auth(5) lists the lines and our additions. One line is
 * handled per step, and a line costs at most one key derivation: the caller
 * takes turns among clients.
 */
#include "sasl/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "os/os.h"

#define PROTOCOL_MAJOR 1
#define PROTOCOL_MINOR 2
struct sasl_peer {
	const struct sasl_backend *backend;
	struct sasl_request *requests;
	size_t pending;
	struct buf in, out;
	struct arena arena;
	bool has_version, has_pid;
};

struct sasl_peer *
sasl_peer_new(const struct sasl_backend *backend, uint32_t server_pid,
    uint64_t connection)
{
	struct sasl_peer *p = mem_zalloc(1, sizeof(*p));
	const struct sasl_mech *m;
	unsigned char cookie[16];
	size_t i;

	p->backend = backend;
	p->in = BUF_INIT(SASL_LINE_MAX);
	p->out = BUF_INIT(SASL_OUTPUT_MAX);
	os_random(cookie, sizeof(cookie));
	buf_printf(&p->out, "VERSION\t%d\t%d\n", PROTOCOL_MAJOR,
	    PROTOCOL_MINOR);
	for (i = 0; (m = sasl_mech_at(i)) != NULL; i++) {
		if (backend->offered == NULL ||
		    backend->offered(backend->ctx, m))
			buf_printf(&p->out, "MECH\t%s%s\n", m->name,
			    m->flags);
	}
	buf_printf(&p->out, "SPID\t%lu\nCUID\t%llu\nCOOKIE\t",
	    (unsigned long)server_pid, (unsigned long long)connection);
	hex_encode(&p->out, bytes_of(cookie, sizeof(cookie)));
	buf_adds(&p->out, "\nDONE\n");
	return p;
}

/* Of a request that is gone before its end. */
static void
request_abort(struct sasl_request *r)
{
	const struct sasl_backend *b = r->peer->backend;
	struct sasl_outcome o = { .result = SASL_ABORTED,
	    .why = "aborted by the client" };

	if (r->state == SASL_REQ_LATER)
		b->dropped(b->ctx, r);
	if (r->state == SASL_REQ_LAST)
		o = r->outcome;
	if (o.result == SASL_OK) {
		/* It proved itself, but did not believe us. */
		o.result = SASL_ABORTED;
		o.why = "aborted by the client after its proof";
		o.uncharged = true;
	}
	b->ended(b->ctx, r, &o);
}

static void
request_free(struct sasl_request *r)
{
	sasl_wipe(&r->sasl);
	secret_wipe(r, sizeof(*r));
	free(r);
}

void
sasl_peer_free(struct sasl_peer *p)
{
	struct sasl_request *r, *next;

	if (p == NULL)
		return;
	for (r = p->requests; r != NULL; r = next) {
		next = r->next;
		request_abort(r);
		request_free(r);
	}
	if (p->in.size > 0)
		secret_wipe(p->in.p, p->in.size);
	buf_free(&p->in);
	buf_free(&p->out);
	arena_free(&p->arena);
	free(p);
}

size_t
sasl_peer_room(const struct sasl_peer *p)
{
	return SASL_LINE_MAX - p->in.n;
}

void
sasl_peer_input(struct sasl_peer *p, struct bytes s)
{
	(void)buf_add(&p->in, s);	/* fits: the caller asked for room */
}

struct buf *
sasl_peer_output(struct sasl_peer *p)
{
	return &p->out;
}

bool
sasl_peer_waits(const struct sasl_peer *p)
{
	const struct sasl_request *r;

	for (r = p->requests; r != NULL; r = r->next) {
		if (r->state == SASL_REQ_LATER)
			return true;
	}
	return false;
}

static struct sasl_request **
request_find(struct sasl_peer *p, uint64_t id)
{
	struct sasl_request **r = &p->requests;

	while (*r != NULL && (*r)->id != id)
		r = &(*r)->next;
	return r;
}

static void
request_end(struct sasl_peer *p, uint64_t id)
{
	struct sasl_request **at = request_find(p, id), *r = *at;

	if (r == NULL)
		return;
	*at = r->next;
	p->pending--;
	request_free(r);
}

/* "\tname=value" with the value escaped. */
static void
add_field(struct buf *out, const char *name, struct bytes value)
{
	buf_printf(out, "\t%s=", name);
	sasl_field_escape(out, value);
}

static void
reply_fail(struct sasl_peer *p, uint64_t id, struct bytes user,
    const char *reason, const char *flag)
{
	buf_printf(&p->out, "FAIL\t%llu", (unsigned long long)id);
	if (user.n > 0)
		add_field(&p->out, "user", user);
	if (reason[0] != '\0')
		add_field(&p->out, "reason", bytes_str(reason));
	if (flag != NULL)
		buf_printf(&p->out, "\t%s", flag);
}

static void
refuse(struct sasl_peer *p, uint64_t id, const char *reason, const char *flag)
{
	reply_fail(p, id, BYTES_EMPTY, reason, flag);
	buf_addc(&p->out, '\n');
}

static void
reply_outcome(struct sasl_peer *p, const struct sasl_request *r,
    const struct sasl_outcome *o)
{
	const char *flag = NULL;

	switch (o->result) {
	case SASL_DISABLED:
		flag = "user_disabled";
		break;
	case SASL_TEMPORARY:
		flag = "temp";
		break;
	case SASL_LIMITED:
		flag = "temp\tlimited";
		break;
	default:
		break;
	}
	reply_fail(p, r->id, bytes_of(r->sasl.authcid.p, r->sasl.authcid.n),
	    o->reason, flag);
	if (o->uncharged)
		buf_adds(&p->out, "\tuncharged");
	if (o->no_preauth)
		buf_adds(&p->out, "\tnopreauth");
	buf_addc(&p->out, '\n');
}

/* last: what the client still has to be told, or empty. */
static void
reply_ok(struct sasl_peer *p, const struct sasl_request *r,
    const struct sasl_outcome *o, struct bytes last)
{
	char ticket[SASL_TICKET_CHARS + 1];

	if (r->ticket && !sasl_tickets_issue(p->backend->tickets, o->account,
	    p->backend->now_ms(), ticket)) {
		refuse(p, r->id, "too many logins at once", "temp");
		return;
	}
	buf_printf(&p->out, "OK\t%llu", (unsigned long long)r->id);
	add_field(&p->out, "user", bytes_str(o->account));
	if (sasl_login_of(r, o).n > 0)
		add_field(&p->out, "login", sasl_login_of(r, o));
	if (r->ticket)
		add_field(&p->out, "ticket", bytes_str(ticket));
	if (last.n > 0) {
		buf_adds(&p->out, "\tresp=");
		base64_encode(&p->out, last);
	}
	buf_addc(&p->out, '\n');
	secret_wipe(ticket, sizeof(ticket));
}

/* Report, answer, forget. */
static void
finish(struct sasl_request *r, const struct sasl_outcome *o,
    struct bytes last)
{
	struct sasl_peer *p = r->peer;

	p->backend->ended(p->backend->ctx, r, o);
	if (o->result == SASL_OK)
		reply_ok(p, r, o, last);
	else
		reply_outcome(p, r, o);
	request_end(p, r->id);
}

static void
reply_challenge(struct sasl_request *r, const struct buf *challenge)
{
	struct buf *out = &r->peer->out;

	buf_printf(out, "CONT\t%llu\t", (unsigned long long)r->id);
	base64_encode(out, buf_bytes(challenge));
	buf_addc(out, '\n');
}

/* Decided: at once, or after one more message of ours and an answer. */
static void
decided(struct sasl_request *r, const struct sasl_outcome *o)
{
	struct buf last = BUF_INIT(512);
	bool good = o->result == SASL_OK;
	bool more = sasl_last(&r->sasl, good, &last);

	if (more && !(good && r->final_ok)) {
		r->outcome = *o;
		r->state = SASL_REQ_LAST;
		reply_challenge(r, &last);
	} else {
		finish(r, o, buf_bytes(&last));
	}
	buf_free(&last);
}

void
sasl_peer_decided(struct sasl_request *r, const struct sasl_outcome *o)
{
	r->state = SASL_REQ_OPEN;
	decided(r, o);
}

static bool
allowed(struct sasl_request *r, struct sasl_outcome *o)
{
	const struct sasl_backend *b = r->peer->backend;

	if (b->allowed == NULL || b->allowed(b->ctx, &r->from))
		return true;
	*o = (struct sasl_outcome){ .result = SASL_LIMITED,
	    .reason = "too many failed logins, try again later",
	    .why = "too many failed logins from there" };
	return false;
}

static void
decide(struct sasl_request *r, enum sasl_action action)
{
	const struct sasl_backend *b = r->peer->backend;
	struct sasl_outcome o = { .result = SASL_WRONG,
	    .reason = "malformed response" };

	if (action == SASL_MALFORMED) {
		o.why = r->sasl.why != NULL ? r->sasl.why : "malformed";
		finish(r, &o, BYTES_EMPTY);
		return;
	}
	/* Since it began, others may have used up what was left. */
	if (allowed(r, &o))
		b->decide(b->ctx, r, action, &o);
	if (o.result == SASL_LATER)
		r->state = SASL_REQ_LATER;
	else
		decided(r, &o);
}

static void
act(struct sasl_request *r, enum sasl_action action, struct buf *challenge)
{
	const struct sasl_backend *b = r->peer->backend;
	struct sasl_secrets secrets;
	struct sasl_outcome o;

	if (action == SASL_SECRETS) {
		b->secrets(b->ctx, r, &secrets);
		action = sasl_know(&r->sasl, &secrets, challenge);
	}
	switch (action) {
	case SASL_CHALLENGE:
		reply_challenge(r, challenge);
		break;
	case SASL_ENDED:
		o = r->outcome;
		finish(r, &o, BYTES_EMPTY);
		break;
	default:
		decide(r, action);
		break;
	}
}

/* Decode a response and take one step with it. */
static void
respond(struct sasl_request *r, struct bytes text, bool first,
    bool have_response)
{
	struct buf response = BUF_INIT(SASL_RESPONSE_MAX);
	struct buf challenge = BUF_INIT(SASL_RESPONSE_MAX);
	enum sasl_action action = SASL_MALFORMED;

	if (base64_decode(&response, text) == 0) {
		action = first
		    ? sasl_start(&r->sasl, buf_bytes(&response),
		    have_response, &challenge)
		    : sasl_continue(&r->sasl, buf_bytes(&response),
		    &challenge);
	} else {
		r->sasl.why = "not base64, or too long";
	}
	act(r, action, &challenge);
	if (response.size > 0)
		secret_wipe(response.p, response.size);
	buf_free(&response);
	buf_free(&challenge);
}

/* ---- parameters ---- */

/* Parameters of AUTH; resp= ends them, whatever follows (see the page). */
static bool
read_params(struct sasl_request *r, struct bytes rest, struct bytes *response,
    bool *have_response)
{
	struct bytes field, value;

	while (rest.n > 0) {
		bytes_split(&rest, '\t', &field);
		if (!sasl_field_unescape(&r->peer->arena, field, &value))
			return false;
		if (bytes_skip(&value, BYTES("resp="))) {
			*response = value;
			*have_response = true;
			return true;
		}
		if (bytes_eq(value, BYTES("final-resp-ok")))
			r->final_ok = true;
		else if (bytes_eq(value, BYTES("ticket")))
			r->ticket = true;
		else if (!sasl_origin_param(&r->from, value))
			return false;
	}
	return true;
}

/* ---- commands ---- */

static int
protocol_error(void)
{
	errno = EPROTO;
	return -1;
}

static const struct sasl_mech *
find_mech(const struct sasl_peer *p, struct bytes name)
{
	const struct sasl_mech *m = sasl_mech_find(name);

	return m == NULL || p->backend->offered == NULL ||
	    p->backend->offered(p->backend->ctx, m) ? m : NULL;
}

static int
command_auth(struct sasl_peer *p, uint64_t id, struct bytes rest)
{
	struct bytes name, response = BYTES_EMPTY;
	const struct sasl_mech *mech;
	struct sasl_outcome o;
	struct sasl_request *r;
	bool have_response = false;

	if (*request_find(p, id) != NULL)
		return protocol_error();
	bytes_split(&rest, '\t', &name);
	mech = find_mech(p, name);
	if (mech == NULL || p->pending == SASL_PENDING_MAX) {
		refuse(p, id, mech == NULL ? "unsupported mechanism"
		    : "too many logins at once", mech == NULL ? NULL
		    : "temp");
		return 0;
	}
	r = mem_zalloc(1, sizeof(*r));
	r->peer = p;
	r->id = id;
	sasl_init(&r->sasl, mech);
	r->sasl.binding = r->from.binding;
	if (!read_params(r, rest, &response, &have_response)) {
		request_free(r);
		return protocol_error();
	}
	r->next = p->requests;
	p->requests = r;
	p->pending++;
	if (allowed(r, &o))
		respond(r, response, true, have_response);
	else
		finish(r, &o, BYTES_EMPTY);
	return 0;
}

static int
command_cont(struct sasl_peer *p, uint64_t id, struct bytes rest)
{
	struct sasl_request *r = *request_find(p, id);

	if (r == NULL)
		refuse(p, id, "no such request", NULL);
	else if (r->state == SASL_REQ_LATER)
		return protocol_error();	/* nothing was asked */
	else
		respond(r, rest, false, true);
	return 0;
}

/* (An addition.) May somebody from there log in now? */
static int
command_allowed(struct sasl_peer *p, uint64_t id, struct bytes rest)
{
	struct sasl_request *r = mem_zalloc(1, sizeof(*r));
	struct bytes response;
	struct sasl_outcome o;
	bool have, good;

	r->peer = p;
	good = read_params(r, rest, &response, &have);
	if (good && allowed(r, &o))
		buf_printf(&p->out, "OK\t%llu\n", (unsigned long long)id);
	else if (good)
		refuse(p, id, o.reason, "temp\tlimited");
	free(r);
	return good ? 0 : protocol_error();
}

static void
command_cancel(struct sasl_peer *p, uint64_t id)
{
	struct sasl_request *r = *request_find(p, id);

	if (r == NULL)
		return;
	request_abort(r);
	request_end(p, id);
}

static int
command_ticket(struct sasl_peer *p, uint64_t id, struct bytes rest)
{
	char account[SASL_ACCOUNT_MAX + 1];

	if (!sasl_tickets_redeem(p->backend->tickets, rest,
	    p->backend->now_ms(), account)) {
		refuse(p, id, "no such ticket", NULL);
		return 0;
	}
	buf_printf(&p->out, "OK\t%llu", (unsigned long long)id);
	add_field(&p->out, "user", bytes_str(account));
	buf_addc(&p->out, '\n');
	return 0;
}

static int
command_version(struct sasl_peer *p, struct bytes rest)
{
	struct bytes field;
	uint64_t major;

	bytes_split(&rest, '\t', &field);
	if (num_parse(field, 0, UINT32_MAX, &major) == -1 ||
	    major != PROTOCOL_MAJOR)
		return protocol_error();
	p->has_version = true;
	return 0;
}

static int
handle_line(struct sasl_peer *p, struct bytes line)
{
	struct bytes command, field;
	uint64_t id;

	bytes_split(&line, '\t', &command);
	if (bytes_eq(command, BYTES("VERSION")))
		return command_version(p, line);
	if (!p->has_version)
		return protocol_error();
	if (bytes_eq(command, BYTES("CPID"))) {
		p->has_pid = true;
		return 0;
	}
	if (!bytes_eq(command, BYTES("AUTH")) &&
	    !bytes_eq(command, BYTES("CONT")) &&
	    !bytes_eq(command, BYTES("CANCEL")) &&
	    !bytes_eq(command, BYTES("ALLOWED")) &&
	    !bytes_eq(command, BYTES("TICKET")))
		return 0;	/* of a later minor version */
	bytes_split(&line, '\t', &field);
	if (!p->has_pid || num_parse(field, 0, UINT32_MAX, &id) == -1)
		return protocol_error();
	if (bytes_eq(command, BYTES("AUTH")))
		return command_auth(p, id, line);
	if (bytes_eq(command, BYTES("CONT")))
		return command_cont(p, id, line);
	if (bytes_eq(command, BYTES("TICKET")))
		return command_ticket(p, id, line);
	if (bytes_eq(command, BYTES("ALLOWED")))
		return command_allowed(p, id, line);
	command_cancel(p, id);
	return 0;
}

int
sasl_peer_step(struct sasl_peer *p)
{
	struct bytes s = buf_bytes(&p->in), line;
	size_t at;
	int r;

	if (!bytes_chr(s, '\n', &at)) {
		if (s.n < SASL_LINE_MAX)
			return 0;
		errno = EMSGSIZE;
		return -1;
	}
	bytes_line(&s, &line);
	r = handle_line(p, line);
	/* The line may have held a password. */
	secret_wipe(p->in.p, at + 1);
	buf_drop(&p->in, at + 1);
	arena_reset(&p->arena);
	if (r == -1)
		return -1;
	if (p->out.full) {
		errno = EMSGSIZE;
		return -1;
	}
	return 1;
}
