/* canonical forms, tag lists, signatures and key records (RFC 6376 3) */
#include "dkim_fixture.h"

/* ---- canonical forms ---- */

static void
canon_fields(void **state)
{
	static const struct {
		enum dkim_canon c;
		const char *in, *out;
	} cases[] = {
		/* RFC 6376 3.4.5 */
		{ DKIM_RELAXED, "A: X\r\n", "a:X\r\n" },
		{ DKIM_RELAXED, "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n" },
		{ DKIM_SIMPLE, "B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  \r\n" },
		/* LF counts as CRLF */
		{ DKIM_RELAXED, "B : Y\t\n\tZ  \n", "b:Y Z\r\n" },
		{ DKIM_SIMPLE, "B : Y\t\n\tZ  \n", "B : Y\t\r\n\tZ  \r\n" },
		/* no final line end; empty; CR that is no line end */
		{ DKIM_RELAXED, "SUBJECT:x", "subject:x\r\n" },
		{ DKIM_SIMPLE, "Subject:x", "Subject:x\r\n" },
		{ DKIM_RELAXED, "To:\n", "to:\r\n" },
		{ DKIM_RELAXED, "To: \n \n", "to:\r\n" },
		{ DKIM_RELAXED, "To: a\rb\n", "to:a\rb\r\n" },
		{ DKIM_RELAXED, "To: a: b :c\n", "to:a: b :c\r\n" },
	};
	struct buf b = BUF_INIT(1000);
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		buf_reset(&b);
		assert_int_equal(dkim_canon_field(&b, cases[i].c,
		    bytes_str(cases[i].in)), 0);
		assert_bytes(buf_bytes(&b), cases[i].out);
	}
	buf_free(&b);
}

static void
canon_bodies(void **state)
{
	static const struct {
		const char *in, *simple, *relaxed;
	} cases[] = {
		/* RFC 6376 3.4.5 */
		{ " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n",
		    " C\r\nD E\r\n" },
		{ "", "\r\n", "" },
		{ "\n", "\r\n", "" },
		{ "\n\n\r\n\n", "\r\n", "" },
		{ " \n", " \r\n", "" },
		{ "a", "a\r\n", "a\r\n" },
		{ "a\n\n\nb\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n" },
		{ "a\n\t \n \nb", "a\r\n\t \r\n \r\nb\r\n",
		    "a\r\n\r\n\r\nb\r\n" },
		{ "a\rb\n", "a\rb\r\n", "a\rb\r\n" },
		{ "a\r\r\n", "a\r\r\n", "a\r\r\n" },
		{ "a \r", "a \r\r\n", "a \r\r\n" },
		{ "\ta \t b\t", "\ta \t b\t\r\n", " a b\r\n" },
	};
	struct buf b = BUF_INIT(1000);
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		buf_reset(&b);
		assert_int_equal(dkim_canon_body(&b, DKIM_SIMPLE,
		    bytes_str(cases[i].in)), 0);
		assert_bytes(buf_bytes(&b), cases[i].simple);
		buf_reset(&b);
		assert_int_equal(dkim_canon_body(&b, DKIM_RELAXED,
		    bytes_str(cases[i].in)), 0);
		assert_bytes(buf_bytes(&b), cases[i].relaxed);
	}
	buf_free(&b);
}

/* RFC 6376 3.4.4 byte by byte, for a line. */
static void
relax(const char *line, char *out)
{
	bool space = false;

	for (; *line != '\0'; line++) {
		if (*line == ' ' || *line == '\t') {
			space = true;
			continue;
		}
		if (space)
			*out++ = ' ';
		space = false;
		*out++ = *line;
	}
	memcpy(out, "\r\n", 3);
}

/* Blanks at every place of lines of every length: eight bytes are looked at
 * at a time. */
