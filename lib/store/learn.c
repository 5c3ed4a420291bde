/*
 * learn.c - which messages are to be trained and taken out again
 *
 * The words of a message are found by reading it, some 0.3 ms: too long for
 * the transaction of a change of 100,000 flags, and who waits for its answer.
 * So that transaction notes only where messages are whose record says they are
 * trained as something else than their flags ask for: ranges of UIDs in the
 * table "train". Whoever has time reads them and changes counts and records in
 * one transaction (train.c). The record decides: a range more does no harm,
 * one that is done twice changes nothing.
 *
 * A message that goes takes its words along. To keep a list of them for each
 * trained message would cost as much room as its text; instead its file stays
 * in expunged/ until it was read, and the table "untrain" says as what it was
 * trained. A move of ours leaves a link there while it may be killed. A file
 * that another program took is not there: if it was moved there is a message
 * of its Message-ID and size elsewhere, whose words are the same. Else they
 * stay counted, and the record "training" counts how many messages that
 * happened to.
 *
 * A range has a key of its own transaction's modseq, so that who is done with
 * one does not remove what was noted meanwhile.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* UIDs between two noted messages that one range is to cover: so many records
 * are looked at in vain. */
#define TRAIN_GAP 32
#define RECORD_SIZE 11
#define RECORD_SIZE_0 10	/* it had no version */
#define RECORD_KEY BYTES("training")
#define CHANGES_KEY BYTES("word-changes")

enum store_training
training_wanted(uint32_t flags)
{
	bool junk = (flags & STORE_JUNK) != 0;

	if (junk == ((flags & STORE_NOTJUNK) != 0))
		return STORE_UNTRAINED;
	return junk ? STORE_TRAINED_SPAM : STORE_TRAINED_HAM;
}

/* ---- what holds for all ---- */

int
training_record_get(struct store *s, struct kv_txn *t,
    struct training_record *out)
{
	struct bytes v;
	int r = kv_get(t, TABLE_META, RECORD_KEY, &v);

	if (r == 1 && v.n != RECORD_SIZE && v.n != RECORD_SIZE_0)
		r = 0;		/* damaged: as if there were none */
	if (r == 1) {
		*out = (struct training_record){ .complete = v.p[0] != 0,
		    .grams = v.p[1], .lost = { be32_get(v.p + 2),
		    be32_get(v.p + 6) }, .version = v.n == RECORD_SIZE
		    ? v.p[10] : 0 };
	} else if (r == 0) {
		/* Words that were counted before there was a record. */
		*out = (struct training_record){
		    .version = JUNK_WORDS_VERSION,
		    .grams = kv_count(t, TABLE_WORD) > 0 ? 1 : s->grams };
	}
	return r;
}

int
training_record_put(struct work *w, const struct training_record *r)
{
	unsigned char v[RECORD_SIZE];

	v[0] = r->complete;
	v[1] = (unsigned char)r->grams;
	be32_put(v + 2, r->lost[0]);
	be32_put(v + 6, r->lost[1]);
	v[10] = (unsigned char)r->version;
	return kv_put(w->t, TABLE_META, RECORD_KEY, bytes_of(v, sizeof(v)));
}

/* How often counts were changed: 1, 0 never, -1. */
static int
changes_get(struct kv_txn *t, uint64_t *changes)
{
	struct bytes v;
	int r = kv_get(t, TABLE_META, CHANGES_KEY, &v);

	if (r == 1 && v.n != 8)
		return unreadable();
	*changes = r == 1 ? be64_get(v.p) : 0;
	return r;
}

int
training_changed(struct work *w)
{
	unsigned char v[8];
	uint64_t changes;

	if (changes_get(w->t, &changes) == -1)
		return -1;
	be64_put(v, changes + 1);
	return kv_put(w->t, TABLE_META, CHANGES_KEY, bytes_of(v, sizeof(v)));
}

