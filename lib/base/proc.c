/*
 * proc.c - starting and ending other programs
 *
 * close_range(2) and pidfd_open(2) are Linux; both have a slower way for
 * kernels or sandboxes without them.
 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"
#define POLL_STEP_MS 10		/* between looks where there is no pidfd */

char **
env_clean(struct arena *a, const char *const extra[])
{
	static const char *const kept[] = {
		"TZ", "PIPEMAIL_ETC", "PIPEMAIL_VAR", "PIPEMAIL_RUN",
		"PIPEMAIL_DNS",
	};
	static const char *const none[] = { NULL };
	const size_t nkept = sizeof(kept) / sizeof(kept[0]);
	const char *path = env_get("PATH"), *v;
	size_t n = 0, nextra = 0, i;
	char **env;

	if (extra == NULL)
		extra = none;
	while (extra[nextra] != NULL)
		nextra++;
	env = arena_zalloc(a, nkept + nextra + 2, sizeof(*env));
	env[n++] = arena_printf(a, "PATH=" LIBDIR "/bin:%s",
	    path == NULL ? PATH_DEFAULT : path);
	for (i = 0; i < nkept; i++) {
		if ((v = env_get(kept[i])) != NULL)
			env[n++] = arena_printf(a, "%s=%s", kept[i], v);
	}
	for (i = 0; i < nextra; i++)
		env[n++] = arena_printf(a, "%s", extra[i]);
	return env;
}

/* Child: our three descriptors in place, all others closed. */
static int
place_fds(const int fd[3])
{
	int high[3], i;
	long max;

	/* Above 2 first, so that none is overwritten before its turn. */
	for (i = 0; i < 3; i++) {
		high[i] = fd[i] == -1 ? open("/dev/null", O_RDWR) : fd[i];
		if (high[i] == -1 ||
		    (high[i] = fcntl(high[i], F_DUPFD, 3)) == -1)
			return -1;
	}
	for (i = 0; i < 3; i++) {
		if (dup2(high[i], i) == -1)
			return -1;
	}
	if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		return 0;
	max = sysconf(_SC_OPEN_MAX);
	for (i = 3; i < max; i++)
		(void)close(i);		/* most are not open */
	return 0;
}

static void
default_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int i;

	(void)sigemptyset(&sa.sa_mask);		/* cannot fail */
	for (i = 1; i < NSIG; i++)
		(void)sigaction(i, &sa, NULL);	/* not for KILL, STOP */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int
spawn_exec(char *const argv[])
{
	struct sigaction sa = { .sa_handler = SIG_DFL }, old;
	int err;

	(void)sigemptyset(&sa.sa_mask);		/* cannot fail */
	(void)sigaction(SIGPIPE, &sa, &old);	/* nor can this */
	(void)execvp(argv[0], argv);
	err = errno;
	(void)sigaction(SIGPIPE, &old, NULL);
	errno = err;
	return err == ENOENT || err == ENOTDIR ? EXIT_NOTFOUND : EXIT_NOEXEC;
}

static _Noreturn void
run_child(const struct spawn *s, char **env)
{
	default_signals();
	if (s->new_session && setsid() == -1)
		_exit(EXIT_TEMP);
	if (s->dir != NULL && chdir(s->dir) == -1)
		_exit(EXIT_TEMP);
	if (place_fds(s->fd) == -1)
		_exit(EXIT_TEMP);
	environ = env;		/* its PATH is the one searched */
	_exit(spawn_exec(s->argv));
}

pid_t
spawn_start(const struct spawn *s)
{
	struct arena a = ARENA_INIT;
	char **env = NULL;
	pid_t pid;
	size_t n = 0;
	int err;

	if (s->env == NULL) {
		env = env_clean(&a, NULL);
	} else {
		while (s->env[n] != NULL)
			n++;
		env = arena_zalloc(&a, n + 1, sizeof(*env));
		memcpy(env, s->env, n * sizeof(*env));
	}
	pid = fork();
	if (pid == 0)
		run_child(s, env);
	err = errno;
	arena_free(&a);
	errno = err;
	return pid;
}

/* Until pid can be reaped or the deadline; a hint, waitpid decides. */
static void
wait_exit(pid_t pid, int64_t deadline)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0U), left, r;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	left = deadline_left(deadline);
	if (fd == -1) {
		if (left == -1 || left > POLL_STEP_MS)
			left = POLL_STEP_MS;
		(void)poll(NULL, 0, left);
		return;
	}
	do
		r = poll(&p, 1, deadline_left(deadline));
	while (r == -1 && errno == EINTR);
	(void)close(fd);
}

int
spawn_wait(pid_t pid, bool group, int64_t deadline, int *signal_out)
{
	int status, flags = deadline == DEADLINE_NONE ? 0 : WNOHANG;
	bool late = false;
	pid_t r;

	if (signal_out != NULL)
		*signal_out = 0;
	for (;;) {
		r = waitpid(pid, &status, flags);
		if (r == pid)
			break;
		if (r == -1 && errno != EINTR)
			return EXIT_TEMP;
		if (r == 0 && deadline_left(deadline) == 0) {
			late = true;
			/* The group is not there before the child's setsid. */
			if (!group || kill(-pid, SIGKILL) == -1)
				(void)kill(pid, SIGKILL);
			flags = 0;
		} else if (r == 0) {
			wait_exit(pid, deadline);
		}
	}
	if (WIFSIGNALED(status) && signal_out != NULL)
		*signal_out = WTERMSIG(status);
	return WIFEXITED(status) && !late ? WEXITSTATUS(status) : EXIT_TEMP;
}
