/* Tests of lib/dmarc: records, discovery, alignment, the decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "dmarc/dmarc.h"
#include "vectors.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;

/* ---- records ---- */

static const struct {
	const char *text, *canonical;	/* NULL: an error */
	int err;
} records[] = {
	{ "v=DMARC1; p=none", "v=DMARC1; p=none", 0 },
	{ "v=DMARC1;p=reject;", "v=DMARC1; p=reject", 0 },
	{ "v = DMARC1 ; p = Quarantine", "v=DMARC1; p=quarantine", 0 },
	{ "v=DMARC1; sp=none; p=reject; adkim=S; aspf=s; pct=0; ri=3600; "
	    "fo=1:d:s; rua=mailto:a@b.example!10m, mailto:c@b.example; "
	    "ruf=mailto:d@b.example; np=reject; psd=n; t=y; x=y",
	    "v=DMARC1; p=reject; sp=none; np=reject; adkim=s; aspf=s; pct=0; "
	    "ri=3600; fo=1:d:s; rua=mailto:a@b.example!10m,"
	    "mailto:c@b.example; ruf=mailto:d@b.example; psd=n; t=y", 0 },
	{ "v=DMARC1; p=none; pct=101; adkim=x; ri=-1; fo=z; psd=q",
	    "v=DMARC1; p=none", 0 },
	{ "v=DMARC1; p=foo; rua=mailto:a@b.example",
	    "v=DMARC1; rua=mailto:a@b.example", 0 },
	{ "v=DMARC1; p=reject; sp=foo; rua=mailto:a@b.example",
	    "v=DMARC1; rua=mailto:a@b.example", 0 },
	{ "v=DMARC1; rua=mailto:a@b.example",
	    "v=DMARC1; rua=mailto:a@b.example", 0 },
	{ "v=DMARC1; p=none; rua=a@b.example,mailto:,mailto:x!9z,1:a",
	    "v=DMARC1; p=none", 0 },
	{ "v=DMARC1", NULL, ENOENT },
	{ "v=DMARC1; p=foo", NULL, ENOENT },
	{ "v=DMARC1; p=\"none\"", NULL, ENOENT },
	{ "v=DMARC1; p=reject; sp=foo", NULL, ENOENT },
	{ "v=DMARC1; p=foo; rua=a@b.example", NULL, ENOENT },
	{ "v=DMARC1; p=none; p=reject", NULL, EBADMSG },
	{ "v=DMARC1; p=none; P=reject", NULL, EBADMSG },
	{ "v=DMARC1; nonsense; p=none", NULL, EBADMSG },
	{ "v=DMARC1; a b=c; p=none", NULL, EBADMSG },
	{ "v=dmarc1; p=none", NULL, EBADMSG },
	{ "V=DMARC1; p=none", NULL, EBADMSG },
	{ "v=DMARC2; p=none", NULL, EBADMSG },
	{ "v=DMARC1 p=none", NULL, EBADMSG },
	{ " v=DMARC1; p=none", NULL, EBADMSG },
	{ "p=none; v=DMARC1", NULL, EBADMSG },
	{ "", NULL, EBADMSG },
};

static void
test_records(void **state)
{
	struct buf b = BUF_INIT(DMARC_RECORD_MAX);
	struct dmarc_record r;
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(records); i++) {
		int n = dmarc_record_parse(bytes_str(records[i].text), &arena,
		    &r, &why);

		print_message("# A-5 %s\n", records[i].text);
		assert_int_equal(n, records[i].canonical == NULL ? -1 : 0);
		if (n == -1) {
			assert_int_equal(errno, records[i].err);
			assert_true(why[0] != '\0');
			continue;
		}
		buf_reset(&b);
		assert_int_equal(dmarc_record_format(&b, &r), 0);
		assert_int_equal(buf_addc(&b, '\0'), 0);
		assert_string_equal(b.p, records[i].canonical);
	}
	buf_free(&b);
	arena_reset(&arena);
}

