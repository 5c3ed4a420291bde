/*
 * Prefaces, requests and replies: what is parsed is formatted and must be
 * parsed to the same; a header cut anywhere asks for more and nothing else.
 *
 * Input: one byte chooses the format, the rest is parsed.
 */
#include <stdlib.h>

#include "preface/preface.h"
#include "tlsreq/tlsreq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_same(const struct preface *p, const struct preface *q)
{
	bool both = p->remote.family != 0 && p->local.family != 0;

	check(p->self == q->self && p->tls == q->tls);
	check(p->client_cert == q->client_cert);
	check(p->client_verified == q->client_verified);
	check(!both || (ip_eq(&p->remote, &q->remote) &&
	    ip_eq(&p->local, &q->local) &&
	    p->remote_port == q->remote_port &&
	    p->local_port == q->local_port));
	check(bytes_eq(p->authority, q->authority));
	check(bytes_eq(p->alpn, q->alpn));
	check(bytes_eq(p->version, q->version));
	check(bytes_eq(p->cipher, q->cipher));
	check(bytes_eq(p->client_key, q->client_key));
	check(bytes_eq(p->exporter, q->exporter));
	check(bytes_eq(p->end_point, q->end_point));
	check(bytes_eq(p->unique, q->unique));
}

static void
fuzz_preface(struct bytes in, enum preface_from from)
{
	struct buf b = BUF_INIT(PREFACE_MAX);
	struct preface p, q;
	const char *why = NULL;
	size_t used, i;
	int r = preface_parse(in, from, &p, &used, &why);

	check((r == -1) == (why != NULL));
	if (r != 1)
		return;
	check(used <= in.n && used <= PREFACE_MAX);
	for (i = 0; i < used; i++)
		check(preface_parse(bytes_first(in, i), from, &q, &used,
		    &why) == 0);
	check(preface_format(&b, &p) == 0);
	check(preface_parse(buf_bytes(&b), PREFACE_TLS_SERVE, &q, &used,
	    &why) == 1);
	check(used == b.n);
	check_same(&p, &q);
	buf_free(&b);
}

static void
fuzz_request(struct bytes in)
{
	struct buf b = BUF_INIT(TLSREQ_MAX);
	struct tlsreq r, q;
	size_t i;

	if (tlsreq_parse(in, &r) == -1)
		return;
	check(tlsreq_format(&b, &r) == 0);
	check(tlsreq_parse(buf_bytes(&b), &q) == 0);
	check(bytes_eq(r.listener, q.listener) && r.nalpn == q.nalpn);
	check(r.implicit == q.implicit && r.client_cert == q.client_cert);
	check(ip_eq(&r.remote, &q.remote));
	for (i = 0; i < r.nalpn; i++)
		check(bytes_eq(r.alpn[i], q.alpn[i]));
	buf_free(&b);
}

static void
fuzz_reply(struct bytes in)
{
	struct buf b = BUF_INIT(TLSREQ_REPLY_MAX);
	enum tlsreq_status status;
	struct bytes text;
	size_t size;

	if (tlsreq_parse_reply(in, &status, &text, &size) != 1)
		return;
	check(tlsreq_format_reply(&b, status, text) == 0);
	check(bytes_eq(buf_bytes(&b), bytes_first(in, size)));
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	int kind = bytes_next(&in);

	if (kind == 'r')
		fuzz_request(in);
	else if (kind == 'a')
		fuzz_reply(in);
	else
		fuzz_preface(in, kind == 'o' ? PREFACE_TLS_SERVE
		    : PREFACE_PROXY);
	return 0;
}
