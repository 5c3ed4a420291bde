/* tlsresult.c - the names of RFC 8460 4.3 */
#include "tlsresult/tlsresult.h"

#include <errno.h>

static const char *const names[TLSRESULTS] = {
	[TLSRESULT_SUCCESS] = "success",
	[TLSRESULT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
	[TLSRESULT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
	[TLSRESULT_CERTIFICATE_EXPIRED] = "certificate-expired",
	[TLSRESULT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
	[TLSRESULT_VALIDATION_FAILURE] = "validation-failure",
	[TLSRESULT_TLSA_INVALID] = "tlsa-invalid",
	[TLSRESULT_DNSSEC_INVALID] = "dnssec-invalid",
	[TLSRESULT_DANE_REQUIRED] = "dane-required",
	[TLSRESULT_STS_POLICY_FETCH_ERROR] = "sts-policy-fetch-error",
	[TLSRESULT_STS_POLICY_INVALID] = "sts-policy-invalid",
	[TLSRESULT_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
};

const char *
tlsresult_name(enum tlsresult r)
{
	return names[r];
}

int
tlsresult_find(struct bytes name, enum tlsresult *out)
{
	int i;

	for (i = 0; i < TLSRESULTS; i++) {
		if (bytes_eq(name, bytes_str(names[i]))) {
			*out = (enum tlsresult)i;
			return 0;
		}
	}
	errno = ENOENT;
	return -1;
}
