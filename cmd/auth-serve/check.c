/*
 * check.c - passwords that another program checks (B-7)
 *
 * The checkpassword interface: the program reads "user", "password" and a
 * time, each ended by NUL, from descriptor 3, and runs its arguments (here:
 * true) when they are right. So it exits 0 for right, 1 for wrong, and
 * something else when it cannot tell. It runs beside the loop; its end is
 * seen by the end of file of its standard output.
 */
#include "auth_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* After its last output, until it must have exited. */
#define EXIT_MS 1000

static void
cannot(struct sasl_outcome *out, const char *why)
{
	*out = (struct sasl_outcome){ .result = SASL_TEMPORARY,
	    .reason = "authentication is unavailable", .why = why };
}

/* What goes to descriptor 3; it fits into any pipe. */
static void
format_input(const struct sasl_request *r, const char *account,
    struct buf *b)
{
	const struct sasl *s = &r->sasl;

	if (account[0] != '\0')
		buf_adds(b, account);
	else
		buf_add(b, bytes_of(s->authcid.p, s->authcid.n));
	buf_addc(b, 0);
	buf_add(b, bytes_of(s->password.p, s->password.n));
	buf_addc(b, 0);
	buf_printf(b, "%lld", (long long)(time_wall_us() / 1000000));
	buf_addc(b, 0);
}

static pid_t
start_program(struct program *p, const struct sasl_request *r, int in,
    int out)
{
	struct bytes path = config_get_text(p->config, "auth", NULL,
	    "checkpassword");
	struct arena a = ARENA_INIT;
	char *argv[] = { "/bin/sh", "-c", "exec \"$0\" true 3<&0 </dev/null",
	    arena_str(&a, path), NULL };
	const char *const extra[] = {
		arena_printf(&a, "PIPEMAIL_LOGIN=%.*s",
		    (int)r->sasl.authcid.n, (const char *)r->sasl.authcid.p),
		arena_printf(&a, "PIPEMAIL_SERVICE=%s", r->from.service),
		arena_printf(&a, "TCPREMOTEIP=%s", r->from.remote_ip),
		NULL,
	};
	struct spawn s = { .argv = argv, .env = env_clean(&a, extra),
	    .fd = { in, out, STDERR_FILENO }, .new_session = true };
	pid_t pid = spawn_start(&s);

	arena_free(&a);
	return pid;
}

/* Both pipes and the program; -1 errno. */
static int
run(struct program *p, struct check *c, const struct sasl_request *r,
    const char *account)
{
	struct buf input = BUF_INIT(SASL_NAME_MAX + SASL_PASSWORD_MAX + 64);
	int in[2], out[2], result = -1;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) == -1)
		return -1;
	if (pipe2(out, O_CLOEXEC) == -1) {
		(void)close(in[0]);	/* both are new and unused */
		(void)close(in[1]);
		return -1;
	}
	format_input(r, account, &input);
	pid = start_program(p, r, in[0], out[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	if (pid != -1) {
		/* EPIPE: it does not read, and its exit code tells. */
		(void)io_write_all(in[1], buf_bytes(&input),
		    DEADLINE_NONE);
		*c = (struct check){ .pid = pid, .fd = out[0],
		    .deadline = deadline_in((int64_t)config_get_duration(
		    p->config, "auth", NULL, "checkpassword-timeout") *
		    1000) };
		result = 0;
	} else {
		(void)close(out[0]);
	}
	(void)close(in[1]);
	secret_wipe(input.p, input.size);
	buf_free(&input);
	return result;
}

void
check_start(struct program *p, struct sasl_request *r,
    struct sasl_outcome *out)
{
	char account[SASL_ACCOUNT_MAX + 1];
	size_t i = 0;

	memcpy(account, out->account, sizeof(account));
	while (i < CHECKS_MAX && p->check[i].pid != 0)
		i++;
	if (i == CHECKS_MAX) {
		cannot(out, "too many password checks at a time");
	} else if (run(p, &p->check[i], r, account) == -1) {
		msg_warnsys("cannot start checkpassword");
		cannot(out, "cannot start checkpassword");
	} else {
		p->check[i].request = r;
		out->result = SASL_LATER;
	}
}

void
check_forget(struct program *p, const struct sasl_request *r)
{
	size_t i;

	for (i = 0; i < CHECKS_MAX; i++) {
		if (p->check[i].pid != 0 && p->check[i].request == r)
			p->check[i].request = NULL;
	}
}

/* It is to be waited for until then; tell who asked. */
static void
end(struct program *p, struct check *c, int64_t deadline)
{
	struct sasl_outcome o = { .result = SASL_WRONG };
	struct sasl_request *r = c->request;
	int code = spawn_wait(c->pid, true, deadline, NULL);

	(void)close(c->fd);	/* nothing was written to it */
	*c = (struct check){ 0 };
	if (r == NULL)
		return;
	if (code == EXIT_YES || code == EXIT_NO) {
		p->users.now = time_wall_us() / 1000000;
		sasl_decide_foreign(&p->users, &r->from,
		    bytes_of(r->sasl.authzid.p, r->sasl.authzid.n),
		    bytes_of(r->sasl.authcid.p, r->sasl.authcid.n),
		    code == EXIT_YES, &o);
	} else {
		msg_warn("cannot check password: checkpassword exited %d",
		    code);
		cannot(&o, "checkpassword failed");
	}
	sasl_peer_decided(r, &o);
}

size_t
check_poll(const struct program *p, struct pollfd *fds, size_t *who)
{
	size_t i, n = 0;

	for (i = 0; i < CHECKS_MAX; i++) {
		if (p->check[i].pid == 0)
			continue;
		fds[n] = (struct pollfd){ .fd = p->check[i].fd,
		    .events = POLLIN };
		who[n++] = i;
	}
	return n;
}

void
check_ready(struct program *p, size_t i)
{
	char text[512];
	struct check *c = &p->check[i];
	ssize_t n;

	if (c->pid == 0)
		return;
	n = read(c->fd, text, sizeof(text));	/* what it says is nothing */
	if (n == 0 || (n == -1 && errno != EINTR && errno != EAGAIN))
		end(p, c, deadline_in(EXIT_MS));
}

int64_t
check_late(struct program *p)
{
	int64_t next = DEADLINE_NONE;
	size_t i;

	for (i = 0; i < CHECKS_MAX; i++) {
		struct check *c = &p->check[i];

		if (c->pid != 0 && deadline_left(c->deadline) == 0)
			end(p, c, deadline_in(0));
		if (c->pid != 0 && c->deadline < next)
			next = c->deadline;
	}
	return next;
}
