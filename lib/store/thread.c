/*
 * thread.c - which messages belong to one conversation, inside a transaction
 *
 * A message of which the index knows anything has a record in the table
 * thread. Once it has a thread, thread_member leads from the thread to it
 * and thread_subject from its base subject, latest first. What is matched is
 * hashes of 8 bytes; two texts of one hash would take chance 2^-64.
 *
 * Parents are numbers of messages (own), which outlive them: a message goes
 * on to have its parents when they are expunged.
 */
#include "store/internal.h"
#include "mime/mime.h"

#include <errno.h>

/* Messages of one Message-ID or one subject that are looked at: a sender
 * that repeats itself must not make each delivery slower. */
#define CANDIDATES 64
#define WEEKS_4 ((int64_t)28 * 24 * 3600)
#define DAY ((int64_t)24 * 3600)

uint64_t
hash_of(struct bytes s)
{
	unsigned char h[32];
	uint64_t n;

	sha256_of(s, h);
	n = be64_get(h);
	return n == 0 ? 1 : n;
}

/* ---- records ---- */

void
thread_encode(struct buf *out, const struct store_thread *t)
{
	unsigned char r[THREAD_FIXED] = { 1, (unsigned char)t->flags,
	    (unsigned char)t->parent_count,
	    (unsigned char)t->reference_count }, be[8];
	unsigned int i;

	be64_put(r + 4, t->own);
	be64_put(r + 12, t->id);
	be64_put(r + 20, t->subject);
	be64_put(r + 28, (uint64_t)t->date);
	be32_put(r + 36, t->original_mailbox);
	be64_put(r + 40, t->message_id);
	(void)buf_add(out, bytes_of(r, THREAD_FIXED));	/* room for all of it */
	for (i = 0; i < t->parent_count; i++) {
		be64_put(be, t->parents[i]);
		(void)buf_add(out, bytes_of(be, 8));	/* as above */
	}
	for (i = 0; i < t->reference_count; i++) {
		be64_put(be, t->references[i]);
		(void)buf_add(out, bytes_of(be, 8));	/* as above */
	}
}

int
thread_decode(struct bytes key, struct bytes v, struct store_thread *t)
{
	const unsigned char *p = v.p;
	unsigned int i;

	if (key.n != KEY_MESSAGE || v.n < THREAD_FIXED || p[0] != 1 ||
	    p[2] > STORE_PARENTS_MAX || p[3] > STORE_REFERENCES_MAX ||
	    v.n != THREAD_FIXED + 8 * ((size_t)p[2] + p[3]))
		return unreadable();
	*t = (struct store_thread){ .mailbox = be32_get(key.p),
	    .uid = be32_get(key.p + 4), .flags = p[1],
	    .parent_count = p[2], .reference_count = p[3],
	    .own = be64_get(p + 4), .id = be64_get(p + 12),
	    .subject = be64_get(p + 20),
	    .date = (int64_t)be64_get(p + 28),
	    .original_mailbox = be32_get(p + 36),
	    .message_id = be64_get(p + 40) };
	for (i = 0; i < t->parent_count; i++)
		t->parents[i] = be64_get(p + THREAD_FIXED + 8 * i);
	for (i = 0; i < t->reference_count; i++)
		t->references[i] = be64_get(p + THREAD_FIXED +
		    8 * (t->parent_count + i));
	return 0;
}

int
thread_get(struct kv_txn *t, uint32_t mailbox, uint32_t uid,
    struct store_thread *out)
{
	unsigned char key[KEY_MESSAGE];
	struct bytes v;
	int r;

	key_message(key, mailbox, uid);
	r = kv_get(t, TABLE_THREAD, key_of(key, sizeof(key)), &v);
	if (r != 1)
		return r;
	return thread_decode(key_of(key, sizeof(key)), v, out) == 0 ? 1 : -1;
}

static void
member_key(unsigned char out[KEY_MEMBER], const struct store_thread *t)
{
	be64_put(out, t->id);
	key_message(out + 8, t->mailbox, t->uid);
}

