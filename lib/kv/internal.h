/* internal.h - what the files of lib/kv share */
#ifndef KV_INTERNAL_H
#define KV_INTERNAL_H

#include "kv/kv.h"

#include <signal.h>

/* For mdb_set_compare. */
struct MDB_val;
int kv_compare(const struct MDB_val *a, const struct MDB_val *b);

/* A proof (kv_open_proved); dir is -1 if there is none. */
struct kv_proof {
	int dir;
	const char *name;
	volatile sig_atomic_t uses;	/* the file is being read */
	struct kv_proof *volatile next;
};

/* From now on, with one use, which the caller counts down. */
void kv_proof_add(struct kv_proof *p);
void kv_proof_remove(struct kv_proof *p);

#endif