static void
canon_blanks(void **state)
{
	static const char *const marks[] = { " ", "\t", "  ", " \t", "\t ",
	    "\xa0", "\x89", "(", "\x08" };
	struct buf b = BUF_INIT(1000);
	char line[64], want[64];
	size_t i, at, n, k;

	(void)state;
	for (n = 1; n < 40; n++) {
		for (at = 0; at < n; at++) {
			for (k = 0; k < LEN(marks); k++) {
				memset(line, 'x', n);
				line[n] = '\0';
				for (i = 0; marks[k][i] != '\0' && at + i < n;
				    i++)
					line[at + i] = marks[k][i];
				line[n - 1] = 'y';
				relax(line, want);
				buf_reset(&b);
				assert_int_equal(dkim_canon_body(&b,
				    DKIM_RELAXED, bytes_str(line)), 0);
				assert_bytes(buf_bytes(&b), want);
			}
		}
	}
	buf_free(&b);
}

/* Messages of others with their canonical form: all fields in order, an empty
 * line, the body. */
static void
canon_of_others(void **state)
{
	static const char *const form[] = { "simple", "relaxed" };
	const char *top = env_get("PIPEMAIL_TEST_DATA");
	struct buf in = BUF_INIT(1000000), want = BUF_INIT(1000000),
	    got = BUF_INIT(2000000);
	struct dkim_message m;
	enum dkim_canon c;
	size_t i;
	int k;

	(void)state;
	for (k = 0; k < 22; k++) {
		c = k < 11 ? DKIM_SIMPLE : DKIM_RELAXED;
		buf_reset(&in);
		buf_reset(&want);
		buf_reset(&got);
		if (io_read_file(AT_FDCWD, arena_printf(&fx.arena,
		    "%s/dkim/flanker-canon/email.%02d", top != NULL ? top
		    : "../shared/data", k % 11 + 1), &in) == -1)
			break;
		assert_int_equal(io_read_file(AT_FDCWD, arena_printf(&fx.arena,
		    "%s/dkim/flanker-canon/%s.expected.%02d", top != NULL ? top
		    : "../shared/data", form[c], k % 11 + 1), &want), 0);
		dkim_message_split(&fx.arena, buf_bytes(&in), &m);
		for (i = 0; i < m.n; i++)
			assert_int_equal(dkim_canon_field(&got, c,
			    m.field[i].raw), 0);
		assert_int_equal(buf_adds(&got, "\r\n"), 0);
		assert_int_equal(dkim_canon_body(&got, c, m.body), 0);
		if (!bytes_eq(buf_bytes(&got), buf_bytes(&want)))
			print_message("# email.%02d %s differs\n", k % 11 + 1,
			    form[c]);
		assert_true(bytes_eq(buf_bytes(&got), buf_bytes(&want)));
	}
	buf_free(&in);
	buf_free(&want);
	buf_free(&got);
	if (k == 0) {
		print_message("# SKIP others' messages: no shared data\n");
		return;
	}
	assert_int_equal(k, 22);
}

/* What the relaxed form changes, wherever a block of the sink may end. */
static void
canon_at_blocks(void **state)
{
	static const struct {
		const char *in, *simple, *relaxed;
	} cases[] = {
		{ "a b", "a b\r\n", "a b\r\n" },
		{ "a \t b \n", "a \t b \r\n", "a b\r\n" },
		{ "a \r\n \n\n.", "a \r\n \r\n\r\n.\r\n",
		    "a\r\n\r\n\r\n.\r\n" },
		{ "a\r b \r \r\n", "a\r b \r \r\n", "a\r b \r\r\n" },
		{ "\v \f\n\x80 ", "\v \f\r\n\x80 \r\n",
		    "\v \f\r\n\x80\r\n" },
	};
	static unsigned char in[9000], want[9000];
	struct buf got = BUF_INIT(10000);
	size_t before, i, k;

	(void)state;
	for (i = 0; i < 2 * LEN(cases); i++) {
		const char *text = cases[i / 2].in, *end = i % 2 == 0
		    ? cases[i / 2].simple : cases[i / 2].relaxed;

		for (before = 0; before < 8200; before++) {
			if (before == 60)
				before = 4040;
			if (before == 4140)
				before = 8140;
			memset(in, 'x', before);
			memcpy(in + before, text, strlen(text));
			memset(want, 'x', before);
			memcpy(want + before, end, k = strlen(end));
			buf_reset(&got);
			assert_int_equal(dkim_canon_body(&got, i % 2 == 0
			    ? DKIM_SIMPLE : DKIM_RELAXED,
			    bytes_of(in, before + strlen(text))), 0);
			assert_int_equal(got.n, before + k);
			assert_memory_equal(got.p, want, got.n);
		}
	}
	buf_free(&got);
}