void
training_use_kept(struct store_view *v, struct junk_counts *c)
{
	struct store *s = v->s;
	uint64_t changes;

	/* Unreadable: what is kept may be of another state. */
	if (changes_get(v->t, &changes) == -1)
		return;
	if (s->junk_cache == NULL)
		s->junk_cache = junk_cache_new();
	junk_counts_use(c, s->junk_cache, changes);
}

/* Changes are not noted: say so, once a transaction. */
static int
note_gap(struct work *w)
{
	struct training_record r;
	int there;

	if (w->train_gap)
		return 0;
	w->train_gap = true;
	there = training_record_get(w->s, w->t, &r);
	if (there != 1 || !r.complete)
		return there == -1 ? -1 : 0;
	r.complete = false;
	return training_record_put(w, &r);
}

/* ---- ranges ---- */

int
train_range_decode(struct bytes key, struct bytes value,
    struct train_range *out)
{
	if (key.n != KEY_TRAIN || value.n != 4)
		return unreadable();
	memcpy(out->key, key.p, KEY_TRAIN);
	out->mailbox = be32_get(key.p + 8);
	out->first = be32_get(key.p + 12);
	out->last = be32_get(value.p);
	return 0;
}

static int
put_range(struct work *w, uint64_t modseq, uint32_t mailbox, uint32_t first,
    uint32_t last)
{
	unsigned char key[KEY_TRAIN], be[4];

	be64_put(key, modseq);
	be32_put(key + 8, mailbox);
	be32_put(key + 12, first);
	be32_put(be, last);
	return kv_put(w->t, TABLE_TRAIN, key_of(key, sizeof(key)),
	    bytes_of(be, 4));
}

/* One of this transaction, of which no later one can have the modseq. */
static int
put_new_range(struct work *w, uint32_t mailbox, uint32_t first,
    uint32_t last)
{
	w->state.modseq = w->modseq;
	w->dirty = w->train_behind = true;
	return put_range(w, w->modseq, mailbox, first, last);
}

int
train_range_done(struct work *w, const struct train_range *range,
    uint32_t from)
{
	if (kv_delete(w->t, TABLE_TRAIN, key_of(range->key, KEY_TRAIN)) == -1)
		return -1;
	return from == 0 ? 0 : put_range(w, be64_get(range->key),
	    range->mailbox, from, range->last);
}

int
work_train_flush(struct work *w, struct box *b)
{
	uint32_t first = b->train_first;

	b->train_first = 0;
	return first == 0 ? 0 : put_new_range(w, b->rec.id, first,
	    b->train_last);
}

int
work_train(struct work *w, struct box *b, const struct store_message *m)
{
	if (training_wanted(m->flags) == m->training)
		return 0;
	if (!w->s->training)
		return note_gap(w);
	if (b->train_first != 0 && m->uid >= b->train_first &&
	    m->uid <= b->train_last)
		return 0;
	if (b->train_first != 0 && m->uid > b->train_last &&
	    m->uid - b->train_last <= TRAIN_GAP) {
		b->train_last = m->uid;
		return 0;
	}
	if (work_train_flush(w, b) == -1)
		return -1;
	b->train_first = b->train_last = m->uid;
	return 0;
}

/* ---- messages that go ---- */

int
work_untrain(struct work *w, const struct store_message *m)
{
	unsigned char key[KEY_MESSAGE], value[UNTRAIN_VALUE];

	if (m->training == STORE_UNTRAINED)
		return 0;
	key_message(key, m->mailbox, m->uid);
	value[0] = (unsigned char)m->training;
	be64_put(value + 1, m->message_id_hash);
	be64_put(value + 9, m->size);
	w->train_behind = true;
	return kv_put(w->t, TABLE_UNTRAIN, key_of(key, sizeof(key)),
	    bytes_of(value, sizeof(value)));
}

