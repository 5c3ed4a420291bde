/* arc_test.c - B-3: chains of our own making, whole and broken */
#include "dkim_fixture.h"

#include "arc/arc.h"
#include "arc/internal.h"

#include <sys/socket.h>
#include <time.h>

/* ---- chains ---- */

/* The raw fields of the sets made so far. */
static struct bytes aar[ARC_SETS_MAX + 1], ams[ARC_SETS_MAX + 1],
    as[ARC_SETS_MAX + 1];

static struct bytes
text(const char *s)
{
	return bytes_str(s);
}

static struct bytes
joined(struct bytes a, struct bytes b)
{
	struct bytes out = arena_bytes(&fx.arena, BYTES_EMPTY);
	struct buf t = BUF_INIT(64 * 1024 * 1024);

	assert_int_equal(buf_add(&t, a), 0);
	assert_int_equal(buf_add(&t, b), 0);
	out = arena_bytes(&fx.arena, buf_bytes(&t));
	buf_free(&t);
	return out;
}

/* field, which ends in "b=", with the signature over hash. */
static struct bytes
with_b(const char *field, const unsigned char hash[DKIM_HASH_SIZE])
{
	struct buf raw = BUF_INIT(4096), b64 = BUF_INIT(4096);
	const struct dkim_key *k = strstr(field, "ed25519") != NULL ? fx.ed
	    : fx.rsa;
	char *s;

	assert_int_equal(dkim_key_sign(k, hash, &raw), 0);
	assert_int_equal(base64_encode(&b64, buf_bytes(&raw)), 0);
	s = arena_printf(&fx.arena, "%s%.*s\n", field,
	    BYTES_ARG(buf_bytes(&b64)));
	buf_free(&raw);
	buf_free(&b64);
	return bytes_str(s);
}

struct tags {
	const char *ams;	/* instead of AMS_TAGS */
	const char *as;		/* instead of AS_TAGS */
	const char *cv;		/* instead of what fits */
};
#define AMS_TAGS "a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=sel; " \
	"h=from:subject;"
#define AS_TAGS "a=rsa-sha256; d=example.org; s=sel;"

static struct bytes
message_signature(struct bytes message, unsigned int i, const char *tags)
{
	struct dkim_message m;
	struct dkim_body_wishes w = { .n = 0 };
	struct dkim_tags t;
	struct dkim_signature sig;
	struct buf b64 = BUF_INIT(4096);
	unsigned char hash[DKIM_HASH_SIZE];
	const char *field, *why;

	field = arena_printf(&fx.arena, "i=%u; %s b=YWFh; bh=MTIzNDU2Nzg5MDEy"
	    "MzQ1Njc4OTAxMjM0NTY3ODkwMTI=", i, tags);
	assert_int_equal(dkim_tags_parse(text(field), &t, &why), 0);
	(void)dkim_signature_read(&fx.arena, &t, DKIM_KIND_MESSAGE, &sig, &why);
	dkim_message_split(&fx.arena, message, &m);
	(void)dkim_body_wish(&w, sig.body_canon, false, 0);
	assert_int_equal(dkim_body_hash(&w, m.body), 0);
	assert_int_equal(base64_encode(&b64,
	    bytes_of(w.w[0].hash, DKIM_HASH_SIZE)), 0);
	field = arena_printf(&fx.arena, "ARC-Message-Signature: i=%u; %s "
	    "bh=%.*s; b=", i, tags, BYTES_ARG(buf_bytes(&b64)));
	buf_free(&b64);
	assert_int_equal(dkim_header_hash(&fx.arena, &m, sig.header_canon,
	    sig.names, sig.name_count, SIZE_MAX, text(field), hash), 0);
	return with_b(field, hash);
}

