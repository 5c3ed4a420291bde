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

static void (*volatile last_act)(void);
static unsigned char *own_stack;

void
os_fault_act(void)
{
	void (*act)(void) = last_act;

	last_act = NULL;	/* it may meet a fault itself */
	if (act != NULL)
		act();
}

static void
on_fault(int signo, siginfo_t *info, void *context)
{
	(void)context;
	os_fault_act();
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

void
os_fault_again(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
	    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND }, now;
	size_t i;

	if (last_act == NULL)
		return;
	(void)sigemptyset(&sa.sa_mask);		/* cannot fail */
	use_own_stack();
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (sigaction(faults[i], NULL, &now) == 0 &&
		    (now.sa_flags & SA_SIGINFO) == 0 &&
		    now.sa_handler == SIG_DFL)
			(void)sigaction(faults[i], &sa, NULL);
	}
}

void
os_fault_last(void (*act)(void))
{
	last_act = act;
	os_fault_again();
}