int
untrain_decode(struct bytes key, struct bytes value, struct untrain *out)
{
	if (key.n != KEY_MESSAGE || value.n != UNTRAIN_VALUE ||
	    value.p[0] > STORE_TRAINED_SPAM)
		return unreadable();
	*out = (struct untrain){ .mailbox = be32_get(key.p),
	    .uid = be32_get(key.p + 4),
	    .was = (enum store_training)value.p[0],
	    .message_id_hash = be64_get(value.p + 1),
	    .size = be64_get(value.p + 9) };
	return 0;
}

static void
keep(struct work *w, struct box *b, struct bytes key, struct bytes value)
{
	struct store_message m;
	char to[EXPUNGED_NAME_MAX];
	struct place where;

	if (message_decode(key, value, &m) == -1 ||
	    m.training == STORE_UNTRAINED ||
	    message_locate(b->folder, &m, &where) != 1)
		return;
	expunged_name(to, m.mailbox, m.uid);
	if (linkat(where.dir, where.name, w->s->dir, to, 0) == -1)
		return;		/* its words stay counted */
}

void
work_untrain_keep(struct work *w, struct box *b)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MESSAGE);
	int r;

	key_message(from, b->rec.id, 0);
	if (c == NULL || work_box_open(w, b->rec.id) == NULL)
		r = -1;
	else
		r = kv_seek(c, &key, &value);
	for (; r == 1 && key.n == KEY_MESSAGE && be32_get(key.p) == b->rec.id;
	    r = kv_next(c, &key, &value))
		keep(w, b, key, value);
	kv_cursor_close(c);
}

bool
untrain_needs(struct store *s, const char *name)
{
	unsigned char key[KEY_MESSAGE];
	struct bytes text = bytes_str(name), value;
	struct store_view *v;
	uint64_t mailbox, uid;
	bool needed;

	if (num_cut(&text, UINT32_MAX, &mailbox) == -1 ||
	    !bytes_skip(&text, BYTES(".")) ||
	    num_parse(text, 1, UINT32_MAX, &uid) == -1)
		return false;
	key_message(key, (uint32_t)mailbox, (uint32_t)uid);
	if ((v = store_view_open(s)) == NULL)
		return true;	/* not known: not now */
	needed = kv_get(v->t, TABLE_UNTRAIN, key_of(key, sizeof(key)), &value)
	    != 0;
	store_view_close(v);
	return needed;
}

/* ---- at opening ---- */

int
training_note_all(struct work *w)
{
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MAILBOX);
	struct bytes key = BYTES_EMPTY, value;
	struct buf ids = BUF_INIT((size_t)STORE_MAILBOXES_MAX * 4);
	struct bytes rest, id;
	struct mbox m;
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	for (; r == 1; r = kv_next(c, &key, &value)) {
		if (key.n != 4 || mbox_decode(be32_get(key.p), value, &m)
		    == -1 || (m.total > 0 && buf_add(&ids, key) == -1)) {
			r = -1;
			break;
		}
	}
	kv_cursor_close(c);
	rest = buf_bytes(&ids);
	while (r == 0 && bytes_cut(&rest, 4, &id))
		r = put_new_range(w, be32_get(id.p), 1, UID_MAX);
	buf_free(&ids);
	return r;
}

/* Whether there is nothing to be noted: there is what record_get said. */
static bool
is_in_order(const struct store *s, int there, const struct training_record *r)
{
	return there == 1 && r->version >= JUNK_WORDS_VERSION &&
	    (r->complete || !s->training);
}

static int
note_missing(struct work *w, int there, struct training_record *r)
{
	/* Words counted without a record may be of messages that went, those
	 * of an older version other ones than they have now. */
	if (there == 0 ? kv_count(w->t, TABLE_WORD) > 0
	    : r->version < JUNK_WORDS_VERSION)
		return training_forget(w);
	r->complete = true;
	return training_note_all(w) == -1 ? -1 : training_record_put(w, r);
}

