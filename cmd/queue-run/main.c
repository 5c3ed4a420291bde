/*
 * queue-run - the one scheduler of the queue
 */
#include "queue_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char usage[] = "usage: queue-run [-o socket]";

/* Even without a word from anybody all is looked at so often. */
#define LOOK_MS (60 * 1000)
#define CLEAN_MS (3600 * 1000)
/* A step of the clock that is no adjustment. */
#define CLOCK_STEP_MS (30 * 1000)
/* After SIGTERM, for jobs under way. */
#define GRACE_MS 3000
/* When the database cannot be written. */
#define TROUBLE_MS 1000

static volatile sig_atomic_t got_stop, got_hup;

static void
on_signal(int signo)
{
	if (signo == SIGHUP)
		got_hup = 1;
	else
		got_stop = 1;
}

int64_t
now_s(void)
{
	return time_wall_us() / 1000000;
}

static int64_t
clock_offset_ms(void)
{
	return time_wall_us() / 1000 - time_mono_ms();
}

/* ---- configuration ---- */

static int
load(struct run *r)
{
	struct config *c = config_load();
	struct sched_limits limits;

	if (c == NULL) {
		msg_warn("cannot read %s/config.cdb: %s", dir_var(),
		    config_reason(errno));
		return -1;
	}
	limits = (struct sched_limits){
	    (unsigned int)config_get_num(c, "queue", NULL, "connections"),
	    (unsigned int)config_get_num(c, "queue", NULL,
	    "connections-per-destination") };
	r->connections_max = limits.total;
	outcome_settings_init(&r->settings, c);
	if (r->sched == NULL)
		r->sched = sched_new(&limits);
	else
		sched_set_limits(r->sched, &limits);
	if (r->config != NULL)
		config_close(r->config);
	r->config = c;
	return 0;
}

static void
reload(struct run *r)
{
	if (!got_hup && config_replaced(r->config) != 1)
		return;
	got_hup = 0;
	link_close_resting(r);	/* smtp-out may have other settings, too */
	if (load(r) == 0 && wake_all(r) == -1)
		msg_warnsys("cannot look at queue");
}

/* ---- the loop ---- */

static int
timeout_ms(const struct run *r)
{
	int64_t now = time_mono_ms(), until = r->next_look_ms, wait, rest;

	if (r->over != NULL || r->shares != NULL)
		return 0;
	if ((wait = sched_wait_s(r->sched, now_s())) != -1 &&
	    now + wait * 1000 < until)
		until = now + wait * 1000;
	if (until < r->pause_until_ms)
		until = r->pause_until_ms;
	if ((rest = link_rest_until(r)) != -1 && rest < until)
		until = rest;
	return until > now ? (int)(until - now) : 0;
}

static void
handle(struct run *r, const struct os_event *e)
{
	struct source *s = e->ctx;

	switch (s->kind) {
	case SOURCE_LISTENER:
		wake_accept(r);
		break;
	case SOURCE_WAKER:
		wake_read(r, (struct waker *)s);
		break;
	case SOURCE_LINK:
		link_read(r, (struct link *)s);
		break;
	}
}

static int
wait_for_events(struct run *r, const sigset_t *unblocked, int timeout)
{
	struct os_event events[EVENTS_MAX];
	int n = os_events_wait(r->events, events, EVENTS_MAX, timeout,
	    unblocked);

	for (int i = 0; i < n; i++)
		handle(r, &events[i]);
	return n == -1 && errno != EINTR ? -1 : 0;
}

/* What is due by the clock alone. */
static int
look(struct run *r)
{
	int64_t offset = clock_offset_ms();
	int64_t step = offset - r->clock_offset_ms;

	if ((!r->clock_known || step < -CLOCK_STEP_MS) && work_clock(r) == -1)
		return -1;
	r->clock_known = true;
	if (step > CLOCK_STEP_MS || step < -CLOCK_STEP_MS) {
		msg_info("the clock was set, by %lld s",
		    (long long)(step / 1000));
		sched_revive(r->sched, BYTES_EMPTY);
	}
	r->clock_offset_ms = offset;
	if (time_mono_ms() < r->next_look_ms)
		return 0;
	if (time_mono_ms() >= r->next_clean_ms) {
		if (work_clean(r) == -1)
			return -1;
		r->next_clean_ms = time_mono_ms() + CLEAN_MS;
	}
	r->next_look_ms = time_mono_ms() + LOOK_MS;
	return wake_all(r);
}

