/*
 * tls-serve - speak TLS for servers that hold no keys
 *
 * The parent: it opens certificate files, starts a worker per core and
 * starts one again that dies, and hands signals on.
 */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"

#define WORKERS_MAX 256
#define RESTART_MS 500		/* between two starts of one worker */
#define GRACE_MS 4000		/* for workers, after SIGTERM */

static const char usage[] = "usage: tls-serve [-u user] [-w workers]";

static volatile sig_atomic_t got_stop, got_hup, got_usr1;

struct child {
	pid_t pid;		/* 0: not running */
	int sock;		/* -1 then */
	int64_t started;
};

struct parent {
	struct worker_start start;	/* for the next worker */
	struct child children[WORKERS_MAX];
	size_t n;
	sigset_t unblocked;
};

static void
on_signal(int signo)
{
	if (signo == SIGHUP)
		got_hup = 1;
	else if (signo == SIGUSR1)
		got_usr1 = 1;
	else if (signo != SIGCHLD)
		got_stop = 1;
}

static void
catch_signals(sigset_t *unblocked)
{
	static const int all[] = { SIGHUP, SIGUSR1, SIGTERM, SIGINT, SIGCHLD };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block;
	size_t i;

	/* None of these can fail. */
	(void)sigemptyset(&sa.sa_mask);
	(void)sigemptyset(&block);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)sigaction(all[i], &sa, NULL);
		(void)sigaddset(&block, all[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &block, unblocked);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		(void)sigdelset(unblocked, all[i]);
}

/* ---- workers ---- */

static _Noreturn void
run_worker(struct parent *p, size_t i, int sock)
{
	struct worker_start start = p->start;
	size_t k;

	for (k = 0; k < p->n; k++) {
		if (k != i && p->children[k].sock != -1)
			(void)close(p->children[k].sock);	/* others' */
	}
	start.parent = sock;
	start.counters += i * TLS_LISTENERS;
	secret_wipe(&p->start.tickets, sizeof(p->start.tickets));
	_exit(worker_run(&start));
}

static void
start_worker(struct parent *p, size_t i)
{
	struct child *c = &p->children[i];
	int pair[2];
	pid_t pid;

	c->started = time_mono_ms();
	tls_tickets_advance(&p->start.tickets, c->started / 1000);
	if (os_messagepair(pair) == -1) {
		msg_warnsys("cannot make a socket pair");
		return;
	}
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);	/* the parent's */
		run_worker(p, i, pair[1]);
	}
	(void)close(pair[1]);		/* the child's */
	if (pid == -1) {
		msg_warnsys("cannot start a worker");
		(void)close(pair[0]);
		return;
	}
	c->pid = pid;
	c->sock = pair[0];
	/* A worker that dies at this is started again. */
	(void)load_send(c->sock);
}

static void
worker_ended(struct parent *p, pid_t pid, int status)
{
	struct logline l;
	size_t i;

	for (i = 0; i < p->n && p->children[i].pid != pid; i++)
		continue;
	if (i == p->n)
		return;
	(void)close(p->children[i].sock);
	p->children[i].pid = 0;
	p->children[i].sock = -1;
	if (got_stop)
		return;
	log_begin(&l, LOG_ERROR, "worker-died");
	log_num(&l, "pid", pid);
	if (WIFSIGNALED(status))
		log_num(&l, "signal", WTERMSIG(status));
	else
		log_num(&l, "exit", WEXITSTATUS(status));
	log_end(&l);
}

static void
reap(struct parent *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		worker_ended(p, pid, status);
}

/* Start who is missing; milliseconds until the next may be, or -1. */
static int64_t
fill(struct parent *p)
{
	int64_t now = time_mono_ms(), wait = -1, left;
	size_t i;

	for (i = 0; i < p->n; i++) {
		struct child *c = &p->children[i];

		if (c->pid != 0)
			continue;
		left = c->started == 0 ? 0 : c->started + RESTART_MS - now;
		if (left <= 0) {
			start_worker(p, i);
			left = RESTART_MS;
		}
		if (c->pid == 0 && (wait == -1 || left < wait))
			wait = left;
	}
	return wait;
}

static void
signal_all(const struct parent *p, int signo)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->children[i].pid != 0)
			(void)kill(p->children[i].pid, signo);	/* not yet
								 * reaped */
	}
}

static void
reload(struct parent *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->children[i].sock != -1)
			(void)load_send(p->children[i].sock);	/* it says */
	}
}

static void
print_counters(const struct parent *p)
{
	struct tls_counters sum;
	size_t i;
	int l;

	for (l = 0; l < TLS_LISTENERS; l++) {
		sum = (struct tls_counters){ .resumed = 0 };
		for (i = 0; i < p->n; i++)
			tls_counters_add(&sum,
			    &p->start.counters[i * TLS_LISTENERS + (size_t)l]);
		tls_counters_log(&sum, (enum tls_listener)l);
	}
}

