/*
 * select.c - SELECT, EXAMINE, and leaving a mailbox (RFC 3501 6.3.1, 6.4.2,
 * RFC 3691; parameters: RFC 7162 3.1.8, 3.2.5)
 */
#include "imap/internal.h"

#include <errno.h>

struct select {
	struct bytes given, name;	/* as the client, the store has it */
	bool read_only;
	bool condstore, resync;
	/* Of QRESYNC. */
	uint32_t uidvalidity;
	uint64_t modseq;
	struct imap_set known;			/* UIDs; resolved */
	struct imap_set numbers, uids;		/* that belong together */
};

/* ---- parameters ---- */

static uint64_t
set_count(const struct imap_set *set)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < set->n; i++)
		n += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
	return n;
}

/* "(numbers uids)": each UID belongs to the number at its place. */
static bool
parse_match(struct parser *p, struct select *s)
{
	/* RFC 9586 3.3. */
	if (p->uid_only)
		return parse_fail_code(p, "UIDREQUIRED",
		    "no message numbers with UIDONLY");
	if (!parse_char(p, '(') || !parse_known_set(p, &s->numbers) ||
	    !parse_space(p) || !parse_known_set(p, &s->uids) ||
	    !parse_char(p, ')'))
		return false;
	imap_set_resolve(&s->numbers, 0);
	imap_set_resolve(&s->uids, 0);
	return set_count(&s->numbers) == set_count(&s->uids) ||
	    parse_fail(p, "not as many UIDs as numbers");
}

/* "(uidvalidity modseq [known-uids] [(numbers uids)])" */
static bool
parse_resync(struct imap *im, struct parser *p, struct select *s)
{
	uint64_t n;

	if (!enabled(im, CAP_QRESYNC))
		return parse_fail(p, "ENABLE QRESYNC first");
	if (!parse_space(p) || !parse_char(p, '(') ||
	    !parse_number(p, UINT32_MAX, &n) || !parse_space(p) ||
	    !parse_modseq(p, &s->modseq))
		return false;
	s->uidvalidity = (uint32_t)n;
	s->resync = true;
	if (parse_optional(p, ')'))
		return true;
	if (!parse_space(p))
		return false;
	if (bytes_at(p->s, 0) != '(') {
		if (!parse_known_set(p, &s->known))
			return false;
		imap_set_resolve(&s->known, 0);
		if (parse_optional(p, ')'))
			return true;
		if (!parse_space(p))
			return false;
	}
	return parse_match(p, s) && parse_char(p, ')');
}

static bool
parse_parameter(struct imap *im, struct parser *p, struct select *s)
{
	struct bytes word = parse_word(p);

	if (bytes_caseeq(word, BYTES("CONDSTORE"))) {
		s->condstore = true;
		return true;
	}
	if (bytes_caseeq(word, BYTES("QRESYNC")))
		return parse_resync(im, p, s);
	return parse_fail(p, "unknown SELECT parameter");
}

static bool
parse_select(struct imap *im, struct parser *p, struct select *s)
{
	if (!parse_space(p) || !parse_mailbox(p, &s->name))
		return false;
	if (!parse_optional(p, ' '))
		return parse_end(p);
	if (!parse_char(p, '('))
		return false;
	do {
		if (!parse_parameter(im, p, s))
			return false;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')') && parse_end(p);
}

/* ---- resynchronisation ---- */

/*
 * The greatest UID up to which the client's numbers are those of the view:
 * below it nothing vanished without the client knowing.
 */
static uint32_t
matched_uid(const struct box *b, const struct select *s)
{
	size_t i = 0, j = 0;
	uint64_t n, u, skip_n = 0, skip_u = 0;
	uint32_t matched = 0;

	while (i < s->numbers.n && j < s->uids.n) {
		n = s->numbers.ranges[i].first + skip_n;
		u = s->uids.ranges[j].first + skip_u;
		if (n == 0 || n > b->n || box_uid(b, n - 1) != u)
			break;
		matched = (uint32_t)u;
		if (n == s->numbers.ranges[i].last) {
			i++;
			skip_n = 0;
		} else {
			skip_n++;
		}
		if (u == s->uids.ranges[j].last) {
			j++;
			skip_u = 0;
		} else {
			skip_u++;
		}
	}
	return matched;
}

static void
select_done(struct imap *im)
{
	if (im->box.read_only)
		reply_ok(im, "READ-ONLY", "EXAMINE done");
	else
		reply_ok(im, "READ-WRITE", "SELECT done");
}

