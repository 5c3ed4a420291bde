/*
 * search.c - SEARCH: keys against messages (RFC 3501 6.4.4)
 *
 * Among keys joined by AND those answered from the index come first, then
 * those from the cached ENVELOPE, then those that read the file.
 */
#include "imap/search.h"

#include <errno.h>
#include <stdlib.h>

/* A step looks at the clock after so many messages. */
#define CLOCK_EVERY 16
/* How long a view is held where nobody waits for other things. */
#define LONG_STEP_MS 1000

/* Numbers as the UIDs they stand for; a number that is no message is found
 * nowhere. */
static void
numbers_to_uids(struct search *s, struct search_key *k)
{
	const struct box *b = &s->im->box;
	size_t i;

	if (!box_resolve(s->im, &k->set, false))
		imap_set_resolve(&k->set, (uint32_t)b->announced);
	k->kind = KEY_UIDS;
	for (i = 0; i < k->set.n; i++) {
		struct imap_range *r = &k->set.ranges[i];

		if (r->first > b->announced || r->last == 0) {
			k->set.n = i;
			break;
		}
		r->first = box_uid(b, r->first == 0 ? 0 : r->first - 1);
		r->last = box_uid(b, r->last > b->announced
		    ? b->announced - 1 : r->last - 1);
	}
}

static void
resolve_uids(struct search *s, struct search_key *k)
{
	struct store_message m;
	uint32_t star = 0;
	int r;

	if (s->im != NULL) {
		(void)box_resolve(s->im, &k->set, true); /* UIDs: no error */
		return;
	}
	for (r = imap_set_has_star(&k->set) ? store_message_first(s->view,
	    s->mailbox, 1, &m) : 0; r == 1;
	    r = store_message_next(s->view, &m))
		star = m.uid;
	imap_set_resolve(&k->set, star);
}

/* Message numbers of a mailbox nobody selected: places among its messages
 * (RFC 7377 2). "$" holds nothing here. */
static void
resolve_ordinals(struct search *s, struct search_key *k)
{
	struct store_mailbox m;
	uint32_t star = 0;

	if (imap_set_has_star(&k->set) &&
	    store_mailbox_get(s->view, s->mailbox, &m) == 1)
		star = (uint32_t)m.total;
	imap_set_resolve(&k->set, star);
}

/* Sets and keyword names, once before the first message. */
static void
prepare(struct search *s, struct search_key *k)
{
	struct search_key *c;
	bool star;

	switch (k->kind) {
	case KEY_NUMBERS:
		if (s->im == NULL)
			resolve_ordinals(s, k);
		else
			numbers_to_uids(s, k);
		break;
	case KEY_UIDS:
		star = imap_set_has_star(&k->set);
		resolve_uids(s, k);
		/* Numbers are what they were at first (RFC 5267 4.3). */
		if (star && s->lasting && k->set.n > 0)
			k->set.ranges[k->set.n - 1].last = UINT32_MAX;
		break;
	default:
		for (c = k->children; c != NULL; c = c->next)
			prepare(s, c);
		break;
	}
}

static void
find_keywords(struct search *s, struct search_key *k)
{
	struct search_key *c;

	if (k->kind == KEY_KEYWORD)
		k->known = store_keyword_find(s->view, s->mailbox,
		    k->field, &k->keyword) == 1;
	for (c = k->children; c != NULL; c = c->next)
		find_keywords(s, c);
}

