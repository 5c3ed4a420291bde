/*
 * direct.c - to the hosts of the recipients' domain (BEHAVIOUR 7.3, 7.4)
 */
#include "smtp_out.h"

/* What is known before a host is looked at. */
struct way {
	struct dial_domain domain;
	struct mtasts_decision sts;
	struct dial_limits limits;
	bool literal;			/* the domain is an address */
	struct ip ip;
};

static void
trace(struct job *j, const char *what, struct bytes name, const char *text)
{
	if (j->settings->trace != NULL)
		j->settings->trace(j->settings->trace_ctx, '*', bytes_str(
		    arena_printf(j->a, "%s %.*s: %s", what, BYTES_ARG(name),
		    text)));
}

/* ---- MTA-STS ---- */

/* False: the attempt fails for now. */
static bool
ask_policy(struct job *j, struct way *w)
{
	struct bytes domain = j->request->domain;

	w->sts = (struct mtasts_decision){ .verdict = MTASTS_ABSENT,
	    .why = "" };
	if (w->literal)
		return true;
	if (j->settings->by_hand)
		mtasts_look(j->dns, NULL, j->a, domain, &w->sts);
	else if (mtasts_ask(j->a, domain, deadline_in(DIAL_HOST_MS +
	    MTASTS_FETCH_MS), &w->sts) == -1)
		w->sts.verdict = MTASTS_ABSENT;
	if (w->sts.verdict == MTASTS_POLICY)
		trace(j, "MTA-STS policy of", domain,
		    mtasts_mode_name(w->sts.policy.mode));
	if (w->sts.verdict != MTASTS_DEFER || j->tls == QUEUE_TLS_OPTIONAL)
		return true;
	j->held_back = true;
	job_note(j, "4.7.5", arena_printf(j->a, "MTA-STS: %s", w->sts.why),
	    BYTES_EMPTY, NULL);
	return false;
}

/* ---- a host ---- */

static void
choose_tls(struct job *j, struct way *w, struct target *t)
{
	bool policy = w->sts.verdict == MTASTS_POLICY;
	struct tlsc_policy p = { .dane = t->dane->state,
	    .tls_required_no = j->tls == QUEUE_TLS_OPTIONAL,
	    .requiretls = j->tls == QUEUE_TLS_REQUIRED,
	    .no_plaintext = j->request->message.kind == QUEUE_DMARC_REPORT };

	t->sts = &w->sts;
	t->sts_matches = policy && mtasts_policy_match(&w->sts.policy,
	    t->host);
	p.sts_enforce = t->sts_matches &&
	    w->sts.policy.mode == MTASTS_ENFORCE;
	p.sts_testing = policy && w->sts.policy.mode == MTASTS_TESTING;
	tlsc_choose(&p, &t->choice);
	t->options = (struct tlsc_options){ .sni = t->host,
	    .name = t->host, .dane = t->dane };
	if (t->dane->state == DANE_USABLE && t->dane->nnames > 0)
		t->options.sni = t->dane->names[0];	/* T-8 */
	t->known.mta_sts = policy;
	t->known.dane = t->dane->state == DANE_USABLE;
	t->known.dnssec = w->domain.authentic;
}

static void
log_requiretls(const struct job *j, const struct target *t)
{
	struct logline l;

	count_refused(j, COUNT_POLICY);
	log_begin(&l, LOG_INFO, "requiretls-refused");
	log_bytes(&l, "domain", j->request->domain);
	log_bytes(&l, "host", t->host);
	log_str(&l, "why", t->choice.why);
	log_end(&l);
}

/* Whether the host may have the message at all. */
static bool
is_allowed(struct job *j, struct way *w, struct target *t)
{
	bool policy = w->sts.verdict == MTASTS_POLICY;
	struct tlsc_finding none;

	tlsc_finding_set(&none, TLSRESULT_SUCCESS, "");
	if (policy && w->sts.policy.mode == MTASTS_ENFORCE &&
	    !t->sts_matches && j->tls != QUEUE_TLS_OPTIONAL) {
		tls_record(j, t, &none);
		job_note(j, "4.7.5", "the domain's MTA-STS policy does not "
		    "name the MX host", t->host, NULL);
	} else if (t->choice.defer) {
		tls_record(j, t, &none);
		job_note(j, "4.7.5", arena_printf(j->a, "DANE: %s: %.*s",
		    t->choice.why, BYTES_ARG(t->dane->detail)), t->host,
		    NULL);
	} else if (t->choice.refuse) {
		log_requiretls(j, t);
		job_note(j, "5.7.30", t->choice.why, t->host, NULL);
	} else {
		if (policy && w->sts.policy.mode == MTASTS_ENFORCE &&
		    !t->sts_matches)
			count_ignored(j, TLSRESULT_VALIDATION_FAILURE);
		if (t->dane != NULL && t->dane->state == DANE_FAILED)
			count_ignored(j, t->dane->result);
		return true;
	}
	j->held_back = true;
	return false;
}

static void
find_dane(struct job *j, struct way *w, const struct dial_host *host,
    struct target *t, struct dane *dane)
{
	struct dane_host h = { .host = t->host, .port = t->port,
	    .authentic = w->domain.authentic,
	    .addresses = host->a != NULL && host->a->nrecords > 0
	    ? host->a : host->aaaa,
	    .domain = BYTES_EMPTY, .expanded_domain = BYTES_EMPTY };

