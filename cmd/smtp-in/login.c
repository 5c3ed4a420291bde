/*
 * login.c - TLS by tls-serve, logins by auth-serve
 */
#include "smtp_in.h"

#include <stdio.h>
#include <unistd.h>

#include "tlsreq/tlsreq.h"

#define SERVICE "submission"
/* How long auth-serve may take. */
#define SERVICE_MS 30000
#define FAILURES_MAX 20

static struct receiver *
receiver_of(struct smtp_session *s)
{
	return s->ctx;
}

static void
log_login(struct smtp_session *s, const char *result)
{
	const struct receiver *r = receiver_of(s);
	struct logline l;
	char ip[IP_TEXT_MAX];

	log_begin(&l, LOG_INFO, "auth");
	log_num(&l, "cid", (int64_t)r->conn->id);
	log_str(&l, "ip", ip_format(&r->conn->remote, ip));
	log_str(&l, "mech", r->mechanism);
	log_str(&l, "account", r->account);
	log_str(&l, "result", result);
	log_end(&l);
}

/* ---- TLS ---- */

static void
session_text(const struct receiver *r, char text[24])
{
	/* 20 digits at most */
	(void)snprintf(text, 24, "%llu", (unsigned long long)r->conn->id);
}

/* U-10: mail may come at once. */
static void
log_in_by_key(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);
	char session[24];
	struct sasl_params params = { .service = SERVICE,
	    .session = session };
	struct sasl_reply reply;

	session_text(r, session);
	s->options.logged_in = front_key_login(&r->front, r->auth_path,
	    &params, &reply) == 1;
	if (!s->options.logged_in)
		return;
	memcpy(r->account, reply.user, sizeof(r->account));
	memcpy(r->login, reply.login, sizeof(r->login));
	memcpy(r->mechanism, FRONT_KEY_LOGIN, sizeof(FRONT_KEY_LOGIN));
	log_login(s, "ok");
}

void
login_options(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);

	s->options.tls = r->front.tls;
	s->options.starttls = front_offers_tls(&r->front);
	s->options.mechanisms = "";
	if (!s->options.submission)
		return;
	s->options.mechanisms = front_mechanisms(&r->front, r->auth_path,
	    SERVICE, &r->limited);
	if (!r->limited)
		log_in_by_key(s);
}

bool
login_tls_open(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);

	r->tls_serve = front_open(&r->front);
	return r->tls_serve != -1;
}

int
login_tls_begin(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);

	if (front_secure(&r->front, r->tls_serve) == -1)
		return -1;
	/* RFC 3207 4.2: what was known is forgotten */
	sasl_client_close(r->auth);
	r->auth = NULL;
	r->account[0] = r->login[0] = '\0';
	login_options(s);
	return 0;
}

/* ---- AUTH ---- */

static void
count_failure(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);

	r->failures++;
	s->slow = r->failures >= FRONT_SLOW_FAILURES;
}

static void
unavailable(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);

	msg_warnsys("cannot ask %s", r->auth_path);
	sasl_client_close(r->auth);
	r->auth = NULL;
	smtp_auth_refuse(s->smtp, 454, "4.7.0",
	    BYTES("authentication is not available now"));
}

static void
refuse(struct smtp_session *s, const struct sasl_reply *reply)
{
	const struct receiver *r = receiver_of(s);
	struct bytes text = bytes_str(reply->reason);

	log_login(s, reply->temporary ? "temporary" : reply->disabled
	    ? "disabled" : "wrong");
	if (!reply->uncharged)
		count_failure(s);
	if (reply->limited || r->failures >= FAILURES_MAX)
		smtp_auth_refuse(s->smtp, 421, "4.7.0",
		    BYTES("too many failed logins"));
	else if (reply->temporary)
		smtp_auth_refuse(s->smtp, 454, "4.7.0", text.n > 0 ? text
		    : BYTES("authentication failed for now"));
	else if (reply->disabled)
		smtp_auth_refuse(s->smtp, 525, "5.7.13", text.n > 0 ? text
		    : BYTES("login is disabled"));
	else
		smtp_auth_refuse(s->smtp, 535, "5.7.8", text.n > 0 ? text
		    : BYTES("wrong user name or password"));
}

static void
handle_reply(struct smtp_session *s, struct sasl_reply *reply)
{
	struct receiver *r = receiver_of(s);

	switch (reply->kind) {
	case SASL_REPLY_OK:
		memcpy(r->account, reply->user, sizeof(r->account));
		memcpy(r->login, reply->login, sizeof(r->login));
		r->failures = 0;
		s->slow = false;
		log_login(s, "ok");
		smtp_auth_accept(s->smtp);
		/* nothing more is to be asked */
		sasl_client_close(r->auth);
		r->auth = NULL;
		break;
	case SASL_REPLY_CONT:
		smtp_auth_challenge(s->smtp, bytes_str(reply->challenge));
		break;
	case SASL_REPLY_FAIL:
		refuse(s, reply);
		break;
	}
	secret_wipe(reply, sizeof(*reply));
}

void
login_auth(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);
	struct smtp_auth a = smtp_auth(s->smtp);
	char session[24];
	struct sasl_params params = { .mech = r->mechanism,
	    .service = SERVICE, .session = session };
	struct sasl_reply reply;
	int64_t deadline;
	int n;

	if (a.begins) {
		front_throttle(r->failures);
		/* a name that is offered is short enough */
		(void)snprintf(r->mechanism, sizeof(r->mechanism), "%s",
		    a.mechanism);
	}
	session_text(r, session);
	front_sasl(&r->front, &params);
	deadline = deadline_in(SERVICE_MS);
	if (r->auth == NULL && a.begins)
		r->auth = sasl_client_open(r->auth_path, deadline);
	if (r->auth == NULL) {
		unavailable(s);
		return;
	}
	n = a.begins ? sasl_client_auth(r->auth, &params, a.response64,
	    a.has_response, deadline, &reply)
	    : sasl_client_continue(r->auth, a.response64, deadline, &reply);
	if (n == -1)
		unavailable(s);
	else
		handle_reply(s, &reply);
}

void
login_auth_cancel(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);

	log_login(s, "cancelled");
	count_failure(s);
	/* an auth-serve that is gone forgot it anyway */
	if (r->auth != NULL)
		(void)sasl_client_cancel(r->auth, deadline_in(SERVICE_MS));
}
