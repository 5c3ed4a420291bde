/*
 * store_origin_test.c - J-2, A-11: where messages came from, found by what
 * became of them; R-29: how many came lately
 */
#include "store_fixture.h"

#include "reputation/reputation.h"

#define DAY ((int64_t)24 * 3600)

static int
setup(void **state)
{
	struct account_dir *d;

	assert_int_equal(account_setup(state), 0);
	d = *state;
	d->o.hostname = "mail.test";
	reopen(d);
	return 0;
}

#define O_TEST(name, fn) { name, fn, setup, account_teardown, NULL }

/* ---- messages ---- */

struct mail {
	const char *from;	/* "a@x.org" */
	bool validated;
	const char *ip;
	const char *dkim;	/* "; dkim=pass header.d=..." */
	const char *sender;	/* that SPF vouches for; NULL: none */
	int64_t date;		/* 0: now */
	uint32_t flags;
	size_t fill;		/* more bytes of text */
};

static void
write_mail(struct buf *b, const struct mail *m)
{
	struct bytes from = bytes_str(m->from), local;

	assert_true(bytes_split(&from, '@', &local));
	(void)buf_printf(b, "Delivered-To: me@mail.test\n"
	    "Return-Path: <%s>\n"
	    "Authentication-Results: mail.test; %s%s%s; dmarc=none "
	    "header.from=%.*s policy.alignment=%s\n",
	    m->sender == NULL ? "" : m->sender,
	    m->sender == NULL ? "spf=none smtp.helo=h.org"
	    : "spf=pass smtp.mailfrom=", m->sender == NULL ? "" : m->sender,
	    m->dkim == NULL ? "" : m->dkim, BYTES_ARG(from),
	    m->validated ? "strict" : "none");
	(void)buf_printf(b, "Received: from h.org (unknown [%s]) by mail.test"
	    " with ESMTP id x; date\nFrom: <%s>\nSubject: s\n\n",
	    m->ip == NULL ? "192.0.2.1" : m->ip, m->from);
	for (size_t i = 0; i < m->fill; i++)
		(void)buf_addc(b, i % 64 == 63 ? '\n' : 'x');
}

static uint32_t
mail(struct account_dir *d, const char *mailbox, struct mail m)
{
	struct buf b = BUF_INIT(1 << 20);
	struct store_incoming in = { .count = 1, .flags = m.flags,
	    .internal_date = m.date };
	struct store_delivered out;
	struct bytes piece;

	write_mail(&b, &m);
	assert_false(b.full);
	piece = buf_bytes(&b);
	in.pieces = &piece;
	assert_int_equal(store_deliver(d->s, bytes_str(mailbox), &in, &out),
	    0);
	buf_free(&b);
	return out.uid;
}

static void
flag_some(struct account_dir *d, const char *mailbox, const uint32_t *uids,
    size_t n, enum store_how how, uint32_t flags)
{
	struct store_flag_change c = { .how = how, .flags = flags,
	    .unchanged_since = UINT64_MAX };

	assert_int_equal(store_flags(d->s, id_of(d, mailbox), uids, n, &c,
	    NULL, NULL), 0);
}

static void
flag(struct account_dir *d, const char *mailbox, uint32_t uid,
    enum store_how how, uint32_t flags)
{
	flag_some(d, mailbox, &uid, 1, how, flags);
}

/* ---- questions ---- */

/* "uid+" or "uid-" (junk) of what is found, newest first. */
static const char *
found(struct account_dir *d, const char *mailbox, enum store_origin_key key,
    const char *identity, bool validated, size_t max)
{
	static char text[4096];
	struct store_history_query q = { .original_mailbox = id_of(d,
	    mailbox), .key = key, .identity = bytes_str(identity),
	    .validated = validated, .max = max };
	struct store_view *v = store_view_open(d->s);
	struct store_history list[100];
	size_t n = 99, at = 0;

	assert_int_equal(store_history(v, &q, list, &n), 0);
	assert_true(n <= max);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "%s%u%c", i == 0 ? "" : " ", list[i].uid,
		    list[i].junk ? '-' : '+');
	store_view_close(v);
	return text;
}