/* Blocks of the sink: a long body gives the same hash as its text. */
static void
body_hash_blocks(void **state)
{
	struct buf in = BUF_INIT(100000), text = BUF_INIT(200000);
	struct dkim_body_wishes w = { .n = 0 };
	unsigned char want[DKIM_HASH_SIZE];
	size_t i, limited;

	(void)state;
	for (i = 0; i < 3000; i++)
		assert_int_equal(buf_printf(&in, "%zu  x\t%s \n", i,
		    i % 7 == 0 ? "\n" : ""), 0);
	for (i = 0; i < 9000; i++)
		assert_int_equal(buf_addc(&in, 'y'), 0);
	(void)dkim_body_wish(&w, DKIM_SIMPLE, false, 0);
	(void)dkim_body_wish(&w, DKIM_RELAXED, false, 0);
	limited = dkim_body_wish(&w, DKIM_RELAXED, true, 10001);
	assert_int_equal(dkim_body_wish(&w, DKIM_RELAXED, false, 5), 1);
	assert_int_equal(w.n, 3);
	assert_int_equal(dkim_body_hash(&w, buf_bytes(&in)), 0);
	for (i = 0; i < 2; i++) {
		buf_reset(&text);
		assert_int_equal(dkim_canon_body(&text, (enum dkim_canon)i,
		    buf_bytes(&in)), 0);
		sha256_of(buf_bytes(&text), want);
		assert_memory_equal(want, w.w[i].hash, sizeof want);
	}
	sha256_of(bytes_first(buf_bytes(&text), 10001), want);
	assert_memory_equal(want, w.w[limited].hash, sizeof want);
	assert_false(w.w[limited].is_short);
	buf_free(&in);
	buf_free(&text);
}

/* ---- tag lists ---- */

static void
tag_lists(void **state)
{
	static const struct {
		const char *in;
		const char *x;		/* value of x, NULL: list is refused */
	} cases[] = {
		{ "x=1", "1" },
		{ " x = 1 ;", "1" },
		{ "x=1; y=2", "1" },
		{ "y=;x=a b\tc", "a b\tc" },
		{ "y=;\n x=a\r\n\tb\n", "a\r\n\tb" },
		{ "x=a=b=", "a=b=" },
		{ "x=", "" },
		{ "X=2; x=1", "1" },
		{ "x_1=2; x-1=3; x=1", "1" },
		{ "x=\xc3\xa4", "\xc3\xa4" },
		{ "", NULL },
		{ ";", NULL },
		{ "x", NULL },
		{ "x=1;y", NULL },
		{ "x=1;;y=1", NULL },
		{ "x=1;;", NULL },
		{ "=1", NULL },
		{ "1x=1", NULL },
		{ "x y=1", NULL },
		{ "x.y=1", NULL },
		{ "x=1; x=1", NULL },
		{ "x=\001", NULL },
		{ "x=\177", NULL },
		{ "x=a\nb", NULL },
		{ "x=a\rb", NULL },
	};
	struct dkim_tags t;
	struct bytes v;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		if (cases[i].x == NULL) {
			errno = 0;
			assert_int_equal(dkim_tags_parse(
			    bytes_str(cases[i].in), &t, &why), -1);
			assert_int_equal(errno, EBADMSG);
			continue;
		}
		assert_int_equal(dkim_tags_parse(bytes_str(cases[i].in), &t,
		    &why), 0);
		assert_true(dkim_tags_find(&t, "x", &v));
		assert_bytes(v, cases[i].x);
		assert_false(dkim_tags_find(&t, "nosuch", &v));
	}
	assert_int_equal(dkim_tags_parse(bytes_of("x=a\0b", 5), &t, &why), -1);
}

