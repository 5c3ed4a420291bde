/*
 * server_address_test - a child that serves one client address, several times
 *
 * When a child has become idle is not seen from outside; so what is to be
 * served by it is tried until it is, and what never may be, is not.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/internal.h"
#include "server_fixture.h"

#define TRIES 500

static const char one[] = "127.0.0.1", two[] = "127.0.0.2";

/* On its leash: that it is idle. */
static void
pretend(void)
{
	int fd, type = 0;
	socklen_t n = sizeof(type);

	for (fd = 3; fd < 64; fd++) {
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
		    type != SOCK_STREAM)
			(void)send(fd, "", 1, MSG_NOSIGNAL);
	}
}

/* Says who it is and whom it serves; then a word: "q" goes well, "b" fails,
 * "l" was the last, "c" crashes, "i" says it is idle while it is not. */
static int
serve_word(struct server_conn *conn, void *ctx)
{
	char text[256], ip[IP_TEXT_MAX], local[IP_TEXT_MAX], c = 0;
	int n = snprintf(text, sizeof(text), "%ld %d %s %d %s %d %d\n",
	    (long)getpid(), prepared, ip_format(&conn->remote, ip),
	    conn->remote_port, ip_format(&conn->local, local),
	    conn->local_port, conn->id != 0 && conn->is_socket);

	(void)ctx;
	if (n < 0 || io_write_all(conn->out, bytes_of((unsigned char *)text,
	    (size_t)n), DEADLINE_NONE) == -1)
		return EXIT_TEMP;
	while (io_read_full(conn->in, &c, 1, DEADLINE_NONE) == 1 && c == 'i')
		pretend();
	if (c == 'c')
		(void)raise(SIGUSR2);
	conn->last = c == 'l';
	return c == 'b' ? EXIT_NO : EXIT_YES;
}

static void
begin(struct fixture *f, unsigned int keep, struct server_limits limits)
{
	*f = (struct fixture){ .s = { .serve = serve_word, .limits = limits,
	    .keep_address = keep } };
	start(f, NULL);
}

/* ---- visitors ---- */

static int
dial_from(const struct fixture *f, const char *from, int *port)
{
	struct ip local = ip_of(from), server = ip_of(one);
	struct sockaddr_storage sa;
	socklen_t n = (socklen_t)ip_to_sockaddr(&local, 0, &sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	n = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	ip_from_sockaddr((struct sockaddr *)&sa, &local, port);
	n = (socklen_t)ip_to_sockaddr(&server, f->port, &sa);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, n), 0);
	return fd;
}

struct visit {
	int fd;
	pid_t pid;
	int prepared;
};

/* The child knows the addresses of this connection. */
static struct visit
arrive(const struct fixture *f, const char *from)
{
	char line[256], want[256], *end;
	struct visit v;
	int port;

	v.fd = dial_from(f, from, &port);
	hear(v.fd, line);
	v.pid = (pid_t)strtol(line, &end, 10);
	assert_true(v.pid > 0);
	v.prepared = (int)strtol(end, &end, 10);
	assert_true(snprintf(want, sizeof(want), " %s %d 127.0.0.1 %d 1\n",
	    from, port, f->port) > 0);
	assert_string_equal(end, want);
	return v;
}

static pid_t
leave(struct visit v, const char *word)
{
	char line[256];

	say(v.fd, word);
	hear(v.fd, line);
	assert_string_equal(line, "");
	assert_int_equal(close(v.fd), 0);
	return v.pid;
}

static pid_t
visit(const struct fixture *f, const char *from, const char *word)
{
	return leave(arrive(f, from), word);
}

static bool
is_there(pid_t pid)
{
	return kill(pid, 0) == 0;
}

/* Milliseconds until it has ended. */
static int64_t
await_end(pid_t pid)
{
	int64_t begun = time_mono_ms();

	while (is_there(pid) && time_mono_ms() - begun < WAIT_MS)
		(void)usleep(5000);
	assert_false(is_there(pid));
	return time_mono_ms() - begun;
}

/* Not because it waited for long enough. */
static void
await_early_end(pid_t pid)
{
	assert_in_range(await_end(pid), 0, SERVER_IDLE_MS - 1000);
}

/* Served by that process, as soon as it is idle. Others do not stay. */
static struct visit
arrive_at(const struct fixture *f, const char *from, pid_t pid)
{
	struct visit v = arrive(f, from);
	int i;

	for (i = 0; v.pid != pid && i < TRIES; i++) {
		await_early_end(leave(v, "l"));
		v = arrive(f, from);
	}
	assert_int_equal(v.pid, pid);
	return v;
}