	*dane = (struct dane){ .state = DANE_NONE, .why = "" };
	t->dane = dane;
	if (w->literal)
		return;
	if (!w->domain.implicit) {
		h.domain = j->request->domain;
		h.expanded_domain = w->domain.expanded;
	}
	dane_find(j->dns, j->a, &h, NULL, NULL, dane);
	trace(j, "DANE for", t->host, dane_state_name(dane->state));
}

/* Its addresses in turn, until one speaks SMTP with us. */
static void
try_addresses(struct job *j, struct target *t, struct dial_host *host,
    int64_t deadline)
{
	const struct settings *s = j->settings;
	char text[IP_TEXT_MAX];
	int64_t left;

	dial_order(j->dialled, t->host, host->ips, host->count, dial_random,
	    NULL);
	for (size_t i = 0; i < host->count && !j->dropped; i++) {
		t->ip = host->ips[i];
		left = deadline_left(deadline) / (int64_t)(host->count - i);
		t->connect_deadline = deadline_in(left);
		if (t->via.socks.family == 0 && !j->request->anew &&
		    dial_dead_is(s->dead, &t->ip,
		    t->port, time_mono_ms() / 1000)) {
			job_note(j, "4.4.1", "the host did not answer a "
			    "short time ago", t->host, &t->ip);
			continue;
		}
		trace(j, "connecting to", t->host,
		    ip_format(&t->ip, text));
		if (session_try(j, t) == TRIED_OVER || job_pending(j) == 0)
			return;
	}
}

/* what the transport leaves open; a proxy is near, and has its own. */
static void
own_sources(const struct settings *s, struct dial_via *via)
{
	if (via->socks.family != 0)
		return;
	if (via->source4.family == 0)
		via->source4 = s->source4.ip;
	if (via->source6.family == 0)
		via->source6 = s->source6.ip;
}

static void
try_host(struct job *j, struct way *w, struct bytes name)
{
	struct target t = { .host = name, .port = j->settings->mx_port,
	    .direct = true, .tls = j->settings->tls };
	int64_t deadline = deadline_in(DIAL_HOST_MS);
	struct dial_host host;
	struct dane dane;

	(void)dns_set_deadline(j->dns, deadline);
	if (w->literal)
		host = (struct dial_host){ .ips = { w->ip }, .count = 1 };
	else
		dial_addresses(j->dns, j->a, name, &w->limits, &host);
	j->dual = host.dual;
	if (host.count == 0) {
		if (w->domain.implicit && !host.temporary)
			job_fail(j, "5.4.4", arena_printf(j->a,
			    "the domain has no host: %s", host.why));
		else
			job_note(j, "4.4.4", arena_printf(j->a, "%.*s: %s",
			    BYTES_ARG(name), host.why), name, NULL);
		return;
	}
	find_dane(j, w, &host, &t, &dane);
	choose_tls(j, w, &t);
	target_via(&j->request->transport, &t.via);
	own_sources(j->settings, &t.via);
	if (is_allowed(j, w, &t))
		try_addresses(j, &t, &host, deadline);
}

/* ---- the hosts ---- */

static void
try_hosts(struct job *j, struct way *w)
{
	struct dial_domain *d = &w->domain;
	size_t n = dial_before_own(d->hosts, d->count,
	    j->settings->hostname);

	if (n == 0) {
		job_fail(j, "5.4.6", "mail for the domain comes back to this "
		    "host: it is the domain's MX, but not told of it");
		return;
	}
	dial_shuffle(d->hosts, n, dial_random, NULL);
	for (size_t i = 0; i < n && i < DIAL_HOSTS_MAX && !j->dropped; i++) {
		try_host(j, w, d->hosts[i].name);
		if (job_pending(j) == 0)
			return;
	}
}

static void
find_hosts(struct job *j, struct way *w)
{
	struct bytes domain = j->request->domain;
	const char *why;

	if (bytes_at(domain, 0) == '[') {
		w->literal = true;
		w->domain = (struct dial_domain){ .found = DIAL_FOUND,
		    .implicit = true, .count = 1, .expanded = domain };
		w->domain.hosts = arena_zalloc(j->a, 1,
		    sizeof(*w->domain.hosts));
		w->domain.hosts[0].name = domain;
		if (addr_parse_literal(domain, &w->ip, &why) == -1 ||
		    w->ip.family == 0 || (!w->limits.local &&
		    dial_is_local(&w->ip))) {
			w->domain.found = DIAL_NO_HOST;
			w->domain.why = "mail is not sent to this address";
		}
		return;
	}
	dial_find(j->dns, j->a, domain, &w->domain);
}

void
direct_send(struct job *j)
{
	const struct transport *t = &j->request->transport;
	struct way w = { .limits = { t->no_ipv4 != 0, t->no_ipv6 != 0,
	    j->settings->local } };

	if ((j->dns = dns_new(j->settings->dns)) == NULL) {
		job_note(j, "4.4.3", "DNS cannot be asked", BYTES_EMPTY, NULL);
		return;
	}
	(void)dns_set_deadline(j->dns, deadline_in(DIAL_HOST_MS));
	find_hosts(j, &w);
	switch (w.domain.found) {
	case DIAL_FOUND:
		break;
	case DIAL_NULL_MX:
		job_fail(j, "5.1.10", w.domain.why);
		return;
	case DIAL_NO_DOMAIN:
		job_fail(j, "5.1.2", w.domain.why);
		return;
	case DIAL_NO_HOST:
		job_fail(j, "5.4.4", w.domain.why);
		return;
	case DIAL_TEMPORARY:
		job_note(j, "4.4.3", w.domain.why, BYTES_EMPTY, NULL);
		return;
	}
	if (ask_policy(j, &w))
		try_hosts(j, &w);
}
