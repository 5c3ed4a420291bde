/*
 * dkim_fuzz.c - tag lists survive formatting, canonical forms are stable and
 * do not depend on line ends, and what we sign we verify
 *
 * The first byte chooses: "t" tag list, signature and record; "c" canonical
 * forms; anything else a message, verified as it is, then signed.
 */
#include "dkim/dkim.h"
#include "dkim/internal.h"

#include <stdlib.h>

#include "dns/dns.h"

#define TEXT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool holds)
{
	if (!holds)
		abort();
}

/* ---- tag lists ---- */

static void
check_tags(struct bytes in)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct dkim_tags t, again;
	const char *why;
	size_t i;

	if (dkim_tags_parse(in, &t, &why) == 0) {
		need(t.n > 0 && t.n <= DKIM_TAGS_MAX);
		for (i = 0; i < t.n; i++)
			need(buf_printf(&text, "%.*s=%.*s;",
			    BYTES_ARG(t.tag[i].name),
			    BYTES_ARG(t.tag[i].value)) == 0);
		need(dkim_tags_parse(buf_bytes(&text), &again, &why) == 0);
		need(again.n == t.n);
		for (i = 0; i < t.n; i++) {
			need(bytes_eq(t.tag[i].name, again.tag[i].name));
			need(bytes_eq(t.tag[i].value, again.tag[i].value));
		}
	}
	buf_free(&text);
}

static void
check_signature(struct arena *a, struct bytes in)
{
	struct dkim_signature s;
	struct dkim_record r;
	struct dkim_public *key;
	const char *why = NULL;
	unsigned int bits = 0;

	if (dkim_signature_parse(a, in, &s, &why) == 0) {
		need(s.b.n > 0 && s.bh.n == DKIM_HASH_SIZE);
		need(s.name_count > 0 && s.name_count <= DKIM_NAMES_MAX);
		need(s.domain.n <= 253 && s.selector.n <= 253);
		need(dkim_name_within(s.identity_domain, s.domain));
		need(s.timestamp == -1 || s.expiration == -1 ||
		    s.expiration > s.timestamp);
	} else {
		need(why != NULL);
	}
	if (dkim_record_parse(a, in, &r, &why) == 0 &&
	    dkim_public_new(&r, &key, &bits, &why) == 0) {
		need(bits == 256 || bits >= DKIM_RSA_BITS_MIN);
		dkim_public_free(key);
	}
}

/* ---- canonical forms ---- */

static void
add_crlf(struct buf *out, struct bytes in)
{
	size_t i;

	for (i = 0; i < in.n; i++) {
		if (in.p[i] == '\n' && (i == 0 || in.p[i - 1] != '\r'))
			need(buf_addc(out, '\r') == 0);
		need(buf_addc(out, in.p[i]) == 0);
	}
}

/* RFC 6376 3.4.4, byte by byte; without empty lines at the end. */
static void
check_relaxed(struct bytes in, struct bytes relaxed)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct bytes line;
	size_t i, blank = 0;

	while (bytes_line(&in, &line)) {
		while (line.n > 0 && ascii_is_wsp(line.p[line.n - 1]))
			line.n--;
		blank++;
		if (line.n == 0)
			continue;
		for (; blank > 1; blank--)
			need(buf_adds(&out, "\r\n") == 0);
		blank = 0;
		for (i = 0; i < line.n; i++) {
			if (!ascii_is_wsp(line.p[i]))
				need(buf_addc(&out, line.p[i]) == 0);
			else if (!ascii_is_wsp(line.p[i + 1]))
				need(buf_addc(&out, ' ') == 0);
		}
		need(buf_adds(&out, "\r\n") == 0);
	}
	need(bytes_eq(buf_bytes(&out), relaxed));
	buf_free(&out);
}