static struct bytes
add_set(struct bytes message, unsigned int i, struct tags t)
{
	unsigned char hash[DKIM_HASH_SIZE];
	struct arc_sealing s;
	const char *seal;

	aar[i] = text(arena_printf(&fx.arena, "ARC-Authentication-Results: "
	    "i=%u; mx%u.example.org;\n\tdmarc=pass\n", i, i));
	ams[i] = message_signature(message, i, t.ams != NULL ? t.ams
	    : AMS_TAGS);
	seal = arena_printf(&fx.arena, "ARC-Seal: i=%u; cv=%s; %s b=", i,
	    t.cv != NULL ? t.cv : i == 1 ? "none" : "pass",
	    t.as != NULL ? t.as : AS_TAGS);
	arc_sealing_init(&s);
	for (unsigned int k = 1; k < i; k++)
		assert_int_equal(arc_sealing_next(&s, &fx.arena, aar[k],
		    ams[k], as[k], hash), 0);
	assert_int_equal(arc_sealing_next(&s, &fx.arena, aar[i], ams[i],
	    text(seal), hash), 0);
	arc_sealing_free(&s);
	as[i] = with_b(seal, hash);
	return joined(as[i], joined(ams[i], joined(aar[i], message)));
}

static struct bytes
chain(unsigned int n)
{
	struct bytes m = text(MESSAGE);

	for (unsigned int i = 1; i <= n; i++)
		m = add_set(m, i, (struct tags){ 0 });
	return m;
}

/* The nth (from 0) from in s becomes to. */
static struct bytes
replaced(struct bytes s, const char *from, size_t nth, const char *to)
{
	struct bytes rest = s, head;
	size_t at, before = 0;

	for (;; nth--) {
		assert_true(bytes_find(rest, text(from), &at));
		before += at;
		if (nth == 0)
			break;
		before += strlen(from);
		rest = bytes_from(s, before);
	}
	head = joined(bytes_first(s, before), text(to));
	return joined(head, bytes_from(s, before + strlen(from)));
}

static struct arc_verdict
look(struct bytes message)
{
	struct arc_policy p = { .now = NOW };
	struct arc_verdict v;

	arc_verify(&fx.arena, fx.dns, message, &p, &v);
	return v;
}

static void
assert_chain(struct bytes message, enum arc_result result,
    unsigned int instance, const char *reason)
{
	struct arc_verdict v = look(message);

	assert_string_equal(v.reason, reason);
	assert_string_equal(arc_result_text(v.result),
	    arc_result_text(result));
	assert_int_equal(v.instance, instance);
}

/* ---- tests ---- */

static void
test_pass(void **state)
{
	struct arc_verdict v;
	unsigned int n;

	(void)state;
	assert_chain(text(MESSAGE), ARC_NONE, 0, "");
	for (n = 1; n <= ARC_SETS_MAX; n += n < 3 ? 1 : 47) {
		fx.asked = 0;
		v = look(chain(n));
		assert_int_equal(v.result, ARC_PASS);
		assert_int_equal(v.n, n);
		assert_int_equal(v.oldest_pass, 0);
		assert_bytes(v.set[n - 1].domain, "example.org");
		assert_bytes(v.set[n - 1].message_domain, "example.org");
		assert_bytes(v.set[0].results,
		    "mx1.example.org;\n\tdmarc=pass");
		assert_true(v.set[0].signs_from);
		/* one question for all */
		assert_int_equal(fx.asked, 1);
	}
}

static void
test_limits(void **state)
{
	struct bytes m = chain(ARC_SETS_MAX);

	(void)state;
	assert_chain(m, ARC_PASS, 0, "");
	assert_chain(joined(text("ARC-Seal: i=51; cv=pass; " AS_TAGS
	    " b=YWFh\n"), text(MESSAGE)), ARC_FAIL, 0,
	    "ARC-Seal is no tag list with i=");
	assert_chain(replaced(m, "From:", 0, "ARC-Seal: i=1\nFrom:"),
	    ARC_FAIL, 0,
	    "more than 50 ARC sets");
	/* its value, with the line feed */
	for (size_t n = ARC_FIELD_MAX; n <= ARC_FIELD_MAX + 1; n++) {
		unsigned char *p = arena_zalloc(&fx.arena, n, 1);

		memset(p, 'x', n);
		m = joined(text("ARC-Seal:"), joined(bytes_of(p, n - 1),
		    joined(text("\n"), text(MESSAGE))));
		assert_chain(m, ARC_FAIL, 0, n == ARC_FIELD_MAX
		    ? "ARC-Seal is no tag list with i="
		    : "ARC field is too long");
	}
}

