/*
 * smtpc_drive_test.c - lib/smtpc on real descriptors
 *
 * Without arguments: against lib/smtp over a socket pair. With arguments it
 * is a client for the tests of tests/cmd/smtpc.t and others:
 *
 *	smtpc_drive_test [-cl] [-n MAILS] [-u USER -w PASSWORD] [-m MECHS]
 *	    PORT|SOCKET SENDER RECIPIENT... < MESSAGE
 *	smtpc_drive_test -s MECH USER PASSWORD
 *
 * prints a line for each recipient of each mail, and how the session ended.
 * Recipients marked again are sent again at once. -s: challenges in base64
 * from standard input, a line each, responses to standard output.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "smtp/smtp.h"
#include "smtpc/smtpc.h"

#define MESSAGE_MAX ((size_t)64 * 1024 * 1024)

/* ---- the loop that a program has around the machine ---- */

struct drive {
	struct smtpc *s;
	int fd;
	struct smtpc_mail *mail;
	int mails;			/* to be sent */
	bool gone;			/* a write failed */
	void (*done)(struct drive *d);
	void *ctx;
};

/*
 * A failed write: what the server said before counts (why it closed); the
 * connection is given up when nothing is left of that.
 */
static void
flush(struct drive *d, struct bytes *in, unsigned char *buffer, size_t size)
{
	struct bytes out = smtpc_output(d->s);
	ssize_t n;

	if (d->gone) {
		smtpc_lost(d->s, "write failed");
		return;
	}
	if (out.n == 0 ||
	    io_write_all(d->fd, out, deadline_in(smtpc_wait_ms(d->s))) == 0) {
		smtpc_written(d->s, out.n);
		return;
	}
	d->gone = true;
	n = io_read_some(d->fd, buffer, size, deadline_in(1000));
	if (n > 0)
		*in = bytes_of(buffer, (size_t)n);
}

static void
drive(struct drive *d)
{
	static unsigned char buffer[16384];
	struct bytes in = BYTES_EMPTY;
	bool again = false;
	ssize_t n;

	for (;;) {
		enum smtpc_event e = smtpc_next(d->s, &in);

		if (e == SMTPC_READ || e == SMTPC_FLUSH || e == SMTPC_CLOSED)
			flush(d, &in, buffer, sizeof(buffer));
		if (e == SMTPC_CLOSED)
			return;
		if (e == SMTPC_READ && in.n == 0 && !d->gone) {
			n = io_read_some(d->fd, buffer, sizeof(buffer),
			    deadline_in(smtpc_wait_ms(d->s)));
			if (n > 0)
				in = bytes_of(buffer, (size_t)n);
			else if (n == -1 && errno == ETIMEDOUT)
				smtpc_timed_out(d->s);
			else
				smtpc_lost(d->s, n == 0 ? "closed"
				    : "read failed");
		} else if (e == SMTPC_DONE) {
			again = false;
			d->done(d);
			again = smtpc_again(d->mail) > 0;
		} else if (e == SMTPC_READY && !again && d->mails-- <= 0) {
			smtpc_quit(d->s);
		} else if (e == SMTPC_READY) {
			for (size_t i = 0; !again &&
			    i < d->mail->nrecipients; i++)
				d->mail->recipients[i].result.class =
				    SMTPC_PENDING;
			if (smtpc_send(d->s, d->mail) == -1) {
				fprintf(stderr, "cannot send: EINVAL\n");
				exit(EXIT_PERM);
			}
		}
	}
}

/* ---- by hand ---- */

static void
print_results(struct drive *d)
{
	static const char *const names[] = { "pending", "ok", "temporary",
	    "permanent" };

	for (size_t i = 0; i < d->mail->nrecipients; i++) {
		const struct smtpc_recipient *r = &d->mail->recipients[i];
		const struct smtpc_result *q = &r->result;

		printf("%.*s %s %d %s at %s%s%s %.*s%s\n",
		    BYTES_ARG(r->path.local_part), names[q->class], q->code,
		    q->status[0] != '\0' ? q->status : "-",
		    smtpc_step_name(q->step), q->again ? " again" : "",
		    q->doubtful ? " doubtful" : "", BYTES_ARG(q->text),
		    q->why != NULL ? q->why : "");
	}
}

static int
connect_to(const char *where)
{
	struct ip ip;
	uint64_t port;

	if (num_parse(bytes_str(where), 1, 65535, &port) == -1)
		return os_connect_unix(where, deadline_in(10000));
	(void)ip_parse(BYTES("127.0.0.1"), &ip);
	return os_connect_tcp(&ip, (int)port, deadline_in(10000));
}

