/* mtasts_test.c - records, policies, patterns, decisions, cache, answers */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "mtasts/mtasts.h"

#define B(lit) BYTES(lit)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW INT64_C(1800000000)
#define DAY 86400
#define ID32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct arena arena;

static int
reset(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* ---- records ---- */

static void
test_record(void **state)
{
	static const struct {
		const char *text, *id;	/* id NULL: refused */
		int err;
		size_t fields;
	} all[] = {
		{ "v=STSv1; id=20160831085700Z;", "20160831085700Z", 0, 0 },
		{ "v=STSv1;id=abc123", "abc123", 0, 0 },
		{ "v=STSv1 \t;\t id=a \t; ", "a", 0, 0 },
		{ "v=STSv1; id=1; ext=val", "1", 0, 1 },
		{ "v=STSv1; a.b-c_d=x:y; id=1; e=f;", "1", 0, 2 },
		{ "v=STSv1; id=" ID32, ID32, 0, 0 },
		{ "v=STSv1; id=" ID32 "a", NULL, EBADMSG, 0 },
		{ "v=STSv1;", NULL, EBADMSG, 0 },
		{ "v=STSv1; ext=val", NULL, EBADMSG, 0 },
		{ "v=STSv1; id=", NULL, EBADMSG, 0 },
		{ "v=STSv1; id=a b", NULL, EBADMSG, 0 },
		{ "v=STSv1; id=a-b", NULL, EBADMSG, 0 },
		{ "v=STSv1; id=1; id=2", NULL, EBADMSG, 0 },
		{ "v=STSv1; foo; id=1", NULL, EBADMSG, 0 },
		{ "v=STSv1;; id=1", NULL, EBADMSG, 0 },
		{ "v=STSv1; ID=1", NULL, EBADMSG, 1 },
		{ "v=STSv1; id=1; _x=1", NULL, EBADMSG, 0 },
		{ "v=STSv1; id=1; x=a=b", NULL, EBADMSG, 0 },
		{ "v=STSv1; id=1; x=", NULL, EBADMSG, 0 },
		{ "v=STSv1; id=1; x=\x7f", NULL, EBADMSG, 0 },
		{ "v=STSv1; id=1; " ID32 "=x", "1", 0, 1 },
		{ "v=STSv1; id=1; " ID32 "a=x", NULL, EBADMSG, 0 },
		{ "v=STSv1", NULL, ENOENT, 0 },
		{ "v=STSv10; id=1", NULL, ENOENT, 0 },
		{ "v=stsv1; id=1", NULL, ENOENT, 0 },
		{ " v=STSv1; id=1", NULL, ENOENT, 0 },
		{ "id=1; v=STSv1", NULL, ENOENT, 0 },
		{ "", NULL, ENOENT, 0 },
	};
	struct mtasts_record r;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		int got = mtasts_record_parse(bytes_str(all[i].text), &arena,
		    &r, &why);

		if ((got == 0) != (all[i].id != NULL))
			fail_msg("%s: %d", all[i].text, got);
		if (got == -1) {
			assert_int_equal(errno, all[i].err);
			assert_true(why[0] != '\0');
			continue;
		}
		assert_true(bytes_eq(r.id, bytes_str(all[i].id)));
		assert_int_equal(r.nfields, all[i].fields);
	}
}

/* ---- policies ---- */

#define HEAD "version: STSv1\nmode: enforce\n"
#define TAIL "mx: a.example\nmax_age: 5\n"

