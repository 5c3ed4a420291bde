/*
 * sandbox.c - seccomp filters and limits for processes that meet strangers
 *
 * NET, STORE and PARENT are lists of what is allowed; anything else ends the
 * process (SIGSYS), which says before by what number. Executable mappings,
 * which a library may try and can do without, fail with EACCES in NET.
 * FILTERS is inherited by programs of other people's making, so it is a list
 * of what no mail filter needs; those calls fail with EPERM. USER has a longer
 * list.
 *
 * The program is compiled once and handed to the kernel by every child, which
 * translates and checks it each time: so it is kept short. <seccomp.h> gives
 * the numbers of the calls; filter.c makes the program.
 */
#include "os/os.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const int common_calls[] = {
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(msync), SCMP_SYS(memfd_create),
	/* descriptors and files */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv),
	SCMP_SYS(pwritev), SCMP_SYS(preadv2), SCMP_SYS(pwritev2),
	SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(close_range),
	SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64), SCMP_SYS(flock), SCMP_SYS(pipe), SCMP_SYS(pipe2),
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(creat), SCMP_SYS(stat),
	SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(statfs),
	SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), SCMP_SYS(getdents), SCMP_SYS(getdents64),
	SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fadvise64),
	SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range),
	SCMP_SYS(sendfile), SCMP_SYS(copy_file_range), SCMP_SYS(splice),
	SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(unlink),
	SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(umask), SCMP_SYS(fchmod),
	SCMP_SYS(utimensat), SCMP_SYS(futimesat),
	/* waiting */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select),
	SCMP_SYS(pselect6), SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(eventfd), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(alarm), SCMP_SYS(setitimer), SCMP_SYS(pause),
	/* sockets; socket(2) itself by family, below */
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(socketpair),
	SCMP_SYS(send), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(recv), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(shutdown),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt),
	/* the process itself */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigsuspend), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(signalfd4), SCMP_SYS(sigaltstack), SCMP_SYS(sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(futex), SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list), SCMP_SYS(set_tid_address),
	SCMP_SYS(rseq), SCMP_SYS(membarrier), SCMP_SYS(arch_prctl),
	SCMP_SYS(prctl), SCMP_SYS(getpid), SCMP_SYS(getppid),
	SCMP_SYS(gettid), SCMP_SYS(getpgrp), SCMP_SYS(getpgid),
	SCMP_SYS(getsid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid),
	SCMP_SYS(getresgid), SCMP_SYS(getgroups), SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage), SCMP_SYS(times), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(getrandom), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(wait4),
	SCMP_SYS(waitid),
};

/* Narrowing further. */
static const int reach_calls[] = {
	SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self),
};

static const int store_calls[] = {
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
	SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(truncate),
	SCMP_SYS(chmod), SCMP_SYS(fchmodat), SCMP_SYS(utime),
	SCMP_SYS(utimes), SCMP_SYS(chdir), SCMP_SYS(fchdir),
	SCMP_SYS(inotify_init), SCMP_SYS(inotify_init1),
	SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch),
	SCMP_SYS(mlock), SCMP_SYS(munlock), SCMP_SYS(mincore),
	SCMP_SYS(sync), SCMP_SYS(syncfs), SCMP_SYS(getxattr),
	SCMP_SYS(fgetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(setxattr),
};

static const int parent_calls[] = {
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3),
	SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(setuid),
	SCMP_SYS(setgid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
	SCMP_SYS(setgroups), SCMP_SYS(setrlimit), SCMP_SYS(seccomp),
};

/* What filters and their children must not do. */
static const int filter_denied[] = {
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(move_mount),
	SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
	SCMP_SYS(fspick), SCMP_SYS(open_tree), SCMP_SYS(mount_setattr),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare),
	SCMP_SYS(setns), SCMP_SYS(setuid), SCMP_SYS(setgid),
	SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid), SCMP_SYS(capset), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(keyctl), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),
	SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct),
	SCMP_SYS(quotactl), SCMP_SYS(sethostname), SCMP_SYS(setdomainname),
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
	SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex), SCMP_SYS(iopl),
	SCMP_SYS(ioperm), SCMP_SYS(open_by_handle_at), SCMP_SYS(syslog),
	SCMP_SYS(mbind), SCMP_SYS(migrate_pages), SCMP_SYS(move_pages),
	SCMP_SYS(vhangup), SCMP_SYS(personality), SCMP_SYS(mknod),
};

