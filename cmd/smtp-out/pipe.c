/*
 * pipe.c - into a program: a message, or batch SMTP (RFC 2442)
 */
#include "smtp_out.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* As long as a server may think about a message (RFC 5321 4.5.3.2.6). */
#define COMMAND_MS (10 * 60 * 1000)
/* Of what a program writes to standard error: its first line is the text. */
#define SAID_MAX 400
#define CHUNK_BYTES 65536
/* Of one string of the environment: Linux takes 128 KiB. */
#define RECIPIENTS_MAX ((size_t)120 * 1024)
/* A thousand recipients of the longest kind. */
#define ENVELOPE_MAX ((size_t)1024 * 1024)

/* ---- the program ---- */

static char **
make_env(struct job *j)
{
	const struct job_request *r = j->request;
	struct buf all = BUF_INIT(RECIPIENTS_MAX);
	char id[QUEUE_ID_TEXT];
	const char *extra[5];
	char **env;

	for (size_t i = 0; i < r->count; i++) {
		(void)buf_add(&all, r->rcpts[i].address);	/* full tells */
		(void)buf_addc(&all, '\n');
	}
	if (all.full) {
		buf_free(&all);
		return NULL;
	}
	queue_id_format(id, r->message.id, 0);
	extra[0] = arena_printf(j->a, "SENDER=%.*s", BYTES_ARG(r->sender));
	extra[1] = arena_printf(j->a, "RECIPIENT=%.*s",
	    BYTES_ARG(r->rcpts[0].address));
	extra[2] = arena_printf(j->a, "RECIPIENTS=%.*s", (int)(all.n - 1),
	    (const char *)all.p);
	extra[3] = arena_printf(j->a, "PIPEMAIL_ID=%s", id);
	extra[4] = NULL;
	env = env_clean(j->a, extra);
	buf_free(&all);
	return env;
}

static pid_t
start(struct job *j, int in, int said)
{
	char *command = arena_str(j->a, j->request->transport.command);
	char *argv[] = { "/bin/sh", "-c", command, NULL };
	struct spawn s = { .argv = argv, .env = make_env(j),
	    .fd = { in, -1, said }, .dir = "/", .new_session = true };

	if (command == NULL || s.env == NULL) {
		errno = E2BIG;
		return -1;
	}
	return spawn_start(&s);
}

/* The first line it wrote, cut. */
static struct bytes
first_line(struct job *j, int said)
{
	unsigned char text[SAID_MAX];
	ssize_t n = pread(said, text, sizeof(text), 0);
	struct buf b = BUF_INIT(4 * SAID_MAX);
	struct bytes all = bytes_of(text, n > 0 ? (size_t)n : 0), line;

	if (bytes_line(&all, &line))
		(void)msg_escape(&b, line);	/* it fits */
	line = arena_bytes(j->a, buf_bytes(&b));
	buf_free(&b);
	return line;
}

static void
take_exit(struct job *j, int code, int signal, int said)
{
	struct bytes line = first_line(j, said);

	if (code >= 64 && code <= 78)
		code = exit_from_sysexits(code);
	if (line.n == 0 && signal != 0)
		line = bytes_str(arena_printf(j->a, "the program was ended "
		    "by signal %d", signal));
	else if (line.n == 0 && code != EXIT_YES)
		line = bytes_str(arena_printf(j->a, "the program ended with "
		    "exit code %d", code));
	if (code == EXIT_YES || code == EXIT_DROP)
		job_finish(j, QUEUE_DELIVERED, 0, "2.0.0", line.n > 0 ? line
		    : BYTES("the program took it"));
	else if (code == EXIT_PERM)
		job_finish(j, QUEUE_FAILED, 0, "5.3.0", line);
	else
		job_finish(j, QUEUE_DELAYED, 0, "4.3.0", line);
}

/* ---- batch SMTP ---- */