static void
tag_limit(void **state)
{
	struct buf b = BUF_INIT(10000);
	struct dkim_tags t;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < DKIM_TAGS_MAX; i++)
		assert_int_equal(buf_printf(&b, "t%zu=1;", i), 0);
	assert_int_equal(dkim_tags_parse(buf_bytes(&b), &t, &why), 0);
	assert_int_equal(buf_adds(&b, "more=1"), 0);
	assert_int_equal(dkim_tags_parse(buf_bytes(&b), &t, &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
}

/* ---- signatures ---- */

#define BH "bh=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=; "
#define BASE "v=1; a=rsa-sha256; b=YWFh; " BH "d=example.org; s=sel; "

static void
signatures(void **state)
{
	static const struct {
		const char *in, *why;	/* why NULL: accepted */
	} cases[] = {
		{ BASE "h=from", NULL },
		{ BASE "h= To : FROM\n :x;", NULL },
		{ BASE "h=from; i=@example.org", NULL },
		{ BASE "h=from; i=a=3Bb@sub.example.org", NULL },
		{ BASE "h=from; i=@Example.ORG", NULL },
		{ BASE "h=from; c=relaxed", NULL },
		{ BASE "h=from; c=SIMPLE/Relaxed", NULL },
		{ BASE "h=from; l=0", NULL },
		{ BASE "h=from; q=dns/txt", NULL },
		{ BASE "h=from; q=other : dns/txt", NULL },
		{ BASE "h=from; t=5; x=6", NULL },
		{ BASE "h=from; x=6", NULL },
		{ BASE "h=from; unknown=6; z=From:a=40b|To:c", NULL },
		{ "v=1; a=RSA-SHA256; b=YW\n"
		    " Fh; d=EXAMPLE.org; s=a._b; h=from; "
		    BH, NULL },
		{ "v=1; a=ed25519-sha256; b=YWFh; d=a.ex-ample.org; s=1; "
		    "h=from; " BH, NULL },
		{ "v=1; a=rsa-sha256; b=YWFh; d=b\xc3\xbc" "cher.example; "
		    "s=\xc3\xa4; h=from; " BH, NULL },
		{ "a=rsa-sha256; b=YWFh; d=example.org; s=s; h=from; " BH,
		    "v= is missing" },
		{ "v=2; a=rsa-sha256; b=YWFh; d=example.org; s=s; h=from; " BH,
		    "unknown version" },
		{ "v=1; b=YWFh; d=example.org; s=s; h=from; " BH,
		    "a= is missing" },
		{ "v=1; a=rsa-sha1; b=YWFh; d=example.org; s=s; h=from; " BH,
		    "rsa-sha1 is not accepted" },
		{ "v=1; a=rsa-md5; b=YWFh; d=example.org; s=s; h=from; " BH,
		    "unknown algorithm" },
		{ "v=1; a=rsa-sha256; d=example.org; s=s; h=from; " BH,
		    "b= is missing" },
		{ "v=1; a=rsa-sha256; b=; d=example.org; s=s; h=from; " BH,
		    "bad base64 in b=" },
		{ "v=1; a=rsa-sha256; b=Y*Fh; d=example.org; s=s; h=from; " BH,
		    "bad base64 in b=" },
		{ "v=1; a=rsa-sha256; b=YWFh; s=s; h=from; " BH,
		    "d= is missing" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=example.org; h=from; " BH,
		    "s= is missing" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=a..org; s=s; h=from; " BH,
		    "bad d=" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=a b.org; s=s; h=from; " BH,
		    "bad d=" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=; s=s; h=from; " BH,
		    "bad d=" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=a.org.; s=s; h=from; " BH,
		    "bad d=" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=a.org; s=a/b; h=from; " BH,
		    "bad s=" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=example.org; s=s; h=from;",
		    "bh= is missing" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=example.org; s=s; h=from; "
		    "bh=YWFh", "bh= is no SHA-256 hash" },
		{ BASE, "h= is missing" },
		{ BASE "h=", "empty name in h=" },
		{ BASE "h=from:", "empty name in h=" },
		{ BASE "h=to:subject", "From is not signed" },
		{ BASE "h=from; i=a", "bad i=" },
		{ BASE "h=from; i=@example.net", "i= is not within d=" },
		{ BASE "h=from; i=@anexample.org", "i= is not within d=" },
		{ BASE "h=from; i=@org", "i= is not within d=" },
		{ BASE "h=from; i=a=4@example.org", "bad i=" },
		{ BASE "h=from; c=nofws", "unknown canonicalization" },
		{ BASE "h=from; c=simple/", "unknown canonicalization" },
		{ BASE "h=from; l=-1", "bad l=" },
		{ BASE "h=from; l=", "bad l=" },
		{ BASE "h=from; t=1x", "bad t=" },
		{ BASE "h=from; x=1234567890123", "bad x=" },
		{ BASE "h=from; t=6; x=6", "x= is not after t=" },
		{ BASE "h=from; q=http", "q= has no known query method" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=org; s=s; h=from; " BH,
		    "d= is a public suffix" },
		{ "v=1; a=rsa-sha256; b=YWFh; d=co.uk; s=s; h=from; " BH,
		    "d= is a public suffix" },
	};
	struct dkim_signature s;
	const char *why;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		why = "accepted";
		r = dkim_signature_parse(&fx.arena, bytes_str(cases[i].in), &s,
		    &why);
		assert_string_equal(why, cases[i].why != NULL ? cases[i].why
		    : "accepted");
		assert_int_equal(r, cases[i].why != NULL ? -1 : 0);
	}
}

