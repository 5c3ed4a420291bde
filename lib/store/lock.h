/* lock.h - a part of internal.h: waiting for what other processes hold */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "store/internal.h"

/* A lock is waited for, or no longer (struct store_options, wait). Keeps
 * errno. */
void tell_wait(struct store *s, bool waiting);
/* The write transaction of LMDB, which one process has at a time. NULL with
 * errno. */
struct kv_txn *work_lock(struct store *s);

#endif
