/* server_test - limits by address, the accept loop, one connection */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "server_fixture.h"

/* ---- the accept loop ---- */

/*
 * One line of input commands: "quit" ends, "stay" ignores SIGTERM, "crash"
 * ends by a signal; every line is answered with what the handler sees.
 */
static int
serve_lines(struct server_conn *conn, void *ctx)
{
	unsigned char space[256];
	char ip[IP_TEXT_MAX], local[IP_TEXT_MAX];
	struct reader r;
	struct bytes line;
	struct buf b = BUF_INIT(1000);

	(void)ctx;
	reader_init(&r, conn->in, space, sizeof(space));
	for (;;) {
		buf_reset(&b);
		if (buf_printf(&b, "%s %s %d %d %d fd=%d,%d id=%llx "
		    "prepared=%d\n", ip_format(&conn->remote, ip),
		    ip_format(&conn->local, local), conn->remote_port,
		    conn->inherited, conn->is_socket, conn->in, conn->out,
		    (unsigned long long)conn->id, prepared) == -1 ||
		    io_write_all(conn->out, buf_bytes(&b), DEADLINE_NONE) == -1)
			return 1;
		if (reader_line(&r, &line) != 1)
			break;
		if (bytes_starts(line, BYTES("stay")))
			(void)signal(SIGTERM, SIG_IGN);
		else if (bytes_starts(line, BYTES("crash")))
			(void)raise(SIGUSR2);
		else if (bytes_starts(line, BYTES("quit")))
			break;
	}
	buf_free(&b);
	return 0;
}

static int
dial(const struct fixture *f)
{
	struct ip ip = ip_of("127.0.0.1");
	int fd = os_connect_tcp(&ip, f->port, deadline_in(WAIT_MS));

	assert_true(fd >= 0);
	return fd;
}

/* A connection that is served gets a line with its address. */
static void
assert_served(int fd)
{
	char line[256];

	hear(fd, line);
	if (strncmp(line, "127.0.0.1 127.0.0.1 ", 20) != 0)
		fail_msg("got: %s", line);
}

static void
assert_refused(int fd)
{
	char line[256];

	hear(fd, line);
	assert_string_equal(line, "421 too many\r\n");
	hear(fd, line);
	assert_string_equal(line, "");
	assert_int_equal(close(fd), 0);
}

static void
test_listening(void **state)
{
	struct fixture f = { .s = { .serve = serve_lines,
	    .limits = SERVER_LIMITS_MAIL } };
	char line[256], again[256], want[64];
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	struct ip ip;
	int a, b, port;

	(void)state;
	start(&f, NULL);
	a = dial(&f);
	b = dial(&f);
	hear(a, line);
	hear(b, again);
	assert_int_equal(getsockname(a, (struct sockaddr *)&sa, &n), 0);
	ip_from_sockaddr((struct sockaddr *)&sa, &ip, &port);
	assert_true(snprintf(want, sizeof(want),
	    "127.0.0.1 127.0.0.1 %d 0 1 fd=0,0 id=", port) > 0);
	assert_memory_equal(line, want, strlen(want));
	assert_non_null(strstr(line, "prepared=1\n"));
	/* The ids differ. */
	assert_string_not_equal(strstr(line, "id="), strstr(again, "id="));
	say(a, "more\n");
	hear(a, again);
	assert_string_equal(line, again);
	say(a, "quit\n");
	hear(a, line);
	assert_string_equal(line, "");
	(void)close(a);
	(void)close(b);
	assert_in_range(finish(&f), 0, 2900);
}

static void
test_refusal(void **state)
{
	struct fixture f = { .s = { .serve = serve_lines,
	    .limits = { .open = { 2, 0, 0 } } } };
	int a, b, c, i;
	char line[256] = "";

	(void)state;
	start(&f, NULL);
	a = dial(&f);
	b = dial(&f);
	assert_served(a);
	assert_served(b);
	assert_refused(dial(&f));
	say(a, "quit\n");
	hear(a, line);
	(void)close(a);
	/* Its place is free once the parent has seen the child end. */
	for (i = 0; i < 100; i++) {
		c = dial(&f);
		hear(c, line);
		(void)close(c);
		if (line[0] != '4')
			break;
		(void)usleep(10000);
	}
	assert_memory_equal(line, "127.0.0.1 ", 10);
	(void)close(b);
	assert_in_range(finish(&f), 0, 2900);
}

