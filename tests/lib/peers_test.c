/* peers_test - who is served on a Unix socket */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/server.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
set_env(const char *value)
{
	if (value == NULL)
		assert_int_equal(unsetenv(SERVER_PEERS_ENV), 0);
	else
		assert_int_equal(setenv(SERVER_PEERS_ENV, value, 1), 0);
}

static void
test_load(void **state)
{
	static const struct {
		const char *env;
		int err;	/* 0: loaded */
		size_t n;
		bool any;
	} rows[] = {
		{ NULL, 0, 0, false },
		{ "", 0, 0, false },
		{ "60001", 0, 1, false },
		{ " root  60002 ", 0, 2, false },
		{ "*", 0, 0, true },
		{ "60001 *", 0, 1, true },
		{ "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", 0, 16, false },
		{ "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", EMSGSIZE, 0,
		    false },
		{ "no-such-user", ENOENT, 0, false },
		{ "60001 no-such-user", ENOENT, 0, false },
		{ "4294967295", ENOENT, 0, false },
		{ "-1", ENOENT, 0, false },
	};
	struct server_peers p;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		p = (struct server_peers){ .n = 99 };
		set_env(rows[i].env);
		errno = 0;
		if (rows[i].err == 0) {
			assert_int_equal(server_peers_load(&p), 0);
			assert_int_equal(p.n, rows[i].n);
			assert_int_equal(p.any, rows[i].any);
		} else {
			assert_int_equal(server_peers_load(&p), -1);
			assert_int_equal(errno, rows[i].err);
			assert_int_equal(p.n, 99);	/* as it was */
		}
	}
	set_env(NULL);
}

static void
test_uids(void **state)
{
	struct server_peers none = { .n = 0 };
	struct server_peers two = { .uid = { 60001, 60002 }, .n = 2 };
	struct server_peers any = { .any = true };

	(void)state;
	assert_true(server_uid_allowed(&none, 0));
	assert_true(server_uid_allowed(&none, geteuid()));
	assert_false(server_uid_allowed(&none, 60001));
	assert_true(server_uid_allowed(&two, 60001));
	assert_true(server_uid_allowed(&two, 60002));
	assert_false(server_uid_allowed(&two, 60003));
	assert_true(server_uid_allowed(&two, geteuid()));
	assert_true(server_uid_allowed(&any, 60003));
}

static void
test_sockets(void **state)
{
	struct server_peers none = { .n = 0 };
	int fds[2], pipes[2];

	(void)state;
	assert_int_equal(os_socketpair(fds), 0);
	assert_true(server_peer_allowed(&none, fds[0]));
	assert_int_equal(pipe(pipes), 0);
	/* What has no credentials is nobody. */
	assert_false(server_peer_allowed(&none, pipes[0]));
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "PIPEMAIL_PEERS: names, numbers, at the limit, wrong",
		    test_load, NULL, NULL, NULL },
		{ "root, oneself and who is listed are served",
		    test_uids, NULL, NULL, NULL },
		{ "SO_PEERCRED of a socket; none of a pipe",
		    test_sockets, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
