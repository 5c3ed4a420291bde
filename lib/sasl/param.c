/*
 * param.c - what a service tells of a connection in AUTH, and is told of a
 * login
 */
#include "sasl/internal.h"

#include "unicode/unicode.h"

static void
keep_param(char to[SASL_PARAM_MAX + 1], struct bytes value)
{
	if (value.n > SASL_PARAM_MAX || bytes_has_nul(value))
		return;
	memcpy(to, value.p, value.n);
	to[value.n] = '\0';
}

/* "cb-TYPE=base64"; others are none of ours. */
static bool
read_binding(struct sasl_origin *from, struct bytes value)
{
	struct buf b = BUF_INIT(SASL_BINDING_MAX);
	struct bytes name;
	unsigned int i;
	bool good = true;

	(void)bytes_split(&value, '=', &name);
	for (i = 0; i < SASL_BINDINGS; i++) {
		if (!bytes_eq(name, bytes_str(sasl_binding_name(i))))
			continue;
		good = base64_decode(&b, value) == 0 && b.n > 0;
		if (good) {
			memcpy(from->binding[i].p, b.p, b.n);
			from->binding[i].n = b.n;
		}
	}
	buf_free(&b);
	return good;
}

bool
sasl_origin_param(struct sasl_origin *from, struct bytes v)
{
	if (bytes_skip(&v, BYTES("service="))) {
		keep_param(from->service, v);
	} else if (bytes_skip(&v, BYTES("rip="))) {
		keep_param(from->remote_ip, v);
		if (ip_parse(v, &from->remote) == -1)
			from->remote.family = 0;
	} else if (bytes_skip(&v, BYTES("session="))) {
		keep_param(from->session, v);
	} else if (bytes_skip(&v, BYTES("client_id="))) {
		keep_param(from->agent, unicode_first(v, SASL_PARAM_MAX));
	} else if (bytes_skip(&v, BYTES("tls_protocol="))) {
		keep_param(from->tls, v);
	} else if (bytes_eq(v, BYTES("secured")) ||
	    bytes_starts(v, BYTES("secured="))) {
		from->secured = true;
	} else if (bytes_skip(&v, BYTES("client-key="))) {
		from->has_client_key = true;
		return clientkey_id_parse(v, from->client_key) == 0;
	} else if (bytes_skip(&v, BYTES("cb-"))) {
		return read_binding(from, v);
	} else if (bytes_eq(v, BYTES("preauth"))) {
		from->preauth = true;
	}
	return true;
}

struct bytes
sasl_login_of(const struct sasl_request *r, const struct sasl_outcome *o)
{
	struct bytes id = bytes_of(r->sasl.authcid.p, r->sasl.authcid.n);
	size_t at;

	if (o->login[0] != '\0')
		return bytes_str(o->login);
	return strcmp(r->from.service, "submission") == 0 &&
	    id.n <= SASL_NAME_MAX && bytes_chr(id, '@', &at) ? id
	    : BYTES_EMPTY;
}
