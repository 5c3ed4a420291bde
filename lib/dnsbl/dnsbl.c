/*
 * dnsbl.c - asking the zones
 */
#include "dnsbl/dnsbl.h"

#include <errno.h>
#include <sys/socket.h>

#include "dnsbl/internal.h"

/* ---- names ---- */

int
dnsbl_name(struct arena *a, const struct ip *ip, struct bytes zone,
    struct bytes *out)
{
	char reverse[DNS_REVERSE_MAX];
	struct bytes labels, name;
	size_t at;

	if (ip->family != AF_INET && ip->family != AF_INET6) {
		errno = EINVAL;
		return -1;
	}
	/* without ".in-addr.arpa" or ".ip6.arpa" */
	labels = bytes_str(dns_reverse(ip, reverse));
	for (int i = 0; i < 2; i++) {
		if (bytes_rchr(labels, '.', &at))
			labels = bytes_first(labels, at);
	}
	if (bytes_ends(zone, BYTES(".")))
		zone = bytes_first(zone, zone.n - 1);
	name = bytes_str(arena_printf(a, "%.*s.%.*s", BYTES_ARG(labels),
	    BYTES_ARG(zone)));
	if (!dns_name_valid(name)) {
		errno = EMSGSIZE;
		return -1;
	}
	*out = name;
	return 0;
}

/* ---- answers ---- */

static bool
is_listing(const struct ip *ip)
{
	return ip->family == AF_INET && ip->a[0] == 127 &&
	    !(ip->a[1] == 255 && ip->a[2] == 255);
}

static bool
is_refusal(const struct ip *ip)
{
	return ip->family == AF_INET && ip->a[0] == 127 && ip->a[1] == 255 &&
	    ip->a[2] == 255;
}

/* Records, and none that is a listing. */
static const char *
not_listed_why(const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->nrecords; i++) {
		if (is_refusal(&answer->records[i].ip))
			return "the zone refuses to answer us";
	}
	return "the answer is outside 127.0.0.0/8";
}

enum dnsbl_result
dnsbl_judge(const struct dns_answer *answer, struct ip *code,
    const char **why)
{
	switch (answer->status) {
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		return DNSBL_PASS;
	case DNS_TEMP:
	case DNS_BAD:
		*why = answer->why;
		return DNSBL_TEMPERROR;
	case DNS_OK:
		break;
	}
	for (size_t i = 0; i < answer->nrecords; i++) {
		if (!is_listing(&answer->records[i].ip))
			continue;
		*code = answer->records[i].ip;
		return DNSBL_FAIL;
	}
	*why = not_listed_why(answer);
	return DNSBL_TEMPERROR;
}

/* The operator's words, or what was made of them: no byte that could leave
 * its place in a reply or a field. */
struct bytes
dnsbl_text(struct arena *a, const struct dns_answer *answer)
{
	struct buf b = BUF_INIT(DNSBL_TEXT_MAX);
	struct bytes text;
	int c;

	for (size_t i = 0; i < answer->nrecords && !b.full; i++) {
		text = bytes_trim(answer->records[i].data);
		if (b.n > 0 && text.n > 0)
			(void)buf_adds(&b, "; ");	/* full: no more */
		while (!b.full && (c = bytes_next(&text)) != -1)
			(void)buf_addc(&b, c < 0x20 || c > 0x7e ? '?' : c);
	}
	text = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return text;
}

/* ---- one zone ---- */

/* Look-ups end in time for the zone. Returns the deadline before. */
static int64_t
limit_zone(struct dns *d, unsigned int zone_ms)
{
	int64_t own = deadline_in(zone_ms == 0 ? DNSBL_ZONE_MS : zone_ms);
	int64_t old = dns_set_deadline(d, own);

	if (old != DEADLINE_NONE && old < own)
		(void)dns_set_deadline(d, old);
	return old;
}

/* The two addresses of RFC 5782 5; those of IPv6 are IPv4-mapped, and asked
 * for by their nibbles. */
static struct ip
test_address(int family, unsigned char last)
{
	struct ip ip = { .family = family };
	static const unsigned char v4[4] = { 127, 0, 0, 0 };
	unsigned char *p = ip.a;

	if (family == AF_INET6) {
		ip.a[10] = ip.a[11] = 0xff;
		p = ip.a + 12;
	}
	memcpy(p, v4, sizeof(v4));
	p[3] = last;
	return ip;
}

static struct dns_query *
start_test(struct dns *d, struct arena *a, struct bytes zone, int family,
    unsigned char last)
{
	struct ip ip = test_address(family, last);
	struct bytes name;

	/* too long: an empty name, which is a bad one to ask for */
	return dns_start(d, a, DNS_A, dnsbl_name(a, &ip, zone, &name) == 0
	    ? name : BYTES_EMPTY);
}

