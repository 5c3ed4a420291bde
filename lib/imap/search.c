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
	int64_t now;
};

/* Sets and keyword names, once before the first message. A number that is
 * no message is found nowhere. */
static void
prepare(struct search *s, struct search_key *k)
{
	struct search_key *c;

	switch (k->kind) {
	case KEY_NUMBERS:
		if (!box_resolve(s->im, &k->set, false))
			imap_set_resolve(&k->set,
			    (uint32_t)s->im->box.announced);
		break;
	case KEY_UIDS:
		(void)box_resolve(s->im, &k->set, true); /* UIDs: no error */
		break;
	case KEY_KEYWORD:
		k->known = store_keyword_find(s->view, s->im->box.id,
		    k->field, &k->keyword) == 1;
		break;
	default:
		for (c = k->children; c != NULL; c = c->next)
			prepare(s, c);
		break;
	}
}

static int64_t
day_of(int64_t t)
{
	return t / 86400 - (t % 86400 < 0);
}

/* Days are those of UTC; a message without save date was saved when it
 * came (RFC 8514 4.3). */
static bool
day_matches(const struct store_message *r, const struct search_key *k)
{
	int64_t came = day_of(r->internal_date);
	int64_t saved = r->save_date == 0 ? came : day_of(r->save_date);

	switch (k->kind) {
	case KEY_BEFORE:
		return came < k->day;
	case KEY_ON:
		return came == k->day;
	case KEY_SINCE:
		return came >= k->day;
	case KEY_SAVED_BEFORE:
		return saved < k->day;
	case KEY_SAVED_ON:
		return saved == k->day;
	default:
		return saved >= k->day;
	}
}

static bool
has_email_id(const struct store_message *r, struct bytes id)
{
	char own[EMAIL_ID_SIZE];

	email_id(r, own);
	return bytes_eq(bytes_str(own), id);
}

static bool
record_matches(struct search *s, const struct search_key *k)
{
	const struct store_message *r = &s->message.record;
	int64_t age = s->now - r->internal_date;

	switch (k->kind) {
	case KEY_FLAG:
		return ((r->flags & k->flags) == k->flags) == k->want;
	case KEY_RECENT:
		return is_recent(&s->im->box, r->uid) == k->want &&
		    (r->flags & k->flags) == 0;
	case KEY_KEYWORD:
		return (k->known && store_keyword_has(&r->keywords,
		    k->keyword)) == k->want;
	case KEY_NUMBERS:
		return imap_set_has(&k->set, (uint32_t)s->index + 1);
	case KEY_UIDS:
		return imap_set_has(&k->set, s->message.uid);
	case KEY_LARGER:
		return r->size_crlf > k->number;
	case KEY_SMALLER:
		return r->size_crlf < k->number;
	case KEY_OLDER:
		return age >= (int64_t)k->number;
	case KEY_YOUNGER:
		return age <= (int64_t)k->number;
	case KEY_MODSEQ:
		return r->modseq >= k->number;
	case KEY_EMAILID:
		return has_email_id(r, k->field);
	case KEY_ALL:
		return true;
	case KEY_NONE:
		return false;
	default:
		return day_matches(r, k);
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
		return !text_ruled_out(s->view, &s->message, k) &&
		    header_matches(s->im, &s->message, &s->arena, k) == 1;
	case KEY_BODY:
	case KEY_TEXT:
		return !text_ruled_out(s->view, &s->message, k) &&
		    body_matches(s->im, &s->message, &s->arena, k) == 1;
	default:
		return record_matches(s, k);
	}
}

static int
search_all(struct search *s, const struct search_key *root,
    struct search_result *out)
{
	const struct box *b = &s->im->box;
	struct store_message record;
	struct walk w;
	int r;

	walk_init(&w, s->view, b->id);
	for (s->index = 0; s->index < b->announced; s->index++) {
		uint32_t uid = b->uids[s->index];

		if ((b->state[s->index] & ENTRY_GONE) != 0)
			continue;
		r = walk_to(&w, uid, &record);
		if (r == -1)
			return -1;
		if (r == 0)
			continue;	/* expunged, to be announced */
		message_set(&s->message, uid, &record);
		if (matches(s, root)) {
			out->modseq[out->n] = record.modseq;
			out->index[out->n++] = (uint32_t)s->index;
		}
		message_reset(&s->message);
		arena_reset(&s->arena);
	}
	return 0;
}

int
search_run(struct imap *im, struct search_key *root,
    struct search_result *out)
{
	struct search s = { .im = im, .view = store_view_open(im->o.store),
	    .now = time_wall_us() / 1000000 };
	size_t n = im->box.announced + 1;
	int r;

	if (s.view == NULL)
		return -1;
	*out = (struct search_result){
	    arena_zalloc(&im->arena, n, sizeof(*out->index)),
	    arena_zalloc(&im->arena, n, sizeof(*out->modseq)), 0 };
	prepare(&s, root);
	r = search_all(&s, root, out);
	message_reset(&s.message);
	arena_free(&s.arena);
	store_view_close(s.view);
	return r;
}

void
command_search(struct imap *im, struct parser *p)
{
	struct search_args args;
	struct search_result found;

	if (!parse_search(p, &args)) {
		/* RFC 5182 2.1: SEARCH that fails with NO empties "$". */
		if (args.bad_charset && args.ret.save)
			box_save(im, NULL, 0);
		if (args.bad_charset)
			reply_no(im, "BADCHARSET (US-ASCII UTF-8)",
			    "charset is not supported");
		return;
	}
	if (args.modseq)
		session_enable(im, CAP_BIT(CAP_CONDSTORE));
	/* RFC 9051 6.4.4: ESEARCH, asked for or not. */
	if (!args.ret.given && enabled(im, CAP_IMAP4REV2))
		args.ret.given = args.ret.all = true;
	if (search_run(im, args.root, &found) == -1) {
		if (args.ret.save)
			box_save(im, NULL, 0);
		reply_errno(im, errno, false);
		return;
	}
	search_answer(im, &args, &found);
	reply_done(im);
}
