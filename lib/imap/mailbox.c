/*
 * mailbox.c - commands on mailboxes (RFC 3501 6.3, 6.4.2, RFC 3691)
 */
#include "imap/internal.h"

#include <errno.h>

/* A name as the store takes it; false: replied NO. */
static bool
check_name(struct imap *im, struct bytes *name)
{
	const char *why;

	if (store_name_check(&im->arena, *name, name, &why) == 0)
		return true;
	reply_no(im, "CANNOT", why);
	return false;
}

static void
open_mailbox(struct imap *im, struct parser *p, bool read_only)
{
	struct store_mailbox m;
	struct store_view *v = NULL;
	struct bytes name;
	size_t unseen;
	int r;

	if (!parse_space(p) || !parse_mailbox(p, &name) || !parse_end(p))
		return;
	/* RFC 3501 6.3.1: what was selected is not any more, even on NO. */
	box_close(im);
	if (!check_name(im, &name))
		return;
	if ((v = store_view_open(im->o.store)) == NULL) {
		reply_errno(im, errno, false);
		return;
	}
	r = store_mailbox_find(v, name, &m);
	store_view_close(v);
	if (r == 1) {
		/* Mail other programs put there; found later if not now. */
		(void)store_sync(im->o.store, m.id, !read_only);
		r = box_open(im, &m, read_only, &unseen) == -1 ? -1 : 1;
	}
	if (r == 1 && (v = store_view_open(im->o.store)) == NULL)
		r = -1;
	if (r == 1 && (r = store_mailbox_get(v, im->box.id, &m)) != 1)
		store_view_close(v);
	if (r != 1) {
		box_close(im);
		reply_errno(im, r == 0 ? ENOENT : errno, false);
		return;
	}
	add_flag_lists(im, v, true);
	buf_printf(&im->out, "* %zu EXISTS\r\n* 0 RECENT\r\n",
	    im->box.announced);
	if (unseen > 0)
		buf_printf(&im->out, "* OK [UNSEEN %zu] first unseen\r\n",
		    unseen);
	buf_printf(&im->out, "* OK [UIDVALIDITY %lu] UIDs are valid\r\n"
	    "* OK [UIDNEXT %lu] predicted next UID\r\n",
	    (unsigned long)m.uidvalidity, (unsigned long)m.uidnext);
	store_view_close(v);
	reply_ok(im, read_only ? "READ-ONLY" : "READ-WRITE",
	    read_only ? "EXAMINE done" : "SELECT done");
}

void
command_select(struct imap *im, struct parser *p)
{
	open_mailbox(im, p, false);
}

void
command_examine(struct imap *im, struct parser *p)
{
	open_mailbox(im, p, true);
}

void
command_create(struct imap *im, struct parser *p)
{
	struct bytes name;
	uint32_t id;

	if (!parse_space(p) || !parse_mailbox(p, &name) || !parse_end(p))
		return;
	/* RFC 3501 6.3.3: a final delimiter declares an intent only. */
	if (name.n > 1 && bytes_ends(name, BYTES("/")))
		name.n--;
	if (!check_name(im, &name))
		return;
	if (store_mailbox_create(im->o.store, name, 0, &id) == -1)
		reply_errno(im, errno, false);
	else
		reply_done(im);
}

void
command_delete(struct imap *im, struct parser *p)
{
	struct store_view *v;
	struct store_mailbox m;
	struct bytes name;

	if (!parse_space(p) || !parse_mailbox(p, &name) || !parse_end(p))
		return;
	if (!check_name(im, &name))
		return;
	if (store_mailbox_delete(im->o.store, name) == -1) {
		reply_errno(im, errno, false);
		return;
	}
	if (im->box.id != 0 && (v = store_view_open(im->o.store)) != NULL) {
		if (store_mailbox_get(v, im->box.id, &m) == 0) {
			box_close(im);
			buf_adds(&im->out,
			    "* OK [CLOSED] mailbox was deleted\r\n");
		}
		store_view_close(v);
	}
	reply_done(im);
}

