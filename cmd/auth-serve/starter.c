/*
 * starter.c - the process that starts checkpassword (B-7)
 *
 * auth-serve itself is in a sandbox that lets it start nothing, and what it
 * starts would be in there too. So it keeps a process outside, made before it
 * has read anything, that does one thing: for each message it runs the
 * program the configuration names, with the descriptors that came along.
 * What the message holds reaches that program's environment, no more; which
 * program it is, nobody can say by it.
 *
 * A message: login, service and address of the client, each ended by NUL;
 * descriptors: the program's input, and where its exit code goes, one byte.
 */
#include "auth_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

#define MESSAGE_MAX (SASL_NAME_MAX + 1024)
/* Those auth-serve waits for, and as many that it gave up. */
#define RUNNING_MAX (2 * CHECKS_MAX)
#define REAP_MS 500

/* ---- in the starter ---- */

static bool
next_string(struct bytes *s, const char **out)
{
	size_t n;

	if (!bytes_chr(*s, '\0', &n))
		return false;
	*out = (const char *)s->p;
	*s = bytes_from(*s, n + 1);
	return true;
}

/* The program, or -1. */
static pid_t
start_program(const struct config *c, struct bytes message, int in)
{
	struct arena a = ARENA_INIT;
	const char *login, *service, *ip, *path;
	struct spawn s = { .fd = { in, -1, STDERR_FILENO },
	    .new_session = true };
	pid_t pid;

	if (!next_string(&message, &login) ||
	    !next_string(&message, &service) || !next_string(&message, &ip)) {
		errno = EBADMSG;
		return -1;
	}
	path = arena_str(&a, config_get_text(c, "auth", NULL,
	    "checkpassword"));
	s.argv = (char *[]){ "/bin/sh", "-c",
	    "exec \"$0\" true 3<&0 </dev/null", (char *)path, NULL };
	s.env = env_clean(&a, (const char *const[]){
	    arena_printf(&a, "PIPEMAIL_LOGIN=%s", login),
	    arena_printf(&a, "PIPEMAIL_SERVICE=%s", service),
	    arena_printf(&a, "TCPREMOTEIP=%s", ip), NULL });
	pid = spawn_start(&s);
	arena_free(&a);
	return pid;
}

static _Noreturn void
run_program(struct bytes message, int in, int status)
{
	struct config *c = config_open();
	unsigned char code = EXIT_TEMP;
	pid_t pid = -1;

	if (c != NULL && config_get_text(c, "auth", NULL,
	    "checkpassword").n > 0)
		pid = start_program(c, message, in);
	if (pid == -1) {
		msg_warnsys("cannot start checkpassword");
	} else {
		(void)close(in);	/* the program's */
		code = (unsigned char)spawn_wait(pid, true, deadline_in(
		    (int64_t)config_get_duration(c, "auth", NULL,
		    "checkpassword-timeout") * 1000), NULL);
	}
	/* Who asked may have gone. */
	(void)io_write_all(status, bytes_of(&code, 1), DEADLINE_NONE);
	_exit(EXIT_YES);
}

/* How many still run after those that have ended. */
static size_t
reap(size_t running)
{
	while (running > 0 && waitpid(-1, NULL, WNOHANG) > 0)
		running--;
	return running;
}

static _Noreturn void
starter_run(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	unsigned char text[MESSAGE_MAX];
	int fds[OS_FDS_MAX];
	size_t nfds, running = 0;
	ssize_t n;
	pid_t pid;

	os_set_name("auth-starter");
	for (;;) {
		n = poll(&p, 1, running > 0 ? REAP_MS : -1);
		running = reap(running);
		if (n <= 0)
			continue;
		n = os_recv_fds(sock, text, sizeof(text), fds, &nfds,
		    DEADLINE_NONE);
		if (n <= 0)
			_exit(EXIT_YES);	/* auth-serve has ended */
		pid = nfds == 2 && running < RUNNING_MAX ? fork() : -1;
		if (pid == 0) {
			(void)close(sock);	/* not its */
			run_program(bytes_of(text, (size_t)n), fds[0],
			    fds[1]);
		}
		running += pid != -1;
		while (nfds > 0)
			(void)close(fds[--nfds]);	/* its, or not wanted */
	}
}

/* ---- in auth-serve ---- */

int
starter_start(struct starter *s)
{
	int pair[2], flags;
	pid_t pid;

	if (os_messagepair(pair) == -1)
		return -1;
	flags = fcntl(pair[1], F_GETFL);
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);		/* auth-serve's */
		(void)close(STDIN_FILENO);	/* it listens to nobody */
		if (open("/dev/null", O_RDWR) != STDIN_FILENO ||
		    dup2(STDIN_FILENO, STDOUT_FILENO) == -1 || flags == -1 ||
		    fcntl(pair[1], F_SETFL, flags & ~O_NONBLOCK) == -1)
			_exit(EXIT_TEMP);
		starter_run(pair[1]);
	}
	(void)close(pair[1]);			/* the starter's */
	if (pid == -1) {
		(void)close(pair[0]);
		return -1;
	}
	*s = (struct starter){ pid, pair[0] };
	return 0;
}

void
starter_stop(struct starter *s)
{
	(void)close(s->sock);	/* tells it */
	while (waitpid(s->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

int
starter_ask(const struct starter *s, const struct sasl_request *r, int in,
    int status)
{
	struct buf b = BUF_INIT(MESSAGE_MAX);
	const int fds[2] = { in, status };
	int result = -1;

	buf_add(&b, bytes_of(r->sasl.authcid.p, r->sasl.authcid.n));
	buf_addc(&b, '\0');
	buf_adds(&b, r->from.service);
	buf_addc(&b, '\0');
	buf_adds(&b, r->from.remote_ip);
	buf_addc(&b, '\0');
	if (b.full)
		errno = EMSGSIZE;
	else
		result = os_send_fds(s->sock, buf_bytes(&b), fds, 2);
	buf_free(&b);
	return result;
}