/* The latest comes first. */
static void
subject_key(unsigned char out[KEY_SUBJECT], const struct store_thread *t)
{
	be64_put(out, t->subject);
	be32_put(out + 8, t->original_mailbox);
	be64_put(out + 12, ~(uint64_t)t->date);
	key_message(out + 20, t->mailbox, t->uid);
}

bool
thread_has_entries(struct kv_txn *t, const struct store_thread *x)
{
	unsigned char member[KEY_MEMBER], subject[KEY_SUBJECT];
	struct bytes v;

	member_key(member, x);
	subject_key(subject, x);
	return kv_get(t, TABLE_THREAD_MEMBER, key_of(member, KEY_MEMBER),
	    &v) == 1 && (x->subject == 0 || kv_get(t, TABLE_THREAD_SUBJECT,
	    key_of(subject, KEY_SUBJECT), &v) == 1);
}

static int
entries(struct work *w, const struct store_thread *t, bool add)
{
	unsigned char member[KEY_MEMBER], subject[KEY_SUBJECT];
	struct bytes m = key_of(member, KEY_MEMBER);
	struct bytes s = key_of(subject, KEY_SUBJECT);

	if (t->id == 0)
		return 0;
	member_key(member, t);
	subject_key(subject, t);
	if (add)
		return kv_put(w->t, TABLE_THREAD_MEMBER, m, BYTES_EMPTY)
		    == -1 || (t->subject != 0 && kv_put(w->t,
		    TABLE_THREAD_SUBJECT, s, BYTES_EMPTY) == -1) ? -1 : 0;
	return kv_delete(w->t, TABLE_THREAD_MEMBER, m) == -1 ||
	    (t->subject != 0 && kv_delete(w->t, TABLE_THREAD_SUBJECT, s)
	    == -1) ? -1 : 0;
}

int
work_thread_put(struct work *w, const struct store_thread *t,
    const struct store_thread *old)
{
	struct buf b = BUF_INIT(THREAD_RECORD_MAX);
	unsigned char key[KEY_MESSAGE];
	int r = 0;

	if (old != NULL)
		r = entries(w, old, false);
	key_message(key, t->mailbox, t->uid);
	thread_encode(&b, t);
	if (r == 0)
		r = kv_put(w->t, TABLE_THREAD, key_of(key, sizeof(key)),
		    buf_bytes(&b));
	buf_free(&b);
	return r == 0 ? entries(w, t, true) : -1;
}

int
thread_entries_put(struct work *w, const struct store_thread *t)
{
	return entries(w, t, true);
}

int
thread_leave(struct work *w, struct removal *r)
{
	unsigned char member[KEY_MEMBER], subject[KEY_SUBJECT];
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_THREAD);
	struct bytes rest = buf_bytes(&r->message), want, key, value;
	struct store_thread t;
	int found = 0;

	if (c == NULL)
		return -1;
	while (found != -1 && bytes_cut(&rest, KEY_MESSAGE, &want)) {
		key = want;
		if ((found = kv_seek(c, &key, &value)) != 1 ||
		    !bytes_eq(key, want))
			continue;
		/* One that cannot be read has entries nobody knows. */
		if (thread_decode(key, value, &t) == -1 || t.id == 0)
			continue;
		member_key(member, &t);
		subject_key(subject, &t);
		if (buf_add(&r->member, key_of(member, KEY_MEMBER)) == -1 ||
		    (t.subject != 0 && buf_add(&r->subject,
		    key_of(subject, KEY_SUBJECT)) == -1))
			found = -1;
	}
	kv_cursor_close(c);
	return found == -1 ? -1 : 0;
}

int
work_thread_copy(struct work *w, const struct store_message *from,
    const struct store_message *to, uint32_t original)
{
	struct store_thread t;
	int r = thread_get(w->t, from->mailbox, from->uid, &t);

	if (r != 1)
		return r;
	t.mailbox = to->mailbox;
	t.uid = to->uid;
	if (original != 0)
		t.original_mailbox = original;
	return work_thread_put(w, &t, NULL);
}

/* ---- what a message says ---- */