static void
parse_paths(struct arena *a, char *argv[], struct smtpc_mail *m)
{
	const char *why;

	if (addr_parse_path(a, bytes_str(argv[0]), ADDR_SMTPUTF8, &m->sender,
	    &why) == -1)
		exit(EXIT_PERM);
	for (argv++; *argv != NULL; argv++) {
		struct smtpc_recipient *r = &m->recipients[m->nrecipients++];

		r->orcpt = BYTES_EMPTY;
		if (addr_parse_path(a, bytes_str(*argv), ADDR_SMTPUTF8,
		    &r->path, &why) == -1)
			exit(EXIT_PERM);
	}
}

static int
by_hand(struct smtpc_options *o, int mails, char *argv[])
{
	static struct smtpc_recipient rcpt[2000];
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT(MESSAGE_MAX);
	int code;
	struct bytes part;
	struct smtpc_parts parts = { &part, 1 };
	struct smtpc_mail m = { .recipients = rcpt, .arena = &a,
	    .envid = BYTES_EMPTY, .auth = BYTES_EMPTY,
	    .hold_until = BYTES_EMPTY };
	struct drive d = { .mail = &m, .mails = mails,
	    .done = print_results };
	const struct smtpc_result *f;

	(void)signal(SIGPIPE, SIG_IGN);	/* cannot fail */
	parse_paths(&a, argv + 1, &m);
	if (io_read_all(STDIN_FILENO, &text, DEADLINE_NONE) == -1)
		return EXIT_TEMP;
	part = buf_bytes(&text);
	m.source = smtpc_source_parts(&parts);
	(void)smtpc_scan(&m.source, &m.facts);	/* memory: it cannot fail */
	if ((d.fd = connect_to(argv[0])) == -1)
		return EXIT_TEMP;
	d.s = smtpc_new(o);
	drive(&d);
	f = smtpc_failure(d.s);
	printf("session %s at %s %d %.*s%s\n", f->class == SMTPC_OK
	    ? "ok" : "failed", smtpc_step_name(f->step), f->code,
	    BYTES_ARG(f->text), f->why != NULL ? f->why : "");
	code = f->class == SMTPC_OK ? EXIT_YES : EXIT_NO;
	smtpc_free(d.s);
	(void)close(d.fd);
	arena_free(&a);
	buf_free(&text);
	return code;
}

/* SASL by lines: a peer that talks base64 on a terminal. */
static int
by_lines(char *argv[])
{
	struct saslc_login l = { .user = bytes_str(argv[1]),
	    .password = bytes_str(argv[2]), .token = BYTES_EMPTY,
	    .authzid = BYTES_EMPTY, .host = BYTES_EMPTY, .secured = true };
	struct saslc *s = saslc_new(&l, argv[0], bytes_str(argv[0]));
	char line[8192];
	const char *why = NULL;

	if (s == NULL)
		return EXIT_PERM;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct buf in = BUF_INIT(8192), out = BUF_INIT(8192);
		struct buf out64 = BUF_INIT(16384);

		if (base64_decode(&in, bytes_trim(bytes_str(line))) == -1)
			return EXIT_TEMP;
		if (saslc_step(s, buf_bytes(&in), &out, &why) == -1) {
			printf("- %s\n", why);
			return EXIT_NO;
		}
		(void)base64_encode(&out64, buf_bytes(&out));
		printf("%.*s%s\n", (int)out64.n, (const char *)out64.p,
		    saslc_success(s, &why) == 0 ? " proven" : "");
		fflush(stdout);
		buf_free(&in);
		buf_free(&out);
		buf_free(&out64);
	}
	return EXIT_YES;
}

/* ---- over a socket pair ---- */

static void
serve_rcpt(struct smtp_session *s)
{
	if (bytes_eq(smtp_asked(s->smtp)->path.local_part, BYTES("no")))
		smtp_rcpt_refuse(s->smtp, 550, "5.1.1", BYTES("no such"));
	else
		smtp_rcpt_accept(s->smtp);
}

static void
serve_message(struct smtp_session *s, struct bytes text)
{
	int *fd = s->ctx;

	(void)io_write_all(*fd, text, DEADLINE_NONE);
	while (smtp_replies_due(s->smtp) > 0)
		smtp_reply(s->smtp, 250, "2.0.0", BYTES("kept"));
}

static void
serve_refused(struct smtp_session *s, const char *why)
{
	(void)s;
	(void)why;
}

static pid_t
serve(bool lmtp, int fd, int kept)
{
	struct smtp_session s = {
		.options = { .hostname = BYTES("mx.example"),
		    .banner = BYTES("x"), .lmtp = lmtp,
		    .size_limit = 1000000, .recipients_max = 3 },
		.in = fd, .out = fd, .line_timeout_ms = 10000,
		.data_timeout_ms = 10000, .ctx = &kept,
		.rcpt = serve_rcpt, .message = serve_message,
		.refused = serve_refused,
	};
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	_exit(smtp_session_run(&s) == 0 ? 0 : 1);
}

