/*
 * hand.c - one message from standard input, shown step by step
 */
#include "smtp_out.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "config/config.h"
#include "route/route.h"
#include "unicode/unicode.h"

#define COPY_BYTES 65536
#define RESULT_MAX 65536

struct hand {
	int worst;
};

static void
show(void *ctx, int who, struct bytes line)
{
	struct buf b = BUF_INIT(RESULT_MAX);

	(void)ctx;
	/* Too long a line is cut. */
	(void)buf_printf(&b, "%c ", who);
	(void)msg_escape(&b, line);
	(void)buf_addc(&b, '\n');
	(void)io_write_all(STDERR_FILENO, buf_bytes(&b), DEADLINE_NONE);
	buf_free(&b);
}

static int
print(void *ctx, const struct job_result *r)
{
	const struct queue_attempt *a = &r->attempt;
	struct hand *h = ctx;
	struct buf b = BUF_INIT(RESULT_MAX);
	int code = EXIT_YES, n;

	if (a->outcome == QUEUE_FAILED)
		code = EXIT_PERM;
	else if (a->outcome != QUEUE_DELIVERED &&
	    a->outcome != QUEUE_RELAYED)
		code = EXIT_TEMP;
	if (h->worst != EXIT_TEMP && code != EXIT_YES)
		h->worst = code;
	/* An answer has at most SMTPC_TEXT_MAX bytes: it fits. */
	(void)buf_printf(&b, "%llu\t%s\t%llu\t", (unsigned long long)r->n,
	    queue_outcome_text(a->outcome), (unsigned long long)a->code);
	(void)msg_escape(&b, a->status);
	(void)buf_addc(&b, '\t');
	(void)msg_escape(&b, a->text);
	(void)buf_addc(&b, '\n');
	n = io_write_all(STDOUT_FILENO, buf_bytes(&b), DEADLINE_NONE);
	buf_free(&b);
	return n;
}

/* Standard input as a file that can be mapped and given to a program. */
static int
read_message(struct queue_message *m)
{
	unsigned char space[COPY_BYTES];
	int fd = os_tmpfile(AT_FDCWD, "/tmp");
	ssize_t n = 0;

	while (fd != -1 && (n = io_read_some(STDIN_FILENO, space,
	    sizeof(space), DEADLINE_NONE)) > 0) {
		if (io_write_all(fd, bytes_of(space, (size_t)n),
		    DEADLINE_NONE) == -1)
			n = -1;
		m->size += n > 0 ? (uint64_t)n : 0;
		if (n == -1)
			break;
	}
	if (fd == -1 || n == -1)
		msg_diesys(exit_for(errno), "cannot read the message");
	return fd;
}

/* HOST:PORT, [ADDRESS]:PORT, /PATH, or a domain to be looked up. */
static void
set_place(struct arena *a, struct job_request *r, struct bytes place)
{
	struct transport *t = &r->transport;
	struct dns_server at;
	uint64_t port;
	size_t colon;

	t->type = TRANSPORT_RELAY;
	t->tls_insecure = 1;
	if (bytes_at(place, 0) == '/') {
		t->type = TRANSPORT_LMTP;
		t->host = place;
	} else if (dns_server_parse(place, &at) == 0) {
		char *text = arena_alloc(a, IP_TEXT_MAX);

		t->host = bytes_str(ip_format(&at.ip, text));
		t->port = bytes_rchr(place, ':', &colon) &&
		    at.ip.family != 0 && at.port != 53 ? (uint64_t)at.port
		    : 25;
	} else if (bytes_rchr(place, ':', &colon) &&
	    num_parse(bytes_from(place, colon + 1), 1, 65535, &port) == 0) {
		t->host = bytes_first(place, colon);
		t->port = port;
	} else {
		t->type = TRANSPORT_DIRECT;
		t->tls_insecure = 0;
		if (bytes_at(place, 0) != '[' &&
		    idna_to_ascii(a, place, &place, NULL) == -1)
			msg_die(EXIT_PERM, "cannot send to %.*s: not a "
			    "domain name", BYTES_ARG(place));
		r->domain = place;
	}
}

static void
set_rcpts(struct arena *a, struct job_request *r, char *args[])
{
	struct queue_rcpt none;
	struct path path;
	const char *why;

	(void)queue_rcpt_parse(BYTES_EMPTY, &none);	/* all zero */
	for (size_t i = 0; args[i] != NULL; i++)
		r->count++;
	r->rcpts = arena_zalloc(a, r->count, sizeof(*r->rcpts));
	for (size_t i = 0; i < r->count; i++) {
		r->rcpts[i] = none;
		r->rcpts[i].id = r->message.id;
		r->rcpts[i].n = i + 1;
		r->rcpts[i].attempts = 1;
		r->rcpts[i].address = bytes_str(args[i]);
		if (addr_parse_mailbox(a, r->rcpts[i].address, ADDR_SMTPUTF8,
		    &path, &why) == -1)
			msg_die(EXIT_PERM, "cannot send to %s: %s", args[i],
			    why);
	}
}

static void
set_transport(struct arena *a, struct job_request *r, const char *name)
{
	struct config *c = config_open();
	const char *why;

	if (c == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	if (route_transport(a, c, bytes_str(name), &r->transport,
	    &why) == -1)
		msg_diesys(exit_for(errno), "cannot use %s", why);
	config_close(c);
}

int
by_hand(struct program *p, const char *transport, const char *sender,
    enum queue_tls tls, bool verbose, char *args[])
{
	struct session s = { .a = ARENA_INIT, .conn = { .fd = -1 } };
	struct arena a = ARENA_INIT;
	struct bytes none = BYTES_EMPTY;
	struct hand h = { EXIT_YES };
	struct job_request r = { .sender = bytes_str(sender),
	    .domain = none };
	struct job j = { .a = &a, .session = &s, .tell = print, .ctx = &h,
	    .text = none };
	const char *why;
	int fd;

	(void)queue_message_parse(none, &r.message);	/* all zero */
	r.message.id = (uint64_t)time_wall_us();
	r.transport = (struct transport){ .name = none, .host = none,
	    .user = none, .password = none, .mechanisms = none,
	    .key_pem = none, .cert_pem = none, .helo = none, .socks = none,
	    .socks_user = none, .socks_password = none,
	    .source4 = none, .source6 = none, .command = none,
	    .text = none };
	set_place(&a, &r, bytes_str(args[0]));
	set_rcpts(&a, &r, args + 1);
	for (size_t i = 0; i < r.count; i++)
		r.rcpts[i].tls = tls;
	if (transport != NULL)
		set_transport(&a, &r, transport);
	p->settings.by_hand = true;
	p->settings.trace = verbose ? show : NULL;
	session_close(&s);
	fd = read_message(&r.message);
	if (job_init(&j, &p->settings, &r, fd, &why) == -1)
		msg_die(EXIT_PERM, "cannot send: %s", why);
	job_run(&j);
	session_close(&s);
	job_end(&j);
	(void)close(fd);
	arena_free(&a);
	arena_free(&s.a);
	return j.dropped ? EXIT_TEMP : h.worst;
}
