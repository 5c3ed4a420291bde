/*
 * recipient_alias_test.c - aliases, report addresses, refused addresses
 * (BEHAVIOUR 1.7, 6)
 */
#include "recipient/recipient.h"

#include "config_dirs.h"
#include "submit/submit.h"

struct fixture {
	struct dirs d;
	struct config *c;
};

static void
fixture_init(struct fixture *f)
{
	dirs_init(&f->d);
	write_file(&f->d, "main.conf", MAIN);
	write_file(&f->d, "domains/example.org.conf", "[domain]\n"
	    "separators = + -\n"
	    "dmarc-reports = dmarc-reports@example.org\n"
	    "tls-reports = tls@example.org\n"
	    "[alias \"team\"]\nmember = Alice@example.org\n"
	    "member = bob@example.org\nmember = ALICE@example.org\n"
	    "post-public = no\nposter = Friend@Else.Example\n"
	    "poster = \303\234nal@B\303\234CHER.example\n"
	    "poster = @club.example\nexternal-member = ext@far.example\n"
	    "bounces-to = alice@example.org\n"
	    "[alias \"own\"]\nmember = bob@example.org\n"
	    "post-public = no\nallow-msg-from = yes\nlist-members = yes\n"
	    "[alias \"open\"]\nmember = x@all.example\n"
	    "[alias \"shut\"]\nmember = c@off.example\n"
	    "member = c@far.example.org\npost-public = no\n");
	write_file(&f->d, "domains/off.example.conf",
	    "[domain]\ndisabled = yes\n");
	write_file(&f->d, "domains/all.example.conf",
	    "[domain]\ntls-reports = tls@example.org\n");
	write_file(&f->d, "domains/far.example.org.conf",
	    "[domain]\nreports-only = yes\n"
	    "dmarc-reports = far-reports@example.org\n");
	write_file(&f->d, "accounts/a.conf", "[account]\n"
	    "address = alice@example.org\n"
	    "address = dmarc-reports@example.org DMARC\n"
	    "address = far-reports@example.org\n"
	    "address = gone@example.org\n[address \"gone@example.org\"]\n"
	    "smtp-error = 551 5.1.6 gone to else.example\n");
	write_file(&f->d, "accounts/b.conf", "[account]\n"
	    "address = bob@example.org\naddress = tls@example.org\n"
	    "address = c@off.example\naddress = c@far.example.org\n"
	    "address = @all.example\n[address \"@all.example\"]\n"
	    "smtp-error = 421 4.3.2 later\n");
	f->c = compiled(&f->d);
}

static void
fixture_free(struct fixture *f)
{
	config_close(f->c);
	dirs_free(&f->d);
}

static struct path
path_of(struct fixture *f, const char *text)
{
	struct path path;
	const char *why;

	assert_int_equal(addr_parse_mailbox(&f->d.a, bytes_str(text),
	    ADDR_SMTPUTF8, &path, &why), 0);
	return path;
}

static int
find(struct fixture *f, const char *text, struct recipient *out)
{
	struct path path = path_of(f, text);

	return recipient_find(f->c, &f->d.a, &path, out);
}

static void
test_reports(void **state)
{
	static const struct {
		const char *address, *canonical;
		unsigned int reports;
	} rows[] = {
		{ "dmarc-reports@example.org", "dmarc-reports@example.org",
		    RECIPIENT_DMARC_REPORTS },
		{ "DMARC-Reports@example.org", "dmarc-reports@example.org",
		    RECIPIENT_DMARC_REPORTS },
		{ "dmarc-reports+x@example.org", "dmarc-reports@example.org",
		    RECIPIENT_DMARC_REPORTS },
		{ "dmarc-reports-x+y@example.org",
		    "dmarc-reports@example.org", RECIPIENT_DMARC_REPORTS },
		{ "tls-x@example.org", "tls@example.org",
		    RECIPIENT_TLS_REPORTS },
		{ "far-reports@example.org", "far-reports@example.org",
		    RECIPIENT_DMARC_REPORTS },
		{ "alice-reports@example.org", "alice@example.org", 0 },
		{ "dmarc-reportsx@example.org", NULL, 0 },
		{ "dmarc-r@example.org", NULL, 0 },
		{ "tls@all.example", "tls@all.example", 0 },
	};
	struct recipient r;
	struct fixture f;
	int n;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < COUNT(rows); i++) {
		n = find(&f, rows[i].address, &r);
		if (n != (rows[i].canonical != NULL))
			fail_msg("%s: %d", rows[i].address, n);
		if (n == 1 && (r.reports != rows[i].reports ||
		    !bytes_eq(r.address, bytes_str(rows[i].canonical))))
			fail_msg("%s: %.*s %u", rows[i].address,
			    BYTES_ARG(r.address), r.reports);
	}
	/* a domain for reports only is not local, whatever takes them */
	assert_int_equal(find(&f, "x@far.example.org", &r), -1);
	assert_int_equal(errno, EACCES);
	fixture_free(&f);
}

