/* Tests of what lib/dns keeps: how long an answer says it may be, and that a
 * kept one is given instead of a question to the server. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dns/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;

static int
reset(void **state)
{
	(void)state;
	arena_free(&arena);
	(void)unsetenv("PIPEMAIL_DNS");
	return 0;
}

/* ---- messages ---- */

/* Names on the wire. */
#define EXAMPLE "\7example\0"
#define HOST "\1a" EXAMPLE
#define OTHER "\1b" EXAMPLE
#define LOWEST "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"	/* of a SOA */
#define W(s) { s, sizeof(s) - 1 }

struct wire {
	const char *p;
	size_t n;
};

struct record {
	struct wire name;
	int type;
	uint32_t ttl;
	struct wire data;
};

static void
put(struct buf *b, uint32_t v, size_t bytes)
{
	while (bytes-- > 0)
		assert_int_equal(buf_addc(b, (int)(v >> 8 * bytes & 255)), 0);
}

static void
put_wire(struct buf *b, const struct wire *w)
{
	assert_int_equal(buf_add(b, bytes_of(w->p, w->n)), 0);
}

struct keep_row {
	const char *what;
	unsigned int rcode;
	struct record answers[3], soa;	/* data.n 0: none */
	enum dns_parsed parsed;
	uint32_t want;
};

static size_t
count_records(const struct record *r, size_t max)
{
	size_t n = 0;

	while (n < max && r[n].name.n > 0)
		n++;
	return n;
}

/* The answer to "a.example A". */
static void
make_message(struct buf *b, const struct keep_row *row)
{
	size_t n = count_records(row->answers, COUNT(row->answers)), i;
	size_t nsoa = count_records(&row->soa, 1);
	const struct record *r;
	struct wire asked = W(HOST);

	put(b, 7, 2);
	put(b, 0x8180 | row->rcode, 2);
	put(b, 1, 2);
	put(b, (uint32_t)n, 2);
	put(b, (uint32_t)nsoa, 2);
	put(b, 0, 2);
	put_wire(b, &asked);
	put(b, DNS_A, 2);
	put(b, 1, 2);
	for (i = 0; i < n + nsoa; i++) {
		r = i < n ? &row->answers[i] : &row->soa;
		put_wire(b, &r->name);
		put(b, (uint32_t)r->type, 2);
		put(b, 1, 2);
		put(b, r->ttl, 4);
		put(b, (uint32_t)r->data.n, 2);
		put_wire(b, &r->data);
	}
}

#define IP W("\300\0\2\1")
#define SOA(name, ttl, minimum) \
	{ W(name), 6, ttl, W("\0\0" LOWEST "\0\0\0" minimum) }

