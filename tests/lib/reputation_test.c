/*
 * reputation_test.c - J-2: each step of reputation, their order, their limits;
 * limits by what is stored
 *
 * The history is a table of whole messages; what a case looks for in it is
 * found by a source of its own, which knows nothing of the index.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reputation/reputation.h"

#define DAY ((int64_t)24 * 3600)
#define YEAR (365 * DAY)
#define NOW ((int64_t)1800000000)

/* ---- history as text ---- */

/*
 * "count kind age-in-days field=value ...": kind j (junk) or h (ham). Fields:
 * f= From address, v (From validated), d= DKIM domain, m= MAIL FROM that SPF
 * vouches for, e= such a HELO, i= address. "sent ADDRESS age".
 */
struct row {
	bool junk, validated;
	int64_t date;
	struct bytes from, dkim, mail_from, helo;
	struct ip ip;
	struct bytes sent;
};

struct history {
	struct row row[400];
	size_t n;
	unsigned int asked;
	unsigned int fail_at;	/* the question that fails, 1 the first */
};

static struct bytes
word_of(struct bytes *line)
{
	struct bytes w = BYTES_EMPTY;

	(void)bytes_word(line, &w);	/* empty at the end */
	return w;
}

static int64_t
days_before(struct bytes text, int64_t *seconds)
{
	char *end, buf[32];
	long n;

	assert_true(text.n < sizeof(buf));
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';
	n = strtol(buf, &end, 10);
	*seconds = *end == '+' ? 1 : 0;		/* "1095+": and a second */
	return NOW - n * DAY - *seconds;
}

static void
set_field(struct row *r, struct bytes field)
{
	struct bytes value = bytes_from(field, 2);

	switch (field.p[0]) {
	case 'v':
		r->validated = true;
		break;
	case 'f':
		r->from = value;
		break;
	case 'd':
		r->dkim = value;
		break;
	case 'm':
		r->mail_from = value;
		break;
	case 'e':
		r->helo = value;
		break;
	default:
		assert_int_equal(ip_parse(value, &r->ip), 0);
	}
}

static void
read_history(const char *text, struct history *h)
{
	struct bytes rest = bytes_str(text), line, field;
	uint64_t count;
	int64_t second;
	bool more = true;

	*h = (struct history){ .n = 0 };
	while (more) {
		struct row r = { .from = BYTES_EMPTY, .dkim = BYTES_EMPTY,
		    .mail_from = BYTES_EMPTY, .helo = BYTES_EMPTY,
		    .sent = BYTES_EMPTY };

		more = bytes_split(&rest, ';', &line);
		field = word_of(&line);
		if (field.n == 0)
			continue;
		count = 1;
		if (bytes_eq(field, BYTES("sent"))) {
			r.sent = word_of(&line);
			r.date = days_before(word_of(&line), &second);
		} else {
			assert_int_equal(num_parse(field, 1, 100, &count), 0);
			r.junk = bytes_eq(word_of(&line), BYTES("j"));
			r.date = days_before(word_of(&line), &second);
			while ((field = word_of(&line)).n > 0)
				set_field(&r, field);
		}
		while (count-- > 0)
			h->row[h->n++] = r;
	}
}

static struct bytes
domain_of(struct bytes address)
{
	size_t at;

	return bytes_rchr(address, '@', &at) ? bytes_from(address, at + 1)
	    : BYTES_EMPTY;
}

static struct bytes
local_of(struct bytes address)
{
	size_t at;

	return bytes_rchr(address, '@', &at) ? bytes_first(address, at)
	    : BYTES_EMPTY;
}

/* Here the last two labels. */
static struct bytes
org_of(struct bytes domain)
{
	size_t at, before;

	if (!bytes_rchr(domain, '.', &at) ||
	    !bytes_rchr(bytes_first(domain, at), '.', &before))
		return domain;
	return bytes_from(domain, before + 1);
}

/* ---- the source ---- */

static bool
is_address(struct bytes address, const struct reputation_query *q)
{
	return bytes_eq(local_of(address), q->local_part) &&
	    bytes_eq(domain_of(address), q->domain);
}

