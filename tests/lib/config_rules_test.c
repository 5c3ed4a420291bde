/*
 * config_rules_test.c - rules, aliases and report addresses as configured
 */
#include "config_dirs.h"

#define ALICE "[account]\naddress = alice@example.org\naddress = @x.example\n"

static const struct {
	const char *what, *domain, *account, *problems;
} rows[] = {
	{ "D-4 expressions are checked, with the line", "", "[rule \"r\"]\n"
	    "mail-from = (a\nheader = a [\nheader = ^x$\nmailbox = A\n"
	    "msg-from = a{1,70000}\n",
	    "accounts/a.conf:5: \"(a\" is no value for \"mail-from\": missing "
	    "closing parenthesis, at byte 3; allowed: a regular expression\n"
	    "accounts/a.conf:6: \"a [\" is no value for \"header\": missing \n"
	    "accounts/a.conf:7: \"^x$\" is no value for \"header\": one exp\n"
	    "accounts/a.conf:9: \"a{1,70000}\" is no value for \"msg-from\": "
	    "number too big" },
	{ "D-7 the mailbox stays mandatory", "",
	    "[rule \"r\"]\naccept-rejects-to = R\n",
	    "accounts/a.conf:4: a rule says nothing of where mail goes" },
	{ "a rule of nothing", "", "[rule \"r\"]\n",
	    "accounts/a.conf:4: a rule says nothing of where mail goes" },
	{ "B-20 a reply is well formed", "", "[rule \"r\"]\n"
	    "reject = 250 2.0.0 ok\n[rule \"s\"]\nreject = 550 4.1.1 x\n"
	    "[rule \"t\"]\nreject = 550 5.1.1\n[rule \"u\"]\n"
	    "reject = 550 5.1.1 \303\244\n",
	    "accounts/a.conf:4: a rule says nothing of where mail goes\n"
	    "accounts/a.conf:5: \"250 2.0.0 ok\" is no value for \"reject\"\n"
	    "accounts/a.conf:6: a rule says nothing of where mail goes\n"
	    "accounts/a.conf:7: \"550 4.1.1 x\" is no value for \"reject\"\n"
	    "accounts/a.conf:8: a rule says nothing of where mail goes\n"
	    "accounts/a.conf:9: \"550 5.1.1\" is no value for \"reject\"\n"
	    "accounts/a.conf:10: a rule says nothing of where mail goes\n"
	    "accounts/a.conf:11: \"550 5.1.1 " },
	{ "B-20 a rule that refuses delivers nothing", "", "[rule \"r\"]\n"
	    "reject = 550 5.7.1 no\nmailbox = A\n",
	    "accounts/a.conf:4: a rule with \"reject\" delivers nothing" },
	{ "D-5 a forward is no list", "", "[rule \"r\"]\nmailbox = A\n"
	    "forward = yes\nlist-allow-domain = a.example\n",
	    "accounts/a.conf:4: \"forward\" and \"list-allow-domain\"" },
	{ "each name of a rule once", "", "[rule \"r\"]\nmailbox = A\n"
	    "[rule \"r\"]\nmailbox = B\n",
	    "accounts/a.conf:6: this rule is there already\n"
	    "accounts/a.conf:7: \"mailbox\" in [rule] is set already" },
	{ "names of rules are names", "", "[rule \"a/b\"]\nmailbox = A\n",
	    "accounts/a.conf:4: \"a/b\" is no name for a rule" },
	{ "a rule is for addresses of its account", "", "[rule \"r\"]\n"
	    "mailbox = A\naddress = bob@example.org\n"
	    "address = alice@example.org\naddress = y@x.example\n",
	    "accounts/a.conf:6: account a has no address "
	    "\"bob@example.org\"\n"
	    "accounts/a.conf:8: account a has no address \"y@x.example\"" },
	{ "D-9 members are addresses of accounts", "[alias \"t\"]\n"
	    "member = nobody@example.org\nmember = t@example.org\n"
	    "member = a@else.example\n", "",
	    "domains/example.org.conf:2: no account has the address "
	    "\"nobody@example.org\"\n"
	    "domains/example.org.conf:3: \"t@example.org\" is an alias\n"
	    "domains/example.org.conf:4: \"a@else.example\": "
	    "\"else.example\" is no domain of this server" },
	{ "D-9 an alias has members", "[alias \"t\"]\npost-public = no\n", "",
	    "domains/example.org.conf:1: the alias \"t@example.org\" has no "
	    "member" },
	{ "D-9 an address is an account's or an alias",
	    "[alias \"ALICE\"]\nmember = alice@example.org\n", "",
	    "domains/example.org.conf:1: address \"alice@example.org\" is "
	    "given to account a already at accounts/a.conf:2" },
	{ "an alias is there once", "[alias \"t\"]\nmember = alice@example.org"
	    "\n[alias \"T\"]\nmember = alice@example.org\n", "",
	    "domains/example.org.conf:3: address \"t@example.org\" is given "
	    "to an alias already" },
	{ "D-3 an alias holds no separator", "[alias \"t+u\"]\n"
	    "member = alice@example.org\n", "",
	    "domains/example.org.conf:1: \"t+u@example.org\" holds the "
	    "separator" },
	{ "an alias is a local part", "[alias \"a b\"]\n"
	    "member = alice@example.org\n", "",
	    "domains/example.org.conf:1: \"a b\" is no local part" },
	{ "B-4 external members need a place for bounces", "[alias \"t\"]\n"
	    "external-member = a@else.example\n", "",
	    "domains/example.org.conf:2: the alias \"t@example.org\" has "
	    "external members and no \"bounces-to\"" },
	{ "B-4 external members are elsewhere", "[alias \"t\"]\n"
	    "external-member = alice@example.org\nexternal-member = @b.example"
	    "\nbounces-to = alice@example.org\n", "",
	    "domains/example.org.conf:2: \"alice@example.org\" is of a domain "
	    "of this server; allowed is member\n"
	    "domains/example.org.conf:3: \"@b.example\" is a domain" },
	{ "B-32 user filters are programs", "", "filter = spf-check\n",
	    "accounts/a.conf:4: \"spf-check\" is no value for \"filter\"" },
	{ "B-32 user filters must be allowed", "", "filter = /bin/cat\n"
	    "[rule \"r\"]\nmailbox = A\ncommand = |cat\n",
	    "accounts/a.conf:4: \"filter\" is for programs of accounts\n"
	    "accounts/a.conf:7: \"command\" is for programs of accounts" },
};

