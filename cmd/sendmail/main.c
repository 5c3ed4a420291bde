/*
 * sendmail - the mail command that programs of a Unix system expect
 */
#include "sendmail.h"

#include <errno.h>
#include <unistd.h>

static const char usage[] = "usage: sendmail [-itv] [-B body] [-b mode] "
    "[-F name] [-f sender] [-N dsn] [-R ret] [-V envid] [recipient ...]";

/* RFC 3461 4.4. */
#define ENVID_MAX 100

struct program {
	struct options options;
	int mode;		/* of -b */
	bool queue_run;		/* -q */
};

/* "never", or some of success, failure, delay (RFC 3461 4.1). */
static uint64_t
parse_notify(const char *text)
{
	struct bytes rest = bytes_str(text), word;
	uint64_t notify = 0;
	bool more;

	if (bytes_caseeq(rest, BYTES("never")))
		return QUEUE_NOTIFY_NEVER;
	do {
		more = bytes_split(&rest, ',', &word);
		if (bytes_caseeq(word, BYTES("success")))
			notify |= QUEUE_NOTIFY_SUCCESS;
		else if (bytes_caseeq(word, BYTES("failure")))
			notify |= QUEUE_NOTIFY_FAILURE;
		else if (bytes_caseeq(word, BYTES("delay")))
			notify |= QUEUE_NOTIFY_DELAY;
		else
			msg_die(EX_USAGE, "cannot use -N %s: never, or some "
			    "of success,failure,delay", text);
	} while (more);
	return notify;
}

static void
set_return(struct add_request *r, const char *text)
{
	r->ret_full = bytes_caseeq(bytes_str(text), BYTES("full"));
	r->ret_headers = bytes_caseeq(bytes_str(text), BYTES("hdrs"));
	if (!r->ret_full && !r->ret_headers)
		msg_die(EX_USAGE, "cannot use -R %s: full or hdrs", text);
}

static void
set_envid(struct add_request *r, const char *text)
{
	r->envid = bytes_str(text);
	for (size_t i = 0; i < r->envid.n; i++) {
		if (r->envid.p[i] <= ' ' || r->envid.p[i] >= 0x7f)
			msg_die(EX_USAGE, "cannot use -V %s: printable ASCII "
			    "without blanks", text);
	}
	if (r->envid.n == 0 || r->envid.n > ENVID_MAX)
		msg_die(EX_USAGE, "cannot use -V: 1 to %d characters",
		    ENVID_MAX);
}

static void
set_body(struct add_request *r, const char *text)
{
	struct bytes body = bytes_str(text);

	r->body_8bit = bytes_caseeq(body, BYTES("8BITMIME"));
	if (!r->body_8bit && !bytes_caseeq(body, BYTES("7BIT")))
		msg_die(EX_USAGE, "cannot use -B %s: 7BIT or 8BITMIME", text);
}

/* Without brackets; whatever else it is, the service checks. */
static void
set_sender(struct options *o, const char *text)
{
	struct arena a = ARENA_INIT;
	struct compose_rcpts one = { .count = 0 };
	const char *why = "";

	if (text[0] == '\0' || bytes_eq(bytes_str(text), BYTES("<>"))) {
		o->sender = "";
		return;
	}
	if (compose_add_rcpts(&a, bytes_str(text), &one, &why) == -1 ||
	    one.count != 1)
		msg_die(EX_USAGE, "cannot use -f %s: %s", text,
		    one.count == 0 ? why : "more than one address");
	/* It lasts as long as the program. */
	o->sender = mem_strdup(arena_str(&a, one.address[0]));
	arena_free(&a);
}

static void
set_full_name(struct options *o, const char *text)
{
	struct buf b = BUF_INIT(COMPOSE_NAME_MAX * 4);

	if (compose_add_name(&b, bytes_str(text)) == -1)
		msg_die(EX_USAGE, "cannot use -F: at most %d bytes of UTF-8 "
		    "without control characters", COMPOSE_NAME_MAX);
	buf_free(&b);
	o->full_name = text;
}

static void
set_mode(struct program *p, const char *mode)
{
	static const char known[] = "imps";
	size_t at;

	if (mode[0] != '\0' && mode[1] == '\0' &&
	    bytes_chr(bytes_str(known), (unsigned char)mode[0], &at)) {
		p->mode = (unsigned char)mode[0];
		return;
	}
	if (bytes_eq(bytes_str(mode), BYTES("v")))
		msg_die(EX_UNAVAILABLE, "cannot do -bv: addresses are not "
		    "verified here; a server tells when it gets the message");
	msg_die(EX_USAGE, "cannot do -b%s: -bm, -bs, -bp and -bi are known",
	    mode);
}

