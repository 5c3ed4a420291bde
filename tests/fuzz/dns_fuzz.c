/*
 * DNS answers: what dns_parse takes is encoded again, without compression
 * and in another order, and must parse to the same answer.
 *
 * Input: one byte chooses the type; the rest is the message behind the id,
 * flags and question of a fixed query.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char name[] = "a.example";
static const enum dns_type types[] = { DNS_A, DNS_CNAME, DNS_PTR, DNS_MX,
	DNS_TXT, DNS_AAAA, DNS_TLSA };

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
put16(struct buf *b, unsigned int v)
{
	check(buf_addc(b, (int)(v >> 8 & 255)) == 0);
	check(buf_addc(b, (int)(v & 255)) == 0);
}

static void
put_name(struct buf *b, struct bytes s)
{
	struct bytes label;
	bool more = s.n > 0;

	while (more) {
		more = bytes_split(&s, '.', &label);
		check(buf_addc(b, (int)label.n) == 0);
		check(buf_add(b, label) == 0);
	}
	check(buf_addc(b, 0) == 0);
}

static void
put_data(struct buf *b, const struct dns_record *r)
{
	struct bytes rest = r->data, piece;

	switch (r->type) {
	case DNS_A:
		check(r->ip.family == AF_INET);
		check(buf_add(b, bytes_of(r->ip.a, 4)) == 0);
		break;
	case DNS_AAAA:
		check(r->ip.family == AF_INET6);
		check(buf_add(b, bytes_of(r->ip.a, 16)) == 0);
		break;
	case DNS_MX:
		put16(b, r->preference);
		put_name(b, r->name);
		break;
	case DNS_PTR:
	case DNS_CNAME:
		put_name(b, r->name);
		break;
	case DNS_TXT:
		do {
			piece = bytes_first(rest, 255);
			rest = bytes_from(rest, piece.n);
			check(buf_addc(b, (int)piece.n) == 0);
			check(buf_add(b, piece) == 0);
		} while (rest.n > 0);
		break;
	case DNS_TLSA:
		check(buf_addc(b, r->usage) == 0);
		check(buf_addc(b, r->selector) == 0);
		check(buf_addc(b, r->matching) == 0);
		check(buf_add(b, r->data) == 0);
		break;
	}
}

static void
put_record(struct buf *b, struct bytes owner, const struct dns_record *r)
{
	struct buf data = BUF_INIT(1 << 20);

	put_data(&data, r);
	put_name(b, owner);
	put16(b, r->type);
	put16(b, 1);
	put16(b, r->ttl_seconds >> 16);
	put16(b, r->ttl_seconds & 0xffff);
	check(data.n <= 65535);
	put16(b, (unsigned int)data.n);
	check(buf_add(b, buf_bytes(&data)) == 0);
	buf_free(&data);
}

static void
put_head(struct buf *b, unsigned int flags, unsigned int answers,
    struct bytes owner, enum dns_type type)
{
	put16(b, 0x1234);
	put16(b, flags);
	put16(b, 1);
	put16(b, answers);
	put16(b, 0);
	put16(b, 0);
	put_name(b, owner);
	put16(b, type);
	put16(b, 1);
}

static void
check_same(const struct dns_answer *x, const struct dns_answer *y)
{
	size_t i;

	check(x->status == y->status && x->nrecords == y->nrecords);
	check(bytes_eq(x->name, y->name) && x->authentic == y->authentic);
	for (i = 0; i < x->nrecords; i++) {
		const struct dns_record *p = &x->records[i];
		const struct dns_record *q = &y->records[i];

		check(p->type == q->type && ip_eq(&p->ip, &q->ip));
		check(p->preference == q->preference);
		check(bytes_eq(p->name, q->name));
		check(bytes_eq(p->data, q->data));
		check(p->usage == q->usage && p->selector == q->selector &&
		    p->matching == q->matching);
	}
}

static void
check_again(const struct dns_answer *r, enum dns_type type, struct arena *a)
{
	struct buf b = BUF_INIT(1 << 24);
	struct dns_answer again;
	size_t i;

	check(r->nrecords > 0 && r->nrecords <= DNS_RECORDS_MAX);
	check(dns_name_valid(r->name) || r->name.n == 0);
	put_head(&b, r->authentic ? 0x81a0 : 0x8180,
	    (unsigned int)r->nrecords, r->name, type);
	for (i = r->nrecords; i-- > 0;) {
		check(r->records[i].type == type);
		check(r->records[i].name.n == 0 ||
		    dns_name_valid(r->records[i].name));
		put_record(&b, r->name, &r->records[i]);
	}
	/* A chain may end at the root, for which none may ask. */
	check(dns_parse(buf_bytes(&b), 0x1234, type, r->name, a, &again) ==
	    DNS_PARSED);
	check_same(r, &again);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size), counts;
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(DNS_MESSAGE_MAX);
	struct dns_answer r;
	enum dns_type type;
	enum dns_parsed got;

	/* Type; flags; answers, authorities, additionals. */
	if (!bytes_cut(&in, 6, &counts) || in.n > 60000)
		return 0;
	type = types[counts.p[0] % (sizeof(types) / sizeof(types[0]))];
	put_head(&b, 0x8100 | counts.p[1], counts.p[2], bytes_str(name),
	    type);
	b.p[9] = counts.p[3];
	b.p[11] = counts.p[4];
	b.p[2] |= counts.p[5] & 2;
	check(buf_add(&b, in) == 0);
	got = dns_parse(buf_bytes(&b), 0x1234, type, bytes_str(name), &a, &r);
	check((got == DNS_PARSED_BAD) == (r.status == DNS_BAD));
	check((r.nrecords > 0) == (r.status == DNS_OK));
	if (r.status == DNS_OK) {
		check(got == DNS_PARSED);
		check_again(&r, type, &a);
	} else {
		check(got == DNS_PARSED_TRUNCATED || r.why[0] != '\0');
	}
	buf_free(&b);
	arena_free(&a);
	return 0;
}