static void
signature_values(void **state)
{
	static const char in[] = " v=1; a=rsa-sha256; c=relaxed/simple;\r\n"
	    "\td=Example.ORG; s=Sel.A; i=a=3Bb@x.example.org;\r\n"
	    "\th=From : To:Subject; l=99999999999999999999999999; t=1; x=2;\r\n"
	    "\t" BH "\r\n\tb= AbC\r\n\t/e+fghiA=\r\n";
	struct dkim_signature s;
	const char *why = "";

	(void)state;
	assert_int_equal(dkim_signature_parse(&fx.arena, BYTES(
	    "v=1; a=ed25519-sha256; b=YWFh; d=b\xc3\xbc" "cher.example; "
	    "s=\xc3\xa4; h=from; " BH), &s, &why), 0);
	assert_bytes(s.domain, "xn--bcher-kva.example");
	assert_bytes(s.selector, "xn--4ca");
	assert_int_equal(s.algorithm, DKIM_ED25519_SHA256);
	assert_int_equal(s.header_canon, DKIM_SIMPLE);
	assert_int_equal(s.body_canon, DKIM_SIMPLE);
	assert_int_equal(s.timestamp, -1);
	assert_int_equal(s.expiration, -1);
	assert_false(s.has_length);
	assert_int_equal(dkim_signature_parse(&fx.arena, bytes_str(in), &s,
	    &why), 0);
	assert_bytes(s.domain, "example.org");
	assert_bytes(s.selector, "sel.a");
	assert_bytes(s.identity, "a;b@x.example.org");
	assert_bytes(s.identity_domain, "x.example.org");
	assert_bytes(s.b_prefix, "AbC/e+fg");
	assert_bytes(s.bh, "12345678901234567890123456789012");
	assert_int_equal(s.header_canon, DKIM_RELAXED);
	assert_int_equal(s.body_canon, DKIM_SIMPLE);
	assert_int_equal(s.name_count, 3);
	assert_bytes(s.names[0], "From");
	assert_bytes(s.names[2], "Subject");
	assert_true(s.has_length);
	assert_true(s.length == UINT64_MAX);
	assert_int_equal(s.timestamp, 1);
	assert_int_equal(s.expiration, 2);
}