static const char *
from_a(struct account_dir *d)
{
	return found(d, "INBOX", STORE_ORIGIN_FROM, "a@x.org", true, 100);
}

#define A { .from = "A@x.org", .validated = true, .sender = "b@l.x.org", \
	.dkim = "; dkim=pass header.d=x.org; dkim=pass header.d=y.org" }

static void
each_key(void **state)
{
	static const struct {
		enum store_origin_key key;
		const char *identity;
		bool validated;
		const char *want;
	} rows[] = {
		{ STORE_ORIGIN_FROM, "a@x.org", true, "1+" },
		{ STORE_ORIGIN_FROM, "a@x.org", false, "2-" },
		{ STORE_ORIGIN_FROM, "b@x.org", true, "" },
		{ STORE_ORIGIN_FROM_DOMAIN, "x.org", true, "1+" },
		{ STORE_ORIGIN_FROM_DOMAIN, "x.org", false, "2-" },
		{ STORE_ORIGIN_FROM_DOMAIN, "m.x.org", true, "3-" },
		{ STORE_ORIGIN_FROM_ORG, "x.org", true, "3- 1+" },
		{ STORE_ORIGIN_FROM_ORG, "x.org", false, "2-" },
		{ STORE_ORIGIN_DKIM, "x.org", false, "1+" },
		{ STORE_ORIGIN_DKIM, "y.org", false, "3- 1+" },
		{ STORE_ORIGIN_DKIM, "z.org", false, "" },
		{ STORE_ORIGIN_MAIL_FROM, "b@l.x.org", false, "1+" },
		{ STORE_ORIGIN_MAIL_FROM, "c@l.x.org", false, "" },
		{ STORE_ORIGIN_MAIL_FROM_DOMAIN, "l.x.org", false, "1+" },
		{ STORE_ORIGIN_HELO, "h.org", false, "" },
		{ STORE_ORIGIN_IP1, "192.0.2.1", false, "3- 1+" },
		{ STORE_ORIGIN_IP1, "192.0.2.9", false, "2-" },
		{ STORE_ORIGIN_IP2, "192.0.2.0", false, "3- 2- 1+" },
		{ STORE_ORIGIN_IP3, "192.0.0.0", false, "3- 2- 1+" },
	};
	struct account_dir *d = *state;
	struct mail a = A;

	a.flags = STORE_NOTJUNK;
	a.date = 1000;
	(void)mail(d, "INBOX", a);
	(void)mail(d, "INBOX", (struct mail){ .from = "a@x.org",
	    .ip = "192.0.2.9", .date = 2000, .flags = STORE_JUNK });
	(void)mail(d, "INBOX", (struct mail){ .from = "a@m.x.org",
	    .validated = true, .date = 3000, .flags = STORE_JUNK,
	    .dkim = "; dkim=pass header.d=y.org; dkim=fail header.d=z.org" });
	(void)mail(d, "INBOX", (struct mail)A);	/* nobody judged it */
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("# %d %s\n", rows[i].key, rows[i].identity);
		assert_string_equal(found(d, "INBOX", rows[i].key,
		    rows[i].identity, rows[i].validated, 100), rows[i].want);
		assert_string_equal(found(d, "Sent", rows[i].key,
		    rows[i].identity, rows[i].validated, 100), "");
	}
	assert_content(d);
}

