/* dkim_fixture.h - keys, records and messages for the tests of lib/dkim */
#ifndef DKIM_FIXTURE_H
#define DKIM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dkim/dkim.h"
#include "dkim/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/dns.h"

#define NOW 1700000000
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline void
assert_bytes(struct bytes got, const char *want)
{
	char text[4096];

	assert_true(got.n < sizeof text);
	memcpy(text, got.p, got.n);
	text[got.n] = '\0';
	assert_int_equal(got.n, strlen(text));
	assert_string_equal(text, want);
}

/* ---- keys and their records, made once ---- */

struct zone_entry {
	const char *name;
	enum dns_status status;
	const char *text[8];
};

static struct fixture {
	struct dkim_key *rsa, *ed;
	char rsa_p[1024], ed_p[128];		/* p= */
	char record[16][1200];
	struct zone_entry zone[40];
	size_t nzone;
	size_t asked;
	struct dns *dns;
	struct arena arena;
} fx;

static inline void
p_of(const struct dkim_key *k, char *out, size_t size)
{
	struct buf b = BUF_INIT(4096);
	size_t at;

	assert_int_equal(dkim_key_format_record(&b, k), 0);
	assert_true(bytes_find(buf_bytes(&b), BYTES("p="), &at));
	assert_true(b.n - at - 2 < size);
	memcpy(out, b.p + at + 2, b.n - at - 2);
	out[b.n - at - 2] = '\0';
	buf_free(&b);
}

static inline int
answer(void *ctx, struct arena *a, enum dns_type type, struct bytes name,
    struct dns_answer *out)
{
	struct dns_record *r;
	const struct zone_entry *z;
	size_t i, n;

	(void)ctx;
	assert_int_equal(type, DNS_TXT);
	fx.asked++;
	*out = (struct dns_answer){ .status = DNS_NXDOMAIN, .name = name,
	    .why = "" };
	for (i = 0; i < fx.nzone; i++) {
		z = &fx.zone[i];
		if (!dns_name_eq(name, bytes_str(z->name)))
			continue;
		out->status = z->status;
		for (n = 0; z->text[n] != NULL; n++)
			;
		r = arena_zalloc(a, n + 1, sizeof *r);
		for (n = 0; z->text[n] != NULL; n++) {
			r[n].type = DNS_TXT;
			r[n].name = BYTES_EMPTY;
			r[n].data = bytes_str(z->text[n]);
		}
		out->records = r;
		out->nrecords = n;
		return 1;
	}
	return 1;
}

static inline void
zone_add(const char *name, enum dns_status status, const char *text)
{
	struct zone_entry *z = &fx.zone[fx.nzone++];

	assert_true(fx.nzone <= LEN(fx.zone));
	*z = (struct zone_entry){ .name = name, .status = status,
	    .text = { text } };
}

/* A record with the RSA key: tags before p=. */
static inline void
zone_rsa(const char *name, const char *tags)
{
	char *text = fx.record[fx.nzone];

	assert_true(fx.nzone < LEN(fx.record));
	assert_true(snprintf(text, sizeof fx.record[0], "%sp=%s", tags,
	    fx.rsa_p) < (int)sizeof fx.record[0]);
	zone_add(name, DNS_OK, text);
}

/* Two texts that are no keys, n revoked keys, a good one; in byte order. */
static inline void
zone_many(const char *name, size_t n)
{
	static const char *const revoked[] = { "v=DKIM1; a=1; p=",
		"v=DKIM1; a=2; p=", "v=DKIM1; a=3; p=", "v=DKIM1; a=4; p=" };
	struct zone_entry *z = &fx.zone[fx.nzone];

	zone_add(name, DNS_OK, "k=none");
	z->text[1] = "other";
	memcpy(&z->text[2], revoked, n * sizeof revoked[0]);
	z->text[2 + n] = fx.record[0];
}

