/* Proof, threads: records against messages, tables against records. */
#include "store/verify.h"

#include <errno.h>

int
verify_thread(struct verifying *y, struct bytes mailbox,
    const struct store_message *m)
{
	struct store_thread t;
	int r = thread_get(y->v->t, m->mailbox, m->uid, &t);

	if (r == -1 && errno != EBADMSG)
		return -1;
	if (r == -1)
		verify_found(y, "thread", mailbox, m->uid,
		    "its record cannot be read");
	else if (y->v->state.phase != PHASE_DONE)
		return 0;	/* still to be done */
	else if (m->parse_version != STORE_PARSE_VERSION)
		verify_found(y, "parse-version", mailbox, m->uid,
		    "read by version %u, but none is marked to be read again",
		    m->parse_version);
	else if (r == 0 || t.id == 0)
		verify_found(y, "thread", mailbox, m->uid, "it has none");
	else if (!thread_has_entries(y->v->t, &t))
		verify_found(y, "thread", mailbox, m->uid,
		    "the tables of threads do not lead to it");
	else if (thread_has_parent(&t, t.own) ||
	    (t.parent_count == 0 && t.id != t.own))
		verify_found(y, "thread", mailbox, m->uid,
		    "its parents are not those of its thread");
	return 0;
}

void
verify_thread_text(struct verifying *y, struct bytes mailbox,
    const struct store_message *m, struct bytes content)
{
	const uint32_t said = STORE_THREAD_RESPONSE | STORE_THREAD_DSN;
	struct store_thread t, fresh;

	if (y->v->state.phase != PHASE_DONE ||
	    thread_get(y->v->t, m->mailbox, m->uid, &t) != 1)
		return;		/* verify_thread tells of it */
	thread_read(&y->scratch, content, &fresh);
	if (t.subject != fresh.subject || t.message_id != fresh.message_id ||
	    (t.flags & said) != (fresh.flags & said) ||
	    t.reference_count != fresh.reference_count ||
	    memcmp(t.references, fresh.references, sizeof(t.references)) != 0)
		verify_found(y, "thread", mailbox, m->uid,
		    "not what the message says: flags 0x%lx and 0x%lx, "
		    "references %u and %u", (unsigned long)(t.flags & said),
		    (unsigned long)(fresh.flags & said), t.reference_count,
		    fresh.reference_count);
}

static int
check_entry(struct verifying *y, struct bytes place, bool same)
{
	if (!same)
		verify_found(y, "thread", BYTES_EMPTY, place.n == 8
		    ? be32_get(place.p + 4) : 0,
		    "the tables of threads lead to what is not there");
	return 0;
}

int
verify_thread_record(struct verifying *y, struct bytes key,
    struct bytes value)
{
	struct store_message m;
	int r = key.n != KEY_MESSAGE ? 0 : store_message_get(y->v,
	    be32_get(key.p), be32_get(key.p + 4), &m);

	(void)value;		/* verify_thread reads it */
	if (r == -1)
		return errno == EBADMSG ? 0 : -1;
	if (r == 0 && (key.n != KEY_MESSAGE || (r = left_has(y->v->t,
	    be32_get(key.p), be32_get(key.p + 4))) == 0))
		verify_found(y, "thread", BYTES_EMPTY, key.n < 8 ? 0
		    : be32_get(key.p + 4), "a record of no message");
	return r == -1 ? -1 : 0;
}

/* The thread of the message that a key of a table ends with. 1, 0, -1. */
static int
thread_at(struct verifying *y, struct bytes place, struct store_thread *t)
{
	int r = place.n == 8 ? thread_get(y->v->t, be32_get(place.p),
	    be32_get(place.p + 4), t) : 0;

	return r == -1 && errno == EBADMSG ? 0 : r;
}

int
verify_thread_member(struct verifying *y, struct bytes key,
    struct bytes value)
{
	struct bytes place = bytes_from(key, 8);
	struct store_thread t;
	int r = thread_at(y, place, &t);

	(void)value;		/* always empty */
	if (r == -1)
		return -1;
	return check_entry(y, place, r == 1 && t.id == be64_get(key.p));
}

int
verify_thread_subject(struct verifying *y, struct bytes key,
    struct bytes value)
{
	struct bytes place = bytes_from(key, 20);
	struct store_thread t;
	int r = thread_at(y, place, &t);

	(void)value;		/* always empty */
	if (r == -1)
		return -1;
	return check_entry(y, place, r == 1 &&
	    t.subject == be64_get(key.p) &&
	    t.original_mailbox == be32_get(key.p + 8) &&
	    (uint64_t)t.date == ~be64_get(key.p + 12));
}