static void
as_flags_say(void **state)
{
	struct account_dir *d = *state;
	struct mail a = A;
	uint32_t one, two;

	a.date = 1000;
	one = mail(d, "INBOX", a);
	a.date = 2000;
	two = mail(d, "INBOX", a);
	assert_string_equal(from_a(d), "");
	flag(d, "INBOX", one, STORE_ADD, STORE_JUNK);
	assert_string_equal(from_a(d), "1-");
	flag(d, "INBOX", two, STORE_ADD, STORE_NOTJUNK | STORE_SEEN);
	assert_string_equal(from_a(d), "2+ 1-");
	assert_string_equal(found(d, "INBOX", STORE_ORIGIN_FROM, "a@x.org",
	    true, 1), "2+");
	flag(d, "INBOX", one, STORE_REPLACE, STORE_NOTJUNK);
	assert_string_equal(from_a(d), "2+ 1+");
	print_message("# J-2 J-11 both flags are as none\n");
	flag(d, "INBOX", two, STORE_ADD, STORE_JUNK);
	assert_string_equal(from_a(d), "1+");
	assert_content(d);
	flag(d, "INBOX", two, STORE_REMOVE, STORE_NOTJUNK);
	assert_string_equal(from_a(d), "2- 1+");
	flag(d, "INBOX", two, STORE_ADD, STORE_NOTJUNK);
	flag(d, "INBOX", two, STORE_REMOVE, STORE_JUNK);
	assert_string_equal(from_a(d), "2+ 1+");
	flag(d, "INBOX", two, STORE_REMOVE, STORE_NOTJUNK);
	assert_string_equal(from_a(d), "1+");
	assert_content(d);
	assert_int_equal(store_expunge(d->s, id_of(d, "INBOX"), &one, 1, true,
	    NULL), 0);
	assert_string_equal(from_a(d), "");
	assert_content(d);
}

/* By the mailbox it came to first, wherever it lies. */
static void
moves_and_copies(void **state)
{
	struct account_dir *d = *state;
	struct mail a = A;
	uint32_t uid, new, inbox = id_of(d, "INBOX"), junk = id_of(d, "Junk");

	uid = mail(d, "INBOX", a);
	assert_int_equal(store_copy(d->s, inbox, &uid, 1, junk, true, &new),
	    0);
	assert_string_equal(from_a(d), "1-");	/* \Junk made it so */
	assert_string_equal(found(d, "Junk", STORE_ORIGIN_FROM, "a@x.org",
	    true, 9), "");
	assert_content(d);
	uid = new;
	assert_int_equal(store_copy(d->s, junk, &uid, 1, inbox, false, &new),
	    0);
	assert_string_equal(from_a(d), "2- 1-");
	assert_int_equal(store_copy(d->s, junk, &uid, 1, junk, true, &new),
	    0);
	assert_string_equal(from_a(d), "2- 2-");
	assert_int_equal(store_mailbox_delete(d->s, BYTES("Junk")), 0);
	assert_string_equal(from_a(d), "2-");
	assert_content(d);
}

/* What is appended was not received. */
static void
appended_mail(void **state)
{
	struct account_dir *d = *state;
	struct buf b = BUF_INIT(1 << 16);
	struct mail a = A;
	struct bytes piece;
	struct store_incoming in = { .pieces = &piece, .count = 1,
	    .flags = STORE_JUNK };
	struct origin o = { .ndkim = 0 };

	write_mail(&b, &a);
	piece = buf_bytes(&b);
	assert_int_equal(store_append(d->s, id_of(d, "INBOX"), &in, 1, NULL),
	    0);
	assert_string_equal(from_a(d), "");
	/* Who says what the origin is, is believed: nothing here. */
	in.origin = &o;
	assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in, NULL), 0);
	assert_string_equal(from_a(d), "");
	o = (struct origin){ .from_local = BYTES("a"),
	    .from_domain = BYTES("x.org"), .from_org = BYTES("x.org"),
	    .from_validated = true };
	assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in, NULL), 0);
	assert_string_equal(from_a(d), "3-");
	buf_free(&b);
	assert_content(d);
}

enum { MANY = 700 };	/* more than one piece */

