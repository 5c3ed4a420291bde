/*
 * text.c - what searches may pass by: filters of messages' texts
 *
 * A record of the table text: a byte for the format, flags, the length of
 * the first filter (be32), the filter of all headers, that of the text parts
 * (lib/gram). It is made with the message's record and goes with it; a
 * message without one, or with one of another format (1 had the first header
 * alone), may hold any word.
 */
#include "store/internal.h"
#include "mime/mime.h"
#include "unicode/unicode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_FORMAT 2
#define TEXT_FIXED 6
enum {
	ANY_HEADER = 1,		/* a field was too long to be sure of */
};
#define TEXT_RECORD_MAX (TEXT_FIXED + 2 * GRAM_FILTER_READ_MAX)
/* One step of store_text_fill, made ready without the lock. */
#define FILL_MESSAGES 200

/* Words are folded as SEARCH folds them. */
static void
add_text(struct arena *a, struct gram_set *g, struct bytes text)
{
	if (bytes_is_ascii(text))
		gram_set_add_ascii(g, text);
	else
		gram_set_add(g, unicode_fold(a, text));
}

/* False: a search may see more of it than was added. */
static bool
add_header(struct arena *a, struct gram_set *g, struct bytes header)
{
	struct mime_field f;
	bool whole = true;

	while (mime_next_field(&header, &f)) {
		whole = whole && f.raw.n < MIME_VALUE_MAX / 4;
		add_text(a, g, mime_decode_words(a, mime_unfold(a,
		    bytes_trim(f.raw))));
		/* an encoded word beside the colon is one of the body only */
		if (bytes_at(f.body, 0) == '=')
			add_text(a, g, mime_decode_words(a, mime_unfold(a,
			    f.body)));
	}
	return whole;
}

struct bytes
message_text(struct arena *a, const struct mime_tree *tree,
    struct gram_set *g)
{
	struct buf b = BUF_INIT(TEXT_RECORD_MAX);
	const struct mime_part *part = NULL, *p;
	size_t left = STORE_TEXT_MAX;
	struct bytes filter, text, record;
	unsigned char fixed[TEXT_FIXED] = { TEXT_FORMAT };

	for (p = tree->root; p != NULL; p = mime_next_part(p)) {
		if (!add_header(a, g, p->header))
			fixed[1] = ANY_HEADER;
	}
	filter = gram_set_filter(g);
	be32_put(fixed + 2, (uint32_t)filter.n);
	(void)buf_add(&b, bytes_of(fixed, TEXT_FIXED));	/* all of it fits */
	(void)buf_add(&b, filter);
	while (mime_next_text(a, tree, &part, &left, &text))
		add_text(a, g, text);
	(void)buf_add(&b, gram_set_filter(g));
	record = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return record;
}

/* Put the cursor on the first record at or after a key; 1, 0 none, -1. */
static int
seek_text(struct store_view *v, struct bytes key)
{
	int r;

	if (v->texts == NULL &&
	    (v->texts = kv_cursor_open(v->t, TABLE_TEXT)) == NULL)
		return -1;
	r = kv_seek(v->texts, &key, &v->text);
	v->text_key = r == 1 ? key : BYTES_EMPTY;
	return r;
}

/*
 * The record with a key: 1, 0 none, -1. Who asks for one message after the
 * other gets the next record without a search.
 */
static int
find_text(struct store_view *v, struct bytes key)
{
	int r = 1;

	if (v->text_key.n > 0 && bytes_cmp(v->text_key, key) < 0) {
		r = kv_next(v->texts, &v->text_key, &v->text);
		if (r != 1)
			v->text_key = BYTES_EMPTY;
	}
	if (r == 1 && !bytes_eq(v->text_key, key))
		r = seek_text(v, key);
	return r == 1 ? bytes_eq(v->text_key, key) : r;
}

static bool
is_current(struct bytes record)
{
	return record.n >= TEXT_FIXED && record.p[0] == TEXT_FORMAT;
}

bool
text_maybe(struct bytes record, const struct gram_query *q, bool header,
    bool body)
{
	size_t n;

	if (!is_current(record) ||
	    (n = be32_get(record.p + 2)) > record.n - TEXT_FIXED)
		return true;
	if (header && ((record.p[1] & ANY_HEADER) != 0 ||
	    gram_maybe(q, bytes_of(record.p + TEXT_FIXED, n))))
		return true;
	return body && gram_maybe(q, bytes_from(record, TEXT_FIXED + n));
}

bool
text_differs(struct bytes kept, struct bytes text)
{
	return (kept.n == 0 || is_current(kept)) && !bytes_eq(kept, text);
}

int
store_text_maybe(struct store_view *v, uint32_t mailbox, uint32_t uid,
    const struct gram_query *q, bool header, bool body)
{
	unsigned char key[KEY_MESSAGE];
	int r;

	key_message(key, mailbox, uid);
	r = find_text(v, key_of(key, sizeof(key)));
	if (r != 1)
		return r == 0 ? 1 : -1;
	return text_maybe(v->text, q, header, body) ? 1 : 0;
}