static void
count_done(struct drive *d)
{
	size_t *n = d->ctx;

	(*n)++;
}

static void
own_server(bool lmtp)
{
	static const char *const to[] = { "a@x.example", "no@x.example",
	    "b@x.example", "c@x.example", "d@x.example" };
	struct smtpc_recipient rcpt[5] = { 0 };
	struct arena a = ARENA_INIT;
	size_t dones = 0;
	struct buf text = BUF_INIT(300000), kept = BUF_INIT(1000000);
	struct bytes part;
	struct smtpc_parts parts = { &part, 1 };
	struct smtpc_mail m = { .recipients = rcpt, .nrecipients = 5,
	    .arena = &a, .envid = BYTES_EMPTY, .auth = BYTES_EMPTY,
	    .hold_until = BYTES_EMPTY };
	struct smtpc_options o = { .hostname = BYTES("me.example"),
	    .lmtp = lmtp };
	struct drive d = { .mail = &m, .mails = 1, .done = count_done,
	    .ctx = &dones };
	const char *why;
	int pair[2], out, status;
	FILE *file = tmpfile();
	pid_t pid;

	assert_non_null(file);
	out = fileno(file);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = serve(lmtp, pair[1], out);
	assert_true(pid > 0);
	(void)close(pair[1]);
	for (int i = 0; text.n < 200000; i++)
		(void)buf_printf(&text, "%sline %d\n", i % 2 ? "." : "", i);
	part = buf_bytes(&text);
	m.source = smtpc_source_parts(&parts);
	assert_int_equal(smtpc_scan(&m.source, &m.facts), 0);
	assert_int_equal(addr_parse_path(&a, BYTES("s@x.example"), 0,
	    &m.sender, &why), 0);
	for (size_t i = 0; i < 5; i++) {
		rcpt[i].orcpt = BYTES_EMPTY;
		assert_int_equal(addr_parse_path(&a, bytes_str(to[i]), 0,
		    &rcpt[i].path, &why), 0);
	}
	d.fd = pair[0];
	d.s = smtpc_new(&o);
	drive(&d);
	assert_int_equal(smtpc_failure(d.s)->class, SMTPC_OK);
	/* RCPTMAX=3: no and two in the first, two in the second */
	assert_int_equal(dones, 2);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(rcpt[i].result.class, i == 1
		    ? SMTPC_PERMANENT : SMTPC_OK);
		assert_int_equal(rcpt[i].result.code, i == 1 ? 550 : 250);
		assert_string_equal(rcpt[i].result.status, i == 1 ? "5.1.1"
		    : "2.0.0");
	}
	smtpc_free(d.s);
	(void)close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	rewind(file);
	assert_int_equal(io_read_all(out, &kept, DEADLINE_NONE), 0);
	assert_int_equal(kept.n, 2 * text.n);
	assert_memory_equal(kept.p, text.p, text.n);
	assert_memory_equal(kept.p + text.n, text.p, text.n);
	(void)fclose(file);
	arena_free(&a);
	buf_free(&text);
	buf_free(&kept);
}

static void
smtp_pair(void **state)
{
	(void)state;
	own_server(false);
}

static void
lmtp_pair(void **state)
{
	(void)state;
	own_server(true);
}

static int
unit_tests(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-4 Q-5 five recipients to our own SMTP server that takes "
		    "three at once", smtp_pair, NULL, NULL, NULL },
		{ "the same over LMTP", lmtp_pair, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int
main(int argc, char *argv[])
{
	struct smtpc_options o = { .hostname = BYTES("client.example") };
	struct saslc_login l = { .user = BYTES_EMPTY,
	    .password = BYTES_EMPTY, .token = BYTES_EMPTY,
	    .authzid = BYTES_EMPTY, .host = BYTES_EMPTY, .in_clear = true };
	int c, mails = 1;
	bool sasl = false;

	if (argc == 1)
		return unit_tests();
	while ((c = getopt(argc, argv, "clm:n:su:w:")) != -1) {
		if (c == 'c')
			o.chunking = true;
		else if (c == 'l')
			o.lmtp = true;
		else if (c == 'm')
			l.mechanisms = optarg;
		else if (c == 'n')
			mails = (int)strtol(optarg, NULL, 10);
		else if (c == 's')
			sasl = true;
		else if (c == 'u')
			l.user = bytes_str(optarg);
		else if (c == 'w')
			l.password = bytes_str(optarg);
		else
			return EXIT_PERM;
	}
	if (argc - optind < 3)
		return EXIT_PERM;
	if (sasl)
		return by_lines(argv + optind);
	if (l.user.n > 0)
		o.login = &l;
	return by_hand(&o, mails, argv + optind);
}
