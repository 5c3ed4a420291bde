/*
 * message.c - standard input as one message
 */
#include "sendmail.h"

#include <errno.h>
#include <unistd.h>

#define READ_BYTES 65536

struct job {
	struct local *l;
	const struct options *o;
	struct arena a;
	struct buf text;
	struct compose_rcpts rcpts;
};

static int
read_text(struct job *j)
{
	unsigned char space[READ_BYTES];
	struct compose_input in = { .dot_ends = !j->o->ignore_dots };
	ssize_t n;

	while (!in.ended && (n = io_read_some(STDIN_FILENO, space,
	    sizeof(space), DEADLINE_NONE)) != 0) {
		if (n == -1 || compose_input_add(&in, bytes_of(space,
		    (size_t)n), &j->text) == -1)
			return -1;
	}
	return compose_input_end(&in, &j->text);
}

/* Refused for good: kept. */
static int
refuse(struct job *j, int code)
{
	save_letter(j->l, buf_bytes(&j->text));
	return code;
}

static int
find_rcpts(struct job *j)
{
	const char *why = "";

	if (j->o->from_fields && compose_read_rcpts(&j->a,
	    buf_bytes(&j->text), &j->rcpts, &why) == -1) {
		msg_warn("cannot use the recipients of the message: %s",
		    why);
		return refuse(j, EX_DATAERR);
	}
	if (j->rcpts.count == 0) {
		msg_warn("no recipients");
		return refuse(j, EX_USAGE);
	}
	return EX_OK;
}

/* By what the server says of it. */
static int
take_reply(struct job *j, const struct add_reply *r)
{
	if (r->code >= 300)
		msg_warn("not sent: %llu %.*s %.*s",
		    (unsigned long long)r->code, BYTES_ARG(r->status),
		    BYTES_ARG(r->text));
	else if (j->o->verbose)
		msg_info("sent: %llu %.*s %.*s", (unsigned long long)r->code,
		    BYTES_ARG(r->status), BYTES_ARG(r->text));
	if (r->code < 300)
		return EX_OK;
	if (r->code < 500)
		return EX_TEMPFAIL;
	return refuse(j, bytes_starts(r->status, BYTES("5.1.")) ? EX_NOUSER
	    : EX_UNAVAILABLE);
}

static int
submit(struct job *j)
{
	struct add_request r = j->o->request;
	struct add_reply reply;
	struct bytes header, body;
	const char *why = "";

	r.account = j->l->account;
	r.sender = j->o->sender == NULL ? j->l->address
	    : bytes_str(j->o->sender);
	if (r.sender.n > 0)
		r.sender = local_complete(j->l, r.sender);
	r.smtputf8 = 1;
	r.count = j->rcpts.count;
	r.rcpts = arena_zalloc(&j->a, r.count, sizeof(*r.rcpts));
	for (size_t i = 0; i < r.count; i++)
		r.rcpts[i] = (struct add_rcpt){ .orcpt = BYTES_EMPTY,
		    .address = local_complete(j->l, j->rcpts.address[i]),
		    .notify = j->o->notify };
	if (hand_compose(j->l, j->o->full_name, false, &j->a,
	    buf_bytes(&j->text), &header, &body) == -1) {
		msg_warn("the header section is too long");
		return refuse(j, EX_DATAERR);
	}
	if (hand_over(&j->a, &r, header, body, &reply, &why) == -1) {
		msg_warnsys("not sent: %s", why);
		return EX_TEMPFAIL;
	}
	return take_reply(j, &reply);
}

static int
run(struct job *j, char *const operands[], size_t count)
{
	const char *why = "";
	int code;

	for (size_t i = 0; i < count; i++) {
		if (compose_add_rcpts(&j->a, bytes_str(operands[i]),
		    &j->rcpts, &why) == -1) {
			msg_warn("cannot use recipient %s: %s", operands[i],
			    why);
			return EX_USAGE;
		}
	}
	if (!j->o->from_fields && j->rcpts.count == 0) {
		msg_warn("no recipients");
		return EX_USAGE;
	}
	if (read_text(j) == -1) {
		msg_warnsys("cannot read the message");
		return exit_to_sysexits(exit_for(errno));
	}
	code = find_rcpts(j);
	return code == EX_OK ? submit(j) : code;
}

int
message_send(struct local *l, const struct options *o,
    char *const operands[], size_t count)
{
	struct job j = { .l = l, .o = o, .a = ARENA_INIT,
	    .text = BUF_INIT(SIZE_MAX) };
	int code = run(&j, operands, count);

	buf_free(&j.text);
	arena_free(&j.a);
	return code;
}