static const struct keep_row keep_rows[] = {
	{ .what = "a record", .want = 60,
	    .answers = { { W(HOST), DNS_A, 60, IP } } },
	{ .what = "the least of two", .want = 50,
	    .answers = { { W(HOST), DNS_A, 60, IP },
	    { W(HOST), DNS_A, 50, W("\300\0\2\2") } } },
	{ .what = "the same twice", .want = 50,
	    .answers = { { W(HOST), DNS_A, 60, IP },
	    { W(HOST), DNS_A, 50, IP } } },
	{ .what = "no other's", .want = 60,
	    .answers = { { W(HOST), DNS_A, 60, IP },
	    { W(OTHER), DNS_A, 1, IP } } },
	{ .what = "not at all", .want = 0,
	    .answers = { { W(HOST), DNS_A, 0, IP } } },
	{ .what = "the most", .want = 0x7fffffff,
	    .answers = { { W(HOST), DNS_A, 0x7fffffff, IP } } },
	{ .what = "RFC 2181 8: more than that is nothing", .want = 0,
	    .answers = { { W(HOST), DNS_A, 0x80000000, IP } } },
	{ .what = "an alias for less", .want = 20,
	    .answers = { { W(HOST), DNS_CNAME, 20, W(OTHER) },
	    { W(OTHER), DNS_A, 60, IP } } },
	{ .what = "an alias for more", .want = 60,
	    .answers = { { W(HOST), DNS_CNAME, 90, W(OTHER) },
	    { W(OTHER), DNS_A, 60, IP } } },
	{ .what = "an alias without its end", .want = 0,
	    .parsed = DNS_PARSED_ALIAS,
	    .answers = { { W(HOST), DNS_CNAME, 20, W(OTHER) } } },
	{ .what = "no such record, nobody says how long", .want = 0 },
	{ .what = "no such record, MINIMUM", .want = 30,
	    .soa = SOA(EXAMPLE, 90, "\36") },
	{ .what = "no such record, TTL of the SOA", .want = 15,
	    .soa = SOA(HOST, 15, "\36") },
	{ .what = "no such name", .want = 30, .rcode = 3,
	    .soa = SOA("\0", 90, "\36") },
	{ .what = "no such name, nobody says how long", .want = 0,
	    .rcode = 3 },
	{ .what = "no such name, another's SOA", .want = 0, .rcode = 3,
	    .soa = SOA(OTHER, 90, "\36") },
	{ .what = "no such name, the SOA of the alias's end", .want = 20,
	    .answers = { { W(HOST), DNS_CNAME, 20, W(OTHER) } }, .rcode = 3,
	    .soa = SOA(OTHER, 90, "\36") },
	{ .what = "no such name, an SOA too short for one", .want = 0,
	    .rcode = 3,
	    .soa = { W(EXAMPLE), 6, 90, W("\0" LOWEST "\0\0\0\36") } },
	{ .what = "a failure", .want = 0, .rcode = 2,
	    .parsed = DNS_PARSED_FAILED, .soa = SOA(EXAMPLE, 90, "\36") },
	{ .what = "malformed", .want = 0, .parsed = DNS_PARSED_BAD,
	    .answers = { { W(HOST), DNS_A, 60, W("\300\0\2") } } },
};

static void
test_keep_seconds(void **state)
{
	const struct keep_row *row;
	struct dns_answer answer;
	enum dns_parsed parsed;
	struct buf b;

	(void)state;
	for (row = keep_rows; row < keep_rows + COUNT(keep_rows); row++) {
		b = BUF_INIT(DNS_MESSAGE_MAX);
		make_message(&b, row);
		parsed = dns_parse(buf_bytes(&b), 7, DNS_A,
		    BYTES("a.example"), &arena, &answer);
		if (parsed != row->parsed || answer.keep_seconds != row->want)
			fail_msg("%s: %d, %u s", row->what, parsed,
			    answer.keep_seconds);
		buf_free(&b);
	}
}

/* ---- the cache ---- */

static void
keep_one(struct dns_cache *c, const char *name, unsigned char last,
    uint32_t seconds)
{
	struct dns_record r = { .type = DNS_A, .ttl_seconds = seconds,
	    .ip = { .family = AF_INET, .a = { 192, 0, 2, last } } };
	struct dns_answer answer = { .name = bytes_str(name), .why = "",
	    .records = &r, .nrecords = 1, .keep_seconds = seconds };

	dns_cache_put(c, DNS_A, bytes_str(name), 100, &answer);
}

/* The last byte of its address; -1: it is not kept. */
static int
kept(const struct dns_cache *c, const char *name)
{
	struct dns_answer answer;

	if (!dns_cache_find(c, &arena, DNS_A, bytes_str(name), &answer))
		return -1;
	assert_int_equal(answer.nrecords, 1);
	return answer.records[0].ip.a[3];
}

