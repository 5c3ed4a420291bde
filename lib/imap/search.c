/*
 * search.c - SEARCH: keys against messages (RFC 3501 6.4.4)
 *
 * Among keys joined by AND those answered from the index come first, then
 * those from the cached ENVELOPE, then those that read the file.
 */
#include "imap/search.h"

#include <errno.h>

struct search {
	struct imap *im;
	struct store_view *view;
	struct message message;
	struct arena arena;		/* for one message */
	size_t index;
};

/* Sets and keyword names, once before the first message. */
static bool
prepare(struct search *s, struct search_key *k)
{
	struct search_key *c;

	switch (k->kind) {
	case KEY_NUMBERS:
		return box_resolve(s->im, &k->set, false);
	case KEY_UIDS:
		return box_resolve(s->im, &k->set, true);
	case KEY_KEYWORD:
		k->known = store_keyword_find(s->view, s->im->box.id,
		    k->field, &k->keyword) == 1;
		return true;
	default:
		for (c = k->children; c != NULL; c = c->next) {
			if (!prepare(s, c))
				return false;
		}
		return true;
	}
}

static int64_t
internal_day(const struct message *m)
{
	int64_t t = m->record.internal_date;

	return t / 86400 - (t % 86400 < 0);
}

static bool
record_matches(struct search *s, const struct search_key *k)
{
	const struct store_message *r = &s->message.record;

	switch (k->kind) {
	case KEY_FLAG:
		return ((r->flags & k->flags) == k->flags) == k->want;
	case KEY_KEYWORD:
		return (k->known && store_keyword_has(&r->keywords,
		    k->keyword)) == k->want;
	case KEY_NUMBERS:
		return imap_set_has(&k->set, (uint32_t)s->index + 1);
	case KEY_UIDS:
		return imap_set_has(&k->set, s->message.uid);
	case KEY_BEFORE:
		return internal_day(&s->message) < k->day;
	case KEY_ON:
		return internal_day(&s->message) == k->day;
	case KEY_SINCE:
		return internal_day(&s->message) >= k->day;
	case KEY_LARGER:
		return r->size_crlf > k->number;
	case KEY_SMALLER:
		return r->size_crlf < k->number;
	default:
		return k->kind == KEY_ALL;
	}
}

static bool
sent_matches(struct search *s, const struct search_key *k)
{
	int64_t day;

	/* A message that cannot be read matches nothing. */
	if (sent_day(s->im, &s->message, &s->arena, &day) != 1)
		return false;
	return k->kind == KEY_SENT_BEFORE ? day < k->day
	    : k->kind == KEY_SENT_ON ? day == k->day : day >= k->day;
}

static bool
matches(struct search *s, const struct search_key *k)
{
	const struct search_key *c;

	switch (k->kind) {
	case KEY_AND:
		for (c = k->children; c != NULL; c = c->next) {
			if (!matches(s, c))
				return false;
		}
		return true;
	case KEY_OR:
		return matches(s, k->children) ||
		    matches(s, k->children->next);
	case KEY_NOT:
		return !matches(s, k->children);
	case KEY_SENT_BEFORE:
	case KEY_SENT_ON:
	case KEY_SENT_SINCE:
		return sent_matches(s, k);
	case KEY_HEADER:
		return header_matches(s->im, &s->message, &s->arena, k) == 1;
	case KEY_BODY:
	case KEY_TEXT:
		return body_matches(s->im, &s->message, &s->arena, k) == 1;
	default:
		return record_matches(s, k);
	}
}

static int
search_all(struct search *s, const struct search_key *root)
{
	struct imap *im = s->im;
	struct store_message record;
	struct walk w;
	int r;

	walk_init(&w, s->view, im->box.id);
	for (s->index = 0; s->index < im->box.announced; s->index++) {
		uint32_t uid = im->box.uids[s->index];

		if ((im->box.state[s->index] & ENTRY_GONE) != 0)
			continue;
		r = walk_to(&w, uid, &record);
		if (r == -1)
			return -1;
		if (r == 0)
			continue;	/* expunged, to be announced */
		message_set(&s->message, uid, &record);
		if (matches(s, root))
			buf_printf(&im->out, " %lu", im->is_uid
			    ? (unsigned long)uid
			    : (unsigned long)s->index + 1);
		message_reset(&s->message);
		arena_reset(&s->arena);
	}
	return 0;
}

static void
run_search(struct imap *im, struct parser *p, struct search_key *root)
{
	struct search s = { .im = im, .view = store_view_open(im->o.store) };
	int r = -1;

	if (s.view != NULL && !prepare(&s, root)) {
		store_view_close(s.view);
		(void)parse_fail(p, "no such message number");
		return;
	}
	if (s.view != NULL) {
		buf_adds(&im->out, "* SEARCH");
		r = search_all(&s, root);
		buf_adds(&im->out, "\r\n");
	}
	message_reset(&s.message);
	arena_free(&s.arena);
	store_view_close(s.view);
	if (r == -1)
		reply_errno(im, errno, false);
	else
		reply_done(im);
}

void
command_search(struct imap *im, struct parser *p)
{
	struct search_key *root;
	bool bad_charset;

	if (parse_search(p, &root, &bad_charset))
		run_search(im, p, root);
	else if (bad_charset)
		reply_no(im, "BADCHARSET (US-ASCII UTF-8)",
		    "charset is not supported");
}