static void
test_uri_sizes(void **state)
{
	struct dmarc_record r;
	const char *why;

	(void)state;
	assert_int_equal(dmarc_record_parse(BYTES("v=DMARC1; p=none; "
	    "rua=mailto:a@b.example!10M,mailto:c@b.example!7,"
	    "mailto:d@b.example"), &arena, &r, &why), 0);
	assert_int_equal(r.nrua, 3);
	assert_int_equal(r.rua[0].max_bytes, 10 << 20);
	assert_true(bytes_eq(r.rua[0].uri, BYTES("mailto:a@b.example")));
	assert_int_equal(r.rua[1].max_bytes, 7);
	assert_int_equal(r.rua[2].max_bytes, 0);
	arena_reset(&arena);
}

/* n tags, the version and p= among them. */
static int
parse_many(const char *format, size_t n, struct dmarc_record *r)
{
	struct buf b = BUF_INIT((size_t)1 << 20);
	const char *why;
	int result;

	assert_int_equal(buf_adds(&b, "v=DMARC1; p=none"), 0);
	for (size_t i = 2; i < n; i++) {
		assert_int_equal(buf_adds(&b, format), 0);
		assert_int_equal(buf_printf(&b, "%zu=1", i), 0);
	}
	result = dmarc_record_parse(arena_bytes(&arena, buf_bytes(&b)),
	    &arena, r, &why);
	buf_free(&b);
	return result;
}

static void
test_limits(void **state)
{
	unsigned char *text = arena_alloc(&arena, DMARC_RECORD_MAX + 1);
	struct buf b = BUF_INIT(DMARC_RECORD_MAX);
	struct dmarc_record r;
	const char *why;

	(void)state;
	assert_int_equal(parse_many("; t_", DMARC_TAGS_MAX, &r), 0);
	assert_int_equal(parse_many("; t_", DMARC_TAGS_MAX + 1, &r), -1);
	assert_int_equal(errno, EMSGSIZE);

	memset(text, 'x', DMARC_RECORD_MAX + 1);
	memcpy(text, "v=DMARC1; p=none; x=", 20);
	assert_int_equal(dmarc_record_parse(bytes_of(text, DMARC_RECORD_MAX),
	    &arena, &r, &why), 0);
	assert_int_equal(dmarc_record_parse(bytes_of(text,
	    DMARC_RECORD_MAX + 1), &arena, &r, &why), -1);
	assert_int_equal(errno, EMSGSIZE);

	assert_int_equal(buf_adds(&b, "v=DMARC1; p=none; rua="), 0);
	for (int i = 0; i < DMARC_URIS_MAX + 1; i++)
		assert_int_equal(buf_printf(&b, "%smailto:%d@b.example",
		    i > 0 ? "," : "", i), 0);
	assert_int_equal(dmarc_record_parse(buf_bytes(&b), &arena, &r, &why),
	    0);
	assert_int_equal(r.nrua, DMARC_URIS_MAX);
	buf_free(&b);
	arena_reset(&arena);
}

/* ---- DNS ---- */

/* "name text"; "TEMP", "BAD": how the look-up fails. */
static const char *const zone[] = {
	"_dmarc.example.com v=DMARC1; p=reject; sp=quarantine",
	"_dmarc.strict.example v=DMARC1; p=reject; adkim=s; aspf=s",
	"_dmarc.none.example v=DMARC1; p=none",
	"_dmarc.two.example v=DMARC1; p=none",
	"_dmarc.two.example v=DMARC1; p=reject",
	"_dmarc.sub.two.example something else",
	"_dmarc.mixed.example v=spf1 -all",
	"_dmarc.mixed.example v=DMARC1; p=quarantine",
	"_dmarc.half.example v=DMARC1; p=reject; pct=50",
	"_dmarc.never.example v=DMARC1; p=reject; pct=0",
	"_dmarc.bad.example v=DMARC1; p=junk",
	"_dmarc.sub.example.com v=DMARC1; p=junk",
	"_dmarc.wrong.example v=DMARC1; p=reject; p=none",
	"_dmarc.temp.example TEMP",
	"_dmarc.broken.example BAD",
	"_dmarc.t.example.com TEMP",
	"_dmarc.corp.co.uk v=DMARC1; p=reject",
	"_dmarc.co.uk v=DMARC1; p=reject",
	"_dmarc.xn--bcher-kva.example v=DMARC1; p=reject",
};
static const struct json *records_json;	/* instead of zone if not NULL */
static size_t asked;

