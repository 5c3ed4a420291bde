/*
 * fetch.c - FETCH: from the index where it has the answer, else the file
 *
 * A step writes responses until the output holds OUT_SOFT bytes and returns;
 * the next goes on, within a section's literal if need be. The store view is
 * open during a step only.
 */
#include "imap/internal.h"

#include <errno.h>

/* What may be kept of one message from command to command. */
#define KEPT_MAX (1024 * 1024)

/* ---- one message ---- */

/* The file where the record says; failing that it is looked for. */
static void
load_quick(struct store_view *v, struct message *m)
{
	if (!m->mapped && m->has_record)
		m->mapped = store_message_quick(v, &m->record, &m->file)
		    == 1;
}

static const struct fetch_item uid_item = { .kind = ITEM_UID };
static const struct fetch_item flags_item = { .kind = ITEM_FLAGS };
static const struct fetch_item modseq_item = { .kind = ITEM_MODSEQ };

static void
add_item(struct imap *im, struct store_view *v, const struct fetch_item *item)
{
	struct fetch *f = &im->fetch;

	if (!f->first_item)
		buf_addc(&im->out, ' ');
	f->first_item = false;
	if (item->kind >= ITEM_SECTION)
		load_quick(v, &im->message);
	if (item->kind == ITEM_SECTION)
		(void)fetch_section(im, &im->message, item);
	else if (item->kind == ITEM_BINARY || item->kind == ITEM_BINARY_SIZE)
		(void)fetch_binary(im, &im->message, item);
	else
		fetch_item(im, v, &im->message, item);
}

static void
begin_message(struct imap *im, struct store_view *v)
{
	struct fetch *f = &im->fetch;
	bool seen = (box_state(&im->box, f->index) & ENTRY_SEEN) != 0;
	/* RFC 7162 3.2.4 */
	bool uid = f->by_uid || (seen && enabled(im, CAP_CONDSTORE));

	if ((seen || f->has_item[ITEM_FLAGS]) && im->message.has_record)
		tell_keywords(im, v, &im->message.record);
	add_fetch_head(im, f->index);
	f->inside = true;
	f->item = f->items;
	f->first_item = true;
	if (uid && !f->has_item[ITEM_UID] && !enabled(im, CAP_UIDONLY))
		add_item(im, v, &uid_item);
	/* \Seen was set by this FETCH: say so (RFC 3501 6.4.5). */
	if (seen && !f->has_item[ITEM_FLAGS])
		add_item(im, v, &flags_item);
	if (seen && !f->has_item[ITEM_MODSEQ] && enabled(im, CAP_CONDSTORE))
		add_item(im, v, &modseq_item);
	if (seen)
		im->box.state[f->index] &= (unsigned char)~ENTRY_SEEN;
}

/* Items of the message at work until its end or the output is full. */
static void
go_on_message(struct imap *im, struct store_view *v)
{
	struct fetch *f = &im->fetch;

	for (;;) {
		if (f->streaming) {
			if (!stream_add(&f->stream, &im->out, OUT_SOFT))
				return;
			f->streaming = false;
		}
		if (f->item == NULL)
			break;
		if (im->out.n >= OUT_SOFT)
			return;
		if (fetch_item_known(&im->message, f->item))
			add_item(im, v, f->item);
		else
			f->some_gone = true;
		f->item = f->item->next;
	}
	if (f->first_item)
		add_item(im, v, &uid_item);	/* never an empty list */
	buf_adds(&im->out, ")\r\n");
	im->stats.fetched_messages++;
	f->inside = false;
	f->index++;
}

/* ---- the walk over messages ---- */

/* Move index on to the next message of the set; false: there is none. */
static bool
next_index(struct imap *im)
{
	struct fetch *f = &im->fetch;
	const struct box *b = &im->box;

	while (f->range < f->set.n && f->index < b->announced) {
		const struct imap_range *r = &f->set.ranges[f->range];
		uint32_t n = f->by_uid ? box_uid(b, f->index)
		    : (uint32_t)f->index + 1;
		size_t at;

		if (n > r->last) {
			f->range++;
		} else if (n >= r->first) {
			return true;
		} else if (f->by_uid) {
			(void)box_find(b, r->first, &at);	/* or after */
			f->index = at;
		} else {
			f->index = r->first - 1;
		}
	}
	return false;
}