static void
many_at_once(void **state)
{
	struct account_dir *d = *state;
	struct mail a = A;
	static uint32_t uids[MANY], new[MANY];
	uint32_t inbox = id_of(d, "INBOX"), archive = id_of(d, "Archive");
	int64_t n;
	struct store_view *v;

	for (uint32_t i = 0; i < MANY; i++) {
		a.date = 1000 + i;
		uids[i] = mail(d, "INBOX", a);
	}
	flag_some(d, "INBOX", uids, MANY, STORE_ADD, STORE_JUNK);
	assert_content(d);		/* some wait */
	v = store_view_open(d->s);
	assert_int_equal(kv_count(v->t, TABLE_UNSETTLED), 2);
	store_view_close(v);
	while (store_names(d->s) == 1)
		;
	assert_string_equal(found(d, "INBOX", STORE_ORIGIN_FROM, "a@x.org",
	    true, 3), "700- 699- 698-");
	assert_content(d);
	/* The other flag: what is listed stays, the flags are looked at. */
	flag_some(d, "INBOX", uids, MANY, STORE_REPLACE, STORE_NOTJUNK);
	assert_string_equal(found(d, "INBOX", STORE_ORIGIN_FROM, "a@x.org",
	    true, 3), "700+ 699+ 698+");
	assert_content(d);
	/* None: they are still listed, and not believed. */
	flag_some(d, "INBOX", uids, MANY, STORE_REMOVE, STORE_NOTJUNK);
	assert_string_equal(from_a(d), "");
	flag(d, "INBOX", uids[0], STORE_ADD, STORE_NOTJUNK);
	assert_string_equal(from_a(d), "1+");
	reopen(d);
	while (store_names(d->s) == 1)
		;
	assert_string_equal(from_a(d), "1+");
	assert_content(d);
	flag_some(d, "INBOX", uids, MANY, STORE_ADD, STORE_NOTJUNK);
	assert_int_equal(store_copy(d->s, inbox, uids, MANY, archive, true,
	    new), 0);
	assert_content(d);
	while (store_names(d->s) == 1)
		;
	assert_string_equal(found(d, "INBOX", STORE_ORIGIN_FROM, "a@x.org",
	    true, 2), "700+ 699+");
	assert_content(d);
	assert_int_equal(store_expunge(d->s, archive, NULL, 0, true, NULL),
	    0);
	assert_string_equal(from_a(d), "");
	assert_content(d);
	while (store_names(d->s) == 1)
		;
	v = store_view_open(d->s);
	n = kv_count(v->t, TABLE_ORIGIN) + kv_count(v->t, TABLE_HISTORY) +
	    kv_count(v->t, TABLE_UNSETTLED);
	store_view_close(v);
	assert_int_equal(n, 0);
}

/* ---- the index lost, damaged, of an older format ---- */

/* All of a table as one hash. */
static uint64_t
table_hash(struct account_dir *d, unsigned int table)
{
	struct store_view *v = store_view_open(d->s);
	struct kv_cursor *c = kv_cursor_open(v->t, table);
	struct buf b = BUF_INIT(1 << 24);
	struct bytes key = BYTES_EMPTY, value;
	uint64_t h;
	int r;

	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		assert_int_equal(buf_add(&b, key), 0);
		assert_int_equal(buf_add(&b, value), 0);
	}
	assert_int_equal(r, 0);
	h = hash_of(buf_bytes(&b));
	kv_cursor_close(c);
	store_view_close(v);
	buf_free(&b);
	return h;
}

static void
some_mail(struct account_dir *d)
{
	struct mail a = A;

	(void)mail(d, "INBOX", a);
	a.flags = STORE_JUNK;
	(void)mail(d, "INBOX", a);
	a.ip = "2001:db8::1";
	a.validated = false;
	(void)mail(d, "INBOX", a);
	(void)deliver_flags(d, "INBOX", "not-received", STORE_JUNK);
}

/* Rows from the messages' own trusted blocks: the same ones. */
static void
index_lost(void **state)
{
	struct account_dir *d = *state;
	uint64_t origin, history, rate;
	char path[1024];

	some_mail(d);
	origin = table_hash(d, TABLE_ORIGIN);
	history = table_hash(d, TABLE_HISTORY);
	rate = table_hash(d, TABLE_RATE);
	assert_string_equal(from_a(d), "2-");
	store_close(d->s);
	remove_tree(path_of(d, path, "index"));
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	assert_int_equal(store_finish(d->s), 0);
	assert_string_equal(from_a(d), "2-");
	assert_true(origin == table_hash(d, TABLE_ORIGIN));
	assert_true(history == table_hash(d, TABLE_HISTORY));
	assert_true(rate == table_hash(d, TABLE_RATE));
	assert_content(d);
}

static uint64_t
contradictions(struct account_dir *d)
{
	struct store_verify v = { .found = print_contradiction };
	uint64_t n = 0;

	assert_int_equal(store_verify(d->s, &v, &n), 0);
	return n;
}