static bool
matches(const struct row *r, const struct reputation_query *q)
{
	struct ip mask[ORIGIN_MASKS];

	switch (q->key) {
	case REPUTATION_FROM:
		return is_address(r->from, q) && r->validated == q->validated;
	case REPUTATION_FROM_DOMAIN:
		return bytes_eq(domain_of(r->from), q->domain) &&
		    r->validated == q->validated;
	case REPUTATION_FROM_ORG:
		return bytes_eq(org_of(domain_of(r->from)), q->domain) &&
		    r->validated == q->validated;
	case REPUTATION_DKIM:
		return bytes_eq(r->dkim, q->domain);
	case REPUTATION_MAIL_FROM:
		return is_address(r->mail_from, q);
	case REPUTATION_MAIL_FROM_DOMAIN:
		return bytes_eq(domain_of(r->mail_from), q->domain);
	case REPUTATION_HELO:
		return bytes_eq(r->helo, q->domain);
	default:
		origin_masks(&r->ip, mask);
		return r->ip.family != 0 &&
		    ip_eq(&mask[q->key - REPUTATION_IP1], &q->ip);
	}
}

static bool
fails(struct history *h)
{
	if (++h->asked != h->fail_at)
		return false;
	errno = EIO;
	return true;
}

/* Rows are written newest first. */
static int
history(void *ctx, const struct reputation_query *q,
    struct reputation_message *out)
{
	struct history *h = ctx;
	size_t n = 0;

	if (fails(h))
		return -1;
	for (size_t i = 0; i < h->n && n < q->max; i++) {
		if (h->row[i].sent.n > 0 || h->row[i].date < q->since ||
		    !matches(&h->row[i], q))
			continue;
		out[n++] = (struct reputation_message){ 1, (uint32_t)i + 1,
		    h->row[i].date, h->row[i].junk,
		    local_of(h->row[i].from).n == 0 ? 0
		    : local_of(h->row[i].from).p[0] };
	}
	return (int)n;
}

static int
sent_to(void *ctx, struct bytes local_part, struct bytes domain,
    int64_t *last)
{
	struct history *h = ctx;

	if (fails(h))
		return -1;
	for (size_t i = 0; i < h->n; i++) {
		struct bytes to = h->row[i].sent;

		if (to.n > 0 && bytes_eq(local_of(to), local_part) &&
		    bytes_eq(domain_of(to), domain)) {
			*last = h->row[i].date;
			return 1;
		}
	}
	return 0;
}

static int
sent_to_domain(void *ctx, struct bytes domain, bool org, int64_t *last)
{
	struct history *h = ctx;

	if (fails(h))
		return -1;
	for (size_t i = 0; i < h->n; i++) {
		struct bytes d = domain_of(h->row[i].sent);

		if (h->row[i].sent.n > 0 && bytes_eq(org ? org_of(d) : d,
		    domain)) {
			*last = h->row[i].date;
			return 1;
		}
	}
	return 0;
}

static int
judge(struct arena *a, struct history *h, const struct origin *o,
    struct reputation *out)
{
	const struct reputation_source source = { h, history, sent_to,
	    sent_to_domain };

	return reputation_judge(a, &source, o, NOW, out);
}

/* ---- the message ---- */

/* Fields as above; several d=. */
static void
read_origin(const char *text, struct origin *o)
{
	struct bytes rest = bytes_str(text), field;
	struct row r = { .from = BYTES_EMPTY, .mail_from = BYTES_EMPTY,
	    .helo = BYTES_EMPTY, .dkim = BYTES_EMPTY };

	*o = (struct origin){ .ndkim = 0 };
	while ((field = word_of(&rest)).n > 0) {
		set_field(&r, field);
		if (field.p[0] == 'd')
			o->dkim[o->ndkim++] = r.dkim;
	}
	o->from_local = local_of(r.from);
	o->from_domain = domain_of(r.from);
	o->from_org = org_of(o->from_domain);
	o->from_validated = r.validated;
	o->mail_from_local = local_of(r.mail_from);
	o->mail_from_domain = domain_of(r.mail_from);
	o->mail_from_validated = r.mail_from.n > 0;
	o->helo = r.helo;
	o->helo_validated = r.helo.n > 0;
	o->ip = r.ip;
}

