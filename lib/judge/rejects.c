/*
 * rejects.c - the mailbox with copies of refused mail (J-10)
 */
#include "judge/ask.h"

#include <errno.h>

#include "mime/mime.h"

/* Copies of one message that go when it is accepted: there is one, unless its
 * owner made more. */
#define FORGET_MAX 16

void
judge_rejects_read(const struct config *c, const char *account,
    struct judge_rejects *out)
{
	*out = (struct judge_rejects){ .mailbox = BYTES_EMPTY };
	if (c == NULL)
		return;
	out->mailbox = config_get_text(c, "account", account, "rejects");
	out->keep = config_get_bool(c, "account", account, "keep-rejects");
}

/* Hash of the Message-ID; 0: it has none. */
static uint64_t
message_id_of(struct bytes message)
{
	struct arena a = ARENA_INIT;
	struct bytes header, body, ids, id;
	struct mime_field f;
	uint64_t hash = 0;

	mime_split(message, &header, &body);
	if (mime_find_field(header, BYTES("Message-ID"), 0, &f)) {
		ids = f.body;
		if (mime_next_msg_id(&a, &ids, &id))
			hash = store_message_id_hash(id);
	}
	arena_free(&a);
	return hash;
}

static bool
is_among(uint32_t uid, const uint32_t *uids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (uids[i] == uid)
			return true;
	}
	return false;
}

/* The UID of a message with that Message-ID in the mailbox that is none of
 * those of not[n]: 1, 0, -1. */
static int
find_message_id(struct store_view *v, uint32_t mailbox, uint64_t hash,
    const uint32_t *not, size_t n, uint32_t *uid)
{
	struct store_place at = { 0, 0 };
	int r = 0;

	while (hash != 0 && (r = store_message_id_next(v, hash, &at)) == 1) {
		if (at.mailbox == mailbox && !is_among(at.uid, not, n)) {
			*uid = at.uid;
			return 1;
		}
	}
	return r;
}

/* What is noted of a message under a tag; empty: nothing. */
static struct bytes
note_of(struct bytes extension, enum store_tag wanted)
{
	enum store_tag tag;
	struct bytes value;

	while (store_field_next(&extension, &tag, &value) == 1) {
		if (tag == wanted)
			return value;
	}
	return BYTES_EMPTY;
}

static struct bytes
hash_of(struct bytes extension)
{
	return note_of(extension, STORE_TAG_MESSAGE_HASH);
}

/* Only a copy of what was refused is removed: the mailbox may hold other mail,
 * put there by its owner, or by a rule. */
static bool
is_copy(struct bytes extension)
{
	return note_of(extension, STORE_TAG_REJECT).n > 0;
}

struct look {
	struct arena *a;
	const struct judge_rejects *r;
	int64_t now;
	uint64_t message_id;
	struct bytes hash;	/* of the new one */
	uint32_t mailbox;	/* 0: it is not there yet */
	uint32_t *old;		/* UIDs to be removed */
	size_t nold;
	uint32_t left;		/* messages that stay */
	bool known;		/* one of them is the same */
};

/* Walk what counts: all of it where old ones go, else the newest. */
static int
walk(struct look *l, struct store_view *v, const struct store_mailbox *box)
{
	uint32_t first = 1;
	struct store_message m;
	int r;

	if (l->r->keep && box->uidnext > JUDGE_REJECTS_MAX)
		first = box->uidnext - JUDGE_REJECTS_MAX;
	for (r = store_message_first(v, box->id, first, &m); r == 1;
	    r = store_message_next(v, &m)) {
		if (!l->r->keep && l->nold < box->total &&
		    m.save_date < l->now - JUDGE_REJECTS_SECONDS &&
		    is_copy(m.extension))
			l->old[l->nold++] = m.uid;
		else if (l->hash.n > 0 &&
		    bytes_eq(hash_of(m.extension), l->hash))
			l->known = true;
	}
	return r;
}