static void
test_rate(void **state)
{
	struct fixture f = { .s = { .serve = serve_lines,
	    .limits = { .per_minute = { 3, 0, 0 } } } };
	int i, fd, served;

	(void)state;
	start(&f, NULL);
	/* If a minute ends meanwhile the count begins again: try twice. */
	for (i = 0, served = 0; i < 4; i++) {
		char line[256];

		fd = dial(&f);
		hear(fd, line);
		served += line[0] != '4';
		(void)close(fd);
	}
	if (served != 3) {
		assert_int_equal(served, 4);
		for (i = 0; i < 3; i++)
			(void)close(dial(&f));
	}
	assert_refused(dial(&f));
	(void)finish(&f);
}

static void
test_children_cap(void **state)
{
	struct fixture f = { .s = { .serve = serve_lines,
	    .limits = { .children = 2 } } };
	int a, b, c;
	char ch;

	(void)state;
	start(&f, NULL);
	a = dial(&f);
	b = dial(&f);
	assert_served(a);
	assert_served(b);
	c = dial(&f);		/* waits in the backlog, is not refused */
	assert_int_equal(io_read_some(c, &ch, 1, deadline_in(200)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	say(a, "quit\n");
	assert_served(c);
	(void)close(a);
	(void)close(b);
	(void)close(c);
	(void)finish(&f);
}

static void
test_stop(void **state)
{
	struct fixture f = { .s = { .serve = serve_lines,
	    .limits = SERVER_LIMITS_LOCAL } };
	char line[256];
	int a, b;

	(void)state;
	start(&f, NULL);
	a = dial(&f);
	b = dial(&f);
	assert_served(a);
	assert_served(b);
	say(a, "stay\n");
	assert_served(a);
	/* One child ends at once, the other only by SIGKILL after 3 s. */
	assert_in_range(finish(&f), 2900, 4500);
	hear(b, line);
	assert_string_equal(line, "");
	hear(a, line);
	assert_string_equal(line, "");
	(void)close(a);
	(void)close(b);
	assert_int_equal(os_connect_tcp(&(struct ip){ .a = { 127, 0, 0, 1 },
	    .family = AF_INET }, f.port, deadline_in(1000)), -1);
	assert_int_equal(errno, ECONNREFUSED);
}

static void
test_grace(void **state)
{
	struct fixture f = { .s = { .serve = serve_lines,
	    .limits = SERVER_LIMITS_LOCAL,
	    .grace_ms = 100 } };
	int a;

	(void)state;
	start(&f, NULL);
	a = dial(&f);
	assert_served(a);
	say(a, "stay\n");
	assert_served(a);
	assert_in_range(finish(&f), 90, 2500);
	(void)close(a);
}

static void
test_crash(void **state)
{
	struct fixture f = { .s = { .serve = serve_lines,
	    .limits = { .open = { 1, 1, 1 } } } };
	char line[256];
	int a, i;

	(void)state;
	start(&f, NULL);
	for (i = 0; i < 100; i++) {
		a = dial(&f);
		hear(a, line);
		if (line[0] == '4') {	/* the last one is not reaped yet */
			(void)usleep(5000);
		} else if (i >= 3) {
			(void)close(a);
			break;
		} else {
			say(a, "crash\n");
			hear(a, line);
		}
		(void)close(a);
	}
	assert_memory_equal(line, "127.0.0.1 ", 10);
	(void)finish(&f);
}

/* The number after "prepared=" for a new connection. */
static int
prepared_count(const struct fixture *f)
{
	char line[256], *p;
	int fd = dial(f);

	hear(fd, line);
	(void)close(fd);
	p = strstr(line, "prepared=");
	assert_non_null(p);
	return p[9] - '0';	/* one digit in these tests */
}

static void
test_reload(void **state)
{
	char dir[] = "/tmp/server_test.XXXXXX", path[64], other[64];
	struct fixture f = { .s = { .serve = serve_lines,
	    .limits = SERVER_LIMITS_LOCAL } };
	int i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_true(snprintf(path, sizeof(path), "%s/cdb", dir) > 0);
	assert_true(snprintf(other, sizeof(other), "%s/new", dir) > 0);
	(void)close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	f.s.watch_file = path;
	start(&f, NULL);
	assert_int_equal(prepared_count(&f), 1);
	assert_int_equal(prepared_count(&f), 1);
	(void)close(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(prepared_count(&f), 2);
	assert_int_equal(prepared_count(&f), 2);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(prepared_count(&f), 2);
	assert_int_equal(kill(f.pid, SIGHUP), 0);
	for (i = 0; i < 100 && prepared_count(&f) == 2; i++)
		(void)usleep(10000);
	assert_int_equal(prepared_count(&f), 3);
	(void)finish(&f);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_unix_listener(void **state)
{
	char dir[] = "/tmp/server_test.XXXXXX", path[64], line[256];
	struct fixture f = { .s = { .serve = serve_lines,
	    .limits = { .open = { 1, 1, 1 },
	    .per_minute = { 1, 1, 1 } } } };
	int fd[5];
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_true(snprintf(path, sizeof(path), "%s/s", dir) > 0);
	start(&f, path);
	for (i = 0; i < COUNT(fd); i++) {
		fd[i] = os_connect_unix(path, deadline_in(WAIT_MS));
		assert_true(fd[i] >= 0);
		hear(fd[i], line);
		assert_memory_equal(line, "unknown unknown 0 0 1 ", 22);
	}
	for (i = 0; i < COUNT(fd); i++)
		(void)close(fd[i]);
	(void)finish(&f);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- children that are kept ---- */

/* Says which process it is; "bad" is no success. */
static int
serve_pid(struct server_conn *conn, void *ctx)
{
	char text[64], c = 0;
	int n = snprintf(text, sizeof(text), "%ld %d %d\n", (long)getpid(),
	    prepared, conn->id != 0 && conn->is_socket);

	(void)ctx;
	if (n < 0 || io_write_all(conn->out, bytes_of((unsigned char *)text,
	    (size_t)n), DEADLINE_NONE) == -1)
		return 1;
	(void)io_read_full(conn->in, &c, 1, DEADLINE_NONE);
	return c == 'b';
}

/* The process that serves fd. */
static long
pid_of(int fd, int want_prepared)
{
	char line[256], *end;
	long pid;

	hear(fd, line);
	pid = strtol(line, &end, 10);
	assert_true(pid > 0);
	assert_int_equal(strtol(end, &end, 10), want_prepared);
	assert_string_equal(end, " 1\n");
	return pid;
}

static int
dial_unix(const char *path)
{
	int fd = os_connect_unix(path, deadline_in(WAIT_MS));

	assert_true(fd >= 0);
	return fd;
}

/* A connection from its beginning to its end. */
static long
visit(const char *path, const char *word, int want_prepared)
{
	int fd = dial_unix(path);
	long pid = pid_of(fd, want_prepared);
	char line[256];

	say(fd, word);
	hear(fd, line);
	assert_string_equal(line, "");
	assert_int_equal(close(fd), 0);
	return pid;
}

struct kept {
	struct fixture f;
	char dir[32], path[64];
};

/* One process at a time, so that who comes waits for it. */
static void
keep_start(struct kept *k, unsigned int keep, unsigned int children)
{
	*k = (struct kept){ .f = { .s = { .limits = { .children = children },
	    .serve = serve_pid, .keep = keep } },
	    .dir = "/tmp/server_test.XXXXXX" };
	assert_non_null(mkdtemp(k->dir));
	assert_true(snprintf(k->path, sizeof(k->path), "%s/s", k->dir) > 0);
	start(&k->f, k->path);
}

static void
keep_finish(struct kept *k)
{
	assert_true(finish(&k->f) < SERVER_GRACE_MS);
	assert_int_equal(unlink(k->path), 0);
	assert_int_equal(rmdir(k->dir), 0);
}

static void
test_keep(void **state)
{
	struct kept k;
	long pid, second;

	(void)state;
	keep_start(&k, 3, 1);
	pid = visit(k.path, "q", 1);
	assert_int_equal(visit(k.path, "q", 1), pid);
	assert_int_equal(visit(k.path, "q", 1), pid);
	second = visit(k.path, "q", 1);
	assert_int_not_equal(second, pid);	/* keep were served */
	assert_int_equal(visit(k.path, "b", 1), second);
	assert_int_not_equal(visit(k.path, "q", 1), second);
	keep_finish(&k);
}

static void
test_keep_many(void **state)
{
	struct kept k;
	long pid[8];
	int fd[8];
	size_t i, j;

	(void)state;
	keep_start(&k, 100, 100);
	for (i = 0; i < COUNT(fd); i++) {
		fd[i] = dial_unix(k.path);
		pid[i] = pid_of(fd[i], 1);
		for (j = 0; j < i; j++)		/* nobody has two at a time */
			assert_int_not_equal(pid[i], pid[j]);
	}
	for (i = 0; i < COUNT(fd); i++)
		assert_int_equal(close(fd[i]), 0);
	for (i = 0; i < 1000; i++)
		(void)visit(k.path, "q", 1);
	keep_finish(&k);
}

static void
test_keep_reload(void **state)
{
	struct kept k;
	long pid;
	int fd, i;

	(void)state;
	keep_start(&k, 100, 2);
	fd = dial_unix(k.path);
	pid = pid_of(fd, 1);
	assert_int_equal(kill(k.f.pid, SIGHUP), 0);
	for (i = 0; i < 1000; i++) {
		char line[256];
		int other = dial_unix(k.path);

		hear(other, line);
		assert_int_equal(close(other), 0);
		if (strstr(line, " 2 ") != NULL)
			break;
	}
	assert_true(i < 1000);		/* new ones have what is new */
	say(fd, "q");			/* the old one ends what it does */
	assert_int_equal(close(fd), 0);
	for (i = 0; i < 20; i++)
		assert_int_not_equal(visit(k.path, "q", 2), pid);
	keep_finish(&k);
}

static void
test_keep_killed(void **state)
{
	struct kept k;
	long pid;
	int i;

	(void)state;
	keep_start(&k, 100, 1);
	pid = visit(k.path, "q", 1);
	assert_int_equal(visit(k.path, "q", 1), pid);
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	for (i = 0; i < 1000 && kill((pid_t)pid, 0) == 0; i++)
		(void)usleep(10000);
	assert_int_not_equal(visit(k.path, "q", 1), pid);
	keep_finish(&k);
}

/* ---- places of addresses and accounts ---- */

/* Reads "ADDRESS ACCOUNT", says whether there is a place, has it until the
 * client speaks. */
static int
serve_place(struct server_conn *conn, void *ctx)
{
	struct bytes rest, word = BYTES_EMPTY;
	char line[256], c = 0;
	struct ip ip;
	int r;

	(void)ctx;
	hear(conn->in, line);
	rest = bytes_first(bytes_str(line), strlen(line) - 1);
	if (!bytes_split(&rest, ' ', &word) || ip_parse(word, &ip) == -1)
		ip = (struct ip){ .family = 0 };
	r = server_place(conn, &ip, rest);
	say(conn->out, r == 1 ? "yes\n" : r == 0 ? "no\n" : "error\n");
	/* Once for each connection. */
	if (r == 1 && server_place(conn, &ip, rest) != -1)
		return 1;
	(void)io_read_full(conn->in, &c, 1, DEADLINE_NONE);
	return 0;
}

static int
ask_place(const char *path, const char *whom, bool want)
{
	int fd = dial_unix(path);
	char line[256];

	say(fd, whom);
	hear(fd, line);
	assert_string_equal(line, want ? "yes\n" : "no\n");
	return fd;
}

/* The place is free once the parent knows that its process has ended. */
static int
ask_until_free(const char *path, const char *whom)
{
	char line[256];
	int fd, i;

	for (i = 0; i < 1000; i++) {
		fd = dial_unix(path);
		say(fd, whom);
		hear(fd, line);
		if (strcmp(line, "yes\n") == 0)
			return fd;
		assert_int_equal(close(fd), 0);
	}
	fail_msg("no place for %s", whom);
	return -1;
}

static const struct {
	const char *whom;
	bool place;
} asked[] = {
	{ "192.0.2.1 alice\n", true },
	{ "192.0.2.1 bob\n", true },
	{ "192.0.2.1 carl\n", false },		/* two for an address */
	{ "192.0.2.2 alice\n", true },
	{ "192.0.2.3 carl\n", false },		/* three for its network */
	{ "192.0.2.70 alice\n", true },
	{ "192.0.2.130 bob\n", false },		/* four for the next */
	{ "198.51.100.1 alice\n", false },	/* three for an account */
	{ "198.51.100.1 alic\n", true },
	{ "2001:db8::1 bob\n", true },
	{ "2001:db8::2 dora\n", true },
	{ "2001:db8::3 erna\n", false },		/* of one /64 */
	{ "- bob\n", true },
	{ "- bob\n", false },			/* three for an account */
};

static void
test_places(void **state)
{
	struct kept k = { .f = { .s = { .limits = { .children = 100,
	    .placed = { 2, 3, 4 }, .account = 3 }, .serve = serve_place,
	    .places = true } }, .dir = "/tmp/server_test.XXXXXX" };
	int fd[COUNT(asked)];
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(k.dir));
	assert_true(snprintf(k.path, sizeof(k.path), "%s/s", k.dir) > 0);
	start(&k.f, k.path);
	for (i = 0; i < COUNT(asked); i++)
		fd[i] = ask_place(k.path, asked[i].whom, asked[i].place);
	assert_int_equal(close(fd[0]), 0);
	fd[0] = ask_until_free(k.path, "192.0.2.2 alice\n");
	assert_int_equal(close(ask_place(k.path, "192.0.2.2 erna\n", false)),
	    0);
	for (i = 0; i < COUNT(asked); i++)
		assert_int_equal(close(fd[i]), 0);
	fd[0] = ask_until_free(k.path, "192.0.2.1 carl\n");
	assert_int_equal(close(fd[0]), 0);
	keep_finish(&k);
}

/* ---- one connection ---- */

/* server_run in a child with these as 0 and 1; its exit code. */
static int
run_connected(struct server *s, int in, int out)
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (dup2(in, 0) == -1 || dup2(out, 1) == -1)
			_exit(90);
		_exit(server_run(s));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
exit_seven(struct server_conn *conn, void *ctx)
{
	(void)conn;
	(void)ctx;
	return 7;
}

static int
no_prepare(void *ctx)
{
	(void)ctx;
	errno = EBADMSG;
	return -1;
}

static void
test_by_hand(void **state)
{
	struct server s = { .serve = serve_lines, .notify_fd = -1 };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), p[2];
	char line[256];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(unsetenv("PROTO"), 0);
	assert_int_equal(setenv("TCPREMOTEIP", "192.0.2.1", 1), 0);
	assert_int_equal(run_connected(&s, null, p[1]), 0);
	hear(p[0], line);
	assert_memory_equal(line, "unknown unknown 0 1 0 fd=0,1 ", 29);
	assert_int_equal(setenv("PROTO", "TCP", 1), 0);
	assert_int_equal(setenv("TCPREMOTEPORT", "1234", 1), 0);
	assert_int_equal(setenv("TCPLOCALIP", "2001:db8::1", 1), 0);
	assert_int_equal(setenv("TCPLOCALPORT", "25", 1), 0);
	assert_int_equal(run_connected(&s, null, p[1]), 0);
	hear(p[0], line);
	assert_memory_equal(line, "192.0.2.1 2001:db8::1 1234 1 0 fd=0,1 ",
	    38);
	assert_int_equal(setenv("TCPREMOTEIP", "nonsense", 1), 0);
	assert_int_equal(run_connected(&s, null, p[1]), 0);
	hear(p[0], line);
	assert_memory_equal(line, "unknown 2001:db8::1 0 1 0 ", 26);
	s.serve = exit_seven;
	assert_int_equal(run_connected(&s, null, p[1]), 7);
	s.prepare = no_prepare;
	assert_int_equal(run_connected(&s, null, p[1]), EXIT_PERM);
	(void)close(null);
	(void)close(p[0]);
	(void)close(p[1]);
}

static void
test_connected_socket(void **state)
{
	struct server s = { .serve = serve_lines, .notify_fd = -1 };
	struct ip ip = ip_of("127.0.0.1");
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	int l = os_listen_tcp(&ip, 0, 1), c, a, port;
	char line[256];

	(void)state;
	assert_int_equal(setenv("PROTO", "TCP", 1), 0);
	assert_int_equal(setenv("TCPREMOTEIP", "192.0.2.1", 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&sa, &n), 0);
	ip_from_sockaddr((struct sockaddr *)&sa, &ip, &port);
	c = os_connect_tcp(&ip, port, deadline_in(WAIT_MS));
	assert_true(c >= 0);
	a = os_accept(l);
	assert_true(a >= 0);
	say(c, "quit\n");
	assert_int_equal(run_connected(&s, a, a), 0);
	hear(c, line);
	assert_memory_equal(line, "127.0.0.1 127.0.0.1 ", 20);
	assert_non_null(strstr(line, " 1 1 fd=0,1 "));
	(void)close(a);
	(void)close(c);
	(void)close(l);
}

static void
test_prepare_fails(void **state)
{
	struct server s = { .serve = exit_seven, .prepare = no_prepare };
	struct ip ip = ip_of("127.0.0.1");
	int l = os_listen_tcp(&ip, 0, 1);

	(void)state;
	assert_int_equal(run_connected(&s, l, l), EXIT_PERM);
	(void)close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a listening socket: one process per connection",
		    test_listening, NULL, NULL, NULL },
		{ "R-28 over the open limit: refusal, then served again",
		    test_refusal, NULL, NULL, NULL },
		{ "R-28 over the rate limit: refusal", test_rate,
		    NULL, NULL, NULL },
		{ "at the cap of processes connections wait",
		    test_children_cap, NULL, NULL, NULL },
		{ "O-19 SIGTERM: children end, or are killed after 3 s",
		    test_stop, NULL, NULL, NULL },
		{ "O-19 another grace time", test_grace, NULL, NULL, NULL },
		{ "a child that crashes ends alone", test_crash,
		    NULL, NULL, NULL },
		{ "a replaced file and SIGHUP prepare again", test_reload,
		    NULL, NULL, NULL },
		{ "Unix sockets have no limits by address",
		    test_unix_listener, NULL, NULL, NULL },
		{ "a kept child serves so many connections, one at a time; not "
		    "after a failure", test_keep, NULL, NULL, NULL },
		{ "kept children: as many as are needed at once",
		    test_keep_many, NULL, NULL, NULL },
		{ "kept children end when all is prepared anew",
		    test_keep_reload, NULL, NULL, NULL },
		{ "a kept child that is killed is replaced",
		    test_keep_killed, NULL, NULL, NULL },
		{ "I-13 places of addresses and accounts", test_places, NULL,
		    NULL, NULL },
		{ "by hand, and with UCSPI variables", test_by_hand,
		    NULL, NULL, NULL },
		{ "a connected socket", test_connected_socket,
		    NULL, NULL, NULL },
		{ "a server that cannot prepare ends", test_prepare_fails,
		    NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