static void
test_error(void **state)
{
	struct recipient r;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_int_equal(find(&f, "Gone+x@example.org", &r), 1);
	assert_true(bytes_eq(r.error, BYTES("551 5.1.6 gone to "
	    "else.example")));
	assert_int_equal(find(&f, "any@all.example", &r), 1);
	assert_true(bytes_eq(r.error, BYTES("421 4.3.2 later")));
	assert_int_equal(find(&f, "alice@example.org", &r), 1);
	assert_int_equal(r.error.n, 0);
	fixture_free(&f);
}

static void
test_members(void **state)
{
	struct recipient_alias alias;
	struct recipient r;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	assert_int_equal(find(&f, "TEAM+list@example.org", &r), 1);
	assert_int_equal(r.account.n + r.mailbox.n + r.key.n, 0);
	assert_true(bytes_eq(r.alias, BYTES("team@example.org")));
	assert_true(bytes_eq(r.address, BYTES("team@example.org")));
	recipient_alias_read(f.c, &f.d.a, r.alias, &alias);
	/* alice is there twice */
	assert_int_equal(alias.nmembers, 2);
	assert_true(bytes_eq(alias.member[0].address,
	    BYTES("alice@example.org")));
	assert_true(bytes_eq(alias.member[0].account, BYTES("a")));
	assert_true(bytes_eq(alias.member[1].account, BYTES("b")));
	assert_int_equal(alias.nexternals, 1);
	assert_true(bytes_eq(alias.external[0], BYTES("ext@far.example")));
	assert_true(bytes_eq(alias.bounces_to, BYTES("alice@example.org")));
	assert_false(alias.post_public || alias.list_members ||
	    alias.allow_msg_from);
	recipient_alias_read(f.c, &f.d.a, BYTES("own@example.org"), &alias);
	assert_true(alias.list_members && alias.allow_msg_from);
	/* D-12: public unless it is said otherwise; by catch-all */
	recipient_alias_read(f.c, &f.d.a, BYTES("open@example.org"), &alias);
	assert_true(alias.post_public);
	assert_int_equal(alias.nmembers, 1);
	assert_true(alias.member[0].catch_all);
	/* their domains take no mail now: those of the list's do */
	recipient_alias_read(f.c, &f.d.a, BYTES("shut@example.org"), &alias);
	assert_int_equal(alias.nmembers, 2);
	assert_true(bytes_eq(alias.member[0].account, BYTES("b")));
	assert_int_equal(find(&f, "c@off.example", &r), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(find(&f, "c@far.example.org", &r), -1);
	assert_int_equal(errno, EACCES);
	fixture_free(&f);
}

static void
test_post(void **state)
{
	static const struct {
		const char *alias, *from;
		bool may;
	} rows[] = {
		{ "team", "alice@example.org", true },
		{ "team", "Alice+z@example.org", true },
		{ "team", "bob@example.org", true },
		{ "team", "friend@else.example", true },
		{ "team", "other@else.example", false },
		{ "team", "\303\274NAL@xn--bcher-kva.example", true },
		{ "team", "unal@xn--bcher-kva.example", false },
		{ "team", "any@club.example", true },
		{ "team", "any@sub.club.example", false },
		{ "team", "EXT@far.example", true },
		{ "team", "gone@example.org", false },
		{ "team", "nobody@example.org", false },
		{ "team", "team@example.org", false },
		{ "team", NULL, false },
		{ "own", "own@example.org", true },
		{ "own", "own+x@example.org", true },
		{ "own", "bob@example.org", true },
		{ "own", "team@example.org", false },
		{ "own", "alice@example.org", false },
		{ "shut", "c@off.example", true },
		{ "shut", "d@off.example", false },
		{ "open", "x@nowhere.example", true },
		{ "open", NULL, true },
	};
	struct recipient_alias alias;
	struct fixture f;
	struct path from;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < COUNT(rows); i++) {
		recipient_alias_read(f.c, &f.d.a, bytes_str(arena_printf(
		    &f.d.a, "%s@example.org", rows[i].alias)), &alias);
		if (rows[i].from != NULL)
			from = path_of(&f, rows[i].from);
		if (recipient_alias_may_post(f.c, &f.d.a, &alias,
		    rows[i].from == NULL ? NULL : &from) != rows[i].may)
			fail_msg("%s to %s", rows[i].from == NULL ? "none"
			    : rows[i].from, rows[i].alias);
	}
	fixture_free(&f);
}

