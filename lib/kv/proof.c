/*
 * proof.c - the file that says that an environment is in order, taken away
 *
 * The list is read by a handler of signals: each change to it is one
 * assignment that leaves it whole.
 */
#include "kv/internal.h"

#include <errno.h>
#include <unistd.h>

#include "os/os.h"

static struct kv_proof *volatile proofs;

/* A handler of signals calls it, too. */
void
kv_suspect(void)
{
	const struct kv_proof *p;
	int err = errno;

	for (p = proofs; p != NULL; p = p->next) {
		if (p->uses > 0)
			(void)unlinkat(p->dir, p->name, 0);	/* or gone */
	}
	errno = err;
}

void
kv_proof_add(struct kv_proof *p)
{
	p->uses = 1;
	if (p->dir == -1)
		return;
	p->next = proofs;
	proofs = p;
	if (p->next == NULL)
		os_fault_last(kv_suspect);
}

void
kv_proof_remove(struct kv_proof *p)
{
	struct kv_proof *volatile *at = &proofs;

	while (*at != NULL && *at != p)
		at = &(*at)->next;
	if (*at == p)
		*at = p->next;
}