/* Two strings, wherever they came from, and what stands beside them. */
static void
test_copy(void **state)
{
	char name[] = "mx.example", text[] = "text";
	struct dns_record r[2] = {
		{ .type = DNS_MX, .ttl_seconds = 900, .preference = 5,
		    .name = bytes_str(name), .data = BYTES_EMPTY },
		{ .type = DNS_MX, .ttl_seconds = 950, .preference = 6,
		    .name = bytes_str(name), .data = bytes_str(text) } };
	struct dns_answer answer = { .status = DNS_OK, .authentic = true,
	    .name = bytes_str(name), .aliases = 2, .records = r,
	    .nrecords = 2, .why = "", .keep_seconds = 900,
	    .extended = { true, 6, bytes_str(text) } }, got;
	struct dns_cache *c = dns_cache_new();

	(void)state;
	dns_cache_put(c, DNS_MX, bytes_str(name), 100, &answer);
	memset(name, 'x', sizeof(name) - 1);
	memset(text, 'x', sizeof(text) - 1);
	assert_false(dns_cache_find(c, &arena, DNS_A, BYTES("mx.example"),
	    &got));
	assert_false(dns_cache_find(c, &arena, DNS_MX, BYTES("mx.exampl"),
	    &got));
	assert_true(dns_cache_find(c, &arena, DNS_MX, BYTES("mx.example"),
	    &got));
	dns_cache_free(c);
	assert_int_equal(got.status, DNS_OK);
	assert_true(got.authentic);
	assert_int_equal(got.aliases, 2);
	assert_int_equal(got.nrecords, 2);
	assert_int_equal(got.records[1].preference, 6);
	assert_int_equal(got.records[1].ttl_seconds, 950);
	assert_true(bytes_eq(got.name, BYTES("mx.example")));
	assert_true(bytes_eq(got.records[0].name, BYTES("mx.example")));
	assert_true(bytes_eq(got.records[1].data, BYTES("text")));
	assert_true(bytes_eq(got.extended.text, BYTES("text")));
	assert_int_equal(got.keep_seconds, DNS_CACHE_SECONDS_MAX);
}

static void
test_time(void **state)
{
	struct dns_cache *c = dns_cache_new();
	int64_t start = time_mono_ms();
	struct dns_answer got;

	(void)state;
	keep_one(c, "never.example", 1, 0);
	keep_one(c, "short.example", 2, 1);
	keep_one(c, "long.example", 3, 20);
	assert_int_equal(kept(c, "never.example"), -1);
	assert_true(kept(c, "short.example") == 2 ||
	    time_mono_ms() - start >= 1000);
	while (kept(c, "short.example") == 2)
		assert_true(time_mono_ms() - start < 15000);
	assert_true(time_mono_ms() - start >= 1000);
	assert_true(dns_cache_find(c, &arena, DNS_A, BYTES("long.example"),
	    &got));
	assert_true(got.records[0].ttl_seconds < 20);
	assert_int_equal(got.records[0].ttl_seconds, got.keep_seconds);
	keep_one(c, "long.example", 4, 20);
	assert_int_equal(kept(c, "long.example"), 4);
	dns_cache_free(c);
	assert_int_equal(kept(NULL, "a"), -1);
	keep_one(NULL, "a", 1, 20);
	dns_cache_free(NULL);
}

static void
test_room(void **state)
{
	struct dns_cache *c = dns_cache_new();
	struct dns_answer none = { .status = DNS_NODATA, .name = BYTES_EMPTY,
	    .why = "", .keep_seconds = 9 };
	char name[16];
	int i;

	(void)state;
	dns_cache_put(c, DNS_TXT, BYTES("a"), DNS_CACHE_MESSAGE_MAX + 1,
	    &none);
	assert_false(dns_cache_find(c, &arena, DNS_TXT, BYTES("a"), &none));
	dns_cache_put(c, DNS_TXT, BYTES("a"), DNS_CACHE_MESSAGE_MAX, &none);
	assert_true(dns_cache_find(c, &arena, DNS_TXT, BYTES("a"), &none));
	/* with that one it is full; two more, and the first to end go */
	for (i = 0; i < DNS_CACHE_ENTRIES + 1; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		keep_one(c, name, (unsigned char)i, i == 30 ? 50 : 100);
	}
	assert_false(dns_cache_find(c, &arena, DNS_TXT, BYTES("a"), &none));
	for (i = 0; i < DNS_CACHE_ENTRIES + 1; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(kept(c, name), i == 30 ? -1 : i);
	}
	dns_cache_free(c);
}

/* ---- look-ups ---- */

