/*
 * repload - processor time of questions about senders, and of deliveries,
 * against an account: repload ACCOUNT-DIR RUN-DIR QUESTIONS DELIVERIES
 *
 * Prints microseconds each: what is known of a sender (the median of cases that
 * end in each step), rates, a delivery without its file (the median).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "reputation/reputation.h"
#include "store/store.h"

#define CASES 8
#define MANY 100000

static double times[MANY];

static double
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double
median(size_t n)
{
	qsort(times, n, sizeof(times[0]), compare);
	return times[n / 2];
}

static void
fail(const char *what)
{
	perror(what);
	exit(111);
}

static struct bytes
text(struct arena *a, const char *format, unsigned int n)
{
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	char s[200];

	(void)snprintf(s, sizeof(s), format, n);
	return arena_bytes(a, bytes_str(s));
}

/* A sender of whom more or less is known: ends in a, d, d (organisation), e,
 * f, f (nets), g. */
static void
sender(struct arena *a, unsigned int kind, unsigned int n, struct origin *o)
{
	*o = (struct origin){ .from_local = kind == 0 ? text(a, "a%u", n % 977)
	    : BYTES("nobody"), .from_validated = true, .helo = BYTES_EMPTY };
	o->from_domain = kind < 2 ? text(a, "d%u.example.org", n % 977 % 97)
	    : kind == 2 ? BYTES("other.example.org")
	    : text(a, "x%u.example", n);
	o->from_org = kind < 3 ? BYTES("example.org") : o->from_domain;
	o->dkim[0] = kind == 3 ? text(a, "s%u.example.net", n % 37)
	    : BYTES("unknown.example");
	o->ndkim = 1;
	o->mail_from_local = BYTES_EMPTY;
	o->mail_from_domain = BYTES_EMPTY;
	(void)ip_parse(text(a, kind == 4 ? "192.0.2.%u" : kind == 5
	    ? "192.0.2.%u" : "203.0.113.%u", kind == 5 ? 41 + n % 20 : n % 41),
	    &o->ip);
}

static void
questions(struct store *s, uint32_t mailbox, size_t rounds)
{
	struct arena a = ARENA_INIT;
	double start;

	for (unsigned int kind = 0; kind < 7; kind++) {
		size_t found = 0;
		char step = 0;

		for (size_t i = 0; i < rounds; i++) {
			struct store_view *v;
			struct reputation_store rs = { .mailbox = mailbox,
			    .arena = &a };
			struct reputation_source source =
			    reputation_of_store(&rs);
			struct reputation r;
			struct origin o;

			sender(&a, kind, (unsigned int)rand(), &o);
			start = now_us();
			if ((v = store_view_open(s)) == NULL)
				fail("view");
			rs.view = v;
			if (reputation_judge(&a, &source, &o,
			    time_wall_us() / 1000000, &r) == -1)
				fail("judge");
			store_view_close(v);
			times[i] = now_us() - start;
			found += r.nmessages;
			step = r.step;
			arena_reset(&a);
		}
		printf("question%u-%c %.2f %zu\n", kind, step,
		    median(rounds), found / rounds);
	}
	arena_free(&a);
}

static void
rates(struct store *s, size_t rounds)
{
	struct reputation_rates r;
	struct store_view *v;
	struct ip ip;
	double start;

	(void)ip_parse(BYTES("198.51.100.1"), &ip);
	for (size_t i = 0; i < rounds; i++) {
		start = now_us();
		if ((v = store_view_open(s)) == NULL ||
		    reputation_rates_of_store(v, &ip, time_wall_us() /
		    1000000, &r) == -1)
			fail("rates");
		store_view_close(v);
		times[i] = now_us() - start;
	}
	printf("rates %.2f %llu\n", median(rounds),
	    (unsigned long long)r.count[REPUTATION_DAY][0]);
}

static void
deliveries(struct store *s, const char *what, bool known, size_t rounds)
{
	struct store_incoming m = { .count = 1 };
	struct bytes piece;
	char letter[3000];
	double start;
	int n;

	for (size_t i = 0; i < rounds; i++) {
		n = snprintf(letter, sizeof(letter),
		    "Authentication-Results: %s; spf=pass "
		    "smtp.mailfrom=b@d1.example.org; dkim=pass "
		    "header.d=s1.example.net; dmarc=pass "
		    "header.from=d1.example.org policy.alignment=strict\n"
		    "Received: from h.example (unknown [198.51.100.1]) by "
		    "bench.test; x\nFrom: a%d@d1.example.org\n"
		    "Message-ID: <b%zu.%d@x>\nSubject: s %zu\n\n%1800s\n",
		    known ? "bench.test" : "none.test", rand() % 977, i,
		    rand(), i, "x");
		if (!known)	/* the same bytes, of somebody else */
			memcpy(strstr(letter, "by bench"), "by nonce", 8);
		piece = bytes_of(letter, (size_t)n);
		m.pieces = &piece;
		start = now_us();
		if (store_deliver(s, BYTES("INBOX"), &m, NULL) == -1)
			fail("deliver");
		times[i] = now_us() - start;
	}
	printf("%s %.2f 0\n", what, median(rounds));
}

int
main(int argc, char *argv[])
{
	struct store_options o = { .account = "bench",
	    .hostname = "bench.test" };
	struct store_mailbox box;
	struct store_view *v;
	struct store *s;

	if (argc != 5)
		return 100;
	o.dir = argv[1];
	o.run = argv[2];
	if ((s = store_open(&o)) == NULL)
		fail("open");
	while (store_names(s) == 1)
		;
	if ((v = store_view_open(s)) == NULL ||
	    store_mailbox_find(v, BYTES("INBOX"), &box) != 1)
		fail("INBOX");
	printf("messages %u 0\n", box.total);
	store_view_close(v);
	srand(7);
	for (int i = 0; i < 2; i++)
		deliveries(s, i == 0 ? "warm" : "delivery", true,
		    (size_t)atol(argv[4]));
	deliveries(s, "delivery-unknown", false, (size_t)atol(argv[4]));
	rates(s, (size_t)atol(argv[3]));
	questions(s, box.id, (size_t)atol(argv[3]));
	store_close(s);
	return 0;
}