/* What is done to a chain of three, and what becomes of it. */
static const struct {
	const char *name, *from;
	size_t nth;
	const char *to;
	enum arc_result result;
	unsigned int instance;
	const char *reason;
} rows[] = {
	{ "untouched", "Hello", 0, "Hello", ARC_PASS, 0, "" },
	{ "body", "Hello", 0, "hello", ARC_FAIL, 3,
	    "body hash did not verify" },
	{ "signed field", "tea", 0, "coffee", ARC_FAIL, 3,
	    "signature did not verify" },
	{ "unsigned field", "To: b", 0, "To: c", ARC_PASS, 0, "" },
	{ "newest results", "dmarc=pass", 0, "dmarc=fail", ARC_FAIL, 3,
	    "signature did not verify" },
	{ "oldest results", "dmarc=pass", 2, "dmarc=fail", ARC_FAIL, 3,
	    "signature did not verify" },
	{ "relaxed results", "\tdmarc=pass", 2, "   dmarc=pass", ARC_PASS, 0,
	    "" },
	{ "no oldest seal", "ARC-Seal: i=1", 0, "X-Seal: i=1", ARC_FAIL, 1,
	    "ARC set is not complete" },
	{ "no middle results", "ARC-Authentication-Results: i=2", 0, "X: i=2",
	    ARC_FAIL, 2, "ARC set is not complete" },
	{ "seal twice", "ARC-Seal: i=2", 0, "ARC-Seal: i=3", ARC_FAIL, 3,
	    "two ARC-Seals of one instance" },
	{ "a hole", "ARC-Seal: i=3", 0, "ARC-Seal: i=4", ARC_FAIL, 3,
	    "ARC set is not complete" },
	{ "i=0", "ARC-Seal: i=1", 0, "ARC-Seal: i=0", ARC_FAIL, 0,
	    "ARC-Seal is no tag list with i=" },
	{ "cv= of the newest", "cv=pass", 0, "cv=fail", ARC_FAIL, 3,
	    "chain was broken before" },
	{ "cv= of the middle", "cv=pass", 1, "cv=none", ARC_FAIL, 2,
	    "cv= does not fit the instance" },
	{ "cv= of the oldest", "cv=none", 0, "cv=pass", ARC_FAIL, 1,
	    "cv= does not fit the instance" },
	{ "cv= unknown", "cv=pass", 0, "cv=fine", ARC_FAIL, 3, "bad cv=" },
	{ "comments in results", "ARC-Authentication-Results: i=3", 0,
	    "ARC-Authentication-Results: (a (b\\)) c) i = 3 (x)", ARC_FAIL, 3,
	    "signature did not verify" },
	{ "results of no instance", "ARC-Authentication-Results: i=3", 0,
	    "ARC-Authentication-Results: j=3", ARC_FAIL, 0,
	    "ARC-Authentication-Results without i=" },
	{ "h= in a seal", "ARC-Seal: i=3;", 0, "ARC-Seal: i=3; h=from;",
	    ARC_FAIL, 3, "a seal has no h=" },
};

static void
test_rows(void **state)
{
	struct bytes m;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		m = replaced(chain(3), rows[i].from, rows[i].nth, rows[i].to);
		print_message("%s\n", rows[i].name);
		assert_chain(m, rows[i].result, rows[i].instance,
		    rows[i].reason);
	}
}

