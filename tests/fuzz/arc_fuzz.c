/*
 * arc_fuzz.c - the verdict does not depend on line ends, what is told of a
 * chain is within its limits, and what we seal we verify
 *
 * The input is a message; its chain is read and verified, against a resolver
 * that gives our key for every name, then one more set is put in front.
 */
#include "arc/arc.h"
#include "arc/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "dns/dns.h"
#include "mime/mime.h"

#define TEXT_MAX (4 * 1024 * 1024)
#define NOW 1700000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dkim_key *key;
static struct buf record = BUF_INIT(4096);
static struct dns *dns;

static void
need(bool holds)
{
	if (!holds)
		abort();
}

static int
answer(void *ctx, struct arena *a, enum dns_type type, struct bytes name,
    struct dns_answer *out)
{
	struct dns_record *r = arena_zalloc(a, 1, sizeof *r);

	(void)ctx;
	r->type = type;
	r->name = name;
	r->data = buf_bytes(&record);
	*out = (struct dns_answer){ .status = DNS_OK, .name = name,
	    .records = r, .nrecords = 1, .why = "" };
	return 1;
}

static void
set_up(void)
{
	struct dns_options o = { .source = { answer, NULL } };

	if (dns != NULL)
		return;
	key = dkim_key_generate(true, 0);
	need(key != NULL && dkim_key_format_record(&record, key) == 0);
	dns = dns_new(&o);
	need(dns != NULL);
}

static void
check_texts(const struct arc_verdict *v)
{
	struct ip remote = { .family = 0 };
	struct buf b = BUF_INIT(TEXT_MAX);
	size_t i;

	need(arc_format_resinfo(&b, v, &remote) == 0);
	need(arc_format_line(&b, v) == 0);
	for (i = 0; i < b.n; i++)
		need(b.p[i] == '\t' || (b.p[i] >= ' ' && b.p[i] < 0x7f));
	buf_free(&b);
}

static struct arc_verdict
verify(struct arena *a, struct bytes message)
{
	struct arc_policy p = { .now = NOW };
	struct arc_verdict v;

	arc_verify(a, dns, message, &p, &v);
	need(v.n <= ARC_SETS_MAX && v.oldest_pass <= v.n);
	need(v.instance <= ARC_SETS_MAX);
	need(v.result != ARC_PASS || (v.n > 0 && v.reason[0] == '\0'));
	need(v.result != ARC_FAIL || v.reason[0] != '\0');
	need(v.result != ARC_NONE || (v.n == 0 && v.reason[0] == '\0'));
	check_texts(&v);
	return v;
}

static void
check_seal(struct arena *a, struct bytes message, const struct arc_verdict *v)
{
	struct arc_sealer s = { .key = key, .domain = BYTES("example.org"),
	    .selector = BYTES("s"), .results = BYTES("mx; dmarc=pass"),
	    .chain = v->result, .now = NOW };
	struct buf b = BUF_INIT(TEXT_MAX);
	struct arc_verdict after;
	const char *why = NULL;

	if (arc_seal(a, message, &s, &b, &why) == -1) {
		need(why != NULL && b.n == 0);
		need(errno == EBADMSG || errno == EACCES || errno == EMSGSIZE);
		buf_free(&b);
		return;
	}
	need(buf_add(&b, message) == 0);
	after = verify(a, buf_bytes(&b));
	if (v->result == ARC_FAIL)
		need(after.result == ARC_FAIL);
	else
		need(after.result == ARC_PASS && after.n == v->n + 1);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct buf crlf = BUF_INIT(TEXT_MAX), lf = BUF_INIT(TEXT_MAX);
	struct arena a = ARENA_INIT;
	struct arc_verdict v, same;

	set_up();
	need(mime_add_lf(&lf, in) == 0);
	need(mime_add_crlf(&crlf, buf_bytes(&lf)) == 0);
	v = verify(&a, buf_bytes(&lf));
	same = verify(&a, buf_bytes(&crlf));
	need(v.result == same.result && v.reason == same.reason);
	need(v.n == same.n && v.instance == same.instance);
	check_seal(&a, buf_bytes(&lf), &v);
	buf_free(&lf);
	buf_free(&crlf);
	arena_free(&a);
	return 0;
}