static inline int
set_up(void **state)
{
	struct dns_options o = { .source = { answer, NULL } };

	(void)state;
	fx.rsa = dkim_key_generate(false, 1024);
	fx.ed = dkim_key_generate(true, 0);
	assert_non_null(fx.rsa);
	assert_non_null(fx.ed);
	p_of(fx.rsa, fx.rsa_p, sizeof fx.rsa_p);
	p_of(fx.ed, fx.ed_p, sizeof fx.ed_p);
	zone_rsa("sel._domainkey.example.org", "v=DKIM1; k=rsa; ");
	zone_rsa("plain._domainkey.example.org", "");
	zone_rsa("test._domainkey.example.org", "v=DKIM1; t=y; ");
	zone_rsa("strict._domainkey.example.org", "v=DKIM1; t = s : x;");
	zone_rsa("sha1._domainkey.example.org", "v=DKIM1; h=sha1;");
	zone_rsa("both._domainkey.example.org", "v=DKIM1; h=sha1:sha256;");
	zone_rsa("web._domainkey.example.org", "v=DKIM1; s=tls;");
	zone_rsa("star._domainkey.example.org", "v=DKIM1; s=tls:*; g=nobody;");
	zone_rsa("type._domainkey.example.org", "v=DKIM1; k=ed25519;");
	zone_rsa("sel._domainkey.co.uk", "v=DKIM1;");
	zone_rsa("sel._domainkey.localhost", "v=DKIM1;");
	zone_rsa("several._domainkey.example.org", "v=DKIM1;");
	fx.zone[fx.nzone - 1].text[1] = fx.zone[fx.nzone - 1].text[0];
	fx.zone[fx.nzone - 1].text[0] = "v=spf1 -all";
	assert_true(snprintf(fx.record[15], sizeof fx.record[15],
	    "v=DKIM1; k=ed25519; p=%s", fx.ed_p) > 0);
	zone_add("ed._domainkey.example.org", DNS_OK, fx.record[15]);
	zone_add("gone._domainkey.example.org", DNS_OK, "v=DKIM1; p=");
	zone_add("temp._domainkey.example.org", DNS_TEMP, NULL);
	zone_add("bad._domainkey.example.org", DNS_BAD, NULL);
	zone_add("nodata._domainkey.example.org", DNS_NODATA, NULL);
	zone_many("fourth._domainkey.example.org", 3);
	zone_many("fifth._domainkey.example.org", 4);
	fx.dns = dns_new(&o);
	assert_non_null(fx.dns);
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	dns_free(fx.dns);
	dkim_key_free(fx.rsa);
	dkim_key_free(fx.ed);
	arena_free(&fx.arena);
	return 0;
}

static inline int
reset(void **state)
{
	(void)state;
	arena_reset(&fx.arena);
	fx.asked = 0;
	return 0;
}

/* ---- messages ---- */

#define HEADER "From: a@example.org\n" \
	"To: b@example.net\n" \
	"Subject: tea\n"
#define MESSAGE HEADER "\n" "Hello\n"
/* h= that covers it. */
#define H "h=from:to:subject; "

/*
 * A DKIM-Signature field with these tags, plus v= a= bh= and b=, on the
 * message: what dkim_sign would never write. tags may hold its own a=.
 */
static inline struct bytes
craft(const char *tags, const char *message)
{
	struct arena *a = &fx.arena;
	struct dkim_body_wishes wishes = { .n = 0 };
	struct dkim_message m;
	struct dkim_signature sig;
	struct buf b64 = BUF_INIT(4096), raw = BUF_INIT(4096);
	unsigned char hash[DKIM_HASH_SIZE];
	const char *field, *why = "", *algorithm = "";
	bool ed = strstr(tags, "ed25519") != NULL;
	struct bytes value;

	if (strstr(tags, "a=") == NULL)
		algorithm = "a=rsa-sha256; ";
	/* once to learn the canonical forms */
	field = arena_printf(a, "v=1; %s%s b=YWFh; bh=MTIzNDU2Nzg5MDEyMzQ1Njc4"
	    "OTAxMjM0NTY3ODkwMTI=", algorithm, tags);
	(void)dkim_signature_parse(a, bytes_str(field), &sig, &why);
	dkim_message_split(a, bytes_str(message), &m);
	(void)dkim_body_wish(&wishes, sig.body_canon, sig.has_length,
	    sig.length);
	assert_int_equal(dkim_body_hash(&wishes, m.body), 0);
	assert_int_equal(base64_encode(&b64,
	    bytes_of(wishes.w[0].hash, DKIM_HASH_SIZE)), 0);
	field = arena_printf(a, "DKIM-Signature: v=1; %s%s bh=%.*s;\n b=",
	    algorithm, tags, BYTES_ARG(buf_bytes(&b64)));
	value = bytes_str(field);
	assert_int_equal(dkim_header_hash(a, &m, sig.header_canon, sig.names,
	    sig.name_count, SIZE_MAX, value, hash), 0);
	assert_int_equal(dkim_key_sign(ed ? fx.ed : fx.rsa, hash, &raw), 0);
	buf_reset(&b64);
	assert_int_equal(base64_encode(&b64, buf_bytes(&raw)), 0);
	value = bytes_str(arena_printf(a, "%s%.*s\n%s", field,
	    BYTES_ARG(buf_bytes(&b64)), message));
	buf_free(&raw);
	buf_free(&b64);
	return value;
}

static inline struct dkim_verdicts
verify_with(struct bytes message, struct dkim_policy policy)
{
	struct dkim_verdicts v;

	if (policy.now == 0)
		policy.now = NOW;
	dkim_verify(&fx.arena, fx.dns, message, &policy, &v);
	return v;
}

static inline struct dkim_verdicts
verify(struct bytes message)
{
	return verify_with(message, (struct dkim_policy){ 0 });
}

static inline void
assert_verdict(struct bytes message, enum dkim_result result,
    const char *reason)
{
	struct dkim_verdicts v = verify(message);

	assert_string_equal(v.v[0].reason, reason);
	assert_string_equal(dkim_result_text(v.v[0].result),
	    dkim_result_text(result));
}
#endif