static void
damage(struct account_dir *d, unsigned int table, struct bytes key,
    struct bytes value)
{
	struct work w;

	assert_int_equal(work_begin(d->s, &w), 0);
	if (value.n == 0)
		assert_int_equal(kv_delete(w.t, table, key), 1);
	else
		assert_int_equal(kv_put(w.t, table, key, value), 0);
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
	assert_true(contradictions(d) > 0);
	assert_int_equal(store_rebuild(d->s), 0);
	assert_int_equal(contradictions(d), 0);
}

static struct bytes
first_key(struct account_dir *d, unsigned int table, struct arena *a)
{
	struct store_view *v = store_view_open(d->s);
	struct kv_cursor *c = kv_cursor_open(v->t, table);
	struct bytes key = BYTES_EMPTY, value;

	assert_int_equal(kv_seek(c, &key, &value), 1);
	key = arena_bytes(a, key);
	kv_cursor_close(c);
	store_view_close(v);
	return key;
}

static void
index_damaged(void **state)
{
	static const unsigned int tables[] = { TABLE_ORIGIN, TABLE_HISTORY };
	struct account_dir *d = *state;
	struct arena a = ARENA_INIT;
	uint64_t origin, history;
	struct bytes key;
	unsigned char *p;

	some_mail(d);
	origin = table_hash(d, TABLE_ORIGIN);
	history = table_hash(d, TABLE_HISTORY);
	/* An entry nobody has, one that is missing, a row of no sense. */
	for (size_t i = 0; i < COUNT(tables); i++) {
		key = first_key(d, tables[i], &a);
		p = arena_alloc(&a, key.n);
		memcpy(p, key.p, key.n);
		p[key.n - 1] ^= 0x40;
		damage(d, tables[i], bytes_of(p, key.n), BYTES("123456780"));
		assert_true(history == table_hash(d, TABLE_HISTORY));
	}
	damage(d, TABLE_HISTORY, key, BYTES_EMPTY);
	damage(d, TABLE_HISTORY, key, BYTES("12345678\3"));
	damage(d, TABLE_ORIGIN, first_key(d, TABLE_ORIGIN, &a),
	    BYTES("no row"));
	assert_true(history == table_hash(d, TABLE_HISTORY));
	/* The row was read again from the file: but for the count of rates. */
	assert_int_equal(origin == table_hash(d, TABLE_ORIGIN), 0);
	arena_free(&a);
}

/* An index of format 3: none of these tables, messages read by version 1. */
static void
index_of_format_3(void **state)
{
	static const unsigned int tables[] = { TABLE_ORIGIN, TABLE_HISTORY,
		TABLE_RATE, TABLE_SENT_DOMAIN };
	struct account_dir *d = *state;
	unsigned char format[4] = { 0, 0, 0, 3 };
	struct store_view *v;
	struct bytes piece = BYTES("To: friend@m.example.org\n\n");
	struct store_incoming in = { .pieces = &piece, .count = 1,
	    .internal_date = 5000 };
	struct kv_cursor *c;
	struct bytes key = BYTES_EMPTY, value;
	struct work w;
	uint64_t history;
	int64_t last = 0;
	int r;

	some_mail(d);
	assert_int_equal(store_deliver(d->s, BYTES("Sent"), &in, NULL), 0);
	history = table_hash(d, TABLE_HISTORY);
	assert_int_equal(work_begin(d->s, &w), 0);
	for (size_t i = 0; i < COUNT(tables); i++)
		assert_int_equal(kv_empty(w.t, tables[i]), 0);
	c = kv_cursor_open(w.t, TABLE_MESSAGE);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		unsigned char copy[4096], at[KEY_MESSAGE];

		assert_true(value.n <= sizeof(copy));
		memcpy(copy, value.p, value.n);
		memcpy(at, key.p, KEY_MESSAGE);
		copy[63] = 1;		/* parse version */
		assert_int_equal(kv_put(w.t, TABLE_MESSAGE, key_of(at,
		    KEY_MESSAGE), bytes_of(copy, value.n)), 0);
	}
	kv_cursor_close(c);
	assert_int_equal(kv_put(w.t, TABLE_META, BYTES("format"),
	    bytes_of(format, 4)), 0);
	w.state.phase = PHASE_DONE;
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
	reopen(d);
	assert_non_null(strstr(d->events, "upgraded "));
	assert_int_equal(store_finish(d->s), 0);
	assert_string_equal(from_a(d), "2-");
	assert_true(history == table_hash(d, TABLE_HISTORY));
	v = store_view_open(d->s);
	assert_int_equal(store_sent_domain(v, BYTES("m.example.org"), false,
	    &last), 1);
	assert_int_equal(last, 5000);
	assert_int_equal(store_sent_domain(v, BYTES("example.org"), true,
	    &last), 1);
	assert_int_equal(store_sent_domain(v, BYTES("example.org"), false,
	    &last), 0);
	store_view_close(v);
	assert_content(d);
}

