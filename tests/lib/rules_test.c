/*
 * rules_test.c - which rule matches what (BEHAVIOUR 1.1)
 */
#include "rules/rules.h"

#include "regex/regex.h"

#include "config_dirs.h"

static struct bytes lists = BYTES("List-Id: Dev <DEV.example.org>\n"
    "Subject: =?utf-8?q?x?=\n hello\n"
    "X-Long:  folded\n\tvalue  \nX-Um: \303\204\n");

/* A message from which each row differs in one thing. */
static struct rules_facts
facts(void)
{
	static struct bytes dkim[] = { BYTES("d.example"),
	    BYTES("mail.list.example") };

	return (struct rules_facts){ .mail_from = BYTES("Bounce@m.example"),
	    .has_from = true, .from = BYTES("Ann@b\303\274cher.example"),
	    .helo_domain = BYTES("helo.example"),
	    .mail_from_domain = BYTES("m.example"),
	    .dkim_domain = dkim, .ndkim_domains = 2,
	    .header = &lists, .nheaders = 1 };
}

static struct rule
rule(void)
{
	return (struct rule){ .name = BYTES("r"), .mailbox = BYTES("M"),
	    .mail_from = BYTES_EMPTY, .msg_from = BYTES_EMPTY,
	    .verified_domain = BYTES_EMPTY, .comment = BYTES_EMPTY,
	    .list_allow_domain = BYTES_EMPTY,
	    .accept_rejects_to = BYTES_EMPTY, .reply = BYTES_EMPTY };
}

static const struct {
	const char *mail_from, *msg_from, *verified, *header[4];
	const char *failed;	/* NULL: matches */
} rows[] = {
	{ "", "", "", { NULL }, NULL },
	/* SMTPMailFromRegexp */
	{ "^Bounce@", "", "", { NULL }, NULL },
	{ "^bounce@", "", "", { NULL }, "mail-from" },
	{ "@m\\.example$", "", "", { NULL }, NULL },
	{ "ounce", "", "", { NULL }, NULL },
	/* MsgFromRegexp */
	{ "", "@b\303\274cher\\.example$", "", { NULL }, NULL },
	{ "", "@xn--", "", { NULL }, "msg-from" },
	{ "^Bounce", "^Bob", "", { NULL }, "msg-from" },
	{ "^Other", "^Ann", "", { NULL }, "mail-from" },
	/* VerifiedDomain: equal or above */
	{ "", "", "m.example", { NULL }, NULL },
	{ "", "", "example", { NULL }, NULL },
	{ "", "", "helo.example", { NULL }, NULL },
	{ "", "", "d.example", { NULL }, NULL },
	{ "", "", "list.example", { NULL }, NULL },
	{ "", "", "il.list.example", { NULL }, "verified-domain" },
	{ "", "", "x.m.example", { NULL }, "verified-domain" },
	{ "", "", "ample", { NULL }, "verified-domain" },
	{ "", "^Ann", "none.example", { NULL }, "verified-domain" },
	/* HeadersRegexp: lower case on both sides, all must hold */
	{ "", "", "", { "^list-id$", "<dev\\.example\\.org>$" }, NULL },
	{ "", "", "", { "^List-Id$", "dev" }, "header" },
	{ "", "", "", { "^list-id$", "Dev" }, "header" },
	{ "", "", "", { "^x-long$", "^folded\tvalue$" }, NULL },
	{ "", "", "", { "^x-um$", "^\303\244$" }, NULL },
	{ "", "", "", { "list", "dev", "subject", "hello$" }, NULL },
	{ "", "", "", { "list", "dev", "subject", "nothing" }, "header" },
	{ "", "", "", { "list", "nothing", "subject", "hello" }, "header" },
	/* some field, not the first of the name's */
	{ "", "", "", { ".", "hello" }, NULL },
	/* one that does not compile matches nothing */
	{ "(", "", "", { NULL }, "mail-from" },
	{ "", "", "", { "(", "x" }, "header" },
	{ "", "", "", { "x", "(" }, "header" },
};

