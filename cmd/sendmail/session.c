/*
 * session.c - SMTP on standard input and output (-bs)
 */
#include "sendmail.h"

#include <errno.h>
#include <unistd.h>

#include "os/os.h"
#include "smtp/smtp.h"

/* RFC 5321 4.5.3.2.7: a server waits 5 minutes at least. */
#define LINE_TIMEOUT_MS (5 * 60 * 1000)
#define DATA_TIMEOUT_MS (60 * 60 * 1000)
/* On a machine without a server nothing else says it: the smart host will. */
#define SIZE_LIMIT_DEFAULT ((uint64_t)1024 * 1024 * 1024)

struct dialogue {
	struct local *l;
	const struct options *o;
};

static void
take_rcpt(struct smtp_session *s)
{
	smtp_rcpt_accept(s->smtp);
}

static void
set_envelope(struct dialogue *d, struct arena *a,
    const struct smtp_envelope *e, struct add_request *r)
{
	*r = d->o->request;
	r->account = d->l->account;
	r->sender = e->sender.is_null ? BYTES_EMPTY
	    : local_complete(d->l, e->sender_text);
	r->smtputf8 = e->smtputf8;
	r->body_8bit = e->body_8bit;
	r->count = e->nrecipients;
	r->rcpts = arena_zalloc(a, r->count, sizeof(*r->rcpts));
	for (size_t i = 0; i < r->count; i++)
		r->rcpts[i] = (struct add_rcpt){ .orcpt = BYTES_EMPTY,
		    .address = local_complete(d->l, e->recipients[i].text),
		    .notify = d->o->notify };
}

static void
take_message(struct smtp_session *s, struct bytes text)
{
	struct dialogue *d = s->ctx;
	struct arena a = ARENA_INIT;
	struct add_request r;
	struct add_reply reply;
	struct bytes header, body;
	const char *why = "";

	set_envelope(d, &a, smtp_envelope(s->smtp), &r);
	if (hand_compose(d->l, d->o->full_name, true, &a, text, &header,
	    &body) == -1) {
		smtp_reply(s->smtp, 554, "5.3.4",
		    BYTES("the header section is too long"));
	} else if (hand_over(&a, &r, header, body, &reply, &why) == -1) {
		msg_warnsys("not sent: %s", why);
		smtp_reply(s->smtp, 451, "4.3.0",
		    BYTES("the message cannot be handed over now"));
	} else {
		smtp_reply(s->smtp, (int)reply.code, reply.status.n > 0
		    ? arena_str(&a, reply.status) : reply.code < 300 ? "2.0.0"
		    : reply.code < 500 ? "4.0.0" : "5.0.0", reply.text);
	}
	arena_free(&a);
}

static void
tell_refused(struct smtp_session *s, const char *why)
{
	(void)s;
	msg_warn("message refused: %s", why);
}

static void
no_auth(struct smtp_session *s)
{
	smtp_auth_refuse(s->smtp, 502, "5.5.1", BYTES("not offered"));
}

static void
no_auth_cancel(struct smtp_session *s)
{
	(void)s;
}

static bool
no_tls(struct smtp_session *s)
{
	(void)s;
	return false;
}

static int
no_tls_begin(struct smtp_session *s)
{
	(void)s;
	errno = EPROTO;
	return -1;
}

int
session_run(struct local *l, const struct options *o)
{
	const char *dir = env_get("TMPDIR");
	struct dialogue d = { l, o };
	struct smtp_session s = {
		.options = {
			.hostname = l->hostname,
			.banner = l->hostname,
			.size_limit = SIZE_LIMIT_DEFAULT,
			.recipients_max = COMPOSE_RCPTS_MAX,
			.mechanisms = "",
		},
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.is_socket = os_is_socket(STDIN_FILENO),
		.line_timeout_ms = LINE_TIMEOUT_MS,
		.data_timeout_ms = DATA_TIMEOUT_MS,
		.spool_dir = dir == NULL ? "/tmp" : dir,
		.ctx = &d,
		.rcpt = take_rcpt,
		.message = take_message,
		.refused = tell_refused,
		.tls_open = no_tls,
		.tls_begin = no_tls_begin,
		.auth = no_auth,
		.auth_cancel = no_auth_cancel,
	};
	int code;

	if (l->config != NULL)
		s.options.size_limit = config_get_size(l->config, "server",
		    NULL, "size-limit");
	if (smtp_session_run(&s) == 0)
		return EX_OK;
	code = errno == EPROTO ? EX_PROTOCOL : EX_TEMPFAIL;
	msg_warnsys("the session ended: %s", s.end == NULL ? "" : s.end);
	return code;
}
