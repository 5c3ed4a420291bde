/*
 * session.c - the loop around one IMAP session: client, changes, time
 */
#include "imap_serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "os/os.h"
#include "store/threads.h"

/* A wait this long is worth giving memory back for. */
#define SHORT_WAIT_MS 2000
/* Of one that came back to tell of a change, until its client answers: where
 * many come back at once, few of them are there at a time. */
#define RETURNED_WAIT_MS 500
/* Folders that cannot be watched are looked at this often in IDLE. */
#define LOOK_MS 500
/* With NOTIFY all folders are, each second, or so seldom that it takes a
 * hundredth of the time: one may watch far too many for inotify. */
#define LOOK_ALL_MS 1000
#define LOOK_ALL_SHARE 100
#define PATH_MAX_BYTES 4096

static volatile sig_atomic_t got_stop;

static void
on_stop(int signo)
{
	(void)signo;
	got_stop = 1;
}

/*
 * A message too large to be read into memory was mapped, and another program
 * cut its file short. Its length may have been promised to the client, so the
 * answer cannot be ended well: this session ends, and no other is touched.
 */
static void
on_bus(int signo)
{
	static const char why[] = "imap-serve: fatal: cannot read message: "
	    "another program cut its file short\n";

	(void)signo;
	/* Nothing can be done about a log that is gone. */
	if (write(STDERR_FILENO, why, sizeof(why) - 1) == -1)
		_exit(EXIT_TEMP);
	_exit(EXIT_TEMP);
}

void
session_on_bus(void)
{
	struct sigaction bus = { .sa_handler = on_bus };

	(void)sigaction(SIGBUS, &bus, NULL);	/* cannot fail */
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
	session_on_bus();
}

/* What an idle session waits for: IN the client, FEED our own programs,
 * FOLDER others in cur/ and new/, or in the account's own folder. */
enum { IN, FEED, FOLDER, WAITS };

struct waits {
	struct session *s;
	struct pollfd fd[WAITS];
	uint32_t mailbox;		/* FOLDER is of it */
	bool listens;			/* FEED was opened before */
	bool all;			/* folders are looked at ... */
	int64_t look_ms;		/* ... next at that time */
};

/* What is watched: cur/ and new/ of the mailbox, its folder, which may be moved
 * or removed, and the account's, in which Maildir and index may be replaced. */
enum { CUR, NEW, ITSELF, ACCOUNT, WATCHED };

/* The path of one of them. 0, -1. */
static int
watched_path(struct session *s, uint32_t mailbox, int which,
    struct buf *path)
{
	buf_reset(path);
	if (which < ACCOUNT) {
		if (store_mailbox_dir(s->store, mailbox, which, path) == -1)
			return -1;
	} else if (buf_adds(path, dir_var()) == -1 ||
	    buf_adds(path, "/accounts/") == -1 ||
	    buf_adds(path, s->account) == -1) {
		return -1;
	}
	return buf_addc(path, 0);
}

/* All of these with one inotify instance; -1: they are to be looked at now
 * and then. */
static int
watch(struct session *s, uint32_t mailbox)
{
	struct buf path = BUF_INIT(PATH_MAX_BYTES);
	int fd = os_watches_new(), i;

	for (i = 0; i < WATCHED && fd != -1; i++) {
		if (watched_path(s, mailbox, i, &path) == 0 &&
		    (i == ITSELF ? os_watches_add_self : os_watches_add)
		    (fd, (const char *)path.p) != -1)
			continue;
		(void)close(fd);	/* only listened */
		fd = -1;
	}
	buf_free(&path);
	return fd;
}

static void
unwatch(struct waits *w)
{
	if (w->fd[FOLDER].fd != -1)
		(void)close(w->fd[FOLDER].fd);	/* only listened */
	w->fd[FOLDER].fd = -1;
	w->mailbox = 0;
}

/* True if the feed is listened to, or a folder watched or polled, from now on:
 * what was changed before that no descriptor tells. */
static bool
fill_waits(struct session *s, struct imap *im, struct waits *w, bool idle)
{
	bool began = idle && !w->listens;
	int i;

	w->listens = w->listens || idle;
	w->all = idle && imap_watches_all(im);
	w->fd[IN].fd = s->in;
	w->fd[FEED].fd = idle ? store_listen(s->store) : -1;
	if (!idle || w->mailbox != imap_mailbox(im))
		unwatch(w);
	if (idle && w->mailbox == 0 && imap_mailbox(im) != 0) {
		w->mailbox = imap_mailbox(im);
		w->fd[FOLDER].fd = watch(s, w->mailbox);
		began = true;
	}
	for (i = 0; i < WAITS; i++) {
		w->fd[i].events = POLLIN;
		w->fd[i].revents = 0;
	}
	return began;
}

/* Other programs change a folder that nothing tells us of. */
static bool
is_polled(const struct waits *w)
{
	return w->mailbox != 0 && w->fd[FOLDER].fd == -1;
}

