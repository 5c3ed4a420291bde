/*
 * keep.c - a session in IDLE as a few bytes, and back
 *
 * The view of a client is not written down. All it knows is in the store:
 * messages that are there, and what was expunged after the modseq the view
 * was brought up to, which the feed of changes keeps for ever. The number of
 * messages and a hash of their UIDs prove that the view came back as it was.
 * Only a view with nothing to announce can be kept this way.
 */
#include "imap/internal.h"

#include <errno.h>
#include <stdlib.h>

#define VERSION_BYTE 1
#define FIXED 78		/* bytes before the tag */
enum { KEPT_READ_ONLY = 1 };

struct kept {
	bool read_only;
	uint64_t enabled;
	uint32_t mailbox, uidvalidity;
	uint64_t modseq, highest;
	uint32_t count, last_uid;
	uint64_t hash;
	uint32_t bad;
	struct imap_stats stats;
	struct bytes tag;
	struct bytes recent;		/* be32 first and last of each range */
	struct bytes saved;		/* be32 each, of "$" */
};

/* ---- bytes ---- */

static void
put32(struct buf *out, uint32_t n)
{
	unsigned char b[4];

	be32_put(b, n);
	(void)buf_add(out, bytes_of(b, 4));	/* full tells */
}

static void
put64(struct buf *out, uint64_t n)
{
	put32(out, (uint32_t)(n >> 32));
	put32(out, (uint32_t)(n & UINT32_MAX));
}

static uint32_t
take32(struct bytes *s)
{
	struct bytes b;

	return bytes_cut(s, 4, &b) ? be32_get(b.p) : 0;
}

static uint64_t
take64(struct bytes *s)
{
	uint64_t high = take32(s);

	return high << 32 | take32(s);
}

static void
put_kept(struct buf *out, const struct kept *k)
{
	(void)buf_addc(out, VERSION_BYTE);	/* full tells, here and on */
	(void)buf_addc(out, k->read_only ? KEPT_READ_ONLY : 0);
	put64(out, k->enabled);
	put32(out, k->mailbox);
	put32(out, k->uidvalidity);
	put64(out, k->modseq);
	put64(out, k->highest);
	put32(out, k->count);
	put32(out, k->last_uid);
	put64(out, k->hash);
	put32(out, k->bad);
	put64(out, k->stats.commands);
	put64(out, k->stats.fetched_messages);
	put64(out, k->stats.appended_messages);
	put32(out, (uint32_t)k->tag.n);
	(void)buf_add(out, k->tag);
	put32(out, (uint32_t)(k->recent.n / 8));
	(void)buf_add(out, k->recent);
	(void)buf_add(out, k->saved);
}

static int
malformed(void)
{
	errno = EBADMSG;
	return -1;
}

/* Their number and the ranges, ascending and apart. */
static bool
take_recent(struct bytes *s, struct bytes *recent)
{
	uint32_t n, first, last = 0;
	struct bytes left;

	if (s->n < 4)
		return false;
	n = take32(s);
	if (n > IMAP_KEPT_RECENT_MAX || !bytes_cut(s, (size_t)n * 8, recent))
		return false;
	for (left = *recent; left.n > 0;) {
		first = take32(&left);
		if (first <= last || (last = take32(&left)) < first)
			return false;
	}
	return true;
}

static int
take_kept(struct bytes s, struct kept *k)
{
	uint32_t tag;

	if (s.n < FIXED + 4 || s.p[0] != VERSION_BYTE ||
	    s.p[1] > KEPT_READ_ONLY)
		return malformed();
	k->read_only = s.p[1] == KEPT_READ_ONLY;
	s = bytes_from(s, 2);
	k->enabled = take64(&s);
	k->mailbox = take32(&s);
	k->uidvalidity = take32(&s);
	k->modseq = take64(&s);
	k->highest = take64(&s);
	k->count = take32(&s);
	k->last_uid = take32(&s);
	k->hash = take64(&s);
	k->bad = take32(&s);
	k->stats.commands = take64(&s);
	k->stats.fetched_messages = take64(&s);
	k->stats.appended_messages = take64(&s);
	tag = take32(&s);
	if (tag == 0 || tag > IMAP_TAG_MAX || !bytes_cut(&s, tag, &k->tag) ||
	    !take_recent(&s, &k->recent) ||
	    s.n % 4 != 0 || s.n / 4 > IMAP_KEPT_SAVED_MAX ||
	    k->bad >= IMAP_BAD_MAX || (k->enabled >> CAPS) != 0 ||
	    (k->mailbox == 0) != (k->uidvalidity == 0) ||
	    (k->mailbox == 0 && (k->count != 0 || s.n != 0 ||
	    k->recent.n != 0)))
		return malformed();
	k->saved = s;
	return 0;
}

