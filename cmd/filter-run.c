/*
 * filter-run - run a program of an account where it can do no harm
 *
 * It runs as the user that owns all accounts, so what keeps it from the mail
 * of others is what is in its reach: programs and libraries of the system, and
 * one folder of its account. A kernel that cannot do that runs nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "os/os.h"

static const char usage[] =
    "usage: filter-run -a account program [argument ...]";

/* Of each process: what a filter over a message of 100 MB needs. */
#define MEMORY_MAX ((uint64_t)1 << 30)
#define FILE_MAX ((uint64_t)256 << 20)
#define CPU_SECONDS_MAX 60
#define FILES_MAX 256
/* Of all its processes and threads, in place of others of the user that end
 * meanwhile. RLIMIT_NPROC counts all of a user, so it is set to those there are
 * and so many more: no process of a server has it, so none is kept from
 * starting. */
#define PROCESSES_MAX 256
/* Of /proc/PID/status: "Uid" and "Threads" are in the first 50 lines. */
#define STATUS_MAX 4096

/* Programs, and what they are made of. */
static const char *const programs[] = { "/bin", "/sbin", "/usr", "/lib",
	"/lib32", "/lib64", "/opt" };
/* What nearly every program reads; no secret is among them. */
static const char *const files[] = { "/etc/ld.so.cache", "/etc/ld.so.preload",
	"/etc/localtime", "/etc/timezone", "/etc/passwd", "/etc/group",
	"/etc/nsswitch.conf", "/etc/alternatives", "/etc/mime.types",
	"/etc/magic", "/etc/locale.alias", "/etc/perl", "/etc/python3",
	"/dev/zero", "/dev/full", "/dev/random", "/dev/urandom" };

static int
add_reach(struct os_reach *r, const char *folder)
{
	if (os_reach_begin(r, 0) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		if (os_reach_path(r, programs[i], OS_REACH_READ |
		    OS_REACH_EXEC) == -1)
			return -1;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (os_reach_path(r, files[i], OS_REACH_READ) == -1)
			return -1;
	}
	if (os_reach_path(r, "/dev/null", OS_REACH_WRITE) == -1)
		return -1;
	return os_reach_path(r, folder, OS_REACH_WRITE | OS_REACH_EXEC);
}

/* The number behind a name at the beginning of a line; 0: it has none. */
static uint64_t
number_of(struct bytes status, const char *name)
{
	struct bytes line, word;
	uint64_t n;

	while (bytes_line(&status, &line)) {
		if (bytes_skip(&line, bytes_str(name)) &&
		    bytes_word(&line, &word) &&
		    num_parse(word, 0, UINT32_MAX, &n) == 0)
			return n;
	}
	return 0;
}

/* Threads of the process if it is one of the user. */
static uint64_t
threads_of(int proc, const char *pid, uid_t uid)
{
	unsigned char text[STATUS_MAX];
	char path[64];
	struct bytes status;
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/status", pid) >=
	    (int)sizeof(path))
		return 0;
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;	/* it has ended */
	n = read(fd, text, sizeof(text));
	(void)close(fd);	/* only read from */
	if (n <= 0)
		return 0;
	status = bytes_of(text, (size_t)n);
	return number_of(status, "Uid:") == uid
	    ? number_of(status, "Threads:") : 0;
}

/* What RLIMIT_NPROC counts: processes and threads of the real user. */
static uint64_t
count_processes(void)
{
	uid_t uid = getuid();
	uint64_t count = 0;
	struct dirent *e;
	DIR *d = opendir("/proc");

	if (d == NULL)
		msg_diesys(EXIT_TEMP, "cannot count processes in /proc");
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			count += threads_of(dirfd(d), e->d_name, uid);
	}
	(void)closedir(d);	/* only read from */
	return count;
}

static void
limit_processes(void)
{
	rlim_t most = (rlim_t)(count_processes() + PROCESSES_MAX);
	struct rlimit l;

	if (getrlimit(RLIMIT_NPROC, &l) == -1)
		msg_diesys(EXIT_TEMP, "cannot limit processes");
	if (l.rlim_max == RLIM_INFINITY || l.rlim_max > most)
		l.rlim_max = most;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NPROC, &l) == -1)
		msg_diesys(EXIT_TEMP, "cannot limit processes");
}

static void
confine(const char *folder)
{
	static const struct rlimit none = { 0, 0 };
	struct os_sandbox s;

	if (os_reach_version() == 0)
		msg_die(EXIT_TEMP, "cannot confine a program: the kernel has "
		    "no Landlock");
	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    os_sandbox_make(&s, OS_SANDBOX_USER) == -1)
		msg_diesys(EXIT_TEMP, "cannot make sandbox");
	if (s.filter == NULL)
		msg_die(EXIT_TEMP, "cannot confine a program: the kernel has "
		    "no seccomp");
	s.memory_bytes = MEMORY_MAX;
	s.file_bytes = FILE_MAX;
	s.cpu_seconds = CPU_SECONDS_MAX;
	s.files = FILES_MAX;
	if (add_reach(&s.reach, folder) == -1 || os_sandbox_enter(&s) == -1)
		msg_diesys(EXIT_TEMP, "cannot enter sandbox");
	os_sandbox_free(&s);
}

/* accounts/NAME/filter: where it is at home. */
static const char *
make_folder(struct arena *a, const char *account)
{
	const char *top = arena_printf(a, "%s/accounts/%s", dir_var(),
	    account);
	const char *folder = arena_printf(a, "%s/filter", top);

	struct stat st;

	if (stat(top, &st) == -1)
		msg_diesys(errno == ENOENT ? EXIT_PERM : exit_for(errno),
		    "no such account: %s", account);
	/* the superuser runs it by hand: nothing of him may stay */
	if (geteuid() == 0 && st.st_uid != 0 &&
	    os_drop(st.st_uid, st.st_gid) == -1)
		msg_diesys(exit_for(errno), "cannot become owner of %s", top);
	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		msg_diesys(exit_for(errno), "cannot make %s", folder);
	if (chdir(folder) == -1)
		msg_diesys(exit_for(errno), "cannot enter %s", folder);
	return folder;
}

int
main(int argc, char *argv[])
{
	struct arena a = ARENA_INIT;
	const char *account = NULL, *folder;
	int c;

	msg_init("filter-run");
	while ((c = getopt(argc, argv, "+a:")) != -1) {
		if (c != 'a')
			msg_die(EXIT_PERM, "%s", usage);
		account = optarg;
	}
	if (account == NULL || optind == argc)
		msg_die(EXIT_PERM, "%s", usage);
	if (!config_account_valid(bytes_str(account)))
		msg_die(EXIT_PERM, "no such account: %s", account);
	folder = make_folder(&a, account);
	if (setenv("HOME", folder, 1) == -1 ||
	    setenv("TMPDIR", folder, 1) == -1 ||
	    unsetenv("PIPEMAIL_ETC") == -1 || unsetenv("PIPEMAIL_VAR") == -1 ||
	    unsetenv("PIPEMAIL_RUN") == -1)
		msg_diesys(EXIT_TEMP, "cannot set environment");
	limit_processes();
	confine(folder);
	return spawn_exec(argv + optind);
}