static void
add(struct arena *a, struct dns_answer *out, struct bytes text)
{
	struct dns_record *r = arena_zalloc(a, out->nrecords + 1, sizeof(*r));

	if (out->nrecords > 0)
		memcpy(r, out->records, out->nrecords * sizeof(*r));
	r[out->nrecords] = (struct dns_record){ .type = DNS_TXT,
		.name = BYTES_EMPTY, .data = text };
	out->records = r;
	out->nrecords++;
}

static int
answer(void *ctx, struct arena *a, enum dns_type type, struct bytes name,
    struct dns_answer *out)
{
	const struct json *v;
	struct bytes line, owner;

	(void)ctx;
	assert_int_equal(type, DNS_TXT);
	asked++;
	*out = (struct dns_answer){ .name = name, .why = "",
		.authentic = true };
	if (records_json != NULL) {
		v = json_get(records_json, arena_str(a, name));
		for (v = v == NULL ? NULL : v->children; v != NULL;
		    v = v->next)
			add(a, out, v->text);
	}
	for (size_t i = 0; records_json == NULL && i < COUNT(zone); i++) {
		line = bytes_str(zone[i]);
		(void)bytes_split(&line, ' ', &owner);
		if (!dns_name_eq(owner, name))
			continue;
		if (bytes_eq(line, BYTES("TEMP")) ||
		    bytes_eq(line, BYTES("BAD"))) {
			out->status = line.p[0] == 'T' ? DNS_TEMP : DNS_BAD;
			out->why = "no usable answer";
			out->authentic = false;
			return 1;
		}
		add(a, out, line);
	}
	if (out->nrecords == 0)
		out->status = DNS_NXDOMAIN;
	return 1;
}

static void
check(struct dmarc_input *in, struct dmarc *out)
{
	struct dns_options o = { .source = { answer, NULL } };
	struct dns *d = dns_new(&o);

	asked = 0;
	dmarc_check(&arena, in, in->from.n == 0 ? NULL
	    : dmarc_find_start(d, &arena, in->from), out);
	dns_free(d);
}

/* "result domain", as in "pass example.org"; NULL: none. */
static struct dmarc_auth
auth(const char *text)
{
	struct dmarc_auth a = { DMARC_WORD_OTHER, BYTES_EMPTY };
	struct bytes s = bytes_str(text), word = BYTES_EMPTY;

	(void)bytes_split(&s, ' ', &word);
	if (bytes_eq(word, BYTES("pass")))
		a.word = DMARC_WORD_PASS;
	else if (bytes_eq(word, BYTES("temperror")))
		a.word = DMARC_WORD_TEMPERROR;
	a.domain = s;
	return a;
}

/* ---- the decision ---- */

