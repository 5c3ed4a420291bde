/*
 * wire.c - DNS messages (RFC 1035 4, RFC 6891)
 *
 * Everything is read through slices that cannot be left. A message that is
 * not the answer to our question is told apart from one that is and is
 * malformed: the first is waited past, since anyone can send it.
 */
#include "dns/internal.h"

#include <errno.h>
#include <sys/socket.h>

enum {
	CLASS_IN = 1,
	TYPE_SOA = 6,
	SOA_MIN = 1 + 1 + 5 * 4,	/* two root names, five numbers */
	TYPE_OPT = 41,
	FLAG_QR = 0x8000,
	FLAGS_OPCODE = 0x7800,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_AD = 0x0020,	/* in a query: tell me (RFC 6840 5.7) */
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_BADVERS = 16,
};

struct header {
	unsigned int id, flags, rcode;
	unsigned int questions, answers, authorities, additionals;
};

/* One resource record, its data not looked into. */
struct rr {
	struct bytes name;
	unsigned int type, class;
	uint32_t ttl;
	struct bytes data;
	struct bytes tail;	/* the message from the data on */
};

static bool
get8(struct bytes *s, unsigned char *v)
{
	int c = bytes_next(s);

	if (c == -1)
		return false;
	*v = (unsigned char)c;
	return true;
}

static bool
get16(struct bytes *s, unsigned int *v)
{
	struct bytes b;

	if (!bytes_cut(s, 2, &b))
		return false;
	*v = (unsigned int)b.p[0] << 8 | b.p[1];
	return true;
}

static bool
get32(struct bytes *s, uint32_t *v)
{
	struct bytes b;

	if (!bytes_cut(s, 4, &b))
		return false;
	*v = be32_get(b.p);
	return true;
}

static int
put16(struct buf *out, unsigned int v)
{
	unsigned char b[2] = { (unsigned char)(v >> 8 & 0xff),
	    (unsigned char)(v & 0xff) };

	return buf_add(out, bytes_of(b, 2));
}

int
dns_format_query(struct buf *out, unsigned int id, enum dns_type type,
    struct bytes name, bool edns)
{
	if (!dns_name_valid(name)) {
		errno = EINVAL;
		return -1;
	}
	if (put16(out, id) == -1 || put16(out, FLAG_RD | FLAG_AD) == -1 ||
	    put16(out, 1) == -1 || put16(out, 0) == -1 ||
	    put16(out, 0) == -1 || put16(out, edns ? 1 : 0) == -1 ||
	    dns_name_put(out, name) == -1 || put16(out, type) == -1 ||
	    put16(out, CLASS_IN) == -1)
		return -1;
	if (!edns)
		return 0;
	if (buf_addc(out, 0) == -1 || put16(out, TYPE_OPT) == -1 ||
	    put16(out, DNS_UDP_SIZE) == -1 || put16(out, 0) == -1 ||
	    put16(out, 0) == -1 || put16(out, 0) == -1)
		return -1;
	return 0;
}

static bool
get_header(struct bytes *s, struct header *h)
{
	if (!get16(s, &h->id) || !get16(s, &h->flags) ||
	    !get16(s, &h->questions) || !get16(s, &h->answers) ||
	    !get16(s, &h->authorities) || !get16(s, &h->additionals))
		return false;
	h->rcode = h->flags & 15;
	return true;
}

static bool
get_rr(struct bytes msg, struct bytes *s, struct arena *a, struct rr *out)
{
	unsigned int n;

	if (!dns_name_get(msg, s, a, &out->name) || !get16(s, &out->type) ||
	    !get16(s, &out->class) || !get32(s, &out->ttl) || !get16(s, &n))
		return false;
	out->tail = *s;
	return bytes_cut(s, n, &out->data);
}

/* The target name in the data, behind skip bytes, up to its end. */
static bool
get_target(struct bytes msg, const struct rr *rr, size_t skip,
    struct arena *a, struct bytes *name)
{
	struct bytes s = bytes_from(rr->tail, skip);

	return rr->data.n > skip && dns_name_get(msg, &s, a, name) &&
	    rr->tail.n - s.n == rr->data.n;
}

static bool
get_ip(const struct rr *rr, int family, size_t n, struct ip *ip)
{
	if (rr->data.n != n)
		return false;
	*ip = (struct ip){ .family = family };
	memcpy(ip->a, rr->data.p, n);
	return true;
}

/*
 * Strings joined. A record without any breaks RFC 1035 3.3.14, and is taken
 * for empty text, so that it cannot hide the records beside it.
 */
static bool
get_text(struct bytes data, struct arena *a, struct bytes *text)
{
	unsigned char *p = arena_alloc(a, data.n);
	struct bytes string;
	unsigned char length;
	size_t n = 0;

	while (data.n > 0) {
		if (!get8(&data, &length) ||
		    !bytes_cut(&data, length, &string))
			return false;
		memcpy(p + n, string.p, string.n);
		n += string.n;
	}
	*text = bytes_of(p, n);
	return true;
}