void
search_keywords(struct search *s)
{
	find_keywords(s, s->root);
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
	char thread[THREAD_ID_SIZE];

	switch (k->kind) {
	case KEY_FLAG:
		return ((r->flags & k->flags) == k->flags) == k->want;
	case KEY_RECENT:
		return is_recent(&s->im->box, r->uid) == k->want &&
		    (r->flags & k->flags) == 0;
	case KEY_KEYWORD:
		return (k->known && store_keyword_has(&r->keywords,
		    k->keyword)) == k->want;
	case KEY_UIDS:
		return imap_set_has(&k->set, s->message.uid);
	case KEY_NUMBERS:
		return imap_set_has(&k->set, s->ordinal);
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
	case KEY_THREADID:
		return thread_id(s->view, r, thread) &&
		    bytes_eq(bytes_str(thread), k->field);
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
	if (sent_day(s, &day) != 1)
		return false;
	return k->kind == KEY_SENT_BEFORE ? day < k->day
	    : k->kind == KEY_SENT_ON ? day == k->day : day >= k->day;
}

static bool
is_text(const struct search_key *k)
{
	return (k->kind == KEY_BODY || k->kind == KEY_TEXT ||
	    k->kind == KEY_HEADER) && k->cost != COST_ENVELOPE &&
	    k->grams.n > 0;
}

static bool
ruled_out(struct search *s, uint32_t uid, const struct search_key *k)
{
	return is_text(k) && store_text_maybe(s->view, s->mailbox, uid,
	    &k->grams, k->kind != KEY_BODY, k->kind != KEY_HEADER) == 0;
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
		return !ruled_out(s, s->message.uid, k) &&
		    header_matches(s, k) == 1;
	case KEY_BODY:
	case KEY_TEXT:
		return !ruled_out(s, s->message.uid, k) &&
		    body_matches(s, k) == 1;
	default:
		return record_matches(s, k);
	}
}

static void
keep_hit(struct search *s, uint32_t index)
{
	struct search_result *f = &s->found;

	if (f->n == f->size) {
		f->size = f->size == 0 ? 64 : f->size * 2;
		f->hits = mem_realloc(f->hits, f->size * sizeof(*f->hits));
	}
	f->hits[f->n++] = (struct search_hit){ s->message.uid, index,
	    s->message.record.modseq };
	if (s->hit != NULL)
		s->hit(s, s->ctx);
}

static bool
look_at(struct search *s, const struct store_message *record)
{
	message_set(&s->message, record->uid, record);
	return matches(s, s->root);
}

static void
look_away(struct search *s)
{
	if (s->message.mapped)
		message_reset(&s->message);
	arena_reset(&s->arena);
}

static void
look(struct search *s, const struct store_message *record, uint32_t index)
{
	if (look_at(s, record))
		keep_hit(s, index);
	look_away(s);
}

/*
 * Whether UIDs and filters are what to ask first. They need no record; but
 * where other facts of the record are asked for, those leave fewer filters to
 * read.
 */
static bool
filters_first(const struct search_key *root)
{
	const struct search_key *c;
	bool any = false;

	for (c = root->children; c != NULL; c = c->next) {
		if (c->cost == COST_RECORD && c->kind != KEY_UIDS &&
		    c->kind != KEY_ALL)
			return false;
		any = any || is_text(c);
	}
	return any;
}

/* After filters_first: whether a message need not be looked at. */
static bool
passed_by(struct search *s, uint32_t uid)
{
	const struct search_key *c;

	for (c = s->root->children; c != NULL; c = c->next) {
		if (c->kind == KEY_UIDS ? !imap_set_has(&c->set, uid)
		    : ruled_out(s, uid, c))
			return true;
	}
	return false;
}

/* The record of a message, into w->at: 1, 0 none, -1. */
static int
record_at(struct search *s, struct walk *w, uint32_t uid)
{
	/* Where filters decide, few are left to be found. */
	return s->filters ? store_message_get(s->view, s->mailbox, uid,
	    &w->at) : walk_at(w, uid);
}

/* Messages as the client knows them; 1 time is up, 0 end, -1. */
static int
step_box(struct search *s, int64_t until)
{
	const struct box *b = &s->im->box;
	struct walk w;
	int r;

	walk_init(&w, s->view, s->mailbox);
	while (s->index < b->announced) {
		size_t i = s->index++;

		if ((box_state(b, i) & ENTRY_GONE) != 0) {
			s->some_gone = true;
		} else if (!(s->filters && passed_by(s, box_uid(b, i)))) {
			r = record_at(s, &w, box_uid(b, i));
			if (r == -1)
				return -1;
			if (r == 1)
				look(s, &w.at, (uint32_t)i);
			else
				s->some_gone = true;
		}
		if (i % CLOCK_EVERY == 0 && time_mono_ms() >= until)
			return 1;
	}
	return 0;
}

