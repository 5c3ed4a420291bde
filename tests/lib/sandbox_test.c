/* sandbox_test - what a process can still do inside */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

static char dir[] = "/tmp/sandbox_test.XXXXXX";

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

/* Runs f in a child inside the sandbox; its wait status. */
static int
inside(enum os_sandbox_kind kind, int (*f)(void))
{
	struct os_sandbox s;
	pid_t pid;
	int status;

	assert_int_equal(os_sandbox_make(&s, kind), 0);
	assert_true(s.filter != NULL && s.length > 0);
	s.memory_bytes = UINT64_C(1) << 30;
	s.files = 32;
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (os_sandbox_enter(&s) == -1)
			_exit(90);
		_exit(f());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	free(s.filter);
	return status;
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid == -1 ? 1 : 0;
}

static int
try_exec(void)
{
	char *argv[] = { (char[]){ "true" }, NULL };

	(void)execvp(argv[0], argv);
	return errno == EPERM ? 2 : 1;
}

static int
try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == EPERM ?
	    2 : 1;
}

static int
try_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_DGRAM, 0) == -1 ? 1 : 0;
}

static int
try_kill(void)
{
	return kill(getppid(), SIGUSR1) == -1 ? 1 : 0;
}

static int
try_mkdir(void)
{
	if (mkdir("made", 0700) == -1 || rmdir("made") == -1)
		return 1;
	if (mkfifo("fifo", 0600) == -1 || unlink("fifo") == -1)
		return 2;
	return 0;
}

static int
try_device(void)
{
	return mknod("device", S_IFCHR | 0600, 0x103) == -1 ? 1 : 0;
}

/* What every server does. */
static int
ordinary_work(void)
{
	struct bytes text = BYTES("text");
	struct ip ip = { .a = { 127, 0, 0, 1 }, .family = AF_INET };
	int fd, l, c;
	void *p = mem_alloc(1 << 22);

	memset(p, 1, 1 << 22);
	free(p);
	if ((fd = os_tmpfile(AT_FDCWD, ".")) == -1 ||
	    io_write_all(fd, text, DEADLINE_NONE) == -1 || fsync(fd) == -1)
		return 1;
	p = mmap(NULL, 4, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || memcmp(p, "text", 4) != 0)
		return 2;
	if (munmap(p, 4) == -1 || close(fd) == -1)
		return 3;
	fd = open("f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || close(fd) == -1 || link("f", "g") == -1 ||
	    rename("g", "h") == -1 || unlink("f") == -1 || unlink("h") == -1)
		return 4;
	if ((l = os_listen_tcp(&ip, 0, 1)) == -1)
		return 5;
	c = os_connect_tcp(&ip, port_of(l), deadline_in(1000));
	if (c == -1 || io_write_all(c, text, deadline_in(1000)) == -1)
		return 6;
	if (time_wall_us() == 0 || usleep(1) == -1)
		return 7;
	os_random(&fd, sizeof(fd));
	if (!isatty(0) && errno == EPERM)
		return 8;
	return fcntl(31, F_GETFD) == -1 && dup2(c, 32) == -1 ? 0 : 9;
}

static int
try_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED && errno == EACCES ? 2 : 0;
}

static int
try_mprotect(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == -1 &&
	    errno == EACCES ? 2 : 0;
}

static int
try_typing(void)
{
	return ioctl(-1, TIOCSTI, "x") == -1 ? 1 : 0;
}

/* The kernel looks at the lower half of the request only. */
static int
try_typing_wide(void)
{
	return syscall(SYS_ioctl, -1L, UINT64_C(1) << 32 | TIOCSTI, "x") == -1
	    ? 1 : 0;
}

static int
try_limit_of_parent(void)
{
	struct rlimit l;

	return prlimit(getppid(), RLIMIT_CORE, NULL, &l) == -1 ? 1 : 0;
}

static int
try_raise(void)
{
	return syscall(SYS_tgkill, (long)getpid(), (long)getpid(),
	    (long)SIGUSR1) == -1 ? 1 : 0;
}

static int
try_abort(void)
{
	abort();
}

static int
try_unknown_call(void)
{
	return syscall(511L) == -1 && errno == ENOSYS &&
	    syscall(512L) == -1 && errno == ENOSYS ? 2 : 1;
}

#ifdef __x86_64__
/* Calls at both ends of the words of 32 the list is made of (x86-64: 31 is
 * shmctl(2), 32 dup(2), 63 uname(2), 64 semget(2)). */
