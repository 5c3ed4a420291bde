/*
 * section.c - BODY[...] of FETCH (RFC 3501 6.4.5)
 *
 * Sizes are counted on the very bytes that are sent, so that a literal is as
 * long as it says whatever the index claims.
 */
#include "imap/internal.h"

#include <errno.h>

/* Header fields chosen by HEADER.FIELDS: all of a header at most. */
#define FIELDS_MAX MIME_HEADER_MAX

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

/*
 * Part 1 of a message that is one part is its own body (RFC 9051 6.4.5.1):
 * HEADER and TEXT are those of the message in there.
 */
static int
inner_extent(const struct mime_part *root, enum mime_extent what,
    struct bytes *out)
{
	if (!root->is_message) {
		errno = ENOMSG;
		return -1;
	}
	return mime_part_extent(root->children,
	    what == MIME_TEXT ? MIME_BODY : MIME_MIME, out);
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
	if (part->parent == NULL && what != MIME_BODY && what != MIME_MIME)
		return inner_extent(part, what, out);
	if (mime_part_extent(part, what, out) == -1) {
		errno = ENOMSG;
		return -1;
	}
	return 0;
}

int
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

uint64_t
section_cut(const struct fetch_item *item, uint64_t size)
{
	size = size > item->offset ? size - item->offset : 0;
	return size > item->length ? item->length : size;
}

int
fetch_section(struct imap *im, struct message *m,
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
	size = section_cut(item, mime_crlf_size(text));
	buf_add(&im->out, item->name);
	buf_printf(&im->out, " {%llu}\r\n", (unsigned long long)size);
	stream_init(&f->stream, text, item->offset, size);
	f->streaming = true;
	return 1;
}
