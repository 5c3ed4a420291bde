/*
 * wake.c - who tells queue-run that there is something to do
 *
 * A line "wake DEST" names a destination, "wake" alone means look at all of
 * them, "revive DEST" or "revive" also forgets that they are dead. There is no
 * answer: the database tells what is to be done, a lost line delays it until
 * the next look.
 */
#include "queue_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one process may say; more than a thousand destinations become a look
 * at all of them by who writes. */
#define WAKE_MAX (512 * 1024)
#define READ_MAX 4096

int
wake_dest(struct run *r, struct queue_txn *t, struct bytes dest)
{
	int64_t earliest = SCHED_NEVER;

	if (queue_dest_time(t, dest, &earliest) == -1)
		return -1;
	sched_set(r->sched, dest, earliest);
	return 0;
}

int
wake_all(struct run *r)
{
	struct queue_txn *t = queue_begin(r->queue, false);
	unsigned char name[QUEUE_DEST_MAX];
	struct arena a = ARENA_INIT;
	struct bytes dest = BYTES_EMPTY, next;
	int64_t earliest;
	int got;

	if (t == NULL)
		return -1;
	while ((got = queue_next_dest(t, &a, dest, &next, &earliest)) == 1) {
		memcpy(name, next.p, next.n);
		dest = bytes_of(name, next.n);
		sched_set(r->sched, dest, earliest);
		arena_reset(&a);
	}
	arena_free(&a);
	queue_abort(t);
	return got;
}

void
wake_accept(struct run *r)
{
	struct waker *w;
	int fd = os_accept(STDIN_FILENO);

	if (fd == -1)
		return;		/* gone again; poll tells of the next */
	if (!server_peer_allowed(&r->peers, fd)) {
		(void)close(fd);	/* a stranger */
		return;
	}
	w = mem_zalloc(1, sizeof(*w));
	*w = (struct waker){ { SOURCE_WAKER }, fd, BUF_INIT(WAKE_MAX) };
	if (os_events_add(r->events, fd, OS_EVENT_READ, w) == -1) {
		(void)close(fd);	/* it is looked at later anyway */
		free(w);
	}
}

static void
waker_close(struct run *r, struct waker *w)
{
	(void)os_events_remove(r->events, w->fd);	/* it was added */
	(void)close(w->fd);	/* read only */
	buf_free(&w->in);
	free(w);
}

static int
obey(struct run *r, struct bytes lines)
{
	struct queue_txn *t = queue_begin(r->queue, false);
	struct bytes line, word;
	bool all = false, revives;
	int result = 0;

	if (t == NULL)
		return -1;
	while (result == 0 && bytes_line(&lines, &line)) {
		if (!bytes_word(&line, &word))
			continue;
		line = bytes_trim(line);
		revives = bytes_eq(word, BYTES("revive"));
		if (!revives && !bytes_eq(word, BYTES("wake"))) {
			msg_warn("unknown word from a client");
			continue;
		}
		if (line.n == 0)
			all = true;
		else if (line.n <= QUEUE_DEST_MAX)
			result = wake_dest(r, t, line);
		if (revives)	/* behind: now the table knows it */
			sched_revive(r->sched, line);
	}
	queue_abort(t);
	return result == 0 && all ? wake_all(r) : result;
}

void
wake_read(struct run *r, struct waker *w)
{
	ssize_t n = -1;

	if (buf_room(&w->in, READ_MAX) == -1)
		msg_warn("a client says too much");
	else
		n = read(w->fd, w->in.p + w->in.n, READ_MAX);
	if (n > 0) {
		w->in.n += (size_t)n;
		return;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (w->in.n > 0 && obey(r, buf_bytes(&w->in)) == -1)
		msg_warnsys("cannot look at queue");
	waker_close(r, w);
}
