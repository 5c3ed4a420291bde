/*
 * check.c - passwords that another program checks (B-7)
 *
 * The checkpassword interface: the program reads "user", "password" and a
 * time, each ended by NUL, from descriptor 3, and runs its arguments (here:
 * true) when they are right. So it exits 0 for right, 1 for wrong, and
 * something else when it cannot tell. It runs beside the loop, under the
 * starter, which ends it when its time is over and sends its exit code.
 */
#include "auth_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* After its time is over, until the starter must have told. */
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

/* Both pipes; the starter has the program. -1 errno. */
static int
run(struct program *p, struct check *c, const struct sasl_request *r,
    const char *account)
{
	struct buf input = BUF_INIT(SASL_NAME_MAX + SASL_PASSWORD_MAX + 64);
	int in[2], status[2], result;

	if (pipe2(in, O_CLOEXEC) == -1)
		return -1;
	if (pipe2(status, O_CLOEXEC) == -1) {
		(void)close(in[0]);	/* both are new and unused */
		(void)close(in[1]);
		return -1;
	}
	result = starter_ask(&p->starter, r, in[0], status[1]);
	(void)close(in[0]);		/* the starter's */
	(void)close(status[1]);
	if (result == 0) {
		format_input(r, account, &input);
		/* EPIPE: it does not read, and its exit code tells. */
		(void)io_write_all(in[1], buf_bytes(&input),
		    DEADLINE_NONE);
		secret_wipe(input.p, input.size);
		buf_free(&input);
		*c = (struct check){ .running = true, .fd = status[0],
		    .deadline = deadline_in((int64_t)config_get_duration(
		    p->config, "auth", NULL, "checkpassword-timeout") *
		    1000 + EXIT_MS) };
	} else {
		(void)close(status[0]);
	}
	(void)close(in[1]);
	return result;
}

void
check_start(struct program *p, struct sasl_request *r,
    struct sasl_outcome *out)
{
	char account[SASL_ACCOUNT_MAX + 1];
	size_t i = 0;

	memcpy(account, out->account, sizeof(account));
	while (i < CHECKS_MAX && p->check[i].running)
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
		if (p->check[i].running && p->check[i].request == r)
			p->check[i].request = NULL;
	}
}

/* It has ended with that code; tell who asked. */
static void
end(struct program *p, struct check *c, int code)
{
	struct sasl_outcome o = { .result = SASL_WRONG };
	struct sasl_request *r = c->request;

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
		if (!p->check[i].running)
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
	struct check *c = &p->check[i];
	unsigned char code;
	ssize_t n;

	if (!c->running)
		return;
	n = read(c->fd, &code, 1);
	if (n == 1)
		end(p, c, code);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		end(p, c, EXIT_TEMP);
}

int64_t
check_late(struct program *p)
{
	int64_t next = DEADLINE_NONE;
	size_t i;

	for (i = 0; i < CHECKS_MAX; i++) {
		struct check *c = &p->check[i];

		if (c->running && deadline_left(c->deadline) == 0)
			end(p, c, EXIT_TEMP);
		if (c->running && c->deadline < next)
			next = c->deadline;
	}
	return next;
}
