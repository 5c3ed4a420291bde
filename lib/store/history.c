/* history.c - what became of earlier messages of a sender (J-2) */
#include "store/internal.h"

#define KEY_LIST 13	/* what the keys of one list begin with */

/*
 * Whether entries may be of messages that are gone or judged otherwise by now:
 * what follows such changes (store_names) is not done. Usually not, and no
 * record has to be read, which lie anywhere.
 */
static bool
is_behind(struct store_view *v)
{
	return kv_count(v->t, TABLE_UNSETTLED) != 0 ||
	    kv_count(v->t, TABLE_LEFT) != 0;
}

/* As its flags say: 1, 0 it is gone or judged by nobody, -1. */
static int
look_at(struct store_view *v, struct store_history *h)
{
	struct store_message m;
	int r = store_message_get(v, h->mailbox, h->uid, &m);

	if (r != 1 || judged_by(m.flags) == JUDGED_NOT)
		return r == -1 ? -1 : 0;
	h->junk = judged_by(m.flags) == JUDGED_JUNK;
	return 1;
}

static bool
decode(struct bytes key, struct bytes value, struct store_history *out)
{
	if (value.n != HISTORY_VALUE)
		return false;	/* verifydata tells of it */
	*out = (struct store_history){
	    .mailbox = be32_get(key.p + HISTORY_PLACE),
	    .uid = be32_get(key.p + HISTORY_PLACE + 4),
	    .date = (int64_t)~be64_get(key.p + HISTORY_DATE),
	    .junk = value.p[8] != 0, .local_part = be64_get(value.p) };
	return true;
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
	bool behind = is_behind(v);
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
		there = decode(key, value, &out[found]);
		if (there == 1 && behind &&
		    (there = look_at(v, &out[found])) == -1) {
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
