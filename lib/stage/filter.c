/*
 * filter.c - external filters: message in, message out, envelope around
 *
 * The filter is fed and read at the same time, so that neither side waits
 * for the other whatever it does: read nothing, print first, print too much.
 * Its output counts only after exit code 0. It runs in a session of its own,
 * and at the deadline the whole session's process group is killed.
 */
#include "stage/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "mime/mime.h"

/* Of standard error; the rest is read and thrown away. */
#define STDERR_MAX 65536
#define PIECE_MAX 65536
/* Recipients in the environment; Linux takes 128 KiB per variable. */
#define RECIPIENTS_BYTES_MAX 65536
#define ENV_MAX 24

struct filter {
	struct bytes feed[2];	/* what is not written yet */
	int to, from, err;	/* our ends; -1: closed */
	int child[3];		/* its ends, until it is started */
	struct buf out, errors;
	bool too_long;
};

/* ---- environment ---- */

static void
add_var(struct arena *a, const char **env, size_t *n, const char *name,
    struct bytes value)
{
	if (*n + 1 < ENV_MAX && !bytes_has_nul(value))
		env[(*n)++] = arena_printf(a, "%s=%.*s", name,
		    BYTES_ARG(value));
}

static void
add_ip(struct arena *a, const char **env, size_t *n, const char *name,
    const struct ip *ip)
{
	char text[IP_TEXT_MAX];

	if (ip->family != 0)
		add_var(a, env, n, name, bytes_str(ip_format(ip, text)));
}

static void
add_port(struct arena *a, const char **env, size_t *n, const char *name,
    int port)
{
	if (port > 0)
		add_var(a, env, n, name,
		    bytes_str(arena_printf(a, "%d", port)));
}

/* All recipients, one a line; they hold no line feeds. */
static struct bytes
join_recipients(struct arena *a, const struct trace_envelope *e)
{
	struct buf b = BUF_INIT(RECIPIENTS_BYTES_MAX);
	struct bytes all;

	for (size_t i = 0; i < e->nrecipients; i++) {
		if ((i > 0 && buf_addc(&b, '\n') == -1) ||
		    buf_add(&b, e->recipients[i]) == -1)
			break;
	}
	all = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return all;
}

static char **
make_env(struct stage_job *job)
{
	const struct trace_envelope *e = &job->envelope;
	struct arena *a = job->arena;
	const char *env[ENV_MAX] = { NULL };
	size_t n = 0;

	add_var(a, env, &n, "SENDER", e->sender);
	if (e->nrecipients > 0)
		add_var(a, env, &n, "RECIPIENT", e->recipients[0]);
	add_var(a, env, &n, "RECIPIENTS", join_recipients(a, e));
	add_var(a, env, &n, "HELO", e->helo);
	if (e->remote.family != 0)
		add_var(a, env, &n, "PROTO", BYTES("TCP"));
	add_ip(a, env, &n, "TCPREMOTEIP", &e->remote);
	add_port(a, env, &n, "TCPREMOTEPORT", e->remote_port);
	if (e->remote_host.n > 0)
		add_var(a, env, &n, "TCPREMOTEHOST", e->remote_host);
	add_ip(a, env, &n, "TCPLOCALIP", &e->local);
	add_port(a, env, &n, "TCPLOCALPORT", e->local_port);
	add_var(a, env, &n, "PIPEMAIL_ID", e->id);
	add_var(a, env, &n, "PIPEMAIL_WITH", e->with);
	return env_clean(a, env);
}

/* ---- pipes ---- */

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);	/* a pipe end: nothing to lose */
	*fd = -1;
}

static void
close_all(struct filter *f)
{
	close_fd(&f->to);
	close_fd(&f->from);
	close_fd(&f->err);
	for (int i = 0; i < 3; i++)
		close_fd(&f->child[i]);
}

static int
make_pipe(int *reader, int *writer, int *ours)
{
	int p[2], flags;

	if (pipe2(p, O_CLOEXEC) == -1)
		return -1;
	*reader = p[0];
	*writer = p[1];
	flags = fcntl(*ours, F_GETFL);
	return flags == -1 ? -1 : fcntl(*ours, F_SETFL, flags | O_NONBLOCK);
}

static int
make_pipes(struct filter *f)
{
	if (make_pipe(&f->child[0], &f->to, &f->to) == -1 ||
	    make_pipe(&f->from, &f->child[1], &f->from) == -1 ||
	    make_pipe(&f->err, &f->child[2], &f->err) == -1)
		return -1;
	return 0;
}