static void
put(struct dirs *d, const char *domain, const char *account)
{
	write_file(d, "main.conf", MAIN);
	write_file(d, "domains/example.org.conf", domain);
	write_file(d, "domains/x.example.conf", "");
	write_file(d, "accounts/a.conf", arena_printf(&d->a, "%s%s", ALICE,
	    account));
}

static void
test_checks(void **state)
{
	struct bytes got, want, line, start;
	struct dirs d;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		dirs_init(&d);
		put(&d, rows[i].domain, rows[i].account);
		if (compile(&d) == 0 || errno != EBADMSG)
			fail_msg("%s: compiled", rows[i].what);
		got = bytes_str(problems_text(&d));
		want = bytes_str(rows[i].problems);
		while (bytes_line(&want, &start)) {
			if (!bytes_line(&got, &line) ||
			    !bytes_starts(line, start))
				fail_msg("%s: want %.*s in\n%s", rows[i].what,
				    BYTES_ARG(start), problems_text(&d));
		}
		if (got.n != 0)
			fail_msg("%s: more: %.*s", rows[i].what,
			    BYTES_ARG(got));
		dirs_free(&d);
	}
}

/* The values of a list with commas between. */
static const char *
joined(struct dirs *d, struct config_list list)
{
	const char *text = "";
	struct bytes value;

	while (config_list_next(&list, &value))
		text = arena_printf(&d->a, "%s%s%.*s", text,
		    text[0] == '\0' ? "" : ",", BYTES_ARG(value));
	return text;
}

