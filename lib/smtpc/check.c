/*
 * check.c - whether a mail can go to this server, and to whom of its
 * recipients in one transaction: what is known before a word is said
 */
#include "smtpc/internal.h"

#include <errno.h>

struct refusal {
	const char *status, *why;
};

static bool
offers(const struct smtpc *s, unsigned int ext)
{
	return (s->offer.ext & ext) != 0;
}

/* RFC 5321 4.1.2 esmtp-value. */
static bool
is_value(struct bytes v, size_t max)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < 33 || v.p[i] > 126 || v.p[i] == '=')
			return false;
	}
	return v.n <= max;
}

static bool
is_path(const struct path *p)
{
	struct bytes all[3] = { p->local_part, p->domain, p->domain_ascii };

	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < all[i].n; j++) {
			if (ascii_is_ctl(all[i].p[j]))
				return false;
		}
		if (all[i].n > ADDR_PATH_MAX)
			return false;
	}
	return bytes_is_ascii(p->domain_ascii);
}

/* What no command can carry. */
static bool
is_valid(const struct smtpc_mail *m)
{
	struct bytes by = m->auth;

	if (!is_path(&m->sender) || m->sender.is_postmaster ||
	    m->arena == NULL || !is_value(m->envid, SMTPC_ENVID_MAX) ||
	    !is_value(m->hold_until, SMTPC_PARAM_MAX) ||
	    !is_value(by, SMTPC_PARAM_MAX) ||
	    (m->hold_for > 0 && m->hold_until.n > 0) ||
	    (m->by_mode != 0 && m->by_mode != 'R' && m->by_mode != 'N') ||
	    (m->by_mode == 'R' && m->by_seconds <= 0))
		return false;
	for (size_t i = 0; i < m->nrecipients; i++) {
		const struct smtpc_recipient *r = &m->recipients[i];

		if (!is_path(&r->path) || r->path.is_null ||
		    !is_value(r->orcpt, SMTPC_ORCPT_MAX) || r->notify > 8)
			return false;
	}
	return true;
}

/* For all recipients alike. */
static struct refusal
check_mail(const struct smtpc *s, const struct smtpc_mail *m)
{
	bool utf8 = m->smtputf8 || addr_needs_smtputf8(&m->sender);

	if (m->requiretls && (!s->secured || !offers(s, SMTPC_EXT_REQUIRETLS)))
		return (struct refusal){ "5.7.30", s->secured
		    ? "the server does not offer REQUIRETLS"
		    : "REQUIRETLS on a connection without TLS" };
	if (utf8 && !offers(s, SMTPC_EXT_SMTPUTF8))
		return (struct refusal){ "5.6.7",
		    "the server does not offer SMTPUTF8" };
	if (s->offer.size > 0 && m->facts.wire_size > s->offer.size)
		return (struct refusal){ "5.3.4",
		    "the message is larger than the server takes" };
	if (m->binary && (!offers(s, SMTPC_EXT_BINARYMIME) ||
	    !offers(s, SMTPC_EXT_CHUNKING)))
		return (struct refusal){ "5.6.3",
		    "the server does not offer BINARYMIME" };
	if (!m->binary && m->facts.has_nul)
		return (struct refusal){ "5.6.0",
		    "NUL in a message that is not binary" };
	if (!m->binary && m->facts.has_cr)
		return (struct refusal){ "5.6.0",
		    "lone CR in a message that is not binary" };
	if (m->facts.is_8bit && s->o.pedantic &&
	    !offers(s, SMTPC_EXT_8BITMIME))
		return (struct refusal){ "5.6.3",
		    "the server does not offer 8BITMIME" };
	if (m->by_mode == 'R' && !offers(s, SMTPC_EXT_DELIVERBY))
		return (struct refusal){ "5.3.3",
		    "the server does not offer DELIVERBY" };
	if (m->by_mode == 'R' &&
	    (uint64_t)m->by_seconds < s->offer.deliverby_min)
		return (struct refusal){ "5.4.7", "the server does not "
		    "promise delivery in the time that is left" };
	if ((m->hold_for > 0 || m->hold_until.n > 0) &&
	    !offers(s, SMTPC_EXT_FUTURERELEASE))
		return (struct refusal){ "5.3.3",
		    "the server does not offer FUTURERELEASE" };
	return (struct refusal){ NULL, NULL };
}

/* RFC 9422 4.3: a domain more than the server takes in one mail. */
static bool
fits_domains(const struct smtpc *s, const struct path *p)
{
	uint64_t domains = 0;
	size_t i, j;

	if (s->offer.rcpt_domain_max == 0)
		return true;
	for (i = 0; i < s->nattempts; i++) {
		struct bytes d = s->attempt[i].rcpt->path.domain_ascii;

		if (bytes_eq(d, p->domain_ascii))
			return true;
		for (j = 0; j < i; j++) {
			if (bytes_eq(d, s->attempt[j].rcpt->path.domain_ascii))
				break;
		}
		domains += j == i ? 1 : 0;
	}
	return domains < s->offer.rcpt_domain_max;
}

static size_t
recipients_max(const struct smtpc *s)
{
	size_t max = s->o.recipients_max;

	if (s->offer.rcpt_max > 0 && s->offer.rcpt_max < max)
		max = (size_t)s->offer.rcpt_max;
	return max;
}

static void
choose(struct smtpc *s, struct smtpc_mail *m)
{
	bool utf8 = offers(s, SMTPC_EXT_SMTPUTF8);
	size_t max = recipients_max(s);

	s->utf8 = m->smtputf8 || addr_needs_smtputf8(&m->sender);
	for (size_t i = 0; i < m->nrecipients && s->nattempts < max; i++) {
		struct smtpc_recipient *r = &m->recipients[i];

		if (r->result.class != SMTPC_PENDING)
			continue;
		if (addr_needs_smtputf8(&r->path) && !utf8) {
			smtpc_result_why(&r->result, SMTPC_PERMANENT,
			    SMTPC_AT_CHECK, "5.6.7",
			    "the server does not offer SMTPUTF8");
			continue;
		}
		if (!fits_domains(s, &r->path))
			continue;
		s->utf8 |= addr_needs_smtputf8(&r->path);
		s->attempt[s->nattempts++] = (struct attempt){ r, false };
	}
}

int
smtpc_check(struct smtpc *s, struct smtpc_mail *m)
{
	struct refusal refusal;
	size_t pending = 0;

	for (size_t i = 0; i < m->nrecipients; i++)
		pending += m->recipients[i].result.class == SMTPC_PENDING;
	if (pending == 0 || !is_valid(m)) {
		errno = EINVAL;
		return -1;
	}
	s->nattempts = s->naccepted = 0;
	s->attempt = mem_realloc(s->attempt,
	    s->o.recipients_max * sizeof(*s->attempt));
	m->dsn_passed = offers(s, SMTPC_EXT_DSN);
	m->sent_8bit = m->facts.is_8bit && !offers(s, SMTPC_EXT_8BITMIME);
	refusal = check_mail(s, m);
	if (refusal.why == NULL) {
		choose(s, m);
		return 0;
	}
	for (size_t i = 0; i < m->nrecipients; i++) {
		if (m->recipients[i].result.class == SMTPC_PENDING)
			smtpc_result_why(&m->recipients[i].result,
			    SMTPC_PERMANENT, SMTPC_AT_CHECK, refusal.status,
			    refusal.why);
	}
	return 0;
}