/* ---- rates ---- */

/* "minute/day" of the three masks, counts then bytes; seen from now + later. */
static const char *
rates(struct account_dir *d, const char *ip, int64_t later)
{
	static char text[400];
	struct store_view *v = store_view_open(d->s);
	struct store_rates r;
	struct ip addr;
	size_t n = 0;

	assert_int_equal(ip_parse(bytes_str(ip), &addr), 0);
	assert_int_equal(store_rates(v, &addr, time_wall_us() / 1000000 +
	    later, &r), 0);
	store_view_close(v);
	for (int i = 0; i < ORIGIN_MASKS; i++) {
		assert_true((r.count[0][i] == 0) == (r.bytes[0][i] == 0));
		assert_true((r.count[1][i] == 0) == (r.bytes[1][i] == 0));
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "%s%llu/%llu", i == 0 ? "" : " ",
		    (unsigned long long)r.count[0][i],
		    (unsigned long long)r.count[1][i]);
	}
	return text;
}

static void
rates_of_addresses(void **state)
{
	struct account_dir *d = *state;
	struct mail m = { .from = "a@x.org" };
	uint32_t uid, new, inbox = id_of(d, "INBOX");
	int64_t now = time_wall_us() / 1000000;

	assert_string_equal(rates(d, "192.0.2.1", 0), "0/0 0/0 0/0");
	uid = mail(d, "INBOX", m);
	(void)mail(d, "INBOX", m);
	m.ip = "192.0.2.2";
	(void)mail(d, "Junk", m);
	m.ip = "192.0.7.1";
	(void)mail(d, "INBOX", m);
	m.ip = "192.0.8.1";
	(void)mail(d, "INBOX", m);
	assert_string_equal(rates(d, "192.0.2.1", 0), "2/2 3/3 4/4");
	assert_string_equal(rates(d, "192.0.2.3", 0), "0/0 3/3 4/4");
	assert_string_equal(rates(d, "192.0.2.1", 100), "0/2 0/3 0/4");
	assert_string_equal(rates(d, "192.0.2.1", DAY - 100), "0/2 0/3 0/4");
	assert_string_equal(rates(d, "192.0.2.1", DAY + 1300),
	    "0/0 0/0 0/0");
	/* Moved, it is there; a copy came from nobody; expunged, it is gone. */
	assert_int_equal(store_copy(d->s, inbox, &uid, 1, id_of(d, "Archive"),
	    true, &new), 0);
	assert_string_equal(rates(d, "192.0.2.1", 0), "2/2 3/3 4/4");
	uid = new;
	assert_int_equal(store_copy(d->s, id_of(d, "Archive"), &uid, 1, inbox,
	    false, &new), 0);
	assert_string_equal(rates(d, "192.0.2.1", 0), "2/2 3/3 4/4");
	assert_int_equal(store_expunge(d->s, inbox, &new, 1, true, NULL), 0);
	assert_string_equal(rates(d, "192.0.2.1", 0), "2/2 3/3 4/4");
	assert_int_equal(store_expunge(d->s, id_of(d, "Archive"), &uid, 1,
	    true, NULL), 0);
	assert_string_equal(rates(d, "192.0.2.1", 0), "1/1 2/2 3/3");
	/* By the time they came. */
	m.ip = "2001:db8::1";
	m.date = now - 30;
	(void)mail(d, "INBOX", m);
	m.date = now - 3600;
	uid = mail(d, "INBOX", m);
	m.date = now - DAY + 60;
	(void)mail(d, "INBOX", m);
	m.date = now - DAY - 1300;
	(void)mail(d, "INBOX", m);
	m.date = now + 999999;		/* a clock that is wrong: now */
	(void)mail(d, "INBOX", m);
	assert_string_equal(rates(d, "2001:db8::2", 0), "2/4 2/4 2/4");
	assert_int_equal(store_expunge(d->s, inbox, &uid, 1, true, NULL), 0);
	assert_string_equal(rates(d, "2001:db8::2", 0), "2/3 2/3 2/3");
	assert_string_equal(rates(d, "2001:db8::2", DAY + 1300),
	    "0/0 0/0 0/0");
	assert_content(d);
}