static void
check_body(struct bytes in, enum dkim_canon c)
{
	struct buf once = BUF_INIT(TEXT_MAX), twice = BUF_INIT(TEXT_MAX),
	    crlf = BUF_INIT(TEXT_MAX);
	struct dkim_body_wishes w = { .n = 0 };
	unsigned char hash[DKIM_HASH_SIZE];

	need(dkim_canon_body(&once, c, in) == 0);
	need(dkim_canon_body(&twice, c, buf_bytes(&once)) == 0);
	need(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
	if (c == DKIM_RELAXED)
		check_relaxed(in, buf_bytes(&once));
	add_crlf(&crlf, in);
	buf_reset(&twice);
	need(dkim_canon_body(&twice, c, buf_bytes(&crlf)) == 0);
	need(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
	(void)dkim_body_wish(&w, c, false, 0);
	need(dkim_body_hash(&w, in) == 0);
	sha256_of(buf_bytes(&once), hash);
	need(memcmp(hash, w.w[0].hash, sizeof hash) == 0);
	buf_free(&once);
	buf_free(&twice);
	buf_free(&crlf);
}

static void
check_field(struct bytes field, enum dkim_canon c)
{
	struct buf once = BUF_INIT(TEXT_MAX), twice = BUF_INIT(TEXT_MAX);

	need(dkim_canon_field(&once, c, field) == 0);
	need(bytes_ends(buf_bytes(&once), BYTES("\r\n")));
	need(dkim_canon_field(&twice, c, buf_bytes(&once)) == 0);
	need(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
	buf_free(&once);
	buf_free(&twice);
}

static void
check_canon(struct arena *a, struct bytes in)
{
	struct dkim_message m;
	size_t i;

	check_body(in, DKIM_SIMPLE);
	check_body(in, DKIM_RELAXED);
	dkim_message_split(a, in, &m);
	for (i = 0; i < m.n; i++) {
		if (m.field[i].name.n == 0)
			continue;
		check_field(m.field[i].raw, DKIM_SIMPLE);
		check_field(m.field[i].raw, DKIM_RELAXED);
	}
}

/* ---- messages ---- */

static const char record[] =
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
static const char seed[] = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

/* Every key of every domain is the one of RFC 8463 A.2. */
static int
answer(void *ctx, struct arena *a, enum dns_type type, struct bytes name,
    struct dns_answer *out)
{
	struct dns_record *r = arena_zalloc(a, 1, sizeof *r);

	(void)ctx;
	r->type = type;
	r->name = BYTES_EMPTY;
	r->data = bytes_str(record);
	*out = (struct dns_answer){ .status = DNS_OK, .name = name,
	    .records = r, .nrecords = 1, .why = "" };
	return 1;
}

static void
check_verdicts(const struct dkim_verdicts *v)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	size_t i, at;

	need(v->n >= 1 && v->n <= DKIM_SIGNATURES_MAX + 1);
	for (i = 0; i < v->n; i++) {
		buf_reset(&text);
		need(v->v[i].reason != NULL);
		need(dkim_format_resinfo(&text, &v->v[i]) == 0);
		need(!bytes_chr(buf_bytes(&text), '\n', &at));
		need(!bytes_chr(buf_bytes(&text), '\r', &at));
		need(bytes_is_ascii(buf_bytes(&text)));
		buf_reset(&text);
		need(dkim_format_line(&text, &v->v[i]) == 0);
		need(!bytes_chr(buf_bytes(&text), '\n', &at));
	}
	buf_free(&text);
}

static void
check_message(struct arena *a, struct dns *d, struct bytes in)
{
	struct dkim_policy policy = { .now = 1, .allow_length = true,
	    .allow_testing = true, .allow_unsigned = true };
	struct dkim_key *key;
	struct dkim_signer s = { .domain = BYTES("example.org"),
	    .selector = BYTES("s"), .now = 1 };
	struct dkim_verdicts v;
	struct buf out = BUF_INIT(TEXT_MAX);
	const char *why = "";

	dkim_verify(a, d, in, &policy, &v);
	check_verdicts(&v);
	key = dkim_key_parse(bytes_str(seed), &why);
	need(key != NULL);
	s.key = key;
	s.header_canon = (enum dkim_canon)(in.n & 1);
	s.body_canon = (enum dkim_canon)(in.n >> 1 & 1);
	if (dkim_sign(a, in, &s, 1, &out, &why) == 0) {
		need(buf_add(&out, in) == 0);
		dkim_verify(a, d, buf_bytes(&out), &policy, &v);
		check_verdicts(&v);
		need(v.v[0].result == DKIM_PASS);
	} else {
		need(why[0] != '\0' && out.n == 0);
	}
	buf_free(&out);
	dkim_key_free(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_options o = { .source = { answer, NULL } };
	struct bytes in = bytes_of(data, size);
	struct arena a = ARENA_INIT;
	struct dns *d;

	switch (bytes_next(&in)) {
	case 't':
		check_tags(in);
		check_signature(&a, in);
		break;
	case 'c':
		check_canon(&a, in);
		break;
	default:
		o.nservers = 1;
		need(dns_server_parse(BYTES("127.0.0.1:9"), &o.servers[0]) ==
		    0);
		d = dns_new(&o);
		need(d != NULL);
		check_message(&a, d, in);
		dns_free(d);
		break;
	}
	arena_free(&a);
	return 0;
}