static struct rule
rule_of_row(size_t i, struct rules_header header[2])
{
	struct rule r = rule();

	r.mail_from = bytes_str(rows[i].mail_from);
	r.msg_from = bytes_str(rows[i].msg_from);
	r.verified_domain = bytes_str(rows[i].verified);
	r.header = header;
	for (size_t k = 0; k < 4 && rows[i].header[k] != NULL; k += 2)
		header[r.nheaders++] = (struct rules_header){
		    bytes_str(rows[i].header[k]),
		    bytes_str(rows[i].header[k + 1]) };
	return r;
}

static void
test_conditions(void **state)
{
	struct rules_header header[2];
	struct rules_facts f = facts();
	struct arena a = ARENA_INIT;
	struct rules_result out;
	struct rule r;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		r = rule_of_row(i, header);
		rules_match(&a, &r, 1, BYTES("Own"), &f, &out);
		assert_int_equal(out.nsteps, 1);
		if ((rows[i].failed == NULL) != (out.steps[0].failed == NULL)
		    || (rows[i].failed != NULL &&
		    strcmp(rows[i].failed, out.steps[0].failed) != 0))
			fail_msg("row %zu: %s", i, out.steps[0].failed == NULL
			    ? "matches" : out.steps[0].failed);
		assert_true(bytes_eq(out.mailbox, rows[i].failed == NULL
		    ? BYTES("M") : BYTES("Own")));
		assert_int_equal(out.rule.n, rows[i].failed == NULL ? 1 : 0);
		assert_false(out.over_budget);
	}
	arena_free(&a);
}

static void
test_without_facts(void **state)
{
	struct rules_facts f = { .mail_from = BYTES_EMPTY };
	struct rule r[3] = { rule(), rule(), rule() };
	struct arena a = ARENA_INIT;
	struct rules_result out;

	(void)state;
	f.from = f.helo_domain = f.mail_from_domain = BYTES_EMPTY;
	r[0].msg_from = BYTES("");
	r[0].msg_from = BYTES("^");	/* matches anything but none */
	r[1].verified_domain = BYTES("example");
	r[2].mail_from = BYTES("^$");	/* the null sender */
	rules_match(&a, r, 3, BYTES("Own"), &f, &out);
	assert_int_equal(out.nsteps, 3);
	assert_string_equal(out.steps[0].failed, "msg-from");
	assert_string_equal(out.steps[1].failed, "verified-domain");
	assert_null(out.steps[2].failed);
	arena_free(&a);
}

static void
test_first_wins(void **state)
{
	struct rule r[3] = { rule(), rule(), rule() };
	struct rules_facts f = facts();
	struct arena a = ARENA_INIT;
	struct rules_result out;

	(void)state;
	r[0].msg_from = BYTES("^Nobody");
	r[1].name = BYTES("second");
	r[1].mailbox = BYTES("Two");
	r[1].comment = BYTES("why");
	r[2].mailbox = BYTES("Three");
	rules_match(&a, r, 3, BYTES("Own"), &f, &out);
	assert_true(bytes_eq(out.rule, BYTES("second")));
	assert_true(bytes_eq(out.mailbox, BYTES("Two")));
	assert_true(bytes_eq(out.comment, BYTES("why")));
	assert_int_equal(out.nsteps, 2);
	rules_match(&a, r, 0, BYTES("Own"), &f, &out);
	assert_int_equal(out.rule.n, 0);
	assert_true(bytes_eq(out.mailbox, BYTES("Own")));
	arena_free(&a);
}

