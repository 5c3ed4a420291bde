/*
 * train.c - words of messages counted as their flags say (J-11, J-14, J-15)
 *
 * A step: look in a view which messages there are to do (learn.c), read them
 * without any lock, then change counts, records and notes in one transaction,
 * for what is still as it was seen. Killed before that commit nothing was
 * done, after it all. One process at a time does it, under a lock on the index
 * directory, so that none reads in vain what another one is reading.
 */
#include "store/train.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/*
 * For a step whose caller waits for it, or that is for others' messages: a
 * delivery takes as long. And for one whose caller does not wait.
 */
#define STEP_MS 20
#define CLOSE_STEP_MS 50
/* Others' messages are trained no more often by who closes, so that they take
 * some hundredths of a processor from deliveries, however many there are. */
#define OTHERS_EVERY_US ((int64_t)1000 * 1000)

void
training_init(struct training *t, struct store *s,
    struct store_training_fill *ask)
{
	t->s = s;
	t->ask = ask;
	t->arena = (struct arena)ARENA_INIT;
	t->batch = junk_batch_new();
	junk_words_init(&t->words, 0, false);
	ask->ham = ask->spam = ask->untrained = 0;
}

void
training_free(struct training *t)
{
	junk_words_free(&t->words);
	junk_batch_free(t->batch);
	arena_free(&t->arena);
	free(t);
}

int
training_lock(struct store *s, bool waits)
{
	int fd = openat(s->dir, "index", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r, err;

	if (fd == -1)
		return -1;
	while ((r = flock(fd, waits ? LOCK_EX : LOCK_EX | LOCK_NB)) == -1 &&
	    errno == EINTR)
		continue;
	if (r == 0)
		return fd;
	err = errno;
	(void)close(fd);	/* a directory */
	errno = err;
	return -1;
}

/* The time of the directory is when it was done last. */
static bool
is_due(int dir)
{
	int64_t now = time_wall_us(), last;
	struct stat st;

	if (fstat(dir, &st) == -1)
		return false;
	last = (int64_t)st.st_mtim.tv_sec * 1000000 +
	    st.st_mtim.tv_nsec / 1000;
	return (last > now || now - last >= OTHERS_EVERY_US) &&
	    futimens(dir, NULL) == 0;
}

/* ---- which ---- */

void
training_add(struct training *t, const struct store_message *m)
{
	t->item[t->n++] = (struct candidate){ .mailbox = m->mailbox,
	    .uid = m->uid, .was = m->training,
	    .want = training_wanted(m->flags) };
}

/* Messages of a range whose state is not what it is to be. */
static int
look_through(struct training *t, struct store_view *v, struct looked *l)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_MESSAGE);
	struct store_message m;
	int r;

	if (c == NULL)
		return -1;
	key_message(from, l->range.mailbox, l->range.first);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (message_decode(key, value, &m) == -1) {
			r = -1;
			break;
		}
		if (m.mailbox != l->range.mailbox || m.uid > l->range.last)
			break;
		if (t->n == TRAIN_BATCH || t->looks++ == TRAIN_LOOKS_MAX) {
			l->from = m.uid;
			break;
		}
		if (training_wanted(m.flags) != m.training)
			training_add(t, &m);
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