static int
try_first_of_word(void)
{
	return syscall(32L, -1L) == -1 && errno == EBADF ? 0 : 1;
}

static int
try_last_before_word(void)
{
	return syscall(31L, -1L, 0L, NULL) == -1 ? 1 : 0;
}

static int
try_last_of_word(void)
{
	return syscall(63L, NULL) == -1 && errno == EFAULT ? 0 : 1;
}

static int
try_first_behind_word(void)
{
	return syscall(64L, 0L, -1L, 0L) == -1 ? 1 : 0;
}

/* getpid(2) of the x32 ABI: another number for what is allowed or not. */
static int
try_foreign_call(void)
{
	return syscall(0x40000000L | SYS_getpid) == -1 ? 1 : 0;
}
#endif

static int
try_memory(void)
{
	void *volatile p = malloc((size_t)2 << 30);

	return p == NULL ? 2 : 0;
}

/* What parents of workers do, and what not. */
static int
parents_work(void)
{
	struct os_sandbox s;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && os_drop(61009, 61009) == -1)
			_exit(3);
		if (os_sandbox_make(&s, OS_SANDBOX_NET) == -1 ||
		    os_reach_begin(&s.reach, 0) == -1 ||
		    os_sandbox_enter(&s) == -1)
			_exit(4);
		_exit(0);
	}
	if (pid == -1 || kill(pid, SIGCONT) == -1 ||
	    waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFSIGNALED(status) ? 2 : WEXITSTATUS(status);
}

static const struct sandbox_case {
	const char *what;
	enum os_sandbox_kind kind;
	int (*f)(void);
	int signal, code;
} sandbox_cases[] = {
	{ "work", OS_SANDBOX_NET, ordinary_work, 0, 0 },
	{ "work", OS_SANDBOX_STORE, ordinary_work, 0, 0 },
	{ "work", OS_SANDBOX_FILTERS, ordinary_work, 0, 0 },
	{ "work", OS_SANDBOX_PARENT, ordinary_work, 0, 0 },
	{ "fork", OS_SANDBOX_PARENT, try_fork, 0, 0 },
	{ "workers", OS_SANDBOX_PARENT, parents_work, 0, 0 },
	{ "exec", OS_SANDBOX_PARENT, try_exec, SIGSYS, 0 },
	{ "ptrace", OS_SANDBOX_PARENT, try_ptrace, SIGSYS, 0 },
	{ "device", OS_SANDBOX_PARENT, try_device, SIGSYS, 0 },
	{ "fork", OS_SANDBOX_NET, try_fork, SIGSYS, 0 },
	{ "fork", OS_SANDBOX_STORE, try_fork, SIGSYS, 0 },
	{ "fork", OS_SANDBOX_FILTERS, try_fork, 0, 0 },
	{ "exec", OS_SANDBOX_NET, try_exec, SIGSYS, 0 },
	{ "exec", OS_SANDBOX_STORE, try_exec, SIGSYS, 0 },
	{ "exec", OS_SANDBOX_FILTERS, try_exec, 0, 0 },
	{ "ptrace", OS_SANDBOX_NET, try_ptrace, SIGSYS, 0 },
	{ "ptrace", OS_SANDBOX_STORE, try_ptrace, SIGSYS, 0 },
	{ "ptrace", OS_SANDBOX_FILTERS, try_ptrace, 0, 2 },
	{ "packet", OS_SANDBOX_NET, try_packet_socket, SIGSYS, 0 },
	{ "kill", OS_SANDBOX_NET, try_kill, SIGSYS, 0 },
	{ "kill", OS_SANDBOX_STORE, try_kill, SIGSYS, 0 },
	{ "mkdir", OS_SANDBOX_NET, try_mkdir, SIGSYS, 0 },
	{ "mkdir", OS_SANDBOX_STORE, try_mkdir, 0, 0 },
	{ "device", OS_SANDBOX_STORE, try_device, SIGSYS, 0 },
	{ "exec map", OS_SANDBOX_NET, try_executable, 0, 2 },
	{ "exec map", OS_SANDBOX_STORE, try_executable, 0, 0 },
	{ "exec protection", OS_SANDBOX_NET, try_mprotect, 0, 2 },
	{ "exec protection", OS_SANDBOX_STORE, try_mprotect, 0, 0 },
	{ "typing", OS_SANDBOX_NET, try_typing, SIGSYS, 0 },
	{ "typing", OS_SANDBOX_STORE, try_typing_wide, SIGSYS, 0 },
	{ "typing", OS_SANDBOX_FILTERS, try_typing, 0, 1 },
	{ "prlimit", OS_SANDBOX_NET, try_limit_of_parent, SIGSYS, 0 },
	{ "raise", OS_SANDBOX_NET, try_raise, SIGSYS, 0 },
	{ "abort", OS_SANDBOX_NET, try_abort, SIGABRT, 0 },
	{ "unknown call", OS_SANDBOX_NET, try_unknown_call, SIGSYS, 0 },
	{ "unknown call", OS_SANDBOX_STORE, try_unknown_call, SIGSYS, 0 },
	{ "unknown call", OS_SANDBOX_FILTERS, try_unknown_call, 0, 2 },
#ifdef __x86_64__
	{ "call 31", OS_SANDBOX_NET, try_last_before_word, SIGSYS, 0 },
	{ "call 32", OS_SANDBOX_NET, try_first_of_word, 0, 0 },
	{ "call 63", OS_SANDBOX_NET, try_last_of_word, 0, 0 },
	{ "call 64", OS_SANDBOX_NET, try_first_behind_word, SIGSYS, 0 },
	{ "foreign call", OS_SANDBOX_NET, try_foreign_call, SIGSYS, 0 },
	{ "foreign call", OS_SANDBOX_STORE, try_foreign_call, SIGSYS, 0 },
	{ "foreign call", OS_SANDBOX_FILTERS, try_foreign_call, SIGSYS, 0 },
#endif
	{ "memory", OS_SANDBOX_NET, try_memory, 0, 2 },
	{ "memory", OS_SANDBOX_STORE, try_memory, 0, 2 },
};

