/*
 * Tests of lib/dns look-ups: table, source, and servers: on loopback, whose
 * tries have one socket, and at an address of an interface, where there is
 * one, whose tries have one each.
 */
#include <errno.h>
#include <ifaddrs.h>
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
static struct ip fake_ip;		/* of servers */

/* An address that is not loopback; else one that is. */
static struct ip
interface_ip(void)
{
	struct ip found = { .a = { 127, 0, 0, 1 }, .family = AF_INET }, ip;
	struct ifaddrs *list, *i;
	int port;

	assert_int_equal(getifaddrs(&list), 0);
	for (i = list; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
			continue;
		ip_from_sockaddr(i->ifa_addr, &ip, &port);
		if (!ip_is_loopback(&ip))
			found = ip;
	}
	freeifaddrs(list);
	return found;
}

/* The state is the address of servers; NULL: loopback. */
static int
reset(void **state)
{
	fake_ip = *state == NULL ? (struct ip){ .a = { 127, 0, 0, 1 },
	    .family = AF_INET } : interface_ip();
	arena_free(&arena);
	(void)unsetenv("PIPEMAIL_DNS");
	return 0;
}

static void
assert_text(struct bytes s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.p, want, s.n);
}

/* ---- table and source ---- */

static const struct dns_static table[] = {
	{ { (const unsigned char *)"Host.Example.", 13 }, DNS_A,
	    { (const unsigned char *)"192.0.2.7", 9 } },
	{ { (const unsigned char *)"host.example", 12 }, DNS_A,
	    { (const unsigned char *)"not an address", 14 } },
	{ { (const unsigned char *)"host.example", 12 }, DNS_MX,
	    { (const unsigned char *)"20 MX2.example", 14 } },
	{ { (const unsigned char *)"host.example", 12 }, DNS_MX,
	    { (const unsigned char *)"10 mx1.example.", 15 } },
	{ { (const unsigned char *)"host.example", 12 }, DNS_TXT,
	    { (const unsigned char *)"v=spf1 -all", 11 } },
	{ { (const unsigned char *)"host.example", 12 }, DNS_TLSA,
	    { (const unsigned char *)"3 1 1 00ff", 10 } },
	{ { (const unsigned char *)"www.example", 11 }, DNS_CNAME,
	    { (const unsigned char *)"host.example", 12 } },
	{ { (const unsigned char *)"loop.example", 12 }, DNS_CNAME,
	    { (const unsigned char *)"loop.example", 12 } },
	{ { (const unsigned char *)"out.example", 11 }, DNS_CNAME,
	    { (const unsigned char *)"source.example", 14 } },
};

static int
answer_source(void *ctx, struct arena *a, enum dns_type type,
    struct bytes name, struct dns_answer *out)
{
	struct dns_record *r;

	(*(int *)ctx)++;
	if (!dns_name_eq(name, BYTES("source.example")) || type != DNS_A)
		return 0;
	r = arena_zalloc(a, 1, sizeof(*r));
	r->type = DNS_A;
	assert_int_equal(ip_parse(BYTES("192.0.2.8"), &r->ip), 0);
	out->status = DNS_OK;
	out->authentic = true;
	out->records = r;
	out->nrecords = 1;
	return 1;
}

