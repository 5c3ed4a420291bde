/* os_test - sockets, descriptor passing, sandbox, watching */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char dir[] = "/tmp/os_test.XXXXXX";

static int
enter_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : chdir(dir);
}

static int
leave_dir(void **state)
{
	(void)state;
	return chdir("/") == -1 ? -1 : rmdir(dir);
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
test_what_it_is(void **state)
{
	int p[2], s[2], l = os_listen_unix("l", 0600);

	(void)state;
	assert_true(l >= 0);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	assert_int_equal(os_is_listening(l), 1);
	assert_int_equal(os_is_listening(s[0]), 0);
	assert_int_equal(os_is_listening(p[0]), 0);
	assert_int_equal(os_is_listening(-1), -1);
	assert_true(os_is_socket(l));
	assert_true(os_is_socket(s[1]));
	assert_false(os_is_socket(p[1]));
	(void)close(l);
	(void)close(p[0]);
	(void)close(p[1]);
	(void)close(s[0]);
	(void)close(s[1]);
	assert_int_equal(unlink("l"), 0);
}

static void
test_unix(void **state)
{
	char longest[109];
	struct stat st;
	pid_t pid;
	uid_t uid;
	gid_t gid;
	int l, c, a, l2;

	(void)state;
	assert_int_equal(os_connect_unix("s", deadline_in(1000)), -1);
	assert_int_equal(errno, ENOENT);
	l = os_listen_unix("s", 0640);
	assert_true(l >= 0);
	assert_int_equal(stat("s", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	c = os_connect_unix("s", deadline_in(1000));
	assert_true(c >= 0);
	a = os_accept(l);
	assert_true(a >= 0);
	assert_true((fcntl(a, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(a, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(os_peer(a, &pid, &uid, &gid), 0);
	assert_int_equal(pid, getpid());
	assert_int_equal(uid, getuid());
	(void)close(c);
	(void)close(a);
	(void)close(l);
	assert_int_equal(os_connect_unix("s", deadline_in(1000)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	l2 = os_listen_unix("s", 0600);		/* the old one is replaced */
	assert_true(l2 >= 0);
	(void)close(l2);
	assert_int_equal(unlink("s"), 0);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[108] = '\0';			/* one past the limit */
	assert_int_equal(os_listen_unix(longest, 0600), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	longest[107] = '\0';
	l = os_listen_unix(longest, 0600);
	assert_true(l >= 0);
	(void)close(l);
	assert_int_equal(unlink(longest), 0);
	assert_int_equal(os_listen_unix("/dev/null", 0600), -1);
	assert_int_equal(errno, EEXIST);
}

/* A backlog that is full makes connect wait, but not past the deadline. */
static void
test_unix_backlog(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "b" };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c[4], i, n = 0;
	int64_t start = time_mono_ms();

	(void)state;
	assert_int_equal(bind(l, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(l, 0), 0);
	for (i = 0; i < 4; i++) {
		if ((c[n] = os_connect_unix("b", deadline_in(50))) == -1)
			break;
		n++;
	}
	assert_in_range(n, 1, 3);
	assert_int_equal(errno, ETIMEDOUT);
	assert_in_range(time_mono_ms() - start, 50, 5000);
	while (n > 0)
		(void)close(c[--n]);
	(void)close(l);
	assert_int_equal(unlink("b"), 0);
}

static void
test_tcp(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };
	struct ip ip;
	size_t i;
	int l, c, a, port;

	(void)state;
	for (i = 0; i < COUNT(hosts); i++) {
		assert_int_equal(ip_parse(bytes_str(hosts[i]), &ip), 0);
		l = os_listen_tcp(&ip, 0, 5);
		if (l == -1 && i == 1) {
			print_message("# IPv6 skipped: there is none\n");
			continue;
		}
		assert_true(l >= 0);
		port = port_of(l);
		c = os_connect_tcp(&ip, port, deadline_in(5000));
		assert_true(c >= 0);
		assert_int_equal(os_nodelay(c), 0);
		a = os_accept(l);
		assert_true(a >= 0);
		assert_int_equal(io_write_all(c, BYTES("x"), deadline_in(9)),
		    0);
		(void)close(a);
		(void)close(c);
		(void)close(l);
		assert_int_equal(os_connect_tcp(&ip, port, deadline_in(5000)),
		    -1);
		assert_int_equal(errno, ECONNREFUSED);
	}
	ip.family = 0;
	assert_int_equal(os_listen_tcp(&ip, 0, 5), -1);
	assert_int_equal(os_connect_tcp(&ip, 25, deadline_in(50)), -1);
	assert_int_equal(errno, EINVAL);
}

static void
test_pass_fds(void **state)
{
	static unsigned char big[65537], in[65536];
	int s[2], p[2], got[OS_FDS_MAX], fds[OS_FDS_MAX + 1];
	size_t n = 99, i;
	pid_t pid;
	int status;
	char c = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	assert_int_equal(pipe(p), 0);
	for (i = 0; i < COUNT(fds); i++)
		fds[i] = p[1];
	assert_int_equal(os_send_fds(s[0], BYTES("hello"), fds, 4), 0);
	assert_int_equal(os_recv_fds(s[1], in, sizeof(in), got, &n,
	    deadline_in(5000)), 5);
	assert_int_equal(n, 4);
	assert_memory_equal(in, "hello", 5);
	for (i = 0; i < n; i++) {
		assert_true((fcntl(got[i], F_GETFD) & FD_CLOEXEC) != 0);
		assert_int_equal(io_write_all(got[i], BYTES("y"), 0 +
		    DEADLINE_NONE), 0);
		assert_int_equal(io_read_full(p[0], &c, 1, deadline_in(99)), 1);
		assert_int_equal(c, 'y');
		assert_int_equal(close(got[i]), 0);
	}
	assert_int_equal(os_send_fds(s[0], BYTES("no fds"), NULL, 0), 0);
	assert_int_equal(os_recv_fds(s[1], in, sizeof(in), got, &n,
	    deadline_in(5000)), 6);
	assert_int_equal(n, 0);
	assert_int_equal(os_send_fds(s[0], BYTES("x"), fds, 5), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(os_send_fds(s[0], BYTES(""), fds, 1), -1);
	assert_int_equal(os_send_fds(s[0], bytes_of(big, 65537), fds, 1), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(os_recv_fds(s[1], in, 1, got, &n, deadline_in(20)),
	    -1);
	assert_int_equal(errno, ETIMEDOUT);
	pid = fork();
	if (pid == 0)
		_exit(os_send_fds(s[0], bytes_of(big, 65536), fds, 1) == 0 ?
		    0 : 1);
	for (i = 0; i < 65536;) {
		ssize_t r = os_recv_fds(s[1], in, sizeof(in), got, &n,
		    deadline_in(5000));

		assert_true(r > 0);
		if (n == 1)
			assert_int_equal(close(got[0]), 0);
		i += (size_t)r;
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(close(s[0]), 0);
	assert_int_equal(os_recv_fds(s[1], in, sizeof(in), got, &n,
	    deadline_in(5000)), 0);
	(void)close(s[1]);
	(void)close(p[0]);
	(void)close(p[1]);
}

static int
open_fds(void)
{
	int i, n = 0;

	for (i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) != -1;
	return n;
}

static void
test_pass_truncated(void **state)
{
	unsigned char in[4];
	int s[2], fds[1] = { 0 }, got[OS_FDS_MAX], before;
	size_t n = 99;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	before = open_fds();
	assert_int_equal(os_send_fds(s[0], BYTES("12345"), fds, 1), 0);
	errno = 0;
	assert_int_equal(os_recv_fds(s[1], in, sizeof(in), got, &n,
	    deadline_in(5000)), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(open_fds(), before);
	assert_int_equal(n, 99);
	(void)close(s[0]);
	(void)close(s[1]);
}

static void
test_small_things(void **state)
{
	unsigned char a[64], b[64];
	char id[37], again[37], name[300], tiny[1];
	struct stat st;
	int fd = os_tmpfile(AT_FDCWD, ".");
	uid_t uid;
	gid_t gid;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(io_write_all(fd, BYTES("x"), DEADLINE_NONE), 0);
	(void)close(fd);
	assert_int_equal(os_tmpfile(AT_FDCWD, "none"), -1);
	assert_int_equal(errno, ENOENT);
	os_random(a, sizeof(a));
	os_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(os_boot_id(id), 0);
	assert_int_equal(os_boot_id(again), 0);
	assert_int_equal(strlen(id), 36);
	assert_string_equal(id, again);
	assert_int_equal(os_hostname(name, sizeof(name)), 0);
	assert_true(strlen(name) > 0);
	assert_int_equal(os_hostname(tiny, sizeof(tiny)), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(os_user("root", &uid, &gid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(os_user("no-such-user", &uid, &gid), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(os_group("no-such-group", &gid), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_watch(void **state)
{
	struct pollfd p = { .events = POLLIN };
	int fd;

	(void)state;
	p.fd = os_watch_dir(".");
	assert_true(p.fd >= 0);
	assert_int_equal(poll(&p, 1, 0), 0);
	fd = open("new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(poll(&p, 1, 5000), 1);
	os_watch_drain(p.fd);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(rename("new", "old"), 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	os_watch_drain(p.fd);
	assert_int_equal(unlink("old"), 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	(void)close(p.fd);
	assert_int_equal(os_watch_dir("none"), -1);
	assert_int_equal(errno, ENOENT);
}

static int
drop_in_child(void)
{
	gid_t groups[2];

	if (os_drop(0, 65534) != -1 || os_drop(65534, 0) != -1)
		return 1;
	if (os_drop(65534, 65534) == -1)
		return 2;
	if (getuid() != 65534 || getegid() != 65534 ||
	    getgroups(2, groups) != 0)
		return 3;
	return setuid(0) == -1 ? 0 : 4;
}

static void
test_drop(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	if (geteuid() != 0) {
		print_message("# SKIP users: not run as root\n");
		return;
	}
	pid = fork();
	if (pid == 0)
		_exit(drop_in_child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int
look_from_child(unsigned char *p, size_t n)
{
	unsigned char here[4];

	return mincore(p, n, here) == -1 && errno == ENOMEM ? 0 : 1;
}

static void
test_unshared(void **state)
{
	size_t n = 4 * (size_t)sysconf(_SC_PAGESIZE), i;
	unsigned char *p = os_alloc_unshared(n);
	pid_t pid;
	int status;

	(void)state;
	for (i = 0; i < n; i++)
		assert_int_equal(p[i], 0);
	memset(p, 7, n);
	os_heap_room();		/* changes nothing to be seen */
	os_heap_keep(1 << 20, 1 << 18);		/* neither */
	pid = fork();
	if (pid == 0)
		_exit(look_from_child(p, n));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(p[n - 1], 7);
	os_free_unshared(p, n);
	os_free_unshared(NULL, 0);
}

enum change { MAKE, LINK, MOVE, UNLINK };

static void
make_change(enum change what, const char *from, const char *to)
{
	int fd;

	switch (what) {
	case MAKE:
		fd = open(from, O_WRONLY | O_CREAT, 0600);
		assert_int_equal(close(fd), 0);
		break;
	case LINK:
		assert_int_equal(link(from, to), 0);
		break;
	case MOVE:
		assert_int_equal(rename(from, to), 0);
		break;
	case UNLINK:
		(void)unlink(from);	/* also one that is not there */
		break;
	}
}

static void
test_counting(void **state)
{
	static const struct {
		enum change what;
		const char *from, *to;
		uint32_t a, b;
	} row[] = {
		{ MAKE, "a/x", "", 1, 0 },
		{ LINK, "a/x", "a/y", 1, 0 },
		{ MOVE, "a/x", "a/z", 2, 0 },
		{ MOVE, "a/y", "b/y", 1, 1 },
		{ UNLINK, "a/z", "", 1, 0 },
		{ UNLINK, "b/y", "", 0, 1 },
		{ UNLINK, "b/y", "", 0, 0 },
	};
	struct os_counting c;
	uint32_t n[OS_COUNTED_MAX];
	int dirs[OS_COUNTED_MAX + 1];
	sigset_t before, after;
	size_t i;
	int sig;

	(void)state;
	assert_int_equal(mkdir("a", 0700), 0);
	assert_int_equal(mkdir("b", 0700), 0);
	for (i = 0; i < OS_COUNTED_MAX + 1; i++)
		dirs[i] = open(i == 0 ? "a" : i == 1 ? "b" : ".", O_RDONLY);
	if (os_counting_begin(&c, dirs, 2) == -1) {
		assert_true(errno == EOPNOTSUPP || errno == EINVAL);
		skip();
	}
	assert_int_equal(os_counting_end(&c, n), 0);
	(void)sigprocmask(SIG_BLOCK, NULL, &before);
	for (i = 0; i < COUNT(row); i++) {
		assert_int_equal(os_counting_begin(&c, dirs, 2), 0);
		make_change(row[i].what, row[i].from, row[i].to);
		assert_int_equal(os_counting_end(&c, n), 0);
		assert_int_equal(n[0], row[i].a);
		assert_int_equal(n[1], row[i].b);
	}
	/* What happens outside is not counted, nor does a signal come. */
	assert_int_equal(mkdir("a/later", 0700), 0);
	(void)sigprocmask(SIG_BLOCK, NULL, &after);
	for (sig = 1; sig <= SIGRTMAX; sig++)
		assert_int_equal(sigismember(&before, sig),
		    sigismember(&after, sig));
	/* Those of another process are; at the limit of directories. */
	assert_int_equal(os_counting_begin(&c, dirs, OS_COUNTED_MAX + 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(os_counting_begin(&c, dirs, OS_COUNTED_MAX), 0);
	if (fork() == 0)
		_exit(rmdir("a/later"));
	(void)wait(NULL);
	assert_int_equal(os_counting_end(&c, n), 0);
	assert_int_equal(n[0], 1);
	assert_int_equal(n[1], 0);
	assert_int_equal(os_counting_begin(&c, (int[]){ -1 }, 1), -1);
	for (i = 0; i < OS_COUNTED_MAX + 1; i++)
		assert_int_equal(close(dirs[i]), 0);
	assert_int_equal(rmdir("a"), 0);
	assert_int_equal(rmdir("b"), 0);
}

static void *
wait_for_end(void *fd)
{
	char c;

	return read(*(int *)fd, &c, 1) == 0 ? fd : NULL;
}

/* A thread that blocks no signal is not told, let alone ended. */
static void
test_counting_thread(void **state)
{
	struct os_counting c;
	uint32_t n = 0;
	int fd, ends[2], r;
	pthread_t thread;
	void *said;

	(void)state;
	assert_int_equal(mkdir("t", 0700), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &ends[0]),
	    0);
	fd = open("t", O_RDONLY);
	r = os_counting_begin(&c, &fd, 1);
	if (r == 0) {
		assert_int_equal(mkdir("t/x", 0700), 0);
		assert_int_equal(rmdir("t/x"), 0);
		assert_int_equal(os_counting_end(&c, &n), 0);
	}
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(pthread_join(thread, &said), 0);
	assert_ptr_equal(said, &ends[0]);
	assert_int_equal(close(ends[0]) | close(fd), 0);
	assert_int_equal(rmdir("t"), 0);
	if (r == -1)
		skip();
	assert_int_equal(n, 2);
}

/* More than signals can be queued for: told, not guessed. */
static void
test_counting_lost(void **state)
{
	struct rlimit few = { 4, 4 };
	struct os_counting c;
	uint32_t n;
	int fd, i, status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (mkdir("c", 0700) == -1 ||
		    (fd = open("c", O_RDONLY)) == -1 ||
		    setrlimit(RLIMIT_SIGPENDING, &few) == -1)
			_exit(2);
		if (os_counting_begin(&c, &fd, 1) == -1)
			_exit(0);
		for (i = 0; i < 8; i++) {
			(void)mkdirat(fd, "x", 0700);
			(void)unlinkat(fd, "x", AT_REMOVEDIR);
		}
		i = os_counting_end(&c, &n);
		_exit(i == -1 && errno == EOVERFLOW ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(rmdir("c"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a descriptor is known for what it is", test_what_it_is,
		    NULL, NULL, NULL },
		{ "Unix sockets, paths at the limit and past it", test_unix,
		    NULL, NULL, NULL },
		{ "a full backlog ends at the deadline", test_unix_backlog,
		    NULL, NULL, NULL },
		{ "TCP sockets", test_tcp, NULL, NULL, NULL },
		{ "descriptors are passed", test_pass_fds, NULL, NULL, NULL },
		{ "a truncated message leaves no descriptor",
		    test_pass_truncated, NULL, NULL, NULL },
		{ "files without a name, random bytes, names",
		    test_small_things, NULL, NULL, NULL },
		{ "a directory is watched", test_watch, NULL, NULL, NULL },
		{ "changes of directories are counted", test_counting, NULL,
		    NULL, NULL },
		{ "other threads are not told of what is counted",
		    test_counting_thread, NULL, NULL, NULL },
		{ "changes that were not counted are known", test_counting_lost,
		    NULL, NULL, NULL },
		{ "users are dropped for good", test_drop, NULL, NULL, NULL },
		{ "memory that children do not have", test_unshared, NULL,
		    NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
