/* config_edit_test.c - one key changed, the rest of a file as it was */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_dirs.h"
#include <fcntl.h>

static void
edits(void **state)
{
	static const struct {
		const char *text, *value, *want;
	} cases[] = {
		{ "", "v", "[account]\nkey = v\n" },
		{ "", NULL, "" },
		{ "[account]", "v", "[account]\nkey = v\n" },
		{ "[account]\nkey = old\n", "new", "[account]\nkey = new\n" },
		{ "[account]\nkey = old # why\n", "new",
		    "[account]\nkey = new # why\n" },
		{ "[account]\nkey = \"a # b\"  # why\n", "new",
		    "[account]\nkey = new  # why\n" },
		{ "[account]\nkey = \"a \\\" # b\"\n", "new",
		    "[account]\nkey = new\n" },
		{ "[account]\nkey = a#b\n", "new", "[account]\nkey = new\n" },
		{ "[account]\nkey = # empty\n", "new",
		    "[account]\nkey = new # empty\n" },
		{ "[account]\nkey=old\nother = 1\n", NULL,
		    "[account]\nother = 1\n" },
		{ "[account]\nkey = a # c\n", NULL, "[account]\n# c\n" },
		/* another section's key, a longer key, a comment */
		{ "[other]\nkey = 1\n[account]\nkey2 = 1\n# key = x\n", "v",
		    "[other]\nkey = 1\n[account]\nkey = v\nkey2 = 1\n"
		    "# key = x\n" },
		{ "[address \"account\"]\nkey = 1\n", "v",
		    "[address \"account\"]\nkey = 1\n[account]\nkey = v\n" },
		/* set twice: once after it, or not at all */
		{ "[account]\nkey = 1\nkey = 2\n[x]\n[account]\nkey = 3\n",
		    "v", "[account]\nkey = v\n[x]\n[account]\n" },
		{ "[account]\nkey = 1\nkey = 2\n", NULL, "[account]\n" },
		{ " [ account ] # c\nx = 1\n", "v",
		    " [ account ] # c\nkey = v\nx = 1\n" },
	};
	struct buf b = BUF_INIT(1000);
	struct bytes v;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		buf_reset(&b);
		v = bytes_str(cases[i].value);
		assert_int_equal(config_edit(&b, bytes_str(cases[i].text),
		    "account", "key", cases[i].value != NULL ? &v : NULL), 0);
		buf_addc(&b, 0);
		assert_string_equal((char *)b.p, cases[i].want);
	}
	buf_free(&b);
}

static void
edit_limits(void **state)
{
	struct bytes text = BYTES("[account]\nkey = 1\n"), bad = BYTES("a\nb");
	struct bytes v = BYTES("1");
	struct buf small = BUF_INIT(text.n), smaller = BUF_INIT(text.n - 1);

	(void)state;
	assert_int_equal(config_edit(&small, text, "account", "key", &v), 0);
	assert_int_equal(config_edit(&smaller, text, "account", "key", &v),
	    -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_reset(&small);
	assert_int_equal(config_edit(&small, text, "account", "key", &bad),
	    -1);
	assert_int_equal(errno, EINVAL);
	buf_free(&small);
	buf_free(&smaller);
}

static void
replaced_files(void **state)
{
	struct dirs d;
	struct buf b = BUF_INIT(100);
	char path[256];
	struct stat st;

	(void)state;
	dirs_init(&d);
	write_file(&d, "accounts/a.conf", "old");
	(void)snprintf(path, sizeof(path), "%s/accounts/a.conf", d.etc);
	assert_int_equal(chmod(path, 0604), 0);
	write_file(&d, "accounts/.a.conf.tmp", "left by a killed run");
	assert_int_equal(config_replace(d.etc, "accounts", "a.conf",
	    BYTES("new")), 0);
	assert_int_equal(io_read_file(AT_FDCWD, path, &b), 0);
	assert_int_equal(b.n, 3);
	assert_memory_equal(b.p, "new", 3);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0604);
	assert_int_equal(config_replace(d.etc, "accounts", "b.conf",
	    BYTES("new")), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(config_replace(d.etc, "accounts", "a.conf",
	    BYTES("new")), -1);
	assert_int_equal(errno, EACCES);
	buf_free(&b);
	dirs_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "U-13 one key changed, comments kept", edits, NULL, NULL,
		    NULL },
		{ "edits at the limit and one past", edit_limits, NULL, NULL,
		    NULL },
		{ "files replaced in one step", replaced_files, NULL, NULL,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
