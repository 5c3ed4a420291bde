/*
 * jwt_fuzz.c - issuers' keys and tokens from bytes
 *
 * Properties: no token of these bytes is good, for a key nobody signs claims
 * with; each refusal has its reason.
 */
#include <stdlib.h>

#include "jwt/jwt.h"

/* RFC 8037 A.2: the public key of its example. */
static const char jwks[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
static struct jwt_keys *keys;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *why;

	(void)argc;
	(void)argv;
	keys = jwt_keys_parse(bytes_str(jwks), &why);
	must(keys != NULL && jwt_keys_count(keys) == 1);
	return 0;
}

/* As it is, and as header and body with a made-up signature. */
static void
tokens(struct arena *a, struct bytes s)
{
	struct jwt_policy policy = { BYTES("i"), BYTES("a"), BYTES("sub"),
	    1000 };
	struct buf t = BUF_INIT(2 * JWT_TOKEN_MAX);
	struct bytes value, head = s;
	const char *why;

	must(jwt_check(a, keys, s, &policy, &value, &why) == -1);
	must(why != NULL);
	(void)bytes_split(&s, '\0', &head);
	if (s.n > JWT_TOKEN_MAX)
		return;
	base64url_encode(&t, head);
	buf_addc(&t, '.');
	base64url_encode(&t, s);
	buf_addc(&t, '.');
	base64url_encode(&t, bytes_first(s, 64));
	must(jwt_check(a, keys, buf_bytes(&t), &policy, &value, &why) == -1);
	must(why != NULL);
	buf_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes s = bytes_of(data, size);
	struct arena a = ARENA_INIT;
	struct jwt_keys *k;
	const char *why = NULL;

	k = jwt_keys_parse(s, &why);
	must((k == NULL) || jwt_keys_count(k) > 0);
	jwt_keys_free(k);
	tokens(&a, s);
	arena_free(&a);
	return 0;
}
