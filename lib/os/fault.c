/*
 * fault.c - what a process does before a fault ends it
 *
 * Faults are told on a stack of their own, since a full one is a fault, too.
 * The action is the default again when the handler runs: a fault of the
 * processor is met once more when it returns, and a signal that was sent is
 * sent again.
 */
#include "os/os.h"

#include <signal.h>
#include <stdlib.h>

#define STACK_BYTES ((size_t)64 * 1024)

static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static void (*volatile last_act)(void);
static void (*volatile told)(int signo);
static struct sigaction before[FAULTS];	/* SIG_DFL: nobody's */
static bool taken;
static unsigned char *own_stack;

void
os_fault_act(void)
{
	void (*act)(void) = last_act;

	last_act = NULL;	/* it may meet a fault itself */
	if (act != NULL)
		act();
}

/* The default is in place already. */
static void
give_back(int signo)
{
	size_t i;

	for (i = 0; i < FAULTS; i++) {
		if (faults[i] == signo && before[i].sa_handler != SIG_DFL)
			(void)sigaction(signo, &before[i], NULL);
	}
}

static void
on_fault(int signo, siginfo_t *info, void *context)
{
	void (*tell)(int) = told;

	(void)context;
	if (tell != NULL)
		tell(signo);
	os_fault_act();
	give_back(signo);
	if (info->si_code <= 0)
		(void)raise(signo);	/* when this returns */
}

static void
use_own_stack(void)
{
	stack_t stack = { .ss_size = STACK_BYTES }, now;

	if (sigaltstack(NULL, &now) == -1 || (now.ss_flags & SS_DISABLE) == 0)
		return;
	if (own_stack == NULL)
		own_stack = mem_alloc(STACK_BYTES);
	stack.ss_sp = own_stack;
	(void)sigaltstack(&stack, NULL);	/* without: as before */
}

static const struct sigaction *
ours(struct sigaction *sa)
{
	*sa = (struct sigaction){ .sa_sigaction = on_fault,
	    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };
	(void)sigemptyset(&sa->sa_mask);	/* cannot fail */
	return sa;
}

void
os_fault_last(void (*act)(void))
{
	struct sigaction sa, now;
	size_t i;

	last_act = act;
	if (act == NULL)
		return;
	use_own_stack();
	for (i = 0; i < FAULTS; i++) {
		if (sigaction(faults[i], NULL, &now) == 0 &&
		    (now.sa_flags & SA_SIGINFO) == 0 &&
		    now.sa_handler == SIG_DFL)
			(void)sigaction(faults[i], ours(&sa), NULL);
	}
}

static void
take_all(void)
{
	struct sigaction sa, now;
	size_t i;

	use_own_stack();
	for (i = 0; i < FAULTS; i++) {
		if (sigaction(faults[i], ours(&sa), &now) == 0 &&
		    ((now.sa_flags & SA_SIGINFO) == 0 ||
		    now.sa_sigaction != on_fault))
			before[i] = now;
	}
	taken = true;
}

void
os_fault_tell(void (*tell)(int signo))
{
	told = tell;
	if (tell != NULL && !taken)
		take_all();
}