static void
test_table(void **state)
{
	int asked = 0;
	struct dns_options o = { .table = table, .ntable = COUNT(table),
		.source = { answer_source, &asked }, .nservers = 1 };
	const struct dns_answer *r;
	struct dns *d;

	(void)state;
	assert_int_equal(dns_server_parse(BYTES("127.0.0.1:1"),
	    &o.servers[0]), 0);
	d = dns_new(&o);
	assert_non_null(d);
	r = dns_lookup(d, &arena, DNS_A, BYTES("HOST.example"));
	assert_int_equal(r->status, DNS_OK);
	assert_int_equal(r->nrecords, 1);
	assert_false(r->authentic);
	r = dns_lookup(d, &arena, DNS_MX, BYTES("host.example"));
	assert_int_equal(r->records[0].preference, 10);
	assert_text(r->records[0].name, "mx1.example");
	assert_text(r->records[1].name, "mx2.example");
	r = dns_lookup(d, &arena, DNS_TLSA, BYTES("host.example"));
	assert_int_equal(r->records[0].data.n, 2);
	r = dns_lookup(d, &arena, DNS_A, BYTES("www.example."));
	assert_int_equal(r->status, DNS_OK);
	assert_text(r->name, "host.example");
	r = dns_lookup(d, &arena, DNS_CNAME, BYTES("www.example"));
	assert_text(r->records[0].name, "host.example");
	r = dns_lookup(d, &arena, DNS_AAAA, BYTES("host.example"));
	assert_int_equal(r->status, DNS_NODATA);
	r = dns_lookup(d, &arena, DNS_A, BYTES("loop.example"));
	assert_int_equal(r->status, DNS_BAD);
	assert_int_equal(asked, 0);
	r = dns_lookup(d, &arena, DNS_A, BYTES("out.example"));
	assert_int_equal(r->status, DNS_OK);
	assert_false(r->authentic);	/* the alias was not */
	r = dns_lookup(d, &arena, DNS_A, BYTES("source.example"));
	assert_true(r->authentic);
	assert_int_equal(asked, 2);
	r = dns_lookup(d, &arena, DNS_A, BYTES("a..b"));
	assert_int_equal(r->status, DNS_BAD);
	r = dns_lookup(d, &arena, DNS_A, BYTES("other.example"));
	assert_int_equal(r->status, DNS_TEMP);	/* nothing at port 1 */
	assert_int_equal(asked, 3);
	dns_free(d);
}

static void
test_environment(void **state)
{
	(void)state;
	assert_int_equal(setenv("PIPEMAIL_DNS", "localhost", 1), 0);
	assert_null(dns_new(NULL));
	assert_int_equal(errno, EINVAL);
	dns_free(NULL);
}

/* ---- where to ask ---- */

static size_t
servers_of(const char *conf, struct dns *d)
{
	char path[] = "/tmp/dns_server_test.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd != -1);
	assert_int_equal(io_write_all(fd, bytes_str(conf), DEADLINE_NONE), 0);
	(void)close(fd);
	assert_int_equal(dns_servers_init(d, NULL, path), 0);
	assert_int_equal(unlink(path), 0);
	return d->nservers;
}

static void
test_resolv_conf(void **state)
{
	struct dns d = { .nservers = 0 };
	char ip[IP_TEXT_MAX];

	(void)state;
	assert_int_equal(servers_of("# text\nsearch example\n"
	    "nameserver 192.0.2.1\nnameserver fe80::1%eth0\n"
	    " nameserver\t2001:db8::1 \nnameserver 127.0.0.53\n", &d), 3);
	assert_string_equal(ip_format(&d.servers[1].ip, ip), "2001:db8::1");
	assert_int_equal(d.servers[1].port, 53);
	assert_false(d.servers[0].trusted);
	assert_true(d.servers[2].trusted);
	assert_int_equal(servers_of("options edns0 trust-ad\n"
	    "nameserver 192.0.2.1\n", &d), 1);
	assert_true(d.servers[0].trusted);
	assert_int_equal(servers_of("nameserver x\n", &d), 1);
	assert_string_equal(ip_format(&d.servers[0].ip, ip), "127.0.0.1");
	assert_int_equal(dns_servers_init(&d, NULL, "/nonexistent"), 0);
	assert_int_equal(d.nservers, 1);
	assert_int_equal(dns_servers_init(&d, NULL, "/"), -1);
}

