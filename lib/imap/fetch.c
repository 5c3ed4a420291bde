/*
 * fetch.c - FETCH: from the index where it has the answer, else the file
 *
 * A step writes responses until the output holds OUT_SOFT bytes and returns;
 * the next goes on, within a section's literal if need be. The store view is
 * open during a step only. Sizes are counted on the very bytes that are
 * sent, so that a literal is as long as it says whatever the index claims.
 */
#include "imap/internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* Header fields chosen by HEADER.FIELDS: all of a header at most. */
#define FIELDS_MAX MIME_HEADER_MAX

/* What may be kept of one message from command to command. */
#define KEPT_MAX (1024 * 1024)

/* ---- sections ---- */

static bool
field_listed(const struct fetch_item *item, struct bytes name)
{
	size_t i;

	for (i = 0; i < item->field_count; i++) {
		if (bytes_caseeq(item->fields[i], name))
			return true;
	}
	return false;
}

/* The chosen fields and the empty line, in the message's arena. */
static struct bytes
chosen_fields(struct message *m, const struct fetch_item *item,
    struct bytes header)
{
	struct buf b = BUF_INIT(FIELDS_MAX + 2);
	struct mime_field f;
	struct bytes out;

	while (mime_next_field(&header, &f)) {
		if (f.name.n == 0 && f.raw.n <= 2 &&
		    bytes_trim(f.raw).n == 0)
			continue;	/* the empty line */
		if (field_listed(item, f.name) ==
		    (item->what == SECTION_FIELDS))
			buf_add(&b, f.raw);
	}
	if (b.n > 0 && b.p[b.n - 1] != '\n')
		buf_addc(&b, '\n');
	buf_addc(&b, '\n');
	out = arena_bytes(&m->arena, buf_bytes(&b));
	buf_free(&b);
	return out;
}

/* Without a part, most sections need no look at the structure. */
static int
top_extent(struct imap *im, struct message *m, const struct fetch_item *item,
    struct bytes *out)
{
	struct bytes header, body;

	if (message_file(im, m) == -1)
		return -1;
	mime_split(m->file, &header, &body);
	switch (item->what) {
	case SECTION_ALL:
		*out = m->file;
		break;
	case SECTION_TEXT:
		*out = body;
		break;
	default:
		*out = bytes_first(m->file, m->file.n - body.n);
		break;
	}
	return 0;
}

static int
part_extent(struct imap *im, struct message *m, const struct fetch_item *item,
    struct bytes *out)
{
	const struct mime_part *part;
	enum mime_extent what = MIME_BODY;

	if (message_tree(im, m) == -1)
		return -1;
	part = mime_find_part(m->tree, item->part);
	if (part == NULL) {
		errno = ENOMSG;
		return -1;
	}
	if (item->what == SECTION_MIME)
		what = MIME_MIME;
	else if (item->what == SECTION_TEXT)
		what = MIME_TEXT;
	else if (item->what != SECTION_ALL)
		what = MIME_HEADER;
	if (mime_part_extent(part, what, out) == -1) {
		errno = ENOMSG;
		return -1;
	}
	return 0;
}

/* The bytes of a section. -1: ENOMSG no such section, else no file. */
static int
section_text(struct imap *im, struct message *m,
    const struct fetch_item *item, struct bytes *out)
{
	int r = item->part.n == 0 ? top_extent(im, m, item, out)
	    : part_extent(im, m, item, out);

	if (r == 0 && (item->what == SECTION_FIELDS ||
	    item->what == SECTION_FIELDS_NOT))
		*out = chosen_fields(m, item, *out);
	return r;
}

/* Name and literal's head; the bytes follow by stream_add. */
static int
begin_section(struct imap *im, struct message *m,
    const struct fetch_item *item)
{
	struct fetch *f = &im->fetch;
	struct bytes text;
	uint64_t size;

	if (section_text(im, m, item, &text) == -1) {
		if (errno != ENOMSG)
			f->some_gone = true;
		buf_add(&im->out, item->name);
		buf_adds(&im->out, " NIL");
		return 0;
	}
	size = mime_crlf_size(text);
	size = size > item->offset ? size - item->offset : 0;
	if (size > item->length)
		size = item->length;
	buf_add(&im->out, item->name);
	buf_printf(&im->out, " {%llu}\r\n", (unsigned long long)size);
	stream_init(&f->stream, text, item->offset, size);
	f->streaming = true;
	return 1;
}

/* ---- the other items ---- */

/* What the record would hold, of a message without one, from its file. */
static bool
add_from_file(struct imap *im, struct message *m, enum item_kind kind)
{
	if (message_tree(im, m) == -1) {
		im->fetch.some_gone = true;
		return false;
	}
	switch (kind) {
	case ITEM_SIZE:
		buf_printf(&im->out, "%llu",
		    (unsigned long long)mime_crlf_size(m->file));
		break;
	case ITEM_ENVELOPE:
		mime_format_envelope(&m->arena, &im->out,
		    m->tree->root->header);
		break;
	default:
		mime_format_bodystructure(&m->arena, &im->out, m->tree,
		    kind == ITEM_BODYSTRUCTURE);
		break;
	}
	return true;
}

