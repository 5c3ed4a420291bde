/*
 * tls.c - the handshake of a connection, and what is recorded of it
 */
#include "smtp_out.h"

#include <errno.h>

/* ---- for reports (BEHAVIOUR 13) ---- */

static void
add(struct job *j, const struct job_tls_result *r)
{
	if (j->done.ntls < TLS_RESULTS_MAX)
		j->done.tls[j->done.ntls++] = *r;
}

static struct bytes
result_text(enum tlsresult r)
{
	return r == TLSRESULT_SUCCESS ? BYTES_EMPTY
	    : bytes_str(tlsresult_name(r));
}

static bool
has_policy(const struct target *t)
{
	return t->sts != NULL && t->sts->verdict == MTASTS_POLICY &&
	    t->sts->policy.mode != MTASTS_NONE;
}

/* The recipient domain's line: its policy, and the failures that count
 * against it. */
static void
record_domain(struct job *j, const struct target *t,
    const struct tlsc_finding *f, struct job_tls_result r)
{
	enum tlsresult result = f->check == TLSC_DANE ? TLSRESULT_SUCCESS
	    : f->result;

	r.policy_type = has_policy(t) ? BYTES("sts")
	    : BYTES("no-policy-found");
	r.policy_domain = j->request->domain;
	r.detail = bytes_str(f->code);
	if (has_policy(t) && !t->sts_matches) {
		result = TLSRESULT_VALIDATION_FAILURE;
		r.detail = BYTES("the policy does not name the MX host");
	} else if (result == TLSRESULT_SUCCESS && t->sts != NULL) {
		result = t->sts->result;
		r.detail = bytes_str(t->sts->why);
	}
	if (result == TLSRESULT_SUCCESS)
		r.detail = BYTES_EMPTY;
	r.result_type = result_text(result);
	r.detail = arena_bytes(j->a, r.detail);
	add(j, &r);
}

static void
record_host(struct job *j, const struct target *t,
    const struct tlsc_finding *f, struct job_tls_result r)
{
	enum dane_state state = t->dane == NULL ? DANE_NONE : t->dane->state;
	enum tlsresult result = f->check == TLSC_WEBPKI ? TLSRESULT_SUCCESS
	    : f->result;

	r.is_host = 1;
	r.policy_type = state == DANE_NONE ? BYTES("no-policy-found")
	    : BYTES("tlsa");
	r.policy_domain = state == DANE_NONE ? t->host : t->dane->base;
	r.detail = bytes_str(f->code);
	if (state == DANE_FAILED) {
		result = t->dane->result;
		r.detail = t->dane->detail;	/* RFC 8914, T-12 */
	}
	if (result == TLSRESULT_SUCCESS)
		r.detail = BYTES_EMPTY;
	r.result_type = result_text(result);
	r.detail = arena_bytes(j->a, r.detail);
	add(j, &r);
}

void
tls_record(struct job *j, const struct target *t,
    const struct tlsc_finding *f)
{
	char *ip = arena_alloc(j->a, IP_TEXT_MAX);
	struct job_tls_result r = { .mx_host = t->host,
	    .ip = t->ip.family == 0 ? BYTES_EMPTY
	    : bytes_str(ip_format(&t->ip, ip)) };

	record_domain(j, t, f, r);
	record_host(j, t, f, r);
}

/* ---- the handshake ---- */

/* T-6: what "TLS-Required: No" lets pass is counted, and in the log. */
static void
log_ignored(const struct job *j, const struct target *t,
    const struct tlsc_finding *f)
{
	struct logline l;

	if (f->result == TLSRESULT_SUCCESS || j->tls != QUEUE_TLS_OPTIONAL)
		return;
	count_ignored(j, f->result);
	log_begin(&l, LOG_INFO, "tls-finding-ignored");
	log_bytes(&l, "host", t->host);
	log_str(&l, "result", tlsresult_name(f->result));
	log_str(&l, "why", f->why);
	log_end(&l);
}

static void
set_binding(struct sasl_binding *b, struct bytes value)
{
	b->n = value.n <= SASL_BINDING_MAX ? value.n : 0;
	if (b->n > 0)
		memcpy(b->p, value.p, b->n);
}

/* What was agreed on: for records, and for logins that are bound to it. */
static void
describe(struct job *j)
{
	struct session *s = j->session;
	struct tlsc_facts f;
	const char *how;

	tlsc_describe(s->conn.tls, j->a, &f);
	how = f.verified & TLSC_DANE ? " dane"
	    : f.verified & TLSC_WEBPKI ? " webpki" : "";
	s->tls = bytes_str(arena_printf(&s->a, "%s%s",
	    tls_version_name(f.version), how));
	set_binding(&s->binding[SASL_TLS_EXPORTER], f.exporter);
	set_binding(&s->binding[SASL_TLS_SERVER_END_POINT], f.end_point);
	s->binding[SASL_TLS_UNIQUE].n = 0;
	s->login.binding = s->binding;
	s->login.secured = true;
	s->login.client_cert = s->login.client_cert && f.client_cert;
	if (j->settings->trace != NULL)
		j->settings->trace(j->settings->trace_ctx, '*', bytes_str(
		    arena_printf(j->a, "%.*s %s", BYTES_ARG(s->tls),
		    f.cipher)));
}

int
tls_begin(struct job *j, const struct target *t, const char **why)
{
	struct session *s = j->session;
	struct tlsc_options o = t->options;
	int64_t wait_ms = j->settings->reply_ms;
	const struct tlsc_finding *f;
	int r;

	if (wait_ms == 0 || wait_ms > TLS_TIMEOUT_MS)
		wait_ms = TLS_TIMEOUT_MS;
	o.check = t->choice.check;
	o.enforce = t->choice.enforce;
	if (dial_secure(&s->conn, t->tls, &o, wait_ms) == -1 &&
	    s->conn.tls == NULL) {
		*why = "TLS cannot be set up";
		return -1;
	}
	f = tlsc_finding(s->conn.tls);
	r = f->result != TLSRESULT_SUCCESS && (f->check == 0 ||
	    (f->check & t->choice.enforce) != 0) ? -1 : 0;
	if (t->direct)
		tls_record(j, t, f);
	if (r == -1) {
		*why = arena_printf(j->a, "TLS failed: %s", f->why);
		if (j->settings->trace != NULL)
			j->settings->trace(j->settings->trace_ctx, '*',
			    bytes_str(*why));
		return -1;
	}
	log_ignored(j, t, f);
	describe(j);
	return 0;
}

struct tlsc_ctx *
tls_client(struct job *j, const char **why)
{
	const struct transport *t = &j->request->transport;
	struct buf pem = BUF_INIT(TLSC_CERT_MAX);
	struct tlsc_settings set = { .ca_file = j->settings->ca_file,
	    .ca_dir = j->settings->ca_dir };
	struct tlsc_ctx *ctx = NULL;

	*why = "the client certificate is too large";
	if (buf_add(&pem, t->key_pem) == 0 && buf_addc(&pem, '\n') == 0 &&
	    buf_add(&pem, t->cert_pem) == 0) {
		set.client = buf_bytes(&pem);
		ctx = tlsc_ctx_new(&set, why);
	}
	secret_wipe(pem.p, pem.n);
	buf_free(&pem);
	return ctx;
}
