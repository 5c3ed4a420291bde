/*
 * store.c - a request into the queue, durably, and queue-run told
 */
#include "queue_add.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"

#define WAKE_TIMEOUT_MS 1000
/* More destinations are not named one by one. */
#define WAKE_DESTS_MAX 200
#define WAKE_MAX (WAKE_DESTS_MAX * (QUEUE_DEST_MAX + 8))

static void
set_reply(struct add_reply *out, const struct submit_reply *r)
{
	out->code = r->code;
	out->status = bytes_str(r->status);
	out->text = r->text;
}

static void
set_error(struct add_reply *out, const char *what, int err)
{
	struct logline l;
	bool full = err == ENOSPC || err == EDQUOT;

	log_begin(&l, LOG_ERROR, "failed");
	log_str(&l, "what", what);
	log_err(&l, err);
	log_end(&l);
	out->code = full ? 452 : 451;
	out->status = full ? BYTES("4.3.1") : BYTES("4.3.0");
	out->text = full ? BYTES("no space for the message now")
	    : BYTES("the message cannot be stored now");
}

/* The file: -1 with errno. */
static int
write_file(struct queue *q, struct submit *s)
{
	int fd = queue_file_make(q), err;

	if (fd == -1)
		return -1;
	if (io_write_all(fd, s->prefix, DEADLINE_NONE) == -1 ||
	    io_write_all(fd, s->body, DEADLINE_NONE) == -1) {
		err = errno;
		(void)close(fd);	/* it has no name */
		errno = err;
		return -1;
	}
	return queue_file_keep(q, fd, &s->message.id);
}

/* The records. -1 with the reply set. */
static int
write_records(struct queue *q, struct submit *s, struct add_reply *reply)
{
	struct queue_txn *t = queue_begin(q, true);
	struct submit_reply why;

	if (t == NULL) {
		set_error(reply, "queue", errno);
		return -1;
	}
	if (submit_store(s, t, &why) == -1) {
		queue_abort(t);
		set_reply(reply, &why);
		return -1;
	}
	if (queue_commit(t, true) == -1) {
		set_error(reply, "queue", errno);
		return -1;
	}
	return 0;
}

/* If it is not told, queue-run finds out by itself, later. */
static void
wake(const char *path, const struct submit *s)
{
	struct buf out = BUF_INIT(WAKE_MAX);
	int64_t deadline = deadline_in(WAKE_TIMEOUT_MS);
	struct bytes last = BYTES_EMPTY;
	size_t n = 0;
	int fd;

	for (size_t i = 0; i < s->count && n <= WAKE_DESTS_MAX; i++) {
		if (s->rcpts[i].held || bytes_eq(last, s->rcpts[i].dest))
			continue;
		last = s->rcpts[i].dest;
		buf_printf(&out, "wake %.*s\n", BYTES_ARG(last));
		n++;
	}
	if (n > WAKE_DESTS_MAX) {
		buf_reset(&out);
		buf_adds(&out, "wake\n");
	}
	if (n > 0 && (fd = os_connect_unix(path, deadline)) != -1) {
		(void)io_write_all(fd, buf_bytes(&out), deadline);
		(void)close(fd);
	}
	buf_free(&out);
}

static void
log_added(const struct submit *s, const struct add_reply *reply)
{
	char id[QUEUE_ID_TEXT];
	struct logline l;

	log_begin(&l, LOG_INFO, reply->code < 300 ? "queued" : "refused");
	if (reply->code < 300) {
		queue_id_format(id, reply->id, 0);
		log_str(&l, "id", id);
	}
	log_bytes(&l, "received-id", s->request->received_id);
	log_bytes(&l, "account", s->request->account);
	log_bytes(&l, "from", s->request->sender);
	if (s->request->count > 0)
		log_bytes(&l, "to", s->request->rcpts[0].address);
	log_num(&l, "rcpts", (int64_t)s->request->count);
	log_num(&l, "size", (int64_t)s->text.n);
	log_num(&l, "code", (int64_t)reply->code);
	log_bytes(&l, "reply", reply->text);
	log_end(&l);
}

struct queue *
program_queue(struct program *p)
{
	struct stat st;

	if (p->queue != NULL && stat(p->file, &st) == 0 &&
	    st.st_dev == p->device && st.st_ino == p->inode)
		return p->queue;
	queue_close(p->queue);
	p->queue = queue_open(p->dir);
	if (p->queue != NULL && stat(p->file, &st) == 0) {
		p->device = st.st_dev;
		p->inode = st.st_ino;
	}
	return p->queue;
}

static void
store(struct program *p, struct submit *s, struct add_reply *reply)
{
	struct queue *q = program_queue(p);
	char id[QUEUE_ID_TEXT];

	if (q == NULL) {
		set_error(reply, p->dir, errno);
		return;
	}
	if (write_file(q, s) == -1)
		set_error(reply, "message file", errno);
	else if (write_records(q, s, reply) == -1)
		queue_file_discard(q, s->message.id);
	else {
		queue_id_format(id, s->message.id, 0);
		reply->code = 250;
		reply->status = BYTES("2.0.0");
		reply->text = bytes_str(arena_printf(s->a, "queued as %s",
		    id));
		reply->id = s->message.id;
		wake(p->wake, s);
		return;
	}
	/* after a failed write LMDB may want to be opened anew */
	queue_close(q);
	p->queue = NULL;
}

void
store_request(struct program *p, struct arena *a,
    const struct add_request *request, struct bytes text,
    struct add_reply *reply)
{
	struct submit s = { .a = a, .config = p->config, .keys = p->keys,
	    .request = request, .text = text,
	    .now = time_wall_us() / 1000000 };
	struct submit_reply why;
	uint64_t limit = config_get_size(p->config, "server", NULL,
	    "size-limit");

	*reply = (struct add_reply){ .status = BYTES_EMPTY,
	    .text = BYTES_EMPTY, .next = BYTES_EMPTY };
	if (text.n > limit) {
		reply->code = 552;
		reply->status = BYTES("5.3.4");
		reply->text = BYTES("the message is too large");
	} else if (submit_prepare(&s, &why) == -1)
		set_reply(reply, &why);
	else
		store(p, &s, reply);
	log_added(&s, reply);
}
