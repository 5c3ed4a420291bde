/*
 * verify.c - a chain of certificates against TLSA records
 *
 * DANE-EE looks at bytes only. For DANE-TA each certificate that a record
 * points at becomes the one root of a store of its own, and OpenSSL builds
 * and checks the chain to it.
 */
#include "dane/internal.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* As OpenSSL's level 1: no MD5 or SHA-1 signatures, RSA from 1024 bits. */
#define AUTH_LEVEL 1

struct verifier {
	struct arena arena;
	const struct bytes *chain;
	X509 *certs[DANE_CHAIN_MAX];
	struct bytes spki[DANE_CHAIN_MAX];
	size_t n;
	STACK_OF(X509) *presented;
	const struct bytes *names;
	size_t nnames;
	int64_t now;
	struct dane_verdict *out;
};

static void
fail(struct dane_verdict *out, enum tlsresult result, const char *why)
{
	out->verified = false;
	out->result = result;
	out->why = why;
}

/* ---- the chain to a trust anchor ---- */

static void
fail_chain(struct dane_verdict *out, int error)
{
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
		fail(out, TLSRESULT_CERTIFICATE_HOST_MISMATCH,
		    "the certificate is for another name");
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		fail(out, TLSRESULT_CERTIFICATE_EXPIRED,
		    "the certificate has expired");
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		fail(out, TLSRESULT_CERTIFICATE_EXPIRED,
		    "the certificate is not valid yet");
		break;
	default:
		fail(out, TLSRESULT_CERTIFICATE_NOT_TRUSTED,
		    "the chain to the trust anchor does not verify");
		break;
	}
}

static bool
set_param(struct verifier *v, X509_VERIFY_PARAM *param)
{
	size_t i;

	(void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_time(param, (time_t)v->now);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) != 1)
		return false;
	for (i = 0; i < v->nnames; i++) {
		if (v->names[i].n > 0 && X509_VERIFY_PARAM_add1_host(param,
		    (const char *)v->names[i].p, v->names[i].n) != 1)
			return false;
	}
	return v->nnames > 0;
}

static void
take_name(struct verifier *v, X509_VERIFY_PARAM *param)
{
	const char *peer = X509_VERIFY_PARAM_get0_peername(param);
	size_t i;

	v->out->name = BYTES_EMPTY;
	for (i = 0; peer != NULL && i < v->nnames; i++) {
		if (X509_check_host(v->certs[0], (const char *)v->names[i].p,
		    v->names[i].n, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
		    NULL) == 1) {
			v->out->name = v->names[i];
			return;
		}
	}
}

static bool
chain_verifies(struct verifier *v, X509 *anchor)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	bool ok = false;

	if (store != NULL && ctx != NULL &&
	    X509_STORE_add_cert(store, anchor) == 1 &&
	    X509_STORE_CTX_init(ctx, store, v->certs[0], v->presented) == 1) {
		param = X509_STORE_CTX_get0_param(ctx);
		ok = set_param(v, param) && X509_verify_cert(ctx) == 1;
		if (ok)
			take_name(v, param);
		else
			fail_chain(v->out, X509_STORE_CTX_get_error(ctx));
	} else {
		fail(v->out, TLSRESULT_VALIDATION_FAILURE,
		    "OpenSSL cannot check the chain");
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return ok;
}

/* ---- records ---- */

static bool
matches(struct verifier *v, const struct dane_record *r, size_t i)
{
	struct bytes selected = r->selector == DANE_CERT ? v->chain[i]
	    : v->spki[i], association;

	return dane_association(r->matching, selected, &v->arena,
	    &association) && bytes_eq(association, r->data);
}

static bool
try_anchors(struct verifier *v, const struct dane_record *r)
{
	X509 *anchor;
	size_t i;
	bool ok;

	for (i = 0; i < v->n; i++) {
		if (matches(v, r, i) && chain_verifies(v, v->certs[i])) {
			v->out->depth = i;
			return true;
		}
	}
	if (r->selector != DANE_CERT || r->matching != DANE_FULL)
		return false;
	/* RFC 7671 5.2.2: it need not be presented if it is published. */
	anchor = dane_read_cert(r->data);
	ok = anchor != NULL && chain_verifies(v, anchor);
	X509_free(anchor);
	v->out->depth = v->n;
	return ok;
}

static bool
satisfied(struct verifier *v, const struct dane_record *r)
{
	if (!dane_usable(r, NULL))
		return false;
	if (r->usage == DANE_TA)
		return try_anchors(v, r);
	v->out->depth = 0;
	v->out->name = BYTES_EMPTY;
	return matches(v, r, 0);
}

/* ---- the chain as presented ---- */

static bool
read_chain(struct verifier *v, size_t n)
{
	size_t i;

	v->presented = sk_X509_new_null();
	if (v->presented == NULL)
		return false;
	for (i = 0; i < n && i < DANE_CHAIN_MAX; i++) {
		v->certs[i] = dane_read_cert(v->chain[i]);
		if (v->certs[i] == NULL)
			break;		/* what is behind it is of no use */
		v->n++;
		if (!dane_spki(v->certs[i], &v->arena, &v->spki[i]) ||
		    sk_X509_push(v->presented, v->certs[i]) == 0)
			return false;
	}
	return v->n > 0;
}

static void
free_chain(struct verifier *v)
{
	size_t i;

	sk_X509_free(v->presented);
	for (i = 0; i < v->n; i++)
		X509_free(v->certs[i]);
	arena_free(&v->arena);
}

void
dane_verify(const struct dane_record *records, size_t nrecords,
    const struct bytes *chain, size_t nchain, const struct bytes *names,
    size_t nnames, int64_t now_seconds, struct dane_verdict *out)
{
	struct verifier v = { .arena = ARENA_INIT, .chain = chain,
	    .names = names, .nnames = nnames, .now = now_seconds,
	    .out = out };
	size_t i;

	*out = (struct dane_verdict){ .name = BYTES_EMPTY };
	fail(out, TLSRESULT_TLSA_INVALID,
	    "no TLSA record matches the certificate");
	if (!read_chain(&v, nchain)) {
		fail(out, TLSRESULT_VALIDATION_FAILURE,
		    "there is no certificate that can be read");
	} else {
		for (i = 0; i < nrecords && !out->verified; i++) {
			if (!satisfied(&v, &records[i]))
				continue;
			out->verified = true;
			out->record = i;
			out->result = TLSRESULT_SUCCESS;
			out->why = "";
		}
	}
	free_chain(&v);
}