static void
add_reference(struct store_thread *t, struct bytes id)
{
	uint64_t h = store_message_id_hash(id);

	/* The last ones say most: the first of too many goes. */
	if (t->reference_count == STORE_REFERENCES_MAX) {
		memmove(t->references, t->references + 1,
		    (STORE_REFERENCES_MAX - 1) * sizeof(t->references[0]));
		t->reference_count--;
	}
	t->references[t->reference_count++] = h;
}

static bool
is_report(struct arena *a, struct bytes header)
{
	struct mime_value v;
	struct bytes kind;

	mime_parse_content_type(a, mime_field_value(a, header,
	    BYTES("Content-Type")), &v);
	return v.is_valid && bytes_caseeq(v.type, BYTES("multipart")) &&
	    bytes_caseeq(v.subtype, BYTES("report")) &&
	    mime_param_text(a, v.params, BYTES("report-type"), &kind) &&
	    bytes_caseeq(kind, BYTES("delivery-status"));
}

/* All References fields; only without any id in them In-Reply-To's first. */
static void
read_references(struct arena *a, struct bytes header, struct store_thread *t)
{
	struct mime_field f;
	struct bytes s, id;
	size_t i;

	for (i = 0; mime_find_field(header, BYTES("References"), i, &f);
	    i++) {
		for (s = mime_unfold(a, f.body); mime_next_msg_id(a, &s,
		    &id);)
			add_reference(t, id);
	}
	s = mime_field_value(a, header, BYTES("In-Reply-To"));
	if (t->reference_count == 0 && mime_next_msg_id(a, &s, &id))
		add_reference(t, id);
}

void
thread_read(struct arena *a, struct bytes content, struct store_thread *t)
{
	struct bytes header, body, subject, ids, id;
	bool response;

	*t = (struct store_thread){ 0 };
	mime_split(content, &header, &body);
	header = bytes_first(header, MIME_HEADER_MAX);
	read_references(a, header, t);
	subject = mime_base_subject(a, mime_field_text(a, header,
	    BYTES("Subject")), &response);
	if (subject.n > 0 && !bytes_has_nul(subject))
		t->subject = hash_of(subject);
	ids = mime_field_value(a, header, BYTES("Message-ID"));
	if (mime_next_msg_id(a, &ids, &id))
		t->message_id = store_message_id_hash(id);
	t->flags = (response ? STORE_THREAD_RESPONSE : 0) |
	    (is_report(a, header) ? STORE_THREAD_DSN : 0);
}

void
thread_own(struct store_thread *t, const struct store_message *m)
{
	struct bytes s = m->base, name;

	/* What stands before the sizes is made once and copied along. */
	if (!bytes_split(&s, ',', &name))
		name = m->base;
	t->mailbox = m->mailbox;
	t->uid = m->uid;
	t->date = m->internal_date;
	t->own = hash_of(name);
	if (t->original_mailbox == 0)
		t->original_mailbox = m->mailbox;
}

/* ---- finding ---- */

bool
thread_has_parent(const struct store_thread *t, uint64_t own)
{
	unsigned int i;

	for (i = 0; i < t->parent_count; i++) {
		if (t->parents[i] == own)
			return true;
	}
	return false;
}

static bool
fits(const struct store_thread *x, const struct store_thread *t,
    enum thread_find how)
{
	if (x->mailbox == t->mailbox && x->uid == t->uid)
		return false;
	if (how != THREAD_ANY && x->id == 0)
		return false;
	return how == THREAD_SAME_ID || (t->flags & STORE_THREAD_DSN) != 0 ||
	    x->subject == t->subject;
}