static void
write_some(struct filter *f)
{
	ssize_t n;
	size_t i = f->feed[0].n > 0 ? 0 : 1;

	if (f->feed[i].n == 0) {
		close_fd(&f->to);
		return;
	}
	n = write(f->to, f->feed[i].p, f->feed[i].n);
	if (n >= 0)
		f->feed[i] = bytes_from(f->feed[i], (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		close_fd(&f->to);	/* EPIPE: it needs no more */
	if (f->feed[0].n == 0 && f->feed[1].n == 0)
		close_fd(&f->to);
}

/* Read into b; past its end into nothing, with *too_long set. */
static void
read_some(int *fd, struct buf *b, bool *too_long)
{
	unsigned char piece[PIECE_MAX];
	ssize_t n = read(*fd, piece, sizeof(piece));

	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		close_fd(fd);
	else if (n > 0 && !b->full &&
	    buf_add(b, bytes_of(piece, (size_t)n)) == -1)
		*too_long = true;
}

/* Feed and read until the filter closed its output or time is up. */
static void
exchange(struct filter *f, int64_t deadline)
{
	struct pollfd p[3];
	bool ignored;
	int left;

	while ((f->from != -1 || f->err != -1) && !f->too_long) {
		p[0] = (struct pollfd){ f->to, POLLOUT, 0 };
		p[1] = (struct pollfd){ f->from, POLLIN, 0 };
		p[2] = (struct pollfd){ f->err, POLLIN, 0 };
		left = deadline_left(deadline);
		if (left == 0)
			return;
		if (poll(p, 3, left) == -1) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (p[0].revents != 0)
			write_some(f);
		if (p[1].revents != 0)
			read_some(&f->from, &f->out, &f->too_long);
		if (p[2].revents != 0)
			read_some(&f->err, &f->errors, &ignored);
	}
}

/* ---- the whole ---- */

static int
start(struct stage_job *job, struct filter *f, struct bytes command,
    pid_t *pid)
{
	struct bytes shell_text = command;
	struct spawn s = { 0 };
	char *argv[4] = { NULL };
	int r;

	if (make_pipes(f) == -1)
		return -1;
	if (bytes_skip(&shell_text, BYTES("|"))) {
		argv[0] = arena_printf(job->arena, "/bin/sh");
		argv[1] = arena_printf(job->arena, "-c");
		argv[2] = arena_str(job->arena, shell_text);
	} else
		argv[0] = arena_str(job->arena, command);
	s.argv = argv;
	s.env = make_env(job);
	memcpy(s.fd, f->child, sizeof(s.fd));
	s.new_session = true;
	*pid = spawn_start(&s);
	r = *pid == -1 ? -1 : 0;
	for (int i = 0; i < 3; i++)
		close_fd(&f->child[i]);
	return r;
}

static void
set_reject(struct stage_job *job, struct filter *f)
{
	struct bytes all = buf_bytes(&f->errors), line = BYTES_EMPTY;

	if (!bytes_line(&all, &line) || bytes_trim(line).n == 0)
		line = BYTES("message refused");
	stage_set_verdict(job, STAGE_REJECT, line);
}

/* Output becomes LF form, as the next command of a pipeline would see it. */
static int
take_output(struct stage_job *job, struct filter *f, struct bytes *out)
{
	struct bytes text = buf_bytes(&f->out);
	struct buf lf = BUF_INIT(text.n);
	size_t at;

	if (f->too_long || text.n == 0) {
		stage_set_verdict(job, STAGE_TEMP, f->too_long
		    ? BYTES("a filter printed too much")
		    : BYTES("a filter printed no message"));
		return -1;
	}
	if (bytes_find(text, BYTES("\r\n"), &at) &&
	    mime_add_lf(&lf, text) == 0)
		text = buf_bytes(&lf);
	*out = arena_bytes(job->arena, text);
	buf_free(&lf);
	return 0;
}

/* For the log: what became of it. */
static const char *
fate(const struct stage_job *job, int code, int signo)
{
	if (deadline_left(job->deadline) == 0)
		return "it did not end in time";
	if (signo != 0)
		return "it was killed by a signal";
	return code == EXIT_TEMP ? "it asked for a later try"
	    : "its exit code is none of a filter";
}

static int
judge_exit(struct stage_job *job, struct filter *f, int code, int signo,
    struct bytes *out)
{
	switch (code) {
	case EXIT_YES:
		return take_output(job, f, out);
	case EXIT_DROP:
		stage_set_verdict(job, STAGE_DROP, BYTES_EMPTY);
		return -1;
	case EXIT_PERM:
		set_reject(job, f);
		return -1;
	default:
		job->why = fate(job, code, signo);
		stage_set_verdict(job, STAGE_TEMP,
		    BYTES("a filter could not judge the message"));
		return -1;
	}
}

int
stage_filter_run(struct stage_job *job, struct bytes command,
    struct bytes prefix, struct bytes *out)
{
	struct filter f = {
		.feed = { prefix, job->message },
		.to = -1, .from = -1, .err = -1, .child = { -1, -1, -1 },
		.out = BUF_INIT(job->options->message_max_bytes),
		.errors = BUF_INIT(STDERR_MAX),
	};
	pid_t pid;
	int code, r, signo = 0;

	if (start(job, &f, command, &pid) == -1) {
		stage_set_verdict(job, STAGE_TEMP,
		    BYTES("a filter could not be started"));
		r = -1;
	} else {
		exchange(&f, job->deadline);
		close_all(&f);
		code = spawn_wait(pid, true, f.too_long ? time_mono_ms()
		    : job->deadline, &signo);
		r = judge_exit(job, &f, f.too_long ? EXIT_YES : code, signo,
		    out);
	}
	close_all(&f);
	buf_free(&f.out);
	buf_free(&f.errors);
	return r;
}
