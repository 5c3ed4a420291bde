/*
 * change.c - opening the queue, changing what is chosen, telling queue-run
 */
#include "qcmd/qcmd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addr/addr.h"
#include "os/os.h"
#include "route/route.h"

/* Whose the queue is when nothing is there yet. */
#define QUEUE_USER "pm-queue"
#define WAKE_TIMEOUT_MS 1000
/* More destinations are not named one by one. */
#define WAKE_DESTS_MAX 200
#define WAKE_MAX (WAKE_DESTS_MAX * (QUEUE_DEST_MAX + 16))

/* ---- opening ---- */

static const char *
queue_dir(struct qcmd *q)
{
	return arena_printf(&q->arena, "%s/queue", dir_var());
}

/* 1 is there, 0 not, -1. */
static int
become_owner(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (geteuid() == 0 && st.st_uid != 0 &&
	    os_drop(st.st_uid, st.st_gid) == -1)
		return -1;
	return 1;
}

/* By root it is made for the user that works on it. */
static int
make_dir(const char *dir)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0 || os_user(QUEUE_USER, &uid, &gid) == -1)
		return 0;	/* queue_open makes it */
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return -1;
	return chown(dir, uid, gid);
}

int
qcmd_open(struct qcmd *q, bool make)
{
	const char *dir = queue_dir(q);
	int r;

	q->problem = arena_printf(&q->arena, "open %s", dir);
	q->now = time_wall_us() / 1000000;
	q->wake = BUF_INIT(WAKE_MAX);
	if (q->wake_word == NULL)
		q->wake_word = "wake";
	if ((r = become_owner(dir)) == 0 && !make)
		return 0;
	if (r == 0 && (r = make_dir(dir)) == 0)
		r = become_owner(dir);
	if (r == -1 || (q->queue = queue_open(dir)) == NULL)
		return -1;
	return 1;
}

int
qcmd_open_config(struct qcmd *q)
{
	q->problem = "open configuration";
	q->config = config_open();
	return q->config == NULL ? -1 : 0;
}

/* If it is not told, queue-run finds out by itself, within a minute. */
static void
tell(struct qcmd *q)
{
	int64_t deadline = deadline_in(WAKE_TIMEOUT_MS);
	int fd;

	if (q->nwake > WAKE_DESTS_MAX) {
		buf_reset(&q->wake);
		buf_printf(&q->wake, "%s\n", q->wake_word);
	}
	fd = os_connect_unix(arena_printf(&q->arena, "%s/queue", dir_run()),
	    deadline);
	if (fd == -1)
		return;
	(void)io_write_all(fd, buf_bytes(&q->wake), deadline);
	(void)close(fd);	/* said or not */
}

void
qcmd_wake(struct qcmd *q, struct bytes dest)
{
	struct buf line = BUF_INIT(QUEUE_DEST_MAX + 16);
	size_t at;

	buf_printf(&line, "%s %.*s\n", q->wake_word, BYTES_ARG(dest));
	if (q->nwake <= WAKE_DESTS_MAX &&
	    !bytes_find(buf_bytes(&q->wake), buf_bytes(&line), &at)) {
		buf_add(&q->wake, buf_bytes(&line));
		q->nwake++;
	}
	buf_free(&line);
}

void
qcmd_close(struct qcmd *q)
{
	if (q->nwake > 0)
		tell(q);
	buf_free(&q->wake);
	queue_close(q->queue);
	if (q->config != NULL)
		config_close(q->config);
	arena_free(&q->arena);
}

/* ---- changing ---- */

int
qcmd_get(struct queue_txn *t, struct arena *a, const struct qcmd_place *p,
    struct queue_message *m, struct queue_rcpt *r)
{
	int got = queue_get_rcpt(t, a, p->id, p->n, r);

	return got == 1 ? queue_get_message(t, a, p->id, m) : got;
}

void
qcmd_reroute(struct qcmd *q, struct arena *a, const struct queue_message *m,
    struct queue_rcpt *r)
{
	struct bytes sender = r->sender.n > 0 ? r->sender : m->sender;
	struct route_query query = { .account = m->account,
	    .sender_domain = BYTES_EMPTY, .rcpt_domain = r->domain,
	    .chosen = r->transport, .attempts = r->attempts };
	struct path path;
	const char *why;

	if (addr_parse_mailbox(a, sender, ADDR_SMTPUTF8, &path, &why) == 0)
		query.sender_domain = path.domain_ascii;
	r->dest = route_dest(a, q->config, route_find(q->config, &query),
	    r->domain);
}

/* One of them: 1 changed, its destination to be told; 0; -1. */
static int
change_one(struct qcmd *q, struct queue_txn *t, struct arena *a,
    const struct qcmd_place *p, qcmd_change_fn change, void *ctx)
{
	struct queue_message m;
	struct queue_rcpt r;
	int got = qcmd_get(t, a, p, &m, &r);

	/* it may have changed since it was chosen */
	if (got == 1)
		got = qcmd_matches(&q->filter, &m, &r);
	if (got == 1)
		got = change(q, a, &m, &r, ctx);
	if (got == 1 && queue_set_rcpt(t, &r) == -1)
		return -1;
	if (got == 1)
		qcmd_wake(q, r.dest);
	return got;
}

static int
change_batch(struct qcmd *q, const struct qcmd_place *list, size_t count,
    qcmd_change_fn change, void *ctx, struct buf *ids)
{
	struct queue_txn *t = queue_begin(q->queue, true);
	char id[QUEUE_ID_TEXT];
	struct arena a = ARENA_INIT;
	int got = t == NULL ? -1 : 0;

	buf_reset(ids);
	for (size_t i = 0; i < count && got != -1; i++) {
		got = change_one(q, t, &a, &list[i], change, ctx);
		if (got == 1) {
			queue_id_format(id, list[i].id, list[i].n);
			buf_printf(ids, "%s\n", id);
		}
		arena_reset(&a);
	}
	arena_free(&a);
	if (got == -1) {
		queue_abort(t);
		return -1;
	}
	return queue_commit(t, true);
}

int
qcmd_change(struct qcmd *q, qcmd_change_fn change, void *ctx, int fd)
{
	struct buf ids = BUF_INIT(QCMD_BATCH * QUEUE_ID_TEXT);
	struct qcmd_place *list = NULL;
	size_t count = 0, i, n;
	int r = qcmd_select(q, &list, &count);

	for (i = 0; i < count && r == 0; i += n) {
		n = count - i < QCMD_BATCH ? count - i : QCMD_BATCH;
		q->problem = "write queue";
		r = change_batch(q, list + i, n, change, ctx, &ids);
		if (r == 0) {
			q->problem = "write ids";
			r = io_write_all(fd, buf_bytes(&ids), DEADLINE_NONE);
		}
	}
	buf_free(&ids);
	free(list);
	return r == -1 ? -1 : count > 0;
}