/* What is configured stays; else as dns_new, the environment first. */
static void
test_system(void **state)
{
	struct dns_options o = { .nservers = 0 };
	const char *env = getenv("PIPEMAIL_DNS");
	char *before = env == NULL ? NULL : mem_strdup(env);

	(void)state;
	assert_int_equal(setenv("PIPEMAIL_DNS", "127.0.0.9:5353", 1), 0);
	assert_int_equal(dns_options_system(&o), 0);
	assert_int_equal(o.nservers, 1);
	assert_int_equal(o.servers[0].port, 5353);
	o.servers[0].port = 53;
	assert_int_equal(dns_options_system(&o), 0);
	assert_int_equal(o.servers[0].port, 53);
	o.nservers = 0;
	assert_int_equal(setenv("PIPEMAIL_DNS", "nonsense", 1), 0);
	assert_int_equal(dns_options_system(&o), -1);
	assert_int_equal(o.nservers, 0);
	assert_int_equal(unsetenv("PIPEMAIL_DNS"), 0);
	assert_int_equal(dns_options_system(&o), 0);
	assert_true(o.nservers > 0);
	if (before != NULL)
		assert_int_equal(setenv("PIPEMAIL_DNS", before, 1), 0);
	free(before);
}

/* ---- servers ---- */

struct fake {
	pid_t pid;
	int port;
	/* What the server does with the i-th datagram. */
	void (*serve)(int fd, int i, const unsigned char *q, size_t n,
	    const struct sockaddr *from, socklen_t from_n);
};

/* The query with an answer of one A record put behind its question. */
static void
reply(int fd, const unsigned char *q, size_t n, unsigned char last,
    const struct sockaddr *from, socklen_t from_n)
{
	unsigned char m[600] = { 0 };
	size_t end = 12;

	while (end < n && q[end] != 0)
		end += 1U + q[end];
	end += 5;
	memcpy(m, q, end);
	memcpy(m + 2, "\x81\xa0\0\1\0\1\0\0\0\0", 10);
	memcpy(m + end, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2", 15);
	m[end + 15] = last;
	(void)sendto(fd, m, end + 16, 0, from, from_n);
}

static void
serve_always(int fd, int i, const unsigned char *q, size_t n,
    const struct sockaddr *from, socklen_t from_n)
{
	(void)i;
	reply(fd, q, n, 1, from, from_n);
}

static void
serve_never(int fd, int i, const unsigned char *q, size_t n,
    const struct sockaddr *from, socklen_t from_n)
{
	(void)fd, (void)i, (void)q, (void)n, (void)from, (void)from_n;
}

/* The first is lost. */
static void
serve_second(int fd, int i, const unsigned char *q, size_t n,
    const struct sockaddr *from, socklen_t from_n)
{
	if (i > 0)
		reply(fd, q, n, 2, from, from_n);
}

/* A wrong id, another question, rubbish, and then the answer. */
static void
serve_strays(int fd, int i, const unsigned char *q, size_t n,
    const struct sockaddr *from, socklen_t from_n)
{
	unsigned char bad[600];

	(void)i;
	memcpy(bad, q, n);
	bad[0] ^= 0xff;
	reply(fd, bad, n, 66, from, from_n);
	memcpy(bad, q, n);
	bad[13] ^= 1;
	reply(fd, bad, n, 67, from, from_n);
	(void)sendto(fd, "", 0, 0, from, from_n);
	(void)sendto(fd, q, n, 0, from, from_n);
	reply(fd, q, n, 3, from, from_n);
}

/* Answers three at a time, the last first: needs three in flight. */
static void
serve_three(int fd, int i, const unsigned char *q, size_t n,
    const struct sockaddr *from, socklen_t from_n)
{
	static struct {
		unsigned char q[600];
		size_t n;
		struct sockaddr_storage from;
		socklen_t from_n;
	} kept[3];
	int k = i % 3;

	memcpy(kept[k].q, q, n);
	kept[k].n = n;
	memcpy(&kept[k].from, from, from_n);
	kept[k].from_n = from_n;
	for (; i % 3 == 2 && k >= 0; k--)
		reply(fd, kept[k].q, kept[k].n, kept[k].q[13],
		    (struct sockaddr *)&kept[k].from, kept[k].from_n);
}

/* The id and the port say whether they are guessable: told back as the last
 * byte, 1 while every one differs from the one before plus one. The port is
 * the same for a server that nobody else can pretend to be. */
static void
serve_random(int fd, int i, const unsigned char *q, size_t n,
    const struct sockaddr *from, socklen_t from_n)
{
	static unsigned int id, port, ids, ports;
	unsigned int new_id = (unsigned int)q[0] << 8 | q[1], new_port;
	struct ip ip;
	int p;

	ip_from_sockaddr(from, &ip, &p);
	new_port = (unsigned int)p;
	ids += i > 0 && new_id != id && new_id != id + 1;
	ports += i > 0 && new_port != port && new_port != port + 1;
	id = new_id;
	port = new_port;
	reply(fd, q, n, i < 20 || (ids > 15 && (ip_is_loopback(&fake_ip)
	    ? ports == 0 : ports > 10)), from, from_n);
}

static void
fake_start(struct fake *f, struct dns_server *server)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), i;
	struct sockaddr_storage sa, from;
	socklen_t n = sizeof(sa), from_n;
	unsigned char q[600];
	ssize_t got;

	n = (socklen_t)ip_to_sockaddr(&fake_ip, 0, &sa);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	n = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	ip_from_sockaddr((struct sockaddr *)&sa, &server->ip, &server->port);
	server->trusted = true;
	if ((f->pid = fork()) != 0) {
		assert_true(f->pid > 0);
		(void)close(fd);
		return;
	}
	(void)alarm(60);	/* never left behind */
	for (i = 0;; i++) {
		from_n = sizeof(from);
		got = recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&from,
		    &from_n);
		if (got > 12)
			f->serve(fd, i, q, (size_t)got,
			    (struct sockaddr *)&from, from_n);
	}
}

