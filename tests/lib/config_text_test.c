/*
 * config_text_test.c - INI text and back, and what values may be
 */
#include "config_dirs.h"

/* ---- parsing ---- */

/* "section|name|key=value;" of each item; headers end in ":". */
static const char *
items_text(struct arena *a, const struct config_item *items, size_t n)
{
	const char *text = "";
	size_t i;

	for (i = 0; i < n; i++) {
		text = arena_printf(a, "%s%.*s%s%.*s%s%.*s%s%.*s;", text,
		    BYTES_ARG(items[i].section),
		    items[i].has_name ? "|" : "", BYTES_ARG(items[i].name),
		    items[i].header ? ":" : "|", BYTES_ARG(items[i].key),
		    items[i].header ? "" : "=", BYTES_ARG(items[i].value));
	}
	return text;
}

static const struct {
	const char *text, *items;
} good_text[] = {
	{ "", "" },
	{ "\n\n# only\n  \t# comments\n", "" },
	{ "[a]", "a:;" },
	{ "[a]\nk=v", "a:;a|k=v;" },
	{ "[a]\r\nk = v\r\n", "a:;a|k=v;" },
	{ " [a] # c\n\tk \t=\t v w \t\n", "a:;a|k=v w;" },
	{ "[a \"b c\"]\nk = v\n", "a|b c:;a|b c|k=v;" },
	{ "[a \"b \\\"c\\\" \\\\\"]\n", "a|b \"c\" \\:;" },
	{ "[a \"\"]\n", "a|:;" },
	{ "[a]\nk = v # c\n", "a:;a|k=v;" },
	{ "[a]\nk = v#c # d\n", "a:;a|k=v#c;" },
	{ "[a]\nk =# c\n", "a:;a|k=;" },
	{ "[a]\nk =\n", "a:;a|k=;" },
	{ "[a]\nk = \"\"\n", "a:;a|k=;" },
	{ "[a]\nk = \" v # \\\" \\\\ \" # c\n",
	    "a:;a|k= v # \" \\ ;" },
	{ "[a]\nk = a \"b\" c\\d\n", "a:;a|k=a \"b\" c\\d;" },
	{ "[a]\nk = 1\nk = 2\nk = 3\n",
	    "a:;a|k=1;a|k=2;a|k=3;" },
	{ "[a]\nk = = [x]\n", "a:;a|k== [x];" },
	{ "[a]\nk-1 = b\303\274cher\n", "a:;a|k-1=b\303\274cher;" },
	{ "[a]\nk = 1\n[b]\nk = 2\n[a]\nk = 3\n",
	    "a:;a|k=1;b:;b|k=2;a:;a|k=3;" },
};

static void
parses(void **state)
{
	struct config_problems problems;
	struct config_item *items;
	struct arena a = ARENA_INIT;
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(good_text); i++) {
		memset(&problems, 0, sizeof(problems));
		config_parse(&a, "f", bytes_str(good_text[i].text), &items, &n,
		    &problems);
		assert_int_equal(problems.errors, 0);
		assert_string_equal(items_text(&a, items, n),
		    good_text[i].items);
	}
	arena_free(&a);
}

static const struct {
	const char *text;
	unsigned int line;
	const char *what, *items;
} bad_text[] = {
	{ "k = v\n[a]\n", 1, "before any section", "a:;" },
	{ "[a\n", 1, "wrong section header", "" },
	{ "[a]\nk = v\n[B]\nx = y\n[c]\n", 3, "wrong section header",
	    "a:;a|k=v;c:;" },
	{ "[]\n", 1, "wrong section header", "" },
	{ "[a b]\n", 1, "wrong section header", "" },
	{ "[a\"b\"]\n", 1, "wrong section header", "" },
	{ "[a \"b]\n", 1, "no closing quote", "" },
	{ "[a \"b\\n\"]\n", 1, "wrong escape", "" },
	{ "[a]x\n", 1, "text after the section header", "" },
	{ "[a]#x\n", 1, "text after the section header", "" },
	{ "[a]\nnothing\n", 2, "not understood", "a:;" },
	{ "[a]\n= v\n", 2, "not understood", "a:;" },
	{ "[a]\nKey = v\n", 2, "not understood", "a:;" },
	{ "[a]\nk = \"v\n", 2, "no closing quote", "a:;" },
	{ "[a]\nk = \"v\\\n", 2, "wrong escape", "a:;" },
	{ "[a]\nk = \"v\\t\"\n", 2, "wrong escape", "a:;" },
	{ "[a]\nk = \"v\"w\n", 2, "after the closing quote", "a:;" },
	{ "[a]\nk = \"v\"#w\n", 2, "after the closing quote", "a:;" },
	{ "[a]\nk = \001\n", 2, "control character", "a:;" },
	{ "[a]\nk = \177\n", 2, "control character", "a:;" },
	{ "[a]\nk = a\rb\n", 2, "control character", "a:;" },
	{ "[a]\nk = \303\n", 2, "not UTF-8", "a:;" },
	{ "# \377\n[a]\n", 1, "not UTF-8", "a:;" },
};