/* RFC 8617 5.2 step 5: who forwards may change the message. */
static void
test_oldest_pass(void **state)
{
	struct bytes m = add_set(text(MESSAGE), 1, (struct tags){ 0 });

	(void)state;
	m = replaced(m, "Hello", 0, "Hello list");
	m = add_set(m, 2, (struct tags){ 0 });
	m = add_set(m, 3, (struct tags){ 0 });
	assert_chain(m, ARC_PASS, 0, "");
	assert_int_equal(look(m).oldest_pass, 2);
	/* one that can never verify is like one that does not */
	m = add_set(text(MESSAGE), 1, (struct tags){ .ams = "a=rsa-sha1; "
	    "d=example.org; s=sel; h=from;" });
	assert_chain(m, ARC_FAIL, 1, "rsa-sha1 is not accepted");
	m = add_set(m, 2, (struct tags){ 0 });
	assert_chain(m, ARC_PASS, 0, "");
	assert_int_equal(look(m).oldest_pass, 2);
}

/* With the rest of its name a key has more than 253 octets. */
#define A60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_SELECTOR A60 "." A60 "." A60 "." A60

/* Tags of the one set of a chain. */
static const struct {
	struct tags t;
	enum arc_result result;
	const char *reason;
	bool temporary;
} sets[] = {
	{ { .ams = "a=ed25519-sha256; d=example.org; s=ed; h=from;",
	    .as = "a=ed25519-sha256; d=example.org; s=ed;" }, ARC_PASS, "",
	    false },
	{ { .ams = "a=rsa-sha256; c=simple/simple; d=example.org; s=sel; "
	    "h=from;" }, ARC_PASS, "", false },
	{ { .ams = "a=rsa-sha256; d=example.org; s=sel; h=;" }, ARC_PASS, "",
	    false },
	{ { .ams = AMS_TAGS " l=6;" }, ARC_FAIL, "l= is not accepted", false },
	{ { .ams = AMS_TAGS " x=1699999999;" }, ARC_FAIL,
	    "signature has expired", false },
	{ { .ams = AMS_TAGS " x=1700000000;" }, ARC_PASS, "", false },
	{ { .ams = "a=rsa-sha256; d=example.org; s=sel; h=from:Arc-Seal;" },
	    ARC_FAIL, "h= names ARC-Seal", false },
	{ { .ams = "a=rsa-sha256; d=co.uk; s=sel; h=from;" }, ARC_FAIL,
	    "d= is a public suffix", false },
	{ { .as = "a=rsa-sha256; d=co.uk; s=sel;" }, ARC_FAIL,
	    "d= is a public suffix", false },
	{ { .as = "a=rsa-sha256; d=example.org; s=ed;" }, ARC_FAIL,
	    "key is of another type than the signature", false },
	{ { .as = "a=rsa-sha256; d=example.org; s=gone;" }, ARC_FAIL,
	    "key is revoked", false },
	{ { .as = "a=rsa-sha256; d=example.org; s=several;" }, ARC_PASS, "",
	    false },
	{ { .as = "a=rsa-sha256; d=example.org; s=nosuch;" }, ARC_FAIL,
	    "there is no such key", false },
	{ { .as = "a=rsa-sha256; d=example.org; s=bad;" }, ARC_FAIL,
	    "DNS answer for the key is malformed", false },
	{ { .as = "a=rsa-sha256; d=example.org; s=temp;" }, ARC_FAIL,
	    "key could not be fetched", true },
	{ { .ams = "a=rsa-sha256; d=example.org; s=temp; h=from;" }, ARC_FAIL,
	    "key could not be fetched", true },
	{ { .ams = "a=rsa-sha256; d=example.org; s=" LONG_SELECTOR "; "
	    "h=from;" }, ARC_FAIL, "name of the key is too long", false },
	{ { .as = "a=rsa-sha256; d=example.org; s=" LONG_SELECTOR ";" },
	    ARC_FAIL, "name of the key is too long", false },
	{ { .cv = "fail" }, ARC_FAIL, "chain was broken before", false },
};