/* Those not named here are taken and mean nothing. */
static void
set_option(struct program *p, int c, const char *value)
{
	struct options *o = &p->options;

	switch (c) {
	case 'B':
		set_body(&o->request, value);
		break;
	case 'b':
		set_mode(p, value);
		break;
	case 'F':
		set_full_name(o, value);
		break;
	case 'f':
	case 'r':
		set_sender(o, value);
		break;
	case 'i':
		o->ignore_dots = true;
		break;
	case 'N':
		o->notify = parse_notify(value);
		break;
	case 'o':
		o->ignore_dots |= value[0] == 'i' && value[1] == '\0';
		break;
	case 'q':
		p->queue_run = true;
		break;
	case 'R':
		set_return(&o->request, value);
		break;
	case 't':
		o->from_fields = true;
		break;
	case 'V':
		set_envid(&o->request, value);
		break;
	case 'v':
		o->verbose = true;
		break;
	default:
		break;
	}
}

/* Without the service: who may read the queue itself can. */
static int
list_by_command(struct local *l)
{
	char name[] = "queue-list", option[] = "-a";
	char *argv[] = { name, option, arena_str(&l->arena, l->account),
	    NULL };

	if (l->account.n == 0)
		msg_die(EX_UNAVAILABLE, "no queue to show: no local-user in "
		    "main.conf for %.*s", BYTES_ARG(l->user));
	(void)spawn_exec(argv);	/* comes back only when it failed */
	msg_diesys(EX_OSFILE, "cannot run queue-list");
}

/* The caller's own part of the queue: queue-add knows who asks. */
static int
list_queue(struct local *l)
{
	const char *path = arena_printf(&l->arena, "%s/queue-add", dir_run());
	struct add_request r;
	struct add_reply reply = { .next = BYTES_EMPTY };

	(void)add_parse_request(&l->arena, BYTES_EMPTY, &r);
	r.list = 1;
	r.account = l->account;
	do {
		r.after = reply.next;
		if (add_send(&l->arena, path, &r, -1, &reply,
		    deadline_in(ANSWER_TIMEOUT_MS)) == -1) {
			if (errno == ENOENT && r.after.n == 0)
				return list_by_command(l);
			msg_diesys(EX_TEMPFAIL, "no answer from %s", path);
		}
		if (reply.code >= 300)
			msg_die(reply.code < 500 ? EX_TEMPFAIL
			    : EX_UNAVAILABLE, "no queue to show: %.*s",
			    BYTES_ARG(reply.text));
		if (io_write_all(STDOUT_FILENO, reply.text,
		    DEADLINE_NONE) == -1)
			msg_diesys(EX_IOERR, "cannot write");
	} while (reply.next.n > 0);
	return EX_OK;
}

static int
run(struct program *p, char *const operands[], size_t count)
{
	struct local l;
	int code;

	/* No aliases to make, and the queue runs by itself. */
	if (p->mode == 'i' || (p->queue_run && count == 0 &&
	    !p->options.from_fields && p->mode == 0))
		return EX_OK;
	local_open(&l);
	if (p->mode == 'p')
		code = list_queue(&l);
	else if (p->mode == 's')
		code = session_run(&l, &p->options);
	else
		code = message_send(&l, &p->options, operands, count);
	local_close(&l);
	return code;
}

int
main(int argc, char *argv[])
{
	struct program p = { .mode = 0 };
	struct arena a = ARENA_INIT;
	struct bytes self = bytes_str(argc > 0 ? argv[0] : "");
	int c, code;

	msg_init("sendmail");
	(void)add_parse_request(&a, BYTES_EMPTY, &p.options.request);
	/* By these names it is installed, too (usually as symbolic links). */
	if (bytes_ends(self, BYTES("mailq")))
		p.mode = 'p';
	else if (bytes_ends(self, BYTES("newaliases")))
		p.mode = 'i';
	/* "+": what stands behind the first recipient is a recipient. */
	while ((c = getopt(argc, argv, "+A:B:b:e:F:f:Gh:iL:mN:nO:o:p:q::R:r:"
	    "tUV:vX:")) != -1) {
		if (c == '?')
			msg_die(EX_USAGE, "%s", usage);
		set_option(&p, c, optarg);
	}
	code = run(&p, argv + optind, (size_t)(argc - optind));
	arena_free(&a);
	return code;
}