/* ---- whom it serves ---- */

static void
test_same(void **state)
{
	struct fixture f;
	pid_t pid;

	(void)state;
	begin(&f, 3, SERVER_LIMITS_LOCAL);
	pid = visit(&f, one, "q");
	assert_int_equal(leave(arrive_at(&f, one, pid), "q"), pid);
	assert_int_equal(leave(arrive_at(&f, one, pid), "q"), pid);
	await_early_end(pid);		/* three were served */
	assert_int_not_equal(visit(&f, one, "q"), pid);
	assert_true(finish(&f) < SERVER_GRACE_MS);
}

static void
test_other(void **state)
{
	struct fixture f;
	struct visit v;
	pid_t pid, other;
	int i;

	(void)state;
	begin(&f, 1000, SERVER_LIMITS_LOCAL);
	pid = visit(&f, one, "q");
	other = visit(&f, two, "q");
	assert_int_not_equal(other, pid);
	for (i = 0; i < 50; i++) {
		v = arrive_at(&f, one, pid);
		assert_int_equal(leave(v, "q"), pid);
		assert_int_not_equal(visit(&f, "127.0.0.3", "l"), pid);
		v = arrive_at(&f, two, other);
		assert_int_equal(leave(v, "q"), other);
	}
	(void)finish(&f);
}

static void
test_off(void **state)
{
	struct fixture f;
	unsigned int keep;

	(void)state;
	for (keep = 0; keep < 2; keep++) {
		begin(&f, keep, SERVER_LIMITS_LOCAL);
		await_early_end(visit(&f, one, "q"));
		(void)finish(&f);
	}
}

/* What its handler does not call good, or calls the last. */
static void
test_last(void **state)
{
	static const char *const words[] = { "b", "l", "c" };
	struct fixture f;
	pid_t pid;
	size_t i;

	(void)state;
	begin(&f, 1000, SERVER_LIMITS_LOCAL);
	for (i = 0; i < COUNT(words); i++) {
		pid = visit(&f, one, "q");
		assert_int_equal(leave(arrive_at(&f, one, pid), words[i]),
		    pid);
		await_early_end(pid);
	}
	(void)finish(&f);
}

static void
test_crash(void **state)
{
	struct fixture f;
	struct visit a, b;

	(void)state;
	begin(&f, 1000, SERVER_LIMITS_LOCAL);
	a = arrive(&f, one);
	b = arrive(&f, one);
	assert_int_not_equal(a.pid, b.pid);	/* nobody has two at a time */
	(void)leave(a, "c");
	await_early_end(a.pid);
	assert_int_equal(leave(b, "q"), b.pid);
	b = arrive_at(&f, one, b.pid);
	/* One that is killed while it waits is nobody's loss. */
	(void)leave(b, "q");
	a = arrive(&f, two);
	assert_int_equal(kill(b.pid, SIGKILL), 0);
	await_early_end(b.pid);
	assert_int_not_equal(visit(&f, one, "q"), b.pid);
	(void)leave(a, "q");
	(void)finish(&f);
}

static void
test_link_local(void **state)
{
	static const struct {
		const char *address;
		bool kept;
	} rows[] = {
		{ "192.0.2.1", true }, { "169.254.1.1", true },
		{ "2001:db8::1", true }, { "fe7f::1", true },
		{ "fe80::1", false }, { "febf:ffff::1", false },
		{ "fec0::1", true },
	};
	struct server s = { .keep_address = 2 };
	struct listener l = { .s = &s, .leashes = 0 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct server_conn conn = { .remote = ip_of(rows[i].address) };

		if (keep_may(&l, &conn) != rows[i].kept)
			fail_msg("%s", rows[i].address);
	}
	l.leashes = -1;
	assert_false(keep_may(&l, &(struct server_conn){
	    .remote = ip_of("192.0.2.1") }));
}

/* ---- limits ---- */

static void
test_open(void **state)
{
	struct server_limits limits = { .open = { 2, 0, 0 } };
	struct fixture f;
	struct visit a, b;
	char line[256];
	int fd, port, i;
	pid_t pid;

	(void)state;
	begin(&f, 1000, limits);
	pid = visit(&f, one, "q");
	for (i = 0; i < 3; i++) {
		a = arrive_at(&f, one, pid);	/* a connection counts... */
		b = arrive(&f, one);
		fd = dial_from(&f, one, &port);
		hear(fd, line);
		assert_string_equal(line, "421 too many\r\n");
		assert_int_equal(close(fd), 0);
		assert_int_equal(leave(b, "l"), b.pid);
		await_early_end(b.pid);
		assert_int_equal(leave(a, "q"), pid);	/* not who waits */
	}
	(void)finish(&f);
}