static int
note_gaps(struct store *s)
{
	struct training_record r;
	struct work w;
	int there;

	if (work_begin(s, &w) == -1)
		return -1;
	there = training_record_get(s, w.t, &r);
	if (is_in_order(s, there, &r)) {
		work_abort(&w);
		return 0;
	}
	if (there == -1 || note_missing(&w, there, &r) == -1) {
		work_abort(&w);
		return -1;
	}
	return work_commit(&w);
}

int
training_begin(struct store *s)
{
	struct training_record record;
	struct store_view *v = store_view_open(s);
	int r;

	if (v == NULL)
		return -1;
	r = training_record_get(s, v->t, &record);
	s->train_behind = kv_count(v->t, TABLE_UNTRAIN) > 0 ||
	    (s->training && kv_count(v->t, TABLE_TRAIN) > 0);
	store_view_close(v);
	if (r == -1 || (r == 0 && !s->training) ||
	    is_in_order(s, r, &record))
		return r == -1 ? -1 : 0;
	return note_gaps(s);
}

/* ---- proof ---- */

struct sums {
	uint64_t messages[2];	/* that count, by enum junk_class */
};

static bool
add_trained(struct sums *s, unsigned int training)
{
	if (training == STORE_TRAINED_HAM)
		s->messages[JUNK_HAM]++;
	else if (training == STORE_TRAINED_SPAM)
		s->messages[JUNK_SPAM]++;
	return training <= STORE_TRAINED_SPAM;
}

typedef bool sound_fn(struct bytes key, struct bytes value, struct sums *s);

static bool
sound_message(struct bytes key, struct bytes value, struct sums *s)
{
	struct store_message m;

	return message_decode(key, value, &m) == 0 &&
	    add_trained(s, m.training);
}

static bool
sound_untrain(struct bytes key, struct bytes value, struct sums *s)
{
	struct untrain u;

	return untrain_decode(key, value, &u) == 0 &&
	    add_trained(s, u.was);
}

static bool
sound_range(struct bytes key, struct bytes value, struct sums *s)
{
	struct train_range range;

	(void)s;		/* nothing is counted yet */
	return train_range_decode(key, value, &range) == 0;
}

static bool
sound_word(struct bytes key, struct bytes value, struct sums *s)
{
	(void)s;		/* each is counted by itself */
	return value.n == 8 &&
	    (key.n == 8 || bytes_eq(key, BYTES("-")));
}

/* 1 all entries are sound, 0, -1. */
static int
all_sound(struct kv_txn *t, unsigned int table, sound_fn *sound,
    struct sums *s)
{
	struct bytes key = BYTES_EMPTY, value;
	struct kv_cursor *c = kv_cursor_open(t, table);
	bool ok = true;
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	for (; r == 1 && ok; r = kv_next(c, &key, &value))
		ok = sound(key, value, s);
	kv_cursor_close(c);
	return r == -1 ? -1 : ok;
}

int
training_agrees(struct store *s, struct kv_txn *t)
{
	static const struct {
		unsigned int table;
		sound_fn *sound;
	} tables[] = {
		{ TABLE_MESSAGE, sound_message },
		{ TABLE_UNTRAIN, sound_untrain },
		{ TABLE_TRAIN, sound_range }, { TABLE_WORD, sound_word },
	};
	struct training_record record;
	struct sums sums = { { 0, 0 } };
	uint32_t ham, spam;
	size_t i;
	int r = training_record_get(s, t, &record);

	/* Until there is a record nothing was promised. */
	if (r != 1)
		return r == 0 ? 1 : -1;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		r = all_sound(t, tables[i].table, tables[i].sound, &sums);
		if (r != 1)
			return r;
	}
	if (junk_totals(t, TABLE_WORD, &ham, &spam) == -1)
		return -1;
	return ham == sums.messages[JUNK_HAM] + record.lost[JUNK_HAM] &&
	    spam == sums.messages[JUNK_SPAM] + record.lost[JUNK_SPAM];
}
