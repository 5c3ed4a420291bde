/*
 * supervise.c - run s6-svscan, tell when every service answers, end all
 *
 * localserve is the subreaper of everything it starts: what loses its
 * parent becomes its child, so that at the end nothing can be left behind.
 */
#include "local.h"

#include "os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_TIME_MS 30000	/* for every service to answer */
#define PROBE_MS 1000		/* for one greeting */
#define STOP_TIME_MS 2200	/* then whatever is left is killed */
#define STEP_MS 20

/* A service that is ready greets with these bytes; none: it takes the
 * connection, and with implicit TLS waits for the client. */
struct endpoint {
	const char *service;
	int port;		/* above the base; 0: a socket in DIR/run */
	const char *greeting;
};

/* auth-serve is first: those that log clients in ask it what to offer. */
static const struct endpoint endpoints[] = {
	{ "auth-serve", 0, "VERSION\t" },
	{ "smtp-in", 25, "220 " },
	{ "imap-login", 143, "* OK " },
	{ "lmtp-in", 0, "220 " },
	{ "imap-serve", 0, "" },
	{ "imap-idle", 0, "" },
	{ "imap-again", 0, "" },
	{ "tls-serve", 0, "" },
	{ "queue-add", 0, "" },
	{ "queue-run", 0, "" },
	{ "smtp-out", 0, "" },
	{ "submission", 587, "220 " },
	{ "submissions", 465, "" },
	{ "imaps", 993, "" },
	{ "https", 443, "" },
};
#define ENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

static volatile sig_atomic_t stop_signal;

static void
on_signal(int sig)
{
	stop_signal = sig;
}

static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t blocked;

	/* delivered in pause_ms only, so that none is missed before it */
	(void)sigemptyset(&sa.sa_mask);	/* these cannot fail */
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigaddset(&blocked, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &blocked, NULL) == -1 ||
	    sigaction(SIGTERM, &sa, NULL) == -1 ||
	    sigaction(SIGINT, &sa, NULL) == -1 ||
	    sigaction(SIGHUP, &sa, NULL) == -1)
		msg_diesys(EXIT_TEMP, "cannot catch signals");
}

static int
probe_connect(struct local *l, const struct endpoint *e)
{
	static const char *const sockets[][2] = {
		{ "lmtp-in", "run/lmtp" },
		{ "auth-serve", "run/auth" },
		{ "imap-serve", "run/imap" },
		{ "imap-idle", "run/imap-idle" },
		{ "imap-again", "run/imap-login" },
		{ "tls-serve", "run/tls" },
		{ "queue-add", "run/queue-add" },
		{ "queue-run", "run/queue" },
		{ "smtp-out", "run/smtp-out" },
	};
	struct ip loopback;
	size_t i;

	if (e->port != 0) {
		if (ip_parse(BYTES("127.0.0.1"), &loopback) == -1)
			return -1;
		return os_connect_tcp(&loopback, l->port_base + e->port,
		    deadline_in(PROBE_MS));
	}
	for (i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		if (strcmp(sockets[i][0], e->service) == 0)
			return os_connect_unix(local_path(l, sockets[i][1]),
			    deadline_in(PROBE_MS));
	}
	errno = EINVAL;
	return -1;
}

static bool
answers(struct local *l, const struct endpoint *e)
{
	char greeting[16];
	size_t n = strlen(e->greeting);
	int fd = probe_connect(l, e);
	bool ok;

	if (fd == -1)
		return false;
	ok = n == 0 || (n <= sizeof(greeting) &&
	    io_read_full(fd, greeting, n, deadline_in(PROBE_MS)) == 1 &&
	    memcmp(greeting, e->greeting, n) == 0);
	(void)close(fd);
	return ok;
}

/* Has the port a listener before we start? Then ours cannot have it. */
static void
check_ports(struct local *l)
{
	struct ip loopback;
	size_t i;
	int fd;

	if (ip_parse(BYTES("127.0.0.1"), &loopback) == -1)
		msg_diesys(EXIT_TEMP, "cannot name the loopback address");
	for (i = 0; i < ENDPOINTS; i++) {
		if (endpoints[i].port == 0)
			continue;
		fd = os_listen_tcp(&loopback, l->port_base + endpoints[i].port,
		    1);
		if (fd == -1)
			msg_diesys(exit_for(errno), "cannot listen on "
			    "127.0.0.1 port %d; -b chooses other ports",
			    l->port_base + endpoints[i].port);
		(void)close(fd);
	}
}

