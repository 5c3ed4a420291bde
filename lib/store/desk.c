/*
 * Slots in shared memory. The word of a slot has its state, how often its
 * owner was called to lead, and which claim it is, so that who remembers a
 * word, and was stopped meanwhile, is not taken in by a later use of the slot:
 *
 *  FREE       anybody may claim it
 *  FILLING    by its owner; stays if that ends now, a slot less
 *  OFFERED    a leader may take it, until its time is over
 *  TAKEN      in the hands of who holds the lock
 *  RETURNED   not stored: the owner delivers it alone
 *  COMMITTED  in the index; the leader, or after a while the owner, syncs
 *  DONE       synced
 *  UNSYNCED   that failed
 *  ORPHANED   the holder of the lock ended while it was TAKEN
 *
 * The lock is one of a few, by the account: who finds it with another account
 * delivers alone. It is of the kind whose holder's end is told to the next, who
 * orphans what was TAKEN under it. All other states are of a living owner, or
 * are cleared by who looks for a slot; whoever was stopped for so long, and
 * not ended, finds another claim there, and looks at its files.
 */
#include "store/slots.h"
#include "os/os.h"

#include <errno.h>
#include <stdatomic.h>

#define LOCKS 64
/* An owner looks at its slot more often by far, if it lives. */
#define FORGOTTEN_MS 60000

enum { FREE, FILLING, OFFERED, TAKEN, RETURNED, COMMITTED, DONE, UNSYNCED,
    ORPHANED };
#define STATE(w) ((w) & 0xf)
#define CALL(w) (((w) & ~(uint32_t)0xf0) | (((w) + 0x10) & 0xf0))
#define CLAIM(w) ((w) >> 8)
#define WITH(w, state) (((w) & ~(uint32_t)0xf) | (uint32_t)(state))

struct slot {
	_Atomic uint32_t word;
	_Atomic uint32_t lock;		/* of the key */
	_Atomic uint64_t hash;		/* the same, with the mailbox */
	_Atomic int64_t until;
	struct desk_key key;
	struct store_delivered done;
	uint32_t n;
	unsigned char data[DESK_BYTES];
};

struct store_desk {
	struct os_lock lock[LOCKS];
	_Atomic uint64_t leads[LOCKS];	/* the account it was taken for last */
	struct slot slot[DESK_SLOTS];
};

struct store_desk *
store_desk_make(void)
{
	struct store_desk *d = os_shared_memory(sizeof(*d));

	for (size_t i = 0; d != NULL && i < LOCKS; i++) {
		if (os_lock_init(&d->lock[i]) == -1) {
			store_desk_free(d);
			d = NULL;
		}
	}
	return d;
}

void
store_desk_free(struct store_desk *d)
{
	os_shared_free(d, sizeof(*d));
}

static uint32_t
lock_of(const struct desk_key *k)
{
	return (uint32_t)((k->inode * 31 + k->dev) % LOCKS);
}

static uint64_t
account_of(const struct desk_key *k)
{
	return ((uint64_t)k->inode * 31 + k->dev) * MARK_SPREAD;
}

static uint64_t
place_of(const struct desk_key *k)
{
	return account_of(k) + k->mailbox;
}

static bool
same_key(const struct desk_key *a, const struct desk_key *b)
{
	return a->dev == b->dev && a->inode == b->inode &&
	    a->mailbox == b->mailbox;
}

/* From a state that is known to another. */
static bool
change(struct slot *s, uint32_t word, uint32_t to)
{
	return atomic_compare_exchange_strong(&s->word, &word, to);
}

/* ---- who leads ---- */

static void
orphan(struct store_desk *d, uint32_t lock)
{
	for (size_t i = 0; i < DESK_SLOTS; i++) {
		struct slot *s = &d->slot[i];
		uint32_t w = s->word;

		if (STATE(w) == TAKEN && s->lock == lock &&
		    change(s, w, WITH(w, ORPHANED)))
			os_word_wake(&s->word);
	}
}

bool
desk_lead(struct store_desk *d, const struct desk_key *k)
{
	uint32_t lock = lock_of(k);
	enum os_lock_try got = os_lock_try(&d->lock[lock]);

	if (got == OS_LOCK_HELD)
		return false;
	d->leads[lock] = account_of(k);
	if (got == OS_LOCK_LEFT)
		orphan(d, lock);
	return true;
}

/* As far as can be known: whoever has the lock now may not have said so. */
static bool
others_lead(const struct store_desk *d, const struct desk_key *k)
{
	return d->leads[lock_of(k)] != account_of(k);
}

/* What came while we led was not taken, and its owner did not get the lock. Who
 * is still there after its time is no more, or stopped. */
static void
call_next(struct store_desk *d, uint32_t lock)
{
	int64_t now = time_mono_ms();

	for (size_t i = 0; i < DESK_SLOTS; i++) {
		struct slot *s = &d->slot[i];
		uint32_t w = s->word;

		if (STATE(w) == OFFERED && s->lock == lock && now < s->until &&
		    change(s, w, CALL(w))) {
			os_word_wake(&s->word);
			return;
		}
	}
}

void
desk_leave(struct store_desk *d, const struct desk_key *k)
{
	uint32_t lock = lock_of(k);

	os_lock_leave(&d->lock[lock]);
	call_next(d, lock);
}

/* ---- owners ---- */

/* Of an owner that ended. Those that lead are known by their lock. */
static bool
is_forgotten(const struct slot *s, uint32_t w, int64_t now)
{
	return STATE(w) != FILLING && STATE(w) != TAKEN &&
	    now - s->until > FORGOTTEN_MS;
}

