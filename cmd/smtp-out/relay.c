/*
 * relay.c - to a host of the configuration: smart hosts (T-11), LMTP
 */
#include "smtp_out.h"

#define LMTP_CONNECT_MS 10000

static void
choose_tls(struct job *j, struct target *t)
{
	const struct transport *transport = &j->request->transport;
	bool here = t->lmtp && bytes_at(t->host, 0) == '/';
	struct tlsc_policy p = { .dane = DANE_NONE,
	    .requiretls = j->tls == QUEUE_TLS_REQUIRED && !here };
	struct ip ip;

	/* Delivery within this machine is the end of what REQUIRETLS asks for
	 * (RFC 8689 2): the mail store offers no such extension. */
	if (here)
		j->mail.requiretls = false;

	/* Without verification it is as good as any host's TLS. */
	p.submission = !t->lmtp && (!transport->tls_insecure ||
	    t->implicit_tls || p.requiretls);
	p.insecure = transport->tls_insecure != 0;
	tlsc_choose(&p, &t->choice);
	t->options = (struct tlsc_options){ .name = t->host,
	    .sni = ip_parse(t->host, &ip) == 0 ? BYTES_EMPTY : t->host };
}

static bool
set_context(struct job *j, struct target *t)
{
	const char *why;

	t->tls = j->settings->tls;
	if (j->request->transport.key_pem.n == 0)
		return true;
	if ((t->tls = tls_client(j, &why)) != NULL)
		return true;
	job_note(j, "4.3.5", arena_printf(j->a, "the client certificate "
	    "cannot be used: %s", why), t->host, NULL);
	return false;
}

static void
try_path(struct job *j, struct target *t, const char *path)
{
	t->path = path;
	t->connect_deadline = deadline_in(LMTP_CONNECT_MS);
	(void)session_try(j, t);	/* results say what came of it */
}

static void
try_addresses(struct job *j, struct target *t)
{
	const struct transport *transport = &j->request->transport;
	struct dial_limits limits = { transport->no_ipv4 != 0,
	    transport->no_ipv6 != 0, true };
	int64_t deadline = deadline_in(DIAL_HOST_MS);
	struct dial_host host = { .count = 1 };

	if (ip_parse(t->host, &host.ips[0]) == -1) {
		if ((j->dns = dns_new(j->settings->dns)) == NULL) {
			job_note(j, "4.4.3", "DNS cannot be asked",
			    BYTES_EMPTY, NULL);
			return;
		}
		(void)dns_set_deadline(j->dns, deadline);
		dial_addresses(j->dns, j->a, t->host, &limits, &host);
	}
	if (host.count == 0)
		job_note(j, "4.4.4", arena_printf(j->a, "%.*s: %s",
		    BYTES_ARG(t->host), host.why), t->host, NULL);
	j->dual = host.dual;
	dial_order(BYTES_EMPTY, t->host, host.ips, host.count, dial_random,
	    NULL);
	for (size_t i = 0; i < host.count && !j->dropped; i++) {
		t->ip = host.ips[i];
		t->connect_deadline = deadline_in(deadline_left(deadline) /
		    (int64_t)(host.count - i));
		if (session_try(j, t) == TRIED_OVER || job_pending(j) == 0)
			return;
	}
}

/* Through a proxy a name goes as it is: the proxy looks it up. */
static void
try_name(struct job *j, struct target *t)
{
	struct ip ip;

	if (t->via.socks.family == 0 || ip_parse(t->host, &ip) == 0) {
		try_addresses(j, t);
		return;
	}
	t->connect_deadline = deadline_in(DIAL_HOST_MS);
	(void)session_try(j, t);	/* results say what came of it */
}

void
relay_send(struct job *j)
{
	const struct transport *transport = &j->request->transport;
	struct target t = { .host = transport->host,
	    .port = (int)transport->port,
	    .lmtp = transport->type == TRANSPORT_LMTP,
	    .implicit_tls = transport->type == TRANSPORT_SUBMISSIONS,
	    .login = transport->user.n > 0 ||
	    transport->mechanisms.n > 0 };

	choose_tls(j, &t);
	if (t.choice.refuse) {
		j->held_back = true;
		count_refused(j, COUNT_POLICY);
		job_note(j, "5.7.30", t.choice.why, t.host, NULL);
		return;
	}
	if (!set_context(j, &t))
		return;
	target_via(transport, &t.via);
	if (t.lmtp && bytes_at(t.host, 0) == '/')
		try_path(j, &t, arena_str(j->a, t.host));
	else
		try_name(j, &t);
	/* The context of a connection that stays open ends with the process. */
	if (t.tls != j->settings->tls && j->session->conn.fd == -1)
		tlsc_ctx_free(t.tls);
}
