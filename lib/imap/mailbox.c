/*
 * mailbox.c - commands on mailboxes by name (RFC 3501 6.3)
 */
#include "imap/internal.h"

#include <errno.h>

bool
check_name(struct imap *im, struct bytes *name)
{
	const char *why;

	/* To CREATE it declares an intent (RFC 3501 6.3.3); some clients send
	 * it with other commands too (I-17). */
	if (name->n > 1 && bytes_ends(*name, BYTES("/")))
		name->n--;
	if (store_name_check(&im->arena, *name, name, &why) == 0)
		return true;
	reply_no(im, "CANNOT", why);
	return false;
}

/* RFC 8474 4.2: the id of the mailbox that was made. */
static void
reply_created(struct imap *im, uint32_t id, struct bytes given)
{
	struct store_view *v = store_view_open(im->o.store);
	struct buf code = BUF_INIT(64);
	struct store_mailbox m;

	if (v != NULL && store_mailbox_get(v, id, &m) == 1) {
		buf_adds(&code, "MAILBOXID ");
		add_mailbox_id(&code, &m);
		/* RFC 9051 6.3.4: the server put the name in order. */
		if (enabled(im, CAP_IMAP4REV2) && !bytes_eq(given, m.name))
			add_list(im, v, &m, given);
	}
	store_view_close(v);
	box_sync(im, true);
	reply_ok(im, code.n == 0 ? NULL : arena_str(&im->arena,
	    buf_bytes(&code)), "CREATE done");
	buf_free(&code);
}

/* CREATE-SPECIAL-USE (RFC 6154 3): "(USE (\Sent))"; *known: all of them. */
static bool
parse_uses(struct parser *p, uint32_t *uses, bool *known)
{
	struct bytes name, start;
	uint32_t use;

	if (!parse_char(p, '('))
		return false;
	if (!bytes_caseeq(parse_word(p), BYTES("USE")))
		return parse_fail(p, "unknown CREATE parameter");
	if (!parse_space(p) || !parse_char(p, '('))
		return false;
	if (!parse_optional(p, ')')) {
		do {
			start = p->s;
			if (!parse_char(p, '\\') || !parse_atom(p, &name))
				return false;
			use = store_use_find(bytes_first(start, name.n + 1));
			*uses |= use;
			*known = *known && use != 0;
		} while (parse_optional(p, ' '));
		if (!parse_char(p, ')'))
			return false;
	}
	return parse_char(p, ')');
}

/* What is made is not subscribed: clients do that where it is wanted, and
 * imaptest's listext and subscribe count on it. */
void
command_create(struct imap *im, struct parser *p)
{
	struct bytes name, given;
	uint32_t id, uses = 0;
	bool known = true;

	if (!parse_space(p) || !parse_mailbox(p, &name) ||
	    (parse_optional(p, ' ') && !parse_uses(p, &uses, &known)) ||
	    !parse_end(p))
		return;
	if (!known) {
		reply_no(im, "USEATTR", "no such special use here");
		return;
	}
	given = bytes_ends(name, BYTES("/")) ? bytes_first(name, name.n - 1)
	    : name;
	if (!check_name(im, &name))
		return;
	if (store_mailbox_create_only(im->o.store, name, uses, &id) == -1)
		reply_errno(im, errno, false);
	else
		reply_created(im, id, given);
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

/*
 * I-14: each mailbox that came to be below to, with its old name. The inbox
 * keeps its name and its children; what is new then was none before.
 */
static void
say_renamed(struct imap *im, struct bytes from, struct bytes to)
{
	struct store_view *v = store_view_open(im->o.store);
	struct bytes at = BYTES_EMPTY, rest, old;
	struct store_mailbox m;

	while (v != NULL && store_mailbox_next(v, &at, &m) == 1) {
		rest = m.name;
		if (!bytes_skip(&rest, to) ||
		    (rest.n > 0 && rest.p[0] != '/'))
			continue;
		old = bytes_str(arena_printf(&im->arena, "%.*s%.*s",
		    BYTES_ARG(from), BYTES_ARG(rest)));
		add_list(im, v, &m, old);
	}
	store_view_close(v);
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
	if (store_mailbox_rename(im->o.store, from, to) == -1) {
		reply_errno(im, errno, false);
		return;
	}
	if (enabled(im, CAP_IMAP4REV2) && !bytes_eq(from, BYTES("INBOX")))
		say_renamed(im, from, to);
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