static void
parse_errors(void **state)
{
	struct config_problems problems;
	struct config_item *items;
	struct arena a = ARENA_INIT;
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(bad_text); i++) {
		memset(&problems, 0, sizeof(problems));
		config_parse(&a, "f", bytes_str(bad_text[i].text), &items, &n,
		    &problems);
		assert_int_equal(problems.errors, 1);
		assert_string_equal(problems.first->file, "f");
		assert_int_equal(problems.first->line, bad_text[i].line);
		if (strstr(problems.first->text, bad_text[i].what) == NULL)
			fail_msg("case %zu: %s", i, problems.first->text);
		assert_string_equal(items_text(&a, items, n),
		    bad_text[i].items);
	}
	memset(&problems, 0, sizeof(problems));
	config_parse(&a, "f", BYTES("[a]\nk = \0\n"), &items, &n, &problems);
	assert_int_equal(problems.errors, 1);
	arena_free(&a);
}

/* A text of before, n times c, after; parsed: the number of errors. */
static size_t
errors_of(const char *before, int c, size_t n, const char *after)
{
	struct buf b = BUF_INIT(CONFIG_FILE_MAX + 100);
	struct config_problems problems = { .first = NULL };
	struct config_item *items;
	struct arena a = ARENA_INIT;
	size_t i, count;

	buf_adds(&b, before);
	for (i = 0; i < n; i++)
		buf_addc(&b, c);
	buf_adds(&b, after);
	assert_false(b.full);
	config_parse(&a, "f", buf_bytes(&b), &items, &count, &problems);
	buf_free(&b);
	arena_free(&a);
	return problems.errors;
}

static void
limits(void **state)
{
	(void)state;
	/* A line: "k = " and the value. */
	assert_int_equal(errors_of("[a]\nk = ", 'x', CONFIG_LINE_MAX - 4,
	    "\n"), 0);
	assert_int_equal(errors_of("[a]\nk = ", 'x', CONFIG_LINE_MAX - 3,
	    "\n"), 1);
	assert_int_equal(errors_of("[a]\n#", 'x', CONFIG_LINE_MAX - 1, ""), 0);
	assert_int_equal(errors_of("[a]\n#", 'x', CONFIG_LINE_MAX, ""), 1);
	/* A file. */
	assert_int_equal(errors_of("[a]\n", '\n', CONFIG_FILE_MAX - 4, ""), 0);
	assert_int_equal(errors_of("[a]\n", '\n', CONFIG_FILE_MAX - 3, ""), 1);
	/* Names. */
	assert_int_equal(errors_of("[a \"", 'x', CONFIG_NAME_MAX, "\"]"), 0);
	assert_int_equal(errors_of("[a \"", 'x', CONFIG_NAME_MAX + 1, "\"]"),
	    1);
	assert_int_equal(errors_of("[", 'x', CONFIG_KEY_MAX, "]"), 0);
	assert_int_equal(errors_of("[", 'x', CONFIG_KEY_MAX + 1, "]"), 1);
	assert_int_equal(errors_of("[a]\n", 'x', CONFIG_KEY_MAX, " = 1"), 0);
	assert_int_equal(errors_of("[a]\n", 'x', CONFIG_KEY_MAX + 1, " = 1"),
	    1);
}