static bool
get_record(struct bytes msg, const struct rr *rr, struct arena *a,
    struct dns_record *out)
{
	struct bytes data = rr->data;

	*out = (struct dns_record){ .type = (enum dns_type)rr->type,
		.ttl_seconds = rr->ttl, .name = BYTES_EMPTY,
		.data = BYTES_EMPTY };
	switch (out->type) {
	case DNS_A:
		return get_ip(rr, AF_INET, 4, &out->ip);
	case DNS_AAAA:
		return get_ip(rr, AF_INET6, 16, &out->ip);
	case DNS_MX:
		return get16(&data, &out->preference) &&
		    get_target(msg, rr, 2, a, &out->name);
	case DNS_PTR:
	case DNS_CNAME:
		return get_target(msg, rr, 0, a, &out->name);
	case DNS_TXT:
		return get_text(data, a, &out->data);
	case DNS_TLSA:
		if (!get8(&data, &out->usage) ||
		    !get8(&data, &out->selector) ||
		    !get8(&data, &out->matching))
			return false;
		out->data = arena_bytes(a, data);
		return true;
	}
	return false;
}

static bool
too_many(const struct header *h)
{
	return h->answers > DNS_RECORDS_MAX ||
	    h->authorities > DNS_RECORDS_MAX ||
	    h->additionals > DNS_RECORDS_MAX;
}

/* What stands behind the question. */
struct sections {
	struct rr *answers;
	size_t n;
	bool has_soa;		/* in the authority section: a real no */
	struct bytes soa_name;
	uint32_t soa_keep;	/* how long a no may be kept, by its SOA */
	unsigned int rcode_high;	/* upper eight bits, from OPT */
	struct dns_extended extended;	/* from OPT */
};

/* RFC 2181 8: one that would be negative counts as zero. */
static uint32_t
ttl_of(uint32_t ttl)
{
	return ttl > INT32_MAX ? 0 : ttl;
}

/* RFC 2308 5: the smaller one of its TTL and its last number, MINIMUM. */
static void
take_soa(const struct rr *rr, struct sections *out)
{
	uint32_t ttl = ttl_of(rr->ttl), minimum = 0;

	out->has_soa = true;
	out->soa_name = rr->name;
	if (rr->data.n >= SOA_MIN)
		minimum = ttl_of(be32_get(rr->data.p + rr->data.n - 4));
	out->soa_keep = ttl < minimum ? ttl : minimum;
}

static bool
get_sections(struct bytes msg, struct bytes *s, const struct header *h,
    struct arena *a, struct sections *out)
{
	struct rr rr;
	unsigned int i;

	out->answers = arena_zalloc(a, h->answers, sizeof(*out->answers));
	out->n = h->answers;
	for (i = 0; i < h->answers; i++) {
		if (!get_rr(msg, s, a, &out->answers[i]))
			return false;
	}
	for (i = 0; i < h->authorities; i++) {
		if (!get_rr(msg, s, a, &rr))
			return false;
		if (rr.type == TYPE_SOA && rr.class == CLASS_IN)
			take_soa(&rr, out);
	}
	for (i = 0; i < h->additionals; i++) {
		if (!get_rr(msg, s, a, &rr))
			return false;
		if (rr.type == TYPE_OPT) {
			out->rcode_high = rr.ttl >> 24;
			dns_extended_read(rr.data, a, &out->extended);
		}
	}
	return true;
}

static const struct rr *
find_rr(const struct sections *s, struct bytes name, unsigned int type)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->answers[i].type == type &&
		    s->answers[i].class == CLASS_IN &&
		    bytes_eq(s->answers[i].name, name))
			return &s->answers[i];
	}
	return NULL;
}

static enum dns_parsed
bad(struct dns_answer *out, const char *why)
{
	dns_answer_none(out, DNS_BAD, why);
	return DNS_PARSED_BAD;
}

static void
keep_at_most(struct dns_answer *out, uint32_t seconds)
{
	if (seconds < out->keep_seconds)
		out->keep_seconds = seconds;
}

/* That there is none. Who has no SOA, or another's, cannot say how long. */
static void
keep_none(const struct sections *s, struct dns_answer *out)
{
	keep_at_most(out, s->has_soa && dns_name_below(out->name,
	    s->soa_name) ? s->soa_keep : 0);
}

/* Follow the aliases from out->name to where the records are. 0 or -1. */
static int
follow(struct bytes msg, const struct sections *s, enum dns_type type,
    struct arena *a, struct dns_answer *out)
{
	const struct rr *rr;