static pid_t
start_svscan(struct local *l)
{
	char *argv[] = { "s6-svscan", local_path(l, "run/service"), NULL };
	struct spawn s = {
		.argv = argv,
		.env = l->env,
		.fd = { -1, STDERR_FILENO, STDERR_FILENO },
		.new_session = true,
	};
	pid_t pid = spawn_start(&s);

	if (pid == -1)
		msg_diesys(EXIT_TEMP, "cannot start s6-svscan");
	return pid;
}

static bool
has_ended(pid_t pid)
{
	pid_t r;

	while ((r = waitpid(-1, NULL, WNOHANG)) > 0) {
		if (r == pid)
			return true;
	}
	return kill(pid, 0) == -1;
}

static void
pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	sigset_t none;

	(void)sigemptyset(&none);
	/* EINTR ends it early, which is what a signal wants */
	(void)ppoll(NULL, 0, &t, &none);
}

/* 0 when all answer; else the index + 1 of one that does not. */
static size_t
wait_ready(struct local *l, pid_t svscan)
{
	int64_t deadline = deadline_in(READY_TIME_MS);
	size_t i = 0;

	while (i < ENDPOINTS) {
		if (stop_signal != 0 || has_ended(svscan) ||
		    deadline_left(deadline) == 0)
			return i + 1;
		if (answers(l, &endpoints[i]))
			i++;
		else
			pause_ms(STEP_MS);
	}
	return 0;
}

static void
announce(struct local *l)
{
	char *path = local_path(l, "ready");
	char *line = arena_printf(&l->arena, "smtp 127.0.0.1:%d imap "
	    "127.0.0.1:%d submission 127.0.0.1:%d submissions 127.0.0.1:%d "
	    "imaps 127.0.0.1:%d account %s", l->port_base + 25,
	    l->port_base + 143, l->port_base + 587, l->port_base + 465,
	    l->port_base + 993, LOCAL_ADDRESS);
	int fd;

	printf("localserve: ready: %s password %s directory %s\n", line,
	    l->password != NULL ? l->password : "(unchanged, -w sets one)",
	    l->dir);
	if (fflush(stdout) == EOF)
		msg_warnsys("cannot print the ready line");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1 || io_write_all(fd, bytes_str(line), DEADLINE_NONE) ==
	    -1 || io_write_all(fd, BYTES("\n"), DEADLINE_NONE) == -1)
		msg_warnsys("cannot write %s", path);
	if (fd != -1)
		(void)close(fd);	/* a hint for scripts, not mail */
}

/* Kill every child of ours; true if there was one. */
static bool
kill_children(void)
{
	struct buf list = BUF_INIT(1 << 20);
	struct bytes rest, word;
	uint64_t pid;
	bool any = false;
	char path[64];
	int n = snprintf(path, sizeof(path), "/proc/self/task/%ld/children",
	    (long)getpid());

	if (n > 0 && (size_t)n < sizeof(path) &&
	    io_read_file(AT_FDCWD, path, &list) == 0) {
		rest = buf_bytes(&list);
		while (bytes_word(&rest, &word)) {
			if (num_parse(bytes_trim(word), 2, INT32_MAX, &pid) ==
			    0)
				any = kill((pid_t)pid, SIGKILL) == 0 || any;
		}
	}
	buf_free(&list);
	return any;
}

/* End s6-svscan and all below it within 3 s. */
static void
stop(pid_t svscan)
{
	int64_t deadline = deadline_in(STOP_TIME_MS);
	int tries = 100;

	if (kill(svscan, SIGTERM) == 0) {
		while (deadline_left(deadline) > 0 && !has_ended(svscan))
			pause_ms(STEP_MS);
	}
	/* what is left is reparented to us as its parents go */
	while (tries-- > 0 && kill_children()) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		pause_ms(5);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int
local_supervise(struct local *l)
{
	size_t silent;
	pid_t svscan;
	int code = EXIT_YES;

	catch_signals();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		msg_warnsys("cannot become the parent of orphans");
	check_ports(l);
	svscan = start_svscan(l);
	silent = wait_ready(l, svscan);
	if (silent == 0) {
		announce(l);
		while (stop_signal == 0 && !has_ended(svscan))
			pause_ms(1000);
		if (stop_signal == 0) {
			msg_warn("cannot go on: s6-svscan ended");
			code = EXIT_TEMP;
		}
	} else if (stop_signal == 0) {
		msg_warn("cannot start %s: see %s/log/%s/current",
		    endpoints[silent - 1].service, l->dir,
		    endpoints[silent - 1].service);
		code = EXIT_TEMP;
	}
	if (unlink(local_path(l, "ready")) == -1 && errno != ENOENT)
		msg_warnsys("cannot remove %s/ready", l->dir);
	stop(svscan);
	return code;
}