static void
test_policy(void **state)
{
	static const struct {
		const char *text;
		const char *why;	/* NULL: valid */
		enum mtasts_mode mode;
		uint32_t age;
		size_t mx, fields;
	} all[] = {
		{ HEAD TAIL, NULL, MTASTS_ENFORCE, 5, 1, 0 },
		{ "version: STSv1\r\nmode: testing\r\nmx: *.b.example\r\n"
		    "mx: a\r\nmax_age: 604800\r\n", NULL, MTASTS_TESTING,
		    604800, 2, 0 },
		{ "version: STSv1\nmode: none\nmax_age: 0", NULL, MTASTS_NONE,
		    0, 0, 0 },
		{ "max_age:1\nmx:a\nmode:enforce\nversion:STSv1", NULL,
		    MTASTS_ENFORCE, 1, 1, 0 },
		{ HEAD "mode: none\n" TAIL, NULL, MTASTS_ENFORCE, 5, 1, 0 },
		{ HEAD TAIL "max_age: 7\nversion: STSv2\n", NULL,
		    MTASTS_ENFORCE, 5, 1, 0 },
		{ HEAD "\n" TAIL "\r\n", NULL, MTASTS_ENFORCE, 5, 1, 0 },
		{ HEAD "x-y: some \xc3\xbc text\n" TAIL, NULL,
		    MTASTS_ENFORCE, 5, 1, 1 },
		{ HEAD "mx: A.Example \t\nmax_age: 5 \n", NULL,
		    MTASTS_ENFORCE, 5, 1, 0 },
		{ HEAD "mx: a\nmax_age: 31557600\n", NULL, MTASTS_ENFORCE,
		    31557600, 1, 0 },
		{ HEAD "mx: a\nmax_age: 31557601\n", NULL, MTASTS_ENFORCE,
		    31557600, 1, 0 },
		{ HEAD "mx: a\nmax_age: 9999999999\n", NULL, MTASTS_ENFORCE,
		    31557600, 1, 0 },
		{ HEAD "mx: a\nmax_age: 10000000000\n",
		    "max_age is not 1 to 10 digits", 0, 0, 0, 0 },
		{ HEAD "mx: a\nmax_age: -1\n",
		    "max_age is not 1 to 10 digits", 0, 0, 0, 0 },
		{ HEAD "mx: a\n", "there is no max_age", 0, 0, 0, 0 },
		{ HEAD "max_age: 1\n", "there is no mx", 0, 0, 0, 0 },
		{ "mode: none\nmax_age: 1\n", "there is no version", 0, 0, 0,
		    0 },
		{ "version: STSv1\nmax_age: 1\nmx: a\n", "there is no mode",
		    0, 0, 0, 0 },
		{ "", "there is no version", 0, 0, 0, 0 },
		{ "version: STSv2\n", "the version is not STSv1", 0, 0, 0,
		    0 },
		{ "version: STSv1\nmode: Enforce\n" TAIL,
		    "the mode is not one of enforce, testing, none", 0, 0, 0,
		    0 },
		{ "Version: STSv1\nmode: none\nmax_age: 1\n",
		    "there is no version", 0, 0, 0, 0 },
		{ HEAD "text\n" TAIL, "a line has no \":\"", 0, 0, 0, 0 },
		{ HEAD " mx: a\n" TAIL,
		    "the name of a field is malformed", 0, 0, 0, 0 },
		{ HEAD "x:\n" TAIL, "the value of a field is malformed", 0,
		    0, 0, 0 },
		{ HEAD "x: \xff\n" TAIL, "the value of a field is malformed",
		    0, 0, 0, 0 },
		{ HEAD "x: a\rb\n" TAIL, "the value of a field is malformed",
		    0, 0, 0, 0 },
	};
	struct mtasts_policy p;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		int got = mtasts_policy_parse(bytes_str(all[i].text), &arena,
		    &p, &why);

		if ((got == 0) != (all[i].why == NULL))
			fail_msg("%s: %d %s", all[i].text, got,
			    got == 0 ? "" : why);
		if (got == -1) {
			assert_string_equal(why, all[i].why);
			continue;
		}
		assert_int_equal(p.mode, all[i].mode);
		assert_int_equal(p.max_age_seconds, all[i].age);
		assert_int_equal(p.nmx, all[i].mx);
		assert_int_equal(p.nfields, all[i].fields);
	}
}

