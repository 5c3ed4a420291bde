/* reach_test - what stays in reach of a process (Landlock), what it costs */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char dir[] = "/tmp/reach_test.XXXXXX";

static void
put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd != -1 && close(fd) == 0);
}

/* mine/a mine/b can be changed, read/f only read, other/f neither. */
static int
make_tree(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL || chdir(dir) == -1 ||
	    mkdir("mine", 0700) == -1 || mkdir("mine/a", 0700) == -1 ||
	    mkdir("mine/b", 0700) == -1 || mkdir("read", 0700) == -1 ||
	    mkdir("other", 0700) == -1)
		return -1;
	put("mine/a/f");
	put("read/f");
	put("other/f");
	return 0;
}

static int
remove_tree(void **state)
{
	(void)state;
	return unlink("mine/a/f") | unlink("read/f") | unlink("other/f") |
	    rmdir("mine/a") | rmdir("mine/b") | rmdir("mine") |
	    rmdir("read") | rmdir("other") | chdir("/") | rmdir(dir);
}

/* 0 done, or errno. */
static int
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd == -1 ? errno : close(fd);
}

static int
moves(void)
{
	int r;

	if (rename("mine/a/f", "mine/b/f") == -1)
		return errno;
	r = link("mine/b/f", "mine/a/f") == -1 ? errno : 0;
	return unlink("mine/b/f") == -1 ? errno : r;
}

static int
makes(void)
{
	if (mkdir("mine/d", 0700) == -1 || rmdir("mine/d") == -1 ||
	    mkfifo("mine/p", 0600) == -1 || unlink("mine/p") == -1 ||
	    symlink("f", "mine/s") == -1 || unlink("mine/s") == -1)
		return errno;
	return truncate("mine/a/f", 0) == -1 ? errno : 0;
}

/* A spool file, and a name for it. */
static int
publishes(void)
{
	char path[64];
	int fd = os_tmpfile(AT_FDCWD, "mine/a"), r;

	if (fd == -1)
		return errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = linkat(AT_FDCWD, path, AT_FDCWD, "mine/b/g", AT_SYMLINK_FOLLOW)
	    == -1 && errno != ENOENT ? errno : 0;
	(void)unlink("mine/b/g");
	return close(fd) == -1 ? errno : r;
}

static int
takes_out(void)
{
	return rename("mine/a/f", "other/g") == -1 ? errno : 0;
}

static int
runs(void)
{
	char *argv[] = { (char[]){ "true" }, NULL };

	(void)execv("/bin/true", argv);
	return errno;
}

static int read_mine(void) { return opens("mine/a/f", O_RDONLY); }
static int write_mine(void) { return opens("mine/a/f", O_WRONLY); }
static int create_mine(void)
{
	int r = opens("mine/new", O_WRONLY | O_CREAT | O_EXCL);

	return r != 0 ? r : unlink("mine/new") == -1 ? errno : 0;
}
static int list_mine(void) { return opens("mine", O_RDONLY | O_DIRECTORY); }
static int read_read(void) { return opens("read/f", O_RDONLY); }
static int write_read(void) { return opens("read/f", O_WRONLY); }
static int create_read(void) { return opens("read/g", O_WRONLY | O_CREAT); }
static int read_other(void) { return opens("other/f", O_RDONLY); }
static int write_other(void) { return opens("other/f", O_WRONLY); }
static int list_other(void) { return opens("other", O_RDONLY | O_DIRECTORY); }
static int remove_other(void) { return unlink("other/f") == -1 ? errno : 0; }
static int read_system(void) { return opens("/etc/passwd", O_RDONLY); }

/* What of those three a set allows. */
enum set { NOTHING, MINE, READS, EXECS, TWICE };
static const struct reach_case {
	const char *what;
	enum set set;
	int (*f)(void);
	int error;
} reach_cases[] = {
	{ "X-1 nothing: read", NOTHING, read_other, EACCES },
	{ "nothing: list", NOTHING, list_other, EACCES },
	{ "nothing: the system's files", NOTHING, read_system, EACCES },
	{ "nothing: remove", NOTHING, remove_other, EACCES },
	{ "nothing: run", NOTHING, runs, EACCES },
	{ "own: read", MINE, read_mine, 0 },
	{ "own: write", MINE, write_mine, 0 },
	{ "own: create", MINE, create_mine, 0 },
	{ "own: list", MINE, list_mine, 0 },
	{ "own: make", MINE, makes, 0 },
	{ "own: move from folder to folder", MINE, moves, 0 },
	{ "own: a file without a name gets one", MINE, publishes, 0 },
	{ "own: run", MINE, runs, EACCES },
	{ "own, moved elsewhere", MINE, takes_out, EACCES },
	{ "others: read", MINE, read_other, EACCES },
	{ "others: write", MINE, write_other, EACCES },
	{ "others: remove", MINE, remove_other, EACCES },
	{ "readable: read", MINE, read_read, 0 },
	{ "readable: write", MINE, write_read, EACCES },
	{ "readable: create", MINE, create_read, EACCES },
	{ "reader of all: read", READS, read_other, 0 },
	{ "reader of all: the system's files", READS, read_system, 0 },
	{ "reader of all: write", READS, write_other, EACCES },
	{ "reader of all: remove", READS, remove_other, EACCES },
	{ "reader of all: own", READS, create_mine, 0 },
	{ "reader of all: run", READS, runs, EACCES },
	{ "runner: run", EXECS, runs, 0 },
	{ "narrowed: own", TWICE, read_mine, 0 },
	{ "narrowed: readable no more", TWICE, read_read, EACCES },
};