static void
test_use(void **state)
{
	struct path own, team;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	own = path_of(&f, "own@example.org");
	team = path_of(&f, "team@example.org");
	assert_true(submit_may_use(f.c, &f.d.a, BYTES("b"), &own));
	assert_false(submit_may_use(f.c, &f.d.a, BYTES("a"), &own));
	assert_false(submit_may_use(f.c, &f.d.a, BYTES("b"), &team));
	assert_false(submit_may_use(f.c, &f.d.a, BYTES_EMPTY, &own));
	fixture_free(&f);
}

/* What queue-add is asked for by whoever delivers. */
static void
test_forward(void **state)
{
	static const struct {
		const char *login, *sender, *rcpt, *text;
		uint64_t code;
	} rows[] = {
		{ "team@example.org", "alice@example.org", "ext@far.example",
		    "dkim=pass header.d=x.example", 0 },
		{ "team@example.org", "", "ext@far.example",
		    "dkim=pass header.d=x.example", 0 },
		{ "team@example.org", "alice@example.org", "ext@far.example",
		    "dkim=fail header.d=x.example", 550 },
		{ "team@example.org", "alice@example.org", "x@far.example",
		    "dkim=pass header.d=x.example", 550 },
		{ "own@example.org", "alice@example.org", "ext@far.example",
		    "dkim=pass header.d=x.example", 550 },
		{ "alice@example.org", "alice@example.org", "ext@far.example",
		    "dkim=pass header.d=x.example", 550 },
		{ "team@example.org", "gone@example.org", "ext@far.example",
		    "dkim=pass header.d=x.example", 550 },
		{ "team@example.org", "bob@example.org", "ext@far.example",
		    "dkim=pass header.d=x.example", 550 },
	};
	struct submit_reply reply;
	struct add_request q;
	struct add_rcpt rcpt;
	struct fixture f;
	struct submit s;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)add_parse_request(&f.d.a, BYTES_EMPTY, &q);
		rcpt = (struct add_rcpt){ .orcpt = BYTES_EMPTY };
		rcpt.address = bytes_str(rows[i].rcpt);
		q.kind = QUEUE_FORWARD;
		q.account = BYTES("a");
		q.login = bytes_str(rows[i].login);
		q.sender = bytes_str(rows[i].sender);
		q.rcpts = &rcpt;
		q.count = 1;
		s = (struct submit){ .a = &f.d.a, .config = f.c,
		    .request = &q, .now = 1 };
		s.text = bytes_str(arena_printf(&f.d.a,
		    "Authentication-Results: mx.example.org; %s\n"
		    "Received: from a by mx.example.org id 1; x\n"
		    "From: a@b.example\n\n", rows[i].text));
		reply.code = 0;
		if ((submit_prepare(&s, &reply) == 0) != (rows[i].code == 0)
		    || reply.code != rows[i].code)
			fail_msg("row %zu: %llu %.*s", i,
			    (unsigned long long)reply.code,
			    BYTES_ARG(reply.text));
		if (rows[i].code == 0)
			assert_int_equal(s.prefix.n, 0);
	}
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "D-16 D-13 addresses for reports are found before local "
		    "parts are cut", test_reports, NULL, NULL, NULL },
		{ "D-1 R-20 an address has a reply of its own", test_error,
		    NULL, NULL, NULL },
		{ "D-9 D-10 D-12 D-13 an alias has each member once",
		    test_members, NULL, NULL, NULL },
		{ "D-11 D-13 B-4 who may post", test_post, NULL, NULL, NULL },
		{ "B-4 what goes to members elsewhere, and no further",
		    test_forward, NULL, NULL, NULL },
		{ "D-11 members write as the alias if it allows it", test_use,
		    NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("recipient_alias", tests, NULL,
	    NULL);
}
