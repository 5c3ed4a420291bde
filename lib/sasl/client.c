/*
 * client.c - asking auth-serve: the client side of the auth protocol
 *
 * One question at a time, so replies need no matching beyond their number.
 */
#include "sasl/sasl.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"

struct sasl_client {
	int fd;
	uint32_t id;
	struct reader in;
	struct arena arena;
	unsigned char space[SASL_LINE_MAX];
};

static int
send_buf(struct sasl_client *c, struct buf *b, int64_t deadline)
{
	int r = b->full ? -1 : io_write_all(c->fd, buf_bytes(b), deadline);
	int saved = b->full ? EMSGSIZE : errno;

	if (b->size > 0)
		secret_wipe(b->p, b->size);
	buf_free(b);
	errno = saved;
	return r;
}

static int
read_line(struct sasl_client *c, int64_t deadline, struct bytes *line)
{
	int r;

	c->in.deadline = deadline;
	r = reader_line(&c->in, line);
	if (r == 1 && line->p[line->n - 1] == '\n') {
		line->n--;
		return 0;
	}
	if (r != -1)
		errno = EPROTO;		/* closed in the middle */
	return -1;
}

static int
shake_hands(struct sasl_client *c, int64_t deadline)
{
	struct buf out = BUF_INIT(256);
	struct bytes line, field;

	buf_printf(&out, "VERSION\t1\t2\nCPID\t%lu\n",
	    (unsigned long)getpid());
	if (send_buf(c, &out, deadline) == -1)
		return -1;
	for (;;) {
		if (read_line(c, deadline, &line) == -1)
			return -1;
		if (bytes_eq(line, BYTES("DONE")))
			return 0;
		bytes_split(&line, '\t', &field);
		if (!bytes_eq(field, BYTES("VERSION")))
			continue;
		bytes_split(&line, '\t', &field);
		if (!bytes_eq(field, BYTES("1"))) {
			errno = EPROTO;
			return -1;
		}
	}
}

struct sasl_client *
sasl_client_open(const char *path, int64_t deadline)
{
	struct sasl_client *c;
	int fd = os_connect_unix(path, deadline);
	int saved;

	if (fd == -1)
		return NULL;
	c = mem_zalloc(1, sizeof(*c));
	c->fd = fd;
	reader_init(&c->in, fd, c->space, sizeof(c->space));
	if (shake_hands(c, deadline) == -1) {
		saved = errno;
		sasl_client_close(c);
		errno = saved;
		return NULL;
	}
	return c;
}

void
sasl_client_close(struct sasl_client *c)
{
	if (c == NULL)
		return;
	(void)close(c->fd);	/* nothing is left to say */
	arena_free(&c->arena);
	secret_wipe(c, sizeof(*c));
	free(c);
}

static int
copy_text(char *to, size_t size, struct bytes value)
{
	if (value.n >= size || bytes_has_nul(value)) {
		errno = EPROTO;
		return -1;
	}
	memcpy(to, value.p, value.n);
	to[value.n] = '\0';
	return 0;
}

static int
reply_fields(struct sasl_client *c, struct bytes rest, struct sasl_reply *r)
{
	struct bytes field, value;

	while (rest.n > 0) {
		bytes_split(&rest, '\t', &field);
		if (!sasl_field_unescape(&c->arena, field, &value)) {
			errno = EPROTO;
			return -1;
		}
		if (bytes_eq(value, BYTES("temp")))
			r->temporary = true;
		else if (bytes_eq(value, BYTES("user_disabled")))
			r->disabled = true;
		else if (r->kind == SASL_REPLY_OK &&
		    bytes_skip(&value, BYTES("user="))) {
			if (copy_text(r->user, sizeof(r->user), value) == -1)
				return -1;
		} else if (bytes_skip(&value, BYTES("ticket="))) {
			if (copy_text(r->ticket, sizeof(r->ticket),
			    value) == -1)
				return -1;
		} else if (bytes_skip(&value, BYTES("reason="))) {
			if (copy_text(r->reason, sizeof(r->reason),
			    value) == -1)
				return -1;
		}
	}
	return 0;
}

