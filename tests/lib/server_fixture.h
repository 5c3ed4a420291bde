/* server_fixture.h - a server in a process of its own, and who talks to it */
#ifndef SERVER_FIXTURE_H
#define SERVER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/server.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WAIT_MS 10000		/* for what comes at once on an idle machine */

static struct ip
ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(bytes_str(text), &ip), 0);
	return ip;
}

struct fixture {
	struct server s;
	int port;
	pid_t pid;
};

static int prepared;		/* in the server's process */

static int
count_prepare(void *ctx)
{
	(void)ctx;
	prepared++;
	return 0;
}

static void
child_main(struct fixture *f, int listening, int notify)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* Who reads the test's output does not wait for it. */
	if (dup2(listening, 0) == -1 || dup2(null, 1) == -1 ||
	    dup2(null, 2) == -1)
		_exit(90);
	(void)close(listening);
	f->s.notify_fd = notify;
	_exit(server_run(&f->s));
}

/* Starts a server with its serve; on TCP unless path is given. */
static void
start(struct fixture *f, const char *path)
{
	struct ip ip = ip_of("127.0.0.1");
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	int listening, p[2];
	char c;

	listening = path != NULL ? os_listen_unix(path, 0600)
	    : os_listen_tcp(&ip, 0, 50);
	assert_true(listening >= 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&sa, &n), 0);
	ip_from_sockaddr((struct sockaddr *)&sa, &ip, &f->port);
	f->s.name = "test";
	f->s.refusal = "421 too many\r\n";
	if (f->s.prepare == NULL)
		f->s.prepare = count_prepare;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	f->pid = fork();
	assert_int_not_equal(f->pid, -1);
	if (f->pid == 0)
		child_main(f, listening, p[1]);
	assert_int_equal(close(listening), 0);
	assert_int_equal(close(p[1]), 0);
	assert_int_equal(io_read_full(p[0], &c, 1, deadline_in(WAIT_MS)), 1);
	assert_int_equal(c, '\n');
	/* Closed: a supervisor sees the end. */
	assert_int_equal(io_read_full(p[0], &c, 1, deadline_in(WAIT_MS)), 0);
	assert_int_equal(close(p[0]), 0);
}

/* SIGTERM; the milliseconds it took. */
static int64_t
finish(struct fixture *f)
{
	int64_t begin = time_mono_ms();
	int status;

	assert_int_equal(kill(f->pid, SIGTERM), 0);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return time_mono_ms() - begin;
}

/* One line into out, NUL-terminated; empty at end of file. */
static void
hear(int fd, char out[256])
{
	size_t n = 0;

	while (n < 255) {
		if (io_read_full(fd, out + n, 1, deadline_in(WAIT_MS)) != 1 ||
		    out[n++] == '\n')
			break;
	}
	out[n] = '\0';
}

static void
say(int fd, const char *text)
{
	assert_int_equal(io_write_all(fd, bytes_str(text),
	    deadline_in(WAIT_MS)), 0);
}

#endif