/* The oldest message with a Message-ID that fits t. 1, 0, -1. */
int
thread_find_id(struct work *w, uint64_t id, const struct store_thread *t,
    enum thread_find how, struct store_thread *out)
{
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MESSAGE_ID);
	unsigned char from[16];
	struct bytes key = key_of(from, 8), value;
	struct store_thread x;
	unsigned int n = 0;
	bool found = false;
	int r;

	if (c == NULL)
		return -1;
	be64_put(from, id);
	for (r = kv_seek(c, &key, &value); r == 1 && n++ < CANDIDATES;
	    r = kv_next(c, &key, &value)) {
		if (key.n != 16 || be64_get(key.p) != id)
			break;
		r = thread_get(w->t, be32_get(key.p + 8),
		    be32_get(key.p + 12), &x);
		/* most are not older, and need not be asked for */
		if (r == 1 && fits(&x, t, how) &&
		    (!found || x.date < out->date) &&
		    (r = left_thread(w->t, key.p + 8, &x)) == 1) {
			*out = x;
			found = true;
		}
		if (r == -1)
			break;
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : found;
}

int
thread_find_subject(struct work *w, const struct store_thread *t,
    struct store_thread *out)
{
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_THREAD_SUBJECT);
	struct store_thread first = *t;
	unsigned char from[KEY_SUBJECT], same[12];
	struct bytes key = key_of(from, sizeof(from)), value;
	unsigned int n = 0;
	int r, found = 0;

	if (c == NULL)
		return -1;
	first.date = t->date + DAY - 1;
	first.mailbox = first.uid = 0;
	subject_key(from, &first);
	memcpy(same, from, sizeof(same));
	for (r = kv_seek(c, &key, &value); r == 1 && n++ < CANDIDATES;
	    r = kv_next(c, &key, &value)) {
		if (key.n != KEY_SUBJECT || memcmp(key.p, same, 12) != 0 ||
		    (int64_t)~be64_get(key.p + 12) <= t->date - WEEKS_4)
			break;
		if (be32_get(key.p + 20) == t->mailbox &&
		    be32_get(key.p + 24) == t->uid)
			continue;
		found = left_thread(w->t, key.p + 20, out);
		if (found != 0)
			break;
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : found;
}

/* ---- taking a place ---- */

void
thread_child(struct store_thread *t, const struct store_thread *parent)
{
	unsigned int n = parent->parent_count;

	t->id = parent->id;
	t->flags |= parent->flags &
	    (STORE_THREAD_MUTED | STORE_THREAD_COLLAPSED);
	if (parent->own == t->own) {	/* a copy of the same message */
		t->flags |= parent->flags & STORE_THREAD_MISSING;
		t->parent_count = n;
		memcpy(t->parents, parent->parents, sizeof(t->parents));
		return;
	}
	if (n == STORE_PARENTS_MAX)
		n--;
	t->parents[0] = parent->own;
	memcpy(t->parents + 1, parent->parents, n * sizeof(t->parents[0]));
	t->parent_count = n + 1;
	if (thread_has_parent(parent, t->own)) {
		/* No circles: it is the first of its thread, whatever the
		 * other's record says. */
		t->parent_count = 0;
		t->id = t->own;
	}
}

/* By Message-ID, then by references. 1 found, 0, -1. */
static int
find_parent(struct work *w, struct store_thread *t, struct store_thread *out)
{
	unsigned int i;
	int r = 0;

	if (t->message_id != 0)
		r = thread_find_id(w, t->message_id, t, THREAD_SAME_ID, out);
	if (r == 1 && out->own != t->own)
		t->flags |= STORE_THREAD_MISSING;
	for (i = t->reference_count; r == 0 && i > 0; i--) {
		if (t->references[i - 1] == t->message_id)
			continue;
		r = thread_find_id(w, t->references[i - 1], t,
		    THREAD_THREADED, out);
		if (r == 0)
			t->flags |= STORE_THREAD_MISSING;
	}
	return r;
}

int
thread_match(struct work *w, struct store_thread *t)
{
	struct store_thread parent;
	int r = find_parent(w, t, &parent);

	if (r == 0 && t->reference_count == 0 && t->subject != 0 &&
	    (t->flags & STORE_THREAD_RESPONSE) != 0) {
		t->flags |= STORE_THREAD_MISSING;
		r = thread_find_subject(w, t, &parent);
	}
	if (r == 1)
		thread_child(t, &parent);
	else
		t->id = t->own;
	return r == -1 ? -1 : 0;
}
