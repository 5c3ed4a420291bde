/*
 * status.c - STATUS (RFC 3501 6.3.10, RFC 7162 3.1.7)
 */
#include "imap/internal.h"

#include <errno.h>

struct status_item {
	const char *name;
	/* The value, as answered behind the name. */
	void (*add)(struct imap *im, struct store_view *v,
	    const struct store_mailbox *m);
	uint64_t enables;		/* CAP_BITs; RFC 7162 3.1 */
};

static void
add_number(struct imap *im, uint64_t n)
{
	buf_printf(&im->out, "%llu", (unsigned long long)n);
}

static void
add_messages(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	(void)v;
	add_number(im, m->total);
}

/* Sum or number of the messages from a UID on that have all of flags. */
static void
add_some(struct imap *im, struct store_view *v, const struct store_mailbox *m,
    uint32_t from, uint32_t flags, bool size)
{
	struct store_message one;
	uint64_t n = 0;
	int r;

	for (r = store_message_first(v, m->id, from, &one); r == 1;
	    r = store_message_next(v, &one)) {
		if ((one.flags & flags) == flags)
			n += size ? one.size_crlf : 1;
	}
	add_number(im, n);
}

static void
add_recents(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	if (m->recent_from >= m->uidnext)
		add_number(im, 0);
	else if (m->recent_from <= 1)
		add_number(im, m->total);
	else
		add_some(im, v, m, m->recent_from, 0, false);
}

/* RFC 9208 4.1.4: bytes that EXPUNGE gives back. */
static void
add_deleted_storage(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	if (m->deleted == 0)
		add_number(im, 0);
	else
		add_some(im, v, m, 1, STORE_DELETED, true);
}

static void
add_uidnext(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	(void)v;
	add_number(im, m->uidnext);
}

static void
add_uidvalidity(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	(void)v;
	add_number(im, m->uidvalidity);
}

static void
add_unseen(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	(void)v;
	add_number(im, m->unseen);
}

static void
add_highestmodseq(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	(void)v;
	add_number(im, m->modseq);
}

/* RFC 8438. */
static void
add_size(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	(void)v;
	add_number(im, m->size_bytes);
}

/* RFC 9051 6.3.11. */
static void
add_deleted(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	(void)v;
	add_number(im, m->deleted);
}

static void
add_id(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	(void)v;
	add_mailbox_id(&im->out, m);
}

/* RFC 7889 3. */
static void
add_appendlimit(struct imap *im, struct store_view *v,
    const struct store_mailbox *m)
{
	(void)v;
	(void)m;		/* the same for all */
	add_number(im, im->o.append_max);
}

/* In the order they are answered in. */
static const struct status_item items[] = {
	{ "MESSAGES", add_messages, 0 },
	{ "RECENT", add_recents, 0 },
	{ "UIDNEXT", add_uidnext, 0 },
	{ "UIDVALIDITY", add_uidvalidity, 0 },
	{ "UNSEEN", add_unseen, 0 },
	{ "HIGHESTMODSEQ", add_highestmodseq, CAP_BIT(CAP_CONDSTORE) },
	{ "SIZE", add_size, 0 },
	{ "DELETED", add_deleted, 0 },
	{ "DELETED-STORAGE", add_deleted_storage, 0 },
	{ "MAILBOXID", add_id, 0 },
	{ "APPENDLIMIT", add_appendlimit, 0 },
};
#define STATUS_ITEMS (sizeof(items) / sizeof(items[0]))

bool
parse_status_items(struct parser *p, uint64_t *set)
{
	struct bytes name;
	size_t i;

	*set = 0;
	if (!parse_char(p, '('))
		return false;
	do {
		if (!parse_atom(p, &name))
			return false;
		for (i = 0; i < STATUS_ITEMS &&
		    !bytes_caseeq(name, bytes_str(items[i].name)); i++)
			;
		if (i == STATUS_ITEMS)
			return parse_fail(p, "unknown STATUS item");
		*set |= (uint64_t)1 << i;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')');
}

uint64_t
status_items(const char *names)
{
	struct bytes list = bytes_str(names), name;
	uint64_t set = 0;
	size_t i;

	while (bytes_word(&list, &name)) {
		for (i = 0; i < STATUS_ITEMS; i++) {
			if (bytes_eq(name, bytes_str(items[i].name)))
				set |= (uint64_t)1 << i;
		}
	}
	return set;
}

void
status_enable(struct imap *im, uint64_t set)
{
	size_t i;

	for (i = 0; i < STATUS_ITEMS; i++) {
		if ((set >> i & 1) != 0)
			session_enable(im, items[i].enables);
	}
}

void
add_status(struct imap *im, struct store_view *v,
    const struct store_mailbox *m, uint64_t set)
{
	const char *before = "";
	size_t i;

	buf_adds(&im->out, "* STATUS ");
	add_mailbox(im, m->name);
	buf_adds(&im->out, " (");
	for (i = 0; i < STATUS_ITEMS; i++) {
		if ((set >> i & 1) == 0)
			continue;
		buf_printf(&im->out, "%s%s ", before, items[i].name);
		items[i].add(im, v, m);
		before = " ";
	}
	buf_adds(&im->out, ")\r\n");
}

/* The mailbox after a look for what other programs did. 1, 0, -1. */
static int
say_status(struct imap *im, struct bytes name, uint64_t set)
{
	struct store_view *v = store_view_open(im->o.store);
	struct store_mailbox m;
	int r = v == NULL ? -1 : store_mailbox_find(v, name, &m);

	store_view_close(v);
	if (r != 1)
		return r;
	/* What cannot be looked at now is found later. */
	(void)store_sync(im->o.store, m.id, false);
	if ((v = store_view_open(im->o.store)) == NULL)
		return -1;
	r = store_mailbox_get(v, m.id, &m);
	if (r == 1)
		add_status(im, v, &m, set);
	store_view_close(v);
	return r;
}

void
command_status(struct imap *im, struct parser *p)
{
	struct bytes name;
	uint64_t set;
	int r;

	if (!parse_space(p) || !parse_mailbox(p, &name) || !parse_space(p) ||
	    !parse_status_items(p, &set) || !parse_end(p) ||
	    !check_name(im, &name))
		return;
	status_enable(im, set);
	r = say_status(im, name, set);
	if (r == 1)
		reply_done(im);
	else
		reply_errno(im, r == 0 ? ENOENT : errno, false);
}
