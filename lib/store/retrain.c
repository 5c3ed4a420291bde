/*
 * retrain.c - training asked for: all, a mailbox, messages; all anew (J-15)
 */
#include "store/train.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* 1 it is to be done, 0 not. */
static bool
is_asked(const struct training *t, const struct store_message *m)
{
	enum store_training want = training_wanted(m->flags);

	return want != m->training || (t->ask->anew && t->ask->mailbox != 0 &&
	    want != STORE_UNTRAINED);
}

/* The next messages of the walk. */
static int
collect_walk(struct training *t, struct store_view *v)
{
	struct bytes key = key_of(t->at, KEY_MESSAGE), value;
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_MESSAGE);
	struct store_message m;
	int r;

	if (c == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1 && t->n < TRAIN_BATCH;
	    r = kv_next(c, &key, &value)) {
		if (message_decode(key, value, &m) == -1) {
			r = -1;
			break;
		}
		if (t->ask->mailbox != 0 && m.mailbox != t->ask->mailbox) {
			r = 0;
			break;
		}
		if (is_asked(t, &m))
			training_add(t, &m);
	}
	t->end = r == 0;
	if (r == 1)
		memcpy(t->at, key.p, KEY_MESSAGE);
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

/* The next of those named. */
static int
collect_named(struct training *t, struct store_view *v)
{
	const struct store_training_fill *ask = t->ask;
	struct store_message m;
	int r = 0;

	for (; t->next_uid < ask->count && t->n < TRAIN_BATCH;
	    t->next_uid++) {
		r = store_message_get(v, ask->mailbox,
		    ask->uids[t->next_uid], &m);
		if (r == -1)
			return -1;
		if (r == 1 && is_asked(t, &m))
			training_add(t, &m);
	}
	t->end = t->next_uid == ask->count;
	return 0;
}

/* What a step found and did not read is the next one's. */
static void
step_back(struct training *t)
{
	const struct candidate *c = &t->item[t->done];

	if (t->done == t->n)
		return;
	t->end = false;
	key_message(t->at, c->mailbox, c->uid);
	while (t->next_uid > 0 && t->ask->uids[t->next_uid - 1] >= c->uid)
		t->next_uid--;
}

static int
fill(struct training *t)
{
	training_collect *collect = t->ask->uids != NULL ? collect_named
	    : collect_walk;

	if (t->ask->mailbox != 0)
		key_message(t->at, t->ask->mailbox, 0);
	while (!t->end) {
		if (training_step(t, collect, INT_MAX) == -1)
			return -1;
		step_back(t);
	}
	return 0;
}

/* The record at the cursor, if it says that its message is trained. */
static int
forget_one(struct work *w, struct arena *scratch, struct bytes key,
    struct bytes value)
{
	unsigned char at[KEY_MESSAGE];
	struct store_message m;

	if (message_decode(key, value, &m) == -1)
		return -1;
	if (m.training == STORE_UNTRAINED)
		return 0;
	arena_reset(scratch);
	m = message_copy(scratch, &m);
	m.training = STORE_UNTRAINED;
	buf_reset(&w->record);
	if (message_encode(&w->record, &m) == -1)
		return -1;
	key_message(at, m.mailbox, m.uid);
	return kv_put(w->t, TABLE_MESSAGE, key_of(at, KEY_MESSAGE),
	    buf_bytes(&w->record));
}

int
training_forget(struct work *w)
{
	struct training_record record;
	unsigned char at[KEY_MESSAGE] = { 0 };
	struct bytes key = key_of(at, KEY_MESSAGE), value;
	struct arena scratch = ARENA_INIT;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MESSAGE);
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	while (r == 1) {
		if (forget_one(w, &scratch, key, value) == -1)
			r = -1;
		else
			r = kv_next(c, &key, &value);
	}
	kv_cursor_close(c);
	arena_free(&scratch);
	record = (struct training_record){ .complete = w->s->training,
	    .grams = w->s->grams, .version = JUNK_WORDS_VERSION };
	if (r == -1 || kv_empty(w->t, TABLE_WORD) == -1 ||
	    training_changed(w) == -1 ||
	    kv_empty(w->t, TABLE_TRAIN) == -1 ||
	    kv_empty(w->t, TABLE_UNTRAIN) == -1 ||
	    (w->s->training && training_note_all(w) == -1))
		return -1;
	return training_record_put(w, &record);
}

/* No message is trained, and no word counted. */
static int
forget(struct store *s)
{
	int fd = training_lock(s, true), r = -1, err;
	struct work w;

	if (fd == -1)
		return -1;
	if (work_begin(s, &w) == 0) {
		if (training_forget(&w) == 0)
			r = work_commit(&w);
		else
			work_abort(&w);
	}
	err = errno;
	(void)close(fd);	/* a directory */
	errno = err;
	return r;
}

/* What went, and notes of what was done by now. */
static int
drain(struct training *t)
{
	int r;

	while ((r = training_is_waiting(t->s)) == 1) {
		if (training_step(t, training_collect_noted, INT_MAX) == -1)
			return -1;
	}
	return r;
}

int
store_training_fill(struct store *s, struct store_training_fill *ask)
{
	struct training *t = mem_zalloc(1, sizeof(*t));
	bool all = ask->mailbox == 0;
	int r = 0;

	training_init(t, s, ask);
	if (ask->anew && all)
		r = forget(s);
	if (r == 0)
		r = fill(t);
	if (r == 0 && all)
		r = drain(t);
	training_free(t);
	return r;
}

int
store_training_finish(struct store *s)
{
	struct training *t = mem_zalloc(1, sizeof(*t));
	struct store_training_fill ask = { 0 };
	int r;

	training_init(t, s, &ask);
	r = drain(t);
	training_free(t);
	return r;
}

/* ---- for who judges ---- */

struct junk_counts *
store_junk_counts(struct store_view *v)
{
	struct junk_counts *c = junk_counts_open(v->t, TABLE_WORD);

	training_use_kept(v, c);
	return c;
}

unsigned int
store_junk_grams(struct store_view *v)
{
	struct training_record r;

	return training_record_get(v->s, v->t, &r) == -1 ? 1 : r.grams;
}

int
store_training_state(struct store_view *v, struct store_training_state *out)
{
	int64_t waiting = kv_count(v->t, TABLE_TRAIN);
	int64_t leaving = kv_count(v->t, TABLE_UNTRAIN);
	struct training_record r;

	if (waiting == -1 || leaving == -1 ||
	    training_record_get(v->s, v->t, &r) == -1)
		return -1;
	*out = (struct store_training_state){ .waiting = (uint64_t)waiting,
	    .leaving = (uint64_t)leaving, .lost_ham = r.lost[JUNK_HAM],
	    .lost_spam = r.lost[JUNK_SPAM] };
	return 0;
}