static void
test_sets(void **state)
{
	struct arc_verdict v;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(sets); i++) {
		v = look(add_set(text(MESSAGE), 1, sets[i].t));
		assert_string_equal(v.reason, sets[i].reason);
		assert_int_equal(v.result, sets[i].result);
		assert_int_equal(v.temporary, sets[i].temporary);
	}
}

static void
test_read(void **state)
{
	struct bytes m = replaced(chain(2), "Hello", 0, "hello");
	struct arc_verdict v;

	(void)state;
	fx.asked = 0;
	arc_read(&fx.arena, m, &v);
	assert_int_equal(v.result, ARC_PASS);
	assert_int_equal(v.n, 2);
	assert_int_equal(fx.asked, 0);
	arc_read(&fx.arena, text("ARC-Seal: i=1\n\n"), &v);
	assert_int_equal(v.result, ARC_FAIL);
	assert_int_equal(v.n, 0);
	arc_read(&fx.arena, text(MESSAGE), &v);
	assert_int_equal(v.result, ARC_NONE);
}

static void
test_format(void **state)
{
	struct arc_verdict v = look(chain(2));
	struct buf b = BUF_INIT(4096);
	struct ip none = { .family = 0 }, ip;

	(void)state;
	assert_int_equal(arc_format_resinfo(&b, &v, &none), 0);
	assert_bytes(buf_bytes(&b), "arc=pass (i=2 sealed by example.org) "
	    "header.oldest-pass=0");
	buf_reset(&b);
	v = look(replaced(chain(2), "Hello", 0, "hello"));
	assert_int_equal(ip_parse(BYTES("2001:db8::1"), &ip), 0);
	assert_int_equal(arc_format_resinfo(&b, &v, &ip), 0);
	assert_bytes(buf_bytes(&b), "arc=fail (i=2 sealed by example.org) "
	    "reason=\"body hash did not verify\" "
	    "smtp.remote-ip=\"2001:db8::1\"");
	buf_reset(&b);
	assert_int_equal(arc_format_line(&b, &v), 0);
	assert_bytes(buf_bytes(&b),
	    "fail\texample.org\tsel\t2\t-\t2\tbody hash did not verify");
	buf_reset(&b);
	v = look(text(MESSAGE));
	assert_int_equal(arc_format_resinfo(&b, &v, &ip), 0);
	assert_bytes(buf_bytes(&b), "arc=none");
	buf_free(&b);
}

/* ---- trust ---- */

/* Results of sets 1 and 2 by the domains d1 and d2: what they vouch for
 * example.org, if list.example and org.example are trusted. */
static const struct {
	const char *d1, *r1, *d2, *r2;
	unsigned int instance;		/* 0: nothing */
} vouchers[] = {
#define PASS "mx; dmarc=pass header.from=example.org"
#define FAIL "mx; dmarc=fail header.from=example.org"
	{ "list.example", PASS, "org.example", FAIL, 1 },
	{ "list.example", PASS, "org.example", PASS, 2 },
	{ "list.example", FAIL, "org.example", FAIL, 0 },
	/* a seal in between by no one we know */
	{ "list.example", PASS, "other.example", PASS, 0 },
	{ "other.example", PASS, "list.example", FAIL, 0 },
	{ "other.example", PASS, "list.example", PASS, 2 },
	/* below a trusted domain, and not */
	{ "other.example", FAIL, "mx.list.example", PASS, 2 },
	{ "other.example", FAIL, "mylist.example", PASS, 0 },
	{ "other.example", FAIL, "LIST.example", PASS, 2 },
	/* what the results say */
	{ "list.example", FAIL, "list.example",
	    "mx; dmarc=pass header.from=other.example", 0 },
	{ "list.example", FAIL, "list.example", "mx; dmarc=pass", 0 },
	{ "list.example", FAIL, "list.example",
	    "dmarc=pass header.from=example.org", 0 },
	{ "list.example", FAIL, "list.example", "mx; spf=pass;\n\tdmarc=pass "
	    "(p=none; x(y)\\) ;)\n\theader.from=\"Example.ORG\"", 2 },
	{ "list.example", FAIL, "list.example", "mx; spf=fail reason=\"; "
	    "dmarc=pass header.from=example.org\"", 0 },
	{ "list.example", FAIL, "list.example", "mx; dmarc=pass reason=\"a "
	    "header.from=example.org\" header.from=other.example", 0 },
	{ "list.example", FAIL, "list.example", "mx; (dmarc=pass "
	    "header.from=example.org", 0 },
	{ "list.example", FAIL, "list.example", "mx; dmarc=pass \"", 0 },
};