/* ---- the cases ---- */

#define ALL "v f=a@x.org d=x.org m=a@x.org i=192.0.2.1"
#define RAW "f=a@x.org i=192.0.2.1"

struct judge_case {
	const char *what, *origin, *history, *want;
};

static const struct judge_case steps[] = {
	/* ---- a ---- */
	{ "a: one ham", ALL, "1 h 1 v f=a@x.org", "a msgfromfull ham yes 1" },
	{ "a: one junk is enough", ALL, "1 j 1 v f=a@x.org",
	    "a msgfromfull junk yes 1" },
	{ "a: newest junk, one before not", ALL,
	    "1 j 1 v f=a@x.org; 1 h 2 v f=a@x.org",
	    "a msgfromfull ham yes 2" },
	{ "a: newest ham, before it junk", ALL,
	    "1 h 1 v f=a@x.org; 1 j 2 v f=a@x.org",
	    "a msgfromfull ham yes 2" },
	{ "a: two junk, the third is not looked at", ALL,
	    "2 j 1 v f=a@x.org; 9 h 2 v f=a@x.org",
	    "a msgfromfull junk yes 2" },
	{ "a: three years to the second", ALL, "1 j 1095 v f=a@x.org",
	    "a msgfromfull junk yes 1" },
	{ "a: older than three years", ALL, "1 j 1095+ v f=a@x.org",
	    "g none unknown no 0" },
	{ "a: not validated speaks, but decides nothing", RAW,
	    "1 h 1 f=a@x.org", "a msgfromfull ham no 1" },
	{ "a: nor does junk", RAW, "2 j 1 f=a@x.org",
	    "a msgfromfull junk no 2" },
	{ "a: validated does not see what was not", ALL,
	    "2 j 1 f=a@x.org", "g none unknown no 0" },
	{ "a: another local part", ALL, "1 j 1 v f=b@x.org",
	    "d msgfromdomain junk no 1" },
	/* ---- b ---- */
	{ "b: who is validated otherwise and not now is junk", RAW,
	    "2 h 1 v f=a@x.org", "b msgfromfull junk no 2" },
	{ "b: conclusive if it was junk then", RAW, "2 j 1 v f=a@x.org",
	    "b msgfromfull junk yes 2" },
	{ "b: newest junk, one before not", RAW,
	    "1 j 1 v f=a@x.org; 1 h 2 v f=a@x.org",
	    "b msgfromfull junk no 2" },
	{ "b: one junk alone is enough", RAW, "1 j 1 v f=a@x.org",
	    "b msgfromfull junk yes 1" },
	{ "b: three years", RAW, "1 j 1095 v f=a@x.org",
	    "b msgfromfull junk yes 1" },
	{ "b: older than three years", RAW, "1 j 1095+ v f=a@x.org",
	    "g none unknown no 0" },
	{ "a before b", RAW, "2 j 1 v f=a@x.org; 1 h 2 f=a@x.org",
	    "a msgfromfull ham no 1" },
	/* ---- c ---- */
	{ "c: written to", RAW, "sent a@x.org 1", "c msgtofull ham yes 0" },
	{ "c: three years", RAW, "sent a@x.org 1095",
	    "c msgtofull ham yes 0" },
	{ "c: longer ago", "f=a@x.org", "sent a@x.org 1095+",
	    "g none unknown no 0" },
	{ "c: another address there is not c", RAW, "sent b@x.org 1",
	    "d msgtodomain ham yes 0" },
	{ "a before c", ALL, "sent a@x.org 1; 1 j 9 v f=a@x.org",
	    "a msgfromfull junk yes 1" },
	{ "b before c", RAW, "sent a@x.org 1; 1 h 9 v f=a@x.org",
	    "b msgfromfull junk no 1" },
	{ "c before d", ALL, "sent a@x.org 1; 9 j 9 v f=b@x.org",
	    "c msgtofull ham yes 0" },
	/* ---- d, the From domain ---- */
	{ "d: all ham", ALL, "1 h 1 v f=b@x.org",
	    "d msgfromdomain ham yes 1" },
	{ "d: 80 in 100 is not enough", ALL,
	    "4 h 1 v f=b@x.org; 1 j 1 v f=b@x.org",
	    "d msgfromdomain unknown no 5" },
	{ "d: 81 is, rounded down", ALL,
	    "9 h 1 v f=b@x.org; 2 j 1 v f=b@x.org",
	    "d msgfromdomain ham yes 11" },
	{ "d: rounded down, not up: 80.9", ALL,
	    "17 h 1 v f=b@x.org; 4 j 1 v f=b@x.org",
	    "d msgfromdomain ham yes 20" },
	{ "d: junk of two people", ALL,
	    "1 j 1 v f=b@x.org; 5 j 1 v f=c@x.org",
	    "d msgfromdomain junk no 6" },
	{ "d: junk of three", ALL, "1 j 1 v f=b@x.org; 1 j 1 v f=c@x.org; "
	    "1 j 1 v f=d@x.org", "d msgfromdomain junk yes 3" },
	{ "d: the newest 20", ALL, "20 j 1 v f=b@x.org; 9 h 2 v f=b@x.org",
	    "d msgfromdomain junk no 20" },
	{ "d: two years", ALL, "1 h 730 v f=b@x.org",
	    "d msgfromdomain ham yes 1" },
	{ "d: older", ALL, "1 h 730+ v f=b@x.org", "g none unknown no 0" },
	{ "d: mixed stops there", ALL, "1 h 1 v f=b@x.org; 1 j 1 v f=b@x.org;"
	    " 2 j 1 d=x.org; sent b@x.org 1",
	    "d msgfromdomain unknown no 2" },
	{ "d: validated otherwise, not now", RAW, "2 h 1 v f=b@x.org",
	    "d msgfromdomain junk no 2" },
	{ "d: and junk then", RAW, "2 j 1 v f=b@x.org",
	    "d msgfromdomain junk yes 2" },
	{ "d: of two only", RAW, "2 j 1 v f=b@x.org; 5 h 2 v f=b@x.org",
	    "d msgfromdomain junk yes 2" },
	{ "d: validated otherwise, older", RAW, "2 j 730+ v f=b@x.org",
	    "g none unknown no 0" },
	{ "d: same first", RAW, "1 h 9 f=b@x.org; 2 j 1 v f=b@x.org",
	    "d msgfromdomain ham yes 1" },
	{ "d: validated does not see what was not", ALL,
	    "5 j 1 f=b@x.org", "g none unknown no 0" },
	{ "d: written to the domain", RAW, "sent b@x.org 730",
	    "d msgtodomain ham yes 0" },
	{ "d: longer ago", RAW, "sent b@x.org 730+", "g none unknown no 0" },
	{ "d: history before writing", ALL,
	    "3 j 1 v f=b@x.org; sent b@x.org 1",
	    "d msgfromdomain junk no 3" },
	/* ---- d, the organisational domain ---- */
	{ "d: the organisation's other domain", "v f=a@m.x.org",
	    "1 h 1 v f=b@n.x.org", "d msgfromorgdomain ham yes 1" },
	{ "d: and the domain itself", "v f=a@m.x.org", "1 h 1 v f=b@x.org",
	    "d msgfromorgdomain ham yes 1" },
	{ "d: the exact one first", "v f=a@m.x.org",
	    "1 j 1 v f=b@n.x.org; 1 h 9 v f=c@m.x.org",
	    "d msgfromdomain ham yes 1" },
	{ "d: written to the exact one before the organisation",
	    "v f=a@m.x.org", "3 j 1 v f=b@n.x.org; sent c@m.x.org 1",
	    "d msgtodomain ham yes 0" },
	{ "d: junk of the organisation", "v f=a@m.x.org",
	    "1 j 1 v f=b@n.x.org; 1 j 1 v f=c@o.x.org; 1 j 1 v f=d@x.org",
	    "d msgfromorgdomain junk yes 3" },
	{ "d: validated otherwise in the organisation", "f=a@m.x.org",
	    "2 j 1 v f=b@n.x.org", "d msgfromorgdomain junk yes 2" },
	{ "d: written to the organisation", "v f=a@m.x.org",
	    "sent c@n.x.org 1", "d msgtoorgdomain ham yes 0" },
	{ "d: history of the organisation before writing", "v f=a@m.x.org",
	    "1 h 9 v f=b@n.x.org; sent c@n.x.org 1",
	    "d msgfromorgdomain ham yes 1" },
	{ "d before e", ALL, "1 h 1 v f=b@x.org; 9 j 1 d=x.org",
	    "d msgfromdomain ham yes 1" },
	/* ---- e ---- */
	{ "e: ham of a signer", ALL, "1 h 1 d=x.org",
	    "e dkimspf ham yes 1" },
	{ "e: one junk is not enough", ALL, "1 j 1 d=x.org",
	    "e dkimspf junk no 1" },
	{ "e: two are", ALL, "2 j 1 d=x.org", "e dkimspf junk yes 2" },
	{ "e: a tenth is no ham vote", ALL, "9 h 1 d=x.org; 1 j 1 d=x.org",
	    "e dkimspf unknown no 10" },
	{ "e: less is", ALL, "10 h 1 d=x.org; 1 j 1 d=x.org",
	    "e dkimspf ham yes 11" },
	{ "e: nine tenths is no vote for junk", ALL,
	    "1 h 1 d=x.org; 9 j 1 d=x.org", "e dkimspf unknown no 10" },
	{ "e: more is", ALL, "1 h 1 d=x.org; 10 j 1 d=x.org",
	    "e dkimspf junk yes 11" },
	{ "e: half a year", ALL, "2 j 182 d=x.org",
	    "e dkimspf junk yes 2" },
	{ "e: older", ALL, "2 j 183 d=x.org", "g none unknown no 0" },
	{ "e: 50 of them", ALL, "50 j 1 d=x.org; 50 h 2 d=x.org",
	    "e dkimspf junk yes 50" },
	{ "e: two signers against each other", "d=x.org d=y.org",
	    "2 j 1 d=x.org; 2 h 1 d=y.org", "e dkimspf unknown no 4" },
	{ "e: two signers, one of both kinds", "d=x.org d=y.org",
	    "1 j 1 d=x.org; 1 h 1 d=x.org; 2 h 1 d=y.org",
	    "e dkimspf ham yes 4" },
	{ "e: the longest list counts, not the last", "d=x.org d=y.org",
	    "2 j 1 d=x.org; 1 j 1 d=y.org", "e dkimspf junk yes 3" },
	{ "e: SPF, the address", "m=a@x.org",
	    "1 h 1 m=a@x.org; 9 j 1 m=b@x.org", "e dkimspf ham yes 1" },
	{ "e: of the address half a year, too", "m=a@x.org",
	    "2 j 183 m=a@x.org; 1 h 1 m=b@x.org", "e dkimspf ham yes 1" },
	{ "e: else the domain", "m=a@x.org", "2 j 1 m=b@x.org",
	    "e dkimspf junk yes 2" },
	{ "e: else HELO", "m=a@x.org e=mx.x.org", "2 j 1 e=mx.x.org",
	    "e dkimspf junk yes 2" },
	{ "e: HELO only if there is nothing else", "m=a@x.org e=mx.x.org",
	    "9 j 1 e=mx.x.org; 1 h 1 m=b@x.org", "e dkimspf ham yes 1" },
	{ "e: SPF against DKIM", "d=y.org m=a@x.org",
	    "2 j 1 m=a@x.org; 2 h 1 d=y.org", "e dkimspf unknown no 4" },
	{ "e without a From domain", "d=x.org", "1 h 1 d=x.org f=a@x.org",
	    "e dkimspf ham yes 1" },
	{ "e before f", ALL, "1 h 9 d=x.org; 50 j 1 i=192.0.2.1",
	    "e dkimspf ham yes 1" },
	/* ---- f ---- */
	{ "f: one from the address is not enough", RAW, "1 j 1 i=192.0.2.1",
	    "f ip1 junk no 1" },
	{ "f: two are", RAW, "2 j 1 i=192.0.2.1", "f ip1 junk yes 2" },
	{ "f: ham, too", RAW, "2 h 1 i=192.0.2.1", "f ip1 ham yes 2" },
	{ "f: a quarter", RAW, "3 h 1 i=192.0.2.1; 1 j 1 i=192.0.2.1",
	    "f ip1 unknown no 4" },
	{ "f: below it", RAW, "4 h 1 i=192.0.2.1; 1 j 1 i=192.0.2.1",
	    "f ip1 ham no 5" },
	{ "f: three quarters", RAW, "1 h 1 i=192.0.2.1; 3 j 1 i=192.0.2.1",
	    "f ip1 unknown no 4" },
	{ "f: above it", RAW, "1 h 1 i=192.0.2.1; 4 j 1 i=192.0.2.1",
	    "f ip1 junk no 5" },
	{ "f: a tenth is clear", RAW,
	    "9 h 1 i=192.0.2.1; 1 j 1 i=192.0.2.1", "f ip1 ham yes 10" },
	{ "f: nine tenths", RAW, "1 h 1 i=192.0.2.1; 9 j 1 i=192.0.2.1",
	    "f ip1 junk yes 10" },
	{ "f: three months", RAW, "2 j 91 i=192.0.2.1", "f ip1 junk yes 2" },
	{ "f: older", RAW, "2 j 92 i=192.0.2.1", "g none unknown no 0" },
	{ "f: 50 of them", RAW, "50 j 1 i=192.0.2.1; 50 h 2 i=192.0.2.1",
	    "f ip1 junk yes 50" },
	{ "f: the net needs five", RAW, "4 j 1 i=192.0.2.63",
	    "f ip2 junk no 4" },
	{ "f: five of the net", RAW, "5 j 1 i=192.0.2.63",
	    "f ip2 junk yes 5" },
	{ "f: not of the next net", RAW, "9 j 1 i=192.0.2.64",
	    "f ip3 junk no 9" },
	{ "f: the wider net needs ten", RAW, "10 j 1 i=192.0.7.255",
	    "f ip3 junk yes 10" },
	{ "f: not of the next", RAW, "10 j 1 i=192.0.8.0",
	    "g none unknown no 0" },
	{ "f: the address first", RAW,
	    "1 h 9 i=192.0.2.1; 20 j 1 i=192.0.2.2", "f ip1 ham no 1" },
	{ "f: the net before the wider one", RAW,
	    "1 h 9 i=192.0.2.2; 20 j 1 i=192.0.3.2", "f ip2 ham no 1" },
	{ "f: IPv6 /64", "i=2001:db8::1", "2 j 1 i=2001:db8::2",
	    "f ip1 junk yes 2" },
	{ "f: IPv6 /48", "i=2001:db8::1", "5 j 1 i=2001:db8:0:1::2",
	    "f ip2 junk yes 5" },
	{ "f: IPv6 /32", "i=2001:db8::1", "10 j 1 i=2001:db8:1::2",
	    "f ip3 junk yes 10" },
	{ "f: IPv6 beyond", "i=2001:db8::1", "10 j 1 i=2001:db9::2",
	    "g none unknown no 0" },
	/* ---- g ---- */
	{ "g: nothing", ALL, "", "g none unknown no 0" },
	{ "g: no facts at all", "", "9 j 1 v f=a@x.org d=x.org",
	    "g none unknown no 0" },
};

