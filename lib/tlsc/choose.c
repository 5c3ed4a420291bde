/*
 * choose.c - which TLS a message to a host needs (BEHAVIOUR 7.4)
 *
 * DANE and an enforced MTA-STS policy may both be there: the domain has
 * published both, so both are held to; neither makes good for the other (RFC
 * 8461 2). REQUIRETLS goes before "TLS-Required: No" (RFC 8689 5), which says
 * nothing about a smart host: the password given there must not leak.
 */
#include "tlsc/tlsc.h"

static void
check_and_enforce(struct tlsc_choice *c, unsigned int check, const char *why)
{
	c->check |= check;
	c->enforce |= check;
	c->required = true;
	c->why = why;
}

static void
choose_submission(const struct tlsc_policy *p, struct tlsc_choice *out)
{
	out->required = true;
	out->why = "a submission transport";
	if (!p->insecure)
		check_and_enforce(out, TLSC_WEBPKI, out->why);
	if (p->requiretls && p->insecure) {
		out->refuse = true;
		out->why = "REQUIRETLS, and the transport is not verified";
	}
}

static void
choose_required(const struct tlsc_policy *p, struct tlsc_choice *out)
{
	if (p->sts_testing)
		out->check |= TLSC_WEBPKI;
	if (p->sts_enforce)
		check_and_enforce(out, TLSC_WEBPKI,
		    "the MTA-STS policy is enforced");
	if (p->dane == DANE_UNUSABLE) {
		out->required = true;
		out->why = "there are TLSA records, none usable";
	}
	if (p->dane == DANE_USABLE)
		check_and_enforce(out, TLSC_DANE,
		    "there are TLSA records");
}

void
tlsc_choose(const struct tlsc_policy *p, struct tlsc_choice *out)
{
	bool relaxed = p->tls_required_no && !p->requiretls;

	*out = (struct tlsc_choice){ .why = "" };
	if (p->submission) {
		choose_submission(p, out);
		return;
	}
	if (p->dane == DANE_FAILED && !relaxed) {
		out->defer = true;
		out->why = "the TLSA records cannot be looked up";
		return;
	}
	choose_required(p, out);
	if (p->requiretls && out->enforce == 0) {
		out->refuse = true;
		out->why = "REQUIRETLS, and there is neither DANE nor an "
		    "enforced MTA-STS policy";
		return;
	}
	if (relaxed) {
		out->enforce = 0;
		out->required = false;
		out->why = "";
	}
	out->plain_retry = relaxed || (!out->required && !p->no_plaintext);
}