static void
test_decides(void **state)
{
	struct rules_facts f = facts();
	struct arena a = ARENA_INIT;
	struct rules_result out;
	struct rule r = rule();

	(void)state;
	r.forward = true;
	r.verified_domain = BYTES("d.example");
	r.accept_rejects_to = BYTES("Kept");
	rules_match(&a, &r, 1, BYTES("Own"), &f, &out);
	assert_true(out.is_forward);
	assert_true(bytes_eq(out.verified_domain, BYTES("d.example")));
	assert_true(bytes_eq(out.accept_rejects_to, BYTES("Kept")));
	assert_int_equal(out.reply_code, 0);
	r = rule();
	r.mailbox = BYTES_EMPTY;
	r.reply = BYTES("554 5.7.1 not you");
	rules_match(&a, &r, 1, BYTES("Own"), &f, &out);
	assert_int_equal(out.reply_code, 554);
	assert_true(bytes_eq(out.reply_status, BYTES("5.7.1")));
	assert_true(bytes_eq(out.reply_text, BYTES("not you")));
	assert_true(bytes_eq(out.mailbox, BYTES("Own")));
	arena_free(&a);
}

static void
test_list(void **state)
{
	static const struct {
		const char *domain;
		bool allowed;
	} cases[] = {
		{ "m.example", true }, { "d.example", true },
		{ "mail.list.example", true }, { "", false },
		/* not above, not HELO */
		{ "list.example", false }, { "example", false },
		{ "helo.example", false }, { "x.m.example", false },
	};
	struct rules_facts f = facts();
	struct arena a = ARENA_INIT;
	struct rules_result out;
	struct rule r = rule();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		r.list_allow_domain = bytes_str(cases[i].domain);
		rules_match(&a, &r, 1, BYTES("Own"), &f, &out);
		if (out.list_allowed != cases[i].allowed)
			fail_msg("%s", cases[i].domain);
		assert_true(bytes_eq(out.list_allow_domain,
		    r.list_allow_domain));
	}
	arena_free(&a);
}

/* B-20: rules r[2] that are undecided at the first, over f. */
static void
test_refused(struct arena *a, struct rule *r, const struct rules_facts *f)
{
	struct rules_facts none = *f;
	struct rules_header plain = { BYTES("^x$"), BYTES("^aaa") };
	struct rules_result out;

	print_message("# B-20 nobody gets past a rule that refuses\n");
	r[0].reply = BYTES("550 5.7.1 no");
	r[0].name = BYTES("blocks");
	r[1].nheaders = 0;
	rules_match(a, r, 2, BYTES("Own"), f, &out);
	assert_int_equal(out.reply_code, 451);
	assert_true(bytes_eq(out.reply_status, BYTES("4.3.0")));
	assert_true(bytes_eq(out.rule, BYTES("blocks")));
	assert_int_equal(out.nsteps, 1);
	print_message("# what other rules cost is not its\n");
	r[0].reply = BYTES_EMPTY;
	r[1].reply = BYTES("550 5.7.1 no");
	r[1].header = &plain;
	r[1].nheaders = 1;
	r[1].name = BYTES("behind");
	plain.value = BYTES("^b");
	rules_match(a, r, 2, BYTES("Own"), f, &out);
	assert_true(out.over_budget);
	assert_false(out.steps[1].undecided);
	assert_int_equal(out.reply_code, 0);
	assert_true(bytes_eq(out.mailbox, BYTES("Own")));
	print_message("# one that refuses, behind one that may have matched\n");
	plain.value = BYTES("^a");
	rules_match(a, r, 2, BYTES("Own"), f, &out);
	assert_int_equal(out.reply_code, 451);
	assert_true(bytes_eq(out.rule, BYTES("behind")));
	print_message("# what needs no steps refuses nothing\n");
	r[0].reply = BYTES("550 5.7.1 no");
	r[0].verified_domain = BYTES("nobody.example");
	r[1].reply = BYTES_EMPTY;
	rules_match(a, r, 2, BYTES("Own"), f, &out);
	assert_false(out.over_budget);
	assert_int_equal(out.reply_code, 0);
	assert_true(bytes_eq(out.rule, BYTES("behind")));
	print_message("# nor does a From that is not there\n");
	r[0].verified_domain = BYTES_EMPTY;
	r[0].mail_from = BYTES("(a|a)*[bc]");
	r[0].msg_from = BYTES("x");
	none.mail_from = BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	none.has_from = true;
	rules_match(a, r, 2, BYTES("Own"), &none, &out);
	assert_int_equal(out.reply_code, 451);
	none.has_from = false;
	rules_match(a, r, 2, BYTES("Own"), &none, &out);
	assert_int_equal(out.reply_code, 0);
}

