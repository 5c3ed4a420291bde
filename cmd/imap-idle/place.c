/*
 * place.c - where changes come from: feeds of accounts, folders of mailboxes
 *
 * Own programs write into the account's feed (lib/store/watch.c). Others
 * change cur/ and new/ of a folder, or put others in the place of Maildir and
 * index of an account: one inotify instance watches all; what it has no room
 * for is looked at twice a second.
 */
#include "imap_idle.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "store/store.h"

/* A time so short ago that a further change may not have changed it, as
 * lib/store has it; more where the file system has no fractions. */
#define FRESH_US 25000
#define FRESH_WHOLE_US 2100000

/* The last one is only watched: when polled, cur is not there either. */
enum { CUR, NEW, ITSELF };
static const char *const sides[SIDES] = { "/cur", "/new", "" };

static struct place **
bucket(struct place *table[BUCKETS], struct bytes name)
{
	return &table[bytes_hash(name) % BUCKETS];
}

static struct place *
find(struct place *first, struct bytes name)
{
	while (first != NULL && !bytes_eq(bytes_str(first->name), name))
		first = first->next;
	return first;
}

static struct place *
add(struct place **head, struct bytes name)
{
	struct place *at = mem_zalloc(1, sizeof(*at));

	at->name = mem_alloc(name.n + 1);
	memcpy(at->name, name.p, name.n);
	at->name[name.n] = '\0';
	at->feed = -1;
	at->number[CUR] = at->number[NEW] = at->number[ITSELF] = -1;
	at->next = *head;
	*head = at;
	return at;
}

static void
take_out(struct place **head, struct place *at)
{
	while (*head != at)
		head = &(*head)->next;
	*head = at->next;
	free(at->name);
	free(at);
}

/* ---- what is watched of a place ---- */

static bool
is_account(const struct place *at)
{
	return at->feed != -1;
}

static int
sides_of(const struct place *at)
{
	return is_account(at) ? 1 : SIDES;
}

static const char *
path_of(const struct idle *p, const struct place *at, int side,
    struct arena *a)
{
	return is_account(at) ? arena_printf(a, "%s%s", p->accounts_path,
	    at->name) : arena_printf(a, "%s%s", at->name, sides[side]);
}

static bool
is_polled(const struct place *at)
{
	int i;

	for (i = 0; i < sides_of(at); i++) {
		if (at->number[i] == -1)
			return true;
	}
	return false;
}

static int
looks_of(const struct place *at)
{
	return is_account(at) ? 1 : ITSELF;
}

/* All zero: it is not there. */
static struct look
look_at(const struct idle *p, const struct place *at, int side)
{
	struct arena a = ARENA_INIT;
	struct look now = { 0 };
	struct stat st;

	if (stat(path_of(p, at, side, &a), &st) == 0) {
		now.inode = st.st_ino;
		now.changed = st.st_mtim;
	}
	arena_free(&a);
	return now;
}

/* Whether it changed since the last look, which may have hidden more. */
static bool
look(const struct idle *p, struct place *at, int side)
{
	int64_t now = time_wall_us(), then;
	struct look *old = &at->look[side], new = look_at(p, at, side);
	bool changed;

	then = (int64_t)new.changed.tv_sec * 1000000 +
	    new.changed.tv_nsec / 1000;
	new.fresh = now - then < (new.changed.tv_nsec == 0 ? FRESH_WHOLE_US
	    : FRESH_US);
	changed = new.inode != old->inode ||
	    new.changed.tv_sec != old->changed.tv_sec ||
	    new.changed.tv_nsec != old->changed.tv_nsec ||
	    (old->fresh && !new.fresh);
	*old = new;
	return changed;
}

static void
watch(struct idle *p, struct place *at, int side)
{
	struct arena a = ARENA_INIT;
	struct place **head;

	if (p->watches != -1)
		at->number[side] = (side == ITSELF ? os_watches_add_self
		    : os_watches_add)(p->watches, path_of(p, at, side, &a));
	arena_free(&a);
	if (at->number[side] == -1)
		return;
	head = &p->numbers[side][(unsigned int)at->number[side] % BUCKETS];
	at->next_number[side] = *head;
	*head = at;
}

static void
unwatch(struct idle *p, struct place *at, int side)
{
	struct place **head;

	if (at->number[side] == -1)
		return;
	head = &p->numbers[side][(unsigned int)at->number[side] % BUCKETS];
	while (*head != at)
		head = &(*head)->next_number[side];
	*head = at->next_number[side];
	os_watches_remove(p->watches, at->number[side]);
	at->number[side] = -1;
}

static void
watch_all(struct idle *p, struct place *at)
{
	int i;

	for (i = 0; i < looks_of(at); i++)
		(void)look(p, at, i);		/* the first one */
	for (i = 0; i < sides_of(at); i++)
		watch(p, at, i);
	p->polled += is_polled(at);
}

static void
unwatch_all(struct idle *p, struct place *at)
{
	int i;

	p->polled -= is_polled(at);
	for (i = 0; i < sides_of(at); i++)
		unwatch(p, at, i);
}

/* One more waits for it: it is watched, and not what was there before. */
static struct place *
watch_again(struct idle *p, struct place *at)
{
	bool same = true;
	int i;

	for (i = 0; i < looks_of(at); i++)
		same &= look_at(p, at, i).inode == at->look[i].inode;
	if (!same) {
		unwatch_all(p, at);
		watch_all(p, at);
	}
	return at;
}

