/*
 * addr_list_test.c - address lists of header fields
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "addr/addr.h"
#include "arena_check.h"
#include "vectors.h"

/* ---- lists ---- */

/* "name|route|mailbox|domain;" for each, "~" for NIL, "{" group "}". */
static struct bytes
show_list(struct bytes body, struct addr_list *list)
{
	struct buf b = BUF_INIT(1 << 20);
	const struct addr_member *m;
	struct bytes out;

	addr_parse_list(&arena, body, list);
	for (m = list->first; m != NULL; m = m->next) {
		if (m->kind == ADDR_GROUP_START)
			(void)buf_printf(&b, "{%.*s:", BYTES_ARG(m->mailbox));
		else if (m->kind == ADDR_GROUP_END)
			(void)buf_adds(&b, "}");
		else
			(void)buf_printf(&b, "%.*s|%.*s|%.*s|%.*s%s;",
			    BYTES_ARG(m->has_name ? m->display_name
			    : BYTES("~")),
			    BYTES_ARG(m->has_route ? m->route : BYTES("~")),
			    BYTES_ARG(m->mailbox), BYTES_ARG(m->domain),
			    m->is_bad ? "!" : "");
	}
	out = arena_bytes(&arena, buf_bytes(&b));
	buf_free(&b);
	return out;
}

static const struct {
	const char *in;
	const char *out;
} lists[] = {
	{ "", "" }, { "  ", "" }, { "(c)", "" },
	{ "a@b", "~|~|a|b;" }, { "<a@b>", "~|~|a|b;" },
	{ "A B <a@b>", "A B|~|a|b;" },
	{ "\"A, B\" <a@b>,\n c@d", "A, B|~|a|b;~|~|c|d;" },
	{ "\"A \\\"x\\\"\" <a@b>", "A \"x\"|~|a|b;" },
	{ "J. R. Smith <a@b>", "J. R. Smith|~|a|b;" },
	{ "a@b (Name Here)", "Name Here|~|a|b;" },
	{ "a@b (one) (two (nested))", "two (nested)|~|a|b;" },
	{ "A (c) B <a@b>", "A B|~|a|b;" },
	{ "\"a b\"@c", "~|~|a b|c;" }, { "\"\"@c", "~|~||c;" },
	{ "a . b @ c . d", "~|~|a.b|c.d;" },
	{ "<@r1,@r2:a@b>", "~|@r1,@r2|a|b;" },
	{ "a@[192.0.2.1]", "~|~|a|[192.0.2.1];" },
	{ "G: a@b, C <c@d>;", "{G:~|~|a|b;C|~|c|d;}" },
	{ "G G:;", "{G G:}" }, { "G:;, a@b", "{G:}~|~|a|b;" },
	{ "G: a@b", "{G:~|~|a|b;}" },
	{ "=?utf-8?q?J=C3=B6rg?= <a@b>",
	  "=?utf-8?q?J=C3=B6rg?=|~|a|b;" },
	{ "J\xc3\xb6rg <a@b>", "J\xc3\xb6rg|~|a|b;" },
	/* Broken ones. */
	{ "John Doe", "John Doe|~||!;" }, { "john", "~|~|john|!;" },
	{ "John Doe, a@b", "John Doe|~||!;~|~|a|b;" },
	{ "<a@b", "~|~|a|SYNTAX_ERROR!;" },
	{ "A <a b@c>, d@e", "A|~|a|SYNTAX_ERROR!;" },
	{ "<@r a@b>", "~|INVALID_ROUTE|a|b!;" },
	{ "<>", "~|~||!;" }, { "A <>", "A|~||!;" },
	{ "a@", "~|~|a|!;" }, { "\"unterminated", "~|~||!;" },
	{ "a@b (no end", "~|~|a|b;" },
	{ "a@b c@d", "~|~|a|b;" }, { "a@b@c", "~|~|a|b;" },
	{ "a..b@c", "~|~|a..b|c;" }, { "a@b,,c@d",
	  "~|~|a|b;~|~||!;~|~|c|d;" },
};

static void
test_lists(void **state)
{
	struct addr_list list;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct bytes got = show_list(bytes_str(lists[i].in), &list);

		if (!bytes_eq(got, bytes_str(lists[i].out)))
			print_message("# list %s\n", lists[i].in);
		assert_text(got, lists[i].out);
	}
}

/* The one address of a From field, as every reader sees it. */
static void
test_only(void **state)
{
	static const struct {
		const char *in;
		bool only;
	} rows[] = {
		{ "a@b", true }, { "A <a@b>", true }, { "\"x@y\" <a@b>", true },
		{ "a@b (c@d)", true }, { "G: a@b;", true }, { "a@b,", true },
		{ "a@b garbage", true }, { "a@b (no end", true },
		{ "a@b, John Doe", true },
		{ "a@b, c@d", false }, { "a@b, C <c@d", false },
		/* another reader's address may be another one */
		{ "a@b <c@d>", false }, { "a@b c@d", false },
		{ "<a@b> <c@d>", false }, { "A <a@b> c@d", false },
		{ "a@b; c@d", false }, { "a@b@c", false },
		{ "a@b (no end <c@d>", false }, { "a@b, \"x <c@d>", false },
		{ "a@b (x\\) <c@d>", false }, { "a@b, c@[x <d@e>", false },
	};
	const struct addr_member *m;
	struct addr_list list;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		addr_parse_list(&arena, bytes_str(rows[i].in), &list);
		m = addr_next_mailbox(list.first);
		if (m == NULL || addr_is_only(&list, m) != rows[i].only)
			fail_msg("%s", rows[i].in);
	}
	addr_parse_list(&arena, repeat("a,", ADDR_LIST_MAX - 1, "b@c,d@e"),
	    &list);
	m = addr_next_mailbox(list.first);
	assert_true(m != NULL && list.is_cut && !addr_is_only(&list, m));
	addr_parse_list(&arena, BYTES("nobody:;"), &list);
	assert_false(addr_is_only(&list, addr_next_mailbox(list.first)));
}