static const struct {
	const char *from, *spf, *dkim, *dkim2;
	const char *result, *disposition, *alignment, *reason;
} decisions[] = {
	{ "example.com", "pass example.com", NULL, NULL,
	    "pass", "none", "strict", "" },
	{ "example.com", "pass EXAMPLE.com.", NULL, NULL,
	    "pass", "none", "strict", "" },
	{ "example.com", NULL, "pass mail.example.com", NULL,
	    "pass", "none", "dmarc", "" },
	{ "example.com", "fail example.com", "fail example.com", NULL,
	    "fail", "reject", "none", "" },
	{ "a.example.com", NULL, NULL, NULL,
	    "fail", "quarantine", "none", "" },
	{ "example.com", "pass notexample.com", NULL, NULL,
	    "fail", "reject", "none", "" },
	{ "example.com", NULL, "pass com", NULL,
	    "fail", "reject", "none", "" },
	{ "mail.corp.co.uk", "pass other.co.uk", NULL, NULL,
	    "fail", "reject", "none", "" },
	{ "mail.corp.co.uk", "pass corp.co.uk", NULL, NULL,
	    "pass", "none", "dmarc", "" },
	{ "strict.example", "pass a.strict.example",
	    "pass b.strict.example", NULL,
	    "fail", "reject", "relaxed", "" },
	{ "strict.example", NULL, "fail strict.example",
	    "pass strict.example", "pass", "none", "strict", "" },
	{ "none.example", NULL, NULL, NULL, "fail", "none", "none", "" },
	{ "mixed.example", NULL, NULL, NULL,
	    "fail", "quarantine", "none", "" },
	/* no record that is applied: the class is told all the same */
	{ "nodmarc.example", "pass nodmarc.example", NULL, NULL,
	    "none", "none", "strict", "" },
	{ "nodmarc.example", NULL, "pass a.nodmarc.example", NULL,
	    "none", "none", "relaxed", "" },
	{ "two.example", NULL, NULL, NULL,
	    "none", "none", "none", "several records" },
	{ "sub.two.example", NULL, NULL, NULL,
	    "none", "none", "none", "several records" },
	{ "bad.example", NULL, NULL, NULL,
	    "none", "none", "none", "p= is no policy" },
	/* one record at From ends the search, 6.6.3 step 5 */
	{ "sub.example.com", NULL, NULL, NULL,
	    "none", "none", "none", "p= is no policy" },
	{ "wrong.example", NULL, NULL, NULL,
	    "permerror", "none", "none", "a tag is there twice" },
	/* temperror never rejects */
	{ "temp.example", "fail temp.example", NULL, NULL,
	    "temperror", "none", "none", "no usable answer" },
	{ "broken.example", NULL, NULL, NULL,
	    "temperror", "none", "none", "no usable answer" },
	{ "t.example.com", NULL, NULL, NULL,
	    "temperror", "none", "none", "no usable answer" },
	{ "temp.example", "pass temp.example", NULL, NULL,
	    "temperror", "none", "strict", "no usable answer" },
	{ "example.com", "temperror example.com", NULL, NULL,
	    "temperror", "none", "none",
	    "SPF or DKIM could not be judged now" },
	{ "example.com", NULL, "temperror example.com", NULL,
	    "temperror", "none", "none",
	    "SPF or DKIM could not be judged now" },
	{ "example.com", "temperror example.com", "pass example.com", NULL,
	    "pass", "none", "strict", "" },
	{ "example.com", "temperror other.example", NULL, NULL,
	    "fail", "reject", "none", "" },
	{ "strict.example", "temperror a.strict.example", NULL, NULL,
	    "fail", "reject", "none", "" },
	{ "xn--bcher-kva.example", "pass b\xc3\xbc" "cher.example", NULL,
	    NULL, "pass", "none", "strict", "" },
	{ "", "pass example.com", NULL, NULL,
	    "none", "none", "none", "no From field" },
};

static void
test_decisions(void **state)
{
	struct dmarc_auth dkim[2];
	struct dmarc_input in;
	struct dmarc r;

	(void)state;
	for (size_t i = 0; i < COUNT(decisions); i++) {
		dkim[0] = auth(decisions[i].dkim);
		dkim[1] = auth(decisions[i].dkim2);
		in = (struct dmarc_input){ .dkim = dkim, .ndkim = 2,
		    .from = bytes_str(decisions[i].from),
		    .from_why = "no From field",
		    .spf = auth(decisions[i].spf) };
		check(&in, &r);
		print_message("# A-5 A-6 %zu: %s\n", i, decisions[i].from);
		assert_string_equal(dmarc_result_name(r.result),
		    decisions[i].result);
		assert_string_equal(dmarc_policy_name(r.disposition),
		    decisions[i].disposition);
		assert_string_equal(dmarc_alignment_name(r.alignment),
		    decisions[i].alignment);
		assert_string_equal(r.reason, decisions[i].reason);
		assert_true(asked <= 2);
	}
	arena_reset(&arena);
}