static void
formats(void **state)
{
	static const struct {
		const char *value, *text;
	} t[] = {
		{ "", "" }, { "a b", "a b" }, { " a", "\" a\"" },
		{ "a\t", "\"a\t\"" }, { "a#b", "a#b" }, { "a #b", "\"a #b\"" },
		{ "#", "\"#\"" }, { "\"a\"", "\"\\\"a\\\"\"" },
		{ "a\"\\", "a\"\\" }, { "a\\ #", "\"a\\\\ #\"" },
		{ "\303\274", "\303\274" },
	};
	struct config_item item = { BYTES("s"), BYTES("n"), BYTES("k"),
	    BYTES("v"), 0, true, false };
	struct buf b = BUF_INIT(10000), small = BUF_INIT(8);
	char *full = mem_zalloc(1, CONFIG_LINE_MAX + 2);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		buf_reset(&b);
		assert_int_equal(config_format_value(&b,
		    bytes_str(t[i].value)), 0);
		assert_true(bytes_eq(buf_bytes(&b), bytes_str(t[i].text)));
	}
	buf_reset(&b);
	assert_int_equal(config_format(&b, &item, 1), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("[s \"n\"]\nk = v\n")));
	errno = 0;
	assert_int_equal(config_format(&small, &item, 1), -1);
	assert_int_equal(errno, EMSGSIZE);

	/* A line as long as one can be: without the blanks. */
	memset(full, 'x', CONFIG_LINE_MAX);
	item.value = bytes_of(full, CONFIG_LINE_MAX - 2);
	buf_reset(&b);
	assert_int_equal(config_format(&b, &item, 1), 0);
	assert_int_equal(b.n, strlen("[s \"n\"]\n") + CONFIG_LINE_MAX + 1);
	item.value = bytes_of(full, CONFIG_LINE_MAX - 1);
	assert_int_equal(config_format(&b, &item, 1), -1);
	assert_int_equal(errno, EINVAL);
	free(full);
	buf_free(&b);
	buf_free(&small);
}

static void
format_refuses(void **state)
{
	static const struct bytes bad[] = {
		{ (const unsigned char *)"a\nb", 3 },
		{ (const unsigned char *)"a\0b", 3 },
		{ (const unsigned char *)"a\rb", 3 },
		{ (const unsigned char *)"\377", 1 },
	};
	struct config_item item;
	struct buf b = BUF_INIT(10000);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		buf_adds(&b, "kept");
		errno = 0;
		assert_int_equal(config_format_value(&b, bad[i]), -1);
		assert_int_equal(errno, EINVAL);
		assert_true(bytes_eq(buf_bytes(&b), BYTES("kept")));
		buf_reset(&b);
		item = (struct config_item){ BYTES("s"), bad[i], BYTES("k"),
		    BYTES("v"), 0, true, false };
		assert_int_equal(config_format(&b, &item, 1), -1);
		item = (struct config_item){ bad[i], BYTES("n"), BYTES("k"),
		    BYTES("v"), 0, true, false };
		assert_int_equal(config_format(&b, &item, 1), -1);
		item = (struct config_item){ BYTES("s"), BYTES("n"), bad[i],
		    BYTES("v"), 0, true, false };
		buf_reset(&b);
		assert_int_equal(config_format(&b, &item, 1), -1);
		buf_reset(&b);
	}
	buf_free(&b);
}

/* ---- the schema and values ---- */

