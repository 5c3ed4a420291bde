/*
 * take.c - a request made fit for the smart host, and its answer
 */
#include "relay_submit.h"

#include "compose/compose.h"

#define ANSWER_MAX 4096		/* one line of the reply to the caller */

struct taker {
	const struct relay *r;
	struct bytes address;	/* the user's own */
};

/* ---- names of this machine ---- */

static bool
find_user(const struct relay *r, struct bytes name, struct bytes *address)
{
	for (size_t i = 0; i < r->nusers; i++) {
		if (bytes_eq(r->users[i].name, name)) {
			*address = r->users[i].address;
			return true;
		}
	}
	return false;
}

/* The local part of a name of this machine. */
static bool
is_local(const struct relay *r, struct bytes address, struct bytes *name)
{
	struct bytes domain;
	size_t at;

	*name = address;
	if (!bytes_rchr(address, '@', &at))
		return true;
	*name = bytes_first(address, at);
	domain = bytes_from(address, at + 1);
	return bytes_caseeq(domain, r->hostname) ||
	    bytes_caseeq(domain, r->machine) ||
	    bytes_caseeq(domain, BYTES("localhost")) ||
	    bytes_caseeq(domain, BYTES("localhost.localdomain"));
}

/* Mail for a user here goes where the administrator reads it. */
static struct bytes
rcpt_address(const struct relay *r, struct bytes address)
{
	struct bytes name, found;

	if (!is_local(r, address, &name))
		return address;
	return find_user(r, name, &found) ? found : r->local_recipient;
}

static bool
may_use(void *ctx, struct arena *a, struct bytes address)
{
	const struct taker *t = ctx;
	struct bytes domain = BYTES_EMPTY;
	size_t at;

	(void)a;
	if (bytes_rchr(address, '@', &at))
		domain = bytes_from(address, at);
	if (bytes_caseeq(address, t->address) ||
	    bytes_caseeq(address, t->r->from))
		return true;
	for (size_t i = 0; i < t->r->nallow; i++) {
		if (bytes_caseeq(t->r->allow[i],
		    bytes_at(t->r->allow[i], 0) == '@' ? domain : address))
			return true;
	}
	return false;
}

static struct bytes
user_address(const struct relay *r, uid_t uid)
{
	for (size_t i = 0; i < r->nusers; i++) {
		if (r->users[i].uid == uid)
			return r->users[i].address;
	}
	return r->from;
}

/* ---- the answer ---- */

static void
set_reply(struct add_reply *reply, uint64_t code, const char *status,
    const char *text)
{
	*reply = (struct add_reply){ code, bytes_str(status),
	    bytes_str(text), 0, BYTES_EMPTY };
}

/* What a recipient's result says, on one line. */
static const char *
result_text(struct arena *a, const struct smtpc_result *r)
{
	struct buf b = BUF_INIT(ANSWER_MAX);
	struct bytes rest = r->text, line;
	char status[SMTPC_STATUS_MAX], *out;

	if (r->code == 0)
		return arena_printf(a, "%s%s", r->why == NULL ? "" : r->why,
		    r->doubtful ? "; it may have been sent" : "");
	while (bytes_line(&rest, &line)) {
		line = bytes_trim(bytes_from(line, smtpc_status_cut(line,
		    r->code, status)));
		if (b.n > 0)
			(void)buf_addc(&b, ' ');	/* or it is cut */
		(void)buf_add(&b, line);	/* likewise */
	}
	out = arena_str(a, buf_bytes(&b));
	buf_free(&b);
	return out == NULL ? "" : out;
}