static void
fake_stop(struct fake *f)
{
	assert_int_equal(kill(f->pid, SIGKILL), 0);
	assert_int_equal(waitpid(f->pid, NULL, 0), f->pid);
}

static void
assert_ip(const struct dns_answer *r, int last)
{
	assert_string_equal(r->why, "");
	assert_int_equal(r->status, DNS_OK);
	assert_int_equal(r->nrecords, 1);
	assert_int_equal(r->records[0].ip.a[3], last);
}

static void
test_strays(void **state)
{
	struct fake f = { .serve = serve_strays };
	struct dns_options o = { .nservers = 1, .try_ms = 3000 };
	struct dns *d;

	(void)state;
	fake_start(&f, &o.servers[0]);
	d = dns_new(&o);
	assert_ip(dns_lookup(d, &arena, DNS_A, BYTES("a.example")), 3);
	dns_free(d);
	fake_stop(&f);
}

static void
test_retry(void **state)
{
	struct fake f = { .serve = serve_second };
	struct dns_options o = { .nservers = 1, .try_ms = 100, .rounds = 2 };
	struct dns *d;

	(void)state;
	fake_start(&f, &o.servers[0]);
	d = dns_new(&o);
	assert_ip(dns_lookup(d, &arena, DNS_A, BYTES("a.example")), 2);
	dns_free(d);
	fake_stop(&f);
}

/* One silent, one not there, one good: in one round. */
static void
test_several_servers(void **state)
{
	struct fake silent = { .serve = serve_never };
	struct fake good = { .serve = serve_always };
	struct dns_options o = { .nservers = 3, .try_ms = 100, .rounds = 1 };
	const struct dns_answer *r;
	struct dns *d;

	(void)state;
	fake_start(&silent, &o.servers[0]);
	assert_int_equal(dns_server_parse(BYTES("127.0.0.1:1"),
	    &o.servers[1]), 0);
	fake_start(&good, &o.servers[2]);
	d = dns_new(&o);
	r = dns_lookup(d, &arena, DNS_A, BYTES("a.example"));
	assert_ip(r, 1);
	assert_true(r->authentic);
	dns_free(d);
	o.servers[2].trusted = false;
	d = dns_new(&o);
	r = dns_lookup(d, &arena, DNS_A, BYTES("a.example"));
	assert_ip(r, 1);
	assert_false(r->authentic);
	dns_free(d);
	fake_stop(&silent);
	fake_stop(&good);
}

