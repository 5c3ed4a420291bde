/*
 * guard.c - a builtin stage that crashes, or does not end
 *
 * Builtin stages run in the process of the session: fast, and a fault in one
 * ends that session alone. What must not happen then is silence: the client
 * would not know whether it has to keep the message, nor the administrator
 * which stage it was. So both texts are made before the stage runs, and the
 * handler of the signal does what one is allowed to do, write(2) and _exit(2).
 *
 * The state is of the process, as signals are: one job at a time.
 */
#include "stage/stage.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/os.h"

/* A stage sees to its deadline itself; this is for one that does not. */
#define GRACE_MS 2000
#define STACK_BYTES ((size_t)64 * 1024)

static const int caught[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT,
	SIGALRM };
#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

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
	unsigned char *stack;	/* its own is what may be full */
	struct sigaction before[CAUGHT];
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

static void
set_alarm(int ms)
{
	struct itimerval t = { .it_value = { ms / 1000,
	    ms % 1000 * 1000 } };

	guard.timed = ms != 0;
	(void)setitimer(ITIMER_REAL, &t, NULL);	/* its values are good */
}

void
stage_guard_begin(struct stage_job *job, int fd)
{
	struct sigaction sa = { .sa_handler = on_fault,
	    .sa_flags = SA_ONSTACK | SA_RESETHAND };
	stack_t stack = { .ss_size = STACK_BYTES };
	size_t i;

	if (guard.stack == NULL)
		guard.stack = mem_alloc(STACK_BYTES);
	stack.ss_sp = guard.stack;
	/* without it a full stack is one fault that is not told */
	(void)sigaltstack(&stack, NULL);
	guard.fd = fd;
	guard.armed = 0;
	make_texts(job->envelope.id);
	job->is_guarded = true;
	for (i = 0; i < CAUGHT; i++)
		(void)sigaction(caught[i], &sa, &guard.before[i]);
	set_alarm(deadline_left(job->deadline) + GRACE_MS);
}

void
stage_guard_timed(const struct stage_job *job, struct bytes name)
{
	if (!job->is_guarded)
		return;
	stage_guard_name(job, name);
	set_alarm((int)job->options->timeout_ms + GRACE_MS);
}

void
stage_guard_untimed(const struct stage_job *job, struct bytes name)
{
	if (!job->is_guarded)
		return;
	set_alarm(0);
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
	set_alarm((int)job->options->timeout_ms + GRACE_MS);
	guard.timed = false;	/* it ends with the wait */
}

void
stage_guard_waited(const struct stage_job *job)
{
	if (!job->is_guarded)
		return;
	if (!guard.timed)
		set_alarm(0);
	guard.armed = 0;
	memcpy(guard.name, guard.before_wait, guard.before_wait_n);
	guard.name_n = guard.before_wait_n;
	guard.armed = 1;
}

void
stage_guard_end(struct stage_job *job)
{
	size_t i;

	if (!job->is_guarded)
		return;
	set_alarm(0);
	job->is_guarded = false;
	guard.armed = 0;
	for (i = 0; i < CAUGHT; i++)
		(void)sigaction(caught[i], &guard.before[i], NULL);
	os_fault_again();	/* what was opened meanwhile wants it */
}