static int
enter(const struct os_reach *r)
{
	struct os_sandbox s = { .reach = *r };

	return os_sandbox_enter(&s);
}

static void
make_set(enum set set, struct os_reach *r)
{
	assert_int_equal(os_reach_begin(r, set == READS ? OS_REACH_READ
	    : set == EXECS ? OS_REACH_READ | OS_REACH_EXEC : 0), 0);
	if (set == NOTHING)
		return;
	assert_int_equal(os_reach_path(r, "mine", OS_REACH_WRITE), 0);
	assert_int_equal(os_reach_path(r, "read", OS_REACH_READ), 0);
	/* not there: nothing */
	assert_int_equal(os_reach_path(r, "nothing", OS_REACH_READ), 0);
}

static int
narrow(void)
{
	struct os_reach r;

	return os_reach_begin(&r, 0) | os_reach_path(&r, "mine",
	    OS_REACH_WRITE) | os_reach_enter(&r);
}

static int
inside(enum set set, int (*f)(void))
{
	struct os_reach r;
	int status;
	pid_t pid;

	make_set(set, &r);
	if ((pid = fork()) == 0) {
		if (enter(&r) == -1 || (set == TWICE && narrow() != 0))
			_exit(255);
		_exit(f());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	os_reach_end(&r);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool
missing(int version)
{
	if (os_reach_version() >= version)
		return false;
	print_message("# SKIP Landlock: version %d of %d\n",
	    os_reach_version(), version);
	return true;
}

static void
test_files(void **state)
{
	size_t i;
	int r;

	(void)state;
	if (missing(2))
		return;
	for (i = 0; i < COUNT(reach_cases); i++) {
		r = inside(reach_cases[i].set, reach_cases[i].f);
		if (r != reach_cases[i].error)
			fail_msg("%s: %s", reach_cases[i].what, strerror(r));
	}
}

/* ---- sockets ---- */

static int
connects(int port)
{
	struct ip ip = { .a = { 127, 0, 0, 1 }, .family = AF_INET };
	int fd = os_connect_tcp(&ip, port, deadline_in(1000));

	return fd == -1 ? errno : close(fd);
}

static int
listens(void)
{
	struct ip ip = { .a = { 127, 0, 0, 1 }, .family = AF_INET };
	int fd = os_listen_tcp(&ip, 0, 1);

	return fd == -1 ? errno : close(fd);
}

static int
port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	struct ip ip;
	int port;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	ip_from_sockaddr((struct sockaddr *)&sa, &ip, &port);
	return port;
}

static void
test_tcp(void **state)
{
	struct ip ip = { .a = { 127, 0, 0, 1 }, .family = AF_INET };
	int mine, other, un, status;
	struct os_reach r;
	pid_t pid;

	(void)state;
	if (missing(4))
		return;
	mine = os_listen_tcp(&ip, 0, 1);
	other = os_listen_tcp(&ip, 0, 1);
	un = os_listen_unix("mine/socket", 0600);
	assert_true(mine != -1 && other != -1 && un != -1);
	assert_int_equal(os_reach_begin(&r, 0), 0);
	assert_int_equal(os_reach_port(&r, port_of(mine)), 0);
	if ((pid = fork()) == 0) {
		if (enter(&r) == -1)
			_exit(90);
		if (connects(port_of(mine)) != 0)
			_exit(1);
		if (connects(port_of(other)) != EACCES)
			_exit(2);
		if (listens() != EACCES)
			_exit(3);
		/* what is open stays, and Unix sockets are not concerned */
		if (listen(other, 1) == -1)
			_exit(4);
		_exit(os_connect_unix("mine/socket", deadline_in(1000)) == -1
		    ? 5 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	os_reach_end(&r);
	assert_int_equal(unlink("mine/socket"), 0);
	(void)close(mine);
	(void)close(other);
	(void)close(un);
}

/* ---- costs ---- */

#define ROUNDS 200

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nanoseconds a new process needs to enter, on average; with a second set,
 * made and entered there. */
static int64_t
measure(const struct os_sandbox *s, bool twice)
{
	int64_t sum = 0, t;
	int i, p[2], status;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	for (i = 0; i < ROUNDS; i++) {
		if ((pid = fork()) == 0) {
			t = now_ns();
			if (os_sandbox_enter(s) == -1 ||
			    (twice && narrow() != 0))
				_exit(1);
			t = now_ns() - t;
			_exit(write(p[1], &t, sizeof(t)) != sizeof(t));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(read(p[0], &t, sizeof(t)), sizeof(t));
		sum += t;
	}
	(void)close(p[0]);
	(void)close(p[1]);
	return sum / ROUNDS;
}

static void
test_costs(void **state)
{
	struct os_sandbox s;
	int64_t without, with, twice;

	(void)state;
	if (missing(2))
		return;
	assert_int_equal(os_sandbox_make(&s, OS_SANDBOX_STORE), 0);
	without = measure(&s, false);
	make_set(MINE, &s.reach);
	with = measure(&s, false);
	twice = measure(&s, true);
	os_sandbox_free(&s);
	print_message("# entering the sandbox: %lld us; and reach: %lld us; "
	    "and a second made there: %lld us\n", (long long)without / 1000,
	    (long long)with / 1000, (long long)twice / 1000);
	/* A process of its own costs 100 us and more. */
	assert_true(with - without < 1000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "X-1 reach: files that are not a process' own are not "
		    "there for it", test_files, NULL, NULL,
		    NULL },
		{ "X-1 reach: TCP to named ports only", test_tcp, NULL, NULL,
		    NULL },
		{ "reach: entering costs less than a fork", test_costs, NULL,
		    NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
