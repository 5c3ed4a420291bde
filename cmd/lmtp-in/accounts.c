/*
 * accounts.c - stores kept open, also from one session to the next
 */
#include "lmtp_in.h"

#include <errno.h>

#include "account/account.h"

void
accounts_begin(struct accounts *a, const struct config *c, uint64_t cid)
{
	struct store *s;

	a->config = c;
	a->cid = cid;
	for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
		if ((s = a->slot[i].store) == NULL ||
		    (!store_stale(s) && store_trusted(s)))
			continue;
		store_close(s);
		a->slot[i].store = NULL;
		a->slot[i].used = 0;
	}
}

static void
report(void *ctx, const struct store_report *r)
{
	const struct accounts *a = ctx;
	struct logline l;

	log_begin(&l, LOG_WARN, r->event);
	log_num(&l, "cid", (int64_t)a->cid);
	log_str(&l, "folder", r->folder);
	log_str(&l, "name", r->name);
	if (r->uid != 0)
		log_num(&l, "uid", r->uid);
	log_end(&l);
}

/* Whoever holds the lock may be stopped, or building an index for minutes:
 * the client is told to come again, and the log what was waited for. */
static void
wait_for_lock(void *ctx, const char *account, bool waiting)
{
	const struct accounts *a = ctx;
	struct bytes of = BYTES("lock of account "), name = bytes_str(account);
	unsigned char what[STORE_ACCOUNT_MAX + 20];

	if (a->job == NULL)
		return;
	if (!waiting) {
		stage_guard_waited(a->job);
		return;
	}
	name = bytes_first(name, sizeof(what) - of.n);
	memcpy(what, of.p, of.n);
	memcpy(what + of.n, name.p, name.n);
	stage_guard_wait(a->job, bytes_of(what, of.n + name.n));
}

static struct store *
open_store(struct accounts *a, const char *name)
{
	struct arena arena = ARENA_INIT;
	struct store_options o = {
		.account = name,
		.report = report,
		.wait = wait_for_lock,
		.ctx = a,
		.desk = a->desk,
	};
	struct store *s;
	int err;

	account_options(a->config, name, &arena, &o);
	s = store_open(&o);
	err = errno;
	arena_free(&arena);
	errno = err;
	return s;
}

struct store *
accounts_open(struct accounts *a, struct bytes account)
{
	size_t oldest = 0;

	if (account.n > STORE_ACCOUNT_MAX) {
		errno = EINVAL;
		return NULL;
	}
	for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
		if (a->slot[i].store != NULL && bytes_eq(account,
		    bytes_str(a->slot[i].name))) {
			a->slot[i].used = ++a->clock;
			return a->slot[i].store;
		}
		if (a->slot[i].used < a->slot[oldest].used)
			oldest = i;
	}
	if (a->slot[oldest].store != NULL)
		store_close(a->slot[oldest].store);
	memcpy(a->slot[oldest].name, account.p, account.n);
	a->slot[oldest].name[account.n] = '\0';
	a->slot[oldest].store = open_store(a, a->slot[oldest].name);
	a->slot[oldest].used = a->slot[oldest].store == NULL ? 0
	    : ++a->clock;
	return a->slot[oldest].store;
}

void
accounts_forget(struct accounts *a, struct bytes account)
{
	for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
		if (a->slot[i].store == NULL || !bytes_eq(account,
		    bytes_str(a->slot[i].name)))
			continue;
		store_close(a->slot[i].store);
		a->slot[i].store = NULL;
		a->slot[i].used = 0;
	}
}

void
accounts_close(struct accounts *a)
{
	for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
		if (a->slot[i].store != NULL)
			store_close(a->slot[i].store);
		a->slot[i].store = NULL;
	}
}

void
accounts_settle(struct accounts *a)
{
	for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
		if (a->slot[i].store == NULL ||
		    !store_names_behind(a->slot[i].store))
			continue;
		store_close(a->slot[i].store);
		a->slot[i].store = NULL;
	}
}