struct tests {
	struct dns_query *absent, *present;
};

static struct tests
start_tests(struct dns *d, struct arena *a, struct bytes zone, int family)
{
	return (struct tests){ start_test(d, a, zone, family, 1),
	    start_test(d, a, zone, family, 2) };
}

static enum dnsbl_state
finish_tests(struct dns *d, const struct tests *t)
{
	enum dnsbl_result absent, present;
	const char *why;
	struct ip code;

	absent = dnsbl_judge(dns_wait(d, t->absent), &code, &why);
	present = dnsbl_judge(dns_wait(d, t->present), &code, &why);
	if (absent == DNSBL_FAIL)
		return DNSBL_LISTS_ALL;
	if (present == DNSBL_PASS)
		return DNSBL_LISTS_NOTHING;
	return absent == DNSBL_PASS && present == DNSBL_FAIL ? DNSBL_HEALTHY
	    : DNSBL_UNKNOWN;
}

enum dnsbl_state
dnsbl_zone_state(struct dns *d, struct arena *a, struct bytes zone,
    int family, unsigned int zone_ms)
{
	int64_t old = limit_zone(d, zone_ms);
	struct tests t = start_tests(d, a, zone, family);
	enum dnsbl_state state = finish_tests(d, &t);

	(void)dns_set_deadline(d, old);
	return state;
}

/* One that is listed: is the zone healthy, and what does it say? */
static void
look_closer(struct dns *d, struct arena *a, const struct dnsbl_options *o,
    int family, struct bytes name, struct dnsbl_answer *out)
{
	struct dns_query *q = dns_start(d, a, DNS_TXT, name);
	enum dnsbl_state state;
	struct tests t;

	if (!dnsbl_health_get(o->health, out->zone, family, time_mono_ms(),
	    &state)) {
		t = start_tests(d, a, out->zone, family);
		state = finish_tests(d, &t);
		dnsbl_health_put(o->health, out->zone, family,
		    time_mono_ms(), state);
	}
	out->text = dnsbl_text(a, dns_wait(d, q));
	if (state == DNSBL_HEALTHY || state == DNSBL_UNKNOWN)
		return;
	out->result = DNSBL_POLICY;
	out->text = BYTES_EMPTY;
	out->why = state == DNSBL_LISTS_ALL ? "the zone lists everything"
	    : "the zone lists nothing it must";
}

static void
ask_zone(struct dns *d, struct arena *a, const struct dnsbl_options *o,
    const struct ip *ip, struct dnsbl_answer *out)
{
	const struct dns_answer *answer;
	struct bytes name;

	if (dnsbl_name(a, ip, out->zone, &name) == -1) {
		out->result = DNSBL_TEMPERROR;
		out->why = "the name to ask for is too long";
		return;
	}
	answer = dns_lookup(d, a, DNS_A, name);
	out->result = dnsbl_judge(answer, &out->code, &out->why);
	if (out->result != DNSBL_FAIL)
		return;
	out->authentic = answer->authentic;
	look_closer(d, a, o, ip->family, name, out);
}

/* ---- all of them ---- */

/* What several zones that do not list the client come to. */
static enum dnsbl_result
milder(enum dnsbl_result r, enum dnsbl_result more)
{
	static const int rank[] = {
		[DNSBL_FAIL] = 4, [DNSBL_PASS] = 3, [DNSBL_TEMPERROR] = 2,
		[DNSBL_POLICY] = 1, [DNSBL_NONE] = 0,
	};

	return rank[more] > rank[r] ? more : r;
}

void
dnsbl_check(struct dns *d, struct arena *a, const struct dnsbl_options *o,
    const struct ip *ip, struct dnsbl *out)
{
	size_t n = o->nzones > DNSBL_ZONES_MAX ? DNSBL_ZONES_MAX : o->nzones;
	struct dnsbl_answer *answers = arena_zalloc(a, n, sizeof(*answers));
	int64_t old;

	*out = (struct dnsbl){ DNSBL_NONE, answers, 0 };
	if (ip->family != AF_INET && ip->family != AF_INET6)
		return;
	while (out->nanswers < n && out->result != DNSBL_FAIL) {
		struct dnsbl_answer *answer = &answers[out->nanswers];

		answer->zone = o->zones[out->nanswers++];
		answer->text = BYTES_EMPTY;
		answer->why = "";
		old = limit_zone(d, o->zone_ms);
		ask_zone(d, a, o, ip, answer);
		(void)dns_set_deadline(d, old);
		out->result = milder(out->result, answer->result);
	}
}