/* ---- accounts ---- */

static struct place *
account_place(struct idle *p, const char *name)
{
	struct place **head = bucket(p->accounts, bytes_str(name));
	struct place *at = find(*head, bytes_str(name));
	int feed;

	if (at != NULL)
		return watch_again(p, at);
	if ((feed = store_feed_open(name, p->feed_name)) == -1)
		return NULL;
	at = add(head, bytes_str(name));
	at->feed = feed;
	at->source = (struct source){ SOURCE_FEED, at };
	if (os_events_add(p->events, feed, OS_EVENT_READ, &at->source) == 0) {
		watch_all(p, at);
		return at;
	}
	store_feed_close(name, p->feed_name, feed);
	take_out(head, at);
	return NULL;
}

static void
account_drop(struct idle *p, struct place *at)
{
	unwatch_all(p, at);
	(void)os_events_remove(p->events, at->feed);	/* it is in it */
	store_feed_close(at->name, p->feed_name, at->feed);
	take_out(bucket(p->accounts, bytes_str(at->name)), at);
}

void
place_read_feed(struct idle *p, struct place *at)
{
	char bytes[256];

	while (read(at->feed, bytes, sizeof(bytes)) > 0)
		continue;
	place_changed(p, at);
}

/* ---- folders ---- */

/* Below the accounts, and nowhere else. */
static bool
path_allowed(const struct idle *p, struct bytes path)
{
	size_t at;

	return bytes_skip(&path, bytes_str(p->accounts_path)) &&
	    !bytes_find(path, BYTES("/../"), &at);
}

static struct place *
folder_place(struct idle *p, struct bytes path)
{
	struct place **head = bucket(p->folders, path);
	struct place *at = find(*head, path);

	if (at != NULL)
		return watch_again(p, at);
	at = add(head, path);
	watch_all(p, at);
	return at;
}

static void
folder_drop(struct idle *p, struct place *at)
{
	unwatch_all(p, at);
	take_out(bucket(p->folders, bytes_str(at->name)), at);
}

static void
number_changed(struct idle *p, int number, int side)
{
	struct place *at = p->numbers[side][(unsigned int)number % BUCKETS];

	while (at != NULL && at->number[side] != number)
		at = at->next_number[side];
	if (at != NULL)
		place_changed(p, at);
}

void
place_read_watches(struct idle *p)
{
	int numbers[OS_WATCHES_BATCH];
	size_t i, j, n = os_watches_next(p->watches, numbers);
	int side;

	for (i = 0; i < n; i++) {
		if (numbers[i] != OS_WATCHES_LOST) {
			for (side = 0; side < SIDES; side++)
				number_changed(p, numbers[i], side);
			continue;
		}
		for (j = 0; j < p->n; j++)
			rest_due(p, p->rests[j], IMAP_REST_CHANGED);
	}
}

static void
poll_one(struct idle *p, struct place *at)
{
	bool changed = false;
	int i;

	if (!is_polled(at))
		return;
	for (i = 0; i < looks_of(at); i++)
		changed |= look(p, at, i);
	if (changed)
		place_changed(p, at);
}

void
place_poll(struct idle *p)
{
	struct place *at;
	size_t i;

	for (i = 0; p->polled > 0 && i < BUCKETS; i++) {
		for (at = p->folders[i]; at != NULL; at = at->next)
			poll_one(p, at);
		for (at = p->accounts[i]; at != NULL; at = at->next)
			poll_one(p, at);
	}
}

/* ---- who waits ---- */

static void
link_to(struct rest *r, struct place *at, int of)
{
	r->next_of[of] = at->rests;
	r->back_of[of] = &at->rests;
	if (at->rests != NULL)
		at->rests->back_of[of] = &r->next_of[of];
	at->rests = r;
	at->count++;
}

static void
unlink_from(struct rest *r, struct place *at, int of)
{
	at->count--;
	*r->back_of[of] = r->next_of[of];
	if (r->next_of[of] != NULL)
		r->next_of[of]->back_of[of] = r->back_of[of];
}

bool
place_join(struct idle *p, struct rest *r, const char *account,
    struct bytes folder)
{
	if (folder.n > 0 && !path_allowed(p, folder)) {
		errno = EINVAL;
		return false;
	}
	if ((r->account = account_place(p, account)) == NULL)
		return false;
	link_to(r, r->account, OF_ACCOUNT);
	if (folder.n > 0) {
		r->folder = folder_place(p, folder);
		link_to(r, r->folder, OF_FOLDER);
	}
	return true;
}

void
place_leave(struct idle *p, struct rest *r)
{
	if (r->account != NULL) {
		unlink_from(r, r->account, OF_ACCOUNT);
		if (r->account->rests == NULL)
			account_drop(p, r->account);
	}
	if (r->folder != NULL) {
		unlink_from(r, r->folder, OF_FOLDER);
		if (r->folder->rests == NULL)
			folder_drop(p, r->folder);
	}
	r->account = r->folder = NULL;
}

void
place_changed(struct idle *p, struct place *at)
{
	int of = is_account(at) ? OF_ACCOUNT : OF_FOLDER;
	struct rest *r;

	for (r = at->rests; r != NULL; r = r->next_of[of])
		rest_due(p, r, IMAP_REST_CHANGED);
}
