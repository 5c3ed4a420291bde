/*
 * recipient_test.c - whose an address is (BEHAVIOUR 1.7)
 */
#include "recipient/recipient.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
	char top[64];
	struct arena a;
	struct config *c;
};

struct text_file {
	const char *name, *text;
};

static const struct text_file standard[] = {
	{ "main.conf",
	    "[server]\nhostname = mx.example.org\npostmaster = pat\n"
	    "postmaster-mailbox = Postmaster\n" },
	{ "domains/example.org.conf", "" },
	{ "domains/case.example.conf",
	    "[domain]\ncase-sensitive = yes\nseparators = + -\n" },
	{ "domains/order.example.conf",
	    "[domain]\nseparators = - +\n" },
	{ "domains/plain.example.conf", "[domain]\nseparators =\n" },
	{ "domains/all.example.conf", "" },
	{ "domains/off.example.conf", "[domain]\ndisabled = yes\n" },
	{ "domains/reports.example.conf", "[domain]\nreports-only = yes\n" },
	{ "domains/b\303\274cher.example.conf", "" },
	{ "domains/own.example.conf", "" },
	{ "accounts/alice.conf", "[account]\n"
	    "address = alice@example.org\n"
	    "address = sales@example.org Work/Sales\n"
	    "address = \"\\\"\\\"@example.org Empty\"\n"
	    "address = \"\\\"a b\\\"@example.org\"\n"
	    "address = \303\204rger@example.org\n"
	    "address = Alice@case.example\n"
	    "address = a@order.example\n"
	    "address = a+b@plain.example\n"
	    "address = one@all.example\n"
	    "address = x@off.example\n"
	    "address = x@reports.example\n"
	    "address = \303\251t\303\251@b\303\274cher.example\n"
	    "address = Postmaster@own.example Pm\n"
	    "[address \"alice@example.org\"]\nmailbox = Mine\n" },
	{ "accounts/bob.conf", "[account]\naddress = @all.example Rest\n"
	    "address = alice@case.example\n" },
	{ "accounts/pat.conf", "" },
	{ NULL, NULL },
};

static void
fixture_init(struct fixture *f, const struct text_file *files)
{
	struct config_problems problems = { .first = NULL };
	const char *etc;
	FILE *out;

	memset(f, 0, sizeof(*f));
	(void)snprintf(f->top, sizeof(f->top), "/tmp/recipient_test.XXXXXX");
	assert_non_null(mkdtemp(f->top));
	etc = arena_printf(&f->a, "%s/etc", f->top);
	assert_int_equal(mkdir(etc, 0700), 0);
	assert_int_equal(mkdir(arena_printf(&f->a, "%s/domains", etc), 0700),
	    0);
	assert_int_equal(mkdir(arena_printf(&f->a, "%s/accounts", etc), 0700),
	    0);
	for (; files->name != NULL; files++) {
		out = fopen(arena_printf(&f->a, "%s/%s", etc, files->name),
		    "w");
		assert_non_null(out);
		assert_true(fputs(files->text, out) >= 0);
		assert_int_equal(fclose(out), 0);
	}
	if (config_compile(&f->a, etc, f->top, false, &problems, NULL) == -1)
		fail_msg("%s:%u: %s", problems.first->file,
		    problems.first->line, problems.first->text);
	f->c = config_open_at(f->top);
	assert_non_null(f->c);
}

static void
fixture_free(struct fixture *f)
{
	char *argv[] = { "rm", "-rf", f->top, NULL };
	struct spawn s = { .argv = argv, .fd = { -1, -1, -1 } };

	config_close(f->c);
	assert_int_equal(spawn_wait(spawn_start(&s), false, DEADLINE_NONE,
	    NULL), 0);
	arena_free(&f->a);
}

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	fixture_init(f, standard);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_free(*state);
	free(*state);
	return 0;
}