/* All messages of the mailbox. */
static int
step_all(struct search *s, int64_t until)
{
	struct store_message record;
	unsigned int n = 0;
	int r;

	if (s->uid == UINT32_MAX)
		return 0;
	for (r = store_message_first(s->view, s->mailbox, s->uid + 1,
	    &record); r == 1; r = store_message_next(s->view, &record)) {
		s->ordinal++;
		look(s, &record, 0);
		s->uid = record.uid;
		if (++n % CLOCK_EVERY == 0 && time_mono_ms() >= until)
			return 1;
	}
	return r;
}

int
search_begin(struct search *s)
{
	s->now = time_wall_us() / 1000000;
	s->arena = (struct arena)ARENA_INIT;
	s->message = (struct message){ .arena = ARENA_INIT };
	s->text = BUF_INIT(MIME_VALUE_MAX);
	if ((s->view = store_view_open(s->store)) == NULL)
		return -1;
	prepare(s, s->root);
	s->filters = filters_first(s->root);
	search_keywords(s);
	store_view_close(s->view);
	s->view = NULL;
	return 0;
}

/* Whether all sets among the keys that must all match have it. */
static bool
in_sets(const struct search_key *k, uint32_t uid)
{
	const struct search_key *c;

	if (k->kind == KEY_UIDS)
		return imap_set_has(&k->set, uid);
	for (c = k->kind == KEY_AND ? k->children : NULL; c != NULL;
	    c = c->next) {
		if (!in_sets(c, uid))
			return false;
	}
	return true;
}

bool
search_limit(struct search *s, uint32_t max, uint32_t *lowest)
{
	const struct box *b = &s->im->box;
	size_t i, at = 0, n = 0;

	if (b->announced <= max)
		return false;
	for (i = b->announced; i > 0; i--) {
		if ((box_state(b, i - 1) & ENTRY_GONE) != 0 ||
		    !in_sets(s->root, box_uid(b, i - 1)))
			continue;
		if (n++ == max) {
			s->index = at;
			*lowest = box_uid(b, at);
			return true;
		}
		at = i - 1;
	}
	return false;
}

int
search_step(struct search *s, int64_t ms)
{
	int64_t until = time_mono_ms() + ms;
	int r;

	if ((s->view = store_view_open(s->store)) == NULL)
		return -1;
	r = s->im != NULL ? step_box(s, until) : step_all(s, until);
	store_view_close(s->view);
	s->view = NULL;
	return r;
}

int
search_one(struct search *s, struct walk *w, size_t index)
{
	int r = walk_at(w, box_uid(&s->im->box, index));

	if (r == 1) {
		r = look_at(s, &w->at);
		look_away(s);
	}
	return r;
}

int
search_values(struct search *s, const struct search_result *found,
    void (*hit)(struct search *s, void *ctx), void *ctx)
{
	struct store_message record;
	struct walk w;
	size_t i;
	int r;

	walk_init(&w, s->view, s->mailbox);
	for (i = 0; i < found->n; i++) {
		r = walk_to(&w, found->hits[i].uid, &record);
		if (r == -1)
			return -1;
		if (r == 0)	/* gone, which is not told yet */
			record = (struct store_message){
			    .uid = found->hits[i].uid };
		message_set(&s->message, record.uid, &record);
		hit(s, ctx);
		look_away(s);
	}
	return 0;
}

void
search_end(struct search *s)
{
	message_reset(&s->message);
	arena_free(&s->arena);
	buf_free(&s->text);
	free(s->found.hits);
	s->found = (struct search_result){ NULL, 0, 0 };
}

int
imap_search(struct arena *a, struct store *store, uint32_t mailbox,
    struct bytes keys, struct imap_search_result *out, const char **why)
{
	struct parser p = { .s = keys, .a = a, .utf8_names = true,
	    .uid_only = true, .store = store };
	struct search s = { .store = store, .mailbox = mailbox };
	struct search_args args;
	size_t i;
	int r;

	if (!parse_search_keys(&p, &args)) {
		*why = p.why;
		errno = EBADMSG;
		return -1;
	}
	s.root = args.root;
	r = search_begin(&s);
	if (r == 0) {
		while ((r = search_step(&s, LONG_STEP_MS)) == 1)
			;
	}
	if (r == 0) {
		out->n = s.found.n;
		out->uids = arena_zalloc(a, out->n + 1, sizeof(*out->uids));
		for (i = 0; i < out->n; i++)
			out->uids[i] = s.found.hits[i].uid;
	}
	search_end(&s);
	return r;
}
