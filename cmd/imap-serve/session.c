/*
 * session.c - the loop around one IMAP session: client, changes, time
 */
#include "imap_serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "os/os.h"

/* A client that takes nothing of an answer for so long is gone. */
#define WRITE_MS (5 * 60 * 1000)
/* A wait this long is worth giving memory back for. */
#define SHORT_WAIT_MS 2000
#define PATH_MAX_BYTES 4096

static volatile sig_atomic_t got_stop;

static void
on_stop(int signo)
{
	(void)signo;
	got_stop = 1;
}

void
session_signals(void)
{
	struct sigaction sa = { .sa_handler = on_stop };
	sigset_t block;

	(void)sigemptyset(&block);	/* none of these can fail */
	(void)sigaddset(&block, SIGTERM);
	(void)sigaddset(&block, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &block, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
}

/* What an idle session waits for: IN the client, FEED our own programs,
 * CUR and NEW others in the folder. */
enum { IN, FEED, CUR, NEW, WAITS };

struct waits {
	struct pollfd fd[WAITS];
	uint32_t mailbox;		/* CUR and NEW are of it */
};

static int
watch(struct session *s, uint32_t mailbox, int which)
{
	struct buf path = BUF_INIT(PATH_MAX_BYTES);
	int fd = -1;

	if (store_mailbox_dir(s->store, mailbox, which, &path) == 0 &&
	    buf_addc(&path, 0) == 0)
		fd = os_watch_dir((const char *)path.p);
	buf_free(&path);
	return fd;	/* -1: seen at the next command instead */
}

static void
unwatch(struct waits *w)
{
	int i;

	for (i = CUR; i <= NEW; i++) {
		if (w->fd[i].fd != -1)
			(void)close(w->fd[i].fd);	/* only listened */
		w->fd[i].fd = -1;
	}
	w->mailbox = 0;
}

static void
fill_waits(struct session *s, struct imap *im, struct waits *w, bool idle)
{
	int i;

	w->fd[IN].fd = s->in;
	w->fd[FEED].fd = idle ? store_listen(s->store) : -1;
	if (!idle || w->mailbox != imap_mailbox(im))
		unwatch(w);
	if (idle && w->mailbox == 0 && imap_mailbox(im) != 0) {
		w->mailbox = imap_mailbox(im);
		w->fd[CUR].fd = watch(s, w->mailbox, 0);
		w->fd[NEW].fd = watch(s, w->mailbox, 1);
	}
	for (i = 0; i < WAITS; i++) {
		w->fd[i].events = POLLIN;
		w->fd[i].revents = 0;
	}
}

static int
wait_some(struct waits *w, int64_t timeout_ms)
{
	struct timespec t = { (time_t)(timeout_ms / 1000),
	    (long)(timeout_ms % 1000) * 1000000 };
	sigset_t none;

	(void)sigemptyset(&none);	/* cannot fail */
	return ppoll(w->fd, WAITS, &t, &none);
}

static int
read_input(struct session *s, struct imap *im)
{
	unsigned char text[16384];
	size_t room = imap_room(im);
	ssize_t n = read(s->in, text,
	    room < sizeof(text) ? room : sizeof(text));

	if (n > 0) {
		imap_input(im, bytes_of(text, (size_t)n));
	} else if (n == 0) {
		s->end = "closed by client";
		imap_input_end(im);
	} else if (errno != EAGAIN && errno != EINTR) {
		return -1;
	}
	return 0;
}

/* Wait for the client, in IDLE also for changes. 0, -1 errno. */
static int
wait_for_input(struct session *s, struct imap *im, struct waits *w,
    bool idle)
{
	int r;

	fill_waits(s, im, w, idle);
	r = wait_some(w, SHORT_WAIT_MS < s->idle_ms ? SHORT_WAIT_MS
	    : s->idle_ms);
	if (r == 0 && s->idle_ms > SHORT_WAIT_MS) {
		imap_trim(im);
		r = wait_some(w, s->idle_ms - SHORT_WAIT_MS);
	}
	if (got_stop) {
		s->end = "shutdown";
		imap_bye(im, "UNAVAILABLE", "server is shutting down");
		return 0;
	}
	if (r == -1)
		return errno == EINTR ? 0 : -1;
	if (r == 0) {
		s->end = "idle too long";
		imap_bye(im, NULL, "idle for too long");
		return 0;
	}
	if (w->fd[FEED].revents != 0) {
		store_listen_drain(s->store);
		imap_changed(im, false);
	}
	for (r = CUR; r <= NEW; r++) {
		if (w->fd[r].revents != 0) {
			os_watch_drain(w->fd[r].fd);
			imap_changed(im, true);
		}
	}
	return w->fd[IN].revents != 0 ? read_input(s, im) : 0;
}

static int
flush(struct session *s, struct imap *im)
{
	struct buf *out = imap_output(im);

	if (out->n > 0 && io_write_all(s->out, buf_bytes(out),
	    deadline_in(WRITE_MS)) == -1)
		return -1;
	buf_reset(out);
	return 0;
}

static int
loop(struct session *s, struct imap *im)
{
	struct waits w = { .fd = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 },
	    { .fd = -1 } } };
	enum imap_action a;
	int r;

	do {
		a = imap_step(im);
		r = flush(s, im);
		if (r == 0 && (a == IMAP_READ || a == IMAP_IDLE))
			r = wait_for_input(s, im, &w, a == IMAP_IDLE);
	} while (r == 0 && a != IMAP_CLOSE);
	unwatch(&w);
	return r;
}

int
session_run(struct session *s)
{
	struct imap_options o = { .store = s->store, .account = s->account,
	    .tmp_dir = s->tmp_dir, .append_max = s->append_max,
	    .capabilities_off = s->capabilities_off };
	struct imap *im = imap_new(&o, s->tag);
	int r, saved;

	s->end = "logout";
	imap_input(im, s->pending);
	r = loop(s, im);
	saved = errno;
	if (r == -1)
		s->end = saved == ETIMEDOUT ? "client does not read"
		    : "connection lost";
	imap_stats(im, &s->stats);
	imap_free(im);
	errno = saved;
	return r;
}