static void
test_time(void **state)
{
	struct fake f = { .serve = serve_never };
	struct dns_options o = { .nservers = 1, .try_ms = 100, .rounds = 2 };
	const struct dns_answer *r;
	int64_t start, took;
	struct dns *d;

	(void)state;
	fake_start(&f, &o.servers[0]);
	d = dns_new(&o);
	start = time_mono_ms();
	r = dns_lookup(d, &arena, DNS_A, BYTES("a.example"));
	took = time_mono_ms() - start;
	assert_int_equal(r->status, DNS_TEMP);
	assert_string_equal(r->why, "no answer in time");
	assert_true(took >= 195 && took < 2000);
	dns_free(d);
	/* total_ms is the end, whatever tries are left. */
	o.try_ms = 10000;
	o.total_ms = 150;
	d = dns_new(&o);
	start = time_mono_ms();
	r = dns_lookup(d, &arena, DNS_A, BYTES("a.example"));
	took = time_mono_ms() - start;
	assert_int_equal(r->status, DNS_TEMP);
	assert_true(took >= 145 && took < 2000);
	/* And so is the deadline of the job. */
	assert_true(dns_set_deadline(d, deadline_in(50)) == DEADLINE_NONE);
	start = time_mono_ms();
	r = dns_lookup(d, &arena, DNS_A, BYTES("a.example"));
	took = time_mono_ms() - start;
	assert_int_equal(r->status, DNS_TEMP);
	assert_true(took < 140);
	r = dns_lookup(d, &arena, DNS_A, BYTES("a.example"));
	assert_int_equal(r->status, DNS_TEMP);
	dns_free(d);
	fake_stop(&f);
}

static void
test_in_flight(void **state)
{
	struct fake f = { .serve = serve_three };
	struct dns_options o = { .nservers = 1, .try_ms = 5000 };
	struct dns_query *q[3];
	struct dns *d;

	(void)state;
	fake_start(&f, &o.servers[0]);
	d = dns_new(&o);
	q[0] = dns_start(d, &arena, DNS_A, BYTES("a.example"));
	q[1] = dns_start(d, &arena, DNS_A, BYTES("b.example"));
	q[2] = dns_start(d, &arena, DNS_A, BYTES("c.example"));
	assert_ip(dns_wait(d, q[0]), 'a');
	assert_ip(dns_wait(d, q[2]), 'c');
	assert_ip(dns_wait(d, q[1]), 'b');
	assert_ip(dns_wait(d, q[1]), 'b');
	dns_free(d);
	fake_stop(&f);
}

/* More than DNS_INFLIGHT_MAX: the rest waits for its turn. */
static void
test_in_flight_limit(void **state)
{
	struct fake f = { .serve = serve_always };
	struct dns_options o = { .nservers = 1 };
	struct dns_query *q[DNS_INFLIGHT_MAX + 20];
	struct dns *d;
	size_t i;

	(void)state;
	fake_start(&f, &o.servers[0]);
	d = dns_new(&o);
	for (i = 0; i < COUNT(q); i++)
		q[i] = dns_start(d, &arena, DNS_A, BYTES("a.example"));
	for (i = 0; i < COUNT(q); i++)
		assert_ip(dns_wait(d, q[i]), 1);
	dns_free(d);
	fake_stop(&f);
}

static void
test_cancel(void **state)
{
	struct fake f = { .serve = serve_never };
	struct dns_options o = { .nservers = 1 };
	struct dns_query *q, *p;
	struct dns *d;

	(void)state;
	fake_start(&f, &o.servers[0]);
	d = dns_new(&o);
	q = dns_start(d, &arena, DNS_A, BYTES("a.example"));
	p = dns_start(d, &arena, DNS_A, BYTES("b.example"));
	dns_cancel(d);
	assert_int_equal(dns_wait(d, q)->status, DNS_TEMP);
	assert_string_equal(dns_wait(d, p)->why, "given up");
	dns_free(d);
	fake_stop(&f);
}

static void
test_random(void **state)
{
	struct fake f = { .serve = serve_random };
	struct dns_options o = { .nservers = 1 };
	const struct dns_answer *r = NULL;
	struct dns *d;
	int i;

	(void)state;
	fake_start(&f, &o.servers[0]);
	d = dns_new(&o);
	for (i = 0; i <= 20; i++)
		r = dns_lookup(d, &arena, DNS_A, BYTES("a.example"));
	assert_ip(r, 1);
	dns_free(d);
	fake_stop(&f);
}