static enum dmarc_policy
drawn(const char *from, unsigned int draw, bool *sampled_out)
{
	struct dmarc_input in = { .from = bytes_str(from), .draw = draw,
		.spf = { DMARC_WORD_OTHER, BYTES_EMPTY } };
	struct dmarc r;

	check(&in, &r);
	assert_int_equal(r.result, DMARC_FAIL);
	assert_int_equal(r.policy, DMARC_POLICY_REJECT);
	*sampled_out = r.sampled_out;
	return r.disposition;
}

static void
test_pct(void **state)
{
	unsigned int low = 0;
	bool out;

	(void)state;
	assert_int_equal(drawn("half.example", 0, &out), DMARC_POLICY_REJECT);
	assert_int_equal(drawn("half.example", 49, &out),
	    DMARC_POLICY_REJECT);
	assert_false(out);
	assert_int_equal(drawn("half.example", 50, &out), DMARC_POLICY_NONE);
	assert_true(out);
	assert_int_equal(drawn("never.example", 0, &out), DMARC_POLICY_NONE);
	assert_int_equal(drawn("example.com", 99, &out), DMARC_POLICY_REJECT);
	/* the draw spreads evenly, and is the same for the same id */
	for (unsigned int i = 0; i < 2000; i++) {
		struct bytes id = bytes_str(arena_printf(&arena, "id%u", i));

		assert_true(dmarc_draw(id) < 100);
		assert_int_equal(dmarc_draw(id), dmarc_draw(id));
		low += dmarc_draw(id) < 50;
	}
	assert_in_range(low, 900, 1100);
	arena_reset(&arena);
}

/* ---- From ---- */

static const struct {
	const char *message, *domain, *why;
} froms[] = {
	{ "From: a@Example.COM\n\n", "example.com", "" },
	{ "Subject: x\nfrom : Name <a@b.example>\n\nFrom: c@d.example\n",
	    "b.example", "" },
	{ "From: \"x@fake.example\" <a@real.example>\n\n", "real.example",
	    "" },
	{ "From: (c@d.example)\n\ta@b.example\n\n", "b.example", "" },
	{ "From: a@b\xc3\xbc" "cher.example\n\n", "xn--bcher-kva.example",
	    "" },
	{ "From: a..b@b.example\n\n", "b.example", "" },
	{ "Subject: x\n\n", NULL, "no From field" },
	{ "From: a@b.example\nFrom: a@b.example\n\n", NULL,
	    "several From fields" },
	{ "From: a@b.example, c@d.example\n\n", NULL,
	    "several addresses in From" },
	{ "From: group:a@b.example,c@b.example;\n\n", NULL,
	    "several addresses in From" },
	/* what other readers take for the address is another one */
	{ "From: a@b.example <c@d.example>\n\n", NULL,
	    "several addresses in From" },
	{ "From: <a@b.example> (<c@d.example>\n\n", NULL,
	    "several addresses in From" },
	{ "From: a@b.example and more\n\n", "b.example", "" },
	{ "From:\n\n", NULL, "no address in From" },
	{ "From: undisclosed:;\n\n", NULL, "no address in From" },
	{ "From: a@[192.0.2.1]\n\n", NULL, "no domain name in From" },
	{ "From: a@b_c!.example\n\n", NULL, "no domain name in From" },
};

static void
test_from(void **state)
{
	struct bytes domain;
	const char *why;
	int n;

	(void)state;
	for (size_t i = 0; i < COUNT(froms); i++) {
		print_message("# From %zu\n", i);
		domain = BYTES_EMPTY;
		why = "";
		n = dmarc_from_domain(&arena, bytes_str(froms[i].message),
		    &domain, &why);
		assert_string_equal(why, froms[i].why);
		assert_int_equal(n, froms[i].domain == NULL ? -1 : 0);
		assert_true(bytes_eq(domain, bytes_str(froms[i].domain)));
	}
	arena_reset(&arena);
}