static struct slot *
claim(struct store_desk *d, int64_t now, uint32_t *word)
{
	for (size_t i = 0; i < DESK_SLOTS; i++) {
		struct slot *s = &d->slot[i];
		uint32_t w = s->word, to = ((CLAIM(w) + 1) << 8) | FILLING;

		if ((STATE(w) == FREE || is_forgotten(s, w, now)) &&
		    change(s, w, to)) {
			*word = to;
			return s;
		}
	}
	return NULL;
}

bool
desk_offer(struct store_desk *d, const struct desk_key *k, struct bytes b,
    struct desk_offer *out)
{
	int64_t now = time_mono_ms();
	struct slot *s;
	uint32_t w;

	if (b.n > DESK_BYTES || others_lead(d, k) ||
	    (s = claim(d, now, &w)) == NULL)
		return false;
	s->lock = lock_of(k);
	s->hash = place_of(k);
	s->until = now + DESK_WAIT_MS;
	s->key = *k;
	s->n = (uint32_t)b.n;
	if (b.n > 0)
		memcpy(s->data, b.p, b.n);
	*out = (struct desk_offer){ d, *k, (unsigned int)(s - d->slot),
	    CLAIM(w), s->until };
	s->word = WITH(w, OFFERED);
	return true;
}

/* Nobody took it: to lead, to go alone (true), or to go on waiting. */
static bool
wait_offered(const struct desk_offer *o, struct slot *s, uint32_t w,
    enum desk_end *end)
{
	int64_t left = o->until - time_mono_ms();

	if (desk_lead(o->desk, &o->key)) {
		*end = DESK_LEAD;
		if (change(s, w, WITH(w, FREE)))
			return true;
		/* called, or taken and given back, at this moment */
		desk_leave(o->desk, &o->key);
		return false;
	}
	if (left <= 0 || others_lead(o->desk, &o->key)) {
		*end = DESK_ALONE;
		return change(s, w, WITH(w, FREE));
	}
	os_word_wait(&s->word, w, left < DESK_LOOK_MS ? (int)left
	    : DESK_LOOK_MS);
	return false;
}

/* In others' hands: if those are no more, it is orphaned by looking. */
static void
wait_taken(const struct desk_offer *o, struct slot *s, uint32_t w)
{
	os_word_wait(&s->word, w, DESK_LOOK_MS);
	if (s->word == w && desk_lead(o->desk, &o->key))
		desk_leave(o->desk, &o->key);
}

static bool
wait_committed(struct slot *s, uint32_t w)
{
	os_word_wait(&s->word, w, DESK_LOOK_MS);
	return change(s, w, WITH(w, FREE));
}

static bool
is_over(const struct desk_offer *o, struct slot *s, uint32_t w,
    struct store_delivered *done, enum desk_end *end)
{
	switch (STATE(w)) {
	case OFFERED:
		return wait_offered(o, s, w, end);
	case TAKEN:
		wait_taken(o, s, w);
		return false;
	case COMMITTED:
		*done = s->done;
		*end = DESK_COMMITTED;
		return wait_committed(s, w);
	case DONE:
		*done = s->done;
		*end = DESK_STORED;
		break;
	case UNSYNCED:
		errno = EIO;
		*end = DESK_FAILED;
		break;
	case RETURNED:
		*end = DESK_ALONE;
		break;
	default:
		*end = DESK_ORPHAN;
		break;
	}
	return change(s, w, WITH(w, FREE));
}

enum desk_end
desk_wait(const struct desk_offer *o, struct store_delivered *done)
{
	struct slot *s = &o->desk->slot[o->slot];
	enum desk_end end;
	uint32_t w;

	/* Stopped for so long that the slot was cleared: who knows. */
	while (w = s->word, CLAIM(w) == o->claim && STATE(w) != FREE) {
		if (is_over(o, s, w, done, &end))
			return end;
	}
	return DESK_ORPHAN;
}

/* ---- leaders ---- */

size_t
desk_take(struct store_desk *d, const struct desk_key *k,
    struct desk_taken *out, size_t max)
{
	uint64_t hash = place_of(k);
	int64_t now = time_mono_ms();
	size_t n = 0, i;
	uint32_t w;

	for (i = 0; i < DESK_SLOTS && n < max; i++) {
		struct slot *s = &d->slot[i];

		w = s->word;
		if (STATE(w) != OFFERED || s->hash != hash || now >= s->until
		    || !change(s, w, WITH(w, TAKEN)))
			continue;
		out[n] = (struct desk_taken){ bytes_of(s->data, s->n <
		    DESK_BYTES ? s->n : DESK_BYTES), (unsigned int)i,
		    WITH(w, TAKEN) };
		/* The key may be read now that nobody else writes it. */
		if (same_key(&s->key, k))
			n++;
		else if (change(s, WITH(w, TAKEN), CALL(w)))
			os_word_wake(&s->word);
	}
	return n;
}

void
desk_give_back(struct store_desk *d, const struct desk_taken *t)
{
	struct slot *s = &d->slot[t->slot];

	if (change(s, t->word, WITH(t->word, RETURNED)))
		os_word_wake(&s->word);
}

void
desk_committed(struct store_desk *d, struct desk_taken *t,
    const struct store_delivered *done)
{
	struct slot *s = &d->slot[t->slot];

	s->done = *done;
	if (change(s, t->word, WITH(t->word, COMMITTED)))
		t->word = WITH(t->word, COMMITTED);
}

void
desk_done(struct store_desk *d, const struct desk_taken *t, bool synced)
{
	struct slot *s = &d->slot[t->slot];

	if (change(s, t->word, WITH(t->word, synced ? DONE : UNSYNCED)))
		os_word_wake(&s->word);
}