/* What is on the way fails at once where no server is, or falls to the next
 * one; a later look-up is not hurt by what the earlier ones were told. */
static void
test_absent(void **state)
{
	struct fake good = { .serve = serve_always };
	struct dns_options o = { .nservers = 1, .try_ms = 5000 };
	struct dns_query *q[5];
	int64_t start = time_mono_ms();
	struct dns *d;
	size_t i;

	(void)state;
	o.servers[0] = (struct dns_server){ .ip = fake_ip, .port = 1 };
	for (o.nservers = 1; o.nservers <= 2; o.nservers++) {
		if (o.nservers == 2)
			fake_start(&good, &o.servers[1]);
		d = dns_new(&o);
		for (i = 0; i < COUNT(q); i++)
			q[i] = dns_start(d, &arena, DNS_A, BYTES("a.example"));
		for (i = 0; i < COUNT(q); i++)
			assert_int_equal(dns_wait(d, q[i])->status,
			    o.nservers == 1 ? DNS_TEMP : DNS_OK);
		dns_free(d);
	}
	fake_stop(&good);
	assert_true(time_mono_ms() - start < 4000);
}

/* A socket of UDP; *port 0: any, which it becomes. */
static int
listen_udp(int *port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage sa;
	socklen_t n = (socklen_t)ip_to_sockaddr(&fake_ip, *port, &sa);
	struct ip ip;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	n = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	ip_from_sockaddr((struct sockaddr *)&sa, &ip, port);
	return fd;
}

/* What the first query is told of an absent server is nothing to a second
 * one, for which it is there. */
static void
test_there_again(void **state)
{
	struct dns_options o = { .nservers = 1, .try_ms = 5000 };
	unsigned char text[600];
	int fd, port = 0;
	struct dns *d;

	(void)state;
	assert_int_equal(close(listen_udp(&port)), 0);
	o.servers[0] = (struct dns_server){ .ip = fake_ip, .port = port };
	d = dns_new(&o);
	(void)dns_start(d, &arena, DNS_A, BYTES("a.example"));
	fd = listen_udp(&port);
	(void)dns_start(d, &arena, DNS_A, BYTES("b.example"));
	assert_true(recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0);
	dns_free(d);
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	static char elsewhere;		/* any address will do */
#define T(name, fn) { name, fn, reset, reset, NULL }
#define E(name, fn) { "elsewhere: " name, fn, reset, reset, &elsewhere }
	const struct CMUnitTest tests[] = {
		T("O-5 static table and source", test_table),
		T("PIPEMAIL_DNS that is no address", test_environment),
		T("C-4 servers of resolv.conf", test_resolv_conf),
		T("X-1 servers read before files are out of reach",
		    test_system),
		T("bad DNS: wrong id, wrong question are waited past",
		    test_strays),
		T("C-4 a lost query is sent again", test_retry),
		T("C-4 several servers, trusted or not",
		    test_several_servers),
		T("bad DNS: silence, time-outs, deadline", test_time),
		T("C-4 many in flight", test_in_flight),
		T("C-4 limit of those in flight", test_in_flight_limit),
		T("C-4 given up", test_cancel),
		T("a server of this machine that is not there", test_absent),
		T("one that is there again", test_there_again),
		T("C-4 random ids, one port on this machine", test_random),
		E("bad DNS: wrong id, wrong question are waited past",
		    test_strays),
		E("C-4 a lost query is sent again", test_retry),
		E("C-4 several servers, trusted or not",
		    test_several_servers),
		E("bad DNS: silence, time-outs, deadline", test_time),
		E("C-4 many in flight", test_in_flight),
		E("C-4 limit of those in flight", test_in_flight_limit),
		E("C-4 given up", test_cancel),
		E("a server that is not there", test_absent),
		E("C-4 random ids and ports", test_random),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dns_server", tests, NULL, NULL);
}
