/*
 * settle.c - changes of ours behind which no other program's can hide
 *
 * After a change of ours a directory has the time of the kernel's tick, T, and
 * so it has if another program changed it in that tick, before or after us.
 * Two things together tell these apart, so that the folder need not be listed
 * because of us:
 *
 *  1 before:  count changes of entries, whoever makes them (os_counting);
 *             then look: the time is that of the index, and settled
 *  2 change:  count what we do ourselves (folder_changed)
 *  3 after:   read the time T, set M = T - 1 ns in its place (futimens)
 *  4          end counting: as many as were ours? Then M is settled
 *
 * Another's change before 1 shows in the time. One between 1 and 3 is hidden
 * by M, but counted: the kernel sends what is counted, and sets times, under
 * the lock of the directory, which futimens takes too, so all that M hides
 * was sent before M was set. One after 3 gives a time of T at least, which is
 * not M: kernel time does not go back. (If somebody sets the clock back, it
 * would have to hit M to the nanosecond.) M is not the time of the index
 * before, either: who is killed before its commit leaves a folder that differs.
 *
 * Where changes cannot be counted (network file systems, a kernel without
 * dnotify), or one was not ours, the time stays unsettled: one listing later.
 */
#include "store/settle.h"

#include <errno.h>
#include <sys/stat.h>

/* Signals a change may cost; past it a listing is as cheap. */
#define COUNTED_MAX 1000
/* Times M that one T has room for; they go down as changes of one tick follow
 * each other, so that others who poll see each. */
#define STEPS_MAX 1000

void
folder_changed(struct folder *f, int dir)
{
	if (dir == f->new)
		f->changes[0]++;
	else if (dir == f->cur)
		f->changes[1]++;
}

static void
add(struct around *a, struct box *b, int dir, struct stamp *known, bool in_cur)
{
	struct around_dir *d = &a->dirs[a->n++];

	*d = (struct around_dir){ .box = b, .dir = dir, .known = known,
	    .in_cur = in_cur, .own = b->folder->changes[in_cur] };
}

void
around_begin(struct around *a, struct box *b, struct box *other,
    size_t messages)
{
	int dirs[AROUND_DIRS];
	bool useful = false;
	size_t i;

	*a = (struct around){ .n = 0 };
	for (; b != NULL; b = b == other ? NULL : other) {
		add(a, b, b->folder->new, &b->rec.stamp_new, false);
		add(a, b, b->folder->cur, &b->rec.stamp_cur, true);
	}
	for (i = 0; i < a->n; i++) {
		dirs[i] = a->dirs[i].dir;
		useful |= a->dirs[i].known->settled;
	}
	a->counting = useful && messages <= COUNTED_MAX &&
	    os_counting_begin(&a->count, dirs, a->n) == 0;
	for (i = 0; i < a->n; i++)
		a->dirs[i].was_known = stamp_before(dirs[i],
		    a->dirs[i].known);
}

/* The time to set in place of now; false: there is none. */
static bool
choose(const struct stamp *known, const struct stamp *now, struct stamp *out)
{
	*out = *now;
	if (now->nsec <= STEPS_MAX)
		return false;
	out->nsec--;
	if (known->sec == now->sec && known->nsec < now->nsec &&
	    now->nsec - known->nsec < STEPS_MAX)
		out->nsec = known->nsec - 1;
	return true;
}

/* Step 3. Whether the time that is known from now on may be settled. */
static bool
set_time(struct around_dir *d, bool counting)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct stamp now, chosen;
	bool settles;

	/* If somebody else changed it too, the next look sees a difference. */
	if (!d->was_known || stamp_read(d->dir, &now) == -1 ||
	    stamp_same(&now, d->known))
		return false;
	settles = counting && d->known->settled &&
	    choose(d->known, &now, &chosen);
	if (settles) {
		times[1].tv_sec = (time_t)chosen.sec;
		times[1].tv_nsec = (long)chosen.nsec;
		settles = futimens(d->dir, times) == 0;
	}
	*d->known = settles ? chosen : now;
	d->known->settled = false;
	if (!d->in_cur)
		d->box->rec.new_empty = false;
	d->box->dirty = true;
	return settles;
}

static bool
was_ours(const struct around_dir *d, uint32_t count)
{
	const struct folder *f = d->box->folder;

	return d->dir == (d->in_cur ? f->cur : f->new) &&
	    count == f->changes[d->in_cur] - d->own;
}

void
around_end(struct around *a)
{
	uint32_t counts[OS_COUNTED_MAX];
	bool settles[AROUND_DIRS] = { false }, whole;
	int err = errno;
	size_t i;

	for (i = 0; i < a->n; i++)
		settles[i] = set_time(&a->dirs[i], a->counting);
	whole = a->counting && os_counting_end(&a->count, counts) == 0;
	for (i = 0; whole && i < a->n; i++)
		a->dirs[i].known->settled |= settles[i] &&
		    was_ours(&a->dirs[i], counts[i]);
	errno = err;
}