	for (; out->aliases <= dns_alias_max(type); out->aliases++) {
		if (type == DNS_CNAME || find_rr(s, out->name, type) != NULL)
			return 0;
		rr = find_rr(s, out->name, DNS_CNAME);
		if (rr == NULL)
			return 0;
		keep_at_most(out, ttl_of(rr->ttl));
		if (!get_target(msg, rr, 0, a, &out->name)) {
			(void)bad(out, "malformed CNAME record");
			return -1;
		}
	}
	(void)bad(out, "CNAME chain is circular or too long");
	return -1;
}

static enum dns_parsed
collect(struct bytes msg, const struct sections *s, const struct header *h,
    enum dns_type type, struct arena *a, struct dns_answer *out)
{
	struct dns_record *records;
	size_t i, n = 0;

	if (follow(msg, s, type, a, out) == -1)
		return DNS_PARSED_BAD;
	if (h->rcode == RCODE_NXDOMAIN) {
		dns_answer_none(out, DNS_NXDOMAIN, "no such name");
		keep_none(s, out);
		return DNS_PARSED;
	}
	records = arena_zalloc(a, s->n, sizeof(*records));
	for (i = 0; i < s->n; i++) {
		if (s->answers[i].type != (unsigned int)type ||
		    s->answers[i].class != CLASS_IN ||
		    !bytes_eq(s->answers[i].name, out->name))
			continue;
		if (!get_record(msg, &s->answers[i], a, &records[n++]))
			return bad(out, "malformed record");
		keep_at_most(out, ttl_of(s->answers[i].ttl));
	}
	if (n > 0) {
		dns_answer_set(out, records, n);
		return DNS_PARSED;
	}
	dns_answer_none(out, DNS_NODATA, "no such record");
	keep_none(s, out);
	return out->aliases > 0 && !s->has_soa ? DNS_PARSED_ALIAS : DNS_PARSED;
}

static enum dns_parsed
failed(struct dns_answer *out, unsigned int rcode)
{
	const char *why = "server gives an error";

	if (rcode == RCODE_SERVFAIL)
		why = "server failure";
	else if (rcode == RCODE_REFUSED)
		why = "server refuses";
	dns_answer_none(out, DNS_TEMP, why);
	if (rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP ||
	    rcode == RCODE_BADVERS)
		return DNS_PARSED_NOEDNS;
	return DNS_PARSED_FAILED;
}

/* A failure may come with its reason; it is one without, too. */
static enum dns_parsed
failed_because(struct bytes msg, struct bytes *s, const struct header *h,
    struct arena *a, struct dns_answer *out)
{
	struct sections sections = { .extended.text = BYTES_EMPTY };
	enum dns_parsed r = failed(out, h->rcode);

	if (!too_many(h) && get_sections(msg, s, h, a, &sections))
		out->extended = sections.extended;
	return r;
}

/* Whether the one question is the one we asked. */
static bool
is_question(struct bytes msg, struct bytes *s, enum dns_type type,
    struct bytes name, struct arena *a)
{
	struct bytes asked;
	unsigned int asked_type, class;

	return dns_name_get(msg, s, a, &asked) && get16(s, &asked_type) &&
	    get16(s, &class) && class == CLASS_IN &&
	    asked_type == (unsigned int)type && dns_name_eq(asked, name);
}

enum dns_parsed
dns_parse(struct bytes msg, unsigned int id, enum dns_type type,
    struct bytes name, struct arena *a, struct dns_answer *out)
{
	struct sections sections = { .extended.text = BYTES_EMPTY };
	struct header h = { 0 };
	struct bytes s = msg;
	enum dns_parsed r;

	*out = (struct dns_answer){ .status = DNS_TEMP, .why = "no answer",
		.name = dns_name_canonical(a, name) };
	if (!get_header(&s, &h) || h.id != id || !(h.flags & FLAG_QR) ||
	    (h.flags & FLAGS_OPCODE) != 0)
		return DNS_PARSED_OTHER;
	/* Servers that cannot or will not read a query may leave it out. */
	if (h.questions == 0 && h.rcode != 0 && h.rcode != RCODE_NXDOMAIN)
		return failed(out, h.rcode);
	if (h.questions != 1 || !is_question(msg, &s, type, name, a))
		return DNS_PARSED_OTHER;
	if (h.rcode != 0 && h.rcode != RCODE_NXDOMAIN)
		return failed_because(msg, &s, &h, a, out);
	if (h.flags & FLAG_TC)
		return DNS_PARSED_TRUNCATED;
	if (too_many(&h))
		return bad(out, "too many records");
	if (!get_sections(msg, &s, &h, a, &sections))
		return bad(out, "malformed answer");
	if (sections.rcode_high != 0)
		return failed(out, sections.rcode_high << 4 | h.rcode);
	out->authentic = (h.flags & FLAG_AD) != 0;
	out->keep_seconds = INT32_MAX;
	r = collect(msg, &sections, &h, type, a, out);
	if (r != DNS_PARSED)
		out->keep_seconds = 0;
	out->extended = sections.extended;
	return r;
}
