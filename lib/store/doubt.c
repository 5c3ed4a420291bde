/* doubt.c - an index that ended a process, or had what cannot be read */
#include "store/facts.h"
#include "store/learn.h"
#include "store/origins.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool
store_trusted(const struct store *s)
{
	return faccessat(s->dir, "index/boot", F_OK, 0) == 0 ||
	    errno != ENOENT;
}

typedef int read_fn(struct bytes key, struct bytes value);

static int
read_name(struct bytes key, struct bytes value)
{
	(void)key;		/* any name */
	return value.n == 4 ? 0 : unreadable();
}

static int
read_mailbox(struct bytes key, struct bytes value)
{
	struct mbox m;

	if (key.n != 4)
		return unreadable();
	return mbox_decode(be32_get(key.p), value, &m);
}

static int
read_message(struct bytes key, struct bytes value)
{
	struct store_message m;

	return message_decode(key, value, &m);
}

static int
read_change(struct bytes key, struct bytes value)
{
	struct store_change c;

	return change_decode(key, value, &c);
}

static int
read_thread(struct bytes key, struct bytes value)
{
	struct store_thread t;

	return thread_decode(key, value, &t);
}

static int
read_origin(struct bytes key, struct bytes value)
{
	struct origin_row row;

	return origin_decode(key, value, &row);
}

static int
read_all(struct kv_txn *t, unsigned int table, read_fn *fn)
{
	struct kv_cursor *c = kv_cursor_open(t, table);
	struct bytes key = BYTES_EMPTY, value;
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	while (r == 1)
		r = fn(key, value) == -1 ? -1 : kv_next(c, &key, &value);
	kv_cursor_close(c);
	return r;
}

/* They are counted again, a piece at a time. */
static int
count_words_anew(struct store *s)
{
	struct work w;

	report(s, "words-counted-anew", BYTES_EMPTY, "", 0);
	if (work_begin(s, &w) == -1)
		return -1;
	if (training_forget(&w) == -1) {
		work_abort(&w);
		return -1;
	}
	w.durable = true;
	return work_commit(&w);
}

int
check_suspected(struct store *s)
{
	static const struct {
		unsigned int table;
		read_fn *read;
	} tables[] = {
		{ TABLE_MAILBOX, read_mailbox },
		{ TABLE_MAILBOX_NAME, read_name },
		{ TABLE_MESSAGE, read_message },
		{ TABLE_CHANGE, read_change },
		{ TABLE_THREAD, read_thread },
		{ TABLE_ORIGIN, read_origin },
	};
	struct store_view *v;
	uint32_t mailbox, uid;
	size_t i;
	int r = 0;

	report(s, "suspected-index", BYTES_EMPTY, "", 0);
	if ((v = store_view_open(s)) == NULL)
		return -1;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]) && r == 0; i++)
		r = read_all(v->t, tables[i].table, tables[i].read);
	if (r == 0 && (r = uids_verify(v->t, &mailbox, &uid)) != 1)
		r = r == 0 ? unreadable() : -1;
	if (r == 1)
		r = training_agrees(s, v->t);
	store_view_close(v);
	return r == 0 ? count_words_anew(s) : r == 1 ? 0 : -1;
}