static int
step(struct run *r)
{
	link_expire(r);
	if (look(r) == -1 || work_end(r) == -1 || work_share(r) == -1)
		return -1;
	return work_begin(r);
}

static int
serve(struct run *r, const sigset_t *unblocked)
{
	int wait;

	while (!got_stop) {
		reload(r);
		wait = TROUBLE_MS;
		if (step(r) != -1)
			wait = timeout_ms(r);
		else if (errno == ENOTRECOVERABLE)
			msg_diesys(EXIT_TEMP, "cannot write queue any more");
		else
			msg_warnsys("cannot write queue");
		if (wait_for_events(r, unblocked, wait) == -1)
			return -1;
	}
	return 0;
}

/* Results that come in a moment save sending twice. */
static void
finish(struct run *r, const sigset_t *unblocked)
{
	int64_t deadline = deadline_in(GRACE_MS);
	struct link *l;

	link_close_resting(r);
	for (l = r->busy; l != NULL; l = l->next)
		l->last = true;
	while (r->busy != NULL && deadline_left(deadline) > 0) {
		if (wait_for_events(r, unblocked,
		    deadline_left(deadline)) == -1)
			break;
		if (work_end(r) == -1)
			break;
	}
}

static void
set_up_signals(sigset_t *unblocked)
{
	struct sigaction a = { .sa_handler = on_signal };
	sigset_t blocked;

	(void)sigemptyset(&a.sa_mask);	/* cannot fail */
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigaddset(&blocked, SIGHUP);
	if (sigaction(SIGTERM, &a, NULL) == -1 ||
	    sigaction(SIGINT, &a, NULL) == -1 ||
	    sigaction(SIGHUP, &a, NULL) == -1 ||
	    sigprocmask(SIG_BLOCK, &blocked, unblocked) == -1)
		msg_diesys(EXIT_TEMP, "cannot set up signals");
	(void)signal(SIGPIPE, SIG_IGN);	/* cannot fail */
}

/* One scheduler only: two would send everything twice. */
static void
lock(const char *dir)
{
	struct arena a = ARENA_INIT;
	const char *path = arena_printf(&a, "%s/run.lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		msg_diesys(EXIT_TEMP, "cannot open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		msg_diesys(EXIT_TEMP, "another queue-run holds %s", path);
	arena_free(&a);
}

static void
open_all(struct run *r)
{
	struct arena a = ARENA_INIT;
	const char *dir = arena_printf(&a, "%s/queue", dir_var());

	if (load(r) == -1)
		exit(EXIT_TEMP);
	if ((r->queue = queue_open(dir)) == NULL)
		msg_diesys(EXIT_TEMP, "cannot open %s", dir);
	lock(dir);
	if ((r->events = os_events_new()) == -1)
		msg_diesys(EXIT_TEMP, "cannot wait for events");
	r->listening = os_is_listening(STDIN_FILENO) == 1;
	if (r->listening && (server_peers_load(&r->peers) == -1 ||
	    os_events_add(r->events, STDIN_FILENO, OS_EVENT_READ,
	    &r->listener) == -1))
		exit(EXIT_TEMP);
	arena_free(&a);
}

static void
close_all(struct run *r)
{
	work_forget(r);
	while (r->busy != NULL)
		link_close(r, r->busy);
	while (r->over != NULL)
		link_close(r, r->over);
	link_close_resting(r);
	sched_free(r->sched);
	queue_close(r->queue);
	config_close(r->config);
}

int
main(int argc, char *argv[])
{
	struct run r = { .listener = { SOURCE_LISTENER } };
	struct arena a = ARENA_INIT;
	sigset_t unblocked;
	int c;

	msg_init("queue-run");
	while ((c = getopt(argc, argv, "o:")) != -1) {
		switch (c) {
		case 'o':
			r.smtp_out = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	if (r.smtp_out == NULL)
		r.smtp_out = arena_printf(&a, "%s/smtp-out", dir_run());
	set_up_signals(&unblocked);
	open_all(&r);
	r.clock_offset_ms = clock_offset_ms();
	if (serve(&r, &unblocked) == -1)
		msg_diesys(EXIT_TEMP, "cannot wait for events");
	finish(&r, &unblocked);
	close_all(&r);
	arena_free(&a);
	return EXIT_YES;
}