static int
wait_once(struct waits *w, int64_t timeout_ms)
{
	struct timespec t = { (time_t)(timeout_ms / 1000),
	    (long)(timeout_ms % 1000) * 1000000 };
	sigset_t none;

	(void)sigemptyset(&none);	/* cannot fail */
	return ppoll(w->fd, WAITS, &t, &none);
}

/* What other programs did to any folder comes over FEED. How long until the
 * next look. */
static int64_t
look_at_all(struct waits *w)
{
	int64_t now = time_mono_ms(), pause;

	if (now < w->look_ms)
		return w->look_ms - now;
	/* What cannot be looked at now is found at the next look. */
	(void)store_sync(w->s->store, 0, false);
	pause = (time_mono_ms() - now) * LOOK_ALL_SHARE;
	if (pause < LOOK_ALL_MS)
		pause = LOOK_ALL_MS;
	w->look_ms = time_mono_ms() + pause;
	return pause;
}

/* A change of the folder that was found by looking. */
static bool
has_changed(struct waits *w)
{
	return store_stale(w->s->store) ||
	    store_sync(w->s->store, w->mailbox, false) == 1;
}

/* As ppoll(2); a change that was found by looking is one of FOLDER. */
static int
wait_some(struct waits *w, int64_t timeout_ms)
{
	int64_t step, pause;
	int r;

	while ((is_polled(w) || w->all) && timeout_ms > 0) {
		step = is_polled(w) && timeout_ms > LOOK_MS ? LOOK_MS
		    : timeout_ms;
		if (w->all && (pause = look_at_all(w)) < step)
			step = pause;
		if ((r = wait_once(w, step)) != 0)
			return r;
		timeout_ms -= step;
		if (is_polled(w) && has_changed(w)) {
			w->fd[FOLDER].revents = POLLIN;
			return 1;
		}
	}
	return wait_once(w, timeout_ms);
}

/* Nothing happened meanwhile (session_rest). */
static bool
is_quiet(void *ctx)
{
	return !got_stop && wait_some(ctx, 0) == 0 &&
	    (!is_polled(ctx) || !has_changed(ctx));
}

/* The account is not the one that was opened: the session ends. */
static bool
was_replaced(struct session *s, struct imap *im)
{
	if (!store_stale(s->store))
		return false;
	s->end = "account replaced";
	imap_bye(im, "UNAVAILABLE",
	    "the account was replaced, connect again");
	return true;
}

/* What the wait ended with: r as of ppoll(2). 0, -1. */
static int
take_events(struct session *s, struct imap *im, struct waits *w, int r)
{
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
	if ((w->fd[FEED].revents != 0 || w->fd[FOLDER].revents != 0) &&
	    was_replaced(s, im))
		return 0;
	if (w->fd[FEED].revents != 0) {
		store_listen_drain(s->store);
		imap_changed(im, false);
	}
	if (w->fd[FOLDER].revents != 0) {
		if (w->fd[FOLDER].fd != -1)
			os_watch_drain(w->fd[FOLDER].fd);
		imap_changed(im, true);
	}
	if (w->fd[IN].revents == 0)
		return 0;
	s->returned = false;
	return wire_read(s, im);
}

/* Between two pieces of much work: what the client sent, and whether it is
 * still there. 0, -1 errno. */
static int
look_around(struct session *s, struct imap *im)
{
	struct pollfd fd[2] = {
		{ .fd = imap_room(im) > 0 ? s->in : -1, .events = POLLIN },
		{ .fd = s->out },	/* POLLERR, POLLHUP: it is gone */
	};
	struct timespec none = { 0, 0 };
	sigset_t empty;
	int r;

	(void)sigemptyset(&empty);	/* cannot fail */
	r = ppoll(fd, 2, &none, &empty);
	if (got_stop) {
		s->end = "shutdown";
		imap_bye(im, "UNAVAILABLE", "server is shutting down");
		return 0;
	}
	if (r == -1)
		return errno == EINTR ? 0 : -1;
	if ((fd[1].revents & (POLLERR | POLLHUP)) != 0) {
		errno = EPIPE;
		return -1;
	}
	return fd[0].revents != 0 || (fd[0].fd != -1 && wire_ready(s))
	    ? wire_read(s, im) : 0;
}

/* What an upgrade of the store or an import left to be done, piece by piece
 * while the client says nothing. As wait_once. */
static int
work_meanwhile(struct session *s, struct waits *w)
{
	struct pollfd in = { .fd = w->fd[IN].fd, .events = POLLIN };
	const struct timespec none = { 0, 0 };
	sigset_t empty;

	(void)sigemptyset(&empty);	/* cannot fail */
	/* Failed: by whom the account is opened next. */
	while (!got_stop && store_background(s->store) == 1 &&
	    ppoll(&in, 1, &none, &empty) == 0)
		continue;
	return wait_once(w, 0);
}

