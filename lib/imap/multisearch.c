/*
 * multisearch.c - the mailboxes of an ESEARCH command (RFC 7377)
 */
#include "imap/search.h"

static const char *const names[] = {
	[MULTI_SELECTED] = "SELECTED", [MULTI_INBOXES] = "INBOXES",
	[MULTI_PERSONAL] = "PERSONAL", [MULTI_SUBSCRIBED] = "SUBSCRIBED",
	[MULTI_SUBTREE] = "SUBTREE", [MULTI_SUBTREE_ONE] = "SUBTREE-ONE",
	[MULTI_MAILBOXES] = "MAILBOXES",
};

/* ---- parsing ---- */

static bool
parse_source_name(struct parser *p, enum multi_kind kind, struct multi *m)
{
	struct multi_source *s = arena_zalloc(p->a, 1, sizeof(*s));

	s->kind = kind;
	s->next = m->sources;
	m->sources = s;
	return kind < MULTI_SUBTREE || parse_mailbox(p, &s->name);
}

/* One source: "subtree" and its like have names, one or a list. */
static bool
parse_source(struct parser *p, struct multi *m)
{
	struct bytes word = parse_word(p);
	size_t i, n = sizeof(names) / sizeof(names[0]);

	for (i = 0; i < n; i++) {
		if (bytes_caseeq(word, bytes_str(names[i])))
			break;
	}
	if (i == n)
		return parse_fail(p, "unknown source of mailboxes");
	if (i < MULTI_SUBTREE)
		return parse_source_name(p, (enum multi_kind)i, m);
	if (!parse_space(p))
		return false;
	if (!parse_optional(p, '('))
		return parse_source_name(p, (enum multi_kind)i, m);
	do {
		if (!parse_source_name(p, (enum multi_kind)i, m))
			return false;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')');
}

bool
parse_multi(struct imap *im, struct parser *p, struct multi *m)
{
	struct bytes before = p->s;
	struct multi_source *s;

	m->selected_only = true;
	if (!bytes_caseskip(&p->s, BYTES(" IN ("))) {
		p->s = before;
		(void)parse_source_name(p, MULTI_SELECTED, m);
	} else {
		do {
			if (!parse_source(p, m))
				return false;
		} while (parse_optional(p, ' '));
		if (!parse_char(p, ')'))
			return false;
	}
	for (s = m->sources; s != NULL; s = s->next) {
		if (s->kind != MULTI_SELECTED)
			m->selected_only = false;
		else if (im->box.id == 0)
			return parse_fail(p, "no mailbox is selected");
	}
	return true;
}

/* ---- finding ---- */

static bool
is_child(struct bytes name, struct bytes of, bool one)
{
	struct bytes rest;
	size_t at;

	if (bytes_eq(name, of))
		return true;
	if (!bytes_starts(name, of) || bytes_at(name, of.n) != '/')
		return false;
	rest = bytes_from(name, of.n + 1);
	return !one || !bytes_chr(rest, '/', &at);
}

static bool
is_source(const struct imap *im, const struct multi_source *s,
    const struct store_mailbox *b)
{
	switch (s->kind) {
	case MULTI_SELECTED:
		return b->id == im->box.id;
	case MULTI_INBOXES:	/* where mail may be delivered (RFC 5465 6.3) */
	case MULTI_PERSONAL:
		return true;
	case MULTI_SUBSCRIBED:
		return b->subscribed;
	case MULTI_MAILBOXES:
		return bytes_eq(b->name, s->name);
	default:
		return is_child(b->name, s->name,
		    s->kind == MULTI_SUBTREE_ONE);
	}
}

/* Names that cannot be are those of no mailbox. */
static void
check_names(struct imap *im, struct multi *m)
{
	struct multi_source *s;

	for (s = m->sources; s != NULL; s = s->next) {
		if (s->kind >= MULTI_SUBTREE && store_name_check(&im->arena,
		    s->name, &s->name, NULL) == -1)
			s->name = BYTES_EMPTY;
	}
}

int
multi_find(struct imap *im, struct multi *m)
{
	struct store_view *v = store_view_open(im->o.store);
	struct bytes at = BYTES_EMPTY;
	const struct multi_source *s;
	struct store_mailbox b;
	size_t size = 0;
	int r;

	if (v == NULL)
		return -1;
	check_names(im, m);
	while ((r = store_mailbox_next(v, &at, &b)) == 1)
		size++;
	m->ids = arena_zalloc(&im->arena, size + 1, sizeof(*m->ids));
	for (at = BYTES_EMPTY; r == 0 && m->count < size &&
	    store_mailbox_next(v, &at, &b) == 1;) {
		for (s = m->sources; s != NULL && !is_source(im, s, &b);)
			s = s->next;
		if (s != NULL)
			m->ids[m->count++] = b.id;
	}
	store_view_close(v);
	return r;
}

int
multi_next(struct imap *im, struct multi *m)
{
	struct store_view *v;
	int r = 0;

	m->begun = true;
	if (m->at == m->count)
		return 0;
	if ((v = store_view_open(im->o.store)) == NULL)
		return -1;
	/* One that was deleted meanwhile is passed over. */
	while (r == 0 && m->at < m->count)
		r = store_mailbox_get(v, m->ids[m->at++], &m->mailbox);
	if (r == 1)
		m->mailbox.name = arena_bytes(&im->arena, m->mailbox.name);
	store_view_close(v);
	return r;
}

void
multi_head(struct imap *im, struct bytes tag, const struct store_mailbox *m)
{
	buf_adds(&im->out, "* ESEARCH (TAG ");
	imap_add_string(&im->out, tag);
	buf_adds(&im->out, " MAILBOX ");
	add_mailbox(im, m->name);
	buf_printf(&im->out, " UIDVALIDITY %lu) UID",
	    (unsigned long)m->uidvalidity);
}