/* FNV-1a over the UIDs: chance, not malice, is what it guards against. */
static uint64_t
hash_uids(const uint32_t *uids, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ uids[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* ---- keeping ---- */

/* Nothing that the bytes below would not hold. */
static bool
can_be_kept(const struct imap *im)
{
	const struct box *b = &im->box;
	size_t i;

	if (im->mode != MODE_IDLE || im->search != NULL ||
	    im->contexts != NULL || im->notify != NULL || im->changed ||
	    im->input_ended || im->compressed || im->asked > 0 ||
	    im->in.b.n > 0 || im->out.n > 0 || im->tag.n == 0 ||
	    b->n != b->announced || b->keywords_changed || b->delay_told ||
	    b->recent.n > IMAP_KEPT_RECENT_MAX ||
	    b->saved_count > IMAP_KEPT_SAVED_MAX)
		return false;
	for (i = 0; b->marked && i < b->n; i++) {
		if ((box_state(b, i) & (ENTRY_GONE | ENTRY_CHANGED)) != 0)
			return false;
	}
	return true;
}

/* The mailbox's uidvalidity; 0: it is not there any more. */
static uint32_t
uidvalidity_of(struct imap *im)
{
	struct store_view *v = store_view_open(im->o.store);
	struct store_mailbox m;
	uint32_t n = 0;

	if (v != NULL && store_mailbox_get(v, im->box.id, &m) == 1)
		n = m.uidvalidity;
	store_view_close(v);
	return n;
}

bool
imap_keep(struct imap *im, struct buf *out)
{
	const struct box *b = &im->box;
	struct buf saved = BUF_INIT(4 * IMAP_KEPT_SAVED_MAX + 1);
	struct buf recent = BUF_INIT(8 * IMAP_KEPT_RECENT_MAX + 1);
	struct kept k;
	size_t i;

	if (!can_be_kept(im))
		return false;
	box_fill(b);
	k = (struct kept){ .read_only = b->read_only,
	    .enabled = im->enabled, .mailbox = b->id, .modseq = b->modseq,
	    .highest = b->highest, .count = (uint32_t)b->n,
	    .last_uid = b->n == 0 ? 0 : box_uid(b, b->n - 1),
	    .hash = hash_uids(b->uids, b->n), .bad = im->bad,
	    .stats = im->stats, .tag = im->tag };
	if (b->id != 0 && (k.uidvalidity = uidvalidity_of(im)) == 0)
		return false;
	for (i = 0; i < b->saved_count; i++)
		put32(&saved, b->saved[i]);
	for (i = 0; i < b->recent.n; i++) {
		put32(&recent, b->recent.ranges[i].first);
		put32(&recent, b->recent.ranges[i].last);
	}
	k.saved = buf_bytes(&saved);
	k.recent = buf_bytes(&recent);
	put_kept(out, &k);
	buf_free(&saved);
	buf_free(&recent);
	return !out->full;
}

/* ---- and back ---- */

struct uids {
	uint32_t *uid;
	size_t n, size;
	uint32_t max;			/* more is too many */
};

static int
add_uid(struct uids *u, uint32_t uid)
{
	if (u->n > u->max)
		return malformed();
	if (u->n == u->size) {
		u->size = u->size == 0 ? 64 : u->size + u->size / 2;
		u->uid = mem_realloc(u->uid, u->size * sizeof(*u->uid));
	}
	u->uid[u->n++] = uid;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The UIDs of a block up to last. */
static int
add_block(struct uids *u, const struct store_uids *block, uint32_t last)
{
	uint32_t i;

	for (i = 0; i < STORE_UID_BLOCK && block->first + i <= last; i++) {
		if (store_uids_has(block, i) &&
		    add_uid(u, block->first + i) == -1)
			return -1;
	}
	return 0;
}

/* Those that are there, and those that went after the view's modseq. */
static int
collect(struct store_view *v, const struct kept *k, struct uids *u)
{
	struct store_uids block;
	struct store_change c;
	uint32_t uid;
	int r, bad = 0;

	for (r = store_uids_first(v, k->mailbox, &block);
	    r == 1 && bad == 0 && block.first <= k->last_uid;
	    r = store_uids_next(v, &block))
		bad = add_block(u, &block, k->last_uid);
	if (r == -1 || bad == -1)
		return -1;
	for (r = store_change_first(v, k->modseq, &c); r == 1 && bad == 0;
	    r = store_change_next(v, &c)) {
		if (c.mailbox != k->mailbox ||
		    c.kind != STORE_CHANGE_EXPUNGED)
			continue;
		for (uid = c.uid_first; bad == 0 && uid <= c.uid_last &&
		    uid <= k->last_uid && uid != 0; uid++)
			bad = add_uid(u, uid);
	}
	if (u->n > 0)
		qsort(u->uid, u->n, sizeof(*u->uid), compare);
	return r == -1 ? -1 : bad;
}

static int
rebuild_box(struct imap *im, struct store_view *v, const struct kept *k)
{
	struct uids u = { .max = k->count };
	struct box *b = &im->box;
	struct store_mailbox m;
	int r = store_mailbox_get(v, k->mailbox, &m);

	/* Without its mailbox a view is of messages that all went. */
	if (r == 1 && m.uidvalidity != k->uidvalidity)
		r = malformed();
	if (r == -1 || (k->count > 0 && collect(v, k, &u) == -1) ||
	    u.n != k->count || hash_uids(u.uid, u.n) != k->hash) {
		if (r != -1)
			r = malformed();
		free(u.uid);
		return r;
	}
	b->id = k->mailbox;
	b->read_only = k->read_only;
	b->modseq = k->modseq;
	b->highest = k->highest;
	b->uids = u.uid;
	b->n = b->announced = u.n;
	b->size = u.size;
	return 0;
}

static void
restore_saved(struct imap *im, struct bytes s)
{
	struct box *b = &im->box;

	if (s.n == 0)
		return;
	b->saved = mem_zalloc(s.n / 4, sizeof(*b->saved));
	while (s.n > 0)
		b->saved[b->saved_count++] = take32(&s);
}

static void
restore_recent(struct imap *im, struct bytes s)
{
	struct imap_set *set = &im->box.recent;
	struct imap_range *r;

	if (s.n == 0)
		return;
	set->ranges = mem_zalloc(s.n / 8, sizeof(*set->ranges));
	while (s.n > 0) {
		r = &set->ranges[set->n++];
		r->first = take32(&s);
		r->last = take32(&s);
	}
}

struct imap *
imap_restore(const struct imap_options *o, struct bytes state)
{
	struct store_view *v = NULL;
	struct imap *im;
	struct kept k;
	int r = 0;

	if (take_kept(state, &k) == -1)
		return NULL;
	im = session_new(o);
	im->enabled = k.enabled & ~im->off;
	im->bad = k.bad;
	im->stats = k.stats;
	im->command = "IDLE";
	session_tag(im, k.tag);
	if (k.mailbox != 0 && (store_hold(o->store, k.mailbox) == -1 ||
	    (v = store_view_open(o->store)) == NULL ||
	    rebuild_box(im, v, &k) == -1))
		r = -1;
	/* What came since is in the feed: said before it is used. */
	if (r == 0 && im->box.id != 0)
		keywords_are_told(im, v);
	store_view_close(v);
	if (r == -1) {
		imap_free(im);
		return NULL;
	}
	restore_saved(im, k.saved);
	restore_recent(im, k.recent);
	idle_begin(im);
	return im;
}
