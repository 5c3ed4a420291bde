/*
 * tlsresult.h - what a try at TLS came to, in the words of TLS reports
 *
 * RFC 8460 4.3 names the ways in which a session fails. The names are what
 * is kept with each attempt, shown to people, and sent in reports.
 */
#ifndef TLSRESULT_H
#define TLSRESULT_H

#include "base/base.h"

enum tlsresult {
	TLSRESULT_SUCCESS,		/* no failure; not of RFC 8460 */
	/* negotiation, 4.3.1 */
	TLSRESULT_STARTTLS_NOT_SUPPORTED,
	TLSRESULT_CERTIFICATE_HOST_MISMATCH,
	TLSRESULT_CERTIFICATE_EXPIRED,
	TLSRESULT_CERTIFICATE_NOT_TRUSTED,
	TLSRESULT_VALIDATION_FAILURE,	/* any other, also of TLS itself */
	/* policy, DANE, 4.3.2.1 */
	TLSRESULT_TLSA_INVALID,		/* no record is matched */
	TLSRESULT_DNSSEC_INVALID,	/* no answer that validates */
	TLSRESULT_DANE_REQUIRED,	/* required, and no records */
	/* policy, MTA-STS, 4.3.2.2 */
	TLSRESULT_STS_POLICY_FETCH_ERROR,
	TLSRESULT_STS_POLICY_INVALID,
	TLSRESULT_STS_WEBPKI_INVALID,	/* of the policy server */
	TLSRESULTS,
};
/* "starttls-not-supported"; "success" for none. */
const char *tlsresult_name(enum tlsresult r);
/* 0, or -1 with ENOENT. Exact, as the RFC writes them. */
int tlsresult_find(struct bytes name, enum tlsresult *out);

#endif