/* The reply to FETCH itself. */
static void
fetch_done(struct imap *im)
{
	if (im->fetch.some_gone) {
		box_sync(im, im->is_uid);
		reply_no(im, "EXPUNGEISSUED",
		    "some messages are gone or cannot be read");
	} else if (im->fetch.unknown_cte) {
		box_sync(im, im->is_uid);
		reply_no(im, "UNKNOWN-CTE", "unknown transfer encoding");
	} else {
		reply_done(im);
	}
}

static void
finish(struct imap *im)
{
	im->mode = MODE_COMMAND;
	im->fetch.done(im);
	arena_reset(&im->arena);
}

/* False: one that did not change since, so it is passed over. */
static bool
wanted(const struct fetch *f, const struct store_message *record)
{
	return !f->changed ||
	    (record != NULL && record->modseq > f->changed_since);
}

void
fetch_step(struct imap *im)
{
	struct fetch *f = &im->fetch;
	struct store_view *v = store_view_open(im->o.store);
	struct store_message record;
	struct walk w;
	int r = 0;

	if (v == NULL) {
		imap_bye(im, "UNAVAILABLE", "cannot read the index");
		return;
	}
	walk_init(&w, v, im->box.id);
	while (r != -1 && im->out.n < OUT_SOFT) {
		if (!f->inside && !next_index(im)) {
			finish(im);
			break;
		}
		r = walk_to(&w, box_uid(&im->box, f->index), &record);
		if (r == -1)
			break;
		if (!f->inside && !wanted(f, r == 1 ? &record : NULL)) {
			f->index++;
			continue;
		}
		if (!f->inside &&
		    im->message.arena.used_bytes > KEPT_MAX)
			message_reset(&im->message);
		message_set(&im->message, box_uid(&im->box, f->index),
		    r == 1 ? &record : NULL);
		if (!f->inside)
			begin_message(im, v);
		go_on_message(im, v);
	}
	store_view_close(v);
	/* The record was a view into it. */
	im->message.has_record = false;
	im->message.record = (struct store_message){ 0 };
	if (r == -1)
		imap_bye(im, "UNAVAILABLE", "cannot read the index");
}

/* ---- the command ---- */

/* Set \Seen on all messages of the set at once: one commit. */
static int
set_seen(struct imap *im)
{
	struct store_flag_change change = { .how = STORE_ADD,
	    .flags = STORE_SEEN, .unchanged_since = UINT64_MAX };
	struct store_view *v = store_view_open(im->o.store);
	struct fetch *f = &im->fetch;
	struct box *b = &im->box;
	struct store_message m;
	uint32_t *uids;
	uint64_t modseq = 0;
	struct walk w;
	size_t n = 0;
	int r = 0;

	if (v == NULL)
		return -1;
	uids = arena_zalloc(&im->arena, b->announced + 1, sizeof(*uids));
	walk_init(&w, v, b->id);
	for (f->index = f->range = 0; next_index(im); f->index++) {
		r = walk_to(&w, box_uid(b, f->index), &m);
		if (r == -1)
			break;
		if (r == 1 && (m.flags & STORE_SEEN) == 0 && wanted(f, &m)) {
			uids[n++] = m.uid;
			box_want_state(b);
			b->state[f->index] |= ENTRY_SEEN;
		}
	}
	f->index = f->range = 0;
	store_view_close(v);
	if (r != -1 && n > 0)
		r = store_flags(im->o.store, b->id, uids, n, &change,
		    &modseq, NULL);
	box_own(im, modseq);
	return r == -1 ? -1 : 0;
}

/* One of "(CHANGEDSINCE n VANISHED PARTIAL 1:5)". */
static bool
parse_modifier(struct parser *p, struct fetch *f)
{
	struct bytes word = parse_word(p);

	if (bytes_caseeq(word, BYTES("CHANGEDSINCE"))) {
		f->changed = true;
		return parse_space(p) && parse_modseq(p, &f->changed_since);
	}
	if (bytes_caseeq(word, BYTES("PARTIAL"))) {
		f->partial = true;
		return parse_space(p) && parse_window(p, &f->window);
	}
	if (bytes_caseeq(word, BYTES("VANISHED"))) {
		f->vanished = true;
		return true;
	}
	return parse_fail(p, "unknown FETCH modifier");
}