static void
test_list_limits(void **state)
{
	struct addr_list list;

	(void)state;
	addr_parse_list(&arena, repeat("a@b,", ADDR_LIST_MAX - 1, "a@b"),
	    &list);
	assert_int_equal(list.count, ADDR_LIST_MAX);
	assert_false(list.is_cut);
	addr_parse_list(&arena, repeat("a@b,", ADDR_LIST_MAX, "a@b"), &list);
	assert_int_equal(list.count, ADDR_LIST_MAX);
	assert_true(list.is_cut);
}

/* Each of a megabyte or more; quadratic reading would take minutes. */
static void
test_hostile_lists(void **state)
{
	static const char *const heads[] = { "(", "((((", "\"", "a ", ".",
	    "<", "@a,", "<@a:", "a:", "a@b c,", "()", "[", "\\", "a:b<",
	    "\"a\" ", "a@(x)" };
	int64_t start = time_mono_ms();
	struct addr_list list;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		addr_parse_list(&arena, repeat(heads[i], 1 << 20, ""), &list);
		arena_reset(&arena);
	}
	assert_true(time_mono_ms() - start < 20000);
}

static void
test_member_path(void **state)
{
	struct addr_list list;
	const struct addr_member *m;
	const char *why;
	struct path p;

	(void)state;
	addr_parse_list(&arena, BYTES("G: ; John, \"a b\" <\"a b\"@EX.org>, "
	    "u\xcc\x88@x, a@b_c"), &list);
	assert_int_equal(addr_member_path(&arena, list.first, &p, &why), -1);
	m = addr_next_mailbox(list.first);
	assert_null(m);
	addr_parse_list(&arena, BYTES("G:;, John, \"a b\" <\"a b\"@EX.org>, "
	    "u\xcc\x88@x, a@b_c"), &list);
	m = addr_next_mailbox(list.first);
	assert_non_null(m);
	assert_int_equal(addr_member_path(&arena, m, &p, &why), 0);
	assert_text(p.local_part, "a b");
	assert_text(p.domain, "ex.org");
	m = addr_next_mailbox(m->next);
	assert_int_equal(addr_member_path(&arena, m, &p, &why), 0);
	assert_text(p.local_part, "\xc3\xbc");
	m = addr_next_mailbox(m->next);
	assert_int_equal(addr_member_path(&arena, m, &p, &why), -1);
	assert_null(addr_next_mailbox(m->next));
}

/* Whether all mailboxes of the expected value appear in order. */
static bool
agrees(const struct json *want, const struct addr_member *m)
{
	const struct json *v, *group;

	for (v = want->children; v != NULL; v = v->next) {
		group = json_get(v, "addresses");
		if (group != NULL) {
			if (!agrees(group, m))
				return false;
			for (; m != NULL && m->kind != ADDR_GROUP_END;)
				m = m->next;
			m = m == NULL ? NULL : m->next;
			continue;
		}
		while (m != NULL && m->kind != ADDR_MAILBOX)
			m = m->next;
		if (m == NULL || !bytes_eq(json_text(v, "address"),
		    bytes_str(arena_printf(&arena, "%.*s@%.*s",
		    BYTES_ARG(m->mailbox), BYTES_ARG(m->domain)))))
			return false;
		m = m->next;
	}
	return true;
}

static void
test_list_vectors(void **state)
{
	size_t right = 0, wrong = 0;
	const struct json *v, *want;
	struct addr_list list;
	struct bytes data;

	(void)state;
	if (!vectors_read(&arena, "headers/address.json", &data))
		return;
	for (v = json_parse(&arena, data, false)->children; v != NULL;
	    v = v->next) {
		want = json_get(v, "expected")->children;
		addr_parse_list(&arena, json_text(v, "header"), &list);
		if (want == NULL ? list.first == NULL
		    : agrees(want, list.first))
			right++;
		else
			wrong++;
	}
	/* The data are a lenient parser's opinion: agreement is counted. */
	print_message("# address lists: %zu agree, %zu differ\n", right,
	    wrong);
	assert_true(right >= 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("address lists of header fields", test_lists),
		T("the only address of a field, for every reader", test_only),
		T("limit of address lists", test_list_limits),
		T("hostile address lists take linear time",
		    test_hostile_lists),
		T("N-2 header mailboxes as paths", test_member_path),
		T("address list vectors", test_list_vectors),
	};
	int r;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return r;
}