static void
add_path(struct buf *b, const char *verb, const struct path *p)
{
	/* Results are not looked at: b->full tells. */
	(void)buf_adds(b, verb);
	(void)buf_addc(b, '<');
	(void)addr_format_path(b, p, !addr_needs_smtputf8(p));
	(void)buf_adds(b, ">\r\n");
}

static int
write_envelope(struct job *j, int fd, int64_t deadline)
{
	struct bytes name = j->request->transport.helo.n > 0
	    ? j->request->transport.helo : j->settings->hostname;
	struct buf b = BUF_INIT(ENVELOPE_MAX);
	int r;

	(void)buf_printf(&b, "EHLO %.*s\r\n", BYTES_ARG(name));
	add_path(&b, "MAIL FROM:", &j->mail.sender);
	for (size_t i = 0; i < j->mail.nrecipients; i++)
		add_path(&b, "RCPT TO:", &j->to[i].path);
	(void)buf_adds(&b, "DATA\r\n");
	r = b.full ? -1 : io_write_all(fd, buf_bytes(&b), deadline);
	buf_free(&b);
	return r;
}

/* CRLF line ends, dots doubled at the start of lines (RFC 5321 4.5.2). */
static int
write_text(struct job *j, int fd, int64_t deadline)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct bytes rest = j->text, line;
	int r = 0;

	while (r == 0 && bytes_line(&rest, &line)) {
		if (bytes_at(line, 0) == '.')
			(void)buf_addc(&b, '.');	/* no limit */
		(void)buf_add(&b, line);
		(void)buf_adds(&b, "\r\n");
		if (b.n >= CHUNK_BYTES) {
			r = io_write_all(fd, buf_bytes(&b), deadline);
			buf_reset(&b);
		}
	}
	(void)buf_adds(&b, ".\r\nQUIT\r\n");
	if (r == 0)
		r = io_write_all(fd, buf_bytes(&b), deadline);
	buf_free(&b);
	return r;
}

static void
run_batch(struct job *j, int said)
{
	int64_t deadline = deadline_in(COMMAND_MS);
	int fds[2], code, signal, written;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1 ||
	    fcntl(fds[1], F_SETFL, O_NONBLOCK) == -1) {
		job_note(j, "4.3.0", "no pipe to the program can be made",
		    BYTES_EMPTY, NULL);
		return;
	}
	pid = start(j, fds[0], said);
	(void)close(fds[0]);
	if (pid == -1) {
		(void)close(fds[1]);
		job_note(j, "4.3.0", "the program cannot be started",
		    BYTES_EMPTY, NULL);
		return;
	}
	written = write_envelope(j, fds[1], deadline) == 0 &&
	    write_text(j, fds[1], deadline) == 0 ? 0 : -1;
	if (close(fds[1]) == -1)
		written = -1;
	code = spawn_wait(pid, true, written == 0 ? deadline
	    : deadline_in(1000), &signal);
	/* It cannot have taken what it did not read. */
	if (written == -1 && code == EXIT_YES)
		code = EXIT_TEMP;
	take_exit(j, code, signal, said);
}

static void
run_command(struct job *j, int said)
{
	int signal, code;
	pid_t pid;

	if (lseek(j->file, 0, SEEK_SET) == -1 ||
	    (pid = start(j, j->file, said)) == -1) {
		job_note(j, "4.3.0", "the program cannot be started",
		    BYTES_EMPTY, NULL);
		return;
	}
	code = spawn_wait(pid, true, deadline_in(COMMAND_MS), &signal);
	take_exit(j, code, signal, said);
}

void
pipe_send(struct job *j)
{
	int said = os_tmpfile(AT_FDCWD, "/tmp");

	if (said == -1) {
		job_note(j, "4.3.0", "no file for the program's messages can "
		    "be made", BYTES_EMPTY, NULL);
		return;
	}
	if (j->request->transport.type == TRANSPORT_BSMTP)
		run_batch(j, said);
	else
		run_command(j, said);
	(void)close(said);
}
