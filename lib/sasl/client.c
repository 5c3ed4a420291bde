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

#define MECHS_MAX 32		/* more than there are */

struct sasl_client {
	int fd;
	uint32_t id;
	struct reader in;
	struct arena arena;
	bool has[MECHS_MAX];		/* sasl_mech_at(i) is offered */
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

static void
note_mech(struct sasl_client *c, struct bytes name)
{
	const struct sasl_mech *m;
	size_t i;

	for (i = 0; i < MECHS_MAX && (m = sasl_mech_at(i)) != NULL; i++)
		c->has[i] = c->has[i] || bytes_eq(bytes_str(m->name), name);
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
		if (bytes_eq(field, BYTES("MECH"))) {
			bytes_split(&line, '\t', &field);
			note_mech(c, field);
		}
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

int
sasl_client_mechanisms(const struct sasl_client *c, bool plaintext,
    bool bindings, bool client_key, struct buf *out)
{
	const struct sasl_mech *m;
	size_t i, start = out->n;

	for (i = 0; i < MECHS_MAX && (m = sasl_mech_at(i)) != NULL; i++) {
		if (!c->has[i] || (m->plaintext && !plaintext) ||
		    (m->plus && !bindings) || (!client_key &&
		    bytes_eq(bytes_str(m->name), BYTES("EXTERNAL"))))
			continue;
		if (out->n > start)
			buf_addc(out, ' ');
		buf_adds(out, m->name);
	}
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
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
reply_field(struct bytes value, struct sasl_reply *r)
{
	if (bytes_eq(value, BYTES("temp")))
		r->temporary = true;
	else if (bytes_eq(value, BYTES("limited")))
		r->limited = true;
	else if (bytes_eq(value, BYTES("user_disabled")))
		r->disabled = true;
	else if (bytes_eq(value, BYTES("uncharged")))
		r->uncharged = true;
	else if (bytes_eq(value, BYTES("nopreauth")))
		r->no_preauth = true;
	else if (r->kind == SASL_REPLY_OK &&
	    bytes_skip(&value, BYTES("user=")))
		return copy_text(r->user, sizeof(r->user), value);
	else if (bytes_skip(&value, BYTES("login=")))
		return copy_text(r->login, sizeof(r->login), value);
	else if (bytes_skip(&value, BYTES("ticket=")))
		return copy_text(r->ticket, sizeof(r->ticket), value);
	else if (bytes_skip(&value, BYTES("reason=")))
		return copy_text(r->reason, sizeof(r->reason), value);
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
		if (reply_field(value, r) == -1)
			return -1;
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
	*reply = r;
	secret_wipe(&r, sizeof(r));
	return 0;
}

/* For OK to AUTH and TICKET: without a user it means nothing. */
static int
read_login(struct sasl_client *c, int64_t deadline, struct sasl_reply *reply)
{
	if (read_reply(c, deadline, reply) == -1)
		return -1;
	if (reply->kind == SASL_REPLY_OK && reply->user[0] == '\0') {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

static void
add_ip(struct buf *out, const char *name, const struct ip *ip)
{
	char text[IP_TEXT_MAX];

	if (ip != NULL && ip->family != 0)
		buf_printf(out, "\t%s=%s", name, ip_format(ip, text));
}

static void
add_text(struct buf *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(out, "\t%s=", name);
	sasl_field_escape(out, bytes_str(value));
}

static void
add_tls(struct buf *out, const struct sasl_params *params)
{
	char id[CLIENTKEY_ID_CHARS + 1];
	unsigned int i;

	if (params->tls != NULL)
		buf_adds(out, "\tsecured=tls");
	add_text(out, "tls_protocol", params->tls);
	if (params->client_key != NULL) {
		clientkey_id_format(params->client_key, id);
		add_text(out, "client-key", id);
	}
	for (i = 0; params->binding != NULL && i < SASL_BINDINGS; i++) {
		if (params->binding[i].n == 0)
			continue;
		buf_printf(out, "\tcb-%s=", sasl_binding_name(i));
		base64_encode(out, bytes_of(params->binding[i].p,
		    params->binding[i].n));
	}
}

int
sasl_client_allowed(struct sasl_client *c, const char *service,
    const struct ip *remote, int64_t deadline)
{
	struct buf out = BUF_INIT(SASL_LINE_MAX);
	struct sasl_reply reply;

	buf_printf(&out, "ALLOWED\t%lu\tservice=%s",
	    (unsigned long)++c->id, service);
	add_ip(&out, "rip", remote);
	buf_addc(&out, '\n');
	if (send_buf(c, &out, deadline) == -1 ||
	    read_reply(c, deadline, &reply) == -1)
		return -1;
	return reply.kind == SASL_REPLY_OK ? 1 : 0;
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
	add_text(&out, "session", params->session);
	add_text(&out, "client_id", params->agent);
	add_tls(&out, params);
	if (params->preauth)
		buf_adds(&out, "\tpreauth");
	if (params->ticket)
		buf_adds(&out, "\tticket");
	if (have_response) {
		buf_adds(&out, "\tresp=");
		sasl_field_escape(&out, response64);
	}
	buf_addc(&out, '\n');
	if (send_buf(c, &out, deadline) == -1)
		return -1;
	return read_login(c, deadline, reply);
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
	return read_login(c, deadline, reply);
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
	return read_login(c, deadline, reply);
}