static void
schema_defaults(void **state)
{
	const struct config_section *s;
	const struct config_key *k, *l;
	struct buf b = BUF_INIT(1000);
	struct dirs d;
	struct config *c;
	struct config_list list;
	struct bytes value;
	const char *named;

	(void)state;
	/* Each default, written into a file, is accepted and reads the same. */
	dirs_init(&d);
	for (k = config_schema; k->section != NULL; k++) {
		for (s = config_sections; s->section != NULL; s++) {
			if (strcmp(s->section, k->section) == 0)
				break;
		}
		assert_non_null(s->section);
		for (l = k + 1; l->section != NULL; l++)
			assert_false(strcmp(k->section, l->section) == 0
			    && strcmp(k->key, l->key) == 0);
		buf_reset(&b);
		assert_int_equal(config_type_format(&b, k), 0);
		if (k->standard == NULL || s->file != CONFIG_FILE_MAIN)
			continue;
		buf_reset(&b);
		buf_adds(&b, MAIN);
		named = s->naming == CONFIG_NAME_NONE ? NULL : "name";
		buf_printf(&b, named == NULL ? "[%s]\n%s = "
		    : "[%s \"name\"]\n%s = ", k->section, k->key);
		config_standard_format(&b, k);
		buf_addc(&b, '\0');
		write_file(&d, "main.conf", (const char *)b.p);
		c = compiled(&d);
		config_list(c, k->section, named, k->key, &list);
		assert_true(config_list_next(&list, &value));
		if (!k->repeatable)
			assert_string_equal((const char *)value.p,
			    k->standard);
		config_close(c);
		buf_reset(&b);
	}
	buf_free(&b);
	dirs_free(&d);
}