static const char *
shown(const struct reputation *r, char out[200])
{
	(void)snprintf(out, 200, "%c %s %s %s %zu", r->step,
	    reputation_method_name(r->method), reputation_junk_name(r->junk),
	    r->conclusive ? "yes" : "no", r->nmessages);
	return out;
}

static void
step(void **state)
{
	const struct judge_case *c = *state;
	struct arena a = ARENA_INIT;
	static struct history h;
	struct reputation r;
	struct origin o;
	char text[200];

	read_history(c->history, &h);
	read_origin(c->origin, &o);
	assert_int_equal(judge(&a, &h, &o, &r), 0);
	assert_string_equal(shown(&r, text), c->want);
	assert_true(r.why.n > 0);
	arena_free(&a);
}

/* Whatever the history, each question may fail; none is asked after it. */
static void
sources_that_fail(void **state)
{
	static const char *const origins[] = { ALL, RAW, "f=a@m.x.org d=a.org "
	    "d=b.org e=x.org i=2001:db8::1", "v f=a@m.x.org m=a@b.org "
	    "e=c.org i=192.0.2.1" };
	struct arena a = ARENA_INIT;
	static struct history h;
	struct reputation r;
	struct origin o;
	unsigned int all;

	(void)state;
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		read_history("", &h);
		read_origin(origins[i], &o);
		assert_int_equal(judge(&a, &h, &o, &r), 0);
		all = h.asked;
		assert_true(all >= 9);
		for (unsigned int n = 1; n <= all; n++) {
			h.asked = 0;
			h.fail_at = n;
			memset(&r, 7, sizeof(r));
			assert_int_equal(judge(&a, &h, &o, &r), -1);
			assert_int_equal(errno, EIO);
			assert_int_equal(h.asked, n);
			assert_int_equal(r.nmessages % 7, 0x0707070707070707 %
			    7);
		}
	}
	arena_free(&a);
}