static void
signature_limits(void **state)
{
	struct buf b = BUF_INIT(DKIM_FIELD_MAX + 1000);
	struct dkim_signature s;
	const char *why;
	size_t i;

	(void)state;
	assert_int_equal(buf_adds(&b, BASE "h=from"), 0);
	for (i = 1; i < DKIM_NAMES_MAX; i++)
		assert_int_equal(buf_adds(&b, ":x"), 0);
	assert_int_equal(dkim_signature_parse(&fx.arena, buf_bytes(&b), &s,
	    &why), 0);
	assert_int_equal(s.name_count, DKIM_NAMES_MAX);
	assert_int_equal(buf_adds(&b, ":x"), 0);
	assert_int_equal(dkim_signature_parse(&fx.arena, buf_bytes(&b), &s,
	    &why), -1);
	assert_string_equal(why, "too many names in h=");
	buf_reset(&b);
	assert_int_equal(buf_adds(&b, BASE "h=from; z="), 0);
	while (b.n < DKIM_FIELD_MAX)
		assert_int_equal(buf_addc(&b, 'z'), 0);
	assert_int_equal(dkim_signature_parse(&fx.arena, buf_bytes(&b), &s,
	    &why), 0);
	assert_int_equal(buf_addc(&b, 'z'), 0);
	assert_int_equal(dkim_signature_parse(&fx.arena, buf_bytes(&b), &s,
	    &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	for (i = 0; i < 2; i++) {
		buf_reset(&b);
		assert_int_equal(buf_adds(&b, BASE "h=from; i="), 0);
		assert_int_equal(buf_printf(&b, "%0*d@example.org",
		    (int)(DKIM_IDENTITY_MAX - 12 + i), 0), 0);
		assert_int_equal(dkim_signature_parse(&fx.arena,
		    buf_bytes(&b), &s, &why), i == 0 ? 0 : -1);
	}
	buf_free(&b);
}

static void
records(void **state)
{
	static const struct {
		const char *in, *why;
	} cases[] = {
		{ "p=YWFh", NULL },
		{ " v=DKIM1 ; k = RSA ;\tp=YW Fh; n=notes; x=", NULL },
		{ "v=DKIM1; k=ed25519; p=YWFh;", NULL },
		{ "v=DKIM1; p=", NULL },
		{ "v=DKIM1; k=rsa", "key record without p=" },
		{ "v=DKIM2; p=YWFh", "key record of an unknown version" },
		{ "p=YWFh; v=DKIM1", "key record of an unknown version" },
		{ "k=dsa; p=YWFh", "key record of an unknown key type" },
		{ "p=Y!", "bad base64 in the key record" },
		{ "p=YWF", "bad base64 in the key record" },
		{ "not a record", "key record is no tag list" },
		{ "p=YWFh; p=YWFh", "key record is no tag list" },
		{ "", "key record is no tag list" },
	};
	struct dkim_record r;
	struct buf b = BUF_INIT(10000);
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		why = "";
		assert_int_equal(dkim_record_parse(&fx.arena,
		    bytes_str(cases[i].in), &r, &why),
		    cases[i].why != NULL ? -1 : 0);
		if (cases[i].why != NULL)
			assert_string_equal(why, cases[i].why);
	}
	assert_int_equal(dkim_record_parse(&fx.arena, BYTES(
	    "v=DKIM1; h=sha1:sha256; s=x:email; t=s:y; k=ed25519; p=YWFh"),
	    &r, &why), 0);
	assert_true(r.is_ed25519 && r.sha256 && r.email && r.testing &&
	    r.strict && !r.revoked);
	assert_bytes(r.key, "aaa");
	assert_int_equal(buf_adds(&b, "p=YWFh; n="), 0);
	while (b.n < DKIM_RECORD_MAX)
		assert_int_equal(buf_addc(&b, 'n'), 0);
	assert_int_equal(dkim_record_parse(&fx.arena, buf_bytes(&b), &r, &why),
	    0);
	assert_int_equal(buf_addc(&b, 'n'), 0);
	assert_int_equal(dkim_record_parse(&fx.arena, buf_bytes(&b), &r, &why),
	    -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
}

#define T(name, fn) { name, fn, reset, NULL, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T("RFC 6376 3.4.1, 3.4.2 fields", canon_fields),
		T("RFC 6376 3.4.3, 3.4.4 bodies", canon_bodies),
		T("RFC 6376 3.4.4 blanks at every place", canon_blanks),
		T("RFC 6376 3.4.4 at the ends of blocks", canon_at_blocks),
		T("canonical forms of others' messages", canon_of_others),
		T("body hashes of several forms in one pass", body_hash_blocks),
		T("RFC 6376 3.2 tag lists", tag_lists),
		T("64 tags, not 65", tag_limit),
		T("A-3 RFC 6376 3.5, 6.1.1 signatures", signatures),
		T("A-3 values of a signature", signature_values),
		T("limits of a signature", signature_limits),
		T("RFC 6376 3.6.1 key records", records),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