/* What programs of users must not do besides. */
static const int user_denied[] = {
	SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
	SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept),
	SCMP_SYS(accept4), SCMP_SYS(kill), SCMP_SYS(tkill),
	SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(setsid), SCMP_SYS(setpgid), SCMP_SYS(shmget),
	SCMP_SYS(shmat), SCMP_SYS(shmctl), SCMP_SYS(semget),
	SCMP_SYS(semop), SCMP_SYS(semtimedop), SCMP_SYS(semctl),
	SCMP_SYS(msgget), SCMP_SYS(msgsnd), SCMP_SYS(msgrcv),
	SCMP_SYS(msgctl), SCMP_SYS(mq_open), SCMP_SYS(mq_unlink),
	SCMP_SYS(setpriority), SCMP_SYS(ioprio_set),
	SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_setattr),
	SCMP_SYS(sched_setaffinity), SCMP_SYS(process_madvise),
	SCMP_SYS(mknodat),
};

/* abort(3) of one's own, and limits of one's own. */
static void
set_user_checks(struct filter_plan *p)
{
	static const uint32_t itself[] = { 0 };
	static const uint32_t abortion[] = { SIGABRT };
	static const uint32_t typing[] = { TIOCSTI };

	filter_check(p, SCMP_SYS(tgkill), &(struct filter_check){ 2,
	    UINT32_MAX, abortion, 1, FILTER_ALLOW, FILTER_EPERM });
	filter_check(p, SCMP_SYS(prlimit64), &(struct filter_check){ 0,
	    UINT32_MAX, itself, 1, FILTER_ALLOW, FILTER_EPERM });
	filter_check(p, SCMP_SYS(ioctl), &(struct filter_check){ 1,
	    UINT32_MAX, typing, 1, FILTER_EPERM, FILTER_ALLOW });
}

static void
list(struct filter_plan *p, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		filter_list(p, calls[i]);
}

/*
 * The calls whose arguments decide. The kernel looks at the lower half of
 * each of these arguments only, and so do the checks.
 */
static void
set_by_argument(struct filter_plan *p, enum os_sandbox_kind kind)
{
	static const uint32_t families[] = { AF_UNIX, AF_INET, AF_INET6,
		AF_NETLINK };
	static const uint32_t itself[] = { 0 }, nothing[] = { 0 };
	static const uint32_t abortion[] = { SIGABRT };
	/* Typing into a terminal is the one ioctl(2) that gets out. */
	static const uint32_t typing[] = { TIOCSTI };
	/* mkfifo(3) only: a mail store has no devices. */
	static const uint32_t fifo[] = { S_IFIFO };
	static const uint32_t executable[] = { PROT_EXEC };

	filter_check(p, SCMP_SYS(socket), &(struct filter_check){ 0,
	    UINT32_MAX, families, COUNT(families), FILTER_ALLOW,
	    FILTER_TRAP });
	filter_check(p, SCMP_SYS(ioctl), &(struct filter_check){ 1,
	    UINT32_MAX, typing, 1, FILTER_TRAP, FILTER_ALLOW });
	/* Limits of the process itself only. */
	filter_check(p, SCMP_SYS(prlimit64), &(struct filter_check){ 0,
	    UINT32_MAX, itself, 1, FILTER_ALLOW, FILTER_TRAP });
	/* abort(3); and signal 0, "is it there?". No other signal is sent. */
	if (kind != OS_SANDBOX_PARENT) {
		filter_check(p, SCMP_SYS(tgkill), &(struct filter_check){ 2,
		    UINT32_MAX, abortion, 1, FILTER_ALLOW, FILTER_TRAP });
		filter_check(p, SCMP_SYS(kill), &(struct filter_check){ 1,
		    UINT32_MAX, nothing, 1, FILTER_ALLOW, FILTER_TRAP });
	}
	if (kind != OS_SANDBOX_NET) {
		filter_check(p, SCMP_SYS(mknod), &(struct filter_check){ 1,
		    S_IFMT, fifo, 1, FILTER_ALLOW, FILTER_TRAP });
		filter_check(p, SCMP_SYS(mknodat), &(struct filter_check){ 2,
		    S_IFMT, fifo, 1, FILTER_ALLOW, FILTER_TRAP });
	} else {
		filter_check(p, SCMP_SYS(mmap), &(struct filter_check){ 2,
		    PROT_EXEC, executable, 1, FILTER_EACCES, FILTER_ALLOW });
		filter_check(p, SCMP_SYS(mprotect), &(struct filter_check){
		    2, PROT_EXEC, executable, 1, FILTER_EACCES,
		    FILTER_ALLOW });
	}
}