/* ---- reading back ---- */

static void
test_reading(void **state)
{
	struct bytes info[5] = {
		BYTES("spf=pass (with dnssec) smtp.mailfrom=\"a b\"@m.example"),
		BYTES("dkim=fail reason=\"x; y\" header.d=one.example"),
		BYTES("dkim=temperror header.d=two.example header.s=s"),
		BYTES("dkim=none"),
	};
	struct buf b = BUF_INIT(4096);
	struct dmarc_facts facts;
	struct dmarc_input in;
	struct dmarc r;

	(void)state;
	dmarc_read_auth(&arena, info, 4, &in);
	assert_int_equal(in.spf.word, DMARC_WORD_PASS);
	assert_true(bytes_eq(in.spf.domain, BYTES("m.example")));
	assert_int_equal(in.ndkim, 2);
	assert_int_equal(in.dkim[0].word, DMARC_WORD_OTHER);
	assert_int_equal(in.dkim[1].word, DMARC_WORD_TEMPERROR);
	assert_true(bytes_eq(in.dkim[1].domain, BYTES("two.example")));
	assert_false(dmarc_read_facts(&arena, info, 4, &facts));
	/* what one writes the other reads */
	for (unsigned int i = 0; i <= DMARC_ALIGNED_STRICT; i++) {
		r = (struct dmarc){ .result = DMARC_FAIL, .reason = "why",
		    .from = BYTES("f.example"),
		    .disposition = DMARC_POLICY_REJECT,
		    .alignment = (enum dmarc_alignment)i };
		buf_reset(&b);
		assert_int_equal(dmarc_format_resinfo(&b, &r), 0);
		info[4] = buf_bytes(&b);
		assert_true(dmarc_read_facts(&arena, info, 5, &facts));
		assert_int_equal(facts.result, DMARC_FAIL);
		assert_int_equal(facts.disposition, DMARC_POLICY_REJECT);
		assert_int_equal(facts.alignment, i);
		assert_true(bytes_eq(facts.from, BYTES("f.example")));
	}
	assert_int_equal(facts.arc_instance, 0);
	dmarc_set_vouched(&r, 3);
	buf_reset(&b);
	assert_int_equal(dmarc_format_resinfo(&b, &r), 0);
	info[4] = buf_bytes(&b);
	assert_true(dmarc_read_facts(&arena, info, 5, &facts));
	assert_int_equal(facts.result, DMARC_FAIL);
	assert_int_equal(facts.disposition, DMARC_POLICY_NONE);
	assert_int_equal(facts.arc_instance, 3);
	buf_free(&b);
	arena_reset(&arena);
}

/* ---- ../shared/data/dmarc ---- */

/* A member that is absent may hold anything. */
static void
expect_text(const struct json *v, const char *key, const char *is)
{
	const struct json *want = json_get(v, key);

	if (want != NULL)
		assert_string_equal(arena_str(&arena, want->text), is);
}

static void
expect_list(const struct json *v, const char *key, const struct bytes *is,
    size_t n)
{
	const struct json *want = json_get(v, key), *item;
	size_t i = 0;

	if (want == NULL)
		return;
	for (item = want->children; item != NULL; item = item->next) {
		assert_true(i < n);
		assert_true(bytes_eq(item->text, is[i++]));
	}
	assert_int_equal(i, n);
}

static void
compare_lists(const struct json *v, const struct dmarc_record *r)
{
	struct bytes list[DMARC_URIS_MAX];
	size_t n = 0;

	for (unsigned int i = 0; i < 4; i++) {
		if ((r->failure_options >> i & 1) != 0)
			list[n++] = bytes_of(&"01ds"[i], 1);
	}
	expect_list(v, "fo", list, n);
	for (n = 0; n < r->nrua; n++)
		list[n] = r->rua[n].text;
	expect_list(v, "rua", list, n);
}