/* Any order of times: counts are those of a plain list. */
static void
rates_against_a_list(void **state)
{
	struct account_dir *d = *state;
	int64_t now = time_wall_us() / 1000000, date[400];
	struct origin_row row = { .size = 10, .n = 1, .entry = {
	    { STORE_ORIGIN_IP1, hash_of(BYTES("192.0.2.1")) } } };
	struct store_view *v;
	struct store_rates r;
	struct ip ip;
	struct work w;
	uint64_t seed = 12345, minute = 0, day = 0, least;

	assert_int_equal(ip_parse(BYTES("192.0.2.1"), &ip), 0);
	assert_int_equal(work_begin(d->s, &w), 0);
	for (size_t i = 0; i < COUNT(date); i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		date[i] = now - (int64_t)(seed >> 33) % (i % 2 == 0 ? 100
		    : DAY + 4000);
		row.date = date[i];
		if (rate_is_recent(&row))
			assert_int_equal(work_rate(&w, &row, true), 0);
		else
			date[i] = 0;
	}
	for (size_t i = 0; i < COUNT(date); i += 3) {
		row.date = date[i];
		if (date[i] != 0)
			assert_int_equal(work_rate(&w, &row, false), 0);
		date[i] = 0;
	}
	assert_int_equal(work_commit(&w), 0);
	least = 0;
	for (size_t i = 0; i < COUNT(date); i++) {
		minute += date[i] > now - 60;
		least += date[i] > now - DAY;
		day += date[i] > now - DAY - 1200;
	}
	v = store_view_open(d->s);
	assert_int_equal(store_rates(v, &ip, now, &r), 0);
	store_view_close(v);
	assert_true(minute > 50 && least > 150);
	/* Between the two a second of the clock may have passed. */
	assert_in_range(r.count[STORE_RATE_MINUTE][0], minute - 10,
	    minute + 10);
	assert_in_range(r.count[STORE_RATE_DAY][0], least, day);
	assert_int_equal(r.bytes[STORE_RATE_DAY][0],
	    10 * r.count[STORE_RATE_DAY][0]);
}

static void
rates_are_swept(void **state)
{
	struct account_dir *d = *state;
	struct mail m = { .from = "a@x.org" };
	int64_t now = time_wall_us() / 1000000, n;
	struct store_view *v;
	struct store_verify ask = { .found = NULL };
	uint64_t count;

	(void)mail(d, "INBOX", m);
	m.ip = "2001:db8::1";
	(void)mail(d, "INBOX", m);
	for (int i = 0; i < 3; i++) {
		v = store_view_open(d->s);
		n = kv_count(v->t, TABLE_RATE);
		store_view_close(v);
		assert_int_equal(n, i < 2 ? 6 : 0);
		assert_int_equal(rates_sweep(d->s, now + (i == 0 ? DAY - 60
		    : DAY + 1300)), 0);
	}
	assert_int_equal(store_verify(d->s, &ask, &count), 0);
}

