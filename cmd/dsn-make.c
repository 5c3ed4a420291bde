/*
 * dsn-make - compose a delivery status notification, or read one
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "dsn/dsn.h"
#include "mime/mime.h"
#include "os/os.h"
#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: dsn-make [-c action] [-h host] [-m text] [-r sender] [-s status]\n"
    "           id\n"
    "       dsn-make [-c action] [-h host] [-m text] -r sender [-s status]\n"
    "           -t recipient ... < message\n"
    "       dsn-make -p [-j] < message";

/* Of what is read, with a margin over what is returned. */
#define MESSAGE_MAX ((size_t)64 * 1024 * 1024)
#define RCPTS_MAX DSN_RCPTS_MAX

struct options {
	struct qcmd q;
	struct dsn dsn;
	struct dsn_rcpt rcpts[RCPTS_MAX];
	const char *action, *host, *text, *sender, *status;
	bool parse, json;
};

static struct bytes
read_message(struct options *o)
{
	struct buf b = BUF_INIT(MESSAGE_MAX);
	struct bytes text;

	if (io_read_all(STDIN_FILENO, &b, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot read message");
	text = arena_bytes(&o->q.arena, buf_bytes(&b));
	buf_free(&b);
	return text;
}

/* ---- reading ---- */

static void
put_report(struct qcmd_out *out, const struct dsn_report *d,
    const struct dsn_rcpt *r)
{
	qcmd_out_text(out, "address", r->address);
	qcmd_out_text(out, "action", bytes_str(dsn_action_text(r->action)));
	qcmd_out_text(out, "status", r->status);
	qcmd_out_num(out, "code", (int64_t)r->code);
	qcmd_out_text(out, "text", r->text);
	qcmd_out_text(out, "host", r->host);
	qcmd_out_text(out, "orcpt", r->orcpt);
	qcmd_out_text(out, "envid", d->envid);
	qcmd_out_text(out, "reporting-mta", d->reporting_mta);
	qcmd_out_text(out, "message-id", d->message_id);
}

static int
parse(struct options *o)
{
	struct dsn_report d;
	struct qcmd_out out;
	const char *why = "";
	int r = dsn_parse(&o->q.arena, read_message(o), &d, &why);

	if (r == -1)
		msg_die(EXIT_PERM, "cannot read report: %s", why);
	if (r == 0)
		return EXIT_NO;
	qcmd_out_init(&out, o->json ? QCMD_JSON : QCMD_COLUMNS,
	    STDOUT_FILENO);
	for (size_t i = 0; i < d.count; i++) {
		put_report(&out, &d, &d.rcpts[i]);
		(void)qcmd_out_end(&out);	/* qcmd_out_close tells */
	}
	if (qcmd_out_close(&out) == -1)
		msg_diesys(EXIT_TEMP, "cannot write report");
	return EXIT_YES;
}

/* ---- composing ---- */

static void
set_rcpt(struct options *o, struct dsn_rcpt *r)
{
	static const char *const statuses[] = { "5.0.0", "4.0.0", "2.0.0",
	    "2.0.0", "2.0.0" };
	int action = DSN_FAILED;

	while (action <= DSN_EXPANDED && !bytes_eq(bytes_str(o->action),
	    bytes_str(dsn_action_text((enum dsn_action)action))))
		action++;
	if (action > DSN_EXPANDED)
		msg_die(EXIT_PERM, "no action: %s", o->action);
	r->action = (enum dsn_action)action;
	if (o->status != NULL)
		r->status = bytes_str(o->status);
	else if (r->status.n == 0)
		r->status = bytes_str(statuses[action]);
	if (o->text != NULL)
		r->text = bytes_str(o->text);
}

static void
add_rcpt(struct options *o, struct bytes address)
{
	if (o->dsn.count == RCPTS_MAX)
		msg_die(EXIT_PERM, "more than %d recipients", RCPTS_MAX);
	o->rcpts[o->dsn.count++] = (struct dsn_rcpt){ .address = address,
	    .orcpt = BYTES_EMPTY, .status = BYTES_EMPTY,
	    .text = BYTES_EMPTY, .host = BYTES_EMPTY, .ip = BYTES_EMPTY };
}

/* A queued message and its recipients. 1, 0 not there, -1. */
static int
take_queued(struct options *o, const struct qcmd_place *p)
{
	struct queue_txn *t = queue_begin(o->q.queue, false);
	struct queue_rcpt r = { .id = p->id };
	struct queue_message m;
	struct dsn_rcpt *d;
	int got = t == NULL ? -1 : queue_get_message(t, &o->q.arena, p->id,
	    &m);

	if (got == 1) {
		o->dsn.envid = m.envid;
		o->dsn.message_id = m.message_id;
		o->dsn.subject = m.subject;
		o->dsn.arrival = m.submitted;
		o->dsn.full = m.ret_full && m.tls != QUEUE_TLS_REQUIRED;
		if (o->sender == NULL)
			o->dsn.to = m.sender;
	}
	while (got == 1 && (got = queue_next_rcpt(t, &o->q.arena, r.id, r.n,
	    &r)) == 1 && r.id == p->id) {
		if (p->n != 0 && p->n != r.n)
			continue;
		add_rcpt(o, r.address);
		d = &o->rcpts[o->dsn.count - 1];
		d->orcpt = r.orcpt;
		d->status = r.result.status;
		d->code = r.result.code;
		d->text = r.result.text;
		d->host = r.result.host;
		d->ip = r.result.ip;
		d->last = r.last;
		d->retry_until = m.expires;
	}
	queue_abort(t);
	return got == -1 ? -1 : o->dsn.count > 0;
}

static void
take_text(struct options *o, uint64_t id)
{
	struct buf b = BUF_INIT(MESSAGE_MAX);
	int fd = queue_file_open(o->q.queue, id);

	if (fd == -1 || io_read_all(fd, &b, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot read message");
	(void)close(fd);	/* read only */
	o->dsn.original = arena_bytes(&o->q.arena, buf_bytes(&b));
	buf_free(&b);
}

static void
from_queue(struct options *o, const char *operand)
{
	const char *bad = operand;
	char *args[] = { NULL };
	char text[QUEUE_ID_TEXT];
	int r;

	args[0] = arena_str(&o->q.arena, bytes_str(operand));
	if (qcmd_filter_ids(&o->q.filter, &o->q.arena, args, 1, &bad) == -1)
		msg_die(EXIT_PERM, "no id of the queue: %s", bad);
	if ((r = qcmd_open(&o->q, false)) == 1)
		r = take_queued(o, &o->q.filter.ids[0]);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot read queue");
	if (r == 0)
		exit(EXIT_NO);
	if (o->dsn.to.n == 0)
		msg_die(EXIT_PERM, "the message has a null sender");
	take_text(o, o->q.filter.ids[0].id);
	queue_id_format(text, o->q.filter.ids[0].id, 0);
	o->dsn.id = arena_bytes(&o->q.arena, bytes_str(text));
}

static void
from_input(struct options *o)
{
	struct dsn *d = &o->dsn;
	struct bytes header, body;

	d->original = read_message(o);
	d->arrival = d->now;
	mime_split(d->original, &header, &body);
	d->message_id = bytes_trim(mime_field_value(&o->q.arena, header,
	    BYTES("Message-ID")));
	d->subject = mime_field_text(&o->q.arena, header, BYTES("Subject"));
}

/* -h, else as configured, else the system's. */
static struct bytes
hostname(struct options *o)
{
	struct config *c;
	struct bytes name = bytes_str(o->host);
	char system[256];

	if (name.n > 0)
		return name;
	if ((c = config_open()) != NULL) {
		name = arena_bytes(&o->q.arena, config_get_text(c, "server",
		    NULL, "hostname"));
		config_close(c);
	}
	if (name.n == 0 && os_hostname(system, sizeof(system)) == 0)
		name = arena_bytes(&o->q.arena, bytes_str(system));
	return name;
}

static int
compose(struct options *o, const char *operand)
{
	struct buf out = BUF_INIT(SIZE_MAX);
	struct dsn *d = &o->dsn;

	d->now = time_wall_us() / 1000000;
	if (o->sender != NULL)
		d->to = bytes_str(o->sender);
	d->hostname = hostname(o);
	if (operand != NULL)
		from_queue(o, operand);
	else
		from_input(o);
	for (size_t i = 0; i < d->count; i++)
		set_rcpt(o, &o->rcpts[i]);
	d->from = bytes_str(arena_printf(&o->q.arena, "postmaster@%.*s",
	    BYTES_ARG(d->hostname)));
	d->utf8 = !bytes_is_ascii(d->to);
	d->rcpts = o->rcpts;
	if (dsn_compose(&out, d) == -1)
		msg_diesys(exit_for(errno), "cannot compose");
	if (io_write_all(STDOUT_FILENO, buf_bytes(&out), DEADLINE_NONE) == -1)
		msg_diesys(EXIT_TEMP, "cannot write");
	buf_free(&out);
	return EXIT_YES;
}

static void
set_option(struct options *o, int c, const char *value)
{
	switch (c) {
	case 'c':
		o->action = value;
		break;
	case 'h':
		o->host = value;
		break;
	case 'm':
		o->text = value;
		break;
	case 'r':
		o->sender = value;
		break;
	case 's':
		o->status = value;
		break;
	case 't':
		add_rcpt(o, bytes_str(value));
		break;
	case 'p':
		o->parse = true;
		break;
	case 'j':
		o->json = true;
		break;
	default:
		msg_usage(usage);
	}
}

int
main(int argc, char *argv[])
{
	struct options *o;
	bool made = false;
	int c, code;

	msg_init("dsn-make");
	o = mem_zalloc(1, sizeof(*o));
	o->dsn.envid = o->dsn.message_id = o->dsn.subject = o->dsn.id =
	    o->dsn.to = o->dsn.original = BYTES_EMPTY;
	o->action = "failed";
	while ((c = getopt(argc, argv, "c:h:m:r:s:t:pj")) != -1) {
		set_option(o, c, optarg);
		made |= c != 'p' && c != 'j';
	}
	if (o->parse ? made || argc != optind
	    : o->json || argc - optind > 1 ||
	    (argc == optind ? o->dsn.count == 0 || o->sender == NULL
	    : o->dsn.count > 0))
		msg_usage(usage);
	if (o->parse)
		code = parse(o);
	else
		code = compose(o, argc == optind ? NULL : argv[optind]);
	qcmd_close(&o->q);
	free(o);
	return code;
}