static int
look(struct look *l, struct store *s)
{
	struct store_view *v = store_view_open(s);
	struct store_mailbox box;
	uint32_t uid;
	int r;

	if (v == NULL)
		return -1;
	r = store_mailbox_find(v, l->r->mailbox, &box);
	if (r == 1) {
		l->mailbox = box.id;
		l->old = arena_zalloc(l->a, box.total, sizeof(*l->old));
		r = walk(l, v, &box);
		l->left = box.total - (uint32_t)l->nold;
		if (r == 0 && (r = find_message_id(v, box.id, l->message_id,
		    l->old, l->nold, &uid)) == 1)
			l->known = true;
	}
	store_view_close(v);
	return r == -1 ? -1 : 0;
}

int
judge_rejects_add(struct store *s, const struct judge_rejects *r,
    const struct store_incoming *m, struct bytes message, int64_t now)
{
	struct arena a = ARENA_INIT;
	struct look l = { .a = &a, .r = r, .now = now };
	int n;

	if (r->mailbox.n == 0)
		return 0;
	l.message_id = message_id_of(message);
	l.hash = hash_of(m->extension);
	n = look(&l, s);
	if (n == 0 && l.nold > 0)
		n = store_expunge(s, l.mailbox, l.old, l.nold, true, NULL);
	arena_free(&a);
	if (n == -1)
		return -1;
	if (l.known || (!r->keep && l.left >= JUDGE_REJECTS_MAX))
		return 0;
	return store_deliver(s, r->mailbox, m, NULL) == -1 ? -1 : 1;
}

/* Copies with that Message-ID: up to FORGET_MAX into uids. */
static int
find_copies(struct store_view *v, uint32_t mailbox, uint64_t hash,
    uint32_t uids[FORGET_MAX], size_t *n)
{
	struct store_place at = { 0, 0 };
	struct store_message m;
	int r = 0, found;

	for (*n = 0; *n < FORGET_MAX &&
	    (r = store_message_id_next(v, hash, &at)) == 1;) {
		if (at.mailbox != mailbox)
			continue;
		found = store_message_get(v, at.mailbox, at.uid, &m);
		if (found == -1)
			return -1;
		if (found == 1 && is_copy(m.extension))
			uids[(*n)++] = at.uid;
	}
	return r == -1 ? -1 : 0;
}

int
judge_rejects_forget(struct store *s, const struct judge_rejects *r,
    struct bytes message)
{
	uint32_t uids[FORGET_MAX];
	struct store_mailbox box;
	struct store_view *v;
	uint64_t hash;
	size_t count = 0;
	int n;

	if (r->mailbox.n == 0 || (hash = message_id_of(message)) == 0)
		return 0;
	if ((v = store_view_open(s)) == NULL)
		return -1;
	n = store_mailbox_find(v, r->mailbox, &box);
	if (n == 1)
		n = find_copies(v, box.id, hash, uids, &count);
	store_view_close(v);
	return n == -1 || count == 0 ? n
	    : store_expunge(s, box.id, uids, count, true, NULL);
}

/* ---- marks ---- */

/* A mailbox, made if it is not there: 1, 0 gone again, -1. */
static int
find_or_make(struct store *s, struct bytes name, struct store_mailbox *box)
{
	struct store_view *v;
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++) {
		if (i == 1 && store_mailbox_create(s, name, 0, NULL) == -1 &&
		    errno != EEXIST)
			return -1;
		if ((v = store_view_open(s)) == NULL)
			return -1;
		r = store_mailbox_find(v, name, box);
		store_view_close(v);
	}
	return r;
}

int
judge_add_marks(struct buf *extension, struct buf *field, struct store *s,
    const struct judge_result *r, struct bytes aside)
{
	bool refused = !r->accept || r->is_reject;
	struct store_mailbox to, at;
	unsigned char id[4];

	if (r->destined.n > 0) {
		if (find_or_make(s, r->destined, &to) != 1 ||
		    find_or_make(s, aside, &at) != 1)
			return -1;
		be32_put(id, to.id);
		if (store_field_add(extension, STORE_TAG_DESTINED_MAILBOX,
		    bytes_of(id, sizeof(id))) == -1 ||
		    store_destined_format(field, &(struct store_destined){
		    to.uidvalidity, at.uidvalidity, refused }) == -1)
			return -1;
	}
	return !refused ? 0
	    : store_field_add(extension, STORE_TAG_REJECT, BYTES("1"));
}