static void
test_mx_values(void **state)
{
	static const struct {
		const char *mx;
		bool valid;
	} all[] = {
		{ "a", true }, { "a-b.example", true }, { "*.example", true },
		{ "xn--mnchen-3ya.example", true }, { "1.example", true },
		{ "*", false }, { "*.", false }, { "mail.*.example", false },
		{ "*.*.example", false }, { "**.example", false },
		{ "*a.example", false }, { "a..b", false }, { ".a", false },
		{ "a.", false }, { "-a.example", false }, { "a-.b", false },
		{ "m\xc3\xbcnchen.example", false }, { "a b", false },
		{ "a_b.example", false },
		{ ID32 ID32, false },	/* 64 bytes */
	};
	struct mtasts_policy p;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		char *text = arena_printf(&arena, HEAD "mx: %s\nmax_age: 1",
		    all[i].mx);

		if ((mtasts_policy_parse(bytes_str(text), &arena, &p,
		    &why) == 0) != all[i].valid)
			fail_msg("%s", all[i].mx);
	}
	assert_int_equal(mtasts_policy_parse(BYTES(HEAD "max_age: 1\nmx: "
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	    &arena, &p, &why), 0);
}

static void
test_policy_limits(void **state)
{
	struct buf text = BUF_INIT(2 * MTASTS_POLICY_MAX);
	struct mtasts_policy p;
	const char *why = "";
	int i;

	(void)state;
	buf_adds(&text, HEAD "max_age: 1\n");
	for (i = 0; i < MTASTS_MX_MAX; i++)
		buf_adds(&text, "mx: a\n");
	assert_int_equal(mtasts_policy_parse(buf_bytes(&text), &arena, &p,
	    &why), 0);
	assert_int_equal(p.nmx, MTASTS_MX_MAX);
	buf_adds(&text, "mx: a\n");
	assert_int_equal(mtasts_policy_parse(buf_bytes(&text), &arena, &p,
	    &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_reset(&text);
	buf_adds(&text, HEAD TAIL "x: ");
	while (text.n < MTASTS_POLICY_MAX)
		buf_addc(&text, 'y');
	assert_int_equal(mtasts_policy_parse(buf_bytes(&text), &arena, &p,
	    &why), 0);
	buf_addc(&text, 'y');
	assert_int_equal(mtasts_policy_parse(buf_bytes(&text), &arena, &p,
	    &why), -1);
	assert_string_equal(why, "it is larger than 64 KiB");
	buf_reset(&text);
	buf_adds(&text, HEAD TAIL);
	for (i = 0; i < 1995; i++)
		buf_adds(&text, "\n");
	assert_int_equal(mtasts_policy_parse(buf_bytes(&text), &arena, &p,
	    &why), 0);
	buf_adds(&text, "\n");
	assert_int_equal(mtasts_policy_parse(buf_bytes(&text), &arena, &p,
	    &why), -1);
	buf_free(&text);
}

static void
test_match(void **state)
{
	static const struct {
		const char *pattern, *host;
		bool match;
	} all[] = {
		{ "mail.example.com", "mail.example.com", true },
		{ "mail.example.com", "MAIL.Example.Com.", true },
		{ "mail.example.com", "xmail.example.com", false },
		{ "mail.example.com", "mail.example.org", false },
		{ "mail.example.com", "", false },
		{ "*.example.com", "mail.example.com", true },
		{ "*.example.com", "a.b.example.com", false },
		{ "*.example.com", "example.com", false },
		{ "*.example.com", ".example.com", false },
		{ "*.example.com", "mail.example.com.evil", false },
		{ "*.example.com", "*.example.com", true },
		{ "*.example", "a.example.", true },
		{ "xn--mnchen-3ya.example", "m\xc3\xbcnchen.example", true },
		{ "*.xn--mnchen-3ya.example", "a.M\xc3\x9cnchen.example",
		    true },
		{ "a.example", "\xff.example", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		if (mtasts_pattern_match(bytes_str(all[i].pattern),
		    bytes_str(all[i].host)) != all[i].match)
			fail_msg("%s %s", all[i].pattern, all[i].host);
	}
}

/* ---- decisions ---- */

struct host {
	const char *text;	/* NULL: the fetch fails */
	int fetches;
};

static int
fetch(void *ctx, struct arena *a, struct bytes domain, struct bytes *text,
    enum tlsresult *result, const char **why)
{
	struct host *h = ctx;

	(void)a;
	(void)domain;
	h->fetches++;
	if (h->text == NULL) {
		*result = TLSRESULT_STS_WEBPKI_INVALID;
		*why = "wrong certificate";
		return -1;
	}
	*text = bytes_str(h->text);
	return 0;
}

#define ENFORCE "version: STSv1\r\nmode: enforce\r\nmx: a\r\nmax_age: 86400\r\n"
#define TESTING "version: STSv1\nmode: testing\nmx: a\nmax_age: 86400\n"
#define NONE "version: STSv1\nmode: none\nmax_age: 86400\n"
#define BROKEN "version: STSv1\n"

static struct mtasts_entry
entry(const char *id, const char *text)
{
	return (struct mtasts_entry){ .has_policy = text != NULL,
	    .id = bytes_str(id), .text = bytes_str(text),
	    .fetched = NOW - 100, .valid_end = NOW - 100 + DAY,
	    .last_used = NOW - 100 };
}

static void
test_decide(void **state)
{
	enum { X = -1, ENF = MTASTS_ENFORCE, TST = MTASTS_TESTING };
	static const struct {
		const char *name;
		const char *cached;	/* text of id "1"; NULL: none */
		int64_t end, failed, used;	/* after NOW */
		enum mtasts_txt txt;
		const char *id, *host;
		enum mtasts_verdict verdict;
		int mode, fetches;
		enum tlsresult result;
		bool store;
	} all[] = {
		{ "first", NULL, 0, 0, 0, MTASTS_TXT_FOUND, "1", ENFORCE,
		    MTASTS_POLICY, ENF, 1, 0, true },
		{ "none", NULL, 0, 0, 0, MTASTS_TXT_NONE, "", ENFORCE,
		    MTASTS_ABSENT, X, 0, 0, false },
		{ "malformed record", NULL, 0, 0, 0, MTASTS_TXT_INVALID, "",
		    ENFORCE, MTASTS_ABSENT, X, 0,
		    TLSRESULT_STS_POLICY_INVALID, false },
		{ "DNS fails", NULL, 0, 0, 0, MTASTS_TXT_TEMP, "", ENFORCE,
		    MTASTS_DEFER, X, 0, 0, false },
		{ "fetch fails", NULL, 0, 0, 0, MTASTS_TXT_FOUND, "1", NULL,
		    MTASTS_ABSENT, X, 1, TLSRESULT_STS_WEBPKI_INVALID,
		    true },
		{ "malformed policy", NULL, 0, 0, 0, MTASTS_TXT_FOUND, "1",
		    BROKEN, MTASTS_ABSENT, X, 1,
		    TLSRESULT_STS_POLICY_INVALID, true },
		{ "backing off", "", 0, -299, 0, MTASTS_TXT_FOUND, "1",
		    ENFORCE, MTASTS_ABSENT, X, 0,
		    TLSRESULT_STS_POLICY_FETCH_ERROR, false },
		{ "backed off", "", 0, -300, 0, MTASTS_TXT_FOUND, "1",
		    ENFORCE, MTASTS_POLICY, ENF, 1, 0, true },
		{ "failure in the future", "", 0, 10, 0, MTASTS_TXT_FOUND,
		    "1", ENFORCE, MTASTS_POLICY, ENF, 1, 0, true },
		{ "same id", ENFORCE, 1, 0, 0, MTASTS_TXT_FOUND, "1",
		    TESTING, MTASTS_POLICY, ENF, 0, 0, false },
		{ "same id, used an hour ago", ENFORCE, 1, 0, -3600,
		    MTASTS_TXT_FOUND, "1", TESTING, MTASTS_POLICY, ENF, 0, 0,
		    true },
		{ "past its end", ENFORCE, 0, 0, 0, MTASTS_TXT_FOUND, "1",
		    TESTING, MTASTS_POLICY, TST, 1, 0, true },
		{ "past its end, record gone", ENFORCE, 0, 0, 0,
		    MTASTS_TXT_NONE, "", TESTING, MTASTS_ABSENT, X, 0, 0,
		    false },
		{ "past its end, DNS fails", ENFORCE, 0, 0, 0,
		    MTASTS_TXT_TEMP, "", TESTING, MTASTS_DEFER, X, 0, 0,
		    false },
		{ "record gone", ENFORCE, 1, 0, 0, MTASTS_TXT_NONE, "",
		    TESTING, MTASTS_POLICY, ENF, 0,
		    TLSRESULT_STS_POLICY_FETCH_ERROR, false },
		{ "record malformed", ENFORCE, 1, 0, 0, MTASTS_TXT_INVALID,
		    "", TESTING, MTASTS_POLICY, ENF, 0,
		    TLSRESULT_STS_POLICY_INVALID, false },
		{ "DNS fails, cached", ENFORCE, 1, 0, 0, MTASTS_TXT_TEMP, "",
		    TESTING, MTASTS_POLICY, ENF, 0,
		    TLSRESULT_STS_POLICY_FETCH_ERROR, false },
		{ "new id", ENFORCE, 1, 0, 0, MTASTS_TXT_FOUND, "2", TESTING,
		    MTASTS_POLICY, TST, 1, 0, true },
		{ "new id, fetch fails", ENFORCE, 1, 0, 0, MTASTS_TXT_FOUND,
		    "2", NULL, MTASTS_POLICY, ENF, 1,
		    TLSRESULT_STS_WEBPKI_INVALID, true },
		{ "new id, malformed", ENFORCE, 1, 0, 0, MTASTS_TXT_FOUND,
		    "2", BROKEN, MTASTS_POLICY, ENF, 1,
		    TLSRESULT_STS_POLICY_INVALID, true },
		{ "new id, backing off", ENFORCE, 1, -299, 0,
		    MTASTS_TXT_FOUND, "2", TESTING, MTASTS_POLICY, ENF, 0,
		    TLSRESULT_STS_POLICY_FETCH_ERROR, false },
		{ "damaged cache", "nonsense", 1, 0, 0, MTASTS_TXT_FOUND,
		    "1", ENFORCE, MTASTS_POLICY, ENF, 1, 0, true },
	};
	struct mtasts_decision d;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		struct host h = { all[i].host, 0 };
		struct mtasts_entry e = entry("1", all[i].cached);
		struct mtasts_input in = { .domain = B("a.example"),
		    .now = NOW, .txt = all[i].txt, .txt_why = "because",
		    .id = bytes_str(all[i].id) };

		e.has_policy = e.text.n > 0;
		e.valid_end = NOW + all[i].end;
		e.failed = all[i].failed == 0 ? 0 : NOW + all[i].failed;
		e.last_used = NOW + all[i].used;
		in.cached = all[i].cached == NULL ? NULL : &e;
		mtasts_decide(&in, fetch, &h, &arena, &d);
		if (d.verdict != all[i].verdict ||
		    h.fetches != all[i].fetches ||
		    d.result != all[i].result || d.store != all[i].store ||
		    (all[i].mode != X && (int)d.policy.mode != all[i].mode))
			fail_msg("%s: verdict %d mode %d fetches %d result "
			    "%s store %d", all[i].name, d.verdict,
			    d.policy.mode, h.fetches,
			    tlsresult_name(d.result), d.store);
		if (d.result != TLSRESULT_SUCCESS)
			assert_true(d.why[0] != '\0');
	}
}

/* What is kept after a fetch, and after one that failed. */
static void
test_kept(void **state)
{
	struct host h = { ENFORCE, 0 };
	struct mtasts_entry e = entry("1", ENFORCE);
	struct mtasts_input in = { .domain = B("a.example"), .now = NOW,
	    .txt = MTASTS_TXT_FOUND, .id = B("1") };
	struct mtasts_decision d;

	(void)state;
	mtasts_decide(&in, fetch, &h, &arena, &d);
	assert_true(d.entry.has_policy);
	assert_true(bytes_eq(d.entry.id, B("1")));
	assert_true(bytes_eq(d.entry.text, B(ENFORCE)));
	assert_int_equal(d.entry.fetched, NOW);
	assert_int_equal(d.entry.valid_end, NOW + DAY);
	assert_int_equal(d.entry.last_used, NOW);
	assert_int_equal(d.entry.failed, 0);
	h.text = NULL;
	mtasts_decide(&in, fetch, &h, &arena, &d);
	assert_false(d.entry.has_policy);
	assert_int_equal(d.entry.failed, NOW);
	in.cached = &e;
	in.id = B("2");
	mtasts_decide(&in, fetch, &h, &arena, &d);
	assert_true(d.entry.has_policy);
	assert_true(bytes_eq(d.entry.id, B("1")));
	assert_int_equal(d.entry.failed, NOW);
	assert_int_equal(d.entry.valid_end, e.valid_end);
}

static void
test_refresh(void **state)
{
	static const struct {
		const char *name, *cached;
		int64_t age, unused;
		enum mtasts_txt txt;
		const char *id, *host;
		enum mtasts_care care;
		int fetches;
		int64_t end;		/* after NOW; 0: as it was */
		bool failed;
	} all[] = {
		{ "fresh", ENFORCE, 12 * 3600 - 1, 0, MTASTS_TXT_FOUND, "2",
		    ENFORCE, MTASTS_KEEP, 0, 0, false },
		{ "same id", ENFORCE, 12 * 3600, 0, MTASTS_TXT_FOUND, "1",
		    TESTING, MTASTS_STORE, 0, DAY, false },
		{ "new id", ENFORCE, DAY, 0, MTASTS_TXT_FOUND, "2", TESTING,
		    MTASTS_STORE, 1, DAY, false },
		{ "new id, fetch fails", ENFORCE, DAY, 0, MTASTS_TXT_FOUND,
		    "2", NULL, MTASTS_STORE, 1, 0, true },
		{ "record gone, enforced", ENFORCE, DAY, 0, MTASTS_TXT_NONE,
		    "", ENFORCE, MTASTS_STORE, 1, DAY, false },
		{ "record gone, mode none", NONE, DAY, 0, MTASTS_TXT_NONE,
		    "", NONE, MTASTS_DELETE, 0, 0, false },
		{ "DNS fails, mode none", NONE, DAY, 0, MTASTS_TXT_TEMP, "",
		    NONE, MTASTS_STORE, 1, DAY, false },
		{ "unused", ENFORCE, DAY, (int64_t)180 * DAY,
		    MTASTS_TXT_FOUND, "1", ENFORCE, MTASTS_DELETE, 0, 0,
		    false },
		{ "nearly unused", ENFORCE, DAY, (int64_t)180 * DAY - 1,
		    MTASTS_TXT_FOUND, "1", ENFORCE, MTASTS_STORE, 0, DAY,
		    false },
		{ "a failure only", NULL, DAY, 0, MTASTS_TXT_FOUND, "1",
		    ENFORCE, MTASTS_DELETE, 0, 0, false },
		{ "clock went back", ENFORCE, -10, 0, MTASTS_TXT_FOUND, "1",
		    ENFORCE, MTASTS_STORE, 0, DAY, false },
	};
	struct mtasts_entry out;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		struct host h = { all[i].host, 0 };
		struct mtasts_entry e = entry("1", all[i].cached);
		struct mtasts_input in = { .domain = B("a.example"),
		    .now = NOW, .cached = &e, .txt = all[i].txt,
		    .txt_why = "because", .id = bytes_str(all[i].id) };
		enum mtasts_care care;

		e.fetched = NOW - all[i].age;
		e.last_used = NOW - all[i].unused;
		out = e;
		care = mtasts_refresh(&in, fetch, &h, &arena, &out, &why);
		if (care != all[i].care || h.fetches != all[i].fetches ||
		    (out.failed == NOW) != all[i].failed)
			fail_msg("%s: care %d fetches %d", all[i].name, care,
			    h.fetches);
		assert_int_equal(out.valid_end, all[i].end == 0
		    ? e.valid_end : NOW + all[i].end);
		assert_int_equal(out.last_used, e.last_used);
	}
}

/* ---- the cache ---- */

static int
count(void *ctx, struct bytes domain, const struct mtasts_entry *e)
{
	struct mtasts_cache *c = ((void **)ctx)[0];
	struct buf *seen = ((void **)ctx)[1];

	assert_true(e->has_policy);
	buf_printf(seen, "%.*s ", BYTES_ARG(domain));
	/* the callback may change the cache */
	if (bytes_eq(domain, B("b.example")))
		assert_int_equal(mtasts_cache_delete(c, domain), 1);
	return 0;
}

static void
test_cache(void **state)
{
	char dir[] = "/tmp/mtasts_test.XXXXXX", path[64];
	struct mtasts_entry e = entry("id9", ENFORCE), got;
	struct mtasts_cache *c;
	struct buf seen = BUF_INIT(1000);
	void *ctx[2];
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	c = mtasts_cache_open(dir);
	assert_non_null(c);
	assert_int_equal(mtasts_cache_get(c, &arena, B("a.example"), &got),
	    0);
	e.failed = NOW - 7;
	assert_int_equal(mtasts_cache_put(c, B("A.example"), &e), 0);
	assert_int_equal(mtasts_cache_put(c, B("b.example"), &e), 0);
	assert_int_equal(mtasts_cache_put(c, B("c.example"), &e), 0);
	assert_int_equal(mtasts_cache_get(c, &arena, B("a.EXAMPLE"), &got),
	    1);
	assert_true(got.has_policy && bytes_eq(got.id, e.id));
	assert_true(bytes_eq(got.text, e.text));
	assert_int_equal(got.fetched, e.fetched);
	assert_int_equal(got.valid_end, e.valid_end);
	assert_int_equal(got.last_used, e.last_used);
	assert_int_equal(got.failed, e.failed);
	ctx[0] = c;
	ctx[1] = &seen;
	assert_int_equal(mtasts_cache_walk(c, count, ctx), 0);
	assert_true(bytes_eq(buf_bytes(&seen),
	    B("a.example b.example c.example ")));
	assert_int_equal(mtasts_cache_get(c, &arena, B("b.example"), &got),
	    0);
	assert_int_equal(mtasts_cache_delete(c, B("b.example")), 0);
	assert_int_equal(mtasts_cache_put(c, B("a..b"), &e), -1);
	assert_int_equal(errno, EINVAL);
	e.id = B(ID32 "a");
	assert_int_equal(mtasts_cache_put(c, B("a.example"), &e), -1);
	mtasts_cache_close(c);
	for (i = 0; i < 2; i++) {
		assert_true(snprintf(path, sizeof(path), "%s/cache/mtasts/%s",
		    dir, i == 0 ? "data.mdb" : "lock.mdb") > 0);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/cache/mtasts", dir);
	assert_int_equal(rmdir(path), 0);
	(void)snprintf(path, sizeof(path), "%s/cache", dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
	buf_free(&seen);
}

/* ---- answers of the service ---- */

static void
test_answers(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} all[] = {
		{ "absent success 0\n\n", true },
		{ "absent sts-policy-invalid 0\nwhy\n", true },
		{ "defer success 0\nDNS\n", true },
		{ "policy success 41\n\n" NONE, true },
		{ "policy success 40\n\n" NONE, false },
		{ "policy success 41\n\n" NONE "\n", false },
		{ "policy success 0\n\n", false },
		{ "absent success 41\n\n" NONE, false },
		{ "policy success 15\n\n" BROKEN, false },
		{ "absent success 0\n", false },
		{ "absent success 0\nno end", false },
		{ "maybe success 0\n\n", false },
		{ "absent odd 0\n\n", false },
		{ "absent success\n\n", false },
		{ "absent success 0 \n\n", false },
		{ "", false },
	};
	struct mtasts_decision d;
	const char *why;
	size_t i;

	(void)state;
	assert_int_equal(strlen(NONE), 41);
	for (i = 0; i < COUNT(all); i++) {
		const char *text = all[i].text;

		if ((mtasts_answer_parse(bytes_str(text), &arena, &d,
		    &why) == 0) != all[i].valid)
			fail_msg("%s", text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "T-3 TXT records", test_record, NULL, reset, NULL },
		{ "T-3 policies", test_policy, NULL, reset, NULL },
		{ "T-3 values of mx", test_mx_values, NULL, reset, NULL },
		{ "T-3 limits of policies, and past them",
		    test_policy_limits, NULL, reset, NULL },
		{ "T-3 a wildcard is exactly one label", test_match, NULL,
		    reset, NULL },
		{ "T-3 the decision", test_decide, NULL, reset, NULL },
		{ "T-3 what is kept", test_kept, NULL, reset, NULL },
		{ "T-3 refreshing", test_refresh, NULL, reset, NULL },
		{ "the cache", test_cache, NULL, reset, NULL },
		{ "answers of the service", test_answers, NULL, reset,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
