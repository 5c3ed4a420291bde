/*
 * send.c - one message to the smart host, over verified TLS
 */
#include "relay_submit.h"

#include <errno.h>
#include <unistd.h>

#include "os/os.h"

#define TLS_TIMEOUT_MS 60000
/* For the conversation: 60 s, and a second for each MiB (BEHAVIOUR 7.4). */
#define SEND_MS 60000
#define RCPT_MS 1000		/* and this for each recipient */

struct sender {
	const struct relay *r;
	struct arena *a;
	struct relay_mail *m;
	struct smtpc_mail mail;
	struct smtpc_parts parts;
	struct dial_conn conn;
	struct saslc_login login;
	struct sasl_binding binding[SASL_BINDINGS];
	bool logs_in;
	int64_t deadline;
};

/* ---- results ---- */

static void
note(struct sender *s, const struct smtpc_result *result)
{
	for (size_t i = 0; i < s->m->count; i++) {
		if (s->m->rcpts[i].result.class == SMTPC_PENDING ||
		    s->m->rcpts[i].result.again)
			s->m->rcpts[i].result = *result;
	}
}

static void
note_text(struct sender *s, const char *status, const char *text)
{
	struct smtpc_result r = { .class = SMTPC_TEMPORARY,
	    .step = SMTPC_AT_CONNECT, .text = BYTES_EMPTY, .why = text };
	struct bytes code = bytes_first(bytes_str(status),
	    sizeof(r.status) - 1);

	memcpy(r.status, code.p, code.n);
	note(s, &r);
}

/*
 * The session's last words outlive it. What goes wrong before the mail is
 * spoken of (a password, an extension) is the administrator's to mend: then
 * the same mail will pass.
 */
static void
note_failure(struct sender *s)
{
	struct smtpc_result r = *smtpc_failure(s->conn.smtp);

	if (r.step < SMTPC_AT_CHECK && r.class == SMTPC_PERMANENT)
		r.class = SMTPC_TEMPORARY;
	r.text = arena_bytes(s->a, r.text);
	note(s, &r);
}

/* ---- TLS and login ---- */

static void
set_binding(struct sasl_binding *b, struct bytes value)
{
	b->n = value.n <= SASL_BINDING_MAX ? value.n : 0;
	if (b->n > 0)
		memcpy(b->p, value.p, b->n);
}

static int
begin_tls(struct sender *s, const char **why)
{
	struct ip ip;
	struct tlsc_options o = { .name = s->r->host,
	    .sni = ip_parse(s->r->host, &ip) == 0 ? BYTES_EMPTY : s->r->host,
	    .check = TLSC_WEBPKI, .enforce = TLSC_WEBPKI };
	const struct tlsc_finding *f;
	struct tlsc_facts facts;

	if (dial_secure(&s->conn, s->r->tls, &o, TLS_TIMEOUT_MS) == -1) {
		f = s->conn.tls == NULL ? NULL : tlsc_finding(s->conn.tls);
		*why = f == NULL ? "TLS cannot be set up"
		    : arena_printf(s->a, "TLS failed: %s", f->why);
		return -1;
	}
	tlsc_describe(s->conn.tls, s->a, &facts);
	set_binding(&s->binding[SASL_TLS_EXPORTER], facts.exporter);
	set_binding(&s->binding[SASL_TLS_SERVER_END_POINT],
	    facts.end_point);
	s->login.binding = s->binding;
	s->login.secured = true;
	s->login.client_cert = s->r->client_cert && facts.client_cert;
	return 0;
}

static void
set_login(struct sender *s)
{
	const struct relay *r = s->r;

	s->logs_in = r->user.n > 0 || r->mechanisms != NULL;
	s->login = (struct saslc_login){ .user = r->user,
	    .password = r->password, .token = BYTES_EMPTY,
	    .authzid = BYTES_EMPTY, .client_cert = r->client_cert,
	    .mechanisms = r->mechanisms, .host = r->host, .port = r->port };
}

/* ---- the conversation ---- */

/* Until the machine is ready for mail. */
static bool
come_up(struct sender *s)
{
	struct smtpc_options o = { .hostname = s->r->hostname,
	    .chunking = true, .secured = !s->r->starttls,
	    .tls = SMTPC_TLS_REQUIRED,
	    .login = s->logs_in ? &s->login : NULL };
	const char *why = "";
	enum smtpc_event e;

	if (!s->r->starttls && begin_tls(s, &why) == -1) {
		note_text(s, "4.7.5", why);
		return false;
	}
	s->conn.smtp = smtpc_new(&o);
	e = dial_run(&s->conn);
	if (e == SMTPC_STARTTLS) {
		if (begin_tls(s, &why) == -1) {
			note_text(s, "4.7.5", why);
			return false;
		}
		smtpc_secured(s->conn.smtp, s->logs_in ? &s->login : NULL);
		e = dial_run(&s->conn);
	}
	if (e == SMTPC_READY)
		return true;
	note_failure(s);
	return false;
}

static void
send_mail(struct sender *s)
{
	struct smtpc_result bad = { .class = SMTPC_PERMANENT,
	    .step = SMTPC_AT_CHECK, .status = "5.6.0", .text = BYTES_EMPTY,
	    .why = "the envelope cannot be said in SMTP" };

	for (;;) {
		if (smtpc_send(s->conn.smtp, &s->mail) == -1) {
			note(s, &bad);
			return;
		}
		if (dial_run(&s->conn) != SMTPC_DONE) {
			note_failure(s);
			return;
		}
		if (smtpc_again(&s->mail) == 0)
			return;
		if (dial_run(&s->conn) != SMTPC_READY) {
			note_failure(s);
			return;
		}
	}
}