/* BODY is BODYSTRUCTURE without its extension data: not in the index. */
static void
add_structure(struct imap *im, struct message *m, enum item_kind kind)
{
	const char *name = kind == ITEM_ENVELOPE ? "ENVELOPE"
	    : kind == ITEM_BODY ? "BODY" : "BODYSTRUCTURE";
	struct bytes cached = !m->has_record || kind == ITEM_BODY
	    ? BYTES_EMPTY : kind == ITEM_ENVELOPE ? m->record.envelope
	    : m->record.bodystructure;

	buf_printf(&im->out, "%s (", name);
	if (cached.n > 0)
		buf_add(&im->out, cached);
	else if (!add_from_file(im, m, kind))
		buf_adds(&im->out, kind == ITEM_ENVELOPE
		    ? "NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL"
		    : "\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0");
	buf_addc(&im->out, ')');
}

/* Of a message without a record: when its file was written. */
static int64_t
date_of_file(struct imap *im, const struct message *m)
{
	int fd = store_message_fd(im->o.store, im->box.id, m->uid);
	struct stat st = { .st_mtime = 0 };

	if (fd == -1 || fstat(fd, &st) == -1)
		im->fetch.some_gone = true;
	if (fd != -1)
		(void)close(fd);	/* only looked at */
	return st.st_mtime;
}

static void
add_item(struct imap *im, struct store_view *v, struct message *m,
    const struct fetch_item *item)
{
	switch (item->kind) {
	case ITEM_UID:
		buf_printf(&im->out, "UID %lu", (unsigned long)m->uid);
		break;
	case ITEM_FLAGS:
		buf_adds(&im->out, "FLAGS ");
		if (m->has_record)
			add_flags(im, v, &m->record);
		else
			buf_adds(&im->out, "(\\Deleted)");
		break;
	case ITEM_INTERNALDATE:
		buf_adds(&im->out, "INTERNALDATE ");
		add_internal_date(&im->out, m->has_record
		    ? m->record.internal_date : date_of_file(im, m));
		break;
	case ITEM_SIZE:
		buf_adds(&im->out, "RFC822.SIZE ");
		if (m->has_record)
			buf_printf(&im->out, "%llu",
			    (unsigned long long)m->record.size_crlf);
		else if (!add_from_file(im, m, ITEM_SIZE))
			buf_addc(&im->out, '0');
		break;
	case ITEM_ENVELOPE:
	case ITEM_BODY:
	case ITEM_BODYSTRUCTURE:
		add_structure(im, m, item->kind);
		break;
	case ITEM_SECTION:
		break;		/* begin_section */
	}
}

/* ---- one message ---- */

static const struct fetch_item uid_item = { .kind = ITEM_UID };
static const struct fetch_item flags_item = { .kind = ITEM_FLAGS };

static void
begin_message(struct imap *im, struct store_view *v)
{
	struct fetch *f = &im->fetch;
	bool seen = (im->box.state[f->index] & ENTRY_SEEN) != 0;

	buf_printf(&im->out, "* %zu FETCH (", f->index + 1);
	f->inside = true;
	f->item = f->items;
	f->first_item = true;
	if (f->by_uid) {
		add_item(im, v, &im->message, &uid_item);
		f->first_item = false;
	}
	/* \Seen was set by this FETCH: say so (RFC 3501 6.4.5). */
	if (seen && !f->has_flags_item) {
		if (!f->first_item)
			buf_addc(&im->out, ' ');
		add_item(im, v, &im->message, &flags_item);
		f->first_item = false;
	}
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
		if (!(f->item->kind == ITEM_UID && f->by_uid)) {
			if (!f->first_item)
				buf_addc(&im->out, ' ');
			f->first_item = false;
			if (f->item->kind == ITEM_SECTION)
				(void)begin_section(im, &im->message, f->item);
			else
				add_item(im, v, &im->message, f->item);
		}
		f->item = f->item->next;
	}
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
		uint32_t n = f->by_uid ? b->uids[f->index]
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

static void
finish(struct imap *im)
{
	im->mode = MODE_COMMAND;
	if (im->fetch.some_gone) {
		box_sync(im, im->is_uid);
		reply_no(im, "EXPUNGEISSUED",
		    "some messages are gone or cannot be read");
	} else {
		reply_done(im);
	}
	arena_reset(&im->arena);
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
		r = walk_to(&w, im->box.uids[f->index], &record);
		if (r == -1)
			break;
		if (!f->inside &&
		    im->message.arena.used_bytes > KEPT_MAX)
			message_reset(&im->message);
		message_set(&im->message, im->box.uids[f->index],
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
		r = walk_to(&w, b->uids[f->index], &m);
		if (r == -1)
			break;
		if (r == 1 && (m.flags & STORE_SEEN) == 0) {
			uids[n++] = m.uid;
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

void
command_fetch(struct imap *im, struct parser *p)
{
	struct fetch *f = &im->fetch;
	const struct fetch_item *i;
	size_t n;

	*f = (struct fetch){ .by_uid = im->is_uid };
	if (!parse_space(p) || !parse_set(p, &f->set) || !parse_space(p) ||
	    !parse_fetch_items(p, &f->items))
		return;
	if (!box_resolve(im, &f->set, f->by_uid)) {
		(void)parse_fail(p, "no such message number");
		return;
	}
	for (i = f->items; i != NULL; i = i->next) {
		f->wants_seen = f->wants_seen || !i->peek;
		f->has_flags_item = f->has_flags_item ||
		    i->kind == ITEM_FLAGS;
	}
	if (f->wants_seen && !im->box.read_only && set_seen(im) == -1) {
		/* Reading goes on; the flag is not announced. */
		for (n = 0; n < im->box.n; n++)
			im->box.state[n] &= (unsigned char)~ENTRY_SEEN;
	}
	im->mode = MODE_FETCH;
}
