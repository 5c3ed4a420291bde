/*
 * sender.c - what DNS says of a client and of the sender it names
 *
 * Cheap questions, asked before a message is taken: most mail that fails here
 * could never be answered. A client on this machine is asked nothing: there
 * may be no DNS, and programs that send reports are no strangers.
 */
#include "smtp_in.h"

#include <errno.h>

#include "addr/addr.h"
#include "config/config.h"
#include "dial/dial.h"

static struct receiver *
receiver_of(struct smtp_session *s)
{
	return s->ctx;
}

bool
sender_is_local(const struct receiver *r)
{
	return r->conn->remote.family == 0 ||
	    ip_is_loopback(&r->conn->remote);
}

/* All look-ups of one question together take no longer than the stages may.
 * NULL with errno. */
static struct dns *
open_dns(struct receiver *r)
{
	struct dns *d = dns_new(r->settings->stage->dns);

	if (d != NULL)
		(void)dns_set_deadline(d,
		    deadline_in(r->settings->stage->timeout_ms));
	return d;
}

/* ---- HELO (R-13) ---- */

/* The name to ask for; empty: none that DNS could have. */
static struct bytes
helo_domain(struct arena *a, struct bytes helo)
{
	struct bytes domain, ascii;
	const char *why;

	if (addr_parse_domain(a, helo, ADDR_SMTPUTF8, &domain, &ascii,
	    &why) == 0)
		return ascii;
	return dns_name_valid(helo) ? helo : BYTES_EMPTY;
}

/* Is it certain that the name has no address? */
static bool
is_nowhere(struct receiver *r, struct bytes helo)
{
	struct bytes name = helo_domain(&r->job, helo);
	struct dial_domain found;
	struct dns *d;

	if (name.n == 0)
		return true;
	if ((d = open_dns(r)) == NULL)
		return false;
	dial_find_address(d, &r->job, name, &found);
	dns_free(d);
	return found.found != DIAL_FOUND && found.found != DIAL_TEMPORARY;
}

void
sender_helo(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);
	struct bytes helo = smtp_envelope(s->smtp)->helo;

	if (sender_is_local(r) || bytes_at(helo, 0) == '[' ||
	    !is_nowhere(r, helo))
		smtp_helo_accept(s->smtp);
	else {
		receive_log_refused(s, BYTES_EMPTY, 550,
		    "HELO name has no address");
		/* RFC 2034 4: no enhanced code in a reply to HELO */
		smtp_helo_refuse(s->smtp, 550, "",
		    BYTES("the name you gave has no address"));
	}
	arena_reset(&r->job);
}

/* ---- MAIL (R-14) ---- */

static bool
refuse(struct smtp_session *s, int code, const char *status, const char *why)
{
	receive_log_refused(s, BYTES_EMPTY, code, why);
	smtp_mail_refuse(s->smtp, code, status, bytes_str(why));
	return false;
}

/* The sender's domain by DNS. */
static bool
check_domain(struct smtp_session *s, struct bytes domain)
{
	struct receiver *r = receiver_of(s);
	struct dial_domain found = { .found = DIAL_TEMPORARY };
	struct dns *d = open_dns(r);

	if (d != NULL)
		dial_find_any(d, &r->job, domain, &found);
	dns_free(d);
	switch (found.found) {
	case DIAL_FOUND:
	case DIAL_NO_HOST:
		return true;
	case DIAL_NULL_MX:
		return refuse(s, 550, "5.7.27",
		    "the sender's domain takes no mail (null MX)");
	case DIAL_NO_DOMAIN:
		return refuse(s, 550, "5.7.27", "the sender's domain takes "
		    "no mail (neither MX nor address)");
	case DIAL_TEMPORARY:
		break;
	}
	return refuse(s, 451, "4.4.3",
	    "the sender's domain cannot be looked up now");
}

bool
sender_allowed(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);
	const struct path *sender = &smtp_envelope(s->smtp)->sender;
	struct bytes name;
	bool allowed;

	if (sender->is_null)
		return true;
	if (sender->is_literal)
		return refuse(s, 550, "5.1.8",
		    "the sender's domain is no name");
	if (sender_is_local(r) || config_domain_find(r->settings->config,
	    sender->domain, &name))
		return true;
	allowed = check_domain(s, sender->domain_ascii);
	arena_reset(&r->job);
	return allowed;
}

/* ---- a second RCPT (R-17) ---- */

bool
sender_several(struct smtp_session *s)
{
	struct receiver *r = receiver_of(s);
	struct stage_item item = { &stage_spf, BYTES_EMPTY };
	struct stage_list list = { &item, 1, false };
	struct trace_envelope e;
	struct stage_job job;

	if (sender_is_local(r))
		return true;
	if (r->spf == SPF_NOT_ASKED) {
		receive_envelope(s, &e);
		stage_job_init(&job, &r->job, r->settings->stage, &e,
		    BYTES_EMPTY);
		stage_run(&job, &list);
		r->spf = job.report_exit == EXIT_YES ? SPF_PASSES
		    : SPF_DOES_NOT;
		stage_job_end(&job);
		arena_reset(&r->job);
	}
	return r->spf == SPF_PASSES;
}
