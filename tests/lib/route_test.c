/*
 * route_test.c - which transport a recipient's mail takes, and its settings
 */
#include "route/route.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config_dirs.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char main_conf[] = "[server]\nhostname = mx.own.example\n"
    "[queue]\nroute = slow attempts 3\nroute = smart from own.example\n"
    "route = uucp to .far.example leaf.example\nroute = here to own.example "
    "attempts 9\n"
    "[transport \"slow\"]\ntype = fail\n"
    "[transport \"smart\"]\ntype = submissions\nhost = smart.example\n"
    "user = me\npassword-file = smart.pass\nverify = no\n"
    "[transport \"uucp\"]\ntype = bsmtp\ncommand = uux - rsmtp\n"
    "[transport \"here\"]\ntype = relay\nhost = 127.0.0.1\nport = 1025\n"
    "ipv6 = no\n[transport \"v4\"]\ntype = direct\nipv6 = no\n";

static const struct {
	const char *account, *sender, *rcpt, *chosen;
	uint64_t attempts;
	const char *transport;
} rows[] = {
	{ "", "else.example", "x.example", "", 0, "" },
	{ "", "own.example", "x.example", "", 0, "smart" },
	{ "", "OWN.example", "x.example", "", 0, "smart" },
	/* our own domain is local, whatever the smart host */
	{ "", "own.example", "own.example", "", 0, "local" },
	{ "", "own.example", "own.example", "", 9, "here" },
	{ "", "own.example", "own.example", "", 8, "local" },
	{ "", "own.example", "x.example", "", 3, "slow" },
	{ "", "own.example", "x.example", "", 2, "smart" },
	{ "", "else.example", "far.example", "", 0, "uucp" },
	{ "", "else.example", "a.b.far.example", "", 0, "uucp" },
	{ "", "else.example", "notfar.example", "", 0, "" },
	{ "", "else.example", "leaf.example", "", 0, "uucp" },
	{ "", "else.example", "x.leaf.example", "", 0, "" },
	{ "", "own.example", "x.example", "direct", 9, "" },
	{ "", "own.example", "own.example", "gone", 0, "gone" },
	/* account, then domain, then the queue's */
	{ "alice", "own.example", "y.example", "", 0, "slow" },
	{ "alice", "own.example", "x.example", "", 0, "smart" },
	{ "alice", "two.example", "x.example", "", 0, "here" },
	{ "nobody", "two.example", "x.example", "", 0, "here" },
};

static struct config *
make(struct dirs *d)
{
	dirs_init(d);
	write_file(d, "main.conf", main_conf);
	write_file(d, "domains/own.example.conf", "[domain]\n");
	write_file(d, "domains/two.example.conf",
	    "[domain]\nroute = here\n");
	write_file(d, "accounts/alice.conf",
	    "[account]\naddress = a@own.example\nroute = slow to y.example\n");
	return compiled(d);
}

static void
finds_routes(void **state)
{
	struct arena a = ARENA_INIT;
	struct route_query q;
	struct bytes got;
	struct dirs d;
	struct config *c = make(&d);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		q = (struct route_query){ bytes_str(rows[i].account),
		    bytes_str(rows[i].sender), bytes_str(rows[i].rcpt),
		    bytes_str(rows[i].chosen), rows[i].attempts };
		got = route_find(c, &q);
		if (!bytes_eq(got, bytes_str(rows[i].transport)))
			fail_msg("row %zu: %.*s", i, BYTES_ARG(got));
	}
	assert_true(bytes_eq(route_dest(&a, c, BYTES_EMPTY, BYTES("X.example")),
	    BYTES("x.example")));
	assert_true(bytes_eq(route_dest(&a, c, BYTES("smart"), BYTES("x")),
	    BYTES("transport:smart")));
	/* one domain's mail never goes to another's hosts */
	assert_true(bytes_eq(route_dest(&a, c, BYTES("v4"), BYTES("X.y")),
	    BYTES("transport:v4/x.y")));
	assert_true(bytes_eq(route_dest(&a, c, BYTES("gone"), BYTES("x")),
	    BYTES("transport:gone")));
	assert_true(bytes_eq(route_dest_transport(BYTES("x.y")), BYTES_EMPTY));
	assert_true(bytes_eq(route_dest_transport(BYTES("transport:v4/x.y")),
	    BYTES("v4")));
	assert_true(bytes_eq(route_dest_transport(BYTES("transport:hub")),
	    BYTES("hub")));
	arena_free(&a);
	config_close(c);
	dirs_free(&d);
}

static void
reads_transports(void **state)
{
	struct arena a = ARENA_INIT;
	const char *why = "";
	struct transport t;
	struct dirs d;
	struct config *c = make(&d);

	(void)state;
	assert_int_equal(setenv("PIPEMAIL_ETC", d.etc, 1), 0);
	assert_int_equal(route_transport(&a, c, BYTES_EMPTY, &t, &why), 0);
	assert_int_equal(t.type, TRANSPORT_DIRECT);
	assert_true(bytes_eq(t.helo, BYTES("mx.own.example")));
	assert_int_equal(route_transport(&a, c, BYTES("local"), &t, &why), 0);
	assert_int_equal(t.type, TRANSPORT_LMTP);
	assert_true(bytes_ends(t.host, BYTES("/lmtp")));
	assert_int_equal(route_transport(&a, c, BYTES("here"), &t, &why), 0);
	assert_true(t.type == TRANSPORT_RELAY && t.port == 1025);
	assert_true(t.no_ipv6 && !t.no_ipv4 && !t.tls_insecure);
	/* its password is missing: told, and nothing is sent without */
	assert_int_equal(route_transport(&a, c, BYTES("smart"), &t, &why),
	    -1);
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(why, "smart.pass"));
	write_file(&d, "smart.pass", " secret word \nrest\n");
	assert_int_equal(route_transport(&a, c, BYTES("smart"), &t, &why), 0);
	assert_true(bytes_eq(t.password, BYTES("secret word")));
	assert_true(t.port == 465 && t.tls_insecure);
	assert_int_equal(route_transport(&a, c, BYTES("gone"), &t, &why), -1);
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(why, "gone"));
	assert_int_equal(unsetenv("PIPEMAIL_ETC"), 0);
	arena_free(&a);
	config_close(c);
	dirs_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-7 routes: account, domain, queue; conditions",
		    finds_routes, NULL, NULL, NULL },
		{ "Q-6 transports and their secrets", reads_transports, NULL,
		    NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
