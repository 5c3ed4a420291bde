/*
 * verdict.c - what is decided about a recipient's copy, and what follows
 */
#include "lmtp_in.h"

#include <errno.h>
#include <poll.h>

#include "trace/trace.h"

/* Only rules have a say. */
static void
follow_rules(const struct rules_result *rules, struct judge_result *r)
{
	*r = (struct judge_result){ .accept = rules->reply_code == 0,
	    .code = rules->reply_code, .status = rules->reply_status,
	    .text = rules->reply_text, .reason = "",
	    .mailbox = rules->mailbox, .destined = BYTES_EMPTY };
}

void
verdict_make(struct smtp_session *s, const struct copy *c,
    struct stage_job *job, const struct rules_result *rules,
    struct store *store, struct verdict *v)
{
	struct deliverer *d = s->ctx;
	struct judge_case k = { .config = d->settings->config,
	    .store = store, .job = job, .recipient = c->to,
	    .address = c->rcpt->text, .rules = rules };

	*v = (struct verdict){ .store = store, .rules = rules };
	if (!config_get_bool(k.config, "lmtp-in", NULL, "judge")) {
		follow_rules(rules, &v->r);
		return;
	}
	judge_recipient(&k, &v->r);
	v->judged = true;
	judge_rejects_read(k.config, store_account(store), &v->rejects);
	if (v->r.override != NULL)
		(void)trace_block_override(job->arena, &job->block,
		    BYTES("dmarc"), bytes_str(v->r.override)); /* or none */
}

/* A copy of what is refused is kept. */
static bool
is_kept(const struct verdict *v)
{
	return v->r.to_rejects && v->rejects.mailbox.n > 0;
}

bool
verdict_needs_hash(const struct verdict *v)
{
	if (!v->judged)
		return false;
	return !v->r.accept ? is_kept(v) : v->r.is_reject ||
	    (v->rejects.mailbox.n > 0 &&
	    bytes_eq(v->r.mailbox, v->rejects.mailbox));
}

int
verdict_fields(const struct verdict *v, struct buf *out, struct buf *facts)
{
	if (!v->judged)
		return 0;
	if (judge_format_reason(out, &v->r) == -1)
		return -1;
	if (v->r.accept)
		return judge_add_marks(facts, out, v->store, &v->r,
		    v->r.mailbox);
	return !is_kept(v) ? 0 : judge_add_marks(facts, out, v->store, &v->r,
	    v->rejects.mailbox);
}

/*
 * The server in front closes its connection, both ways, when its own client
 * is gone; of one that only has no more to say (RFC 2920) nothing is seen
 * here. So nobody gets twice what the client comes with again.
 */
static bool
is_gone_within(const struct server_conn *conn, uint64_t ms)
{
	struct pollfd p = { .fd = conn->is_socket ? conn->in : -1,
	    .events = 0 };
	int64_t deadline = deadline_in((int64_t)ms);
	int r;

	while ((r = poll(&p, 1, deadline_left(deadline))) == -1 &&
	    errno == EINTR)
		continue;
	return r == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/* A client on this machine is a program of ours, or somebody's proxy: it is
 * not waited for. Nor is anybody where too many wait already. */
void
verdict_wait(struct deliverer *d, const struct verdict *v,
    const struct ip *client)
{
	const struct config *c = d->settings->config;
	uint64_t ms = config_get_duration(c, "lmtp-in", NULL,
	    "first-time-delay") * 1000;
	unsigned int most = (unsigned int)config_get_num(c, "lmtp-in",
	    NULL, "first-time-waits"), slot;

	if (!v->r.first_time || d->waited || ms == 0 ||
	    client->family == 0 || ip_is_loopback(client))
		return;
	d->waited = true;
	if (server_slot_take(d->slots, most, &slot) != 1)
		return;
	d->gone = is_gone_within(d->conn, ms);
	server_slot_leave(d->slots, slot);
}

static int
store_refused(const struct verdict *v, struct store_incoming *m,
    struct bytes message)
{
	m->flags |= STORE_SEEN;
	return judge_rejects_add(v->store, &v->rejects, m, message,
	    time_wall_us() / 1000000);
}

int
verdict_store(const struct verdict *v, struct store_incoming *m,
    struct bytes message, struct store_delivered *where)
{
	int r;

	if (!v->r.accept)
		return !v->r.to_rejects ? 0
		    : store_refused(v, m, message) == -1 ? -1 : 0;
	if (v->r.is_reject || v->r.is_report)
		m->flags |= STORE_SEEN;
	r = store_deliver(v->store, v->r.mailbox, m, where);
	if (r == 0 && v->judged && !v->r.is_reject)
		/* it is delivered; a copy too many does no harm */
		(void)judge_rejects_forget(v->store, &v->rejects, message);
	return r;
}