/* "account mailbox address flags", "unknown", or the error's name. */
static const char *
look_up(struct fixture *f, const char *forward_path)
{
	struct recipient r;
	struct path path;
	const char *why;

	if (addr_parse_path(&f->a, bytes_str(forward_path), ADDR_SMTPUTF8,
	    &path, &why) == -1)
		fail_msg("%s: %s", forward_path, why);
	switch (recipient_find(f->c, &f->a, &path, &r)) {
	case 1:
		return arena_printf(&f->a, "%s %s %.*s%s%s%s",
		    (const char *)r.account.p, (const char *)r.mailbox.p,
		    BYTES_ARG(r.address), r.catch_all ? " catch-all" : "",
		    r.postmaster ? " postmaster" : "",
		    r.unknown ? " unknown" : "");
	case 0:
		return "unknown";
	default:
		return errno == EACCES ? "EACCES" : errno == EAGAIN ? "EAGAIN"
		    : strerror(errno);
	}
}

struct row {
	const char *forward_path, *result;
};

static void
check(void **state, const struct row *t, size_t n)
{
	struct fixture *f = *state;
	const char *got;
	size_t i;

	for (i = 0; i < n; i++) {
		got = look_up(f, t[i].forward_path);
		if (strcmp(got, t[i].result) != 0)
			fail_msg("<%s>: got %s, want %s", t[i].forward_path,
			    got, t[i].result);
	}
}

static void
exact(void **state)
{
	static const struct row t[] = {
		{ "alice@example.org", "alice Mine alice@example.org" },
		{ "sales@example.org",
		    "alice Work/Sales sales@example.org" },
		{ "bob@example.org", "unknown" },
		{ "alic@example.org", "unknown" },
		{ "\"alice\"@example.org", "alice Mine alice@example.org" },
		{ "\"a b\"@example.org", "alice Inbox \"a b\"@example.org" },
		{ "alice@EXAMPLE.org", "alice Mine alice@example.org" },
		{ "\303\251t\303\251@b\303\274cher.example",
		    "alice Inbox \303\251t\303\251@b\303\274cher.example" },
		/* decomposed, at the A-label */
		{ "e\314\201te\314\201@XN--bcher-kva.example",
		    "alice Inbox \303\251t\303\251@b\303\274cher.example" },
	};

	check(state, t, COUNT(t));
}

static void
empty_local_part(void **state)
{
	static const struct row t[] = {
		{ "\"\"@example.org", "alice Empty \"\"@example.org" },
		{ "+tag@example.org", "alice Empty \"\"@example.org" },
		{ "\" \"@example.org", "unknown" },
		{ "\"\"@case.example", "unknown" },
	};

	check(state, t, COUNT(t));
}

static void
catch_all(void **state)
{
	static const struct row t[] = {
		{ "one@all.example", "alice Inbox one@all.example" },
		{ "ONE+x@all.example", "alice Inbox one@all.example" },
		{ "two@all.example", "bob Rest two@all.example catch-all" },
		{ "Two+x@all.example", "bob Rest two@all.example catch-all" },
		{ "\"\"@all.example", "bob Rest \"\"@all.example catch-all" },
		/* before the postmaster fallback */
		{ "postmaster@all.example",
		    "bob Rest postmaster@all.example catch-all" },
	};

	check(state, t, COUNT(t));
}

static void
folding(void **state)
{
	static const struct row t[] = {
		{ "ALICE@example.org", "alice Mine alice@example.org" },
		{ "\303\204RGER@example.org",
		    "alice Inbox \303\244rger@example.org" },
		{ "\303\244rger@example.org",
		    "alice Inbox \303\244rger@example.org" },
		{ "Alice@case.example", "alice Inbox Alice@case.example" },
		{ "alice@case.example", "bob Inbox alice@case.example" },
		{ "ALICE@case.example", "unknown" },
	};

	check(state, t, COUNT(t));
}

static void
separators(void **state)
{
	static const struct row t[] = {
		{ "alice+x@example.org", "alice Mine alice@example.org" },
		{ "alice+@example.org", "alice Mine alice@example.org" },
		{ "alice+x+y@example.org", "alice Mine alice@example.org" },
		{ "alice-x@example.org", "unknown" },
		{ "Alice+x@case.example", "alice Inbox Alice@case.example" },
		{ "Alice-x@case.example", "alice Inbox Alice@case.example" },
		{ "Alice-x+y@case.example", "alice Inbox Alice@case.example" },
		{ "Alice+x-y@case.example", "alice Inbox Alice@case.example" },
		{ "a-b+c@order.example", "alice Inbox a@order.example" },
		{ "a+b-c@order.example", "alice Inbox a@order.example" },
		{ "a+b@plain.example", "alice Inbox a+b@plain.example" },
		{ "a@plain.example", "unknown" },
	};

	check(state, t, COUNT(t));
}

