/* Proof, senders: rows against messages, the table history against rows. */
#include "store/verify.h"

#include <errno.h>

/* Whether what the table history should have of a message is still to come,
 * or to go. 1, 0, -1. */
static int
waits(struct verifying *y, uint32_t mailbox, uint32_t uid)
{
	int r = origin_waits(y->v->t, mailbox, uid);

	return r != 0 ? r : left_has(y->v->t, mailbox, uid);
}

static int
check_row(struct verifying *y, const struct origin_row *row)
{
	unsigned char key[KEY_HISTORY];
	struct store_message m;
	struct bytes value;
	enum judged judged = JUDGED_NOT;
	bool found = true;
	int r = store_message_get(y->v, row->mailbox, row->uid, &m);

	if (r == -1)
		return errno == EBADMSG ? 0 : -1;
	if (r == 1)
		judged = judged_by(m.flags);
	for (size_t i = 0; row->listed != JUDGED_NOT && found &&
	    i < row->n; i++) {
		history_key(key, row, i);
		found = kv_get(y->v->t, TABLE_HISTORY,
		    key_of(key, KEY_HISTORY), &value) == 1;
	}
	if (r == 1 && row->listed == judged && found)
		return 0;
	if (found && (r = waits(y, row->mailbox, row->uid)) != 0)
		return r == -1 ? -1 : 0;
	verify_found(y, "origin", BYTES_EMPTY, row->uid, found
	    ? "the record of a sender is not listed as the message is judged"
	    : "the table of history does not lead to a message");
	return 0;
}

int
verify_origin(struct verifying *y, struct bytes key, struct bytes value)
{
	struct origin_row row;

	if (origin_decode(key, value, &row) == 0)
		return check_row(y, &row);
	verify_found(y, "origin", BYTES_EMPTY, key.n == KEY_MESSAGE
	    ? be32_get(key.p + 4) : 0, "a record of a sender cannot be read");
	return 0;
}

int
verify_history(struct verifying *y, struct bytes key, struct bytes value)
{
	unsigned char want[KEY_HISTORY];
	struct origin_row row = { .n = 0 };
	bool found = false;
	int r = 0;

	if (key.n == KEY_HISTORY)
		r = origin_get(y->v->t, be32_get(key.p + HISTORY_PLACE),
		    be32_get(key.p + HISTORY_PLACE + 4), &row);
	if (r == -1 && errno != EBADMSG)
		return -1;
	for (size_t i = 0; r == 1 && row.listed != JUDGED_NOT && !found &&
	    i < row.n; i++) {
		history_key(want, &row, i);
		found = bytes_eq(key, key_of(want, KEY_HISTORY)) &&
		    value.n == HISTORY_VALUE &&
		    value.p[8] == (row.listed == JUDGED_JUNK);
	}
	if (!found)
		verify_found(y, "origin", BYTES_EMPTY, key.n == KEY_HISTORY
		    ? be32_get(key.p + HISTORY_PLACE + 4) : 0,
		    "the table of history leads to what is not there");
	return 0;
}
