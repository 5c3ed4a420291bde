/*
 * serve.c - jobs from queue-run (lib/queue/job.h), one connection
 */
#include "smtp_out.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame/frame.h"

#define TELL_MS 10000
/* queue-run sends the next job at once, or closes. */
#define NEXT_JOB_MS 60000
#define FIRST_JOB_MS 10000

struct asker {
	int fd;
	bool is_socket;
};

static int
send_frame(const struct asker *k, struct buf *b, int made)
{
	int r = made == 0 ? io_write_all(k->fd, buf_bytes(b),
	    deadline_in(TELL_MS)) : -1;

	buf_free(b);
	return r;
}

static int
tell(void *ctx, const struct job_result *r)
{
	struct buf b = BUF_INIT(FRAME_MAX);

	return send_frame(ctx, &b, job_format_result(&b, r));
}

/* The results of one who is gone would be lost, and the message sent again. */
static bool
is_alive(void *ctx)
{
	const struct asker *k = ctx;
	char c;

	return !k->is_socket || recv(k->fd, &c, 1, MSG_PEEK |
	    MSG_DONTWAIT) != 0;
}

static bool
is_command(const struct job_request *r)
{
	return r->transport.type == TRANSPORT_COMMAND ||
	    r->transport.type == TRANSPORT_BSMTP;
}

/* As narrow as the kind of the first job allows. */
static int
enter_sandbox(struct program *p, const struct job_request *r)
{
	return os_sandbox_enter(is_command(r) ? &p->commands : &p->network);
}

static int
run_job(struct program *p, struct asker *k, struct session *s,
    struct arena *a, const struct job_request *r, int file)
{
	struct job j = { .a = a, .session = s, .tell = tell,
	    .alive = is_alive, .ctx = k, .text = BYTES_EMPTY };
	struct buf b = BUF_INIT(FRAME_MAX);
	const char *why;

	if (job_init(&j, &p->settings, r, file, &why) == -1)
		job_finish(&j, QUEUE_DELAYED, 0, "4.3.0", bytes_str(why));
	else
		job_run(&j);
	job_end(&j);
	return j.dropped ? -1 : send_frame(k, &b,
	    job_format_done(&b, &j.done));
}

/* 1 a job was done, 0 there is none, -1. */
static int
next_job(struct program *p, struct asker *k, struct session *s,
    struct buf *in, struct arena *a, int *kind)
{
	struct job_request r;
	struct bytes fields;
	int file = -1, got, this_kind;
	size_t n = 1;

	got = frame_recv(k->fd, in, &fields, &file, &n, deadline_in(
	    *kind == -1 ? FIRST_JOB_MS : NEXT_JOB_MS));
	if (got != 1)
		return got;
	if (n != 1 || job_parse_request(a, fields, &r) == -1) {
		msg_warn("cannot take job: it is malformed");
		got = -1;
	} else {
		this_kind = is_command(&r);
		if (*kind == -1 && enter_sandbox(p, &r) == -1) {
			msg_warnsys("cannot enter sandbox");
			got = -1;
		} else if (*kind != -1 && *kind != this_kind) {
			got = 0;	/* the sandbox is of another kind */
		} else {
			*kind = this_kind;
			got = run_job(p, k, s, a, &r, file) == 0 ? 1 : -1;
		}
	}
	if (n == 1)
		(void)close(file);	/* only read */
	frame_done(in);
	return got;
}

int
serve(struct server_conn *conn, void *ctx)
{
	struct session s = { .a = ARENA_INIT, .conn = { .fd = -1 } };
	struct asker k = { conn->in, conn->is_socket };
	struct buf in = BUF_INIT(FRAME_MAX);
	struct arena a = ARENA_INIT;
	struct program *p = ctx;
	int got, kind = -1;

	if (!conn->is_socket) {
		msg_warn("cannot serve: standard input is no socket");
		return EXIT_PERM;
	}
	session_close(&s);
	while ((got = next_job(p, &k, &s, &in, &a, &kind)) == 1)
		arena_reset(&a);
	session_close(&s);
	secret_wipe(in.p, in.n);
	buf_free(&in);
	arena_free(&a);
	arena_free(&s.a);
	return got == 0 ? EXIT_YES : EXIT_TEMP;
}