/* False: nobody was there; another address may do. */
static bool
talk(struct sender *s, const struct ip *ip, int64_t deadline)
{
	struct dial_via via = { .socks_port = 0 };
	const char *why = "";
	bool spoke = true;
	int fd = dial_connect(&via, s->a, ip, s->r->port, deadline, &why);

	if (fd == -1) {
		note_text(s, "4.4.1", why);
		return false;
	}
	(void)os_nodelay(fd);	/* slower without, no more */
	dial_open(&s->conn, fd, s->deadline);
	set_login(s);
	if (come_up(s))
		send_mail(s);
	else
		spoke = s->conn.smtp != NULL && smtpc_failure(
		    s->conn.smtp)->step > SMTPC_AT_GREETING;
	dial_close(&s->conn);
	secret_wipe(s->binding, sizeof(s->binding));
	return spoke;
}

static void
set_pending(struct sender *s)
{
	for (size_t i = 0; i < s->m->count; i++)
		s->m->rcpts[i].result = (struct smtpc_result){
		    .class = SMTPC_PENDING, .text = BYTES_EMPTY };
}

static void
try_addresses(struct sender *s)
{
	struct dial_limits limits = { .local = true };
	int64_t deadline = deadline_in(DIAL_HOST_MS);
	struct dial_host host = { .count = 1 };
	struct dns *dns = NULL;

	if (ip_parse(s->r->host, &host.ips[0]) == -1) {
		if ((dns = dns_new(&s->r->dns)) == NULL) {
			note_text(s, "4.4.3", "DNS cannot be asked");
			return;
		}
		(void)dns_set_deadline(dns, deadline);	/* was none */
		dial_addresses(dns, s->a, s->r->host, &limits, &host);
		if (host.count == 0)
			note_text(s, "4.4.4", host.why);
	}
	dial_order(BYTES_EMPTY, s->r->host, host.ips, host.count,
	    dial_random, NULL);
	for (size_t i = 0; i < host.count; i++) {
		set_pending(s);
		if (talk(s, &host.ips[i], deadline_in(deadline_left(
		    deadline) / (int64_t)(host.count - i))))
			break;
	}
	dns_free(dns);
}

/* ---- the mail ---- */

/* ORCPT as on the wire: "rfc822;" and xtext; RFC 3461 4.2. */
static struct bytes
orcpt_text(struct arena *a, struct bytes orcpt)
{
	struct buf b = BUF_INIT(SMTPC_ORCPT_MAX);
	struct bytes type, rest = orcpt, out = BYTES_EMPTY;

	if (orcpt.n > 0 && bytes_split(&rest, ';', &type) &&
	    buf_add(&b, type) == 0 && buf_addc(&b, ';') == 0 &&
	    smtpc_add_xtext(&b, rest) == 0)
		out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return out;
}

static void
set_notify(struct smtpc_recipient *to, uint64_t notify)
{
	to->notify = (notify & QUEUE_NOTIFY_SUCCESS ? SMTPC_NOTIFY_SUCCESS
	    : 0U) | (notify & QUEUE_NOTIFY_FAILURE ? SMTPC_NOTIFY_FAILURE
	    : 0U) | (notify & QUEUE_NOTIFY_DELAY ? SMTPC_NOTIFY_DELAY : 0U);
	if (notify & QUEUE_NOTIFY_NEVER)
		to->notify = SMTPC_NOTIFY_NEVER;
}

static int
set_mail(struct sender *s)
{
	const struct add_request *q = s->m->request;
	struct smtpc_mail *mail = &s->mail;
	struct buf xtext = BUF_INIT(SMTPC_ENVID_MAX * 3);

	s->parts = (struct smtpc_parts){ s->m->parts, 2 };
	*mail = (struct smtpc_mail){ .sender = s->m->sender,
	    .recipients = s->m->rcpts, .nrecipients = s->m->count,
	    .source = smtpc_source_parts(&s->parts),
	    .requiretls = q->requiretls != 0, .envid = BYTES_EMPTY,
	    .ret = q->ret_full ? SMTPC_RET_FULL : q->ret_headers
	    ? SMTPC_RET_HDRS : SMTPC_RET_NONE, .auth = BYTES_EMPTY,
	    .hold_until = BYTES_EMPTY, .arena = s->a,
	    .smtputf8 = !bytes_is_ascii(s->m->parts[0]) };
	if (q->envid.n > 0 && smtpc_add_xtext(&xtext, q->envid) == 0)
		mail->envid = arena_bytes(s->a, buf_bytes(&xtext));
	buf_free(&xtext);
	for (size_t i = 0; i < s->m->count; i++) {
		set_notify(&s->m->rcpts[i], q->rcpts[i].notify);
		s->m->rcpts[i].orcpt = orcpt_text(s->a, q->rcpts[i].orcpt);
	}
	return smtpc_scan(&mail->source, &mail->facts);
}

void
relay_send(const struct relay *r, struct arena *a, struct relay_mail *m)
{
	struct sender *s = arena_zalloc(a, 1, sizeof(*s));

	*s = (struct sender){ .r = r, .a = a, .m = m };
	set_pending(s);
	if (set_mail(s) == -1) {
		note_text(s, "4.3.0", "the message cannot be read");
		return;
	}
	s->deadline = deadline_in(SEND_MS + RCPT_MS * (int64_t)m->count +
	    (int64_t)(s->mail.facts.wire_size >> 20) * 1000);
	try_addresses(s);
}