static void
test_vouches(void **state)
{
	const struct bytes trusted[] = { BYTES("org.example"),
	    BYTES("list.example") };
	struct arc_verdict v = { .result = ARC_PASS, .n = 2 };
	unsigned int instance;
	size_t i;

	(void)state;
	v.set[1].signs_from = true;
	for (i = 0; i < LEN(vouchers); i++) {
		v.set[0].domain = text(vouchers[i].d1);
		v.set[0].results = text(vouchers[i].r1);
		v.set[1].domain = text(vouchers[i].d2);
		v.set[1].results = text(vouchers[i].r2);
		instance = 0;
		assert_int_equal(arc_vouches(&v, trusted, 2,
		    BYTES("example.org"), &instance),
		    vouchers[i].instance != 0);
		assert_int_equal(instance, vouchers[i].instance);
	}
	v.set[0].domain = v.set[1].domain = trusted[0];
	v.set[1].results = text(PASS);
	assert_true(arc_vouches(&v, trusted, 2, BYTES("example.org"),
	    &instance));
	assert_false(arc_vouches(&v, trusted, 0, BYTES("example.org"),
	    &instance));
	assert_false(arc_vouches(&v, trusted, 2, BYTES_EMPTY, &instance));
	v.set[1].signs_from = false;
	assert_false(arc_vouches(&v, trusted, 2, BYTES("example.org"),
	    &instance));
	v.set[1].signs_from = true;
	v.result = ARC_FAIL;
	assert_false(arc_vouches(&v, trusted, 2, BYTES("example.org"),
	    &instance));
}

static void
test_reason(void **state)
{
	static const struct { const char *results, *want; } reasons[] = {
		{ "mx; spf=pass; arc=none smtp.remote-ip=192.0.2.1",
		    " remote-ip[1]=192.0.2.1" },
		{ "mx; arc=none smtp.remote-ip=\"2001:db8::1A\"",
		    " remote-ip[1]=2001:db8::1a" },
		{ "mx; arc=none smtp.remote-ip=nonsense", "" },
		{ "mx; arc=none (smtp.remote-ip=192.0.2.1)", "" },
		{ "mx; dmarc=pass", "" },
	};
	struct arc_verdict v = { .result = ARC_PASS, .n = 2 };
	struct buf b = BUF_INIT(256);
	size_t i, at;

	(void)state;
	v.set[0].domain = text("d1.example");
	v.set[0].selector = text("s3");
	v.set[1].domain = text("d2.example");
	v.set[1].selector = text("s2");
	v.set[1].results = text("x; arc=none smtp.remote-ip=192.0.2.9");
	for (i = 0; i < LEN(reasons); i++) {
		v.set[0].results = text(reasons[i].results);
		buf_reset(&b);
		assert_int_equal(arc_format_reason(&b, &v), 0);
		assert_true(bytes_find(buf_bytes(&b), BYTES("arc=pass as[2]"
		    ".d=d2.example as[2].s=s2 as[1].d=d1.example as[1].s=s3"),
		    &at));
		assert_int_equal(at, 0);
		assert_true(bytes_ends(buf_bytes(&b), text(reasons[i].want)));
		assert_int_equal(bytes_find(buf_bytes(&b), BYTES("remote"),
		    &at), reasons[i].want[0] != '\0');
	}
	buf_free(&b);
}