/* Read up to the reply to the request sent last. */
static int
read_reply(struct sasl_client *c, int64_t deadline, struct sasl_reply *reply)
{
	struct sasl_reply r = { 0 };
	struct bytes line, word, field;
	uint64_t id;

	do {
		if (read_line(c, deadline, &line) == -1)
			return -1;
		bytes_split(&line, '\t', &word);
		bytes_split(&line, '\t', &field);
	} while (num_parse(field, 0, UINT32_MAX, &id) == -1 || id != c->id);
	if (bytes_eq(word, BYTES("CONT"))) {
		r.kind = SASL_REPLY_CONT;
		if (copy_text(r.challenge, sizeof(r.challenge), line) == -1)
			return -1;
	} else {
		if (bytes_eq(word, BYTES("OK"))) {
			r.kind = SASL_REPLY_OK;
		} else if (bytes_eq(word, BYTES("FAIL"))) {
			r.kind = SASL_REPLY_FAIL;
		} else {
			errno = EPROTO;
			return -1;
		}
		if (reply_fields(c, line, &r) == -1)
			return -1;
	}
	arena_reset(&c->arena);
	if (r.kind == SASL_REPLY_OK && r.user[0] == '\0') {
		errno = EPROTO;
		return -1;
	}
	*reply = r;
	secret_wipe(&r, sizeof(r));
	return 0;
}

static void
add_ip(struct buf *out, const char *name, const struct ip *ip)
{
	char text[IP_TEXT_MAX];

	if (ip != NULL && ip->family != 0)
		buf_printf(out, "\t%s=%s", name, ip_format(ip, text));
}

int
sasl_client_auth(struct sasl_client *c, const struct sasl_params *params,
    struct bytes response64, bool have_response, int64_t deadline,
    struct sasl_reply *reply)
{
	struct buf out = BUF_INIT(SASL_LINE_MAX);

	buf_printf(&out, "AUTH\t%lu\t%s\tservice=%s", (unsigned long)++c->id,
	    params->mech, params->service);
	add_ip(&out, "rip", params->remote);
	add_ip(&out, "lip", params->local);
	if (params->session != NULL) {
		buf_adds(&out, "\tsession=");
		sasl_field_escape(&out, bytes_str(params->session));
	}
	if (params->ticket)
		buf_adds(&out, "\tticket");
	if (have_response) {
		buf_adds(&out, "\tresp=");
		sasl_field_escape(&out, response64);
	}
	buf_addc(&out, '\n');
	if (send_buf(c, &out, deadline) == -1)
		return -1;
	return read_reply(c, deadline, reply);
}

int
sasl_client_continue(struct sasl_client *c, struct bytes response64,
    int64_t deadline, struct sasl_reply *reply)
{
	struct buf out = BUF_INIT(SASL_LINE_MAX);

	buf_printf(&out, "CONT\t%lu\t", (unsigned long)c->id);
	sasl_field_escape(&out, response64);
	buf_addc(&out, '\n');
	if (send_buf(c, &out, deadline) == -1)
		return -1;
	return read_reply(c, deadline, reply);
}

int
sasl_client_cancel(struct sasl_client *c, int64_t deadline)
{
	struct buf out = BUF_INIT(64);

	buf_printf(&out, "CANCEL\t%lu\n", (unsigned long)c->id);
	return send_buf(c, &out, deadline);
}

int
sasl_client_redeem(struct sasl_client *c, const char *ticket,
    int64_t deadline, struct sasl_reply *reply)
{
	struct buf out = BUF_INIT(SASL_LINE_MAX);

	buf_printf(&out, "TICKET\t%lu\t", (unsigned long)++c->id);
	sasl_field_escape(&out, bytes_str(ticket));
	buf_addc(&out, '\n');
	if (send_buf(c, &out, deadline) == -1)
		return -1;
	return read_reply(c, deadline, reply);
}
