/*
 * mechs.c - the names of mechanisms and bindings
 *
 * Apart from what mechanisms do: clients of auth-serve need no cryptography,
 * and each process they fork would pay for having the library.
 */
#include "sasl/internal.h"

/*
 * In order of preference. "private" keeps servers that know neither bindings
 * nor keys from announcing what needs them.
 */
#define SCRAM(text, h) \
	{ "SCRAM-" text "-PLUS", "\tmutual-auth\tchannel-binding\tprivate", \
	    false, true, h, SASL_KIND_SCRAM }, \
	{ "SCRAM-" text, "\tmutual-auth", false, false, h, SASL_KIND_SCRAM }
static const struct sasl_mech mechs[] = {
	SCRAM("SHA-512", SASL_SHA512),
	SCRAM("SHA-256", SASL_SHA256),
	SCRAM("SHA-1", SASL_SHA1),
	{ "CRAM-MD5", "\tdictionary\tactive", false, false, SASL_HASHES,
	    SASL_KIND_CRAM },
	{ "OAUTHBEARER", "", true, false, SASL_HASHES,
	    SASL_KIND_OAUTHBEARER },
	{ "XOAUTH2", "", true, false, SASL_HASHES, SASL_KIND_XOAUTH2 },
	{ "PLAIN", "\tplaintext", true, false, SASL_HASHES,
	    SASL_KIND_PLAIN },
	{ "LOGIN", "\tplaintext", true, false, SASL_HASHES,
	    SASL_KIND_LOGIN },
	{ "EXTERNAL", "\tprivate", false, false, SASL_HASHES,
	    SASL_KIND_EXTERNAL },
};

const struct sasl_mech *
sasl_mech_at(size_t i)
{
	return i < sizeof(mechs) / sizeof(mechs[0]) ? &mechs[i] : NULL;
}

const struct sasl_mech *
sasl_mech_find(struct bytes name)
{
	const struct sasl_mech *m;
	size_t i;

	for (i = 0; (m = sasl_mech_at(i)) != NULL; i++) {
		if (bytes_caseeq(bytes_str(m->name), name))
			return m;
	}
	return NULL;
}

const char *
sasl_binding_name(enum sasl_binding_type type)
{
	switch (type) {
	case SASL_TLS_EXPORTER:
		return "tls-exporter";
	case SASL_TLS_SERVER_END_POINT:
		return "tls-server-end-point";
	case SASL_TLS_UNIQUE:
		return "tls-unique";
	case SASL_BINDINGS:
		break;
	}
	return "";
}
