/*
 * notify.c - the NOTIFY command (RFC 5465 3.1, 6, 8)
 *
 * Names are compared when something happens, so a mailbox that comes to be
 * later is one of its subtree; a name of none is passed over until then.
 * Mail rules may deliver to any mailbox: inboxes are all personal ones (6.3).
 */
#include "imap/notify.h"

#include <errno.h>
#include <stdlib.h>

static const struct {
	const char *name;
	uint32_t event;
} events[] = {
	{ "MessageNew", NOTIFY_NEW },
	{ "MessageExpunge", NOTIFY_EXPUNGE },
	{ "FlagChange", NOTIFY_FLAGS },
	{ "AnnotationChange", NOTIFY_ANNOTATION },
	{ "MailboxName", NOTIFY_NAME },
	{ "SubscriptionChange", NOTIFY_SUBSCRIPTION },
	{ "MailboxMetadataChange", NOTIFY_METADATA },
	{ "ServerMetadataChange", NOTIFY_SERVER_METADATA },
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

static const char *const kinds[] = {
	[NOTIFY_SELECTED] = "SELECTED",
	[NOTIFY_SELECTED_DELAYED] = "SELECTED-DELAYED",
	[NOTIFY_INBOXES] = "INBOXES", [NOTIFY_PERSONAL] = "PERSONAL",
	[NOTIFY_SUBSCRIBED] = "SUBSCRIBED", [NOTIFY_SUBTREE] = "SUBTREE",
	[NOTIFY_MAILBOXES] = "MAILBOXES",
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct setting {
	struct notify *n;
	bool status;			/* STATUS was asked for */
	bool selected;			/* a group is about it */
	bool unknown;			/* an event that is none of ours */
	size_t names;
};

void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	arena_free(&n->a);
	free(n);
}

static struct notify *
notify_new(void)
{
	struct notify *n = mem_zalloc(1, sizeof(*n));

	n->a = (struct arena)ARENA_INIT;
	return n;
}

/* ---- parsing ---- */

/* "(UID BODY.PEEK[HEADER])"; \Seen is not set by them. */
static bool
parse_items(struct parser *p, struct setting *s, enum notify_kind kind)
{
	if (kind > NOTIFY_SELECTED_DELAYED)
		return parse_fail(p, "attributes of the selected mailbox "
		    "only");
	if (!parse_fetch_items(p, &s->n->items))
		return false;
	fetch_peek(s->n->items);
	return true;
}

static bool
parse_event(struct parser *p, struct setting *s, struct notify_group *g)
{
	struct bytes name;
	size_t i;

	if (!parse_atom(p, &name))
		return false;
	for (i = 0; i < EVENTS; i++) {
		if (bytes_caseeq(name, bytes_str(events[i].name)))
			break;
	}
	if (i == EVENTS) {
		s->unknown = true;
		return true;
	}
	g->events |= events[i].event;
	if (events[i].event != NOTIFY_NEW ||
	    !bytes_starts(p->s, BYTES(" (")))
		return true;
	return parse_space(p) && parse_items(p, s, g->kind);
}

/* RFC 5465 5: what goes only together, 6.1: and only there. */
static bool
check_events(struct parser *p, const struct notify_group *g)
{
	uint32_t e = g->events;
	const uint32_t both = NOTIFY_NEW | NOTIFY_EXPUNGE;

	if (g->kind <= NOTIFY_SELECTED_DELAYED && (e & ~NOTIFY_MESSAGE) != 0)
		return parse_fail(p, "only of other mailboxes");
	if ((e & NOTIFY_MESSAGE) != 0 && (e & both) != both)
		return parse_fail(p,
		    "MessageNew and MessageExpunge go together");
	return true;
}

static bool
parse_events(struct parser *p, struct setting *s, struct notify_group *g)
{
	if (bytes_caseskip(&p->s, BYTES("NONE")))
		return true;
	if (!parse_char(p, '('))
		return false;
	do {
		if (!parse_event(p, s, g))
			return false;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')') && (s->unknown || check_events(p, g));
}

static bool
parse_name(struct parser *p, struct setting *s, struct notify_group *g)
{
	struct notify_name *one = arena_zalloc(p->a, 1, sizeof(*one));

	if (!parse_mailbox(p, &one->name))
		return false;
	s->names++;
	/* What no mailbox can be called is of none. */
	if (store_name_check(p->a, one->name, &one->name, NULL) == -1)
		return true;
	one->next = g->names;
	g->names = one;
	return true;
}

static bool
parse_names(struct parser *p, struct setting *s, struct notify_group *g)
{
	if (!parse_space(p))
		return false;
	if (!parse_optional(p, '('))
		return parse_name(p, s, g);
	do {
		if (!parse_name(p, s, g))
			return false;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')');
}

static bool
parse_kind(struct parser *p, struct setting *s, struct notify_group *g)
{
	struct bytes word = parse_word(p);
	size_t i;

	for (i = 0; i < KINDS && !bytes_caseeq(word, bytes_str(kinds[i]));)
		i++;
	if (i == KINDS)
		return parse_fail(p, "unknown selector of mailboxes");
	g->kind = (enum notify_kind)i;
	if (g->kind > NOTIFY_SELECTED_DELAYED)
		return g->kind < NOTIFY_SUBTREE || parse_names(p, s, g);
	if (s->selected)
		return parse_fail(p, "the selected mailbox twice");
	s->selected = true;
	return true;
}

static bool
parse_group(struct parser *p, struct setting *s)
{
	struct notify_group *g = arena_zalloc(p->a, 1, sizeof(*g));
	struct notify *n = s->n;

	if (!parse_char(p, '(') || !parse_kind(p, s, g) || !parse_space(p) ||
	    !parse_events(p, s, g) || !parse_char(p, ')'))
		return false;
	if (g->kind <= NOTIFY_SELECTED_DELAYED) {
		n->selected = g->events;
		n->delayed = g->kind == NOTIFY_SELECTED_DELAYED;
	} else if (g->events != 0) {
		g->next = n->groups;
		n->groups = g;
	}
	return true;
}

static bool
parse_notify(struct parser *p, struct setting *s)
{
	if (bytes_caseskip(&p->s, BYTES("NONE")))
		return parse_end(p);
	if (!bytes_caseskip(&p->s, BYTES("SET")))
		return parse_fail(p, "expected SET or NONE");
	s->status = bytes_caseskip(&p->s, BYTES(" STATUS"));
	if (!parse_space(p))
		return false;
	do {
		if (!parse_group(p, s))
			return false;
	} while (parse_optional(p, ' '));
	return parse_end(p);
}

/* ---- which mailboxes ---- */

static bool
has_name(const struct notify_group *g, struct bytes name)
{
	const struct notify_name *n;

	for (n = g->names; n != NULL; n = n->next) {
		if (bytes_eq(name, n->name) || (g->kind == NOTIFY_SUBTREE &&
		    bytes_starts(name, n->name) &&
		    bytes_at(name, n->name.n) == '/'))
			return true;
	}
	return false;
}

uint32_t
notify_wants(const struct notify *n, struct bytes name, bool subscribed)
{
	const struct notify_group *g;
	uint32_t wanted = 0;

	for (g = n->groups; g != NULL; g = g->next) {
		if (g->kind == NOTIFY_INBOXES || g->kind == NOTIFY_PERSONAL ||
		    (g->kind == NOTIFY_SUBSCRIBED && subscribed) ||
		    has_name(g, name))
			wanted |= g->events;
	}
	return wanted;
}

/* ---- the command ---- */

/* RFC 5465 3.1: where each of the mailboxes is now. */
static int
say_status(struct imap *im, struct store_view *v, const struct notify *n)
{
	struct bytes at = BYTES_EMPTY;
	struct store_mailbox m;
	uint32_t wanted;
	uint64_t set;
	int r;

	while ((r = store_mailbox_next(v, &at, &m)) == 1) {
		wanted = notify_wants(n, m.name, m.subscribed);
		if (m.id == im->box.id || (wanted & NOTIFY_MESSAGE) == 0)
			continue;
		set = status_items("MESSAGES UIDNEXT UIDVALIDITY");
		if ((wanted & (NOTIFY_FLAGS | NOTIFY_ANNOTATION)) != 0)
			set |= status_items("UNSEEN HIGHESTMODSEQ");
		add_status(im, v, &m, set);
	}
	return r;
}

/* From where on changes are told. 0, -1. */
static int
start(struct imap *im, struct setting *s)
{
	struct store_view *v;
	int r = 0;

	/* What the last setting was about is not lost to this one. */
	notify_say(im);
	if ((v = store_view_open(im->o.store)) == NULL)
		return -1;
	s->n->modseq = im->notify != NULL && im->notify->groups != NULL
	    ? im->notify->modseq
	    : store_view_modseq(v);
	if (s->status)
		r = say_status(im, v, s->n);
	store_view_close(v);
	return r;
}

/* The new setting, after what happened in the selected mailbox as for NOOP:
 * all of it. */
static void
install(struct imap *im, struct notify *n)
{
	notify_free(im->notify);
	im->notify = NULL;
	if (im->box.id != 0)
		(void)store_sync(im->o.store, im->box.id,
		    !im->box.read_only);	/* as NOOP */
	box_sync(im, true);
	im->notify = n;
}

static void
reply_unknown(struct imap *im)
{
	struct buf b = BUF_INIT(1024);
	size_t i;

	buf_adds(&b, "BADEVENT (");
	for (i = 0; i < EVENTS; i++)
		buf_printf(&b, "%s%s", i == 0 ? "" : " ", events[i].name);
	buf_adds(&b, ")");
	reply_no(im, arena_str(&im->arena, buf_bytes(&b)),
	    "unknown event");
	buf_free(&b);
}

void
command_notify(struct imap *im, struct parser *p)
{
	struct setting s = { .n = notify_new() };
	struct parser own;

	/* It lives longer than the command's bytes. */
	own = session_parser(im, arena_bytes(&s.n->a, p->s));
	own.a = &s.n->a;
	if (!parse_space(&own) || !parse_notify(&own, &s)) {
		p->why = own.why;
		p->code = own.code;
		p->refused = own.refused;
	} else if (s.unknown) {
		reply_unknown(im);
	} else if (s.names > NOTIFY_NAMES_MAX) {
		reply_no(im, "NOTIFICATIONOVERFLOW", "too many names");
	} else if (start(im, &s) == -1) {
		reply_errno(im, errno, false);
	} else {
		install(im, s.n);
		reply_done(im);
		return;
	}
	notify_free(s.n);
}
