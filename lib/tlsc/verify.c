/*
 * verify.c - what a server shows is looked at
 *
 * OpenSSL calls verify_chain once in each handshake. Each check asked for is
 * made, and its finding kept; only those to be enforced end the handshake.
 */
#include "tlsc/internal.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* A finding that ends the handshake goes before one that does not. */
static void
found(struct tlsc *t, unsigned int check, enum tlsresult result,
    const char *why, const char *code)
{
	struct tlsc_finding *f = &t->finding;
	bool enforced = (t->o.enforce & check) != 0;

	if (f->result != TLSRESULT_SUCCESS && (t->refused || !enforced))
		return;
	t->refused = enforced;
	tlsc_finding_set(f, result, why);
	f->check = check;
	if (code[0] != '\0' && snprintf(f->code, sizeof(f->code), "x509-%s",
	    code) >= (int)sizeof(f->code))
		f->code[sizeof(f->code) - 1] = '\0';
}

/* ---- WebPKI ---- */

static void
found_webpki(struct tlsc *t, int error)
{
	const char *code = X509_verify_cert_error_string(error);

	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		found(t, TLSC_WEBPKI, TLSRESULT_CERTIFICATE_HOST_MISMATCH,
		    "the certificate is for another name", code);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		found(t, TLSC_WEBPKI, TLSRESULT_CERTIFICATE_EXPIRED,
		    "the certificate has expired", code);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		found(t, TLSC_WEBPKI, TLSRESULT_CERTIFICATE_EXPIRED,
		    "the certificate is not valid yet", code);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		found(t, TLSC_WEBPKI, TLSRESULT_CERTIFICATE_NOT_TRUSTED,
		    "the certificate is not signed by a root that is trusted",
		    code);
		break;
	default:
		found(t, TLSC_WEBPKI, TLSRESULT_VALIDATION_FAILURE,
		    "the certificate does not verify", code);
		break;
	}
}

static void
check_webpki(struct tlsc *t, X509_STORE_CTX *store)
{
	if (X509_verify_cert(store) == 1)
		t->verified |= TLSC_WEBPKI;
	else
		found_webpki(t, X509_STORE_CTX_get_error(store));
}

/* ---- DANE ---- */

static bool
add_cert(struct arena *a, X509 *x, struct bytes *out)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	if (n <= 0)
		return false;
	*out = arena_bytes(a, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	return true;
}

static void
check_dane(struct tlsc *t, X509_STORE_CTX *store)
{
	STACK_OF(X509) *presented = X509_STORE_CTX_get0_untrusted(store);
	const struct dane *d = t->o.dane;
	struct bytes chain[DANE_CHAIN_MAX];
	struct arena a = ARENA_INIT;
	size_t n = 0;
	int i;

	for (i = 0; i < sk_X509_num(presented) && n < DANE_CHAIN_MAX; i++) {
		if (!add_cert(&a, sk_X509_value(presented, i), &chain[n]))
			break;
		n++;
	}
	dane_verify(d->records, d->nrecords, chain, n, d->names, d->nnames,
	    time_wall_us() / 1000000, &t->verdict);
	arena_free(&a);
	if (t->verdict.verified)
		t->verified |= TLSC_DANE;
	else
		found(t, TLSC_DANE, t->verdict.result, t->verdict.why, "");
}

/* ---- both ---- */

int
verify_chain(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tlsc *t = SSL_get_app_data(ssl);
	int error = X509_V_OK;

	(void)arg;
	if (t->o.check & TLSC_DANE)
		check_dane(t, store);
	if (t->o.check & TLSC_WEBPKI)
		check_webpki(t, store);
	ERR_clear_error();
	if (t->refused) {
		/* From this OpenSSL chooses the alert. */
		error = t->finding.check == TLSC_WEBPKI
		    ? X509_STORE_CTX_get_error(store)
		    : X509_V_ERR_DANE_NO_MATCH;
	}
	X509_STORE_CTX_set_error(store, error);
	return !t->refused;
}

bool
verify_set(struct tlsc *t)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
	struct arena a = ARENA_INIT;
	const char *name;
	struct ip ip;
	bool ok;

	/* Old keys are better than none where nothing is verified. */
	SSL_set_security_level(t->ssl, t->o.enforce & TLSC_WEBPKI ? 2 : 1);
	if (!(t->o.check & TLSC_WEBPKI))
		return true;
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	name = arena_str(&a, t->o.name);
	if (name == NULL || name[0] == '\0')
		ok = false;
	else if (ip_parse(t->o.name, &ip) == 0)
		ok = X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	else
		ok = X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
	arena_free(&a);
	return ok;
}
