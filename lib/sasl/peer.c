/*
 * peer.c - the auth protocol as auth-serve speaks it, one client connection
 *
 * Dovecot's auth-client protocol 1.2, so that Postfix and Exim can ask us
 * too; pipemail-auth(5) lists the lines and our additions (the parameter
 * "ticket" and the command TICKET). One line is handled per step, and a line
 * costs at most one key derivation: the caller takes turns among clients.
 */
#include "sasl/sasl.h"

#include <errno.h>
#include <stdlib.h>

#include "os/os.h"

#define PROTOCOL_MAJOR 1
#define PROTOCOL_MINOR 2
/* service=, rip= and session= as kept for the log. */
#define PARAM_MAX 64

struct sasl_request {
	struct sasl_request *next;
	uint64_t id;
	bool ticket;
	char service[PARAM_MAX], remote_ip[PARAM_MAX], session[PARAM_MAX];
	struct sasl sasl;
};

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
		buf_printf(&p->out, "MECH\t%s%s\n", m->name,
		    m->plaintext ? "\tplaintext" : "");
	}
	buf_printf(&p->out, "SPID\t%lu\nCUID\t%llu\nCOOKIE\t",
	    (unsigned long)server_pid, (unsigned long long)connection);
	hex_encode(&p->out, bytes_of(cookie, sizeof(cookie)));
	buf_adds(&p->out, "\nDONE\n");
	return p;
}

static void
request_free(struct sasl_request *r)
{
	sasl_wipe(&r->sasl);
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
	buf_addc(&p->out, '\n');
}

static void
reply_ok(struct sasl_peer *p, const struct sasl_request *r,
    const char *account)
{
	char ticket[SASL_TICKET_CHARS + 1];

	if (r->ticket && !sasl_tickets_issue(p->backend->tickets, account,
	    p->backend->now_ms(), ticket)) {
		reply_fail(p, r->id, BYTES_EMPTY, "too many logins at once",
		    "temp");
		return;
	}
	buf_printf(&p->out, "OK\t%llu", (unsigned long long)r->id);
	add_field(&p->out, "user", bytes_str(account));
	if (r->ticket)
		add_field(&p->out, "ticket", bytes_str(ticket));
	buf_addc(&p->out, '\n');
	secret_wipe(ticket, sizeof(ticket));
}

/* Decide a login whose name and password are known, or malformed. */
static void
decide(struct sasl_peer *p, struct sasl_request *r, bool malformed)
{
	struct sasl_outcome o = { .result = SASL_WRONG, .why = "malformed" };
	struct sasl *s = &r->sasl;
	struct bytes authcid = bytes_of(s->authcid.p, s->authcid.n);

	if (malformed) {
		memcpy(o.reason, "malformed response", 19);
	} else {
		p->backend->login(p->backend->ctx,
		    bytes_of(s->authzid.p, s->authzid.n), authcid,
		    bytes_of(s->password.p, s->password.n), &o);
	}
	p->backend->ended(p->backend->ctx, &o, authcid, s->mech->name,
	    bytes_str(r->service), bytes_str(r->remote_ip),
	    bytes_str(r->session));
	switch (o.result) {
	case SASL_OK:
		reply_ok(p, r, o.account);
		break;
	case SASL_WRONG:
		reply_fail(p, r->id, authcid, o.reason, NULL);
		break;
	case SASL_DISABLED:
		reply_fail(p, r->id, authcid, o.reason, "user_disabled");
		break;
	case SASL_TEMPORARY:
		reply_fail(p, r->id, authcid, o.reason, "temp");
		break;
	}
}

static void
act(struct sasl_peer *p, struct sasl_request *r, enum sasl_action action,
    const struct buf *challenge)
{
	if (action == SASL_CHALLENGE) {
		buf_printf(&p->out, "CONT\t%llu\t",
		    (unsigned long long)r->id);
		base64_encode(&p->out, buf_bytes(challenge));
		buf_addc(&p->out, '\n');
		return;
	}
	decide(p, r, action == SASL_MALFORMED);
	request_end(p, r->id);
}