/* RFC 4466 2.4. */
static bool
parse_modifiers(struct imap *im, struct parser *p)
{
	struct fetch *f = &im->fetch;

	if (!parse_optional(p, ' '))
		return true;
	if (!parse_char(p, '('))
		return false;
	do {
		if (!parse_modifier(p, f))
			return false;
	} while (parse_optional(p, ' '));
	if (f->vanished && (!f->changed || !f->by_uid ||
	    !enabled(im, CAP_QRESYNC)))
		return parse_fail(p, "VANISHED needs QRESYNC, UID FETCH and "
		    "CHANGEDSINCE");
	return parse_char(p, ')');
}

static bool
parse_fetch(struct imap *im, struct parser *p)
{
	struct fetch *f = &im->fetch;

	return parse_space(p) && parse_set(p, &f->set) && parse_space(p) &&
	    parse_fetch_items(p, &f->items) && parse_modifiers(im, p) &&
	    parse_end(p);
}

/* Of the messages of the set a window; what changed since is looked for in
 * it (RFC 9394 3.3, 3.4). */
static void
cut_window(struct imap *im)
{
	struct fetch *f = &im->fetch;
	const struct box *b = &im->box;
	struct imap_range *kept = arena_zalloc(&im->arena, b->announced + 1,
	    sizeof(*kept));
	size_t n = 0, from, to;

	for (f->index = f->range = 0; next_index(im); f->index++, n++) {
		kept[n].first = f->by_uid ? box_uid(b, f->index)
		    : (uint32_t)f->index + 1;
		kept[n].last = kept[n].first;
	}
	f->index = f->range = 0;
	window_cut(&f->window, n, &from, &to);
	f->set = (struct imap_set){ kept + from, to - from, false };
	imap_set_resolve(&f->set, 0);
}

/*
 * What was expunged, before any FETCH response (RFC 7162 3.2.6). "*" reaches
 * beyond the last message here: the last one a client knows may be gone.
 */
static int
say_vanished(struct imap *im)
{
	struct fetch *f = &im->fetch;
	struct imap_set known = f->set;
	struct store_view *v;
	int r;

	if (known.n > 0 && f->set_open)
		known.ranges[known.n - 1].last = UINT32_MAX;
	/* What is gone leaves the view first. */
	box_sync(im, true);
	if ((v = store_view_open(im->o.store)) == NULL)
		return -1;
	r = add_vanished_earlier(im, v, &known, f->changed_since, 0);
	store_view_close(v);
	return r;
}

void
fetch_begin(struct imap *im)
{
	struct fetch *f = &im->fetch;
	const struct fetch_item *i;
	size_t n;

	for (i = f->items; i != NULL; i = i->next) {
		f->wants_seen = f->wants_seen || !i->peek;
		f->has_item[i->kind] = true;
	}
	if (f->wants_seen && !im->box.read_only && set_seen(im) == -1) {
		/* Reading goes on; the flag is not announced. */
		for (n = 0; im->box.state != NULL && n < im->box.n; n++)
			im->box.state[n] &= (unsigned char)~ENTRY_SEEN;
	}
	im->mode = MODE_FETCH;
}

void
command_fetch(struct imap *im, struct parser *p)
{
	struct fetch *f = &im->fetch;
	const struct fetch_item *i;

	*f = (struct fetch){ .by_uid = im->is_uid, .done = fetch_done };
	if (!parse_fetch(im, p))
		return;
	f->set_open = imap_set_has_star(&f->set);
	if (!box_resolve(im, &f->set, f->by_uid)) {
		(void)parse_fail(p, "no such message number");
		return;
	}
	if (f->changed)
		fetch_add_item(&im->arena, &f->items, ITEM_MODSEQ);
	for (i = f->items; i != NULL; i = i->next) {
		if (i->kind == ITEM_MODSEQ)
			session_enable(im, CAP_BIT(CAP_CONDSTORE));
	}
	/* RFC 9738 3.1 */
	if (f->partial && f->window.last - f->window.first >=
	    message_limit(im)) {
		reply_no(im, limit_code(im, 0), "PARTIAL asks for too many");
		return;
	}
	if (f->vanished && say_vanished(im) == -1) {
		reply_errno(im, errno, false);
		return;
	}
	if (f->partial)
		cut_window(im);
	limit_set(im, &f->set, f->by_uid);
	fetch_begin(im);
}
