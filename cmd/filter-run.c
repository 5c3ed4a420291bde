/*
 * filter-run - run a program of an account where it can do no harm
 *
 * It runs as the user that owns all accounts, so what keeps it from the mail
 * of others is what is in its reach: programs and libraries of the system, and
 * one folder of its account. A kernel that cannot do that runs nothing.
 */
#include <errno.h>
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
	confine(folder);
	return spawn_exec(argv + optind);
}