static void
weak_methods(void **state)
{
	(void)state;
	for (int m = 0; m <= REPUTATION_BY_NONE; m++)
		assert_int_equal(reputation_is_weak((enum reputation_method)m),
		    m >= REPUTATION_BY_DKIMSPF);
	assert_string_equal(reputation_method_name(REPUTATION_BY_DKIMSPF),
	    "dkimspf");
}

/* ---- rates ---- */

#define MIB ((uint64_t)1024 * 1024)
static const struct {
	int window, mask;
	uint64_t count, mib;
} limits[] = {
	{ REPUTATION_MINUTE, 0, 500, 1000 },
	{ REPUTATION_MINUTE, 1, 1500, 3000 },
	{ REPUTATION_MINUTE, 2, 4500, 9000 },
	{ REPUTATION_DAY, 0, 10000, 3000 },
	{ REPUTATION_DAY, 1, 30000, 9000 },
	{ REPUTATION_DAY, 2, 90000, 27000 },
};

static void
rates_at_their_limits(void **state)
{
	struct reputation_rates r;
	const uint64_t size = 12345;

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t *count, *bytes;

		r = (struct reputation_rates){ 0 };
		count = &r.count[limits[i].window][limits[i].mask];
		bytes = &r.bytes[limits[i].window][limits[i].mask];
		assert_null(reputation_rates_check(&r, size));
		*count = limits[i].count - 1;
		assert_null(reputation_rates_check(&r, size));
		*count = limits[i].count;
		assert_non_null(reputation_rates_check(&r, 0));
		*count = 0;
		*bytes = limits[i].mib * MIB - size;
		assert_null(reputation_rates_check(&r, size));
		assert_non_null(reputation_rates_check(&r, size + 1));
		*bytes = UINT64_MAX;
		assert_non_null(reputation_rates_check(&r, 1));
	}
}

int
main(void)
{
	enum { N = sizeof(steps) / sizeof(steps[0]) };
	static char names[N][120];
	static struct CMUnitTest tests[N + 3];

	for (size_t i = 0; i < N; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "J-2 step %s",
		    steps[i].what);
		tests[i] = (struct CMUnitTest){ names[i], step, NULL, NULL,
		    (void *)(uintptr_t)&steps[i] };
	}
	tests[N] = (struct CMUnitTest)cmocka_unit_test(sources_that_fail);
	tests[N + 1] = (struct CMUnitTest)cmocka_unit_test(weak_methods);
	tests[N + 2] = (struct CMUnitTest){ "R-29 rates at their limits, and "
	    "one past", rates_at_their_limits, NULL, NULL, NULL };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("reputation", tests, NULL, NULL);
}