/* ---- sealing ---- */

static struct arc_sealer
sealer(enum arc_result chain_result)
{
	return (struct arc_sealer){ .key = fx.rsa,
	    .domain = text("example.org"), .selector = text("sel"),
	    .results = text("mx.example.org;\n\tspf=pass;\n\tdmarc=pass"),
	    .chain = chain_result, .now = NOW };
}

static struct bytes
sealed(struct bytes message, enum arc_result chain_result)
{
	struct arc_sealer s = sealer(chain_result);
	struct buf b = BUF_INIT(1024 * 1024);
	const char *why = "";

	assert_int_equal(arc_seal(&fx.arena, message, &s, &b, &why), 0);
	message = joined(buf_bytes(&b), message);
	buf_free(&b);
	return message;
}

static void
assert_refused(struct bytes message, struct arc_sealer s, int err,
    const char *reason)
{
	struct buf b = BUF_INIT(1024 * 1024);
	const char *why = "";

	errno = 0;
	assert_int_equal(arc_seal(&fx.arena, message, &s, &b, &why), -1);
	assert_string_equal(why, reason);
	assert_int_equal(errno, err);
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

static void
test_seal(void **state)
{
	struct bytes m = text(MESSAGE), line;
	struct arc_verdict v;
	unsigned int i;

	(void)state;
	for (i = 1; i <= ARC_SETS_MAX; i++) {
		m = sealed(m, i == 1 ? ARC_NONE : ARC_PASS);
		v = look(m);
		assert_int_equal(v.result, ARC_PASS);
		assert_int_equal(v.n, i);
		assert_int_equal(v.oldest_pass, 0);
	}
	assert_bytes(v.set[49].results,
	    "mx.example.org;\n\tspf=pass;\n\tdmarc=pass");
	assert_true(v.set[49].signs_from);
	assert_int_equal(v.set[49].timestamp, NOW);
	assert_refused(m, sealer(ARC_PASS), EMSGSIZE, "more than 50 ARC sets");
	/* a From field more is one too many */
	assert_chain(joined(text("From: x@example.com\n"), sealed(text(MESSAGE),
	    ARC_NONE)), ARC_FAIL, 1, "signature did not verify");
	while (bytes_line(&m, &line))
		assert_true(line.n <= 78);
}

static void
test_seal_broken(void **state)
{
	struct bytes m = replaced(chain(2), "Hello", 0, "hello"), s;
	struct arc_verdict v;

	(void)state;
	assert_chain(m, ARC_FAIL, 2, "body hash did not verify");
	s = sealed(m, ARC_FAIL);
	assert_chain(s, ARC_FAIL, 3, "chain was broken before");
	assert_refused(s, sealer(ARC_FAIL), EACCES, "chain was broken before");
	assert_refused(s, sealer(ARC_PASS), EACCES, "chain was broken before");
	/* RFC 8617 5.1.2: that seal signs its own set, as if it were the
	 * only one */
	s = replaced(s, "i=3", 2, "i=3");
	arc_read(&fx.arena, s, &v);
	assert_int_equal(v.instance, 3);
	/* a set that cannot be read: one more than the highest seen */
	m = replaced(chain(2), "ARC-Seal: i=1", 0, "ARC-Seal: i=x");
	assert_chain(sealed(m, ARC_FAIL), ARC_FAIL, 0,
	    "ARC-Seal is no tag list with i=");
	assert_true(bytes_starts(sealed(m, ARC_FAIL), text("ARC-Seal: i=3;")));
}

static void
test_seal_refused(void **state)
{
	struct arc_sealer s = sealer(ARC_NONE);
	struct bytes fields[2] = { BYTES("From"), BYTES("ARC-Seal") };
	struct bytes m = text(MESSAGE);
	unsigned char *p;

	(void)state;
	assert_refused(text(" " MESSAGE), s, EBADMSG,
	    "message begins with a blank");
	assert_refused(m, sealer(ARC_PASS), EBADMSG,
	    "the message has another chain than was verified");
	assert_refused(m, sealer(ARC_FAIL), EBADMSG,
	    "the message has another chain than was verified");
	assert_refused(chain(1), s, EBADMSG,
	    "the message has another chain than was verified");
	s.fields = fields;
	s.field_count = 2;
	assert_refused(m, s, EBADMSG, "bad field name to sign");
	fields[1] = text("Authentication-Results");
	assert_refused(m, s, EBADMSG, "bad field name to sign");
	fields[0] = fields[1] = text("To");
	assert_refused(m, s, EBADMSG, "From must be signed");
	s = sealer(ARC_NONE);
	s.results = text("mx; spf=pass\nFrom: x");
	assert_refused(m, s, EBADMSG, "results are no text of a field");
	s.results = BYTES_EMPTY;
	assert_refused(m, s, EBADMSG, "results are no text of a field");
	p = arena_alloc(&fx.arena, ARC_RESULTS_MAX + 1);
	memset(p, 'x', ARC_RESULTS_MAX + 1);
	s.results = bytes_of(p, ARC_RESULTS_MAX + 1);
	assert_refused(m, s, EMSGSIZE, "results are too long");
	s.results.n--;
	s.domain = text("a..b");
	assert_refused(m, s, EBADMSG, "bad domain to seal for");
	s.domain = text("example.org");
	s.selector = text("a b");
	assert_refused(m, s, EBADMSG, "bad selector");
}

/* 50 sets that all verify, each naming 256 fields, over 1 MB of fields. */
static void
test_large(void **state)
{
	const char *names = "";
	struct buf b = BUF_INIT(4 * 1024 * 1024);
	struct tags t = { 0 };
	struct bytes m;
	clock_t start;
	double seconds;
	unsigned int i;

	(void)state;
	for (i = 0; i < 128; i++)
		names = arena_printf(&fx.arena, "%sx%u:a:", names, i);
	t.ams = arena_printf(&fx.arena, "a=rsa-sha256; d=example.org; s=sel; "
	    "h=%.*s;", (int)strlen(names) - 1, names);
	for (i = 0; i < 350000; i++)
		assert_int_equal(buf_adds(&b, "a:\n"), 0);
	assert_int_equal(buf_adds(&b, MESSAGE), 0);
	m = buf_bytes(&b);
	m = add_set(m, 1, t);
	for (i = 2; i <= ARC_SETS_MAX; i++)
		m = add_set(m, i, (struct tags){ .ams = t.ams });
	start = clock();
	assert_chain(m, ARC_PASS, 0, "");
	seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	print_message("50 sets, 12800 names, 350000 fields: %.2f s\n", seconds);
	assert_true(seconds < 5);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pass, reset),
		cmocka_unit_test_setup(test_limits, reset),
		cmocka_unit_test_setup(test_rows, reset),
		cmocka_unit_test_setup(test_oldest_pass, reset),
		cmocka_unit_test_setup(test_sets, reset),
		cmocka_unit_test_setup(test_read, reset),
		cmocka_unit_test_setup(test_format, reset),
		cmocka_unit_test_setup(test_vouches, reset),
		cmocka_unit_test_setup(test_reason, reset),
		cmocka_unit_test_setup(test_seal, reset),
		cmocka_unit_test_setup(test_seal_broken, reset),
		cmocka_unit_test_setup(test_seal_refused, reset),
		cmocka_unit_test_setup(test_large, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