/* Decode a response and take one step with it. */
static void
respond(struct sasl_peer *p, struct sasl_request *r, struct bytes text,
    bool first, bool have_response)
{
	struct buf response = BUF_INIT(SASL_RESPONSE_MAX);
	struct buf challenge = BUF_INIT(512);
	enum sasl_action action = SASL_MALFORMED;

	if (base64_decode(&response, text) == 0) {
		action = first
		    ? sasl_start(&r->sasl, buf_bytes(&response),
		    have_response, &challenge)
		    : sasl_continue(&r->sasl, buf_bytes(&response),
		    &challenge);
	}
	act(p, r, action, &challenge);
	if (response.size > 0)
		secret_wipe(response.p, response.size);
	buf_free(&response);
	buf_free(&challenge);
}

static void
keep_param(char to[PARAM_MAX], struct bytes value)
{
	if (value.n >= PARAM_MAX || bytes_has_nul(value))
		return;
	memcpy(to, value.p, value.n);
	to[value.n] = '\0';
}

/* Parameters of AUTH; resp= ends them, whatever follows (see the page). */
static bool
read_params(struct sasl_peer *p, struct sasl_request *r, struct bytes rest,
    struct bytes *response, bool *have_response)
{
	struct bytes field, value;

	while (rest.n > 0) {
		bytes_split(&rest, '\t', &field);
		if (!sasl_field_unescape(&p->arena, field, &value))
			return false;
		if (bytes_skip(&value, BYTES("resp="))) {
			*response = value;
			*have_response = true;
			return true;
		}
		if (bytes_skip(&value, BYTES("service=")))
			keep_param(r->service, value);
		else if (bytes_skip(&value, BYTES("rip=")))
			keep_param(r->remote_ip, value);
		else if (bytes_skip(&value, BYTES("session=")))
			keep_param(r->session, value);
		else if (bytes_eq(value, BYTES("ticket")))
			r->ticket = true;
	}
	return true;
}

static int
protocol_error(void)
{
	errno = EPROTO;
	return -1;
}

static int
command_auth(struct sasl_peer *p, uint64_t id, struct bytes rest)
{
	struct bytes name, response = BYTES_EMPTY;
	const struct sasl_mech *mech;
	struct sasl_request *r;
	bool have_response = false;

	if (*request_find(p, id) != NULL)
		return protocol_error();
	bytes_split(&rest, '\t', &name);
	mech = sasl_mech_find(name);
	if (mech == NULL || p->pending == SASL_PENDING_MAX) {
		reply_fail(p, id, BYTES_EMPTY, mech == NULL
		    ? "unsupported mechanism" : "too many logins at once",
		    mech == NULL ? NULL : "temp");
		return 0;
	}
	r = mem_zalloc(1, sizeof(*r));
	r->id = id;
	sasl_init(&r->sasl, mech);
	r->next = p->requests;
	p->requests = r;
	p->pending++;
	if (!read_params(p, r, rest, &response, &have_response))
		return protocol_error();
	respond(p, r, response, true, have_response);
	return 0;
}

static int
command_cont(struct sasl_peer *p, uint64_t id, struct bytes rest)
{
	struct sasl_request *r = *request_find(p, id);

	if (r == NULL) {
		reply_fail(p, id, BYTES_EMPTY, "no such request", NULL);
		return 0;
	}
	respond(p, r, rest, false, true);
	return 0;
}

static int
command_ticket(struct sasl_peer *p, uint64_t id, struct bytes rest)
{
	char account[SASL_ACCOUNT_MAX + 1];

	if (!sasl_tickets_redeem(p->backend->tickets, rest,
	    p->backend->now_ms(), account)) {
		reply_fail(p, id, BYTES_EMPTY, "no such ticket", NULL);
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
	request_end(p, id);
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