/* Text and expressions of whoever wants to take our time. */
static void
test_budget(void **state)
{
	struct rules_header header = { BYTES("."),
	    BYTES("(a|a)*[bc]") };
	struct buf text = BUF_INIT(64 * 1024 * 1024);
	struct rules_facts f = facts();
	struct rule *r;
	struct arena a = ARENA_INIT;
	struct rules_result out;
	struct bytes section;

	(void)state;
	r = arena_zalloc(&a, RULES_MAX, sizeof(*r));
	for (int i = 0; i < RULES_MAX; i++) {
		r[i] = rule();
		r[i].header = &header;
		r[i].nheaders = 1;
	}
	r[RULES_MAX - 1].nheaders = 0;
	for (int i = 0; i < RULES_FIELDS_MAX; i++) {
		buf_adds(&text, "X: ");
		for (int k = 0; k < 9000; k++)
			buf_addc(&text, 'a');
		buf_addc(&text, '\n');
	}
	section = buf_bytes(&text);
	f.header = &section;
	rules_match(&a, r, RULES_MAX, BYTES("Own"), &f, &out);
	assert_true(out.over_budget);
	/* what needs no steps still holds */
	assert_int_equal(out.nsteps, RULES_MAX);
	assert_int_equal(out.rule.n, 1);
	assert_true(out.steps[0].undecided && out.steps[1].undecided);
	assert_false(out.steps[RULES_MAX - 1].undecided);
	test_refused(&a, r, &f);
	buf_free(&text);
	arena_free(&a);
}

/* A value is looked at up to RULES_VALUE_MAX, fields to RULES_FIELDS_MAX. */
static void
test_limits(void **state)
{
	struct rules_header header = { BYTES("^y$"), BYTES("b") };
	struct buf text = BUF_INIT(1024 * 1024);
	struct rules_facts f = facts();
	struct arena a = ARENA_INIT;
	struct rules_result out;
	struct bytes section;
	struct rule r = rule();

	(void)state;
	r.header = &header;
	r.nheaders = 1;
	for (int over = 0; over < 2; over++) {
		buf_reset(&text);
		buf_adds(&text, "Y: ");
		for (int i = 1; i < RULES_VALUE_MAX + over; i++)
			buf_addc(&text, 'a');
		buf_adds(&text, "b\n");
		section = buf_bytes(&text);
		f.header = &section;
		rules_match(&a, &r, 1, BYTES("Own"), &f, &out);
		assert_int_equal(out.rule.n, over ? 0 : 1);
		buf_reset(&text);
		for (int i = 1; i < RULES_FIELDS_MAX + over; i++)
			buf_adds(&text, "X: a\n");
		buf_adds(&text, "Y: b\n");
		section = buf_bytes(&text);
		rules_match(&a, &r, 1, BYTES("Own"), &f, &out);
		assert_int_equal(out.rule.n, over ? 0 : 1);
	}
	buf_free(&text);
	arena_free(&a);
}