static int
collect_ranges(struct training *t, struct store_view *v)
{
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_TRAIN);
	struct bytes key = BYTES_EMPTY, value;
	struct looked *l;
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	while (r == 1 && t->n < TRAIN_BATCH && t->ranges < TRAIN_RANGES &&
	    t->looks < TRAIN_LOOKS_MAX) {
		l = &t->looked[t->ranges++];
		*l = (struct looked){ .first = t->n };
		if (train_range_decode(key, value, &l->range) == -1 ||
		    look_through(t, v, l) == -1)
			r = -1;
		else
			r = kv_next(c, &key, &value);
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

/* Messages that went. */
static int
collect_left(struct training *t, struct store_view *v)
{
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_UNTRAIN);
	struct bytes key = BYTES_EMPTY, value;
	struct untrain u;
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	for (; r == 1 && t->n < TRAIN_BATCH; r = kv_next(c, &key, &value)) {
		if (untrain_decode(key, value, &u) == -1) {
			r = -1;
			break;
		}
		t->item[t->n++] = (struct candidate){ .left = true,
		    .mailbox = u.mailbox, .uid = u.uid, .was = u.was,
		    .want = STORE_UNTRAINED, .size = u.size,
		    .message_id_hash = u.message_id_hash };
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

int
training_collect_noted(struct training *t, struct store_view *v)
{
	if (collect_left(t, v) == -1)
		return -1;
	return t->s->training ? collect_ranges(t, v) : 0;
}

/* ---- their words ---- */

/* A message of the same Message-ID and size: 1, 0 there is none, -1. */
static int
find_twin(struct training *t, const struct candidate *c,
    struct store_place *at)
{
	struct store_view *v = store_view_open(t->s);
	struct store_message m;
	int r = v == NULL ? -1 : 0;

	*at = (struct store_place){ 0, 0 };
	while (r != -1 && (r = store_message_id_next(v, c->message_id_hash,
	    at)) == 1) {
		r = store_message_get(v, at->mailbox, at->uid, &m);
		if (r == 1 && m.size == c->size)
			break;
	}
	store_view_close(v);
	return r;
}

/* Where it went to may not have been looked at. */
static int
map_twin(struct training *t, const struct candidate *c, struct bytes *out)
{
	struct store_place at;
	int r;

	if (!t->synced)
		(void)store_sync(t->s, 0, false);	/* as far as it can */
	t->synced = true;
	r = c->message_id_hash == 0 ? 0 : find_twin(t, c, &at);
	if (r == 0)
		errno = ENOENT;
	return r != 1 ? -1 : store_message_map(t->s, at.mailbox, at.uid,
	    out);
}

static int
map_left(struct training *t, const struct candidate *c, struct bytes *out)
{
	char name[EXPUNGED_NAME_MAX];
	int fd, r, err;

	expunged_name(name, c->mailbox, c->uid);
	fd = openat(t->s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return errno == ENOENT ? map_twin(t, c, out) : -1;
	r = map_fd(fd, out);
	err = errno;
	(void)close(fd);	/* nothing was written through it */
	errno = err;
	return r;
}

/* Whether it may work the next time. */
static bool
may_pass(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOMEM;
}

static int
read_one(struct training *t, struct candidate *c)
{
	struct bytes content;
	size_t size;
	int r = c->left ? map_left(t, c, &content)
	    : store_message_map(t->s, c->mailbox, c->uid, &content);

	if (r == -1) {
		c->lost = true;
		return may_pass(errno) ? -1 : 0;
	}
	junk_words_read(&t->words, content);
	store_unmap(content);
	size = t->words.n * sizeof(*t->words.word);
	c->words.n = t->words.n;
	c->words.word = arena_alloc(&t->arena, size);
	if (size > 0)
		memcpy(c->words.word, t->words.word, size);
	return 0;
}

/* As many as there is time for, but one. */
static int
read_words(struct training *t, int ms)
{
	int64_t end = time_mono_ms() + ms;
	size_t words = 0;

	for (t->done = 0; t->done < t->n; t->done++) {
		if (t->done > 0 && (time_mono_ms() > end ||
		    words > TRAIN_WORDS_MAX))
			break;
		if (read_one(t, &t->item[t->done]) == -1)
			return -1;
		words += t->item[t->done].words.n;
	}
	return 0;
}

/* ---- counted ---- */

static enum junk_class
class_of(enum store_training training)
{
	return training == STORE_TRAINED_SPAM ? JUNK_SPAM : JUNK_HAM;
}

/* Out as what it was, in as what it is to be. */
static void
count(struct training *t, const struct candidate *c)
{
	if (c->was != STORE_UNTRAINED) {
		junk_batch_add(t->batch, &c->words, class_of(c->was), -1);
		t->ask->untrained++;
	}
	if (c->want != STORE_UNTRAINED) {
		junk_batch_add(t->batch, &c->words, class_of(c->want), 1);
		t->ask->ham += c->want == STORE_TRAINED_HAM;
		t->ask->spam += c->want == STORE_TRAINED_SPAM;
	}
}

static int
train_one(struct training *t, struct work *w, const struct candidate *c)
{
	struct store_message old, m;
	struct arena scratch = ARENA_INIT;
	struct box *b;
	int r = c->lost ? 0 : work_get(w, c->mailbox, c->uid, &m);

	/* Expunged, or another change has noted it meanwhile. */
	if (r != 1 || m.training != c->was ||
	    training_wanted(m.flags) != c->want)
		return r == -1 ? -1 : 0;
	count(t, c);
	if (c->was == c->want)
		return 0;
	if ((b = work_box(w, c->mailbox)) == NULL)
		return -1;
	old = m = message_copy(&scratch, &m);
	m.training = c->want;
	r = work_put(w, b, &m, &old);
	arena_free(&scratch);
	return r;
}

/* One that went. */
static int
leave_one(struct training *t, struct work *w, const struct candidate *c,
    struct training_record *record)
{
	unsigned char key[KEY_MESSAGE];
	int r;

	key_message(key, c->mailbox, c->uid);
	r = kv_delete(w->t, TABLE_UNTRAIN, key_of(key, sizeof(key)));
	if (r != 1)
		return r;	/* all was counted anew meanwhile */
	w->dirty = t->files = true;
	if (c->lost)
		record->lost[class_of(c->was)]++;
	else
		count(t, c);
	return 0;
}

/* The ranges whose messages were read; of the last one maybe some. */
static int
ranges_done(struct training *t, struct work *w)
{
	struct looked *l;
	size_t i, end;
	uint32_t from;

	for (i = 0; i < t->ranges; i++) {
		l = &t->looked[i];
		end = i + 1 < t->ranges ? t->looked[i + 1].first : t->n;
		if (l->first > t->done ||
		    (l->first == t->done && end > l->first))
			break;		/* not begun */
		from = end > t->done ? t->item[t->done].uid : l->from;
		if (train_range_done(w, &l->range, from) == -1)
			return -1;
		w->dirty = true;
		if (from != 0)
			break;
	}
	return 0;
}

static int
change_all(struct training *t, struct work *w)
{
	struct training_record record;
	int there = training_record_get(t->s, w->t, &record), r = 0;
	size_t i;

	if (there == -1)
		return -1;
	if (record.version > JUNK_WORDS_VERSION)
		return 0;	/* these words are not those counted */
	for (i = 0; i < t->done && r != -1; i++)
		r = t->item[i].left ? leave_one(t, w, &t->item[i], &record)
		    : train_one(t, w, &t->item[i]);
	if (r == -1 || ranges_done(t, w) == -1 ||
	    junk_batch_write(t->batch, w->t, TABLE_WORD) == -1 ||
	    training_changed(w) == -1)
		return -1;
	/* The files go after the commit, which must not be undone then. */
	w->durable |= t->files;
	return training_record_put(w, &record);
}

/* Unless somebody reads them. */
static void
drop_files(struct training *t)
{
	char name[EXPUNGED_NAME_MAX];
	const struct candidate *c;
	size_t i;

	for (i = 0; i < t->done; i++) {
		c = &t->item[i];
		if (!c->left || c->mailbox == t->s->held ||
		    has_readers(t->s, c->mailbox))
			continue;
		expunged_name(name, c->mailbox, c->uid);
		(void)unlinkat(t->s->dir, name, 0);	/* else swept */
	}
}

/* Counts, records and notes together. */
static int
change(struct training *t)
{
	struct work w;

	if (work_begin(t->s, &w) == -1)
		return -1;
	if (change_all(t, &w) == -1) {
		work_abort(&w);
		return -1;
	}
	if (work_commit(&w) == -1)
		return -1;
	if (t->files)
		drop_files(t);
	return 0;
}

int
training_step(struct training *t, training_collect *collect, int ms)
{
	int fd = training_lock(t->s, !t->passes), r = -1, err;
	struct store_view *v;

	if (fd == -1)
		return t->passes && errno == EWOULDBLOCK ? 0 : -1;
	if (t->passes && !is_due(fd)) {
		(void)close(fd);	/* a directory */
		return 0;
	}
	t->n = t->done = t->ranges = t->looks = 0;
	t->files = t->synced = false;
	arena_reset(&t->arena);
	if ((v = store_view_open(t->s)) != NULL) {
		t->words.grams = store_junk_grams(v);
		r = collect(t, v);
		store_view_close(v);
	}
	if (r == 0 && (t->n > 0 || t->ranges > 0)) {
		r = read_words(t, ms);
		if (r == 0)
			r = change(t);
	}
	err = errno;
	(void)close(fd);	/* a directory */
	errno = err;
	return r;
}

/* ---- what was noted ---- */

int
training_is_waiting(struct store *s)
{
	struct store_view *v = store_view_open(s);
	struct training_record record;
	int r;

	if (v == NULL)
		return -1;
	r = training_record_get(s, v->t, &record);
	/* What a newer version counts is left to it. */
	if (r != -1)
		r = record.version <= JUNK_WORDS_VERSION &&
		    (kv_count(v->t, TABLE_UNTRAIN) > 0 ||
		    (s->training && kv_count(v->t, TABLE_TRAIN) > 0));
	store_view_close(v);
	return r;
}

static int
piece(struct store *s, int ms, bool passes)
{
	struct training *t;
	struct store_training_fill ask = { 0 };
	int r = training_is_waiting(s);

	if (r != 1)
		return r;
	t = mem_zalloc(1, sizeof(*t));
	training_init(t, s, &ask);
	t->passes = passes;
	r = training_step(t, training_collect_noted, ms);
	training_free(t);
	return r == -1 ? -1 : training_is_waiting(s);
}

int
training_piece(struct store *s)
{
	return piece(s, STEP_MS, false);
}

void
training_close(struct store *s)
{
	struct timespec pause = { 0, STORE_NAMES_PAUSE_US * 1000L };
	int64_t end = time_mono_ms() + STORE_TRAINING_CLOSE_MS;

	if (s->train_behind && !s->train_ours)
		(void)piece(s, STEP_MS, true);	/* the next one goes on */
	while (s->train_behind && s->train_ours &&
	    piece(s, CLOSE_STEP_MS, false) == 1 && time_mono_ms() < end)
		(void)nanosleep(&pause, NULL);	/* cut short does no harm */
	s->train_behind = s->train_ours = false;
}