/* stored NULL: refused, with what in its text. */
static const struct {
	const char *section, *line, *key, *stored, *what;
} rows[] = {
	{ "server", "pedantic = yes", "pedantic", "yes", NULL },
	{ "queue", "route = direct", "route", "direct", NULL },
	{ "queue", "route = direct  from A.example .B.example to c.example "
	    "attempts 3", "route", "direct from a.example .b.example to "
	    "c.example attempts 3", NULL },
	{ "queue", "route = local to b\303\274cher.example", "route",
	    "local to xn--bcher-kva.example", NULL },
	{ "queue", "route = nowhere", "", NULL, "there is no transport" },
	{ "queue", "route = Direct!", "", NULL, "no transport name" },
	{ "queue", "route = direct a.example", "", NULL,
	    "other than from, to" },
	{ "queue", "route = direct attempts", "", NULL, "0 to 1000" },
	{ "queue", "route = direct attempts 1001", "", NULL, "0 to 1000" },
	{ "queue", "route = direct to a..b", "", NULL, "" },
	{ "server", "pedantic = true", "", NULL, "yes or no" },
	{ "server", "pedantic =", "", NULL, "empty" },
	{ "server", "recipients-max = 100", "recipients-max", "100",
	    NULL },
	{ "server", "recipients-max = 99", "", NULL, "100 to 100000" },
	{ "server", "recipients-max = 100000", "recipients-max",
	    "100000", NULL },
	{ "server", "recipients-max = 100001", "", NULL,
	    "out of range" },
	{ "server", "recipients-max = 1e3", "", NULL, "a number" },
	{ "server", "size-limit = 1K", "size-limit", "1024", NULL },
	{ "server", "size-limit = 1023", "", NULL, "1K to 4G" },
	{ "server", "size-limit = 4G", "size-limit", "4294967296",
	    NULL },
	{ "server", "size-limit = 4294967297", "", NULL, "1K to 4G" },
	{ "server", "data-timeout = 2h", "data-timeout", "7200",
	    NULL },
	{ "server", "data-timeout = 86401", "", NULL, "1s to 1d" },
	{ "server", "open-limits = 1  2\t3", "open-limits", "1 2 3",
	    NULL },
	{ "server", "open-limits = 1 2", "", NULL, "three numbers" },
	{ "server", "open-limits = 1 2 3 4", "", NULL,
	    "three numbers" },
	{ "server", "open-limits = 1 2 1000001", "", NULL,
	    "each 0 to 1000000" },
	{ "smtp-in", "connections-per-process = 1",
	    "connections-per-process", "1", NULL },
	{ "smtp-in", "connections-per-process = 1000",
	    "connections-per-process", "1000", NULL },
	{ "smtp-in", "connections-per-process = 0", "", NULL, "1 to 1000" },
	{ "smtp-in", "connections-per-process = 1001", "", NULL,
	    "1 to 1000" },
	{ "junk", "threshold = 0.95", "threshold", "0.95", NULL },
	{ "junk", "threshold = 1", "threshold", "1", NULL },
	{ "junk", "threshold = 1.000000", "threshold", "1.000000", NULL },
	{ "junk", "threshold = 1.000001", "", NULL, "0 to 1" },
	{ "junk", "threshold = 2", "", NULL, "out of range" },
	{ "junk", "threshold = 0.1234567", "", NULL, "a decimal number" },
	{ "junk", "threshold = 0.", "", NULL, "a decimal number" },
	{ "junk", "threshold = .5", "", NULL, "a decimal number" },
	{ "junk", "threshold = 0,5", "", NULL, "a decimal number" },
	{ "junk", "max-power = 0.500001", "", NULL, "0 to 0.5" },
	{ "junk", "junk-mailboxes = ^(junk|spam)", "junk-mailboxes",
	    "^(junk|spam)", NULL },
	{ "junk", "junk-mailboxes = (", "", NULL, "regular expression" },
	{ "junk", "junk-mailboxes =", "", NULL, "empty" },
	{ "server", "log-level = debug", "log-level", "debug", NULL },
	{ "server", "log-level = loud", "", NULL,
	    "error, warn, info, debug" },
	{ "server", "resolver = [::1]:53", "resolver", "[::1]:53",
	    NULL },
	{ "server", "resolver = 127.0.0.1:65535", "resolver",
	    "127.0.0.1:65535", NULL },
	{ "server", "resolver = 127.0.0.1:65536", "", NULL, "PORT" },
	{ "server", "resolver = 127.0.0.1:0", "", NULL, "PORT" },
	{ "server", "resolver = 127.0.0.1", "", NULL, "PORT" },
	{ "server", "resolver = ::1:53", "", NULL, "PORT" },
	{ "server", "postmaster-mailbox = inbox/x",
	    "postmaster-mailbox", "Inbox/x", NULL },
	{ "server", "postmaster-mailbox = A//B", "", NULL,
	    "between slashes" },
	{ "server", "postmaster-mailbox = /A", "", NULL,
	    "between slashes" },
	{ "server", "postmaster-mailbox = A/..", "", NULL,
	    "between slashes" },
	{ "server", "postmaster = No", "", NULL, "account name" },
	{ "server", "postmaster = nobody", "", NULL,
	    "there is no account \"nobody\"" },
	{ "smtp-in", "banner =", "banner", "", NULL },
	{ "smtp-in", "banner = \"a\tb\"", "", NULL,
	    "control character" },
	{ "smtp-in", "stages-in = |spamc -f", "stages-in",
	    "|spamc -f", NULL },
	{ "smtp-in", "stages-in = /bin/x spf-check", "stages-in",
	    "/bin/x", NULL },
	{ "smtp-in", "stages-in = spf-check spf", "", NULL,
	    "\"spf\" is no value" },
	{ "smtp-in", "stages-in = |", "", NULL, "no such stage" },
	{ "imap", "idle-timeout = 30m", "idle-timeout", "1800", NULL },
	{ "imap", "idle-timeout = 29m", "", NULL, "30m to 7d" },
	{ "imap", "message-limit = 1000", "message-limit", "1000", NULL },
	{ "imap", "message-limit = 999", "", NULL, "1000 to 2500000" },
	{ "imap", "sessions-max = 100000", "sessions-max", "100000", NULL },
	{ "imap", "sessions-max = 100001", "", NULL, "0 to 100000" },
	{ "imap", "message-limit = 2500001", "", NULL, "1000 to 2500000" },
	{ "mailboxes", "sent = Gesendet", "sent", "Gesendet", NULL },
	{ "mailboxes", "sent = Trash", "", NULL,
	    "the mailbox for \"trash\" too" },
	{ "mailboxes", "more = Lists\nmore = Work/Bills", "more", "Lists",
	    NULL },
	{ "mailboxes", "more = Trash", "", NULL,
	    "the mailbox for \"trash\" too" },
	{ "mailboxes", "more = a//b", "", NULL, "is no value" },
};

static void
values(void **state)
{
	const char *text;
	struct bytes value;
	struct config *c;
	struct dirs d;
	size_t i;

	(void)state;
	dirs_init(&d);
	for (i = 0; i < COUNT(rows); i++) {
		text = arena_printf(&d.a, MAIN "[%s]\n%s\n", rows[i].section,
		    rows[i].line);
		write_file(&d, "main.conf", text);
		if (rows[i].stored == NULL) {
			assert_int_equal(compile(&d), -1);
			assert_int_equal(errno, EBADMSG);
			assert_int_equal(d.problems.errors, 1);
			assert_int_equal(d.problems.first->line, 4);
			if (strstr(problems_text(&d), rows[i].what) == NULL)
				fail_msg("%s: %s", rows[i].line,
				    problems_text(&d));
			continue;
		}
		c = compiled(&d);
		assert_int_equal(config_get(c, rows[i].section, NULL,
		    rows[i].key, &value), 1);
		assert_string_equal((const char *)value.p, rows[i].stored);
		config_close(c);
	}
	dirs_free(&d);
}

