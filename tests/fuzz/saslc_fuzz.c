/*
 * saslc_fuzz.c - client mechanisms and any server
 *
 * Properties: a server that cannot know the password's keys is never believed
 * by SCRAM; a mechanism that does not show the password never does; no more
 * than a few challenges are answered.
 *
 * Input: one byte that chooses the mechanism and its surroundings, then the
 * challenges, a line each.
 */
#include <stdio.h>
#include <stdlib.h>

#include "saslc/saslc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) do { if (!(x)) fail(#x); } while (0)

static void
fail(const char *what)
{
	fprintf(stderr, "property does not hold: %s\n", what);
	abort();
}

static const char *const names[] = { "SCRAM-SHA-256", "SCRAM-SHA-1",
    "SCRAM-SHA-512", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-512-PLUS", "CRAM-MD5", "PLAIN", "LOGIN", "EXTERNAL",
    "OAUTHBEARER", "XOAUTH2" };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sasl_binding binding[SASL_BINDINGS] = {
		[SASL_TLS_EXPORTER] = { 32, "binding" },
	};
	struct saslc_login l = { .user = BYTES("us,er"),
	    .password = BYTES("correct horse"), .token = BYTES("to.ken"),
	    .authzid = BYTES_EMPTY, .host = BYTES("h"), .secured = true,
	    .client_cert = true, .binding = binding, .nonce = "abc" };
	struct buf out = BUF_INIT(SASLC_RESPONSE_MAX);
	struct bytes rest, line, found;
	const char *why = NULL, *name;
	size_t answers = 0, which, at;
	struct saslc *s;

	/* a count of six digits is computed, and takes its time */
	if (size < 1 || bytes_find(bytes_of(data, size), BYTES("i=1"), &at))
		return 0;
	which = data[0] % (sizeof(names) / sizeof(names[0]));
	name = names[which];
	rest = bytes_of(data + 1, size - 1);
	s = saslc_new(&l, name, data[0] & 128 ? BYTES("SCRAM-SHA-1-PLUS")
	    : bytes_str(name));
	CHECK(s != NULL && strcmp(saslc_mechanism(s), name) == 0);
	if (saslc_speaks_first(s) && (data[0] & 64))
		CHECK(saslc_first(s, &out, &why) == 0);
	while (bytes_line(&rest, &line)) {
		why = NULL;
		if (saslc_step(s, line, &out, &why) == -1)
			CHECK(why != NULL);
		else
			answers++;
	}
	CHECK(answers <= 3);
	found = buf_bytes(&out);
	if (which != 7 && which != 8)
		CHECK(!bytes_find(found, l.password, &at));
	if (which < 6)
		CHECK(saslc_success(s, &why) == -1 && why != NULL);
	saslc_free(s);
	buf_free(&out);
	return 0;
}
