/*
 * sasl_fuzz.c - messages of a client against each mechanism
 *
 * The first byte chooses the mechanism, the second what the server knows;
 * messages follow, ended by 0xff 0xfe. Properties: nothing is proven without
 * the password; each refusal has its reason; what is kept of a client is
 * within its limits; a failed exchange has no server's proof; HMAC-MD5 from
 * pad states is libcrypto's.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "sasl/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
fill_secrets(struct sasl_secrets *out, int knows)
{
	size_t i;

	*out = (struct sasl_secrets){ .iterations = 4096,
	    .salt_bytes = SASL_SALT_BYTES, .why = "unknown user" };
	if ((knows & 1) == 0)
		return;
	out->count = 3;
	out->secret = mem_zalloc(out->count, sizeof(*out->secret));
	for (i = 0; i < out->count; i++)	/* nobody's password */
		memset(&out->secret[i], 0x55 + (int)i,
		    sizeof(out->secret[i]));
}

static void
check_state(const struct sasl *s, enum sasl_action action)
{
	must(s->authcid.n <= SASL_NAME_MAX && s->authzid.n <= SASL_NAME_MAX);
	must(s->password.n <= SASL_PASSWORD_MAX &&
	    s->token.n <= SASL_TOKEN_MAX);
	must(action != SASL_PROVEN);
	if (action == SASL_MALFORMED || action == SASL_REFUSED)
		must(s->why != NULL);
	if (action == SASL_PASSWORD)
		must(s->authcid.n > 0 && s->password.n > 0);
	if (action == SASL_TOKEN)
		must(s->token.n > 0);
}

static bool
next_message(struct bytes *rest, struct bytes *message)
{
	size_t at;

	if (rest->n == 0)
		return false;
	if (!bytes_find(*rest, BYTES("\xff\xfe"), &at))
		at = rest->n;
	*message = bytes_first(*rest, at);
	*rest = bytes_from(*rest, at + 2);
	return true;
}

static void
exchange(const struct sasl_mech *mech, int knows, struct bytes rest)
{
	static const struct sasl_binding bindings[SASL_BINDINGS] = {
		{ 4, "expo" }, { 3, "end" }, { 4, "uniq" },
	};
	struct buf out = BUF_INIT(2 * SASL_RESPONSE_MAX);
	struct sasl_secrets secrets;
	enum sasl_action action = SASL_CHALLENGE;
	struct bytes message;
	bool first = true;
	struct sasl s;

	sasl_init(&s, mech);
	if ((knows & 2) != 0)
		s.binding = bindings;
	while (action == SASL_CHALLENGE && next_message(&rest, &message)) {
		buf_reset(&out);
		action = first ? sasl_start(&s, message, (knows & 4) != 0,
		    &out) : sasl_continue(&s, message, &out);
		first = false;
		check_state(&s, action);
		if (action != SASL_SECRETS)
			continue;
		fill_secrets(&secrets, knows);
		action = sasl_know(&s, &secrets, &out);
		must(secrets.secret == NULL);
		check_state(&s, action);
	}
	must(!out.full);
	buf_reset(&out);
	if (sasl_last(&s, false, &out)) {
		must(out.n > 0 && !bytes_starts(buf_bytes(&out),
		    BYTES("v=")));
		must(sasl_continue(&s, BYTES("x"), &out) == SASL_ENDED);
	}
	sasl_wipe(&s);
	buf_free(&out);
}

static void
same_hmac(struct bytes key, struct bytes text)
{
	unsigned char pads[SASL_CRAM_BYTES], got[16], want[16];
	unsigned int n;

	if (HMAC(EVP_md5(), key.p, (int)key.n, text.p, text.n, want,
	    &n) == NULL)
		return;
	sasl_cram_pads(key, pads);
	sasl_cram_digest(pads, text, got);
	must(memcmp(got, want, sizeof(got)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of(data, size), key;
	const struct sasl_mech *mech;
	int which = bytes_next(&rest), knows = bytes_next(&rest);

	if (knows == -1 || rest.n > 3 * SASL_RESPONSE_MAX)
		return 0;
	key = bytes_first(rest, (size_t)knows);
	same_hmac(key, bytes_from(rest, key.n));
	mech = sasl_mech_at((size_t)which % 12);
	must(mech != NULL && sasl_mech_at(12) == NULL);
	exchange(mech, knows, rest);
	return 0;
}