static void
disabled(void **state)
{
	static const struct row t[] = {
		{ "x@off.example", "EAGAIN" },
		{ "nobody@off.example", "EAGAIN" },
		{ "postmaster@off.example", "EAGAIN" },
		{ "x@reports.example", "EACCES" },
		{ "x@elsewhere.example", "EACCES" },
		{ "postmaster@elsewhere.example", "EACCES" },
		{ "x@mx.example.org", "EACCES" },
		{ "x@sub.example.org", "EACCES" },
		{ "x@[127.0.0.1]", "EACCES" },
		{ "postmaster@[127.0.0.1]", "EACCES" },
		{ "", "EACCES" },
	};

	check(state, t, COUNT(t));
}

static void
postmaster(void **state)
{
	static const struct row t[] = {
		{ "postmaster",
		    "pat Postmaster postmaster@mx.example.org postmaster" },
		{ "PostMaster",
		    "pat Postmaster postmaster@mx.example.org postmaster" },
		{ "POSTMASTER@MX.example.org",
		    "pat Postmaster postmaster@mx.example.org postmaster" },
		{ "postmaster@example.org",
		    "pat Postmaster postmaster@example.org postmaster" },
		{ "PostMaster+x@case.example",
		    "pat Postmaster postmaster@case.example postmaster" },
		{ "POSTMASTER@own.example", "alice Pm postmaster@own.example" },
		{ "postmasters@example.org", "unknown" },
	};

	check(state, t, COUNT(t));
}

static void
unknown_to(void **state)
{
	static const struct text_file files[] = {
		{ "main.conf", "[server]\nhostname = localhost\n"
		    "postmaster = mail\n"
		    "unknown-recipients-to = Mail@localhost\n" },
		{ "domains/localhost.conf", "" },
		{ "domains/test.example.conf", "" },
		{ "accounts/mail.conf", "[account]\n"
		    "address = mail@localhost Box\n" },
		{ NULL, NULL },
	};
	static const struct row t[] = {
		{ "mail@localhost", "mail Box mail@localhost" },
		{ "Any+x@localhost", "mail Box any@localhost unknown" },
		{ "any@test.example", "mail Box any@test.example unknown" },
		{ "any@other.example", "EACCES" },
		{ "postmaster@test.example",
		    "mail Inbox postmaster@test.example postmaster" },
		{ "postmaster@localhost",
		    "mail Inbox postmaster@localhost postmaster" },
	};
	struct fixture f;
	void *here = &f;

	(void)state;
	fixture_init(&f, files);
	check(&here, t, COUNT(t));
	fixture_free(&f);
}

/* Without a postmaster account postmaster is an address like others. */
static void
no_postmaster(void **state)
{
	static const struct text_file files[] = {
		{ "main.conf", "[server]\nhostname = mx.example\n" },
		{ "domains/mx.example.conf", "" },
		{ "accounts/a.conf", "[account]\n"
		    "address = postmaster@mx.example\n" },
		{ NULL, NULL },
	};
	static const struct row t[] = {
		{ "postmaster", "a Inbox postmaster@mx.example" },
		{ "Postmaster@mx.example", "a Inbox postmaster@mx.example" },
	};
	struct fixture f;
	void *here = &f;

	(void)state;
	fixture_init(&f, files);
	check(&here, t, COUNT(t));
	fixture_free(&f);
}

/* The key leads to the settings of the address. */
static void
key(void **state)
{
	struct fixture *f = *state;
	struct recipient r;
	struct path path;
	const char *why;

	assert_int_equal(addr_parse_path(&f->a, BYTES("ALICE+x@example.org"),
	    0, &path, &why), 0);
	assert_int_equal(recipient_find(f->c, &f->a, &path, &r), 1);
	assert_string_equal((const char *)r.key.p, "alice@example.org");
	assert_string_equal((const char *)config_get_text(f->c, "address",
	    (const char *)r.key.p, "mailbox").p, "Mine");
	assert_true(bytes_eq(r.domain, BYTES("example.org")));
	assert_int_equal(addr_parse_path(&f->a, BYTES("postmaster"), 0, &path,
	    &why), 0);
	assert_int_equal(recipient_find(f->c, &f->a, &path, &r), 1);
	assert_int_equal(r.key.n, 0);
	assert_true(bytes_eq(r.domain, BYTES("mx.example.org")));
}