/* Answers the i-th query with an address that ends in i. */
static pid_t
start_server(struct dns_server *server, uint32_t ttl)
{
	struct keep_row row = { .answers = { { W(HOST), DNS_A, ttl, IP } } };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_storage sa;
	socklen_t n;
	unsigned char q[600];
	struct buf b;
	pid_t pid;
	ssize_t got;

	assert_int_equal(dns_server_parse(BYTES("127.0.0.1:1"), server), 0);
	n = (socklen_t)ip_to_sockaddr(&server->ip, 0, &sa);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	n = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	ip_from_sockaddr((struct sockaddr *)&sa, &server->ip, &server->port);
	if ((pid = fork()) != 0) {
		assert_true(pid > 0);
		(void)close(fd);
		return pid;
	}
	(void)alarm(60);	/* never left behind */
	b = BUF_INIT(DNS_MESSAGE_MAX);
	make_message(&b, &row);
	b.p[3] |= 0x20;		/* AD */
	for (;;) {
		n = sizeof(sa);
		got = recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&sa,
		    &n);
		if (got < 2)
			continue;
		memcpy(b.p, q, 2);
		b.p[b.n - 1]++;
		(void)sendto(fd, b.p, b.n, 0, (struct sockaddr *)&sa, n);
	}
}

static void
stop_server(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Which answer a.example has, in a resolver of its own. */
static int
look_up(const struct dns_options *o, const char *name, bool authentic)
{
	struct dns *d = dns_new(o);
	const struct dns_answer *r;
	int last;

	r = dns_lookup(d, &arena, DNS_A, bytes_str(name));
	assert_int_equal(r->status, DNS_OK);
	assert_int_equal(r->authentic, authentic);
	last = r->records[0].ip.a[3];
	dns_free(d);
	return last;
}

static void
test_look_up(void **state)
{
	static const struct dns_static table[] = {
		{ { (const unsigned char *)"c.example", 9 }, DNS_CNAME,
		    { (const unsigned char *)"a.example", 9 } },
		{ { (const unsigned char *)"a.example", 9 }, DNS_A,
		    { (const unsigned char *)"192.0.2.99", 10 } },
	};
	struct dns_options o = { .nservers = 1 };
	struct dns_cache *c = dns_cache_new();
	pid_t pid = start_server(&o.servers[0], 60);

	(void)state;
	assert_int_equal(look_up(&o, "a.example", true), 2);
	assert_int_equal(look_up(&o, "a.example", true), 3);
	o.cache = c;
	/* at first by an alias nobody vouches for */
	o.table = table;
	o.ntable = 1;
	assert_int_equal(look_up(&o, "c.example", false), 4);
	assert_int_equal(look_up(&o, "a.example", true), 4);
	assert_int_equal(look_up(&o, "A.example.", true), 4);
	assert_int_equal(look_up(&o, "c.example", false), 4);
	/* what is configured counts, whatever is kept, and is not kept */
	o.ntable = 2;
	assert_int_equal(look_up(&o, "a.example", false), 99);
	o.ntable = 0;
	assert_int_equal(look_up(&o, "a.example", true), 4);
	stop_server(pid);
	assert_int_equal(look_up(&o, "a.example", true), 4);
	dns_cache_free(c);
}

/* Who was not trusted is not so later. A TTL of 0 is asked for each time. */
static void
test_not_kept(void **state)
{
	struct dns_options o = { .nservers = 1 };
	struct dns_cache *c = dns_cache_new();
	pid_t pid = start_server(&o.servers[0], 60);

	(void)state;
	o.cache = c;
	o.servers[0].trusted = false;
	assert_int_equal(look_up(&o, "a.example", false), 2);
	assert_int_equal(look_up(&o, "a.example", false), 2);
	stop_server(pid);
	dns_cache_free(c);
	o.cache = c = dns_cache_new();
	pid = start_server(&o.servers[0], 0);
	assert_int_equal(look_up(&o, "a.example", true), 2);
	assert_int_equal(look_up(&o, "a.example", true), 3);
	stop_server(pid);
	dns_cache_free(c);
}

int
main(void)
{
#define T(name, fn) { name, fn, reset, reset, NULL }
	const struct CMUnitTest tests[] = {
		T("how long an answer may be kept", test_keep_seconds),
		T("all of an answer is kept", test_copy),
		T("it is kept for its time, and no longer", test_time),
		T("so many, and of that size", test_room),
		T("a kept answer is not asked for again", test_look_up),
		T("what is not trusted, what is not kept", test_not_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dns_cache", tests, NULL, NULL);
}