static void
test_rate(void **state)
{
	struct server_limits limits = { .per_minute = { 3, 0, 0 } };
	struct fixture f;
	bool refused = false;
	char line[256];
	int i, fd, port, served = 0;

	(void)state;
	begin(&f, 1000, limits);
	/* If a minute ends meanwhile the count begins again. */
	for (i = 0; i < 7 && !refused; i++) {
		fd = dial_from(&f, one, &port);
		hear(fd, line);
		refused = strcmp(line, "421 too many\r\n") == 0;
		served += !refused;
		if (!refused)
			say(fd, "q");
		(void)close(fd);
	}
	assert_true(refused);
	assert_in_range(served, 3, 6);
	(void)finish(&f);
}

/* At the cap of children an idle one makes room. */
static void
test_cap(void **state)
{
	struct server_limits limits = { .children = 1 };
	struct fixture f;
	struct visit v;
	pid_t pid, other;
	int i;

	(void)state;
	begin(&f, 1000, limits);
	for (i = 0; i < 10; i++) {
		pid = visit(&f, one, "q");
		assert_int_equal(visit(&f, one, "q"), pid);	/* it waited */
		other = visit(&f, two, "q");
		assert_int_not_equal(other, pid);
		await_early_end(pid);
		v = arrive(&f, two);
		assert_int_equal(v.pid, other);
		(void)leave(v, "l");
	}
	(void)finish(&f);
}

static pid_t
start_sleeper(void)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	return pid;
}

static void
test_oldest(void **state)
{
	struct child children[4] = { { .leash = -1 } };
	struct listener l = { .children = children, .nchildren = 4,
	    .nidle = 3, .leashes = os_events_new() };
	int pair[4][2], status;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		assert_int_equal(os_messagepair(pair[i]), 0);
		children[i] = (struct child){ .pid = start_sleeper(),
		    .leash = pair[i][0], .idle = i != 0,
		    .idle_until = i == 0 ? 1 : i == 2 ? 10 : 20,
		    .address = ip_of(one) };
		assert_int_equal(os_events_add(l.leashes, pair[i][0],
		    OS_EVENT_READ, NULL), 0);
	}
	keep_end_oldest(&l);
	for (i = 0; i < TRIES && waitpid(children[2].pid, &status, WNOHANG) ==
	    0; i++)
		(void)usleep(2000);
	assert_true(i < TRIES);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(children[2].leash, -1);
	assert_int_equal(l.nidle, 2);
	/* One that is busy is not killed: it ends after what it does. */
	keep_none(&l);
	assert_int_equal(l.nidle, 0);
	assert_int_equal(waitpid(children[0].pid, &status, WNOHANG), 0);
	assert_int_equal(kill(children[0].pid, SIGKILL), 0);
	for (i = 0; i < 4; i++) {
		if (i != 2)
			assert_int_equal(waitpid(children[i].pid, &status, 0),
			    children[i].pid);
		assert_int_equal(close(pair[i][1]), 0);
	}
	assert_int_equal(close(l.leashes), 0);
}

/* How many children the server has. */
static size_t
count_children(const struct fixture *f)
{
	char path[64], text[8192];
	size_t i, n = 0, got;
	FILE *file;

	assert_true(snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    (int)f->pid, (int)f->pid) > 0);
	file = fopen(path, "r");
	assert_non_null(file);
	got = fread(text, 1, sizeof(text), file);
	assert_int_equal(fclose(file), 0);
	for (i = 0; i < got; i++)
		n += text[i] == ' ';
	return n;
}

static void
test_idle_max(void **state)
{
	struct fixture f;
	pid_t pid[SERVER_IDLE_MAX + 10];
	char from[32];
	size_t i, n = 0, there = 0;

	(void)state;
	begin(&f, 1000, SERVER_LIMITS_LOCAL);
	for (i = 0; i < COUNT(pid); i++) {
		assert_true(snprintf(from, sizeof(from), "127.0.1.%zu",
		    i + 1) > 0);
		pid[i] = visit(&f, from, "q");
	}
	for (i = 0; i < TRIES && (n = count_children(&f)) > SERVER_IDLE_MAX;
	    i++)
		(void)usleep(2000);
	assert_int_equal(n, SERVER_IDLE_MAX);
	for (i = 0; i < COUNT(pid); i++)
		there += is_there(pid[i]);
	assert_int_equal(there, SERVER_IDLE_MAX);
	assert_true(finish(&f) < SERVER_GRACE_MS);
}