/* ---- in a write transaction ---- */

int
work_text_put(struct work *w, uint32_t mailbox, uint32_t uid,
    struct bytes text)
{
	unsigned char key[KEY_MESSAGE];

	if (text.n == 0)
		return 0;
	key_message(key, mailbox, uid);
	return kv_put(w->t, TABLE_TEXT, key_of(key, sizeof(key)), text);
}

int
work_text_copy(struct work *w, struct arena *a,
    const struct store_message *from, const struct store_message *to)
{
	unsigned char key[KEY_MESSAGE];
	struct bytes text;
	int r;

	key_message(key, from->mailbox, from->uid);
	r = kv_get(w->t, TABLE_TEXT, key_of(key, sizeof(key)), &text);
	if (r != 1)
		return r;
	/* a value does not outlive the next change */
	return work_text_put(w, to->mailbox, to->uid, arena_bytes(a, text));
}

/* ---- messages that came before it was kept ---- */

struct filling {
	struct store *s;
	struct store_text_fill *ask;
	struct arena arena;
	struct gram_set *set;
	struct store_place place[FILL_MESSAGES];
	struct bytes text[FILL_MESSAGES];
	size_t n;
	unsigned char at[KEY_MESSAGE];	/* where the next step begins */
	bool end;
};

/* The next messages without a record of this format. */
static int
collect(struct filling *f, struct store_view *v)
{
	struct bytes key = key_of(f->at, KEY_MESSAGE), value, text;
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_MESSAGE);
	int r;

	if (c == NULL)
		return -1;
	f->n = 0;
	for (r = kv_seek(c, &key, &value); r == 1 && f->n < FILL_MESSAGES;
	    r = kv_next(c, &key, &value)) {
		if (key.n != KEY_MESSAGE)
			continue;
		f->ask->seen++;
		r = f->ask->anew ? 0 : kv_get(v->t, TABLE_TEXT, key,
		    &text);
		if (r == -1)
			break;
		if (r == 0 || !is_current(text)) {
			f->place[f->n].mailbox = be32_get(key.p);
			f->place[f->n++].uid = be32_get(key.p + 4);
		}
	}
	f->end = r == 0;
	if (r == 1)
		memcpy(f->at, key.p, KEY_MESSAGE);
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

/* One that is gone or cannot be read stays without. */
static void
prepare(struct filling *f)
{
	struct bytes content;
	size_t i;

	for (i = 0; i < f->n; i++) {
		f->text[i] = BYTES_EMPTY;
		if (store_message_map(f->s, f->place[i].mailbox,
		    f->place[i].uid, &content) == -1)
			continue;
		f->text[i] = message_text(&f->arena,
		    mime_parse(&f->arena, content), f->set);
		store_unmap(content);
	}
}

static int
put_all(struct filling *f)
{
	struct store_message m;
	struct work w;
	size_t i;
	int r = 1;

	if (work_begin(f->s, &w) == -1)
		return -1;
	for (i = 0; i < f->n && r != -1; i++) {
		r = work_get(&w, f->place[i].mailbox, f->place[i].uid, &m);
		if (r == 1) {
			r = work_text_put(&w, m.mailbox, m.uid, f->text[i]);
			f->ask->made += f->text[i].n > 0;
		}
	}
	if (r != -1)
		return work_commit(&w);
	work_abort(&w);
	return -1;
}

static int
step(struct filling *f)
{
	struct store_view *v = store_view_open(f->s);
	int r;

	if (v == NULL)
		return -1;
	r = collect(f, v);
	store_view_close(v);
	if (r == 0 && f->n > 0) {
		prepare(f);
		r = put_all(f);
		arena_reset(&f->arena);
	}
	if (r == 0 && f->ask->progress != NULL)
		f->ask->progress(f->ask->ctx, f->ask);
	return r;
}

static int
count_all(struct store *s, uint64_t *all)
{
	struct store_view *v = store_view_open(s);
	int64_t n = v == NULL ? -1 : kv_count(v->t, TABLE_MESSAGE);

	store_view_close(v);
	*all = n == -1 ? 0 : (uint64_t)n;
	return n == -1 ? -1 : 0;
}

int
store_text_fill(struct store *s, struct store_text_fill *ask)
{
	struct filling *f = calloc(1, sizeof(*f));
	int r;

	if (f == NULL)
		return -1;
	f->s = s;
	f->ask = ask;
	f->arena = (struct arena)ARENA_INIT;
	f->set = gram_set_new();
	ask->seen = ask->made = 0;
	r = count_all(s, &ask->all);
	while (r == 0 && !f->end)
		r = step(f);
	arena_free(&f->arena);
	gram_set_free(f->set);
	free(f);
	return r;
}

int
store_text_drop(struct store *s)
{
	struct work w;

	if (work_begin(s, &w) == -1)
		return -1;
	if (kv_empty(w.t, TABLE_TEXT) == 0)
		return work_commit(&w);
	work_abort(&w);
	return -1;
}
