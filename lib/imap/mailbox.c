/*
 * mailbox.c - commands on mailboxes by name (RFC 3501 6.3)
 */
#include "imap/internal.h"

#include <errno.h>

bool
check_name(struct imap *im, struct bytes *name)
{
	const char *why;

	if (store_name_check(&im->arena, *name, name, &why) == 0)
		return true;
	reply_no(im, "CANNOT", why);
	return false;
}

/* RFC 8474 4.2: the id of the mailbox that was made. */
static void
reply_created(struct imap *im, uint32_t id)
{
	struct store_view *v = store_view_open(im->o.store);
	struct buf code = BUF_INIT(64);
	struct store_mailbox m;

	if (v != NULL && store_mailbox_get(v, id, &m) == 1) {
		buf_adds(&code, "MAILBOXID ");
		add_mailbox_id(&code, &m);
	}
	store_view_close(v);
	box_sync(im, true);
	reply_ok(im, code.n == 0 ? NULL : arena_str(&im->arena,
	    buf_bytes(&code)), "CREATE done");
	buf_free(&code);
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
		reply_created(im, id);
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