/* The limit of one address, reached by mail: 500 in a minute. */
static void
limit_by_mail(void **state)
{
	struct account_dir *d = *state;
	struct mail m = { .from = "a@x.org" };
	struct reputation_rates r;
	struct store_view *v;
	struct ip ip;

	assert_int_equal(ip_parse(BYTES("192.0.2.1"), &ip), 0);
	for (int i = 1; i <= 500; i++) {
		(void)mail(d, "INBOX", m);
		if (i < 499)
			continue;
		v = store_view_open(d->s);
		/* As seen at the time of the first: all are of one minute. */
		assert_int_equal(reputation_rates_of_store(v, &ip,
		    time_wall_us() / 1000000, &r), 0);
		store_view_close(v);
		assert_int_equal(r.count[REPUTATION_DAY][0], i);
		if (r.count[REPUTATION_MINUTE][0] != (uint64_t)i)
			return;		/* a machine that needs a minute */
		assert_int_equal(reputation_rates_check(&r, 100) != NULL,
		    i == 500);
	}
}

/* ---- the two together ---- */

static void
judged_by_the_index(void **state)
{
	struct account_dir *d = *state;
	struct arena a = ARENA_INIT;
	struct mail m = A;
	struct origin o;
	struct buf b = BUF_INIT(1 << 16);
	struct reputation r;
	struct reputation_store s = { .arena = &a };
	struct reputation_source source = reputation_of_store(&s);
	struct bytes piece = BYTES("To: a@x.org, z@m.example.org\n\n");
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	int64_t now = time_wall_us() / 1000000;

	write_mail(&b, &m);
	assert_true(origin_of_stored(&a, buf_bytes(&b), BYTES("mail.test"),
	    &o));
	m.flags = STORE_JUNK;
	(void)mail(d, "INBOX", m);
	s.mailbox = id_of(d, "INBOX");
	s.view = store_view_open(d->s);
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.step, 'a');
	assert_int_equal(r.junk, REPUTATION_JUNK);
	assert_int_equal(r.nmessages, 1);
	assert_int_equal(r.messages[0].uid, 1);
	o.from_local = BYTES("other");
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.method, REPUTATION_BY_MSGFROMDOMAIN);
	o.from_domain = o.from_org = BYTES("no.org");
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.method, REPUTATION_BY_DKIMSPF);
	assert_int_equal(r.nmessages, 3);	/* two signers, MAIL FROM */
	o.ndkim = 0;
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.method, REPUTATION_BY_DKIMSPF);
	o.mail_from_validated = false;
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.method, REPUTATION_BY_IP1);
	s.mailbox = id_of(d, "Archive");
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.method, REPUTATION_BY_NONE);
	s.mailbox = 0;
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.method, REPUTATION_BY_NONE);
	store_view_close(s.view);
	assert_int_equal(store_deliver(d->s, BYTES("Sent"), &in, NULL), 0);
	s.view = store_view_open(d->s);
	o.from_domain = o.from_org = BYTES("x.org");
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.method, REPUTATION_BY_MSGTO_DOMAIN);
	o.from_local = BYTES("a");
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.method, REPUTATION_BY_MSGTOFULL);
	o.from_domain = BYTES("n.example.org");
	o.from_org = BYTES("example.org");
	assert_int_equal(reputation_judge(&a, &source, &o, now, &r), 0);
	assert_int_equal(r.method, REPUTATION_BY_MSGTO_ORGDOMAIN);
	store_view_close(s.view);
	buf_free(&b);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		O_TEST("A-11 J-2 found by each of its marks", each_key),
		O_TEST("J-2 as flags say, newest first", as_flags_say),
		O_TEST("J-2 by the mailbox it came to first",
		    moves_and_copies),
		O_TEST("J-2 who appends mail has no history", appended_mail),
		O_TEST("J-2 flags of many at once follow", many_at_once),
		O_TEST("J-2 R-29 an index that was lost", index_lost),
		O_TEST("J-2 an index that is damaged", index_damaged),
		O_TEST("J-2 S-19 an index of format 3", index_of_format_3),
		O_TEST("R-29 rates under three masks", rates_of_addresses),
		O_TEST("R-29 rates against a plain list",
		    rates_against_a_list),
		O_TEST("R-29 rates are swept", rates_are_swept),
		O_TEST("R-29 500 messages in a minute", limit_by_mail),
		O_TEST("J-2 the steps over the index", judged_by_the_index),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("store_origin", tests, NULL, NULL);
}