static void
test_sandbox(void **state)
{
	const struct sandbox_case *t;
	size_t i;
	int status;

	(void)state;
	if (UNDER_SANITIZER) {
		print_message("# SKIP sandbox: under the sanitizer\n");
		return;
	}
	for (i = 0; i < COUNT(sandbox_cases); i++) {
		t = &sandbox_cases[i];
		status = inside(t->kind, t->f);
		if (t->signal != 0 ? !WIFSIGNALED(status) ||
		    WTERMSIG(status) != t->signal : !WIFEXITED(status) ||
		    WEXITSTATUS(status) != t->code)
			fail_msg("%s in kind %d: status 0x%x", t->what,
			    t->kind, (unsigned int)status);
	}
}

static int
check_no_new_privs(void)
{
	struct buf b = BUF_INIT(10000);
	size_t at;

	return io_read_file(AT_FDCWD, "/proc/self/status", &b) == 0 &&
	    bytes_find(buf_bytes(&b), BYTES("NoNewPrivs:\t1"), &at) ? 0 : 1;
}

static void
test_sandbox_marks(void **state)
{
	(void)state;
	assert_int_equal(inside(OS_SANDBOX_NET, check_no_new_privs), 0);
	assert_int_equal(inside(OS_SANDBOX_FILTERS, check_no_new_privs), 0);
}

static int
violate_aloud(void)
{
	os_set_name("a-server");
	return (int)syscall(300L + 1, -1, -1);
}

/* What a process says before it dies of a call that is not allowed. */
static void
test_sandbox_says(void **state)
{
	char line[200] = "", want[200];
	int p[2], saved, status;
	ssize_t n;

	(void)state;
	if (UNDER_SANITIZER) {
		print_message("# SKIP sandbox: under the sanitizer\n");
		return;
	}
	assert_int_equal(pipe(p), 0);
	saved = dup(STDERR_FILENO);
	assert_true(saved != -1 && dup2(p[1], STDERR_FILENO) != -1);
	status = inside(OS_SANDBOX_NET, violate_aloud);
	assert_true(dup2(saved, STDERR_FILENO) != -1);
	(void)close(saved);
	(void)close(p[1]);
	n = read(p[0], line, sizeof(line) - 1);
	(void)close(p[0]);
	assert_true(n > 0);
	(void)snprintf(want, sizeof(want), "a-server: fatal: cannot make "
	    "system call %d: the sandbox does not allow it\n", 301);
	assert_string_equal(line, want);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "sandbox: what is allowed works, the rest is SIGSYS",
		    test_sandbox, NULL, NULL, NULL },
		{ "X-1 sandbox: what is not allowed is named on standard "
		    "error", test_sandbox_says, NULL, NULL, NULL },
		{ "sandbox: no new privileges", test_sandbox_marks,
		    NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
