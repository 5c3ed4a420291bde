/* account_junk_test.c - J-8: parameters of junk by account */
#include "config_dirs.h"

#include "account/account.h"

static struct config *
written(struct dirs *d, const char *in_main, const char *in_account)
{
	write_file(d, "main.conf", arena_printf(&d->a, MAIN "%s", in_main));
	write_file(d, "accounts/a.conf", in_account);
	return compiled(d);
}

static bool
same(const struct junk_options *a, const struct junk_options *b)
{
	return a->threshold == b->threshold && a->max_power == b->max_power &&
	    a->ignore_words == b->ignore_words && a->norm == b->norm &&
	    a->scale == b->scale && a->body == b->body &&
	    a->rare_words == b->rare_words && a->prior == b->prior &&
	    a->top_words == b->top_words && a->significant == b->significant;
}

static void
defaults_are_the_filters(void **state)
{
	struct junk_options o;
	struct config *c;
	struct dirs d;

	(void)state;
	dirs_init(&d);
	c = written(&d, "", "");
	account_junk_options(c, "a", &o);
	assert_true(same(&o, &JUNK_DEFAULT));
	assert_true(account_junk_on(c, "a"));
	account_junk_options(NULL, "a", &o);
	assert_true(same(&o, &JUNK_DEFAULT));
	assert_true(account_junk_on(NULL, "a"));
	config_close(c);
	dirs_free(&d);
}

static void
of_the_account_then_the_server(void **state)
{
	static const struct junk_options want = { .threshold = 0.8,
	    .max_power = 0.02, .ignore_words = 0.2, .rare_words = 2,
	    .prior = 0.25, .top_words = 10, .norm = 0.5, .body = 0.75,
	    .scale = 1.25, .significant = 7 };
	struct store_options so = { 0 };
	struct junk_options o;
	struct config *c;
	struct dirs d;

	(void)state;
	dirs_init(&d);
	c = written(&d, "[junk]\nthreshold = 0.7\nmax-power = 0.02\n"
	    "filter = no\ntop-words = 10\nnorm = 0.5\n"
	    "junk-mailboxes = ^x\ngrams = 3\n",
	    "[junk]\nthreshold = 0.8\nignore-words = 0.2\nrare-words = 2\n"
	    "prior = 0.25\nbody = 0.75\nscale = 1.25\nsignificant = 7\n"
	    "filter = yes\n"
	    "neutral-mailboxes = ^y\n");
	account_junk_options(c, "a", &o);
	assert_true(same(&o, &want));
	assert_true(account_junk_on(c, "a"));
	assert_false(account_junk_on(c, "b"));
	account_options(c, "a", &d.a, &so);
	assert_string_equal(so.junk.junk, "^x");
	assert_string_equal(so.junk.neutral, "^y");
	assert_null(so.junk.notjunk);
	assert_true(so.junk.training);
	assert_int_equal(so.junk.grams, 3);
	config_close(c);
	dirs_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "J-8 the defaults are those of the filter",
		    defaults_are_the_filters, NULL, NULL, NULL },
		{ "J-8 parameters of the account, then of the server",
		    of_the_account_then_the_server, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