static void
compare_record(const struct json *v, const struct dmarc_record *r)
{
	expect_text(v, "p", dmarc_policy_name(r->p));
	expect_text(v, "sp", dmarc_policy_name(r->sp));
	expect_text(v, "np", dmarc_policy_name(r->np));
	expect_text(v, "adkim", r->strict_dkim ? "s" : "r");
	expect_text(v, "aspf", r->strict_spf ? "s" : "r");
	expect_text(v, "pct", arena_printf(&arena, "%u", r->pct));
	expect_text(v, "ri", arena_printf(&arena, "%lu",
	    (unsigned long)r->interval_seconds));
	expect_text(v, "psd", arena_printf(&arena, "%c", r->psd));
	expect_text(v, "t", r->testing ? "y" : "n");
	compare_lists(v, r);
}

static void
test_data_records(void **state)
{
	struct dmarc_record r;
	struct bytes text, valid;
	const struct json *v;
	const char *why;
	size_t n = 0;

	(void)state;
	if (!vectors_read(&arena, "dmarc/records.json", &text))
		return;
	for (v = json_parse(&arena, text, false)->children; v != NULL;
	    v = v->next, n++) {
		int got = dmarc_record_parse(json_text(v, "record"), &arena,
		    &r, &why);

		print_message("# A-5 record %.*s\n",
		    BYTES_ARG(json_text(v, "id")));
		valid = json_text(v, "valid");
		if (bytes_eq(valid, BYTES("null")))
			continue;
		assert_int_equal(got, bytes_eq(valid, BYTES("true")) ? 0 : -1);
		if (got == 0)
			compare_record(v, &r);
	}
	assert_true(n > 10);
	arena_reset(&arena);
}

static struct dmarc_auth
auth_json(const struct json *v, const char *key)
{
	struct bytes result = json_text(v, "result");

	return (struct dmarc_auth){
		bytes_eq(result, BYTES("pass")) ? DMARC_WORD_PASS
		    : bytes_eq(result, BYTES("temperror"))
		    ? DMARC_WORD_TEMPERROR : DMARC_WORD_OTHER,
		json_text(v, key) };
}

static void
run_case(const struct json *v)
{
	struct dmarc_auth dkim[32];
	struct dmarc_input in = { .from = json_text(v, "from"),
		.dkim = dkim };
	const struct json *d;
	struct dmarc r;

	in.spf = auth_json(json_get(v, "spf"), "domain");
	for (d = json_get(v, "dkim")->children; d != NULL; d = d->next)
		dkim[in.ndkim++] = auth_json(d, "d");
	print_message("# A-5 case %.*s: %.*s\n", BYTES_ARG(json_text(v, "id")),
	    BYTES_ARG(json_text(v, "why")));
	check(&in, &r);
	assert_string_equal(dmarc_result_name(r.result),
	    arena_str(&arena, json_text(v, "result")));
	assert_string_equal(dmarc_policy_name(r.disposition),
	    arena_str(&arena, json_text(v, "disp")));
}

static void
test_data_cases(void **state)
{
	const struct json *all, *v;
	struct bytes text;
	size_t n = 0;

	(void)state;
	if (!vectors_read(&arena, "dmarc/evaluate.json", &text))
		return;
	all = json_parse(&arena, text, false);
	records_json = json_get(all, "dns_txt");
	for (v = json_get(all, "cases")->children; v != NULL; v = v->next, n++)
		run_case(v);
	records_json = NULL;
	assert_true(n > 5);
	arena_reset(&arena);
}

#define T(name, f) { name, f, NULL, NULL, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("A-5 records in their forms", test_records),
		T("A-5 size limits of report addresses", test_uri_sizes),
		T("A-5 a record at its limits and past them", test_limits),
		T("A-5 A-6 A-9 the decision and the class", test_decisions),
		T("A-5 pct= samples, the same id the same way", test_pct),
		T("A-5 the From domain", test_from),
		T("A-8 results are read back", test_reading),
		T("A-5 records.json", test_data_records),
		T("A-5 evaluate.json", test_data_cases),
	};
	int r;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return r;
}