/* ---- simulate ---- */

static void
simulate(void **state)
{
	static const struct text_file files[] = {
		{ "main.conf", "[server]\nhostname = mx.example.org\n"
		    "simulate = yes\n"
		    "unknown-recipients-to = alice@example.org\n" },
		{ "domains/example.org.conf", "" },
		{ "accounts/alice.conf", "[account]\n"
		    "address = alice@example.org\n" },
		{ NULL, NULL },
	};
	static const struct {
		const char *local_part;
		int mail, rcpt, message;
	} rows[] = {
		{ "alice", 0, 0, 0 },
		{ "temperror", 0, 0, 451 },
		{ "x-TempError", 0, 0, 451 },
		{ "a.permerror", 0, 0, 550 },
		{ "a-timeout", 0, 0, RECIPIENT_TIMEOUT },
		{ "400", 0, 0, 400 },
		{ "u399", 0, 0, 0 },
		{ "u599", 0, 0, 599 },
		{ "u600", 0, 0, 0 },
		{ "u1452", 0, 0, 0 },
		{ "45", 0, 0, 0 },
		{ "", 0, 0, 0 },
		{ "452x", 0, 0, 0 },
		{ "mailfrom452", 452, 0, 0 },
		{ "MailFrom-permerror", 550, 0, 0 },
		{ "mailfrom", 0, 0, 0 },
		{ "rcptto-timeout", 0, RECIPIENT_TIMEOUT, 0 },
		{ "rcptto421", 0, 421, 0 },
		{ "queue-permerror", 0, 0, 550 },
	};
	struct fixture *off = *state, f;
	struct bytes l;

	fixture_init(&f, files);
	for (size_t i = 0; i < COUNT(rows); i++) {
		l = bytes_str(rows[i].local_part);
		assert_int_equal(recipient_simulated(f.c, l, RECIPIENT_MAIL),
		    rows[i].mail);
		assert_int_equal(recipient_simulated(f.c, l, RECIPIENT_RCPT),
		    rows[i].rcpt);
		assert_int_equal(recipient_simulated(f.c, l,
		    RECIPIENT_MESSAGE), rows[i].message);
		assert_int_equal(recipient_simulated(off->c, l,
		    RECIPIENT_MESSAGE), 0);
	}
	assert_true(recipient_simulates_hold(f.c, BYTES("Queue-x")));
	assert_false(recipient_simulates_hold(f.c, BYTES("queu")));
	assert_false(recipient_simulates_hold(off->c, BYTES("queue-x")));
	assert_string_equal(look_up(&f, "x@elsewhere.example"),
	    "alice Inbox x@elsewhere.example unknown");
	assert_string_equal(look_up(&f, "x@[192.0.2.1]"),
	    "alice Inbox x@[192.0.2.1] unknown");
	assert_string_equal(look_up(&f, "alice@example.org"),
	    "alice Inbox alice@example.org");
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "D-1 exact addresses, their account and mailbox", exact,
		    NULL, NULL, NULL },
		{ "R-12 D-1 empty and quoted local parts", empty_local_part,
		    NULL, NULL, NULL },
		{ "D-2 BEHAVIOUR 1.7 catch-all when no address is exact",
		    catch_all, NULL, NULL, NULL },
		{ "D-3 case is folded unless the domain is case-sensitive",
		    folding, NULL, NULL, NULL },
		{ "D-3 D-16 separators are cut in turn", separators, NULL,
		    NULL, NULL },
		{ "R-19 disabled, reports-only and foreign domains", disabled,
		    NULL, NULL, NULL },
		{ "R-24 postmaster", postmaster, NULL, NULL, NULL },
		{ "R-24 postmaster without an account for it", no_postmaster,
		    NULL, NULL, NULL },
		{ "unknown recipients go where the server says", unknown_to,
		    NULL, NULL, NULL },
		{ "O-4 special local parts, and every domain is ours",
		    simulate, NULL, NULL, NULL },
		{ "D-1 settings of an address are found", key, NULL, NULL,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