static void
test_reads(void **state)
{
	struct config_list list;
	struct bytes name, first, second;
	struct config_address owner;
	struct config *c;
	struct dirs d;
	int code;

	(void)state;
	dirs_init(&d);
	put(&d, "[domain]\nseparators = -\n"
	    "dmarc-reports = dmarc-r@example.org\n"
	    "tls-reports = dmarc-r@example.org\n"
	    "[alias \"Team\"]\nmember = ALICE@example.org\n"
	    "poster = B@Else.Example\nposter = @Friends.Example\n",
	    "address = Dmarc-R@example.org\n"
	    "[rule \"z\"]\nmailbox = Z\naddress = Alice@example.org\n"
	    "header =   ^a$    b  c \n"
	    "[rule \"b\"]\nmailbox = B\naddress = @X.example\n");
	c = compiled(&d);
	config_rules(c, BYTES("a"), &list);
	assert_string_equal(joined(&d, list), "a/z,a/b");
	config_rules(c, BYTES("b"), &list);
	assert_string_equal(joined(&d, list), "");
	config_list(c, "rule", "a/z", "address", &list);
	assert_string_equal(joined(&d, list), "alice@example.org");
	config_list(c, "rule", "a/b", "address", &list);
	assert_string_equal(joined(&d, list), "@x.example");
	config_list(c, "rule", "a/z", "header", &list);
	assert_string_equal(joined(&d, list), "^a$ b  c");
	assert_int_equal(config_split_pair(BYTES("^a$ b  c"), &first,
	    &second), 0);
	assert_true(bytes_eq(first, BYTES("^a$")) &&
	    bytes_eq(second, BYTES("b  c")));
	assert_int_equal(config_split_reply(BYTES("451 4.7.1 a b"), &code,
	    &first, &second), 0);
	assert_int_equal(code, 451);
	assert_true(bytes_eq(first, BYTES("4.7.1")) &&
	    bytes_eq(second, BYTES("a b")));
	assert_true(config_alias_find(c, BYTES("team"), BYTES("example.org"),
	    &name));
	assert_string_equal(name.p, "team@example.org");
	config_list(c, "alias", (const char *)name.p, "member", &list);
	assert_string_equal(joined(&d, list), "alice@example.org");
	config_list(c, "alias", (const char *)name.p, "poster", &list);
	assert_string_equal(joined(&d, list),
	    "B@else.example,@friends.example");
	/* D-12 */
	assert_true(config_get_bool(c, "alias", (const char *)name.p,
	    "post-public"));
	config_names(c, "alias", &list);
	assert_string_equal(joined(&d, list), "team@example.org");
	config_names(c, "address", &list);
	assert_string_equal(joined(&d, list), "alice@example.org,"
	    "dmarc-r@example.org,@x.example");
	/* an alias is nobody's */
	name = BYTES("team");
	assert_false(config_address_find(c, &name, BYTES("example.org"),
	    &owner));
	config_reports(c, BYTES("example.org"), &list);
	assert_string_equal(joined(&d, list), "Ddmarc-r,Tdmarc-r");
	config_reports(c, BYTES("x.example"), &list);
	assert_string_equal(joined(&d, list), "");
	config_close(c);
	dirs_free(&d);
}

static void
test_limit(void **state)
{
	struct buf b = BUF_INIT(CONFIG_FILE_MAX);
	struct dirs d;

	(void)state;
	for (int over = 0; over < 2; over++) {
		dirs_init(&d);
		buf_reset(&b);
		for (int i = 0; i < CONFIG_RULES_MAX + over; i++)
			buf_printf(&b, "[rule \"r%d\"]\nmailbox = M\n", i);
		buf_addc(&b, '\0');
		put(&d, "", (const char *)b.p);
		assert_int_equal(compile(&d), over ? -1 : 0);
		if (over)
			assert_non_null(strstr(problems_text(&d),
			    "more than 1000 rules"));
		dirs_free(&d);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "D-4 D-9 B-4 B-20 rules and aliases are checked whole",
		    test_checks, NULL, NULL, NULL },
		{ "D-4 D-12 D-16 rules, aliases, report addresses are read",
		    test_reads, NULL, NULL, NULL },
		{ "rules of an account at the limit and one past", test_limit,
		    NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("config_rules", tests, NULL, NULL);
}
