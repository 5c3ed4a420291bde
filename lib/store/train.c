/* train.c - words of messages counted as their flags say (J-11, J-14, J-15) */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "junk/junk.h"

/* Messages of one transaction, read before the lock is taken. */
#define TRAIN_BATCH 100

struct candidate {
	uint32_t mailbox, uid;
	enum store_training was;
	struct junk_words words;	/* word and n alone; of the arena */
};

struct training {
	struct store *s;
	struct store_training_fill *ask;
	struct arena arena;
	struct junk_words words;
	struct junk_batch *batch;
	struct candidate item[TRAIN_BATCH];
	size_t n;
	unsigned char at[KEY_MESSAGE];	/* where the next step begins */
	bool end;
};

/* What the flags ask for. */
static enum store_training
wanted(const struct store_message *m)
{
	bool junk = (m->flags & STORE_JUNK) != 0;

	if (junk == ((m->flags & STORE_NOTJUNK) != 0))
		return STORE_UNTRAINED;
	return junk ? STORE_TRAINED_SPAM : STORE_TRAINED_HAM;
}

/* The next messages whose state is not what it is to be. */
static int
collect(struct training *t, struct store_view *v)
{
	struct bytes key = key_of(t->at, KEY_MESSAGE), value;
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_MESSAGE);
	struct store_message m;
	int r;

	if (c == NULL)
		return -1;
	t->n = 0;
	for (r = kv_seek(c, &key, &value); r == 1 && t->n < TRAIN_BATCH;
	    r = kv_next(c, &key, &value)) {
		if (message_decode(key, value, &m) == -1) {
			r = -1;
			break;
		}
		if (wanted(&m) != m.training)
			t->item[t->n++] = (struct candidate){
			    .mailbox = m.mailbox, .uid = m.uid,
			    .was = m.training };
	}
	kv_cursor_close(c);
	t->end = r == 0;
	if (r == 1)
		memcpy(t->at, key.p, KEY_MESSAGE);
	return r == -1 ? -1 : 0;
}

/* The words of each; one that is gone is left out. */
static void
read_words(struct training *t)
{
	struct candidate *c;
	struct bytes content;
	size_t i, n = 0, size;

	for (i = 0; i < t->n; i++) {
		c = &t->item[i];
		if (store_message_map(t->s, c->mailbox, c->uid, &content)
		    == -1)
			continue;
		junk_words_read(&t->words, content);
		store_unmap(content);
		size = t->words.n * sizeof(*t->words.word);
		c->words.n = t->words.n;
		c->words.word = arena_alloc(&t->arena, size);
		if (size > 0)
			memcpy(c->words.word, t->words.word, size);
		t->item[n++] = *c;
	}
	t->n = n;
}

static enum junk_class
class_of(enum store_training training)
{
	return training == STORE_TRAINED_SPAM ? JUNK_SPAM : JUNK_HAM;
}

static int
train_one(struct training *t, struct work *w, const struct candidate *c)
{
	struct store_message old, m;
	struct arena scratch = ARENA_INIT;
	struct box *b;
	int r = work_get(w, c->mailbox, c->uid, &m);

	/* Expunged, or trained by another process meanwhile. */
	if (r != 1 || m.training != c->was || wanted(&m) == m.training)
		return r == -1 ? -1 : 0;
	if ((b = work_box(w, c->mailbox)) == NULL)
		return -1;
	old = m = message_copy(&scratch, &m);
	m.training = wanted(&old);
	if (old.training != STORE_UNTRAINED) {
		junk_batch_add(t->batch, &c->words, class_of(old.training),
		    -1);
		t->ask->untrained++;
	}
	if (m.training != STORE_UNTRAINED) {
		junk_batch_add(t->batch, &c->words, class_of(m.training), 1);
		t->ask->ham += m.training == STORE_TRAINED_HAM;
		t->ask->spam += m.training == STORE_TRAINED_SPAM;
	}
	r = work_put(w, b, &m, &old);
	arena_free(&scratch);
	return r;
}

/* Records and counts together. */
static int
train_all(struct training *t)
{
	struct work w;
	size_t i;

	if (work_begin(t->s, &w) == -1)
		return -1;
	for (i = 0; i < t->n; i++) {
		if (train_one(t, &w, &t->item[i]) == -1)
			break;
	}
	if (i == t->n && junk_batch_write(t->batch, w.t, TABLE_WORD) == 0)
		return work_commit(&w);
	work_abort(&w);
	return -1;
}

static int
step(struct training *t)
{
	struct store_view *v = store_view_open(t->s);
	int r;

	if (v == NULL)
		return -1;
	r = collect(t, v);
	store_view_close(v);
	if (r == 0 && t->n > 0) {
		read_words(t);
		r = train_all(t);
		arena_reset(&t->arena);
	}
	return r;
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

/* No message is trained, and no word counted. */
static int
forget(struct store *s)
{
	unsigned char at[KEY_MESSAGE] = { 0 };
	struct bytes key = key_of(at, KEY_MESSAGE), value;
	struct arena scratch = ARENA_INIT;
	struct kv_cursor *c;
	struct work w;
	int r = -1;

	if (work_begin(s, &w) == -1)
		return -1;
	c = kv_cursor_open(w.t, TABLE_MESSAGE);
	if (c != NULL && kv_empty(w.t, TABLE_WORD) == 0)
		r = kv_seek(c, &key, &value);
	while (r == 1) {
		if (forget_one(&w, &scratch, key, value) == -1)
			r = -1;
		else
			r = kv_next(c, &key, &value);
	}
	kv_cursor_close(c);
	arena_free(&scratch);
	if (r == 0)
		return work_commit(&w);
	work_abort(&w);
	return -1;
}

int
store_training_fill(struct store *s, struct store_training_fill *ask)
{
	struct training *t = mem_zalloc(1, sizeof(*t));
	int r = 0;

	t->s = s;
	t->ask = ask;
	t->arena = (struct arena)ARENA_INIT;
	t->batch = junk_batch_new();
	junk_words_init(&t->words, 0, false);
	ask->ham = ask->spam = ask->untrained = 0;
	if (ask->anew)
		r = forget(s);
	while (r == 0 && !t->end)
		r = step(t);
	junk_words_free(&t->words);
	junk_batch_free(t->batch);
	arena_free(&t->arena);
	free(t);
	return r;
}

struct junk_counts *
store_junk_counts(struct store_view *v)
{
	return junk_counts_open(v->t, TABLE_WORD);
}