static void
plan(struct filter_plan *p, enum os_sandbox_kind kind)
{
	static const int mappings[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };

	if (kind == OS_SANDBOX_FILTERS || kind == OS_SANDBOX_USER) {
		filter_init(p, FILTER_ALLOW, FILTER_EPERM);
		list(p, filter_denied, COUNT(filter_denied));
		if (kind == OS_SANDBOX_FILTERS)
			return;
		list(p, user_denied, COUNT(user_denied));
		set_user_checks(p);
		return;
	}
	filter_init(p, FILTER_TRAP, FILTER_ALLOW);
	list(p, common_calls, COUNT(common_calls));
	if (kind == OS_SANDBOX_PARENT)
		list(p, parent_calls, COUNT(parent_calls));
	if (kind != OS_SANDBOX_NET) {
		list(p, store_calls, COUNT(store_calls));
		list(p, reach_calls, COUNT(reach_calls));
		/* Libraries are loaded late (character sets). */
		list(p, mappings, COUNT(mappings));
	}
	set_by_argument(p, kind);
}

int
os_sandbox_make(struct os_sandbox *s, enum os_sandbox_kind kind)
{
	struct filter_plan p;
	struct sock_filter *program;

	*s = (struct os_sandbox){ .filter = NULL };
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == -1 && errno == EINVAL)
		return 0;
	plan(&p, kind);
	program = mem_zalloc(FILTER_MAX, sizeof(*program));
	s->length = filter_build(&p, program);
	s->filter = program;
	return 0;
}

static int
limit(int which, uint64_t value)
{
	struct rlimit l = { .rlim_cur = value, .rlim_max = value }, old;

	if (value == 0)
		return 0;
	if (getrlimit((__rlimit_resource_t)which, &old) == -1)
		return -1;
	if (old.rlim_max < value)
		l = (struct rlimit){ old.rlim_max, old.rlim_max };
	return setrlimit((__rlimit_resource_t)which, &l);
}

/* ---- a call that is not allowed ---- */

/* The name of the process and the digits of n, in what a handler may do. */
static size_t
put_number(char *to, unsigned int n)
{
	char digits[16];
	size_t i = sizeof(digits), k;

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	for (k = 0; i < sizeof(digits); k++)
		to[k] = digits[i++];
	return k;
}

/*
 * One line, which nobody else could write, and the end: SIGSYS is blocked
 * while its handler runs, so that another call of the kind, with a number no
 * call has, kills.
 */
static void
on_violation(int signo, siginfo_t *info, void *context)
{
	static const char text[] = ": fatal: cannot make system call ";
	static const char why[] = ": the sandbox does not allow it\n";
	char line[sizeof(text) + sizeof(why) + 40];
	size_t n;

	(void)signo;
	(void)context;
	os_fault_act();
	memset(line, 0, 16);
	(void)prctl(PR_GET_NAME, line, 0, 0, 0);	/* 16 bytes with NUL */
	n = strnlen(line, 15);
	memcpy(line + n, text, sizeof(text) - 1);
	n += sizeof(text) - 1;
	n += put_number(line + n, (unsigned int)info->si_syscall);
	memcpy(line + n, why, sizeof(why) - 1);
	n += sizeof(why) - 1;
	if (write(STDERR_FILENO, line, n) == -1)
		errno = 0;	/* nobody reads it */
	(void)syscall((long)FILTER_CALLS_MAX - 1);
	_exit(EXIT_TEMP);
}

static int
catch_violations(void)
{
	struct sigaction sa = { .sa_sigaction = on_violation,
	    .sa_flags = SA_SIGINFO };

	(void)sigemptyset(&sa.sa_mask);		/* cannot fail */
	return sigaction(SIGSYS, &sa, NULL);
}

/* ---- entering ---- */

int
os_sandbox_enter(const struct os_sandbox *s)
{
	struct sock_fprog program = { .filter = s->filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    limit(RLIMIT_NOFILE, s->files) == -1)
		return -1;
	if (UNDER_SANITIZER)	/* it needs terabytes and odd calls */
		return 0;
	if (limit(RLIMIT_AS, s->memory_bytes) == -1 ||
	    limit(RLIMIT_CPU, s->cpu_seconds) == -1 ||
	    limit(RLIMIT_FSIZE, s->file_bytes) == -1 ||
	    os_reach_enter(&s->reach) == -1)
		return -1;
	if (s->filter == NULL)
		return 0;
	if (catch_violations() == -1)
		return -1;
	program.len = (unsigned short)s->length;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

void
os_sandbox_free(struct os_sandbox *s)
{
	os_reach_end(&s->reach);
	free(s->filter);
	*s = (struct os_sandbox){ .filter = NULL };
}
