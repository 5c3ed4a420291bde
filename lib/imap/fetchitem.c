/*
 * fetchitem.c - items of FETCH that are no section: from the index, else from
 * the file
 */
#include "imap/internal.h"

#include <sys/stat.h>
#include <unistd.h>

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

/* RFC 8514 4.2: NIL where it is not known. */
static void
add_save_date(struct imap *im, const struct message *m)
{
	buf_adds(&im->out, "SAVEDATE ");
	if (m->has_record && m->record.save_date != 0)
		add_internal_date(&im->out, m->record.save_date);
	else
		buf_adds(&im->out, "NIL");
}

/* RFC 8970 3.1: made at delivery, so LAZY makes no difference (S-25). */
static void
add_preview(struct imap *im, const struct message *m)
{
	buf_adds(&im->out, "PREVIEW ");
	if (m->has_record)
		imap_add_string(&im->out, m->record.preview);
	else
		buf_adds(&im->out, "NIL");
}

static void
add_email_id(struct imap *im, const struct message *m)
{
	char id[EMAIL_ID_SIZE];

	email_id(&m->record, id);
	buf_printf(&im->out, "EMAILID (%s)", id);
}

/* RFC 8474 5.2: NIL for old mail that has no thread yet. */
static void
add_thread_id(struct imap *im, struct store_view *v, const struct message *m)
{
	char id[THREAD_ID_SIZE];

	if (m->has_record && thread_id(v, &m->record, id))
		buf_printf(&im->out, "THREADID (%s)", id);
	else
		buf_adds(&im->out, "THREADID NIL");
}

bool
fetch_item_known(const struct message *m, const struct fetch_item *item)
{
	return m->has_record || item->kind != ITEM_EMAILID;
}

void
fetch_item(struct imap *im, struct store_view *v, struct message *m,
    const struct fetch_item *item)
{
	switch (item->kind) {
	case ITEM_UID:
		buf_adds(&im->out, "UID ");
		buf_addnum(&im->out, m->uid);
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
			buf_addnum(&im->out, m->record.size_crlf);
		else if (!add_from_file(im, m, ITEM_SIZE))
			buf_addc(&im->out, '0');
		break;
	case ITEM_ENVELOPE:
	case ITEM_BODY:
	case ITEM_BODYSTRUCTURE:
		add_structure(im, m, item->kind);
		break;
	case ITEM_MODSEQ:
		/* One that is gone changed last when it went. */
		buf_printf(&im->out, "MODSEQ (%llu)", (unsigned long long)
		    (m->has_record ? m->record.modseq : im->box.modseq));
		break;
	case ITEM_SAVEDATE:
		add_save_date(im, m);
		break;
	case ITEM_PREVIEW:
		add_preview(im, m);
		break;
	case ITEM_EMAILID:
		add_email_id(im, m);
		break;
	case ITEM_THREADID:
		add_thread_id(im, v, m);
		break;
	case ITEM_SECTION:
	case ITEM_BINARY:
	case ITEM_BINARY_SIZE:
		break;		/* section.c, binary.c */
	}
}