/* Time for the client to speak before its session costs less. */
static int
wait_short(struct session *s, struct waits *w)
{
	int64_t ms = s->returned ? RETURNED_WAIT_MS : SHORT_WAIT_MS;
	int r = s->late ? wait_once(w, 0)	/* unless it just spoke */
	    : wait_some(w, ms < s->idle_ms ? ms : s->idle_ms);

	return r == 0 && !s->late ? work_meanwhile(s, w) : r;
}

/* Wait for the client, in IDLE also for changes. 0, 1 it is imap-idle's now,
 * -1 errno. */
static int
wait_for_input(struct session *s, struct imap *im, struct waits *w,
    bool idle)
{
	int64_t left = s->idle_ms - SHORT_WAIT_MS, step;
	int r;

	if (fill_waits(s, im, w, idle)) {
		imap_changed(im, true);
		return 0;
	}
	if (wire_ready(s))
		return wire_read(s, im);
	r = wait_short(s, w);
	for (; r == 0 && !s->late && left > 0 && !got_stop; left -= step) {
		imap_trim(im);
		wire_trim(s);
		if (idle && session_rest(s, im, is_quiet, w)) {
			s->end = NULL;
			return 1;
		}
		/* imap-idle may have room or be there by then. */
		step = idle && left > REST_AGAIN_MS ? REST_AGAIN_MS : left;
		r = wait_some(w, step);
	}
	s->late = false;
	return take_events(s, im, w, r);
}

/* File names that follow what was answered, until the client speaks. Others
 * who wait for the account come first, in the pauses. */
static void
follow(struct session *s)
{
	struct pollfd in = { .fd = s->in, .events = POLLIN };
	struct timespec pause = { 0, STORE_NAMES_PAUSE_US * 1000L };
	sigset_t empty;

	(void)sigemptyset(&empty);	/* cannot fail */
	while (store_names_behind(s->store) &&
	    ppoll(&in, 1, &pause, &empty) == 0 && !got_stop)
		(void)store_names(s->store);	/* tried again */
}

/* UNAUTHENTICATE. 0, 1 it is imap-login's now, -1 errno. */
static int
leave(struct session *s, struct imap *im)
{
	int r = session_unauthenticate(s, im);

	if (r == 0) {
		s->end = "no new login";
		imap_bye(im, "UNAVAILABLE", "no new login is possible");
	} else if (r == 1) {
		s->end = "unauthenticated";
	}
	return r;
}

static int
loop(struct session *s, struct imap *im)
{
	struct waits w = { .s = s, .fd = { { .fd = -1 }, { .fd = -1 },
	    { .fd = -1 } } };
	enum imap_action a;
	int r;

	do {
		a = imap_step(im);
		r = wire_write(s, im);
		if ((a == IMAP_READ || a == IMAP_IDLE) && was_replaced(s, im))
			continue;
		if (r == 0 && (a == IMAP_READ || a == IMAP_IDLE))
			follow(s);
		if (r == 0 && (a == IMAP_READ || a == IMAP_IDLE))
			r = wait_for_input(s, im, &w, a == IMAP_IDLE);
		else if (r == 0 && a == IMAP_BUSY)
			r = look_around(s, im);
		else if (r == 0 && a == IMAP_COMPRESS)
			wire_compress(s);
		else if (r == 0 && a == IMAP_ASK)
			session_ask(s, im);
		else if (r == 0 && a == IMAP_UNAUTHENTICATE)
			r = leave(s, im);
	} while (r == 0 && a != IMAP_CLOSE);
	unwatch(&w);
	return r;
}

/* It came back, and the store is not what it was: the index was lost with
 * what was expunged, or the account was replaced. */
static int
lost(struct session *s)
{
	int err = errno;

	s->end = "mailbox is not what it was";
	/* It may be gone already. */
	(void)io_write_all(s->out, BYTES("* BYE [UNAVAILABLE] please connect "
	    "again\r\n"), deadline_in(WRITE_MS));
	errno = err;
	return -1;
}

int
session_run(struct session *s)
{
	struct imap_options o = { .store = s->store, .account = s->account,
	    .tmp_dir = s->tmp_dir, .append_max = s->append_max,
	    .capabilities_off = s->capabilities_off,
	    .message_limit = s->message_limit,
	    .asks = s->seal.n > 0, .is_account = session_is_account,
	    .is_account_ctx = s->config,
	    .unauthenticate = session_can_unauthenticate(s) };
	struct imap *im = s->state.n > 0 ? imap_restore(&o, s->state)
	    : imap_new(&o, s->tag);
	int r, saved;

	if (im == NULL)
		return lost(s);
	s->end = "logout";
	imap_input(im, s->pending);
	r = loop(s, im);
	saved = errno;
	if (r == -1)
		s->end = saved == ETIMEDOUT ? "client does not read"
		    : "connection lost";
	imap_stats(im, &s->stats);
	imap_free(im);
	wire_plain(s);
	errno = saved;
	return r == -1 ? -1 : 0;
}
