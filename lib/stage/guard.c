/*
 * guard.c - a builtin stage that crashes, or does not end
 *
 * Builtin stages run in the process of the session: fast, and a fault in one
 * ends that session alone. What must not happen then is silence: the client
 * would not know whether it has to keep the message, nor the administrator
 * which stage it was. So both texts are made before the stage runs, and the
 * handler of the signal does what one is allowed to do, write(2) and _exit(2).
 *
 * The state is of the process, as signals are: one job at a time. What signals
 * do is set once, and so is the timer: a job changes variables alone. When the
 * timer ends it is looked at what the time is for, and whether it is up.
 */
#include "stage/stage.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/os.h"

/* A stage sees to its deadline itself; this is for one that does not. */
#define GRACE_MS 2000

#define TEXT_MAX 1024
#define NAME_MAX_BYTES 200

struct text {
	char p[TEXT_MAX];
	size_t n;
};

static struct {
	volatile sig_atomic_t armed;
	int fd;
	struct text reply, crashed, hangs;	/* up to the stage's name */
	char name[NAME_MAX_BYTES + 2];		/* with a quote and line end */
	size_t name_n;
	char before_wait[NAME_MAX_BYTES + 2];
	size_t before_wait_n;
	bool timed;
	bool has_alarm;			/* SIGALRM is ours */
	_Atomic int64_t deadline;	/* 0: time does not run */
	_Atomic int64_t timer;		/* when it ends; 0: it is not set */
} guard;

/* ---- when it happens ---- */

static void
say(int fd, const char *text, size_t n)
{
	ssize_t r;

	while (n > 0) {
		r = write(fd, text, n);
		if (r == -1 && errno != EINTR)
			return;		/* nobody is there to be told */
		if (r > 0) {
			text += r;
			n -= (size_t)r;
		}
	}
}

static void
on_fault(int signo)
{
	struct text *line = signo == SIGALRM ? &guard.hangs : &guard.crashed;

	if (guard.armed) {
		guard.armed = 0;
		/* begin left room for the name */
		memcpy(line->p + line->n, guard.name, guard.name_n);
		say(STDERR_FILENO, line->p, line->n + guard.name_n);
		say(guard.fd, guard.reply.p, guard.reply.n);
	}
	if (signo != SIGALRM)
		os_fault_act();
	_exit(EXIT_TEMP);
}

static void
start_timer(int64_t at, int64_t ms)
{
	struct itimerval t = { .it_value = { ms / 1000,
	    ms % 1000 * 1000 } };

	(void)setitimer(ITIMER_REAL, &t, NULL);	/* its values are good */
	guard.timer = at;
}

/* Of an earlier deadline, perhaps. setitimer(2) is a plain system call. */
static void
on_alarm(int signo)
{
	int64_t at = guard.deadline, left = at - time_mono_ms();
	int err = errno;

	guard.timer = 0;
	if (at != 0 && left <= 0)
		on_fault(signo);
	if (at != 0)
		start_timer(at, left);
	errno = err;
}

/* ---- before ---- */

void
stage_guard_name(const struct stage_job *job, struct bytes name)
{
	size_t i, n = 0;

	if (!job->is_guarded)
		return;
	guard.armed = 0;
	for (i = 0; i < name.n && n < NAME_MAX_BYTES; i++)
		guard.name[n++] = name.p[i] >= ' ' && name.p[i] < 0x7f &&
		    name.p[i] != '"' && name.p[i] != '\\'
		    ? (char)name.p[i] : '?';
	guard.name[n++] = '"';
	guard.name[n++] = '\n';
	guard.name_n = n;
	guard.armed = 1;
}

static void
keep(struct text *t, struct bytes s)
{
	t->n = s.n < TEXT_MAX - sizeof(guard.name) ? s.n
	    : TEXT_MAX - sizeof(guard.name);
	memcpy(t->p, s.p, t->n);
}

static void
make_line(struct text *t, struct bytes id, const char *what)
{
	struct logline l;

	log_begin(&l, LOG_ERROR, "failed");
	log_bytes(&l, "id", id);
	log_str(&l, "what", what);
	log_str(&l, "stage", " ");	/* quoted; the name comes for it */
	keep(t, bytes_of(l.text, l.n - 2));
}

static void
make_texts(struct bytes id)
{
	struct buf b = BUF_INIT(TEXT_MAX);

	make_line(&guard.crashed, id, "stage crashed");
	make_line(&guard.hangs, id, "stage did not end");
	(void)buf_printf(&b, "451 4.3.0 a check could not be made, "
	    "received-id %.*s\r\n", BYTES_ARG(bytes_first(id, 100)));
	keep(&guard.reply, buf_bytes(&b));
	buf_free(&b);
}

/* ---- on and off ---- */

/* 0: none. A timer that ends sooner than needed starts itself again. */
static void
set_deadline(int ms)
{
	int64_t at = time_mono_ms() + ms;

	guard.timed = ms != 0;
	guard.deadline = ms == 0 ? 0 : at;
	if (ms != 0 && (guard.timer == 0 || guard.timer > at))
		start_timer(at, ms);
}

static void
take_alarm(void)
{
	struct sigaction sa = { .sa_handler = on_alarm,
	    .sa_flags = SA_ONSTACK | SA_RESTART };

	if (!guard.has_alarm)
		(void)sigaction(SIGALRM, &sa, NULL);
	guard.has_alarm = true;
}

void
stage_guard_begin(struct stage_job *job, int fd)
{
	guard.fd = fd;
	guard.armed = 0;
	make_texts(job->envelope.id);
	job->is_guarded = true;
	os_fault_tell(on_fault);
	take_alarm();
	set_deadline(deadline_left(job->deadline) + GRACE_MS);
}

void
stage_guard_timed(const struct stage_job *job, struct bytes name)
{
	if (!job->is_guarded)
		return;
	stage_guard_name(job, name);
	set_deadline((int)job->options->timeout_ms + GRACE_MS);
}

void
stage_guard_untimed(const struct stage_job *job, struct bytes name)
{
	if (!job->is_guarded)
		return;
	set_deadline(0);
	stage_guard_name(job, name);
}

void
stage_guard_wait(const struct stage_job *job, struct bytes name)
{
	if (!job->is_guarded)
		return;
	memcpy(guard.before_wait, guard.name, guard.name_n);
	guard.before_wait_n = guard.name_n;
	stage_guard_name(job, name);
	if (guard.timed)
		return;
	set_deadline((int)job->options->timeout_ms + GRACE_MS);
	guard.timed = false;	/* it ends with the wait */
}

void
stage_guard_waited(const struct stage_job *job)
{
	if (!job->is_guarded)
		return;
	if (!guard.timed)
		set_deadline(0);
	guard.armed = 0;
	memcpy(guard.name, guard.before_wait, guard.before_wait_n);
	guard.name_n = guard.before_wait_n;
	guard.armed = 1;
}

void
stage_guard_end(struct stage_job *job)
{
	if (!job->is_guarded)
		return;
	set_deadline(0);
	job->is_guarded = false;
	guard.armed = 0;
	os_fault_tell(NULL);
}