/* RFC 7162 3.2.5.1: expunges first, then what changed, as FETCH responses. */
static int
resync(struct imap *im, struct store_view *v, struct select *s)
{
	static const struct imap_range all = { 1, UINT32_MAX };
	struct fetch *f = &im->fetch;

	if (s->known.n == 0) {
		s->known.ranges = arena_zalloc(&im->arena, 1, sizeof(all));
		s->known.ranges[0] = all;
		s->known.n = 1;
	}
	/* A modseq of the future is none of this index. */
	if (s->modseq > store_view_modseq(v))
		s->modseq = 0;
	if (add_vanished_earlier(im, v, &s->known, s->modseq,
	    matched_uid(&im->box, s)) == -1)
		return -1;
	*f = (struct fetch){ .by_uid = true, .set = s->known, .changed = true,
	    .changed_since = s->modseq, .done = select_done };
	fetch_add_item(&im->arena, &f->items, ITEM_MODSEQ);
	fetch_add_item(&im->arena, &f->items, ITEM_FLAGS);
	fetch_begin(im);
	return 0;
}

/* ---- the commands ---- */

/* Leave the mailbox without a word, save that it was left. */
static void
leave(struct imap *im)
{
	if (im->box.id == 0)
		return;
	box_close(im);
	/* RFC 7162 3.2.11: what follows is about the next one. */
	buf_adds(&im->out, "* OK [CLOSED] mailbox is closed\r\n");
}

/* Only of IMAP4rev1 (RFC 9051 appendix E); numbers not with UIDONLY. */
static void
describe_rev1(struct imap *im, size_t unseen)
{
	recent_look(im);
	add_recent(im);
	if (unseen > 0 && !enabled(im, CAP_UIDONLY))
		buf_printf(&im->out, "* OK [UNSEEN %zu] first unseen\r\n",
		    unseen);
}

/* What SELECT says of a mailbox; unseen is a message number. */
static void
describe(struct imap *im, struct store_view *v, const struct select *s,
    const struct store_mailbox *m, size_t unseen)
{
	add_flag_lists(im, v, true);
	buf_printf(&im->out, "* %zu EXISTS\r\n", im->box.announced);
	if (!enabled(im, CAP_IMAP4REV2))
		describe_rev1(im, unseen);
	buf_printf(&im->out, "* OK [UIDVALIDITY %lu] UIDs are valid\r\n"
	    "* OK [UIDNEXT %lu] predicted next UID\r\n"
	    "* OK [HIGHESTMODSEQ %llu] changes are numbered\r\n",
	    (unsigned long)m->uidvalidity, (unsigned long)m->uidnext,
	    (unsigned long long)m->modseq);
	buf_adds(&im->out, "* OK [MAILBOXID ");
	add_mailbox_id(&im->out, m);
	buf_adds(&im->out, "] mailbox has this id\r\n");
	if (enabled(im, CAP_IMAP4REV2))
		add_list(im, v, m, bytes_eq(s->given, m->name) ? BYTES_EMPTY
		    : s->given);
}

/* The mailbox with that name, after a look for mail other programs put
 * there, which is found later if not now. 1, 0, -1. */
static int
find_mailbox(struct imap *im, const struct select *s,
    struct store_mailbox *m)
{
	struct store_view *v = store_view_open(im->o.store);
	int r = v == NULL ? -1 : store_mailbox_find(v, s->name, m);

	store_view_close(v);
	if (r == 1)
		(void)store_sync(im->o.store, m->id, !s->read_only);
	return r;
}

static int
open_mailbox(struct imap *im, struct select *s)
{
	struct store_view *v;
	struct store_mailbox m;
	size_t unseen;
	int r = find_mailbox(im, s, &m);

	if (r != 1)
		return r;
	/* I-20: before the view shows the first message. */
	if (store_hold(im->o.store, m.id) == -1 ||
	    (v = store_view_open(im->o.store)) == NULL)
		return -1;
	r = store_mailbox_get(v, m.id, &m);
	if (r == 1 && box_open(im, v, &m, s->read_only, &unseen) == -1)
		r = -1;
	if (r == 1)
		describe(im, v, s, &m, unseen);
	if (r == 1 && s->resync && s->uidvalidity == m.uidvalidity)
		r = resync(im, v, s) == -1 ? -1 : 1;
	else if (r == 1)
		select_done(im);
	store_view_close(v);
	return r;
}

static void
select_or_examine(struct imap *im, struct parser *p, bool read_only)
{
	struct select s = { .read_only = read_only };
	int r;

	if (!parse_select(im, p, &s))
		return;
	/* RFC 3501 6.3.1: what was selected is not any more, even on NO. */
	leave(im);
	s.given = s.name;
	if (!check_name(im, &s.name))
		return;
	if (s.condstore || s.resync)
		session_enable(im, CAP_BIT(CAP_CONDSTORE));
	if ((r = open_mailbox(im, &s)) == 1)
		return;
	box_close(im);
	reply_errno(im, r == 0 ? ENOENT : errno, false);
}

void
command_select(struct imap *im, struct parser *p)
{
	select_or_examine(im, p, false);
}

void
command_examine(struct imap *im, struct parser *p)
{
	select_or_examine(im, p, true);
}

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