static void
test_facts(void **state)
{
	struct bytes info[] = {
		BYTES("spf=pass smtp.mailfrom=\"x@y\"@M.Example"),
		BYTES("dkim=pass header.d=D.Example header.s=s"),
		BYTES("dkim=fail header.d=no.example header.s=s"),
		BYTES("dkim=pass header.d=d.example header.s=t"),
		BYTES("dkim=pass header.d=\"not a domain\" header.s=t"),
		BYTES("nonsense"),
	};
	struct bytes top[] = { BYTES("X-Filter: Yes\n") };
	struct trace_block b = { .resinfo = info, .nresinfo = COUNT(info),
	    .top = top, .ntop = 1 };
	struct trace_envelope e = { .sender = BYTES("B@XN--BCHER-KVA.example")
	    };
	struct arena a = ARENA_INIT;
	struct rules_facts f;

	(void)state;
	rules_facts_read(&a, &b, &e, BYTES("From: A <Ann@Example.ORG>\n"
	    "To: b\n\nFrom: c@d\n"), &f);
	assert_true(bytes_eq(f.mail_from, BYTES("B@b\303\274cher.example")));
	assert_true(f.has_from && bytes_eq(f.from, BYTES("Ann@example.org")));
	assert_true(bytes_eq(f.mail_from_domain, BYTES("m.example")));
	assert_int_equal(f.helo_domain.n, 0);
	assert_int_equal(f.ndkim_domains, 1);
	assert_true(bytes_eq(f.dkim_domain[0], BYTES("d.example")));
	assert_int_equal(f.nheaders, 2);
	assert_true(bytes_eq(f.header[0], top[0]));
	info[0] = BYTES("spf=pass smtp.helo=H.Example");
	rules_facts_read(&a, &b, &e, BYTES("From: a@b.example, c@d.example\n"
	    "\n"), &f);
	assert_true(bytes_eq(f.helo_domain, BYTES("h.example")));
	assert_int_equal(f.mail_from_domain.n, 0);
	assert_false(f.has_from);
	info[0] = BYTES("spf=softfail smtp.mailfrom=a@m.example");
	e.sender = BYTES_EMPTY;
	rules_facts_read(&a, &b, &e, BYTES("From: a@b.example\n"
	    "From: a@b.example\n\n"), &f);
	assert_int_equal(f.mail_from_domain.n + f.helo_domain.n, 0);
	assert_int_equal(f.mail_from.n, 0);
	assert_false(f.has_from);
	arena_free(&a);
}

/* ---- sets ---- */

static struct config *
configured(struct dirs *d, const char *rules)
{
	write_file(d, "main.conf", MAIN);
	write_file(d, "domains/example.org.conf", "");
	write_file(d, "accounts/a.conf", arena_printf(&d->a, "[account]\n"
	    "address = a@example.org\naddress = b@example.org\n"
	    "[address \"b@example.org\"]\nauth-required = sign it\n%s",
	    rules));
	return compiled(d);
}

static struct recipient
recipient(const char *key)
{
	return (struct recipient){ .account = BYTES("a"),
	    .mailbox = BYTES("Own"), .key = bytes_str(key) };
}