static void
answer(struct arena *a, const struct relay_mail *m, struct add_reply *reply)
{
	const struct smtpc_recipient *worst = NULL;
	const struct smtpc_result *w;
	const char *status, *text;
	size_t good = 0;
	uint64_t code;
	bool permanent;

	for (size_t i = 0; i < m->count; i++) {
		const struct smtpc_recipient *to = &m->rcpts[i];

		if (to->result.class == SMTPC_OK)
			good++;
		else if (worst == NULL || (worst->result.class ==
		    SMTPC_PERMANENT && to->result.class != SMTPC_PERMANENT))
			worst = to;
	}
	if (worst == NULL) {
		w = &m->rcpts[0].result;
		set_reply(reply, 250, w->status, result_text(a, w));
		return;
	}
	w = &worst->result;
	/* who hears 4xx sends it to all of them again: those who have it would
	 * get it twice, and nobody waits here to try the others */
	permanent = w->class == SMTPC_PERMANENT || good > 0;
	code = w->code / 100 == (permanent ? 5 : 4) ? (uint64_t)w->code
	    : permanent ? 554 : 451;
	status = w->status[0] == (permanent ? '5' : '4')
	    ? arena_printf(a, "%s", w->status)
	    : permanent ? "5.0.0" : "4.0.0";
	text = result_text(a, w);
	if (good > 0 || m->count > 1)
		text = arena_printf(a,
		    "<%.*s>: %s (sent to %zu of %zu recipients)",
		    BYTES_ARG(addr_path_text(a, &worst->path, false)), text,
		    good, m->count);
	set_reply(reply, code, status, text);
}

static void
log_result(const struct relay_mail *m, uid_t uid,
    const struct add_reply *reply)
{
	struct logline l;

	log_begin(&l, reply->code < 300 ? LOG_INFO : LOG_WARN, "submitted");
	log_num(&l, "uid", (int64_t)uid);
	log_bytes(&l, "from", m->request->sender);
	log_num(&l, "recipients", (int64_t)m->count);
	log_num(&l, "code", (int64_t)reply->code);
	log_bytes(&l, "reply", reply->text);
	log_end(&l);
}

/* ---- the request ---- */

static int
set_sender(struct taker *t, struct arena *a, struct add_request *q,
    struct relay_mail *m)
{
	const char *why;

	m->sender = (struct path){ .is_null = true };
	if (q->sender.n == 0)
		return 0;
	if (!may_use(t, a, q->sender))
		q->sender = t->address;
	return addr_parse_mailbox(a, q->sender, ADDR_SMTPUTF8, &m->sender,
	    &why);
}

static int
set_rcpts(const struct relay *r, struct arena *a,
    const struct add_request *q, struct relay_mail *m, const char **why)
{
	m->count = q->count;
	m->rcpts = arena_zalloc(a, q->count, sizeof(*m->rcpts));
	for (size_t i = 0; i < q->count; i++) {
		if (addr_parse_mailbox(a, rcpt_address(r,
		    q->rcpts[i].address), ADDR_SMTPUTF8, &m->rcpts[i].path,
		    why) == -1)
			return -1;
	}
	return 0;
}

static int
set_text(struct taker *t, struct arena *a, struct bytes text,
    struct relay_mail *m)
{
	struct compose c = { .address = t->address, .name = BYTES_EMPTY,
	    .keep_bcc = true, .complete = true, .may_use = may_use,
	    .now = time_wall_us() / 1000000, .ctx = t };
	struct buf header = BUF_INIT(COMPOSE_HEADER_MAX);
	int n = compose_header(&c, a, text, &header, &m->parts[1]);

	m->parts[0] = arena_bytes(a, buf_bytes(&header));
	buf_free(&header);
	return n;
}

void
relay_take(const struct relay *r, struct arena *a, uid_t uid,
    struct add_request *q, struct bytes text, struct add_reply *reply)
{
	struct taker t = { r, user_address(r, uid) };
	struct relay_mail m = { .request = q };
	const char *why = "";

	if (q->count == 0 || q->count > SMTPC_RECIPIENTS_MAX)
		set_reply(reply, 554, "5.5.3", "1 to 1000 recipients");
	else if (set_sender(&t, a, q, &m) == -1)
		set_reply(reply, 553, "5.1.7", "bad sender address");
	else if (set_rcpts(r, a, q, &m, &why) == -1)
		set_reply(reply, 553, "5.1.3", arena_printf(a,
		    "bad recipient address: %s", why));
	else if (q->release != 0 || q->deliver_by != 0 || q->body_binary)
		set_reply(reply, 554, "5.5.4", "held, timed and binary "
		    "messages need a server with a queue");
	else if (set_text(&t, a, text, &m) == -1)
		set_reply(reply, 554, "5.3.4",
		    "the header section is too long");
	else {
		relay_send(r, a, &m);
		answer(a, &m, reply);
	}
	log_result(&m, uid, reply);
}