/* A process that was taken over says it is idle, and goes on with its
 * connection: it ends with the idle ones. */
static void
test_idle_time(void **state)
{
	struct fixture f;
	struct visit liar;
	int64_t begun;
	pid_t pid;

	(void)state;
	begin(&f, 1000, SERVER_LIMITS_LOCAL);
	begun = time_mono_ms();
	pid = visit(&f, one, "q");
	liar = arrive(&f, two);
	say(liar.fd, "i");
	(void)await_end(pid);
	assert_in_range(time_mono_ms() - begun, SERVER_IDLE_MS,
	    SERVER_IDLE_MS + 4000);
	(void)await_end(liar.pid);
	assert_int_equal(close(liar.fd), 0);
	/* Twice: it breaks the rules, and is not waited for. */
	liar = arrive(&f, two);
	say(liar.fd, "ii");
	await_early_end(liar.pid);
	assert_int_equal(close(liar.fd), 0);
	(void)finish(&f);
}

/* It ends when it was given its number, whatever it says. */
static void
test_count(void **state)
{
	struct fixture f;
	struct visit v;
	pid_t pid;

	(void)state;
	begin(&f, 2, SERVER_LIMITS_LOCAL);
	pid = visit(&f, one, "q");
	v = arrive_at(&f, one, pid);
	say(v.fd, "i");
	await_early_end(pid);
	assert_int_equal(close(v.fd), 0);
	(void)finish(&f);
}

/* ---- reload ---- */

/* The first two times it is off. */
static int
prepare_keep(void *ctx)
{
	struct server *s = ctx;

	prepared++;
	s->keep_address = prepared > 2 ? 1000 : 0;
	return 0;
}

static void
reload(const struct fixture *f, int want)
{
	struct visit v;
	int i;

	assert_int_equal(kill(f->pid, SIGHUP), 0);
	for (i = 0; i < TRIES; i++) {
		v = arrive(f, two);
		(void)leave(v, "l");
		if (v.prepared == want)
			return;
		(void)usleep(10000);
	}
	fail_msg("not prepared %d times", want);
}

static void
test_reload(void **state)
{
	struct fixture f = { .s = { .serve = serve_word,
	    .limits = SERVER_LIMITS_LOCAL, .prepare = prepare_keep } };
	struct visit v;
	pid_t pid, busy;

	(void)state;
	f.s.ctx = &f.s;
	start(&f, NULL);
	await_early_end(visit(&f, one, "q"));
	reload(&f, 2);
	await_early_end(visit(&f, one, "q"));
	reload(&f, 3);
	pid = visit(&f, one, "q");
	assert_int_equal(leave(arrive_at(&f, one, pid), "q"), pid);
	v = arrive(&f, "127.0.0.3");
	busy = v.pid;
	reload(&f, 4);
	await_early_end(pid);		/* who waited */
	assert_true(is_there(busy));
	assert_int_equal(leave(v, "q"), busy);
	await_early_end(busy);		/* after what it did */
	v = arrive(&f, one);
	assert_int_equal(v.prepared, 4);
	(void)leave(v, "q");
	(void)finish(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "an address that comes again gets its process again, so "
		    "many times", test_same, NULL, NULL, NULL },
		{ "another address never does", test_other, NULL, NULL, NULL },
		{ "0 and 1: a process for each connection", test_off, NULL,
		    NULL, NULL },
		{ "nor after a failure, a crash, or what was the last",
		    test_last, NULL, NULL, NULL },
		{ "a crash ends one connection", test_crash, NULL, NULL,
		    NULL },
		{ "addresses of a link are not one client's",
		    test_link_local, NULL, NULL, NULL },
		{ "R-28 open connections are counted, not processes",
		    test_open, NULL, NULL, NULL },
		{ "R-28 the rate counts connections of kept processes",
		    test_rate, NULL, NULL, NULL },
		{ "at the cap of processes an idle one makes room",
		    test_cap, NULL, NULL, NULL },
		{ "the oldest idle one ends, no busy one", test_oldest, NULL,
		    NULL, NULL },
		{ "so many wait, and no more", test_idle_max, NULL, NULL,
		    NULL },
		{ "one waits for so long, and lives no longer by a lie",
		    test_idle_time, NULL, NULL, NULL },
		{ "the parent counts what it gives", test_count, NULL, NULL,
		    NULL },
		{ "prepare anew: who waits ends, who works ends after it",
		    test_reload, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