static void
test_set(void **state)
{
	static const struct {
		const char *key, *from, *want;
	} messages[] = {
		{ "a@example.org", "ann@x.example", "One" },
		{ "a@example.org", "bob@x.example", "Two" },
		{ "b@example.org", "ann@x.example", "Three" },
		{ "a@example.org", "eve@x.example", "Own" },
		{ "a@example.org", "ann@x.example", "One" },
	};
	struct recipient r = recipient("a@example.org"), other;
	struct dirs d;
	struct config *c;
	struct rules_set *s;

	(void)state;
	dirs_init(&d);
	c = configured(&d, "[rule \"1\"]\naddress = a@example.org\n"
	    "msg-from = ^ann@\nmailbox = One\n"
	    "[rule \"2\"]\nheader = ^x-long$ ^folded\nmail-from = ^Bounce@\n"
	    "msg-from = ^bob@\nmailbox = Two\n"
	    "[rule \"3\"]\naddress = b@example.org\nmailbox = Three\n");
	s = rules_set_new(c, &r);
	for (size_t i = 0; i < COUNT(messages); i++) {
		struct rules_facts f = facts();
		struct rules_result out, once;

		other = recipient(messages[i].key);
		if (!rules_set_is_for(s, c, &other)) {
			rules_set_free(s);
			s = rules_set_new(c, &other);
		}
		f.from = bytes_str(messages[i].from);
		rules_set_apply(s, &d.a, &other, &f, &out);
		rules_apply(c, &d.a, &other, &f, &once);
		assert_true(bytes_eq(out.mailbox,
		    bytes_str(messages[i].want)));
		assert_true(bytes_eq(out.mailbox, once.mailbox));
		assert_true(bytes_eq(out.message_auth_required,
		    bytes_str(i == 2 ? "sign it" : "")));
		assert_int_equal(out.nsteps, once.nsteps);
	}
	other = recipient("b@example.org");
	assert_true(rules_set_is_for(s, c, &r));
	assert_false(rules_set_is_for(s, c, &other));
	other = r;
	other.account = BYTES("b");
	assert_false(rules_set_is_for(s, c, &other));
	assert_false(rules_set_is_for(s, NULL, &r));
	rules_set_free(s);
	config_close(c);
	dirs_free(&d);
}

/* What is kept is bounded; the rest is compiled for each message. */
static void
test_set_limit(void **state)
{
	struct recipient r = recipient("a@example.org");
	struct buf text = BUF_INIT(1024 * 1024);
	struct rules_facts f = facts();
	struct rules_result out;
	struct rules_set *s;
	struct config *c;
	struct dirs d;
	size_t before, first = 0;

	(void)state;
	dirs_init(&d);
	for (int i = 0; i < CONFIG_RULES_MAX - 1; i++) {
		(void)buf_printf(&text, "[rule \"%d\"]\nmailbox = No\n"
		    "msg-from = ^no%d", i, i);
		for (int k = 0; k < 60; k++)
			buf_adds(&text, "[a-z][0-9]");
		buf_addc(&text, '\n');
	}
	buf_adds(&text, "[rule \"last\"]\nmsg-from = ^Ann@\n"
	    "mailbox = Last\n");
	buf_addc(&text, '\0');
	c = configured(&d, (const char *)text.p);
	s = rules_set_new(c, &r);
	before = rules_set_bytes(s);
	for (int i = 0; i < 3; i++) {
		rules_set_apply(s, &d.a, &r, &f, &out);
		assert_true(bytes_eq(out.mailbox, BYTES("Last")));
		if (i == 0)
			first = rules_set_bytes(s);
		assert_int_equal(rules_set_bytes(s), first);
	}
	assert_true(before < RULES_KEEP_MAX);
	assert_in_range(first, RULES_KEEP_MAX,
	    RULES_KEEP_MAX + REGEX_PROGRAM_MAX);
	rules_set_free(s);
	config_close(c);
	buf_free(&text);
	dirs_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "D-4 BEHAVIOUR 1.1 every condition given must hold",
		    test_conditions, NULL, NULL, NULL },
		{ "D-4 facts that are not there match nothing",
		    test_without_facts, NULL, NULL, NULL },
		{ "D-4 BEHAVIOUR 1.1 the first match wins",
		    test_first_wins, NULL, NULL, NULL },
		{ "D-5 D-7 B-20 what a rule decides", test_decides, NULL,
		    NULL, NULL },
		{ "D-6 a list domain is vouched for exactly", test_list, NULL,
		    NULL, NULL },
		{ "rules cost no more than their budget", test_budget, NULL,
		    NULL, NULL },
		{ "fields and values at the limits and one past",
		    test_limits, NULL, NULL, NULL },
		{ "D-4 rules kept say what rules read anew say", test_set,
		    NULL, NULL, NULL },
		{ "what rules keep ends at its limit", test_set_limit, NULL,
		    NULL, NULL },
		{ "facts are read from the trusted block", test_facts, NULL,
		    NULL, NULL },
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