static const struct {
	const char *line, *stored;	/* NULL: refused */
} records[] = {
	{ "a = 192.0.2.1", "192.0.2.1" },
	{ "a = 2001:db8::1", NULL },
	{ "a = 192.0.2.256", NULL },
	{ "aaaa = 2001:DB8:0::1", "2001:db8::1" },
	{ "aaaa = 192.0.2.1", NULL },
	{ "mx = 10 Mail.Example.ORG.", "10 mail.example.org" },
	{ "mx = 0 .", "0 ." },
	{ "mx = 65535 a.example", "65535 a.example" },
	{ "mx = 65536 a.example", NULL },
	{ "mx = a.example", NULL },
	{ "ptr = b\303\274cher.example", "xn--bcher-kva.example" },
	{ "cname = _x._domainkey.example", "_x._domainkey.example" },
	{ "cname = a..b", NULL },
	{ "cname = a b", NULL },
	{ "txt = \"v=spf1 -all\"", "v=spf1 -all" },
	{ "txt =", "" },
};

static void
static_dns_values(void **state)
{
	struct bytes line, key, value;
	struct config *c;
	struct dirs d;
	size_t i;

	(void)state;
	dirs_init(&d);
	for (i = 0; i < COUNT(records); i++) {
		write_file(&d, "main.conf", arena_printf(&d.a,
		    MAIN "[static-dns \"X.example.\"]\n%s\n", records[i].line));
		if (records[i].stored == NULL) {
			assert_int_equal(compile(&d), -1);
			assert_int_equal(d.problems.errors, 1);
			continue;
		}
		line = bytes_str(records[i].line);
		assert_true(bytes_word(&line, &key));
		c = compiled(&d);
		assert_int_equal(config_get(c, "static-dns", "x.example",
		    arena_str(&d.a, key), &value), 1);
		assert_string_equal((const char *)value.p, records[i].stored);
		config_close(c);
	}
	dirs_free(&d);
}

static void
account_names(void **state)
{
	static const char longest[] = "a123456789012345678901234567890"
	    "123456789012345678901234567890123";
	static const struct {
		const char *name;
		bool good;
	} t[] = {
		{ "a", true }, { "0", true }, { "a.b_c-d", true },
		{ longest, true }, { "", false }, { ".a", false },
		{ "-a", false }, { "_a", false }, { "A", false },
		{ "a..b", false }, { "a/b", false }, { "a b", false },
		{ "\303\274", false },
	};
	struct bytes too_long;
	struct arena a = ARENA_INIT;
	size_t i;

	(void)state;
	assert_int_equal(strlen(longest), CONFIG_ACCOUNT_MAX);
	for (i = 0; i < COUNT(t); i++)
		assert_int_equal(config_account_valid(bytes_str(t[i].name)),
		    t[i].good);
	too_long = bytes_str(arena_printf(&a, "%sx", longest));
	assert_false(config_account_valid(too_long));
	assert_false(config_account_valid(BYTES("a\0b")));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "INI text parses", parses, NULL, NULL, NULL },
		{ "C-2 each wrong line is told with its number",
		    parse_errors, NULL, NULL, NULL },
		{ "limits of line, file and names, at and one past",
		    limits, NULL, NULL, NULL },
		{ "values and items format", formats, NULL, NULL, NULL },
		{ "what no line can carry is refused", format_refuses, NULL,
		    NULL, NULL },
		{ "each default is a value of its type", schema_defaults,
		    NULL, NULL, NULL },
		{ "values of each type, bounds at and one past", values, NULL,
		    NULL, NULL },
		{ "values of static DNS records", static_dns_values, NULL,
		    NULL, NULL },
		{ "account names", account_names, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