static bool
any_left(const struct parent *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->children[i].pid != 0)
			return true;
	}
	return false;
}

static void
wait_ms(const struct parent *p, int64_t ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	/* A signal is what is waited for. */
	(void)ppoll(NULL, 0, ms < 0 ? NULL : &ts, &p->unblocked);
}

static void
supervise(struct parent *p)
{
	int64_t deadline;
	bool killed = false;

	while (!got_stop) {
		if (got_hup) {
			got_hup = 0;
			reload(p);
		}
		if (got_usr1) {
			got_usr1 = 0;
			print_counters(p);
		}
		reap(p);
		wait_ms(p, fill(p));
	}
	signal_all(p, SIGTERM);
	deadline = deadline_in(GRACE_MS);
	for (reap(p); any_left(p); reap(p)) {
		if (!killed && deadline_left(deadline) == 0) {
			signal_all(p, SIGKILL);
			killed = true;
		}
		wait_ms(p, killed ? 10 : deadline_left(deadline));
	}
}

/* ---- beginning ---- */

/* Two descriptors for each connection: as many as are allowed. */
static void
raise_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1)
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);	/* fewer connections then */
}

static void
check_config(void)
{
	struct config *c = config_load();

	if (c == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	config_close(c);
}

static struct tls_counters *
make_counters(size_t workers)
{
	struct tls_counters *c = os_shared_memory(workers * TLS_LISTENERS *
	    sizeof(*c));

	if (c == NULL)
		msg_diesys(EXIT_TEMP, "cannot get memory");
	return c;
}

/*
 * It reads what its user may, and changes no file. Below run/limits workers
 * have their counts, and what they reach is less than what it does.
 */
static void
enter_sandbox(void)
{
	struct os_sandbox sandbox;
	struct arena a = ARENA_INIT;
	const char *limits = arena_printf(&a, "%s/limits", dir_run());

	(void)mkdir(limits, 0755);	/* or it is there, or without it */
	if (os_sandbox_make(&sandbox, OS_SANDBOX_PARENT) == -1 ||
	    os_reach_begin(&sandbox.reach, OS_REACH_READ) == -1 ||
	    os_reach_path(&sandbox.reach, limits, OS_REACH_WRITE) == -1 ||
	    os_sandbox_enter(&sandbox) == -1)
		msg_diesys(EXIT_TEMP, "cannot enter the sandbox");
	os_sandbox_free(&sandbox);
	arena_free(&a);
}

static int
run_parent(struct parent *p)
{
	int flags = fcntl(SERVE_LISTEN_FD, F_GETFL);
	size_t i;

	if (flags == -1 ||
	    fcntl(SERVE_LISTEN_FD, F_SETFL, flags | O_NONBLOCK) == -1)
		msg_diesys(EXIT_TEMP, "cannot use descriptor 0");
	catch_signals(&p->unblocked);
	enter_sandbox();
	tls_tickets_init(&p->start.tickets, time_mono_ms() / 1000);
	for (i = 0; i < p->n; i++)
		p->children[i].sock = -1;
	supervise(p);
	secret_wipe(&p->start.tickets, sizeof(p->start.tickets));
	return EXIT_YES;
}

static size_t
default_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (size_t)n;
}

static void
set_user(struct parent *p, const char *user)
{
	if (user[0] == '\0')
		return;		/* stay who we are */
	if (os_user(user, &p->start.uid, &p->start.gid) == -1)
		msg_diesys(errno == ENOENT ? EXIT_PERM : EXIT_TEMP,
		    "cannot find user %s", user);
	p->start.drop = true;
}

int
main(int argc, char *argv[])
{
	struct parent *p = mem_zalloc(1, sizeof(*p));
	uint64_t n = default_workers();
	int c, listening;

	msg_init("tls-serve");
	while ((c = getopt(argc, argv, "u:w:")) != -1) {
		switch (c) {
		case 'u':
			set_user(p, optarg);
			break;
		case 'w':
			if (num_parse(bytes_str(optarg), 1, WORKERS_MAX,
			    &n) == -1)
				msg_die(EXIT_PERM, "%s", usage);
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	if (!os_is_socket(SERVE_LISTEN_FD))
		msg_die(EXIT_PERM, "descriptor 0 is not a socket");
	listening = os_is_listening(SERVE_LISTEN_FD);
	check_config();
	if (listening == 1 && server_peers_load(&p->start.peers) == -1)
		return EXIT_PERM;
	raise_files();
	p->n = (size_t)n;
	p->start.counters = make_counters(p->n);
	c = listening == 1 ? run_parent(p)
	    : worker_run_one(SERVE_LISTEN_FD, p->start.counters);
	free(p);
	return c;
}
