/* history.c - what became of earlier messages of a sender (J-2) */
#include "store/internal.h"

#define KEY_LIST 13	/* what the keys of one list begin with */

/* The next message of the list that is there and judged: 1, 0, -1. */
static int
take(struct store_view *v, struct bytes key, struct bytes value,
    struct store_history *out)
{
	struct store_message m;
	int r = store_message_get(v, be32_get(key.p + HISTORY_PLACE),
	    be32_get(key.p + HISTORY_PLACE + 4), &m);

	if (r != 1 || (m.flags & (STORE_JUNK | STORE_NOTJUNK)) == 0)
		return r == -1 ? -1 : 0;
	*out = (struct store_history){ .mailbox = m.mailbox, .uid = m.uid,
	    .date = (int64_t)~be64_get(key.p + HISTORY_DATE),
	    .junk = (m.flags & STORE_JUNK) != 0,
	    .local_part = value.n >= 8 ? be64_get(value.p) : 0 };
	return 1;
}

int
store_history(struct store_view *v, const struct store_history_query *q,
    struct store_history *out, size_t *n)
{
	struct origin_row row = { .original_mailbox = q->original_mailbox,
	    .original_uid = UINT32_MAX, .from_validated = q->validated,
	    .date = INT64_MAX, .n = 1 };
	unsigned char from[KEY_HISTORY];
	struct bytes key = key_of(from, KEY_HISTORY), value;
	struct bytes list = key_of(from, KEY_LIST);
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_HISTORY);
	size_t found = 0;
	int r, there;

	if (c == NULL)
		return -1;
	row.entry[0].key = q->key;
	row.entry[0].hash = hash_of(q->identity);
	history_key(from, &row, 0);
	for (r = kv_seek(c, &key, &value); r == 1 && found < q->max;
	    r = kv_next(c, &key, &value)) {
		if (key.n != KEY_HISTORY || !bytes_starts(key, list) ||
		    (int64_t)~be64_get(key.p + HISTORY_DATE) < q->since)
			break;
		if ((there = take(v, key, value, &out[found])) == -1) {
			r = -1;
			break;
		}
		found += there == 1;
	}
	kv_cursor_close(c);
	if (r == -1)
		return -1;
	*n = found;
	return 0;
}
