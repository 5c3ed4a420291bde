/*
 * rcpt.c - recipients of a submission, and reverse-paths of their own
 */
#include "submit/internal.h"

#include <errno.h>

#include "os/os.h"
#include "recipient/recipient.h"
#include "route/route.h"

#define FROMID_BYTES 16

/* Unknown recipients of our own are told at once (U-25, R-18). */
static int
check_local(struct submit *s, const struct path *path, struct queue_rcpt *r,
    struct submit_reply *reply)
{
	struct recipient found;
	int n = recipient_find(s->config, s->a, path, &found);

	if (n == 0)
		return submit_fail(reply, 550, "5.1.1", arena_printf(s->a,
		    "no such user <%.*s>", BYTES_ARG(r->address)));
	if (n == -1 && errno == EAGAIN)
		return submit_fail(reply, 450, "4.2.1",
		    "the recipient's domain is disabled for now");
	return 0;
}

static int
read_rcpt(struct submit *s, const struct add_rcpt *in, struct queue_rcpt *r,
    struct bytes *canonical, struct submit_reply *reply)
{
	struct route_query q = { .account = s->request->account,
	    .chosen = BYTES_EMPTY, .sender_domain = BYTES_EMPTY };
	struct path path, sender;
	const char *why = "";

	if (addr_parse_mailbox(s->a, in->address, ADDR_SMTPUTF8, &path,
	    &why) == -1)
		return submit_fail(reply, 553, "5.1.3", arena_printf(s->a,
		    "bad recipient address: %s", why));
	(void)queue_rcpt_parse(BYTES_EMPTY, r);		/* all zero */
	r->address = addr_path_text(s->a, &path, false);
	r->domain = path.domain_ascii;
	r->orcpt = in->orcpt;
	r->notify = in->notify;
	r->next = s->message.release;
	r->tls = s->message.tls;
	r->held = recipient_simulates_hold(s->config, path.local_part);
	if (check_local(s, &path, r, reply) == -1)
		return -1;
	if (addr_parse_mailbox(s->a, s->message.sender, ADDR_SMTPUTF8,
	    &sender, &why) == 0)
		q.sender_domain = sender.domain_ascii;
	q.rcpt_domain = r->domain;
	r->dest = route_dest(s->a, s->config, route_find(s->config, &q),
	    r->domain);
	*canonical = arena_lower(s->a, r->address);
	if (addr_needs_smtputf8(&path))
		s->message.smtputf8 = 1;
	return 0;
}

/* ---- FromID (U-23, U-24) ---- */

static bool
uses_fromid(const struct submit *s)
{
	struct config_list list;
	struct bytes value;

	config_list(s->config, "account", arena_str(s->a,
	    s->request->account), "fromid-login-address", &list);
	while (config_list_next(&list, &value)) {
		if (bytes_caseeq(value, s->request->login))
			return true;
	}
	return false;
}

/* The domain's first separator; empty: it has none. */
static struct bytes
separator_of(const struct submit *s, const struct path *path)
{
	struct config_list list;
	struct bytes name, value;

	if (!config_domain_find(s->config, path->domain, &name))
		return BYTES_EMPTY;
	config_list(s->config, "domain", (const char *)name.p, "separators",
	    &list);
	return config_list_next(&list, &value) ? value : BYTES_EMPTY;
}

static struct bytes
new_fromid(struct submit *s)
{
	unsigned char random[FROMID_BYTES];
	struct buf b = BUF_INIT(64);
	struct bytes id;

	os_random(random, sizeof(random));
	base64url_encode(&b, bytes_of(random, sizeof(random)));
	id = arena_bytes(s->a, buf_bytes(&b));
	buf_free(&b);
	return id;
}

/* base SEPARATOR fromid @ domain */
static struct bytes
with_fromid(struct submit *s, const struct path *path, struct bytes separator,
    struct bytes fromid)
{
	struct path p = *path;

	p.local_part = bytes_str(arena_printf(s->a, "%.*s%.*s%.*s",
	    BYTES_ARG(path->local_part), BYTES_ARG(separator),
	    BYTES_ARG(fromid)));
	return addr_path_text(s->a, &p, false);
}

static int
set_fromids(struct submit *s, struct submit_reply *reply)
{
	struct bytes separator, own;
	struct path path;
	const char *why;
	size_t at;

	if (s->message.sender.n == 0 || s->request->account.n == 0 ||
	    !uses_fromid(s) || addr_parse_mailbox(s->a, s->message.sender,
	    ADDR_SMTPUTF8, &path, &why) == -1)
		return 0;
	if ((separator = separator_of(s, &path)).n == 0)
		return submit_fail(reply, 554, "5.7.1", "a login address with "
		    "FromID needs a separator in its domain");
	if (bytes_find(path.local_part, separator, &at)) {
		own = bytes_from(path.local_part, at + separator.n);
		if (s->count > 1)
			return submit_fail(reply, 554, "5.5.1", "with a "
			    "FromID of your own one recipient is allowed");
		s->rcpts[0].fromid = own;
		return 0;
	}
	for (size_t i = 0; i < s->count; i++) {
		s->rcpts[i].fromid = new_fromid(s);
		s->rcpts[i].sender = with_fromid(s, &path, separator,
		    s->rcpts[i].fromid);
	}
	return 0;
}

int
submit_rcpts(struct submit *s, struct submit_reply *reply)
{
	const struct add_request *q = s->request;

	if (q->count == 0)
		return submit_fail(reply, 554, "5.5.1", "no recipients");
	s->count = q->count;
	s->rcpts = arena_zalloc(s->a, q->count, sizeof(*s->rcpts));
	s->canonical = arena_zalloc(s->a, q->count, sizeof(*s->canonical));
	for (size_t i = 0; i < q->count; i++) {
		if (read_rcpt(s, &q->rcpts[i], &s->rcpts[i],
		    &s->canonical[i], reply) == -1)
			return -1;
	}
	return set_fromids(s, reply);
}