void
command_rename(struct imap *im, struct parser *p)
{
	struct bytes from, to;

	if (!parse_space(p) || !parse_mailbox(p, &from) || !parse_space(p) ||
	    !parse_mailbox(p, &to) || !parse_end(p))
		return;
	if (to.n > 1 && bytes_ends(to, BYTES("/")))
		to.n--;
	if (!check_name(im, &from) || !check_name(im, &to))
		return;
	if (store_mailbox_rename(im->o.store, from, to) == -1)
		reply_errno(im, errno, false);
	else
		reply_done(im);
}

static void
subscribe(struct imap *im, struct parser *p, bool on)
{
	struct bytes name;

	if (!parse_space(p) || !parse_mailbox(p, &name) || !parse_end(p))
		return;
	if (!check_name(im, &name))
		return;
	if (store_mailbox_subscribe(im->o.store, name, on) == -1)
		reply_errno(im, errno, false);
	else
		reply_done(im);
}

void
command_subscribe(struct imap *im, struct parser *p)
{
	subscribe(im, p, true);
}

void
command_unsubscribe(struct imap *im, struct parser *p)
{
	subscribe(im, p, false);
}

/* ---- STATUS ---- */

enum { WANT_MESSAGES, WANT_RECENT, WANT_UIDNEXT, WANT_UIDVALIDITY,
	WANT_UNSEEN, WANTS };
static const char *const want_names[WANTS] = { "MESSAGES", "RECENT",
	"UIDNEXT", "UIDVALIDITY", "UNSEEN" };

static bool
parse_wants(struct parser *p, bool wants[WANTS])
{
	struct bytes name;
	size_t i;

	if (!parse_char(p, '('))
		return false;
	do {
		if (!parse_atom(p, &name))
			return false;
		for (i = 0; i < WANTS &&
		    !bytes_caseeq(name, bytes_str(want_names[i])); i++)
			;
		if (i == WANTS)
			return parse_fail(p, "unknown STATUS item");
		wants[i] = true;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')') && parse_end(p);
}

void
command_status(struct imap *im, struct parser *p)
{
	bool wants[WANTS] = { false };
	const char *before = "";
	struct store_view *v;
	struct store_mailbox m;
	struct bytes name;
	size_t i;
	int r;

	if (!parse_space(p) || !parse_mailbox(p, &name) || !parse_space(p) ||
	    !parse_wants(p, wants) || !check_name(im, &name))
		return;
	if ((v = store_view_open(im->o.store)) == NULL) {
		reply_errno(im, errno, false);
		return;
	}
	r = store_mailbox_find(v, name, &m);
	store_view_close(v);
	/* Mail other programs put there; found later if not now. */
	if (r == 1)
		(void)store_sync(im->o.store, m.id, false);
	if ((v = store_view_open(im->o.store)) == NULL) {
		reply_errno(im, errno, false);
		return;
	}
	if (r == 1)
		r = store_mailbox_get(v, m.id, &m);
	if (r == 1) {
		uint32_t value[WANTS] = { m.total, 0, m.uidnext,
		    m.uidvalidity, m.unseen };

		buf_adds(&im->out, "* STATUS ");
		add_mailbox(&im->out, &im->arena, name);
		buf_adds(&im->out, " (");
		for (i = 0; i < WANTS; i++) {
			if (!wants[i])
				continue;
			buf_printf(&im->out, "%s%s %lu", before,
			    want_names[i], (unsigned long)value[i]);
			before = " ";
		}
		buf_adds(&im->out, ")\r\n");
	}
	store_view_close(v);
	if (r == 1)
		reply_done(im);
	else
		reply_errno(im, r == 0 ? ENOENT : errno, false);
}

/* ---- leaving a mailbox ---- */

void
command_close(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	if (!im->box.read_only && store_expunge(im->o.store, im->box.id,
	    NULL, 0, false, NULL) == -1 && errno != ENOENT) {
		reply_errno(im, errno, false);
		return;
	}
	box_close(im);
	reply_done(im);
}

void
command_unselect(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	box_close(im);
	reply_done(im);
}
