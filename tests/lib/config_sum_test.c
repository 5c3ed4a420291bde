/*
 * config_sum_test.c - the checksum of config.cdb
 */
#include "config_dirs.h"

#include <fcntl.h>

static const char *
cdb_path(struct dirs *d)
{
	return arena_printf(&d->a, "%s/config.cdb", d->var);
}

/* The byte at a place changed, and back again. */
static void
flip(int fd, struct buf *whole, size_t at)
{
	whole->p[at] ^= 0xff;
	assert_int_equal(pwrite(fd, whole->p + at, 1, (off_t)at), 1);
}

static void
refuses_flipped(void **state)
{
	struct buf whole = BUF_INIT(100000);
	struct config *c;
	struct dirs d;
	size_t i;
	int fd;

	(void)state;
	dirs_init(&d);
	write_file(&d, "main.conf", MAIN);
	config_close(compiled(&d));
	assert_int_equal(io_read_file(AT_FDCWD, cdb_path(&d), &whole), 0);
	fd = open(cdb_path(&d), O_RDWR);
	for (i = 0; i < whole.n; i++) {
		flip(fd, &whole, i);
		errno = 0;
		assert_null(config_open_at(d.var));
		assert_int_equal(errno, EBADMSG);
		errno = 0;
		assert_null(config_open_fd(fd));
		assert_int_equal(errno, EBADMSG);
		flip(fd, &whole, i);
	}
	c = config_open_at(d.var);
	assert_non_null(c);
	config_close(c);
	close(fd);
	buf_free(&whole);
	dirs_free(&d);
}

#define BIG_ACCOUNTS 264
#define BIG_NAME 900

/* Compile a file of that size; the name of the last account makes it so. */
static void
compile_big(struct dirs *d, size_t size)
{
	struct buf text = BUF_INIT(4096);
	size_t i, n = BIG_NAME, pass;
	struct stat st;

	write_file(d, "main.conf", MAIN);
	for (pass = 0; pass < 2; pass++) {
		for (i = pass * (BIG_ACCOUNTS - 1); i < BIG_ACCOUNTS; i++) {
			buf_reset(&text);
			buf_printf(&text, "[account]\nfull-name = \"%0*d\"\n",
			    (int)(i + 1 < BIG_ACCOUNTS ? BIG_NAME : n), 7);
			buf_addc(&text, '\0');
			write_file(d, arena_printf(&d->a, "accounts/a%zu.conf",
			    i), (const char *)text.p);
		}
		config_close(compiled(d));
		assert_int_equal(stat(cdb_path(d), &st), 0);
		n += size - (size_t)st.st_size;
		assert_true(pass == 1 || (n > 0 && n < 2000));
	}
	assert_int_equal((size_t)st.st_size, size);
	buf_free(&text);
}

/* Wrong bytes in a file are wrong answers at worst. */
static void
survive(struct config *c)
{
	struct config_walk walk = { 0 };
	struct config_entry e;
	struct bytes value;

	(void)config_get(c, "server", NULL, "hostname", &value);
	while (config_walk_next(c, &walk, &e) == 1)
		;
	config_close(c);
}

static void
big_is_for_servers(void **state)
{
	struct buf whole = BUF_INIT(CONFIG_SUM_BYTES + 1);
	struct config *c;
	struct dirs d;
	size_t i;
	int fd;

	(void)state;
	dirs_init(&d);
	compile_big(&d, CONFIG_SUM_BYTES);
	fd = open(cdb_path(&d), O_RDWR);
	assert_int_equal(io_read_file(AT_FDCWD, cdb_path(&d), &whole), 0);
	flip(fd, &whole, 4000);
	assert_null(config_open_at(d.var));
	close(fd);
	compile_big(&d, CONFIG_SUM_BYTES + 1);
	fd = open(cdb_path(&d), O_RDWR);
	buf_reset(&whole);
	assert_int_equal(io_read_file(AT_FDCWD, cdb_path(&d), &whole), 0);
	flip(fd, &whole, 4000);
	c = config_open_at(d.var);
	assert_non_null(c);
	config_close(c);
	assert_int_equal(setenv("PIPEMAIL_VAR", d.var, 1), 0);
	errno = 0;
	assert_null(config_load());
	assert_int_equal(errno, EBADMSG);
	flip(fd, &whole, 4000);
	c = config_load();
	assert_non_null(c);
	config_close(c);
	/* The first tables, some records, and the ends of the tables. */
	for (i = 0; i < whole.n; i += i < 4000 ||
	    i > whole.n - 4000 ? 1 : 509) {
		flip(fd, &whole, i);
		if ((c = config_open_at(d.var)) != NULL)
			survive(c);
		flip(fd, &whole, i);
	}
	assert_int_equal(unsetenv("PIPEMAIL_VAR"), 0);
	close(fd);
	buf_free(&whole);
	dirs_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "any changed byte of config.cdb is found",
		    refuses_flipped, NULL, NULL, NULL },
		{ "of a file over the limit, by those who keep it; flipped "
		    "bytes do no harm", big_is_for_servers, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
